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
//! This signature is worth more than [the parameter `signature`](super#what-a-signature-is-worth): it covers
//! the bytes that came, the time and the address. The webhook is still a hint: read the status before goods
//! leave, and remember the id until [`Signed::accepted_until`], at the least.
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

use super::{SecretToken, Signature};
use crate::fields::{Fields, HeaderError, HeaderFields, HeaderProblem};
use crate::mac::{MacKey, hex, read_hex};
use crate::message::{self, Message, MessageError, MessageKind, Signed, Text, Verifier, part};
use crate::sign_error::SignError;

impl Verifier<SecretToken> {
    /// Checks a webhook of Peach's by its headers, as received. `now` is the receiver's time, in seconds
    /// since 1970-01-01 UTC.
    ///
    /// The keys tried are those of the ring that are valid now, and each of them hashes the whole body. The
    /// worth of a webhook that passes, and the source: [`peach::header`](self).
    ///
    /// # Errors
    /// [`MessageError`]: the fault of the webhook. Keep the fault for the receiver's own log: answer the
    /// sender with 401 and nothing more, for a sender that can tell the refusals apart learns which old
    /// message was genuine.
    ///
    /// ```
    /// # checkout_doctest::facade!(auth);
    /// use checkout_kit::KeyRing;
    /// use checkout_kit::auth::{MessageError, MessageKind, Verifier};
    /// use checkout_kit::peach::SecretToken;
    /// use checkout_kit::peach::header::WebhookRequest;
    ///
    /// let token = SecretToken::new("3fcd7cf22f55119eadbe02d14de18c0c".into())?;
    /// let verifier = Verifier::new(KeyRing::new("shop", token));
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
    /// let webhook = verifier.verify_webhook(&request, 1_716_500_700)?;
    /// assert_eq!(webhook.message().webhook_id, "4b1b4ac3d2a8458cbd3e1a5a4d0a6e0b");
    ///
    /// let refused = |request, now| verifier.verify_webhook(&request, now).unwrap_err();
    /// assert_eq!(refused(request, 1_716_500_699), MessageError::Early { by_seconds: 1 });
    /// let changed = WebhookRequest { body: b"result.code=000.000.000", ..request };
    /// assert_eq!(refused(changed, 1_716_501_000), MessageError::Mismatch(MessageKind::PeachWebhook));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn verify_webhook<'a, H: HeaderFields + ?Sized>(
        &'a self,
        request: &WebhookRequest<'a, H>,
        now: i64,
    ) -> Result<Signed<'a, Webhook<'a>>, MessageError> {
        let WebhookRequest { url, headers, body } = *request;
        check_url(url)?;
        let fields = Fields(headers);
        let timestamp = fields.seconds(TIMESTAMP)?;
        let webhook_id = fields.text(WEBHOOK_ID)?;
        if webhook_id.contains('.') {
            return Err(HeaderError { name: WEBHOOK_ID, problem: HeaderProblem::HasDot }.into());
        }
        let claimed = read_hex(fields.text(SIGNATURE)?)
            .ok_or(HeaderError { name: SIGNATURE, problem: HeaderProblem::NotHex })?;
        self.check(Webhook { timestamp, webhook_id, url, body }, &[claimed], |_| true, now)
    }
}

/// A webhook as received, unread.
///
/// `Debug` shows neither the headers nor the URL nor the body.
///
/// ```
/// # checkout_doctest::facade!(auth);
/// use checkout_kit::peach::header::WebhookRequest;
///
/// let headers = [("x-webhook-id", "1")];
/// let request = WebhookRequest { url: "https://shop.example/hook", headers: &headers, body: b"a=b" };
/// assert_eq!(format!("{request:?}"), "WebhookRequest { body_len: 3, .. }");
/// ```
pub struct WebhookRequest<'a, H: ?Sized> {
    /// The whole URL that Peach sends webhooks to, as given to Peach: visible ASCII, not empty. Take the URL
    /// from the configuration, not from the request, whose host and scheme a proxy or a stranger may have
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

