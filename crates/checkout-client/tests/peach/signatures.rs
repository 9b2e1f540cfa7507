//! A client takes a status exactly if the fields that tell something are signed.

use crate::support::{answering, response};
use crate::world::{ENTITY, advance, by, client, initiated, latest, payment, sandbox, secret, v2_builder};
use checkout_auth::peach::{SIGNATURE, VerifyError};
use checkout_auth::{KeyRing, peach::SecretToken};
use checkout_client::peach::{Client, Peach, v2};
use checkout_client::{Answer, CallError, CallErrorKind, End};
use checkout_lifecycle::{Moment, Phase};
use checkout_money::Cents;
use checkout_poll::ReadOutcome;
use checkout_sandbox::peach::{Sandbox, Scenario};
use checkout_tables::Environment;
use checkout_tables::peach::{Currency, PaymentStatus};
use checkout_trust::peach::{Message, Receiver};
use checkout_trust::settlement::{Policy, ReadField, peach::Order};
use checkout_validate::peach::{Draft, Warning};
use checkout_wire::peach::Payment;
use proptest::prelude::*;
use std::collections::BTreeMap;

const TELLING: [&str; 5] = ["result.code", "paymentType", "checkoutId", "merchantTransactionId", "timestamp"];

/// The fields of a paid checkout's status.
const PAID: [(&str, &str); 7] = [
    ("amount", "92.00"),
    ("checkoutId", "0fa125d002044484b0fbfb43c1c5c554"),
    ("currency", "ZAR"),
    ("merchantTransactionId", "order-0001"),
    ("paymentType", "DB"),
    ("result.code", "000.100.110"),
    ("timestamp", "2024-05-23T21:50:00.000Z"),
];

const ORDER: Order<'_> = Order {
    environment: Environment::Sandbox,
    merchant_transaction_id: "order-0001",
    checkout_id: None,
    amount: Cents::new(92_00),
    currency: Currency::ZAR,
};

/// A JSON text.
fn quoted(text: &str) -> String {
    let escaped: String = text
        .chars()
        .map(|c| match c {
            '"' | '\\' => format!("\\{c}"),
            c if c.is_control() => {
                c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect()
            }
            c => c.to_string(),
        })
        .collect();
    format!("\"{escaped}\"")
}

fn object(pairs: &[(&str, &str)]) -> String {
    let pairs = pairs.iter().map(|(key, value)| format!("{}:{}", quoted(key), quoted(value)));
    format!("{{{}}}", pairs.collect::<Vec<_>>().join(","))
}

/// Flat fields with their signature under a secret.
fn signed_by(secret: &SecretToken, pairs: &[(&str, &str)]) -> String {
    let signature = secret.sign(pairs.iter().copied()).unwrap();
    object(&[pairs, &[(SIGNATURE, signature.as_str())]].concat())
}

fn signed(pairs: &[(&str, &str)]) -> String {
    signed_by(&secret(), pairs)
}

/// The other published shape around the fields.
fn wrapped(word: &str, fields: &str) -> String {
    format!(
        r#"{{"status":"{word}","timestamp":1799,"redirect_url":"https://shop.example/","redirect_post_data":{fields}}}"#
    )
}

/// A client of V2 that has a token.
fn v2_client(build: impl FnOnce(v2::Builder) -> v2::Builder) -> v2::Client {
    build(v2_builder(&sandbox()).tokens(|_| Some("token".into()))).build().unwrap()
}

type Outcome = Result<Answer<Payment<'static>>, CallError<Peach>>;

fn by_v1(client: &Client, body: &str) -> Outcome {
    client.status(by("order-0001")).send_blocking(&answering(response(200, &[], body.as_bytes())))
}

fn by_v2(client: &v2::Client, body: &str) -> Outcome {
    let status = client.status("0fa125d002044484b0fbfb43c1c5c554").unwrap();
    status.send_blocking(&answering(response(200, &[], body.as_bytes())))
}

/// True if the answer settles the order under a policy that accepts every missing field.
fn settles(outcome: Outcome) -> bool {
    let policy = [ReadField::PaymentType, ReadField::CheckoutId, ReadField::Currency, ReadField::Amount]
        .into_iter()
        .fold(Policy::default(), Policy::accept_missing);
    outcome.is_ok_and(|answer| ORDER.settled_by_with(&answer.into_read(), &policy).is_settled())
}

