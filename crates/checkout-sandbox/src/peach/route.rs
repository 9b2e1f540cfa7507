//! The route that a request is for.

use checkout_tables::peach::Route;
use checkout_transport::http::Uri;

/// The target that a method, a host and a path lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target<'a> {
    Initiate,
    Validate,
    Status,
    Token,
    CreateCheckout,
    /// The checkout's id, in the encoding of the path.
    CheckoutStatus(&'a str),
    /// A path of the host, with a method that the path does not have.
    WrongMethod,
    /// A path that is not the host's, or a host that is not Peach's.
    Unknown,
}

/// The hosts that the sandbox answers on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hosts {
    Live,
    Sandbox,
    /// Any host that a request names.
    Any,
}

impl<'a> Target<'a> {
    /// The target of a request. The paths and the hosts are typed from the pages, and not from the table that
    /// is under test.
    pub(super) fn of(hosts: Hosts, method: &str, uri: &'a Uri) -> Self {
        let path = uri.path();
        let (target, allowed) = match path {
            "/checkout/initiate" => (Self::Initiate, "POST"),
            "/checkout/validate" => (Self::Validate, "POST"),
            "/status" => (Self::Status, "GET"),
            "/api/oauth/token" => (Self::Token, "POST"),
            "/v2/checkout" => (Self::CreateCheckout, "POST"),
            _ => {
                let id = path.strip_prefix("/v2/checkout/").and_then(|rest| rest.strip_suffix("/status"));
                match id {
                    Some(id) if !id.is_empty() && !id.contains('/') => (Self::CheckoutStatus(id), "GET"),
                    Some(_) | None => return Self::Unknown,
                }
            }
        };
        if !hosts.have(uri, target == Self::Token) {
            return Self::Unknown;
        }
        if method == allowed { target } else { Self::WrongMethod }
    }

    pub(super) fn route(self) -> Option<Route> {
        match self {
            Self::Initiate => Some(Route::Initiate),
            Self::Validate => Some(Route::Validate),
            Self::Status => Some(Route::Status),
            Self::Token => Some(Route::Token),
            Self::CreateCheckout => Some(Route::CreateCheckout),
            Self::CheckoutStatus(_) => Some(Route::CheckoutStatus),
            Self::WrongMethod | Self::Unknown => None,
        }
    }
}

impl Hosts {
    /// The host of the checkout.
    pub(super) fn checkout(self) -> &'static str {
        match self {
            Self::Live => "secure.peachpayments.com",
            Self::Sandbox | Self::Any => "testsecure.peachpayments.com",
        }
    }

    fn have(self, uri: &Uri, authentication: bool) -> bool {
        let host = match (self, authentication) {
            (Self::Any, _) => return true,
            (Self::Live, true) => "dashboard.peachpayments.com",
            (Self::Sandbox, true) => "sandbox-dashboard.peachpayments.com",
            (Self::Live | Self::Sandbox, false) => self.checkout(),
        };
        let port_is_usual = uri.port_u16().is_none_or(|port| port == 443);
        uri.scheme_str() == Some("https")
            && port_is_usual
            && uri.host().is_some_and(|named| named.eq_ignore_ascii_case(host))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(hosts: Hosts, method: &str, uri: &str) -> String {
        format!("{:?}", Target::of(hosts, method, &uri.parse().unwrap()))
    }

    #[test]
    fn a_path_leads_to_its_route_alone() {
        let table = [
            ("POST", "/checkout/initiate", "Initiate"),
            ("GET", "/checkout/initiate", "WrongMethod"),
            ("post", "/checkout/initiate", "WrongMethod"),
            ("POST", "/checkout/initiate/", "Unknown"),
            ("POST", "/checkout", "Unknown"),
            ("POST", "/checkout/validate", "Validate"),
            ("GET", "/status?a=b", "Status"),
            ("POST", "/status", "WrongMethod"),
            ("POST", "/v2/checkout", "CreateCheckout"),
            ("GET", "/v2/checkout", "WrongMethod"),
            ("GET", "/v2/checkout/c1/status", "CheckoutStatus(\"c1\")"),
            ("GET", "/v2/checkout/a%2Fb/status", "CheckoutStatus(\"a%2Fb\")"),
            ("POST", "/v2/checkout/c1/status", "WrongMethod"),
            ("GET", "/v2/checkout/c1", "Unknown"),
            ("GET", "/v2/checkout//status", "Unknown"),
            ("GET", "/v2/checkout/a/b/status", "Unknown"),
            ("GET", "/v2/checkout/status", "Unknown"),
            ("POST", "/api/oauth/token", "Unknown"),
            ("GET", "/", "Unknown"),
        ];
        for (method, path, expected) in table {
            let uri = format!("https://testsecure.peachpayments.com{path}");
            assert_eq!(check(Hosts::Sandbox, method, &uri), expected, "{method} {path}");
        }
    }

    #[test]
    fn each_environment_has_its_two_hosts_and_the_token_its_own() {
        let hosts = [
            "secure.peachpayments.com",
            "dashboard.peachpayments.com",
            "testsecure.peachpayments.com",
            "SANDBOX-dashboard.peachpayments.com:443",
            "secure.peachpayments.com.example",
        ];
        let answered = |answering, method, path| {
            hosts.map(|host| check(answering, method, &format!("https://{host}{path}")) != "Unknown")
        };
        let all = |hosts| {
            [("GET", "/status"), ("POST", "/v2/checkout"), ("POST", "/checkout/initiate")]
                .map(|(method, path)| answered(hosts, method, path))
        };
        assert_eq!(all(Hosts::Live), [[true, false, false, false, false]; 3]);
        assert_eq!(all(Hosts::Sandbox), [[false, false, true, false, false]; 3]);
        assert_eq!(all(Hosts::Any), [[true; 5]; 3]);
        let token = |hosts| answered(hosts, "POST", "/api/oauth/token");
        assert_eq!(token(Hosts::Live), [false, true, false, false, false]);
        assert_eq!(token(Hosts::Sandbox), [false, false, false, true, false]);
    }

    #[test]
    fn nothing_is_answered_in_the_clear_or_on_another_port() {
        for uri in [
            "http://secure.peachpayments.com/status",
            "https://secure.peachpayments.com:8443/status",
            "/status",
        ] {
            assert_eq!(check(Hosts::Live, "GET", uri), "Unknown", "{uri}");
            assert_eq!(check(Hosts::Any, "GET", uri), "Status", "{uri}");
        }
    }
}
