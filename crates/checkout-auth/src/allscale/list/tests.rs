//! The laws of the headers that list signatures, run for each kind of message with such a header.

use crate::KeyRing;
use crate::Verifier;
use crate::message::suite::{Kind, NOW, PASSES, Sent, check, check_with, visible};
use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

macro_rules! every_law_of_lists {
    ($kind:ty) => {
        #[test]
        fn a_list_passes_with_one_right_signature_and_no_malformed_one() {
            $crate::allscale::list::tests::a_list_passes_with_one_right_signature_and_no_malformed_one::<$kind>();
        }

        #[test]
        fn every_signature_of_a_list_is_tried_with_every_valid_key() {
            $crate::allscale::list::tests::every_signature_of_a_list_is_tried_with_every_valid_key::<$kind>();
        }
    };
}
pub(in crate::allscale) use every_law_of_lists;

const NOT_BASE64: &str = "holds a signature that is not the padded standard Base64 of 32 bytes";
const NO_KNOWN_VERSION: &str = "has no signature of a known version";
const NOT_VISIBLE: &str = "holds a character that is not visible ASCII";

/// A right signature in other spellings, each with its fault.
pub(in crate::allscale) fn spellings(right: &str) -> Vec<(String, &'static str)> {
    let digits = &right[3..];
    let unpadded = digits.trim_end_matches('=');
    let (whole, last) = unpadded.split_at(unpadded.len() - 1);
    // The bits of the last digit that belong to no byte.
    let beyond = char::from(last.as_bytes()[0] + 1);
    let not_base64 = [
        "v1=".to_owned(),
        format!("v1={unpadded}"),
        format!("{right}="),
        format!("{right}{digits}"),
        format!("{right}AAAA"),
        format!("v1={}", &digits[4..]),
        format!("v1={}-{}", &digits[..7], &digits[8..]),
        format!("v1={}_{}", &digits[..7], &digits[8..]),
        format!("v1={whole}{beyond}="),
        "v1=notbase64".to_owned(),
        format!("v1={}", "=".repeat(44)),
        format!("v1={}", "A".repeat(1 << 16)),
        format!("v1=v1={digits}"),
        format!("{right};{right}"),
    ];
    let cut = (3..right.len()).map(|end| right[..end].to_owned());
    let unknown = [
        digits.to_owned(),
        "v1".to_owned(),
        "v".to_owned(),
        format!("V1={digits}"),
        format!("v2={digits}"),
        format!("v=1{digits}"),
    ];
    let invisible = [
        format!("{right}\n"),
        format!("{right} "),
        format!(" {right}"),
        format!("\t{right}"),
        format!("{right}\r\n"),
        format!("v1= {digits}"),
        format!("v1=é{}", &digits[1..]),
        "\0".to_owned(),
    ];
    let not_base64 = not_base64.into_iter().chain(cut).map(|text| (text, NOT_BASE64));
    let unknown = unknown.map(|text| (text, NO_KNOWN_VERSION));
    let invisible = invisible.map(|text| (text, NOT_VISIBLE));
    not_base64.chain(unknown).chain(invisible).collect()
}

/// True if the right signature is in a list in which nothing is malformed, by text alone.
pub(in crate::allscale) fn is_listed(value: &str, right: &str) -> bool {
    let alphabet = |char: char| char.is_ascii_alphanumeric() || "+/".contains(char);
    let well_formed = |text: &str| {
        let digits = text.strip_suffix('=').unwrap_or_default();
        digits.len() == 43
            && digits.chars().all(alphabet)
            && digits.ends_with(|last| "AEIMQUYcgkosw048".contains(last))
    };
    let pieces: Vec<&str> = value.split(',').map(|piece| piece.trim_matches([' ', '\t'])).collect();
    pieces.len() <= 8
        && value.trim_matches([' ', '\t']) == value
        && pieces.iter().all(|piece| visible(piece) && piece.strip_prefix("v1=").is_none_or(well_formed))
        && pieces.contains(&right)
}

pub(in crate::allscale) fn a_list_passes_with_one_right_signature_and_no_malformed_one<K: Kind>() {
    let name = *K::HEADERS.last().unwrap();
    let check = |list: &str| check::<K>(&K::genuine().with(name, list));
    let problem = |problem: &str| format!("the header {name} {problem}");
    let (right, other) = (K::genuine().value(name), K::by_definition(K::SECRETS[1], &K::genuine()));
    for list in [
        format!("{right},{other}"),
        format!("{other},{right}"),
        format!("{other} \t,\t {right}"),
        format!("v0=,{right}"),
        format!("{right}, v2=whatever!, t=1"),
        format!("{right},{right}"),
        [&*other; 7].join(",") + "," + &right,
    ] {
        assert_eq!(check(&list), PASSES, "{list}");
    }
    assert_eq!(check(&format!("{other},{other}")), K::MISMATCH);
    assert_eq!(check(&format!("{other},v2={}", &right[3..])), K::MISMATCH);
    assert_eq!(check(&format!("v1={}=", "A".repeat(43))), K::MISMATCH);
    assert_eq!(check(&format!("{right},v1=")), problem(NOT_BASE64));
    for list in [
        format!("{right},"),
        format!(",{right}"),
        format!("{right},,{other}"),
        format!("{right}, ,{other}"),
        ",".to_owned(),
    ] {
        assert_eq!(check(&list), problem("is not a list of signatures"), "{list}");
    }
    let nine = [&[&*right][..], &["v2=x"; 8]].concat().join(",");
    assert_eq!(check(&nine), problem("has too many signatures"));
    assert_eq!(check(&[&*right; 10_000].join(",")), problem("has too many signatures"));
}

pub(in crate::allscale) fn every_signature_of_a_list_is_tried_with_every_valid_key<K: Kind>() {
    let name = *K::HEADERS.last().unwrap();
    let [old, new] = K::SECRETS;
    let ring = KeyRing::new("new", K::key(new)).and_valid("old", K::key(old), NOW - 10..NOW + 10);
    let verifier = Verifier::new(ring);
    let (right, by_new) = (K::genuine().value(name), K::by_definition(new, &K::genuine()));
    let both: Sent = K::genuine().with(name, format!("{right}, {by_new}"));
    for now in [NOW, NOW + 10] {
        assert_eq!(check_with::<K>(&verifier, &both, now), "of 1716501000 under new");
    }
}
