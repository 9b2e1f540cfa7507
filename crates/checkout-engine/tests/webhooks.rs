//! Verified webhooks: each event ends in a read, once, and no event alone settles anything.

mod world;

use checkout_auth::allscale::SigningKey;
use checkout_client::allscale::Client;
use checkout_engine::{
    Ask, Checkout, DEFAULT_MERCHANT, DecideError, Decision, Machine, Nudge, Nudged, Rules, State, Store as _,
    StoreError, Subject, Target, Task, Written,
};
use checkout_sandbox::{allscale, peach};
use checkout_tables::{Environment, allscale::Route as OfAllScale, peach::Route as OfPeach};
use std::time::Duration;
use world::hooks::{Event, Hook};
use world::{Outcome, World, block_on, drafts};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const REFERENCE: &str = "order0001";

/// The webhooks that are due, verified.
fn events(world: &World) -> Outcome<Vec<Event>> {
    let providers = &world.providers;
    let now = providers.clock.now();
    let mut hooks: Vec<Hook> = providers.allscale.take_webhooks().into_iter().map(Hook::AllScale).collect();
    hooks.extend(providers.peach.take_webhooks().into_iter().map(|hook| Hook::Peach(hook, DEFAULT_MERCHANT)));
    hooks.iter().map(|hook| hook.verified(now, 0)).collect()
}

/// Lets time pass without an engine: nobody reads meanwhile.
fn nobody_works_for(world: &World, span: Duration) {
    world.providers.clock.advance(span);
}

async fn known(world: &World, event: &Event) -> Outcome<Nudged> {
    Ok(world.store.nudge(&Nudge { target: Target::Id("nobody"), event: event.keys() }).await?)
}

#[test]
fn an_event_is_queued_then_read_and_done_and_a_replay_changes_nothing() -> Outcome {
    block_on(async {
        for of_peach in [false, true] {
            let world = World::new(1)?;
            let draft = if of_peach { drafts::peach(REFERENCE)? } else { drafts::allscale(REFERENCE)? };
            world.engine.create("o", draft).await?;
            nobody_works_for(&world, 5 * MINUTE);
            let events = events(&world)?;
            let event = events.last().ok_or("no webhook")?;
            assert_eq!(event.receive(&world.engine).await?, Nudged::Queued { id: "o".to_owned() });
            // Another delivery, to another process.
            let other = world.another()?;
            assert_eq!(event.receive(&other.engine).await?, Nudged::Pending);
            assert_eq!(world.checkout("o").await?.state, State::Open);
            other.play(5 * MINUTE).await?;
            assert_eq!(known(&world, event).await?, Nudged::Done);
            let settled = world.checkout("o").await?;
            assert_eq!((settled.state, world.subjects("o")), (State::Settled, vec![Subject::Settled]));
            assert_eq!(event.receive(&world.engine).await?, Nudged::Done);
            world.play(DAY).await?;
            assert_eq!(world.checkout("o").await?, settled);
            assert_eq!(world.subjects("o"), [Subject::Settled]);
            assert_eq!(world.engine.counters().webhooks(), 1);
        }
        Ok(())
    })
}

#[test]
fn a_forged_event_is_no_event() -> Outcome {
    block_on(async {
        let world = World::new(1)?;
        world.engine.create("o", drafts::allscale(REFERENCE)?).await?;
        world.engine.create("p", drafts::peach("order0002")?).await?;
        nobody_works_for(&world, 5 * MINUTE);
        let now = world.providers.clock.now();
        let hooks = world.providers.allscale.take_webhooks();
        let hook = hooks.first().ok_or("no webhook")?;
        let mut headers = hook.signed_at(now, 0);
        assert!(world::hooks::allscale_event(&headers, &hook.body, now).is_ok());
        if let Some((_, signature)) = headers.last_mut() {
            *signature = signature.replace(['a', 'b', 'c', 'd'], "0");
        }
        assert!(world::hooks::allscale_event(&headers, &hook.body, now).is_err());
        let hooks = world.providers.peach.take_webhooks();
        let hook = hooks.first().ok_or("no webhook")?;
        let forged = String::from_utf8(hook.body.to_vec())?.replace("14.99", "0.01");
        assert!(world::hooks::peach_event(&hook.body, now).is_ok());
        assert!(world::hooks::peach_event(forged.as_bytes(), now).is_err());
        Ok(())
    })
}

