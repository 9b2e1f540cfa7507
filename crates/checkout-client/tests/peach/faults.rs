//! The outcome of the client of V1 for every fault that the sandbox knows.

use crate::support::{answering, faults_in, response, variant};
use crate::world::{advance, by, checkout, client, initiated, latest, outcome, payment, sandbox};
use checkout_client::peach::Client;
use checkout_client::{Answer, CallErrorKind};
use checkout_sandbox::peach::{Fault, Sandbox, Scenario};
use checkout_tables::peach::Route;
use checkout_transport::BODY_CAP;
use std::collections::BTreeSet;
use std::time::Duration;

/// A sandbox with one checkout that is paid.
fn world() -> (Sandbox, Client) {
    let sandbox = sandbox();
    let client = client(&sandbox);
    initiated(&sandbox, &client, "order-0000");
    advance(&sandbox, 60);
    (sandbox, client)
}

/// The outcomes of a request that a fault waits for: initiate, validate, status.
fn check(fault: &Fault) -> [String; 3] {
    let (sandbox, client) = world();
    sandbox.inject(fault.clone());
    let initiated = client.initiate(&checkout("order-0001")).unwrap().send_blocking(&sandbox);
    let made = sandbox.checkouts().len() - 1;
    let may = initiated.as_ref().map_or_else(|error| error.may_have_been_processed(), |_| true);
    assert!(may || made == 0, "{fault:?}: nobody is told that nothing was made when it was");
    let told = outcome(initiated, |initiated| initiated.redirect_url.as_str()[..30].to_owned());
    let initiate = format!("{told}, {made} made{}", waits(&sandbox));

    let (sandbox, client) = world();
    sandbox.inject(fault.clone());
    let validated = client.validate(&checkout("order-0001")).unwrap().send_blocking(&sandbox);
    let validate = outcome(validated, |_| "valid".to_owned()) + waits(&sandbox);
    assert_eq!(sandbox.checkouts().len(), 1);

    let (sandbox, client) = world();
    sandbox.inject(fault.clone());
    let read = client.status(by("order-0000")).send_blocking(&sandbox);
    let status = outcome(read, payment) + waits(&sandbox);
    [initiate, validate, status]
}

fn waits(sandbox: &Sandbox) -> &'static str {
    if sandbox.faults_waiting() == 0 { "" } else { "; the fault waits" }
}

