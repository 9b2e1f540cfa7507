use super::*;
use crate::allscale::tests::base64_by_bits;
use crate::mac::tests::hmac_by_definition;
use alloc::borrow::ToOwned;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use proptest::prelude::*;
use sha2::{Digest, Sha256};

const SECRET: &str = "test_secret_abc";
const OTHER_SECRET: &str = "test_secret_abd";
const API_KEY: &str = "test_key_xyz";
const NOW: i64 = 1_716_501_000;
const NONCE: &str = "b4d9a2a1-9c2b-4df4-8b8e-2a13a45fd321";
const SIGNATURE: &str = "v1=+caiffV6TcbFGCoy4NUBKg1j7LUQsafZz1xo2WbR+W4=";
const HEADERS: [&str; 5] =
    ["x-api-key", "x-webhook-id", "x-webhook-timestamp", "x-webhook-nonce", "x-webhook-signature"];

/// A request, every part of which can be changed.
#[derive(Debug, Clone)]
struct Sent {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Sent {
    /// One that was signed at `NOW`; under `SECRET` its signature is `SIGNATURE`.
    fn genuine() -> Self {
        let values = [API_KEY, "wh_665f1c2e9b1d4a0012345678", "1716501000", NONCE, SIGNATURE];
        Self {
            method: "POST".to_owned(),
            path: "/hooks/allscale".to_owned(),
            query: "store=7&b=%2F".to_owned(),
            headers: HEADERS.map(str::to_owned).into_iter().zip(values.map(Vec::from)).collect(),
            body: br#"{"webhook_id":"wh_665f1c2e9b1d4a0012345678","all_scale_transaction_id":"tx_1"}"#
                .to_vec(),
        }
    }

    fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        for (_, own) in self.headers.iter_mut().filter(|(own, _)| own == name) {
            *own = value.as_ref().to_vec();
        }
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(own, _)| own != name);
        self
    }

    fn and(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The value of a header, as text.
    fn value(&self, name: &str) -> String {
        let (_, value) = self.headers.iter().find(|(own, _)| own == name).unwrap();
        String::from_utf8(value.clone()).unwrap()
    }

    /// Signed anew, whatever its parts are now.
    fn signed(self, secret: &str) -> Self {
        let signature = signature_by_definition(secret, &self);
        self.with("x-webhook-signature", signature)
    }

    fn request(&self) -> WebhookRequest<'_, Vec<(String, Vec<u8>)>> {
        WebhookRequest {
            method: &self.method,
            path: &self.path,
            query: &self.query,
            headers: &self.headers,
            body: &self.body,
        }
    }
}

/// The signature by another way: HMAC by its definition, Base64 bit by bit, text by `format!`.
fn signature_by_definition(secret: &str, sent: &Sent) -> String {
    let body_hash: String = Sha256::digest(&sent.body).iter().map(|byte| format!("{byte:02x}")).collect();
    let [_, id, timestamp, nonce, _] = HEADERS.map(|name| sent.value(name));
    let canonical = format!(
        "allscale:webhook:v1\n{}\n{}\n{}\n{id}\n{timestamp}\n{nonce}\n{body_hash}",
        sent.method, sent.path, sent.query,
    );
    format!("v1={}", base64_by_bits(&hmac_by_definition(secret, canonical)))
}

fn key(secret: &str) -> SigningKey {
    SigningKey::new(API_KEY, secret.into()).unwrap()
}

fn verifier() -> WebhookVerifier {
    WebhookVerifier::new(KeyRing::new("ours", key(SECRET)))
}

/// Id, time and key of the webhook, or the error's text; with the one key, at `now`.
fn check_at(sent: &Sent, now: i64) -> String {
    check_with(&verifier(), sent, now)
}

fn check(sent: Sent) -> String {
    check_at(&sent, NOW)
}

fn check_with(verifier: &WebhookVerifier, sent: &Sent, now: i64) -> String {
    match verifier.verify(&sent.request(), now) {
        Ok(webhook) => {
            assert_eq!(webhook.body(), sent.body);
            assert_eq!(webhook.nonce(), sent.value("x-webhook-nonce"));
            format!("{} of {} under {}", webhook.webhook_id(), webhook.timestamp(), webhook.key_id())
        }
        Err(error) => error.to_string(),
    }
}

