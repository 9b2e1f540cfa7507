use super::*;
use checkout_transport::http::HeaderValue;
use proptest::prelude::*;

/// The sandbox's answer to a read of a checkout that nobody has, with the request changed by `change`.
fn check(change: impl FnOnce(&mut Request)) -> String {
    let sandbox = Sandbox::new(1);
    let mut request = Merchant::of(&sandbox).request("GET", &format!("{SUBMIT}/trk_1/status"), b"");
    change(&mut request);
    told(&sandbox.send_blocking(request).unwrap())
}

const NOBODYS: &str = "404 application/clientOutput+Json ORDERED_ITEM_NOT_FOUND";
const UNAUTHORIZED: &str = "401 - empty";

#[test]
fn a_missing_doubled_or_wrong_header_is_a_401_without_a_body() {
    assert_eq!(check(|_| ()), NOBODYS);
    for name in ["x-tn", "x-api-key"] {
        let removed = check(|request| drop(request.headers_mut().remove(name)));
        assert_eq!(removed, UNAUTHORIZED);
        let doubled = check(|request| {
            let value = request.headers()[name].clone();
            request.headers_mut().append(name, value);
        });
        assert_eq!(doubled, UNAUTHORIZED);
        for wrong in ["", "another", "\u{e9}"] {
            let value = HeaderValue::from_bytes(wrong.as_bytes()).unwrap();
            let wrong = check(|request| drop(request.headers_mut().insert(name, value)));
            assert_eq!(wrong, UNAUTHORIZED);
        }
    }
}

#[test]
fn a_submit_without_its_key_makes_nothing() {
    let sandbox = Sandbox::new(1);
    let nobody = Merchant::with(&sandbox, X_TN, "sk_of_nobody");
    assert_eq!(nobody.submit(&order("order-1")).0, 401);
    assert!(sandbox.checkouts().is_empty());
}

#[test]
fn a_request_for_no_route_is_refused_before_its_sender_is_checked() {
    let to = |method: &str, path: &str| {
        let sandbox = Sandbox::new(1);
        told(&Merchant::with(&sandbox, "", "").send(method, path, b"").unwrap())
    };
    assert_eq!(to("GET", "/api/c2a/offer/checkout/trk_1/status"), "404 - empty");
    assert_eq!(to("GET", SUBMIT), "405 - empty");
    assert_eq!(to("DELETE", &format!("{SUBMIT}/trk_1/status")), "405 - empty");
}

#[test]
fn a_body_must_be_json_with_the_media_type_of_json() {
    let submit = |content_type: Option<&'static str>, body: &str| {
        let sandbox = Sandbox::new(1);
        let mut request = Merchant::of(&sandbox).request("POST", SUBMIT, body.as_bytes());
        request.headers_mut().remove("content-type");
        if let Some(content_type) = content_type {
            request.headers_mut().insert("content-type", HeaderValue::from_static(content_type));
        }
        told(&sandbox.send_blocking(request).unwrap())
    };
    let good = order("order-1").to_string();
    let accepted = "202 application/clientOutput+Json CHECK_OUT_PROCESSING";
    for content_type in ["application/json", "Application/JSON; charset=utf-8", "application/json;x=y"] {
        assert_eq!(submit(Some(content_type), &good), accepted, "{content_type}");
    }
    let uncalled = "400 application/problem+json the content type is not application/json";
    for content_type in [None, Some("text/plain"), Some("application/jsonp"), Some("")] {
        assert_eq!(submit(content_type, &good), uncalled, "{content_type:?}");
    }
    for (body, detail) in [
        (String::new(), "the body is not JSON"),
        (format!("{good},"), "the body is not JSON"),
        ("[".repeat(100_000), "the body is not JSON"),
        ("[]".to_owned(), "the body is not a JSON object"),
        ("null".to_owned(), "the body is not a JSON object"),
        ("{}".to_owned(), "one or more fields are not valid"),
    ] {
        let expected = format!("400 application/problem+json {detail}");
        assert_eq!(submit(Some("application/json"), &body), expected);
    }
}

#[test]
fn two_tenants_see_nothing_of_each_other() {
    const OTHER: &str = "e2a1c7b2-4f3a-4b8e-9c2d-1a2b3c4d5e6f";
    for conceals in [false, true] {
        let tenants = [Tenant::new(X_TN, API_KEY), Tenant::new(OTHER, "sk_of_other")];
        let mut builder = tenants.into_iter().fold(Sandbox::builder(), Builder::tenant);
        if conceals {
            builder = builder.conceals_other_tenants();
        }
        let sandbox = builder.build();
        let (one, other) = (Merchant::of(&sandbox), Merchant::with(&sandbox, OTHER, "sk_of_other"));

        // Each tenant has correlation ids of its own, so that nobody takes the checkout of somebody else.
        let (mine, yours) = (one.new_checkout("order-1"), other.new_checkout("order-1"));
        assert_ne!(mine, yours);
        let tenants: Vec<_> = sandbox.checkouts().into_iter().map(|checkout| checkout.tenant).collect();
        assert_eq!(tenants, [X_TN, OTHER]);

        let refused = "409 application/problem+json the tracking number belongs to another tenant";
        let expected = if conceals { NOBODYS } else { refused };
        assert_eq!([told(&one.ask(&yours)), told(&other.ask(&mine))], [expected; 2]);
        assert_eq!(one.status(&mine).0, 200);
        assert_eq!(told(&one.ask("trk_nobodys")), NOBODYS);
        for (x_tn, key) in [(X_TN, "sk_of_other"), (OTHER, API_KEY)] {
            assert_eq!(told(&Merchant::with(&sandbox, x_tn, key).ask(&mine)), UNAUTHORIZED);
        }
    }
}

