//! The answer.

use super::{Difference, Mismatch, Remark, Unproven};
use core::fmt;

/// The result of comparing a read with an order: settled, unproven or mismatched.
///
/// ```
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::Environment;
/// use checkout_kit::azotte::CheckoutResult;
/// use checkout_kit::settlement::azotte::Order;
/// use checkout_kit::settlement::{Policy, Read, Settlement};
///
/// fn fulfil(order: &Order<'_>, read: &Read<CheckoutResult<'_>>) -> &'static str {
///     match order.settled_by(read) {
///         Settlement::Settled(_) => "ship",
///         Settlement::Unproven(_) => "read again, or have somebody look",
///         Settlement::Mismatched { .. } => "do not ship, and say why",
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "goods leave by what it says"]
pub enum Settlement {
    /// Everything agrees, and the money has come.
    Settled(Settled),
    /// Nothing contradicts the order, but required evidence is missing.
    Unproven(NonEmpty<Unproven>),
    /// Something in the read contradicts the order.
    Mismatched {
        /// All the contradictions, in the order of [`Mismatch`]'s variants.
        mismatches: NonEmpty<Mismatch>,
        /// The missing evidence besides.
        unproven: Vec<Unproven>,
    },
}

impl Settlement {
    /// True if the order is settled.
    ///
    /// ```
    /// # use checkout_trust::settlement::Settlement;
    /// fn ship(settlement: &Settlement) -> bool {
    ///     settlement.is_settled()
    /// }
    /// ```
    #[must_use]
    pub const fn is_settled(&self) -> bool {
        matches!(self, Self::Settled(_))
    }

    /// The proof of settlement, if the order is settled: hand it to the code that lets the goods leave.
    ///
    /// ```
    /// # use checkout_trust::settlement::{Settled, Settlement};
    /// fn ship(_proof: Settled) {}
    ///
    /// fn decide(settlement: Settlement) {
    ///     settlement.settled().map(ship);
    /// }
    /// ```
    #[must_use]
    pub fn settled(self) -> Option<Settled> {
        match self {
            Self::Settled(settled) => Some(settled),
            Self::Unproven(_) | Self::Mismatched { .. } => None,
        }
    }

    /// The contradictions.
    ///
    /// ```
    /// # use checkout_trust::settlement::{Mismatch, Settlement};
    /// fn is_test_money(settlement: &Settlement) -> bool {
    ///     settlement.mismatches().any(|mismatch| *mismatch == Mismatch::TestMoney)
    /// }
    /// ```
    pub fn mismatches(&self) -> impl Iterator<Item = &Mismatch> {
        let mismatches = match self {
            Self::Mismatched { mismatches, .. } => Some(mismatches),
            Self::Settled(_) | Self::Unproven(_) => None,
        };
        mismatches.into_iter().flatten()
    }

    /// The missing evidence that the policy did not accept.
    ///
    /// ```
    /// # use checkout_trust::settlement::Settlement;
    /// fn missing(settlement: &Settlement) -> Vec<String> {
    ///     settlement.unproven().map(ToString::to_string).collect()
    /// }
    /// ```
    pub fn unproven(&self) -> impl Iterator<Item = &Unproven> {
        let (alone, besides) = match self {
            Self::Unproven(unproven) => (Some(unproven), None),
            Self::Mismatched { unproven, .. } => (None, Some(unproven)),
            Self::Settled(_) => (None, None),
        };
        alone.into_iter().flatten().chain(besides.into_iter().flatten())
    }
}

impl fmt::Display for Settlement {
    /// `settled`, `unproven: …` or `not settled: …`, with every reason.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settled(settled) => settled.fmt(f),
            Self::Unproven(unproven) => {
                f.write_str("unproven: ")?;
                listed(unproven, f)
            }
            Self::Mismatched { mismatches, unproven } => {
                f.write_str("not settled: ")?;
                listed(mismatches, f)?;
                if unproven.is_empty() {
                    return Ok(());
                }
                f.write_str("; and unproven: ")?;
                listed(unproven, f)
            }
        }
    }
}

