//! Peach's webhooks, and the signed POST by which the shopper comes back.

use crate::Verified;
use crate::replay::{Identity, Key};
use checkout_auth::peach::{SecretToken, VerifyError, header, verify_with};
use checkout_auth::{Fault, HeaderFields, KeyRing, Tolerance};
use checkout_lifecycle::{Moment, Observation, Proof};
use checkout_tables::peach::{Outcome, PaymentStatus};
use checkout_tables::{Environment, Open};
use checkout_wire::ReadError;
use checkout_wire::peach::{Fields, FormError, Payment};
use std::borrow::Cow;

/// Takes Peach's webhooks and the shopper's returns in for one entity.
///
/// ```
/// use checkout_auth::{KeyRing, peach::SecretToken};
/// use checkout_lifecycle::Moment;
/// use checkout_tables::Environment;
/// use checkout_trust::peach::Receiver;
///
/// let secret = SecretToken::new("3fcd7cf22f55119eadbe02d14de18c0c".into())?;
/// # let signature = secret.sign([("checkoutId", "c01b"), ("paymentType", "DB"), ("result.code", "000.200.100")])?;
/// # let body = format!("checkoutId=c01b&paymentType=DB&result.code=000.200.100&signature={}", signature.as_str());
/// let keys = KeyRing::new("2026", secret);
/// let receiver = Receiver::new("8ac7a4ca68c22c4d0168c2caab2e0025", keys, Environment::Live);
/// // The raw body, and what its Content-Type was.
/// let event = receiver.webhook(Some("application/x-www-form-urlencoded"), body.as_bytes(), Moment::from_unix_seconds(1_716_501_000))?;
/// assert_eq!(event.content().payment().checkout_id(), Some("c01b"));
/// assert!(event.observation().is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Receiver {
    entity_id: String,
    keys: KeyRing<SecretToken>,
    headers: header::WebhookVerifier,
    environment: Environment,
}

impl Receiver {
    /// A receiver with the entity's id, the ring of its secret tokens, and the environment that it is of: a test's success
    /// is none where it is live.
    #[must_use]
    pub fn new(entity_id: impl Into<String>, keys: KeyRing<SecretToken>, environment: Environment) -> Self {
        let headers = header::WebhookVerifier::new(keys.clone());
        Self { entity_id: entity_id.into(), keys, headers, environment }
    }

    /// How far the time of signed headers may be from ours: 300 s, if nothing is said. A signature in a body has no time.
    #[must_use]
    pub fn tolerance(self, tolerance: Tolerance) -> Self {
        Self { headers: self.headers.tolerance(tolerance), ..self }
    }

    /// Verifies a webhook by the signature in its body, as of now, and reads it. The body
    /// is JSON if its media type says so, and a form otherwise.
    ///
    /// # Errors
    /// [`ReceiveError`]: what was wrong, and whose fault it is.
    pub fn webhook(
        &self,
        content_type: Option<&str>,
        body: &[u8],
        now: Moment,
    ) -> Result<Verified<Event>, ReceiveError> {
        let fields = fields(content_type, body)?;
        self.verified(fields, now, Via::Webhook)
    }

    /// Verifies the POST by which the shopper comes back. It went through the shopper's browser.
    ///
    /// # Errors
    /// [`ReceiveError`]: what was wrong, and whose fault it is.
    pub fn shopper_return(&self, body: &[u8], now: Moment) -> Result<Verified<Event>, ReceiveError> {
        self.verified(Fields::from_form(body)?, now, Via::Return)
    }

    /// Verifies a webhook by the signature in its headers, over the raw body: for who has switched that scheme on. `url` is
    /// the one that Peach was given.
    ///
    /// # Errors
    /// [`ReceiveError`]: what was wrong, and whose fault it is.
    pub fn signed_headers<H: HeaderFields + ?Sized>(
        &self,
        content_type: Option<&str>,
        request: &header::WebhookRequest<'_, H>,
        now: Moment,
    ) -> Result<Verified<Event>, ReceiveError> {
        let signed = self.headers.verify(request, now.unix_seconds())?;
        let fields = fields(content_type, signed.body())?;
        self.event(fields, signed.key_id(), Via::Webhook)
    }

    fn verified(&self, fields: Fields<'_>, now: Moment, via: Via) -> Result<Verified<Event>, ReceiveError> {
        let key_id = verify_with(&self.keys, fields.iter(), now.unix_seconds())?;
        self.event(fields, key_id, via)
    }

    fn event(&self, fields: Fields<'_>, key_id: &str, via: Via) -> Result<Verified<Event>, ReceiveError> {
        if !fields.iter().all(|(key, _)| is_a_parameter(key)) {
            return Err(ReceiveError::NotAParameter);
        }
        let pairs: Vec<_> = fields.iter().collect();
        let identity = Identity::new(Key::peach_content(&self.entity_id, &pairs));
        let payment = Payment::new(fields, self.environment).ok_or(ReceiveError::NoResultCode)?;
        Ok(Verified::new(Event { payment: payment.into_owned(), via }, identity, key_id))
    }
}

/// What Peach says of a payment, in a webhook or by the shopper. It is a hint: the status is read before goods leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    payment: Payment<'static>,
    via: Via,
}

impl Event {
    /// What it says.
    #[must_use]
    pub const fn payment(&self) -> &Payment<'static> {
        &self.payment
    }

    /// How it came.
    #[must_use]
    pub const fn via(&self) -> Via {
        self.via
    }
}

