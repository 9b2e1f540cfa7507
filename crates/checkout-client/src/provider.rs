//! What the calls need to know of a provider.

use checkout_tables::Repeat;
use core::fmt;

/// A provider: see [`allscale::AllScale`](crate::allscale::AllScale).
///
/// ```
/// use checkout_client::{Provider, allscale::AllScale};
///
/// fn is_provider<P: Provider>() {}
/// is_provider::<AllScale>();
/// ```
pub trait Provider: sealed::Backend + Copy + fmt::Debug {}

/// What is asked: an HTTP method and the template of a path.
///
/// ```
/// use checkout_client::Operation;
/// use checkout_tables::{Repeat, allscale::Route};
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
    /// Whether it may be asked again when nobody knows how the last attempt ended.
    pub repeat: Repeat,
    /// By what the provider can be asked, before an unsafe repeat, whether the last attempt was done: the
    /// name of a parameter, such as Peach's `merchantTransactionId`. None where there is nothing to ask by.
    pub lookup_key: Option<&'static str>,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// What a call can be answered with, in the form that borrows nothing.
///
/// ```
/// use checkout_client::Readable;
/// use checkout_tables::{Open, allscale::IntentStatus};
///
/// fn is_readable<T: Readable>() {}
/// is_readable::<Open<IntentStatus>>();
/// ```
pub trait Readable: sealed::Answers<Self::Provider> {
    /// Whose answer it is.
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
    use checkout_tables::Environment;
    use checkout_transport::bytes::Bytes;
    use checkout_transport::{Request, Response};
    use checkout_wire::{Head, ProviderRefusal, ReadError, Reply, UnexpectedResponse};
    use core::fmt;
    use std::error::Error;

    /// What a provider does in its own way.
    pub trait Backend: Sized + 'static {
        type Client: Clone + fmt::Debug + Send + Sync + 'static;
        type Route: Copy + Into<Operation> + fmt::Debug + PartialEq + Eq + Send + Sync + 'static;
        /// What an answer must agree with.
        type Asked: Clone + fmt::Debug + Default + Send + Sync + 'static;
        type Refusal: ProviderRefusal<Owned = Self::Refusal> + Clone + PartialEq + Eq + Send + Sync + 'static;
        /// A difference between an answer and its request, taken all the same.
        type Difference: Clone + fmt::Debug + fmt::Display + PartialEq + Eq + Send + Sync + 'static;

        /// Whose money it is.
        fn environment(client: &Self::Client) -> Environment;

        fn now_millis(client: &Self::Client) -> u64;
        fn nonce(client: &Self::Client) -> String;

        /// The whole request of one attempt.
        fn request(
            client: &Self::Client,
            ask: &Ask<'_, Self>,
            attempt: &Moment<'_>,
        ) -> Result<Request, NotSent>;

        /// Whether the answer is the provider's own, where that can be told before it is read.
        fn authentic(
            _: &Self::Client,
            _: &Exchange<'_>,
            _: &Response,
        ) -> Result<(), Box<dyn Error + Send + Sync>> {
            Ok(())
        }

        /// The code of a refusal, for traces.
        fn code(refusal: &Self::Refusal) -> Option<RefusalCode<'_>>;

        /// Whether the refusal proves that nothing was done.
        fn proves_not_processed(route: Self::Route, refusal: &Self::Refusal) -> bool;

        /// True if what is no answer in a form of the provider's proves that nothing was done.
        fn response_proves_not_processed(_: Self::Route, _: &UnexpectedResponse<'_>) -> bool {
            false
        }

        /// Whether clocks that differ can be why.
        fn can_be_the_clock(refusal: &Self::Refusal) -> bool;

        /// What a refusal, that came with an HTTP status, says of a repeat.
        fn trouble(refusal: &Self::Refusal, http_status: u16) -> Trouble;

        /// True if the refusal of a read says that there is no such checkout, or none that the one who asks
        /// can read. Just after a create that can be because it is not there yet.
        fn is_not_there(refusal: &Self::Refusal) -> bool;
    }

    /// What a refusal says of a repeat.
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
        /// By the HTTP status, where the provider has no code that says it (RFC 9110: 408 and 5xx; RFC 6585:
        /// 429).
        pub const fn of_http(status: u16) -> Self {
            match status {
                429 => Self::Limited,
                408 | 500..=599 => Self::Temporary,
                _ => Self::Refused,
            }
        }
    }

    /// What a call asks.
    #[expect(missing_debug_implementations, reason = "it holds a body, and lives for one attempt")]
    pub struct Ask<'c, P: Backend> {
        pub route: P::Route,
        pub path: &'c str,
        pub body: &'c Bytes,
        pub asked: &'c P::Asked,
    }

    /// What belongs to one attempt alone.
    #[derive(Debug)]
    pub struct Moment<'m> {
        pub now_millis: u64,
        pub nonce: &'m str,
    }

    /// What was sent, as far as an answer's signature covers it.
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

    /// A payload, and how it is read.
    pub trait Answers<P: Backend>: Sized {
        fn read(
            head: &Head<'_>,
            body: &[u8],
            asked: &P::Asked,
        ) -> Result<Reply<'static, Self, P::Refusal>, ReadError>;

        /// Or else why it cannot be verified, where its signature is over what was read of it.
        fn verified(&self, _: &P::Client) -> Result<(), Box<dyn Error + Send + Sync>> {
            Ok(())
        }

        /// Or else the field that does not agree.
        fn answers(&self, client: &P::Client, asked: &P::Asked) -> Result<(), &'static str>;

        /// The differences from the request, told beside the answer.
        fn differences(&self, _: &P::Asked) -> Vec<P::Difference> {
            Vec::new()
        }
    }
}
