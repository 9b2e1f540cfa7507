//! The pages over a socket: the payer's page of each provider, and the dashboard.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use checkout_sandbox::{azotte, peach};
use checkout_sandbox_server::{Keys, Server};
use checkout_tables::Moment;
use common::{AllScale, Answer, Running, initiate, peach_status, send, submit};
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

fn get(addr: SocketAddr, path: &str) -> Answer {
    send(addr, "GET", path, &[("accept", "text/html")], b"").unwrap()
}

fn post(addr: SocketAddr, path: &str, form: &str) -> Answer {
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    send(addr, "POST", path, &headers, form.as_bytes()).unwrap()
}

/// The path of an address of the server.
fn path_of<'a>(running: &Running, url: &'a str) -> &'a str {
    let path = url.strip_prefix(running.get().urls().root());
    path.unwrap_or_else(|| panic!("{url} is no address of the server"))
}

fn intent(running: &Running, keys: &Keys, fields: Value) -> (String, String) {
    let mut body = json!({ "currency": 1, "amount_cents": 1234, "order_id": "order-1" });
    body.as_object_mut().unwrap().extend(fields.as_object().cloned().unwrap_or_default());
    let shop = allscale_of(running, keys);
    let created = shop.send("POST", "/v1/checkout_intents/", &body.to_string()).unwrap().json();
    let payload = &created["payload"];
    let url = payload["checkout_url"].as_str().unwrap();
    let id = payload["allscale_checkout_intent_id"].as_str().unwrap();
    (path_of(running, url).to_owned(), id.to_owned())
}

