//! Validation of checkout requests: parse, don't validate.
//!
//! - [`allscale`]: [`Draft`](allscale::Draft) is what you would like to send, and
//!   [`Draft::check`](allscale::Draft::check) makes a [`CreateIntent`](allscale::CreateIntent) of it, which cannot be
//!   wrong any more, or says everything that is.
//! - [`allscale::CoinSet`]: the bitmask of accepted coins, decoded.
//! - [`PathSegment`]: an opaque id, fit for a path.
//!
//! ```
//! use checkout_money::Cents;
//! use checkout_tables::allscale::{Currency, StableCoin};
//! use checkout_validate::allscale::{Draft, Rules};
//!
//! let intent = Draft::fiat(Currency::EUR, Cents::new(100)).order_id("order_123").check(&Rules::default())?;
//! assert_eq!(intent.order_id(), Some("order_123"));
//!
//! let violations = Draft::coin(StableCoin::USDT, Cents::new(10)).check(&Rules::default()).unwrap_err();
//! assert_eq!(violations.to_string(), "amount_cents: amount must be greater than 0.1 USDT! (50002)");
//! # Ok::<(), checkout_validate::allscale::Violations>(())
//! ```
//!
//! # What is not here
//! The bytes of a request are `checkout-wire`'s. What only the provider can know is not guessed: the price of a fiat
//! currency in coins, the store's own settings.
//!
//! # The one idea to know
//! A documented rule refuses, and everything else at most warns: what the provider would accept is a sale. A
//! refusal names the field and the code that the provider would have answered with.
//!
//! There is one exception, and it is ours: the [`Limits`](allscale::Limits) on the lengths of texts and lists and on
//! the depth of the metadata. The documents name none, so the provider may well accept what
//! [`TooLong`](allscale::Violation::TooLong) and [`ExtraTooDeep`](allscale::Violation::ExtraTooDeep) refuse. They
//! are generous, each has its name, each can be raised, and such a refusal has no code.
//!
//! # Sources
//! *Create Checkout Intent*, v4, 2026-05-06. Where it is silent an item says Assumed, and why.
//!
//! # Features
//! None. The crate is `no_std` with `alloc`.
#![no_std]

extern crate alloc;

pub mod allscale;
mod path;
mod personal;

pub use path::{IdError, PathSegment};
pub use personal::Personal;
