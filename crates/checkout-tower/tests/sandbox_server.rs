//! Every scenario of every provider through the sandbox's server, by the adapters' real HTTP clients: the end
//! is that of the same scenario in the process.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::time::Duration;

use checkout_kit::{BlockingTransport, Cents, Environment, allscale, azotte, peach};
use checkout_reqwest::{Blocking, reqwest};
use checkout_sandbox::VirtualClock;
use checkout_sandbox_server::{RunningServer, Server, World};
use checkout_tables::Moment;
use checkout_ureq::{Ureq, ureq};
use tokio::runtime::{Builder, Runtime};

const START: Moment = Moment::from_unix_seconds(1_800_000_000);

/// The provider's side: a sandbox in the process, or a world behind a server.
struct Side<'a> {
    transport: &'a dyn BlockingTransport,
    /// `None` for the provider's own hosts.
    base_url: Option<&'a str>,
    clock: VirtualClock,
    advance: &'a dyn Fn(Duration),
}

/// A runtime on threads of its own, and a server with a default world that stands still.
fn server() -> (Runtime, RunningServer) {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = runtime.block_on(Server::builder().frozen_at(START).bind()).unwrap();
    (runtime, server)
}

/// Every blocking adapter. No adapter takes a proxy from the environment.
fn adapters() -> [(&'static str, Box<dyn BlockingTransport>); 2] {
    let reqwest = Blocking::from_builder(reqwest::blocking::Client::builder().no_proxy()).unwrap();
    let ureq = Ureq::from_config(ureq::Agent::config_builder().proxy(None), checkout_ureq::TIMEOUT);
    [("reqwest", Box::new(reqwest)), ("ureq", Box::new(ureq))]
}

/// Plays each scenario in the process, and then through the server with every adapter. `$check` gives the
/// end.
macro_rules! every_scenario {
    ($provider:ident, $next:ident, $check:expr) => {
        let (_runtime, server) = server();
        let world: &World = server.default_world();
        for name in checkout_sandbox::$provider::Scenario::NAMES {
            let scenario = || checkout_sandbox::$provider::Scenario::by_name(name).unwrap();
            let clock = VirtualClock::new(START);
            let sandbox =
                checkout_sandbox::$provider::Sandbox::builder().seed(1).clock(clock.clone()).build();
            sandbox.$next(scenario());
            let advance = |wait| clock.advance(wait);
            let side = Side { transport: &sandbox, base_url: None, clock: clock.clone(), advance: &advance };
            let expected: String = $check(&side);
            for (adapter, transport) in adapters() {
                world.reset();
                world.$provider().$next(scenario());
                let side = Side {
                    transport: &*transport,
                    base_url: Some(server.urls().$provider()),
                    clock: world.$provider().clock().clone(),
                    advance: &|wait| world.advance(wait),
                };
                assert_eq!($check(&side), expected, "{name} by {adapter}");
            }
        }
    };
}

#[test]
fn every_scenario_of_allscale_ends_over_the_server_as_in_the_process() {
    use allscale::{Client, Currency, Draft, SigningKey};
    use checkout_sandbox::allscale::{API_KEY, API_SECRET};
    every_scenario!(allscale, next_intent, |side: &Side<'_>| {
        let clock = side.clock.clone();
        let client = Client::builder(SigningKey::new(API_KEY, API_SECRET.into()).unwrap());
        let client = side.base_url.into_iter().fold(client, |client, url| client.base_url(url));
        let client = client.environment(Environment::Sandbox).clock(move || clock.now()).build().unwrap();
        let order = Draft::fiat(Currency::EUR, Cents::new(4_990)).order_id("order_1").check().unwrap();
        let created = client.create(&order).send_blocking(side.transport).unwrap().payload;
        let end = client.watch(&created.intent_id).unwrap().end_blocking(side.transport, side.advance);
        format!("{end:?}")
    });
}

#[test]
fn every_scenario_of_azotte_ends_over_the_server_as_in_the_process() {
    use azotte::{Client, Draft, PaymentChannel};
    use checkout_sandbox::azotte::{API_KEY, X_TN};
    every_scenario!(azotte, next_checkout, |side: &Side<'_>| {
        let clock = side.clock.clone();
        let client = Client::builder("acme", X_TN, API_KEY.into()).environment(Environment::Sandbox);
        let client = side.base_url.into_iter().fold(client, |client, url| client.base_url(url));
        let client = client.clock(move || clock.now()).build().unwrap();
        let submit = Draft::stored_method(PaymentChannel::CreditCard)
            .offer_identifier("off_1")
            .correlation_id("order_2")
            .item("plan_gold")
            .customer_urn("urn:customer:42")
            .check()
            .unwrap();
        let submitted = client.submit(&submit).send_blocking(side.transport).unwrap();
        let end = client.watch_submitted(submitted).unwrap().end_blocking(side.transport, side.advance);
        format!("{end:?}")
    });
}

#[test]
fn every_scenario_of_peach_v1_ends_over_the_server_as_in_the_process() {
    use checkout_sandbox::peach::{ENTITY_ID, REFERER, SECRET_TOKEN};
    use peach::{Client, Currency, Draft, SecretToken};
    every_scenario!(peach, next_checkout, |side: &Side<'_>| {
        let clock = side.clock.clone();
        let client = Client::builder(ENTITY_ID, SecretToken::new(SECRET_TOKEN.into()).unwrap());
        let client = side.base_url.into_iter().fold(client, |client, url| client.base_url(url));
        let client = client.environment(Environment::Sandbox).referer(REFERER).clock(move || clock.now());
        let client = client.build().unwrap();
        let initiate = Draft::debit(Currency::ZAR, Cents::new(14_99))
            .entity_id(ENTITY_ID)
            .merchant_transaction_id("order_0003")
            .shopper_result_url("https://shop.example/result")
            .check()
            .unwrap();
        client.initiate(&initiate).unwrap().send_blocking(side.transport).unwrap();
        let end = client.watch(initiate.lookup()).end_blocking(side.transport, side.advance);
        format!("{end:?}")
    });
}
