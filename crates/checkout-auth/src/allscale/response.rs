//! AllScale Checkout, API v1: the signature of an answer.
//!
//! A store can have AllScale sign its answers; by default the answers are not signed. A signed answer has the
//! headers `X-Response-Timestamp`, `X-Response-Nonce`, `X-Response-Signature` and `X-Request-Nonce`. The
//! signature is made as a request's is, with the same secret, but over seven lines, two of which are the
//! request's own: so the answer to one attempt does not pass for the answer to another.
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
//! **When answers are signed, refuse unsigned answers.** Anyone who can change an answer can take its
//! signature away too: [`Verifier::verify_response`](crate::Verifier::verify_response) refuses such an answer
//! as it refuses a forged answer.
//!
//! The signature does not cover the method and the query: keep the nonce of every attempt unlike any other's,
//! as AllScale wants, and the nonce tells the requests apart. `X-Request-Id` is not signed, and is not read
//! here. `X-Request-Nonce` must be the request's when the header is there; as the request's own nonce is
//! signed, nothing depends on the header. The signature header may hold several signatures, as [a
//! webhook's](super::webhook#the-signature-header).
//!
//! Source: *Auth*, v1, 2026-01: the headers and the seven lines. Assumed: that the key, the `v1=`
//! and the Base64 are those of requests; that the timestamp is in seconds; that `X-Request-Nonce` may be
//! missing; and what is assumed of a webhook's headers.

use alloc::string::{String, ToString};
use core::fmt;

use super::list::read_signatures;
use super::{Signature, SigningKey, headers, is_header_text, is_path};
use crate::fields::{Fields, HeaderFields};
use crate::mac::{MacKey, sha256_hex};
use crate::message::{self, Message, MessageError, MessageKind, Signed, Text, Verifier, part};
use crate::sign_error::SignError;

impl Verifier<SigningKey> {
    /// Checks an answer of AllScale's as received. `now` is the receiver's time, in seconds since 1970-01-01
    /// UTC.
    ///
    /// The key that signed the request must be in the ring; the API keys are not compared, because an answer
    /// has none. Right after the form, the method checks that the answer is to this request. The sources:
    /// [`allscale::response`](self).
    ///
    /// # Errors
    /// [`MessageError`]: the fault of the answer. Whatever the fault, believe nothing in the answer, not even
    /// that the request has failed.
    ///
    /// ```
    /// # checkout_doctest::facade!(auth);
    /// use checkout_kit::KeyRing;
    /// use checkout_kit::allscale::SigningKey;
    /// use checkout_kit::allscale::response::ReceivedResponse;
    /// use checkout_kit::auth::{MessageError, MessageKind, Verifier};
    ///
    /// let key = SigningKey::new("test_key", "test_secret_abc".into())?;
    /// let verifier = Verifier::new(KeyRing::new("2024-05", key));
    /// let headers = [
    ///     ("X-Response-Timestamp", "1716501001"),
    ///     ("X-Response-Nonce", "0f5b8c5e-5a4c-4a52-a5a5-0a4f4b6f7d10"),
    ///     ("X-Response-Signature", "v1=geaTZms7RJX54kZ2XMBC+3lg72XV3NaYmsU092lu1So="),
    /// ];
    /// let response = ReceivedResponse {
    ///     request_path: "/v1/test/ping",
    ///     request_nonce: "b4d9a2a1-9c2b-4df4-8b8e-2a13a45fd321",
    ///     request_body: b"",
    ///     status: 200,
    ///     headers: &headers,
    ///     body: br#"{"code":0,"payload":{"pong":"ok"}}"#,
    /// };
    /// let signed = verifier.verify_response(&response, 1_716_501_001)?;
    /// assert_eq!(signed.key_id(), "2024-05");
    ///
    /// let of_another_attempt = ReceivedResponse { request_nonce: "another", ..response };
    /// let refused = verifier.verify_response(&of_another_attempt, 1_716_501_001);
    /// assert_eq!(refused, Err(MessageError::Mismatch(MessageKind::AllScaleResponse)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn verify_response<'a, H: HeaderFields + ?Sized>(
        &'a self,
        response: &ReceivedResponse<'a, H>,
        now: i64,
    ) -> Result<Signed<'a, Response<'a>>, MessageError> {
        let ReceivedResponse { request_path, request_nonce, request_body, status, headers, body } = *response;
        check_request(status, request_path, request_nonce)?;
        let fields = Fields(headers);
        let timestamp = fields.seconds(headers::RESPONSE_TIMESTAMP)?;
        let nonce = fields.text(headers::RESPONSE_NONCE)?;
        let answered = fields.optional_text(headers::REQUEST_NONCE)?;
        let claimed = fields.read(headers::RESPONSE_SIGNATURE, read_signatures)?;
        if answered.is_some_and(|answered| answered != request_nonce) {
            return Err(MessageError::OtherRequest);
        }
        let response = Response { status, request_path, request_nonce, request_body, timestamp, nonce, body };
        self.check(response, &claimed, |_| true, now)
    }
}

