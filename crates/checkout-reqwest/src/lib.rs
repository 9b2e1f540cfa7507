//! The checkout crates over [`reqwest`].
//!
//! - [`Reqwest`]: a [`Transport`](checkout_transport::Transport) over [`reqwest::Client`].
//! - `Blocking`, with the feature `blocking`: a
//!   [`BlockingTransport`](checkout_transport::BlockingTransport) over `reqwest::blocking::Client`.
//!
//! Both keep [the contract of a transport](checkout_transport#the-contract); the suite that proves the
//! contract is among this crate's tests.
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
//! use checkout_reqwest::{Reqwest, reqwest};
//! use checkout_transport::{Transport, bytes::Bytes, http};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! // `Reqwest::new()` is all that most programs need. This one brings its own settings.
//! let transport = Reqwest::from_builder(reqwest::Client::builder().no_proxy())?;
//! # let uri = format!("http://{address}/v1/test/ping");
//! let request = http::Request::get(uri).body(Bytes::new())?;
//! let response = transport.send(request).await?;
//! assert_eq!((response.status().as_u16(), &response.body()[..]), (404, &b"what?"[..]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # provider.join().unwrap();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What reqwest does by itself, and what becomes of it here
//!
//! | by itself | here |
//! |---|---|
//! | follows up to ten redirects | none |
//! | repeats what an HTTP/2 server refused | never |
//! | asks for compressed bodies and inflates them, once any crate of the build switches that on | never |
//! | waits for ever (blocking: for 30 s) | [`TIMEOUT`], head and body together, and [`CONNECT_TIMEOUT`] |
//! | parses the URI and writes it anew | a URI that would change on the way is not sent |
//! | takes a body of any length | capped while it streams in |
//! | names the URI in its errors, with the query | the URI is taken out |
//! | sends `accept: */*` when a request has no `accept` | this stays: reqwest has no way to switch it off |
//! | sends through the proxies that the environment names | this stays: see below |
//!
//! `accept: */*` means the same as its absence (RFC 9110, 12.5.1), and every request of `checkout-client` has
//! an `accept` of its own.
//!
//! A proxy is the operator's choice, in `HTTPS_PROXY` and its like or in a builder, and the proxy stays. For
//! an `https` URI the proxy sees the host's name and no more. For an `http` URI, also one of this machine
//! such as a sandbox's, the proxy sees all with the keys, and gets a header of its own when its address has a
//! password. `NO_PROXY=127.0.0.1,localhost` takes this machine out, and
//! `reqwest::Client::builder().no_proxy()` uses no proxy.
//!
//! This crate cannot clear these settings of a builder: headers for every request (`default_headers`,
//! `user_agent`) and a cookie store, which add to the given request; `http09_responses`, which takes anything
//! for an answer; HTTP/3's early data, which can be replayed. A builder for [`Reqwest::from_builder`] must
//! have none of them.
//!
//! # How far a request got
//!
//! An error is [`NotSent`](checkout_transport::Delivery::NotSent) when this crate refuses the URI, and when
//! no connection was made: no address for the host, a refusal, a TLS handshake or a proxy's `CONNECT` that
//! failed, or the time for connecting was over. reqwest reports these failures with
//! [`is_connect`](reqwest::Error::is_connect). As nothing is redirected or repeated, a request has one
//! connection, made before the request's first byte leaves. When the server has closed an idle connection
//! meanwhile, hyper takes another connection, provided that hyper has not begun to write: that is not a
//! second attempt.
//!
//! Every other error is [`Unknown`](checkout_transport::Delivery::Unknown), also when the time of the whole
//! exchange ends while connecting, and also [`is_builder`](reqwest::Error::is_builder), which can be about an
//! answer's `location`. A builder with `https_only` reports a URI that is not `https` as that error.
//!
//! # TLS
//!
//! `rustls`, which is on by default, uses the defaults of `reqwest/rustls`: the cryptography of `aws-lc-rs`
//! and the certificates that the operating system trusts. `aws-lc-rs` needs a C compiler to build, on Windows
//! also NASM or the environment variable `AWS_LC_SYS_PREBUILT_NASM=1`; CMake only for targets that are less
//! common.
//!
//! - **Where there are no certificates to trust, [`Reqwest::new`] is an error.** On Linux the certificates
//!   are files, which a small image may not have. A builder with `tls_certs_only` brings its own.
//! - **Without the feature `rustls`, [`Reqwest::new`] gives a transport of which every request to an `https`
//!   URI is [`NotSent`](checkout_transport::Delivery::NotSent)**, until the program calls
//!   [`assume_tls`](Reqwest::assume_tls).
//!
//! A server with a certificate of an unknown root, for another host, or out of its time gets no byte of the
//! request. A body without a length is whole only where TLS marks the body's end: a connection that was cut
//! is an error.
//!
//! For another TLS stack, take this crate with `default-features = false`, reqwest with the feature of your
//! choice, and call [`assume_tls`](Reqwest::assume_tls). `native-tls` is the operating system's: on Linux
//! OpenSSL, whose headers the build needs. `rustls-no-provider` is rustls with the provider that the program
//! installs: `ring` is smaller than `aws-lc-rs`, and needs a C compiler too. Providers without a C compiler
//! come only from outside the rustls project.
//!
//! **What is not here:** HTTP/2 and HTTP/3, which reqwest's own features switch on; browsers, where the
//! browser follows redirects; signing, retries, and the meaning of an answer.
//!
//! **The one idea to know:** a client that is polite in general is dangerous for a payment. Each of its
//! kindnesses (to follow, to repeat, to tidy up) is switched off here, and those that cannot be switched off
//! are named above.
//!
//! Sources: the code of reqwest 0.13.5, hyper-util 0.1.21 and hyper 1.12; RFC 9110.
//!
//! Features: `rustls` (on by default); `blocking`.

mod adapter;
#[cfg(feature = "blocking")]
mod blocking;
mod error;
mod limits;
mod uri;

pub use reqwest;

pub use adapter::Reqwest;
#[cfg(feature = "blocking")]
pub use blocking::Blocking;
pub use error::BuildError;
pub use limits::{CONNECT_TIMEOUT, TIMEOUT};
