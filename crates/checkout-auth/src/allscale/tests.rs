use super::*;
use crate::mac::tests::hmac_by_definition;
use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;
use proptest::prelude::*;
use sha2::{Digest, Sha256};

const SECRET: &str = "test_secret_abc";
const API_KEY: &str = "test_key_xyz";
const NONCE: &str = "b4d9a2a1-9c2b-4df4-8b8e-2a13a45fd321";
const SIGNATURE: &str = "v1=28HitHtE4rVV1nej7S5mIE8xZbc9afx8h+6cH/yaPiA=";

/// The published example of a signed request, from a client's code. `SIGNATURE` is the signature under
/// `SECRET`.
const CREATE: RequestToSign<'static> = RequestToSign {
    method: "POST",
    path: "/v1/checkout_intents/",
    query: "",
    timestamp: 1_716_501_000,
    nonce: NONCE,
    body: br#"{"amount_cents":1000,"currency":1,"order_id":"ord_1","redirect_url":"https://example.com/r"}"#,
};

const PING: RequestToSign<'static> = RequestToSign {
    method: "GET",
    path: "/v1/test/ping",
    query: "",
    timestamp: 1_716_501_000,
    nonce: NONCE,
    body: b"",
};

fn key(secret: &str) -> SigningKey {
    SigningKey::new(API_KEY, secret.into()).unwrap()
}

/// The signature, or the error's text.
fn check(secret: &str, request: RequestToSign<'_>) -> String {
    match key(secret).sign(&request) {
        Ok(signature) => signature.to_string(),
        Err(error) => error.to_string(),
    }
}

/// The signature computed in another way: HMAC by its definition, Base64 bit by bit, text by `format!`.
fn signature_by_definition(secret: &str, request: &RequestToSign<'_>) -> String {
    let body_hash: String =
        Sha256::digest(request.body).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    let canonical = format!(
        "{}\n{}\n{}\n{}\n{}\n{body_hash}",
        request.method.to_uppercase(),
        request.path,
        request.query,
        request.timestamp,
        request.nonce
    );
    format!("v1={}", base64_by_bits(&hmac_by_definition(secret, &canonical)))
}

/// Base64 (RFC 4648, 4), read off the string of bits.
pub(super) fn base64_by_bits(bytes: &[u8]) -> String {
    let alphabet: Vec<char> = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['+', '/']).collect();
    let bits: String = bytes.iter().map(|byte| format!("{byte:08b}")).collect();
    let mut text = String::new();
    for six in bits.as_bytes().chunks(6) {
        let six = format!("{:0<6}", core::str::from_utf8(six).unwrap());
        text.push(alphabet[usize::from_str_radix(&six, 2).unwrap()]);
    }
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

/// `text` with the byte at each place changed in turn, into others that may stand there.
fn every_byte_changed(text: &str) -> Vec<String> {
    let mut changed = Vec::new();
    for at in 0..text.len() {
        for other in *b"aZ09-" {
            let mut bytes = text.as_bytes().to_vec();
            bytes[at] = other;
            let other = String::from_utf8(bytes).unwrap();
            if !other.eq_ignore_ascii_case(text) {
                changed.push(other);
            }
        }
    }
    changed
}

#[test]
fn the_published_request_has_the_published_signature() {
    assert_eq!(check(SECRET, CREATE), SIGNATURE);
}

