//! The search for the text and the secret behind a signature.

use base64ct::{Base64, Base64Unpadded, Base64Url, Base64UrlUnpadded, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::{Difference, Finding, Mistake, Signature, Wrong};
use crate::mask::Mask;

/// A text that a client may have signed.
pub(super) struct Tried {
    /// A part of a sentence. Empty for the right text.
    pub(super) name: String,
    pub(super) text: String,
}

impl Tried {
    pub(super) fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into() }
    }
}

/// The form in which a provider wants a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Base64,
    LowerHex,
}

/// The search for a signature.
pub(super) struct Search<'a> {
    /// The signature without a prefix.
    pub(super) received: String,
    /// The mistake of the prefix, if there is one.
    pub(super) prefix_mistake: Option<&'static str>,
    pub(super) form: Form,
    /// The texts as they are signed. The first is the right text.
    pub(super) texts: Vec<Tried>,
    /// The same texts without secrets.
    pub(super) shown: Vec<Tried>,
    pub(super) secret: &'a [u8],
    /// Secrets to try with every text.
    pub(super) wrong: Vec<Wrong>,
    /// Secrets to try with the right text alone.
    pub(super) rare: Vec<Wrong>,
    /// True if the request is too long for a search. The right text is then the only text.
    pub(super) is_long: bool,
}

impl Search<'_> {
    pub(super) fn find(&self, mask: &Mask<'_>) -> Signature {
        let mut tried = 0;
        let finding = self.finding(mask, &mut tried);
        let text = self.shown.first().map(|shown| mask.text(&shown.text)).unwrap_or_default();
        Signature { text, finding, tried }
    }

    fn finding(&self, mask: &Mask<'_>, tried: &mut usize) -> Finding {
        let received = read(&self.received, self.form);
        if received.is_empty() {
            let name = match self.form {
                Form::Base64 => "the signature is not 32 bytes in Base64",
                Form::LowerHex => "the signature is not 64 hex digits in small letters",
            };
            let names = vec![name.to_owned()];
            return Finding::Mistake(Mistake { names, signed: None });
        }
        for (place, text) in self.texts.iter().enumerate() {
            let right = std::iter::once((None, self.secret));
            let wrong = self.wrong.iter().map(|wrong| (Some(&wrong.name), &*wrong.secret));
            let rare = self.rare.iter().map(|wrong| (Some(&wrong.name), &*wrong.secret));
            let secrets = right.chain(wrong).chain(rare.filter(|_| place == 0 && !self.is_long));
            for (name_of_secret, secret) in secrets {
                *tried += 1;
                let macs = if place == 0 { macs(secret, &text.text) } else { hmac(secret, &text.text) };
                let found = macs.into_iter().find_map(|(name_of_mac, mac)| {
                    let (name_of_form, _) = received.iter().find(|(_, bytes)| *bytes == mac)?;
                    Some([name_of_mac, *name_of_form])
                });
                let Some(rest) = found else { continue };
                let mut names: Vec<String> = Vec::new();
                names.extend(name_of_secret.cloned());
                names.extend(Some(text.name.clone()).filter(|name| !name.is_empty()));
                names.extend(rest.into_iter().filter(|name| !name.is_empty()).map(str::to_owned));
                names.extend(self.prefix_mistake.map(str::to_owned));
                let names: Vec<String> = names.iter().map(|name| mask.text(name)).collect();
                if names.is_empty() {
                    return Finding::Right;
                }
                let signed = self.shown.get(place).filter(|_| place > 0).map(|shown| {
                    let right = self.shown.first().map(|right| mask.text(&right.text)).unwrap_or_default();
                    let signed = mask.text(&shown.text);
                    let difference = difference(&right, &signed);
                    (signed, difference)
                });
                return Finding::Mistake(Mistake { names, signed });
            }
        }
        if self.is_long { Finding::TooLong } else { Finding::Unknown }
    }
}

/// The most bytes of a request in which a mistake is searched for: each text is a copy of the request, and is
/// signed with several secrets.
pub(super) const MOST_SEARCHED: usize = 16 << 10;

