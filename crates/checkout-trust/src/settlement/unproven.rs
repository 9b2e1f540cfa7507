//! The missing evidence.

use super::Code;
use core::fmt;

/// The reason that a read does not prove an order settled, although nothing in the read contradicts the
/// order.
///
/// The reasons come in this order: a fault of the order itself, then field by field in the order of
/// [`Mismatch`](super::Mismatch).
///
/// ```
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::settlement::{ReadField, Unproven};
///
/// assert_eq!(Unproven::Missing(ReadField::ActualPaidAmount).to_string(), "actual_paid_amount is missing");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unproven {
    /// The order's own price is not more than zero: no payment would settle the order.
    NoPrice,
    /// The payment was delivered, as a webhook or by the shopper, and not read.
    Delivered,
    /// The read names no checkout at all, so the read can be about any checkout.
    Nameless,
    /// A required field is null, empty or not there.
    Missing(ReadField),
    /// A required field is not an amount.
    Unreadable(ReadField),
    /// The amounts are so far apart, or so finely written, that their difference cannot be held exactly.
    OutOfRange(ReadField),
    /// The status, message code or result code does not name the payment's end: the end has no name yet, the
    /// code is about something else, or (none) there is no code. Ask again later.
    NoStatus(Option<Code>),
}

impl fmt::Display for Unproven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPrice => f.write_str("the order's own price is not more than zero"),
            Self::Delivered => f.write_str("it was delivered, and not read"),
            Self::Nameless => f.write_str("the read names no checkout"),
            Self::Missing(field) => write!(f, "{field} is missing"),
            Self::Unreadable(field) => write!(f, "{field} is no amount"),
            Self::OutOfRange(field) => {
                write!(f, "the difference between {field} and what is owed is out of range")
            }
            Self::NoStatus(Some(code)) => {
                write!(f, "the status {code} does not tell how the payment ended")
            }
            Self::NoStatus(None) => f.write_str("there is no status"),
        }
    }
}

/// A field required to settle an order.
///
/// ```
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::settlement::ReadField;
///
/// assert_eq!(ReadField::MerchantTransactionId.to_string(), "merchantTransactionId");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReadField {
    /// AllScale's `order_id`.
    OrderId,
    /// Peach's `merchantTransactionId`.
    MerchantTransactionId,
    /// Peach's `checkoutId`, if the order knows the id.
    CheckoutId,
    /// AllScale's `currency`, of a fiat price; Peach's `currency`.
    Currency,
    /// AllScale's `amount_cents`, of a fiat price.
    AmountCents,
    /// AllScale's `coin_symbol`.
    CoinSymbol,
    /// Peach's `paymentType`.
    PaymentType,
    /// AllScale's `actual_paid_amount`.
    ActualPaidAmount,
    /// Peach's `amount`.
    Amount,
}

impl ReadField {
    /// The name of the field, as the provider writes it.
    ///
    /// ```
    /// # use checkout_trust::settlement::ReadField;
    /// assert_eq!(ReadField::CoinSymbol.name(), "coin_symbol");
    /// ```
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OrderId => "order_id",
            Self::MerchantTransactionId => "merchantTransactionId",
            Self::CheckoutId => "checkoutId",
            Self::Currency => "currency",
            Self::AmountCents => "amount_cents",
            Self::CoinSymbol => "coin_symbol",
            Self::PaymentType => "paymentType",
            Self::ActualPaidAmount => "actual_paid_amount",
            Self::Amount => "amount",
        }
    }
}

impl fmt::Display for ReadField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
