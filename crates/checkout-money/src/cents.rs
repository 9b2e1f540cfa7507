//! Hundredths of one unit.

use core::fmt;
use core::str::FromStr;

use crate::exact::{Exact, OverflowError};
use crate::text::{ParseAmountError, ParseAmountErrorKind, scan};

/// Hundredths of one unit, of a fiat currency or of a stable coin.
///
/// The range is that of an `i64`, from -92233720368547758.08 to 92233720368547758.07. The type has no unit:
/// keep the currency or coin beside the amount.
///
/// The text form is whole units with exactly two decimals (`"10.00"`, `"-0.05"`); parsing accepts none, one
/// or two. With the `serde` feature the form is the integer, in hundredths, as in `amount_cents`.
///
/// Source: `amount_cents` of *Create Checkout Intent*, v4, 2026-05-06. Assumed: hundredths for every
/// currency, also for those that ISO 4217 gives no decimals or three, as published plugins do so and the
/// documents name no exception.
///
/// ```
/// # checkout_doctest::facade!(money);
/// use checkout_kit::Cents;
///
/// let price: Cents = "10.5".parse()?;
/// assert_eq!(price, Cents::new(1050));
/// assert_eq!(price.to_string(), "10.50");
/// # Ok::<(), checkout_money::ParseAmountError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cents(i64);

impl Cents {
    /// Zero.
    ///
    /// ```
    /// # checkout_doctest::facade!(money);
    /// assert_eq!(checkout_kit::Cents::ZERO.to_string(), "0.00");
    /// ```
    pub const ZERO: Self = Self(0);

    /// Creates an amount of this many hundredths.
    ///
    /// ```
    /// # checkout_doctest::facade!(money);
    /// assert_eq!(checkout_kit::Cents::new(-5).to_string(), "-0.05");
    /// ```
    #[must_use]
    pub const fn new(hundredths: i64) -> Self {
        Self(hundredths)
    }

    /// The number of hundredths.
    ///
    /// ```
    /// # checkout_doctest::facade!(money);
    /// assert_eq!(checkout_kit::Cents::new(1000).get(), 1000);
    /// ```
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// True if the amount is more than zero.
    ///
    /// ```
    /// # checkout_doctest::facade!(money);
    /// use checkout_kit::Cents;
    ///
    /// assert!(Cents::new(1).is_positive());
    /// assert!(!Cents::ZERO.is_positive());
    /// ```
    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// The sum.
    ///
    /// # Errors
    /// If the sum is out of range.
    ///
    /// ```
    /// # checkout_doctest::facade!(money);
    /// use checkout_kit::Cents;
    /// use checkout_kit::money::OverflowError;
    ///
    /// assert_eq!(Cents::new(250).checked_add(Cents::new(50)), Ok(Cents::new(300)));
    /// assert_eq!(Cents::new(i64::MAX).checked_add(Cents::new(1)), Err(OverflowError));
    /// ```
    pub const fn checked_add(self, other: Self) -> Result<Self, OverflowError> {
        checked(self.0.checked_add(other.0))
    }

    /// The amount minus `other`; the difference may be less than zero.
    ///
    /// # Errors
    /// If the difference is out of range.
    ///
    /// ```
    /// # checkout_doctest::facade!(money);
    /// use checkout_kit::Cents;
    /// use checkout_kit::money::OverflowError;
    ///
    /// assert_eq!(Cents::new(50).checked_sub(Cents::new(250)), Ok(Cents::new(-200)));
    /// assert_eq!(Cents::new(i64::MIN).checked_sub(Cents::new(1)), Err(OverflowError));
    /// ```
    pub const fn checked_sub(self, other: Self) -> Result<Self, OverflowError> {
        checked(self.0.checked_sub(other.0))
    }

    /// The product with `times`: the price of `times` pieces.
    ///
    /// # Errors
    /// If the product is out of range.
    ///
    /// ```
    /// # checkout_doctest::facade!(money);
    /// use checkout_kit::Cents;
    /// use checkout_kit::money::OverflowError;
    ///
    /// assert_eq!(Cents::new(250).checked_mul(3), Ok(Cents::new(750)));
    /// assert_eq!(Cents::new(i64::MIN).checked_mul(-1), Err(OverflowError));
    /// ```
    pub const fn checked_mul(self, times: i64) -> Result<Self, OverflowError> {
        checked(self.0.checked_mul(times))
    }
}

