//! The hosts that a request may name.

use std::net::IpAddr;

use checkout_transport::http::header::{HOST, ORIGIN};
use checkout_transport::http::request::Parts;
use checkout_transport::http::uri::Authority;
use checkout_transport::http::{Method, StatusCode, Uri};

use crate::problem::Problem;

/// The hosts that a request may name: this machine, and the host of the public URL.
///
/// A page of a foreign site can have its own name lead to this machine (DNS rebinding), and then reads the
/// answers of every server here that does not look at the name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hosts {
    named: Vec<String>,
}

impl Hosts {
    pub(crate) fn new(named: impl IntoIterator<Item = String>) -> Self {
        Self { named: named.into_iter().collect() }
    }

    /// Refuses a request that names a foreign host.
    pub(crate) fn check(&self, head: &Parts) -> Result<(), Problem> {
        let mut hosts = head.headers.get_all(HOST).iter();
        let host = hosts.next().and_then(|host| host.to_str().ok()?.parse::<Authority>().ok());
        let header_is_allowed = hosts.next().is_none() && host.is_some_and(|host| self.allow(host.host()));
        let target_is_allowed = head.uri.host().is_none_or(|host| self.allow(host));
        if header_is_allowed && target_is_allowed {
            return Ok(());
        }
        let message = "the Host is neither this machine's nor the public URL's: start with --public-url URL";
        Err(Problem::new(StatusCode::FORBIDDEN, message))
    }

    /// Refuses a change that a page of a foreign site sends.
    pub(crate) fn check_origin(&self, head: &Parts) -> Result<(), Problem> {
        let reads = matches!(head.method, Method::GET | Method::HEAD);
        let origins = head.headers.get_all(ORIGIN).iter();
        let is_allowed = |origin: &str| {
            origin.parse::<Uri>().is_ok_and(|origin| origin.host().is_some_and(|host| self.allow(host)))
        };
        let mut origins = origins.map(|origin| origin.to_str().unwrap_or_default());
        if reads || origins.all(is_allowed) {
            return Ok(());
        }
        Err(Problem::new(StatusCode::FORBIDDEN, "the Origin is a foreign site"))
    }

    fn allow(&self, host: &str) -> bool {
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        let address = address.ok().map(|address| address.to_canonical());
        let is_named = |named: &String| {
            let same = || named.parse::<IpAddr>().ok().map(|named| named.to_canonical()) == address;
            named.eq_ignore_ascii_case(host) || (address.is_some() && same())
        };
        address.is_some_and(|address| address.is_loopback())
            || host.eq_ignore_ascii_case("localhost")
            || self.named.iter().any(is_named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use checkout_transport::http::Request;

    #[test]
    fn a_host_is_this_machine_s_or_the_public_url_s() {
        let hosts = Hosts::new(["dev.example".to_owned()]);
        for (host, allowed) in [
            ("localhost", true),
            ("LOCALHOST:80", true),
            ("127.0.0.1:4700", true),
            ("127.9.9.9", true),
            ("[::1]:4700", true),
            ("dev.example", true),
            ("Dev.Example:443", true),
            ("localhost.evil.example", false),
            ("evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("user@evil.example", false),
            ("127.0.0.1@evil.example:4700", false),
            ("10.0.0.1", false),
            ("0.0.0.0", false),
            ("[::2]", false),
            ("", false),
            ("a b", false),
        ] {
            let (head, ()) = Request::get("/").header(HOST, host).body(()).unwrap().into_parts();
            assert_eq!(hosts.check(&head).is_ok(), allowed, "{host}");
        }
    }

    #[test]
    fn two_hosts_or_none_or_a_foreign_target_are_refused() {
        let check = |uri: &str, named: &[&str]| {
            let request = named.iter().fold(Request::get(uri), |request, host| request.header(HOST, *host));
            Hosts::default().check(&request.body(()).unwrap().into_parts().0).is_ok()
        };
        assert!(check("http://localhost:1/", &["localhost:1"]));
        assert!(!check("/", &[]));
        assert!(!check("/", &["localhost", "evil.example"]));
        assert!(!check("/", &["localhost", "localhost"]));
        assert!(!check("http://evil.example/", &["localhost"]));
        assert!(!check("http://localhost/", &["evil.example"]));
    }

    #[test]
    fn a_foreign_page_changes_nothing() {
        let check = |method: &str, origin: &str| {
            let request = Request::builder().method(method).header(ORIGIN, origin).body(()).unwrap();
            Hosts::default().check_origin(&request.into_parts().0).is_ok()
        };
        assert!(check("POST", "http://localhost:4700") && check("GET", "https://evil.example"));
        for origin in
            ["https://evil.example", "null", "", "http://127.0.0.1.evil.example", "localhost:4700/x"]
        {
            assert!(!check("POST", origin), "{origin}");
        }
    }
}
