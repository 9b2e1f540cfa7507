//! The events of a world's webhooks, by long poll or as server-sent events.

use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::sync::Weak;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use checkout_transport::bytes::Bytes;
use checkout_transport::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE};
use checkout_transport::http::{HeaderMap, HeaderValue, Response, StatusCode};
use hyper::body::Frame;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

use super::{Outcome, Server, named};
use crate::courier;
use crate::problem::{Problem, answer};
use crate::query::Query;
use crate::webhooks::log::Event;
use crate::world::World;

pub(super) async fn read(
    State(server): Server,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Outcome {
    let mut query = Query::read(query.as_deref());
    let after = query.number("after")?;
    let patience = query.time("timeout")?.unwrap_or(Duration::ZERO);
    let letters_to = query.text("letters_to");
    query.end()?;
    // A browser's EventSource comes back with the number of the last event.
    let last = headers.get("last-event-id").and_then(|last| last.to_str().ok()?.parse().ok());
    let after = last.or(after).unwrap_or(0);
    let world = named(&server, &name)?;
    let mut changed = world.hooks().changed.subscribe();
    let accepts = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if accepts.contains("text/event-stream") {
        let (sender, receiver) = mpsc::channel(16);
        let weak = std::sync::Arc::downgrade(&world);
        tokio::spawn(feed(weak, changed, after, letters_to, sender));
        let mut response = Response::new(Body::new(Stream(receiver)));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        return Ok(response);
    }
    let mut over = pin!(sleep(patience));
    loop {
        changed.mark_unchanged();
        // Somebody may have taken the world away in between.
        named(&server, &name)?;
        let (events, last) = events(&world, after);
        let is_over = !events.is_empty()
            || tokio::select! {
                () = &mut over => true,
                changed = changed.changed() => changed.is_err(),
            };
        if is_over {
            let events: Result<Vec<Value>, Problem> =
                events.iter().map(|event| with_letter(&world, event, letters_to.as_deref())).collect();
            return Ok(answer(StatusCode::OK, &json!({ "events": events?, "last": last })));
        }
    }
}

/// Sends the events into a stream, until the reader or the world is gone.
async fn feed(
    world: Weak<World>,
    mut changed: watch::Receiver<()>,
    mut after: u64,
    letters_to: Option<String>,
    sender: mpsc::Sender<Bytes>,
) {
    loop {
        {
            let Some(world) = world.upgrade() else { return };
            changed.mark_unchanged();
            let (events, last) = events(&world, after);
            for event in &events {
                let Ok(json) = with_letter(&world, event, letters_to.as_deref()) else { return };
                let text = format!("id: {}\nevent: {}\ndata: {json}\n\n", event.number, event.kind);
                if sender.send(text.into()).await.is_err() {
                    return;
                }
            }
            after = last;
        }
        tokio::select! {
            changed = changed.changed() => if changed.is_err() { return },
            () = sender.closed() => return,
        }
    }
}

/// The events after a number, and the number of the last event. The numbers begin again after a reset.
fn events(world: &World, after: u64) -> (Vec<Event>, u64) {
    courier::look(world);
    let played = world.quiet();
    let log = played.mail.log();
    let (events, last) = log.events_after(after);
    if last < after { log.events_after(0) } else { (events, last) }
}

/// The event as JSON. A webhook that is due gets its letter to the URL of the reader.
fn with_letter(world: &World, event: &Event, url: Option<&str>) -> Result<Value, Problem> {
    let mut json = event.to_json();
    let Some(url) = url.filter(|_| event.kind == "webhook.due") else { return Ok(json) };
    let Some(letter) = courier::letter_to(world, event.message, url) else { return Ok(json) };
    let letter = letter.map_err(|reason| Problem::field("letters_to", reason))?;
    let headers: Vec<Value> = letter.headers.iter().map(|(name, value)| json!([name, value])).collect();
    let letter = json!({ "url": url, "headers": headers, "body": String::from_utf8_lossy(&letter.body) });
    if let Some(json) = json.as_object_mut() {
        json.insert("letter".to_owned(), letter);
    }
    Ok(json)
}

/// A body without end.
struct Stream(mpsc::Receiver<Bytes>);

impl hyper::body::Body for Stream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}
