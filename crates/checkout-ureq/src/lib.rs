//! The checkout crates over [ureq] 3: a blocking transport, without a runtime.
//!
//! The crate holds [`Ureq`], a [`BlockingTransport`] that keeps [the
//! contract](checkout_transport#the-contract).
//!
//! ```
//! use checkout_transport::{BlockingTransport, Delivery, bytes::Bytes, http};
//! use checkout_ureq::Ureq;
//! # use checkout_testkit::loopback::{ClosedPort, Server};
//! # use checkout_transport::{Request, Response, from_fn_blocking};
//! # let server = Server::start(from_fn_blocking(|request: Request| {
//! #     let mut response = Response::new(Bytes::from(request.uri().path().to_owned()));
//! #     *response.status_mut() = http::StatusCode::NOT_FOUND;
//! #     Ok(response)
//! # }))?;
//! # let provider = server.url().to_owned();
//!
//! let transport = Ureq::new();
//! let ask = |base: &str| http::Request::get(format!("{base}/v1/test/ping")).body(Bytes::new());
//! let response = transport.send_blocking(ask(&provider)?)?;
//! assert_eq!((response.status().as_u16(), &response.body()[..]), (404, &b"/v1/test/ping"[..]));
//!
//! let nobody_listens = ClosedPort::find()?;
//! let error = transport.send_blocking(ask(&nobody_listens.url())?).unwrap_err();
//! assert_eq!(error.delivery(), Delivery::NotSent);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # How it says what was delivered
//!
//! An error of ureq does not show when the error came about: a name that is not found and a connection that
//! is reset are both an I/O error, and so is a certificate that is refused. So [`Ureq::new`] and
//! [`Ureq::from_config`] watch the connections that ureq makes. The transport returns [`Delivery::NotSent`]
//! when ureq has had the request and has written nothing of the request to a connection: the name was not
//! found, the connection was refused, the TLS handshake failed, or the time was up before. Every other error
//! is [`Delivery::Unknown`]. The watch has two more consequences:
//!
//! - A middleware has to hand the request on in the thread that called the middleware. In another thread the
//!   request is refused.
//! - A body without a length, which ends when the connection does, is refused when the connection *broke*. In
//!   that case ureq takes the body for whole, and TLS would not notice that the body was cut.
//!
//! Through a proxy, the bytes that ask the proxy for the connection count as written.
//!
//! # What ureq does and nothing can turn off
//!
//! - **With its features `gzip`, `brotli` or `charset`** ureq decodes a body that is marked as encoded,
//!   although no encoding was asked for. **With its feature `cookies`** ureq keeps the cookies of answers and
//!   sends them. This crate switches none of them on. Cargo switches them on here too when another crate of
//!   the same program does: `cargo tree -e features -i ureq` shows the features.
//! - **At the level `trace` of the `log` crate ureq logs whole requests and responses**, keys and payers'
//!   data with them. Keep the targets `ureq` and `ureq_proto` at `debug` or above; `debug` has the host and a
//!   few harmless headers. No setting of this crate can change that.
//!
//! # Proxies
//!
//! ureq takes the first of `ALL_PROXY`, `HTTPS_PROXY` and `HTTP_PROXY` (and of the same in small letters) for
//! **every** URI, whatever the URI's scheme: `HTTPS_PROXY` is for `http` too, also to this machine. For an
//! `https` URI the proxy sees the host's name and no more. For an `http` URI, such as a sandbox's on
//! loopback, the proxy sees all, with the keys. `NO_PROXY=127.0.0.1,localhost` takes this machine out, and a
//! configuration with `.proxy(None)` uses no proxy.
//!
//! **What is not here:** an asynchronous transport, HTTP/2, retries. ureq speaks HTTP/1.1.
//!
//! **The one idea to know:** ureq keeps connections for the next request, for 15 seconds unless its
//! configuration says otherwise, and checks that a connection is still open before using the connection. A
//! provider that closes the connection in that very moment makes the request's outcome unknown. To connect
//! anew for every request, set `max_idle_connections(0)`.
//!
//! Sources: the source of ureq 3.5 and ureq-proto 0.7. The watch uses ureq's module `unversioned`, which may
//! change in a minor version, so this crate is held to the minor version that it was written for.
//!
//! # Features
//!
//! - `rustls` (default): TLS by rustls with the *ring* provider, which needs a C compiler to build, and with
//!   the root certificates of Mozilla compiled in. Without this feature, and without another TLS feature of
//!   ureq, every `https` URI is [`Delivery::NotSent`]. A program with ureq's `native-tls` has to name that
//!   provider in its configuration: ureq panics when the named provider is not built in.
//!
//! [`Delivery::NotSent`]: checkout_transport::Delivery::NotSent
//! [`Delivery::Unknown`]: checkout_transport::Delivery::Unknown

