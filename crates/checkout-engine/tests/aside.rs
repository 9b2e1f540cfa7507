//! News that ends the processes that tell it: put aside with a hold, and told after the release, once.

mod world;

use checkout_engine::{Checkout, Decision, News, State, Store as _, Subject, Written};
use checkout_sandbox::allscale::Scenario;
use std::time::Duration;
use world::{Outcome, World, block_on, drafts};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A checkout that is in a state, and of which nobody was told.
async fn untold(scenario: Scenario, state: State) -> Outcome<World> {
    let world = World::new(1)?;
    world.providers.allscale.next_intent(scenario);
    world.engine.create("o", drafts::coin("order0001")?).await?;
    let refuses = |_| async { Err("not now".into()) };
    for _ in 0..1_000 {
        if world.checkout("o").await?.state == state {
            world.providers.clock.advance(HOUR);
            return Ok(world);
        }
        world.providers.clock.advance(world.engine.step(refuses).await?);
    }
    Err(format!("never {state}").into())
}

/// So many processes die while they tell the news.
async fn die(world: &World, times: usize) -> Outcome<Vec<News>> {
    let mut news = Vec::new();
    for _ in 0..times {
        news = world.store.claim_news(9, MINUTE).await?.into_iter().map(|claimed| claimed.news).collect();
        assert_eq!(news.len(), 1);
        world.providers.clock.advance(MINUTE);
    }
    Ok(news)
}

fn told(world: &World) -> Outcome<Vec<News>> {
    Ok(world.told.lock().map_err(|error| error.to_string())?.clone())
}

/// Writes a row as a person does by hand.
async fn edit(world: &World, change: impl FnOnce(&mut Checkout)) -> Outcome {
    let mut row = world.checkout("o").await?;
    change(&mut row);
    let (act, by, reason) = ("edit", "ann", "by hand");
    let decision = Decision { checkout: &row, work: false, news: Vec::new(), act, by, reason };
    assert_eq!(world.store.decide(&decision).await?, Written::Done);
    Ok(())
}

#[test]
fn news_that_six_processes_have_died_with_is_told_by_none_until_a_person_decides() -> Outcome {
    block_on(async {
        for (act, expected) in [("release", 1), ("settle", 1), ("close", 0)] {
            let world = untold(Scenario::happy(), State::Settled).await?;
            let [dead] = <[News; 1]>::try_from(die(&world, 6).await?).map_err(|_| "one")?;
            world.step().await?;
            let held = world.checkout("o").await?;
            let why = "quarantined: o/settled has ended the processes that told it";
            assert_eq!((held.state, held.hold.as_deref()), (State::Settled, Some(why)));
            assert_eq!(told(&world)?, []);
            let counters = world.engine.counters();
            assert_eq!((counters.quarantined(), counters.holds()), (1, 1));
            let decisions = world.engine.decisions("o").await?;
            assert!(decisions.iter().any(|one| one.act == "hold" && one.by == "checkout-engine"));
            // The hold is told, and nothing brings the news back but a person.
            world.engine.nudge("o").await?;
            world.play(DAY).await?;
            let of_hold: Vec<_> = told(&world)?.into_iter().map(|news| (news.subject, news.reason)).collect();
            assert_eq!(of_hold, [(Subject::Held, Some(why.to_owned()))]);
            let held = world.checkout("o").await?;
            match act {
                "release" => drop(world.engine.release(&held, "ann", "mended").await?),
                "settle" => drop(world.engine.settle(&held, "ann", "mended").await?),
                _ => drop(world.engine.close(&held, "ann", "given back").await?),
            }
            world.play(DAY).await?;
            let keys: Vec<String> = told(&world)?.into_iter().skip(1).map(|news| news.key).collect();
            assert_eq!(keys, vec![dead.key; expected], "{act}");
            assert_eq!(world.checkout("o").await?.hold, None);
        }
        Ok(())
    })
}

#[test]
fn news_that_five_processes_have_died_with_is_told_and_a_failure_is_no_death() -> Outcome {
    block_on(async {
        let world = untold(Scenario::happy(), State::Settled).await?;
        for _ in 0..3 {
            die(&world, 5).await?;
            world.engine.step(|_| async { Err("not now".into()) }).await?;
            world.providers.clock.advance(HOUR);
        }
        world.step().await?;
        assert_eq!(world.subjects("o"), [Subject::Settled]);
        assert_eq!(world.checkout("o").await?.hold, None);
        Ok(())
    })
}

