//! The state of a server that is kept in a file, over restarts.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use checkout_sandbox_server::{Builder, Keys, Server};
use common::{AllScale, Running, initiate, peach_status, status_v2, submit, token};
use serde_json::{Value, json};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

const START_MS: u64 = 1_800_000_000_000;

/// A path in the folder for tests, which no other test has, without a file.
fn path(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("data-{name}-{}", std::process::id()));
    remove(&path);
    path
}

fn remove(path: &Path) {
    for end in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(format!("{}{end}", path.display()));
    }
}

/// The address in the answers is the same in every run.
fn server() -> Builder {
    Server::builder().public_url("http://localhost:4700")
}

fn start(path: &Path) -> Running {
    Running::start(server().data(path))
}

fn shop<'a>(running: &Running, keys: &'a Keys, seconds: u64) -> AllScale<'a> {
    AllScale { addr: running.addr(), prefix: "", keys, unix_seconds: START_MS / 1_000 + seconds }
}

/// An intent made with this nonce: the whole answer, and the id.
fn create(running: &Running, keys: &Keys, seconds: u64, nonce: &str) -> (String, String) {
    let body = json!({ "currency": 1, "amount_cents": 1000, "order_id": nonce }).to_string();
    let created =
        shop(running, keys, seconds).send_signed("POST", "/v1/checkout_intents/", &body, nonce).unwrap();
    let id = created.json()["payload"]["allscale_checkout_intent_id"].as_str().unwrap().to_owned();
    // The ids of requests follow from the number of all requests, with reads.
    let whole = created.whole();
    let request = created.json()["request_id"].as_str().unwrap_or_default().to_owned();
    (whole.replace(&request, ""), id)
}

fn admin(running: &Running, method: &str, path: &str, body: Value) -> Value {
    let (status, answer) = running.admin(method, path, &body);
    assert!(status < 300, "{method} {path} {body} {status} {answer}");
    answer
}

/// Everything that the admin routes show.
fn shown(running: &Running) -> Vec<Value> {
    let worlds = admin(running, "GET", "/_/worlds", Value::Null);
    let mut all = Vec::new();
    for world in worlds["worlds"].as_array().unwrap() {
        let name = world["name"].as_str().unwrap();
        let get = |path: &str| admin(running, "GET", &format!("/_/worlds/{name}{path}"), Value::Null);
        if world["clock"]["pace"] == "frozen" {
            all.push(get(""));
        }
        all.extend(["/checkouts", "/webhooks", "/endpoints", "/events", "/snapshots"].map(get));
    }
    all
}

/// A receiver that refuses all webhooks but the probe, and counts them.
fn receiver() -> (String, mpsc::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hooks", listener.local_addr().unwrap());
    let (sender, got) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut bytes = [0; 8 << 10];
            let _ = stream.read(&mut bytes);
            if sender.send(()).is_err() {
                return;
            }
            let _ = stream.write_all(b"HTTP/1.1 500 X\r\ncontent-length: 4\r\n\r\nbusy");
        }
    });
    (url, got)
}

