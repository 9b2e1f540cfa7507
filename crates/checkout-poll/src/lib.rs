//! When to ask a provider again: polling and retries as data.
//!
//! - [`Poller`]: when to ask how one checkout stands, when to show the payer a challenge, and when to stop. A
//!   machine of 24 bytes without a clock, a timer or a transport.
//! - [`PollPolicy`]: how often, and for how long: one for each provider, and what of it is the merchant's to
//!   set.
//! - [`retry_advice`]: whether a request may be sent again after an attempt that ended like this:
//!   [`RetryAdvice`].
//! - [`RetryState`]: one loop of attempts within its [`RetryPolicy`]; [`Backoff`] is how long it waits.
//!
//! ```
//! use checkout_lifecycle::{Moment, Phase};
//! use checkout_poll::{ReadKind, ReadOutcome, PollPolicy, Poller, Step};
//!
//! let plan = PollPolicy::peach();
//! let mut now = Moment::from_unix_millis(1_700_000_000_000);
//! let mut poller = Poller::new(&plan, now, 42);
//! let mut answers = [Phase::AwaitingPayer, Phase::Processing, Phase::Succeeded].into_iter();
//! let end = loop {
//!     match poller.next(&plan, now) {
//!         Step::Wait(until) | Step::AskPayer { until } => now = until, // sleep, or listen for webhooks
//!         Step::Fetch(fetch) => {
//!             poller.mark_sent(&plan, now);
//!             let phase = answers.next(); // ask the provider, and let the tracker judge
//!             poller.handle_outcome(&plan, now, ReadOutcome::Answer { fetch, phase, wait: None });
//!         }
//!         Step::Done(phase) => break Some(phase),
//!         Step::GaveUp(_) => break None,
//!     }
//! };
//! assert_eq!(end, Some(Phase::Succeeded));
//! ```
//!
//! # What is not here
//! Requests, answers and what a status means: `checkout-client` asks, and `checkout-lifecycle`'s tracker
//! judges. Sleeping, threads and timers. Whether the money is right. Nothing here reads a clock, rolls a die
//! or counts in floats: moments and seeds are arguments, and the same ones give the same steps.
//!
//! # The one idea to know
//! A poller says what to do next and is told what was done. It can be stored between any two of these as one
//! line of text, and goes on elsewhere as if nothing had happened: put that line beside the tracker's.
//!
//! # Sources
//! AllScale's *Integration Guide* (every 5 s, 10 minutes), Azotte's *Get Checkout Status* (2 s, or what the
//! answer says) and Peach's *Payment status* (two requests a minute), by the constants of `checkout-tables`.
//! What no page says is Assumed, and each [`PollPolicy`] says which.
//!
//! # Features
//! `serde` (off by default): a [`Poller`] as the text that it prints.
#![no_std]

extern crate alloc;

mod backoff;
mod poll_policy;
mod poller;
mod retry;
mod schedule;
mod time;

pub use backoff::Backoff;
pub use poll_policy::{Cadence, PollPolicy};
pub use poller::{GaveUp, GiveUpReason, ParsePollerError, Poller, ReadKind, ReadOutcome, Step};
pub use retry::{AttemptOutcome, RetryAdvice, RetryPolicy, RetryState, retry_advice};
pub use schedule::{MerchantId, Next, Schedule, ScheduleKey};
