//! Peach Payments Hosted Checkout: the signature in a webhook's header.
//!
//! A merchant can have Peach sign webhooks by a header as well. Such a webhook has `x-webhook-timestamp`,
//! `x-webhook-id` and `x-webhook-signature`. The signature is the HMAC-SHA256 of one text under the UTF-8 of
//! the secret token, in lower-case hexadecimal; the text is four parts with a dot between two of them:
//!
//! ```text
//! {x-webhook-timestamp}.{x-webhook-id}.{the URL}.{the body's bytes}
//! ```
//!
//! It is worth more than [the parameter `signature`](super#what-a-signature-is-worth): it covers the bytes
//! that came, the time and the address. It is still a hint: read the status before goods leave, and remember
//! the id until [`SignedWebhook::accepted_until`], at the least.
//!
//! Parts with dots between them can be cut in other places too. A timestamp has no dot; an id that has one is
//! refused; the URL is the receiver's own. So of one text there is one reading for one URL. A receiver with
//! several URLs under one secret token must not have one that is another, a dot and more.
//!
//! Source: *Checkout webhooks*, 2026-07-23: the headers and the text. Assumed: that the key is the secret
//! token which signs parameters; that the timestamp is in seconds, and how many of them it may be old; that
//! the URL is the one that the webhooks were ordered for, letter for letter; that ids have no dots, as those
//! that are hexadecimal or UUIDs have none; and that none of the headers comes twice, nor more than one
//! signature.

use alloc::string::ToString;
use core::fmt;

use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::{SecretToken, Signature};
use crate::blame::Blame;
use crate::fields::{Fields, HeaderError, HeaderFields, HeaderProblem};
use crate::mac::{hex, read_hex};
use crate::ring::KeyRing;
use crate::time::{Judgement, NOW_IN_ANOTHER_UNIT, TIME_IN_ANOTHER_UNIT, Tolerance, is_another_unit};

/// Verifies webhooks by their headers, with the keys of a ring.
///
/// `Debug` prints the ring's ids and the tolerance.
///
/// ```
/// use checkout_auth::KeyRing;
/// use checkout_auth::peach::SecretToken;
/// use checkout_auth::peach::header::{WebhookRequest, WebhookVerifier};
///
/// let token = SecretToken::new("3fcd7cf22f55119eadbe02d14de18c0c".into())?;
/// let verifier = WebhookVerifier::new(KeyRing::new("shop", token));
/// let headers = [
///     ("X-Webhook-Timestamp", "1716501000"),
///     ("X-Webhook-Id", "4b1b4ac3d2a8458cbd3e1a5a4d0a6e0b"),
///     ("X-Webhook-Signature", "ce1d8b3d1dd732c4c53b46cb3e072b1e02909c558abbe4ccd991119a69dd347c"),
/// ];
/// let request = WebhookRequest {
///     url: "https://shop.example/hooks/peach",
///     headers: &headers,
///     body: b"result.code=000.200.100",
/// };
/// let webhook = verifier.verify(&request, 1_716_501_007)?;
/// assert_eq!(webhook.webhook_id(), "4b1b4ac3d2a8458cbd3e1a5a4d0a6e0b");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct WebhookVerifier {
    keys: KeyRing<SecretToken>,
    tolerance: Tolerance,
}

impl WebhookVerifier {
    /// A verifier with these keys and the default [`Tolerance`].
    ///
    /// ```
    /// # use checkout_auth::{KeyRing, peach::{SecretToken, header::WebhookVerifier}};
    /// let token = SecretToken::new("3fcd7cf22f55119eadbe02d14de18c0c".into())?;
    /// let verifier = WebhookVerifier::new(KeyRing::new("shop", token));
    /// # Ok::<(), checkout_auth::peach::KeyError>(())
    /// ```
    #[must_use]
    pub fn new(keys: KeyRing<SecretToken>) -> Self {
        Self { keys, tolerance: Tolerance::default() }
    }

