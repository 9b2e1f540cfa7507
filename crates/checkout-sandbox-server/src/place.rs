//! The place to which the path of a request leads: a provider's API, or the server's own pages.

/// An API of a provider, as a host of the provider's has the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Api {
    AllScale,
    Azotte,
    /// Peach's checkouts, V1 and V2.
    Peach,
    /// Peach's access tokens, which come from a host of their own.
    PeachAuth,
}

impl Api {
    pub(crate) const ALL: [Self; 4] = [Self::AllScale, Self::Azotte, Self::Peach, Self::PeachAuth];

    /// The prefix of the API's paths on the common port.
    pub(crate) const fn prefix(self) -> &'static str {
        match self {
            Self::AllScale => "/allscale",
            Self::Azotte => "/azotte",
            Self::Peach => "/peach",
            Self::PeachAuth => "/peach-auth",
        }
    }

    /// The name of the provider whose API this is.
    pub(crate) const fn provider(self) -> &'static str {
        match self {
            Self::AllScale => "allscale",
            Self::Azotte => "azotte",
            Self::Peach | Self::PeachAuth => "peach",
        }
    }

    /// The provider's host that the sandbox expects in a request.
    pub(crate) const fn host(self) -> &'static str {
        match self {
            Self::AllScale => "openapi.allscale.io",
            // A tenant of no project is let in on every host.
            Self::Azotte => "shop.sandbox.azotte.com",
            Self::Peach => "testsecure.peachpayments.com",
            Self::PeachAuth => "sandbox-dashboard.peachpayments.com",
        }
    }

    /// The API that a path without a prefix belongs to. The paths of the providers have different beginnings.
    fn of_bare(path: &str) -> Option<Self> {
        let first = path.strip_prefix('/')?;
        let (first, rest) = first.split_once('/').unwrap_or((first, ""));
        match first {
            "v1" => Some(Self::AllScale),
            "api" if rest == "oauth" || rest.starts_with("oauth/") => Some(Self::PeachAuth),
            "api" => Some(Self::Azotte),
            "checkout" | "status" | "v2" => Some(Self::Peach),
            _ => None,
        }
    }
}

/// The place to which a path leads, with the rest of the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place<'a> {
    /// A provider's API, with the path that the provider knows.
    Api(Api, &'a str),
    /// The server's own pages.
    Own(&'a str),
    Nowhere,
}

impl<'a> Place<'a> {
    /// The place of a path on the common port. `base` is the path of the public URL, which a proxy in front
    /// may have left in place or taken away.
    pub(crate) fn of(base: &str, path: &'a str) -> Self {
        let path = below(base, path).unwrap_or(path);
        let own = path == "/" || path == "/_" || path.starts_with("/_/");
        if own {
            return Self::Own(path);
        }
        let prefixed = Api::ALL.into_iter().find_map(|api| Some((api, below(api.prefix(), path)?)));
        let found = prefixed.or_else(|| Some((Api::of_bare(path)?, path)));
        found.map_or(Self::Nowhere, |(api, path)| Self::Api(api, path))
    }
}

/// The rest of a path below a prefix, from the slash on. A path that ends with the prefix has the rest `/`.
fn below<'a>(prefix: &str, path: &'a str) -> Option<&'a str> {
    match path.strip_prefix(prefix)? {
        "" => Some("/"),
        rest => rest.starts_with('/').then_some(rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_its_api_with_and_without_a_prefix() {
        let table = [
            ("/allscale/v1/checkout_intents/", Place::Api(Api::AllScale, "/v1/checkout_intents/")),
            ("/allscale/v1/checkout_intents", Place::Api(Api::AllScale, "/v1/checkout_intents")),
            ("/allscale/status", Place::Api(Api::AllScale, "/status")),
            ("/allscale//v1", Place::Api(Api::AllScale, "//v1")),
            ("/allscale", Place::Api(Api::AllScale, "/")),
            ("/allscale2/v1", Place::Nowhere),
            ("/azotte/api/v1/c2a/offer/checkout", Place::Api(Api::Azotte, "/api/v1/c2a/offer/checkout")),
            ("/peach/checkout/initiate", Place::Api(Api::Peach, "/checkout/initiate")),
            ("/peach/api/oauth/token", Place::Api(Api::Peach, "/api/oauth/token")),
            ("/peach-auth/api/oauth/token", Place::Api(Api::PeachAuth, "/api/oauth/token")),
            ("/v1/test/ping", Place::Api(Api::AllScale, "/v1/test/ping")),
            ("/v1", Place::Api(Api::AllScale, "/v1")),
            ("/api/v1/c2a/offer/checkout", Place::Api(Api::Azotte, "/api/v1/c2a/offer/checkout")),
            ("/api/oauth/token", Place::Api(Api::PeachAuth, "/api/oauth/token")),
            ("/api/oauths", Place::Api(Api::Azotte, "/api/oauths")),
            ("/checkout/initiate", Place::Api(Api::Peach, "/checkout/initiate")),
            ("/status", Place::Api(Api::Peach, "/status")),
            ("/v2/checkout", Place::Api(Api::Peach, "/v2/checkout")),
            ("/", Place::Own("/")),
            ("/_/worlds", Place::Own("/_/worlds")),
            ("/_", Place::Own("/_")),
            ("/_x", Place::Nowhere),
            ("/favicon.ico", Place::Nowhere),
            ("//v1/test/ping", Place::Nowhere),
            ("*", Place::Nowhere),
            ("", Place::Own("/")),
        ];
        for (path, expected) in table {
            assert_eq!(Place::of("", path), expected, "{path}");
        }
    }

    #[test]
    fn the_path_of_the_public_url_may_be_there_or_not() {
        for path in ["/dev/sandbox/v1/test/ping", "/v1/test/ping"] {
            assert_eq!(Place::of("/dev/sandbox", path), Place::Api(Api::AllScale, "/v1/test/ping"));
        }
        assert_eq!(Place::of("/dev", "/dev"), Place::Own("/"));
        assert_eq!(Place::of("/dev", "/device"), Place::Nowhere);
    }
}
