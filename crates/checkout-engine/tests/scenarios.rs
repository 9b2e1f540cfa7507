//! Every scenario of every sandbox, from the create to the news: the table says what each scenario means for
//! an order, and was written from the scenario's sentence.

mod world;

use checkout_engine::{State, Subject};
use checkout_sandbox::{allscale, azotte, peach};
use std::time::Duration;
use world::{Outcome, World, block_on, drafts};

/// The name, the state at the end, and the news in their order.
type Row = (&'static str, State, &'static [Subject]);

use State::{Failed, GaveUp, Settled, Unsettled};

const PAID: &[Subject] = &[Subject::Settled];
const UNPAID: &[Subject] = &[Subject::Failed];
/// A person looks, and nothing was told as settled.
const HELD: &[Subject] = &[Subject::Held];
const LATE: &[Subject] = &[Subject::Failed, Subject::Held];
const OPEN: &[Subject] = &[Subject::GaveUp];

const ALLSCALE: &[Row] = &[
    ("happy", Settled, PAID),
    ("kyt_passed", Settled, PAID),
    // Money came, and perhaps went back: a person looks.
    ("kyt_refused", Unsettled, HELD),
    ("manual_operation", Settled, PAID),
    ("underpaid", Unsettled, HELD),
    ("overpaid", Settled, PAID),
    ("canceled", Failed, UNPAID),
    ("timeout", Failed, UNPAID),
    ("failed", Unsettled, HELD),
    ("late_success", Settled, LATE),
    ("unknown_status", Settled, PAID),
    ("regression", Settled, PAID),
    // No read follows the settlement.
    ("change_after_terminal", Settled, PAID),
    ("never_paid", GaveUp, OPEN),
];

const AZOTTE: &[Row] = &[
    ("happy", Settled, PAID),
    ("done_at_once", Settled, PAID),
    ("failed_at_once", Failed, UNPAID),
    ("failed", Failed, UNPAID),
    ("failed_message_on_top", Failed, UNPAID),
    ("three_ds_url", Settled, PAID),
    ("three_ds_html", Settled, PAID),
    ("three_ds_html_and_url", Settled, PAID),
    ("three_ds_at_once", Settled, PAID),
    ("three_ds_failed", Failed, UNPAID),
    ("three_ds_twice", Settled, PAID),
    ("three_ds_abandoned", GaveUp, OPEN),
    ("redirect_while_processing", Settled, PAID),
    ("slow", Settled, PAID),
    ("late_success", Settled, LATE),
    ("never_ends", GaveUp, OPEN),
    ("unknown_code", Settled, PAID),
    ("unknown_code_with_redirect", Settled, PAID),
    ("change_after_terminal", Settled, PAID),
];

const PEACH: &[Row] = &[
    ("happy", Settled, PAID),
    ("pending_then_successful", Settled, PAID),
    ("cancelled", Failed, UNPAID),
    ("expired", Failed, UNPAID),
    ("never_opened", Failed, UNPAID),
    ("late_success_after_cancelled", Settled, LATE),
    ("late_success_after_expired", Settled, LATE),
    ("declined_then_paid", Settled, PAID),
    // An authorization is no payment.
    ("authorized", Unsettled, HELD),
    ("in_review", Settled, PAID),
    // The engine follows no charge back.
    ("charged_back", Settled, PAID),
    ("unknown_code", Settled, PAID),
    ("risk_check_only", Failed, UNPAID),
    ("older_cancelled_after_success", Settled, PAID),
    ("newer_cancelled_after_success", Settled, PAID),
    // The environment is the sandbox.
    ("test_success", Settled, PAID),
    ("uncertain", Failed, UNPAID),
];

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
