//! The laws of messages that are signed in their headers. Every kind runs each law.

use crate::{Blame, HeaderError, HeaderFields, HeaderProblem, KeyRing, MessageError, MessageKind};
use crate::{SignError, Tolerance, Verifier};
use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::fmt::{Debug, Write as _};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::BoxedStrategy;

/// The laws of one kind, a test for each.
macro_rules! every_law {
    ($kind:ty) => {
        $crate::message::suite::every_law! { $kind:
            another_hmac_implementation_makes_the_same_signatures
            a_genuine_message_passes_with_its_own_content
            every_changed_byte_of_any_part_is_refused
            a_header_that_is_dropped_empty_or_doubled_is_named
            headers_may_come_in_any_order_and_case_and_among_others
            the_tolerance_has_its_edges_in_and_the_ends_of_time_are_times
            a_time_in_another_spelling_is_refused_though_it_is_signed
            a_signature_of_another_key_or_in_another_spelling_is_refused
            a_key_is_tried_from_its_start_until_before_its_end
            form_goes_before_key_and_key_before_signature_and_signature_before_time
            an_unsendable_message_cannot_be_signed_and_is_the_callers_to_mend
            debug_and_errors_show_neither_secret_nor_values_nor_bodies
            a_verifier_can_be_shared_between_threads
            every_signature_is_the_signature_by_definition_and_passes_in_time
            every_change_passes_exactly_if_the_text_passes
            every_unsigned_message_gives_an_error
        }
    };
    ($kind:ty: $($law:ident)+) => {
        $(#[test]
        fn $law() {
            $crate::message::suite::$law::<$kind>();
        })+
    };
}
pub(crate) use every_law;

pub(crate) const NOW: i64 = 1_716_501_000;

/// A message, every part of which can be changed.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    /// The parts that are not headers of the message, each under the name that errors give the part.
    pub(crate) parts: Vec<(&'static str, Vec<u8>)>,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
}

impl Sent {
    pub(crate) fn new<const PARTS: usize>(
        parts: [(&'static str, &[u8]); PARTS],
        headers: &[&str],
        values: &[&str],
    ) -> Self {
        assert_eq!(headers.len(), values.len());
        let header = |(name, value): (&&str, &&str)| ((*name).to_owned(), value.as_bytes().to_vec());
        Self {
            parts: parts.map(|(name, part)| (name, part.to_vec())).into(),
            headers: headers.iter().zip(values).map(header).collect(),
        }
    }

    /// With another value of this header, or of the part of this name.
    pub(crate) fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let headers = self.headers.iter_mut().map(|(own, value)| (&**own, value));
        let parts = self.parts.iter_mut().map(|(own, value)| (*own, value));
        for (_, own) in headers.chain(parts).filter(|(own, _)| *own == name) {
            *own = value.as_ref().to_vec();
        }
        self
    }

    /// With another value of this part, if the value can be given as such a part.
    fn given<K: Kind>(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let changed = self.clone().with(name, value);
        if K::can_be_given(&changed) { changed } else { self }
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(own, _)| own != name);
        self
    }

    /// With one more header.
    pub(crate) fn and(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The value of a header, as text.
    pub(crate) fn value(&self, name: &str) -> String {
        let (_, value) = self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).unwrap();
        String::from_utf8(value.clone()).unwrap()
    }

    pub(crate) fn part(&self, name: &str) -> &[u8] {
        &self.parts.iter().find(|(own, _)| *own == name).unwrap().1
    }

    pub(crate) fn text(&self, name: &str) -> &str {
        core::str::from_utf8(self.part(name)).unwrap()
    }

    /// The values of headers that are there once and are text.
    pub(crate) fn only(&self, name: &str) -> Option<String> {
        let mut values = self.headers.values(name);
        let first = values.next().and_then(|value| String::from_utf8(value.to_vec()).ok());
        first.filter(|_| values.next().is_none())
    }