/// The error for an answer that is not taken: the answer is unsigned, or the signature is wrong. The advice
/// is to read again.
fn refused(outcome: Outcome) -> String {
    let error = outcome.unwrap_err();
    assert!(matches!(error.kind(), CallErrorKind::NotAuthentic(_)), "{error}");
    assert_eq!(error.read_outcome(), ReadOutcome::Failed { wait: None });
    let text = error.to_string();
    for accuses in ["tamper", "forged", "somebody", "changed"] {
        assert!(!text.contains(accuses), "{text}");
    }
    text.split_once(": ").unwrap().1.to_owned()
}

/// The end of a watch, if the watch did not give up.
fn ended(end: &End<Payment<'static>>) -> Option<Phase> {
    match end {
        End::Ended { phase, .. } => Some(*phase),
        End::GaveUp { .. } => None,
    }
}

const UNSIGNED: &str = "the answer is not signed";

#[test]
fn an_echoed_address_of_the_shop_hides_no_payment() {
    let pairs =
        [&PAID[..], &[("customParameters[return]", "https://shop.example/thanks?checkoutId=77")]].concat();
    let client = client(&sandbox());
    let answer = by_v1(&client, &signed(&pairs)).unwrap();
    assert_eq!(answer.observation().unwrap().status().known(), Some(PaymentStatus::Successful));
    assert!(settles(Ok(answer)));
}

#[test]
fn an_echoed_telling_name_keeps_no_verified_read_from_settling() {
    let v1 = client(&sandbox());
    let v2 = v2_client(|builder| builder.secret_token(secret()).signed_only());
    for name in TELLING {
        let url = format!("https://shop.example/?{name}=000.200.000");
        let parameter = format!("customParameters[{name}]");
        for (key, value) in [
            ("customParameters[return]", &*url),
            (&parameter, "100.396.101"),
            ("card.holder", name),
            ("customer.givenName", &url),
            ("merchantInvoiceId", &url),
            ("result.description", &url),
            ("zz", name),
        ] {
            let body = signed(&[&PAID[..], &[(key, value)]].concat());
            assert!(settles(by_v1(&v1, &body)), "{key}={value}");
            assert!(settles(by_v1(&v1, &wrapped("successful", &body))), "{key}={value}");
            assert!(settles(by_v2(&v2, &body)), "{key}={value}");
        }
    }
}

