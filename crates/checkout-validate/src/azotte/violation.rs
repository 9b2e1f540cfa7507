//! The faults that a draft can have, and the warnings about a draft.

use crate::BrokenRule;
use crate::violations::sealed::Sealed;
use core::fmt;

/// A field of the submit request, by its path as the provider writes it. Fields are ordered as the page lists
/// them, and the fields of one item stand together.
///
/// Source: *Submit Checkout*, request parameters.
///
/// ```
/// # checkout_doctest::facade!(validate);
/// use checkout_kit::azotte::{Field, ItemField};
///
/// let field = Field::Item { index: 1, field: ItemField::ItemIdentifier };
/// assert_eq!(field.to_string(), "order.items[1].itemIdentifier");
/// assert!(Field::CorrelationId < field && field < Field::CustomerUrn);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Field {
    /// `order.offerIdentifier`
    OfferIdentifier,
    /// `order.correlationId`
    CorrelationId,
    /// `order.installmentIdentifier`
    InstallmentIdentifier,
    /// `order.resellerID`
    ResellerId,
    /// `order.items`
    Items,
    /// A field of one item.
    Item {
        /// Which item, counted from 0.
        index: usize,
        /// The field of the item.
        field: ItemField,
    },
    /// `order.customer.customerUrn`
    CustomerUrn,
    /// `order.customer.ipAddress`
    IpAddress,
    /// `paymentMethod.paymentChannel`
    PaymentChannel,
    /// `paymentMethod.providerIdentifier`
    ProviderIdentifier,
    /// `paymentMethod.useStoredMethod`
    UseStoredMethod,
    /// `paymentMethod.creditCard`
    CreditCard,
    /// `paymentMethod.creditCard.cardHolderName`
    CardHolderName,
    /// `paymentMethod.creditCard.cardNumber`
    CardNumber,
    /// `paymentMethod.creditCard.expireMonth`
    ExpireMonth,
    /// `paymentMethod.creditCard.expireYear`
    ExpireYear,
    /// `paymentMethod.creditCard.cvc`
    Cvc,
    /// `paymentMethod.creditCard.cardAlias`
    CardAlias,
    /// `paymentMethod.storeMethodSuccessPayment`
    StoreMethodSuccessPayment,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::OfferIdentifier => "order.offerIdentifier",
            Self::CorrelationId => "order.correlationId",
            Self::InstallmentIdentifier => "order.installmentIdentifier",
            Self::ResellerId => "order.resellerID",
            Self::Items => "order.items",
            Self::Item { index, field } => return write!(f, "order.items[{index}].{field}"),
            Self::CustomerUrn => "order.customer.customerUrn",
            Self::IpAddress => "order.customer.ipAddress",
            Self::PaymentChannel => "paymentMethod.paymentChannel",
            Self::ProviderIdentifier => "paymentMethod.providerIdentifier",
            Self::UseStoredMethod => "paymentMethod.useStoredMethod",
            Self::CreditCard => "paymentMethod.creditCard",
            Self::CardHolderName => "paymentMethod.creditCard.cardHolderName",
            Self::CardNumber => "paymentMethod.creditCard.cardNumber",
            Self::ExpireMonth => "paymentMethod.creditCard.expireMonth",
            Self::ExpireYear => "paymentMethod.creditCard.expireYear",
            Self::Cvc => "paymentMethod.creditCard.cvc",
            Self::CardAlias => "paymentMethod.creditCard.cardAlias",
            Self::StoreMethodSuccessPayment => "paymentMethod.storeMethodSuccessPayment",
        })
    }
}

/// A field of an item, by the provider's name for it.
///
/// ```
/// # use checkout_validate::azotte::ItemField;
/// assert_eq!(ItemField::ParentItemIdentifier.to_string(), "parentItemIdentifier");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ItemField {
    /// `itemIdentifier`
    ItemIdentifier,
    /// `parentItemIdentifier`
    ParentItemIdentifier,
    /// `quantity`
    Quantity,
}

impl ItemField {
    pub(super) const fn of(self, index: usize) -> Field {
        Field::Item { index, field: self }
    }
}

impl fmt::Display for ItemField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::ItemIdentifier => "itemIdentifier",
            Self::ParentItemIdentifier => "parentItemIdentifier",
            Self::Quantity => "quantity",
        })
    }
}

