//! Peach: both shapes of a status, forms, times, and the laws of reading.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests")]

use checkout_money::Cents;
use checkout_tables::peach::{Currency, Environment, PaymentStatus, PaymentType, ResultCode, Route};
use checkout_tables::{Moment, Open};
use checkout_validate::peach::Draft;
use checkout_validate::{ExposeSecret, PathSegment};
use checkout_wire::peach::{
    Fields, FormError, Initiated, Payment, Reply, body, create_body, moment, path, query, read_created,
    read_initiated, read_payment, read_token, read_validated, token_body,
};
use checkout_wire::{Head, ReadError, ReadErrorKind};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Debug;

/// A webhook of the published style, with values of our own.
const WEBHOOK: &[(&str, &str)] = &[
    ("amount", "14.99"),
    ("card.bin", "420000"),
    ("card.expiryMonth", "12"),
    ("card.expiryYear", "2029"),
    ("card.holder", "Tomé O'Neil & Co"),
    ("card.last4Digits", "0091"),
    ("checkoutId", "0b4c61b8a2d84d5fa1f0c7d2e93b6a75"),
    ("currency", "ZAR"),
    ("customParameters[colour]", "light blue"),
    ("customParameters[100%+tax]", "a=b&c"),
    ("id", "8ac7a4a1688ea1f601688fd9e9a84af1"),
    ("merchantTransactionId", "ORDER-2019-0001"),
    ("paymentBrand", "VISA"),
    ("paymentType", "DB"),
    ("result.code", "000.000.000"),
    ("result.description", "Transaction succeeded"),
    ("resultDetails.AcquirerResponse", "00"),
    ("resultDetails.ExtendedDescription", ""),
    ("signature", "5246e6e5a4f7c9d1b0a38a8d0c8f1a3e2b9d4c7f6e5d8a1b0c3f2e5d4a7b6c9d"),
    ("timestamp", "2019-01-25T08:27:46.916519Z"),
];

fn form_of<'p>(pairs: impl IntoIterator<Item = (&'p str, &'p str)>) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// The reading of a flat JSON object of these pairs, in an environment.
fn flat(pairs: &[(&str, &str)], environment: Environment) -> Payment<'static> {
    let body = json!(pairs.iter().copied().collect::<BTreeMap<_, _>>()).to_string();
    let reply = read_payment(&Head::new(200), body.as_bytes(), environment).unwrap();
    let Reply::Done(answer) = reply else { panic!("{reply:?}") };
    answer.payload.into_owned()
}

/// The reading of a status' body: the status and the fields, or the refusal, or the other reply, or the
/// error.
fn check_under(status: u16, body: impl AsRef<[u8]>) -> String {
    match read_payment(&Head::new(status), body.as_ref(), Environment::Live) {
        Ok(Reply::Done(answer)) => {
            format!("done {} {}", said(&answer.payload), json_of(answer.payload.fields()))
        }
        Ok(Reply::Refused(refusal)) => refusal.to_string(),
        Ok(Reply::UnexpectedResponse(other)) => other.to_string(),
        Err(error) => format!("error: {error}"),
    }
}

fn check(body: impl AsRef<[u8]>) -> String {
    check_under(200, body)
}

/// The word of a payment about its end.
fn said(payment: &Payment<'_>) -> String {
    match payment.status() {
        Some(Open::Known(status)) => status.code().to_owned(),
        Some(Open::Unknown(outcome)) => format!("nothing ({})", outcome.raw().code),
        None => "no status".to_owned(),
    }
}

fn json_of(fields: &Fields<'_>) -> Value {
    json!(fields.iter().collect::<BTreeMap<_, _>>())
}

/// The reading of any reply of Peach's.
fn check_reply<T: Debug>(reply: Result<Reply<'_, T>, ReadError>) -> String {
    match reply {
        Ok(Reply::Done(answer)) => format!("done {:?}", answer.payload),
        Ok(Reply::Refused(refusal)) => refusal.to_string(),
        Ok(Reply::UnexpectedResponse(other)) => other.to_string(),
        Err(error) => format!("error: {error}"),
    }
}

#[test]
fn a_webhook_has_every_field_and_the_status_of_all_fields() {
    let form = form_of(WEBHOOK.iter().copied());
    let fields = Fields::from_form(form.as_bytes()).unwrap();
    let mut sorted = WEBHOOK.to_vec();
    sorted.sort_unstable();
    assert_eq!(fields.iter().collect::<Vec<_>>(), sorted);
    assert_eq!((fields.len(), fields.is_empty()), (WEBHOOK.len(), false));

    let payment = Payment::new(fields, Environment::Live).unwrap();
    assert_eq!(payment.status(), Some(Open::Known(PaymentStatus::Successful)));
    assert_eq!(payment.result_code(), Some(ResultCode::SUCCESS));
    assert_eq!(payment.amount().unwrap().unwrap().to_string(), "14.99");
    assert_eq!(payment.currency().unwrap().text(), "ZAR");
    assert_eq!(payment.payment_type().unwrap().known(), Some(PaymentType::DB));
    assert_eq!(payment.moment(), Some(Moment::from_unix_millis(1_548_404_866_916)));
    assert_eq!(payment.personal("card.holder").unwrap().as_str(), "Tomé O'Neil & Co");
    assert!(payment.names_a_checkout() && payment.wrapper().is_none());
    let named = [
        (payment.checkout_id(), "checkoutId"),
        (payment.id(), "id"),
        (payment.merchant_transaction_id(), "merchantTransactionId"),
        (payment.payment_brand(), "paymentBrand"),
        (payment.result_description(), "result.description"),
        (payment.signature(), "signature"),
        (payment.timestamp(), "timestamp"),
        (payment.code(), "result.code"),
    ];
    for (field, key) in named {
        assert_eq!(field, sorted.iter().find(|(name, _)| *name == key).map(|(_, text)| *text), "{key}");
    }
    // The same pairs in JSON have the same fields, but the body is an answer; and neither changes when
    // nothing is borrowed.
    let answer = flat(WEBHOOK, Environment::Live);
    assert_eq!(answer.fields(), payment.fields());
    assert_eq!((answer.is_answer(), payment.is_answer()), (true, false));
    assert_ne!(answer, payment);
    assert_eq!(payment.clone().into_owned(), payment);
    assert_ne!(flat(WEBHOOK, Environment::Sandbox), payment);
    assert!(Payment::new(Fields::from_form(b"amount=1").unwrap(), Environment::Live).is_none());
}

#[test]
fn the_wrapped_shape_has_the_same_fields_and_the_wrapper() {
    let data = json!(WEBHOOK.iter().copied().collect::<BTreeMap<_, _>>());
    let body = json!({
        "status": "successful", "timestamp": 1170, "redirect_url": "https://shop.example/result",
        "redirect_post_data": data,
    })
    .to_string();
    let reply = read_payment(&Head::new(200), body.as_bytes(), Environment::Live).unwrap();
    let Reply::Done(answer) = reply else { panic!("{reply:?}") };
    let payment = answer.payload;
    assert_eq!(json_of(payment.fields()), data);
    assert_eq!(said(&payment), "successful");
    let wrapper = payment.wrapper().unwrap();
    assert_eq!(wrapper.status, Open::Known(PaymentStatus::Successful));
    assert_eq!(wrapper.remaining_seconds, Some(1170));
    assert_eq!(wrapper.redirect_url.as_ref().and_then(|url| url.text()), Some("https://shop.example/result"));
    // Remaining seconds are no time, under any name.
    assert_eq!(payment.timestamp(), Some("2019-01-25T08:27:46.916519Z"));
    assert_eq!(payment.clone().into_owned(), payment);
}

