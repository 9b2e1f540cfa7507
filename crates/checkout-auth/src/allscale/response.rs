//! AllScale Checkout, API v1: the signature of an answer.
//!
//! A store can have AllScale sign its answers; by default they are not signed. A signed one has the headers
//! `X-Response-Timestamp`, `X-Response-Nonce`, `X-Response-Signature` and `X-Request-Nonce`. The signature is
//! made as a request's is, with the same secret, but over seven lines, two of which are the request's own: so
//! the answer to one attempt does not pass for the answer to another.
//!
//! | line | content |
//! |---|---|
//! | 1 | the HTTP status, three digits |
//! | 2 | the path of the request |
//! | 3 | the nonce of the request |
//! | 4 | the SHA-256 of the request's body in lower-case hexadecimal |
//! | 5 | the text of `X-Response-Timestamp` |
//! | 6 | the text of `X-Response-Nonce` |
//! | 7 | the SHA-256 of the answer's body in lower-case hexadecimal |
//!
//! **When answers are signed, refuse the ones that are not.** Whoever can change an answer can take its
//! signature away too: [`ResponseVerifier::verify`] refuses such an answer as it refuses a forged one.
//!
//! Method and query are no part of it: keep the nonce of every attempt unlike any other's, as AllScale wants
//! it, and the nonce tells the requests apart. `X-Request-Id` is not signed, and is not looked at here.
//! `X-Request-Nonce` must be the request's when it is there; as the request's own nonce is what is signed,
//! nothing hangs on it. The signature header may hold several signatures, as [a
//! webhook's](super::webhook#the-signature-header).
//!
//! Source: *Auth*, v1, 2026-01: the headers and the seven lines. Assumed: that the key, the `v1=`
//! and the Base64 are those of requests; that the timestamp is in seconds; that `X-Request-Nonce` may be
//! missing; and what is assumed of a webhook's headers.

use alloc::string::{String, ToString};
use core::fmt;

use hmac::Mac;

use super::list::read_signatures;
use super::{Signature, SigningKey, headers, is_header_text, is_path};
use crate::blame::Blame;
use crate::fields::{Fields, HeaderError, HeaderFields};
use crate::mac::{Sink, push_decimal, sha256_hex};
use crate::ring::KeyRing;
use crate::time::{Judgement, NOW_IN_ANOTHER_UNIT, TIME_IN_ANOTHER_UNIT, Tolerance, is_another_unit};

/// Verifies answers with the keys of a ring.
///
/// `Debug` prints the ring's ids and the tolerance.
///
/// ```
/// use checkout_auth::KeyRing;
/// use checkout_auth::allscale::SigningKey;
/// use checkout_auth::allscale::response::{ReceivedResponse, ResponseVerifier};
///
/// let key = SigningKey::new("test_key", "test_secret_abc".into())?;
/// let verifier = ResponseVerifier::new(KeyRing::new("2024-05", key));
/// let headers = [
///     ("X-Response-Timestamp", "1716501001"),
///     ("X-Response-Nonce", "0f5b8c5e-5a4c-4a52-a5a5-0a4f4b6f7d10"),
///     ("X-Response-Signature", "v1=geaTZms7RJX54kZ2XMBC+3lg72XV3NaYmsU092lu1So="),
///     ("X-Request-Nonce", "b4d9a2a1-9c2b-4df4-8b8e-2a13a45fd321"),
/// ];
/// let response = ReceivedResponse {
///     request_path: "/v1/test/ping",
///     request_nonce: "b4d9a2a1-9c2b-4df4-8b8e-2a13a45fd321",
///     request_body: b"",
///     status: 200,
///     headers: &headers,
///     body: br#"{"code":0,"payload":{"pong":"ok"}}"#,
/// };
/// let signed = verifier.verify(&response, 1_716_501_001)?;
/// assert_eq!(signed.key_id(), "2024-05");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct ResponseVerifier {
    keys: KeyRing<SigningKey>,
    tolerance: Tolerance,
}

