//! The pages that show the requests: the timeline of a checkout, the page of a request, the latest requests.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use checkout_auth::allscale::{RequestToSign, SigningKey};
use checkout_sandbox::allscale;
use checkout_sandbox_server::{Keys, Server};
use checkout_tables::Moment;
use checkout_transport::BlockingTransport;
use checkout_transport::bytes::Bytes;
use checkout_transport::http::Request;
use common::{AllScale, Answer, Running, initiate, send, submit};
use serde_json::json;

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

/// A page, which is small, leads to no other host, and has no style and no script of its own.
#[track_caller]
fn page(running: &Running, path: &str) -> String {
    let Answer { status, head, body } =
        send(running.addr(), "GET", path, &[("accept", "text/html")], b"").unwrap();
    assert_eq!(status, 200, "{path}: {body}");
    assert!(head.contains("content-security-policy: default-src 'none'"), "{head}");
    assert!(body.len() <= 100 * 1024, "{path}: {} bytes", body.len());
    assert!(!body.contains("<style") && !body.contains(" style="), "{path}");
    assert_eq!(body.matches("<script").count(), 1, "{path}");
    body
}

/// The part of a page between two texts.
#[track_caller]
fn between<'a>(page: &'a str, begin: &str, end: &str) -> &'a str {
    let rest = page.split_once(begin).unwrap_or_else(|| panic!("no {begin} in {page}")).1;
    rest.split_once(end).unwrap_or_else(|| panic!("no {end} after {begin}")).0
}

#[test]
fn the_page_of_a_checkout_has_the_timeline_and_the_lifecycle() {
    let running = frozen();
    let keys = published(&running);
    running.get().default_world().allscale().next_intent(allscale::Scenario::never_paid());
    let shop = allscale_of(&running, &keys);
    let id = shop.new_intent("order-1");
    running.get().default_world().allscale().inject(allscale::Fault::RateLimited);
    assert_eq!(shop.status(&id).status, 429);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let pay = format!("/_/pay/default/allscale/{id}");
    send(running.addr(), "POST", &pay, &form, b"act=open").unwrap();
    let page = page(&running, &format!("/_/board/default/allscale/{id}"));

    let timeline = between(&page, "data-testid=\"timeline\"", "</ol>");
    let places = ["request-1\"", "1 CREATED", "request-2\"", "2 VIEWED"].map(|text| timeline.find(text));
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}: {timeline}");
    assert_eq!(timeline.matches("<details").count(), 2, "{timeline}");
    assert!(timeline.contains("fault rate_limited") && timeline.contains(">429</span>"), "{timeline}");
    assert!(timeline.contains("href=\"/_/board/default/requests/2\""), "{timeline}");
    assert!(timeline.contains("Why was it refused? The fault rate_limited answered"), "{timeline}");
    assert!(timeline.contains("&quot;order_id&quot;:&quot;order-1&quot;"), "{timeline}");

    let life = between(&page, "data-testid=\"lifecycle\"", "</section>");
    assert_eq!(life.matches("<li").count(), 12, "{life}");
    let state = |code: &str| {
        let end = life.find(code).unwrap();
        let begin = life[..end].rfind("<li").unwrap();
        life[begin..].split_once("</li>").unwrap().0.to_owned()
    };
    let created = state("<code>1 CREATED");
    assert!(created.contains("class=\"passed\"") && created.contains("passed, step 1"), "{created}");
    let viewed = state("<code>2 VIEWED");
    assert!(
        viewed.contains("class=\"now\" aria-current=\"step\"") && viewed.contains("now, step 2"),
        "{viewed}"
    );
    let confirmed = state("<code>20 CONFIRMED");
    assert!(!confirmed.contains("class=\"now\"") && !confirmed.contains("step"), "{confirmed}");
}

#[test]
fn a_refused_create_is_found_on_the_board_and_explained() {
    let running = frozen();
    let keys = published(&running);
    let late = AllScale { unix_seconds: 1_799_999_000, ..allscale_of(&running, &keys) };
    assert_eq!(late.create("<b>order</b>").unwrap().status, 401);
    let mut wrong = keys.clone();
    wrong.allscale_api_secret.clone_from(&keys.allscale_api_key);
    assert_eq!(allscale_of(&running, &wrong).create("order-2").unwrap().status, 401);
    let board = page(&running, "/_/board/default");
    let latest = between(&board, "data-live=\"requests\"", "</section>");
    assert_eq!(latest.matches("<tr data-testid=\"request\"").count(), 2, "{latest}");
    assert!(latest.find("requests/2\"").unwrap() < latest.find("requests/1\"").unwrap(), "{latest}");
    assert!(latest.contains("&lt;b&gt;order&lt;/b&gt;") && latest.contains(">401</span>"), "{latest}");

    let first = page(&running, "/_/board/default/requests/1");
    let why = between(&first, "data-testid=\"why\"", "</section>");
    assert!(why.contains("1000 seconds behind the world's time"), "{why}");
    assert!(!first.contains("<b>order"), "{first}");
    assert!(first.contains("data-testid=\"next\"") && !first.contains("data-testid=\"previous\""), "{first}");
    let second = page(&running, "/_/board/default/requests/2");
    let why = between(&second, "data-testid=\"why\"", "</section>");
    assert!(why.contains("The signature is wrong: the API key was taken as the secret."), "{why}");
    let text = between(&second, "data-testid=\"text-to-sign\"", "</pre>");
    assert!(text.starts_with(">POST\n/v1/checkout_intents/\n\n1800000000\nnonce-"), "{text}");
    assert!(second.contains("x-signature: ***") && second.contains("x-api-key: ***_key"), "{second}");
    for path in ["requests/0", "requests/3", "requests/x"] {
        let answer = send(running.addr(), "GET", &format!("/_/board/default/{path}"), &[], b"").unwrap();
        assert_eq!(answer.status, 404, "{path}");
    }
}

