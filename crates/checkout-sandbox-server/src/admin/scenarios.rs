//! The scenario of a world's next checkout.

use axum::body::Bytes;
use axum::extract::{Path, State};
use checkout_sandbox::{allscale, azotte, peach};
use checkout_transport::http::StatusCode;
use serde_json::json;

use super::{Outcome, Server, named};
use crate::fields::Fields;
use crate::problem::{Problem, answer};

pub(super) async fn add(State(server): Server, Path(name): Path<String>, body: Bytes) -> Outcome {
    let mut fields = Fields::read(&body)?;
    let provider = fields.text("provider")?.ok_or_else(|| Problem::field("provider", PROVIDERS))?;
    let scenario = fields.text("scenario")?.unwrap_or_default();
    fields.end()?;
    let played = named(&server, &name)?.played();
    let (found, names) = match provider.as_str() {
        "allscale" => {
            let found = allscale::Scenario::by_name(&scenario);
            (found.map(|found| played.allscale.next_intent(found)), &allscale::Scenario::NAMES[..])
        }
        "azotte" => {
            let found = azotte::Scenario::by_name(&scenario);
            (found.map(|found| played.azotte.next_checkout(found)), &azotte::Scenario::NAMES[..])
        }
        "peach" => {
            let found = peach::Scenario::by_name(&scenario);
            (found.map(|found| played.peach.next_checkout(found)), &peach::Scenario::NAMES[..])
        }
        _ => return Err(Problem::field("provider", PROVIDERS)),
    };
    found.ok_or_else(|| Problem::field("scenario", format!("has to be one of {}", names.join(", "))))?;
    Ok(answer(StatusCode::OK, &json!({ "provider": provider, "next": scenario })))
}

const PROVIDERS: &str = "has to be allscale, azotte or peach";
