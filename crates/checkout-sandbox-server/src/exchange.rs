//! The exchange with a sandbox, and the note of the exchange in the server's file.

use std::sync::Arc;

use checkout_transport::bytes::Bytes;
use checkout_transport::http::header::CONTENT_TYPE;
use checkout_transport::http::{HeaderValue, Method, StatusCode};
use checkout_transport::{BlockingTransport, Request, Response, TransportError};
use serde_json::{Value, json};

use crate::card;
use crate::journal::Entry;
use crate::named;
use crate::place::Api;
use crate::world::{Played, World};
use crate::worlds::Worlds;

/// Hands a request to the sandbox of a world, and returns the answer. A request that changes something is in
/// the file before the answer comes.
pub(crate) fn exchange(
    worlds: &Worlds,
    world: &Arc<World>,
    api: Api,
    request: Request,
) -> Result<Response, TransportError> {
    if let Some(reason) = world.stuck() {
        return Ok(not_kept(&reason));
    }
    let change = world.change();
    let played = world.played();
    let faults = faults_waiting(&played, api);
    let is_read = request.method() == Method::GET;
    let may_change = world.is_kept() && (!is_read || faults > 0);
    let entry = may_change.then(|| entry_of(api, &request));
    let answer = send(worlds, world, &played, api, request);
    // A read leaves a used fault alone behind, and a refusal leaves nothing.
    let is_done = !is_read && answer.as_ref().is_ok_and(|answer| answer.status().is_success());
    if let Some(mut entry) = entry.filter(|_| is_done || faults_waiting(&played, api) != faults) {
        let status = answer.as_ref().ok().map(|answer| answer.status().as_u16());
        if let Some(data) = entry.data.as_object_mut() {
            data.insert("answered".to_owned(), status.into());
        }
        if let Err(reason) = change.note(|| entry) {
            return Ok(not_kept(&reason));
        }
    }
    answer
}

/// Hands a request of the file to the sandbox once more.
///
/// # Errors
/// The reason why the request cannot be played back.
pub(crate) fn play(worlds: &Worlds, world: &Arc<World>, entry: Entry) -> Result<(), String> {
    let text = |name: &str| entry.data.get(name).and_then(Value::as_str).ok_or("has no whole request");
    let api = Api::ALL.into_iter().find(|api| Ok(api.prefix()) == text("api")).ok_or("names no API")?;
    let mut request = Request::new(Bytes::from(entry.body));
    *request.method_mut() = text("method")?.parse().map_err(|_| "has no method")?;
    *request.uri_mut() = text("uri")?.parse().map_err(|_| "has no URI")?;
    for (name, header) in KEPT.iter().filter_map(|name| Some((*name, entry.data.get("headers")?.get(*name)?)))
    {
        let header = header.as_str().and_then(|header| HeaderValue::from_str(header).ok());
        request.headers_mut().insert(name, header.ok_or("has no header")?);
    }
    let answer = send(worlds, world, &world.played(), api, request);
    let status = answer.ok().map(|answer| u64::from(answer.status().as_u16()));
    if status != entry.data.get("answered").and_then(Value::as_u64) {
        return Err("is answered in another way by this version of the program".to_owned());
    }
    Ok(())
}

fn send(
    worlds: &Worlds,
    world: &Arc<World>,
    played: &Played,
    api: Api,
    request: Request,
) -> Result<Response, TransportError> {
    match api {
        Api::AllScale => played.allscale.send_blocking(request),
        Api::Azotte => played.azotte.send_blocking(request),
        Api::Peach => played.peach.send_blocking(request),
        Api::PeachAuth => {
            let answer = played.peach.send_blocking(request)?;
            if let Some((token, seconds)) = named::access_token(answer.body()) {
                worlds.lead_token(token, seconds, world);
            }
            Ok(answer)
        }
    }
}

fn faults_waiting(played: &Played, api: Api) -> usize {
    match api {
        Api::AllScale => played.allscale.faults_waiting(),
        Api::Azotte => played.azotte.faults_waiting(),
        Api::Peach | Api::PeachAuth => played.peach.faults_waiting(),
    }
}

/// The request with the headers that a sandbox looks at, and without a card.
fn entry_of(api: Api, request: &Request) -> Entry {
    let headers = request.headers();
    // A sandbox refuses a header that is there twice: both stand in one text, which is refused too.
    let header = |name: &&str| {
        let values: Vec<_> = headers.get_all(*name).iter().filter_map(|value| value.to_str().ok()).collect();
        (!values.is_empty()).then(|| ((*name).to_owned(), Value::from(values.join(", "))))
    };
    let data = json!({
        "api": api.prefix(),
        "method": request.method().as_str(),
        "uri": request.uri().to_string(),
        "headers": KEPT.iter().filter_map(header).collect::<serde_json::Map<_, _>>(),
    });
    let body = if api == Api::Azotte { card::without_card(request.body()) } else { request.body().clone() };
    Entry { body: body.to_vec(), ..Entry::new("request", data) }
}

/// The refusal of a request that the file cannot keep.
fn not_kept(reason: &str) -> Response {
    let error = json!({ "error": { "field": Value::Null, "message": reason } });
    let mut response = Response::new(Bytes::from(format!("{error}\n")));
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The headers that a sandbox looks at.
const KEPT: [&str; 8] = [
    "x-api-key",
    "x-timestamp",
    "x-nonce",
    "x-signature",
    "x-tn",
    "content-type",
    "authorization",
    "referer",
];
