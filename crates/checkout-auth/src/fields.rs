//! The header fields of a message, whatever HTTP crate they come from.

use alloc::vec::Vec;

use crate::blame::Blame;
use crate::time::read_seconds;

/// The header fields of an HTTP message, to look up by name.
///
/// Implemented for lists of names and values, and with the feature `http` for the `HeaderMap` of the `http`
/// crate. For another crate's map, collect such a list from the map, or implement this trait for a type of
/// your own around the map.
///
/// ```
/// # checkout_doctest::facade!(auth);
/// use checkout_kit::auth::HeaderFields;
///
/// let fields = [("Host", "shop.example"), ("X-API-Key", "test_key"), ("x-api-key", "another")];
/// assert_eq!(fields.values("x-api-Key").collect::<Vec<_>>(), [b"test_key".as_slice(), b"another"]);
/// assert_eq!(fields.values("x-nonce").next(), None);
/// ```
pub trait HeaderFields {
    /// Every value of the field, one for each time that the field was sent, in the order sent. The case of
    /// the name does not matter, as in HTTP.
    ///
    /// An implementation must neither join nor leave out values: that a field was sent twice is for the
    /// verifier to see.
    ///
    /// ```
    /// # use checkout_auth::HeaderFields;
    /// let fields = vec![(String::from("X-Nonce"), vec![0x31, 0xff])];
    /// assert_eq!(fields.values("x-nonce").next(), Some([0x31, 0xff].as_slice()));
    /// ```
    fn values<'h>(&'h self, name: &str) -> impl Iterator<Item = &'h [u8]>;
}

impl<N: AsRef<str>, V: AsRef<[u8]>> HeaderFields for [(N, V)] {
    fn values<'h>(&'h self, name: &str) -> impl Iterator<Item = &'h [u8]> {
        self.iter()
            .filter(move |(own, _)| own.as_ref().eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_ref())
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>, const COUNT: usize> HeaderFields for [(N, V); COUNT] {
    fn values<'h>(&'h self, name: &str) -> impl Iterator<Item = &'h [u8]> {
        self.as_slice().values(name)
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>> HeaderFields for Vec<(N, V)> {
    fn values<'h>(&'h self, name: &str) -> impl Iterator<Item = &'h [u8]> {
        self.as_slice().values(name)
    }
}

#[cfg(feature = "http")]
impl HeaderFields for http::HeaderMap {
    fn values<'h>(&'h self, name: &str) -> impl Iterator<Item = &'h [u8]> {
        self.get_all(name).iter().map(http::HeaderValue::as_bytes)
    }
}

impl<T: HeaderFields + ?Sized> HeaderFields for &T {
    fn values<'h>(&'h self, name: &str) -> impl Iterator<Item = &'h [u8]> {
        T::values(self, name)
    }
}

/// A fault in one header of a signed message. Holds the header's name and never its value.
///
/// ```
/// # checkout_doctest::facade!(auth);
/// use checkout_kit::auth::{Blame, HeaderError, HeaderProblem};
///
/// let error = HeaderError { name: "x-webhook-id", problem: HeaderProblem::Missing };
/// assert_eq!(error.to_string(), "the header x-webhook-id is missing");
/// assert_eq!(error.blame(), Blame::Sender);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("the header {name} {problem}")]
pub struct HeaderError {
    /// The header's name, in lower case.
    pub name: &'static str,
    /// The fault of the header.
    pub problem: HeaderProblem,
}

impl HeaderError {
    /// The sender's: the provider sends each header once, and well-formed. A proxy on the way can be at fault
    /// in the sender's stead, see [`HeaderError::hint`].
    ///
    /// ```
    /// # use checkout_auth::{Blame, HeaderError, HeaderProblem};
    /// let error = HeaderError { name: "x-webhook-nonce", problem: HeaderProblem::Doubled };
    /// assert_eq!(error.blame(), Blame::Sender);
    /// ```
    #[must_use]
    pub const fn blame(&self) -> Blame {
        Blame::Sender
    }

