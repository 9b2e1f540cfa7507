//! Any transport as an HTTP/1.1 server on 127.0.0.1, for tests.
//!
//! The module holds [`Server`], which takes requests from sockets, hands each to a [`BlockingTransport`] and
//! writes its answer back; and [`ClosedPort`], where nobody listens. With a sandbox as that transport, the
//! server tests a real HTTP stack, and programs in any language.
//!
//! ```
//! use std::io::{Read, Write};
//! use std::net::TcpStream;
//!
//! use checkout_testkit::loopback::Server;
//! use checkout_transport::{Request, Response, from_fn_blocking};
//!
//! let echo = from_fn_blocking(|request: Request| Ok(Response::new(request.into_body())));
//! let server = Server::start(echo)?;
//!
//! let mut stream = TcpStream::connect(server.address())?;
//! stream.write_all(b"POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 5\r\n\r\n")?;
//! stream.write_all(b"hello")?;
//! let mut answer = String::new();
//! stream.read_to_string(&mut answer)?;
//! assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nhello"), "{answer}");
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # What the transport is given
//!
//! - The method, the path, the query and the body's bytes, exactly as they came. A chunked body is put
//!   together; the trailers are dropped.
//! - **All headers**, those of the connection too (`host`, `content-length`, `connection`). Their names are
//!   in lower case, as the `http` crate has them.
//! - An absolute URI. For [`Server::start`] the URI is `http://` and the request's `host`. For
//!   [`Server::start_as`] the URI is the base given there, whatever the `host` says: for sandboxes that read
//!   the base.
//!
//! # What the client gets
//!
//! - The transport's status, headers and body, with the body's own `content-length`. The headers
//!   `connection`, `keep-alive`, `transfer-encoding` and `content-length` of the answer are the server's; but
//!   an answer to `HEAD` and a 304, which have no body, keep the transport's `content-length`. Where the
//!   answer has `connection: close`, the connection is closed. No `date` is added.
//! - **A closed connection, without a byte of an answer, for every
//!   [`TransportError`](checkout_transport::TransportError)**, for a transport that panics, and for an
//!   informational status (1xx), which is not an answer. The client cannot know how far its request got, and
//!   reports [`Delivery::Unknown`](checkout_transport::Delivery::Unknown), also where the transport reported
//!   [`Delivery::NotSent`](checkout_transport::Delivery::NotSent). An open connection cannot play a refused
//!   connection: use [`ClosedPort`] for that. An HTTP stack that repeats a request on its own does so here
//!   too; the repeat is a breach of [the contract](checkout_transport#the-contract) that a test should find.
//! - 400 for bytes that are not HTTP, 413 for a body over [`BODY_CAP`](checkout_transport::BODY_CAP), 431 for
//!   a head over [`HEAD_CAP`] or with more than [`HEADERS_CAP`] headers, 417 for an expectation that is not
//!   `100-continue`, 501 for a transfer coding that is not `chunked`, 505 for another major version. The
//!   connection is then closed, and the transport never sees the request.
//!
//! **What is not here:** TLS, HTTP/2, timeouts, logs, a server that other machines reach. The server listens
//! on 127.0.0.1 alone, on a port that the system chooses.
//!
//! **The one idea to know:** the server adds nothing and decides nothing. The transport judges a request.
//!
//! Sources: HTTP Semantics, RFC 9110; HTTP/1.1, RFC 9112.

mod closed_port;
mod connection;
mod head;
mod incoming;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use checkout_transport::BlockingTransport;
use checkout_transport::http::uri::{Authority, Scheme, Uri};

pub use closed_port::ClosedPort;

/// The most bytes that a request's line and headers may have together: 64 KiB.
///
/// ```
/// assert_eq!(checkout_testkit::loopback::HEAD_CAP, 65_536);
/// ```
pub const HEAD_CAP: usize = 1 << 16;

/// The most headers that a request may have.
///
/// ```
/// assert_eq!(checkout_testkit::loopback::HEADERS_CAP, 128);
/// ```
pub const HEADERS_CAP: usize = 128;

