//! The verdict on the client: each rule is broken once, and beside it stands the nearest thing that is right.
//! The rules are those of the providers' pages, and the clients are written by hand.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use checkout_sandbox::allscale::{Act, Fault, Kyt, Scenario};
use checkout_sandbox::{azotte, peach};
use checkout_sandbox_server::{Keys, Server, Verdict, World};
use checkout_tables::{allscale as of_allscale, azotte as of_azotte, peach as of_peach};
use common::{AllScale, Answer, Running, initiate, peach_status, send, submit, token};
use serde_json::{Value, json};

/// 2027-01-15 08:00:00 UTC.
const START: u64 = 1_800_000_000;

/// A world that stands still, with a client of every provider.
struct Shop {
    server: Running,
    world: Arc<World>,
    keys: Keys,
}

impl Shop {
    fn open() -> Self {
        let server = Running::start(Server::builder());
        let clock = json!({ "pace": "frozen", "unix_ms": START * 1_000 });
        let keys = server.new_world(&json!({ "name": "w", "clock": clock }));
        let world = server.get().world("w").unwrap();
        world.allscale().next_intent(Scenario::never_paid());
        Self { server, world, keys }
    }

    fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    fn wait(&self, seconds: u64) {
        self.world.advance(Duration::from_secs(seconds));
    }

    /// AllScale's client, at the world's time.
    fn allscale(&self) -> AllScale<'_> {
        let unix_seconds = self.world.now().unix_seconds().unsigned_abs();
        AllScale { addr: self.addr(), prefix: "", keys: &self.keys, unix_seconds }
    }

    /// An intent that nobody pays.
    fn intent(&self, order: &str) -> String {
        self.world.allscale().next_intent(Scenario::never_paid());
        self.allscale().new_intent(order)
    }

    fn act(&self, id: &str, act: Act) {
        self.world.allscale().act(id, act).unwrap();
        self.wait(600);
    }

    /// Peach's checkout that nobody opens.
    fn initiate(&self, order: &str) -> Answer {
        self.world.peach().next_checkout(peach::Scenario::never_opened());
        initiate(self.addr(), "", &self.keys, order)
    }

    fn peach_id(&self, order: &str) -> String {
        self.world.peach().checkout_of(&self.keys.peach_entity_id, order).unwrap().checkout_id
    }

    fn peach_status(&self, order: &str) -> Answer {
        peach_status(self.addr(), "", &self.keys, order)
    }

    /// Azotte's submit, and the tracking number.
    fn submit(&self, order: &str) -> String {
        submit(self.addr(), "", &self.keys, order).json()["trackingNumber"].as_str().unwrap().to_owned()
    }

    fn azotte_status(&self, id: &str) -> Option<Answer> {
        let headers = [("x-tn", &*self.keys.azotte_x_tn), ("x-api-key", &self.keys.azotte_api_key)];
        send(self.addr(), "GET", &format!("/api/v1/c2a/offer/checkout/{id}/status"), &headers, b"")
    }

    fn admin(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        self.server.admin(method, &format!("/_/worlds/w{path}"), body)
    }

    fn release(&self, body: &Value) -> Vec<String> {
        let (status, answer) = self.admin("POST", "/released", body);
        assert_eq!(status, 200, "{answer}");
        let codes = answer["findings"].as_array().unwrap().iter();
        codes.map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
    }

    /// Steps to a moment, with the webhooks of the time.
    fn step(&self, seconds: u64) {
        let (status, clock) = self.admin("PUT", "/clock", &json!({ "advance_ms": seconds * 1_000 }));
        assert_eq!(status, 200, "{clock}");
    }

    /// The codes of the findings now.
    fn codes(&self) -> Vec<String> {
        codes(&self.world.verdict())
    }

    /// The codes of the findings, if the client does nothing any more.
    fn codes_at_end(&self) -> Vec<String> {
        codes(&self.world.verdict_at_end())
    }

    /// The numbers of the events of the only finding.
    fn numbers(&self, code: &str) -> Vec<Option<u64>> {
        let findings = self.world.verdict_at_end().findings;
        let found: Vec<_> = findings.iter().filter(|finding| finding.code == code).collect();
        assert_eq!(found.len(), 1, "{findings:?}");
        found[0].events.iter().map(|event| event.number).collect()
    }

    fn remarks(&self) -> Vec<String> {
        self.world.verdict().remarks.into_iter().map(|remark| remark.code).collect()
    }

    fn again(&self) {
        self.world.reset();
    }
}

fn codes(verdict: &Verdict) -> Vec<String> {
    verdict.findings.iter().map(|finding| finding.code.clone()).collect()
}

const NOTHING: [&str; 0] = [];

/// A receiver that calls `then` for each webhook before the answer, and answers with the status that `then`
/// returns.
fn receiver(then: impl Fn(&str) -> u16 + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let mut length = 0;
            loop {
                let mut line = String::new();
                stream.read_line(&mut line).unwrap();
                if let Some(value) = line.strip_prefix("content-length: ") {
                    length = value.trim().parse().unwrap();
                }
                if line.trim().is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            let status = then(&String::from_utf8(body).unwrap());
            let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n");
            // The sender may have gone.
            let _ = stream.get_mut().write_all(answer.as_bytes());
        }
    });
    format!("http://{addr}/hooks")
}

fn endpoint(shop: &Shop, provider: &str, url: &str) {
    let body = json!({ "provider": provider, "url": url });
    assert_eq!(shop.admin("POST", "/endpoints", &body).0, 201);
}

