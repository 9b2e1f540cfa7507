//! The violations of a draft, for every provider.

use alloc::vec::{self, Vec};
use core::{fmt, slice};

/// One rule that a draft breaks: the trait of every provider's `Violation`. [`Display`](fmt::Display) gives
/// the message alone.
///
/// ```
/// # checkout_doctest::facade!(validate);
/// use checkout_kit::validate::{BrokenRule, Violations, allscale};
///
/// /// For a form: each field with what is wrong with it.
/// fn said<V: BrokenRule>(violations: &Violations<V>) -> Vec<(String, String)> {
///     violations.iter().map(|broken| (broken.field().to_string(), broken.to_string())).collect()
/// }
/// let draft = allscale::Draft { currency: Some(1.into()), ..allscale::Draft::default() };
/// let said = said(&draft.check().unwrap_err());
/// assert_eq!(said, [("amount_cents".into(), "an amount is required".into())]);
/// ```
pub trait BrokenRule: fmt::Display + sealed::Sealed {
    /// The fields, ordered as the provider's page lists them. `Display` gives a field's path as the provider
    /// writes it.
    type Field: fmt::Display + Ord;

    /// The field.
    fn field(&self) -> Self::Field;

    /// The number that the provider would have answered with, if the provider has numbers and one for this
    /// rule.
    fn code(&self) -> Option<i64>;
}

/// Everything that is wrong with a draft, in the order of the page's request fields. Never empty.
///
/// [`Display`](fmt::Display) gives `field: message (code)` for each.
///
/// ```
/// # checkout_doctest::facade!(validate);
/// use checkout_kit::allscale::Draft;
///
/// let violations = Draft::default().check().unwrap_err();
/// assert_eq!(
///     violations.to_string(),
///     "currency: set exactly one of currency and stable_coin (10001); amount_cents: an amount is required (10001)"
/// );
/// let fields: Vec<_> = violations.iter().map(|violation| violation.field().to_string()).collect();
/// assert_eq!(fields, ["currency", "amount_cents"]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violations<V>(Vec<V>);

impl<V> Violations<V> {
    /// The number of violations: one at least.
    ///
    /// ```
    /// # use checkout_validate::allscale::Draft;
    /// assert_eq!(Draft::default().check().unwrap_err().len(), 2);
    /// ```
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// True if there are no violations: never so, for a draft without a violation is a request.
    ///
    /// ```
    /// # use checkout_validate::allscale::Draft;
    /// assert!(!Draft::default().check().unwrap_err().is_empty());
    /// ```
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each of them.
    ///
    /// ```
    /// # use checkout_validate::allscale::Draft;
    /// let violations = Draft::default().check().unwrap_err();
    /// assert_eq!(violations.iter().count(), 2);
    /// ```
    pub fn iter(&self) -> slice::Iter<'_, V> {
        self.0.iter()
    }
}

impl<V: BrokenRule> Violations<V> {
    /// Puts the violations in order. The violations of one field keep the order in which they were found.
    pub(crate) fn new(mut violations: Vec<V>) -> Self {
        violations.sort_by_cached_key(V::field);
        Self(violations)
    }
}

impl<'a, V> IntoIterator for &'a Violations<V> {
    type Item = &'a V;
    type IntoIter = slice::Iter<'a, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<V> IntoIterator for Violations<V> {
    type Item = V;
    type IntoIter = vec::IntoIter<V>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<V: BrokenRule> fmt::Display for Violations<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, violation) in self.0.iter().enumerate() {
            f.write_str(if place == 0 { "" } else { "; " })?;
            write!(f, "{}: {violation}", violation.field())?;
            if let Some(code) = violation.code() {
                write!(f, " ({code})")?;
            }
        }
        Ok(())
    }
}

impl<V: BrokenRule + fmt::Debug> core::error::Error for Violations<V> {}

pub(crate) mod sealed {
    /// Keeps [`BrokenRule`](super::BrokenRule) to the violations of this crate.
    pub trait Sealed {}
}
