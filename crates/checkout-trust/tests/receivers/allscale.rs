//! AllScale's webhooks.

use crate::{PRIVATE, nothing_private, one_byte_otherwise, one_character_otherwise, orders, refusal, second};
use checkout_auth::allscale::webhook::{Webhook, WebhookRequest};
use checkout_auth::allscale::{KeyError, SigningKey};
use checkout_auth::{KeyRing, Tolerance};
use checkout_trust::allscale::Receiver;
use checkout_trust::replay::{Identity, Key};
use proptest::prelude::*;
use std::time::Duration;

pub(crate) const NOW: i64 = 1_716_501_000;

const BODY: &str = r#"{"all_scale_transaction_id":"tx_1",
    "all_scale_checkout_intent_id":"65b2f3d0","webhook_id":"wh_1","amount_cents":1000,"order_id":"order_1",
    "user_name":"PRIVATE","user_id":"PRIVATE","tx_hash":"PRIVATE","tx_from":"PRIVATE",
    "extra_obj":{"note":"PRIVATE"}}"#;

#[derive(Clone)]
pub(crate) struct Parts {
    method: String,
    path: String,
    query: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

pub(crate) fn key(api_key: &str, secret: &str) -> SigningKey {
    SigningKey::new(api_key, format!("{PRIVATE}_{secret}").into()).unwrap()
}

pub(crate) fn receiver() -> Receiver {
    Receiver::new("shop", KeyRing::new("2024-05", key("test_key", "one")))
}

impl Parts {
    /// A genuine webhook. The secret part of its URL is the query.
    pub(crate) fn genuine() -> Self {
        Self::signed(&key("test_key", "one"), NOW, "b4d9a2a1", BODY)
    }

    pub(crate) fn signed(key: &SigningKey, timestamp: i64, nonce: &str, body: &str) -> Self {
        let to_sign = Webhook {
            method: "POST",
            path: "/hooks/allscale",
            query: "token=PRIVATE&b=%20",
            webhook_id: "wh_1",
            timestamp,
            nonce,
            body: body.as_bytes(),
        };
        let signature = to_sign.sign(key).unwrap();
        let header = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
        Self {
            method: to_sign.method.into(),
            path: to_sign.path.into(),
            query: to_sign.query.into(),
            headers: vec![
                header("X-API-Key", key.api_key()),
                header("X-Webhook-Id", "wh_1"),
                header("X-Webhook-Timestamp", &timestamp.to_string()),
                header("X-Webhook-Nonce", nonce),
                header("X-Webhook-Signature", signature.as_str()),
            ],
            body: body.into(),
        }
    }

    pub(crate) fn request(&self) -> WebhookRequest<'_, Vec<(String, Vec<u8>)>> {
        let Self { method, path, query, headers, body } = self;
        WebhookRequest { method, path, query, headers, body }
    }

    /// The same as a request of the `http` crate, if it can be one.
    #[cfg(feature = "http")]
    pub(crate) fn http(&self) -> Option<http::Request<Vec<u8>>> {
        let uri =
            if self.query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, self.query) };
        let request = http::Request::builder().method(&*self.method).uri(uri);
        let request =
            self.headers.iter().fold(request, |request, (name, value)| request.header(name, &**value));
        request.body(self.body.clone()).ok()
    }

    /// The digits of the signature, if there are any.
    fn signature(&self) -> Option<&str> {
        let value = self.headers.get(SIGNATURE).map(|(_, value)| value.as_slice())?;
        std::str::from_utf8(value).ok()?.strip_prefix("v1=").filter(|digits| digits.len() > 20)
    }

    /// The webhook with another value of one header.
    pub(crate) fn with(&self, header: usize, value: &[u8]) -> Self {
        let mut other = self.clone();
        other.headers[header].1 = value.to_vec();
        other
    }
}

const SIGNATURE: usize = 4;

fn receive(receiver: &Receiver, parts: &Parts, now: i64) -> Result<Identity, String> {
    match receiver.receive(&parts.request(), second(now)) {
        Ok(event) => {
            nothing_private(&format!("{event:?}"));
            let body = event.content().body();
            assert_eq!(body.user_name.as_ref().and_then(|name| name.text()), Some(PRIVATE));
            Ok(event.identity().clone())
        }
        Err(error) => {
            let text = format!("{error:?}{error}");
            assert!(parts.signature().is_none_or(|digits| !text.contains(digits)), "{text}");
            Err(refusal(&error, error.http_status(), error.blame(), error.hint()))
        }
    }
}

/// The refusal of the webhook, or `taken in`.
fn check(parts: &Parts) -> String {
    check_at(parts, NOW)
}

