//! A whole number and its number of decimals: the common base of [`CoinAmount`](crate::CoinAmount) and
//! [`Rate`](crate::Rate).

use core::fmt;
use core::fmt::Write as _;

use rust_decimal::Decimal;
use thiserror::Error;

use crate::text::{ParseAmountError, ParseAmountErrorKind, scan};

/// mantissa / 10^scale, with |mantissa| < 2^96 and scale <= 28. Zero has no sign.
///
/// The decimal is storage, comparison and hash. The decimal's own sums and products round if the exact result
/// does not fit, and a sum with zero forgets a scale, so the sums and products here are made of the
/// mantissas.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Exact(Decimal);

impl Exact {
    pub(crate) const ZERO: Self = Self(Decimal::from_parts(0, 0, 0, false, 0));

    pub(crate) const fn new(mantissa: i128, scale: u32) -> Result<Self, OverflowError> {
        if scale > Decimal::MAX_SCALE {
            return Err(OverflowError);
        }
        // The four zeros test for 96 bits.
        let [a, b, c, d, e, f, g, h, i, j, k, l, 0, 0, 0, 0] = mantissa.unsigned_abs().to_le_bytes() else {
            return Err(OverflowError);
        };
        let low = u32::from_le_bytes([a, b, c, d]);
        let middle = u32::from_le_bytes([e, f, g, h]);
        let high = u32::from_le_bytes([i, j, k, l]);
        Ok(Self(Decimal::from_parts(low, middle, high, mantissa < 0, scale)))
    }

    pub(crate) const fn from_hundredths(hundredths: i64) -> Self {
        let [a, b, c, d, e, f, g, h] = hundredths.unsigned_abs().to_le_bytes();
        let low = u32::from_le_bytes([a, b, c, d]);
        let middle = u32::from_le_bytes([e, f, g, h]);
        Self(Decimal::from_parts(low, middle, 0, hundredths < 0, 2))
    }

    /// `None` if the number has a part smaller than a hundredth or leaves the range of an i64.
    pub(crate) fn to_hundredths(self) -> Option<i64> {
        let (mantissa, scale) = (self.mantissa(), self.scale());
        let hundredths = match scale.checked_sub(2) {
            Some(beyond) => {
                let one = 10_i128.checked_pow(beyond)?;
                if mantissa.checked_rem(one)? != 0 {
                    return None;
                }
                mantissa.checked_div(one)?
            }
            None => shift(mantissa, 2_u32.saturating_sub(scale)).ok()?,
        };
        i64::try_from(hundredths).ok()
    }

    pub(crate) fn parse(text: &str) -> Result<Self, ParseAmountError> {
        let mut value = Self::ZERO;
        scan(text, |digit| {
            value = value
                .mantissa()
                .checked_mul(10)
                .and_then(|mantissa| mantissa.checked_add(i128::from(digit.value)))
                .and_then(|mantissa| Self::new(mantissa, digit.decimal).ok())
                .ok_or(match digit.decimal {
                    0 => ParseAmountErrorKind::TooLarge,
                    _ => ParseAmountErrorKind::TooManyDecimals,
                })?;
            Ok(())
        })?;
        Ok(value)
    }

    pub(crate) const fn mantissa(self) -> i128 {
        self.0.mantissa()
    }

    pub(crate) const fn scale(self) -> u32 {
        self.0.scale()
    }

    pub(crate) const fn is_identical(self, other: Self) -> bool {
        self.mantissa() == other.mantissa() && self.scale() == other.scale()
    }

    pub(crate) fn checked_add(self, other: Self) -> Result<Self, OverflowError> {
        let scale = self.scale().max(other.scale());
        let sum = self.mantissa_at(scale)?.checked_add(other.mantissa_at(scale)?).ok_or(OverflowError)?;
        Self::new(sum, scale)
    }

    pub(crate) fn checked_sub(self, other: Self) -> Result<Self, OverflowError> {
        let scale = self.scale().max(other.scale());
        let rest = self.mantissa_at(scale)?.checked_sub(other.mantissa_at(scale)?).ok_or(OverflowError)?;
        Self::new(rest, scale)
    }

    pub(crate) fn checked_mul(self, other: Self) -> Result<Self, OverflowError> {
        let product = self.mantissa().checked_mul(other.mantissa()).ok_or(OverflowError)?;
        Self::new(product, self.scale().saturating_add(other.scale()))
    }

    /// The mantissa that the number would have with more decimals. A mantissa out of an i128's range is far
    /// out of 96 bits, and a sum with a number within 96 bits does not bring the mantissa back.
    fn mantissa_at(self, scale: u32) -> Result<i128, OverflowError> {
        shift(self.mantissa(), scale.saturating_sub(self.scale()))
    }
}

impl fmt::Display for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.mantissa().unsigned_abs();
        let scale = self.scale();
        let mut text = Text::default();
        if scale == 0 {
            write!(text, "{digits}")?;
        } else {
            let one = 10_u128.checked_pow(scale).ok_or(fmt::Error)?;
            let units = digits.checked_div(one).ok_or(fmt::Error)?;
            let decimals = digits.checked_rem(one).ok_or(fmt::Error)?;
            let width = usize::try_from(scale).map_err(|_| fmt::Error)?;
            write!(text, "{units}.{decimals:0width$}")?;
        }
        f.pad_integral(self.mantissa() >= 0, "", text.as_str()?)
    }
}

/// The exact result does not fit its type; nothing was rounded and nothing wrapped.
///
/// ```
/// # checkout_doctest::facade!(money);
/// use checkout_kit::Cents;
/// use checkout_kit::money::OverflowError;
///
/// assert_eq!(Cents::new(i64::MAX).checked_add(Cents::new(1)), Err(OverflowError));
/// assert_eq!(OverflowError.to_string(), "the exact result is out of range");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[error("the exact result is out of range")]
pub struct OverflowError;

/// number x 10^places
fn shift(number: i128, places: u32) -> Result<i128, OverflowError> {
    10_i128.checked_pow(places).and_then(|factor| number.checked_mul(factor)).ok_or(OverflowError)
}

/// A text of up to 40 bytes: 29 digits and a point are the longest text needed.
struct Text {
    bytes: [u8; 40],
    len: usize,
}

impl Text {
    fn as_str(&self) -> Result<&str, fmt::Error> {
        let written = self.bytes.get(..self.len).ok_or(fmt::Error)?;
        core::str::from_utf8(written).map_err(|_| fmt::Error)
    }
}

impl Default for Text {
    fn default() -> Self {
        Self { bytes: [0; 40], len: 0 }
    }
}

impl fmt::Write for Text {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let end = self.len.checked_add(more.len()).ok_or(fmt::Error)?;
        let room = self.bytes.get_mut(self.len..end).ok_or(fmt::Error)?;
        room.copy_from_slice(more.as_bytes());
        self.len = end;
        Ok(())
    }
}
