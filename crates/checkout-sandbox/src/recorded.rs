//! The requests that a sandbox has seen, with its answers.

use std::fmt;

use checkout_tables::Moment;
use checkout_transport::bytes::Bytes;
use checkout_transport::http::request::Parts;
use checkout_transport::http::{HeaderMap, Method, Uri};

use crate::answer::Answer;
use crate::mishap::Mishap;

/// A request that a sandbox has seen, with the sandbox's answer.
///
/// `Code` is the type of the provider's own code: an integer for AllScale, a text for Azotte and for Peach.
/// Each provider's module has an alias with that type filled in.
///
/// `Debug` prints the method, the path, the names of the headers, lengths, and the answer's status and code:
/// no key, no signature, no secret, no token, and nothing of a payer.
///
/// ```
/// use checkout_sandbox::allscale::Sandbox;
/// use checkout_transport::{BlockingTransport, bytes::Bytes, http};
///
/// let sandbox = Sandbox::new(1);
/// let ping = http::Request::get("https://openapi.allscale.io/v1/test/ping").body(Bytes::new())?;
/// sandbox.send_blocking(ping)?;
/// let requests = sandbox.requests();
/// assert_eq!((requests[0].method(), requests[0].path()), ("GET", "/v1/test/ping"));
/// assert_eq!(requests[0].answered_code(), Some(20001)); // the request was not signed
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct RecordedRequest<Code> {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
    body_len: usize,
    at: Moment,
    answer: RecordedAnswer<Code>,
}

#[derive(Clone)]
struct RecordedAnswer<Code> {
    status: u16,
    code: Option<Code>,
    body: Bytes,
    arrived: bool,
}

impl<Code> RecordedRequest<Code> {
    /// `body` is the part of the sent body that may be kept, and `body_len` the length of the whole.
    pub(crate) fn new(
        head: Parts,
        body: Bytes,
        body_len: usize,
        at: Moment,
        answer: &Answer<Code>,
        mishap: Option<Mishap>,
    ) -> Self
    where
        Code: Clone,
    {
        let answer = RecordedAnswer {
            status: answer.status.as_u16(),
            code: answer.code.clone(),
            body: answer.body.clone(),
            arrived: answer.loss(mishap).is_none(),
        };
        Self { method: head.method, uri: head.uri, headers: head.headers, body, body_len, at, answer }
    }

    /// The method, as the client sent it.
    ///
    /// ```
    /// # let sandbox = checkout_sandbox::allscale::Sandbox::new(1);
    /// # use checkout_transport::{BlockingTransport, Request, bytes::Bytes};
    /// sandbox.send_blocking(Request::new(Bytes::new()))?;
    /// assert_eq!(sandbox.requests()[0].method(), "GET");
    /// # Ok::<(), checkout_transport::TransportError>(())
    /// ```
    #[must_use]
    pub fn method(&self) -> &str {
        self.method.as_str()
    }

    /// The host in the request's address. Empty if the address has none.
    ///
    /// ```
    /// # let sandbox = checkout_sandbox::allscale::Sandbox::new(1);
    /// # use checkout_transport::{BlockingTransport, Request, bytes::Bytes};
    /// sandbox.send_blocking(Request::new(Bytes::new()))?;
    /// assert_eq!(sandbox.requests()[0].host(), "");
    /// # Ok::<(), checkout_transport::TransportError>(())
    /// ```
    #[must_use]
    pub fn host(&self) -> &str {
        self.uri.host().unwrap_or_default()
    }

    /// The path, as the client sent it: percent-encoded, without the query.
    ///
    /// ```
    /// # let sandbox = checkout_sandbox::allscale::Sandbox::new(1);
    /// # use checkout_transport::{BlockingTransport, Request, bytes::Bytes};
    /// sandbox.send_blocking(Request::new(Bytes::new()))?;
    /// assert_eq!(sandbox.requests()[0].path(), "/");
    /// # Ok::<(), checkout_transport::TransportError>(())
    /// ```
    #[must_use]
    pub fn path(&self) -> &str {
        self.uri.path()
    }

    /// The query, as the client sent it, without its `?`. Empty if there is none.
    ///
    /// ```
    /// # let sandbox = checkout_sandbox::allscale::Sandbox::new(1);
    /// # use checkout_transport::{BlockingTransport, Request, bytes::Bytes};
    /// sandbox.send_blocking(Request::new(Bytes::new()))?;
    /// assert_eq!(sandbox.requests()[0].query(), "");
    /// # Ok::<(), checkout_transport::TransportError>(())
    /// ```
    #[must_use]
    pub fn query(&self) -> &str {
        self.uri.query().unwrap_or_default()
    }

