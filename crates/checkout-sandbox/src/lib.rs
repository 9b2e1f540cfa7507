//! An in-process sandbox that plays a hosted checkout provider, with a virtual clock, scenarios and faults.
//!
//! The crate has a module for each provider, [`allscale`], [`azotte`] and [`peach`], with a `Sandbox` that is
//! a [`Transport`](checkout_transport::Transport) and a
//! [`BlockingTransport`](checkout_transport::BlockingTransport). The modules share the [`VirtualClock`], the
//! [`Counts`] and the [`RecordedRequest`].
//!
//! A server in front of a sandbox, or a test of many steps, has these of every sandbox: `next_change` is the
//! moment of the next thing that time brings, for [`VirtualClock::advance_to`]; `fork` makes a copy with a
//! clock of its own; `restore` takes the state of another sandbox over; and `reset` goes back to the
//! beginning.
//!
//! A sandbox remembers every request with the body, for tests that look at requests. For a crowd of checkouts
//! each builder has `forget_requests`: then the sandbox counts requests and keeps none. A read takes the same
//! time however many checkouts and merchants there are.
//!
//! ```
//! use std::time::Duration;
//!
//! use checkout_auth::allscale::{RequestToSign, SigningKey};
//! use checkout_sandbox::allscale::{API_KEY, API_SECRET, Sandbox, Scenario};
//! use checkout_transport::{BlockingTransport, bytes::Bytes, http};
//!
//! let sandbox = Sandbox::new(7);
//! sandbox.next_intent(Scenario::underpaid());
//! let body = r#"{"currency":1,"amount_cents":1000,"order_id":"order_1"}"#;
//! let (path, nonce) = ("/v1/checkout_intents/", "8f7f3c63-98d9-4d9c-9f52-6a0f1c1f2a11");
//! let timestamp = sandbox.clock().now().unix_seconds().unsigned_abs();
//!
//! let key = SigningKey::new(API_KEY, API_SECRET.into())?;
//! let to_sign = RequestToSign { method: "POST", path, query: "", timestamp, nonce, body: body.as_bytes() };
//! let create = http::Request::post(format!("https://openapi.allscale.io{path}"))
//!     .header("x-api-key", API_KEY)
//!     .header("x-timestamp", timestamp)
//!     .header("x-nonce", nonce)
//!     .header("x-signature", key.sign(&to_sign)?.as_str())
//!     .body(Bytes::from(body))?;
//! assert_eq!(sandbox.send_blocking(create)?.status(), 200);
//!
//! sandbox.clock().advance(Duration::from_secs(3600));
//! assert_eq!(sandbox.intents()[0].status, -3); // UNDERPAID
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **Not here:** a server that listens, anything that calls out (a test takes the webhooks from the sandbox),
//! a hosted page, a blockchain. The sandbox uses none of the crates that write requests and read replies.
//!
//! **The one idea to know:** the sandbox is the other side's word. The sandbox reads requests and writes
//! replies by its own hand from the provider's documents, and shares no field name, no floor and no rule with
//! the crates under test, so a mistake in those crates does not pass on both sides. (The sandbox does share
//! the rows of the enum tables, which are compared with the published tables, the signatures, which published
//! examples pin, and `Moment`, which is no fact of a provider.)
//!
//! Sources: the pages named in each module. Features: none.

pub mod allscale;
pub mod azotte;
pub mod peach;

mod agenda;
mod answer;
mod clock;
mod counts;
mod exchange;
mod fault_name;
mod generator;
mod json;
mod lapsing;
mod limit_use;
mod mishap;
mod percent;
mod recorded;
mod settings;
mod skew;
mod summary;
mod world;

pub use clock::VirtualClock;
pub use counts::Counts;
pub use exchange::Exchange;
pub use fault_name::{FaultName, FaultNameError};
pub use limit_use::LimitUse;
pub use recorded::RecordedRequest;