    /// This verifier with another tolerance.
    ///
    /// ```
    /// # use checkout_auth::{KeyRing, Tolerance, peach::{SecretToken, header::WebhookVerifier}};
    /// # let token = SecretToken::new("3fcd7cf22f55119eadbe02d14de18c0c".into())?;
    /// let minute = Tolerance::from_seconds(60);
    /// let verifier = WebhookVerifier::new(KeyRing::new("shop", token)).tolerance(minute);
    /// # Ok::<(), checkout_auth::peach::KeyError>(())
    /// ```
    #[must_use]
    pub fn tolerance(self, tolerance: Tolerance) -> Self {
        Self { tolerance, ..self }
    }

    /// Checks a webhook as it was received. `now` is the receiver's time, in seconds since 1970-01-01 UTC.
    ///
    /// The keys tried are those of the ring that are valid now, and each of them takes in the whole body,
    /// whose length nothing here bounds. The comparison with a right signature is in constant time.
    ///
    /// First the form is checked, then the key, then the signature, and the time last: so a time that is
    /// refused was signed, and an old message can be told from a forged one.
    ///
    /// # Errors
    ///
    /// [`WebhookError`]: what was wrong. It is for the receiver's own log: answer the sender with 401 and
    /// nothing more, for one who can tell the refusals apart learns which old message was genuine.
    ///
    /// ```
    /// use checkout_auth::KeyRing;
    /// use checkout_auth::peach::SecretToken;
    /// use checkout_auth::peach::header::{WebhookError, WebhookRequest, WebhookToSign, WebhookVerifier};
    ///
    /// let token = SecretToken::new("3fcd7cf22f55119eadbe02d14de18c0c".into())?;
    /// let url = "https://shop.example/hooks/peach";
    /// let body = b"result.code=000.200.100";
    /// let signature = WebhookToSign { timestamp: 1_716_501_000, webhook_id: "1", url, body }.sign(&token)?;
    /// let headers = [
    ///     ("X-Webhook-Timestamp", "1716501000"),
    ///     ("X-Webhook-Id", "1"),
    ///     ("X-Webhook-Signature", signature.as_str()),
    /// ];
    /// let verifier = WebhookVerifier::new(KeyRing::new("shop", token));
    /// let request = WebhookRequest { url, headers: &headers, body };
    /// assert!(verifier.verify(&request, 1_716_500_700).is_ok());
    /// assert_eq!(verifier.verify(&request, 1_716_500_699), Err(WebhookError::Early { by_seconds: 1 }));
    ///
    /// let changed = WebhookRequest { body: b"result.code=000.000.000", ..request };
    /// assert_eq!(verifier.verify(&changed, 1_716_501_000), Err(WebhookError::Mismatch));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn verify<'a, H: HeaderFields + ?Sized>(
        &'a self,
        request: &WebhookRequest<'a, H>,
        now: i64,
    ) -> Result<SignedWebhook<'a>, WebhookError> {
        if !is_text(request.url) {
            return Err(SignError::Url.into());
        }
        let fields = Fields(request.headers);
        let (timestamp_text, timestamp) = fields.seconds(TIMESTAMP)?;
        let webhook_id = fields.text(WEBHOOK_ID)?;
        if webhook_id.contains('.') {
            return Err(HeaderError { name: WEBHOOK_ID, problem: HeaderProblem::HasDot }.into());
        }
        let claimed = read_hex(fields.text(SIGNATURE)?)
            .ok_or(HeaderError { name: SIGNATURE, problem: HeaderProblem::NotHex })?;

        let mut keys = self.keys.at(now).peekable();
        keys.peek().ok_or(WebhookError::NoValidKey)?;
        let parts = Parts { timestamp: timestamp_text, webhook_id, url: request.url, body: request.body };
        let (key_id, _) = keys
            .find(|(_, token)| token.0.made_any_of(&[claimed], |mac| parts.write_to(mac)))
            .ok_or(WebhookError::Mismatch)?;
        match self.tolerance.judge(timestamp, now) {
            Judgement::InTime => {}
            Judgement::Expired { by_seconds } => return Err(WebhookError::Expired { by_seconds }),
            Judgement::Early { by_seconds } => return Err(WebhookError::Early { by_seconds }),
        }
        let accepted_until = self.tolerance.last_second(timestamp);
        Ok(SignedWebhook { webhook_id, timestamp, accepted_until, key_id, body: request.body })
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
/// `Debug` shows neither the headers nor the URL nor the body.
///
/// ```
/// use checkout_auth::peach::header::WebhookRequest;
///
/// let headers = [("x-webhook-id", "1")];
/// let request = WebhookRequest { url: "https://shop.example/hook", headers: &headers, body: b"a=b" };
/// assert_eq!(format!("{request:?}"), "WebhookRequest { body_len: 3, .. }");
/// ```
pub struct WebhookRequest<'a, H: ?Sized> {
    /// The whole URL that Peach sends webhooks to, as it was given to Peach: visible ASCII, not empty. Take
    /// it from the configuration, not from the request, whose host and scheme a proxy or a stranger may have
    /// chosen.
    pub url: &'a str,
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
        f.debug_struct("WebhookRequest").field("body_len", &self.body.len()).finish_non_exhaustive()
    }
}

