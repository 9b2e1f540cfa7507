//! Percent-encoded text, decoded.

/// A segment of a path, percent-decoded; a plus stays a plus. `None` if the bytes are no text.
pub(crate) fn segment(text: &str) -> Option<String> {
    decoded(text.as_bytes(), b'+')
}

/// Percent-encoded bytes, decoded, with `plus` in the place of each plus. `None` if an escape is not two
/// hexadecimal digits, or if the bytes are no text.
pub(crate) fn decoded(text: &[u8], plus: u8) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.iter().copied();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => hex_digit(rest.next()?)? << 4 | hex_digit(rest.next()?)?,
            b'+' => plus,
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plus_in_a_path_is_a_plus() {
        assert_eq!(segment("a+b%2Fc%2b").as_deref(), Some("a+b/c+"));
        assert_eq!(segment("%f"), None);
    }
}
