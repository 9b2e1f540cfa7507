//! The documented bodies, every kind of bad input, and the laws of reading.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    elided_lifetimes_in_paths,
    reason = "tests"
)]

use checkout_money::Cents;
use checkout_tables::Open;
use checkout_tables::allscale::{Currency, IntentStatus, Route, StableCoin};
use checkout_validate::PathSegment;
use checkout_validate::allscale::{Draft, Rules};
use checkout_wire::allscale::{
    CreatedIntent, Echo, Intent, Payload, Pong, create_body, path, read, read_capped, write,
};
use checkout_wire::{Head, JsonText, Reply};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::fmt::Debug;

/// As the page prints it.
const CREATED: &str = r#"{
  "code": 0,
  "payload": {
  "checkout_url": "https://checkout.allscale.io/abc123",
  "allscale_checkout_intent_id": "65b2f3d0d2d9c0a1b2c3d4e5",
  "amount_coins": "1.0000",
  "stable_coin_type": 1,
  "rate": "1.3500",
  "accepted_stable_coins": 1
  },
  "error": null,
  "request_id": "req_xxxxx"
}
"#;

/// As the page prints it.
const STATUS: &str = r#"{
  "code": 0,
  "payload": 2,
  "error": null,
  "request_id": "req_xxxxx"
}
"#;

/// Assumed: the page prints no body, so this one is built from its table of fields.
const INTENT: &str = r#"{
  "code": 0,
  "payload": {
    "all_scale_checkout_intent_id": "65b2f3d0d2d9c0a1b2c3d4e5",
    "currency": 44,
    "currency_symbol": "EUR",
    "amount_cents": 100,
    "chain_id": 56,
    "amount_coins": "1.0000",
    "coin_symbol": "USDT",
    "coin_contract": "0x55d398326f99059fF775485246999027B3197955",
    "currency_rate": "1.3500",
    "status": 20,
    "order_id": "order_123",
    "order_description": "Monthly subscription",
    "user_id": "user_456",
    "user_name": "Tom",
    "error_message": null,
    "tx_hash": "0xaaaa",
    "tx_hash_2": "0xbbbb",
    "tx_from": "0xcccc",
    "tx_to": "0xdddd",
    "actual_paid_amount": "1.0000",
    "service_fee_amount": "0.0050",
    "net_income_amount": "0.9950",
    "payment_method_type": 1
  },
  "error": null,
  "request_id": "req_xxxxx"
}
"#;

/// What a body reads as: the payload as it is written back, or the refusal, or the error.
fn check_as<'a, T: Payload<'a> + Debug>(status: u16, body: &'a [u8]) -> String {
    match read::<T>(&Head::new(status), body) {
        Ok(Reply::Done(answer)) => {
            let id = answer.request_id.as_deref().unwrap_or("none").to_owned();
            format!("done {} ({id})", serde_json::to_string(&answer.payload).unwrap())
        }
        Ok(Reply::Refused(refusal)) => refusal.to_string(),
        Ok(Reply::NotTheApi(other)) => other.to_string(),
        Err(error) => format!("error: {error}"),
    }
}

fn check(body: &str) -> String {
    check_as::<Open<IntentStatus>>(200, body.as_bytes())
}

#[test]
fn the_documented_create_reply_reads_as_the_page_says() {
    let Reply::Done(answer) = read::<CreatedIntent>(&Head::new(200), CREATED.as_bytes()).unwrap() else {
        panic!()
    };
    assert_eq!(answer.request_id.as_deref(), Some("req_xxxxx"));
    let created = answer.payload;
    assert_eq!(created.checkout_url, "https://checkout.allscale.io/abc123");
    assert_eq!(created.intent_id, "65b2f3d0d2d9c0a1b2c3d4e5");
    assert_eq!(created.amount_coins.to_string(), "1.0000");
    assert_eq!(created.stable_coin_type, Open::Known(StableCoin::USDT));
    assert_eq!(created.rate.unwrap().to_string(), "1.3500");
    assert_eq!(created.accepted_stable_coins.unwrap().iter().collect::<Vec<_>>(), [StableCoin::USDT]);
}