#[test]
fn a_second_checkout_is_wrong_while_the_first_can_be_paid_or_is_paid() {
    let shop = Shop::open();
    shop.intent("order-1");
    shop.intent("order-2");
    assert_eq!(shop.codes(), NOTHING);
    shop.intent("order-1");
    assert_eq!(shop.codes(), ["double-create"]);
    assert_eq!(shop.numbers("double-create"), [Some(1), Some(3)]);
    let finding = &shop.world.verdict().findings[0];
    assert_eq!((&*finding.provider, finding.order.as_deref()), ("allscale", Some("order-1")));
    assert!(finding.sentence.contains("could still be paid"), "{}", finding.sentence);

    // The status at the second create, by the page: each refusal has ended, and nothing else has.
    for (act, is_wrong) in [
        (Act::Pay, true),
        (Act::Open, true),
        (Act::Kyt(Kyt::Stuck), true),
        (Act::Cancel, false),
        (Act::Expire, false),
        (Act::Fail, false),
        (Act::PayPermille(500), false),
    ] {
        shop.again();
        let id = shop.intent("order-1");
        shop.world.allscale().act(&id, act).unwrap();
        // A refusal by the payer or by the provider ends at once.
        if !matches!(act, Act::Open | Act::Cancel | Act::Expire | Act::Fail) {
            shop.wait(600);
        }
        shop.intent("order-1");
        let expected = if is_wrong { &["double-create"][..] } else { &[] };
        assert_eq!(shop.codes(), expected, "{act:?}: {}", shop.world.allscale().intent(&id).unwrap().status);
    }

    for (code, is_wrong) in [
        ("000.200.000", true),
        ("800.100.151", true),
        ("000.100.110", true),
        ("100.396.101", false),
        ("100.396.104", false),
        ("000.100.200", false),
    ] {
        shop.again();
        assert_eq!(shop.initiate("order-0001").status, 201);
        assert!(shop.world.peach().come_to(&shop.peach_id("order-0001"), code));
        assert_eq!(shop.initiate("order-0001").status, 201);
        let expected = if is_wrong { &["double-create"][..] } else { &[] };
        assert_eq!(shop.codes(), expected, "{code}");
    }
}

#[test]
fn azotte_s_key_makes_no_second_checkout() {
    let shop = Shop::open();
    let id = shop.submit("order-1");
    assert_eq!(shop.submit("order-1"), id);
    // The second checkout is Azotte's own fault.
    shop.world.azotte().inject(azotte::Fault::KeyForgotten);
    assert_ne!(shop.submit("order-1"), id);
    assert_eq!(shop.codes(), NOTHING);
}

#[test]
fn a_create_without_an_order_is_a_remark() {
    let shop = Shop::open();
    let create = |order: Value| {
        let body = json!({ "currency": 1, "amount_cents": 1000, "order_id": order });
        assert_eq!(
            shop.allscale().send("POST", "/v1/checkout_intents/", &body.to_string()).unwrap().status,
            200
        );
    };
    create(json!("order-1"));
    assert_eq!(shop.remarks(), NOTHING);
    create(Value::Null);
    create(Value::Null);
    assert_eq!((shop.remarks(), shop.codes()), (vec!["order-missing".to_owned(); 2], vec![]));
}

#[test]
fn peach_s_limit_is_two_status_reads_in_sixty_seconds() {
    let shop = Shop::open();
    shop.initiate("order-0001");
    shop.initiate("order-0002");
    // 0, 30 and 60 seconds.
    for order in ["order-0001", "order-0002", "order-0001"] {
        assert_eq!(shop.peach_status(order).status, 200);
        shop.wait(30);
    }
    shop.wait(60);
    assert_eq!(shop.codes(), NOTHING);
    // 0, 30 and 59 seconds: the merchant's checkouts and both versions count together.
    shop.again();
    shop.initiate("order-0001");
    shop.initiate("order-0002");
    shop.peach_status("order-0001");
    shop.wait(30);
    let access = token(shop.addr(), "", &shop.keys).json()["access_token"].as_str().unwrap().to_owned();
    let id = shop.peach_id("order-0002");
    assert_eq!(common::status_v2(shop.addr(), "", &access, &id).status, 200);
    shop.wait(29);
    assert_eq!(shop.peach_status("order-0002").status, 429);
    assert_eq!(shop.codes(), ["over-limit"]);
    // The first read is the third request, and the excess the sixth.
    assert_eq!(shop.numbers("over-limit"), [Some(3), Some(6)]);
    // The refusal asked for a wait of one second.
    shop.wait(1);
    assert_eq!(shop.peach_status("order-0002").status, 200);
    assert_eq!(shop.codes(), ["over-limit"]);
}

#[test]
fn a_request_waits_as_long_as_a_refusal_asks() {
    let shop = Shop::open();
    let (id, other) = (shop.intent("order-1"), shop.intent("order-2"));
    let refused = || {
        shop.world.allscale().inject_on(of_allscale::Route::Status, Fault::RateLimited);
        let answer = shop.allscale().status(&id);
        assert!(answer.status == 429 && answer.head.contains("retry-after: 2"), "{answer:?}");
    };
    refused();
    // The fault is not the client's, and neither another intent nor the time of the page is too soon.
    assert_eq!(shop.allscale().status(&other).status, 200);
    shop.wait(2);
    assert_eq!(shop.allscale().status(&id).status, 200);
    assert_eq!(shop.codes(), NOTHING);
    // A request that comes within one second may have been under way when the refusal came.
    refused();
    shop.world.advance(Duration::from_millis(999));
    assert_eq!(shop.allscale().status(&id).status, 200);
    assert_eq!(shop.codes(), NOTHING);
    shop.wait(2);
    // A client that comes again and again does not escape.
    refused();
    for _ in 0..3 {
        shop.world.advance(Duration::from_millis(500));
        refused();
    }
    assert_eq!(shop.codes(), ["retry-after-ignored"]);
    shop.again();
    let id = shop.intent("order-1");
    let refused = || {
        shop.world.allscale().inject_on(of_allscale::Route::Status, Fault::RateLimited);
        assert_eq!(shop.allscale().status(&id).status, 429);
    };
    refused();
    shop.wait(1);
    assert_eq!(shop.allscale().status(&id).status, 200);
    assert_eq!(shop.codes(), ["retry-after-ignored"]);
    assert_eq!(shop.numbers("retry-after-ignored"), [Some(2), Some(3)]);

    // A create of the same order, and Peach's reads of any checkout.
    shop.again();
    shop.world.allscale().inject_on(of_allscale::Route::Create, Fault::RateLimited);
    assert_eq!(shop.allscale().create("order-1").unwrap().status, 429);
    assert_eq!(shop.allscale().create("order-2").unwrap().status, 200);
    shop.wait(1);
    assert_eq!(shop.codes(), NOTHING);
    assert_eq!(shop.allscale().create("order-1").unwrap().status, 200);
    assert_eq!(shop.codes(), ["retry-after-ignored"]);
    shop.again();
    shop.initiate("order-0001");
    shop.initiate("order-0002");
    shop.world.peach().inject_on(of_peach::Route::Status, peach::Fault::RateLimited);
    assert_eq!(shop.peach_status("order-0001").status, 429);
    shop.wait(29);
    assert_eq!(shop.peach_status("order-0002").status, 200);
    assert_eq!(shop.codes(), ["retry-after-ignored"]);
}

