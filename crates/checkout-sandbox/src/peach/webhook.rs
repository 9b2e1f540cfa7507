//! The messages that Peach would send. The sandbox cannot call out, so a test takes the messages.

use std::fmt;

use checkout_auth::peach::SecretToken;
use checkout_tables::Moment;
use checkout_transport::bytes::Bytes;

use super::checkout::Checkout;
use super::form::encode;
use super::signed::{signature, with_signature};
use crate::json::Json;
use crate::skew::Skew;

/// A webhook of one change of a checkout's result code: a `POST` to the webhook's `url`.
///
/// `Debug` prints nothing of the body and not the signature.
///
/// ```
/// use checkout_sandbox::peach::Sandbox;
///
/// assert!(Sandbox::new(1).webhooks().is_empty());
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Webhook {
    /// The checkout's id, as in the body.
    pub checkout_id: String,
    /// The result code, as in the body.
    pub code: String,
    /// The time of the first sending. The `timestamp` in the body differs if a scenario makes the `timestamp`
    /// older.
    pub at: Moment,
    /// The request's `notificationUrl`, or else the merchant's webhook URL.
    pub url: String,
    /// The fields as `application/x-www-form-urlencoded`, with the `signature` among them.
    pub body: Bytes,
    /// The headers `x-webhook-timestamp`, `x-webhook-id` and `x-webhook-signature`.
    pub headers: [(&'static str, String); 3],
}

impl Webhook {
    /// The webhook of the event with this number, counted from zero.
    pub(super) fn of(
        checkout: &Checkout,
        event: usize,
        token: &SecretToken,
        merchants_url: &str,
        skew: Skew,
    ) -> Option<Self> {
        let change = checkout.reached(Moment::from_unix_millis(i64::MAX)).get(event)?;
        let url = checkout.order.notification_url.as_deref().unwrap_or(merchants_url).to_owned();
        let body = encode(&with_signature(token, checkout.fields(event + 1, skew)));
        let timestamp = skew.told(change.at).unix_seconds().to_string();
        let id = checkout.webhook_id(event);
        // The only field of a message is the whole message: keys and values are signed with nothing between.
        let message = format!("{timestamp}.{id}.{url}.{body}");
        let signature = signature(token, &vec![(message, String::new())]);
        Some(Self {
            checkout_id: checkout.id.clone(),
            code: change.code.clone(),
            at: change.at,
            url,
            body: body.into(),
            headers: [
                ("x-webhook-timestamp", timestamp),
                ("x-webhook-id", id),
                ("x-webhook-signature", signature),
            ],
        })
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("checkout_id", &self.checkout_id)
            .field("code", &self.code)
            .field("at", &self.at)
            .field("body_len", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// The `POST` that tries a webhook's URL out before the URL is saved: JSON with a code, and no signature.
///
/// `Debug` prints nothing of the code.
///
/// ```
/// use checkout_sandbox::peach::{ENTITY_ID, Sandbox, WEBHOOK_URL};
///
/// let probe = Sandbox::new(1).probe(ENTITY_ID).unwrap();
/// assert_eq!(probe.url, WEBHOOK_URL);
/// assert_eq!(probe.body, format!(r#"{{"verificationCode":"{}"}}"#, probe.code));
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Probe {
    /// The merchant's webhook URL.
    pub url: String,
    /// The type of the body. Assumed: `application/json`.
    pub content_type: &'static str,
    /// The verification code that the shop is asked for afterwards, as in the body.
    pub code: String,
    /// A JSON object with the `verificationCode` alone.
    pub body: Bytes,
}

impl Probe {
    pub(super) fn of(url: &str, code: String) -> Self {
        let body = Json::object([("verificationCode", Json::text(&code))]).to_string();
        Self { url: url.to_owned(), content_type: "application/json", code, body: body.into() }
    }
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probe").field("body_len", &self.body.len()).finish_non_exhaustive()
    }
}

/// The `POST` with which the payer's browser comes back to the shop.
///
/// `Debug` prints nothing of the body.
///
/// ```
/// use checkout_sandbox::peach::Sandbox;
///
/// assert_eq!(Sandbox::new(1).shopper_return("nobody's checkout"), None);
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShopperReturn {
    /// The `shopperResultUrl`, or the `cancelUrl` of a cancelled checkout that has a `cancelUrl`.
    pub url: String,
    /// The fields of a webhook as `application/x-www-form-urlencoded`, with the `signature` among them.
    pub body: Bytes,
}

impl ShopperReturn {
    pub(super) fn of(checkout: &Checkout, token: &SecretToken, now: Moment, skew: Skew) -> Self {
        let fields = checkout.fields(checkout.reached(now).len(), skew);
        let url = checkout.return_url(now).to_owned();
        Self { url, body: encode(&with_signature(token, fields)).into() }
    }
}

impl fmt::Debug for ShopperReturn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShopperReturn").field("body_len", &self.body.len()).finish_non_exhaustive()
    }
}
