//! Amounts read a second way: cut at the point, and the rest is an `i128`.

/// A text of the form `-?digits(.digits)?`, as a whole number and its number of decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digits {
    /// The number without its point.
    pub mantissa: i128,
    /// The number of digits behind the point.
    pub scale: u32,
}

impl Digits {
    /// None for a text of another form, and for one with more digits than fit.
    pub fn read(text: &str) -> Option<Self> {
        let bare = text.strip_prefix('-').unwrap_or(text);
        let (units, decimals) = match bare.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (bare, ""),
        };
        let digits = format!("{units}{decimals}");
        if units.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let mantissa: i128 = digits.parse().ok()?;
        let scale = u32::try_from(decimals.len()).ok()?;
        Some(Self { mantissa: if text.starts_with('-') { -mantissa } else { mantissa }, scale })
    }

    /// The same, if a coin amount and a rate can hold it: 96 bits and 28 decimals.
    pub fn of_coins(text: &str) -> Option<Self> {
        Self::read(text).filter(|digits| digits.mantissa.unsigned_abs() < 1 << 96 && digits.scale <= 28)
    }

    /// The hundredths, if cents can hold it: two decimals at most, and 64 bits.
    pub fn in_cents(text: &str) -> Option<i64> {
        let digits = Self::read(text)?;
        let missing = 2_u32.checked_sub(digits.scale)?;
        i64::try_from(digits.mantissa.checked_mul(10_i128.pow(missing))?).ok()
    }

    /// The printed form of an amount: no leading zero too many, no minus before zero, every decimal.
    pub fn print(self) -> String {
        let minus = if self.mantissa < 0 { "-" } else { "" };
        let scale = self.scale as usize;
        let digits = format!("{:0>width$}", self.mantissa.unsigned_abs(), width = scale + 1);
        let (units, decimals) = digits.split_at(digits.len() - scale);
        let point = if scale == 0 { "" } else { "." };
        format!("{minus}{units}{point}{decimals}")
    }
}
