//! Whole checkouts with every provider, over real HTTP through every adapter. The sandboxes are served on
//! loopback, and their clocks are advanced between the polls.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use checkout_kit::settlement;
use checkout_kit::{
    Answer, BlockingTransport, Call, CallError, CallErrorKind, Cents, Environment, NotSent, Observable,
    Phase, Tracker, Verdict, allscale, azotte,
    client::{NonceSource, Readable},
    peach,
    transport::{Delivery, SharedTransport},
};
use checkout_reqwest::{Blocking, Reqwest, reqwest};
use checkout_sandbox::VirtualClock;
use checkout_testkit::loopback::{ClosedPort, Server};
use checkout_tower::Tower;
use checkout_transport::http::HeaderMap;
use checkout_ureq::{Ureq, ureq};
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::TokioExecutor;
use tokio::runtime::{Builder, Runtime};

/// An adapter, and the runtime that the adapter needs.
#[derive(Clone)]
enum Stack {
    Async(Arc<Runtime>, SharedTransport),
    Blocking(Arc<dyn BlockingTransport + Send + Sync>),
}

impl Stack {
    fn ask<T: Readable>(&self, call: &Call<T>) -> Result<Answer<T>, CallError<T::Provider>> {
        match self {
            Self::Async(runtime, transport) => runtime.block_on(call.send(transport)),
            Self::Blocking(transport) => call.send_blocking(&**transport),
        }
    }

    fn authenticate(&self, client: &peach::v2::Client) {
        match self {
            Self::Async(runtime, transport) => runtime.block_on(client.authenticate(transport)).unwrap(),
            Self::Blocking(transport) => client.authenticate_blocking(&**transport).unwrap(),
        }
    }
}

/// Every adapter. No adapter takes a proxy from the environment: all of this stays on this machine.
fn stacks() -> [(&'static str, Stack); 4] {
    let runtime = || Arc::new(Builder::new_current_thread().enable_all().build().unwrap());
    let reqwest = Reqwest::from_builder(reqwest::Client::builder().no_proxy()).unwrap();
    let blocking = Blocking::from_builder(reqwest::blocking::Client::builder().no_proxy()).unwrap();
    let ureq = Ureq::from_config(ureq::Agent::config_builder().proxy(None), checkout_ureq::TIMEOUT);
    let client = Client::builder(TokioExecutor::new()).retry_canceled_requests(false).build_http();
    let tower = Tower::new(client, Duration::from_secs(30), tokio::time::sleep).classify(|error| {
        match error.downcast_ref::<ClientError>() {
            Some(error) if error.is_connect() => Delivery::NotSent,
            Some(_) | None => Delivery::Unknown,
        }
    });
    [
        ("reqwest", Stack::Async(runtime(), SharedTransport::new(reqwest))),
        ("reqwest blocking", Stack::Blocking(Arc::new(blocking))),
        ("ureq", Stack::Blocking(Arc::new(ureq))),
        ("tower", Stack::Async(runtime(), SharedTransport::new(tower))),
    ]
}

/// The course of a checkout, and every request of the checkout that the provider saw.
#[derive(Debug, PartialEq)]
struct Told {
    steps: Vec<String>,
    requests: Vec<String>,
}

/// Plays a checkout without HTTP, and then over HTTP through every adapter: the course must be the same.
fn check(checkout: fn(Option<&Stack>) -> Told) -> Vec<String> {
    let without_http = checkout(None);
    for (name, stack) in stacks() {
        assert_eq!(checkout(Some(&stack)), without_http, "{name}");
    }
    without_http.steps
}

/// The adapter, or else the sandbox itself in its place.
fn stack_or<S: BlockingTransport + Clone + Send + Sync + 'static>(
    stack: Option<&Stack>,
    sandbox: &S,
) -> Stack {
    stack.cloned().unwrap_or_else(|| Stack::Blocking(Arc::new(sandbox.clone())))
}

/// Polls until the checkout is paid, and returns each phase with the seconds since the first poll.
fn drive<T: Observable>(
    stack: &Stack,
    clock: &VirtualClock,
    call: &Call<T>,
    tracker: &mut Tracker<T::Status>,
) -> Vec<String> {
    let (begun, mut steps) = (clock.now(), Vec::new());
    let mut last = None;
    for _ in 0..200 {
        let answer = stack.ask(call).unwrap();
        if let Some(observation) = answer.observation() {
            let now = clock.now();
            let verdict = tracker.observe(observation, now);
            assert!(!verdict.wants_attention(), "{verdict:?}");
        }
        if tracker.phase() != last {
            last = tracker.phase();
            let seconds = clock.now().saturating_since(begun).as_secs();
            steps.push(format!("{seconds} s: {}", last.unwrap()));
        }
        if last == Some(Phase::Succeeded) {
            return steps;
        }
        clock.advance(answer.poll_after());
    }
    panic!("never paid: {steps:?}");
}

