//! The documented bodies, every kind of bad input, and the laws of reading.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    elided_lifetimes_in_paths,
    reason = "tests"
)]

use checkout_money::Cents;
use checkout_tables::Open;
use checkout_tables::allscale::{Currency, IntentStatus, Route, StableCoin};
use checkout_validate::PathSegment;
use checkout_validate::allscale::Draft;
use checkout_wire::allscale::{
    CreatedIntent, Echo, Intent, Payload, Pong, create_body, path, read, read_capped, read_webhook, write,
};
use checkout_wire::{Answer, Head, JsonText, ReadErrorKind, Reply, Verbatim};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::fmt::Debug;

/// The page's example.
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

/// The page's example.
const STATUS: &str = r#"{
  "code": 0,
  "payload": 2,
  "error": null,
  "request_id": "req_xxxxx"
}
"#;

/// Assumed: the page prints no body, so this body is built from the page's table of fields.
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

/// The reading of a body: the payload as written back, or the refusal, or the error.
fn check_as<'a, T: Payload<'a> + Debug>(status: u16, body: &'a [u8]) -> String {
    match read::<T>(&Head::new(status), body) {
        Ok(Reply::Done(answer)) => {
            let id = answer.request_id.as_deref().unwrap_or("none").to_owned();
            format!("done {} ({id})", serde_json::to_string(&answer.payload).unwrap())
        }
        Ok(Reply::Refused(refusal)) => refusal.to_string(),
        Ok(Reply::UnexpectedResponse(other)) => other.to_string(),
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
    assert_eq!(created.checkout_url.as_str(), "https://checkout.allscale.io/abc123");
    assert_eq!(created.intent_id, "65b2f3d0d2d9c0a1b2c3d4e5");
    assert_eq!(created.amount_coins.to_string(), "1.0000");
    assert_eq!(created.stable_coin_type, Open::Known(StableCoin::USDT));
    assert_eq!(created.rate.unwrap().known().unwrap().to_string(), "1.3500");
    let accepted = created.accepted_stable_coins.unwrap().known().unwrap();
    assert_eq!(accepted.iter().collect::<Vec<_>>(), [StableCoin::USDT]);
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
    assert_eq!(intent.currency_rate.unwrap().known().unwrap().to_string(), "1.3500");
    assert_eq!(intent.status.known(), Some(IntentStatus::Confirmed));
    let fee = intent.service_fee_amount.unwrap().known().unwrap();
    let net = intent.actual_paid_amount.unwrap().checked_sub(fee).unwrap();
    assert!(net.is_identical(intent.net_income_amount.unwrap().known().unwrap()));
}

#[test]
fn the_documented_create_requests_are_written_as_the_page_prints_them() {
    let fiat = Draft::fiat(Currency::EUR, Cents::new(100))
        .order_id("order_123")
        .order_description("Monthly subscription")
        .user("user_456", "Tom")
        .redirect_url("https://example.com/checkout/allscale")
        .extra("{\n    \"source\": \"web\"\n  }");
    let body = create_body(&fiat.check().unwrap());
    // The page's body without white space; the metadata keeps its own white space.
    let documented = r#"{"currency":44,"amount_cents":100,"order_id":"order_123","order_description":"Monthly subscription","user_id":"user_456","user_name":"Tom","redirect_url":"https://example.com/checkout/allscale","extra":{
    "source": "web"
  }}"#;
    assert_eq!(String::from_utf8(body).unwrap(), documented);

    let native = Draft::coin(StableCoin::USDT, Cents::new(1_000))
        .order_id("order_124")
        .redirect_url("https://example.com/checkout/allscale");
    let body = create_body(&native.check().unwrap());
    let documented: Value = json!({
        "stable_coin": 1,
        "amount_cents": 1000,
        "order_id": "order_124",
        "redirect_url": "https://example.com/checkout/allscale"
    });
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), documented);
    let accepting = Draft::fiat(Currency::USD, Cents::new(100)).accept([StableCoin::USDC, StableCoin::USDT]);
    let body = create_body(&accepting.check().unwrap());
    assert_eq!(body, br#"{"currency":1,"amount_cents":100,"accepted_stable_coins":[2,1]}"#);
}

