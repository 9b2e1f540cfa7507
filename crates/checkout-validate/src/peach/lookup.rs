//! The ids that look up a status.

use crate::PathSegment;
use crate::text::{is_blank, owned};
use alloc::borrow::Cow;
use core::fmt;

/// The id that a status read sends: one of three ids.
///
/// Source: *Payment status*, GET status request parameters. Assumed: one of the three is needed and enough.
///
/// ```
/// # checkout_doctest::facade!(validate);
/// use checkout_kit::peach::{CheckoutId, Lookup, MerchantTransactionId};
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
    /// By your own id of the payment: the answer is the **latest** checkout with the id. Keep the id unique,
    /// and compare the answer's fields.
    MerchantTransactionId(MerchantTransactionId<'a>),
}

impl Lookup<'_> {
    /// The name of the parameter and its value.
    ///
    /// ```
    /// # use checkout_validate::peach::{Lookup, PaymentId};
    /// assert_eq!(Lookup::Id(PaymentId::new("8ac7a4a0")?).pair(), ("id", "8ac7a4a0"));
    /// # Ok::<(), checkout_validate::peach::LookupError>(())
    /// ```
    #[must_use]
    pub fn pair(&self) -> (&'static str, &str) {
        match self {
            Self::CheckoutId(id) => (CHECKOUT_ID, id.as_str()),
            Self::Id(id) => (ID, id.as_str()),
            Self::MerchantTransactionId(id) => (MERCHANT_TRANSACTION_ID, id.as_str()),
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
    /// # Ok::<(), checkout_validate::peach::LookupError>(())
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

/// The provider's id of a checkout: `checkoutId`, from the answer to a create or from the first webhook. At
/// most 48 characters.
///
/// Source: *Payment status* (AN48). Assumed: beside letters and digits a hyphen, a dot and an underscore are
/// let through, since ids of the same platform have them (`….uat01-vm-tx02`).
///
/// ```
/// # checkout_doctest::facade!(validate);
/// use checkout_kit::peach::{CheckoutId, LookupError};
///
/// assert_eq!(CheckoutId::new("948cc8dec52a11eb85290242ac130003")?.segment().id().len(), 32);
/// let error = CheckoutId::new("a/b").unwrap_err();
/// assert_eq!(error, LookupError::Character { parameter: "checkoutId", at: 1, max: 48 });
/// # Ok::<(), LookupError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CheckoutId<'a>(Cow<'a, str>);

/// The provider's id of a successful payment: `id`. At most 32 characters, of the same kinds as in a
/// [`CheckoutId`].
///
/// Source: *Payment status* (AN32).
///
/// ```
/// # checkout_doctest::facade!(validate);
/// use checkout_kit::peach::{LookupError, PaymentId};
///
/// assert_eq!(PaymentId::new("8ac7a4a0")?.as_str(), "8ac7a4a0");
/// assert_eq!(PaymentId::new(""), Err(LookupError::Empty { parameter: "id" }));
/// let error = PaymentId::new("8".repeat(33)).unwrap_err();
/// assert_eq!(error.to_string(), "id: 33 characters long, and Payment status allows 32 (AN32)");
/// # Ok::<(), LookupError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PaymentId<'a>(Cow<'a, str>);

/// Your own id of a payment: 1 to 48 characters, of the same kinds as in a [`CheckoutId`] and in a checked
/// [`InitiateCheckout`](super::InitiateCheckout).
///
/// Source: *Payment status* (AN48).
///
/// ```
/// # checkout_doctest::facade!(validate);
/// use checkout_kit::peach::{LookupError, MerchantTransactionId};
///
/// assert_eq!(MerchantTransactionId::new("Test1234")?.as_str(), "Test1234");
/// let error = MerchantTransactionId::new("a b").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "merchantTransactionId: the character at byte 1 is no ASCII letter, digit, hyphen, dot or underscore, \
///      and Payment status allows no other (AN48)"
/// );
/// # Ok::<(), LookupError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MerchantTransactionId<'a>(Cow<'a, str>);

impl<'a> CheckoutId<'a> {
    /// Takes the id unchanged from the provider.
    ///
    /// # Errors
    /// [`LookupError`] for an id that the page does not allow to be asked by, and for one of one or two dots,
    /// which a path resolves away.
    pub fn new(id: impl Into<Cow<'a, str>>) -> Result<Self, LookupError> {
        let id = id.into();
        match &*id {
            "." | ".." => Err(LookupError::Dots { parameter: CHECKOUT_ID }),
            _ => allowed(id, CHECKOUT_ID, MAX_LENGTH).map(Self),
        }
    }

    /// The id as a segment of a path.
    ///
    /// ```
    /// # use checkout_validate::peach::CheckoutId;
    /// assert_eq!(CheckoutId::new("8ac7a4a2")?.segment().to_string(), "8ac7a4a2");
    /// # Ok::<(), checkout_validate::peach::LookupError>(())
    /// ```
    #[must_use]
    pub fn segment(&self) -> PathSegment<'_> {
        PathSegment::checked(&self.0)
    }
}

impl<'a> PaymentId<'a> {
    /// Takes the id unchanged from the provider.
    ///
    /// # Errors
    /// [`LookupError`] for an id that the page does not allow to be asked by.
    pub fn new(id: impl Into<Cow<'a, str>>) -> Result<Self, LookupError> {
        allowed(id.into(), ID, MAX_ID_LENGTH).map(Self)
    }
}

impl<'a> MerchantTransactionId<'a> {
    /// Takes an id of yours.
    ///
    /// # Errors
    /// [`LookupError`] for an id that the page does not allow to be asked by.
    pub fn new(id: impl Into<Cow<'a, str>>) -> Result<Self, LookupError> {
        allowed(id.into(), MERCHANT_TRANSACTION_ID, MAX_LENGTH).map(Self)
    }

    /// Of a text that has been checked in a draft.
    pub(super) const fn checked(id: Cow<'a, str>) -> Self {
        Self(id)
    }
}

/// An id that a status must not be asked by. The error names the parameter and the rule, and holds nothing of
/// the id.
///
/// Source: *Payment status*, GET status request parameters.
///
/// ```
/// # checkout_doctest::facade!(validate);
/// use checkout_kit::peach::{CheckoutId, LookupError};
///
/// let error = CheckoutId::new("x".repeat(49)).unwrap_err();
/// assert_eq!(error, LookupError::TooLong { parameter: "checkoutId", length: 49, max: 48 });
/// assert_eq!(error.parameter(), "checkoutId");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LookupError {
    /// The id is empty or blank.
    #[error("{parameter}: empty")]
    Empty {
        /// The parameter.
        parameter: &'static str,
    },
    /// The id is `.` or `..`, which a path resolves away, percent-encoded or not. A rule of our own.
    #[error("{parameter}: an id of one or two dots is resolved away in a path")]
    Dots {
        /// The parameter.
        parameter: &'static str,
    },
    /// The id is longer than the page allows.
    #[error("{parameter}: {length} characters long, and Payment status allows {max} (AN{max})")]
    TooLong {
        /// The parameter.
        parameter: &'static str,
        /// The id's length, in characters.
        length: usize,
        /// The most characters that the page allows.
        max: usize,
    },
    /// The id has a character other than an ASCII letter or digit, a hyphen, a dot or an underscore.
    #[error(
        "{parameter}: the character at byte {at} is no ASCII letter, digit, hyphen, dot or underscore, \
         and Payment status allows no other (AN{max})"
    )]
    Character {
        /// The parameter.
        parameter: &'static str,
        /// The byte at which the first such character begins.
        at: usize,
        /// The most characters that the page allows.
        max: usize,
    },
}