    /// Signed anew over the present parts.
    pub(crate) fn signed<K: Kind>(self, secret: &str) -> Self {
        let signature = K::by_definition(secret, &self);
        self.with(signature_of::<K>(), signature)
    }
}

/// The content of a verified message.
#[derive(Debug)]
pub(crate) struct Passed {
    pub(crate) timestamp: i64,
    pub(crate) accepted_until: i64,
    pub(crate) key_id: String,
    pub(crate) debug: String,
}

/// A kind of signed message, for these laws.
pub(crate) trait Kind {
    type Key: Clone + Send + Sync + 'static;

    const SECRETS: [&'static str; 2];
    /// The headers in the order of the reading, the signature's header last.
    const HEADERS: &'static [&'static str];
    const TIMESTAMP: &'static str;
    /// The parts that are text.
    const TEXTS: &'static [&'static str];
    const MISMATCH: &'static str;
    const NO_KEY: &'static str;
    /// True if the signature's header may hold several signatures.
    const LISTS: bool;
    /// The texts that neither `Debug` nor an error may show.
    const HIDDEN: &'static [&'static str];

    /// A message that was signed at `NOW` under the first secret, with the signature that another HMAC
    /// implementation has made.
    fn genuine() -> Sent;
    /// Messages with a secret, and their signatures by another HMAC implementation.
    fn vectors() -> Vec<(Sent, String, &'static str)>;
    /// The signature computed in another way: HMAC by its definition, over the text put together.
    fn by_definition(secret: &str, sent: &Sent) -> String;
    fn key(secret: &str) -> Self::Key;
    fn sign(sent: &Sent, key: &Self::Key) -> Result<String, SignError>;
    /// Verifies the message, and compares the content of the verified message with the message sent.
    fn verify(verifier: &Verifier<Self::Key>, sent: &Sent, now: i64) -> Result<Passed, MessageError>;
    /// The `Debug` text of the message as received.
    fn shown(sent: &Sent) -> String;
    /// Signatures in another spelling, each with its fault.
    fn spellings() -> Vec<(String, &'static str)>;
    /// Parts and headers that cannot be sent, with the error.
    fn unsendable() -> Vec<(&'static str, Vec<&'static str>, SignError)>;
    /// True if all but the time and the signature has the right form, by text alone.
    fn is_formed(sent: &Sent) -> bool;
    /// True if the header has the right signature and nothing malformed, by text alone.
    fn is_listed(value: &str, right: &str) -> bool;
    /// A message of which every part is valid, but for the signature.
    fn any() -> BoxedStrategy<Sent>;

    fn can_be_given(sent: &Sent) -> bool {
        Self::TEXTS.iter().all(|name| core::str::from_utf8(sent.part(name)).is_ok())
    }
}

fn signature_of<K: Kind>() -> &'static str {
    K::HEADERS.last().unwrap()
}

pub(crate) fn verifier<K: Kind>() -> Verifier<K::Key> {
    Verifier::new(KeyRing::new("ours", K::key(K::SECRETS[0])))
}

/// Time and key of the message, or the error's text.
pub(crate) fn check_with<K: Kind>(verifier: &Verifier<K::Key>, sent: &Sent, now: i64) -> String {
    match K::verify(verifier, sent, now) {
        Ok(told) => format!("of {} under {}", told.timestamp, told.key_id),
        Err(error) => error.to_string(),
    }
}

/// The same, with the one key, at `NOW`.
pub(crate) fn check<K: Kind>(sent: &Sent) -> String {
    check_with::<K>(&verifier::<K>(), sent, NOW)
}

pub(crate) const PASSES: &str = "of 1716501000 under ours";

/// `bytes` with the byte at each place changed in turn: in each of its bits, and into a byte that could
/// mislead a reader.
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

pub(crate) fn visible(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|char| ('!'..='~').contains(&char))
}

/// The number, if the text is the number's one spelling.
fn one_spelling(text: &str) -> Option<i64> {
    text.parse().ok().filter(|number: &i64| number.to_string() == text)
}

