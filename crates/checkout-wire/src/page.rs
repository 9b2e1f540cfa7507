//! Pages that a payer can be sent to.

use core::net::Ipv4Addr;

/// True if a text is a page that a payer can be sent to: an `https` URL with a host, or an `http` URL of
/// this machine, as a sandbox on this machine has. A page has none of the characters that can lead out of an
/// attribute of HTML or to another host: a quotation mark, `<`, `>`, a backslash, a backtick, white space,
/// control characters and characters that are not ASCII.
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
/// assert!(is_page_url("http://127.0.0.1:4700/_/pay/default/allscale/abc123"));
/// assert!(!is_page_url(r#"https://checkout.allscale.io/"><script>"#));
/// assert!(!is_page_url("https://checkout.allscale.io/a b"));
/// ```
#[must_use]
pub fn is_page_url(url: &str) -> bool {
    let rest = match (below(HTTPS, url), below(HTTP, url)) {
        (Some(rest), _) => rest,
        (None, Some(rest)) if is_of_this_machine(rest) => rest,
        (None, _) => return false,
    };
    rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[') && rest.bytes().all(is_in_a_url)
}

/// The rest of a URL below a scheme, which may be in capitals.
fn below<'a>(scheme: &str, url: &'a str) -> Option<&'a str> {
    let (begin, rest) = url.split_at_checked(scheme.len())?;
    begin.eq_ignore_ascii_case(scheme).then_some(rest)
}

/// True if the rest of a URL, after the scheme, begins with the host of this machine, and a port at most.
fn is_of_this_machine(rest: &str) -> bool {
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let authority = rest.get(..end).unwrap_or_default();
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        Some(_) | None => (authority, "80"),
    };
    let is_host = host.eq_ignore_ascii_case("localhost")
        || host == "[::1]"
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback());
    is_host && port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok()
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

const HTTP: &str = "http://";

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
    fn a_page_is_https_and_has_a_host_or_is_of_this_machine() {
        for url in [
            "https://pay.example",
            "HTTPS://pay.example/1",
            "https://[2001:db8::1]/",
            "https://1.2.3.4:8443/?a",
            "http://127.0.0.1:4700/_/pay",
            "HTTP://LocalHost",
            "http://127.255.0.9?a",
            "http://[::1]:80/",
            "http://[::1]#a",
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
            "http://",
            "http://localhost.pay.example/",
            "http://localhost@pay.example/",
            "http://localhost:80@pay.example/",
            "http://127.0.0.1:99999/",
            "http://127.1/",
            "http://0.0.0.0/",
            "http://[::2]/",
            "http://127.0.0.1:4700\\pay.example/",
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