const PASSES: &str = "wh_665f1c2e9b1d4a0012345678 of 1716501000 under ours";
const MISMATCH: &str = "no signature is this webhook's under the keys of its api key";
const UNKNOWN_KEY: &str = "no key that is valid now has the api key of the header x-api-key";

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
    let text = |to_sign: WebhookToSign<'_>, secret: &str| to_sign.sign(&key(secret)).unwrap().to_string();
    let genuine = Sent::genuine();
    let first = WebhookToSign {
        method: "POST",
        path: "/hooks/allscale",
        query: "store=7&b=%2F",
        webhook_id: "wh_665f1c2e9b1d4a0012345678",
        timestamp: NOW,
        nonce: NONCE,
        body: &genuine.body,
    };
    assert_eq!(text(first, SECRET), SIGNATURE);
    let first_second = WebhookToSign {
        method: "PUT",
        path: "/",
        query: "",
        webhook_id: "!",
        timestamp: i64::MIN,
        nonce: "~",
        body: &[0, 10, 255],
    };
    assert_eq!(text(first_second, "géheim"), "v1=swsrcQMkxMdnvHv5p1YG0pp+peLzugI8hOTSlo/OhpI=");
    let empty = WebhookToSign {
        method: "POST",
        webhook_id: "1",
        timestamp: 0,
        nonce: "1",
        body: b"",
        ..first_second
    };
    let longer_than_a_block = "k".repeat(65);
    assert_eq!(text(empty, &longer_than_a_block), "v1=Esc0GR+IWnOQnGMjX3WMgck1uHp4ZuS+CI7bql6CkWU=");
}

#[test]
fn a_genuine_webhook_passes_and_says_what_it_was_sent_with() {
    let sent = Sent::genuine();
    assert_eq!(signature_by_definition(SECRET, &sent), SIGNATURE);
    assert_eq!(check(sent.clone()), PASSES);
    let verifier = verifier().tolerance(Tolerance::from_seconds(60));
    let webhook = verifier.verify(&sent.request(), NOW + 60).unwrap();
    assert_eq!(webhook.accepted_until(), NOW + 60);
}

#[test]
fn every_changed_byte_of_any_header_is_refused() {
    for name in HEADERS {
        let genuine = Sent::genuine();
        for value in every_byte_changed(genuine.value(name).as_bytes()) {
            let text = check(genuine.clone().with(name, &value));
            assert_ne!(text, PASSES, "{name}: {}", value.escape_ascii());
            let by_name = text.starts_with(&format!("the header {name} "));
            let expected = if name == "x-api-key" { UNKNOWN_KEY } else { MISMATCH };
            assert!(by_name || text == expected, "{name}: {}: {text}", value.escape_ascii());
        }
    }
}

#[test]
fn every_changed_byte_of_method_path_query_and_body_is_refused() {
    let genuine = Sent::genuine();
    let mut tried = 0;
    let mut refused = |sent: Sent, whose: &str| {
        let text = check(sent);
        assert!(text == MISMATCH || text.starts_with(&format!("the {whose} ")), "{text}");
        tried += 1;
    };
    let texts = |text: &str| {
        every_byte_changed(text.as_bytes()).into_iter().filter_map(|bytes| String::from_utf8(bytes).ok())
    };
    for method in texts(&genuine.method) {
        refused(Sent { method, ..genuine.clone() }, "method");
    }
    for path in texts(&genuine.path) {
        refused(Sent { path, ..genuine.clone() }, "path");
    }
    for query in texts(&genuine.query) {
        refused(Sent { query, ..genuine.clone() }, "query");
    }
    for body in every_byte_changed(&genuine.body) {
        refused(Sent { body, ..genuine.clone() }, "body");
    }
    assert!(tried > 1_500, "{tried}");
}

