//! An answer as evidence: for an order of the client's environment, and only if the answer is a read's.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use checkout_auth::allscale::SigningKey;
use checkout_auth::peach::SecretToken;
use checkout_client::{
    Answer, Call, CallErrorKind, Clock, End, NonceSource, Observable, Operation, ReadKind, Readable, Watch,
    Watchable, allscale, azotte, peach,
};
use checkout_lifecycle::{Phase, Tracker, Verdict};
use checkout_money::Cents;
use checkout_poll::ReadOutcome;
use checkout_tables::Environment::{self, Live, Sandbox};
use checkout_tables::Moment;
use checkout_tables::Repeat;
use checkout_transport::bytes::Bytes;
use checkout_transport::{BlockingTransport, TransportError, from_fn_blocking, http};
use checkout_trust::settlement::{self, Read};
use checkout_wire::allscale::Intent;
use checkout_wire::azotte::CheckoutResult;
use checkout_wire::peach::Payment;

const ENVIRONMENTS: [Environment; 2] = [Live, Sandbox];
const NOW: Moment = Moment::from_unix_millis(1_716_501_000_000);

fn clock() -> impl Clock {
    || NOW
}

fn nonces() -> impl NonceSource {
    || "nonce-1".to_owned()
}

fn answer<T: Readable>(call: &Call<T>, status: u16, body: &[u8]) -> Answer<T> {
    call.send_blocking(&answering(status, body)).unwrap()
}

fn answering(status: u16, body: &[u8]) -> impl BlockingTransport {
    let body = Bytes::copy_from_slice(body);
    from_fn_blocking(move |_| {
        let response = http::Response::builder().status(status).body(body.clone());
        response.map_err(|_| TransportError::not_sent("no response"))
    })
}

mod of_allscale {
    use super::*;
    use checkout_tables::allscale::{Currency, StableCoin};
    use checkout_trust::settlement::allscale::{Order, OrderPrice};

    pub(super) const PAID: &[u8] =
        br#"{"code":0,"payload":{"all_scale_checkout_intent_id":"65b2","order_id":"order_1",
        "currency":1,"amount_cents":1000,"amount_coins":"10.0000","coin_symbol":"USDT","status":20,
        "actual_paid_amount":"10.0000"}}"#;
    pub(super) const CREATED: &[u8] =
        br#"{"code":0,"payload":{"checkout_url":"https://c.example/","allscale_checkout_intent_id":"65b2",
        "amount_coins":"10.0000","stable_coin_type":1}}"#;
    pub(super) const REFUSED: &[u8] = br#"{"code":50001,"payload":null,"error":{"message":"not found"}}"#;

    pub(super) fn client(environment: Environment) -> allscale::Client {
        let builder = allscale::Client::builder(SigningKey::new("st_key", "st_secret".into()).unwrap());
        builder.environment(environment).clock(clock()).nonces(nonces()).build().unwrap()
    }

    pub(super) fn get(environment: Environment) -> Call<Intent<'static>> {
        client(environment).get("65b2").unwrap()
    }

    pub(super) fn settlement(read: &Read<Intent<'_>>, environment: Environment) -> String {
        let owed = "10.0000".parse().unwrap();
        let price = OrderPrice::Fiat {
            currency: Currency::USD,
            amount: Cents::new(10_00),
            owed,
            accepted: &[StableCoin::USDT],
        };
        let order = Order { environment, id: "order_1", intent_id: "65b2", price };
        order.settled_by(read).to_string()
    }
}

mod of_azotte {
    use super::*;
    use checkout_tables::azotte::PaymentChannel;
    use checkout_validate::azotte::Draft;

    pub(super) const PAID: &[u8] = br#"{"trackingNumber":"trk_1","status":{"messageCode":"CHECK_OUT_DONE"}}"#;
    pub(super) const REFUSED: &[u8] = br#"{"status":{"messageCode":"ORDERED_ITEM_NOT_FOUND"}}"#;

    pub(super) fn client(environment: Environment) -> azotte::Client {
        let builder = azotte::Client::builder("acme", "e2a1c7b2-4f3a-4b8e-9c2d-1a2b3c4d5e6f", "sk_1".into());
        builder.environment(environment).clock(clock()).build().unwrap()
    }