/// One row for each fault with the outcomes: initiate, validate, status.
fn table() -> Vec<(Fault, [&'static str; 3])> {
    const FINE: [&str; 3] = ["https://testsecure.peachpaymen, 1 made", "valid", "Successful 92.00"];
    const WAITS: [&str; 2] =
        ["https://testsecure.peachpaymen, 1 made; the fault waits", "valid; the fault waits"];
    const SIGNATURE: &str = "unknown: not authentic";
    const OTHER: &str = "unknown: merchantTransactionId is not what was asked for";
    let status = |told| [WAITS[0], WAITS[1], told];
    vec![
        (Fault::LostBefore, ["not sent, 0 made", "not sent", "not sent"]),
        (Fault::LostRequest, ["unknown, 0 made", "unknown", "unknown"]),
        (Fault::LostAnswer, ["unknown, 1 made", "unknown", "unknown"]),
        (Fault::Slow(Duration::from_secs(90)), FINE),
        (Fault::Garbage, ["not the API: 200, 1 made", "not the API: 200", "not the API: 200"]),
        (Fault::Truncated, {
            [
                "unknown: unreadable: redirectUrl: ends too early, 1 made",
                "unknown: unreadable: ends too early",
                "unknown: unreadable: ends too early",
            ]
        }),
        (Fault::HtmlBadGateway, ["not the API: 502, 1 made", "not the API: 502", "not the API: 502"]),
        (Fault::EmptyUnauthorized, ["not the API: 401, 0 made", "not the API: 401", "not the API: 401"]),
        (Fault::Redirect, {
            [
                "not the API: 302 to https://elsewhere.example/login, 0 made",
                "not the API: 302 to https://elsewhere.example/login",
                "not the API: 302 to https://elsewhere.example/login",
            ]
        }),
        (Fault::RateLimited, {
            ["refused with 429 for 30 s, 0 made", "refused with 429 for 30 s", "refused with 429 for 30 s"]
        }),
        (Fault::InternalError, ["refused with 500, 0 made", "refused with 500", "refused with 500"]),
        (Fault::LateInternalError, ["refused with 500, 1 made", "refused with 500", "refused with 500"]),
        (Fault::Refused("200.300.404".into()), {
            [
                "refused with 400 200.300.404, 0 made",
                "refused with 400 200.300.404",
                "refused with 400 200.300.404",
            ]
        }),
        // A code of success with HTTP status 400 is no success.
        (Fault::Refused("000.100.110".into()), {
            [
                "refused with 400 000.100.110, 0 made",
                "refused with 400 000.100.110",
                "refused with 400 000.100.110",
            ]
        }),
        // "Not opened yet" is no refusal of a status, under every HTTP status, and says nothing.
        (Fault::Refused("700.400.580".into()), {
            ["refused with 400 700.400.580, 0 made", "refused with 400 700.400.580", "nothing"]
        }),
        // No member of the answer to a validation could stand twice.
        (Fault::DuplicateKeys, {
            [
                "unknown: unreadable: redirectUrl: stands twice, 1 made",
                "valid",
                "unknown: unreadable: amount: stands twice",
            ]
        }),
        (Fault::HugeBody(BODY_CAP), FINE),
        (Fault::HugeBody(BODY_CAP + 1), ["unknown, 1 made", "unknown", "unknown"]),
        (Fault::ExtraFields, [FINE[0], FINE[1], "Successful 92.00; the fault waits"]),
        (Fault::SwappedCheckout, status(OTHER)),
        // The signature is right: only a comparison with the order shows the other amount.
        (Fault::OtherAmount, status("Successful 0.01")),
        (Fault::TamperedAmount, status(SIGNATURE)),
        (Fault::TamperedCode("000.100.111".into()), status(SIGNATURE)),
        // Also if the code says nothing.
        (Fault::TamperedCode("700.400.580".into()), status(SIGNATURE)),
        (Fault::TamperedCode("123.456.789".into()), status(SIGNATURE)),
        (Fault::TamperedSignature, status(SIGNATURE)),
        (Fault::Unsigned, status(SIGNATURE)),
        (Fault::ExtraSignedKey, status(FINE[2])),
        (Fault::ExtraUnsignedKey, status(SIGNATURE)),
        (Fault::NumbersForTexts, status(FINE[2])),
        // The signature is right, and nobody knows whose result this is. Without a type it is no success
        // either.
        (Fault::BareResult, status("unknown")),
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
    let faults = faults_in(include_str!("../../../checkout-sandbox/src/peach/fault.rs"));
    let rows: BTreeSet<_> = table().iter().map(|(fault, _)| variant(&format!("{fault:?}"))).collect();
    assert_eq!(rows, faults);
    assert!(faults.len() >= 25, "{faults:?}");
}

#[test]
fn every_change_is_found_at_every_status_and_in_both_shapes() {
    for scenario in [Scenario::happy(), Scenario::expired(), Scenario::uncertain(), Scenario::authorized()] {
        for seconds in [10, 3_600] {
            let sandbox = sandbox();
            sandbox.next_checkout(scenario.clone());
            let client = client(&sandbox);
            initiated(&sandbox, &client, "order-0001");
            advance(&sandbox, seconds);
            let status = client.status(by("order-0001"));
            for fault in [
                Fault::TamperedAmount,
                Fault::TamperedCode("000.100.112".into()),
                Fault::TamperedSignature,
                Fault::Unsigned,
                Fault::ExtraUnsignedKey,
            ] {
                sandbox.inject(fault.clone());
                let error = status.send_blocking(&sandbox).unwrap_err();
                assert!(matches!(error.kind(), CallErrorKind::NotAuthentic(_)), "{fault:?}: {error}");
                assert_eq!(error.body(), Some(sandbox.requests().last().unwrap().answered_body()));
            }
            assert!(status.send_blocking(&sandbox).unwrap().observation().is_some());
        }
    }
}

#[test]
fn an_undocumented_signed_field_is_kept() {
    let (sandbox, client) = world();
    sandbox.inject(Fault::ExtraSignedKey);
    let answer = client.status(by("order-0000")).send_blocking(&sandbox).unwrap();
    assert_eq!(answer.payload.fields().get("x.sandboxUnknown"), Some("signed + \"é\""));
    assert_eq!(answer.payload.checkout_id(), Some(&*latest(&sandbox).checkout_id));
}

#[test]
fn an_answer_without_a_signature_settles_nothing() {
    let status = client(&sandbox()).status(by("order-0001"));
    let told = |http_status, body: &str| {
        let read = status.send_blocking(&answering(response(http_status, &[], body.as_bytes())));
        let observed = read.as_ref().ok().and_then(Answer::observation);
        let observed = observed.map_or_else(String::new, |observed| format!(", {:?}", observed.order()));
        outcome(read, payment) + &observed
    };
    let mine = r#""merchantTransactionId":"order-0001","paymentType":"DB""#;
    let signature = "unknown: not authentic";
    let other = "unknown: merchantTransactionId is not what was asked for";
    for (code, expected) in [
        ("000.000.000", signature),
        ("000.100.110", signature),
        ("000.200.100", signature),
        ("000.200.000", signature),
        ("100.396.101", signature),
        ("100.396.104", signature),
        // Codes that say nothing of the checkout's end: all answers are signed, these too.
        ("000.300.100", signature),
        ("000.100.200", signature),
        ("anything", signature),
        ("", signature),
        ("800.100.151", signature),
        ("000.400.000", signature),
        // A page that was not opened yet says nothing to be believed.
        ("700.400.580", "nothing"),
    ] {
        assert_eq!(told(200, &format!(r#"{{"result.code":"{code}",{mine}}}"#)), expected, "{code}");
        // A signature in the answer must be right, or the client refuses the answer.
        for wrong in ["", "0", &"0".repeat(64)] {
            let body = format!(r#"{{"result.code":"{code}",{mine},"signature":"{wrong}"}}"#);
            // An empty signature is none.
            let refused = if wrong.is_empty() { expected } else { signature };
            assert_eq!(told(200, &body), refused, "{code} {wrong}");
        }
        if !expected.starts_with("unknown: ") {
            let body = format!(r#"{{"result.code":"{code}","merchantTransactionId":"order-0002"}}"#);
            assert_eq!(told(200, &body), other, "{code}");
        }
    }
    // The other shape: nobody signs the wrapper's word.
    for word in
        ["created", "pending", "successful", "authorized", "cancelled", "expired", "uncertain", "lapsed"]
    {
        let outer = format!(r#""status":"{word}","timestamp":1799,"redirect_url":"https://shop.example/""#);
        assert_eq!(told(200, &format!("{{{outer}}}")), signature, "{word}");
        assert_eq!(told(200, &format!("{{{outer},\"redirect_post_data\":{{}}}}")), signature, "{word}");
        let success = format!(r#"{{{outer},"redirect_post_data":{{"result.code":"000.000.000",{mine}}}}}"#);
        assert_eq!(told(200, &success), signature, "{word}");
    }
}

#[test]
fn only_a_400_proves_that_nothing_was_initiated() {
    let (sandbox, client) = world();
    let initiate = client.initiate(&checkout("order-0001")).unwrap();
    for (fault, may) in [
        (Fault::Refused("200.300.404".into()), false),
        (Fault::RateLimited, true),
        (Fault::InternalError, true),
        (Fault::LateInternalError, true),
        (Fault::HtmlBadGateway, true),
        (Fault::EmptyUnauthorized, true),
        (Fault::Redirect, true),
    ] {
        sandbox.inject_on(Route::Initiate, fault.clone());
        let error = initiate.send_blocking(&sandbox).unwrap_err();
        assert_eq!(error.may_have_been_processed(), may, "{fault:?}");
    }
}
