//! A seed file: the start plays the file, and a reset plays the part of a world again.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use checkout_sandbox_server::{Builder, Server};
use common::{AllScale, Running, submit};
use serde_json::{Value, json};
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

const START_MS: u64 = 1_800_000_000_000;

/// A path in the folder for tests, which no other test has, without a file.
fn path(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("seed-{name}-{}", std::process::id()));
    remove(&path);
    path
}

fn remove(path: &Path) {
    for end in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(format!("{}{end}", path.display()));
    }
}

/// The address in the answers is the same in every run.
fn server(seed_file: &Value) -> Builder {
    Server::builder().public_url("http://localhost:4700").seed_requests(seed_file.to_string())
}

fn frozen(name: &str) -> Value {
    let clock = json!({ "pace": "frozen", "unix_ms": START_MS });
    json!({ "post": "/_/worlds", "body": { "name": name, "seed": 7, "clock": clock } })
}

/// A file with every route that has a place. Nobody listens at the endpoint.
fn every_route() -> Value {
    json!({ "requests": [
        frozen("a"),
        { "post": "/_/worlds/a/endpoints", "body": { "provider": "allscale", "url": "http://127.0.0.1:1/" } },
        { "put": "/_/worlds/a/clock", "body": { "pace": "frozen", "skew_ms": 60_000 } },
        { "post": "/_/worlds/a/faults", "body": { "provider": "peach", "fault": "garbage" } },
        { "delete": "/_/worlds/a/faults" },
        { "post": "/_/worlds/a/faults", "body": { "provider": "azotte", "fault": "html_bad_gateway", "nth": 2 } },
        { "put": "/_/worlds/a/autopay", "body": { "after_ms": 1 } },
        { "delete": "/_/worlds/a/autopay" },
        { "put": "/_/worlds/a/autopay", "body": { "after_ms": 2000 } },
        { "post": "/_/worlds/a/scenarios", "body": { "provider": "allscale", "scenario": "underpaid" } },
        { "post": "/_/worlds/a/webhooks/faults", "body": { "fault": "drop" } },
    ] })
}

fn get(running: &Running, path: &str) -> Value {
    let (status, answer) = running.admin("GET", path, &Value::Null);
    assert_eq!(status, 200, "{path} {answer}");
    answer
}

fn reset(running: &Running, world: &str) {
    assert_eq!(running.admin("POST", &format!("/_/worlds/{world}/reset"), &Value::Null).0, 200);
}

/// All that a client sees of the world `a` from its beginning, with two creates and their webhook.
fn play(running: &Running) -> Vec<Value> {
    let keys = running.get().world("a").unwrap().keys().clone();
    let mut seen: Vec<_> =
        ["", "/clock", "/autopay", "/faults"].map(|rest| get(running, &format!("/_/worlds/a{rest}"))).into();
    // The providers' clocks are a minute ahead.
    let seconds = START_MS / 1_000 + 60;
    let shop = AllScale { addr: running.addr(), prefix: "", keys: &keys, unix_seconds: seconds };
    seen.extend(["o-1", "o-2"].map(|order| shop.new_intent(order).into()));
    seen.extend(["o-1", "o-2"].map(|order| json!(submit(running.addr(), "", &keys, order).body)));
    seen.push(get(running, "/_/worlds/a/checkouts"));
    let (status, step) = running.admin("PUT", "/_/worlds/a/clock", &json!({ "advance": "idle" }));
    assert_eq!(status, 200);
    seen.push(step);
    seen.push(get(running, "/_/worlds/a/webhooks"));
    seen
}

#[test]
fn the_start_plays_every_request() {
    let running = Running::start(server(&every_route()));
    let seen = play(&running);
    assert_eq!(seen[1], json!({ "pace": "frozen", "unix_ms": START_MS, "skew_ms": 60_000 }));
    assert_eq!(seen[2], json!({ "after_ms": 2000 }));
    let faults = seen[3]["faults"].as_array().unwrap();
    assert_eq!(
        (faults.len(), &faults[0]["fault"], &faults[0]["nth"]),
        (1, &json!("html_bad_gateway"), &json!(2))
    );
    let is_json = |text: &Value| serde_json::from_str::<Value>(text.as_str().unwrap()).is_ok();
    assert_eq!((is_json(&seen[6]), is_json(&seen[7])), (true, false));
    let checkouts = seen[8]["checkouts"].as_array().unwrap();
    let scenarios: Vec<_> = checkouts.iter().map(|checkout| checkout["scenario"].as_str().unwrap()).collect();
    assert_eq!(scenarios.iter().filter(|scenario| **scenario == "underpaid").count(), 1, "{scenarios:?}");
    assert_eq!(seen[10]["webhooks"][0]["deliveries"][0]["state"], "dropped");
    // The default world has no part in the file.
    assert_eq!(get(&running, "/_/worlds/default/faults"), json!({ "faults": [] }));
}

