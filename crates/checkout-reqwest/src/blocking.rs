//! The adapter for programs that keep their thread.

use std::fmt;
use std::mem;
use std::time::Duration;

use checkout_transport::{BlockingTransport, Request, Response, TransportError};
use reqwest::blocking;

use crate::error::{BuildError, without_head};
use crate::limits::{CONNECT_TIMEOUT, Limits, keeping_the_contract};
use crate::uri;

/// A [`BlockingTransport`] over [`reqwest::blocking::Client`].
///
/// A clone shares its connections, and the thread that reqwest has for them. The client is not for
/// asynchronous code: there, building, sending and dropping the client can panic, as reqwest does.
///
/// ```
/// use std::time::Duration;
///
/// use checkout_reqwest::Blocking;
///
/// let transport = Blocking::new()?.timeout(Duration::from_secs(20)).cap(64 * 1024);
/// # Ok::<(), checkout_reqwest::BuildError>(())
/// ```
#[derive(Clone)]
pub struct Blocking {
    client: blocking::Client,
    limits: Limits,
}

impl Blocking {
    /// A client with reqwest's settings: see [`Reqwest::new`](crate::Reqwest::new).
    ///
    /// # Errors
    /// [`BuildError`] when TLS cannot be set up, or no thread is available.
    ///
    /// # Panics
    ///
    /// As for [`Reqwest::new`](crate::Reqwest::new), and inside an asynchronous runtime.
    ///
    /// ```
    /// use checkout_reqwest::Blocking;
    ///
    /// let transport = Blocking::new()?;
    /// # Ok::<(), checkout_reqwest::BuildError>(())
    /// ```
    pub fn new() -> Result<Self, BuildError> {
        Self::from_builder(blocking::Client::builder().connect_timeout(CONNECT_TIMEOUT))
    }

    /// A client with settings of your own: see [`Reqwest::from_builder`](crate::Reqwest::from_builder).
    ///
    /// # Errors
    /// [`BuildError`] when reqwest cannot build the client.
    ///
    /// # Panics
    ///
    /// As for [`new`](Self::new).
    ///
    /// ```
    /// use checkout_reqwest::{Blocking, CONNECT_TIMEOUT, reqwest};
    ///
    /// let builder = reqwest::blocking::Client::builder().connect_timeout(CONNECT_TIMEOUT).https_only(true);
    /// let transport = Blocking::from_builder(builder)?;
    /// # Ok::<(), checkout_reqwest::BuildError>(())
    /// ```
    pub fn from_builder(builder: blocking::ClientBuilder) -> Result<Self, BuildError> {
        let client = keeping_the_contract!(builder).build().map_err(BuildError)?;
        Ok(Self { client, limits: Limits::new(true) })
    }

    /// Takes an existing client: see
    /// [`Reqwest::from_client_unchecked`](crate::Reqwest::from_client_unchecked) for the guarantees that are
    /// skipped.
    ///
    /// ```
    /// use checkout_reqwest::{Blocking, reqwest};
    ///
    /// let builder = reqwest::blocking::Client::builder();
    /// let client = builder.redirect(reqwest::redirect::Policy::none()).retry(reqwest::retry::never()).build()?;
    /// let transport = Blocking::from_client_unchecked(client);
    /// # Ok::<(), reqwest::Error>(())
    /// ```
    #[must_use]
    pub fn from_client_unchecked(client: blocking::Client) -> Self {
        Self { client, limits: Limits::new(false) }
    }

    /// Sets the time-out of a whole exchange: see [`Reqwest::timeout`](crate::Reqwest::timeout).
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let transport = checkout_reqwest::Blocking::new()?.timeout(Duration::from_secs(20));
    /// assert!(format!("{transport:?}").contains("timeout: 20s"));
    /// # Ok::<(), checkout_reqwest::BuildError>(())
    /// ```
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.limits.timeout = timeout;
        self
    }

    /// Sets how many bytes a response's body may have: see [`Reqwest::cap`](crate::Reqwest::cap).
    ///
    /// ```
    /// let transport = checkout_reqwest::Blocking::new()?.cap(65_536);
    /// assert!(format!("{transport:?}").contains("cap: 65536"));
    /// # Ok::<(), checkout_reqwest::BuildError>(())
    /// ```
    #[must_use]
    pub fn cap(mut self, cap: usize) -> Self {
        self.limits.cap = cap;
        self
    }

    /// Takes your word that reqwest has TLS: see [`Reqwest::assume_tls`](crate::Reqwest::assume_tls).
    ///
    /// ```
    /// let transport = checkout_reqwest::Blocking::new()?.assume_tls();
    /// # Ok::<(), checkout_reqwest::BuildError>(())
    /// ```
    #[must_use]
    pub fn assume_tls(mut self) -> Self {
        self.limits.tls = true;
        self
    }
}

impl BlockingTransport for Blocking {
    fn send_blocking(&self, request: Request) -> Result<Response, TransportError> {
        let (head, body) = request.into_parts();
        let url = uri::as_given(&head.uri, self.limits.tls).map_err(TransportError::not_sent)?;
        let mut outgoing = blocking::Request::new(head.method, url);
        *outgoing.headers_mut() = head.headers;
        // With a body of no bytes reqwest would write a `content-length`, for a GET too.
        if !body.is_empty() {
            *outgoing.body_mut() = Some(body.into());
        }
        *outgoing.timeout_mut() = Some(self.limits.timeout);

        let answer = self.client.execute(outgoing);
        let mut answer = answer.map_err(|error| without_head(self.limits, error))?;
        let mut body = self.limits.buffer(answer.content_length())?;
        body.read_from(&mut answer)?;

        let mut response = Response::new(body.finish()?);
        *response.status_mut() = answer.status();
        *response.version_mut() = answer.version();
        *response.headers_mut() = mem::take(answer.headers_mut());
        Ok(response)
    }
}

impl fmt::Debug for Blocking {
    /// The limits. The client's own `Debug` could print its configuration.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blocking")
            .field("timeout", &self.limits.timeout)
            .field("cap", &self.limits.cap)
            .finish_non_exhaustive()
    }
}
