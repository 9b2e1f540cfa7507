//! The texts that must not be found, and the ways to find them.

use std::collections::BTreeSet;

/// The parts by which a text is recognized.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// As a whole.
    Text,
    /// Any six digits in a row of the number, in any grouping.
    Number,
    /// Any of its words.
    Name,
}

/// A planted text, in every form that is searched for.
#[derive(Clone, Debug)]
pub(crate) struct Needle {
    text: String,
    /// Forms that are compared without regard to case and to the characters that `squeezed` drops.
    forms: Vec<String>,
    /// Forms that are compared as they are.
    base64: Vec<String>,
}

impl Needle {
    pub(crate) fn new(text: &str, kind: Kind) -> Self {
        let mut parts = vec![text.to_owned()];
        match kind {
            Kind::Text => {}
            Kind::Number => {
                let digits: Vec<char> = text.chars().filter(char::is_ascii_digit).collect();
                parts.extend(digits.windows(PART).map(|part| part.iter().collect()));
                parts.push(digits.iter().collect());
            }
            Kind::Name => parts.extend(text.split(' ').map(str::to_owned)),
        }
        let forms: BTreeSet<_> =
            parts.iter().flat_map(|part| encoded(part)).map(|form| squeezed(&form)).collect();
        let base64: BTreeSet<_> = parts.iter().flat_map(|part| base64(part)).collect();
        Self {
            text: text.to_owned(),
            forms: forms.into_iter().collect(),
            base64: base64.into_iter().collect(),
        }
    }

    /// True if the text is there, in any form.
    pub(crate) fn is_in(&self, text: &Searched) -> bool {
        self.forms.iter().any(|form| text.squeezed.contains(&**form))
            || self.base64.iter().any(|form| text.whole.contains(&**form))
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

/// A text that is searched.
#[derive(Debug)]
pub(crate) struct Searched {
    squeezed: String,
    whole: String,
}

impl Searched {
    pub(crate) fn new(text: &str) -> Self {
        Self { squeezed: squeezed(text), whole: text.split_whitespace().collect() }
    }
}

/// The card-like numbers of a text: 13 to 19 digits, by themselves or in groups, that begin as a card's do
/// and have a right check digit.
pub(crate) fn card_numbers(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let chars: Vec<char> = text.chars().collect();
    let mut at = 0;
    while at < chars.len() {
        let mut digits = String::new();
        let mut end = at;
        while let Some(c) = chars.get(end) {
            let between = matches!(c, ' ' | '-') && chars.get(end + 1).is_some_and(char::is_ascii_digit);
            match c {
                '0'..='9' => digits.push(*c),
                _ if between && !digits.is_empty() => {}
                _ => break,
            }
            end += 1;
        }
        if (13..=19).contains(&digits.len()) && digits.starts_with(['2', '3', '4', '5', '6']) && luhn(&digits)
        {
            found.push(digits);
        }
        at = end.max(at + 1);
    }
    found
}

/// True if the check digit is right: every second digit from the right is doubled, and the sum ends in 0.
fn luhn(digits: &str) -> bool {
    let digits = digits.chars().rev().filter_map(|c| c.to_digit(10));
    let sum: u32 = digits
        .enumerate()
        .map(|(place, digit)| match place % 2 {
            0 => digit,
            _ => digit * 2 / 10 + digit * 2 % 10,
        })
        .sum();
    sum.is_multiple_of(10)
}

fn squeezed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && *c != '-').flat_map(char::to_lowercase).collect()
}

/// The text as it is, percent-encoded, escaped, in hexadecimal, and as the list of its bytes.
fn encoded(text: &str) -> Vec<String> {
    let each =
        |form: &dyn Fn(u8) -> String, between: &str| text.bytes().map(form).collect::<Vec<_>>().join(between);
    let escaped = |byte: u8| match byte {
        b'-' | b'.' | b'_' | b'~' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    let mut forms = vec![
        text.to_owned(),
        text.escape_debug().to_string(),
        each(&escaped, ""),
        each(&escaped, "").replace("%20", "+"),
        each(&|byte| format!("%{byte:02x}"), ""),
        each(&|byte| format!("\\u{byte:04x}"), ""),
    ];
    // A list is longer than its text: the list of two digits occurs in any list of lengths.
    if text.len() >= 4 {
        forms.push(each(&|byte| format!("{byte:02x}"), ""));
        forms.push(each(&|byte| byte.to_string(), ","));
        forms.push(each(&|byte| format!("{byte:x}"), ","));
        forms.push(each(&|byte| format!("0x{byte:x}"), ","));
    }
    forms
}

/// The part of a longer text's Base64 that stands for this text, for each place where this text can begin.
fn base64(text: &str) -> Vec<String> {
    const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut forms = Vec::new();
    for before in 0..3 {
        let bytes: Vec<u8> = vec![0; before].into_iter().chain(text.bytes()).collect();
        let bits = |at: usize| bytes.get(at / 8).map_or(0, |byte| usize::from(byte >> (7 - at % 8) & 1));
        let sextets = (before * 8).div_ceil(6)..bytes.len() * 8 / 6;
        let form = sextets.map(|sextet| {
            let value = (0..6).fold(0, |value, bit| value << 1 | bits(sextet * 6 + bit));
            char::from(STANDARD.get(value).copied().unwrap_or_default())
        });
        let form: String = form.collect();
        if form.len() >= 5 {
            forms.push(form.replace('+', "-").replace('/', "_"));
            forms.push(form);
        }
    }
    forms
}

/// The number of digits that give a number away.
const PART: usize = 6;
