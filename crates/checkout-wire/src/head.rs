//! The head of an answer, before the body.

use core::fmt;

/// The parts of an answer's head that reading needs. The type belongs to no HTTP library.
///
/// `Debug` shows only the length of `Location`: the URL can have the payer's session in it.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::wire::Head;
///
/// let head = Head { retry_after: Some("2"), ..Head::new(429) };
/// assert!(!head.is_success());
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Head<'a> {
    /// The HTTP status.
    pub status: u16,
    /// `Content-Type`, unchanged.
    pub content_type: Option<&'a str>,
    /// `Retry-After`, unchanged.
    pub retry_after: Option<&'a str>,
    /// `Location`, unchanged.
    pub location: Option<&'a str>,
}

impl Head<'_> {
    /// Returns a head with a status and no more.
    #[must_use]
    pub const fn new(status: u16) -> Self {
        Self { status, content_type: None, retry_after: None, location: None }
    }

    /// True if the HTTP status is one of 2xx.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// True if the HTTP status is one of 3xx.
    ///
    /// ```
    /// # checkout_doctest::facade!(wire);
    /// assert!(checkout_kit::wire::Head::new(302).is_redirect());
    /// ```
    #[must_use]
    pub const fn is_redirect(&self) -> bool {
        matches!(self.status, 300..=399)
    }
}

impl fmt::Debug for Head<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Head")
            .field("status", &self.status)
            .field("content_type", &self.content_type)
            .field("retry_after", &self.retry_after)
            .field("location_len", &self.location.map(str::len))
            .finish()
    }
}
