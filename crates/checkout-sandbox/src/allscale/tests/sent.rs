use super::*;
use base64ct::{Base64, Encoding};
use sha2::{Digest, Sha256};

/// A sandbox whose intents go through the scenario, and an intent's id.
fn going(scenario: Scenario) -> (Sandbox, String) {
    let sandbox = Sandbox::builder().seed(9).scenario(scenario).build();
    let id = Merchant::of(&sandbox).new_intent("order");
    (sandbox, id)
}

/// The one webhook of a sandbox.
fn only(webhooks: Vec<Webhook>) -> Webhook {
    let [webhook] = <[_; 1]>::try_from(webhooks).unwrap();
    webhook
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    Sha256::digest(parts.concat()).into()
}

/// HMAC-SHA256 by the definition of RFC 2104, for a key of 64 bytes at most.
fn hmac(key: &str, text: &str) -> [u8; 32] {
    let mut padded = [0; 64];
    padded[..key.len()].copy_from_slice(key.as_bytes());
    let inner = sha256(&[&padded.map(|byte| byte ^ 0x36), text.as_bytes()]);
    sha256(&[&padded.map(|byte| byte ^ 0x5c), &inner])
}

/// The signature over the eight lines of *Webhook Signing & Payload Guide*, v5, 2026-04-30.
fn signature_by_hand(
    secret: &str,
    path: &str,
    query: &str,
    headers: &[(&str, String); 5],
    body: &[u8],
) -> String {
    let body: String = sha256(&[body]).iter().map(|byte| format!("{byte:02x}")).collect();
    let [_, id, timestamp, nonce, _] = headers.each_ref().map(|(_, value)| value.as_str());
    let lines = ["allscale:webhook:v1", "POST", path, query, id, timestamp, nonce, &body];
    let mut base64 = [0; 44];
    format!("v1={}", Base64::encode(&hmac(secret, &lines.join("\n")), &mut base64).unwrap())
}

