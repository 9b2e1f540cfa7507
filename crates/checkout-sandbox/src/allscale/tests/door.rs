use super::*;
use checkout_tables::Moment;
use checkout_transport::http::HeaderValue;
use proptest::prelude::*;

const NOW: u64 = 1_716_501_000;
const PING: &str = "/v1/test/ping";

fn key() -> SigningKey {
    SigningKey::new(API_KEY, API_SECRET.into()).unwrap()
}

/// The sandbox's answer to a ping that was changed after the signing.
fn check(change: impl FnOnce(&mut Request)) -> String {
    let mut request = signed(&key(), "GET", PING, b"", NOW, "nonce");
    change(&mut request);
    refusal(&read(&Sandbox::new(1).send_blocking(request).unwrap()))
}

#[test]
fn a_ping_is_answered_with_pong() {
    assert_eq!(check(|_| ()), "200 0 -");
    let (_, reply) = Merchant::of(&Sandbox::new(1)).call("GET", PING, b"");
    assert_eq!(reply["payload"], json!({"pong": "ok"}));
    assert_eq!(reply["error"], Value::Null);
}

#[test]
fn a_missing_or_blank_header_is_20001() {
    for name in ["x-api-key", "x-timestamp", "x-nonce", "x-signature"] {
        let missing = check(|request| {
            request.headers_mut().remove(name);
        });
        assert_eq!(missing, "401 20001 missing authentication headers");
        for blank in ["", "  "] {
            let blank = check(|request| {
                request.headers_mut().insert(name, HeaderValue::from_static(blank));
            });
            assert_eq!(blank, "401 20001 missing authentication headers");
        }
    }
}

#[test]
fn a_missing_header_is_reported_before_a_wrong_header() {
    let both = check(|request| {
        request.headers_mut().insert("x-api-key", HeaderValue::from_static("st_nobody"));
        request.headers_mut().remove("x-signature");
    });
    assert_eq!(both, "401 20001 missing authentication headers");
}

#[test]
fn a_wrong_header_is_20002() {
    let set = |name: &'static str, value: &'static [u8]| {
        check(|request| {
            request.headers_mut().insert(name, HeaderValue::from_bytes(value).unwrap());
        })
    };
    let signature = "v1=28HitHtE4rVV1nej7S5mIE8xZbc9afx8h+6cH/yaPiA=";
    let table: [(&str, &[u8], &str); 12] = [
        ("x-api-key", b"st_nobody", "unknown api key"),
        ("x-api-key", b"st_sandbox_key\xff", "an authentication header is not text"),
        ("x-timestamp", b"yesterday", "timestamp is not in unix seconds"),
        ("x-timestamp", b"1716501000.0", "timestamp is not in unix seconds"),
        ("x-timestamp", b"+1716501000", "timestamp is not in unix seconds"),
        ("x-timestamp", b"01716501000", "timestamp is not in unix seconds"),
        ("x-timestamp", b"18446744073709551616", "timestamp is not in unix seconds"),
        ("x-timestamp", b"1716501000000", "timestamp is outside of the allowed time window"),
        ("x-timestamp", b"1716501001", "invalid signature"),
        ("x-nonce", b"another", "invalid signature"),
        ("x-nonce", b"two words", "invalid signature"),
        ("x-signature", signature.as_bytes(), "invalid signature"),
    ];
    for (name, value, message) in table {
        assert_eq!(set(name, value), format!("401 20002 {message}"), "{name}");
    }
}

#[test]
fn a_doubled_header_is_20002() {
    for name in ["x-api-key", "x-timestamp", "x-nonce", "x-signature"] {
        let doubled = check(|request| {
            let value = request.headers()[name].clone();
            request.headers_mut().append(name, value);
        });
        assert_eq!(doubled, "401 20002 an authentication header is given twice");
    }
}

