//! JSON read a second way: into a tree first, and the fields out of the tree by hand.

use crate::Digits;
use checkout_money::{CoinAmount, Rate};
use checkout_validate::Redacted;
use checkout_wire::{JsonText, Verbatim};
use serde_json::Value;
use std::borrow::Cow;

/// A field that may be null or left out; the outer none is a value that cannot be read.
pub fn optional<'a, T>(json: &'a Value, read: impl Fn(&'a Value) -> Option<T>) -> Option<Option<T>> {
    if json.is_null() { Some(None) } else { read(json).map(Some) }
}

/// A text.
pub fn text(json: &Value) -> Option<Cow<'_, str>> {
    json.as_str().map(Cow::Borrowed)
}

/// An integer of a table.
pub fn integer<T: From<i64>>(json: &Value) -> Option<T> {
    json.as_i64().map(T::from)
}

/// An amount of coins.
pub fn coins(json: &Value) -> Option<CoinAmount> {
    let digits = Digits::of_coins(json.as_str()?)?;
    CoinAmount::new(digits.mantissa, digits.scale).ok()
}

/// A value that is only carried: the value as read, or the text in its place. Null is none.
pub fn carried<'a, T>(json: &'a Value, read: impl Fn(&'a Value) -> Option<T>) -> Option<Verbatim<'a, T>> {
    if json.is_null() {
        return None;
    }
    let other = || JsonText::new(json.to_string()).ok().map(Verbatim::Other);
    read(json).map(Verbatim::Known).or_else(other)
}

/// A text about the payer that is only carried.
pub fn personal(json: &Value) -> Option<Verbatim<'_, Redacted<'_>>> {
    carried(json, |json| text(json).map(Redacted::from))
}

/// A rate that is only carried.
pub fn rate(json: &Value) -> Option<Verbatim<'_, Rate>> {
    carried(json, |json| {
        let digits = Digits::of_coins(json.as_str()?)?;
        Rate::new(digits.mantissa, digits.scale).ok()
    })
}

/// The id of a request: a text, or the digits of a number of 64 bits.
pub fn request_id(json: &Value) -> Option<Cow<'_, str>> {
    text(json).or_else(|| json.as_u64().map(|number| Cow::Owned(number.to_string())))
}

/// The intent's id in either of its two spellings, or in both if they agree.
pub fn one_id(payload: &Value) -> Option<Cow<'_, str>> {
    let this = optional(&payload["all_scale_checkout_intent_id"], text)?;
    let other = optional(&payload["allscale_checkout_intent_id"], text)?;
    if this.is_some() && other.is_some() && this != other { None } else { this.or(other) }
}

/// The depth of the nesting of lists and objects.
pub fn depth(json: &Value) -> usize {
    match json {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// The result of another reader for the bytes: a tree, or that they are no JSON.
///
/// None where the other reader knows less than the grammar: no number beyond a float's range, no half of a
/// surrogate pair, no nesting beyond 128, and a meaning of its own for one key. Where a value is only skipped
/// or kept as text, the grammar allows all of them.
pub fn value(bytes: &[u8]) -> Option<Result<Value, serde_json::Error>> {
    const OF_ITS_OWN: &[u8] = b"$serde_json::private";
    if bytes.windows(OF_ITS_OWN.len()).any(|window| window == OF_ITS_OWN) {
        return None;
    }
    let read = serde_json::from_slice::<Value>(bytes);
    if let Err(error) = &read {
        let said = error.to_string();
        let beyond =
            ["number out of range", "lone leading surrogate", "unexpected end of hex", "recursion limit"];
        if beyond.iter().any(|beyond| said.starts_with(beyond)) {
            return None;
        }
    }
    Some(read)
}
