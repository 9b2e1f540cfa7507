use super::*;
use checkout_tables::allscale::StableCoin;
use proptest::prelude::*;

/// The result of a create with this body: the terms of the intent, or the refusal.
fn check(body: &str) -> String {
    told(&Merchant::of(&Sandbox::new(1)).call("POST", "/v1/checkout_intents/", body.as_bytes()))
}

fn told(answer: &(u16, Value)) -> String {
    let payload = &answer.1["payload"];
    if payload.is_null() {
        return refusal(answer);
    }
    let [coin, rate, flags] =
        ["stable_coin_type", "rate", "accepted_stable_coins"].map(|field| payload[field].to_string());
    let amount = payload["amount_coins"].as_str().unwrap();
    format!("{} {} {amount} coin {coin} rate {rate} flags {flags}", answer.0, answer.1["code"])
}

/// The page's example of a fiat order.
const FIAT: &str = r#"{
  "currency": 44,
  "amount_cents": 100,
  "order_id": "order_123",
  "order_description": "Monthly subscription",
  "user_id": "user_456",
  "user_name": "Tom",
  "redirect_url": "https://example.com/checkout/allscale",
  "extra": {
    "source": "web"
  }
}"#;

/// The page's example of a native order.
const NATIVE: &str = r#"{
  "stable_coin": 1,
  "amount_cents": 1000,
  "order_id": "order_124",
  "redirect_url": "https://example.com/checkout/allscale"
}"#;

/// The page's example of a reply.
const REPLY: &str = r#"{
  "code": 0,
  "payload": {
    "checkout_url": "https://checkout.allscale.io/abc123",
    "allscale_checkout_intent_id": "65b2f3d0d2d9c0a1b2c3d4e5",
    "amount_coins": "1.0000",
    "stable_coin_type": 1,
    "rate": "1.3500",
    "accepted_stable_coins": 1
  },
  "error": null,
  "request_id": "req_xxxxx"
}"#;

