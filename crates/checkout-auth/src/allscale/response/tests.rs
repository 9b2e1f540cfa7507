use super::*;
use crate::KeyRing;
use crate::allscale::list::tests::{every_law_of_lists, is_listed, spellings};
use crate::allscale::tests::base64_by_bits;
use crate::mac::tests::hmac_by_definition;
use crate::message::suite::{
    Kind, NOW, PASSES, Passed, Sent, check, check_with, every_law, verifier, visible,
};
use alloc::borrow::ToOwned;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use proptest::prelude::*;
use proptest::strategy::BoxedStrategy;
use sha2::{Digest, Sha256};

const SECRET: &str = "test_secret_abc";
const OTHER_SECRET: &str = "test_secret_abd";
const NONCE: &str = "b4d9a2a1-9c2b-4df4-8b8e-2a13a45fd321";
const SIGNATURE: &str = "v1=2IqIiXMb5TZHr60mLvRczuWZzuumGqM8aL3zwINr1qs=";

struct Answers;

every_law!(Answers);
every_law_of_lists!(Answers);

impl Kind for Answers {
    type Key = SigningKey;

    const SECRETS: [&'static str; 2] = [SECRET, OTHER_SECRET];
    const HEADERS: &'static [&'static str] =
        &["x-response-timestamp", "x-response-nonce", "x-response-signature"];
    const TIMESTAMP: &'static str = "x-response-timestamp";
    const TEXTS: &'static [&'static str] = &["status", "request's path", "request's nonce"];
    const MISMATCH: &'static str = "no signature is this answer's to this request under the keys";
    const NO_KEY: &'static str = "no key is valid now";
    const LISTS: bool = true;
    const HIDDEN: &'static [&'static str] = &["test_key", NONCE, "r_1", "amount", "payload"];

    fn genuine() -> Sent {
        let parts: [(_, &[u8]); 5] = [
            ("status", b"200"),
            ("request's path", b"/v1/checkout_intents/"),
            ("request's nonce", NONCE.as_bytes()),
            ("request's body", br#"{"amount_cents":1000,"currency":1}"#),
            ("body", br#"{"code":0,"payload":null}"#),
        ];
        Sent::new(parts, Self::HEADERS, &["1716501000", "r_1", SIGNATURE])
    }

    /// Computed with the hmac, hashlib and base64 modules of Python 3.
    fn vectors() -> Vec<(Sent, String, &'static str)> {
        let parts: [(_, &[u8]); 5] = [
            ("status", b"999"),
            ("request's path", b"/"),
            ("request's nonce", b"~"),
            ("request's body", &[0, 10, 255]),
            ("body", b""),
        ];
        let last = Sent::new(parts, Self::HEADERS, &["-9223372036854775808", "!", ""]);
        vec![
            (Self::genuine(), SECRET.into(), SIGNATURE),
            (last, "géheim".into(), "v1=mLVL76uCmcF7UMTUOGZK+BCvRqsHitxeTGY50+5pJb4="),
        ]
    }

    fn by_definition(secret: &str, sent: &Sent) -> String {
        let hash = |name: &str| -> String {
            Sha256::digest(sent.part(name)).iter().map(|byte| format!("{byte:02x}")).collect()
        };
        let canonical = format!(
            "{}\n{}\n{}\n{}\n{}\n{}\n{}",
            sent.text("status"),
            sent.text("request's path"),
            sent.text("request's nonce"),
            hash("request's body"),
            sent.value("x-response-timestamp"),
            sent.value("x-response-nonce"),
            hash("body"),
        );
        format!("v1={}", base64_by_bits(&hmac_by_definition(secret, canonical)))
    }

    fn key(secret: &str) -> SigningKey {
        SigningKey::new("test_key_xyz", secret.into()).unwrap()
    }

    fn sign(sent: &Sent, key: &SigningKey) -> Result<String, SignError> {
        let response = Response {
            status: sent.text("status").parse().unwrap(),
            request_path: sent.text("request's path"),
            request_nonce: sent.text("request's nonce"),
            request_body: sent.part("request's body"),
            timestamp: sent.value("x-response-timestamp").parse().unwrap(),
            nonce: &sent.value("x-response-nonce"),
            body: sent.part("body"),
        };
        assert_eq!(
            response.canonical().map(|lines| lines.split('\n').count()),
            response.sign(key).map(|_| 7)
        );
        response.sign(key).map(|signature| signature.to_string())
    }

    fn verify(verifier: &Verifier<SigningKey>, sent: &Sent, now: i64) -> Result<Passed, MessageError> {
        let received = received(sent);
        let signed = verifier.verify_response(&received, now)?;
        let Response { status, request_path, request_nonce, request_body, timestamp, nonce, body } =
            *signed.message();
        assert_eq!((status, body), (received.status, sent.part("body")));
        assert_eq!((request_path, request_nonce), (received.request_path, received.request_nonce));
        assert_eq!(request_body, received.request_body);
        assert_eq!(nonce, sent.value("x-response-nonce"));
        let (accepted_until, key_id) = (signed.accepted_until(), signed.key_id().to_owned());
        Ok(Passed { timestamp, accepted_until, key_id, debug: format!("{signed:?}") })
    }

    fn shown(sent: &Sent) -> String {
        format!("{:?}", received(sent))
    }

    fn spellings() -> Vec<(String, &'static str)> {
        spellings(SIGNATURE)
    }

    fn unsendable() -> Vec<(&'static str, Vec<&'static str>, SignError)> {
        let paths = vec!["", "x", "/?", "/#", "/a b", "/\n", "https://openapi.allscale.io/"];
        let texts = vec!["", " ", "a\nb", "é"];
        vec![
            ("status", vec!["0", "99", "1000", "10001", "65535"], SignError::Status),
            ("request's path", paths, SignError::RequestPath),
            ("request's nonce", texts.clone(), SignError::RequestNonce),
            ("x-response-nonce", texts, SignError::Nonce),
        ]
    }

    fn is_formed(sent: &Sent) -> bool {
        let (path, nonce) = (sent.text("request's path"), sent.text("request's nonce"));
        let names_none = !sent.headers.iter().any(|(name, _)| name.to_lowercase() == "x-request-nonce");
        (100..=999).contains(&received(sent).status)
            && path.starts_with('/')
            && visible(path)
            && !path.contains(['?', '#'])
            && visible(nonce)
            && visible(&sent.value("x-response-nonce"))
            && (names_none || sent.only("x-request-nonce").is_some_and(|named| named == nonce))
    }

    fn is_listed(value: &str, right: &str) -> bool {
        is_listed(value, right)
    }

    fn any() -> BoxedStrategy<Sent> {
        let body = || proptest::collection::vec(any::<u8>(), 0..200);
        let parts = (100..=999_u16, "/[!-~&&[^?#]]{0,90}", "[!-~]{1,70}", body(), "[!-~]{1,70}", body());
        let named = proptest::option::of(proptest::bool::weighted(0.9));
        (parts, named)
            .prop_map(|((status, path, asked, request, nonce, body), named)| {
                let sent = Self::genuine().with("status", status.to_string()).with("request's path", path);
                let sent = sent.with("request's nonce", &asked).with("request's body", request);
                let sent = sent.with("x-response-nonce", nonce).with("body", body);
                if named.is_some() { sent.and("x-request-nonce", &asked) } else { sent }
            })
            .boxed()
    }

    fn can_be_given(sent: &Sent) -> bool {
        let text = |name: &&str| core::str::from_utf8(sent.part(name)).is_ok();
        // A status is a number, so a status has one spelling.
        let one_spelling = |text: &str| text.parse::<u16>().is_ok_and(|status| status.to_string() == text);
        Self::TEXTS.iter().all(text) && one_spelling(sent.text("status"))
    }
}

fn received(sent: &Sent) -> ReceivedResponse<'_, Vec<(String, Vec<u8>)>> {
    ReceivedResponse {
        request_path: sent.text("request's path"),
        request_nonce: sent.text("request's nonce"),
        request_body: sent.part("request's body"),
        status: sent.text("status").parse().unwrap(),
        headers: &sent.headers,
        body: sent.part("body"),
    }
}

