//! The facts about a provider that the calls need.

use checkout_tables::Repeat;
use core::fmt;

/// A provider: see [`allscale::AllScale`](crate::allscale::AllScale).
///
/// ```
/// # checkout_doctest::facade!(client);
/// use checkout_kit::allscale::AllScale;
/// use checkout_kit::client::Provider;
///
/// fn is_provider<P: Provider>() {}
/// is_provider::<AllScale>();
/// ```
pub trait Provider: sealed::Backend + Copy + fmt::Debug {}

/// An operation: an HTTP method and the template of a path.
///
/// ```
/// # checkout_doctest::facade!(client);
/// use checkout_kit::allscale::Route;
/// use checkout_kit::client::Operation;
/// use checkout_kit::tables::Repeat;
///
/// let operation = Operation::from(Route::Status);
/// assert_eq!(operation.to_string(), "GET /v1/checkout_intents/{checkout_intent_id}/status");
/// assert_eq!((operation.repeat, operation.lookup_key), (Repeat::Safe, None));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Operation {
    /// The HTTP method.
    pub method: &'static str,
    /// The path, with a place for each id.
    pub path: &'static str,
    /// The safety of a repeat while nobody knows how the last attempt ended.
    pub repeat: Repeat,
    /// The parameter to look an earlier attempt up by before an unsafe repeat, such as Peach's
    /// `merchantTransactionId`. None where the provider has no such parameter.
    pub lookup_key: Option<&'static str>,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// The payload of an answer, in the form that borrows nothing.
///
/// ```
/// # checkout_doctest::facade!(client);
/// use checkout_kit::allscale::IntentStatus;
/// use checkout_kit::client::Readable;
/// use checkout_kit::tables::Open;
///
/// fn is_readable<T: Readable>() {}
/// is_readable::<Open<IntentStatus>>();
/// ```
pub trait Readable: sealed::Answers<Self::Provider> {
    /// The provider of the answer.
    type Provider: Provider;
}

/// A provider's routes, for the answer `T`.
pub(crate) type RouteOf<T> = <<T as Readable>::Provider as sealed::Backend>::Route;
/// The differences that the answer `T` can have from its request.
pub(crate) type DifferenceOf<T> = <<T as Readable>::Provider as sealed::Backend>::Difference;
pub(crate) type ClientOf<T> = <<T as Readable>::Provider as sealed::Backend>::Client;
pub(crate) type AskedOf<T> = <<T as Readable>::Provider as sealed::Backend>::Asked;

pub(crate) mod sealed {
    use super::Operation;
    use crate::not_sent::NotSent;
    use checkout_tables::{Environment, Moment};
    use checkout_transport::bytes::Bytes;
    use checkout_transport::{Request, Response};
    use checkout_wire::{Head, ProviderRefusal, ReadError, Reply, UnexpectedResponse};
    use core::fmt;
    use std::error::Error;

    /// A provider's own part of a call.
    pub trait Backend: Sized + 'static {
        type Client: Clone + fmt::Debug + Send + Sync + 'static;
        type Route: Copy + Into<Operation> + fmt::Debug + PartialEq + Eq + Send + Sync + 'static;
        /// The facts that an answer must agree with.
        type Asked: Clone + fmt::Debug + Default + Send + Sync + 'static;
        type Refusal: ProviderRefusal<Owned = Self::Refusal> + Clone + PartialEq + Eq + Send + Sync + 'static;
        /// A difference between an answer and its request that does not make the answer an error.
        type Difference: Clone + fmt::Debug + fmt::Display + PartialEq + Eq + Send + Sync + 'static;

        /// The environment of the client: whose money a call is about.
        fn environment(client: &Self::Client) -> Environment;

        /// The present moment, by the client's clock.
        fn now(client: &Self::Client) -> Moment;
        fn nonce(client: &Self::Client) -> String;

        /// The whole request of one attempt.
        fn request(client: &Self::Client, ask: &Ask<'_, Self>, stamp: &Stamp<'_>)
        -> Result<Request, NotSent>;

