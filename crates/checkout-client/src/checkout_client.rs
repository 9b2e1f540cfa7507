//! A client of any provider.

use crate::call::Call;
use crate::watch::{Watch, Watchable};
use checkout_lifecycle::Moment;
use checkout_tables::Environment;
use std::error::Error;

/// A client of any provider, for code that reads and settles checkouts without knowing the provider.
///
/// The client joins what belongs together: the id that a checkout is read by, the payload of the read, and
/// the [`Order`](checkout_trust::settlement::Order) of the same payload. A create stays the provider's own,
/// because each provider's draft differs.
///
/// | | [`Id`](Self::Id) | reads |
/// |---|---|---|
/// | [`allscale::Client`](crate::allscale::Client) | the intent's id | a bare status, then the full intent |
/// | [`azotte::Client`](crate::azotte::Client) | `trackingNumber` | one status |
/// | [`peach::Client`](crate::peach::Client) | a [`Lookup`](checkout_validate::peach::Lookup): one of three ids | one status |
/// | [`peach::v2::Client`](crate::peach::v2::Client) | `checkoutId` | one status |
///
/// ```
/// # checkout_doctest::facade!(client);
/// use checkout_kit::settlement::Order;
/// use checkout_kit::{BlockingTransport, CheckoutClient};
///
/// /// Settles an order of any provider, on this thread. `None` is for a person, or for a later look.
/// fn settle<C: CheckoutClient, O: Order<Payload = C::Payload>>(
///     client: &C,
///     id: &C::Id,
///     order: &O,
///     transport: &dyn BlockingTransport,
/// ) -> Result<Option<bool>, C::IdError> {
///     let mut watch = client.watch(id)?;
///     let handle = watch.handle();
///     let end = watch.end_blocking(transport, |wait| handle.pause(wait));
///     if end.wants_attention() {
///         return Ok(None);
///     }
///     Ok(end.into_read().map(|read| order.settled_by(&read).is_settled()))
/// }
/// ```
pub trait CheckoutClient: Clone + Send + Sync + 'static {
    /// The payload of the read that settles an order.
    type Payload: Watchable;
    /// The id that a checkout is read by.
    type Id: ?Sized;
    /// The error for an id that a checkout cannot be read by.
    type IdError: Error + Send + Sync + 'static;

    /// The environment of the client: whose money the calls are about.
    fn environment(&self) -> Environment;

    /// The time, by the client's clock.
    fn now(&self) -> Moment;

    /// The call that polls a checkout.
    ///
    /// # Errors
    /// For an id that a checkout cannot be read by.
    fn status_call(
        &self,
        id: &Self::Id,
    ) -> Result<Call<<Self::Payload as Watchable>::StatusRead>, Self::IdError>;

    /// The call whose answer settles an order.
    ///
    /// # Errors
    /// For an id that a checkout cannot be read by.
    fn full_call(&self, id: &Self::Id) -> Result<Call<Self::Payload>, Self::IdError>;

    /// A watch of a checkout to its end.
    ///
    /// # Errors
    /// For an id that a checkout cannot be read by.
    fn watch(&self, id: &Self::Id) -> Result<Watch<Self::Payload>, Self::IdError>;
}
