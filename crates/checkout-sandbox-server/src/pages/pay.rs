//! The hosted page of a checkout, where a person plays the payer.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use checkout_transport::http::{Response, StatusCode};
use maud::{Markup, html};

use super::form::Form;
use super::look::{Frame, Kind, see_other};
use super::view::{NotDone, Provider, Tone, WayBack, Whole, Whose};
use super::{desk, parts};
use crate::shared::Shared;
use crate::world::World;

/// The name of the field that says the act.
pub(super) const ACT: &str = "act";

/// The value of the field `from` of a form on the dashboard.
pub(super) const FROM_THE_BOARD: &str = "board";

type Names = Path<(String, String, String)>;

pub(super) async fn show(State(server): State<Arc<Shared>>, Path(names): Names) -> Response<Body> {
    let Some((world, provider, id)) = found(&server, &names) else { return nowhere(&server) };
    page(&server, &world, provider, id, None)
}

pub(super) async fn act(
    State(server): State<Arc<Shared>>,
    Path(names): Names,
    body: Bytes,
) -> Response<Body> {
    let Some((world, provider, id)) = found(&server, &names) else { return nowhere(&server) };
    let form = Form::of(&body);
    let Some(name) = form.get(ACT) else { return page(&server, &world, provider, id, None) };
    match desk::act(&world.played(), provider, id, name, &form) {
        Ok(()) if form.get("from") == Some(FROM_THE_BOARD) => {
            see_other(&parts::checkout_path(&server.base_path, world.name(), provider, id))
        }
        Ok(()) => see_other(&parts::pay_path(&server.base_path, world.name(), provider, id)),
        Err(NotDone::UnknownCheckout) => no_checkout(&server, world.name()),
        Err(NotDone::Wrong(sentence)) => {
            page(&server, &world, provider, id, Some((StatusCode::BAD_REQUEST, &sentence)))
        }
        Err(NotDone::NotPossible) => {
            let sentence = "Nothing happened: the act has no place at the status of the checkout.";
            page(&server, &world, provider, id, Some((StatusCode::CONFLICT, sentence)))
        }
    }
}

/// The world, the provider and the id that a path names.
pub(super) fn found<'a>(
    server: &Shared,
    (world, provider, id): &'a (String, String, String),
) -> Option<(Arc<World>, Provider, &'a str)> {
    Some((server.worlds.named(world)?, Provider::of_key(provider)?, &**id))
}

pub(super) fn nowhere(server: &Shared) -> Response<Body> {
    refusal(server, StatusCode::NOT_FOUND, "No such world, or no such provider.")
}

pub(super) fn no_checkout(server: &Shared, world: &str) -> Response<Body> {
    let sentence = format!("The world {world} has no such checkout. A reset takes all checkouts away.");
    refusal(server, StatusCode::NOT_FOUND, &sentence)
}

/// A page that has a sentence alone.
pub(super) fn refusal(server: &Shared, status: StatusCode, sentence: &str) -> Response<Body> {
    let frame = Frame { title: "Not found", base: &server.base_path, world: None, kind: Kind::Payer };
    let content = html! {
        h1 { "Not found" }
        (alert(sentence))
    };
    frame.page(status, &content)
}

pub(super) fn alert(sentence: &str) -> Markup {
    html! { section class="alert" role="alert" data-testid="alert" { (sentence) } }
}

/// The page, with the sentence of a refusal if there is one.
fn page(
    server: &Shared,
    world: &World,
    provider: Provider,
    id: &str,
    refused: Option<(StatusCode, &str)>,
) -> Response<Body> {
    let Some(whole) = desk::whole(&world.quiet(), provider, id) else {
        return no_checkout(server, world.name());
    };
    let path = parts::pay_path(&server.base_path, world.name(), provider, id);
    let content = html! {
        @if let Some((_, sentence)) = refused { (alert(sentence)) }
        (summary(world, provider, &whole))
        (acts(&path, &whole))
        (way_back(&whole))
        p { a href=(parts::checkout_path(&server.base_path, world.name(), provider, id)) data-testid="board" {
            "The checkout on the dashboard"
        } }
    };
    let title = format!("{}: {}", provider.name(), whole.row.status.words);
    let frame =
        Frame { title: &title, base: &server.base_path, world: Some(world.name()), kind: Kind::Payer };
    frame.page(refused.map_or(StatusCode::OK, |(status, _)| status), &content)
}

fn summary(world: &World, provider: Provider, whole: &Whole) -> Markup {
    let row = &whole.row;
    html! {
        section {
            h1 { (provider.name()) " checkout" }
            p class="amount" data-testid="amount" {
                @match &row.amount {
                    Some(amount) => (amount),
                    None => "The price of the offer",
                }
            }
            dl {
                dt { "Order" }
                dd data-testid="order" { (row.order.as_deref().map_or_else(|| "none".to_owned(), parts::short)) }
                dt { "Status" }
                dd {
                    span role="status" data-testid="status" {
                        (parts::badge(&row.status)) " " code { (row.status.code) }
                    }
                }
                dt { "Clock" }
                dd data-testid="clock" { (parts::time(world.now())) ", " (parts::pace(world.pace())) }
                @if let Some(next) = whole.next {
                    dt { "Next" }
                    dd data-testid="next" {
                        "By itself in " (parts::span(next.saturating_since(world.now())))
                        ", as the scenario or the last act says. An act changes this."
                    }
                }
            }
            p class="soft" { (whole.way_in) }
        }
    }
}

fn acts(path: &str, whole: &Whole) -> Markup {
    let has = |whose| whole.buttons.iter().any(|button| button.whose == whose);
    html! {
        @if has(Whose::Payer) {
            section {
                h2 { "The payer" }
                (parts::buttons(path, whole, Whose::Payer, "page"))
            }
        }
        @if whole.takes_parts {
            section {
                h2 { "Another part of the amount" }
                (parts::part_form(path, "page"))
            }
        }
        @if has(Whose::Others) {
            section {
                h2 { "Behind the page" }
                (parts::buttons(path, whole, Whose::Others, "page"))
            }
        }
        @if whole.buttons.is_empty() {
            section data-testid="nothing-to-do" { "There is nothing to do here now." }
        }
    }
}

fn way_back(whole: &Whole) -> Markup {
    let Some(way_back) = &whole.way_back else { return html! {} };
    let is_over = matches!(whole.row.status.tone, Tone::Paid | Tone::Over);
    let class = is_over.then_some("first");
    html! {
        section {
            h2 { "Back to the shop" }
            @match way_back {
                WayBack::Link(url) => p { a href=(url) rel="noreferrer" data-testid="return" { (parts::short(url)) } },
                WayBack::Form(url, fields) => {
                    form method="post" action=(url) {
                        @for (name, value) in fields { input type="hidden" name=(name) value=(value); }
                        button class=[class] data-testid="return" { "Return to the shop, signed" }
                    }
                },
            }
        }
    }
}
