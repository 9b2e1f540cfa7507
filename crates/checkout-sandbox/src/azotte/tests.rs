mod crowd;
mod door;
mod faults;
mod submit;
mod walk;
mod world;

use super::*;
use crate::{Counts, VirtualClock};
use std::collections::HashSet;
use std::time::Duration;

use checkout_tables::Moment;
use checkout_tables::azotte::Route;
use checkout_transport::bytes::Bytes;
use checkout_transport::{BODY_CAP, BlockingTransport, Request, Response, Transport, TransportError, http};
use serde_json::{Value, json};

const SUBMIT: &str = "/api/v1/c2a/offer/checkout";

/// A merchant's back end for these tests.
struct Merchant {
    sandbox: Sandbox,
    x_tn: String,
    api_key: String,
}

impl Merchant {
    /// The back end of the one tenant that a sandbox has by default.
    fn of(sandbox: &Sandbox) -> Self {
        Self::with(sandbox, X_TN, API_KEY)
    }

    fn with(sandbox: &Sandbox, x_tn: &str, api_key: &str) -> Self {
        Self { sandbox: sandbox.clone(), x_tn: x_tn.to_owned(), api_key: api_key.to_owned() }
    }

    fn request(&self, method: &str, path: &str, body: &[u8]) -> Request {
        let mut request = http::Request::builder()
            .method(method)
            .uri(format!("https://acme.sandbox.azotte.com{path}"))
            .header("x-tn", &self.x_tn)
            .header("x-api-key", &self.api_key);
        if method == "POST" {
            request = request.header("Content-Type", "application/json");
        }
        request.body(Bytes::copy_from_slice(body)).unwrap()
    }

    fn send(&self, method: &str, path: &str, body: &[u8]) -> Result<Response, TransportError> {
        self.sandbox.send_blocking(self.request(method, path, body))
    }

    fn submit(&self, body: &Value) -> (u16, Value) {
        read(&self.send("POST", SUBMIT, body.to_string().as_bytes()).unwrap())
    }

    /// The tracking number of a checkout with this correlation id.
    fn new_checkout(&self, correlation_id: &str) -> String {
        let (status, result) = self.submit(&order(correlation_id));
        assert_eq!(status, 202, "{result}");
        result["trackingNumber"].as_str().unwrap().to_owned()
    }

    fn ask(&self, tracking: &str) -> Response {
        self.send("GET", &format!("{SUBMIT}/{tracking}/status"), b"").unwrap()
    }

    fn status(&self, tracking: &str) -> (u16, Value) {
        read(&self.ask(tracking))
    }
}

/// A submit that charges a stored card.
fn order(correlation_id: &str) -> Value {
    json!({
        "order": {
            "offerIdentifier": "of_1", "correlationId": correlation_id,
            "items": [{"itemIdentifier": "it_1"}], "customer": {"customerUrn": "cu.00.482"},
        },
        "paymentMethod": {"paymentChannel": "CreditCard", "useStoredMethod": true},
    })
}

/// The card of Azotte's page about adding a card.
fn with_card(mut body: Value) -> Value {
    body["paymentMethod"] = json!({"paymentChannel": "CreditCard", "creditCard": {
        "cardHolderName": "Jane Doe", "cardNumber": "4111111111111111", "expireMonth": "12",
        "expireYear": "2029", "cvc": "123", "cardAlias": "Redacted Visa",
    }});
    body
}

fn read(response: &Response) -> (u16, Value) {
    (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap_or(Value::Null))
}

/// The HTTP status, the content type, and the kind of the body.
fn told(response: &Response) -> String {
    let content_type = response.headers().get("content-type").map_or("-", |value| value.to_str().unwrap());
    let (status, body) = read(response);
    let code = &body["status"]["messageCode"];
    let what = match (code.as_str(), body["detail"].as_str()) {
        (Some(code), _) => code,
        (None, Some(detail)) => detail,
        (None, None) if response.body().is_empty() => "empty",
        (None, None) => "-",
    };
    format!("{status} {content_type} {what}")
}