impl ResponseVerifier {
    /// A verifier with these keys and the default [`Tolerance`]. The key that signed the request must be
    /// among them; the API keys are not looked at, because an answer has none.
    ///
    /// ```
    /// # use checkout_auth::{KeyRing, allscale::{SigningKey, response::ResponseVerifier}};
    /// let key = SigningKey::new("test_key", "test_secret_abc".into())?;
    /// let verifier = ResponseVerifier::new(KeyRing::new("2024-05", key));
    /// # Ok::<(), checkout_auth::allscale::KeyError>(())
    /// ```
    #[must_use]
    pub fn new(keys: KeyRing<SigningKey>) -> Self {
        Self { keys, tolerance: Tolerance::default() }
    }

    /// This verifier with another tolerance.
    ///
    /// ```
    /// # use checkout_auth::{KeyRing, Tolerance, allscale::{SigningKey, response::ResponseVerifier}};
    /// # let key = SigningKey::new("test_key", "test_secret_abc".into())?;
    /// let minute = Tolerance::from_seconds(60);
    /// let verifier = ResponseVerifier::new(KeyRing::new("2024-05", key)).tolerance(minute);
    /// # Ok::<(), checkout_auth::allscale::KeyError>(())
    /// ```
    #[must_use]
    pub fn tolerance(self, tolerance: Tolerance) -> Self {
        Self { tolerance, ..self }
    }

    /// Checks an answer as it was received. `now` is the receiver's time, in seconds since 1970-01-01 UTC.
    ///
    /// First the form is checked, then that the answer is to this request, then the signature, in constant
    /// time, and the time last: so a time that is refused was signed. The time grows with the lengths of both
    /// bodies, which nothing here bounds.
    ///
    /// # Errors
    ///
    /// [`ResponseError`]: what was wrong. Whatever it is, nothing that the answer says may be believed, nor
    /// that the request has failed.
    ///
    /// ```
    /// use checkout_auth::KeyRing;
    /// use checkout_auth::allscale::SigningKey;
    /// use checkout_auth::allscale::response::{
    ///     ReceivedResponse, ResponseError, ResponseToSign, ResponseVerifier,
    /// };
    ///
    /// let key = SigningKey::new("test_key", "test_secret_abc".into())?;
    /// let to_sign = ResponseToSign {
    ///     status: 200,
    ///     request_path: "/v1/test/ping",
    ///     request_nonce: "b4d9a2a1-9c2b-4df4-8b8e-2a13a45fd321",
    ///     request_body: b"",
    ///     timestamp: 1_716_501_001,
    ///     nonce: "0f5b8c5e-5a4c-4a52-a5a5-0a4f4b6f7d10",
    ///     body: br#"{"code":0,"payload":{"pong":"ok"}}"#,
    /// };
    /// let signature = to_sign.sign(&key)?;
    /// let headers = [
    ///     ("X-Response-Timestamp", "1716501001"),
    ///     ("X-Response-Nonce", "0f5b8c5e-5a4c-4a52-a5a5-0a4f4b6f7d10"),
    ///     ("X-Response-Signature", signature.as_str()),
    /// ];
    /// let response = ReceivedResponse {
    ///     request_path: "/v1/test/ping",
    ///     request_nonce: "b4d9a2a1-9c2b-4df4-8b8e-2a13a45fd321",
    ///     request_body: b"",
    ///     status: 200,
    ///     headers: &headers,
    ///     body: br#"{"code":0,"payload":{"pong":"ok"}}"#,
    /// };
    /// let verifier = ResponseVerifier::new(KeyRing::new("2024-05", key));
    /// assert!(verifier.verify(&response, 1_716_501_001).is_ok());
    ///
    /// let of_another_attempt = ReceivedResponse { request_nonce: "another", ..response };
    /// assert_eq!(verifier.verify(&of_another_attempt, 1_716_501_001), Err(ResponseError::Mismatch));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn verify<'a, H: HeaderFields + ?Sized>(
        &'a self,
        response: &ReceivedResponse<'a, H>,
        now: i64,
    ) -> Result<SignedResponse<'a>, ResponseError> {
        check_request(response.status, response.request_path, response.request_nonce)?;
        let fields = Fields(response.headers);
        let (timestamp_text, timestamp) = fields.seconds(headers::RESPONSE_TIMESTAMP)?;
        let nonce = fields.text(headers::RESPONSE_NONCE)?;
        let answered = fields.optional_text(headers::REQUEST_NONCE)?;
        let name = headers::RESPONSE_SIGNATURE;
        let claimed =
            read_signatures(fields.bytes(name)?).map_err(|problem| HeaderError { name, problem })?;
        if answered.is_some_and(|answered| answered != response.request_nonce) {
            return Err(ResponseError::OtherRequest);
        }

        let mut keys = self.keys.at(now).peekable();
        keys.peek().ok_or(ResponseError::NoValidKey)?;
        let lines = Lines {
            status: response.status,
            request_path: response.request_path,
            request_nonce: response.request_nonce,
            request_body_sha256: sha256_hex(response.request_body),
            timestamp: timestamp_text,
            nonce,
            body_sha256: sha256_hex(response.body),
        };
        let (key_id, _) = keys
            .find(|(_, key)| key.mac.made_any_of(&claimed, |mac| lines.write_to(mac)))
            .ok_or(ResponseError::Mismatch)?;
        match self.tolerance.judge(timestamp, now) {
            Judgement::InTime => {}
            Judgement::Expired { by_seconds } => return Err(ResponseError::Expired { by_seconds }),
            Judgement::Early { by_seconds } => return Err(ResponseError::Early { by_seconds }),
        }
        Ok(SignedResponse { status: response.status, nonce, timestamp, key_id, body: response.body })
    }
}

