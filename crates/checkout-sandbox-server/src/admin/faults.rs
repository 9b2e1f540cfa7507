//! The rules by which a world's requests go wrong.

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use checkout_transport::http::{Response, StatusCode};
use serde_json::{Value, json};

use super::{Outcome, Server, named};
use crate::faults::{self, Rule};
use crate::problem::{Problem, answer};

pub(super) async fn list(State(server): Server, Path(name): Path<String>) -> Outcome {
    let rules: Vec<Value> = named(&server, &name)?.quiet().faults.all().iter().map(Rule::to_json).collect();
    Ok(answer(StatusCode::OK, &json!({ "faults": rules })))
}

pub(super) async fn add(State(server): Server, Path(name): Path<String>, body: Bytes) -> Outcome {
    let rule = faults::rule_of_body(&body)?;
    let rule = named(&server, &name)?.quiet().faults.add(rule)?;
    Ok(answer(StatusCode::CREATED, &rule.to_json()))
}

pub(super) async fn clear(State(server): Server, Path(name): Path<String>) -> Outcome {
    named(&server, &name)?.quiet().faults.clear();
    Ok(no_content())
}

pub(super) async fn remove(State(server): Server, Path((name, number)): Path<(String, String)>) -> Outcome {
    let world = named(&server, &name)?;
    if number.parse().is_ok_and(|number| world.quiet().faults.remove(number)) {
        return Ok(no_content());
    }
    Err(Problem::new(StatusCode::NOT_FOUND, "no fault has this number: GET …/faults lists the faults"))
}

fn no_content() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}
