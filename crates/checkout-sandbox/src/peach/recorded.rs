//! What the sandbox has seen and answered.

use std::fmt;

use checkout_transport::bytes::Bytes;
use checkout_transport::http::request::Parts;
use checkout_transport::http::{HeaderMap, Method, Uri};

/// A request that the sandbox has seen, and what it answered.
///
/// `Debug` prints the method, the path, the names of the headers, lengths and the answer's status and code:
/// neither a signature nor a secret nor a token, and nothing of a payer.
///
/// ```
/// use checkout_sandbox::peach::Sandbox;
/// use checkout_transport::{BlockingTransport, bytes::Bytes, http};
///
/// let sandbox = Sandbox::new(1);
/// let status = http::Request::get("https://testsecure.peachpayments.com/status").body(Bytes::new())?;
/// sandbox.send_blocking(status)?;
/// let requests = sandbox.requests();
/// assert_eq!((requests[0].method(), requests[0].path()), ("GET", "/status"));
/// assert_eq!(requests[0].answered_status(), 400); // it was not signed
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct RecordedRequest {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
    at_millis: u64,
    answer: RecordedAnswer,
}

#[derive(Clone)]
pub(super) struct RecordedAnswer {
    pub(super) status: u16,
    pub(super) code: Option<String>,
    pub(super) body: Bytes,
    pub(super) arrived: bool,
}

impl RecordedRequest {
    pub(super) fn new(head: Parts, body: Bytes, at_millis: u64, answer: RecordedAnswer) -> Self {
        Self { method: head.method, uri: head.uri, headers: head.headers, body, at_millis, answer }
    }

    /// The method, as it was sent.
    ///
    /// ```
    /// # let sandbox = checkout_sandbox::peach::Sandbox::new(1);
    /// # use checkout_transport::{BlockingTransport, Request, bytes::Bytes};
    /// sandbox.send_blocking(Request::new(Bytes::new()))?;
    /// assert_eq!(sandbox.requests()[0].method(), "GET");
    /// # Ok::<(), checkout_transport::TransportError>(())
    /// ```
    #[must_use]
    pub fn method(&self) -> &str {
        self.method.as_str()
    }

    /// The host that it was sent to, empty when it named none.
    ///
    /// ```
    /// # let sandbox = checkout_sandbox::peach::Sandbox::new(1);
    /// # use checkout_transport::{BlockingTransport, Request, bytes::Bytes};
    /// sandbox.send_blocking(Request::new(Bytes::new()))?;
    /// assert_eq!(sandbox.requests()[0].host(), "");
    /// # Ok::<(), checkout_transport::TransportError>(())
    /// ```
    #[must_use]
    pub fn host(&self) -> &str {
        self.uri.host().unwrap_or_default()
    }

    /// The path, as it was sent: percent-encoded, without the query.
    ///
    /// ```
    /// # let sandbox = checkout_sandbox::peach::Sandbox::new(1);
    /// # use checkout_transport::{BlockingTransport, Request, bytes::Bytes};
    /// sandbox.send_blocking(Request::new(Bytes::new()))?;
    /// assert_eq!(sandbox.requests()[0].path(), "/");
    /// # Ok::<(), checkout_transport::TransportError>(())
    /// ```
    #[must_use]
    pub fn path(&self) -> &str {
        self.uri.path()
    }

    /// The query, as it was sent and without its `?`; empty when there is none.
    ///
    /// ```
    /// # let sandbox = checkout_sandbox::peach::Sandbox::new(1);
    /// # use checkout_transport::{BlockingTransport, Request, bytes::Bytes};
    /// sandbox.send_blocking(Request::new(Bytes::new()))?;
    /// assert_eq!(sandbox.requests()[0].query(), "");
    /// # Ok::<(), checkout_transport::TransportError>(())
    /// ```
    #[must_use]
    pub fn query(&self) -> &str {
        self.uri.query().unwrap_or_default()
    }

