use super::*;
use checkout_transport::Delivery;

/// The answer to a read of a status with a fault, and the answer to the next read.
fn check(fault: Fault) -> [String; 2] {
    let merchant = Merchant::of(&Sandbox::new(4));
    let tracking = merchant.new_checkout("order-1");
    merchant.sandbox.inject(fault);
    [(); 2].map(|()| match merchant.send("GET", &format!("{SUBMIT}/{tracking}/status"), b"") {
        Ok(response) => told(&response),
        Err(error) => error.delivery().to_string(),
    })
}

#[test]
fn a_fault_strikes_once() {
    let fine = "200 application/clientOutput+Json CHECK_OUT_PROCESSING";
    let table = [
        (Fault::LostBefore, "not sent"),
        (Fault::LostRequest, "unknown"),
        (Fault::LostAnswer, "unknown"),
        (Fault::Slow(Duration::from_secs(3)), fine),
        (Fault::Garbage, "200 application/clientOutput+Json -"),
        (Fault::Truncated, "200 application/clientOutput+Json -"),
        (Fault::EmptyBody, "200 application/clientOutput+Json empty"),
        (Fault::WrongContentType, "200 text/html CHECK_OUT_PROCESSING"),
        (Fault::PlainContentType, "200 application/json CHECK_OUT_PROCESSING"),
        (Fault::HtmlBadGateway, "502 text/html -"),
        (Fault::Redirect, "302 text/html -"),
        (Fault::EmptyUnauthorized, "401 - empty"),
        (Fault::RateLimited, "429 application/problem+json slow down"),
        (Fault::InternalError, "500 application/problem+json something failed"),
        (Fault::LateInternalError, "500 application/problem+json something failed"),
        (Fault::EmptyProblem, "400 application/problem+json -"),
        (Fault::UnknownErrorCode("OFFER_GONE".into()), "400 application/clientOutput+Json OFFER_GONE"),
        (Fault::SwappedCheckout, "200 application/clientOutput+Json CHECK_OUT_DONE"),
        (Fault::TamperedTracking, fine),
        (Fault::MissingTracking, fine),
        (Fault::TamperedCode("CHECK_OUT_X".into()), "200 application/clientOutput+Json CHECK_OUT_X"),
        (Fault::NoFollowUp, fine),
        (Fault::NoPollingAdvice, fine),
        (Fault::ExtraFields, fine),
        (Fault::HugeBody(100_000), fine),
        (Fault::HugeBody(usize::MAX), "unknown"),
    ];
    for (fault, expected) in table {
        assert_eq!(check(fault.clone()), [expected, fine], "{fault:?}");
    }
}

#[test]
fn a_request_lost_before_the_sandbox_charges_nobody_and_a_lost_answer_leaves_one_charge() {
    let table = [
        (Fault::LostBefore, 0, 0),
        (Fault::LostRequest, 0, 0),
        (Fault::Redirect, 0, 1),
        (Fault::EmptyUnauthorized, 0, 1),
        (Fault::RateLimited, 0, 1),
        (Fault::InternalError, 0, 1),
        (Fault::EmptyProblem, 0, 1),
        (Fault::UnknownErrorCode("X".into()), 0, 1),
        (Fault::LostAnswer, 1, 1),
        (Fault::Slow(Duration::from_secs(1)), 1, 1),
        (Fault::Garbage, 1, 1),
        (Fault::Truncated, 1, 1),
        (Fault::EmptyBody, 1, 1),
        (Fault::WrongContentType, 1, 1),
        (Fault::PlainContentType, 1, 1),
        (Fault::HtmlBadGateway, 1, 1),
        (Fault::LateInternalError, 1, 1),
        (Fault::KeyForgotten, 1, 1),
        (Fault::SwappedCheckout, 1, 1),
        (Fault::TamperedTracking, 1, 1),
        (Fault::MissingTracking, 1, 1),
        (Fault::TamperedCode("CHECK_OUT_FAILED".into()), 1, 1),
        (Fault::NoFollowUp, 1, 1),
        (Fault::NoPollingAdvice, 1, 1),
        (Fault::ExtraFields, 1, 1),
        (Fault::DuplicateKeys, 1, 1),
        (Fault::HugeBody(BODY_CAP + 1), 1, 1),
    ];
    for (fault, captures, requests) in table {
        let merchant = Merchant::of(&Sandbox::new(4));
        merchant.sandbox.inject(fault.clone());
        let body = order("order-1").to_string();
        let _ = merchant.send("POST", SUBMIT, body.as_bytes());
        merchant.sandbox.clock().advance(Duration::from_secs(5));
        assert_eq!(merchant.sandbox.captures_of("order-1"), captures, "{fault:?}");
        assert_eq!(merchant.sandbox.requests().len(), requests, "{fault:?}");
        assert_eq!(merchant.sandbox.faults_waiting(), 0, "{fault:?}");

        // A submit can safely be sent again under the same correlation id after each of these faults.
        merchant.new_checkout("order-1");
        merchant.sandbox.clock().advance(Duration::from_secs(5));
        assert_eq!(merchant.sandbox.captures_of("order-1"), 1, "{fault:?}");
    }
}

