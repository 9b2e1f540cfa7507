//! The changes that a watch reports.

use super::Watchable;
use crate::{Answer, CallError};
use checkout_lifecycle::{Moment, Phase, Tracker, Verdict};
use checkout_poll::GaveUp;
use checkout_trust::settlement::Read;
use std::sync::Arc;

/// The changes that a watch reports, one after the other: enough for a page that shows the checkout.
///
/// ```
/// # checkout_doctest::facade!(client);
/// use checkout_kit::{Change, End, Watchable};
///
/// /// One line for whoever looks on.
/// fn line<E: Watchable>(change: &Change<E>) -> String {
///     match change {
///         Change::Phase { phase, .. } => phase.to_string(),
///         Change::Attention { verdict, .. } => format!("look at this: {verdict}"),
///         Change::AskPayer { .. } => "the payer has to act".into(),
///         Change::NotShown { reason, .. } => format!("the payer cannot be asked: {reason}"),
///         Change::Refused { phase, .. } => format!("{phase}, and read on for late money"),
///         Change::Nudged(nudged) => format!("the webhook's read is done: {}", nudged.is_read()),
///         Change::NotRead { error, .. } => error.to_string(),
///         // Of every end first: does a person have to look?
///         Change::End(end) if end.wants_attention() => format!("hold the order: {}", end.tracker()),
///         Change::End(End::Ended { phase, .. }) => phase.to_string(),
///         Change::End(End::GaveUp { gave_up, .. }) => format!("gave up: {:?}", gave_up.reason),
///     }
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a conflict or an end must not go unheard"]
pub enum Change<E: Watchable> {
    /// The phase is known for the first time, or differs from the phase before.
    Phase {
        /// The phase now.
        phase: Phase,
        /// The provider's status.
        status: E::Status,
        /// The phase before.
        before: Option<Phase>,
    },
    /// The provider did something that no document describes, or money came late: tell a person. Reported
    /// once while the same verdict is repeated. After a [`Verdict::Conflict`] the watch is
    /// [in conflict](super::Watch::has_conflict).
    Attention {
        /// The verdict on the observation.
        verdict: Verdict<E::Status, E::Raw>,
        /// The tracker, after the observation.
        tracker: Tracker<E::Status>,
    },
    /// The payer has something to do. Show the challenge of the answer
    /// ([`Observable::asks_payer`](crate::Observable::asks_payer)), and call
    /// [`Handle::payer_returned`](super::Handle::payer_returned) when the browser is back. Reported once for
    /// each challenge, in any phase.
    AskPayer {
        /// The answer's payload, which has the challenge.
        payload: E::StatusRead,
    },
    /// A challenge came, and the payer cannot be shown the challenge. The watch reads on at the ordinary
    /// pace, because another answer may have a challenge that can be shown. Reported once while the reason is
    /// the same.
    NotShown {
        /// The answer's payload, which has the challenge.
        payload: E::StatusRead,
        /// The reason why the challenge is not shown
        /// ([`Observable::not_shown`](crate::Observable::not_shown)). The reason holds nothing of the
        /// challenge.
        reason: &'static str,
    },
    /// The checkout was refused, and the policy's [late reads](checkout_poll::PollPolicy::late_payment_reads)
    /// go on, for money that comes all the same.
    ///
    /// Reported as soon as a read has shown the refusal, once for each refusal. The [end](Self::End) comes
    /// when the late reads are over, or with the late money. A watch that was restored during the late reads
    /// reports the refusal again, with the next read.
    Refused {
        /// The evidence: the read that shows the refusal.
        answer: Answer<E>,
        /// The tracker of all that is known.
        tracker: Tracker<E::Status>,
        /// The phase of the refusal.
        phase: Phase,
        /// True if something contradicted an end, now or before: a person has to look.
        conflict: bool,
        /// The end of the late reads, as far as is known now.
        until: Moment,
    },
    /// The read that a [nudge](super::Handle::nudge) asked for is done, with or without news. Reported after
    /// all changes of that read, and before the end. Nudges that came before the same read are reported once.
    ///
    /// Everything that was written down by now may be committed: the claim of the nudge's webhook, if the
    /// read [was answered](Nudged::is_read).
    Nudged(Nudged<E>),
    /// A read gave no answer, or was refused.
    NotRead {
        /// The error of the read.
        error: Arc<CallError<E::Provider>>,
        /// The moment of the next try; None if that was the last try, and the end follows.
        again: Option<Moment>,
    },
    /// The checkout has ended, or the watch gave up. The last change.
    End(End<E>),
}

impl<E: Watchable> Change<E> {
    /// True if this is the last change.
    ///
    /// ```
    /// # checkout_doctest::facade!(client);
    /// use checkout_kit::{Change, Watchable};
    ///
    /// fn goes_on<E: Watchable>(change: &Change<E>) -> bool {
    ///     !change.is_end()
    /// }
    /// ```
    #[must_use]
    pub const fn is_end(&self) -> bool {
        matches!(self, Self::End(_))
    }
}

