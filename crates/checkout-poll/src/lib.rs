//! Polling and retries as data: when to read a provider again.
//!
//! - [`Poller`]: decides when to read one checkout, when to show the payer a challenge, and when to stop. A
//!   machine of 24 bytes without a clock, a timer or a transport.
//! - [`PollPolicy`]: the frequency and the duration of polling: one for each provider, and the parts that the
//!   merchant may set.
//! - [`retry_advice`]: advice on sending a request again after an attempt with a given outcome:
//!   [`RetryAdvice`].
//! - [`RetryState`]: one loop of attempts within its [`RetryPolicy`]; [`Backoff`] sets the waits.
//!
//! ```
//! # checkout_doctest::facade!(poll);
//! use checkout_kit::poll::{Poller, ReadKind, ReadOutcome, Step};
//! use checkout_kit::{Moment, Phase, PollPolicy};
//!
//! let policy = PollPolicy::peach();
//! let mut now = Moment::from_unix_millis(1_700_000_000_000);
//! let mut poller = Poller::new(&policy, now, 42);
//! let mut answers = [Phase::AwaitingPayer, Phase::Processing, Phase::Succeeded].into_iter();
//! let end = loop {
//!     match poller.next(&policy, now) {
//!         Step::Wait(until) | Step::AskPayer { until } => now = until, // sleep, or listen for webhooks
//!         Step::Fetch(kind) => {
//!             poller.mark_sent(&policy, now);
//!             let phase = answers.next(); // ask the provider, and let the tracker judge
//!             poller.handle_outcome(&policy, now, ReadOutcome::Answer { kind, phase, wait: None });
//!         }
//!         Step::Done(phase) => break Some(phase),
//!         Step::GaveUp(_) => break None,
//!     }
//! };
//! assert_eq!(end, Some(Phase::Succeeded));
//! ```
//!
//! # What is not here
//! Requests, answers and the meaning of a status: `checkout-client` sends requests, and the tracker of
//! `checkout-lifecycle` judges the answers. Sleeping, threads and timers. The check that the money is right.
//! Nothing here reads a clock, rolls a die or counts in floats: moments and seeds are arguments, and the same
//! arguments give the same steps.
//!
//! # The one idea to know
//! A poller returns the next thing to do, and the caller reports what happened. A poller can be stored
//! between any two of these calls as one line of text, and continues elsewhere as if nothing had happened:
//! put that line beside the tracker's.
//!
//! # Sources
//! AllScale's *Integration Guide* (every 5 s, 10 minutes), Azotte's *Get Checkout Status* (2 s, or as the
//! answer asks) and Peach's *Payment status* (two requests a minute), by the constants of `checkout-tables`.
//! Facts that no page documents are Assumed, and each [`PollPolicy`] names them.
//!
//! # Features
//! `serde` (off by default): a [`Poller`] in its text form.
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