impl fmt::Debug for ResponseVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseVerifier")
            .field("keys", &self.keys)
            .field("tolerance", &self.tolerance)
            .finish()
    }
}

/// An answer as it was received, unread, and what of its request is signed with it.
///
/// `Debug` shows neither the headers nor the bodies.
///
/// ```
/// use checkout_auth::allscale::response::ReceivedResponse;
///
/// let headers = [("x-response-nonce", "1")];
/// let response = ReceivedResponse {
///     request_path: "/v1/test/ping",
///     request_nonce: "b4d9a2a1-9c2b-4df4-8b8e-2a13a45fd321",
///     request_body: b"",
///     status: 200,
///     headers: &headers,
///     body: b"{}",
/// };
/// assert!(format!("{response:?}").contains("body_len: 2"));
/// ```
pub struct ReceivedResponse<'a, H: ?Sized> {
    /// The path of this attempt's request, as it was signed and sent.
    pub request_path: &'a str,
    /// The nonce of this attempt's request.
    pub request_nonce: &'a str,
    /// The bytes of the request's body, empty when it had none.
    pub request_body: &'a [u8],
    /// The HTTP status, 100 to 999.
    pub status: u16,
    /// All of the answer's headers.
    pub headers: &'a H,
    /// The bytes of the answer's body, with no content coding.
    pub body: &'a [u8],
}

impl<H: ?Sized> Clone for ReceivedResponse<'_, H> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<H: ?Sized> Copy for ReceivedResponse<'_, H> {}

impl<H: ?Sized> fmt::Debug for ReceivedResponse<'_, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceivedResponse")
            .field("request_path", &self.request_path)
            .field("request_body_len", &self.request_body.len())
            .field("status", &self.status)
            .field("body_len", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// What an answer that was verified says of itself. Only [`ResponseVerifier::verify`] makes one.
///
/// `Debug` shows neither the nonce nor the body.
///
/// ```
/// use checkout_auth::allscale::response::SignedResponse;
///
/// fn log_line(response: &SignedResponse<'_>) -> String {
///     format!("answer {} of {} s, key {}", response.status(), response.timestamp(), response.key_id())
/// }
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SignedResponse<'a> {
    status: u16,
    nonce: &'a str,
    timestamp: i64,
    key_id: &'a str,
    body: &'a [u8],
}

