//! Peach's webhooks, and the signed POST by which the shopper comes back.

use crate::Verified;
use crate::replay::{Identity, Key};
use checkout_auth::peach::{SIGNATURE, SecretToken, VerifyError, header, verify_with};
use checkout_auth::{Blame, HeaderFields, KeyRing, MessageError, Tolerance, Verifier};
use checkout_lifecycle::{Attestation, Moment, Observation};
use checkout_tables::peach::{Outcome, PaymentStatus};
use checkout_tables::{Environment, Open};
use checkout_wire::ReadError;
use checkout_wire::peach::{Fields, FormError, Payment};
use std::borrow::Cow;
use std::fmt;

/// Takes Peach's webhooks and the shopper's returns in for one entity.
///
/// ```
/// use checkout_auth::{KeyRing, peach::SecretToken};
/// use checkout_lifecycle::Moment;
/// use checkout_tables::Environment;
/// use checkout_trust::peach::{Message, Receiver};
///
/// let secret = SecretToken::new("3fcd7cf22f55119eadbe02d14de18c0c".into())?;
/// # let signature = secret.sign([("checkoutId", "c01b"), ("paymentType", "DB"), ("result.code", "000.200.100")])?;
/// # let body = format!("checkoutId=c01b&paymentType=DB&result.code=000.200.100&signature={}", signature.as_str());
/// let keys = KeyRing::new("2026", secret);
/// let receiver = Receiver::new("8ac7a4ca68c22c4d0168c2caab2e0025", keys, Environment::Live);
/// // The raw body, and what its Content-Type was.
/// let now = Moment::from_unix_seconds(1_716_501_000);
/// match receiver.webhook(Some("application/x-www-form-urlencoded"), body.as_bytes(), now)? {
///     Message::Event(event) => {
///         assert_eq!(event.content().payment().checkout_id(), Some("c01b"));
///         assert!(event.observation().is_some()); // claim its identity first
///     }
///     Message::Probe(probe) => drop(probe.code().to_owned()), // show it to whoever is saving the URL, and answer 200
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Receiver {
    entity_id: String,
    keys: KeyRing<SecretToken>,
    headers: Verifier<SecretToken>,
    environment: Environment,
}

impl Receiver {
    /// A receiver with the entity's id, the ring of its secret tokens, and the environment that it is of: a
    /// test's success is none where it is live.
    #[must_use]
    pub fn new(entity_id: impl Into<String>, keys: KeyRing<SecretToken>, environment: Environment) -> Self {
        let headers = Verifier::new(keys.clone());
        Self { entity_id: entity_id.into(), keys, headers, environment }
    }

    /// How far the time of signed headers may be from ours: 300 s, if nothing is said. A signature in a body
    /// has no time.
    #[must_use]
    pub fn tolerance(self, tolerance: Tolerance) -> Self {
        Self { headers: self.headers.tolerance(tolerance), ..self }
    }

    /// Takes in what was posted to the webhook's URL: verifies a webhook by the signature in its body, as of
    /// now, and reads it; or knows a [`Probe`], which is not signed. The body is JSON if its media type or
    /// its first character says so, and a form otherwise.
    ///
    /// # Errors
    /// [`ReceiveError`]: what was wrong, and who is to blame.
    pub fn webhook(
        &self,
        content_type: Option<&str>,
        body: &[u8],
        now: Moment,
    ) -> Result<Message, ReceiveError> {
        if let Some(probe) = Probe::unsigned(body) {
            return Ok(Message::Probe(probe));
        }
        let fields = fields(content_type, body)?;
        let (key_id, text) = verify_with(&self.keys, fields.iter(), now.unix_seconds())?;
        self.message(fields, key_id, text.ambiguous())
    }

    /// Verifies the POST by which the shopper comes back. It went through the shopper's browser. No probe
    /// comes this way.
    ///
    /// # Errors
    /// [`ReceiveError`]: what was wrong, and who is to blame.
    pub fn shopper_return(&self, body: &[u8], now: Moment) -> Result<Verified<Event>, ReceiveError> {
        let fields = Fields::from_form(body)?;
        let (key_id, text) = verify_with(&self.keys, fields.iter(), now.unix_seconds())?;
        self.event(fields, key_id, text.ambiguous(), Via::Return)
    }

