//! The reasons why a request does not leave.

use checkout_transport::TransportError;
use core::fmt;
use std::error::Error;

/// The reasons why a request did not leave.
///
/// ```
/// # checkout_doctest::facade!(client);
/// # #[cfg(feature = "system")] {
/// use checkout_kit::peach::v2::{Client, Credentials};
/// use checkout_kit::{CallErrorKind, NotSent};
/// use checkout_sandbox::peach::Sandbox;
///
/// let credentials = Credentials {
///     client_id: "2f1b".into(),
///     client_secret: "c2VjcmV0".into(),
///     merchant_id: "9a31".into(),
/// };
/// let client = Client::builder("8ac7a4ca68c22c4d0168c2caab2e0025", credentials).referer("https://shop.example").build()?;
/// let error = client.status("c01b")?.send_blocking(&Sandbox::builder().build()).unwrap_err();
/// // Authenticate first, then send the call again.
/// assert!(matches!(error.kind(), CallErrorKind::NotSent(NotSent::NoAccessToken)));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum NotSent {
    /// The transport could not send the request, such as for a connection that was refused.
    Transport(TransportError),
    /// The request cannot be signed: look at the nonces and at the clock.
    Signature(Box<dyn Error + Send + Sync>),
    /// The client has no access token that is good now: authenticate, then send the call again.
    NoAccessToken,
    /// The access token that came is not good for a second.
    AccessTokenExpired,
    /// HTTP cannot carry the request: look at the client's base URL and credentials.
    Request,
}

impl fmt::Display for NotSent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transport(error) => write!(f, "{error}"),
            Self::Signature(error) => write!(f, "the request could not be signed: {error}"),
            Self::NoAccessToken => f.write_str("there is no access token to send"),
            Self::AccessTokenExpired => f.write_str("the access token expires at once"),
            Self::Request => f.write_str("the request is not one that HTTP can carry"),
        }
    }
}
