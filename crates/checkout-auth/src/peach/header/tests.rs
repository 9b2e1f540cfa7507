use super::*;
use crate::mac::tests::hmac_by_definition;
use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use proptest::prelude::*;

const SECRET: &str = "3fcd7cf22f55119eadbe02d14de18c0c";
const OTHER_SECRET: &str = "3fcd7cf22f55119eadbe02d14de18c0d";
const NOW: i64 = 1_716_501_000;
const DIGEST: &str = "b6e7d2ed99a175f1fffe519fd001fbf060c8c9b8ce129c0fe3ee618268de954a";
const HEADERS: [&str; 3] = ["x-webhook-timestamp", "x-webhook-id", "x-webhook-signature"];

/// A webhook, every part of which can be changed.
#[derive(Debug, Clone)]
struct Sent {
    url: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Sent {
    /// One that was signed at `NOW`; under `SECRET` its signature is `DIGEST`.
    fn genuine() -> Self {
        let values = ["1716501000", "4b1b4ac3d2a8458cbd3e1a5a4d0a6e0b", DIGEST];
        Self {
            url: "https://shop.example/hooks/peach?shop=1".to_owned(),
            headers: HEADERS.map(str::to_owned).into_iter().zip(values.map(Vec::from)).collect(),
            body: b"checkoutId=c1&result.code=000.200.100".to_vec(),
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
        let digest = digest_by_definition(secret, &self);
        self.with("x-webhook-signature", digest)
    }

    fn request(&self) -> WebhookRequest<'_, Vec<(String, Vec<u8>)>> {
        WebhookRequest { url: &self.url, headers: &self.headers, body: &self.body }
    }
}

/// The signature by another way: HMAC by its definition over the text put together.
fn digest_by_definition(secret: &str, sent: &Sent) -> String {
    let [timestamp, id, _] = HEADERS.map(|name| sent.value(name));
    let text = [format!("{timestamp}.{id}.{}.", sent.url).into_bytes(), sent.body.clone()].concat();
    hmac_by_definition(secret, text).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn token(secret: &str) -> SecretToken {
    SecretToken::new(secret.into()).unwrap()
}

fn verifier() -> WebhookVerifier {
    WebhookVerifier::new(KeyRing::new("ours", token(SECRET)))
}

fn check_with(verifier: &WebhookVerifier, sent: &Sent, now: i64) -> String {
    match verifier.verify(&sent.request(), now) {
        Ok(webhook) => {
            assert_eq!(webhook.body(), sent.body);
            format!("{} of {} under {}", webhook.webhook_id(), webhook.timestamp(), webhook.key_id())
        }
        Err(error) => error.to_string(),
    }
}

/// Id, time and key of the webhook, or the error's text; with the one key, at `NOW`.
fn check(sent: Sent) -> String {
    check_with(&verifier(), &sent, NOW)
}

const PASSES: &str = "4b1b4ac3d2a8458cbd3e1a5a4d0a6e0b of 1716501000 under ours";
const MISMATCH: &str = "the signature is not this webhook's under the keys";

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
    // Computed with the hmac and hashlib modules of Python 3.
    let genuine = Sent::genuine();
    let id = genuine.value("x-webhook-id");
    let first = WebhookToSign { timestamp: NOW, webhook_id: &id, url: &genuine.url, body: &genuine.body };
    assert_eq!(first.sign(&token(SECRET)).unwrap().as_str(), DIGEST);
    let first_second = WebhookToSign { timestamp: i64::MIN, webhook_id: "!", url: "x", body: &[0, 10, 255] };
    assert_eq!(
        first_second.sign(&token("géheim")).unwrap().as_str(),
        "7d90aa150ad16ab2b14d2b1b57b26cb435af8beffb41ba3640d7b61689243909"
    );
    let empty = WebhookToSign { timestamp: 0, webhook_id: "1", url: "https://a.example/", body: b"" };
    assert_eq!(
        empty.sign(&token(&"k".repeat(65))).unwrap().as_str(),
        "4962dfeca61a30cf6b922c411549d8ccd7b3f5e711bdc1e9ad62ea8418c424a5"
    );
}

#[test]
fn a_genuine_webhook_passes_and_says_what_it_was_sent_with() {
    let sent = Sent::genuine();
    assert_eq!(digest_by_definition(SECRET, &sent), DIGEST);
    assert_eq!(check(sent.clone()), PASSES);
    let verifier = verifier().tolerance(Tolerance::from_seconds(60));
    assert_eq!(verifier.verify(&sent.request(), NOW - 60).unwrap().accepted_until(), NOW + 60);
}

#[test]
fn every_changed_byte_of_any_part_is_refused() {
    let genuine = Sent::genuine();
    let refused = |sent: Sent, name: &str| {
        let text = check(sent.clone());
        assert!(text == MISMATCH || text.starts_with(&format!("the {name} ")), "{text}: {sent:?}");
    };
    for name in HEADERS {
        for value in every_byte_changed(genuine.value(name).as_bytes()) {
            refused(genuine.clone().with(name, value), &format!("header {name}"));
        }
    }
    for url in every_byte_changed(genuine.url.as_bytes()) {
        if let Ok(url) = String::from_utf8(url) {
            refused(Sent { url, ..genuine.clone() }, "URL");
        }
    }
    for body in every_byte_changed(&genuine.body) {
        refused(Sent { body, ..genuine.clone() }, "body");
    }
}

#[test]
fn a_dot_cannot_move_between_id_and_url_and_body() {
    // All of these have the text of the genuine one.
    let genuine = Sent::genuine();
    let id = genuine.value("x-webhook-id");
    let longer_id = genuine.clone().with("x-webhook-id", format!("{id}.https://shop"));
    let recut = Sent { url: "example/hooks/peach?shop=1".to_owned(), ..longer_id };
    assert_eq!(digest_by_definition(SECRET, &recut), DIGEST);
    assert_eq!(check(recut), "the header x-webhook-id holds a dot");
    // A body that holds the URL, cut there for the rest of it to be the body.
    let inner = b"name=x.https://shop.example/hooks/peach?shop=1.result.code=000.000.000";
    let genuine = Sent { body: inner.to_vec(), ..genuine }.signed(SECRET);
    assert_eq!(check(genuine.clone()), PASSES);
    let id = format!("{id}.{}.name=x", genuine.url);
    let recut =
        Sent { body: b"result.code=000.000.000".to_vec(), ..genuine.clone() }.with("x-webhook-id", id);
    assert_eq!(digest_by_definition(SECRET, &recut), genuine.value("x-webhook-signature"));
    assert_eq!(check(recut), "the header x-webhook-id holds a dot");
}

#[test]
fn a_header_that_is_dropped_or_doubled_is_named() {
    for name in HEADERS {
        let mut dropped = Sent::genuine();
        dropped.headers.retain(|(own, _)| own != name);
        assert_eq!(check(dropped), format!("the header {name} is missing"));
        assert_eq!(check(Sent::genuine().with(name, "")), format!("the header {name} is empty"));
        for value in [&*Sent::genuine().value(name), "another", ""] {
            let doubled = Sent::genuine().and(&name.to_ascii_uppercase(), value);
            assert_eq!(check(doubled.clone()), format!("the header {name} is there more than once"));
            let mut in_front = doubled;
            in_front.headers.rotate_right(1);
            assert_eq!(check(in_front), format!("the header {name} is there more than once"));
        }
    }
}

#[test]
fn headers_may_come_in_any_order_and_case() {
    let mut sent = Sent::genuine().and("Host", "shop.example");
    for _ in 0..sent.headers.len() {
        sent.headers.rotate_left(1);
        assert_eq!(check(sent.clone()), PASSES);
        let mut upper = sent.clone();
        upper.headers.iter_mut().for_each(|(name, _)| *name = name.to_ascii_uppercase());
        assert_eq!(check(upper), PASSES);
    }
}

#[test]
fn the_tolerance_has_its_edges_in_and_the_ends_of_time_are_times() {
    let verifier = verifier();
    let check = |timestamp: i64, now: i64| {
        let sent = Sent::genuine().with("x-webhook-timestamp", timestamp.to_string()).signed(SECRET);
        match verifier.verify(&sent.request(), now) {
            Ok(webhook) => webhook.timestamp() == timestamp,
            Err(WebhookError::Expired { by_seconds }) => {
                assert_eq!(i128::from(by_seconds), i128::from(now) - i128::from(timestamp) - 300);
                false
            }
            Err(WebhookError::Early { by_seconds }) => {
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
}

#[test]
fn a_time_in_another_spelling_is_refused_though_it_is_signed() {
    for spelling in ["+1716501000", "01716501000", "1716501000.0", "-0", "9223372036854775808", "now", "-"] {
        let sent = Sent::genuine().with("x-webhook-timestamp", spelling).signed(SECRET);
        assert_eq!(
            check(sent),
            "the header x-webhook-timestamp is not a time in seconds, written in decimal",
            "{spelling}"
        );
    }
}

#[test]
fn a_signature_of_another_key_or_in_another_spelling_is_refused() {
    let with = |signature: &str| check(Sent::genuine().with("x-webhook-signature", signature));
    assert_eq!(check(Sent::genuine().signed(OTHER_SECRET)), MISMATCH);
    assert_eq!(with(&"0".repeat(64)), MISMATCH);
    let not_hex = "the header x-webhook-signature is not 64 digits of lower-case hexadecimal";
    let upper = DIGEST.to_ascii_uppercase();
    let in_base64 = "tufS7ZmhdfH//lGf0AH78GDIybjOEpwP4+5hgmjelUo=";
    for text in [
        &upper,
        &DIGEST[1..],
        &DIGEST[..62],
        &format!("{DIGEST}0"),
        &format!("{DIGEST}{DIGEST}"),
        &format!("{DIGEST},{DIGEST}"),
        &format!("v1={DIGEST}"),
        &format!("sha256={DIGEST}"),
        &format!("0x{}", &DIGEST[2..]),
        &format!("{}+", &DIGEST[1..]),
        in_base64,
        &"f".repeat(1 << 16),
    ] {
        assert_eq!(with(text), not_hex, "{text:.70}");
    }
    for text in
        [format!("{DIGEST}\n"), format!(" {DIGEST}"), format!("{DIGEST} "), DIGEST.replacen('b', "é", 1)]
    {
        assert!(with(&text).ends_with("holds a character that is not visible ASCII"), "{text:?}");
    }
}

#[test]
fn a_key_is_tried_from_its_start_until_before_its_end() {
    let ring = KeyRing::new("new", token(OTHER_SECRET)).and_valid("old", token(SECRET), NOW - 10..NOW + 10);
    let verifier = WebhookVerifier::new(ring);
    let of = |id: &str| format!("4b1b4ac3d2a8458cbd3e1a5a4d0a6e0b of 1716501000 under {id}");
    for now in [NOW - 10, NOW, NOW + 9] {
        assert_eq!(check_with(&verifier, &Sent::genuine(), now), of("old"));
        assert_eq!(check_with(&verifier, &Sent::genuine().signed(OTHER_SECRET), now), of("new"));
    }
    for now in [NOW - 11, NOW + 10] {
        assert_eq!(check_with(&verifier, &Sent::genuine(), now), MISMATCH);
        assert_eq!(check_with(&verifier, &Sent::genuine().signed(OTHER_SECRET), now), of("new"));
    }
}

#[test]
fn a_ring_without_a_valid_key_says_so() {
    let verifier = WebhookVerifier::new(KeyRing::new_valid("ours", token(SECRET), NOW..NOW + 1));
    assert_eq!(check_with(&verifier, &Sent::genuine(), NOW), PASSES);
    for now in [NOW - 1, NOW + 1, i64::MIN, i64::MAX] {
        assert_eq!(check_with(&verifier, &Sent::genuine(), now), "no key is valid now");
    }
}

#[test]
fn signature_goes_before_time() {
    let forged = Sent::genuine().signed(OTHER_SECRET);
    assert_eq!(check_with(&verifier(), &forged, NOW + 100_000), MISMATCH);
    assert_eq!(check_with(&verifier(), &forged, NOW - 100_000), MISMATCH);
}

#[test]
fn what_cannot_be_signed_is_the_callers_to_mend() {
    let to_sign = WebhookToSign { timestamp: 0, webhook_id: "1", url: "https://a.example/", body: b"" };
    for webhook_id in ["", " ", "a.b", ".", "a\nb", "é"] {
        let error = WebhookToSign { webhook_id, ..to_sign }.sign(&token(SECRET)).unwrap_err();
        assert_eq!((error, error.blame()), (SignError::WebhookId, Blame::Caller));
    }
    for url in ["", " ", "https://a.example/ ", "https://é.example/", "https://a.example/\n"] {
        let error = WebhookToSign { url, ..to_sign }.sign(&token(SECRET)).unwrap_err();
        assert_eq!((error, error.blame()), (SignError::Url, Blame::Caller));
        let sent = Sent { url: url.to_owned(), ..Sent::genuine() };
        assert_eq!(verifier().verify(&sent.request(), NOW), Err(WebhookError::Request(SignError::Url)));
    }
}

#[test]
fn every_error_says_who_is_to_blame_and_the_usual_cause() {
    let missing = HeaderError { name: WEBHOOK_ID, problem: HeaderProblem::Missing };
    let blames = [
        (WebhookError::Request(SignError::Url), Blame::Caller),
        (WebhookError::Request(SignError::WebhookId), Blame::Caller),
        (WebhookError::Header(missing), Blame::Sender),
        (WebhookError::NoValidKey, Blame::SetUp),
        (WebhookError::Mismatch, Blame::SetUp),
        (WebhookError::Expired { by_seconds: 1 }, Blame::Sender),
        (WebhookError::Early { by_seconds: 1 }, Blame::SetUp),
    ];
    for (error, blame) in blames {
        assert_eq!(error.blame(), blame, "{error}");
        assert!(error.hint().len() > 20, "{error}");
    }
}

#[test]
fn debug_and_errors_show_neither_secret_nor_values_nor_body() {
    let sent = Sent::genuine();
    let verifier = verifier();
    let mut shown =
        format!("{verifier:?} {:?} {:?}", sent.request(), verifier.verify(&sent.request(), NOW).unwrap());
    for name in HEADERS {
        for value in ["tell-tale", "tell tale", "tell.tale"] {
            let error = verifier.verify(&sent.clone().with(name, value).request(), NOW).err();
            shown += &format!("{error:?} {}", error.map(|error| error.to_string()).unwrap_or_default());
        }
    }
    for hidden in [SECRET, DIGEST, "shop=1", "result", "tell"] {
        assert!(!shown.contains(hidden), "{hidden} in {shown}");
    }
}

/// Whether a webhook is genuine and in time, by text alone: the second way.
fn passes_by_text(sent: &Sent, now: i64) -> bool {
    let only = |name: &str| {
        let mut values = sent.headers.iter().filter(|(own, _)| own.to_lowercase() == name);
        let first = values.next().map(|(_, value)| value.clone());
        first.filter(|_| values.next().is_none()).and_then(|value| String::from_utf8(value).ok())
    };
    let visible = |text: &str| !text.is_empty() && text.chars().all(|char| ('!'..='~').contains(&char));
    let [Some(timestamp), Some(id), Some(signature)] = HEADERS.map(only) else { return false };
    let Some(time) = timestamp.parse::<i64>().ok().filter(|number| number.to_string() == timestamp) else {
        return false;
    };
    let formed = visible(&id) && !id.contains('.') && visible(&sent.url);
    let in_time = (i128::from(now) - i128::from(time)).abs() <= 300;
    formed && in_time && signature == digest_by_definition(SECRET, sent)
}

prop_compose! {
    fn any_genuine()(
        url in "[!-~]{1,90}",
        id in "[!-~&&[^.]]{1,70}",
        timestamp in NOW - 400..NOW + 400,
        body in proptest::collection::vec(any::<u8>(), 0..300),
    ) -> Sent {
        let sent = Sent { url, body, ..Sent::genuine() };
        sent.with("x-webhook-id", id).with("x-webhook-timestamp", timestamp.to_string()).signed(SECRET)
    }
}

proptest! {
    #[test]
    fn whatever_is_signed_is_the_signature_by_definition_and_passes_in_time(
        sent in any_genuine(), now in NOW - 800..NOW + 800,
    ) {
        let (timestamp, id) = (sent.value("x-webhook-timestamp"), sent.value("x-webhook-id"));
        let timestamp = timestamp.parse().unwrap();
        let to_sign = WebhookToSign { timestamp, webhook_id: &id, url: &sent.url, body: &sent.body };
        let signature = to_sign.sign(&token(SECRET)).unwrap();
        prop_assert_eq!(signature.as_str(), sent.value("x-webhook-signature"));
        let verifier = verifier();
        let passes = verifier.verify(&sent.request(), now).is_ok();
        prop_assert_eq!(passes, passes_by_text(&sent, now));
        prop_assert_eq!(passes, now.abs_diff(timestamp) <= 300);
    }

    #[test]
    fn any_headers_and_body_whatever_pass_when_they_do_by_text(
        sent in any_genuine(),
        which in 0..3_usize,
        value in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..70),
            "[0-9a-f]{64}".prop_map(String::into_bytes),
            any::<i64>().prop_map(|number| number.to_string().into_bytes()),
        ],
        url in proptest::option::of(".*"),
        now in prop_oneof![Just(NOW), any::<i64>()],
    ) {
        let changed = sent.clone().with(HEADERS[which], &value);
        let changed = Sent { url: url.unwrap_or(sent.url), ..changed };
        let verifier = verifier();
        prop_assert_eq!(verifier.verify(&changed.request(), now).is_ok(), passes_by_text(&changed, now));
        let resigned = String::from_utf8(value).is_ok().then(|| changed.signed(SECRET));
        if let Some(resigned) = resigned {
            let passes = verifier.verify(&resigned.request(), now).is_ok();
            prop_assert_eq!(passes, passes_by_text(&resigned, now));
        }
    }
}
