use super::*;
use crate::allscale::list::tests::{every_law_of_lists, is_listed, spellings};
use crate::allscale::tests::base64_by_bits;
use crate::mac::tests::hmac_by_definition;
use crate::message::suite::{Kind, NOW, PASSES, Passed, Sent, check, check_with, every_law, visible};
use crate::{KeyRing, SignError};
use alloc::borrow::ToOwned;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use proptest::prelude::*;
use proptest::strategy::BoxedStrategy;
use sha2::{Digest, Sha256};

const SECRET: &str = "test_secret_abc";
const OTHER_SECRET: &str = "test_secret_abd";
const API_KEY: &str = "test_key_xyz";
const NONCE: &str = "b4d9a2a1-9c2b-4df4-8b8e-2a13a45fd321";
const SIGNATURE: &str = "v1=+caiffV6TcbFGCoy4NUBKg1j7LUQsafZz1xo2WbR+W4=";

struct Webhooks;

every_law!(Webhooks);
every_law_of_lists!(Webhooks);

impl Kind for Webhooks {
    type Key = SigningKey;

    const SECRETS: [&'static str; 2] = [SECRET, OTHER_SECRET];
    const HEADERS: &'static [&'static str] =
        &["x-api-key", "x-webhook-id", "x-webhook-timestamp", "x-webhook-nonce", "x-webhook-signature"];
    const TIMESTAMP: &'static str = "x-webhook-timestamp";
    const TEXTS: &'static [&'static str] = &["method", "path", "query"];
    const MISMATCH: &'static str = "no signature is this webhook's under the keys of its api key";
    const NO_KEY: &'static str = "no key that is valid now has the api key of the header x-api-key";
    const LISTS: bool = true;
    const HIDDEN: &'static [&'static str] = &[API_KEY, NONCE, "tx_1", "store=7"];

    fn genuine() -> Sent {
        let body = br#"{"webhook_id":"wh_665f1c2e9b1d4a0012345678","all_scale_transaction_id":"tx_1"}"#;
        let parts: [(_, &[u8]); 4] =
            [("method", b"POST"), ("path", b"/hooks/allscale"), ("query", b"store=7&b=%2F"), ("body", body)];
        let values = [API_KEY, "wh_665f1c2e9b1d4a0012345678", "1716501000", NONCE, SIGNATURE];
        Sent::new(parts, Self::HEADERS, &values)
    }

    /// Computed with the hmac, hashlib and base64 modules of Python 3.
    fn vectors() -> Vec<(Sent, String, &'static str)> {
        let sent = |method: &str, timestamp: &str, id: &str, nonce: &str, body: &[u8]| {
            let parts: [(_, &[u8]); 4] =
                [("method", method.as_bytes()), ("path", b"/"), ("query", b""), ("body", body)];
            Sent::new(parts, Self::HEADERS, &[API_KEY, id, timestamp, nonce, ""])
        };
        let first_second = sent("PUT", "-9223372036854775808", "!", "~", &[0, 10, 255]);
        let empty = sent("POST", "0", "1", "1", b"");
        let longer_than_a_block = "k".repeat(65);
        vec![
            (Self::genuine(), SECRET.into(), SIGNATURE),
            (first_second, "géheim".into(), "v1=swsrcQMkxMdnvHv5p1YG0pp+peLzugI8hOTSlo/OhpI="),
            (empty, longer_than_a_block, "v1=Esc0GR+IWnOQnGMjX3WMgck1uHp4ZuS+CI7bql6CkWU="),
        ]
    }

    fn by_definition(secret: &str, sent: &Sent) -> String {
        let body: String =
            Sha256::digest(sent.part("body")).iter().map(|byte| format!("{byte:02x}")).collect();
        let [method, path, query] = ["method", "path", "query"].map(|name| sent.text(name));
        let [id, time, nonce] =
            ["x-webhook-id", "x-webhook-timestamp", "x-webhook-nonce"].map(|name| sent.value(name));
        let canonical =
            format!("allscale:webhook:v1\n{method}\n{path}\n{query}\n{id}\n{time}\n{nonce}\n{body}");
        format!("v1={}", base64_by_bits(&hmac_by_definition(secret, canonical)))
    }

    fn key(secret: &str) -> SigningKey {
        SigningKey::new(API_KEY, secret.into()).unwrap()
    }

    fn sign(sent: &Sent, key: &SigningKey) -> Result<String, SignError> {
        let webhook = Webhook {
            method: sent.text("method"),
            path: sent.text("path"),
            query: sent.text("query"),
            webhook_id: &sent.value("x-webhook-id"),
            timestamp: sent.value("x-webhook-timestamp").parse().unwrap(),
            nonce: &sent.value("x-webhook-nonce"),
            body: sent.part("body"),
        };
        assert_eq!(webhook.canonical().map(|lines| lines.split('\n').count()), webhook.sign(key).map(|_| 8));
        webhook.sign(key).map(|signature| signature.to_string())
    }

    fn verify(verifier: &Verifier<SigningKey>, sent: &Sent, now: i64) -> Result<Passed, MessageError> {
        let signed = verifier.verify_webhook(&request(sent), now)?;
        let Webhook { method, path, query, webhook_id, timestamp, nonce, body } = *signed.message();
        assert_eq!([method, path, query], ["method", "path", "query"].map(|name| sent.text(name)));
        assert_eq!(webhook_id, sent.value("x-webhook-id"));
        assert_eq!(nonce, sent.value("x-webhook-nonce"));
        assert_eq!(body, sent.part("body"));
        let (accepted_until, key_id) = (signed.accepted_until(), signed.key_id().to_owned());
        Ok(Passed { timestamp, accepted_until, key_id, debug: format!("{signed:?}") })
    }

    fn shown(sent: &Sent) -> String {
        format!("{:?}", request(sent))
    }

    fn spellings() -> Vec<(String, &'static str)> {
        spellings(SIGNATURE)
    }

    fn unsendable() -> Vec<(&'static str, Vec<&'static str>, SignError)> {
        let paths = vec!["", "hooks", "https://shop.example/hooks", "/a?b", "/a#b", "/a b", "/a\n", "/é"];
        let texts = vec!["", " ", "a\nb", "é"];
        vec![
            ("method", vec!["", "PO ST", "POST\n", "PÖST", "po st"], SignError::Method),
            ("method", vec!["post", "Post", "POSt"], SignError::MethodCase),
            ("path", paths, SignError::Path),
            ("query", vec!["?", "?a=1", "a#b", "a b", "a\n", "é"], SignError::Query),
            ("x-webhook-id", texts.clone(), SignError::WebhookId),
            ("x-webhook-nonce", texts, SignError::Nonce),
        ]
    }

    fn is_formed(sent: &Sent) -> bool {
        let [method, path, query] = ["method", "path", "query"].map(|name| sent.text(name));
        let token = |char: char| {
            char.is_ascii_uppercase() || char.is_ascii_digit() || "!#$%&'*+-.^_`|~".contains(char)
        };
        !method.is_empty()
            && method.chars().all(token)
            && path.starts_with('/')
            && visible(path)
            && !path.contains(['?', '#'])
            && (query.is_empty() || visible(query) && !query.contains('#') && !query.starts_with('?'))
            && ["x-webhook-id", "x-webhook-nonce"].iter().all(|name| visible(&sent.value(name)))
            && sent.value("x-api-key") == API_KEY
    }

    fn is_listed(value: &str, right: &str) -> bool {
        is_listed(value, right)
    }

    fn any() -> BoxedStrategy<Sent> {
        let method = "[A-Z!#$%&'*+.^_`|~-]{1,9}";
        let query = "([!-~&&[^?#]][!-~&&[^#]]{0,90})?";
        let body = proptest::collection::vec(any::<u8>(), 0..300);
        let parts = (method, "/[!-~&&[^?#]]{0,90}", query, body, "[!-~]{1,70}", "[!-~]{1,70}");
        let sent =
            |(method, path, query, body, id, nonce): (String, String, String, Vec<u8>, String, String)| {
                let sent = Self::genuine().with("method", method).with("path", path).with("query", query);
                sent.with("body", body).with("x-webhook-id", id).with("x-webhook-nonce", nonce)
            };
        parts.prop_map(sent).boxed()
    }
}