    /// Takes in what was posted to the webhook's URL, as [`webhook`](Self::webhook) does, and verifies it by
    /// the signature in its headers, over the raw body: for who has switched that scheme on. `url` is the one
    /// that Peach was given. A [`Probe`] is known whatever its headers are.
    ///
    /// # Errors
    /// [`ReceiveError`]: what was wrong, and who is to blame.
    pub fn signed_headers<H: HeaderFields + ?Sized>(
        &self,
        content_type: Option<&str>,
        request: &header::WebhookRequest<'_, H>,
        now: Moment,
    ) -> Result<Message, ReceiveError> {
        if let Some(probe) = Probe::unsigned(request.body) {
            return Ok(Message::Probe(probe));
        }
        let signed = self.headers.verify_webhook(request, now.unix_seconds())?;
        let fields = fields(content_type, signed.message().body)?;
        // The bytes are signed, so nobody can have cut them.
        self.message(fields, signed.key_id(), None)
    }

    /// Takes in what was posted to the webhook's URL, as [`webhook`](Self::webhook) does, out of a request of
    /// the `http` crate with its body as the bytes that came. With the feature `http`.
    ///
    /// A `Content-Type` that stands twice, or is no text, counts as none.
    ///
    /// # Errors
    /// [`ReceiveError`]: what was wrong, and who is to blame.
    ///
    /// ```
    /// use checkout_lifecycle::Moment;
    /// use checkout_trust::peach::{Message, Receiver};
    ///
    /// /// The message, or the HTTP status to answer.
    /// fn take(receiver: &Receiver, request: &http::Request<Vec<u8>>, now: Moment) -> Result<Message, u16> {
    ///     receiver.webhook_http(request, now).map_err(|error| error.http_status())
    /// }
    /// # use checkout_auth::{KeyRing, peach::SecretToken};
    /// # let secret = SecretToken::new("3fcd7cf22f55119eadbe02d14de18c0c".into()).unwrap();
    /// # let receiver = Receiver::new("8ac7", KeyRing::new("2026", secret), checkout_tables::Environment::Live);
    /// # assert_eq!(take(&receiver, &http::Request::default(), Moment::from_unix_seconds(0)).unwrap_err(), 401);
    /// ```
    #[cfg(feature = "http")]
    pub fn webhook_http<B: AsRef<[u8]>>(
        &self,
        request: &http::Request<B>,
        now: Moment,
    ) -> Result<Message, ReceiveError> {
        self.webhook(content_type_of(request), request.body().as_ref(), now)
    }

    /// Verifies the POST by which the shopper comes back, as [`shopper_return`](Self::shopper_return) does,
    /// out of a request of the `http` crate with its body as the bytes that came. With the feature `http`.
    ///
    /// # Errors
    /// [`ReceiveError`]: what was wrong, and who is to blame.
    ///
    /// ```
    /// use checkout_lifecycle::Moment;
    /// use checkout_trust::Verified;
    /// use checkout_trust::peach::{Event, Receiver};
    ///
    /// /// The event, or the HTTP status to answer.
    /// fn take(receiver: &Receiver, request: &http::Request<Vec<u8>>, now: Moment) -> Result<Verified<Event>, u16> {
    ///     receiver.shopper_return_http(request, now).map_err(|error| error.http_status())
    /// }
    /// # use checkout_auth::{KeyRing, peach::SecretToken};
    /// # let secret = SecretToken::new("3fcd7cf22f55119eadbe02d14de18c0c".into()).unwrap();
    /// # let receiver = Receiver::new("8ac7", KeyRing::new("2026", secret), checkout_tables::Environment::Live);
    /// # assert_eq!(take(&receiver, &http::Request::default(), Moment::from_unix_seconds(0)).unwrap_err(), 401);
    /// ```
    #[cfg(feature = "http")]
    pub fn shopper_return_http<B: AsRef<[u8]>>(
        &self,
        request: &http::Request<B>,
        now: Moment,
    ) -> Result<Verified<Event>, ReceiveError> {
        self.shopper_return(request.body().as_ref(), now)
    }

