//! One thing to ask, and one attempt at it.

use crate::answer::Answer;
use crate::clock_skew::ClockSkew;
use crate::error::{CallError, CallErrorKind, CallErrorOf, Rejected};
use crate::provider::sealed::{Ask, Backend, Exchange, Stamp};
use crate::provider::{AskedOf, ClientOf, Operation, Readable, RouteOf};
use crate::trace::Trace;
use checkout_tables::{Environment, Moment, Repeat};
use checkout_transport::bytes::Bytes;
use checkout_transport::http::{HeaderValue, header};
use checkout_transport::{BlockingTransport, LocalTransport, Request, Response, Transport, TransportError};
use checkout_wire::{Head, Reply};
use core::fmt;
use core::marker::PhantomData;

/// One request to a provider, which can be sent many times. A client makes the call; nothing has been sent
/// yet.
///
/// ```
/// # checkout_doctest::facade!(client);
/// # #[cfg(feature = "system")] {
/// use checkout_kit::SecretString;
/// use checkout_kit::allscale::{Client, SigningKey};
/// use checkout_kit::tables::Repeat;
/// use checkout_sandbox::allscale::{Sandbox, Store};
///
/// let key = SigningKey::new("st_key", SecretString::from("st_secret"))?;
/// let sandbox = Sandbox::builder().store(Store::new(key.clone())).build();
/// let clock = sandbox.clock().clone();
/// let client = Client::builder(key).clock(move || clock.now()).build()?;
///
/// let call = client.status("65b2f3d0d2d9c0a1b2c3d4e5")?;
/// assert_eq!(call.path(), "/v1/checkout_intents/65b2f3d0d2d9c0a1b2c3d4e5/status");
/// assert_eq!(call.repeat(), Repeat::Safe);
/// let refused = call.send_blocking(&sandbox).unwrap_err();
/// assert_eq!(refused.code().map(|code| code.value()), Some(50001)); // there is no such intent
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Call<T: Readable> {
    client: ClientOf<T>,
    route: RouteOf<T>,
    path: String,
    body: Bytes,
    asked: AskedOf<T>,
}

impl<T: Readable> Call<T> {
    /// The provider's route of the call.
    #[must_use]
    pub const fn route(&self) -> RouteOf<T> {
        self.route
    }

    /// The operation of the call, in the form that every provider's calls share.
    #[must_use]
    pub fn operation(&self) -> Operation {
        self.route.into()
    }

