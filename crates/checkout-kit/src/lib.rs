//! Take a payment through a hosted checkout, and know without doubt how the payment ended.
//!
//! This crate is the facade: one dependency that re-exports the other crates. The items that all providers
//! share are here; the items of one provider are in the provider's module: [`allscale`], [`azotte`] or
//! [`peach`].
//!
//! The way of a payment, with a sandbox in the provider's place:
//!
//! ```
//! use checkout_kit::allscale::{Client, Currency, Draft, SigningKey};
//! use checkout_kit::settlement::allscale::Order;
//! use checkout_kit::{Cents, Environment};
//! use checkout_sandbox::allscale::{API_KEY, API_SECRET, Sandbox}; // or checkout_kit::sandbox, with its feature
//!
//! # pollster::block_on(async {
//! # let nonces = std::sync::atomic::AtomicU64::new(0);
//! // 0. The client holds a store's access. In production leave `clock` out: the system's is the default.
//! let transport = &Sandbox::new(1);
//! let clock = transport.clock().clone();
//! let client = Client::builder(SigningKey::new(API_KEY, API_SECRET.into())?)
//!     .environment(Environment::Sandbox)
//! #   .nonces(move || nonces.fetch_add(1, std::sync::atomic::Ordering::Relaxed).to_string())
//!     .clock(move || clock.now())
//!     .build()?;
//!
//! // 1. Draft the order, and check the draft against the provider's documents. An error names every fault.
//! let order = Draft::fiat(Currency::EUR, Cents::new(4_990)).order_id("order_123").check()?;
//!
//! // 2. Create the checkout, and send the payer to the hosted page. A shop stores the order before: see the
//! //    example `save_before_send`.
//! let answer = client.create(&order).send(transport).await?;
//! assert!(answer.differences().is_empty()); // else warn a person, before the payer pays another amount
//! let created = answer.payload;
//! assert!(created.checkout_url.as_str().starts_with("https://"));
//!
//! // 3. Watch the checkout to the end: as often as the provider's policy says, and over failed reads.
//! let sleep = |wait| std::future::ready(transport.clock().advance(wait)); // in production: `tokio_sleep`
//! let end = client.watch(&created.intent_id)?.end(transport, sleep).await;
//!
//! // 4. Before the goods leave, ask first: does a person have to look, because a read contradicted an end,
//! //    or because money came late?
//! assert!(!end.wants_attention());
//! let read = end.into_read().ok_or("still open: store the watch, and look again later")?;
//!
//! // 5. Ask second: does the read settle this order?
//! let goods_leave_for = Environment::Sandbox; // in a shop: `Live`
//! let stored = Order::of(goods_leave_for, &order, &created).ok_or("the draft has no order id")?;
//! assert!(stored.settled_by(&read).is_settled());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! The other providers have the same steps in their own modules: see the examples `azotte_payment` and
//! `peach_payment`. Code over [`Watchable`] and [`Watch`], or over [`Observable`], [`Tracker`] and [`Phase`],
//! works with every provider (`three_providers`).
//!
//! The examples go further: `first_payment` plays two dozen ways that a payment can go. `save_before_send`
//! shows which data a shop stores, and when, so that neither a crash, a lost answer nor a second worker
//! loses an order.
//!
//! A [`Watch`] reads as often as the provider's [`PollPolicy`] says, reports each change, and ends with the
//! full read. A [`WatchSet`] runs many watches at a time, under the limits that their checkouts share
//! (`many_checkouts`). `docs/polling.md` says more.
//!
//! # What is not here
//! - An HTTP client: take the adapter for yours (`checkout-reqwest`, `checkout-ureq`, `checkout-tower`), or
//!   write a [`Transport`], whose docs are the contract.
//! - A runtime and a timer: functions that wait take a sleep.
//!
//! # The one idea to know
//! A call returns an [`Answer`] or a [`CallError`], and an error does not prove that nothing happened. Ask
//! [`CallError::may_have_been_processed`] first: a create whose error may have been processed is never
//! repeated blindly, because the repeat can charge the payer twice. [`CallError::retry`] advises on a repeat,
//! and [`CreateOutcome`] is the next step of the order.
//!
//! An unknown status is not an error: the status is kept as received.
//!
//! # The other crates
//! Each name here is a re-export, and its documentation has examples and sources. The crates themselves are
//! [`auth`], [`client`], [`lifecycle`], [`money`], [`poll`], [`tables`], [`transport`], [`trust`],
//! [`validate`] and [`wire`].
//!
//! # Features
//! - `system` (on by default): the system's clock with `Moment::now`, and random nonces.
//! - `http`: the receivers of webhooks take requests of the `http` crate.
//! - `tokio`: `tokio_sleep`, the sleep of a watch or a retry.
//! - `tracing`: a span for every attempt, with the provider's request id, and for every piece of the engine's
//!   work.
//! - `metrics`: the engine's metrics, for the program's own exporter (`docs/engine.md`).
//! - `serde`: the stored form of tables, amounts, trackers and pollers.
//! - `strum`: the derives of `strum` on every table.
//! - `engine`: the durable engine, over a store (`docs/engine.md`).
//! - `sandbox`: for tests, the sandboxes as `checkout_kit::sandbox`.
//! - `testkit`: for tests, the benches as `checkout_kit::testkit`.
//! - `conformance`: for tests, the suites for stores of your own.
//! - `test-util`: for tests, events that nobody has verified.

pub mod allscale;
pub mod azotte;
pub mod peach;

pub use checkout_auth as auth;
pub use checkout_client as client;
#[cfg(feature = "engine")]
pub use checkout_engine as engine;
pub use checkout_lifecycle as lifecycle;
pub use checkout_money as money;
pub use checkout_poll as poll;
#[cfg(feature = "sandbox")]
pub use checkout_sandbox as sandbox;
pub use checkout_tables as tables;
#[cfg(feature = "testkit")]
pub use checkout_testkit as testkit;
pub use checkout_transport as transport;
pub use checkout_trust as trust;
pub use checkout_validate as validate;
pub use checkout_wire as wire;

pub use checkout_auth::{KeyRing, SecretString};
#[cfg(feature = "system")]
pub use checkout_client::SystemClock;
#[cfg(feature = "tokio")]
pub use checkout_client::tokio_sleep;
pub use checkout_client::{
    Answer, BuildError, Call, CallError, CallErrorKind, Change, CheckoutClient, Clock, CreateOutcome, End,
    Handle, NotSent, Observable, Watch, WatchSet, Watchable,
};
pub use checkout_lifecycle::{Failure, Moment, Observation, Phase, Tracker, Verdict};
pub use checkout_money::{Cents, CoinAmount};
pub use checkout_poll::{PollPolicy, RetryAdvice, RetryPolicy};
pub use checkout_tables::Environment;
pub use checkout_transport::{
    BlockingTransport, LocalTransport, Request, Response, Transport, TransportError,
};
pub use checkout_trust::{Verified, replay, settlement};

/// The README's examples, as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
mod readme {}

/// The examples of the guide to polling.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/polling.md")]
mod polling {}

/// The examples of the guide to webhooks, one of which reads the system's clock.
#[cfg(all(doctest, feature = "system"))]
#[doc = include_str!("../../../docs/webhooks.md")]
mod webhooks {}