fn check_at(parts: &Parts, now: i64) -> String {
    check_with(&receiver(), parts, now)
}

fn check_with(receiver: &Receiver, parts: &Parts, now: i64) -> String {
    receive(receiver, parts, now).map_or_else(|refusal| refusal, |_| "taken in".into())
}

const MISMATCH: &str = "401 SetUp: no signature is this webhook's under the keys of its api key";

#[test]
fn a_genuine_webhook_is_taken_in_and_known_by_its_signed_parts() {
    let delivery = Key::allscale_delivery("shop", "wh_1", "b4d9a2a1", Duration::from_secs(300));
    let days = Duration::from_secs(400 * 24 * 60 * 60);
    let transaction = Key::allscale_transaction("shop", "tx_1", days);
    let identity = receive(&receiver(), &Parts::genuine(), NOW).unwrap();
    assert_eq!(identity, Identity::new(transaction).and(delivery));
    assert!(identity.keys().iter().any(|key| *key == transaction && key.retention() == days));
    let kept = receiver().keep_orders(Duration::MAX).tolerance(Tolerance::from_seconds(900));
    let retentions: Vec<_> =
        receive(&kept, &Parts::genuine(), NOW).unwrap().keys().iter().map(Key::retention).collect();
    assert!(retentions.contains(&Duration::MAX) && retentions.contains(&Duration::from_secs(1_860)));
}

#[test]
fn no_changed_byte_of_any_part_is_taken_in() {
    let (receiver, genuine) = (receiver(), Parts::genuine());
    let refused = |parts: Parts| {
        let said = receive(&receiver, &parts, NOW).unwrap_err();
        assert!(said.starts_with("401 "), "{said}");
        1
    };
    let mut count = 0;
    for method in one_character_otherwise(&genuine.method) {
        count += refused(Parts { method, ..genuine.clone() });
    }
    for path in one_character_otherwise(&genuine.path) {
        count += refused(Parts { path, ..genuine.clone() });
    }
    for query in one_character_otherwise(&genuine.query) {
        count += refused(Parts { query, ..genuine.clone() });
    }
    for body in one_byte_otherwise(&genuine.body) {
        count += refused(Parts { body, ..genuine.clone() });
    }
    for at in 0..genuine.headers.len() {
        for value in one_byte_otherwise(&genuine.headers[at].1) {
            count += refused(genuine.with(at, &value));
        }
    }
    assert!(count > 10_000, "{count}");
}

#[test]
fn a_header_is_found_in_any_order_and_case_and_under_no_other_name() {
    let genuine = Parts::genuine();
    for order in orders(5) {
        let headers = order.iter().map(|at| genuine.headers[*at].clone()).collect();
        assert_eq!(check(&Parts { headers, ..genuine.clone() }), "taken in");
    }
    for cased in [str::to_ascii_lowercase, str::to_ascii_uppercase] {
        let recased = |(name, value): &(String, Vec<u8>)| (cased(name), value.clone());
        let mut headers: Vec<_> = genuine.headers.iter().map(recased).collect();
        headers.push(("Host".into(), b"shop.example".to_vec()));
        assert_eq!(check(&Parts { headers, ..genuine.clone() }), "taken in");
    }
    for at in 0..5 {
        for name in one_character_otherwise(&genuine.headers[at].0) {
            let same = name.eq_ignore_ascii_case(&genuine.headers[at].0);
            let mut other = genuine.clone();
            other.headers[at].0 = name;
            let missing =
                format!("401 Sender: the header {} is missing", genuine.headers[at].0.to_lowercase());
            assert_eq!(check(&other), if same { "taken in" } else { &missing });
        }
    }
}

#[test]
fn a_header_that_is_dropped_doubled_or_empty_is_named() {
    let genuine = Parts::genuine();
    for at in 0..5 {
        let name = genuine.headers[at].0.to_lowercase();
        let mut dropped = genuine.clone();
        let (_, value) = dropped.headers.remove(at);
        assert_eq!(check(&dropped), format!("401 Sender: the header {name} is missing"));
        for second in [value.as_slice(), b"other", b""] {
            for place in [0, 5] {
                let mut doubled = genuine.clone();
                doubled.headers.insert(place, (name.to_uppercase(), second.to_vec()));
                assert_eq!(check(&doubled), format!("401 Sender: the header {name} is there more than once"));
            }
        }
        assert_eq!(check(&genuine.with(at, b"")), format!("401 Sender: the header {name} is empty"));
    }
}