    pub(super) fn status(environment: Environment) -> Call<CheckoutResult<'static>> {
        client(environment).status("trk_1").unwrap()
    }

    pub(super) fn submit(environment: Environment) -> Call<azotte::Submitted<'static>> {
        let draft = Draft::stored_method(PaymentChannel::CreditCard).offer_identifier("off_1");
        let draft = draft.correlation_id("order_1").item("plan_gold").customer_urn("urn:customer:42");
        client(environment).submit(&draft.check().unwrap())
    }

    pub(super) fn settlement(read: &Read<CheckoutResult<'_>>, environment: Environment) -> String {
        let order = settlement::azotte::Order { environment, tracking_number: "trk_1" };
        order.settled_by(read).to_string()
    }
}

mod of_peach {
    use super::*;
    use checkout_tables::peach::Currency;
    use checkout_validate::SecretString;
    use checkout_validate::peach::{Draft, InitiateCheckout};

    pub(super) const CREATED: &[u8] =
        br#"{"checkoutId":"c01b","redirectUrl":"https://secure.peachpayments.com/checkout/c01b"}"#;
    pub(super) const REFUSED: &[u8] =
        br#"{"result.code":"200.300.404","result.description":"invalid or missing parameter"}"#;
    const ENTITY: &str = "8ac7a4ca68c22c4d0168c2caab2e0025";

    fn secret() -> SecretToken {
        SecretToken::new("3fcd7cf22f55119eadbe02d14de18c0c".into()).unwrap()
    }

