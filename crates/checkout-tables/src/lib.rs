//! The enum tables of hosted checkout providers: what their pages number and name, row by row.
//!
//! - [`allscale`]: 163 currencies, 10 stable coins, 12 intent statuses with their terminal flags, 9 error
//!   codes with the routes that give them, 4 payment methods, 6 routes with what may be repeated.
//! - [`azotte`]: 4 message codes with their terminal flags and what to do, an error code, 5 payment channels,
//!   2 routes.
//! - [`peach`]: 6 payment statuses with their final flags, the result codes with the exact list that settles
//!   a payment, the 15 groups and the 667 meanings that explain one, 6 currencies, 2 payment types, 4 tables
//!   of standing instructions, 6 routes with their hosts and limits.
//! - [`Open`]: a value that came from a provider, which may be one nobody has named yet.
//!
//! ```
//! use checkout_tables::Open;
//! use checkout_tables::allscale::{Currency, IntentStatus, StableCoin};
//!
//! assert_eq!(Currency::from_code("EUR").map(Currency::value), Some(44));
//! assert!(StableCoin::USDC.is_supported());
//!
//! let received: Open<IntentStatus> = Open::from(20);
//! assert!(received.known().is_some_and(IntentStatus::is_terminal));
//! assert_eq!(Open::<IntentStatus>::from(6).value(), 6); // named by nobody yet, and not lost
//!
//! use checkout_tables::azotte::MessageCode;
//! let received: Open<MessageCode, &str> = Open::from("CHECK_OUT_DONE");
//! assert_eq!(received.known(), Some(MessageCode::Done));
//! ```
//!
//! # What is not here
//! Rules: which request is valid is in `checkout-validate`, which status may follow which in
//! `checkout-lifecycle`. Amounts are in `checkout-money`. Nothing here allocates, and nothing here needs
//! `std`.
//!
//! # The one idea to know
//! Closed when sent, open when received. A table's enum is what you send; [`Open`] of it is what you get.
//!
//! # Sources
//! Each table names its document, and its version and date where the page has them. The published rows stand
//! in `fixtures/`, and the tests compare the tables with them in both directions. AllScale's were typed from
//! the pages by `fixtures/rows_from_page.py`.
//!
//! # Features
//! None is on by default, and without them the crate has no dependency.
//! - `serde`: tables as their integers (`serde_repr`), or as their texts where they number nothing; a
//!   [`ResultCode`](peach::ResultCode) as its text; [`Open`] as the integer or the text it came as.
//! - `alloc`: `String` and `Cow<str>` as what the text of an [`Open`] is kept in.
//! - `strum`: `EnumCount`, `EnumIter`, `IntoStaticStr` and `VariantArray` on every table, on the routes, on
//!   [`Repeat`] and on [`Action`](azotte::Action). The static text is the one that `Display` gives.
#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;

pub mod allscale;
pub mod azotte;
mod code_table;
mod environment;
mod open;
pub mod peach;
mod rate_limit;
mod repeat;

use code_table::code_table;

pub use environment::Environment;
pub use open::{IntCode, NotInTable, Open, RawOf, TextCode, Unnamed};
pub use rate_limit::{RateLimit, RateScope};
pub use repeat::Repeat;
