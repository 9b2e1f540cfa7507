//! The store of an engine.

use axum::extract::{RawQuery, State};
use checkout_transport::http::StatusCode;

use super::{Outcome, Server};
use crate::problem::{Problem, answer};
use crate::query::Query;

pub(super) async fn show(State(server): Server, RawQuery(query): RawQuery) -> Outcome {
    let mut query = Query::read(query.as_deref());
    let after = query.text("after");
    query.end()?;
    let none =
        || Problem::new(StatusCode::NOT_FOUND, "the server shows no engine: start it with --engine STORE");
    let engine = server.engine.as_ref().ok_or_else(none)?;
    let seen = engine.look(after.as_deref(), MOST).await;
    Ok(answer(StatusCode::OK, &seen.map_err(|said| Problem::new(StatusCode::BAD_GATEWAY, said))?))
}

/// The checkouts and the events of an answer.
const MOST: usize = 100;
