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
//! [`WebhookVerifier::verify`] looks at all of it and gives a [`SignedWebhook`], the only way to one.
//!
//! # What a verified webhook is worth
//!
//! A holder of the secret sent it, to this path, about now. It may have come before: remember its nonce and
//! its id until [`SignedWebhook::accepted_until`], at the least. Its body has a `webhook_id` that must be
//! [`SignedWebhook::webhook_id`], for whoever reads bodies to compare. And it has no status: it is a reason
//! to read the intent, not a payment.
//!
//! # The signature header
//!
//! Its value is `v1=` and the Base64 of the MAC, or several such signatures separated by commas, with blanks
//! around a comma or without. One of another version is passed over; of version 1, one at least must be the
//! webhook's, and none may be malformed. At most eight are looked at. Assumed: the documents show one
//! signature, and a list is what other providers send while a secret is changed.
//!
//! Sources: *Webhook Signing & Payload Guide*, v3, 2026-03-06, and v5, 2026-04-30: the headers, the eight
//! lines, five minutes, each nonce once. Assumed: that every part but the body is visible ASCII, because each
//! travels in a request line or a header; that the timestamp is written as a number is, without `+` and
//! leading zeros; and that none of the headers comes twice.

use alloc::string::{String, ToString};
use core::fmt;

use hmac::Mac;

use super::list::read_signatures;
use super::{Signature, SigningKey, headers, is_header_text, is_path, is_query, is_token};
use crate::blame::Blame;
use crate::fields::{Fields, HeaderError, HeaderFields};
use crate::mac::{Sink, sha256_hex};
use crate::ring::KeyRing;
use crate::time::{Judgement, NOW_IN_ANOTHER_UNIT, TIME_IN_ANOTHER_UNIT, Tolerance, is_another_unit};

/// Verifies webhooks with the keys of a ring.
///
/// `Debug` prints the ring's ids and the tolerance.
///
/// ```
/// use checkout_auth::allscale::SigningKey;
/// use checkout_auth::allscale::webhook::{WebhookRequest, WebhookVerifier};
/// use checkout_auth::{KeyRing, Tolerance};
///
/// let key = SigningKey::new("test_key", "test_secret_abc".into())?;
/// let verifier = WebhookVerifier::new(KeyRing::new("2024-05", key));
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
///     headers: &headers,
///     body: br#"{"webhook_id":"wh_1"}"#,
/// };
/// let webhook = verifier.verify(&request, 1_716_501_007)?;
/// assert_eq!((webhook.webhook_id(), webhook.key_id()), ("wh_1", "2024-05"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct WebhookVerifier {
    keys: KeyRing<SigningKey>,
    tolerance: Tolerance,
}

impl WebhookVerifier {
    /// A verifier with these keys and the default [`Tolerance`].
    ///
    /// ```
    /// # use checkout_auth::{KeyRing, allscale::{SigningKey, webhook::WebhookVerifier}};
    /// let key = SigningKey::new("test_key", "test_secret_abc".into())?;
    /// let verifier = WebhookVerifier::new(KeyRing::new("2024-05", key));
    /// # Ok::<(), checkout_auth::allscale::KeyError>(())
    /// ```
    #[must_use]
    pub fn new(keys: KeyRing<SigningKey>) -> Self {
        Self { keys, tolerance: Tolerance::default() }
    }

    /// This verifier with another tolerance.
    ///
    /// ```
    /// # use checkout_auth::{KeyRing, Tolerance, allscale::{SigningKey, webhook::WebhookVerifier}};
    /// # let key = SigningKey::new("test_key", "test_secret_abc".into())?;
    /// let minute = Tolerance::from_seconds(60);
    /// let verifier = WebhookVerifier::new(KeyRing::new("2024-05", key)).tolerance(minute);
    /// # Ok::<(), checkout_auth::allscale::KeyError>(())
    /// ```
    #[must_use]
    pub fn tolerance(self, tolerance: Tolerance) -> Self {
        Self { tolerance, ..self }
    }

