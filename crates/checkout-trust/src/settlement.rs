//! Before goods leave: does this read settle this order?
//!
//! One question, about the shop's stored data and the provider's answer to a read:
//! [`allscale::Order::settled_by`], [`azotte::Order::settled_by`], [`peach::Order::settled_by`]. The answer
//! is a [`Settlement`]: settled; unproven, since required evidence is missing; or every contradiction, at
//! once and in a fixed order.
//!
//! With `checkout-client`, `Answer::into_read` returns the read, and knows the environment and the route.
//! Without that crate, over a transport and a reader of your own, [`Read::answer`] trusts your word for both:
//!
//! ```
//! # checkout_doctest::facade!(trust);
//! use checkout_kit::allscale::{Currency, StableCoin};
//! use checkout_kit::settlement::allscale::{Order, OrderPrice};
//! use checkout_kit::settlement::{Policy, Read};
//! use checkout_kit::wire::{Head, Reply, allscale};
//! use checkout_kit::{Cents, Environment};
//!
//! // What the shop has stored: its price, and what the answer to the create said is owed for it.
//! let order = Order {
//!     environment: Environment::Live,
//!     id: "order_123",
//!     intent_id: "65b2f3d0d2d9c0a1b2c3d4e5",
//!     price: OrderPrice::Fiat {
//!         currency: Currency::USD,
//!         amount: Cents::new(10_00),
//!         owed: "10.0000".parse()?,
//!         accepted: &[StableCoin::USDT],
//!     },
//! };
//! let body = br#"{"code":0,"payload":{"all_scale_checkout_intent_id":"65b2f3d0d2d9c0a1b2c3d4e5","order_id":"order_123",
//!     "currency":1,"amount_cents":1000,"amount_coins":"10.0000","coin_symbol":"USDT","status":20,
//!     "actual_paid_amount":"9.99"}}"#;
//! let Reply::Done(answer) = allscale::read::<allscale::Intent>(&Head::new(200), body)? else { panic!() };
//!
//! let read = Read::answer(answer.payload, Environment::Live);
//! let settlement = order.settled_by(&read);
//! assert!(!settlement.is_settled());
//! assert_eq!(settlement.to_string(), "not settled: underpaid by 0.0100 USDT");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # A read, and nothing else
//! A webhook alone never settles an order: a webhook prompts a read. So the question takes a [`Read`], and
//! the payload of a webhook does not fit into a [`Read`], verified or not:
//!
//! ```compile_fail,E0277
//! # checkout_doctest::facade!(trust);
//! # use checkout_tables::Environment;
//! # use checkout_trust::settlement::Read;
//! fn of_a_webhook(body: checkout_kit::allscale::WebhookBody<'_>) {
//!     let _ = Read::answer(body, Environment::Live); // WebhookBody is no Settles
//! }
//! ```
//!
//! ```compile_fail,E0277
//! # use checkout_tables::Environment;
//! # use checkout_trust::{Verified, settlement::Read, peach::Event};
//! fn of_a_verified_webhook(event: Verified<Event>) {
//!     let _ = Read::answer(event, Environment::Live); // Verified<Event> is no Settles
//! }
//! ```
//!
//! ```compile_fail,E0277
//! # use checkout_tables::Environment;
//! # use checkout_trust::{Verified, settlement::Read, peach::Event};
//! fn of_what_it_shows(event: &Verified<Event>) {
//!     let _ = Read::answer(event.content().payment(), Environment::Live); // &Payment is no Settles
//! }
//! ```
//!
//! A bare status of AllScale settles nothing either: the status could be anybody's, and has no amount.
//!
//! ```compile_fail,E0277
//! # use checkout_tables::{Environment, Open, allscale::IntentStatus};
//! # use checkout_trust::settlement::Read;
//! fn of_a_status(status: Open<IntentStatus>) {
//!     let _ = Read::answer(status, Environment::Live); // Open<IntentStatus> is no Settles
//! }
//! ```
//!
//! # What is not here
//! The history of the checkout (`checkout-lifecycle`), the record of processed webhooks, and any conversion:
//! the amount owed in coins comes from the provider's answer, never from a rate. The shop has to know if an
//! order's goods have left already: a settlement is the same however often the question is asked.

pub mod allscale;
pub mod azotte;
mod findings;
mod mismatch;
mod order;
pub mod peach;
mod policy;
mod read;
mod remark;
mod unproven;
mod verdict;

pub use mismatch::{Code, Difference, Mismatch, Unit};
pub use order::Order;
pub use policy::{Overpaid, Policy};
pub use read::{Read, Settles};
pub use remark::Remark;
pub use unproven::{ReadField, Unproven};
pub use verdict::{NonEmpty, Settled, Settlement};
