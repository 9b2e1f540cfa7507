//! Raw card data. No part of the data is printed, compared or serialized.

use super::{Field, Rules, Violation, Warning, YearMonth};
use crate::text::is_blank;
use crate::{ExposeSecret, Redacted, SecretString};
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::RangeInclusive;

/// A card that a customer has just typed in, before any check.
///
/// **Who sends raw card numbers falls under PCI DSS.** A stored method needs none:
/// [`Draft::stored_method`](super::Draft::stored_method) comes first.
///
/// `Debug` shows nothing of the card, and there is neither `PartialEq` nor `Serialize`.
///
/// ```
/// # checkout_doctest::facade!(validate);
/// use checkout_kit::azotte::CardDraft;
///
/// let card = CardDraft::new("4111 1111 1111 1111", "12", "2029").cvc("737").card_holder_name("Tom");
/// let debug = format!("{card:?}");
/// assert!(!["4111", "12", "2029", "737", "Tom"].iter().any(|private| debug.contains(private)));
/// ```
#[derive(Clone, Debug, Default)]
pub struct CardDraft<'a> {
    /// The name on the card.
    pub card_holder_name: Option<Redacted<'a>>,
    /// The number; the check takes spaces and dashes out. Required.
    pub card_number: SecretString,
    /// The month of expiry, in two digits: `12`. Required.
    pub expire_month: SecretString,
    /// The year of expiry, in four digits: `2029`. Required.
    pub expire_year: SecretString,
    /// The verification code, three or four digits.
    pub cvc: Option<SecretString>,
    /// The customer's name for the card.
    pub card_alias: Option<Redacted<'a>>,
}

impl<'a> CardDraft<'a> {
    /// A card by its number, and the month (`12`) and the year (`2029`) at the end of which the card expires.
    /// Pass owned text: the copy of a borrowed text is overwritten when the card is dropped, and the borrowed
    /// text is not.
    ///
    /// ```
    /// # use checkout_validate::azotte::CardDraft;
    /// let number = String::from("4111111111111111");
    /// assert!(CardDraft::new(number, "12", "2029").cvc.is_none());
    /// ```
    #[must_use]
    pub fn new(
        number: impl Into<SecretString>,
        expire_month: impl Into<SecretString>,
        expire_year: impl Into<SecretString>,
    ) -> Self {
        Self {
            card_number: number.into(),
            expire_month: expire_month.into(),
            expire_year: expire_year.into(),
            ..Self::default()
        }
    }

    /// The verification code. The code may not be kept after the payment is authorized, not even by you.
    ///
    /// ```
    /// # use checkout_validate::azotte::CardDraft;
    /// assert!(CardDraft::default().cvc("737").cvc.is_some());
    /// ```
    #[must_use]
    pub fn cvc(self, cvc: impl Into<SecretString>) -> Self {
        Self { cvc: Some(cvc.into()), ..self }
    }

    /// The name on the card.
    ///
    /// ```
    /// # use checkout_validate::azotte::CardDraft;
    /// assert!(CardDraft::default().card_holder_name("Tom").card_holder_name.is_some());
    /// ```
    #[must_use]
    pub fn card_holder_name(self, name: impl Into<Redacted<'a>>) -> Self {
        Self { card_holder_name: Some(name.into()), ..self }
    }

    /// The customer's name for the card.
    ///
    /// ```
    /// # use checkout_validate::azotte::CardDraft;
    /// assert!(CardDraft::default().card_alias("the blue one").card_alias.is_some());
    /// ```
    #[must_use]
    pub fn card_alias(self, alias: impl Into<Redacted<'a>>) -> Self {
        Self { card_alias: Some(alias.into()), ..self }
    }

    /// The same, with nothing borrowed.
    ///
    /// ```
    /// # use checkout_validate::azotte::CardDraft;
    /// let name = String::from("Tom");
    /// let card: CardDraft<'static> = CardDraft::default().card_holder_name(name.as_str()).into_owned();
    /// drop(name);
    /// assert!(card.card_holder_name.is_some());
    /// ```
    #[must_use]
    pub fn into_owned(self) -> CardDraft<'static> {
        CardDraft {
            card_holder_name: self.card_holder_name.map(Redacted::into_owned),
            card_number: self.card_number,
            expire_month: self.expire_month,
            expire_year: self.expire_year,
            cvc: self.cvc,
            card_alias: self.card_alias.map(Redacted::into_owned),
        }
    }

    /// The card as sent. The card is good if nothing was added to the violations.
    pub(super) fn check(
        self,
        rules: &Rules,
        violations: &mut Vec<Violation>,
        warnings: &mut Vec<Warning>,
    ) -> Card<'a> {
        let card_number = without_separators(self.card_number);
        let number = card_number.expose_secret();
        let month = self.expire_month.expose_secret();
        let year = self.expire_year.expose_secret();
        let mut form = |text: &str, field: Field, good: bool, otherwise: Violation| {
            if is_blank(text) {
                violations.push(Violation::Missing(field));
            } else if !good {
                violations.push(otherwise);
            }
        };
        let (is_number, is_month) =
            (digits(number, 12..=19), digits(month, 2..=2) && ("01"..="12").contains(&month));
        form(number, Field::CardNumber, is_number, Violation::CardNumber);
        form(month, Field::ExpireMonth, is_month, Violation::ExpireMonth);
        form(year, Field::ExpireYear, digits(year, 4..=4), Violation::ExpireYear);
        match self.cvc.as_ref().map(ExposeSecret::expose_secret) {
            None => warnings.push(Warning::CardWithout(Field::Cvc)),
            Some(cvc) if !digits(cvc, 3..=4) => violations.push(Violation::Cvc),
            Some(_) => {}
        }
        if is_number && !check_digit_is_right(number) {
            warnings.push(Warning::CheckDigit);
        }
        let expires = year.parse().ok().zip(month.parse().ok());
        let expires = expires.map(|(year, month)| YearMonth { year, month });
        if rules.today.zip(expires).is_some_and(|(today, expires)| expires < today) {
            warnings.push(Warning::CardExpired);
        }
        match &self.card_holder_name {
            None => warnings.push(Warning::CardWithout(Field::CardHolderName)),
            Some(name) if is_blank(name.as_str()) => warnings.push(Warning::Blank(Field::CardHolderName)),
            Some(_) => {}
        }
        if self.card_alias.as_ref().is_some_and(|alias| is_blank(alias.as_str())) {
            warnings.push(Warning::Blank(Field::CardAlias));
        }
        let limits = [
            (Field::CardHolderName, &self.card_holder_name, rules.limits.card_holder_name),
            (Field::CardAlias, &self.card_alias, rules.limits.card_alias),
        ];
        for (field, text, limit) in limits {
            let length = text.as_ref().map_or(0, |text| text.as_str().len());
            if length > limit {
                violations.push(Violation::TooLong { field, length, limit });
            }
        }
        Card {
            card_holder_name: self.card_holder_name,
            card_number,
            expire_month: self.expire_month,
            expire_year: self.expire_year,
            cvc: self.cvc,
            card_alias: self.card_alias,
        }
    }
}