        /// Verifies that the response is the provider's own, where that is possible before the response is
        /// read.
        fn authentic(
            _: &Self::Client,
            _: &Exchange<'_>,
            _: &Response,
        ) -> Result<(), Box<dyn Error + Send + Sync>> {
            Ok(())
        }

        /// The code of a refusal, for traces.
        fn code(refusal: &Self::Refusal) -> Option<RefusalCode<'_>>;

        /// True if the refusal proves that nothing was done.
        fn proves_not_processed(route: Self::Route, refusal: &Self::Refusal) -> bool;

        /// True if an unexpected response is in a form of the provider's that proves that nothing was done.
        fn response_proves_not_processed(_: Self::Route, _: &UnexpectedResponse<'_>) -> bool {
            false
        }

        /// True if clocks that differ can be the cause.
        fn can_be_the_clock(refusal: &Self::Refusal) -> bool;

        /// True if a refusal that came with an HTTP status is for the client's key, clock or permission, and
        /// not for what was asked.
        fn is_set_up(_: &Self::Refusal, http_status: u16) -> bool {
            matches!(http_status, 401 | 403)
        }

        /// The kind of trouble of a refusal with an HTTP status, for the advice on a repeat.
        fn trouble(refusal: &Self::Refusal, http_status: u16) -> Trouble;

        /// True if the refusal of a read says that the checkout does not exist, or that the sender cannot
        /// read the checkout. Just after a create the cause can be that the checkout does not exist yet.
        fn is_not_there(refusal: &Self::Refusal) -> bool;

        /// Drops the kept answer to an authorization call, which is no longer good: a call that was sent at
        /// that moment met a 401.
        fn unauthorized(_: &Self::Client, _: Self::Route, _sent_at: Moment) {}
    }

    /// The kind of trouble of a refusal, for the advice on a repeat.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Trouble {
        /// Too many requests: later.
        Limited,
        /// Something broke at the provider: perhaps later.
        Temporary,
        /// A repeat mends nothing.
        Refused,
    }

    impl Trouble {
        /// The kind of trouble by the HTTP status, where the provider has no code for it (RFC 9110: 408 and
        /// 5xx; RFC 6585: 429).
        pub const fn of_http(status: u16) -> Self {
            match status {
                429 => Self::Limited,
                408 | 500..=599 => Self::Temporary,
                _ => Self::Refused,
            }
        }
    }

    /// The parts of a call that the request needs.
    #[expect(missing_debug_implementations, reason = "it holds a body, and lives for one attempt")]
    pub struct Ask<'c, P: Backend> {
        pub route: P::Route,
        pub path: &'c str,
        pub body: &'c Bytes,
        pub asked: &'c P::Asked,
    }

    /// The parts of a request that belong to one attempt alone.
    #[derive(Debug)]
    pub struct Stamp<'s> {
        pub now: Moment,
        pub nonce: &'s str,
    }

    /// The parts of the request that an answer's signature covers.
    #[expect(missing_debug_implementations, reason = "it holds a body, and lives for one answer")]
    pub struct Exchange<'e> {
        pub path: &'e str,
        pub nonce: &'e str,
        pub body: &'e Bytes,
    }

    /// A refusal's code.
    #[derive(Clone, Copy, Debug)]
    pub enum RefusalCode<'r> {
        Integer(i64),
        Text(&'r str),
    }

    /// A payload, and the reading of that payload.
    pub trait Answers<P: Backend>: Sized {
        fn read(
            head: &Head<'_>,
            body: &[u8],
            asked: &P::Asked,
        ) -> Result<Reply<'static, Self, P::Refusal>, ReadError>;

        /// Verifies a signature over the payload, where the provider signs that way; otherwise returns the
        /// reason.
        fn verified(&self, _: &P::Client) -> Result<(), Box<dyn Error + Send + Sync>> {
            Ok(())
        }

        /// Compares the payload with the request; otherwise returns the field that does not agree.
        fn answers(&self, client: &P::Client, asked: &P::Asked) -> Result<(), &'static str>;

        /// The differences from the request, which are reported beside the answer.
        fn differences(&self, _: &P::Asked) -> Vec<P::Difference> {
            Vec::new()
        }
    }
}
