//! A URI as reqwest will send it, when the URI is sent as given.

use checkout_transport::http::Uri;
use reqwest::Url;

/// The reason why a URI is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UriError {
    #[error("the URI is not absolute, or neither http nor https")]
    Scheme,
    #[error("the URI is https, and this build has no TLS for certain")]
    NoTls,
    #[error("the URI has a user's name in it, which would not be sent")]
    User,
    #[error("reqwest would send another URI: it resolves dots and escapes characters")]
    Rewritten,
}

/// The same URI in reqwest's type.
///
/// That type follows the URL standard of browsers, which resolves `.` and `..`, escapes some characters, and
/// writes numeric hosts anew. A signature covers the bytes before that, so a URI that would change is
/// refused. Letters of the scheme and the host may change their case: they mean the same.
///
/// Without TLS, reqwest hands requests to `https` URIs to a proxy in clear. So these are refused unless
/// `tls`.
pub(crate) fn as_given(uri: &Uri, tls: bool) -> Result<Url, UriError> {
    let default_port = match uri.scheme_str() {
        Some("http") => 80,
        Some("https") if tls => 443,
        Some("https") => return Err(UriError::NoTls),
        Some(_) | None => return Err(UriError::Scheme),
    };
    let url = Url::parse(&uri.to_string()).map_err(|_| UriError::Rewritten)?;
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err(UriError::User);
    }
    let same_host =
        url.host_str().zip(uri.host()).is_some_and(|(sent, given)| sent.eq_ignore_ascii_case(given));
    let same_port = url.port_or_known_default() == Some(uri.port_u16().unwrap_or(default_port));
    if same_host && same_port && url.path() == uri.path() && url.query() == uri.query() {
        Ok(url)
    } else {
        Err(UriError::Rewritten)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text sent for a URI, or the reason why nothing is sent.
    fn check(uri: &str) -> String {
        match as_given(&uri.parse().unwrap(), true) {
            Ok(url) => url.to_string(),
            Err(error) => format!("{error:?}"),
        }
    }

    #[test]
    fn the_sent_uri_is_the_given_uri() {
        for uri in [
            "https://provider.example/",
            "https://provider.example/v1/checkout_intents/?b=2&a=1&a=",
            "https://provider.example:8443/a//b/",
            "http://127.0.0.1:8080/%7Euser/%2F/.well-known/...",
            "http://[::1]:8080/a;b=c,d:e@f/!$&'()*+",
            "https://provider.example/a?",
            "https://provider.example/?x=%27%20%C3%A4&y=(a)*b;c:d@e/f?g",
            "https://provider.example/a%20b%22?redirect=https%3A%2F%2Fshop.example%2F",
        ] {
            assert_eq!(check(uri), uri);
        }
    }

    #[test]
    fn a_missing_path_is_the_root_as_http_has_it() {
        assert_eq!(check("https://provider.example"), "https://provider.example/");
        assert_eq!(check("https://provider.example?a=1"), "https://provider.example/?a=1");
    }

    #[test]
    fn the_case_of_a_host_and_a_default_port_mean_nothing() {
        assert_eq!(check("HTTPS://Provider.Example:443/A"), "https://provider.example/A");
    }

    #[test]
    fn a_uri_that_reqwest_would_rewrite_is_refused() {
        for uri in [
            "https://provider.example/a/../b",
            "https://provider.example/a/./b",
            "https://provider.example/a/%2e%2E/b",
            "https://provider.example/a/..",
            "https://provider.example/{id}",
            "https://provider.example/a\"b",
            "https://provider.example/a\\b",
            "https://provider.example/ä",
            "https://provider.example/?x='y'",
            "https://127.1/",
            "https://0x7f.0.0.1/",
            "https://[0:0::1]/",
        ] {
            assert_eq!(check(uri), "Rewritten", "{uri}");
        }
    }

    #[test]
    fn a_uri_that_cannot_be_sent_is_refused() {
        assert_eq!(check("/v1/test/ping"), "Scheme");
        assert_eq!(check("provider.example:443"), "Scheme");
        assert_eq!(check("ftp://provider.example/"), "Scheme");
        assert_eq!(check("https://user@provider.example/"), "User");
        assert_eq!(check("https://user:secret@provider.example/"), "User");
        assert_eq!(check("https://@provider.example/"), "User");
    }
    #[test]
    fn a_client_without_tls_refuses_https_uris_alone() {
        let sent = |uri: &str| as_given(&uri.parse().unwrap(), false);
        assert_eq!(sent("https://provider.example/"), Err(UriError::NoTls));
        assert_eq!(sent("HTTPS://provider.example/"), Err(UriError::NoTls));
        assert!(sent("http://provider.example/").is_ok());
    }
}
