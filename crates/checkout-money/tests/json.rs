//! The `serde` forms, through JSON.
#![cfg(feature = "serde")]

use checkout_money::{Cents, CoinAmount, Rate};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The JSON after reading and writing, or the error.
fn check<T: DeserializeOwned + Serialize>(json: &str) -> String {
    serde_json::from_str::<T>(json)
        .and_then(|value| serde_json::to_string(&value))
        .unwrap_or_else(|error| error.to_string())
}

#[test]
fn coins_and_rates_are_strings_and_keep_their_scale() {
    assert_eq!(check::<CoinAmount>(r#""1.0000""#), r#""1.0000""#);
    assert_eq!(check::<CoinAmount>(r#""-0.050000""#), r#""-0.050000""#);
    assert_eq!(check::<Rate>(r#""1.3500""#), r#""1.3500""#);
    assert_eq!(check::<Option<Rate>>("null"), "null");
}

#[test]
fn an_escaped_string_is_the_same_string() {
    assert_eq!(check::<CoinAmount>(r#""\u0031.0000""#), r#""1.0000""#);
    assert_eq!(check::<Rate>(r#""1\u002e35""#), r#""1.35""#);
}

#[test]
fn strings_are_read_from_bytes_readers_and_values_alike() {
    let json = r#""\u0031.0000""#;
    let from_slice: CoinAmount = serde_json::from_slice(json.as_bytes()).unwrap();
    let owned: serde_json::Value = serde_json::from_str(json).unwrap();
    let from_value: CoinAmount = serde_json::from_value(owned).unwrap();
    assert_eq!(from_slice.to_string(), "1.0000");
    assert!(from_slice.is_identical(from_value));
}

#[test]
fn a_number_is_no_coin_amount_and_no_rate() {
    for json in ["1", "-1", "1.0000", "1e3", "null", "true", "[]", "{}", r#"["1.0000"]"#] {
        for error in [check::<CoinAmount>(json), check::<Rate>(json)] {
            assert!(error.starts_with("invalid type: "), "{json}: {error}");
            assert!(error.contains("expected a string that holds a decimal number"), "{json}: {error}");
        }
    }
}

#[test]
fn a_fault_in_a_string_is_named_without_the_string() {
    assert_eq!(check::<CoinAmount>(r#""1,5""#), "a digit separator at byte 1 at line 1 column 5");
    assert_eq!(check::<CoinAmount>(r#""""#), "an empty text at byte 0 at line 1 column 2");
    assert_eq!(check::<Rate>(r#""1.5 ""#), "a blank at byte 3 at line 1 column 6");
    assert_eq!(
        check::<Rate>(r#""nan""#),
        "a character that is no part of a number at byte 0 at line 1 column 5"
    );
}

#[test]
fn cents_are_integers() {
    assert_eq!(check::<Cents>("1000"), "1000");
    assert_eq!(check::<Cents>("-5"), "-5");
    assert_eq!(check::<Cents>("-9223372036854775808"), "-9223372036854775808");
    for json in
        ["10.0", "1e3", r#""1000""#, "null", "true", "[1000]", "9223372036854775808", "-9223372036854775809"]
    {
        let error = check::<Cents>(json);
        assert!(
            error.starts_with("invalid type: ") || error.starts_with("invalid value: "),
            "{json}: {error}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_amount_survives_json(
        mantissa in (1 - (1_i128 << 96))..(1_i128 << 96),
        scale in 0..=28_u32,
        hundredths: i64,
    ) {
        let coins = CoinAmount::new(mantissa, scale).unwrap();
        let json = serde_json::to_string(&coins).unwrap();
        prop_assert_eq!(&json, &format!("\"{coins}\""));
        prop_assert!(serde_json::from_str::<CoinAmount>(&json).unwrap().is_identical(coins));

        let rate = Rate::new(mantissa, scale).unwrap();
        let json = serde_json::to_string(&rate).unwrap();
        prop_assert!(serde_json::from_str::<Rate>(&json).unwrap().is_identical(rate));

        let json = serde_json::to_string(&Cents::new(hundredths)).unwrap();
        prop_assert_eq!(&json, &hundredths.to_string());
        prop_assert_eq!(serde_json::from_str::<Cents>(&json).unwrap(), Cents::new(hundredths));
    }

    #[test]
    fn a_json_string_is_read_as_the_same_text(text in "[0-9.-]{0,9}|\\PC{0,9}") {
        let json = serde_json::to_string(&text).unwrap();
        let read = serde_json::from_str::<CoinAmount>(&json).ok().map(|coins| coins.to_string());
        prop_assert_eq!(read, text.parse::<CoinAmount>().ok().map(|coins| coins.to_string()));
    }
}
