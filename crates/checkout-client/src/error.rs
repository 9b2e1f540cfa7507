//! The one error of a call.

use crate::clock_skew::ClockSkew;
use crate::not_sent::NotSent;
use crate::provider::sealed::Trouble;
use crate::provider::{Operation, Provider, Readable};
use crate::retry_after;
use checkout_auth::peach::VerifyError;
use checkout_lifecycle::Moment;
use checkout_poll::{AttemptOutcome, ReadOutcome, RetryAdvice, retry_advice};
use checkout_transport::bytes::Bytes;
use checkout_transport::{Delivery, TransportError};
use checkout_wire::{Printable, ProviderRefusal, ReadError, UnexpectedResponse};
use core::fmt;
use core::time::Duration;
use std::error::Error;

/// The reason why a call has no answer: nothing was sent, nothing came back, or the response is no answer.
///
/// A refusal is one of the [kinds](Self::kind), and not every refusal means that nothing happened. Two
/// questions decide over a second charge, and each has one place:
///
/// - [`may_have_been_processed`](Self::may_have_been_processed): the provider may have done what was asked.
/// - [`retry`](Self::retry): the same call may be sent again, at once, later, after a look, or never.
///
/// No helper of this library repeats a create whose error may have been processed. A caller who does that by
/// hand can charge twice.
///
/// The text of the error ends where the transport's own cause begins: print the
/// [`source`](std::error::Error::source)s too. Neither the text nor `Debug` holds the response's body.
///
/// ```
/// # checkout_doctest::facade!(client);
/// # #[cfg(feature = "system")] {
/// use checkout_kit::allscale::{Client, ErrorCode, SigningKey};
/// use checkout_kit::tables::Open;
/// use checkout_kit::transport::from_fn_blocking;
/// use checkout_kit::{CallErrorKind, SecretString, TransportError};
/// use checkout_sandbox::allscale::{Sandbox, Store};
///
/// let key = SigningKey::new("st_key", SecretString::from("st_secret"))?;
/// let sandbox = Sandbox::builder().store(Store::new(key.clone())).build();
/// let clock = sandbox.clock().clone();
/// let client = Client::builder(key).clock(move || clock.now()).build()?;
///
/// let refused = client.fail().send_blocking(&sandbox).unwrap_err();
/// assert!(matches!(refused.kind(), CallErrorKind::Refused(_)));
/// assert_eq!(refused.code(), Some(Open::Known(ErrorCode::ValidationError)));
///
/// let nowhere = from_fn_blocking(|_| Err(TransportError::not_sent("connection refused")));
/// let not_sent = client.ping().send_blocking(&nowhere).unwrap_err();
/// assert!(!not_sent.may_have_been_processed());
/// assert_eq!(not_sent.to_string(), "GET /v1/test/ping: the request was not sent");
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct CallError<P: Provider>(Box<Failed<P>>);

/// The kinds of a [`CallError`].
///
/// ```
/// # checkout_doctest::facade!(client);
/// use checkout_kit::client::Provider;
/// use checkout_kit::{CallError, CallErrorKind};
///
/// /// A few words for a dashboard.
/// fn label<P: Provider>(error: &CallError<P>) -> &'static str {
///     match error.kind() {
///         CallErrorKind::NotSent(_) => "not sent",
///         CallErrorKind::NoResponse(_) => "no response",
///         CallErrorKind::Unreadable(_) => "unreadable",
///         CallErrorKind::Mismatch(_) => "another checkout's answer",
///         CallErrorKind::NotAuthentic(_) => "not authentic",
///         CallErrorKind::Refused(_) => "refused",
///         CallErrorKind::UnexpectedResponse(_) => "a response of somebody else",
///         _ => "another kind",
///     }
/// }
/// ```
#[non_exhaustive]
pub enum CallErrorKind<P: Provider> {
    /// The request did not leave: nothing was processed.
    NotSent(NotSent),
    /// The request may have arrived, and no response came.
    NoResponse(TransportError),
    /// The response is the API's, and cannot be read.
    Unreadable(ReadError),
    /// The response answers something else than the request: the field that differs.
    Mismatch(&'static str),
    /// The response is not signed where a signature is required, or the signature does not match. For Peach
    /// the cause is mostly a [`VerifyError`].
    NotAuthentic(Box<dyn Error + Send + Sync>),
    /// The provider refused, in the provider's own form.
    Refused(P::Refusal),
    /// The response is not the API's: a proxy's page, an empty 401, a redirect.
    UnexpectedResponse(UnexpectedResponse<'static>),
}

/// The error of a call, for the answer `T`.
pub(crate) type CallErrorOf<T> = CallError<<T as Readable>::Provider>;

struct Failed<P: Provider> {
    operation: Operation,
    kind: CallErrorKind<P>,
    request_id: Option<String>,
    http_status: Option<u16>,
    /// The rejected response's body.
    body: Option<Bytes>,
    clock_skew: Option<ClockSkew>,
    /// False if it is certain that the attempt was not processed.
    processed: bool,
    /// True if an earlier attempt may have been processed.
    earlier: bool,
    retry: RetryAdvice,
    outcome: ReadOutcome,
}

/// The response to a request, as far as an error keeps it.
pub(crate) struct Rejected<'r> {
    pub(crate) http_status: u16,
    pub(crate) retry_after: Option<&'r str>,
    pub(crate) clock_skew: Option<ClockSkew>,
    pub(crate) sent_at: Moment,
}

impl<P: Provider> CallError<P> {
    /// The kind of the error, to be matched on.
    #[must_use]
    pub fn kind(&self) -> &CallErrorKind<P> {
        &self.0.kind
    }

