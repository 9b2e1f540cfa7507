use super::*;

/// The answer to an initiate with a change of the fields before the signing.
fn check(change: impl FnOnce(&mut Pairs)) -> String {
    let shop = Shop::of(&Sandbox::new(1));
    let mut fields = shop.fields("order-0001");
    change(&mut fields);
    let answer = shop.initiate(fields);
    assert_eq!(answer.0 == 201, shop.sandbox.checkouts().len() == 1);
    refusal(&answer)
}

fn set(fields: &mut Pairs, key: &str, value: &str) {
    fields.retain(|(known, _)| known != key);
    fields.push((key.to_owned(), value.to_owned()));
}

fn with(key: &str, value: &str) -> String {
    check(|fields| set(fields, key, value))
}

const DONE: &str = "201 null";

/// Public: the API reference of `POST /checkout/initiate`, 1.0.0.
#[test]
fn a_card_is_stored_by_one_of_two_flags_and_an_amount_of_0_by_the_first_alone() {
    let both = |fields: &mut Pairs| {
        set(fields, "createRegistration", "true");
        set(fields, "allowStoringDetails", "true");
    };
    assert_eq!(check(both), r#"400 {"createRegistration":"must not be true when allowStoringDetails is"}"#);
    for key in ["createRegistration", "allowStoringDetails"] {
        assert_eq!([with(key, "true"), with(key, "false")], [DONE, DONE], "{key}");
        assert_eq!(with(key, "1"), format!(r#"400 {{"{key}":"must be one of true, false"}}"#));
    }
    assert_eq!(with("cardTokens", "8ac7a49f8e9f15d2018ea09b285f0eaa,8ac7a49f8e9f15d2018ea09b285f0acc"), DONE);
    let nothing = |payment_type: &'static str, stores: &'static str| {
        check(move |fields| {
            set(fields, "amount", "0.00");
            set(fields, "paymentType", payment_type);
            set(fields, stores, "true");
        })
    };
    assert_eq!(nothing("PA", "createRegistration"), DONE);
    let refused = r#"400 {"amount":"must be more than 0, but for PA with createRegistration"}"#;
    assert_eq!(nothing("DB", "createRegistration"), refused);
    assert_eq!(nothing("PA", "allowStoringDetails"), refused);
    // No page of V1 shows the field.
    let instructed = with("standingInstruction.mode", "INITIAL");
    assert_eq!(instructed, r#"400 {"standingInstruction.mode":"is not allowed"}"#);
}

#[test]
fn an_initiate_is_answered_with_a_url_alone() {
    let shop = Shop::of(&Sandbox::new(1));
    let (status, reply) = shop.initiate(shop.fields("order-0001"));
    assert_eq!((status, reply.as_object().unwrap().len()), (201, 1));
    let id = &shop.sandbox.checkouts()[0].checkout_id;
    let url = reply["redirectUrl"].as_str().unwrap();
    assert!(url.starts_with(HOST) && !url.contains(id.as_str()), "the id comes with the first webhook");
}

#[test]
fn every_required_field_is_required_and_all_faults_are_reported() {
    for key in
        ["authentication.entityId", "merchantTransactionId", "amount", "paymentType", "currency", "nonce"]
    {
        let refused = format!(r#"400 {{"{key}":"is required"}}"#);
        assert_eq!(check(|fields| fields.retain(|(known, _)| known != key)), refused);
        assert_eq!(with(key, ""), refused);
    }
    let shop = Shop::of(&Sandbox::new(1));
    let (_, reply) = shop.call(post("/checkout/initiate", FORM, ""));
    assert_eq!(reply["validation_errors"].as_object().unwrap().len(), 8);
    let (_, reply) = shop.initiate(pairs(&[("amount", "1,00"), ("currency", "XTS"), ("misspelt", "1")]));
    let wrong: Vec<_> = reply["validation_errors"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(wrong.len(), 8, "{wrong:?}");
}

#[test]
fn every_field_follows_the_rules_of_the_page() {
    let table: [(&str, &[(String, bool)]); 11] = [
        ("amount", &["2", "2.00", "12345678.99", "00000001", "0.01"].map(|value| (value.to_owned(), true))),
        (
            "amount",
            &["0", "0.00", "00", "2.0", "2.", ".50", "123456789", "-1", "1,00", "1e2", "2.000", "٢"]
                .map(|value| (value.to_owned(), false)),
        ),
        ("paymentType", &[("PA".into(), true), ("db".into(), false), ("CD".into(), false)]),
        ("currency", &["ZAR", "USD", "KES", "MUR", "GBP", "EUR"].map(|value| (value.to_owned(), true))),
        ("currency", &["zar", "JPY", "710"].map(|value| (value.to_owned(), false))),
        ("nonce", &[("n".repeat(64), true), ("n".repeat(65), false)]),
        ("merchantTransactionId", &[("é".repeat(48), true), ("a".into(), true), ("a".repeat(49), false)]),
        ("shopperResultUrl", &[("u".repeat(6), true), ("u".repeat(2048), true), ("u".repeat(5), false)]),
        ("merchantInvoiceId", &[("i".repeat(8), true), ("i".repeat(255), true), ("i".repeat(7), false)]),
        ("forceDefaultMethod", &[("true".into(), true), ("false".into(), true), ("1".into(), false)]),
        ("authentication.entityId", &[("8AC7A4CA00000000000000005A4D0B01".into(), false)]),
    ];
    for (key, values) in table {
        for (value, fine) in values {
            let answer = with(key, value);
            let told = answer == DONE || answer.starts_with(&format!(r#"400 {{"{key}":"must be "#));
            assert!(told && (answer == DONE) == *fine, "{key} {value}: {answer}");
        }
    }
}

#[test]
fn other_fields_are_taken_if_a_page_names_them_and_may_be_empty() {
    for key in [
        "customParameters[a b]",
        "customer.email",
        "billing.street1",
        "shipping.country",
        "cart.items[0].name",
        "cancelUrl",
        "notificationUrl",
        "defaultPaymentMethod",
        "originator",
    ] {
        assert_eq!(with(key, "a + b & c = é"), DONE, "{key}");
        assert_eq!(with(key, ""), DONE, "{key}");
    }
    for key in ["customParameters[]", "customParameters[a", "Amount", "customer", "merchantTransactionID"] {
        assert_eq!(with(key, "1"), format!(r#"400 {{"{key}":"is not allowed"}}"#));
    }
}

#[test]
fn a_field_twice_is_refused() {
    let shop = Shop::of(&Sandbox::new(1));
    let form = form::encode(&shop.signed(shop.fields("order-0001")));
    let answer = shop.call(post("/checkout/initiate", FORM, &format!("{form}&amount=92.00")));
    assert_eq!(refusal(&answer), r#"400 {"amount":"is given twice"}"#);
}

#[test]
fn the_page_s_own_length_of_an_id_can_be_asked_for() {
    let shop = Shop::of(&Sandbox::builder().transaction_ids_of_8_to_16().build());
    for (id, status) in
        [("o".repeat(7), 400), ("o".repeat(8), 201), ("o".repeat(16), 201), ("o".repeat(17), 400)]
    {
        assert_eq!(shop.initiate(shop.fields(&id)).0, status, "{id}");
    }
}

#[test]
fn the_signature_covers_every_field_and_is_compared_strictly() {
    let shop = Shop::of(&Sandbox::new(1));
    let signed = shop.signed(shop.fields("order-0001"));
    let send = |fields: &Pairs| refusal(&shop.call(post("/checkout/initiate", FORM, &form::encode(fields))));
    let invalid = "400 The signature is invalid.";
    let mut extra = signed.clone();
    set(&mut extra, "cancelUrl", "");
    assert_eq!(send(&extra), invalid, "an empty field is signed too");
    let mut other = signed.clone();
    set(&mut other, "nonce", "another");
    assert_eq!(send(&other), invalid);
    let mut upper = signed.clone();
    let signature = value_of(&signed, "signature").unwrap().to_uppercase();
    set(&mut upper, "signature", &signature);
    assert!(send(&upper).starts_with(r#"400 {"signature":"#));
    let stranger = Shop::with(&shop.sandbox, ENTITY_ID, "another_secret");
    assert_eq!(refusal(&stranger.initiate(stranger.fields("order-0001"))), invalid);
    let nobody = Shop::with(&shop.sandbox, "8ac7a4ca00000000000000005a4d0bff", SECRET_TOKEN);
    let unknown = "400 Unknown authentication.entityId.";
    assert_eq!(refusal(&nobody.initiate(nobody.fields("order-0001"))), unknown);
    assert!(shop.sandbox.checkouts().is_empty());
    assert_eq!(send(&signed), DONE);
}

#[test]
fn the_same_signature_is_refused_for_a_day() {
    let shop = Shop::of(&Sandbox::new(1));
    let form = form::encode(&shop.signed(shop.fields("order-0001")));
    let send = |path: &str| refusal(&shop.call(post(path, FORM, &form)));
    let duplicate = "400 Duplicate signature.";
    assert_eq!(send("/checkout/validate"), "200 null");
    assert_eq!(send("/checkout/validate"), "200 null", "validate spends nothing");
    assert_eq!(send("/checkout/initiate"), DONE);
    assert_eq!(send("/checkout/initiate"), duplicate);
    assert_eq!(send("/checkout/validate"), duplicate);
    shop.advance(86_399);
    assert_eq!(send("/checkout/initiate"), duplicate);
    shop.advance(1);
    assert_eq!(send("/checkout/initiate"), DONE);
    assert_eq!(shop.sandbox.checkouts().len(), 2);
}

#[test]
fn validate_answers_as_initiate_would_and_makes_nothing() {
    let shop = Shop::of(&Sandbox::new(1));
    for change in ["", "amount", "nonce", "signature"] {
        let mut fields = shop.signed(shop.fields("order-0001"));
        fields.retain(|(key, _)| key != change);
        let form = form::encode(&fields);
        let validated = refusal(&shop.call(post("/checkout/validate", FORM, &form)));
        assert!(shop.sandbox.checkouts().is_empty());
        let initiated = refusal(&Shop::of(&Sandbox::new(1)).call(post("/checkout/initiate", FORM, &form)));
        assert_eq!(validated.replace("200", "201"), initiated);
    }
}

#[test]
fn a_referer_is_of_an_allowed_domain() {
    let table = [
        (Some("https://shop.example"), true),
        (Some("https://SHOP.example/checkout?a=b"), true),
        (Some("http://shop.example:8080/"), true),
        (Some("shop.example"), true),
        (None, false),
        (Some(""), false),
        (Some("https://www.shop.example/"), false),
        (Some("https://shop.example.evil.example/"), false),
        (Some("https://evil.example/shop.example"), false),
        (Some("https://shop.example@evil.example/"), false),
    ];
    for (referer, allowed) in table {
        let shop = Shop::of(&Sandbox::new(1));
        let form = form::encode(&shop.signed(shop.fields("order-0001")));
        let mut request = post("/checkout/initiate", FORM, &form);
        request.headers_mut().remove("referer");
        if let Some(referer) = referer {
            request.headers_mut().insert("referer", referer.parse().unwrap());
        }
        let expected = if allowed { DONE } else { "400 The referer is not allowed." };
        assert_eq!(refusal(&shop.call(request)), expected, "{referer:?}");
    }
}

#[test]
fn a_body_is_a_form_or_json_with_its_media_type() {
    let send = |content_type: &str, body: fn(&Pairs) -> String| {
        let shop = Shop::of(&Sandbox::new(1));
        let body = body(&shop.signed(shop.fields("order-0001")));
        refusal(&shop.call(post("/checkout/initiate", content_type, &body)))
    };
    let form: fn(&Pairs) -> String = |fields| form::encode(fields);
    let flat: fn(&Pairs) -> String = |fields| {
        Value::Object(fields.iter().map(|(key, text)| (key.clone(), json!(text))).collect()).to_string()
    };
    let nested: fn(&Pairs) -> String = |fields| {
        let text = |key| value_of(fields, key).unwrap();
        json!({
            "authentication": {"entityId": text("authentication.entityId")},
            "merchantTransactionId": text("merchantTransactionId"), "amount": text("amount"),
            "paymentType": text("paymentType"), "currency": text("currency"), "nonce": text("nonce"),
            "shopperResultUrl": text("shopperResultUrl"), "signature": text("signature"), "cancelUrl": null,
        })
        .to_string()
    };
    assert_eq!(send("Application/X-WWW-Form-Urlencoded; charset=utf-8", form), DONE);
    assert_eq!(send("application/json", flat), DONE);
    assert_eq!(send("application/json", nested), DONE);
    assert_eq!(send("application/json", form), "400 The JSON cannot be read.");
    assert_eq!(send(FORM, |_| "amount=%".to_owned()), "400 The form cannot be read.");
    assert_eq!(send("text/plain", form), "415 The content type is not supported.");
}

#[test]
fn a_status_must_be_signed_and_have_an_id() {
    let shop = Shop::playing(Scenario::happy());
    let id = shop.new_checkout("order-0001");
    let ask = |target: &str| refusal(&shop.call(get(target)));
    let entity = format!("authentication.entityId={ENTITY_ID}");
    let invalid = "400 The signature is invalid.";
    assert_eq!(ask("/status"), "400 Unknown authentication.entityId.");
    assert_eq!(ask(&format!("/status?checkoutId={id}&{entity}")), invalid);
    assert_eq!(ask(&format!("/status?checkoutId={id}&{entity}&signature={:064}", 0)), invalid);
    assert_eq!(ask(&format!("/status?{entity}&a=%zz")), "400 The query cannot be read.");
    let target = shop.status_request(&[("checkoutId", &id)]).uri().path_and_query().unwrap().to_string();
    assert_eq!(ask(&target), "200 700.400.580");
    assert_eq!(ask(&format!("{target}&checkoutId={id}")), invalid, "a key twice");
    assert_eq!(ask(&format!("{target}&unsigned=1")), invalid);
    let nothing = "400 checkoutId, merchantTransactionId or id is required.";
    assert_eq!(refusal(&shop.call(shop.status_request(&[]))), nothing);
    assert_eq!(refusal(&shop.call(shop.status_request(&[("checkoutId", "")]))), nothing);
    assert_eq!(refusal(&shop.status("checkoutId", "nobodys")), "400 200.300.404");
    let with_unknown = shop.status_request(&[("checkoutId", &id), ("unknown", "+")]);
    assert_eq!(refusal(&shop.call(with_unknown)), "200 700.400.580");
}

#[test]
fn a_transaction_id_finds_its_latest_checkout_and_a_payment_id_a_paid_checkout() {
    let shop = Shop::playing(Scenario::never_opened());
    let [first, second, other] = ["order-a", "order-a", "order-b"].map(|id| shop.new_checkout(id));
    let found = |key: &str, value: &str| shop.status(key, value).1["checkoutId"].clone();
    assert_eq!(found("merchantTransactionId", "order-a"), json!(second));
    assert_eq!(found("checkoutId", &first), json!(first));
    let both = [("merchantTransactionId", "order-a"), ("checkoutId", &*first)];
    assert_eq!(shop.call(shop.status_request(&both)).1["checkoutId"], json!(first));
    let disagreeing = [("merchantTransactionId", "order-a"), ("checkoutId", &*other)];
    assert_eq!(refusal(&shop.call(shop.status_request(&disagreeing))), "400 200.300.404");

    assert!(shop.sandbox.pay(&first));
    let payment = shop.status("checkoutId", &first).1["id"].as_str().unwrap().to_owned();
    assert_eq!(found("id", &payment), json!(first));
    assert_eq!(refusal(&shop.status("id", &first)), "400 200.300.404", "a checkout's id is not a payment's");
    assert_eq!(shop.status("checkoutId", &other).1["id"], Value::Null);
}

#[test]
fn merchants_do_not_see_each_other() {
    let other = "8ac7a4ca00000000000000005a4d0b02";
    let merchant = Merchant::new(other, SecretToken::new("other".into()).unwrap()).domain("other.example");
    let sandbox = Sandbox::builder().merchant(default_merchant()).merchant(merchant).build();
    let (mine, yours) = (Shop::of(&sandbox), Shop::with(&sandbox, other, "other"));
    let id = mine.new_checkout("order-0001");
    assert_eq!(refusal(&yours.status("checkoutId", &id)), "400 200.300.404");
    assert_eq!(refusal(&yours.status("merchantTransactionId", "order-0001")), "400 200.300.404");
    assert_eq!(refusal(&yours.initiate(yours.fields("order-0001"))), "400 The referer is not allowed.");
}

#[test]
fn a_request_for_no_route_of_the_environment_gets_a_page() {
    let shop = Shop::of(&Sandbox::builder().environment(Environment::Live).build());
    let send = |uri: &str| {
        let request = http::Request::get(uri).body(Bytes::new()).unwrap();
        let response = shop.sandbox.send_blocking(request).unwrap();
        format!("{} {}", response.status().as_u16(), response.headers()["content-type"].to_str().unwrap())
    };
    assert_eq!(send("https://testsecure.peachpayments.com/status"), "404 text/html");
    assert_eq!(send("https://secure.peachpayments.com/status"), "400 application/json");
    assert_eq!(send("https://dashboard.peachpayments.com/status"), "404 text/html");
    assert_eq!(send("https://dashboard.peachpayments.com/api/oauth/token"), "405 text/plain");
    assert_eq!(send("https://secure.peachpayments.com/checkout/initiate"), "405 text/plain");
    assert_eq!(send("https://secure.peachpayments.com/"), "404 text/html");
}

proptest! {
    #[test]
    fn no_bytes_bring_the_sandbox_down(
        path in "/(status|checkout/initiate|v2/checkout|api/oauth/token|v2/checkout/[^?]{1,9}/status)",
        query in "[ -~]{0,40}",
        body in prop::collection::vec(any::<u8>(), 0..80),
        content_type in prop::sample::select(vec![FORM, "application/json"]),
    ) {
        let sandbox = Sandbox::builder().any_host().build();
        for method in ["GET", "POST"] {
            let request = http::Request::builder()
                .method(method)
                .uri(format!("{path}?{query}"))
                .header("content-type", content_type)
                .header("referer", REFERER)
                .body(body.clone().into());
            if let Ok(request) = request {
                let status = sandbox.send_blocking(request).unwrap().status();
                prop_assert!(status.is_client_error(), "{status}");
            }
        }
    }
}
