use super::*;
use crate::mac::tests::hmac_by_definition;
use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::ToString;
use alloc::vec;
use proptest::collection::btree_map;
use proptest::prelude::*;

const SECRET: &str = "3fcd7cf22f55119eadbe02d14de18c0c";

/// The published example of parameters, in the order of signing. `DIGEST` is the signature under `SECRET`.
const PAIRS: [(&str, &str); 8] = [
    ("amount", "2"),
    ("authentication.entityId", "8ac7a4ca68c22c4d0168c2caab2e0025"),
    ("currency", "ZAR"),
    ("defaultPaymentMethod", "CARD"),
    ("merchantTransactionId", "Test1234"),
    ("nonce", "JHGJSGHDSKJHGJDHGJH"),
    ("paymentType", "DB"),
    ("shopperResultUrl", "https://webhook.site/4e9b63bf-0d99-4d62-bd24-1d36ca866e1b"),
];

const DIGEST: &str = "311ed8e11e2da00d98c7479ca390a5396fe643e13629d850243dada877963afd";

fn token(secret: &str) -> SecretToken {
    SecretToken::new(secret.into()).unwrap()
}

/// The signature, or the error's text.
fn check(secret: &str, pairs: &[(&str, &str)]) -> String {
    match token(secret).sign(pairs.iter().copied()) {
        Ok(signature) => signature.to_string(),
        Err(error) => error.to_string(),
    }
}

/// The result of verify for the pairs and a signature beside them.
fn read(pairs: &[(&str, &str)], signature: &str) -> Result<SignedText, VerifyError> {
    token(SECRET).verify(pairs.iter().copied().chain([(SIGNATURE, signature)]))
}

/// True if the pairs are verified.
fn verify(pairs: &[(&str, &str)], signature: &str) -> Result<(), VerifyError> {
    read(pairs, signature).map(|_| ())
}

/// The text that is signed, built in another way: a map by the bytes of the keys.
fn text_by_map(pairs: &[(&str, &str)]) -> String {
    let map: BTreeMap<&[u8], String> =
        pairs.iter().map(|(key, value)| (key.as_bytes(), format!("{key}{value}"))).collect();
    map.into_iter().filter(|(key, _)| *key != b"signature").map(|(_, pair)| pair).collect()
}

