//! Transports made of closures.

use std::fmt;
use std::future::Future;

use crate::{BlockingTransport, LocalTransport, Request, Response, Transport, TransportError};

/// A [`Transport`] made of a closure that returns a future.
///
/// The future may not borrow from the closure; clone the values that the future needs, an HTTP client or an
/// `Arc`, into it. The closure keeps [the contract](crate#the-contract).
///
/// ```
/// # checkout_doctest::facade!(transport);
/// use checkout_kit::transport::bytes::Bytes;
/// use checkout_kit::transport::from_fn;
/// use checkout_kit::{Request, Response, Transport, TransportError};
///
/// let offline = from_fn(|_| async { Err(TransportError::not_sent("there is no network in this test")) });
/// let error = pollster::block_on(offline.send(Request::new(Bytes::new()))).unwrap_err();
/// assert_eq!(error.to_string(), "the request was not sent");
/// ```
pub fn from_fn<F, Fut>(f: F) -> FromFn<F>
where
    F: Fn(Request) -> Fut + Send + Sync,
    Fut: Future<Output = Result<Response, TransportError>> + Send,
{
    FromFn(f)
}

/// A [`LocalTransport`] made of a closure that returns a future; neither needs to be [`Send`].
///
/// ```
/// # checkout_doctest::facade!(transport);
/// use std::cell::Cell;
/// use std::rc::Rc;
///
/// use checkout_kit::transport::bytes::Bytes;
/// use checkout_kit::transport::from_fn_local;
/// use checkout_kit::{LocalTransport, Request, Response};
///
/// let sent = Rc::new(Cell::new(0));
/// let counting = {
///     let sent = Rc::clone(&sent);
///     from_fn_local(move |_| {
///         let sent = Rc::clone(&sent);
///         async move {
///             sent.set(sent.get() + 1);
///             Ok(Response::new(Bytes::new()))
///         }
///     })
/// };
/// pollster::block_on(counting.send_local(Request::new(Bytes::new())))?;
/// assert_eq!(sent.get(), 1);
/// # Ok::<(), checkout_transport::TransportError>(())
/// ```
pub fn from_fn_local<F, Fut>(f: F) -> FromFnLocal<F>
where
    F: Fn(Request) -> Fut,
    Fut: Future<Output = Result<Response, TransportError>>,
{
    FromFnLocal(f)
}

/// A [`BlockingTransport`] made of a closure. The crate's first page has a whole adapter.
///
/// ```
/// # checkout_doctest::facade!(transport);
/// use checkout_kit::transport::bytes::Bytes;
/// use checkout_kit::transport::from_fn_blocking;
/// use checkout_kit::{BlockingTransport, Request, Response};
///
/// let echo = from_fn_blocking(|request: Request| Ok(Response::new(request.into_body())));
/// let response = echo.send_blocking(Request::new(Bytes::from_static(b"hello")))?;
/// assert_eq!(response.body(), "hello");
/// # Ok::<(), checkout_transport::TransportError>(())
/// ```
pub fn from_fn_blocking<F>(f: F) -> FromFnBlocking<F>
where
    F: Fn(Request) -> Result<Response, TransportError>,
{
    FromFnBlocking(f)
}

/// The transport that [`from_fn`] returns.
///
/// ```
/// # use checkout_transport::{Response, bytes::Bytes, from_fn};
/// let transport = from_fn(|_| async { Ok(Response::new(Bytes::new())) });
/// assert_eq!(format!("{transport:?}"), "FromFn { .. }");
/// ```
#[derive(Clone, Copy)]
pub struct FromFn<F>(F);

/// The transport that [`from_fn_local`] returns.
///
/// ```
/// # use checkout_transport::{Response, bytes::Bytes, from_fn_local};
/// let transport = from_fn_local(|_| async { Ok(Response::new(Bytes::new())) });
/// assert_eq!(format!("{transport:?}"), "FromFnLocal { .. }");
/// ```
#[derive(Clone, Copy)]
pub struct FromFnLocal<F>(F);

/// The transport that [`from_fn_blocking`] returns.
///
/// ```
/// # use checkout_transport::{Response, bytes::Bytes, from_fn_blocking};
/// let transport = from_fn_blocking(|_| Ok(Response::new(Bytes::new())));
/// assert_eq!(format!("{transport:?}"), "FromFnBlocking { .. }");
/// ```
#[derive(Clone, Copy)]
pub struct FromFnBlocking<F>(F);