#[test]
fn azotte_s_answers_say_when_to_read_again() {
    let shop = Shop::open();
    shop.world.azotte().next_checkout(slow());
    let id = shop.submit("order-1");
    shop.wait(2);
    assert_eq!(shop.azotte_status(&id).unwrap().json()["status"]["messageCode"], "CHECK_OUT_PROCESSING");
    assert_eq!(shop.codes(), NOTHING);
    shop.wait(1);
    shop.azotte_status(&id);
    assert_eq!(shop.codes(), ["over-limit"]);
    assert_eq!(shop.numbers("over-limit"), [Some(2), Some(3)]);
    // No page says when to read again after an answer that was lost.
    shop.again();
    shop.world.azotte().next_checkout(slow());
    let id = shop.submit("order-1");
    shop.wait(2);
    shop.world.azotte().inject_on(of_azotte::Route::CheckoutStatus, azotte::Fault::LostAnswer);
    assert!(shop.azotte_status(&id).is_none());
    assert_eq!(shop.azotte_status(&id).unwrap().status, 200);
    assert_eq!(shop.codes(), NOTHING);
    // The browser of a payer who was sent away returns at any time.
    shop.again();
    shop.world.azotte().next_checkout(azotte::Scenario::three_ds_abandoned());
    let id = shop.submit("order-1");
    let mut seen = String::new();
    for _ in 0..60 {
        shop.wait(2);
        seen = shop.azotte_status(&id).unwrap().json()["status"]["messageCode"].as_str().unwrap().to_owned();
        if seen == "CHECK_OUT_3DS_REQUIRED" {
            break;
        }
    }
    assert_eq!(seen, "CHECK_OUT_3DS_REQUIRED");
    shop.azotte_status(&id);
    assert_eq!(shop.codes(), NOTHING);
}

/// A checkout of Azotte's that is processed for an hour.
fn slow() -> azotte::Scenario {
    use azotte::Step;
    azotte::Scenario::custom([
        Step::after(Duration::ZERO, "CHECK_OUT_PROCESSING"),
        Step::after(Duration::from_secs(3_600), "CHECK_OUT_DONE"),
    ])
}

#[test]
fn a_webhook_that_was_taken_is_followed_by_a_read() {
    let shop = Shop::open();
    endpoint(&shop, "allscale", &receiver(|_| 200));
    let pay = || {
        shop.again();
        let id = shop.intent("order-1");
        shop.world.allscale().act(&id, Act::Pay).unwrap();
        shop.step(600);
        id
    };
    let id = pay();
    let (status, log) = shop.admin("GET", "/webhooks", &Value::Null);
    assert_eq!((status, log["webhooks"].as_array().unwrap().len()), (200, 1));
    // The client has 60 seconds for a remark, and none at its end.
    let at = log["webhooks"][0]["deliveries"][0]["attempts"][0]["at_unix_ms"].as_i64().unwrap();
    let taken = checkout_tables::Moment::from_unix_millis(at);
    assert!(shop.world.now().saturating_since(taken) >= Duration::from_secs(60));
    let both = ["webhook-without-read", "never-read"];
    assert_eq!((shop.codes(), shop.remarks()), (vec![], both.map(str::to_owned).to_vec()));
    assert_eq!(shop.codes_at_end(), both);
    assert_eq!(shop.numbers("webhook-without-read"), [Some(1)]);
    // A read whose answer is lost tells the client nothing.
    shop.world.allscale().inject(Fault::LostAnswer);
    let lost = shop.allscale().send("GET", &format!("/v1/checkout_intents/{id}/status"), "");
    assert!(lost.is_none());
    assert_eq!(shop.codes_at_end(), both);
    assert_eq!(shop.allscale().status(&id).status, 200);
    assert_eq!(shop.codes_at_end(), NOTHING);
    // The client has read the end, so another delivery of the same webhook needs no read.
    assert_eq!(shop.admin("POST", "/webhooks/1/resend", &Value::Null).0, 200);
    shop.step(3_600);
    assert_eq!(shop.codes_at_end(), NOTHING);
    // A read of another intent is no read of this intent.
    pay();
    let other = shop.intent("order-2");
    shop.allscale().status(&other);
    assert_eq!(shop.codes_at_end(), both);
}

#[test]
fn the_grace_of_a_webhook_is_sixty_seconds() {
    let shop = Shop::open();
    endpoint(&shop, "allscale", &receiver(|_| 200));
    shop.again();
    let id = shop.intent("order-1");
    shop.world.allscale().act(&id, Act::ComeTo(20)).unwrap();
    shop.step(59);
    assert_eq!((shop.codes(), shop.remarks()), (vec![], vec![]));
    assert_eq!(shop.codes_at_end(), ["webhook-without-read", "never-read"]);
    shop.step(1);
    let both = ["webhook-without-read", "never-read"].map(str::to_owned).to_vec();
    assert_eq!((shop.codes(), shop.remarks()), (vec![], both));
}

