//! The export of a world: what stands in the files, and that an exported world is replayed.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::sync::Mutex;

use checkout_sandbox::allscale;
use checkout_sandbox_server::{Keys, Server};
use checkout_tables::Moment;
use checkout_testkit::record::{Cassette, Recording, Replaying};
use checkout_transport::bytes::Bytes;
use checkout_transport::http::{self, StatusCode};
use checkout_transport::{BlockingTransport, Request, Response, TransportError, from_fn_blocking};
use common::{AllScale, Running, create_v2, peach_status, send, submit, token};
use serde_json::{Value, json};

/// 2027-01-15 08:00:00 UTC.
const START: Moment = Moment::from_unix_seconds(1_800_000_000);

fn frozen() -> Running {
    Running::start(Server::builder().frozen_at(START))
}

fn published(running: &Running) -> Keys {
    running.get().default_world().keys().clone()
}

fn allscale_of<'a>(running: &Running, keys: &'a Keys) -> AllScale<'a> {
    AllScale { addr: running.addr(), prefix: "", keys, unix_seconds: START.unix_seconds().unsigned_abs() }
}

fn export(running: &Running, format: &str) -> String {
    let path = format!("/_/worlds/default/export?format={format}");
    let answer = send(running.addr(), "GET", &path, &[], b"").unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.head.contains(&format!("filename=\"default.{format}\"")), "{}", answer.head);
    answer.body
}

#[test]
fn an_archive_has_the_members_of_har_1_2() {
    let running = frozen();
    let keys = published(&running);
    let id = allscale_of(&running, &keys).new_intent("order-1");
    peach_status(running.addr(), "", &keys, "order-2");
    running.get().default_world().allscale().inject(allscale::Fault::LostRequest);
    assert!(allscale_of(&running, &keys).create("order-3").is_none());
    let archive: Value = serde_json::from_str(&export(&running, "har")).unwrap();
    let log = &archive["log"];
    assert_eq!((&log["version"], &log["creator"]["name"]), (&json!("1.2"), &json!("checkout-sandbox")));
    let entries = log["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 3);
    for entry in entries {
        // The members that the specification does not call optional.
        for name in ["startedDateTime", "time", "request", "response", "cache", "timings"] {
            assert!(!entry[name].is_null(), "{name}: {entry}");
        }
        for name in
            ["method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize", "bodySize"]
        {
            assert!(!entry["request"][name].is_null(), "{name}: {entry}");
        }
        for name in [
            "status",
            "statusText",
            "httpVersion",
            "cookies",
            "headers",
            "content",
            "redirectURL",
            "headersSize",
            "bodySize",
        ] {
            assert!(!entry["response"][name].is_null(), "{name}: {entry}");
        }
        for name in ["send", "wait", "receive"] {
            assert!(entry["timings"][name].is_u64(), "{name}: {entry}");
        }
        assert_eq!(entry["startedDateTime"], "2027-01-15T08:00:00.000Z");
    }
    let root = running.get().urls().root();
    let [create, status, lost] = [&entries[0], &entries[1], &entries[2]];
    assert_eq!(create["request"]["url"], format!("{root}/v1/checkout_intents/"));
    assert_eq!(create["request"]["postData"]["mimeType"], "application/json");
    assert!(create["request"]["postData"]["text"].as_str().unwrap().contains("\"order-1\""));
    assert_eq!((&create["response"]["status"], &create["_checkout"]), (&json!(200), &json!(id)));
    assert_eq!(create["response"]["content"]["mimeType"], "application/json");
    let query = status["request"]["queryString"].as_array().unwrap();
    assert!(query.contains(&json!({ "name": "signature", "value": "***" })), "{query:?}");
    assert!(query.contains(&json!({ "name": "merchantTransactionId", "value": "order-2" })), "{query:?}");
    assert_eq!((&lost["response"]["status"], &lost["_arrived"]), (&json!(0), &json!("nothing")));
}

#[test]
fn a_wrong_format_and_a_wrong_world_are_refused() {
    let running = frozen();
    assert_eq!(export(&running, "jsonl"), "");
    for (path, status, field) in [
        ("default/export?format=csv", 400, json!("format")),
        ("default/export?form=har", 400, json!("form")),
        ("none/export", 404, Value::Null),
    ] {
        let (got, answer) = running.admin("GET", &format!("/_/worlds/{path}"), &Value::Null);
        assert_eq!((got, &answer["error"]["field"]), (status, &field), "{path}");
    }
}

/// The request and the result in a line of an export.
fn exchange(line: &Value) -> (Request, Result<Response, TransportError>) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let headers = |list: &Value| -> Vec<(String, String)> {
        list.as_array().unwrap().iter().map(|pair| (text(&pair[0]), text(&pair[1]))).collect()
    };
    let query = line["query"].as_str().map(|query| format!("?{query}")).unwrap_or_default();
    let uri = format!("http://sandbox.test{}{query}", text(&line["path"]));
    let mut request = http::Request::builder().method(&*text(&line["method"])).uri(uri);
    for (name, value) in headers(&line["request"]["headers"]) {
        request = request.header(name, value);
    }
    let request = request.body(Bytes::from(text(&line["request"]["body"]))).unwrap();
    if line["arrived"] != "answer" {
        return (request, Err(TransportError::unknown("lost")));
    }
    let mut answer = Response::new(Bytes::from(text(&line["answer"]["body"])));
    let status = u16::try_from(line["answer"]["status"].as_u64().unwrap()).unwrap();
    *answer.status_mut() = StatusCode::from_u16(status).unwrap();
    for (name, value) in headers(&line["answer"]["headers"]) {
        answer.headers_mut().append(http::HeaderName::try_from(name).unwrap(), value.parse().unwrap());
    }
    (request, Ok(answer))
}

