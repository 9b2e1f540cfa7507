//! Faults of requests: rules, the header, chance, and the wire.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;

use checkout_sandbox_server::{BindError, Keys, Server};
use checkout_tables::Moment;
use common::{AllScale, Running, send, submit};
use serde_json::{Value, json};

/// 2027-01-15 08:00:00 UTC.
const START: Moment = Moment::from_unix_seconds(1_800_000_000);

const FAULTS: &str = "/_/worlds/default/faults";

fn frozen() -> Running {
    Running::start(Server::builder().frozen_at(START))
}

fn keys(running: &Running) -> Keys {
    running.get().default_world().keys().clone()
}

fn shop<'a>(running: &Running, keys: &'a Keys) -> AllScale<'a> {
    AllScale { addr: running.addr(), prefix: "", keys, unix_seconds: START.unix_seconds().unsigned_abs() }
}

fn add(running: &Running, rule: &Value) -> Value {
    let (status, rule) = running.admin("POST", FAULTS, rule);
    assert_eq!(status, 201, "{rule}");
    rule
}

/// Azotte's read of a checkout, with more headers.
fn azotte_status(addr: SocketAddr, keys: &Keys, id: &str, more: &[(&str, &str)]) -> Option<common::Answer> {
    let headers = [&[("x-tn", &*keys.azotte_x_tn), ("x-api-key", &*keys.azotte_api_key)], more].concat();
    send(addr, "GET", &format!("/api/v1/c2a/offer/checkout/{id}/status"), &headers, b"")
}

#[test]
fn a_rule_strikes_the_nth_request_of_its_route_and_counts() {
    let running = frozen();
    let keys = keys(&running);
    let shop = shop(&running, &keys);
    let rule = add(
        &running,
        &json!({"provider": "allscale", "fault": "tampered_status", "status": -3, "route": "status", "nth": 2}),
    );
    assert_eq!((&rule["number"], &rule["times"], &rule["struck"]), (&json!(1), &json!(1), &json!(0)));
    let id = shop.new_intent("order-1");
    let read = || shop.status(&id).json()["payload"].clone();
    assert_eq!([read(), read(), read()], [json!(1), json!(-3), json!(1)]);
    let (_, list) = running.admin("GET", FAULTS, &Value::Null);
    assert_eq!((&list["faults"][0]["struck"], &list["faults"][0]["seen"]), (&json!(1), &json!(2)));
    assert_eq!(list["faults"][0]["status"], "-3");

    add(&running, &json!({"provider": "azotte", "fault": "truncated"}));
    assert_eq!(running.admin("DELETE", &format!("{FAULTS}/1"), &Value::Null).0, 204);
    assert_eq!(running.admin("DELETE", &format!("{FAULTS}/1"), &Value::Null).0, 404);
    assert_eq!(running.admin("GET", FAULTS, &Value::Null).1["faults"][0]["number"], 2);
    assert_eq!(running.admin("DELETE", FAULTS, &Value::Null).0, 204);
    assert_eq!(running.admin("GET", FAULTS, &Value::Null).1, json!({ "faults": [] }));
}

#[test]
fn a_fault_of_one_world_strikes_no_other_world() {
    let running = frozen();
    let other = running.new_world(&json!({"name": "other", "clock": {"pace": "frozen"}}));
    add(&running, &json!({"provider": "azotte", "fault": "rate_limited"}));
    assert_eq!(submit(running.addr(), "", &other, "order-1").status, 202);
    assert_eq!(submit(running.addr(), "", &keys(&running), "order-1").status, 429);
    let (status, _) =
        running.admin("POST", "/_/worlds/nobody/faults", &json!({"provider": "peach", "fault": "garbage"}));
    assert_eq!(status, 404);
}

#[test]
fn a_wrong_rule_is_refused_with_the_field() {
    let running = frozen();
    for (rule, field, part) in [
        (json!({}), "provider", "allscale, azotte or peach"),
        (json!({"provider": "peach"}), "fault", "is missing"),
        (json!({"provider": "peach", "fault": "boom"}), "fault", "wire_stall"),
        (json!({"provider": "peach", "fault": "refused"}), "code", "is missing"),
        (json!({"provider": "peach", "fault": "refused", "code": true}), "code", "a text or a whole number"),
        (json!({"provider": "peach", "fault": "garbage", "route": "create"}), "route", "initiate, validate"),
        (json!({"provider": "peach", "fault": "garbage", "times": "2"}), "times", "whole number"),
        (json!({"provider": "peach", "fault": "garbage", "when": 2}), "when", "permille, seed"),
    ] {
        let (status, answer) = running.admin("POST", FAULTS, &rule);
        assert_eq!((status, answer["error"]["field"].as_str()), (400, Some(field)), "{rule} {answer}");
        assert!(answer["error"]["message"].as_str().unwrap().contains(part), "{rule} {answer}");
    }
}

