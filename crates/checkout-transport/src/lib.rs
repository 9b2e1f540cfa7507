//! The transport contract of the checkout crates: one request out, one response back, over any HTTP stack.
//!
//! The crate holds the traits [`Transport`], [`BlockingTransport`] and [`LocalTransport`]; [`from_fn`] and
//! its two siblings, which make a transport of a closure; [`SharedTransport`], for programs that choose their
//! stack at run time; [`TransportError`], which says how far the request got; and [`BodyBuffer`], which reads
//! a body and keeps the cap.
//!
//! A whole blocking adapter, for a stack that returns a status, headers and a reader:
//!
//! ```
//! # checkout_doctest::facade!(transport);
//! # mod stack {
//! #     use std::io;
//! #     #[derive(Debug)]
//! #     pub enum Failure { Connect(io::Error), Exchange(io::Error) }
//! #     pub struct Answer {
//! #         pub status: u16, pub headers: Vec<(String, Vec<u8>)>, pub body: io::Cursor<Vec<u8>>,
//! #     }
//! #     pub fn exchange(
//! #         method: &str, uri: &str, _headers: &checkout_transport::http::HeaderMap, _body: &[u8],
//! #     ) -> Result<Answer, Failure> {
//! #         match uri {
//! #             "https://refused.example/" => Err(Failure::Connect(io::ErrorKind::NotConnected.into())),
//! #             "https://silent.example/" => Err(Failure::Exchange(io::ErrorKind::TimedOut.into())),
//! #             _ => Ok(Answer {
//! #                 status: 404,
//! #                 headers: vec![("content-type".into(), b"text/plain".to_vec())],
//! #                 body: io::Cursor::new(format!("{method} what?").into_bytes()),
//! #             }),
//! #         }
//! #     }
//! # }
//! use checkout_kit::transport::{BodyBuffer, Delivery, from_fn_blocking};
//! use checkout_kit::{BlockingTransport, Request, Response, TransportError};
//!
//! let transport = from_fn_blocking(|request: Request| {
//!     let (head, body) = request.into_parts();
//!     let uri = head.uri.to_string();
//!     let mut answer = match stack::exchange(head.method.as_str(), &uri, &head.headers, &body) {
//!         Ok(answer) => answer,
//!         Err(stack::Failure::Connect(error)) => return Err(TransportError::not_sent(error)),
//!         Err(stack::Failure::Exchange(error)) => return Err(TransportError::unknown(error)),
//!     };
//!     let mut response = http::Response::builder().status(answer.status);
//!     for (name, value) in answer.headers {
//!         response = response.header(name, value);
//!     }
//!     let mut body = BodyBuffer::default();
//!     body.read_from(&mut answer.body)?;
//!     response.body(body.finish()?).map_err(TransportError::unknown)
//! });
//!
//! let get = |uri| http::Request::get(uri).body(bytes::Bytes::new());
//! let response = transport.send_blocking(get("https://provider.example/")?)?;
//! assert_eq!((response.status().as_u16(), &response.body()[..]), (404, &b"GET what?"[..]));
//!
//! let error = transport.send_blocking(get("https://refused.example/")?).unwrap_err();
//! assert_eq!(error.delivery(), Delivery::NotSent);
//! let error = transport.send_blocking(get("https://silent.example/")?).unwrap_err();
//! assert_eq!(error.delivery(), Delivery::Unknown);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The contract
//!
//! Every transport does the following, and the crates above rely on these rules:
//!
//! 1. **The request goes out as given**: the method, the URI, every header and the body's bytes. Nothing is
//!    added but the headers that HTTP itself needs (`host`, `content-length`, the connection's own headers)
//!    and at most `accept: */*`, which says nothing; nothing is encoded, normalised or sorted. A signature
//!    covers these bytes. A transport refuses a request that its stack cannot send as given. The URI is
//!    absolute; the version of HTTP is the transport's choice, and so is a proxy that the operator has set
//!    up.
//! 2. **No redirect is followed.** A `3xx` is a response like any other. The signature covers the path, and
//!    a provider's answer must not choose which host is called next.
//! 3. **Nothing is sent twice.** One call is one attempt: the attempt spends a nonce, and a second creation
//!    can be a second payment. Trying the next address of the same host is not a second attempt as long as no
//!    byte of the request has left. TLS early data, which can be replayed, is not used.
//! 4. **The body comes back as it was sent.** No decompression and no change of character set: the transport
//!    asks for none with headers of its own, and a body that came encoded stays encoded.
//! 5. **All response headers are kept**, doubled ones too, and the values of one name in their order.
//! 6. **Every status is `Ok`**, `4xx` and `5xx` too. [`TransportError`] is for having no response.
//! 7. **The body is capped while it streams in**, at [`BODY_CAP`] or lower, whatever its `content-length`
//!    says. Beyond it: [`TransportError::too_large`].
//! 8. **There is a timeout**, of the transport's own choice, over the whole exchange. A timeout is
//!    [`Delivery::NotSent`] only while no byte of the request can have left, [`Delivery::Unknown`] after.
//! 9. **No header and no body is logged**, nor put in an error's text. They hold keys and payers' data.
//! 10. **Dropping the future abandons the request.** The request's outcome is then unknown.
//!
//! An error is [`Delivery::NotSent`] only when it is certain that nothing was sent. In doubt the error is
//! [`Delivery::Unknown`].
//!
//! **What is not here:** an HTTP client, TLS, a clock, retries, signing. Adapters for particular HTTP stacks
//! are crates of their own. The test benches are the crate `checkout-testkit`: the suite that checks a
//! transport against this contract, a server on loopback, and record and replay.
//!
//! **The one idea to know:** after a failure the only question is whether the provider may have seen the
//! request. [`Delivery`] answers the question, and a transport that answers [`Delivery::NotSent`] wrongly can
//! cost a customer a second payment.
//!
//! Sources: HTTP Semantics, RFC 9110. [`http`] and [`bytes`] are re-exported, as their types are this crate's
//! own vocabulary.

mod body;
mod error;
mod from_fn;
mod shared;
mod transport;

pub use {bytes, http};

pub use body::{BODY_CAP, BodyBuffer};
pub use error::{Delivery, TransportError};
pub use from_fn::{FromFn, FromFnBlocking, FromFnLocal, from_fn, from_fn_blocking, from_fn_local};
pub use shared::SharedTransport;
pub use transport::{BlockingTransport, LocalTransport, Transport};

/// A request with its whole body, to an absolute URI.
///
/// The request's `Debug`, which is the `http` crate's, prints the headers and the body: do not log the
/// request. A header value marked with `HeaderValue::set_sensitive` is not printed.
///
/// ```
/// # checkout_doctest::facade!(transport);
/// use checkout_kit::Request;
/// use checkout_kit::transport::bytes::Bytes;
/// use checkout_kit::transport::http;
///
/// let ping: Request = http::Request::get("https://provider.example/v1/test/ping").body(Bytes::new())?;
/// assert_eq!(ping.uri().host(), Some("provider.example"));
/// # Ok::<(), http::Error>(())
/// ```
pub type Request = http::Request<bytes::Bytes>;

/// A response with its whole body, of at most [`BODY_CAP`] bytes.
///
/// The response's `Debug` prints the headers and the body: do not log the response.
///
/// ```
/// # checkout_doctest::facade!(transport);
/// use checkout_kit::Response;
/// use checkout_kit::transport::bytes::Bytes;
///
/// let pong: Response = Response::new(Bytes::from_static(b"{}"));
/// assert_eq!(pong.status(), 200);
/// ```
pub type Response = http::Response<bytes::Bytes>;
