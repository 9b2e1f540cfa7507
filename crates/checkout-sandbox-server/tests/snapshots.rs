//! Snapshots of a world, and copies of a world.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use checkout_sandbox_server::{Keys, Server};
use common::{AllScale, Running, initiate, peach_status, status_v2, submit, token};
use serde_json::{Value, json};

const START_MS: u64 = 1_800_000_000_000;

/// The address in the answers is the same in every run.
fn start() -> Running {
    Running::start(Server::builder().public_url("http://localhost:4700"))
}

fn frozen(running: &Running) -> Keys {
    let clock = json!({ "pace": "frozen", "unix_ms": START_MS });
    running.new_world(&json!({ "name": "a", "seed": 7, "clock": clock }))
}

fn post(running: &Running, path: &str, body: &Value) -> (u16, Value) {
    running.admin("POST", &format!("/_/worlds/a{path}"), body)
}

fn advance(running: &Running, world: &str, seconds: u64) {
    let body = json!({ "advance_ms": seconds * 1_000 });
    assert_eq!(running.admin("PUT", &format!("/_/worlds/{world}/clock"), &body).0, 200);
}

/// An intent made with this nonce: the whole answer, and the id.
fn create(running: &Running, keys: &Keys, seconds: u64, nonce: &str) -> (String, String) {
    let shop = AllScale { addr: running.addr(), prefix: "", keys, unix_seconds: START_MS / 1_000 + seconds };
    let body = json!({ "currency": 1, "amount_cents": 1000, "order_id": nonce }).to_string();
    let created = shop.send_signed("POST", "/v1/checkout_intents/", &body, nonce).unwrap();
    let id = created.json()["payload"]["allscale_checkout_intent_id"].as_str().unwrap().to_owned();
    (created.whole(), id)
}

/// Everything that the admin routes show of a world.
fn shown(running: &Running, world: &str) -> Vec<Value> {
    let get = |path: &str| running.admin("GET", &format!("/_/worlds/{world}{path}"), &Value::Null).1;
    ["/clock", "/checkouts", "/webhooks", "/endpoints", "/events"].map(get).to_vec()
}

/// The first half of a story, which ends at second 60. The receiver of the webhooks is away.
fn first_half(running: &Running, keys: &Keys) -> String {
    let endpoint = json!({ "provider": "allscale", "url": "http://127.0.0.1:9/hooks" });
    assert_eq!(post(running, "/endpoints", &endpoint).0, 201);
    let (_, id) = create(running, keys, 0, "first");
    assert_eq!(submit(running.addr(), "", keys, "order-1").status, 202);
    advance(running, "a", 60);
    let scenario = json!({ "provider": "allscale", "scenario": "underpaid" });
    assert_eq!(post(running, "/scenarios", &scenario).0, 200);
    assert_eq!(post(running, "/webhooks/faults", &json!({ "fault": "drop" })).0, 200);
    id
}

/// The rest of the story, with everything that shows.
fn second_half(running: &Running, keys: &Keys) -> Vec<String> {
    let (created, _) = create(running, keys, 60, "second");
    let (other, _) = create(running, keys, 60, "third");
    let checkout = submit(running.addr(), "", keys, "order-2").whole();
    advance(running, "a", 7_200);
    let shown = without_times_taken(shown(running, "a"));
    vec![created, other, checkout, token(running.addr(), "", keys).body, shown]
}

