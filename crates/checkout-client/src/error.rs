//! What can go wrong on the way.

use crate::call::RefusalOf;
use crate::{ClockSkew, Operation, Readable, Received};
use checkout_auth::peach::{SIGNATURE, VerifyError};
use checkout_poll::{Advice, Attempted, Heard, advise};
use checkout_tables::Open;
use checkout_tables::allscale::{ErrorCode, Route};
use checkout_transport::bytes::Bytes;
use checkout_transport::{Delivery, Response, TransportError};
use checkout_wire::allscale::Refusal;
use checkout_wire::{NotDone, Printable, ProviderRefusal, ReadError};
use core::fmt;
use core::time::Duration;
use std::error::Error;

/// An attempt that gave no reply. A refusal is a reply, and not one of these.
///
/// [`delivery`](Self::delivery) says whether the provider may have done what was asked. What it prints ends where
/// the transport's own cause begins: print the [`source`](std::error::Error::source)s too.
///
/// ```
/// # #[cfg(feature = "system")] {
/// use checkout_auth::{SecretString, allscale::SigningKey};
/// use checkout_client::allscale::Client;
/// use checkout_transport::{Delivery, TransportError, from_fn_blocking};
///
/// let nowhere = from_fn_blocking(|_| Err(TransportError::not_sent("connection refused")));
/// let client = Client::builder(SigningKey::new("st_key", SecretString::from("st_secret"))?).build()?;
/// let error = client.ping().send_blocking(&nowhere).unwrap_err();
/// assert_eq!(error.delivery(), Delivery::NotSent);
/// assert_eq!(error.to_string(), "GET /v1/test/ping: the request was not sent");
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct SendError(Box<Failed>);

impl SendError {
    /// How far the request got: whether the provider may have done what was asked.
    #[must_use]
    pub fn delivery(&self) -> Delivery {
        match &self.0.reason {
            Reason::Transport(error) => error.delivery(),
            Reason::Sign(_) | Reason::Token | Reason::Request => Delivery::NotSent,
            // An answer came, so the request arrived.
            Reason::Read(_) | Reason::Mismatch(_) | Reason::NotAuthentic(_) | Reason::Unverified(_) => {
                Delivery::Unknown
            }
        }
    }

    /// Whether the provider may have done what was asked: [`Delivery::Unknown`], as a question that
    /// [`AnswerError::may_have_been_done`] answers too, or an earlier attempt of
    /// [`send_with_retries`](crate::Call::send_with_retries) that may have been done.
    #[must_use]
    pub fn may_have_been_done(&self) -> bool {
        self.0.earlier || self.delivery() == Delivery::Unknown
    }

    /// After an attempt that may have been done: what this one proves, it proves of itself alone.
    pub(crate) fn after_another(mut self) -> Self {
        self.0.earlier = true;
        self
    }

