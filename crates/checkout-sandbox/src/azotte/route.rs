//! The route that a request is for.

use checkout_tables::azotte::Route;

/// The target that a method and a path lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target<'a> {
    Submit,
    /// The segment of the path with the tracking number, as the client sent the segment.
    Status(&'a str),
    /// A path of the API, with a method that the path does not have.
    WrongMethod,
    /// A path that is not the API's.
    Unknown,
}

impl<'a> Target<'a> {
    /// The target of a request. The paths are typed from the page's curl, and not from the table that is
    /// under test.
    pub(super) fn of(method: &str, path: &'a str) -> Self {
        let Some(rest) = path.strip_prefix("/api/v1/c2a/offer/checkout") else { return Self::Unknown };
        let (target, allowed) = match rest.strip_prefix('/').map(|rest| rest.split_once('/')) {
            None if rest.is_empty() => (Self::Submit, "POST"),
            Some(Some((tracking, "status"))) if !tracking.is_empty() => (Self::Status(tracking), "GET"),
            _ => return Self::Unknown,
        };
        if method == allowed { target } else { Self::WrongMethod }
    }

    pub(super) fn route(self) -> Option<Route> {
        match self {
            Self::Submit => Some(Route::SubmitCheckout),
            Self::Status(_) => Some(Route::CheckoutStatus),
            Self::WrongMethod | Self::Unknown => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::percent;

    fn check(method: &str, path: &str) -> String {
        match Target::of(method, path) {
            Target::Status(segment) => {
                format!("Status {}", percent::segment(segment).unwrap_or_else(|| "-".into()))
            }
            target @ (Target::Submit | Target::WrongMethod | Target::Unknown) => format!("{target:?}"),
        }
    }

    #[test]
    fn a_path_leads_to_its_route_alone() {
        let table = [
            ("POST", "/api/v1/c2a/offer/checkout", "Submit"),
            ("post", "/api/v1/c2a/offer/checkout", "WrongMethod"),
            ("GET", "/api/v1/c2a/offer/checkout", "WrongMethod"),
            ("POST", "/api/v1/c2a/offer/checkout/", "Unknown"),
            ("POST", "/api/v1/c2a/offer/checkouts", "Unknown"),
            ("POST", "/api/c2a/offer/checkout", "Unknown"),
            ("POST", "/API/v1/c2a/offer/checkout", "Unknown"),
            ("GET", "/api/v1/c2a/offer/checkout/trk_1/status", "Status trk_1"),
            ("GET", "/api/v1/c2a/offer/checkout/%74rk%5F1/status", "Status trk_1"),
            ("GET", "/api/v1/c2a/offer/checkout/a%2Fb/status", "Status a/b"),
            ("GET", "/api/v1/c2a/offer/checkout/%ff/status", "Status -"),
            ("GET", "/api/v1/c2a/offer/checkout/%4/status", "Status -"),
            ("GET", "/api/v1/c2a/offer/checkout/%zz/status", "Status -"),
            ("POST", "/api/v1/c2a/offer/checkout/trk_1/status", "WrongMethod"),
            ("GET", "/api/v1/c2a/offer/checkout/trk_1/status/", "Unknown"),
            ("GET", "/api/v1/c2a/offer/checkout/trk_1", "Unknown"),
            ("GET", "/api/v1/c2a/offer/checkout//status", "Unknown"),
            ("GET", "/api/v1/c2a/offer/checkout/a/b/status", "Unknown"),
            ("GET", "", "Unknown"),
        ];
        for (method, path, expected) in table {
            assert_eq!(check(method, path), expected, "{method} {path}");
        }
    }
}
