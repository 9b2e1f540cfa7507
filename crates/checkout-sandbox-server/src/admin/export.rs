//! The requests of a world as a file: JSON lines, or an HTTP archive.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use checkout_transport::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use checkout_transport::http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

use super::{Outcome, Server, named};
use crate::mask::{self, Mask};
use crate::place::Api;
use crate::problem::Problem;
use crate::query::Query;
use crate::shown::{Shown, arrived};
use crate::traffic::Entry;
use crate::urls::Urls;

pub(super) async fn show(
    State(server): Server,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Outcome {
    let mut query = Query::read(query.as_deref());
    let format = query.text("format").unwrap_or_else(|| "jsonl".to_owned());
    query.end()?;
    let world = named(&server, &name)?;
    let entries: Vec<Arc<Entry>> = world.quiet().traffic().all().cloned().collect();
    let mask = Mask::of(world.keys());
    let (kind, text) = match &*format {
        "jsonl" => {
            let lines = entries.iter().map(|entry| format!("{}\n", Shown::of(entry, &mask).whole()));
            ("application/jsonl", lines.collect::<String>())
        }
        "har" => {
            let entries: Vec<Value> = entries
                .iter()
                .map(|entry| of_archive(entry, &Shown::of(entry, &mask), &server.urls))
                .collect();
            let creator = json!({ "name": "checkout-sandbox", "version": env!("CARGO_PKG_VERSION") });
            let log = json!({ "version": "1.2", "creator": creator, "pages": [], "entries": entries });
            ("application/json", format!("{}\n", json!({ "log": log })))
        }
        _ => return Err(Problem::field("format", "has to be jsonl or har")),
    };
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(file) = HeaderValue::from_str(&format!("attachment; filename=\"{}.{format}\"", world.name())) {
        headers.insert(CONTENT_DISPOSITION, file);
    }
    Ok(response)
}

/// An entry of an HTTP archive. The members that begin with a low line are the sandbox's own.
fn of_archive(entry: &Entry, shown: &Shown, urls: &Urls) -> Value {
    let base = match shown.api {
        Api::AllScale => urls.allscale(),
        Api::Azotte => urls.azotte(),
        Api::Peach => urls.peach(),
        Api::PeachAuth => urls.peach_auth(),
    };
    let query = shown.query.as_deref();
    let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let pairs: Vec<Value> = pairs.map(|(name, value)| json!({ "name": name, "value": value })).collect();
    let url = format!("{base}{}{}", shown.path, query.map(|query| format!("?{query}")).unwrap_or_default());
    let mut request = json!({
        "method": shown.method,
        "url": url,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": headers(&shown.headers),
        "queryString": pairs,
        "headersSize": -1,
        "bodySize": entry.body.len(),
    });
    if let (Some(request), Some(text)) = (request.as_object_mut(), text(&shown.body)) {
        let kind = content_type(&shown.headers);
        request.insert("postData".to_owned(), json!({ "mimeType": kind, "params": [], "text": text }));
    }
    let size = entry.answer.as_ref().map_or(0, |answer| answer.body().len());
    let (status, list, body) = match &shown.answer {
        Some(answer) => (answer.status, &*answer.headers, text(&answer.body)),
        None => (0, &[][..], None),
    };
    let content = json!({ "size": size, "mimeType": content_type(list), "text": body.unwrap_or_default() });
    let response = json!({
        "status": status,
        "statusText": StatusCode::from_u16(status).ok().and_then(|of| of.canonical_reason()).unwrap_or(""),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": headers(list),
        "content": content,
        "redirectURL": value(list, "location"),
        "headersSize": -1,
        "bodySize": size,
    });
    let took = u64::try_from(shown.took.as_millis()).unwrap_or(u64::MAX);
    json!({
        "startedDateTime": shown.at.to_string(),
        "time": took,
        "request": request,
        "response": response,
        "cache": {},
        "timings": { "send": 0, "wait": took, "receive": 0 },
        "_number": shown.number,
        "_provider": shown.api.provider(),
        "_checkout": shown.checkout,
        "_order": shown.order,
        "_fault": shown.fault,
        "_arrived": arrived(shown.arrived),
    })
}

fn headers(headers: &[(String, String)]) -> Vec<Value> {
    headers.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect()
}

fn value<'a>(headers: &'a [(String, String)], wanted: &str) -> &'a str {
    headers.iter().find(|(name, _)| name == wanted).map_or("", |(_, value)| value)
}

fn content_type(headers: &[(String, String)]) -> &str {
    value(headers, CONTENT_TYPE.as_str())
}

fn text(body: &mask::Body) -> Option<String> {
    match body {
        mask::Body::Empty => None,
        mask::Body::Text(text) => Some(text.clone()),
        mask::Body::Bytes(length) => Some(format!("({length} bytes)")),
    }
}