#[test]
fn news_of_a_failure_comes_back_under_its_key_if_the_checkout_is_released_as_failed() -> Outcome {
    block_on(async {
        for settles in [false, true] {
            let world = untold(Scenario::timeout(), State::Failed).await?;
            let dead = die(&world, 6).await?;
            assert_eq!(dead.iter().map(|news| news.subject).collect::<Vec<_>>(), [Subject::Failed]);
            world.play(DAY).await?;
            let held = world.checkout("o").await?;
            assert_eq!((held.state, held.hold.is_some()), (State::Failed, true));
            assert_eq!(world.subjects("o"), [Subject::Held]);
            if settles {
                world.engine.settle(&held, "ann", "the bank says so").await?;
                world.play(DAY * 5).await?;
                assert_eq!(world.subjects("o"), [Subject::Held, Subject::Settled]);
            } else {
                world.engine.release(&held, "ann", "mended").await?;
                world.play(DAY * 5).await?;
                assert_eq!(told(&world)?.get(1..), Some(&*dead));
            }
        }
        Ok(())
    })
}

/// The hold says it already, and a hold that is over is no news.
#[test]
fn news_of_a_hold_is_not_told_after_it_was_put_aside() -> Outcome {
    block_on(async {
        for released in [false, true] {
            let world = untold(Scenario::underpaid(), State::Unsettled).await?;
            let first = world.checkout("o").await?.hold.ok_or("not held")?;
            if released {
                edit(&world, |row| row.hold = None).await?;
            }
            let dead = die(&world, 6).await?;
            assert_eq!(dead.iter().map(|news| news.subject).collect::<Vec<_>>(), [Subject::Held]);
            world.step().await?;
            let hold = world.checkout("o").await?.hold;
            if released {
                assert_eq!(hold, None);
            } else {
                let hold = hold.ok_or("not held")?;
                assert!(hold.starts_with(&first) && hold.contains("; quarantined: "), "{hold}");
                world.engine.close(&world.checkout("o").await?, "ann", "given back").await?;
            }
            world.play(DAY).await?;
            assert_eq!((told(&world)?, world.engine.figures().await?.news), (vec![], 0));
        }
        Ok(())
    })
}

/// Notes that nobody can read have no room for the news, which stays, is told by nobody, and is not lost.
#[test]
fn news_of_a_row_that_nobody_can_read_waits_until_the_row_is_mended() -> Outcome {
    block_on(async {
        let world = untold(Scenario::happy(), State::Settled).await?;
        let notes = world.checkout("o").await?.notes;
        edit(&world, |row| row.notes = "{".into()).await?;
        die(&world, 6).await?;
        for _ in 0..3 {
            world.step().await?;
            world.providers.clock.advance(MINUTE);
        }
        let held = world.checkout("o").await?;
        assert!(held.hold.as_deref().is_some_and(|hold| hold.starts_with("quarantined")), "{held:?}");
        assert_eq!((world.subjects("o"), world.engine.figures().await?.news), (vec![Subject::Held], 1));
        assert!(world.engine.release(&held, "ann", "looked").await.is_err());
        edit(&world, |row| row.notes = notes).await?;
        world.play(HOUR).await?;
        assert_eq!((world.subjects("o"), world.engine.figures().await?.news), (vec![Subject::Held], 0));
        world.engine.release(&world.checkout("o").await?, "ann", "mended").await?;
        world.play(DAY).await?;
        assert_eq!(world.subjects("o"), [Subject::Held, Subject::Settled]);
        Ok(())
    })
}

/// The process dies between the hold and the end of the news.
#[test]
fn news_that_was_half_put_aside_is_put_aside_once() -> Outcome {
    block_on(async {
        let world = untold(Scenario::happy(), State::Settled).await?;
        let dead = die(&world, 6).await?;
        world.play(HOUR).await?;
        let held = world.checkout("o").await?;
        // The news is there again.
        let (act, by, reason) = ("edit", "ann", "by hand");
        let decision = Decision { checkout: &held, work: false, news: dead.clone(), act, by, reason };
        assert_eq!(world.store.decide(&decision).await?, Written::Done);
        die(&world, 6).await?;
        world.play(HOUR).await?;
        assert_eq!((world.subjects("o"), world.engine.figures().await?.news), (vec![Subject::Held], 0));
        assert_eq!(world.checkout("o").await?.hold, held.hold);
        world.engine.release(&world.checkout("o").await?, "ann", "mended").await?;
        world.play(DAY).await?;
        assert_eq!(world.subjects("o"), [Subject::Held, Subject::Settled]);
        Ok(())
    })
}