#[test]
fn a_client_may_read_before_it_answers_a_webhook_or_not_take_the_webhook() {
    let shop = Shop::open();
    let id: Arc<Mutex<String>> = Arc::default();
    let (addr, keys, world, of_receiver) =
        (shop.addr(), shop.keys.clone(), Arc::clone(&shop.world), Arc::clone(&id));
    let url = receiver(move |_| {
        let unix_seconds = world.now().unix_seconds().unsigned_abs();
        let client = AllScale { addr, prefix: "", keys: &keys, unix_seconds };
        client.status(&of_receiver.lock().unwrap()).status
    });
    endpoint(&shop, "allscale", &url);
    *id.lock().unwrap() = shop.intent("order-1");
    shop.world.allscale().act(&id.lock().unwrap(), Act::ComeTo(20)).unwrap();
    shop.step(120);
    let verdict = shop.world.verdict_at_end();
    assert_eq!((verdict.looked_at.webhooks, verdict.looked_at.reads, codes(&verdict)), (1, 1, vec![]));
    // The client that refuses a webhook learns of the payment in another way.
    let shop = Shop::open();
    endpoint(&shop, "allscale", &receiver(|_| 503));
    let id = shop.intent("order-1");
    shop.world.allscale().act(&id, Act::ComeTo(20)).unwrap();
    shop.step(120);
    assert_eq!(shop.codes(), NOTHING);
}

#[test]
fn one_read_answers_the_webhooks_before_it_also_where_all_happens_in_a_moment() {
    let shop = Shop::open();
    let (addr, keys) = (shop.addr(), shop.keys.clone());
    let url = receiver(move |body| {
        let is_success = body.contains("result.code=000.100.110");
        if is_success { peach_status(addr, "", &keys, "order-0001").status } else { 200 }
    });
    endpoint(&shop, "peach", &url);
    shop.initiate("order-0001");
    let id = shop.peach_id("order-0001");
    // The read at the success says that the money has gone back: the webhook about that needs no other
    // read.
    assert!(shop.world.peach().pay(&id) && shop.world.peach().come_to(&id, "000.100.200"));
    shop.step(120);
    let verdict = shop.world.verdict_at_end();
    assert_eq!((verdict.looked_at.webhooks, verdict.looked_at.reads, codes(&verdict)), (3, 1, vec![]));
}

#[test]
fn the_answer_of_a_receiver_that_was_called_before_a_reset_counts_for_nothing() {
    let shop = Shop::open();
    let world = Arc::clone(&shop.world);
    endpoint(
        &shop,
        "allscale",
        &receiver(move |_| {
            world.reset();
            200
        }),
    );
    let id = shop.intent("order-1");
    shop.world.allscale().act(&id, Act::ComeTo(20)).unwrap();
    assert_eq!(shop.admin("PUT", "/clock", &json!({ "advance_ms": 1_000 })).0, 200);
    assert_eq!(shop.world.allscale().intents().len(), 0);
    assert!(shop.world.verdict().is_of_nothing(), "{}", shop.world.verdict());
}

#[test]
fn a_client_that_keeps_peach_s_limit_reads_the_last_of_many_webhooks_late() {
    let shop = Shop::open();
    endpoint(&shop, "peach", &receiver(|_| 200));
    let orders: Vec<String> = (1..=6).map(|number| format!("order-000{number}")).collect();
    for order in &orders {
        shop.initiate(order);
        assert!(shop.world.peach().pay(&shop.peach_id(order)));
    }
    shop.step(1);
    // Two reads in 60 seconds are all that the page allows.
    for order in &orders {
        assert_eq!(shop.codes(), NOTHING);
        assert_eq!(shop.peach_status(order).json()["result.code"], "000.100.110");
        shop.step(30);
    }
    assert_eq!((shop.codes_at_end(), shop.remarks()), (vec![], vec![]));
}

#[test]
fn a_webhook_that_tells_no_end_needs_no_read() {
    let shop = Shop::open();
    endpoint(&shop, "peach", &receiver(|_| 200));
    shop.initiate("order-0001");
    let id = shop.peach_id("order-0001");
    assert!(shop.world.peach().open(&id) && shop.world.peach().come_to(&id, "000.200.000"));
    shop.step(120);
    assert_eq!(shop.world.verdict().looked_at.webhooks, 2);
    assert_eq!(shop.codes_at_end(), NOTHING);
    assert!(shop.world.peach().cancel(&id));
    shop.step(120);
    assert_eq!(shop.codes_at_end(), ["webhook-without-read"]);
    shop.peach_status("order-0001");
    assert_eq!(shop.codes_at_end(), NOTHING);
}

