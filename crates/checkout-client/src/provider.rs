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
pub trait Provider: sealed::Backend {}

/// What is asked: an HTTP method and the template of a path.
///
/// ```
/// use checkout_client::Operation;
/// use checkout_tables::{Repeat, allscale::Route};
///
/// let operation = Operation::from(Route::Status);
/// assert_eq!(operation.to_string(), "GET /v1/checkout_intents/{checkout_intent_id}/status");
/// assert_eq!(operation.repeat, Repeat::Safe);
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
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

pub(crate) mod sealed {
    use super::Operation;
    use checkout_transport::bytes::Bytes;
    use checkout_transport::{Request, Response};
    use checkout_wire::{Head, ProviderRefusal, ReadError, Reply};
    use core::fmt;
    use std::error::Error;

    /// What a provider does in its own way.
    pub trait Backend: Sized + 'static {
        type Client: Clone + fmt::Debug + Send + Sync + 'static;
        type Route: Copy + Into<Operation> + fmt::Debug + PartialEq + Eq + Send + Sync + 'static;
        /// What an answer must agree with.
        type Asked: Clone + fmt::Debug + Default + Send + Sync + 'static;
        type Refusal: ProviderRefusal<Owned = Self::Refusal> + Clone + PartialEq + Eq + Send + Sync + 'static;

        fn now_millis(client: &Self::Client) -> u64;
        fn nonce(client: &Self::Client) -> String;

        /// The whole request of one attempt.
        fn request(
            client: &Self::Client,
            ask: &Ask<'_, Self>,
            attempt: &Moment<'_>,
        ) -> Result<Request, NoRequest>;

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
        fn nothing_done(route: Self::Route, refusal: &Self::Refusal) -> bool;

        /// Whether clocks that differ can be why.
        fn can_be_the_clock(refusal: &Self::Refusal) -> bool;
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

    /// Why there is no request to send.
    #[derive(Debug)]
    pub enum NoRequest {
        Sign(Box<dyn Error + Send + Sync>),
        /// There is no access token.
        Token,
        /// Not one that HTTP can carry.
        Http,
    }

    /// A payload, and how it is read.
    pub trait Answers<P: Backend>: Sized {
        fn read(
            head: &Head<'_>,
            body: &[u8],
            asked: &P::Asked,
        ) -> Result<Reply<'static, Self, P::Refusal>, ReadError>;

        /// Or else the field that does not agree.
        fn answers(&self, client: &P::Client, asked: &P::Asked) -> Result<(), &'static str>;
    }
}
