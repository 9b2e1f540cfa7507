//! A watch as one line of text.

use crate::world::{Form, LONG, end_line, lines, nonces, of_allscale, of_azotte, phases};
use checkout_client::{Change, End, ParseWatchError, Watch, Watchable};
use checkout_sandbox::{VirtualClock, allscale, azotte};
use checkout_transport::{BlockingTransport, Transport};
use proptest::prelude::*;
use std::time::Duration;

/// Stores the watch after every change and goes on in another watch, as another process would. Returns the
/// phases, the end, and true if no read came too soon.
fn check<E: Watchable, S>(
    (sandbox, mut watch): (S, Watch<E>),
    clock: &VirtualClock,
    anew: impl Fn() -> Watch<E>,
) -> (Vec<String>, String)
where
    S: Transport + BlockingTransport,
{
    let mut changes = Vec::new();
    loop {
        let change = watch.next_change_blocking(&sandbox, |wait| clock.advance(wait));
        let stored = watch.stored();
        assert!(!stored.contains('\n') && stored.len() < 160, "{stored}");
        if let Change::End(end) = &change {
            let end = end_line(end);
            changes.push(change);
            return (phases(&changes), end);
        }
        changes.push(change);
        // The changes that are left are taken before the watch goes.
        while let Some(change) = watch.take_change() {
            changes.push(change);
        }
        watch = anew().restore_from(&stored).unwrap();
        assert_eq!(watch.stored(), stored);
    }
}

#[test]
fn a_watch_that_is_stored_after_every_change_comes_to_the_same_end() {
    for scenario in
        [allscale::Scenario::happy(), allscale::Scenario::underpaid(), allscale::Scenario::regression()]
    {
        let (sandbox, mut watch) = of_allscale::watched(scenario.clone());
        let clock = sandbox.clock().clone();
        let whole = Form::Blocking.changes(&mut watch, &sandbox, &clock);
        let (sandbox, watch) = of_allscale::watched(scenario);
        let (clock, id, here) = (sandbox.clock().clone(), sandbox.intents()[0].id.clone(), sandbox.clone());
        // Nonces that no attempt of the store had before.
        let client = {
            let (clock, nonces) = (clock.clone(), nonces());
            let nonces = move || format!("other-{}", checkout_client::NonceSource::nonce(&nonces));
            let builder = checkout_client::allscale::Client::builder(of_allscale::key());
            builder.clock(move || clock.now()).nonces(nonces).build().unwrap()
        };
        let parts = check((sandbox, watch), &clock, || client.watch(&id).unwrap());
        assert_eq!(parts.0, phases(&whole));
        assert_eq!(parts.1, lines(&whole).pop().unwrap());
        let times: Vec<_> = here.requests().iter().skip(1).map(allscale::RecordedRequest::at).collect();
        assert!(
            times.windows(2).all(|pair| pair[1].saturating_since(pair[0]) >= Duration::from_secs(1)),
            "{times:?}"
        );
    }
    for scenario in [azotte::Scenario::three_ds_twice(), azotte::Scenario::unknown_code()] {
        let (sandbox, mut watch) = of_azotte::watched(scenario.clone());
        let clock = sandbox.clock().clone();
        let whole = Form::Blocking.changes(&mut watch, &sandbox, &clock);
        let (sandbox, watch) = of_azotte::watched(scenario);
        let (clock, client) = (sandbox.clock().clone(), of_azotte::client(&sandbox));
        let number = sandbox.checkouts()[0].tracking_number.clone();
        let parts = check((sandbox, watch), &clock, || client.watch(&number).unwrap());
        assert_eq!(parts.0, phases(&whole));
        assert_eq!(parts.1, lines(&whole).pop().unwrap());
    }
}

#[test]
fn a_watch_that_gave_up_is_kept_for_a_day_and_resumed() {
    let (sandbox, mut watch) = of_allscale::watched(allscale::Scenario::timeout());
    let clock = sandbox.clock().clone();
    let id = sandbox.intents()[0].id.clone();
    let end = watch.end_blocking(&sandbox, |wait| clock.advance(wait));
    assert_eq!(end_line(&end), "gave up at awaiting payer: Deadline");
    let stored = watch.stored();
    drop(watch);
    clock.advance(std::time::Duration::from_secs(24 * 3_600));

    let clock_of_client = clock.clone();
    let builder = checkout_client::allscale::Client::builder(of_allscale::key());
    let client =
        builder.clock(move || clock_of_client.now()).nonces(|| "another".to_owned()).build().unwrap();
    let mut watch = client.watch(&id).unwrap().restore_from(&stored).unwrap();
    let asked = sandbox.requests().len();
    // The watch is still given up, and sends nothing.
    let end = watch.end_blocking(&sandbox, |wait| clock.advance(wait));
    assert_eq!(end_line(&end), "gave up at awaiting payer: Deadline");
    assert_eq!(sandbox.requests().len(), asked);
    watch.resume(LONG);
    // A nonce is good for one request.
    let change = watch.next_change_blocking(&sandbox, |wait| clock.advance(wait));
    let Change::Phase { before: Some(_), .. } = change else { panic!("{change:?}") };
    assert!(watch.stored().starts_with("v1 -; v1 TIMEOUT - "));
}

