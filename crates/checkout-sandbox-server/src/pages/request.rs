//! The page of a request, and the latest requests of a world.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, State};
use checkout_transport::http::{Response, StatusCode};
use maud::{Markup, html};

use super::form::encoded;
use super::look::{Frame, Kind};
use super::view::Provider;
use super::{exchange, parts, pay};
use crate::copy;
use crate::mask::Mask;
use crate::shared::Shared;
use crate::shown::Shown;
use crate::traffic::Entry;
use crate::why;
use crate::world::{Played, World};

pub(super) async fn show(
    State(server): State<Arc<Shared>>,
    Path((name, number)): Path<(String, String)>,
) -> Response<Body> {
    let Some(world) = server.worlds.named(&name) else { return pay::nowhere(&server) };
    let played = world.quiet();
    let last = played.traffic().last();
    let entry = number.parse().ok().and_then(|number| played.traffic().numbered(number).cloned());
    match entry {
        Some(entry) => page(&server, &world, &entry, last),
        None => {
            let sentence = "The world has no request with this number. The latest 10,000 are kept.";
            pay::refusal(&server, StatusCode::NOT_FOUND, sentence)
        }
    }
}

fn page(server: &Shared, world: &World, entry: &Entry, last: u64) -> Response<Body> {
    let (base, name) = (&*server.base_path, world.name());
    let shown = Shown::of(entry, &Mask::of(world.keys()));
    let why = why::of(entry, world, &server.worlds);
    let content = html! {
        section {
            h1 { "Request " (shown.number) ": " (exchange::line(&shown)) }
            p role="status" data-testid="outcome" { (exchange::outcome(&shown)) }
            (facts(base, name, &shown))
            p { "Whole: " (as_json(base, name, &shown)) }
            nav class="pages" aria-label="Neighboring requests" {
                @if shown.number > 1 {
                    a href=(exchange::request_path(base, name, shown.number - 1)) rel="prev" data-testid="previous" {
                        "Before"
                    }
                }
                @if shown.number < last {
                    a href=(exchange::request_path(base, name, shown.number + 1)) rel="next" data-testid="next" {
                        "After"
                    }
                }
            }
        }
        @if let Some(why) = &why {
            section { h2 { "Why was it refused?" } (exchange::why(why)) }
        }
        section data-testid="request" {
            h2 { "Request" }
            (exchange::message(&shown.headers, &shown.body, MOST_SHOWN))
        }
        section data-testid="answer" {
            h2 { "Answer" }
            (exchange::answer(shown.answer.as_ref(), MOST_SHOWN))
        }
        (copies(base, name, &shown))
    };
    let title = format!("Request {} of the world {name}", shown.number);
    Frame { title: &title, base, world: Some(name), kind: Kind::Board }.page(StatusCode::OK, &content)
}

/// The request in several languages, for copying.
fn copies(base: &str, world: &str, shown: &Shown) -> Markup {
    let snippets = copy::snippets(shown);
    html! {
        @if !snippets.is_empty() {
            section {
                h2 { "Copy as" }
                p class="soft" {
                    "The addresses and the keys come from the environment variables that the command run sets. A \
                     signature, a nonce and a time are spent, and are made anew."
                }
                @for snippet in &snippets {
                    details data-testid=(format!("copy-{}", snippet.language.to_lowercase())) {
                        summary { (snippet.language) }
                        @if snippet.text.len() <= MOST_COPIED { pre { (snippet.text) } } @else {
                            p { "The text is long: the member copy of " (as_json(base, world, shown)) " has the text." }
                        }
                    }
                }
            }
        }
    }
}

/// A link to the whole of a request.
fn as_json(base: &str, world: &str, shown: &Shown) -> Markup {
    let path = format!("{base}/_/worlds/{}/requests/{}", encoded(world), shown.number);
    html! { a href=(path) { "the request as JSON" } }
}

fn facts(base: &str, world: &str, shown: &Shown) -> Markup {
    let checkout = shown.checkout.as_deref().zip(Provider::of_key(shown.api.provider()));
    html! {
        dl {
            dt { "World's time" } dd { (exchange::exact_time(shown.at)) }
            dt { "Took" } dd { (took(shown.took)) }
            dt { "Provider" } dd { (shown.api.provider()) }
            @if let Some(route) = &shown.route { dt { "Route" } dd { (route) } }
            @if !shown.prefix.is_empty() { dt { "Prefix" } dd { code { (shown.prefix) } } }
            @if let Some(query) = &shown.query { dt { "Query" } dd { code { (exchange::cut(query, MOST_OF_QUERY)) } } }
            @if let Some(order) = &shown.order { dt { "Order" } dd data-testid="order" { (parts::short(order)) } }
            @if let Some((id, provider)) = checkout {
                dt { "Checkout" }
                dd { a href=(parts::checkout_path(base, world, provider, id)) data-testid="checkout" { (id) } }
            }
        }
    }
}

/// The latest requests of a world, the newest first.
pub(super) fn latest(base: &str, world: &World, played: &Played) -> Markup {
    let mask = Mask::of(world.keys());
    let entries: Vec<Arc<Entry>> = played.traffic().all().rev().take(ROWS).cloned().collect();
    let shown = entries.iter().map(|entry| Shown::brief(entry, &mask));
    html! {
        section {
            h2 { "Latest requests" }
            div data-live="requests" {
                @if entries.is_empty() { p { "No request yet." } } @else {
                    div class="wide" { table {
                        thead { tr {
                            th { "Number" } th { "Time" } th { "Request" } th { "Answer" } th { "Order" }
                        } }
                        tbody { @for shown in shown { (row(base, world, &shown)) } }
                    } }
                }
            }
            p class="soft" {
                "All of the world: "
                a href=(export_path(base, world.name(), "jsonl")) data-testid="export-jsonl" { "JSON lines" } ", "
                a href=(export_path(base, world.name(), "har")) data-testid="export-har" { "HAR" }
            }
        }
    }
}

fn row(base: &str, world: &World, shown: &Shown) -> Markup {
    html! {
        tr data-testid="request" {
            td { a href=(exchange::request_path(base, world.name(), shown.number)) { (shown.number) } }
            td { (parts::time(shown.at)) }
            td class="cut" { (exchange::line(shown)) }
            td { (exchange::outcome(shown)) }
            td class="cut" { @if let Some(order) = &shown.order { (parts::short(order)) } }
        }
    }
}

fn export_path(base: &str, world: &str, format: &str) -> String {
    format!("{base}/_/worlds/{}/export?format={format}", encoded(world))
}

fn took(took: Duration) -> String {
    format!("{} ms", took.as_millis())
}

/// The rows of the latest requests.
const ROWS: usize = 50;

/// The most characters of a body that a page shows.
const MOST_SHOWN: usize = 4_000;

/// The most characters of a query that a page shows.
const MOST_OF_QUERY: usize = 500;

/// The most bytes of a program that a page shows.
const MOST_COPIED: usize = 3_000;
