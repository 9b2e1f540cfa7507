//! Text about the payer.

use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt;

/// Text about the payer: a name, a user's id, a wallet's address. `Debug` shows nothing of the text, and the
/// type has no `Display`, so that the text does not find its way into a log.
///
/// ```
/// # checkout_doctest::facade!(validate);
/// use checkout_kit::validate::Redacted;
///
/// let name = Redacted::from("Tom");
/// assert_eq!(format!("{name:?}"), "[REDACTED]");
/// assert_eq!(name.as_str(), "Tom");
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Redacted<'a>(Cow<'a, str>);

impl Redacted<'_> {
    /// The text itself.
    ///
    /// ```
    /// # use checkout_validate::Redacted;
    /// assert_eq!(Redacted::from("Tom").as_str().len(), 3);
    /// ```
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same, with nothing borrowed.
    ///
    /// ```
    /// # use checkout_validate::Redacted;
    /// let owned: Redacted<'static> = Redacted::from("Tom").into_owned();
    /// assert_eq!(owned, Redacted::from("Tom"));
    /// ```
    #[must_use]
    pub fn into_owned(self) -> Redacted<'static> {
        Redacted(Cow::Owned(self.0.into_owned()))
    }
}

impl<'a> From<Cow<'a, str>> for Redacted<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Self(text)
    }
}

impl<'a> From<&'a str> for Redacted<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl<'a> From<&'a String> for Redacted<'a> {
    fn from(text: &'a String) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl From<String> for Redacted<'_> {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}

impl fmt::Debug for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}