    /// Whether, and when, to try again.
    ///
    /// [`Advice::After`] says no wait of its own: a `Retry-After` of an answer that cannot be read, or that answers something
    /// else, has no say. [`Advice::ReadFirst`] names what to ask by whether it was done, before it is done a second time. [`Advice::Never`] where it may have been
    /// done and there is nothing to ask by, as with AllScale's create, whose only thread back is its webhook's `order_id`; and
    /// where nothing was sent because it could not be: without an access token ([`wants_token`](Self::wants_token): ask for
    /// one, then send the call anew), or because it cannot be signed or is nothing that HTTP can carry (look at the nonces
    /// and at what the client was built with).
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// # use checkout_money::Cents;
    /// # use checkout_tables::allscale::Currency;
    /// # use checkout_validate::allscale::{Draft, Rules};
    /// use checkout_client::Advice;
    /// use checkout_transport::{TransportError, from_fn_blocking};
    /// use std::time::Duration;
    ///
    /// # let client = Client::builder(SigningKey::new("st_key", SecretString::from("st_secret"))?).build()?;
    /// # let create = client.create(&Draft::fiat(Currency::EUR, Cents::new(100)).check(&Rules::default())?);
    /// let refused = from_fn_blocking(|_| Err(TransportError::not_sent("connection refused")));
    /// assert_eq!(create.send_blocking(&refused).unwrap_err().retry(), Advice::After(Duration::ZERO));
    /// let silent = from_fn_blocking(|_| Err(TransportError::unknown("time out")));
    /// assert_eq!(create.send_blocking(&silent).unwrap_err().retry(), Advice::Never);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn retry(&self) -> Advice {
        let attempted = match &self.0.reason {
            Reason::Sign(_) | Reason::Token | Reason::Request => return Advice::Never,
            Reason::Transport(error) => match error.delivery() {
                Delivery::NotSent => Attempted::NotSent,
                Delivery::Unknown => Attempted::Unknown { wait: None },
            },
            Reason::Read(_) | Reason::Mismatch(_) | Reason::NotAuthentic(_) | Reason::Unverified(_) => {
                Attempted::Unknown { wait: None }
            }
        };
        advise(self.0.operation.repeat, self.0.operation.read_first, attempted)
    }

    /// What it is to whoever polls, as [`Received::heard`](crate::Received::heard) is for a reply: for a
    /// [`Poller`](checkout_poll::Poller) or a [`Schedule`](checkout_poll::Schedule).
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// # use checkout_transport::{TransportError, from_fn_blocking};
    /// use checkout_poll::Heard;
    ///
    /// # let nowhere = from_fn_blocking(|_| Err(TransportError::not_sent("connection refused")));
    /// # let client = Client::builder(SigningKey::new("st_key", SecretString::from("st_secret"))?).build()?;
    /// let error = client.status("65b2f3d0d2d9c0a1b2c3d4e5")?.send_blocking(&nowhere).unwrap_err();
    /// assert_eq!(error.heard(), Heard::Failed { wait: None });
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn heard(&self) -> Heard {
        match &self.0.reason {
            Reason::Sign(_) | Reason::Request => Heard::Refused,
            Reason::Transport(_)
            | Reason::Token
            | Reason::Read(_)
            | Reason::Mismatch(_)
            | Reason::NotAuthentic(_)
            | Reason::Unverified(_) => Heard::Failed { wait: None },
        }
    }

    /// What was asked.
    #[must_use]
    pub fn operation(&self) -> Operation {
        self.0.operation
    }

    /// The provider's id of the request, if an answer came and had one.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// The answer that could not be read, or that is not the answer to what was asked. It can hold anything about the
    /// payer: for your eyes, not for a log.
    #[must_use]
    pub fn body(&self) -> Option<&Bytes> {
        self.0.body.as_ref()
    }

    /// Why no answer came, if that is what went wrong.
    #[must_use]
    pub fn transport(&self) -> Option<&TransportError> {
        match &self.0.reason {
            Reason::Transport(error) => Some(error),
            Reason::Sign(_)
            | Reason::Token
            | Reason::Request
            | Reason::Read(_)
            | Reason::Mismatch(_)
            | Reason::NotAuthentic(_)
            | Reason::Unverified(_) => None,
        }
    }

    /// Whether nothing was sent because there is no access token: ask for one, and ask again.
    #[must_use]
    pub fn wants_token(&self) -> bool {
        matches!(self.0.reason, Reason::Token)
    }

    /// Why the answer could not be read, if that is what went wrong.
    #[must_use]
    pub fn unreadable(&self) -> Option<&ReadError> {
        match &self.0.reason {
            Reason::Read(error) => Some(error),
            Reason::Transport(_)
            | Reason::Sign(_)
            | Reason::Token
            | Reason::Request
            | Reason::Mismatch(_)
            | Reason::NotAuthentic(_)
            | Reason::Unverified(_) => None,
        }
    }

    /// The field that is not what was asked for, if that is what went wrong: the answer belongs to something else.
    /// `signature`, if the answer is not signed where it must be, or its signature cannot be verified:
    /// [`not_authentic`](Self::not_authentic) says which, and it says nothing of why.
    #[must_use]
    pub fn mismatch(&self) -> Option<&'static str> {
        match &self.0.reason {
            Reason::Mismatch(field) => Some(field),
            Reason::Unverified(_) => Some(SIGNATURE),
            Reason::Transport(_)
            | Reason::Sign(_)
            | Reason::Token
            | Reason::Request
            | Reason::Read(_)
            | Reason::NotAuthentic(_) => None,
        }
    }

    /// Why the answer cannot be told to be the provider's own, if it should have been signed and that is what went wrong.
    /// Of Peach's it is a [`VerifyError`] most often: [`Missing`](VerifyError::Missing) for an answer that is not signed.
    #[must_use]
    pub fn not_authentic(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        match &self.0.reason {
            Reason::NotAuthentic(error) | Reason::Unverified(error) => Some(&**error),
            Reason::Transport(_)
            | Reason::Sign(_)
            | Reason::Token
            | Reason::Request
            | Reason::Read(_)
            | Reason::Mismatch(_) => None,
        }
    }

    /// The answer is not signed as it should be.
    pub(crate) fn unauthentic(operation: Operation, error: Box<dyn Error + Send + Sync>, came: Came) -> Self {
        Self::after(operation, Reason::NotAuthentic(error), None, came)
    }

    /// The answer could be read, and its fields are not verified.
    pub(crate) fn unverified(operation: Operation, error: Box<dyn Error + Send + Sync>, came: Came) -> Self {
        Self::after(operation, Reason::Unverified(error), None, came)
    }

    pub(crate) fn read(operation: Operation, error: ReadError, came: Came) -> Self {
        let request_id = error.request_id().map(str::to_owned);
        Self::after(operation, Reason::Read(error), request_id, came)
    }

    pub(crate) fn other(
        operation: Operation,
        field: &'static str,
        request_id: Option<String>,
        came: Came,
    ) -> Self {
        Self::after(operation, Reason::Mismatch(field), request_id, came)
    }

    pub(crate) fn no_answer(operation: Operation, error: TransportError) -> Self {
        Self::without(operation, Reason::Transport(error))
    }

    /// No answer came within the time that a watch waits for one.
    pub(crate) fn timed_out(operation: Operation, timeout: Duration) -> Self {
        Self::no_answer(operation, TransportError::unknown(TimedOut(timeout)))
    }

    pub(crate) fn sign(operation: Operation, error: Box<dyn Error + Send + Sync>) -> Self {
        Self::without(operation, Reason::Sign(error))
    }

    pub(crate) fn token(operation: Operation) -> Self {
        Self::without(operation, Reason::Token)
    }

    pub(crate) fn request(operation: Operation) -> Self {
        Self::without(operation, Reason::Request)
    }

    /// No answer came.
    fn without(operation: Operation, reason: Reason) -> Self {
        Self(Box::new(Failed { operation, request_id: None, body: None, reason, earlier: false }))
    }

    /// An answer came, and cannot be taken.
    fn after(operation: Operation, reason: Reason, request_id: Option<String>, came: Came) -> Self {
        Self(Box::new(Failed { operation, request_id, body: Some(came.body), reason, earlier: false }))
    }
}

