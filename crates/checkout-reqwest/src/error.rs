//! The error for a client that cannot be built, and the meaning of reqwest's errors for a request.

use checkout_transport::TransportError;

use crate::limits::Limits;

/// The reason why there is no HTTP client. The source is reqwest's error.
///
/// ```
/// use checkout_reqwest::{Reqwest, reqwest};
///
/// let no_header = reqwest::Client::builder().user_agent("two\nlines");
/// let error = Reqwest::from_builder(no_header).unwrap_err();
/// assert_eq!(error.to_string(), "the HTTP client could not be built");
/// ```
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client could not be built")]
pub struct BuildError(#[source] pub(crate) reqwest::Error);

/// The error of a request without a response's head.
pub(crate) fn without_head(limits: Limits, error: reqwest::Error) -> TransportError {
    // The query can hold private data.
    let error = error.without_url();
    if limits.sends_once && error.is_connect() {
        TransportError::not_sent(error)
    } else {
        TransportError::unknown(error)
    }
}
