//! Requests to bytes.

use alloc::string::String;
use alloc::vec::Vec;
use checkout_tables::azotte::Route;
use checkout_validate::azotte::{Card, Item, SubmitCheckout};
use checkout_validate::{ExposeSecret, PathSegment};
use serde::Serialize;

/// The body of a submit. Unset fields are left out.
///
/// With a new card the body holds the card's number and code: give the body to the transport alone, and
/// neither keep nor log the body. With a stored method the body holds neither.
///
/// Source: Azotte C2A, *Submit Checkout*, request fields.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::azotte::{Draft, PaymentChannel};
///
/// let submit = Draft::stored_method(PaymentChannel::CreditCard)
///     .offer_identifier("off_1")
///     .correlation_id("order_123")
///     .item("plan_gold")
///     .customer_urn("urn:customer:42")
///     .check()?;
/// let body = checkout_kit::wire::azotte::submit_body(&submit);
/// assert_eq!(
///     String::from_utf8(body)?,
///     concat!(
///         r#"{"order":{"offerIdentifier":"off_1","correlationId":"order_123","#,
///         r#""items":[{"itemIdentifier":"plan_gold","quantity":1}],"customer":{"customerUrn":"urn:customer:42"}},"#,
///         r#""paymentMethod":{"paymentChannel":"CreditCard","useStoredMethod":true}}"#
///     )
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn submit_body(submit: &SubmitCheckout<'_>) -> Vec<u8> {
    let method = submit.payment_method();
    let body = Body {
        order: Order {
            offer_identifier: submit.offer_identifier(),
            correlation_id: submit.correlation_id(),
            installment_identifier: submit.installment_identifier(),
            reseller_id: submit.reseller_id(),
            items: submit.items().iter().map(OrderItem::of).collect(),
            customer: Customer { customer_urn: submit.customer_urn(), ip_address: submit.ip_address() },
        },
        payment_method: PaymentMethod {
            payment_channel: method.channel().code(),
            provider_identifier: submit.provider_identifier(),
            use_stored_method: method.use_stored_method(),
            credit_card: method.card().map(CreditCard::of),
            store_method_success_payment: submit.store_method_success_payment(),
        },
    };
    // Text, integers and booleans into memory: no part can fail.
    serde_json::to_vec(&body).unwrap_or_default()
}

/// Returns the path of a route, with the tracking number if the route has one. `None` if the two do not fit.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::azotte::Route;
/// use checkout_kit::validate::PathSegment;
/// use checkout_kit::wire::azotte::path;
///
/// let id = PathSegment::new("trk_01HZ9XPZ3K2A8E0VBVQH7N9XGB")?;
/// assert_eq!(
///     path(Route::CheckoutStatus, Some(id)).as_deref(),
///     Some("/api/v1/c2a/offer/checkout/trk_01HZ9XPZ3K2A8E0VBVQH7N9XGB/status")
/// );
/// assert_eq!(path(Route::CheckoutStatus, None), None);
/// # Ok::<(), checkout_validate::IdError>(())
/// ```
#[must_use]
pub fn path(route: Route, tracking_id: Option<PathSegment<'_>>) -> Option<String> {
    crate::path::fill(route.path(), TRACKING_ID, tracking_id)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    order: Order<'a>,
    payment_method: PaymentMethod<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Order<'a> {
    offer_identifier: &'a str,
    correlation_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    installment_identifier: Option<&'a str>,
    #[serde(rename = "resellerID", skip_serializing_if = "Option::is_none")]
    reseller_id: Option<i64>,
    items: Vec<OrderItem<'a>>,
    customer: Customer<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OrderItem<'a> {
    item_identifier: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_item_identifier: Option<&'a str>,
    quantity: u32,
}

impl<'a> OrderItem<'a> {
    fn of(item: &'a Item<'_>) -> Self {
        Self {
            item_identifier: item.item_identifier(),
            parent_item_identifier: item.parent_item_identifier(),
            quantity: item.quantity().get(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Customer<'a> {
    customer_urn: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip_address: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PaymentMethod<'a> {
    payment_channel: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_identifier: Option<&'a str>,
    use_stored_method: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    credit_card: Option<CreditCard<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    store_method_success_payment: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CreditCard<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    card_holder_name: Option<&'a str>,
    card_number: &'a str,
    expire_month: &'a str,
    expire_year: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cvc: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    card_alias: Option<&'a str>,
}

impl<'a> CreditCard<'a> {
    fn of(card: &'a Card<'_>) -> Self {
        Self {
            card_holder_name: card.card_holder_name(),
            card_number: card.card_number().expose_secret(),
            expire_month: card.expire_month().expose_secret(),
            expire_year: card.expire_year().expose_secret(),
            cvc: card.cvc().map(ExposeSecret::expose_secret),
            card_alias: card.card_alias(),
        }
    }
}

const TRACKING_ID: &str = "{trackingId}";
