//! An exact amount of a stable coin.

use core::fmt;
use core::str::FromStr;

use crate::cents::Cents;
use crate::exact::{Exact, OverflowError};
use crate::text::ParseAmountError;

/// An exact amount of a stable coin, with its number of decimals: `"1.0000"` stays `"1.0000"`.
///
/// The value is `mantissa / 10^scale`, with a mantissa of less than 2^96 on either side of zero (28 digits
/// always fit, 29 do up to 79228162514264337593543950335) and a scale of 0 to 28. Zero has no sign. The
/// amount does not know its coin.
///
/// **Equality, order and hash are those of the number**: `1.0` equals `1.0000`.
/// [`is_identical`](Self::is_identical) distinguishes the two.
///
/// The text form is `-?digits(.digits)?`, as the crate's page says. For every amount x, reading the printed
/// text of x gives an amount identical to x. The other way round, an accepted text is printed byte for byte,
/// except for leading zeros and the minus of a zero: `"01.0"` is printed as `"1.0"`, `"-0.00"` as `"0.00"`.
///
/// With the `serde` feature the form is a string; a number is refused.
///
/// Source: `amount_coins` of *Create Checkout Intent*, v4, 2026-05-06, a decimal string.
///
/// ```
/// # checkout_doctest::facade!(money);
/// use checkout_kit::CoinAmount;
///
/// let short: CoinAmount = "1.0".parse()?;
/// let long: CoinAmount = "1.0000".parse()?;
/// assert_eq!(short, long);
/// assert!(!short.is_identical(long));
/// assert_eq!(long.to_string(), "1.0000");
/// # Ok::<(), checkout_money::ParseAmountError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CoinAmount(pub(crate) Exact);

impl CoinAmount {
    /// Zero, without decimals.
    ///
    /// ```
    /// # checkout_doctest::facade!(money);
    /// assert_eq!(checkout_kit::CoinAmount::ZERO.to_string(), "0");
    /// ```
    pub const ZERO: Self = Self(Exact::ZERO);

    /// The amount `mantissa / 10^scale`.
    ///
    /// # Errors
    /// If the mantissa is 2^96 or more on either side of zero, or the scale is more than 28.
    ///
    /// ```
    /// # checkout_doctest::facade!(money);
    /// use checkout_kit::CoinAmount;
    /// use checkout_kit::money::OverflowError;
    ///
    /// assert_eq!(CoinAmount::new(10_000, 4)?.to_string(), "1.0000");
    /// assert_eq!(CoinAmount::new(1, 29), Err(OverflowError));
    /// # Ok::<(), OverflowError>(())
    /// ```
    pub const fn new(mantissa: i128, scale: u32) -> Result<Self, OverflowError> {
        match Exact::new(mantissa, scale) {
            Ok(exact) => Ok(Self(exact)),
            Err(overflow) => Err(overflow),
        }
    }

    /// Converts hundredths *of the coin*, with two decimals: 1000 cents are `10.00` coins.
    ///
    /// For an order priced in the coin itself. The cents of a fiat currency are not coins: nothing here
    /// converts these, and [`Rate::estimate`](crate::Rate::estimate) only estimates.
    ///
    /// ```
    /// # checkout_doctest::facade!(money);
    /// use checkout_kit::{Cents, CoinAmount};
    ///
    /// assert_eq!(CoinAmount::from_cents(Cents::new(1000)).to_string(), "10.00");
    /// ```
    #[must_use]
    pub const fn from_cents(cents: Cents) -> Self {
        Self(Exact::from_hundredths(cents.get()))
    }

    /// The amount in hundredths of the coin; `None` if the amount is not a whole number of hundredths or is
    /// out of the range of [`Cents`].
    ///
    /// ```
    /// # checkout_doctest::facade!(money);
    /// use checkout_kit::{Cents, CoinAmount};
    ///
    /// assert_eq!("1.5000".parse::<CoinAmount>()?.to_cents(), Some(Cents::new(150)));
    /// assert_eq!("1.5001".parse::<CoinAmount>()?.to_cents(), None);
    /// # Ok::<(), checkout_money::ParseAmountError>(())
    /// ```
    #[must_use]
    pub fn to_cents(self) -> Option<Cents> {
        self.0.to_hundredths().map(Cents::new)
    }

    /// The amount without its point: 10000 for `1.0000`.
    ///
    /// ```
    /// # checkout_doctest::facade!(money);
    /// assert_eq!("1.0000".parse::<checkout_kit::CoinAmount>()?.mantissa(), 10_000);
    /// # Ok::<(), checkout_money::ParseAmountError>(())
    /// ```
    #[must_use]
    pub const fn mantissa(self) -> i128 {
        self.0.mantissa()
    }

