//! The merchant's decisions.

use super::{ReadField, Unproven};
use checkout_money::CoinAmount;

/// The merchant's decisions where the facts leave a choice. Everything else is fixed: another order's money,
/// a failed payment or an authorization settles nothing under any policy.
///
/// The default is the safe one:
/// - nothing less than the whole amount settles;
/// - more than the whole amount settles: all that was owed has come, so the goods are paid for. The surplus
///   is a question of a refund and not of the goods, and its amount is in
///   [`Settled::overpaid_by`](super::Settled::overpaid_by). To keep the payer waiting for goods already paid
///   for would protect nobody;
/// - missing evidence is not assumed.
///
/// ```
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::settlement::{Overpaid, Policy, ReadField};
///
/// let strict = Policy::default().overpaid(Overpaid::Hold);
/// let lenient = Policy::default()
///     .tolerate_underpaid("0.01".parse()?)
///     .accept_missing(ReadField::ActualPaidAmount); // CONFIRMED will do
/// assert_ne!(strict, lenient);
/// # Ok::<(), checkout_money::ParseAmountError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a policy decides nothing by itself"]
pub struct Policy {
    overpaid: Overpaid,
    underpaid: CoinAmount,
    missing: Vec<ReadField>,
}

/// The treatment of an order for which more has come than is owed.
///
/// ```
/// # checkout_doctest::facade!(trust);
/// assert_eq!(checkout_kit::settlement::Overpaid::default(), checkout_kit::settlement::Overpaid::Accept);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Overpaid {
    /// The order is settled, and the surplus is reported: all that was owed has come.
    #[default]
    Accept,
    /// The order is held, as a mismatch: somebody looks first. If no payer can pay more than the page asks
    /// for, as with a card, a surplus is a sign that something else is wrong.
    Hold,
}

impl Policy {
    /// Sets the treatment of an order for which more has come than is owed; [`Overpaid::Accept`] by default.
    ///
    /// ```
    /// # use checkout_trust::settlement::{Overpaid, Policy};
    /// let policy = Policy::default().overpaid(Overpaid::Hold);
    /// ```
    pub fn overpaid(self, overpaid: Overpaid) -> Self {
        Self { overpaid, ..self }
    }

    /// Sets the tolerated shortfall: an order settles with so much less than the amount owed. The default is
    /// nothing. The shortfall is an absolute amount, in the unit of the amount owed: coins with AllScale, the
    /// currency's major units with Peach. The missing amount is in
    /// [`Settled::underpaid_by`](super::Settled::underpaid_by).
    ///
    /// An amount below zero tolerates nothing. Whatever the tolerance, a payment of nothing at all never
    /// settles.
    ///
    /// ```
    /// # use checkout_trust::settlement::Policy;
    /// let policy = Policy::default().tolerate_underpaid("0.01".parse()?);
    /// # Ok::<(), checkout_money::ParseAmountError>(())
    /// ```
    pub fn tolerate_underpaid(self, by: CoinAmount) -> Self {
        Self { underpaid: by, ..self }
    }

    /// Accepts a read that lacks a field; by default no field may be missing. Name the fields one by one:
    /// there is no way to accept every missing field. The accepted fields are in
    /// [`Settled::unproven`](super::Settled::unproven).
    ///
    /// The cost of each: without [`ActualPaidAmount`](ReadField::ActualPaidAmount) nobody has compared the
    /// amount that came with the amount owed; without [`PaymentType`](ReadField::PaymentType) a success may
    /// be an authorization.
    ///
    /// ```
    /// # use checkout_trust::settlement::{ReadField, Policy};
    /// let policy = Policy::default().accept_missing(ReadField::ActualPaidAmount);
    /// ```
    pub fn accept_missing(mut self, field: ReadField) -> Self {
        self.missing.push(field);
        self
    }

    /// True if so much less is tolerated.
    pub(super) fn tolerates(&self, short: CoinAmount) -> bool {
        short <= self.underpaid
    }

    /// True if a surplus is held.
    pub(super) fn holds_more(&self) -> bool {
        self.overpaid == Overpaid::Hold
    }

    /// True if the order settles without this evidence.
    pub(super) fn accepts(&self, unproven: &Unproven) -> bool {
        match unproven {
            Unproven::Missing(field) => self.missing.contains(field),
            Unproven::Unreadable(_)
            | Unproven::OutOfRange(_)
            | Unproven::Nameless
            | Unproven::NoStatus(_)
            | Unproven::NoPrice
            | Unproven::Delivered => false,
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self { overpaid: Overpaid::default(), underpaid: CoinAmount::ZERO, missing: Vec::new() }
    }
}
