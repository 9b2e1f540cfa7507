//! The client refuses a text that is no nonce before anything is sent.

use crate::world::{START_MILLIS, client, fiat, key, sandbox, unreachable};
use checkout_client::allscale::{AllScale, Client};
use checkout_client::{CallError, CallErrorKind, NotSent};
use checkout_tables::Moment;
use checkout_transport::{Request, from_fn};

const BAD: [&str; 9] =
    ["", " ", "a b", "\n", "nonce\r\nx-evil: 1", "nonce\0", "nöncé", "nonce\u{7f}", "nonce\t"];

fn check(error: &CallError<AllScale>) {
    assert!(matches!(error.kind(), CallErrorKind::NotSent(NotSent::Signature(_))), "{error:?}");
    assert!(!error.may_have_been_processed());
    assert_eq!(
        crate::world::chain(error),
        [
            "POST /v1/checkout_intents/: the request could not be signed: the nonce is empty or holds a character \
            that is not visible ASCII"
        ]
    );
    assert_eq!((error.request_id(), error.body(), error.http_status()), (None, None, None));
}

#[test]
fn an_attempt_with_a_bad_nonce_is_refused() {
    let call = client(&sandbox(1)).create(&fiat(100));
    for nonce in BAD {
        check(&call.attempt(Moment::from_unix_millis(START_MILLIS), nonce).unwrap_err());
    }
}

#[test]
fn a_source_of_bad_nonces_sends_nothing_in_any_form() {
    for nonce in BAD {
        let client = Client::builder(key())
            .clock(|| Moment::from_unix_millis(START_MILLIS))
            .nonces(move || nonce.to_owned());
        let call = client.build().unwrap().create(&fiat(100));
        let nowhere = from_fn(|request: Request| async move { panic!("{} was sent", request.uri()) });
        check(&pollster::block_on(call.send(&nowhere)).unwrap_err());
        check(&pollster::block_on(call.send_local(&nowhere)).unwrap_err());
        check(&call.send_blocking(&unreachable()).unwrap_err());
    }
}

#[test]
fn every_visible_ascii_character_may_stand_in_a_nonce() {
    let nonce: String = ('!'..='~').collect();
    let call = client(&sandbox(1)).ping();
    let attempt = call.attempt(Moment::from_unix_millis(START_MILLIS), &nonce).unwrap();
    assert_eq!(attempt.request().headers()["x-nonce"], nonce);
}

#[test]
fn a_text_that_cannot_be_an_id_makes_no_call() {
    let client = client(&sandbox(1));
    for id in ["", ".", ".."] {
        assert!(client.get(id).is_err() && client.status(id).is_err(), "{id:?}");
    }
}
