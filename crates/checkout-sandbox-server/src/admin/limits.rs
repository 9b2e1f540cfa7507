//! The limits of a world.

use axum::extract::{Path, State};
use checkout_transport::http::StatusCode;
use serde_json::{Value, json};

use super::{Outcome, Server, named};
use crate::limits;
use crate::problem::answer;

pub(super) async fn list(State(server): Server, Path(name): Path<String>) -> Outcome {
    let world = named(&server, &name)?;
    let limits = limits::of(&world.quiet(), world.keys()).into_iter().map(|(provider, counted, of)| {
        json!({
            "provider": provider.key(),
            "limit": counted,
            "most": of.most,
            "used": of.used,
            "room": of.room(),
            "room_at_unix_ms": of.room_at.unix_millis(),
        })
    });
    Ok(answer(StatusCode::OK, &json!({ "limits": limits.collect::<Vec<Value>>() })))
}
