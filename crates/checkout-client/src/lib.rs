//! A hosted checkout client over any transport, signed anew at every attempt.
//!
//! - [`allscale::Client`], [`azotte::Client`], [`peach::Client`] and [`peach::v2::Client`]: one store's, tenant's or
//!   merchant's access: its keys, where the API is, a clock and a source of nonces. Cheap to clone, and there can be as many
//!   as there are stores.
//! - [`Call`]: one thing to ask. [`send`](Call::send), [`send_local`](Call::send_local) and
//!   [`send_blocking`](Call::send_blocking) ask it over a transport; [`attempt`](Call::attempt) takes it apart, for
//!   those who bring their own.
//! - [`Received`]: the reply, with when it was asked for and how far the clocks are apart.
//! - [`Observable`]: an answer that says how a checkout stands, whoever the provider is.
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
//! HTTP: bring a transport. Waiting and repeating: a call is asked once, and when to ask again is yours to decide; what
//! a status means is `checkout-lifecycle`'s. Whether what was paid is what the order asked for.
//!
//! # The one idea to know
//! A call can be made many times, and each attempt is signed anew with a nonce and a timestamp of its own. Whether it
//! may be repeated is a fact of its route ([`Call::repeat`]); how far a failed attempt got is in
//! [`SendError::delivery`].
//!
//! # Sources
//! AllScale's pages of the checkout intent routes, of authentication and of the test routes; Azotte's *Submit Checkout* and
//! *Get Checkout Status*; Peach's pages of Hosted Checkout, V1 and V2. Each method names its own.
//!
//! # Features
//! - `system` (on by default): the system's clock, and random UUIDs as nonces. Without it both are yours to give.
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
mod sources;
mod trace;

pub use base_url::BuildError;
pub use call::{Attempt, Call, Readable, Reader};
pub use error::{AnswerError, SendError};
pub use observable::Observable;
pub use provider::{Operation, Provider};
pub use received::{ClockSkew, Received};
pub use sources::{Clock, Nonces};
#[cfg(feature = "system")]
pub use sources::{RandomNonces, SystemClock};