#[test]
fn the_same_seed_and_requests_give_the_same_bytes() {
    let run = |seed| {
        let sandbox = Sandbox::new(seed);
        let merchant = Merchant::of(&sandbox);
        let mut seen = Vec::new();
        for name in Scenario::NAMES {
            sandbox.next_checkout(Scenario::by_name(name).unwrap());
            let tracking = merchant.new_checkout(name);
            sandbox.clock().advance(Duration::from_secs(6));
            let answer = merchant.ask(&tracking);
            seen.push(format!("{:?} {:?}", answer.headers(), answer.body()));
        }
        seen
    };
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
}

#[test]
fn tracking_numbers_are_never_the_same() {
    let sandbox = Sandbox::new(3);
    let merchant = Merchant::of(&sandbox);
    let numbers: HashSet<String> = (0..200).map(|at| merchant.new_checkout(&at.to_string())).collect();
    assert_eq!(numbers.len(), 200);
    let is_base_32 = |byte: u8| b"0123456789ABCDEFGHJKMNPQRSTVWXYZ".contains(&byte);
    assert!(numbers.iter().all(|number| number.strip_prefix("trk_").unwrap().bytes().all(is_base_32)));
}

#[test]
fn the_asynchronous_and_the_blocking_transport_answer_alike() {
    let (one, other) = (Sandbox::new(5), Sandbox::new(5));
    let body = order("order-1").to_string();
    let request = |sandbox| Merchant::of(sandbox).request("POST", SUBMIT, body.as_bytes());
    let blocking = one.send_blocking(request(&one)).unwrap();
    let future = other.send(request(&other));
    assert!(other.requests().is_empty(), "nothing happens before the future is polled");
    let awaited = pollster::block_on(future).unwrap();
    assert_eq!(blocking.body(), awaited.body());
    assert_eq!(blocking.headers(), awaited.headers());
}

#[test]
fn a_transport_for_one_thread_answers_too() {
    async fn ask<T: checkout_transport::LocalTransport>(transport: &T, request: Request) -> u16 {
        transport.send_local(request).await.unwrap().status().as_u16()
    }
    let sandbox = Sandbox::new(5);
    let request = Merchant::of(&sandbox).request("GET", &format!("{SUBMIT}/trk_1/status"), b"");
    assert_eq!(pollster::block_on(ask(&sandbox, request)), 404);
}

#[test]
fn every_answer_has_the_date_of_the_clock() {
    // Reference dates from RFC 9110, 5.6.7, and from `date -u`.
    let table = [
        (784_111_777_999, "Sun, 06 Nov 1994 08:49:37 GMT"),
        (1_717_246_327_923, "Sat, 01 Jun 2024 12:52:07 GMT"),
        (i64::MAX, "Fri, 31 Dec 9999 23:59:59 GMT"),
    ];
    for (millis, expected) in table {
        let sandbox = Sandbox::builder().clock(VirtualClock::new(Moment::from_unix_millis(millis))).build();
        let merchant = Merchant::of(&sandbox);
        for (method, path) in [("POST", SUBMIT), ("GET", SUBMIT), ("GET", "/")] {
            let response = merchant.send(method, path, b"{}").unwrap();
            assert_eq!(response.headers()["date"], expected, "{method} {path}");
        }
    }
}

#[test]
fn requests_are_recorded_with_their_answers() {
    let sandbox = Sandbox::new(5);
    let merchant = Merchant::of(&sandbox);
    let body = order("order-1").to_string();
    let response = merchant.send("POST", &format!("{SUBMIT}?a=1"), body.as_bytes()).unwrap();
    sandbox.clock().advance(Duration::from_secs(9));
    merchant.send("GET", "/api/c2a/offer/checkout", b"").unwrap();

    let [first, second] = <[_; 2]>::try_from(sandbox.requests()).unwrap();
    assert_eq!((first.method(), first.path(), first.query()), ("POST", SUBMIT, "a=1"));
    assert_eq!(serde_json::from_slice::<Value>(first.body()).unwrap(), order("order-1"));
    assert_eq!((first.body_len(), first.at()), (body.len(), Moment::from_unix_millis(1_717_246_327_923)));
    assert_eq!(first.headers()["x-tn"], X_TN);
    assert_eq!((first.answered_status(), first.answered_code()), (202, Some("CHECK_OUT_PROCESSING")));
    assert_eq!(first.answered_body(), response.body());
    assert!(first.answer_arrived());
    assert_eq!((second.answered_status(), second.answered_code()), (404, None));
    assert_eq!(second.at(), Moment::from_unix_millis(1_717_246_336_923));
}

