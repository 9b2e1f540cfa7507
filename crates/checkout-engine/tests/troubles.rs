//! Troubles that are not the checkout's: no token, no client, a refused key, a wait without end, a shop that
//! does not come back. None of them loses a checkout or a person's sight of one.

mod world;

use checkout_engine::{
    Checkout, Due, EngineError, Lease, Machine, New, Next, Provider, Rules, State, Store, Subject, Task,
    Write, person,
};
use checkout_money::Cents;
use checkout_sandbox::{allscale, peach};
use checkout_tables::Environment;
use checkout_tables::allscale::{Currency, Route};
use checkout_tables::peach::Route as PeachRoute;
use checkout_transport::bytes::Bytes;
use checkout_transport::http;
use std::time::Duration;
use world::{Outcome, World, block_on, drafts};

const HOUR: Duration = Duration::from_secs(60 * 60);
const REFERENCE: &str = "order0001";

#[test]
fn reads_of_peach_v2_without_a_token_end_with_a_person_and_go_on_after_the_release() -> Outcome {
    block_on(async {
        let world = World::new(1)?;
        world.engine.create_for("v2", "o", drafts::peach(REFERENCE)?).await?;
        // Another process has no token yet, and is given none for an hour, at three questions a minute.
        let another = world.another()?;
        for _ in 0..185 {
            world.providers.v2.inject_on(PeachRoute::Token, peach::Fault::EmptyUnauthorized);
        }
        another.play(HOUR * 3).await?;
        let held = world.checkout("o").await?;
        assert!(held.hold.as_deref().is_some_and(|hold| hold.contains("token")), "{held:?}");
        assert_eq!(world.subjects("o"), [Subject::Held]);
        person::release(&world.store, &held, "ann", "the secret is mended").await?;
        world.play(HOUR).await?;
        assert_eq!(world.subjects("o"), [Subject::Held, Subject::Settled]);
        Ok(())
    })
}

#[test]
fn a_checkout_given_up_for_a_refused_key_is_read_again_after_the_release() -> Outcome {
    block_on(async {
        let world = World::new(1)?;
        world.engine.create("o", drafts::allscale(REFERENCE)?).await?;
        for _ in 0..3 {
            world.providers.allscale.inject_on(Route::Status, allscale::Fault::UnknownErrorCode(40_199));
        }
        world.play(HOUR).await?;
        let held = world.checkout("o").await?;
        assert_eq!((held.state, held.hold.is_some()), (State::GaveUp, true));
        let released = world.engine.release(&held, "ann", "the key is mended").await?;
        assert_eq!(released.state, State::Open);
        world.play(HOUR * 24).await?;
        let settled = world.checkout("o").await?;
        assert_eq!((settled.state, settled.hold), (State::Settled, None));
        assert_eq!(world.subjects("o"), [Subject::Held, Subject::Settled]);
        Ok(())
    })
}

#[test]
fn a_released_checkout_of_peach_v1_is_read_again_by_its_reference() -> Outcome {
    block_on(async {
        for state in [State::Failed, State::Unsettled] {
            let world = World::new(1)?;
            let now = world.store.now().await?;
            let row = world.engine.machine().prepare("default", "o", &drafts::peach(REFERENCE)?, now)?;
            let row = Checkout { state, hold: Some("why".to_owned()), ..row };
            let new = New { checkout: &row, watch: "", lease: Duration::ZERO };
            world.store.insert(&new).await?;
            assert_eq!((row.provider, &row.checkout_id), (Provider::Peach, &None));
            let held = world.checkout("o").await?;
            person::release(&world.store, &held, "ann", "looked").await?;
            assert_eq!(world.engine.figures().await?.work, 1, "{state}");
        }
        Ok(())
    })
}

#[test]
fn a_further_reason_to_hold_is_told_and_an_older_sight_decides_nothing() -> Outcome {
    block_on(async {
        let world = World::new(1)?;
        world.providers.allscale.next_intent(allscale::Scenario::underpaid());
        world.engine.create("o", drafts::allscale(REFERENCE)?).await?;
        world.play(HOUR).await?;
        let seen = world.checkout("o").await?;
        let first = seen.hold.clone().ok_or("not held")?;
        // An event names another checkout of the reference, after the person has looked.
        let target = checkout_engine::Target::Named {
            lane: "allscale/default",
            checkout_id: Some("65b2f3d0d2d9c0a1b2c3d4e5"),
            reference: Some(REFERENCE),
        };
        world.store.nudge(&checkout_engine::Nudge { target, event: &[] }).await?;
        world.play(HOUR).await?;
        let now = world.checkout("o").await?.hold.ok_or("not held")?;
        assert!(now.starts_with(&first) && now.contains("65b2f3d0d2d9c0a1b2c3d4e5"), "{now}");
        assert_eq!(world.subjects("o"), [Subject::Held, Subject::Held]);
        let late = world.engine.close(&seen, "ann", "given back").await;
        assert!(matches!(late, Err(checkout_engine::DecideError::Changed(id)) if id == "o"));
        Ok(())
    })
}

