//! A request as a call of the client `checkout-kit`.

use serde_json::Value;

use super::variable;
use crate::mask::Body;
use crate::place::Api;
use crate::shown::Shown;

/// The call. `None` if the client has no call for the request, or the request's fields make no draft.
pub(super) fn text(shown: &Shown) -> Option<String> {
    let body = match &shown.body {
        Body::Text(text) => text,
        Body::Empty | Body::Bytes(_) => "",
    };
    let segments: Vec<&str> = shown.path.split('/').filter(|segment| !segment.is_empty()).collect();
    let (uses, client, call) = match (shown.api, shown.route.as_deref()?, &*segments) {
        (Api::AllScale, "create", _) => allscale(&serde_json::from_str(body).ok()?)?,
        (Api::AllScale, call @ ("get" | "status"), [_, _, id, ..]) => {
            (ALLSCALE, ALLSCALE_CLIENT, format!("client.{call}({})?", quoted(id)))
        }
        (Api::AllScale, "ping", _) => (ALLSCALE, ALLSCALE_CLIENT, "client.ping()".to_owned()),
        (Api::Azotte, "submit_checkout", _) => azotte(&serde_json::from_str(body).ok()?)?,
        (Api::Azotte, "checkout_status", [.., id, _]) => {
            (AZOTTE, AZOTTE_CLIENT, format!("client.status({})?", quoted(id)))
        }
        (Api::Peach, "initiate" | "validate", _) => {
            let call = shown.route.as_deref()?;
            let pairs: Vec<(String, String)> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
            let of =
                |name: &str| pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
            (PEACH, PEACH_CLIENT, format!("{}client.{call}(&checkout)?", peach(&of)?))
        }
        (Api::Peach, "status", _) => {
            let query = shown.query.as_deref().unwrap_or_default();
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            let (_, id) = pairs.find(|(name, _)| name == "merchantTransactionId")?;
            let lookup = format!("Lookup::from(MerchantTransactionId::new({})?)", quoted(&id));
            (PEACH_STATUS, PEACH_CLIENT, format!("client.status({lookup})"))
        }
        (Api::Peach, "create_checkout", _) => {
            let json: Value = serde_json::from_str(body).ok()?;
            let of = |name: &str| match json.get(name)? {
                Value::String(text) => Some(text.clone()),
                Value::Number(number) => Some(number.to_string()),
                Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
            };
            (PEACH_V2_CREATE, PEACH_V2_CLIENT, format!("{}client.create(&checkout)?", peach(&of)?))
        }
        (Api::Peach, "checkout_status", [_, _, id, _]) => {
            (PEACH_V2, PEACH_V2_CLIENT, format!("client.status({})?", quoted(id)))
        }
        _ => return None,
    };
    // The draft stands before the call.
    let (before, call) = call.rsplit_once('\n').map_or(("", &*call), |(before, call)| (before, call));
    let before = if before.is_empty() { String::new() } else { format!("{before}\n") };
    Some(format!(
        "{uses}\nuse std::env::var;\n\nfn main() -> Result<(), Box<dyn std::error::Error>> {{\n    let transport = \
         checkout_reqwest::Blocking::new()?;\n{}{before}    let answer = {call}.send_blocking(&transport)?;\n    \
         println!(\"{{:?}}\", answer.payload);\n    Ok(())\n}}\n",
        filled(client)
    ))
}

type Parts = (&'static str, &'static str, String);

fn allscale(body: &Value) -> Option<Parts> {
    let number = |name: &str| body.get(name).and_then(Value::as_i64);
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let cents = number("amount_cents")?;
    let mut draft = String::new();
    match (number("currency"), number("stable_coin")) {
        (Some(currency), None) => {
            draft.push_str(&format!(
                "    let currency = Currency::from_value({currency}).ok_or(\"no such currency\")?;\n"
            ));
            draft.push_str(&format!("    let draft = Draft::fiat(currency, Cents::new({cents}))"));
        }
        (None, Some(coin)) => {
            draft.push_str(&format!(
                "    let coin = StableCoin::from_value({coin}).ok_or(\"no such coin\")?;\n"
            ));
            draft.push_str(&format!("    let draft = Draft::coin(coin, Cents::new({cents}))"));
        }
        _ => return None,
    }
    for name in ["order_id", "order_description", "user_id", "user_name", "redirect_url"] {
        if let Some(text) = text(name) {
            draft.push_str(&format!("\n        .{name}({})", quoted(text)));
        }
    }
    if let Some(extra) = body.get("extra").filter(|extra| extra.is_object()) {
        draft.push_str(&format!("\n        .extra({})", quoted(&extra.to_string())));
    }
    draft.push_str("\n        .check()?;\n");
    let uses = if number("currency").is_some() { ALLSCALE_FIAT } else { ALLSCALE_COIN };
    Some((uses, ALLSCALE_CLIENT, format!("{draft}client.create(&draft)")))
}

fn azotte(body: &Value) -> Option<Parts> {
    let (order, method) = (body.get("order")?, body.get("paymentMethod")?);
    let channel = method.get("paymentChannel")?.as_str()?;
    let known = ["CreditCard", "PayPal", "Klarna", "SEPA", "Bank"].contains(&channel);
    let is_stored = method.get("useStoredMethod").and_then(Value::as_bool) == Some(true);
    let has_card = method.get("creditCard").is_some_and(|card| !card.is_null());
    if !known || has_card {
        return None;
    }
    let kind = if is_stored { "stored_method" } else { "other" };
    let mut draft = format!("    let draft = Draft::{kind}(PaymentChannel::{channel})");
    for (name, method) in [("offerIdentifier", "offer_identifier"), ("correlationId", "correlation_id")] {
        if let Some(text) = order.get(name).and_then(Value::as_str) {
            draft.push_str(&format!("\n        .{method}({})", quoted(text)));
        }
    }
    for item in order.get("items").and_then(Value::as_array).into_iter().flatten() {
        draft.push_str(&format!("\n        .item({})", quoted(item.get("itemIdentifier")?.as_str()?)));
    }
    let urn = order.get("customer")?.get("customerUrn")?.as_str()?;
    draft.push_str(&format!("\n        .customer_urn({})\n        .check()?;\n", quoted(urn)));
    Some((AZOTTE_SUBMIT, AZOTTE_CLIENT, format!("{draft}client.submit(&draft)")))
}

