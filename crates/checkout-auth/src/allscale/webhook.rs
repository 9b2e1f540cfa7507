//! AllScale Checkout, API v1: the signature of a webhook.
//!
//! A webhook is a `POST` with five headers: `X-API-Key`, `X-Webhook-Id`, `X-Webhook-Timestamp`,
//! `X-Webhook-Nonce` and `X-Webhook-Signature`. The signature is made as a request's is, with the same
//! secret, but over eight lines.
//!
//! | line | content |
//! |---|---|
//! | 1 | `allscale:webhook:v1` |
//! | 2 | the method, in upper case |
//! | 3 | the path of the receiver's URL |
//! | 4 | its query as it is sent, without `?`; empty when there is none |
//! | 5 | the text of `X-Webhook-Id` |
//! | 6 | the text of `X-Webhook-Timestamp` |
//! | 7 | the text of `X-Webhook-Nonce` |
//! | 8 | the SHA-256 of the body's bytes in lower-case hexadecimal |
//!
//! [`Verifier::verify_webhook`](crate::Verifier::verify_webhook) checks all of the webhook and gives a
//! [`Signed`] [`Webhook`].
//!
//! # What a verified webhook is worth
//!
//! A holder of the secret sent the webhook, to this path, about now. The webhook may have come before:
//! remember its nonce and its id until [`Signed::accepted_until`], at the least. The body has a `webhook_id`
//! that must be [`Webhook::webhook_id`]; the code that reads the body compares the two. And the webhook has
//! no status: it is a reason to read the intent, not a payment.
//!
//! # The signature header
//!
//! The header's value is `v1=` and the Base64 of the MAC, or several such signatures separated by commas,
//! with blanks around a comma or without. A signature of another version is passed over; of version 1, one at
//! least must be the webhook's, and none may be malformed. The verifier reads at most eight signatures.
//! Assumed: the documents show one signature, and other providers send a list while a secret is changed.
//!
//! Sources: *Webhook Signing & Payload Guide*, v3, 2026-03-06, and v5, 2026-04-30: the headers, the eight
//! lines, five minutes, each nonce once. Assumed: that every part but the body is visible ASCII, because each
//! travels in a request line or a header; that the timestamp is written as a number is, without `+` and
//! leading zeros; and that none of the headers comes twice.

use alloc::string::{String, ToString};
use core::fmt;

use super::list::read_signatures;
use super::{Signature, SigningKey, headers, is_header_text, is_path, is_query, is_token};
use crate::fields::{Fields, HeaderFields};
use crate::mac::{MacKey, sha256_hex};
use crate::message::{self, Message, MessageError, MessageKind, Signed, Text, Verifier, part};
use crate::sign_error::SignError;

impl Verifier<SigningKey> {
    /// Checks a webhook of AllScale's as received. `now` is the receiver's time, in seconds since 1970-01-01
    /// UTC.
    ///
    /// The keys tried are those of the ring that are valid now and whose API key is the one in `X-API-Key`.
    /// The worth of a webhook that passes, and the sources: [`allscale::webhook`](self).
    ///
    /// # Errors
    /// [`MessageError`]: the fault of the webhook. Keep the fault for the receiver's own log: answer the
    /// sender with 401 and nothing more, for a sender that can tell the refusals apart learns which API keys
    /// are known, and which old message was genuine.
    ///
    /// ```
    /// # checkout_doctest::facade!(auth);
    /// use checkout_kit::KeyRing;
    /// use checkout_kit::allscale::SigningKey;
    /// use checkout_kit::allscale::webhook::WebhookRequest;
    /// use checkout_kit::auth::{HeaderError, HeaderProblem, MessageError, MessageKind, Verifier};
    ///
    /// let key = SigningKey::new("test_key", "test_secret_abc".into())?;
    /// let verifier = Verifier::new(KeyRing::new("2024-05", key));
    /// let headers = [
    ///     ("X-API-Key", "test_key"),
    ///     ("X-Webhook-Id", "wh_1"),
    ///     ("X-Webhook-Timestamp", "1716501000"),
    ///     ("X-Webhook-Nonce", "b4d9a2a1-9c2b-4df4-8b8e-2a13a45fd321"),
    ///     ("X-Webhook-Signature", "v1=bgYajtUMG8oMVv4qdGp9+OK03h3WdXG1JgbDVn0VWA0="),
    /// ];
    /// let request = WebhookRequest {
    ///     method: "POST",
    ///     path: "/hooks/allscale",
    ///     query: "",
    ///     headers: &headers[..],
    ///     body: br#"{"webhook_id":"wh_1"}"#,
    /// };
    /// let webhook = verifier.verify_webhook(&request, 1_716_501_300)?;
    /// assert_eq!((webhook.message().webhook_id, webhook.key_id()), ("wh_1", "2024-05"));
    ///
    /// let refused = |request, now| verifier.verify_webhook(&request, now).unwrap_err();
    /// assert_eq!(refused(request, 1_716_501_301), MessageError::Expired { by_seconds: 1 });
    /// let changed = WebhookRequest { body: b"{}", ..request };
    /// assert_eq!(refused(changed, 1_716_501_300), MessageError::Mismatch(MessageKind::AllScaleWebhook));
    /// let unsigned = WebhookRequest { headers: &headers[..4], ..request };
    /// let missing = HeaderError { name: "x-webhook-signature", problem: HeaderProblem::Missing };
    /// assert_eq!(refused(unsigned, 1_716_501_300), MessageError::Header(missing));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn verify_webhook<'a, H: HeaderFields + ?Sized>(
        &'a self,
        request: &WebhookRequest<'a, H>,
        now: i64,
    ) -> Result<Signed<'a, Webhook<'a>>, MessageError> {
        let WebhookRequest { method, path, query, headers, body } = *request;
        check_target(method, path, query)?;
        let fields = Fields(headers);
        let api_key = fields.text(headers::API_KEY)?;
        let webhook_id = fields.text(headers::WEBHOOK_ID)?;
        let timestamp = fields.seconds(headers::WEBHOOK_TIMESTAMP)?;
        let nonce = fields.text(headers::WEBHOOK_NONCE)?;
        let claimed = fields.read(headers::WEBHOOK_SIGNATURE, read_signatures)?;
        let webhook = Webhook { method, path, query, webhook_id, timestamp, nonce, body };
        self.check(webhook, &claimed, |key| key.api_key == api_key, now)
    }
}

