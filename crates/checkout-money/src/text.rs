//! The text form of amounts: one grammar for every type, `-?digits(.digits)?`.

use core::fmt;

use thiserror::Error;

/// The error for a text that is not an amount: the kind of fault, and its place.
///
/// The error never holds the text itself, so you can log it. The error does not know the field of the text:
/// add the field where you know it.
///
/// ```
/// # checkout_doctest::facade!(money);
/// use checkout_kit::CoinAmount;
/// use checkout_kit::money::ParseAmountErrorKind;
///
/// let error = "1,0000".parse::<CoinAmount>().unwrap_err();
/// assert_eq!((error.kind(), error.at()), (ParseAmountErrorKind::Separator, 1));
/// assert_eq!(error.to_string(), "a digit separator at byte 1");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[error("{kind} at byte {at}")]
pub struct ParseAmountError {
    kind: ParseAmountErrorKind,
    at: usize,
}

impl ParseAmountError {
    /// The kind of fault.
    ///
    /// ```
    /// # checkout_doctest::facade!(money);
    /// use checkout_kit::Cents;
    /// use checkout_kit::money::ParseAmountErrorKind;
    ///
    /// let error = "10.005".parse::<Cents>().unwrap_err();
    /// assert_eq!(error.kind(), ParseAmountErrorKind::TooManyDecimals);
    /// ```
    #[must_use]
    pub const fn kind(self) -> ParseAmountErrorKind {
        self.kind
    }

    /// The byte offset of the first byte that cannot stand there; the length of the text if its end comes too
    /// early.
    ///
    /// ```
    /// # checkout_doctest::facade!(money);
    /// use checkout_kit::Cents;
    ///
    /// assert_eq!("10.005".parse::<Cents>().unwrap_err().at(), 5);
    /// assert_eq!("10.".parse::<Cents>().unwrap_err().at(), 3);
    /// ```
    #[must_use]
    pub const fn at(self) -> usize {
        self.at
    }
}

/// The kinds of faults in the text of an amount.
///
/// ```
/// # checkout_doctest::facade!(money);
/// use checkout_kit::CoinAmount;
/// use checkout_kit::money::ParseAmountErrorKind;
///
/// let kind = |text: &str| text.parse::<CoinAmount>().unwrap_err().kind();
/// assert_eq!(kind("1e3"), ParseAmountErrorKind::Exponent);
/// assert_eq!(kind("+1"), ParseAmountErrorKind::Sign);
/// assert_eq!(kind("NaN"), ParseAmountErrorKind::Other);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ParseAmountErrorKind {
    /// The text is empty.
    Empty,
    /// A point or the end comes where a digit must: `"."`, `".5"`, `"5."`, `"-"`.
    MissingDigit,
    /// A plus sign, or a minus that is not the first byte.
    Sign,
    /// A second decimal point.
    SecondPoint,
    /// A comma, an underscore or an apostrophe.
    Separator,
    /// An `e` or `E` after a digit.
    Exponent,
    /// An ASCII blank or line break.
    Blank,
    /// A character outside ASCII, including digits of other scripts and wide blanks.
    NotAscii,
    /// Any other ASCII character.
    Other,
    /// More decimals than the type holds exactly: the third of [`Cents`](crate::Cents), the 29th of the
    /// others, or an earlier one if the digits before it have used up the range.
    TooManyDecimals,
    /// With this digit the amount leaves the type's range.
    TooLarge,
}

impl fmt::Display for ParseAmountErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "an empty text",
            Self::MissingDigit => "a missing digit",
            Self::Sign => "a sign other than one leading minus",
            Self::SecondPoint => "a second decimal point",
            Self::Separator => "a digit separator",
            Self::Exponent => "an exponent",
            Self::Blank => "a blank",
            Self::NotAscii => "a character outside ascii",
            Self::Other => "a character that is no part of a number",
            Self::TooManyDecimals => "more decimals than can be held exactly",
            Self::TooLarge => "an amount out of range",
        })
    }
}

/// One digit of an amount, and its place.
#[derive(Clone, Copy)]
pub(crate) struct Digit {
    /// 0 to 9; not positive when the amount has a minus.
    pub(crate) value: i64,
    /// 0 for a digit before the point, n for the n-th digit after the point.
    pub(crate) decimal: u32,
}