#[test]
fn a_provider_that_forgets_the_key_charges_twice() {
    let merchant = Merchant::of(&Sandbox::new(4));
    let first = merchant.new_checkout("order-1");
    merchant.sandbox.inject(Fault::KeyForgotten);
    merchant.status(&first);
    assert_eq!(merchant.sandbox.faults_waiting(), 1, "the fault waits for a submit");
    let second = merchant.new_checkout("order-1");
    assert_eq!(merchant.new_checkout("order-1"), first, "and knows it again");
    merchant.sandbox.clock().advance(Duration::from_secs(5));
    assert_ne!(first, second);
    assert_eq!(merchant.sandbox.captures_of("order-1"), 2);
}

#[test]
fn a_lost_answer_is_recorded_as_it_would_have_arrived() {
    let merchant = Merchant::of(&Sandbox::new(4));
    merchant.sandbox.inject(Fault::LostAnswer);
    let error = merchant.send("POST", SUBMIT, order("order-1").to_string().as_bytes()).unwrap_err();
    assert_eq!(error.delivery(), Delivery::Unknown);
    let recorded = &merchant.sandbox.requests()[0];
    assert_eq!((recorded.answered_status(), recorded.answered_code()), (202, Some("CHECK_OUT_PROCESSING")));
    assert!(!recorded.answer_arrived());
    let tracking = &merchant.sandbox.checkouts()[0].tracking_number;
    assert!(std::str::from_utf8(recorded.answered_body()).unwrap().contains(tracking));
}

#[test]
fn faults_wait_for_a_fitting_request_and_are_taken_one_by_one() {
    let merchant = Merchant::of(&Sandbox::new(4));
    let sandbox = &merchant.sandbox;
    let code = |name: &str| Fault::TamperedCode(name.to_owned());
    sandbox.inject_on(Route::CheckoutStatus, code("A"));
    sandbox.inject(code("B"));
    sandbox.inject(code("C"));
    sandbox.inject_on(Route::SubmitCheckout, Fault::LostBefore);
    assert_eq!(told(&merchant.send("GET", "/", b"").unwrap()), "404 - empty");
    assert_eq!(sandbox.faults_waiting(), 4);
    let (_, submitted) = merchant.submit(&order("order-1"));
    assert_eq!(submitted["status"]["messageCode"], "B");
    let tracking = submitted["trackingNumber"].as_str().unwrap();
    let codes = [(); 3].map(|()| merchant.status(tracking).1["status"]["messageCode"].clone());
    assert_eq!(codes, ["A", "C", "CHECK_OUT_PROCESSING"]);
    assert_eq!(sandbox.faults_waiting(), 1);
    sandbox.inject(Fault::HtmlBadGateway);
    assert_eq!(merchant.send("GET", "/", b"").unwrap().status(), 502);
}

