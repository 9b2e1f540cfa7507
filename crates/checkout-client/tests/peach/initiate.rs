//! The number of initiations of a checkout, and the merchant of each.

use crate::support::{answering, chain, response};
use crate::world::{
    ENTITY, REFERER, by, checkout, checkout_of, client, latest, mismatch, outcome, payment, sandbox, secret,
};
use checkout_auth::peach::SecretToken;
use checkout_client::peach::{Client, OtherEntity};
use checkout_client::{CallErrorKind, NotSent};
use checkout_sandbox::peach::{Fault, Sandbox};
use checkout_tables::Environment;
use checkout_tables::Moment;
use checkout_tables::peach::Route;
use checkout_transport::{BlockingTransport, Request, from_fn_blocking};

#[test]
fn a_checkout_whose_answer_was_lost_is_found_by_the_merchant_s_id_or_was_not_made() {
    for (fault, made) in [(Fault::LostRequest, false), (Fault::LostAnswer, true)] {
        let sandbox = sandbox();
        let client = client(&sandbox);
        let checkout = checkout("order-0001");
        let initiate = client.initiate(&checkout).unwrap();
        sandbox.inject_on(Route::Initiate, fault.clone());
        let lost = initiate.send_blocking(&sandbox).unwrap_err();
        assert!(matches!(lost.kind(), CallErrorKind::NoResponse(_)) && lost.may_have_been_processed());
        let found = client.status(checkout.lookup()).send_blocking(&sandbox);
        let expected = if made { "nothing 92.00" } else { "refused with 400 200.300.404" };
        let is_there = found.is_ok();
        assert_eq!((outcome(found, payment), is_there), (expected.to_owned(), made), "{fault:?}");
        if !is_there {
            initiate.send_blocking(&sandbox).unwrap();
        }
        assert_eq!(sandbox.checkouts().len(), 1, "{fault:?}");
    }
}

#[test]
fn an_attempt_that_is_sent_twice_is_refused_and_a_call_that_is_sent_twice_is_not() {
    let sandbox = sandbox();
    let client = client(&sandbox);
    let initiate = client.initiate(&checkout("order-0001")).unwrap();
    let now = sandbox.clock().now();
    let (request, reader) = initiate.attempt(now, "nonce-a").unwrap().into_parts();
    reader.read(&sandbox.send_blocking(request.clone()).unwrap()).unwrap();

    // An HTTP stack, say, repeats the request and keeps the first answer to itself.
    let refused = reader.read(&sandbox.send_blocking(request).unwrap()).unwrap_err();
    let refusal = refused.refusal().unwrap();
    assert_eq!((refusal.http_status, refusal.message.as_deref()), (400, Some("Duplicate signature.")));
    assert!(refused.may_have_been_processed(), "the attempt with this signature was done before");
    assert_eq!(sandbox.checkouts().len(), 1);

    // The same nonce gives the same signature. A fresh nonce makes a new checkout, since there is no
    // idempotency key.
    let (request, reader) = initiate.attempt(now, "nonce-a").unwrap().into_parts();
    let refused = reader.read(&sandbox.send_blocking(request).unwrap()).unwrap_err();
    assert!(refused.refusal().is_some(), "{refused}");
    initiate.send_blocking(&sandbox).unwrap();
    initiate.send_blocking(&sandbox).unwrap();
    assert_eq!(sandbox.checkouts().len(), 3);
    // A validation spends no nonce, and the provider refuses a spent nonce.
    let validate = client.validate(&checkout("order-0001")).unwrap();
    for (nonce, expected) in [("nonce-b", "valid"), ("nonce-b", "valid"), ("nonce-a", "refused with 400")] {
        let (request, reader) = validate.attempt(now, nonce).unwrap().into_parts();
        let validated = reader.read(&sandbox.send_blocking(request).unwrap());
        assert_eq!(outcome(validated, |_| "valid".to_owned()), expected, "{nonce}");
    }
}

#[test]
fn an_initiation_that_peach_refuses_is_not_done() {
    let sandbox = sandbox();
    let wrong = SecretToken::new("another secret".into()).unwrap();
    let unknown = "0".repeat(32);
    for (entity, secret, referer, expected) in [
        (ENTITY, wrong, REFERER, "The signature is invalid."),
        (ENTITY, secret(), "https://other.example", "The referer is not allowed."),
        (&*unknown, secret(), REFERER, "Unknown authentication.entityId."),
    ] {
        let builder = Client::builder(entity, secret).environment(Environment::Sandbox).referer(referer);
        let client =
            builder.clock(|| Moment::from_unix_millis(0)).nonces(|| "nonce".to_owned()).build().unwrap();
        let checkout = checkout_of(entity, "order-0001");
        for error in [
            client.initiate(&checkout).unwrap().send_blocking(&sandbox).unwrap_err(),
            client.validate(&checkout).unwrap().send_blocking(&sandbox).unwrap_err(),
        ] {
            let operation = error.operation();
            let expected = format!("{operation}: refused with HTTP status 400: {expected}");
            assert_eq!(error.to_string(), expected);
            assert!(!error.may_have_been_processed());
        }
    }
    assert!(sandbox.checkouts().is_empty());
}

