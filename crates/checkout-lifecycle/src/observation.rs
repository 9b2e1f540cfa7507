//! A status, with its source and its moment.

use checkout_tables::{Moment, Open, RawOf};

/// A status that a source asserted: the status, the source, and the moment when the status was true, as far
/// as moments can be ordered.
///
/// `Raw` keeps a status that the table does not name; see [`Open`].
///
/// ```
/// # checkout_doctest::facade!(lifecycle);
/// use checkout_kit::allscale::IntentStatus;
/// use checkout_kit::lifecycle::Source;
/// use checkout_kit::{Moment, Observation};
///
/// let read = Observation::<IntentStatus>::read(10, Moment::from_unix_millis(1_700_000_000_000));
/// assert_eq!(read.status().known(), Some(IntentStatus::OnChain));
/// assert_eq!(read.source(), Source::Read);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Observation<S, Raw = i64> {
    status: Open<S, Raw>,
    source: Source,
    order: Option<Moment>,
}

impl<S, Raw> Observation<S, Raw> {
    /// Creates the observation of a read that you made. Its moment is the moment at which you **sent** the
    /// request, unless the provider's answers carry their own time: then see
    /// [`read_ordered`](Self::read_ordered). Always use the same of the two kinds for a checkout.
    ///
    /// ```
    /// # use checkout_lifecycle::{Moment, Observation};
    /// # use checkout_tables::allscale::IntentStatus;
    /// let by_value = Observation::<IntentStatus>::read(10, Moment::from_unix_millis(7));
    /// let by_name = Observation::<IntentStatus>::read(IntentStatus::OnChain, Moment::from_unix_millis(7));
    /// assert_eq!(by_value, by_name);
    /// ```
    pub fn read(status: impl Into<Open<S, Raw>>, sent: Moment) -> Self {
        Self { status: status.into(), source: Source::Read, order: Some(sent) }
    }

    /// Creates the observation of a read from a provider whose answers carry their own time, such as Peach.
    /// Its moment is that time; an answer without a time has no moment. The moment at which you sent the
    /// request is by another clock than the provider's, so it does not stand in for a missing moment.
    ///
    /// A read without a moment is *unordered*, like a webhook without a moment: see
    /// [`Tracker::observe`](crate::Tracker::observe).
    ///
    /// ```
    /// # use checkout_lifecycle::{Observation, Source};
    /// # use checkout_tables::peach::PaymentStatus;
    /// let read = Observation::<_, i64>::read_ordered(PaymentStatus::Pending, None);
    /// assert_eq!((read.source(), read.order()), (Source::Read, None));
    /// ```
    pub fn read_ordered(status: impl Into<Open<S, Raw>>, order: Option<Moment>) -> Self {
        Self { status: status.into(), source: Source::Read, order }
    }

    /// Creates the observation of a webhook **whose signature was verified**. Nothing here can check the
    /// signature: do not pass on an unverified body. Its moment is the provider's own time, if the signed
    /// content carries one.
    ///
    /// ```
    /// # use checkout_lifecycle::{Observation, Attestation, Source};
    /// # use checkout_tables::allscale::IntentStatus;
    /// let webhook = Observation::<IntentStatus>::verified_webhook(20, None, Attestation::by_caller());
    /// assert_eq!(webhook.source(), Source::Webhook);
    /// assert_eq!(webhook.order(), None);
    /// ```
    pub fn verified_webhook(status: impl Into<Open<S, Raw>>, order: Option<Moment>, _: Attestation) -> Self {
        Self { status: status.into(), source: Source::Webhook, order }
    }

    /// Creates the observation of a redirect that the payer's browser brought back, **if the provider signs
    /// the redirect and the signature was verified**.
    ///
    /// ```
    /// # use checkout_lifecycle::{Observation, Attestation, Source};
    /// # use checkout_tables::allscale::IntentStatus;
    /// let redirect = Observation::<IntentStatus>::verified_redirect(20, None, Attestation::by_caller());
    /// assert_eq!(redirect.source(), Source::Redirect);
    /// ```
    pub fn verified_redirect(status: impl Into<Open<S, Raw>>, order: Option<Moment>, _: Attestation) -> Self {
        Self { status: status.into(), source: Source::Redirect, order }
    }

    /// The status.
    pub const fn status(&self) -> &Open<S, Raw> {
        &self.status
    }

    /// The source of the status.
    pub const fn source(&self) -> Source {
        self.source
    }

    /// The moment when the status was true, if known.
    pub const fn order(&self) -> Option<Moment> {
        self.order
    }

    pub(crate) fn into_status(self) -> Open<S, Raw> {
        self.status
    }
}

/// The proof that an observed status was verified. The receivers of `checkout-trust` attest the statuses that
/// they verified. Code that verifies in another way attests by name, and is responsible.
///
/// ```
/// # checkout_doctest::facade!(lifecycle);
/// use checkout_kit::Observation;
/// use checkout_kit::allscale::IntentStatus;
/// use checkout_kit::lifecycle::{Attestation, Source};
///
/// let proof = Attestation::by_caller();
/// let webhook = Observation::<IntentStatus>::verified_webhook(20, None, proof);
/// assert_eq!(webhook.source(), Source::Webhook);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Attestation(());

impl Attestation {
    /// Attests that you have verified the signature, over the received bytes or parameters, under the
    /// provider's key.
    #[must_use]
    pub const fn by_caller() -> Self {
        Self(())
    }
}

impl<S, Raw: RawOf<S>> Observation<S, Raw> {
    /// True if the table names the status.
    ///
    /// ```
    /// # use checkout_lifecycle::{Moment, Observation};
    /// # use checkout_tables::allscale::IntentStatus;
    /// let moment = Moment::from_unix_millis(0);
    /// assert!(!Observation::<IntentStatus>::read(6, moment).is_known());
    /// ```
    pub const fn is_known(&self) -> bool {
        matches!(self.status, Open::Known(_))
    }
}

/// The source of a status.
///
/// ```
/// # checkout_doctest::facade!(lifecycle);
/// use checkout_kit::lifecycle::Source;
///
/// assert_ne!(Source::Read, Source::Webhook);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// The provider's answer to our request. As trustworthy as TLS, and the provider's signature on the
    /// answer if there is one.
    Read,
    /// The provider's verified webhook.
    Webhook,
    /// The payer's browser, with a verified signature of the provider.
    Redirect,
}
