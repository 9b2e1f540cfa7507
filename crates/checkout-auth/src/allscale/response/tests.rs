use super::*;
use crate::allscale::tests::base64_by_bits;
use crate::mac::tests::hmac_by_definition;
use alloc::borrow::ToOwned;
use alloc::format;
use alloc::vec::Vec;
use proptest::prelude::*;
use sha2::{Digest, Sha256};

const SECRET: &str = "test_secret_abc";
const OTHER_SECRET: &str = "test_secret_abd";
const NOW: i64 = 1_716_501_000;
const NONCE: &str = "b4d9a2a1-9c2b-4df4-8b8e-2a13a45fd321";
const SIGNATURE: &str = "v1=2IqIiXMb5TZHr60mLvRczuWZzuumGqM8aL3zwINr1qs=";
const HEADERS: [&str; 3] = ["x-response-timestamp", "x-response-nonce", "x-response-signature"];

/// An answer and its request, every part of which can be changed.
#[derive(Debug, Clone)]
struct Given {
    request_path: String,
    request_nonce: String,
    request_body: Vec<u8>,
    status: u16,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Given {
    /// One that was signed at `NOW`; under `SECRET` its signature is `SIGNATURE`.
    fn genuine() -> Self {
        let values = ["1716501000", "r_1", SIGNATURE];
        Self {
            request_path: "/v1/checkout_intents/".to_owned(),
            request_nonce: NONCE.to_owned(),
            request_body: br#"{"amount_cents":1000,"currency":1}"#.to_vec(),
            status: 200,
            headers: HEADERS.map(str::to_owned).into_iter().zip(values.map(Vec::from)).collect(),
            body: br#"{"code":0,"payload":null}"#.to_vec(),
        }
    }

    fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        for (_, own) in self.headers.iter_mut().filter(|(own, _)| own == name) {
            *own = value.as_ref().to_vec();
        }
        self
    }

    fn and(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    fn value(&self, name: &str) -> String {
        let (_, value) = self.headers.iter().find(|(own, _)| own == name).unwrap();
        String::from_utf8(value.clone()).unwrap()
    }

    /// Signed anew, whatever its parts are now.
    fn signed(self, secret: &str) -> Self {
        let signature = signature_by_definition(secret, &self);
        self.with("x-response-signature", signature)
    }

    fn response(&self) -> ReceivedResponse<'_, Vec<(String, Vec<u8>)>> {
        ReceivedResponse {
            request_path: &self.request_path,
            request_nonce: &self.request_nonce,
            request_body: &self.request_body,
            status: self.status,
            headers: &self.headers,
            body: &self.body,
        }
    }
}

/// The signature by another way: HMAC by its definition, Base64 bit by bit, text by `format!`.
fn signature_by_definition(secret: &str, given: &Given) -> String {
    let hash =
        |bytes: &[u8]| -> String { Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect() };
    let canonical = format!(
        "{}\n{}\n{}\n{}\n{}\n{}\n{}",
        given.status,
        given.request_path,
        given.request_nonce,
        hash(&given.request_body),
        given.value("x-response-timestamp"),
        given.value("x-response-nonce"),
        hash(&given.body),
    );
    format!("v1={}", base64_by_bits(&hmac_by_definition(secret, canonical)))
}

fn key(secret: &str) -> SigningKey {
    SigningKey::new("test_key_xyz", secret.into()).unwrap()
}

fn verifier() -> ResponseVerifier {
    ResponseVerifier::new(KeyRing::new("ours", key(SECRET)))
}

fn check_with(verifier: &ResponseVerifier, given: &Given, now: i64) -> String {
    match verifier.verify(&given.response(), now) {
        Ok(signed) => {
            assert_eq!((signed.status(), signed.body()), (given.status, &*given.body));
            assert_eq!(signed.nonce(), given.value("x-response-nonce"));
            format!("of {} under {}", signed.timestamp(), signed.key_id())
        }
        Err(error) => error.to_string(),
    }
}

/// Time and key of the answer, or the error's text; with the one key, at `NOW`.
fn check(given: Given) -> String {
    check_with(&verifier(), &given, NOW)
}

const PASSES: &str = "of 1716501000 under ours";
const MISMATCH: &str = "no signature is this answer's to this request under the keys";

