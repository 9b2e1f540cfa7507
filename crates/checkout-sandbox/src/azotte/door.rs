//! The door of the API: the tenant that sent a request, if the request may come in.

use checkout_transport::http::HeaderMap;
use checkout_transport::http::header::CONTENT_TYPE;
use checkout_transport::http::request::Parts;

use super::refusal::Refusal;
use super::tenant::Tenant;

/// The number of the tenant that sent a request, if both headers pass. `tenant` finds a tenant by `x-tn`.
pub(super) fn authenticate<'a>(
    head: &Parts,
    tenant: impl FnOnce(&str) -> Option<(usize, &'a Tenant)>,
) -> Result<usize, Refusal> {
    let [x_tn, api_key] = ["x-tn", "x-api-key"].map(|name| only_value(&head.headers, name));
    let (x_tn, api_key) = x_tn.zip(api_key).ok_or(Refusal::Unauthorized)?;
    let (number, tenant) = tenant(x_tn).ok_or(Refusal::Unauthorized)?;
    if tenant.is_sender(x_tn, api_key, head.uri.host()) { Ok(number) } else { Err(Refusal::Unauthorized) }
}

/// The `x-tn` that a request names, if the request names exactly one.
pub(super) fn named_tenant(head: &Parts) -> Option<&str> {
    only_value(&head.headers, "x-tn")
}

/// True if exactly one `Content-Type` says that the body is JSON, with whatever parameters.
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
