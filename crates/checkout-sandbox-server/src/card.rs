//! A body of Azotte's with nothing of a card, for which Azotte's sandbox does the same.

use checkout_transport::bytes::Bytes;
use serde_json::Value;

/// The body with a text of the same shape in the place of each text of a card: the sandbox looks at the shape
/// of a card's fields and keeps nothing of the card. A body that is not JSON could hold anything, and is
/// refused like the empty body that takes its place.
pub(crate) fn without_card(body: &[u8]) -> Bytes {
    let Ok(mut value) = serde_json::from_slice::<Value>(body) else { return Bytes::new() };
    replace(&mut value, None);
    value.to_string().into()
}

/// Replaces the texts and numbers of a card. `of_card` is the name of the member, in a card.
fn replace(value: &mut Value, of_card: Option<&str>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let is_card = of_card.is_some() || CARD.iter().any(|card| name.eq_ignore_ascii_case(card));
                replace(value, is_card.then_some(&**name));
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| replace(value, of_card)),
        Value::Number(number) if of_card.is_some() => *number = 0.into(),
        Value::String(text) => {
            if let Some(name) = of_card {
                *text = of_same_shape(name, text);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Zeros for digits, and `x` for all else that is no space. A month stays a month.
fn of_same_shape(name: &str, text: &str) -> String {
    let is_month = text.len() == 2 && ("01"..="12").contains(&text);
    if name == "expireMonth" && is_month {
        return "01".to_owned();
    }
    let shape = |c: char| match c {
        c if c.is_ascii_digit() => '0',
        c if c.is_whitespace() => ' ',
        _ => 'x',
    };
    text.chars().map(shape).collect()
}

/// The names of an object that holds a card, and of a card's fields.
const CARD: [&str; 8] =
    ["creditCard", "CC", "cardHolderName", "cardNumber", "expireMonth", "expireYear", "cvc", "cardAlias"];

#[cfg(test)]
mod tests {
    use super::*;
    use checkout_sandbox::azotte::{API_KEY, Sandbox, X_TN};
    use checkout_transport::BlockingTransport;
    use checkout_transport::http::Request;
    use serde_json::json;

    /// The answer of a sandbox to a submit.
    fn answer(body: &[u8]) -> (u16, Bytes) {
        let submit = Request::post("https://shop.sandbox.azotte.com/api/v1/c2a/offer/checkout")
            .header("x-tn", X_TN)
            .header("x-api-key", API_KEY)
            .header("content-type", "application/json")
            .body(Bytes::copy_from_slice(body))
            .unwrap();
        let answer = Sandbox::new(7).send_blocking(submit).unwrap();
        (answer.status().as_u16(), answer.into_body())
    }

    #[test]
    fn the_sandbox_answers_the_same_without_the_card() {
        let order = json!({ "offerIdentifier": "of_1", "items": [{ "itemIdentifier": "it_1" }],
            "customer": { "customerUrn": "cu.00.482" } });
        let good = json!({ "cardHolderName": "Ada Secret", "cardNumber": "4111111111111111",
            "expireMonth": "09", "expireYear": "2031", "cvc": "987" });
        let mut accepted = 0;
        for stored in [false, true] {
            for (name, value) in [
                ("cvc", json!("987")),
                ("cvc", json!("98")),
                ("cvc", json!("98a")),
                ("cvc", json!(987)),
                ("cvc", Value::Null),
                ("cardNumber", json!("41111111111")),
                ("cardNumber", json!("4111 1111 1111 1111")),
                ("cardNumber", json!("\u{664}111111111111111")),
                ("cardHolderName", json!("  \u{a0}")),
                ("cardHolderName", json!("")),
                ("expireMonth", json!("13")),
                ("expireMonth", json!("00")),
                ("expireMonth", json!("9")),
                ("expireMonth", json!(["09"])),
                ("expireYear", json!("31")),
                ("cardAlias", json!("Ada's")),
                ("token", json!("tok_987")),
            ] {
                let mut card = good.clone();
                card.as_object_mut().unwrap().insert(name.to_owned(), value);
                let method =
                    json!({ "paymentChannel": "CreditCard", "useStoredMethod": stored, "creditCard": card });
                let body = json!({ "order": order, "paymentMethod": method }).to_string();
                let kept = without_card(body.as_bytes());
                let text = String::from_utf8(kept.to_vec()).unwrap();
                for secret in ["4111", "987", "Ada", "2031"] {
                    assert!(!text.contains(secret), "{text}");
                }
                let expected = answer(body.as_bytes());
                accepted += usize::from(expected.0 == 202);
                assert_eq!(answer(&kept), expected, "{name} {text}");
            }
        }
        assert!(accepted > 5, "{accepted}");
    }

    #[test]
    fn nothing_of_a_card_is_left_elsewhere() {
        let body = br#"{"order":{"CVC":"987","a":[{"creditcard":["4111",{"b":4111}]}]},"note":"kept"}"#;
        assert_eq!(
            without_card(body),
            r#"{"note":"kept","order":{"CVC":"000","a":[{"creditcard":["0000",{"b":0}]}]}}"#
        );
        assert_eq!(without_card(br#"{"cardNumber":"4111""#), "");
    }
}