#[test]
fn a_wrappers_word_stands_for_no_result_and_settles_nothing() {
    let rows = [
        ("created", "created"),
        ("pending", "pending"),
        // Nobody signs the word, so these are not believed, and somebody has to know of them.
        ("successful", "nothing (successful)"),
        ("authorized", "nothing (authorized)"),
        ("cancelled", "nothing (cancelled)"),
        ("expired", "nothing (expired)"),
        ("uncertain", "nothing (uncertain)"),
        ("refunded", "nothing (refunded)"),
        ("", "nothing ()"),
        ("Created", "nothing (Created)"),
        // Nor is a word a code, for any word.
        ("000.000.000", "nothing (\"000.000.000\")"),
        ("100.396.101", "nothing (\"100.396.101\")"),
        ("000.100.201", "nothing (\"000.100.201\")"),
        ("700.400.580", "nothing (\"700.400.580\")"),
    ];
    for (word, expected) in rows {
        for data in [json!(null), json!({}), json!({"amount": "2.00", "paymentType": "DB"})] {
            let body = json!({
                "status": word, "timestamp": 1200, "redirect_url": "https://shop.example/",
                "redirect_post_data": data,
            });
            let fields = if data.is_null() { json!({}) } else { data };
            assert_eq!(check(body.to_string()), format!("done {expected} {fields}"), "{word}");
        }
        // A word about another payment is not about the checkout, and a refund is silent.
        let of_a_capture = if matches!(word, "created" | "pending") { "no status" } else { expected };
        for (other, expected) in [("RF", "no status"), ("CP", of_a_capture)] {
            let body = json!({"status": word, "redirect_post_data": {"paymentType": other}});
            let said = check(body.to_string());
            assert!(said.starts_with(&format!("done {expected} ")), "{word} {other}: {said}");
        }
        // The signed code comes first.
        for (code, status) in [("000.200.000", "pending"), ("000.300.100", "nothing (000.300.100)")] {
            let body =
                json!({"status": word, "redirect_post_data": {"result.code": code, "paymentType": "DB"}});
            assert!(check(body.to_string()).starts_with(&format!("done {status} ")), "{word} {code}");
        }
    }
    let uncertain = br#"{"status":"uncertain","redirect_post_data":null}"#;
    let Ok(Reply::Done(answer)) = read_payment(&Head::new(200), uncertain, Environment::Live) else {
        panic!()
    };
    let wrapper = answer.payload.wrapper().unwrap();
    assert_eq!(wrapper.status, Open::Known(PaymentStatus::Expired));
    assert_eq!(
        (wrapper.remaining_seconds, wrapper.redirect_url.as_ref().and_then(|url| url.text())),
        (None, None)
    );
}

