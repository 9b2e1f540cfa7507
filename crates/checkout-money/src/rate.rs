//! Coins per one fiat unit.

use core::fmt;
use core::str::FromStr;

use crate::cents::Cents;
use crate::coin::CoinAmount;
use crate::exact::{Exact, OverflowError};
use crate::text::ParseAmountError;

/// Coins per one fiat unit, kept exactly as received.
///
/// **Never recompute a provider's amounts from its rate.** AllScale labels the field "fiat to stable coin",
/// but its documented sample, 100 cents of a euro at a rate of `1.3500` giving `1.0000` coins, is neither a
/// product nor a quotient. Only the amounts count; keep the rate for display and storage.
///
/// Range, text, equality, order, hash and the `serde` form are those of [`CoinAmount`].
///
/// Source: `rate` and `currency_rate` of *Create Checkout Intent*, v4, 2026-05-06, decimal strings.
///
/// ```
/// # checkout_doctest::facade!(money);
/// use checkout_kit::money::Rate;
///
/// let rate: Rate = "1.3500".parse()?;
/// assert_eq!(rate.to_string(), "1.3500");
/// # Ok::<(), checkout_money::ParseAmountError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(pub(crate) Exact);

impl Rate {
    /// The rate `mantissa / 10^scale`.
    ///
    /// # Errors
    /// If the mantissa is 2^96 or more on either side of zero, or the scale is more than 28.
    ///
    /// ```
    /// # checkout_doctest::facade!(money);
    /// use checkout_kit::money::{OverflowError, Rate};
    ///
    /// assert_eq!(Rate::new(13_500, 4)?.to_string(), "1.3500");
    /// assert_eq!(Rate::new(1 << 96, 0), Err(OverflowError));
    /// # Ok::<(), OverflowError>(())
    /// ```
    pub const fn new(mantissa: i128, scale: u32) -> Result<Self, OverflowError> {
        match Exact::new(mantissa, scale) {
            Ok(exact) => Ok(Self(exact)),
            Err(overflow) => Err(overflow),
        }
    }

    /// The rate without its point: 13500 for `1.3500`.
    ///
    /// ```
    /// # checkout_doctest::facade!(money);
    /// assert_eq!("1.3500".parse::<checkout_kit::money::Rate>()?.mantissa(), 13_500);
    /// # Ok::<(), checkout_money::ParseAmountError>(())
    /// ```
    #[must_use]
    pub const fn mantissa(self) -> i128 {
        self.0.mantissa()
    }

    /// The number of decimals, 0 to 28: 4 for `1.3500`.
    ///
    /// ```
    /// # checkout_doctest::facade!(money);
    /// assert_eq!("1.3500".parse::<checkout_kit::money::Rate>()?.scale(), 4);
    /// # Ok::<(), checkout_money::ParseAmountError>(())
    /// ```
    #[must_use]
    pub const fn scale(self) -> u32 {
        self.0.scale()
    }

    /// True if the rate is zero, of any scale.
    ///
    /// ```
    /// # checkout_doctest::facade!(money);
    /// assert!("0.0000".parse::<checkout_kit::money::Rate>()?.is_zero());
    /// # Ok::<(), checkout_money::ParseAmountError>(())
    /// ```
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0.mantissa() == 0
    }

    /// True if the rate is less than zero. No provider documents such a rate; the type reads and keeps it all
    /// the same.
    ///
    /// ```
    /// # checkout_doctest::facade!(money);
    /// assert!(!"1.3500".parse::<checkout_kit::money::Rate>()?.is_negative());
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
    /// use checkout_kit::money::Rate;
    ///
    /// let (short, long) = (Rate::new(135, 2)?, Rate::new(13_500, 4)?);
    /// assert!(short == long && !short.is_identical(long));
    /// # Ok::<(), checkout_money::OverflowError>(())
    /// ```
    #[must_use]
    pub const fn is_identical(self, other: Self) -> bool {
        self.0.is_identical(other.0)
    }

    /// The value of `cents` of a fiat currency, by a rate **of your own**: cents / 100 x rate, exact, with
    /// two decimals more than the rate has.
    ///
    /// You vouch for this rate being coins per one fiat unit. The `rate` or `currency_rate` of a provider's
    /// reply is not such a rate: no formula is known for these (see [the type](Self)). The result is an
    /// estimate, good for a warning before an order is sent (is the order near the floor of 0.1 coin?) and
    /// never to be booked.
    ///
    /// # Errors
    /// If the product does not fit exactly: a rate of more than 26 decimals, or too many digits in all.
    ///
    /// ```
    /// # checkout_doctest::facade!(money);
    /// use checkout_kit::Cents;
    /// use checkout_kit::money::Rate;
    ///
    /// let dollars_per_yen: Rate = "0.0065".parse()?;
    /// assert_eq!(dollars_per_yen.estimate(Cents::new(1_500))?.to_string(), "0.097500");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn estimate(self, cents: Cents) -> Result<CoinAmount, OverflowError> {
        self.0.checked_mul(Exact::from_hundredths(cents.get())).map(CoinAmount)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rate({})", self.0)
    }
}

impl FromStr for Rate {
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

    /// The value of this many cents at that rate.
    fn check(rate: &str, cents: i64) -> String {
        match rate.parse::<Rate>().unwrap().estimate(Cents::new(cents)) {
            Ok(coins) => coins.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn an_estimate_is_the_exact_product() {
        assert_eq!(check("1.08", 1250), "13.5000");
        assert_eq!(check("1", 1), "0.01");
        assert_eq!(check("0.0065", -1500), "-0.097500");
        assert_eq!(check("1.3500", 0), "0.000000");
        assert_eq!(check("0.1", i64::MIN), "-9223372036854775.808");
    }

    #[test]
    fn an_estimate_that_would_have_to_be_rounded_is_refused() {
        let out = "the exact result is out of range";
        assert_eq!(check("0.00000000000000000000000001", 1), "0.0000000000000000000000000001");
        assert_eq!(check("0.000000000000000000000000001", 1), out);
        assert_eq!(check("79228162514264337593543950335", 1), "792281625142643375935439503.35");
        assert_eq!(check("79228162514264337593543950335", 2), out);
        assert_eq!(check("79228162514264337593543950335", i64::MIN), out);
    }

    #[test]
    fn a_rate_is_carried_unchanged() {
        let rate: Rate = "1.3500".parse().unwrap();
        assert_eq!((rate.mantissa(), rate.scale()), (13_500, 4));
        assert_eq!(format!("{rate} {rate:?} {rate:>7}"), "1.3500 Rate(1.3500)  1.3500");
        assert_eq!(size_of::<Rate>(), 16);
    }
}
