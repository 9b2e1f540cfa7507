//! The contradictions between a read and an order.

use checkout_lifecycle::{Failure, Phase};
use checkout_money::{Cents, CoinAmount};
use checkout_tables::allscale::StableCoin;
use checkout_tables::peach::Currency;
use checkout_wire::Printable;
use core::fmt;

/// One thing in a read that contradicts the settlement of an order.
///
/// Mismatches come in the order of the variants here. No mismatch holds an id or anything of the payer.
///
/// ```
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::Failure;
/// use checkout_kit::settlement::Mismatch;
///
/// assert_eq!(Mismatch::TestMoney.to_string(), "test money for a live order");
/// assert_eq!(Mismatch::Failed(Failure::Expired).to_string(), "failed: expired");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mismatch {
    /// The order is live, and the read is of a sandbox or a test store, or has a result code of the sandbox.
    /// No goods leave for test money.
    TestMoney,
    /// The order is a test order, and the read is live. Nobody loses money at once, but a live key is in the
    /// place of a test key.
    LiveMoney,
    /// The read is about another order: another `order_id`, another `merchantTransactionId`.
    AnotherOrder,
    /// The read is about another checkout: another intent, tracking number or `checkoutId`.
    AnotherCheckout,
    /// The price is in another currency, or in any currency where the order is priced in a coin. Holds the
    /// read's currency.
    WrongCurrency(Code),
    /// The price differs.
    WrongPrice {
        /// The order's price, in hundredths.
        asked: Cents,
        /// The read's price, in hundredths.
        found: Cents,
    },
    /// The amount owed differs between the read and the order. A shop that believed the read could be paid
    /// any amount.
    WrongOwed {
        /// The amount owed by the order, in coins.
        asked: CoinAmount,
        /// The amount owed by the read, in coins.
        found: CoinAmount,
    },
    /// The order does not accept the coin. Holds the read's coin.
    WrongCoin(Code),
    /// The payment has not ended: the payer has yet to act, or the provider is at work.
    NotFinal(Phase),
    /// Somebody at the provider reviews the payment.
    InReview,
    /// The amount is reserved, and no money has come: a capture has to follow.
    AuthorizedOnly,
    /// The money is on its way back to the payer.
    Refunding,
    /// The payment was paid, and then taken back.
    Reversed,
    /// The payment has ended without the money. Holds the reason.
    Failed(Failure),
    /// The payment is not a debit but of this type, such as a refund.
    WrongPaymentType(Code),
    /// Less has come than is owed. Holds the difference.
    Underpaid(Difference),
    /// More has come than is owed, and the policy holds a surplus. Holds the difference.
    Overpaid(Difference),
}

impl Mismatch {
    /// Returns the mismatch of a phase; `None` if the payment has succeeded.
    pub(super) const fn of(phase: Phase) -> Option<Self> {
        match phase {
            Phase::Succeeded => None,
            Phase::AwaitingPayer | Phase::PayerAction | Phase::Processing => Some(Self::NotFinal(phase)),
            Phase::InReview => Some(Self::InReview),
            Phase::Authorized => Some(Self::AuthorizedOnly),
            Phase::Refunding => Some(Self::Refunding),
            Phase::Reversed => Some(Self::Reversed),
            Phase::Failed(failure) => Some(Self::Failed(failure)),
        }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TestMoney => f.write_str("test money for a live order"),
            Self::LiveMoney => f.write_str("live money for a test order"),
            Self::AnotherOrder => f.write_str("about another order"),
            Self::AnotherCheckout => f.write_str("about another checkout"),
            Self::WrongCurrency(found) => write!(f, "priced in {found}, which is not the order's currency"),
            Self::WrongPrice { asked, found } => write!(f, "priced at {found} instead of {asked}"),
            Self::WrongOwed { asked, found } => write!(f, "{found} coins are owed instead of {asked}"),
            Self::WrongCoin(found) => write!(f, "in the coin {found}, which the order does not accept"),
            Self::NotFinal(phase) => write!(f, "not final: {phase}"),
            Self::InReview => f.write_str("in review"),
            Self::AuthorizedOnly => f.write_str("authorized only, and not captured"),
            Self::Refunding => f.write_str("being refunded"),
            Self::Reversed => f.write_str("taken back"),
            Self::Failed(failure) => write!(f, "failed: {failure}"),
            Self::WrongPaymentType(found) => write!(f, "of the payment type {found} instead of DB"),
            Self::Underpaid(by) => write!(f, "underpaid by {by}"),
            Self::Overpaid(by) => write!(f, "overpaid by {by}"),
        }
    }
}

/// The difference between the amount that has come and the amount owed: exact, and always more than zero.
///
/// ```
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::allscale::StableCoin;
/// use checkout_kit::settlement::{Difference, Unit};
///
/// let by = Difference { amount: "0.0100".parse()?, unit: Some(Unit::Coin(StableCoin::USDT)) };
/// assert_eq!(by.to_string(), "0.0100 USDT");
/// # Ok::<(), checkout_money::ParseAmountError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Difference {
    /// The amount.
    pub amount: CoinAmount,
    /// The unit of the amount. `None` if the read's coin or currency is missing or not the order's: only the
    /// numbers were compared then.
    pub unit: Option<Unit>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.unit {
            Some(unit) => write!(f, "{} {unit}", self.amount),
            None => self.amount.fmt(f),
        }
    }
}

/// The unit of an amount.
///
/// ```
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::peach::Currency;
/// use checkout_kit::settlement::Unit;
///
/// assert_eq!(Unit::Currency(Currency::ZAR).to_string(), "ZAR");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unit {
    /// A stable coin of AllScale's.
    Coin(StableCoin),
    /// A currency of Peach's, in major units.
    Currency(Currency),
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Coin(coin) => coin.fmt(f),
            Self::Currency(currency) => currency.fmt(f),
        }
    }
}

/// A code that came from the provider, such as a currency, a coin or a status, in printable form. Characters
/// that are not printable are escaped, and a code of more than 40 characters is cut short.
///
/// ```
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::settlement::Code;
///
/// assert_eq!(Code::of("PYUSD").as_str(), "PYUSD");
/// assert_eq!(Code::of("A\nB").as_str(), r"A\nB");
/// assert_eq!(Code::of(&"x".repeat(100)).as_str(), "x".repeat(40) + "...");
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Code(String);

impl Code {
    /// Returns the code of a text.
    ///
    /// ```
    /// # use checkout_trust::settlement::Code;
    /// assert_eq!(Code::of("RF").to_string(), "RF");
    /// ```
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self::cut(&Printable(text).to_string())
    }

    /// The code in printable form.
    ///
    /// ```
    /// # use checkout_trust::settlement::Code;
    /// assert_eq!(Code::of("RF").as_str(), "RF");
    /// ```
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the code of a printable value.
    pub(super) fn printed(value: &impl fmt::Display) -> Self {
        Self::of(&value.to_string())
    }

    fn cut(printable: &str) -> Self {
        let mut text: String = printable.chars().take(LONGEST).collect();
        if text.len() < printable.len() {
            text.push_str("...");
        }
        Self(text)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Code({})", self.0)
    }
}

const LONGEST: usize = 40;
