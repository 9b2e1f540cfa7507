//! A transport that records the exchanges it carries, scrubbed, and a transport that replays them.
//!
//! The module holds [`Recording`], around a transport of yours; the [`Cassette`] that [`Recording`] fills;
//! and [`Replaying`], which answers from a cassette in your tests.
//!
//! ```
//! use checkout_testkit::record::{Cassette, Recording, Replaying};
//! use checkout_transport::{BlockingTransport, Response, bytes::Bytes, from_fn_blocking, http};
//!
//! // Once, with a real transport.
//! let provider = from_fn_blocking(|_| {
//!     Ok(Response::new(Bytes::from_static(br#"{"code":0,"payload":{"status":20,"user_id":"tom"}}"#)))
//! });
//! let recording = Recording::new(provider);
//! let ask = || http::Request::get("https://provider.example/v1/checkout_intents/65b2").body(Bytes::new());
//! recording.send_blocking(ask()?)?;
//! let kept = recording.cassette().to_json(); // To a file.
//!
//! // In every test.
//! let replaying = Replaying::new(Cassette::from_json(&kept)?);
//! let answer = replaying.send_blocking(ask()?)?;
//! assert_eq!(answer.body(), r#"{"code":0,"payload":{"status":20,"user_id":"(scrubbed)"}}"#);
//! replaying.finish()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is kept
//!
//! A recording keeps nothing but the items of this list. A value on no list is lost when the exchange is
//! recorded, and never stands in the cassette: a field that a provider adds tomorrow is scrubbed tomorrow.
//!
//! - **Of a body and a query**, the values under names for a payment's status, cost and identity, as the
//!   three providers document them: statuses, codes and result codes; amounts, rates and currencies; the ids
//!   of intents, checkouts, requests and orders; products, flags, times and when to ask again. Each value has
//!   a shape, and a value without the shape is scrubbed: a `status` is a number or a word of capital or of
//!   small letters, an id has letters, digits, `_` and `-`, at most 64 of them. Free text, such as a message,
//!   is never on the list.
//! - [`Recording::keep`] adds names. Their values are kept whatever they look like, and objects and lists
//!   under them are gone into.
//! - **A value that is not kept becomes a value of the same type**: `"(scrubbed)"`, 0, `false`, `[]`, `{}`.
//!   `null` and the empty text stay. An address becomes `https://scrubbed.invalid/`. So code that reads a
//!   real answer reads a replayed answer.
//! - **Names of fields** are kept when the providers document them. Any other may be a payer's (a mail
//!   address as a key), and becomes `(scrubbed 1)`, `(scrubbed 2)` and so on.
//! - **Headers** keep their names. Of a request, `accept` and `content-type` keep their values; of an answer
//!   `content-type`, `date`, `retry-after`, and of `location` the scheme and the host; each if the value has
//!   the expected form. `content-length` and the headers of the connection are left out.
//! - **The URI** keeps its scheme, its host and its port, so a host that names the merchant stays. The path
//!   keeps the segments that look like an id.
//! - **A body that is neither JSON nor a form** becomes the number of its bytes, and is replayed as
//!   `(scrubbed)`. JSON that is nested deeper than 64 levels is treated alike.
//! - **An error** of the transport is kept as its [`Delivery`], and the cap that a body
//!   exceeded.
//!
//! Two things are never kept, even when a name is added to the list. The first is the value under a name for
//! secrets and cards: `access_token`, `clientSecret`, `signature`, `nonce`, `password`, `secret`, and the
//! members of a card with the card itself; in any spelling of the name, so that `CVV` and `client_secret` are
//! of these too. The second is a text or a number with 13 to 19 digits in a row that have a card number's
//! check digit, also inside of more digits, and in groups with spaces, dashes, `_`, `/` or dots; of digits of
//! other scripts, any 13. By chance an id can look like a card number, most likely an id that is a long
//! number. Encoded text (`%34%31`, base64) is not searched: under a name that you add, encoded text is kept.
//!
//! An id that you choose yourself, such as an order's, is kept if the id has the form of an id. Do not make
//! the id of a payer's name. Read a cassette before you commit the cassette, as you would any file.
//!
//! # What a replayed answer cannot do
//!
//! **No signature of an answer can verify**, since the signed content has changed. A member `signature` of an
//! answer is left out, so that the answer comes unsigned and not wrongly signed; a header with a signature is
//! scrubbed as any other. Code that reads unsigned answers reads these: Azotte's, Peach's V2, and AllScale's
//! unless its signed answers are switched on. Peach's V1 takes no answer that settles a payment without a
//! signature. Test Peach's V1 against a sandbox, which signs; or wrap [`Replaying`] in a transport of your
//! own that signs each answer with a test's secret.
//!
//! The white space of JSON is lost. The order of its members, doubled members and the text of its numbers
//! (`1.50`) are kept.
//!
//! **What is not here:** a clock, files, an HTTP client, anything that sends again.
//!
//! **The one idea to know:** a cassette is safe because only the values on its lists are kept, and not
//! because somebody thought of everything that must not be kept.
//!
//! Sources: the providers' own pages, for the names of fields; ISO/IEC 7812-1, for the check digit.

