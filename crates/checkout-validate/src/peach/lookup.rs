//! What a status is asked by.

use crate::text::owned;
use crate::{IdError, PathSegment};
use alloc::borrow::Cow;
use core::fmt;

/// What a status is asked by: one of three ids.
///
/// Source: *Payment status*, GET status request parameters. Assumed: one of the three is needed and enough.
///
/// ```
/// use checkout_validate::peach::{CheckoutId, Lookup, MerchantTransactionId};
///
/// let lookup = Lookup::from(CheckoutId::new("8ac7a4a2")?);
/// assert_eq!(lookup.pair(), ("checkoutId", "8ac7a4a2"));
/// let lookup = Lookup::from(MerchantTransactionId::new("Test1234")?);
/// assert_eq!(lookup.pair(), ("merchantTransactionId", "Test1234"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Lookup<'a> {
    /// By the provider's id of the checkout: the surest one.
    CheckoutId(CheckoutId<'a>),
    /// By the provider's id of a payment. Only a successful payment has one.
    Id(PaymentId<'a>),
    /// By your own id of the payment: the answer is the **latest** checkout with it. Keep it unique, and
    /// compare what comes back.
    MerchantTransactionId(MerchantTransactionId<'a>),
}

impl Lookup<'_> {
    /// The name of the parameter and its value.
    ///
    /// ```
    /// # use checkout_validate::peach::{Lookup, PaymentId};
    /// assert_eq!(Lookup::Id(PaymentId::new("8ac7a4a0")?).pair(), ("id", "8ac7a4a0"));
    /// # Ok::<(), checkout_validate::IdError>(())
    /// ```
    #[must_use]
    pub fn pair(&self) -> (&'static str, &str) {
        match self {
            Self::CheckoutId(id) => ("checkoutId", id.as_str()),
            Self::Id(id) => ("id", id.as_str()),
            Self::MerchantTransactionId(id) => ("merchantTransactionId", id.as_str()),
        }
    }

    /// The same, with nothing borrowed.
    ///
    /// ```
    /// # use checkout_validate::peach::{Lookup, PaymentId};
    /// let id = String::from("8ac7a4a0");
    /// let lookup: Lookup<'static> = Lookup::Id(PaymentId::new(&id)?).into_owned();
    /// drop(id);
    /// assert_eq!(lookup.pair().1, "8ac7a4a0");
    /// # Ok::<(), checkout_validate::IdError>(())
    /// ```
    #[must_use]
    pub fn into_owned(self) -> Lookup<'static> {
        match self {
            Self::CheckoutId(id) => Lookup::CheckoutId(id.into_owned()),
            Self::Id(id) => Lookup::Id(id.into_owned()),
            Self::MerchantTransactionId(id) => Lookup::MerchantTransactionId(id.into_owned()),
        }
    }
}

/// The provider's id of a checkout: `checkoutId`, from the answer of V2 or from the first webhook. The page
/// gives it up to 48 characters; it is the provider's own, so it is taken as it comes, but for the three that
/// cannot stand in a path.
///
/// ```
/// use checkout_validate::IdError;
/// use checkout_validate::peach::CheckoutId;
///
/// assert_eq!(CheckoutId::new("a/b")?.segment().to_string(), "a%2Fb");
/// assert_eq!(CheckoutId::new(".."), Err(IdError::Dots));
/// # Ok::<(), IdError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CheckoutId<'a>(Cow<'a, str>);

/// The provider's id of a successful payment: `id`. The page gives it up to 32 characters; it is the
/// provider's own, so it is taken as it comes, but for the three that say nothing.
///
/// ```
/// use checkout_validate::IdError;
/// use checkout_validate::peach::PaymentId;
///
/// assert_eq!(PaymentId::new("8ac7a4a0")?.as_str(), "8ac7a4a0");
/// assert_eq!(PaymentId::new(""), Err(IdError::Empty));
/// # Ok::<(), IdError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PaymentId<'a>(Cow<'a, str>);

/// Your own id of a payment: 1 to 48 characters, as in a checked
/// [`InitiateCheckout`](super::InitiateCheckout).
///
/// ```
/// use checkout_validate::peach::{MerchantTransactionId, MerchantTransactionIdError};
///
/// assert_eq!(MerchantTransactionId::new("Test1234")?.as_str(), "Test1234");
/// let long = MerchantTransactionId::new("x".repeat(49));
/// assert_eq!(long, Err(MerchantTransactionIdError::TooLong { length: 49 }));
/// # Ok::<(), MerchantTransactionIdError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MerchantTransactionId<'a>(Cow<'a, str>);

