//! The client's outcome for every fault that the sandbox knows.

use crate::support::{faults_in, outcome, variant};
use crate::world::{card, client, latest, sandbox, stored};
use checkout_client::azotte::{Azotte, Client};
use checkout_client::{Answer, CallError, Readable};
use checkout_sandbox::azotte::{Fault, Sandbox};
use checkout_tables::azotte::Route;
use checkout_transport::BODY_CAP;
use checkout_wire::azotte::CheckoutResult;
use std::collections::BTreeSet;
use std::time::Duration;

/// A sandbox with one checkout that is done, and its number.
fn world() -> (Sandbox, Client, String) {
    let sandbox = sandbox(4);
    let client = client(&sandbox);
    client.submit(&stored("order-0")).send_blocking(&sandbox).unwrap();
    sandbox.clock().advance(Duration::from_secs(60));
    let tracking_number = latest(&sandbox).tracking_number;
    (sandbox, client, tracking_number)
}

/// The outcomes of a request that a fault waits for: of a submit, and of a status that is done.
fn check(fault: &Fault) -> [String; 2] {
    let (sandbox, client, _) = world();
    sandbox.inject(fault.clone());
    let submitted = client.submit(&card("order-1")).send_blocking(&sandbox);
    let made = sandbox.checkouts().len() - 1;
    let is_sure = submitted.as_ref().is_err_and(|error| !error.may_have_been_processed());
    // A submit is certainly not done if the request was not sent, or if the sender was not let in.
    assert_eq!(is_sure, [Fault::LostBefore, Fault::EmptyUnauthorized].contains(fault), "{fault:?}");
    let outcome = told(submitted, |submitted| {
        assert_eq!(submitted.result.tracking_number.as_deref(), Some(&*submitted.tracking_number));
        (&submitted.result, submitted.tracking_number == latest(&sandbox).tracking_number)
    });
    let submit = format!("{outcome}, {made} made{}", waits(&sandbox));

    let (sandbox, client, asked) = world();
    sandbox.inject(fault.clone());
    let read = client.status(&asked).unwrap().send_blocking(&sandbox);
    let observed = read.as_ref().ok().and_then(Answer::observation).is_some();
    let status = told(read, |result: &CheckoutResult<'static>| {
        (result, result.tracking_number.as_deref().is_none_or(|number| number == asked))
    });
    assert_eq!(observed, status.starts_with("CHECK_OUT_"), "{status}");
    [submit, status + waits(&sandbox)]
}

/// The outcome of an attempt. `result` returns the result in a payload, and true if the result is of the
/// requested checkout.
fn told<T: Readable<Provider = Azotte>>(
    outcome_of: Result<Answer<T>, CallError<Azotte>>,
    result: impl FnOnce(&T) -> (&CheckoutResult<'static>, bool),
) -> String {
    let payload = |payload: &T| {
        let (result, is_it) = result(payload);
        let of = if is_it { "" } else { " of another" };
        format!("{}{of}", result.status.message_code.text())
    };
    outcome(outcome_of, payload, |refusal, wait| {
        let code = refusal.message_code.as_ref().map_or_else(String::new, |code| format!(" {}", code.text()));
        format!("refused with {}{wait}{code}", refusal.http_status)
    })
}

fn waits(sandbox: &Sandbox) -> &'static str {
    if sandbox.faults_waiting() == 0 { "" } else { "; the fault waits" }
}