/// A webhook as the header's signature covers the webhook: the content of a verified webhook, and the input
/// for the signature of a sandbox or a test of a receiver.
///
/// `Debug` shows neither the URL nor the body.
///
/// ```
/// # checkout_doctest::facade!(auth);
/// use checkout_kit::peach::header::Webhook;
///
/// let url = "https://shop.example/hook";
/// let webhook = Webhook { timestamp: 1_716_501_000, webhook_id: "1", url, body: b"a=b" };
/// assert!(format!("{webhook:?}").contains("body_len: 3"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Webhook<'a> {
    /// The time of the signature, by the sender's clock, in seconds since 1970-01-01 UTC; [`TIMESTAMP`]
    /// carries the time in decimal.
    pub timestamp: i64,
    /// The text of [`WEBHOOK_ID`]: visible ASCII without dots, not empty.
    pub webhook_id: &'a str,
    /// The URL that the webhook is sent to: visible ASCII, not empty.
    pub url: &'a str,
    /// The body's bytes.
    pub body: &'a [u8],
}

impl Webhook<'_> {
    /// The signature, for the header [`SIGNATURE`].
    ///
    /// # Errors
    /// [`SignError`] when the id or the URL is not of the form that can be signed.
    ///
    /// ```
    /// # checkout_doctest::facade!(auth);
    /// use checkout_kit::peach::SecretToken;
    /// use checkout_kit::peach::header::Webhook;
    ///
    /// let token = SecretToken::new("3fcd7cf22f55119eadbe02d14de18c0c".into())?;
    /// let signature = Webhook {
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
        Ok(Signature(hex(&message::mac(self, token)?)))
    }
}

impl Message for Webhook<'_> {
    type Key = SecretToken;

    const KIND: MessageKind = MessageKind::PeachWebhook;
    const NO_KEY: MessageError = MessageError::NoValidKey;

    fn mac_key(token: &SecretToken) -> &MacKey {
        &token.0
    }

    fn timestamp(&self) -> i64 {
        self.timestamp
    }

    fn check(&self) -> Result<(), SignError> {
        if !is_text(self.webhook_id) {
            return Err(SignError::WebhookId);
        }
        if self.webhook_id.contains('.') {
            return Err(SignError::WebhookIdHasDot);
        }
        check_url(self.url)
    }

    fn text(&self) -> Text<'_> {
        let timestamp = self.timestamp.to_string().into_bytes().into();
        Text::new(b".", [timestamp, part(self.webhook_id), part(self.url), self.body.into()])
    }
}

impl fmt::Debug for Webhook<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("timestamp", &self.timestamp)
            .field("webhook_id", &self.webhook_id)
            .field("body_len", &self.body.len())
            .finish_non_exhaustive()
    }
}

fn check_url(url: &str) -> Result<(), SignError> {
    if is_text(url) { Ok(()) } else { Err(SignError::Url) }
}

fn is_text(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// `x-webhook-timestamp`: when the webhook was signed, in Unix seconds, in decimal.
///
/// ```
/// # checkout_doctest::facade!(auth);
/// assert_eq!(checkout_kit::peach::header::TIMESTAMP, "x-webhook-timestamp");
/// ```
pub const TIMESTAMP: &str = "x-webhook-timestamp";

/// `x-webhook-id`: the id of the webhook.
///
/// ```
/// # checkout_doctest::facade!(auth);
/// assert_eq!(checkout_kit::peach::header::WEBHOOK_ID, "x-webhook-id");
/// ```
pub const WEBHOOK_ID: &str = "x-webhook-id";

/// `x-webhook-signature`: the signature, 64 digits of lower-case hexadecimal.
///
/// ```
/// # checkout_doctest::facade!(auth);
/// assert_eq!(checkout_kit::peach::header::SIGNATURE, "x-webhook-signature");
/// ```
pub const SIGNATURE: &str = "x-webhook-signature";

#[cfg(test)]
mod tests;