#[test]
fn another_hmac_implementation_makes_the_same_signatures() {
    // Computed with the hmac, hashlib and base64 modules of Python 3.
    let status = RequestToSign { path: "/v1/checkout_intents/665f1c2e9b1d4a0012345678/status", ..PING };
    assert_eq!(check(SECRET, status), "v1=l0wSWFEQt3C2+po7LW5hI065u0V7ZTf2VrO1AfmjM58=");
    let unsorted_query = RequestToSign { query: "b=2&a=1", timestamp: 0, ..PING };
    assert_eq!(check(SECRET, unsorted_query), "v1=UuMYRUIT5t1nxHzKwT/fpDPapRRjV8TGWqCZXrWg0F0=");
    let last_second = RequestToSign {
        method: "POST",
        path: "/v1/test/post",
        timestamp: u64::MAX,
        nonce: "n",
        body: &[0, 10, 255],
        ..PING
    };
    let longer_than_a_block = "k".repeat(65);
    assert_eq!(check(&longer_than_a_block, last_second), "v1=wrpLmI0kaYIBpJgomXkkxESTRaSlE9H0yURhtMsAPeE=");
    assert_eq!(check("géheim", PING), "v1=zn+tKtxW1TFAuFEGjzfZpUJEMb+XpLJO786VbpUwWKU=");
}