    /// Takes in what was posted to the webhook's URL, as [`signed_headers`](Self::signed_headers) does, out
    /// of a request of the `http` crate with its body as the bytes that came. With the feature `http`.
    ///
    /// `url` is the one that Peach was given, from the configuration: a proxy or a stranger may have chosen
    /// the scheme and the host of the request. A `Content-Type` that stands twice, or is no text, counts as
    /// none.
    ///
    /// # Errors
    /// [`ReceiveError`]: what was wrong, and who is to blame.
    ///
    /// ```
    /// use checkout_lifecycle::Moment;
    /// use checkout_trust::peach::{Message, Receiver};
    ///
    /// const URL: &str = "https://shop.example/hooks/peach";
    ///
    /// /// The message, or the HTTP status to answer.
    /// fn take(receiver: &Receiver, request: &http::Request<Vec<u8>>, now: Moment) -> Result<Message, u16> {
    ///     receiver.signed_headers_http(URL, request, now).map_err(|error| error.http_status())
    /// }
    /// # use checkout_auth::{KeyRing, peach::SecretToken};
    /// # let secret = SecretToken::new("3fcd7cf22f55119eadbe02d14de18c0c".into()).unwrap();
    /// # let receiver = Receiver::new("8ac7", KeyRing::new("2026", secret), checkout_tables::Environment::Live);
    /// # assert_eq!(take(&receiver, &http::Request::default(), Moment::from_unix_seconds(0)).unwrap_err(), 401);
    /// ```
    #[cfg(feature = "http")]
    pub fn signed_headers_http<B: AsRef<[u8]>>(
        &self,
        url: &str,
        request: &http::Request<B>,
        now: Moment,
    ) -> Result<Message, ReceiveError> {
        let (headers, body) = (request.headers(), request.body().as_ref());
        self.signed_headers(content_type_of(request), &header::WebhookRequest { url, headers, body }, now)
    }

    fn message(
        &self,
        fields: Fields<'_>,
        key_id: &str,
        ambiguous: Option<&'static str>,
    ) -> Result<Message, ReceiveError> {
        match Probe::of(&fields) {
            Some(probe) => Ok(Message::Probe(probe)),
            None => self.event(fields, key_id, ambiguous, Via::Webhook).map(Message::Event),
        }
    }

    fn event(
        &self,
        fields: Fields<'_>,
        key_id: &str,
        ambiguous: Option<&'static str>,
        via: Via,
    ) -> Result<Verified<Event>, ReceiveError> {
        let pairs: Vec<_> = fields.iter().collect();
        let identity = Identity::new(Key::peach_text(&self.entity_id, &pairs));
        let payment = Payment::new(fields, self.environment).ok_or(ReceiveError::NoResultCode)?;
        Ok(Verified::new(Event { payment: payment.into_owned(), via, ambiguous }, identity, key_id))
    }
}

/// A message that was posted to the webhook's URL.
///
/// ```
/// use checkout_auth::{KeyRing, peach::SecretToken};
/// use checkout_lifecycle::Moment;
/// use checkout_tables::Environment;
/// use checkout_trust::peach::{Message, Receiver};
///
/// # let secret = SecretToken::new("3fcd7cf22f55119eadbe02d14de18c0c".into())?;
/// let receiver = Receiver::new("8ac7a4ca68c22c4d0168c2caab2e0025", KeyRing::new("2026", secret), Environment::Live);
/// let body = br#"{"verificationCode":"48291"}"#;
/// let Message::Probe(probe) = receiver.webhook(Some("application/json"), body, Moment::from_unix_seconds(0))? else { panic!() };
/// assert_eq!(probe.code(), "48291");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub enum Message {
    /// Something has happened to a payment, and it was verified: claim it.
    Event(Verified<Event>),
    /// Peach tries the URL out: answer 200. There is nothing to claim, and nothing has happened to any
    /// payment.
    Probe(Probe),
}

