//! An order of any provider.

use super::{Policy, Read, Settlement, Settles};

/// An order of any provider, for code that settles orders without knowing the provider.
///
/// The orders are [`allscale::Order`](super::allscale::Order), [`azotte::Order`](super::azotte::Order) and
/// [`peach::Order`](super::peach::Order). Each has the two methods by itself too, so a caller who knows the
/// provider does not import this trait.
///
/// ```
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::settlement::{Order, Read};
///
/// fn may_ship<O: Order>(order: &O, read: &Read<O::Payload>) -> bool {
///     order.settled_by(read).is_settled()
/// }
/// ```
pub trait Order {
    /// The payload of the read that settles the order.
    type Payload: Settles;

    /// Compares a read with the order, under the default [`Policy`].
    fn settled_by(&self, read: &Read<Self::Payload>) -> Settlement {
        self.settled_by_with(read, &Policy::default())
    }

    /// Compares a read with the order, under a policy of the merchant.
    fn settled_by_with(&self, read: &Read<Self::Payload>, policy: &Policy) -> Settlement;
}