#[test]
fn what_was_added_cut_or_moved_is_refused() {
    let genuine = Sent::genuine();
    let mut others = vec![
        Sent { path: "/hooks/allscale/".to_owned(), ..genuine.clone() },
        Sent { path: "/hooks".to_owned(), query: genuine.query.clone(), ..genuine.clone() },
        Sent { path: "/hooks/Allscale".to_owned(), ..genuine.clone() },
        Sent { path: "//hooks/allscale".to_owned(), ..genuine.clone() },
        Sent { query: String::new(), ..genuine.clone() },
        Sent { query: "b=%2F&store=7".to_owned(), ..genuine.clone() },
        Sent { query: "store=7&b=/".to_owned(), ..genuine.clone() },
        Sent { query: "store=7&b=%2f".to_owned(), ..genuine.clone() },
        Sent { body: Vec::new(), ..genuine.clone() },
        Sent { body: [&genuine.body[..], b"\n"].concat(), ..genuine.clone() },
        Sent { body: [&b"\xef\xbb\xbf"[..], &genuine.body].concat(), ..genuine.clone() },
        Sent { body: genuine.body[..genuine.body.len() - 1].to_vec(), ..genuine.clone() },
        genuine.clone().with("x-webhook-id", "wh_665f1c2e9b1d4a001234567"),
        genuine.clone().with("x-webhook-nonce", genuine.value("x-webhook-id")),
    ];
    // The same bytes over the border of two lines.
    others.push(genuine.clone().with("x-webhook-id", "wh_665f1c2e9b1d4a0012345678\n1716501000"));
    for other in others {
        let text = check(other.clone());
        assert!(text == MISMATCH || text.starts_with("the header x-webhook-id holds"), "{text}: {other:?}");
    }
}

#[test]
fn a_dropped_header_is_named() {
    for name in HEADERS {
        assert_eq!(check(Sent::genuine().without(name)), format!("the header {name} is missing"));
        assert_eq!(check(Sent::genuine().with(name, "")), format!("the header {name} is empty"));
    }
    let none = Sent { headers: Vec::new(), ..Sent::genuine() };
    assert_eq!(check(none), "the header x-api-key is missing");
}

#[test]
fn a_doubled_header_is_named_whatever_the_second_one_holds() {
    for name in HEADERS {
        let genuine = Sent::genuine();
        let twice = format!("the header {name} is there more than once");
        for value in [&*genuine.value(name), "another", ""] {
            assert_eq!(check(genuine.clone().and(name, value)), twice);
            assert_eq!(check(genuine.clone().and(&name.to_ascii_uppercase(), value)), twice);
            let mut in_front = genuine.clone().and(name, value);
            in_front.headers.rotate_right(1);
            assert_eq!(check(in_front), twice);
        }
        let joined = format!("{0}, {0}", genuine.value(name));
        let text = check(genuine.with(name, joined));
        // Two of the same signature in one header are a list; of the others there is one.
        assert_eq!(text == PASSES, name == "x-webhook-signature", "{text}");
    }
}

#[test]
fn headers_may_come_in_any_order_and_case_and_among_others() {
    let mut sent =
        Sent::genuine().and("Host", "shop.example").and("host", "shop.example").and("x-webhook", "1");
    for _ in 0..sent.headers.len() {
        sent.headers.rotate_left(1);
        assert_eq!(check(sent.clone()), PASSES);
        for case in [str::to_ascii_uppercase, str::to_ascii_lowercase, title_case] {
            let mut other = sent.clone();
            for (name, _) in &mut other.headers {
                *name = case(name);
            }
            other.headers.reverse();
            assert_eq!(
                check_with(&verifier(), &Sent { headers: lower(&other.headers), ..other.clone() }, NOW),
                PASSES
            );
            assert!(verifier().verify(&other.request(), NOW).is_ok(), "{other:?}");
        }
    }
}

fn lower(headers: &[(String, Vec<u8>)]) -> Vec<(String, Vec<u8>)> {
    headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect()
}

fn title_case(name: &str) -> String {
    let words = name.split('-').map(|word| format!("{}{}", word[..1].to_ascii_uppercase(), &word[1..]));
    words.collect::<Vec<_>>().join("-")
}

#[test]
fn the_tolerance_has_its_edges_in() {
    let sent = Sent::genuine();
    let late = |seconds| format!("the webhook's time is {seconds} s further back than the tolerance allows");
    let early =
        |seconds| format!("the webhook's time is {seconds} s further ahead than the tolerance allows");
    assert_eq!(check_at(&sent, NOW + 300), PASSES);
    assert_eq!(check_at(&sent, NOW + 301), late(1_u64));
    assert_eq!(check_at(&sent, NOW - 300), PASSES);
    assert_eq!(check_at(&sent, NOW - 301), early(1_u64));
    assert_eq!(check_at(&sent, i64::MAX), late((1 << 63) - 1 - 1_716_501_000 - 300));
    assert_eq!(check_at(&sent, i64::MIN), early((1 << 63) + 1_716_501_000 - 300));
    let exact = verifier().tolerance(Tolerance::from_seconds(0));
    assert_eq!(check_with(&exact, &sent, NOW), PASSES);
    assert_eq!(check_with(&exact, &sent, NOW + 1), late(1));
    assert_eq!(check_with(&exact, &sent, NOW - 1), early(1));
}