/// A story with a bit of everything, in the worlds a and b, that ends at second 200.
fn story(running: &Running, url: &str) -> Keys {
    let clock = json!({ "pace": "frozen", "unix_ms": START_MS });
    let keys = running.new_world(&json!({ "name": "a", "seed": 7, "clock": clock }));
    let post = |path: &str, body: Value| admin(running, "POST", &format!("/_/worlds/a{path}"), body);
    let advance = |ms: u64| admin(running, "PUT", "/_/worlds/a/clock", json!({ "advance_ms": ms }));
    post("/endpoints", json!({ "provider": "allscale", "url": url }));
    let peach = post("/endpoints", json!({ "provider": "peach", "url": url, "events": ["000.100.110"] }));
    admin(
        running,
        "PUT",
        &format!("/_/worlds/a/endpoints/{}", peach["endpoint"]),
        json!({ "provider": "peach", "url": url }),
    );
    let (_, paid) = create(running, &keys, 0, "paid");
    submit(running.addr(), "", &keys, "azotte-order");
    submit(running.addr(), "", &keys, "azotte-order");
    initiate(running.addr(), "", &keys, "peach-order");
    post("/scenarios", json!({ "provider": "allscale", "scenario": "never_paid" }));
    let (_, waiting) = create(running, &keys, 0, "waiting");
    advance(100_000);
    post("/snapshots", json!({ "name": "early" }));
    common::send(running.addr(), "POST", &format!("/_/pay/a/allscale/{waiting}"), &[], b"act=pay").unwrap();
    admin(running, "POST", "/_/worlds/a/fork", json!({ "name": "b" }));
    admin(running, "PUT", "/_/worlds/b/clock", json!({ "advance_ms": 50_000 }));
    post("/webhooks/1/resend", Value::Null);
    post("/webhooks/1/edit", json!({ "body": "{}", "key": "wrong" }));
    post("/webhooks/faults", json!({ "fault": "delay", "delay_ms": 1_000 }));
    common::send(running.addr(), "POST", "/_/board/a/fault", &[], b"fault=allscale:late_internal_error")
        .unwrap();
    let refused = shop(running, &keys, 100).create("late-error").unwrap();
    assert_eq!(refused.status, 500, "{refused:?}");
    assert_eq!(shop(running, &keys, 100).status(&paid).status, 200);
    advance(100_000);
    running.new_world(&json!({ "name": "gone" }));
    admin(running, "DELETE", "/_/worlds/gone", Value::Null);
    admin(running, "POST", "/_/worlds", Value::Null);
    post("/scenarios", json!({ "provider": "peach", "scenario": "charged_back" }));
    keys
}

#[test]
fn a_restarted_server_goes_on_as_a_server_that_never_stopped() {
    let (url, got) = receiver();
    let path = path("story");
    let go_on = |running: &Running, keys: &Keys| {
        let addr = running.addr();
        let created = create(running, keys, 200, "next");
        let checkout = submit(addr, "", keys, "azotte-next").whole();
        let again = submit(addr, "", keys, "azotte-order").whole();
        initiate(addr, "", keys, "peach-next");
        let spent =
            shop(running, keys, 200).send_signed("POST", "/v1/checkout_intents/", "{}", "paid").unwrap();
        admin(running, "PUT", "/_/worlds/a/clock", json!({ "advance_ms": 10_000_000 }));
        let later = shown(running);
        admin(running, "POST", "/_/worlds/a/snapshots/early/restore", Value::Null);
        let restored = shown(running);
        let unnamed = admin(running, "POST", "/_/worlds", Value::Null)["name"].clone();
        let fields = [created.0, created.1, checkout, again, spent.status.to_string(), unnamed.to_string()];
        (fields, without_times_taken(later), without_times_taken(restored))
    };
    // The nonces of Peach's requests are numbers that no other run has: their ids do not follow from these.
    let expected = {
        let twin = Running::start(server());
        let keys = story(&twin, &url);
        go_on(&twin, &keys)
    };
    let first = start(&path);
    let keys = story(&first, &url);
    let before = shown(&first);
    first.shutdown();
    while got.try_recv().is_ok() {}
    let second = start(&path);
    assert_eq!(shown(&second), before);
    second.shutdown();
    // A restart changes nothing, however often, and sends nothing.
    let third = start(&path);
    assert_eq!(shown(&third), before);
    assert!(got.try_recv().is_err());
    assert_eq!(third.get().state(), path.display().to_string());
    assert_eq!(go_on(&third, &keys), expected);
    assert_eq!(peach_status(third.addr(), "", &keys, "peach-order").status, 200);
    third.shutdown();
    remove(&path);
}

/// True for the place of a server's state.
fn is_place(value: &Value) -> bool {
    value.as_str().is_some_and(|place| place.starts_with('/') || place.starts_with("in memory"))
}