/// A webhook as received, unread.
///
/// Method, path and query are those of the request that AllScale sent, so those of the URL given to AllScale:
/// when a proxy in front rewrites the path, give the path from before. The body is the bytes that came,
/// before anything parses them.
///
/// `Debug` shows neither the headers nor the query nor the body.
///
/// ```
/// # checkout_doctest::facade!(auth);
/// use checkout_kit::allscale::webhook::WebhookRequest;
///
/// let headers = [("x-api-key", "test_key")];
/// let request = WebhookRequest { method: "POST", path: "/hook", query: "", headers: &headers, body: b"{}" };
/// assert!(format!("{request:?}").contains("body_len: 2"));
/// ```
pub struct WebhookRequest<'a, H: ?Sized> {
    /// The method as sent, an HTTP token in upper case: `POST`.
    pub method: &'a str,
    /// The path as sent, percent-encoded: begins with `/`, visible ASCII, no `?` and no `#`.
    pub path: &'a str,
    /// The query as sent, percent-encoded and in its own order: visible ASCII, no `#`. The field leaves out
    /// the `?` before the query. Empty when the request has no query.
    pub query: &'a str,
    /// All of the headers.
    pub headers: &'a H,
    /// The body's bytes.
    pub body: &'a [u8],
}

impl<H: ?Sized> Clone for WebhookRequest<'_, H> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<H: ?Sized> Copy for WebhookRequest<'_, H> {}

impl<H: ?Sized> fmt::Debug for WebhookRequest<'_, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookRequest")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("query_len", &self.query.len())
            .field("body_len", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// A webhook as the signature covers the webhook: the content of a verified webhook, and the input for the
/// signature of a sandbox or a test of a receiver.
///
/// `Debug` shows neither the nonce nor the query nor the body.
///
/// ```
/// # checkout_doctest::facade!(auth);
/// use checkout_kit::allscale::webhook::Webhook;
///
/// let webhook = Webhook {
///     method: "POST",
///     path: "/hooks/allscale",
///     query: "",
///     webhook_id: "wh_1",
///     timestamp: 1_716_501_000,
///     nonce: "b4d9a2a1-9c2b-4df4-8b8e-2a13a45fd321",
///     body: b"{}",
/// };
/// assert!(webhook.canonical()?.starts_with("allscale:webhook:v1\nPOST\n/hooks/allscale\n\nwh_1\n"));
/// # Ok::<(), checkout_auth::SignError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Webhook<'a> {
    /// The method, an HTTP token in upper case.
    pub method: &'a str,
    /// The path of the receiver's URL, percent-encoded: begins with `/`, visible ASCII, no `?` and no `#`.
    pub path: &'a str,
    /// The query of the receiver's URL, without `?`: visible ASCII, no `#`; empty when there is none.
    pub query: &'a str,
    /// The text of [`headers::WEBHOOK_ID`]: visible ASCII, not empty. The body's `webhook_id` must be the
    /// same.
    pub webhook_id: &'a str,
    /// The time of the signature, by the sender's clock, in seconds since 1970-01-01 UTC;
    /// [`headers::WEBHOOK_TIMESTAMP`] carries the time in decimal.
    pub timestamp: i64,
    /// The text of [`headers::WEBHOOK_NONCE`]: visible ASCII, not empty. Unlike any other webhook's; the
    /// receiver must remember the nonces to know that this one is new.
    pub nonce: &'a str,
    /// The body's bytes.
    pub body: &'a [u8],
}

