use super::*;
use checkout_tables::Moment;
use checkout_transport::Delivery;

/// A sandbox with two confirmed intents, and the id of the first.
fn world() -> (Merchant, String) {
    let merchant = Merchant::of(&Sandbox::new(4));
    let id = merchant.new_intent("first");
    merchant.create(&json!({"currency": 1, "amount_cents": 5000, "order_id": "second"}));
    merchant.sandbox.clock().advance(Duration::from_secs(60));
    (merchant, id)
}

/// The answer to a ping with a fault, and the answer to the next ping.
fn check(fault: Fault) -> [String; 2] {
    let merchant = Merchant::of(&Sandbox::new(4));
    merchant.sandbox.inject(fault);
    [(); 2].map(|()| match merchant.send("GET", "/v1/test/ping", b"") {
        Ok(response) => {
            let content_type =
                response.headers().get("content-type").map_or("-", |value| value.to_str().unwrap());
            let answer = read(&response);
            format!("{content_type} {}", refusal(&answer))
        }
        Err(error) => error.delivery().to_string(),
    })
}

fn create(merchant: &Merchant) -> Value {
    merchant.create(&json!({"stable_coin": 1, "amount_cents": 1000, "order_id": "third"})).1["payload"]
        .clone()
}

#[test]
fn a_fault_strikes_once() {
    let fine = "application/json 200 0 -";
    let table = [
        (Fault::LostBefore, "not sent"),
        (Fault::LostRequest, "unknown"),
        (Fault::LostAnswer, "unknown"),
        (Fault::Slow(Duration::from_secs(30)), fine),
        (Fault::Garbage, "application/json 200 null -"),
        (Fault::Truncated, "application/json 200 null -"),
        (Fault::HtmlBadGateway, "text/html 502 null -"),
        (Fault::EmptyUnauthorized, "- 401 null -"),
        (Fault::Redirect, "text/html 302 null -"),
        (Fault::RateLimited, "application/json 429 40001 rate limit exceeded"),
        (Fault::InternalError, "application/json 500 90000 internal server error"),
        (Fault::LateInternalError, "application/json 500 90000 internal server error"),
        (Fault::UnknownErrorCode(77_777), "application/json 400 77777 something is wrong"),
        (Fault::ExtraFields, fine),
        (Fault::DuplicateKeys, "application/json 200 1 -"),
        (Fault::HugeBody(100_000), fine),
        (Fault::HugeBody(usize::MAX), "unknown"),
    ];
    for (fault, expected) in table {
        assert_eq!(check(fault.clone()), [expected, fine], "{fault:?}");
    }
}

