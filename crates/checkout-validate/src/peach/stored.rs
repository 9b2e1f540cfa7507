//! Cards that are stored, and paid with again.

use super::{Field, Limits, Violation, Warning};
use crate::Redacted;
use crate::text::owned;
use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use checkout_tables::peach::{
    RecurringType, StandingInstructionMode, StandingInstructionSource, StandingInstructionType,
};

/// How the details of a card that is stored are used: `standingInstruction`.
///
/// V2 has this parameter. V1 takes the parameter by flat names, as client code does; no page of V1 shows the
/// parameter.
///
/// Sources: *Card-on-file* and *Copy & Pay recurring payment flow* (Public) for the names and the values;
/// Peach's own plugin for WooCommerce, 4.0.2 (Public), for its place in a checkout of V2, and for `frequency`
/// as a number.
///
/// ```
/// # checkout_doctest::facade!(validate);
/// use checkout_kit::Cents;
/// use checkout_kit::peach::{
///     Currency, Draft, RecurringType, StandingInstruction, StandingInstructionMode, StandingInstructionType,
/// };
///
/// // The first payment of a subscription: once in 30 days, until the end of 2029.
/// let instruction =
///     StandingInstruction::new(StandingInstructionMode::Initial, StandingInstructionType::Recurring)
///         .recurring_type(RecurringType::Subscription)
///         .frequency(30)
///         .expiry("2029-12-31");
/// let checkout = Draft::debit(Currency::ZAR, Cents::new(200))
///     .entity_id("8ac7a4ca68c22c4d0168c2caab2e0025")
///     .merchant_transaction_id("Test1234")
///     .shopper_result_url("https://shop.example/result")
///     .create_registration(true)
///     .standing_instruction(instruction)
///     .check()?;
/// let pairs: Vec<_> = checkout.pairs().skip(6).collect();
/// assert_eq!(
///     pairs,
///     [
///         ("createRegistration", "true"),
///         ("standingInstruction.mode", "INITIAL"),
///         ("standingInstruction.type", "RECURRING"),
///         ("standingInstruction.recurringType", "SUBSCRIPTION"),
///         ("standingInstruction.frequency", "30"),
///         ("standingInstruction.expiry", "2029-12-31"),
///     ]
/// );
/// # Ok::<(), checkout_validate::peach::Violations>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StandingInstruction<'a> {
    /// `mode`: whether the details are used for the first time.
    pub mode: StandingInstructionMode,
    /// `type`: when the later payments come.
    pub instruction_type: StandingInstructionType,
    /// `source`: the party that begins the payment. On a hosted page the source is the cardholder.
    pub source: Option<StandingInstructionSource>,
    /// `recurringType`: the kind of recurring payment. *Copy & Pay recurring payment flow* wants the field
    /// for [`Recurring`](StandingInstructionType::Recurring).
    pub recurring_type: Option<RecurringType>,
    /// `frequency`: the least number of days between two payments, 1 to 9999.
    pub frequency: Option<u32>,
    /// `expiry`: the day after which no payment is made any more, as `2029-12-31`.
    pub expiry: Option<Cow<'a, str>>,
}

impl<'a> StandingInstruction<'a> {
    /// An instruction with the two values that every one has.
    #[must_use]
    pub const fn new(mode: StandingInstructionMode, instruction_type: StandingInstructionType) -> Self {
        Self { mode, instruction_type, source: None, recurring_type: None, frequency: None, expiry: None }
    }

    /// Sets the party that begins the payment.
    #[must_use]
    pub fn source(self, source: StandingInstructionSource) -> Self {
        Self { source: Some(source), ..self }
    }

    /// Which kind of recurring payment.
    #[must_use]
    pub fn recurring_type(self, recurring_type: RecurringType) -> Self {
        Self { recurring_type: Some(recurring_type), ..self }
    }

    /// The least number of days between two payments: 1 to 9999.
    #[must_use]
    pub fn frequency(self, days: u32) -> Self {
        Self { frequency: Some(days), ..self }
    }

