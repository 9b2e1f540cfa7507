use super::*;
use checkout_tables::Moment;

/// The codes of a checkout, each with the seconds from the creation to the first sight of the code. The
/// status of both versions is read at every fifth second and at the second before.
fn check(scenario: Scenario) -> Vec<(u64, String)> {
    let last = if scenario.name() == "charged_back" { 87_000 } else { 6_000 };
    let shop = Shop::playing(scenario);
    let id = shop.new_checkout("order-0001");
    let mut seen: Vec<(u64, String)> = Vec::new();
    for second in (0..=last).filter(|second| matches!(second % 5, 0 | 4)) {
        let at = Duration::from_secs(1_716_501_000 + second);
        shop.sandbox
            .clock()
            .advance(at - shop.sandbox.clock().now().saturating_since(Moment::from_unix_millis(0)));
        let code = shop.sandbox.checkouts()[0].code.clone();
        if seen.last().is_none_or(|last| last.1 != code) {
            let (status, reply) = shop.status("merchantTransactionId", "order-0001");
            let flat =
                if reply["redirect_post_data"].is_null() { &reply } else { &reply["redirect_post_data"] };
            assert_eq!((status, &flat["result.code"]), (200, &json!(code)));
            assert!(shop.is_signed(flat), "{flat}");
            let v2 = get(&format!("/v2/checkout/{id}/status"));
            let (status, v2) = shop.call(with_bearer(v2, &shop.access_token()));
            assert_eq!((status, &v2), (200, flat));
            seen.push((second, code));
        }
    }
    seen
}

/// The reply of V1's status for a checkout of this age.
fn flat_after(scenario: Scenario, seconds: u64) -> Value {
    let shop = Shop::playing(scenario);
    let id = shop.new_checkout("order-0001");
    shop.advance(seconds);
    shop.status("checkoutId", &id).1
}

#[test]
fn every_named_scenario_goes_its_way() {
    let (unopened, created, paid) = ((0, "700.400.580"), (5, "000.200.100"), (35, "000.100.110"));
    let table: [(&str, &[(u64, &str)]); 17] = [
        ("happy", &[unopened, created, paid]),
        ("pending_then_successful", &[unopened, created, (30, "000.200.000"), (330, "000.100.110")]),
        ("cancelled", &[unopened, created, (65, "100.396.101")]),
        ("expired", &[unopened, created, (1805, "100.396.104")]),
        ("never_opened", &[unopened, (1800, "000.200.100"), (3600, "100.396.104")]),
        ("late_success_after_cancelled", &[unopened, created, (65, "100.396.101"), (1265, "000.100.110")]),
        ("late_success_after_expired", &[unopened, created, (1805, "100.396.104"), (3005, "000.100.110")]),
        ("declined_then_paid", &[unopened, created, (35, "800.100.151"), (95, "000.100.110")]),
        ("authorized", &[unopened, created, paid]),
        ("in_review", &[unopened, created, (35, "000.400.000"), (3635, "000.100.110")]),
        ("charged_back", &[unopened, created, paid, (86_435, "000.100.200")]),
        ("unknown_code", &[unopened, created, (35, "123.456.789"), (95, "000.100.110")]),
        ("risk_check_only", &[unopened, created, (35, "000.300.100"), (1805, "100.396.104")]),
        ("older_cancelled_after_success", &[unopened, created, paid, (95, "100.396.101")]),
        ("newer_cancelled_after_success", &[unopened, created, paid, (95, "100.396.101")]),
        ("test_success", &[unopened, created, paid]),
        ("uncertain", &[unopened, created, (1805, "100.396.104")]),
    ];
    assert_eq!(table.map(|row| row.0), Scenario::NAMES);
    for (name, expected) in table {
        let scenario = Scenario::by_name(name).unwrap();
        assert_eq!(scenario.name(), name);
        let expected: Vec<_> = expected.iter().map(|(second, code)| (*second, (*code).to_owned())).collect();
        assert_eq!(check(scenario), expected, "{name}");
    }
}