#[test]
fn the_ends_of_time_are_a_time_like_any_other() {
    let at =
        |timestamp: i64| Sent::genuine().with("x-webhook-timestamp", timestamp.to_string()).signed(SECRET);
    for end in [i64::MIN, i64::MAX] {
        let passes = format!("wh_665f1c2e9b1d4a0012345678 of {end} under ours");
        assert_eq!(check_at(&at(end), end), passes);
        assert_eq!(check_at(&at(end), end.saturating_add(300).saturating_sub(300)), passes);
    }
    let most = u64::MAX - 300;
    assert_eq!(
        check_at(&at(i64::MIN), i64::MAX),
        format!("the webhook's time is {most} s further back than the tolerance allows")
    );
    assert_eq!(
        check_at(&at(i64::MAX), i64::MIN),
        format!("the webhook's time is {most} s further ahead than the tolerance allows")
    );
    assert_eq!(verifier().verify(&at(i64::MAX).request(), i64::MAX).unwrap().accepted_until(), i64::MAX);
}

#[test]
fn a_time_in_another_spelling_is_refused_though_it_is_signed() {
    let spellings = [
        "+1716501000",
        "01716501000",
        "1716501000.0",
        "1716501000000000000000",
        "0x664F8B88",
        "-0",
        "1e9",
        "1_716",
        "9223372036854775808",
        "-9223372036854775809",
        "2024-05-23T21:50:00Z",
        "now",
        "-",
        "1,2",
    ];
    for spelling in spellings {
        let sent = Sent::genuine().with("x-webhook-timestamp", spelling).signed(SECRET);
        assert_eq!(
            check(sent),
            "the header x-webhook-timestamp is not a time in seconds, written in decimal",
            "{spelling}"
        );
    }
    for spelling in [" 1716501000", "1716501000 ", "1716501000\n", "١"] {
        let sent = Sent::genuine().with("x-webhook-timestamp", spelling).signed(SECRET);
        assert_eq!(
            check(sent),
            "the header x-webhook-timestamp holds a character that is not visible ASCII",
            "{spelling:?}"
        );
    }
    // Milliseconds are read as seconds, and so they are far ahead.
    let millis = Sent::genuine().with("x-webhook-timestamp", "1716501000000").signed(SECRET);
    assert!(check(millis).contains("further ahead"));
}

#[test]
fn a_signature_of_another_key_path_or_message_is_refused() {
    assert_eq!(check(Sent::genuine().signed(OTHER_SECRET)), MISMATCH);
    let elsewhere = Sent { path: "/hooks/other".to_owned(), ..Sent::genuine() }.signed(SECRET);
    let moved = Sent { path: Sent::genuine().path, ..elsewhere };
    assert_eq!(check(moved), MISMATCH);
    // Of a request with the same parts: six lines are not eight.
    let request = crate::allscale::RequestToSign {
        method: "POST",
        path: "/hooks/allscale",
        query: "store=7&b=%2F",
        timestamp: 1_716_501_000,
        nonce: NONCE,
        body: &Sent::genuine().body,
    };
    let of_a_request = key(SECRET).sign(&request).unwrap();
    assert_eq!(check(Sent::genuine().with("x-webhook-signature", of_a_request.as_str())), MISMATCH);
    // Another store's key with the same secret is another key all the same.
    assert_eq!(check(Sent::genuine().with("x-api-key", "test_key_xyy")), UNKNOWN_KEY);
}