#[test]
fn a_genuine_answer_passes_with_and_without_the_request_nonce_header() {
    let named = Answers::genuine().and("X-Request-Nonce", NONCE);
    assert_eq!(check::<Answers>(&named), PASSES);
    // Headers that are not signed are not read.
    let ids = Answers::genuine().and("x-request-id", "1").and("x-request-id", "2");
    assert_eq!(check::<Answers>(&ids), PASSES);
    let doubled = named.and("x-request-nonce", NONCE);
    assert_eq!(check::<Answers>(&doubled), "the header x-request-nonce is there more than once");
    let empty = Answers::genuine().and("x-request-nonce", "");
    assert_eq!(check::<Answers>(&empty), "the header x-request-nonce is empty");
}

#[test]
fn the_answer_to_another_attempt_is_refused() {
    let genuine = Answers::genuine();
    let other = "0f5b8c5e-5a4c-4a52-a5a5-0a4f4b6f7d10";
    let swapped = genuine.clone().with("request's nonce", other);
    assert_eq!(check::<Answers>(&swapped), Answers::MISMATCH);
    // The attacker adds a header with the nonce that the client asks for. With the answer's own nonce the
    // error says that the answer belongs to another request.
    assert_eq!(check::<Answers>(&swapped.clone().and("x-request-nonce", other)), Answers::MISMATCH);
    let named = swapped.and("x-request-nonce", NONCE);
    let verifier = verifier::<Answers>();
    let refused = verifier.verify_response(&received(&named), NOW);
    assert_eq!(refused, Err(MessageError::OtherRequest));
    let bodies = [genuine.part("request's body").to_vec(), genuine.part("body").to_vec()];
    let others = [
        genuine.clone().with("request's body", "{}"),
        genuine.clone().with("request's body", ""),
        genuine.clone().with("request's body", &bodies[1]).with("body", &bodies[0]),
        genuine.clone().with("body", r#"{"code":0,"payload":20}"#),
        genuine.clone().with("body", ""),
        genuine.clone().with("request's path", "/v1/checkout_intents"),
        genuine.clone().with("request's path", "/v1/checkout_intents/1"),
        genuine.clone().with("request's nonce", "r_1").with("x-response-nonce", NONCE),
    ];
    for other in others {
        assert_eq!(check::<Answers>(&other), Answers::MISMATCH, "{other:?}");
    }
    for status in (0..=u16::MAX).filter(|status| *status != 200) {
        let text = check::<Answers>(&genuine.clone().with("status", status.to_string()));
        let expected =
            if (100..=999).contains(&status) { Answers::MISMATCH } else { "the status is not three digits" };
        assert_eq!(text, expected, "{status}");
    }
}

#[test]
fn every_valid_key_is_tried_under_any_api_key() {
    let other = SigningKey::new("test_key_other", SECRET.into()).unwrap();
    let ring = KeyRing::new("new", Answers::key(OTHER_SECRET)).and_valid("old", other, NOW..NOW + 1);
    let verifier = Verifier::new(ring);
    let check_at = |sent: &Sent, now| check_with::<Answers>(&verifier, sent, now);
    assert_eq!(check_at(&Answers::genuine(), NOW), "of 1716501000 under old");
    for now in [NOW - 1, NOW + 1] {
        assert_eq!(check_at(&Answers::genuine(), now), Answers::MISMATCH);
    }
    let signed = Answers::genuine().signed::<Answers>(OTHER_SECRET);
    assert_eq!(check_at(&signed, NOW + 1), "of 1716501000 under new");
}
