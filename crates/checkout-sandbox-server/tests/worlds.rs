//! Worlds and their clocks.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use checkout_sandbox::allscale::Scenario;
use checkout_sandbox_server::{Keys, Server};
use common::{AllScale, Running, admin, create_v2, initiate, peach_status, status_v2, submit, token};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::thread;

const START_MS: u64 = 1_800_000_000_000;

fn at_start<'a>(running: &Running, keys: &'a Keys) -> AllScale<'a> {
    AllScale { addr: running.addr(), prefix: "", keys, unix_seconds: START_MS / 1_000 }
}

/// A frozen world.
fn frozen(running: &Running, name: &str) -> Keys {
    running.new_world(&json!({ "name": name, "seed": 7, "clock": { "pace": "frozen", "unix_ms": START_MS } }))
}

fn orders(running: &Running, world: &str) -> Vec<String> {
    let (status, list) = running.admin("GET", &format!("/_/worlds/{world}/checkouts"), &Value::Null);
    assert_eq!(status, 200);
    let all = list["checkouts"].as_array().unwrap().iter();
    all.map(|checkout| checkout["order"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_world_tells_its_keys_addresses_and_clock() {
    let running = Running::start(Server::builder());
    let settings = json!({ "name": "a", "seed": 7, "clock": { "pace": "frozen", "unix_ms": START_MS } });
    let (status, world) = running.admin("POST", "/_/worlds", &settings);
    assert_eq!((status, &world["name"], &world["seed"]), (201, &json!("a"), &json!(7)));
    assert_eq!(world["clock"], json!({ "pace": "frozen", "unix_ms": START_MS }));
    assert_eq!(world["allscale"]["api_key"], "st_sandbox_key_a");
    assert_eq!(world["url"], format!("http://{}", running.addr()));
    assert_eq!(running.admin("GET", "/_/worlds/a", &Value::Null), (200, world));
    // Without a name and a body as well.
    let (status, unnamed) = running.admin("POST", "/_/worlds", &Value::Null);
    assert_eq!((status, &unnamed["name"], &unnamed["clock"]["pace"]), (201, &json!("w1"), &json!("real")));
    let (_, list) = running.admin("GET", "/_/worlds", &Value::Null);
    let names: Vec<_> =
        list["worlds"].as_array().unwrap().iter().map(|world| world["name"].clone()).collect();
    assert_eq!(names, ["a", "default", "w1"]);
    assert_eq!(running.admin("DELETE", "/_/worlds/a", &Value::Null).0, 204);
    assert_eq!(running.admin("GET", "/_/worlds/a", &Value::Null).0, 404);
    assert_eq!(running.admin("DELETE", "/_/worlds/a", &Value::Null).0, 404);
    assert_eq!(running.admin("DELETE", "/_/worlds/default", &Value::Null).0, 409);
}

#[test]
fn every_wrong_field_is_named() {
    let running = Running::start(Server::builder());
    running.new_world(&json!({ "name": "a" }));
    let (make, clock, scenarios) = ("POST /_/worlds", "PUT /_/worlds/a/clock", "POST /_/worlds/a/scenarios");
    for (route, body, status, field) in [
        (make, json!({ "nam": "b" }), 400, json!("nam")),
        (make, json!({ "name": 1 }), 400, json!("name")),
        (make, json!({ "name": "" }), 400, json!("name")),
        (make, json!({ "name": "A b" }), 400, json!("name")),
        (make, json!({ "name": "a".repeat(33) }), 400, json!("name")),
        (make, json!({ "name": "a" }), 409, json!("name")),
        (make, json!({ "name": "default" }), 409, json!("name")),
        (make, json!({ "seed": -1 }), 400, json!("seed")),
        (make, json!({ "seed": 1.5 }), 400, json!("seed")),
        (make, json!({ "seed": 9_007_199_254_740_992_u64 }), 400, json!("seed")),
        (make, json!({ "seed": "1" }), 400, json!("seed")),
        (make, json!({ "clock": "frozen" }), 400, json!("clock")),
        (make, json!({ "clock": { "pace": "slow" } }), 400, json!("clock.pace")),
        (make, json!({ "clock": { "advance_ms": 1 } }), 400, json!("clock.advance_ms")),
        (make, json!({ "clock": { "unix_ms": 253_402_300_800_000_u64 } }), 400, json!("clock.unix_ms")),
        (make, json!([]), 400, Value::Null),
        (clock, json!({}), 400, Value::Null),
        (clock, json!({ "pace": "times" }), 400, json!("times")),
        (clock, json!({ "pace": "real", "times": 2 }), 400, json!("times")),
        (clock, json!({ "times": 2 }), 400, json!("times")),
        (clock, json!({ "pace": "times", "times": 0 }), 400, json!("times")),
        (clock, json!({ "pace": "times", "times": 1_000_001 }), 400, json!("times")),
        (clock, json!({ "unix_ms": 0 }), 409, json!("unix_ms")),
        (clock, json!({ "advance_ms": -1 }), 400, json!("advance_ms")),
        (clock, json!({ "advance_ms": 253_402_300_799_999_u64 }), 409, json!("advance_ms")),
        (clock, json!({ "advance_ms": 1, "unix_ms": START_MS }), 400, json!("advance_ms")),
        (clock, json!({ "speed": 2 }), 400, json!("speed")),
        (clock, json!({ "advance": "now" }), 400, json!("advance")),
        (clock, json!({ "advance": 1 }), 400, json!("advance")),
        (clock, json!({ "advance": "idle", "unix_ms": START_MS }), 400, json!("advance")),
        (clock, json!({ "advance": "next", "advance_ms": 1 }), 400, json!("advance")),
        (scenarios, json!({ "provider": "stripe", "scenario": "happy" }), 400, json!("provider")),
        (scenarios, json!({ "scenario": "happy" }), 400, json!("provider")),
        (scenarios, json!({ "provider": "peach", "scenario": "underpaid" }), 400, json!("scenario")),
        (scenarios, json!({ "provider": "peach" }), 400, json!("scenario")),
        ("POST /_/worlds/a/reset", json!({ "seed": 1 }), 400, json!("seed")),
        ("POST /_/worlds/b/reset", Value::Null, 404, Value::Null),
        ("PUT /_/worlds/b/clock", json!({ "pace": "real" }), 404, Value::Null),
        ("GET /_/worlds/b/checkouts", Value::Null, 404, Value::Null),
        ("GET /_/nothing", Value::Null, 404, Value::Null),
        ("PATCH /_/worlds", Value::Null, 405, Value::Null),
    ] {
        let (method, path) = route.split_once(' ').unwrap();
        let (got, refusal) = running.admin(method, path, &body);
        assert_eq!((got, &refusal["error"]["field"]), (status, &field), "{route} {body} {refusal}");
        assert!(refusal["error"]["message"].as_str().is_some_and(|message| !message.is_empty()), "{refusal}");
    }
    for body in ["{", "nul", "{\"seed\":1}x", "\u{0}", &"[".repeat(100_000)] {
        assert_eq!(admin(running.addr(), "POST", "/_/worlds", body).0, 400);
    }
    assert_eq!(running.admin("GET", "/_/worlds", &Value::Null).1["worlds"].as_array().unwrap().len(), 2);
}

#[test]
fn the_seed_of_every_world_is_a_number_that_javascript_reads_exactly() {
    let running = Running::start(Server::builder());
    for number in 0..50 {
        running.new_world(&json!({ "name": format!("seeds-{number}") }));
    }
    running.new_world(&json!({ "name": "greatest", "seed": 9_007_199_254_740_991_u64 }));
    let (_, list) = running.admin("GET", "/_/worlds", &Value::Null);
    for world in list["worlds"].as_array().unwrap() {
        let seed = world["seed"].as_u64().unwrap();
        // 2^53 - 1 is the last number that a double of JavaScript holds with all numbers before it.
        assert!(seed <= 9_007_199_254_740_991, "{world}");
    }
}

#[test]
fn a_step_of_no_time_is_possible_beyond_the_year_9999() {
    let running = Running::start(Server::builder());
    let last = 253_402_300_799_999_u64;
    running.new_world(&json!({ "name": "late", "clock": { "pace": "frozen", "unix_ms": last } }));
    let world = running.get().world("late").unwrap();
    world.advance(std::time::Duration::from_secs(1));
    let set = |body: &Value| running.admin("PUT", "/_/worlds/late/clock", body);
    let (status, clock) = set(&json!({ "advance_ms": 0 }));
    assert_eq!((status, clock["unix_ms"].as_u64()), (200, Some(last + 1_000)));
    assert_eq!(set(&json!({ "advance_ms": 1 })).0, 409);
}

#[test]
fn the_keys_choose_the_world_on_every_route() {
    let running = Running::start(Server::builder());
    let addr = running.addr();
    let worlds = ["a", "b"].map(|name| (name, frozen(&running, name)));
    let mut seen = BTreeSet::new();
    for (name, keys) in &worlds {
        let order = |of: &str| format!("{of}-order-{name}");
        let shop = at_start(&running, keys);
        seen.insert(shop.new_intent(&order("allscale")));
        assert_eq!(submit(addr, "", keys, &order("azotte")).status, 202);
        assert_eq!(initiate(addr, "", keys, &order("v1")).status, 201);
        assert_eq!(peach_status(addr, "", keys, &order("v1")).status, 200);
        let access = token(addr, "", keys).json()["access_token"].as_str().unwrap().to_owned();
        let created = create_v2(addr, "", keys, &access, &order("v2")).json();
        let id = created["checkoutId"].as_str().unwrap().to_owned();
        let status = status_v2(addr, "", &access, &id).json();
        assert_eq!(status["merchantTransactionId"], order("v2"));
        seen.extend([access, id]);
        assert_eq!(orders(&running, name), ["allscale", "azotte", "v1", "v2"].map(order));
    }
    // Neither a token nor an id of one world is one of the other's, though the seed is the same.
    assert_eq!(seen.len(), 6);
    assert!(orders(&running, "default").is_empty());
    // A stranger's key, and the entity of one world with the token of the other.
    let [(_, a), (_, b)] = &worlds;
    let mut mixed = a.clone();
    mixed.azotte_api_key = b.azotte_api_key.clone();
    assert_eq!(submit(addr, "", &mixed, "mixed").status, 401);
    let access = token(addr, "", a).json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(create_v2(addr, "", b, &access, "mixed-order").status, 400);
}

#[test]
fn a_token_of_the_default_world_leads_there_with_another_world_s_entity() {
    let running = Running::start(Server::builder());
    let addr = running.addr();
    let published = running.get().default_world().keys().clone();
    let access = token(addr, "", &published).json()["access_token"].as_str().unwrap().to_owned();
    // The other world comes after the token.
    let other = frozen(&running, "a");
    let refused = create_v2(addr, "", &other, &access, "order-0001");
    assert_eq!(refused.json()["message"], "The entity is not the merchant's.", "{refused:?}");
    assert_eq!(create_v2(addr, "", &published, &access, "order-0001").status, 200);
    // A token that no request of V1 needs says nothing about a request of V1.
    let of_other = token(addr, "", &other).json()["access_token"].as_str().unwrap().to_owned();
    let authorization = format!("Bearer {of_other}");
    let headers = [("authorization", &*authorization)];
    let query = format!("/status?authentication.entityId={}", published.peach_entity_id);
    let refused = common::send(addr, "GET", &query, &headers, b"").unwrap();
    assert_eq!(refused.json()["message"], "The signature is invalid.", "{refused:?}");
}

#[test]
fn a_hundred_worlds_in_parallel_do_not_meet() {
    let running = Running::start(Server::builder());
    let worlds: Vec<_> = (0..100).map(|number| (number, frozen(&running, &format!("p{number}")))).collect();
    let names = Scenario::NAMES;
    thread::scope(|scope| {
        for chunk in worlds.chunks(25) {
            let running = &running;
            scope.spawn(move || {
                for round in 0..2 {
                    for (number, keys) in chunk {
                        let scenario = names[number % names.len()];
                        let path = format!("/_/worlds/p{number}/scenarios");
                        let next = json!({ "provider": "allscale", "scenario": scenario });
                        assert_eq!(running.admin("POST", &path, &next).0, 200);
                        let shop = at_start(running, keys);
                        shop.new_intent(&format!("p{number}-{round}"));
                        assert_eq!(
                            submit(running.addr(), "", keys, &format!("p{number}-{round}")).status,
                            202
                        );
                    }
                }
            });
        }
    });
    for (number, _) in &worlds {
        let (_, list) = running.admin("GET", &format!("/_/worlds/p{number}/checkouts"), &Value::Null);
        let list = list["checkouts"].as_array().unwrap().clone();
        let order = |at: usize| list[at]["order"].as_str().unwrap().to_owned();
        let expected = [0, 1, 0, 1].map(|round| format!("p{number}-{round}"));
        assert_eq!([0, 1, 2, 3].map(order), expected);
        assert!(list[..2].iter().all(|intent| intent["scenario"] == names[number % names.len()]));
    }
}

#[test]
fn one_of_a_hundred_parallel_creates_of_a_name_makes_the_world() {
    let running = Running::start(Server::builder());
    let made = thread::scope(|scope| {
        let make = || running.admin("POST", "/_/worlds", &json!({ "name": "a" })).0;
        let threads: Vec<_> = (0..100).map(|_| scope.spawn(make)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).filter(|status| *status == 201).count()
    });
    assert_eq!(made, 1);
}

/// All that two worlds answer to the same requests.
///
/// The addresses of the payer's pages are below the public URL, and the ports of two runs differ.
fn transcript(seed: u64) -> Vec<String> {
    let running = Running::start(Server::builder().public_url("http://localhost:4700"));
    let settings = json!({ "name": "a", "seed": seed, "clock": { "pace": "frozen", "unix_ms": START_MS } });
    let keys = running.new_world(&settings);
    let shop = at_start(&running, &keys);
    let created = shop
        .send_signed(
            "POST",
            "/v1/checkout_intents/",
            r#"{"currency":1,"amount_cents":1000,"order_id":"o"}"#,
            "n-1",
        )
        .unwrap();
    let id = created.json()["payload"]["allscale_checkout_intent_id"].as_str().unwrap().to_owned();
    let read = || shop.send("GET", &format!("/v1/checkout_intents/{id}"), "").unwrap().body;
    let clock = |settings| running.admin("PUT", "/_/worlds/a/clock", &settings).1.to_string();
    vec![
        created.whole(),
        submit(running.addr(), "", &keys, "o").whole(),
        token(running.addr(), "", &keys).whole(),
        clock(json!({ "advance_ms": 45_000 })),
        shop.send("GET", &format!("/v1/checkout_intents/{id}/status"), "").unwrap().body.replace("req_", ""),
        read(),
        running.admin("GET", "/_/worlds/a/checkouts", &Value::Null).1.to_string(),
    ]
}

#[test]
fn a_frozen_world_answers_the_same_bytes_in_every_run() {
    assert_eq!(transcript(7), transcript(7));
    assert_ne!(transcript(7), transcript(8));
}

#[test]
fn a_frozen_clock_stands_still_and_a_step_moves_it() {
    let running = Running::start(Server::builder());
    let keys = frozen(&running, "a");
    let shop = at_start(&running, &keys);
    running.admin(
        "POST",
        "/_/worlds/a/scenarios",
        &json!({ "provider": "allscale", "scenario": "underpaid" }),
    );
    let id = shop.new_intent("o");
    let put = |settings: Value| running.admin("PUT", "/_/worlds/a/clock", &settings);
    let clock = |passed: u64| (200, json!({ "pace": "frozen", "unix_ms": START_MS + passed }));
    assert_eq!(running.admin("GET", "/_/worlds/a/clock", &Value::Null), clock(0));
    // An answer to a step lists the changes and the webhooks of the time that has passed.
    let stepped = |passed, changes: &[(u64, &str)]| {
        let (status, mut json) = clock(passed);
        let change = |&(after, to): &(u64, &str)| json!({ "provider": "allscale", "id": id, "unix_ms": START_MS + after, "status": to });
        json["changes"] = changes.iter().map(change).collect();
        json["webhooks"] = json!([]);
        (status, json)
    };
    let (status, first) = put(json!({ "advance": "next" }));
    let passed = first["unix_ms"].as_u64().unwrap() - START_MS;
    assert_eq!((status, first), stepped(passed, &[(passed, "VIEWED")]));
    let (_, rest) = put(json!({ "advance_ms": 3_600_000 - passed }));
    let seen: Vec<_> = rest["changes"].as_array().unwrap().iter().map(|change| &change["status"]).collect();
    assert_eq!(seen.last(), Some(&&json!("UNDERPAID")), "{seen:?}");
    assert_eq!(put(json!({ "unix_ms": START_MS + 3_600_001 })), stepped(3_600_001, &[]));
    assert_eq!(put(json!({ "unix_ms": START_MS })).0, 409);
    let (_, list) = running.admin("GET", "/_/worlds/a/checkouts", &Value::Null);
    assert_eq!(
        (&list["checkouts"][0]["id"], &list["checkouts"][0]["status"]),
        (&json!(id), &json!("UNDERPAID"))
    );
    // The world's time, and not the machine's, decides on a signature's time and stands in the answer's Date.
    assert_eq!(shop.create("late").unwrap().json()["code"], 20002);
    let later = AllScale { unix_seconds: START_MS / 1_000 + 3_600, ..shop };
    let created = later.create("in-time").unwrap();
    assert!(created.head.contains("date: Fri, 15 Jan 2027 09:00:00 GMT"), "{created:?}");
    // An answer without a world has no time at all.
    let ready = common::send(running.addr(), "GET", "/_/ready", &[], b"").unwrap();
    assert!(!ready.head.to_ascii_lowercase().contains("\r\ndate:"), "{ready:?}");
    // The other world's time is its own.
    let (_, other) = running.admin("GET", "/_/worlds/default/clock", &Value::Null);
    assert_eq!(other["pace"], "real");
}

#[test]
fn a_fast_clock_never_goes_back() {
    let running = Running::start(Server::builder());
    frozen(&running, "a");
    let put = |settings: Value| running.admin("PUT", "/_/worlds/a/clock", &settings).1;
    assert_eq!(put(json!({ "pace": "times", "times": 1_000_000 }))["times"], 1_000_000);
    let mut last = START_MS;
    for _ in 0..50 {
        let now = running.admin("GET", "/_/worlds/a/clock", &Value::Null).1["unix_ms"].as_u64().unwrap();
        assert!(now >= last);
        last = now;
    }
    let real = put(json!({ "pace": "real" }));
    assert!(real["unix_ms"].as_u64().unwrap() >= last);
    assert_eq!((real["pace"].as_str(), real.get("times")), (Some("real"), None));
}

#[test]
fn a_reset_begins_again_with_the_same_ids() {
    let running = Running::start(Server::builder());
    let keys = frozen(&running, "a");
    let shop = at_start(&running, &keys);
    let first = shop.new_intent("o");
    let access = token(running.addr(), "", &keys).json()["access_token"].as_str().unwrap().to_owned();
    running.admin("PUT", "/_/worlds/a/clock", &json!({ "pace": "real" }));
    running.admin(
        "POST",
        "/_/worlds/a/scenarios",
        &json!({ "provider": "allscale", "scenario": "underpaid" }),
    );
    let (status, world) = running.admin("POST", "/_/worlds/a/reset", &Value::Null);
    assert_eq!((status, &world["clock"]), (200, &json!({ "pace": "frozen", "unix_ms": START_MS })));
    assert!(orders(&running, "a").is_empty());
    assert_eq!(status_v2(running.addr(), "", &access, "c").status, 401);
    assert_eq!(shop.new_intent("o"), first);
    let (_, list) = running.admin("GET", "/_/worlds/a/checkouts", &Value::Null);
    assert_eq!(list["checkouts"][0]["scenario"], "happy");
}

#[test]
fn a_thousand_worlds_are_made_and_taken_away() {
    let running = Running::start(Server::builder());
    let keys: Vec<_> = (0..1_000).map(|_| running.new_world(&Value::Null)).collect();
    let api_keys: BTreeSet<_> = keys.iter().map(|keys| keys.allscale_api_key.clone()).collect();
    assert_eq!(api_keys.len(), 1_000);
    let (_, list) = running.admin("GET", "/_/worlds", &Value::Null);
    for world in list["worlds"].as_array().unwrap().iter().filter(|world| world["name"] != "default") {
        assert_eq!(
            running
                .admin("DELETE", &format!("/_/worlds/{}", world["name"].as_str().unwrap()), &Value::Null)
                .0,
            204
        );
    }
    assert_eq!(running.admin("GET", "/_/worlds", &Value::Null).1["worlds"].as_array().unwrap().len(), 1);
}

#[test]
fn a_made_up_name_never_comes_again() {
    let running = Running::start(Server::builder());
    let made = || {
        let (status, world) = running.admin("POST", "/_/worlds", &Value::Null);
        assert_eq!(status, 201);
        world["name"].as_str().unwrap().to_owned()
    };
    let first = made();
    assert_eq!(running.admin("DELETE", &format!("/_/worlds/{first}"), &Value::Null).0, 204);
    assert_ne!(made(), first);
}