/// True if a message is genuine and in time, by text alone: the second way.
fn passes_by_text<K: Kind>(sent: &Sent, now: i64) -> bool {
    let values: Option<Vec<_>> = K::HEADERS.iter().map(|name| sent.only(name)).collect();
    let Some(time) = values.and_then(|_| one_spelling(&sent.value(K::TIMESTAMP))) else { return false };
    let in_time = (i128::from(now) - i128::from(time)).abs() <= 300;
    let is_right = || K::is_listed(&sent.value(signature_of::<K>()), &K::by_definition(K::SECRETS[0], sent));
    in_time && K::is_formed(sent) && is_right()
}

pub(crate) fn another_hmac_implementation_makes_the_same_signatures<K: Kind>() {
    let vectors = K::vectors();
    assert!(vectors.len() >= 2);
    for (sent, secret, signature) in vectors {
        let key = K::key(&secret);
        assert_eq!(K::sign(&sent, &key).unwrap(), signature);
        assert_eq!(K::by_definition(&secret, &sent), signature);
        let sent = sent.with(signature_of::<K>(), signature);
        let told = K::verify(&Verifier::new(KeyRing::new("", key)), &sent, one_time::<K>(&sent));
        assert!(told.is_ok(), "{told:?}");
    }
}

fn one_time<K: Kind>(sent: &Sent) -> i64 {
    sent.value(K::TIMESTAMP).parse().unwrap()
}

pub(crate) fn a_genuine_message_passes_with_its_own_content<K: Kind>() {
    let sent = K::genuine();
    assert_eq!(K::by_definition(K::SECRETS[0], &sent), sent.value(signature_of::<K>()));
    assert_eq!(check::<K>(&sent), PASSES);
    let verifier = verifier::<K>().tolerance(Tolerance::from_seconds(60));
    assert_eq!(K::verify(&verifier, &sent, NOW - 60).unwrap().accepted_until, NOW + 60);
    assert_eq!(K::verify(&verifier, &sent, NOW + 60).unwrap().accepted_until, NOW + 60);
}

pub(crate) fn every_changed_byte_of_any_part_is_refused<K: Kind>() {
    let (genuine, mut tried) = (K::genuine(), 0);
    for name in K::HEADERS {
        for value in every_byte_changed(genuine.value(name).as_bytes()) {
            let text = check::<K>(&genuine.clone().with(name, &value));
            let by_name = text.starts_with(&format!("the header {name} "));
            let expected = if *name == "x-api-key" { K::NO_KEY } else { K::MISMATCH };
            assert!(by_name || text == expected, "{name}: {}: {text}", value.escape_ascii());
            tried += 1;
        }
    }
    for (name, part) in &genuine.parts {
        for value in every_byte_changed(part) {
            let sent = genuine.clone().with(name, value);
            if K::can_be_given(&sent) {
                let text = check::<K>(&sent);
                assert!(text == K::MISMATCH || text.starts_with(&format!("the {name} ")), "{text}: {sent:?}");
                tried += 1;
            }
        }
    }
    assert!(tried > 3_000, "{tried}");
}

pub(crate) fn a_header_that_is_dropped_empty_or_doubled_is_named<K: Kind>() {
    let genuine = K::genuine();
    for name in K::HEADERS {
        assert_eq!(check::<K>(&genuine.clone().without(name)), format!("the header {name} is missing"));
        assert_eq!(check::<K>(&genuine.clone().with(name, "")), format!("the header {name} is empty"));
        let twice = format!("the header {name} is there more than once");
        for value in [&*genuine.value(name), "another", ""] {
            assert_eq!(check::<K>(&genuine.clone().and(name, value)), twice);
            let mut doubled = genuine.clone().and(&name.to_ascii_uppercase(), value);
            assert_eq!(check::<K>(&doubled), twice);
            doubled.headers.rotate_right(1);
            assert_eq!(check::<K>(&doubled), twice);
        }
        let joined = format!("{0}, {0}", genuine.value(name));
        let text = check::<K>(&genuine.clone().with(name, joined));
        // Two copies of one signature in one header are a list where lists are read; every other header has
        // one value.
        assert_eq!(text == PASSES, K::LISTS && *name == signature_of::<K>(), "{text}");
    }
    let none = Sent { headers: Vec::new(), ..genuine };
    assert_eq!(check::<K>(&none), format!("the header {} is missing", K::HEADERS[0]));
}