    /// The operation that was asked for.
    #[must_use]
    pub fn operation(&self) -> Operation {
        self.0.operation
    }

    /// True unless it is certain that the provider did not do what was asked.
    ///
    /// The certain cases are these: the [request did not leave](CallErrorKind::NotSent), and the provider
    /// refused in a way that the route's page lists: AllScale with a code, Peach with the HTTP status 400. A
    /// third case is that the provider did not let the sender in, with the HTTP status 401 or 403 in a form
    /// of the provider's own: Peach with a message or a code of the request's, Azotte with a problem, a code
    /// that is no stage of a checkout, or an empty body, because Azotte's 401 has no envelope (Public).
    /// Anything else, such as an internal error, a gateway's own code or page, or a signature that was there
    /// before, proves nothing. No page lists how Azotte refuses a submit otherwise; a submit is safe to
    /// repeat, under the same `correlationId`.
    ///
    /// An attempt proves something about itself alone. [`send_with_retries`](crate::Call::send_with_retries)
    /// remembers the attempts before the last. A caller who repeats a call by hand keeps a `true` of an
    /// earlier attempt.
    ///
    /// Assumed: that nothing is done beside a listed refusal, and for a sender who is not let in. No page
    /// says so in these words.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// # use checkout_money::Cents;
    /// # use checkout_sandbox::allscale::{Fault, Sandbox, Store};
    /// # use checkout_tables::allscale::Currency;
    /// # use checkout_validate::allscale::Draft;
    /// # let key = SigningKey::new("st_key", SecretString::from("st_secret"))?;
    /// # let sandbox = Sandbox::builder().store(Store::new(key.clone())).build();
    /// # let clock = sandbox.clock().clone();
    /// # let client = Client::builder(key).clock(move || clock.now()).build()?;
    /// # let call = client.create(&Draft::fiat(Currency::EUR, Cents::new(100)).check()?);
    /// sandbox.inject(Fault::RateLimited);
    /// assert!(!call.send_blocking(&sandbox).unwrap_err().may_have_been_processed());
    /// sandbox.inject(Fault::HtmlBadGateway);
    /// assert!(call.send_blocking(&sandbox).unwrap_err().may_have_been_processed());
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn may_have_been_processed(&self) -> bool {
        self.0.processed || self.0.earlier
    }

