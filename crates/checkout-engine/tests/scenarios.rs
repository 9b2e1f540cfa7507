//! Every scenario of every sandbox, from the create to the news.

mod world;

use checkout_engine::Subject;
use checkout_sandbox::{allscale, azotte, peach};
use std::time::Duration;
use world::meant::{ALLSCALE, AZOTTE, PEACH, Row};
use world::{Outcome, World, block_on, drafts};

const FORTY_DAYS: Duration = Duration::from_secs(40 * 24 * 60 * 60);

/// The fault, where a play ended otherwise than its row says.
async fn compare(world: &World, row: &Row, faults: &mut Vec<String>) -> Outcome {
    let (name, state, subjects) = row;
    world.play(FORTY_DAYS).await?;
    let checkout = world.checkout("o").await?;
    let told = world.subjects("o");
    if checkout.state != *state
        || told != *subjects
        || checkout.hold.is_some() != told.contains(&Subject::Held)
    {
        faults.push(format!("{name}: {:?}, held {:?}, told {told:?}", checkout.state, checkout.hold));
    }
    let figures = world.engine.figures().await?;
    if (figures.work, figures.news) != (0, 0) {
        faults.push(format!("{name}: something is left to do: {figures:?}"));
    }
    Ok(())
}

fn has_every_name(table: &[Row], names: &[&str]) {
    let rows: Vec<&str> = table.iter().map(|(name, ..)| *name).collect();
    assert_eq!(rows, names);
}

#[test]
fn allscale_ends_as_each_scenario_means() -> Outcome {
    has_every_name(ALLSCALE, &allscale::Scenario::NAMES);
    block_on(async {
        let mut faults = Vec::new();
        for row in ALLSCALE {
            let world = World::new(1)?;
            world.providers.allscale.next_intent(allscale::Scenario::by_name(row.0).ok_or("name")?);
            world.engine.create("o", drafts::allscale("order_1")?).await?;
            compare(&world, row, &mut faults).await?;
        }
        assert_eq!(faults, Vec::<String>::new());
        Ok(())
    })
}

#[test]
fn azotte_ends_as_each_scenario_means() -> Outcome {
    has_every_name(AZOTTE, &azotte::Scenario::NAMES);
    block_on(async {
        let mut faults = Vec::new();
        for row in AZOTTE {
            let world = World::new(1)?;
            world.providers.azotte.next_checkout(azotte::Scenario::by_name(row.0).ok_or("name")?);
            world.engine.create("o", drafts::azotte("order_1")?).await?;
            compare(&world, row, &mut faults).await?;
        }
        assert_eq!(faults, Vec::<String>::new());
        Ok(())
    })
}

#[test]
fn peach_ends_as_each_scenario_means_by_v1_and_by_v2() -> Outcome {
    has_every_name(PEACH, &peach::Scenario::NAMES);
    block_on(async {
        let mut faults = Vec::new();
        for merchant in ["default", "v2"] {
            for row in PEACH {
                let world = World::new(1)?;
                world.providers.peach.next_checkout(peach::Scenario::by_name(row.0).ok_or("name")?);
                world.engine.create_for(merchant, "o", drafts::peach("order0001")?).await?;
                compare(&world, row, &mut faults).await?;
            }
        }
        assert_eq!(faults, Vec::<String>::new());
        Ok(())
    })
}
