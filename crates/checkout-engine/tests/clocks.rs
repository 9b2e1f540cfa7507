//! Somebody sets the store's clock while processes work.

mod world;

use checkout_engine::{Engine, EngineError, Memory, Store as _};
use checkout_lifecycle::Moment;
use checkout_sandbox::peach;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use world::clocks::{BACK, BOTH, Disturbed, FORWARD, Settable, Steps};
use world::{Outcome, Providers, block_on, drafts};

fn play(steps: &Steps) -> Outcome {
    block_on(async {
        let providers = Providers::new(1);
        let clock = Settable::of(&providers.clock);
        let of_store = clock.clone();
        let store = Arc::new(Memory::with_clock(move || of_store.now()));
        steps.play(async || Ok(Arc::clone(&store)), &clock, &providers, async || Ok(())).await
    })
}

#[test]
fn a_clock_that_is_set_forward_exceeds_no_limit_and_the_reads_go_on_after_a_lease_and_a_span() -> Outcome {
    play(&FORWARD)
}

#[test]
fn a_clock_that_is_set_back_exceeds_no_limit_and_the_reads_go_on_when_it_has_caught_up() -> Outcome {
    play(&BACK)
}

#[test]
fn a_clock_that_is_set_forward_and_back_exceeds_no_limit() -> Outcome {
    play(&BOTH)
}

#[test]
fn work_that_was_claimed_by_a_clock_set_forward_is_given_back_unbegun_and_somebody_hears_of_it() -> Outcome {
    block_on(async {
        let providers = Providers::new(1);
        let clock = Settable::of(&providers.clock);
        let of_store = clock.clone();
        let store = Arc::new(Memory::with_clock(move || of_store.now()));
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let hears = Arc::clone(&heard);
        let secret = checkout_auth::peach::SecretToken::new(peach::SECRET_TOKEN.into())?;
        let client = checkout_client::peach::Client::builder(peach::ENTITY_ID, secret)
            .environment(checkout_tables::Environment::Sandbox)
            .referer(peach::REFERER)
            .clock(|| Moment::from_unix_millis(0))
            .build()?;
        let engine = Engine::builder(Disturbed::over(Arc::clone(&store), &clock.world), providers.clone())
            .provider(client)
            .on_error(move |error| {
                if let (EngineError::ClockSet { .. }, Ok(mut heard)) = (error, hears.lock()) {
                    heard.push(error.to_string());
                }
            })
            .build()?;
        let step = async || engine.step(|_| std::future::ready(Ok(()))).await;
        engine.create("o", drafts::peach("order0001")?).await?;
        step().await?;
        clock.set(600);
        let before = providers.peach.requests().len();
        // The rest of a lease of 30 s and of a span of 61 s, although the read is due.
        for _ in 0..91 {
            assert!(step().await? > Duration::ZERO);
            let figures = engine.figures().await?;
            assert_eq!((figures.work, figures.leased, figures.limit_used), (1, 0, Some(0)));
            clock.world.advance(Duration::from_secs(1));
        }
        assert_eq!(providers.peach.requests().len(), before);
        step().await?;
        assert_eq!(providers.peach.requests().len(), before + 1);
        let heard = heard.lock().map_err(|error| error.to_string())?;
        let expected = "the store's clock was set forward by 600s: nothing is read under a limit for 91s";
        assert_eq!(*heard, [expected]);
        Ok(())
    })
}

#[test]
fn a_store_on_the_machines_clock_does_not_ask_that_clock_for_the_steady_time() {
    let (at, since) = (Moment::from_unix_millis(0), Instant::now());
    let an_hour = Duration::from_secs(60 * 60);
    assert!(Memory::new().later(at, since).saturating_since(at) > an_hour);
    assert!(Memory::new().steady(at, since).saturating_since(at) < an_hour);
}
