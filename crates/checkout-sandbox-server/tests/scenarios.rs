//! The scenario of a create: by a header, by the order, by the amount, and by itself.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::time::Duration;

use checkout_sandbox_server::{Keys, Server};
use checkout_tables::Moment;
use common::{AllScale, Running, create_v2, initiate, send, submit, token};
use serde_json::{Value, json};

/// 2027-01-15 08:00:00 UTC.
const START: Moment = Moment::from_unix_seconds(1_800_000_000);

fn frozen() -> Running {
    Running::start(Server::builder().frozen_at(START))
}

fn keys(running: &Running) -> Keys {
    running.get().default_world().keys().clone()
}

fn shop<'a>(running: &Running, keys: &'a Keys) -> AllScale<'a> {
    AllScale { addr: running.addr(), prefix: "", keys, unix_seconds: START.unix_seconds().unsigned_abs() }
}

/// Each checkout's order and scenario.
fn scenarios(running: &Running) -> Vec<(String, String)> {
    let (_, list) = running.admin("GET", "/_/worlds/default/checkouts", &Value::Null);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = list["checkouts"].as_array().unwrap().iter();
    all.map(|checkout| (text(&checkout["order"]), text(&checkout["scenario"]))).collect()
}

fn is(order: &str, scenario: &str) -> (String, String) {
    (order.to_owned(), scenario.to_owned())
}

#[test]
fn an_order_chooses_its_scenario_at_every_provider() {
    let running = frozen();
    let (addr, keys) = (running.addr(), keys(&running));
    // Waits for the first checkout of AllScale that chooses no scenario.
    let next = json!({"provider": "allscale", "scenario": "canceled"});
    assert_eq!(running.admin("POST", "/_/worlds/default/scenarios", &next).0, 200);
    let shop = shop(&running, &keys);
    for order in ["sbxcase05-1", "sandbox.late_success.order-7", "order-1", "order-2"] {
        shop.new_intent(order);
    }
    assert_eq!(submit(addr, "", &keys, "sandbox.three_ds_failed.1").status, 202);
    assert_eq!(initiate(addr, "", &keys, "sbxcase03abcdefg").status, 201);
    let access = token(addr, "", &keys).json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(create_v2(addr, "", &keys, &access, "sbxcase11a").status, 200);
    assert_eq!(
        scenarios(&running),
        [
            is("sbxcase05-1", "underpaid"),
            is("sandbox.late_success.order-7", "late_success"),
            is("order-1", "canceled"),
            is("order-2", "happy"),
            is("sandbox.three_ds_failed.1", "three_ds_failed"),
            is("sbxcase03abcdefg", "cancelled"),
            is("sbxcase11a", "charged_back"),
        ]
    );
}

#[test]
fn a_mark_of_no_scenario_is_refused_and_makes_nothing() {
    let running = frozen();
    let keys = keys(&running);
    let answer = shop(&running, &keys).create("sbxcase15").unwrap();
    assert_eq!((answer.status, &answer.json()["error"]["field"]), (400, &json!("order")));
    assert!(answer.body.contains("05 underpaid, 06 overpaid"), "{answer:?}");
    assert!(scenarios(&running).is_empty());
}

#[test]
fn an_amount_chooses_the_scenario() {
    let running = frozen();
    let keys = keys(&running);
    let shop = shop(&running, &keys);
    for (order, cents) in [("order-1", 77_777_708), ("order-2", 77_777_700), ("sbxcase02", 77_777_708)] {
        let body = json!({ "currency": 1, "amount_cents": cents, "order_id": order }).to_string();
        assert_eq!(shop.send("POST", "/v1/checkout_intents/", &body).unwrap().status, 200);
    }
    // The order goes before the amount.
    assert_eq!(
        scenarios(&running),
        [is("order-1", "timeout"), is("order-2", "happy"), is("sbxcase02", "kyt_passed")]
    );
}

#[test]
fn a_header_chooses_the_scenario_before_all_others() {
    let running = frozen();
    let (addr, keys) = (running.addr(), keys(&running));
    let shop = shop(&running, &keys);
    let create = |order: &str, scenario: &str| {
        let body = json!({ "currency": 1, "amount_cents": 1000, "order_id": order }).to_string();
        let more = [("X-Sandbox-Scenario", scenario)];
        shop.send_signed_with("POST", "/v1/checkout_intents/", &body, &format!("n-{order}"), &more).unwrap()
    };
    assert_eq!(create("sbxcase05", "kyt_refused").status, 200);
    let refused = create("order-2", "tea");
    assert_eq!((refused.status, &refused.json()["error"]["field"]), (400, &json!("x-sandbox-scenario")));
    // On any other request the header changes nothing.
    let headers =
        [("x-tn", &*keys.azotte_x_tn), ("x-api-key", &*keys.azotte_api_key), ("x-sandbox-scenario", "slow")];
    let read = send(addr, "GET", "/api/v1/c2a/offer/checkout/trk_1/status", &headers, b"").unwrap();
    assert_eq!(read.status, 404);
    assert_eq!(submit(addr, "", &keys, "order-3").status, 202);
    assert_eq!(scenarios(&running), [is("sbxcase05", "kyt_refused"), is("order-3", "happy")]);
}

