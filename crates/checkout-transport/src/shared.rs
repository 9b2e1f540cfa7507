//! A transport whose type does not name its HTTP stack.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::{Request, Response, Transport, TransportError};

/// Any [`Transport`], behind a pointer that is cheap to clone.
///
/// For a program that chooses its HTTP stack at run time, or that would rather not carry a type parameter
/// about. The type costs one allocation for every request. For blocking programs `Arc<dyn BlockingTransport +
/// Send + Sync>` is the same: see [`BlockingTransport`](crate::BlockingTransport).
///
/// `Debug` says nothing of the transport inside.
///
/// ```
/// # checkout_doctest::facade!(transport);
/// use checkout_kit::transport::bytes::Bytes;
/// use checkout_kit::transport::{SharedTransport, from_fn};
/// use checkout_kit::{Request, Response, Transport};
///
/// let live = false;
/// let transport = if live {
///     SharedTransport::new(from_fn(|_| async { Ok(Response::new(Bytes::from_static(b"live"))) }))
/// } else {
///     SharedTransport::new(from_fn(|_| async { Ok(Response::new(Bytes::from_static(b"test"))) }))
/// };
/// let response = pollster::block_on(transport.clone().send(Request::new(Bytes::new())))?;
/// assert_eq!(response.body(), "test");
/// # Ok::<(), checkout_transport::TransportError>(())
/// ```
#[derive(Clone)]
pub struct SharedTransport(Arc<dyn AnyTransport>);

impl SharedTransport {
    /// Takes a transport in.
    ///
    /// ```
    /// # checkout_doctest::facade!(transport);
    /// use checkout_kit::Response;
    /// use checkout_kit::transport::bytes::Bytes;
    /// use checkout_kit::transport::{SharedTransport, from_fn};
    ///
    /// let shared = SharedTransport::new(from_fn(|_| async { Ok(Response::new(Bytes::new())) }));
    /// assert_eq!(format!("{shared:?}"), "SharedTransport { .. }");
    /// ```
    #[must_use]
    pub fn new(transport: impl Transport + 'static) -> Self {
        Self(Arc::new(transport))
    }
}

impl Transport for SharedTransport {
    fn send(&self, request: Request) -> impl Future<Output = Result<Response, TransportError>> + Send {
        self.0.send_boxed(request)
    }
}

impl fmt::Debug for SharedTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedTransport").finish_non_exhaustive()
    }
}

/// [`Transport`] in the form that can be a trait object.
trait AnyTransport: Send + Sync {
    fn send_boxed(&self, request: Request) -> BoxedSend<'_>;
}

impl<T: Transport> AnyTransport for T {
    fn send_boxed(&self, request: Request) -> BoxedSend<'_> {
        Box::pin(self.send(request))
    }
}

type BoxedSend<'a> = Pin<Box<dyn Future<Output = Result<Response, TransportError>> + Send + 'a>>;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::Bytes;
    use crate::{Delivery, from_fn};

    #[test]
    fn the_answer_and_the_error_of_the_inner_transport_come_through() {
        let shared = SharedTransport::new(from_fn(|request: Request| async move {
            if request.body().is_empty() {
                return Err(TransportError::not_sent("empty"));
            }
            Ok(Response::new(request.into_body()))
        }));
        let sent = pollster::block_on(shared.send(Request::new(Bytes::from_static(b"body")))).unwrap();
        assert_eq!(sent.body(), "body");
        let error = pollster::block_on(shared.send(Request::new(Bytes::new()))).unwrap_err();
        assert_eq!(error.delivery(), Delivery::NotSent);
    }

    #[test]
    fn a_clone_is_the_same_transport() {
        let inner = Arc::new(from_fn(|_| async { Ok(Response::new(Bytes::new())) }));
        let shared = SharedTransport::new(Arc::clone(&inner));
        let clone = shared.clone();
        assert_eq!(Arc::strong_count(&inner), 2);
        drop((shared, clone));
        assert_eq!(Arc::strong_count(&inner), 1);
    }
}
