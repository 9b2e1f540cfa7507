//! The receivers of a world's webhooks.

use axum::body::Bytes;
use axum::extract::{Path, State};
use checkout_transport::http::StatusCode;
use serde_json::{Value, json};

use super::{Outcome, Server, named, no_content};
use crate::fields::Fields;
use crate::problem::{Problem, answer};
use crate::webhooks::content::{CONFIRMED, Provider, check_secret};
use crate::webhooks::endpoint::{Endpoint, Endpoints};
use crate::webhooks::post::{self, Letter};
use crate::world::World;

pub(super) async fn list(State(server): Server, Path(name): Path<String>) -> Outcome {
    let world = named(&server, &name)?;
    let endpoints: Vec<Value> = world.hooks().endpoints().all().iter().map(Endpoint::to_json).collect();
    Ok(answer(StatusCode::OK, &json!({ "endpoints": endpoints })))
}

pub(super) async fn show(State(server): Server, Path((name, number)): Path<(String, String)>) -> Outcome {
    let world = named(&server, &name)?;
    let endpoints = world.hooks().endpoints();
    let found = endpoints.all().iter().find(|endpoint| endpoint.number.to_string() == number);
    Ok(answer(StatusCode::OK, &found.ok_or_else(unknown)?.to_json()))
}

pub(super) async fn add(State(server): Server, Path(name): Path<String>, body: Bytes) -> Outcome {
    let world = named(&server, &name)?;
    let endpoint = read(&world, &body, 0)?;
    let endpoint = world.change_endpoints(|endpoints| endpoints.add(endpoint));
    Ok(answer(StatusCode::CREATED, &with_probe(&world, &endpoint).await))
}

pub(super) async fn replace(
    State(server): Server,
    Path((name, number)): Path<(String, String)>,
    body: Bytes,
) -> Outcome {
    let world = named(&server, &name)?;
    let endpoint = read(&world, &body, number.parse().map_err(|_| unknown())?)?;
    if !world.change_endpoints(|endpoints| endpoints.replace(endpoint.clone())) {
        return Err(unknown());
    }
    Ok(answer(StatusCode::OK, &with_probe(&world, &endpoint).await))
}

pub(super) async fn remove(State(server): Server, Path((name, number)): Path<(String, String)>) -> Outcome {
    let world = named(&server, &name)?;
    let removed =
        number.parse().is_ok_and(|number| world.change_endpoints(|endpoints| endpoints.remove(number)));
    if removed { Ok(no_content()) } else { Err(unknown()) }
}

pub(super) async fn clear(State(server): Server, Path(name): Path<String>) -> Outcome {
    named(&server, &name)?.change_endpoints(Endpoints::clear);
    Ok(no_content())
}

fn read(world: &World, body: &[u8], number: u64) -> Result<Endpoint, Problem> {
    let mut fields = Fields::read(body)?;
    let url = fields.text("url")?.ok_or_else(|| Problem::field("url", "is missing"))?;
    let provider = fields.text("provider")?.unwrap_or_default();
    let events = fields.texts("events")?.unwrap_or_default();
    let enabled = fields.truth("enabled")?.unwrap_or(true);
    let secret = fields.text("secret")?;
    fields.end()?;
    let provider = Provider::by_name(&provider)
        .ok_or_else(|| Problem::field("provider", "has to be allscale or peach: Azotte sends no webhooks"))?;
    world.hooks().targets().of(&url).map_err(|reason| Problem::field("url", reason))?;
    if provider == Provider::AllScale && events.iter().any(|event| event != CONFIRMED) {
        return Err(Problem::field("events", "the one event of allscale is confirmed"));
    }
    if let Some(secret) = &secret {
        let checked = check_secret(provider, secret, world.keys());
        checked.map_err(|reason| Problem::field("secret", format!("signs nothing: {reason}")))?;
    }
    Ok(Endpoint { number, provider, url, events, enabled, secret })
}

/// The endpoint as JSON. Peach tries a new URL out with a verification code, whatever the receiver answers.
async fn with_probe(world: &World, endpoint: &Endpoint) -> Value {
    let mut json = endpoint.to_json();
    let probe = world.quiet().peach.probe(&world.keys().peach_entity_id);
    let target = world.hooks().targets().of(&endpoint.url);
    if let (Provider::Peach, true, Some(probe), Ok(target)) =
        (endpoint.provider, endpoint.enabled, probe, target)
    {
        let headers = vec![("content-type", probe.content_type.to_owned())];
        let answered = post::post(&target, &Letter { headers, body: probe.body }).await;
        let (status, error) = match answered {
            Ok(answer) => (Some(answer.status), None),
            Err(error) => (None, Some(error)),
        };
        let probe = json!({ "verification_code": probe.code, "status": status, "error": error });
        if let Some(json) = json.as_object_mut() {
            json.insert("probe".to_owned(), probe);
        }
    }
    json
}

fn unknown() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no endpoint has this number: GET …/endpoints lists the endpoints")
}
