//! The provider's id of a request, which the provider asks for when something is wrong.

use crate::world::{answering, chain, client, client_at, fiat, native, request_id_in, sandbox};
use checkout_client::allscale::AllScale;
use checkout_client::{Answer, CallError, CallErrorKind, Readable};
use checkout_sandbox::allscale::{Fault, Sandbox};
use checkout_tables::allscale::StableCoin;
use std::error::Error;
use std::fmt::Debug;

/// The id of the sandbox's last answer.
fn last(sandbox: &Sandbox) -> String {
    request_id_in(sandbox.requests().last().unwrap().answered_body())
}

/// The error has the id of the last answer, and prints the id.
fn check<T: Readable + Debug>(sandbox: &Sandbox, outcome: Result<Answer<T>, CallError<AllScale>>) {
    let error = outcome.unwrap_err();
    assert_eq!(error.request_id(), Some(&*last(sandbox)));
    assert!(error.to_string().ends_with(&format!(" (request id {})", last(sandbox))), "{error}");
}

#[test]
fn every_answer_and_every_refusal_has_a_request_id() {
    let sandbox = sandbox(8);
    let client = client(&sandbox);
    let created = client.create(&fiat(100)).send_blocking(&sandbox).unwrap();
    assert_eq!(created.request_id.as_deref(), Some(&*last(&sandbox)));
    let status = client.status(&created.payload.intent_id).unwrap().send_blocking(&sandbox).unwrap();
    assert_eq!(status.request_id.as_deref(), Some(&*last(&sandbox)));
    let refused = client.fail().send_blocking(&sandbox).unwrap_err();
    assert_eq!(refused.request_id(), Some(&*last(&sandbox)));
    let refusal = refused.refusal().unwrap();
    assert_eq!(refusal.request_id.as_deref(), Some(&*last(&sandbox)));
    assert!(refused.to_string().contains(&format!("(request id {})", last(&sandbox))), "{refused}");
}

#[test]
fn an_unreadable_or_swapped_answer_still_gives_its_request_id() {
    let sandbox = sandbox(8);
    let client = client(&sandbox);
    let id = client.create(&fiat(100)).send_blocking(&sandbox).unwrap().payload.intent_id;
    sandbox.inject(Fault::StatusAsObject);
    check(&sandbox, client.status(&id).unwrap().send_blocking(&sandbox));
    sandbox.inject(Fault::SwappedIntent);
    check(&sandbox, client.get(&id).unwrap().send_blocking(&sandbox));
    sandbox.inject(Fault::DuplicateKeys);
    check(&sandbox, client.create(&native(StableCoin::USDT, 100)).send_blocking(&sandbox));
}

#[test]
fn a_response_that_is_not_the_api_s_has_no_request_id() {
    let sandbox = sandbox(8);
    let client = client(&sandbox);
    for fault in [Fault::Garbage, Fault::HtmlBadGateway, Fault::EmptyUnauthorized, Fault::Redirect] {
        sandbox.inject(fault.clone());
        let error = client.ping().send_blocking(&sandbox).unwrap_err();
        assert!(matches!(error.kind(), CallErrorKind::UnexpectedResponse(_)), "{fault:?}: {error:?}");
        assert_eq!((error.request_id(), error.code()), (None, None), "{fault:?}");
        assert!(!error.to_string().contains("request id"), "{error}");
    }
    for fault in [Fault::Truncated, Fault::LostAnswer] {
        sandbox.inject(fault.clone());
        let error = client.ping().send_blocking(&sandbox).unwrap_err();
        assert_eq!(error.request_id(), None, "{fault:?}");
        assert!(!error.to_string().contains("request id"), "{error}");
    }
}

/// A line break, a terminal's escape, a change of the writing's direction, a NUL, the separators of lines.
const HOSTILE: &str = r"req\r\n2026-01-01 INFO paid\u001b[2J\u202eevil\u0000\u0085\u2028\u2029\u009b";

/// No text of an error begins a line or steers a terminal.
fn is_one_line(error: &(impl Error + 'static)) {
    let tricks = ['\u{202e}', '\u{2028}', '\u{2029}'];
    for text in chain(error).into_iter().chain([format!("{error:?}")]) {
        assert!(!text.contains(|c: char| c.is_control() || tricks.contains(&c)), "{text:?}");
    }
}

#[test]
fn a_hostile_id_is_kept_unchanged_and_printed_escaped() {
    let client = client_at(0);
    let unreadable = format!(r#"{{"code":0,"payload":{{"status":2}},"request_id":"{HOSTILE}"}}"#);
    let other = format!(
        r#"{{"code":0,"payload":{{"all_scale_checkout_intent_id":"b","status":20,"amount_coins":"1"}},
            "request_id":"{HOSTILE}"}}"#
    );
    let unreadable = client.status("a").unwrap().send_blocking(&answering(&unreadable)).unwrap_err();
    let other = client.get("a").unwrap().send_blocking(&answering(&other)).unwrap_err();
    for error in [unreadable, other] {
        let id = error.request_id().unwrap();
        assert!(id.starts_with("req\r\n2026") && id.contains('\u{1b}'));
        is_one_line(&error);
        assert!(error.to_string().contains(r"(request id req\r\n2026-01-01 INFO paid\u{1b}[2J"), "{error}");
    }
}

#[test]
fn a_hostile_refusal_is_printed_escaped() {
    let client = client_at(0);
    for body in [
        format!(r#"{{"code":20002,"error":{{"message":"no"}},"request_id":"{HOSTILE}"}}"#),
        format!(r#"{{"code":20002,"error":{{"message":"{HOSTILE}"}},"request_id":"r"}}"#),
        format!(r#"{{"code":20002,"error":"{HOSTILE}"}}"#),
    ] {
        is_one_line(&client.ping().send_blocking(&answering(&body)).unwrap_err());
    }
}

#[test]
fn a_hostile_key_of_an_answer_is_never_printed() {
    let body = format!(r#"{{"code":0,"payload":{{"{HOSTILE}":tru"#);
    is_one_line(&client_at(0).status("a").unwrap().send_blocking(&answering(&body)).unwrap_err());
    is_one_line(&client_at(0).get("a").unwrap().send_blocking(&answering(&body)).unwrap_err());
}

#[test]
fn a_very_long_id_is_given_whole() {
    let long = "a".repeat(100_000);
    let body = format!(r#"{{"code":0,"payload":{{"status":2}},"request_id":"{long}"}}"#);
    let error = client_at(0).status("a").unwrap().send_blocking(&answering(&body)).unwrap_err();
    assert_eq!(error.request_id(), Some(&*long));
}