/// A request as the provider saw it, without the connection's own headers.
fn seen(method: &str, path: &str, query: &str, headers: &HeaderMap, body: &[u8]) -> String {
    let mut headers: Vec<String> = headers
        .iter()
        .filter(|(name, _)| !["host", "content-length", "connection"].contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    headers.sort();
    format!("{method} {path}?{query} {headers:?} {}", body.escape_ascii())
}

/// Every request that a sandbox saw.
macro_rules! requests {
    ($sandbox:expr) => {
        $sandbox
            .requests()
            .iter()
            .map(|one| seen(one.method(), one.path(), one.query(), one.headers(), one.body()))
            .collect()
    };
}

fn nonces() -> impl NonceSource {
    let last = AtomicU64::new(0);
    move || format!("nonce-{}", last.fetch_add(1, Ordering::Relaxed))
}

mod with_allscale {
    use super::*;
    use allscale::{Client, Currency, Draft, SigningKey};
    use checkout_kit::allscale::{CreateIntent, Route, StableCoin};
    use checkout_sandbox::allscale::{API_KEY, API_SECRET, Fault, Sandbox};

    fn client_of(sandbox: &Sandbox, url: &str) -> Client {
        let clock = sandbox.clock().clone();
        Client::builder(SigningKey::new(API_KEY, API_SECRET.into()).unwrap())
            .environment(Environment::Sandbox)
            .base_url(url)
            .clock(move || clock.now())
            .nonces(nonces())
            .build()
            .unwrap()
    }

    fn order() -> CreateIntent<'static> {
        Draft::fiat(Currency::EUR, Cents::new(4_990)).order_id("order_1").check().unwrap()
    }

    fn checkout(stack: Option<&Stack>) -> Told {
        let sandbox = Sandbox::new(1);
        let server = Server::start(sandbox.clone()).unwrap();
        let (client, stack) = (client_of(&sandbox, server.url()), stack_or(stack, &sandbox));
        let created = stack.ask(&client.create(&order())).unwrap().payload;
        let (status, mut tracker) = (client.status(&created.intent_id).unwrap(), Tracker::new());
        let mut steps = drive(&stack, sandbox.clock(), &status, &mut tracker);
        let order = settlement::allscale::Order {
            environment: Environment::Sandbox,
            id: "order_1",
            intent_id: &created.intent_id,
            price: settlement::allscale::OrderPrice::Fiat {
                currency: Currency::EUR,
                amount: Cents::new(4_990),
                owed: created.amount_coins,
                accepted: &[StableCoin::USDT, StableCoin::USDC],
            },
        };
        let read = stack.ask(&client.get(&created.intent_id).unwrap()).unwrap().into_read();
        steps.push(order.settled_by(&read).to_string());
        Told { steps, requests: requests!(sandbox) }
    }

    #[test]
    fn a_checkout_is_paid_and_settled_through_every_adapter() {
        assert_eq!(
            check(checkout),
            ["0 s: awaiting payer", "30 s: processing", "60 s: succeeded", "settled"]
        );
    }

    #[test]
    fn an_answer_that_was_lost_is_unknown_and_nothing_was_sent_twice() {
        for (name, stack) in stacks() {
            let sandbox = Sandbox::new(1);
            let server = Server::start(sandbox.clone()).unwrap();
            let client = client_of(&sandbox, server.url());
            // So there is a connection that can be used again.
            stack.ask(&client.ping()).unwrap();
            sandbox.inject_on(Route::Create, Fault::LostAnswer);
            let error = stack.ask(&client.create(&order())).unwrap_err();
            assert!(matches!(error.kind(), CallErrorKind::NoResponse(_)), "{name}: {error:?}");
            assert!(error.may_have_been_processed(), "{name}");
            assert_eq!(sandbox.intents().len(), 1, "{name}: it was done, once");
            // The next request is not confused.
            stack.ask(&client.ping()).unwrap();
        }
    }

    #[test]
    fn a_request_to_a_closed_port_is_not_sent() {
        let port = ClosedPort::find().unwrap();
        for (name, stack) in stacks() {
            let sandbox = Sandbox::new(1);
            let error = stack.ask(&client_of(&sandbox, &port.url()).create(&order())).unwrap_err();
            let not_sent = matches!(error.kind(), CallErrorKind::NotSent(NotSent::Transport(_)));
            assert!(not_sent, "{name}: {error:?}");
            assert!(!error.may_have_been_processed(), "{name}");
        }
    }

    /// The words of docs/your-own-transport.md about sandboxes.
    #[test]
    fn a_sandbox_that_is_served_is_a_provider_on_this_machine() {
        let transport = Ureq::from_config(ureq::Agent::config_builder().proxy(None), checkout_ureq::TIMEOUT);

        let sandbox = Sandbox::new(1);
        let server = Server::start(sandbox.clone()).unwrap();
        let clock = sandbox.clock().clone();
        let client = Client::builder(SigningKey::new(API_KEY, API_SECRET.into()).unwrap())
            .environment(Environment::Sandbox)
            .base_url(server.url())
            .clock(move || clock.now())
            .build()
            .unwrap();

        let order = Draft::fiat(Currency::EUR, Cents::new(4_990)).order_id("order_1");
        let create = client.create(&order.check().unwrap());
        let created = create.send_blocking(&transport).unwrap().payload;
        sandbox.clock().advance(Duration::from_secs(60));
        let status = client.status(&created.intent_id).unwrap().send_blocking(&transport).unwrap();
        let mut tracker = Tracker::new();
        assert_eq!(tracker.observe(status.observation().unwrap(), client.now()), Verdict::First);
        assert_eq!(tracker.phase(), Some(Phase::Succeeded));

        sandbox.inject_on(Route::Create, Fault::LostAnswer);
        let error = create.send_blocking(&transport).unwrap_err();
        assert!(matches!(error.kind(), CallErrorKind::NoResponse(_)));
        assert!(error.may_have_been_processed());

        let nobody = ClosedPort::find().unwrap();
        let client = client_of(&sandbox, &nobody.url());
        let error = client.ping().send_blocking(&transport).unwrap_err();
        assert!(matches!(error.kind(), CallErrorKind::NotSent(NotSent::Transport(_))));
    }
}

