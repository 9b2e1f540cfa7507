//! What a watch tells.

use super::Watchable;
use crate::{Answer, CallError};
use checkout_lifecycle::{Moment, Phase, Tracker, Verdict};
use checkout_poll::GaveUp;
use checkout_trust::settlement::Read;
use std::sync::Arc;

/// What a watch tells, one thing after the other: what a page that shows the checkout is made of.
///
/// ```
/// use checkout_client::{Change, End, Watchable};
///
/// /// One line for whoever looks on.
/// fn line<E: Watchable>(change: &Change<E>) -> String {
///     match change {
///         Change::Phase { phase, .. } => phase.to_string(),
///         Change::Attention { verdict, .. } => format!("look at this: {verdict}"),
///         Change::AskPayer { .. } => "the payer has to act".into(),
///         Change::NotShown { why, .. } => format!("the payer cannot be asked: {why}"),
///         Change::Refused { phase, .. } => format!("{phase}, and read on for late money"),
///         Change::Nudged(nudged) => format!("the webhook's read is done: {}", nudged.is_read()),
///         Change::NotRead { error, .. } => error.to_string(),
///         // Of every end first: does a person have to look?
///         Change::End(end) if end.wants_attention() => format!("hold the order: {}", end.tracker()),
///         Change::End(End::Ended { phase, .. }) => phase.to_string(),
///         Change::End(End::GaveUp { gave_up, .. }) => format!("gave up: {:?}", gave_up.why),
///     }
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a conflict or an end must not go unheard"]
pub enum Change<E: Watchable> {
    /// Where it stands is known for the first time, or is another phase than before.
    Phase {
        /// Where it stands.
        phase: Phase,
        /// The provider's status.
        status: E::Status,
        /// Where it stood before.
        before: Option<Phase>,
    },
    /// The provider did what no document describes, or money came late: a person should hear of it. Told once
    /// while it is repeated. After a [`Verdict::Conflict`] the watch is [`held`](super::Watch::held).
    Attention {
        /// What the observation meant.
        verdict: Verdict<E::Status, E::Raw>,
        /// What is known, after it.
        tracker: Tracker<E::Status>,
    },
    /// The payer has something to do: show what the answer has
    /// ([`Observable::asks_payer`](crate::Observable::asks_payer)), and tell
    /// [`Handle::payer_returned`](super::Handle::payer_returned) when the browser is back. Told once for each
    /// challenge, in whatever phase it comes.
    AskPayer {
        /// The answer's payload, which has the challenge.
        payload: E::StatusRead,
    },
    /// A challenge came, and the payer cannot be shown it. It is read on at the ordinary pace, for another
    /// answer may have one that can be shown. Told once while it is for the same reason.
    NotShown {
        /// The answer's payload, which has the challenge.
        payload: E::StatusRead,
        /// The reason why the challenge is not shown
        /// ([`Observable::not_shown`](crate::Observable::not_shown)). It holds nothing of the challenge.
        why: &'static str,
    },
    /// It was refused, and the plan's [late reads](checkout_poll::PollPolicy::late_payment_reads) go on, for
    /// money that comes all the same.
    ///
    /// Told as soon as a read has shown the refusal, once for each refusal. The [end](Self::End) comes when
    /// the late reads are over, or with the late money. A watch that was restored while they went on tells it
    /// again, with the next read.
    Refused {
        /// The evidence: the read that shows the refusal.
        answer: Answer<E>,
        /// The tracker of all that is known.
        tracker: Tracker<E::Status>,
        /// How it was refused.
        phase: Phase,
        /// True if something contradicted an end, now or before: a person has to look.
        held: bool,
        /// When the late reads are over, as far as is known now.
        until: Moment,
    },
    /// The read that a [nudge](super::Handle::nudge) asked for is done, whether it brought news or not: after
    /// all that it changed, and before the end. Nudges that came before the same read are told once.
    ///
    /// All that was written down by now may be committed: the claim of the webhook that the nudge was for, if
    /// the read [was answered](Nudged::is_read).
    Nudged(Nudged<E>),
    /// A read gave no answer, or was refused.
    NotRead {
        /// Why.
        error: Arc<CallError<E::Provider>>,
        /// When it is tried again; None if that was the last one, and the end follows.
        again: Option<Moment>,
    },
    /// It has ended, or the watch gave up. The last change.
    End(End<E>),
}

impl<E: Watchable> Change<E> {
    /// Whether it is the last change.
    ///
    /// ```
    /// use checkout_client::{Change, Watchable};
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
/// It is the first read that began after the nudge: one that was under way when the nudge came may have been
/// too early for the news.
///
/// ```
/// use checkout_client::{Change, Watchable};
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
    /// The status was read.
    Status(Answer<E::StatusRead>),
    /// The whole was read.
    Full(Answer<E>),
    /// The read failed, or was refused. It is tried again by the plan, and that is not told as a nudge's.
    NotRead(Arc<CallError<E::Provider>>),
    /// No read follows: the watch ended or gave up before one began. Resume it, or read the checkout
    /// yourself.
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

/// How a watch ended. The first question of every end is [`wants_attention`](Self::wants_attention).
///
/// ```
/// use checkout_client::{End, Watchable};
/// use checkout_lifecycle::Phase;
/// use checkout_trust::settlement::Read;
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
        /// The evidence: the read that shows the end. What was paid is in it, and nobody has compared that
        /// with the order yet: [`into_read`](Answer::into_read) makes of it what an order is settled by.
        answer: Answer<E>,
        /// What is known. Look at [`Tracker::superseded`] whenever the checkout has succeeded.
        tracker: Tracker<E::Status>,
        /// How it ended.
        phase: Phase,
        /// Whether something contradicted an end ([`Verdict::Conflict`]), now or before: a person has to
        /// look.
        held: bool,
    },
    /// The watch gave up: [`Watch::resume`](super::Watch::resume) goes on, at once or after the text of
    /// [`Watch::stored`](super::Watch::stored) was kept for days.
    GaveUp {
        /// GiveUpReason, and the last phase that was known.
        gave_up: GaveUp,
        /// The tracker of all that is known.
        tracker: Tracker<E::Status>,
        /// Whether something contradicted an end ([`Verdict::Conflict`]), now or before: a person has to
        /// look.
        held: bool,
        /// Why the last read failed, if it did.
        error: Option<Arc<CallError<E::Provider>>>,
    },
}

impl<E: Watchable> End<E> {
    /// What is known.
    #[must_use]
    pub const fn tracker(&self) -> &Tracker<E::Status> {
        match self {
            Self::Ended { tracker, .. } | Self::GaveUp { tracker, .. } => tracker,
        }
    }

    /// Whether something contradicted an end, so that a person has to look.
    #[must_use]
    pub const fn held(&self) -> bool {
        match self {
            Self::Ended { held, .. } | Self::GaveUp { held, .. } => *held,
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

    /// Whether a person should look: it is [`held`](Self::held), or money came after a refusal
    /// ([`Tracker::superseded`]).
    #[must_use]
    pub fn wants_attention(&self) -> bool {
        self.held() || self.tracker().superseded().is_some()
    }
}
