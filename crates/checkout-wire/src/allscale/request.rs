//! Requests to bytes.

use crate::json::raw_value;
use alloc::string::String;
use alloc::vec::Vec;
use checkout_tables::allscale::{Route, StableCoin};
use checkout_validate::PathSegment;
use checkout_validate::allscale::{CreateIntent, Price};
use serde::Serialize;
use serde_json::value::RawValue;

/// The body of a create request, in the order of the documented samples. Unset fields are left out, and
/// integers are integers.
///
/// Source: *Create Checkout Intent*, v4, 2026-05-06, Request Fields.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::Cents;
/// use checkout_kit::allscale::{Currency, Draft};
///
/// let intent = Draft::fiat(Currency::EUR, Cents::new(100)).order_id("order_123").check()?;
/// let body = checkout_kit::wire::allscale::create_body(&intent);
/// assert_eq!(body, br#"{"currency":44,"amount_cents":100,"order_id":"order_123"}"#);
/// # Ok::<(), checkout_validate::allscale::Violations>(())
/// ```
#[must_use]
pub fn create_body(intent: &CreateIntent<'_>) -> Vec<u8> {
    let (currency, stable_coin) = match intent.price() {
        Price::Fiat { currency, .. } => (Some(currency.value()), None),
        Price::Coin { coin, .. } => (None, Some(coin.value())),
    };
    let body = CreateBody {
        currency,
        stable_coin,
        amount_cents: intent.price().amount().get(),
        order_id: intent.order_id(),
        order_description: intent.order_description(),
        user_id: intent.user_id(),
        user_name: intent.user_name(),
        redirect_url: intent.redirect_url(),
        // A checked intent's metadata is an object; other metadata could not be written and would be left
        // out.
        extra: intent.extra().and_then(|extra| raw_value(extra).ok()),
        accepted_stable_coins: intent.accepted(),
    };
    // Text, integers and raw JSON into memory: no part can fail.
    serde_json::to_vec(&body).unwrap_or_default()
}

/// Returns the path of a route, with the id if the route has an id. `None` if the two do not fit: a route
/// with an id in the path and no id given, or a route without an id and an id given.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::allscale::Route;
/// use checkout_kit::validate::PathSegment;
/// use checkout_kit::wire::allscale::path;
///
/// let id = PathSegment::new("65b2f3d0d2d9c0a1b2c3d4e5")?;
/// let status = path(Route::Status, Some(id));
/// assert_eq!(status.as_deref(), Some("/v1/checkout_intents/65b2f3d0d2d9c0a1b2c3d4e5/status"));
/// assert_eq!(path(Route::Create, None).as_deref(), Some("/v1/checkout_intents/"));
/// assert_eq!(path(Route::Status, None), None);
/// # Ok::<(), checkout_validate::IdError>(())
/// ```
#[must_use]
pub fn path(route: Route, id: Option<PathSegment<'_>>) -> Option<String> {
    crate::path::fill(route.path(), ID, id)
}

#[derive(Serialize)]
struct CreateBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stable_coin: Option<u8>,
    amount_cents: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    redirect_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extra: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted_stable_coins: Option<&'a [StableCoin]>,
}

const ID: &str = "{checkout_intent_id}";