#[test]
fn white_space_is_trimmed_off_nothing() {
    let genuine = Parts::genuine();
    for at in 0..5 {
        for blank in [&b" "[..], b"\t", b"\n", b"\r\n", b"\xc2\xa0"] {
            for value in [[blank, &genuine.headers[at].1].concat(), [&genuine.headers[at].1, blank].concat()]
            {
                assert!(check(&genuine.with(at, &value)).starts_with("401 Sender: the header "), "{value:?}");
            }
        }
    }
    let copied = SigningKey::new("test_key", format!("{PRIVATE}\n").into()).unwrap_err();
    assert_eq!(copied, KeyError::SecretWhiteSpace);
    nothing_private(&format!("{copied:?}{copied}"));
}

#[test]
fn a_time_is_taken_in_up_to_both_edges_and_to_the_ends_of_time() {
    let key = key("test_key", "one");
    let (min, max) = (i64::MIN, i64::MAX);
    // The first and the last second of a moment, which counts milliseconds.
    let (first, last) = (-9_223_372_036_854_776, 9_223_372_036_854_775);
    let behind =
        |by: u64| format!("401 Sender: the message's time is {by} s further back than the tolerance allows");
    let ahead =
        |by: u64| format!("401 SetUp: the message's time is {by} s further ahead than the tolerance allows");
    let times = [
        (NOW, NOW, "taken in".to_owned()),
        (NOW - 300, NOW, "taken in".into()),
        (NOW - 301, NOW, behind(1)),
        (NOW + 300, NOW, "taken in".into()),
        (NOW + 301, NOW, ahead(1)),
        (first, first, "taken in".into()),
        (last, last, "taken in".into()),
        (last - 300, last, "taken in".into()),
        (last - 301, last, behind(1)),
        (first + 300, first, "taken in".into()),
        (first + 301, first, ahead(1)),
        (min, last, behind(9_232_595_408_891_630_283)),
        (max, first, ahead(9_232_595_408_891_630_283)),
        (min, NOW, behind(9_223_372_038_571_276_508)),
        (max, NOW, ahead(9_223_372_035_138_274_507)),
        (NOW, last, behind(9_223_370_320_353_475)),
        (NOW, first, ahead(9_223_373_753_355_476)),
        (0, 300, "taken in".into()),
        (-1, 300, behind(1)),
    ];
    for (timestamp, now, said) in times {
        let parts = Parts::signed(&key, timestamp, "b4d9a2a1", BODY);
        assert_eq!(check_at(&parts, now), said, "{timestamp} at {now}");
    }
    let strict = receiver().tolerance(Tolerance::from_seconds(0));
    let genuine = Parts::genuine();
    assert_eq!(check_with(&strict, &genuine, NOW), "taken in");
    assert_eq!(check_with(&strict, &genuine, NOW + 1), behind(1));
    assert_eq!(check_with(&strict, &genuine, NOW - 1), ahead(1));
}

#[test]
fn a_time_in_another_spelling_is_refused_under_every_signature() {
    let genuine = Parts::genuine();
    let texts =
        ["9223372036854775808", "-9223372036854775809", "+1716501000", "01716501000", "1716501000.0", "-0"];
    for text in texts {
        let said = check(&genuine.with(2, text.as_bytes()));
        let not_a_time = "the header x-webhook-timestamp is not a time in seconds, written in decimal";
        assert_eq!(said, format!("401 Sender: {not_a_time}"), "{text}");
    }
}

#[test]
fn a_signature_has_one_spelling() {
    // A signature with both of the characters that URL-safe Base64 replaces.
    let signed = |nonce: u32| Parts::signed(&key("test_key", "one"), NOW, &nonce.to_string(), BODY);
    let genuine = (0..)
        .map(signed)
        .find(|parts| ["+", "/"].iter().all(|c| parts.signature().unwrap().contains(c)))
        .unwrap();
    assert_eq!(check(&genuine), "taken in");
    let digits = genuine.signature().unwrap().to_owned();
    let header = "401 Sender: the header x-webhook-signature";
    let not_base64 = format!("{header} holds a signature that is not the padded standard Base64 of 32 bytes");
    let hex = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    let none = "v1=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let spellings = [
        (format!("v1={}", digits.replace('+', "-").replace('/', "_")), &*not_base64),
        (format!("v1={}", digits.trim_end_matches('=')), &not_base64),
        (format!("v1={digits}="), &not_base64),
        (format!("v1={digits}=="), &not_base64),
        (format!("v1={}", &digits[..42]), &not_base64),
        (format!("v1={}=", &digits[..39]), &not_base64),
        (format!("v1={digits}{digits}"), &not_base64),
        (format!("v1={}", "A".repeat(100_000)), &not_base64),
        ("v1=".into(), &not_base64),
        (format!("v1={hex}"), &not_base64),
        (format!("v1={}", hex.to_uppercase()), &not_base64),
        (format!("v1=!{}", &digits[1..]), &not_base64),
        (digits.clone(), &format!("{header} has no signature of a known version")),
        (format!("V1={digits}"), &format!("{header} has no signature of a known version")),
        (format!("v2={digits}"), &format!("{header} has no signature of a known version")),
        (none.into(), MISMATCH),
        (format!("v1={digits},"), &format!("{header} is not a list of signatures")),
        (format!("v1={digits} {none}"), &format!("{header} holds a character that is not visible ASCII")),
        (format!("v1={digits}, v1=short"), &not_base64),
        (format!("v1={digits}, {none}"), "taken in"),
        (format!("{none},v1={digits}"), "taken in"),
        (format!("v0=what,v1={digits}"), "taken in"),
        (format!("v1={digits}{}", ",v0=x".repeat(7)), "taken in"),
        (format!("v1={digits}{}", ",v0=x".repeat(8)), &format!("{header} has too many signatures")),
    ];
    for (spelling, said) in &spellings {
        assert_eq!(check(&genuine.with(SIGNATURE, spelling.as_bytes())), *said, "{spelling}");
    }
}