/// How an event came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Via {
    /// By a webhook.
    Webhook,
    /// By the shopper's browser.
    Return,
}

impl Verified<Event> {
    /// The observation for a [`Tracker`](checkout_lifecycle::Tracker), in the order of the event's own time: of a checkout
    /// that was begun or is pending.
    ///
    /// **An end is none**, neither a success nor a cancellation: a signed text can be cut again into other keys and values, as
    /// far as the end of one order's id is read as another key, so that it ends another order. An end is adopted from a read
    /// alone. Ask for the status: [`wants_a_read`](Self::wants_a_read).
    ///
    /// ```
    /// use checkout_lifecycle::{Tracker, Verdict};
    /// use checkout_tables::peach::PaymentStatus;
    /// use checkout_trust::Verified;
    /// use checkout_trust::peach::Event;
    ///
    /// /// Takes an event in, and gives whether the status is to be read now.
    /// fn take(event: &Verified<Event>, tracker: &mut Tracker<PaymentStatus>) -> bool {
    ///     let conflict = event.observation().is_some_and(|observation| tracker.observe(observation).wants_attention());
    ///     event.wants_a_read() || conflict
    /// }
    /// ```
    #[must_use]
    pub fn observation(&self) -> Option<Observation<PaymentStatus, Outcome<Cow<'static, str>>>> {
        let status = match self.status()? {
            PaymentStatus::Successful
            | PaymentStatus::Authorized
            | PaymentStatus::Cancelled
            | PaymentStatus::Expired => return None,
            status @ (PaymentStatus::Created | PaymentStatus::Pending) => Open::Known(status),
        };
        let order = self.content().payment.unix_millis().map(Moment::from_unix_millis);
        Some(match self.content().via {
            Via::Webhook => Observation::verified_webhook(status, order, Proof::verified_by_the_caller()),
            Via::Return => Observation::verified_redirect(status, order, Proof::verified_by_the_caller()),
        })
    }

    /// Whether the status is to be read now: for every end, and for whatever is no status at all, such as a chargeback. It is
    /// not for a checkout that was begun or is pending.
    #[must_use]
    pub fn wants_a_read(&self) -> bool {
        self.observation().is_none()
    }

    fn status(&self) -> Option<PaymentStatus> {
        self.content().payment.status()?.known()
    }
}

/// Why an event was not taken in. Nothing of it is in what this prints; do not tell the sender more than the status.
///
/// ```
/// use checkout_auth::Fault;
/// use checkout_trust::peach::ReceiveError;
///
/// let error = ReceiveError::NoResultCode;
/// assert_eq!((error.http_status(), error.fault()), (200, Fault::Sender));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiveError {
    /// The body is no form of one text for each key, so nothing could be verified.
    #[error("the body: {0}")]
    Form(#[from] FormError),
    /// The body is no flat JSON object, so nothing could be verified.
    #[error("the body: no flat JSON object of one text for each key, at byte {}", .0.at())]
    Json(#[from] ReadError),
    /// The signature in the body was not verified.
    #[error(transparent)]
    NotVerified(#[from] VerifyError),
    /// The signature in the headers was not verified.
    #[error(transparent)]
    HeadersNotVerified(#[from] header::WebhookError),
    /// The signature is right, and a key is none that a parameter has: a text that was signed can be cut into keys and values
    /// in many ways, and each would be another event. Assumed: a parameter's name is letters, digits, dots and underscores,
    /// from a letter on, with one name in brackets behind it at most.
    #[error("a key is no parameter's name")]
    NotAParameter,
    /// It was verified, and has no `result.code`.
    #[error("there is no result.code")]
    NoResultCode,
}

impl ReceiveError {
    /// Whose fault it is.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self {
            Self::NotVerified(error) => error.fault(),
            Self::HeadersNotVerified(error) => error.fault(),
            Self::Form(_) | Self::Json(_) | Self::NotAParameter | Self::NoResultCode => Fault::Sender,
        }
    }

    /// The usual cause.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::NotVerified(error) => error.hint(),
            Self::HeadersNotVerified(error) => error.hint(),
            Self::Form(_) | Self::Json(_) => {
                "not a message of Peach's, or its body was read and written again on the way here"
            }
            Self::NotAParameter => "somebody has cut a message of Peach's into other keys and values",
            Self::NoResultCode => {
                "a message of Peach's about something else, such as the one that tries an address out"
            }
        }
    }

    /// What to answer: 401 for what was not verified, 400 for what cannot be read, and 200 for what was verified and is about
    /// no payment: sent again it would be about none either.
    #[must_use]
    pub const fn http_status(&self) -> u16 {
        match self {
            Self::NotVerified(_) | Self::HeadersNotVerified(_) | Self::NotAParameter => 401,
            Self::Form(_) | Self::Json(_) => 400,
            Self::NoResultCode => 200,
        }
    }
}

fn fields<'b>(content_type: Option<&str>, body: &'b [u8]) -> Result<Fields<'b>, ReceiveError> {
    let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        Ok(Fields::from_json(body)?)
    } else {
        Ok(Fields::from_form(body)?)
    }
}

/// `amount`, `resultDetails.AcquirerResponse`, `customParameters[a name]`.
fn is_a_parameter(key: &str) -> bool {
    let (name, bracketed) = key.split_once('[').unwrap_or((key, "]"));
    let inner = bracketed.strip_suffix(']');
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_');
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(plain)
        && inner.is_some_and(|inner| !inner.contains(['[', ']']) && !inner.chars().any(char::is_control))
}
