use super::*;

/// The answer to a submit that was changed: the code, or each field that is wrong.
fn check(change: impl FnOnce(&mut Value)) -> String {
    let mut body = order("order-1");
    change(&mut body);
    outcome(&body)
}

fn outcome(body: &Value) -> String {
    let sandbox = Sandbox::new(1);
    let (status, reply) = Merchant::of(&sandbox).submit(body);
    match reply["errors"].as_object() {
        None => format!("{status} {}", reply["status"]["messageCode"].as_str().unwrap()),
        Some(errors) => {
            assert_eq!((status, sandbox.checkouts().len()), (400, 0));
            let error = |(path, list): (&String, &Value)| format!("{path} {}", list[0].as_str().unwrap());
            errors.iter().map(error).collect::<Vec<_>>().join("; ")
        }
    }
}

const ACCEPTED: &str = "202 CHECK_OUT_PROCESSING";

#[test]
fn a_submit_with_every_field_of_the_page_is_accepted() {
    let everything = json!({
        "order": {
            "offerIdentifier": "of_1", "correlationId": "order-1", "installmentIdentifier": "in_3",
            "resellerID": 42,
            "items": [
                {"itemIdentifier": "it_1", "quantity": 1},
                {"itemIdentifier": "it_2", "parentItemIdentifier": "it_1", "quantity": 3},
            ],
            "customer": {"customerUrn": "cu.00.482", "ipAddress": "203.0.113.7"},
        },
        "paymentMethod": {
            "paymentChannel": "CreditCard", "providerIdentifier": "psp_1", "useStoredMethod": false,
            "creditCard": with_card(json!({}))["paymentMethod"]["creditCard"],
            "storeMethodSuccessPayment": true,
        },
    });
    assert_eq!(outcome(&everything), ACCEPTED);
    for channel in ["PayPal", "Klarna", "SEPA", "Bank"] {
        let method = json!({"paymentChannel": channel});
        assert_eq!(check(|body| body["paymentMethod"] = method), ACCEPTED, "{channel}");
    }
}