    /// Checks a webhook as it was received. `now` is the receiver's time, in seconds since 1970-01-01 UTC.
    ///
    /// The keys tried are those of the ring that are valid now and whose API key is the one in `X-API-Key`.
    /// The comparison with a right signature is in constant time. Its time grows with the body's length,
    /// which nothing here bounds.
    ///
    /// First the form is checked, then the key, then the signature, and the time last: so a time that is
    /// refused was signed, and an old message can be told from a forged one.
    ///
    /// # Errors
    ///
    /// [`WebhookError`]: what was wrong. It is for the receiver's own log: answer the sender with 401 and
    /// nothing more, for one who can tell the refusals apart learns which API keys are known, and which old
    /// message was genuine.
    ///
    /// ```
    /// use checkout_auth::allscale::SigningKey;
    /// use checkout_auth::allscale::webhook::{WebhookError, WebhookRequest, WebhookToSign, WebhookVerifier};
    /// use checkout_auth::{HeaderError, HeaderProblem, KeyRing};
    ///
    /// let key = SigningKey::new("test_key", "test_secret_abc".into())?;
    /// let to_sign = WebhookToSign {
    ///     method: "POST",
    ///     path: "/hooks/allscale",
    ///     query: "",
    ///     webhook_id: "wh_1",
    ///     timestamp: 1_716_501_000,
    ///     nonce: "b4d9a2a1-9c2b-4df4-8b8e-2a13a45fd321",
    ///     body: b"{}",
    /// };
    /// let signature = to_sign.sign(&key)?;
    /// let mut headers = vec![
    ///     ("X-API-Key", "test_key"),
    ///     ("X-Webhook-Id", "wh_1"),
    ///     ("X-Webhook-Timestamp", "1716501000"),
    ///     ("X-Webhook-Nonce", "b4d9a2a1-9c2b-4df4-8b8e-2a13a45fd321"),
    ///     ("X-Webhook-Signature", signature.as_str()),
    /// ];
    /// let verifier = WebhookVerifier::new(KeyRing::new("2024-05", key));
    /// let verify = |headers: &Vec<(&str, &str)>, body: &[u8], now| {
    ///     let request =
    ///         WebhookRequest { method: "POST", path: "/hooks/allscale", query: "", headers, body };
    ///     verifier.verify(&request, now).map(|_| ())
    /// };
    /// assert_eq!(verify(&headers, b"{}", 1_716_501_300), Ok(()));
    /// assert_eq!(verify(&headers, b"{}", 1_716_501_301), Err(WebhookError::Expired { by_seconds: 1 }));
    /// assert_eq!(verify(&headers, b"{ }", 1_716_501_300), Err(WebhookError::Mismatch));
    /// headers.pop();
    /// let missing = HeaderError { name: "x-webhook-signature", problem: HeaderProblem::Missing };
    /// assert_eq!(verify(&headers, b"{}", 1_716_501_300), Err(WebhookError::Header(missing)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn verify<'a, H: HeaderFields + ?Sized>(
        &'a self,
        request: &WebhookRequest<'a, H>,
        now: i64,
    ) -> Result<SignedWebhook<'a>, WebhookError> {
        check_target(request.method, request.path, request.query)?;
        let fields = Fields(request.headers);
        let api_key = fields.text(headers::API_KEY)?;
        let webhook_id = fields.text(headers::WEBHOOK_ID)?;
        let (timestamp_text, timestamp) = fields.seconds(headers::WEBHOOK_TIMESTAMP)?;
        let nonce = fields.text(headers::WEBHOOK_NONCE)?;
        let name = headers::WEBHOOK_SIGNATURE;
        let claimed =
            read_signatures(fields.bytes(name)?).map_err(|problem| HeaderError { name, problem })?;

        let mut keys = self.keys.at(now).filter(|(_, key)| key.api_key == api_key).peekable();
        keys.peek().ok_or(WebhookError::UnknownKey)?;
        let lines = Lines {
            method: request.method,
            path: request.path,
            query: request.query,
            webhook_id,
            timestamp: timestamp_text,
            nonce,
            body_sha256: sha256_hex(request.body),
        };
        let (key_id, _) = keys
            .find(|(_, key)| key.mac.made_any_of(&claimed, |mac| lines.write_to(mac)))
            .ok_or(WebhookError::Mismatch)?;
        match self.tolerance.judge(timestamp, now) {
            Judgement::InTime => {}
            Judgement::Expired { by_seconds } => return Err(WebhookError::Expired { by_seconds }),
            Judgement::Early { by_seconds } => return Err(WebhookError::Early { by_seconds }),
        }
        let accepted_until = self.tolerance.last_second(timestamp);
        Ok(SignedWebhook { webhook_id, nonce, timestamp, accepted_until, key_id, body: request.body })
    }
}