/// What came, of an answer that cannot be taken.
pub(crate) struct Came {
    body: Bytes,
}

impl Came {
    pub(crate) fn of(response: &Response) -> Self {
        Self { body: response.body().clone() }
    }
}

/// Why a watch did not wait any longer.
#[derive(Debug, thiserror::Error)]
#[error("no answer within {} s, the time-out of the watch's plan", .0.as_secs())]
struct TimedOut(Duration);

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.0.operation)?;
        match &self.0.reason {
            Reason::Transport(error) => write!(f, "{error}")?,
            Reason::Sign(error) => write!(f, "the request could not be signed: {error}")?,
            Reason::Token => f.write_str("there is no access token to send")?,
            Reason::Request => f.write_str("the request is not one that HTTP can carry")?,
            // Which has the request id in it.
            Reason::Read(error) => return write!(f, "the answer could not be read: {error}"),
            Reason::NotAuthentic(error) => write!(f, "the answer's signature: {error}")?,
            Reason::Unverified(error) => match error.downcast_ref() {
                Some(VerifyError::Missing) => f.write_str("the answer is not signed")?,
                Some(_) | None => write!(f, "the answer's signature: {error}")?,
            },
            Reason::Mismatch(field) => write!(f, "the answer's {field} is not what was asked for")?,
        }
        match &self.0.request_id {
            Some(id) => write!(f, " (request id {})", Printable(id)),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for SendError {
    /// Everything but the answer's body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendError")
            .field("operation", &self.0.operation)
            .field("reason", &self.0.reason)
            .field("request_id", &self.0.request_id)
            .finish_non_exhaustive()
    }
}

