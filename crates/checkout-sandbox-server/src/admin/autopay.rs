//! The time after which a world's new checkouts are paid by themselves.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use checkout_transport::http::StatusCode;
use serde_json::json;

use super::{Outcome, Server, named};
use crate::fields::Fields;
use crate::problem::{Problem, answer};
use crate::world::World;

pub(super) async fn show(State(server): Server, Path(name): Path<String>) -> Outcome {
    Ok(shown(&*named(&server, &name)?))
}

pub(super) async fn set(State(server): Server, Path(name): Path<String>, body: Bytes) -> Outcome {
    let mut fields = Fields::read(&body)?;
    let after = fields.number("after_ms", 0, MOST_MS)?;
    fields.end()?;
    let after = after.ok_or_else(|| Problem::field("after_ms", "is missing"))?;
    let world = named(&server, &name)?;
    world.set_autopay(Some(Duration::from_millis(after)));
    Ok(shown(&world))
}

pub(super) async fn end(State(server): Server, Path(name): Path<String>) -> Outcome {
    let world = named(&server, &name)?;
    world.set_autopay(None);
    Ok(shown(&world))
}

fn shown(world: &World) -> axum::response::Response {
    let after = world.autopay().and_then(|after| u64::try_from(after.as_millis()).ok());
    answer(StatusCode::OK, &json!({ "after_ms": after }))
}

/// The longest time: 31 days.
const MOST_MS: u64 = 31 * 24 * 3_600_000;