#[test]
fn a_forged_webhook_is_not_taken() {
    let shop = Shop::open();
    endpoint(&shop, "allscale", &receiver(|_| 200));
    let paid = || {
        let id = shop.intent("order-1");
        shop.world.allscale().act(&id, Act::ComeTo(20)).unwrap();
        id
    };
    for (fault, expected) in [
        (json!({ "fault": "wrong-key" }), &["forged-webhook-taken"][..]),
        (json!({ "fault": "stale" }), &["forged-webhook-taken"]),
        (json!({ "fault": "stale", "seconds": 300 }), &[]),
        (json!({ "fault": "repeat" }), &[]),
        (json!({ "fault": "twice" }), &[]),
    ] {
        shop.again();
        assert_eq!(shop.admin("POST", "/webhooks/faults", &fault).0, 200);
        let id = paid();
        shop.step(10);
        shop.allscale().status(&id);
        assert_eq!(shop.codes(), expected, "{fault}");
    }
    for (edit, expected) in [
        (json!({ "key": "wrong" }), &["forged-webhook-taken"][..]),
        (json!({ "stale_seconds": 301 }), &["forged-webhook-taken"]),
        (json!({ "stale_seconds": 300 }), &[]),
        (json!({ "body": "{}" }), &[]),
    ] {
        shop.again();
        let id = paid();
        shop.step(10);
        shop.allscale().status(&id);
        assert_eq!(shop.admin("POST", "/webhooks/1/edit", &edit).0, 200);
        assert_eq!(shop.codes_at_end(), expected, "{edit}");
    }
    // A receiver that looks at the signature. No page of Peach's tells how old a webhook may be.
    for (provider, status, key, stale, expected) in [
        ("allscale", 401, "wrong", 0, &[][..]),
        ("peach", 200, "wrong", 0, &["forged-webhook-taken"]),
        ("peach", 401, "wrong", 0, &[]),
        ("peach", 200, "right", 86_400, &[]),
    ] {
        let shop = Shop::open();
        endpoint(&shop, provider, &receiver(move |_| status));
        let id = shop.intent("order-1");
        shop.world.allscale().act(&id, Act::ComeTo(20)).unwrap();
        shop.initiate("order-0001");
        assert!(shop.world.peach().open(&shop.peach_id("order-0001")));
        shop.step(10);
        shop.allscale().status(&id);
        let edit = json!({ "key": key, "stale_seconds": stale });
        let of_provider = if provider == "allscale" { 1 } else { 2 };
        assert_eq!(shop.admin("POST", &format!("/webhooks/{of_provider}/edit"), &edit).0, 200);
        assert_eq!(shop.codes_at_end(), expected, "{provider} {status} {key} {stale}");
    }
}

#[test]
fn allscale_s_create_is_never_repeated_when_its_outcome_is_unknown() {
    for (fault, answered, expected) in [
        (Fault::LostAnswer, None, &["double-create", "blind-repeat"][..]),
        (Fault::LostRequest, None, &["blind-repeat"]),
        (Fault::HtmlBadGateway, Some(502), &["double-create", "blind-repeat"]),
        (Fault::Truncated, Some(200), &["double-create", "blind-repeat"]),
        (Fault::InternalError, Some(500), &["blind-repeat"]),
        // Nothing was sent, and a refusal proves that nothing was done.
        (Fault::LostBefore, None, &[]),
        (Fault::UnknownErrorCode(10_001), Some(400), &[]),
    ] {
        let shop = Shop::open();
        shop.world.allscale().inject(fault.clone());
        assert_eq!(shop.allscale().create("order-1").map(|answer| answer.status), answered, "{fault:?}");
        shop.intent("order-2");
        assert_eq!(shop.codes(), NOTHING, "{fault:?}");
        shop.intent("order-1");
        assert_eq!(shop.codes(), expected, "{fault:?}");
        if !expected.is_empty() {
            assert_eq!(shop.numbers("blind-repeat"), [Some(1), Some(3)]);
        }
    }
}

#[test]
fn a_lost_create_is_blind_until_the_client_knows_the_checkout_that_it_made() {
    // An earlier intent of the order says nothing about the lost create.
    let shop = Shop::open();
    let earlier = shop.intent("order-1");
    shop.act(&earlier, Act::Cancel);
    shop.world.allscale().inject(Fault::LostRequest);
    assert!(shop.allscale().create("order-1").is_none());
    assert_eq!(shop.allscale().status(&earlier).status, 200);
    shop.intent("order-1");
    assert_eq!(shop.codes(), ["blind-repeat"]);
    // A webhook has told the client the id.
    shop.again();
    shop.world.allscale().inject(Fault::LostAnswer);
    assert!(shop.allscale().create("order-1").is_none());
    let id = shop.world.allscale().intents()[0].id.clone();
    shop.world.allscale().act(&id, Act::Cancel).unwrap();
    assert_eq!(shop.allscale().status(&id).status, 200);
    shop.intent("order-1");
    assert_eq!(shop.codes(), NOTHING);
}

#[test]
fn peach_s_create_is_repeated_after_a_look_at_the_transaction_alone() {
    let lost = |fault: peach::Fault| {
        let shop = Shop::open();
        shop.world.peach().inject(fault);
        assert!(initiate(shop.addr(), "", &shop.keys, "order-0001").status != 201);
        shop
    };
    let nobody = |shop: &Shop| shop.peach_status("order-0001").json()["result.code"].clone();
    // Not repeated, repeated blindly, and repeated after an answer that is not there.
    let shop = lost(peach::Fault::InternalError);
    shop.initiate("order-0002");
    assert_eq!(shop.codes(), NOTHING);
    shop.initiate("order-0001");
    assert_eq!(shop.codes(), ["blind-repeat"]);
    let shop = lost(peach::Fault::InternalError);
    assert_eq!(nobody(&shop), "200.300.404");
    shop.initiate("order-0001");
    assert_eq!(shop.codes(), NOTHING);
    // A look that did not come back, and a look at another order.
    let shop = lost(peach::Fault::InternalError);
    shop.world.peach().inject_on(of_peach::Route::Status, peach::Fault::HtmlBadGateway);
    assert_eq!(shop.peach_status("order-0001").status, 502);
    shop.peach_status("order-0002");
    shop.initiate("order-0001");
    assert_eq!(shop.codes(), ["blind-repeat"]);
    // The look shows a checkout that can be paid: another checkout is not blind, and is a double.
    let shop = lost(peach::Fault::LateInternalError);
    assert_eq!(shop.peach_status("order-0001").status, 200);
    shop.initiate("order-0001");
    assert_eq!(shop.codes(), ["double-create"]);
}