/// The milliseconds that an attempt takes are the machine's, and the place of the state is the server's.
fn without_times_taken(mut shown: Vec<Value>) -> String {
    fn clean(value: &mut Value) {
        match value {
            Value::Object(members) => {
                members.retain(|name, value| name != "took_ms" && !(name == "state" && is_place(value)));
                members.values_mut().for_each(clean);
            }
            Value::Array(values) => values.iter_mut().for_each(clean),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    shown.iter_mut().for_each(clean);
    format!("{shown:?}")
}

#[test]
fn a_real_world_goes_on_with_the_machine_and_a_token_leads_to_its_world() {
    let path = path("real");
    let first = start(&path);
    let keys = first.new_world(&json!({ "name": "a" }));
    let access = token(first.addr(), "", &keys).json()["access_token"].as_str().unwrap().to_owned();
    let past = first.new_world(&json!({ "name": "past", "clock": { "pace": "real", "unix_ms": START_MS } }));
    let times =
        |running: &Running| ["default", "a", "past"].map(|name| running.get().world(name).unwrap().now());
    let intent = shop(&first, &past, 0).new_intent("o");
    // The clock of a server that never stops.
    let clock = Running::start(server());
    let machine = || clock.get().default_world().now();
    let (before, one) = (machine(), times(&first));
    first.shutdown();
    let second = start(&path);
    let (other, passed) = (times(&second), machine().saturating_since(before));
    for (one, other) in one.into_iter().zip(other) {
        let between = other.saturating_since(one);
        assert!(other >= one && between <= passed, "{between:?} {passed:?}");
    }
    assert_eq!(status_v2(second.addr(), "", &access, "c").status, 404);
    assert_eq!(shop(&second, &past, 0).status(&intent).json()["code"], 0);
    second.shutdown();
    remove(&path);
}

#[test]
fn a_webhook_that_came_due_while_the_server_was_down_is_sent_at_the_start() {
    let (url, got) = receiver();
    let path = path("due");
    let first = start(&path);
    let keys = first.new_world(&json!({ "name": "a", "clock": { "pace": "frozen", "unix_ms": START_MS } }));
    admin(&first, "POST", "/_/worlds/a/endpoints", json!({ "provider": "allscale", "url": url }));
    shop(&first, &keys, 0).new_intent("o");
    admin(&first, "PUT", "/_/worlds/a/clock", json!({ "advance_ms": 59_999 }));
    assert!(got.try_recv().is_err());
    // A million times as fast: the webhook is due a moment after the last answer.
    admin(&first, "PUT", "/_/worlds/a/clock", json!({ "pace": "times", "times": 1_000 }));
    first.shutdown();
    let second = start(&path);
    let wait = "/_/worlds/a/wait?for=webhook.attempted&order=o&timeout=30s";
    admin(&second, "GET", wait, Value::Null);
    got.recv_timeout(Duration::from_secs(10)).unwrap();
    second.shutdown();
    remove(&path);
}

#[test]
fn nothing_of_a_card_is_in_the_file() {
    let path = path("card");
    let running = start(&path);
    let keys = running.get().default_world().keys().clone();
    let body = json!({
        "order": { "offerIdentifier": "of_1", "correlationId": "order-with-card",
            "items": [{ "itemIdentifier": "it_1" }], "customer": { "customerUrn": "cu.00.482" } },
        "paymentMethod": { "paymentChannel": "CreditCard", "useStoredMethod": false, "creditCard": {
            "cardHolderName": "Ada Secret", "cardNumber": "4111111111111111", "expireMonth": "09",
            "expireYear": "2031", "cvc": "987" } }
    })
    .to_string();
    let headers = [
        ("x-tn", &*keys.azotte_x_tn),
        ("x-api-key", &keys.azotte_api_key),
        ("content-type", "application/json"),
        ("cookie", "session=hidden"),
    ];
    let answer =
        common::send(running.addr(), "POST", "/api/v1/c2a/offer/checkout", &headers, body.as_bytes());
    assert_eq!(answer.unwrap().status, 202);
    // A refused body, and one of no JSON, whose requests use a fault up.
    running.get().default_world().azotte().inject(checkout_sandbox::azotte::Fault::LateInternalError);
    let broken = body.replace("}}", "");
    common::send(running.addr(), "POST", "/api/v1/c2a/offer/checkout", &headers, broken.as_bytes()).unwrap();
    running.shutdown();
    let mut bytes = fs::read(&path).unwrap();
    bytes.extend(fs::read(format!("{}-wal", path.display())).unwrap_or_default());
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains("order-with-card"));
    for secret in ["4111", "987", "Ada Secret", "2031", "hidden"] {
        assert!(!text.contains(secret), "{secret}");
    }
    // And yet the order is there again.
    let again = start(&path);
    assert_eq!(
        again.get().default_world().azotte().checkouts()[0].correlation_id.as_deref(),
        Some("order-with-card")
    );
    again.shutdown();
    remove(&path);
}

#[test]
fn a_file_that_cannot_be_used_is_told_with_its_name() {
    let path = path("wrong");
    fs::write(&path, "no database, but a text that somebody has written ".repeat(50)).unwrap();
    let refused = |path: &Path| Running::try_start(server().data(path)).err().unwrap().to_string();
    assert_eq!(refused(&path), format!("data file {}: is no database of this program", path.display()));
    remove(&path);
    let running = start(&path);
    assert_eq!(refused(&path), format!("data file {}: is in use by another server", path.display()));
    running.shutdown();
    start(&path).shutdown();
    remove(&path);
    assert!(refused(Path::new("/nowhere/at/all")).starts_with("data file /nowhere/at/all: No such file"));
}

#[test]
fn the_seed_of_the_file_counts() {
    let path = path("seed");
    let first = Running::start(server().seed(7).data(&path));
    let id = |running: &Running| {
        let keys = running.get().default_world().keys().clone();
        let unix_seconds = running.get().default_world().now().unix_seconds().unsigned_abs();
        AllScale { addr: running.addr(), prefix: "", keys: &keys, unix_seconds }.new_intent("o")
    };
    let one = id(&first);
    first.shutdown();
    let second = Running::start(server().seed(8).data(&path));
    assert_eq!(second.get().default_world().seed(), 7);
    assert_eq!(second.get().default_world().allscale().intents()[0].id, one);
    assert_ne!(id(&second), one);
    second.shutdown();
    remove(&path);
}

#[test]
fn faults_choices_and_the_shop_s_word_are_played_back() {
    let path = path("faults");
    let running = start(&path);
    let clock = json!({ "pace": "frozen", "unix_ms": START_MS });
    let keys = running.new_world(&json!({ "name": "a", "seed": 7, "clock": clock }));
    let post = |of: &str, body: Value| admin(&running, "POST", &format!("/_/worlds/a{of}"), body);
    let put = |of: &str, body: Value| admin(&running, "PUT", &format!("/_/worlds/a{of}"), body);
    // Reads leave nothing behind, and these two use up Peach's limit.
    initiate(running.addr(), "", &keys, "order-0001");
    let read = || peach_status(running.addr(), "", &keys, "order-0001").status;
    assert_eq!([read(), read()], [200, 200]);
    // From now on the rules count each request.
    post("/faults", json!({ "provider": "azotte", "fault": "rate_limited", "permille": 500, "seed": 3 }));
    post("/faults", json!({ "provider": "allscale", "fault": "lost_answer", "route": "create", "nth": 2 }));
    post("/faults", json!({ "provider": "peach", "fault": "garbage", "route": "status", "nth": 9 }));
    assert_eq!(read(), 429);
    let submit = |headers: &[(&str, &str)], order: &Value| {
        let body = json!({
            "order": {
                "offerIdentifier": "of_1", "correlationId": order,
                "items": [{ "itemIdentifier": "it_1" }], "customer": { "customerUrn": "cu.1" }
            },
            "paymentMethod": { "paymentChannel": "CreditCard", "creditCard": {
                "cardHolderName": "A Payer", "cardNumber": "4111111111111111", "expireMonth": "12",
                "expireYear": "2030", "cvc": "123"
            } }
        });
        let keys = [
            ("x-tn", &*keys.azotte_x_tn),
            ("x-api-key", &keys.azotte_api_key),
            ("content-type", "application/json"),
        ];
        let path = "/api/v1/c2a/offer/checkout";
        common::send(
            running.addr(),
            "POST",
            path,
            &[&keys[..], headers].concat(),
            body.to_string().as_bytes(),
        )
        .map(|answer| answer.status)
    };
    // Without an order, chance goes by the content. Each of these makes a checkout, or is refused.
    let statuses: Vec<_> = (0..8).map(|_| submit(&[], &Value::Null)).collect();
    assert!(statuses.contains(&Some(202)) && statuses.contains(&Some(429)), "{statuses:?}");
    // The work is done, and the answer is an error.
    assert_eq!(submit(&[("x-sandbox-fault", "late_internal_error")], &json!("late")), Some(500));
    assert_eq!(submit(&[("x-sandbox-fault", "lost_answer")], &json!("lost")), None);
    let chosen = ("x-sandbox-scenario", "three_ds_url");
    assert_eq!(submit(&[chosen, ("x-sandbox-fault", "extra_fields")], &json!("chosen")), Some(202));
    assert_eq!(submit(&[chosen, chosen], &json!("twice")), Some(400));
    create(&running, &keys, 0, "first");
    let body = json!({ "currency": 1, "amount_cents": 1000, "order_id": "second" }).to_string();
    assert!(shop(&running, &keys, 0).send("POST", "/v1/checkout_intents/", &body).is_none());
    put("/autopay", json!({ "after_ms": 2_000 }));
    put("/clock", json!({ "skew_ms": 5_000, "advance_ms": 60_000 }));
    create(&running, &keys, 65, "paid-by-itself");
    put("/clock", json!({ "advance_ms": 2_000 }));
    post("/released", json!({ "order": "paid-by-itself" }));
    // A world that is gone leaves its name to another world.
    admin(&running, "DELETE", "/_/worlds/a/faults/3", Value::Null);
    running.new_world(&json!({ "name": "b", "clock": clock }));
    admin(&running, "DELETE", "/_/worlds/b", Value::Null);
    running.new_world(&json!({ "name": "b", "seed": 9, "clock": clock }));

    let also = |running: &Running| {
        ["faults", "autopay", "clock"]
            .map(|of| admin(running, "GET", &format!("/_/worlds/a/{of}"), Value::Null))
            .to_vec()
    };
    let before = [shown(&running), also(&running)];
    running.shutdown();
    let again = start(&path);
    assert_eq!([shown(&again), also(&again)], before);
    again.shutdown();
    // The faults of the command line are those of the present start.
    let with_fault = || Running::start(server().data(&path).fault("peach:garbage; route=status"));
    for _ in 0..2 {
        let running = with_fault();
        let faults = admin(&running, "GET", "/_/worlds/default/faults", Value::Null);
        assert_eq!(faults["faults"].as_array().unwrap().len(), 1, "{faults}");
        admin(&running, "POST", "/_/worlds/default/reset", Value::Null);
        running.shutdown();
    }
    let without = start(&path);
    let faults = admin(&without, "GET", "/_/worlds/default/faults", Value::Null);
    assert_eq!(faults, json!({ "faults": [] }));
    without.shutdown();
    remove(&path);
}

#[test]
fn a_delivery_of_a_world_that_is_gone_is_no_entry_of_the_next_world_of_the_name() {
    let path = path("gone");
    let running = start(&path);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hooks", listener.local_addr().unwrap());
    let make = || running.new_world(&json!({ "name": "t", "clock": { "unix_ms": START_MS } }));
    let keys = make();
    admin(&running, "POST", "/_/worlds/t/endpoints", json!({ "provider": "allscale", "url": url }));
    let (_, id) = create(&running, &keys, 0, "first");
    let pay = ("content-type", "application/x-www-form-urlencoded");
    let page = format!("/_/pay/t/allscale/{id}");
    assert_eq!(common::send(running.addr(), "POST", &page, &[pay], b"act=pay").unwrap().status, 303);
    // The time to the confirmation passes by a step, in which nobody waits for the delivery.
    let old = running.get().world("t").unwrap();
    old.advance(Duration::from_secs(3_600));
    let (mut receiver, _) = listener.accept().unwrap();
    let _ = receiver.read(&mut [0; 8 << 10]).unwrap();
    admin(&running, "DELETE", "/_/worlds/t", Value::Null);
    make();
    receiver.write_all(b"HTTP/1.1 200 X\r\ncontent-length: 0\r\n\r\n").unwrap();
    // The answer is taken as soon as the old world says so.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(old.webhook_delivered("first"));
    old.advance(Duration::from_secs(60));
    let before = shown(&running);
    running.shutdown();
    let again = start(&path);
    assert_eq!(shown(&again), before);
    again.shutdown();
    remove(&path);
}
