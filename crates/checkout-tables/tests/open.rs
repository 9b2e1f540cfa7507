//! An integer or a text that nobody has named yet goes in and comes out unchanged.
#![cfg(feature = "serde")]
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use checkout_tables::Open;
use checkout_tables::allscale::{Currency, IntentStatus};
use proptest::prelude::*;

/// JSON in; the value and the written JSON out, or the error.
fn check(json: &str) -> String {
    match serde_json::from_str::<Open<IntentStatus>>(json) {
        Ok(open) => format!("{open:?} -> {}", serde_json::to_string(&open).unwrap()),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_named_integer_is_its_row() {
    assert_eq!(check("20"), "Confirmed -> 20");
    assert_eq!(check("-5"), "Timeout -> -5");
}

#[test]
fn an_unnamed_integer_is_kept_up_to_the_ends_of_i64() {
    assert_eq!(check("6"), "Unknown(6) -> 6");
    assert_eq!(check("0"), "Unknown(0) -> 0");
    assert_eq!(check("9223372036854775807"), "Unknown(9223372036854775807) -> 9223372036854775807");
    assert_eq!(check("-9223372036854775808"), "Unknown(-9223372036854775808) -> -9223372036854775808");
}

#[test]
fn a_value_that_is_no_integer_of_64_bits_is_a_clear_error() {
    let expected = |json: &str, what: &str| {
        let said = check(json);
        assert!(said.contains(what), "{json}: {said}");
    };
    expected("9223372036854775808", "invalid value: integer `9223372036854775808`, expected i64");
    expected("-9223372036854775809", "expected i64");
    expected("18446744073709551616", "expected i64");
    expected("1e400", "number out of range");
    expected("20.0", "expected i64");
    expected("2e1", "expected i64");
    expected("\"20\"", "invalid type: string \"20\", expected i64");
    expected("null", "invalid type: null, expected i64");
    expected("{\"status\":20}", "invalid type: map, expected i64");
}

#[test]
fn a_closed_enum_refuses_a_value_outside_its_table() {
    assert_eq!(serde_json::from_str::<Currency>("44").unwrap(), Currency::EUR);
    assert_eq!(serde_json::to_string(&Currency::EUR).unwrap(), "44");
    assert!(serde_json::from_str::<Currency>("164").is_err());
    assert!(serde_json::from_str::<Currency>("\"EUR\"").is_err());
}

proptest! {
    #[test]
    fn every_i64_survives_reading_and_writing(value: i64) {
        let open: Open<IntentStatus> = serde_json::from_str(&value.to_string()).unwrap();
        prop_assert_eq!(open.value(), value);
        prop_assert_eq!(serde_json::to_string(&open).unwrap(), value.to_string());
        // `Known` is exactly the table, so that equal integers are equal values.
        prop_assert_eq!(open.known().map(i64::from), IntentStatus::ROWS.map(i64::from).into_iter().find(|row| *row == value));
    }
}

#[cfg(feature = "alloc")]
mod text {
    use super::*;
    use checkout_tables::allscale::StableCoin;
    use std::borrow::Cow;

    #[test]
    fn text_is_borrowed_where_the_input_has_it_in_one_piece() {
        let plain: Open<StableCoin, Cow<'_, str>> = serde_json::from_str("\"PYUSD\"").unwrap();
        assert!(matches!(plain.unknown(), Some(Cow::Borrowed("PYUSD"))));
        let escaped: Open<StableCoin, Cow<'_, str>> = serde_json::from_str(r#""PY\u0055SD""#).unwrap();
        assert!(matches!(escaped.unknown(), Some(Cow::Owned(_))));
        assert_eq!(plain, escaped);
        let row: Open<StableCoin, Cow<'_, str>> = serde_json::from_str(r#""\u0055SDT""#).unwrap();
        assert_eq!(row, Open::Known(StableCoin::USDT));
    }

    proptest! {
        #[test]
        fn every_text_survives_reading_and_writing_in_every_form(text: String) {
            let json = serde_json::to_string(&text).unwrap();
            let cow: Open<StableCoin, Cow<'_, str>> = serde_json::from_str(&json).unwrap();
            let string: Open<StableCoin, String> = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(cow.text(), &text);
            prop_assert_eq!(string.text(), &text);
            prop_assert_eq!(serde_json::to_string(&cow).unwrap(), json.clone());
            prop_assert_eq!(serde_json::to_string(&string).unwrap(), json.clone());
            prop_assert_eq!(cow.clone().into_owned(), cow);
        }
    }
}
