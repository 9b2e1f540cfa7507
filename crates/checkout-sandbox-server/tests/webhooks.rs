//! The delivery of webhooks to a receiver on this machine. The signatures are computed by hand.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use base64ct::{Base64, Encoding};
use checkout_sandbox_server::{Keys, Server};
use common::{AllScale, Running, create_v2_notified, initiate, token};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A request that a receiver has got.
#[derive(Clone, Debug)]
struct Got {
    path: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Got {
    fn header(&self, name: &str) -> &str {
        &self.headers.iter().find(|(header, _)| header == name).unwrap().1
    }
}

/// A receiver that answers the next requests with these statuses, and then with 200.
struct Receiver {
    addr: SocketAddr,
    got: mpsc::Receiver<Got>,
}

impl Receiver {
    fn start(statuses: &[u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let (sender, got) = mpsc::channel();
        let mut statuses = Vec::from(statuses).into_iter();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = BufReader::new(stream.unwrap());
                let Some(got) = read(&mut stream) else { continue };
                let status =
                    if got.body.contains("verificationCode") { 200 } else { statuses.next().unwrap_or(200) };
                if sender.send(got).is_err() {
                    return;
                }
                let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 2\r\n\r\nok");
                // The sender may have gone.
                let _ = stream.get_mut().write_all(answer.as_bytes());
            }
        });
        Self { addr, got }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    fn next(&self) -> Got {
        self.got.recv_timeout(Duration::from_secs(10)).unwrap()
    }

    fn none(&self) {
        assert!(self.got.try_recv().is_err());
    }
}

/// A request. `None` if the request breaks off.
fn read(stream: &mut impl BufRead) -> Option<Got> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).ok().filter(|read| *read > 0)?;
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let path = lines[0].split(' ').nth(1)?.to_owned();
    let headers: Vec<(String, String)> = lines[1..]
        .iter()
        .map(|line| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned())).unwrap())
        .collect();
    let length = &headers.iter().find(|(name, _)| name == "content-length")?.1;
    let mut body = vec![0; length.parse().ok()?];
    stream.read_exact(&mut body).ok()?;
    Some(Got { path, headers, body: String::from_utf8(body).unwrap() })
}