#[test]
fn a_signature_in_any_other_spelling_is_refused() {
    let check = |signature: &str| check(Sent::genuine().with("x-webhook-signature", signature));
    let digits = &SIGNATURE[3..];
    let unpadded = digits.trim_end_matches('=');
    let not_base64 = [
        "v1=".to_owned(),
        format!("v1={unpadded}"),
        format!("{SIGNATURE}="),
        format!("{SIGNATURE}{digits}"),
        format!("{SIGNATURE}AAAA"),
        format!("v1={}", &digits[4..]),
        format!("v1={}", SIGNATURE[3..].replace('+', "-").replace('/', "_")),
        format!("v1={}=", unpadded.strip_suffix('4').unwrap().to_owned() + "5"),
        "v1=not base64".replace(' ', ""),
        format!("v1={}", "=".repeat(44)),
        format!("v1={}", "A".repeat(1 << 16)),
        format!("v1=v1={digits}"),
    ];
    for text in not_base64 {
        assert_eq!(
            check(&text),
            "the header x-webhook-signature holds a signature that is not the padded standard Base64 of 32 \
             bytes",
            "{text:.60}"
        );
    }
    for end in 3..SIGNATURE.len() {
        assert!(check(&SIGNATURE[..end]).contains("not the padded standard Base64"), "{end}");
    }
    for text in [digits, "v1", "v", &format!("V1={digits}"), &format!("v2={digits}"), &format!("v=1{digits}")]
    {
        assert_eq!(
            check(text),
            "the header x-webhook-signature has no signature of a known version",
            "{text}"
        );
    }
    for text in [
        format!("{SIGNATURE}\n"),
        format!("{SIGNATURE} "),
        format!(" {SIGNATURE}"),
        format!("\t{SIGNATURE}"),
        format!("{SIGNATURE}\r\n"),
        format!("v1= {digits}"),
        SIGNATURE.replacen('f', "é", 1),
        "\0".to_owned(),
    ] {
        assert_eq!(
            check(&text),
            "the header x-webhook-signature holds a character that is not visible ASCII",
            "{text:?}"
        );
    }
    assert_eq!(check(""), "the header x-webhook-signature is empty");
    let zeros = format!("v1={}=", "A".repeat(43));
    assert_eq!(check(&zeros), MISMATCH);
}

#[test]
fn of_several_signatures_one_must_be_right_and_none_malformed() {
    let check = |signature: &str| check(Sent::genuine().with("x-webhook-signature", signature));
    let other = signature_by_definition(OTHER_SECRET, &Sent::genuine());
    for list in [
        format!("{SIGNATURE},{other}"),
        format!("{other},{SIGNATURE}"),
        format!("{other} \t,\t {SIGNATURE}"),
        format!("v0=,{SIGNATURE}"),
        format!("{SIGNATURE}, v2=whatever!, t=1"),
        format!("{SIGNATURE},{SIGNATURE}"),
        [&*other; 7].join(",") + "," + SIGNATURE,
    ] {
        assert_eq!(check(&list), PASSES, "{list}");
    }
    assert_eq!(check(&format!("{other},{other}")), MISMATCH);
    assert_eq!(check(&format!("{other},v2={}", &SIGNATURE[3..])), MISMATCH);
    assert_eq!(
        check(&format!("{SIGNATURE},v1=")),
        "the header x-webhook-signature holds a signature that is not the padded standard Base64 of 32 bytes"
    );
    for list in [
        format!("{SIGNATURE},"),
        format!(",{SIGNATURE}"),
        format!("{SIGNATURE},,{other}"),
        format!("{SIGNATURE}, ,{other}"),
        ",".to_owned(),
    ] {
        assert_eq!(check(&list), "the header x-webhook-signature is not a list of signatures", "{list}");
    }
    let nine = [&[SIGNATURE][..], &["v2=x"; 8]].concat().join(",");
    assert_eq!(check(&nine), "the header x-webhook-signature has too many signatures");
    let many = [SIGNATURE; 10_000].join(",");
    assert_eq!(check(&many), "the header x-webhook-signature has too many signatures");
    assert!(check(&format!("{SIGNATURE};{other}")).contains("Base64"));
}

#[test]
fn a_key_is_tried_from_its_start_until_before_its_end() {
    let ring = KeyRing::new("new", key(OTHER_SECRET)).and_valid("old", key(SECRET), NOW - 10..NOW + 10);
    let verifier = WebhookVerifier::new(ring);
    let old = Sent::genuine();
    let new = Sent::genuine().signed(OTHER_SECRET);
    let check = |sent: &Sent, now| check_with(&verifier, sent, now);
    let of = |id: &str| format!("wh_665f1c2e9b1d4a0012345678 of 1716501000 under {id}");
    for now in [NOW - 10, NOW, NOW + 9] {
        assert_eq!(check(&old, now), of("old"));
        assert_eq!(check(&new, now), of("new"));
    }
    for now in [NOW - 11, NOW + 10] {
        assert_eq!(check(&old, now), MISMATCH);
        assert_eq!(check(&new, now), of("new"));
    }
    let both = format!("{}, {}", SIGNATURE, new.value("x-webhook-signature"));
    assert_eq!(check(&old.clone().with("x-webhook-signature", &both), NOW), of("new"));
    assert_eq!(check(&old.with("x-webhook-signature", both), NOW + 10), of("new"));
}