impl Webhook<'_> {
    /// The signature, for the header [`headers::WEBHOOK_SIGNATURE`].
    ///
    /// # Errors
    /// [`SignError`] when an HTTP request could not carry a part of the webhook.
    ///
    /// ```
    /// # checkout_doctest::facade!(auth);
    /// use checkout_kit::allscale::SigningKey;
    /// use checkout_kit::allscale::webhook::Webhook;
    ///
    /// let key = SigningKey::new("test_key", "test_secret_abc".into())?;
    /// let signature = Webhook {
    ///     method: "POST",
    ///     path: "/hooks/allscale",
    ///     query: "",
    ///     webhook_id: "wh_1",
    ///     timestamp: 1_716_501_000,
    ///     nonce: "b4d9a2a1-9c2b-4df4-8b8e-2a13a45fd321",
    ///     body: br#"{"webhook_id":"wh_1"}"#,
    /// }
    /// .sign(&key)?;
    /// assert_eq!(signature.as_str(), "v1=bgYajtUMG8oMVv4qdGp9+OK03h3WdXG1JgbDVn0VWA0=");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn sign(&self, key: &SigningKey) -> Result<Signature, SignError> {
        Ok(Signature::encode(&message::mac(self, key)?))
    }

    /// The eight lines that are signed, to compare with the lines that the other side made of the webhook.
    /// The advice of [`RequestToSign::canonical`](super::RequestToSign::canonical) on keeping the lines holds
    /// here too.
    ///
    /// # Errors
    /// [`SignError`], as for [`Webhook::sign`].
    ///
    /// ```
    /// # use checkout_auth::allscale::webhook::Webhook;
    /// let webhook = Webhook {
    ///     method: "POST",
    ///     path: "/hook",
    ///     query: "store=1",
    ///     webhook_id: "wh_1",
    ///     timestamp: 0,
    ///     nonce: "n",
    ///     body: b"",
    /// };
    /// let lines = [
    ///     "allscale:webhook:v1",
    ///     "POST",
    ///     "/hook",
    ///     "store=1",
    ///     "wh_1",
    ///     "0",
    ///     "n",
    ///     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    /// ];
    /// assert_eq!(webhook.canonical()?, lines.join("\n"));
    /// # Ok::<(), checkout_auth::SignError>(())
    /// ```
    pub fn canonical(&self) -> Result<String, SignError> {
        message::canonical(self)
    }
}

impl Message for Webhook<'_> {
    type Key = SigningKey;

    const KIND: MessageKind = MessageKind::AllScaleWebhook;
    const NO_KEY: MessageError = MessageError::UnknownKey;

    fn mac_key(key: &SigningKey) -> &MacKey {
        &key.mac
    }

    fn timestamp(&self) -> i64 {
        self.timestamp
    }

    fn check(&self) -> Result<(), SignError> {
        check_target(self.method, self.path, self.query)?;
        if !is_header_text(self.webhook_id) {
            return Err(SignError::WebhookId);
        }
        if !is_header_text(self.nonce) {
            return Err(SignError::Nonce);
        }
        Ok(())
    }

    fn text(&self) -> Text<'_> {
        let parts = [
            part(VERSION),
            part(self.method),
            part(self.path),
            part(self.query),
            part(self.webhook_id),
            self.timestamp.to_string().into_bytes().into(),
            part(self.nonce),
            sha256_hex(self.body).to_vec().into(),
        ];
        Text::new(b"\n", parts)
    }
}

impl fmt::Debug for Webhook<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("query_len", &self.query.len())
            .field("webhook_id", &self.webhook_id)
            .field("timestamp", &self.timestamp)
            .field("body_len", &self.body.len())
            .finish_non_exhaustive()
    }
}

fn check_target(method: &str, path: &str, query: &str) -> Result<(), SignError> {
    if method.is_empty() || !method.bytes().all(is_token) {
        return Err(SignError::Method);
    }
    if method.bytes().any(|byte| byte.is_ascii_lowercase()) {
        return Err(SignError::MethodCase);
    }
    if !is_path(path) {
        return Err(SignError::Path);
    }
    if !is_query(query) {
        return Err(SignError::Query);
    }
    Ok(())
}

/// The first line of the signed text.
const VERSION: &str = "allscale:webhook:v1";

#[cfg(test)]
mod tests;