/// A transport that is served over HTTP/1.1 on 127.0.0.1, until the server is dropped.
///
/// Every connection has a thread of its own and is kept open for the next request. Dropping the server closes
/// all connections and waits for their threads. A thread inside the transport ends only when the transport
/// returns, so a server is never dropped by its own transport.
///
/// ```
/// use std::sync::Arc;
///
/// use checkout_testkit::loopback::Server;
/// use checkout_transport::{Response, bytes::Bytes, from_fn_blocking};
///
/// let pong = Arc::new(Bytes::from_static(b"pong"));
/// let held = Arc::clone(&pong);
/// let server = Server::start(from_fn_blocking(move |_| Ok(Response::new(Bytes::clone(&held)))))?;
/// assert!(server.url().starts_with("http://127.0.0.1:"));
///
/// drop(server);
/// assert_eq!(Arc::strong_count(&pong), 1); // and so the transport is gone, with all threads
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Server {
    address: SocketAddr,
    url: String,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves `transport`, whose requests then have the URI `http://{host}{path and query}`, with the
    /// request's own `host`.
    ///
    /// # Errors
    /// [`io::Error`] when no port or no thread is available.
    ///
    /// ```
    /// use std::io::{Read, Write};
    ///
    /// use checkout_testkit::loopback::Server;
    /// use checkout_transport::{Request, Response, from_fn_blocking};
    ///
    /// let server = Server::start(from_fn_blocking(|request: Request| {
    ///     Ok(Response::new(request.uri().to_string().into()))
    /// }))?;
    /// let mut stream = std::net::TcpStream::connect(server.address())?;
    /// stream.write_all(b"GET /a?b HTTP/1.1\r\nhost: shop.example\r\nconnection: close\r\n\r\n")?;
    /// let mut answer = String::new();
    /// stream.read_to_string(&mut answer)?;
    /// assert!(answer.ends_with("\r\n\r\nhttp://shop.example/a?b"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn start(transport: impl BlockingTransport + Send + Sync + 'static) -> io::Result<Self> {
        Self::serve(None, Arc::new(transport))
    }

    /// Serves `transport` in the place of `base`, such as `https://openapi.allscale.io`: the requests have
    /// the URI `{base}{path and query}`.
    ///
    /// `base` is a scheme and a host, with a port or without. The `host` header is passed on as received.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] when `base` is something else; otherwise as for [`Server::start`].
    ///
    /// ```
    /// use std::io::{Read, Write};
    ///
    /// use checkout_testkit::loopback::Server;
    /// use checkout_transport::{Request, Response, from_fn_blocking};
    ///
    /// let server = Server::start_as("https://secure.example", from_fn_blocking(|request: Request| {
    ///     Ok(Response::new(request.uri().to_string().into()))
    /// }))?;
    /// let mut stream = std::net::TcpStream::connect(server.address())?;
    /// stream.write_all(b"GET /status HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n")?;
    /// let mut answer = String::new();
    /// stream.read_to_string(&mut answer)?;
    /// assert!(answer.ends_with("\r\n\r\nhttps://secure.example/status"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn start_as(
        base: &str,
        transport: impl BlockingTransport + Send + Sync + 'static,
    ) -> io::Result<Self> {
        Self::serve(Some(base_of(base)?), Arc::new(transport))
    }

    /// The URL of the server: `http://127.0.0.1:{port}`, without a slash at the end.
    ///
    /// ```
    /// # use checkout_testkit::loopback::Server;
    /// # use checkout_transport::{Response, bytes::Bytes, from_fn_blocking};
    /// let server = Server::start(from_fn_blocking(|_| Ok(Response::new(Bytes::new()))))?;
    /// assert_eq!(server.url(), format!("http://{}", server.address()));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The socket address of the server.
    ///
    /// ```
    /// # use checkout_testkit::loopback::Server;
    /// # use checkout_transport::{Response, bytes::Bytes, from_fn_blocking};
    /// let server = Server::start(from_fn_blocking(|_| Ok(Response::new(Bytes::new()))))?;
    /// assert!(server.address().ip().is_loopback());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    fn serve(base: Option<Base>, transport: Served) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { transport, base, address, stopping: AtomicBool::new(false) });
        let accepting = {
            let shared = Arc::clone(&shared);
            thread::Builder::new().name("loopback".to_owned()).spawn(move || accept(listener, &shared))?
        };
        Ok(Self { address, url: format!("http://{address}"), shared, accepting: Some(accepting) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        let Some(accepting) = self.accepting.take() else { return };
        accepting.thread().unpark();
        // The thread waits for the next connection, so this connects. If the connection is refused, the
        // thread has gone already.
        let woken = match TcpStream::connect(self.address) {
            Ok(_) => true,
            Err(error) => error.kind() == io::ErrorKind::ConnectionRefused,
        };
        if woken {
            let _ = accepting.join();
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("url", &self.url).finish_non_exhaustive()
    }
}

type Served = Arc<dyn BlockingTransport + Send + Sync>;

/// The state that the threads share.
struct Shared {
    transport: Served,
    base: Option<Base>,
    address: SocketAddr,
    stopping: AtomicBool,
}

/// The part of a URI before the path.
#[derive(Clone)]
struct Base {
    scheme: Scheme,
    authority: Authority,
}

fn base_of(base: &str) -> io::Result<Base> {
    let parts = base.parse::<Uri>().map(Uri::into_parts).ok();
    let parts = parts.filter(|parts| parts.path_and_query.as_ref().is_none_or(|path| path == "/"));
    match parts.map(|parts| (parts.scheme, parts.authority)) {
        Some((Some(scheme), Some(authority))) if !authority.as_str().contains('@') => {
            Ok(Base { scheme, authority })
        }
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "the base is not a scheme and a host")),
    }
}

/// Takes connections in until the server stops, then closes them and waits for their threads.
fn accept(listener: TcpListener, shared: &Arc<Shared>) {
    let mut open: Vec<(Weak<TcpStream>, JoinHandle<()>)> = Vec::new();
    loop {
        let accepted = listener.accept();
        if shared.stopping.load(Ordering::SeqCst) {
            break;
        }
        open.retain(|(_, thread)| !thread.is_finished());
        match accepted {
            Ok((stream, _)) => open.extend(connect(stream, shared)),
            // Too many files are open, most likely: give others the time to close theirs.
            Err(_) => thread::park_timeout(BREATH),
        }
    }
    drop(listener);
    for (stream, _) in &open {
        if let Some(stream) = stream.upgrade() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
    for (_, thread) in open {
        let _ = thread.join();
    }
}

/// The connection's thread, and its stream for as long as that thread has the stream. Without a thread the
/// stream is closed.
fn connect(stream: TcpStream, shared: &Arc<Shared>) -> Option<(Weak<TcpStream>, JoinHandle<()>)> {
    let stream = Arc::new(stream);
    let weak = Arc::downgrade(&stream);
    let shared = Arc::clone(shared);
    let builder = thread::Builder::new().name("loopback connection".to_owned());
    let thread = builder.spawn(move || connection::serve(&stream, &shared)).ok()?;
    Some((weak, thread))
}

const BREATH: Duration = Duration::from_millis(10);
