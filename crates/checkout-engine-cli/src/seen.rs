//! What a person sees of a store: fields with names, as lines and as JSON. The names of a checkout's and an
//! event's fields are the columns of the views `overview` and `unmatched`. No page, no note.

use checkout_engine::{Checkout, Decided, Figures, Overview, Unmatched};
use serde_json::{Map, Value, json};
use std::io::{self, Write};

/// Fields in their order.
pub(crate) type Fields = Vec<(&'static str, Value)>;

pub(crate) fn overview(seen: &Overview) -> Fields {
    let Overview { checkout, nudged, due, leased, tries } = seen;
    let Checkout { id, provider, merchant, environment, state, hold, reference, checkout_id, .. } = checkout;
    vec![
        ("id", json!(id)),
        ("provider", json!(provider.name())),
        ("merchant", json!(merchant)),
        ("environment", json!(environment.to_string())),
        ("state", json!(state.name())),
        ("hold", json!(hold)),
        ("reference", json!(reference)),
        ("checkout_id", json!(checkout_id)),
        ("created_at", json!(checkout.created_at.to_string())),
        ("changed_at", json!(checkout.changed_at.to_string())),
        ("version", json!(checkout.version)),
        ("nudged", json!(nudged)),
        ("due", json!(due.map(|due| due.to_string()))),
        ("leased", json!(leased)),
        ("tries", json!(tries)),
    ]
}

pub(crate) fn unmatched(event: &Unmatched) -> Fields {
    vec![
        ("number", json!(event.number)),
        ("lane", json!(event.lane)),
        ("checkout_id", json!(event.checkout_id)),
        ("reference", json!(event.reference)),
        ("seen_at", json!(event.seen_at.to_string())),
    ]
}

pub(crate) fn decided(decided: &Decided) -> Fields {
    vec![
        ("at", json!(decided.at.to_string())),
        ("act", json!(decided.act)),
        ("by", json!(decided.by)),
        ("reason", json!(decided.reason)),
    ]
}

/// The figures that the store knows.
pub(crate) fn figures(figures: &Figures) -> Fields {
    let millis = |span: core::time::Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    let all = [
        ("oldest_due_ms", Some(millis(figures.oldest_due))),
        ("work", Some(figures.work)),
        ("leased", Some(figures.leased)),
        ("held", Some(figures.held)),
        ("news", Some(figures.news)),
        ("unmatched", Some(figures.unmatched)),
        ("waiting", figures.waiting),
        ("limit_used", figures.limit_used),
        ("dead_rows", figures.dead_rows),
        ("oldest_transaction_ms", figures.oldest_transaction.map(millis)),
    ];
    all.into_iter().filter_map(|(name, figure)| Some((name, json!(figure?)))).collect()
}

pub(crate) fn object(fields: Fields) -> Value {
    Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
}

/// A line of a list.
pub(crate) fn line(seen: &Overview, out: &mut dyn Write) -> io::Result<()> {
    let Overview { checkout, nudged, due, leased, tries } = seen;
    let Checkout { id, provider, merchant, state, .. } = checkout;
    let mut parts = vec![id.clone(), format!("{provider}/{merchant}"), state.to_string()];
    parts.push(checkout.checkout_id.clone().unwrap_or_else(|| "-".to_owned()));
    parts.extend(due.map(|due| format!("due {due}")));
    parts.extend(leased.then(|| "leased".to_owned()));
    parts.extend((*tries > 0).then(|| format!("tries {tries}")));
    parts.extend(nudged.then(|| "nudged".to_owned()));
    parts.extend(checkout.hold.as_ref().map(|hold| format!("held: {hold}")));
    writeln!(out, "{}", printable(&parts.join("  ")))
}

/// The fields, a line each.
pub(crate) fn lines(fields: Fields, out: &mut dyn Write) -> io::Result<()> {
    for (name, value) in fields {
        writeln!(out, "{:12} {}", name.replace('_', " "), word(&value))?;
    }
    Ok(())
}

/// A value on a line.
pub(crate) fn word(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => printable(text),
        Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

/// Texts from outside must not steer a terminal, or begin a line.
pub(crate) fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for sign in text.chars() {
        if sign.is_control() {
            printable.extend(sign.escape_default());
        } else {
            printable.push(sign);
        }
    }
    printable
}