impl fmt::Display for Cents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Exact::from_hundredths(self.0).fmt(f)
    }
}

impl FromStr for Cents {
    type Err = ParseAmountError;

    /// Reads whole units with none, one or two decimals: `"10"`, `"10.5"`, `"10.50"`.
    fn from_str(text: &str) -> Result<Self, ParseAmountError> {
        let mut hundredths = 0_i64;
        scan(text, |digit| {
            let (before, worth) = match digit.decimal {
                0 => (hundredths.checked_mul(10), 100),
                1 => (Some(hundredths), 10),
                2 => (Some(hundredths), 1),
                _ => return Err(ParseAmountErrorKind::TooManyDecimals),
            };
            hundredths = digit
                .value
                .checked_mul(worth)
                .zip(before)
                .and_then(|(more, before)| before.checked_add(more))
                .ok_or(ParseAmountErrorKind::TooLarge)?;
            Ok(())
        })?;
        Ok(Self(hundredths))
    }
}

const fn checked(result: Option<i64>) -> Result<Cents, OverflowError> {
    match result {
        Some(hundredths) => Ok(Cents(hundredths)),
        None => Err(OverflowError),
    }
}

#[cfg(test)]
mod tests {
    use std::format;
    use std::string::{String, ToString};

    use super::*;

    /// The hundredths and the printed text, or the fault.
    fn check(text: &str) -> String {
        match text.parse::<Cents>() {
            Ok(cents) => format!("{} {cents}", cents.get()),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn whole_units_are_read_with_up_to_two_decimals() {
        assert_eq!(check("10"), "1000 10.00");
        assert_eq!(check("10.5"), "1050 10.50");
        assert_eq!(check("10.50"), "1050 10.50");
        assert_eq!(check("0.05"), "5 0.05");
        assert_eq!(check("-0.05"), "-5 -0.05");
        assert_eq!(check("-1.5"), "-150 -1.50");
        assert_eq!(check("-0.00"), "0 0.00");
        assert_eq!(check("0001"), "100 1.00");
    }

    #[test]
    fn a_third_decimal_is_refused_even_when_it_is_zero() {
        assert_eq!(check("10.500"), "more decimals than can be held exactly at byte 5");
        assert_eq!(check("0.001"), "more decimals than can be held exactly at byte 4");
    }

    #[test]
    fn the_range_ends_at_the_digit_that_leaves_it() {
        assert_eq!(check("92233720368547758.07"), "9223372036854775807 92233720368547758.07");
        assert_eq!(check("-92233720368547758.08"), "-9223372036854775808 -92233720368547758.08");
        assert_eq!(check("92233720368547758.08"), "an amount out of range at byte 19");
        assert_eq!(check("-92233720368547758.09"), "an amount out of range at byte 20");
        assert_eq!(check("92233720368547758.1"), "an amount out of range at byte 18");
        assert_eq!(check("92233720368547759"), "an amount out of range at byte 16");
        assert_eq!(check("922337203685477580"), "an amount out of range at byte 17");
    }

    #[test]
    fn a_layout_pads_and_never_rounds() {
        let cents = Cents::new(-1999);
        assert_eq!(format!("[{cents:>8}]"), "[  -19.99]");
        assert_eq!(format!("[{cents:<8}]"), "[-19.99  ]");
        assert_eq!(format!("[{cents:08}]"), "[-0019.99]");
        assert_eq!(format!("[{cents:.0}]"), "[-19.99]");
    }

    #[test]
    fn zero_is_not_positive() {
        let positive = [-1, 0, 1].map(|hundredths| Cents::new(hundredths).is_positive());
        assert_eq!(positive, [false, false, true]);
    }

    #[test]
    fn cents_can_be_made_and_summed_in_constants() {
        const SUM: Result<Cents, OverflowError> = Cents::new(1).checked_add(Cents::new(2));
        assert_eq!(SUM, Ok(Cents::new(3)));
        assert_eq!(Cents::default(), Cents::ZERO);
        assert_eq!(size_of::<Cents>(), 8);
    }
}
