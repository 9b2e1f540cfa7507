//! The exchange with a sandbox, and the note of the exchange in the server's file.

use std::sync::Arc;

use checkout_transport::Request;
use checkout_transport::bytes::Bytes;
use checkout_transport::http::{HeaderValue, Method, StatusCode};
use serde_json::{Value, json};

use crate::ask::{self, Asked, Question, ask};
use crate::card;
use crate::journal::Entry;
use crate::place::Api;
use crate::problem::Problem;
use crate::world::{Played, World};
use crate::worlds::Worlds;

/// Hands a request to the sandbox of a world, and returns the answer. A request that changes something is in
/// the file before the answer comes.
///
/// # Errors
/// A header of the server's own is wrong, or the file takes nothing more.
pub(crate) fn exchange(worlds: &Worlds, world: &Arc<World>, question: Question) -> Result<Asked, Problem> {
    let is_read = question.head.method == Method::GET;
    if let Some(reason) = world.stuck().filter(|_| !is_read) {
        return Err(not_kept(reason));
    }
    let change = world.change();
    let played = world.quiet();
    let (api, faults) = (question.api, faults_waiting(&played, question.api));
    let has_rules = !played.faults.is_empty();
    let entry = (world.is_kept() && (!is_read || has_rules)).then(|| entry_of(&question));
    let asked = ask(worlds, world, question)?;
    let Some(mut entry) = entry else { return Ok(asked) };
    // A refusal and a read leave nothing behind, but that the rules have counted the request.
    let is_answered = asked.answer.as_ref().map_or(true, |answer| answer.status().is_success());
    let is_done = !is_read && (is_answered || asked.made.is_some());
    if let Some(data) = entry.data.as_object_mut() {
        // A fault that a Rust test has injected is not in the file, so the answer will be another one.
        if is_done && faults_waiting(&played, api) == faults {
            data.insert("answered".to_owned(), status_of(&asked).into());
        }
        data.insert("is_done".to_owned(), is_done.into());
    }
    if is_done || has_rules {
        change.note(|| entry).map_err(not_kept)?;
    }
    Ok(asked)
}

/// Hands a request of the file to the sandbox once more.
///
/// # Errors
/// The reason why the request cannot be played back.
pub(crate) fn play(worlds: &Worlds, world: &Arc<World>, entry: Entry) -> Result<(), String> {
    let text = |name: &str| entry.data.get(name).and_then(Value::as_str).ok_or("has no whole request");
    let api = Api::ALL.into_iter().find(|api| Ok(api.prefix()) == text("api")).ok_or("names no API")?;
    let (mut head, _) = Request::new(Bytes::new()).into_parts();
    head.method = text("method")?.parse().map_err(|_| "has no method")?;
    head.uri = text("uri")?.parse().map_err(|_| "has no URI")?;
    for (name, header) in KEPT.iter().filter_map(|name| Some((*name, entry.data.get("headers")?.get(*name)?)))
    {
        let header = header.as_str().and_then(|header| HeaderValue::from_str(header).ok());
        head.headers.insert(name, header.ok_or("has no header")?);
    }
    let prefix = text("prefix").unwrap_or_default().to_owned();
    let body = Bytes::from(entry.body.clone());
    let question = Question { api, prefix, head, body, is_judged: false };
    if entry.data.get("is_done").and_then(Value::as_bool) != Some(true) {
        ask::meet(world, question);
        return Ok(());
    }
    let asked = ask(worlds, world, question).map_err(|problem| problem.message)?;
    match entry.data.get("answered") {
        Some(answered) if status_of(&asked).map(u64::from) != answered.as_u64() => {
            Err("is answered in another way by this version of the program".to_owned())
        }
        Some(_) | None => Ok(()),
    }
}

/// The status of the answer that the client gets. `None` if the client gets no answer.
fn status_of(asked: &Asked) -> Option<u16> {
    asked.answer.as_ref().ok().map(|answer| answer.status().as_u16())
}

fn faults_waiting(played: &Played, api: Api) -> usize {
    match api {
        Api::AllScale => played.allscale.faults_waiting(),
        Api::Azotte => played.azotte.faults_waiting(),
        Api::Peach | Api::PeachAuth => played.peach.faults_waiting(),
    }
}

/// The request with the headers that a sandbox looks at, and without a card.
fn entry_of(question: &Question) -> Entry {
    let Question { api, prefix, head, body, .. } = question;
    // A sandbox refuses a header that is there twice: both stand in one text, which is refused too.
    let header = |name: &&str| {
        let values = head.headers.get_all(*name).iter();
        let values: Vec<_> = values.filter_map(|value| value.to_str().ok()).collect();
        (!values.is_empty()).then(|| ((*name).to_owned(), Value::from(values.join(", "))))
    };
    let data = json!({
        "api": api.prefix(),
        "prefix": prefix,
        "method": head.method.as_str(),
        "uri": head.uri.to_string(),
        "headers": KEPT.iter().filter_map(header).collect::<serde_json::Map<_, _>>(),
    });
    let body = if *api == Api::Azotte { card::without_card(body) } else { body.clone() };
    Entry { body: body.to_vec(), ..Entry::new("request", data) }
}

/// The refusal of a request that the file cannot keep.
fn not_kept(reason: String) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, reason)
}

/// The headers that a sandbox or the server looks at.
const KEPT: [&str; 10] = [
    "x-api-key",
    "x-timestamp",
    "x-nonce",
    "x-signature",
    "x-tn",
    "content-type",
    "authorization",
    "referer",
    "x-sandbox-fault",
    "x-sandbox-scenario",
];
