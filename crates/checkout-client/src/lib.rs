//! A hosted checkout client over any transport, signed anew at every attempt.
//!
//! - [`allscale::Client`], [`azotte::Client`], [`peach::Client`] and [`peach::v2::Client`]: one store's,
//!   tenant's or merchant's access: the keys, the address of the API, a clock and a source of nonces. A
//!   client is cheap to clone, and a process can have one for each store.
//! - [`Call`]: one request, which can be sent many times. [`send`](Call::send),
//!   [`send_local`](Call::send_local) and [`send_blocking`](Call::send_blocking) send the call over a
//!   transport; [`attempt`](Call::attempt) takes the call apart, for code with a transport of its own.
//! - [`Answer`]: the payload, with the circumstances of the attempt. [`into_read`](Answer::into_read) turns
//!   the answer to a read into the value that settles an order.
//! - [`CallError`]: the reason why there is no answer, a refusal included. Two questions decide over a second
//!   charge: [`may_have_been_processed`](CallError::may_have_been_processed) and [`retry`](CallError::retry).
//!   [`Call::send_with_retries`] follows the advice, and [`CreateOutcome`] says the next step of an order.
//! - [`Observable`]: an answer that shows the state of a checkout, for every provider.
//! - [`Watch`]: one checkout, watched to its end, over any transport and any runtime, across restarts;
//!   [`Handle`] wakes the watch.
//! - [`WatchSet`]: many checkouts of one provider, under the limits that their merchants share.
//!
//! ```
//! # checkout_doctest::facade!(client);
//! # #[cfg(feature = "system")] {
//! use checkout_kit::SecretString;
//! use checkout_kit::allscale::{Client, SigningKey};
//! use checkout_sandbox::allscale::{Sandbox, Store};
//!
//! // The sandbox is a transport like any other, with a clock of its own.
//! let key = SigningKey::new("st_key", SecretString::from("st_secret"))?;
//! let sandbox = Sandbox::builder().store(Store::new(key.clone())).build();
//! let clock = sandbox.clock().clone();
//! let client = Client::builder(key).clock(move || clock.now()).build()?;
//!
//! let answer = client.ping().send_blocking(&sandbox)?;
//! assert_eq!(answer.payload.pong, "ok");
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is not here
//! - HTTP: bring a transport.
//! - A runtime: every method that waits takes a sleep, and nothing here starts a thread or a task.
//! - The time of each read: this is data of `checkout-poll`, whose `Schedule` paces checkouts for a loop of
//!   your own.
//! - The meaning of a status: see `checkout-lifecycle`.
//! - The comparison of the payment with the order: a watch ends with the read that shows the payment, and
//!   `checkout-trust` compares.
//!
//! # The one idea to know
//! A call can be sent many times, and each attempt is signed anew with a nonce and a timestamp of its own.
//! The route decides whether a repeat is safe ([`Call::repeat`]), the error tells how far the failed attempt
//! got ([`CallError::may_have_been_processed`]), and the [`RetryAdvice`] follows from both. A call that could
//! be processed twice is never repeated blindly.
//!
//! # Sources
//! AllScale's pages of the checkout intent routes, of authentication and of the test routes; Azotte's *Submit
//! Checkout* and *Get Checkout Status*; Peach's pages of Hosted Checkout, V1 and V2. Each method names its
//! own.
//!
//! # Features
//! - `system` (on by default): the system's clock, and random UUIDs as nonces. Without this feature you give
//!   both.
//! - `tokio`: `tokio_sleep`, for every method that waits.
//! - `tracing`: a span for every attempt with route, path and the provider's `request_id`. No header and no
//!   body.

pub mod allscale;
mod answer;
mod authorize;
pub mod azotte;
mod base_url;
mod call;
mod checkout_client;
mod clock_skew;
mod create_outcome;
mod error;
mod not_sent;
mod observable;
pub mod peach;
mod provider;
mod retry;
mod retry_after;
mod sources;
#[cfg(feature = "tokio")]
mod tokio_sleep;
mod trace;
mod watch;
mod watch_set;

pub use answer::Answer;
pub use base_url::BuildError;
pub use call::{Attempt, Call, Reader};
pub use checkout_client::CheckoutClient;
pub use checkout_poll::{
    Backoff, Cadence, GaveUp, GiveUpReason, MerchantId, ParsePollerError, PollPolicy, ReadKind, RetryAdvice,
    RetryPolicy, Step,
};
pub use clock_skew::ClockSkew;
pub use create_outcome::CreateOutcome;
pub use error::{CallError, CallErrorKind};
pub use not_sent::NotSent;
pub use observable::{Observable, VerdictOf};
pub use provider::{Operation, Provider, Readable};
pub use sources::{Clock, NonceSource};
#[cfg(feature = "system")]
pub use sources::{RandomNonces, SystemClock};
#[cfg(feature = "tokio")]
pub use tokio_sleep::tokio_sleep;
pub use watch::{Change, End, Handle, Nudged, ParseWatchError, Watch, Watchable};
pub use watch_set::{WatchEvent, WatchId, WatchSet};