#[test]
fn a_signature_of_another_key_or_request_is_refused() {
    let genuine = Parts::genuine();
    assert_eq!(check(&Parts::signed(&key("test_key", "two"), NOW, "b4d9a2a1", BODY)), MISMATCH);
    let unknown = "401 SetUp: no key that is valid now has the api key of the header x-api-key";
    assert_eq!(check(&Parts::signed(&key("other_key", "one"), NOW, "b4d9a2a1", BODY)), unknown);
    for (method, path, query) in [
        ("POST", "/hooks/peach", "token=PRIVATE&b=%20"),
        ("POST", "/hooks/allscale/", "token=PRIVATE&b=%20"),
        ("POST", "/hooks/%61llscale", "token=PRIVATE&b=%20"),
        ("PUT", "/hooks/allscale", "token=PRIVATE&b=%20"),
        ("POST", "/hooks/allscale", "token=PRIVATE&b=+"),
        ("POST", "/hooks/allscale", "b=%20&token=PRIVATE"),
        ("POST", "/hooks/allscale", ""),
    ] {
        let moved =
            Parts { method: method.into(), path: path.into(), query: query.into(), ..genuine.clone() };
        assert_eq!(check(&moved), MISMATCH, "{method} {path}?{query}");
    }
    // The lines of a webhook cannot be moved against each other: no part holds a line break.
    let not_sent = "401 Caller: the path does not begin with `/`, or holds `?`, `#` or a character that is \
                    not visible ASCII";
    assert_eq!(check(&Parts { path: "/hooks/allscale\n".into(), ..genuine.clone() }), not_sent);
    let rewritten = BODY.replace(':', ": ");
    assert_eq!(check(&Parts { body: rewritten.into(), ..genuine }), MISMATCH);
}

#[test]
fn keys_are_rotated_without_losing_a_webhook() {
    let (old, new) = (key("test_key", "one"), key("test_key", "two"));
    let until = NOW + 60;
    let ring = KeyRing::new("new", new.clone()).and_valid("old", old.clone(), i64::MIN..until);
    let receiver = Receiver::new("shop", ring);
    let by = |key: &SigningKey, now: i64| {
        let parts = Parts::signed(key, now, "b4d9a2a1", BODY);
        match receiver.receive(&parts.request(), second(now)) {
            Ok(event) => event.key_id().to_owned(),
            Err(error) => error.to_string(),
        }
    };
    assert_eq!(by(&old, until - 1), "old");
    assert_eq!(by(&new, until - 1), "new");
    assert_eq!(by(&new, until), "new");
    assert_eq!(by(&old, until), "no signature is this webhook's under the keys of its api key");
    nothing_private(&format!("{receiver:?}"));
}

#[test]
fn one_merchants_webhook_is_not_anothers() {
    let genuine = Parts::genuine();
    let other = Receiver::new("other", KeyRing::new("other", key("other_key", "other")));
    let unknown = "401 SetUp: no key that is valid now has the api key of the header x-api-key";
    assert_eq!(check_with(&other, &genuine, NOW), unknown);
    let forged = genuine.with(0, b"other_key");
    assert_eq!(check_with(&other, &forged, NOW), MISMATCH);
    // Two merchants that share a key by mistake still do not block each other.
    let namesake = Receiver::new("other", KeyRing::new("2024-05", key("test_key", "one")));
    let identities = [receiver(), namesake].map(|receiver| receive(&receiver, &genuine, NOW).unwrap());
    let [ours, theirs] = identities.each_ref().map(Identity::keys);
    assert!(ours.iter().all(|key| !theirs.contains(key)));
}

