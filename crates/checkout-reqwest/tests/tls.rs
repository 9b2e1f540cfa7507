//! The adapters over TLS, with a server of the tests.
#![cfg(feature = "rustls")]
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "../../checkout-testkit/tests/tls/mod.rs"]
mod tls;

#[cfg(target_os = "linux")]
use std::{env, process::Command};

use checkout_reqwest::{Reqwest, reqwest};
use checkout_transport::{BlockingTransport, Request, Transport, from_fn_blocking};
use reqwest::Certificate;

/// The transport with a runtime of its own.
fn on_its_own(transport: Reqwest) -> Box<dyn BlockingTransport> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    Box::new(from_fn_blocking(move |request: Request| runtime.block_on(transport.send(request))))
}

fn trusting(root: &[u8]) -> Box<dyn BlockingTransport> {
    let builder = reqwest::Client::builder().no_proxy();
    let builder = builder.tls_certs_only([Certificate::from_der(root).unwrap()]);
    on_its_own(Reqwest::from_builder(builder).unwrap())
}

tls::laws!(trusting);

#[test]
fn nothing_is_sent_under_a_root_that_the_tests_alone_know() {
    tls::nothing_for_a_wrong_certificate(|_| {
        on_its_own(Reqwest::from_builder(reqwest::Client::builder().no_proxy()).unwrap())
    });
}

#[test]
fn a_root_beside_those_of_the_system_is_trusted_too() {
    tls::exact_under_a_trusted_root(|root| {
        let builder = reqwest::Client::builder().no_proxy();
        let builder = builder.tls_certs_merge([Certificate::from_der(root).unwrap()]);
        on_its_own(Reqwest::from_builder(builder).unwrap())
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_client_without_the_system_s_certificates_needs_roots_of_its_own() {
    // The environment names the certificates of the system, and the environment is of a whole process.
    const WITHOUT: &str = "CHECKOUT_REQWEST_WITHOUT_CERTIFICATES";
    let nothing = concat!(env!("CARGO_TARGET_TMPDIR"), "/there-is-nothing");
    if env::var_os(WITHOUT).is_some() {
        assert_eq!(Reqwest::new().unwrap_err().to_string(), "the HTTP client could not be built");
        tls::exact_under_a_trusted_root(trusting);
        return;
    }
    let this = "a_client_without_the_system_s_certificates_needs_roots_of_its_own";
    let mut alone = Command::new(env::current_exe().unwrap());
    alone.args(["--exact", this]).env(WITHOUT, "").env("SSL_CERT_FILE", nothing).env("SSL_CERT_DIR", nothing);
    let told = alone.output().unwrap();
    let said = String::from_utf8_lossy(&told.stdout);
    assert!(told.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
#[should_panic(expected = "a certificate of a root of the same name with another key")]
fn a_client_that_trusts_everybody_is_found_out() {
    tls::nothing_for_a_wrong_certificate(|_| {
        let builder = reqwest::Client::builder().no_proxy().tls_danger_accept_invalid_certs(true);
        on_its_own(Reqwest::from_builder(builder).unwrap())
    });
}

#[cfg(feature = "blocking")]
mod blocking {
    use super::*;
    use checkout_reqwest::Blocking;

    fn trusting(root: &[u8]) -> Box<dyn BlockingTransport> {
        let builder = reqwest::blocking::Client::builder().no_proxy();
        let builder = builder.tls_certs_only([Certificate::from_der(root).unwrap()]);
        Box::new(Blocking::from_builder(builder).unwrap())
    }

    crate::tls::laws!(trusting);
}