/// `bytes` with the byte at each place changed in turn: in each of its bits, and into what could mislead a
/// reader.
fn every_byte_changed(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut changed = Vec::new();
    for at in 0..bytes.len() {
        let flipped = (0..8).map(|bit| bytes[at] ^ (1 << bit));
        for other in flipped.chain(*b"\0\t\n\r ,.=/?#aA0\xff") {
            let mut copy = bytes.to_vec();
            copy[at] = other;
            changed.push(copy);
        }
    }
    changed.retain(|other| other != bytes);
    changed
}

#[test]
fn signatures_made_by_another_hmac_implementation_are_met() {
    // Computed with the hmac, hashlib and base64 modules of Python 3.
    let genuine = Given::genuine();
    let first = ResponseToSign {
        status: 200,
        request_path: &genuine.request_path,
        request_nonce: NONCE,
        request_body: &genuine.request_body,
        timestamp: NOW,
        nonce: "r_1",
        body: &genuine.body,
    };
    assert_eq!(first.sign(&key(SECRET)).unwrap().as_str(), SIGNATURE);
    let last = ResponseToSign {
        status: 999,
        request_path: "/",
        request_nonce: "~",
        request_body: &[0, 10, 255],
        timestamp: i64::MIN,
        nonce: "!",
        body: b"",
    };
    let signature = last.sign(&key("géheim")).unwrap();
    assert_eq!(signature.as_str(), "v1=mLVL76uCmcF7UMTUOGZK+BCvRqsHitxeTGY50+5pJb4=");
}

#[test]
fn a_genuine_answer_passes_with_the_request_nonce_and_without() {
    let genuine = Given::genuine();
    assert_eq!(signature_by_definition(SECRET, &genuine), SIGNATURE);
    assert_eq!(check(genuine.clone()), PASSES);
    assert_eq!(check(genuine.clone().and("X-Request-Nonce", NONCE)), PASSES);
    // What is not signed is not looked at.
    assert_eq!(check(genuine.and("x-request-id", "1").and("x-request-id", "2")), PASSES);
}

