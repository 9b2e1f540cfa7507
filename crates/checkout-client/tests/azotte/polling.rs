//! The moment of the next read.

use crate::support::{answering, asked_wait, response};
use crate::world::{client, client_at, latest, sandbox, stored};
use checkout_client::RetryAdvice;
use checkout_poll::ReadOutcome;
use checkout_sandbox::azotte::{Fault, Scenario, Step};
use std::time::Duration;

fn header(text: &str) -> [(&str, &str); 1] {
    [("retry-after", text)]
}

/// The seconds to wait, by `followUpInstructions` and headers of an answer to a read that was sent at
/// 08:49:30 GMT.
fn check(follow_up: &str, headers: &[(&str, &str)]) -> u64 {
    let body = format!(r#"{{"status":{{"messageCode":"CHECK_OUT_PROCESSING"}}{follow_up}}}"#);
    let transport = answering(response(200, headers, body.as_bytes()));
    let answer = client_at(784_111_770_000).status("trk_1").unwrap().send_blocking(&transport).unwrap();
    let wait = answer.poll_after();
    assert_eq!(wait.subsec_nanos(), 0);
    wait.as_secs()
}

#[test]
fn the_answer_s_own_seconds_come_before_the_header_and_the_header_before_two_seconds() {
    let said = |seconds: &str| format!(r#","followUpInstructions":{{"retryAfterSeconds":{seconds}}}"#);
    let (t37, t30, t20) = [37, 30, 20].map(|second| format!("Sun, 06 Nov 1994 08:49:{second} GMT")).into();
    for (follow_up, headers, expected) in [
        (&*said("7"), &header("5")[..], 7),
        (&said("7"), &[], 7),
        (&said("0"), &header("5"), 1),
        (&said("null"), &header("5"), 5),
        (r#","followUpInstructions":{"canFollowUp":true}"#, &header("5"), 5),
        (r#","followUpInstructions":null"#, &header("5"), 5),
        // A text that is not a number of seconds says nothing.
        (&said("-1"), &header("5"), 5),
        (&said("\"soon\""), &header("5"), 5),
        ("", &header("5"), 5),
        ("", &header(" 5 "), 5),
        ("", &header("0"), 1),
        ("", &header(&t37), 7),
        ("", &header(&t30), 1),
        ("", &header(&t20), 1),
        // The provider's clock is 10 seconds behind ours.
        ("", &[("retry-after", &*t37), ("date", &*t20)], 17),
        ("", &header("Sunday, 06-Nov-94 08:49:37 GMT"), 7),
        ("", &header("-5"), 2),
        ("", &header("1.5"), 2),
        ("", &header("later"), 2),
        ("", &[], 2),
        (&said("3601"), &[], 3_600),
        (&said("18446744073709551615"), &[], 3_600),
        ("", &header("18446744073709551615"), 3_600),
    ] {
        assert_eq!(check(follow_up, headers), expected, "{follow_up} {headers:?}");
    }
}

#[test]
fn reads_come_when_the_sandbox_asks_for_them() {
    let advised = |code| Step::after(Duration::ZERO, code).retry_after_seconds(30);
    for (step, fault, expected) in [
        (advised("CHECK_OUT_PROCESSING"), None, 30),
        (advised("CHECK_OUT_3DS_REQUIRED").by_url(), None, 30),
        (advised("CHECK_OUT_PROCESSING"), Some(Fault::NoFollowUp), 2),
        (advised("CHECK_OUT_PROCESSING"), Some(Fault::NoPollingAdvice), 2),
        (Step::after(Duration::ZERO, "CHECK_OUT_3DS_REQUIRED").by_html(), None, 3),
        (advised("CHECK_OUT_PROCESSING"), Some(Fault::RateLimited), 2),
        (advised("CHECK_OUT_DONE"), None, 2),
    ] {
        let sandbox = sandbox(2);
        sandbox.next_checkout(Scenario::custom([step]));
        let client = client(&sandbox);
        client.submit(&stored("order-1")).send_blocking(&sandbox).unwrap();
        fault.clone().into_iter().for_each(|fault| sandbox.inject(fault));
        let status = client.status(&latest(&sandbox).tracking_number).unwrap();
        let wait = match status.send_blocking(&sandbox) {
            Ok(answer) => Some(answer.poll_after()),
            Err(error) => asked_wait(&error),
        };
        assert_eq!(wait, Some(Duration::from_secs(expected)), "{fault:?}");
    }
}

#[test]
fn a_refusal_s_header_counts_too() {
    let transport =
        answering(response(429, &[("retry-after", "40")], br#"{"title":"Too Many Requests","status":429}"#));
    let error = client_at(0).status("trk_1").unwrap().send_blocking(&transport).unwrap_err();
    let wait = Duration::from_secs(40);
    assert_eq!(error.read_outcome(), ReadOutcome::Limited { wait: Some(wait) });
    assert_eq!(error.retry(), RetryAdvice::After(wait));
}
