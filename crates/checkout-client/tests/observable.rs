//! One caller for every provider: the caller is generic over the read payload, and knows no provider.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use checkout_auth::allscale::SigningKey;
use checkout_client::{Call, Observable, ReadKind, allscale, azotte, peach};
use checkout_lifecycle::{Moment, Observation, Phase, Tracker, Verdict};
use checkout_money::Cents;
use checkout_sandbox::VirtualClock;
use checkout_tables::azotte::PaymentChannel;
use checkout_tables::{Environment, TextCode};
use checkout_transport::bytes::Bytes;
use checkout_transport::{BlockingTransport, from_fn_blocking, http};

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

/// Polls until the checkout is paid, and polls on after an end without success, since a success can come
/// late. Returns the phases on the way, and the time that passed.
fn drive<T: Observable>(
    call: &Call<T>,
    tracker: &mut Tracker<T::Status>,
    clock: &VirtualClock,
    transport: &dyn BlockingTransport,
) -> (Vec<Phase>, Duration)
where
    T::Status: Debug,
{
    let (begun, mut phases) = (clock.now(), Vec::new());
    for _ in 0..200 {
        let answer = call.send_blocking(transport).unwrap();
        if let Some(observation) = answer.observation() {
            let now = clock.now();
            let verdict = tracker.observe(observation, now);
            assert!(!matches!(verdict, Verdict::Stale { .. } | Verdict::Conflict { .. }), "{verdict:?}");
        }
        if let Some(phase) = tracker.phase().filter(|phase| phases.last() != Some(phase)) {
            phases.push(phase);
        }
        if tracker.phase() == Some(Phase::Succeeded) {
            break;
        }
        clock.advance(answer.poll_after());
    }
    (phases, clock.now().saturating_since(begun))
}

fn of_allscale() -> (Vec<Phase>, Duration) {
    use checkout_sandbox::allscale::{Sandbox, Store};
    use checkout_validate::allscale::Draft;
    let key = checkout_auth::allscale::SigningKey::new("st_key", "st_secret".into()).unwrap();
    let sandbox = Sandbox::builder().store(Store::new(key.clone())).build();
    let clock = sandbox.clock().clone();
    let client = allscale::Client::builder(key).clock(move || clock.now()).nonces(nonces());
    let client = client.build().unwrap();
    let intent = Draft::fiat(checkout_tables::allscale::Currency::USD, Cents::new(9_200));
    let created = client.create(&intent.check().unwrap()).send_blocking(&sandbox).unwrap();
    let id = created.payload.intent_id;
    drive(&client.status(&id).unwrap(), &mut Tracker::new(), sandbox.clock(), &sandbox)
}

fn of_azotte() -> (Vec<Phase>, Duration) {
    use checkout_sandbox::azotte::{API_KEY, Sandbox, Scenario, X_TN};
    use checkout_validate::azotte::Draft;
    let sandbox = Sandbox::builder().scenario(Scenario::three_ds_twice()).build();
    let clock = sandbox.clock().clone();
    let client = azotte::Client::builder("acme", X_TN, API_KEY.into()).clock(move || clock.now());
    let client = client.environment(Environment::Sandbox).build().unwrap();
    let submit = Draft::stored_method(PaymentChannel::CreditCard).offer_identifier("off_1");
    let submit = submit.correlation_id("order-1").item("plan_gold").customer_urn("urn:customer:42");
    // A submit's answer is an observation already.
    let submit = client.submit(&submit.check().unwrap());
    let mut tracker = Tracker::new();
    let submitted = submit.send_blocking(&sandbox).unwrap();
    assert_eq!(tracker.observe(submitted.observation().unwrap(), client.now()), Verdict::First);
    let number = submitted.payload.tracking_number;
    drive(&client.status(&number).unwrap(), &mut tracker, sandbox.clock(), &sandbox)
}

