//! Worlds: list, make, show, reset, take away.

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use checkout_transport::http::{Response, StatusCode};
use serde_json::{Value, json};

use super::{Outcome, Server, clock, named};
use crate::about;
use crate::courier;
use crate::fields::Fields;
use crate::problem::{Problem, answer};
use crate::shared::Shared;
use crate::world::World;
use crate::worlds::NotAdded;

pub(super) async fn list(State(server): Server) -> Response<Body> {
    let worlds: Vec<Value> = server.worlds.all().iter().map(|world| json_of(&server, world)).collect();
    answer(StatusCode::OK, &json!({ "worlds": worlds }))
}

pub(super) async fn create(State(server): Server, body: Bytes) -> Outcome {
    let mut fields = Fields::read(&body)?;
    let name = fields.text("name")?;
    let seed = fields.number("seed", 0, u64::MAX)?;
    let start = match fields.object("clock")? {
        Some(clock) => clock::start(clock).map_err(|problem| problem.within("clock"))?,
        None => clock::Start::default(),
    };
    fields.end()?;
    if let Some(name) = name.as_deref().filter(|name| !is_name(name)) {
        let message = format!("{name:?} is not 1 to 32 of the characters a to z, 0 to 9 and -");
        return Err(Problem::field("name", message));
    }
    loop {
        let chosen = name.clone().unwrap_or_else(|| server.worlds.free_name());
        let world = World::new(chosen, seed, start, server.urls.root())
            .ok_or_else(|| Problem::field("name", "no keys follow from this name"))?;
        let taken = match server.worlds.add(world) {
            Ok(world) => {
                courier::start(&world, &server.targets);
                return Ok(answer(StatusCode::CREATED, &json_of(&server, &world)));
            }
            // Another request has taken the free name in between.
            Err(NotAdded::NameTaken) if name.is_none() => continue,
            Err(NotAdded::NameTaken) => "another world has this name",
            Err(NotAdded::KeyTaken) => {
                "another world has a key that follows from this name: take another name"
            }
        };
        return Err(Problem { status: StatusCode::CONFLICT, ..Problem::field("name", taken) });
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
    server.worlds.remove(&name);
    world.hooks().tell();
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

fn is_name(name: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=32).contains(&name.len()) && name.bytes().all(inner)
}

/// A world with its addresses and keys, its seed and its clock.
fn json_of(server: &Shared, world: &World) -> Value {
    let mut json = about::json(&server.urls, world.keys());
    if let Some(json) = json.as_object_mut() {
        json.insert("name".to_owned(), world.name().into());
        json.insert("seed".to_owned(), world.seed().into());
        json.insert("clock".to_owned(), clock::json_of(world));
    }
    json
}
