//! The enum tables of hosted checkout providers: the numbers and names on their pages, row by row.
//!
//! - [`allscale`]: 163 currencies, 10 stable coins, 12 intent statuses with their terminal flags, 9 error
//!   codes with the routes that give them, 4 payment methods, 6 routes with their repeatability.
//! - [`azotte`]: 4 message codes with their terminal flags and actions, an error code, 5 payment channels, 2
//!   routes.
//! - [`peach`]: 6 payment statuses with their final flags, the result codes with the exact list that settles
//!   a payment, the 15 groups and the 667 meanings that explain a code, 6 currencies, 2 payment types, 4
//!   tables of standing instructions, 6 routes with their hosts and limits.
//! - [`Open`]: a value from a provider, which the table may not name yet.
//! - [`Moment`]: a point in time, in the one form that the crates above take and give.
//!
//! ```
//! # checkout_doctest::facade!(tables);
//! use checkout_kit::allscale::{Currency, IntentStatus, StableCoin};
//! use checkout_kit::tables::Open;
//!
//! assert_eq!(Currency::from_code("EUR").map(Currency::value), Some(44));
//! assert!(StableCoin::USDC.is_supported());
//!
//! let received: Open<IntentStatus> = Open::from(20);
//! assert!(received.known().is_some_and(IntentStatus::is_terminal));
//! assert_eq!(Open::<IntentStatus>::from(6).value(), 6); // named by nobody yet, and not lost
//!
//! use checkout_kit::azotte::MessageCode;
//! let received: Open<MessageCode, &str> = Open::from("CHECK_OUT_DONE");
//! assert_eq!(received.known(), Some(MessageCode::Done));
//! ```
//!
//! # What is not here
//! Rules: `checkout-validate` decides which request is valid, and `checkout-lifecycle` which status may
//! follow another. Amounts are in `checkout-money`. Nothing here allocates, and without the
//! feature `system` nothing here needs `std`.
//!
//! # The one idea to know
//! Closed when sent, open when received. You send a table's enum; you receive an [`Open`] of the enum.
//!
//! # Sources
//! Each table names its document, and its version and date if the page has them. The published rows are in
//! `fixtures/`, and the tests compare the tables with them in both directions. AllScale's rows were typed
//! from the pages by `fixtures/rows_from_page.py`.
//!
//! # Features
//! None is on by default, and without them the crate has no dependency.
//! - `serde`: tables as their integers (`serde_repr`), or as their texts if they number nothing; a
//!   [`ResultCode`](peach::ResultCode) as its text; [`Open`] as the received integer or text.
//! - `alloc`: `String` and `Cow<str>` as the types that keep the text of an [`Open`].
//! - `strum`: `EnumCount`, `EnumIter`, `IntoStaticStr` and `VariantArray` on every table, on the routes, on
//!   [`Repeat`] and on [`Action`](azotte::Action). The static text is the same as that of `Display`.
//! - `system`: `Moment::now`, which reads the system's clock. The crate needs `std` then.
#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(feature = "system")]
extern crate std;

pub mod allscale;
pub mod azotte;
mod code_table;
mod environment;
mod moment;
mod open;
pub mod peach;
mod rate_limit;
mod repeat;

use code_table::code_table;

pub use environment::Environment;
pub use moment::Moment;
pub use open::{IntCode, NotInTable, Open, RawOf, TextCode, Unnamed};
pub use rate_limit::{RateLimit, RateScope};
pub use repeat::Repeat;