mod cassette;
mod exchange;
mod fields;
mod json;
mod replay;
mod scrub;

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use checkout_transport::{
    BlockingTransport, Delivery, LocalTransport, Request, Response, Transport, TransportError,
};

use self::exchange::{Exchange, Outcome};
use self::scrub::Scrubber;

pub use cassette::{Cassette, CassetteError};
pub use replay::{ReplayError, Replaying};

/// A transport that hands every request to the inner transport and records the request, scrubbed, with its
/// result.
///
/// This is a [`Transport`], a [`BlockingTransport`], or both, as the inner transport is; for an inner
/// transport that is a [`LocalTransport`] alone there is [`Recording::local`]. Requests and answers pass
/// unchanged. The scrubbing is done before a request is sent and before an answer is given back, and nothing
/// unscrubbed is kept.
///
/// A request is recorded when it is sent. Until the answer is there, and for good if the request's future is
/// dropped, the request stands in the cassette as [`Delivery::Unknown`].
///
/// `Debug` shows how many exchanges there are.
///
/// ```
/// use checkout_testkit::record::Recording;
/// use checkout_transport::{Request, Response, Transport, bytes::Bytes, from_fn};
///
/// let provider = from_fn(|_| async { Ok(Response::new(Bytes::from_static(b"{\"code\":0}"))) });
/// let recording = Recording::new(provider);
/// # pollster::block_on(async {
/// let answer = recording.send(Request::new(Bytes::new())).await?;
/// assert_eq!(answer.body(), "{\"code\":0}");
/// assert_eq!(recording.cassette().len(), 1);
/// # Ok::<(), checkout_transport::TransportError>(())
/// # }).unwrap();
/// ```
pub struct Recording<T> {
    transport: T,
    scrubber: Scrubber,
    exchanges: Mutex<Vec<Exchange>>,
}

impl<T> Recording<T> {
    /// Records the exchanges that `transport` carries.
    ///
    /// ```
    /// use checkout_testkit::record::Recording;
    /// use checkout_transport::{Response, bytes::Bytes, from_fn_blocking};
    ///
    /// let recording = Recording::new(from_fn_blocking(|_| Ok(Response::new(Bytes::new()))));
    /// assert!(recording.cassette().is_empty());
    /// ```
    #[must_use]
    pub fn new(transport: T) -> Self {
        Self { transport, scrubber: Scrubber::default(), exchanges: Mutex::default() }
    }

