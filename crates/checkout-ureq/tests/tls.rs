//! The adapter over TLS, with a server of the tests.
#![cfg(feature = "rustls")]
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "../../checkout-testkit/tests/tls/mod.rs"]
mod tls;

use checkout_transport::BlockingTransport;
use checkout_ureq::{TIMEOUT, Ureq, ureq};
use ureq::config::ConfigBuilder;
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsConfigBuilder};
use ureq::typestate::AgentScope;

fn plain() -> ConfigBuilder<AgentScope> {
    ureq::Agent::config_builder().proxy(None)
}

fn with_tls(tls: TlsConfigBuilder) -> Box<dyn BlockingTransport> {
    Box::new(Ureq::from_config(plain().tls_config(tls.build()), TIMEOUT))
}

fn roots(root: &[u8]) -> RootCerts {
    RootCerts::new_with_certs(&[Certificate::from_der(root).to_owned()])
}

fn trusting(root: &[u8]) -> Box<dyn BlockingTransport> {
    with_tls(TlsConfig::builder().root_certs(roots(root)))
}

tls::laws!(trusting);

#[test]
fn nothing_is_sent_under_a_root_that_the_tests_alone_know() {
    tls::nothing_for_a_wrong_certificate(|_| Box::new(Ureq::from_config(plain(), TIMEOUT)));
}

#[test]
#[should_panic(expected = "a certificate of a root of the same name with another key")]
fn a_client_that_trusts_everybody_is_found_out() {
    tls::nothing_for_a_wrong_certificate(|_| with_tls(TlsConfig::builder().disable_verification(true)));
}

#[test]
#[should_panic(expected = "a body without its end")]
fn a_client_that_takes_a_broken_connection_for_the_end_of_a_body_is_found_out() {
    tls::whole_only_when_said(|root| {
        let tls = TlsConfig::builder().root_certs(roots(root)).build();
        Box::new(Ureq::from_agent_unchecked(plain().tls_config(tls).build().new_agent()))
    });
}
