//! Signed messages of any bytes, and the second way of computing and of reading their signatures.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// The secret of every key here.
pub const SECRET: &str = "test_secret_abc";

/// A message as a target gets it. The first line has the parts that are no headers, and then the number of
/// seconds that the receiver's clock is ahead of the message's time and the number of a byte, all apart by
/// tabs. Every other line is a header, with a tab between the name and the value. After an empty line comes
/// the body.
#[derive(Clone, Debug)]
pub struct Message {
    pub parts: Vec<String>,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
    ahead: i64,
    at: usize,
}

impl Message {
    /// The message with so many parts, missing parts empty; `None` if the parts are no text.
    pub fn read(input: &[u8], parts: usize) -> Option<Self> {
        let end = input.windows(2).position(|two| two == b"\n\n");
        let (head, body) = end.map_or((input, &b""[..]), |end| (&input[..end], &input[end + 2..]));
        let mut lines = head.split(|byte| *byte == b'\n');
        let mut first = std::str::from_utf8(lines.next()?).ok()?.split('\t');
        let mut next = || first.next().unwrap_or_default().to_owned();
        let parts = (0..parts).map(|_| next()).collect();
        let (ahead, at) = (next().parse().unwrap_or_default(), next().parse().unwrap_or_default());
        let header = |line: &[u8]| {
            let tab = line.iter().position(|byte| *byte == b'\t').unwrap_or(line.len());
            (
                String::from_utf8_lossy(&line[..tab]).into_owned(),
                line.get(tab + 1..).unwrap_or_default().into(),
            )
        };
        Some(Self { parts, headers: lines.map(header).collect(), body: body.into(), ahead, at })
    }

    /// The values of headers that are there once and are text.
    pub fn values<const COUNT: usize>(&self, names: [&str; COUNT]) -> Option<[String; COUNT]> {
        let values = names.map(|name| {
            let mut values = self.headers.iter().filter(|(own, _)| own.to_ascii_lowercase() == name);
            let first = values.next().and_then(|(_, value)| String::from_utf8(value.clone()).ok());
            first.filter(|_| values.next().is_none())
        });
        values.iter().all(Option::is_some).then(|| values.map(Option::unwrap_or_default))
    }

    /// The receiver's clock, if this header has the message's time.
    pub fn now(&self, name: &str) -> i64 {
        let time = self.values([name]).and_then(|[text]| one_spelling(&text)).unwrap_or_default();
        time.saturating_add(self.ahead)
    }

    /// The same message, received in the second of its sending, with this header set.
    pub fn in_time_with(mut self, name: &str, value: &str) -> Self {
        self.ahead = 0;
        self.headers.retain(|(own, _)| own.to_ascii_lowercase() != name);
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// One byte changed, of the parts, the body or the headers of these names; `None` if there is none.
    pub fn with_a_byte_changed(mut self, names: &[&str]) -> Option<Self> {
        let change = match self.at / 256 % 256 {
            0 => 1,
            change => u8::try_from(change).ok()?,
        };
        let lengths = self.parts.iter().map(String::len).sum::<usize>() + self.body.len();
        let signed = |name: &str| names.contains(&&*name.to_ascii_lowercase());
        let values = self.headers.iter().filter(|(name, _)| signed(name)).map(|(_, value)| value.len());
        let mut at = (self.at % 256 + self.at / 65_536).checked_rem(lengths + values.sum::<usize>())?;
        for part in &mut self.parts {
            if at < part.len() {
                let mut bytes = std::mem::take(part).into_bytes();
                bytes[at] ^= change;
                *part = String::from_utf8(bytes).ok()?;
                return Some(self);
            }
            at -= part.len();
        }
        let values = self.headers.iter_mut().filter(|(name, _)| signed(name)).map(|(_, value)| value);
        for value in std::iter::once(&mut self.body).chain(values) {
            if at < value.len() {
                value[at] ^= change;
                return Some(self);
            }
            at -= value.len();
        }
        None
    }
}

pub fn mac(text: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("a key of any length");
    mac.update(text);
    mac.finalize().into_bytes().into()
}

pub fn hex(bytes: &[u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes).into())
}

/// `v1=` and the Base64 of a MAC, read off its bits.
pub fn v1(mac: &[u8; 32]) -> String {
    let bits: String = mac.iter().map(|byte| format!("{byte:08b}")).chain(["00".to_owned()]).collect();
    let digit = |at: usize| {
        let six = usize::from_str_radix(&bits[6 * at..6 * at + 6], 2).expect("six bits");
        char::from(ALPHABET[six])
    };
    format!("v1={}=", (0..43).map(digit).collect::<String>())
}

/// True if the right signature is in a list in which nothing is malformed.
pub fn listed(list: &str, right: &str) -> bool {
    let blanks = [' ', '\t'];
    let pieces: Vec<&str> = list.split(',').map(|piece| piece.trim_matches(blanks)).collect();
    let well_formed = |piece: &&str| match piece.strip_prefix("v1=") {
        None => true,
        Some(digits) => {
            // The last digit has two bits that are no byte's.
            let (all, padding) = digits.split_at_checked(43).unwrap_or_default();
            let value = |byte: u8| ALPHABET.iter().position(|digit| *digit == byte);
            padding == "="
                && all.bytes().all(|byte| value(byte).is_some())
                && all.bytes().last().and_then(value).is_some_and(|last| last % 4 == 0)
        }
    };
    list.trim_matches(blanks) == list
        && pieces.len() <= 8
        && pieces.iter().all(|piece| visible(piece))
        && pieces.iter().all(well_formed)
        && pieces.contains(&right)
}

/// The number, if the text is its one spelling.
pub fn one_spelling(text: &str) -> Option<i64> {
    text.parse().ok().filter(|number: &i64| number.to_string() == text)
}

pub fn visible(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|char| ('!'..='~').contains(&char))
}

pub fn is_path(text: &str) -> bool {
    text.starts_with('/') && visible(text) && !text.contains(['?', '#'])
}

/// True if a time is within the default tolerance.
pub fn in_time(time: &str, now: i64) -> bool {
    one_spelling(time).is_some_and(|time| (i128::from(now) - i128::from(time)).abs() <= 300)
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