    /// The advice for a repeat of the same call.
    ///
    /// [`RetryAdvice::After`] counts from the moment when the response came, and is never shorter than the
    /// provider's `Retry-After`, in seconds or as a date. The header of an unexpected response, such as a
    /// content delivery network's page, does not count, and neither does the header of a response that cannot
    /// be read. The advice has no number of attempts:
    /// [`Call::send_with_retries`](crate::Call::send_with_retries) counts the attempts.
    ///
    /// [`RetryAdvice::ReadFirst`] names the parameter to look the earlier attempt up by, before the call is
    /// done a second time. [`RetryAdvice::Never`] is for an error that a repeat does not mend, and for a call
    /// that would be done twice without a parameter for a lookup: an AllScale create has its webhook's
    /// `order_id` alone. A repeat does not mend a request either that could not leave for want of an access
    /// token, a signature or a form that HTTP can carry.
    ///
    /// ```
    /// # checkout_doctest::facade!(client);
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// # use checkout_money::Cents;
    /// # use checkout_tables::allscale::Currency;
    /// # use checkout_validate::allscale::Draft;
    /// use checkout_kit::transport::from_fn_blocking;
    /// use checkout_kit::{RetryAdvice, TransportError};
    /// use std::time::Duration;
    ///
    /// # let client = Client::builder(SigningKey::new("st_key", SecretString::from("st_secret"))?).build()?;
    /// # let create = client.create(&Draft::fiat(Currency::EUR, Cents::new(100)).check()?);
    /// let refused = from_fn_blocking(|_| Err(TransportError::not_sent("connection refused")));
    /// assert_eq!(create.send_blocking(&refused).unwrap_err().retry(), RetryAdvice::After(Duration::ZERO));
    /// let silent = from_fn_blocking(|_| Err(TransportError::unknown("time out")));
    /// assert_eq!(create.send_blocking(&silent).unwrap_err().retry(), RetryAdvice::Never);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn retry(&self) -> RetryAdvice {
        self.0.retry
    }

    /// The provider's refusal, if the provider refused.
    #[must_use]
    pub fn refusal(&self) -> Option<&P::Refusal> {
        if let CallErrorKind::Refused(refusal) = &self.0.kind { Some(refusal) } else { None }
    }