#[test]
fn the_canonical_string_is_six_lines_and_ends_without_a_line_break() {
    assert_eq!(
        PING.canonical().unwrap(),
        "GET\n/v1/test/ping\n\n1716501000\nb4d9a2a1-9c2b-4df4-8b8e-2a13a45fd321\n\
         e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
}

#[test]
fn the_method_is_signed_in_upper_case() {
    for method in ["post", "Post", "POST"] {
        assert_eq!(check(SECRET, RequestToSign { method, ..CREATE }), SIGNATURE);
    }
}

#[test]
fn create_without_its_trailing_slash_has_another_signature() {
    let signature = check(SECRET, RequestToSign { path: "/v1/checkout_intents", ..CREATE });
    assert_ne!(signature, SIGNATURE);
    assert!(signature.starts_with("v1="));
}

#[test]
fn the_order_of_the_query_is_signed() {
    assert_ne!(
        check(SECRET, RequestToSign { query: "a=1&b=2", ..PING }),
        check(SECRET, RequestToSign { query: "b=2&a=1", ..PING })
    );
}

#[test]
fn every_changed_byte_of_any_part_changes_the_signature() {
    let before = RequestToSign { query: "a=1&b=2", ..CREATE };
    let signature = check(SECRET, before);
    let mut others = Vec::new();
    for method in every_byte_changed(before.method) {
        others.push(check(SECRET, RequestToSign { method: &method, ..before }));
    }
    for rest in every_byte_changed(&before.path[1..]) {
        others.push(check(SECRET, RequestToSign { path: &format!("/{rest}"), ..before }));
    }
    for query in every_byte_changed(before.query) {
        others.push(check(SECRET, RequestToSign { query: &query, ..before }));
    }
    for bit in 0..64 {
        others.push(check(SECRET, RequestToSign { timestamp: before.timestamp ^ (1 << bit), ..before }));
    }
    for nonce in every_byte_changed(before.nonce) {
        others.push(check(SECRET, RequestToSign { nonce: &nonce, ..before }));
    }
    for at in 0..before.body.len() {
        for bit in 0..8 {
            let mut body = before.body.to_vec();
            body[at] ^= 1 << bit;
            others.push(check(SECRET, RequestToSign { body: &body, ..before }));
        }
    }
    for secret in every_byte_changed(SECRET) {
        others.push(check(&secret, before));
    }
    for other in &others {
        assert!(other.starts_with("v1="), "{other}");
        assert_ne!(other, &signature);
    }
    assert!(others.len() > 1000, "{}", others.len());
}

#[test]
fn the_api_key_is_no_part_of_the_signature() {
    let other = SigningKey::new("another", SECRET.into()).unwrap();
    assert_eq!(other.sign(&CREATE).unwrap().as_str(), SIGNATURE);
}

#[test]
fn parts_that_no_request_could_carry_are_refused_by_name() {
    for method in ["", "GE T", "GET\n", "GÉT", "GET/"] {
        assert_eq!(RequestToSign { method, ..PING }.canonical(), Err(SignError::Method), "{method:?}");
    }
    let paths =
        ["", "v1/test/ping", "/v1/test/ping\n", "/v1\r\n/x", "/a b", "/a?b", "/a#b", "/é", "/\0", "/\x7f"];
    for path in paths {
        assert_eq!(RequestToSign { path, ..PING }.canonical(), Err(SignError::Path), "{path:?}");
    }
    for query in ["?a=1", "a=1\nb", "a=1#b", "a b", "é", "\t"] {
        assert_eq!(RequestToSign { query, ..PING }.canonical(), Err(SignError::Query), "{query:?}");
    }
    for nonce in ["", " ", "a\n", "a b", "é", "\0"] {
        assert_eq!(RequestToSign { nonce, ..PING }.canonical(), Err(SignError::Nonce), "{nonce:?}");
        assert_eq!(key(SECRET).sign(&RequestToSign { nonce, ..PING }).unwrap_err(), SignError::Nonce);
    }
}

#[test]
fn a_query_may_hold_a_question_mark_after_its_start() {
    let signature = check(SECRET, RequestToSign { query: "back=/a?b", ..PING });
    assert!(signature.starts_with("v1="), "{signature}");
}

#[test]
fn a_key_names_the_field_that_is_at_fault() {
    let fault = |api_key: &str, secret: &str| match SigningKey::new(api_key, secret.into()) {
        Ok(_) => "none".to_owned(),
        Err(error) => error.to_string(),
    };
    assert_eq!(fault(API_KEY, SECRET), "none");
    assert_eq!(fault("", SECRET), "the API key is empty");
    for api_key in ["test_key_xyz\n", " test_key_xyz", "\ttest_key_xyz", "test_key_xyz\u{a0}", " "] {
        let text = fault(api_key, SECRET);
        assert_eq!(text, "the API key begins or ends with white space, such as a copied line break");
    }
    for api_key in ["test key", "test\r\nx: y", "tést", "test\0", "\u{feff}test"] {
        assert_eq!(fault(api_key, SECRET), "the API key holds a character that is not visible ASCII");
    }
    assert_eq!(fault(API_KEY, ""), "the API secret is empty");
    for secret in ["test_secret_abc\n", "test_secret_abc\r\n", " test_secret_abc", "test_secret_abc\u{2028}"]
    {
        let text = fault(API_KEY, secret);
        assert_eq!(text, "the API secret begins or ends with white space, such as a copied line break");
    }
    assert_eq!(fault(API_KEY, "inner white space is the secret's own"), "none");
    for secret in
        ["\u{feff}test_secret", "test\nsecret", "test\0secret", "test\u{200b}secret", "test\u{a0}secret"]
    {
        let text = fault(API_KEY, secret);
        let expected =
            "the API secret holds a character that cannot be seen, such as a byte order mark or a line break";
        assert_eq!(text, expected, "{}", secret.escape_debug());
    }
    for error in [KeyError::SecretUnseen, KeyError::ApiKeyText] {
        assert!(error.hint().contains("byte order mark"), "{error}");
    }
}

#[test]
fn verify_takes_the_published_signature() {
    assert_eq!(key(SECRET).verify(&CREATE, SIGNATURE), Ok(()));
}

#[test]
fn verify_refuses_another_request_and_another_secret() {
    let moved = RequestToSign { path: "/v1/checkout_intents", ..CREATE };
    assert_eq!(key(SECRET).verify(&moved, SIGNATURE), Err(VerifyError::Mismatch));
    assert_eq!(key("test_secret_abd").verify(&CREATE, SIGNATURE), Err(VerifyError::Mismatch));
    let unsignable = RequestToSign { nonce: "", ..CREATE };
    assert_eq!(key(SECRET).verify(&unsignable, SIGNATURE), Err(VerifyError::Request(SignError::Nonce)));
}

#[test]
fn verify_refuses_a_signature_with_any_bit_changed() {
    let mut mac = [0; MAC_BYTES];
    Base64::decode(&SIGNATURE[3..], &mut mac).unwrap();
    for at in 0..MAC_BYTES {
        for bit in 0..8 {
            let mut other = mac;
            other[at] ^= 1 << bit;
            let other = format!("v1={}", base64_by_bits(&other));
            assert_eq!(key(SECRET).verify(&CREATE, &other), Err(VerifyError::Mismatch), "{other}");
        }
    }
}

#[test]
fn verify_refuses_every_other_spelling_of_a_signature() {
    let key = key(SECRET);
    let verify = |text: &str| key.verify(&CREATE, text);
    let digits = &SIGNATURE[3..];

    for text in ["", "v1", "v1:", digits, &format!("v2={digits}"), &format!("V1={digits}")] {
        assert_eq!(verify(text), Err(VerifyError::Version), "{text}");
    }
    for text in [&format!(" v1={digits}"), &format!("v=1{digits}"), &format!("sha256={digits}")] {
        assert_eq!(verify(text), Err(VerifyError::Version), "{text}");
    }

    for end in 3..SIGNATURE.len() {
        assert_eq!(verify(&SIGNATURE[..end]), Err(VerifyError::Encoding), "{end}");
    }
    let unpadded = SIGNATURE.trim_end_matches('=').to_owned();
    let mut others = vec![
        format!("v1=v1={digits}"),
        format!("v1= {digits}"),
        format!("{SIGNATURE} "),
        format!("{SIGNATURE}\n"),
        format!("{SIGNATURE}="),
        format!("{SIGNATURE}===="),
        format!("{SIGNATURE}AAAA"),
        format!("{SIGNATURE}{digits}"),
        format!("{unpadded}A"),
        format!("{unpadded}*"),
        format!("{}==", &unpadded[..unpadded.len() - 1]),
        SIGNATURE.replace('+', "-").replace('/', "_"),
        SIGNATURE.replace('+', "-"),
        SIGNATURE.replace('/', "_"),
        SIGNATURE.replacen('H', "é", 1),
        format!("v1={}", "=".repeat(44)),
        format!("v1={}", "A".repeat(1 << 20)),
    ];
    // The last digit carries two bits that belong to no byte; only zeros are canonical.
    for last in ['B', 'C', 'D'] {
        let spare = unpadded.char_indices().next_back().unwrap().0;
        assert_eq!(&unpadded[spare..], "A");
        others.push(format!("{}{last}=", &unpadded[..spare]));
    }
    for other in &others {
        assert_eq!(verify(other), Err(VerifyError::Encoding), "{other:.60}");
    }
}

#[test]
fn debug_and_errors_show_neither_secret_nor_api_key_nor_body() {
    let key = key(SECRET);
    let signature = key.sign(&CREATE).unwrap();
    let request = RequestToSign { query: "name=Ada", ..CREATE };
    let shown = format!("{key:?} {:#?} {signature:?} {request:?} {request:#?}", key.clone());
    let bad_secret = SigningKey::new(API_KEY, format!("{SECRET}\n").into()).unwrap_err();
    let bad_key = SigningKey::new(format!("{API_KEY}\n"), SECRET.into()).unwrap_err();
    let shown = format!("{shown} {bad_secret:?} {bad_secret} {bad_key:?} {bad_key}");
    for hidden in [SECRET, API_KEY, "test_", "ord_1", "Ada", &SIGNATURE[3..]] {
        assert!(!shown.contains(hidden), "{hidden} in {shown}");
    }
    assert!(shown.contains("body_len: 92"), "{shown}");
}

#[test]
fn a_signature_pads_and_prints_as_text() {
    let signature = key(SECRET).sign(&CREATE).unwrap();
    assert_eq!(signature.to_string(), signature.as_str());
    assert_eq!(format!("{signature:>50}"), format!("   {SIGNATURE}"));
}

#[test]
fn keys_and_signatures_can_be_shared_between_threads() {
    fn shared<T: Send + Sync + Clone + 'static>() {}
    shared::<SigningKey>();
    shared::<Signature>();
}

#[test]
fn every_error_names_the_party_to_blame_and_the_usual_cause() {
    let blames = [
        (VerifyError::Version, Blame::Sender),
        (VerifyError::Encoding, Blame::Sender),
        (VerifyError::Mismatch, Blame::SetUp),
        (VerifyError::Request(SignError::Nonce), Blame::Caller),
    ];
    for (error, blame) in blames {
        assert_eq!(error.blame(), blame, "{error}");
        assert!(error.hint().len() > 20, "{error}");
    }
    for error in [SignError::Method, SignError::Path, SignError::Query, SignError::Nonce] {
        assert!(error.blame() == Blame::Caller && error.hint().len() > 20, "{error}");
    }
    use KeyError::*;
    for error in [ApiKeyEmpty, ApiKeyWhiteSpace, ApiKeyText, SecretEmpty, SecretWhiteSpace] {
        assert!(error.blame() == Blame::SetUp && error.hint().len() > 20, "{error}");
    }
}

#[derive(Clone, Debug)]
struct Parts {
    method: String,
    path: String,
    query: String,
    timestamp: u64,
    nonce: String,
    body: Vec<u8>,
}

impl Parts {
    fn request(&self) -> RequestToSign<'_> {
        RequestToSign {
            method: &self.method,
            path: &self.path,
            query: &self.query,
            timestamp: self.timestamp,
            nonce: &self.nonce,
            body: &self.body,
        }
    }
}