mod watch;

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use checkout_transport::http::{self, Method, Uri, Version, header};
use checkout_transport::{BODY_CAP, BlockingTransport, BodyBuffer, Request, Response, TransportError};
use ureq::config::{AutoHeaderValue, ConfigBuilder};
use ureq::typestate::AgentScope;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{Connector, DefaultConnector};
use ureq::{Agent, Body, Error};

pub use ureq;

use crate::watch::{Gate, Step, Watch, Watched};

/// The time-out of a whole exchange with [`Ureq::new`]: 30 seconds.
///
/// Assumed: no provider documents how long its answers take.
///
/// ```
/// assert_eq!(checkout_ureq::TIMEOUT.as_secs(), 30);
/// ```
pub const TIMEOUT: Duration = Duration::from_secs(30);

/// Sends requests over ureq.
///
/// A clone shares the connections. `Debug` shows the time-out and the cap.
///
/// Besides the rules that [the contract](checkout_transport#the-contract) sets for every transport: the
/// extensions of a request are dropped, as ureq would read settings from them. A URI with a user name or a
/// password is refused, as ureq would make a header of them; a URI that is not `http` or `https` is refused
/// too. A body is announced with its `content-length`; an empty body only for `POST`, `PUT` and `PATCH`.
///
/// ```
/// use std::sync::Arc;
///
/// use checkout_transport::BlockingTransport;
/// use checkout_ureq::Ureq;
///
/// let transport: Arc<dyn BlockingTransport + Send + Sync> = Arc::new(Ureq::new().cap(65_536));
/// # let _ = transport;
/// ```
#[derive(Clone)]
pub struct Ureq {
    agent: Agent,
    cap: usize,
}

impl Ureq {
    /// Returns ureq with its default configuration, with a time-out of [`TIMEOUT`].
    ///
    /// A proxy is taken [from the environment](crate#proxies), as ureq does by itself; see
    /// [`Ureq::from_config`] for without.
    ///
    /// ```
    /// use checkout_ureq::Ureq;
    ///
    /// assert_eq!(format!("{:?}", Ureq::new()), "Ureq { timeout: Some(30s), cap: 1048576, .. }");
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::from_config(Agent::config_builder(), TIMEOUT)
    }

    /// Returns ureq as configured, with the settings that the contract needs; `timeout` is for the whole
    /// exchange.
    ///
    /// These settings override the builder: no redirects, no error for a status, no `user-agent`, `accept`
    /// and `accept-encoding` of ureq's own, every method, the time-out as a whole. The rest is kept: TLS,
    /// proxy, connections, and time-outs of single steps, which can only shorten. A middleware is kept too:
    /// its changes go out, and a middleware that sends requests by other means breaks the contract.
    ///
    /// The time-out is an argument, as a builder does not show its own time-out. More than a year counts as a
    /// year.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use checkout_ureq::{Ureq, ureq};
    ///
    /// let config = ureq::Agent::config_builder().proxy(None).https_only(true);
    /// let transport = Ureq::from_config(config, Duration::from_secs(10));
    /// # let _ = transport;
    /// ```
    #[must_use]
    pub fn from_config(config: ConfigBuilder<AgentScope>, timeout: Duration) -> Self {
        Self::over(config, timeout, DefaultConnector::default())
    }

    /// Takes an agent unchanged: **nothing of the agent is checked or changed**.
    ///
    /// Use this for agents with a connector or a resolver of their own. The settings of [`Ureq::from_config`]
    /// are then for the agent's builder, and without a time-out there a call can last for ever. As for the
    /// others, the extensions are dropped, URIs are refused, the body is capped, and error texts are clean.
    /// But the connections are not watched. So **every error of the agent's is
    /// [`Delivery::Unknown`](checkout_transport::Delivery::Unknown)**, also that of a refused connection, and
    /// a body without a length can be cut short.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use checkout_ureq::{Ureq, ureq};
    ///
    /// let agent = ureq::Agent::config_builder()
    ///     .max_redirects(0)
    ///     .http_status_as_error(false)
    ///     .user_agent("")
    ///     .accept("")
    ///     .accept_encoding("")
    ///     .timeout_global(Some(Duration::from_secs(30)))
    ///     .build()
    ///     .new_agent();
    /// let transport = Ureq::from_agent_unchecked(agent);
    /// # let _ = transport;
    /// ```
    #[must_use]
    pub fn from_agent_unchecked(agent: Agent) -> Self {
        Self { agent, cap: BODY_CAP }
    }

    /// Sets the most bytes that a response's body may have. More than [`BODY_CAP`] counts as [`BODY_CAP`],
    /// the default.
    ///
    /// ```
    /// use checkout_ureq::Ureq;
    ///
    /// assert!(format!("{:?}", Ureq::new().cap(8)).contains("cap: 8"));
    /// ```
    #[must_use]
    pub fn cap(self, cap: usize) -> Self {
        Self { cap: cap.min(BODY_CAP), ..self }
    }

    fn over(config: ConfigBuilder<AgentScope>, timeout: Duration, connector: impl Connector) -> Self {
        let config = config
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .user_agent(AutoHeaderValue::None)
            .accept(AutoHeaderValue::None)
            .accept_encoding(AutoHeaderValue::None)
            .allow_non_standard_methods(true)
            // ureq panics when the clock cannot go so far.
            .timeout_global(Some(timeout.min(YEAR)))
            // The last one is the innermost.
            .middleware(Gate)
            .build();
        Self {
            agent: Agent::with_parts(config, Watched(connector), DefaultResolver::default()),
            cap: BODY_CAP,
        }
    }

    fn exchange(&self, request: Request) -> Result<http::Response<Body>, Error> {
        let (mut head, body) = request.into_parts();
        // ureq reads settings of its own from the extensions.
        head.extensions.clear();
        // The version is the transport's choice, and ureq speaks this one.
        head.version = Version::HTTP_11;
        if body.is_empty() && !announces_body(&head) {
            self.agent.run(http::Request::from_parts(head, ()))
        } else {
            self.agent.run(http::Request::from_parts(head, &body[..]))
        }
    }
}