#[test]
fn the_api_key_chooses_among_the_keys_and_an_ended_one_is_unknown() {
    let other_store = SigningKey::new("test_key_other", OTHER_SECRET.into()).unwrap();
    let ring = KeyRing::new("other", other_store).and_valid("ours", key(SECRET), NOW..NOW + 1);
    let verifier = WebhookVerifier::new(ring);
    assert_eq!(check_with(&verifier, &Sent::genuine(), NOW), PASSES);
    for now in [NOW - 1, NOW + 1] {
        assert_eq!(check_with(&verifier, &Sent::genuine(), now), UNKNOWN_KEY);
    }
    // A store cannot speak for another one.
    assert_eq!(check_with(&verifier, &Sent::genuine().signed(OTHER_SECRET), NOW), MISMATCH);
    let taken = Sent::genuine().with("x-api-key", "test_key_other");
    assert_eq!(check_with(&verifier, &taken, NOW), MISMATCH);
}

#[test]
fn form_goes_before_key_and_key_before_signature_and_signature_before_time() {
    let forged = Sent::genuine().signed(OTHER_SECRET);
    assert_eq!(check_at(&forged, NOW + 100_000), MISMATCH);
    assert_eq!(check_at(&forged, NOW - 100_000), MISMATCH);
    let stranger = forged.with("x-api-key", "stranger");
    assert_eq!(check_at(&stranger, NOW + 100_000), UNKNOWN_KEY);
    let malformed = stranger.with("x-webhook-signature", "v1=");
    assert!(check_at(&malformed, NOW + 100_000).contains("Base64"));
}

#[test]
fn a_request_that_could_not_have_been_sent_is_the_callers_to_mend() {
    let genuine = Sent::genuine();
    let error = |sent: &Sent| verifier().verify(&sent.request(), NOW).unwrap_err();
    for method in ["", "post", "Post", "PO ST", "POST\n", "PÖST"] {
        let sent = Sent { method: method.to_owned(), ..genuine.clone() };
        assert_eq!(error(&sent), WebhookError::Request(SignError::Method), "{method:?}");
    }
    for path in ["", "hooks", "https://shop.example/hooks", "/a?b", "/a#b", "/a b", "/a\n", "/é"] {
        let sent = Sent { path: path.to_owned(), ..genuine.clone() };
        assert_eq!(error(&sent), WebhookError::Request(SignError::Path), "{path:?}");
    }
    for query in ["?a=1", "a#b", "a b", "a\n", "é"] {
        let sent = Sent { query: query.to_owned(), ..genuine.clone() };
        assert_eq!(error(&sent), WebhookError::Request(SignError::Query), "{query:?}");
        assert_eq!(error(&sent).blame(), Blame::Caller);
    }
}

#[test]
fn what_cannot_be_sent_cannot_be_signed() {
    let to_sign = WebhookToSign {
        method: "POST",
        path: "/",
        query: "",
        webhook_id: "1",
        timestamp: 0,
        nonce: "1",
        body: b"",
    };
    let error = |to_sign: WebhookToSign<'_>| {
        let error = to_sign.sign(&key(SECRET)).unwrap_err();
        assert_eq!(to_sign.canonical(), Err(error));
        assert_eq!(error.blame(), Blame::Caller);
        assert!(error.hint().len() > 20);
        error
    };
    assert_eq!(error(WebhookToSign { method: "post", ..to_sign }), SignError::Method);
    assert_eq!(error(WebhookToSign { path: "x", ..to_sign }), SignError::Path);
    assert_eq!(error(WebhookToSign { query: "?", ..to_sign }), SignError::Query);
    for text in ["", " ", "a\nb", "é"] {
        assert_eq!(error(WebhookToSign { webhook_id: text, ..to_sign }), SignError::WebhookId);
        assert_eq!(error(WebhookToSign { nonce: text, ..to_sign }), SignError::Nonce);
    }
}

