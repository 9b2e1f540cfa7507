//! The route that a request is for.

use checkout_tables::allscale::Route;

use crate::percent;

/// The target that a method and a path lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target<'a> {
    /// A route, and the segment of the path with the id as the client sent the segment. Empty if the route
    /// has no id.
    Route(Route, &'a str),
    /// A path of the API, with a method that the path does not have.
    WrongMethod,
    /// A path that is not the API's.
    Unknown,
}

impl<'a> Target<'a> {
    /// The target of a request. The paths are typed from the pages, and not from the table that is under
    /// test. Create's path ends in a slash, and no other path does.
    pub(super) fn of(method: &str, path: &'a str) -> Self {
        let (route, allowed, id) = match path {
            "/v1/checkout_intents/" => (Route::Create, "POST", ""),
            "/v1/test/ping" => (Route::Ping, "GET", ""),
            "/v1/test/fail" => (Route::Fail, "GET", ""),
            "/v1/test/post" => (Route::Post, "POST", ""),
            _ => match path.strip_prefix("/v1/checkout_intents/").map(|rest| (rest, rest.split_once('/'))) {
                Some((id, None)) => (Route::Get, "GET", id),
                Some((_, Some((id, "status")))) if !id.is_empty() => (Route::Status, "GET", id),
                _ => return Self::Unknown,
            },
        };
        if method == allowed { Self::Route(route, id) } else { Self::WrongMethod }
    }

    pub(super) fn route(self) -> Option<Route> {
        match self {
            Self::Route(route, _) => Some(route),
            Self::WrongMethod | Self::Unknown => None,
        }
    }
}

/// The intent's id in a segment of a path: 24 hexadecimal digits, percent-decoded and in lower case.
pub(super) fn intent_id(segment: &str) -> Option<String> {
    let id = percent::segment(segment)?;
    let is_id = id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then(|| id.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: &str, path: &str) -> String {
        match Target::of(method, path) {
            Target::Route(route, id) => {
                format!("{route:?} {}", intent_id(id).unwrap_or_else(|| "-".to_owned()))
            }
            target @ (Target::WrongMethod | Target::Unknown) => format!("{target:?}"),
        }
    }

    #[test]
    fn a_path_leads_to_its_route_alone() {
        const ID: &str = "65b2f3d0d2d9c0a1b2c3d4e5";
        let intent = format!("/v1/checkout_intents/{ID}");
        let table = [
            ("POST", "/v1/checkout_intents/", "Create -"),
            ("post", "/v1/checkout_intents/", "WrongMethod"),
            ("GET", "/v1/checkout_intents/", "WrongMethod"),
            ("POST", "/v1/checkout_intents", "Unknown"),
            ("GET", "/v1/checkout_intents", "Unknown"),
            ("GET", &intent, "Get 65b2f3d0d2d9c0a1b2c3d4e5"),
            ("GET", &intent.to_uppercase().replace("/V1/CHECKOUT_INTENTS", "/v1/checkout_intents"), {
                "Get 65b2f3d0d2d9c0a1b2c3d4e5"
            }),
            ("DELETE", &intent, "WrongMethod"),
            ("GET", &format!("{intent}/"), "Unknown"),
            ("GET", &format!("{intent}/status"), "Status 65b2f3d0d2d9c0a1b2c3d4e5"),
            ("GET", &format!("{intent}/status/"), "Unknown"),
            ("GET", &format!("{intent}0"), "Get -"),
            ("GET", "/v1/checkout_intents/%36%35b2f3d0d2d9c0a1b2c3d4e5", "Get 65b2f3d0d2d9c0a1b2c3d4e5"),
            ("GET", "/v1/checkout_intents/%65%5b2f3d0d2d9c0a1b2c3d4e5", "Get -"),
            ("GET", "/v1/checkout_intents/65b2f3d0d2d9c0a1b2c3d4e%", "Get -"),
            ("GET", "/v1/checkout_intents/%2e%2e/status", "Status -"),
            ("GET", "/v1/checkout_intents//status", "Unknown"),
            ("GET", "/v1/checkout_intents/status", "Get -"),
            ("GET", "/v2/checkout_intents/", "Unknown"),
            ("GET", "/v1/test/ping", "Ping -"),
            ("GET", "/v1/test/ping/", "Unknown"),
            ("GET", "/v1/test/fail", "Fail -"),
            ("POST", "/v1/test/post", "Post -"),
            ("GET", "/v1/test/post", "WrongMethod"),
            ("GET", "", "Unknown"),
        ];
        for (method, path, expected) in table {
            assert_eq!(check(method, path), expected, "{method} {path}");
        }
    }
}