#[test]
fn the_environment_decides_the_code_of_a_success_but_not_of_a_test_s() {
    for (environment, success) in [(Environment::Live, "000.000.000"), (Environment::Sandbox, "000.100.110")]
    {
        let sandbox = Sandbox::builder().environment(environment).any_host().status_limit(None).build();
        let shop = Shop::of(&sandbox);
        sandbox.next_checkout(Scenario::happy());
        sandbox.next_checkout(Scenario::test_success());
        sandbox.next_checkout(Scenario::never_opened());
        let ids = ["order-a", "order-b", "order-c"].map(|id| shop.new_checkout(id));
        shop.advance(60);
        assert!(sandbox.pay(&ids[2]));
        let codes = ids.map(|id| shop.status("checkoutId", &id).1["result.code"].clone());
        assert_eq!(codes, [json!(success), json!("000.100.110"), json!(success)]);
    }
}

#[test]
fn a_flat_reply_has_the_fields_of_the_request_and_of_its_stage() {
    let shop = Shop::playing(Scenario::declined_then_paid());
    let mut fields = shop.fields("order-0001");
    fields.extend(pairs(&[("customParameters[basket]", "a+b &=é"), ("merchantInvoiceId", "invoice-1")]));
    shop.initiate(fields);
    let id = shop.sandbox.checkouts()[0].checkout_id.clone();
    let always = [
        ("amount", "92.00"),
        ("checkoutId", &*id),
        ("currency", "ZAR"),
        ("merchantTransactionId", "order-0001"),
        ("paymentType", "DB"),
        ("customParameters[basket]", "a+b &=é"),
        ("merchantInvoiceId", "invoice-1"),
    ];
    let card = [
        "card.bin",
        "card.expiryMonth",
        "card.expiryYear",
        "card.holder",
        "card.last4Digits",
        "paymentBrand",
    ];
    for (wait, has_card, has_id) in
        [(0, false, false), (5, false, false), (30, true, false), (60, true, true)]
    {
        shop.advance(wait);
        let (_, flat) = shop.status("checkoutId", &id);
        for (key, value) in always {
            assert_eq!(flat[key], json!(value), "{key}");
        }
        assert!(card.iter().all(|key| flat[key].is_string() == has_card), "{flat}");
        assert_eq!(flat["id"].is_string(), has_id, "{flat}");
        assert!(flat.as_object().unwrap().values().all(Value::is_string), "{flat}");
        assert!(!flat["result.description"].as_str().unwrap().is_empty());
    }
}

#[test]
fn only_an_authorization_shows_another_payment_type_than_was_asked_for() {
    for name in Scenario::NAMES {
        let expected = if name == "authorized" { "PA" } else { "DB" };
        let reply = flat_after(Scenario::by_name(name).unwrap(), 60);
        let flat = if reply["status"].is_null() { &reply } else { &reply["redirect_post_data"] };
        assert_eq!(flat["paymentType"], expected, "{name}");
    }
    let shop = Shop::playing(Scenario::happy());
    let mut fields = shop.fields("order-0001");
    fields.iter_mut().find(|(key, _)| key == "paymentType").unwrap().1 = "PA".to_owned();
    shop.initiate(fields);
    assert_eq!(shop.status("merchantTransactionId", "order-0001").1["paymentType"], "PA");
}

#[test]
fn the_timestamp_is_the_time_of_the_last_change_or_older_by_scenario() {
    let stamps =
        |scenario: Scenario| [0, 50, 200].map(|at| flat_after(scenario.clone(), at)["timestamp"].clone());
    let [unopened, paid, older] = stamps(Scenario::older_cancelled_after_success());
    assert_eq!(unopened, "2024-05-23T21:50:00.000Z");
    assert_eq!(paid, "2024-05-23T21:50:35.000Z");
    assert_eq!(older, "2024-05-23T21:50:15.000Z");
    assert_eq!(stamps(Scenario::newer_cancelled_after_success())[2], "2024-05-23T21:51:35.000Z");
}