impl Error for SendError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0.reason {
            // What these say themselves stands in our own text already.
            Reason::Transport(error) => error.source(),
            Reason::Sign(_)
            | Reason::Token
            | Reason::Request
            | Reason::Read(_)
            | Reason::Mismatch(_)
            | Reason::NotAuthentic(_)
            | Reason::Unverified(_) => None,
        }
    }
}

/// What came instead of an answer: a refusal in the provider's form `R`, or something that is not the API's.
///
/// ```
/// # #[cfg(feature = "system")] {
/// use checkout_auth::{SecretString, allscale::SigningKey};
/// use checkout_client::allscale::Client;
/// use checkout_sandbox::allscale::{Sandbox, Store};
/// use checkout_tables::{Open, allscale::ErrorCode};
///
/// let key = SigningKey::new("st_key", SecretString::from("st_secret"))?;
/// let sandbox = Sandbox::builder().store(Store::new(key.clone())).build();
/// let clock = sandbox.clock().clone();
/// let client = Client::builder(key).clock(move || clock.now_millis()).build()?;
///
/// let error = client.fail().send_blocking(&sandbox)?.into_answer().unwrap_err();
/// assert_eq!(error.code(), Some(Open::Known(ErrorCode::ValidationError)));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerError<R> {
    operation: Operation,
    not_done: Box<NotDone<'static, R>>,
    nothing_done: bool,
    /// Only where it can be why.
    clock_skew: Option<ClockSkew>,
    retry: Advice,
}

impl<R: ProviderRefusal> AnswerError<R> {
    /// What came.
    #[must_use]
    pub fn not_done(&self) -> &NotDone<'static, R> {
        &self.not_done
    }

    /// What was asked.
    #[must_use]
    pub const fn operation(&self) -> Operation {
        self.operation
    }

    /// Whether the provider may have done what was asked all the same. It has not if it refused in a way that the
    /// route's page lists: AllScale with a code, Peach with the HTTP status 400; and neither if it did not let us in, with the
    /// HTTP status 401 or 403 in a form of its own: Peach with a message or a code of the request's, Azotte with a problem, a
    /// code that is no stage of a checkout, or an empty body, because its 401 has no envelope (Public). Anything else, such as
    /// an internal error, a gateway's own code or page, or a signature that was there before, proves nothing. No page lists
    /// how Azotte refuses a submit otherwise; a submit is safe to repeat, under the same `correlationId`.
    ///
    /// An attempt proves something of itself alone. [`send_with_retries`](crate::Call::send_with_retries) remembers the
    /// attempts before the last. Whoever repeats a call by hand holds on to a `true` of an earlier attempt.
    ///
    /// Assumed: that nothing is done beside a listed refusal, and for who is not let in. No page says so in these words.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// # use checkout_money::Cents;
    /// # use checkout_sandbox::allscale::{Fault, Sandbox, Store};
    /// # use checkout_tables::allscale::Currency;
    /// # use checkout_validate::allscale::{Draft, Rules};
    /// # let key = SigningKey::new("st_key", SecretString::from("st_secret"))?;
    /// # let sandbox = Sandbox::builder().store(Store::new(key.clone())).build();
    /// # let clock = sandbox.clock().clone();
    /// # let client = Client::builder(key).clock(move || clock.now_millis()).build()?;
    /// # let call = client.create(&Draft::fiat(Currency::EUR, Cents::new(100)).check(&Rules::default())?);
    /// sandbox.inject(Fault::RateLimited);
    /// assert!(!call.send_blocking(&sandbox)?.into_answer().unwrap_err().may_have_been_done());
    /// sandbox.inject(Fault::HtmlBadGateway);
    /// assert!(call.send_blocking(&sandbox)?.into_answer().unwrap_err().may_have_been_done());
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn may_have_been_done(&self) -> bool {
        !self.nothing_done
    }

    /// Whether, and when, to ask again: what [`Received::retry`](crate::Received::retry) said.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// # use checkout_sandbox::allscale::{Sandbox, Store};
    /// # let key = SigningKey::new("st_key", SecretString::from("st_secret"))?;
    /// # let sandbox = Sandbox::builder().store(Store::new(key.clone())).build();
    /// # let clock = sandbox.clock().clone();
    /// # let client = Client::builder(key).clock(move || clock.now_millis()).build()?;
    /// let gone = client.status("65b2")?.send_blocking(&sandbox)?.into_answer().unwrap_err();
    /// assert_eq!(gone.retry(), checkout_client::Advice::Never); // there is no such intent
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn retry(&self) -> Advice {
        self.retry
    }

    /// The provider's id of the request, if the answer had one.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        match &*self.not_done {
            NotDone::Refused(refusal) => refusal.request_id(),
            NotDone::NotTheApi(_) => None,
        }
    }

    pub(crate) fn new(
        operation: Operation,
        not_done: NotDone<'static, R>,
        nothing_done: bool,
        clock_skew: Option<ClockSkew>,
        retry: Advice,
    ) -> Self {
        Self { operation, not_done: Box::new(not_done), nothing_done, clock_skew, retry }
    }
}

