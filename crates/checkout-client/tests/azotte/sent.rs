//! The requests that leave the client.

use crate::support::{Recorder, on_the_wire, sensitive};
use crate::world::{ADDRESS, ALIAS, API_KEY, CARD_NUMBER, CVC, HOLDER, TENANT, URN};
use crate::world::{START_MILLIS, card, client, client_at, latest, sandbox, stored};
use checkout_client::azotte::{Client, Submitted};
use checkout_client::{Call, Readable};
use checkout_tables::Moment;
use checkout_transport::{Transport, TransportError, from_fn_blocking};
use checkout_wire::azotte::CheckoutResult;

#[test]
fn a_request_has_the_documented_headers_and_no_others() {
    let sandbox = sandbox(1);
    let (recorder, client) = (Recorder::before(&sandbox), client(&sandbox));
    for submit in [client.submit(&card("order-1")), client.submit(&stored("order-2"))] {
        submit.send_blocking(&recorder).unwrap();
    }
    let number = latest(&sandbox).tracking_number;
    client.status(&number).unwrap().send_blocking(&recorder).unwrap();

    let host = "https://acme.sandbox.azotte.com/api/v1/c2a/offer/checkout";
    let headers = format!(
        "accept: application/clientOutput+Json, application/json\nx-tn: {TENANT}\nx-api-key: {API_KEY}\n"
    );
    let order = |id: &str| {
        format!(
            "{{\"order\":{{\"offerIdentifier\":\"off_1\",\"correlationId\":\"{id}\",\
             \"items\":[{{\"itemIdentifier\":\"plan_gold\",\"quantity\":1}}],\
             \"customer\":{{\"customerUrn\":\"{URN}\",\"ipAddress\":\"{ADDRESS}\"}}}},"
        )
    };
    let card = format!(
        "{{\"cardHolderName\":\"{HOLDER}\",\"cardNumber\":\"{CARD_NUMBER}\",\"expireMonth\":\"12\",\
         \"expireYear\":\"2039\",\"cvc\":\"{CVC}\",\"cardAlias\":\"{ALIAS}\"}}"
    );
    let method = |stored: bool, card: &str| {
        format!(
            "\"paymentMethod\":{{\"paymentChannel\":\"CreditCard\",\"useStoredMethod\":{stored}{card}}}}}"
        )
    };
    let json = "content-type: application/json\n\n";
    let with_card = method(false, &format!(",\"creditCard\":{card}"));
    assert_eq!(
        recorder.seen(),
        [
            format!("POST {host}\n{headers}{json}{}{with_card}", order("order-1")),
            format!("POST {host}\n{headers}{json}{}{}", order("order-2"), method(true, "")),
            format!("GET {host}/{number}/status\n{headers}\n"),
        ]
    );
}

#[test]
fn the_body_of_a_call_is_the_body_that_is_sent_and_every_attempt_is_the_same() {
    fn check<T: Readable>(call: &Call<T>) {
        let attempt = call.attempt(Moment::from_unix_millis(START_MILLIS), "").unwrap();
        assert_eq!(attempt.request().body(), call.body());
        assert_eq!(attempt.request().uri().path(), call.path());
        // The request holds neither a time nor a nonce.
        let again = call.clone().attempt(Moment::from_unix_millis(0), "another").unwrap();
        assert_eq!(on_the_wire(again.request()), on_the_wire(attempt.request()));
        assert_eq!(sensitive(attempt.request()), ["x-tn", "x-api-key"]);
    }
    let client = client_at(START_MILLIS);
    check(&client.submit(&card("order-1")));
    check(&client.status("trk_1").unwrap());
}

#[test]
fn a_tracking_number_stays_one_segment_of_the_path() {
    let client = client_at(0);
    for (number, expected) in [
        ("trk_01HZ9XPZ3K2A8E0VBVQH7N9XGB", "trk_01HZ9XPZ3K2A8E0VBVQH7N9XGB"),
        ("a/../b?c#d", "a%2F..%2Fb%3Fc%23d"),
        ("ü %", "%C3%BC%20%25"),
    ] {
        let call = client.status(number).unwrap();
        assert_eq!(call.path(), format!("/api/v1/c2a/offer/checkout/{expected}/status"));
        let attempt = call.attempt(Moment::from_unix_millis(0), "").unwrap();
        let uri = attempt.request().uri();
        assert_eq!((uri.path(), uri.query()), (call.path(), None));
    }
    for number in ["", ".", ".."] {
        assert!(client.status(number).is_err());
    }
}

#[test]
fn a_future_sends_nothing_before_its_first_poll_and_can_go_to_another_thread() {
    fn is_send<T: Send>(it: T) -> T {
        it
    }
    fn sends<T: Readable>(call: &Call<T>, transport: &impl Transport) {
        drop(is_send(call.send(transport)));
    }
    fn crosses<T: Send + Sync + 'static>() {}
    crosses::<(Client, Call<Submitted<'static>>, Call<CheckoutResult<'static>>)>();
    let sandbox = sandbox(1);
    let client = client(&sandbox);
    sends(&client.submit(&stored("order-1")), &sandbox);
    sends(&client.status("trk_1").unwrap(), &sandbox);
    assert!(sandbox.requests().is_empty());
}

#[test]
fn a_transport_s_own_reason_is_in_the_error() {
    let nowhere = from_fn_blocking(|_| Err(TransportError::not_sent("connection refused")));
    let error = client_at(0).submit(&stored("order-1")).send_blocking(&nowhere).unwrap_err();
    assert_eq!(
        crate::support::chain(&error),
        ["POST /api/v1/c2a/offer/checkout: the request was not sent", "connection refused"]
    );
}