#[test]
fn a_signed_body_that_is_no_webhooks_is_the_senders_to_mend_and_no_forgery() {
    let said = |body: &str| check(&Parts::signed(&key("test_key", "one"), NOW, "b4d9a2a1", body));
    assert_eq!(said(&BODY.replace("wh_1", "wh_2")), "400 Sender: the body's webhook_id is not the header's");
    assert_eq!(said(&BODY.replace("wh_1", "WH_1")), "400 Sender: the body's webhook_id is not the header's");
    for body in ["", "[]", "null", "PRIVATE", "{\"user_name\":\"PRIVATE\"", r#"{"user_name":"PRIVATE"}"#] {
        assert!(said(body).starts_with("400 Sender: the body: "), "{body}");
    }
    let doubled = BODY.replace(r#""order_id""#, r#""webhook_id":"wh_2","order_id""#);
    assert!(said(&doubled).starts_with("400 Sender: the body: "));
    for id in ["tx_1", "65b2f3d0", "wh_1"] {
        let wrongly_typed = BODY.replace(&format!("\"{id}\""), r#"{"PRIVATE":"PRIVATE"}"#);
        assert!(said(&wrongly_typed).starts_with("400 Sender: the body: "), "{id}");
    }
    // Payments without a name of their own would be one payment.
    for id in ["tx_1", "65b2f3d0"] {
        for empty in ["", " "] {
            let nameless = "400 Sender: the body names no transaction, or no intent";
            assert_eq!(said(&BODY.replace(id, empty)), nameless, "{id}");
        }
    }
    // A member that decides nothing costs nothing.
    for (member, other) in
        [(r#""order_1""#, r#"{"PRIVATE":"PRIVATE"}"#), (r#""tx_hash":"PRIVATE""#, r#""tx_hash":7"#)]
    {
        let signed = Parts::signed(&key("test_key", "one"), NOW, "b4d9a2a1", &BODY.replace(member, other));
        assert!(receive(&receiver(), &signed, NOW).is_ok(), "{member}");
    }
}

proptest! {
    #[test]
    fn nothing_that_nobody_signed_is_taken_in_and_nothing_panics(
        method in "\\PC{0,8}|POST",
        path in "\\PC{0,20}|/hooks/allscale",
        query in "\\PC{0,20}",
        names in proptest::collection::vec(
            "[xX]-[Aa]pi-[kK]ey|x-webhook-(id|nonce|timestamp|signature)|\\PC{0,12}", 0..9,
        ),
        values in proptest::collection::vec(
            prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..50),
                "v1=[A-Za-z0-9+/]{43}=|-?[0-9]{1,20}|test_key".prop_map(String::into_bytes),
            ],
            9,
        ),
        body: Vec<u8>,
        now: i64,
    ) {
        let headers: Vec<_> = names.into_iter().zip(values).collect();
        let (headers, body) = (&headers, &body);
        let request = WebhookRequest { method: &method, path: &path, query: &query, headers, body };
        let error = receiver().receive(&request, second(now)).unwrap_err();
        refusal(&error, error.http_status(), error.blame(), error.hint());
    }

    #[test]
    fn a_genuine_webhook_that_was_cut_and_mended_anywhere_is_refused(
        part in 0..9_usize, from: proptest::sample::Index, to: proptest::sample::Index, with: Vec<u8>,
        now in NOW - 300..=NOW + 300,
    ) {
        let genuine = Parts::genuine();
        let mut parts = genuine.clone();
        let cut = |text: &[u8]| {
            let (from, to) = (from.index(text.len() + 1), to.index(text.len() + 1));
            [&text[..from.min(to)], &with, &text[from.max(to)..]].concat()
        };
        let cut_text = |text: &str| String::from_utf8_lossy(&cut(text.as_bytes())).into_owned();
        match part {
            0 => parts.body = cut(&genuine.body),
            1 => parts.path = cut_text(&genuine.path),
            2 => parts.query = cut_text(&genuine.query),
            3 => parts.method = cut_text(&genuine.method),
            header => parts.headers[header - 4].1 = cut(&genuine.headers[header - 4].1),
        }
        let same = parts.body == genuine.body && parts.path == genuine.path && parts.query == genuine.query
            && parts.method == genuine.method && parts.headers == genuine.headers;
        prop_assert_eq!(receiver().receive(&parts.request(), second(now)).is_ok(), same);
    }
}