/// A card in the form that is sent: only a checked [`Draft`](super::Draft) holds one. The card's number,
/// expiry and code are secrets, and [`ExposeSecret`] is the one way to them.
///
/// `Debug` shows nothing of the card, and there is neither `PartialEq` nor `Serialize`: code that writes the
/// card must name each field.
///
/// ```
/// # checkout_doctest::facade!(validate);
/// use checkout_kit::azotte::{CardDraft, Draft, PaymentMethod};
/// use checkout_kit::validate::ExposeSecret;
///
/// let submit = Draft::new_card(CardDraft::new("4111 1111-1111 1111", "12", "2029").cvc("737"))
///     .offer_identifier("off_1")
///     .correlation_id("order_123")
///     .item("plan_gold")
///     .customer_urn("urn:customer:42")
///     .check()?;
/// let PaymentMethod::NewCard(card) = submit.payment_method() else { unreachable!() };
/// assert_eq!(card.card_number().expose_secret(), "4111111111111111");
/// assert!(!format!("{submit:?}").contains("1111"));
/// # Ok::<(), checkout_validate::azotte::Violations>(())
/// ```
#[derive(Clone, Debug)]
pub struct Card<'a> {
    card_holder_name: Option<Redacted<'a>>,
    card_number: SecretString,
    expire_month: SecretString,
    expire_year: SecretString,
    cvc: Option<SecretString>,
    card_alias: Option<Redacted<'a>>,
}

impl Card<'_> {
    /// The name on the card.
    #[must_use]
    pub fn card_holder_name(&self) -> Option<&str> {
        self.card_holder_name.as_ref().map(Redacted::as_str)
    }

    /// The number: 12 to 19 digits and nothing else.
    #[must_use]
    pub const fn card_number(&self) -> &SecretString {
        &self.card_number
    }

    /// The month of expiry: two digits, 01 to 12.
    #[must_use]
    pub const fn expire_month(&self) -> &SecretString {
        &self.expire_month
    }

    /// The year of expiry: four digits.
    #[must_use]
    pub const fn expire_year(&self) -> &SecretString {
        &self.expire_year
    }

    /// The verification code: three or four digits.
    #[must_use]
    pub const fn cvc(&self) -> Option<&SecretString> {
        self.cvc.as_ref()
    }

    /// The customer's name for the card.
    #[must_use]
    pub fn card_alias(&self) -> Option<&str> {
        self.card_alias.as_ref().map(Redacted::as_str)
    }

    pub(super) fn into_owned(self) -> Card<'static> {
        Card {
            card_holder_name: self.card_holder_name.map(Redacted::into_owned),
            card_number: self.card_number,
            expire_month: self.expire_month,
            expire_year: self.expire_year,
            cvc: self.cvc,
            card_alias: self.card_alias.map(Redacted::into_owned),
        }
    }
}

/// The number without spaces and dashes. Room for all of it is made at once, so that no copy is left behind
/// in memory.
fn without_separators(number: SecretString) -> SecretString {
    let digits = || number.expose_secret().chars().filter(|c| !matches!(c, ' ' | '-'));
    let length = digits().map(char::len_utf8).sum();
    if length == number.expose_secret().len() {
        return number;
    }
    let mut text = String::with_capacity(length);
    text.extend(digits());
    text.into()
}

fn digits(text: &str, lengths: RangeInclusive<usize>) -> bool {
    lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The check digit of ISO/IEC 7812: from the right, every second digit counts twice, with the digits of the
/// product added up, and the sum is a multiple of ten.
fn check_digit_is_right(number: &str) -> bool {
    let from_the_right = number.bytes().rev().map(|byte| u32::from(byte.saturating_sub(b'0')));
    let worth = |(place, digit): (usize, u32)| match (place % 2, digit) {
        (0, _) => digit,
        (_, 0..=4) => digit.saturating_mul(2),
        _ => digit.saturating_mul(2).saturating_sub(9),
    };
    from_the_right.enumerate().map(worth).sum::<u32>() % 10 == 0
}
