//! The steps of a poller, and the outcomes that a poller takes in.

#[cfg(doc)]
use crate::{PollPolicy, Poller};
use checkout_lifecycle::{Moment, Phase};
use core::time::Duration;

/// The kind of a read.
///
/// ```
/// # checkout_doctest::facade!(poll);
/// use checkout_kit::poll::ReadKind;
///
/// assert_ne!(ReadKind::Status, ReadKind::Full);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReadKind {
    /// The status of the checkout, and no more.
    Status,
    /// The read that settles: everything that can be compared with the order. A provider with a single read
    /// uses that read for both kinds.
    Full,
}

/// The next thing to do.
///
/// ```
/// # checkout_doctest::facade!(poll);
/// use checkout_kit::Phase;
/// use checkout_kit::poll::Step;
///
/// assert_ne!(Step::Done(Phase::Authorized), Step::Done(Phase::Succeeded));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Send a read to the provider. Call [`Poller::mark_sent`] before and [`Poller::handle_outcome`] after
    /// the read.
    Fetch(ReadKind),
    /// Do nothing until this moment.
    Wait(Moment),
    /// Show the payer the challenge, and call [`Poller::payer_returned`] when the payer is back. Do nothing
    /// else until then.
    AskPayer {
        /// The moment to continue if nobody reports a return.
        until: Moment,
    },
    /// The checkout has ended like this, and the read that settles has shown the end. A refusal with [late
    /// reads](PollPolicy::late_payment_reads) is done when the late reads are over; [`Poller::refused`]
    /// returns the refusal as soon as it is confirmed.
    Done(Phase),
    /// The checkout has not ended, as far as is known, and polling stops.
    GaveUp(GaveUp),
}

/// The known state when the poller gave up. The end of the checkout stays open: money can still come.
///
/// ```
/// # checkout_doctest::facade!(poll);
/// use checkout_kit::poll::{GaveUp, GiveUpReason};
///
/// let gave_up = GaveUp { last_phase: None, reason: GiveUpReason::Deadline };
/// assert_eq!(gave_up.reason, GiveUpReason::Deadline);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GaveUp {
    /// The last known phase of the checkout. An end, if the end was not confirmed.
    pub last_phase: Option<Phase>,
    /// The reason for giving up.
    pub reason: GiveUpReason,
}

/// The reason why a poller gave up. [`Poller::resume`] continues.
///
/// ```
/// # checkout_doctest::facade!(poll);
/// use checkout_kit::Moment;
/// use checkout_kit::poll::GiveUpReason;
///
/// let until = Moment::from_unix_millis(1_700_000_000_000);
/// assert_eq!(GiveUpReason::AskedToWait { until }, GiveUpReason::AskedToWait { until });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GiveUpReason {
    /// The checkout's time is over. A read sent then left the checkout open or, repeated, had no answer:
    /// [`PollPolicy::final_attempts`].
    Deadline,
    /// The provider asked for a wait that goes past the deadline and is longer than the policy's pauses.
    AskedToWait {
        /// The moment when the wait would be over.
        until: Moment,
    },
    /// Too many refusals that no repeat mends: [`PollPolicy::max_refusals`].
    Refused,
}

/// The outcome of a read, in words that are the same for every provider.
///
/// ```
/// # checkout_doctest::facade!(poll);
/// use checkout_kit::poll::ReadOutcome;
/// use core::time::Duration;
///
/// let limited = ReadOutcome::Limited { wait: Some(Duration::from_secs(7)) };
/// assert_ne!(limited, ReadOutcome::Failed { wait: Some(Duration::from_secs(7)) });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReadOutcome {
    /// An answer.
    Answer {
        /// The kind of the read.
        kind: ReadKind,
        /// The phase of the checkout after the answer, as the tracker reports. None if nothing is known, and
        /// **none if a full read does not confirm the phase**, because its status is unknown, older, or in
        /// conflict: an end reported with a full read is done. None changes nothing.
        phase: Option<Phase>,
        /// The wait that this very answer asked for. The general advice of a provider belongs in the policy.
        /// The wait replaces the ordinary pause; a pause of its own kind (a challenge, a review, late reads)
        /// only becomes longer.
        wait: Option<Duration>,
    },
    /// Too many requests.
    Limited {
        /// The wait that the answer asked for.
        wait: Option<Duration>,
    },
    /// No answer, or an answer without information: a gateway's, an unexpected response, unreadable, the
    /// provider's own trouble.
    Failed {
        /// The wait that the answer asked for.
        wait: Option<Duration>,
    },
    /// An answer by which the payer has to act, while nobody should wait for the payer's return: the next
    /// read comes after the ordinary pause. Otherwise like an answer with [`Phase::PayerAction`].
    PayerActs {
        /// True if the answer has something to show the payer. If the answer has nothing, such as a challenge
        /// whose address is not known yet, there is no [`Step::AskPayer`] until an answer has something to
        /// show.
        shown: bool,
        /// The wait that this very answer asked for.
        wait: Option<Duration>,
    },
    /// A refusal for an unknown checkout. A checkout that was created a moment ago may not exist
    /// yet, so within [`PollPolicy::appears_within`] the outcome counts as [`Failed`](Self::Failed), and
    /// after that as [`Refused`](Self::Refused).
    NotThere {
        /// The wait that the answer asked for.
        wait: Option<Duration>,
    },
    /// A refusal that no repeat mends: credentials, nothing there.
    Refused,
}