    /// The environment of the client that made the call: whose money the call is about. The answer carries
    /// the environment along.
    ///
    /// ```
    /// # checkout_doctest::facade!(client);
    /// # #[cfg(feature = "system")] {
    /// use checkout_kit::Environment;
    /// use checkout_kit::azotte::Client;
    ///
    /// let client = Client::builder("acme", "e2a1c7b2-4f3a-4b8e-9c2d-1a2b3c4d5e6f", "sk_1".into());
    /// let client = client.environment(Environment::Sandbox).build()?;
    /// assert_eq!(client.status("trk_1")?.environment(), Environment::Sandbox);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn environment(&self) -> Environment {
        T::Provider::environment(&self.client)
    }

    /// The path, as sent and signed. A signed query, such as Peach's, belongs to the attempt.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The body, as sent and signed. For Peach the body lacks the parts that belong to the attempt: the
    /// nonce, the signature and all of a token's request. The body can hold anything about the payer, and a
    /// card's number.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// # let client = Client::builder(SigningKey::new("st_key", SecretString::from("st_secret"))?).build()?;
    /// assert!(client.ping().body().is_empty());
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn body(&self) -> &Bytes {
        &self.body
    }

    /// The safety of a repeat while nobody knows how the last attempt ended.
    #[must_use]
    pub fn repeat(&self) -> Repeat {
        self.operation().repeat
    }

    /// One attempt, signed for a moment and with a nonce that no attempt had before: the request to send, and
    /// the reader of the response.
    ///
    /// # Errors
    /// [`CallError`] of the kind [`NotSent`](CallErrorKind::NotSent), if the nonce is not visible ASCII, if
    /// there is no access token, or if a moment before 1970 is to be signed for AllScale.
    ///
    /// ```
    /// # checkout_doctest::facade!(client);
    /// # #[cfg(feature = "system")] {
    /// use checkout_kit::allscale::{Client, SigningKey};
    /// use checkout_kit::tables::Moment;
    /// use checkout_kit::transport::bytes::Bytes;
    /// use checkout_kit::{Response, SecretString};
    ///
    /// let client = Client::builder(SigningKey::new("st_key", SecretString::from("st_secret"))?).build()?;
    /// let now = Moment::from_unix_seconds(1_716_501_000);
    /// let attempt = client.ping().attempt(now, "b4d9a2a1-9c2b-4df4-8b8e-2a13a45fd321")?;
    /// let (request, reader) = attempt.into_parts();
    /// assert_eq!(request.headers()["x-timestamp"], "1716501000");
    ///
    /// // Send the request in your own way, and hand over what comes back.
    /// let response = Response::new(Bytes::from_static(br#"{"code":0,"payload":{"pong":"ok"}}"#));
    /// assert_eq!(reader.read(&response)?.payload.pong, "ok");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn attempt(&self, now: Moment, nonce: &str) -> Result<Attempt<T>, CallErrorOf<T>> {
        let ask = Ask { route: self.route, path: &self.path, body: &self.body, asked: &self.asked };
        let request = T::Provider::request(&self.client, &ask, &Stamp { now, nonce });
        let request = request.map_err(|reason| CallError::not_sent(self.operation(), reason))?;
        let reader = Reader {
            client: self.client.clone(),
            route: self.route,
            path: self.path.clone(),
            nonce: nonce.to_owned(),
            body: request.body().clone(),
            sent_at: now,
            asked: self.asked.clone(),
            payload: PhantomData,
        };
        Ok(Attempt { request, reader })
    }

    /// Sends the call once, over an asynchronous transport. A caller who drops the future does not know how
    /// the attempt ended, as with [`Delivery::Unknown`](checkout_transport::Delivery::Unknown).
    ///
    /// # Errors
    /// [`CallError`], if there is no answer: the request did not leave, no response came, the provider
    /// refused, or the response was rejected. [`CallError::may_have_been_processed`] tells if a repeat can
    /// charge twice.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// # use checkout_sandbox::allscale::{Sandbox, Store};
    /// # let key = SigningKey::new("st_key", SecretString::from("st_secret"))?;
    /// # let sandbox = Sandbox::builder().store(Store::new(key.clone())).build();
    /// # let clock = sandbox.clock().clone();
    /// # let client = Client::builder(key).clock(move || clock.now()).build()?;
    /// # pollster::block_on(async {
    /// let answer = client.ping().send(&sandbox).await?;
    /// assert_eq!(answer.payload.pong, "ok");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn send(&self, transport: &impl Transport) -> Result<Answer<T>, CallErrorOf<T>> {
        let (request, reader, trace) = self.begin()?;
        let outcome = trace.around(async { transport.send(request).await }).await;
        reader.finish(outcome, &trace)
    }

    /// Sends the call once, over a transport whose futures stay on their thread.
    ///
    /// # Errors
    /// [`CallError`], if there is no answer: the request did not leave, no response came, the provider
    /// refused, or the response was rejected. [`CallError::may_have_been_processed`] tells if a repeat can
    /// charge twice.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// # use checkout_sandbox::allscale::{Sandbox, Store};
    /// # let key = SigningKey::new("st_key", SecretString::from("st_secret"))?;
    /// # let sandbox = Sandbox::builder().store(Store::new(key.clone())).build();
    /// # let clock = sandbox.clock().clone();
    /// # let client = Client::builder(key).clock(move || clock.now()).build()?;
    /// # pollster::block_on(async {
    /// let answer = client.ping().send_local(&sandbox).await?;
    /// assert_eq!(answer.payload.pong, "ok");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn send_local(&self, transport: &impl LocalTransport) -> Result<Answer<T>, CallErrorOf<T>> {
        let (request, reader, trace) = self.begin()?;
        let outcome = trace.around(async { transport.send_local(request).await }).await;
        reader.finish(outcome, &trace)
    }

    /// Sends the call once, over a blocking transport.
    ///
    /// # Errors
    /// [`CallError`], if there is no answer: the request did not leave, no response came, the provider
    /// refused, or the response was rejected. [`CallError::may_have_been_processed`] tells if a repeat can
    /// charge twice.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// # use checkout_sandbox::allscale::{Sandbox, Store};
    /// # let key = SigningKey::new("st_key", SecretString::from("st_secret"))?;
    /// # let sandbox = Sandbox::builder().store(Store::new(key.clone())).build();
    /// # let clock = sandbox.clock().clone();
    /// # let client = Client::builder(key).clock(move || clock.now()).build()?;
    /// let answer = client.ping().send_blocking(&sandbox)?;
    /// assert_eq!(answer.payload.pong, "ok");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn send_blocking(
        &self,
        transport: &(impl BlockingTransport + ?Sized),
    ) -> Result<Answer<T>, CallErrorOf<T>> {
        let (request, reader, trace) = self.begin()?;
        let outcome = trace.within(|| transport.send_blocking(request));
        reader.finish(outcome, &trace)
    }

    /// The client that made the call.
    pub(crate) const fn client(&self) -> &ClientOf<T> {
        &self.client
    }

    pub(crate) fn new(
        client: &ClientOf<T>,
        route: RouteOf<T>,
        path: String,
        body: Vec<u8>,
        asked: AskedOf<T>,
    ) -> Self {
        Self { client: client.clone(), route, path, body: Bytes::from(body), asked }
    }

    /// An attempt with a timestamp and a nonce of its own.
    fn begin(&self) -> Result<(Request, Reader<T>, Trace), CallErrorOf<T>> {
        let trace = Trace::attempt(self.route, &self.path);
        let (now, nonce) = (T::Provider::now(&self.client), T::Provider::nonce(&self.client));
        let attempt = self.attempt(now, &nonce);
        let attempt = attempt.inspect_err(|error| trace.failed(error))?;
        Ok((attempt.request, attempt.reader, trace))
    }
}