mod with_azotte {
    use super::*;
    use azotte::{Client, Draft, PaymentChannel, Route, SubmitCheckout};
    use checkout_sandbox::azotte::{API_KEY, Fault, Sandbox, Scenario, X_TN};

    fn client(sandbox: &Sandbox, url: &str) -> Client {
        let clock = sandbox.clock().clone();
        Client::builder("acme", X_TN, API_KEY.into())
            .environment(Environment::Sandbox)
            .base_url(url)
            .clock(move || clock.now())
            .build()
            .unwrap()
    }

    fn order() -> SubmitCheckout<'static> {
        Draft::stored_method(PaymentChannel::CreditCard)
            .offer_identifier("off_1")
            .correlation_id("order_2")
            .item("plan_gold")
            .customer_urn("urn:customer:42")
            .check()
            .unwrap()
    }

    fn checkout(stack: Option<&Stack>) -> Told {
        let sandbox = Sandbox::new(1);
        sandbox.next_checkout(Scenario::three_ds_url());
        let server = Server::start(sandbox.clone()).unwrap();
        let (client, stack) = (client(&sandbox, server.url()), stack_or(stack, &sandbox));
        let mut tracker = Tracker::new();
        let submitted = stack.ask(&client.submit(&order())).unwrap();
        assert_eq!(tracker.observe(submitted.observation().unwrap(), client.now()), Verdict::First);
        let number = submitted.payload.tracking_number;
        let status = client.status(&number).unwrap();
        let mut steps = drive(&stack, sandbox.clock(), &status, &mut tracker);
        let read = stack.ask(&status).unwrap().into_read();
        let order = settlement::azotte::Order { environment: Environment::Sandbox, tracking_number: &number };
        steps.push(order.settled_by(&read).to_string());
        steps.push(format!("captured {} times", sandbox.captures_of("order_2")));
        Told { steps, requests: requests!(sandbox) }
    }

    #[test]
    fn a_checkout_is_challenged_done_and_settled_through_every_adapter() {
        assert_eq!(
            check(checkout),
            [
                "0 s: processing",
                "6 s: payer action",
                "36 s: processing",
                "40 s: succeeded",
                "settled",
                "captured 1 times"
            ]
        );
    }

    #[test]
    fn a_submit_whose_answer_was_lost_is_sent_again_by_the_caller_and_charged_once() {
        for (name, stack) in stacks() {
            let sandbox = Sandbox::new(1);
            let server = Server::start(sandbox.clone()).unwrap();
            let client = client(&sandbox, server.url());
            sandbox.inject_on(Route::SubmitCheckout, Fault::LostAnswer);
            let submit = client.submit(&order());
            let error = stack.ask(&submit).unwrap_err();
            assert!(error.may_have_been_processed(), "{name}: {error:?}");
            assert_eq!(sandbox.requests().len(), 1, "{name}");
            stack.ask(&submit).unwrap();
            sandbox.clock().advance(Duration::from_secs(3_600));
            assert_eq!(sandbox.captures_of("order_2"), 1, "{name}");
        }
    }
}

