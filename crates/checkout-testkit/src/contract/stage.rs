//! The stage that tries a law: the transport under test, a server, and the observations.

use std::cell::RefCell;
use std::error::Error;
use std::future::Future;
use std::io;
use std::net::TcpListener;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use checkout_transport::bytes::Bytes;
use checkout_transport::{
    BlockingTransport, Delivery, LocalTransport, Request, Response, TransportError, http,
};

use super::server::{Exchange, Received, Records, Server};
use super::{Broken, Law};

/// The time-out where none is to be reached. The server lets go sooner.
const AMPLE: Duration = Duration::from_secs(60);

/// The time-out for laws in which the time-out is reached.
const SHORT: Duration = Duration::from_millis(200);

pub(super) struct Stage<'m, T> {
    law: Law,
    make: &'m dyn Fn(Duration) -> T,
    /// Ports that no later server of the same law may get: a transport may keep connections to them.
    retired: RefCell<Vec<TcpListener>>,
}

pub(super) type Outcome = Result<Response, TransportError>;

impl<'m, T: LocalTransport> Stage<'m, T> {
    pub(super) fn new(law: Law, make: &'m dyn Fn(Duration) -> T) -> Self {
        Self { law, make, retired: RefCell::default() }
    }

    /// A transport with more time than it needs.
    pub(super) fn transport(&self) -> T {
        (self.make)(AMPLE)
    }

    /// A transport that soon gives up.
    pub(super) fn hasty(&self) -> T {
        (self.make)(SHORT)
    }

    pub(super) fn broken<V>(&self, seen: impl Into<String>) -> Result<V, Broken> {
        Err(Broken { law: self.law, seen: seen.into() })
    }

    pub(super) fn serve(
        &self,
        script: impl Fn(&mut Exchange) -> io::Result<()> + Send + Sync + 'static,
    ) -> Result<Server, Broken> {
        Server::start(script).or_else(|error| self.broken(format!("the suite has no server: {error}")))
    }

    /// The records of the server until now.
    pub(super) fn finish(&self, server: Server) -> Records {
        let (records, listener) = server.finish();
        self.retired.borrow_mut().extend(listener);
        records
    }

    /// The request, which is the suite's own and well formed.
    pub(super) fn build(&self, request: http::request::Builder, body: &[u8]) -> Result<Request, Broken> {
        request
            .body(Bytes::copy_from_slice(body))
            .or_else(|error| self.broken(format!("the suite has no request: {error}")))
    }

    /// One request to a server of this script: the result, and the bytes that the server received.
    pub(super) async fn exchange(
        &self,
        transport: &T,
        method: &str,
        body: &[u8],
        script: impl Fn(&mut Exchange) -> io::Result<()> + Send + Sync + 'static,
    ) -> Result<(Outcome, Records), Broken> {
        let server = self.serve(script)?;
        let request = self.build(http::Request::builder().method(method).uri(server.uri("/law")), body)?;
        let outcome = transport.send_local(request).await;
        Ok((outcome, self.finish(server)))
    }

    /// The response to one `GET`, if the server sends `bytes` and the end of the connection ends the
    /// response.
    pub(super) async fn response_to(
        &self,
        transport: &T,
        method: &str,
        what: &str,
        bytes: Vec<u8>,
    ) -> Result<Response, Broken> {
        let script = move |exchange: &mut Exchange| {
            while exchange.request()?.is_some() {
                exchange.write(&bytes)?;
                exchange.close_for_writing()?;
            }
            Ok(())
        };
        let (outcome, _) = self.exchange(transport, method, b"", script).await?;
        self.ok(what, outcome)
    }

    pub(super) fn ok(&self, what: &str, outcome: Outcome) -> Result<Response, Broken> {
        outcome.or_else(|error| self.broken(format!("{what}: {}", said(&error))))
    }

    /// The error, which has to be [`Delivery::Unknown`].
    pub(super) fn unknown(&self, what: &str, outcome: Outcome) -> Result<TransportError, Broken> {
        match outcome {
            Err(error) if error.delivery() == Delivery::Unknown => Ok(error),
            Err(error) => self.broken(format!("{what}: {}", said(&error))),
            Ok(response) => self.broken(format!(
                "{what}: the transport gave a response with status {} and {} bytes",
                response.status().as_u16(),
                response.body().len()
            )),
        }
    }

    /// The one request that came.
    pub(super) fn only<'r>(&self, what: &str, records: &'r Records) -> Result<&'r Received, Broken> {
        match (records.attempts(), &records.requests()[..]) {
            (1, [request]) => Ok(request),
            (attempts, whole) if attempts > whole.len() => {
                self.broken(format!("{what}: {attempts} requests came, {} of them whole", whole.len()))
            }
            (attempts, _) => self.broken(format!("{what}: {attempts} requests came")),
        }
    }
}

/// A blocking transport as one whose future is ready at once.
pub(super) struct AtOnce<T>(pub(super) T);

impl<T: BlockingTransport> LocalTransport for AtOnce<T> {
    async fn send_local(&self, request: Request) -> Result<Response, TransportError> {
        self.0.send_blocking(request)
    }
}

/// Runs a future on this thread.
pub(super) fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// The error of a transport, in words.
pub(super) fn said(error: &TransportError) -> String {
    let mut text = format!("the transport failed, delivery {}: {error}", error.delivery());
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

/// Bytes as they are shown: escaped, and not all of them.
pub(super) fn shown(bytes: &[u8]) -> String {
    const MOST: usize = 80;
    let start = bytes.get(..MOST).unwrap_or(bytes).escape_ascii();
    if bytes.len() > MOST {
        format!("\"{start}…\" ({} bytes)", bytes.len())
    } else {
        format!("\"{start}\"")
    }
}

/// A whole response with a `content-length`.
pub(super) fn response(status: &str, headers: &[(&str, &[u8])], body: &[u8]) -> Vec<u8> {
    let length = body.len().to_string();
    let mut bytes = head(status, &[headers, &[("content-length", length.as_bytes())]].concat());
    bytes.extend_from_slice(body);
    bytes
}

/// A response's head.
pub(super) fn head(status: &str, headers: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {status}\r\n").into_bytes();
    for (name, value) in headers {
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes
}

/// A chunked response.
pub(super) fn chunked(body: &[u8], chunk: usize) -> Vec<u8> {
    [head("200 OK", &[("transfer-encoding", b"chunked")]), chunks(body, chunk)].concat()
}

/// The body of a chunked response.
pub(super) fn chunks(body: &[u8], chunk: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for chunk in body.chunks(chunk.max(1)) {
        bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        bytes.extend_from_slice(chunk);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    bytes
}

/// Answers every request of every connection with these bytes.
pub(super) fn answering(bytes: Vec<u8>) -> impl Fn(&mut Exchange) -> io::Result<()> + Send + Sync + 'static {
    move |exchange| {
        while exchange.request()?.is_some() {
            exchange.write(&bytes)?;
        }
        Ok(())
    }
}

/// Answers every request with its own target.
pub(super) fn echo(exchange: &mut Exchange) -> io::Result<()> {
    while let Some(request) = exchange.request()? {
        exchange.write(&response("200 OK", &[], request.target.as_bytes()))?;
    }
    Ok(())
}
