//! The adapters are held to the contract of a transport, also for a builder with settings against the
//! contract.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::future::Future;
use std::time::Duration;

use checkout_reqwest::{Reqwest, reqwest};
use checkout_testkit::contract::{self, Broken, Law};
use reqwest::header::{HeaderMap, HeaderValue};

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// The suite's finding for the transports that `make` makes.
fn check(make: impl Fn(Duration) -> Reqwest) -> Result<(), Broken> {
    block_on(contract::check(make))
}

/// The settings of reqwest that break the contract, and that an adapter can undo.
fn hostile() -> reqwest::ClientBuilder {
    let repeated_always = reqwest::retry::for_host("127.0.0.1")
        .no_budget()
        .max_retries_per_request(3)
        .classify_fn(|attempt| attempt.retryable());
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::limited(5))
        .retry(repeated_always)
        .gzip(true)
        .connection_verbose(true)
        .http1_ignore_invalid_headers_in_responses(true)
        .http1_allow_obsolete_multiline_headers_in_responses(true)
        .http1_allow_spaces_after_header_name_in_responses(true)
        .timeout(Duration::from_secs(3_600))
}

#[test]
fn the_default_client_keeps_the_contract() {
    assert_eq!(check(|timeout| Reqwest::new().unwrap().timeout(timeout)), Ok(()));
}

#[test]
fn a_client_from_a_hostile_builder_keeps_the_contract() {
    assert_eq!(check(|timeout| Reqwest::from_builder(hostile()).unwrap().timeout(timeout)), Ok(()));
}

#[test]
fn an_unchecked_client_breaks_the_contract_in_every_built_in_way() {
    let builders: [(fn() -> reqwest::ClientBuilder, Law); 3] = [
        // The client sends the very first request again and again.
        (hostile, Law::MethodGoesOutAsGiven),
        // The client asks for compressed bodies.
        (|| reqwest::Client::builder().gzip(true), Law::NothingIsAdded),
        (|| reqwest::Client::builder().gzip(false), Law::NoRedirectIsFollowed),
    ];
    for (builder, law) in builders {
        let broken =
            check(|timeout| Reqwest::from_client_unchecked(builder().build().unwrap()).timeout(timeout));
        assert_eq!(broken.unwrap_err().law(), law);
    }
}

#[test]
fn an_unchecked_client_is_never_certain() {
    let broken = check(|timeout| {
        let builder = reqwest::Client::builder()
            .no_gzip()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never());
        Reqwest::from_client_unchecked(builder.build().unwrap()).timeout(timeout)
    });
    assert_eq!(broken.unwrap_err().law(), Law::RefusedConnectionIsNotSent);
}

#[test]
fn a_builder_s_default_headers_break_the_contract() {
    let broken = check(|timeout| {
        let headers = HeaderMap::from_iter([(
            reqwest::header::AUTHORIZATION,
            HeaderValue::from_static("Bearer of every request"),
        )]);
        let builder = reqwest::Client::builder().default_headers(headers);
        Reqwest::from_builder(builder).unwrap().timeout(timeout)
    });
    assert_eq!(broken.unwrap_err().law(), Law::NothingIsAdded);
}

#[cfg(feature = "blocking")]
mod blocking {
    use super::*;
    use checkout_reqwest::Blocking;

    #[test]
    fn the_default_blocking_client_keeps_the_contract() {
        let checked = contract::check_shared(|timeout| Blocking::new().unwrap().timeout(timeout));
        assert_eq!(checked, Ok(()));
    }

    #[test]
    fn a_blocking_client_from_a_hostile_builder_keeps_the_contract() {
        let checked = contract::check_shared(|timeout| {
            let builder = reqwest::blocking::ClientBuilder::from(hostile()).timeout(None);
            Blocking::from_builder(builder).unwrap().timeout(timeout)
        });
        assert_eq!(checked, Ok(()));
    }

    #[test]
    fn an_unchecked_blocking_client_breaks_the_contract() {
        let broken = contract::check_shared(|timeout| {
            let client = reqwest::blocking::Client::builder().no_gzip().build().unwrap();
            Blocking::from_client_unchecked(client).timeout(timeout)
        });
        assert_eq!(broken.unwrap_err().law(), Law::NoRedirectIsFollowed);
    }
}
