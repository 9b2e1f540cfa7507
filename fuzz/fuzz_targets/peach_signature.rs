//! Parameters of any text, in any order: a line is a parameter, with a tab between the key and the value.
#![no_main]

use std::collections::BTreeMap;

use checkout_auth::peach::{SIGNATURE, SecretToken, VerifyError, canonical};
use hmac::{Hmac, KeyInit, Mac};
use libfuzzer_sys::fuzz_target;
use sha2::Sha256;

const SECRET: &str = "3fcd7cf22f55119eadbe02d14de18c0c";

type Pair<'a> = (&'a str, &'a str);

fuzz_target!(|text: &str| {
    let token = |secret: &str| SecretToken::new(secret.into()).expect("a token");
    let (ours, other) = (token(SECRET), token("another"));
    let pairs: Vec<Pair<'_>> =
        text.split('\n').map(|line| line.split_once('\t').unwrap_or((line, ""))).collect();
    let Some(expected) = by_map(&pairs) else {
        assert!(ours.sign(pairs.iter().copied()).is_err());
        assert!(canonical(pairs.iter().copied()).is_err());
        assert_eq!(ours.verify(pairs), Err(VerifyError::DuplicateKey));
        return;
    };
    let signature = ours.sign(pairs.iter().copied()).expect("every key is there once");
    assert_eq!(canonical(pairs.iter().copied()).as_ref(), Ok(&expected));
    assert_eq!(signature.as_str(), digest(&expected));

    let claimed = pairs.iter().find(|(key, _)| *key == SIGNATURE).map(|(_, value)| *value);
    let right = claimed == Some(signature.as_str());
    assert_eq!(ours.verify(pairs.iter().copied()).is_ok(), right);
    let signed: Vec<Pair<'_>> = pairs.into_iter().rev().filter(|(key, _)| *key != SIGNATURE).collect();
    let sent = |pairs: Vec<Pair<'_>>, token: &SecretToken| {
        token.verify(pairs.into_iter().chain([(SIGNATURE, signature.as_str())]))
    };
    let verified = sent(signed.clone(), &ours).expect("what was signed is verified, whatever it holds");
    assert_eq!(verified.ambiguous().is_none(), tells_once(&signed));
    assert_eq!(sent(signed.clone(), &other), Err(VerifyError::Mismatch));

    // One parameter longer, renamed, turned round, cut elsewhere or left out.
    let Some(at) = text.len().checked_rem(signed.len()) else { return };
    let (key, value) = signed[at];
    let (longer, renamed, both) = (format!("{value}0"), format!("{key}0"), format!("{key}{value}"));
    let cut = both.split_at_checked(text.len() % (both.len() + 1)).unwrap_or((&both, ""));
    for change in [Some((key, &*longer)), Some((&*renamed, value)), Some((value, key)), Some(cut), None] {
        let mut changed = signed.clone();
        changed.splice(at..=at, change);
        // The key of the signature is no longer free for this parameter.
        let same = by_map(&changed).filter(|_| changed.iter().all(|(key, _)| *key != SIGNATURE));
        let passes = same.as_ref() == Some(&expected);
        assert_eq!(sent(changed, &ours).is_ok(), passes, "{change:?}");
    }
});

/// The signed text, or `None` if a key is there twice.
fn by_map(pairs: &[Pair<'_>]) -> Option<String> {
    let map: BTreeMap<&[u8], String> =
        pairs.iter().map(|(key, value)| (key.as_bytes(), format!("{key}{value}"))).collect();
    let all = map.len() == pairs.len();
    all.then(|| map.into_iter().filter(|(key, _)| *key != b"signature").map(|(_, pair)| pair).collect())
}

/// True if each name that tells a result or a checkout stands in the signed text as a key and nowhere else.
fn tells_once(pairs: &[Pair<'_>]) -> bool {
    let text = by_map(pairs).unwrap_or_default();
    ["result.code", "paymentType", "checkoutId", "merchantTransactionId", "timestamp"].iter().all(|name| {
        let keys = pairs.iter().filter(|(key, _)| key == name).count();
        text.match_indices(name).count() == keys
    })
}

fn digest(text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("a key of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}
