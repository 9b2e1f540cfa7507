//! An answer of any bytes: `Message`, whose parts are the status and the request's path, nonce and body.
#![no_main]

use checkout_auth::allscale::SigningKey;
use checkout_auth::allscale::response::{ReceivedResponse, Response};
use checkout_auth::{KeyRing, Verifier};
use checkout_fuzz::signed::{
    Message, SECRET, hash, in_time, is_path, listed, mac, one_spelling, v1, visible,
};
use libfuzzer_sys::fuzz_target;

const NAMES: [&str; 3] = ["x-response-timestamp", "x-response-nonce", "x-response-signature"];

fuzz_target!(|input: &[u8]| {
    let Some(message) = Message::read(input, 4) else { return };
    let key = SigningKey::new("test_key", SECRET.into()).expect("a key");
    let verifier = Verifier::new(KeyRing::new("ours", key.clone()));
    assert_as_by_text(&verifier, &message);

    let message = message.clone().in_time_with("x-request-nonce", &message.parts[2]);
    let unsigned = message.clone().in_time_with("x-response-signature", "none");
    let Some([timestamp, nonce, _]) = unsigned.values(NAMES) else { return };
    let Some(timestamp) = one_spelling(&timestamp) else { return };
    let to_sign = Response {
        status: status(&message),
        request_path: &message.parts[1],
        request_nonce: &message.parts[2],
        request_body: message.parts[3].as_bytes(),
        timestamp,
        nonce: &nonce,
        body: &message.body,
    };
    let Ok(signature) = to_sign.sign(&key) else { return };
    assert_eq!(to_sign.canonical().ok(), canonical(&unsigned));
    let signed = message.in_time_with("x-response-signature", signature.as_str());
    assert!(assert_as_by_text(&verifier, &signed), "{signed:?}");
    let before = status(&signed);
    if let Some(changed) = signed.with_a_byte_changed(&NAMES) {
        // Another spelling of the status is the same status.
        let same = changed.parts[0] != before.to_string() && status(&changed) == before;
        assert!(!assert_as_by_text(&verifier, &changed) || same, "{changed:?}");
    }
});

fn status(message: &Message) -> u16 {
    message.parts[0].parse().unwrap_or_default()
}

/// Asserts that the verdict on the message is the verdict by text.
fn assert_as_by_text(verifier: &Verifier<SigningKey>, message: &Message) -> bool {
    let response = ReceivedResponse {
        request_path: &message.parts[1],
        request_nonce: &message.parts[2],
        request_body: message.parts[3].as_bytes(),
        status: status(message),
        headers: &message.headers,
        body: &message.body,
    };
    let now = message.now("x-response-timestamp");
    let verified = verifier.verify_response(&response, now);
    if let Err(error) = &verified {
        assert!(!error.to_string().is_empty() && !error.hint().is_empty());
    }
    assert_eq!(verified.is_ok(), by_text(message, now), "{message:?}");
    verified.is_ok()
}

fn by_text(message: &Message, now: i64) -> bool {
    let Some([timestamp, nonce, signatures]) = message.values(NAMES) else { return false };
    let Some(canonical) = canonical(message) else { return false };
    let none = !message.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("x-request-nonce"));
    let of_this_request = message.values(["x-request-nonce"]).is_some_and(|[own]| own == message.parts[2]);
    (100..=999).contains(&status(message))
        && is_path(&message.parts[1])
        && visible(&message.parts[2])
        && visible(&nonce)
        && (none || of_this_request)
        && in_time(&timestamp, now)
        && listed(&signatures, &v1(&mac(canonical.as_bytes())))
}

fn canonical(message: &Message) -> Option<String> {
    let [timestamp, nonce, _] = message.values(NAMES)?;
    let [_, path, request_nonce, request_body] = &message.parts[..] else { return None };
    let (status, request, own) = (status(message), hash(request_body.as_bytes()), hash(&message.body));
    Some(format!("{status}\n{path}\n{request_nonce}\n{request}\n{timestamp}\n{nonce}\n{own}"))
}