impl Message {
    /// The event, if it is one.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_trust::Verified;
    /// # use checkout_trust::peach::{Event, ReceiveError, Receiver};
    /// fn event(receiver: &Receiver, body: &[u8], now: Moment) -> Result<Option<Verified<Event>>, ReceiveError> {
    ///     Ok(receiver.webhook(None, body, now)?.event())
    /// }
    /// ```
    #[must_use]
    pub fn event(self) -> Option<Verified<Event>> {
        match self {
            Self::Event(event) => Some(event),
            Self::Probe(_) => None,
        }
    }
}

/// The message by which Peach tries a webhook's URL out, before it is saved: a JSON object with a
/// `verificationCode`. It has no signature, so **anybody can send one**. It is about no payment, claims
/// nothing and settles nothing. Answer [`http_status`](Self::http_status), and show the code to whoever is
/// saving the URL.
///
/// It is known by its body alone, whatever the media type and the other members are: a JSON object with the
/// code, and with neither a signature nor anything that speaks of a payment (`result…`, `paymentType`,
/// `checkoutId`, `merchantTransactionId`). Assumed: the code is 1 to 256 bytes without a control character.
///
/// Sources: Public, *Checkout webhooks*, 2026-07-23: the first notification of a URL is JSON, and is to be
/// answered 200. Assumed: that the member is called `verificationCode` and that nothing signs it, as it was
/// seen on the way.
///
/// `Debug` does not print the code.
#[derive(Clone, PartialEq, Eq)]
pub struct Probe {
    code: String,
}

impl Probe {
    /// The code. Nobody has signed it: compare it with what Peach shows, and print it through
    /// [`Printable`](checkout_wire::Printable) if it goes into a log.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The HTTP status to answer with: 200.
    #[must_use]
    pub const fn http_status(&self) -> u16 {
        200
    }

    /// The probe that a body is that nobody has signed.
    fn unsigned(body: &[u8]) -> Option<Self> {
        let fields = Fields::from_json(without_bom(body)).ok()?;
        let signed = fields.get(SIGNATURE).is_some_and(|signature| !signature.is_empty());
        if signed { None } else { Self::of(&fields) }
    }

    /// The probe that the fields are.
    fn of(fields: &Fields<'_>) -> Option<Self> {
        let of_a_payment = |key: &str| {
            key.starts_with("result") || matches!(key, "paymentType" | "checkoutId" | "merchantTransactionId")
        };
        if fields.iter().any(|(key, _)| of_a_payment(key)) {
            return None;
        }
        let code = fields.get("verificationCode")?;
        // An object or a list would come as its JSON text.
        let plain = !code.trim().is_empty()
            && code.len() <= LONGEST_CODE
            && !code.starts_with(['{', '['])
            && !code.chars().any(char::is_control);
        plain.then(|| Self { code: code.to_owned() })
    }
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probe").finish_non_exhaustive()
    }
}