#[test]
fn a_header_makes_its_own_request_go_wrong_and_no_other() {
    let running = frozen();
    let (addr, keys) = (running.addr(), keys(&running));
    let shop = shop(&running, &keys);
    assert_eq!(submit(addr, "", &keys, "order-1").status, 202);
    let id = running.get().default_world().azotte().checkouts()[0].tracking_number.clone();
    let with = |value: &str| azotte_status(addr, &keys, &id, &[("X-Sandbox-Fault", value)]);
    assert!(with("lost_answer").is_none());
    assert_eq!(with("html_bad_gateway").unwrap().status, 502);
    let tampered = with("tampered_code; code=CHECK_OUT_DONE").unwrap();
    assert!(tampered.body.contains("CHECK_OUT_DONE"), "{tampered:?}");
    assert!(!azotte_status(addr, &keys, &id, &[]).unwrap().body.contains("CHECK_OUT_DONE"));

    // AllScale signs no header but the headers of its own.
    let id = shop.new_intent("order-2");
    let read = |value: &str| {
        shop.send_with("GET", &format!("/v1/checkout_intents/{id}/status"), &[("x-sandbox-fault", value)])
    };
    assert_eq!(read("tampered_status; status=20").unwrap().json()["payload"], json!(20));
    for (value, part) in [
        ("boom", "has to be one of lost_before"),
        ("", "has to be one of lost_before"),
        ("tampered_status", "status is missing"),
        ("old_intent", "the routes are create"),
        ("lost_answer; nth=2", "nth no such field"),
        ("lost_answer; nth", "is not key=value"),
    ] {
        let answer = read(value).unwrap();
        assert_eq!(answer.json()["error"]["field"], "x-sandbox-fault", "{answer:?}");
        assert_eq!(answer.status, 400);
        assert!(answer.json()["error"]["message"].as_str().unwrap().contains(part), "{value}: {answer:?}");
    }
    let twice =
        azotte_status(addr, &keys, "trk", &[("x-sandbox-fault", "garbage"), ("x-sandbox-fault", "garbage")]);
    assert_eq!(twice.unwrap().status, 400);
}

#[test]
fn a_header_goes_before_the_rules_and_uses_none_up() {
    let running = frozen();
    let (addr, keys) = (running.addr(), keys(&running));
    add(&running, &json!({"provider": "azotte", "fault": "rate_limited"}));
    let by_header = azotte_status(addr, &keys, "trk_1", &[("x-sandbox-fault", "html_bad_gateway")]);
    assert_eq!(by_header.unwrap().status, 502);
    assert_eq!(azotte_status(addr, &keys, "trk_1", &[]).unwrap().status, 429);
    assert_eq!(azotte_status(addr, &keys, "trk_1", &[]).unwrap().status, 404);
}

#[test]
fn a_rule_of_the_builder_comes_again_after_a_reset() {
    let running =
        Running::start(Server::builder().fault("azotte:rate_limited; route=submit_checkout; nth=2"));
    let (addr, keys) = (running.addr(), keys(&running));
    for _ in 0..2 {
        let statuses = ["order-1", "order-2", "order-3"].map(|order| submit(addr, "", &keys, order).status);
        assert_eq!(statuses, [202, 429, 202]);
        assert_eq!(running.admin("POST", "/_/worlds/default/reset", &Value::Null).0, 200);
    }
    for wrong in ["lost_answer", "azotte:lost", "azotte:garbage; route=create"] {
        let refused = Running::try_start(Server::builder().fault(wrong)).err();
        assert!(matches!(refused, Some(BindError::Fault(_))), "{wrong} {refused:?}");
    }
}

/// The status of an answer and the whole answer, if an answer came.
type Received = Option<(u16, String)>;

