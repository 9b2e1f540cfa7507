//! The store of an engine, as the page of a world shows the store. Its checkouts can be of any world.

use maud::{Markup, html};
use serde_json::Value;

use super::form::{Form, encoded};
use super::parts;
use crate::mask::Mask;
use crate::shared::Shared;
use crate::world::World;

/// Nothing, where the server shows no engine.
pub(super) async fn section(server: &Shared, world: &World, path: &str, query: &Form) -> Markup {
    let Some(engine) = &server.engine else { return html! {} };
    let seen = engine.look(query.get("engine"), ROWS).await;
    let mask = Mask::of(world.keys());
    html! {
        section {
            h2 { "Engine" }
            div data-live="engine" data-testid="engine" {
                @match &seen {
                    Err(said) => p role="alert" { (mask.text(said)) },
                    Ok(seen) => (rows(seen, &mask, path)),
                }
            }
        }
    }
}

fn rows(seen: &Value, mask: &Mask<'_>, path: &str) -> Markup {
    let list = |name: &str| seen.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let (checkouts, unmatched) = (list("checkouts"), list("unmatched"));
    let word = |of: &Value, name: &str| match of.get(name) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => parts::short(&mask.text(text)),
        Some(other) => other.to_string(),
    };
    let figure = |name| seen.get("figures").map_or_else(String::new, |figures| word(figures, name));
    html! {
        p class="soft" data-testid="engine-figures" {
            (figure("work")) " with work, " (figure("leased")) " leased, " (figure("held")) " held, "
            (figure("news")) " news untold, " (figure("unmatched")) " events of no checkout."
        }
        @if !checkouts.is_empty() {
            div class="wide" { table {
                thead { tr {
                    th { "Id" } th { "Merchant" } th { "State" } th { "Due" } th { "Tries" } th { "Held" }
                } }
                tbody {
                    @for of in checkouts {
                        tr data-testid="engine-checkout" {
                            td class="cut" { (word(of, "id")) }
                            td { (word(of, "provider")) "/" (word(of, "merchant")) }
                            td { (word(of, "state")) }
                            td {
                                (word(of, "due"))
                                @if of.get("leased") == Some(&Value::Bool(true)) { ", leased" }
                                @if of.get("nudged") == Some(&Value::Bool(true)) { ", nudged" }
                            }
                            td { (word(of, "tries")) }
                            td class="cut" { (word(of, "hold")) }
                        }
                    }
                }
            } }
        }
        @if checkouts.len() == ROWS && let Some(last) = checkouts.last().and_then(|of| of.get("id")?.as_str()) {
            nav class="pages" aria-label="Pages of the engine's checkouts" {
                a href=(format!("{path}?engine={}", encoded(last))) rel="next" data-testid="engine-next" { "Further" }
            }
        }
        @if !unmatched.is_empty() {
            h3 { "Events of no checkout" }
            ul {
                @for of in unmatched {
                    li data-testid="engine-unmatched" {
                        (word(of, "lane")) ": " code { (word(of, "checkout_id")) } " " code { (word(of, "reference")) } " "
                        (word(of, "seen_at"))
                    }
                }
            }
        }
    }
}

/// The rows of the list.
const ROWS: usize = 20;