/// Passes `take` the digits of `text` from left to right, until a byte cannot stand there or `take` refuses a
/// digit.
pub(crate) fn scan(
    text: &str,
    mut take: impl FnMut(Digit) -> Result<(), ParseAmountErrorKind>,
) -> Result<(), ParseAmountError> {
    let mut negative = false;
    let mut point = false;
    let mut decimal = 0_u32;
    let mut after_digit = false;
    for (at, byte) in text.bytes().enumerate() {
        let step = match byte {
            b'0'..=b'9' => {
                let value = i64::from(byte.saturating_sub(b'0'));
                decimal = decimal.saturating_add(u32::from(point));
                after_digit = true;
                take(Digit { value: if negative { value.saturating_neg() } else { value }, decimal })
            }
            b'-' if at == 0 => {
                negative = true;
                Ok(())
            }
            b'.' if after_digit && !point => {
                point = true;
                after_digit = false;
                Ok(())
            }
            _ => Err(fault(byte, after_digit, point)),
        };
        step.map_err(|kind| ParseAmountError { kind, at })?;
    }
    if after_digit {
        Ok(())
    } else if text.is_empty() {
        Err(ParseAmountError { kind: ParseAmountErrorKind::Empty, at: 0 })
    } else {
        Err(ParseAmountError { kind: ParseAmountErrorKind::MissingDigit, at: text.len() })
    }
}

/// The reason why a byte that is not a digit cannot stand there.
const fn fault(byte: u8, after_digit: bool, point: bool) -> ParseAmountErrorKind {
    match byte {
        b'.' if point => ParseAmountErrorKind::SecondPoint,
        b'.' => ParseAmountErrorKind::MissingDigit,
        b'+' | b'-' => ParseAmountErrorKind::Sign,
        b',' | b'_' | b'\'' => ParseAmountErrorKind::Separator,
        b'e' | b'E' if after_digit => ParseAmountErrorKind::Exponent,
        b' ' | b'\t'..=b'\r' => ParseAmountErrorKind::Blank,
        0x80.. => ParseAmountErrorKind::NotAscii,
        _ => ParseAmountErrorKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use std::format;
    use std::string::{String, ToString};

    use super::*;

    /// The digits with their places, or the fault.
    fn check(text: &str) -> String {
        let mut digits = String::new();
        match scan(text, |digit| {
            digits += &format!("{}@{} ", digit.value, digit.decimal);
            Ok(())
        }) {
            Ok(()) => digits.trim_end().to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_digit_comes_with_its_sign_and_its_place() {
        assert_eq!(check("12.30"), "1@0 2@0 3@1 0@2");
        assert_eq!(check("-12.3"), "-1@0 -2@0 -3@1");
        assert_eq!(check("007"), "0@0 0@0 7@0");
    }

    #[test]
    fn a_digit_must_stand_at_both_ends_and_on_both_sides_of_the_point() {
        assert_eq!(check(""), "an empty text at byte 0");
        assert_eq!(check("-"), "a missing digit at byte 1");
        assert_eq!(check("."), "a missing digit at byte 0");
        assert_eq!(check(".5"), "a missing digit at byte 0");
        assert_eq!(check("-.5"), "a missing digit at byte 1");
        assert_eq!(check("5."), "a missing digit at byte 2");
        assert_eq!(check("5..5"), "a second decimal point at byte 2");
        assert_eq!(check("5.5.5"), "a second decimal point at byte 3");
    }

    #[test]
    fn the_first_foreign_byte_is_named_by_its_class() {
        assert_eq!(check("+1"), "a sign other than one leading minus at byte 0");
        assert_eq!(check("--1"), "a sign other than one leading minus at byte 1");
        assert_eq!(check("1-"), "a sign other than one leading minus at byte 1");
        assert_eq!(check("1,000.00"), "a digit separator at byte 1");
        assert_eq!(check("1_000"), "a digit separator at byte 1");
        assert_eq!(check("1'000"), "a digit separator at byte 1");
        assert_eq!(check("1.5E3"), "an exponent at byte 3");
        assert_eq!(check("1e3"), "an exponent at byte 1");
        assert_eq!(check("e3"), "a character that is no part of a number at byte 0");
        assert_eq!(check(" 1"), "a blank at byte 0");
        for blank in [" ", "\t", "\n", "\u{b}", "\u{c}", "\r"] {
            assert_eq!(check(&format!("1{blank}")), "a blank at byte 1");
        }
        assert_eq!(check("1\0"), "a character that is no part of a number at byte 1");
        assert_eq!(check("0x10"), "a character that is no part of a number at byte 1");
        assert_eq!(check("1\u{a0}000"), "a character outside ascii at byte 1");
        assert_eq!(check("1\u{661}"), "a character outside ascii at byte 1");
        assert_eq!(check("\u{2212}1"), "a character outside ascii at byte 0");
        assert_eq!(check("USDT 1 \u{20ac}"), "a character that is no part of a number at byte 0");
    }

    #[test]
    fn a_refused_digit_is_reported_where_it_stands() {
        let mut left = 3;
        let error = scan("-1.234", |_| {
            left -= 1;
            if left < 0 { Err(ParseAmountErrorKind::TooManyDecimals) } else { Ok(()) }
        });
        assert_eq!(
            error.map_err(|error| error.to_string()),
            Err("more decimals than can be held exactly at byte 5".into())
        );
    }
}
