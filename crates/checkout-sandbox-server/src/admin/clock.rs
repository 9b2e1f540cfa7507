//! The clock of a world: show, set, advance.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use checkout_tables::Moment;
use checkout_transport::http::StatusCode;
use serde_json::{Value, json};

pub(super) use crate::clock::Start;

use super::{Outcome, Server, changes, named};
use crate::clock::Pace;
use crate::courier::{self, Until};
use crate::fields::{Fields, LAST_MILLISECOND};
use crate::problem::{Problem, answer};
use crate::world::World;

pub(super) async fn show(State(server): Server, Path(name): Path<String>) -> Outcome {
    Ok(answer(StatusCode::OK, &json_of(&*named(&server, &name)?)))
}

pub(super) async fn set(State(server): Server, Path(name): Path<String>, body: Bytes) -> Outcome {
    let mut fields = Fields::read(&body)?;
    let pace = pace(&mut fields)?;
    let at = fields.moment("unix_ms")?;
    let by = fields.number("advance_ms", 0, LAST_MILLISECOND)?.map(Duration::from_millis);
    let step = fields.text("advance")?;
    let skew = fields.signed("skew_ms", MOST_SKEW_MS)?;
    fields.end()?;
    let world = named(&server, &name)?;
    if pace.is_none() && at.is_none() && by.is_none() && step.is_none() && skew.is_none() {
        let message = "nothing to set: the fields are pace, times, unix_ms, advance_ms, advance, skew_ms";
        return Err(Problem::new(StatusCode::BAD_REQUEST, message));
    }
    if at.is_some() && by.is_some() {
        return Err(Problem::field("advance_ms", "has no place beside unix_ms"));
    }
    if step.is_some() && (at.is_some() || by.is_some()) {
        return Err(Problem::field("advance", "has no place beside unix_ms and advance_ms"));
    }
    if step.as_deref().is_some_and(|step| !["next", "idle"].contains(&step)) {
        return Err(Problem::field("advance", "has to be next or idle"));
    }
    if let Some(by) = by {
        let last = i64::try_from(LAST_MILLISECOND).map_or(world.now(), Moment::from_unix_millis);
        if world.now().saturating_add(by) > last {
            return Err(conflict(Problem::field("advance_ms", "leads beyond the year 9999")));
        }
    }
    let now = world.now();
    if at.is_some_and(|at| at < now) {
        let message = format!("lies before the world's time, which is {}", now.unix_millis());
        return Err(conflict(Problem::field(
            "unix_ms",
            format!("{message}: a world's time never goes back"),
        )));
    }
    if let Some(pace) = pace {
        world.set_pace(pace);
    }
    if let Some(skew) = skew {
        world.set_skew_ms(skew);
    }
    let until = match step.as_deref() {
        Some("idle") => Some(Until::Idle),
        // With nothing to come, the step ends where it begins.
        Some(_) => Some(Until::Moment(courier::next(&world).unwrap_or(now))),
        None => at.or_else(|| by.map(|by| now.saturating_add(by))).map(Until::Moment),
    };
    let Some(until) = until else { return Ok(answer(StatusCode::OK, &json_of(&world))) };
    let from = world.now();
    let webhooks = courier::advance(&world, until).await;
    let mut json = json_of(&world);
    if let Some(json) = json.as_object_mut() {
        json.insert("changes".to_owned(), changes::since(&world.quiet(), from).into());
        json.insert("webhooks".to_owned(), webhooks.into());
    }
    Ok(answer(StatusCode::OK, &json))
}

/// The refusal of a step that would be right at another time of the world.
fn conflict(problem: Problem) -> Problem {
    Problem { status: StatusCode::CONFLICT, ..problem }
}

/// The beginning of a new world's time.
pub(super) fn start(mut fields: Fields) -> Result<Start, Problem> {
    let pace = pace(&mut fields)?.unwrap_or_default();
    let at = fields.moment("unix_ms")?;
    fields.end()?;
    Ok(Start { pace, at })
}

/// The clock of a world as JSON.
pub(super) fn json_of(world: &World) -> Value {
    let (pace, times) = match world.pace() {
        Pace::Real => ("real", Value::Null),
        Pace::Frozen => ("frozen", Value::Null),
        Pace::Times(times) => ("times", times.into()),
    };
    let mut json = json!({ "pace": pace, "unix_ms": world.now().unix_millis() });
    if let (Some(json), false) = (json.as_object_mut(), times.is_null()) {
        json.insert("times".to_owned(), times);
    }
    if let (Some(json), skew @ (..=-1 | 1..)) = (json.as_object_mut(), world.skew_ms()) {
        json.insert("skew_ms".to_owned(), skew.into());
    }
    json
}

fn pace(fields: &mut Fields) -> Result<Option<Pace>, Problem> {
    let name = fields.text("pace")?;
    let times = fields.number("times", 1, MOST_TIMES)?.and_then(|times| u32::try_from(times).ok());
    match (name.as_deref(), times) {
        (None, None) => Ok(None),
        (Some("real"), None) => Ok(Some(Pace::Real)),
        (Some("frozen"), None) => Ok(Some(Pace::Frozen)),
        (Some("times"), Some(times)) => Ok(Some(Pace::Times(times))),
        (Some("times"), None) => Err(Problem::field("times", "is missing: the pace is times")),
        (None | Some("real" | "frozen"), Some(_)) => {
            Err(Problem::field("times", "has a place beside the pace times alone"))
        }
        (Some(_), _) => Err(Problem::field("pace", "has to be real, frozen or times")),
    }
}

/// The greatest skew of a provider's clock: 31 days.
const MOST_SKEW_MS: i64 = 31 * 24 * 3_600_000;

/// The fastest pace: more than eleven days in a second.
const MOST_TIMES: u64 = 1_000_000;
