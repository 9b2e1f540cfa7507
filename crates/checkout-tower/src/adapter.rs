//! The adapter, in its two forms.

use std::error::Error;
use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::marker::PhantomData;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use checkout_transport::bytes::{Buf, Bytes};
use checkout_transport::{
    BODY_CAP, BodyBuffer, Delivery, LocalTransport, Request, Response, Transport, TransportError, http,
};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use tower_service::Service;

/// A [`Transport`] over a service `S` that takes requests with a body `B`.
///
/// `B` is made of the request's bytes: [`Full<Bytes>`](Full), or any other type that is
/// [`From<Bytes>`](Bytes). The service is cloned for every request; the clones of a client share its
/// connections, and those of a limit its limit. The service must be [`Sync`]: of tower's boxes,
/// `BoxCloneSyncService` is.
///
/// `Debug` says nothing of the service inside.
///
/// ```
/// use checkout_tower::{Tower, http_body_util::Full};
/// use checkout_transport::{Transport, bytes::Bytes, http};
/// use std::{io, time::Duration};
///
/// let service = tower::service_fn(|request: http::Request<Full<Bytes>>| async {
///     Ok::<_, io::Error>(http::Response::new(request.into_body()))
/// });
/// let transport = Tower::new(service, Duration::from_secs(30), tokio::time::sleep);
/// let request = http::Request::new(Bytes::from_static(b"hello"));
/// assert_eq!(pollster::block_on(transport.send(request))?.body(), "hello");
/// # Ok::<(), checkout_transport::TransportError>(())
/// ```
pub struct Tower<S, B = Full<Bytes>> {
    service: S,
    cap: usize,
    classify: Classify,
    deadline: Option<Deadline>,
    body: PhantomData<fn(Bytes) -> B>,
}

/// A [`LocalTransport`] over a service that need not be [`Send`] or [`Sync`]: [`Tower::local`] returns this
/// type.
///
/// ```
/// # use std::time::Duration;
/// # use checkout_tower::Tower;
/// # use checkout_transport::{bytes::Bytes, http};
/// # use checkout_tower::http_body_util::Full;
/// # let service = tower::service_fn(|request: http::Request<Full<Bytes>>| async {
/// #     Ok::<_, std::io::Error>(http::Response::new(request.into_body()))
/// # });
/// let transport = Tower::new(service, Duration::from_secs(30), tokio::time::sleep).local();
/// assert!(format!("{transport:?}").starts_with("Local"));
/// ```
pub struct Local<S, B = Full<Bytes>>(Tower<S, B>);

impl<S> Tower<S> {
    /// Wraps a service whose requests have a body of the type [`Full<Bytes>`](Full). `deadline` limits a
    /// whole exchange. `sleep` is how this program sleeps: `tokio::time::sleep`, or the like of another
    /// runtime.
    ///
    /// The deadline covers waiting until the service is ready, the response's head and its body. A deadline
    /// that passes while waiting is [`Delivery::NotSent`], since the service has not got the request; a
    /// deadline that passes later is [`Delivery::Unknown`]. The error's source is an [`io::Error`] of the
    /// kind [`TimedOut`](io::ErrorKind::TimedOut).
    ///
    /// Every error of the service is [`Delivery::Unknown`], until [`classify`](Self::classify) says
    /// otherwise.
    ///
    /// ```
    /// use std::future::{pending, ready};
    /// use std::time::Duration;
    ///
    /// use checkout_tower::{Tower, http_body_util::Full};
    /// use checkout_transport::{Delivery, Transport, bytes::Bytes, http};
    ///
    /// let silent = tower::service_fn(|_: http::Request<Full<Bytes>>| {
    ///     pending::<Result<http::Response<Full<Bytes>>, std::io::Error>>()
    /// });
    /// // No time has to pass for this: a program says `tokio::time::sleep`.
    /// let transport = Tower::new(silent, Duration::from_secs(30), |_| ready(()));
    /// let error = pollster::block_on(transport.send(http::Request::new(Bytes::new()))).unwrap_err();
    /// assert_eq!(error.delivery(), Delivery::Unknown);
    /// ```
    #[must_use]
    pub fn new<F, Fut>(service: S, deadline: Duration, sleep: F) -> Self
    where
        F: Fn(Duration) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let sleep: Sleep = Arc::new(move |after| Box::pin(sleep(after)));
        Self { deadline: Some(Deadline { after: deadline, sleep }), ..Self::without_deadline(service) }
    }

    /// Wraps a service that ends exchanges that take too long, the response's body too: **a call can last for
    /// ever otherwise**, and the time-outs that are layers end [with the response's head](crate).
    ///
    /// As for [`new`](Self::new) otherwise.
    ///
    /// ```
    /// use std::convert::Infallible;
    ///
    /// use checkout_tower::{Tower, http_body_util::Full};
    /// use checkout_transport::{Transport, bytes::Bytes, http};
    ///
    /// // It is there at once.
    /// async fn answer(request: http::Request<Full<Bytes>>) -> Result<http::Response<Full<Bytes>>, Infallible> {
    ///     Ok(http::Response::new(request.into_body()))
    /// }
    /// let transport = Tower::without_deadline(tower::service_fn(answer));
    /// let request = http::Request::new(Bytes::from_static(b"hello"));
    /// assert_eq!(pollster::block_on(transport.send(request))?.body(), "hello");
    /// # Ok::<(), checkout_transport::TransportError>(())
    /// ```
    #[must_use]
    pub fn without_deadline(service: S) -> Self {
        Self { service, cap: BODY_CAP, classify: |_| Delivery::Unknown, deadline: None, body: PhantomData }
    }
}