#[test]
fn the_signature_covers_method_path_query_and_body() {
    let invalid = "401 20002 invalid signature";
    assert_eq!(check(|request| *request.body_mut() = Bytes::from_static(b" ")), invalid);
    let to = |target: &str| {
        check(|request| *request.uri_mut() = format!("https://openapi.allscale.io{target}").parse().unwrap())
    };
    assert_eq!(to("/v1/test/fail"), invalid);
    assert_eq!(to("/v1/test/ping?a=1"), invalid);
    let elsewhere = check(|request| *request.uri_mut() = "http://127.0.0.1:9/v1/test/ping".parse().unwrap());
    assert_eq!(elsewhere, "200 0 -", "the host is not signed");

    let merchant = Merchant::of(&Sandbox::new(1));
    assert_eq!(refusal(&merchant.call("GET", "/v1/test/ping?b=2&a=1", b"")), "200 0 -");
}

#[test]
fn a_timestamp_passes_up_to_the_edge_of_its_window_either_way() {
    let check = |seconds: u64, window: Option<u64>| {
        let mut builder = Sandbox::builder();
        if let Some(window) = window {
            builder = builder.timestamp_window_seconds(window);
        }
        let request = signed(&key(), "GET", PING, b"", seconds, "nonce");
        refusal(&read(&builder.build().send_blocking(request).unwrap()))
    };
    let stale = "401 20002 timestamp is outside of the allowed time window";
    assert_eq!(check(NOW - 300, None), "200 0 -");
    assert_eq!(check(NOW + 300, None), "200 0 -");
    assert_eq!(check(NOW - 301, None), stale);
    assert_eq!(check(NOW + 301, None), stale);
    assert_eq!(check(NOW - 600, Some(600)), "200 0 -");
    assert_eq!(check(NOW + 601, Some(600)), stale);
    assert_eq!(check(NOW, Some(0)), "200 0 -");
    assert_eq!(check(0, None), stale);
    assert_eq!(check(u64::MAX, None), stale);
}

#[test]
fn a_nonce_passes_once() {
    let sandbox = Sandbox::new(1);
    let send = |target, seconds| {
        sandbox.clock().advance(Duration::from_secs(seconds));
        let now = sandbox.clock().now().unix_seconds().unsigned_abs();
        refusal(&read(&sandbox.send_blocking(signed(&key(), "GET", target, b"", now, "n")).unwrap()))
    };
    assert_eq!(send("/v1/test/fail", 0), "400 10001 this route always fails");
    assert_eq!(send(PING, 0), "401 20002 nonce has been used already");
    assert_eq!(send(PING, 100_000), "401 20002 nonce has been used already");
}

#[test]
fn a_nonce_is_not_spent_by_a_wrong_signature() {
    let sandbox = Sandbox::new(1);
    let wrong = SigningKey::new(API_KEY, "another secret".into()).unwrap();
    let send = |key: &SigningKey| {
        refusal(&read(&sandbox.send_blocking(signed(key, "GET", PING, b"", NOW, "n")).unwrap()))
    };
    assert_eq!(send(&wrong), "401 20002 invalid signature");
    assert_eq!(send(&key()), "200 0 -");
}

#[test]
fn two_stores_are_two_worlds() {
    let store = |name: &str| Store::new(SigningKey::new(name, format!("{name}_secret").into()).unwrap());
    let sandbox = Sandbox::builder().store(store("st_a")).store(store("st_b")).build();
    let a = Merchant::with(&sandbox, "st_a", "st_a_secret");
    let b = Merchant::with(&sandbox, "st_b", "st_b_secret");
    let id = a.new_intent("order");
    assert_eq!(refusal(&a.status(&id)), "200 0 -");
    // The nonces of b are the nonces that a has spent.
    assert_eq!(refusal(&b.status(&id)), "403 30001 no permission to view this checkout intent");
    assert_eq!(refusal(&b.whole(&id)), "403 30001 no permission to view this checkout intent");
    let forged = Merchant::with(&sandbox, "st_a", "st_b_secret");
    assert_eq!(refusal(&forged.status(&id)), "401 20002 invalid signature");
    let unknown = Merchant::of(&sandbox);
    assert_eq!(refusal(&unknown.status(&id)), "401 20002 unknown api key");
}