#[test]
fn a_slow_answer_has_the_state_of_the_time_at_which_it_was_made() {
    let merchant = Merchant::of(&Sandbox::new(4));
    let tracking = merchant.new_checkout("order-1");
    merchant.sandbox.inject(Fault::Slow(Duration::from_secs(60)));
    let response = merchant.ask(&tracking);
    assert_eq!(response.headers()["date"], "Sat, 01 Jun 2024 12:52:07 GMT");
    assert_eq!(read(&response).1["status"]["messageCode"], "CHECK_OUT_PROCESSING");
    assert_eq!(merchant.status(&tracking).1["status"]["messageCode"], "CHECK_OUT_DONE");
}

#[test]
fn a_limited_request_gets_a_wait_and_a_redirect_leads_elsewhere() {
    let merchant = Merchant::of(&Sandbox::new(4));
    merchant.sandbox.inject(Fault::RateLimited);
    merchant.sandbox.inject(Fault::Redirect);
    assert_eq!(merchant.ask("trk_1").headers()["retry-after"], "2");
    let location = merchant.ask("trk_1").headers()["location"].clone();
    assert!(!location.to_str().unwrap().contains("azotte"));
}

#[test]
fn the_wrong_key_is_reported_before_the_limit() {
    let sandbox = Sandbox::new(4);
    sandbox.inject(Fault::RateLimited);
    assert_eq!(Merchant::with(&sandbox, X_TN, "sk_wrong").ask("trk_1").status(), 401);
}

#[test]
fn an_answer_that_is_no_whole_result_has_no_code() {
    for fault in [Fault::Garbage, Fault::Truncated, Fault::EmptyBody, Fault::HtmlBadGateway] {
        let merchant = Merchant::of(&Sandbox::new(4));
        merchant.sandbox.inject(fault.clone());
        let _ = merchant.send("POST", SUBMIT, order("order-1").to_string().as_bytes());
        assert_eq!(merchant.sandbox.requests()[0].answered_code(), None, "{fault:?}");
    }
}

#[test]
fn garbage_is_no_text_and_a_truncated_answer_is_a_beginning() {
    let merchant = Merchant::of(&Sandbox::new(4));
    let tracking = merchant.new_checkout("order-1");
    merchant.sandbox.inject(Fault::Garbage);
    merchant.sandbox.inject(Fault::Truncated);
    assert!(std::str::from_utf8(merchant.ask(&tracking).body()).is_err());
    let (part, whole) = (merchant.ask(&tracking).into_body(), merchant.ask(&tracking).into_body());
    assert_eq!(part.len(), whole.len() / 2);
    assert!(whole.starts_with(&part));
}

#[test]
fn a_huge_body_is_exactly_as_long_and_still_the_reply() {
    let merchant = Merchant::of(&Sandbox::new(4));
    let tracking = merchant.new_checkout("order-1");
    let plain = merchant.status(&tracking).1;
    for bytes in [1_000, BODY_CAP] {
        merchant.sandbox.inject(Fault::HugeBody(bytes));
        let response = merchant.ask(&tracking);
        assert_eq!((response.body().len(), read(&response).1), (bytes, plain.clone()));
    }
    merchant.sandbox.inject(Fault::HugeBody(BODY_CAP + 1));
    let error = merchant.send("GET", &format!("{SUBMIT}/{tracking}/status"), b"").unwrap_err();
    assert_eq!(error.exceeded_cap(), Some(BODY_CAP));
}