#[test]
fn every_provider_s_checkout_has_the_page() {
    let running = frozen();
    let keys = published(&running);
    submit(running.addr(), "", &keys, "order-2");
    assert_eq!(initiate(running.addr(), "", &keys, "order-three").status, 201);
    let world = running.get().default_world();
    let azotte = &world.azotte().checkouts()[0];
    let peach = &world.peach().checkouts()[0];
    for (path, states) in
        [(format!("azotte/{}", azotte.tracking_number), 4), (format!("peach/{}", peach.checkout_id), 9)]
    {
        let page = page(&running, &format!("/_/board/default/{path}"));
        let life = between(&page, "data-testid=\"lifecycle\"", "</section>");
        assert_eq!(life.matches("<li").count(), states, "{life}");
        assert_eq!(life.matches("class=\"now\"").count(), 1, "{life}");
        assert!(between(&page, "data-testid=\"timeline\"", "</ol>").contains("request-"), "{page}");
    }
}

#[test]
fn a_page_stays_small_with_ten_thousand_checkouts_and_a_thousand_requests() {
    let running = frozen();
    let keys = published(&running);
    let sandbox = running.get().default_world().allscale();
    let key = SigningKey::new(&*keys.allscale_api_key, (&*keys.allscale_api_secret).into()).unwrap();
    for number in 0..10_000 {
        let body = json!({ "currency": 1, "amount_cents": 1000, "order_id": format!("order-{number}") });
        let (body, nonce) = (body.to_string(), format!("bulk-{number}"));
        let (method, path, timestamp) =
            ("POST", "/v1/checkout_intents/", START.unix_seconds().unsigned_abs());
        let to_sign =
            RequestToSign { method, path, query: "", timestamp, nonce: &nonce, body: body.as_bytes() };
        let signature = key.sign(&to_sign).unwrap();
        let request = Request::post(format!("https://openapi.allscale.io{path}"))
            .header("x-api-key", &keys.allscale_api_key)
            .header("x-timestamp", timestamp)
            .header("x-nonce", nonce)
            .header("x-signature", signature.as_str());
        let answer = sandbox.send_blocking(request.body(Bytes::from(body)).unwrap()).unwrap();
        assert_eq!(answer.status(), 200);
    }
    let shop = allscale_of(&running, &keys);
    let extra = json!({ "note": "\"<&>\"".repeat(2_000) });
    let body = json!({ "currency": 1, "amount_cents": 1000, "order_id": "order-x", "extra": extra });
    let created = shop.send("POST", "/v1/checkout_intents/", &body.to_string()).unwrap().json();
    let id = created["payload"]["allscale_checkout_intent_id"].as_str().unwrap().to_owned();
    // Bodies whose signs are six bytes each on a page.
    let (status, quotes) = (format!("/v1/checkout_intents/{id}/status"), "\"".repeat(300));
    for number in 0..999 {
        let body = if number < 500 { &*quotes } else { "" };
        assert_eq!(shop.send("GET", &status, body).unwrap().status, 200);
    }
    page(&running, "/_/board/default");
    page(&running, "/_/board/default/requests/1");
    // From the latest things to the first, each once.
    let (path, mut query, mut seen) = (format!("/_/board/default/allscale/{id}"), String::new(), Vec::new());
    let pages = (0..100).take_while(|_| {
        let page = page(&running, &format!("{path}{query}"));
        let timeline = between(&page, "data-testid=\"timeline\"", "</ol>");
        let numbers: Vec<u64> = timeline
            .split("data-testid=\"request-")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap().parse().unwrap())
            .collect();
        assert!((1..=100).contains(&numbers.len()) && numbers.is_sorted(), "{numbers:?}");
        seen.extend(numbers.into_iter().rev());
        let older = page.contains("data-testid=\"older\"");
        if older {
            query = format!("?until={}", between(&page, "?until=", "\""));
        }
        older
    });
    let pages = pages.count() + 1;
    assert_eq!(seen, (1..=1_000).rev().collect::<Vec<u64>>());
    assert!((20..=60).contains(&pages), "{pages}");
}
