//! The three traits, and the pointers that forward them.

use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;

use crate::{Request, Response, TransportError};

/// Sends one request and returns its response. For asynchronous programs whose futures move between threads.
///
/// An implementation keeps [the contract](crate#the-contract), which is, in short: the bytes as given, one
/// attempt, no redirects, no decompression, every status `Ok`, a capped body, a timeout, nothing logged.
///
/// `async fn send` implements the trait, as long as the future is [`Send`]. `&T`, [`Box<T>`](Box) and
/// [`Arc<T>`](Arc) of a transport are transports. The trait is not object safe; [`SharedTransport`] is the
/// form whose type does not name the stack.
///
/// [`SharedTransport`]: crate::SharedTransport
///
/// ```
/// # checkout_doctest::facade!(transport);
/// use checkout_kit::transport::bytes::Bytes;
/// use checkout_kit::{Request, Response, Transport, TransportError};
///
/// /// Answers every request with its own body.
/// struct Echo;
///
/// impl Transport for Echo {
///     async fn send(&self, request: Request) -> Result<Response, TransportError> {
///         Ok(Response::new(request.into_body()))
///     }
/// }
///
/// # pollster::block_on(async {
/// let response = Echo.send(Request::new(Bytes::from_static(b"hello"))).await?;
/// assert_eq!(response.body(), "hello");
/// # Ok::<(), TransportError>(())
/// # }).unwrap();
/// ```
pub trait Transport: Send + Sync {
    /// Sends `request`, once, and returns the response with the response's whole body.
    ///
    /// Nothing is sent before the future is first polled. Dropping the future abandons the request, whose
    /// outcome is then unknown.
    ///
    /// # Errors
    /// [`TransportError`] when there is no whole response, whatever the reason; the error says how far the
    /// request may have got. A response with a `4xx` or `5xx` is not an error.
    ///
    /// ```
    /// # use checkout_transport::{Request, Response, Transport, TransportError, bytes::Bytes, from_fn, http};
    /// # let transport = from_fn(|_| async { Ok(Response::new(Bytes::from_static(b"pong"))) });
    /// # pollster::block_on(async {
    /// let ping = http::Request::get("https://provider.example/ping").body(Bytes::new())?;
    /// let response = transport.send(ping).await?;
    /// assert_eq!(response.body(), "pong");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    fn send(&self, request: Request) -> impl Future<Output = Result<Response, TransportError>> + Send;
}

/// Sends one request and returns its response. For asynchronous programs that stay on one thread, such as
/// those in a browser.
///
/// This is [`Transport`] without any [`Send`] or [`Sync`], under [the same contract](crate#the-contract).
/// Every [`Transport`] is a `LocalTransport`, so code that never leaves its thread asks for a
/// `LocalTransport` and takes both.
///
/// `&T`, [`Box<T>`](Box) and [`Arc<T>`](Arc) forward when `T` is a [`Transport`]; the rules of coherence
/// leave no room to forward them for the others. For those there is [`Rc<T>`](Rc), and a function that wants
/// to borrow takes `&T` and not `T`.
///
/// ```
/// # checkout_doctest::facade!(transport);
/// use std::cell::Cell;
/// use std::rc::Rc;
///
/// use checkout_kit::transport::bytes::Bytes;
/// use checkout_kit::{LocalTransport, Request, Response, TransportError};
///
/// /// Counts the requests in a cell, which threads cannot share.
/// #[derive(Default)]
/// struct Counting(Rc<Cell<u32>>);
///
/// impl LocalTransport for Counting {
///     async fn send_local(&self, _request: Request) -> Result<Response, TransportError> {
///         self.0.set(self.0.get() + 1);
///         Ok(Response::new(Bytes::new()))
///     }
/// }
///
/// # pollster::block_on(async {
/// let transport = Counting::default();
/// transport.send_local(Request::new(Bytes::new())).await?;
/// assert_eq!(transport.0.get(), 1);
/// # Ok::<(), TransportError>(())
/// # }).unwrap();
/// ```
pub trait LocalTransport {
    /// Sends `request`, once, and returns the response with the response's whole body: see
    /// [`Transport::send`].
    ///
    /// # Errors
    /// [`TransportError`], as for [`Transport::send`].
    ///
    /// ```
    /// # use checkout_transport::{LocalTransport, Request, Response, TransportError, bytes::Bytes};
    /// # use checkout_transport::from_fn_local;
    /// # let transport = from_fn_local(|_| async { Ok(Response::new(Bytes::from_static(b"pong"))) });
    /// # pollster::block_on(async {
    /// let response = transport.send_local(Request::new(Bytes::new())).await?;
    /// assert_eq!(response.body(), "pong");
    /// # Ok::<(), TransportError>(())
    /// # }).unwrap();
    /// ```
    fn send_local(&self, request: Request) -> impl Future<Output = Result<Response, TransportError>>;
}

