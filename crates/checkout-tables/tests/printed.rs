//! The printed form of a value that came from a provider.
#![allow(missing_docs, reason = "tests")]

use checkout_tables::Open;
use checkout_tables::allscale::{Currency, StableCoin};
use proptest::prelude::*;

/// A text in, the printed text out.
fn check(text: &str) -> String {
    let open: Open<StableCoin, &str> = Open::from(text);
    assert_eq!(open.text(), text);
    open.to_string()
}

#[test]
fn a_text_from_outside_is_printed_on_one_line_and_steers_no_terminal() {
    assert_eq!(check("USDT"), "USDT");
    assert_eq!(check("PYUSD"), "PYUSD");
    assert_eq!(check("A\nB"), r"A\nB");
    assert_eq!(check("A\r\tB\0"), r"A\r\tB\0");
    assert_eq!(check("\u{1b}[2J\u{7f}\u{9b}"), r"\u{1b}[2J\u{7f}\u{9b}");
    // The end of a line by another name, and marks that turn the direction of writing.
    assert_eq!(check("A\u{2028}B\u{202e}C\u{200b}"), r"A\u{2028}B\u{202e}C\u{200b}");
    // A printable character is printed, and an escape can be told from a text that looks like an escape.
    assert_eq!(check(r#"Tether's "€" 币"#), r#"Tether's "€" 币"#);
    assert_eq!(check(r"A\nB"), r"A\\nB");
    assert_eq!(check(""), "");
}

#[test]
fn an_integer_is_printed_unchanged() {
    assert_eq!(Open::<Currency>::from(44).to_string(), "EUR");
    assert_eq!(Open::<Currency>::from(-164).to_string(), "-164");
    assert_eq!(format!("{:>5}|{:<5}|{:+}", other(), other(), other()), "  164|164  |+164");
}

fn other() -> Open<Currency> {
    Open::from(164)
}

proptest! {
    #[test]
    fn the_printed_text_is_printable_and_gives_the_text_back(text: String) {
        let printed = check(&text);
        prop_assert!(!printed.contains(char::is_control));
        // Read as a literal, for which only the quotation marks are missing.
        let mut back = String::new();
        let mut rest = printed.as_str();
        while let Some(character) = rest.chars().next() {
            rest = &rest[character.len_utf8()..];
            if character != '\\' {
                back.push(character);
                continue;
            }
            let escape = rest.chars().next();
            rest = &rest[1..];
            back.push(match escape {
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                Some('0') => '\0',
                Some('u') => {
                    let (digits, after) = rest[1..].split_once('}').ok_or(TestCaseError::fail("no end"))?;
                    rest = after;
                    let scalar = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32);
                    scalar.ok_or(TestCaseError::fail("no character"))?
                }
                other => {
                    prop_assert_eq!(other, Some('\\'));
                    '\\'
                }
            });
        }
        prop_assert_eq!(back, text);
    }

    #[test]
    fn a_plain_text_is_padded_and_cut_as_any_other(text in "[ -\\[\\]-~€]{0,12}", width in 0usize..16, cut in 0usize..14) {
        let open: Open<StableCoin, &str> = Open::from(text.as_str());
        prop_assert_eq!(format!("{open:*<width$}|"), format!("{text:*<width$}|"));
        prop_assert_eq!(format!("{open:*>width$}|"), format!("{text:*>width$}|"));
        prop_assert_eq!(format!("{open:*^width$}|"), format!("{text:*^width$}|"));
        prop_assert_eq!(format!("{open:width$.cut$}|"), format!("{text:width$.cut$}|"));
    }
}

#[cfg(feature = "alloc")]
proptest! {
    #[test]
    fn a_text_is_printed_alike_in_every_form(text: String) {
        use std::borrow::Cow;
        let borrowed: Open<StableCoin, Cow<'_, str>> = Open::from(Cow::Borrowed(text.as_str()));
        let string: Open<StableCoin, String> = Open::from(text.clone());
        prop_assert_eq!(borrowed.to_string(), check(&text));
        prop_assert_eq!(borrowed.into_owned().to_string(), check(&text));
        prop_assert_eq!(string.to_string(), check(&text));
        prop_assert_eq!(string.unknown().map_or("USDT", String::as_str), text);
    }
}
