//! The fields of a new checkout, and the rules of the documents for the fields.

use std::collections::HashSet;

use super::form::{Pairs, value_of};

/// The order that a checkout is made for, once the fields have passed.
///
/// No `Debug`: `customParameters` can hold anything of a payer.
#[derive(Clone)]
pub(super) struct Order {
    pub(super) entity_id: String,
    pub(super) merchant_transaction_id: String,
    pub(super) amount: String,
    pub(super) currency: String,
    pub(super) payment_type: String,
    pub(super) shopper_result_url: String,
    pub(super) cancel_url: Option<String>,
    pub(super) notification_url: Option<String>,
    /// True if the card is stored once the card has paid.
    pub(super) stores_card: bool,
    /// The fields that every reply repeats: `merchantInvoiceId` and `customParameters[…]`.
    pub(super) repeated: Pairs,
}

/// The version of the API by which the fields arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// A `signature` is among the fields.
    V1,
    /// No `signature` is among the fields.
    V2,
}

impl Order {
    /// Reads the fields of a new checkout.
    ///
    /// # Errors
    /// The fields that are wrong, in the order of the table, each with words for the fault: at most
    /// [`MOST_REFUSED`].
    pub(super) fn read(pairs: &Pairs, version: Version, id_range: IdRange) -> Result<Self, Pairs> {
        let mut wrong: Pairs = Vec::new();
        let mut refused = HashSet::new();
        let mut refuse = |field: &str, text: &str| {
            if wrong.len() < MOST_REFUSED && refused.insert(field.to_owned()) {
                wrong.push((field.to_owned(), text.to_owned()));
            }
        };
        for (field, rule) in REQUIRED.iter().chain(&OPTIONAL).chain(&INSTRUCTIONS) {
            let required = REQUIRED.iter().any(|row| row.0 == *field);
            let given = value_of(pairs, field);
            match (given, version) {
                (None, Version::V2) if *field == SIGNATURE => {}
                (Some(_), Version::V2) if *field == SIGNATURE => refuse(field, "is not allowed"),
                (None, _) if required => refuse(field, "is required"),
                (None, _) => {}
                (Some(value), _) => {
                    let rule = if *field == TRANSACTION_ID { &id_range.rule() } else { rule };
                    if let Some(text) = rule.broken_by(value) {
                        refuse(field, &text);
                    }
                }
            }
        }
        let is_true = |key| value_of(pairs, key) == Some("true");
        if is_true(CREATE_REGISTRATION) && is_true(ALLOW_STORING) {
            refuse(CREATE_REGISTRATION, "must not be true when allowStoringDetails is");
        }
        let zero =
            value_of(pairs, "amount").is_some_and(|amount| amount.bytes().all(|c| matches!(c, b'0' | b'.')));
        let stores_alone = value_of(pairs, "paymentType") == Some("PA") && is_true(CREATE_REGISTRATION);
        if zero && !stores_alone {
            refuse("amount", "must be more than 0, but for PA with createRegistration");
        }
        let instructed = pairs.iter().any(|(key, _)| key.starts_with(INSTRUCTION));
        if instructed && version == Version::V2 {
            for (field, _) in
                INSTRUCTIONS.iter().take(2).filter(|(field, _)| value_of(pairs, field).is_none())
            {
                refuse(field, "is required");
            }
        }
        let mut keys = HashSet::new();
        for (key, _) in pairs {
            if !keys.insert(key) {
                refuse(key, "is given twice");
            }
            if !is_known(key, version) {
                refuse(key, "is not allowed");
            }
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let optional = |key| value_of(pairs, key).map(str::to_owned);
        let text = |key| optional(key).unwrap_or_default();
        let is_repeated = |key: &str| key == "merchantInvoiceId" || key.starts_with("customParameters[");
        Ok(Self {
            entity_id: text("authentication.entityId"),
            merchant_transaction_id: text(TRANSACTION_ID),
            amount: text("amount"),
            currency: text("currency"),
            payment_type: text("paymentType"),
            shopper_result_url: text("shopperResultUrl"),
            cancel_url: optional("cancelUrl"),
            notification_url: optional("notificationUrl"),
            stores_card: is_true(CREATE_REGISTRATION) || is_true(ALLOW_STORING),
            repeated: pairs.iter().filter(|(key, _)| is_repeated(key)).cloned().collect(),
        })
    }
}

/// The most fields that one refusal names.
const MOST_REFUSED: usize = 100;

/// The length that a `merchantTransactionId` may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IdRange {
    /// 8 to 16 characters, as the page of the request says.
    Stated,
    /// 1 to 48 characters, as the page of the status says and as is seen in use.
    Seen,
}

impl IdRange {
    fn rule(self) -> Rule {
        match self {
            Self::Stated => Rule::Length(8, 16),
            Self::Seen => Rule::Length(1, 48),
        }
    }
}

