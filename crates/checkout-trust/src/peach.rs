//! Peach's webhooks, and the signed POST that brings the shopper back.

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

/// A receiver of Peach's webhooks and of the shopper's return, for one entity.
///
/// ```
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::peach::{Message, Receiver, SecretToken};
/// use checkout_kit::{Environment, KeyRing, Moment};
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
    /// Creates a receiver with the entity's id, the ring of the entity's secret tokens, and the entity's
    /// environment: a test's success does not count as a success in a live environment.
    #[must_use]
    pub fn new(entity_id: impl Into<String>, keys: KeyRing<SecretToken>, environment: Environment) -> Self {
        let headers = Verifier::new(keys.clone());
        Self { entity_id: entity_id.into(), keys, headers, environment }
    }

    /// Sets the tolerance between the time of signed headers and the local time: 300 s by default. A
    /// signature in a body has no time.
    #[must_use]
    pub fn tolerance(self, tolerance: Tolerance) -> Self {
        Self { headers: self.headers.tolerance(tolerance), ..self }
    }

    /// Receives a POST to the webhook's URL: verifies a webhook by the signature in the body, as of now, and
    /// reads the webhook; or recognizes a [`Probe`], which is not signed. The body is JSON if the media type
    /// or the first character of the body says so, and a form otherwise.
    ///
    /// # Errors
    /// [`ReceiveError`], with the fault and who is to blame.
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

    /// Verifies the POST that brings the shopper back. The POST went through the shopper's browser. No probe
    /// comes this way.
    ///
    /// # Errors
    /// [`ReceiveError`], with the fault and who is to blame.
    pub fn shopper_return(&self, body: &[u8], now: Moment) -> Result<Verified<Event>, ReceiveError> {
        let fields = Fields::from_form(body)?;
        let (key_id, text) = verify_with(&self.keys, fields.iter(), now.unix_seconds())?;
        self.event(fields, key_id, text.ambiguous(), Via::Return)
    }

    /// Receives a POST to the webhook's URL, as [`webhook`](Self::webhook) does, and verifies the POST by the
    /// signature in the headers, over the raw body: for merchants who have switched that scheme on. `url` is
    /// the URL that Peach was given. A [`Probe`] is recognized whatever the headers are.
    ///
    /// # Errors
    /// [`ReceiveError`], with the fault and who is to blame.
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

    /// Receives a POST to the webhook's URL, as [`webhook`](Self::webhook) does, from a request of the `http`
    /// crate with its body as the raw bytes. With the feature `http`.
    ///
    /// A `Content-Type` that stands twice, or is not text, counts as none.
    ///
    /// # Errors
    /// [`ReceiveError`], with the fault and who is to blame.
    ///
    /// ```
    /// # checkout_doctest::facade!(trust);
    /// use checkout_kit::Moment;
    /// use checkout_kit::peach::{Message, Receiver};
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

    /// Verifies the POST that brings the shopper back, as [`shopper_return`](Self::shopper_return) does, from
    /// a request of the `http` crate with its body as the raw bytes. With the feature `http`.
    ///
    /// # Errors
    /// [`ReceiveError`], with the fault and who is to blame.
    ///
    /// ```
    /// # checkout_doctest::facade!(trust);
    /// use checkout_kit::peach::{Event, Receiver};
    /// use checkout_kit::{Moment, Verified};
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

    /// Receives a POST to the webhook's URL, as [`signed_headers`](Self::signed_headers) does, from a request
    /// of the `http` crate with its body as the raw bytes. With the feature `http`.
    ///
    /// `url` is the URL that Peach was given, from the configuration: a proxy or a stranger may have chosen
    /// the scheme and the host of the request. A `Content-Type` that stands twice, or is not text, counts as
    /// none.
    ///
    /// # Errors
    /// [`ReceiveError`], with the fault and who is to blame.
    ///
    /// ```
    /// # checkout_doctest::facade!(trust);
    /// use checkout_kit::Moment;
    /// use checkout_kit::peach::{Message, Receiver};
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
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::peach::{Message, Receiver, SecretToken};
/// use checkout_kit::{Environment, KeyRing, Moment};
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
    /// A verified event of a payment: claim the event.
    Event(Verified<Event>),
    /// Peach tries the URL out: answer 200. There is nothing to claim, and nothing has happened to any
    /// payment.
    Probe(Probe),
}

impl Message {
    /// The event, if the message is an event.
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

/// The message that tries a webhook's URL out before the URL is saved: a JSON object with a
/// `verificationCode`. A probe has no signature, so **anybody can send one**. A probe is about no payment,
/// claims nothing and settles nothing. Answer [`http_status`](Self::http_status), and show the code to the
/// person who saves the URL.
///
/// A probe is recognized by its body alone, whatever the media type and the other members are: a JSON object
/// with the code, and with neither a signature nor any member about a payment (`result…`, `paymentType`,
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
    /// The code. Nobody has signed the code: compare the code with Peach's display, and print the code
    /// through [`Printable`](checkout_wire::Printable) in a log.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The HTTP status to answer with: 200.
    #[must_use]
    pub const fn http_status(&self) -> u16 {
        200
    }