/// The requests of some threads, by order: the status and the body of each answer, in the order in which
/// the requests of the order were sent. Each thread has orders of its own.
fn transcript(seed: u64, threads: usize) -> Vec<(String, Vec<Received>)> {
    let running = frozen();
    let (addr, keys) = (running.addr(), keys(&running));
    // The ids follow from the arrival of the creates, so the creates come one after the other.
    let orders: Vec<String> = (0..32).map(|number| format!("order-{number}")).collect();
    for order in &orders {
        assert_eq!(submit(addr, "", &keys, order).status, 202);
    }
    let ids: Vec<String> =
        running.get().default_world().azotte().checkouts().into_iter().map(|of| of.tracking_number).collect();
    for fault in ["lost_answer", "html_bad_gateway", "tampered_tracking"] {
        add(&running, &json!({"provider": "azotte", "fault": fault, "permille": 250, "seed": seed}));
    }
    let work = |first: usize| {
        let mine = orders.iter().zip(&ids).skip(first).step_by(threads);
        let read = |id: &String| {
            (0..8).map(|_| azotte_status(addr, &keys, id, &[]).map(|of| (of.status, of.whole()))).collect()
        };
        mine.map(|(order, id)| (order.clone(), read(id))).collect::<Vec<_>>()
    };
    let mut all: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|first| scope.spawn(move || work(first))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    all.sort();
    all
}

#[test]
fn a_seed_repeats_the_transcript_at_sixteen_in_parallel() {
    let (alone, parallel) = (transcript(7, 1), transcript(7, 16));
    assert_eq!(alone, parallel);
    assert_ne!(alone, transcript(8, 1));
    let count = |wanted: Option<u16>| {
        let answers = alone.iter().flat_map(|(_, answers)| answers);
        answers.filter(|answer| answer.as_ref().map(|(status, _)| *status) == wanted).count()
    };
    // A quarter of 256 answers is lost, and a quarter of the others is a gateway's page.
    assert!(
        (40..90).contains(&count(None)) && (25..75).contains(&count(Some(502))),
        "{} {}",
        count(None),
        count(Some(502))
    );
}

/// The bytes that come for a request of Azotte's with the header, and the error at the end.
fn raw_with(addr: SocketAddr, keys: &Keys, fault: &str) -> (Vec<u8>, Option<ErrorKind>) {
    let mut stream = common::connect(addr);
    let request = format!(
        "GET /api/v1/c2a/offer/checkout/trk_1/status HTTP/1.1\r\nhost: {addr}\r\nx-tn: {}\r\nx-api-key: {}\r\n\
         x-sandbox-fault: {fault}\r\n\r\n",
        keys.azotte_x_tn, keys.azotte_api_key
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        match stream.read(&mut piece) {
            Ok(0) => return (bytes, None),
            Ok(read) => bytes.extend(&piece[..read]),
            Err(error) => return (bytes, Some(error.kind())),
        }
    }
}

