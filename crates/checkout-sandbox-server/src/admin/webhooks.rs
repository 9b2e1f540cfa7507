//! The webhooks of a world: log, resend, edit, faults.

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use checkout_transport::http::StatusCode;
use serde_json::{Value, json};

use super::{Outcome, Server, named};
use crate::courier;
use crate::fields::{Fields, LAST_MILLISECOND};
use crate::problem::{Problem, answer};
use crate::query::Query;
use crate::webhooks::content::{Provider, Twist};
use crate::webhooks::endpoint::Endpoint;
use crate::webhooks::fault::{Fault, NAMES};
use crate::webhooks::log::{Filter, Message};
use crate::world::World;

pub(super) async fn list(
    State(server): Server,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Outcome {
    let mut query = Query::read(query.as_deref());
    let filter = Filter { order: query.text("order"), checkout: query.text("checkout") };
    query.end()?;
    let world = named(&server, &name)?;
    courier::look(&world);
    let played = world.quiet();
    let webhooks: Vec<Value> = played.mail.log().messages(&filter).map(Message::to_json).collect();
    Ok(answer(StatusCode::OK, &json!({ "webhooks": webhooks })))
}

pub(super) async fn show(State(server): Server, Path((name, number)): Path<(String, String)>) -> Outcome {
    let world = named(&server, &name)?;
    courier::look(&world);
    let played = world.quiet();
    let log = played.mail.log();
    let found = number.parse().ok().and_then(|number| log.message(number));
    Ok(answer(StatusCode::OK, &found.ok_or_else(unknown)?.to_json()))
}

pub(super) async fn resend(
    State(server): Server,
    Path((name, number)): Path<(String, String)>,
    body: Bytes,
) -> Outcome {
    let mut fields = Fields::read(&body)?;
    let endpoint = fields.number("endpoint", 0, u64::MAX)?;
    fields.end()?;
    let world = named(&server, &name)?;
    send(&world, &number, endpoint, &Twist::default()).await
}

pub(super) async fn resend_all(State(server): Server, Path(name): Path<String>, body: Bytes) -> Outcome {
    let mut fields = Fields::read(&body)?;
    let endpoint = fields.number("endpoint", 0, u64::MAX)?;
    let provider = provider(&mut fields)?;
    let filter = Filter { order: fields.text("order")?, checkout: fields.text("checkout")? };
    fields.end()?;
    let world = named(&server, &name)?;
    let endpoints = endpoints(&world, endpoint);
    let attempts = courier::send_all_by_hand(&world, provider, &filter, &endpoints).await;
    Ok(answer(StatusCode::OK, &json!({ "webhooks": attempts })))
}

pub(super) async fn edit(
    State(server): Server,
    Path((name, number)): Path<(String, String)>,
    body: Bytes,
) -> Outcome {
    let mut fields = Fields::read(&body)?;
    let endpoint = fields.number("endpoint", 0, u64::MAX)?;
    let body = fields.text("body")?.map(Bytes::from);
    let key = fields.text("key")?;
    let stale_seconds = fields.number("stale_seconds", 0, LAST_MILLISECOND)?.unwrap_or_default();
    fields.end()?;
    let wrong_key = match key.as_deref() {
        None | Some("right") => false,
        Some("wrong") => true,
        Some(_) => return Err(Problem::field("key", "has to be right or wrong")),
    };
    let world = named(&server, &name)?;
    send(&world, &number, endpoint, &Twist { body, wrong_key, stale_seconds, secret: None }).await
}

pub(super) async fn inject(State(server): Server, Path(name): Path<String>, body: Bytes) -> Outcome {
    let mut fields = Fields::read(&body)?;
    let fault = fields.text("fault")?.unwrap_or_default();
    let provider = provider(&mut fields)?;
    let times = fields.number("times", 1, MOST_TIMES)?.and_then(|times| u32::try_from(times).ok());
    let delay = fields.number("delay_ms", 1, LAST_MILLISECOND)?;
    let seconds = fields.number("seconds", 1, LAST_MILLISECOND / 1_000)?;
    fields.end()?;
    let found = match &*fault {
        "drop" => Fault::Drop,
        "delay" => Fault::Delay(delay.ok_or_else(|| Problem::field("delay_ms", "is missing"))?),
        "repeat" => Fault::Repeat(times.unwrap_or(1)),
        "twice" => Fault::TwiceAtOnce,
        "reorder" => Fault::Reorder,
        "stale" => Fault::Stale(seconds.unwrap_or(600)),
        "wrong-key" => Fault::WrongKey,
        "cut" => Fault::CutShort,
        "stall" => Fault::Stall(seconds.unwrap_or(10).min(MOST_STALL_SECONDS)),
        "again" => Fault::Again(seconds.unwrap_or(A_WEEK)),
        "early" => Fault::Early,
        _ => return Err(Problem::field("fault", format!("has to be one of {NAMES}"))),
    };
    named(&server, &name)?.quiet().mail.log().inject(provider, found);
    Ok(answer(StatusCode::OK, &json!({ "next": fault, "provider": provider.map(Provider::name) })))
}

async fn send(world: &World, number: &str, endpoint: Option<u64>, twist: &Twist) -> Outcome {
    let endpoints = endpoints(world, endpoint);
    let number = number.parse().map_err(|_| unknown())?;
    let attempts = courier::send_by_hand(world, number, &endpoints, twist).await.ok_or_else(unknown)?;
    if attempts.is_empty() {
        let message = "nobody can be called: no endpoint of the provider is enabled, or no target is allowed";
        return Err(Problem::new(StatusCode::CONFLICT, message));
    }
    Ok(answer(StatusCode::OK, &json!({ "webhooks": attempts })))
}

/// The endpoints of a world, or the one with the number.
fn endpoints(world: &World, number: Option<u64>) -> Vec<Endpoint> {
    let mut endpoints = world.hooks().endpoints().all().to_vec();
    endpoints.retain(|of| number.is_none_or(|number| of.number == number));
    endpoints
}

fn provider(fields: &mut Fields) -> Result<Option<Provider>, Problem> {
    let refused = || Problem::field("provider", "has to be allscale or peach");
    fields.text("provider")?.map(|name| Provider::by_name(&name).ok_or_else(refused)).transpose()
}

fn unknown() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no webhook has this number: GET …/webhooks lists the webhooks")
}

/// The longest time of a connection on which nothing is sent.
const MOST_STALL_SECONDS: u64 = 60;

/// A week in seconds.
const A_WEEK: u64 = 7 * 24 * 3_600;

/// The most repetitions of one webhook.
const MOST_TIMES: u64 = 1_000;
