//! Attacks on the receivers: for every change to a genuine event, the event is refused, or is still the same
//! event. The tests name the gaps that Peach's rule for signatures leaves open.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod allscale;
mod crowds;
#[cfg(feature = "http")]
mod http_requests;
mod peach;

use checkout_auth::Blame;
use checkout_lifecycle::Moment;
use std::fmt::{Debug, Display};

/// A word in every secret and in every personal text of these tests.
const PRIVATE: &str = "PRIVATE";

/// A moment, in seconds.
fn second(seconds: i64) -> Moment {
    Moment::from_unix_seconds(seconds)
}

/// Every other value of one byte: each of the bits changed, and the characters that delimit something
/// somewhere.
fn others(byte: u8) -> impl Iterator<Item = u8> {
    let bits = (0..8).map(move |bit| byte ^ 1 << bit);
    let delimiters = b"\0\t\n\r \"%&+,-./:;=?A\\\xff".iter().copied();
    bits.chain(delimiters).filter(move |other| *other != byte)
}

/// The text with each of its bytes changed, left out and preceded by another, in turn.
fn one_byte_otherwise(text: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let changed = (0..text.len()).flat_map(move |at| {
        others(text[at]).map(move |other| [&text[..at], &[other], &text[at + 1..]].concat())
    });
    let left_out = (0..text.len()).map(move |at| [&text[..at], &text[at + 1..]].concat());
    let inserted = (0..=text.len())
        .flat_map(move |at| others(b'0').map(move |other| [&text[..at], &[other], &text[at..]].concat()));
    changed.chain(left_out).chain(inserted)
}

/// The same, for a text that stays a text.
fn one_character_otherwise(text: &str) -> impl Iterator<Item = String> {
    one_byte_otherwise(text.as_bytes()).filter_map(|text| String::from_utf8(text).ok())
}

/// Every order of so many items.
fn orders(count: usize) -> Vec<Vec<usize>> {
    let Some(last) = count.checked_sub(1) else { return vec![Vec::new()] };
    let with_last =
        |order: Vec<usize>| (0..count).map(move |at| [&order[..at], &[last], &order[at..]].concat());
    orders(last).into_iter().flat_map(with_last).collect()
}

/// The text of a refusal: the status, the party to blame, and the reason. The refusal has a cause and nothing
/// private.
fn refusal(error: &(impl Debug + Display), status: u16, blame: Blame, hint: &str) -> String {
    assert!(hint.len() > 20, "{error}");
    let text = error.to_string();
    assert!(!text.ends_with('.') && text.starts_with(|first: char| first.is_lowercase()), "{text}");
    nothing_private(&[&text, &format!("{error:?}"), hint].concat());
    format!("{status} {blame:?}: {text}")
}

fn nothing_private(text: &str) {
    assert!(!text.contains(PRIVATE), "{text}");
}

#[test]
fn orders_holds_every_order() {
    assert_eq!(orders(2), [[1, 0], [0, 1]]);
    assert_eq!(orders(5).into_iter().collect::<std::collections::BTreeSet<_>>().len(), 120);
}
