//! What the sandbox's own records say: who is right when a checkout has ended.
//!
//! The meanings are typed here from the providers' pages, and not taken from the tables or the trackers that
//! are on trial.

use checkout_kit::{Failure, Phase};
use checkout_sandbox::{allscale, azotte, peach};

/// How a checkout stands with its provider.
#[derive(Clone, Copy)]
pub(super) struct Fact {
    /// How it has ended, if it has.
    pub(super) end: Option<Phase>,
    /// Since when it stands so.
    pub(super) since_millis: u64,
}

impl Fact {
    pub(super) fn of_intent(record: &allscale::IntentRecord) -> Self {
        let end = match record.status {
            20 => Some(Phase::Succeeded),
            -1 => Some(Phase::Failed(Failure::Error)),
            -2 => Some(Phase::Failed(Failure::Rejected)),
            -3 => Some(Phase::Failed(Failure::Underpaid)),
            -4 => Some(Phase::Failed(Failure::Canceled)),
            -5 => Some(Phase::Failed(Failure::Expired)),
            _ => None,
        };
        Self { end, since_millis: record.changed_at_millis }
    }

    pub(super) fn of_submit(record: &azotte::CheckoutRecord) -> Self {
        let end = match &*record.message_code {
            "CHECK_OUT_DONE" => Some(Phase::Succeeded),
            "CHECK_OUT_FAILED" => Some(Phase::Failed(Failure::Error)),
            _ => None,
        };
        Self { end, since_millis: record.changed_at_millis }
    }

    pub(super) fn of_payment(record: &peach::CheckoutRecord) -> Self {
        let end = match &*record.code {
            // The scenario whose replies say that the payment is of the type PA.
            "000.100.110" if record.scenario == "authorized" => Some(Phase::Authorized),
            "000.100.110" => Some(Phase::Succeeded),
            "100.396.101" => Some(Phase::Failed(Failure::Canceled)),
            "100.396.104" => Some(Phase::Failed(Failure::Expired)),
            _ => None,
        };
        Self { end, since_millis: record.changed_at_millis }
    }
}

/// What the reads that were answered have met.
#[derive(Clone, Copy, Default)]
pub(super) struct Met {
    /// The first end that one of them met, and since when it had been one.
    pub(super) first: Option<(Phase, u64)>,
    /// How it stood at the last of them.
    last: Option<Phase>,
}

impl Met {
    /// A read is answered.
    pub(super) fn answered(&mut self, fact: Fact) {
        self.last = fact.end;
        if let (None, Some(end)) = (self.first, fact.end) {
            self.first = Some((end, fact.since_millis));
        }
    }

    /// How the checkout has ended, as far as the answers can tell: as it stood last. But money that has come
    /// has come, whatever is said later; some scenarios contradict themselves.
    pub(super) fn end(self) -> Option<Phase> {
        match self.first {
            Some((end @ (Phase::Succeeded | Phase::Authorized), _)) => Some(end),
            Some(_) | None => self.last,
        }
    }
}
