//! The table of the scenarios of all providers, for a browser and as JSON.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use checkout_transport::http::{HeaderMap, Response, StatusCode};
use maud::{Markup, html};
use serde_json::{Value, json};

use super::look::{Frame, Kind};
use super::view::Provider;
use crate::choice;
use crate::problem::answer;
use crate::shared::Shared;

/// The table.
pub(super) async fn table(State(server): State<Arc<Shared>>, headers: HeaderMap) -> Response<Body> {
    if !super::is_for_a_browser(&headers) {
        let scenarios: Vec<Value> =
            Provider::ALL.into_iter().flat_map(rows).map(|row| row.to_json()).collect();
        return answer(StatusCode::OK, &json!({ "header": choice::HEADER, "scenarios": scenarios }));
    }
    let content = html! {
        section {
            h1 { "Scenarios" }
            p {
                "A new checkout goes through the scenario that the create chooses: by the header "
                code { (choice::HEADER) ": " i { "name" } }
                ", by the beginning of the order, which may also be "
                code { (choice::LONG_MARK) i { "name" } "." }
                ", or by the amount."
            }
        }
        @for provider in Provider::ALL { (of_provider(provider)) }
    };
    let frame = Frame { title: "Scenarios", base: &server.base_path, world: None, kind: Kind::Board };
    frame.page(StatusCode::OK, &content)
}

fn of_provider(provider: Provider) -> Markup {
    html! {
        section {
            h2 { (provider.name()) }
            div class="wide" { table {
                thead { tr { th { "Name" } th { "Order begins with" } th { "Amount" } th { "The checkout is" } } }
                tbody {
                    @for row in rows(provider) {
                        tr data-testid=(format!("scenario-{}-{}", provider.key(), row.name)) {
                            td { code { (row.name) } }
                            td { code { (row.order) } }
                            td { @if let Some(amount) = &row.amount { code { (amount) } } }
                            td { (row.sentence) }
                        }
                    }
                }
            } }
        }
    }
}

/// A scenario, and the ways to choose the scenario.
struct Row {
    provider: Provider,
    name: &'static str,
    sentence: String,
    order: String,
    amount: Option<String>,
}

impl Row {
    fn to_json(&self) -> Value {
        json!({
            "provider": self.provider.key(),
            "scenario": self.name,
            "sentence": self.sentence,
            "order": self.order,
            "amount": self.amount,
        })
    }
}

fn rows(provider: Provider) -> impl Iterator<Item = Row> {
    (1..).zip(choice::names(provider)).map(move |(number, name)| Row {
        provider,
        name,
        sentence: choice::sentence(provider, name).unwrap_or_default(),
        order: choice::order_of(number),
        amount: choice::amount_of(provider, number),
    })
}