/// Sends one request and returns its response, and keeps the thread until then.
///
/// An implementation keeps [the contract](crate#the-contract), save for its last point: a call cannot be
/// dropped half way.
///
/// The trait is object safe: `Arc<dyn BlockingTransport + Send + Sync>` is the shared form, and needs no type
/// of its own. `&T`, [`Box<T>`](Box), [`Rc<T>`](Rc) and [`Arc<T>`](Arc) forward.
///
/// ```
/// # checkout_doctest::facade!(transport);
/// use std::sync::Arc;
///
/// use checkout_kit::transport::bytes::Bytes;
/// use checkout_kit::{BlockingTransport, Request, Response, TransportError};
///
/// /// Answers every request with its own body.
/// struct Echo;
///
/// impl BlockingTransport for Echo {
///     fn send_blocking(&self, request: Request) -> Result<Response, TransportError> {
///         Ok(Response::new(request.into_body()))
///     }
/// }
///
/// let shared: Arc<dyn BlockingTransport + Send + Sync> = Arc::new(Echo);
/// let response = shared.send_blocking(Request::new(Bytes::from_static(b"hello")))?;
/// assert_eq!(response.body(), "hello");
/// # Ok::<(), TransportError>(())
/// ```
pub trait BlockingTransport {
    /// Sends `request`, once, and returns the response with the response's whole body.
    ///
    /// # Errors
    /// [`TransportError`], as for [`Transport::send`].
    ///
    /// ```
    /// # use checkout_transport::{BlockingTransport, Request, Response, TransportError, bytes::Bytes};
    /// # use checkout_transport::from_fn_blocking;
    /// # let transport = from_fn_blocking(|_| Ok(Response::new(Bytes::from_static(b"pong"))));
    /// let response = transport.send_blocking(Request::new(Bytes::new()))?;
    /// assert_eq!(response.body(), "pong");
    /// # Ok::<(), TransportError>(())
    /// ```
    fn send_blocking(&self, request: Request) -> Result<Response, TransportError>;
}

impl<T: Transport + ?Sized> Transport for &T {
    fn send(&self, request: Request) -> impl Future<Output = Result<Response, TransportError>> + Send {
        T::send(self, request)
    }
}

impl<T: Transport + ?Sized> Transport for Box<T> {
    fn send(&self, request: Request) -> impl Future<Output = Result<Response, TransportError>> + Send {
        T::send(self, request)
    }
}

impl<T: Transport + ?Sized> Transport for Arc<T> {
    fn send(&self, request: Request) -> impl Future<Output = Result<Response, TransportError>> + Send {
        T::send(self, request)
    }
}

impl<T: Transport + ?Sized> LocalTransport for T {
    fn send_local(&self, request: Request) -> impl Future<Output = Result<Response, TransportError>> {
        self.send(request)
    }
}

impl<T: LocalTransport + ?Sized> LocalTransport for Rc<T> {
    fn send_local(&self, request: Request) -> impl Future<Output = Result<Response, TransportError>> {
        T::send_local(self, request)
    }
}

impl<T: BlockingTransport + ?Sized> BlockingTransport for &T {
    fn send_blocking(&self, request: Request) -> Result<Response, TransportError> {
        T::send_blocking(self, request)
    }
}