impl<'a> SignedResponse<'a> {
    /// The HTTP status, 100 to 999.
    ///
    /// ```
    /// # use checkout_auth::allscale::response::SignedResponse;
    /// fn is_success(response: &SignedResponse<'_>) -> bool {
    ///     (200..300).contains(&response.status())
    /// }
    /// ```
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// The text of `X-Response-Nonce`: visible ASCII, never empty.
    ///
    /// ```
    /// # use checkout_auth::allscale::response::SignedResponse;
    /// fn are_two(one: &SignedResponse<'_>, other: &SignedResponse<'_>) -> bool {
    ///     one.nonce() != other.nonce()
    /// }
    /// ```
    #[must_use]
    pub const fn nonce(&self) -> &'a str {
        self.nonce
    }

    /// When it was signed: seconds since 1970-01-01 UTC, by AllScale's clock.
    ///
    /// ```
    /// # use checkout_auth::allscale::response::SignedResponse;
    /// fn seconds_their_clock_is_ahead(response: &SignedResponse<'_>, now: i64) -> i64 {
    ///     response.timestamp().saturating_sub(now)
    /// }
    /// ```
    #[must_use]
    pub const fn timestamp(&self) -> i64 {
        self.timestamp
    }

    /// The ring's id of the key that made the signature.
    ///
    /// ```
    /// # use checkout_auth::allscale::response::SignedResponse;
    /// fn is_under_the_old_key(response: &SignedResponse<'_>) -> bool {
    ///     response.key_id() == "2023-01"
    /// }
    /// ```
    #[must_use]
    pub const fn key_id(&self) -> &'a str {
        self.key_id
    }

    /// The bytes that were signed: read the answer from these and no others.
    ///
    /// ```
    /// # use checkout_auth::allscale::response::SignedResponse;
    /// fn is_an_object(response: &SignedResponse<'_>) -> bool {
    ///     response.body().starts_with(b"{")
    /// }
    /// ```
    #[must_use]
    pub const fn body(&self) -> &'a [u8] {
        self.body
    }
}

impl fmt::Debug for SignedResponse<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedResponse")
            .field("status", &self.status)
            .field("timestamp", &self.timestamp)
            .field("key_id", &self.key_id)
            .field("body_len", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// An answer as its signature sees it, for whoever gives one: a sandbox, or a test of a client.
///
/// `Debug` shows the lengths of the bodies in their stead.
///
/// ```
/// use checkout_auth::allscale::response::ResponseToSign;
///
/// let response = ResponseToSign {
///     status: 200,
///     request_path: "/v1/test/ping",
///     request_nonce: "b4d9a2a1-9c2b-4df4-8b8e-2a13a45fd321",
///     request_body: b"",
///     timestamp: 1_716_501_001,
///     nonce: "0f5b8c5e-5a4c-4a52-a5a5-0a4f4b6f7d10",
///     body: b"{}",
/// };
/// assert!(response.canonical()?.starts_with("200\n/v1/test/ping\nb4d9a2a1-"));
/// # Ok::<(), checkout_auth::allscale::response::SignError>(())
/// ```
#[derive(Clone, Copy)]
pub struct ResponseToSign<'a> {
    /// The HTTP status, 100 to 999.
    pub status: u16,
    /// The path of the request: begins with `/`, visible ASCII, no `?` and no `#`.
    pub request_path: &'a str,
    /// The text of the request's [`headers::NONCE`]: visible ASCII, not empty.
    pub request_nonce: &'a str,
    /// The bytes of the request's body.
    pub request_body: &'a [u8],
    /// The time in seconds since 1970-01-01 UTC; [`headers::RESPONSE_TIMESTAMP`] carries it in decimal.
    pub timestamp: i64,
    /// The text of [`headers::RESPONSE_NONCE`]: visible ASCII, not empty.
    pub nonce: &'a str,
    /// The bytes of the answer's body.
    pub body: &'a [u8],
}

