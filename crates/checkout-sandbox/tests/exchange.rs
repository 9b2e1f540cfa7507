//! Everything that a sandbox tells about a request and its answer.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use checkout_sandbox::{allscale, azotte, peach};
use checkout_tables::{allscale as allscale_tables, azotte as azotte_tables, peach as peach_tables};
use checkout_transport::bytes::Bytes;
use checkout_transport::{Request, http};

const SUBMIT: &str = r#"{"order": {"offerIdentifier": "of_1", "correlationId": "order-1",
    "items": [{"itemIdentifier": "it_1"}], "customer": {"customerUrn": "cu.1"}},
    "paymentMethod": {"paymentChannel": "CreditCard", "creditCard": {"cardHolderName": "A Payer",
    "cardNumber": "4111111111111111", "expireMonth": "12", "expireYear": "2030", "cvc": "123"}}}"#;

fn submit(key: &str) -> Request {
    http::Request::post("https://shop.sandbox.azotte.com/api/v1/c2a/offer/checkout")
        .header("x-tn", azotte::X_TN)
        .header("x-api-key", key)
        .header("content-type", "application/json")
        .body(Bytes::from_static(SUBMIT.as_bytes()))
        .unwrap()
}

fn status(tracking_number: &str) -> Request {
    let path = format!("/api/v1/c2a/offer/checkout/{tracking_number}/status");
    http::Request::get(format!("https://shop.sandbox.azotte.com{path}"))
        .header("x-tn", azotte::X_TN)
        .header("x-api-key", azotte::API_KEY)
        .body(Bytes::new())
        .unwrap()
}

#[test]
fn a_create_and_its_reads_tell_the_same_checkout_and_order() {
    let sandbox = azotte::Sandbox::new(1);
    let submitted = sandbox.exchange(submit(azotte::API_KEY), None);
    let tracking_number = sandbox.checkouts()[0].tracking_number.clone();
    assert_eq!(submitted.route, Some(azotte_tables::Route::SubmitCheckout));
    assert_eq!(submitted.order.as_deref(), Some("order-1"));
    assert_eq!(submitted.checkout.as_ref(), Some(&tracking_number));

    // A reply about another checkout does not change which checkout was asked for.
    let read = sandbox.exchange(status(&tracking_number), Some(azotte::Fault::SwappedCheckout));
    assert_eq!(read.checkout.as_ref(), Some(&tracking_number));
    assert_eq!(read.order.as_deref(), Some("order-1"));
    let answer = read.into_result().unwrap();
    assert!(!std::str::from_utf8(answer.body()).unwrap().contains(&tracking_number));

    let nobody_s = sandbox.exchange(status("trk_0"), None);
    assert_eq!((nobody_s.checkout, nobody_s.order), (None, None));
}

