//! A status that somebody asserted.

use checkout_tables::{Open, RawOf};
use core::time::Duration;

/// A status that somebody asserted: which, by whom, and when it was true as far as that can be ordered.
///
/// `Raw` is what a status nobody has named yet is kept in; see [`Open`].
///
/// ```
/// use checkout_lifecycle::{Moment, Observation, Source};
/// use checkout_tables::allscale::IntentStatus;
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
    /// The answer to a read that you made. Its moment is the one at which you **sent** the request, unless
    /// the provider's answers carry their own time: then see [`read_ordered`](Self::read_ordered). Use one of
    /// the two kinds for a checkout, always.
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

    /// The answer to a read, of a provider whose answers carry their own time, such as Peach: its moment is
    /// that time, and none for an answer that has none. The moment at which you sent the request is by
    /// another clock than the provider's, so it does not stand in for a missing one.
    ///
    /// Without a moment a read is *unordered*, as a webhook without one is: see
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

    /// What a webhook says **whose signature was verified**. Nothing here can check that: an unverified body
    /// is not to be passed on. Its moment is the provider's own time, where the signed content carries one.
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

    /// What the payer's browser brought back, **where the provider signs that and the signature was
    /// verified**.
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

    /// Who asserts it.
    pub const fn source(&self) -> Source {
        self.source
    }

    /// When it was true, if that is known.
    pub const fn order(&self) -> Option<Moment> {
        self.order
    }

    pub(crate) fn into_status(self) -> Open<S, Raw> {
        self.status
    }
}

/// That what is observed was verified. `checkout-trust`'s receivers have one for what they verified; who
/// verifies in another way says so by name, and answers for it.
///
/// ```
/// use checkout_lifecycle::{Observation, Attestation, Source};
/// use checkout_tables::allscale::IntentStatus;
///
/// let proof = Attestation::by_caller();
/// let webhook = Observation::<IntentStatus>::verified_webhook(20, None, proof);
/// assert_eq!(webhook.source(), Source::Webhook);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Attestation(());

impl Attestation {
    /// You have verified it: the signature, over the bytes or the parameters that came, under the provider's
    /// key.
    #[must_use]
    pub const fn by_caller() -> Self {
        Self(())
    }
}

impl<S, Raw: RawOf<S>> Observation<S, Raw> {
    /// Whether the table names the status.
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

/// Who asserts a status.
///
/// ```
/// use checkout_lifecycle::Source;
///
/// assert_ne!(Source::Read, Source::Webhook);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// The provider, asked by us. As trustworthy as TLS, and the provider's signature on it if there is one.
    Read,
    /// The provider, by a webhook that was verified.
    Webhook,
    /// The payer's browser, with a signature of the provider's that was verified.
    Redirect,
}

/// When an observation was true: milliseconds since the Unix epoch, by one clock for all observations of a
/// checkout. It is for putting them in order, and for how long one is after another.
///
/// ```
/// use checkout_lifecycle::Moment;
///
/// assert!(Moment::from_unix_millis(1) < Moment::from_unix_millis(2));
/// // The ends of the range do no harm.
/// assert!(Moment::from_unix_millis(i64::MIN) < Moment::from_unix_millis(0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Moment(i64);

impl Moment {
    /// From milliseconds since the Unix epoch. `i64::MIN` counts as the millisecond after it.
    #[must_use]
    pub const fn from_unix_millis(millis: i64) -> Self {
        Self(if millis == i64::MIN { i64::MIN + 1 } else { millis })
    }

    /// From seconds since the Unix epoch, as signatures and tokens count them. What milliseconds cannot count
    /// is taken as the end of their range.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// assert_eq!(Moment::from_unix_seconds(1_716_501_000), Moment::from_unix_millis(1_716_501_000_000));
    /// assert_eq!(Moment::from_unix_seconds(i64::MAX).unix_millis(), i64::MAX);
    /// ```
    #[must_use]
    pub const fn from_unix_seconds(seconds: i64) -> Self {
        Self::from_unix_millis(seconds.saturating_mul(1_000))
    }

    /// Whole seconds since the Unix epoch, rounded down: half a second before it is second -1.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// assert_eq!(Moment::from_unix_millis(1_716_501_000_999).unix_seconds(), 1_716_501_000);
    /// assert_eq!(Moment::from_unix_millis(-500).unix_seconds(), -1);
    /// ```
    #[must_use]
    pub const fn unix_seconds(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn unix_millis(self) -> i64 {
        self.0
    }

    /// The moment that is so long after this one, rounded up to a whole millisecond, so that no wait is cut
    /// short; the last moment of the range, where that is out of range.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// use core::time::Duration;
    ///
    /// let sent = Moment::from_unix_millis(1_000);
    /// assert_eq!(sent.saturating_add(Duration::from_secs(2)), Moment::from_unix_millis(3_000));
    /// assert_eq!(sent.saturating_add(Duration::from_nanos(1)), Moment::from_unix_millis(1_001));
    /// assert_eq!(sent.saturating_add(Duration::MAX), Moment::from_unix_millis(i64::MAX));
    /// ```
    #[must_use]
    pub const fn saturating_add(self, span: Duration) -> Self {
        let part = if span.subsec_nanos().is_multiple_of(1_000_000) { 0 } else { 1 };
        let millis = match span.as_secs().checked_mul(1_000) {
            Some(millis) => millis.saturating_add(span.subsec_millis() as u64).saturating_add(part),
            None => u64::MAX,
        };
        Self(self.0.saturating_add_unsigned(millis))
    }

    /// How long after an earlier moment this one is; nothing if it is not after it.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// use core::time::Duration;
    ///
    /// let (sent, answered) = (Moment::from_unix_millis(-500), Moment::from_unix_millis(1_000));
    /// assert_eq!(answered.saturating_since(sent), Duration::from_millis(1_500));
    /// assert_eq!(sent.saturating_since(answered), Duration::ZERO);
    /// ```
    #[must_use]
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        if self.0 <= earlier.0 { Duration::ZERO } else { Duration::from_millis(self.0.abs_diff(earlier.0)) }
    }
}