impl<T: Readable> Clone for Call<T> {
    fn clone(&self) -> Self {
        Self {
            client: self.client.clone(),
            route: self.route,
            path: self.path.clone(),
            body: self.body.clone(),
            asked: self.asked.clone(),
        }
    }
}

impl<T: Readable> fmt::Debug for Call<T> {
    /// Everything but the body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("route", &self.route).field("path", &self.path).finish_non_exhaustive()
    }
}

/// One attempt: a signed request, good for one sending, and the reader of the response.
///
/// ```
/// # #[cfg(feature = "system")] {
/// # use checkout_auth::{SecretString, allscale::SigningKey};
/// # use checkout_client::allscale::Client;
/// # let client = Client::builder(SigningKey::new("st_key", SecretString::from("st_secret"))?).build()?;
/// let attempt = client.ping().attempt(client.now(), "nonce-1")?;
/// assert_eq!(attempt.request().uri(), "https://openapi.allscale.io/v1/test/ping");
/// // What is secret in the headers is not printed.
/// assert!(!format!("{attempt:?}").contains("st_key"));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Attempt<T: Readable> {
    request: Request,
    reader: Reader<T>,
}

impl<T: Readable> Attempt<T> {
    /// The request. The `Debug` of `http` prints the body too, which can hold a card's number or a client's
    /// secret: do not print the request.
    #[must_use]
    pub const fn request(&self) -> &Request {
        &self.request
    }

    /// The request, which must not be printed, and the reader of the response.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// # let client = Client::builder(SigningKey::new("st_key", SecretString::from("st_secret"))?).build()?;
    /// let (request, _reader) = client.ping().attempt(client.now(), "nonce-1")?.into_parts();
    /// assert_eq!(request.method(), "GET");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn into_parts(self) -> (Request, Reader<T>) {
        (self.request, self.reader)
    }
}

impl<T: Readable> fmt::Debug for Attempt<T> {
    /// The address without the query: a signature can be in the query.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let uri = self.request.uri().to_string();
        f.debug_struct("Attempt")
            .field("method", self.request.method())
            .field("uri", &format_args!("{}", uri.split('?').next().unwrap_or_default()))
            .finish_non_exhaustive()
    }
}

/// Reads the response to one attempt, and compares the answer with the request.
///
/// ```
/// # checkout_doctest::facade!(client);
/// # #[cfg(feature = "system")] {
/// use checkout_kit::allscale::{Client, SigningKey};
/// use checkout_kit::transport::bytes::Bytes;
/// use checkout_kit::{CallErrorKind, Response, SecretString};
///
/// let client = Client::builder(SigningKey::new("st_key", SecretString::from("st_secret"))?).build()?;
/// let (_, reader) = client.get("65b2f3d0d2d9c0a1b2c3d4e5")?.attempt(client.now(), "nonce-1")?.into_parts();
/// let other = br#"{"code":0,"payload":{"all_scale_checkout_intent_id":"another","status":20,"amount_coins":"9"}}"#;
/// let error = reader.read(&Response::new(Bytes::from_static(other))).unwrap_err();
/// assert!(matches!(error.kind(), CallErrorKind::Mismatch("all_scale_checkout_intent_id")));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Reader<T: Readable> {
    client: ClientOf<T>,
    route: RouteOf<T>,
    path: String,
    nonce: String,
    body: Bytes,
    sent_at: Moment,
    asked: AskedOf<T>,
    payload: PhantomData<fn() -> T>,
}

