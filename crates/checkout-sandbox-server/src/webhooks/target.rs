//! The place that a webhook goes to, and the hosts that a webhook may go to.

use std::net::IpAddr;

use checkout_transport::http::Uri;

/// The hosts that webhooks may go to: this machine, and the hosts that somebody has allowed by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Targets {
    allowed: Vec<String>,
}

impl Targets {
    pub(crate) fn new(allowed: Vec<String>) -> Self {
        Self { allowed }
    }

    /// The target with this URL, or the reason why no webhook goes there.
    pub(crate) fn of(&self, url: &str) -> Result<Target, String> {
        let uri: Uri = url.parse().map_err(|_| "is no URL".to_owned())?;
        let authority = uri.authority().ok_or_else(|| "is no whole URL".to_owned())?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if authority.as_str().contains('@') || url.contains('#') || host.is_empty() {
            return Err("has a user, a fragment or no host".to_owned());
        }
        if uri.scheme_str() != Some("http") {
            let message = "is not http: the server sends webhooks over http alone, so put a proxy in front";
            return Err(message.to_owned());
        }
        let is_here = host.eq_ignore_ascii_case("localhost")
            || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        if !is_here && !self.allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(&host)) {
            return Err(format!("{host} is not this machine: start with --allow-target {host}"));
        }
        let port = authority.port_u16().unwrap_or(80);
        let authority = authority.as_str().to_owned();
        Ok(Target { url: url.to_owned(), authority, host, port, uri })
    }
}

/// A place that a webhook may go to.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// The URL, as somebody has written the URL.
    pub(crate) url: String,
    pub(crate) authority: String,
    pub(crate) host: String,
    pub(crate) port: u16,
    uri: Uri,
}

impl Target {
    pub(crate) fn path(&self) -> &str {
        self.uri.path()
    }

    pub(crate) fn query(&self) -> &str {
        self.uri.query().unwrap_or_default()
    }

    /// The path and the query, as the line of a request has them.
    pub(crate) fn path_and_query(&self) -> &str {
        self.uri.path_and_query().map_or("/", |target| target.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_and_the_allowed_hosts_are_targets() {
        let targets = Targets::new(vec!["shop.test".to_owned()]);
        for url in ["http://127.0.0.1:1/a?b=c", "http://LOCALHOST/", "http://[::1]:1", "http://shop.TEST/x"] {
            assert!(targets.of(url).is_ok(), "{url}");
        }
        for url in [
            "http://shop.example/",
            "http://127.0.0.1.shop.example/",
            "http://localhost@shop.example/",
            "http://shop.test@localhost/",
            "http://0.0.0.0/",
            "http://10.0.0.1/",
            "https://127.0.0.1/",
            "http://127.0.0.1/#a",
            "ftp://127.0.0.1/",
            "/hooks",
            "",
        ] {
            assert!(targets.of(url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_target_has_the_parts_of_its_url() {
        let target = Targets::default().of("http://127.0.0.1:9/a?b=c").unwrap();
        assert_eq!((target.path(), target.query(), target.path_and_query()), ("/a", "b=c", "/a?b=c"));
        assert_eq!((&*target.host, target.port, &*target.authority), ("127.0.0.1", 9, "127.0.0.1:9"));
        assert_eq!(Targets::default().of("http://localhost").unwrap().path_and_query(), "/");
    }
}