    /// The provider's id of the request, if a response came and had one.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref().or_else(|| self.refusal().and_then(ProviderRefusal::request_id))
    }

    /// The HTTP status of the response, if one came.
    #[must_use]
    pub fn http_status(&self) -> Option<u16> {
        self.0.http_status
    }

    /// True if the response is a redirect (RFC 9110, 15.4). Redirects are not followed: the signature covers
    /// the path. The cause is mostly a base URL with `http` or another host.
    #[must_use]
    pub fn is_redirect(&self) -> bool {
        matches!(&self.0.kind, CallErrorKind::UnexpectedResponse(other) if other.is_redirect())
    }

    /// The difference between the provider's clock and ours, where it can be the cause of a refusal.
    #[must_use]
    pub fn clock_skew(&self) -> Option<ClockSkew> {
        self.0.clock_skew
    }

    /// The body of a response that could not be read, answers something else or is not authentic. The body
    /// can hold anything about the payer: it is for your eyes, not for a log.
    #[must_use]
    pub fn body(&self) -> Option<&Bytes> {
        self.0.body.as_ref()
    }

    /// The outcome of a failed read, for a [`Poller`](checkout_poll::Poller) or a
    /// [`Schedule`](checkout_poll::Schedule).
    ///
    /// ```
    /// # checkout_doctest::facade!(client);
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// # use checkout_transport::{TransportError, from_fn_blocking};
    /// use checkout_kit::poll::ReadOutcome;
    ///
    /// # let nowhere = from_fn_blocking(|_| Err(TransportError::not_sent("connection refused")));
    /// # let client = Client::builder(SigningKey::new("st_key", SecretString::from("st_secret"))?).build()?;
    /// let error = client.status("65b2f3d0d2d9c0a1b2c3d4e5")?.send_blocking(&nowhere).unwrap_err();
    /// assert_eq!(error.read_outcome(), ReadOutcome::Failed { wait: None });
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn read_outcome(&self) -> ReadOutcome {
        self.0.outcome
    }

    /// The same error after an earlier attempt that may have been processed: the last attempt proves nothing
    /// about the earlier attempt.
    pub(crate) fn after_another(mut self) -> Self {
        self.0.earlier = true;
        self
    }

    /// True if this very attempt may have been processed, whatever became of earlier attempts.
    pub(crate) fn attempt_may_have_been_processed(&self) -> bool {
        self.0.processed
    }

    /// True if the client's set-up is at fault, and not what was asked.
    pub(crate) fn is_set_up(&self) -> bool {
        match &self.0.kind {
            CallErrorKind::NotSent(reason) => !matches!(reason, NotSent::Transport(_)),
            CallErrorKind::Refused(refusal) => P::is_set_up(refusal, self.0.http_status.unwrap_or_default()),
            CallErrorKind::UnexpectedResponse(other) => matches!(other.status, 401 | 403),
            CallErrorKind::NoResponse(_)
            | CallErrorKind::Unreadable(_)
            | CallErrorKind::Mismatch(_)
            | CallErrorKind::NotAuthentic(_) => false,
        }
    }

    pub(crate) fn not_sent(operation: Operation, reason: NotSent) -> Self {
        let outcome = match &reason {
            NotSent::Signature(_) | NotSent::Request => ReadOutcome::Refused,
            NotSent::Transport(_) | NotSent::NoAccessToken | NotSent::AccessTokenExpired => {
                ReadOutcome::Failed { wait: None }
            }
        };
        let attempted = match &reason {
            NotSent::Transport(_) => Some(AttemptOutcome::NotSent),
            NotSent::Signature(_)
            | NotSent::NoAccessToken
            | NotSent::AccessTokenExpired
            | NotSent::Request => None,
        };
        Self::new(operation, CallErrorKind::NotSent(reason), attempted, outcome, false)
    }

    /// The transport has no response.
    pub(crate) fn transport(operation: Operation, error: TransportError) -> Self {
        match error.delivery() {
            Delivery::NotSent => Self::not_sent(operation, NotSent::Transport(error)),
            Delivery::Unknown => Self::unknown(operation, CallErrorKind::NoResponse(error)),
        }
    }

    /// No response came within the time-out of a watch's policy.
    pub(crate) fn timed_out(operation: Operation, timeout: Duration) -> Self {
        Self::transport(operation, TransportError::unknown(TimedOut(timeout)))
    }

    /// The response was rejected: the request may have been processed.
    pub(crate) fn rejected(
        operation: Operation,
        kind: CallErrorKind<P>,
        request_id: Option<String>,
        body: &Bytes,
        rejected: &Rejected<'_>,
    ) -> Self {
        let mut error = Self::unknown(operation, kind);
        (error.0.request_id, error.0.body) = (request_id, Some(body.clone()));
        error.0.http_status = Some(rejected.http_status);
        error
    }

    /// The provider refused.
    pub(crate) fn refused(route: P::Route, refusal: P::Refusal, rejected: &Rejected<'_>) -> Self {
        let proves_not_processed = P::proves_not_processed(route, &refusal);
        let wait = rejected.wait();
        let trouble = P::trouble(&refusal, rejected.http_status);
        let attempted = match trouble {
            Trouble::Limited => AttemptOutcome::Limited { wait, proves_not_processed },
            Trouble::Temporary => AttemptOutcome::Temporary { wait, proves_not_processed },
            Trouble::Refused => AttemptOutcome::Refused { proves_not_processed },
        };
        let outcome = match trouble {
            // A wait of zero does not count for a limit: the policy's own wait applies.
            Trouble::Limited => ReadOutcome::Limited { wait: wait.filter(|wait| !wait.is_zero()) },
            Trouble::Temporary => ReadOutcome::Failed { wait },
            Trouble::Refused if P::is_not_there(&refusal) => ReadOutcome::NotThere { wait },
            Trouble::Refused => ReadOutcome::Refused,
        };
        let clock_skew = rejected.clock_skew.filter(|_| P::can_be_the_clock(&refusal));
        let kind = CallErrorKind::Refused(refusal);
        let mut error = Self::new(route.into(), kind, Some(attempted), outcome, !proves_not_processed);
        (error.0.clock_skew, error.0.http_status) = (clock_skew, Some(rejected.http_status));
        error
    }

    /// The response is not the API's.
    pub(crate) fn unexpected(route: P::Route, other: UnexpectedResponse<'static>) -> Self {
        let proves_not_processed = P::response_proves_not_processed(route, &other);
        // An unexpected response counts for the one request alone. A repeat does not let in a sender who is
        // not let in.
        let (attempted, outcome) = match other.status {
            401 | 403 if proves_not_processed => {
                (AttemptOutcome::Refused { proves_not_processed }, ReadOutcome::Refused)
            }
            // A gateway's page that lets nobody in says nothing about the checkout, and may be gone at the
            // next read.
            401 | 403 => {
                (AttemptOutcome::Refused { proves_not_processed }, ReadOutcome::Failed { wait: None })
            }
            _ => (AttemptOutcome::Unknown { wait: None }, ReadOutcome::Failed { wait: None }),
        };
        let http_status = Some(other.status);
        let kind = CallErrorKind::UnexpectedResponse(other);
        let mut error = Self::new(route.into(), kind, Some(attempted), outcome, !proves_not_processed);
        error.0.http_status = http_status;
        error
    }

    /// The request may have been processed, and no provider's wait is known.
    fn unknown(operation: Operation, kind: CallErrorKind<P>) -> Self {
        let attempted = AttemptOutcome::Unknown { wait: None };
        Self::new(operation, kind, Some(attempted), ReadOutcome::Failed { wait: None }, true)
    }

    fn new(
        operation: Operation,
        kind: CallErrorKind<P>,
        attempted: Option<AttemptOutcome>,
        outcome: ReadOutcome,
        processed: bool,
    ) -> Self {
        let retry = attempted.map_or(RetryAdvice::Never, |attempted| {
            retry_advice(operation.repeat, operation.lookup_key, attempted)
        });
        let (request_id, http_status, body, clock_skew) = (None, None, None, None);
        let failed = Failed {
            operation,
            kind,
            request_id,
            http_status,
            body,
            clock_skew,
            processed,
            earlier: false,
            retry,
            outcome,
        };
        Self(Box::new(failed))
    }
}