#[test]
fn an_accepted_submit_has_a_wait_and_a_tracking_number() {
    let sandbox = Sandbox::new(1);
    let merchant = Merchant::of(&sandbox);
    let body = order("order-1").to_string();
    let response = merchant.send("POST", SUBMIT, body.as_bytes()).unwrap();
    assert_eq!(told(&response), "202 application/clientOutput+Json CHECK_OUT_PROCESSING");
    assert_eq!(response.headers()["retry-after"], "2");
    let tracking = sandbox.checkouts().remove(0).tracking_number;
    let expected =
        format!(r#"{{"trackingNumber":"{tracking}","status":{{"messageCode":"CHECK_OUT_PROCESSING"}},"#);
    let text = std::str::from_utf8(response.body()).unwrap();
    assert!(text.starts_with(&expected), "{text}");
    // The reply to the submit is the reply of the status.
    assert_eq!(merchant.ask(&tracking).body(), response.body());
}

#[test]
fn every_wrong_field_is_reported_by_its_path() {
    let null = Value::Null;
    let at = |pointer: &str, value: Value| {
        check(|body| {
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            body.pointer_mut(parent).unwrap()[name] = value;
        })
    };
    let table = [
        ("/order", null.clone(), "order is required"),
        ("/order", json!([]), "order must be an object"),
        ("/paymentMethod", null.clone(), "paymentMethod is required"),
        ("/order/offerIdentifier", null.clone(), "order.offerIdentifier is required"),
        ("/order/offerIdentifier", json!(""), "order.offerIdentifier must not be empty"),
        ("/order/offerIdentifier", json!(7), "order.offerIdentifier must be a string"),
        ("/order/correlationId", json!(7), "order.correlationId must be a string"),
        ("/order/correlationId", json!(" "), "order.correlationId must not be blank"),
        ("/order/installmentIdentifier", json!(3), "order.installmentIdentifier must be a string"),
        ("/order/resellerID", json!("42"), "order.resellerID must be an integer"),
        ("/order/resellerID", json!(4.5), "order.resellerID must be an integer"),
        ("/order/items", null.clone(), "order.items is required"),
        ("/order/items", json!({}), "order.items must be an array"),
        ("/order/items", json!([]), "order.items must not be empty"),
        ("/order/items", json!(["it_1"]), "order.items[0] must be an object"),
        ("/order/items", json!([{}]), "order.items[0].itemIdentifier is required"),
        ("/order/customer", null.clone(), "order.customer is required"),
        ("/order/customer", json!({}), "order.customer.customerUrn is required"),
        ("/order/customer/ipAddress", json!("here"), "order.customer.ipAddress must be an IP address"),
        ("/paymentMethod/paymentChannel", null.clone(), "paymentMethod.paymentChannel is required"),
        (
            "/paymentMethod/paymentChannel",
            json!("creditCard"),
            "paymentMethod.paymentChannel is none of the five",
        ),
        ("/paymentMethod/useStoredMethod", json!("true"), {
            "paymentMethod.creditCard is required; paymentMethod.useStoredMethod must be a boolean"
        }),
        ("/paymentMethod/useStoredMethod", json!(false), "paymentMethod.creditCard is required"),
        ("/paymentMethod/creditCard", json!("4111"), "paymentMethod.creditCard must be an object"),
        ("/paymentMethod/storeMethodSuccessPayment", json!(1), {
            "paymentMethod.storeMethodSuccessPayment must be a boolean or a string"
        }),
    ];
    for (pointer, value, expected) in table {
        assert_eq!(at(pointer, value), expected, "{pointer}");
    }
    for quantity in [json!(0), json!(-1), json!(1.5), json!("2"), json!(true)] {
        let item = json!([{"itemIdentifier": "it_1"}, {"itemIdentifier": "it_2", "quantity": quantity}]);
        assert_eq!(at("/order/items", item), "order.items[1].quantity must be a positive integer");
    }
    for nothing in ["/order/correlationId", "/order/resellerID", "/paymentMethod/providerIdentifier"] {
        assert_eq!(at(nothing, null.clone()), ACCEPTED, "{nothing} null is as good as left out");
    }
}

#[test]
fn a_misspelt_field_is_reported_and_all_faults_are_reported_at_once() {
    let many = check(|body| {
        body["order"]["correlationID"] = json!("order-1");
        body["order"]["items"] = json!([{"quantity": 0, "item_identifier": "a"}]);
        body["order"]["customer"] = json!({"customer urn": "cu"});
        body["Order"] = json!(1);
    });
    let expected = [
        "Order is not a field that the page names",
        "order.correlationID is not a field that the page names",
        "order.customer.? is not a field that the page names",
        "order.customer.customerUrn is required",
        "order.items[0].? is not a field that the page names",
        "order.items[0].itemIdentifier is required",
        "order.items[0].quantity must be a positive integer",
    ];
    assert_eq!(many, expected.join("; "));
}

#[test]
fn a_fresh_card_has_all_its_fields() {
    let with = |name: &str, value: Value| {
        let mut body = with_card(order("order-1"));
        body["paymentMethod"]["creditCard"][name] = value;
        outcome(&body)
    };
    assert_eq!(outcome(&with_card(order("order-1"))), ACCEPTED);
    assert_eq!(with("cardAlias", Value::Null), ACCEPTED);
    let at = "paymentMethod.creditCard.";
    for name in ["cardHolderName", "cardNumber", "expireMonth", "expireYear", "cvc"] {
        assert_eq!(with(name, Value::Null), format!("{at}{name} is required"));
        assert_eq!(with(name, json!(12)), format!("{at}{name} must be a string"));
    }
    let table = [
        ("cardHolderName", " ", "must not be blank"),
        ("cardNumber", "4111 1111 1111 1111", "must be 12 to 19 digits"),
        ("cardNumber", "41111111111", "must be 12 to 19 digits"),
        ("cardNumber", "41111111111111111111", "must be 12 to 19 digits"),
        ("expireMonth", "00", "must be 01 to 12"),
        ("expireMonth", "13", "must be 01 to 12"),
        ("expireMonth", "1", "must be 01 to 12"),
        ("expireYear", "29", "must be 4 digits"),
        ("cvc", "12", "must be 3 or 4 digits"),
        ("cvc", "12345", "must be 3 or 4 digits"),
    ];
    for (name, value, expected) in table {
        assert_eq!(with(name, json!(value)), format!("{at}{name} {expected}"), "{value}");
    }
    for (name, value) in [("cardNumber", "123456789012"), ("cvc", "1234"), ("expireMonth", "01")] {
        assert_eq!(with(name, json!(value)), ACCEPTED, "{value}");
    }
    assert_eq!(with("pin", json!("1")), format!("{at}pin is not a field that the page names"));
}

#[test]
fn beside_a_stored_method_a_card_may_be_a_reference() {
    let with = |card: Value| check(|body| body["paymentMethod"]["creditCard"] = card);
    assert_eq!(with(json!({"paymentMethodUrn": "pm.00.482.7"})), ACCEPTED);
    assert_eq!(with(json!({"cvc": "123"})), ACCEPTED);
    assert_eq!(with(json!({"cvc": "x"})), "paymentMethod.creditCard.cvc must be 3 or 4 digits");
}

#[test]
fn a_problem_has_the_members_of_rfc_9457() {
    let response = Merchant::of(&Sandbox::new(1)).send("POST", &format!("{SUBMIT}?a=1"), b"{}").unwrap();
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let expected = json!({
        "type": "about:blank", "title": "Bad Request", "status": 400,
        "detail": "one or more fields are not valid", "instance": SUBMIT,
        "errors": {"order": ["is required"], "paymentMethod": ["is required"]},
    });
    assert_eq!(read(&response), (400, expected));
}

#[test]
fn the_same_correlation_id_is_not_charged_twice() {
    let sandbox = Sandbox::new(1);
    let merchant = Merchant::of(&sandbox);
    sandbox.next_checkout(Scenario::happy());
    sandbox.next_checkout(Scenario::failed());
    let first = merchant.submit(&order("order-1"));
    sandbox.clock().advance(Duration::from_secs(5));
    let second = merchant.submit(&with_card(order("order-1")));
    assert_eq!((first.0, second.0), (202, 202));
    assert_eq!(first.1["trackingNumber"], second.1["trackingNumber"]);
    assert_eq!(first.1["status"]["messageCode"], "CHECK_OUT_PROCESSING");
    assert_eq!(second.1["status"]["messageCode"], "CHECK_OUT_DONE", "the present state is told");
    assert_eq!((sandbox.checkouts().len(), sandbox.captures_of("order-1")), (1, 1));
    assert_eq!(sandbox.checkouts()[0].submits, 2);

    // Another id makes another checkout, which takes the scenario that waits.
    merchant.new_checkout("order-2");
    assert_eq!(sandbox.checkouts()[1].scenario, "failed");
}

#[test]
fn without_a_correlation_id_each_submit_is_charged() {
    let sandbox = Sandbox::new(1);
    let merchant = Merchant::of(&sandbox);
    let mut body = order("order-1");
    body["order"].as_object_mut().unwrap().remove("correlationId");
    let numbers: HashSet<_> =
        (0..3).map(|_| merchant.submit(&body).1["trackingNumber"].to_string()).collect();
    sandbox.clock().advance(Duration::from_secs(5));
    assert_eq!(numbers.len(), 3);
    assert_eq!(sandbox.checkouts().iter().map(|checkout| checkout.captures).sum::<u32>(), 3);
}

#[test]
fn a_failed_checkout_is_not_tried_again_under_its_id() {
    let sandbox = Sandbox::new(1);
    let merchant = Merchant::of(&sandbox);
    sandbox.next_checkout(Scenario::failed_at_once());
    for _ in 0..2 {
        let (status, result) = merchant.submit(&order("order-1"));
        assert_eq!((status, &result["status"]["messageCode"]), (202, &json!("CHECK_OUT_FAILED")));
    }
    assert_eq!((sandbox.checkouts().len(), sandbox.captures_of("order-1")), (1, 0));
}
