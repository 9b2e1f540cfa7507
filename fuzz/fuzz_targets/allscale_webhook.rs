//! A webhook of any bytes: `Message`, whose parts are method, path and query.
#![no_main]

use checkout_auth::allscale::SigningKey;
use checkout_auth::allscale::webhook::{Webhook, WebhookRequest};
use checkout_auth::{KeyRing, Verifier};
use checkout_fuzz::signed::{
    Message, SECRET, hash, in_time, is_path, listed, mac, one_spelling, v1, visible,
};
use libfuzzer_sys::fuzz_target;

const NAMES: [&str; 5] =
    ["x-api-key", "x-webhook-id", "x-webhook-timestamp", "x-webhook-nonce", "x-webhook-signature"];

fuzz_target!(|input: &[u8]| {
    let Some(message) = Message::read(input, 3) else { return };
    let key = SigningKey::new("test_key", SECRET.into()).expect("a key");
    let verifier = Verifier::new(KeyRing::new("ours", key.clone()));
    assert_as_by_text(&verifier, &message);

    let message = message.in_time_with("x-api-key", "test_key");
    let unsigned = message.clone().in_time_with("x-webhook-signature", "none");
    let Some([_, id, timestamp, nonce, _]) = unsigned.values(NAMES) else { return };
    let Some(timestamp) = one_spelling(&timestamp) else { return };
    let to_sign = Webhook {
        method: &message.parts[0],
        path: &message.parts[1],
        query: &message.parts[2],
        webhook_id: &id,
        timestamp,
        nonce: &nonce,
        body: &message.body,
    };
    let Ok(signature) = to_sign.sign(&key) else { return };
    assert_eq!(to_sign.canonical().ok(), canonical(&unsigned));
    let signed = message.in_time_with("x-webhook-signature", signature.as_str());
    assert!(assert_as_by_text(&verifier, &signed), "{signed:?}");
    if let Some(changed) = signed.with_a_byte_changed(&NAMES) {
        assert!(!assert_as_by_text(&verifier, &changed), "{changed:?}");
    }
});

/// Asserts that the verdict on the message is the verdict by text.
fn assert_as_by_text(verifier: &Verifier<SigningKey>, message: &Message) -> bool {
    let request = WebhookRequest {
        method: &message.parts[0],
        path: &message.parts[1],
        query: &message.parts[2],
        headers: &message.headers,
        body: &message.body,
    };
    let now = message.now("x-webhook-timestamp");
    let verified = verifier.verify_webhook(&request, now);
    if let Err(error) = &verified {
        assert!(!error.to_string().is_empty() && !error.hint().is_empty());
    }
    assert_eq!(verified.is_ok(), by_text(message, now), "{message:?}");
    verified.is_ok()
}

fn by_text(message: &Message, now: i64) -> bool {
    let Some([api_key, id, timestamp, nonce, signatures]) = message.values(NAMES) else { return false };
    let Some(canonical) = canonical(message) else { return false };
    let [method, path, query] = &message.parts[..] else { return false };
    let token = |char: char| matches!(char, 'A'..='Z' | '0'..='9') || "!#$%&'*+-.^_`|~".contains(char);
    let is_query = |text: &str| visible(text) && !text.starts_with('?') && !text.contains('#');
    !method.is_empty()
        && method.chars().all(token)
        && is_path(path)
        && (query.is_empty() || is_query(query))
        && (api_key == "test_key" && visible(&id) && visible(&nonce))
        && in_time(&timestamp, now)
        && listed(&signatures, &v1(&mac(canonical.as_bytes())))
}

fn canonical(message: &Message) -> Option<String> {
    let [_, id, timestamp, nonce, _] = message.values(NAMES)?;
    let [method, path, query] = &message.parts[..] else { return None };
    let hash = hash(&message.body);
    Some(format!("allscale:webhook:v1\n{method}\n{path}\n{query}\n{id}\n{timestamp}\n{nonce}\n{hash}"))
}
