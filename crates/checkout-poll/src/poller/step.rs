//! What a poller says, and what it is told.

#[cfg(doc)]
use crate::{PollPolicy, Poller};
use checkout_lifecycle::{Moment, Phase};
use core::time::Duration;

/// What to read.
///
/// ```
/// use checkout_poll::ReadKind;
///
/// assert_ne!(ReadKind::Status, ReadKind::Full);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReadKind {
    /// How the checkout stands, and no more.
    Status,
    /// The read that settles: all that can be compared with the order. A provider with one read has it for
    /// both.
    Full,
}

/// What to do now.
///
/// ```
/// use checkout_lifecycle::Phase;
/// use checkout_poll::Step;
///
/// assert_ne!(Step::Done(Phase::Authorized), Step::Done(Phase::Succeeded));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Ask the provider. Tell [`Poller::mark_sent`] before it and [`Poller::handle_outcome`] after it.
    Fetch(ReadKind),
    /// Nothing until then.
    Wait(Moment),
    /// Show the payer the challenge, and tell [`Poller::payer_returned`] when the payer is back. Nothing else
    /// until then.
    AskPayer {
        /// When to go on if nobody has told.
        until: Moment,
    },
    /// It has ended like this, and the read that settles has shown it. A refusal with [late
    /// reads](PollPolicy::late_payment_reads) is done when these are over; [`Poller::refused`] tells it as
    /// soon as it is confirmed.
    Done(Phase),
    /// It has not ended, as far as is known, and it is not asked any more.
    GaveUp(GaveUp),
}

/// What was known when it was given up. It says nothing of how the checkout ends: money can still come.
///
/// ```
/// use checkout_poll::{GaveUp, GiveUpReason};
///
/// let gave_up = GaveUp { last: None, why: GiveUpReason::Deadline };
/// assert_eq!(gave_up.why, GiveUpReason::Deadline);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GaveUp {
    /// Where the checkout stood when it was last heard of. An end, if it was not confirmed.
    pub last: Option<Phase>,
    /// Why.
    pub why: GiveUpReason,
}

/// Why it was given up. [`Poller::resume`] goes on.
///
/// ```
/// use checkout_lifecycle::Moment;
/// use checkout_poll::GiveUpReason;
///
/// let until = Moment::from_unix_millis(1_700_000_000_000);
/// assert_eq!(GiveUpReason::AskedToWait { until }, GiveUpReason::AskedToWait { until });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GiveUpReason {
    /// Its time is over, and a read that was asked then has left it open or, repeated, had no answer:
    /// [`PollPolicy::final_attempts`].
    Deadline,
    /// The provider said a wait that goes past the deadline and is longer than the plan's pauses are.
    AskedToWait {
        /// When it would be over.
        until: Moment,
    },
    /// It was refused so often in a way that no repeat mends: [`PollPolicy::refusals`].
    Refused,
}

/// What came of a read, in words that are the same for every provider.
///
/// ```
/// use checkout_poll::ReadOutcome;
/// use core::time::Duration;
///
/// let limited = ReadOutcome::Limited { wait: Some(Duration::from_secs(7)) };
/// assert_ne!(limited, ReadOutcome::Failed { wait: Some(Duration::from_secs(7)) });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReadOutcome {
    /// An answer.
    Answer {
        /// What was read.
        fetch: ReadKind,
        /// Where the checkout stands after it, as the tracker says. None if nothing is known, and **none if a
        /// whole read does not bear it out**, because its status is unknown, older, or in conflict: an end
        /// that a whole read is said to have shown is done. None changes nothing.
        phase: Option<Phase>,
        /// What this very answer said to wait, and not what a provider advises in general: that is the
        /// plan's. It takes the place of the ordinary pause; a pause of its own kind (a challenge, a review,
        /// late reads) it only makes longer.
        wait: Option<Duration>,
    },
    /// Too many requests.
    Limited {
        /// The wait that the answer asked for.
        wait: Option<Duration>,
    },
    /// No answer, or one that says nothing: a gateway's, not the API's, unreadable, the provider's own
    /// trouble.
    Failed {
        /// The wait that the answer asked for.
        wait: Option<Duration>,
    },
    /// An answer by which the payer has to act, where nobody is to wait for the payer's return: the next read
    /// comes after the ordinary pause. Otherwise as an answer with [`Phase::PayerAction`].
    PayerActs {
        /// True if the answer has something that the payer can be shown. Where it has nothing, such as a
        /// challenge whose address is not known yet, there is no [`Step::AskPayer`] until an answer has it.
        shown: bool,
        /// The wait that this very answer asked for.
        wait: Option<Duration>,
    },
    /// A refusal by which there is no such checkout. A checkout that was made a moment ago may not be there
    /// yet, so for as long as [`PollPolicy::appears_within`] says it is [`Failed`](Self::Failed), and after
    /// that [`Refused`](Self::Refused).
    NotThere {
        /// The wait that the answer asked for.
        wait: Option<Duration>,
    },
    /// A refusal that no repeat mends: credentials, nothing there.
    Refused,
}