#[test]
fn the_answer_to_another_attempt_is_refused() {
    let genuine = Given::genuine();
    let swapped =
        Given { request_nonce: "0f5b8c5e-5a4c-4a52-a5a5-0a4f4b6f7d10".to_owned(), ..genuine.clone() };
    assert_eq!(check(swapped.clone()), MISMATCH);
    // The attacker names the nonce that is asked for; or the answer's own, which says so.
    assert_eq!(check(swapped.clone().and("x-request-nonce", &swapped.request_nonce)), MISMATCH);
    let named = verifier().verify(&swapped.and("x-request-nonce", NONCE).response(), NOW).err();
    assert_eq!(named, Some(ResponseError::OtherRequest));
    let others = [
        Given { request_body: b"{}".to_vec(), ..genuine.clone() },
        Given { request_body: Vec::new(), ..genuine.clone() },
        Given { request_body: genuine.body.clone(), body: genuine.request_body.clone(), ..genuine.clone() },
        Given { body: br#"{"code":0,"payload":20}"#.to_vec(), ..genuine.clone() },
        Given { body: Vec::new(), ..genuine.clone() },
        Given { status: 201, ..genuine.clone() },
        Given { status: 400, ..genuine.clone() },
        Given { request_path: "/v1/checkout_intents".to_owned(), ..genuine.clone() },
        Given { request_path: "/v1/checkout_intents/1".to_owned(), ..genuine.clone() },
        Given { request_nonce: "r_1".to_owned(), ..genuine.clone() }.with("x-response-nonce", NONCE),
    ];
    for other in others {
        assert_eq!(check(other.clone()), MISMATCH, "{other:?}");
    }
}

#[test]
fn every_changed_byte_of_any_part_is_refused() {
    let genuine = Given::genuine();
    let refused = |given: Given, name: &str| {
        let text = check(given.clone());
        assert!(text == MISMATCH || text.starts_with(&format!("the {name} ")), "{text}: {given:?}");
    };
    let texts = |text: &str| {
        every_byte_changed(text.as_bytes()).into_iter().filter_map(|bytes| String::from_utf8(bytes).ok())
    };
    for name in HEADERS {
        for value in every_byte_changed(genuine.value(name).as_bytes()) {
            refused(genuine.clone().with(name, value), &format!("header {name}"));
        }
    }
    for request_path in texts(&genuine.request_path) {
        refused(Given { request_path, ..genuine.clone() }, "request's path");
    }
    for request_nonce in texts(NONCE) {
        refused(Given { request_nonce, ..genuine.clone() }, "request's nonce");
    }
    for request_body in every_byte_changed(&genuine.request_body) {
        refused(Given { request_body, ..genuine.clone() }, "body");
    }
    for body in every_byte_changed(&genuine.body) {
        refused(Given { body, ..genuine.clone() }, "body");
    }
    for status in (0..=u16::MAX).filter(|status| *status != 200) {
        let text = check(Given { status, ..genuine.clone() });
        let expected =
            if (100..=999).contains(&status) { MISMATCH } else { "the status is not three digits" };
        assert_eq!(text, expected, "{status}");
    }
}

#[test]
fn a_header_that_is_dropped_or_doubled_is_named() {
    for name in HEADERS {
        let mut dropped = Given::genuine();
        dropped.headers.retain(|(own, _)| own != name);
        assert_eq!(check(dropped), format!("the header {name} is missing"));
        assert_eq!(check(Given::genuine().with(name, "")), format!("the header {name} is empty"));
        for value in [&*Given::genuine().value(name), "another", ""] {
            let doubled = Given::genuine().and(&name.to_ascii_uppercase(), value);
            assert_eq!(check(doubled), format!("the header {name} is there more than once"));
        }
    }
    let doubled = Given::genuine().and("x-request-nonce", NONCE).and("X-Request-Nonce", NONCE);
    assert_eq!(check(doubled), "the header x-request-nonce is there more than once");
    assert_eq!(check(Given::genuine().and("x-request-nonce", "")), "the header x-request-nonce is empty");
}

#[test]
fn headers_may_come_in_any_order_and_case() {
    let mut given = Given::genuine().and("x-request-nonce", NONCE);
    for _ in 0..given.headers.len() {
        given.headers.rotate_left(1);
        assert_eq!(check(given.clone()), PASSES);
        let mut upper = given.clone();
        upper.headers.iter_mut().for_each(|(name, _)| *name = name.to_ascii_uppercase());
        assert!(verifier().verify(&upper.response(), NOW).is_ok());
    }
}

#[test]
fn the_tolerance_has_its_edges_in_and_the_ends_of_time_are_times() {
    let verifier = verifier();
    let check = |timestamp: i64, now: i64| {
        let given = Given::genuine().with("x-response-timestamp", timestamp.to_string()).signed(SECRET);
        match verifier.verify(&given.response(), now) {
            Ok(signed) => signed.timestamp() == timestamp,
            Err(ResponseError::Expired { by_seconds }) => {
                assert_eq!(i128::from(by_seconds), i128::from(now) - i128::from(timestamp) - 300);
                false
            }
            Err(ResponseError::Early { by_seconds }) => {
                assert_eq!(i128::from(by_seconds), i128::from(timestamp) - i128::from(now) - 300);
                false
            }
            Err(error) => panic!("{error}"),
        }
    };
    for time in [NOW, 0, i64::MIN + 301, i64::MAX - 301] {
        assert!(check(time, time - 300) && check(time, time) && check(time, time + 300));
        assert!(!check(time, time - 301) && !check(time, time + 301));
        assert!(check(time - 300, time) && check(time + 300, time));
        assert!(!check(time - 301, time) && !check(time + 301, time));
    }
    assert!(check(i64::MIN, i64::MIN) && check(i64::MAX, i64::MAX));
    assert!(!check(i64::MIN, i64::MAX) && !check(i64::MAX, i64::MIN));
    let hour = verifier.clone().tolerance(Tolerance::from_seconds(3_600));
    assert_eq!(check_with(&hour, &Given::genuine(), NOW + 3_600), PASSES);
    assert_ne!(check_with(&hour, &Given::genuine(), NOW + 3_601), PASSES);
}

#[test]
fn a_signature_of_another_key_or_in_another_spelling_is_refused() {
    let check = |signature: &str| check(Given::genuine().with("x-response-signature", signature));
    assert_eq!(check(&signature_by_definition(OTHER_SECRET, &Given::genuine())), MISMATCH);
    let url_safe = SIGNATURE.replace('=', "-").replacen('-', "=", 1);
    for text in
        [SIGNATURE.trim_end_matches('='), &SIGNATURE[..20], &format!("{SIGNATURE}="), &url_safe, "v1="]
    {
        assert!(check(text).contains("not the padded standard Base64"), "{text}");
    }
    assert!(check(&format!("{SIGNATURE}\n")).contains("not visible ASCII"));
    assert!(check(&SIGNATURE[3..]).contains("no signature of a known version"));
    let other = signature_by_definition(OTHER_SECRET, &Given::genuine());
    assert_eq!(check(&format!("{other}, {SIGNATURE}")), PASSES);
}

#[test]
fn every_valid_key_is_tried_whatever_its_api_key() {
    let other = SigningKey::new("test_key_other", SECRET.into()).unwrap();
    let ring = KeyRing::new("new", key(OTHER_SECRET)).and_valid("old", other, NOW..NOW + 1);
    let verifier = ResponseVerifier::new(ring);
    assert_eq!(check_with(&verifier, &Given::genuine(), NOW), "of 1716501000 under old");
    assert_eq!(check_with(&verifier, &Given::genuine(), NOW - 1), MISMATCH);
    assert_eq!(check_with(&verifier, &Given::genuine(), NOW + 1), MISMATCH);
    assert_eq!(
        check_with(&verifier, &Given::genuine().signed(OTHER_SECRET), NOW + 1),
        "of 1716501000 under new"
    );
}

#[test]
fn what_cannot_be_sent_cannot_be_signed_and_is_the_callers_to_mend() {
    let to_sign = ResponseToSign {
        status: 200,
        request_path: "/",
        request_nonce: "1",
        request_body: b"",
        timestamp: 0,
        nonce: "1",
        body: b"",
    };
    let error = |to_sign: ResponseToSign<'_>| {
        let error = to_sign.sign(&key(SECRET)).unwrap_err();
        assert_eq!(to_sign.canonical(), Err(error));
        assert_eq!(error.blame(), Blame::Caller);
        assert!(error.hint().len() > 20);
        if error != SignError::Nonce {
            let response = ReceivedResponse {
                request_path: to_sign.request_path,
                request_nonce: to_sign.request_nonce,
                request_body: b"",
                status: to_sign.status,
                headers: &Given::genuine().headers,
                body: b"",
            };
            assert_eq!(verifier().verify(&response, NOW).err(), Some(ResponseError::Request(error)));
        }
        error
    };
    for status in [0, 99, 1_000, 10_001, u16::MAX] {
        assert_eq!(error(ResponseToSign { status, ..to_sign }), SignError::Status);
    }
    for request_path in ["", "x", "/?", "/#", "/a b", "/\n", "https://openapi.allscale.io/"] {
        assert_eq!(error(ResponseToSign { request_path, ..to_sign }), SignError::RequestPath);
    }
    for text in ["", " ", "a\nb", "é"] {
        assert_eq!(error(ResponseToSign { request_nonce: text, ..to_sign }), SignError::RequestNonce);
        assert_eq!(error(ResponseToSign { nonce: text, ..to_sign }), SignError::Nonce);
    }
}

