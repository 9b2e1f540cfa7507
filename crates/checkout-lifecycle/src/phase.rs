//! The phase of a checkout, the same for every provider.

use core::fmt;

/// The state of a checkout, in words that are the same for every provider.
///
/// Each provider's module maps its statuses to phases, and marks the assumed parts.
///
/// ```
/// # checkout_doctest::facade!(lifecycle);
/// use checkout_kit::allscale::IntentStatus;
/// use checkout_kit::lifecycle::Status;
/// use checkout_kit::{Failure, Phase};
///
/// assert_eq!(IntentStatus::Viewed.phase(), Phase::AwaitingPayer);
/// assert_eq!(IntentStatus::Timeout.phase(), Phase::Failed(Failure::Expired));
/// assert!(IntentStatus::Timeout.phase().is_final());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// The payer has not paid yet.
    AwaitingPayer,
    /// The payer has something to do elsewhere, such as a 3DS challenge.
    PayerAction,
    /// The provider is at work.
    Processing,
    /// A person at the provider reviews the payment. This can take long.
    InReview,
    /// The money is on its way back to the payer.
    Refunding,
    /// Paid.
    Succeeded,
    /// The payer has agreed and the amount is reserved, but no money has come: a capture has to follow. Code
    /// that ships at [`Succeeded`](Self::Succeeded) does not ship at this phase.
    Authorized,
    /// Ended without the money.
    Failed(Failure),
    /// Paid, and then taken back.
    Reversed,
}

/// The reason why a checkout ended without the money.
///
/// ```
/// # checkout_doctest::facade!(lifecycle);
/// use checkout_kit::Failure;
///
/// assert_eq!(Failure::Underpaid.to_string(), "underpaid");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Failure {
    /// The payer's side declined: a bank, an issuer.
    Declined,
    /// The provider's checks rejected the payment.
    Rejected,
    /// The payer paid less than the amount due.
    Underpaid,
    /// The payer canceled.
    Canceled,
    /// Nobody paid in time.
    Expired,
    /// Something broke at the provider.
    Error,
}

impl Phase {
    /// True if the checkout has ended. (An ended checkout can still be paid late, captured, or reversed.)
    ///
    /// ```
    /// # use checkout_lifecycle::Phase;
    /// assert!(Phase::Succeeded.is_final());
    /// assert!(Phase::Authorized.is_final());
    /// assert!(!Phase::InReview.is_final());
    /// ```
    #[must_use]
    pub const fn is_final(self) -> bool {
        match self {
            Self::Succeeded | Self::Authorized | Self::Failed(_) | Self::Reversed => true,
            Self::AwaitingPayer | Self::PayerAction | Self::Processing | Self::InReview | Self::Refunding => {
                false
            }
        }
    }

    /// True if the checkout ended with the payer's consent: paid, or authorized. After a refusal either is
    /// late, and after one of the two the other is a conflict.
    pub(crate) const fn is_consent(self) -> bool {
        matches!(self, Self::Succeeded | Self::Authorized)
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AwaitingPayer => f.pad("awaiting payer"),
            Self::PayerAction => f.pad("payer action"),
            Self::Processing => f.pad("processing"),
            Self::InReview => f.pad("in review"),
            Self::Refunding => f.pad("refunding"),
            Self::Succeeded => f.pad("succeeded"),
            Self::Authorized => f.pad("authorized"),
            Self::Failed(failure) => write!(f, "failed: {failure}"),
            Self::Reversed => f.pad("reversed"),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Declined => "declined",
            Self::Rejected => "rejected",
            Self::Underpaid => "underpaid",
            Self::Canceled => "canceled",
            Self::Expired => "expired",
            Self::Error => "error",
        })
    }
}
