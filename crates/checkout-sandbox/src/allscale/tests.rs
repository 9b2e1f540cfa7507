mod acts;
mod create;
mod crowd;
mod door;
mod faults;
mod sent;
mod walk;
mod world;

use super::builder::default_store;
use super::*;
use crate::{Counts, VirtualClock};
use std::cell::Cell;
use std::collections::HashSet;
use std::num::NonZeroU32;
use std::time::Duration;

use checkout_auth::allscale::{RequestToSign, SigningKey};
use checkout_tables::Moment;
use checkout_tables::allscale::{Currency, Route};
use checkout_transport::bytes::Bytes;
use checkout_transport::{BODY_CAP, BlockingTransport, Request, Response, Transport, TransportError, http};
use serde_json::{Value, json};

/// A merchant's back end for these tests. The back end signs with a fresh nonce at the sandbox's time.
struct Merchant {
    sandbox: Sandbox,
    key: SigningKey,
    nonces: Cell<u64>,
}

impl Merchant {
    /// The back end of the one store that a sandbox has by default.
    fn of(sandbox: &Sandbox) -> Self {
        Self::with(sandbox, API_KEY, API_SECRET)
    }

    fn with(sandbox: &Sandbox, api_key: &str, secret: &str) -> Self {
        let key = SigningKey::new(api_key, secret.into()).unwrap();
        Self { sandbox: sandbox.clone(), key, nonces: Cell::new(0) }
    }

    fn request(&self, method: &str, target: &str, body: &[u8]) -> Request {
        self.nonces.set(self.nonces.get() + 1);
        let now = self.sandbox.clock().now().unix_seconds().unsigned_abs();
        signed(&self.key, method, target, body, now, &format!("nonce-{}", self.nonces.get()))
    }

    fn send(&self, method: &str, target: &str, body: &[u8]) -> Result<Response, TransportError> {
        self.sandbox.send_blocking(self.request(method, target, body))
    }

    /// The HTTP status and the JSON of the answer.
    fn call(&self, method: &str, target: &str, body: &[u8]) -> (u16, Value) {
        read(&self.send(method, target, body).unwrap())
    }

    fn create(&self, body: &Value) -> (u16, Value) {
        self.call("POST", "/v1/checkout_intents/", body.to_string().as_bytes())
    }

    /// The id of a new intent over 10.00 USDT.
    fn new_intent(&self, order_id: &str) -> String {
        let (_, reply) = self.create(&json!({"stable_coin": 1, "amount_cents": 1000, "order_id": order_id}));
        reply["payload"]["allscale_checkout_intent_id"].as_str().unwrap().to_owned()
    }

    fn whole(&self, id: &str) -> (u16, Value) {
        self.call("GET", &format!("/v1/checkout_intents/{id}"), b"")
    }

    fn status(&self, id: &str) -> (u16, Value) {
        self.call("GET", &format!("/v1/checkout_intents/{id}/status"), b"")
    }
}

fn signed(key: &SigningKey, method: &str, target: &str, body: &[u8], timestamp: u64, nonce: &str) -> Request {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let to_sign = RequestToSign { method, path, query, timestamp, nonce, body };
    http::Request::builder()
        .method(method)
        .uri(format!("https://openapi.allscale.io{target}"))
        .header("X-API-Key", key.api_key())
        .header("X-Timestamp", timestamp)
        .header("X-Nonce", nonce)
        .header("X-Signature", key.sign(&to_sign).unwrap().as_str())
        .body(Bytes::copy_from_slice(body))
        .unwrap()
}

fn read(response: &Response) -> (u16, Value) {
    let value = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
    (response.status().as_u16(), value)
}

fn keys(object: &Value) -> Vec<String> {
    object.as_object().unwrap().keys().cloned().collect()
}

/// The HTTP status, the code, and the error's message.
fn refusal((status, reply): &(u16, Value)) -> String {
    let message = reply["error"]["message"].as_str().unwrap_or("-");
    format!("{status} {} {message}", reply["code"])
}

#[test]
fn the_same_seed_and_requests_give_the_same_bytes() {
    let run = |seed| {
        let sandbox = Sandbox::new(seed);
        let merchant = Merchant::of(&sandbox);
        let mut seen = Vec::new();
        for name in Scenario::NAMES {
            sandbox.next_intent(Scenario::by_name(name).unwrap());
            let id = merchant.new_intent(name);
            sandbox.clock().advance(Duration::from_secs(61));
            let answers = [
                merchant.send("GET", &format!("/v1/checkout_intents/{id}"), b"").unwrap(),
                merchant.send("GET", &format!("/v1/checkout_intents/{id}/status"), b"").unwrap(),
                merchant.send("GET", "/v1/test/fail", b"").unwrap(),
            ];
            seen.extend(answers.map(|answer| format!("{:?} {:?}", answer.headers(), answer.body())));
        }
        seen
    };
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
}

#[test]
fn ids_are_object_ids_and_never_the_same() {
    let sandbox = Sandbox::new(3);
    let merchant = Merchant::of(&sandbox);
    let ids: HashSet<String> = (0..200).map(|at| merchant.new_intent(&at.to_string())).collect();
    assert_eq!(ids.len(), 200);
    assert!(ids.iter().all(|id| id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_hexdigit())));
    let request_ids: HashSet<Value> =
        (0..200).map(|_| merchant.call("GET", "/v1/test/ping", b"").1["request_id"].clone()).collect();
    assert_eq!(request_ids.len(), 200);
    assert!(request_ids.iter().all(|id| id.as_str().unwrap().starts_with("req_")));
}

