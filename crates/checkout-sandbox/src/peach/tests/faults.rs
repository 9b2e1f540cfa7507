use super::*;
use checkout_tables::Moment;
use checkout_transport::Delivery;

/// The answer to a read of a paid checkout with a fault, and the answer to the next read.
fn check(fault: Fault) -> [String; 2] {
    let (shop, id) = world();
    shop.sandbox.inject(fault);
    [(); 2].map(|()| match shop.sandbox.send_blocking(shop.status_request(&[("checkoutId", &id)])) {
        Ok(response) => {
            let content_type =
                response.headers().get("content-type").map_or("-", |value| value.to_str().unwrap());
            format!("{content_type} {}", refusal(&read(&response)))
        }
        Err(error) => error.delivery().to_string(),
    })
}

/// A shop with two paid checkouts, and the id of the first.
fn world() -> (Shop, String) {
    let shop = Shop::playing(Scenario::happy());
    let id = shop.new_checkout("order-0001");
    shop.new_checkout("order-0002");
    shop.advance(60);
    (shop, id)
}

/// The flat fields of the first checkout: with a fault in V1, with the fault in V2, and without a fault.
fn spoiled(fault: &Fault) -> [Value; 3] {
    let (shop, id) = world();
    shop.sandbox.inject_on(Route::Status, fault.clone());
    let v1 = shop.status("checkoutId", &id).1;
    shop.sandbox.inject_on(Route::CheckoutStatus, fault.clone());
    let v2 = with_bearer(get(&format!("/v2/checkout/{id}/status")), &shop.access_token());
    let v2 = shop.call(v2).1;
    assert_eq!(shop.sandbox.faults_waiting(), 0);
    [v1, v2, shop.status("checkoutId", &id).1]
}

#[test]
fn a_fault_strikes_once() {
    let fine = "application/json 200 000.100.110";
    let table = [
        (Fault::LostBefore, "not sent"),
        (Fault::LostRequest, "unknown"),
        (Fault::LostAnswer, "unknown"),
        (Fault::Slow(Duration::from_secs(30)), fine),
        (Fault::Garbage, "application/json 200 null"),
        (Fault::Truncated, "application/json 200 null"),
        (Fault::HtmlBadGateway, "text/html 502 null"),
        (Fault::EmptyUnauthorized, "- 401 null"),
        (Fault::Redirect, "text/html 302 null"),
        (Fault::RateLimited, "application/json 429 Too many requests."),
        (Fault::InternalError, "application/json 500 Internal server error."),
        (Fault::LateInternalError, "application/json 500 Internal server error."),
        (Fault::Refused("700.600.100".into()), "application/json 400 700.600.100"),
        (Fault::DuplicateKeys, fine),
        (Fault::HugeBody(100_000), fine),
        (Fault::HugeBody(usize::MAX), "unknown"),
        (Fault::SwappedCheckout, fine),
        (Fault::OtherAmount, fine),
        (Fault::TamperedAmount, fine),
        (Fault::TamperedCode("100.396.101".into()), "application/json 200 100.396.101"),
        (Fault::TamperedSignature, fine),
        (Fault::Unsigned, fine),
        (Fault::ExtraSignedKey, fine),
        (Fault::ExtraUnsignedKey, fine),
        (Fault::NumbersForTexts, fine),
        (Fault::BareResult, fine),
    ];
    for (fault, expected) in table {
        assert_eq!(check(fault.clone()), [expected, fine], "{fault:?}");
    }
}

#[test]
fn a_request_lost_before_the_sandbox_makes_no_checkout_and_a_lost_answer_leaves_a_checkout() {
    for (fault, checkouts, requests) in [
        (Fault::LostBefore, 0, 0),
        (Fault::LostRequest, 0, 0),
        (Fault::EmptyUnauthorized, 0, 1),
        (Fault::Redirect, 0, 1),
        (Fault::RateLimited, 0, 1),
        (Fault::InternalError, 0, 1),
        (Fault::Refused("200.300.404".into()), 0, 1),
        (Fault::LateInternalError, 1, 1),
        (Fault::LostAnswer, 1, 1),
        (Fault::Slow(Duration::from_secs(1)), 1, 1),
        (Fault::Garbage, 1, 1),
        (Fault::Truncated, 1, 1),
        (Fault::HtmlBadGateway, 1, 1),
        (Fault::HugeBody(BODY_CAP + 1), 1, 1),
        (Fault::ExtraFields, 1, 1),
        (Fault::DuplicateKeys, 1, 1),
    ] {
        let shop = Shop::of(&Sandbox::new(4));
        let form = form::encode(&shop.signed(shop.fields("order-0001")));
        let send = || shop.sandbox.send_blocking(post("/checkout/initiate", FORM, &form));
        shop.sandbox.inject(fault.clone());
        let _ = send();
        assert_eq!(shop.sandbox.checkouts().len(), checkouts, "{fault:?}");
        assert_eq!(shop.sandbox.requests().len(), requests, "{fault:?}");
        assert_eq!(shop.sandbox.faults_waiting(), 0, "{fault:?}");
        let again = if checkouts == 1 { 400 } else { 201 };
        assert_eq!(send().unwrap().status(), again, "a signature that made a checkout is spent: {fault:?}");
    }
}

