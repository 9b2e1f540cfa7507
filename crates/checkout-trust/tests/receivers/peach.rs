//! Peach's webhooks by body and by headers, and the shopper's return.

use crate::{
    PRIVATE, nothing_private, one_byte_otherwise, one_character_otherwise, orders, others, refusal, second,
};
use checkout_auth::peach::header::{Webhook, WebhookRequest};
use checkout_auth::peach::{KeyError, SecretToken, canonical};
use checkout_auth::{HeaderFields, KeyRing};
use checkout_lifecycle::Moment;
use checkout_tables::Environment::{self, Live, Sandbox};
use checkout_trust::Verified;
use checkout_trust::peach::{Event, Message, ReceiveError, Via};
use checkout_trust::replay::{Claim, Commit, Guard, Identity, Key, MemoryStore};
use proptest::prelude::*;
use std::collections::{BTreeSet, HashSet};

pub(crate) type Pairs<'a> = [(&'a str, &'a str)];

/// 1,716,501,000 s since the epoch.
const TIMESTAMP: &str = "2024-05-23T21:50:00.000Z";
pub(crate) const NOW: i64 = 1_716_501_000;
const ENTITY: &str = "8ac7a4ca68c22c4d0168c2caab2e0025";
pub(crate) const URL: &str = "https://shop.example/hooks/peach?token=PRIVATE";
pub(crate) const FORM: Option<&str> = Some("application/x-www-form-urlencoded");
pub(crate) const JSON: Option<&str> = Some("application/json");

/// The signed pairs, in the order of the keys.
pub(crate) const PAIRS: [(&str, &str); 10] = [
    ("amount", "14.99"),
    ("card.holder", "PRIVATE Söhne & Co = 1+1"),
    ("checkoutId", "0fa1c01b"),
    ("currency", "ZAR"),
    ("customParameters[colour]", "light blue"),
    ("merchantTransactionId", "order-1001"),
    ("paymentType", "DB"),
    ("redirectUrl", ""),
    ("result.code", "100.396.101"),
    ("timestamp", TIMESTAMP),
];

/// A receiver of events: no message here is a probe.
#[derive(Debug)]
struct Receiver(checkout_trust::peach::Receiver);

impl Receiver {
    fn new(entity: &str, keys: KeyRing<SecretToken>, environment: Environment) -> Self {
        Self(checkout_trust::peach::Receiver::new(entity, keys, environment))
    }

    fn webhook(
        &self,
        content_type: Option<&str>,
        body: &[u8],
        now: Moment,
    ) -> Result<Verified<Event>, ReceiveError> {
        self.0.webhook(content_type, body, now).map(|message| message.event().unwrap())
    }

    fn shopper_return(&self, body: &[u8], now: Moment) -> Result<Verified<Event>, ReceiveError> {
        self.0.shopper_return(body, now)
    }

    fn signed_headers<H: HeaderFields>(
        &self,
        content_type: Option<&str>,
        request: &WebhookRequest<'_, H>,
        now: Moment,
    ) -> Result<Verified<Event>, ReceiveError> {
        self.0.signed_headers(content_type, request, now).map(|message| message.event().unwrap())
    }
}

fn secret(text: &str) -> SecretToken {
    SecretToken::new(format!("{PRIVATE}{text}").into()).unwrap()
}

fn receiver() -> Receiver {
    receiver_in(Live)
}

#[cfg(feature = "http")]
pub(crate) fn receiver_of_messages() -> checkout_trust::peach::Receiver {
    receiver().0
}

fn receiver_in(environment: Environment) -> Receiver {
    Receiver::new(ENTITY, KeyRing::new("2024", secret("one")), environment)
}

fn signed_by<'a>(secret: &SecretToken, pairs: &Pairs<'a>) -> Vec<(&'a str, String)> {
    let signature = secret.sign(pairs.iter().copied()).unwrap();
    let pairs = pairs.iter().map(|(key, value)| (*key, (*value).to_owned()));
    pairs.chain([("signature", signature.as_str().to_owned())]).collect()
}

pub(crate) fn signed<'a>(pairs: &Pairs<'a>) -> Vec<(&'a str, String)> {
    signed_by(&secret("one"), pairs)
}

/// A form as browsers write it.
pub(crate) fn form(pairs: &[(&str, impl AsRef<str>)]) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._*".contains(&byte);
    let encoded = |text: &str| -> String {
        let piece = |byte: u8| match byte {
            b' ' => "+".into(),
            byte if plain(byte) => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        };
        text.bytes().map(piece).collect()
    };
    let pairs = pairs.iter().map(|(key, value)| format!("{}={}", encoded(key), encoded(value.as_ref())));
    pairs.collect::<Vec<_>>().join("&")
}