pub(crate) fn headers_may_come_in_any_order_and_case_and_among_others<K: Kind>() {
    let mut sent = K::genuine().and("Host", "shop.example").and("host", "shop.example").and("x-webhook", "1");
    for _ in 0..sent.headers.len() {
        sent.headers.rotate_left(1);
        assert_eq!(check::<K>(&sent), PASSES);
        for case in [str::to_ascii_uppercase, str::to_ascii_lowercase, title_case] {
            let mut other = sent.clone();
            other.headers.iter_mut().for_each(|(name, _)| *name = case(name));
            other.headers.reverse();
            assert_eq!(check::<K>(&other), PASSES);
        }
    }
}

fn title_case(name: &str) -> String {
    let words = name.split('-').map(|word| format!("{}{}", word[..1].to_ascii_uppercase(), &word[1..]));
    words.collect::<Vec<_>>().join("-")
}

pub(crate) fn the_tolerance_has_its_edges_in_and_the_ends_of_time_are_times<K: Kind>() {
    let verifier = verifier::<K>();
    let at = |time: i64| K::genuine().with(K::TIMESTAMP, time.to_string()).signed::<K>(K::SECRETS[0]);
    let check = |timestamp: i64, now: i64| match K::verify(&verifier, &at(timestamp), now) {
        Ok(told) => told.timestamp == timestamp,
        Err(MessageError::Expired { by_seconds }) => {
            assert_eq!(i128::from(by_seconds), i128::from(now) - i128::from(timestamp) - 300);
            false
        }
        Err(MessageError::Early { by_seconds }) => {
            assert_eq!(i128::from(by_seconds), i128::from(timestamp) - i128::from(now) - 300);
            false
        }
        Err(error) => panic!("{error}"),
    };
    for time in [NOW, 0, i64::MIN + 301, i64::MAX - 301] {
        assert!(check(time, time - 300) && check(time, time) && check(time, time + 300));
        assert!(!check(time, time - 301) && !check(time, time + 301));
        assert!(check(time - 300, time) && check(time + 300, time));
        assert!(!check(time - 301, time) && !check(time + 301, time));
    }
    assert!(check(i64::MIN, i64::MIN) && check(i64::MAX, i64::MAX));
    assert!(check(i64::MIN, i64::MIN + 300) && check(i64::MAX, i64::MAX - 300));
    assert!(!check(i64::MIN, i64::MAX) && !check(i64::MAX, i64::MIN));
    assert!(!check(NOW, i64::MAX) && !check(NOW, i64::MIN));
    let last = K::verify(&verifier, &at(i64::MAX), i64::MAX).unwrap();
    assert_eq!((last.timestamp, last.accepted_until), (i64::MAX, i64::MAX));
    for seconds in [0, 3_600] {
        let other = verifier.clone().tolerance(Tolerance::from_seconds(seconds));
        let check = |now| check_with::<K>(&other, &K::genuine(), now);
        let seconds = i64::from(seconds);
        assert_eq!((check(NOW - seconds).as_str(), check(NOW + seconds).as_str()), (PASSES, PASSES));
        let past = "the message's time is 1 s further back than the tolerance allows";
        let ahead = "the message's time is 1 s further ahead than the tolerance allows";
        assert_eq!((check(NOW + seconds + 1).as_str(), check(NOW - seconds - 1).as_str()), (past, ahead));
    }
}

