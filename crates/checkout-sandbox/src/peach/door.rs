//! The door of the API: the reading of a request, and the checks of the sender.

use checkout_transport::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, REFERER};
use checkout_transport::http::request::Parts;

use super::answer::Reply;
use super::form::{self, Pairs};
use super::merchant::Merchant;

/// The pairs of a form, or of JSON.
pub(super) fn form_or_json(head: &Parts, body: &[u8]) -> Result<Pairs, Reply> {
    if media_type(head) == "application/x-www-form-urlencoded" {
        return form::decode(body).ok_or_else(|| Reply::message(400, "The form cannot be read."));
    }
    json(head, body)
}

/// The pairs of JSON.
pub(super) fn json(head: &Parts, body: &[u8]) -> Result<Pairs, Reply> {
    if media_type(head) != "application/json" {
        return Err(Reply::message(415, "The content type is not supported."));
    }
    form::flatten(body).ok_or_else(|| Reply::message(400, "The JSON cannot be read."))
}

/// The `merchantTransactionId` in a request of either version, whatever else the request holds.
pub(super) fn transaction_id(head: &Parts, body: &[u8]) -> Option<String> {
    let pairs = form_or_json(head, body).ok()?;
    form::value_of(&pairs, "merchantTransactionId").map(str::to_owned)
}

/// Refuses a request that the merchant has not signed.
pub(super) fn signature(pairs: &Pairs, merchant: &Merchant) -> Result<(), Reply> {
    let signed = merchant.token().verify(form::borrowed(pairs));
    signed.map(|_| ()).map_err(|_| Reply::message(400, "The signature is invalid."))
}

/// Refuses a request that does not come from an allowed domain.
pub(super) fn referer(head: &Parts, merchant: &Merchant) -> Result<(), Reply> {
    match only_value(head, &REFERER) {
        Some(referer) if merchant.allows(referer) => Ok(()),
        Some(_) | None => Err(Reply::message(400, "The referer is not allowed.")),
    }
}

/// The token of an `Authorization: Bearer …`.
pub(super) fn bearer(head: &Parts) -> Option<&str> {
    only_value(head, &AUTHORIZATION)?.strip_prefix("Bearer ")
}

/// The media type of the request, in lower case, without parameters.
fn media_type(head: &Parts) -> String {
    let value = only_value(head, &CONTENT_TYPE).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn only_value<'a>(head: &'a Parts, name: &HeaderName) -> Option<&'a str> {
    let mut values = head.headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}
