//! The checkout crates over any [`tower_service::Service`] that takes HTTP requests.
//!
//! [`Tower`] makes a [`Transport`](checkout_transport::Transport) of a service that can be cloned, and
//! [`Tower::local`] a [`LocalTransport`](checkout_transport::LocalTransport) of a service that stays on its
//! thread. The service is an HTTP client with the layers of your choice around it: limits, traces, metrics.
//!
//! ```
//! # use std::io::{BufRead as _, BufReader, Write as _};
//! # let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
//! # let address = listener.local_addr()?;
//! # let provider = std::thread::spawn(move || {
//! #     let (mut stream, _) = listener.accept().unwrap();
//! #     let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
//! #     while lines.next().is_some_and(|line| !line.unwrap().is_empty()) {}
//! #     stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 5\r\n\r\nwhat?").unwrap();
//! # });
//! use std::error::Error;
//! use std::time::Duration;
//!
//! use checkout_tower::Tower;
//! use checkout_transport::{Delivery, Transport, bytes::Bytes, http};
//! use hyper_util::client::legacy::{Client, Error as ClientError};
//! use hyper_util::rt::TokioExecutor;
//! use tower::limit::ConcurrencyLimit;
//!
//! /// hyper's client says whether it was connecting.
//! fn delivery(error: &(dyn Error + 'static)) -> Delivery {
//!     match error.downcast_ref::<ClientError>() {
//!         Some(error) if error.is_connect() => Delivery::NotSent,
//!         Some(_) | None => Delivery::Unknown,
//!     }
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let client = Client::builder(TokioExecutor::new()).build_http();
//! let limited = ConcurrencyLimit::new(client, 16);
//! let transport = Tower::new(limited, Duration::from_secs(30), tokio::time::sleep).classify(delivery);
//! # let uri = format!("http://{address}/v1/test/ping");
//! let response = transport.send(http::Request::get(uri).body(Bytes::new())?).await?;
//! assert_eq!((response.status().as_u16(), &response.body()[..]), (404, &b"what?"[..]));
//! # Ok::<(), Box<dyn Error>>(())
//! # })?;
//! # provider.join().unwrap();
//! # Ok::<(), Box<dyn Error>>(())
//! ```
//!
//! **For `https` the client needs a connector that has TLS**, from a crate of your choice, in the place of
//! `build_http`: that one takes `http` alone, and an `https` URI is then
//! [`NotSent`](checkout_transport::Delivery::NotSent).
//!
//! # What this crate keeps of the contract, and what is yours
//!
//! This crate keeps the part of [the contract of a transport](checkout_transport#the-contract) that it can
//! see: the request goes to the service as given, once; the response's head comes back whole; the body is
//! capped while it streams in; nothing is logged; dropping the future drops the service's future.
//!
//! **The time-out is an argument.** This crate knows no runtime, and so no clock: [`Tower::new`] takes the
//! time, and the function that sleeps. The deadline covers waiting for the service, the head and the body. A
//! `TimeoutLayer` around the service is not enough: its time ends with the response's head, and a body that
//! drips in holds the call for ever. You can use both; the layer's error does not show how far the request
//! got, and so is [`Unknown`](checkout_transport::Delivery::Unknown). [`Tower::without_deadline`] is for a
//! service that ends its bodies too; that service then has to keep rule 8.
//!
//! **The actions of the service are yours too**, and cannot be seen from here. These layers break the
//! contract:
//!
//! | layer | breaks |
//! |---|---|
//! | `tower_http::follow_redirect` | rule 2: the redirect is followed |
//! | `tower::retry`, `tower::hedge` | rule 3: the request is sent twice |
//! | `tower_http::decompression` | rules 1 and 4: it asks for what it then inflates |
//! | `tower_http::set_header`, `add_authorization` and `request_id` for requests | rule 1: a header more |
//! | `tower_http::normalize_path`, `tower::filter`, `map_request` | rule 1, when they change the request |
//! | `propagate_header`, `set_status`, `map_response` | rules 4 to 6, when they change the response |
//! | `tower_http::timeout`, `limit`, `catch_panic` | rule 6: the `408`, `413` or `500` is not the provider's |
//! | `tower_http::trace` with `include_headers` | rule 9: keys in the log |
//!
//! These layers keep the contract: `tower::limit`, `tower::buffer`, `tower::load_shed`, `tower::timeout`,
//! `sensitive_headers`, metrics, and `tower_http::trace` with its defaults, which logs the URI with its
//! query. The proof for a stack of your own is the suite `contract` of `checkout-testkit`: one test, over a
//! server on loopback.
//!
//! # How far a request got
//!
//! An error of the service is [`Unknown`](checkout_transport::Delivery::Unknown), since this crate cannot
//! read a boxed error. If you can, set [`Tower::classify`]. While the service is not ready (a limit, a full
//! buffer) the service has not got the request: an error there, and a deadline that passes there, is
//! [`NotSent`](checkout_transport::Delivery::NotSent) for certain.
//!
//! **What is not here:** an HTTP client, TLS, a runtime; middleware of our own.
//!
//! **The one idea to know:** a service is made ready first and called then, and both on the same clone.
//! Asking one clone for readiness and calling another clone goes past every limit.
//!
//! Sources: the documentation of tower-service 0.3.3, and the code of tower 0.5.3, tower-http 0.6.11 and
//! hyper-util 0.1.21.
//!
//! Features: none. [`tower_service`], [`http_body`] and [`http_body_util`] are re-exported, as their types
//! are in this crate's signatures.

mod adapter;

pub use {http_body, http_body_util, tower_service};

pub use adapter::{Local, Tower};
