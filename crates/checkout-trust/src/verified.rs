//! The output of a receiver.

use crate::replay::Identity;
use std::fmt;

/// Verified content: a holder of the secret has signed the content. Only a receiver makes this value, and
/// nothing converts the content without taking the content out.
///
/// Claim the [`identity`](Self::identity) before you act on the content: the same content may have come
/// before.
///
/// ```
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::Verified;
/// use checkout_kit::allscale::Event;
///
/// fn intent_to_read(event: &Verified<Event>) -> &str {
///     event.content().intent_id()
/// }
/// ```
#[derive(Clone)]
pub struct Verified<T> {
    content: T,
    identity: Identity,
    key_id: String,
}

impl<T> Verified<T> {
    /// The verified content.
    #[must_use]
    pub const fn content(&self) -> &T {
        &self.content
    }

    /// Returns the content, which is then no longer known to be verified.
    #[must_use]
    pub fn into_content(self) -> T {
        self.content
    }

    /// The identity for [`claim`](crate::replay::Guard::claim).
    #[must_use]
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The id of the signing key, in the receiver's ring.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// Declares content verified without a check: for tests of your handling of the content, and for nothing
    /// else.
    ///
    /// ```
    /// # checkout_doctest::facade!(trust);
    /// use checkout_kit::Verified;
    /// use checkout_kit::replay::{Identity, Key, Scheme};
    /// use std::time::Duration;
    ///
    /// let key = Key::new(Scheme::PEACH_CONTENT, "shop", ["1"], Duration::from_secs(60));
    /// let event = Verified::assume_verified_in_tests("an event", Identity::new(key));
    /// assert_eq!(*event.content(), "an event");
    /// ```
    #[cfg(feature = "test-util")]
    #[must_use]
    pub fn assume_verified_in_tests(content: T, identity: Identity) -> Self {
        Self::new(content, identity, "assumed in a test")
    }

    pub(crate) fn new(content: T, identity: Identity, key_id: impl Into<String>) -> Self {
        Self { content, identity, key_id: key_id.into() }
    }
}

impl<T: fmt::Debug> fmt::Debug for Verified<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("content", &self.content)
            .field("identity", &self.identity)
            .field("key_id", &self.key_id)
            .finish()
    }
}
