//! A webhook with a signed header, of any bytes: `Message`, whose one part is the URL.
#![no_main]

use checkout_auth::peach::SecretToken;
use checkout_auth::peach::header::{Webhook, WebhookRequest};
use checkout_auth::{KeyRing, Verifier};
use checkout_fuzz::signed::{Message, SECRET, hex, in_time, mac, one_spelling, visible};
use libfuzzer_sys::fuzz_target;

const NAMES: [&str; 3] = ["x-webhook-timestamp", "x-webhook-id", "x-webhook-signature"];

fuzz_target!(|input: &[u8]| {
    let Some(message) = Message::read(input, 1) else { return };
    let token = SecretToken::new(SECRET.into()).expect("a token");
    let verifier = Verifier::new(KeyRing::new("ours", token.clone()));
    assert_as_by_text(&verifier, &message);

    let unsigned = message.clone().in_time_with("x-webhook-signature", "none");
    let Some([timestamp, webhook_id, _]) = unsigned.values(NAMES) else { return };
    let Some(timestamp) = one_spelling(&timestamp) else { return };
    let (webhook_id, url, body) = (&webhook_id, &message.parts[0], &message.body);
    let Ok(signature) = (Webhook { timestamp, webhook_id, url, body }).sign(&token) else { return };
    let signed = message.in_time_with("x-webhook-signature", signature.as_str());
    assert!(assert_as_by_text(&verifier, &signed), "{signed:?}");
    if let Some(changed) = signed.with_a_byte_changed(&NAMES) {
        assert!(!assert_as_by_text(&verifier, &changed), "{changed:?}");
    }
});

/// Asserts that the verdict on the message is the verdict by text.
fn assert_as_by_text(verifier: &Verifier<SecretToken>, message: &Message) -> bool {
    let request = WebhookRequest { url: &message.parts[0], headers: &message.headers, body: &message.body };
    let now = message.now("x-webhook-timestamp");
    let verified = verifier.verify_webhook(&request, now);
    if let Err(error) = &verified {
        assert!(!error.to_string().is_empty() && !error.hint().is_empty());
    }
    assert_eq!(verified.is_ok(), by_text(message, now), "{message:?}");
    verified.is_ok()
}

fn by_text(message: &Message, now: i64) -> bool {
    let Some([timestamp, id, signature]) = message.values(NAMES) else { return false };
    let url = &message.parts[0];
    let text = [format!("{timestamp}.{id}.{url}.").as_bytes(), &message.body].concat();
    let formed = visible(url) && visible(&id) && !id.contains('.');
    formed && in_time(&timestamp, now) && signature == hex(&mac(&text))
}