/// What a webhook that was verified says of itself. Only [`WebhookVerifier::verify`] makes one.
///
/// `Debug` does not show the body.
///
/// ```
/// use checkout_auth::peach::header::SignedWebhook;
///
/// fn log_line(webhook: &SignedWebhook<'_>) -> String {
///     format!("webhook {} of {} s, key {}", webhook.webhook_id(), webhook.timestamp(), webhook.key_id())
/// }
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SignedWebhook<'a> {
    webhook_id: &'a str,
    timestamp: i64,
    accepted_until: i64,
    key_id: &'a str,
    body: &'a [u8],
}

impl<'a> SignedWebhook<'a> {
    /// The text of `x-webhook-id`: visible ASCII without dots, never empty.
    ///
    /// ```
    /// # use checkout_auth::peach::header::SignedWebhook;
    /// fn is_new(webhook: &SignedWebhook<'_>, seen: &std::collections::BTreeSet<String>) -> bool {
    ///     !seen.contains(webhook.webhook_id())
    /// }
    /// ```
    #[must_use]
    pub const fn webhook_id(&self) -> &'a str {
        self.webhook_id
    }

    /// When it was signed: seconds since 1970-01-01 UTC, by the sender's clock.
    ///
    /// ```
    /// # use checkout_auth::peach::header::SignedWebhook;
    /// fn seconds_on_the_way(webhook: &SignedWebhook<'_>, now: i64) -> i64 {
    ///     now.saturating_sub(webhook.timestamp())
    /// }
    /// ```
    #[must_use]
    pub const fn timestamp(&self) -> i64 {
        self.timestamp
    }

    /// The last second at which the same message would pass again, seconds since 1970-01-01 UTC: the
    /// timestamp and the tolerance, or `i64::MAX` when there is no such number.
    ///
    /// ```
    /// # use checkout_auth::peach::header::SignedWebhook;
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
    /// # use checkout_auth::peach::header::SignedWebhook;
    /// fn is_under_the_old_key(webhook: &SignedWebhook<'_>) -> bool {
    ///     webhook.key_id() == "2023"
    /// }
    /// ```
    #[must_use]
    pub const fn key_id(&self) -> &'a str {
        self.key_id
    }

    /// The bytes that were signed: read the parameters from these and no others.
    ///
    /// ```
    /// # use checkout_auth::peach::header::SignedWebhook;
    /// fn is_json(webhook: &SignedWebhook<'_>) -> bool {
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

