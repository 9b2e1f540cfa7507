//! Webhooks taken in with axum: the raw body, verified, claimed, read back, held to the order, tracked,
//! committed.
//!
//!     cargo run --example receive_axum
//!
//! The program plays a day of deliveries through the router, offline. With the feature `http` a receiver
//! takes a request as axum has one. A shop serves the same router:
//!
//! ```ignore
//! axum::serve(tokio::net::TcpListener::bind("127.0.0.1:8080").await?, router(shop)).await
//! ```

mod receiver;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{OriginalUri, State};
use axum::http::request::Parts;
use axum::http::{Request, StatusCode};
use axum::routing::post;
use receiver::{Delivery, Shop, play};
use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use tower::ServiceExt as _;

fn main() -> ExitCode {
    ExitCode::from(run(&mut io::stdout().lock()))
}

/// The routes. The body is taken as the bytes that came: nothing may parse it before it is verified.
fn router(shop: Arc<Shop>) -> Router {
    Router::new().route("/hooks/allscale", post(webhook)).with_state(shop)
}

async fn webhook(
    State(shop): State<Arc<Shop>>,
    // The path of the request, and not the rest of the path after nesting.
    OriginalUri(uri): OriginalUri,
    mut parts: Parts,
    body: Bytes,
) -> StatusCode {
    // Where a sender that hangs up, or a timeout, would drop this future, spawn the future: a begun claim
    // must be committed.
    parts.uri = uri;
    let received = shop.receiver.receive_http(&Request::from_parts(parts, body), shop.now());
    let status = shop.take(received).await;
    StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE)
}

/// Runs the program, and returns the exit code.
pub fn run(out: &mut dyn Write) -> u8 {
    match deliveries(out) {
        Ok(()) => 0,
        Err(error) => {
            let _ = writeln!(out, "{error}");
            1
        }
    }
}

fn deliveries(out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let shop = Arc::new(Shop::open()?);
    let router = router(Arc::clone(&shop));
    play(&shop, out, &mut |delivery| {
        let answer = request(delivery).map(|request| pollster::block_on(router.clone().oneshot(request)));
        answer
            .map_or(0, |answer| answer.map_or_else(|never| match never {}, |answer| answer.status().as_u16()))
    })
}

fn request(delivery: &Delivery) -> Result<Request<Body>, axum::http::Error> {
    let request = Request::post(&delivery.path);
    let with_header =
        |request: axum::http::request::Builder, (name, value): &(String, String)| request.header(name, value);
    delivery.headers.iter().fold(request, with_header).body(Body::from(delivery.body.clone()))
}
