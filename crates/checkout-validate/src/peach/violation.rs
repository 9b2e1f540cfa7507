//! The faults that a draft can have, and the warnings about a draft.

use crate::BrokenRule;
use crate::violations::sealed::Sealed;
use alloc::string::String;
use core::fmt;

/// A parameter of the request, by the provider's name for it. Fields are ordered as the page lists them.
///
/// Source: *Hosted Checkout*, initiate.
///
/// ```
/// # checkout_doctest::facade!(validate);
/// use checkout_kit::peach::Field;
///
/// assert_eq!(Field::EntityId.to_string(), "authentication.entityId");
/// let custom = Field::CustomParameter { index: 0, name: Some("basket".into()) };
/// assert_eq!(custom.to_string(), "customParameters[basket]");
/// // A name that cannot be sent may be anything, a mail address in the wrong place too: it is not kept.
/// assert_eq!(Field::Further { index: 3, name: None }.to_string(), "fields[3]");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Field {
    /// `authentication.entityId`
    EntityId,
    /// `signature`
    Signature,
    /// `merchantTransactionId`
    MerchantTransactionId,
    /// `amount`
    Amount,
    /// `paymentType`
    PaymentType,
    /// `currency`
    Currency,
    /// `nonce`
    Nonce,
    /// `shopperResultUrl`
    ShopperResultUrl,
    /// `defaultPaymentMethod`
    DefaultPaymentMethod,
    /// `forceDefaultMethod`
    ForceDefaultMethod,
    /// `merchantInvoiceId`
    MerchantInvoiceId,
    /// `cancelUrl`
    CancelUrl,
    /// `notificationUrl`
    NotificationUrl,
    /// All the custom parameters: `customParameters`.
    CustomParameters,
    /// `customParameters[…]`
    CustomParameter {
        /// Which one, counted from 0.
        index: usize,
        /// The parameter's name, if the name can be sent.
        name: Option<String>,
    },
    /// All the further fields of the draft: `fields`.
    FurtherFields,
    /// `customer.…`, `billing.…`, `shipping.…` or `cart.…`
    Further {
        /// Which of the draft's further fields, counted from 0.
        index: usize,
        /// The parameter's name, if the name can be sent.
        name: Option<String>,
    },
    /// `createRegistration`
    CreateRegistration,
    /// `allowStoringDetails`
    AllowStoringDetails,
    /// All the tokens of stored cards: `cardTokens`.
    CardTokens,
    /// `cardTokens[…]`
    CardToken {
        /// Which one, counted from 0.
        index: usize,
    },
    /// `standingInstruction`
    StandingInstruction,
    /// `standingInstruction.source`
    StandingInstructionSource,
    /// `standingInstruction.recurringType`
    StandingInstructionRecurringType,
    /// `standingInstruction.frequency`
    StandingInstructionFrequency,
    /// `standingInstruction.expiry`
    StandingInstructionExpiry,
}

impl Field {
    /// The name of a parameter that has a field of its own.
    const fn own_name(&self) -> Option<&'static str> {
        Some(match self {
            Self::EntityId => "authentication.entityId",
            Self::Signature => "signature",
            Self::MerchantTransactionId => "merchantTransactionId",
            Self::Amount => "amount",
            Self::PaymentType => "paymentType",
            Self::Currency => "currency",
            Self::Nonce => "nonce",
            Self::ShopperResultUrl => "shopperResultUrl",
            Self::DefaultPaymentMethod => "defaultPaymentMethod",
            Self::ForceDefaultMethod => "forceDefaultMethod",
            Self::MerchantInvoiceId => "merchantInvoiceId",
            Self::CancelUrl => "cancelUrl",
            Self::NotificationUrl => "notificationUrl",
            Self::CustomParameters => "customParameters",
            Self::CreateRegistration => "createRegistration",
            Self::AllowStoringDetails => "allowStoringDetails",
            Self::CardTokens => "cardTokens",
            Self::StandingInstruction => "standingInstruction",
            Self::StandingInstructionSource => "standingInstruction.source",
            Self::StandingInstructionRecurringType => "standingInstruction.recurringType",
            Self::StandingInstructionFrequency => "standingInstruction.frequency",
            Self::StandingInstructionExpiry => "standingInstruction.expiry",
            Self::CustomParameter { .. }
            | Self::FurtherFields
            | Self::Further { .. }
            | Self::CardToken { .. } => return None,
        })
    }

    /// The parameter that has this name for its own.
    pub(super) fn with_own_name(name: &str) -> Option<Self> {
        let instruction = || name.starts_with("standingInstruction.").then_some(Self::StandingInstruction);
        OWN.iter().find(|field| field.own_name() == Some(name)).cloned().or_else(instruction)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::CustomParameter { index, name } = self {
            return match name {
                Some(name) => write!(f, "customParameters[{name}]"),
                None => write!(f, "customParameters, entry {index}"),
            };
        }
        if let Self::Further { index, name: None } = self {
            return write!(f, "fields[{index}]");
        }
        if let Self::CardToken { index } = self {
            return write!(f, "cardTokens[{index}]");
        }
        f.pad(if let Self::Further { name: Some(name), .. } = self {
            name
        } else {
            self.own_name().unwrap_or("fields")
        })
    }
}