#[test]
fn peach_s_signed_bytes_may_be_sent_again_and_v2_has_no_read_before_a_repeat() {
    let headers =
        [("content-type", "application/x-www-form-urlencoded"), ("referer", "https://shop.example")];
    for (fault, again) in [(peach::Fault::LateInternalError, 400), (peach::Fault::InternalError, 201)] {
        let shop = Shop::open();
        let body = common::form(&common::initiate_fields(&shop.keys, "order-0001"));
        let initiate =
            || send(shop.addr(), "POST", "/checkout/initiate", &headers, body.as_bytes()).unwrap().status;
        shop.world.peach().inject(fault.clone());
        assert_eq!(initiate(), 500);
        assert_eq!(initiate(), again, "{fault:?}");
        assert_eq!(shop.codes(), NOTHING, "{fault:?}");
        // Other bytes make a second checkout.
        if again == 400 {
            shop.initiate("order-0001");
            assert_eq!(shop.codes(), ["double-create", "blind-repeat"]);
        }
    }
    for (fault, expected) in
        [(peach::Fault::LateInternalError, &["double-create"][..]), (peach::Fault::InternalError, &[])]
    {
        let shop = Shop::open();
        let access = token(shop.addr(), "", &shop.keys).json()["access_token"].as_str().unwrap().to_owned();
        let create = || common::create_v2(shop.addr(), "", &shop.keys, &access, "order-0001").status;
        shop.world.peach().inject_on(of_peach::Route::CreateCheckout, fault.clone());
        assert_eq!((create(), create()), (500, 200));
        assert_eq!(shop.codes(), expected, "{fault:?}");
    }
}

#[test]
fn azotte_s_submit_is_repeated_under_the_same_key() {
    let body = |key: Value, offer: &str| {
        json!({
            "order": {
                "offerIdentifier": offer, "correlationId": key,
                "items": [{ "itemIdentifier": "it_1" }], "customer": { "customerUrn": "cu.00.482" }
            },
            "paymentMethod": { "paymentChannel": "CreditCard", "useStoredMethod": true }
        })
    };
    for (second, expected) in [
        (body(json!("order-1"), "of_1"), &[][..]),
        (body(json!("order-2"), "of_2"), &[]),
        (body(json!("order-1"), "of_2"), &[]),
        (body(json!("order-2"), "of_1"), &["blind-repeat"]),
        (body(Value::Null, "of_1"), &["blind-repeat"]),
    ] {
        for fault in [azotte::Fault::LostAnswer, azotte::Fault::LostRequest, azotte::Fault::HtmlBadGateway] {
            let shop = Shop::open();
            let submit = |body: &Value| {
                let headers = [
                    ("x-tn", &*shop.keys.azotte_x_tn),
                    ("x-api-key", &shop.keys.azotte_api_key),
                    ("content-type", "application/json"),
                ];
                send(shop.addr(), "POST", "/api/v1/c2a/offer/checkout", &headers, body.to_string().as_bytes())
            };
            shop.world.azotte().inject(fault.clone());
            let first = submit(&body(json!("order-1"), "of_1"));
            assert!(first.is_none_or(|answer| answer.status == 502));
            assert_eq!(submit(&second).unwrap().status, 202);
            assert_eq!(shop.codes(), expected, "{second} after {fault:?}");
            // The offer is bought, so that the same offer under another key is another matter.
            if expected.is_empty() && second["order"]["correlationId"] == "order-1" {
                assert_eq!(submit(&body(json!("order-3"), "of_1")).unwrap().status, 202);
                assert_eq!(shop.codes(), NOTHING);
            }
        }
    }
}

#[test]
fn goods_leave_after_a_read_that_says_success_and_once() {
    let shop = Shop::open();
    let order = json!({ "order": "order-1" });
    let read = |id: &str| assert_eq!(shop.allscale().status(id).status, 200);
    // Right: paid, read, released.
    let id = shop.intent("order-1");
    shop.act(&id, Act::Pay);
    read(&id);
    assert_eq!(shop.release(&order), NOTHING);
    assert_eq!(shop.codes_at_end(), NOTHING);
    // A second time, by the checkout.
    assert_eq!(shop.release(&json!({ "checkout": id })), ["released-twice"]);
    assert_eq!(shop.codes_at_end(), ["released-twice"]);
    // Paid and not read; and read before the payment alone.
    shop.again();
    let id = shop.intent("order-1");
    read(&id);
    shop.act(&id, Act::Pay);
    assert_eq!(shop.release(&order), ["released-unread"]);
    // Not paid; and a read that a fault has tampered with.
    shop.again();
    let id = shop.intent("order-1");
    shop.world.allscale().inject_on(of_allscale::Route::Status, Fault::TamperedStatus(20));
    read(&id);
    assert_eq!(shop.release(&json!({ "checkout": id })), ["released-unpaid"]);
    let finding = &shop.world.verdict().findings[0];
    assert_eq!((finding.order.as_deref(), finding.checkout.as_deref()), (Some("order-1"), Some(&*id)));
    // Another amount in the answer.
    shop.again();
    let id = shop.intent("order-1");
    shop.act(&id, Act::Pay);
    shop.world.allscale().inject_on(of_allscale::Route::Get, Fault::TamperedAmount);
    let whole = shop.allscale().send("GET", &format!("/v1/checkout_intents/{id}"), "").unwrap();
    assert_eq!(whole.json()["payload"]["status"], 20);
    assert_eq!(shop.release(&order), ["released-unread"]);
    // The answer was lost on the way.
    shop.again();
    let id = shop.intent("order-1");
    shop.act(&id, Act::Pay);
    shop.world.allscale().inject_on(of_allscale::Route::Status, Fault::LostAnswer);
    assert!(shop.allscale().send("GET", &format!("/v1/checkout_intents/{id}/status"), "").is_none());
    assert_eq!(shop.release(&order), ["released-unread"]);
    // The second checkout of the order is paid, after the first has ended.
    shop.again();
    let id = shop.intent("order-1");
    shop.act(&id, Act::Cancel);
    let id = shop.intent("order-1");
    shop.act(&id, Act::Pay);
    read(&id);
    assert_eq!(shop.release(&order), NOTHING);
    assert_eq!(shop.codes_at_end(), NOTHING);
}