    /// The headers, `Referer` and `Authorization` among them.
    ///
    /// ```
    /// # let sandbox = checkout_sandbox::peach::Sandbox::new(1);
    /// # use checkout_transport::{BlockingTransport, Request, bytes::Bytes};
    /// sandbox.send_blocking(Request::new(Bytes::new()))?;
    /// assert!(sandbox.requests()[0].headers().is_empty());
    /// # Ok::<(), checkout_transport::TransportError>(())
    /// ```
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body's bytes, as they were sent.
    ///
    /// ```
    /// # let sandbox = checkout_sandbox::peach::Sandbox::new(1);
    /// # use checkout_transport::{BlockingTransport, Request, bytes::Bytes};
    /// sandbox.send_blocking(Request::new(Bytes::from_static(b"{}")))?;
    /// assert_eq!(sandbox.requests()[0].body(), "{}");
    /// # Ok::<(), checkout_transport::TransportError>(())
    /// ```
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// When it arrived, by the sandbox's clock: milliseconds since 1970-01-01 UTC.
    ///
    /// ```
    /// # let sandbox = checkout_sandbox::peach::Sandbox::new(1);
    /// # use checkout_transport::{BlockingTransport, Request, bytes::Bytes};
    /// sandbox.send_blocking(Request::new(Bytes::new()))?;
    /// assert_eq!(sandbox.requests()[0].at_millis(), sandbox.clock().now_millis());
    /// # Ok::<(), checkout_transport::TransportError>(())
    /// ```
    #[must_use]
    pub fn at_millis(&self) -> u64 {
        self.at_millis
    }

    /// The HTTP status of the answer.
    ///
    /// ```
    /// # let sandbox = checkout_sandbox::peach::Sandbox::new(1);
    /// # use checkout_transport::{BlockingTransport, Request, bytes::Bytes};
    /// sandbox.send_blocking(Request::new(Bytes::new()))?;
    /// assert_eq!(sandbox.requests()[0].answered_status(), 404);
    /// # Ok::<(), checkout_transport::TransportError>(())
    /// ```
    #[must_use]
    pub fn answered_status(&self) -> u16 {
        self.answer.status
    }

    /// The result code in the answer. `None` when it has none.
    ///
    /// ```
    /// # let sandbox = checkout_sandbox::peach::Sandbox::new(1);
    /// # use checkout_transport::{BlockingTransport, Request, bytes::Bytes};
    /// sandbox.send_blocking(Request::new(Bytes::new()))?;
    /// assert_eq!(sandbox.requests()[0].answered_code(), None); // a page of HTML
    /// # Ok::<(), checkout_transport::TransportError>(())
    /// ```
    #[must_use]
    pub fn answered_code(&self) -> Option<&str> {
        self.answer.code.as_deref()
    }

    /// The answer's body.
    ///
    /// ```
    /// # let sandbox = checkout_sandbox::peach::Sandbox::new(1);
    /// # use checkout_transport::{BlockingTransport, Request, bytes::Bytes};
    /// let response = sandbox.send_blocking(Request::new(Bytes::new()))?;
    /// assert_eq!(sandbox.requests()[0].answered_body(), response.body());
    /// # Ok::<(), checkout_transport::TransportError>(())
    /// ```
    #[must_use]
    pub fn answered_body(&self) -> &Bytes {
        &self.answer.body
    }

    /// Whether the answer got back to the caller whole.
    ///
    /// ```
    /// # let sandbox = checkout_sandbox::peach::Sandbox::new(1);
    /// # use checkout_transport::{BlockingTransport, Request, bytes::Bytes};
    /// # use checkout_sandbox::peach::Fault;
    /// sandbox.inject(Fault::LostAnswer);
    /// assert!(sandbox.send_blocking(Request::new(Bytes::new())).is_err());
    /// assert!(!sandbox.requests()[0].answer_arrived());
    /// ```
    #[must_use]
    pub fn answer_arrived(&self) -> bool {
        self.answer.arrived
    }
}

impl fmt::Debug for RecordedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordedRequest")
            .field("method", &self.method)
            .field("path", &self.path())
            .field("query_len", &self.query().len())
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("body_len", &self.body.len())
            .field("at_millis", &self.at_millis)
            .field("answered_status", &self.answer.status)
            .field("answered_code", &self.answer.code)
            .field("answered_len", &self.answer.body.len())
            .field("answer_arrived", &self.answer.arrived)
            .finish()
    }
}