#[test]
fn every_error_says_who_is_to_blame_and_the_usual_cause() {
    let missing = HeaderError { name: "x-api-key", problem: crate::HeaderProblem::Missing };
    let blames = [
        (WebhookError::Request(SignError::Path), Blame::Caller),
        (WebhookError::Header(missing), Blame::Sender),
        (WebhookError::UnknownKey, Blame::SetUp),
        (WebhookError::Mismatch, Blame::SetUp),
        (WebhookError::Expired { by_seconds: 1 }, Blame::Sender),
        (WebhookError::Early { by_seconds: 1 }, Blame::SetUp),
    ];
    for (error, blame) in blames {
        assert_eq!(error.blame(), blame, "{error}");
        assert!(error.hint().len() > 20, "{error}");
    }
    for cause in ["body was parsed and written again", "white space", "proxy changed the path"] {
        assert!(WebhookError::Mismatch.hint().contains(cause), "{cause}");
    }
}

#[test]
fn debug_and_errors_show_neither_secret_nor_values_nor_body() {
    let sent = Sent::genuine();
    let verifier = verifier();
    let mut shown =
        format!("{verifier:?} {:?} {:?}", sent.request(), verifier.verify(&sent.request(), NOW).unwrap());
    for name in HEADERS {
        for value in ["", "tell-tale", "v1=tell-tale", "v1=tell tale"] {
            let error = verifier.verify(&sent.clone().with(name, value).request(), NOW).err();
            shown += &format!("{error:?} {}", error.map(|error| error.to_string()).unwrap_or_default());
        }
    }
    for hidden in [SECRET, API_KEY, NONCE, &SIGNATURE[3..], "tx_1", "store=7", "tell"] {
        assert!(!shown.contains(hidden), "{hidden} in {shown}");
    }
    assert!(shown.contains(r#"keys: {"ours": "always valid"}, tolerance: Tolerance(300)"#), "{shown}");
}

#[test]
fn a_verifier_can_be_shared_between_threads() {
    fn shared<T: Send + Sync + Clone + 'static>() {}
    shared::<WebhookVerifier>();
    shared::<SignedWebhook<'static>>();
}

/// Whether a webhook is genuine and in time, by text alone: the second way.
fn passes_by_text(sent: &Sent, now: i64) -> bool {
    let only = |name: &str| {
        let mut values = sent.headers.iter().filter(|(own, _)| own.to_lowercase() == name);
        let first = values.next().map(|(_, value)| value.clone());
        first.filter(|_| values.next().is_none()).and_then(|value| String::from_utf8(value).ok())
    };
    let visible = |text: &String| !text.is_empty() && text.chars().all(|char| ('!'..='~').contains(&char));
    let [Some(api_key), Some(id), Some(timestamp), Some(nonce), Some(signatures)] = HEADERS.map(only) else {
        return false;
    };
    let one_spelling = timestamp.parse::<i64>().ok().filter(|number| number.to_string() == timestamp);
    let Some(time) = one_spelling.filter(|_| visible(&id) && visible(&nonce) && api_key == API_KEY) else {
        return false;
    };
    let mut plain = sent.clone();
    plain.headers = lower(&plain.headers);
    let right = signature_by_definition(SECRET, &plain);
    let alphabet = |char: char| char.is_ascii_alphanumeric() || "+/".contains(char);
    let well_formed = |text: &str| {
        let digits = text.strip_suffix('=').unwrap_or_default();
        digits.len() == 43
            && digits.chars().all(alphabet)
            && digits.ends_with(|last| "AEIMQUYcgkosw048".contains(last))
    };
    let pieces: Vec<&str> = signatures.split(',').map(|piece| piece.trim_matches([' ', '\t'])).collect();
    let listed = pieces.len() <= 8 && signatures.trim_matches([' ', '\t']) == signatures;
    let each = pieces
        .iter()
        .all(|piece| visible(&(*piece).to_owned()) && piece.strip_prefix("v1=").is_none_or(well_formed));
    let in_time = (i128::from(now) - i128::from(time)).abs() <= 300;
    listed && each && pieces.contains(&&*right) && in_time && sendable(sent)
}

fn sendable(sent: &Sent) -> bool {
    let visible = |text: &str| text.chars().all(|char| ('!'..='~').contains(&char) && char != '#');
    let token =
        |char: char| char.is_ascii_uppercase() || char.is_ascii_digit() || "!#$%&'*+-.^_`|~".contains(char);
    !sent.method.is_empty()
        && sent.method.chars().all(token)
        && sent.path.starts_with('/')
        && visible(&sent.path)
        && !sent.path.contains('?')
        && visible(&sent.query)
        && !sent.query.starts_with('?')
}

prop_compose! {
    /// A webhook of which every part is what it may be, signed at `NOW` or near it.
    fn any_genuine()(
        method in "[A-Z!#$%&'*+.^_`|~-]{1,9}",
        path in "/[!-~&&[^?#]]{0,90}",
        query in "([!-~&&[^?#]][!-~&&[^#]]{0,90})?",
        id in "[!-~]{1,70}",
        timestamp in NOW - 400..NOW + 400,
        nonce in "[!-~]{1,70}",
        body in proptest::collection::vec(any::<u8>(), 0..300),
    ) -> Sent {
        let sent = Sent { method, path, query, body, ..Sent::genuine() };
        let sent = sent.with("x-webhook-id", id).with("x-webhook-nonce", nonce);
        sent.with("x-webhook-timestamp", timestamp.to_string()).signed(SECRET)
    }
}

/// A value for a header: any bytes, or close to a right one.
fn any_value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..60),
        "[ -~\t,]{0,60}".prop_map(String::into_bytes),
        "(v1=[A-Za-z0-9+/]{43}=[, \t]{0,2}){0,10}".prop_map(String::into_bytes),
        any::<i64>().prop_map(|number| number.to_string().into_bytes()),
    ]
}