#[test]
fn an_event_for_a_create_whose_answer_is_lost_adopts_the_intent_by_the_order_id() -> Outcome {
    block_on(async {
        for coin in [false, true] {
            let world = World::new(1)?;
            world.providers.allscale.inject_on(OfAllScale::Create, allscale::Fault::LostAnswer);
            let draft = if coin { drafts::coin(REFERENCE)? } else { drafts::allscale(REFERENCE)? };
            let unknown = world.engine.create("o", draft).await?;
            assert_eq!((unknown.state, unknown.checkout_id), (State::Unknown, None));
            nobody_works_for(&world, 2 * MINUTE);
            let events = events(&world)?;
            let event = events.last().ok_or("no webhook")?;
            assert!(matches!(event.receive(&world.engine).await?, Nudged::Queued { .. }));
            world.another()?.play(DAY).await?;
            let checkout = world.checkout("o").await?;
            let intents = world.providers.allscale.intents();
            assert_eq!(intents.len(), 1);
            assert_eq!(checkout.checkout_id.as_deref(), intents.first().map(|intent| intent.id.as_str()));
            match coin {
                // The amount owed in a currency was in the answer.
                false => {
                    assert_eq!((checkout.state, checkout.hold.is_some()), (State::Unsettled, true));
                    assert_eq!(world.subjects("o"), [Subject::Held]);
                }
                true => {
                    assert_eq!((checkout.state, checkout.hold), (State::Settled, None));
                    assert_eq!(world.subjects("o"), [Subject::Settled]);
                }
            }
            assert_eq!(known(&world, event).await?, Nudged::Done);
        }
        Ok(())
    })
}

/// The first process that claims the work has no client, or the wrong one, or comes after six that died.
#[test]
fn an_event_that_names_the_checkout_of_a_lost_answer_is_not_forgotten_while_the_work_is_held() -> Outcome {
    block_on(async {
        for trouble in ["no client", "another environment", "six deaths", "notes that nobody can read"] {
            let world = World::new(1)?;
            world.providers.allscale.inject_on(OfAllScale::Create, allscale::Fault::LostAnswer);
            world.engine.create("o", drafts::coin(REFERENCE)?).await?;
            nobody_works_for(&world, 2 * MINUTE);
            let events = events(&world)?;
            let event = events.last().ok_or("no webhook")?;
            assert!(matches!(event.receive(&world.engine).await?, Nudged::Queued { .. }));
            let lanes = ["allscale/default".to_owned()];
            let ask = Ask { lanes: &lanes, max: 1, lease: MINUTE };
            let mut claimed = world.store.claim(&ask).await?;
            for _ in 0..if trouble == "six deaths" { 6 } else { 0 } {
                nobody_works_for(&world, MINUTE);
                claimed = world.store.claim(&ask).await?;
            }
            let mut due = claimed.due.pop().ok_or("nothing is due")?;
            let (lease, own) = (due.lease.clone(), world.engine.machine());
            let mut stranger = Machine::new(Rules::default());
            if trouble == "another environment" {
                let key = SigningKey::new(allscale::API_KEY, allscale::API_SECRET.into())?;
                let live = Client::builder(key).environment(Environment::Live).build()?;
                stranger.add(DEFAULT_MERCHANT, live);
            }
            let is_stranger = ["no client", "another environment"].contains(&trouble);
            let machine = if is_stranger { &stranger } else { own };
            let unreadable = trouble == "notes that nobody can read";
            if unreadable {
                due.checkout.notes = "{".into();
            }
            let Task::Write(write) = machine.next(due, claimed.now) else { return Err("no write".into()) };
            assert!(world.store.write(&lease, &write).await? == Written::Done);
            let intents = world.providers.allscale.intents();
            let row = world.checkout("o").await?;
            let named = intents.first().map(|intent| intent.id.as_str());
            assert_eq!((row.checkout_id.as_deref(), row.state), (named, State::Open), "{trouble}");
            assert_eq!(unreadable, row.notes.as_str() == "{", "{trouble}");
            if unreadable {
                let refused = world.engine.release(&row, "ann", "looked").await;
                let corrupt = DecideError::Store(StoreError::Corrupt { id: "o".into(), field: "notes" });
                assert_eq!(refused.map_err(|error| error.to_string()), Err(corrupt.to_string()));
                // A person mends the row by hand.
                let mended = Checkout { notes: "{}".into(), ..row.clone() };
                let (act, by, reason) = ("mend", "ann", "empty");
                let mend = Decision { checkout: &mended, work: false, news: Vec::new(), act, by, reason };
                assert!(world.store.decide(&mend).await? == Written::Done);
            }
            if row.hold.is_some() {
                world.engine.release(&world.checkout("o").await?, "ann", "mended").await?;
            }
            world.another()?.play(DAY).await?;
            let checkout = world.checkout("o").await?;
            // Without notes nobody knows the price.
            let end = if unreadable { State::Unsettled } else { State::Settled };
            assert_eq!((checkout.state, checkout.hold.is_some()), (end, unreadable), "{trouble}");
            assert_eq!(known(&world, event).await?, Nudged::Done, "{trouble}");
        }
        Ok(())
    })
}