fn request(sent: &Sent) -> WebhookRequest<'_, Vec<(String, Vec<u8>)>> {
    WebhookRequest {
        method: sent.text("method"),
        path: sent.text("path"),
        query: sent.text("query"),
        headers: &sent.headers,
        body: sent.part("body"),
    }
}

#[test]
fn added_cut_and_moved_bytes_are_refused() {
    let genuine = Webhooks::genuine();
    let body = genuine.part("body");
    let changes: [(&str, Vec<u8>); 15] = [
        ("path", b"/hooks/allscale/".to_vec()),
        ("path", b"/hooks".to_vec()),
        ("path", b"/hooks/Allscale".to_vec()),
        ("path", b"//hooks/allscale".to_vec()),
        ("query", Vec::new()),
        ("query", b"b=%2F&store=7".to_vec()),
        ("query", b"store=7&b=/".to_vec()),
        ("query", b"store=7&b=%2f".to_vec()),
        ("body", Vec::new()),
        ("body", [body, b"\n"].concat()),
        ("body", [b"\xef\xbb\xbf", body].concat()),
        ("body", body[..body.len() - 1].to_vec()),
        ("x-webhook-id", b"wh_665f1c2e9b1d4a001234567".to_vec()),
        ("x-webhook-nonce", genuine.value("x-webhook-id").into_bytes()),
        // The same bytes over the border of two lines.
        ("x-webhook-id", b"wh_665f1c2e9b1d4a0012345678\n1716501000".to_vec()),
    ];
    for (name, value) in changes {
        let text = check::<Webhooks>(&genuine.clone().with(name, &value));
        let refused = text == Webhooks::MISMATCH || text.starts_with("the header x-webhook-id holds");
        assert!(refused, "{text}: {name} {}", value.escape_ascii());
    }
}

