//! A hosted checkout client over any transport, signed anew at every attempt.
//!
//! - [`allscale::Client`], [`azotte::Client`], [`peach::Client`] and [`peach::v2::Client`]: one store's, tenant's or
//!   merchant's access: its keys, where the API is, a clock and a source of nonces. Cheap to clone, and there can be as many
//!   as there are stores.
//! - [`Call`]: one thing to ask. [`send`](Call::send), [`send_local`](Call::send_local) and
//!   [`send_blocking`](Call::send_blocking) ask it over a transport; [`attempt`](Call::attempt) takes it apart, for
//!   those who bring their own.
//! - [`Received`]: the reply, with when it was asked for and how far the clocks are apart. [`into_read`](Received::into_read)
//!   makes of it what can settle an order.
//! - [`Advice`]: whether and when to ask again, of whatever came ([`Received::retry`], [`SendError::retry`],
//!   [`AnswerError::retry`]); [`Call::send_with_retries`] follows it.
//! - [`Observable`]: an answer that says how a checkout stands, whoever the provider is.
//! - [`Watch`]: one checkout, watched to its end, over any transport and any runtime, across restarts; [`Handle`] wakes it.
//! - [`Watches`]: many of one provider's, under the limits that their merchants share.
//!
//! ```
//! # #[cfg(feature = "system")] {
//! use checkout_auth::{SecretString, allscale::SigningKey};
//! use checkout_client::allscale::Client;
//! use checkout_sandbox::allscale::{Sandbox, Store};
//!
//! // The sandbox is a transport like any other, with a clock of its own.
//! let key = SigningKey::new("st_key", SecretString::from("st_secret"))?;
//! let sandbox = Sandbox::builder().store(Store::new(key.clone())).build();
//! let clock = sandbox.clock().clone();
//! let client = Client::builder(key).clock(move || clock.now_millis()).build()?;
//!
//! let answer = client.ping().send_blocking(&sandbox)?.into_answer()?;
//! assert_eq!(answer.payload.pong, "ok");
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is not here
//! HTTP: bring a transport. A runtime: what waits is given a sleep, and nothing here starts a thread or a task. When to ask
//! is data of `checkout-poll`, whose `Schedule` paces checkouts for a loop of your own. What a status means is
//! `checkout-lifecycle`'s. Whether what was paid is what the order asked for: a watch ends with the read that shows it, and
//! `checkout-trust` compares.
//!
//! # The one idea to know
//! A call can be made many times, and each attempt is signed anew with a nonce and a timestamp of its own. Whether it
//! may be repeated is a fact of its route ([`Call::repeat`]); how far a failed attempt got is in
//! [`SendError::delivery`]; what follows from both is the [`Advice`]. What could be done twice is never repeated blindly.
//!
//! # Sources
//! AllScale's pages of the checkout intent routes, of authentication and of the test routes; Azotte's *Submit Checkout* and
//! *Get Checkout Status*; Peach's pages of Hosted Checkout, V1 and V2. Each method names its own.
//!
//! # Features
//! - `system` (on by default): the system's clock, and random UUIDs as nonces. Without it both are yours to give.
//! - `tokio`: `tokio_sleep`, for whatever waits.
//! - `tracing`: a span for every attempt with route, path and the provider's `request_id`. No header and no body.

pub mod allscale;
pub mod azotte;
mod base_url;
mod call;
mod error;
mod observable;
pub mod peach;
mod provider;
mod received;
mod retry;
mod retry_after;
mod sources;
#[cfg(feature = "tokio")]
mod tokio_sleep;
mod trace;
mod watch;
mod watches;

pub use base_url::BuildError;
pub use call::{Attempt, Call, Readable, Reader};
pub use checkout_poll::{
    Advice, Backoff, Fetch, GaveUp, MerchantId, ParsePollerError, Plan, Reads, Retries, Step, Why,
};
pub use error::{AnswerError, EvidenceError, SendError};
pub use observable::{Observable, VerdictOf};
pub use provider::{Operation, Provider};
pub use received::{ClockSkew, Received};
pub use sources::{Clock, Nonces};
#[cfg(feature = "system")]
pub use sources::{RandomNonces, SystemClock};
#[cfg(feature = "tokio")]
pub use tokio_sleep::tokio_sleep;
pub use watch::{Change, End, Evidence, Handle, NotRead, Nudged, ParseWatchError, Watch};
pub use watches::{Event, Ticket, Watches};
