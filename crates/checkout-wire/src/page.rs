//! Pages that a payer can be sent to.

/// True if a text is a page that a payer can be sent to: an `https` URL with a host, and without the
/// characters that can lead out of an attribute of HTML or to another host: a quotation mark, `<`, `>`, a
/// backslash, a backtick, white space, control characters and characters that are not ASCII.
///
/// Escape a page all the same before putting the page into HTML: `&` and `'` are characters of a URL. RFC
/// 3986 has neither `|`, `^`, `{` and `}` nor a `%` without two digits behind it. These characters are
/// accepted, because they do no harm, browsers take them, and a refused page is a checkout that nobody can
/// pay.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::wire::is_page_url;
///
/// assert!(is_page_url("https://checkout.allscale.io/abc123?lang=de#top"));
/// assert!(!is_page_url("http://checkout.allscale.io/abc123"));
/// assert!(!is_page_url(r#"https://checkout.allscale.io/"><script>"#));
/// assert!(!is_page_url("https://checkout.allscale.io/a b"));
/// ```
#[must_use]
pub fn is_page_url(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_at_checked(HTTPS.len()) else { return false };
    scheme.eq_ignore_ascii_case(HTTPS)
        && rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[')
        && rest.bytes().all(is_in_a_url)
}

/// RFC 3986, section 2: unreserved and reserved characters, and the sign before an encoded character; and
/// four characters that browsers take.
const fn is_in_a_url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.'
                | b'_'
                | b'~'
                | b':'
                | b'/'
                | b'?'
                | b'#'
                | b'['
                | b']'
                | b'@'
                | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b';'
                | b'='
                | b'%'
                | b'|'
                | b'^'
                | b'{'
                | b'}'
        )
}

const HTTPS: &str = "https://";

#[cfg(test)]
mod tests {
    use super::is_page_url;
    use alloc::format;

    /// RFC 3986, appendix A: unreserved, gen-delims and sub-delims, and the percent sign; and the characters
    /// that browsers take besides.
    const ALLOWED: &str =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/?#[]@!$&'()*+,;=%|^{}";

    #[test]
    fn a_page_has_the_characters_of_the_rfc_and_four_more() {
        for c in
            (0..=0x2ff).filter_map(char::from_u32).chain(['\u{2028}', '\u{feff}', '\u{202e}', '\u{1f4b8}'])
        {
            for url in [format!("https://pay.example/{c}"), format!("https://pay.example/a?b={c}d#e")] {
                assert_eq!(is_page_url(&url), ALLOWED.contains(c), "{}", url.escape_debug());
            }
        }
    }

    #[test]
    fn a_page_is_https_and_has_a_host() {
        for url in [
            "https://pay.example",
            "HTTPS://pay.example/1",
            "https://[2001:db8::1]/",
            "https://1.2.3.4:8443/?a",
        ] {
            assert!(is_page_url(url), "{url}");
        }
        for url in [
            "",
            "https",
            "https://",
            "https:///a",
            "https://?a",
            "https://#a",
            "https://:8443/",
            "http://pay.example/",
            "javascript:alert(1)",
            "//pay.example/",
            " https://pay.example/",
            "\u{feff}https://pay.example/",
            "httpſ://pay.example/",
        ] {
            assert!(!is_page_url(url), "{url}");
        }
    }
}