/// A JSON object; the texts here have nothing to be escaped.
pub(crate) fn json(pairs: &[(&str, impl AsRef<str>)]) -> String {
    let pairs = pairs.iter().map(|(key, value)| format!(r#""{key}": "{}""#, value.as_ref()));
    format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
}

fn told(received: Result<Verified<Event>, ReceiveError>) -> Result<Verified<Event>, String> {
    match received {
        Ok(event) => {
            nothing_private(&format!("{event:?}"));
            Ok(event)
        }
        Err(error) => Err(refusal(&error, error.http_status(), error.blame(), error.hint())),
    }
}

fn by_form(body: impl AsRef<[u8]>) -> Result<Verified<Event>, String> {
    told(receiver().webhook(FORM, body.as_ref(), second(NOW)))
}

fn said(received: Result<Verified<Event>, String>) -> String {
    received.map_or_else(|refusal| refusal, |_| "taken in".into())
}

fn check(body: impl AsRef<[u8]>) -> String {
    said(by_form(body))
}

/// Asserts that the decoded content is the signed content, and that the identity is the same too.
fn is_the_same(event: &Verified<Event>) {
    let fields = event.content().payment().fields().iter();
    assert!(fields.filter(|(key, _)| *key != "signature").eq(PAIRS));
    assert_eq!(event.identity(), &Identity::new(Key::peach_text(ENTITY, &PAIRS)));
}

#[test]
fn a_genuine_event_is_the_same_in_every_form_and_by_every_way() {
    let (form, json) = (form(&signed(&PAIRS)), json(&signed(&PAIRS)));
    let receiver = receiver();
    for content_type in
        [None, FORM, Some(""), Some("text/plain"), Some("Application/X-WWW-Form-Urlencoded; charset=utf-8")]
    {
        is_the_same(&receiver.webhook(content_type, form.as_bytes(), second(NOW)).unwrap());
    }
    for content_type in [JSON, Some("application/JSON;charset=UTF-8"), Some(" application/json ; x=y")] {
        is_the_same(&receiver.webhook(content_type, json.as_bytes(), second(NOW)).unwrap());
    }
    let returned = receiver.shopper_return(form.as_bytes(), second(NOW)).unwrap();
    is_the_same(&returned);
    assert_eq!(returned.content().via(), Via::Return);
    let (by_headers, headers) = by_headers(NOW, "7d1c", &form);
    let event = receiver.signed_headers(FORM, &request(&by_headers, &headers, &form), second(NOW)).unwrap();
    is_the_same(&event);
    assert_eq!((event.content().via(), event.key_id()), (Via::Webhook, "2024"));
}

/// True if the content is the same. Otherwise the text was cut elsewhere, as a single `&` or `=` can do. Then
/// the event says the same of a result, and has no id but a beginning of the signed id; or the event prompts
/// a read and says nothing. The event is another event exactly if it names another checkout, so that it does
/// not hide the genuine event.
fn is_the_same_or_another_cut(event: &Verified<Event>) -> bool {
    let payment = event.content().payment();
    if event.content().ambiguous().is_some() {
        assert!(event.observation().is_none() && event.wants_a_read());
    } else {
        assert_eq!(payment.code(), Some("100.396.101"));
        assert_eq!(payment.fields().get("paymentType"), Some("DB"));
        assert_eq!(payment.timestamp(), Some(TIMESTAMP));
        assert_eq!(payment.checkout_id(), Some("0fa1c01b"));
        assert!("order-1001".starts_with(payment.merchant_transaction_id().unwrap()));
    }
    let content: Vec<_> = payment.fields().iter().filter(|(key, _)| *key != "signature").collect();
    assert_eq!(canonical(content.iter().copied()).unwrap(), canonical(PAIRS).unwrap());
    let ids = (payment.checkout_id(), payment.merchant_transaction_id());
    assert_eq!(
        ids == (Some("0fa1c01b"), Some("order-1001")),
        event.identity() == &Identity::new(Key::peach_text(ENTITY, &PAIRS))
    );
    content == PAIRS
}

#[test]
fn a_changed_byte_of_a_form_is_refused_or_spells_the_same_or_cuts_no_result() {
    let genuine = form(&signed(&PAIRS));
    let receiver = receiver();
    let (mut refused, mut same, mut cut) = (0, 0, Vec::new());
    for body in one_byte_otherwise(genuine.as_bytes()) {
        let webhook = told(receiver.webhook(FORM, &body, second(NOW)));
        let returned = told(receiver.shopper_return(&body, second(NOW)));
        assert_eq!(webhook.is_ok(), returned.is_ok());
        match webhook {
            Ok(event) if is_the_same_or_another_cut(&event) => {
                is_the_same(&returned.unwrap());
                same += 1;
            }
            Ok(_) => cut.push(body),
            Err(_) => refused += 1,
        }
    }
    // A change to the same event is, for example, %3d for %3D, or a second & between two pairs.
    assert!(refused > 10_000 && same > 20, "{refused} {same}");
    // A cut has a delimiter more or fewer, in a place where the keys stay in order.
    let delimiters = |body: &[u8]| {
        let count = |delimiter| body.iter().filter(|byte| **byte == delimiter).count();
        (count(b'&'), count(b'='))
    };
    assert!(cut.iter().all(|body| delimiters(body) != delimiters(genuine.as_bytes())));
    assert!(cut.len() < 30, "{}", cut.len());
}

#[test]
fn a_changed_byte_of_a_json_object_is_refused_or_spells_the_same() {
    let genuine = json(&signed(&PAIRS));
    let receiver = receiver();
    let (mut refused, mut same) = (0, 0);
    for body in one_byte_otherwise(genuine.as_bytes()) {
        match told(receiver.webhook(JSON, &body, second(NOW))) {
            Ok(event) => {
                is_the_same(&event);
                same += 1;
            }
            Err(_) => refused += 1,
        }
    }
    // For example a line break for a blank.
    assert!(refused > 10_000 && same > 20, "{refused} {same}");
}

#[test]
fn other_spellings_of_the_same_content_are_the_same_event() {
    let pairs = signed(&PAIRS);
    let every_byte = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
    let spelled = |key: &str, value: &str| format!("{}={}", every_byte(key), every_byte(value));
    let encoded: Vec<_> = pairs.iter().map(|(key, value)| spelled(key, value)).collect();
    is_the_same(&by_form(encoded.join("&")).unwrap());
    let mut turned = pairs.clone();
    turned.reverse();
    is_the_same(&by_form(format!("&&{}&", form(&turned))).unwrap());
    is_the_same(&by_form(form(&pairs).replace('+', "%20").replace("redirectUrl=", "redirectUrl")).unwrap());
    let escaped =
        json(&turned).replace("order-1001", r"order\u002d1001").replace("light blue", r"light\u0020blue");
    is_the_same(&told(receiver().webhook(JSON, escaped.as_bytes(), second(NOW))).unwrap());
    let null = json(&turned).replace(r#""redirectUrl": """#, r#""redirectUrl" :null"#).replace(", ", "\n,\t");
    is_the_same(&told(receiver().webhook(JSON, null.as_bytes(), second(NOW))).unwrap());
}

#[test]
fn a_pair_that_is_dropped_doubled_renamed_or_added_is_refused() {
    let mismatch = "401 SetUp: the signature is not these parameters' under this secret token";
    let pairs = signed(&PAIRS);
    for at in 0..pairs.len() {
        let mut dropped = pairs.clone();
        let (key, value) = dropped.remove(at);
        let missing = "401 Sender: there is no signature";
        assert_eq!(check(form(&dropped)), if key == "signature" { missing } else { mismatch }, "{key}");
        for second in [&*value, "other", ""] {
            for place in [0, pairs.len()] {
                let mut doubled = pairs.clone();
                doubled.insert(place, (key, second.to_owned()));
                let said = check(form(&doubled));
                assert!(said.starts_with("400 Sender: the body: a key stands twice, at byte "), "{said}");
                let said =
                    self::said(told(receiver().webhook(JSON, json(&doubled).as_bytes(), crate::second(NOW))));
                assert!(said.starts_with("400 Sender: the body: "), "{said}");
            }
        }
        for renamed in [key.to_uppercase(), key.replace('.', "_"), format!(" {key}"), format!("{key}[]")] {
            let mut other = pairs.clone();
            other[at].0 = &renamed;
            let refused = by_form(form(&other)).is_err();
            assert_eq!(refused, renamed != key, "{renamed}");
        }
    }
    let mut more = pairs;
    more.push(("zusatz", String::new()));
    assert_eq!(check(form(&more)), mismatch);
}

#[test]
fn a_signature_in_the_body_has_one_spelling() {
    let malformed = "401 Sender: the signature is not 64 digits of lower-case hexadecimal";
    let mismatch = "401 SetUp: the signature is not these parameters' under this secret token";
    let genuine = signed(&PAIRS).pop().unwrap().1;
    let base64 = "n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=";
    let spellings = [
        (genuine.clone(), "taken in"),
        (genuine.to_uppercase(), malformed),
        (genuine[..63].to_owned(), malformed),
        (genuine[..32].to_owned(), malformed),
        (format!("{genuine}0"), malformed),
        (format!("{genuine}{genuine}"), malformed),
        ("0".repeat(100_000), malformed),
        (String::new(), malformed),
        (format!(" {genuine}"), malformed),
        (format!("{genuine}\n"), malformed),
        (format!("0x{}", &genuine[2..]), malformed),
        (format!("g{}", &genuine[1..]), malformed),
        (base64.into(), malformed),
        (base64.replace('+', "-").replace('/', "_"), malformed),
        (base64.trim_end_matches('=').into(), malformed),
        ("0".repeat(64), mismatch),
        (signed_by(&secret("two"), &PAIRS).pop().unwrap().1, mismatch),
        (signed(&PAIRS[1..]).pop().unwrap().1, mismatch),
    ];
    for (spelling, said) in spellings {
        let mut pairs = signed(&PAIRS);
        pairs.last_mut().unwrap().1.clone_from(&spelling);
        assert_eq!(check(form(&pairs)), said, "{spelling}");
    }
    let copied = SecretToken::new(format!("{PRIVATE} ").into()).unwrap_err();
    assert_eq!(copied, KeyError::WhiteSpace);
    nothing_private(&format!("{copied:?}{copied}"));
}

#[test]
fn a_genuine_text_that_was_cut_into_another_result_prompts_a_read_and_says_nothing() {
    let genuine = [
        ("checkoutId", "0fa1"),
        ("merchantTransactionId", "order-1001"),
        // A text that a payer or a shop might have typed.
        ("note", "PRIVATEpaymentTypeDBresult.code000.200.100timestamp"),
        ("paymentType", "DB"),
        ("result.code", "000.200.000"),
    ];
    let lie = [
        ("checkoutId", "0fa1"),
        ("merchantTransactionId", "order-1001"),
        ("note", "PRIVATE"),
        ("paymentType", "DB"),
        ("result.code", "000.200.100"),
        ("timestamppaymentType", "DBresult.code000.200.000"),
    ];
    assert_eq!(canonical(genuine).unwrap(), canonical(lie).unwrap());
    let signature = signed(&genuine).pop().unwrap();
    let lie: Vec<_> = lie.iter().map(|(key, value)| (*key, (*value).to_owned())).chain([signature]).collect();
    let read = |received: Result<Verified<Event>, ReceiveError>| {
        let event = told(received).unwrap();
        assert!(event.content().ambiguous().is_some());
        assert!(event.wants_a_read() && event.observation().is_none());
        assert_eq!(event.content().payment().checkout_id(), Some("0fa1"));
        event
    };
    let genuine = read(receiver().webhook(FORM, form(&signed(&genuine)).as_bytes(), second(NOW)));
    for lie in [
        read(receiver().webhook(FORM, form(&lie).as_bytes(), second(NOW))),
        read(receiver().webhook(JSON, json(&lie).as_bytes(), second(NOW))),
        read(receiver().shopper_return(form(&lie).as_bytes(), second(NOW))),
    ] {
        // One such name is enough for the read.
        assert_eq!(lie.identity(), genuine.identity());
    }
}

/// The names that tell something, each in a place where an honest shop or payer can have put the name.
#[test]
fn an_honest_event_with_a_telling_name_in_a_value_or_a_key_prompts_a_read_and_accuses_nobody() {
    let names = ["result.code", "paymentType", "checkoutId", "merchantTransactionId", "timestamp"];
    for name in names {
        let url = format!("https://shop.example/thanks?{name}=77");
        let (holder, parameter) = (format!("PRIVATE {name}"), format!("customParameters[{name}]"));
        for (key, value) in [
            ("customParameters[return]", &*url),
            ("card.holder", &holder),
            ("result.description", &url),
            ("merchantInvoiceId", name),
            (&parameter, "1"),
        ] {
            for code in ["000.000.000", "000.200.100", "000.200.000", "100.396.101"] {
                let mut pairs = vec![
                    ("checkoutId", "0fa1"),
                    ("merchantTransactionId", "order-1001"),
                    ("paymentType", "DB"),
                    ("result.code", code),
                    ("timestamp", TIMESTAMP),
                ];
                pairs.push((key, value));
                let body = form(&signed(&pairs));
                for received in [
                    receiver().webhook(FORM, body.as_bytes(), second(NOW)),
                    receiver().webhook(JSON, json(&signed(&pairs)).as_bytes(), second(NOW)),
                    receiver().shopper_return(body.as_bytes(), second(NOW)),
                ] {
                    let event = told(received).unwrap();
                    assert_eq!(event.content().ambiguous(), Some(name));
                    assert!(event.wants_a_read() && event.observation().is_none());
                    assert_eq!(event.content().payment().merchant_transaction_id(), Some("order-1001"));
                }
                // Signed headers sign the bytes, which cannot be cut.
                let (url, headers) = by_headers(NOW, "7d1c", &body);
                let request = request(&url, &headers, &body);
                let event = told(receiver().signed_headers(FORM, &request, second(NOW))).unwrap();
                assert_eq!(event.content().ambiguous(), None);
                assert_eq!(event.observation().is_some(), code.starts_with("000.200"));
            }
        }
    }
}

#[test]
fn every_key_is_verified_as_a_parameters_name_unchanged() {
    let keys = [
        "resultDetails.Pre-authorization validity",
        "cart.items[0].name",
        "customParameters[a][b]",
        "customParameters[]",
        "resultDetails.ExtendedDescription (bank)",
        "x-custom",
        "3DS.version",
        "_links",
        "é",
        "a b",
        " ",
        "",
        "[0]",
        "customer.given\tName",
    ];
    for key in keys {
        let pairs = [&PAIRS[..], &[(key, "PRIVATE")]].concat();
        for received in [
            receiver().webhook(FORM, form(&signed(&pairs)).as_bytes(), second(NOW)),
            receiver().webhook(JSON, json(&signed(&pairs)).replace('\t', "\\t").as_bytes(), second(NOW)),
            // Under every media type.
            receiver().webhook(None, json(&signed(&pairs)).replace('\t', "\\t").as_bytes(), second(NOW)),
            receiver().webhook(FORM, json(&signed(&pairs)).replace('\t', "\\t").as_bytes(), second(NOW)),
            receiver().shopper_return(form(&signed(&pairs)).as_bytes(), second(NOW)),
        ] {
            let event = told(received).unwrap();
            assert_eq!(event.content().payment().fields().get(key), Some("PRIVATE"), "{key}");
            assert_eq!((event.content().ambiguous(), event.wants_a_read()), (None, true));
        }
        // And the member is signed: another value is refused.
        let mut other = signed(&pairs);
        other[PAIRS.len()].1 = "other".into();
        assert!(check(form(&other)).starts_with("401 SetUp: "), "{key}");
    }
}

#[test]
fn a_genuine_text_that_was_cut_elsewhere_is_the_same_event_and_no_end() {
    let pairs = |code, amount: &Pairs<'static>| -> Vec<(&'static str, &'static str)> {
        amount
            .iter()
            .copied()
            .chain([("checkoutId", "0fa1"), ("paymentType", "DB"), ("result.code", code)])
            .collect()
    };
    for (code, is_an_end) in [("000.000.000", true), ("100.396.101", true), ("000.200.000", false)] {
        let genuine = pairs(code, &[("amount", "14.99")]);
        let cut = pairs(code, &[("amount1", "4.99")]);
        let signature = signed(&genuine).pop().unwrap().1;
        let with_signature = |pairs: &Pairs<'static>| form(&[pairs, &[("signature", &signature)]].concat());
        let events = [genuine, cut].map(|pairs| by_form(with_signature(&pairs)).unwrap());
        assert_eq!(events[0].identity(), events[1].identity());
        assert!(events.iter().all(|event| event.wants_a_read() == is_an_end));
    }
}

#[test]
fn a_cut_that_names_another_checkout_does_not_hide_the_genuine_event() {
    let guard = Guard::new(MemoryStore::new(100));
    let genuine = [("checkoutId", "0fa1"), ("paymentType", "DB"), ("result.code", "000.000.000")];
    let signature = signed(&genuine).pop().unwrap().1;
    let cuts = [
        [("checkoutId", "0"), ("fa1", ""), ("paymentType", "DB")],
        [("checkoutId", ""), ("paymentType", "DB"), ("zz", "")],
    ];
    // The first cut is of the same text; the first cut is processed before the genuine event comes.
    let cut = [&cuts[0][..], &genuine[2..], &[("signature", &*signature)]].concat();
    let cut = by_form(form(&cut)).unwrap();
    assert_eq!(cut.content().payment().checkout_id(), Some("0"));
    let Claim::Fresh(ticket) = guard.claim(cut.identity(), second(NOW)).unwrap() else { panic!() };
    assert_eq!(guard.commit(ticket, second(NOW)).unwrap(), Commit::Committed);
    let genuine = by_form(form(&signed(&genuine))).unwrap();
    assert!(matches!(guard.claim(genuine.identity(), second(NOW)).unwrap(), Claim::Fresh(_)));
    // Nobody has signed the second cut.
    assert!(by_form(form(&[&cuts[1][..], &[("signature", &*signature)]].concat())).is_err());
}

/// The parameters of the return of a shopper who has paid.
const RETURN: [(&str, &str); 12] = [
    ("amount", "92.00"),
    ("card.bin", "420000"),
    ("card.holder", "PRIVATE Jane van der Merwe"),
    ("checkoutId", "0fa125d002044484b0fbfb43c1c5c554"),
    ("currency", "ZAR"),
    ("id", "1d6c60ed0dfd4a6a9a26a13922b65766"),
    ("merchantTransactionId", "OrderZx1001"),
    ("paymentBrand", "VISA"),
    ("paymentType", "DB"),
    ("result.code", "000.100.110"),
    ("result.description", "Request successfully processed in 'Merchant in Integrator Test Mode'"),
    ("timestamp", TIMESTAMP),
];

/// A signed text with its cuts: the start of each key, and the start of each value.
#[derive(Clone)]
struct Cut<'a> {
    text: &'a str,
    starts: Vec<(usize, usize)>,
}

impl<'a> Cut<'a> {
    /// The cuts of the signer.
    fn genuine(text: &'a str, pairs: &Pairs<'_>) -> Self {
        let mut at = 0;
        let start = |(key, value): &(&str, &str)| {
            let start = (at, at + key.len());
            at += key.len() + value.len();
            start
        };
        Self { text, starts: pairs.iter().map(start).collect() }
    }

    /// With a key that begins at one place and the value at another. The key before the cut is cut short, and
    /// the key that begins behind the cut stays.
    fn again(&self, key: usize, value: usize) -> Self {
        let before = self.starts.iter().filter(|start| start.0 < key);
        let before = before.map(|&(start, middle)| (start, middle.min(key)));
        let behind = self.starts.iter().filter(|start| start.0 > key && start.0 >= value).copied();
        Self { text: self.text, starts: before.chain([(key, value)]).chain(behind).collect() }
    }

    /// With the end of a pair's value at a place, and one key made of the text up to the next pair.
    fn ended(&self, name: &str, length: usize) -> Option<Self> {
        let at = self.starts.iter().position(|&(key, value)| &self.text[key..value] == name)?;
        let place = self.starts[at].1 + length;
        let behind = self.starts.iter().map(|start| start.0).find(|start| *start > place);
        self.text.is_char_boundary(place).then(|| self.again(place, behind.unwrap_or(self.text.len())))
    }

    /// The pairs, if they are in the order in which they are signed.
    fn pairs(&self) -> Option<Vec<(&'a str, &'a str)>> {
        let ends = self.starts.iter().skip(1).map(|start| start.0).chain([self.text.len()]);
        let pairs = self.starts.iter().zip(ends);
        let pairs = pairs.map(|(&(key, value), end)| (&self.text[key..value], &self.text[value..end]));
        let pairs: Vec<_> = pairs.collect();
        pairs.windows(2).all(|two| two[0].0 < two[1].0).then_some(pairs)
    }
}

/// The outcomes of all tried cuts: the number taken in, the words of the events, and the identities.
#[derive(Default)]
struct Cuts {
    tried: usize,
    said: HashSet<String>,
    named: BTreeSet<[Option<String>; 2]>,
    events: HashSet<Identity>,
}

impl Cuts {
    /// Takes a cut in, claims it and commits it.
    fn take(&mut self, cut: &Cut<'_>, signature: &str, guard: &Guard<MemoryStore>) {
        self.tried += 1;
        let Some(pairs) = cut.pairs() else { return };
        let body = form(&[&pairs[..], &[("signature", signature)]].concat());
        let Ok(event) = receiver().shopper_return(body.as_bytes(), second(NOW)) else { return };
        let payment = event.content().payment();
        self.named.insert(
            [payment.checkout_id(), payment.merchant_transaction_id()].map(|id| id.map(str::to_owned)),
        );
        self.said.insert(body);
        self.events.insert(event.identity().clone());
        if let Claim::Fresh(ticket) = guard.claim(event.identity(), second(NOW)).unwrap() {
            assert_eq!(guard.commit(ticket, second(NOW)).unwrap(), Commit::Committed);
        }
    }
}

#[test]
fn a_signed_return_that_is_cut_in_every_way_makes_few_events_and_fills_no_guard() {
    let signature = signed(&RETURN).pop().unwrap().1;
    let text = canonical(RETURN).unwrap();
    let genuine = Cut::genuine(&text, &RETURN);
    assert_eq!(genuine.pairs().unwrap(), RETURN);
    let guard = Guard::new(MemoryStore::new(20));
    let mut cuts = Cuts::default();
    // A pair at every other place, and an end of both ids at every other place.
    for key in 0..text.len() {
        for value in key..=text.len() {
            cuts.take(&genuine.again(key, value), &signature, &guard);
        }
    }
    for checkout in 0..100 {
        let Some(cut) = genuine.ended("checkoutId", checkout) else { continue };
        for merchants in 0..100 {
            let Some(cut) = cut.ended("merchantTransactionId", merchants) else { continue };
            cuts.take(&cut, &signature, &guard);
        }
    }
    let Cuts { tried, said, events, .. } = cuts;
    assert!(tried > 60_000 && said.len() > 5_000, "{tried} {}", said.len());
    assert!(events.len() > 10 && events.len() <= 100, "{} of {}", events.len(), said.len());
    let genuine = by_form(form(&signed(&RETURN))).unwrap();
    assert!(events.contains(genuine.identity()));
    // Another payment of the same entity is taken in, though the guard is full.
    let other = by_form(form(&signed(&PAIRS))).unwrap();
    assert!(matches!(guard.claim(other.identity(), second(NOW)).unwrap(), Claim::Fresh(_)));
}

#[test]
fn a_name_that_a_payer_has_repeated_makes_few_events_too() {
    let holder = "checkoutIdzAmerchantTransactionIdzB".repeat(20);
    let pairs = [
        ("card.holder", &*holder),
        ("checkoutId", "0fa1"),
        ("merchantTransactionId", "order-1001"),
        ("result.code", "000.200.000"),
    ];
    let (signature, text) = (signed(&pairs).pop().unwrap().1, canonical(pairs).unwrap());
    let genuine = Cut::genuine(&text, &pairs);
    let guard = Guard::new(MemoryStore::new(100));
    let mut cuts = Cuts::default();
    for (checkout, name) in text.match_indices("checkoutId") {
        for (merchants, other) in text.match_indices("merchantTransactionId").filter(|(at, _)| *at > checkout)
        {
            let cut = genuine.again(checkout, checkout + name.len());
            let cut = Cut {
                starts: cut
                    .starts
                    .into_iter()
                    .filter(|start| start.0 <= checkout || start.0 > merchants)
                    .collect(),
                ..cut
            };
            let cut = cut.again(merchants, merchants + other.len());
            let cut = Cut {
                starts: cut
                    .starts
                    .into_iter()
                    .filter(|start| start.0 <= merchants || text[start.0..].starts_with("result"))
                    .collect(),
                ..cut
            };
            cuts.take(&cut, &signature, &guard);
        }
    }
    assert!(cuts.named.len() > 150, "{}", cuts.named.len());
    assert!(cuts.events.len() <= 64, "{} of {}", cuts.events.len(), cuts.named.len());
    assert!(guard.store().len() <= 64);
}

/// The results for a body by each way of posting to the webhook's URL.
fn posted(content_type: Option<&str>, body: &[u8]) -> [Result<Message, ReceiveError>; 2] {
    let receiver = checkout_trust::peach::Receiver::new(ENTITY, KeyRing::new("2024", secret("one")), Live);
    let headers = Headers::new();
    let request = WebhookRequest { url: URL, headers: &headers, body };
    [
        receiver.webhook(content_type, body, second(NOW)),
        receiver.signed_headers(content_type, &request, second(NOW)),
    ]
}

fn code(message: Result<Message, ReceiveError>) -> Option<String> {
    match message {
        Ok(Message::Probe(probe)) => {
            nothing_private(&format!("{probe:?}"));
            assert_eq!(probe.http_status(), 200);
            Some(probe.code().to_owned())
        }
        Ok(Message::Event(_)) => panic!("an event that nobody has signed"),
        Err(error) => {
            assert!(matches!(error.http_status(), 400 | 401), "{error}");
            None
        }
    }
}

#[test]
fn a_probe_is_recognized_beside_every_other_member() {
    let types = [
        JSON,
        None,
        FORM,
        Some(""),
        Some("application/json;charset=UTF-8"),
        Some("Application/JSON ; charset=\"utf-8\""),
        Some("text/plain; charset=utf-8"),
    ];
    let longest = format!(r#"{{"verificationCode":"{}"}}"#, "7".repeat(256));
    let bodies = [
        (r#"{"verificationCode":"PRIVATE-48291"}"#, "PRIVATE-48291"),
        (" \r\n\t{ \"verificationCode\" : \"PRIVATE\" }\n", "PRIVATE"),
        ("\u{feff}{\"verificationCode\":\"PRIVATE\"}", "PRIVATE"),
        (r#"{"verificationCode":48291}"#, "48291"),
        (r#"{"verificationCode":"a b é 漢 & = +"}"#, "a b é 漢 & = +"),
        (r#"{"verificationCode":"\u0041"}"#, "A"),
        (
            r#"{"event":"configuration","verificationCode":"7","url":"https://shop.example/?checkoutId=1","at":1,"more":{"result.code":[]},"none":null}"#,
            "7",
        ),
        (r#"{"verificationCode":"7","signature":""}"#, "7"),
        (r#"{"verificationCode":"7","signature":null}"#, "7"),
        (&longest, &longest[21..277]),
    ];
    for content_type in types {
        for (body, expected) in &bodies {
            for message in posted(content_type, body.as_bytes()) {
                assert_eq!(code(message).as_deref(), Some(*expected), "{content_type:?} {body}");
            }
        }
    }
}

#[test]
fn a_message_about_a_payment_or_without_a_code_is_no_probe() {
    let too_long = format!(r#"{{"verificationCode":"{}"}}"#, "7".repeat(257));
    for body in [
        r#"{"verificationCode":"7","result.code":"000.000.000"}"#,
        r#"{"verificationCode":"7","result.code":""}"#,
        r#"{"verificationCode":"7","result":{"code":"000.000.000"}}"#,
        r#"{"verificationCode":"7","result.code":"000.000.000","checkoutId":"0fa1","signature":""}"#,
        r#"{"verificationCode":"7","checkoutId":"0fa1"}"#,
        r#"{"verificationCode":"7","merchantTransactionId":"order-1001"}"#,
        r#"{"verificationCode":"7","paymentType":"DB"}"#,
        r#"{"verificationCode":"7","signature":"0000000000000000000000000000000000000000000000000000000000000000"}"#,
        r#"{"verificationCode":"7","signature":"none"}"#,
        r#"{"verificationCode":"7","verificationCode":"8"}"#,
        r#"{"verificationCode":""}"#,
        r#"{"verificationCode":"  "}"#,
        r#"{"verificationCode":null}"#,
        r#"{"verificationCode":{"code":"7"}}"#,
        r#"{"verificationCode":["7"]}"#,
        r#"{"verificationCode":"7\n200 OK"}"#,
        r#"{"VerificationCode":"7"}"#,
        r#"{"verificationCode":"7""#,
        r#"[{"verificationCode":"7"}]"#,
        r#""verificationCode""#,
        "verificationCode=7",
        "{}",
        "",
        &too_long,
    ] {
        for content_type in [JSON, FORM, None] {
            for message in posted(content_type, body.as_bytes()) {
                assert_eq!(code(message), None, "{content_type:?} {body}");
            }
        }
    }
    let huge = format!(r#"{{"verificationCode":"7","pad":"{}"}}"#, " ".repeat(2 << 20));
    for message in posted(JSON, huge.as_bytes()) {
        assert_eq!(code(message), None);
    }
    // The probe does not come by the shopper's browser.
    for body in [r#"{"verificationCode":"7"}"#, "verificationCode=7"] {
        let returned = told(receiver().shopper_return(body.as_bytes(), second(NOW)));
        assert_eq!(said(returned), "401 Sender: there is no signature");
    }
}

#[test]
fn a_signed_probe_is_a_probe_too() {
    let pairs = [("verificationCode", "7")];
    let (as_form, as_json) = (form(&signed(&pairs)), json(&signed(&pairs)));
    for (content_type, body) in [(FORM, as_form), (JSON, as_json)] {
        let [in_the_body, _] = posted(content_type, body.as_bytes());
        assert_eq!(code(in_the_body).as_deref(), Some("7"));
    }
    let body = form(&pairs);
    let (url, headers) = by_headers(NOW, "7d1c", &body);
    let receiver = receiver().0;
    let message = receiver.signed_headers(FORM, &request(&url, &headers, &body), second(NOW));
    assert_eq!(code(message).as_deref(), Some("7"));
    // A result beside the probe makes an event of the message.
    let pairs = [&PAIRS[..], &pairs].concat();
    assert!(receiver.webhook(FORM, form(&signed(&pairs)).as_bytes(), second(NOW)).unwrap().event().is_some());
}

#[test]
fn no_delivered_message_settles_an_order() {
    use checkout_money::Cents;
    use checkout_tables::peach::Currency;
    use checkout_trust::settlement::{Read, Unproven, peach::Order};
    let pairs = [
        ("amount", "14.99"),
        ("checkoutId", "0fa1"),
        ("currency", "ZAR"),
        ("merchantTransactionId", "order-1001"),
        ("paymentType", "DB"),
        ("result.code", "000.000.000"),
    ];
    let event = told(receiver().webhook(FORM, form(&signed(&pairs)).as_bytes(), second(NOW))).unwrap();
    let order = Order {
        environment: Live,
        merchant_transaction_id: "order-1001",
        checkout_id: None,
        amount: Cents::new(14_99),
        currency: Currency::ZAR,
    };
    let delivered = Read::answer(event.content().payment().clone(), Live);
    let settlement = order.settled_by(&delivered);
    assert!(settlement.unproven().eq([&Unproven::Delivered]) && !settlement.is_settled());
}

#[test]
fn keys_are_rotated_without_losing_an_event() {
    let (old, new) = (secret("old"), secret("new"));
    let until = NOW + 60;
    let ring = KeyRing::new("new", new.clone()).and_valid("old", old.clone(), i64::MIN..until);
    let receiver = Receiver::new(ENTITY, ring, Live);
    let by = |secret: &SecretToken, now| {
        let body = form(&signed_by(secret, &PAIRS));
        receiver
            .webhook(FORM, body.as_bytes(), second(now))
            .map_or_else(|error| error.to_string(), |event| event.key_id().into())
    };
    let mismatch = "the signature is not these parameters' under this secret token";
    for (now, of_the_old) in [(i64::MIN, "old"), (until - 1, "old"), (until, mismatch), (i64::MAX, mismatch)]
    {
        assert_eq!(by(&old, now), of_the_old);
        assert_eq!(by(&new, now), "new");
    }
    // One event under two keys is one event.
    let identities = [&old, &new].map(|secret| {
        let body = form(&signed_by(secret, &PAIRS));
        receiver.webhook(FORM, body.as_bytes(), second(NOW)).unwrap().identity().clone()
    });
    assert_eq!(identities[0], identities[1]);
    let none = Receiver::new(ENTITY, KeyRing::new("x", secret("x")), Live);
    let body = form(&signed(&PAIRS));
    assert_eq!(
        said(told(none.webhook(FORM, body.as_bytes(), second(NOW)))),
        format!("401 SetUp: {mismatch}")
    );
    nothing_private(&format!("{receiver:?}"));
}

#[test]
fn one_entitys_event_is_not_anothers() {
    let body = form(&signed(&PAIRS));
    let other = Receiver::new("other", KeyRing::new("2024", secret("other")), Live);
    assert!(other.webhook(FORM, body.as_bytes(), second(NOW)).is_err());
    assert!(other.shopper_return(body.as_bytes(), second(NOW)).is_err());
    let namesake = Receiver::new("other", KeyRing::new("2024", secret("one")), Live);
    let theirs = namesake.webhook(FORM, body.as_bytes(), second(NOW)).unwrap();
    assert_ne!(theirs.identity(), by_form(&body).unwrap().identity());
}

#[test]
fn an_unreadable_body_and_an_unverified_body_are_different_errors() {
    assert_eq!(
        check("amount=%zz"),
        "400 Sender: the body: a percent sign without two hexadecimal digits, at byte 7"
    );
    assert_eq!(check("PRIVATE=%ff"), "400 Sender: the body: not UTF-8, at byte 8");
    assert_eq!(check("PRIVATE=1&PRIVATE=2"), "400 Sender: the body: a key stands twice, at byte 10");
    assert_eq!(check(""), "401 Sender: there is no signature");
    assert_eq!(check("PRIVATE"), "401 Sender: there is no signature");
    let by_json = |body: &str| said(told(receiver().webhook(JSON, body.as_bytes(), second(NOW))));
    for body in ["", "null", "[]", "PRIVATE", r#"{"amount":"PRIVATE""#, r#"{"a":"PRIVATE","a":"PRIVATE"}"#] {
        assert!(by_json(body).starts_with("400 Sender: the body: "), "{body}");
    }
    assert_eq!(by_json("{}"), "401 Sender: there is no signature");
    // A message that Peach sends to try out an address is about no payment.
    assert_eq!(check(form(&signed(&[("amount", "1")]))), "200 Sender: there is no result.code");
}

/// The source, the word and the moment of an event; and true for a read.
fn meaning(receiver: &Receiver, payment_type: &str, code: &str, via: Via) -> String {
    let pairs: Vec<_> = PAIRS
        .into_iter()
        .map(|(key, value)| match key {
            "paymentType" => (key, payment_type),
            "result.code" => (key, code),
            _ => (key, value),
        })
        .collect();
    let body = form(&signed(&pairs));
    let event = match via {
        Via::Webhook => receiver.webhook(FORM, body.as_bytes(), second(NOW)),
        Via::Return => receiver.shopper_return(body.as_bytes(), second(NOW)),
    };
    let event = told(event).unwrap();
    let observation = event.observation();
    assert_eq!(event.wants_a_read(), observation.is_none());
    observation.map_or("read".into(), |observation| {
        let status = observation.status().known().unwrap();
        let at = observation.order().unwrap().unix_millis();
        format!("{:?}: {status:?} at {at}", observation.source())
    })
}

#[test]
fn a_beginning_is_an_observation_and_an_end_is_not() {
    let at = "at 1716501000000";
    let table = [
        ("DB", "000.000.000", "read".to_owned()), // a success
        ("PA", "000.000.000", "read".into()),     // an authorisation
        ("DB", "000.100.110", "read".into()),     // a test's success
        ("PA", "000.100.112", "read".into()),
        ("DB", "000.200.100", format!("Created {at}")),
        ("DB", "000.200.000", format!("Pending {at}")),
        ("DB", "100.396.101", "read".into()), // an end, whichever
        ("DB", "100.396.104", "read".into()),
        ("PA", "100.396.101", "read".into()),
        ("DB", "800.100.152", "read".into()), // declined: another card may follow
        ("DB", "700.400.580", "read".into()), // not opened yet
        ("DB", "000.400.000", "read".into()), // to be reviewed
        ("DB", "PRIVAT", "read".into()),
        ("RF", "000.000.000", "read".into()), // a refund
        ("RF", "000.200.000", "read".into()),
        ("RF", "100.396.101", "read".into()), // a refund that was cancelled cancels no checkout
        ("CB", "000.100.201", "read".into()), // a chargeback
        ("RF", "000.100.201", "read".into()),
        ("CP", "000.000.000", "read".into()),
        ("db", "100.396.101", "read".into()),
        ("", "000.000.000", "read".into()),
    ];
    for (payment_type, code, said) in table {
        for receiver in [receiver_in(Live), receiver_in(Sandbox)] {
            for (via, source) in [(Via::Webhook, "Webhook: "), (Via::Return, "Redirect: ")] {
                let expected = if said == "read" { said.clone() } else { format!("{source}{said}") };
                assert_eq!(meaning(&receiver, payment_type, code, via), expected, "{payment_type} {code}");
            }
        }
    }
}

pub(crate) type Headers = Vec<(String, Vec<u8>)>;

pub(crate) fn by_headers(timestamp: i64, webhook_id: &str, body: &str) -> (String, Headers) {
    let to_sign = Webhook { timestamp, webhook_id, url: URL, body: body.as_bytes() };
    let header = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
    let headers = vec![
        header("X-Webhook-Timestamp", &timestamp.to_string()),
        header("X-Webhook-Id", webhook_id),
        header("X-Webhook-Signature", to_sign.sign(&secret("one")).unwrap().as_str()),
    ];
    (URL.into(), headers)
}

fn request<'a>(url: &'a str, headers: &'a Headers, body: &'a str) -> WebhookRequest<'a, Headers> {
    WebhookRequest { url, headers, body: body.as_bytes() }
}

fn check_headers(url: &str, headers: &Headers, body: &[u8]) -> String {
    check_headers_at(url, headers, body, NOW)
}

fn check_headers_at(url: &str, headers: &Headers, body: &[u8], now: i64) -> String {
    said(told(receiver().signed_headers(FORM, &WebhookRequest { url, headers, body }, second(now))))
}

#[test]
fn no_changed_byte_under_the_signed_headers_is_taken_in() {
    let body = form(&signed(&PAIRS));
    let (url, headers) = by_headers(NOW, "7d1c", &body);
    assert_eq!(check_headers(&url, &headers, body.as_bytes()), "taken in");
    let refused = |said: String| assert!(said.starts_with("401 "), "{said}");
    for body in one_byte_otherwise(body.as_bytes()) {
        refused(check_headers(&url, &headers, &body));
    }
    for url in one_character_otherwise(&url) {
        refused(check_headers(&url, &headers, body.as_bytes()));
    }
    for at in 0..3 {
        for value in one_byte_otherwise(&headers[at].1) {
            let mut headers = headers.clone();
            headers[at].1 = value;
            refused(check_headers(&url, &headers, body.as_bytes()));
        }
    }
}

#[test]
fn the_headers_of_a_webhook_are_there_once_in_any_order_and_case() {
    let body = form(&signed(&PAIRS));
    let (url, headers) = by_headers(NOW, "7d1c", &body);
    let check = |headers: &Headers| check_headers(&url, headers, body.as_bytes());
    for order in orders(3) {
        let upper = |at: usize| (headers[at].0.to_uppercase(), headers[at].1.clone());
        assert_eq!(check(&order.into_iter().map(upper).collect()), "taken in");
    }
    for at in 0..3 {
        let name = headers[at].0.to_lowercase();
        let mut dropped = headers.clone();
        let (_, value) = dropped.remove(at);
        assert_eq!(check(&dropped), format!("401 Sender: the header {name} is missing"));
        for second in [value.as_slice(), b"other", b""] {
            for place in [0, 3] {
                let mut doubled = headers.clone();
                doubled.insert(place, (name.clone(), second.to_vec()));
                assert_eq!(check(&doubled), format!("401 Sender: the header {name} is there more than once"));
            }
        }
        for other in others(b'x') {
            let mut blank = headers.clone();
            blank[at].1.push(other);
            assert!(check(&blank).starts_with("401 "));
        }
    }
    // The dot of an id would leave open where it ends.
    let mut dotted = headers;
    dotted[1].1 = b"7d.1c".to_vec();
    assert_eq!(check(&dotted), "401 Sender: the header x-webhook-id holds a dot");
}

#[test]
fn the_time_that_the_headers_sign_is_taken_in_up_to_both_edges() {
    let body = form(&signed(&PAIRS));
    let (min, max) = (i64::MIN, i64::MAX);
    // The first and the last second of a moment, which counts milliseconds.
    let (first, last) = (-9_223_372_036_854_776, 9_223_372_036_854_775);
    let behind =
        |by: u64| format!("401 Sender: the message's time is {by} s further back than the tolerance allows");
    let ahead =
        |by: u64| format!("401 SetUp: the message's time is {by} s further ahead than the tolerance allows");
    let times = [
        (NOW - 300, NOW, "taken in".to_owned()),
        (NOW - 301, NOW, behind(1)),
        (NOW + 300, NOW, "taken in".into()),
        (NOW + 301, NOW, ahead(1)),
        (first, first, "taken in".into()),
        (last, last, "taken in".into()),
        (min, last, behind(9_232_595_408_891_630_283)),
        (max, first, ahead(9_232_595_408_891_630_283)),
    ];
    for (timestamp, now, said) in times {
        let (url, headers) = by_headers(timestamp, "7d1c", &body);
        assert_eq!(check_headers_at(&url, &headers, body.as_bytes(), now), said, "{timestamp} at {now}");
    }
}

#[test]
fn a_content_type_that_nobody_signed_makes_no_other_event() {
    let (form, json) = (form(&signed(&PAIRS)), json(&signed(&PAIRS)));
    for (body, own, other) in [(&form, FORM, JSON), (&json, JSON, FORM)] {
        let (url, headers) = by_headers(NOW, "7d1c", body);
        let receive = |content_type| {
            told(receiver().signed_headers(content_type, &request(&url, &headers, body), second(NOW)))
        };
        is_the_same(&receive(own).unwrap());
        // The first character shows JSON too, and then the event is the same.
        match other == FORM {
            true => is_the_same(&receive(other).unwrap()),
            false => assert!(receive(other).is_err()),
        }
        assert_eq!(receiver().webhook(other, body.as_bytes(), second(NOW)).is_err(), other == JSON);
    }
}

proptest! {
    #[test]
    fn nothing_that_nobody_signed_is_taken_in_and_nothing_panics(
        content_type in proptest::option::of("application/json|\\PC{0,9}"),
        pairs in proptest::collection::vec(
            ("result\\.code|paymentType|checkoutId|\\PC{0,6}", "[0-9.]{11}|\\PC{0,9}"), 0..6,
        ),
        signature in "[0-9a-f]{64}|\\PC{0,70}",
        url in "\\PC{0,20}",
        names in proptest::collection::vec("x-webhook-(id|timestamp|signature)|\\PC{0,9}", 0..5),
        values in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..70), 5),
        raw: Vec<u8>,
        now: i64,
    ) {
        let mut pairs: Vec<_> = pairs.iter().map(|(key, value)| (&**key, &**value)).collect();
        pairs.push(("signature", &signature));
        let receiver = receiver();
        let headers: Headers = names.into_iter().zip(values).collect();
        for body in [form(&pairs).into_bytes(), json(&pairs).into_bytes(), raw] {
            let request = WebhookRequest { url: &url, headers: &headers, body: &body };
            let content_type = content_type.as_deref();
            prop_assert!(receiver.webhook(content_type, &body, second(now)).is_err());
            prop_assert!(receiver.shopper_return(&body, second(now)).is_err());
            prop_assert!(receiver.signed_headers(content_type, &request, second(now)).is_err());
        }
    }

    #[test]
    fn a_genuine_form_that_was_cut_and_mended_anywhere_is_refused_or_gives_no_other_result(
        from: proptest::sample::Index, to: proptest::sample::Index, with in "[&=%+]{0,3}|[ -~]{0,9}",
    ) {
        let genuine = form(&signed(&PAIRS));
        let (from, to) = (from.index(genuine.len() + 1), to.index(genuine.len() + 1));
        let body = [&genuine[..from.min(to)], &with, &genuine[from.max(to)..]].concat();
        if let Ok(event) = by_form(body) {
            is_the_same_or_another_cut(&event);
        }
    }
}