#[test]
fn paths_are_the_documented_ones_with_the_id_encoded_and_there_is_none_where_the_id_does_not_fit() {
    let id = PathSegment::new("65b2f3d0d2d9c0a1b2c3d4e5").ok();
    let odd = PathSegment::new("a/../b?c").ok();
    let rows = [
        (Route::Create, None, Some("/v1/checkout_intents/")),
        (Route::Get, id, Some("/v1/checkout_intents/65b2f3d0d2d9c0a1b2c3d4e5")),
        (Route::Get, odd, Some("/v1/checkout_intents/a%2F..%2Fb%3Fc")),
        (Route::Status, id, Some("/v1/checkout_intents/65b2f3d0d2d9c0a1b2c3d4e5/status")),
        (Route::Ping, None, Some("/v1/test/ping")),
        (Route::Fail, None, Some("/v1/test/fail")),
        (Route::Post, None, Some("/v1/test/post")),
        // No path where the id is missing, and no path that would leave an id out.
        (Route::Get, None, None),
        (Route::Status, None, None),
        (Route::Create, id, None),
        (Route::Ping, id, None),
        (Route::Fail, id, None),
        (Route::Post, id, None),
    ];
    for (route, id, expected) in rows {
        assert_eq!(path(route, id).as_deref(), expected, "{route:?}");
    }
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
fn an_addition_of_the_provider_is_kept_or_harmless() {
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
    assert_eq!(answer.payload.accepted_stable_coins.unwrap().known().unwrap().bits(), u64::MAX);
}

#[test]
fn a_refusal_is_recognized_by_its_code_under_every_http_status_and_payload() {
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
fn a_foreign_response_is_reported_with_its_status() {
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
        (500, br#"{"code":null}"#),
        (500, br#"{"code":1.0}"#),
        (500, br#"{"code":[10001],"error":{"code":10001}}"#),
        (500, br#"{"code":0,"payload":"#),
        (500, br#"{"code":10001}}"#),
        (502, br#"{"code":10001,"error":{"message":"#),
        (503, b"{\xff}"),
        (503, b"{\"message\":\"\xff\"}"),
    ] {
        let redirect = if matches!(status, 301 | 302) { ", a redirect, which is not followed" } else { "" };
        assert_eq!(
            other(status, body),
            format!("not an answer of the API's: HTTP status {status}{redirect}"),
            "{body:?}"
        );
    }
    let long = vec![b'x'; 4_096];
    let head = Head { content_type: Some("text/html"), retry_after: Some("120"), ..Head::new(503) };
    let Reply::UnexpectedResponse(other) = read::<Pong>(&head, &long).unwrap() else { panic!() };
    assert_eq!((other.excerpt.as_str().len(), other.retry_after.as_deref()), (512, Some("120")));
}

#[test]
fn bad_input_is_a_clear_error_with_path_and_position() {
    let t = "not of the documented type, which is";
    // The body, the wrong token, and the report on the token.
    let rows = [
        (r#"{"code":0,"payload":{"status":2}}"#, "{\"s", format!("payload: {t} i64")),
        (r#"{"code":0,"payload":"2"}"#, "\"2\"", format!("payload: {t} i64")),
        (r#"{"code":0,"payload":2.0}"#, "2.0", format!("payload: {t} i64")),
        (r#"{"code":0,"payload":true}"#, "true", format!("payload: {t} i64")),
        (r#"{"code":0,"payload":9223372036854775808}"#, "9223372036854775808", format!("payload: {t} i64")),
        (
            r#"{"code":0,"payload":18446744073709551616}"#,
            "18446744073709551616",
            "payload: a number that 64 bits do not hold".into(),
        ),
        (
            r#"{"code":-18446744073709551616 ,"payload":2}"#,
            "-18446744073709551616",
            "code: a number that 64 bits do not hold".into(),
        ),
        (r#"{"code":0,"payload":-0}"#, "-0", format!("payload: {t} i64")),
        (r#"{"code":0,"payload":1e30}"#, "1e30", format!("payload: {t} i64")),
        (r#"{"code":0,"payload":1e400}"#, "1e400", "payload: a number that 64 bits do not hold".into()),
        (r#"{"code":0,"payload":null}"#, "}", "payload: missing".into()),
        (r#"{"code":0}"#, "}", "payload: missing".into()),
        (r#"{"payload":2}"#, "}", "code: missing".into()),
        (r#"{"code":null,"payload":2}"#, "null", format!("code: {t} i64")),
        (r#"{"code":"0","payload":2}"#, "\"0\"", format!("code: {t} i64")),
        (r#"{"code":0,"payload":2,"payload":3}"#, "\"payload\":3", "payload: stands twice".into()),
        (r#"{"code":0,"payload":2,"code":0}"#, "\"code\":0}", "code: stands twice".into()),
        (r#"{"code":10001,"error":null,"error":{}}"#, "\"error\":{}", "error: stands twice".into()),
        (r#"{"code":0,"payload":2,"error":{"message":"m"}}"#, "{\"m", "error: an error beside code 0".into()),
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
fn a_list_is_no_object_even_with_a_value_for_each_field() {
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
        let said = check_as::<Intent>(200, leaked(body.to_string()));
        said.rsplit_once(", at byte").map_or(said.clone(), |(said, _)| said.to_owned())
    };
    for field in ["amount_cents", "currency", "status"] {
        assert_eq!(
            with(field, "\"1\""),
            format!("error: payload.{field}: not of the documented type, which is i64")
        );
    }
    for field in ["amount_coins", "actual_paid_amount"] {
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
        with("order_id", "7"),
        "error: payload.order_id: not of the documented type, which is a string or null"
    );
    for field in ["currency_symbol", "coin_symbol", "all_scale_checkout_intent_id"] {
        let said = with(field, "7");
        assert!(said.starts_with(&format!("error: payload.{field}: not of the documented type")), "{said}");
    }
}

/// Values that can stand in the place of a documented value.
const ANYTHING: [&str; 18] = [
    "0.30",
    "7",
    "-1",
    "1.50",
    "1e400",
    "18446744073709551616",
    "true",
    "false",
    "[]",
    "{}",
    r#"[1.50, null]"#,
    r#"{"a": 1.50, "a":2}"#,
    r#""""#,
    r#""text""#,
    r#""0.30""#,
    r#""0,30""#,
    r#""56""#,
    r#""\ud800""#,
];

/// The fields of the page's list that settle no order.
const DECIDE_NOTHING: [&str; 16] = [
    "chain_id",
    "coin_contract",
    "currency_rate",
    "order_description",
    "user_id",
    "user_name",
    "error_message",
    "tx_hash",
    "tx_hash_2",
    "tx_from",
    "tx_to",
    "service_fee_amount",
    "net_income_amount",
    "payment_method_type",
    "extra",
    "unheard_of",
];

/// Reads a paid intent with another value of one field.
fn with_field(field: &str, value: &str) {
    let mut fields: Vec<(String, String)> = Vec::new();
    let documented: Value = serde_json::from_str(INTENT).unwrap();
    for (key, value) in documented["payload"].as_object().unwrap() {
        if key != field {
            fields.push((key.clone(), value.to_string()));
        }
    }
    fields.push((field.to_owned(), value.to_owned()));
    let fields: Vec<_> = fields.iter().map(|(key, value)| format!(r#""{key}":{value}"#)).collect();
    let body = leaked(format!(r#"{{"code":0,"payload":{{{}}},"request_id":"r"}}"#, fields.join(",")));
    let reply = read::<Intent>(&Head::new(200), body);
    let reply = reply.unwrap_or_else(|error| panic!("{field} {value}: {error}"));
    let Reply::Done(answer) = &reply else { panic!("{field} {value}: {reply:?}") };
    // The fields that decide are there, with any value beside them.
    assert_eq!(answer.payload.status, Open::Known(IntentStatus::Confirmed), "{field} {value}");
    assert_eq!(
        answer.payload.actual_paid_amount.unwrap().to_string(),
        documented["payload"]["actual_paid_amount"]
    );
    let written = String::from_utf8(write(&reply).unwrap()).unwrap();
    // The field has the very text that came.
    if field != "unheard_of" && value != "null" {
        assert!(written.contains(&format!(r#""{field}":{value}"#)), "{field} {value}: {written}");
    }
    let owned = String::from_utf8(write(&reply.clone().map_owned(Payload::into_owned)).unwrap()).unwrap();
    assert_eq!(owned, written);
}

#[test]
fn a_field_that_decides_nothing_is_carried_with_any_value() {
    for field in DECIDE_NOTHING {
        for value in ANYTHING.into_iter().chain(["null"]) {
            with_field(field, value);
        }
    }
}

#[test]
fn a_created_intent_is_read_with_any_rate_and_mask() {
    for field in ["rate", "accepted_stable_coins", "unheard_of"] {
        for value in ANYTHING.into_iter().chain(["null", "[1,2]", "4294967296"]) {
            let body = format!(
                r#"{{"code":0,"payload":{{"checkout_url":"https://c.example/1","allscale_checkout_intent_id":"65b2",
                "amount_coins":"1.0000","stable_coin_type":1,"{field}":{value}}}}}"#
            );
            let reply = read::<CreatedIntent>(&Head::new(200), leaked(body)).unwrap();
            let Reply::Done(answer) = &reply else { panic!("{field} {value}: {reply:?}") };
            assert_eq!(answer.payload.intent_id, "65b2");
            let written = String::from_utf8(write(&reply).unwrap()).unwrap();
            let carried = format!(r#""{field}":{value}"#);
            assert!(field == "unheard_of" || written.contains(&carried), "{written}");
        }
    }
}

#[test]
fn a_webhook_is_read_with_any_values_beside_its_ids() {
    let fields = [
        "amount_cents",
        "currency",
        "currency_symbol",
        "amount_coins",
        "coin_symbol",
        "coin_contract_address",
        "chain_id",
        "tx_hash",
        "tx_from",
        "payment_method_type",
        "order_id",
        "user_id",
        "user_name",
        "extra_obj",
    ];
    for field in fields {
        for value in ANYTHING {
            let body = format!(
                r#"{{"all_scale_transaction_id":"t","all_scale_checkout_intent_id":"65b2","webhook_id":"w","{field}":{value}}}"#
            );
            let webhook =
                read_webhook(leaked(body)).unwrap_or_else(|error| panic!("{field} {value}: {error}"));
            assert_eq!((&*webhook.transaction_id, &*webhook.intent_id), ("t", "65b2"));
            // Nothing is lost: the value is there as it came.
            for webhook in [webhook.clone(), webhook.into_owned()] {
                let written = serde_json::to_string(&webhook).unwrap();
                assert!(written.contains(&format!(r#""{field}":{value}"#)), "{field} {value}: {written}");
            }
        }
    }
    for field in ["all_scale_transaction_id", "all_scale_checkout_intent_id", "webhook_id"] {
        for value in ["7", "null", "{}", "[]", "true"] {
            let ids = ["all_scale_transaction_id", "all_scale_checkout_intent_id", "webhook_id"];
            let ids = ids.map(|id| format!(r#""{id}":{}"#, if id == field { value } else { r#""i""# }));
            let error = read_webhook(leaked(format!("{{{}}}", ids.join(",")))).unwrap_err();
            assert_eq!(error.path(), field, "{value}: {error}");
        }
    }
}

#[test]
fn an_envelope_is_read_with_any_request_id() {
    for (id, read) in [("7", "7"), ("18446744073709551615", "18446744073709551615"), (r#""r""#, "r")] {
        let printed = check(&format!(r#"{{"code":0,"payload":20,"request_id":{id}}}"#));
        assert_eq!(printed, format!("done 20 ({read})"));
    }
    for id in ANYTHING.into_iter().filter(|id| !id.starts_with('"') && *id != "7") {
        assert_eq!(
            check(&format!(r#"{{"code":0,"payload":20,"request_id":{id}}}"#)),
            "done 20 (none)",
            "{id}"
        );
    }
}

#[test]
fn a_number_beyond_64_bits_is_an_error_where_an_integer_is_due() {
    let with = |field: &str, value: &str| {
        let body = format!(
            r#"{{"code":0,"payload":{{"all_scale_checkout_intent_id":"i","{field}":{value},"status":1}}}}"#
        );
        let said = check_as::<Intent>(200, leaked(body));
        said.split_once(", at byte").map_or(said.clone(), |(said, _)| said.to_owned())
    };
    for huge in ["18446744073709551616", "-9223372036854775809", "1000000000000000000000000000000"] {
        for field in ["amount_cents", "currency"] {
            assert_eq!(
                with(field, huge),
                format!("error: payload.{field}: a number that 64 bits do not hold")
            );
        }
        // Where a text is due, the length of the number does not matter.
        assert_eq!(
            with("amount_coins", huge),
            "error: payload.amount_coins: not of the documented type, which is a string that holds a decimal number"
        );
    }
    for number in ["9223372036854775808", "-0", "1.0", "1e3", "-1E+19", "18446744073709551616.0"] {
        let said = with("amount_cents", number);
        assert_eq!(said, "error: payload.amount_cents: not of the documented type, which is i64", "{number}");
    }
}

#[test]
fn no_error_and_no_debug_repeats_a_text_about_the_payer() {
    let secret = "0x9fBDa871d559710256a2502A2517b794B482Db40";
    for field in [
        "user_id",
        "user_name",
        "tx_from",
        "tx_hash",
        "tx_hash_2",
        "tx_to",
        "error_message",
        "currency_rate",
        "extra",
        "order_description",
        "service_fee_amount",
        "net_income_amount",
        "chain_id",
        "payment_method_type",
    ] {
        let mut body: Value = serde_json::from_str(INTENT).unwrap();
        body["payload"][field] = json!(secret);
        let body = body.to_string();
        let debug = format!("{:?}", read::<Intent>(&Head::new(200), body.as_bytes()).unwrap());
        assert!(!debug.contains(secret), "{field}: {debug}");
    }
    let to = format!("https://elsewhere.example/?wallet={secret}");
    let moved = read::<Pong>(&Head { location: Some(&to), ..Head::new(302) }, secret.as_bytes()).unwrap();
    assert!(!format!("{moved:?}").contains(secret), "{moved:?}");
    let Reply::UnexpectedResponse(moved) = moved else { panic!() };
    assert_eq!(moved.location.as_ref().map(|to| to.as_str()), Some(to.as_str()));
    // The parser below quotes a value of the wrong type, and our error must not.
    for body in [
        format!(r#"{{"code":0,"payload":"{secret}"}}"#),
        format!(r#"{{"code":"{secret}","payload":2}}"#),
        format!(r#"{{"code":0,"payload":", expected {secret}"}}"#),
        format!(r#"{{"code":0,"payload":{{"amount_coins":"{secret}"}}}}"#),
        format!(r#"{{"code":0,"payload":{{"status":"{secret}"}}}}"#),
        format!(r#"{{"code":0,"payload":2,"error":{{"message":"{secret}"}}}}"#),
        format!(r#"{{"code":0,"payload":"x","request_id":["{secret}"]}}"#),
        format!(r#"{{"code":"x","payload":{{"request_id":"{secret}"}}}}"#),
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
fn deep_nesting_is_an_error_and_not_a_crash_in_every_place() {
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
fn a_body_is_read_up_to_the_cap_and_no_further() {
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
    assert_eq!(answer.payload.checkout_url.as_str(), "https://checkout.allscale.io/abc123");
    assert!(matches!(answer.request_id, Some(std::borrow::Cow::Borrowed(_))));
    let owned = answer.payload.clone().into_owned();
    assert_eq!(owned, answer.payload);
}

/// Reads a body that is written as this crate writes bodies, and makes the reply own everything: nothing
/// changes on the way. Returns the reply.
fn owned_and_written<T>(
    head: &Head<'static>,
    body: &'static str,
) -> checkout_wire::allscale::Reply<'static, T>
where
    T: Payload<'static, Owned = T> + Clone + PartialEq + Debug,
{
    let reply = read::<T>(head, body.as_bytes()).unwrap();
    let owned = reply.clone().map_owned(Payload::into_owned);
    assert_eq!(owned, reply);
    for reply in [&reply, &owned] {
        assert_eq!(String::from_utf8(write(reply).unwrap()).unwrap(), body);
    }
    owned
}

fn done<T>(payload: &'static str) -> T
where
    T: Payload<'static, Owned = T> + Clone + PartialEq + Debug,
{
    let body = format!(r#"{{"code":0,"payload":{payload},"error":null,"request_id":"req_1"}}"#).leak();
    let reply = owned_and_written::<T>(&Head::new(200), body);
    let Reply::Done(Answer { payload, request_id }) = reply else { panic!("{reply:?}") };
    assert_eq!(request_id.as_deref(), Some("req_1"));
    payload
}

#[test]
fn a_created_intent_that_owns_its_texts_equals_the_intent_that_was_read() {
    let created = done::<CreatedIntent>(
        r#"{"checkout_url":"url","allscale_checkout_intent_id":"id","amount_coins":"1.0000","stable_coin_type":2,"rate":"1.3500","accepted_stable_coins":3}"#,
    );
    assert_eq!((created.checkout_url.as_str(), &*created.intent_id), ("url", "id"));
    let created = done::<CreatedIntent>(
        r#"{"checkout_url":"url","allscale_checkout_intent_id":"id","amount_coins":"1.0000","stable_coin_type":2,"rate":[ 1.350 ],"accepted_stable_coins":3}"#,
    );
    assert_eq!(created.rate, Some(Verbatim::Other(JsonText::new("[ 1.350 ]").unwrap())));
}

#[test]
fn an_intent_that_owns_its_texts_equals_the_intent_that_was_read_byte_for_byte() {
    let payload = r#"{"all_scale_checkout_intent_id":"id","currency":44,"currency_symbol":"E\u0000","amount_cents":100,"chain_id":56,"amount_coins":"1.0000","coin_symbol":"S","coin_contract":"contract","currency_rate":1.350,"status":20,"order_id":"order","order_description":"description","user_id":"user","user_name":"name","error_message":"message","tx_hash":"first","tx_hash_2":"second","tx_from":"from","tx_to":"to","actual_paid_amount":"1.1000","service_fee_amount":"0.0050","net_income_amount":"1.0950","payment_method_type":1,"extra":{"a": 1.50, "a":2}}"#;
    let intent = done::<Intent>(payload);
    assert_eq!(intent.extra.as_ref().unwrap().as_str(), r#"{"a": 1.50, "a":2}"#);
    let texts = [
        (Some(&*intent.intent_id), "id"),
        (intent.currency_symbol.as_ref().map(|symbol| symbol.text()), "E\0"),
        (intent.coin_symbol.as_ref().map(|symbol| symbol.text()), "S"),
        (intent.coin_contract.as_ref().and_then(|text| text.text()), "contract"),
        (intent.order_id.as_deref(), "order"),
        (intent.order_description.as_ref().and_then(|text| text.text()), "description"),
        (intent.user_id.as_ref().and_then(|user| user.text()), "user"),
        (intent.user_name.as_ref().and_then(|name| name.text()), "name"),
        (intent.error_message.as_ref().and_then(|message| message.text()), "message"),
        (intent.tx_hash.as_ref().and_then(|hash| hash.text()), "first"),
        (intent.tx_hash_2.as_ref().and_then(|hash| hash.text()), "second"),
        (intent.tx_from.as_ref().and_then(|wallet| wallet.text()), "from"),
        (intent.tx_to.as_ref().and_then(|text| text.text()), "to"),
    ];
    for (read, expected) in texts {
        assert_eq!(read, Some(expected));
    }
}

#[test]
fn the_other_payloads_that_own_their_texts_equal_the_payloads_that_were_read() {
    assert_eq!(done::<Open<IntentStatus>>("-5").value(), -5);
    assert_eq!(done::<Pong>(r#"{"pong":"ok"}"#).pong, "ok");
    let echo = done::<Echo>(r#"{"your_request_body":{"a": 1.50, "a":2}}"#);
    assert_eq!(echo.your_request_body.as_str(), r#"{"a": 1.50, "a":2}"#);
    assert_eq!(done::<JsonText>(r#"[1.0, {"b":1e400}]"#).as_str(), r#"[1.0, {"b":1e400}]"#);
}

#[test]
fn a_refusal_that_owns_its_texts_equals_the_refusal_that_was_read() {
    let head = Head { retry_after: Some("30"), ..Head::new(429) };
    let body = r#"{"code":40001,"payload":null,"error":{"message":"slowly","details":{"x": 2.50},"hint":"y"},"request_id":"req_1"}"#;
    let reply = owned_and_written::<Pong>(&head, body);
    assert_eq!(reply.request_id(), Some("req_1"));
    let Reply::Refused(refusal) = reply else { panic!("{reply:?}") };
    assert_eq!(refusal.code.value(), 40001);
    assert_eq!(refusal.message.as_deref(), Some("slowly"));
    assert_eq!(refusal.details.as_ref().map(|json| json.as_str()), Some(r#"{"x": 2.50}"#));
    assert_eq!(
        refusal.error.as_ref().map(|json| json.as_str()),
        Some(r#"{"message":"slowly","details":{"x": 2.50},"hint":"y"}"#)
    );
    assert_eq!(refusal.retry_after.as_deref(), Some("30"));
}

#[test]
fn a_foreign_response_that_owns_its_texts_equals_the_response_that_was_read() {
    let head = Head {
        content_type: Some("text/html"),
        retry_after: Some("120"),
        location: Some("https://elsewhere.example/"),
        ..Head::new(503)
    };
    let reply = read::<Pong>(&head, b"<h1>Busy</h1>").unwrap();
    let owned = reply.clone().map_owned(Payload::into_owned);
    assert_eq!(owned, reply);
    assert_eq!(write(&owned), None);
    let Reply::UnexpectedResponse(other) = owned else { panic!("{owned:?}") };
    assert_eq!(other.status, 503);
    assert_eq!(other.content_type.as_deref(), Some("text/html"));
    assert_eq!(other.retry_after.as_deref(), Some("120"));
    assert_eq!(other.location.as_ref().map(|to| to.as_str()), Some("https://elsewhere.example/"));
    assert_eq!(other.excerpt.as_str(), "<h1>Busy</h1>");
}

#[test]
fn every_rate_is_carried() {
    let created = |rate: &str| {
        let body = format!(
            r#"{{"code":0,"payload":{{"checkout_url":"u","allscale_checkout_intent_id":"i","amount_coins":"1","stable_coin_type":1{rate}}}}}"#
        );
        let Reply::Done(answer) = read::<CreatedIntent>(&Head::new(200), leaked(body)).unwrap() else {
            panic!()
        };
        answer.payload.rate
    };
    let got = |rate: &str| {
        let body = format!(
            r#"{{"code":0,"payload":{{"all_scale_checkout_intent_id":"i","amount_coins":"1","status":1{rate}}}}}"#
        );
        let Reply::Done(answer) = read::<Intent>(&Head::new(200), leaked(body)).unwrap() else { panic!() };
        answer.payload.currency_rate
    };
    for rate in [
        r#""0.006711409395973154362416107383""#,
        "1.35",
        "1.350",
        r#""""#,
        r#""about one""#,
        "true",
        "1e400",
        r#"{"a": 1.50, "a":2}"#,
        r#""\ud800""#,
    ] {
        let other = Some(Verbatim::Other(JsonText::new(rate).unwrap()));
        assert_eq!(created(&format!(r#","rate":{rate}"#)), other, "{rate}");
        assert_eq!(got(&format!(r#","currency_rate": {rate} "#)), other, "{rate}");
        assert_eq!(other.as_ref().and_then(Verbatim::known), None);
        assert_eq!(serde_json::to_string(&other).unwrap(), rate);
    }
    for (rate, known) in
        [(r#""1.3500""#, "1.3500"), (r#""0.0062500000""#, "0.0062500000"), (r#""1\u002e5""#, "1.5")]
    {
        for read in [created(&format!(r#","rate":{rate}"#)), got(&format!(r#","currency_rate":{rate}"#))] {
            assert_eq!(read.unwrap().known().unwrap().to_string(), known);
        }
    }
    assert_eq!((created(""), created(r#","rate":null"#)), (None, None));
    assert_eq!((got(""), got(r#","currency_rate":null"#)), (None, None));
}

#[test]
fn an_error_beside_code_0_is_neither_done_nor_refused_under_any_http_status() {
    for status in [200, 400, 502] {
        for error in [r#"{"message":"m"}"#, "{}", "[]", r#""m""#, "false", "0"] {
            // This fault comes first, beside every other fault.
            for payload in [r#""payload":2,"#, r#""payload":{},"#, ""] {
                let body = format!(r#"{{"code":0,{payload}"request_id":"r","error": {error}}}"#);
                let said = check_as::<Open<IntentStatus>>(status, leaked(body.clone()));
                let at = body.len() - 1 - error.len();
                assert_eq!(
                    said,
                    format!("error: error: an error beside code 0, at byte {at} (request id r)")
                );
            }
        }
        assert_eq!(
            check_as::<Open<IntentStatus>>(status, br#"{"error":null,"code":0,"payload":2}"#),
            "done 2 (none)"
        );
    }
}

#[test]
fn an_envelope_is_recognized_by_its_code_under_an_error_status_too() {
    let deep = format!("{}{}", "[".repeat(80), "]".repeat(80));
    let deeper = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let rows = [
        (r#"{"code":10001,"code":10001,"request_id":"r"}"#.into(), "code: stands twice"),
        (r#"{"code":10001,"code":"x","request_id":"r"}"#.into(), "code: stands twice"),
        (r#"{"code":"x","code":10001,"request_id":"r"}"#.into(), "code: not of the documented type"),
        (r#"{"code":10001,"error":null,"request_id":"r","error":{}}"#.into(), "error: stands twice"),
        (r#"{"code":10001,"request_id":"r","request_id":"s"}"#.into(), "request_id: stands twice"),
        (r#"{"code":10001,"payload":1,"payload":2}"#.into(), "payload: stands twice"),
        (r#"{"code":0,"payload":"2","request_id":"r"}"#.into(), "payload: not of the documented type"),
        (r#"{"code":0,"payload":null,"request_id":"r"}"#.into(), "payload: missing"),
        (
            format!(r#"{{"code":10001,"error":{{"details":{deep}}},"request_id":"r"}}"#),
            "nested deeper than 64",
        ),
        (format!(r#"{{"error":{deeper},"code":10001,"request_id":"r"}}"#), "nested deeper than 64"),
    ];
    for (body, expected) in rows {
        let body = leaked(body);
        let error = read::<Open<IntentStatus>>(&Head::new(200), body).unwrap_err();
        assert!(error.to_string().starts_with(expected), "{error}");
        for status in [400, 401, 429, 502] {
            assert_eq!(read::<Open<IntentStatus>>(&Head::new(status), body).as_ref(), Err(&error));
        }
        // A redirect goes elsewhere, with any body.
        assert!(matches!(read::<Pong>(&Head::new(302), body), Ok(Reply::UnexpectedResponse(_))));
    }
    // The error for bytes that are no UTF-8 says so, and does not blame a proxy.
    let body = b"{\"code\":10001,\"error\":{\"message\":\"\xff\"},\"request_id\":\"r\"}";
    for status in [200, 400] {
        assert_eq!(check_as::<Pong>(status, body), "error: not UTF-8, at byte 34 (request id r)");
    }
    // Deep nesting and no code: somebody else's page.
    for body in
        [format!(r#"{{"error":{deep}}}"#), format!(r#"{{"code":"x","a":{deeper}}}"#), deeper_objects()]
    {
        assert_eq!(check_as::<Pong>(400, leaked(body)), "not an answer of the API's: HTTP status 400");
    }
}

fn deeper_objects() -> String {
    r#"{"code":"#.repeat(100_000)
}

#[test]
fn an_error_carries_the_id_of_the_request_wherever_it_can_be_read() {
    let id = |body: &str| {
        let error = read::<Open<IntentStatus>>(&Head::new(200), body.as_bytes()).unwrap_err();
        let id = error.request_id().map(ToOwned::to_owned);
        let end = id.as_deref().map_or_else(String::new, |id| format!(" (request id {id})"));
        assert_eq!(
            error.to_string().rsplit_once(" (").map_or("", |(_, end)| end),
            end.trim_start_matches(" (")
        );
        id
    };
    let r = Some("r".to_owned());
    assert_eq!(id(r#"{"code":0,"payload":"2","error":null,"request_id":"r"}"#), r);
    assert_eq!(id(r#"{"code":0,"payload":null,"request_id":"r"}"#), r);
    assert_eq!(id(r#"{"payload":2,"request_id":"\u0072"}"#), r);
    assert_eq!(id(r#"{"code":0,"payload":2,"payload":2,"request_id":"r"}"#), r);
    assert_eq!(id(r#"{"request_id":"r","code":0,"payload":{"a":"#), r);
    assert_eq!(id(r#"{"request_id":"r","code":0,"payload":2}}"#), r);
    // The envelope's alone, and a text alone.
    assert_eq!(id(r#"{"payload":{"request_id":"r"},"error":{"request_id":"r"}}"#), None);
    // A number is an id too: the provider asks for the number.
    assert_eq!(id(r#"{"code":0,"payload":"2","request_id":7}"#), Some("7".to_owned()));
    for none in ["1.5", "-7", "true", "[7]", r#"{"id":7}"#, r#""\ud800""#] {
        assert_eq!(id(&format!(r#"{{"code":0,"payload":"2","request_id":{none}}}"#)), None, "{none}");
    }
    assert_eq!(id(r#"{"code":0,"payload":"2","request_id":null}"#), None);
    assert_eq!(id(r#"{"code":0,"payload":{"a":"#), None);

    // The id is printed so that it can forge nothing.
    let forged = br#"{"code":0,"request_id":"a\nb\u001b[2J"}"#;
    let error = read::<Pong>(&Head::new(200), forged).unwrap_err();
    assert_eq!(error.to_string(), r"payload: missing, at byte 39 (request id a\nb\u{1b}[2J)");
    // The reader does not look into a body beyond the cap.
    let error = read_capped::<Pong>(&Head::new(200), br#"{"request_id":"r"}"#, 17).unwrap_err();
    assert_eq!((error.kind(), error.request_id()), (&ReadErrorKind::TooLarge { cap: 17 }, None));
}

#[test]
fn an_excerpt_is_of_the_first_512_bytes() {
    for (body, beginning) in [(vec![b'x'; 4_096], "x".repeat(512)), (vec![0xff; 600], "\u{fffd}".repeat(512))]
    {
        let Reply::UnexpectedResponse(other) = read::<Pong>(&Head::new(500), &body).unwrap() else {
            panic!()
        };
        assert_eq!(other.excerpt.as_str(), beginning);
    }
}

/// The law that the fuzz targets assert too: a value that was read and written back reads the same.
fn reads_the_same<'a, T: Payload<'a> + PartialEq + Debug>(
    status: u16,
    body: &'a [u8],
) -> Result<(), TestCaseError>
where
    T::Owned: Debug,
{
    let head = Head { retry_after: Some("2"), ..Head::new(status) };
    if let Ok(reply) = read::<T>(&head, body)
        && let Some(written) = write(&reply)
    {
        // Every envelope is an envelope under a status of success. Of the head, nothing is written.
        let written: &'a [u8] = Box::leak(written.into_boxed_slice());
        let again = read::<T>(&Head { status: 200, ..head }, written);
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
        payload in any_json(), code in prop_oneof![Just(json!(0)), any_json()], id in any_json(),
        error in prop_oneof![Just(Value::Null), any_json()],
    ) {
        let body = json!({"code": code, "payload": payload, "error": error, "request_id": id});
        let bytes = leaked(body.to_string());
        all_read_the_same(200, bytes)?;
        if let Ok(Reply::Done(answer)) = read::<Open<IntentStatus>>(&Head::new(200), bytes) {
            prop_assert_eq!(body["code"].as_i64(), Some(0));
            prop_assert_eq!(body["payload"].as_i64(), Some(answer.payload.value()));
            let number = body["request_id"].as_u64().map(|number| number.to_string());
            prop_assert_eq!(body["request_id"].as_str().or(number.as_deref()), answer.request_id.as_deref());
            prop_assert!(error.is_null());
        } else {
            prop_assert!(!(code == json!(0) && payload.as_i64().is_some() && error.is_null()));
        }
        // Under an error status every envelope reads the same, and nothing else is an envelope.
        let (as_done, as_failed) = (Head::new(200), Head::new(500));
        let failed = read::<Open<IntentStatus>>(&as_failed, bytes);
        if code.as_i64().is_some() {
            prop_assert_eq!(failed, read::<Open<IntentStatus>>(&as_done, bytes));
        } else {
            prop_assert!(matches!(failed, Ok(Reply::UnexpectedResponse(_))));
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
    fn a_create_body_holds_the_values_of_the_draft(
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
        let Ok(intent) = draft.check() else { return Ok(()) };
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