/// One fault of a draft. [`Display`](fmt::Display) gives the message alone; [`field`](Self::field) gives the
/// parameter. The violation holds no value of the draft.
///
/// Source of the rules: *Hosted Checkout*; where it is silent a variant says Assumed, or ours.
///
/// ```
/// # checkout_doctest::facade!(validate);
/// use checkout_kit::Cents;
/// use checkout_kit::peach::{Currency, Draft, Field, Violation};
///
/// let violations = Draft::debit(Currency::ZAR, Cents::ZERO).check().unwrap_err();
/// let violation = violations.iter().find(|violation| violation.field() == Field::Amount).unwrap();
/// assert_eq!(violation, &Violation::NotPositive);
/// assert!(violation.is_ours());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Violation {
    /// A required parameter is not set, or blank.
    Missing(Field),
    /// The entity is not 32 of the digits 0 to 9 and a to f.
    EntityId,
    /// The merchant's id of the payment has a character that is no ASCII letter or digit, and no hyphen, dot
    /// or underscore. Source: *Payment status* (AN48); Assumed: the three marks are let through.
    NotAnId,
    /// The length of a text is not one that the page allows.
    Length {
        /// Which parameter.
        field: Field,
        /// The id's length, in characters.
        length: usize,
        /// The least that is allowed.
        min: usize,
        /// The most that is allowed.
        max: usize,
    },
    /// The text of the amount is not one to eight digits with a point and two more, or without.
    AmountForm,
    /// The amount is more than eight digits before the point can say: more than 99 999 999.99.
    AmountTooLarge,
    /// The amount is zero or less. Zero is for a preauthorization with `createRegistration` alone. Source
    /// (Public): the API reference.
    NotPositive,
    /// The type of payment is not one that the page names.
    UnknownPaymentType,
    /// The currency is not one that the page names.
    UnknownCurrency,
    /// The page that the shopper comes back to has no `http` or `https` URL. A rule of our own.
    NotAUrl(Field),
    /// The name of a further field does not begin with `customer.`, `billing.`, `shipping.` or `cart.`, or
    /// nothing follows, or the name has a blank or a control character in it; or the name of a custom
    /// parameter is empty or has a bracket or a control character in it. A rule of our own.
    Name(Field),
    /// A further field has the name of a parameter that has a place of its own: a parameter of the draft, or
    /// one that is added when the request is sent. A rule of our own.
    Reserved(Field),
    /// `createRegistration` and `allowStoringDetails` are both true. Source (Public): the API reference.
    BothStore,
    /// The token of a stored card is empty, longer than 255 characters, or has something else in it than
    /// ASCII letters, digits, hyphens, dots and underscores: V1 sends the tokens with commas between. A rule
    /// of our own.
    CardToken {
        /// Which one, counted from 0.
        index: usize,
    },
    /// The frequency of a standing instruction is not 1 to 9999 days. Source (Public): *Credentials on File*,
    /// N4.
    Frequency,
    /// The expiry of a standing instruction is no day as `2029-12-31`. Source (Public): Peach's own plugin
    /// for WooCommerce, 4.0.2.
    Expiry,
    /// A parameter is given twice. Assumed: the signature is one over a map.
    Twice(Field),
    /// A name is longer than our own limit. The provider may well accept the name.
    NameTooLong {
        /// Which one.
        field: Field,
        /// The name's length, in bytes of UTF-8.
        length: usize,
        /// The limit of [`Limits`](super::Limits).
        limit: usize,
    },
    /// A text or list is longer than our own limit. The provider may well accept the text or list.
    TooLong {
        /// Which parameter.
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
    pub fn field(&self) -> Field {
        match self {
            Self::Missing(field)
            | Self::NotAUrl(field)
            | Self::Name(field)
            | Self::Reserved(field)
            | Self::Twice(field)
            | Self::Length { field, .. }
            | Self::NameTooLong { field, .. }
            | Self::TooLong { field, .. } => field.clone(),
            Self::EntityId => Field::EntityId,
            Self::NotAnId => Field::MerchantTransactionId,
            Self::AmountForm | Self::AmountTooLarge | Self::NotPositive => Field::Amount,
            Self::BothStore => Field::CreateRegistration,
            Self::CardToken { index } => Field::CardToken { index: *index },
            Self::Frequency => Field::StandingInstructionFrequency,
            Self::Expiry => Field::StandingInstructionExpiry,
            Self::UnknownPaymentType => Field::PaymentType,
            Self::UnknownCurrency => Field::Currency,
        }
    }

    /// True if the rule is our own and not one of the documents, so that the provider might take the request.
    #[must_use]
    pub const fn is_ours(&self) -> bool {
        match self {
            Self::Missing(_)
            | Self::EntityId
            | Self::NotAnId
            | Self::Length { .. }
            | Self::AmountForm
            | Self::AmountTooLarge
            | Self::UnknownPaymentType
            | Self::UnknownCurrency
            | Self::BothStore
            | Self::Frequency
            | Self::Expiry => false,
            Self::NotPositive
            | Self::CardToken { .. }
            | Self::NotAUrl(_)
            | Self::Name(_)
            | Self::Reserved(_)
            | Self::Twice(_)
            | Self::NameTooLong { .. }
            | Self::TooLong { .. } => true,
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing(_) => "required",
            Self::EntityId => "must be 32 of the digits 0 to 9 and a to f",
            Self::NotAnId => {
                "must be of ASCII letters, digits, hyphens, dots and underscores (Payment status, AN48)"
            }
            Self::Length { length, min, max, .. } => {
                return write!(f, "{length} characters long, and must be {min} to {max}");
            }
            Self::AmountForm => "must be one to eight digits, with a point and two more or without",
            Self::AmountTooLarge => "must be at most 99999999.99",
            Self::NotPositive => "must be more than zero",
            Self::UnknownPaymentType => "not one of DB and PA",
            Self::UnknownCurrency => "not one of ZAR, USD, KES, MUR, GBP and EUR",
            Self::NotAUrl(_) => "must be an http or https URL",
            Self::Name(Field::CustomParameter { .. }) => {
                "a name must not be empty or have a bracket or a control character in it"
            }
            Self::Name(_) => {
                "a name must begin with customer., billing., shipping. or cart. and go on without a blank"
            }
            Self::Reserved(Field::Nonce | Field::Signature) => "added when the request is sent",
            Self::Reserved(_) => "has a place of its own in the draft",
            Self::BothStore => "must not be true beside allowStoringDetails",
            Self::CardToken { .. } => "must be 1 to 255 ASCII letters, digits, hyphens, dots and underscores",
            Self::Frequency => "must be 1 to 9999 days",
            Self::Expiry => "must be a day, as 2029-12-31",
            Self::Twice(_) => "given twice",
            Self::NameTooLong { length, limit, .. } => {
                return write!(f, "a name of {length} bytes, and the limit is {limit}");
            }
            Self::TooLong {
                field: Field::CustomParameters | Field::FurtherFields | Field::CardTokens,
                length,
                limit,
            } => {
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

    /// None: the provider answers a request that is not valid with the fields, and no numbers.
    fn code(&self) -> Option<i64> {
        None
    }
}

impl Sealed for Violation {}

/// Everything that is wrong with a draft of Peach's.
///
/// ```
/// # checkout_doctest::facade!(validate);
/// use checkout_kit::peach::{Draft, Violations};
///
/// let violations: Violations = Draft::default().check().unwrap_err();
/// let fields: Vec<_> = violations.iter().map(|violation| violation.field().to_string()).collect();
/// assert_eq!(
///     fields,
///     [
///         "authentication.entityId",
///         "merchantTransactionId",
///         "amount",
///         "paymentType",
///         "currency",
///         "shopperResultUrl",
///     ]
/// );
/// ```
pub type Violations = crate::Violations<Violation>;

/// A part of a draft that is worth a second look, and that the documents do not forbid: the merchant's wish
/// is sent as given. Assumed where nothing else is said.
///
/// [`Display`](fmt::Display) gives the message alone, as for a [`Violation`]; [`field`](Self::field) says the
/// field.
///
/// ```
/// # checkout_doctest::facade!(validate);
/// use checkout_kit::Cents;
/// use checkout_kit::peach::{Currency, Draft, Warning};
///
/// let checkout = Draft::debit(Currency::ZAR, Cents::new(200))
///     .entity_id("8ac7a4ca68c22c4d0168c2caab2e0025")
///     .merchant_transaction_id("Test12345678901234")
///     .shopper_result_url("https://shop.example/result")
///     .check()?;
/// assert_eq!(checkout.warnings(), [Warning::UnusualLength { length: 18 }]);
/// let said = checkout.warnings()[0].to_string();
/// assert_eq!(said, "18 characters long, and one page allows 8 to 16");
/// # Ok::<(), checkout_validate::peach::Violations>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Warning {
    /// The merchant's id of the payment is not 8 to 16 characters long. One page says the id must be; another
    /// takes up to 48, and 32 were seen to work.
    UnusualLength {
        /// The id's length, in characters.
        length: usize,
    },
    /// The merchant's id of the payment has a hyphen, a dot or an underscore in it. The page names letters
    /// and digits only.
    NotAlphanumeric,
    /// A method of payment is forced, and none is named.
    ForceWithoutDefault,
    /// A standing instruction is recurring, and does not say of which kind: *Copy & Pay recurring payment
    /// flow* wants `recurringType` then.
    RecurringWithoutType,
    /// A standing instruction says that the merchant begins the payment. On a hosted page the cardholder
    /// does.
    MerchantInitiated,
    /// A URL does not begin with `https://` or `http://`.
    NotHttp(Field),
    /// A text is set, and blank.
    Blank(Field),
    /// A text, or the name of a parameter, contains the name of one of Peach's parameters for a result, its
    /// time or a checkout. Where Peach echoes the text, a webhook's signed text can be read in more than one
    /// way: the webhook then prompts a read and proves nothing alone. The read is not affected, and the payer
    /// can pay. Assumed of every text: no page says which of them come back.
    TellingName {
        /// The field.
        field: Field,
        /// The name that the text contains.
        name: &'static str,
    },
    /// A text has a control character in it: a line break, most often.
    ControlCharacter(Field),
}

impl Warning {
    /// The field.
    ///
    /// ```
    /// # use checkout_validate::peach::{Field, Warning};
    /// assert_eq!(Warning::ForceWithoutDefault.field(), Field::ForceDefaultMethod);
    /// ```
    #[must_use]
    pub fn field(&self) -> Field {
        match self {
            Self::UnusualLength { .. } | Self::NotAlphanumeric => Field::MerchantTransactionId,
            Self::ForceWithoutDefault => Field::ForceDefaultMethod,
            Self::RecurringWithoutType => Field::StandingInstructionRecurringType,
            Self::MerchantInitiated => Field::StandingInstructionSource,
            Self::NotHttp(field)
            | Self::Blank(field)
            | Self::TellingName { field, .. }
            | Self::ControlCharacter(field) => field.clone(),
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnusualLength { length } => {
                return write!(f, "{length} characters long, and one page allows 8 to 16");
            }
            Self::NotAlphanumeric => "not of letters and digits alone",
            Self::ForceWithoutDefault => "set, and defaultPaymentMethod is not",
            Self::RecurringWithoutType => "not set, and standingInstruction.type is RECURRING",
            Self::MerchantInitiated => "MIT, and on a hosted page the cardholder begins the payment",
            Self::NotHttp(_) => "does not begin with https:// or http://",
            Self::Blank(_) => "set and blank",
            Self::TellingName { name, .. } => {
                return write!(f, "has {name} in it, so a webhook that echoes it only prompts a read");
            }
            Self::ControlCharacter(_) => "has a control character in it",
        })
    }
}

const OWN: [Field; 18] = [
    Field::EntityId,
    Field::Signature,
    Field::MerchantTransactionId,
    Field::Amount,
    Field::PaymentType,
    Field::Currency,
    Field::Nonce,
    Field::ShopperResultUrl,
    Field::DefaultPaymentMethod,
    Field::ForceDefaultMethod,
    Field::MerchantInvoiceId,
    Field::CancelUrl,
    Field::NotificationUrl,
    Field::CustomParameters,
    Field::CreateRegistration,
    Field::AllowStoringDetails,
    Field::CardTokens,
    Field::StandingInstruction,
];