impl LookupError {
    /// The parameter, by the provider's name for it.
    #[must_use]
    pub const fn parameter(&self) -> &'static str {
        match self {
            Self::Empty { parameter }
            | Self::Dots { parameter }
            | Self::TooLong { parameter, .. }
            | Self::Character { parameter, .. } => parameter,
        }
    }
}

macro_rules! id {
    ($($id:ident)+) => {
        $(
            impl $id<'_> {
                /// The id, unchanged.
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
                /// The id, with unprintable characters escaped.
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

/// The id, if the page allows the id to be sent.
fn allowed<'a>(id: Cow<'a, str>, parameter: &'static str, max: usize) -> Result<Cow<'a, str>, LookupError> {
    let length = id.chars().count();
    match id.find(is_forbidden) {
        _ if is_blank(&id) => Err(LookupError::Empty { parameter }),
        Some(at) => Err(LookupError::Character { parameter, at, max }),
        None if length > max => Err(LookupError::TooLong { parameter, length, max }),
        None => Ok(id),
    }
}

/// True if an id must not have the character: the character is neither a letter or digit of ASCII, the
/// meaning of "AN", nor one of the three marks that ids in use have.
pub(super) fn is_forbidden(character: char) -> bool {
    !(character.is_ascii_alphanumeric() || matches!(character, '-' | '.' | '_'))
}

const CHECKOUT_ID: &str = "checkoutId";
const ID: &str = "id";
const MERCHANT_TRANSACTION_ID: &str = "merchantTransactionId";

/// The most characters of a checkout's id and of a merchant's id of a payment. Source: *Payment status*,
/// AN48.
pub(super) const MAX_LENGTH: usize = 48;

/// The most characters of a payment's id. Source: *Payment status*, AN32.
const MAX_ID_LENGTH: usize = 32;
