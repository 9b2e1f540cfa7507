//! The requests of a world with their answers: the list, and one request whole.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use checkout_transport::http::StatusCode;
use serde_json::{Map, Value, json};

use super::{Outcome, Server, named};
use crate::copy;
use crate::mask::Mask;
use crate::problem::{Problem, answer};
use crate::query::Query;
use crate::shown::Shown;
use crate::traffic::Entry;
use crate::why;

pub(super) async fn list(
    State(server): Server,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Outcome {
    let mut query = Query::read(query.as_deref());
    let (order, checkout) = (query.text("order"), query.text("checkout"));
    let provider = query.text("provider");
    let after = query.number("after")?.unwrap_or(0);
    let limit = limit(&mut query)?;
    query.end()?;
    if provider.as_deref().is_some_and(|name| !PROVIDERS.contains(&name)) {
        return Err(Problem::field("provider", "has to be allscale, azotte or peach"));
    }
    let world = named(&server, &name)?;
    let played = world.quiet();
    let fits = |entry: &&Arc<Entry>| {
        entry.number > after
            && order.as_ref().is_none_or(|order| entry.order.as_ref() == Some(order))
            && checkout.as_deref().is_none_or(|checkout| entry.about().is_some_and(|of| **of == *checkout))
            && provider.as_deref().is_none_or(|provider| entry.api.provider() == provider)
    };
    let (mut entries, last): (Vec<Arc<Entry>>, u64) = {
        let traffic = played.traffic();
        (traffic.all().filter(fits).take(limit.saturating_add(1)).cloned().collect(), traffic.last())
    };
    let has_more = entries.len() > limit;
    entries.truncate(limit);
    // The reader goes on after the last entry of this page, or after all that there is.
    let next = if has_more { entries.last().map_or(after, |entry| entry.number) } else { last };
    let mask = Mask::of(world.keys());
    let requests: Vec<Value> = entries.iter().map(|entry| Shown::brief(entry, &mask).summary()).collect();
    Ok(answer(StatusCode::OK, &json!({ "requests": requests, "next": next, "more": has_more })))
}

pub(super) async fn show(State(server): Server, Path((name, number)): Path<(String, String)>) -> Outcome {
    let world = named(&server, &name)?;
    let played = world.quiet();
    let found = number.parse().ok().and_then(|number| played.traffic().numbered(number).cloned());
    let entry = found.ok_or_else(unknown)?;
    let shown = Shown::of(&entry, &Mask::of(world.keys()));
    let mut whole = shown.whole();
    if let Some(members) = whole.as_object_mut() {
        let copies = copy::snippets(&shown).into_iter();
        let copies: Map<String, Value> =
            copies.map(|copy| (copy.language.to_lowercase(), copy.text.into())).collect();
        members.insert("copy".to_owned(), copies.into());
        members.insert(
            "why".to_owned(),
            why::of(&entry, &world, &server.worlds).map(|why| why.to_json()).into(),
        );
    }
    Ok(answer(StatusCode::OK, &whole))
}

/// The parameter `limit`.
pub(super) fn limit(query: &mut Query) -> Result<usize, Problem> {
    let limit = query.number("limit")?.unwrap_or(USUAL);
    let limit = usize::try_from(limit).ok().filter(|limit| (1..=MOST).contains(limit));
    limit.ok_or_else(|| Problem::field("limit", format!("has to be a whole number from 1 to {MOST}")))
}

fn unknown() -> Problem {
    let message = "no request has this number: GET …/requests lists the latest requests";
    Problem::new(StatusCode::NOT_FOUND, message)
}

const PROVIDERS: [&str; 3] = ["allscale", "azotte", "peach"];

/// The length of a list without a `limit`.
const USUAL: u64 = 100;

/// The most entries of a list.
const MOST: usize = 1_000;