impl fmt::Debug for WebhookVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookVerifier")
            .field("keys", &self.keys)
            .field("tolerance", &self.tolerance)
            .finish()
    }
}

/// A webhook as it was received, unread.
///
/// Method, path and query are those of the request that AllScale sent, so those of the URL it was given: when
/// a proxy in front rewrites the path, give the one from before. The body is the bytes that came, before
/// anything parses them.
///
/// `Debug` shows neither the headers nor the query nor the body.
///
/// ```
/// use checkout_auth::allscale::webhook::WebhookRequest;
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
    /// The query as sent, percent-encoded and in its own order: visible ASCII, no `#`. Without the `?` that
    /// sets it off. Empty when there is none.
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

/// What a webhook that was verified says of itself. Only [`WebhookVerifier::verify`] makes one.
///
/// `Debug` shows neither the nonce nor the body.
///
/// ```
/// use checkout_auth::allscale::webhook::SignedWebhook;
///
/// fn log_line(webhook: &SignedWebhook<'_>) -> String {
///     format!("webhook {} of {} s, key {}", webhook.webhook_id(), webhook.timestamp(), webhook.key_id())
/// }
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SignedWebhook<'a> {
    webhook_id: &'a str,
    nonce: &'a str,
    timestamp: i64,
    accepted_until: i64,
    key_id: &'a str,
    body: &'a [u8],
}

impl<'a> SignedWebhook<'a> {
    /// The text of `X-Webhook-Id`: visible ASCII, never empty. The body's `webhook_id` must be the same.
    ///
    /// ```
    /// # use checkout_auth::allscale::webhook::SignedWebhook;
    /// fn is_of(webhook: &SignedWebhook<'_>, webhook_id_of_the_body: &str) -> bool {
    ///     webhook.webhook_id() == webhook_id_of_the_body
    /// }
    /// ```
    #[must_use]
    pub const fn webhook_id(&self) -> &'a str {
        self.webhook_id
    }

    /// The text of `X-Webhook-Nonce`: visible ASCII, never empty. Unlike any other webhook's; whether it is
    /// new, the receiver must remember.
    ///
    /// ```
    /// # use checkout_auth::allscale::webhook::SignedWebhook;
    /// fn is_new(webhook: &SignedWebhook<'_>, seen: &std::collections::BTreeSet<String>) -> bool {
    ///     !seen.contains(webhook.nonce())
    /// }
    /// ```
    #[must_use]
    pub const fn nonce(&self) -> &'a str {
        self.nonce
    }

    /// When it was signed: seconds since 1970-01-01 UTC, by the sender's clock.
    ///
    /// ```
    /// # use checkout_auth::allscale::webhook::SignedWebhook;
    /// fn seconds_on_the_way(webhook: &SignedWebhook<'_>, now: i64) -> i64 {
    ///     now.saturating_sub(webhook.timestamp())
    /// }
    /// ```
    #[must_use]
    pub const fn timestamp(&self) -> i64 {
        self.timestamp
    }

    /// The last second at which the same message would pass again, seconds since 1970-01-01 UTC: the
    /// timestamp and the tolerance, or `i64::MAX` when there is no such number. Until then at the least its
    /// nonce must be remembered.
    ///
    /// ```
    /// # use checkout_auth::allscale::webhook::SignedWebhook;
    /// fn may_be_forgotten(webhook: &SignedWebhook<'_>, now: i64) -> bool {
    ///     now > webhook.accepted_until()
    /// }
    /// ```
    #[must_use]
    pub const fn accepted_until(&self) -> i64 {
        self.accepted_until
    }

    /// The ring's id of the key that made the signature.
    ///
    /// ```
    /// # use checkout_auth::allscale::webhook::SignedWebhook;
    /// fn is_under_the_old_key(webhook: &SignedWebhook<'_>) -> bool {
    ///     webhook.key_id() == "2023-01"
    /// }
    /// ```
    #[must_use]
    pub const fn key_id(&self) -> &'a str {
        self.key_id
    }

    /// The bytes that were signed: read the event from these and no others.
    ///
    /// ```
    /// # use checkout_auth::allscale::webhook::SignedWebhook;
    /// fn is_an_object(webhook: &SignedWebhook<'_>) -> bool {
    ///     webhook.body().starts_with(b"{")
    /// }
    /// ```
    #[must_use]
    pub const fn body(&self) -> &'a [u8] {
        self.body
    }
}