pub(crate) fn a_time_in_another_spelling_is_refused_though_it_is_signed<K: Kind>() {
    let check = |time: &str| check::<K>(&K::genuine().with(K::TIMESTAMP, time).signed::<K>(K::SECRETS[0]));
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
        let expected = format!("the header {} is not a time in seconds, written in decimal", K::TIMESTAMP);
        assert_eq!(check(spelling), expected, "{spelling}");
    }
    for spelling in [" 1716501000", "1716501000 ", "1716501000\n", "١"] {
        let expected = format!("the header {} holds a character that is not visible ASCII", K::TIMESTAMP);
        assert_eq!(check(spelling), expected, "{spelling:?}");
    }
    // Milliseconds are read as seconds, and are far ahead.
    assert!(check("1716501000000").contains("further ahead"));
}

pub(crate) fn a_signature_of_another_key_or_in_another_spelling_is_refused<K: Kind>() {
    assert_eq!(check::<K>(&K::genuine().signed::<K>(K::SECRETS[1])), K::MISMATCH);
    let name = signature_of::<K>();
    let spellings = K::spellings();
    assert!(spellings.len() > 20);
    for (spelling, problem) in spellings {
        let text = check::<K>(&K::genuine().with(name, &spelling));
        assert_eq!(text, format!("the header {name} {problem}"), "{spelling:.70}");
    }
}

pub(crate) fn a_key_is_tried_from_its_start_until_before_its_end<K: Kind>() {
    let [old, new] = K::SECRETS;
    let ring = KeyRing::new("new", K::key(new)).and_valid("old", K::key(old), NOW - 10..NOW + 10);
    let verifier = Verifier::new(ring);
    let check = |sent: &Sent, now| check_with::<K>(&verifier, sent, now);
    let (by_old, by_new) = (K::genuine(), K::genuine().signed::<K>(new));
    for now in [NOW - 10, NOW, NOW + 9] {
        assert_eq!(check(&by_old, now), "of 1716501000 under old");
        assert_eq!(check(&by_new, now), "of 1716501000 under new");
    }
    for now in [NOW - 11, NOW + 10] {
        assert_eq!(check(&by_old, now), K::MISMATCH);
        assert_eq!(check(&by_new, now), "of 1716501000 under new");
    }
    let ended = Verifier::new(KeyRing::new_valid("ours", K::key(old), NOW..NOW + 1));
    assert_eq!(check_with::<K>(&ended, &by_old, NOW), PASSES);
    for now in [NOW - 1, NOW + 1, i64::MIN, i64::MAX] {
        assert_eq!(check_with::<K>(&ended, &by_old, now), K::NO_KEY);
    }
}

pub(crate) fn form_goes_before_key_and_key_before_signature_and_signature_before_time<K: Kind>() {
    let forged = K::genuine().signed::<K>(K::SECRETS[1]);
    let no_key = Verifier::new(KeyRing::new_valid("ours", K::key(K::SECRETS[0]), NOW..NOW));
    let malformed = forged.clone().with(signature_of::<K>(), "v1=");
    for now in [NOW + 100_000, NOW - 100_000] {
        assert_eq!(check_with::<K>(&verifier::<K>(), &forged, now), K::MISMATCH);
        assert_eq!(check_with::<K>(&no_key, &forged, now), K::NO_KEY);
        assert!(check_with::<K>(&no_key, &malformed, now).starts_with("the header "));
    }
}

pub(crate) fn an_unsendable_message_cannot_be_signed_and_is_the_callers_to_mend<K: Kind>() {
    let key = K::key(K::SECRETS[0]);
    for (name, texts, expected) in K::unsendable() {
        for text in texts {
            let sent = K::genuine().with(name, text);
            assert_eq!(K::sign(&sent, &key), Err(expected), "{name} {text:?}");
            assert!(expected.blame() == Blame::Caller && expected.hint().len() > 20);
            // A fault in a header is the sender's; a fault in another part is the caller's here too.
            let error = K::verify(&verifier::<K>(), &sent, NOW).unwrap_err();
            match K::HEADERS.contains(&name) {
                true => assert!(matches!(error, MessageError::Header(_)), "{name} {text:?}"),
                false => assert_eq!(error, MessageError::Part(expected), "{name} {text:?}"),
            }
        }
    }
}