#[test]
fn the_documented_status_reply_is_a_bare_integer() {
    assert_eq!(check(STATUS), "done 2 (req_xxxxx)");
    let Reply::Done(answer) = read::<Open<IntentStatus>>(&Head::new(200), STATUS.as_bytes()).unwrap() else {
        panic!()
    };
    assert_eq!(answer.payload, Open::Known(IntentStatus::Viewed));
}

#[test]
fn every_field_of_the_intent_reads_as_an_independent_reader_reads_it() {
    let Reply::Done(answer) = read::<Intent>(&Head::new(200), INTENT.as_bytes()).unwrap() else { panic!() };
    let oracle: Value = serde_json::from_str(INTENT).unwrap();
    assert_eq!(serde_json::to_value(&answer.payload).unwrap(), oracle["payload"]);
    let intent = answer.payload;
    assert_eq!(intent.currency, Some(Open::Known(Currency::EUR)));
    assert_eq!(intent.currency_symbol.unwrap().known(), Some(Currency::EUR));
    assert_eq!(intent.amount_cents, Some(Cents::new(100)));
    assert_eq!(intent.status.known(), Some(IntentStatus::Confirmed));
    let fee = intent.service_fee_amount.unwrap();
    let net = intent.actual_paid_amount.unwrap().checked_sub(fee).unwrap();
    assert!(net.is_identical(intent.net_income_amount.unwrap()));
}

#[test]
fn the_documented_create_requests_are_written_as_the_page_prints_them() {
    let fiat = Draft::fiat(Currency::EUR, Cents::new(100))
        .order_id("order_123")
        .order_description("Monthly subscription")
        .user("user_456", "Tom")
        .redirect_url("https://example.com/checkout/allscale")
        .extra("{\n    \"source\": \"web\"\n  }");
    let body = create_body(&fiat.check(&Rules::default()).unwrap());
    // The page's body without its white space; the metadata keeps the white space that it was given.
    let documented = r#"{"currency":44,"amount_cents":100,"order_id":"order_123","order_description":"Monthly subscription","user_id":"user_456","user_name":"Tom","redirect_url":"https://example.com/checkout/allscale","extra":{
    "source": "web"
  }}"#;
    assert_eq!(String::from_utf8(body).unwrap(), documented);

    let native = Draft::coin(StableCoin::USDT, Cents::new(1_000))
        .order_id("order_124")
        .redirect_url("https://example.com/checkout/allscale");
    let body = create_body(&native.check(&Rules::default()).unwrap());
    let documented: Value = json!({
        "stable_coin": 1,
        "amount_cents": 1000,
        "order_id": "order_124",
        "redirect_url": "https://example.com/checkout/allscale"
    });
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), documented);
    let accepting = Draft::fiat(Currency::USD, Cents::new(100)).accept([StableCoin::USDC, StableCoin::USDT]);
    let body = create_body(&accepting.check(&Rules::default()).unwrap());
    assert_eq!(body, br#"{"currency":1,"amount_cents":100,"accepted_stable_coins":[2,1]}"#);
}

#[test]
fn paths_are_the_documented_ones_with_the_id_encoded() {
    let id = PathSegment::new("65b2f3d0d2d9c0a1b2c3d4e5").ok();
    assert_eq!(path(Route::Get, id), "/v1/checkout_intents/65b2f3d0d2d9c0a1b2c3d4e5");
    assert_eq!(path(Route::Status, id), "/v1/checkout_intents/65b2f3d0d2d9c0a1b2c3d4e5/status");
    assert_eq!(path(Route::Get, PathSegment::new("a/../b?c").ok()), "/v1/checkout_intents/a%2F..%2Fb%3Fc");
    assert_eq!(path(Route::Ping, None), "/v1/test/ping");
}