#[test]
fn every_status_of_v1_must_be_signed() {
    let client = client(&sandbox());
    let of = |code: &'static str, payment_type: Option<&'static str>| -> Vec<(&str, &str)> {
        let pairs = PAID.into_iter().filter(|(key, _)| payment_type.is_some() || *key != "paymentType");
        let pairs = pairs.map(|(key, value)| match key {
            "result.code" => (key, code),
            "paymentType" => (key, payment_type.unwrap()),
            _ => (key, value),
        });
        pairs.collect()
    };
    for code in [
        "000.000.000",
        "000.100.110",
        "000.200.100",
        "000.200.000",
        "100.396.101",
        "100.396.104",
        "000.300.100",
        "000.100.200",
        "800.100.151",
        "000.400.000",
        "123.456.789",
        "successful",
        "",
    ] {
        for payment_type in [Some("DB"), Some("PA"), Some("RF"), Some("CB"), Some("db"), Some(""), None] {
            let pairs = of(code, payment_type);
            assert!(by_v1(&client, &signed(&pairs)).is_ok(), "{code} {payment_type:?}");
            let genuine = secret().sign(pairs.iter().copied()).unwrap();
            let upper = genuine.as_str().to_uppercase();
            let others = signed_by(&SecretToken::new("another".into()).unwrap(), &pairs);
            let malformed =
                "the answer's signature: the signature is not 64 digits of lower-case hexadecimal";
            let mismatch =
                "the answer's signature: the signature is not these parameters' under this secret token";
            let mut bodies = vec![(object(&pairs), UNSIGNED), (others, mismatch)];
            for (signature, expected) in [
                ("", UNSIGNED),
                ("none", malformed),
                (&genuine.as_str()[..61], malformed),
                (&*upper, malformed),
                (&"0".repeat(64), mismatch),
            ] {
                bodies.push((object(&[&pairs[..], &[(SIGNATURE, signature)]].concat()), expected));
            }
            for (body, expected) in bodies {
                assert_eq!(refused(by_v1(&client, &body)), expected, "{code} {payment_type:?}");
                for word in ["pending", "successful"] {
                    assert_eq!(refused(by_v1(&client, &wrapped(word, &body))), expected);
                }
                assert!(!settles(by_v1(&client, &body)));
            }
            let null = object(&pairs).replacen('{', r#"{"signature":null,"#, 1);
            assert_eq!(refused(by_v1(&client, &null)), UNSIGNED);
        }
    }
}

#[test]
fn the_word_around_the_fields_of_v1_is_never_adopted() {
    let client = client(&sandbox());
    let without_a_code: Vec<_> = PAID.into_iter().filter(|(key, _)| *key != "result.code").collect();
    for word in
        ["created", "pending", "successful", "authorized", "cancelled", "expired", "uncertain", "lapsed"]
    {
        for nothing in ["null", "{}"] {
            assert_eq!(refused(by_v1(&client, &wrapped(word, nothing))), UNSIGNED, "{word}");
        }
        assert_eq!(refused(by_v1(&client, &wrapped(word, &object(&without_a_code)))), UNSIGNED);
        // The fields are signed, and hold no result.
        let body = wrapped(word, &signed(&without_a_code));
        assert_eq!(
            refused(by_v1(&client, &body)),
            "the answer's signature: it is not over the status",
            "{word}"
        );
        // Beside a result the word says nothing.
        let answer = by_v1(&client, &wrapped(word, &signed(&PAID))).unwrap();
        assert_eq!(answer.observation().unwrap().status().known(), Some(PaymentStatus::Successful));
    }
}

#[test]
fn a_status_of_an_unopened_page_says_nothing_and_need_not_be_signed() {
    let client = client(&sandbox());
    let unopened = object(&[("result.code", "700.400.580"), ("merchantTransactionId", "order-0001")]);
    for body in [&unopened, &wrapped("successful", &unopened)] {
        let answer = by_v1(&client, body).unwrap();
        assert!(answer.observation().is_none());
        assert!(!settles(Ok(answer)));
    }
    // A signature in the answer must be right all the same.
    let wrong = object(&[("result.code", "700.400.580"), (SIGNATURE, &"0".repeat(64))]);
    assert!(refused(by_v1(&client, &wrong)).starts_with("the answer's signature: "));
}

#[test]
fn v2_takes_unsigned_answers_unless_signed_only_is_set() {
    let (unsigned, right) = (object(&PAID), signed(&PAID));
    let wrong = object(&[&PAID[..], &[(SIGNATURE, &*"0".repeat(64))]].concat());
    let by = |build: fn(v2::Builder) -> v2::Builder| {
        let client = v2_client(build);
        [&unsigned, &right, &wrong].map(|body| settles(by_v2(&client, body)))
    };
    assert_eq!(by(|builder| builder), [true, true, true]);
    assert_eq!(by(|builder| builder.secret_token(secret())), [true, true, false]);
    assert_eq!(by(|builder| builder.secret_token(secret()).signed_only()), [false, true, false]);
    // The client without the secret token can verify nothing, so the client takes nothing.
    assert_eq!(by(v2::Builder::signed_only), [false, false, false]);
    let client = v2_client(v2::Builder::signed_only);
    let unverifiable = "the answer's signature: there is no secret token to verify it with";
    assert_eq!(refused(by_v2(&client, &right)), unverifiable);
    assert_eq!(refused(by_v2(&client, &wrapped("pending", "null"))), UNSIGNED);
}

#[test]
fn an_unsigned_answer_and_a_wrong_signature_are_different_errors() {
    let client = client(&sandbox());
    let reason = |body: &str| {
        let error = by_v1(&client, body).unwrap_err();
        let CallErrorKind::NotAuthentic(reason) = error.kind() else { panic!("{error}") };
        *reason.downcast_ref::<VerifyError>().unwrap()
    };
    assert_eq!(reason(&object(&PAID)), VerifyError::Missing);
    let other = object(&[&PAID[..], &[(SIGNATURE, &*"0".repeat(64))]].concat());
    assert_eq!(reason(&other), VerifyError::Mismatch);
}

/// A text of an honest payer or shop, made of pieces that could be misread.
fn echoed() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(&TELLING[..]).prop_map(str::to_owned),
        prop::sample::select(vec![
            "signature",
            "status",
            "redirect_url",
            "000.200.000",
            "RF",
            "=",
            "&",
            "[",
            "{",
            "\"",
            "\\",
            "\u{feff}"
        ])
        .prop_map(str::to_owned),
        "\\PC{0,12}",
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn a_verified_read_is_readable_and_settles_with_every_echo(
        echoed in prop::collection::btree_map(echoed(), echoed(), 0..8),
    ) {
        // The fields that the answer has of its own stand in their own places.
        let mut pairs: BTreeMap<&str, &str> =
            echoed.iter().map(|(key, value)| (&**key, &**value)).filter(|(key, _)| *key != SIGNATURE).collect();
        pairs.extend(PAID);
        let body = signed(&pairs.into_iter().collect::<Vec<_>>());
        let v1 = client(&sandbox());
        prop_assert!(settles(by_v1(&v1, &body)), "{}", body);
        prop_assert!(settles(by_v1(&v1, &wrapped("pending", &body))), "{}", body);
        let v2 = v2_client(|builder| builder.secret_token(secret()).signed_only());
        prop_assert!(settles(by_v2(&v2, &body)), "{}", body);
    }

    /// Through the draft, the sandbox, its webhooks, the shopper's return and a watch.
    #[test]
    fn the_payment_is_known_with_every_text_of_a_draft_echoed(
        parameters in prop::collection::btree_map("[^\\[\\]\\p{Cc}]{1,12}|checkoutId|x\\.timestamp", echoed(), 0..5),
        given_name in echoed(),
        invoice in "result\\.code[0-9]{1,9}|[A-Z]{8,20}",
    ) {
        let sandbox = sandbox();
        sandbox.next_checkout(Scenario::pending_then_successful());
        let client = client(&sandbox);
        let draft = Draft::debit(Currency::ZAR, Cents::new(92_00)).entity_id(ENTITY);
        let draft = draft.merchant_transaction_id("order-0001").merchant_invoice_id(&*invoice);
        let draft = draft.shopper_result_url("https://shop.example/done").field("customer.givenName", &*given_name);
        let draft = parameters.iter().fold(draft, |draft, (name, value)| draft.custom_parameter(&**name, &**value));
        let checkout = draft.check().unwrap();
        // A draft without a warning gives events that tell something by themselves.
        let warned = checkout.warnings().iter().any(|warning| matches!(warning, Warning::TellingName { .. }));
        let initiate = client.initiate(&checkout).unwrap();
        initiate.send_blocking(&sandbox).unwrap();
        let clock = sandbox.clock().clone();
        let end = client.watch(by("order-0001")).end_blocking(&sandbox, |wait| clock.advance(wait));
        prop_assert_eq!(ended(&end), Some(Phase::Succeeded));
        taken_in(&sandbox, warned)?;
    }
}

