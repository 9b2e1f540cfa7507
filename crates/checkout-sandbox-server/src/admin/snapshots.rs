//! The snapshots of a world, and the copy of a world.

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use checkout_tables::Moment;
use checkout_transport::http::{Response, StatusCode};
use serde_json::{Value, json};

use super::{Outcome, Server, named, no_content, world};
use crate::fields::Fields;
use crate::making;
use crate::problem::{Problem, answer};
use crate::world::SnapshotError;

pub(super) async fn list(State(server): Server, Path(name): Path<String>) -> Outcome {
    let snapshots = named(&server, &name)?.snapshots();
    let snapshots: Vec<Value> = snapshots.iter().map(|(name, at)| json_of(name, *at)).collect();
    Ok(answer(StatusCode::OK, &json!({ "snapshots": snapshots })))
}

pub(super) async fn take(State(server): Server, Path(name): Path<String>, body: Bytes) -> Outcome {
    let mut fields = Fields::read(&body)?;
    let snapshot = fields.text("name")?.ok_or_else(|| Problem::field("name", "is missing"))?;
    fields.end()?;
    let world = named(&server, &name)?;
    world.snapshot(&snapshot).map_err(refused)?;
    let at = world.snapshots().into_iter().find(|(name, _)| *name == snapshot).map(|(_, at)| at);
    Ok(answer(StatusCode::CREATED, &json_of(&snapshot, at.unwrap_or_else(|| world.now()))))
}

pub(super) async fn restore(
    State(server): Server,
    Path((name, snapshot)): Path<(String, String)>,
    body: Bytes,
) -> Outcome {
    Fields::read(&body)?.end()?;
    let world = named(&server, &name)?;
    world.restore(&snapshot).map_err(refused)?;
    Ok(answer(StatusCode::OK, &world::json_of(&server, &world)))
}

pub(super) async fn forget(
    State(server): Server,
    Path((name, snapshot)): Path<(String, String)>,
) -> Result<Response<Body>, Problem> {
    named(&server, &name)?.forget_snapshot(&snapshot).map_err(refused)?;
    Ok(no_content())
}

pub(super) async fn fork(State(server): Server, Path(name): Path<String>, body: Bytes) -> Outcome {
    let mut fields = Fields::read(&body)?;
    let copy = fields.text("name")?;
    fields.end()?;
    let of = named(&server, &name)?;
    let made = making::fork(&server, &of, copy.as_deref())
        .map_err(|error| world::refused(error, copy.as_deref()))?;
    Ok(answer(StatusCode::CREATED, &world::json_of(&server, &made)))
}

fn json_of(name: &str, at: Moment) -> Value {
    json!({ "name": name, "unix_ms": at.unix_millis() })
}

fn refused(error: SnapshotError) -> Problem {
    let status = match error {
        SnapshotError::Unknown => return Problem::new(StatusCode::NOT_FOUND, error.to_string()),
        SnapshotError::Name => StatusCode::BAD_REQUEST,
        SnapshotError::NameTaken | SnapshotError::TooMany => StatusCode::CONFLICT,
    };
    Problem { status, ..Problem::field("name", error.to_string()) }
}
