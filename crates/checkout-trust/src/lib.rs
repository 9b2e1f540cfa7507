//! Verified webhooks, claimed once and processed, and the question whether a read settles an order.
//!
//! - [`allscale::Receiver`], [`peach::Receiver`]: the raw request in, [`Verified`] or an error that names who
//!   is to blame out.
//! - [`replay`]: `claim`, then `commit` or `release`, so that every event is processed once and none is lost.
//! - [`settlement`]: does this read settle this order?
//!
//! ```
//! # checkout_doctest::facade!(trust);
//! use checkout_kit::peach::{Message, Receiver, SecretToken};
//! use checkout_kit::replay::{Claim, Guard, MemoryStore};
//! use checkout_kit::{Environment, KeyRing};
//!
//! let at = checkout_kit::Moment::from_unix_millis;
//! # let secret = SecretToken::new("3fcd7cf22f55119eadbe02d14de18c0c".into())?;
//! # let signature = secret.sign([("checkoutId", "c01b"), ("paymentType", "DB"), ("result.code", "000.000.000")])?;
//! # let body = format!("checkoutId=c01b&paymentType=DB&result.code=000.000.000&signature={}", signature.as_str());
//! # let (body, content_type) = (body.as_bytes(), Some("application/x-www-form-urlencoded"));
//! let receiver = Receiver::new("8ac7a4ca68c22c4d0168c2caab2e0025", KeyRing::new("2026", secret), Environment::Live);
//! let guard = Guard::new(MemoryStore::new(100_000));
//!
//! // Or answer its error's http_status().
//! let Message::Event(event) = receiver.webhook(content_type, body, at(1_716_501_000_000))? else { return Ok(()) };
//! if let Claim::Fresh(ticket) = guard.claim(event.identity(), at(1_716_501_000_000))? {
//!     assert!(event.wants_a_read()); // a success is told by a read alone: make it, and hold it to the order
//!     let commit = guard.commit(ticket, at(1_716_501_000_400))?;
//!     assert_eq!(commit.http_status(), 200);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is not here
//! Signatures themselves (`checkout-auth`), bodies (`checkout-wire`), steps and phases
//! (`checkout-lifecycle`), HTTP, and a clock: the time is an argument. Azotte documents no webhooks.
//!
//! # The one idea to know
//! A webhook is a reason to look, and a read is the truth. So verified content has a type of its own,
//! processed events are recorded by their signed content, and only a read settles an order.
//!
//! # Sources
//! AllScale's webhook page; Peach's *Hosted Checkout authentication and authorisation* and *Checkout
//! webhooks*; each item says what is assumed.
//!
//! # Features
//! - `conformance`: the suite that tests a replay store of your own.
//! - `http`: the receivers take requests of the `http` crate.
//! - `test-util`: [`Verified`] without verification, for tests of your event handling.

pub mod allscale;
pub mod peach;
pub mod replay;
pub mod settlement;
mod verified;

pub use verified::Verified;
