//! The page of a checkout on the dashboard: the facts, the acts and the history.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use checkout_transport::http::{Response, StatusCode, Uri};
use maud::html;

use super::form::Form;
use super::look::{Frame, Kind};
use super::view::Whose;
use super::{desk, lifecycle, parts, pay, timeline};
use crate::courier;
use crate::shared::Shared;

pub(super) async fn show(
    State(server): State<Arc<Shared>>,
    Path(names): Path<(String, String, String)>,
    uri: Uri,
) -> Response<Body> {
    let Some((world, provider, id)) = pay::found(&server, &names) else { return pay::nowhere(&server) };
    courier::look(&world);
    let played = world.quiet();
    let Some(whole) = desk::whole(&played, provider, id) else {
        return pay::no_checkout(&server, world.name());
    };
    let until = Form::of(uri.query().unwrap_or_default().as_bytes()).number("until").ok().flatten();
    let skipped = whole.history.len().saturating_sub(MOST_STATUSES);
    let (row, now, base) = (&whole.row, world.now(), &*server.base_path);
    let path = parts::pay_path(base, world.name(), provider, id);
    let here = parts::checkout_path(base, world.name(), provider, id);
    let content = html! {
        section data-live="facts" {
            h1 { (provider.name()) ", order " (row.order.as_deref().map_or_else(|| "none".to_owned(), parts::short)) }
            p role="status" data-testid="status" { (parts::badge(&row.status)) " " code { (row.status.code) } }
            dl {
                @if let Some(amount) = &row.amount { dt { "Amount" } dd data-testid="amount" { (amount) } }
                dt { "Id" } dd { code data-testid="id" { (row.id) } }
                dt { "Scenario" } dd { (row.scenario) }
                dt { "World's time" } dd { (parts::time(now)) ", " (parts::pace(world.pace())) }
                @if let Some(next) = whole.next {
                    dt { "Next change" }
                    dd data-testid="next" { (parts::time(next)) ", in " (parts::span(next.saturating_since(now))) }
                }
            }
            p { a href=(path) data-testid="pay-page" { "The payer's page" } }
        }
        section data-live="acts" {
            h2 { "Act" }
            @if whole.buttons.is_empty() { p { "No act is possible now." } }
            (parts::buttons(&path, &whole, Whose::Payer, pay::FROM_THE_BOARD))
            p class="soft" { "Behind the page" }
            (parts::buttons(&path, &whole, Whose::Others, pay::FROM_THE_BOARD))
        }
        (lifecycle::diagram(provider, &whole))
        section data-live="history" {
            h2 { "History" }
            ol class="history" data-testid="history" {
                @for (at, status) in whole.history.iter().skip(skipped) {
                    li {
                        (parts::time(*at)) br;
                        (parts::badge(status)) " " code { (status.code) }
                    }
                }
            }
        }
        (timeline::section(&server, &world, &played, (&here, id), whole.timeline_statuses(), until))
        section {
            h2 { "The same by command" }
            p class="soft" { "The field act takes the name of any button." }
            @let act = whole.buttons.first().map_or("pay", |button| button.act);
            p { code data-testid="curl" { "curl -d act=" (act) " " (pay_address(&server, world.name(), provider.key(), id)) } }
        }
    };
    let title = format!("{}: {}", provider.name(), row.status.words);
    Frame { title: &title, base, world: Some(world.name()), kind: Kind::Board }.page(StatusCode::OK, &content)
}

/// The whole address of a payer's page.
fn pay_address(server: &Shared, world: &str, provider: &str, id: &str) -> String {
    format!("{}/_/pay/{world}/{provider}/{id}", server.urls.root())
}

/// The most statuses of the history on the page.
const MOST_STATUSES: usize = 50;