impl<S, B> Tower<S, B> {
    /// The form for a service whose requests have a body of another type: one that is made of [`Bytes`].
    ///
    /// ```
    /// use std::convert::Infallible;
    /// use std::time::Duration;
    ///
    /// use checkout_tower::{Tower, http_body_util::Full};
    /// use checkout_transport::{Transport, bytes::Bytes, http};
    ///
    /// async fn answer(request: http::Request<Vec<u8>>) -> Result<http::Response<Full<Bytes>>, Infallible> {
    ///     Ok(http::Response::new(request.into_body().into()))
    /// }
    /// let service = tower::service_fn(answer);
    /// let transport = Tower::new(service, Duration::from_secs(30), tokio::time::sleep).with_body::<Vec<u8>>();
    /// let request = http::Request::new(Bytes::from_static(b"hello"));
    /// assert_eq!(pollster::block_on(transport.send(request))?.body(), "hello");
    /// # Ok::<(), checkout_transport::TransportError>(())
    /// ```
    #[must_use]
    pub fn with_body<C>(self) -> Tower<S, C> {
        let Self { service, cap, classify, deadline, body: _ } = self;
        Tower { service, cap, classify, deadline, body: PhantomData }
    }

    /// Sets how an error of the service is read: how far the request got. The function is called for errors
    /// of the call alone, and not for errors of the body, which are [`Delivery::Unknown`]: a head had come.
    ///
    /// The error is the service's own, without the box that many layers put around an error. Return
    /// [`Delivery::NotSent`] only if it is certain that no byte of the request has left in any attempt of the
    /// service: a layer that repeats can fail to connect at its second attempt.
    ///
    /// ```
    /// use std::error::Error;
    /// use std::io;
    /// use std::time::Duration;
    ///
    /// use checkout_tower::{Tower, http_body_util::Full};
    /// use checkout_transport::{Delivery, Transport, bytes::Bytes, http};
    ///
    /// fn delivery(error: &(dyn Error + 'static)) -> Delivery {
    ///     match error.downcast_ref::<io::Error>().map(io::Error::kind) {
    ///         Some(io::ErrorKind::ConnectionRefused) => Delivery::NotSent,
    ///         _ => Delivery::Unknown,
    ///     }
    /// }
    ///
    /// let refusing = tower::service_fn(|_: http::Request<Full<Bytes>>| async {
    ///     Err::<http::Response<Full<Bytes>>, _>(io::Error::from(io::ErrorKind::ConnectionRefused))
    /// });
    /// let seconds = Duration::from_secs(30);
    /// let transport = Tower::new(refusing, seconds, tokio::time::sleep).classify(delivery);
    /// let error = pollster::block_on(transport.send(http::Request::new(Bytes::new()))).unwrap_err();
    /// assert_eq!(error.delivery(), Delivery::NotSent);
    /// ```
    #[must_use]
    pub fn classify(mut self, delivery: fn(&(dyn Error + 'static)) -> Delivery) -> Self {
        self.classify = delivery;
        self
    }

    /// Sets how many bytes a response's body may have. The default, and the maximum, is [`BODY_CAP`].
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use checkout_tower::{Tower, http_body_util::Full};
    /// # use checkout_transport::{Transport, bytes::Bytes, http};
    /// # let echo = tower::service_fn(|request: http::Request<Full<Bytes>>| async {
    /// #     Ok::<_, std::io::Error>(http::Response::new(request.into_body()))
    /// # });
    /// let transport = Tower::new(echo, Duration::from_secs(30), tokio::time::sleep).cap(4);
    /// let five = http::Request::new(Bytes::from_static(b"12345"));
    /// assert_eq!(pollster::block_on(transport.send(five)).unwrap_err().exceeded_cap(), Some(4));
    /// ```
    #[must_use]
    pub fn cap(mut self, cap: usize) -> Self {
        self.cap = cap;
        self
    }

    /// Returns the form for a service, or futures of the service, that stay on their thread. The deadline is
    /// kept; the sleeping future can leave the thread all the same.
    ///
    /// ```
    /// use std::cell::Cell;
    /// use std::rc::Rc;
    /// use std::time::Duration;
    ///
    /// use checkout_tower::{Tower, http_body_util::Full};
    /// use checkout_transport::{LocalTransport, bytes::Bytes, http};
    ///
    /// // A service that counts in a cell, which threads cannot share.
    /// let calls = Rc::new(Cell::new(0));
    /// let counting = Rc::clone(&calls);
    /// let service = tower::service_fn(move |request: http::Request<Full<Bytes>>| {
    ///     counting.set(counting.get() + 1);
    ///     async { Ok::<_, std::io::Error>(http::Response::new(request.into_body())) }
    /// });
    ///
    /// let transport = Tower::new(service, Duration::from_secs(30), tokio::time::sleep).local();
    /// pollster::block_on(transport.send_local(http::Request::new(Bytes::new())))?;
    /// assert_eq!(calls.get(), 1);
    /// # Ok::<(), checkout_transport::TransportError>(())
    /// ```
    #[must_use]
    pub fn local(self) -> Local<S, B> {
        Local(self)
    }

    /// The error of a failed call, with the delivery of its request.
    fn failed(&self, error: BoxError) -> TransportError {
        match (self.classify)(&*error) {
            Delivery::NotSent => TransportError::not_sent(error),
            Delivery::Unknown => TransportError::unknown(error),
        }
    }
}

impl<S, B, RB> Transport for Tower<S, B>
where
    S: Service<http::Request<B>, Response = http::Response<RB>> + Clone + Send + Sync,
    S::Error: Into<BoxError>,
    S::Future: Send,
    B: From<Bytes>,
    RB: Body + Send,
    RB::Error: Into<BoxError>,
{
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        exchange(self, request).await
    }
}

impl<S, B, RB> LocalTransport for Local<S, B>
where
    S: Service<http::Request<B>, Response = http::Response<RB>> + Clone,
    S::Error: Into<BoxError>,
    B: From<Bytes>,
    RB: Body,
    RB::Error: Into<BoxError>,
{
    async fn send_local(&self, request: Request) -> Result<Response, TransportError> {
        exchange(&self.0, request).await
    }
}

impl<S: Clone, B> Clone for Tower<S, B> {
    fn clone(&self) -> Self {
        Self {
            service: self.service.clone(),
            cap: self.cap,
            classify: self.classify,
            deadline: self.deadline.clone(),
            body: PhantomData,
        }
    }
}

impl<S: Clone, B> Clone for Local<S, B> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S, B> fmt::Debug for Tower<S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tower")
            .field("deadline", &self.deadline.as_ref().map(|deadline| deadline.after))
            .field("cap", &self.cap)
            .finish_non_exhaustive()
    }
}