impl ResponseToSign<'_> {
    /// The signature, for the header [`headers::RESPONSE_SIGNATURE`].
    ///
    /// # Errors
    ///
    /// [`SignError`] when a part is not what HTTP could carry.
    ///
    /// ```
    /// use checkout_auth::allscale::{SigningKey, response::ResponseToSign};
    ///
    /// let key = SigningKey::new("test_key", "test_secret_abc".into())?;
    /// let signature = ResponseToSign {
    ///     status: 200,
    ///     request_path: "/v1/test/ping",
    ///     request_nonce: "b4d9a2a1-9c2b-4df4-8b8e-2a13a45fd321",
    ///     request_body: b"",
    ///     timestamp: 1_716_501_001,
    ///     nonce: "0f5b8c5e-5a4c-4a52-a5a5-0a4f4b6f7d10",
    ///     body: br#"{"code":0,"payload":{"pong":"ok"}}"#,
    /// }
    /// .sign(&key)?;
    /// assert_eq!(signature.as_str(), "v1=geaTZms7RJX54kZ2XMBC+3lg72XV3NaYmsU092lu1So=");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn sign(&self, key: &SigningKey) -> Result<Signature, SignError> {
        let mut mac = key.mac.start();
        self.write_to(&mut mac)?;
        Ok(Signature::encode(&mac.finalize().into_bytes()))
    }

    /// The seven lines that are signed, to compare with what the other side has made of the answer. What
    /// [`RequestToSign::canonical`](super::RequestToSign::canonical) says of keeping them holds here too.
    ///
    /// # Errors
    ///
    /// [`SignError`], as for [`ResponseToSign::sign`].
    ///
    /// ```
    /// # use checkout_auth::allscale::response::ResponseToSign;
    /// let response = ResponseToSign {
    ///     status: 200,
    ///     request_path: "/v1/test/ping",
    ///     request_nonce: "a",
    ///     request_body: b"",
    ///     timestamp: 0,
    ///     nonce: "b",
    ///     body: b"",
    /// };
    /// let lines = [
    ///     "200",
    ///     "/v1/test/ping",
    ///     "a",
    ///     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ///     "0",
    ///     "b",
    ///     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    /// ];
    /// assert_eq!(response.canonical()?, lines.join("\n"));
    /// # Ok::<(), checkout_auth::allscale::response::SignError>(())
    /// ```
    pub fn canonical(&self) -> Result<String, SignError> {
        let mut text = String::new();
        self.write_to(&mut text)?;
        Ok(text)
    }

    fn write_to(&self, out: &mut impl Sink) -> Result<(), SignError> {
        check_request(self.status, self.request_path, self.request_nonce)?;
        if !is_header_text(self.nonce) {
            return Err(SignError::Nonce);
        }
        let lines = Lines {
            status: self.status,
            request_path: self.request_path,
            request_nonce: self.request_nonce,
            request_body_sha256: sha256_hex(self.request_body),
            timestamp: &self.timestamp.to_string(),
            nonce: self.nonce,
            body_sha256: sha256_hex(self.body),
        };
        lines.write_to(out);
        Ok(())
    }
}

impl fmt::Debug for ResponseToSign<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseToSign")
            .field("status", &self.status)
            .field("request_path", &self.request_path)
            .field("request_nonce", &self.request_nonce)
            .field("request_body_len", &self.request_body.len())
            .field("timestamp", &self.timestamp)
            .field("nonce", &self.nonce)
            .field("body_len", &self.body.len())
            .finish()
    }
}

/// Why an answer cannot be signed: the part that HTTP could not carry as it is.
///
/// ```
/// use checkout_auth::allscale::response::SignError;
///
/// assert_eq!(SignError::Status.to_string(), "the status is not three digits");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The status is not within 100 to 999.
    #[error("the status is not three digits")]
    Status,
    /// The request's path does not begin with `/`, or holds `?`, `#` or something other than visible ASCII.
    #[error(
        "the request's path does not begin with `/`, or holds `?`, `#` or a character that is not visible \
         ASCII"
    )]
    RequestPath,
    /// The request's nonce is empty or holds something other than visible ASCII.
    #[error("the request's nonce is empty or not visible ASCII")]
    RequestNonce,
    /// The answer's nonce is empty or holds something other than visible ASCII.
    #[error("the nonce is empty or not visible ASCII")]
    Nonce,
}

impl SignError {
    /// The caller's.
    ///
    /// ```
    /// # use checkout_auth::{Blame, allscale::response::SignError};
    /// assert_eq!(SignError::Status.blame(), Blame::Caller);
    /// ```
    #[must_use]
    pub const fn blame(&self) -> Blame {
        Blame::Caller
    }

    /// The usual cause, in a sentence.
    ///
    /// ```
    /// # use checkout_auth::allscale::response::SignError;
    /// assert!(SignError::RequestPath.hint().contains("URL"));
    /// ```
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Status => "give the HTTP status, not the code in the body",
            Self::RequestPath => "give the path that was signed: no whole URL and no query",
            Self::RequestNonce => "give the nonce that this attempt's request was signed with",
            Self::Nonce => "give the text of the header: a random id in letters and digits",
        }
    }
}