    /// The number of decimals, 0 to 28: 4 for `1.0000`.
    ///
    /// ```
    /// # checkout_doctest::facade!(money);
    /// assert_eq!("1.0000".parse::<checkout_kit::CoinAmount>()?.scale(), 4);
    /// # Ok::<(), checkout_money::ParseAmountError>(())
    /// ```
    #[must_use]
    pub const fn scale(self) -> u32 {
        self.0.scale()
    }

    /// True if the amount is zero, of any scale.
    ///
    /// ```
    /// # checkout_doctest::facade!(money);
    /// assert!("-0.00".parse::<checkout_kit::CoinAmount>()?.is_zero());
    /// # Ok::<(), checkout_money::ParseAmountError>(())
    /// ```
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0.mantissa() == 0
    }

    /// True if the amount is less than zero.
    ///
    /// ```
    /// # checkout_doctest::facade!(money);
    /// use checkout_kit::CoinAmount;
    ///
    /// assert!("-0.01".parse::<CoinAmount>()?.is_negative());
    /// assert!(!"-0.00".parse::<CoinAmount>()?.is_negative());
    /// # Ok::<(), checkout_money::ParseAmountError>(())
    /// ```
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.0.mantissa() < 0
    }

    /// True if both the number and the scale are the same, and so the printed text.
    ///
    /// ```
    /// # checkout_doctest::facade!(money);
    /// use checkout_kit::CoinAmount;
    ///
    /// let (short, long) = (CoinAmount::new(10, 1)?, CoinAmount::new(100, 2)?);
    /// assert!(short == long && !short.is_identical(long));
    /// # Ok::<(), checkout_money::OverflowError>(())
    /// ```
    #[must_use]
    pub const fn is_identical(self, other: Self) -> bool {
        self.0.is_identical(other.0)
    }

    /// The exact sum, with the larger of the two scales.
    ///
    /// # Errors
    /// If the sum does not fit at that scale. The sum is never rounded, nor given fewer decimals to fit.
    ///
    /// ```
    /// # checkout_doctest::facade!(money);
    /// use checkout_kit::CoinAmount;
    ///
    /// let net: CoinAmount = "9.95".parse()?;
    /// let fee: CoinAmount = "0.050000".parse()?;
    /// assert_eq!(net.checked_add(fee)?.to_string(), "10.000000");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn checked_add(self, other: Self) -> Result<Self, OverflowError> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The exact result of the amount minus `other`, with the larger of the two scales; the difference may be
    /// less than zero.
    ///
    /// # Errors
    /// If the difference does not fit at that scale, as with [`checked_add`](Self::checked_add).
    ///
    /// ```
    /// # checkout_doctest::facade!(money);
    /// use checkout_kit::CoinAmount;
    ///
    /// let paid: CoinAmount = "10.0000".parse()?;
    /// let fee: CoinAmount = "0.05".parse()?;
    /// assert_eq!(paid.checked_sub(fee)?.to_string(), "9.9500");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn checked_sub(self, other: Self) -> Result<Self, OverflowError> {
        self.0.checked_sub(other.0).map(Self)
    }
}

impl fmt::Display for CoinAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for CoinAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CoinAmount({})", self.0)
    }
}

impl FromStr for CoinAmount {
    type Err = ParseAmountError;

