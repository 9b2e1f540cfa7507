//! The admin routes, below `/_/`. The pages of a payer and the dashboard stand beside these routes.
//!
//! | route | does |
//! |---|---|
//! | `GET /_/` | the addresses and the keys of the default world; the dashboard for a browser |
//! | `GET /_/ready` | 200 as soon as the server listens |
//! | `GET /_/openapi.json` | the description of these routes for machines |
//! | `GET /_/engine` | the store of an engine, as `checkout-engine` shows it |
//! | `GET`, `POST /_/worlds` | lists the worlds; makes a world |
//! | `GET`, `DELETE /_/worlds/{world}` | shows a world; takes a world away |
//! | `GET`, `PUT /_/worlds/{world}/clock` | shows the world's clock; sets and advances the clock |
//! | `GET /_/worlds/{world}/checkouts` | lists the checkouts of all providers |
//! | `POST /_/worlds/{world}/scenarios` | sets the scenario of the next checkout |
//! | `POST /_/worlds/{world}/reset` | begins the world again |
//! | `GET`, `PUT`, `DELETE /_/worlds/{world}/autopay` | the time after which new checkouts are paid |
//! | `GET /_/worlds/{world}/limits` | the limits, each with its use |
//! | `GET`, `POST`, `DELETE /_/worlds/{world}/faults` | lists, adds and clears the faults of requests |
//! | `DELETE /_/worlds/{world}/faults/{fault}` | takes a fault away |
//! | `GET`, `POST /_/worlds/{world}/snapshots` | lists the snapshots; keeps a snapshot |
//! | `DELETE /_/worlds/{world}/snapshots/{snapshot}` | forgets a snapshot |
//! | `POST /_/worlds/{world}/snapshots/{snapshot}/restore` | brings the world back to a snapshot |
//! | `POST /_/worlds/{world}/fork` | makes another world with a copy of everything |
//! | `GET`, `POST`, `DELETE /_/worlds/{world}/endpoints` | lists, adds and clears the receivers of webhooks |
//! | `GET`, `PUT`, `DELETE /_/worlds/{world}/endpoints/{endpoint}` | one receiver |
//! | `GET /_/worlds/{world}/webhooks` | the webhooks, with every attempt to deliver them |
//! | `POST /_/worlds/{world}/webhooks/faults` | lets the next webhook's delivery go wrong |
//! | `POST /_/worlds/{world}/webhooks/resend` | sends all webhooks again |
//! | `POST /_/worlds/{world}/webhooks/{webhook}/resend` | sends a webhook again |
//! | `POST /_/worlds/{world}/webhooks/{webhook}/edit` | sends a webhook with another body or a wrong key |
//! | `GET /_/worlds/{world}/requests` | the requests with their answers, masked |
//! | `GET /_/worlds/{world}/requests/{request}` | one request whole |
//! | `GET /_/worlds/{world}/export` | the requests as JSON lines or as an HTTP archive |
//! | `GET /_/worlds/{world}/timeline` | everything that has happened about a checkout |
//! | `GET /_/worlds/{world}/events` | the events, by long poll or as a stream |
//! | `GET /_/worlds/{world}/wait` | answers as soon as something is so |
//! | `GET /_/worlds/{world}/verdict` | the verdict on the client |
//! | `POST /_/worlds/{world}/released` | takes the shop's word that goods have left |

mod autopay;
mod changes;
mod checkouts;
mod clock;
mod endpoints;
mod engine;
mod events;
mod export;
mod faults;
mod limits;
mod requests;
mod scenarios;
mod snapshots;
mod timeline;
mod verdict;
mod wait;
mod webhooks;
mod world;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::{delete, get, post};
use checkout_transport::http::header::CONTENT_TYPE;
use checkout_transport::http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde_json::json;

use crate::about;
use crate::pages;
use crate::problem::{Problem, answer};
use crate::shared::Shared;
use crate::world::World;

/// The state that every admin route gets.
type Server = State<Arc<Shared>>;

/// An answer, or the server's refusal.
type Outcome = Result<Response<Body>, Problem>;

pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/", get(about_server))
        .route("/_", get(about_server))
        .route("/_/", get(about_server))
        .route("/_/ready", get(ready))
        .route("/_/openapi.json", get(openapi))
        .route("/_/engine", get(engine::show))
        .route("/_/worlds", get(world::list).post(world::create))
        .route("/_/worlds/{world}", get(world::show).delete(world::remove))
        .route("/_/worlds/{world}/clock", get(clock::show).put(clock::set))
        .route("/_/worlds/{world}/checkouts", get(checkouts::list))
        .route("/_/worlds/{world}/scenarios", post(scenarios::add))
        .route("/_/worlds/{world}/reset", post(world::reset))
        .route("/_/worlds/{world}/autopay", get(autopay::show).put(autopay::set).delete(autopay::end))
        .route("/_/worlds/{world}/limits", get(limits::list))
        .route("/_/worlds/{world}/faults", get(faults::list).post(faults::add).delete(faults::clear))
        .route("/_/worlds/{world}/faults/{fault}", delete(faults::remove))
        .route("/_/worlds/{world}/snapshots", get(snapshots::list).post(snapshots::take))
        .route("/_/worlds/{world}/snapshots/{snapshot}", delete(snapshots::forget))
        .route("/_/worlds/{world}/snapshots/{snapshot}/restore", post(snapshots::restore))
        .route("/_/worlds/{world}/fork", post(snapshots::fork))
        .route(
            "/_/worlds/{world}/endpoints",
            get(endpoints::list).post(endpoints::add).delete(endpoints::clear),
        )
        .route(
            "/_/worlds/{world}/endpoints/{endpoint}",
            get(endpoints::show).put(endpoints::replace).delete(endpoints::remove),
        )
        .route("/_/worlds/{world}/webhooks", get(webhooks::list))
        .route("/_/worlds/{world}/webhooks/resend", post(webhooks::resend_all))
        .route("/_/worlds/{world}/webhooks/faults", post(webhooks::inject))
        .route("/_/worlds/{world}/webhooks/{webhook}", get(webhooks::show))
        .route("/_/worlds/{world}/webhooks/{webhook}/resend", post(webhooks::resend))
        .route("/_/worlds/{world}/webhooks/{webhook}/edit", post(webhooks::edit))
        .route("/_/worlds/{world}/requests", get(requests::list))
        .route("/_/worlds/{world}/requests/{request}", get(requests::show))
        .route("/_/worlds/{world}/export", get(export::show))
        .route("/_/worlds/{world}/timeline", get(timeline::show))
        .route("/_/worlds/{world}/events", get(events::read))
        .route("/_/worlds/{world}/wait", get(wait::wait))
        .route("/_/worlds/{world}/verdict", get(verdict::show))
        .route("/_/worlds/{world}/released", post(verdict::release))
        .merge(pages::routes())
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .with_state(shared)
}

/// The refusal of a path that leads nowhere.
pub(crate) fn no_such_path() -> Problem {
    let message = "no such path: the admin routes begin with /_/, and a provider's with its API's own path or with \
                   /allscale, /azotte, /peach or /peach-auth";
    Problem::new(StatusCode::NOT_FOUND, message)
}

async fn about_server(State(server): Server, headers: HeaderMap) -> Response<Body> {
    if pages::is_for_a_browser(&headers) {
        return pages::dashboard(&server);
    }
    let about = about::json(&server.urls, server.worlds.default_world().keys(), &server.state);
    answer(StatusCode::OK, &about)
}

async fn ready() -> Response<Body> {
    answer(StatusCode::OK, &json!({ "ready": true }))
}

/// The description of these routes for machines.
async fn openapi() -> Response<Body> {
    let mut response = Response::new(Body::from(OPENAPI));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Written by the test `openapi`, which holds the document to these routes.
const OPENAPI: &str = include_str!("openapi.json");

async fn unknown() -> Response<Body> {
    no_such_path().into_response()
}

async fn wrong_method() -> Response<Body> {
    let message = "this path does not have this method";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, message).into_response()
}

/// The answer without a body.
fn no_content() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// The world with this name.
fn named(server: &Shared, name: &str) -> Result<Arc<World>, Problem> {
    let refused =
        || Problem::new(StatusCode::NOT_FOUND, "no world has this name: GET /_/worlds lists the worlds");
    server.worlds.named(name).ok_or_else(refused)
}
