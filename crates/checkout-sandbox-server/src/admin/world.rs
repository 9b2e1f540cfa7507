//! Worlds: list, make, show, reset, take away.

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use checkout_transport::http::{Response, StatusCode};
use serde_json::{Value, json};

use super::{Outcome, Server, clock, named, no_content};
use crate::about;
use crate::fields::{Fields, LAST_WHOLE_NUMBER};
use crate::journal::Entry;
use crate::making::{self, WorldError};
use crate::problem::{Problem, answer};
use crate::shared::Shared;
use crate::world::World;

pub(super) async fn list(State(server): Server) -> Response<Body> {
    let worlds: Vec<Value> = server.worlds.all().iter().map(|world| json_of(&server, world)).collect();
    answer(StatusCode::OK, &json!({ "worlds": worlds }))
}

pub(super) async fn create(State(server): Server, body: Bytes) -> Outcome {
    let mut fields = Fields::read(&body)?;
    let name = fields.text("name")?;
    let seed = fields.number("seed", 0, LAST_WHOLE_NUMBER)?;
    let start = match fields.object("clock")? {
        Some(clock) => clock::start(clock).map_err(|problem| problem.within("clock"))?,
        None => clock::Start::default(),
    };
    fields.end()?;
    let made = making::make(&server, name.as_deref(), seed, start);
    let world = made.map_err(|error| refused(error, name.as_deref()))?;
    Ok(answer(StatusCode::CREATED, &json_of(&server, &world)))
}

/// The refusal of a world that is not made.
pub(super) fn refused(error: WorldError, name: Option<&str>) -> Problem {
    match error {
        WorldError::Name => Problem::field("name", format!("{:?} {error}", name.unwrap_or_default())),
        WorldError::NotKept => Problem::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
        WorldError::NameTaken | WorldError::KeyTaken | WorldError::UnknownWorld => {
            Problem { status: StatusCode::CONFLICT, ..Problem::field("name", error.to_string()) }
        }
    }
}

pub(super) async fn show(State(server): Server, Path(name): Path<String>) -> Outcome {
    let world = named(&server, &name)?;
    Ok(answer(StatusCode::OK, &json_of(&server, &world)))
}

pub(super) async fn reset(State(server): Server, Path(name): Path<String>, body: Bytes) -> Outcome {
    Fields::read(&body)?.end()?;
    let world = named(&server, &name)?;
    world.reset();
    Ok(answer(StatusCode::OK, &json_of(&server, &world)))
}

pub(super) async fn remove(State(server): Server, Path(name): Path<String>) -> Outcome {
    if name == World::DEFAULT {
        return Err(Problem::new(StatusCode::CONFLICT, "the default world stays: POST its /reset"));
    }
    let world = named(&server, &name)?;
    {
        // The entry stands before an entry of another world of the same name.
        let change = world.change();
        let noted = change.note(|| Entry::new("removed", Value::Null));
        noted.map_err(|reason| Problem::new(StatusCode::SERVICE_UNAVAILABLE, reason))?;
        world.end();
        server.worlds.remove(&name);
    }
    world.hooks().tell();
    Ok(no_content())
}

/// A world with its addresses and keys, its seed and its clock.
pub(super) fn json_of(server: &Shared, world: &World) -> Value {
    let mut json = about::json(&server.urls, world.keys(), &server.state);
    if let Some(json) = json.as_object_mut() {
        json.insert("name".to_owned(), world.name().into());
        json.insert("seed".to_owned(), world.seed().into());
        json.insert("clock".to_owned(), clock::json_of(world));
    }
    json
}