#[test]
fn a_lost_answer_is_recorded_as_it_would_have_arrived() {
    let (shop, id) = world();
    shop.sandbox.inject(Fault::LostAnswer);
    let error = shop.sandbox.send_blocking(shop.status_request(&[("checkoutId", &id)])).unwrap_err();
    assert_eq!(error.delivery(), Delivery::Unknown);
    let recorded = shop.sandbox.requests().pop().unwrap();
    assert_eq!((recorded.answered_status(), recorded.answered_code()), (200, Some("000.100.110")));
    assert!(!recorded.answer_arrived());
}

#[test]
fn faults_wait_for_a_fitting_request() {
    let (shop, id) = world();
    shop.sandbox.inject(Fault::TamperedAmount);
    shop.sandbox.inject_on(Route::Initiate, Fault::OtherAmount);
    shop.sandbox.inject_on(Route::Token, Fault::RateLimited);
    shop.sandbox.inject(Fault::ExtraFields);
    let (_, reply) = shop.initiate(shop.fields("order-0003"));
    assert!(reply["x_sandbox_flag"].is_boolean() && reply["redirectUrl"].is_string());
    assert_eq!(shop.sandbox.faults_waiting(), 3);
    assert_eq!(shop.status("checkoutId", &id).1["amount"], "0.01");
    let credentials =
        json!({"clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET, "merchantId": MERCHANT_ID});
    let limited = shop.sandbox.send_blocking(token_request(&credentials)).unwrap();
    assert_eq!((limited.status().as_u16(), limited.headers()["retry-after"].to_str().unwrap()), (429, "30"));
    shop.access_token();
    // An initiate has no amount to change in its reply, so that fault waits for ever.
    shop.new_checkout("order-0004");
    assert_eq!(shop.sandbox.faults_waiting(), 1);
}

#[test]
fn only_fields_changed_after_the_signing_fail_the_signature() {
    let token = Shop::of(&Sandbox::new(1));
    let table = [
        (Fault::SwappedCheckout, true),
        (Fault::OtherAmount, true),
        (Fault::ExtraSignedKey, true),
        (Fault::BareResult, true),
        (Fault::TamperedAmount, false),
        (Fault::TamperedCode("000.000.000".into()), false),
        (Fault::TamperedSignature, false),
        (Fault::Unsigned, false),
        (Fault::ExtraUnsignedKey, false),
    ];
    for (fault, signed) in table {
        let [v1, v2, plain] = spoiled(&fault);
        assert_eq!(v1, v2, "{fault:?}");
        assert_ne!(v1, plain, "{fault:?}");
        assert_eq!([&v1, &plain].map(|flat| token.is_signed(flat)), [signed, true], "{fault:?}");
    }
}

#[test]
fn each_fault_changes_the_named_field_alone() {
    let changed = |fault: Fault| {
        let [spoiled, _, plain] = spoiled(&fault);
        let (spoiled, plain) = (texts(&spoiled), texts(&plain));
        let keys: Vec<String> = spoiled
            .iter()
            .filter(|pair| !plain.contains(pair))
            .chain(plain.iter().filter(|(key, _)| spoiled.iter().all(|(known, _)| known != key)))
            .map(|(key, _)| key.clone())
            .collect();
        keys.join(" ")
    };
    assert_eq!(changed(Fault::OtherAmount), "amount signature");
    assert_eq!(changed(Fault::TamperedAmount), "amount");
    assert_eq!(changed(Fault::TamperedCode("0".into())), "result.code");
    assert_eq!(changed(Fault::TamperedSignature), "signature");
    assert_eq!(changed(Fault::Unsigned), "signature");
    assert_eq!(changed(Fault::ExtraSignedKey), "signature x.sandboxUnknown");
    assert_eq!(changed(Fault::ExtraUnsignedKey), "x.sandboxUnknown");
    let [bare, ..] = spoiled(&Fault::BareResult);
    let keys: Vec<_> = bare.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["result.code", "result.description", "signature"]);
}

#[test]
fn numbers_stand_where_texts_were_with_all_their_digits_and_the_same_signature() {
    let (shop, id) = world();
    let plain = texts(&shop.status("checkoutId", &id).1);
    shop.sandbox.inject(Fault::NumbersForTexts);
    let body = shop.sandbox.send_blocking(shop.status_request(&[("checkoutId", &id)])).unwrap().into_body();
    let text = std::str::from_utf8(&body).unwrap();
    for (key, value) in plain {
        let is_number = serde_json::from_str::<serde_json::Number>(&value).is_ok();
        let shown = if is_number { value } else { json!(value).to_string() };
        assert!(text.contains(&format!("{}:{shown}", json!(key))), "{key} is not {shown} in {text}");
    }
    assert!(text.contains(r#""amount":92.00,"#) && text.contains(r#""signature":""#), "{text}");
}

#[test]
fn a_swapped_checkout_is_the_latest_other_or_a_made_up_checkout() {
    let [swapped, _, plain] = spoiled(&Fault::SwappedCheckout);
    assert_eq!(swapped["merchantTransactionId"], "order-0002");
    assert_ne!(swapped["checkoutId"], plain["checkoutId"]);
    let shop = Shop::playing(Scenario::never_opened());
    let id = shop.new_checkout("order-0001");
    shop.sandbox.inject(Fault::SwappedCheckout);
    let (_, made_up) = shop.status("checkoutId", &id);
    assert_eq!(made_up["result.code"], "000.100.110", "one that would be worth something");
    assert!(shop.is_signed(&made_up) && made_up["checkoutId"] != json!(id));
    assert_ne!(made_up["merchantTransactionId"], "order-0001");
}

#[test]
fn faults_strike_within_the_wrapped_shape() {
    let sandbox = Sandbox::builder().merchant(default_merchant().wrapped_status()).build();
    let shop = Shop::of(&sandbox);
    let id = shop.new_checkout("order-0001");
    sandbox.inject(Fault::TamperedAmount);
    let (_, reply) = shop.status("checkoutId", &id);
    assert_eq!(reply["redirect_post_data"]["amount"], "0.01");
    assert!(!shop.is_signed(&reply["redirect_post_data"]));
}

#[test]
fn doubled_keys_disagree() {
    let (shop, id) = world();
    shop.sandbox.inject(Fault::DuplicateKeys);
    let body = shop.sandbox.send_blocking(shop.status_request(&[("checkoutId", &id)])).unwrap().into_body();
    let text = std::str::from_utf8(&body).unwrap();
    assert!(text.starts_with(r#"{"amount":"92.00","#) && text.ends_with(r#","amount":"92.000"}"#), "{text}");
}

#[test]
fn a_huge_body_is_exactly_as_long_and_still_the_reply() {
    let (shop, id) = world();
    shop.sandbox.inject(Fault::HugeBody(BODY_CAP));
    let response = shop.sandbox.send_blocking(shop.status_request(&[("checkoutId", &id)])).unwrap();
    assert_eq!((response.body().len(), &read(&response).1["amount"]), (BODY_CAP, &json!("92.00")));
    shop.sandbox.inject(Fault::HugeBody(BODY_CAP + 1));
    let error = shop.sandbox.send_blocking(shop.status_request(&[("checkoutId", &id)])).unwrap_err();
    assert_eq!(error.exceeded_cap(), Some(BODY_CAP));
}

#[test]
fn a_slow_answer_has_the_date_at_which_it_was_made() {
    let (shop, id) = world();
    shop.sandbox.inject(Fault::Slow(Duration::from_secs(90)));
    let response = shop.sandbox.send_blocking(shop.status_request(&[("checkoutId", &id)])).unwrap();
    assert_eq!(response.headers()["date"], "Thu, 23 May 2024 21:51:00 GMT");
    assert_eq!(shop.sandbox.clock().now(), Moment::from_unix_millis(1_716_501_150_000));
}
