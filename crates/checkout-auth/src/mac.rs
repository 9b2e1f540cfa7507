//! HMAC-SHA256 under a key prepared once, and the few things that canonical strings are written with.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// An HMAC-SHA256 that has absorbed its key and waits for a message.
///
/// The state stands on the heap, so that moving the key about leaves no copy of the state behind.
#[derive(Clone)]
pub(crate) struct MacKey(Box<Hmac<Sha256>>);

impl MacKey {
    #[expect(clippy::expect_used, reason = "HMAC is defined for keys of every length")]
    pub(crate) fn new(secret: &[u8]) -> Self {
        Self(Box::new(Hmac::new_from_slice(secret).expect("HMAC takes a key of any length")))
    }

    /// The state to write one message into.
    pub(crate) fn start(&self) -> Hmac<Sha256> {
        Hmac::clone(&self.0)
    }

    /// True if one of the claimed MACs is the MAC of the bytes that `write` writes. Each is compared in
    /// constant time.
    pub(crate) fn made_any_of(&self, claimed: &[[u8; 32]], write: impl FnOnce(&mut Hmac<Sha256>)) -> bool {
        let mut mac = self.start();
        write(&mut mac);
        claimed.iter().any(|claimed| mac.clone().verify_slice(claimed).is_ok())
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MacKey([redacted])")
    }
}

/// The target of a canonical string: the MAC itself, or text to look at.
pub(crate) trait Sink {
    /// Takes bytes; the text sink reads each byte as one character, so the text sink is for ASCII.
    fn push(&mut self, bytes: &[u8]);
}

impl Sink for Hmac<Sha256> {
    fn push(&mut self, bytes: &[u8]) {
        self.update(bytes);
    }
}

impl Sink for String {
    fn push(&mut self, bytes: &[u8]) {
        self.extend(bytes.iter().copied().map(char::from));
    }
}

/// Writes a number in decimal, without sign or leading zeros.
pub(crate) fn push_decimal(out: &mut impl Sink, number: u64) {
    let mut text = [b'0'; DECIMAL_DIGITS];
    let mut start = DECIMAL_DIGITS;
    let mut rest = number;
    for place in text.iter_mut().rev() {
        let [digit, ..] = (rest % 10).to_le_bytes();
        *place = b'0' + digit;
        start -= 1;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.push(text.split_at(start).1);
}

/// The SHA-256 of `bytes` in lower-case hexadecimal.
pub(crate) fn sha256_hex(bytes: &[u8]) -> [u8; 64] {
    hex(&Sha256::digest(bytes).into())
}

/// 32 bytes in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8; 32]) -> [u8; 64] {
    let mut text = [0; 64];
    for ([high, low], byte) in text.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
        *high = hex_digit(byte >> 4);
        *low = hex_digit(byte & 0x0f);
    }
    text
}

fn hex_digit(nibble: u8) -> u8 {
    if nibble < 10 { b'0' + nibble } else { b'a' + (nibble - 10) }
}

/// The 32 bytes that exactly 64 digits of lower-case hexadecimal stand for.
pub(crate) fn read_hex(text: &str) -> Option<[u8; 32]> {
    let digits: &[u8; 64] = text.as_bytes().try_into().ok()?;
    let mut bytes = [0; 32];
    for (byte, [high, low]) in bytes.iter_mut().zip(digits.as_chunks::<2>().0) {
        *byte = hex_nibble(*high)? << 4 | hex_nibble(*low)?;
    }
    Some(bytes)
}

fn hex_nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

/// The digits of `u64::MAX`.
const DECIMAL_DIGITS: usize = 20;

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::ToString;
    use alloc::vec::Vec;
    use proptest::prelude::*;
    use sha2::block_api::Sha256VarCore;
    use sha2::digest::zeroize::ZeroizeOnDrop;

    /// HMAC-SHA256 by its definition (RFC 2104).
    pub(crate) fn hmac_by_definition(secret: &str, message: impl AsRef<[u8]>) -> Vec<u8> {
        let mut block =
            if secret.len() > 64 { Sha256::digest(secret).to_vec() } else { secret.as_bytes().to_vec() };
        block.resize(64, 0);
        let padded = |pad: u8| block.iter().map(|byte| byte ^ pad).collect::<Vec<u8>>();
        let inner = Sha256::digest([padded(0x36), message.as_ref().to_vec()].concat());
        Sha256::digest([padded(0x5c), inner.to_vec()].concat()).to_vec()
    }

    fn decimal(number: u64) -> String {
        let mut text = String::new();
        push_decimal(&mut text, number);
        text
    }

    #[test]
    fn the_empty_body_has_the_published_hash() {
        assert_eq!(
            core::str::from_utf8(&sha256_hex(b"")).unwrap(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }

    #[test]
    fn the_ends_of_the_range_are_written_in_full() {
        assert_eq!(decimal(0), "0");
        assert_eq!(decimal(u64::MAX), "18446744073709551615");
    }

    #[test]
    fn the_hash_state_that_holds_the_key_is_wiped_on_drop() {
        // An HMAC state is two of these cores and a buffer; the features named zeroize mark them so.
        fn wiped<T: ZeroizeOnDrop>() {}
        wiped::<Sha256VarCore>();
        wiped::<Sha256>();
    }

    #[test]
    fn debug_of_the_key_shows_nothing_of_the_key() {
        assert_eq!(format!("{:?}", MacKey::new(b"test_secret_abc")), "MacKey([redacted])");
    }

    proptest! {
        #[test]
        fn every_number_is_written_as_the_standard_library_writes_it(number: u64) {
            prop_assert_eq!(decimal(number), number.to_string());
        }

        #[test]
        fn every_hash_is_written_as_the_standard_library_writes_it(bytes: Vec<u8>) {
            let expected: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            let written = sha256_hex(&bytes).map(char::from);
            prop_assert_eq!(String::from_iter(written), expected);
        }

        #[test]
        fn hexadecimal_is_read_as_it_is_written_and_in_no_other_spelling(
            bytes: [u8; 32], at in 0..64_usize, other: u8,
        ) {
            let mut text = hex(&bytes);
            prop_assert_eq!(read_hex(core::str::from_utf8(&text).unwrap()), Some(bytes));
            text[at] = other;
            if let Ok(text) = core::str::from_utf8(&text) {
                // A second way of reading; the sign and the upper case that the other reader takes are not
                // digits here.
                let by_pairs = (0..32).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok());
                let strict = other.is_ascii_digit() || other.is_ascii_lowercase();
                let expected: Option<Vec<u8>> = by_pairs.collect::<Option<_>>().filter(|_| strict);
                prop_assert_eq!(read_hex(text).map(Vec::from), expected);
            }
        }
    }
}