#[test]
fn the_wrapped_shape_has_a_word_and_the_remaining_seconds() {
    let sandbox = Sandbox::builder().status_limit(None).merchant(default_merchant().wrapped_status()).build();
    let shop = Shop::of(&sandbox);
    let read = |scenario: Scenario, seconds: u64| {
        sandbox.next_checkout(scenario);
        let id = shop.new_checkout("order-0001");
        shop.advance(seconds);
        let (_, reply) = shop.status("checkoutId", &id);
        assert_eq!(reply.as_object().unwrap().len(), 4);
        assert_eq!(reply["redirect_url"], "https://shop.example/done?a=1&b=2");
        assert!(shop.is_signed(&reply["redirect_post_data"]));
        format!("{} {}", reply["status"].as_str().unwrap(), reply["timestamp"])
    };
    assert_eq!(read(Scenario::happy(), 0), "created 1800");
    assert_eq!(read(Scenario::happy(), 5), "created 1800");
    assert_eq!(read(Scenario::pending_then_successful(), 35), "pending 1770");
    assert_eq!(read(Scenario::in_review(), 35), "pending 1770");
    assert_eq!(read(Scenario::happy(), 35), "successful 0");
    assert_eq!(read(Scenario::cancelled(), 65), "cancelled 0");
    assert_eq!(read(Scenario::expired(), 1805), "expired 0");
    assert_eq!(read(Scenario::uncertain(), 1805), "uncertain 0");
    assert_eq!(flat_after(Scenario::uncertain(), 1805)["status"], "uncertain", "of a flat merchant as well");
}

#[test]
fn a_custom_scenario_may_go_anywhere() {
    let wild = Scenario::custom([
        (Duration::ZERO, "not a code"),
        (Duration::from_secs(4), ""),
        (Duration::from_secs(1), SUCCESS),
        (Duration::MAX, "000.200.100"),
        (Duration::MAX, "000.200.000"),
    ]);
    let expected = [(0, "not a code"), (4, ""), (5, "000.100.110")];
    assert_eq!(check(wild), expected.map(|(second, code)| (second, code.to_owned())));
    assert_eq!(check(Scenario::custom::<&str>([])), [(0, "700.400.580".to_owned())]);
}

/// The codes of a checkout whose payer acts once a minute, and the code an hour later.
fn acted(scenario: Scenario, acts: &[fn(&Sandbox, &str) -> bool]) -> String {
    let shop = Shop::playing(scenario);
    let id = shop.new_checkout("order-0001");
    for act in acts {
        shop.advance(60);
        assert!(act(&shop.sandbox, &id));
    }
    shop.advance(3600);
    shop.sandbox.webhooks().iter().map(|webhook| &*webhook.code).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_payer_can_act_when_a_test_says_so() {
    let (c, s, x, e) = ("000.200.100", "000.100.110", "100.396.101", "100.396.104");
    let never = Scenario::never_opened;
    assert_eq!(acted(never(), &[Sandbox::open]), format!("{c} {e}"));
    assert_eq!(acted(never(), &[Sandbox::open, Sandbox::open]), format!("{c} {e}"));
    assert_eq!(acted(never(), &[Sandbox::open, Sandbox::pay]), format!("{c} {s}"));
    assert_eq!(acted(never(), &[Sandbox::pay]), format!("{c} {s}"));
    assert_eq!(acted(never(), &[Sandbox::cancel, Sandbox::pay]), format!("{c} {x} {s}"));
    assert_eq!(acted(never(), &[Sandbox::pay, Sandbox::cancel]), format!("{c} {s} {x}"));
    assert_eq!(
        acted(Scenario::cancelled(), &[Sandbox::pay]),
        format!("{c} {s}"),
        "the checkout leaves its scenario"
    );
    let decline: fn(&Sandbox, &str) -> bool = |sandbox, id| sandbox.come_to(id, "800.100.152");
    assert_eq!(acted(never(), &[Sandbox::open, decline, Sandbox::pay]), format!("{c} 800.100.152 {s}"));
}

#[test]
fn a_page_opened_expires_half_an_hour_later_and_can_be_opened_no_more() {
    let shop = Shop::playing(Scenario::never_opened());
    let id = shop.new_checkout("order-0001");
    shop.advance(1000);
    assert!(shop.sandbox.open(&id));
    let code = |seconds| {
        shop.advance(seconds);
        shop.sandbox.checkouts()[0].code.clone()
    };
    assert_eq!([code(0), code(1799), code(1)], ["000.200.100", "000.200.100", "100.396.104"]);
    assert!(!shop.sandbox.open(&id));
    assert!(!shop.sandbox.pay("nobodys"));
}