/// The draft of a checkout of Peach's, from the values of the fields.
fn peach(of: &impl Fn(&str) -> Option<String>) -> Option<String> {
    let amount = of("amount")?;
    let (whole, decimals) = amount.split_once('.').unwrap_or((&amount, "00"));
    let cents: i64 = format!("{whole}{decimals:0<2}").parse().ok()?;
    let currency = of("currency")?;
    if !["ZAR", "USD", "KES", "MUR", "GBP", "EUR"].contains(&&*currency) || decimals.len() > 2 {
        return None;
    }
    let kind = if of("paymentType")? == "PA" { "preauthorization" } else { "debit" };
    let mut draft = format!(
        "    let checkout = Draft::{kind}(Currency::{currency}, Cents::new({cents}))\n        .entity_id(var(\"{}\")?)",
        variable("PEACH_ENTITY_ID")
    );
    let fields = [
        ("merchantTransactionId", "merchant_transaction_id"),
        ("shopperResultUrl", "shopper_result_url"),
        ("cancelUrl", "cancel_url"),
        ("notificationUrl", "notification_url"),
        ("merchantInvoiceId", "merchant_invoice_id"),
        ("defaultPaymentMethod", "default_payment_method"),
    ];
    for (name, method) in fields {
        if let Some(text) = of(name).filter(|text| !text.is_empty()) {
            draft.push_str(&format!("\n        .{method}({})", quoted(&text)));
        }
    }
    draft.push_str("\n        .check()?;\n");
    Some(draft)
}

/// A text of Rust.
fn quoted(text: &str) -> String {
    format!("{text:?}")
}

/// The client, with the names of the environment variables whole.
fn filled(client: &str) -> String {
    client.replace("$", "CHECKOUT_SANDBOX_")
}

const ALLSCALE: &str = "use checkout_kit::allscale::{Client, SigningKey};\nuse checkout_kit::Environment;";
const ALLSCALE_FIAT: &str = "use checkout_kit::allscale::{Client, Currency, Draft, SigningKey};
use checkout_kit::{Cents, Environment};";
const ALLSCALE_COIN: &str = "use checkout_kit::allscale::{Client, Draft, SigningKey, StableCoin};
use checkout_kit::{Cents, Environment};";
const ALLSCALE_CLIENT: &str =
    "    let key = SigningKey::new(var(\"$ALLSCALE_API_KEY\")?, var(\"$ALLSCALE_API_SECRET\")?.into())?;
    let client = Client::builder(key)
        .environment(Environment::Sandbox)
        .base_url(var(\"$ALLSCALE_URL\")?)
        .build()?;
";
const AZOTTE: &str = "use checkout_kit::azotte::Client;\nuse checkout_kit::Environment;";
const AZOTTE_SUBMIT: &str =
    "use checkout_kit::azotte::{Client, Draft, PaymentChannel};\nuse checkout_kit::Environment;";
const AZOTTE_CLIENT: &str =
    "    let client = Client::builder(\"shop\", var(\"$AZOTTE_X_TN\")?, var(\"$AZOTTE_API_KEY\")?.into())
        .environment(Environment::Sandbox)
        .base_url(var(\"$AZOTTE_URL\")?)
        .build()?;
";
const PEACH: &str = "use checkout_kit::peach::{Client, Currency, Draft, SecretToken};
use checkout_kit::{Cents, Environment};";
const PEACH_STATUS: &str = "use checkout_kit::peach::{Client, Lookup, MerchantTransactionId, SecretToken};
use checkout_kit::Environment;";
const PEACH_CLIENT: &str = "    let secret = SecretToken::new(var(\"$PEACH_SECRET_TOKEN\")?.into())?;
    let client = Client::builder(var(\"$PEACH_ENTITY_ID\")?, secret)
        .environment(Environment::Sandbox)
        .referer(var(\"$PEACH_REFERER\")?)
        .base_url(var(\"$PEACH_URL\")?)
        .build()?;
";
const PEACH_V2: &str = "use checkout_kit::peach::v2::{Client, Credentials};\nuse checkout_kit::Environment;";
const PEACH_V2_CREATE: &str = "use checkout_kit::peach::v2::{Client, Credentials};
use checkout_kit::peach::{Currency, Draft};
use checkout_kit::{Cents, Environment};";
const PEACH_V2_CLIENT: &str = "    let credentials = Credentials {
        client_id: var(\"$PEACH_CLIENT_ID\")?,
        client_secret: var(\"$PEACH_CLIENT_SECRET\")?.into(),
        merchant_id: var(\"$PEACH_MERCHANT_ID\")?,
    };
    let client = Client::builder(var(\"$PEACH_ENTITY_ID\")?, credentials)
        .environment(Environment::Sandbox)
        .referer(var(\"$PEACH_REFERER\")?)
        .base_url(var(\"$PEACH_URL\")?)
        .auth_url(var(\"$PEACH_AUTH_URL\")?)
        .build()?;
    client.authenticate_blocking(&transport)?;
";