/// An answer as received, unread, and the parts of its request that are signed with the answer.
///
/// `Debug` shows neither the headers nor the bodies.
///
/// ```
/// # checkout_doctest::facade!(auth);
/// use checkout_kit::allscale::response::ReceivedResponse;
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
    /// The path of this attempt's request, as signed and sent.
    pub request_path: &'a str,
    /// The nonce of this attempt's request.
    pub request_nonce: &'a str,
    /// The bytes of the request's body, empty when the request had no body.
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

/// An answer as the signature covers the answer: the content of a verified answer, and the input for the
/// signature of a sandbox or a test of a client.
///
/// `Debug` shows neither a nonce nor a body.
///
/// ```
/// # checkout_doctest::facade!(auth);
/// use checkout_kit::allscale::response::Response;
///
/// let response = Response {
///     status: 200,
///     request_path: "/v1/test/ping",
///     request_nonce: "b4d9a2a1-9c2b-4df4-8b8e-2a13a45fd321",
///     request_body: b"",
///     timestamp: 1_716_501_001,
///     nonce: "0f5b8c5e-5a4c-4a52-a5a5-0a4f4b6f7d10",
///     body: b"{}",
/// };
/// assert!(response.canonical()?.starts_with("200\n/v1/test/ping\nb4d9a2a1-"));
/// # Ok::<(), checkout_auth::SignError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Response<'a> {
    /// The HTTP status, 100 to 999.
    pub status: u16,
    /// The path of the request: begins with `/`, visible ASCII, no `?` and no `#`.
    pub request_path: &'a str,
    /// The text of the request's [`headers::NONCE`]: visible ASCII, not empty.
    pub request_nonce: &'a str,
    /// The bytes of the request's body.
    pub request_body: &'a [u8],
    /// The time of the signature, by AllScale's clock, in seconds since 1970-01-01 UTC;
    /// [`headers::RESPONSE_TIMESTAMP`] carries the time in decimal.
    pub timestamp: i64,
    /// The text of [`headers::RESPONSE_NONCE`]: visible ASCII, not empty.
    pub nonce: &'a str,
    /// The bytes of the answer's body.
    pub body: &'a [u8],
}

impl Response<'_> {
    /// The signature, for the header [`headers::RESPONSE_SIGNATURE`].
    ///
    /// # Errors
    /// [`SignError`] when HTTP could not carry a part of the answer.
    ///
    /// ```
    /// # checkout_doctest::facade!(auth);
    /// use checkout_kit::allscale::SigningKey;
    /// use checkout_kit::allscale::response::Response;
    ///
    /// let key = SigningKey::new("test_key", "test_secret_abc".into())?;
    /// let signature = Response {
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
        Ok(Signature::encode(&message::mac(self, key)?))
    }

    /// The seven lines that are signed, to compare with the lines that the other side made of the answer. The
    /// advice of [`RequestToSign::canonical`](super::RequestToSign::canonical) on keeping the lines holds
    /// here too.
    ///
    /// # Errors
    /// [`SignError`], as for [`Response::sign`].
    ///
    /// ```
    /// # use checkout_auth::allscale::response::Response;
    /// let response = Response {
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
    /// # Ok::<(), checkout_auth::SignError>(())
    /// ```
    pub fn canonical(&self) -> Result<String, SignError> {
        message::canonical(self)
    }
}

impl Message for Response<'_> {
    type Key = SigningKey;

    const KIND: MessageKind = MessageKind::AllScaleResponse;
    const NO_KEY: MessageError = MessageError::NoValidKey;

    fn mac_key(key: &SigningKey) -> &MacKey {
        &key.mac
    }

    fn timestamp(&self) -> i64 {
        self.timestamp
    }

    fn check(&self) -> Result<(), SignError> {
        check_request(self.status, self.request_path, self.request_nonce)?;
        if !is_header_text(self.nonce) {
            return Err(SignError::Nonce);
        }
        Ok(())
    }

    fn text(&self) -> Text<'_> {
        let parts = [
            self.status.to_string().into_bytes().into(),
            part(self.request_path),
            part(self.request_nonce),
            sha256_hex(self.request_body).to_vec().into(),
            self.timestamp.to_string().into_bytes().into(),
            part(self.nonce),
            sha256_hex(self.body).to_vec().into(),
        ];
        Text::new(b"\n", parts)
    }
}

impl fmt::Debug for Response<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("request_path", &self.request_path)
            .field("request_body_len", &self.request_body.len())
            .field("timestamp", &self.timestamp)
            .field("body_len", &self.body.len())
            .finish_non_exhaustive()
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