#[test]
fn an_authorization_is_no_money_and_a_charge_back_comes_after_the_goods() {
    let shop = Shop::open();
    let order = json!({ "order": "order-0001" });
    let checkout = |scenario: peach::Scenario| {
        shop.again();
        shop.world.peach().next_checkout(scenario);
        assert_eq!(initiate(shop.addr(), "", &shop.keys, "order-0001").status, 201);
        shop.wait(60);
        assert_eq!(shop.peach_status("order-0001").json()["result.code"], "000.100.110");
    };
    checkout(peach::Scenario::by_name("authorized").unwrap());
    assert_eq!(shop.codes_at_end(), NOTHING);
    assert_eq!(shop.release(&order), ["released-unpaid"]);
    checkout(peach::Scenario::by_name("happy").unwrap());
    assert_eq!(shop.release(&order), NOTHING);
    // The client has read a success, and cannot know of the charge-back.
    checkout(peach::Scenario::by_name("happy").unwrap());
    assert!(shop.world.peach().come_to(&shop.peach_id("order-0001"), "000.100.200"));
    assert_eq!(shop.release(&order), NOTHING);
    // The client has read the charge-back.
    checkout(peach::Scenario::by_name("happy").unwrap());
    assert!(shop.world.peach().come_to(&shop.peach_id("order-0001"), "000.100.200"));
    shop.peach_status("order-0001");
    assert_eq!(shop.release(&order), ["released-unpaid"]);
}

#[test]
fn a_wrong_release_is_refused_and_counts_nothing() {
    let shop = Shop::open();
    let id = shop.intent("order-1");
    for (body, status, field) in [
        (json!({}), 400, "order"),
        (json!({ "order": "order-1", "checkout": id }), 400, "checkout"),
        (json!({ "order": 1 }), 400, "order"),
        (json!({ "id": "order-1" }), 400, "id"),
        (json!({ "order": "order-2" }), 404, "order"),
        (json!({ "checkout": "order-1" }), 404, "checkout"),
    ] {
        let (answered, answer) = shop.admin("POST", "/released", &body);
        assert_eq!((answered, answer["error"]["field"].as_str()), (status, Some(field)), "{answer}");
        let message = answer["error"]["message"].as_str().unwrap();
        assert_eq!(status == 404, message.contains("since the start of the server"), "{answer}");
    }
    assert_eq!(shop.world.verdict().looked_at.releases, 0);
    assert_eq!(shop.admin("GET", "/verdict?end=yes", &Value::Null).1["error"]["field"], "end");
    assert_eq!(shop.admin("GET", "/verdict?final=true", &Value::Null).1["error"]["field"], "final");
}

#[test]
fn a_payment_that_the_client_never_reads_is_a_lost_sale() {
    let shop = Shop::open();
    let id = shop.intent("order-1");
    shop.allscale().status(&id);
    shop.act(&id, Act::Pay);
    assert_eq!((shop.codes(), shop.remarks()), (vec![], vec!["never-read".to_owned()]));
    assert_eq!(shop.codes_at_end(), ["never-read"]);
    shop.allscale().status(&id);
    assert_eq!((shop.codes_at_end(), shop.remarks()), (vec![], vec![]));
    // An end without a payment loses no sale.
    shop.again();
    let id = shop.intent("order-1");
    shop.act(&id, Act::Cancel);
    assert_eq!((shop.codes_at_end(), shop.remarks()), (vec![], vec![]));
    // Nobody has told the client of the intent.
    shop.again();
    shop.world.allscale().inject(Fault::LostAnswer);
    assert!(shop.allscale().create("order-1").is_none());
    let id = shop.world.allscale().intents()[0].id.clone();
    shop.act(&id, Act::Pay);
    assert_eq!(shop.codes_at_end(), NOTHING);
}

/// Lets the next request of a route meet a fault.
fn fault(shop: &Shop, provider: &str, route: &str, fault: &Value) {
    let mut rule = json!({ "provider": provider, "route": route });
    rule.as_object_mut().unwrap().extend(fault.as_object().unwrap().clone());
    let (status, answer) = shop.admin("POST", "/faults", &rule);
    assert_eq!(status, 201, "{answer}");
}

#[test]
fn a_checkout_that_no_answer_names_for_sure_is_no_lost_sale() {
    for (of, is_known) in [
        (json!({ "fault": "swapped_intent" }), false),
        (json!({ "fault": "tampered_amount" }), false),
        (json!({ "fault": "duplicate_keys" }), false),
        (json!({ "fault": "huge_body", "bytes": 1_000 }), false),
        (json!({ "fault": "wire_delay", "ms": 1 }), false),
        (json!({ "fault": "wire_delay_log_normal", "median_ms": 1, "sigma_permille": 0 }), false),
        (json!({ "fault": "wire_dribble", "over_ms": 1, "pieces": 2 }), false),
        (json!({ "fault": "wire_bandwidth", "bytes_per_second": 1_000_000 }), false),
        (json!({ "fault": "wire_slicer", "bytes": 1_000, "pause_ms": 0 }), false),
        (json!({ "fault": "other_id_spelling" }), true),
        (json!({ "fault": "extra_fields" }), true),
    ] {
        let shop = Shop::open();
        fault(&shop, "allscale", "create", &of);
        assert_eq!(shop.allscale().create("order-1").unwrap().status, 200, "{of}");
        let id = shop.world.allscale().intents()[0].id.clone();
        shop.act(&id, Act::Pay);
        let expected = if is_known { &["never-read"][..] } else { &[] };
        assert_eq!(shop.codes_at_end(), expected, "{of}");
        // A read shows that the client knows the intent.
        shop.again();
        fault(&shop, "allscale", "create", &of);
        assert_eq!(shop.allscale().create("order-1").unwrap().status, 200, "{of}");
        let id = shop.world.allscale().intents()[0].id.clone();
        assert_eq!(shop.allscale().status(&id).status, 200);
        shop.act(&id, Act::Pay);
        assert_eq!(shop.codes_at_end(), ["never-read"], "{of}");
    }
    for (of, is_known) in [
        (json!({ "fault": "swapped_checkout" }), false),
        (json!({ "fault": "tampered_tracking" }), false),
        (json!({ "fault": "missing_tracking" }), false),
        (json!({ "fault": "wrong_content_type" }), false),
        (json!({ "fault": "no_follow_up" }), true),
    ] {
        let shop = Shop::open();
        fault(&shop, "azotte", "submit_checkout", &of);
        assert_eq!(submit(shop.addr(), "", &shop.keys, "order-1").status, 202, "{of}");
        shop.wait(600);
        let expected = if is_known { &["never-read"][..] } else { &[] };
        assert_eq!(shop.codes_at_end(), expected, "{of}");
    }
    // Peach's V1 names a checkout by the order alone, and V2 by the id.
    let shop = Shop::open();
    let access = token(shop.addr(), "", &shop.keys).json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(initiate(shop.addr(), "", &shop.keys, "order-0001").status, 201);
    assert_eq!(common::create_v2(shop.addr(), "", &shop.keys, &access, "order-0002").status, 200);
    shop.wait(600);
    assert_eq!(shop.codes_at_end(), ["never-read", "never-read"]);
}

