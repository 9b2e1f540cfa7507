//! The facts in the sandbox's own records: the judge of how a checkout has ended.
//!
//! The meanings are typed here from the providers' pages, and not taken from the tables or the trackers under
//! trial.

use checkout_kit::{Failure, Moment, Phase};
use checkout_sandbox::{allscale, azotte, peach};

/// The state of a checkout at the provider.
#[derive(Clone, Copy)]
pub(super) struct Fact {
    /// The end, if the checkout has ended.
    pub(super) end: Option<Phase>,
    /// The time since which the state holds.
    pub(super) since: Moment,
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
        Self { end, since: record.changed_at }
    }

    pub(super) fn of_submit(record: &azotte::CheckoutRecord) -> Self {
        let end = match &*record.message_code {
            "CHECK_OUT_DONE" => Some(Phase::Succeeded),
            "CHECK_OUT_FAILED" => Some(Phase::Failed(Failure::Error)),
            _ => None,
        };
        Self { end, since: record.changed_at }
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
        Self { end, since: record.changed_at }
    }
}

/// The states that the answered reads have met.
#[derive(Clone, Copy, Default)]
pub(super) struct Met {
    /// The first end that a read met, and the time since which the end held.
    pub(super) first: Option<(Phase, Moment)>,
    /// The state at the last read.
    last: Option<Phase>,
}

impl Met {
    /// A read is answered.
    pub(super) fn answered(&mut self, fact: Fact) {
        self.last = fact.end;
        if let (None, Some(end)) = (self.first, fact.end) {
            self.first = Some((end, fact.since));
        }
    }

    /// The end of the checkout, as far as the answers can tell: the last state. But money that has come has
    /// come, whatever a later answer says; some scenarios contradict themselves.
    pub(super) fn end(self) -> Option<Phase> {
        match self.first {
            Some((end @ (Phase::Succeeded | Phase::Authorized), _)) => Some(end),
            Some(_) | None => self.last,
        }
    }
}
