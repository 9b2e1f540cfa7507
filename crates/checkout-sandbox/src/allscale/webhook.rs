//! The messages that AllScale would send. The sandbox cannot call out, so a test takes the messages.

use std::error::Error;
use std::fmt;

use checkout_auth::SignError;
use checkout_auth::allscale::SigningKey;
use checkout_auth::allscale::webhook as auth;
use checkout_tables::Moment;
use checkout_transport::bytes::Bytes;
use checkout_transport::http::Uri;
use checkout_transport::http::uri::Authority;

use super::intent::Intent;
use crate::generator::Generator;

/// The webhook of a confirmed payment: a `POST` of JSON to the webhook's `url`.
///
/// The body has no status. A webhook can be delivered many times: [`Webhook::signed_at`] signs each delivery.
///
/// `Debug` prints neither the key nor anything of the body but its length.
///
/// ```
/// use checkout_sandbox::allscale::Sandbox;
///
/// assert!(Sandbox::new(1).webhooks().is_empty());
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Webhook {
    /// The intent's id, as in the body.
    pub intent_id: String,
    /// The `all_scale_transaction_id` of the body, by which a receiver knows repeated webhooks.
    pub transaction_id: String,
    /// The webhook's id, as in the body and in the header.
    pub webhook_id: String,
    /// The time of the confirmation, and of the first sending.
    pub at: Moment,
    /// The store's webhook URL.
    pub url: String,
    /// A JSON object, to be sent as `application/json`.
    pub body: Bytes,
    target: WebhookUrl,
    key: SigningKey,
    seed: u64,
}

impl Webhook {
    pub(super) fn of(intent: &Intent, key: &SigningKey, target: &WebhookUrl) -> Option<Self> {
        let (transaction_id, webhook_id) = (intent.transaction_id(), intent.webhook_id());
        Some(Self {
            intent_id: intent.id.clone(),
            at: intent.confirmed_at()?,
            url: target.text.clone(),
            body: intent.webhook_body(&transaction_id, &webhook_id).to_string().into(),
            transaction_id,
            webhook_id,
            target: target.clone(),
            key: key.clone(),
            seed: intent.webhook_seed(),
        })
    }

    /// The five headers of the delivery with this number, by the store's key: `x-api-key`, `x-webhook-id`,
    /// `x-webhook-timestamp` (whole seconds since 1970), `x-webhook-nonce` and `x-webhook-signature`.
    ///
    /// A receiver takes a signature for five minutes and a nonce once. So sign each delivery at the moment at
    /// which you send the delivery, and number the deliveries of a webhook: another moment or number gives
    /// another nonce. The same moment and number give the same bytes, which a receiver takes for a copy.
    ///
    /// ```
    /// # fn deliver(url: &str, headers: [(&'static str, String); 5], body: &[u8]) -> bool { true }
    /// use checkout_sandbox::allscale::Sandbox;
    ///
    /// let sandbox = Sandbox::new(7);
    /// for webhook in sandbox.take_webhooks() {
    ///     let mut deliveries = 0..8;
    ///     while let Some(number) = deliveries.next() {
    ///         let headers = webhook.signed_at(sandbox.clock().now(), number);
    ///         if deliver(&webhook.url, headers, &webhook.body) {
    ///             break;
    ///         }
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn signed_at(&self, now: Moment, delivery: u32) -> [(&'static str, String); 5] {
        let nonce = self.nonce(now, delivery);
        let (target, webhook_id, timestamp) = (&self.target, &self.webhook_id, now.unix_seconds());
        let signature = signature(&target.to_sign(webhook_id, timestamp, &nonce, &self.body), &self.key);
        [
            ("x-api-key", self.key.api_key().to_owned()),
            ("x-webhook-id", self.webhook_id.clone()),
            ("x-webhook-timestamp", timestamp.to_string()),
            ("x-webhook-nonce", nonce),
            ("x-webhook-signature", signature),
        ]
    }

    /// A nonce in the form of a UUID, for this moment and number.
    fn nonce(&self, now: Moment, delivery: u32) -> String {
        let of_moment = Generator::new(self.seed ^ now.unix_millis().cast_unsigned()).number();
        let digits = Generator::new(of_moment ^ u64::from(delivery)).hex(30);
        let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
        format!("{}-{}-4{}-8{}-{}", part(0, 8), part(8, 12), part(12, 15), part(15, 18), part(18, 30))
    }
}

#[expect(clippy::expect_used, reason = "a URL that cannot be signed makes no store")]
fn signature(webhook: &auth::Webhook<'_>, key: &SigningKey) -> String {
    webhook.sign(key).expect("the URL was tried").as_str().to_owned()
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("intent_id", &self.intent_id)
            .field("webhook_id", &self.webhook_id)
            .field("at", &self.at)
            .field("body_len", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// The URL of a store's webhooks, with the parts that a signature covers.
///
/// `Debug` prints nothing: a URL can hold a token of the shop's.
#[derive(Clone)]
pub(super) struct WebhookUrl {
    text: String,
    path: String,
    query: String,
}

impl WebhookUrl {
    pub(super) fn new(text: String) -> Result<Self, WebhookUrlError> {
        let uri = text.parse::<Uri>().map_err(|_| WebhookUrlError(()))?;
        let has_scheme = matches!(uri.scheme_str(), Some("http" | "https"));
        // The parser drops a fragment, and takes a user and any port.
        let is_whole = has_scheme && uri.authority().is_some_and(is_host_and_port) && !text.contains('#');
        let (path, query) = (uri.path().to_owned(), uri.query().unwrap_or_default().to_owned());
        let url = Self { text, path, query };
        let is_signed = Self::is_signed(&url);
        if is_whole && is_signed { Ok(url) } else { Err(WebhookUrlError(())) }
    }

    fn is_signed(&self) -> bool {
        let tried: Result<_, SignError> = self.to_sign("id", 0, "nonce", b"").canonical();
        tried.is_ok()
    }

    fn to_sign<'a>(
        &'a self,
        webhook_id: &'a str,
        timestamp: i64,
        nonce: &'a str,
        body: &'a [u8],
    ) -> auth::Webhook<'a> {
        let (path, query) = (&self.path, &self.query);
        auth::Webhook { method: "POST", path, query, webhook_id, timestamp, nonce, body }
    }
}

fn is_host_and_port(authority: &Authority) -> bool {
    let (host, port) = (authority.host(), authority.port_u16());
    let plain = port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    !host.is_empty() && authority.as_str() == plain
}

impl fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookUrl").finish_non_exhaustive()
    }
}

/// The text is no URL that a store's webhooks could go to.
///
/// ```
/// use checkout_auth::allscale::SigningKey;
/// use checkout_sandbox::allscale::Store;
///
/// let store = Store::new(SigningKey::new("st_key", "st_secret".into())?);
/// let error = store.webhook_url("/hooks/allscale").unwrap_err();
/// assert!(error.to_string().contains("http"));
/// # Ok::<(), checkout_auth::allscale::KeyError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebhookUrlError(());

impl fmt::Display for WebhookUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a webhook URL is a whole http or https URL of visible ASCII, without a user and a fragment",
        )
    }
}

impl Error for WebhookUrlError {}
