//! Who sent a request, if it may come in.

use checkout_transport::http::HeaderMap;
use checkout_transport::http::header::CONTENT_TYPE;
use checkout_transport::http::request::Parts;

use super::refusal::Refusal;
use super::tenant::Tenant;

/// The number of the tenant that sent a request, once both its headers have passed.
pub(super) fn authenticate(tenants: &[Tenant], head: &Parts) -> Result<usize, Refusal> {
    let sender =
        |x_tn, api_key| tenants.iter().position(|tenant| tenant.is_sender(x_tn, api_key, head.uri.host()));
    let [x_tn, api_key] = ["x-tn", "x-api-key"].map(|name| only_value(&head.headers, name));
    x_tn.zip(api_key).and_then(|(x_tn, api_key)| sender(x_tn, api_key)).ok_or(Refusal::Unauthorized)
}

/// Whether the body is said to be JSON, once, with whatever parameters.
pub(super) fn has_json_body(headers: &HeaderMap) -> bool {
    only_value(headers, CONTENT_TYPE.as_str()).is_some_and(|value| {
        let essence = value.split(';').next().unwrap_or_default();
        essence.trim().eq_ignore_ascii_case("application/json")
    })
}

fn only_value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}