impl<'a> CheckoutId<'a> {
    /// Takes the id as the provider gave it.
    ///
    /// # Errors
    /// [`IdError`] for the three ids that cannot be a segment of a path.
    pub fn new(id: impl Into<Cow<'a, str>>) -> Result<Self, IdError> {
        opaque(id.into()).map(Self)
    }

    /// The id as a segment of a path.
    ///
    /// ```
    /// # use checkout_validate::peach::CheckoutId;
    /// assert_eq!(CheckoutId::new("a b")?.segment().to_string(), "a%20b");
    /// # Ok::<(), checkout_validate::IdError>(())
    /// ```
    #[must_use]
    pub fn segment(&self) -> PathSegment<'_> {
        PathSegment::checked(&self.0)
    }
}

impl<'a> PaymentId<'a> {
    /// Takes the id as the provider gave it.
    ///
    /// # Errors
    /// [`IdError`] for the empty id and for one of one or two dots.
    pub fn new(id: impl Into<Cow<'a, str>>) -> Result<Self, IdError> {
        opaque(id.into()).map(Self)
    }
}

impl<'a> MerchantTransactionId<'a> {
    /// Takes an id of yours.
    ///
    /// # Errors
    /// [`MerchantTransactionIdError`] for one that no checkout can have.
    pub fn new(id: impl Into<Cow<'a, str>>) -> Result<Self, MerchantTransactionIdError> {
        let id = id.into();
        match id.chars().count() {
            _ if crate::text::is_blank(&id) => Err(MerchantTransactionIdError::Blank),
            length if length > MAX_LENGTH => Err(MerchantTransactionIdError::TooLong { length }),
            _ => Ok(Self(id)),
        }
    }

    /// Of a text that has been checked in a draft.
    pub(super) const fn checked(id: Cow<'a, str>) -> Self {
        Self(id)
    }
}

/// An id of yours that no checkout can have.
///
/// ```
/// use checkout_validate::peach::MerchantTransactionIdError;
///
/// let error = MerchantTransactionIdError::TooLong { length: 49 };
/// assert_eq!(error.to_string(), "a merchantTransactionId of 49 characters, and 48 are allowed");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MerchantTransactionIdError {
    /// It is empty or blank.
    #[error("an empty merchantTransactionId")]
    Blank,
    /// It is longer than 48 characters.
    #[error("a merchantTransactionId of {length} characters, and {MAX_LENGTH} are allowed")]
    TooLong {
        /// Its length, in characters.
        length: usize,
    },
}

macro_rules! id {
    ($($id:ident)+) => {
        $(
            impl $id<'_> {
                /// The id as it was given.
                #[must_use]
                pub fn as_str(&self) -> &str {
                    &self.0
                }

                /// The same, with nothing borrowed.
                #[must_use]
                pub fn into_owned(self) -> $id<'static> {
                    $id(owned(self.0))
                }
            }

            impl fmt::Display for $id<'_> {
                /// The id, with what is not printable escaped.
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    write!(f, "{}", self.0.escape_debug())
                }
            }
        )+
    };
}

id!(CheckoutId PaymentId MerchantTransactionId);

impl<'a> From<CheckoutId<'a>> for Lookup<'a> {
    fn from(id: CheckoutId<'a>) -> Self {
        Self::CheckoutId(id)
    }
}

impl<'a> From<PaymentId<'a>> for Lookup<'a> {
    fn from(id: PaymentId<'a>) -> Self {
        Self::Id(id)
    }
}

impl<'a> From<MerchantTransactionId<'a>> for Lookup<'a> {
    fn from(id: MerchantTransactionId<'a>) -> Self {
        Self::MerchantTransactionId(id)
    }
}

fn opaque(id: Cow<'_, str>) -> Result<Cow<'_, str>, IdError> {
    PathSegment::new(&id)?;
    Ok(id)
}

/// The most characters of a merchant's id of a payment. Source: *Payment status*, AN48.
pub(super) const MAX_LENGTH: usize = 48;
