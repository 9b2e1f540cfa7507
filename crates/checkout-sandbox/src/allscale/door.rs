//! The door of the API: the store that sent a request, if the request may come in.

use checkout_auth::allscale::RequestToSign;
use checkout_tables::Moment;
use checkout_transport::http::HeaderMap;
use checkout_transport::http::request::Parts;

use super::nonces::Nonces;
use super::refusal::{INVALID_SIGNATURE, Refusal};
use super::store::Store;
use crate::skew::Skew;

/// The number of the store that sent a request, if the headers, the time, the signature and the nonce pass.
/// `store` finds a store by API key.
///
/// Assumed: the code of every refusal here for which the pages name no code: all but the refusals
/// of a missing header and of a wrong signature. The message tells the cause.
pub(super) fn authenticate<'a>(
    store: impl FnOnce(&str) -> Option<(usize, &'a Store)>,
    nonces: &mut Nonces,
    window_seconds: u64,
    (now, skew): (Moment, Skew),
    head: &Parts,
    body: &[u8],
) -> Result<usize, Refusal> {
    let headers = &head.headers;
    for name in HEADERS {
        if headers.get(name).is_none_or(|value| value.as_bytes().trim_ascii().is_empty()) {
            return Err(Refusal::missing_header(name));
        }
    }
    let [api_key, timestamp, nonce, signature] = HEADERS.map(|name| only_value(headers, name));
    let (api_key, timestamp, nonce, signature) = (api_key?, timestamp?, nonce?, signature?);

    let (number, store) = store(api_key).ok_or_else(|| refused("unknown api key"))?;
    let timestamp = unix_seconds(timestamp).ok_or_else(|| refused("timestamp is not in unix seconds"))?;
    let apart = i128::from(skew.told(now).unix_seconds()).abs_diff(i128::from(timestamp));
    if apart > u128::from(window_seconds) {
        return Err(refused("timestamp is outside of the allowed time window"));
    }
    let signed = RequestToSign {
        method: head.method.as_str(),
        path: head.uri.path(),
        query: head.uri.query().unwrap_or_default(),
        timestamp,
        nonce,
        body,
    };
    store.key().verify(&signed, signature).map_err(|_| refused("invalid signature"))?;
    if !nonces.spend(number, nonce, now) {
        return Err(refused("nonce has been used already"));
    }
    Ok(number)
}

/// The API key that a request names, if the request names exactly one key.
pub(super) fn named_key(head: &Parts) -> Option<&str> {
    HEADERS.first().and_then(|name| only_value(&head.headers, name).ok())
}

fn refused(message: &str) -> Refusal {
    Refusal::new(INVALID_SIGNATURE, message)
}

fn only_value<'a>(headers: &'a HeaderMap, name: &str) -> Result<&'a str, Refusal> {
    let mut values = headers.get_all(name).iter();
    match (values.next().and_then(|value| value.to_str().ok()), values.next()) {
        (Some(value), None) => Ok(value),
        (None, _) => Err(refused("an authentication header is not text")),
        (Some(_), Some(_)) => Err(refused("an authentication header is given twice")),
    }
}

/// The number in decimal digits, which have no sign and no leading zeros.
fn unix_seconds(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| plain)
}

/// The names of the headers for key, time, nonce and signature, typed from the pages. The `http` crate keeps
/// names in lower case.
const HEADERS: [&str; 4] = ["x-api-key", "x-timestamp", "x-nonce", "x-signature"];