/// Every webhook and the return are events of the checkout.
fn taken_in(sandbox: &Sandbox, warned: bool) -> Result<(), TestCaseError> {
    advance(sandbox, 60);
    let receiver = Receiver::new(ENTITY, KeyRing::new("only", secret()), Environment::Sandbox);
    let now = sandbox.clock().now();
    let id = latest(sandbox).checkout_id;
    let mut events = vec![receiver.shopper_return(&sandbox.shopper_return(&id).unwrap().body, now).unwrap()];
    for webhook in sandbox.webhooks() {
        let message = receiver.webhook(None, &webhook.body, now).unwrap();
        events.push(message.event().unwrap());
    }
    prop_assert!(events.len() >= 4, "{}", events.len());
    for event in events {
        prop_assert_eq!(event.content().payment().checkout_id(), Some(&*id));
        prop_assert!(warned || event.content().ambiguous().is_none());
        prop_assert!(event.content().ambiguous().is_none() || event.wants_a_read());
    }
    Ok(())
}

#[test]
fn the_sandbox_tries_an_url_out_and_the_receiver_hands_the_code_on() {
    let sandbox = sandbox();
    let probe = sandbox.probe(ENTITY).unwrap();
    let receiver = Receiver::new(ENTITY, KeyRing::new("only", secret()), Environment::Sandbox);
    let message =
        receiver.webhook(Some(probe.content_type), &probe.body, Moment::from_unix_seconds(0)).unwrap();
    let Message::Probe(known) = message else { panic!() };
    assert_eq!((known.code(), known.http_status()), (&*probe.code, 200));
    assert!(sandbox.probe("0".repeat(32).as_str()).is_none());
}

#[test]
fn a_status_of_the_sandbox_that_is_unsigned_is_read_again_and_the_payment_is_known() {
    let sandbox = sandbox();
    let client = client(&sandbox);
    initiated(&sandbox, &client, "order-0001");
    for _ in 0..3 {
        sandbox.inject(checkout_sandbox::peach::Fault::Unsigned);
    }
    let clock = sandbox.clock().clone();
    let end = client.watch(by("order-0001")).end_blocking(&sandbox, |wait| clock.advance(wait));
    assert_eq!(ended(&end), Some(Phase::Succeeded));
    let answer = client.status(by("order-0001")).send_blocking(&sandbox).unwrap();
    assert_eq!(payment(&answer.payload), "Successful 92.00");
}
