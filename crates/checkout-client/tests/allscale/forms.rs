//! One checkout, requested in each of the four ways.

use crate::world::{
    Form, Recorder, START_MILLIS, client, counted_nonces, fiat, key, native, on_the_wire, sandbox,
};
use checkout_client::allscale::{AllScale, Client};
use checkout_client::{Answer, Call, CallError, Readable};
use checkout_sandbox::allscale::{RecordedRequest, Sandbox};
use checkout_tables::Environment;
use checkout_tables::Moment;
use checkout_tables::allscale::StableCoin;
use checkout_wire::JsonText;
use std::fmt::Debug;
use std::time::Duration;

/// Everything of a checkout that a test can compare.
#[derive(Debug, PartialEq, Eq)]
struct Walk {
    /// The requests that left the client.
    sent: Vec<String>,
    /// The requests and the answers as the sandbox recorded them.
    seen: Vec<String>,
    /// The client's outcomes.
    told: Vec<String>,
    statuses: Vec<i64>,
}

/// Creates, polls until the intent is confirmed, reads, and calls the test routes.
fn check(form: Form) -> Walk {
    let sandbox = sandbox(11);
    let (client, recorder, nonces) = (client(&sandbox), Recorder::before(&sandbox), counted_nonces());
    let (mut told, mut statuses) = (Vec::new(), Vec::new());

    let created = ask(form, &client.create(&fiat(2_500)), &recorder, &nonces, &mut told);
    let id = created.unwrap().payload.intent_id;
    let status = client.status(&id).unwrap();
    while statuses.last() != Some(&20) && statuses.len() < 30 {
        sandbox.clock().advance(Duration::from_millis(5_250));
        let answer = ask(form, &status, &recorder, &nonces, &mut told);
        statuses.push(answer.unwrap().payload.value());
    }
    ask(form, &client.get(&id).unwrap(), &recorder, &nonces, &mut told).unwrap();
    ask(form, &client.ping(), &recorder, &nonces, &mut told).unwrap();
    let body = JsonText::new("{\"ü\" : [1, 2.50]}").unwrap();
    ask(form, &client.post(&body), &recorder, &nonces, &mut told).unwrap();
    ask(form, &client.fail(), &recorder, &nonces, &mut told).unwrap_err();
    Walk { sent: recorder.seen(), seen: sandbox.requests().iter().map(seen).collect(), told, statuses }
}

fn ask<T: Readable<Provider = AllScale> + Debug>(
    form: Form,
    call: &Call<T>,
    recorder: &Recorder,
    nonces: &impl checkout_client::NonceSource,
    told: &mut Vec<String>,
) -> Result<Answer<T>, CallError<AllScale>> {
    let outcome = form.ask(call, recorder, nonces);
    told.push(match &outcome {
        Ok(answer) => format!("{answer:?}"),
        Err(error) => format!("{error:?} {:?} {error}", error.http_status()),
    });
    outcome
}

fn seen(request: &RecordedRequest) -> String {
    let headers: Vec<_> = request.headers().iter().collect();
    let (method, path, query) = (request.method(), request.path(), request.query());
    let answered = (request.at(), request.answered_status(), request.answered_body());
    // The values themselves, since `Debug` leaves out the part that is compared here.
    let values: Vec<_> = headers.iter().map(|(name, value)| (name, value.as_bytes())).collect();
    format!("{method} {path} {query:?} {values:?} {:?} {answered:?}", request.body())
}

#[test]
fn every_form_puts_the_same_bytes_on_the_wire_and_reads_the_same_answers() {
    let walk = check(Form::Send);
    assert_eq!(walk.statuses, [2, 2, 2, 2, 2, 10, 10, 10, 10, 10, 10, 20]);
    assert_eq!(walk.sent.len(), 1 + walk.statuses.len() + 4);
    assert_eq!((walk.seen.len(), walk.told.len()), (walk.sent.len(), walk.sent.len()));
    for form in Form::ALL {
        assert_eq!(check(form), walk, "{form:?}");
    }
}

#[test]
fn a_request_has_the_documented_headers_and_no_others() {
    let sandbox = sandbox(1);
    let recorder = Recorder::before(&sandbox);
    let client = client(&sandbox);
    client.ping().send_blocking(&recorder).unwrap();
    client.create(&native(StableCoin::USDC, 1_050)).send_blocking(&recorder).unwrap();
    let signature = |at: usize| sandbox.requests()[at].headers()["x-signature"].to_str().unwrap().to_owned();
    let ping = format!(
        "GET https://openapi.allscale.io/v1/test/ping\n\
         accept: application/json\n\
         x-api-key: st_planted_key\n\
         x-timestamp: 1716501000\n\
         x-nonce: nonce-1\n\
         x-signature: {}\n\n",
        signature(0)
    );
    let create = format!(
        "POST https://openapi.allscale.io/v1/checkout_intents/\n\
         accept: application/json\n\
         x-api-key: st_planted_key\n\
         x-timestamp: 1716501000\n\
         x-nonce: nonce-2\n\
         x-signature: {}\n\
         content-type: application/json\n\n\
         {{\"stable_coin\":2,\"amount_cents\":1050,\"order_id\":\"order-planted-77\",\
         \"user_id\":\"user-planted-88\",\"user_name\":\"Nora Planted\"}}",
        signature(1)
    );
    assert_eq!(recorder.seen(), [ping, create]);
}

#[test]
fn the_key_and_the_signature_are_marked_as_sensitive_headers() {
    let attempt = client(&Sandbox::new(1)).ping().attempt(Moment::from_unix_millis(0), "nonce-1").unwrap();
    let mut sensitive: Vec<_> = attempt.request().headers().iter().collect();
    sensitive.retain(|(_, value)| value.is_sensitive());
    let names: Vec<_> = sensitive.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["x-api-key", "x-signature"]);
}

#[test]
fn a_live_and_a_test_store_s_requests_are_the_same() {
    let request = |environment| {
        let client =
            Client::builder(key()).environment(environment).clock(|| Moment::from_unix_millis(START_MILLIS));
        let client = client.nonces(counted_nonces()).build().unwrap();
        assert_eq!(client.environment(), environment);
        on_the_wire(
            client
                .create(&fiat(100))
                .attempt(Moment::from_unix_millis(START_MILLIS), "nonce-1")
                .unwrap()
                .request(),
        )
    };
    assert_eq!(request(Environment::Live), request(Environment::Sandbox));
}

#[test]
fn an_answer_has_the_sandbox_s_own_values() {
    let sandbox = sandbox(3);
    let client = client(&sandbox);
    let created = client.create(&fiat(2_500)).send_blocking(&sandbox).unwrap().payload;
    let record = &sandbox.intents()[0];
    assert_eq!(created.intent_id, record.id);
    assert_eq!(created.amount_coins.to_string(), "25.0000");
    let intent = client.get(&record.id).unwrap().send_blocking(&sandbox).unwrap();
    assert_eq!(intent.payload.status.value(), record.status);
    assert_eq!(intent.payload.order_id.as_deref(), record.order_id.as_deref());
    let body = JsonText::new("{\"ü\" : [1, 2.50]}").unwrap();
    let echo = client.post(&body).send_blocking(&sandbox).unwrap().payload;
    assert_eq!(echo.your_request_body, body);
}