/// The values of an attribute, in order.
fn attributes(html: &str, name: &str) -> Vec<String> {
    let begin = format!(" {name}=\"");
    html.split(&begin).skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

fn acts(html: &str) -> Vec<String> {
    let ids = attributes(html, "data-testid").into_iter();
    ids.filter_map(|id| id.strip_prefix("act-").map(str::to_owned)).collect()
}

#[track_caller]
fn acted(addr: SocketAddr, path: &str, form: &str) {
    let answer = post(addr, path, form);
    assert_eq!(answer.status, 303, "{form}: {answer:?}");
    assert!(answer.head.contains(&format!("location: {path}")), "{form}: {answer:?}");
}

/// The page has controls with names, leads to no other host, and is small.
#[track_caller]
fn is_well_made(page: &Answer) {
    assert!(page.head.contains("text/html; charset=utf-8"), "{}", page.head);
    assert!(page.head.contains("content-security-policy: default-src 'none'"), "{}", page.head);
    let html = &page.body;
    assert!(html.len() <= 100 * 1024, "{} bytes", html.len());
    for tag in html.split('<').filter(|tag| {
        tag.starts_with("button")
            || tag.starts_with("select")
            || tag.starts_with("a ")
            || (tag.starts_with("input") && !tag.contains("hidden"))
    }) {
        assert!(tag.contains("data-testid=\"") || tag.starts_with("a href"), "{tag}");
    }
    for name in ["href", "src", "action", "data-events"] {
        for value in attributes(html, name) {
            assert!(value.starts_with('/') || value == "data:,", "{name}={value}");
        }
    }
    for id in attributes(html, "for") {
        assert!(attributes(html, "id").contains(&id), "no control has the label's id {id}");
    }
    assert!(html.contains("<html lang=\"en\">") && html.contains("<h1>"), "{html}");
    assert!(!html.contains(" style=") && !html.contains("<style"), "the policy allows no style in the page");
}

#[test]
fn a_payer_pays_an_intent_of_allscale_on_the_page() {
    let running = frozen();
    let (addr, keys) = (running.addr(), published(&running));
    let (path, id) = intent(&running, &keys, json!({}));
    assert_eq!(path, format!("/_/pay/default/allscale/{id}"));
    let page = get(addr, &path);
    assert_eq!(page.status, 200);
    is_well_made(&page);
    for part in
        ["12.34 USD (12.3400 USDT)", "order-1", "1 CREATED", "2027-01-15 08:00:00 UTC</time>, stands still"]
    {
        assert!(page.body.contains(part), "{part}: {}", page.body);
    }
    let all = ["pay", "underpay", "overpay", "open", "cancel", "pay-part"];
    let behind = ["kyt-pass", "kyt-refuse", "kyt-stuck", "expire"];
    assert_eq!(acts(&page.body), [&all[..], &behind, &["fail"]].concat());
    // Nothing but an act changes the intent.
    assert_eq!(allscale_of(&running, &keys).status(&id).json()["payload"], 1);

    acted(addr, &path, "act=pay");
    assert_eq!(allscale_of(&running, &keys).status(&id).json()["payload"], 10);
    running.get().default_world().advance(Duration::from_secs(30));
    assert_eq!(allscale_of(&running, &keys).status(&id).json()["payload"], 20);
    let paid = get(addr, &path);
    assert!(paid.body.contains("Confirmed: paid"), "{}", paid.body);
    assert!(acts(&paid.body).is_empty(), "{}", paid.body);

    for act in ["pay", "cancel", "expire", "kyt-pass"] {
        let refused = post(addr, &path, &format!("act={act}"));
        assert_eq!(refused.status, 409, "{refused:?}");
        assert!(refused.body.contains("role=\"alert\""), "{refused:?}");
        is_well_made(&refused);
    }
    assert_eq!(allscale_of(&running, &keys).status(&id).json()["payload"], 20);
}

#[test]
fn every_act_of_allscale_leads_to_its_status() {
    let running = frozen();
    let (addr, keys) = (running.addr(), published(&running));
    // The acts one after another, and the seconds after each act, with the status in the end.
    let table: &[(&[(&str, u64)], i64)] = &[
        (&[("open", 0)], 2),
        (&[("open", 1_800)], -5),
        (&[("cancel", 0), ("pay", 30)], 20),
        (&[("cancel", 0)], -4),
        (&[("expire", 0)], -5),
        (&[("fail", 0)], -1),
        (&[("underpay", 0)], 10),
        (&[("underpay", 330)], -3),
        (&[("overpay", 30)], 20),
        (&[("kyt-pass", 0)], 3),
        (&[("kyt-pass", 70)], 20),
        (&[("kyt-refuse", 340)], -2),
        (&[("kyt-stuck", 900)], 4),
        (&[("kyt-stuck", 0), ("kyt-stuck", 0), ("kyt-refuse", 300)], -2),
        (&[("kyt-stuck", 900), ("kyt-pass", 30)], 20),
        (&[("status&status=6", 0)], 6),
        (&[("pay-part&permille=1", 30)], 5),
    ];
    for (acts, expected) in table {
        let (path, id) = intent(&running, &keys, json!({}));
        for (act, seconds) in *acts {
            acted(addr, &path, &format!("act={act}"));
            running.get().default_world().advance(Duration::from_secs(*seconds));
        }
        let status = allscale_of(&running, &keys).status(&id).json();
        assert_eq!(status["payload"], *expected, "{acts:?}");
    }
}

#[test]
fn a_payer_passes_and_fails_the_challenges_of_azotte() {
    let running = frozen();
    let (addr, keys) = (running.addr(), published(&running));
    let sandbox = running.get().default_world().azotte();
    let table = [
        ("three_ds_at_once", "approve", 5, "CHECK_OUT_DONE"),
        ("three_ds_at_once", "fail", 0, "CHECK_OUT_FAILED"),
        ("three_ds_at_once", "decline", 0, "CHECK_OUT_FAILED"),
        ("three_ds_at_once", "leave", 86_400, "CHECK_OUT_3DS_REQUIRED"),
        ("three_ds_html", "approve", 5, "CHECK_OUT_DONE"),
    ];
    for (number, (scenario, act, seconds, expected)) in table.into_iter().enumerate() {
        sandbox.next_checkout(azotte::Scenario::by_name(scenario).unwrap().browser_never_returns());
        let order = format!("order-{number}");
        let mut submitted = submit(addr, "", &keys, &order).json();
        if submitted["redirectInstructions"].is_null() {
            running.get().default_world().advance(Duration::from_secs(5));
            submitted = submit(addr, "", &keys, &order).json();
        }
        let redirect = &submitted["redirectInstructions"];
        let form = redirect["htmlContent"].as_str().unwrap_or_default();
        let action = attributes(form, "action");
        let url = redirect["redirectUrl"].as_str().or(action.first().map(String::as_str)).unwrap();
        let path = path_of(&running, url);
        // The form of the shop's page sends the payer here from a foreign host, with a field of its own.
        let headers = [("origin", "https://shop.example")];
        let opened = send(addr, "POST", path, &headers, b"creq=abc").unwrap();
        assert_eq!(opened.status, 200, "{opened:?}");
        is_well_made(&opened);
        assert_eq!(acts(&opened.body), ["approve", "fail", "leave", "decline"]);
        let by = if form.is_empty() { "by a redirect" } else { "by a form of HTML" };
        assert!(opened.body.contains(by), "{}", opened.body);

        acted(addr, path, &format!("act={act}"));
        running.get().default_world().advance(Duration::from_secs(seconds));
        let read = submit(addr, "", &keys, &order).json();
        assert_eq!(read["status"]["messageCode"], expected, "{act}");
        if act != "leave" {
            assert_eq!(post(addr, path, "act=approve").status, 409);
        }
    }
}

#[test]
fn a_payer_pays_and_cancels_checkouts_of_peach_and_comes_back_signed() {
    let running = frozen();
    let (addr, keys) = (running.addr(), published(&running));
    running.get().default_world().peach().next_checkout(peach::Scenario::never_opened());
    let table: [(&[&str], &str); 7] = [
        (&["pay"], "000.100.110"),
        (&["cancel"], "100.396.101"),
        (&["leave"], "000.200.100"),
        (&["decline"], "800.100.151"),
        (&["decline", "decline", "pay"], "000.100.110"),
        (&["expire", "pay"], "000.100.110"),
        (&["pending", "review", "pay", "charge-back"], "000.100.200"),
    ];
    for (number, (names, code)) in table.into_iter().enumerate() {
        running.get().default_world().advance(Duration::from_secs(60));
        let order = format!("order-{number}");
        let created = initiate(addr, "", &keys, &order).json();
        let path = path_of(&running, created["redirectUrl"].as_str().unwrap()).to_owned();
        let page = get(addr, &path);
        is_well_made(&page);
        assert!(page.body.contains("10.00 ZAR"), "{}", page.body);
        assert_eq!(&acts(&page.body)[..4], ["pay", "decline", "leave", "cancel"]);
        for act in names {
            acted(addr, &path, &format!("act={act}"));
        }
        let status = peach_status(addr, "", &keys, &order).json();
        assert_eq!(status["result.code"], code, "{names:?}");
        let over = get(addr, &path);
        let returns = over.body.contains("action=\"https://shop.example/done\"");
        assert_eq!(returns, names != ["leave"], "{}", over.body);
        assert_eq!(over.body.contains("name=\"signature\""), returns, "{}", over.body);
        if code == "000.100.110" {
            for act in ["pay", "cancel", "decline", "leave", "expire"] {
                let refused = post(addr, &path, &format!("act={act}"));
                assert_eq!(refused.status, 409, "{act}: {refused:?}");
            }
            assert_eq!(get(addr, &path).body, over.body);
        }
    }
}

#[test]
fn the_way_back_to_the_shop_is_a_link_that_is_no_script() {
    let running = frozen();
    let (addr, keys) = (running.addr(), published(&running));
    for (url, shown) in [("https://shop.example/back?a=1&b=2", true), ("javascript:alert(1)", false)] {
        let (path, _) = intent(&running, &keys, json!({ "redirect_url": url }));
        let html = get(addr, &path).body;
        let escaped = format!("href=\"{}\"", url.replace('&', "&amp;"));
        assert_eq!(html.contains(&escaped), shown, "{html}");
        assert_eq!(attributes(&html, "data-testid").contains(&"return".to_owned()), shown, "{html}");
    }
}

#[test]
fn wrong_acts_and_wrong_paths_change_nothing_and_say_so() {
    let running = frozen();
    let (addr, keys) = (running.addr(), published(&running));
    let (path, id) = intent(&running, &keys, json!({}));
    for form in
        ["act=", "act=steal", "act=status&status=x", "act=status", "act=pay&permille=-1", "act=pay-part"]
    {
        let refused = post(addr, &path, form);
        assert_eq!(refused.status, 400, "{form}: {refused:?}");
        assert!(refused.body.contains("role=\"alert\""), "{refused:?}");
    }
    assert_eq!(post(addr, &path, "act=pay&permille=0").status, 409);
    assert_eq!(post(addr, &path, "").status, 200);
    for wrong in [
        "/_/pay/default/allscale/nobodys".to_owned(),
        format!("/_/pay/nowhere/allscale/{id}"),
        format!("/_/pay/default/stripe/{id}"),
        format!("/_/pay/default/peach/{id}"),
        format!("/_/board/default/azotte/{id}"),
        "/_/board/nowhere".to_owned(),
    ] {
        assert_eq!(get(addr, &wrong).status, 404, "{wrong}");
        if wrong.starts_with("/_/pay/") {
            assert_eq!(post(addr, &wrong, "act=pay").status, 404, "{wrong}");
        }
    }
    for origin in ["https://evil.example", "null"] {
        let headers = [("origin", origin), ("content-type", "application/x-www-form-urlencoded")];
        assert_eq!(send(addr, "POST", &path, &headers, b"act=pay").unwrap().status, 403);
        assert_eq!(send(addr, "POST", "/_/board/default/reset", &headers, b"").unwrap().status, 403);
    }
    let own = format!("http://{addr}");
    assert_eq!(allscale_of(&running, &keys).status(&id).json()["payload"], 1);
    assert_eq!(send(addr, "POST", &path, &[("origin", &*own)], b"act=pay").unwrap().status, 303);
}

#[test]
fn a_text_of_a_request_is_text_on_every_page() {
    let running = frozen();
    let (addr, keys) = (running.addr(), published(&running));
    let order = "\"'><script>alert(1)</script>";
    let (path, id) = intent(&running, &keys, json!({ "order_id": order }));
    let search = "/_/board/default?q=%22%3E%3Cscript%3Ealert(1)";
    for path in [&*path, "/_/board/default", &format!("/_/board/default/allscale/{id}"), search] {
        let page = get(addr, path);
        assert_eq!(page.status, 200, "{path}");
        is_well_made(&page);
        assert!(!page.body.contains("<script>alert"), "{path}: {}", page.body);
        assert!(page.body.contains("&lt;script&gt;alert(1)"), "{path}: {}", page.body);
    }
}

#[test]
fn the_dashboard_lists_and_finds_checkouts_of_all_providers() {
    let running = frozen();
    let (addr, keys) = (running.addr(), published(&running));
    for number in 0..120 {
        assert_eq!(submit(addr, "", &keys, &format!("number-{number}")).status, 202);
    }
    running.get().default_world().advance(Duration::from_secs(90));
    intent(&running, &keys, json!({}));
    initiate(addr, "", &keys, "peaches-1");

    let worlds = get(addr, "/_/");
    is_well_made(&worlds);
    assert!(worlds.body.contains("href=\"/_/board/default\""), "{}", worlds.body);
    // A program that names no type gets JSON, as before.
    assert!(send(addr, "GET", "/_/", &[], b"").unwrap().json()["admin_url"].is_string());

    let rows = |page: &Answer| page.body.matches("data-testid=\"checkout\"").count();
    let first = get(addr, "/_/board/default");
    is_well_made(&first);
    assert_eq!(rows(&first), 100);
    assert!(first.body.contains("122 of 122 checkouts"), "{}", first.body);
    let place = |text| first.body.find(text).unwrap();
    assert!(place("order-1") < place("number-119") && place("number-119") < place("number-118"));
    let next = attributes(&first.body, "href").into_iter().find(|href| href.contains("page=2")).unwrap();
    let second = get(addr, &next.replace("&amp;", "&"));
    assert_eq!((rows(&second), second.body.contains("rel=\"next\"")), (22, false));
    assert_eq!(rows(&get(addr, "/_/board/default?page=9999999999999")), 0);

    for (query, found) in [("peaches-1", 1), ("PEACH", 1), ("confirmed", 0), ("number-11", 11), ("", 100)] {
        assert_eq!(rows(&get(addr, &format!("/_/board/default?q={query}"))), found, "{query}");
    }
}

#[test]
fn a_click_on_the_dashboard_acts_and_comes_back_to_the_history() {
    let running = frozen();
    let (addr, keys) = (running.addr(), published(&running));
    let (path, id) = intent(&running, &keys, json!({}));
    let board = format!("/_/board/default/allscale/{id}");
    let answer = post(addr, &path, "act=cancel&from=board");
    assert!(answer.head.contains(&format!("location: {board}")), "{answer:?}");
    running.get().default_world().advance(Duration::from_secs(60));
    acted(addr, &path, "act=pay");
    let page = get(addr, &board);
    is_well_made(&page);
    let history = page.body.split("data-testid=\"history\"").nth(1).unwrap();
    let history = history.split("</ol>").next().unwrap();
    let steps = ["1 CREATED", "2 VIEWED", "-4 CANCELED", "08:01:00 UTC", "10 ON_CHAIN"];
    let places: Vec<_> = steps.iter().map(|step| history.find(step).unwrap()).collect();
    assert!(places.is_sorted(), "{history}");
    let command = format!("curl -d act=fail http://{addr}{path}");
    assert!(page.body.contains(&command), "{}", page.body);
    for secret in [&keys.allscale_api_secret, &keys.peach_secret_token, &keys.azotte_api_key] {
        assert!(!page.body.contains(secret.as_str()));
    }
}

#[test]
fn the_history_has_every_status_though_the_clock_stands_still() {
    let running = frozen();
    let (addr, keys) = (running.addr(), published(&running));
    let world = running.get().default_world();
    world.azotte().next_checkout(azotte::Scenario::three_ds_at_once());
    let challenged = submit(addr, "", &keys, "order-1").json();
    let azotte = path_of(&running, challenged["redirectInstructions"]["redirectUrl"].as_str().unwrap());
    let created = initiate(addr, "", &keys, "order-2").json();
    let peach = path_of(&running, created["redirectUrl"].as_str().unwrap());
    acted(addr, azotte, "act=approve");
    acted(addr, peach, "act=decline");
    world.advance(Duration::from_secs(5));
    acted(addr, peach, "act=pay");
    let table: [(&str, &[&str]); 2] = [
        (azotte, &["CHECK_OUT_3DS_REQUIRED", "CHECK_OUT_PROCESSING", "CHECK_OUT_DONE"]),
        (peach, &["700.400.580", "000.200.100", "800.100.151", "000.100.110"]),
    ];
    for (path, expected) in table {
        let page = get(addr, &path.replace("/pay/", "/board/"));
        let history = page.body.split("data-testid=\"history\"").nth(1).unwrap();
        let codes = history.split("<code>").skip(1).map(|rest| rest.split('<').next().unwrap());
        let codes: Vec<_> = codes.take(expected.len()).collect();
        assert_eq!(codes, expected, "{path}");
        assert_eq!(history.split("</ol>").next().unwrap().matches("<li>").count(), expected.len());
    }
}

#[test]
fn the_dashboard_sets_the_clock_the_scenario_and_a_fault() {
    let running = frozen();
    let (addr, keys) = (running.addr(), published(&running));
    let world = running.get().default_world();
    let done = |path: &str, form: &str| {
        let answer = post(addr, &format!("/_/board/default/{path}"), form);
        assert_eq!(answer.status, 303, "{path} {form}: {answer:?}");
    };
    let refused = |path: &str, form: &str| {
        let answer = post(addr, &format!("/_/board/default/{path}"), form);
        assert_eq!(answer.status, 400, "{path} {form}: {answer:?}");
        assert!(answer.body.contains("role=\"alert\""), "{answer:?}");
    };
    refused("clock", "do=next");
    done("scenario", "scenario=allscale%3Acanceled");
    let (_, id) = intent(&running, &keys, json!({}));
    done("clock", "do=next");
    assert_eq!(world.now().saturating_since(START), Duration::from_secs(5));
    done("clock", "do=advance&by=1&unit=min");
    assert_eq!(world.now().saturating_since(START), Duration::from_secs(65));
    assert_eq!(allscale_of(&running, &keys).status(&id).json()["payload"], -4);
    for form in ["", "do=stop", "do=times", "do=times&times=0", "do=advance", "do=advance&by=1&unit=y"] {
        refused("clock", form);
    }
    refused("clock", "do=advance&by=18446744073709551615&unit=d");
    for form in ["scenario=happy", "scenario=allscale:nope", "scenario=stripe:happy", ""] {
        refused("scenario", form);
    }
    refused("fault", "fault=azotte:nope");
    done("fault", "fault=azotte:internal_error");
    assert!(get(addr, "/_/board/default").body.contains("Faults that wait for a request: 1"));
    assert_eq!(submit(addr, "", &keys, "order-2").status, 500);
    for (form, pace) in
        [("do=times&times=60", "at 60 times"), ("do=real", "at the machine"), ("do=freeze", "still")]
    {
        done("clock", form);
        assert!(get(addr, "/_/board/default").body.contains(pace), "{form}");
    }
    done("reset", "");
    assert!(get(addr, "/_/board/default").body.contains("0 of 0 checkouts"));
}

#[test]
fn every_scenario_and_every_fault_of_the_lists_is_taken() {
    let running = frozen();
    let html = get(running.addr(), "/_/board/default").body;
    let values = attributes(&html, "value");
    let named: Vec<_> = values.iter().filter(|value| value.contains(':')).collect();
    assert!(named.len() > 100, "{named:?}");
    let begin = named.iter().rposition(|value| **value == "allscale:lost_before").unwrap();
    for (number, value) in named.iter().enumerate() {
        let field = if number < begin { "scenario" } else { "fault" };
        // The words of a fault end with the names of its values in brackets.
        let (_, words) = html.rsplit_once(&format!("value=\"{value}\">")).unwrap();
        let words = words.split('<').next().unwrap();
        let names = words.split_once('(').map_or("", |(_, names)| names.trim_end_matches(')'));
        let values: Vec<_> = names.split(", ").filter(|name| !name.is_empty()).collect();
        let values: String = values.iter().map(|name| format!("{name}%3D7%3B")).collect();
        let form = format!("{field}={value}&values={values}");
        let answer = post(running.addr(), &format!("/_/board/default/{field}"), &form);
        assert_eq!(answer.status, 303, "{value} {values}");
    }
}

#[test]
fn below_a_public_url_every_address_has_its_path() {
    let running = Running::start(Server::builder().frozen_at(START).public_url("https://dev.example/pay"));
    let (addr, keys) = (running.addr(), published(&running));
    let (path, id) = intent(&running, &keys, json!({}));
    assert_eq!(path, format!("/_/pay/default/allscale/{id}"));
    for path in [path.clone(), format!("/pay{path}"), "/pay/_/board/default".to_owned()] {
        let page = get(addr, &path);
        assert_eq!(page.status, 200, "{path}");
        for name in ["href", "src", "action"] {
            for value in attributes(&page.body, name) {
                assert!(value.starts_with("/pay/_/") || value == "data:,", "{value}");
            }
        }
    }
    let answer = post(addr, &path, "act=pay");
    assert!(answer.head.contains(&format!("location: /pay{path}")), "{answer:?}");
}

#[test]
fn a_page_of_a_world_of_its_own_acts_in_that_world() {
    let running = frozen();
    let keys = running
        .new_world(&json!({ "name": "a", "clock": { "pace": "frozen", "unix_ms": 1_800_000_000_000_u64 } }));
    let (path, id) = intent(&running, &keys, json!({}));
    assert_eq!(path, format!("/_/pay/a/allscale/{id}"));
    acted(running.addr(), &path, "act=cancel");
    assert_eq!(get(running.addr(), &path.replace("/a/", "/default/")).status, 404);
    running.admin("POST", "/_/worlds/a/reset", &Value::Null);
    assert_eq!(get(running.addr(), &path).status, 404);
    let (again, _) = intent(&running, &keys, json!({}));
    assert_eq!(again, path);
}

/// Reads from a connection until a text has come.
fn read_until(stream: &mut TcpStream, text: &str) -> String {
    let (mut read, mut buffer) = (String::new(), [0; 1024]);
    while !read.contains(text) {
        let length = stream.read(&mut buffer).unwrap();
        assert_ne!(length, 0, "the connection ended without {text}: {read}");
        read.push_str(std::str::from_utf8(&buffer[..length]).unwrap());
    }
    read
}

#[test]
fn an_event_tells_each_change_and_the_server_ends_though_somebody_listens() {
    let running = frozen();
    let (addr, keys) = (running.addr(), published(&running));
    let mut stream = common::connect(addr);
    write!(stream, "GET /_/events HTTP/1.1\r\nhost: {addr}\r\n\r\n").unwrap();
    let head = read_until(&mut stream, "retry: 1000\ndata: open\n\n");
    assert!(head.contains("content-type: text/event-stream"), "{head}");
    let (path, _) = intent(&running, &keys, json!({}));
    read_until(&mut stream, "data: changed");
    acted(addr, &path, "act=cancel");
    read_until(&mut stream, "data: changed");
    // Time alone: the step of the scenario comes at the machine's pace, a thousand times as fast.
    running.get().default_world().azotte().next_checkout(azotte::Scenario::slow());
    submit(addr, "", &keys, "order-1");
    read_until(&mut stream, "data: changed");
    post(addr, "/_/board/default/clock", "do=times&times=1000");
    read_until(&mut stream, "data: time");
    running.shutdown();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
}