#[test]
fn an_answer_that_comes_late_proves_nothing_against_the_client() {
    let late = json!({ "fault": "wire_delay", "ms": 1 });
    // The wait that the late answer asks for.
    let shop = Shop::open();
    shop.world.azotte().next_checkout(slow());
    let id = shop.submit("order-1");
    shop.wait(2);
    fault(&shop, "azotte", "checkout_status", &late);
    assert_eq!(shop.azotte_status(&id).unwrap().status, 200);
    assert_eq!(shop.azotte_status(&id).unwrap().status, 200);
    assert_eq!(shop.codes(), NOTHING);
    // The same offer is sold again, after the submit whose answer came late.
    let shop = Shop::open();
    fault(&shop, "azotte", "submit_checkout", &late);
    shop.submit("order-1");
    shop.submit("order-2");
    assert_eq!(shop.codes(), NOTHING);
    // The client may have read the success, and need not have read the charge-back.
    let shop = Shop::open();
    let order = json!({ "order": "order-0001" });
    shop.world.peach().next_checkout(peach::Scenario::by_name("happy").unwrap());
    assert_eq!(initiate(shop.addr(), "", &shop.keys, "order-0001").status, 201);
    shop.wait(60);
    fault(&shop, "peach", "status", &late);
    assert_eq!(shop.peach_status("order-0001").json()["result.code"], "000.100.110");
    shop.wait(60);
    assert!(shop.world.peach().come_to(&shop.peach_id("order-0001"), "000.100.200"));
    fault(&shop, "peach", "status", &late);
    assert_eq!(shop.peach_status("order-0001").json()["result.code"], "000.100.200");
    assert_eq!(shop.release(&order), NOTHING);
    // A second checkout is a second checkout.
    let shop = Shop::open();
    fault(&shop, "allscale", "create", &late);
    shop.intent("order-1");
    shop.intent("order-1");
    assert_eq!(shop.codes(), ["double-create"]);
}

#[test]
fn a_refused_request_is_a_remark_and_a_fault_s_refusal_is_none() {
    let shop = Shop::open();
    let wrong = AllScale { unix_seconds: 7, ..shop.allscale() };
    assert_eq!(wrong.create("order-1").unwrap().status, 401);
    let verdict = shop.world.verdict();
    assert_eq!((verdict.findings.len(), &*verdict.remarks[0].code), (0, "refused"));
    assert!(verdict.remarks[0].sentence.contains("401, code 20002"), "{verdict}");
    shop.again();
    shop.world.allscale().inject(Fault::UnknownErrorCode(77));
    assert_eq!(shop.allscale().create("order-1").unwrap().status, 400);
    // A look for a transaction that nobody knows is no fault of the client's.
    assert_eq!(shop.peach_status("order-0001").status, 400);
    assert_eq!((shop.remarks(), shop.codes()), (vec![], vec![]));
}

#[test]
fn the_verdict_is_the_same_by_every_way_and_a_reset_clears_it() {
    let shop = Shop::open();
    shop.intent("order-1\n\u{1b}[31m");
    shop.intent("order-1\n\u{1b}[31m");
    let expected = shop.world.verdict_at_end();
    let (status, json) = shop.admin("GET", "/verdict?end=true", &Value::Null);
    assert_eq!((status, json.to_string()), (200, expected.to_json()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let ask = |world: &str| {
        let server = format!("http://{}/", shop.addr());
        runtime.block_on(checkout_sandbox_server::ask_verdict(&server, world, true))
    };
    assert_eq!(ask("w"), Ok(expected.clone()));
    assert!(ask("nowhere").unwrap_err().to_string().contains("answers 404: no world has this name"));
    // No order writes lines or colors of its own.
    let text = expected.to_string();
    assert_eq!((text.lines().count(), text.contains('\u{1b}')), (3, false), "{text}");
    assert!(text.contains("1 finding, no remarks") && text.contains("2 creates"), "{text}");
    let page = send(shop.addr(), "GET", "/_/board/w", &[], b"").unwrap();
    assert!(page.body.contains("data-testid=\"finding\"><code>double-create</code>"), "{}", page.body);
    assert_eq!(shop.server.get().worlds().len(), 2);
    // Another world's client is another client.
    assert!(shop.server.get().default_world().verdict().is_of_nothing());
    shop.again();
    assert!(shop.world.verdict_at_end().is_of_nothing());
    let page = send(shop.addr(), "GET", "/_/board/w", &[], b"").unwrap();
    assert!(page.body.contains("Nothing wrong was seen in 0 requests"), "{}", page.body);
}

#[test]
fn only_the_first_hundred_findings_of_a_code_are_listed_and_all_are_counted() {
    let shop = Shop::open();
    for _ in 0..103 {
        shop.allscale().create("order-1").unwrap();
    }
    let verdict = shop.world.verdict();
    assert_eq!((verdict.findings.len(), verdict.counts["double-create"]), (100, 102));
    assert!(verdict.to_string().ends_with("and 2 more"), "{verdict}");
}
