//! The refusals of Azotte.

use serde_json::Value;

use super::{Why, answer, header_fault, only};
use crate::traffic::Entry;
use crate::world::World;
use crate::worlds::Worlds;

pub(super) fn why(entry: &Entry, world: &World, worlds: &Worlds) -> Why {
    let answer = answer(entry);
    let text = |name: &str| answer.get(name).and_then(Value::as_str);
    let sentences = match entry.status() {
        Some(401) => unauthorized(entry, world, worlds),
        Some(404) => vec!["The tenant has no checkout with the tracking number of the path.".to_owned()],
        Some(409) => vec!["The tracking number belongs to another tenant.".to_owned()],
        Some(429) => vec!["More requests came than the limit allows. Retry-After tells the wait.".to_owned()],
        _ => {
            let detail = text("detail").unwrap_or("the answer gives no detail");
            let mut sentences = vec![format!("The body is refused: {detail}.")];
            for (path, messages) in answer.get("errors").and_then(Value::as_object).into_iter().flatten() {
                let messages: Vec<&str> =
                    messages.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
                sentences.push(format!("The field {path}: {}.", messages.join(", ")));
            }
            sentences
        }
    };
    Why { sentences, signature: None }
}

fn unauthorized(entry: &Entry, world: &World, worlds: &Worlds) -> Vec<String> {
    let faults: Vec<String> =
        ["x-tn", "x-api-key"].iter().filter_map(|name| header_fault(entry, name)).collect();
    if !faults.is_empty() {
        return faults;
    }
    let (tenant, key) =
        (only(entry, "x-tn").unwrap_or_default(), only(entry, "x-api-key").unwrap_or_default());
    let keys = world.keys();
    let sentence = if tenant == keys.azotte_api_key && key == keys.azotte_x_tn {
        "The x-tn and the x-api-key are exchanged.".to_owned()
    } else if tenant != keys.azotte_x_tn {
        "No world has this x-tn. GET /_/worlds/{world} shows the keys of a world.".to_owned()
    } else if key == keys.allscale_api_key || key == keys.peach_client_secret {
        "The x-api-key is a key of another provider.".to_owned()
    } else if let Some(other) = worlds.all().iter().find(|other| other.keys().azotte_api_key == key) {
        format!(
            "The x-api-key is the key of the world {}, and the x-tn is of the world {}.",
            other.name(),
            world.name()
        )
    } else if key.trim() != key || key.starts_with("Bearer ") {
        "The x-api-key has the key alone: no spaces, and no Bearer in front.".to_owned()
    } else {
        "The x-api-key is not the key of the tenant in x-tn.".to_owned()
    };
    vec![sentence]
}