impl AnswerError<Refusal<'static>> {
    /// AllScale's code, if it refused.
    #[must_use]
    pub fn code(&self) -> Option<Open<ErrorCode>> {
        match &*self.not_done {
            NotDone::Refused(refusal) => Some(refusal.code),
            NotDone::NotTheApi(_) => None,
        }
    }

    /// The meaning of the code on the route that was asked, in a few words of ours: [`ErrorCode::meaning_on`]. None for
    /// a code that the route's page does not list, and where AllScale did not refuse.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// # use checkout_sandbox::allscale::{Fault, Sandbox, Store};
    /// # let key = SigningKey::new("st_key", SecretString::from("st_secret"))?;
    /// # let sandbox = Sandbox::builder().store(Store::new(key.clone())).build();
    /// # let clock = sandbox.clock().clone();
    /// # let client = Client::builder(key).clock(move || clock.now_millis()).build()?;
    /// sandbox.inject(Fault::UnknownErrorCode(30001));
    /// let error = client.status("65b2")?.send_blocking(&sandbox)?.into_answer().unwrap_err();
    /// assert_eq!(error.meaning(), Some("no permission to view this checkout intent"));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn meaning(&self) -> Option<&'static str> {
        let asked = Route::ROWS.into_iter().find(|route| Operation::from(*route) == self.operation)?;
        self.code()?.known()?.meaning_on(asked)
    }

    /// True if AllScale asks to be contacted about the code, with the [id of the request](Self::request_id):
    /// [`ErrorCode::contact_support`].
    #[must_use]
    pub fn contact_support(&self) -> bool {
        self.code().and_then(|code| code.known()).is_some_and(ErrorCode::contact_support)
    }
}

impl<R: ProviderRefusal> fmt::Display for AnswerError<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.not_done)?;
        match self.clock_skew.filter(|skew| skew.seconds() != 0) {
            Some(skew) => write!(f, "; {skew}"),
            None => Ok(()),
        }
    }
}

impl<R: ProviderRefusal> Error for AnswerError<R> {}