#[test]
fn a_wrapper_that_is_not_as_published_is_an_error_and_an_odd_number_of_seconds_is_not() {
    let t = "not of the documented type, which is";
    for (body, said) in [
        (r#"{"status":5,"redirect_url":"u"}"#, format!("status: {t} a string")),
        (r#"{"status":null,"redirect_url":"u"}"#, format!("status: {t} a string")),
        (r#"{"status":"pending","redirect_post_data":"x"}"#, format!("redirect_post_data: {t} an object")),
        (r#"{"status":"pending","redirect_post_data":["x"]}"#, format!("redirect_post_data: {t} an object")),
        (
            r#"{"status":"pending","redirect_post_data":{"result.code":"1","result.code":"1"}}"#,
            "redirect_post_data.result.code: stands twice".to_owned(),
        ),
        (
            r#"{"status":"pending","redirect_post_data":{"Tom Jones":1,"Tom Jones":2}}"#,
            "redirect_post_data.[field]: stands twice".to_owned(),
        ),
        (r#"{"status":"pending","status":"pending","redirect_url":"u"}"#, "status: stands twice".to_owned()),
        (r#"{"status":"pending"}"#, "result.code: missing".to_owned()),
        (r#"{"redirect_url":"u","redirect_post_data":{}}"#, "result.code: missing".to_owned()),
        ("{}", "result.code: missing".to_owned()),
    ] {
        let read = check(body);
        assert!(read.starts_with(&format!("error: {said}, at byte ")), "{body}: {read}");
        assert_eq!(check_under(500, body), "not an answer of the API's: HTTP status 500");
    }
    // Nothing depends on the address that the payer goes back to.
    for url in ["7", "{}", "[1]", "true"] {
        let read = check(format!(r#"{{"status":"pending","redirect_url":{url}}}"#));
        assert!(read.starts_with("done pending"), "{url}: {read}");
    }
    for (seconds, remaining) in
        [("1200", Some(1200)), ("-3", Some(-3)), ("\"1200\"", None), ("1.5", None), ("[]", None)]
    {
        let body = format!(r#"{{"status":"pending","timestamp":{seconds},"redirect_url":null}}"#);
        let Ok(Reply::Done(answer)) = read_payment(&Head::new(200), body.as_bytes(), Environment::Live)
        else {
            panic!("{seconds}")
        };
        assert_eq!(answer.payload.wrapper().unwrap().remaining_seconds, remaining);
    }
}

#[test]
fn every_value_of_a_flat_body_keeps_the_text_that_is_signed() {
    let rows = [
        ("2.00", "2.00"),
        ("\"2.00\"", "2.00"),
        ("1e2", "1e2"),
        ("1E+2", "1E+2"),
        ("-0", "-0"),
        ("0.10", "0.10"),
        ("18446744073709551616", "18446744073709551616"),
        ("1e400", "1e400"),
        ("true", "true"),
        ("false", "false"),
        ("null", ""),
        ("\"null\"", "null"),
        ("\"\"", ""),
        (r#""a\u0062\n\"\/""#, "ab\n\"/"),
        (r#""\ud83d\ude00""#, "\u{1f600}"),
        (r#"{"a": 1.50}"#, r#"{"a": 1.50}"#),
        ("[ 1 ]", "[ 1 ]"),
    ];
    for (json, text) in rows {
        let body = format!("{{\"result.code\":\"000.200.100\" , \"new\" : {json} }}");
        let expected = json!({"result.code": "000.200.100", "new": text});
        assert_eq!(check(&body), format!("done created {expected}"), "{json}");
    }
    // The same for a result code: a number is not on the list.
    for (code, text) in [("1e2", "1e2"), ("null", ""), ("000", "")] {
        let said = check(format!(r#"{{"result.code":{code}}}"#));
        match code {
            "000" => assert_eq!(said, "error: result.code: not JSON, at byte 16"),
            _ => assert_eq!(said, format!("done nothing ({text}) {}", json!({"result.code": text}))),
        }
    }
    let borrowed = br#"{"result.code":"000.200.100","a":1.0}"#;
    let Ok(Reply::Done(answer)) = read_payment(&Head::new(200), borrowed, Environment::Live) else {
        panic!()
    };
    assert!(matches!(answer.payload.outcome().unwrap().code, Cow::Borrowed("000.200.100")));
}

#[test]
fn a_key_twice_is_refused_in_every_spelling() {
    for (twice, at) in [
        (r#""amount":"1","amount":"1""#, "amount"),
        (r#""amount":"1","amoun\u0074":"2""#, "amount"),
        (r#""\u0061mount":1,"\u0061mount":1"#, "amount"),
        (r#""result.code":"000.200.000""#, "result.code"),
        (r#""a_B.9[c]":1,"a_B.9[c]":1"#, "a_B.9[c]"),
        // A key that is shaped like no parameter is not named.
        (r#""":1,"":1"#, "[field]"),
        (r#""Tom Jones":1,"Tom Jones":2"#, "[field]"),
        (r#""tom@example.com":1,"tom@example.com":2"#, "[field]"),
        (r#""+27-82-555-0100":1,"+27-82-555-0100":2"#, "[field]"),
        (r#""Tomé":1,"Tomé":2"#, "[field]"),
        (r#""a`b":1,"a`b":2"#, "[field]"),
        (r#""4111111111111111":1,"4111111111111111":2"#, "[field]"),
        (r#""card.123456789012":1,"card.123456789012":2"#, "[field]"),
        (r#""card.12345678901":1,"card.12345678901":2"#, "card.12345678901"),
    ] {
        let body = format!(r#"{{"result.code":"000.000.000",{twice}}}"#);
        let error = read_payment(&Head::new(200), body.as_bytes(), Environment::Live).unwrap_err();
        assert_eq!((error.kind(), error.path()), (&ReadErrorKind::Duplicate, at), "{body}");
        // Nor is the code the end of anything under an error status.
        let reply = read_payment(&Head::new(400), body.as_bytes(), Environment::Live);
        assert!(matches!(reply, Ok(Reply::Refused(_) | Reply::UnexpectedResponse(_))), "{reply:?}");
    }
    for (length, path) in [(64, "a".repeat(64)), (65, "[field]".to_owned())] {
        let key = "a".repeat(length);
        let error = Fields::from_json(format!(r#"{{"{key}":1,"{key}":1}}"#).as_bytes()).unwrap_err();
        assert_eq!((error.kind(), error.path()), (&ReadErrorKind::Duplicate, &*path));
    }
    let not_opened = br#"{"result.code":"700.400.580","result.code":"700.400.580"}"#;
    assert_eq!(check_under(400, not_opened), "not an answer of the API's: HTTP status 400");
}

#[test]
fn no_code_outside_the_exact_list_settles_anything() {
    let status = |code: &str, payment_type: Option<&str>, environment| {
        let mut pairs = vec![("result.code", code), ("checkoutId", "c01b")];
        pairs.extend(payment_type.map(|payment_type| ("paymentType", payment_type)));
        let payment = flat(&pairs, environment);
        assert_eq!(payment.code(), Some(code));
        said(&payment)
    };
    let (live, sandbox) = (Environment::Live, Environment::Sandbox);
    for environment in [live, sandbox] {
        let db = |code| status(code, Some("DB"), environment);
        assert_eq!(db("000.000.000"), "successful");
        assert_eq!(status("000.000.000", Some("PA"), environment), "authorized");
        assert_eq!(status("000.000.000", None, environment), "nothing (000.000.000)");
        // Statuses other than a success depend on the code alone.
        let rest = [
            ("000.200.100", "created"),
            ("000.200.000", "pending"),
            ("000.200.101", "pending"),
            ("100.396.101", "cancelled"),
            ("100.396.104", "expired"),
        ];
        for payment_type in [None, Some("DB"), Some("PA")] {
            for (code, expected) in rest {
                assert_eq!(status(code, payment_type, environment), expected);
            }
        }
        // The end of another payment is not the checkout's end, and a refund is silent.
        for (code, _) in rest {
            for other in ["db", "CP", "CB", "RF", "RV", "DB "] {
                assert_eq!(status(code, Some(other), environment), "no status", "{other:?} {code}");
            }
        }
        let unlisted = ["000.300.100", "800.100.151", "200.300.404", "999.999.999", "x", ""];
        for code in ["000.000.000", "000.100.110", "000.100.112"].into_iter().chain(unlisted) {
            assert_eq!(status(code, Some("RF"), environment), "no status", "{code}");
            for other in ["db", "pa", "CP", "CB", "RV", "rf", "DB ", " RF"] {
                let said = status(code, Some(other), environment);
                assert_eq!(said, format!("nothing ({code})"), "{other:?} {code}");
            }
        }
        // The money was taken back: that is never silent.
        for code in ["000.100.200", "000.100.201", "000.100.299"] {
            for payment_type in [None, Some("DB"), Some("PA"), Some("CB"), Some("RF"), Some("CP"), Some("db")]
            {
                let said = status(code, payment_type, environment);
                assert_eq!(said, format!("nothing ({code})"), "{payment_type:?}");
            }
        }
        for payment_type in [None, Some("DB"), Some("RF"), Some("CB")] {
            assert_eq!(status("700.400.580", payment_type, environment), "no status");
        }
        assert_ne!(status("000.000.000", Some(""), environment), "successful");
        for code in [
            // Malformed, in the group of the successes, or in another.
            "successful",
            "000.000",
            "",
            "000.000.000 ",
            "000.000.0000",
            "OOO.000.000",
            "000,000,000",
            "٠٠٠.000.000",
            "000.300.100",
            "000.310.100",
            "000.400.110",
            "000.000.100",
            "000.100.113",
            "000.400.030",
            "800.100.151",
            "900.100.100",
            "000.100.201",
            "100.396.102",
            "200.300.404",
            "999.999.999",
        ] {
            assert_eq!(db(code), format!("nothing ({code})"));
        }
    }
    for code in ["000.100.110", "000.100.111", "000.100.112"] {
        assert_eq!(status(code, Some("DB"), sandbox), "successful");
        assert_eq!(status(code, Some("PA"), sandbox), "authorized");
        assert_eq!(status(code, None, sandbox), format!("nothing ({code})"));
        for payment_type in [None, Some("DB"), Some("PA")] {
            assert_eq!(status(code, payment_type, live), format!("nothing ({code})"));
        }
    }
}

#[test]
fn a_page_that_was_not_opened_is_neither_a_status_nor_a_refusal() {
    for body in [
        r#"{"result.code":"700.400.580","result.description":"cannot find transaction"}"#,
        r#"{"result.code":"700.400.580","checkoutId":"c01b","paymentType":"DB"}"#,
    ] {
        let fields: Value = serde_json::from_str(body).unwrap();
        for status in [200, 400, 404] {
            assert_eq!(check_under(status, body), format!("done no status {fields}"));
            let reply = read_payment(&Head::new(status), body.as_bytes(), Environment::Live).unwrap();
            let Reply::Done(answer) = reply else { panic!() };
            assert!(answer.payload.is_not_opened_yet());
        }
        assert_eq!(
            check_under(302, body),
            "not an answer of the API's: HTTP status 302, a redirect, which is not followed"
        );
    }
    let wrapped = r#"{"status":"successful","redirect_post_data":{"result.code":"700.400.580"}}"#;
    assert!(check(wrapped).starts_with("done no status "));
}

const BARE: &str =
    "result code 200.300.404 (a parameter is missing or not valid; also for a checkout that nobody knows)";

#[test]
fn a_refusal_is_recognized_by_its_form() {
    let not_found = r#"{"result.code":"200.300.404","result.description":"invalid or missing parameter"}"#;
    let said = "result code 200.300.404: invalid or missing parameter";
    for status in [400, 404, 200] {
        assert_eq!(check_under(status, not_found), format!("refused with HTTP status {status}, {said}"));
        let reply = read_payment(&Head::new(status), not_found.as_bytes(), Environment::Live).unwrap();
        let Reply::Refused(refusal) = reply else { panic!() };
        assert!(refusal.is_not_found());
        assert_eq!(refusal.body.as_str(), not_found);
        assert_eq!(refusal.clone().into_owned(), refusal);
    }
    // An id that has no character names nothing.
    for none in
        [r#""checkoutId":"""#, r#""id":null"#, r#""merchantTransactionId":"","checkoutId":"","id":"""#]
    {
        let body = format!(r#"{{"result.code":"200.300.404",{none}}}"#);
        assert_eq!(check(body), format!("refused with HTTP status 200, {BARE}"));
    }
    // With a checkout named, the code is that checkout's, and says nothing of its end.
    for id in ["checkoutId", "merchantTransactionId", "id"] {
        let body = json!({"result.code": "200.300.404", id: "c01b"});
        assert_eq!(check(body.to_string()), format!("done nothing (200.300.404) {body}"));
        assert_eq!(check_under(400, body.to_string()), format!("refused with HTTP status 400, {BARE}"));
    }
    // Other groups that speak of the request.
    for (code, meaning) in [
        ("100.550.300", " (the amount is missing or too low)"),
        ("700.600.100", ""),
        ("800.900.300", " (the authentication information is not valid)"),
    ] {
        let body = json!({"result.code": code}).to_string();
        assert_eq!(check(body), format!("refused with HTTP status 200, result code {code}{meaning}"));
    }
    // A code in no group, as most codes are.
    let body = r#"{"result.code":"600.200.500"}"#;
    let said = "refused with HTTP status 400, result code 600.200.500 (not set up for this currency, country or brand)";
    assert_eq!(check_under(400, body), said);
    for status in [400, 422] {
        let errors = r#"{"validation_errors":{"signature":"Invalid signature.","amount":7}}"#;
        assert_eq!(
            check_under(status, errors),
            format!("refused with HTTP status {status}: amount, signature")
        );
        let Reply::Refused(refusal) = read_initiated(&Head::new(status), errors.as_bytes()).unwrap() else {
            panic!()
        };
        let texts = refusal.validation_errors.iter().map(|error| (&*error.field, error.text.as_str()));
        assert_eq!(texts.collect::<Vec<_>>(), [("amount", "7"), ("signature", "Invalid signature.")]);
        let message = r#"{"message":"Duplicate signature."}"#;
        assert_eq!(
            check_under(status, message),
            format!("refused with HTTP status {status}: Duplicate signature.")
        );
        // A member of another shape makes a refusal all the same.
        let odd = r#"{"validation_errors":["amount"]}"#;
        assert_eq!(check_under(status, odd), format!("refused with HTTP status {status}"));
    }
    // A refusal under a success status is a refusal too.
    assert_eq!(check(r#"{"message":"no"}"#), "refused with HTTP status 200: no");
    assert_eq!(check(r#"{"validation_errors":{"id":"x"}}"#), "refused with HTTP status 200: id");
    // A code that would settle a payment settles nothing under an error status.
    for (code, meaning) in
        [("000.000.000", "paid"), ("000.200.000", "pending"), ("100.396.101", "cancelled by the user")]
    {
        let body = json!({"result.code": code, "paymentType": "DB", "checkoutId": "c01b"}).to_string();
        for status in [400, 404, 500] {
            let said = check_under(status, &body);
            assert_eq!(said, format!("refused with HTTP status {status}, result code {code} ({meaning})"));
        }
    }
    let forged = r#"{"message":"a\nb\u001b[2J"}"#;
    assert_eq!(check_under(400, forged), r"refused with HTTP status 400: a\nb\u{1b}[2J");
}

#[test]
fn a_foreign_response_is_reported_with_its_status() {
    for (status, body) in [
        (401, &b""[..]),
        (502, b"<html></html>"),
        (502, br#"{"error":"upstream"}"#),
        (500, br#"{"result.code":7}"#),
        (500, br#"{"message":["x"]}"#),
        (500, br#"{"message":"x"}}"#),
        (500, br#"{"message":"x"#),
        (500, b"{\"message\":\"\xff\"}"),
        (302, br#"{"result.code":"000.000.000"}"#),
        (200, b""),
        (200, b"OK"),
        (200, b"[]"),
        (200, b"result.code=000.000.000"),
    ] {
        let redirect = if matches!(status, 301..=308) { ", a redirect, which is not followed" } else { "" };
        let expected = format!("not an answer of the API's: HTTP status {status}{redirect}");
        assert_eq!(check_under(status, body), expected, "{}", String::from_utf8_lossy(body));
    }
}

#[test]
fn bad_input_is_a_clear_error_with_path_and_position() {
    let many: String = (0..1_025).map(|key| format!(r#","{key}":"""#)).collect();
    let deep = format!("{}{}", "[".repeat(64), "]".repeat(64));
    for (body, said) in [
        (
            r#"{"result.code":"000.000.000","a":"\ud800"}"#.to_owned(),
            "a text with half a character, at byte ",
        ),
        (r#"{"result.code":"000.000.000""#.to_owned(), "ends too early, at byte 27"),
        (r#"{"result.code":"000.0"#.to_owned(), "result.code: ends too early, at byte 20"),
        (r#"{"result.code":tru}"#.to_owned(), "result.code: not JSON, at byte "),
        (r#"{"result.code":"1"} {}"#.to_owned(), "not JSON, at byte 20"),
        (r#"{"result.code":1.}"#.to_owned(), "result.code: not JSON, at byte "),
        (format!(r#"{{"result.code":"1"{many}}}"#), "more than 1024 fields, at byte "),
        (format!(r#"{{"result.code":"1","new":{deep}}}"#), "nested deeper than 64, at byte "),
        (format!(r#"{{"result.code":"1","new":"{}"}}"#, "x".repeat(1 << 20)), "longer than 1048576 bytes"),
    ] {
        let read = check(&body);
        assert!(read.starts_with(&format!("error: {said}")), "{read}");
    }
    assert_eq!(check(b"{\"result.code\":\"\xff\"}"), "error: not UTF-8, at byte 16");
}

#[test]
fn an_initiate_is_answered_by_a_page() {
    let initiated =
        |status, body: &'static str| check_reply(read_initiated(&Head::new(status), body.as_bytes()));
    let page = r#"{"redirectUrl":"https:\/\/secure.peachpayments.com/checkout/c01b","new":1}"#;
    for status in [200, 201] {
        let Reply::Done(answer) = read_initiated(&Head::new(status), page.as_bytes()).unwrap() else {
            panic!()
        };
        assert_eq!(answer.payload.redirect_url.as_str(), "https://secure.peachpayments.com/checkout/c01b");
        assert_eq!(answer.payload.clone().into_owned(), answer.payload);
    }
    assert_eq!(initiated(400, page), "not an answer of the API's: HTTP status 400");
    assert_eq!(
        initiated(302, page),
        "not an answer of the API's: HTTP status 302, a redirect, which is not followed"
    );
    assert_eq!(initiated(201, ""), "not an answer of the API's: HTTP status 201");
    assert_eq!(initiated(201, "{}"), "error: redirectUrl: missing, at byte 1");
    let t = "not of the documented type, which is a string";
    assert!(
        initiated(201, r#"{"redirectUrl":null}"#).starts_with(&format!("error: redirectUrl: {t}, at byte "))
    );
    assert!(
        initiated(201, r#"{"redirectUrl":["u"]}"#).starts_with(&format!("error: redirectUrl: {t}, at byte "))
    );
    assert!(
        initiated(201, r#"{"redirectUrl":"u","redirectUrl":"u"}"#)
            .starts_with("error: redirectUrl: stands twice")
    );
    assert_eq!(initiated(200, r#"{"message":"no"}"#), "refused with HTTP status 200: no");
    assert_eq!(initiated(200, r#"{"validation_errors":{"a":"b"}}"#), "refused with HTTP status 200: a");
}

#[test]
fn a_create_is_answered_by_an_id_and_a_page() {
    let created = |status, body: &'static str| check_reply(read_created(&Head::new(status), body.as_bytes()));
    let body = r#"{"checkoutId":"c01b","redirectUrl":"https://secure.peachpayments.com/checkout/c01b"}"#;
    let Reply::Done(answer) = read_created(&Head::new(200), body.as_bytes()).unwrap() else { panic!() };
    assert_eq!(answer.payload.checkout_id.as_deref(), Some("c01b"));
    assert_eq!(answer.payload.redirect_url.as_str(), "https://secure.peachpayments.com/checkout/c01b");
    assert_eq!(answer.payload.clone().into_owned(), answer.payload);
    assert!(created(200, r#"{"checkoutId":"c01b"}"#).starts_with("error: redirectUrl: missing"));
    assert_eq!(created(401, body), "not an answer of the API's: HTTP status 401");
    assert_eq!(created(401, r#"{"message":"Unauthorized"}"#), "refused with HTTP status 401: Unauthorized");
}

#[test]
fn the_token_of_a_stored_card_is_read_and_not_printed() {
    const TOKEN: &str = "8ac7a49f8e9f15d2018ea09b285f0eaa";
    for (fields, expected) in [
        (format!("registrationId={TOKEN}"), Some(TOKEN)),
        (format!("registration.id={TOKEN}"), Some(TOKEN)),
        (format!("registrationId={TOKEN}&registration.id=other"), Some(TOKEN)),
        (format!("registrationId=&registration.id={TOKEN}"), Some(TOKEN)),
        ("registrationId=".to_owned(), None),
        (format!("registrationid={TOKEN}&id={TOKEN}"), None),
    ] {
        let form = format!("{fields}&result.code=000.000.000");
        let payment = Payment::new(Fields::from_form(form.as_bytes()).unwrap(), Environment::Live).unwrap();
        let token = payment.registration_id();
        assert_eq!(token.as_ref().map(|token| token.as_str()), expected, "{fields}");
        assert!(!format!("{payment:?} {token:?}").contains("8ac7"), "{fields}");
    }
}

#[test]
fn a_create_of_v2_has_the_types_of_the_reference() {
    let pairs = [
        ("authentication.entityId", "e"),
        ("forceDefaultMethod", "false"),
        ("customParameters[createRegistration]", "true"),
        ("createRegistration", "true"),
        ("allowStoringDetails", "false"),
        ("cardTokens", "a"),
        ("standingInstruction.mode", "INITIAL"),
        ("standingInstruction.frequency", "9999"),
        ("nonce", "n"),
    ];
    let body: Value = serde_json::from_slice(&create_body(pairs)).unwrap();
    let expected = json!({
        "authentication.entityId": "e", "forceDefaultMethod": false, "customParameters[createRegistration]": "true",
        "createRegistration": true, "allowStoringDetails": false, "cardTokens": ["a"],
        "standingInstruction": {"mode": "INITIAL", "frequency": 9999}, "nonce": "n",
    });
    assert_eq!(body, expected);
}

/// The ids in the answer to a create, and the id that is kept. Stated in *Payment status*: the checkout's id
/// comes as the field `id` of a checkout's response; the answer of V2 has it as `checkoutId`.
const IDS: &[(&str, Option<&str>)] = &[
    ("", None),
    (r#","checkoutId":"948cc8dec52a11eb85290242ac130003""#, Some("948cc8dec52a11eb85290242ac130003")),
    (r#","id":"948cc8dec52a11eb85290242ac130003""#, Some("948cc8dec52a11eb85290242ac130003")),
    (r#","id":"b","checkoutId":"a""#, Some("a")),
    // The id as it came, with any characters.
    (r#","checkoutId":"a\u002fb ä""#, Some("a/b ä")),
    (r#","checkoutId":17"#, Some("17")),
    // A value that is no id hides neither the page nor the other id.
    (r#","checkoutId":null"#, None),
    (r#","checkoutId":null,"id":"b""#, Some("b")),
    (r#","checkoutId":"","id":"b""#, Some("b")),
    (r#","checkoutId":" \n","id":"b""#, Some("b")),
    (r#","checkoutId":["a"],"id":"b""#, Some("b")),
    (r#","checkoutId":{"id":"a"},"id":{"id":"b"}"#, None),
    (r#","checkoutId":true,"id":-1.5"#, None),
    (r#","checkoutId":99999999999999999999999"#, None),
    (r#","checkoutId":"\ud800","id":"b""#, Some("b")),
    (r#","checkoutId":"a","checkoutId":"a","id":"b""#, Some("b")),
    (r#","id":"b","id":"b","checkoutId":"a""#, Some("a")),
    (r#","checkout_id":"a","ID":"b","checkoutid":"c""#, None),
];

#[test]
fn the_id_in_the_answer_to_a_create_is_kept_and_never_hides_the_page() {
    const PAGE: &str = "https://secure.peachpayments.com/checkout/c01b";
    for (ids, kept) in IDS {
        for body in [
            format!(r#"{{"redirectUrl":"{PAGE}"{ids}}}"#),
            format!(r#"{{"new":1{ids},"redirectUrl":"{PAGE}"}}"#),
        ] {
            for status in [200, 201] {
                let Ok(Reply::Done(answer)) = read_initiated(&Head::new(status), body.as_bytes()) else {
                    panic!("{body}")
                };
                assert_eq!(
                    (answer.payload.redirect_url.as_str(), answer.payload.checkout_id.as_deref()),
                    (PAGE, *kept),
                    "{body}"
                );
                assert_eq!(answer.payload.clone().into_owned(), answer.payload);
                let Ok(Reply::Done(answer)) = read_created(&Head::new(status), body.as_bytes()) else {
                    panic!("{body}")
                };
                assert_eq!(
                    (answer.payload.redirect_url.as_str(), answer.payload.checkout_id.as_deref()),
                    (PAGE, *kept),
                    "{body}"
                );
            }
        }
        // An answer without a page is no checkout that can be paid, with any id.
        let none = format!(r#"{{"new":1{ids}}}"#);
        for read in [
            check_reply(read_initiated(&Head::new(201), none.as_bytes())),
            check_reply(read_created(&Head::new(201), none.as_bytes())),
        ] {
            assert!(read.starts_with("error: redirectUrl: missing"), "{none}: {read}");
        }
    }
}

#[test]
fn a_checkout_is_read_by_its_own_id_if_the_answer_has_a_sendable_id() {
    let checkout = Draft::debit(Currency::ZAR, Cents::new(200))
        .entity_id("8ac7a4ca68c22c4d0168c2caab2e0025")
        .merchant_transaction_id("Test1234")
        .shopper_result_url("https://shop.example/")
        .check()
        .unwrap();
    let ours = ("merchantTransactionId", "Test1234");
    let (most, too_long) = ("x".repeat(48), "x".repeat(49));
    for (id, expected) in [
        (None, ours),
        (Some("948cc8dec52a11eb85290242ac130003"), ("checkoutId", "948cc8dec52a11eb85290242ac130003")),
        (Some("8ac7a4a2.uat01-vm-tx02_1"), ("checkoutId", "8ac7a4a2.uat01-vm-tx02_1")),
        (Some(&*most), ("checkoutId", &*most)),
        (Some(&*too_long), ours),
        (Some("a/b"), ours),
        (Some("a b"), ours),
        (Some("ä"), ours),
        (Some(".."), ours),
        (Some(""), ours),
    ] {
        let initiated = Initiated { redirect_url: "https://h/".into(), checkout_id: id.map(Into::into) };
        assert_eq!(initiated.lookup(&checkout).pair(), expected, "{id:?}");
    }
}

#[test]
fn a_validate_without_validation_errors_found_nothing_wrong() {
    let validated =
        |status, body: &'static str| check_reply(read_validated(&Head::new(status), body.as_bytes()));
    for body in [
        "",
        " \r\n",
        "{}",
        r#"{"new":1}"#,
        r#"{"validation_errors":{}}"#,
        r#"{"validation_errors":null}"#,
        r#"{"message":"","result.code":null}"#,
        r#"{"result.code":"000.000.000"}"#,
        r#"{"result.code":"000.100.110"}"#,
        r#"{"result.code":"000.300.000","result.description":"fine"}"#,
    ] {
        assert_eq!(validated(200, body), "done Validated", "{body}");
    }
    for (body, said) in [
        (r#"{"message":"Duplicate signature."}"#, ": Duplicate signature."),
        (r#"{"message":"no","validation_errors":{}}"#, ": no"),
        (r#"{"message":" "}"#, ":  "),
        (r#"{"message":"no","result.code":"000.000.000"}"#, ", result code 000.000.000: no"),
        (
            r#"{"result.code":"200.300.404"}"#,
            ", result code 200.300.404 (a parameter is missing or not valid; also for a checkout that nobody knows)",
        ),
        // A review, something pending, and no code at all are no success.
        (
            r#"{"result.code":"000.400.020"}"#,
            ", result code 000.400.020 (succeeded, and to be reviewed: result of the CVV check)",
        ),
        (r#"{"result.code":"000.200.100"}"#, ", result code 000.200.100 (the checkout was created)"),
        (r#"{"result.code":"OK"}"#, ", result code OK"),
    ] {
        assert_eq!(validated(200, body), format!("refused with HTTP status 200{said}"), "{body}");
    }
    // Nor do members of another type than a text say that nothing is wrong.
    for body in [r#"{"message":["no"]}"#, r#"{"result.code":7}"#] {
        assert_eq!(validated(200, body), "not an answer of the API's: HTTP status 200", "{body}");
    }
    for body in [
        r#"{"validation_errors":{"amount":"Invalid amount."}}"#,
        r#"{"validation_errors":{"amount":"a","currency":["b"]}}"#,
        // Members of another shape are validation errors all the same.
        r#"{"validation_errors":["amount"]}"#,
        r#"{"validation_errors":"amount"}"#,
        r#"{"validation_errors":{"amount":"a","amount":"b"}}"#,
    ] {
        for status in [200, 400] {
            let said = validated(status, body);
            assert!(said.starts_with(&format!("refused with HTTP status {status}")), "{body}: {said}");
        }
    }
    assert_eq!(validated(200, "OK"), "not an answer of the API's: HTTP status 200");
    assert_eq!(validated(400, ""), "not an answer of the API's: HTTP status 400");
    assert_eq!(validated(500, "{}"), "not an answer of the API's: HTTP status 500");
    assert!(
        validated(200, r#"{"validation_errors":"#).starts_with("error: validation_errors: ends too early")
    );
}

#[test]
fn a_token_is_good_for_its_seconds_given_as_a_number_or_a_text() {
    let seconds = |seconds: &str| {
        let body = format!(r#"{{"access_token":"eyJh","expires_in":{seconds},"token_type":"Bearer"}}"#);
        match read_token(&Head::new(200), body.as_bytes()) {
            Ok(Reply::Done(answer)) => {
                assert_eq!(answer.payload.access_token.expose_secret(), "eyJh");
                assert_eq!(answer.payload.token_type.as_deref(), Some("Bearer"));
                Ok(answer.payload.expires_in_seconds)
            }
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error.to_string().split(", at").next().unwrap().to_owned()),
        }
    };
    for (text, known) in [("3600", 3600), ("\"3600\"", 3600), ("0", 0), (r#""36\u00300""#, 3600)] {
        assert_eq!(seconds(text), Ok(known));
    }
    for garbage in [
        "-1",
        "3600.0",
        "1e3",
        "\"\"",
        "\" 3600\"",
        "\"an hour\"",
        "true",
        "[3600]",
        "null",
        "18446744073709551616",
    ] {
        assert_eq!(seconds(garbage), Err("expires_in: not a number of seconds".to_owned()), "{garbage}");
    }
    let token = |status, body: &'static str| check_reply(read_token(&Head::new(status), body.as_bytes()));
    assert!(token(200, r#"{"access_token":"a"}"#).starts_with("error: expires_in: missing"));
    assert!(token(200, r#"{"expires_in":1}"#).starts_with("error: access_token: missing"));
    assert!(
        token(200, r#"{"access_token":7,"expires_in":1}"#)
            .starts_with("error: access_token: not of the documented")
    );
    assert_eq!(token(401, r#"{"message":"Unauthorized"}"#), "refused with HTTP status 401: Unauthorized");
    assert_eq!(token(401, ""), "not an answer of the API's: HTTP status 401");
    for kind in ["", r#","token_type":null"#] {
        let body = format!(r#"{{"access_token":"a","expires_in":1{kind}}}"#);
        let Reply::Done(answer) = read_token(&Head::new(200), body.as_bytes()).unwrap() else { panic!() };
        assert_eq!(answer.payload.token_type, None);
    }
}

#[test]
fn no_printed_text_repeats_a_card_a_token_or_the_request() {
    let secret = "4200000000000091";
    let mut pairs = WEBHOOK.to_vec();
    for pair in &mut pairs {
        let shown = ["result.code", "paymentType", "checkoutId", "merchantTransactionId", "timestamp"];
        if !shown.contains(&pair.0) {
            pair.1 = secret;
        }
    }
    pairs.push((secret, secret));
    let payment = flat(&pairs, Environment::Live);
    let printed = format!("{payment:?} {:?} {:?}", payment.fields(), payment.personal("card.holder"));
    assert!(!printed.contains(secret), "{printed}");
    assert!(printed.contains(r#"merchant_transaction_id: Some("ORDER-2019-0001")"#), "{printed}");

    let body = format!(r#"{{"access_token":"{secret}","expires_in":1,"refresh_token":"{secret}"}}"#);
    let token = read_token(&Head::new(200), body.as_bytes()).unwrap();
    assert!(!format!("{token:?}").contains(secret));
    let body = json!({"validation_errors": {"card": secret}, "unknown": secret, secret: 1}).to_string();
    let Reply::Refused(refusal) = read_initiated(&Head::new(400), body.as_bytes()).unwrap() else { panic!() };
    let printed = format!("{refusal} {refusal:?}");
    assert!(!printed.contains(secret), "{printed}");

    let quoted = [
        check(format!(r#"{{"result.code":"000.000.000","a":"{secret}\ud800"}}"#)),
        check(format!(r#"{{"status":"pending","redirect_post_data":"{secret}"}}"#)),
        check(format!(r#"{{"status":{{"{secret}":1}},"redirect_url":"u"}}"#)),
        check_reply(read_token(
            &Head::new(200),
            format!(r#"{{"access_token":["{secret}"],"expires_in":"{secret}x"}}"#).as_bytes(),
        )),
        check_reply(read_token(
            &Head::new(200),
            format!(r#"{{"access_token":"{secret}","expires_in":"{secret}x"}}"#).as_bytes(),
        )),
        check_reply(read_created(
            &Head::new(200),
            format!(r#"{{"checkoutId":{secret},"redirectUrl":"{secret}"}}"#).as_bytes(),
        )),
        check(format!(r#"{{"{secret}":1,"{secret}":1}}"#)),
        check(format!(r#"{{"a {secret}":tru}}"#)),
        check(format!(r#"{{"status":"pending","redirect_post_data":{{"{secret}":tru}}}}"#)),
        check(format!(r#"{{"message":"card {secret} is refused"}}"#)),
        check(format!(r#"{{"message":"card 4200-0000 {} is refused"}}"#, "0000-0091")),
        check(format!(r#"{{"validation_errors":{{"{secret}":"x"}}}}"#)),
        format!("{:?}", Fields::from_form(format!("a={secret}&a={secret}").as_bytes())),
        format!("{:?}", Fields::from_form(format!("{secret}=%{secret}%").as_bytes())),
    ];
    for printed in quoted {
        assert!(!printed.contains(secret) && !printed.contains("0091"), "{printed}");
    }
}

#[test]
fn a_malformed_form_is_refused_with_the_place_and_the_reason() {
    type Read<'r> = Result<&'r [(&'r str, &'r str)], FormError>;
    let rows: [(&[u8], Read<'_>); 17] = [
        (b"", Ok(&[])),
        (b"&&", Ok(&[])),
        (b"a", Ok(&[("a", "")])),
        (b"=", Ok(&[("", "")])),
        (b"a=b=c", Ok(&[("a", "b=c")])),
        (b"a+b=c+d", Ok(&[("a b", "c d")])),
        (b"%61=%C3%a9%2B%26%3d", Ok(&[("a", "\u{e9}+&=")])),
        (b"b=1&a=2&", Ok(&[("a", "2"), ("b", "1")])),
        (b"a=1;b=2", Ok(&[("a", "1;b=2")])),
        ("\u{e9}=\u{e9}".as_bytes(), Ok(&[("\u{e9}", "\u{e9}")])),
        (b"a=1&b=2&%61=3", Err(FormError::Duplicate { at: 8 })),
        (b"=1&=2", Err(FormError::Duplicate { at: 3 })),
        (b"a=1&b=%", Err(FormError::Percent { at: 6 })),
        (b"a=1&b=%4", Err(FormError::Percent { at: 6 })),
        (b"a=1&%+1=2", Err(FormError::Percent { at: 4 })),
        (b"a=\xff", Err(FormError::NotUtf8 { at: 2 })),
        (b"%c3=a", Err(FormError::NotUtf8 { at: 0 })),
    ];
    for (form, expected) in rows {
        let fields = Fields::from_form(form);
        let read = fields.as_ref().map(|fields| fields.iter().collect::<Vec<_>>());
        assert_eq!(
            read.map_err(|error| *error),
            expected.map(<[_]>::to_vec),
            "{}",
            String::from_utf8_lossy(form)
        );
    }
    let many: Vec<String> = (0..1_025).map(|key| format!("{key:04}=")).collect();
    assert_eq!(Fields::from_form(many[1..].join("&").as_bytes()).unwrap().len(), 1_024);
    let at = 1_024 * 6;
    assert_eq!(Fields::from_form(many.join("&").as_bytes()), Err(FormError::TooMany { at }));
    let cap = 1 << 20;
    let form = |length: usize| [&b"a="[..], &vec![b'x'; length - 2]].concat();
    assert!(Fields::from_form(&form(cap)).is_ok());
    assert_eq!(Fields::from_form(&form(cap + 1)), Err(FormError::TooLarge { cap }));
}

#[test]
fn requests_are_written_as_documented() {
    assert_eq!(
        token_body("i\"d", "secret", "merchant"),
        br#"{"clientId":"i\"d","clientSecret":"secret","merchantId":"merchant"}"#
    );
    assert_eq!((body([]), query([])), (b"{}".to_vec(), String::new()));
    let id = PathSegment::new("c01b/..").ok();
    for (route, id, expected) in [
        (Route::Initiate, None, Some("/checkout/initiate")),
        (Route::Validate, None, Some("/checkout/validate")),
        (Route::Status, None, Some("/status")),
        (Route::Token, None, Some("/api/oauth/token")),
        (Route::CreateCheckout, None, Some("/v2/checkout")),
        (Route::CheckoutStatus, id, Some("/v2/checkout/c01b%2F../status")),
        (Route::CheckoutStatus, None, None),
        (Route::Status, id, None),
    ] {
        assert_eq!(path(route, id).as_deref(), expected, "{route:?}");
    }
}

/// The moment by another library, cut off towards the past.
fn by_jiff(text: &str) -> Option<Moment> {
    let time: jiff::Timestamp = text.parse().ok()?;
    i64::try_from(time.as_nanosecond().div_euclid(1_000_000)).ok().map(Moment::from_unix_millis)
}

#[test]
fn a_time_that_is_malformed_or_has_no_offset_is_none() {
    for text in [
        "",
        "T",
        "2019-01-25",
        "2019-01-25T08:27:46",
        "2019-01-25T08:27:46.916519",
        "2019-01-25T08:27Z",
        "2019-01-25T24:00:00Z",
        "2019-01-25T08:60:00Z",
        "2019-01-25T08:27:61Z",
        "2019-02-29T08:27:46Z",
        "2100-02-29T08:27:46Z",
        "2019-04-31T08:27:46Z",
        "2019-00-25T08:27:46Z",
        "2019-13-25T08:27:46Z",
        "2019-01-00T08:27:46Z",
        "2019-1-25T08:27:46Z",
        "19-01-25T08:27:46Z",
        "02019-01-25T08:27:46Z",
        "2019-01-25T8:27:46Z",
        "2019-01-25T08:27:46.Z",
        "2019-01-25T08:27:46.9x1Z",
        "2019-01-25T08:27:46.9.1Z",
        "2019-01-25T08:27:46ZZ",
        "2019-01-25T08:27:46Z ",
        " 2019-01-25T08:27:46Z",
        "2019-01-25T08:27:46+",
        "2019-01-25T08:27:46+0",
        "2019-01-25T08:27:46+2:00",
        "2019-01-25T08:27:46+02:60",
        "2019-01-25T08:27:46+24:00",
        "2019-01-25T08:27:46+02:0x",
        "2019-01-25T08:27:46 +02:00",
        "2019-01-25T08:27:+6Z",
        "2019-01-25T08:27:46\u{664}Z",
        "1200",
        "1548404866916",
        "Fri, 25 Jan 2019 08:27:46 GMT",
    ] {
        assert_eq!(moment(text), None, "{text}");
    }
    // The days of every century that has and has not a leap day.
    for text in [
        "2000-02-29T00:00:00Z",
        "2024-02-29T23:59:59.999999999Z",
        "1900-02-28T00:00:00Z",
        "0000-02-29T00:00:00Z",
    ] {
        assert!(moment(text).is_some());
        assert_eq!(moment(text), by_jiff(text));
    }
    // A leap second counts as the second after it. More digits than a nanosecond has are cut off.
    assert_eq!(moment("2016-12-31T23:59:60Z"), moment("2017-01-01T00:00:00Z"));
    assert_eq!(moment("1970-01-01T00:00:00.99999999999999999999Z"), Some(Moment::from_unix_millis(999)));
    assert_eq!(moment("1969-12-31T23:59:59.9999Z"), Some(Moment::from_unix_millis(-1)));
}

fn pairs() -> impl Strategy<Value = BTreeMap<String, String>> {
    prop::collection::btree_map(".{0,8}", ".{0,12}", 0..12)
}

fn borrowed(pairs: &BTreeMap<String, String>) -> impl Iterator<Item = (&str, &str)> {
    pairs.iter().map(|(key, text)| (&**key, &**text))
}

/// The pairs that another library reads in a form, and true if every piece can be read in one way alone.
fn by_form_urlencoded(form: &[u8]) -> (Vec<(String, String)>, Option<FormError>) {
    let pairs: Vec<(String, String)> = form_urlencoded::parse(form).into_owned().collect();
    let (mut at, mut seen) = (0, Vec::<&String>::new());
    let pieces = form.split(|byte| *byte == b'&').map(|piece| {
        let begin = at;
        at += piece.len() + 1;
        (begin, piece)
    });
    let pieces = pieces.filter(|(_, piece)| !piece.is_empty());
    for ((begin, piece), (key, _)) in pieces.zip(&pairs) {
        let parts: Vec<&[u8]> = piece.splitn(2, |byte| *byte == b'=').collect();
        let mut part_at = begin;
        for part in parts {
            // A percent sign that stands for itself, and bytes that a replacement stands for.
            let mut rest = part;
            let mut bytes = Vec::new();
            let mut percent = false;
            while let [first, tail @ ..] = rest {
                rest = tail;
                match (first, tail) {
                    (b'%', [high, low, tail @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                        let digits = [*high, *low];
                        bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
                        rest = tail;
                    }
                    (b'%', _) => percent = true,
                    (byte, _) => bytes.push(*byte),
                }
            }
            if percent {
                return (pairs.clone(), Some(FormError::Percent { at: part_at }));
            }
            if std::str::from_utf8(&bytes).is_err() {
                return (pairs.clone(), Some(FormError::NotUtf8 { at: part_at }));
            }
            part_at += part.len() + 1;
        }
        if seen.contains(&key) {
            return (pairs.clone(), Some(FormError::Duplicate { at: begin }));
        }
        seen.push(key);
    }
    (pairs, None)
}

fn reads_as_form_urlencoded(form: &[u8]) -> Result<(), TestCaseError> {
    let (mut theirs, refused) = by_form_urlencoded(form);
    match Fields::from_form(form) {
        Ok(fields) => {
            prop_assert_eq!(refused, None);
            theirs.sort();
            let theirs: Vec<_> = theirs.iter().map(|(key, text)| (&**key, &**text)).collect();
            prop_assert_eq!(fields.iter().collect::<Vec<_>>(), theirs);
        }
        Err(error) => prop_assert_eq!(Some(error), refused),
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_form_is_read_as_another_library_writes_it(pairs in pairs()) {
        let form = form_of(borrowed(&pairs));
        let fields = Fields::from_form(form.as_bytes()).unwrap();
        prop_assert!(fields.iter().eq(borrowed(&pairs)));
        prop_assert_eq!(fields.clone().into_owned(), fields);
        reads_as_form_urlencoded(form.as_bytes())?;
    }

    #[test]
    fn any_bytes_are_read_as_another_library_reads_them_or_refused_for_a_reason(form: Vec<u8>) {
        reads_as_form_urlencoded(&form)?;
    }

    #[test]
    fn bytes_that_look_like_a_form_are_read_as_another_library_reads_them(
        form in prop::collection::vec(prop::sample::select(b"ab=&%+4162cC3\xc3\xa9\xff".to_vec()), 0..24),
    ) {
        reads_as_form_urlencoded(&form)?;
    }

    #[test]
    fn a_query_has_its_pairs_in_order_and_a_body_its_pairs_as_texts(pairs in pairs()) {
        let query = query(borrowed(&pairs));
        prop_assert!(query.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'+'));
        let theirs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
        prop_assert!(theirs.iter().map(|(key, text)| (&**key, &**text)).eq(borrowed(&pairs)));
        let tree: Value = serde_json::from_slice(&body(borrowed(&pairs))).unwrap();
        prop_assert_eq!(tree, json!(pairs));
    }

    #[test]
    fn a_time_is_read_as_another_library_reads_it(
        seconds in -62_135_596_800..253_370_764_800i64, nanoseconds in 0..1_000_000_000i32,
        digits in 0..=9usize, offset in -86_340..=86_340i32, shape in 0..8u8,
    ) {
        let minutes = offset / 60;
        let offset = jiff::tz::Offset::from_seconds(minutes * 60).unwrap();
        let time = jiff::Timestamp::new(seconds, 0).unwrap();
        let local = offset.to_datetime(time);
        let fraction = format!("{nanoseconds:09}")[..digits].to_owned();
        let point = if digits == 0 { "" } else { "." };
        let separator = ["T", "t", " "][usize::from(shape) % 3];
        let sign = if minutes < 0 { '-' } else { '+' };
        let colon = if shape % 2 == 0 { ":" } else { "" };
        let (hours, rest) = (minutes.abs() / 60, minutes.abs() % 60);
        let zone = match (minutes, shape) {
            (0, 0..4) => "Z".to_owned(),
            (0, 4) => "z".to_owned(),
            _ => format!("{sign}{hours:02}{colon}{rest:02}"),
        };
        let (date, clock) = (local.date(), local.time());
        let (hour, minute, second) = (clock.hour(), clock.minute(), clock.second());
        let text = format!("{date}{separator}{hour:02}:{minute:02}:{second:02}{point}{fraction}{zone}");
        let theirs = by_jiff(&text);
        prop_assert!(theirs.is_some(), "{}", text);
        prop_assert_eq!(moment(&text), theirs, "{}", text);
        let whole = format!("{fraction:0<9}").parse::<i64>().unwrap() / 1_000_000;
        prop_assert_eq!(theirs, Some(Moment::from_unix_millis(seconds * 1_000 + whole)));
    }

    #[test]
    fn a_time_with_a_byte_changed_is_none_or_read_as_another_library_reads_it(
        at in 0..32usize,
        character in prop::sample::select("0123456789-+:.TZtz _,\u{661}".chars().collect::<Vec<_>>()),
        text in prop::sample::select(vec![
            "2019-01-25T08:27:46.916519Z", "2020-02-29T23:59:59.999+02:00", "1969-12-31T00:00:00-0130",
        ]),
    ) {
        let mut changed: Vec<char> = text.chars().collect();
        let at = at % changed.len();
        changed[at] = character;
        let changed: String = changed.into_iter().collect();
        let leap_second = changed.contains(":60");
        if let (Some(ours), false) = (moment(&changed), leap_second) {
            prop_assert_eq!(Some(ours), by_jiff(&changed), "{}", changed);
        }
    }

    #[test]
    fn a_payment_is_read_as_an_independent_reader_reads_it(
        pairs in pairs(),
        code in prop::sample::select(vec!["000.000.000", "000.200.100", "800.100.151", "x", ""]),
        status in prop::sample::select(vec![200, 201, 302, 400, 404, 500]),
    ) {
        let mut pairs = pairs;
        pairs.insert("result.code".to_owned(), code.to_owned());
        let body = json!(pairs).to_string();
        match read_payment(&Head::new(status), body.as_bytes(), Environment::Sandbox) {
            Ok(Reply::Done(answer)) => {
                prop_assert!(matches!(status, 200 | 201));
                prop_assert!(answer.payload.fields().iter().eq(borrowed(&pairs)));
                prop_assert_eq!(answer.payload.clone().into_owned(), answer.payload);
            }
            Ok(Reply::Refused(refusal)) => {
                prop_assert!(status >= 400);
                prop_assert_eq!(refusal.code.as_deref(), Some(code));
            }
            Ok(Reply::UnexpectedResponse(_)) => prop_assert_eq!(status, 302),
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        }
    }

    #[test]
    fn reading_is_total_over_all_bytes(status: u16, body: Vec<u8>, start: bool) {
        let body = if start { [b"{\"", body.as_slice()].concat() } else { body };
        let head = Head::new(status);
        let payment = read_payment(&head, &body, Environment::Live);
        if let Ok(Reply::Done(answer)) = &payment {
            prop_assert!(head.is_success() || answer.payload.is_not_opened_yet());
        }
        let _ = (read_initiated(&head, &body), read_created(&head, &body));
        let _ = (read_validated(&head, &body), read_token(&head, &body).is_ok());
        let _ = Fields::from_form(&body).map(|fields| Payment::new(fields, Environment::Live));
    }
}