    /// Keeps the value under this name in bodies and queries, anywhere outside of a part that is dropped
    /// whole. [The two things that are never kept](self#what-is-kept) are not kept either way. The name is
    /// compared exactly; call this before the first request.
    ///
    /// ```
    /// use checkout_testkit::record::Recording;
    /// use checkout_transport::{BlockingTransport, Request, Response, bytes::Bytes, from_fn_blocking};
    ///
    /// let provider = from_fn_blocking(|_| {
    ///     let answer = br#"{"message":"Bad amount","shop":{"till":"7","clerk":"Ida"}}"#;
    ///     Ok(Response::new(Bytes::from_static(answer)))
    /// });
    /// let recording = Recording::new(provider).keep("message").keep("shop").keep("till");
    /// recording.send_blocking(Request::new(Bytes::new()))?;
    /// let text = recording.cassette().to_json();
    /// assert!(text.contains("Bad amount") && text.contains(r#""till": "7""#));
    /// assert!(!text.contains("clerk") && !text.contains("Ida"));
    /// # Ok::<(), checkout_transport::TransportError>(())
    /// ```
    #[must_use]
    pub fn keep(mut self, name: &str) -> Self {
        self.scrubber.keep(name);
        self
    }

    /// Returns the exchanges recorded so far.
    ///
    /// ```
    /// # use checkout_testkit::record::Recording;
    /// # use checkout_transport::{Response, bytes::Bytes, from_fn_blocking};
    /// # let recording = Recording::new(from_fn_blocking(|_| Ok(Response::new(Bytes::new()))));
    /// assert_eq!(recording.cassette().len(), 0);
    /// ```
    #[must_use]
    pub fn cassette(&self) -> Cassette {
        Cassette { scrubber: self.scrubber.clone(), exchanges: self.exchanges().clone() }
    }

    fn exchanges(&self) -> MutexGuard<'_, Vec<Exchange>> {
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a request with an unknown outcome, and returns its place.
    fn begin(&self, request: &Request) -> usize {
        let asked = self.scrubber.request(request);
        let outcome = Outcome::Error { delivery: Delivery::Unknown, exceeded_cap: None };
        let mut exchanges = self.exchanges();
        exchanges.push(Exchange { asked, outcome });
        exchanges.len().saturating_sub(1)
    }

    fn end(&self, place: usize, outcome: &Result<Response, TransportError>) {
        let outcome = self.scrubber.outcome(outcome);
        if let Some(exchange) = self.exchanges().get_mut(place) {
            exchange.outcome = outcome;
        }
    }
}

impl<T: LocalTransport> Recording<Local<T>> {
    /// Records the exchanges of a transport that stays on its thread.
    ///
    /// ```
    /// use checkout_testkit::record::Recording;
    /// use checkout_transport::{LocalTransport, Request, Response, bytes::Bytes, from_fn_local};
    ///
    /// let recording = Recording::local(from_fn_local(|_| async { Ok(Response::new(Bytes::new())) }));
    /// pollster::block_on(recording.send_local(Request::new(Bytes::new())))?;
    /// assert_eq!(recording.cassette().len(), 1);
    /// # Ok::<(), checkout_transport::TransportError>(())
    /// ```
    #[must_use]
    pub fn local(transport: T) -> Self {
        Self::new(Local(transport))
    }
}

/// A transport that is a [`LocalTransport`] alone: see [`Recording::local`].
///
/// ```
/// use checkout_testkit::record::{Local, Recording};
/// use checkout_transport::{Response, bytes::Bytes, from_fn_local};
///
/// let recording: Recording<Local<_>> =
///     Recording::local(from_fn_local(|_| async { Ok(Response::new(Bytes::new())) }));
/// ```
pub struct Local<T>(T);

impl<T: Transport> Transport for Recording<T> {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let place = self.begin(&request);
        let outcome = self.transport.send(request).await;
        self.end(place, &outcome);
        outcome
    }
}

impl<T: LocalTransport> LocalTransport for Recording<Local<T>> {
    async fn send_local(&self, request: Request) -> Result<Response, TransportError> {
        let place = self.begin(&request);
        let outcome = self.transport.0.send_local(request).await;
        self.end(place, &outcome);
        outcome
    }
}

impl<T: BlockingTransport> BlockingTransport for Recording<T> {
    fn send_blocking(&self, request: Request) -> Result<Response, TransportError> {
        let place = self.begin(&request);
        let outcome = self.transport.send_blocking(request);
        self.end(place, &outcome);
        outcome
    }
}

impl<T> fmt::Debug for Recording<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording").field("exchanges", &self.exchanges().len()).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Local<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Local").finish_non_exhaustive()
    }
}