#[test]
fn keys_and_ids_are_the_same_in_each_run_and_those_of_a_world_made_by_hand() {
    let first = play(&Running::start(server(&every_route())));
    let second = play(&Running::start(server(&every_route())));
    assert_eq!(first, second);
    let by_hand = Running::start(server(&json!({ "requests": [] })));
    for request in every_route()["requests"].as_array().unwrap() {
        let method = ["post", "put", "delete"].into_iter().find(|of| request.get(of).is_some()).unwrap();
        let path = request[method].as_str().unwrap();
        let (status, answer) = by_hand.admin(&method.to_uppercase(), path, &request["body"]);
        assert!(status < 300, "{request} {answer}");
    }
    assert_eq!(play(&by_hand), first);
}

#[test]
fn a_reset_brings_the_world_back_to_the_seed_file() {
    let running = Running::start(server(&every_route()));
    let first = play(&running);
    let admin = |method, rest, body| running.admin(method, &format!("/_/worlds/a{rest}"), &body).0;
    assert_eq!(admin("PUT", "/clock", json!({ "pace": "times", "times": 60 })), 200);
    assert_eq!(admin("DELETE", "/autopay", Value::Null), 200);
    assert_eq!(admin("DELETE", "/faults", Value::Null), 204);
    reset(&running, "a");
    // A number of a fault does not come again.
    let without_number = |mut seen: Vec<Value>| {
        seen[3]["faults"][0].as_object_mut().unwrap().remove("number");
        seen
    };
    assert_eq!(without_number(play(&running)), without_number(first.clone()));
    // A reset by Rust does the same, and so does a reset by the dashboard.
    running.get().world("a").unwrap().reset();
    assert_eq!(without_number(play(&running)), without_number(first.clone()));
    assert_eq!(running.admin("POST", "/_/board/a/reset", &Value::Null).0, 303);
    assert_eq!(without_number(play(&running)), without_number(first));
}

#[test]
fn a_reset_leaves_endpoints_as_they_are() {
    let receiver = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hooks", receiver.local_addr().unwrap());
    // The probe gets no answer but the end of the connection.
    drop(receiver);
    let endpoint = |provider: &str| json!({ "post": "/_/worlds/default/endpoints", "body": { "provider": provider, "url": url } });
    let running = Running::start(server(&json!({ "requests": [endpoint("allscale"), endpoint("peach")] })));
    let before = get(&running, "/_/worlds/default/endpoints");
    assert_eq!(before["endpoints"].as_array().unwrap().len(), 2);
    reset(&running, "default");
    assert_eq!(get(&running, "/_/worlds/default/endpoints"), before);
    assert_eq!(running.admin("DELETE", "/_/worlds/default/endpoints/1", &Value::Null).0, 204);
    reset(&running, "default");
    assert_eq!(get(&running, "/_/worlds/default/endpoints")["endpoints"].as_array().unwrap().len(), 1);
}

#[test]
fn a_seed_file_may_name_a_host_that_is_allowed() {
    let endpoint = json!({ "provider": "allscale", "url": "http://shop.example/hooks", "enabled": false });
    let file = json!({ "requests": [{ "post": "/_/worlds/default/endpoints", "body": endpoint }] });
    let refused = Running::try_start(server(&file)).err().unwrap().to_string();
    assert!(refused.contains("request 1, post /_/worlds/default/endpoints: url "), "{refused}");
    Running::start(server(&file).allow_target("shop.example"));
}

#[test]
fn a_rule_of_an_option_and_of_the_file_come_again_in_this_order() {
    let rule = |fault: &str| json!({ "provider": "allscale", "fault": fault });
    let add = json!({ "post": "/_/worlds/default/faults", "body": rule("garbage") });
    let clear = json!({ "delete": "/_/worlds/default/faults" });
    for (requests, expected) in
        [(vec![add.clone()], vec!["truncated", "garbage"]), (vec![clear, add], vec!["garbage"])]
    {
        let running = Running::start(server(&json!({ "requests": requests })).fault("allscale:truncated"));
        for _ in 0..2 {
            let faults = get(&running, "/_/worlds/default/faults");
            let names: Vec<_> = faults["faults"].as_array().unwrap().iter().map(|of| &of["fault"]).collect();
            assert_eq!(names, expected);
            reset(&running, "default");
        }
    }
}