#[test]
fn the_table_lists_every_scenario_as_json_and_as_a_page() {
    let running = frozen();
    let (status, table) = running.admin("GET", "/_/scenarios", &Value::Null);
    let rows = table["scenarios"].as_array().unwrap();
    let of = |provider: &str| rows.iter().filter(|row| row["provider"] == provider).count();
    assert_eq!((status, of("allscale"), of("azotte"), of("peach")), (200, 14, 19, 17));
    assert_eq!(rows[4]["scenario"], "underpaid");
    assert_eq!((&rows[4]["order"], &rows[4]["amount"]), (&json!("sbxcase05"), &json!("777777.05")));
    assert_eq!(rows[4]["sentence"], "Paid by half, and sent back.");
    assert_eq!((&rows[14]["scenario"], &rows[14]["amount"]), (&json!("happy"), &Value::Null));
    // The table is true: each order of the table leads to its scenario.
    let keys = keys(&running);
    for row in rows.iter().filter(|row| row["provider"] == "allscale") {
        shop(&running, &keys).new_intent(row["order"].as_str().unwrap());
    }
    for (row, (order, scenario)) in rows.iter().zip(scenarios(&running)) {
        assert_eq!((&row["order"], &row["scenario"]), (&json!(order), &json!(scenario)));
    }
    let page = send(running.addr(), "GET", "/_/scenarios", &[("accept", "text/html")], b"").unwrap();
    for row in rows {
        let sentence = row["sentence"].as_str().unwrap().replace('"', "&quot;");
        assert!(page.body.contains(&sentence), "{row}");
    }
}

#[test]
fn latest_leads_to_the_newest_checkout() {
    let running = frozen();
    let (addr, keys) = (running.addr(), keys(&running));
    let latest = |query: &str| send(addr, "GET", &format!("/_/latest{query}"), &[], b"").unwrap();
    assert_eq!(latest("").status, 404);
    let first = shop(&running, &keys).new_intent("order-1");
    running.get().default_world().advance(Duration::from_secs(1));
    assert_eq!(submit(addr, "", &keys, "order-2").status, 202);
    let azotte = running.get().default_world().azotte().checkouts()[0].tracking_number.clone();
    let leads_to = |query: &str, place: &str| {
        let answer = latest(query);
        assert_eq!(answer.status, 303, "{answer:?}");
        assert!(answer.head.contains(&format!("location: /_/pay/default/{place}\r\n")), "{answer:?}");
    };
    leads_to("", &format!("azotte/{azotte}"));
    leads_to("?world=default&provider=allscale", &format!("allscale/{first}"));
    assert_eq!(latest("?provider=peach").status, 404);
    assert_eq!(latest("?world=nobody").status, 404);
    for wrong in ["?provider=stripe", "?order=1"] {
        assert_eq!(latest(wrong).status, 400, "{wrong}");
    }
}

#[test]
fn autopay_pays_each_new_checkout_for_which_nobody_has_chosen() {
    let running = Running::start(Server::builder().frozen_at(START).autopay(Duration::from_secs(2)));
    let (addr, keys) = (running.addr(), keys(&running));
    let world = running.get().default_world();
    let statuses = || {
        let (_, list) = running.admin("GET", "/_/worlds/default/checkouts", &Value::Null);
        let all = list["checkouts"].as_array().unwrap().iter();
        all.map(|checkout| checkout["status"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    for _ in 0..2 {
        let unix_seconds = world.now().unix_seconds().unsigned_abs();
        let shop = AllScale { unix_seconds, ..shop(&running, &keys) };
        shop.new_intent("order-1");
        shop.new_intent("sandbox.never_paid.2");
        assert_eq!(submit(addr, "", &keys, "order-1").status, 202);
        assert_eq!(initiate(addr, "", &keys, "order-0001").status, 201);
        world.advance(Duration::from_millis(1_999));
        let before = ["CREATED", "CREATED", "CHECK_OUT_PROCESSING", "700.400.580"];
        assert_eq!(statuses(), before);
        world.advance(Duration::from_millis(1));
        assert_eq!(statuses(), ["CONFIRMED", "CREATED", "CHECK_OUT_DONE", "000.100.110"]);
        // A reset changes nothing of autopay.
        assert_eq!(running.admin("POST", "/_/worlds/default/reset", &Value::Null).0, 200);
    }
    let path = "/_/worlds/default/autopay";
    assert_eq!(running.admin("GET", path, &Value::Null), (200, json!({ "after_ms": 2_000 })));
    assert_eq!(running.admin("DELETE", path, &Value::Null), (200, json!({ "after_ms": null })));
    assert_eq!(submit(addr, "", &keys, "order-1").status, 202);
    assert_eq!(scenarios(&running), [is("order-1", "happy")]);
    assert_eq!(running.admin("PUT", path, &json!({ "after_ms": 5 })), (200, json!({ "after_ms": 5 })));
    for wrong in [json!({}), json!({ "after_ms": "2s" }), json!({ "after": 1 })] {
        assert_eq!(running.admin("PUT", path, &wrong).0, 400, "{wrong}");
    }
}