/// Why an answer is refused. Holds no value of a header, no part of a body, and no key.
///
/// ```
/// use checkout_auth::allscale::response::ResponseError;
///
/// let error = ResponseError::Expired { by_seconds: 12 };
/// assert_eq!(error.to_string(), "the answer's time is 12 s further back than the tolerance allows");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ResponseError {
    /// The status given here, or the request's path or nonce, could not have been sent.
    #[error(transparent)]
    Request(#[from] SignError),
    /// A header is missing, doubled or malformed.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The header `X-Request-Nonce` names another request.
    #[error("the header x-request-nonce names another request")]
    OtherRequest,
    /// No key of the ring is valid now.
    #[error("no key is valid now")]
    NoValidKey,
    /// None of the signatures is the one of this answer to this request, under any of the keys.
    #[error("no signature is this answer's to this request under the keys")]
    Mismatch,
    /// The signature is right, and the answer too old.
    #[error("the answer's time is {by_seconds} s further back than the tolerance allows")]
    Expired {
        /// Seconds past the tolerance, at least 1.
        by_seconds: u64,
    },
    /// The signature is right, and the answer from the future.
    #[error("the answer's time is {by_seconds} s further ahead than the tolerance allows")]
    Early {
        /// Seconds ahead of the tolerance, at least 1.
        by_seconds: u64,
    },
}

impl ResponseError {
    /// Where to look first, supposing that AllScale gave the answer.
    ///
    /// ```
    /// # use checkout_auth::{Blame, allscale::response::ResponseError};
    /// assert_eq!(ResponseError::OtherRequest.blame(), Blame::Caller);
    /// ```
    #[must_use]
    pub const fn blame(&self) -> Blame {
        match self {
            Self::Request(error) => error.blame(),
            Self::Header(error) => error.blame(),
            Self::OtherRequest => Blame::Caller,
            Self::NoValidKey | Self::Mismatch | Self::Early { .. } => Blame::SetUp,
            Self::Expired { .. } => Blame::Sender,
        }
    }

    /// The usual cause, in a sentence for the log.
    ///
    /// ```
    /// # use checkout_auth::allscale::response::ResponseError;
    /// assert!(ResponseError::Mismatch.hint().contains("written again"));
    /// ```
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Request(error) => error.hint(),
            Self::Header(error) => error.hint(),
            Self::OtherRequest => {
                "the nonce given is not of the attempt that this answers: every attempt has its own, a \
                 retry too"
            }
            Self::NoValidKey => "the validity of the ring's keys has ended, or has not begun",
            Self::Mismatch => {
                "a body was parsed and written again, or decompressed by the HTTP client, before it came \
                 here, the path or nonce is another attempt's, the key is not the one the request was \
                 signed with, or its secret has white space in it; an answer of somebody else's \
                 looks the same"
            }
            Self::Expired { by_seconds } if is_another_unit(*by_seconds) => NOW_IN_ANOTHER_UNIT,
            Self::Early { by_seconds } if is_another_unit(*by_seconds) => TIME_IN_ANOTHER_UNIT,
            Self::Expired { .. } => {
                "an old answer given again, or one held up on the way; when it is so with all of them, this \
                 machine's clock is ahead"
            }
            Self::Early { .. } => "this machine's clock is behind",
        }
    }
}

/// What is signed, each part checked.
struct Lines<'a> {
    status: u16,
    request_path: &'a str,
    request_nonce: &'a str,
    request_body_sha256: [u8; 64],
    timestamp: &'a str,
    nonce: &'a str,
    body_sha256: [u8; 64],
}

impl Lines<'_> {
    fn write_to(&self, out: &mut impl Sink) {
        push_decimal(out, self.status.into());
        let (path, nonce) = (self.request_path.as_bytes(), self.request_nonce.as_bytes());
        let (timestamp, own_nonce) = (self.timestamp.as_bytes(), self.nonce.as_bytes());
        for part in [path, nonce, &self.request_body_sha256, timestamp, own_nonce, &self.body_sha256] {
            out.push(b"\n");
            out.push(part);
        }
    }
}

fn check_request(status: u16, path: &str, nonce: &str) -> Result<(), SignError> {
    if !(100..=999).contains(&status) {
        return Err(SignError::Status);
    }
    if !is_path(path) {
        return Err(SignError::RequestPath);
    }
    if !is_header_text(nonce) {
        return Err(SignError::RequestNonce);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
