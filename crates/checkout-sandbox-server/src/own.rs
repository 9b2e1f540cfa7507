//! An own route that changes a world, and the note of the change in the server's file.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse;
use checkout_transport::bytes::Bytes;
use checkout_transport::http::header::CONTENT_TYPE;
use checkout_transport::http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};
use tower_service::Service;

use crate::journal::Entry;
use crate::problem::Problem;
use crate::shared::Shared;
use crate::world::World;

/// Answers a request of an own route. A change is in the file before the answer comes.
pub(crate) async fn call(
    shared: &Shared,
    router: &mut Router,
    request: Request<Body>,
    body: &Bytes,
) -> Response<Body> {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        let Ok(answer) = router.call(request).await;
        return answer;
    }
    if let Some(reason) = shared.journal.as_ref().and_then(|journal| journal.broken()) {
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE, reason).into_response();
    }
    let world = world_of(shared, request.uri().path()).filter(|world| world.is_kept());
    let Some(world) = world else {
        let Ok(answer) = router.call(request).await;
        return answer;
    };
    let entry = entry_of(&request, body);
    let mut answered = pin!(router.call(request));
    let at_once = {
        let change = world.change();
        // A route that changes one world waits for nothing.
        match answered.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(answer)) if answer.status().as_u16() < 400 => match change.note(|| entry) {
                Ok(()) => Some(answer),
                Err(reason) => Some(Problem::new(StatusCode::SERVICE_UNAVAILABLE, reason).into_response()),
            },
            Poll::Ready(Ok(answer)) => Some(answer),
            Poll::Pending => None,
        }
    };
    match at_once {
        Some(answer) => answer,
        None => {
            let Ok(answer) = answered.await;
            answer
        }
    }
}

/// Calls the route of an entry once more.
///
/// # Errors
/// The reason why the entry cannot be played back.
pub(crate) fn play(router: &mut Router, entry: Entry) -> Result<(), String> {
    let text = |name: &str| entry.data.get(name).and_then(Value::as_str);
    let (method, target) = text("method").zip(text("target")).ok_or("has no whole request")?;
    let request = Request::builder().method(method).uri(target);
    let request =
        text("content_type").into_iter().fold(request, |request, of| request.header(CONTENT_TYPE, of));
    let request = request.body(Body::from(entry.body)).map_err(|error| error.to_string())?;
    let answered = pin!(router.call(request));
    match answered.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(answer)) if answer.status().as_u16() < 400 => Ok(()),
        Poll::Ready(Ok(_)) | Poll::Pending => {
            Err("is answered in another way by this version of the program".to_owned())
        }
    }
}

/// The world that a route changes, unless the route makes its changes one by one, and notes each change.
fn world_of(shared: &Shared, path: &str) -> Option<Arc<World>> {
    let (of, rest) = path.strip_prefix("/_/")?.split_once('/')?;
    let (name, rest) = rest.split_once('/')?;
    let notes_itself = match of {
        "worlds" => {
            let sends = rest.ends_with("/resend") || rest.ends_with("/edit");
            sends
                || matches!(rest, "clock" | "fork" | "endpoints" | "released")
                || rest.starts_with("endpoints/")
        }
        "board" => rest == "clock",
        "pay" => false,
        _ => true,
    };
    // The name may be percent-encoded.
    let name = form_urlencoded::parse(name.as_bytes()).next()?.0;
    if notes_itself { None } else { shared.worlds.named(&name) }
}

fn entry_of(request: &Request<Body>, body: &Bytes) -> Entry {
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|of| of.to_str().ok());
    let data = json!({
        "method": request.method().as_str(),
        "target": request.uri().to_string(),
        "content_type": content_type,
    });
    Entry { body: body.to_vec(), ..Entry::new("own", data) }
}
