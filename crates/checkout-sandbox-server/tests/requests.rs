//! The requests of a world and the timeline of a checkout, over a socket.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use checkout_sandbox::allscale;
use checkout_sandbox_server::{Keys, Server};
use checkout_tables::Moment;
use common::{AllScale, Running, create_v2, initiate, peach_status, send, submit, token};
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
    let unix_seconds = running.get().default_world().now().unix_seconds().unsigned_abs();
    AllScale { addr: running.addr(), prefix: "", keys, unix_seconds }
}

fn list(running: &Running, query: &str) -> Value {
    let (status, list) = running.admin("GET", &format!("/_/worlds/default/requests{query}"), &Value::Null);
    assert_eq!(status, 200, "{list}");
    list
}

fn numbers(list: &Value) -> Vec<u64> {
    list["requests"].as_array().unwrap().iter().map(|of| of["number"].as_u64().unwrap()).collect()
}

#[test]
fn requests_are_listed_by_order_checkout_and_provider() {
    let running = frozen();
    let keys = published(&running);
    let shop = allscale_of(&running, &keys);
    let id = shop.new_intent("order-1"); // 1
    assert_eq!(submit(running.addr(), "/azotte", &keys, "order-2").status, 202); // 2
    assert_eq!(initiate(running.addr(), "", &keys, "order-three").status, 201); // 3
    shop.status(&id); // 4
    peach_status(running.addr(), "", &keys, "order-three"); // 5
    token(running.addr(), "", &keys); // 6
    assert_eq!(shop.send_signed("GET", "/v1/test/ping", "", "n").unwrap().status, 200); // 7

    assert_eq!(numbers(&list(&running, "")), [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(numbers(&list(&running, "?order=order-1")), [1, 4]);
    assert_eq!(numbers(&list(&running, &format!("?checkout={id}"))), [1, 4]);
    assert_eq!(numbers(&list(&running, "?provider=peach")), [3, 5, 6]);
    assert_eq!(numbers(&list(&running, "?provider=azotte&order=order-1")), [] as [u64; 0]);
    let first = list(&running, "?limit=3");
    assert_eq!((numbers(&first), &first["next"], &first["more"]), (vec![1, 2, 3], &json!(3), &json!(true)));
    let rest = list(&running, "?limit=4&after=3");
    assert_eq!((numbers(&rest), &rest["next"], &rest["more"]), (vec![4, 5, 6, 7], &json!(7), &json!(false)));
    // A reader of one provider's requests goes on after everything that was looked at.
    assert_eq!(list(&running, "?provider=azotte")["next"], 7);
    let of_azotte = &list(&running, "?provider=azotte")["requests"][0];
    assert_eq!((&of_azotte["prefix"], &of_azotte["status"]), (&json!("/azotte"), &json!(202)));
    assert_eq!(of_azotte["at_unix_ms"], 1_800_000_000_000_u64);

    for (query, field) in [
        ("?limit=0", "limit"),
        ("?limit=1001", "limit"),
        ("?after=x", "after"),
        ("?provider=stripe", "provider"),
        ("?page=1", "page"),
    ] {
        let path = format!("/_/worlds/default/requests{query}");
        let (status, answer) = running.admin("GET", &path, &Value::Null);
        assert_eq!((status, &answer["error"]["field"]), (400, &json!(field)), "{query}");
    }
    assert_eq!(running.admin("GET", "/_/worlds/none/requests", &Value::Null).0, 404);
    running.admin("POST", "/_/worlds/default/reset", &Value::Null);
    assert_eq!(list(&running, ""), json!({ "requests": [], "next": 0, "more": false }));
}

#[test]
fn a_request_is_shown_whole_and_masked() {
    let running = frozen();
    let keys = published(&running);
    let access = token(running.addr(), "", &keys).json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(create_v2(running.addr(), "", &keys, &access, "order-1234").status, 200);
    let show = |number: u64| {
        let (status, whole) =
            running.admin("GET", &format!("/_/worlds/default/requests/{number}"), &Value::Null);
        assert_eq!(status, 200, "{whole}");
        whole
    };
    let first = show(1);
    let body: Value = serde_json::from_str(first["request"]["body"].as_str().unwrap()).unwrap();
    assert_eq!((&body["clientSecret"], &body["clientId"]), (&json!("***"), &json!(keys.peach_client_id)));
    let body: Value = serde_json::from_str(first["answer"]["body"].as_str().unwrap()).unwrap();
    assert_eq!((&body["access_token"], &body["token_type"]), (&json!("***"), &json!("Bearer")));
    let second = show(2);
    let headers = second["request"]["headers"].as_array().unwrap();
    assert!(headers.contains(&json!(["authorization", "Bearer ***"])), "{headers:?}");
    assert!(headers.contains(&json!(["referer", "https://shop.example"])), "{headers:?}");
    assert_eq!((&second["answer"]["status"], &second["arrived"]), (&json!(200), &json!("answer")));
    for number in ["0", "3", "x", "18446744073709551616"] {
        let path = format!("/_/worlds/default/requests/{number}");
        assert_eq!(running.admin("GET", &path, &Value::Null).0, 404, "{number}");
    }
    // Bytes that are no text are shown as a length.
    let headers = [("content-type", "application/octet-stream")];
    send(running.addr(), "POST", "/v1/test/post", &headers, b"\xff\xfe").unwrap();
    assert_eq!(show(3)["request"]["body"], json!({ "bytes": 2 }));
}

#[test]
fn a_lost_answer_is_shown_as_the_client_saw_the_answer() {
    let running = frozen();
    let keys = published(&running);
    let sandbox = running.get().default_world().allscale();
    let shop = allscale_of(&running, &keys);
    sandbox.inject(allscale::Fault::LostAnswer);
    assert!(shop.create("order-1").is_none());
    sandbox.inject(allscale::Fault::LostRequest);
    assert!(shop.create("order-1").is_none());
    let list = list(&running, "?order=order-1");
    let facts: Vec<_> = list["requests"].as_array().unwrap().iter().collect();
    assert_eq!((&facts[0]["fault"], &facts[0]["arrived"]), (&json!("lost_answer"), &json!("request_alone")));
    assert_eq!((&facts[0]["status"], &facts[1]["status"]), (&json!(200), &Value::Null));
    assert_eq!((&facts[1]["fault"], &facts[1]["arrived"]), (&json!("lost_request"), &json!("nothing")));
}

/// The kinds of a timeline with the thing that tells two of a kind apart.
fn kinds(timeline: &Value) -> Vec<String> {
    let kind = |of: &Value| match of["kind"].as_str().unwrap() {
        "request" => format!("request {}", of["number"]),
        "status" => format!("status {}", of["status"].as_str().unwrap()),
        "webhook" => format!("webhook {}", of["attempt"]["answer"]["status"]),
        _ => format!("clock {}", of["to_unix_ms"].as_i64().unwrap() / 1_000 - START.unix_seconds()),
    };
    timeline["timeline"].as_array().unwrap().iter().map(kind).collect()
}

#[test]
fn a_timeline_has_everything_in_the_order_in_which_it_happened() {
    let running = frozen();
    let keys = published(&running);
    // The server itself is a receiver, which answers no webhook with 200.
    let url = format!("http://{}/hooks", running.addr());
    let (status, _) =
        running.admin("POST", "/_/worlds/default/endpoints", &json!({ "provider": "allscale", "url": url }));
    assert_eq!(status, 201);
    running.get().default_world().allscale().next_intent(allscale::Scenario::never_paid());
    let id = allscale_of(&running, &keys).new_intent("order-1");
    let act = |act: &str| {
        let path = format!("/_/pay/default/allscale/{id}");
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let form = format!("act={act}");
        assert_eq!(send(running.addr(), "POST", &path, &headers, form.as_bytes()).unwrap().status, 303);
    };
    let forward = |millis: u64| {
        let (status, answer) =
            running.admin("PUT", "/_/worlds/default/clock", &json!({ "advance_ms": millis }));
        assert_eq!(status, 200, "{answer}");
    };
    // All of that in one moment of the world.
    allscale_of(&running, &keys).status(&id);
    act("open");
    allscale_of(&running, &keys).status(&id);
    forward(5_000);
    allscale_of(&running, &keys).status(&id);
    act("pay");
    forward(3_600_000);
    allscale_of(&running, &keys).status(&id);

    let path = format!("/_/worlds/default/timeline?checkout={id}");
    let (status, timeline) = running.admin("GET", &path, &Value::Null);
    assert_eq!(status, 200, "{timeline}");
    let kinds = kinds(&timeline);
    let (before, after) = kinds.split_at(8);
    assert_eq!(
        before,
        [
            "request 1",
            "status 1 CREATED",
            "request 2",
            "status 2 VIEWED",
            "request 3",
            "clock 5",
            "request 4",
            "status 10 ON_CHAIN",
        ],
        "{kinds:?}"
    );
    let (last, between) = after.split_last().unwrap();
    assert_eq!((&*between[0], &**last), ("clock 3605", "request 5"), "{kinds:?}");
    assert_eq!(between[1], "status 20 CONFIRMED", "{kinds:?}");
    assert!(between[2..].iter().all(|kind| kind == "webhook 404") && between.len() >= 4, "{kinds:?}");
    let times: Vec<i64> = timeline["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .map(|of| of["at_unix_ms"].as_i64().unwrap())
        .collect();
    assert!(times.is_sorted(), "{times:?}");

    // The latest two, and the two before.
    let part = |query: &str| {
        let (status, part) = running.admin("GET", &format!("{path}&{query}"), &Value::Null);
        assert_eq!(status, 200, "{part}");
        part
    };
    let all = timeline["timeline"].as_array().unwrap();
    let (two, older) = (part("limit=2"), part("limit=2&skip=2"));
    assert_eq!(two["timeline"].as_array().unwrap(), &all[all.len() - 2..]);
    assert_eq!(older["timeline"].as_array().unwrap(), &all[all.len() - 4..all.len() - 2]);
    assert_eq!((&two["count"], &two["older"]), (&json!(all.len()), &json!(all.len() - 2)));
    for (query, status) in [("", 400), ("?checkout=none", 404), ("?checkout=a&limit=0", 400)] {
        let path = format!("/_/worlds/default/timeline{query}");
        assert_eq!(running.admin("GET", &path, &Value::Null).0, status, "{query}");
    }
}
