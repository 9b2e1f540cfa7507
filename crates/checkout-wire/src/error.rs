//! The reasons that an answer of the API could not be read.

use crate::Printable;
use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt;

/// An answer that comes from the API and cannot be read: the fault, its path and position, and the id of the
/// request. The error holds no other values of the answer, which can be anybody's name or wallet.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::allscale::IntentStatus;
/// use checkout_kit::tables::Open;
/// use checkout_kit::wire::{Head, allscale};
///
/// // A published plugin took the status for an object.
/// let body = br#"{"code":0,"payload":{"status":2},"error":null,"request_id":"r"}"#;
/// let error = allscale::read::<Open<IntentStatus>>(&Head::new(200), body).unwrap_err();
/// assert_eq!(error.to_string(), "payload: not of the documented type, which is i64, at byte 19 (request id r)");
/// assert_eq!(error.path(), "payload");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    path: String,
    at: usize,
    kind: ReadErrorKind,
    request_id: Option<String>,
}

/// The fault of an answer.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::allscale::IntentStatus;
/// use checkout_kit::tables::Open;
/// use checkout_kit::wire::{Head, ReadErrorKind, allscale};
///
/// let error = allscale::read::<Open<IntentStatus>>(&Head::new(200), br#"{"code":0,"#).unwrap_err();
/// assert_eq!(error.kind(), &ReadErrorKind::Truncated);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadErrorKind {
    /// Longer than the cap, in bytes.
    TooLarge {
        /// The cap.
        cap: usize,
    },
    /// Not UTF-8.
    NotUtf8,
    /// Objects and lists nested deeper than the limit.
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// Not JSON.
    Syntax,
    /// JSON that ends too early.
    Truncated,
    /// A number that does not fit into 64 bits.
    HugeNumber,
    /// A documented field that is missing, or null where it must not be.
    Missing,
    /// The same field twice.
    Duplicate,
    /// A value of another type, or out of range. Holds the documented type.
    Type(String),
    /// A text that is not an amount, ids that contradict each other, or an error beside code 0. Holds the
    /// fault.
    Value(Cow<'static, str>),
}

impl ReadError {
    pub(crate) const fn new(path: String, at: usize, kind: ReadErrorKind) -> Self {
        Self { path, at, kind, request_id: None }
    }

    pub(crate) fn with_request_id(self, request_id: Option<String>) -> Self {
        Self { request_id, ..self }
    }

    /// The field, such as `payload.amount_coins`; empty for the answer as a whole. A key can be anything:
    /// twelve digits or more are `[digits]`. In a [signed body](crate::peach::Fields), a key that stands
    /// twice and is not a parameter is `[field]`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The position where the reader stopped, in bytes from the beginning of the body: within the fault or
    /// one byte beside the fault.
    ///
    /// ```
    /// # use checkout_tables::{Open, allscale::IntentStatus};
    /// # use checkout_wire::{Head, allscale};
    /// let error = allscale::read::<Open<IntentStatus>>(&Head::new(200), b"{\"code\":x}").unwrap_err();
    /// assert_eq!(error.at(), 8);
    /// ```
    #[must_use]
    pub const fn at(&self) -> usize {
        self.at
    }

    /// The fault.
    #[must_use]
    pub const fn kind(&self) -> &ReadErrorKind {
        &self.kind
    }

    /// The provider's id of the request, if the id could be read in spite of the fault: also from an answer
    /// that ends too early, but not from an answer longer than the cap. Always log the id: the provider asks
    /// for the id.
    ///
    /// ```
    /// # use checkout_tables::{Open, allscale::IntentStatus};
    /// # use checkout_wire::{Head, allscale};
    /// let body = br#"{"request_id":"req_1","code":0,"payload":"#;
    /// let error = allscale::read::<Open<IntentStatus>>(&Head::new(200), body).unwrap_err();
    /// assert_eq!(error.request_id(), Some("req_1"));
    /// assert_eq!(error.to_string(), "payload: ends too early, at byte 40 (request id req_1)");
    /// ```
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        match &self.kind {
            ReadErrorKind::TooLarge { cap } => write!(f, "longer than {cap} bytes")?,
            ReadErrorKind::NotUtf8 => f.write_str("not UTF-8")?,
            ReadErrorKind::TooDeep { limit } => write!(f, "nested deeper than {limit}")?,
            ReadErrorKind::Syntax => f.write_str("not JSON")?,
            ReadErrorKind::Truncated => f.write_str("ends too early")?,
            ReadErrorKind::HugeNumber => f.write_str("a number that 64 bits do not hold")?,
            ReadErrorKind::Missing => f.write_str("missing")?,
            ReadErrorKind::Duplicate => f.write_str("stands twice")?,
            ReadErrorKind::Type(documented) => {
                write!(f, "not of the documented type, which is {documented}")?;
            }
            ReadErrorKind::Value(what) => f.write_str(what)?,
        }
        write!(f, ", at byte {}", self.at)?;
        match &self.request_id {
            Some(id) => write!(f, " (request id {})", Printable(id)),
            None => Ok(()),
        }
    }
}

impl core::error::Error for ReadError {}