    /// The headers, with the API key, the signature, `Referer` and `Authorization` among them. No header
    /// holds a secret that signs.
    ///
    /// ```
    /// # let sandbox = checkout_sandbox::allscale::Sandbox::new(1);
    /// # use checkout_transport::{BlockingTransport, Request, bytes::Bytes};
    /// sandbox.send_blocking(Request::new(Bytes::new()))?;
    /// assert!(sandbox.requests()[0].headers().is_empty());
    /// # Ok::<(), checkout_transport::TransportError>(())
    /// ```
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body, as the client sent it.
    ///
    /// Azotte's sandbox keeps nothing of a card: the body is the JSON that the client sent, printed anew,
    /// with `"removed"` in place of every value in a `creditCard`, and of every member elsewhere that has the
    /// name of a field of a card. A body that is not JSON is kept as an empty body, since such a body could
    /// hold anything.
    ///
    /// ```
    /// # let sandbox = checkout_sandbox::allscale::Sandbox::new(1);
    /// # use checkout_transport::{BlockingTransport, Request, bytes::Bytes};
    /// sandbox.send_blocking(Request::new(Bytes::from_static(b"{}")))?;
    /// assert_eq!(sandbox.requests()[0].body(), "{}");
    ///
    /// let azotte = checkout_sandbox::azotte::Sandbox::new(1);
    /// azotte.send_blocking(Request::new(Bytes::from_static(br#"{"creditCard": {"cvc": "123"}}"#)))?;
    /// assert_eq!(azotte.requests()[0].body(), r#"{"creditCard":{"cvc":"removed"}}"#);
    /// # Ok::<(), checkout_transport::TransportError>(())
    /// ```
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The number of bytes of the body, as the client sent it.
    ///
    /// ```
    /// # let sandbox = checkout_sandbox::allscale::Sandbox::new(1);
    /// # use checkout_transport::{BlockingTransport, Request, bytes::Bytes};
    /// sandbox.send_blocking(Request::new(Bytes::from_static(b"not JSON")))?;
    /// assert_eq!(sandbox.requests()[0].body_len(), 8);
    /// # Ok::<(), checkout_transport::TransportError>(())
    /// ```
    #[must_use]
    pub fn body_len(&self) -> usize {
        self.body_len
    }

    /// The time of arrival, by the sandbox's clock.
    ///
    /// ```
    /// # let sandbox = checkout_sandbox::allscale::Sandbox::new(1);
    /// # use checkout_transport::{BlockingTransport, Request, bytes::Bytes};
    /// sandbox.send_blocking(Request::new(Bytes::new()))?;
    /// assert_eq!(sandbox.requests()[0].at(), sandbox.clock().now());
    /// # Ok::<(), checkout_transport::TransportError>(())
    /// ```
    #[must_use]
    pub fn at(&self) -> Moment {
        self.at
    }

    /// The HTTP status of the answer.
    ///
    /// ```
    /// # let sandbox = checkout_sandbox::allscale::Sandbox::new(1);
    /// # use checkout_transport::{BlockingTransport, Request, bytes::Bytes};
    /// sandbox.send_blocking(Request::new(Bytes::new()))?;
    /// assert_eq!(sandbox.requests()[0].answered_status(), 404);
    /// # Ok::<(), checkout_transport::TransportError>(())
    /// ```
    #[must_use]
    pub fn answered_status(&self) -> u16 {
        self.answer.status
    }

    /// The answer's body.
    ///
    /// ```
    /// # let sandbox = checkout_sandbox::allscale::Sandbox::new(1);
    /// # use checkout_transport::{BlockingTransport, Request, bytes::Bytes};
    /// let response = sandbox.send_blocking(Request::new(Bytes::new()))?;
    /// assert_eq!(sandbox.requests()[0].answered_body(), response.body());
    /// # Ok::<(), checkout_transport::TransportError>(())
    /// ```
    #[must_use]
    pub fn answered_body(&self) -> &Bytes {
        &self.answer.body
    }

    /// True if the answer got back to the client whole.
    ///
    /// ```
    /// # let sandbox = checkout_sandbox::allscale::Sandbox::new(1);
    /// # use checkout_transport::{BlockingTransport, Request, bytes::Bytes};
    /// # use checkout_sandbox::allscale::Fault;
    /// sandbox.inject(Fault::LostAnswer);
    /// assert!(sandbox.send_blocking(Request::new(Bytes::new())).is_err());
    /// assert!(!sandbox.requests()[0].answer_arrived());
    /// ```
    #[must_use]
    pub fn answer_arrived(&self) -> bool {
        self.answer.arrived
    }
}

impl RecordedRequest<i64> {
    /// The `code` of the answer's envelope, 0 for success. `None` if the answer is no whole envelope.
    ///
    /// ```
    /// # let sandbox = checkout_sandbox::allscale::Sandbox::new(1);
    /// # use checkout_transport::{BlockingTransport, Request, bytes::Bytes};
    /// sandbox.send_blocking(Request::new(Bytes::new()))?;
    /// assert_eq!(sandbox.requests()[0].answered_code(), None); // a page of HTML
    /// # Ok::<(), checkout_transport::TransportError>(())
    /// ```
    #[must_use]
    pub fn answered_code(&self) -> Option<i64> {
        self.answer.code
    }
}

impl RecordedRequest<String> {
    /// The code in the answer: Azotte's `messageCode`, `None` if the answer is no whole `CheckoutResult`, or
    /// Peach's result code, `None` if the answer has none.
    ///
    /// ```
    /// # let sandbox = checkout_sandbox::azotte::Sandbox::new(1);
    /// # use checkout_transport::{BlockingTransport, Request, bytes::Bytes};
    /// sandbox.send_blocking(Request::new(Bytes::new()))?;
    /// assert_eq!(sandbox.requests()[0].answered_code(), None); // no path of the API
    /// # Ok::<(), checkout_transport::TransportError>(())
    /// ```
    #[must_use]
    pub fn answered_code(&self) -> Option<&str> {
        self.answer.code.as_deref()
    }
}

impl<Code: fmt::Debug> fmt::Debug for RecordedRequest<Code> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordedRequest")
            .field("method", &self.method)
            .field("path", &self.path())
            .field("query_len", &self.query().len())
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("body_len", &self.body_len)
            .field("at", &self.at)
            .field("answered_status", &self.answer.status)
            .field("answered_code", &self.answer.code)
            .field("answered_len", &self.answer.body.len())
            .field("answer_arrived", &self.answer.arrived)
            .finish()
    }
}