#[test]
fn the_hmac_by_definition_is_the_published_hmac() {
    // RFC 4231, test case 2.
    let hex: String =
        hmac("Jefe", "what do ya want for nothing?").iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

#[test]
fn a_webhook_has_the_fields_of_the_guide_in_order_and_the_values_of_the_intent() {
    let sandbox = Sandbox::new(9);
    let merchant = Merchant::of(&sandbox);
    let (_, created) = merchant.create(&json!({
        "currency": 44, "amount_cents": 100, "order_id": "order_123", "user_id": "u\"1", "user_name": "Tomé",
        "accepted_stable_coins": [2], "extra": {"cart": [1, {"b": null}], "a": "x"},
    }));
    let id = created["payload"]["allscale_checkout_intent_id"].as_str().unwrap().to_owned();
    sandbox.clock().advance(Duration::from_secs(60));
    let intent = merchant.whole(&id).1["payload"].clone();
    let webhook = only(sandbox.take_webhooks());
    let text = std::str::from_utf8(&webhook.body).unwrap();
    let fields = [
        ("all_scale_transaction_id", json!(webhook.transaction_id)),
        ("all_scale_checkout_intent_id", json!(id)),
        ("webhook_id", json!(webhook.webhook_id)),
        ("amount_cents", json!(100)),
        ("currency", json!(44)),
        ("currency_symbol", json!("EUR")),
        ("amount_coins", intent["amount_coins"].clone()),
        ("coin_symbol", json!("USDC")),
        ("coin_contract_address", intent["coin_contract"].clone()),
        ("chain_id", intent["chain_id"].clone()),
        ("tx_hash", intent["tx_hash"].clone()),
        ("tx_from", intent["tx_from"].clone()),
        ("payment_method_type", intent["payment_method_type"].clone()),
        ("order_id", json!("order_123")),
        ("user_id", json!("u\"1")),
        ("user_name", json!("Tomé")),
        ("extra_obj", json!({"cart": [1, {"b": null}], "a": "x"})),
    ];
    let body: Value = serde_json::from_str(text).unwrap();
    let mut from = 0;
    for (field, expected) in &fields {
        assert_eq!(&body[field], expected, "{field}");
        let at = text.find(&format!("\"{field}\":")).unwrap();
        assert!(at > from, "{field} is not in the order of the guide");
        from = at;
    }
    assert_eq!(keys(&body).len(), fields.len(), "and no status");
    assert_eq!((webhook.intent_id.as_str(), webhook.url.as_str()), (id.as_str(), WEBHOOK_URL));
}

#[test]
fn a_native_intent_has_no_fiat_in_its_webhook_and_absent_texts_are_null() {
    let sandbox = Sandbox::new(9);
    Merchant::of(&sandbox).create(&json!({"stable_coin": 1, "amount_cents": 1000}));
    sandbox.clock().advance(Duration::from_secs(60));
    let body: Value = serde_json::from_slice(&only(sandbox.webhooks()).body).unwrap();
    let nulls: Vec<_> = keys(&body).into_iter().filter(|key| body[key].is_null()).collect();
    let mut expected =
        ["amount_cents", "currency", "currency_symbol", "order_id", "user_id", "user_name", "extra_obj"];
    expected.sort_unstable();
    assert_eq!((nulls, &body["amount_coins"]), (expected.map(str::to_owned).to_vec(), &json!("10.0000")));
}

#[test]
fn a_webhook_is_sent_once_when_the_intent_is_first_confirmed() {
    let table = [
        ("happy", Some(60)),
        ("kyt_passed", Some(95)),
        ("kyt_refused", None),
        ("manual_operation", Some(4_555)),
        ("underpaid", None),
        ("overpaid", Some(60)),
        ("canceled", None),
        ("timeout", None),
        ("failed", None),
        ("late_success", Some(3_035)),
        ("unknown_status", Some(75)),
        ("regression", Some(80)),
        ("change_after_terminal", Some(60)),
        ("never_paid", None),
    ];
    assert_eq!(table.map(|row| row.0), Scenario::NAMES);
    for (name, seconds) in table {
        let (sandbox, _) = going(Scenario::by_name(name).unwrap());
        let begin = sandbox.clock().now();
        let due = seconds.map(|seconds| begin.saturating_add(Duration::from_secs(seconds)));
        if let Some(seconds) = seconds {
            sandbox.clock().advance(Duration::from_millis(seconds * 1_000 - 1));
            assert!(sandbox.webhooks().is_empty() && sandbox.take_webhooks().is_empty(), "{name}");
        }
        sandbox.clock().advance(Duration::from_secs(100_000));
        let at = |webhooks: Vec<Webhook>| webhooks.first().map(|webhook| webhook.at);
        let told = [at(sandbox.webhooks()), at(sandbox.take_webhooks()), at(sandbox.take_webhooks())];
        assert_eq!(told, [due, due, None], "{name}");
        assert_eq!(at(sandbox.webhooks()), due, "{name}");
    }
}

#[test]
fn a_second_confirmation_is_the_same_transaction_and_has_no_second_webhook() {
    for takes in [false, true] {
        let (sandbox, id) = going(Scenario::happy());
        sandbox.clock().advance(Duration::from_secs(60));
        let first = sandbox.webhooks()[0].at;
        if takes {
            only(sandbox.take_webhooks());
        }
        for status in [10, 20, -1, 20] {
            sandbox.clock().advance(Duration::from_secs(60));
            sandbox.act(&id, Act::ComeTo(status)).unwrap();
        }
        assert_eq!(only(sandbox.webhooks()).at, first);
        assert_eq!(sandbox.take_webhooks().len(), usize::from(!takes));
    }
}

#[test]
fn webhooks_come_in_the_order_of_time_from_the_stores_that_have_a_url() {
    let key = |name: &str| SigningKey::new(name, format!("{name}_secret").into()).unwrap();
    let mine = Store::new(key("st_mine")).webhook_url("https://mine.example/hooks").unwrap();
    let yours = Store::new(key("st_yours")).webhook_url("https://yours.example?a=1").unwrap();
    let silent = Store::new(key("st_silent"));
    let sandbox = Sandbox::builder().store(mine).store(yours).store(silent).build();
    let merchants = ["st_mine", "st_yours", "st_silent"]
        .map(|name| Merchant::with(&sandbox, name, &format!("{name}_secret")));
    let (happy, checked) = (Scenario::happy, Scenario::kyt_passed);
    let ids = [(0, checked()), (1, happy()), (2, happy()), (0, happy())].map(|(store, scenario)| {
        sandbox.next_intent(scenario);
        merchants[store].new_intent("order")
    });
    sandbox.clock().advance(Duration::from_secs(1_000));
    let told = |webhooks: &[Webhook]| -> Vec<_> {
        let now = sandbox.clock().now();
        let told = |webhook: &Webhook| {
            let [api_key, ..] = webhook.signed_at(now, 0);
            (webhook.intent_id.clone(), webhook.url.clone(), api_key.1)
        };
        webhooks.iter().map(told).collect()
    };
    let expected = [
        (1, "https://yours.example?a=1"),
        (3, "https://mine.example/hooks"),
        (0, "https://mine.example/hooks"),
    ];
    let api_keys = ["st_yours", "st_mine", "st_mine"];
    let expected: Vec<_> = expected
        .iter()
        .zip(api_keys)
        .map(|((number, url), api_key)| (ids[*number].clone(), (*url).to_owned(), api_key.to_owned()))
        .collect();
    assert_eq!(told(&sandbox.webhooks()), expected);
    assert_eq!(told(&sandbox.take_webhooks()), expected);
    assert!(sandbox.take_webhooks().is_empty());
}

#[test]
fn every_delivery_is_signed_over_the_eight_lines_at_its_own_moment() {
    let targets = [
        ("https://shop.example/hooks/allscale", "/hooks/allscale", ""),
        ("http://127.0.0.1:8080/a%20b/?store=7&b=%2F", "/a%20b/", "store=7&b=%2F"),
        ("https://shop.example", "/", ""),
        ("HTTPS://shop.example?x", "/", "x"),
    ];
    for (url, path, query) in targets {
        let key = SigningKey::new("st_mine", "st_my_secret".into()).unwrap();
        let sandbox = Sandbox::builder().store(Store::new(key).webhook_url(url).unwrap()).build();
        Merchant::with(&sandbox, "st_mine", "st_my_secret").new_intent("order");
        sandbox.clock().advance(Duration::from_secs(60));
        let webhook = only(sandbox.take_webhooks());
        assert_eq!(webhook.url, url);
        let mut nonces = HashSet::new();
        for (millis, seconds) in
            [(-1, "-1"), (1_716_501_000_999, "1716501000"), (1_716_501_001_000, "1716501001")]
        {
            for delivery in [0, 1, u32::MAX] {
                let now = Moment::from_unix_millis(millis);
                let headers = webhook.signed_at(now, delivery);
                assert_eq!(
                    headers.each_ref().map(|(name, _)| *name),
                    [
                        "x-api-key",
                        "x-webhook-id",
                        "x-webhook-timestamp",
                        "x-webhook-nonce",
                        "x-webhook-signature"
                    ]
                );
                assert_eq!((headers[0].1.as_str(), headers[2].1.as_str()), ("st_mine", seconds));
                assert_eq!(headers[1].1, webhook.webhook_id);
                assert_eq!(
                    headers[4].1,
                    signature_by_hand("st_my_secret", path, query, &headers, &webhook.body)
                );
                assert_eq!(headers, webhook.signed_at(now, delivery), "a copy");
                let nonce = headers[3].1.clone();
                assert_eq!(nonce.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
                assert!(nonces.insert(nonce), "{millis} {delivery}");
            }
        }
    }
}

#[test]
fn a_url_that_no_webhook_could_go_to_makes_no_store() {
    let store = || Store::new(SigningKey::new("st_key", "st_secret".into()).unwrap());
    for url in [
        "",
        "/hooks",
        "shop.example",
        "shop.example/hooks",
        "//shop.example/hooks",
        "ftp://shop.example/hooks",
        "https://",
        "https:///hooks",
        "https://user@shop.example/hooks",
        "https://user:word@shop.example/hooks",
        "https://user:wo/rd@shop.example/hooks",
        "https://shop.example:/hooks",
        "https://shop.example:port/hooks",
        "https://shop.example:65536/hooks",
        "https://:443/hooks",
        "https://shop.example/hooks#part",
        "https://shop.example/ho oks",
        "https://shop.example/hooks?a=b c",
        "https://shop.example/ho\u{f6}ks",
        "https://shop.example/hooks?\u{f6}",
        "https://shop.example/hooks\n",
        " https://shop.example/hooks",
        "mailto:shop@shop.example",
    ] {
        assert!(store().webhook_url(url).is_err(), "{url:?}");
    }
    for url in
        ["https://[::1]:8443/", "http://localhost", "https://shop.example/?", "https://shop.example//a/../b"]
    {
        assert!(store().webhook_url(url).is_ok(), "{url:?}");
    }
}

#[test]
fn debug_of_a_webhook_shows_no_key_and_nothing_of_the_body() {
    let sandbox = Sandbox::new(5);
    let body = json!({"currency": 1, "amount_cents": 1000, "user_name": "Tom", "order_id": "o1", "extra": {"a": "Jane"}});
    Merchant::of(&sandbox).create(&body);
    sandbox.clock().advance(Duration::from_secs(60));
    let webhook = only(sandbox.webhooks());
    let shown = format!("{webhook:?} {sandbox:?} {:?}", Sandbox::builder().store(default_store()));
    for hidden in [API_KEY, API_SECRET, "v1=", "Tom", "Jane", "o1"] {
        assert!(!shown.contains(hidden), "{hidden} in {shown}");
    }
    assert!(shown.contains("body_len"));
}