impl Rejected<'_> {
    /// The wait that the response's `Retry-After` asks for, from when the request was sent.
    pub(crate) fn wait(&self) -> Option<Duration> {
        retry_after::wait(self.retry_after?, self.sent_at, self.clock_skew)
    }
}

/// The time-out of a watch's policy.
#[derive(Debug, thiserror::Error)]
#[error("no answer within {} s, the time-out of the watch's policy", .0.as_secs())]
struct TimedOut(Duration);

impl<P: Provider> fmt::Display for CallError<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.0.operation)?;
        match &self.0.kind {
            CallErrorKind::NotSent(reason) => write!(f, "{reason}")?,
            CallErrorKind::NoResponse(error) => write!(f, "{error}")?,
            // The text of the error has the request id.
            CallErrorKind::Unreadable(error) => return write!(f, "the answer could not be read: {error}"),
            CallErrorKind::Mismatch(field) => write!(f, "the answer's {field} is not what was asked for")?,
            CallErrorKind::NotAuthentic(error) => match error.downcast_ref() {
                Some(VerifyError::Missing) => f.write_str("the answer is not signed")?,
                Some(_) | None => write!(f, "the answer's signature: {error}")?,
            },
            // The text of the refusal has the request id.
            CallErrorKind::Refused(refusal) => {
                write!(f, "{refusal}")?;
                return match self.0.clock_skew.filter(|skew| skew.seconds() != 0) {
                    Some(skew) => write!(f, "; {skew}"),
                    None => Ok(()),
                };
            }
            CallErrorKind::UnexpectedResponse(other) => write!(f, "{other}")?,
        }
        match &self.0.request_id {
            Some(id) => write!(f, " (request id {})", Printable(id)),
            None => Ok(()),
        }
    }
}

impl<P: Provider> fmt::Debug for CallError<P> {
    /// Everything but the response's body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallError")
            .field("operation", &self.0.operation)
            .field("kind", &self.0.kind)
            .field("request_id", &self.request_id())
            .field("may_have_been_processed", &self.may_have_been_processed())
            .field("retry", &self.0.retry)
            .finish_non_exhaustive()
    }
}

impl<P: Provider> fmt::Debug for CallErrorKind<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSent(reason) => f.debug_tuple("NotSent").field(reason).finish(),
            Self::NoResponse(error) => f.debug_tuple("NoResponse").field(error).finish(),
            Self::Unreadable(error) => f.debug_tuple("Unreadable").field(error).finish(),
            Self::Mismatch(field) => f.debug_tuple("Mismatch").field(field).finish(),
            Self::NotAuthentic(error) => f.debug_tuple("NotAuthentic").field(error).finish(),
            Self::Refused(refusal) => f.debug_tuple("Refused").field(refusal).finish(),
            Self::UnexpectedResponse(other) => f.debug_tuple("UnexpectedResponse").field(other).finish(),
        }
    }
}

impl<P: Provider> Error for CallError<P> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        // The text of the error holds the part that every other kind prints itself.
        if let CallErrorKind::NotSent(NotSent::Transport(error)) | CallErrorKind::NoResponse(error) =
            &self.0.kind
        {
            error.source()
        } else {
            None
        }
    }
}