#[test]
fn the_documented_examples_are_accepted() {
    assert_eq!(check(FIAT), r#"200 0 1.0000 coin 1 rate "1.0000" flags 1"#);
    assert_eq!(check(NATIVE), "200 0 10.0000 coin 1 rate null flags 1");
}

#[test]
fn the_published_signed_request_is_accepted_as_it_stands() {
    let key = SigningKey::new("test_key_xyz", "test_secret_abc".into()).unwrap();
    let sandbox = Sandbox::builder().store(Store::new(key)).build();
    let body =
        r#"{"amount_cents":1000,"currency":1,"order_id":"ord_1","redirect_url":"https://example.com/r"}"#;
    let request = http::Request::post("https://openapi.allscale.io/v1/checkout_intents/")
        .header("X-API-Key", "test_key_xyz")
        .header("X-Timestamp", "1716501000")
        .header("X-Nonce", "b4d9a2a1-9c2b-4df4-8b8e-2a13a45fd321")
        .header("X-Signature", "v1=28HitHtE4rVV1nej7S5mIE8xZbc9afx8h+6cH/yaPiA=")
        .header("Content-Type", "application/json")
        .body(Bytes::from(body))
        .unwrap();
    let answer = read(&sandbox.send_blocking(request).unwrap());
    assert_eq!(told(&answer), r#"200 0 10.0000 coin 1 rate "1.0000" flags 1"#);
}

#[test]
fn a_reply_has_the_members_of_the_documented_reply_in_order_and_types() {
    let sandbox = Sandbox::new(1);
    let response = Merchant::of(&sandbox).send("POST", "/v1/checkout_intents/", FIAT.as_bytes()).unwrap();
    assert_eq!(response.headers()["content-type"], "application/json");
    let (documented, got): (Value, Value) =
        (serde_json::from_str(REPLY).unwrap(), serde_json::from_slice(response.body()).unwrap());
    for (documented, got) in [(&documented, &got), (&documented["payload"], &got["payload"])] {
        assert_eq!(keys(documented), keys(got));
        for key in keys(documented) {
            assert_eq!(
                std::mem::discriminant(&documented[&key]),
                std::mem::discriminant(&got[&key]),
                "{key}"
            );
        }
    }
    let url = got["payload"]["checkout_url"].as_str().unwrap();
    assert!(url.starts_with("https://checkout.allscale.io/"), "{url}");

    let text = std::str::from_utf8(response.body()).unwrap();
    let names = |text: &str| -> Vec<String> {
        text.split('"')
            .skip(1)
            .step_by(2)
            .filter(|name| REPLY.contains(&format!("\"{name}\":")))
            .map(Into::into)
            .collect()
    };
    assert_eq!(names(text), names(REPLY));
}

#[test]
fn a_bad_body_is_refused_with_the_documented_code() {
    let with = |field: &str, value: &str| {
        let mut body: serde_json::Map<String, Value> = serde_json::from_str(NATIVE).unwrap();
        body.insert(field.to_owned(), serde_json::from_str(value).unwrap());
        Value::from(body).to_string()
    };
    let table = [
        (String::new(), "the body is not JSON"),
        ("{".to_owned(), "the body is not JSON"),
        (format!("{NATIVE},"), "the body is not JSON"),
        ("[".repeat(100_000), "the body is not JSON"),
        ("[]".to_owned(), "the body is not a JSON object"),
        ("null".to_owned(), "the body is not a JSON object"),
        ("{}".to_owned(), "currency: set exactly one of currency and stable_coin"),
        (with("stable_coin", "null"), "currency: set exactly one of currency and stable_coin"),
        (with("currency", "1"), "currency: set exactly one of currency and stable_coin"),
        (with("currency", "\"USD\""), "currency: must be an integer"),
        (with("stable_coin", "\"USDT\""), "stable_coin: must be an integer"),
        (with("stable_coin", "\"1\""), "stable_coin: must be an integer"),
        (with("stable_coin", "1.0"), "stable_coin: must be an integer"),
        (with("stable_coin", "true"), "stable_coin: must be an integer"),
        (with("stable_coin", "[1]"), "stable_coin: must be an integer"),
        (with("stable_coin", "9223372036854775808"), "stable_coin: must be an integer"),
        (with("stable_coin", "0"), "stable_coin: is not a value of Appendix B"),
        (with("stable_coin", "11"), "stable_coin: is not a value of Appendix B"),
        (with("amount_cents", "null"), "amount_cents: is required"),
        (r#"{"stable_coin":1}"#.to_owned(), "amount_cents: is required"),
        (with("amount_cents", "10.5"), "amount_cents: must be an integer"),
        (with("amount_cents", "1e3"), "amount_cents: must be an integer"),
        (with("amount_cents", "\"1000\""), "amount_cents: must be an integer"),
        (with("order_id", "7"), "order_id: must be a string or null"),
        (with("redirect_url", "{}"), "redirect_url: must be a string or null"),
        (with("order_description", "[]"), "order_description: must be a string or null"),
        (with("user_id", "456"), "user_id: must be a string or null"),
        (with("user_name", "false"), "user_name: must be a string or null"),
        (with("extra", "\"web\""), "extra: must be an object or null"),
        (with("extra", "[]"), "extra: must be an object or null"),
        (with("accepted_stable_coins", "[]"), "accepted_stable_coins: must not be empty"),
        (with("accepted_stable_coins", "3"), "accepted_stable_coins: must be a list of integers or null"),
        (
            with("accepted_stable_coins", "[1,11]"),
            "accepted_stable_coins: holds what is not a value of Appendix B",
        ),
        (
            with("accepted_stable_coins", "[\"USDT\"]"),
            "accepted_stable_coins: holds what is not a value of Appendix B",
        ),
        (
            r#"{"currency":1,"amount_cents":1000,"accepted_stable_coins":[4,1]}"#.to_owned(),
            "accepted_stable_coins: the settlement coin is not supported",
        ),
    ];
    for (body, message) in table {
        assert_eq!(check(&body), format!("400 10001 {message}"), "{body:.80}");
    }
    for value in [-1, 0, 164] {
        let body = format!(r#"{{"currency":{value},"amount_cents":1000}}"#);
        assert_eq!(check(&body), "400 10001 currency: is not a value of Appendix A");
    }
    for coin in 3..=10 {
        assert_eq!(check(&with("stable_coin", &coin.to_string())), "400 10001 stable_coin: is not supported");
    }
}

#[test]
fn every_currency_of_the_appendix_is_accepted() {
    for value in 1..=163 {
        let body = format!(r#"{{"currency":{value},"amount_cents":100}}"#);
        assert_eq!(check(&body), r#"200 0 1.0000 coin 1 rate "1.0000" flags 1"#);
    }
}

#[test]
fn an_amount_must_be_greater_than_a_tenth_of_a_coin() {
    let native = |coin, cents: i64| check(&format!(r#"{{"stable_coin":{coin},"amount_cents":{cents}}}"#));
    for (coin, name) in [(1, "USDT"), (2, "USDC")] {
        for cents in [10, 9, 0, -1, i64::MIN] {
            let expected = format!("400 50002 amount must be greater than 0.1 {name}!");
            assert_eq!(native(coin, cents), expected, "{cents}");
        }
        assert_eq!(native(coin, 11), format!("200 0 0.1100 coin {coin} rate null flags {coin}"));
    }
    assert_eq!(native(1, i64::MAX), "200 0 92233720368547758.0700 coin 1 rate null flags 1");
}

#[test]
fn a_fiat_amount_is_compared_with_the_floor_after_its_conversion() {
    let check = |coins, units, cents: i64, accepted: &str| {
        let sandbox = Sandbox::new(1);
        sandbox.set_rate(Currency::JPY, coins, NonZeroU32::new(units).unwrap());
        let body = format!(r#"{{"currency":72,"amount_cents":{cents},"accepted_stable_coins":{accepted}}}"#);
        told(&Merchant::of(&sandbox).call("POST", "/v1/checkout_intents/", body.as_bytes()))
    };
    let usdt = "400 50002 amount must be greater than 0.1 USDT!";
    let usdc = "400 50002 amount must be greater than 0.1 USDC!";
    // 1 JPY is 1/160 of a coin: 16 JPY are the floor, and amount_cents is the amount × 100 for JPY too.
    assert_eq!(check(1, 160, 1600, "null"), usdt);
    assert_eq!(check(1, 160, 1600, "[2,1]"), usdc);
    // 16.01 JPY are 0.1000625 coins, which would show as the floor itself.
    assert_eq!(check(1, 160, 1601, "null"), usdt);
    assert_eq!(check(1, 160, 1602, "null"), r#"200 0 0.1001 coin 1 rate "0.0062500000" flags 1"#);
    assert_eq!(check(27, 20, 100, "[2,1]"), r#"200 0 1.3500 coin 2 rate "1.3500" flags 3"#);
    assert_eq!(check(0, 1, i64::MAX, "null"), usdt);
    assert_eq!(check(1, 1, -1, "null"), usdt);
}

#[test]
fn the_settlement_coin_is_the_native_one_the_first_accepted_the_stores_or_usdt() {
    let check = |store_coin: Option<StableCoin>, body: Value| {
        let mut store = default_store();
        if let Some(coin) = store_coin {
            store = store.settlement_coin(coin);
        }
        told(&Merchant::of(&Sandbox::builder().store(store).build()).create(&body))
    };
    let fiat =
        |accepted: Value| json!({"currency": 1, "amount_cents": 100, "accepted_stable_coins": accepted});
    let usdc = Some(StableCoin::USDC);
    let told = |coin, flags| format!("200 0 1.0000 coin {coin} rate \"1.0000\" flags {flags}");
    assert_eq!(check(None, fiat(json!(null))), told(1, 1));
    assert_eq!(check(usdc, fiat(json!(null))), told(2, 2));
    assert_eq!(check(usdc, fiat(json!([1]))), told(1, 1));
    assert_eq!(check(None, fiat(json!([2, 1]))), told(2, 3));
    assert_eq!(check(None, fiat(json!([1, 2, 2, 1]))), told(1, 3));
    assert_eq!(check(None, fiat(json!([2, 10]))), told(2, 514));
    assert_eq!(
        check(usdc, json!({"stable_coin": 1, "amount_cents": 100})),
        "200 0 1.0000 coin 1 rate null flags 1"
    );
    assert_eq!(
        check(None, json!({"stable_coin": 1, "amount_cents": 100, "accepted_stable_coins": [1, 2]})),
        "200 0 1.0000 coin 1 rate null flags 3"
    );
    assert!(check(Some(StableCoin::DAI), fiat(json!(null))).starts_with("400 10001"));
}

#[test]
fn a_null_and_an_unknown_field_are_ignored() {
    let nulls = json!({
        "currency": null, "stable_coin": 2, "amount_cents": 1000, "order_id": null, "redirect_url": null,
        "order_description": null, "user_id": null, "user_name": null, "extra": null,
        "accepted_stable_coins": null, "nobody_documents_this": [1.5],
    });
    assert_eq!(check(&nulls.to_string()), "200 0 10.0000 coin 2 rate null flags 2");
}

#[test]
fn a_refused_create_makes_no_intent_and_takes_no_scenario() {
    let sandbox = Sandbox::new(1);
    let merchant = Merchant::of(&sandbox);
    sandbox.next_intent(Scenario::canceled());
    merchant.create(&json!({"stable_coin": 1, "amount_cents": 10}));
    merchant.create(&json!({}));
    assert!(sandbox.intents().is_empty());
    merchant.new_intent("order");
    assert_eq!(sandbox.intents()[0].scenario, "canceled");
}

/// A value for a field, and true if the page allows the value in the field.
fn field(allowed: Vec<Value>, refused: Vec<Value>) -> impl Strategy<Value = (Value, bool)> {
    prop_oneof![
        4 => proptest::sample::select(allowed).prop_map(|value| (value, true)),
        1 => proptest::sample::select(refused).prop_map(|value| (value, false)),
    ]
}

proptest! {
    #[test]
    fn any_bytes_get_a_documented_code(body: Vec<u8>) {
        let (status, reply) = Merchant::of(&Sandbox::new(1)).call("POST", "/v1/checkout_intents/", &body);
        prop_assert_eq!((status, reply["code"].as_i64()), (400, Some(10001)));
    }

    #[test]
    fn near_valid_text_gets_a_documented_code(at in 0..FIAT.len(), cut in 0_usize..4, put in "[ -~]{0,3}") {
        let mut body = FIAT.as_bytes().to_vec();
        let end = (at + cut).min(body.len());
        body.splice(at..end, put.bytes());
        let (_, reply) = Merchant::of(&Sandbox::new(1)).call("POST", "/v1/checkout_intents/", &body);
        prop_assert!(matches!(reply["code"].as_i64(), Some(0 | 10001 | 50002)), "{}", reply);
    }

    #[test]
    fn the_code_follows_from_the_fields(
        currency in field(vec![json!(null), json!(1), json!(163)], vec![json!(0), json!("USD"), json!(1.0)]),
        stable_coin in field(vec![json!(null), json!(1), json!(2)], vec![json!(3), json!("1"), json!({})]),
        amount in field(
            vec![json!(10), json!(-7), json!(11), json!(1000)],
            vec![json!(null), json!("11"), json!(11.0)],
        ),
        order_id in field(vec![json!(null), json!(""), json!("é\u{1f600}\u{0}")], vec![json!(1), json!([])]),
        extra in field(vec![json!(null), json!({}), json!({"a": [1.5]})], vec![json!([]), json!("{}")]),
        accepted in field(vec![json!(null), json!([1]), json!([2, 7])], vec![json!([]), json!([0]), json!({})]),
    ) {
        let fields = [&currency, &stable_coin, &amount, &order_id, &extra, &accepted];
        let all_allowed = fields.iter().all(|field| field.1);
        let one_price = currency.0.is_null() != stable_coin.0.is_null();
        let expected = if !all_allowed || !one_price {
            (400, 10001)
        } else if amount.0.as_i64().unwrap() <= 10 {
            (400, 50002)
        } else {
            (200, 0)
        };
        let (status, reply) = Merchant::of(&Sandbox::new(1)).create(&json!({
            "currency": currency.0, "stable_coin": stable_coin.0, "amount_cents": amount.0,
            "order_id": order_id.0, "extra": extra.0, "accepted_stable_coins": accepted.0,
        }));
        prop_assert_eq!((status, reply["code"].as_i64().unwrap()), expected, "{}", reply);
    }
}
