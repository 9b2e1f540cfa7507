//! Validation of checkout requests: parse, don't validate.
//!
//! - [`allscale`]: [`Draft`](allscale::Draft) is the request that you would like to send, and
//!   [`Draft::check`](allscale::Draft::check) makes a valid [`CreateIntent`](allscale::CreateIntent) of the
//!   draft, or names every fault.
//! - [`allscale::CoinSet`]: the bitmask of accepted coins, decoded.
//! - [`azotte`]: [`Draft`](azotte::Draft) → [`SubmitCheckout`](azotte::SubmitCheckout), which has a card
//!   where a card is needed and nowhere else, and the key under which the order is charged once.
//! - [`peach`]: [`Draft`](peach::Draft) → [`InitiateCheckout`](peach::InitiateCheckout), the same pairs for
//!   the form, the JSON and the signature; and [`Lookup`](peach::Lookup), the id that looks up a status.
//! - [`Violations`]: everything that is wrong, in the order of the provider's page.
//! - [`PathSegment`]: an opaque id, fit for a path.
//! - [`Redacted`] and [`SecretString`]: text about the payer, and of a card, which is printed nowhere.
//!
//! ```
//! # checkout_doctest::facade!(validate);
//! use checkout_kit::Cents;
//! use checkout_kit::allscale::{Currency, Draft, StableCoin};
//!
//! let intent = Draft::fiat(Currency::EUR, Cents::new(100)).order_id("order_123").check()?;
//! assert_eq!(intent.order_id(), Some("order_123"));
//!
//! let violations = Draft::coin(StableCoin::USDT, Cents::new(10)).check().unwrap_err();
//! assert_eq!(violations.to_string(), "amount_cents: amount must be greater than 0.1 USDT! (50002)");
//! # Ok::<(), checkout_validate::allscale::Violations>(())
//! ```
//!
//! # What is not here
//! The bytes of a request are `checkout-wire`'s. Facts that only the provider can know are not guessed: the
//! price of a fiat currency in coins, the store's own settings.
//!
//! # The one idea to know
//! A documented rule refuses, and everything else at most warns: a request that the provider would accept is
//! a sale. A refusal names the field, and the code that the provider would have answered with, if the
//! provider has codes.
//!
//! There are exceptions, and they are ours:
//! - The limits ([`allscale::Limits`], [`azotte::Limits`], [`peach::Limits`]) on the lengths of texts and
//!   lists and on the depth of metadata. The documents name none, so the provider may well accept values that
//!   the limits refuse. The limits are generous, each has its name, each can be raised, and such a refusal
//!   has no code.
//! - Requests that could take money twice, or send card data where no card is needed, or not be signed: a
//!   submit to Azotte without a `correlationId`, a card that is not asked for, a parameter of Peach's that is
//!   given twice. `is_ours` of [`azotte::Violation`] and [`peach::Violation`] identifies these, and each
//!   gives its reason.
//!
//! # Sources
//! - AllScale: *Create Checkout Intent*, v4, 2026-05-06.
//! - Azotte: *Submit Checkout* and *Get Checkout Status* of its C2A pages.
//! - Peach: *Hosted Checkout* and *Payment status*.
//!
//! Where the pages are silent an item says Assumed, and why.
//!
//! # Features
//! None. The crate is `no_std` with `alloc`.
#![no_std]

extern crate alloc;

pub mod allscale;
pub mod azotte;
mod path;
pub mod peach;
mod redacted;
mod text;
mod violations;

pub use path::{IdError, PathSegment};
pub use redacted::Redacted;
pub use secrecy::{ExposeSecret, SecretString};
pub use violations::{BrokenRule, Violations};