mod with_peach {
    use super::*;
    use checkout_sandbox::peach::{
        CLIENT_ID, CLIENT_SECRET, ENTITY_ID, Fault, MERCHANT_ID, REFERER, SECRET_TOKEN, Sandbox,
    };
    use peach::{Client, Currency, Draft, InitiateCheckout, Payment, Route, SecretToken, v2};

    fn sandbox() -> Sandbox {
        Sandbox::builder().any_host().build()
    }

    fn secret() -> SecretToken {
        SecretToken::new(SECRET_TOKEN.into()).unwrap()
    }

    fn order() -> InitiateCheckout<'static> {
        Draft::debit(Currency::ZAR, Cents::new(14_99))
            .entity_id(ENTITY_ID)
            .merchant_transaction_id("order_0003")
            .shopper_result_url("https://shop.example/result")
            .check()
            .unwrap()
    }

    fn client(sandbox: &Sandbox, url: &str) -> Client {
        let clock = sandbox.clock().clone();
        Client::builder(ENTITY_ID, secret())
            .environment(Environment::Sandbox)
            .referer(REFERER)
            .base_url(url)
            .clock(move || clock.now())
            .nonces(nonces())
            .build()
            .unwrap()
    }

    fn v2_client(sandbox: &Sandbox, url: &str) -> v2::Client {
        let clock = sandbox.clock().clone();
        let credentials = v2::Credentials {
            client_id: CLIENT_ID.into(),
            client_secret: CLIENT_SECRET.into(),
            merchant_id: MERCHANT_ID.into(),
        };
        v2::Client::builder(ENTITY_ID, credentials)
            .environment(Environment::Sandbox)
            .referer(REFERER)
            .secret_token(secret())
            .base_url(url)
            .auth_url(url)
            .clock(move || clock.now())
            .nonces(nonces())
            .build()
            .unwrap()
    }

    /// Polls until the checkout is paid, and holds the answer to the order.
    fn settle(
        stack: &Stack,
        sandbox: &Sandbox,
        status: &Call<Payment<'static>>,
        checkout_id: Option<&str>,
    ) -> Vec<String> {
        let mut steps = drive(stack, sandbox.clock(), status, &mut Tracker::new());
        sandbox.clock().advance(Duration::from_secs(60));
        let read = stack.ask(status).unwrap().into_read();
        let order = settlement::peach::Order {
            environment: Environment::Sandbox,
            merchant_transaction_id: "order_0003",
            checkout_id,
            amount: Cents::new(14_99),
            currency: Currency::ZAR,
        };
        steps.push(order.settled_by(&read).to_string());
        steps
    }

    fn by_v1(stack: Option<&Stack>) -> Told {
        let sandbox = sandbox();
        let server = Server::start(sandbox.clone()).unwrap();
        let (client, stack) = (client(&sandbox, server.url()), stack_or(stack, &sandbox));
        stack.ask(&client.initiate(&order()).unwrap()).unwrap();
        let steps = settle(&stack, &sandbox, &client.status(order().lookup()), None);
        Told { steps, requests: requests!(sandbox) }
    }

    fn by_v2(stack: Option<&Stack>) -> Told {
        let sandbox = sandbox();
        let server = Server::start(sandbox.clone()).unwrap();
        let (client, stack) = (v2_client(&sandbox, server.url()), stack_or(stack, &sandbox));
        stack.authenticate(&client);
        let created = stack.ask(&client.create(&order()).unwrap()).unwrap().payload;
        let id = created.checkout_id.as_deref();
        let status = client.status(id.unwrap()).unwrap();
        let steps = settle(&stack, &sandbox, &status, id);
        Told { steps, requests: requests!(sandbox) }
    }

    #[test]
    fn a_checkout_of_v1_is_paid_and_settled_through_every_adapter() {
        assert_eq!(check(by_v1), ["30 s: awaiting payer", "60 s: succeeded", "settled"]);
    }

    #[test]
    fn a_checkout_of_v2_with_its_token_is_paid_and_settled_through_every_adapter() {
        assert_eq!(check(by_v2), ["30 s: awaiting payer", "60 s: succeeded", "settled"]);
    }

    #[test]
    fn an_initiate_whose_answer_was_lost_is_unknown_and_was_done_once() {
        for (name, stack) in stacks() {
            let sandbox = sandbox();
            let server = Server::start(sandbox.clone()).unwrap();
            sandbox.inject_on(Route::Initiate, Fault::LostAnswer);
            let error = stack.ask(&client(&sandbox, server.url()).initiate(&order()).unwrap()).unwrap_err();
            assert!(matches!(error.kind(), CallErrorKind::NoResponse(_)), "{name}: {error:?}");
            assert!(error.may_have_been_processed(), "{name}");
            assert_eq!(sandbox.checkouts().len(), 1, "{name}: it was done, once");
        }
    }
}