#[test]
fn each_fault_of_the_wire_spoils_the_bytes_in_its_way() {
    let running = frozen();
    let (addr, keys) = (running.addr(), keys(&running));
    let right = azotte_status(addr, &keys, "trk_1", &[]).unwrap();
    let whole = |bytes: &[u8]| {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert_eq!(body, right.body);
        let lines = |head: &str| {
            let mut lines: Vec<_> = head.to_ascii_lowercase().lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        assert_eq!(lines(head), lines(&right.head));
    };
    let (answer, error) = raw_with(addr, &keys, "wire_slow_close; ms=1");
    whole(&answer);
    assert_eq!(error, None);
    for fault in [
        "wire_dribble; over_ms=2; pieces=4",
        "wire_dribble; over_ms=0; pieces=10000",
        "wire_bandwidth; bytes_per_second=1000000",
        "wire_slicer; bytes=3",
        "wire_slicer; bytes=200; pause_ms=1",
        "wire_cut; bytes=1000000000",
    ] {
        let (bytes, error) = raw_with(addr, &keys, fault);
        assert_eq!(
            (String::from_utf8_lossy(&bytes), error),
            (String::from_utf8_lossy(&answer), None),
            "{fault}"
        );
    }
    for (fault, length, ends) in [
        ("wire_empty", 0, None),
        ("wire_stall; ms=0", 0, None),
        ("wire_cut; bytes=0", 0, None),
        ("wire_cut; bytes=40", 40, None),
        ("wire_reset", 0, Some(ErrorKind::ConnectionReset)),
        ("wire_reset; bytes=40", 40, Some(ErrorKind::ConnectionReset)),
    ] {
        let (bytes, error) = raw_with(addr, &keys, fault);
        assert_eq!((bytes.as_slice(), error), (&answer[..length], ends), "{fault}");
    }
    let (garbage, error) = raw_with(addr, &keys, "wire_garbage");
    assert!(!garbage.is_empty() && !garbage.starts_with(b"HTTP") && error.is_none());
    let (chunk, error) = raw_with(addr, &keys, "wire_bad_chunk");
    let chunk = String::from_utf8(chunk).unwrap();
    assert!(
        chunk.starts_with("HTTP/1.1 404") && chunk.contains("transfer-encoding: chunked\r\n\r\nno size\r\n")
    );
    assert!(!chunk.contains("content-length") && error.is_none());
    for fault in ["wire_delay; ms=1", "wire_delay; ms=2; jitter_ms=2", "wire_delay_log_normal; median_ms=1"] {
        let late = azotte_status(addr, &keys, "trk_1", &[("x-sandbox-fault", fault)]).unwrap();
        assert_eq!(late.whole(), right.whole(), "{fault}");
    }
}

#[test]
fn a_stalled_connection_ends_with_the_client_and_with_the_server() {
    let running = frozen();
    let (addr, keys) = (running.addr(), keys(&running));
    let request = format!(
        "GET /api/v1/c2a/offer/checkout/trk_1/status HTTP/1.1\r\nhost: {addr}\r\nx-tn: {}\r\n\
         x-sandbox-fault: wire_stall; ms=600000\r\n\r\n",
        keys.azotte_x_tn
    );
    let mut gives_up = common::connect(addr);
    gives_up.write_all(request.as_bytes()).unwrap();
    // The server answers the end of the client's bytes with the end of its own.
    gives_up.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(gives_up.read(&mut [0; 9]).unwrap(), 0);

    let mut waits = common::connect(addr);
    waits.write_all(request.as_bytes()).unwrap();
    // A later answer shows that the server is at work.
    assert_eq!(azotte_status(addr, &keys, "trk_1", &[]).unwrap().status, 404);
    waits.set_nonblocking(true).unwrap();
    assert_eq!(waits.read(&mut [0; 9]).unwrap_err().kind(), ErrorKind::WouldBlock);
    waits.set_nonblocking(false).unwrap();
    running.shutdown();
    assert!(matches!(waits.read(&mut [0; 9]), Ok(0) | Err(_)));
}

#[test]
fn the_request_is_processed_before_the_wire_fails() {
    let running = frozen();
    let (addr, keys) = (running.addr(), keys(&running));
    for (number, fault) in
        (1..).zip(["wire_empty", "wire_reset", "wire_cut", "wire_garbage", "wire_bad_chunk"])
    {
        let mut rule = json!({"provider": "allscale", "fault": fault, "route": "create"});
        if fault == "wire_cut" {
            rule["bytes"] = json!(9);
        }
        add(&running, &rule);
        let body =
            json!({ "currency": 1, "amount_cents": 1000, "order_id": format!("order-{number}") }).to_string();
        let shop = shop(&running, &keys);
        let mut stream = common::connect(addr);
        stream
            .write_all(&shop.bytes("POST", "/v1/checkout_intents/", &body, &format!("n-{number}")))
            .unwrap();
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all);
        assert!(!all.starts_with(b"HTTP/1.1 200 OK\r\ncontent"), "{fault}");
        assert_eq!(running.get().default_world().allscale().intents().len(), number, "{fault}");
    }
}

#[test]
fn the_dashboard_adds_a_fault_with_a_value_and_a_route() {
    let running = frozen();
    let (addr, keys) = (running.addr(), keys(&running));
    let post = |form: &str| {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        send(addr, "POST", "/_/board/default/fault", &headers, form.as_bytes()).unwrap()
    };
    let form = "fault=allscale%3Atampered_status&values=status%3D20&route=status&times=2";
    assert_eq!(post(form).status, 303);
    let board = send(addr, "GET", "/_/board/default", &[], b"").unwrap().body;
    assert!(board.contains("AllScale: tampered_status; status=20; route=status (struck 0 of 2)"), "{board}");
    assert!(board.contains("Faults that wait for a request: 2"));
    let shop = shop(&running, &keys);
    let id = shop.new_intent("order-1");
    assert_eq!(shop.status(&id).json()["payload"], json!(20));
    let refused = post("fault=allscale%3Atampered_status");
    assert!(refused.status == 400 && refused.body.contains("The field status is missing."), "{refused:?}");
    assert_eq!(post("do=clear").status, 303);
    let board = send(addr, "GET", "/_/board/default", &[], b"").unwrap().body;
    assert!(board.contains("Faults that wait for a request: 0"));
}