/// One fault of a draft. [`Display`](fmt::Display) gives the message alone; [`field`](Self::field) gives the
/// field. The violation holds no text of the draft.
///
/// Source of the rules: *Submit Checkout*; where it is silent a variant says Assumed, or ours.
///
/// ```
/// # checkout_doctest::facade!(validate);
/// use checkout_kit::azotte::{Draft, Field, PaymentChannel, Violation};
///
/// let violations = Draft::other(PaymentChannel::CreditCard).check().unwrap_err();
/// let last = violations.into_iter().last().unwrap();
/// assert_eq!(last, Violation::CardMissing);
/// assert_eq!(last.field(), Field::CreditCard);
/// assert!(!last.is_ours());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Violation {
    /// A required field is not set, or blank. For `correlationId` this is a rule of our own: the documents
    /// take an order without one, and a submit without one whose answer was lost could charge twice when the
    /// submit is sent again. For a card's number, month and year this is Assumed: the page does not say which
    /// of the card's fields are required.
    Missing(Field),
    /// A quantity of zero. Assumed: the page names the default, 1, and no range.
    NoQuantity {
        /// Which item, counted from 0.
        index: usize,
    },
    /// The channel is not one that the page names.
    UnknownChannel,
    /// The channel is `CreditCard`, and there is neither a stored method nor a card.
    CardMissing,
    /// A card beside a stored method. Ours: the page is silent, the card is not needed, and sending card data
    /// where no card is needed does harm.
    CardBesideStoredMethod,
    /// A card for a channel that is not `CreditCard`. Ours, as for a stored method.
    CardBesideOtherChannel,
    /// The card's number is not 12 to 19 digits, spaces and dashes aside. Assumed: by ISO/IEC 7812, the page
    /// is silent.
    CardNumber,
    /// The month of expiry is not two digits from 01 to 12. Assumed: by the page's sample, `"12"`.
    ExpireMonth,
    /// The year of expiry is not four digits. Assumed: by the page's sample, `"2029"`.
    ExpireYear,
    /// The verification code is not three or four digits. Assumed: no card has another one.
    Cvc,
    /// A text or list is longer than our own limit. The provider may well accept the text or list.
    TooLong {
        /// Which field.
        field: Field,
        /// The length: bytes of UTF-8, or entries.
        length: usize,
        /// The limit of [`Limits`](super::Limits).
        limit: usize,
    },
}

impl Violation {
    /// The field.
    #[must_use]
    pub const fn field(&self) -> Field {
        match self {
            Self::Missing(field) | Self::TooLong { field, .. } => *field,
            Self::NoQuantity { index } => ItemField::Quantity.of(*index),
            Self::UnknownChannel => Field::PaymentChannel,
            Self::CardMissing | Self::CardBesideStoredMethod | Self::CardBesideOtherChannel => {
                Field::CreditCard
            }
            Self::CardNumber => Field::CardNumber,
            Self::ExpireMonth => Field::ExpireMonth,
            Self::ExpireYear => Field::ExpireYear,
            Self::Cvc => Field::Cvc,
        }
    }

    /// True if the rule is our own and not one of the documents, so that the provider might take the request.
    #[must_use]
    pub const fn is_ours(&self) -> bool {
        match self {
            Self::Missing(field) => matches!(
                field,
                Field::CorrelationId | Field::CardNumber | Field::ExpireMonth | Field::ExpireYear
            ),
            Self::UnknownChannel | Self::CardMissing => false,
            Self::NoQuantity { .. }
            | Self::CardBesideStoredMethod
            | Self::CardBesideOtherChannel
            | Self::CardNumber
            | Self::ExpireMonth
            | Self::ExpireYear
            | Self::Cvc
            | Self::TooLong { .. } => true,
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing(Field::CorrelationId) => {
                "required: without it a submit whose answer was lost could charge twice"
            }
            Self::Missing(Field::Items) => "name at least one item",
            Self::Missing(_) => "required",
            Self::NoQuantity { .. } => "must be at least 1",
            Self::UnknownChannel => "not one of CreditCard, PayPal, Klarna, SEPA and Bank",
            Self::CardMissing => "required for CreditCard without a stored method",
            Self::CardBesideStoredMethod => {
                "a stored method needs no card: card data is not sent where it is not needed"
            }
            Self::CardBesideOtherChannel => {
                "only CreditCard needs a card: card data is not sent where it is not needed"
            }
            Self::CardNumber => "must be 12 to 19 digits",
            Self::ExpireMonth => "must be two digits from 01 to 12",
            Self::ExpireYear => "must be four digits",
            Self::Cvc => "must be three or four digits",
            Self::TooLong { field: Field::Items, length, limit } => {
                return write!(f, "{length} entries, and the limit is {limit}");
            }
            Self::TooLong { length, limit, .. } => {
                return write!(f, "{length} bytes long, and the limit is {limit}");
            }
        })
    }
}