#[test]
fn a_signature_of_another_path_or_of_a_request_is_refused() {
    let elsewhere = Webhooks::genuine().with("path", "/hooks/other").signed::<Webhooks>(SECRET);
    assert_eq!(check::<Webhooks>(&elsewhere.with("path", "/hooks/allscale")), Webhooks::MISMATCH);
    // The signature of a request with the same parts: six lines are not eight.
    let genuine = Webhooks::genuine();
    let request = crate::allscale::RequestToSign {
        method: "POST",
        path: "/hooks/allscale",
        query: "store=7&b=%2F",
        timestamp: 1_716_501_000,
        nonce: NONCE,
        body: genuine.part("body"),
    };
    let of_a_request = Webhooks::key(SECRET).sign(&request).unwrap();
    let taken = genuine.clone().with("x-webhook-signature", of_a_request.as_str());
    assert_eq!(check::<Webhooks>(&taken), Webhooks::MISMATCH);
}

#[test]
fn the_api_key_chooses_among_the_keys_and_an_ended_key_is_unknown() {
    let genuine = Webhooks::genuine();
    let other_store = SigningKey::new("test_key_other", OTHER_SECRET.into()).unwrap();
    let ring = KeyRing::new("other", other_store).and_valid("ours", Webhooks::key(SECRET), NOW..NOW + 1);
    let verifier = Verifier::new(ring);
    let check_at = |sent: &Sent, now| check_with::<Webhooks>(&verifier, sent, now);
    assert_eq!(check_at(&genuine, NOW), PASSES);
    for now in [NOW - 1, NOW + 1] {
        assert_eq!(check_at(&genuine, now), Webhooks::NO_KEY);
    }
    // A store cannot speak for another store.
    assert_eq!(check_at(&genuine.clone().signed::<Webhooks>(OTHER_SECRET), NOW), Webhooks::MISMATCH);
    let taken = genuine.clone().with("x-api-key", "test_key_other");
    assert_eq!(check_at(&taken, NOW), Webhooks::MISMATCH);
    // Another store's key with the same secret is still another key.
    assert_eq!(check::<Webhooks>(&genuine.with("x-api-key", "test_key_xyy")), Webhooks::NO_KEY);
}