/// The outcome of the read that a nudge asked for.
///
/// The outcome is that of the first read that began after the nudge: a read that was under way when the nudge
/// came may have been too early for the news.
///
/// ```
/// # checkout_doctest::facade!(client);
/// use checkout_kit::{Change, Watchable};
///
/// /// True if the claim of the webhook can be committed; otherwise release it, so that the webhook is sent again.
/// fn may_commit<E: Watchable>(change: &Change<E>) -> Option<bool> {
///     match change {
///         Change::Nudged(nudged) => Some(nudged.is_read()),
///         _ => None,
///     }
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a webhook's claim is committed or released by it"]
pub enum Nudged<E: Watchable> {
    /// The status read has an answer.
    Status(Answer<E::StatusRead>),
    /// The full read has an answer.
    Full(Answer<E>),
    /// The read failed, or was refused. The watch tries again by the policy, and does not report that as a
    /// nudge's read.
    NotRead(Arc<CallError<E::Provider>>),
    /// No read follows: the watch ended or gave up before a read began. Resume the watch, or read the
    /// checkout yourself.
    NoRead,
}

impl<E: Watchable> Nudged<E> {
    /// True if there was an answer.
    #[must_use]
    pub const fn is_read(&self) -> bool {
        match self {
            Self::Status(_) | Self::Full(_) => true,
            Self::NotRead(_) | Self::NoRead => false,
        }
    }
}

/// The end of a watch. The first question of every end is [`wants_attention`](Self::wants_attention).
///
/// ```
/// # checkout_doctest::facade!(client);
/// use checkout_kit::settlement::Read;
/// use checkout_kit::{End, Phase, Watchable};
///
/// /// What the order is to be settled by now, if nobody has to look first: its `settled_by` compares.
/// fn to_be_judged<E: Watchable>(end: End<E>) -> Option<Read<E>> {
///     let wants_attention = end.wants_attention();
///     match end {
///         End::Ended { phase: Phase::Succeeded, answer, .. } if !wants_attention => Some(answer.into_read()),
///         End::Ended { .. } | End::GaveUp { .. } => None,
///     }
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use = "it says whether it was paid"]
pub enum End<E: Watchable> {
    /// The checkout has ended.
    Ended {
        /// The evidence: the read that shows the end. The read has the paid amount, and nobody has compared
        /// that amount with the order yet: [`into_read`](Answer::into_read) turns the answer into the value
        /// that settles an order.
        answer: Answer<E>,
        /// The tracker. Look at [`Tracker::superseded`] whenever the checkout has succeeded.
        tracker: Tracker<E::Status>,
        /// The final phase.
        phase: Phase,
        /// True if something contradicted an end ([`Verdict::Conflict`]), now or before: a person has to
        /// look.
        conflict: bool,
    },
    /// The watch gave up: [`Watch::resume`](super::Watch::resume) goes on, at once or after the text of
    /// [`Watch::stored`](super::Watch::stored) was kept for days.
    GaveUp {
        /// The reason for giving up, and the last phase that was known.
        gave_up: GaveUp,
        /// The tracker of all that is known.
        tracker: Tracker<E::Status>,
        /// True if something contradicted an end ([`Verdict::Conflict`]), now or before: a person has to
        /// look.
        conflict: bool,
        /// The error of the last read, if that read failed.
        error: Option<Arc<CallError<E::Provider>>>,
    },
}

impl<E: Watchable> End<E> {
    /// The tracker of all that is known.
    #[must_use]
    pub const fn tracker(&self) -> &Tracker<E::Status> {
        match self {
            Self::Ended { tracker, .. } | Self::GaveUp { tracker, .. } => tracker,
        }
    }

    /// True if something contradicted an end, so that a person has to look.
    #[must_use]
    pub const fn has_conflict(&self) -> bool {
        match self {
            Self::Ended { conflict, .. } | Self::GaveUp { conflict, .. } => *conflict,
        }
    }

    /// The read that the checkout ended with, as the value that settles an order; None where the watch gave
    /// up. Ask [`wants_attention`](Self::wants_attention) first.
    #[must_use]
    pub fn into_read(self) -> Option<Read<E>> {
        match self {
            Self::Ended { answer, .. } => Some(answer.into_read()),
            Self::GaveUp { .. } => None,
        }
    }

    /// True if a person should look: the watch is [in conflict](Self::has_conflict), or money came after a
    /// refusal ([`Tracker::superseded`]).
    #[must_use]
    pub fn wants_attention(&self) -> bool {
        self.has_conflict() || self.tracker().superseded().is_some()
    }
}
