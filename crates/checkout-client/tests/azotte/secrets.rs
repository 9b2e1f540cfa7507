//! The texts that nothing prints: keys, cards, the payer's identity, and the challenge.

use crate::support::{Printed, Recorder, answering, response};
use crate::world::{ADDRESS, ALIAS, API_KEY, CARD_NUMBER, CVC, HOLDER, URN, card, client, latest, sandbox};
use checkout_client::azotte::Client;
use checkout_sandbox::azotte::{Fault, Scenario};
use checkout_tables::Moment;
use checkout_tables::azotte::Route;
use std::time::Duration;

const PLANTED: [&str; 7] = [API_KEY, CARD_NUMBER, CVC, HOLDER, ALIAS, URN, ADDRESS];

#[test]
fn nothing_prints_the_key_the_card_the_payer_or_the_challenge() {
    let sandbox = sandbox(9);
    sandbox.next_checkout(Scenario::three_ds_at_once().browser_never_returns());
    let client = client(&sandbox);
    let mut printed = Printed::default();
    printed.debug(&client);
    printed.debug(&Client::builder("acme", API_KEY, API_KEY.into()).clock(|| Moment::from_unix_millis(0)));
    let submit = card("order-1");
    printed.debug(&submit);
    let submit = client.submit(&submit);
    printed.ask(&submit, &sandbox);
    let number = latest(&sandbox).tracking_number;
    for fault in [
        Fault::Truncated,
        Fault::Garbage,
        Fault::DuplicateKeys,
        Fault::MissingTracking,
        Fault::SwappedCheckout,
        Fault::TamperedCode("CHECK_OUT_NEW".into()),
        Fault::TamperedCode("ORDERED_ITEM_NOT_FOUND".into()),
        Fault::UnknownErrorCode("X".into()),
        Fault::HtmlBadGateway,
        Fault::Redirect,
        Fault::InternalError,
        Fault::LostBefore,
        Fault::LostAnswer,
    ] {
        for route in [Route::SubmitCheckout, Route::CheckoutStatus] {
            sandbox.inject_on(route, fault.clone());
        }
        printed.ask(&submit, &sandbox);
        printed.ask(&client.status(&number).unwrap(), &sandbox);
    }
    sandbox.clock().advance(Duration::from_secs(1));
    printed.ask(&client.status(&number).unwrap(), &sandbox);
    // The challenge: the address behind the host, and the fields of the form.
    let body = sandbox.requests().last().unwrap().answered_body().clone();
    let body = String::from_utf8(body.to_vec()).unwrap();
    let (_, secret) = body.split_once("https://psp.example/3ds/").unwrap();
    printed.check(&[&PLANTED[..], &[secret.split('"').next().unwrap(), "psp.example"]].concat());
}

#[test]
fn a_page_or_an_answer_that_echoes_the_request_is_not_printed() {
    let sandbox = sandbox(9);
    let client = client(&sandbox);
    let recorder = Recorder::before(&sandbox);
    let submit = client.submit(&card("order-1"));
    let mut printed = Printed::default();
    printed.ask(&submit, &recorder);
    let echo = recorder.seen().join("\n");
    assert!(PLANTED.iter().all(|planted| echo.contains(planted)));
    let texts = PLANTED.join(" ");
    for body in [
        echo.clone(),
        format!("{{{echo}"),
        // Every value in a place where another type, or another value, is documented.
        format!(r#"{{"status":"{texts}","trackingNumber":["{texts}"]}}"#),
        format!(r#"{{"status":{{"{texts}":"{texts}"}}}}"#),
        format!(r#"{{"status":{{"messageCode":["{texts}"]}}}}"#),
        format!(
            r#"{{"status":{{"messageCode":"CHECK_OUT_FAILED","message":"{texts}"}},"message":"{texts}"}}"#
        ),
        format!(
            r#"{{"trackingNumber":"trk_1","status":{{"messageCode":"CHECK_OUT_3DS_REQUIRED"}},
            "redirectInstructions":{{"redirectUrl":"https://psp.example/{texts}","htmlContent":"{texts}",
            "threeDIdentifier":"{texts}","{texts}":1}},
            "followUpInstructions":{{"retryAfterSeconds":"{texts}"}},"{texts}":"{texts}"}}"#
        ),
        format!(
            r#"{{"title":"no","status":400,"detail":"{texts}","instance":"/{texts}",
            "errors":{{"{texts}":["{texts}"]}}}}"#
        ),
        format!(r#"{{"title":"no","status":"{texts}","detail":["{texts}"]}}"#),
    ] {
        for status in [200, 202, 302, 400, 404, 409, 502] {
            for content_type in ["text/html", "application/problem+json"] {
                let response = response(status, &[("content-type", content_type)], body.as_bytes());
                printed.ask(&submit, &answering(response.clone()));
                printed.ask(&client.status("trk_1").unwrap(), &answering(response));
            }
        }
    }
    printed.check(&PLANTED);
}

/// A span of the feature `tracing` has the host, the end and the code, and nothing else.
#[cfg(feature = "tracing")]
#[test]
fn a_span_has_route_path_status_code_and_outcome() {
    use crate::support::Notes;
    let sandbox = sandbox(9);
    let client = client(&sandbox);
    let submit = |id| Notes::during(|| drop(client.submit(&card(id)).send_blocking(&sandbox))).1;
    let status = |number| Notes::during(|| drop(client.status(number).unwrap().send_blocking(&sandbox))).1;
    assert_eq!(
        submit("order-1"),
        [
            r#"checkout attempt: route=SubmitCheckout path="/api/v1/c2a/offer/checkout""#,
            " http_status=202",
            r#" outcome="done""#,
            r#" message=attempt ended outcome="done""#,
        ]
    );
    assert_eq!(
        status("trk_0"),
        [
            r#"checkout attempt: route=CheckoutStatus path="/api/v1/c2a/offer/checkout/trk_0/status""#,
            " http_status=404",
            r#" code="ORDERED_ITEM_NOT_FOUND""#,
            r#" outcome="refused""#,
            r#" message=attempt ended outcome="refused""#,
        ]
    );
    sandbox.inject(Fault::MissingTracking);
    let told = submit("order-2");
    assert_eq!(
        told[1..],
        [" http_status=202", r#" outcome="mismatch""#, r#" message=attempt ended outcome="mismatch""#]
    );
}
