//! The observation that an answer gives to a tracker.

use crate::world::{START_MILLIS, client, client_at, fiat, response, sandbox};
use checkout_client::{Answer, CallErrorKind};
use checkout_lifecycle::{Moment, Observation, Source, Tracker, Verdict};
use checkout_sandbox::allscale::{Fault, Scenario};
use checkout_tables::Open;
use checkout_tables::allscale::{IntentStatus, Route};
use std::time::Duration;

fn check(observation: Option<Observation<IntentStatus>>) -> Option<(i64, Source, Option<i64>)> {
    let told = observation?;
    Some((told.status().value(), told.source(), told.order().map(Moment::unix_millis)))
}

#[test]
fn a_read_has_the_moment_of_its_sending_and_not_of_its_answer() {
    let sandbox = sandbox(5);
    let client = client(&sandbox);
    client.create(&fiat(100)).send_blocking(&sandbox).unwrap();
    let id = &sandbox.intents()[0].id;
    let (status, get) = (client.status(id).unwrap(), client.get(id).unwrap());
    sandbox.clock().advance(Duration::from_millis(30_001));
    sandbox.inject(Fault::Slow(Duration::from_secs(60)));
    let slow = status.send_blocking(&sandbox).unwrap();
    let sent = START_MILLIS + 30_001;
    assert_eq!(check(slow.observation()), Some((10, Source::Read, Some(sent))));
    assert_eq!(slow.sent_at().unix_millis(), sent);
    let whole = get.send_blocking(&sandbox).unwrap();
    assert_eq!(check(whole.observation()), Some((20, Source::Read, Some(sent + 60_000))));

    // So the slow answer takes nothing back, even if the tracker observes that answer last.
    let mut tracker = Tracker::new();
    assert_eq!(tracker.observe(whole.observation().unwrap(), client.now()), Verdict::First);
    let verdict = tracker.observe(slow.observation().unwrap(), client.now());
    assert!(matches!(verdict, Verdict::Stale { .. }), "{verdict:?}");
}

#[test]
fn an_unnamed_status_is_reported_unchanged() {
    let sandbox = sandbox(5);
    let client = client(&sandbox);
    sandbox.next_intent(Scenario::custom([(Duration::ZERO, -77)]));
    client.create(&fiat(100)).send_blocking(&sandbox).unwrap();
    let id = &sandbox.intents()[0].id;
    let status = client.status(id).unwrap().send_blocking(&sandbox).unwrap();
    let whole = client.get(id).unwrap().send_blocking(&sandbox).unwrap();
    let expected = Some((-77, Source::Read, Some(START_MILLIS)));
    assert_eq!(check(status.observation()), expected);
    assert_eq!(check(whole.observation()), expected);
}

#[test]
fn a_refusal_and_a_response_that_is_not_the_api_s_are_errors_and_no_observation() {
    for fault in [Fault::RateLimited, Fault::InternalError, Fault::EmptyUnauthorized, Fault::HtmlBadGateway] {
        let sandbox = sandbox(5);
        let client = client(&sandbox);
        client.create(&fiat(100)).send_blocking(&sandbox).unwrap();
        let id = &sandbox.intents()[0].id;
        sandbox.inject_on(Route::Status, fault.clone());
        sandbox.inject_on(Route::Get, fault.clone());
        let status = client.status(id).unwrap().send_blocking(&sandbox).unwrap_err();
        let whole = client.get(id).unwrap().send_blocking(&sandbox).unwrap_err();
        for error in [status, whole] {
            let is_reply =
                matches!(error.kind(), CallErrorKind::Refused(_) | CallErrorKind::UnexpectedResponse(_));
            assert!(is_reply, "{fault:?}: {error:?}");
        }
    }
}

#[test]
fn the_last_moment_of_the_range_does_no_harm() {
    let body = br#"{"code":0,"payload":20}"#;
    let (_, reader) = client_at(0)
        .status("a")
        .unwrap()
        .attempt(Moment::from_unix_millis(i64::MAX), "nonce-1")
        .unwrap()
        .into_parts();
    let answer: Answer<Open<IntentStatus>> = reader.read(&response(200, &[], body)).unwrap();
    assert_eq!(check(answer.observation()), Some((20, Source::Read, Some(i64::MAX))));
}

#[test]
fn a_refusal_of_a_get_says_nothing_of_the_intent_even_with_a_payload_beside_it() {
    let body =
        br#"{"code":90000,"payload":{"all_scale_checkout_intent_id":"a","status":20,"amount_coins":"1"}}"#;
    let (_, reader) =
        client_at(0).get("a").unwrap().attempt(Moment::from_unix_millis(0), "nonce-1").unwrap().into_parts();
    let error = reader.read(&response(200, &[], body)).unwrap_err();
    assert_eq!(error.code().map(|code| code.value()), Some(90_000));
}
