//! Fields from a form: webhooks, and the shopper's return.

use super::Fields;
use super::fields::Refused;
use crate::json::BODY_CAP;
use alloc::borrow::Cow;
use alloc::vec::Vec;

impl<'a> Fields<'a> {
    /// Reads `application/x-www-form-urlencoded`: a webhook, or the POST that brings the shopper back. Keys
    /// and values are decoded, because the signature is over the decoded text. A piece without `=` is a key
    /// with an empty value, and an empty piece is nothing.
    ///
    /// # Errors
    /// [`FormError`], for a body that cannot be decoded to one text for each key.
    ///
    /// ```
    /// # checkout_doctest::facade!(wire);
    /// use checkout_kit::peach::{Fields, FormError};
    ///
    /// assert_eq!(Fields::from_form(b"a=1&a=2").unwrap_err(), FormError::Duplicate { at: 4 });
    /// assert_eq!(Fields::from_form(b"a=%zz").unwrap_err(), FormError::Percent { at: 2 });
    /// assert_eq!(Fields::from_form(b"a=%ff").unwrap_err(), FormError::NotUtf8 { at: 2 });
    /// ```
    pub fn from_form(body: &'a [u8]) -> Result<Self, FormError> {
        if body.len() > BODY_CAP {
            return Err(FormError::TooLarge { cap: BODY_CAP });
        }
        let (mut fields, mut at) = (Self::default(), 0usize);
        for piece in body.split(|byte| *byte == b'&') {
            if !piece.is_empty() {
                let equals = piece.iter().position(|byte| *byte == b'=').unwrap_or(piece.len());
                let (key, rest) = piece.split_at(equals);
                let value = rest.get(1..).unwrap_or_default();
                let key = decoded(key, at)?;
                let value = decoded(value, at.saturating_add(equals).saturating_add(1))?;
                fields.insert(key, value).map_err(|refused| match refused {
                    Refused::TooMany => FormError::TooMany { at },
                    Refused::Duplicate(_) => FormError::Duplicate { at },
                })?;
            }
            at = at.saturating_add(piece.len()).saturating_add(1);
        }
        Ok(fields)
    }
}

/// The error of a body that is not a form with one text for each key, with the position in bytes from the
/// beginning. The error holds nothing of the body, which can be anybody's name.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::peach::FormError;
///
/// assert_eq!(FormError::Duplicate { at: 4 }.to_string(), "a key stands twice, at byte 4");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// Longer than the cap.
    #[error("longer than {cap} bytes")]
    TooLarge {
        /// The cap, in bytes.
        cap: usize,
    },
    /// A `%` that two hexadecimal digits do not follow.
    #[error("a percent sign without two hexadecimal digits, at byte {at}")]
    Percent {
        /// The position where the key or the value begins.
        at: usize,
    },
    /// A key or a value that is not UTF-8.
    #[error("not UTF-8, at byte {at}")]
    NotUtf8 {
        /// The position where the key or the value begins.
        at: usize,
    },
    /// The same key twice.
    #[error("a key stands twice, at byte {at}")]
    Duplicate {
        /// The position where the second key begins.
        at: usize,
    },
    /// More fields than any body has.
    #[error("too many fields, at byte {at}")]
    TooMany {
        /// The position where the first excess field begins.
        at: usize,
    },
}

fn decoded(text: &[u8], at: usize) -> Result<Cow<'_, str>, FormError> {
    if !text.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        return core::str::from_utf8(text).map(Cow::Borrowed).map_err(|_| FormError::NotUtf8 { at });
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit =
                    || char::from(*rest.next()?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                match (digit(), digit()) {
                    (Some(high), Some(low)) => high << 4 | low,
                    _ => return Err(FormError::Percent { at }),
                }
            }
            other => *other,
        });
    }
    alloc::string::String::from_utf8(bytes).map(Cow::Owned).map_err(|_| FormError::NotUtf8 { at })
}