proptest! {
    #[test]
    fn whatever_is_signed_is_the_signature_by_definition_and_passes(
        sent in any_genuine(), now in NOW - 800..NOW + 800,
    ) {
        let to_sign = WebhookToSign {
            method: &sent.method,
            path: &sent.path,
            query: &sent.query,
            webhook_id: &sent.value("x-webhook-id"),
            timestamp: sent.value("x-webhook-timestamp").parse().unwrap(),
            nonce: &sent.value("x-webhook-nonce"),
            body: &sent.body,
        };
        let signature = to_sign.sign(&key(SECRET)).unwrap();
        prop_assert_eq!(signature.as_str(), sent.value("x-webhook-signature"));
        let lines = to_sign.canonical().unwrap();
        prop_assert_eq!(lines.split('\n').count(), 8);
        let verifier = verifier();
        let verified = verifier.verify(&sent.request(), now);
        prop_assert_eq!(verified.is_ok(), passes_by_text(&sent, now));
        prop_assert_eq!(verified.is_ok(), now.abs_diff(to_sign.timestamp) <= 300);
    }

    #[test]
    fn any_headers_and_body_whatever_pass_when_they_do_by_text(
        sent in any_genuine(),
        changes in proptest::collection::vec(
            (0..8_usize, 0..5_usize, any_value(), any::<prop::sample::Index>()), 1..3,
        ),
        now in prop_oneof![Just(NOW), any::<i64>(), NOW - 800..NOW + 800],
    ) {
        let mut sent = sent;
        for (what, which, value, at) in changes {
            let text = String::from_utf8_lossy(&value).into_owned();
            let own = sent.clone();
            match what {
                0 => sent = sent.with(HEADERS[which], value),
                1 => sent = sent.without(HEADERS[which]),
                2 => sent = sent.and(HEADERS[which], &text),
                3 => sent.body = value,
                4 => sent.path = text,
                5 => sent.headers.rotate_left(which),
                6 => {
                    // A list with the right one in it.
                    let right = own.headers.last().map_or(&[][..], |(_, value)| value);
                    let list = [&value[..], b", ", right].concat();
                    sent = sent.with("x-webhook-signature", list);
                }
                _ => {
                    if !sent.headers.is_empty() {
                        let (_, value) = &mut sent.headers[at.index(own.headers.len())];
                        if !value.is_empty() {
                            let place = at.index(value.len());
                            value[place] ^= 1 << which;
                        }
                    }
                }
            }
        }
        let verifier = verifier();
        let passes = verifier.verify(&sent.request(), now).is_ok();
        prop_assert_eq!(passes, passes_by_text(&sent, now), "{:?}", sent);
    }
}