impl fmt::Debug for SignedWebhook<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedWebhook")
            .field("webhook_id", &self.webhook_id)
            .field("timestamp", &self.timestamp)
            .field("key_id", &self.key_id)
            .field("body_len", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// A webhook as its signature sees it, for whoever sends one: a sandbox, or a test of a receiver.
///
/// `Debug` shows neither the query nor the body, but their lengths.
///
/// ```
/// use checkout_auth::allscale::webhook::WebhookToSign;
///
/// let webhook = WebhookToSign {
///     method: "POST",
///     path: "/hooks/allscale",
///     query: "",
///     webhook_id: "wh_1",
///     timestamp: 1_716_501_000,
///     nonce: "b4d9a2a1-9c2b-4df4-8b8e-2a13a45fd321",
///     body: b"{}",
/// };
/// assert!(webhook.canonical()?.starts_with("allscale:webhook:v1\nPOST\n/hooks/allscale\n\nwh_1\n"));
/// # Ok::<(), checkout_auth::allscale::webhook::SignError>(())
/// ```
#[derive(Clone, Copy)]
pub struct WebhookToSign<'a> {
    /// The method, an HTTP token in upper case.
    pub method: &'a str,
    /// The path of the receiver's URL, percent-encoded: begins with `/`, visible ASCII, no `?` and no `#`.
    pub path: &'a str,
    /// The query of the receiver's URL, without `?`: visible ASCII, no `#`; empty when there is none.
    pub query: &'a str,
    /// The text of [`headers::WEBHOOK_ID`]: visible ASCII, not empty.
    pub webhook_id: &'a str,
    /// The time in seconds since 1970-01-01 UTC; [`headers::WEBHOOK_TIMESTAMP`] carries it in decimal.
    pub timestamp: i64,
    /// The text of [`headers::WEBHOOK_NONCE`]: visible ASCII, not empty.
    pub nonce: &'a str,
    /// The body's bytes.
    pub body: &'a [u8],
}