    /// The day after which no payment is made any more, as `2029-12-31`.
    #[must_use]
    pub fn expiry(self, day: impl Into<Cow<'a, str>>) -> Self {
        Self { expiry: Some(day.into()), ..self }
    }

    /// The same, with nothing borrowed.
    #[must_use]
    pub fn into_owned(self) -> StandingInstruction<'static> {
        StandingInstruction {
            mode: self.mode,
            instruction_type: self.instruction_type,
            source: self.source,
            recurring_type: self.recurring_type,
            frequency: self.frequency,
            expiry: self.expiry.map(owned),
        }
    }

    pub(super) fn check(&self, violations: &mut Vec<Violation>, warnings: &mut Vec<Warning>) {
        if self.frequency.is_some_and(|days| !(1..=9_999).contains(&days)) {
            violations.push(Violation::Frequency);
        }
        if self.expiry.as_deref().is_some_and(|day| !is_day(day)) {
            violations.push(Violation::Expiry);
        }
        if self.instruction_type == StandingInstructionType::Recurring && self.recurring_type.is_none() {
            warnings.push(Warning::RecurringWithoutType);
        }
        if self.source == Some(StandingInstructionSource::Merchant) {
            warnings.push(Warning::MerchantInitiated);
        }
    }

    /// Every value that is set, under the name that the request sends.
    pub(super) fn pairs(&self) -> Vec<(&'static str, Cow<'static, str>)> {
        let pairs = [
            ("standingInstruction.mode", Some(Cow::Borrowed(self.mode.code()))),
            ("standingInstruction.type", Some(Cow::Borrowed(self.instruction_type.code()))),
            ("standingInstruction.source", self.source.map(|source| Cow::Borrowed(source.code()))),
            ("standingInstruction.recurringType", self.recurring_type.map(|kind| Cow::Borrowed(kind.code()))),
            ("standingInstruction.frequency", self.frequency.map(|days| Cow::Owned(days.to_string()))),
            ("standingInstruction.expiry", self.expiry.as_deref().map(|day| Cow::Owned(String::from(day)))),
        ];
        pairs.into_iter().filter_map(|(key, text)| text.map(|text| (key, text))).collect()
    }
}

/// Finds the violations of the tokens of stored cards.
pub(super) fn check_tokens(tokens: &[Redacted<'_>], limits: &Limits, violations: &mut Vec<Violation>) {
    if tokens.len() > limits.card_tokens {
        let (length, limit) = (tokens.len(), limits.card_tokens);
        violations.push(Violation::TooLong { field: Field::CardTokens, length, limit });
    }
    for (index, token) in tokens.iter().enumerate() {
        if !is_token(token.as_str()) {
            violations.push(Violation::CardToken { index });
        }
        if tokens.iter().take(index).any(|earlier| earlier == token) {
            violations.push(Violation::Twice(Field::CardToken { index }));
        }
    }
}

/// The tokens as one text, as V1 has them.
pub(super) fn joined(tokens: &[Redacted<'_>]) -> Option<Redacted<'static>> {
    let texts: Vec<&str> = tokens.iter().map(Redacted::as_str).collect();
    (!texts.is_empty()).then(|| Redacted::from(texts.join(",")))
}

/// A token is a registration's id, of letters and digits in the pages. One with a comma would be two.
fn is_token(token: &str) -> bool {
    (1..=MAX_TOKEN_LENGTH).contains(&token.len())
        && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
}

/// True if a text is a day that there is, as `2029-12-31`.
fn is_day(text: &str) -> bool {
    let [y @ .., b'-', m1, m2, b'-', d1, d2] = text.as_bytes() else { return false };
    let number = |digits: &[u8]| {
        digits.iter().try_fold(0u32, |number, digit| {
            let digit = char::from(*digit).to_digit(10)?;
            number.checked_mul(10)?.checked_add(digit)
        })
    };
    let (4, Some(year), Some(month), Some(day)) =
        (y.len(), number(y), number(&[*m1, *m2]), number(&[*d1, *d2]))
    else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return false,
    };
    (1..=days).contains(&day)
}

/// The most characters of a token: a limit of our own. Those of the pages have 32.
const MAX_TOKEN_LENGTH: usize = 255;