impl BrokenRule for Violation {
    type Field = Field;

    fn field(&self) -> Field {
        self.field()
    }

    /// None: the provider has no numbers.
    fn code(&self) -> Option<i64> {
        None
    }
}

impl Sealed for Violation {}

/// Everything that is wrong with a draft of Azotte's.
///
/// ```
/// # checkout_doctest::facade!(validate);
/// use checkout_kit::azotte::{Draft, Violations};
///
/// let violations: Violations = Draft::default().check().unwrap_err();
/// let fields: Vec<_> = violations.iter().map(|violation| violation.field().to_string()).collect();
/// assert_eq!(
///     fields,
///     [
///         "order.offerIdentifier",
///         "order.correlationId",
///         "order.items",
///         "order.customer.customerUrn",
///         "paymentMethod.paymentChannel",
///     ]
/// );
/// ```
pub type Violations = crate::Violations<Violation>;

/// A part of a draft that is worth a second look, and that the documents do not forbid. Assumed throughout:
/// the documents are silent, so the merchant's wish is sent as given.
///
/// [`Display`](fmt::Display) gives the message alone, as for a [`Violation`]; [`field`](Self::field) says the
/// field.
///
/// ```
/// # checkout_doctest::facade!(validate);
/// use checkout_kit::azotte::{Draft, PaymentChannel, Warning};
///
/// let submit = Draft::stored_method(PaymentChannel::PayPal)
///     .offer_identifier("off_1")
///     .correlation_id("order_123")
///     .item("plan_gold")
///     .customer_urn("urn:customer:42")
///     .ip_address("localhost")
///     .check()?;
/// assert_eq!(submit.warnings(), [Warning::NotAnIpAddress]);
/// let said: Vec<_> = submit.warnings().iter().map(|warning| format!("{}: {warning}", warning.field())).collect();
/// assert_eq!(said, ["order.customer.ipAddress: not an IP address"]);
/// # Ok::<(), checkout_validate::azotte::Violations>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Warning {
    /// An optional text is set, and blank.
    Blank(Field),
    /// An item names a parent that is not another item of the order.
    ParentNotInOrder {
        /// Which item, counted from 0.
        index: usize,
    },
    /// An item is named twice under the same parent, or twice without one.
    ItemTwice {
        /// Which item, counted from 0: the second of them.
        index: usize,
    },
    /// The address of the customer is neither an IPv4 nor an IPv6 one.
    NotAnIpAddress,
    /// A field of the card that most acquirers ask for is not set.
    CardWithout(Field),
    /// The number's check digit is wrong. A real card would be declined; the numbers of test cards may be
    /// made so.
    CheckDigit,
    /// The card has expired before [`today`](super::Rules::today).
    CardExpired,
    /// A stored method is to be stored.
    AlreadyStored,
}

impl Warning {
    /// The field.
    ///
    /// ```
    /// # use checkout_validate::azotte::{Field, Warning};
    /// assert_eq!(Warning::CardExpired.field(), Field::ExpireYear);
    /// ```
    #[must_use]
    pub const fn field(&self) -> Field {
        match self {
            Self::Blank(field) | Self::CardWithout(field) => *field,
            Self::ParentNotInOrder { index } => ItemField::ParentItemIdentifier.of(*index),
            Self::ItemTwice { index } => ItemField::ItemIdentifier.of(*index),
            Self::NotAnIpAddress => Field::IpAddress,
            Self::CheckDigit => Field::CardNumber,
            Self::CardExpired => Field::ExpireYear,
            Self::AlreadyStored => Field::StoreMethodSuccessPayment,
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Blank(_) => "set and blank: leave it out",
            Self::ParentNotInOrder { .. } => "names no other item of the order",
            Self::ItemTwice { .. } => "is named twice under the same parent: use quantity",
            Self::NotAnIpAddress => "not an IP address",
            Self::CardWithout(_) => "not set, and most acquirers ask for it",
            Self::CheckDigit => "its check digit is wrong",
            Self::CardExpired => "the card has expired",
            Self::AlreadyStored => "the method is a stored one already",
        })
    }
}