    /// The usual cause, in a sentence for the receiver's log.
    ///
    /// ```
    /// # use checkout_auth::{HeaderError, HeaderProblem};
    /// let error = HeaderError { name: "x-webhook-nonce", problem: HeaderProblem::Doubled };
    /// assert!(error.hint().contains("a proxy"));
    /// ```
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self.problem {
            HeaderProblem::Missing => {
                "not a message of the provider, or a proxy or framework in front of this receiver drops \
                 the header"
            }
            HeaderProblem::Doubled => {
                "not a message of the provider, or a proxy in front of this receiver adds a header of its own \
                 to the sender's"
            }
            HeaderProblem::Empty => "not a message of the provider, or a proxy blanks the header",
            HeaderProblem::NotVisibleAscii | HeaderProblem::NotAList => {
                "a proxy has joined two headers into one or rewritten the value, or it was decoded on the \
                 way here"
            }
            HeaderProblem::NotATime => {
                "not a message of the provider, or the header's value was parsed and written again on the \
                 way here"
            }
            HeaderProblem::HasDot => {
                "not a message of the provider; if it is one, its ids are not what this crate assumes"
            }
            HeaderProblem::NoKnownVersion => {
                "not a message of the provider, or it has begun to sign in a way that this version does \
                 not know"
            }
            HeaderProblem::TooManySignatures => "not a message of the provider",
            HeaderProblem::NotBase64 | HeaderProblem::NotHex => {
                "not a message of the provider, or the signature was cut, decoded or trimmed on the way here"
            }
        }
    }
}

/// A fault that a header can have.
///
/// ```
/// # checkout_doctest::facade!(auth);
/// use checkout_kit::auth::HeaderProblem;
///
/// assert_eq!(HeaderProblem::Doubled.to_string(), "is there more than once");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderProblem {
    /// The header is missing.
    #[error("is missing")]
    Missing,
    /// The header is there more than once, with one value or with two.
    #[error("is there more than once")]
    Doubled,
    /// The header is there and has no value.
    #[error("is empty")]
    Empty,
    /// The header holds something other than visible ASCII: a blank, a line break, a byte above 126.
    #[error("holds a character that is not visible ASCII")]
    NotVisibleAscii,
    /// The header is not seconds in decimal as an `i64` is written: no `+`, no leading zero.
    #[error("is not a time in seconds, written in decimal")]
    NotATime,
    /// The header holds a dot, which would leave open where the id ends in the signed text.
    #[error("holds a dot")]
    HasDot,
    /// Between two commas of the header, or beside one, there is nothing.
    #[error("is not a list of signatures")]
    NotAList,
    /// None of the header's signatures begins with a known version.
    #[error("has no signature of a known version")]
    NoKnownVersion,
    /// The header has more signatures than the verifier reads.
    #[error("has too many signatures")]
    TooManySignatures,
    /// A signature is not the padded, canonical, standard Base64 of 32 bytes.
    #[error("holds a signature that is not the padded standard Base64 of 32 bytes")]
    NotBase64,
    /// The signature is not 64 digits of lower-case hexadecimal.
    #[error("is not 64 digits of lower-case hexadecimal")]
    NotHex,
}

/// The headers of one message, to read by name.
pub(crate) struct Fields<'h, H: ?Sized>(pub(crate) &'h H);

