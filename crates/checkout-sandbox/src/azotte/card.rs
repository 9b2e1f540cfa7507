//! The removal of card data from a request before the sandbox keeps the request.

use checkout_transport::bytes::Bytes;
use serde_json::Value;

/// The JSON of a body without anything of a card. Empty if the body is not JSON.
pub(super) fn without_card(body: &[u8]) -> Bytes {
    let Ok(mut value) = serde_json::from_slice::<Value>(body) else { return Bytes::new() };
    remove_card(&mut value, false);
    Bytes::from(value.to_string())
}

fn remove_card(value: &mut Value, is_of_card: bool) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let is_card = CARD.iter().any(|of_card| name.eq_ignore_ascii_case(of_card));
                remove_card(value, is_of_card || is_card);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| remove_card(value, is_of_card)),
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) | Value::String(_) if is_of_card => *value = "removed".into(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The names on the page, and the short names that the page gives beside those.
const CARD: [&str; 8] =
    ["creditCard", "CC", "cardHolderName", "cardNumber", "expireMonth", "expireYear", "cvc", "cardAlias"];