impl<T: BlockingTransport + ?Sized> BlockingTransport for Box<T> {
    fn send_blocking(&self, request: Request) -> Result<Response, TransportError> {
        T::send_blocking(self, request)
    }
}

impl<T: BlockingTransport + ?Sized> BlockingTransport for Rc<T> {
    fn send_blocking(&self, request: Request) -> Result<Response, TransportError> {
        T::send_blocking(self, request)
    }
}

impl<T: BlockingTransport + ?Sized> BlockingTransport for Arc<T> {
    fn send_blocking(&self, request: Request) -> Result<Response, TransportError> {
        T::send_blocking(self, request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SharedTransport, bytes::Bytes, from_fn};
    use std::cell::RefCell;
    use std::pin::pin;
    use std::sync::Mutex;
    use std::task::{Context, Waker};
    use std::thread;

    /// Notes every request's path and answers with the path.
    #[derive(Default)]
    struct Noting(Mutex<Vec<String>>);

    impl Noting {
        fn note(&self, request: &Request) -> Response {
            let path = request.uri().path().to_owned();
            self.0.lock().unwrap().push(path.clone());
            Response::new(path.into())
        }
    }

    impl Transport for Noting {
        async fn send(&self, request: Request) -> Result<Response, TransportError> {
            Ok(self.note(&request))
        }
    }

    impl BlockingTransport for Noting {
        fn send_blocking(&self, request: Request) -> Result<Response, TransportError> {
            Ok(self.note(&request))
        }
    }

    /// A transport for one thread: a type of the user's own that is not a `Transport`.
    #[derive(Default)]
    struct OneThread(Rc<RefCell<Vec<String>>>);

    impl LocalTransport for OneThread {
        async fn send_local(&self, request: Request) -> Result<Response, TransportError> {
            let path = request.uri().path().to_owned();
            self.0.borrow_mut().push(path.clone());
            Ok(Response::new(path.into()))
        }
    }

    fn to(path: &str) -> Request {
        http::Request::get(format!("https://provider.example{path}")).body(Bytes::new()).unwrap()
    }

    fn assert_send<T: Send>(_: &T) {}

    /// The bounds that the `spawn` of the multi-threaded runtimes sets for a future.
    fn spawn<F>(future: F) -> F::Output
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        thread::spawn(move || pollster::block_on(future)).join().unwrap()
    }