#[test]
fn a_store_with_a_known_key_takes_the_earlier_ones_place() {
    let replaced = Store::new(SigningKey::new(API_KEY, "older secret".into()).unwrap());
    let sandbox = Sandbox::builder().store(replaced).store(default_store()).build();
    assert_eq!(refusal(&Merchant::of(&sandbox).call("GET", PING, b"")), "200 0 -");
}

#[test]
fn an_address_that_is_not_allowed_is_refused_a_create_before_its_body_is_read() {
    let sandbox = Sandbox::builder().store(default_store().ip_not_allowed()).build();
    let merchant = Merchant::of(&sandbox);
    assert_eq!(refusal(&merchant.create(&json!("no order"))), "403 30001 ip not allowed");
    assert_eq!(refusal(&merchant.call("GET", PING, b"")), "200 0 -");
}

#[test]
fn an_id_is_malformed_unknown_or_found() {
    let sandbox = Sandbox::new(1);
    let merchant = Merchant::of(&sandbox);
    let id = merchant.new_intent("order");
    let check = |id: &str| {
        let [whole, status] = [merchant.whole(id), merchant.status(id)].map(|answer| refusal(&answer));
        assert_eq!(whole, status);
        whole
    };
    assert_eq!(check(&id), "200 0 -");
    assert_eq!(check(&id.to_uppercase()), "200 0 -");
    let encoded: String = id.bytes().map(|byte| format!("%{byte:02X}")).collect();
    assert_eq!(check(&encoded), "200 0 -");
    assert_eq!(check("65b2f3d0d2d9c0a1b2c3d4e5"), "404 50001 checkout intent not found");
    for malformed in ["order_1", "%2F", "65b2f3d0d2d9c0a1b2c3d4e", "65b2f3d0d2d9c0a1b2c3d4eg", "%"] {
        assert_eq!(check(malformed), "400 10001 checkout_intent_id: must be an ObjectId", "{malformed}");
    }
}