#[test]
fn wrong_fields_are_named_and_the_messages_about_them_are_not_printed() {
    let strict = crate::world::builder(Environment::Sandbox).transaction_ids_of_8_to_16().build();
    let client = client(&strict);
    let validate = client.validate(&checkout("short")).unwrap();
    let error = validate.send_blocking(&strict).unwrap_err();
    let expected = "POST /checkout/validate: refused with HTTP status 400: merchantTransactionId";
    assert_eq!(error.to_string(), expected);
    let refusal = error.refusal().unwrap();
    assert_eq!(refusal.validation_errors[0].text.as_str(), "must be 8 to 16 characters long");
    assert!(!format!("{error:?}").contains("8 to 16"));
}

#[test]
fn a_checkout_of_another_entity_makes_no_call() {
    let client = client(&sandbox());
    let other = checkout_of("8ac7a4ca00000000000000005a4d0b78", "order-0001");
    assert_eq!(client.initiate(&other).unwrap_err(), OtherEntity);
    assert_eq!(client.validate(&other).unwrap_err(), OtherEntity);
}

#[test]
fn a_page_is_a_url_that_a_payer_can_open() {
    let initiate = client(&sandbox()).initiate(&checkout("order-0001")).unwrap();
    for (page, expected) in [
        ("https://secure.peachpayments.com/checkout?token=1", None),
        ("HTTPS://h:8443/a?b#c", None),
        ("http://secure.peachpayments.com/checkout", Some("redirectUrl")),
        ("javascript:alert(1)", Some("redirectUrl")),
        ("//h/", Some("redirectUrl")),
        ("/checkout", Some("redirectUrl")),
        ("https://", Some("redirectUrl")),
        ("", Some("redirectUrl")),
    ] {
        let response = response(201, &[], format!(r#"{{"redirectUrl":"{page}"}}"#).as_bytes());
        let initiated = initiate.send_blocking(&answering(response));
        assert_eq!(initiated.err().map(|error| mismatch(&error).unwrap()), expected, "{page}");
    }
}

#[test]
fn a_checkout_is_read_by_the_id_of_its_answer_or_else_by_the_merchant_s_id() {
    let sandbox = sandbox();
    let client = client(&sandbox);
    let checkout = checkout("order-0001");
    let record = crate::world::initiated(&sandbox, &client, "order-0001");
    // A later checkout with the same id of the merchant's: a read by that id would return the later checkout.
    crate::world::initiated(&sandbox, &client, "order-0001");
    crate::world::advance(&sandbox, 60);
    let id = &*record.checkout_id;
    for (ids, expected) in [
        (format!(r#","checkoutId":"{id}""#), Some(id)),
        (format!(r#","id":"{id}""#), Some(id)),
        (format!(r#","checkoutId":{{}},"id":"{id}""#), Some(id)),
        (String::new(), None),
        (r#","checkoutId":["x"]"#.to_owned(), None),
        // The answer has the id, and no read can use the id.
        (r#","checkoutId":"a b/ä""#.to_owned(), None),
    ] {
        let body = format!(r#"{{"redirectUrl":"https://h/"{ids}}}"#);
        let answers = answering(response(201, &[], body.as_bytes()));
        let initiate = client.initiate(&checkout).unwrap();
        let initiated = initiate.send_blocking(&answers).unwrap().payload;
        assert_eq!(initiated.redirect_url.as_str(), "https://h/");
        let lookup = initiated.lookup(&checkout);
        let pair = expected.map_or(("merchantTransactionId", "order-0001"), |id| ("checkoutId", id));
        assert_eq!(lookup.pair(), pair, "{ids}");
        let attempt =
            client.watch(lookup.clone()).full_call().attempt(Moment::from_unix_millis(0), "").unwrap();
        let query = attempt.request().uri().query().unwrap().to_owned();
        assert!(query.contains(&format!("&{}={}&", pair.0, pair.1)), "{query}");
        let read = client.status(lookup).send_blocking(&sandbox).unwrap().payload;
        assert_eq!(read.checkout_id() == Some(id), expected.is_some(), "{ids}");
    }
}

#[test]
fn a_nonce_is_1_to_64_visible_ascii_characters_or_nothing_is_sent() {
    let sandbox = sandbox();
    let client = client(&sandbox);
    let (short, long, too_long) = ("!".to_owned(), "~".repeat(64), "~".repeat(65));
    for nonce in [short, long] {
        let (request, reader) = client
            .initiate(&checkout("order-0001"))
            .unwrap()
            .attempt(Moment::from_unix_millis(0), &nonce)
            .unwrap()
            .into_parts();
        reader.read(&sandbox.send_blocking(request).unwrap()).unwrap();
    }
    let nowhere = || from_fn_blocking(|request: Request| panic!("{} was sent", request.uri()));
    for nonce in ["", &too_long, "a b", "nöncé", "nonce\n", "\0", "nonce\u{7f}"] {
        let bad = nonce.to_owned();
        let builder =
            Client::builder(ENTITY, secret()).referer(REFERER).clock(|| Moment::from_unix_millis(0));
        let client = builder.nonces(move || bad.clone()).build().unwrap();
        let initiate = client.initiate(&checkout("order-0001")).unwrap();
        let validate = client.validate(&checkout("order-0001")).unwrap();
        for error in [
            initiate.attempt(Moment::from_unix_millis(0), nonce).unwrap_err(),
            initiate.send_blocking(&nowhere()).unwrap_err(),
            validate.send_blocking(&nowhere()).unwrap_err(),
        ] {
            assert!(matches!(error.kind(), CallErrorKind::NotSent(NotSent::Signature(_))), "{error}");
            assert!(!error.may_have_been_processed());
            let path = error.operation().path;
            let expected = format!(
                "POST {path}: the request could not be signed: the nonce is not 1 to 64 characters of visible ASCII"
            );
            assert_eq!(chain(&error), [expected]);
        }
        // A status has no nonce.
        client.status(by("order-0001")).attempt(Moment::from_unix_millis(0), nonce).unwrap();
    }
}

#[test]
fn several_merchants_keep_to_their_own() {
    let (mine, other) = (ENTITY, "8ac7a4ca00000000000000005a4d0b78");
    let merchant = checkout_sandbox::peach::Merchant::new(other, SecretToken::new("other".into()).unwrap());
    let sandbox: Sandbox =
        crate::world::builder(Environment::Sandbox).merchant(merchant.domain("shop.example")).build();
    let builder = Client::builder(other, SecretToken::new("other".into()).unwrap()).referer(REFERER);
    let other_client = builder
        .environment(Environment::Sandbox)
        .clock(|| Moment::from_unix_millis(0))
        .nonces(|| "n".to_owned());
    let other_client = other_client.build().unwrap();
    crate::world::initiated(&sandbox, &client(&sandbox), "order-0001");
    assert_eq!(latest(&sandbox).entity_id, mine);
    let call = other_client.status(by("order-0001"));
    assert_eq!(outcome(call.send_blocking(&sandbox), payment), "refused with 400 200.300.404");
}

#[test]
fn a_401_or_403_proves_nothing_done_in_peach_s_form_alone() {
    let sandbox = sandbox();
    let client = client(&sandbox);
    let initiate = client.initiate(&checkout("order-0001")).unwrap();
    let done = |status, body: &[u8]| {
        let error = initiate.send_blocking(&answering(response(status, &[], body))).unwrap_err();
        error.may_have_been_processed()
    };
    for status in [400, 401, 403] {
        for own in [
            &br#"{"message":"Unauthorized."}"#[..],
            br#"{"validation_errors":{"signature":"is invalid"}}"#,
            br#"{"result.code":"700.600.000","result.description":"mac"}"#,
        ] {
            assert!(!done(status, own), "{status} {}", String::from_utf8_lossy(own));
        }
        for other in [
            &b""[..],
            b"<html><h1>Forbidden</h1></html>",
            br#"{"error":"forbidden"}"#,
            // A message that V1 sent before, and messages that speak of a payment.
            br#"{"message":"Duplicate signature."}"#,
            br#"{"validation_errors":{"signature":"Duplicate signature."}}"#,
            br#"{"result.code":"700.600.100","result.description":"Duplicate signature."}"#,
            br#"{"result.code":"200.200.106"}"#,
            br#"{"result.code":"000.200.000"}"#,
            br#"{"result.code":"800.100.151"}"#,
        ] {
            assert!(done(status, other), "{status} {}", String::from_utf8_lossy(other));
        }
    }
}
