//! Every scenario of every provider through the sandbox's server, by the adapters' real HTTP clients: the end
//! is that of the same scenario in the process, and the verdict on our client has no finding.
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

/// Plays each scenario in the process, and then through the server with every adapter. `$end` gives the end.
macro_rules! every_scenario {
    ($provider:ident, $next:ident, $end:expr) => {
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
            let expected: String = $end(&side);
            for (adapter, transport) in adapters() {
                world.reset();
                world.$provider().$next(scenario());
                let side = Side {
                    transport: &*transport,
                    base_url: Some(server.urls().$provider()),
                    clock: world.$provider().clock().clone(),
                    advance: &|wait| world.advance(wait),
                };
                assert_eq!($end(&side), expected, "{name} by {adapter}");
                let verdict = world.verdict_at_end();
                assert!(verdict.findings.is_empty(), "{name} by {adapter}: {verdict}");
                assert!(verdict.looked_at.creates == 1 && verdict.looked_at.reads > 0, "{name}: {verdict}");
            }
        }
    };
}

/// Plays a checkout through the server, with each fault of a read at the first and the second read.
macro_rules! every_fault {
    ($provider:ident, $routes:expr, $end:expr, $($fault:expr),+ $(,)?) => {
        use checkout_sandbox::$provider::Fault;
        let (_runtime, server) = server();
        let world: &World = server.default_world();
        let [_, (_, transport)] = adapters();
        for fault in [Fault::LostRequest, Fault::LostAnswer, Fault::Garbage, Fault::Truncated,
            Fault::HtmlBadGateway, Fault::EmptyUnauthorized, Fault::Redirect, Fault::RateLimited,
            Fault::InternalError, Fault::LateInternalError, Fault::DuplicateKeys, Fault::Slow(SLOW), $($fault),+]
        {
            world.reset();
            for route in $routes {
                world.$provider().inject_on(route, fault.clone());
                world.$provider().inject_on(route, fault.clone());
            }
            let side = Side {
                transport: &*transport,
                base_url: Some(server.urls().$provider()),
                clock: world.$provider().clock().clone(),
                advance: &|wait| world.advance(wait),
            };
            let _: String = $end(&side);
            let verdict = world.verdict_at_end();
            assert!(verdict.findings.is_empty(), "{fault:?}: {verdict}");
            assert!(verdict.looked_at.reads > 0, "{fault:?}: {verdict}");
        }
    };
}

/// The time of a slow answer.
const SLOW: Duration = Duration::from_secs(40);

fn end_of_allscale(side: &Side<'_>) -> String {
    use allscale::{Client, Currency, Draft, SigningKey};
    use checkout_sandbox::allscale::{API_KEY, API_SECRET};
    let clock = side.clock.clone();
    let client = Client::builder(SigningKey::new(API_KEY, API_SECRET.into()).unwrap());
    let client = side.base_url.into_iter().fold(client, |client, url| client.base_url(url));
    let client = client.environment(Environment::Sandbox).clock(move || clock.now()).build().unwrap();
    let order = Draft::fiat(Currency::EUR, Cents::new(4_990)).order_id("order_1").check().unwrap();
    let created = client.create(&order).send_blocking(side.transport).unwrap().payload;
    let end = client.watch(&created.intent_id).unwrap().end_blocking(side.transport, side.advance);
    format!("{end:?}")
}

fn end_of_azotte(side: &Side<'_>) -> String {
    use azotte::{Client, Draft, PaymentChannel};
    use checkout_sandbox::azotte::{API_KEY, X_TN};
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
}

fn end_of_peach(side: &Side<'_>) -> String {
    use checkout_sandbox::peach::{ENTITY_ID, REFERER, SECRET_TOKEN};
    use peach::{Client, Currency, Draft, SecretToken};
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
}

#[test]
fn every_scenario_of_allscale_ends_over_the_server_as_in_the_process() {
    every_scenario!(allscale, next_intent, end_of_allscale);
}

#[test]
fn every_scenario_of_azotte_ends_over_the_server_as_in_the_process() {
    every_scenario!(azotte, next_checkout, end_of_azotte);
}

#[test]
fn every_scenario_of_peach_v1_ends_over_the_server_as_in_the_process() {
    every_scenario!(peach, next_checkout, end_of_peach);
}

#[test]
fn no_fault_of_a_read_of_allscale_s_makes_our_client_break_a_rule() {
    use checkout_tables::allscale::Route;
    every_fault!(
        allscale,
        [Route::Get, Route::Status],
        end_of_allscale,
        Fault::SwappedIntent,
        Fault::TamperedAmount,
        Fault::TamperedStatus(20),
        Fault::TamperedStatus(-4),
        Fault::UnknownErrorCode(7),
        Fault::StatusAsObject,
    );
}

#[test]
fn no_fault_of_a_read_of_azotte_s_makes_our_client_break_a_rule() {
    use checkout_tables::azotte::Route;
    every_fault!(
        azotte,
        [Route::CheckoutStatus],
        end_of_azotte,
        Fault::SwappedCheckout,
        Fault::TamperedTracking,
        Fault::MissingTracking,
        Fault::TamperedCode("CHECK_OUT_SOMETHING".to_owned()),
        Fault::NoFollowUp,
        Fault::NoPollingAdvice,
        Fault::EmptyProblem,
    );
}

#[test]
fn no_fault_of_a_read_of_peach_s_makes_our_client_break_a_rule() {
    use checkout_tables::peach::Route;
    every_fault!(
        peach,
        [Route::Status],
        end_of_peach,
        Fault::SwappedCheckout,
        Fault::OtherAmount,
        Fault::TamperedAmount,
        Fault::TamperedCode("000.100.110".to_owned()),
        Fault::TamperedSignature,
        Fault::Unsigned,
        Fault::BareResult,
        Fault::Refused("200.300.404".to_owned()),
    );
}