#[test]
fn an_event_of_no_checkout_is_unmatched_and_counted() -> Outcome {
    block_on(async {
        let world = World::new(1)?;
        world.engine.create("o", drafts::allscale(REFERENCE)?).await?;
        nobody_works_for(&world, 2 * MINUTE);
        let events = events(&world)?;
        let event = events.last().ok_or("no webhook")?;
        let Event::AllScale(verified) = event else { return Err("of AllScale".into()) };
        // Another merchant's lane has no such checkout.
        assert_eq!(world.engine.receive("v2", verified).await?, Nudged::Unmatched);
        assert_eq!(world.engine.figures().await?.unmatched, 1);
        assert!(matches!(event.receive(&world.engine).await?, Nudged::Queued { .. }));
        Ok(())
    })
}

/// A scenario of Peach that fails after a minute, and is paid long after the last late read.
fn late_by(days: u32) -> peach::Scenario {
    peach::Scenario::custom([
        (Duration::from_secs(5), "000.200.100"),
        (MINUTE, "100.396.101"),
        (DAY * days, peach::SUCCESS),
    ])
}

#[test]
fn a_payment_after_the_last_late_read_is_held_and_settled_once_it_is_released() -> Outcome {
    block_on(async {
        let world = World::new(1)?;
        world.providers.peach.next_checkout(late_by(20));
        world.engine.create("o", drafts::peach(REFERENCE)?).await?;
        world.play(DAY * 19).await?;
        assert_eq!(world.subjects("o"), [Subject::Failed]);
        drop(events(&world)?);
        world.play(DAY * 2).await?;
        assert_eq!(world.subjects("o"), [Subject::Failed]);
        let events = events(&world)?;
        let event = events.last().ok_or("no webhook")?;
        assert!(matches!(event.receive(&world.engine).await?, Nudged::Queued { .. }));
        world.play(DAY).await?;
        let checkout = world.checkout("o").await?;
        assert_eq!((checkout.state, checkout.hold.is_some()), (State::Settled, true));
        assert_eq!(world.subjects("o"), [Subject::Failed, Subject::Held]);
        assert_eq!(known(&world, event).await?, Nudged::Done);
        world.engine.release(&world.checkout("o").await?, "ann", "shipped after all").await?;
        world.play(DAY).await?;
        assert_eq!(world.subjects("o"), [Subject::Failed, Subject::Held, Subject::Settled]);
        Ok(())
    })
}

#[test]
fn a_late_payment_is_found_though_the_provider_is_down_for_three_days_when_the_event_comes() -> Outcome {
    block_on(async {
        let world = World::new(1)?;
        world.providers.peach.next_checkout(late_by(20));
        world.engine.create("o", drafts::peach(REFERENCE)?).await?;
        world.play(DAY * 21).await?;
        let events = events(&world)?;
        let event = events.last().ok_or("no webhook")?;
        assert!(matches!(event.receive(&world.engine).await?, Nudged::Queued { .. }));
        for _ in 0..10_000 {
            world.providers.peach.inject_on(OfPeach::Status, peach::Fault::InternalError);
        }
        world.play(DAY * 3).await?;
        assert_eq!(world.subjects("o"), [Subject::Failed]);
        // The sandbox has no way to mend: each request takes a fault from the queue.
        while world.providers.peach.faults_waiting() > 0 {
            let (head, body) = (
                checkout_transport::http::Request::get("https://testsecure.peachpayments.com/status"),
                checkout_transport::bytes::Bytes::new(),
            );
            drop(world.providers.peach.exchange(head.body(body)?, None));
        }
        world.play(DAY * 3).await?;
        assert_eq!(world.subjects("o"), [Subject::Failed, Subject::Held]);
        assert_eq!(known(&world, event).await?, Nudged::Done);
        Ok(())
    })
}