impl<'h, H: HeaderFields + ?Sized> Fields<'h, H> {
    /// The bytes of a header that is there once.
    pub(crate) fn bytes(&self, name: &'static str) -> Result<&'h [u8], HeaderError> {
        self.optional_bytes(name)?.ok_or(HeaderError { name, problem: HeaderProblem::Missing })
    }

    /// The text of a header that is there once: visible ASCII, not empty.
    pub(crate) fn text(&self, name: &'static str) -> Result<&'h str, HeaderError> {
        read_text(name, self.bytes(name)?)
    }

    /// The text of a header that need not be there.
    pub(crate) fn optional_text(&self, name: &'static str) -> Result<Option<&'h str>, HeaderError> {
        self.optional_bytes(name)?.map(|bytes| read_text(name, bytes)).transpose()
    }

    /// The time that a header holds. A time has one spelling, so the header's text is how the time is
    /// written.
    pub(crate) fn seconds(&self, name: &'static str) -> Result<i64, HeaderError> {
        read_seconds(self.text(name)?).ok_or(HeaderError { name, problem: HeaderProblem::NotATime })
    }

    /// Reads a header that is there once.
    pub(crate) fn read<T>(
        &self,
        name: &'static str,
        read: impl FnOnce(&'h [u8]) -> Result<T, HeaderProblem>,
    ) -> Result<T, HeaderError> {
        read(self.bytes(name)?).map_err(|problem| HeaderError { name, problem })
    }

    fn optional_bytes(&self, name: &'static str) -> Result<Option<&'h [u8]>, HeaderError> {
        let mut values = self.0.values(name);
        let first = values.next();
        match values.next() {
            None => Ok(first),
            Some(_) => Err(HeaderError { name, problem: HeaderProblem::Doubled }),
        }
    }
}

fn read_text<'h>(name: &'static str, bytes: &'h [u8]) -> Result<&'h str, HeaderError> {
    if bytes.is_empty() {
        return Err(HeaderError { name, problem: HeaderProblem::Empty });
    }
    core::str::from_utf8(bytes)
        .ok()
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic()))
        .ok_or(HeaderError { name, problem: HeaderProblem::NotVisibleAscii })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::{String, ToString};
    use alloc::vec;

    /// The values found, or the fault of the only one.
    fn check(fields: &(impl HeaderFields + ?Sized), name: &'static str) -> String {
        let values: Vec<_> =
            fields.values(name).map(<[u8]>::escape_ascii).map(|text| text.to_string()).collect();
        match Fields(fields).text(name) {
            Ok(text) => format!("{} = {text}", values.join(" | ")),
            Err(error) => format!("{}: {error}", values.join(" | ")),
        }
    }

    #[test]
    fn a_field_is_found_in_every_kind_of_list_and_in_any_case() {
        let list = [("Host", "shop.example"), ("X-Webhook-ID", "wh_1")];
        let owned = vec![(String::from("x-webhook-id"), vec![b'w', b'h', b'_', b'1'])];
        assert_eq!(check(&list, "x-webhook-id"), "wh_1 = wh_1");
        assert_eq!(check(&list[..], "X-WEBHOOK-ID"), "wh_1 = wh_1");
        assert_eq!(check(&&list, "x-webhook-id"), "wh_1 = wh_1");
        assert_eq!(check(&owned, "X-Webhook-Id"), "wh_1 = wh_1");
    }

    #[test]
    fn only_the_whole_name_is_the_name() {
        for name in
            ["x-webhook-i", "x-webhook-id2", " x-webhook-id", "x_webhook_id", "x-webhook-\u{131}d", ""]
        {
            assert_eq!(check(&[(name, "wh_1")], "x-webhook-id"), ": the header x-webhook-id is missing");
        }
    }

    #[test]
    fn every_value_is_given_in_the_order_sent_and_two_are_refused() {
        let doubled = [("a", "1"), ("b", "x"), ("A", "2")];
        assert_eq!(check(&doubled, "a"), "1 | 2: the header a is there more than once");
        assert_eq!(check(&[("a", "1"), ("A", "")], "a"), "1 | : the header a is there more than once");
        assert_eq!(check(&[("a", "1"), ("a", "1")], "a"), "1 | 1: the header a is there more than once");
    }

    #[test]
    fn a_text_is_visible_ascii_and_not_empty() {
        let not_visible = "the header a holds a character that is not visible ASCII";
        assert_eq!(check(&[("a", "")], "a"), ": the header a is empty");
        for value in 0..=255_u8 {
            let text = check(&[("a", [b'x', value])], "a");
            let visible = (33..=126).contains(&value);
            assert_eq!(visible, text.contains(" = x"), "{text}");
            assert_eq!(!visible, text.ends_with(not_visible), "{text}");
        }
    }

    #[test]
    fn every_problem_is_the_senders_and_has_a_usual_cause() {
        use HeaderProblem::*;
        let problems = [
            Missing,
            Doubled,
            Empty,
            NotVisibleAscii,
            NotATime,
            HasDot,
            NotAList,
            NoKnownVersion,
            TooManySignatures,
            NotBase64,
            NotHex,
        ];
        for problem in problems {
            let error = HeaderError { name: "x-webhook-id", problem };
            assert_eq!(error.blame(), Blame::Sender);
            assert!(error.hint().len() > 20, "{problem:?}");
            assert!(error.to_string().starts_with("the header x-webhook-id "), "{error}");
        }
    }
}
