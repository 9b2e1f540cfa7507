//! The changes of the checkouts of a world in a span of time.

use checkout_tables::Moment;
use checkout_tables::allscale::IntentStatus;
use serde_json::{Value, json};

use crate::world::Played;

/// The changes after the moment `from`, in the order of time. The first thousand, if there are more.
pub(super) fn since(played: &Played, from: Moment) -> Vec<Value> {
    let mut changes: Vec<(Moment, Value)> = Vec::new();
    let mut add = |provider: &str, id: &str, at: Moment, status: Value| {
        let change = json!({ "provider": provider, "id": id, "unix_ms": at.unix_millis(), "status": status });
        changes.push((at, change));
    };
    for intent in played.allscale.intents().iter().filter(|intent| intent.changed_at > from) {
        for (at, status) in played.allscale.history(&intent.id) {
            let known = IntentStatus::from_value(status).map(IntentStatus::code);
            add("allscale", &intent.id, at, known.map_or_else(|| status.into(), Value::from));
        }
    }
    for checkout in played.azotte.checkouts().iter().filter(|checkout| checkout.changed_at > from) {
        for (at, code) in played.azotte.history(&checkout.tracking_number) {
            add("azotte", &checkout.tracking_number, at, code.into());
        }
    }
    for checkout in played.peach.checkouts().iter().filter(|checkout| checkout.changed_at > from) {
        for (at, code) in played.peach.history(&checkout.checkout_id) {
            add("peach", &checkout.checkout_id, at, code.into());
        }
    }
    changes.retain(|(at, _)| *at > from);
    // The sort is stable: changes of one moment stay in the order of their checkouts.
    changes.sort_by_key(|(at, _)| *at);
    changes.truncate(MOST);
    changes.into_iter().map(|(_, change)| change).collect()
}

/// The most changes in an answer.
const MOST: usize = 1_000;
