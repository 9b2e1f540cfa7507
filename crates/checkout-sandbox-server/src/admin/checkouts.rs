//! The checkouts of a world, of all providers.

use axum::extract::{Path, State};
use checkout_sandbox::{allscale, azotte, peach};
use checkout_tables::allscale::IntentStatus;
use checkout_transport::http::StatusCode;
use serde_json::{Value, json};

use super::{Outcome, Server, named};
use crate::problem::answer;

pub(super) async fn list(State(server): Server, Path(name): Path<String>) -> Outcome {
    let played = named(&server, &name)?.played();
    let of_allscale = played.allscale.intents().into_iter().map(|intent| of_allscale(&intent));
    let of_azotte = played.azotte.checkouts().into_iter().map(|checkout| of_azotte(&checkout));
    let of_peach = played.peach.checkouts().into_iter().map(|checkout| of_peach(&checkout));
    let checkouts: Vec<Value> = of_allscale.chain(of_azotte).chain(of_peach).collect();
    Ok(answer(StatusCode::OK, &json!({ "checkouts": checkouts })))
}

fn of_allscale(intent: &allscale::IntentRecord) -> Value {
    json!({
        "provider": "allscale",
        "id": intent.id,
        "order": intent.order_id,
        "status": IntentStatus::from_value(intent.status).map(IntentStatus::code),
        "status_number": intent.status,
        "scenario": intent.scenario,
        "created_unix_ms": intent.created_at.unix_millis(),
        "changed_unix_ms": intent.changed_at.unix_millis(),
    })
}

fn of_azotte(checkout: &azotte::CheckoutRecord) -> Value {
    json!({
        "provider": "azotte",
        "id": checkout.tracking_number,
        "order": checkout.correlation_id,
        "status": checkout.message_code,
        "captures": checkout.captures,
        "submits": checkout.submits,
        "channel": checkout.channel,
        "scenario": checkout.scenario,
        "created_unix_ms": checkout.submitted_at.unix_millis(),
        "changed_unix_ms": checkout.changed_at.unix_millis(),
    })
}

fn of_peach(checkout: &peach::CheckoutRecord) -> Value {
    json!({
        "provider": "peach",
        "id": checkout.checkout_id,
        "order": checkout.merchant_transaction_id,
        "status": checkout.code,
        "amount": checkout.amount,
        "currency": checkout.currency,
        "scenario": checkout.scenario,
        "created_unix_ms": checkout.created_at.unix_millis(),
        "changed_unix_ms": checkout.changed_at.unix_millis(),
    })
}
