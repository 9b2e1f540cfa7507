//! The code of docs/your-own-transport.md: every block of that page stands here word for word, is compiled,
//! and is run. The blocks of a sandbox stand where a sandbox and HTTP clients meet, in the tests of
//! checkout-tower.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use checkout_testkit::contract::Law;
use checkout_testkit::record::{Cassette, Recording, Replaying};
use checkout_testkit::{contract, loopback};
use checkout_transport::bytes::Bytes;
use checkout_transport::http::Version;
use checkout_transport::{BlockingTransport, BodyBuffer, Delivery, LocalTransport, Transport};
use checkout_transport::{Request, Response, TransportError, http};
use checkout_transport::{from_fn, from_fn_blocking, from_fn_local};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::TokioExecutor;
use tokio::time::timeout;

struct Own<C>(Client<C, Full<Bytes>>, Duration);

impl<C: Connect + Clone + Send + Sync + 'static> Transport for Own<C> {
    async fn send(&self, mut request: Request) -> Result<Response, TransportError> {
        *request.version_mut() = Version::HTTP_11;
        let exchange = async {
            let mut response = self.0.request(request.map(Full::new)).await.map_err(how_far)?;
            let mut body = BodyBuffer::default();
            while let Some(frame) = response.frame().await {
                body.push(frame.map_err(TransportError::unknown)?.data_ref().unwrap_or(&Bytes::new()))?;
            }
            body.finish().map(|body| response.map(|_| body))
        };
        timeout(self.1, exchange).await.map_err(TransportError::unknown)?
    }
}

fn how_far(error: ClientError) -> TransportError {
    if error.is_connect() { TransportError::not_sent(error) } else { TransportError::unknown(error) }
}

fn own(timeout: Duration) -> Own<HttpConnector> {
    Own(Client::builder(TokioExecutor::new()).retry_canceled_requests(false).build_http(), timeout)
}

struct Counted<T> {
    inner: T,
    sent: Rc<Cell<u32>>,
}

impl<T: LocalTransport> LocalTransport for Counted<T> {
    async fn send_local(&self, request: Request) -> Result<Response, TransportError> {
        self.sent.set(self.sent.get() + 1);
        self.inner.send_local(request).await
    }
}

#[test]
fn the_adapter_of_the_page_keeps_the_contract() {
    block_on(async {
        if let Err(broken) = contract::check(own).await {
            panic!("{broken}");
        }
    });
}

#[test]
fn the_adapter_of_the_page_follows_no_redirect() {
    block_on(async {
        if let Err(broken) = Law::NoRedirectIsFollowed.check(own).await {
            panic!("{broken}");
        }
    });
}

#[test]
fn the_local_adapter_of_the_page_keeps_the_contract() {
    let sent = Rc::new(Cell::new(0));
    block_on(async {
        let counted = |timeout| Counted { inner: own(timeout), sent: Rc::clone(&sent) };
        if let Err(broken) = contract::check_local(counted).await {
            panic!("{broken}");
        }
    });
    assert_ne!(sent.get(), 0);
}

#[test]
fn a_closure_is_a_transport() {
    let offline = from_fn(|_| async { Err(TransportError::not_sent("there is no network in this test")) });
    let canned = from_fn_blocking(|_| Ok(Response::new(Bytes::from_static(b"{\"code\":0}"))));
    let sent = Rc::new(Cell::new(0));
    let counting = from_fn_local(|request: Request| {
        sent.set(sent.get() + 1);
        let inner = own(Duration::from_secs(30));
        async move { inner.send(request).await }
    });

    let server = loopback::Server::start(canned).unwrap();
    let get = || http::Request::get(format!("{}/v1/test/ping", server.url())).body(Bytes::new()).unwrap();
    block_on(async {
        assert_eq!(offline.send(get()).await.unwrap_err().delivery(), Delivery::NotSent);
        assert_eq!(counting.send_local(get()).await.unwrap().body(), "{\"code\":0}");
    });
    assert_eq!(sent.get(), 1);
}

#[test]
fn any_transport_is_a_server() {
    let echo = from_fn_blocking(|request: Request| Ok(Response::new(request.into_body())));
    let server = loopback::Server::start(echo).unwrap();
    let pay = http::Request::post(format!("{}/pay", server.url())).body(Bytes::from_static(b"{}")).unwrap();
    let answer = block_on(own(Duration::from_secs(30)).send(pay)).unwrap();
    assert_eq!(answer.body(), "{}");
}

#[test]
fn a_recording_is_replayed() {
    let provider =
        from_fn_blocking(|_| Ok(Response::new(Bytes::from_static(b"{\"status\":20,\"user_id\":\"tom\"}"))));
    let server = loopback::Server::start(provider).unwrap();
    let get = || http::Request::get(format!("{}/v1/status", server.url())).body(Bytes::new()).unwrap();
    let (kept, answer) = block_on(async {
        let recording = Recording::new(own(Duration::from_secs(30)));
        let answer = recording.send(get()).await.unwrap();
        let kept = recording.cassette().to_json();
        (kept, answer)
    });
    assert_eq!(answer.body(), "{\"status\":20,\"user_id\":\"tom\"}");
    let replaying = Replaying::new(Cassette::from_json(&kept).unwrap());
    assert_eq!(replaying.send_blocking(get()).unwrap().body(), "{\"status\":20,\"user_id\":\"(scrubbed)\"}");
    replaying.finish().unwrap();
}

#[test]
fn every_block_of_the_page_stands_in_a_test_and_the_adapter_has_twenty_lines_at_most() {
    let blocks: Vec<&str> =
        PAGE.split("```rust\n").skip(1).map(|from| from.split("```").next().unwrap()).collect();
    for block in &blocks {
        let stands = ["", "    ", "        "].iter().any(|indent| {
            let lines =
                block.lines().map(|line| format!("{}{line}", if line.is_empty() { "" } else { indent }));
            let block = lines.collect::<Vec<_>>().join("\n");
            HERE.contains(&block) || WITH_A_SANDBOX.contains(&block)
        });
        assert!(stands, "not word for word in a test:\n{block}");
    }
    let adapters = blocks.iter().filter(|block| block.contains("impl<C: Connect"));
    let lines: Vec<usize> =
        adapters.map(|block| block.lines().filter(|line| !line.trim().is_empty()).count()).collect();
    assert!(matches!(lines[..], [1..=20]), "{lines:?}");
    assert!(blocks.len() > 3, "{} blocks", blocks.len());
}

const PAGE: &str = include_str!("../../../docs/your-own-transport.md");
const HERE: &str = include_str!("own_transport.rs");
const WITH_A_SANDBOX: &str = include_str!("../../checkout-tower/tests/over_http.rs");

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