/// The milliseconds that an attempt takes are the machine's, and so are the words of an error.
fn without_times_taken(mut shown: Vec<Value>) -> String {
    fn clean(value: &mut Value) {
        match value {
            Value::Object(members) => {
                members.remove("took_ms");
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
fn a_restored_world_goes_on_as_the_world_that_never_strayed() {
    let expected = {
        let twin = start();
        let keys = frozen(&twin);
        first_half(&twin, &keys);
        second_half(&twin, &keys)
    };
    let running = start();
    let keys = frozen(&running);
    let id = first_half(&running, &keys);
    let handle = running.get().world("a").unwrap().allscale();
    let before = shown(&running, "a");
    let (status, snapshot) = post(&running, "/snapshots", &json!({ "name": "half" }));
    assert_eq!((status, snapshot), (201, json!({ "name": "half", "unix_ms": START_MS + 60_000 })));
    for stray in 0..2 {
        create(&running, &keys, 60, "stray");
        let act = format!("act=pay&of={stray}");
        let path = format!("/_/pay/a/allscale/{id}");
        let _ = common::send(running.addr(), "POST", &path, &[], act.as_bytes());
        assert_eq!(running.admin("DELETE", "/_/worlds/a/endpoints", &Value::Null).0, 204);
        advance(&running, "a", 86_400);
        let _ = post(&running, "/reset", &Value::Null);
        assert_eq!(running.admin("PUT", "/_/worlds/a/clock", &json!({ "pace": "real" })).0, 200);
        let (status, world) = post(&running, "/snapshots/half/restore", &Value::Null);
        assert_eq!((status, &world["name"]), (200, &json!("a")));
        assert_eq!(shown(&running, "a"), before);
    }
    assert_eq!(second_half(&running, &keys), expected);
    assert_eq!(handle.intents().len(), 3);
    let (_, list) = running.admin("GET", "/_/worlds/a/snapshots", &Value::Null);
    assert_eq!(list, json!({ "snapshots": [{ "name": "half", "unix_ms": START_MS + 60_000 }] }));
    assert_eq!(running.admin("DELETE", "/_/worlds/a/snapshots/half", &Value::Null).0, 204);
    assert_eq!(post(&running, "/snapshots/half/restore", &Value::Null).0, 404);
}

#[test]
fn a_fork_has_everything_under_keys_of_its_own() {
    let running = start();
    let keys = frozen(&running);
    let addr = running.addr();
    let id = first_half(&running, &keys);
    assert_eq!(initiate(addr, "", &keys, "peach-order").status, 201);
    let before = shown(&running, "a");
    let (status, world) = post(&running, "/fork", &json!({ "name": "b" }));
    assert_eq!((status, &world["name"], &world["seed"]), (201, &json!("b"), &json!(7)));
    assert_eq!(shown(&running, "b"), before);
    let copy = running.get().world("b").unwrap();
    let of_copy = copy.keys().clone();
    assert_ne!(of_copy, keys);
    let seconds = START_MS / 1_000 + 60;
    let status = |keys: &Keys| {
        AllScale { addr, prefix: "", keys, unix_seconds: seconds }.status(&id).json()["code"].clone()
    };
    assert_eq!((status(&keys), status(&of_copy)), (json!(0), json!(0)));
    assert_eq!(
        peach_status(addr, "", &of_copy, "peach-order").json()["merchantTransactionId"],
        "peach-order"
    );
    assert_eq!(copy.peach().checkouts()[0].entity_id, of_copy.peach_entity_id);
    assert_eq!(copy.azotte().checkouts()[0].tenant, of_copy.azotte_x_tn);
    // The address of the payer's page names the copy.
    let page = common::send(addr, "GET", &format!("/_/pay/b/allscale/{id}"), &[], b"").unwrap();
    assert_eq!(page.status, 200);
    // Nothing that happens in the one shows in the other.
    let shown_of_copy = shown(&running, "b");
    create(&running, &keys, 60, "later");
    advance(&running, "a", 3_600);
    assert_eq!(shown(&running, "b"), shown_of_copy);
    // A reset of the copy is to the beginning, under the copy's keys.
    assert_eq!(running.admin("POST", "/_/worlds/b/reset", &Value::Null).0, 200);
    assert!(copy.allscale().intents().is_empty() && copy.now().unix_millis() == 1_800_000_000_000);
    create(&running, &of_copy, 0, "first-again");
    // A name is made up for whoever has none.
    assert_eq!(post(&running, "/fork", &Value::Null).1["name"], "w1");
}

#[test]
fn a_token_comes_back_with_the_snapshot_that_knows_the_token() {
    let running = start();
    let keys = frozen(&running);
    let addr = running.addr();
    let new_token = || token(addr, "", &keys).json()["access_token"].as_str().unwrap().to_owned();
    let access = new_token();
    let known = || status_v2(addr, "", &access, "c").status;
    assert_eq!(known(), 404);
    assert_eq!(post(&running, "/snapshots", &json!({ "name": "s" })).0, 201);
    assert_eq!(post(&running, "/reset", &Value::Null).0, 200);
    assert_eq!(known(), 401);
    let other = AllScale { addr, prefix: "", keys: &keys, unix_seconds: START_MS / 1_000 };
    other.new_intent("in between");
    advance(&running, "a", 1_000_000);
    new_token();
    assert_eq!(post(&running, "/snapshots/s/restore", &Value::Null).0, 200);
    assert_eq!(known(), 404);
}

#[test]
fn a_wrong_snapshot_is_refused() {
    let running = start();
    frozen(&running);
    for (path, body, status, field) in [
        ("/snapshots", json!({}), 400, json!("name")),
        ("/snapshots", json!({ "name": 1 }), 400, json!("name")),
        ("/snapshots", json!({ "name": "A b" }), 400, json!("name")),
        ("/snapshots", json!({ "name": "" }), 400, json!("name")),
        ("/snapshots", json!({ "name": "s", "at": 1 }), 400, json!("at")),
        ("/snapshots", json!({ "name": "s" }), 201, Value::Null),
        ("/snapshots", json!({ "name": "s" }), 409, json!("name")),
        ("/snapshots/s/restore", json!({ "name": "s" }), 400, json!("name")),
        ("/snapshots/t/restore", Value::Null, 404, Value::Null),
        ("/snapshots/%ff/restore", Value::Null, 400, Value::Null),
        ("/fork", json!({ "name": "a" }), 409, json!("name")),
        ("/fork", json!({ "name": "A" }), 400, json!("name")),
        ("/fork", json!({ "seed": 1 }), 400, json!("seed")),
    ] {
        let (got, answer) = post(&running, path, &body);
        assert_eq!((got, &answer["error"]["field"]), (status, &field), "{path} {body} {answer}");
    }
    for (method, path) in [
        ("DELETE", "/_/worlds/a/snapshots/t"),
        ("POST", "/_/worlds/nobody/snapshots"),
        ("POST", "/_/worlds/nobody/snapshots/s/restore"),
        ("POST", "/_/worlds/nobody/fork"),
        ("GET", "/_/worlds/nobody/snapshots"),
    ] {
        let body = if path.ends_with("restore") { Value::Null } else { json!({ "name": "s" }) };
        assert_eq!(running.admin(method, path, &body).0, 404, "{method} {path}");
    }
    for number in 1..100 {
        assert_eq!(post(&running, "/snapshots", &json!({ "name": format!("s{number}") })).0, 201);
    }
    let (status, answer) = post(&running, "/snapshots", &json!({ "name": "s100" }));
    assert_eq!((status, &answer["error"]["field"]), (409, &json!("name")));
}

#[test]
fn a_world_that_is_copied_while_it_works_is_copied_between_two_requests() {
    let running = start();
    let keys = frozen(&running);
    let shop = AllScale { addr: running.addr(), prefix: "", keys: &keys, unix_seconds: START_MS / 1_000 };
    std::thread::scope(|scope| {
        scope.spawn(|| (0..60).for_each(|number| drop(shop.new_intent(&format!("{number}")))));
        let mut last = 0;
        for number in 0..20 {
            assert_eq!(post(&running, "/fork", &json!({ "name": format!("f{number}") })).0, 201);
            let copy = running.get().world(&format!("f{number}")).unwrap();
            let orders: Vec<_> = copy.allscale().intents().into_iter().filter_map(|of| of.order_id).collect();
            let expected: Vec<_> = (0..orders.len()).map(|number| number.to_string()).collect();
            assert!(orders == expected && orders.len() >= last, "{orders:?}");
            last = orders.len();
        }
    });
}

#[test]
fn a_fork_gives_out_no_token_of_the_world_that_it_is_a_copy_of() {
    let running = start();
    let keys = frozen(&running);
    assert_eq!(post(&running, "/fork", &json!({ "name": "b" })).0, 201);
    let own = running.get().world("b").unwrap().keys().clone();
    let token_of =
        |keys: &Keys| token(running.addr(), "", keys).json()["access_token"].as_str().unwrap().to_owned();
    let (of_first, of_fork) = (token_of(&keys), token_of(&own));
    assert_ne!(of_first, of_fork);
    // Each token leads to its own world, whichever came later.
    let create = |keys: &Keys, token: &str| common::create_v2(running.addr(), "", keys, token, "order-0001");
    assert_eq!([create(&keys, &of_first).status, create(&own, &of_fork).status], [200, 200]);
    running.shutdown();
}

#[test]
fn a_snapshot_and_a_fork_have_the_time_after_which_checkouts_are_paid() {
    let running = start();
    let keys = frozen(&running);
    let autopay = |method: &str, world: &str, body: &Value| {
        running.admin(method, &format!("/_/worlds/{world}/autopay"), body).1
    };
    autopay("PUT", "a", &json!({ "after_ms": 2_000 }));
    assert_eq!(post(&running, "/snapshots", &json!({ "name": "paying" })).0, 201);
    assert_eq!(post(&running, "/fork", &json!({ "name": "b" })).0, 201);
    autopay("DELETE", "a", &Value::Null);
    assert_eq!(post(&running, "/snapshots", &json!({ "name": "waiting" })).0, 201);
    // The time that the route tells is the time by which a new checkout is paid.
    let check = |world: &str, keys: &Keys, order: &str, expected: &Value| {
        assert_eq!(&autopay("GET", world, &Value::Null)["after_ms"], expected, "{order}");
        create(&running, keys, 0, order);
        advance(&running, world, 2);
        let (_, list) = running.admin("GET", &format!("/_/worlds/{world}/checkouts"), &Value::Null);
        let list = list["checkouts"].as_array().unwrap();
        let made = list.iter().find(|checkout| checkout["order"] == order).unwrap();
        assert_eq!(made["status"] == "CONFIRMED", !expected.is_null(), "{made}");
    };
    let restore = |name: &str| {
        assert_eq!(post(&running, &format!("/snapshots/{name}/restore"), &Value::Null).0, 200);
    };
    restore("paying");
    check("a", &keys, "restored-paying", &json!(2_000));
    restore("waiting");
    check("a", &keys, "restored-waiting", &Value::Null);
    let own = running.get().world("b").unwrap().keys().clone();
    assert_eq!(running.admin("POST", "/_/worlds/b/reset", &Value::Null).0, 200);
    check("b", &own, "forked", &json!(2_000));
    running.shutdown();
}