#[test]
fn another_price_under_the_same_id_is_another_checkout() -> Outcome {
    block_on(async {
        let dearer = checkout_validate::allscale::Draft::fiat(Currency::EUR, Cents::new(90_00));
        let dearer = dearer.order_id(REFERENCE).check()?;
        // While the create is not done, and when it is.
        for lost in [true, false] {
            let world = World::new(1)?;
            if lost {
                world.providers.allscale.inject_on(Route::Create, allscale::Fault::LostAnswer);
            }
            world.engine.create("o", drafts::allscale(REFERENCE)?).await?;
            let other = world.engine.create("o", dearer.clone()).await;
            assert!(matches!(other, Err(EngineError::OtherCheckout { id }) if id == "o"), "lost: {lost}");
            let same = world.engine.create("o", drafts::allscale(REFERENCE)?).await?;
            assert_eq!(same.page.is_some(), !lost);
        }
        Ok(())
    })
}

#[test]
fn a_held_checkout_shows_its_payer_no_page() -> Outcome {
    block_on(async {
        let world = World::new(1)?;
        // The answer says another settlement coin than the draft: a person looks before anybody pays.
        let draft = checkout_validate::allscale::Draft::fiat(Currency::EUR, Cents::new(49_90));
        let draft =
            draft.order_id(REFERENCE).accept([checkout_tables::allscale::StableCoin::USDT]).check()?;
        world.providers.allscale.inject_on(Route::Create, allscale::Fault::SettledIn(2));
        let created = world.engine.create("o", draft).await?;
        assert!(created.hold.is_some() && created.page.is_none(), "{created:?}");
        // The page is kept for the time after the release.
        let released = world.engine.release(&world.checkout("o").await?, "ann", "looked").await?;
        assert!(released.page.is_some());
        Ok(())
    })
}

/// Work of Peach's, leased, with a row that was just prepared.
fn due(machine: &Machine, at: checkout_lifecycle::Moment) -> Outcome<Due> {
    let checkout = machine.prepare("default", "o", &drafts::peach(REFERENCE)?, at)?;
    let lease = Lease { id: "o".to_owned(), fence: 1, nudges: 0 };
    Ok(Due {
        lease,
        checkout,
        watch: String::new(),
        nudged: false,
        named: None,
        tries: 1,
        late: Duration::ZERO,
    })
}

fn written(task: Task) -> Outcome<Write> {
    match task {
        Task::Write(write) => Ok(*write),
        Task::Send(_) | Task::Save(_) => Err("no write".into()),
    }
}

#[test]
fn work_without_a_client_is_left_to_others_for_an_hour() -> Outcome {
    let world = World::new(1)?;
    let began = world.providers.clock.now();
    // Peach's V2 shares the lane of the V1 client, which is all that this process has.
    let mut due = due(world.engine.machine(), began)?;
    due.checkout.provider = Provider::PeachV2;
    let stranger = Machine::new(Rules::default());
    let first = written(stranger.next(due.clone(), began))?;
    assert!(matches!(first.next, Next::Due { after, .. } if !after.is_zero()), "{first:?}");
    due.checkout = first.checkout.ok_or("the trouble is not noted")?;
    assert_eq!(due.checkout.hold, None);
    let last = written(stranger.next(due, began.saturating_add(HOUR)))?;
    assert!(last.checkout.is_some_and(|checkout| checkout.hold.is_some()));
    Ok(())
}

#[test]
fn no_answer_makes_a_lane_wait_for_more_than_a_minute() -> Outcome {
    let world = World::new(1)?;
    let began = world.providers.clock.now();
    let machine = world.engine.machine();
    let mut due = due(machine, began)?;
    // The process that sent the create is gone: Peach's V1 looks the checkout up.
    let unknown = written(machine.next(due.clone(), began))?;
    due.checkout = unknown.checkout.ok_or("the state is as it was")?;
    assert_eq!(due.checkout.state, State::Unknown);
    let later = began.saturating_add(Duration::from_secs(30));
    let Task::Send(exchange) = machine.next(due, later) else { return Err("no lookup".into()) };
    let (_, then) = exchange.into_parts();
    let response = http::Response::builder().status(429).header("retry-after", "31536000");
    let body = Bytes::from_static(br#"{"errorCode":"429","message":"Too many requests"}"#);
    let limited = written(then(Ok(response.body(body)?), later))?;
    let wait = limited.lane_wait.ok_or("the answer is not taken for a limit")?;
    assert!(wait <= Duration::from_secs(60), "{wait:?}");
    Ok(())
}

#[test]
fn a_shops_function_that_does_not_come_back_ends_with_the_lease_of_the_news() -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    runtime.block_on(async {
        let world = World::new(1)?;
        world.engine.create("o", drafts::azotte(REFERENCE)?).await?;
        // The shop hangs at every news, and the engine goes on.
        for _ in 0..1_000 {
            let wait = world.engine.step(|_| std::future::pending()).await?;
            world.providers.clock.advance(wait);
            if world.engine.counters().not_told() > 0 {
                break;
            }
        }
        assert!(world.engine.counters().not_told() > 0, "no news was given up");
        assert_eq!(world.engine.figures().await?.news, 1, "the news waits to be told again");
        world.providers.clock.advance(HOUR);
        world.play(HOUR).await?;
        assert_eq!(world.subjects("o"), [Subject::Settled]);
        Ok(())
    })
}

/// The clients of the world are of the sandbox: the machine holds work of another environment.
#[test]
fn a_checkout_of_another_environment_is_held() -> Outcome {
    let world = World::new(1)?;
    let began = world.providers.clock.now();
    let mut due = due(world.engine.machine(), began)?;
    due.checkout.environment = Environment::Live;
    let write = written(world.engine.machine().next(due, began))?;
    assert!(write.checkout.is_some_and(|checkout| checkout.hold.is_some()));
    Ok(())
}
