//! Refusals by AllScale.

use crate::{JsonText, Printable, ProviderRefusal};
use alloc::borrow::Cow;
use checkout_tables::Open;
use checkout_tables::allscale::ErrorCode;
use core::fmt;

/// A refusal by AllScale.
///
/// `Display` prints the provider's own message, cut short and escaped (see [`Printable`]), with the code and
/// the id of the request. The documented messages name fields and limits, and never the values sent.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::allscale::IntentStatus;
/// use checkout_kit::tables::Open;
/// use checkout_kit::wire::{Head, Reply, allscale};
///
/// // A code that nobody has named yet is a refusal all the same.
/// let body = br#"{"code":60001,"error":{"message":"later","details":{"a":[1, 2]}},"request_id":"req_2"}"#;
/// let Reply::Refused(refusal) = allscale::read::<Open<IntentStatus>>(&Head::new(400), body)? else { panic!() };
/// assert_eq!(refusal.code.value(), 60001);
/// assert_eq!(refusal.details.as_ref().map(|details| details.as_str()), Some(r#"{"a":[1, 2]}"#));
/// assert_eq!(refusal.to_string(), "refused with code 60001: later (request id req_2)");
/// # Ok::<(), checkout_wire::ReadError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal<'a> {
    /// The code of the envelope. Branch on the code, and not on the HTTP status.
    pub code: Open<ErrorCode>,
    /// `error.message`, for people.
    pub message: Option<Cow<'a, str>>,
    /// `error.details`, as exact JSON text.
    pub details: Option<JsonText<'a>>,
    /// The whole `error`, as exact JSON text, so that no other member is lost.
    pub error: Option<JsonText<'a>>,
    /// The provider's id of the request.
    pub request_id: Option<Cow<'a, str>>,
    /// `Retry-After`, unchanged. The header belongs to the head, so [`write`](crate::allscale::write) leaves
    /// the header out.
    pub retry_after: Option<Cow<'a, str>>,
}

impl Refusal<'_> {
    /// Returns the same refusal, with nothing borrowed.
    ///
    /// ```
    /// # use checkout_tables::{Open, allscale::IntentStatus};
    /// # use checkout_wire::allscale::Refusal;
    /// # use checkout_wire::{Head, Reply, allscale};
    /// let Reply::Refused(refusal) =
    ///     allscale::read::<Open<IntentStatus>>(&Head::new(400), br#"{"code":10001}"#)? else { panic!() };
    /// let owned: Refusal<'static> = refusal.into_owned();
    /// # Ok::<(), checkout_wire::ReadError>(())
    /// ```
    #[must_use]
    pub fn into_owned(self) -> Refusal<'static> {
        Refusal {
            code: self.code,
            message: self.message.map(|message| Cow::Owned(message.into_owned())),
            details: self.details.map(JsonText::into_owned),
            error: self.error.map(JsonText::into_owned),
            request_id: self.request_id.map(|id| Cow::Owned(id.into_owned())),
            retry_after: self.retry_after.map(|after| Cow::Owned(after.into_owned())),
        }
    }
}

impl fmt::Display for Refusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refused with code {}", self.code.value())?;
        match (&self.message, self.code.known()) {
            (Some(message), _) => write!(f, ": {}", Printable(message))?,
            (None, Some(code)) => write!(f, ": {}", code.meaning())?,
            (None, None) => {}
        }
        if let Some(id) = &self.request_id {
            write!(f, " (request id {})", Printable(id))?;
        }
        Ok(())
    }
}

impl ProviderRefusal for Refusal<'_> {
    type Owned = Refusal<'static>;

    fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    fn into_owned(self) -> Refusal<'static> {
        self.into_owned()
    }
}
