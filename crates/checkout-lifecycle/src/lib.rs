//! The life of a checkout: which status may follow which, and what an observation of one means.
//!
//! - [`Tracker`]: what is known of one checkout. [`Tracker::observe`] is the one way in, for a read, a
//!   webhook and a redirect alike, and gives a [`Verdict`].
//! - [`Phase`]: where a checkout stands, in words that are the same for every provider.
//! - [`Status`]: a provider's statuses, their [`Step`]s, and what follows from these; [`allscale`],
//!   [`azotte`] and [`peach`] have those of their providers.
//!
//! ```
//! use checkout_lifecycle::{Moment, Observation, Phase, Tracker, Verdict};
//! use checkout_tables::allscale::IntentStatus;
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
//! When to look again, whether a webhook is genuine, and whether the money is right: a status is taken for
//! what its observation says it is. Nothing here reads a clock, allocates, or needs `std`: the time is an
//! argument.
//!
//! # The one idea to know
//! A provider's answers come late, twice and out of order. A status is adopted for what it says beside what
//! is known, never because it came last. Moments say which is newer; where one is missing, the steps do.
//!
//! [`Phase::Succeeded`] is money. [`Phase::Authorized`] is an end too, and is none.
//!
//! Three things are yours: to store beside the tracker that a person has to look after a
//! [`Verdict::Conflict`], which the tracker does not remember; to look at [`Tracker::superseded`] whenever a
//! checkout has succeeded; and to read again where a success came without a moment, before goods leave.
//!
//! # Sources
//! Only Peach publishes a list of steps. Each [`Step`] says whether its source states it or we assume it, and
//! why; everything else is derived from the steps. `docs/lifecycle.md` shows them.
//!
//! # Features
//! `serde` (off by default): a [`Tracker`] as the text that it prints.
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

pub use derive::Reach;
pub use observation::{Attestation, Moment, Observation, Source};
pub use phase::{Failure, Phase};
pub use status::{Basis, ClockOf, Kind, Path, Status, Step};
pub use tracker::{CLOCK_TOLERANCE, ParseTrackerError, Tracker, Verdict};