fn signature_by_definition(secret: &str, pairs: &[(&str, &str)]) -> String {
    hmac_by_definition(secret, text_by_map(pairs)).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `PAIRS` with one pair replaced by others.
fn with(at: usize, others: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    let mut pairs = PAIRS.to_vec();
    pairs.splice(at..=at, others.iter().copied());
    pairs
}

/// `text` with the byte at each place changed in turn, into others that may stand there.
fn every_byte_changed(text: &str) -> Vec<String> {
    let mut changed = Vec::new();
    for at in 0..text.len() {
        for other in *b"aZ09.[ \0\x7f" {
            let mut bytes = text.as_bytes().to_vec();
            bytes[at] = other;
            changed.push(String::from_utf8(bytes).unwrap());
        }
    }
    changed.retain(|other| other != text);
    changed
}

#[test]
fn the_published_parameters_have_the_published_signature() {
    assert_eq!(check(SECRET, &PAIRS), DIGEST);
    assert_eq!(verify(&PAIRS, DIGEST), Ok(()));
    assert_eq!(
        canonical(PAIRS).unwrap(),
        "amount2authentication.entityId8ac7a4ca68c22c4d0168c2caab2e0025currencyZARdefaultPaymentMethodCARD\
         merchantTransactionIdTest1234nonceJHGJSGHDSKJHGJDHGJHpaymentTypeDB\
         shopperResultUrlhttps://webhook.site/4e9b63bf-0d99-4d62-bd24-1d36ca866e1b"
    );
}

#[test]
fn another_hmac_implementation_makes_the_same_signatures() {
    // Computed with the hmac and hashlib modules of Python 3, keys sorted by their UTF-8.
    let received = [
        ("result.code", "000.100.110"),
        ("card.holder", "Ada é Lovelace"),
        ("customParameters[note]", "a&b=c +"),
        ("customParameters[Note]", ""),
        ("resultDetails.x", "\u{1f351}"),
    ];
    assert_eq!(check(SECRET, &received), "a35e9b925b4d43c5f778c1d67ccd7a35fec3a368df482baaf4adf829cd32d31d");
    assert_eq!(check(SECRET, &[]), "529b98322f38d760359610ca41f68ad5483770cbf6d1999d62718847f4a67168");
    let amount = [("amount", "2")];
    let longer_than_a_block = "k".repeat(65);
    assert_eq!(
        check(&longer_than_a_block, &amount),
        "1d4dbd51d995ce7e4d9f563196befa7308cb62785cc99132f0885955e734ff8e"
    );
    assert_eq!(check("géheim", &amount), "cc789218481feec22df8dcaba8cf005539aefd75414715ef07e5ea10a4b483ad");
}

#[test]
fn every_rotation_of_the_parameters_has_their_signature() {
    let mut pairs = PAIRS;
    for _ in 0..pairs.len() {
        pairs.rotate_left(1);
        assert_eq!(check(SECRET, &pairs), DIGEST);
        assert_eq!(verify(&pairs, DIGEST), Ok(()));
    }
}

#[test]
fn an_empty_parameter_is_signed_and_the_signature_is_not() {
    let with_empty = [&PAIRS[..], &[("cancelUrl", "")]].concat();
    assert_ne!(check(SECRET, &with_empty), DIGEST);
    let with_signature = [&[(SIGNATURE, "whatever")], &PAIRS[..]].concat();
    assert_eq!(check(SECRET, &with_signature), DIGEST);
    assert_ne!(check(SECRET, &[&PAIRS[..], &[("Signature", DIGEST)]].concat()), DIGEST);
}

#[test]
fn every_changed_byte_of_a_key_or_a_value_is_refused() {
    let mut tried = 0;
    for (at, (key, value)) in PAIRS.into_iter().enumerate() {
        let keys = every_byte_changed(key).into_iter().map(|key| (key, value.to_owned()));
        let values = every_byte_changed(value).into_iter().map(|value| (key.to_owned(), value));
        for (key, value) in keys.chain(values) {
            let mut pairs = PAIRS;
            pairs[at] = (&key, &value);
            assert_eq!(verify(&pairs, DIGEST), Err(VerifyError::Mismatch), "{key}={value}");
            tried += 1;
        }
    }
    assert!(tried > 1500, "{tried}");
    for secret in every_byte_changed(SECRET) {
        // White space around the token: the text is not a secret.
        let Ok(other) = SecretToken::new(secret.into()) else { continue };
        let pairs = PAIRS.into_iter().chain([(SIGNATURE, DIGEST)]);
        assert_eq!(other.verify(pairs), Err(VerifyError::Mismatch));
    }
}

#[test]
fn every_dropped_added_or_swapped_parameter_is_refused() {
    let mut others = vec![Vec::new()];
    for (at, (key, value)) in PAIRS.into_iter().enumerate() {
        others.push(with(at, &[]));
        others.push(with(at, &[(value, key)]));
        for next in at + 1..PAIRS.len() {
            let mut swapped = PAIRS;
            (swapped[at].1, swapped[next].1) = (swapped[next].1, swapped[at].1);
            others.push(swapped.to_vec());
        }
    }
    for added in [("a", ""), ("z", ""), ("", "2"), ("cancelUrl", ""), ("Amount", "2"), ("amount ", "2")] {
        others.push([&PAIRS[..], &[added]].concat());
    }
    for other in others {
        assert_eq!(verify(&other, DIGEST), Err(VerifyError::Mismatch), "{other:?}");
    }
}

#[test]
fn other_pairs_of_the_same_text_pass_under_the_signature() {
    let recut = [
        // The end of a key read as the start of the value, and the other way round.
        with(0, &[("amoun", "t2")]),
        with(0, &[("amount2", "")]),
        with(2, &[("currencyZ", "AR")]),
        // Two pairs read as one pair, and one pair as two.
        [&[("amount", "2authentication.entityId8ac7a4ca68c22c4d0168c2caab2e0025")], &PAIRS[2..]].concat(),
        // An empty pair.
        [&PAIRS[..], &[("", "")]].concat(),
    ];
    let of_a_telling_name = [
        with(6, &[("paymentT", "y"), ("peDB", "")]),
        // The whole text as one value.
        vec![("", &*canonical(PAIRS).unwrap().leak())],
    ];
    let recut = recut.into_iter().map(|pairs| (pairs, false));
    let told = of_a_telling_name.into_iter().map(|pairs| (pairs, true));
    for (pairs, ambiguous) in recut.chain(told) {
        assert_ne!(pairs, PAIRS);
        assert_eq!(text_by_map(&pairs), text_by_map(&PAIRS));
        assert_eq!(read(&pairs, DIGEST).unwrap().ambiguous().is_some(), ambiguous, "{pairs:?}");
    }
    assert_eq!(read(&PAIRS, DIGEST).unwrap().ambiguous(), None);
    assert_eq!(check(SECRET, &[("a", "bc")]), check(SECRET, &[("ab", "c")]));
}

#[test]
fn every_changed_digit_of_the_signature_is_refused() {
    for at in 0..DIGEST.len() {
        for digit in ('0'..='9').chain('a'..='f') {
            let other = format!("{}{digit}{}", &DIGEST[..at], &DIGEST[at + 1..]);
            let expected = if other == DIGEST { Ok(()) } else { Err(VerifyError::Mismatch) };
            assert_eq!(verify(&PAIRS, &other), expected, "{other}");
        }
    }
}

#[test]
fn a_signature_in_any_other_spelling_is_malformed() {
    // The text as printed beside an example of a status request.
    const TOO_SHORT: &str = "79b450ed255e306332f6325c99732cc84fca8cc2cf3fdc2bfd1f3e2465f55";
    assert_eq!(TOO_SHORT.len(), 61);
    let mut others = vec![
        TOO_SHORT.to_owned(),
        DIGEST.to_uppercase(),
        format!("{DIGEST}0"),
        format!("{DIGEST}{DIGEST}"),
        format!("{DIGEST}\n"),
        format!(" {}", &DIGEST[1..]),
        format!("0x{}", &DIGEST[2..]),
        format!("+{}", &DIGEST[1..]),
        format!("{}g", &DIGEST[..63]),
        format!("{}é", &DIGEST[..62]),
        format!("{}é", &DIGEST[..63]),
        "é".repeat(32),
        "\0".repeat(64),
        "٣".repeat(64),
        "a".repeat(1 << 20),
    ];
    for at in DIGEST.bytes().enumerate().filter(|(_, digit)| digit.is_ascii_lowercase()).map(|(at, _)| at) {
        others.push(format!("{}{}{}", &DIGEST[..at], DIGEST[at..=at].to_uppercase(), &DIGEST[at + 1..]));
    }
    for length in 0..DIGEST.len() {
        others.push(DIGEST[..length].to_owned());
    }
    for other in &others {
        assert_eq!(verify(&PAIRS, other), Err(VerifyError::Malformed), "{other:.70}");
    }
}

#[test]
fn a_missing_signature_is_named() {
    assert_eq!(token(SECRET).verify(PAIRS), Err(VerifyError::Missing));
    assert_eq!(token(SECRET).verify([]), Err(VerifyError::Missing));
    let near = [("Signature", DIGEST), ("signature ", DIGEST), ("signature[]", DIGEST), ("", DIGEST)];
    assert_eq!(token(SECRET).verify(PAIRS.into_iter().chain(near)), Err(VerifyError::Missing));
}

#[test]
fn a_key_that_is_there_twice_is_refused() {
    for (key, value) in PAIRS.into_iter().chain([("", "")]) {
        for other in [value, "another", ""] {
            let pairs = [&[(key, value)], &PAIRS[..], &[(key, other)]].concat();
            assert_eq!(check(SECRET, &pairs), "a parameter is there twice");
            assert_eq!(canonical(pairs.iter().copied()), Err(SignError::DuplicateKey));
            assert_eq!(verify(&pairs, DIGEST), Err(VerifyError::DuplicateKey));
        }
    }
    for first in [DIGEST, "", "another"] {
        let pairs = [&[(SIGNATURE, first)], &PAIRS[..]].concat();
        assert_eq!(verify(&pairs, DIGEST), Err(VerifyError::DuplicateKey));
        assert_eq!(check(SECRET, &[&pairs[..], &pairs[..1]].concat()), "a parameter is there twice");
    }
    // A name in another case is another key.
    assert_eq!(check(SECRET, &[("a", ""), ("A", "")]), signature_by_definition(SECRET, &[("A", "a")]));
}

#[test]
fn a_secret_token_must_be_there_without_white_space_around_it() {
    let fault = |secret: &str| SecretToken::new(secret.into()).err().map(|error| error.to_string());
    assert_eq!(fault(SECRET), None);
    assert_eq!(fault("inner white space is the token's own"), None);
    assert_eq!(fault("").unwrap(), "the secret token is empty");
    for secret in ["3fcd\n", "3fcd\r\n", " 3fcd", "\t3fcd", "3fcd\u{a0}", "3fcd\u{2028}", " ", "\n"] {
        assert_eq!(
            fault(secret).unwrap(),
            "the secret token begins or ends with white space, such as a copied line break"
        );
    }
    for secret in ["\u{feff}3fcd", "3f\ncd", "3f\0cd", "3fcd\u{200b}", "3f\u{a0}cd"] {
        assert_eq!(
            fault(secret).unwrap(),
            "the secret token holds a character that cannot be seen, such as a byte order mark or a line break",
            "{}",
            secret.escape_debug()
        );
    }
    assert!(KeyError::Unseen.hint().contains("byte order mark"));
}

#[test]
fn debug_and_errors_show_neither_secret_nor_values() {
    let token = token(SECRET);
    let signature = token.sign(PAIRS).unwrap();
    let twice = [("customer.email", "ada@example.com"); 2];
    let unsigned = token.sign(twice).unwrap_err();
    let refused = [
        token.verify(PAIRS).unwrap_err(),
        token.verify(twice).unwrap_err(),
        verify(&PAIRS, "beef").unwrap_err(),
        verify(&PAIRS[1..], DIGEST).unwrap_err(),
    ];
    let bad_secret = SecretToken::new(format!("{SECRET}\n").into()).unwrap_err();
    let mut shown = format!("{token:?} {:#?} {signature:?} {signature:#?}", token.clone());
    shown += &format!("{unsigned} {unsigned:?} {refused:?} {bad_secret} {bad_secret:?}");
    for error in refused {
        shown += &error.to_string();
    }
    for hidden in [SECRET, &SECRET[..8], "customer", "ada", "beef", "Test1234", "amount", &DIGEST[..8]] {
        assert!(!shown.contains(hidden), "{hidden} in {shown}");
    }
    assert!(shown.contains("Signature([redacted])"), "{shown}");
}

#[test]
fn a_signature_pads_and_prints_as_text() {
    let signature = token(SECRET).sign(PAIRS).unwrap();
    assert_eq!(signature.to_string(), signature.as_str());
    assert_eq!(format!("{signature:>66}"), format!("  {DIGEST}"));
}

/// A shopper who was shown the signed return of a cancelled checkout, and who chose one value of the return.
#[test]
fn a_text_that_was_cut_into_other_pairs_is_reported() {
    let cancelled = [
        ("card.holder", "Tom"),
        ("checkoutId", "c1"),
        ("paymentType", "DB"),
        ("result.code", "100.396.101"),
        ("timestamp", "2026-01-01T00:00:00Z"),
    ];
    let ambiguous = |pairs: &[(&str, &str)]| {
        let signature = signature_by_definition(SECRET, pairs);
        read(pairs, &signature).unwrap().ambiguous()
    };
    assert_eq!(ambiguous(&cancelled), None);
    for (at, (key, value)) in cancelled.iter().enumerate() {
        // The true fields hidden in a value, in a key, and across the border of two pairs.
        for hidden in [
            ("z", "checkoutIdc1paymentTypeDBresult.code100.396.101"),
            ("zresult.code", ""),
            ("zpaymentTyp", "e"),
        ] {
            let mut recut = cancelled.to_vec();
            recut[at] = (key, if at == 0 { "Tom result.code000.000.000 z" } else { value });
            recut.push(hidden);
            assert!(ambiguous(&recut).is_some(), "{hidden:?}");
        }
    }
    // The real attack: the signed text of one message is cut into another message. Both are detected.
    let honest = [("a", "b.result.code000.000.000z"), ("checkoutId", "c1"), ("result.code", "100.396.101")];
    let forged = [("ab.", ""), ("result.code", "000.000.000"), ("z", "checkoutIdc1result.code100.396.101")];
    assert_eq!(text_by_map(&honest), text_by_map(&forged));
    assert_eq!(ambiguous(&honest), Some("result.code"));
    assert_eq!(ambiguous(&forged), Some("result.code"));
    // A later time, so that everything read afterwards looks old.
    let honest = [("resultDetails.note", "timestamp2099-01-01T00:00:00Zz"), ("timestamp", "2026-01-01")];
    let forged =
        [("resultDetails.note", ""), ("timestamp", "2099-01-01T00:00:00Z"), ("ztimestamp", "2026-01-01")];
    assert_eq!(text_by_map(&honest), text_by_map(&forged));
    assert_eq!((ambiguous(&honest), ambiguous(&forged)), (Some("timestamp"), Some("timestamp")));
}

#[test]
fn every_honest_text_is_verified_and_a_telling_name_in_the_text_is_named() {
    for name in ["result.code", "paymentType", "checkoutId", "merchantTransactionId", "timestamp"] {
        for (key, value) in [
            ("customParameters[return]", format!("https://shop.example/thanks?{name}=77")),
            ("card.holder", format!("T {name}")),
            ("merchantInvoiceId", name.to_owned()),
        ] {
            let pairs = [("amount", "2.00"), (key, &*value)];
            let signature = signature_by_definition(SECRET, &pairs);
            assert_eq!(read(&pairs, &signature).unwrap().ambiguous(), Some(name));
        }
        let named = format!("customParameters[{name}]");
        let pairs = [("amount", "2.00"), (&*named, "")];
        let signature = signature_by_definition(SECRET, &pairs);
        assert_eq!(read(&pairs, &signature).unwrap().ambiguous(), Some(name));
        // A name in another case, and a part of a name, are other names.
        for other in [name.to_uppercase(), name[1..].to_owned()] {
            let pairs = [("customParameters[note]", &*other)];
            assert_eq!(read(&pairs, &signature_by_definition(SECRET, &pairs)).unwrap().ambiguous(), None);
        }
    }
}

#[test]
fn tokens_and_signatures_can_be_shared_between_threads() {
    fn shared<T: Send + Sync + Clone + 'static>() {}
    shared::<SecretToken>();
    shared::<Signature>();
}

#[test]
fn a_ring_gives_the_id_of_the_key_that_signed() {
    const OTHER: &str = "0a4f4b6f7d105a4c8c5e0f5ba5a54a52";
    let ring = KeyRing::new("new", token(OTHER)).and_valid("old", token(SECRET), 100..200);
    let by_ring = |signature: &str, now| {
        verify_with(&ring, PAIRS.into_iter().chain([(SIGNATURE, signature)]), now).map(|(id, _)| id)
    };
    let by_the_other = signature_by_definition(OTHER, &PAIRS);
    for now in [100, 199] {
        assert_eq!(by_ring(DIGEST, now), Ok("old"));
        assert_eq!(by_ring(&by_the_other, now), Ok("new"));
    }
    for now in [i64::MIN, 99, 200, i64::MAX] {
        assert_eq!(by_ring(DIGEST, now), Err(VerifyError::Mismatch));
        assert_eq!(by_ring(&by_the_other, now), Ok("new"));
    }
    let only_old = KeyRing::new_valid("old", token(SECRET), 100..200);
    let signed = PAIRS.into_iter().chain([(SIGNATURE, DIGEST)]);
    assert_eq!(verify_with(&only_old, signed.clone(), 199).map(|(id, _)| id), Ok("old"));
    assert_eq!(verify_with(&only_old, signed, 200), Err(VerifyError::NoValidKey));
}

#[test]
fn a_ring_gives_the_same_verdict_as_its_key() {
    let ring = KeyRing::new("ours", token(SECRET));
    let zeros = "0".repeat(64);
    for (pairs, signature) in
        [(PAIRS.to_vec(), &*zeros), (PAIRS.to_vec(), ""), ([PAIRS, PAIRS].concat(), DIGEST)]
    {
        let signed = pairs.iter().copied().chain([(SIGNATURE, signature)]);
        let refused = verify(&pairs, signature);
        assert!(refused.is_err());
        assert_eq!(verify_with(&ring, signed, 0).map(|_| ()), refused);
    }
    // This parameter reports the same as the key.
    let recut = with(6, &[("paymentT", "y"), ("peDB", "")]);
    let signed = recut.iter().copied().chain([(SIGNATURE, DIGEST)]);
    let (_, text) = verify_with(&ring, signed, 0).unwrap();
    assert_eq!((Ok(text), text.ambiguous()), (read(&recut, DIGEST), Some("paymentType")));
    assert_eq!(verify_with(&ring, PAIRS, 0), Err(VerifyError::Missing));
}

#[test]
fn every_error_names_the_party_to_blame_and_the_usual_cause() {
    let blames = [
        (VerifyError::Missing, Blame::Sender),
        (VerifyError::Malformed, Blame::Sender),
        (VerifyError::DuplicateKey, Blame::Sender),
        (VerifyError::Mismatch, Blame::SetUp),
        (VerifyError::NoValidKey, Blame::SetUp),
    ];
    for (error, blame) in blames {
        assert_eq!(error.blame(), blame, "{error}");
        assert!(error.hint().len() > 20, "{error}");
    }
    for error in [KeyError::Empty, KeyError::WhiteSpace] {
        assert!(error.blame() == Blame::SetUp && error.hint().len() > 20, "{error}");
    }
}

prop_compose! {
    /// Pairs of different keys. Many keys are close to each other and to `signature`.
    fn pairs()(
        map in btree_map("[ab.]{0,3}|signature.?|\\PC{0,8}", "[ab.]{0,3}|\\PC{0,40}", 0..24),
    )(pairs in Just(map.into_iter().collect::<Vec<_>>()).prop_shuffle()) -> Vec<(String, String)> {
        pairs
    }
}

fn borrowed(pairs: &[(String, String)]) -> Vec<(&str, &str)> {
    pairs.iter().map(|(key, value)| (&**key, &**value)).collect()
}

proptest! {
    #[test]
    fn every_order_of_the_parameters_has_their_signature(pairs in Just(PAIRS).prop_shuffle()) {
        prop_assert_eq!(check(SECRET, &pairs), DIGEST);
        prop_assert_eq!(verify(&pairs, DIGEST), Ok(()));
    }

    #[test]
    fn every_signature_is_the_signature_by_definition(pairs in pairs(), secret in "[!-~]|[!-~é-ɏ一-龥][ -~é-ɏ一-龥]{0,150}[!-~é-ɏ一-龥]") {
        let mut pairs = borrowed(&pairs);
        let signature = check(&secret, &pairs);
        prop_assert_eq!(&signature, &signature_by_definition(&secret, &pairs));
        prop_assert_eq!(canonical(pairs.iter().copied()), Ok(text_by_map(&pairs)));
        pairs.retain(|(key, _)| *key != SIGNATURE);
        pairs.insert(pairs.len() / 2, (SIGNATURE, &signature));
        prop_assert!(token(&secret).verify(pairs).is_ok());
    }

    #[test]
    fn pairs_pass_under_the_signature_of_others_exactly_when_their_texts_are_the_same(
        ours in pairs(), theirs in pairs(),
    ) {
        let (ours, mut theirs) = (borrowed(&ours), borrowed(&theirs));
        theirs.retain(|(key, _)| *key != SIGNATURE);
        let same = text_by_map(&ours) == text_by_map(&theirs);
        prop_assert_eq!(verify(&theirs, &check(SECRET, &ours)).is_ok(), same);
    }

    #[test]
    fn all_pairs_give_a_signature_or_an_error(
        pairs: Vec<(String, String)>, signature: String,
    ) {
        let mut pairs = borrowed(&pairs);
        let different = pairs.iter().map(|(key, _)| key).collect::<alloc::collections::BTreeSet<_>>().len();
        let signable = token(SECRET).sign(pairs.iter().copied()).is_ok();
        prop_assert_eq!(signable, different == pairs.len());
        pairs.push((SIGNATURE, &signature));
        prop_assert!(token(SECRET).verify(pairs).is_err());
    }
}