#[test]
fn the_asynchronous_and_the_blocking_transport_answer_alike() {
    let body = br#"{"currency":44,"amount_cents":100}"#;
    let (one, other) = (Sandbox::new(5), Sandbox::new(5));
    let request = |sandbox| Merchant::of(sandbox).request("POST", "/v1/checkout_intents/", body);
    let blocking = one.send_blocking(request(&one)).unwrap();
    let awaited = pollster::block_on(other.send(request(&other))).unwrap();
    assert_eq!(blocking.body(), awaited.body());
    assert_eq!(blocking.headers(), awaited.headers());
}

#[test]
fn nothing_happens_before_the_future_is_polled() {
    let sandbox = Sandbox::new(5);
    drop(sandbox.send(Merchant::of(&sandbox).request("GET", "/v1/test/ping", b"")));
    assert!(sandbox.requests().is_empty());
}

#[test]
fn every_answer_has_the_date_of_the_clock() {
    // Reference dates from RFC 9110, 5.6.7, and from `date -u`.
    let table = [
        (-1, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (784_111_777_999, "Sun, 06 Nov 1994 08:49:37 GMT"),
        (1_709_164_800_000, "Thu, 29 Feb 2024 00:00:00 GMT"),
        (1_716_501_000_000, "Thu, 23 May 2024 21:50:00 GMT"),
        (i64::MAX, "Fri, 31 Dec 9999 23:59:59 GMT"),
    ];
    for (millis, expected) in table {
        let sandbox = Sandbox::builder().clock(VirtualClock::new(Moment::from_unix_millis(millis))).build();
        let merchant = Merchant::of(&sandbox);
        for (method, target) in [("GET", "/v1/test/ping"), ("GET", "/nowhere"), ("PUT", "/v1/test/ping")] {
            let response = merchant.send(method, target, b"").unwrap();
            assert_eq!(response.headers()["date"], expected, "{method} {target}");
        }
    }
}

#[test]
fn requests_are_recorded_with_their_answers() {
    let sandbox = Sandbox::new(5);
    let merchant = Merchant::of(&sandbox);
    let response = merchant.send("POST", "/v1/test/post?b=2&a=1", b"{\"a\": 1}").unwrap();
    sandbox.clock().advance(Duration::from_secs(9));
    merchant.send("GET", "/v1/checkout_intents", b"").unwrap();

    let [first, second] = <[_; 2]>::try_from(sandbox.requests()).unwrap();
    assert_eq!((first.method(), first.path(), first.query()), ("POST", "/v1/test/post", "b=2&a=1"));
    assert_eq!(
        (first.body().as_ref(), first.at()),
        (&b"{\"a\": 1}"[..], Moment::from_unix_millis(1_716_501_000_000))
    );
    assert_eq!(first.headers()["x-api-key"], API_KEY);
    assert_eq!((first.answered_status(), first.answered_code()), (200, Some(0)));
    assert_eq!(first.answered_body(), response.body());
    assert!(first.answer_arrived());
    assert_eq!((second.answered_status(), second.answered_code()), (404, None));
    assert_eq!(second.at(), Moment::from_unix_millis(1_716_501_009_000));
}

#[test]
fn debug_shows_no_key_no_signature_and_nothing_of_a_payer() {
    let sandbox = Sandbox::new(5);
    let merchant = Merchant::of(&sandbox);
    merchant.create(&json!({"currency": 1, "amount_cents": 1000, "user_name": "Tom", "order_id": "o1"}));
    merchant.call("GET", "/v1/test/ping?name=Tom", b"");
    let shown =
        format!("{sandbox:?} {:?} {:?}", sandbox.requests(), Sandbox::builder().store(default_store()));
    for hidden in [API_KEY, API_SECRET, "v1=", "Tom"] {
        assert!(!shown.contains(hidden), "{hidden} in {shown}");
    }
    assert!(shown.contains("x-signature") && shown.contains("intents: 1, requests: 2"), "{shown}");
}

#[test]
fn intents_are_listed_in_the_order_of_their_creation() {
    let sandbox = Sandbox::builder().scenario(Scenario::never_paid()).build();
    let merchant = Merchant::of(&sandbox);
    sandbox.next_intent(Scenario::canceled());
    sandbox.next_intent(Scenario::timeout());
    let ids = ["a", "b", "c"].map(|order| merchant.new_intent(order));
    sandbox.clock().advance(Duration::from_secs(100));
    let listed = sandbox.intents();
    assert_eq!(listed.iter().map(|intent| intent.id.as_str()).collect::<Vec<_>>(), ids);
    let told: Vec<_> = listed
        .iter()
        .map(|intent| (intent.order_id.as_deref().unwrap(), intent.scenario.as_str(), intent.status))
        .collect();
    assert_eq!(told, [("a", "canceled", -4), ("b", "timeout", 2), ("c", "never_paid", 2)]);
    assert!(listed.iter().all(|intent| intent.created_at == Moment::from_unix_millis(1_716_501_000_000)));
}

#[test]
fn a_sandbox_is_shared_between_threads() {
    let sandbox = Sandbox::new(5);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let sandbox = sandbox.clone();
            scope.spawn(move || {
                let key = SigningKey::new(API_KEY, API_SECRET.into()).unwrap();
                for at in 0..50 {
                    let nonce = format!("{thread}-{at}");
                    let request = signed(&key, "GET", "/v1/test/ping", b"", 1_716_501_000, &nonce);
                    assert_eq!(sandbox.send_blocking(request).unwrap().status(), 200);
                }
            });
        }
    });
    assert_eq!(sandbox.requests().len(), 200);
}
