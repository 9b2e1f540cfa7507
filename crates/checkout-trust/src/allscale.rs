//! AllScale's webhooks.

use crate::Verified;
use crate::replay::{Identity, Key};
use checkout_auth::allscale::SigningKey;
use checkout_auth::allscale::webhook::WebhookRequest;
use checkout_auth::{Blame, HeaderFields, KeyRing, MessageError, Tolerance, Verifier};
use checkout_lifecycle::Moment;
use checkout_wire::ReadError;
use checkout_wire::allscale::{WebhookBody, read_webhook};
use std::time::Duration;

/// A receiver of AllScale's webhooks for one merchant.
///
/// ```
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::allscale::webhook::{Webhook, WebhookRequest};
/// use checkout_kit::allscale::{Receiver, SigningKey};
/// use checkout_kit::auth::Blame;
/// use checkout_kit::{KeyRing, Moment};
///
/// let key = SigningKey::new("test_key", "test_secret_abc".into())?;
/// # let body = br#"{"all_scale_transaction_id":"txn_1","all_scale_checkout_intent_id":"65b2","webhook_id":"wh_1","order_id":"order_1"}"#;
/// # let signed = Webhook { method: "POST", path: "/hooks/allscale", query: "", webhook_id: "wh_1",
/// #     timestamp: 1_716_501_000, nonce: "n1", body };
/// # let signature = signed.sign(&key)?;
/// # let headers = [("X-API-Key", "test_key"), ("X-Webhook-Id", "wh_1"), ("X-Webhook-Timestamp", "1716501000"),
/// #     ("X-Webhook-Nonce", "n1"), ("X-Webhook-Signature", signature.as_str())];
/// let receiver = Receiver::new("shop-7", KeyRing::new("2024-05", key));
/// // The raw request: headers and body as they came, with the path of the URL that AllScale was given.
/// let request = WebhookRequest { method: "POST", path: "/hooks/allscale", query: "", headers: &headers, body };
/// let event = receiver.receive(&request, Moment::from_unix_seconds(1_716_501_007))?;
/// assert_eq!(event.content().order_id(), Some("order_1"));
///
/// let forged = WebhookRequest { body: b"{}", ..request };
/// let error = receiver.receive(&forged, Moment::from_unix_seconds(1_716_501_007)).unwrap_err();
/// assert_eq!((error.http_status(), error.blame()), (401, Blame::SetUp));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Receiver {
    merchant: String,
    verifier: Verifier<SigningKey>,
    tolerance: Tolerance,
    keep_orders: Duration,
}

impl Receiver {
    /// Creates a receiver with the merchant's name, which outlives any key, and the ring of keys.
    #[must_use]
    pub fn new(merchant: impl Into<String>, keys: KeyRing<SigningKey>) -> Self {
        Self {
            merchant: merchant.into(),
            verifier: Verifier::new(keys),
            tolerance: Tolerance::default(),
            keep_orders: KEEP_ORDERS,
        }
    }

    /// Sets the tolerance between a webhook's time and the local time: 300 s by default.
    #[must_use]
    pub fn tolerance(self, tolerance: Tolerance) -> Self {
        Self { verifier: self.verifier.tolerance(tolerance), tolerance, ..self }
    }

    /// Sets how long orders are kept, and with them the record of a processed transaction: 400 days by
    /// default.
    #[must_use]
    pub fn keep_orders(self, keep_orders: Duration) -> Self {
        Self { keep_orders, ..self }
    }

    /// Receives a webhook, as of now: verifies and reads the webhook.
    ///
    /// # Errors
    /// [`ReceiveError`], with the fault and who is to blame.
    pub fn receive<H: HeaderFields + ?Sized>(
        &self,
        request: &WebhookRequest<'_, H>,
        now: Moment,
    ) -> Result<Verified<Event>, ReceiveError> {
        let signed = self.verifier.verify_webhook(request, now.unix_seconds())?;
        let webhook = signed.message();
        let body = read_webhook(webhook.body)?;
        if body.webhook_id != webhook.webhook_id {
            return Err(ReceiveError::OtherWebhookId);
        }
        // Payments without a name of their own would all count as the same payment.
        if body.transaction_id.trim().is_empty() || body.intent_id.trim().is_empty() {
            return Err(ReceiveError::Nameless);
        }
        let tolerance = Duration::from_secs(self.tolerance.seconds().into());
        let delivery = Key::allscale_delivery(&self.merchant, webhook.webhook_id, webhook.nonce, tolerance);
        let transaction = Key::allscale_transaction(&self.merchant, &body.transaction_id, self.keep_orders);
        // The payment first: the payment decides if this was processed.
        let identity = Identity::new(transaction).and(delivery);
        Ok(Verified::new(Event(body.into_owned()), identity, signed.key_id()))
    }