/// The rule for a value.
#[derive(Clone, Copy, Debug)]
enum Rule {
    Any,
    /// The least and the greatest number of characters.
    Length(usize, usize),
    OneOf(&'static [&'static str]),
    /// This many digits of lower-case hexadecimal.
    Hex(usize),
    /// `^[0-9]{1,8}(\.[0-9]{2})?$`
    Amount,
    /// A number of days of one to four digits, and not 0.
    Days,
    /// `2029-12-31`
    Day,
}

impl Rule {
    fn broken_by(self, value: &str) -> Option<String> {
        let (kept, text) = match self {
            Self::Any => return None,
            Self::Length(least, most) => {
                let kept = (least..=most).contains(&value.chars().count());
                (kept, format!("must be {least} to {most} characters long"))
            }
            Self::OneOf(values) => (values.contains(&value), format!("must be one of {}", values.join(", "))),
            Self::Hex(digits) => {
                let is_hex = value.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
                (is_hex && value.len() == digits, format!("must be {digits} hexadecimal digits"))
            }
            Self::Days => {
                let digits = value.bytes().all(|byte| byte.is_ascii_digit());
                let days = digits && value.len() <= 4 && value.bytes().any(|byte| byte != b'0');
                (days, "must be 1 to 9999 days".to_owned())
            }
            Self::Day => {
                let shape: String = value.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
                (shape == "9999-99-99", "must be a day, as 2029-12-31".to_owned())
            }
            Self::Amount => (is_amount(value), "must be a number with no or two decimals".to_owned()),
        };
        (!kept).then_some(text)
    }
}

fn is_amount(value: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, decimals) = value.split_once('.').unwrap_or((value, "00"));
    (1..=8).contains(&whole.len()) && digits(whole) && decimals.len() == 2 && digits(decimals)
}

fn is_known(key: &str, version: Version) -> bool {
    let listed = |rows: &[(&str, Rule)]| rows.iter().any(|row| row.0 == key);
    let grouped = GROUPS.iter().any(|group| key.len() > group.len() && key.starts_with(group));
    // V1 has the tokens in one text, V2 has the tokens in a list. Only V2 has the instruction.
    match version {
        Version::V1 if key == CARD_TOKENS => return true,
        Version::V2 if key.starts_with("cardTokens[") => return true,
        Version::V2 if listed(&INSTRUCTIONS) => return true,
        Version::V1 | Version::V2 => {}
    }
    let custom = key.strip_prefix("customParameters[").and_then(|name| name.strip_suffix(']'));
    listed(&REQUIRED) || listed(&OPTIONAL) || grouped || custom.is_some_and(|name| !name.is_empty())
}

const SIGNATURE: &str = "signature";

const CARD_TOKENS: &str = "cardTokens";

const CREATE_REGISTRATION: &str = "createRegistration";

const ALLOW_STORING: &str = "allowStoringDetails";

const INSTRUCTION: &str = "standingInstruction.";

const TRANSACTION_ID: &str = "merchantTransactionId";

// Typed from the pages, and not from the rules that are under test.
const REQUIRED: [(&str, Rule); 8] = [
    ("authentication.entityId", Rule::Hex(32)),
    (SIGNATURE, Rule::Hex(64)),
    (TRANSACTION_ID, Rule::Any),
    ("amount", Rule::Amount),
    ("paymentType", Rule::OneOf(&["DB", "PA"])),
    ("currency", Rule::OneOf(&["ZAR", "USD", "KES", "MUR", "GBP", "EUR"])),
    ("nonce", Rule::Length(1, 64)),
    ("shopperResultUrl", Rule::Length(6, 2048)),
];

const OPTIONAL: [(&str, Rule); 9] = [
    ("defaultPaymentMethod", Rule::Any),
    ("forceDefaultMethod", Rule::OneOf(&["true", "false"])),
    ("merchantInvoiceId", Rule::Length(8, 255)),
    ("cancelUrl", Rule::Any),
    ("notificationUrl", Rule::Any),
    (CREATE_REGISTRATION, Rule::OneOf(&["true", "false"])),
    (ALLOW_STORING, Rule::OneOf(&["true", "false"])),
    ("originator", Rule::Any),
    ("returnTo", Rule::Any),
];

/// The fields of V2's standing instruction. The first two fields are in every instruction.
const INSTRUCTIONS: [(&str, Rule); 6] = [
    ("standingInstruction.mode", Rule::OneOf(&["INITIAL", "REPEATED"])),
    ("standingInstruction.type", Rule::OneOf(&["UNSCHEDULED", "RECURRING", "INSTALLMENT"])),
    ("standingInstruction.source", Rule::OneOf(&["CIT", "MIT"])),
    ("standingInstruction.recurringType", Rule::OneOf(&["SUBSCRIPTION", "STANDING_ORDER"])),
    ("standingInstruction.frequency", Rule::Days),
    ("standingInstruction.expiry", Rule::Day),
];

/// The beginnings of the names in whole groups of fields.
const GROUPS: [&str; 4] = ["customer.", "billing.", "shipping.", "cart."];