#[test]
fn a_tenant_with_the_same_name_takes_the_place_of_the_earlier() {
    let sandbox = [Tenant::new(X_TN, "sk_old"), Tenant::new(X_TN, "sk_new")]
        .into_iter()
        .fold(Sandbox::builder(), Builder::tenant)
        .build();
    let ask = |key| told(&Merchant::with(&sandbox, X_TN, key).ask("trk_1"));
    assert_eq!(["sk_old", "sk_new"].map(ask), [UNAUTHORIZED, NOBODYS]);
}

#[test]
fn a_project_is_let_in_on_its_own_hosts_alone() {
    let sandbox = Sandbox::builder().tenant(Tenant::new(X_TN, API_KEY).project("acme")).build();
    let on = |host: &str| {
        let mut request = Merchant::of(&sandbox).request("GET", &format!("{SUBMIT}/trk_1/status"), b"");
        *request.uri_mut() = format!("https://{host}{SUBMIT}/trk_1/status").parse().unwrap();
        told(&sandbox.send_blocking(request).unwrap())
    };
    let own = ["acme.sandbox.azotte.com", "acme.azotte.com", "ACME.azotte.com:443"];
    assert_eq!(own.map(on), [NOBODYS; 3]);
    let others = ["other.sandbox.azotte.com", "acme.elsewhere.example", "azotte.com", "x.acme.azotte.com"];
    assert_eq!(others.map(on), [UNAUTHORIZED; 4]);
}

#[test]
fn the_page_s_curl_is_let_in_unchanged() {
    let tenant = Tenant::new("e2a1c7b2-4f3a-4b8e-9c2d-1a2b3c4d5e6f", "sk_dev_acme_sample_123456789");
    let sandbox = Sandbox::builder().tenant(tenant.project("acme")).build();
    let url =
        "https://acme.sandbox.azotte.com/api/v1/c2a/offer/checkout/trk_01HZ9XPZ3K2A8E0VBVQH7N9XGB/status";
    let request = http::Request::get(url)
        .header("x-tn", "e2a1c7b2-4f3a-4b8e-9c2d-1a2b3c4d5e6f")
        .header("x-api-key", "sk_dev_acme_sample_123456789")
        .body(Bytes::new());
    let response = sandbox.send_blocking(request.unwrap()).unwrap();
    // The page's sample of an unknown tracking number.
    assert_eq!(response.body(), r#"{"status":{"messageCode":"ORDERED_ITEM_NOT_FOUND"}}"#);
    assert_eq!(told(&response), NOBODYS);
    assert!(response.headers().get("retry-after").is_none());
}

proptest! {
    #[test]
    fn any_body_and_any_tracking_number_get_an_answer(
        body in prop::collection::vec(any::<u8>(), 0..200),
        segment in "[!-~&&[^#?]]{0,40}",
    ) {
        let merchant = Merchant::of(&Sandbox::new(1));
        let submitted = merchant.send("POST", SUBMIT, &body).unwrap();
        prop_assert_eq!(submitted.status(), 400);
        let mut request = merchant.request("GET", SUBMIT, b"");
        if let Ok(uri) = format!("https://acme.azotte.com{SUBMIT}/{segment}/status").parse() {
            *request.uri_mut() = uri;
            prop_assert_eq!(merchant.sandbox.send_blocking(request).unwrap().status(), 404);
        }
    }

    #[test]
    fn a_submit_with_one_value_changed_makes_a_checkout_or_gets_a_reason(
        at in 0..9_usize,
        value in prop::sample::select(vec![
            json!(null), json!(true), json!(0), json!(-7), json!(1.5), json!(""), json!("x"), json!([]),
            json!({}),
        ]),
    ) {
        let places = [
            "/order", "/order/offerIdentifier", "/order/correlationId", "/order/items",
            "/order/items/0", "/order/customer", "/order/customer/customerUrn", "/paymentMethod",
            "/paymentMethod/paymentChannel",
        ];
        let sandbox = Sandbox::new(1);
        let mut body = order("order-1");
        *body.pointer_mut(places[at]).unwrap() = value;
        let (status, reply) = Merchant::of(&sandbox).submit(&body);
        let has_errors = reply["errors"].as_object().is_some_and(|errors| !errors.is_empty());
        let expected = if has_errors { (400, 0) } else { (202, 1) };
        prop_assert_eq!((status, sandbox.checkouts().len()), expected);
    }
}
