//! The requests that leave the client of V1.

use crate::support::{Recorder, on_the_wire, sensitive};
use crate::world::{ENTITY, MAIL, REFERER, START_MILLIS, by, checkout, client, initiated, sandbox, secret};
use checkout_client::peach::{Client, v2};
use checkout_client::{Call, Readable};
use checkout_tables::Environment;
use checkout_tables::Moment;
use checkout_transport::Transport;
use checkout_validate::peach::{CheckoutId, PaymentId};
use checkout_wire::peach::{AccessToken, Created, Initiated, Payment, Validated};

/// The signature over these parameters, by the verifier.
fn signature(pairs: &[(&str, &str)]) -> String {
    secret().sign(pairs.iter().copied()).unwrap().as_str().to_owned()
}

/// The parameters of every initiation and validation in the tests.
fn pairs(nonce: &str) -> Vec<(&'static str, String)> {
    vec![
        ("authentication.entityId", ENTITY.to_owned()),
        ("merchantTransactionId", "order-0001".to_owned()),
        ("amount", "92.00".to_owned()),
        ("paymentType", "DB".to_owned()),
        ("currency", "ZAR".to_owned()),
        ("shopperResultUrl", "https://shop.example/done?a=1&b=2".to_owned()),
        ("customParameters[note]", "planted note & \"ü\"".to_owned()),
        ("customer.email", MAIL.to_owned()),
        ("nonce", nonce.to_owned()),
    ]
}

#[test]
fn an_initiation_and_a_validation_are_signed_json_with_a_referer() {
    let sandbox = sandbox();
    let (recorder, client) = (Recorder::before(&sandbox), client(&sandbox));
    client.initiate(&checkout("order-0001")).unwrap().send_blocking(&recorder).unwrap();
    client.validate(&checkout("order-0001")).unwrap().send_blocking(&recorder).unwrap();
    let sent = |path: &str, nonce: &str| {
        let pairs = pairs(nonce);
        let borrowed: Vec<_> = pairs.iter().map(|(key, value)| (*key, &**value)).collect();
        let member = |(key, value): &(&str, &str)| format!("\"{key}\":\"{}\",", value.replace('"', "\\\""));
        let members: String = borrowed.iter().map(member).collect();
        let signature = signature(&borrowed);
        assert_eq!(signature.len(), 64);
        format!(
            "POST https://testsecure.peachpayments.com{path}\naccept: application/json\n\
             referer: {REFERER}\ncontent-type: application/json\n\n{{{members}\"signature\":\"{signature}\"}}"
        )
    };
    assert_eq!(
        recorder.seen(),
        [sent("/checkout/initiate", "nonce-1"), sent("/checkout/validate", "nonce-2")]
    );
}

#[test]
fn a_status_is_a_signed_query_without_a_body() {
    let sandbox = sandbox();
    let (recorder, client) = (Recorder::before(&sandbox), client(&sandbox));
    let record = initiated(&sandbox, &client, "order_0001.a-b");
    let id = "0123456789abcdef0123456789abcdef";
    for (lookup, key, value, encoded) in [
        (by("order_0001.a-b"), "merchantTransactionId", "order_0001.a-b", "order_0001.a-b"),
        (
            CheckoutId::new(&*record.checkout_id).unwrap().into(),
            "checkoutId",
            &*record.checkout_id,
            &*record.checkout_id,
        ),
        (PaymentId::new(id).unwrap().into(), "id", id, id),
    ] {
        let status = match client.status(lookup).send_blocking(&recorder) {
            Ok(answer) => answer.http_status(),
            Err(error) => error.http_status().unwrap(),
        };
        assert_eq!(status, if key == "id" { 400 } else { 200 });
        let signature = signature(&[("authentication.entityId", ENTITY), (key, value)]);
        let expected = format!(
            "GET https://testsecure.peachpayments.com/status?authentication.entityId={ENTITY}&{key}={encoded}\
             &signature={signature}\naccept: application/json\n\n"
        );
        assert_eq!(recorder.seen().last(), Some(&expected));
    }
}

#[test]
fn the_body_of_a_call_is_sent_with_a_nonce_and_a_signature() {
    let client = client(&sandbox());
    let (initiate, status) = (client.initiate(&checkout("order-0001")).unwrap(), client.status(by("a")));
    let attempt = initiate.attempt(Moment::from_unix_millis(START_MILLIS), "nonce-a").unwrap();
    let (sent, body) = (attempt.request().body(), initiate.body());
    let added = sent.strip_prefix(&body[..body.len() - 1]).unwrap();
    assert!(added.starts_with(br#","nonce":"nonce-a","signature":""#));
    assert_eq!(status.attempt(Moment::from_unix_millis(0), "").unwrap().request().body(), status.body());
    // No part of the request depends on the time.
    let again = initiate.clone().attempt(Moment::from_unix_millis(0), "nonce-a").unwrap();
    assert_eq!(on_the_wire(again.request()), on_the_wire(attempt.request()));
    assert_eq!(sensitive(attempt.request()), [""; 0]);
}

#[test]
fn a_live_client_goes_to_the_live_hosts_and_a_base_url_takes_their_place() {
    let uri = |builder: checkout_client::peach::Builder| {
        let client = builder
            .referer(REFERER)
            .clock(|| Moment::from_unix_millis(0))
            .nonces(|| "n".to_owned())
            .build()
            .unwrap();
        let attempt = client
            .initiate(&checkout("order-0001"))
            .unwrap()
            .attempt(Moment::from_unix_millis(0), "n")
            .unwrap();
        attempt.request().uri().to_string()
    };
    let builder = || Client::builder(ENTITY, secret());
    assert_eq!(uri(builder()), "https://secure.peachpayments.com/checkout/initiate");
    let sandbox = builder().environment(Environment::Sandbox);
    assert_eq!(uri(sandbox), "https://testsecure.peachpayments.com/checkout/initiate");
    assert_eq!(uri(builder().base_url("http://localhost:8080/")), "http://localhost:8080/checkout/initiate");
}

#[test]
fn a_future_sends_nothing_before_its_first_poll_and_can_go_to_another_thread() {
    fn is_send<T: Send>(it: T) -> T {
        it
    }
    fn sends<T: Readable>(call: &Call<T>, transport: &impl Transport) {
        drop(is_send(call.send(transport)));
    }
    fn authenticates(client: &v2::Client, transport: &impl Transport) {
        drop(is_send(client.authenticate(transport)));
    }
    fn crosses<T: Send + Sync + 'static>() {}
    crosses::<(Client, v2::Client, Call<Payment<'static>>, Call<Initiated<'static>>)>();
    crosses::<(Call<Validated>, Call<Created<'static>>, Call<AccessToken>)>();
    let sandbox = sandbox();
    let client = client(&sandbox);
    sends(&client.initiate(&checkout("order-0001")).unwrap(), &sandbox);
    sends(&client.status(by("order-0001")), &sandbox);
    authenticates(&crate::world::v2_builder(&sandbox).build().unwrap(), &sandbox);
    assert!(sandbox.requests().is_empty());
    // The client does not even spend a nonce.
    initiated(&sandbox, &client, "order-0001");
    let body = String::from_utf8(sandbox.requests()[0].body().to_vec()).unwrap();
    assert!(body.contains(r#""nonce":"nonce-1""#));
}
