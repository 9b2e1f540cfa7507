//! Exact amounts for hosted checkouts: hundredths, coin amounts and rates, scale kept and no floats.
//!
//! - [`Cents`]: hundredths of one unit, of a fiat currency or of a stable coin; an `i64`.
//! - [`CoinAmount`]: an amount of a stable coin as a provider prints it, to the last zero.
//! - [`Rate`]: coins per one fiat unit, kept exactly as received.
//!
//! ```
//! # checkout_doctest::facade!(money);
//! use checkout_kit::money::Rate;
//! use checkout_kit::{Cents, CoinAmount};
//!
//! let price: Cents = "12.50".parse()?;
//! assert_eq!(price.get(), 1250);
//! let paid: CoinAmount = "12.5000".parse()?;
//! assert_eq!(paid.to_string(), "12.5000"); // the scale is kept
//! assert_eq!(paid, CoinAmount::from_cents(price)); // and does not matter to a comparison
//! let fee: CoinAmount = "0.062500".parse()?;
//! assert_eq!(paid.checked_sub(fee)?.to_string(), "12.437500"); // exact, or an error
//! let ours: Rate = "1.08".parse()?;
//! assert_eq!(ours.estimate(price)?.to_string(), "13.5000");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is not here
//!
//! - Currencies and coins: an amount does not know its unit. Keep the unit beside the amount.
//! - Rounding. No operation rounds: a result that cannot be held exactly is an error.
//! - Floats, and any conversion from or to a float.
//! - Floors and limits of a provider: these are rules over amounts, not amounts.
//! - Recomputing a provider's amounts from its rate; [`Rate`] gives the reason.
//! - Operators: `+` would have to panic or to wrap. Every operation here is checked.
//!
//! # The one idea to know
//!
//! Text in, the same text out. A stable coin's amount is a whole number (its *mantissa*) and a number of
//! decimals (its *scale*), and both survive every round trip: `"1.0000"` stays `"1.0000"`. Comparing,
//! ordering and hashing look at the number alone, so `1.0 == 1.0000`; `is_identical` looks at the scale too.
//!
//! # How amounts are written
//!
//! All three types read `-?digits(.digits)?` in ASCII and nothing else: no plus sign, no exponent, no
//! separators, no blanks, no bare point. Leading zeros are accepted and not kept (`"01.0"` is `1.0`), and so
//! is a minus before zero (`"-0.00"` is `0.00`). Any other text of a coin amount or a rate is printed again
//! byte for byte; cents are printed with two decimals. An error names the kind of fault and the offset of the
//! first byte that cannot stand there, and never holds the text.
//!
//! `Display` keeps all decimals and heeds width, fill, sign and zero padding; `Display` ignores a precision,
//! because a precision would require rounding.
//!
//! # Sources
//!
//! *Create Checkout Intent*, v4, 2026-05-06, of AllScale Checkout: `amount_cents` is an integer, and
//! `amount_coins` and `rate` are decimal strings (of four decimals there; replies with six were seen).
//! Assumed: `amount_cents` is the amount times 100 for every currency, the yen and the dinar of Kuwait too.
//! That is what published plugins send, and the documents name no exception.
//!
//! # Features
//!
//! - `serde` (off): [`Cents`] as an integer, [`CoinAmount`] and [`Rate`] as a string. A number is not
//!   accepted as a string, nor a string as a number.
//!
//! The crate is `no_std` and allocates nothing. `rust_decimal`, which holds the numbers and is not part of
//! the public API, links `alloc`.

#![no_std]
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

#[cfg(test)]
extern crate std;

mod cents;
mod coin;
mod exact;
mod rate;
#[cfg(feature = "serde")]
mod serde_impls;
mod text;

pub use cents::Cents;
pub use coin::CoinAmount;
pub use exact::OverflowError;
pub use rate::Rate;
pub use text::{ParseAmountError, ParseAmountErrorKind};