#[test]
fn nothing_of_a_card_is_kept_or_printed_after_any_submit() {
    let body = with_card(order("order-1"));
    let mut misplaced = body.clone();
    misplaced["paymentMethod"]["cardNumber"] = json!(4_111_111_111_111_111_u64);
    misplaced["CVC"] = json!("123");
    misplaced["paymentMethod"]["creditCard"]["pan"] = json!({"of": ["4111111111111111"]});
    let torn = body.to_string().replace('}', "");
    for (body, status) in [(body.to_string(), 202), (misplaced.to_string(), 400), (torn, 400)] {
        let sandbox = Sandbox::new(5);
        sandbox.next_checkout(Scenario::three_ds_at_once());
        let response = Merchant::of(&sandbox).send("POST", SUBMIT, body.as_bytes()).unwrap();
        assert_eq!(response.status(), status);
        let recorded = &sandbox.requests()[0];
        let kept = String::from_utf8(recorded.body().to_vec()).unwrap();
        let shown = format!(
            "{sandbox:?} {recorded:?} {:?} {kept} {:?} {:?}",
            sandbox.checkouts(),
            recorded.answered_body(),
            Sandbox::builder().tenant(Tenant::new(X_TN, API_KEY)),
        );
        for hidden in ["4111", "1111", "\"123\"", "Jane", "2029", "\"12\"", "Redacted", API_KEY] {
            assert!(!shown.contains(hidden), "{hidden} in {shown}");
        }
        assert_eq!(recorded.body_len(), body.len());
    }
}

#[test]
fn checkouts_are_listed_in_the_order_of_their_submits() {
    let sandbox = Sandbox::builder().scenario(Scenario::never_ends()).build();
    let merchant = Merchant::of(&sandbox);
    sandbox.next_checkout(Scenario::failed());
    sandbox.next_checkout(Scenario::happy());
    let numbers = ["a", "b", "c"].map(|id| merchant.new_checkout(id));
    sandbox.clock().advance(Duration::from_secs(100));
    let listed = sandbox.checkouts();
    assert_eq!(listed.iter().map(|one| one.tracking_number.as_str()).collect::<Vec<_>>(), numbers);
    let told: Vec<_> = listed
        .iter()
        .map(|one| (one.correlation_id.as_deref().unwrap(), one.scenario.as_str(), one.captures))
        .collect();
    assert_eq!(told, [("a", "failed", 0), ("b", "happy", 1), ("c", "never_ends", 0)]);
    assert!(
        listed
            .iter()
            .all(|one| one.tenant == X_TN && one.submitted_at == Moment::from_unix_millis(1_717_246_327_923))
    );
    assert!(listed.iter().all(|one| one.channel == "CreditCard" && one.uses_stored_method));
}

#[test]
fn threads_that_submit_one_order_at_once_make_one_checkout() {
    let sandbox = Sandbox::new(5);
    let numbers: HashSet<String> = std::thread::scope(|scope| {
        let submit = || scope.spawn(|| Merchant::of(&sandbox).new_checkout("order-1"));
        let threads: Vec<_> = (0..8).map(|_| submit()).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    sandbox.clock().advance(Duration::from_secs(5));
    assert_eq!((numbers.len(), sandbox.captures_of("order-1")), (1, 1));
    assert_eq!(sandbox.checkouts()[0].submits, 8);
}