/// Why a reply is nothing that could settle an order: see [`Received::into_read`].
///
/// ```
/// # #[cfg(feature = "system")] {
/// use checkout_client::{EvidenceError, azotte::Client};
/// use checkout_sandbox::azotte::{API_KEY, Sandbox, X_TN};
/// # use checkout_tables::{Environment, azotte::PaymentChannel};
/// # use checkout_validate::azotte::{Draft, Rules};
///
/// let sandbox = Sandbox::new(1);
/// # let clock = sandbox.clock().clone();
/// # let client = Client::builder("acme", X_TN, API_KEY.into()).environment(Environment::Sandbox);
/// # let client = client.clock(move || clock.now_millis()).build()?;
/// # let submit = Draft::stored_method(PaymentChannel::CreditCard).offer_identifier("off_1").correlation_id("o_1");
/// # let submit = submit.item("plan_gold").customer_urn("urn:customer:42").check(&Rules::default())?;
/// // The answer to a submit has the shape of a status, and confirms no payment.
/// let error = client.submit(&submit).send_blocking(&sandbox)?.into_read().unwrap_err();
/// assert_eq!(error.to_string(), "POST /api/v1/c2a/offer/checkout: the answer to what is no read shows no payment");
///
/// // Nothing is lost with it: here is what to read by.
/// let EvidenceError::OtherRoute(received) = error else { panic!() };
/// assert!(received.into_answer()?.payload.tracking_number.is_some());
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub enum EvidenceError<T: Readable> {
    /// It is no answer: it was refused, or what came is not the API's.
    NotDone(AnswerError<RefusalOf<T>>),
    /// It is the answer to another route than a read ([`Operation::is_read`]), such as Azotte's submit: it shows no payment,
    /// whatever it says. Here it is, untouched. Read the checkout, and settle the order with that.
    OtherRoute(Box<Received<T>>),
}

impl<T: Readable> EvidenceError<T> {
    /// What was asked.
    #[must_use]
    pub fn operation(&self) -> Operation {
        match self {
            Self::NotDone(error) => error.operation(),
            Self::OtherRoute(received) => received.route.into(),
        }
    }

    /// Whether, and when, to ask the same again: what [`AnswerError::retry`] says; [`Advice::Never`] for what is no read, and
    /// will be none.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::{Advice, allscale::Client};
    /// # use checkout_sandbox::allscale::{Fault, Sandbox, Store};
    /// # use std::time::Duration;
    /// # let key = SigningKey::new("st_key", SecretString::from("st_secret"))?;
    /// # let sandbox = Sandbox::builder().store(Store::new(key.clone())).build();
    /// # let clock = sandbox.clock().clone();
    /// # let client = Client::builder(key).clock(move || clock.now_millis()).build()?;
    /// sandbox.inject(Fault::RateLimited);
    /// let error = client.get("65b2")?.send_blocking(&sandbox)?.into_read().unwrap_err();
    /// assert_eq!(error.retry(), Advice::After(Duration::from_secs(2)));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn retry(&self) -> Advice {
        match self {
            Self::NotDone(error) => error.retry(),
            Self::OtherRoute(_) => Advice::Never,
        }
    }
}

impl<T: Readable> fmt::Display for EvidenceError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.operation())?;
        match self {
            Self::NotDone(error) => write!(f, "{error}"),
            Self::OtherRoute(_) => f.write_str("the answer to what is no read shows no payment"),
        }
    }
}

impl<T: Readable> fmt::Debug for EvidenceError<T> {
    /// Everything but the answer.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotDone(error) => f.debug_tuple("NotDone").field(error).finish(),
            Self::OtherRoute(_) => f.debug_tuple("OtherRoute").field(&self.operation()).finish(),
        }
    }
}

impl<T: Readable> Error for EvidenceError<T> {}

struct Failed {
    operation: Operation,
    request_id: Option<String>,
    body: Option<Bytes>,
    reason: Reason,
    /// Another attempt before it may have been done.
    earlier: bool,
}

#[derive(Debug)]
enum Reason {
    Transport(TransportError),
    Sign(Box<dyn Error + Send + Sync>),
    /// There is no access token.
    Token,
    /// Not a request that HTTP can carry.
    Request,
    Read(ReadError),
    /// The answer is not signed as it should be.
    NotAuthentic(Box<dyn Error + Send + Sync>),
    /// The fields of the answer are not signed, or their signature is not verified.
    Unverified(Box<dyn Error + Send + Sync>),
    /// The field that is not what was asked for.
    Mismatch(&'static str),
}
