//! What the merchant decides.

use super::{Field, Unproven};
use checkout_money::CoinAmount;

/// What the merchant decides where the facts leave a choice. Everything else is not to be chosen: another
/// order's money, a failed payment or an authorisation settles nothing under any policy.
///
/// The default is the safe one:
/// - nothing less than the whole amount settles;
/// - more than that settles: all that was owed has come, so the goods are paid for, and what to do with the
///   surplus is a question of a refund and not of the goods. How much it is is in
///   [`Settled::over`](super::Settled::over). To keep the payer waiting for what was paid for would protect
///   nobody;
/// - evidence that is missing is not assumed.
///
/// ```
/// use checkout_trust::settlement::{Field, Overpaid, Policy};
///
/// let strict = Policy::default().overpaid(Overpaid::Hold);
/// let lenient = Policy::default()
///     .tolerate_underpaid("0.01".parse()?)
///     .accept_missing(Field::ActualPaidAmount); // CONFIRMED will do
/// assert_ne!(strict, lenient);
/// # Ok::<(), checkout_money::ParseAmountError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a policy decides nothing by itself"]
pub struct Policy {
    overpaid: Overpaid,
    underpaid: CoinAmount,
    missing: Vec<Field>,
}

/// What becomes of an order for which more has come than is owed.
///
/// ```
/// assert_eq!(checkout_trust::settlement::Overpaid::default(), checkout_trust::settlement::Overpaid::Accept);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Overpaid {
    /// It is settled, and the surplus is told: all that was owed has come.
    #[default]
    Accept,
    /// It is held, as a mismatch: somebody looks first. Where no payer can pay more than the page asks for,
    /// as with a card, a surplus is a sign that something else is wrong.
    Hold,
}

impl Policy {
    /// What becomes of an order for which more has come than is owed; [`Overpaid::Accept`] where nothing is
    /// said.
    ///
    /// ```
    /// # use checkout_trust::settlement::{Overpaid, Policy};
    /// let policy = Policy::default().overpaid(Overpaid::Hold);
    /// ```
    pub fn overpaid(self, overpaid: Overpaid) -> Self {
        Self { overpaid, ..self }
    }

    /// How much less than what is owed settles an order all the same; nothing where nothing is said. It is an
    /// absolute amount, in the unit of what is owed: coins with AllScale, the currency's major units with
    /// Peach. How much was missing is in [`Settled::short`](super::Settled::short).
    ///
    /// An amount below zero tolerates nothing. However much is tolerated, nothing at all never settles.
    ///
    /// ```
    /// # use checkout_trust::settlement::Policy;
    /// let policy = Policy::default().tolerate_underpaid("0.01".parse()?);
    /// # Ok::<(), checkout_money::ParseAmountError>(())
    /// ```
    pub fn tolerate_underpaid(self, by: CoinAmount) -> Self {
        Self { underpaid: by, ..self }
    }

    /// Takes a read for good that lacks a field; none may be lacking where nothing is said. It has to be
    /// named field by field: there is no way to accept whatever is missing. What was accepted is in
    /// [`Settled::without`](super::Settled::without).
    ///
    /// What each means: without [`ActualPaidAmount`](Field::ActualPaidAmount) nobody has compared what came
    /// with what is owed; without [`PaymentType`](Field::PaymentType) a success may be an authorisation.
    ///
    /// ```
    /// # use checkout_trust::settlement::{Field, Policy};
    /// let policy = Policy::default().accept_missing(Field::ActualPaidAmount);
    /// ```
    pub fn accept_missing(mut self, field: Field) -> Self {
        self.missing.push(field);
        self
    }

    /// Whether that much less is tolerated.
    pub(super) fn tolerates(&self, short: CoinAmount) -> bool {
        short <= self.underpaid
    }

    /// Whether more is held.
    pub(super) fn holds_more(&self) -> bool {
        self.overpaid == Overpaid::Hold
    }

    /// Whether it settles all the same.
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