    /// Reads `-?digits(.digits)?` and keeps every decimal, zeros too.
    fn from_str(text: &str) -> Result<Self, ParseAmountError> {
        Exact::parse(text).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use std::format;
    use std::string::{String, ToString};

    use super::*;

    const LARGEST: &str = "79228162514264337593543950335";

    /// Mantissa, scale and the printed text, or the fault.
    fn check(text: &str) -> String {
        match text.parse::<CoinAmount>() {
            Ok(coins) => format!("{} / 10^{} = {coins}", coins.mantissa(), coins.scale()),
            Err(error) => error.to_string(),
        }
    }

    fn coins(text: &str) -> CoinAmount {
        text.parse().unwrap()
    }

    #[test]
    fn the_scale_is_kept() {
        assert_eq!(check("1.0000"), "10000 / 10^4 = 1.0000");
        assert_eq!(check("1.000000"), "1000000 / 10^6 = 1.000000");
        assert_eq!(check("0.0000"), "0 / 10^4 = 0.0000");
        assert_eq!(check("0"), "0 / 10^0 = 0");
        assert_eq!(check("-0.0500"), "-500 / 10^4 = -0.0500");
    }

    #[test]
    fn leading_zeros_and_the_minus_of_a_zero_are_not_kept() {
        assert_eq!(check("01.0"), "10 / 10^1 = 1.0");
        assert_eq!(check("-0.00"), "0 / 10^2 = 0.00");
        assert_eq!(check("-000"), "0 / 10^0 = 0");
        assert_eq!(check(&format!("{}1.0", "0".repeat(60))), "10 / 10^1 = 1.0");
    }

    #[test]
    fn identical_amounts_have_the_same_digits_and_the_same_scale() {
        assert!(coins("1.0").is_identical(coins("01.0")));
        assert!(!coins("1.0").is_identical(coins("0.10")));
        assert!(!coins("1.0").is_identical(coins("-1.0")));
        assert!(!coins("0").is_identical(coins("0.0")));
        assert!(coins("0.0").is_identical(coins("-0.0")));
    }

    #[test]
    fn the_range_ends_at_the_digit_that_leaves_it() {
        assert_eq!(check(LARGEST), format!("{LARGEST} / 10^0 = {LARGEST}"));
        assert_eq!(check(&format!("-{LARGEST}")), format!("-{LARGEST} / 10^0 = -{LARGEST}"));
        assert_eq!(check("79228162514264337593543950336"), "an amount out of range at byte 28");
        assert_eq!(check(&format!("{LARGEST}0")), "an amount out of range at byte 29");
        assert_eq!(check(&format!("{LARGEST}.0")), "more decimals than can be held exactly at byte 30");
        assert_eq!(
            check("7.9228162514264337593543950335"),
            format!("{LARGEST} / 10^28 = 7.9228162514264337593543950335")
        );
        assert_eq!(
            check("7.9228162514264337593543950336"),
            "more decimals than can be held exactly at byte 29"
        );
        assert_eq!(check(&format!("0.{}", "0".repeat(28))), format!("0 / 10^28 = 0.{}", "0".repeat(28)));
        assert_eq!(
            check(&format!("0.{}", "0".repeat(29))),
            "more decimals than can be held exactly at byte 30"
        );
    }

    #[test]
    fn a_sum_that_would_have_to_be_rounded_is_refused() {
        let largest = coins(LARGEST);
        assert_eq!(largest.checked_add(coins("1")), Err(OverflowError));
        assert_eq!(largest.checked_add(coins("0.4")), Err(OverflowError));
        assert_eq!(largest.checked_add(coins("0.0")), Err(OverflowError));
        assert_eq!(coins("-79228162514264337593543950335").checked_sub(coins("1")), Err(OverflowError));
        let zero = largest.checked_sub(largest).unwrap();
        assert!(zero.is_identical(CoinAmount::ZERO));
        assert_eq!(coins("79228162514264337593543950334").checked_add(coins("1")), Ok(largest));
    }

    #[test]
    fn a_sum_with_zero_has_the_larger_scale_too() {
        assert_eq!(coins("0.0000").checked_add(coins("1")).unwrap().to_string(), "1.0000");
        assert_eq!(coins("1").checked_sub(coins("0.000000")).unwrap().to_string(), "1.000000");
        assert_eq!(coins("0.5").checked_sub(coins("0.5")).unwrap().to_string(), "0.0");
    }

    #[test]
    fn cents_come_back_only_when_nothing_is_lost() {
        assert_eq!(coins("10").to_cents(), Some(Cents::new(1000)));
        assert_eq!(coins("10.5").to_cents(), Some(Cents::new(1050)));
        assert_eq!(coins("-10.500000").to_cents(), Some(Cents::new(-1050)));
        assert_eq!(coins("10.509").to_cents(), None);
        assert_eq!(coins("0.0000000000000000000000000001").to_cents(), None);
        assert_eq!(coins("92233720368547758.0700").to_cents(), Some(Cents::new(i64::MAX)));
        assert_eq!(coins("-92233720368547758.08").to_cents(), Some(Cents::new(i64::MIN)));
        assert_eq!(coins("92233720368547758.08").to_cents(), None);
        assert_eq!(coins(LARGEST).to_cents(), None);
    }

    #[test]
    fn an_amount_can_be_made_in_constants() {
        const FLOOR: CoinAmount = match CoinAmount::new(1, 1) {
            Ok(amount) => amount,
            Err(_) => CoinAmount::ZERO,
        };
        assert_eq!(FLOOR.to_string(), "0.1");
        assert_eq!(CoinAmount::new(1 << 96, 0), Err(OverflowError));
        assert_eq!(CoinAmount::new(-(1 << 96), 0), Err(OverflowError));
        assert_eq!(CoinAmount::new(i128::MIN, 0), Err(OverflowError));
        assert_eq!(CoinAmount::new((1 << 96) - 1, 0).unwrap().to_string(), LARGEST);
        assert_eq!(CoinAmount::new(0, 29), Err(OverflowError));
        assert_eq!(CoinAmount::new(0, u32::MAX), Err(OverflowError));
        assert_eq!(size_of::<CoinAmount>(), 16);
    }

    #[test]
    fn a_layout_pads_and_never_rounds() {
        assert_eq!(format!("[{:>9}]", coins("1.9990")), "[   1.9990]");
        assert_eq!(format!("[{:^9}]", coins("1.9990")), "[ 1.9990  ]");
        assert_eq!(format!("[{:09}]", coins("-1.9990")), "[-001.9990]");
        assert_eq!(format!("[{:.2}]", coins("1.9990")), "[1.9990]");
        assert_eq!(format!("{:?}", coins("1.9990")), "CoinAmount(1.9990)");
    }
}