#[test]
fn another_world_has_no_part_in_the_file() {
    let running = Running::start(server(&every_route()));
    let faults = |world: &str| get(&running, &format!("/_/worlds/{world}/faults"))["faults"].clone();
    let seeded = running.get().world("a").unwrap();
    assert_eq!(running.admin("POST", "/_/worlds/a/fork", &json!({ "name": "b" })).0, 201);
    assert_eq!(faults("b").as_array().unwrap().len(), 1);
    reset(&running, "b");
    assert_eq!(faults("b"), json!([]));
    // A world that takes the name of a world that is gone.
    assert_eq!(running.admin("DELETE", "/_/worlds/a", &Value::Null).0, 204);
    running.new_world(&json!({ "name": "a" }));
    reset(&running, "a");
    seeded.reset();
    assert_eq!(faults("a"), json!([]));
}

#[test]
fn a_refused_request_is_named_with_the_server_s_own_refusal() {
    let world = frozen("a");
    for (request, expected) in [
        (
            json!({ "put": "/_/worlds/b/autopay", "body": { "after_ms": 1 } }),
            "put /_/worlds/b/autopay: no world has",
        ),
        (frozen("a"), "post /_/worlds: name another world has this name"),
        (
            json!({ "post": "/_/worlds", "body": { "clock": { "pace": "x" } } }),
            "post /_/worlds: clock.pace has to be real",
        ),
        (
            json!({ "post": "/_/worlds/a/scenarios", "body": { "provider": "peach", "scenario": "x" } }),
            "post /_/worlds/a/scenarios: scenario has to be one of happy",
        ),
        (
            json!({ "post": "/_/worlds/a/endpoints", "body": {
                "provider": "peach", "url": "http://127.0.0.1:1/", "secret": "s3cr3t s3cr3t", "event": 1 } }),
            "post /_/worlds/a/endpoints: event no such field",
        ),
    ] {
        let file = json!({ "requests": [world.clone(), request] });
        let refused = Running::try_start(server(&file)).err().unwrap().to_string();
        assert!(refused.starts_with(&format!("seed file: request 2, {expected}")), "{refused}");
        assert!(!refused.contains("s3cr3t"));
    }
    assert!(!format!("{:?}", server(&every_route())).contains("worlds"));
}

#[test]
fn a_data_file_has_the_seed_file_once() {
    let path = path("data");
    let start = |file: &Value| Running::start(server(file).data(&path));
    let running = start(&every_route());
    let first = play(&running);
    running.shutdown();
    // Neither does a restart play the file again, nor does another file count.
    let running = start(&json!({ "requests": [frozen("a"), frozen("b")] }));
    assert!(running.get().world("b").is_none());
    assert_eq!(get(&running, "/_/worlds/a/checkouts")["checkouts"].as_array().unwrap().len(), 4);
    reset(&running, "a");
    let again = play(&running);
    assert_eq!((&again[1], &again[2], &again[4..]), (&first[1], &first[2], &first[4..]));
    let look =
        |running: &Running| ["checkouts", "webhooks"].map(|of| get(running, &format!("/_/worlds/a/{of}")));
    let before = look(&running);
    running.shutdown();
    // The reset is in the file too, with the requests of the seed file that the reset has played.
    let running = start(&json!({ "requests": [] }));
    assert_eq!(look(&running), before);
    running.get().world("a").unwrap().reset();
    assert_eq!(play(&running)[4..], first[4..]);
    running.shutdown();
    remove(&path);
}

#[test]
fn a_data_file_stays_new_when_the_seed_file_is_refused() {
    let path = path("refused");
    let mut file = every_route();
    let wrong = json!({ "put": "/_/worlds/nowhere/autopay", "body": { "after_ms": 1 } });
    file["requests"].as_array_mut().unwrap().push(wrong);
    assert!(Running::try_start(server(&file).data(&path)).is_err());
    let running = Running::start(server(&every_route()).data(&path));
    let first = play(&running);
    running.shutdown();
    assert_eq!(first, play_without(&path), "the data file itself is told");
    remove(&path);
}

/// The same start without the data file, with the place of the state of the data file.
fn play_without(path: &Path) -> Vec<Value> {
    let mut seen = play(&Running::start(server(&every_route())));
    seen[0]["state"] = path.display().to_string().into();
    seen
}
