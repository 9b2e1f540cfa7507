//! The decisions of persons: named, kept, and told once.

mod world;

use checkout_engine::{
    Ask, Checkout, DecideError, EngineError, Lane, Next, Nudged, Provider, ReadMade, State, Store as _,
    StoreError, Subject, Write, Written,
};
use checkout_sandbox::{allscale, peach};
use checkout_tables::allscale::Route as OfAllScale;
use std::time::Duration;
use world::hooks::Hook;
use world::{Outcome, World, block_on, drafts};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const REFERENCE: &str = "order0001";

/// A checkout that is held, in a state.
async fn held(state: State) -> Outcome<World> {
    let world = World::new(1)?;
    let sandbox = &world.providers.allscale;
    if state == State::Unknown {
        sandbox.set_scenario(Some(allscale::Scenario::never_paid()));
        sandbox.inject_on(OfAllScale::Create, allscale::Fault::LostAnswer);
    } else if state == State::Unsettled {
        sandbox.next_intent(allscale::Scenario::underpaid());
    } else {
        sandbox.next_intent(allscale::Scenario::late_success());
    }
    world.engine.create("o", drafts::coin(REFERENCE)?).await?;
    world.play(DAY).await?;
    let checkout = world.checkout("o").await?;
    assert_eq!((checkout.state, checkout.hold.is_some()), (state, true));
    world.told.lock().map_err(|error| error.to_string())?.clear();
    Ok(world)
}

#[test]
fn a_late_payment_is_settled_by_a_release_and_told_once() -> Outcome {
    block_on(async {
        let world = held(State::Settled).await?;
        let released = world.engine.release(&world.checkout("o").await?, "ann", "shipped after all").await?;
        assert_eq!((released.state, &released.hold), (State::Settled, &None));
        let again = world.engine.release(&world.checkout("o").await?, "ann", "again").await;
        assert!(matches!(again, Err(DecideError::NotHeld(id)) if id == "o"));
        world.play(DAY).await?;
        assert_eq!(world.subjects("o"), [Subject::Settled]);
        let told = world.told.lock().map_err(|error| error.to_string())?.clone();
        let news: Vec<_> = told.iter().map(|news| (news.key.as_str(), news.reason.as_deref())).collect();
        assert_eq!(news, [("o/settled", Some("shipped after all"))]);
        Ok(())
    })
}

#[test]
fn a_person_settles_or_closes_and_the_name_and_the_reason_stay() -> Outcome {
    block_on(async {
        for state in [State::Unknown, State::Unsettled, State::Settled] {
            for act in ["settle", "close"] {
                let world = held(state).await?;
                let at = world.providers.clock.now();
                let (checkout, end, told) = match act {
                    "settle" => {
                        let checkout = world
                            .engine
                            .settle(&world.checkout("o").await?, "ann", "the bank says so")
                            .await?;
                        (checkout, State::Settled, vec![Subject::Settled])
                    }
                    _ => (
                        world.engine.close(&world.checkout("o").await?, "ann", "the bank says so").await?,
                        State::Closed,
                        vec![],
                    ),
                };
                assert_eq!((checkout.state, &checkout.hold), (end, &None));
                world.another()?.play(DAY * 40).await?;
                assert_eq!(world.checkout("o").await?.state, end, "{state} {act}");
                assert_eq!(world.subjects("o"), told, "{state} {act}");
                let decisions = world.engine.decisions("o").await?;
                let [one] = decisions.as_slice() else { return Err("one decision".into()) };
                let kept = (one.at, one.act.as_str(), one.by.as_str(), one.reason.as_str());
                assert_eq!(kept, (at, act, "ann", "the bank says so"));
            }
        }
        Ok(())
    })
}

#[test]
fn a_decision_that_cannot_be_made_says_why_and_changes_nothing() -> Outcome {
    block_on(async {
        let world = held(State::Unsettled).await?;
        let before = world.checkout("o").await?;
        for (by, reason, part) in
            [("", "r", "by"), (" \t", "r", "by"), ("ann", "", "reason"), ("ann", "\n", "reason")]
        {
            let error = world.engine.settle(&world.checkout("o").await?, by, reason).await;
            assert!(matches!(error, Err(DecideError::Empty(name)) if name == part));
        }
        let nobody =
            Checkout { id: "nobody".to_owned(), hold: Some("why".to_owned()), ..world.checkout("o").await? };
        let error = world.engine.close(&nobody, "ann", "r").await;
        assert!(matches!(error, Err(DecideError::Changed(id)) if id == "nobody"));
        assert_eq!(world.checkout("o").await?, before);
        assert!(world.engine.decisions("o").await?.is_empty());
        // Two persons at once: the one who is late has seen an old row.
        let seen = world.checkout("o").await?;
        let (one, two) =
            tokio::join!(world.engine.settle(&seen, "ann", "r"), world.engine.close(&seen, "bob", "r"));
        assert!(one.is_ok());
        assert!(matches!(two, Err(DecideError::NotHeld(_) | DecideError::Changed(_))));
        assert_eq!(world.engine.decisions("o").await?.len(), 1);
        Ok(())
    })
}

