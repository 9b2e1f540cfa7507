use super::*;
use checkout_tables::Moment;

/// The statuses of an intent, each with the seconds from the creation to the first sight of the status. The
/// status route and get are both read at every fifth second and at the second before.
fn check(scenario: Scenario) -> Vec<(u64, i64)> {
    let sandbox = Sandbox::new(9);
    let merchant = Merchant::of(&sandbox);
    sandbox.next_intent(scenario);
    let id = merchant.new_intent("order");
    let mut seen: Vec<(u64, i64)> = Vec::new();
    for second in (0..=6_000).filter(|second| matches!(second % 5, 0 | 4)) {
        let at = Duration::from_secs(1_716_501_000 + second);
        sandbox.clock().advance(at - sandbox.clock().now().saturating_since(Moment::from_unix_millis(0)));
        let status = merchant.status(&id).1["payload"].as_i64().unwrap();
        if seen.last().is_none_or(|last| last.1 != status) {
            seen.push((second, status));
            assert_eq!(merchant.whole(&id).1["payload"]["status"], status);
            assert_eq!(sandbox.intents()[0].status, status);
        }
    }
    seen
}

/// The reply of get for an intent over 10.00 USDT at the end of the scenario.
fn at_the_end(scenario: Scenario) -> Value {
    let sandbox = Sandbox::new(9);
    let merchant = Merchant::of(&sandbox);
    sandbox.next_intent(scenario);
    let id = merchant.new_intent("order");
    sandbox.clock().advance(Duration::from_secs(100_000));
    merchant.whole(&id).1["payload"].clone()
}

/// The fields of the page's table in order, with the types, and true for a field that may be null.
const FIELDS: [(&str, &str, bool); 23] = [
    ("all_scale_checkout_intent_id", "string", false),
    ("currency", "int", true),
    ("currency_symbol", "string", true),
    ("amount_cents", "int", true),
    ("chain_id", "int", true),
    ("amount_coins", "string", false),
    ("coin_symbol", "string", false),
    ("coin_contract", "string", true),
    ("currency_rate", "string", true),
    ("status", "int", false),
    ("order_id", "string", true),
    ("order_description", "string", true),
    ("user_id", "string", true),
    ("user_name", "string", true),
    ("error_message", "string", true),
    ("tx_hash", "string", true),
    ("tx_hash_2", "string", true),
    ("tx_from", "string", true),
    ("tx_to", "string", false),
    ("actual_paid_amount", "string", true),
    ("service_fee_amount", "string", true),
    ("net_income_amount", "string", true),
    ("payment_method_type", "int", false),
];

/// The ten-thousandths of a coin in an amount with four decimals.
fn units(amount: &Value) -> i128 {
    let text = amount.as_str().unwrap();
    assert_eq!(text.split_once('.').unwrap().1.len(), 4);
    text.replace('.', "").parse().unwrap()
}

#[test]
fn every_named_scenario_goes_its_way() {
    let table: [(&str, &[(u64, i64)]); 14] = [
        ("happy", &[(0, 1), (5, 2), (30, 10), (60, 20)]),
        ("kyt_passed", &[(0, 1), (5, 2), (25, 3), (65, 10), (95, 20)]),
        ("kyt_refused", &[(0, 1), (5, 2), (25, 3), (65, 5), (365, -2)]),
        ("manual_operation", &[(0, 1), (5, 2), (25, 3), (925, 4), (4525, 10), (4555, 20)]),
        ("underpaid", &[(0, 1), (5, 2), (30, 10), (60, 5), (360, -3)]),
        ("overpaid", &[(0, 1), (5, 2), (30, 10), (60, 20)]),
        ("canceled", &[(0, 1), (5, 2), (65, -4)]),
        ("timeout", &[(0, 1), (5, 2), (1805, -5)]),
        ("failed", &[(0, 1), (5, 2), (30, 10), (60, -1)]),
        ("late_success", &[(0, 1), (5, 2), (1805, -5), (3005, 10), (3035, 20)]),
        ("unknown_status", &[(0, 1), (5, 2), (25, 6), (45, 10), (75, 20)]),
        ("regression", &[(0, 1), (5, 2), (30, 10), (40, 2), (50, 10), (80, 20)]),
        ("change_after_terminal", &[(0, 1), (5, 2), (30, 10), (60, 20), (120, 10)]),
        ("never_paid", &[(0, 1), (5, 2)]),
    ];
    assert_eq!(table.map(|row| row.0), Scenario::NAMES);
    for (name, expected) in table {
        let scenario = Scenario::by_name(name).unwrap();
        assert_eq!(scenario.name(), name);
        assert_eq!(check(scenario), expected, "{name}");
    }
}

#[test]
fn a_custom_scenario_may_go_anywhere() {
    let wild = Scenario::custom([
        (Duration::ZERO, 3),
        (Duration::from_secs(4), i64::MIN),
        (Duration::from_secs(1), 0),
        (Duration::MAX, 20),
        (Duration::MAX, 10),
    ]);
    assert_eq!(check(wild), [(0, 3), (4, i64::MIN), (5, 0)]);
    assert_eq!(check(Scenario::custom([])), [(0, 1)]);
}

