//! Pairs of texts, read from a form, a query or JSON, and written into a form.

use serde_json::Value;

use crate::percent;

/// A key and its value, decoded. A key may come twice.
pub(super) type Pairs = Vec<(String, String)>;

/// The first value of a key, unless the value is empty.
pub(super) fn value_of<'a>(pairs: &'a [(String, String)], key: &str) -> Option<&'a str> {
    pairs
        .iter()
        .find(|(name, _)| name == key)
        .map(|(_, value)| value.as_str())
        .filter(|value| !value.is_empty())
}

/// The pairs, borrowed for the signature.
pub(super) fn borrowed(pairs: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    pairs.iter().map(|(key, value)| (key.as_str(), value.as_str()))
}

/// The pairs of a form or of a query. `None` if an escape is broken or the text is not UTF-8.
pub(super) fn decode(form: &[u8]) -> Option<Pairs> {
    let pieces = form.split(|byte| *byte == b'&').filter(|piece| !piece.is_empty());
    pieces
        .map(|piece| {
            let mut halves = piece.splitn(2, |byte| *byte == b'=');
            let (key, value) = (halves.next().unwrap_or_default(), halves.next().unwrap_or_default());
            Some((percent::decoded(key, b' ')?, percent::decoded(value, b' ')?))
        })
        .collect()
}

/// Pairs as `application/x-www-form-urlencoded`.
pub(super) fn encode(pairs: &[(String, String)]) -> String {
    let mut form = String::new();
    for (key, value) in pairs {
        if !form.is_empty() {
            form.push('&');
        }
        escape(key, &mut form);
        form.push('=');
        escape(value, &mut form);
    }
    form
}

/// The pairs of a JSON object. Nested names are joined with dots, the names in `customParameters` and the
/// places in a list stand in brackets, and null values are left out. `None` if the text is no JSON object, or
/// if the names together have more than [`MOST_NAMED`] bytes.
pub(super) fn flatten(json: &[u8]) -> Option<Pairs> {
    let value: Value = serde_json::from_slice(json).ok()?;
    let (mut pairs, mut room) = (Vec::new(), MOST_NAMED);
    for (name, value) in value.as_object()? {
        flatten_into(name.clone(), value, &mut pairs, &mut room)?;
    }
    Some(pairs)
}

/// A name in an object stands in front of each value of the object, so a small text can have many names.
const MOST_NAMED: usize = 1 << 20;

fn flatten_into(key: String, value: &Value, pairs: &mut Pairs, room: &mut usize) -> Option<()> {
    *room = room.checked_sub(key.len())?;
    match value {
        Value::Null => {}
        Value::Bool(truth) => pairs.push((key, truth.to_string())),
        Value::Number(number) => pairs.push((key, number.to_string())),
        Value::String(text) => pairs.push((key, text.clone())),
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                flatten_into(format!("{key}[{at}]"), item, pairs, room)?;
            }
        }
        Value::Object(members) => {
            for (name, value) in members {
                let bracketed = key == "customParameters";
                let key = if bracketed { format!("{key}[{name}]") } else { format!("{key}.{name}") };
                flatten_into(key, value, pairs, room)?;
            }
        }
    }
    Some(())
}

fn escape(text: &str, form: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'*' | b'-' | b'.' | b'_' => {
                form.push(char::from(byte))
            }
            b' ' => form.push('+'),
            byte => form.push_str(&format!("%{byte:02X}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pairs(pairs: &[(&str, &str)]) -> Pairs {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_published_form_is_read_as_published() {
        let form = b"amount=14.99&result.code=000.100.110&result.description=Request+successfully+\
            processed+in+%27Merchant+in+Integrator+Test+Mode%27&\
            timestamp=2019-01-25T08%3A27%3A46.916519Z&empty=&bare&&a=b=c";
        let expected = pairs(&[
            ("amount", "14.99"),
            ("result.code", "000.100.110"),
            ("result.description", "Request successfully processed in 'Merchant in Integrator Test Mode'"),
            ("timestamp", "2019-01-25T08:27:46.916519Z"),
            ("empty", ""),
            ("bare", ""),
            ("a", "b=c"),
        ]);
        assert_eq!(decode(form).unwrap(), expected);
    }

    #[test]
    fn a_broken_form_is_none() {
        for form in ["a=%", "a=%4", "a=%zz", "%ff=1", "a=%+1"] {
            assert_eq!(decode(form.as_bytes()), None, "{form}");
        }
        assert_eq!(decode(b""), Some(Vec::new()));
    }

    #[test]
    fn json_is_flattened_to_the_names_of_the_form() {
        let json = br#"{"authentication":{"entityId":"e"},"amount":10.25,"forceDefaultMethod":true,"x":null,
            "customParameters":{"a.b":"1"},"cart":{"tax":15,"items":[{"name":"n"},"m"]},
            "customer.email":"c"}"#;
        let mut flat = flatten(json).unwrap();
        flat.sort();
        let expected = [
            ("amount", "10.25"),
            ("authentication.entityId", "e"),
            ("cart.items[0].name", "n"),
            ("cart.items[1]", "m"),
            ("cart.tax", "15"),
            ("customParameters[a.b]", "1"),
            ("customer.email", "c"),
            ("forceDefaultMethod", "true"),
        ];
        assert_eq!(flat, pairs(&expected));
        let names = format!("{{\"{}\":[{}1]}}", "a".repeat(2_000), "1,".repeat(1_000));
        assert_eq!(flatten(names.as_bytes()), None);
        for no_object in ["", "[]", "1", "{\"a\":1"] {
            assert_eq!(flatten(no_object.as_bytes()), None, "{no_object}");
        }
    }

    proptest! {
        #[test]
        fn encoded_pairs_are_decoded_to_the_same_pairs(pairs in prop::collection::vec((".+", ".*"), 0..5)) {
            let form = encode(&pairs);
            prop_assert!(form.is_ascii());
            prop_assert_eq!(decode(form.as_bytes()), Some(pairs));
        }
    }
}