#[test]
fn a_decision_under_an_old_version_is_not_written() -> Outcome {
    block_on(async {
        let world = held(State::Unsettled).await?;
        let mut closed = world.checkout("o").await?;
        closed.state = State::Closed;
        world.engine.release(&world.checkout("o").await?, "ann", "r").await?;
        let decision = checkout_engine::Decision {
            checkout: &closed,
            work: false,
            news: Vec::new(),
            act: "close",
            by: "bob",
            reason: "r",
        };
        assert_eq!(world.store.decide(&decision).await?, Written::Lost);
        assert_eq!(world.checkout("o").await?.state, State::Unsettled);
        Ok(())
    })
}

/// Nobody knows then if the settlement was told, so nobody tells it a second time.
#[test]
fn notes_that_nobody_can_read_let_a_person_close_and_nothing_else() -> Outcome {
    block_on(async {
        let world = held(State::Settled).await?;
        world.engine.release(&world.checkout("o").await?, "ann", "shipped after all").await?;
        world.play(DAY).await?;
        assert_eq!(world.subjects("o"), [Subject::Settled]);
        let row = world.checkout("o").await?;
        let broken = Checkout { notes: "{".into(), hold: Some("looks odd".to_owned()), ..row };
        let (act, by, reason) = ("hold", "ann", "looks odd");
        let decision =
            checkout_engine::Decision { checkout: &broken, work: false, news: Vec::new(), act, by, reason };
        assert_eq!(world.store.decide(&decision).await?, Written::Done);
        let seen = world.checkout("o").await?;
        let corrupt = |error: &DecideError| {
            matches!(error, DecideError::Store(StoreError::Corrupt { field: "notes", .. }))
        };
        assert!(world.engine.settle(&seen, "ann", "r").await.is_err_and(|error| corrupt(&error)));
        assert!(world.engine.release(&seen, "ann", "r").await.is_err_and(|error| corrupt(&error)));
        assert_eq!(world.checkout("o").await?, seen);
        // Nor is a page shown that may be of another price.
        let again = world.engine.create("o", drafts::coin(REFERENCE)?).await;
        assert!(matches!(again, Err(EngineError::Store(StoreError::Corrupt { field: "notes", .. }))));
        let closed = world.engine.close(&seen, "ann", "given back").await?;
        assert_eq!((closed.state, closed.hold, closed.notes), (State::Closed, None, "{".into()));
        world.play(DAY).await?;
        assert_eq!(world.subjects("o"), [Subject::Settled]);
        Ok(())
    })
}

#[test]
fn a_worker_that_holds_the_lease_meanwhile_has_lost_the_lease() -> Outcome {
    block_on(async {
        let world = held(State::Unsettled).await?;
        assert!(matches!(world.engine.nudge("o").await?, Nudged::Queued { .. }));
        let lanes = [Lane::name_of(Provider::AllScale, "default")];
        let ask = Ask { lanes: &lanes, max: 1, lease: Duration::from_secs(30) };
        let claimed = world.store.claim(&ask).await?;
        let due = claimed.due.first().ok_or("nothing is due")?;
        world.engine.close(&world.checkout("o").await?, "ann", "given back").await?;
        let mut settled = due.checkout.clone();
        settled.state = State::Settled;
        let late = Write {
            checkout: Some(settled),
            next: Next::Ended { watch: due.watch.clone() },
            read: ReadMade::Answered,
            lane_wait: None,
            news: Vec::new(),
        };
        assert_eq!(world.store.write(&due.lease, &late).await?, Written::Lost);
        world.play(DAY).await?;
        assert_eq!(world.checkout("o").await?.state, State::Closed);
        Ok(())
    })
}

#[test]
fn an_event_that_a_person_has_not_seen_is_read_after_the_decision() -> Outcome {
    block_on(async {
        // Paid in part, then a person looks; the rest comes while the person decides.
        let world = World::new(1)?;
        let minute = Duration::from_secs(60);
        world.providers.peach.next_checkout(peach::Scenario::custom([
            (Duration::from_secs(5), "000.200.100"),
            (minute, "100.396.101"),
            (DAY * 3, peach::SUCCESS),
        ]));
        world.engine.create("o", drafts::peach(REFERENCE)?).await?;
        world.play(DAY * 2).await?;
        // A hold of an ended checkout.
        let mut hold = world.checkout("o").await?;
        hold.hold = Some("looks odd".to_owned());
        let decision = checkout_engine::Decision {
            checkout: &hold,
            work: false,
            news: Vec::new(),
            act: "hold",
            by: "ann",
            reason: "looks odd",
        };
        assert_eq!(world.store.decide(&decision).await?, Written::Done);
        world.providers.clock.advance(DAY * 2);
        let hooks = world.providers.peach.take_webhooks();
        let hook = hooks.last().cloned().ok_or("no webhook")?;
        let event = Hook::Peach(hook, "default").verified(world.providers.clock.now(), 0)?;
        assert!(matches!(event.receive(&world.engine).await?, Nudged::Queued { .. }));
        world.engine.close(&world.checkout("o").await?, "ann", "the payer is gone").await?;
        world.play(DAY).await?;
        assert_eq!(event.receive(&world.engine).await?, Nudged::Done);
        let checkout = world.checkout("o").await?;
        assert_eq!((checkout.state, checkout.hold.is_some()), (State::Settled, true));
        assert_eq!(world.subjects("o"), [Subject::Failed, Subject::Held]);
        Ok(())
    })
}
