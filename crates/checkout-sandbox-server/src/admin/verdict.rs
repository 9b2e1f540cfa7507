//! The verdict on the client of a world, and the releases of goods that the shop tells.

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use checkout_transport::http::StatusCode;
use serde_json::{Value, json};

use super::{Outcome, Server, named};
use crate::fields::Fields;
use crate::problem::{Problem, answer};
use crate::query::Query;
use crate::verdict::Finding;
use crate::verdict::judge::Released;

pub(super) async fn show(
    State(server): Server,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Outcome {
    let mut query = Query::read(query.as_deref());
    let is_final = match query.text("end").as_deref() {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(Problem::field("end", "has to be true or false")),
    };
    query.end()?;
    let world = named(&server, &name)?;
    let verdict = if is_final { world.verdict_at_end() } else { world.verdict() };
    Ok(answer(StatusCode::OK, &verdict.json()))
}

/// Takes the shop's word that the goods of an order are on their way.
pub(super) async fn release(State(server): Server, Path(name): Path<String>, body: Bytes) -> Outcome {
    let mut fields = Fields::read(&body)?;
    let order = fields.text("order")?;
    let checkout = fields.text("checkout")?;
    fields.end()?;
    let (field, released) = match (&order, &checkout) {
        (Some(order), None) => ("order", Released::Order(order)),
        (None, Some(checkout)) => ("checkout", Released::Checkout(checkout)),
        (None, None) => return Err(Problem::field("order", "is missing: the fields are order or checkout")),
        (Some(_), Some(_)) => return Err(Problem::field("checkout", "has no place beside order")),
    };
    let world = named(&server, &name)?;
    let played = world.quiet();
    let now = played.clock.shown().now();
    let findings = played.judge(|judge, witness| judge.release(released, now, witness));
    let unknown = || {
        let message = "no request of this world has made a checkout with this name since the last reset \
                       or fork, and since the start of the server";
        Problem { status: StatusCode::NOT_FOUND, ..Problem::field(field, message) }
    };
    let mut findings = findings.ok_or_else(unknown)?;
    world.mask(findings.iter_mut());
    let findings: Vec<Value> = findings.iter().map(Finding::json).collect();
    Ok(answer(StatusCode::OK, &json!({ "findings": findings })))
}