#[test]
fn an_event_whose_read_is_never_answered_ends_with_a_person() -> Outcome {
    block_on(async {
        for fault in [peach::Fault::InternalError, peach::Fault::EmptyUnauthorized, peach::Fault::LostAnswer]
        {
            let world = World::new(1)?;
            world.providers.peach.next_checkout(late_by(20));
            world.engine.create("o", drafts::peach(REFERENCE)?).await?;
            world.play(DAY * 21).await?;
            let events = events(&world)?;
            let event = events.last().ok_or("no webhook")?;
            assert!(matches!(event.receive(&world.engine).await?, Nudged::Queued { .. }));
            for _ in 0..10_000 {
                world.providers.peach.inject_on(OfPeach::Status, fault.clone());
            }
            world.play(DAY * 60).await?;
            let checkout = world.checkout("o").await?;
            assert_eq!((checkout.state, checkout.hold.is_some()), (State::Failed, true), "{fault:?}");
            assert_eq!(world.subjects("o"), [Subject::Failed, Subject::Held]);
            assert_eq!(world.engine.figures().await?.work, 0);
        }
        Ok(())
    })
}

#[test]
fn a_settled_order_stays_settled_when_an_event_comes_and_the_provider_refuses_the_read() -> Outcome {
    block_on(async {
        for fault in [peach::Fault::EmptyUnauthorized, peach::Fault::Refused("200.300.404".to_owned())] {
            let world = World::new(1)?;
            world.engine.create("o", drafts::peach(REFERENCE)?).await?;
            world.play(DAY).await?;
            assert_eq!(world.subjects("o"), [Subject::Settled]);
            let events = events(&world)?;
            let event = events.last().ok_or("no webhook")?;
            assert!(matches!(event.receive(&world.engine).await?, Nudged::Queued { .. }));
            for _ in 0..10_000 {
                world.providers.peach.inject_on(OfPeach::Status, fault.clone());
            }
            world.play(DAY * 60).await?;
            assert_eq!(world.checkout("o").await?.state, State::Settled);
            assert_eq!(world.subjects("o").first(), Some(&Subject::Settled));
        }
        Ok(())
    })
}

/// Ends a checkout of AllScale in each way, and then pays it: the event is the only sign of the payment.
#[test]
fn a_payment_after_an_end_is_held_whatever_the_end_was() -> Outcome {
    block_on(async {
        for end in ["failed", "gave_up", "closed", "closed_unknown", "closed_unsettled"] {
            let world = World::new(1)?;
            let sandbox = &world.providers.allscale;
            let late = Duration::from_secs(60 * 60 * 24 * 45);
            let steps: Vec<(Duration, i64)> = match end {
                "failed" => vec![(MINUTE, -5), (late, 10), (MINUTE, 20)],
                "closed_unsettled" => vec![(MINUTE, 10), (MINUTE, -3), (late, 10), (MINUTE, 20)],
                _ => vec![(Duration::from_secs(5), 2), (late, 10), (MINUTE, 20)],
            };
            sandbox.next_intent(allscale::Scenario::custom(steps));
            match end {
                "closed" => sandbox.inject_on(OfAllScale::Create, allscale::Fault::TamperedAmount),
                "closed_unknown" => sandbox.inject_on(OfAllScale::Create, allscale::Fault::LostAnswer),
                _ => {}
            }
            world.engine.create("o", drafts::coin(REFERENCE)?).await?;
            world.play(DAY * 40).await?;
            if end.starts_with("closed") {
                world.engine.close(&world.checkout("o").await?, "ann", "the payer is gone").await?;
            }
            let before = world.subjects("o");
            world.play(DAY * 7).await?;
            let state = world.checkout("o").await?.state;
            assert!(state.is_end(), "{end}: {state}");
            let events = events(&world)?;
            let event = events.last().ok_or("no webhook")?;
            assert!(matches!(event.receive(&world.engine).await?, Nudged::Queued { .. }));
            world.play(DAY * 7).await?;
            let checkout = world.checkout("o").await?;
            assert!(checkout.hold.is_some(), "{end}: {checkout:?} {:?}", world.subjects("o"));
            let told = world.subjects("o");
            assert_eq!(told.get(before.len()..), Some(&[Subject::Held][..]), "{end}: {told:?}");
            assert_eq!(known(&world, event).await?, Nudged::Done, "{end}");
        }
        Ok(())
    })
}
