//! The reason why something cannot be signed.

use crate::blame::Blame;

/// The reason why a message cannot be signed, or could not have been: the part that no such message could
/// carry. Holds no value.
///
/// ```
/// # checkout_doctest::facade!(auth);
/// use checkout_kit::allscale::RequestToSign;
/// use checkout_kit::auth::SignError;
///
/// let whole_url = RequestToSign {
///     method: "GET",
///     path: "https://openapi.allscale.io/v1/test/ping",
///     query: "",
///     timestamp: 1_716_501_000,
///     nonce: "b4d9a2a1-9c2b-4df4-8b8e-2a13a45fd321",
///     body: b"",
/// };
/// assert_eq!(whole_url.canonical(), Err(SignError::Path));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The method is empty or no HTTP token.
    #[error("the method is not an HTTP token")]
    Method,
    /// The method is a token with lower-case letters in it, and a webhook's method is signed as sent.
    #[error("the method is not in upper case")]
    MethodCase,
    /// The path does not begin with `/`, or holds `?`, `#` or something other than visible ASCII.
    #[error("the path does not begin with `/`, or holds `?`, `#` or a character that is not visible ASCII")]
    Path,
    /// The query begins with `?`, or holds `#` or something other than visible ASCII.
    #[error("the query begins with `?`, or holds `#` or a character that is not visible ASCII")]
    Query,
    /// The nonce is empty or holds something other than visible ASCII.
    #[error("the nonce is empty or holds a character that is not visible ASCII")]
    Nonce,
    /// The webhook id is empty or holds something other than visible ASCII.
    #[error("the webhook id is empty or holds a character that is not visible ASCII")]
    WebhookId,
    /// The id of a webhook of Peach's holds a dot, which would leave open where the id ends in the signed
    /// text.
    #[error("the webhook id holds a dot")]
    WebhookIdHasDot,
    /// The status is not within 100 to 999.
    #[error("the status is not three digits")]
    Status,
    /// The path of an answer's request does not begin with `/`, or holds `?`, `#` or something other than
    /// visible ASCII.
    #[error(
        "the request's path does not begin with `/`, or holds `?`, `#` or a character that is not visible \
         ASCII"
    )]
    RequestPath,
    /// The nonce of an answer's request is empty or holds something other than visible ASCII.
    #[error("the request's nonce is empty or holds a character that is not visible ASCII")]
    RequestNonce,
    /// The URL is empty or holds something other than visible ASCII.
    #[error("the URL is empty or holds a character that is not visible ASCII")]
    Url,
    /// A key is there twice, with one value or with two. Keys are compared as they are signed, decoded: `a.b`
    /// and `a%2Eb` in a form are one key.
    #[error("a parameter is there twice")]
    DuplicateKey,
}

impl SignError {
    /// The caller's.
    ///
    /// ```
    /// # use checkout_auth::{Blame, SignError};
    /// assert_eq!(SignError::Path.blame(), Blame::Caller);
    /// ```
    #[must_use]
    pub const fn blame(&self) -> Blame {
        Blame::Caller
    }

    /// The usual cause, in a sentence.
    ///
    /// ```
    /// # use checkout_auth::SignError;
    /// assert!(SignError::Path.hint().contains("URL"));
    /// ```
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Method | Self::MethodCase => "give the method as it is sent, such as `POST`",
            Self::Path => "give the path alone, percent-encoded: no whole URL and no query",
            Self::Query => "give the query without its `?`, percent-encoded, and the empty text for none",
            Self::Nonce => "give the text of the header, such as a random UUID",
            Self::WebhookId | Self::WebhookIdHasDot => "give a random id in letters and digits",
            Self::Status => "give the HTTP status, not the code in the body",
            Self::RequestPath => "give the path that was signed: no whole URL and no query",
            Self::RequestNonce => "give the nonce that this attempt's request was signed with",
            Self::Url => "give the whole URL that Peach was given, percent-encoded",
            Self::DuplicateKey => "give every parameter once: one of the caller's own has the key of another",
        }
    }
}
