//! The adapter for asynchronous programs.

use std::fmt;
use std::mem;
use std::time::Duration;

use checkout_transport::{Request, Response, Transport, TransportError};

use crate::error::{BuildError, without_head};
use crate::limits::{CONNECT_TIMEOUT, Limits, keeping_the_contract};
use crate::uri;

/// A [`Transport`] over [`reqwest::Client`].
///
/// A clone shares its connections. Use the client inside a Tokio runtime with its timers and its I/O switched
/// on: without a runtime, sending panics, as reqwest does.
///
/// ```
/// use std::time::Duration;
///
/// use checkout_reqwest::Reqwest;
///
/// let transport = Reqwest::new()?.timeout(Duration::from_secs(20)).cap(64 * 1024);
/// # Ok::<(), checkout_reqwest::BuildError>(())
/// ```
#[derive(Clone)]
pub struct Reqwest {
    client: reqwest::Client,
    limits: Limits,
}

impl Reqwest {
    /// A client with reqwest's settings, as far as they [keep the contract](crate), and with
    /// [`CONNECT_TIMEOUT`].
    ///
    /// # Errors
    /// [`BuildError`] when TLS cannot be set up: on Linux, when there are no files with certificates to
    /// trust. Without the feature `rustls` there is no such error, and no request to an `https` URI is
    /// [sent](crate#tls).
    ///
    /// # Panics
    ///
    /// reqwest panics when its feature `rustls-no-provider` is on, `rustls` is not, and no provider is
    /// installed.
    ///
    /// ```
    /// use checkout_reqwest::Reqwest;
    ///
    /// let transport = Reqwest::new()?;
    /// # Ok::<(), checkout_reqwest::BuildError>(())
    /// ```
    pub fn new() -> Result<Self, BuildError> {
        Self::from_builder(reqwest::Client::builder().connect_timeout(CONNECT_TIMEOUT))
    }

    /// A client with settings of your own: certificates, proxies, how names are resolved, `https_only`.
    ///
    /// The settings that the contract needs override the builder: no redirects, no repeats, no decompression,
    /// no log of the bytes sent, no header of a response dropped. Settings that cannot be undone in a
    /// builder, such as headers for every request, [are named on the crate's first page](crate). The time-out
    /// is this type's and not the builder's; the builder's `connect_timeout` and `read_timeout` hold too.
    ///
    /// # Errors
    /// [`BuildError`] when reqwest cannot build the client.
    ///
    /// # Panics
    ///
    /// As for [`new`](Self::new).
    ///
    /// ```
    /// use checkout_reqwest::{CONNECT_TIMEOUT, Reqwest, reqwest};
    ///
    /// let builder = reqwest::Client::builder().connect_timeout(CONNECT_TIMEOUT).https_only(true);
    /// let transport = Reqwest::from_builder(builder)?;
    /// # Ok::<(), checkout_reqwest::BuildError>(())
    /// ```
    pub fn from_builder(builder: reqwest::ClientBuilder) -> Result<Self, BuildError> {
        let client = keeping_the_contract!(builder).build().map_err(BuildError)?;
        Ok(Self { client, limits: Limits::new(true) })
    }

    /// Takes an existing client, whose settings can no longer be read.
    ///
    /// These guarantees are skipped: that redirects are not followed, that nothing is sent twice, that bodies
    /// come back as they were sent, that no byte is logged and no header dropped. A client from
    /// [`reqwest::Client::new`] follows redirects and so does not keep the contract. The URI, the cap and the
    /// time-out are checked as ever.
    ///
    /// Every error is [`Delivery::Unknown`](checkout_transport::Delivery::Unknown): for a client that may
    /// follow or repeat, it is unknown which of the client's requests could not connect. Take
    /// [`from_builder`](Self::from_builder) where you can.
    ///
    /// ```
    /// use checkout_reqwest::{Reqwest, reqwest};
    ///
    /// let builder = reqwest::Client::builder();
    /// let client = builder.redirect(reqwest::redirect::Policy::none()).retry(reqwest::retry::never()).build()?;
    /// let transport = Reqwest::from_client_unchecked(client);
    /// # Ok::<(), reqwest::Error>(())
    /// ```
    #[must_use]
    pub fn from_client_unchecked(client: reqwest::Client) -> Self {
        Self { client, limits: Limits::new(false) }
    }

    /// Sets the time-out of a whole exchange, from connecting to the body's last byte. The default is
    /// [`TIMEOUT`](crate::TIMEOUT).
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let transport = checkout_reqwest::Reqwest::new()?.timeout(Duration::from_secs(20));
    /// assert!(format!("{transport:?}").contains("timeout: 20s"));
    /// # Ok::<(), checkout_reqwest::BuildError>(())
    /// ```
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.limits.timeout = timeout;
        self
    }

    /// Sets how many bytes a response's body may have. The default, and the maximum, is
    /// [`BODY_CAP`](checkout_transport::BODY_CAP).
    ///
    /// ```
    /// let transport = checkout_reqwest::Reqwest::new()?.cap(65_536);
    /// assert!(format!("{transport:?}").contains("cap: 65536"));
    /// # Ok::<(), checkout_reqwest::BuildError>(())
    /// ```
    #[must_use]
    pub fn cap(mut self, cap: usize) -> Self {
        self.limits.cap = cap;
        self
    }

    /// Takes your word that reqwest has TLS, by one of reqwest's own features, though this crate's `rustls`
    /// is off.
    ///
    /// Without that word, and without `rustls`, no request to an `https` URI is sent. A reqwest without TLS
    /// would refuse the request too, but not when there is a proxy: the proxy gets the request in clear, with
    /// its keys. With `rustls` this changes nothing.
    ///
    /// ```
    /// let transport = checkout_reqwest::Reqwest::new()?.assume_tls();
    /// # Ok::<(), checkout_reqwest::BuildError>(())
    /// ```
    #[must_use]
    pub fn assume_tls(mut self) -> Self {
        self.limits.tls = true;
        self
    }
}

impl Transport for Reqwest {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let (head, body) = request.into_parts();
        let url = uri::as_given(&head.uri, self.limits.tls).map_err(TransportError::not_sent)?;
        let mut outgoing = reqwest::Request::new(head.method, url);
        *outgoing.headers_mut() = head.headers;
        *outgoing.body_mut() = Some(body.into());
        *outgoing.timeout_mut() = Some(self.limits.timeout);

        let answer = self.client.execute(outgoing).await;
        let mut answer = answer.map_err(|error| without_head(self.limits, error))?;
        let mut body = self.limits.buffer(answer.content_length())?;
        while let Some(chunk) =
            answer.chunk().await.map_err(|error| TransportError::unknown(error.without_url()))?
        {
            body.push(&chunk)?;
        }

        let mut response = Response::new(body.finish()?);
        *response.status_mut() = answer.status();
        *response.version_mut() = answer.version();
        *response.headers_mut() = mem::take(answer.headers_mut());
        Ok(response)
    }
}

impl fmt::Debug for Reqwest {
    /// The limits. The client's own `Debug` would print the headers and the proxies of its configuration.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reqwest")
            .field("timeout", &self.limits.timeout)
            .field("cap", &self.limits.cap)
            .finish_non_exhaustive()
    }
}
