//! The findings collected on the way to a verdict.

use super::{Difference, Mismatch, NonEmpty, Policy, ReadField, Remark, Settled, Settlement, Unit, Unproven};
use checkout_lifecycle::Phase;
use checkout_money::CoinAmount;
use checkout_tables::Environment;

/// The findings of an order and a read together, in the order of the checks.
#[derive(Default)]
pub(super) struct Findings {
    mismatches: Vec<Mismatch>,
    unproven: Vec<Unproven>,
    over: Option<Difference>,
    short: Option<Difference>,
    remarks: Vec<Remark>,
}

impl Findings {
    pub(super) fn mismatch(&mut self, mismatch: Mismatch) {
        self.mismatches.push(mismatch);
    }

    pub(super) fn unproven(&mut self, unproven: Unproven) {
        self.unproven.push(unproven);
    }

    pub(super) fn remark(&mut self, remark: Remark) {
        self.remarks.push(remark);
    }

    /// Checks whose money the read shows; `test` is true if anything in the read is a sign of a test.
    pub(super) fn environment(&mut self, order: Environment, test: bool) {
        match (order, test) {
            (Environment::Live, true) => self.mismatch(Mismatch::TestMoney),
            (Environment::Sandbox, false) => self.mismatch(Mismatch::LiveMoney),
            (Environment::Live, false) | (Environment::Sandbox, true) => {}
        }
    }

    /// Checks the order's own price.
    pub(super) fn price(&mut self, positive: bool) {
        if !positive {
            self.unproven(Unproven::NoPrice);
        }
    }

    /// Checks a text that names the order or its checkout. An empty text names nothing.
    pub(super) fn id(&mut self, asked: &str, found: Option<&str>, otherwise: Mismatch) -> Id {
        match found {
            None | Some("") => Id::Missing,
            Some(found) if found == asked => Id::Same,
            Some(_) => {
                self.mismatch(otherwise);
                Id::Another
            }
        }
    }

    pub(super) fn phase(&mut self, phase: Phase) {
        self.mismatches.extend(Mismatch::of(phase));
    }

    /// Checks the amount that has come against the amount owed.
    pub(super) fn paid(
        &mut self,
        (field, paid): (ReadField, CoinAmount),
        owed: CoinAmount,
        unit: Option<Unit>,
        policy: &Policy,
    ) {
        // Equal amounts have no difference, and so no difference that cannot be represented.
        if paid == owed {
            return;
        }
        let Ok(amount) = (if paid > owed { paid.checked_sub(owed) } else { owed.checked_sub(paid) }) else {
            self.unproven(Unproven::OutOfRange(field));
            return;
        };
        let by = Difference { amount, unit };
        if paid > owed {
            if policy.holds_more() {
                self.mismatch(Mismatch::Overpaid(by));
            } else {
                self.over = Some(by);
            }
        } else if paid > CoinAmount::ZERO && policy.tolerates(amount) {
            self.short = Some(by);
        } else {
            self.mismatch(Mismatch::Underpaid(by));
        }
    }

    pub(super) fn settlement(self, policy: &Policy) -> Settlement {
        let Self { mismatches, unproven, over, short, remarks } = self;
        let (without, unproven): (Vec<_>, Vec<_>) =
            unproven.into_iter().partition(|unproven| policy.accepts(unproven));
        if let Some(mismatches) = NonEmpty::of(mismatches) {
            return Settlement::Mismatched { mismatches, unproven };
        }
        let settled = || Settlement::Settled(Settled { over, short, without, remarks });
        NonEmpty::of(unproven).map_or_else(settled, Settlement::Unproven)
    }
}

/// The result of comparing an id with the expected text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Id {
    Same,
    Another,
    Missing,
}