    /// Returns the probe in an unsigned body, if the body is a probe.
    fn unsigned(body: &[u8]) -> Option<Self> {
        let fields = Fields::from_json(without_bom(body)).ok()?;
        let signed = fields.get(SIGNATURE).is_some_and(|signature| !signature.is_empty());
        if signed { None } else { Self::of(&fields) }
    }

    /// Returns the probe in the fields, if the fields are a probe.
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

/// An event of a payment, from a webhook or from the shopper. The event is a hint: read the status before
/// goods leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    payment: Payment<'static>,
    via: Via,
    ambiguous: Option<&'static str>,
}

impl Event {
    /// The payment in the event.
    #[must_use]
    pub const fn payment(&self) -> &Payment<'static> {
        &self.payment
    }

    /// The way that the event came.
    #[must_use]
    pub const fn via(&self) -> Via {
        self.via
    }

    /// The name, if any, that makes the signed text ambiguous: see [`SignedText::ambiguous`]. An event of
    /// such a text prompts a read and proves nothing alone. Most often such an event is honest: the name
    /// stands in a URL or in somebody's name, and came back. `None` for an event with signed headers: the
    /// headers sign the bytes.
    ///
    /// [`SignedText::ambiguous`]: checkout_auth::peach::SignedText::ambiguous
    #[must_use]
    pub const fn ambiguous(&self) -> Option<&'static str> {
        self.ambiguous
    }
}

/// The way that an event came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Via {
    /// A webhook.
    Webhook,
    /// The shopper's browser.
    Return,
}

impl Verified<Event> {
    /// The observation for a [`Tracker`](checkout_lifecycle::Tracker), in the order of the event's own time:
    /// only of a checkout that was begun or is pending.
    ///
    /// **An end gives no observation**, neither a success nor a cancellation: a signed text can be cut again
    /// into other keys and values, as far as the end of one order's id is read as another key, so that the
    /// text ends another order. Adopt an end from a read alone, and nothing from an
    /// [ambiguous](Event::ambiguous) text. Read the status: [`wants_a_read`](Self::wants_a_read).
    ///
    /// ```
    /// # checkout_doctest::facade!(trust);
    /// use checkout_kit::peach::{Event, PaymentStatus};
    /// use checkout_kit::{Moment, Tracker, Verdict, Verified};
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
        let order = self.content().payment.moment();
        Some(match self.content().via {
            Via::Webhook => Observation::verified_webhook(status, order, Attestation::by_caller()),
            Via::Return => Observation::verified_redirect(status, order, Attestation::by_caller()),
        })
    }

    /// True if the status is to be read now: for every end, for anything that is not a status, such as a
    /// chargeback, and for every [ambiguous](Event::ambiguous) text. False for a checkout that was begun or
    /// is pending.
    #[must_use]
    pub fn wants_a_read(&self) -> bool {
        self.observation().is_none()
    }

    fn status(&self) -> Option<PaymentStatus> {
        self.content().payment.status()?.known()
    }
}

/// The reason that an event was not received. The printed form has nothing of the event; do not give the
/// sender more than the HTTP status.
///
/// ```
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::auth::Blame;
/// use checkout_kit::peach::ReceiveError;
///
/// let error = ReceiveError::NoResultCode;
/// assert_eq!((error.http_status(), error.blame()), (200, Blame::Sender));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiveError {
    /// The body is not a form with one text for each key, so nothing could be verified.
    #[error("the body: {0}")]
    Form(#[from] FormError),
    /// The body is not a flat JSON object, so nothing could be verified.
    #[error("the body: no flat JSON object of one text for each key, at byte {}", .0.at())]
    Json(#[from] ReadError),
    /// The signature in the body was not verified.
    #[error(transparent)]
    NotVerified(#[from] VerifyError),
    /// The signature in the headers was not verified.
    #[error(transparent)]
    HeadersNotVerified(#[from] MessageError),
    /// The event was verified, and has no `result.code`.
    #[error("there is no result.code")]
    NoResultCode,
}

impl ReceiveError {
    /// The party at fault.
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

    /// The HTTP status to answer with: 401 for an unverified event, 400 for an unreadable event, and 200 for
    /// an event that was verified and is about no payment: sent again, the event would still be about no
    /// payment.
    #[must_use]
    pub const fn http_status(&self) -> u16 {
        match self {
            Self::NotVerified(_) | Self::HeadersNotVerified(_) => 401,
            Self::Form(_) | Self::Json(_) => 400,
            Self::NoResultCode => 200,
        }
    }
}

/// Reads the fields. Whatever the media type, a body that begins with a brace is JSON if the body can be read
/// so: a genuine event stays an event under any label on the way, and the signature decides.
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

/// The media type of a request, if the request has one. Nobody signs the media type: a repeated media type is
/// none.
#[cfg(feature = "http")]
fn content_type_of<B>(request: &http::Request<B>) -> Option<&str> {
    let mut values = request.headers().get_all(http::header::CONTENT_TYPE).iter();
    let first = values.next()?;
    if values.next().is_some() { None } else { first.to_str().ok() }
}

/// The JSON text after a byte order mark, which is not part of the text (RFC 8259, 8.1).
fn without_bom(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// In bytes.
const LONGEST_CODE: usize = 256;