impl WebhookToSign<'_> {
    /// The signature, for the header [`headers::WEBHOOK_SIGNATURE`].
    ///
    /// # Errors
    ///
    /// [`SignError`] when a part is not what an HTTP request could carry.
    ///
    /// ```
    /// use checkout_auth::allscale::{SigningKey, webhook::WebhookToSign};
    ///
    /// let key = SigningKey::new("test_key", "test_secret_abc".into())?;
    /// let signature = WebhookToSign {
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
        let mut mac = key.mac.start();
        self.write_to(&mut mac)?;
        Ok(Signature::encode(&mac.finalize().into_bytes()))
    }

    /// The eight lines that are signed, to compare with what the other side has made of the webhook. What
    /// [`RequestToSign::canonical`](super::RequestToSign::canonical) says of keeping them holds here too.
    ///
    /// # Errors
    ///
    /// [`SignError`], as for [`WebhookToSign::sign`].
    ///
    /// ```
    /// # use checkout_auth::allscale::webhook::WebhookToSign;
    /// let webhook = WebhookToSign {
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
    /// # Ok::<(), checkout_auth::allscale::webhook::SignError>(())
    /// ```
    pub fn canonical(&self) -> Result<String, SignError> {
        let mut text = String::new();
        self.write_to(&mut text)?;
        Ok(text)
    }

    fn write_to(&self, out: &mut impl Sink) -> Result<(), SignError> {
        check_target(self.method, self.path, self.query)?;
        if !is_header_text(self.webhook_id) {
            return Err(SignError::WebhookId);
        }
        if !is_header_text(self.nonce) {
            return Err(SignError::Nonce);
        }
        let lines = Lines {
            method: self.method,
            path: self.path,
            query: self.query,
            webhook_id: self.webhook_id,
            timestamp: &self.timestamp.to_string(),
            nonce: self.nonce,
            body_sha256: sha256_hex(self.body),
        };
        lines.write_to(out);
        Ok(())
    }
}

impl fmt::Debug for WebhookToSign<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookToSign")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("query_len", &self.query.len())
            .field("webhook_id", &self.webhook_id)
            .field("timestamp", &self.timestamp)
            .field("nonce", &self.nonce)
            .field("body_len", &self.body.len())
            .finish()
    }
}

/// Why a webhook cannot be signed: the part that no HTTP request could carry as it is.
///
/// ```
/// use checkout_auth::allscale::webhook::SignError;
///
/// assert_eq!(SignError::WebhookId.to_string(), "the webhook id is empty or not visible ASCII");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The method is empty, no HTTP token, or not in upper case.
    #[error("the method is not an HTTP token in upper case")]
    Method,
    /// The path does not begin with `/`, or holds `?`, `#` or something other than visible ASCII.
    #[error("the path does not begin with `/`, or holds `?`, `#` or a character that is not visible ASCII")]
    Path,
    /// The query begins with `?`, or holds `#` or something other than visible ASCII.
    #[error("the query begins with `?`, or holds `#` or a character that is not visible ASCII")]
    Query,
    /// The webhook id is empty or holds something other than visible ASCII.
    #[error("the webhook id is empty or not visible ASCII")]
    WebhookId,
    /// The nonce is empty or holds something other than visible ASCII.
    #[error("the nonce is empty or not visible ASCII")]
    Nonce,
}

impl SignError {
    /// The caller's.
    ///
    /// ```
    /// # use checkout_auth::{Blame, allscale::webhook::SignError};
    /// assert_eq!(SignError::Path.blame(), Blame::Caller);
    /// ```
    #[must_use]
    pub const fn blame(&self) -> Blame {
        Blame::Caller
    }

    /// The usual cause, in a sentence.
    ///
    /// ```
    /// # use checkout_auth::allscale::webhook::SignError;
    /// assert!(SignError::Path.hint().contains("URL"));
    /// ```
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Method => "give the method as it was sent, `POST`",
            Self::Path => "give the path alone, still percent-encoded: no whole URL and no query",
            Self::Query => {
                "give the query without its `?`, still percent-encoded, and the empty text for none"
            }
            Self::WebhookId | Self::Nonce => "give the text of the header: a random id in letters and digits",
        }
    }
}