/// A webhook as its header's signature sees it, for whoever sends one: a sandbox, or a test of a receiver.
///
/// `Debug` shows neither the URL nor the body.
///
/// ```
/// use checkout_auth::peach::header::WebhookToSign;
///
/// let url = "https://shop.example/hook";
/// let webhook = WebhookToSign { timestamp: 1_716_501_000, webhook_id: "1", url, body: b"a=b" };
/// assert!(format!("{webhook:?}").contains("body_len: 3"));
/// ```
#[derive(Clone, Copy)]
pub struct WebhookToSign<'a> {
    /// The time in seconds since 1970-01-01 UTC; [`TIMESTAMP`] carries it in decimal.
    pub timestamp: i64,
    /// The text of [`WEBHOOK_ID`]: visible ASCII without dots, not empty.
    pub webhook_id: &'a str,
    /// The URL that it is sent to: visible ASCII, not empty.
    pub url: &'a str,
    /// The body's bytes.
    pub body: &'a [u8],
}

impl WebhookToSign<'_> {
    /// The signature, for the header [`SIGNATURE`].
    ///
    /// # Errors
    ///
    /// [`SignError`] when the id or the URL is not of the form that can be signed.
    ///
    /// ```
    /// use checkout_auth::peach::{SecretToken, header::WebhookToSign};
    ///
    /// let token = SecretToken::new("3fcd7cf22f55119eadbe02d14de18c0c".into())?;
    /// let signature = WebhookToSign {
    ///     timestamp: 1_716_501_000,
    ///     webhook_id: "4b1b4ac3d2a8458cbd3e1a5a4d0a6e0b",
    ///     url: "https://shop.example/hooks/peach",
    ///     body: b"result.code=000.200.100",
    /// }
    /// .sign(&token)?;
    /// assert_eq!(signature.as_str(), "ce1d8b3d1dd732c4c53b46cb3e072b1e02909c558abbe4ccd991119a69dd347c");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn sign(&self, token: &SecretToken) -> Result<Signature, SignError> {
        if !is_text(self.webhook_id) || self.webhook_id.contains('.') {
            return Err(SignError::WebhookId);
        }
        if !is_text(self.url) {
            return Err(SignError::Url);
        }
        let timestamp = &self.timestamp.to_string();
        let parts = Parts { timestamp, webhook_id: self.webhook_id, url: self.url, body: self.body };
        let mut mac = token.0.start();
        parts.write_to(&mut mac);
        Ok(Signature(hex(&mac.finalize().into_bytes().into())))
    }
}

impl fmt::Debug for WebhookToSign<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookToSign")
            .field("timestamp", &self.timestamp)
            .field("webhook_id", &self.webhook_id)
            .field("body_len", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Why a webhook cannot be signed. Holds no value.
///
/// ```
/// use checkout_auth::peach::header::SignError;
///
/// assert_eq!(SignError::Url.to_string(), "the URL is empty or not visible ASCII");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The webhook id is empty, or holds a dot or something other than visible ASCII.
    #[error("the webhook id is empty, or holds a dot or a character that is not visible ASCII")]
    WebhookId,
    /// The URL is empty or holds something other than visible ASCII.
    #[error("the URL is empty or not visible ASCII")]
    Url,
}

impl SignError {
    /// The caller's.
    ///
    /// ```
    /// # use checkout_auth::{Blame, peach::header::SignError};
    /// assert_eq!(SignError::Url.blame(), Blame::Caller);
    /// ```
    #[must_use]
    pub const fn blame(&self) -> Blame {
        Blame::Caller
    }

    /// The usual cause, in a sentence.
    ///
    /// ```
    /// # use checkout_auth::peach::header::SignError;
    /// assert!(SignError::Url.hint().contains("percent-encoded"));
    /// ```
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::WebhookId => "give a random id in letters and digits",
            Self::Url => "give the whole URL that Peach was given, percent-encoded",
        }
    }
}