/// The cassette of an export: a recording of exchanges that have happened before.
fn cassette(lines: &str) -> Cassette {
    let exchanges: Vec<_> =
        lines.lines().map(|line| exchange(&serde_json::from_str(line).unwrap())).collect();
    let (requests, results): (Vec<_>, Vec<_>) = exchanges.into_iter().unzip();
    let results = Mutex::new(results.into_iter());
    let recording = Recording::new(from_fn_blocking(|_| results.lock().unwrap().next().unwrap()));
    for request in requests {
        let _ = recording.send_blocking(request);
    }
    recording.cassette()
}

#[test]
fn an_exported_world_is_replayed() {
    let running = frozen();
    let keys = published(&running);
    let shop = allscale_of(&running, &keys);
    let id = shop.new_intent("order-1");
    shop.status(&id);
    let access = token(running.addr(), "", &keys).json()["access_token"].as_str().unwrap().to_owned();
    let created = create_v2(running.addr(), "", &keys, &access, "order-1234").json();
    submit(running.addr(), "", &keys, "order-2");
    peach_status(running.addr(), "", &keys, "order-1234");
    running.get().default_world().allscale().inject(allscale::Fault::LostAnswer);
    assert!(shop.create("order-3").is_none());

    let kept = cassette(&export(&running, "jsonl")).to_json();
    let replaying = Replaying::new(Cassette::from_json(&kept).unwrap());
    // The same client again, with its secrets: no value of a secret is compared.
    let ask = |method: &str, path: &str, kind: &str, body: String| {
        let request = http::Request::builder().method(method).uri(format!("http://sandbox.test{path}"));
        replaying.send_blocking(request.header("content-type", kind).body(Bytes::from(body)).unwrap())
    };
    let json_of = |response: Response| serde_json::from_slice::<Value>(response.body()).unwrap();
    let create = |order: &str| {
        let body = json!({ "currency": 1, "amount_cents": 1000, "order_id": order }).to_string();
        ask("POST", "/v1/checkout_intents/", "application/json", body)
    };
    let intent = json_of(create("order-1").unwrap());
    assert_eq!(intent["payload"]["allscale_checkout_intent_id"], *id);
    let status = ask("GET", &format!("/v1/checkout_intents/{id}/status"), "application/json", String::new());
    assert_eq!(json_of(status.unwrap())["payload"], 1);
    let client = json!({
        "clientId": keys.peach_client_id,
        "clientSecret": keys.peach_client_secret,
        "merchantId": keys.peach_merchant_id,
    });
    let token = ask("POST", "/api/oauth/token", "application/json", client.to_string()).unwrap();
    assert_eq!(json_of(token)["access_token"], "(scrubbed)");
    let checkout = json!({
        "authentication": { "entityId": keys.peach_entity_id },
        "merchantTransactionId": "order-1234",
        "amount": 10,
        "paymentType": "DB",
        "currency": "ZAR",
        "nonce": "another nonce",
        "shopperResultUrl": "https://shop.example/done",
    });
    let checkout = json_of(ask("POST", "/v2/checkout", "application/json", checkout.to_string()).unwrap());
    assert_eq!(checkout["checkoutId"], created["checkoutId"]);
    let submit = json!({
        "order": {
            "offerIdentifier": "of_1", "correlationId": "order-2",
            "items": [{ "itemIdentifier": "it_1" }], "customer": { "customerUrn": "cu.00.482" }
        },
        "paymentMethod": { "paymentChannel": "CreditCard", "useStoredMethod": true }
    });
    let submit = ask("POST", "/api/v1/c2a/offer/checkout", "application/json", submit.to_string()).unwrap();
    assert_eq!(submit.status(), 202);
    let query = format!(
        "authentication.entityId={}&merchantTransactionId=order-1234&signature={}",
        keys.peach_entity_id,
        "0".repeat(64)
    );
    assert_eq!(ask("GET", &format!("/status?{query}"), "", String::new()).unwrap().status(), 200);
    assert!(create("order-3").is_err());
    replaying.finish().unwrap();
}