/// One row for each fault with the outcomes: of a submit, and of a status.
fn table() -> Vec<(Fault, [&'static str; 2])> {
    const FINE: [&str; 2] = ["CHECK_OUT_PROCESSING, 1 made", "CHECK_OUT_DONE"];
    let (not_found, unnamed) = ("ORDERED_ITEM_NOT_FOUND".to_owned(), "NOBODY_NAMED_IT".to_owned());
    vec![
        (Fault::LostBefore, ["not sent, 0 made", "not sent"]),
        (Fault::LostRequest, ["unknown, 0 made", "unknown"]),
        (Fault::LostAnswer, ["unknown, 1 made", "unknown"]),
        (Fault::Slow(Duration::from_secs(90)), ["CHECK_OUT_PROCESSING, 1 made", FINE[1]]),
        (Fault::Garbage, ["not the API: 200, 1 made", "not the API: 200"]),
        (Fault::Truncated, {
            [
                "unknown: unreadable: status.messageCode: ends too early, 1 made",
                "unknown: unreadable: status: ends too early",
            ]
        }),
        (Fault::EmptyBody, ["not the API: 202, 1 made", "not the API: 200"]),
        (Fault::WrongContentType, FINE),
        (Fault::PlainContentType, FINE),
        (Fault::HtmlBadGateway, ["not the API: 502, 1 made", "not the API: 502"]),
        (Fault::Redirect, {
            [
                "not the API: 302 to https://elsewhere.example/login, 0 made",
                "not the API: 302 to https://elsewhere.example/login",
            ]
        }),
        (Fault::EmptyUnauthorized, ["not the API: 401, 0 made", "not the API: 401"]),
        (Fault::RateLimited, ["refused with 429 for 2 s, 0 made", "refused with 429 for 2 s"]),
        (Fault::InternalError, ["refused with 500, 0 made", "refused with 500"]),
        (Fault::LateInternalError, ["refused with 500, 1 made", "refused with 500"]),
        (Fault::EmptyProblem, ["refused with 400, 0 made", "refused with 400"]),
        (Fault::UnknownErrorCode(unnamed), {
            ["refused with 400 NOBODY_NAMED_IT, 0 made", "refused with 400 NOBODY_NAMED_IT"]
        }),
        (Fault::UnknownErrorCode(not_found.clone()), {
            ["refused with 400 ORDERED_ITEM_NOT_FOUND, 0 made", "refused with 400 ORDERED_ITEM_NOT_FOUND"]
        }),
        // The correlation id had no checkout before, so the one checkout is right.
        (Fault::KeyForgotten, [FINE[0], "CHECK_OUT_DONE; the fault waits"]),
        // A submit has no number to compare: a client alone notices nothing here.
        (Fault::SwappedCheckout, {
            ["CHECK_OUT_DONE of another, 1 made", "unknown: trackingNumber is not what was asked for"]
        }),
        (Fault::TamperedTracking, {
            ["CHECK_OUT_PROCESSING of another, 1 made", "unknown: trackingNumber is not what was asked for"]
        }),
        // An answer to a submit without a number leaves nothing to read by. A status has the number of the
        // request.
        (Fault::MissingTracking, {
            ["unknown: trackingNumber is not what was asked for, 1 made", "CHECK_OUT_DONE"]
        }),
        // Nor does a client know the right status: the tracker judges the status.
        (Fault::TamperedCode("CHECK_OUT_FAILED".into()), ["CHECK_OUT_FAILED, 1 made", "CHECK_OUT_FAILED"]),
        // "Not found" is an error and not a status, under every HTTP status.
        (Fault::TamperedCode(not_found), {
            [
                "refused with 202 for 2 s ORDERED_ITEM_NOT_FOUND, 1 made",
                "refused with 200 ORDERED_ITEM_NOT_FOUND",
            ]
        }),
        (Fault::NoFollowUp, FINE),
        (Fault::NoPollingAdvice, FINE),
        (Fault::ExtraFields, FINE),
        (Fault::DuplicateKeys, {
            [
                "unknown: unreadable: status.messageCode: stands twice, 1 made",
                "unknown: unreadable: status.messageCode: stands twice",
            ]
        }),
        (Fault::HugeBody(BODY_CAP), FINE),
        (Fault::HugeBody(BODY_CAP + 1), ["unknown, 1 made", "unknown"]),
    ]
}

#[test]
fn every_fault_has_its_outcome() {
    for (fault, expected) in table() {
        assert_eq!(check(&fault), expected, "{fault:?}");
    }
}

#[test]
fn the_table_has_every_fault() {
    let faults = faults_in(include_str!("../../../checkout-sandbox/src/azotte/fault.rs"));
    let rows: BTreeSet<_> = table().iter().map(|(fault, _)| variant(&format!("{fault:?}"))).collect();
    assert_eq!(rows, faults);
    assert!(faults.len() >= 25, "{faults:?}");
}

#[test]
fn a_repeated_submit_captures_once_after_every_first_outcome() {
    for (fault, _) in table() {
        let sandbox = sandbox(4);
        let call = client(&sandbox).submit(&card("order-1"));
        sandbox.inject_on(Route::SubmitCheckout, fault.clone());
        drop(call.send_blocking(&sandbox));
        sandbox.clock().advance(Duration::from_secs(1));
        for _ in 0..2 {
            let again = call.send_blocking(&sandbox).unwrap().payload;
            assert_eq!(again.tracking_number, latest(&sandbox).tracking_number);
        }
        sandbox.clock().advance(Duration::from_secs(60));
        assert_eq!((sandbox.captures_of("order-1"), sandbox.checkouts().len()), (1, 1), "{fault:?}");
    }
}

#[test]
fn a_not_found_and_a_401_are_the_only_certain_refusals_of_a_status() {
    for (fault, sure) in [
        (Fault::UnknownErrorCode("ORDERED_ITEM_NOT_FOUND".into()), true),
        (Fault::UnknownErrorCode("SOMETHING".into()), false),
        (Fault::RateLimited, false),
        (Fault::InternalError, false),
        (Fault::HtmlBadGateway, false),
        (Fault::EmptyUnauthorized, true),
    ] {
        let (sandbox, client, number) = world();
        sandbox.inject(fault.clone());
        let error = client.status(&number).unwrap().send_blocking(&sandbox).unwrap_err();
        assert_eq!(!error.may_have_been_processed(), sure, "{fault:?}");
    }
}

#[test]
fn an_answer_that_is_not_taken_is_kept_in_the_error() {
    let (sandbox, client, number) = world();
    for fault in [Fault::SwappedCheckout, Fault::DuplicateKeys, Fault::Truncated] {
        sandbox.inject(fault.clone());
        let error = client.status(&number).unwrap().send_blocking(&sandbox).unwrap_err();
        assert_eq!(error.body(), Some(sandbox.requests().last().unwrap().answered_body()), "{fault:?}");
        assert_eq!(error.operation(), Route::CheckoutStatus.into());
    }
}
