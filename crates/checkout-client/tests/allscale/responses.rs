//! Answers that AllScale signs, and answers that somebody else has changed.

use checkout_auth::allscale::{SigningKey, headers, response};
use checkout_auth::{KeyRing, SecretString, Verifier};
use checkout_client::CallErrorKind;
use checkout_client::allscale::Client;
use checkout_sandbox::allscale::{Sandbox, Store};
use checkout_tables::Moment;
use checkout_transport::bytes::Bytes;
use checkout_transport::http::HeaderValue;
use checkout_transport::{BlockingTransport, Response, from_fn_blocking};

type Change = fn(&mut Response);

fn key(secret: &str) -> SigningKey {
    SigningKey::new("st_key", SecretString::from(secret.to_owned())).unwrap()
}

/// The outcome of a call whose answer is signed as AllScale signs, and then changed.
fn check(signed_with: &str, skew_seconds: i64, change: Change) -> String {
    let sandbox = Sandbox::builder().store(Store::new(key("st_secret"))).build();
    let clock = sandbox.clock().clone();
    let client = Client::builder(key("st_secret"))
        .signed_responses(Verifier::new(KeyRing::new("2026", key("st_secret"))))
        .clock(move || clock.now())
        .nonces(|| "n1".to_owned())
        .build()
        .unwrap();
    let signing = from_fn_blocking(|request| {
        let (path, body) = (request.uri().path().to_owned(), request.body().clone());
        let nonce = request.headers()[headers::NONCE].to_str().unwrap().to_owned();
        let mut response = sandbox.send_blocking(request)?;
        let timestamp = sandbox.clock().now().unix_seconds() + skew_seconds;
        let to_sign = response::Response {
            status: response.status().as_u16(),
            request_path: &path,
            request_nonce: &nonce,
            request_body: &body,
            timestamp,
            nonce: "r1",
            body: &response.body().clone(),
        };
        let signature = to_sign.sign(&key(signed_with)).unwrap();
        let signed = [
            (headers::RESPONSE_TIMESTAMP, timestamp.to_string()),
            (headers::RESPONSE_NONCE, "r1".to_owned()),
            (headers::RESPONSE_SIGNATURE, signature.to_string()),
        ];
        for (name, value) in signed {
            response.headers_mut().insert(name, HeaderValue::from_str(&value).unwrap());
        }
        change(&mut response);
        Ok(response)
    });
    let error = client.status("65b2f3d0d2d9c0a1b2c3d4e5").unwrap().send_blocking(&signing).unwrap_err();
    if let Some(code) = error.code() {
        return code.value().to_string();
    }
    assert!(matches!(error.kind(), CallErrorKind::NotAuthentic(_)), "{error:?}");
    assert!(error.may_have_been_processed(), "{error}");
    "not authentic".to_owned()
}

#[test]
fn an_answer_is_taken_only_as_it_was_signed() {
    let another_body: Change =
        |response| *response.body_mut() = Bytes::from_static(br#"{"code":0,"payload":20}"#);
    let another_status: Change = |response| *response.status_mut() = 200.try_into().unwrap();
    let unsigned: Change = |response| drop(response.headers_mut().remove(headers::RESPONSE_SIGNATURE));
    let doubled: Change = |response| {
        let again = response.headers()[headers::RESPONSE_SIGNATURE].clone();
        response.headers_mut().append(headers::RESPONSE_SIGNATURE, again);
    };
    for (signed_with, skew, change, expected) in [
        // A refusal is an answer too, and is signed.
        ("st_secret", 0, (|_| {}) as Change, "50001"),
        ("st_secret", -300, |_| {}, "50001"),
        ("st_secret", 300, |_| {}, "50001"),
        ("st_secret", -301, |_| {}, "not authentic"),
        ("st_secret", 301, |_| {}, "not authentic"),
        ("st_other", 0, |_| {}, "not authentic"),
        ("st_secret", 0, another_body, "not authentic"),
        ("st_secret", 0, another_status, "not authentic"),
        ("st_secret", 0, unsigned, "not authentic"),
        ("st_secret", 0, doubled, "not authentic"),
    ] {
        assert_eq!(check(signed_with, skew, change), expected, "{signed_with} {skew}");
    }
}

#[test]
fn the_answer_to_another_attempt_is_not_taken_for_this_one() {
    let client = Client::builder(key("st_secret"))
        .signed_responses(Verifier::new(KeyRing::new("2026", key("st_secret"))))
        .clock(|| Moment::from_unix_millis(1_716_501_000_000))
        .nonces(|| "unused".to_owned())
        .build()
        .unwrap();
    let body = br#"{"code":0,"payload":20}"#;
    let call = client.status("65b2f3d0d2d9c0a1b2c3d4e5").unwrap();
    let answer_to = |path: &str, nonce: &str| {
        let to_sign = response::Response {
            status: 200,
            request_path: path,
            request_nonce: nonce,
            request_body: b"",
            timestamp: 1_716_501_000,
            nonce: "r1",
            body,
        };
        let mut response = Response::new(Bytes::from_static(body));
        for (name, value) in [
            (headers::RESPONSE_TIMESTAMP, "1716501000"),
            (headers::RESPONSE_NONCE, "r1"),
            (headers::RESPONSE_SIGNATURE, to_sign.sign(&key("st_secret")).unwrap().as_str()),
        ] {
            response.headers_mut().insert(name, HeaderValue::from_str(value).unwrap());
        }
        let (_, reader) =
            call.attempt(Moment::from_unix_millis(1_716_501_000_000), "n1").unwrap().into_parts();
        reader.read(&response).is_ok()
    };
    assert!(answer_to(call.path(), "n1"));
    assert!(!answer_to(call.path(), "n2"));
    assert!(!answer_to("/v1/checkout_intents/another/status", "n1"));
}