fn of_peach() -> (Vec<Phase>, Duration) {
    use checkout_sandbox::peach::{ENTITY_ID, REFERER, SECRET_TOKEN, Sandbox, Scenario};
    use checkout_validate::peach::Draft;
    // The sandbox counts: not more than two statuses a minute.
    let sandbox = Sandbox::builder().scenario(Scenario::late_success_after_expired()).build();
    let clock = sandbox.clock().clone();
    let secret = checkout_auth::peach::SecretToken::new(SECRET_TOKEN.into()).unwrap();
    let client = peach::Client::builder(ENTITY_ID, secret).environment(Environment::Sandbox).referer(REFERER);
    let client = client.clock(move || clock.now()).nonces(nonces()).build().unwrap();
    let checkout =
        Draft::debit(checkout_tables::peach::Currency::ZAR, Cents::new(9_200)).entity_id(ENTITY_ID);
    let checkout = checkout.merchant_transaction_id("order-0001").shopper_result_url("https://shop.example/");
    let checkout = checkout.check().unwrap();
    client.initiate(&checkout).unwrap().send_blocking(&sandbox).unwrap();
    let mut tracker = Tracker::new();
    let walk = drive(&client.status(checkout.lookup()), &mut tracker, sandbox.clock(), &sandbox);
    assert_eq!(tracker.superseded().map(TextCode::code), Some("expired"));
    walk
}

fn nonces() -> impl checkout_client::NonceSource {
    let last = std::sync::atomic::AtomicU64::new(0);
    move || format!("nonce-{}", last.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
}

#[test]
fn one_caller_takes_a_payment_of_each_provider_to_its_success() {
    use Phase::{AwaitingPayer, PayerAction, Processing, Succeeded};
    let (phases, took) = of_allscale();
    assert_eq!((phases, took.as_secs()), (vec![AwaitingPayer, Processing, Succeeded], 60));
    let (phases, took) = of_azotte();
    let rounds = vec![Processing, PayerAction, Processing, PayerAction, Processing, Succeeded];
    assert_eq!(phases, rounds);
    // Five seconds, half a minute of the payer's, and the same once more; the rest is the time between reads.
    assert!((75..90).contains(&took.as_secs()), "{took:?}");
    let (phases, took) = of_peach();
    let expired = Phase::Failed(checkout_lifecycle::Failure::Expired);
    assert_eq!(phases, [AwaitingPayer, expired, Succeeded]);
    // The checkout expires half an hour after the page was opened, and is paid 20 minutes later.
    assert_eq!(took.as_secs(), 3_030);
}

/// The demand of a web framework or a runtime on a handler: a future that is `Send` for every lifetime.
#[test]
fn every_call_can_be_awaited_in_a_handler_of_a_web_framework() {
    fn handler<S, F: Future + Send + 'static>(_: impl Fn(S) -> F + Send + Sync + 'static) {}
    macro_rules! awaited {
        ($client:ty, $sandbox:ty, |$asker:ident| $($call:expr),+) => {
            async fn asks((client, sandbox): (Arc<$client>, Arc<$sandbox>)) -> bool {
                let $asker = &*client;
                true $(&& $call.send(&*sandbox).await.is_ok())+
            }
            handler(asks);
        };
    }
    {
        use checkout_client::allscale::Client;
        use checkout_sandbox::allscale::Sandbox;
        awaited!(
            Client,
            Sandbox,
            |client| client.ping(),
            client.get("i").unwrap(),
            client.status("i").unwrap()
        );
    }
    {
        use checkout_client::azotte::Client;
        use checkout_sandbox::azotte::Sandbox;
        awaited!(Client, Sandbox, |client| client.status("trk_1").unwrap());
    }
    {
        use checkout_client::peach::v2::Client;
        use checkout_sandbox::peach::Sandbox;
        awaited!(Client, Sandbox, |client| client.token(), client.status("c1").unwrap());
    }
}

