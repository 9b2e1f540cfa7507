//! The events that tell an open page of the dashboard to renew itself.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use checkout_transport::bytes::Bytes;
use checkout_transport::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use checkout_transport::http::{HeaderValue, Response};
use http_body_util::channel::Channel;
use tokio::time::sleep;

use crate::clock::Pace;
use crate::shared::Shared;
use crate::world::World;

/// An event for each request that may have changed a world, and for each change that time alone brings. The
/// first event comes at once, for a page that was made before a change and listens only after the change.
pub(super) async fn events(State(server): State<Arc<Shared>>) -> Response<Body> {
    let (mut sender, body) = Channel::<Bytes>::new(1);
    let (mut changes, mut stopped) = (server.changes.subscribe(), server.stopped.clone());
    // An engine changes its store beside the server.
    let has_engine = server.engine.is_some();
    let beat = if has_engine { LOOK } else { BEAT };
    tokio::spawn(async move {
        let mut event: &'static [u8] = b"retry: 1000\ndata: open\n\n";
        loop {
            tokio::select! {
                sent = sender.send_data(Bytes::from_static(event)) => if sent.is_err() { return },
                _ = stopped.changed() => return,
            }
            let next = server.worlds.all().iter().filter_map(|world| until_next(world)).min();
            event = tokio::select! {
                changed = changes.changed() => if changed.is_err() { return } else { b"data: changed\n\n" },
                () = sleep(next.unwrap_or(beat).clamp(LEAST, beat)) => match next {
                    Some(next) if next <= beat => b"data: time\n\n",
                    _ if has_engine => b"data: engine\n\n",
                    // A client that has gone away is found out by sending.
                    Some(_) | None => b": beat\n\n",
                },
                _ = stopped.changed() => return,
            };
        }
    });
    let mut response = Response::new(Body::new(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The machine's time until time alone changes a checkout of the world.
fn until_next(world: &World) -> Option<Duration> {
    let left = world.next_change()?.saturating_since(world.now());
    match world.pace() {
        Pace::Frozen => None,
        Pace::Real => Some(left),
        Pace::Times(times) => Some(left / times.max(1)),
    }
}

/// The time between two looks at the store of an engine.
const LOOK: Duration = Duration::from_secs(2);

/// The time between two signs of life.
const BEAT: Duration = Duration::from_secs(15);

/// The least time between two events that time brings.
const LEAST: Duration = Duration::from_millis(50);