#[test]
fn a_swapped_reply_is_about_the_latest_other_or_a_made_up_checkout() {
    let merchant = Merchant::of(&Sandbox::new(4));
    let first = merchant.new_checkout("order-1");
    for seconds in [0, 5] {
        merchant.sandbox.clock().advance(Duration::from_secs(seconds));
        merchant.sandbox.inject(Fault::SwappedCheckout);
        let (swapped, truth) = (merchant.status(&first).1, merchant.status(&first).1);
        assert_ne!(swapped["trackingNumber"], truth["trackingNumber"]);
        assert_ne!(swapped["status"]["messageCode"], truth["status"]["messageCode"]);
    }
    assert_eq!(merchant.sandbox.checkouts().len(), 1);

    let second = merchant.new_checkout("order-2");
    merchant.sandbox.inject(Fault::SwappedCheckout);
    assert_eq!(merchant.status(&first).1["trackingNumber"], json!(second));
    merchant.sandbox.inject(Fault::SwappedCheckout);
    let (_, third) = merchant.submit(&order("order-3"));
    assert_eq!(third["trackingNumber"], json!(second));
}

#[test]
fn a_tampered_member_leaves_the_rest_unchanged() {
    let merchant = Merchant::of(&Sandbox::new(4));
    merchant.sandbox.next_checkout(Scenario::three_ds_at_once());
    let tracking = merchant.new_checkout("order-1");
    let truth = merchant.status(&tracking).1;
    let with = |fault: Fault, name: &str, expected: Option<Value>| {
        merchant.sandbox.inject(fault);
        let mut reply = merchant.status(&tracking).1;
        if let Some(expected) = expected {
            assert_eq!(reply[name], expected);
        }
        assert_ne!(reply[name], truth[name]);
        reply[name] = truth[name].clone();
        assert_eq!(reply, truth, "but for {name}");
    };
    with(Fault::TamperedTracking, "trackingNumber", None);
    with(Fault::MissingTracking, "trackingNumber", Some(Value::Null));
    with(Fault::NoFollowUp, "followUpInstructions", Some(Value::Null));
    with(Fault::NoPollingAdvice, "followUpInstructions", Some(Value::Null));
    with(
        Fault::TamperedCode("CHECK_OUT_DONE".into()),
        "status",
        Some(json!({"messageCode": "CHECK_OUT_DONE"})),
    );

    merchant.sandbox.inject(Fault::TamperedTracking);
    let nobodys = merchant.status(&tracking).1["trackingNumber"].clone();
    assert_eq!(merchant.status(nobodys.as_str().unwrap()).0, 404);
}

#[test]
fn a_reply_without_polling_advice_has_no_header_either() {
    let merchant = Merchant::of(&Sandbox::new(4));
    let tracking = merchant.new_checkout("order-1");
    let header = |fault| {
        merchant.sandbox.inject(fault);
        merchant.ask(&tracking).headers().contains_key("retry-after")
    };
    assert_eq!([Fault::NoFollowUp, Fault::NoPollingAdvice].map(header), [true, false]);
}

#[test]
fn extra_fields_leave_the_documented_ones_and_doubled_keys_disagree() {
    let merchant = Merchant::of(&Sandbox::new(4));
    let tracking = merchant.new_checkout("order-1");
    let plain = merchant.status(&tracking).1;
    merchant.sandbox.inject(Fault::ExtraFields);
    let more = merchant.status(&tracking).1;
    for object in [&["status"][..], &["followUpInstructions"], &[]] {
        let at = |value: &Value| object.iter().fold(value.clone(), |value, name| value[*name].clone());
        let (plain, more) = (at(&plain), at(&more));
        assert_eq!(more.as_object().unwrap().len(), plain.as_object().unwrap().len() + 2);
    }
    assert_eq!(more["trackingNumber"], plain["trackingNumber"]);
    assert_eq!(more["status"]["messageCode"], plain["status"]["messageCode"]);

    merchant.sandbox.inject(Fault::DuplicateKeys);
    let response = merchant.ask(&tracking);
    let text = std::str::from_utf8(response.body()).unwrap();
    assert_eq!(text.matches("\"trackingNumber\":").count(), 2);
    assert!(text.ends_with(&format!(r#","trackingNumber":"{tracking}0"}}"#)), "{text}");
    assert_eq!(text.matches("\"messageCode\":").count(), 2);
}