/// Why a webhook is refused. For the receiver's own log: the sender is told of all alike. Holds no value of a
/// header, no part of the body, and no key.
///
/// ```
/// use checkout_auth::peach::header::WebhookError;
///
/// let error = WebhookError::Early { by_seconds: 12 };
/// assert_eq!(error.to_string(), "the webhook's time is 12 s further ahead than the tolerance allows");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookError {
    /// The URL given here is none.
    #[error(transparent)]
    Request(#[from] SignError),
    /// A header is missing, doubled or malformed.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// No key of the ring is valid now.
    #[error("no key is valid now")]
    NoValidKey,
    /// The signature is not this webhook's, under any of the keys.
    #[error("the signature is not this webhook's under the keys")]
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
    /// Where to look first, supposing that Peach sent the webhook.
    ///
    /// ```
    /// # use checkout_auth::{Blame, peach::header::WebhookError};
    /// assert_eq!(WebhookError::Mismatch.blame(), Blame::SetUp);
    /// ```
    #[must_use]
    pub const fn blame(&self) -> Blame {
        match self {
            Self::Request(error) => error.blame(),
            Self::Header(error) => error.blame(),
            Self::NoValidKey | Self::Mismatch | Self::Early { .. } => Blame::SetUp,
            Self::Expired { .. } => Blame::Sender,
        }
    }

    /// The usual cause, in a sentence for the receiver's log.
    ///
    /// ```
    /// # use checkout_auth::peach::header::WebhookError;
    /// assert!(WebhookError::Mismatch.hint().contains("written again"));
    /// ```
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Request(error) => error.hint(),
            Self::Header(error) => error.hint(),
            Self::NoValidKey => "the validity of the ring's keys has ended, or has not begun",
            Self::Mismatch => {
                "the body was parsed and written again before it came here, the secret token is another or \
                 has white space in it, or the URL is not letter for letter the one that Peach was given, \
                 as when a proxy changed the path or the host; a message of somebody else's looks the same"
            }
            Self::Expired { by_seconds } if is_another_unit(*by_seconds) => NOW_IN_ANOTHER_UNIT,
            Self::Early { by_seconds } if is_another_unit(*by_seconds) => TIME_IN_ANOTHER_UNIT,
            Self::Expired { .. } => {
                "a genuine webhook that was held up or sent again on the way; when it is so with all of them, \
                 this machine's clock is ahead"
            }
            Self::Early { .. } => "this machine's clock is behind",
        }
    }
}

/// What is signed, each part checked.
struct Parts<'a> {
    timestamp: &'a str,
    webhook_id: &'a str,
    url: &'a str,
    body: &'a [u8],
}

impl Parts<'_> {
    fn write_to(&self, mac: &mut Hmac<Sha256>) {
        for part in [self.timestamp, self.webhook_id, self.url] {
            mac.update(part.as_bytes());
            mac.update(b".");
        }
        mac.update(self.body);
    }
}

fn is_text(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// `x-webhook-timestamp`: when the webhook was signed, in Unix seconds, in decimal.
///
/// ```
/// assert_eq!(checkout_auth::peach::header::TIMESTAMP, "x-webhook-timestamp");
/// ```
pub const TIMESTAMP: &str = "x-webhook-timestamp";

/// `x-webhook-id`: the id of the webhook.
///
/// ```
/// assert_eq!(checkout_auth::peach::header::WEBHOOK_ID, "x-webhook-id");
/// ```
pub const WEBHOOK_ID: &str = "x-webhook-id";

/// `x-webhook-signature`: the signature, 64 digits of lower-case hexadecimal.
///
/// ```
/// assert_eq!(checkout_auth::peach::header::SIGNATURE, "x-webhook-signature");
/// ```
pub const SIGNATURE: &str = "x-webhook-signature";

#[cfg(test)]
mod tests;