#[test]
fn a_request_lost_before_the_sandbox_makes_no_intent_and_a_lost_answer_leaves_an_intent() {
    for (fault, intents, requests) in [
        (Fault::LostBefore, 0, 0),
        (Fault::LostRequest, 0, 0),
        (Fault::EmptyUnauthorized, 0, 1),
        (Fault::Redirect, 0, 1),
        (Fault::RateLimited, 0, 1),
        (Fault::InternalError, 0, 1),
        (Fault::UnknownErrorCode(1), 0, 1),
        (Fault::LateInternalError, 1, 1),
        (Fault::LostAnswer, 1, 1),
        (Fault::Slow(Duration::from_secs(1)), 1, 1),
        (Fault::Garbage, 1, 1),
        (Fault::Truncated, 1, 1),
        (Fault::HtmlBadGateway, 1, 1),
        (Fault::HugeBody(BODY_CAP + 1), 1, 1),
        (Fault::ExtraFields, 1, 1),
        (Fault::DuplicateKeys, 1, 1),
        (Fault::SwappedIntent, 1, 1),
        (Fault::TamperedAmount, 1, 1),
        (Fault::OtherIdSpelling, 1, 1),
        (Fault::OldIntent, 1, 1),
        (Fault::AcceptedCoins(3), 1, 1),
        (Fault::SettledIn(2), 1, 1),
    ] {
        let merchant = Merchant::of(&Sandbox::new(4));
        merchant.sandbox.inject(fault.clone());
        let _ = merchant.send("POST", "/v1/checkout_intents/", br#"{"stable_coin":1,"amount_cents":1000}"#);
        assert_eq!(merchant.sandbox.intents().len(), intents, "{fault:?}");
        assert_eq!(merchant.sandbox.requests().len(), requests, "{fault:?}");
        assert_eq!(merchant.sandbox.faults_waiting(), 0, "{fault:?}");
    }
}

#[test]
fn a_lost_answer_is_recorded_as_it_would_have_arrived() {
    let merchant = Merchant::of(&Sandbox::new(4));
    merchant.sandbox.inject(Fault::LostAnswer);
    let error = merchant.send("POST", "/v1/checkout_intents/", br#"{"stable_coin":1,"amount_cents":1000}"#);
    assert_eq!(error.unwrap_err().delivery(), Delivery::Unknown);
    let recorded = &merchant.sandbox.requests()[0];
    assert_eq!((recorded.answered_status(), recorded.answered_code()), (200, Some(0)));
    assert!(!recorded.answer_arrived());
    let id = &merchant.sandbox.intents()[0].id;
    assert!(std::str::from_utf8(recorded.answered_body()).unwrap().contains(id));
}

#[test]
fn faults_wait_for_a_fitting_request() {
    let (merchant, id) = world();
    let sandbox = &merchant.sandbox;
    sandbox.inject(Fault::StatusAsObject);
    sandbox.inject(Fault::OldIntent);
    sandbox.inject_on(Route::Get, Fault::RateLimited);
    sandbox.inject_on(Route::Create, Fault::TamperedStatus(20));
    assert_eq!(refusal(&merchant.call("GET", "/v1/test/ping", b"")), "200 0 -");
    assert_eq!(sandbox.faults_waiting(), 4);
    assert_eq!(refusal(&merchant.whole(&id)), "429 40001 rate limit exceeded");
    assert_eq!(merchant.status(&id).1["payload"], json!({"status": 20}));
    assert_eq!(create(&merchant)["accepted_stable_coins"], Value::Null);
    // A create has no status to tamper with, so that fault waits for ever.
    create(&merchant);
    assert_eq!(sandbox.faults_waiting(), 1);
}

#[test]
fn faults_are_taken_in_their_order_and_one_by_one() {
    let (merchant, id) = world();
    merchant.sandbox.inject(Fault::TamperedStatus(6));
    merchant.sandbox.inject_on(Route::Status, Fault::TamperedStatus(-5));
    let statuses = [(); 3].map(|()| merchant.status(&id).1["payload"].clone());
    assert_eq!(statuses, [json!(6), json!(-5), json!(20)]);
}

#[test]
fn a_slow_answer_has_the_date_at_which_it_was_made() {
    let merchant = Merchant::of(&Sandbox::new(4));
    merchant.sandbox.inject(Fault::Slow(Duration::from_secs(90)));
    let response = merchant.send("GET", "/v1/test/ping", b"").unwrap();
    assert_eq!(response.headers()["date"], "Thu, 23 May 2024 21:50:00 GMT");
    assert_eq!(merchant.sandbox.clock().now(), Moment::from_unix_millis(1_716_501_090_000));
}

#[test]
fn a_limited_request_gets_a_wait_and_its_nonce_is_spent() {
    let merchant = Merchant::of(&Sandbox::new(4));
    merchant.sandbox.inject(Fault::RateLimited);
    let now = merchant.sandbox.clock().now().unix_seconds().unsigned_abs();
    let send =
        || merchant.sandbox.send_blocking(signed(&merchant.key, "GET", "/v1/test/ping", b"", now, "n"));
    assert_eq!(send().unwrap().headers()["retry-after"], "2");
    assert_eq!(refusal(&read(&send().unwrap())), "401 20002 nonce has been used already");
}

#[test]
fn a_redirect_leads_to_another_host_and_an_empty_refusal_is_empty() {
    let merchant = Merchant::of(&Sandbox::new(4));
    merchant.sandbox.inject(Fault::Redirect);
    merchant.sandbox.inject(Fault::EmptyUnauthorized);
    let location = merchant.send("GET", "/v1/test/ping", b"").unwrap().headers()["location"].clone();
    assert!(!location.to_str().unwrap().contains("allscale"));
    assert!(merchant.send("GET", "/v1/test/ping", b"").unwrap().body().is_empty());
}

#[test]
fn garbage_is_no_text_and_a_truncated_answer_is_a_beginning() {
    let (merchant, id) = world();
    let target = format!("/v1/checkout_intents/{id}");
    merchant.sandbox.inject(Fault::Garbage);
    assert!(std::str::from_utf8(merchant.send("GET", &target, b"").unwrap().body()).is_err());
    merchant.sandbox.inject(Fault::Truncated);
    let part = merchant.send("GET", &target, b"").unwrap().into_body();
    let whole = merchant.send("GET", &target, b"").unwrap().into_body();
    assert_eq!(part.len(), whole.len() / 2);
    // The answers are the same but for the request id, which each answer has of its own.
    assert!(whole.starts_with(&part));
}

#[test]
fn an_answer_that_is_no_whole_envelope_has_no_code() {
    for (fault, status) in [(Fault::Garbage, 200), (Fault::Truncated, 400), (Fault::HtmlBadGateway, 502)] {
        let merchant = Merchant::of(&Sandbox::new(4));
        merchant.sandbox.inject(fault.clone());
        assert_eq!(merchant.call("GET", "/v1/test/fail", b"").0, status, "{fault:?}");
        let recorded = &merchant.sandbox.requests()[0];
        assert_eq!((recorded.answered_status(), recorded.answered_code()), (status, None), "{fault:?}");
    }
}

#[test]
fn a_huge_body_is_exactly_as_long_and_still_the_reply() {
    let (merchant, id) = world();
    let target = format!("/v1/checkout_intents/{id}/status");
    for bytes in [1_000, 65_536, BODY_CAP] {
        merchant.sandbox.inject(Fault::HugeBody(bytes));
        let response = merchant.send("GET", &target, b"").unwrap();
        assert_eq!(response.body().len(), bytes);
        assert_eq!(read(&response).1["payload"], 20);
    }
    merchant.sandbox.inject(Fault::HugeBody(BODY_CAP + 1));
    assert_eq!(merchant.send("GET", &target, b"").unwrap_err().exceeded_cap(), Some(BODY_CAP));
}

#[test]
fn an_echo_over_the_cap_is_refused_as_every_transport_must() {
    let merchant = Merchant::of(&Sandbox::new(4));
    let body = format!("\"{}\"", "a".repeat(BODY_CAP));
    let error = merchant.send("POST", "/v1/test/post", body.as_bytes()).unwrap_err();
    assert_eq!(error.exceeded_cap(), Some(BODY_CAP));
    assert!(!merchant.sandbox.requests()[0].answer_arrived());
}

#[test]
fn a_swapped_intent_is_the_other_intent() {
    let (merchant, id) = world();
    merchant.sandbox.inject(Fault::SwappedIntent);
    let swapped = merchant.whole(&id).1["payload"].clone();
    let whole = merchant.whole(&id).1["payload"].clone();
    let other = &merchant.sandbox.intents()[1];
    assert_eq!((&whole["all_scale_checkout_intent_id"], &whole["order_id"]), (&json!(id), &json!("first")));
    assert_eq!(swapped["all_scale_checkout_intent_id"], json!(other.id));
    assert_eq!(swapped["order_id"], "second");

    merchant.sandbox.inject(Fault::SwappedIntent);
    assert_eq!(create(&merchant)["allscale_checkout_intent_id"], json!(other.id));
}

#[test]
fn a_swapped_intent_without_another_is_made_up_and_differs_in_everything() {
    for seconds in [0, 60] {
        let merchant = Merchant::of(&Sandbox::new(4));
        let id = merchant.create(&json!({"currency": 1, "amount_cents": 700, "order_id": "mine"})).1["payload"]
            ["allscale_checkout_intent_id"]
            .clone();
        let id = id.as_str().unwrap();
        merchant.sandbox.clock().advance(Duration::from_secs(seconds));
        let truth = merchant.whole(id).1["payload"].clone();
        merchant.sandbox.inject_on(Route::Get, Fault::SwappedIntent);
        merchant.sandbox.inject_on(Route::Status, Fault::SwappedIntent);
        let swapped = merchant.whole(id).1["payload"].clone();
        for field in
            ["all_scale_checkout_intent_id", "order_id", "amount_cents", "amount_coins", "status", "tx_to"]
        {
            assert_ne!(swapped[field], truth[field], "{field}");
        }
        assert_ne!(merchant.status(id).1["payload"], truth["status"]);
        assert_eq!(merchant.sandbox.intents().len(), 1);
    }
}

#[test]
fn a_tampered_amount_is_a_tenth_everywhere() {
    let (merchant, _) = world();
    let id = merchant.sandbox.intents()[1].id.clone();
    merchant.sandbox.inject(Fault::TamperedAmount);
    let tampered = merchant.whole(&id).1["payload"].clone();
    let told =
        ["amount_cents", "amount_coins", "actual_paid_amount", "service_fee_amount", "net_income_amount"]
            .map(|field| tampered[field].clone());
    assert_eq!(told, [json!(500), json!("5.0000"), json!("5.0000"), json!("0.0250"), json!("4.9750")]);
    assert_eq!(tampered["all_scale_checkout_intent_id"], json!(id));

    merchant.sandbox.inject(Fault::TamperedAmount);
    assert_eq!(create(&merchant)["amount_coins"], "1.0000");
    assert_eq!(create(&merchant)["amount_coins"], "10.0000");
}

#[test]
fn a_tampered_status_shows_on_both_routes() {
    let (merchant, id) = world();
    merchant.sandbox.inject_on(Route::Get, Fault::TamperedStatus(i64::MAX));
    merchant.sandbox.inject_on(Route::Status, Fault::TamperedStatus(2));
    assert_eq!(merchant.whole(&id).1["payload"]["status"], i64::MAX);
    assert_eq!(merchant.status(&id).1["payload"], 2);
    assert_eq!(merchant.status(&id).1["payload"], 20);
}

#[test]
fn the_other_spelling_of_the_id_replaces_the_documented_spelling() {
    let (merchant, id) = world();
    merchant.sandbox.inject_on(Route::Get, Fault::OtherIdSpelling);
    merchant.sandbox.inject_on(Route::Create, Fault::OtherIdSpelling);
    let whole = merchant.whole(&id).1["payload"].clone();
    assert_eq!(whole["allscale_checkout_intent_id"], json!(id));
    assert!(whole.get("all_scale_checkout_intent_id").is_none());
    let created = create(&merchant);
    assert!(created["all_scale_checkout_intent_id"].is_string());
    assert!(created.get("allscale_checkout_intent_id").is_none());
}

#[test]
fn extra_fields_stand_in_every_object_and_leave_the_documented_ones() {
    let (merchant, id) = world();
    merchant.sandbox.inject(Fault::ExtraFields);
    let more = merchant.whole(&id).1;
    let plain = merchant.whole(&id).1;
    assert_eq!(keys(&more).len(), keys(&plain).len() + 2);
    for field in keys(&plain["payload"]) {
        assert_eq!(more["payload"][&field], plain["payload"][&field]);
    }
    assert_eq!(keys(&more["payload"]).len(), keys(&plain["payload"]).len() + 2);

    merchant.sandbox.inject(Fault::ExtraFields);
    let refused = merchant.call("GET", "/v1/test/fail", b"").1;
    assert_eq!(keys(&refused["error"]).len(), 4);
    assert_eq!(keys(&refused["error"]["details"]).len(), 2);
}

#[test]
fn doubled_keys_disagree() {
    let (merchant, id) = world();
    merchant.sandbox.inject(Fault::DuplicateKeys);
    let response = merchant.send("GET", &format!("/v1/checkout_intents/{id}"), b"").unwrap();
    let text = std::str::from_utf8(response.body()).unwrap();
    assert!(text.starts_with(r#"{"code":0,"#) && text.ends_with(r#","code":1}"#), "{text}");
    assert_eq!(text.matches("\"all_scale_checkout_intent_id\":").count(), 2);
}

#[test]
fn a_fault_on_a_path_that_is_no_route_is_taken_there() {
    let merchant = Merchant::of(&Sandbox::new(4));
    merchant.sandbox.inject(Fault::HtmlBadGateway);
    assert_eq!(merchant.call("GET", "/nowhere", b"").0, 502);
    merchant.sandbox.inject(Fault::SwappedIntent);
    assert_eq!(merchant.call("GET", "/nowhere", b"").0, 404);
    assert_eq!(merchant.sandbox.faults_waiting(), 1);
}

/// The masks that *Create Checkout Intent* names (1, USDT, 2, USDC, and 3, either), and any other mask.
#[test]
fn a_create_is_answered_with_any_mask_and_in_any_coin_of_the_page() {
    let (merchant, id) = world();
    let untouched = create(&merchant);
    for mask in [1, 2, 3, 0, -1, i64::MAX] {
        merchant.sandbox.inject(Fault::AcceptedCoins(mask));
        let created = create(&merchant);
        assert_eq!(created["accepted_stable_coins"], json!(mask));
        assert_eq!(
            (&created["stable_coin_type"], &created["amount_coins"]),
            (&json!(1), &untouched["amount_coins"])
        );
    }
    merchant.sandbox.inject(Fault::SettledIn(2));
    assert_eq!(create(&merchant)["stable_coin_type"], json!(2));
    merchant.sandbox.inject(Fault::SettledIn(4));
    assert_eq!(merchant.whole(&id).1["payload"]["coin_symbol"], json!("DAI"));
    // A value of no coin changes nothing.
    merchant.sandbox.inject(Fault::SettledIn(11));
    assert_eq!(create(&merchant)["stable_coin_type"], json!(1));
    assert_eq!(merchant.whole(&id).1["payload"]["coin_symbol"], json!("USDT"));
    assert_eq!(merchant.sandbox.faults_waiting(), 0);
}