/// What Peach says of a payment, in a webhook or by the shopper. It is a hint: the status is read before
/// goods leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    payment: Payment<'static>,
    via: Via,
    ambiguous: Option<&'static str>,
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

    /// The name, if there is one, that makes the signed text ambiguous: see [`SignedText::ambiguous`]. An
    /// event of such a text prompts a read and tells nothing by itself. Most often it is an honest one: the
    /// name stands in a URL or in somebody's name, and came back. None of an event whose headers are signed:
    /// they sign the bytes.
    ///
    /// [`SignedText::ambiguous`]: checkout_auth::peach::SignedText::ambiguous
    #[must_use]
    pub const fn ambiguous(&self) -> Option<&'static str> {
        self.ambiguous
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
    /// The observation for a [`Tracker`](checkout_lifecycle::Tracker), in the order of the event's own time:
    /// of a checkout that was begun or is pending.
    ///
    /// **An end is none**, neither a success nor a cancellation: a signed text can be cut again into other
    /// keys and values, as far as the end of one order's id is read as another key, so that it ends another
    /// order. An end is adopted from a read alone, and of an [ambiguous](Event::ambiguous) text nothing is.
    /// Ask for the status: [`wants_a_read`](Self::wants_a_read).
    ///
    /// ```
    /// use checkout_lifecycle::{Moment, Tracker, Verdict};
    /// use checkout_tables::peach::PaymentStatus;
    /// use checkout_trust::Verified;
    /// use checkout_trust::peach::Event;
    ///
    /// /// Takes an event in, and gives whether the status is to be read now.
    /// fn take(event: &Verified<Event>, tracker: &mut Tracker<PaymentStatus>, now: Moment) -> bool {
    ///     let verdict = event.observation().map(|observation| tracker.observe(observation, now));
    ///     let conflict = verdict.is_some_and(|verdict| verdict.wants_attention());
    ///     event.wants_a_read() || conflict
    /// }
    /// ```
    #[must_use]
    pub fn observation(&self) -> Option<Observation<PaymentStatus, Outcome<Cow<'static, str>>>> {
        if self.content().ambiguous.is_some() {
            return None;
        }
        let status = match self.status()? {
            PaymentStatus::Successful
            | PaymentStatus::Authorized
            | PaymentStatus::Cancelled
            | PaymentStatus::Expired => return None,
            status @ (PaymentStatus::Created | PaymentStatus::Pending) => Open::Known(status),
        };
        let order = self.content().payment.unix_millis().map(Moment::from_unix_millis);
        Some(match self.content().via {
            Via::Webhook => Observation::verified_webhook(status, order, Attestation::by_caller()),
            Via::Return => Observation::verified_redirect(status, order, Attestation::by_caller()),
        })
    }

    /// True if the status is to be read now: for every end, for whatever is no status at all, such as a
    /// chargeback, and for whatever an [ambiguous](Event::ambiguous) text says. It is not for a checkout that
    /// was begun or is pending.
    #[must_use]
    pub fn wants_a_read(&self) -> bool {
        self.observation().is_none()
    }

    fn status(&self) -> Option<PaymentStatus> {
        self.content().payment.status()?.known()
    }
}

/// Why an event was not taken in. Nothing of it is in what this prints; do not tell the sender more than the
/// status.
///
/// ```
/// use checkout_auth::Blame;
/// use checkout_trust::peach::ReceiveError;
///
/// let error = ReceiveError::NoResultCode;
/// assert_eq!((error.http_status(), error.blame()), (200, Blame::Sender));
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
    HeadersNotVerified(#[from] MessageError),
    /// It was verified, and has no `result.code`.
    #[error("there is no result.code")]
    NoResultCode,
}

impl ReceiveError {
    /// Whose fault it is.
    #[must_use]
    pub const fn blame(&self) -> Blame {
        match self {
            Self::NotVerified(error) => error.blame(),
            Self::HeadersNotVerified(error) => error.blame(),
            Self::Form(_) | Self::Json(_) | Self::NoResultCode => Blame::Sender,
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
            Self::NoResultCode => "a signed message of Peach's that is about no payment",
        }
    }

    /// What to answer: 401 for what was not verified, 400 for what cannot be read, and 200 for what was
    /// verified and is about no payment: sent again it would be about none either.
    #[must_use]
    pub const fn http_status(&self) -> u16 {
        match self {
            Self::NotVerified(_) | Self::HeadersNotVerified(_) => 401,
            Self::Form(_) | Self::Json(_) => 400,
            Self::NoResultCode => 200,
        }
    }
}

/// Whatever the media type says, a body that begins with a brace is JSON if it can be read so: a genuine
/// event is one however it is labelled on the way, and the signature decides.
fn fields<'b>(content_type: Option<&str>, body: &'b [u8]) -> Result<Fields<'b>, ReceiveError> {
    let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let json = without_bom(body);
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(Fields::from_json(json)?);
    }
    if json.trim_ascii_start().starts_with(b"{")
        && let Ok(fields) = Fields::from_json(json)
    {
        return Ok(fields);
    }
    Ok(Fields::from_form(body)?)
}

/// The media type of a request that says one. It is signed by nobody: one that is said twice is none.
#[cfg(feature = "http")]
fn content_type_of<B>(request: &http::Request<B>) -> Option<&str> {
    let mut values = request.headers().get_all(http::header::CONTENT_TYPE).iter();
    let first = values.next()?;
    if values.next().is_some() { None } else { first.to_str().ok() }
}

/// The JSON text behind a byte order mark, which is no part of it (RFC 8259, 8.1).
fn without_bom(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// In bytes.
const LONGEST_CODE: usize = 256;
