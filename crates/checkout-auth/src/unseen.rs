//! Invisible characters in a key.

/// True if a text has a character in it that cannot be seen: a line break or another control character, white
/// space other than a blank, a byte order mark or another character of no width. Or U+FFFD, which stands for
/// bytes that were not UTF-8.
///
/// No provider's key has such a character, and every signature made with such a key is refused as wrong:
/// nothing else would show the cause. Assumed: no page says what a key is made of. A blank within a key is
/// left alone.
///
/// ```
/// # checkout_doctest::facade!(auth);
/// use checkout_kit::auth::has_unseen;
///
/// assert!(has_unseen("\u{feff}st_secret")); // a file that begins with a byte order mark
/// assert!(has_unseen("st_secret\nst_other"));
/// assert!(has_unseen("st_\u{200b}secret"));
/// assert!(!has_unseen("st_secret+/="));
/// ```
#[must_use]
pub fn has_unseen(text: &str) -> bool {
    text.chars().any(|c| c.is_control() || (c.is_whitespace() && c != ' ') || has_no_width(c))
}

/// The characters of the Unicode category Cf that belong to no script, the variation selectors and the
/// fillers, and the character that a decoder puts in the place of unreadable bytes.
const fn has_no_width(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffd}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// The usual cause.
pub(crate) const UNSEEN_HINT: &str = "the file that it is read from begins with a byte order mark, has more than one line or is not UTF-8, or it was \
     copied out of a page or a mail with a character that cannot be seen";

#[cfg(test)]
mod tests {
    use super::has_unseen;
    use alloc::format;

    #[test]
    fn unseen_characters_are_found_in_every_place() {
        let unseen = [
            '\0',
            '\u{1}',
            '\t',
            '\n',
            '\r',
            '\u{b}',
            '\u{1b}',
            '\u{7f}',
            '\u{85}',
            '\u{a0}',
            '\u{ad}',
            '\u{200b}',
            '\u{200c}',
            '\u{200d}',
            '\u{200e}',
            '\u{2028}',
            '\u{2029}',
            '\u{202e}',
            '\u{2060}',
            '\u{2066}',
            '\u{3000}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{fffd}',
            '\u{e0041}',
        ];
        for c in unseen {
            for text in
                [format!("{c}st_secret"), format!("st_{c}secret"), format!("st_secret{c}"), format!("{c}")]
            {
                assert!(has_unseen(&text), "{}", c.escape_unicode());
            }
        }
    }

    #[test]
    fn visible_characters_are_left_alone() {
        for text in ["", "st_secret", "two words", "c2VjcmV0+/==", "pässwörd", "{\"a\":'b'}", "~!@#$%^&*()"]
        {
            assert!(!has_unseen(text), "{text}");
        }
        assert!((' '..='~').all(|c| !has_unseen(&format!("{c}"))));
    }
}