#[test]
fn every_error_says_who_is_to_blame_and_the_usual_cause() {
    let missing = HeaderError { name: "x-response-nonce", problem: crate::HeaderProblem::Missing };
    let blames = [
        (ResponseError::Request(SignError::Status), Blame::Caller),
        (ResponseError::Header(missing), Blame::Sender),
        (ResponseError::OtherRequest, Blame::Caller),
        (ResponseError::NoValidKey, Blame::SetUp),
        (ResponseError::Mismatch, Blame::SetUp),
        (ResponseError::Expired { by_seconds: 1 }, Blame::Sender),
        (ResponseError::Early { by_seconds: 1 }, Blame::SetUp),
    ];
    for (error, blame) in blames {
        assert_eq!(error.blame(), blame, "{error}");
        assert!(error.hint().len() > 20, "{error}");
    }
}

#[test]
fn debug_and_errors_show_neither_secret_nor_values_nor_bodies() {
    let given = Given::genuine();
    let verifier = verifier();
    let signed = verifier.verify(&given.response(), NOW).unwrap();
    let mut shown = format!("{verifier:?} {:?} {signed:?}", given.response());
    for name in HEADERS {
        for value in ["tell-tale", "v1=tell-tale", "v1=tell tale"] {
            let error = verifier.verify(&given.clone().with(name, value).response(), NOW).err();
            shown += &format!("{error:?} {}", error.map(|error| error.to_string()).unwrap_or_default());
        }
    }
    for hidden in [SECRET, "test_key", NONCE, "r_1", &SIGNATURE[3..], "amount", "payload", "tell"] {
        assert!(!shown.contains(hidden), "{hidden} in {shown}");
    }
}

