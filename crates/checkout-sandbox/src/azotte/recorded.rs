//! What the sandbox has seen and answered.

use std::fmt;

use checkout_transport::bytes::Bytes;
use checkout_transport::http::request::Parts;
use checkout_transport::http::{HeaderMap, Method, Uri};
use serde_json::Value;

/// A request that the sandbox has seen, and what it answered.
///
/// Nothing of a card is kept: see [`body`](RecordedRequest::body). The API key is in the headers, and a
/// customer's URN and address are in the body. `Debug` prints none of these: only the method, the path, the
/// names of the headers, lengths, and the answer's status and code.
///
/// ```
/// use checkout_sandbox::azotte::Sandbox;
/// use checkout_transport::{BlockingTransport, bytes::Bytes, http};
///
/// let sandbox = Sandbox::new(1);
/// let status = "https://acme.sandbox.azotte.com/api/v1/c2a/offer/checkout/trk_1/status";
/// sandbox.send_blocking(http::Request::get(status).body(Bytes::new())?)?;
/// let requests = sandbox.requests();
/// assert_eq!(requests[0].method(), "GET");
/// assert_eq!(requests[0].answered_status(), 401); // it had no key
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct RecordedRequest {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
    body_len: usize,
    at_millis: u64,
    answer: RecordedAnswer,
}

#[derive(Debug, Clone)]
pub(super) struct RecordedAnswer {
    pub(super) status: u16,
    pub(super) code: Option<String>,
    pub(super) body: Bytes,
    pub(super) arrived: bool,
}

impl RecordedRequest {
    pub(super) fn new(head: Parts, body: &Bytes, at_millis: u64, answer: RecordedAnswer) -> Self {
        let (body_len, body) = (body.len(), without_card(body));
        Self { method: head.method, uri: head.uri, headers: head.headers, body, body_len, at_millis, answer }
    }

    /// The method, as it was sent.
    ///
    /// ```
    /// # let sandbox = checkout_sandbox::azotte::Sandbox::new(1);
    /// # use checkout_transport::{BlockingTransport, Request, bytes::Bytes};
    /// sandbox.send_blocking(Request::new(Bytes::new()))?;
    /// assert_eq!(sandbox.requests()[0].method(), "GET");
    /// # Ok::<(), checkout_transport::TransportError>(())
    /// ```
    #[must_use]
    pub fn method(&self) -> &str {
        self.method.as_str()
    }

    /// The path, as it was sent: percent-encoded, without the query.
    ///
    /// ```
    /// # let sandbox = checkout_sandbox::azotte::Sandbox::new(1);
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
    /// # let sandbox = checkout_sandbox::azotte::Sandbox::new(1);
    /// # use checkout_transport::{BlockingTransport, Request, bytes::Bytes};
    /// sandbox.send_blocking(Request::new(Bytes::new()))?;
    /// assert_eq!(sandbox.requests()[0].query(), "");
    /// # Ok::<(), checkout_transport::TransportError>(())
    /// ```
    #[must_use]
    pub fn query(&self) -> &str {
        self.uri.query().unwrap_or_default()
    }

    /// The headers. They hold the API key.
    ///
    /// ```
    /// # let sandbox = checkout_sandbox::azotte::Sandbox::new(1);
    /// # use checkout_transport::{BlockingTransport, Request, bytes::Bytes};
    /// sandbox.send_blocking(Request::new(Bytes::new()))?;
    /// assert!(sandbox.requests()[0].headers().is_empty());
    /// # Ok::<(), checkout_transport::TransportError>(())
    /// ```
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body without anything of a card: the JSON that was sent, printed anew, where every value in a
    /// `creditCard`, and every member elsewhere that has the name of one of its fields, is `"removed"`.
    /// Empty when the body was not JSON, since nobody knows what is in it.
    ///
    /// ```
    /// # let sandbox = checkout_sandbox::azotte::Sandbox::new(1);
    /// # use checkout_transport::{BlockingTransport, Request, bytes::Bytes};
    /// sandbox.send_blocking(Request::new(Bytes::from_static(br#"{"creditCard": {"cvc": "123"}}"#)))?;
    /// assert_eq!(sandbox.requests()[0].body(), r#"{"creditCard":{"cvc":"removed"}}"#);
    /// # Ok::<(), checkout_transport::TransportError>(())
    /// ```
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// How many bytes the body had when it was sent.
    ///
    /// ```
    /// # let sandbox = checkout_sandbox::azotte::Sandbox::new(1);
    /// # use checkout_transport::{BlockingTransport, Request, bytes::Bytes};
    /// sandbox.send_blocking(Request::new(Bytes::from_static(b"not JSON")))?;
    /// assert_eq!(sandbox.requests()[0].body_len(), 8);
    /// # Ok::<(), checkout_transport::TransportError>(())
    /// ```
    #[must_use]
    pub fn body_len(&self) -> usize {
        self.body_len
    }

    /// When it arrived, by the sandbox's clock: milliseconds since 1970-01-01 UTC.
    ///
    /// ```
    /// # let sandbox = checkout_sandbox::azotte::Sandbox::new(1);
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
    /// # let sandbox = checkout_sandbox::azotte::Sandbox::new(1);
    /// # use checkout_transport::{BlockingTransport, Request, bytes::Bytes};
    /// sandbox.send_blocking(Request::new(Bytes::new()))?;
    /// assert_eq!(sandbox.requests()[0].answered_status(), 404);
    /// # Ok::<(), checkout_transport::TransportError>(())
    /// ```
    #[must_use]
    pub fn answered_status(&self) -> u16 {
        self.answer.status
    }

    /// The `messageCode` of the answer. `None` when the answer was no whole `CheckoutResult`.
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

    /// The answer's body.
    ///
    /// ```
    /// # let sandbox = checkout_sandbox::azotte::Sandbox::new(1);
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
    /// # let sandbox = checkout_sandbox::azotte::Sandbox::new(1);
    /// # use checkout_transport::{BlockingTransport, Request, bytes::Bytes};
    /// # use checkout_sandbox::azotte::Fault;
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
            .field("body_len", &self.body_len)
            .field("at_millis", &self.at_millis)
            .field("answered_status", &self.answer.status)
            .field("answered_code", &self.answer.code)
            .field("answered_len", &self.answer.body.len())
            .field("answer_arrived", &self.answer.arrived)
            .finish()
    }
}

fn without_card(body: &[u8]) -> Bytes {
    let Ok(mut value) = serde_json::from_slice::<Value>(body) else { return Bytes::new() };
    remove_card(&mut value, false);
    Bytes::from(value.to_string())
}

fn remove_card(value: &mut Value, is_of_card: bool) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let is_card = CARD.iter().any(|of_card| name.eq_ignore_ascii_case(of_card));
                remove_card(value, is_of_card || is_card);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| remove_card(value, is_of_card)),
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) | Value::String(_) if is_of_card => *value = "removed".into(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The names of the page, and the short ones that it gives beside those.
const CARD: [&str; 8] =
    ["creditCard", "CC", "cardHolderName", "cardNumber", "expireMonth", "expireYear", "cvc", "cardAlias"];