/// Why a webhook is refused. For the receiver's own log: the sender is told of all alike. Holds no value of a
/// header, no part of the body, and no key.
///
/// ```
/// use checkout_auth::allscale::webhook::WebhookError;
///
/// let error = WebhookError::Early { by_seconds: 12 };
/// assert_eq!(error.to_string(), "the webhook's time is 12 s further ahead than the tolerance allows");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookError {
    /// The method, path or query given here could not have been sent.
    #[error(transparent)]
    Request(#[from] SignError),
    /// A header is missing, doubled or malformed.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// No key of the ring that is valid now has the API key of the header.
    #[error("no key that is valid now has the api key of the header x-api-key")]
    UnknownKey,
    /// None of the signatures is this webhook's, under any of the keys with that API key.
    #[error("no signature is this webhook's under the keys of its api key")]
    Mismatch,
    /// The signature is right, and the webhook too old.
    #[error("the webhook's time is {by_seconds} s further back than the tolerance allows")]
    Expired {
        /// Seconds past the tolerance, at least 1.
        by_seconds: u64,
    },
    /// The signature is right, and the webhook from the future.
    #[error("the webhook's time is {by_seconds} s further ahead than the tolerance allows")]
    Early {
        /// Seconds ahead of the tolerance, at least 1.
        by_seconds: u64,
    },
}

impl WebhookError {
    /// Where to look first, supposing that AllScale sent the webhook.
    ///
    /// ```
    /// # use checkout_auth::{Blame, allscale::webhook::WebhookError};
    /// assert_eq!(WebhookError::UnknownKey.blame(), Blame::SetUp);
    /// ```
    #[must_use]
    pub const fn blame(&self) -> Blame {
        match self {
            Self::Request(error) => error.blame(),
            Self::Header(error) => error.blame(),
            Self::UnknownKey | Self::Mismatch | Self::Early { .. } => Blame::SetUp,
            Self::Expired { .. } => Blame::Sender,
        }
    }

    /// The usual cause, in a sentence for the receiver's log.
    ///
    /// ```
    /// # use checkout_auth::allscale::webhook::WebhookError;
    /// assert!(WebhookError::Mismatch.hint().contains("written again"));
    /// ```
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Request(error) => error.hint(),
            Self::Header(error) => error.hint(),
            Self::UnknownKey => {
                "the webhook is of another store, the key was changed and the new one is not in the ring, \
                 or the ring's key is no longer valid"
            }
            Self::Mismatch => {
                "the body was parsed and written again before it came here, the secret is another or has \
                 white space in it, or a proxy changed the path or the query; a message of somebody \
                 else's looks the same"
            }
            Self::Expired { by_seconds } if is_another_unit(*by_seconds) => NOW_IN_ANOTHER_UNIT,
            Self::Early { by_seconds } if is_another_unit(*by_seconds) => TIME_IN_ANOTHER_UNIT,
            Self::Expired { .. } => {
                "a genuine webhook that was held up or sent again on the way; when it is so with all of \
                 them, this machine's clock is ahead"
            }
            Self::Early { .. } => "this machine's clock is behind",
        }
    }
}

/// What is signed, each part checked.
struct Lines<'a> {
    method: &'a str,
    path: &'a str,
    query: &'a str,
    webhook_id: &'a str,
    timestamp: &'a str,
    nonce: &'a str,
    body_sha256: [u8; 64],
}

impl Lines<'_> {
    fn write_to(&self, out: &mut impl Sink) {
        out.push(VERSION);
        for part in [self.method, self.path, self.query, self.webhook_id, self.timestamp, self.nonce] {
            out.push(b"\n");
            out.push(part.as_bytes());
        }
        out.push(b"\n");
        out.push(&self.body_sha256);
    }
}

fn check_target(method: &str, path: &str, query: &str) -> Result<(), SignError> {
    if method.is_empty() || !method.bytes().all(|byte| is_token(byte) && !byte.is_ascii_lowercase()) {
        return Err(SignError::Method);
    }
    if !is_path(path) {
        return Err(SignError::Path);
    }
    if !is_query(query) {
        return Err(SignError::Query);
    }
    Ok(())
}

/// The first line of what is signed.
const VERSION: &[u8] = b"allscale:webhook:v1";

#[cfg(test)]
mod tests;
