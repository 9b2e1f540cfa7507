//! The pages for a person: the hosted pages of a payer, and the dashboard.
//!
//! | route | does |
//! |---|---|
//! | `GET /_/pay/{world}/{provider}/{id}` | the payer's page of a checkout; changes nothing |
//! | `POST /_/pay/{world}/{provider}/{id}` | acts for the payer: the form's `act` |
//! | `GET /_/` | the worlds, for a browser |
//! | `GET /_/board/{world}` | the world's checkouts, newest first: `?q=` searches, `?page=` turns the page |
//! | `GET /_/board/{world}/{provider}/{id}` | a checkout with its timeline: `?until=` turns the page |
//! | `GET /_/board/{world}/requests/{request}` | a request with its answer |
//! | `POST /_/board/{world}/clock` | the form's `do`: `freeze`, `real`, `times`, `advance`, `next` |
//! | `POST /_/board/{world}/scenario` | the scenario of the next checkout: `allscale:underpaid` |
//! | `POST /_/board/{world}/fault` | a fault of the next request: `peach:lost_answer` |
//! | `POST /_/board/{world}/reset` | begins the world again |
//! | `GET /_/latest` | leads to the payer's page of the newest checkout: `?world=`, `?provider=` |
//! | `GET /_/scenarios` | the scenarios of all providers |
//! | `GET /_/events` | an event at once and for each change, for the script of the dashboard |

mod allscale;
mod azotte;
mod board;
mod checkout;
mod desk;
mod engine;
mod exchange;
mod fault;
mod form;
mod latest;
mod lifecycle;
mod live;
mod look;
mod parts;
mod pay;
mod peach;
mod request;
mod scenarios;
mod timeline;
mod verdict;
mod view;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use checkout_transport::http::HeaderMap;
use checkout_transport::http::header::ACCEPT;

use crate::shared::Shared;
use crate::timeline::Status;
use crate::world::Played;

pub(crate) use board::dashboard;

/// The routes of the pages.
pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/_/pay/{world}/{provider}/{id}", get(pay::show).post(pay::act))
        .route("/_/board", get(board::worlds))
        .route("/_/board/{world}", get(board::world))
        .route("/_/board/{world}/clock", post(board::set_clock))
        .route("/_/board/{world}/scenario", post(board::next_scenario))
        .route("/_/board/{world}/fault", post(board::inject))
        .route("/_/board/{world}/reset", post(board::reset))
        .route("/_/board/{world}/requests/{request}", get(request::show))
        .route("/_/board/{world}/{provider}/{id}", get(checkout::show))
        .route("/_/events", get(live::events))
        .route("/_/latest", get(latest::latest))
        .route("/_/scenarios", get(scenarios::table))
        .route("/_/style.css", get(look::style))
        .route("/_/live.js", get(look::script))
}

/// The provider's name and the statuses of a checkout of any provider.
pub(crate) fn statuses(played: &Played, id: &str) -> Option<(&'static str, Vec<Status>)> {
    view::Provider::ALL.into_iter().find_map(|provider| {
        let whole = desk::whole(played, provider, id)?;
        Some((provider.key(), whole.timeline_statuses()))
    })
}

/// True if a client asks for a page rather than for JSON.
pub(crate) fn is_for_a_browser(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

/// True if a request opens a payer's page and acts in no way. A form of a shop, which is a foreign site, may
/// send the payer to the page with a `POST`.
pub(crate) fn opens(path: &str, body: &[u8]) -> bool {
    path.starts_with("/_/pay/") && form::Form::of(body).get(pay::ACT).is_none()
}