/// The outcome of a response of AllScale's to a poller, and the verdict of a tracker that stands at a status.
fn heard(known: Option<i64>, http_status: u16, headers: &[(&str, &str)], body: &'static str) -> String {
    let transport = from_fn_blocking(move |_| {
        let mut response = http::Response::builder().status(http_status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        Ok(response.body(Bytes::from_static(body.as_bytes())).unwrap())
    });
    let key = SigningKey::new("st_key", "st_secret".into()).unwrap();
    let client = allscale::Client::builder(key)
        .clock(|| Moment::from_unix_millis(1_716_501_000_000))
        .nonces(nonces())
        .build()
        .unwrap();
    let mut tracker = Tracker::new();
    if let Some(known) = known {
        let before = Moment::from_unix_millis(1_716_500_000_000);
        let _ = tracker.observe(Observation::read(known, before), before);
    }
    let call = client.status("65b2f3d0d2d9c0a1b2c3d4e5").unwrap();
    match call.send_blocking(&transport) {
        Ok(answer) => {
            let (heard, verdict) = answer.read_outcome(ReadKind::Status, &mut tracker, client.now());
            format!("{heard:?} {}", verdict.unwrap())
        }
        Err(error) => format!("{:?}", error.read_outcome()),
    }
}

#[test]
fn the_outcome_for_a_poller_comes_from_the_answer_and_the_tracker_or_the_error() {
    let status = |code: &str| format!("Answer {{ kind: Status, phase: {code}, wait: None }}");
    let paid = r#"{"code":0,"payload":20,"request_id":"r"}"#;
    assert_eq!(heard(None, 200, &[], paid), status("Some(Succeeded)") + " first");
    assert_eq!(heard(Some(20), 200, &[], paid), status("Some(Succeeded)") + " unchanged");
    // A status that contradicts an end, or that nobody has named, confirms no end.
    let opened = r#"{"code":0,"payload":2}"#;
    assert_eq!(heard(Some(20), 200, &[], opened), status("None") + " conflict");
    assert_eq!(heard(Some(20), 200, &[], r#"{"code":0,"payload":7}"#), status("None") + " unknown: 7");
    // A wait has the length that the answer says, in seconds or as a date.
    for wait in ["17", "Thu, 23 May 2024 21:50:17 GMT"] {
        let said = heard(None, 200, &[("retry-after", wait)], opened);
        assert_eq!(said, "Answer { kind: Status, phase: Some(AwaitingPayer), wait: Some(17s) } first");
    }
    let limited = r#"{"code":40001,"error":{"message":"slow down"}}"#;
    assert_eq!(heard(Some(2), 200, &[("retry-after", "9")], limited), "Limited { wait: Some(9s) }");
    // A response that is not the API's speaks for nobody, and the header says nothing.
    for (status, body) in [
        (429, "<html>"),
        (503, "<html>"),
        (429, ""),
        (301, ""),
        (200, "<html>"),
        (429, "{}"),
        // A gateway's page that lets nobody in is not the API's refusal.
        (401, ""),
        (403, "<html>"),
    ] {
        for wait in ["9", "86400", "99999999999", "Fri, 31 Dec 9999 23:59:59 GMT"] {
            let said = heard(Some(2), status, &[("retry-after", wait)], body);
            assert_eq!(said, "Failed { wait: None }", "{status} {body} {wait}");
        }
    }
    // Nor does an answer that cannot be read.
    let cut = r#"{"code":0,"payload":"#;
    assert_eq!(heard(Some(2), 200, &[("retry-after", "86400")], cut), "Failed { wait: None }");
    // For a limit with a wait of no time, the policy's own wait applies.
    for now in ["0", "Sun, 06 Nov 1994 08:49:37 GMT"] {
        assert_eq!(heard(Some(2), 200, &[("retry-after", now)], limited), "Limited { wait: None }", "{now}");
    }
    assert_eq!(heard(Some(2), 403, &[], r#"{"code":30001}"#), "Refused");
    // The intent does not exist, or does not exist yet.
    let nowhere = r#"{"code":50001}"#;
    assert_eq!(heard(Some(2), 404, &[], nowhere), "NotThere { wait: None }");
    assert_eq!(heard(Some(2), 404, &[("retry-after", "9")], nowhere), "NotThere { wait: Some(9s) }");
    assert_eq!(heard(Some(2), 500, &[], r#"{"code":99999}"#), "Failed { wait: None }");
    assert_eq!(heard(Some(2), 200, &[], r#"{"code":0,"payload":"#), "Failed { wait: None }");
}