impl<S, B> fmt::Debug for Local<S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Local").field(&self.0).finish()
    }
}

#[derive(Clone)]
struct Deadline {
    after: Duration,
    sleep: Sleep,
}

type Sleep = Arc<dyn Fn(Duration) -> Sleeping + Send + Sync>;

type Sleeping = Pin<Box<dyn Future<Output = ()> + Send>>;

type Classify = fn(&(dyn Error + 'static)) -> Delivery;

type BoxError = Box<dyn Error + Send + Sync>;

/// Sends one request and returns one response. The future can be sent between threads when all that the
/// service gives can.
async fn exchange<S, B, RB>(tower: &Tower<S, B>, request: Request) -> Result<Response, TransportError>
where
    S: Service<http::Request<B>, Response = http::Response<RB>> + Clone,
    S::Error: Into<BoxError>,
    B: From<Bytes>,
    RB: Body,
    RB::Error: Into<BoxError>,
{
    let mut clock = Clock { deadline: tower.deadline.as_ref(), sleeping: None, passed: false };
    // Call the clone that is ready: the readiness of a clone does not hold for another clone.
    let mut service = tower.service.clone();
    match before(&mut clock, poll_fn(|context| service.poll_ready(context))).await {
        Some(Ok(())) => {}
        // The request is still here.
        Some(Err(error)) => return Err(TransportError::not_sent(error)),
        None => return Err(TransportError::not_sent(timed_out("waiting for the service to be ready"))),
    }
    let answered = async {
        let answer = service.call(outgoing(request)).await;
        let response = answer.map_err(|error| tower.failed(error.into()))?;
        let (head, body) = response.into_parts();
        Ok(Response::from_parts(head, whole(body, tower.cap).await?))
    };
    before(&mut clock, answered)
        .await
        .unwrap_or_else(|| Err(TransportError::unknown(timed_out("waiting for the response"))))
}

/// The request in the service's type. The version is the default one: the client chooses the version it
/// speaks.
fn outgoing<B: From<Bytes>>(request: Request) -> http::Request<B> {
    let mut request = request.map(B::from);
    *request.version_mut() = http::Version::default();
    request
}

/// The bytes of a body, as it streams in. Trailers are not kept.
async fn whole<RB>(body: RB, cap: usize) -> Result<Bytes, TransportError>
where
    RB: Body,
    RB::Error: Into<BoxError>,
{
    let mut buffer = BodyBuffer::new(cap);
    buffer.expect_length(body.size_hint().lower())?;
    let mut body = pin!(body);
    while let Some(frame) = body.frame().await {
        let Ok(mut data) = frame.map_err(TransportError::unknown)?.into_data() else { continue };
        while data.has_remaining() {
            let chunk = data.chunk();
            buffer.push(chunk)?;
            let taken = chunk.len();
            data.advance(taken);
        }
    }
    buffer.finish()
}

/// The output of `work`, or nothing when the deadline passes before.
async fn before<W: Future>(clock: &mut Clock<'_>, work: W) -> Option<W::Output> {
    let mut work = pin!(work);
    poll_fn(|context| {
        // Checked first once the clock runs: a runtime lets a task do only so much in one go, and then its
        // timers wait too.
        let passed = clock.sleeping.is_some() && clock.passes(context);
        match work.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if passed || clock.passes(context) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// The deadline of one exchange. The deadline runs from when there is first something to wait for.
struct Clock<'a> {
    deadline: Option<&'a Deadline>,
    sleeping: Option<Sleeping>,
    passed: bool,
}

impl Clock<'_> {
    /// True if the deadline has passed; never true without a deadline.
    fn passes(&mut self, context: &mut Context<'_>) -> bool {
        let Some(deadline) = self.deadline else { return false };
        let sleeping = self.sleeping.get_or_insert_with(|| (deadline.sleep)(deadline.after));
        self.passed = self.passed || sleeping.as_mut().poll(context).is_ready();
        self.passed
    }
}

fn timed_out(during: &str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, format!("the deadline passed while {during}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use checkout_transport::http::HeaderValue;
    use http_body::{Frame, SizeHint};
    use std::collections::VecDeque;
    use std::future::{self, pending, ready};
    use std::sync::Mutex;
    use std::task::Waker;
    use tower::limit::ConcurrencyLimit;
    use tower::load_shed::LoadShed;
    use tower::load_shed::error::Overloaded;
    use tower::service_fn;

    const SECONDS: Duration = Duration::from_secs(30);

    /// The result of a request: the body, or the delivery and the root cause of the failure.
    fn check(sent: Result<Response, TransportError>) -> String {
        match sent {
            Ok(response) => format!("{} {:?}", response.status(), response.body()),
            Err(error) => {
                let mut root: &dyn Error = &error;
                while let Some(source) = root.source() {
                    root = source;
                }
                format!("{}: {root}", error.delivery())
            }
        }
    }

    fn request() -> Request {
        http::Request::post("https://provider.example/v1?b=2&a=1")
            .header("x-doubled", "first")
            .header("x-doubled", "second")
            .body(Bytes::from_static(b"{\"a\" : 1}"))
            .unwrap()
    }

    fn send<T: Transport>(transport: &T) -> Result<Response, TransportError> {
        pollster::block_on(transport.send(request()))
    }

    async fn echo(request: http::Request<Full<Bytes>>) -> io::Result<http::Response<Full<Bytes>>> {
        Ok(http::Response::new(request.into_body()))
    }

    async fn refuse(_: http::Request<Full<Bytes>>) -> io::Result<http::Response<Full<Bytes>>> {
        Err(io::Error::other("no"))
    }

    /// A body that gives its pieces one by one, then an error or nothing any more.
    struct Pieces {
        left: VecDeque<&'static [u8]>,
        announced: u64,
        end: Option<io::ErrorKind>,
        trailers: bool,
        read: Arc<Mutex<usize>>,
    }

    impl Body for Pieces {
        // In two parts that do not lie side by side.
        type Data = checkout_transport::bytes::buf::Chain<&'static [u8], Bytes>;
        type Error = io::Error;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<io::Result<Frame<Self::Data>>>> {
            Poll::Ready(match self.left.pop_front() {
                Some(piece) => {
                    *self.read.lock().unwrap() += piece.len();
                    let (front, back) = piece.split_at(piece.len() / 2);
                    Some(Ok(Frame::data(front.chain(Bytes::from_static(back)))))
                }
                None if self.trailers => {
                    self.trailers = false;
                    Some(Ok(Frame::trailers(http::HeaderMap::new())))
                }
                None => self.end.take().map(|kind| Err(kind.into())),
            })
        }

        fn size_hint(&self) -> SizeHint {
            let mut hint = SizeHint::new();
            hint.set_lower(self.announced);
            hint
        }
    }

    /// Answers with `pieces`; returns the result under a cap of 8, and how many bytes were read.
    fn read(pieces: &[&'static [u8]], announced: u64, end: Option<io::ErrorKind>) -> (String, usize) {
        let read = Arc::new(Mutex::new(0));
        let pieces: VecDeque<_> = pieces.iter().copied().collect();
        let counting = Arc::clone(&read);
        let service = service_fn(move |_: http::Request<Full<Bytes>>| {
            let (left, read) = (pieces.clone(), Arc::clone(&counting));
            async move {
                Ok::<_, io::Error>(http::Response::new(Pieces { left, announced, end, trailers: true, read }))
            }
        });
        let outcome = check(send(&Tower::without_deadline(service).cap(8)));
        let read = *read.lock().unwrap();
        (outcome, read)
    }

    /// A service that has to be asked for readiness before each call, and each of its clones anew. The
    /// service becomes ready at the second asking.
    #[derive(Default)]
    struct Exact {
        asked: u8,
        calls: Arc<Mutex<Vec<String>>>,
    }

    impl Clone for Exact {
        fn clone(&self) -> Self {
            Self { asked: 0, calls: Arc::clone(&self.calls) }
        }
    }

    impl Service<http::Request<Full<Bytes>>> for Exact {
        type Response = http::Response<Full<Bytes>>;
        type Error = io::Error;
        type Future = future::Ready<io::Result<Self::Response>>;

        fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
            self.asked += 1;
            if self.asked < 2 {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, request: http::Request<Full<Bytes>>) -> Self::Future {
            assert_eq!(self.asked, 2, "called without being ready");
            self.asked = 0;
            self.calls.lock().unwrap().push(request.uri().to_string());
            ready(Ok(http::Response::new(Full::default())))
        }
    }

    /// Never takes a request.
    #[derive(Clone)]
    struct Closed;

    impl Service<http::Request<Full<Bytes>>> for Closed {
        type Response = http::Response<Full<Bytes>>;
        type Error = BoxError;
        type Future = future::Pending<Result<Self::Response, BoxError>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
            Poll::Ready(Err("closed".into()))
        }

        fn call(&mut self, _: http::Request<Full<Bytes>>) -> Self::Future {
            unreachable!("it was never ready")
        }
    }

    #[test]
    fn the_ready_clone_is_called_once_for_each_request() {
        let service = Exact::default();
        let calls = Arc::clone(&service.calls);
        let transport = Tower::without_deadline(service);
        for sent in 1..=3 {
            assert_eq!(check(send(&transport)), "200 OK b\"\"");
            assert_eq!(calls.lock().unwrap().len(), sent);
        }
        assert_eq!(calls.lock().unwrap()[0], "https://provider.example/v1?b=2&a=1");
    }

    #[test]
    fn the_request_goes_in_whole_and_the_response_comes_out_whole() {
        let service = service_fn(|request: http::Request<Full<Bytes>>| async {
            let (head, body) = request.into_parts();
            assert_eq!((head.method.as_str(), head.uri.query()), ("POST", Some("b=2&a=1")));
            let mut response = http::Response::new(body);
            *response.status_mut() = http::StatusCode::SERVICE_UNAVAILABLE;
            *response.headers_mut() = head.headers;
            Ok::<_, io::Error>(response)
        });
        let response = send(&Tower::without_deadline(service)).unwrap();
        assert_eq!((response.status().as_u16(), &response.body()[..]), (503, &b"{\"a\" : 1}"[..]));
        assert_eq!(response.headers(), request().headers());
        let doubled: Vec<&HeaderValue> = response.headers().get_all("x-doubled").iter().collect();
        assert_eq!(doubled, ["first", "second"]);
    }

    #[test]
    fn a_body_of_many_pieces_comes_back_in_one_piece() {
        assert_eq!(read(&[b"12", b"", b"3", b"45678"], 0, None), ("200 OK b\"12345678\"".to_owned(), 8));
        assert_eq!(read(&[], 0, None), ("200 OK b\"\"".to_owned(), 0));
    }

    #[test]
    fn a_body_over_the_cap_is_given_up_at_once() {
        let over = "unknown: the response body is over 8 bytes, and what became of the request is unknown";
        assert_eq!(read(&[b"12345", b"6789", b"never read"], 0, None), (over.to_owned(), 9));
        assert_eq!(read(&[b"12345", b"6789"], 9, None), (over.to_owned(), 0));
        assert_eq!(read(&[b"12"], 8, None), ("200 OK b\"12\"".to_owned(), 2));
    }

    #[test]
    fn a_body_that_breaks_leaves_the_outcome_unknown() {
        let (outcome, read) = read(&[b"12"], 0, Some(io::ErrorKind::ConnectionReset));
        assert_eq!((outcome.as_str(), read), ("unknown: connection reset", 2));
        // This holds for every `classify`: these errors come after the head.
        let broken = service_fn(|_: http::Request<Full<Bytes>>| async {
            let end = Some(io::ErrorKind::ConnectionRefused);
            let (left, read) = (VecDeque::new(), Arc::default());
            Ok::<_, io::Error>(http::Response::new(Pieces { left, announced: 0, end, trailers: false, read }))
        });
        let transport = Tower::without_deadline(broken).classify(|_| Delivery::NotSent);
        assert_eq!(send(&transport).unwrap_err().delivery(), Delivery::Unknown);
    }

    #[test]
    fn an_error_of_the_service_is_unknown_until_somebody_reads_it() {
        fn certain(error: &(dyn Error + 'static)) -> Delivery {
            let known = error.is::<Overloaded>() || error.is::<io::Error>();
            if known { Delivery::NotSent } else { Delivery::Unknown }
        }
        assert_eq!(check(send(&Tower::without_deadline(service_fn(refuse)))), "unknown: no");
        assert_eq!(
            check(send(&Tower::without_deadline(service_fn(refuse)).classify(certain))),
            "not sent: no"
        );
        // Through a layer that boxes.
        let boxing = LoadShed::new(service_fn(refuse));
        assert_eq!(check(send(&Tower::without_deadline(boxing.clone()))), "unknown: no");
        assert_eq!(check(send(&Tower::without_deadline(boxing).classify(certain))), "not sent: no");
    }

    #[test]
    fn an_unknown_delivery_of_a_transport_below_stays_unknown() {
        let below = service_fn(|_: http::Request<Full<Bytes>>| async {
            Err::<http::Response<Full<Bytes>>, _>(TransportError::unknown("lost"))
        });
        assert_eq!(
            check(send(&Tower::without_deadline(below).classify(|_| Delivery::NotSent))),
            "unknown: lost"
        );
    }

    #[test]
    fn a_request_that_the_service_never_got_was_not_sent() {
        assert_eq!(check(send(&Tower::without_deadline(Closed))), "not sent: closed");
    }

    #[test]
    fn a_deadline_that_passes_before_the_service_has_the_request_is_not_sent() {
        let calls = Arc::new(Mutex::new(0));
        let counting = Arc::clone(&calls);
        let silent = service_fn(move |_: http::Request<Full<Bytes>>| {
            *counting.lock().unwrap() += 1;
            pending::<io::Result<http::Response<Full<Bytes>>>>()
        });
        let limited = ConcurrencyLimit::new(silent, 1);
        let transport = Tower::without_deadline(limited.clone());
        let mut first = pin!(transport.send(request()));
        assert!(first.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());

        let second = Tower::new(limited, SECONDS, |_| ready(()));
        let error = send(&second).unwrap_err();
        assert_eq!(error.delivery(), Delivery::NotSent);
        let source = error.source().unwrap().downcast_ref::<io::Error>().unwrap();
        assert_eq!(source.kind(), io::ErrorKind::TimedOut);
        assert_eq!(*calls.lock().unwrap(), 1);
    }

    #[test]
    fn a_deadline_that_passes_after_the_service_has_the_request_is_unknown() {
        struct Endless;
        impl Body for Endless {
            type Data = Bytes;
            type Error = io::Error;
            fn poll_frame(
                self: Pin<&mut Self>,
                _: &mut Context<'_>,
            ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
                Poll::Pending
            }
        }
        let at_once = |after: Duration| {
            assert_eq!(after.as_secs(), 30);
            ready(())
        };
        let no_head =
            service_fn(|_: http::Request<Full<Bytes>>| pending::<io::Result<http::Response<Full<Bytes>>>>());
        let no_body = service_fn(|_: http::Request<Full<Bytes>>| async {
            Ok::<_, io::Error>(http::Response::new(Endless))
        });
        let late = "unknown: the deadline passed while waiting for the response";
        assert_eq!(check(send(&Tower::new(no_head, SECONDS, at_once))), late);
        assert_eq!(check(send(&Tower::new(no_body, SECONDS, at_once))), late);
        // A response that is there at once is not late.
        let echoing = Tower::new(service_fn(echo), SECONDS, at_once);
        assert_eq!(check(send(&echoing)), "200 OK b\"{\\\"a\\\" : 1}\"");
    }

    #[test]
    fn a_service_that_takes_all_of_a_runtime_s_patience_does_not_put_the_deadline_off() {
        use tokio::task::consume_budget;
        let busy = service_fn(|request: http::Request<Full<Bytes>>| async {
            for _ in 0..10_000 {
                consume_budget().await;
            }
            Ok::<_, io::Error>(http::Response::new(request.into_body()))
        });
        // Like Tokio's timers: the sleep is over at once, but not when the runtime says that another task has
        // its turn.
        let transport = Tower::new(busy, SECONDS, |_| consume_budget());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let sent = runtime.block_on(transport.send(request()));
        assert_eq!(check(sent), "unknown: the deadline passed while waiting for the response");
    }

    #[test]
    fn to_drop_the_future_drops_the_service_s() {
        let held = Arc::new(());
        let in_service = Arc::clone(&held);
        let transport = Tower::without_deadline(service_fn(move |_: http::Request<Full<Bytes>>| {
            let held = Arc::clone(&in_service);
            async move {
                pending::<()>().await;
                drop(held);
                Ok::<_, io::Error>(http::Response::new(Full::<Bytes>::default()))
            }
        }));
        drop(transport.send(request()));
        // One here, and one in the closure.
        assert_eq!(Arc::strong_count(&held), 2);
        {
            let mut sending = pin!(transport.send(request()));
            assert!(sending.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            // One in the service's clone, and one in its future.
            assert_eq!(Arc::strong_count(&held), 4);
        }
        assert_eq!(Arc::strong_count(&held), 2);
    }

    #[test]
    fn debug_shows_the_limits_and_no_service() {
        let transport = Tower::new(service_fn(echo), Duration::from_secs(3), |_| ready(())).cap(9);
        assert_eq!(format!("{transport:?}"), "Tower { deadline: Some(3s), cap: 9, .. }");
        assert_eq!(format!("{:?}", transport.clone().with_body::<Vec<u8>>()), format!("{transport:?}"));
        assert_eq!(format!("{:?}", transport.local()), "Local(Tower { deadline: Some(3s), cap: 9, .. })");
        let without = Tower::without_deadline(service_fn(echo));
        assert_eq!(format!("{without:?}"), "Tower { deadline: None, cap: 1048576, .. }");
    }
}
