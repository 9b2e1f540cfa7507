//! The timeline of a checkout as an ordered list.

use std::sync::Arc;

use maud::{Markup, html};

use super::{exchange, parts};
use crate::mask::Mask;
use crate::shared::Shared;
use crate::shown::Shown;
use crate::timeline::{self, Attempt, Happened, Status, Webhook};
use crate::traffic::{Entry, Step};
use crate::why;
use crate::world::{Played, World};

/// The timeline of a checkout: the latest things up to the thing with the number `until`.
pub(super) fn section(
    server: &Shared,
    world: &World,
    played: &Played,
    (path, checkout): (&str, &str),
    statuses: Vec<Status>,
    until: Option<usize>,
) -> Markup {
    let mask = Mask::of(world.keys());
    let all = timeline::of(played, &mask, checkout, statuses);
    let end = until.unwrap_or(all.len()).min(all.len());
    let (mut items, mut size, mut begin, mut reasons) = (Vec::new(), 0, end, 0);
    for happened in all.get(..end).unwrap_or_default().iter().rev() {
        let item = item(server, world, &mask, happened, &mut reasons);
        size += item.0.len();
        if items.len() >= MOST_ITEMS || (size > MOST_BYTES && !items.is_empty()) {
            break;
        }
        items.push(item);
        begin -= 1;
    }
    html! {
        section data-live="timeline" {
            h2 { "Timeline" }
            @if begin > 0 {
                p { a href=(format!("{path}?until={begin}")) data-testid="older" { (begin) " older things" } }
            }
            ol class="history" start=(begin + 1) data-testid="timeline" {
                @for item in items.iter().rev() { li { (item) } }
            }
            @if end < all.len() { p { a href=(path) data-testid="latest" { "The latest things" } } }
        }
    }
}

fn item(server: &Shared, world: &World, mask: &Mask<'_>, happened: &Happened, reasons: &mut usize) -> Markup {
    html! {
        (exchange::exact_time(happened.at())) br;
        @match happened {
            Happened::Request(entry) => (request(server, world, mask, entry, reasons)),
            Happened::Status(status) => { "Status " b { (status.words) } " " code { (status.code) } },
            Happened::Webhook(webhook) => (delivery(webhook)),
            Happened::Clock(step) => (clock(step)),
        }
    }
}

fn request(
    server: &Shared,
    world: &World,
    mask: &Mask<'_>,
    entry: &Arc<Entry>,
    reasons: &mut usize,
) -> Markup {
    let shown = Shown::of(entry, mask);
    let path = exchange::request_path(&server.base_path, world.name(), shown.number);
    let may_tell = *reasons < MOST_REASONS;
    let why = if may_tell { why::of(entry, world, &server.worlds) } else { None };
    *reasons += usize::from(why.is_some());
    html! {
        details data-testid=(format!("request-{}", shown.number)) {
            summary { (exchange::line(&shown)) " " (exchange::outcome(&shown)) }
            p { a href=(path) { "Request " (shown.number) " whole" } }
            (exchange::content(&shown.body, MOST_CHARACTERS))
            p { "Answer" }
            @match &shown.answer {
                Some(answer) => (exchange::content(&answer.body, MOST_CHARACTERS)),
                None => p { "No answer: the request did not arrive." },
            }
        }
        @if let Some(why) = &why {
            p class="alert" { "Why was it refused? " (why.sentences.first().map_or("", |sentence| sentence)) }
        }
    }
}

fn delivery(webhook: &Webhook) -> Markup {
    let Some(attempt) = &webhook.attempt else {
        return html! {
            "Webhook " (webhook.number) " (" (webhook.event) "): "
            @if webhook.states.is_empty() { "has no receiver" } @else { (webhook.states.join(", ")) }
        };
    };
    html! {
        details data-testid=(format!("webhook-{}", webhook.number)) {
            summary {
                "Webhook " (webhook.number) " (" (webhook.event) ") "
                (answered(attempt))
                @if attempt.by_hand { " by hand" }
            }
            p { code { (parts::short(&attempt.url)) } ", " (attempt.took_ms) " ms" }
            (exchange::content(&attempt.body, MOST_CHARACTERS))
        }
    }
}

fn answered(attempt: &Attempt) -> Markup {
    match &attempt.answer {
        Ok((200, _)) => html! { span class="badge paid" { "200" } },
        Ok((status, _)) => html! { span class="badge over" { (status) } },
        Err(reason) => html! { span class="badge over" { (parts::short(reason)) } },
    }
}

fn clock(step: &Step) -> Markup {
    html! {
        @if step.from == step.to { "The clock " (parts::pace(step.pace)) } @else {
            "The clock goes forward to " (parts::time(step.to))
        }
    }
}

/// The most things on a page.
const MOST_ITEMS: usize = 100;

/// The most bytes of the things on a page.
const MOST_BYTES: usize = 60 << 10;

/// The most characters of a body in the list. The page of a request shows more.
const MOST_CHARACTERS: usize = 300;

/// The most reasons that a page finds out. The page of a request always tells the reason.
const MOST_REASONS: usize = 10;
