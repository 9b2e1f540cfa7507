//! The timeline of a checkout.

use axum::extract::{Path, RawQuery, State};
use checkout_transport::http::StatusCode;
use serde_json::{Value, json};

use super::requests::limit;
use super::{Outcome, Server, named};
use crate::courier;
use crate::mask::Mask;
use crate::pages;
use crate::problem::{Problem, answer};
use crate::query::Query;
use crate::timeline;

pub(super) async fn show(
    State(server): Server,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Outcome {
    let mut query = Query::read(query.as_deref());
    let checkout = query.text("checkout");
    let skip = query.number("skip")?.and_then(|skip| usize::try_from(skip).ok()).unwrap_or(0);
    let limit = limit(&mut query)?;
    query.end()?;
    let checkout = checkout.ok_or_else(|| Problem::field("checkout", "is missing"))?;
    let world = named(&server, &name)?;
    courier::look(&world);
    let played = world.quiet();
    let unknown = || Problem::field("checkout", "no checkout of the world has this id");
    let (provider, statuses) = pages::statuses(&played, &checkout)
        .ok_or_else(|| Problem { status: StatusCode::NOT_FOUND, ..unknown() })?;
    let mask = Mask::of(world.keys());
    let all = timeline::of(&played, &mask, &checkout, statuses);
    let end = all.len().saturating_sub(skip);
    let begin = end.saturating_sub(limit);
    let shown: Vec<Value> =
        all.get(begin..end).unwrap_or_default().iter().map(|happened| happened.to_json(&mask)).collect();
    let timeline = json!({
        "checkout": checkout,
        "provider": provider,
        "count": all.len(),
        "older": begin,
        "timeline": shown,
    });
    Ok(answer(StatusCode::OK, &timeline))
}