#[test]
fn the_test_routes_answer_as_documented() {
    let merchant = Merchant::of(&Sandbox::new(1));
    let post = |body: &[u8]| merchant.call("POST", "/v1/test/post", body);
    let (status, reply) = post(br#" {"a": [1, {"b": 1.50}]} "#);
    assert_eq!((status, &reply["payload"]), (200, &json!({"your_request_body": {"a": [1, {"b": 1.50}]}})));
    for body in [&b""[..], b"{", b"\xff", b"{} {}"] {
        assert_eq!(refusal(&post(body)), "400 10001 the body is not JSON");
    }
    assert_eq!(refusal(&merchant.call("GET", "/v1/test/fail", b"")), "400 10001 this route always fails");
}

#[test]
fn the_answer_to_no_route_is_not_the_apis() {
    let sandbox = Sandbox::new(1);
    let check = |method: &str, target: &str| {
        let request = http::Request::builder().method(method).uri(target).body(Bytes::new()).unwrap();
        let response = sandbox.send_blocking(request).unwrap();
        assert!(serde_json::from_slice::<Value>(response.body()).is_err());
        format!("{} {}", response.status().as_u16(), response.headers()["content-type"].to_str().unwrap())
    };
    assert_eq!(check("POST", "https://openapi.allscale.io/v1/checkout_intents"), "404 text/html");
    assert_eq!(check("GET", "https://openapi.allscale.io/"), "404 text/html");
    assert_eq!(check("OPTIONS", "*"), "404 text/html");
    assert_eq!(check("CONNECT", "openapi.allscale.io:443"), "404 text/html");
    assert_eq!(check("GET", "https://openapi.allscale.io/v1/checkout_intents/"), "405 text/plain");
    assert_eq!(check("DELETE", "https://openapi.allscale.io/v1/test/ping"), "405 text/plain");
}

#[test]
fn a_rate_limit_counts_by_store_and_minute() {
    let store = |name: &str| Store::new(SigningKey::new(name, "secret".into()).unwrap());
    let sandbox = Sandbox::builder()
        .store(store("st_a"))
        .store(store("st_b"))
        .clock(VirtualClock::new(Moment::from_unix_millis(1_716_501_048_500)))
        .requests_per_minute(NonZeroU32::new(2).unwrap())
        .build();
    let [a, b] = ["st_a", "st_b"].map(|name| Merchant::with(&sandbox, name, "secret"));
    let ping = |merchant: &Merchant| refusal(&merchant.call("GET", PING, b""));
    assert_eq!([ping(&a), ping(&a)], ["200 0 -", "200 0 -"]);
    assert_eq!(ping(&a), "429 40001 rate limit exceeded");
    assert_eq!(ping(&b), "200 0 -");
    let refused = a.send("GET", PING, b"").unwrap();
    assert_eq!(refused.headers()["retry-after"], "12");
    sandbox.clock().advance(Duration::from_millis(11_499));
    assert_eq!(ping(&a), "429 40001 rate limit exceeded");
    sandbox.clock().advance(Duration::from_millis(1));
    assert_eq!(ping(&a), "200 0 -");
}

proptest! {
    #[test]
    fn any_method_path_and_query_gets_an_answer(
        method in "[A-Za-z!]{1,8}|GET|POST",
        path in "(/v1)?(/checkout_intents|/test)?(/[!->@-~]{0,30}){1,3}|/v1/checkout_intents/[0-9a-f%]{22,26}",
        rest in "(/status)?(\\?[!-\"$->@-~]{0,9})?",
    ) {
        let uri: Result<http::Uri, _> = format!("https://openapi.allscale.io{path}{rest}").parse();
        prop_assume!(uri.is_ok());
        let target = uri.unwrap().path_and_query().unwrap().as_str().to_owned();
        let response = Merchant::of(&Sandbox::new(1)).send(&method, &target, b"{}").unwrap();
        let (status, reply) = read(&response);
        let expected = match reply["code"].as_i64() {
            None => matches!(status, 404 | 405),
            Some(0) => status == 200,
            Some(10001) => status == 400,
            Some(50001) => status == 404,
            Some(_) => false,
        };
        prop_assert!(expected, "{} {}: {} {}", method, target, status, reply);
    }

    #[test]
    fn any_unsigned_request_is_refused(method in "[A-Z]{1,8}|GET|POST", target in "\\PC{0,40}", body: Vec<u8>) {
        for prefix in ["/", "/v1/test/ping?", "/v1/checkout_intents/", "/v1/checkout_intents/a?"] {
            let uri = format!("https://openapi.allscale.io{prefix}{target}");
            let request = http::Request::builder()
                .method(method.as_str())
                .uri(uri)
                .header("x-api-key", API_KEY)
                .header("x-timestamp", NOW)
                .header("x-nonce", "nonce")
                .header("x-signature", "v1=28HitHtE4rVV1nej7S5mIE8xZbc9afx8h+6cH/yaPiA=")
                .body(Bytes::from(body.clone()));
            let Ok(request) = request else { continue };
            let status = Sandbox::new(1).send_blocking(request).unwrap().status().as_u16();
            prop_assert!(matches!(status, 401 | 404 | 405), "{}", status);
        }
    }

    #[test]
    fn any_text_in_the_headers_is_refused(
        name in proptest::sample::select(vec!["x-api-key", "x-timestamp", "x-nonce", "x-signature"]),
        value in proptest::collection::vec(prop_oneof![Just(b'\t'), b' '..=b'~', 128..=u8::MAX], 0..40),
    ) {
        let told = check(|request| {
            request.headers_mut().insert(name, HeaderValue::from_bytes(&value).unwrap());
        });
        prop_assert!(told.starts_with("401 20001") || told.starts_with("401 20002"), "{}", told);
    }
}
