//! The life of a checkout: the order of its statuses, and the meaning of an observation.
//!
//! - [`Tracker`]: the known state of one checkout. [`Tracker::observe`] takes in reads, webhooks and
//!   redirects alike, and returns a [`Verdict`].
//! - [`Phase`]: the state of a checkout, in words that are the same for every provider.
//! - [`Status`]: a provider's statuses, their [`Step`]s, and the facts derived from the steps; [`allscale`],
//!   [`azotte`] and [`peach`] have the statuses and steps of their providers.
//!
//! ```
//! # checkout_doctest::facade!(lifecycle);
//! use checkout_kit::allscale::IntentStatus;
//! use checkout_kit::{Moment, Observation, Phase, Tracker, Verdict};
//!
//! let mut tracker = Tracker::<IntentStatus>::new();
//! let at = Moment::from_unix_millis;
//! let read = |status: i64, sent| Observation::read(status, at(sent));
//! // Each answer came 300 ms after its request was sent.
//! assert_eq!(tracker.observe(read(2, 1_000), at(1_300)), Verdict::First);
//! assert_eq!(tracker.observe(read(20, 6_000), at(6_300)), Verdict::Advanced { from: IntentStatus::Viewed });
//! assert_eq!(tracker.phase(), Some(Phase::Succeeded));
//!
//! // The answer to an earlier request comes last: the payment stays paid.
//! assert_eq!(tracker.observe(read(10, 5_000), at(7_000)), Verdict::Stale { observed: IntentStatus::OnChain });
//! assert_eq!(tracker.status(), Some(IntentStatus::Confirmed));
//! ```
//!
//! # What is not here
//! When to look again, whether a webhook is genuine, and whether the money is right: the tracker takes the
//! status that its observation asserts. Nothing here reads a clock, allocates, or needs `std`: the time is an
//! argument.
//!
//! # The one idea to know
//! A provider's answers come late, twice and out of order. The tracker adopts a status by comparison with the
//! known status, never because the status came last. Moments show which status is newer; if a moment is
//! missing, the steps do.
//!
//! [`Phase::Succeeded`] is money. [`Phase::Authorized`] is an end too, but not money.
//!
//! Three things are yours. After a [`Verdict::Conflict`], which the tracker does not remember, store beside
//! the tracker that a person has to look. Look at [`Tracker::superseded`] whenever a checkout has succeeded.
//! If a success came without a moment, read again before goods leave.
//!
//! # Sources
//! Only Peach publishes a list of steps. Each [`Step`] records whether its source states the step or we
//! assume the step, and why; everything else is derived from the steps. `docs/lifecycle.md` shows them.
//!
//! # Features
//! `serde` (off by default): a [`Tracker`] in its text form.
#![no_std]

pub mod allscale;
pub mod azotte;
mod derive;
mod observation;
pub mod peach;
mod phase;
mod status;
mod table;
mod tracker;

#[cfg(test)]
extern crate std;

pub use checkout_tables::Moment;
pub use derive::Reach;
pub use observation::{Attestation, Observation, Source};
pub use phase::{Failure, Phase};
pub use status::{Basis, ClockOf, Kind, Path, Status, Step};
pub use tracker::{CLOCK_TOLERANCE, ParseTrackerError, Tracker, Verdict};