    /// Receives a webhook as [`receive`](Self::receive) does, from a request of the `http` crate with its
    /// body as the raw bytes. With the feature `http`.
    ///
    /// The request's path and query must be the path and query that AllScale sent. If a router has cut off
    /// the front of the path, put the original URI back; if a proxy rewrites the path, give
    /// [`receive`](Self::receive) the path from before.
    ///
    /// # Errors
    /// [`ReceiveError`], with the fault and who is to blame.
    ///
    /// ```
    /// # checkout_doctest::facade!(trust);
    /// use checkout_kit::allscale::{Event, Receiver};
    /// use checkout_kit::{Moment, Verified};
    ///
    /// /// The event, or the HTTP status to answer.
    /// fn take(receiver: &Receiver, request: &http::Request<Vec<u8>>, now: Moment) -> Result<Verified<Event>, u16> {
    ///     receiver.receive_http(request, now).map_err(|error| error.http_status())
    /// }
    /// # use checkout_auth::{KeyRing, allscale::SigningKey};
    /// # let key = SigningKey::new("test_key", "test_secret_abc".into()).unwrap();
    /// # let receiver = Receiver::new("shop-7", KeyRing::new("2024-05", key));
    /// # assert_eq!(take(&receiver, &http::Request::default(), Moment::from_unix_seconds(0)).unwrap_err(), 401);
    /// ```
    #[cfg(feature = "http")]
    pub fn receive_http<B: AsRef<[u8]>>(
        &self,
        request: &http::Request<B>,
        now: Moment,
    ) -> Result<Verified<Event>, ReceiveError> {
        let (uri, headers) = (request.uri(), request.headers());
        let (method, path, query) = (request.method().as_str(), uri.path(), uri.query().unwrap_or_default());
        let body = request.body().as_ref();
        self.receive(&WebhookRequest { method, path, query, headers, body }, now)
    }
}

/// An event from AllScale: something was paid for an intent. **An event has no status**, and settles nothing:
/// read the whole intent, and compare the intent with the order.
///
/// ```
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::Verified;
/// use checkout_kit::allscale::Event;
///
/// /// What to ask next, and for which order.
/// fn read_next(event: &Verified<Event>) -> (&str, Option<&str>) {
///     (event.content().intent_id(), event.content().order_id())
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event(WebhookBody<'static>);

impl Event {
    /// The intent to read.
    #[must_use]
    pub fn intent_id(&self) -> &str {
        &self.0.intent_id
    }

    /// Your id of the order: the only link back to a create whose answer was lost. A value that is not text
    /// is in [`body`](Self::body).
    #[must_use]
    pub fn order_id(&self) -> Option<&str> {
        self.0.order_id.as_ref()?.text()
    }

    /// The transaction, the same in every delivery.
    #[must_use]
    pub fn transaction_id(&self) -> &str {
        &self.0.transaction_id
    }

    /// The whole body of the webhook.
    #[must_use]
    pub const fn body(&self) -> &WebhookBody<'static> {
        &self.0
    }
}

/// The reason that a webhook was not received. The printed form has nothing of the webhook; do not give the
/// sender more than the HTTP status.
///
/// ```
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::allscale::ReceiveError;
///
/// let error = ReceiveError::OtherWebhookId;
/// assert_eq!(error.http_status(), 400);
/// assert_eq!(error.to_string(), "the body's webhook_id is not the header's");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiveError {
    /// The webhook was not verified.
    #[error(transparent)]
    NotVerified(#[from] MessageError),
    /// The webhook was verified, and its body is not a webhook's.
    #[error("the body: {0}")]
    Body(#[from] ReadError),
    /// The webhook was verified, and names no transaction or no intent.
    #[error("the body names no transaction, or no intent")]
    Nameless,
    /// The webhook was verified, and its body belongs to another webhook than its headers.
    #[error("the body's webhook_id is not the header's")]
    OtherWebhookId,
}

impl ReceiveError {
    /// The party at fault.
    #[must_use]
    pub const fn blame(&self) -> Blame {
        match self {
            Self::NotVerified(error) => error.blame(),
            Self::Body(_) | Self::Nameless | Self::OtherWebhookId => Blame::Sender,
        }
    }

    /// The usual cause.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::NotVerified(error) => error.hint(),
            Self::Body(_) | Self::Nameless => {
                "the provider has changed what it sends: read the intents of the open orders, and report it"
            }
            Self::OtherWebhookId => {
                "the header of one webhook came with the body of another: both are signed, so ask the provider"
            }
        }
    }

    /// The HTTP status to answer with: 401 for an unverified webhook, 400 for a verified and unreadable
    /// webhook.
    #[must_use]
    pub const fn http_status(&self) -> u16 {
        match self {
            Self::NotVerified(_) => 401,
            Self::Body(_) | Self::Nameless | Self::OtherWebhookId => 400,
        }
    }
}

const KEEP_ORDERS: Duration = Duration::from_secs(400 * 24 * 60 * 60);
