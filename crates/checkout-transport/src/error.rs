//! The reason why there is no response, and how far the request may have got.

use std::error::Error;
use std::fmt;

/// How far a request may have got when the request has no response.
///
/// ```
/// # checkout_doctest::facade!(transport);
/// use checkout_kit::TransportError;
/// use checkout_kit::transport::Delivery;
///
/// let timed_out = TransportError::unknown(std::io::Error::from(std::io::ErrorKind::TimedOut));
/// let advice = match timed_out.delivery() {
///     Delivery::NotSent => "the provider never saw it: it can be sent again",
///     Delivery::Unknown => "the provider may have acted on it: ask before it is sent again",
/// };
/// assert!(advice.starts_with("the provider may"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Delivery {
    /// No byte of the request has left, so the provider certainly never saw the request: the name was not
    /// resolved, the connection was refused, the TLS handshake failed.
    NotSent,
    /// Anything else. The provider may have acted on the request in full.
    Unknown,
}

impl fmt::Display for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NotSent => "not sent",
            Self::Unknown => "unknown",
        })
    }
}

/// The reason why there is no response.
///
/// The error's own text shows the [`Delivery`] and nothing of the request, whose headers and body can hold
/// secrets. The source's text, `Debug` as well as `Display`, is the adapter's responsibility: the text must
/// hold no header and no body. `Debug` of this error prints the source's.
///
/// ```
/// # checkout_doctest::facade!(transport);
/// use std::error::Error;
/// use std::io;
///
/// use checkout_kit::TransportError;
/// use checkout_kit::transport::Delivery;
///
/// let error = TransportError::not_sent(io::Error::from(io::ErrorKind::ConnectionRefused));
/// assert_eq!(error.delivery(), Delivery::NotSent);
/// assert_eq!(error.to_string(), "the request was not sent");
/// assert!(error.source().is_some_and(|source| source.is::<io::Error>()));
/// ```
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct TransportError(Reason);

#[derive(Debug, thiserror::Error)]
enum Reason {
    #[error("the request was not sent")]
    NotSent(#[source] BoxError),
    #[error("there is no response, and whether the request was delivered is unknown")]
    Unknown(#[source] BoxError),
    #[error("the response body is over {cap} bytes, and what became of the request is unknown")]
    TooLarge { cap: usize },
}

impl TransportError {
    /// No byte of the request has left. Use this only when that is certain.
    ///
    /// Wrapping does not make an error of a transport below more certain: an error around an error that is
    /// [`Delivery::Unknown`] is [`Delivery::Unknown`] too.
    ///
    /// ```
    /// # checkout_doctest::facade!(transport);
    /// use checkout_kit::TransportError;
    /// use checkout_kit::transport::Delivery;
    ///
    /// let error = TransportError::not_sent("no address for the host");
    /// assert_eq!(error.delivery(), Delivery::NotSent);
    /// ```
    pub fn not_sent(source: impl Into<BoxError>) -> Self {
        let source = source.into();
        match source.downcast_ref::<Self>().map(Self::delivery) {
            Some(Delivery::Unknown) => Self(Reason::Unknown(source)),
            Some(Delivery::NotSent) | None => Self(Reason::NotSent(source)),
        }
    }

    /// There is no response, and a byte of the request may have left.
    ///
    /// ```
    /// # checkout_doctest::facade!(transport);
    /// use checkout_kit::TransportError;
    /// use checkout_kit::transport::Delivery;
    ///
    /// let error = TransportError::unknown("the connection was closed early");
    /// assert_eq!(error.delivery(), Delivery::Unknown);
    /// ```
    pub fn unknown(source: impl Into<BoxError>) -> Self {
        Self(Reason::Unknown(source.into()))
    }

    /// There is a response, but its body is over `cap` bytes. The request was delivered; the provider's
    /// reaction is lost with the body, so the delivery is [`Delivery::Unknown`].
    ///
    /// ```
    /// # checkout_doctest::facade!(transport);
    /// use checkout_kit::TransportError;
    /// use checkout_kit::transport::Delivery;
    ///
    /// let error = TransportError::too_large(65_536);
    /// assert_eq!(error.delivery(), Delivery::Unknown);
    /// assert!(error.to_string().contains("over 65536 bytes"));
    /// ```
    #[must_use]
    pub fn too_large(cap: usize) -> Self {
        Self(Reason::TooLarge { cap })
    }

    /// How far the request may have got.
    ///
    /// ```
    /// # use checkout_transport::{Delivery, TransportError};
    /// assert_eq!(TransportError::unknown("timed out").delivery(), Delivery::Unknown);
    /// ```
    #[must_use]
    pub fn delivery(&self) -> Delivery {
        match self.0 {
            Reason::NotSent(_) => Delivery::NotSent,
            Reason::Unknown(_) | Reason::TooLarge { .. } => Delivery::Unknown,
        }
    }

    /// The cap in bytes that the response's body went over, if the body went over a cap.
    ///
    /// ```
    /// # use checkout_transport::TransportError;
    /// assert_eq!(TransportError::too_large(65_536).exceeded_cap(), Some(65_536));
    /// assert_eq!(TransportError::unknown("timed out").exceeded_cap(), None);
    /// ```
    #[must_use]
    pub fn exceeded_cap(&self) -> Option<usize> {
        match self.0 {
            Reason::TooLarge { cap } => Some(cap),
            Reason::NotSent(_) | Reason::Unknown(_) => None,
        }
    }
}

type BoxError = Box<dyn Error + Send + Sync>;

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    /// The delivery, the error's own text and its source's.
    fn check(error: &TransportError) -> String {
        let source = error.source().map_or_else(|| "none".to_owned(), ToString::to_string);
        format!("{}: {error} <- {source}", error.delivery())
    }

    #[test]
    fn an_error_names_the_progress_of_the_request() {
        let refused = io::Error::new(io::ErrorKind::ConnectionRefused, "refused");
        assert_eq!(
            check(&TransportError::not_sent(refused)),
            "not sent: the request was not sent <- refused"
        );
        assert_eq!(
            check(&TransportError::unknown("timed out")),
            "unknown: there is no response, and whether the request was delivered is unknown <- timed out"
        );
        assert_eq!(
            check(&TransportError::too_large(7)),
            "unknown: the response body is over 7 bytes, and what became of the request is unknown <- none"
        );
    }

    #[test]
    fn the_source_keeps_its_type_and_its_own_source() {
        let inner = io::Error::from(io::ErrorKind::TimedOut);
        let error = TransportError::unknown(TransportError::not_sent(inner));
        let source = error.source().unwrap().downcast_ref::<TransportError>().unwrap();
        assert_eq!(source.delivery(), Delivery::NotSent);
        let root = source.source().unwrap().downcast_ref::<io::Error>().unwrap();
        assert_eq!(root.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn a_delivery_unknown_below_is_unknown_above() {
        let layered = TransportError::not_sent(TransportError::unknown("timed out"));
        assert_eq!(layered.delivery(), Delivery::Unknown);
        assert_eq!(TransportError::not_sent(TransportError::too_large(7)).delivery(), Delivery::Unknown);
        assert_eq!(TransportError::not_sent(TransportError::not_sent("no")).delivery(), Delivery::NotSent);
    }

    #[test]
    fn the_error_takes_the_errors_of_a_question_mark_and_crosses_threads() {
        fn sendable<T: Error + Send + Sync + 'static>() {}
        sendable::<TransportError>();
        let boxed: BoxError = "already boxed".into();
        assert!(check(&TransportError::unknown(boxed)).ends_with("already boxed"));
    }
}