#[test]
fn a_skew_moves_the_times_that_the_providers_tell_and_check() {
    let running = frozen();
    let (addr, keys) = (running.addr(), keys(&running));
    let shop = shop(&running, &keys);
    let clock = |body: &Value| running.admin("PUT", "/_/worlds/default/clock", body);
    let ping = |ahead: i64| {
        let unix_seconds = START.unix_seconds().checked_add(ahead).unwrap().unsigned_abs();
        AllScale { unix_seconds, ..AllScale { addr, prefix: "", keys: &keys, unix_seconds: 0 } }
            .send("GET", "/v1/test/ping", "")
            .unwrap()
            .status
    };
    // AllScale takes a time of five minutes either way.
    assert_eq!([ping(-300), ping(0), ping(300), ping(301)], [200, 200, 200, 401]);
    let (status, shown) = clock(&json!({ "skew_ms": 301_000 }));
    assert_eq!(
        (status, &shown["skew_ms"], &shown["unix_ms"]),
        (200, &json!(301_000), &json!(START.unix_millis()))
    );
    assert_eq!([ping(0), ping(1), ping(601), ping(602)], [401, 200, 200, 401]);
    assert!(shop.send("GET", "/v1/test/ping", "").unwrap().head.contains("Fri, 15 Jan 2027 08:05:01 GMT"));
    let timestamp = |order: &str| {
        assert_eq!(common::initiate(addr, "", &keys, order).status, 201);
        common::peach_status(addr, "", &keys, order).json()["timestamp"].as_str().unwrap().to_owned()
    };
    assert!(timestamp("order-0001").starts_with("2027-01-15T08:05:01"), "{}", timestamp("order-0002"));
    for wrong in [json!(2_678_400_001_i64), json!("1"), json!(0.5)] {
        let (status, answer) = clock(&json!({ "skew_ms": wrong }));
        assert_eq!((status, &answer["error"]["field"]), (400, &json!("skew_ms")), "{wrong}");
    }
    assert_eq!(running.admin("POST", "/_/worlds/default/reset", &Value::Null).0, 200);
    assert_eq!([ping(0), ping(602)], [200, 401]);
}

#[test]
fn a_limit_shows_its_use_and_the_moment_of_room() {
    let running = frozen();
    let (addr, keys) = (running.addr(), keys(&running));
    let limit = || running.admin("GET", "/_/worlds/default/limits", &Value::Null).1["limits"].clone();
    let board = || send(addr, "GET", "/_/board/default", &[], b"").unwrap().body;
    let begin = START.unix_millis();
    let shown = |used: u64, room_at: i64| {
        json!([{
            "provider": "peach", "limit": "reads of a status in 60 seconds", "most": 2,
            "used": used, "room": 2 - used, "room_at_unix_ms": room_at,
        }])
    };
    assert_eq!(common::initiate(addr, "", &keys, "order-0001").status, 201);
    assert_eq!(limit(), shown(0, begin));
    let read = || common::peach_status(addr, "", &keys, "order-0001").status;
    assert_eq!((read(), limit()), (200, shown(1, begin)));
    assert!(board().contains("1 of 2 used. 1 more have room now."));
    running.get().default_world().advance(std::time::Duration::from_secs(20));
    assert_eq!((read(), limit()), (200, shown(2, begin + 60_000)));
    assert!(board().contains("2 of 2 used. The next has room in 40"), "{}", board());
    // A read over the limit takes no room.
    assert_eq!((read(), limit()), (429, shown(2, begin + 60_000)));
    running.get().default_world().advance(std::time::Duration::from_millis(39_999));
    assert_eq!((read(), limit()), (429, shown(2, begin + 60_000)));
    running.get().default_world().advance(std::time::Duration::from_millis(1));
    assert_eq!((limit(), read()), (shown(1, begin + 60_000), 200));
    assert_eq!(limit(), shown(2, begin + 80_000));
}