#[test]
fn a_create_that_made_nothing_tells_its_order() {
    let sandbox = azotte::Sandbox::new(1);
    let refused = sandbox.exchange(submit("sk_of_nobody"), None);
    assert_eq!((refused.checkout, refused.order.as_deref()), (None, Some("order-1")));
    let lost = sandbox.exchange(submit(azotte::API_KEY), Some(azotte::Fault::LostRequest));
    assert_eq!((lost.checkout, lost.order.as_deref()), (None, Some("order-1")));
    assert!(lost.answer.is_none());

    let unsigned = http::Request::post("https://openapi.allscale.io/v1/checkout_intents/")
        .body(Bytes::from_static(br#"{"order_id": "order-2"}"#))
        .unwrap();
    let refused = allscale::Sandbox::new(1).exchange(unsigned, None);
    assert_eq!(refused.route, Some(allscale_tables::Route::Create));
    assert_eq!((refused.checkout, refused.order.as_deref()), (None, Some("order-2")));

    let unsigned = http::Request::post("https://testsecure.peachpayments.com/checkout/initiate")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Bytes::from_static(b"merchantTransactionId=order-3"))
        .unwrap();
    let refused = peach::Sandbox::new(1).exchange(unsigned, None);
    assert_eq!(refused.route, Some(peach_tables::Route::Initiate));
    assert_eq!((refused.checkout, refused.order.as_deref()), (None, Some("order-3")));
}

#[test]
fn a_fault_that_does_not_fit_leaves_the_request_to_the_faults_that_wait() {
    let sandbox = azotte::Sandbox::new(1);
    sandbox.inject(azotte::Fault::Truncated);
    // A submit cannot be answered by a rule for reads, so the fault that waits strikes.
    let exchange = sandbox.exchange(status("trk_0"), Some(azotte::Fault::KeyForgotten));
    assert_eq!(exchange.fault, Some(azotte::Fault::Truncated));
    assert_eq!(sandbox.faults_waiting(), 0);
    // A fault of this one request strikes before the faults that wait.
    sandbox.inject(azotte::Fault::Truncated);
    let exchange = sandbox.exchange(status("trk_0"), Some(azotte::Fault::LostAnswer));
    assert_eq!(exchange.fault, Some(azotte::Fault::LostAnswer));
    assert_eq!(sandbox.faults_waiting(), 1);
}

#[test]
fn nothing_of_a_card_is_kept_wherever_the_request_was_lost() {
    let sandbox = azotte::Sandbox::new(1);
    for fault in [None, Some(azotte::Fault::LostRequest), Some(azotte::Fault::LostAnswer)] {
        let exchange = sandbox.exchange(submit(azotte::API_KEY), fault);
        let kept = std::str::from_utf8(&exchange.body).unwrap();
        assert!(kept.contains("order-1"));
        for secret in ["4111111111111111", "A Payer", "\"123\""] {
            assert!(!kept.contains(secret));
            assert!(!format!("{exchange:?}").contains(secret));
        }
    }
}

#[test]
fn every_fault_has_a_name_that_leads_back_to_the_fault() {
    macro_rules! check {
        ($of:ident) => {
            let mut names = std::collections::BTreeSet::new();
            for row in $of::Fault::NAMES {
                // "7" is a text, a number and a time.
                let fault = $of::Fault::by_name(row.name, row.value.map(|_| "7")).unwrap();
                assert_eq!(fault.name(), row.name);
                assert_eq!(fault.value().as_deref(), row.value.map(|_| "7"));
                // The variant's own name, with a line between its words.
                let debug = format!("{fault:?}").replace('(', " ").to_lowercase();
                assert_eq!(debug.split(' ').next(), Some(&*row.name.replace('_', "")));
                assert!(names.insert(row.name), "{}", row.name);
            }
        };
    }
    check!(allscale);
    check!(azotte);
    check!(peach);
}

#[test]
fn a_name_with_a_wrong_value_is_no_fault() {
    use checkout_sandbox::FaultNameError as Error;
    let message = |name, value| allscale::Fault::by_name(name, value).map_err(|error| error.to_string());
    assert_eq!(message("lost answer", None), Err("no fault has this name".to_owned()));
    assert_eq!(message("lost_answer", Some("1")), Err("the fault has no value".to_owned()));
    assert_eq!(message("slow", None), Err("ms is missing".to_owned()));
    assert_eq!(message("tampered_status", Some("")), Err("status has to be a whole number".to_owned()));
    assert_eq!(message("tampered_status", Some("-3")), Ok(allscale::Fault::TamperedStatus(-3)));
    assert!(message("huge_body", Some("-1")).is_err());
    assert!(message("slow", Some("2678400001")).is_err() && message("slow", Some("2678400000")).is_ok());
    for text in ["", &"x".repeat(201)] {
        let refused = peach::Fault::by_name("refused", Some(text));
        assert!(matches!(refused, Err(Error::Wrong { value: "code", .. })), "{refused:?}");
    }
}

#[test]
fn a_request_tells_its_route_and_order_before_the_answer() {
    let sandbox = azotte::Sandbox::new(1);
    let told = |request: Request| {
        let (head, body) = request.into_parts();
        (sandbox.route_of(&head), sandbox.order_of(&head, &body))
    };
    let create = (Some(azotte_tables::Route::SubmitCheckout), Some("order-1".to_owned()));
    assert_eq!(told(submit("sk_of_nobody")), create);
    assert_eq!(told(status("trk_0")), (Some(azotte_tables::Route::CheckoutStatus), None));
    let made = sandbox.exchange(submit(azotte::API_KEY), None).checkout.unwrap();
    assert_eq!(told(status(&made)).1.as_deref(), Some("order-1"));
}

#[test]
fn a_skewed_clock_tells_other_times_and_changes_no_event() {
    let sandbox = azotte::Sandbox::new(1);
    let date = |exchange: azotte::Exchange| exchange.answer.unwrap().headers()["date"].clone();
    // The sandbox begins at 2024-06-01 12:52:07 UTC, a Saturday.
    let begin = sandbox.clock().now();
    let told = [0, 3_000, -1_000, 86_400_000].map(|skew| {
        sandbox.set_skew_ms(skew);
        date(sandbox.exchange(status("trk_0"), None))
    });
    assert_eq!(
        told,
        [
            "Sat, 01 Jun 2024 12:52:07 GMT",
            "Sat, 01 Jun 2024 12:52:10 GMT",
            "Sat, 01 Jun 2024 12:52:06 GMT",
            "Sun, 02 Jun 2024 12:52:07 GMT",
        ]
    );
    sandbox.exchange(submit(azotte::API_KEY), None);
    assert_eq!((sandbox.clock().now(), sandbox.checkouts()[0].submitted_at), (begin, begin));
    let fork = sandbox.fork();
    sandbox.reset();
    assert_eq!((sandbox.skew_ms(), fork.skew_ms()), (0, 86_400_000));
}

#[test]
fn a_limit_of_a_minute_of_the_clock_has_room_when_the_next_minute_begins() {
    let limit = std::num::NonZeroU32::new(1).unwrap();
    // 40 seconds into a minute.
    let clock = checkout_sandbox::VirtualClock::new(checkout_tables::Moment::from_unix_seconds(160));
    let sandbox = allscale::Sandbox::builder().clock(clock).requests_per_minute(limit).build();
    let shown =
        || sandbox.limit_use(allscale::API_KEY).map(|of| (of.used, of.room(), of.room_at.unix_seconds()));
    assert_eq!(shown(), Some((0, 1, 160)));
    let key =
        checkout_auth::allscale::SigningKey::new(allscale::API_KEY, allscale::API_SECRET.into()).unwrap();
    let to_sign = checkout_auth::allscale::RequestToSign {
        method: "GET",
        path: "/v1/test/ping",
        query: "",
        timestamp: 160,
        nonce: "n-1",
        body: b"",
    };
    let ping = http::Request::get("https://openapi.allscale.io/v1/test/ping")
        .header("x-api-key", allscale::API_KEY)
        .header("x-timestamp", 160)
        .header("x-nonce", "n-1")
        .header("x-signature", key.sign(&to_sign).unwrap().as_str())
        .body(Bytes::new())
        .unwrap();
    assert_eq!(sandbox.exchange(ping, None).answer.unwrap().status(), 200);
    assert_eq!(shown(), Some((1, 0, 180)));
    sandbox.clock().advance(std::time::Duration::from_secs(20));
    assert_eq!(shown(), Some((0, 1, 180)));
    assert_eq!(sandbox.limit_use("st_nobody"), None);
}

#[test]
fn the_scenario_of_a_request_goes_before_those_that_wait_and_uses_none_up() {
    use azotte::Scenario;
    let sandbox = azotte::Sandbox::new(1);
    let order = |number: u32| {
        let body = SUBMIT.replace("order-1", &format!("order-{number}"));
        let (head, _) = submit(azotte::API_KEY).into_parts();
        Request::from_parts(head, Bytes::from(body))
    };
    sandbox.next_checkout(Scenario::failed());
    sandbox.set_scenario(Some(Scenario::slow()));
    // A request that makes nothing leaves its scenario to no other request.
    sandbox.exchange_through(status("trk_0"), None, Some(Scenario::three_ds_url()));
    sandbox.exchange_through(order(1), None, Some(Scenario::late_success()));
    // The same order again is the same checkout.
    sandbox.exchange_through(order(1), None, Some(Scenario::three_ds_html()));
    let [of_queue, usual] = [2, 3].map(|number| sandbox.exchange(order(number), None));
    assert!(of_queue.checkout.is_some() && usual.checkout.is_some());
    sandbox.set_scenario(None);
    sandbox.exchange(order(4), None);
    let names: Vec<_> = sandbox.checkouts().into_iter().map(|checkout| checkout.scenario).collect();
    assert_eq!(names, ["late_success", "failed", "slow", "happy"]);
}

#[test]
fn every_scenario_has_a_sentence() {
    macro_rules! check {
        ($of:ident) => {
            for name in $of::Scenario::NAMES {
                let sentence = $of::Scenario::sentence(name).unwrap();
                assert!(
                    sentence.ends_with('.') && !sentence.contains(['`', '[', '\n']),
                    "{name}: {sentence}"
                );
            }
            assert_eq!($of::Scenario::sentence("nobody's"), None);
        };
    }
    check!(allscale);
    check!(azotte);
    check!(peach);
    assert_eq!(peach::Scenario::sentence("happy").as_deref(), Some("Opened and paid."));
}