pub(crate) fn debug_and_errors_show_neither_secret_nor_values_nor_bodies<K: Kind>() {
    let (sent, verifier) = (K::genuine(), verifier::<K>());
    let told = K::verify(&verifier, &sent, NOW).unwrap();
    let mut shown = format!("{verifier:?} {} {}", K::shown(&sent), told.debug);
    for name in K::HEADERS {
        for value in ["", "tell-tale", "v1=tell-tale", "v1=tell tale", "tell.tale"] {
            if let Err(error) = K::verify(&verifier, &sent.clone().with(name, value), NOW) {
                write!(shown, "{error:?} {error}").unwrap();
            }
        }
    }
    let signature = sent.value(signature_of::<K>());
    let digits = signature.trim_start_matches("v1=");
    for hidden in K::HIDDEN.iter().chain(&K::SECRETS).chain(&[digits, "tell"]) {
        assert!(!shown.contains(hidden), "{hidden} in {shown}");
    }
    assert!(shown.contains(r#"keys: {"ours": "always valid"}, tolerance: Tolerance(300)"#), "{shown}");
}

pub(crate) fn a_verifier_can_be_shared_between_threads<K: Kind>() {
    fn shared<T: Send + Sync + Clone + Debug + 'static>() {}
    shared::<Verifier<K::Key>>();
    shared::<crate::Signed<'static, crate::allscale::webhook::Webhook<'static>>>();
    shared::<crate::Signed<'static, crate::allscale::response::Response<'static>>>();
    shared::<crate::Signed<'static, crate::peach::header::Webhook<'static>>>();
}

pub(crate) fn every_signature_is_the_signature_by_definition_and_passes_in_time<K: Kind>() {
    let (key, verifier) = (K::key(K::SECRETS[0]), verifier::<K>());
    proptest!(|(sent in K::any(), timestamp in NOW - 400..NOW + 400, now in NOW - 800..NOW + 800)| {
        let sent = sent.with(K::TIMESTAMP, timestamp.to_string()).signed::<K>(K::SECRETS[0]);
        prop_assert_eq!(K::sign(&sent, &key).unwrap(), sent.value(signature_of::<K>()));
        let passes = K::verify(&verifier, &sent, now).is_ok();
        prop_assert_eq!(passes, passes_by_text::<K>(&sent, now));
        prop_assert_eq!(passes, now.abs_diff(timestamp) <= 300);
        // No two messages share a text: a message with any part changed fails.
        let parts = sent.parts.iter().map(|(name, value)| (*name, value.clone()));
        let headers = K::HEADERS.iter().map(|name| (*name, sent.value(name).into_bytes()));
        for (name, value) in parts.chain(headers) {
            let other = sent.clone().with(name, [&*value, b"0"].concat());
            prop_assert!(K::verify(&verifier, &other, timestamp).is_err(), "{}", name);
        }
    });
}

/// A value for a header or a part: any bytes, or bytes close to right ones.
fn any_value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..70),
        "[ -~\t,]{0,60}".prop_map(String::into_bytes),
        "(v1=[A-Za-z0-9+/]{43}=[, \t]{0,2}){0,10}".prop_map(String::into_bytes),
        "[0-9a-f]{64}".prop_map(String::into_bytes),
        any::<i64>().prop_map(|number| number.to_string().into_bytes()),
    ]
}