#[test]
fn a_watch_stored_at_its_end_reads_once_more_and_ends_once_more() {
    let (sandbox, mut watch) = of_azotte::watched(azotte::Scenario::happy());
    let clock = sandbox.clock().clone();
    let client = of_azotte::client(&sandbox);
    let number = sandbox.checkouts()[0].tracking_number.clone();
    let end = watch.end_blocking(&sandbox, |wait| clock.advance(wait));
    assert_eq!(end_line(&end), "ended: succeeded");
    let asked = sandbox.requests().len();
    let mut watch = client.watch(&number).unwrap().restore_from(&watch.stored()).unwrap();
    let changes = Form::Blocking.changes(&mut watch, &sandbox, &clock);
    assert_eq!(lines(&changes), ["ended: succeeded"]);
    assert!(matches!(changes[0], Change::End(End::Ended { .. })));
    assert_eq!(sandbox.requests().len(), asked + 1);
}

#[test]
fn builder_calls_after_a_restore_keep_the_restored_state() {
    let (sandbox, mut watch) = of_azotte::watched(azotte::Scenario::never_ends());
    let clock = sandbox.clock().clone();
    let _ = watch.end_blocking(&sandbox, |wait| clock.advance(wait));
    let stored = watch.stored();
    let client = of_azotte::client(&sandbox);
    let watch = client.watch("trk_1").unwrap().restore_from(&stored).unwrap();
    let began = watch.now();
    let watch = watch.policy(checkout_client::PollPolicy::azotte()).seed(7).started_at(began);
    assert_eq!(watch.stored(), stored);
}

#[test]
fn a_restore_replaces_the_earlier_state_of_a_watch() {
    let (sandbox, mut watch) = of_azotte::watched(azotte::Scenario::happy());
    let clock = sandbox.clock().clone();
    let client = of_azotte::client(&sandbox);
    let number = sandbox.checkouts()[0].tracking_number.clone();
    // The watch has the evidence, and the end is not taken yet.
    while watch.phase() != Some(checkout_lifecycle::Phase::Succeeded) {
        let _ = watch.next_change_blocking(&sandbox, |wait| clock.advance(wait));
    }
    let mut other = client.watch(&number).unwrap();
    let _ = other.end_blocking(&sandbox, |wait| clock.advance(wait));
    let asked = sandbox.requests().len();
    let mut watch = watch.restore_from(&other.stored()).unwrap();
    let end = watch.end_blocking(&sandbox, |wait| clock.advance(wait));
    assert_eq!(end_line(&end), "ended: succeeded");
    assert_eq!(sandbox.requests().len(), asked + 1);
}

#[test]
fn the_first_read_after_a_restart_reports_the_challenge_again() {
    let scenario = azotte::Scenario::three_ds_at_once().browser_never_returns();
    let (sandbox, watch) = of_azotte::watched(scenario);
    let clock = sandbox.clock().clone();
    let policy = checkout_client::PollPolicy::azotte().challenge_interval(None);
    let (mut watch, client) = (watch.policy(policy), of_azotte::client(&sandbox));
    let told = |watch: &mut Watch<_>| {
        let change = watch.next_change_blocking(&sandbox, |wait| clock.advance(wait));
        crate::world::line(&change)
    };
    assert_eq!([told(&mut watch), told(&mut watch)], ["payer action", "? page"]);
    let fresh = client.watch(&sandbox.checkouts()[0].tracking_number).unwrap().policy(policy);
    let mut watch = fresh.restore_from(&watch.stored()).unwrap();
    watch.handle().nudge();
    assert_eq!(told(&mut watch), "? page");
}

fn refusal(stored: &str) -> ParseWatchError {
    let (sandbox, watch) = of_allscale::watched(allscale::Scenario::happy());
    drop(sandbox);
    watch.restore_from(stored).unwrap_err()
}

#[test]
fn each_wrong_part_is_named() {
    let (_, watch) = of_allscale::watched(allscale::Scenario::happy());
    let good = watch.stored();
    let parts: Vec<_> = good.split("; ").collect();
    let poller = parts[2];
    assert_eq!(parts[..2], ["v1 -", "v1 - - -"]);
    for bad in ["", "v2 -; v1 - - -", "V1 -", "v1", "v1-"] {
        assert_eq!(refusal(bad), ParseWatchError::Version, "{bad}");
    }
    for bad in ["v1 ", "v1 yes", "v1 -;v1 - - -"] {
        assert_eq!(refusal(bad), ParseWatchError::Conflict, "{bad}");
    }
    for bad in ["v1 -".to_owned(), "v1 -; ".to_owned(), format!("v1 -; v1 PAID - -; {poller}")] {
        assert!(matches!(refusal(&bad), ParseWatchError::Tracker(_)), "{bad}");
    }
    for bad in ["v1 conflict; v1 - - -", "v1 -; v1 - - -; ", "v1 -; v1 - - -; v1 x"] {
        assert!(matches!(refusal(bad), ParseWatchError::Poller(_)), "{bad}");
    }
    for bad in [format!("{good}; "), format!("{good}; v1")] {
        assert_eq!(refusal(&bad), ParseWatchError::Surplus, "{bad}");
    }
    // Azotte's statuses are not AllScale's.
    let (_, other) = of_azotte::watched(azotte::Scenario::happy());
    let stored = format!("v1 -; v1 CONFIRMED - 7; {poller}");
    assert!(matches!(other.restore_from(&stored), Err(ParseWatchError::Tracker(_))));
}

proptest! {
    #[test]
    fn no_text_does_harm_and_a_readable_text_is_written_back_unchanged(
        text in "(v1 (conflict|-); )?(v1 (CONFIRMED|-|CREATED) (TIMEOUT|-) (-|[0-9]{1,14}); )?(v1 )?[ -~]{0,40}"
    ) {
        let (_, watch) = of_allscale::watched(allscale::Scenario::happy());
        if let Ok(watch) = watch.restore_from(&text) {
            prop_assert_eq!(watch.stored(), text);
        }
    }
}
