//! Test benches over the transport contract: a suite of laws, a server on loopback, record and replay.
//!
//! For `[dev-dependencies]`. The three modules:
//!
//! - [`contract`]: the suite that checks a transport of your own, law by law.
//! - [`loopback`]: any transport as an HTTP/1.1 server on 127.0.0.1, and a port that nobody listens on.
//! - [`record`]: a transport that records the exchanges of another transport, scrubbed, and a transport that
//!   replays the record.
//!
//! ```
//! use checkout_testkit::loopback::{ClosedPort, Server};
//! use checkout_testkit::record::{Recording, Replaying};
//! use checkout_transport::{BlockingTransport, Request, Response, bytes::Bytes, from_fn_blocking};
//!
//! // A transport of yours, recorded and replayed.
//! let provider = from_fn_blocking(|_| Ok(Response::new(Bytes::from_static(b"{\"code\":0}"))));
//! let recording = Recording::new(provider);
//! recording.send_blocking(Request::new(Bytes::new()))?;
//! let replaying = Replaying::new(recording.cassette());
//!
//! // The replay as a server, and a place without one.
//! let (server, nobody) = (Server::start(replaying)?, ClosedPort::find()?);
//! assert!(std::net::TcpStream::connect(server.address()).is_ok());
//! assert!(std::net::TcpStream::connect(nobody.address()).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **What is not here:** the providers. `checkout-sandbox` plays them. A sandbox is a transport: the server
//! can serve a sandbox, and a recording can wrap a sandbox.
//!
//! **The one idea to know:** everything here is about transports. The suite judges a transport, the server
//! and the replay stand in for a network; the sandbox shows how a provider behaves.

pub mod contract;
pub mod loopback;
pub mod record;