fn hmac(secret: &str, message: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(message.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The signature of AllScale's guide, by hand.
fn allscale_signature(secret: &str, got: &Got) -> String {
    let (path, query) = got.path.split_once('?').unwrap_or((&got.path, ""));
    let lines = [
        "allscale:webhook:v1",
        "POST",
        path,
        query,
        got.header("x-webhook-id"),
        got.header("x-webhook-timestamp"),
        got.header("x-webhook-nonce"),
        &hex(&Sha256::digest(&got.body)),
    ];
    format!("v1={}", Base64::encode_string(&hmac(secret, &lines.join("\n"))))
}

/// The signature of Peach's header scheme, by hand.
fn peach_signature(secret: &str, url: &str, got: &Got) -> String {
    let (timestamp, id) = (got.header("x-webhook-timestamp"), got.header("x-webhook-id"));
    hex(&hmac(secret, &format!("{timestamp}.{id}.{url}.{}", got.body)))
}

const START: u64 = 1_800_000_000;

fn frozen(server: &Running, name: &str) -> Keys {
    server.new_world(&json!({ "name": name, "clock": { "pace": "frozen", "unix_ms": START * 1_000 } }))
}

fn endpoint(server: &Running, world: &str, provider: &str, url: &str) -> Value {
    let body = json!({ "provider": provider, "url": url });
    let (status, endpoint) = server.admin("POST", &format!("/_/worlds/{world}/endpoints"), &body);
    assert_eq!(status, 201, "{endpoint}");
    endpoint
}

fn advance(server: &Running, world: &str, seconds: u64) -> Vec<Value> {
    let body = json!({ "advance_ms": seconds * 1_000 });
    let (status, clock) = server.admin("PUT", &format!("/_/worlds/{world}/clock"), &body);
    assert_eq!(status, 200, "{clock}");
    clock["webhooks"].as_array().unwrap().clone()
}

fn log(server: &Running, world: &str) -> Vec<Value> {
    let (status, log) = server.admin("GET", &format!("/_/worlds/{world}/webhooks"), &Value::Null);
    assert_eq!(status, 200, "{log}");
    log["webhooks"].as_array().unwrap().clone()
}

fn start() -> Running {
    Running::start(Server::builder())
}

/// A world with an intent of AllScale's that is confirmed within an hour, and a receiver.
fn one_intent(server: &Running, world: &str, statuses: &[u16]) -> (Keys, Receiver) {
    let (keys, receiver) = (frozen(server, world), Receiver::start(statuses));
    endpoint(server, world, "allscale", &receiver.url("/hooks/allscale?store=7"));
    AllScale { addr: server.addr(), prefix: "", keys: &keys, unix_seconds: START }.new_intent("order-1");
    (keys, receiver)
}

#[test]
fn allscale_s_webhook_is_signed_anew_at_each_attempt() {
    let server = start();
    let (keys, receiver) = one_intent(&server, "w", &[500]);
    receiver.none();
    let attempts = advance(&server, "w", 3_600);
    assert_eq!(attempts.len(), 2, "{attempts:?}");
    let (first, second) = (receiver.next(), receiver.next());
    receiver.none();
    for got in [&first, &second] {
        assert_eq!(got.path, "/hooks/allscale?store=7");
        assert_eq!(got.header("x-webhook-signature"), allscale_signature(&keys.allscale_api_secret, got));
        assert_eq!(got.header("x-api-key"), keys.allscale_api_key);
        assert_eq!(got.header("content-type"), "application/json");
    }
    assert_eq!(
        (first.body.clone(), first.header("x-webhook-id")),
        (second.body.clone(), second.header("x-webhook-id"))
    );
    assert_ne!(first.header("x-webhook-nonce"), second.header("x-webhook-nonce"));
    let time = |got: &Got| got.header("x-webhook-timestamp").parse::<u64>().unwrap();
    assert_eq!(time(&second) - time(&first), 60);
    let answers: Vec<_> = attempts.iter().map(|attempt| attempt["answer"]["status"].as_u64()).collect();
    assert_eq!(answers, [Some(500), Some(200)]);
    assert_eq!(attempts[0]["next_unix_ms"].as_u64().unwrap(), time(&second) * 1_000);
    assert_eq!(attempts[1]["next_unix_ms"], Value::Null);
    assert_eq!(attempts[1]["body"], json!(second.body));
    server.shutdown();
}

#[test]
fn a_step_until_nothing_is_to_come_ends_with_the_last_attempt() {
    let server = start();
    let (_, receiver) = one_intent(&server, "w", &[500; 6]);
    let step = |to: &str| server.admin("PUT", "/_/worlds/w/clock", &json!({ "advance": to })).1;
    // Each thing that comes is a step, and the steps end where the one step ends.
    let mut attempts = Vec::new();
    loop {
        let stepped = step("next");
        let (changes, webhooks) =
            (stepped["changes"].as_array().unwrap(), stepped["webhooks"].as_array().unwrap());
        if changes.is_empty() && webhooks.is_empty() {
            break;
        }
        attempts.extend(webhooks.iter().map(|attempt| attempt["at_unix_ms"].as_u64().unwrap() / 1_000));
    }
    let pauses: Vec<u64> = attempts.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(pauses, [60, 300, 1_800, 7_200, 43_200]);
    assert_eq!(log(&server, "w")[0]["deliveries"][0]["state"], "given_up");
    for _ in 0..6 {
        receiver.next();
    }
    let (_, other_receiver) = one_intent(&server, "other", &[500; 6]);
    let idle = server.admin("PUT", "/_/worlds/other/clock", &json!({ "advance": "idle" })).1;
    let at: Vec<u64> = idle["webhooks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|attempt| attempt["at_unix_ms"].as_u64().unwrap() / 1_000)
        .collect();
    assert_eq!(at, attempts);
    assert_eq!(idle["unix_ms"].as_u64().unwrap() / 1_000, *attempts.last().unwrap());
    for _ in 0..6 {
        other_receiver.next();
    }
    // A world in which nothing is to come stays where it is.
    let again = server.admin("PUT", "/_/worlds/other/clock", &json!({ "advance": "idle" })).1;
    assert_eq!((&again["unix_ms"], &again["changes"]), (&idle["unix_ms"], &json!([])));
    server.shutdown();
}

#[test]
fn peach_tries_a_receiver_that_is_away_for_thirty_days() {
    let server = start();
    let keys = frozen(&server, "w");
    // Nobody listens on the port 1, and no other test gets this port.
    endpoint(&server, "w", "peach", "http://127.0.0.1:1/hooks");
    assert_eq!(initiate(server.addr(), "", &keys, "order-0001").status, 201);
    advance(&server, "w", 31 * 24 * 3_600);
    let log = log(&server, "w");
    let attempts = log[0]["deliveries"][0]["attempts"].as_array().unwrap();
    let at: Vec<u64> =
        attempts.iter().map(|attempt| attempt["at_unix_ms"].as_u64().unwrap() / 1_000).collect();
    let pauses: Vec<u64> = at.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(pauses[..7], [60, 120, 300, 600, 900, 1_800, 3_600]);
    assert!(at.last().unwrap() - at[0] <= 30 * 24 * 3_600);
    assert!(attempts[0]["error"].as_str().unwrap().starts_with("no connection"));
    assert_eq!(log[0]["deliveries"][0]["state"], "given_up");
    server.shutdown();
}

#[test]
fn peach_s_webhooks_carry_both_signatures_and_the_probe_its_code() {
    let server = start();
    let (keys, receiver) = (frozen(&server, "w"), Receiver::start(&[]));
    let url = receiver.url("/hooks/peach");
    let added = endpoint(&server, "w", "peach", &url);
    let probe: Value = serde_json::from_str(&receiver.next().body).unwrap();
    assert_eq!(probe, json!({ "verificationCode": added["probe"]["verification_code"] }));
    assert_eq!(added["probe"]["status"], 200);
    assert_eq!(initiate(server.addr(), "", &keys, "order-0001").status, 201);
    let attempts = advance(&server, "w", 3_600);
    assert!(attempts.len() >= 2, "{attempts:?}");
    for attempt in &attempts {
        let got = receiver.next();
        assert_eq!(got.header("x-webhook-signature"), peach_signature(&keys.peach_secret_token, &url, &got));
        assert_eq!(attempt["body"], json!(got.body));
        let mut fields: Vec<(String, String)> =
            form_urlencoded::parse(got.body.as_bytes()).into_owned().collect();
        let place = fields.iter().position(|(name, _)| name == "signature").unwrap();
        let signature = fields.remove(place).1;
        fields.sort();
        let text: String = fields.iter().flat_map(|(name, value)| [&**name, &**value]).collect();
        assert_eq!(signature, hex(&hmac(&keys.peach_secret_token, &text)));
    }
    receiver.none();
    server.shutdown();
}

#[test]
fn the_notification_url_of_a_checkout_takes_the_place_of_the_endpoints() {
    let server = start();
    let keys = frozen(&server, "w");
    let (receiver, own) = (Receiver::start(&[]), Receiver::start(&[]));
    endpoint(&server, "w", "peach", &receiver.url("/merchant"));
    receiver.next();
    let answer = token(server.addr(), "", &keys);
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    for (order, url) in [("order-0001", own.url("/own")), ("order-0002", "http://shop.example/".to_owned())] {
        let created = create_v2_notified(server.addr(), &keys, &token, order, &url);
        assert_eq!(created.status, 200, "{created:?}");
    }
    advance(&server, "w", 3_600);
    assert_eq!(own.next().path, "/own");
    receiver.none();
    let refused: Vec<Value> = log(&server, "w")
        .into_iter()
        .filter(|webhook| webhook["order"] == "order-0002")
        .map(|webhook| webhook["deliveries"][0].clone())
        .collect();
    assert!(!refused.is_empty());
    for delivery in refused {
        assert_eq!((&delivery["state"], &delivery["attempts"]), (&json!("refused"), &json!([])));
        assert!(delivery["reason"].as_str().unwrap().contains("--allow-target shop.example"));
    }
    server.shutdown();
}

#[test]
fn a_target_that_nobody_has_allowed_is_refused() {
    let server = Running::start(Server::builder().allow_target("shop.test"));
    for (url, expected) in [
        ("http://shop.example/hooks", 400),
        ("http://192.0.2.1/hooks", 400),
        ("https://127.0.0.1/hooks", 400),
        ("http://user@127.0.0.1/hooks", 400),
        ("http://shop.test/hooks", 201),
        ("http://localhost:1/hooks", 201),
    ] {
        let body = json!({ "provider": "allscale", "url": url });
        let (status, answer) = server.admin("POST", "/_/worlds/default/endpoints", &body);
        assert_eq!(status, expected, "{url} {answer}");
        if expected == 400 {
            assert_eq!(answer["error"]["field"], "url");
        }
    }
    server.shutdown();
}

#[test]
fn endpoints_are_changed_and_taken_away_and_filter_events() {
    let server = start();
    let (keys, receiver) = (frozen(&server, "w"), Receiver::start(&[]));
    let path = "/_/worlds/w/endpoints";
    let number = endpoint(&server, "w", "allscale", &receiver.url("/a"))["endpoint"].as_u64().unwrap();
    let body = json!({ "provider": "allscale", "url": receiver.url("/b"), "enabled": false });
    assert_eq!(server.admin("PUT", &format!("{path}/{number}"), &body).0, 200);
    assert_eq!(server.admin("PUT", &format!("{path}/99"), &body).0, 404);
    let body = json!({ "provider": "peach", "url": receiver.url("/p"), "events": ["000.100.110"] });
    assert_eq!(server.admin("POST", path, &body).0, 201);
    assert!(receiver.next().body.contains("verificationCode"));
    AllScale { addr: server.addr(), prefix: "", keys: &keys, unix_seconds: START }.new_intent("order-1");
    initiate(server.addr(), "", &keys, "order-0001");
    let attempts = advance(&server, "w", 3_600);
    let events: Vec<_> = attempts.iter().map(|attempt| attempt["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["000.100.110"]);
    assert!(log(&server, "w").len() > 1);
    assert_eq!(server.admin("DELETE", &format!("{path}/{number}"), &Value::Null).0, 204);
    assert_eq!(server.admin("DELETE", &format!("{path}/{number}"), &Value::Null).0, 404);
    assert_eq!(server.admin("DELETE", path, &Value::Null).0, 204);
    let (_, left) = server.admin("GET", path, &Value::Null);
    assert_eq!(left, json!({ "endpoints": [] }));
    server.shutdown();
}

#[test]
fn a_webhook_is_sent_again_as_it_is_and_with_changes() {
    let server = start();
    let (keys, receiver) = one_intent(&server, "w", &[]);
    advance(&server, "w", 3_600);
    let first = receiver.next();
    let (status, answer) = server.admin("POST", "/_/worlds/w/webhooks/1/resend", &Value::Null);
    assert_eq!((status, &answer["webhooks"][0]["by_hand"]), (200, &json!(true)), "{answer}");
    let again = receiver.next();
    assert_eq!(again.body, first.body);
    assert_ne!(again.header("x-webhook-nonce"), first.header("x-webhook-nonce"));
    assert_eq!(again.header("x-webhook-signature"), allscale_signature(&keys.allscale_api_secret, &again));

    let edit = json!({ "body": "{\"order_id\":\"other\"}" });
    assert_eq!(server.admin("POST", "/_/worlds/w/webhooks/1/edit", &edit).0, 200);
    let edited = receiver.next();
    assert_eq!(edited.body, "{\"order_id\":\"other\"}");
    assert_eq!(edited.header("x-webhook-signature"), allscale_signature(&keys.allscale_api_secret, &edited));

    assert_eq!(server.admin("POST", "/_/worlds/w/webhooks/1/edit", &json!({ "key": "wrong" })).0, 200);
    let wrong = receiver.next();
    assert_ne!(wrong.header("x-webhook-signature"), allscale_signature(&keys.allscale_api_secret, &wrong));

    assert_eq!(server.admin("POST", "/_/worlds/w/webhooks/2/resend", &Value::Null).0, 404);
    let log = log(&server, "w");
    assert_eq!(log[0]["deliveries"][0]["attempts"].as_array().unwrap().len(), 4);
    let text = serde_json::to_string(&log).unwrap();
    assert!(!text.contains(&keys.allscale_api_secret) && !text.contains(&keys.peach_secret_token));
    server.shutdown();
}

#[test]
fn the_log_is_of_an_order_and_a_reset_clears_the_log_alone() {
    let server = start();
    let (keys, receiver) = one_intent(&server, "w", &[]);
    let shop = AllScale { addr: server.addr(), prefix: "", keys: &keys, unix_seconds: START };
    let second = shop.new_intent("order-2");
    advance(&server, "w", 3_600);
    receiver.next();
    for query in ["order=order-2".to_owned(), format!("checkout={second}")] {
        let (_, found) = server.admin("GET", &format!("/_/worlds/w/webhooks?{query}"), &Value::Null);
        let found = found["webhooks"].as_array().unwrap();
        assert_eq!((found.len(), &found[0]["order"]), (1, &json!("order-2")));
    }
    assert_eq!(server.admin("GET", "/_/worlds/w/webhooks?oder=x", &Value::Null).0, 400);
    server.admin("POST", "/_/worlds/w/reset", &Value::Null);
    assert!(log(&server, "w").is_empty());
    let (_, kept) = server.admin("GET", "/_/worlds/w/endpoints", &Value::Null);
    assert_eq!(kept["endpoints"].as_array().unwrap().len(), 1);
    server.shutdown();
}

#[test]
fn a_delivery_that_a_reset_overtakes_shows_nowhere() {
    let running = start();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hooks", listener.local_addr().unwrap());
    let keys = running.new_world(&json!({ "name": "a", "clock": { "unix_ms": START * 1_000 } }));
    endpoint(&running, "a", "allscale", &url);
    let shop = AllScale { addr: running.addr(), prefix: "", keys: &keys, unix_seconds: START };
    let world = running.get().world("a").unwrap();
    let confirm = |order: &str| {
        let id = shop.new_intent(order);
        world.allscale().act(&id, checkout_sandbox::allscale::Act::Pay).unwrap();
        world.advance(Duration::from_secs(60));
        let _ = running.admin("GET", "/_/worlds/a/webhooks", &Value::Null);
    };
    confirm("before");
    let (held, _) = listener.accept().unwrap();
    assert_eq!(running.admin("POST", "/_/worlds/a/reset", &Value::Null).0, 200);
    confirm("after");
    let (second, _) = listener.accept().unwrap();
    assert_eq!(log(&running, "a").len(), 1);
    // The first receiver refuses, too late; the second takes the webhook.
    let mut stream = BufReader::new(held);
    read(&mut stream).unwrap();
    stream.get_mut().write_all(b"HTTP/1.1 500 X\r\ncontent-length: 0\r\n\r\n").unwrap();
    let mut stream = BufReader::new(second);
    read(&mut stream).unwrap();
    stream.get_mut().write_all(b"HTTP/1.1 200 X\r\ncontent-length: 0\r\n\r\n").unwrap();
    let wait = "/_/worlds/a/wait?for=webhook.delivered&order=after";
    assert_eq!(running.admin("GET", wait, &Value::Null).0, 200);
    let attempts = &log(&running, "a")[0]["deliveries"][0]["attempts"];
    assert_eq!(attempts.as_array().unwrap().len(), 1, "{attempts}");
}

#[test]
fn a_wait_ends_when_the_webhook_is_delivered() {
    let server = start();
    let (_, receiver) = one_intent(&server, "w", &[]);
    let path = "/_/worlds/w/wait?for=webhook.delivered&order=order-1";
    let (status, _) = server.admin("GET", &format!("{path}&timeout=0s"), &Value::Null);
    assert_eq!(status, 408);
    let found = thread::scope(|scope| {
        let waiting = scope.spawn(|| server.admin("GET", &format!("{path}&timeout=60s"), &Value::Null));
        advance(&server, "w", 3_600);
        waiting.join().unwrap()
    });
    assert_eq!((found.0, &found.1["webhook"]["order"]), (200, &json!("order-1")), "{found:?}");
    receiver.next();
    let (status, _) =
        server.admin("GET", "/_/worlds/w/wait?for=status&order=order-1&status=20&timeout=0s", &Value::Null);
    assert_eq!(status, 200);
    for wrong in ["", "?for=tea", "?for=status", "?for=webhook.due&timeout=5", "?for=webhook.due&x=1"] {
        assert_eq!(server.admin("GET", &format!("/_/worlds/w/wait{wrong}"), &Value::Null).0, 400, "{wrong}");
    }
    server.shutdown();
}

#[test]
fn a_world_whose_time_passes_delivers_by_itself() {
    let server = start();
    let receiver = Receiver::start(&[503]);
    let settings = json!({ "name": "w", "clock": { "pace": "times", "times": 100_000 } });
    let keys = server.new_world(&settings);
    endpoint(&server, "w", "peach", &receiver.url("/hooks"));
    receiver.next();
    assert_eq!(initiate(server.addr(), "", &keys, "order-0001").status, 201);
    let path = "/_/worlds/w/wait?for=webhook.delivered&order=order-0001&timeout=60s";
    assert_eq!(server.admin("GET", path, &Value::Null).0, 200);
    receiver.next();
    server.shutdown();
}

/// Plays one fault, and returns the receiver's requests of an hour, with the attempts.
fn with_fault(fault: &Value) -> (Keys, Vec<Got>, Vec<Value>) {
    let server = start();
    let (keys, receiver) = one_intent(&server, "w", &[]);
    let (status, answer) = server.admin("POST", "/_/worlds/w/webhooks/faults", fault);
    assert_eq!(status, 200, "{answer}");
    let attempts = advance(&server, "w", 3_600);
    server.shutdown();
    (keys, receiver.got.try_iter().collect(), attempts)
}

#[test]
fn each_fault_goes_wrong_once() {
    let is_right = |keys: &Keys, got: &Got| {
        got.header("x-webhook-signature") == allscale_signature(&keys.allscale_api_secret, got)
    };
    let (_, got, attempts) = with_fault(&json!({ "fault": "drop" }));
    assert!(got.is_empty() && attempts.is_empty());

    let (_, right, usual) = with_fault(&json!({ "fault": "drop", "provider": "peach" }));
    assert_eq!((right.len(), usual.len()), (1, 1));
    let at = |attempt: &Value| attempt["at_unix_ms"].as_u64().unwrap();
    let (_, got, delayed) = with_fault(&json!({ "fault": "delay", "delay_ms": 7_000 }));
    assert_eq!((got.len(), at(&delayed[0])), (1, at(&usual[0]) + 7_000));

    let (keys, got, _) = with_fault(&json!({ "fault": "repeat", "times": 2 }));
    assert_eq!(got.len(), 3);
    assert!(got.iter().all(|got| is_right(&keys, got)));
    assert_ne!(got[0].header("x-webhook-nonce"), got[1].header("x-webhook-nonce"));

    let (_, got, _) = with_fault(&json!({ "fault": "twice" }));
    assert_eq!((got.len(), got[0].header("x-webhook-nonce")), (2, got[1].header("x-webhook-nonce")));

    let (keys, got, attempts) = with_fault(&json!({ "fault": "stale", "seconds": 900 }));
    let signed: u64 = got[0].header("x-webhook-timestamp").parse().unwrap();
    assert_eq!(at(&attempts[0]) / 1_000 - signed, 900);
    assert!(is_right(&keys, &got[0]));

    let (keys, got, _) = with_fault(&json!({ "fault": "wrong-key" }));
    assert!(!is_right(&keys, &got[0]));

    // The receiver cannot read the first request, and takes the second.
    let (keys, got, attempts) = with_fault(&json!({ "fault": "cut" }));
    assert_eq!((got.len(), attempts.len()), (1, 2));
    assert!(is_right(&keys, &got[0]));
}

#[test]
fn a_reordered_webhook_follows_the_next_webhook() {
    let server = start();
    let (keys, receiver) = (frozen(&server, "w"), Receiver::start(&[]));
    endpoint(&server, "w", "peach", &receiver.url("/hooks"));
    receiver.next();
    let fault = json!({ "provider": "peach", "fault": "reorder" });
    assert_eq!(server.admin("POST", "/_/worlds/w/webhooks/faults", &fault).0, 200);
    initiate(server.addr(), "", &keys, "order-0001");
    let attempts = advance(&server, "w", 3_600);
    let numbers: Vec<_> = attempts.iter().map(|attempt| attempt["webhook"].as_u64().unwrap()).collect();
    assert_eq!(numbers[..2], [2, 1]);
    assert_eq!(server.admin("POST", "/_/worlds/w/webhooks/faults", &json!({ "fault": "tea" })).0, 400);
    server.shutdown();
}

#[test]
fn events_come_by_long_poll_with_letters_to_a_reader_s_url() {
    let server = start();
    let keys = frozen(&server, "w");
    AllScale { addr: server.addr(), prefix: "", keys: &keys, unix_seconds: START }.new_intent("order-1");
    let path = "/_/worlds/w/events?after=0&timeout=60s&letters_to=http://shop.internal:3000/hooks?a=b";
    let (status, answer) = thread::scope(|scope| {
        let reading = scope.spawn(|| server.admin("GET", path, &Value::Null));
        advance(&server, "w", 3_600);
        reading.join().unwrap()
    });
    assert_eq!((status, &answer["events"][0]["kind"]), (200, &json!("webhook.due")), "{answer}");
    let letter = &answer["events"][0]["letter"];
    let headers = letter["headers"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let got = Got {
        path: "/hooks?a=b".to_owned(),
        headers: headers.map(|header| (text(&header[0]), text(&header[1]))).collect(),
        body: text(&letter["body"]),
    };
    assert_eq!(got.header("x-webhook-signature"), allscale_signature(&keys.allscale_api_secret, &got));
    let last = answer["last"].as_u64().unwrap();
    let (_, none) = server.admin("GET", &format!("/_/worlds/w/events?after={last}"), &Value::Null);
    assert_eq!(none, json!({ "events": [], "last": last }));
    server.shutdown();
}

#[test]
fn events_come_as_a_stream() {
    let server = start();
    let (_, receiver) = one_intent(&server, "w", &[]);
    let stream = std::net::TcpStream::connect(server.addr()).unwrap();
    let mut stream = BufReader::new(stream);
    let head = format!(
        "GET /_/worlds/w/events HTTP/1.1\r\nhost: {}\r\naccept: text/event-stream\r\n\r\n",
        server.addr()
    );
    stream.get_mut().write_all(head.as_bytes()).unwrap();
    advance(&server, "w", 3_600);
    receiver.next();
    let lines = stream.lines().map(Result::unwrap).filter(|line| line.starts_with("event: "));
    assert_eq!(lines.take(2).collect::<Vec<_>>(), ["event: webhook.due", "event: webhook.delivered"]);
    server.shutdown();
}

#[test]
fn a_listener_posts_each_webhook_signed_for_the_receiver() {
    let server = start();
    let keys = frozen(&server, "w");
    let receiver = Receiver::start(&[]);
    let (url, root) = (receiver.url("/hooks?a=b"), format!("http://{}", server.addr()));
    let (told, lines) = mpsc::channel();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.spawn(async move {
        let line = |line| told.send(line).unwrap();
        let ended = checkout_sandbox_server::listen(&root, "w", &url, line).await;
        told.send(ended.unwrap_err().to_string()).unwrap();
    });
    assert_eq!(lines.recv().unwrap(), "listening to the world w");
    AllScale { addr: server.addr(), prefix: "", keys: &keys, unix_seconds: START }.new_intent("order-1");
    advance(&server, "w", 3_600);
    let got = receiver.next();
    assert_eq!(got.path, "/hooks?a=b");
    assert_eq!(got.header("x-webhook-signature"), allscale_signature(&keys.allscale_api_secret, &got));
    assert_eq!(lines.recv().unwrap(), "webhook 1 confirmed: 200");
    server.admin("DELETE", "/_/worlds/w", &Value::Null);
    assert!(lines.recv().unwrap().starts_with("the server "), "the listener ends with the world");
    server.shutdown();
}

#[test]
fn a_receiver_that_does_not_answer_holds_no_other_receiver_up() {
    let server = start();
    let settings = json!({ "name": "w", "clock": { "pace": "times", "times": 100_000 } });
    let keys = server.new_world(&settings);
    // A listener that takes connections, and never reads.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let receiver = Receiver::start(&[]);
    endpoint(&server, "w", "peach", &receiver.url("/hooks"));
    receiver.next();
    let answer = token(server.addr(), "", &keys);
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    let url = format!("http://{}/own", silent.local_addr().unwrap());
    assert_eq!(create_v2_notified(server.addr(), &keys, &token, "order-0001", &url).status, 200);
    // The connection stays open until the end of the test.
    let (_silent, _) = silent.accept().unwrap();
    assert_eq!(initiate(server.addr(), "", &keys, "order-0002").status, 201);
    assert!(receiver.next().body.contains("order-0002"));
    let (_, log) = server.admin("GET", "/_/worlds/w/webhooks?order=order-0001", &Value::Null);
    assert_eq!(log["webhooks"][0]["deliveries"][0]["attempts"], json!([]));
    server.shutdown();
}

#[test]
fn a_skewed_provider_signs_a_webhook_with_its_own_time() {
    let server = start();
    let (keys, receiver) = one_intent(&server, "w", &[]);
    let (status, _) = server.admin("PUT", "/_/worlds/w/clock", &json!({ "skew_ms": -900_000 }));
    assert_eq!(status, 200);
    let attempts = advance(&server, "w", 3_600);
    let got = receiver.next();
    let signed: u64 = got.header("x-webhook-timestamp").parse().unwrap();
    assert_eq!(attempts[0]["at_unix_ms"].as_u64().unwrap() / 1_000 - signed, 900);
    assert_eq!(got.header("x-webhook-signature"), allscale_signature(&keys.allscale_api_secret, &got));

    endpoint(&server, "w", "peach", &receiver.url("/p"));
    receiver.next();
    initiate(server.addr(), "", &keys, "order-0001");
    let attempts = advance(&server, "w", 3_600);
    let got = receiver.next();
    let signed: u64 = got.header("x-webhook-timestamp").parse().unwrap();
    assert_eq!(attempts[0]["at_unix_ms"].as_u64().unwrap() / 1_000 - signed, 900);
    assert_eq!(
        got.header("x-webhook-signature"),
        peach_signature(&keys.peach_secret_token, &receiver.url("/p"), &got)
    );
    server.shutdown();
}

#[test]
fn a_stalled_delivery_opens_a_connection_and_sends_nothing() {
    let server = start();
    let keys = frozen(&server, "w");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    endpoint(&server, "w", "allscale", &url);
    let fault = json!({ "fault": "stall", "seconds": 60 });
    assert_eq!(server.admin("POST", "/_/worlds/w/webhooks/faults", &fault).0, 200);
    AllScale { addr: server.addr(), prefix: "", keys: &keys, unix_seconds: START }.new_intent("order-1");
    let receiver = thread::spawn(move || {
        let (mut stalled, _) = listener.accept().unwrap();
        stalled.shutdown(std::net::Shutdown::Write).unwrap();
        let mut sent = Vec::new();
        stalled.read_to_end(&mut sent).unwrap();
        // The next attempt is right.
        let (stream, _) = listener.accept().unwrap();
        let mut stream = BufReader::new(stream);
        let got = read(&mut stream).unwrap();
        stream.get_mut().write_all(b"HTTP/1.1 200 X\r\ncontent-length: 0\r\n\r\n").unwrap();
        (sent, got)
    });
    let attempts = advance(&server, "w", 3_600);
    assert_eq!(attempts[0]["error"], "nothing was sent, as the fault says");
    assert_eq!((attempts.len(), &attempts[1]["answer"]["status"]), (2, &json!(200)));
    let (sent, got) = receiver.join().unwrap();
    assert!(sent.is_empty() && got.body.contains("order-1"));
    server.shutdown();
}

#[test]
fn a_webhook_comes_again_long_after_its_end() {
    let (keys, got, attempts) = with_fault(&json!({ "fault": "again", "seconds": 1_800 }));
    let at = |attempt: &Value| attempt["at_unix_ms"].as_u64().unwrap();
    assert_eq!((got.len(), at(&attempts[1]) - at(&attempts[0])), (2, 1_800_000));
    assert_eq!(got[0].body, got[1].body);
    for got in &got {
        assert_eq!(got.header("x-webhook-signature"), allscale_signature(&keys.allscale_api_secret, got));
    }
    // A week without the field.
    let (_, got, attempts) = with_fault(&json!({ "fault": "again" }));
    let next = attempts[0]["next_unix_ms"].as_u64().unwrap() - at(&attempts[0]);
    assert_eq!((got.len(), next), (1, 7 * 24 * 3_600_000));
}

#[test]
fn an_early_webhook_comes_before_the_answer_to_the_create() {
    for pace in ["frozen", "real"] {
        let server = start();
        let clock = json!({ "pace": pace, "unix_ms": START * 1_000 });
        let keys = server.new_world(&json!({ "name": "w", "clock": clock }));
        let (sender, order) = mpsc::channel();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let of_receiver = sender.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = BufReader::new(stream.unwrap());
                let Some(got) = read(&mut stream) else { continue };
                if !got.body.contains("verificationCode") {
                    of_receiver.send(got.body).unwrap();
                }
                let _ = stream.get_mut().write_all(b"HTTP/1.1 200 X\r\ncontent-length: 0\r\n\r\n");
            }
        });
        endpoint(&server, "w", "allscale", &url);
        endpoint(&server, "w", "peach", &url);
        let inject = |provider: &str| {
            let fault = json!({ "fault": "early", "provider": provider });
            assert_eq!(server.admin("POST", "/_/worlds/w/webhooks/faults", &fault).0, 200);
        };
        inject("allscale");
        let unix_seconds = server.get().world("w").unwrap().now().unix_seconds().unsigned_abs();
        AllScale { addr: server.addr(), prefix: "", keys: &keys, unix_seconds }.new_intent("order-1");
        sender.send("the answer".to_owned()).unwrap();
        inject("peach");
        assert_eq!(initiate(server.addr(), "", &keys, "order-0002").status, 201);
        sender.send("the answer".to_owned()).unwrap();
        // A create after that is answered as ever.
        assert_eq!(initiate(server.addr(), "", &keys, "order-0003").status, 201);
        let all: Vec<String> = order.try_iter().collect();
        let place = |part: &str| all.iter().position(|text| text.contains(part));
        let answers: Vec<_> = (0..all.len()).filter(|place| all[*place] == "the answer").collect();
        assert!(place("order-1").is_some_and(|place| place < answers[0]), "{pace} {all:?}");
        assert!(place("order-0002").is_some_and(|place| place < answers[1]), "{pace} {all:?}");
        assert_eq!(place("order-0003"), None, "{pace} {all:?}");
        server.shutdown();
    }
}

#[test]
fn an_endpoint_s_own_secret_signs_its_webhooks_alone() {
    let server = start();
    let (keys, first) = one_intent(&server, "w", &[]);
    let second = Receiver::start(&[]);
    let path = "/_/worlds/w/endpoints";
    for (provider, url) in [("allscale", second.url("/a")), ("peach", second.url("/p"))] {
        let body = json!({ "provider": provider, "url": url, "secret": "0123456789abcdef0123456789abcdef" });
        let (status, shown) = server.admin("POST", path, &body);
        assert_eq!((status, &shown["has_secret"]), (201, &json!(true)));
        assert!(!shown.to_string().contains("0123456789abcdef"));
    }
    second.next(); // Peach's probe
    initiate(server.addr(), "", &keys, "order-0001");
    advance(&server, "w", 3_600);
    let got = first.next();
    assert_eq!(got.header("x-webhook-signature"), allscale_signature(&keys.allscale_api_secret, &got));
    let own = "0123456789abcdef0123456789abcdef";
    let got: Vec<Got> = second.got.try_iter().collect();
    assert!(got.len() > 2);
    for got in &got {
        if got.path == "/a" {
            assert_eq!(got.header("x-webhook-signature"), allscale_signature(own, got));
        } else {
            assert_eq!(got.header("x-webhook-signature"), peach_signature(own, &second.url("/p"), got));
            // The signature in the body, over the sorted fields.
            let mut fields: Vec<(String, String)> =
                form_urlencoded::parse(got.body.as_bytes()).into_owned().collect();
            let place = fields.iter().position(|(name, _)| name == "signature").unwrap();
            let (_, signature) = fields.remove(place);
            fields.sort();
            let message: String = fields.iter().map(|(name, value)| format!("{name}{value}")).collect();
            assert_eq!(signature, hex(&hmac(own, &message)));
        }
    }
    let log = serde_json::to_string(&log(&server, "w")).unwrap();
    assert!(!log.contains(own));
    let empty = json!({ "provider": "peach", "url": second.url("/p"), "secret": "" });
    let (status, answer) = server.admin("POST", path, &empty);
    assert_eq!((status, &answer["error"]["field"]), (400, &json!("secret")));
    server.shutdown();
}

#[test]
fn all_webhooks_are_sent_again() {
    let server = start();
    let (keys, receiver) = one_intent(&server, "w", &[]);
    AllScale { addr: server.addr(), prefix: "", keys: &keys, unix_seconds: START }.new_intent("order-2");
    let resend = |body: &Value| server.admin("POST", "/_/worlds/w/webhooks/resend", body);
    assert_eq!(resend(&Value::Null), (200, json!({ "webhooks": [] })));
    advance(&server, "w", 3_600);
    assert_eq!(receiver.got.try_iter().count(), 2);
    let orders = |body: &Value| -> Vec<Value> {
        let (status, answer) = resend(body);
        assert_eq!(status, 200, "{answer}");
        answer["webhooks"].as_array().unwrap().iter().map(|attempt| attempt["order"].clone()).collect()
    };
    assert_eq!(orders(&Value::Null), ["order-1", "order-2"]);
    assert_eq!(orders(&json!({ "order": "order-2" })), ["order-2"]);
    assert!(orders(&json!({ "provider": "peach" })).is_empty());
    assert!(orders(&json!({ "endpoint": 9 })).is_empty());
    assert_eq!(receiver.got.try_iter().count(), 3);
    assert_eq!(resend(&json!({ "provider": "azotte" })).0, 400);
    server.shutdown();
}

#[test]
fn a_target_of_https_is_told_that_http_alone_goes() {
    let server = start();
    for url in ["https://127.0.0.1/hooks", "https://shop.example/hooks"] {
        let body = json!({ "provider": "allscale", "url": url });
        let (status, answer) = server.admin("POST", "/_/worlds/default/endpoints", &body);
        assert_eq!((status, &answer["error"]["field"]), (400, &json!("url")));
        assert!(answer["error"]["message"].as_str().unwrap().contains("over http alone"), "{answer}");
    }
    server.shutdown();
}

#[test]
fn no_webhook_of_a_time_that_is_given_up_is_sent() {
    let running = start();
    let (keys, receiver) = one_intent(&running, "a", &[500, 500]);
    advance(&running, "a", 60);
    let receiver_got = |count: usize| (0..count).map(|_| receiver.next()).collect::<Vec<_>>();
    receiver_got(1);
    let snapshot =
        |path: &str, body: &Value| running.admin("POST", &format!("/_/worlds/a/snapshots{path}"), body).0;
    assert_eq!(snapshot("", &json!({ "name": "once" })), 201);
    let before = log(&running, "a");
    // The future: a second intent, confirmed and waiting, and a second attempt of the first.
    let shop = AllScale { addr: running.addr(), prefix: "", keys: &keys, unix_seconds: START + 60 };
    shop.new_intent("of-the-future");
    advance(&running, "a", 65);
    let of_future = receiver_got(2);
    assert_eq!(snapshot("/once/restore", &Value::Null), 200);
    assert_eq!(log(&running, "a"), before);
    // The next attempt of the first webhook comes again as it came, and nothing else comes in two days.
    let attempts = advance(&running, "a", 65);
    assert_eq!(attempts.len(), 1, "{attempts:?}");
    let again = receiver.next();
    assert_eq!(again.body, of_future[0].body);
    assert_eq!(again.header("x-webhook-timestamp"), of_future[0].header("x-webhook-timestamp"));
    assert!(advance(&running, "a", 172_800).is_empty());
    receiver.none();
    assert!(log(&running, "a")[0]["deliveries"][0]["state"] == "delivered");
}

#[test]
fn a_copied_world_sends_what_waits_under_its_own_keys() {
    let running = start();
    let (keys, receiver) = one_intent(&running, "a", &[500]);
    advance(&running, "a", 60);
    receiver.next();
    let peach = endpoint(&running, "a", "peach", &receiver.url("/peach"));
    assert_eq!(peach["probe"]["status"], 200);
    receiver.next();
    initiate(running.addr(), "", &keys, "peach-order");
    // The webhooks of Peach wait in the log: the receiver's answers are lost on purpose.
    running.admin(
        "POST",
        "/_/worlds/a/webhooks/faults",
        &json!({ "fault": "delay", "delay_ms": 600_000, "provider": "peach" }),
    );
    advance(&running, "a", 30);
    while receiver.got.try_recv().is_ok() {}
    let (status, _) = running.admin("POST", "/_/worlds/a/fork", &json!({ "name": "b" }));
    assert_eq!(status, 201);
    let own = running.get().world("b").unwrap().keys().clone();
    advance(&running, "b", 3_600);
    let got: Vec<Got> = receiver.got.try_iter().collect();
    let of_allscale: Vec<_> = got.iter().filter(|got| got.path.starts_with("/hooks/")).collect();
    let of_peach: Vec<_> = got.iter().filter(|got| got.path == "/peach").collect();
    assert!(!of_allscale.is_empty() && !of_peach.is_empty(), "{got:?}");
    for got in of_allscale {
        assert_eq!(got.header("x-api-key"), own.allscale_api_key);
        assert_eq!(got.header("x-webhook-signature"), allscale_signature(&own.allscale_api_secret, got));
    }
    for got in of_peach {
        let url = receiver.url("/peach");
        assert_eq!(got.header("x-webhook-signature"), peach_signature(&own.peach_secret_token, &url, got));
        // The signature in the body: all other fields in the order of their names, with nothing between.
        let mut fields: Vec<(String, String)> =
            form_urlencoded::parse(got.body.as_bytes()).into_owned().collect();
        let place = fields.iter().position(|(name, _)| name == "signature").unwrap();
        let (_, signature) = fields.remove(place);
        fields.sort();
        let signed: String = fields.into_iter().map(|(name, value)| name + &value).collect();
        assert_eq!(signature, hex(&hmac(&own.peach_secret_token, &signed)));
    }
}

#[test]
fn a_test_in_rust_needs_no_route_for_webhooks() {
    let running = start();
    let receiver = Receiver::start(&[500]);
    let keys = frozen(&running, "a");
    let world = running.get().world("a").unwrap();
    assert_eq!(world.add_endpoint("allscale", &receiver.url("/hooks")), Ok(1));
    for (provider, url, expected) in [
        ("azotte", "http://127.0.0.1/", "provider: has to be allscale or peach"),
        ("allscale", "http://shop.example/", "url: shop.example is not this machine"),
        ("peach", "no url", "url: is no"),
    ] {
        let error = world.add_endpoint(provider, url).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
    let id =
        AllScale { addr: running.addr(), prefix: "", keys: &keys, unix_seconds: START }.new_intent("order-1");
    assert!(world.webhooks().is_empty());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(world.step(Duration::from_secs(60)));
    let statuses = || world.webhooks()[0].attempts.iter().map(|attempt| attempt.status).collect::<Vec<_>>();
    assert_eq!(statuses(), [Some(500)]);
    // The wait begins before the delivery.
    let (webhook, ()) = runtime.block_on(async {
        tokio::join!(world.webhook_delivered("order-1"), world.step(Duration::from_secs(60)))
    });
    assert_eq!((webhook.number, webhook.provider, &*webhook.event), (1, "allscale", "confirmed"));
    assert_eq!((webhook.checkout, webhook.order.as_deref()), (id, Some("order-1")));
    assert_eq!(statuses(), [Some(500), Some(200)]);
    let at: Vec<_> = webhook.attempts.iter().map(|attempt| attempt.at.unix_seconds()).collect();
    assert_eq!(at, [1_800_000_060, 1_800_000_120]);
    assert_eq!(webhook.attempts[0].url, receiver.url("/hooks"));
}

#[test]
fn a_client_that_gives_up_a_step_leaves_the_receiver_to_the_next_step() {
    let server = start();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let keys = frozen(&server, "w");
    endpoint(&server, "w", "allscale", &format!("http://{}/hooks", listener.local_addr().unwrap()));
    AllScale { addr: server.addr(), prefix: "", keys: &keys, unix_seconds: START }.new_intent("order-1");
    // The client goes away while the receiver has the request, and the receiver never answers.
    let mut client = common::connect(server.addr());
    let body = "{\"advance_ms\": 3600000}";
    let head = "PUT /_/worlds/w/clock HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json";
    write!(client, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
    let (first, _) = listener.accept().unwrap();
    drop(client);
    // The delivery is given up: the connection ends.
    let mut stream = BufReader::new(first);
    while read(&mut stream).is_some() {}
    let thread = thread::spawn(move || {
        let (second, _) = listener.accept().unwrap();
        let mut stream = BufReader::new(second);
        read(&mut stream).unwrap();
        stream.get_mut().write_all(b"HTTP/1.1 200 X\r\ncontent-length: 0\r\n\r\n").unwrap();
    });
    let attempts = advance(&server, "w", 1);
    assert_eq!(attempts.len(), 1, "{attempts:?}");
    assert_eq!(attempts[0]["answer"]["status"], 200);
    thread.join().unwrap();
    server.shutdown();
}
