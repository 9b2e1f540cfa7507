//! The evidence that settles an order: the answer to a read.

use checkout_tables::Environment;
use checkout_wire::allscale::Intent;
use checkout_wire::azotte::CheckoutResult;
use checkout_wire::peach::Payment;

/// The answer to a read that you made, and the environment of the client that made the read.
///
/// With `checkout-client`, `Answer::into_read` makes this value, and there is nothing to get wrong: the call
/// knows both. Without that crate, use [`answer`](Self::answer).
///
/// To compare a read with an order, call `settled_by` of [`allscale::Order`](super::allscale::Order),
/// [`azotte::Order`](super::azotte::Order) or [`peach::Order`](super::peach::Order).
///
/// ```
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::Environment;
/// use checkout_kit::settlement::Read;
/// use checkout_kit::wire::{Head, Reply, azotte};
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
    /// Takes the payload of **an answer to a read that you made**, and the environment of the client that you
    /// made the read with. A read is as trustworthy as TLS, the provider's host, and the read's signature
    /// where the client has verified one.
    ///
    /// Use this function if you send and read without `checkout-client`, whose `Answer::into_read` trusts
    /// nobody's word. This function trusts two things, and goods leave on them: the payload came as the
    /// answer to a read, by the route below, and the environment is the environment that the read was made
    /// in.
    ///
    /// | provider | the read |
    /// |---|---|
    /// | AllScale | the get of the whole intent |
    /// | Azotte | the status of the checkout |
    /// | Peach | the status of the checkout, V1 or V2 |
    ///
    /// No type can tell how you came by a payload, and two of the payloads also come in other ways. Do not
    /// pass a payload that came in one of these ways:
    /// - Peach's webhook and the shopper's return have the same fields as a status. Somebody delivered them
    ///   to you: a delivery can be old, repeated or held back, and its signature joins keys and values with
    ///   nothing between, so that one signature can stand for two readings. Goods would leave for a payment
    ///   that was taken back since, or never existed.
    /// - Azotte's answer to a submit has the shape of a status. Such an answer does not confirm a payment.
    ///
    /// Verify a status of Peach's V1 first, as the client does: by
    /// [`SecretToken::verify`](checkout_auth::peach::SecretToken::verify) over all of its
    /// [`fields`](checkout_wire::peach::Payment::fields), `result.code` among them. This function cannot
    /// check that you did.
    ///
    /// Pass the environment of the client, not of the order: an environment copied from the order would prove
    /// nothing, and the money of a test store would settle a live order.
    ///
    /// ```
    /// # checkout_doctest::facade!(trust);
    /// use checkout_kit::Environment;
    /// use checkout_kit::allscale::Intent;
    /// use checkout_kit::settlement::Read;
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
    /// The payload of the answer.
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

    /// Returns the payload of the answer, which is then no longer a read.
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

/// A provider's description of a whole checkout in a read: AllScale's [`Intent`], Azotte's
/// [`CheckoutResult`], Peach's [`Payment`]. Nothing else can be evidence, and nothing borrowed: the payment
/// that a webhook's event shows does not fit into a [`Read`].
///
/// ```
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::Environment;
/// use checkout_kit::settlement::{Read, Settles};
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
    /// The supertrait that cannot be implemented elsewhere.
    pub trait Sealed {}

    impl Sealed for super::Intent<'_> {}
    impl Sealed for super::CheckoutResult<'_> {}
    impl Sealed for super::Payment<'_> {}
}