#[test]
fn a_status_is_a_bare_integer() {
    let sandbox = Sandbox::new(9);
    let merchant = Merchant::of(&sandbox);
    let id = merchant.new_intent("order");
    sandbox.clock().advance(Duration::from_secs(5));
    let response = merchant.send("GET", &format!("/v1/checkout_intents/{id}/status"), b"").unwrap();
    let text = std::str::from_utf8(response.body()).unwrap();
    // The page's example, but for the request id.
    assert!(text.starts_with(r#"{"code":0,"payload":2,"error":null,"request_id":"req_"#), "{text}");
}

#[test]
fn get_has_the_fields_of_the_table_in_their_types_at_every_stage() {
    let fiat = json!({
        "currency": 44, "amount_cents": 12_345, "order_id": "o", "order_description": "d", "user_id": "u",
        "user_name": "n", "accepted_stable_coins": [2, 1],
    });
    for body in [fiat, json!({"stable_coin": 1, "amount_cents": 12_345})] {
        for name in Scenario::NAMES {
            let sandbox = Sandbox::new(9);
            let merchant = Merchant::of(&sandbox);
            sandbox.next_intent(Scenario::by_name(name).unwrap());
            let id = merchant.create(&body).1["payload"]["allscale_checkout_intent_id"].clone();
            for _ in 0..60 {
                let target = format!("/v1/checkout_intents/{}", id.as_str().unwrap());
                let response = merchant.send("GET", &target, b"").unwrap();
                let intent = read(&response).1["payload"].clone();
                let text = std::str::from_utf8(response.body()).unwrap();
                let mut from = 0;
                for (field, kind, nullable) in FIELDS {
                    let at = text.find(&format!("\"{field}\":")).unwrap();
                    assert!(at > from, "{field} is not in the table's order");
                    from = at;
                    let value = &intent[field];
                    let typed = if kind == "int" { value.is_i64() } else { value.is_string() };
                    assert!(typed || nullable && value.is_null(), "{name}: {field} is {value}");
                }
                assert_eq!(keys(&intent).len(), FIELDS.len());
                assert_eq!(intent["all_scale_checkout_intent_id"], id);
                sandbox.clock().advance(Duration::from_secs(20));
            }
        }
    }
}

#[test]
fn get_returns_the_values_of_the_create() {
    let sandbox = Sandbox::new(9);
    let merchant = Merchant::of(&sandbox);
    sandbox.set_rate(Currency::EUR, 27, NonZeroU32::new(20).unwrap());
    let (_, created) = merchant.create(&json!({
        "currency": 44, "amount_cents": 100, "order_id": "order_123",
        "order_description": "Monthly \"subscription\"\n", "user_id": "user_456", "user_name": "Tomé",
        "accepted_stable_coins": [2],
    }));
    let id = created["payload"]["allscale_checkout_intent_id"].as_str().unwrap();
    let intent = merchant.whole(id).1["payload"].clone();
    for (field, expected) in [
        ("currency", json!(44)),
        ("currency_symbol", json!("EUR")),
        ("amount_cents", json!(100)),
        ("amount_coins", json!("1.3500")),
        ("coin_symbol", json!("USDC")),
        ("currency_rate", json!("1.3500")),
        ("order_id", json!("order_123")),
        ("order_description", json!("Monthly \"subscription\"\n")),
        ("user_id", json!("user_456")),
        ("user_name", json!("Tomé")),
        ("payment_method_type", json!(0)),
    ] {
        assert_eq!(intent[field], expected, "{field}");
    }
    assert_eq!(intent["amount_coins"], created["payload"]["amount_coins"]);
    assert_eq!(intent["currency_rate"], created["payload"]["rate"]);
}

#[test]
fn a_native_intent_has_no_fiat() {
    let intent = at_the_end(Scenario::happy());
    for field in ["currency", "currency_symbol", "amount_cents", "currency_rate"] {
        assert_eq!(intent[field], Value::Null, "{field}");
    }
    assert_eq!((&intent["amount_coins"], &intent["coin_symbol"]), (&json!("10.0000"), &json!("USDT")));
}

#[test]
fn the_amount_paid_follows_the_scenario() {
    for (name, paid) in [
        ("happy", json!("10.0000")),
        ("kyt_refused", json!("10.0000")),
        ("underpaid", json!("5.0000")),
        ("overpaid", json!("15.0000")),
        ("canceled", Value::Null),
        ("timeout", Value::Null),
        ("never_paid", Value::Null),
        ("late_success", json!("10.0000")),
        ("failed", json!("10.0000")),
    ] {
        assert_eq!(at_the_end(Scenario::by_name(name).unwrap())["actual_paid_amount"], paid, "{name}");
    }
    let short = at_the_end(Scenario::happy().paying_permille(999));
    assert_eq!(short["actual_paid_amount"], "9.9900");
}

#[test]
fn the_net_income_is_the_paid_amount_less_the_fee() {
    for permille in [0, 1, 333, 1000, 1001, 2000, u32::MAX] {
        let intent = at_the_end(Scenario::happy().paying_permille(permille));
        let [paid, fee, net] = ["actual_paid_amount", "service_fee_amount", "net_income_amount"]
            .map(|field| units(&intent[field]));
        assert_eq!(net, paid - fee);
        assert_eq!(fee, paid / 200);
        assert_eq!(paid, 100 * i128::from(permille));
    }
}

#[test]
fn the_payment_shows_when_it_is_made_and_settles_when_it_is_confirmed() {
    let sandbox = Sandbox::new(9);
    let merchant = Merchant::of(&sandbox);
    let id = merchant.new_intent("order");
    let mut told = Vec::new();
    for _ in 0..7 {
        let intent = merchant.whole(&id).1["payload"].clone();
        let shown: String =
            ["tx_hash", "tx_from", "chain_id", "actual_paid_amount", "tx_hash_2", "service_fee_amount"]
                .map(|field| if intent[field].is_null() { '-' } else { '+' })
                .iter()
                .collect();
        told.push(format!("{} {shown} {}", intent["status"], intent["payment_method_type"] != json!(0)));
        sandbox.clock().advance(Duration::from_secs(10));
    }
    let expected = ["1 ------ false", "2 ------ false", "2 ------ false", "10 ++++-- true"];
    assert_eq!(told[..4], expected);
    assert_eq!(told[4..], ["10 ++++-- true", "10 ++++-- true", "20 ++++++ true"]);
}

#[test]
fn a_replica_that_lags_knows_of_no_payment() {
    let sandbox = Sandbox::builder().scenario(Scenario::regression()).build();
    let merchant = Merchant::of(&sandbox);
    let id = merchant.new_intent("order");
    let paid = |seconds| {
        sandbox.clock().advance(Duration::from_secs(seconds));
        !merchant.whole(&id).1["payload"]["actual_paid_amount"].is_null()
    };
    assert_eq!([paid(30), paid(10), paid(10), paid(30)], [true, false, true, true]);
}

#[test]
fn a_failure_has_a_message_and_nothing_else_has() {
    for name in Scenario::NAMES {
        let intent = at_the_end(Scenario::by_name(name).unwrap());
        let failed = intent["status"].as_i64().unwrap() < 0;
        assert_eq!(intent["error_message"].is_string(), failed, "{name}");
    }
}

#[test]
fn hashes_and_addresses_are_the_intents_own_and_stay() {
    let sandbox = Sandbox::new(9);
    let merchant = Merchant::of(&sandbox);
    let ids = [merchant.new_intent("a"), merchant.new_intent("b")];
    sandbox.clock().advance(Duration::from_secs(60));
    let read = || ids.clone().map(|id| merchant.whole(&id).1["payload"].clone());
    let [one, other] = read();
    sandbox.clock().advance(Duration::from_secs(60));
    assert_eq!(read(), [one.clone(), other.clone()]);
    let mut different = HashSet::new();
    for (field, digits) in [("tx_hash", 64), ("tx_hash_2", 64), ("tx_from", 40), ("tx_to", 40)] {
        for intent in [&one, &other] {
            let text = intent[field].as_str().unwrap();
            assert_eq!(text.strip_prefix("0x").unwrap().len(), digits, "{field}");
            assert!(different.insert(text.to_owned()), "{field}");
        }
    }
}

#[test]
fn every_documented_method_of_payment_comes_up() {
    let sandbox = Sandbox::new(9);
    let merchant = Merchant::of(&sandbox);
    let ids: Vec<String> = (0..30).map(|at| merchant.new_intent(&at.to_string())).collect();
    sandbox.clock().advance(Duration::from_secs(60));
    let methods: HashSet<i64> = ids
        .iter()
        .map(|id| merchant.whole(id).1["payload"]["payment_method_type"].as_i64().unwrap())
        .collect();
    assert_eq!(methods, HashSet::from([1, 2, 3]));
}

#[test]
fn each_coin_has_a_contract_of_its_own() {
    let sandbox = Sandbox::new(9);
    let merchant = Merchant::of(&sandbox);
    let contracts = [1, 2].map(|coin| {
        let (_, created) = merchant.create(&json!({"stable_coin": coin, "amount_cents": 1000}));
        sandbox.clock().advance(Duration::from_secs(60));
        let id = created["payload"]["allscale_checkout_intent_id"].as_str().unwrap();
        merchant.whole(id).1["payload"]["coin_contract"].as_str().unwrap().to_owned()
    });
    assert!(contracts.iter().all(|contract| contract.len() == 42 && contract.starts_with("0x")));
    assert_ne!(contracts[0], contracts[1]);
}