    /// A success, signed.
    pub(super) fn paid() -> Vec<u8> {
        let pairs = [
            ("amount", "14.99"),
            ("checkoutId", "c01b"),
            ("currency", "ZAR"),
            ("merchantTransactionId", "order_0003"),
            ("paymentType", "DB"),
            ("result.code", "000.000.000"),
        ];
        let signature = secret().sign(pairs).unwrap();
        let fields = pairs.map(|(key, text)| format!(r#""{key}":"{text}""#)).join(",");
        format!(r#"{{{fields},"signature":"{}"}}"#, signature.as_str()).into_bytes()
    }

    pub(super) fn v1(environment: Environment) -> peach::Client {
        let builder = peach::Client::builder(ENTITY, secret()).environment(environment);
        builder.referer("https://shop.example").clock(clock()).nonces(nonces()).build().unwrap()
    }

    pub(super) fn v2(environment: Environment) -> peach::v2::Client {
        let credentials = peach::v2::Credentials {
            client_id: "2f1b".into(),
            client_secret: "c2VjcmV0".into(),
            merchant_id: "9a31".into(),
        };
        let builder = peach::v2::Client::builder(ENTITY, credentials).environment(environment);
        let builder = builder.referer("https://shop.example").clock(clock()).nonces(nonces());
        builder.tokens(|_| Some(SecretString::from("token-1"))).build().unwrap()
    }

    pub(super) fn checkout() -> InitiateCheckout<'static> {
        let draft = Draft::debit(Currency::ZAR, Cents::new(14_99)).entity_id(ENTITY);
        let draft = draft.merchant_transaction_id("order_0003").shopper_result_url("https://shop.example/");
        draft.check().unwrap()
    }

    pub(super) fn statuses(environment: Environment) -> [Call<Payment<'static>>; 2] {
        let (v1, v2) = (v1(environment), v2(environment));
        [v1.status(checkout().lookup()), v2.status("c01b").unwrap()]
    }

    pub(super) fn settlement(read: &Read<Payment<'_>>, environment: Environment) -> String {
        let order = settlement::peach::Order {
            environment,
            merchant_transaction_id: "order_0003",
            checkout_id: Some("c01b"),
            amount: Cents::new(14_99),
            currency: Currency::ZAR,
        };
        order.settled_by(read).to_string()
    }
}

/// The verdict of each order on each client's read: live by live, sandbox by live, live by sandbox, sandbox
/// by sandbox.
const SETTLED: [&str; 4] = [
    "settled",
    "not settled: live money for a test order",
    "not settled: test money for a live order",
    "settled",
];

fn check<T: Watchable>(
    call: impl Fn(Environment) -> Call<T>,
    paid: &[u8],
    settlement: impl Fn(&Read<T>, Environment) -> String,
) {
    let told = ENVIRONMENTS.map(|of_the_client| {
        let read = answer(&call(of_the_client), 200, paid).into_read();
        assert_eq!(read.environment(), of_the_client);
        ENVIRONMENTS.map(|of_the_order| settlement(&read, of_the_order))
    });
    assert_eq!(told.concat(), SETTLED);
}

#[test]
fn a_read_settles_the_order_of_its_clients_environment_and_no_other() {
    check(of_allscale::get, of_allscale::PAID, of_allscale::settlement);
    check(of_azotte::status, of_azotte::PAID, of_azotte::settlement);
    for version in [0, 1] {
        let status = |environment| of_peach::statuses(environment)[version].clone();
        check(status, &of_peach::paid(), of_peach::settlement);
    }
}

/// The answer to a call has the environment of the client that asked, sent in one piece or taken apart.
fn carried<T: Readable>(environment: Environment, call: &Call<T>, body: &[u8]) {
    assert_eq!(call.environment(), environment, "{call:?}");
    let sent = answer(call, 200, body);
    let (_, reader) = call.attempt(NOW, "nonce-1").unwrap().into_parts();
    let read = reader.read(&http::Response::new(Bytes::copy_from_slice(body))).unwrap();
    assert_eq!([sent.environment(), read.environment()], [environment; 2], "{call:?}");
    // AllScale and Azotte can answer so too.
    if let Ok(answer) = call.send_blocking(&answering(400, body)) {
        assert_eq!(answer.environment(), environment, "{call:?}");
    }
}

#[test]
fn every_answer_has_the_environment_of_the_client_that_asked() {
    use checkout_tables::allscale::StableCoin;
    use checkout_validate::allscale::Draft;
    let draft = Draft::coin(StableCoin::USDT, Cents::new(1_000)).check().unwrap();
    for environment in ENVIRONMENTS {
        let client = of_allscale::client(environment);
        carried(environment, &client.create(&draft), of_allscale::CREATED);
        carried(environment, &of_allscale::get(environment), of_allscale::PAID);
        carried(environment, &client.status("65b2").unwrap(), br#"{"code":0,"payload":2}"#);
        carried(environment, &client.ping(), br#"{"code":0,"payload":{"pong":"ok"}}"#);
        carried(environment, &of_azotte::submit(environment), of_azotte::PAID);
        carried(environment, &of_azotte::status(environment), of_azotte::PAID);
        let (v1, v2, checkout) = (of_peach::v1(environment), of_peach::v2(environment), of_peach::checkout());
        carried(environment, &v1.initiate(&checkout).unwrap(), of_peach::CREATED);
        carried(environment, &v2.create(&checkout).unwrap(), of_peach::CREATED);
        carried(environment, &v2.token(), br#"{"access_token":"eyJh","expires_in":"3600"}"#);
        for status in of_peach::statuses(environment) {
            carried(environment, &status, &of_peach::paid());
        }
    }
}

/// Typed from the providers' pages: every route that is asked by a `GET` and changes nothing.
#[test]
fn the_reads_are_those_of_the_pages() {
    fn reads<R: Copy + Into<Operation> + std::fmt::Debug>(rows: &[R]) -> Vec<String> {
        let is_read = |operation: Operation| operation.method == "GET" && operation.repeat == Repeat::Safe;
        let reads = rows.iter().filter(|row| is_read((**row).into()));
        reads.map(|row| format!("{row:?}")).collect()
    }
    assert_eq!(reads(&checkout_tables::allscale::Route::ROWS), ["Get", "Status", "Ping", "Fail"]);
    assert_eq!(reads(&checkout_tables::azotte::Route::ROWS), ["CheckoutStatus"]);
    assert_eq!(reads(&checkout_tables::peach::Route::ROWS), ["Status", "CheckoutStatus"]);
}

/// The answer to a submit has no `into_read`, and a poller gets no end from the answer.
#[test]
fn the_answer_to_a_submit_is_no_read_even_with_the_code_done() {
    for environment in ENVIRONMENTS {
        let submitted = answer(&of_azotte::submit(environment), 200, of_azotte::PAID);
        assert_eq!(submitted.operation(), checkout_tables::azotte::Route::SubmitCheckout.into());
        assert_eq!(
            (submitted.environment(), submitted.sent_at().unix_millis()),
            (environment, 1_716_501_000_000)
        );
        let now = of_azotte::client(environment).now();
        let (heard, verdict) = submitted.read_outcome(ReadKind::Status, &mut Tracker::new(), now);
        let wait = Some(CheckoutResult::POLL_EVERY);
        assert_eq!(heard, ReadOutcome::Answer { kind: ReadKind::Status, phase: None, wait });
        assert_eq!(verdict, Some(Verdict::First));
        // The same text is a read if a read asked for the text, and shows the end.
        let status = answer(&of_azotte::status(environment), 200, of_azotte::PAID);
        assert_eq!(status.payload, submitted.payload.result);
        let (heard, _) = status.read_outcome(ReadKind::Status, &mut Tracker::new(), now);
        let phase = Some(Phase::Succeeded);
        assert_eq!(heard, ReadOutcome::Answer { kind: ReadKind::Status, phase, wait: None });
        assert_eq!(status.into_read().environment(), environment);
    }
}

/// The kind of the error, after the checks that the error names the call and the response.
fn failed<T: Readable>(call: &Call<T>, status: u16, body: &[u8]) -> &'static str {
    let error = call.send_blocking(&answering(status, body)).map(|_| "an answer").unwrap_err();
    assert_eq!((error.operation(), error.http_status()), (call.operation(), Some(status)));
    let (kind, why) = if let CallErrorKind::UnexpectedResponse(other) = error.kind() {
        ("unexpected response", other.to_string())
    } else {
        ("refused", error.refusal().unwrap().to_string())
    };
    assert_eq!(error.to_string(), format!("{}: {why}", call.operation()));
    assert_eq!(error.refusal().is_some(), kind == "refused");
    kind
}

#[test]
fn a_refusal_and_a_foreign_response_are_errors_of_the_call() {
    let html = b"<html>bad gateway</html>";
    let get = of_allscale::get(Live);
    assert_eq!(failed(&get, 200, of_allscale::REFUSED), "refused");
    assert_eq!(failed(&get, 502, html), "unexpected response");
    let (status, submit) = (of_azotte::status(Live), of_azotte::submit(Live));
    assert_eq!(failed(&status, 404, of_azotte::REFUSED), "refused");
    assert_eq!(failed(&status, 502, html), "unexpected response");
    assert_eq!(failed(&submit, 404, of_azotte::REFUSED), "refused");
    assert_eq!(failed(&submit, 502, html), "unexpected response");
    for call in of_peach::statuses(Live) {
        assert_eq!(failed(&call, 400, of_peach::REFUSED), "refused");
        assert_eq!(failed(&call, 502, html), "unexpected response");
    }
}

/// The watch ends after this read.
fn end<E: Watchable>(mut watch: Watch<E>, read: Answer<E>) -> Read<E> {
    watch.handle_read(watch.now(), Ok(read));
    let _ = watch.next(watch.now());
    let Some(End::Ended { answer, .. }) = watch.take_end(watch.now()) else { panic!("{watch:?}") };
    answer.into_read()
}

/// A watch of a live client that takes in a sandbox client's read ends with a read of the sandbox.
#[test]
fn the_last_read_of_a_watch_has_the_environment_of_its_client() {
    for (at, of_the_client) in ENVIRONMENTS.into_iter().enumerate() {
        let expected = &SETTLED[2 * at..2 * at + 2];
        for of_the_watch in ENVIRONMENTS {
            let watch = of_allscale::client(of_the_watch).watch("65b2").unwrap();
            let read = end(watch, answer(&of_allscale::get(of_the_client), 200, of_allscale::PAID));
            assert_eq!(ENVIRONMENTS.map(|order| of_allscale::settlement(&read, order)), expected);

            let watch = of_azotte::client(of_the_watch).watch("trk_1").unwrap();
            let read = end(watch, answer(&of_azotte::status(of_the_client), 200, of_azotte::PAID));
            assert_eq!(ENVIRONMENTS.map(|order| of_azotte::settlement(&read, order)), expected);

            let watch = of_peach::v2(of_the_watch).watch("c01b").unwrap();
            let [_, status] = of_peach::statuses(of_the_client);
            let read = end(watch, answer(&status, 200, &of_peach::paid()));
            assert_eq!(ENVIRONMENTS.map(|order| of_peach::settlement(&read, order)), expected);
        }
    }
}

#[test]
fn an_error_shows_nothing_of_its_kept_answer() {
    // The answer about another checkout.
    let call = of_azotte::client(Live).status("trk_2").unwrap();
    let error = call.send_blocking(&answering(200, of_azotte::PAID)).unwrap_err();
    assert!(matches!(error.kind(), CallErrorKind::Mismatch("trackingNumber")), "{error:?}");
    assert_eq!(error.body().map(|body| &body[..]), Some(of_azotte::PAID));
    assert_eq!(format!("{error:?} {error}").matches("trk_1").count(), 0, "{error:?}");
    assert!(std::error::Error::source(&error).is_none());
}
