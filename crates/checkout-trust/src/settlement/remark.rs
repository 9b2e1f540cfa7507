//! Remarks beside a settlement, which decide nothing.

use checkout_money::CoinAmount;
use core::fmt;

/// A disagreement in a read that settles an order and leaves the order settled: the payer has paid the amount
/// owed. A remark is for the merchant's books, and for a question to the provider.
///
/// ```
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::settlement::Remark;
///
/// let net_income = Remark::NetIncome { paid: "10.00".parse()?, fee: "0.05".parse()?, net: "9.90".parse()? };
/// assert_eq!(
///     net_income.to_string(),
///     "net_income_amount is 9.90, and actual_paid_amount less service_fee_amount is 10.00 less 0.05"
/// );
/// # Ok::<(), checkout_money::ParseAmountError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Remark {
    /// AllScale's `net_income_amount` is not `actual_paid_amount` less `service_fee_amount`.
    ///
    /// Source: *Get Checkout Intent*, v3, 2026-03-06, Response Fields: "Calculated as actual_paid_amount -
    /// service_fee_amount".
    NetIncome {
        /// `actual_paid_amount`.
        paid: CoinAmount,
        /// `service_fee_amount`.
        fee: CoinAmount,
        /// `net_income_amount`.
        net: CoinAmount,
    },
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NetIncome { paid, fee, net } => write!(
                f,
                "net_income_amount is {net}, and actual_paid_amount less service_fee_amount is {paid} less {fee}"
            ),
        }
    }
}