impl<T: Readable> Reader<T> {
    /// Reads the response.
    ///
    /// # Errors
    /// [`CallError`], if the provider refused, or the response is not the API's, cannot be read, is not
    /// signed where a signature is required, has a signature that does not match, or does not answer the
    /// request: another checkout's, or a created checkout without an id and an `https` page to pay at. The
    /// request may have been processed all the same, and [`CallError::body`] has the whole body. An AllScale
    /// intent that can be paid and differs from the draft is not an error: see [`Answer::differences`].
    pub fn read(&self, response: &Response) -> Result<Answer<T>, CallErrorOf<T>> {
        let header = |name| response.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let head = Head {
            status: response.status().as_u16(),
            content_type: header(header::CONTENT_TYPE),
            retry_after: header(header::RETRY_AFTER),
            location: header(header::LOCATION),
        };
        let sent_at = self.sent_at;
        let clock_skew = ClockSkew::of(response, sent_at);
        let rejected =
            Rejected { http_status: head.status, retry_after: head.retry_after, clock_skew, sent_at };
        let reject = |kind, request_id| {
            CallError::rejected(self.route.into(), kind, request_id, response.body(), &rejected)
        };
        let exchange = Exchange { path: &self.path, nonce: &self.nonce, body: &self.body };
        T::Provider::authentic(&self.client, &exchange, response)
            .map_err(|error| reject(CallErrorKind::NotAuthentic(error), None))?;
        let reply = T::read(&head, response.body(), &self.asked).map_err(|error| {
            let id = error.request_id().map(str::to_owned);
            reject(CallErrorKind::Unreadable(error), id)
        })?;
        if head.status == 401 && !matches!(reply, Reply::Done(_)) {
            T::Provider::unauthorized(&self.client, self.route, self.sent_at);
        }
        let answer = match reply {
            Reply::Done(answer) => answer,
            Reply::Refused(refusal) => return Err(CallError::refused(self.route, refusal, &rejected)),
            Reply::UnexpectedResponse(other) => return Err(CallError::unexpected(self.route, other)),
        };
        answer
            .payload
            .verified(&self.client)
            .map_err(|error| reject(CallErrorKind::NotAuthentic(error), None))?;
        if let Err(field) = answer.payload.answers(&self.client, &self.asked) {
            let id = answer.request_id.as_deref().map(str::to_owned);
            return Err(reject(CallErrorKind::Mismatch(field), id));
        }
        let differences = answer.payload.differences(&self.asked);
        let environment = T::Provider::environment(&self.client);
        Ok(Answer::new(environment, self.route, answer, differences, sent_at, response))
    }

    /// Reads the outcome of the transport: the response as [`read`](Self::read) does, or the transport's
    /// error as the error of the call. For a driver of your own, which has the response later, or none.
    ///
    /// # Errors
    /// [`CallError`], as of [`Call::send`].
    ///
    /// ```
    /// # checkout_doctest::facade!(client);
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// use checkout_kit::{Moment, TransportError};
    ///
    /// # let client = Client::builder(SigningKey::new("st_key", SecretString::from("st_secret"))?).build()?;
    /// let attempt = client.ping().attempt(Moment::from_unix_millis(1_716_501_000_000), "nonce-1")?;
    /// let (_, reader) = attempt.into_parts();
    /// let error = reader.outcome(Err(TransportError::unknown("reset"))).unwrap_err();
    /// assert!(error.http_status().is_none());
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn outcome(self, outcome: Result<Response, TransportError>) -> Result<Answer<T>, CallErrorOf<T>> {
        match outcome {
            Ok(response) => self.read(&response),
            Err(error) => Err(CallError::transport(self.route.into(), error)),
        }
    }

    fn finish(
        self,
        outcome: Result<Response, TransportError>,
        trace: &Trace,
    ) -> Result<Answer<T>, CallErrorOf<T>> {
        let outcome = self.outcome(outcome);
        match &outcome {
            Ok(answer) => trace.answered(answer),
            Err(error) => trace.failed(error),
        }
        outcome
    }
}

impl<T: Readable> fmt::Debug for Reader<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("route", &self.route).finish_non_exhaustive()
    }
}

/// A header value that `Debug` does not print.
pub(crate) fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");