/// The readings of a signature, each with the mistake of the form, which is empty for the right form.
fn read(received: &str, form: Form) -> Vec<(&'static str, [u8; 32])> {
    let bytes = |decoded: Result<Vec<u8>, base64ct::Error>| decoded.ok()?.try_into().ok();
    let is_hex = received.len() == 64 && received.bytes().all(|byte| byte.is_ascii_hexdigit());
    let hex = is_hex.then(|| unhex(received)).flatten().and_then(|bytes| bytes.try_into().ok());
    let has_capitals = received.bytes().any(|byte| byte.is_ascii_uppercase());
    let hex_mistake = match form {
        Form::Base64 => "the signature is written in hex, and not in Base64",
        Form::LowerHex if has_capitals => "the hex digits are capital letters",
        Form::LowerHex => "",
    };
    let base64_mistake = match form {
        Form::Base64 => "",
        Form::LowerHex => "the signature is written in Base64, and not in hex",
    };
    let without = "the padding of the Base64 is missing";
    let url = "the Base64 is of the alphabet for URLs";
    let readings: [(&'static str, Option<[u8; 32]>); 5] = [
        (hex_mistake, hex),
        (base64_mistake, bytes(Base64::decode_vec(received))),
        (without, bytes(Base64Unpadded::decode_vec(received))),
        (url, bytes(Base64Url::decode_vec(received))),
        (url, bytes(Base64UrlUnpadded::decode_vec(received))),
    ];
    readings.into_iter().filter_map(|(name, bytes)| Some((name, bytes?))).collect()
}

/// The signature of a text, and the digests that a client may take for a signature.
fn macs(secret: &[u8], text: &str) -> Vec<(&'static str, [u8; 32])> {
    let plain = "plain SHA-256 was taken in place of HMAC-SHA256";
    let mut macs = hmac(secret, text);
    macs.push((plain, Sha256::digest([secret, text.as_bytes()].concat()).into()));
    macs.push((plain, Sha256::digest([text.as_bytes(), secret].concat()).into()));
    macs.push((plain, Sha256::digest(text.as_bytes()).into()));
    macs
}

fn hmac(secret: &[u8], text: &str) -> Vec<(&'static str, [u8; 32])> {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return Vec::new() };
    mac.update(text.as_bytes());
    vec![("", mac.finalize().into_bytes().into())]
}

/// The SHA-256 of some bytes.
pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Bytes as hex digits in small letters.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of hex digits.
pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    Some(digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect())
}

/// The first difference of two texts.
fn difference(right: &str, signed: &str) -> Difference {
    let mut pairs = right.chars().zip(signed.chars());
    let (mut line, mut column, mut place) = (1, 1, 0);
    while let Some((of_right, of_signed)) = pairs.next().filter(|(right, signed)| right == signed) {
        debug_assert_eq!(of_right, of_signed);
        place += of_right.len_utf8();
        (line, column) = if of_right == '\n' { (line + 1, 1) } else { (line, column + 1) };
    }
    let from = |text: &str| {
        let rest = text.get(place..).unwrap_or_default();
        let cut: String = rest.chars().take(MOST_SHOWN).collect();
        if cut.len() < rest.len() { format!("{cut}\u{2026}") } else { cut }
    };
    Difference { line, column, right: from(right), signed: from(signed) }
}

/// The most characters of a difference.
const MOST_SHOWN: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_found() {
        let of = |right, signed| difference(right, signed);
        let expected = |line, column, right: &str, signed: &str| Difference {
            line,
            column,
            right: right.to_owned(),
            signed: signed.to_owned(),
        };
        assert_eq!(of("a\nbc\n", "a\nbd\n"), expected(2, 2, "c\n", "d\n"));
        assert_eq!(of("a", "ab"), expected(1, 2, "", "b"));
        assert_eq!(of("\u{e4}b", "\u{e4}c"), expected(1, 2, "b", "c"));
        let long = "x".repeat(50);
        assert_eq!(of(&long, ""), expected(1, 1, &format!("{}\u{2026}", "x".repeat(40)), ""));
    }

    #[test]
    fn hex_is_read_and_written() {
        assert_eq!(unhex("00fF").as_deref(), Some(&[0, 255][..]));
        assert_eq!((unhex("0"), unhex("zz")), (None, None));
        assert_eq!(hex(&[0, 255]), "00ff");
        // FIPS 180-4, the digest of no byte.
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(hex(&sha256(b"")), empty);
    }
}