#[test]
fn both_spellings_of_the_id_are_read_and_must_agree() {
    let intent = |ids: &str| {
        let body = format!(r#"{{"code":0,"payload":{{{ids}"status":1,"amount_coins":"1"}}}}"#);
        check_as::<Intent>(200, Box::leak(body.into_boxed_str()).as_bytes())
    };
    let read = intent(r#""all_scale_checkout_intent_id":"a","#);
    assert!(read.starts_with(r#"done {"all_scale_checkout_intent_id":"a","#), "{read}");
    assert_eq!(intent(r#""allscale_checkout_intent_id":"a","#), read);
    assert_eq!(intent(r#""allscale_checkout_intent_id":"a","all_scale_checkout_intent_id":"a","#), read);
    assert_eq!(intent(r#""allscale_checkout_intent_id":"a","all_scale_checkout_intent_id":null,"#), read);
    let both = intent(r#""allscale_checkout_intent_id":"a","all_scale_checkout_intent_id":"b","#);
    assert!(both.starts_with("error: payload: the two spellings of the id differ"), "{both}");
    let none = intent("");
    assert!(none.starts_with("error: payload.all_scale_checkout_intent_id: missing"), "{none}");
    let created = CREATED.replace("allscale_checkout", "all_scale_checkout");
    assert!(check_as::<CreatedIntent>(200, created.as_bytes()).contains("65b2f3d0d2d9c0a1b2c3d4e5"));
}

#[test]
fn a_native_intent_has_no_fiat_fields_and_keeps_its_authority_in_coins() {
    for fiat in [r#""currency":null,"currency_symbol":null,"amount_cents":null,"currency_rate":null,"#, ""] {
        let body = format!(
            r#"{{"code":0,"payload":{{{fiat}"all_scale_checkout_intent_id":"a","status":1,"amount_coins":"10.000000","tx_to":null}}}}"#
        );
        let Reply::Done(answer) = read::<Intent>(&Head::new(200), body.as_bytes()).unwrap() else { panic!() };
        let intent = answer.payload;
        assert_eq!((intent.currency, intent.amount_cents, intent.currency_rate), (None, None, None));
        assert_eq!(intent.amount_coins.to_string(), "10.000000");
    }
}

#[test]
fn what_a_provider_may_add_is_kept_or_harmless() {
    assert_eq!(check(r#"{"code":0,"payload":6,"request_id":"r"}"#), "done 6 (r)");
    assert_eq!(
        check(r#"{"new":[{"code":1}],"code":0,"payload":-9223372036854775808}"#),
        "done -9223372036854775808 (none)"
    );
    assert_eq!(
        check(r#"{"code":70001,"payload":{"a":1},"request_id":"r"}"#),
        "refused with code 70001 (request id r)"
    );
    let created = r#"{"code":0,"payload":{"checkout_url":"u","allscale_checkout_intent_id":"i","amount_coins":"1.0000",
        "stable_coin_type":11,"accepted_stable_coins":18446744073709551615,"new":{"rate":[]}}}"#;
    let Reply::Done(answer) = read::<CreatedIntent>(&Head::new(200), created.as_bytes()).unwrap() else {
        panic!()
    };
    assert_eq!(answer.payload.stable_coin_type.value(), 11);
    assert_eq!(answer.payload.accepted_stable_coins.unwrap().bits(), u64::MAX);
}

#[test]
fn a_refusal_is_told_by_its_code_whatever_the_http_status_and_the_payload_are() {
    for status in [200, 201, 400, 404, 429, 500] {
        let refused = |body: &'static str| check_as::<Open<IntentStatus>>(status, body.as_bytes());
        assert_eq!(
            refused(
                r#"{"code":50002,"payload":null,"error":{"message":"amount must be greater than 0.1 USDT!"},"request_id":"r"}"#
            ),
            "refused with code 50002: amount must be greater than 0.1 USDT! (request id r)"
        );
        assert_eq!(
            refused(r#"{"code":20002,"payload":{},"error":null}"#),
            "refused with code 20002: invalid signature"
        );
        assert_eq!(refused(r#"{"code":10001,"payload":"x"}"#), "refused with code 10001: validation error");
        assert_eq!(refused(r#"{"code":10001,"error":"too bad"}"#), "refused with code 10001: too bad");
        assert_eq!(refused(r#"{"code":10001,"error":[1]}"#), "refused with code 10001: validation error");
        assert_eq!(refused(r#"{"code":0,"payload":2}"#), "done 2 (none)");
    }
    let body = r#"{"code":10001,"error":{"message":"no","details":{"x":[1, 2.50]},"hint":"y"}}"#;
    let Reply::Refused(refusal) = read::<Pong>(&Head::new(400), body.as_bytes()).unwrap() else { panic!() };
    assert_eq!(refusal.details.unwrap().as_str(), r#"{"x":[1, 2.50]}"#);
    assert_eq!(refusal.error.unwrap().as_str(), r#"{"message":"no","details":{"x":[1, 2.50]},"hint":"y"}"#);
}

#[test]
fn what_is_not_the_apis_is_told_with_its_status() {
    let other = |status: u16, body: &'static [u8]| check_as::<Open<IntentStatus>>(status, body);
    for (status, body) in [
        (502, &b"<html><h1>Bad Gateway</h1></html>"[..]),
        (401, b""),
        (200, b""),
        (204, b""),
        (200, b"OK"),
        (200, b"[1]"),
        (200, b"2"),
        (200, b"\xff\xfe"),
        (200, b"\xef\xbb\xbf{\"code\":0}"),
        (302, br#"{"code":0,"payload":2}"#),
        (301, b""),
        (403, br#"{"message":"Forbidden"}"#),
        (500, br#"{"code":"E1"}"#),
        (500, br#"{"code":0,"payload":"#),
        (503, b"{\xff}"),
    ] {
        assert_eq!(
            other(status, body),
            format!("not an answer of the API's: HTTP status {status}"),
            "{body:?}"
        );
    }
    let long = vec![b'x'; 4_096];
    let head = Head { content_type: Some("text/html"), retry_after: Some("120"), ..Head::new(503) };
    let Reply::NotTheApi(other) = read::<Pong>(&head, &long).unwrap() else { panic!() };
    assert_eq!((other.excerpt.as_str().len(), other.retry_after.as_deref()), (512, Some("120")));
}

#[test]
fn bad_input_is_a_clear_error_with_path_and_position() {
    let t = "not of the documented type, which is";
    // The body, the token that is wrong, and what is said of it.
    let rows = [
        (r#"{"code":0,"payload":{"status":2}}"#, "{\"s", format!("payload: {t} i64")),
        (r#"{"code":0,"payload":"2"}"#, "\"2\"", format!("payload: {t} i64")),
        (r#"{"code":0,"payload":2.0}"#, "2.0", format!("payload: {t} i64")),
        (r#"{"code":0,"payload":true}"#, "true", format!("payload: {t} i64")),
        (r#"{"code":0,"payload":9223372036854775808}"#, "9223372036854775808", format!("payload: {t} i64")),
        (r#"{"code":0,"payload":1e400}"#, "1e400", "payload: a number that 64 bits do not hold".into()),
        (r#"{"code":0,"payload":null}"#, "}", "payload: missing".into()),
        (r#"{"code":0}"#, "}", "payload: missing".into()),
        (r#"{"payload":2}"#, "}", "code: missing".into()),
        (r#"{"code":null,"payload":2}"#, "null", format!("code: {t} i64")),
        (r#"{"code":"0","payload":2}"#, "\"0\"", format!("code: {t} i64")),
        (r#"{"code":0,"payload":2,"payload":3}"#, "\"payload\":3", "payload: stands twice".into()),
        (r#"{"code":0,"payload":2,"code":0}"#, "\"code\":0}", "code: stands twice".into()),
        (r#"{"code":0,"payload":2,"request_id":7}"#, "7", format!("request_id: {t} a string or null")),
        (r#"{"code":0,"payload":2"#, "2", "ends too early".into()),
        (r#"{"code":0,"payload":"#, "\"payload\":", "payload: ends too early".into()),
        (r#"{"code":0,"payload":2}}"#, "}}", "not JSON".into()),
        (r#"{"code":0,"payload":02}"#, "02", "payload: not JSON".into()),
        ("{\"code\":0,\n \"payload\":x}", "x", "payload: not JSON".into()),
        (r#"{'code':0}"#, "'", "not JSON".into()),
    ];
    for (body, token, expected) in rows {
        let error = read::<Open<IntentStatus>>(&Head::new(200), body.as_bytes()).unwrap_err();
        let said = error.to_string();
        assert_eq!(said, format!("{expected}, at byte {}", error.at()), "{body}");
        // The reader stops within the token, or one byte beside it.
        let start = if token.starts_with('"') { body.rfind(token) } else { body.find(token) }.unwrap();
        assert!((start.saturating_sub(1)..=start + token.len()).contains(&error.at()), "{body}: {said}");
    }
    assert_eq!(check_as::<Pong>(200, b"{\"code\":0,\"\xff\":1}"), "error: not UTF-8, at byte 11");
}

#[test]
fn a_list_is_no_object_even_if_it_has_a_value_for_each_field() {
    fn payload<'a, T: Payload<'a> + Debug>(payload: &str) -> String {
        let body = format!(r#"{{"code":0,"payload":{payload},"request_id":"r"}}"#);
        check_as::<T>(200, body.leak().as_bytes())
    }
    let said = "error: payload: not of the documented type, which is an object, at byte";
    for list in ["[]", r#"["ok"]"#, r#"["u","i",null,"1.0000",1,"1.3500",1]"#, r#""ok""#, "7", "true"] {
        for said_here in [
            payload::<Pong>(list),
            payload::<Echo>(list),
            payload::<CreatedIntent>(list),
            payload::<Intent>(list),
        ] {
            assert!(said_here.starts_with(said), "{list}: {said_here}");
        }
    }
    // An error object neither.
    let body = br#"{"code":10001,"error":["no",{"x":1}],"request_id":"r"}"#;
    let Reply::Refused(refusal) = read::<Pong>(&Head::new(400), body).unwrap() else { panic!() };
    assert_eq!((refusal.message, refusal.details), (None, None));
    assert_eq!(refusal.error.unwrap().as_str(), r#"["no",{"x":1}]"#);
}

#[test]
fn bad_payloads_name_the_field() {
    let with = |field: &str, value: &str| {
        let mut body: Value = serde_json::from_str(INTENT).unwrap();
        body["payload"][field] = serde_json::from_str(value).unwrap();
        let said = check_as::<Intent>(200, Box::leak(body.to_string().into_boxed_str()).as_bytes());
        said.rsplit_once(", at byte").map_or(said.clone(), |(said, _)| said.to_owned())
    };
    for field in ["amount_cents", "currency", "status", "payment_method_type"] {
        assert_eq!(
            with(field, "\"1\""),
            format!("error: payload.{field}: not of the documented type, which is i64")
        );
    }
    assert_eq!(with("chain_id", "-1"), "error: payload.chain_id: not of the documented type, which is u64");
    for field in ["amount_coins", "actual_paid_amount", "currency_rate"] {
        let number = with(field, "1.0");
        assert!(
            number.starts_with(&format!("error: payload.{field}: not of the documented type")),
            "{number}"
        );
        let text = with(field, "\"1,0\"");
        assert!(text.starts_with(&format!("error: payload.{field}: ")), "{text}");
        assert!(!text.contains("1,0"), "{text}");
    }
    assert_eq!(with("amount_coins", "null").split(": not").next(), Some("error: payload.amount_coins"));
    assert_eq!(with("status", "null"), "error: payload.status: not of the documented type, which is i64");
    assert_eq!(
        with("user_name", "[\"Tom\"]"),
        "error: payload.user_name: not of the documented type, which is a string or null"
    );
    assert_eq!(
        with("order_id", "7"),
        "error: payload.order_id: not of the documented type, which is a string or null"
    );
}

#[test]
fn no_error_and_no_debug_repeats_what_a_payer_is() {
    let secret = "0x9fBDa871d559710256a2502A2517b794B482Db40";
    for field in ["user_id", "user_name", "tx_from"] {
        let mut body: Value = serde_json::from_str(INTENT).unwrap();
        body["payload"][field] = json!(secret);
        let body = body.to_string();
        let debug = format!("{:?}", read::<Intent>(&Head::new(200), body.as_bytes()).unwrap());
        assert!(!debug.contains(secret), "{field}: {debug}");
    }
    // A value of the wrong type is quoted by the parser below, and must not be by us.
    for body in [
        format!(r#"{{"code":0,"payload":"{secret}"}}"#),
        format!(r#"{{"code":"{secret}","payload":2}}"#),
        format!(r#"{{"code":0,"payload":", expected {secret}"}}"#),
        format!(r#"{{"code":0,"payload":{{"amount_coins":"{secret}"}}}}"#),
        format!(r#"{{"code":0,"payload":{{"status":"{secret}"}}}}"#),
    ] {
        for error in [
            read::<Open<IntentStatus>>(&Head::new(200), body.as_bytes()).unwrap_err(),
            read::<Intent>(&Head::new(200), body.as_bytes()).unwrap_err(),
        ] {
            assert!(!format!("{error} {error:?}").contains(secret), "{error:?}");
        }
    }
}

#[test]
fn deep_nesting_is_an_error_and_not_a_crash_wherever_it_is() {
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    for body in [
        format!(r#"{{"code":0,"payload":2,"new":{}}}"#, deep(200_000)),
        format!(r#"{{"code":0,"payload":{}}}"#, deep(100)),
        format!(r#"{{"code":0,"payload":2,"error":{{"details":{}}}}}"#, deep(100)),
        r#"{"a":"#.repeat(100_000),
    ] {
        assert!(check(Box::leak(body.into_boxed_str())).starts_with("error: nested deeper than 64, at byte"));
    }
    // The limit counts the envelope, and brackets in texts are no nesting.
    assert_eq!(check(&format!(r#"{{"code":0,"payload":2,"new":{}}}"#, deep(63))), "done 2 (none)");
    assert!(check(&format!(r#"{{"code":0,"payload":2,"new":{}}}"#, deep(64))).contains("nested deeper"));
    assert_eq!(
        check(&format!(r#"{{"code":0,"payload":2,"new":"{}\"{}"}}"#, "[".repeat(500), "{".repeat(500))),
        "done 2 (none)"
    );
    assert_eq!(
        check(&format!(r#"{{"code":0,"payload":2,"new":[{}[]]}}"#, "[],".repeat(500))),
        "done 2 (none)"
    );
}

#[test]
fn a_body_of_the_cap_is_read_and_one_byte_more_is_not() {
    let body = STATUS.as_bytes();
    assert!(read_capped::<Open<IntentStatus>>(&Head::new(200), body, body.len()).is_ok());
    let error = read_capped::<Open<IntentStatus>>(&Head::new(200), body, body.len() - 1).unwrap_err();
    assert_eq!(error.to_string(), format!("longer than {0} bytes, at byte {0}", body.len() - 1));
    let huge = [b"{", vec![b' '; 1 << 20].as_slice()].concat();
    assert!(
        read::<Pong>(&Head::new(200), &huge)
            .unwrap_err()
            .to_string()
            .starts_with("longer than 1048576 bytes")
    );
}

#[test]
fn texts_are_borrowed_where_the_body_has_them_in_one_piece() {
    let body = CREATED.replace("abc123", r"a\u0062c123");
    let Reply::Done(answer) = read::<CreatedIntent>(&Head::new(200), body.as_bytes()).unwrap() else {
        panic!()
    };
    assert!(matches!(answer.payload.intent_id, std::borrow::Cow::Borrowed(_)));
    assert!(matches!(answer.payload.checkout_url, std::borrow::Cow::Owned(_)));
    assert_eq!(answer.payload.checkout_url, "https://checkout.allscale.io/abc123");
    assert!(matches!(answer.request_id, Some(std::borrow::Cow::Borrowed(_))));
    let owned = answer.payload.clone().into_owned();
    assert_eq!(owned, answer.payload);
}

/// The law that the fuzz targets assert too: what was read, written back, reads the same.
fn reads_the_same<'a, T: Payload<'a> + PartialEq + Debug>(
    status: u16,
    body: &'a [u8],
) -> Result<(), TestCaseError>
where
    T::Owned: Debug,
{
    let head = Head::new(status);
    if let Ok(reply) = read::<T>(&head, body)
        && let Some(written) = write(&reply)
    {
        // Every envelope is an envelope under a status of success.
        let written: &'a [u8] = Box::leak(written.into_boxed_slice());
        let again = read::<T>(&Head::new(200), written);
        prop_assert_eq!(again.as_ref(), Ok(&reply));
        let twice = write(&again.unwrap());
        prop_assert_eq!(twice.as_deref(), Some(written));
    }
    Ok(())
}

fn all_read_the_same(status: u16, body: &'static [u8]) -> Result<(), TestCaseError> {
    reads_the_same::<CreatedIntent>(status, body)?;
    reads_the_same::<Intent>(status, body)?;
    reads_the_same::<Open<IntentStatus>>(status, body)?;
    reads_the_same::<Pong>(status, body)?;
    reads_the_same::<Echo>(status, body)?;
    reads_the_same::<JsonText>(status, body)
}

fn leaked(body: impl Into<Vec<u8>>) -> &'static [u8] {
    Box::leak(body.into().into_boxed_slice())
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        prop::sample::select(vec![0, 1, 2, 20, -5, 44, 10001]).prop_map(Value::from),
        prop::sample::select(vec!["1.0000", "0.1", "USD", "USDT", "ok"]).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    let keys = prop_oneof![
        4 => prop::sample::select(vec![
            "code", "payload", "error", "request_id", "message", "details", "status", "amount_coins", "pong", "rate",
            "all_scale_checkout_intent_id", "allscale_checkout_intent_id", "checkout_url", "stable_coin_type",
            "accepted_stable_coins", "currency_symbol", "user_name", "extra", "your_request_body", "chain_id",
        ])
        .prop_map(String::from),
        1 => any::<String>(),
    ];
    leaf.prop_recursive(4, 64, 12, move |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            4 => prop::collection::btree_map(keys.clone(), inner, 0..12)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn reading_is_total_over_all_bytes(status in any::<u16>(), body: Vec<u8>, start in prop::bool::ANY) {
        let body = if start { [b"{", body.as_slice()].concat() } else { body };
        all_read_the_same(status, leaked(body))?;
    }

    #[test]
    fn reading_is_total_over_documented_bodies_with_a_byte_changed(at in 0..2_000usize, byte: u8, status in 0..3usize) {
        for document in [CREATED, STATUS, INTENT] {
            let mut body = document.as_bytes().to_vec();
            let at = at % body.len();
            body[at] = byte;
            all_read_the_same([200, 400, 500][status], leaked(body))?;
        }
    }

    #[test]
    fn reading_is_total_over_json_and_accepts_nothing_that_an_independent_reader_refuses(
        payload in any_json(), code in prop_oneof![Just(json!(0)), any_json()], id in any_json()
    ) {
        let body = json!({"code": code, "payload": payload, "error": payload, "request_id": id});
        let bytes = leaked(body.to_string());
        all_read_the_same(200, bytes)?;
        if let Ok(Reply::Done(answer)) = read::<Open<IntentStatus>>(&Head::new(200), bytes) {
            prop_assert_eq!(body["code"].as_i64(), Some(0));
            prop_assert_eq!(body["payload"].as_i64(), Some(answer.payload.value()));
            prop_assert_eq!(body["request_id"].as_str(), answer.request_id.as_deref());
        } else {
            let id_ok = id.is_null() || id.is_string();
            prop_assert!(!(code == json!(0) && payload.as_i64().is_some() && id_ok));
        }
    }

    #[test]
    fn every_status_integer_survives_the_envelope(value: i64) {
        let body = format!(r#"{{"code":0,"payload":{value}}}"#);
        let Ok(Reply::Done(answer)) = read::<Open<IntentStatus>>(&Head::new(200), body.as_bytes()) else {
            return Err(TestCaseError::fail("not read"));
        };
        prop_assert_eq!(answer.payload.value(), value);
    }

    #[test]
    fn a_create_body_says_what_the_draft_said(
        order_id in prop::option::of(".*"), name in ".*", amount in 11..i64::MAX, native: bool,
        extra in prop::option::of(prop::collection::btree_map(".*", any_json(), 0..4)),
    ) {
        let amount_cents = Cents::new(amount);
        let mut draft = match native {
            true => Draft::coin(StableCoin::USDC, amount_cents),
            false => Draft::fiat(Currency::ZWL, amount_cents),
        };
        draft = draft.user("u", name.clone());
        draft.order_id = order_id.clone().map(Into::into);
        let extra = extra.map(|map| Value::Object(map.into_iter().collect()));
        draft.extra = extra.as_ref().map(|extra| extra.to_string().into());
        let Ok(intent) = draft.check(&Rules::default()) else { return Ok(()) };
        let body: Value = serde_json::from_slice(&create_body(&intent)).unwrap();
        let mut expected = json!({"amount_cents": amount, "user_id": "u", "user_name": name});
        let (key, value) = if native { ("stable_coin", 2) } else { ("currency", 163) };
        expected[key] = json!(value);
        if let Some(order_id) = order_id {
            expected["order_id"] = json!(order_id);
        }
        if let Some(extra) = extra {
            expected["extra"] = extra;
        }
        prop_assert_eq!(body, expected);
    }
}
