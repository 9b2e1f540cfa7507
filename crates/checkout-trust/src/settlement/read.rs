//! What settles an order: the answer to a read.

use checkout_tables::Environment;
use checkout_wire::allscale::Intent;
use checkout_wire::azotte::CheckoutResult;
use checkout_wire::peach::Payment;

/// The answer to a read that you made, and the environment of the client that made it.
///
/// With `checkout-client`, `Answer::into_read` makes it, and there is nothing to get wrong: the call knows
/// both. By hand it is [`answer`](Self::answer).
///
/// It is held to an order by `settled_by` of [`allscale::Order`](super::allscale::Order),
/// [`azotte::Order`](super::azotte::Order) and [`peach::Order`](super::peach::Order).
///
/// ```
/// use checkout_tables::Environment;
/// use checkout_trust::settlement::Read;
/// use checkout_wire::{Head, Reply, azotte};
///
/// let body = br#"{"trackingNumber":"trk_1","status":{"messageCode":"CHECK_OUT_DONE"}}"#;
/// let Reply::Done(answer) = azotte::read(&Head::new(200), body)? else { panic!() };
/// let read = Read::answer(answer.payload, Environment::Sandbox);
/// assert_eq!(read.environment(), Environment::Sandbox);
/// assert_eq!(read.payload().tracking_number.as_deref(), Some("trk_1"));
/// # Ok::<(), checkout_wire::ReadError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read<T> {
    payload: T,
    environment: Environment,
}

impl<T: Settles> Read<T> {
    /// The payload of **an answer to a read that you made**, and the environment of the client that you made
    /// it with. A read is as trustworthy as TLS, the provider's host, and its signature where the client has
    /// verified one.
    ///
    /// It is for those who send and read without `checkout-client`, whose `Answer::into_read` needs nobody's
    /// word. Here two things are taken on trust, and goods leave on them: that the payload came as the answer
    /// to a read, by the route below, and that the environment is the one that the read was made in.
    ///
    /// | provider | the read |
    /// |---|---|
    /// | AllScale | the get of the whole intent |
    /// | Azotte | the status of the checkout |
    /// | Peach | the status of the checkout, V1 or V2 |
    ///
    /// No type can tell how you came by a payload, and two of them also come otherwise. Do not pass what came
    /// so:
    /// - Peach's webhook and the shopper's return have the same fields as a status. They are what somebody
    ///   delivered to you: one can be old, repeated or held back, and its signature joins keys and values
    ///   with nothing between, so that one signature can stand for two readings. Goods would leave for a
    ///   payment that was taken back since, or never was.
    /// - Azotte's answer to a submit has the shape of a status. It is no confirmation of a payment.
    ///
    /// A status of Peach's V1 is to be verified first, as the client does: by
    /// [`SecretToken::verify`](checkout_auth::peach::SecretToken::verify) over all of its
    /// [`fields`](checkout_wire::peach::Payment::fields), `result.code` among them. Nothing here can tell
    /// that it was.
    ///
    /// And the environment is that of the client, not the order's: passed on from the order it would prove
    /// nothing, and the money of a test store would settle a live order.
    ///
    /// ```
    /// use checkout_tables::Environment;
    /// use checkout_trust::settlement::Read;
    /// use checkout_wire::allscale::Intent;
    ///
    /// fn to_be_judged<'a>(answer: Intent<'a>, of_the_client: Environment) -> Read<Intent<'a>> {
    ///     Read::answer(answer, of_the_client)
    /// }
    /// ```
    #[must_use]
    pub const fn answer(payload: T, environment: Environment) -> Self {
        Self { payload, environment }
    }
}

impl<T> Read<T> {
    /// What the answer carried.
    ///
    /// ```
    /// # use checkout_trust::settlement::Read;
    /// # use checkout_wire::peach::Payment;
    /// fn code<'a>(read: &'a Read<Payment<'_>>) -> Option<&'a str> {
    ///     read.payload().code()
    /// }
    /// ```
    #[must_use]
    pub const fn payload(&self) -> &T {
        &self.payload
    }

    /// What the answer carried, and no read any more.
    ///
    /// ```
    /// # use checkout_trust::settlement::Read;
    /// # use checkout_wire::peach::Payment;
    /// fn to_keep(read: Read<Payment<'static>>) -> Payment<'static> {
    ///     read.into_payload()
    /// }
    /// ```
    #[must_use]
    pub fn into_payload(self) -> T {
        self.payload
    }

    /// The environment of the client that made the read.
    ///
    /// ```
    /// # use checkout_tables::Environment;
    /// # use checkout_trust::settlement::Read;
    /// # use checkout_wire::peach::Payment;
    /// fn is_live(read: &Read<Payment<'_>>) -> bool {
    ///     read.environment() == Environment::Live
    /// }
    /// ```
    #[must_use]
    pub const fn environment(&self) -> Environment {
        self.environment
    }
}

/// What a provider's read says of a whole checkout: AllScale's [`Intent`], Azotte's [`CheckoutResult`],
/// Peach's [`Payment`]. Nothing else can be evidence, and nothing that is lent: what a webhook's event shows
/// of its payment does not fit into a [`Read`].
///
/// ```
/// use checkout_tables::Environment;
/// use checkout_trust::settlement::{Settles, Read};
///
/// fn live<T: Settles>(answer: T) -> Read<T> {
///     Read::answer(answer, Environment::Live)
/// }
/// ```
pub trait Settles: sealed::Sealed {}

impl Settles for Intent<'_> {}
impl Settles for CheckoutResult<'_> {}
impl Settles for Payment<'_> {}

mod sealed {
    /// What cannot be implemented elsewhere.
    pub trait Sealed {}

    impl Sealed for super::Intent<'_> {}
    impl Sealed for super::CheckoutResult<'_> {}
    impl Sealed for super::Payment<'_> {}
}
