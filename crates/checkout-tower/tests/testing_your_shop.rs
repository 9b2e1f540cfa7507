//! The code of docs/testing-your-shop.md: every block of the page stands here word for word, is compiled, and
//! is run.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests")]

use checkout_kit::allscale::{Builder, Client, CreateIntent, Currency, Draft, Route, SigningKey, StableCoin};
use checkout_kit::settlement::allscale::{Order, OrderPrice};
use checkout_kit::{BlockingTransport, CallErrorKind, Cents, End, Environment, NotSent};
use checkout_sandbox::VirtualClock;
use checkout_sandbox::allscale::{API_KEY, API_SECRET, Fault, Sandbox, Scenario};
use checkout_testkit::contract;
use checkout_testkit::loopback::{ClosedPort, Server};
use checkout_testkit::record::{Cassette, Recording, Replaying};
use checkout_ureq::{Ureq, ureq};
use std::time::Duration;

fn client_of(clock: &VirtualClock) -> Builder {
    let clock = clock.clone();
    Client::builder(SigningKey::new(API_KEY, API_SECRET.into()).unwrap())
        .environment(Environment::Sandbox)
        .clock(move || clock.now())
}

fn order() -> CreateIntent<'static> {
    Draft::fiat(Currency::EUR, Cents::new(4_990)).order_id("order_1").check().unwrap()
}

/// True if the goods may leave.
fn sell(client: &Client, transport: &impl BlockingTransport, wait: impl FnMut(Duration)) -> bool {
    let created = client.create(&order()).send_blocking(transport).unwrap().payload;
    let end = client.watch(&created.intent_id).unwrap().end_blocking(transport, wait);
    if end.wants_attention() {
        return false; // a person looks
    }
    let End::Ended { answer, .. } = end else { return false };
    let (owed, accepted) = (created.amount_coins, &[StableCoin::USDT]);
    let stored = Order {
        environment: Environment::Sandbox,
        id: "order_1",
        intent_id: &created.intent_id,
        price: OrderPrice::Fiat { currency: Currency::EUR, amount: Cents::new(4_990), owed, accepted },
    };
    stored.settled_by(&answer.into_read()).is_settled()
}

#[test]
fn goods_leave_for_a_whole_payment_alone() {
    for (scenario, leaves) in [(Scenario::happy(), true), (Scenario::underpaid(), false)] {
        let sandbox = Sandbox::new(1);
        sandbox.next_intent(scenario);
        let client = client_of(sandbox.clock()).build().unwrap();
        assert_eq!(sell(&client, &sandbox, |wait| sandbox.clock().advance(wait)), leaves);
    }
}

#[test]
fn a_lost_answer_is_not_taken_for_a_refusal() {
    let sandbox = Sandbox::new(1);
    sandbox.inject_on(Route::Create, Fault::LostAnswer);
    let client = client_of(sandbox.clock()).build().unwrap();
    let error = client.create(&order()).send_blocking(&sandbox).unwrap_err();
    assert!(error.may_have_been_processed());
    assert_eq!(sandbox.intents().len(), 1); // there is an intent that somebody can pay
}

/// Without a proxy: the server of a test is on this machine.
fn http(timeout: Duration) -> Ureq {
    Ureq::from_config(ureq::Agent::config_builder().proxy(None), timeout)
}

#[test]
fn the_shop_sells_over_http() {
    let sandbox = Sandbox::new(1);
    let server = Server::start(sandbox.clone()).unwrap();
    let client = client_of(sandbox.clock()).base_url(server.url()).build().unwrap();
    let transport = http(Duration::from_secs(30));
    assert!(sell(&client, &transport, |wait| sandbox.clock().advance(wait)));
}

#[test]
fn a_provider_that_is_down_has_done_nothing() {
    let nobody = ClosedPort::find().unwrap();
    let client = client_of(Sandbox::new(1).clock()).base_url(nobody.url()).build().unwrap();
    let error = client.create(&order()).send_blocking(&http(Duration::from_secs(30))).unwrap_err();
    assert!(matches!(error.kind(), CallErrorKind::NotSent(NotSent::Transport(_))));
    assert!(!error.may_have_been_processed());
}

#[test]
fn our_transport_keeps_the_contract() {
    if let Err(broken) = contract::check_shared(http) {
        panic!("{broken}");
    }
}

#[test]
fn recorded_traffic_is_read_the_same() {
    let sandbox = Sandbox::new(1); // once, with your real transport in its place
    let client = client_of(sandbox.clock()).build().unwrap();
    let recording = Recording::new(sandbox.clone());
    let clock = VirtualClock::new(sandbox.clock().now());
    assert!(sell(&client, &recording, |wait| sandbox.clock().advance(wait)));
    let kept = recording.cassette().to_json(); // read this text, and commit the file

    let client = client_of(&clock).build().unwrap(); // the clock stands where the recording began
    let replaying = Replaying::new(Cassette::from_json(&kept).unwrap());
    assert!(sell(&client, &replaying, |wait| clock.advance(wait)));
    replaying.finish().unwrap(); // every recorded request was asked for
}

#[test]
fn every_block_of_the_page_stands_here_word_for_word() {
    let blocks: Vec<&str> =
        PAGE.split("```rust\n").skip(1).map(|from| from.split("```").next().unwrap()).collect();
    for block in &blocks {
        assert!(HERE.contains(block), "not word for word here:\n{block}");
    }
    assert_eq!(blocks.len(), 8);
}

const PAGE: &str = include_str!("../../../docs/testing-your-shop.md");
const HERE: &str = include_str!("testing_your_shop.rs");
