//! The dashboard's part for faults: a form, and the faults of the world.

use maud::{Markup, html};

use super::form::Form;
use super::view::Provider;
use crate::faults::{self, Fault, Route, Rule};
use crate::wire::Wire;
use crate::world::Played;

/// The form for a fault, and the list of the faults.
pub(super) fn section(path: &str, played: &Played) -> Markup {
    let path = format!("{path}/fault");
    html! {
        section {
            h2 { "Fault of the next requests" }
            form class="line" method="post" action=(path) {
                div {
                    label for="fault" { "Fault" }
                    select id="fault" name="fault" data-testid="fault" {
                        @for provider in Provider::ALL { (options(provider)) }
                    }
                }
                div {
                    label for="values" { "Values, as status=20" }
                    input id="values" name="values" data-testid="fault-values";
                }
                div {
                    label for="route" { "Route" }
                    select id="route" name="route" data-testid="fault-route" {
                        option value="" { "any" }
                        @for provider in Provider::ALL { (routes(provider)) }
                    }
                }
                div {
                    label for="fault-times" { "How often" }
                    input id="fault-times" name="times" type="number" min="1" value="1" data-testid="fault-times";
                }
                button data-testid="fault-inject" { "Inject" }
            }
            (list(&path, played))
        }
    }
}

fn list(path: &str, played: &Played) -> Markup {
    let rules = played.faults.all();
    html! {
        div data-live="faults" {
            p class="soft" data-testid="faults-waiting" {
                "Faults that wait for a request: " (waiting(played))
            }
            @if !rules.is_empty() {
                ul { @for rule in rules.iter().rev().take(SHOWN) { li data-testid="fault-rule" { (rule.words()) } } }
                @if rules.len() > SHOWN { p class="soft" { "The last " (SHOWN) " of " (rules.len()) "." } }
                form method="post" action=(path) {
                    input type="hidden" name="do" value="clear";
                    button data-testid="fault-clear" { "Take all faults away" }
                }
            }
        }
    }
}

/// Adds a rule of the form's fields.
///
/// # Errors
/// The sentence for a field that is wrong.
pub(super) fn inject(played: &Played, provider: Provider, name: &str, form: &Form) -> Result<(), String> {
    let mut line = format!("{}:{name}", provider.key());
    line += &format!("; {}", form.get("values").unwrap_or_default());
    for field in ["route", "times", "nth", "permille", "seed"] {
        if let Some(value) = form.get(field).map(str::trim).filter(|value| !value.is_empty()) {
            line += &format!("; {field}={value}");
        }
    }
    let added = faults::rule_of_line(&line).and_then(|rule: Rule| played.faults.add(rule));
    added.map(|_| ()).map_err(|problem| format!("The field {}.", problem.sentence()))
}

fn options(provider: Provider) -> Markup {
    let of_provider =
        Fault::rows(provider).iter().map(|row| (row.name, row.value.unwrap_or_default().to_owned()));
    let of_wire = Wire::ROWS.iter().map(|(name, numbers)| {
        let numbers: Vec<_> = numbers.iter().map(|(number, ..)| *number).collect();
        (*name, numbers.join(", "))
    });
    html! {
        optgroup label=(provider.name()) {
            @for (name, values) in of_provider.chain(of_wire) {
                option value=(format!("{}:{name}", provider.key())) {
                    (name.replace('_', " "))
                    @if !values.is_empty() { " (" (values) ")" }
                }
            }
        }
    }
}

fn routes(provider: Provider) -> Markup {
    html! {
        optgroup label=(provider.name()) {
            @for route in Route::all(provider).into_iter().filter_map(Route::name) {
                option value=(route) { (route.replace('_', " ")) }
            }
        }
    }
}

/// The number of requests that are to go wrong for certain.
fn waiting(played: &Played) -> u64 {
    let of_sandboxes =
        played.allscale.faults_waiting() + played.azotte.faults_waiting() + played.peach.faults_waiting();
    played.faults.waiting().saturating_add(u64::try_from(of_sandboxes).unwrap_or(u64::MAX))
}

/// The most faults that the dashboard lists.
const SHOWN: usize = 20;