impl Default for Ureq {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Ureq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ureq")
            .field("timeout", &self.agent.config().timeouts().global)
            .field("cap", &self.cap)
            .finish_non_exhaustive()
    }
}

impl BlockingTransport for Ureq {
    fn send_blocking(&self, request: Request) -> Result<Response, TransportError> {
        refuse(request.uri())?;
        let watch = Watch::begin();
        let response = match self.exchange(request) {
            Ok(response) => response,
            Err(error) if watch.step() == Step::Unsent => return Err(TransportError::not_sent(clean(error))),
            Err(error) => return Err(TransportError::unknown(clean(error))),
        };
        let (mut head, body) = response.into_parts();
        // The URI is in there.
        head.extensions.clear();
        let mut bytes = BodyBuffer::new(self.cap);
        if let Some(length) = body.content_length() {
            bytes.expect_length(length)?;
        }
        bytes.read_from(body.into_reader())?;
        if watch.step() == Step::Broken {
            return Err(TransportError::unknown("the connection broke before the response had ended"));
        }
        Ok(Response::from_parts(head, bytes.finish()?))
    }
}

/// Refuses a URI that ureq would refuse with the whole URI in its error, or would not send as given.
fn refuse(uri: &Uri) -> Result<(), TransportError> {
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err(TransportError::not_sent("the URI is neither http nor https"));
    }
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err(TransportError::not_sent("the URI has a user name or a password"));
    }
    Ok(())
}

/// True if even an empty body has its length announced: by RFC 9110, section 8.6, where the method has a
/// body, and where the caller announces the length already.
fn announces_body(head: &http::request::Parts) -> bool {
    [Method::POST, Method::PUT, Method::PATCH].contains(&head.method)
        || head.headers.contains_key(header::CONTENT_LENGTH)
        || head.headers.contains_key(header::TRANSFER_ENCODING)
}

/// The error, if its text is known to hold nothing of the request.
fn clean(error: Error) -> Box<dyn StdError + Send + Sync> {
    #[cfg(feature = "rustls")]
    if matches!(error, Error::Rustls(_)) {
        return error.into();
    }
    if matches!(error, Error::RequireHttpsOnly(_)) {
        return "the configuration asks for https, and the URI is http".into();
    }
    let is_clean = matches!(
        error,
        Error::StatusCode(_)
            | Error::Protocol(_)
            | Error::Io(_)
            | Error::Timeout(_)
            | Error::HostNotFound
            | Error::RedirectFailed
            | Error::InvalidProxyUrl
            | Error::ConnectionFailed
            | Error::BodyExceedsLimit(_)
            | Error::TooManyRedirects
            | Error::Tls(_)
            | Error::LargeResponseHeader(..)
            | Error::ConnectProxyFailed(_)
            | Error::TlsRequired
            | Error::Other(_)
    );
    if is_clean { error.into() } else { "ureq gave up, with a text that may quote the request".into() }
}

const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

#[cfg(test)]
mod tests;
