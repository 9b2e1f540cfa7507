//! The progress of a request, in the cases that the contract's suite leaves out: proxies, TLS, and a client
//! that follows redirects.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::error::Error;
use std::future::Future;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::LazyLock;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use checkout_reqwest::{Reqwest, reqwest};
use checkout_testkit::loopback::ClosedPort;
use checkout_transport::bytes::Bytes;
use checkout_transport::{Delivery, Transport, TransportError, http};
use reqwest::Proxy;

const SECRET: &str = "secret-5f1c";

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// The reason why there is no response to a request with a secret in the path, the header and the body.
fn check(transport: &Reqwest, base: &str) -> TransportError {
    let request = http::Request::post(format!("{base}/{SECRET}")).header("authorization", SECRET);
    block_on(transport.send(request.body(Bytes::from_static(SECRET.as_bytes())).unwrap())).unwrap_err()
}

/// Takes one connection, answers it, and returns all bytes until the end.
fn server(answer: String) -> (SocketAddr, JoinHandle<String>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let serving = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut first, mut rest) = ([0; 65_536], Vec::new());
        let length = stream.read(&mut first).unwrap();
        stream.write_all(answer.as_bytes()).unwrap();
        // A reset ends the connection, and so does an end.
        drop(stream.read_to_end(&mut rest));
        String::from_utf8_lossy(&[&first[..length], &rest].concat()).into_owned()
    });
    (address, serving)
}

/// An address where nobody listens.
fn nobody() -> SocketAddr {
    static PORT: LazyLock<ClosedPort> = LazyLock::new(|| ClosedPort::find().unwrap());
    PORT.address()
}

fn through(proxy: SocketAddr) -> Reqwest {
    let proxy = Proxy::all(format!("http://{proxy}")).unwrap();
    Reqwest::from_builder(reqwest::Client::builder().proxy(proxy)).unwrap().timeout(Duration::from_secs(20))
}

fn source(error: &TransportError) -> &reqwest::Error {
    error.source().unwrap().downcast_ref().unwrap()
}

#[test]
fn a_proxy_that_cannot_be_reached_was_sent_nothing() {
    let error = check(&through(nobody()), "http://provider.example");
    assert_eq!(error.delivery(), Delivery::NotSent);
}

#[test]
fn a_redirect_to_nowhere_is_no_unsent_request() {
    let moved = format!("HTTP/1.1 307 Moved\r\nlocation: http://{}/\r\ncontent-length: 0\r\n\r\n", nobody());
    let (address, serving) = server(moved);
    // The client follows redirects, as a client of reqwest's does by default.
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let error = check(&Reqwest::from_client_unchecked(client), &format!("http://{address}"));
    assert!(serving.join().unwrap().ends_with(SECRET), "the request was delivered");
    assert!(source(&error).is_connect(), "and reqwest speaks of the second one");
    assert_eq!(error.delivery(), Delivery::Unknown);
}

#[test]
fn a_uri_that_would_change_is_not_sent() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let base = format!("http://{}/a/..", listener.local_addr().unwrap());
    let builder = reqwest::Client::builder().no_proxy();
    let error = check(&Reqwest::from_builder(builder).unwrap(), &base);
    assert_eq!(error.delivery(), Delivery::NotSent);
    listener.set_nonblocking(true).unwrap();
    assert_eq!(listener.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
}

#[cfg(not(feature = "rustls"))]
#[test]
fn a_client_without_tls_sends_no_https_request_to_a_proxy_in_clear() {
    let proxy = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let error = check(&through(proxy.local_addr().unwrap()), "https://provider.example");
    assert_eq!(error.delivery(), Delivery::NotSent);
    proxy.set_nonblocking(true).unwrap();
    assert_eq!(proxy.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
}

#[cfg(feature = "rustls")]
mod with_tls {
    use super::*;

    fn direct() -> reqwest::ClientBuilder {
        reqwest::Client::builder().no_proxy()
    }

    #[test]
    fn a_proxy_that_refuses_to_connect_has_seen_the_host_and_no_more() {
        let (address, serving) = server("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n".to_owned());
        let error = check(&through(address), "https://provider.example");
        let seen = serving.join().unwrap();
        assert!(seen.starts_with("CONNECT provider.example:443 HTTP/1.1\r\n"), "{seen}");
        assert!(!seen.contains(SECRET), "{seen}");
        assert_eq!(error.delivery(), Delivery::NotSent);
    }

    #[test]
    fn a_handshake_that_fails_has_sent_nothing() {
        let (address, serving) = server("HTTP/1.1 400 Bad Request\r\n\r\n".to_owned());
        let error = check(&Reqwest::from_builder(direct()).unwrap(), &format!("https://{address}"));
        assert!(!serving.join().unwrap().contains(SECRET));
        assert!(source(&error).is_connect());
        assert_eq!(error.delivery(), Delivery::NotSent);
    }

    /// The bytes that came to a server that never takes its one connection; the system takes the first half.
    fn seen_by(silent: &TcpListener) -> String {
        silent.set_nonblocking(true).unwrap();
        let mut seen = Vec::new();
        if let Ok((mut stream, _)) = silent.accept() {
            drop(stream.read_to_end(&mut seen));
        }
        String::from_utf8_lossy(&seen).into_owned()
    }

    #[test]
    fn a_handshake_that_is_given_up_has_sent_nothing() {
        let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        // For any length: the other side never speaks.
        let builder = direct().connect_timeout(Duration::from_millis(1));
        let base = format!("https://{}", silent.local_addr().unwrap());
        let error = check(&Reqwest::from_builder(builder).unwrap(), &base);
        assert!(source(&error).is_connect() && source(&error).is_timeout());
        assert_eq!(error.delivery(), Delivery::NotSent);
        assert!(!seen_by(&silent).contains(SECRET));
    }

    #[test]
    fn a_time_out_of_the_whole_exchange_leaves_the_delivery_in_doubt() {
        let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let transport = Reqwest::from_builder(direct()).unwrap().timeout(Duration::from_millis(1));
        let error = check(&transport, &format!("https://{}", silent.local_addr().unwrap()));
        assert!(source(&error).is_timeout() && !source(&error).is_connect());
        assert_eq!(error.delivery(), Delivery::Unknown);
    }
}
