use super::*;

fn order(transaction_id: &str) -> Value {
    json!({
        "authentication": {"entityId": ENTITY_ID}, "merchantTransactionId": transaction_id, "amount": 10.25,
        "currency": "KES", "paymentType": "DB", "nonce": "n", "shopperResultUrl": "https://shop.example/",
        "customer": {"givenName": "Ann"}, "customParameters": {"a": "b"},
    })
}

fn create(shop: &Shop, token: &str, order: &Value) -> (u16, Value) {
    shop.call(with_bearer(post("/v2/checkout", "application/json", &order.to_string()), token))
}

fn status(shop: &Shop, token: &str, id: &str) -> (u16, Value) {
    shop.call(with_bearer(get(&format!("/v2/checkout/{id}/status")), token))
}

#[test]
fn a_token_is_given_for_the_right_credentials() {
    let shop = Shop::of(&Sandbox::new(2));
    let credentials =
        json!({"clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET, "merchantId": MERCHANT_ID});
    let (code, reply) = shop.call(token_request(&credentials));
    assert_eq!((code, &reply["expires_in"], &reply["token_type"]), (200, &json!("14400"), &json!("Bearer")));
    assert_ne!(shop.access_token(), shop.access_token());
    for key in ["clientId", "clientSecret", "merchantId"] {
        let mut wrong = credentials.clone();
        wrong[key] = json!("wrong");
        assert_eq!(refusal(&shop.call(token_request(&wrong))), "401 Invalid credentials.", "{key}");
        wrong.as_object_mut().unwrap().remove(key);
        assert_eq!(refusal(&shop.call(token_request(&wrong))), "401 Invalid credentials.", "{key}");
    }
    assert_eq!(refusal(&shop.call(token_request(&json!([])))), "400 The JSON cannot be read.");
    let numbered = Shop::of(&Sandbox::builder().expires_in_as_number().build());
    assert_eq!(numbered.call(token_request(&credentials)).1["expires_in"], json!(14_400));
}

#[test]
fn a_checkout_is_made_and_read_with_a_token() {
    let shop = Shop::playing(Scenario::happy());
    let token = shop.access_token();
    let (code, reply) = create(&shop, &token, &order("order-0001"));
    assert_eq!((code, reply.as_object().unwrap().len()), (200, 2));
    let id = reply["checkoutId"].as_str().unwrap();
    assert!(reply["redirectUrl"].as_str().unwrap().starts_with(HOST));
    shop.advance(60);
    let (code, flat) = status(&shop, &token, id);
    assert_eq!((code, &flat["result.code"], &flat["amount"]), (200, &json!("000.100.110"), &json!("10.25")));
    assert_eq!(flat["customParameters[a]"], "b");
    assert!(shop.is_signed(&flat));
    assert_eq!(shop.status("merchantTransactionId", "order-0001").1, flat, "V1 knows it as well");
}

#[test]
fn a_card_that_is_stored_has_a_registration_id_once_it_has_paid() {
    for (flag, stores) in [
        (json!({}), false),
        (json!({"createRegistration": false}), false),
        (json!({"createRegistration": true}), true),
        (json!({"allowStoringDetails": true}), true),
    ] {
        let shop = Shop::playing(Scenario::happy());
        let token = shop.access_token();
        let mut asked = order("order-0001");
        for (key, value) in flag.as_object().unwrap() {
            asked[key] = value.clone();
        }
        let (code, reply) = create(&shop, &token, &asked);
        assert_eq!(code, 200, "{reply}");
        let id = reply["checkoutId"].as_str().unwrap().to_owned();
        assert_eq!(status(&shop, &token, &id).1.get("registrationId"), None);
        shop.advance(60);
        let flat = status(&shop, &token, &id).1;
        let registration = flat.get("registrationId").and_then(Value::as_str);
        assert_eq!(registration.map(str::len), stores.then_some(32), "{flag}");
        assert!(shop.is_signed(&flat));
        assert_eq!(shop.status("checkoutId", &id).1.get("registrationId"), flat.get("registrationId"));
    }
}

#[test]
fn stored_cards_are_a_list_and_an_instruction_is_an_object() {
    let shop = Shop::of(&Sandbox::new(2));
    let token = shop.access_token();
    let said = |key: &str, value: Value| {
        let mut asked = order("order-0001");
        asked[key] = value;
        refusal(&create(&shop, &token, &asked))
    };
    assert_eq!(
        said("cardTokens", json!(["8ac7a49f8e9f15d2018ea09b285f0eaa", "8ac7a49f8e9f15d2018ea09b285f0acc"])),
        "200 null"
    );
    assert_eq!(said("cardTokens", json!("a,b")), r#"400 {"cardTokens":"is not allowed"}"#);
    let good = json!({"mode": "INITIAL", "type": "RECURRING", "recurringType": "SUBSCRIPTION", "frequency": 30,
        "expiry": "9999-12-31"});
    assert_eq!(said("standingInstruction", good.clone()), "200 null");
    for (key, value, wrong) in [
        ("mode", json!("FIRST"), "must be one of INITIAL, REPEATED"),
        ("mode", Value::Null, "is required"),
        ("type", json!(null), "is required"),
        ("type", json!("recurring"), "must be one of UNSCHEDULED, RECURRING, INSTALLMENT"),
        ("source", json!("SIT"), "must be one of CIT, MIT"),
        ("recurringType", json!("OTHER"), "must be one of SUBSCRIPTION, STANDING_ORDER"),
        ("frequency", json!(0), "must be 1 to 9999 days"),
        ("frequency", json!(10_000), "must be 1 to 9999 days"),
        ("expiry", json!("31.12.2029"), "must be a day, as 2029-12-31"),
        ("misspelt", json!("x"), "is not allowed"),
    ] {
        let mut instruction = good.clone();
        instruction[key] = value;
        let refused = format!(r#"400 {{"standingInstruction.{key}":"{wrong}"}}"#);
        assert_eq!(said("standingInstruction", instruction), refused);
    }
}

#[test]
fn the_entity_may_be_dotted_or_nested_and_must_be_the_merchant_s() {
    let shop = Shop::of(&Sandbox::new(2));
    let token = shop.access_token();
    let mut dotted = order("order-0001");
    dotted.as_object_mut().unwrap().remove("authentication");
    assert!(
        refusal(&create(&shop, &token, &dotted)).contains(r#"{"authentication.entityId":"is required"}"#)
    );
    dotted["authentication.entityId"] = json!(ENTITY_ID);
    assert_eq!(create(&shop, &token, &dotted).0, 200);
    dotted["authentication"] = json!({"entityId": ENTITY_ID});
    assert!(refusal(&create(&shop, &token, &dotted)).contains("is given twice"));
    let mut other = order("order-0001");
    other["authentication"]["entityId"] = json!("8ac7a4ca00000000000000005a4d0b02");
    assert_eq!(refusal(&create(&shop, &token, &other)), "400 The entity is not the merchant's.");
}

#[test]
fn the_fields_are_v1_s_without_a_signature() {
    let shop = Shop::of(&Sandbox::new(2));
    let token = shop.access_token();
    for key in ["merchantTransactionId", "amount", "currency", "paymentType", "nonce", "shopperResultUrl"] {
        let mut without = order("order-0001");
        without[key] = Value::Null;
        assert_eq!(refusal(&create(&shop, &token, &without)), format!(r#"400 {{"{key}":"is required"}}"#));
    }
    let mut signed = order("order-0001");
    signed["signature"] = json!("0".repeat(64));
    assert_eq!(refusal(&create(&shop, &token, &signed)), r#"400 {"signature":"is not allowed"}"#);
    let mut no_referer =
        with_bearer(post("/v2/checkout", "application/json", &order("o").to_string()), &token);
    no_referer.headers_mut().remove("referer");
    assert_eq!(refusal(&shop.call(no_referer)), "400 The referer is not allowed.");
    let form = with_bearer(post("/v2/checkout", FORM, "a=b"), &token);
    assert_eq!(refusal(&shop.call(form)), "415 The content type is not supported.");
    assert!(shop.sandbox.checkouts().is_empty());
    let again = [(); 2].map(|()| create(&shop, &token, &order("order-0001")).0);
    assert_eq!(again, [200, 200], "the same request makes a second checkout");
    assert_eq!(shop.sandbox.checkouts().len(), 2);
}

#[test]
fn a_token_ends_in_virtual_time_and_not_by_another_token() {
    let sandbox = Sandbox::builder().access_tokens_last(Duration::from_secs(60)).status_limit(None).build();
    let shop = Shop::of(&sandbox);
    let first = shop.access_token();
    let id = create(&shop, &first, &order("order-0001")).1["checkoutId"].as_str().unwrap().to_owned();
    shop.advance(59);
    let second = shop.access_token();
    assert_eq!(status(&shop, &first, &id).0, 200);
    shop.advance(1);
    assert_eq!(refusal(&status(&shop, &first, &id)), "401 Unauthorized.");
    assert_eq!(refusal(&create(&shop, &first, &order("order-0002"))), "401 Unauthorized.");
    assert_eq!(status(&shop, &second, &id).0, 200);
    for header in ["", "Bearer", "Bearer nobodys", "Basic abc"] {
        let mut request = get(&format!("/v2/checkout/{id}/status"));
        request.headers_mut().insert("authorization", header.parse().unwrap());
        assert_eq!(refusal(&shop.call(request)), "401 Unauthorized.", "{header}");
    }
    assert_eq!(refusal(&shop.call(get(&format!("/v2/checkout/{id}/status")))), "401 Unauthorized.");
}

#[test]
fn an_unknown_checkout_and_another_merchant_s_are_not_found() {
    let other = "8ac7a4ca00000000000000005a4d0b02";
    let merchant = Merchant::new(other, SecretToken::new("other".into()).unwrap()).domain("shop.example");
    let sandbox =
        Sandbox::builder().merchant(default_merchant()).merchant(merchant).status_limit(None).build();
    let id = Shop::with(&sandbox, other, "other").new_checkout("order-0001");
    let shop = Shop::of(&sandbox);
    let token = shop.access_token();
    for id in [&*id, "nobodys", "%ff", "a%2Fb"] {
        assert_eq!(refusal(&status(&shop, &token, id)), "404 200.300.404");
    }
    let mine = shop.new_checkout("order-0001");
    let escaped: String = mine.bytes().map(|byte| format!("%{byte:02x}")).collect();
    assert_eq!(status(&shop, &token, &escaped).0, 200);
}

#[test]
fn the_status_of_v2_is_flat_even_for_a_wrapped_merchant() {
    let sandbox = Sandbox::builder().merchant(default_merchant().wrapped_status()).build();
    let shop = Shop::of(&sandbox);
    let id = shop.new_checkout("order-0001");
    let (_, flat) = status(&shop, &shop.access_token(), &id);
    assert_eq!(flat, shop.status("checkoutId", &id).1["redirect_post_data"]);
}