prop_compose! {
    fn parts()(
        method in "[A-Za-z!#$%&'*+.^_`|~-]{1,9}",
        path in "/[!-~&&[^?#]]{0,90}",
        query in "([!-~&&[^?#]][!-~&&[^#]]{0,90})?",
        timestamp: u64,
        nonce in "[!-~]{1,70}",
        body in proptest::collection::vec(any::<u8>(), 0..300),
    ) -> Parts {
        Parts { method, path, query, timestamp, nonce, body }
    }
}

proptest! {
    #[test]
    fn every_signature_is_the_signature_by_definition(parts in parts(), secret in "[!-~]|[!-~é-ɏ一-龥][ -~é-ɏ一-龥]{0,150}[!-~é-ɏ一-龥]") {
        let request = parts.request();
        let key = key(&secret);
        let signature = key.sign(&request).unwrap();
        prop_assert_eq!(signature.as_str(), signature_by_definition(&secret, &request));
        prop_assert_eq!(signature.as_str().len(), 47);
        prop_assert_eq!(key.verify(&request, signature.as_str()), Ok(()));
    }

    #[test]
    fn no_two_requests_share_a_canonical_string(parts in parts()) {
        let canonical = parts.request().canonical().unwrap();
        let body_hash = Sha256::digest(&parts.body).iter().map(|byte| format!("{byte:02x}")).collect();
        let expected = [
            parts.method.to_ascii_uppercase(),
            parts.path,
            parts.query,
            parts.timestamp.to_string(),
            parts.nonce,
            body_hash,
        ];
        prop_assert_eq!(canonical.split('\n').collect::<Vec<_>>(), expected);
    }

    #[test]
    fn every_text_gives_a_signature_or_an_error(
        method: String, path: String, query: String, timestamp: u64, nonce: String, signature: String,
    ) {
        let request = RequestToSign {
            method: &method, path: &path, query: &query, timestamp, nonce: &nonce, body: b"",
        };
        let key = key(SECRET);
        let signable = key.sign(&request).is_ok();
        prop_assert_eq!(signable, request.canonical().is_ok());
        if let Ok(canonical) = request.canonical() {
            prop_assert_eq!(canonical.matches('\n').count(), 5);
            prop_assert!(canonical.is_ascii());
        }
        prop_assert!(key.verify(&request, &signature).is_err());
    }
}
