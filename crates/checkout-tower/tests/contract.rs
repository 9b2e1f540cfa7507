//! The adapter is held to the contract of a transport over hyper's client, and does not hide the faults of
//! the service below.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::error::Error;
use std::future::Future;
use std::time::Duration;

use checkout_testkit::contract::{self, Law};
use checkout_tower::Tower;
use checkout_tower::http_body_util::Full;
use checkout_transport::Delivery;
use checkout_transport::bytes::Bytes;
use checkout_transport::http::{self, HeaderValue};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::TokioExecutor;
use tower::limit::ConcurrencyLimit;
use tower::timeout::Timeout;
use tower::util::MapRequest;
use tower_http::follow_redirect::FollowRedirect;

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn client() -> Client<HttpConnector, Full<Bytes>> {
    Client::builder(TokioExecutor::new()).build_http()
}

/// hyper's client says if it was connecting, also through the boxes of layers.
fn delivery(error: &(dyn Error + 'static)) -> Delivery {
    match error.downcast_ref::<legacy::Error>() {
        Some(error) if error.is_connect() => Delivery::NotSent,
        Some(_) | None => Delivery::Unknown,
    }
}

fn over<S>(service: S, timeout: Duration) -> Tower<S> {
    Tower::new(service, timeout, tokio::time::sleep).classify(delivery)
}

#[test]
fn hyper_s_client_with_a_deadline_keeps_the_contract() {
    assert_eq!(block_on(contract::check(|timeout| over(client(), timeout))), Ok(()));
}

#[test]
fn the_adapter_keeps_the_contract_below_right_layers() {
    let layered = |timeout| {
        let service = Timeout::new(ConcurrencyLimit::new(client(), 64), Duration::from_secs(3_600));
        over(service, timeout)
    };
    assert_eq!(block_on(contract::check(layered)), Ok(()));
}

#[test]
fn the_adapter_keeps_the_contract_as_a_transport_of_one_thread() {
    assert_eq!(block_on(contract::check_local(|timeout| over(client(), timeout).local())), Ok(()));
}

#[test]
fn a_service_without_a_word_on_errors_breaks_the_contract() {
    let unread = |timeout| Tower::new(client(), timeout, tokio::time::sleep);
    let broken = block_on(contract::check(unread)).unwrap_err();
    assert_eq!(broken.law(), Law::RefusedConnectionIsNotSent);
}

#[test]
fn a_time_out_around_the_service_alone_breaks_the_contract() {
    // The exchange is over when the head is there.
    let head_alone = |timeout| Tower::without_deadline(Timeout::new(client(), timeout)).classify(delivery);
    let broken = block_on(contract::check(head_alone)).unwrap_err();
    assert_eq!(broken.law(), Law::SilenceEnds);
}

#[test]
fn a_layer_that_follows_redirects_breaks_the_contract() {
    let following = |timeout| over(FollowRedirect::new(client()), timeout);
    let broken = block_on(contract::check(following)).unwrap_err();
    assert_eq!(broken.law(), Law::NoRedirectIsFollowed);
}

#[test]
fn a_layer_that_adds_a_header_breaks_the_contract() {
    let adding = |timeout| {
        let service = MapRequest::new(client(), |mut request: http::Request<Full<Bytes>>| {
            request.headers_mut().insert("user-agent", HeaderValue::from_static("shop/1.0"));
            request
        });
        over(service, timeout)
    };
    let broken = block_on(contract::check(adding)).unwrap_err();
    assert_eq!(broken.law(), Law::HeadersGoOutAsGiven);
}