impl<F, Fut> Transport for FromFn<F>
where
    F: Fn(Request) -> Fut + Send + Sync,
    Fut: Future<Output = Result<Response, TransportError>> + Send,
{
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        (self.0)(request).await
    }
}

impl<F, Fut> LocalTransport for FromFnLocal<F>
where
    F: Fn(Request) -> Fut,
    Fut: Future<Output = Result<Response, TransportError>>,
{
    async fn send_local(&self, request: Request) -> Result<Response, TransportError> {
        (self.0)(request).await
    }
}

impl<F> BlockingTransport for FromFnBlocking<F>
where
    F: Fn(Request) -> Result<Response, TransportError>,
{
    fn send_blocking(&self, request: Request) -> Result<Response, TransportError> {
        (self.0)(request)
    }
}

impl<F> fmt::Debug for FromFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FromFn").finish_non_exhaustive()
    }
}

impl<F> fmt::Debug for FromFnLocal<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FromFnLocal").finish_non_exhaustive()
    }
}

impl<F> fmt::Debug for FromFnBlocking<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FromFnBlocking").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::Bytes;
    use crate::http::HeaderValue;
    use std::sync::{Arc, Mutex};

    /// A request with something in every part of it.
    fn request() -> Request {
        http::Request::post("https://provider.example/v1/checkout_intents/?b=2&a=1")
            .header("x-nonce", "one")
            .header("x-doubled", "first")
            .header("x-doubled", "second")
            .body(Bytes::from_static(b"{\"a\" : 1}\n"))
            .unwrap()
    }

    fn response() -> Response {
        http::Response::builder()
            .status(503)
            .header("retry-after", "1")
            .header("retry-after", "2")
            .body(Bytes::from_static(b"\x00\xff"))
            .unwrap()
    }

    /// Sends `request()` over a transport and asserts that all of it arrived, and all of the answer.
    fn check(send: impl FnOnce(Arc<Mutex<Vec<Request>>>) -> Result<Response, TransportError>) {
        let received = Arc::new(Mutex::new(Vec::new()));
        let answer = send(Arc::clone(&received)).unwrap();
        let received = received.lock().unwrap();
        let [seen] = received.as_slice() else { panic!("{} requests arrived", received.len()) };
        assert_eq!(seen.method(), request().method());
        assert_eq!(seen.uri(), request().uri());
        assert_eq!(seen.headers(), request().headers());
        assert_eq!(seen.body(), request().body());
        assert_eq!(answer.status(), 503);
        let doubled: Vec<&HeaderValue> = answer.headers().get_all("retry-after").iter().collect();
        assert_eq!(doubled, ["1", "2"]);
        assert_eq!(answer.body(), response().body());
    }

    #[test]
    fn a_closure_gets_the_request_whole_and_its_answer_comes_back_whole() {
        check(|received| {
            let transport = from_fn(move |request| {
                let received = Arc::clone(&received);
                async move {
                    received.lock().unwrap().push(request);
                    Ok(response())
                }
            });
            pollster::block_on(transport.send(request()))
        });
    }

    #[test]
    fn a_local_closure_gets_the_request_whole_and_its_answer_comes_back_whole() {
        check(|received| {
            let transport = from_fn_local(move |request| {
                received.lock().unwrap().push(request);
                async { Ok(response()) }
            });
            pollster::block_on(transport.send_local(request()))
        });
    }

    #[test]
    fn a_blocking_closure_gets_the_request_whole_and_its_answer_comes_back_whole() {
        check(|received| {
            let transport = from_fn_blocking(move |request| {
                received.lock().unwrap().push(request);
                Ok(response())
            });
            transport.send_blocking(request())
        });
    }

    #[test]
    fn a_closure_is_not_called_before_its_future_is_polled() {
        let calls = Mutex::new(0);
        let transport = from_fn(|_| {
            *calls.lock().unwrap() += 1;
            async { Ok(response()) }
        });
        let sending = transport.send(request());
        assert_eq!(*calls.lock().unwrap(), 0);
        pollster::block_on(sending).unwrap();
        assert_eq!(*calls.lock().unwrap(), 1);
    }
}