#[test]
fn a_ring_without_a_valid_key_says_so() {
    let verifier = ResponseVerifier::new(KeyRing::new_valid("ours", key(SECRET), NOW..NOW + 1));
    assert_eq!(check_with(&verifier, &Given::genuine(), NOW), PASSES);
    for now in [NOW - 1, NOW + 1, i64::MIN, i64::MAX] {
        assert_eq!(check_with(&verifier, &Given::genuine(), now), "no key is valid now");
    }
}

prop_compose! {
    fn any_genuine()(
        request_path in "/[!-~&&[^?#]]{0,90}",
        request_nonce in "[!-~]{1,70}",
        request_body in proptest::collection::vec(any::<u8>(), 0..200),
        status in 100..=999_u16,
        timestamp in NOW - 400..NOW + 400,
        nonce in "[!-~]{1,70}",
        body in proptest::collection::vec(any::<u8>(), 0..200),
    ) -> Given {
        let given = Given { request_path, request_nonce, request_body, status, body, ..Given::genuine() };
        let given = given.with("x-response-nonce", nonce);
        given.with("x-response-timestamp", timestamp.to_string()).signed(SECRET)
    }
}

proptest! {
    #[test]
    fn whatever_is_signed_is_the_signature_by_definition_and_passes_in_time(
        given in any_genuine(), now in NOW - 800..NOW + 800,
    ) {
        let to_sign = ResponseToSign {
            status: given.status,
            request_path: &given.request_path,
            request_nonce: &given.request_nonce,
            request_body: &given.request_body,
            timestamp: given.value("x-response-timestamp").parse().unwrap(),
            nonce: &given.value("x-response-nonce"),
            body: &given.body,
        };
        let signature = to_sign.sign(&key(SECRET)).unwrap();
        prop_assert_eq!(signature.as_str(), given.value("x-response-signature"));
        prop_assert_eq!(to_sign.canonical().unwrap().split('\n').count(), 7);
        let verifier = verifier();
        let passes = verifier.verify(&given.response(), now).is_ok();
        prop_assert_eq!(passes, now.abs_diff(to_sign.timestamp) <= 300);
        // No two answers share their lines: any one part changed, and it passes no longer.
        let others = [
            Given { request_path: format!("{}/", given.request_path), ..given.clone() },
            Given { request_nonce: format!("{}0", given.request_nonce), ..given.clone() },
            Given { request_body: [&given.request_body[..], b"0"].concat(), ..given.clone() },
            Given { status: if given.status == 200 { 201 } else { 200 }, ..given.clone() },
            Given { body: [&given.body[..], b"0"].concat(), ..given.clone() },
        ];
        for other in others {
            let refused = verifier.verify(&other.response(), to_sign.timestamp).err();
            prop_assert_eq!(refused, Some(ResponseError::Mismatch));
        }
    }

    #[test]
    fn any_answer_whatever_gives_an_error(
        headers in proptest::collection::vec(
            (prop_oneof!["x-(response|request)-(timestamp|nonce|signature)", ".*"],
             prop_oneof![
                 proptest::collection::vec(any::<u8>(), 0..50),
                 any::<i64>().prop_map(|number| number.to_string().into_bytes()),
                 "(v1=[A-Za-z0-9+/]{43}=,?){1,3}".prop_map(String::into_bytes),
             ]),
            0..6,
        ),
        status: u16, request_path: String, request_nonce: String, now: i64,
        body in proptest::collection::vec(any::<u8>(), 0..50),
    ) {
        let given = Given { headers, status, request_path, request_nonce, body, ..Given::genuine() };
        prop_assert!(verifier().verify(&given.response(), now).is_err());
    }
}