pub(crate) fn every_change_passes_exactly_if_the_text_passes<K: Kind>() {
    let changes = (0..8_usize, select(K::HEADERS), any_value(), any::<Index>());
    let changes = proptest::collection::vec(changes, 1..3);
    let times = prop_oneof![Just(NOW), any::<i64>(), NOW - 800..NOW + 800];
    let verifier = verifier::<K>();
    proptest!(|(sent in K::any(), changes in changes, now in times)| {
        let mut sent = sent.with(K::TIMESTAMP, NOW.to_string()).signed::<K>(K::SECRETS[0]);
        let right = sent.value(signature_of::<K>());
        for (what, header, value, at) in changes {
            sent = match what {
                0 => sent.with(header, value),
                1 => sent.without(header),
                2 => sent.and(header, &String::from_utf8_lossy(&value)),
                3 => {
                    let (part, _) = *at.get(&sent.parts);
                    sent.given::<K>(part, value)
                }
                4 => {
                    let by = at.index(K::HEADERS.len()).min(sent.headers.len());
                    sent.headers.rotate_left(by);
                    sent
                }
                // A list with the right signature.
                5 => sent.with(signature_of::<K>(), [&value[..], b", ", right.as_bytes()].concat()),
                // Changed, and signed again.
                6 => {
                    let changed = sent.clone().with(header, value);
                    let is_text = K::HEADERS.iter().all(|name| changed.only(name).is_some());
                    if is_text { changed.signed::<K>(K::SECRETS[0]) } else { sent }
                }
                _ => {
                    if let Some((_, value)) = sent.headers.iter_mut().find(|(name, _)| name == header)
                        && !value.is_empty()
                    {
                        let place = at.index(value.len());
                        value[place] ^= 1 << at.index(8);
                    }
                    sent
                }
            };
        }
        let passes = K::verify(&verifier, &sent, now).is_ok();
        prop_assert_eq!(passes, passes_by_text::<K>(&sent, now), "{:?}", sent);
    });
}

pub(crate) fn every_unsigned_message_gives_an_error<K: Kind>() {
    let names = prop_oneof![select(K::HEADERS).prop_map(str::to_owned), ".*"];
    let headers = proptest::collection::vec((names, any_value()), 0..6);
    let verifier = verifier::<K>();
    proptest!(|(headers in headers, texts in proptest::collection::vec(".*", 9), now: i64)| {
        let mut sent = Sent { headers, ..K::genuine() };
        for ((part, _), text) in K::genuine().parts.iter().zip(texts) {
            sent = sent.given::<K>(part, text);
        }
        prop_assert!(K::verify(&verifier, &sent, now).is_err());
    });
}

#[test]
fn every_error_names_the_party_to_blame_and_the_usual_cause() {
    let missing = HeaderError { name: "x-api-key", problem: HeaderProblem::Missing };
    let kinds = [MessageKind::AllScaleWebhook, MessageKind::AllScaleResponse, MessageKind::PeachWebhook];
    let mut blames = vec![
        (MessageError::Part(SignError::Path), Blame::Caller),
        (MessageError::Header(missing), Blame::Sender),
        (MessageError::OtherRequest, Blame::Caller),
        (MessageError::UnknownKey, Blame::SetUp),
        (MessageError::NoValidKey, Blame::SetUp),
        (MessageError::Expired { by_seconds: 1 }, Blame::Sender),
        (MessageError::Early { by_seconds: 1 }, Blame::SetUp),
    ];
    blames.extend(kinds.map(|kind| (MessageError::Mismatch(kind), Blame::SetUp)));
    for (error, blame) in blames {
        assert_eq!(error.blame(), blame, "{error}");
        assert!(error.hint().len() > 20, "{error}");
    }
    let causes =
        ["proxy changed the path", "decompressed by the HTTP client", "the URL is not letter for letter"];
    for (kind, own) in kinds.into_iter().zip(causes) {
        for cause in ["body was parsed and written again", "white space", "somebody else's", own] {
            assert!(MessageError::Mismatch(kind).hint().contains(cause), "{kind:?}: {cause}");
        }
    }
}
