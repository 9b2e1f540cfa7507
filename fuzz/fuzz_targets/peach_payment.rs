//! Peach's answer to a read of the status, in both environments.
#![no_main]

use checkout_fuzz::{DEPTH, assert_clear, depth, status_and_body, value};
use checkout_tables::peach::{Environment, PaymentStatus};
use checkout_wire::Head;
use checkout_wire::peach::{Fields, Payment, Reply, body as written_body, read_payment};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|input: &[u8]| {
    let (status, body) = status_and_body(input);
    let head = Head { retry_after: Some("2"), ..Head::new(status) };
    for environment in [Environment::Live, Environment::Sandbox] {
        let reply = read_payment(&head, body, environment);
        match &reply {
            Ok(reply) => {
                assert_eq!(&reply.clone().map_owned(Payment::into_owned), reply);
                if let Reply::Done(answer) = reply {
                    assert!(head.is_success() || answer.payload.is_not_opened_yet());
                    assert_settles_by_the_list(&answer.payload);
                    assert_heard_or_silent(&answer.payload);
                    assert_written_reads_the_same(&answer.payload);
                }
            }
            Err(error) => assert_clear(error, body),
        }
        if let Some(Ok(tree @ Value::Object(_))) = value(body) {
            assert_as_by_hand(&head, &reply, &tree, environment);
        }
    }
});

/// A success has one of the few codes and one of the two types, and a test's success is no live success.
fn assert_settles_by_the_list(payment: &Payment<'_>) {
    let sandbox = payment.environment() == Environment::Sandbox;
    let text = |key| payment.fields().get(key);
    let success = match text("result.code") {
        Some("000.000.000") => true,
        Some("000.100.110" | "000.100.111" | "000.100.112") => sandbox,
        _ => false,
    };
    let expected = match text("paymentType") {
        Some("DB") if success => Some(PaymentStatus::Successful),
        Some("PA") if success => Some(PaymentStatus::Authorized),
        _ => None,
    };
    let status = payment.status().and_then(|status| status.known());
    let paid =
        |status: &PaymentStatus| matches!(status, PaymentStatus::Successful | PaymentStatus::Authorized);
    assert_eq!(status.filter(paid), expected);
    if let Some(PaymentStatus::Cancelled | PaymentStatus::Expired) = status {
        assert!(matches!(text("result.code"), Some("100.396.101" | "100.396.104")));
    }
}

/// Asserts that a payment says something exactly if the texts say something; and that nothing is known of
/// another payment.
fn assert_heard_or_silent(payment: &Payment<'_>) {
    let text = |key| payment.fields().get(key);
    let other = text("paymentType").filter(|other| !matches!(*other, "" | "DB" | "PA"));
    let heard = match (text("result.code"), other) {
        (Some("700.400.580"), _) => false,
        (Some(code), Some("RF")) => ends_in_digits(code, "000.100.2"),
        (Some("000.200.000" | "100.396.101" | "100.396.104"), Some(_)) => false,
        (Some(code), Some(_)) => !ends_in_digits(code, "000.200.1"),
        (Some(_), None) => true,
        (None, Some("RF")) => false,
        (None, other) => {
            let word = payment.wrapper().map(|wrapper| wrapper.status.text());
            other.is_none() || !matches!(word, Some("created" | "pending"))
        }
    };
    let status = payment.status();
    assert_eq!(status.is_some(), heard);
    let known = status.and_then(|status| status.known());
    assert!(other.is_none() || known.is_none());
    if text("result.code").is_none() {
        assert!(matches!(known, None | Some(PaymentStatus::Created | PaymentStatus::Pending)));
    }
}

/// True if a text is `begin` and two digits.
fn ends_in_digits(text: &str, begin: &str) -> bool {
    let end = text.strip_prefix(begin);
    end.is_some_and(|end| end.len() == 2 && end.bytes().all(|byte| byte.is_ascii_digit()))
}

fn assert_written_reads_the_same(payment: &Payment<'_>) {
    if payment.wrapper().is_none() {
        let written = written_body(payment.fields().iter());
        let again = read_payment(&Head::new(200), &written, payment.environment());
        assert!(matches!(again, Ok(Reply::Done(answer)) if &answer.payload == payment));
    }
}

fn assert_as_by_hand<E>(
    head: &Head<'_>,
    reply: &Result<Reply<'_, Payment<'_>>, E>,
    tree: &Value,
    environment: Environment,
) {
    match reply {
        Ok(Reply::Done(answer)) => {
            let wrapped = answer.payload.wrapper().is_some();
            assert_same(answer.payload.fields(), if wrapped { &tree["redirect_post_data"] } else { tree });
            assert_eq!(wrapped, tree.get("result.code").is_none());
        }
        Ok(Reply::Refused(refusal)) => {
            assert!(!head.is_redirect());
            assert_eq!(refusal.code.as_deref(), tree["result.code"].as_str());
            assert_eq!(refusal.message.as_deref(), tree["message"].as_str());
        }
        Ok(Reply::UnexpectedResponse(_)) => assert!(!head.is_success()),
        Err(_) => assert!(head.is_success()),
    }
    // With no key twice, a code is enough.
    let few =
        tree.as_object().is_some_and(|fields| fields.len() <= 1_024 && fields.contains_key("result.code"));
    if few && depth(tree) <= DEPTH {
        let plain = tree.to_string();
        let plain = read_payment(&Head::new(200), plain.as_bytes(), environment);
        assert!(matches!(plain, Ok(Reply::Done(_) | Reply::Refused(_))));
    }
}

/// Asserts that there are as many fields as in the tree, each with its text: so no field stood twice.
fn assert_same(fields: &Fields<'_>, tree: &Value) {
    assert_eq!(fields.len(), tree.as_object().map_or(0, serde_json::Map::len));
    for (key, text) in fields.iter() {
        match &tree[key] {
            Value::String(theirs) => assert_eq!(text, theirs),
            Value::Null => assert_eq!(text, ""),
            // Of several nested objects the last of two same keys counts, there as here.
            other => assert_eq!(serde_json::from_str::<Value>(text).ok().as_ref(), Some(other)),
        }
    }
}