    /// Code that knows of its transport nothing but the trait.
    fn path_seen_when_spawned<T: Transport + 'static>(transport: T, path: &str) -> Bytes {
        let request = to(path);
        spawn(async move { transport.send(request).await.map(Response::into_body) }).unwrap()
    }

    async fn path_seen_by<T: LocalTransport + ?Sized>(transport: &T, path: &str) -> Bytes {
        transport.send_local(to(path)).await.unwrap().into_body()
    }

    fn path_seen_blocking(transport: impl BlockingTransport, path: &str) -> Bytes {
        transport.send_blocking(to(path)).unwrap().into_body()
    }

    #[test]
    fn a_transport_and_pointers_to_a_transport_can_be_spawned() {
        let noting = Arc::new(Noting::default());
        let leaked: &'static Noting = Box::leak(Box::default());
        assert_eq!(path_seen_when_spawned(Noting::default(), "/owned"), "/owned");
        assert_eq!(path_seen_when_spawned(Arc::clone(&noting), "/arc"), "/arc");
        assert_eq!(path_seen_when_spawned(Box::new(Arc::clone(&noting)), "/box"), "/box");
        assert_eq!(path_seen_when_spawned(leaked, "/ref"), "/ref");
        assert_eq!(path_seen_when_spawned(SharedTransport::new(Arc::clone(&noting)), "/shared"), "/shared");
        assert_eq!(*noting.0.lock().unwrap(), ["/arc", "/box", "/shared"]);
        assert_eq!(*leaked.0.lock().unwrap(), ["/ref"]);
    }

    #[test]
    fn every_future_of_a_transport_is_send() {
        let transport = from_fn(|_| async { Ok(Response::new(Bytes::new())) });
        assert_send(&transport.send(to("/")));
        assert_send(&<&_ as Transport>::send(&&transport, to("/")));
        assert_send(&Box::new(&transport).send(to("/")));
        assert_send(&Arc::new(&transport).send(to("/")));
        assert_send(&SharedTransport::new(Noting::default()).send(to("/")));
    }

    #[test]
    fn every_transport_is_a_local_transport() {
        let noting = Noting::default();
        pollster::block_on(async {
            assert_eq!(path_seen_by(&noting, "/owned").await, "/owned");
            assert_eq!(path_seen_by(&&noting, "/ref").await, "/ref");
            assert_eq!(path_seen_by(&Arc::new(&noting), "/arc").await, "/arc");
            assert_eq!(path_seen_by(&Box::new(&noting), "/box").await, "/box");
            assert_eq!(path_seen_by(&Rc::new(&noting), "/rc").await, "/rc");
        });
        assert_eq!(*noting.0.lock().unwrap(), ["/owned", "/ref", "/arc", "/box", "/rc"]);
    }

    #[test]
    fn a_local_transport_need_not_be_a_transport() {
        let local = OneThread::default();
        let seen = Rc::clone(&local.0);
        let shared = Rc::new(local);
        pollster::block_on(async {
            assert_eq!(path_seen_by(&*shared, "/owned").await, "/owned");
            assert_eq!(path_seen_by(&shared, "/rc").await, "/rc");
        });
        assert_eq!(*seen.borrow(), ["/owned", "/rc"]);
    }

    #[test]
    fn a_pointer_to_a_blocking_transport_is_a_blocking_transport() {
        let noting = Arc::new(Noting::default());
        assert_eq!(path_seen_blocking(&*noting, "/ref"), "/ref");
        assert_eq!(path_seen_blocking(Arc::clone(&noting), "/arc"), "/arc");
        assert_eq!(path_seen_blocking(Rc::new(&*noting), "/rc"), "/rc");
        assert_eq!(path_seen_blocking(Box::new(&*noting), "/box"), "/box");
        let borrowed: &dyn BlockingTransport = &*noting;
        assert_eq!(path_seen_blocking(borrowed, "/dyn"), "/dyn");
        let boxed: Box<dyn BlockingTransport> = Box::new(Noting::default());
        assert_eq!(path_seen_blocking(boxed, "/box-dyn"), "/box-dyn");
        assert_eq!(*noting.0.lock().unwrap(), ["/ref", "/arc", "/rc", "/box", "/dyn"]);
    }

    #[test]
    fn a_blocking_transport_without_its_type_is_shared_between_threads() {
        let noting = Arc::new(Noting::default());
        let shared: Arc<dyn BlockingTransport + Send + Sync> = Arc::clone(&noting) as _;
        let other = Arc::clone(&shared);
        let there = thread::spawn(move || path_seen_blocking(other, "/there")).join().unwrap();
        assert_eq!(there, "/there");
        assert_eq!(path_seen_blocking(shared, "/here"), "/here");
        assert_eq!(*noting.0.lock().unwrap(), ["/there", "/here"]);
    }

    #[test]
    fn nothing_is_sent_by_a_future_that_is_dropped_unpolled() {
        let noting = Arc::new(Noting::default());
        drop(noting.send(to("/")));
        drop(noting.send_local(to("/")));
        drop(SharedTransport::new(Arc::clone(&noting)).send(to("/")));
        assert!(noting.0.lock().unwrap().is_empty());
    }

    #[test]
    fn dropping_the_future_drops_the_values_of_the_stack() {
        let held = Arc::new(());
        let in_stack = Arc::clone(&held);
        let transport = SharedTransport::new(from_fn(move |_| {
            let connection = Arc::clone(&in_stack);
            async move {
                std::future::pending::<()>().await;
                drop(connection);
                Ok(Response::new(Bytes::new()))
            }
        }));
        {
            let mut sending = pin!(transport.send(to("/")));
            assert!(sending.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            assert_eq!(Arc::strong_count(&held), 3);
        }
        assert_eq!(Arc::strong_count(&held), 2);
    }
}