/// The proof that an order is settled. Only an order's `settled_by` makes this proof, so the code that lets
/// the goods leave can ask for one. The proof does not name the order: keep the proof beside its order, and
/// no longer than the question lasts.
///
/// ```
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::settlement::Settled;
///
/// fn ship(order: &str, proof: &Settled) -> String {
///     match proof.overpaid_by() {
///         Some(over) => format!("{order} is shipped, {over} to be refunded"),
///         None => format!("{order} is shipped"),
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    pub(super) over: Option<Difference>,
    pub(super) short: Option<Difference>,
    pub(super) without: Vec<Unproven>,
    pub(super) remarks: Vec<Remark>,
}

impl Settled {
    /// The surplus: how much more has come than is owed.
    ///
    /// ```
    /// # use checkout_trust::settlement::{Difference, Settled};
    /// fn to_refund(proof: &Settled) -> Option<Difference> {
    ///     proof.overpaid_by()
    /// }
    /// ```
    #[must_use]
    pub const fn overpaid_by(&self) -> Option<Difference> {
        self.over
    }

    /// The shortfall: how much less has come than is owed, within the policy's tolerance.
    ///
    /// ```
    /// # use checkout_trust::settlement::{Difference, Settled};
    /// fn to_write_off(proof: &Settled) -> Option<Difference> {
    ///     proof.underpaid_by()
    /// }
    /// ```
    #[must_use]
    pub const fn underpaid_by(&self) -> Option<Difference> {
        self.short
    }

    /// The missing evidence that the policy accepted.
    ///
    /// ```
    /// # use checkout_trust::settlement::Settled;
    /// fn is_whole(proof: &Settled) -> bool {
    ///     proof.unproven().is_empty()
    /// }
    /// ```
    #[must_use]
    pub fn unproven(&self) -> &[Unproven] {
        &self.without
    }

    /// The disagreements that leave the order settled. `Display` does not print them. An order that is not
    /// settled has none: the order's mismatch weighs more.
    ///
    /// ```
    /// # use checkout_trust::settlement::Settled;
    /// fn to_ask_the_provider(proof: &Settled) -> Vec<String> {
    ///     proof.remarks().iter().map(ToString::to_string).collect()
    /// }
    /// ```
    #[must_use]
    pub fn remarks(&self) -> &[Remark] {
        &self.remarks
    }
}

impl fmt::Display for Settled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("settled")?;
        if let Some(over) = self.over {
            write!(f, ", overpaid by {over}")?;
        }
        if let Some(short) = self.short {
            write!(f, ", underpaid by {short}, which is tolerated")?;
        }
        if self.without.is_empty() {
            return Ok(());
        }
        f.write_str(", although ")?;
        listed(&self.without, f)
    }
}

/// One or more.
///
/// ```
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::settlement::{Mismatch, NonEmpty};
///
/// fn worst(mismatches: &NonEmpty<Mismatch>) -> &Mismatch {
///     mismatches.first()
/// }
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct NonEmpty<T> {
    first: T,
    others: Vec<T>,
}

impl<T> NonEmpty<T> {
    /// The first one.
    ///
    /// ```
    /// # use checkout_trust::settlement::{NonEmpty, Unproven};
    /// fn headline(unproven: &NonEmpty<Unproven>) -> String {
    ///     unproven.first().to_string()
    /// }
    /// ```
    pub const fn first(&self) -> &T {
        &self.first
    }

    /// All of them, in their order.
    ///
    /// ```
    /// # use checkout_trust::settlement::{NonEmpty, Mismatch};
    /// fn how_many(mismatches: &NonEmpty<Mismatch>) -> usize {
    ///     mismatches.iter().count()
    /// }
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.into_iter()
    }

    /// Returns `None` if `all` is empty.
    pub(super) fn of(all: Vec<T>) -> Option<Self> {
        let mut all = all.into_iter();
        all.next().map(|first| Self { first, others: all.collect() })
    }
}

impl<'a, T> IntoIterator for &'a NonEmpty<T> {
    type Item = &'a T;
    type IntoIter = core::iter::Chain<core::iter::Once<&'a T>, core::slice::Iter<'a, T>>;

    fn into_iter(self) -> Self::IntoIter {
        core::iter::once(&self.first).chain(&self.others)
    }
}

impl<T: fmt::Debug> fmt::Debug for NonEmpty<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self).finish()
    }
}

/// Writes the items one after the other, with semicolons between.
fn listed<'a, T: fmt::Display + 'a>(
    all: impl IntoIterator<Item = &'a T>,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    for (at, one) in all.into_iter().enumerate() {
        if at > 0 {
            f.write_str("; ")?;
        }
        one.fmt(f)?;
    }
    Ok(())
}
