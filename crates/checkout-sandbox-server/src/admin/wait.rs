//! The wait for something to be so, in place of a sleep.

use std::pin::pin;
use std::time::Duration;

use axum::extract::{Path, RawQuery, State};
use checkout_tables::allscale::IntentStatus;
use checkout_transport::http::StatusCode;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{Outcome, Server, named};
use crate::courier;
use crate::problem::{Problem, answer};
use crate::query::Query;
use crate::webhooks::log::{Filter, Message};
use crate::world::World;

pub(super) async fn wait(
    State(server): Server,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Outcome {
    let mut query = Query::read(query.as_deref());
    let wanted = query.text("for").unwrap_or_default();
    let filter = Filter { order: query.text("order"), checkout: query.text("checkout") };
    let status = query.text("status");
    let patience = query.time("timeout")?.unwrap_or(USUAL);
    query.end()?;
    let wanted = match (&*wanted, status) {
        ("webhook.due", None) => Wanted::Webhook(|_| true),
        ("webhook.attempted", None) => Wanted::Webhook(Message::is_attempted),
        ("webhook.delivered", None) => Wanted::Webhook(Message::is_delivered),
        ("status", Some(status)) => Wanted::Status(status),
        ("status", None) => return Err(Problem::field("status", "is missing")),
        ("webhook.due" | "webhook.attempted" | "webhook.delivered", Some(_)) => {
            return Err(Problem::field("status", "has a place beside for=status alone"));
        }
        (_, _) => return Err(Problem::field("for", format!("has to be one of {NAMES}"))),
    };
    let mut over = pin!(sleep(patience));
    let world = named(&server, &name)?;
    let mut changed = world.hooks().changed.subscribe();
    loop {
        changed.mark_unchanged();
        // Somebody may have taken the world away in between.
        named(&server, &name)?;
        courier::look(&world);
        if let Some(found) = wanted.found(&world, &filter) {
            return Ok(answer(StatusCode::OK, &found));
        }
        let is_over = tokio::select! {
            () = &mut over => true,
            changed = changed.changed() => changed.is_err(),
        };
        if is_over {
            return Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "it was not so within the timeout"));
        }
    }
}

enum Wanted {
    /// A webhook of which this holds.
    Webhook(fn(&Message) -> bool),
    /// A checkout with this status, by the provider's name or number.
    Status(String),
}

impl Wanted {
    fn found(&self, world: &World, filter: &Filter) -> Option<Value> {
        let played = world.quiet();
        match self {
            Self::Webhook(holds) => {
                let log = played.mail.log();
                let found = log.messages(filter).find(|message| holds(message));
                found.map(|message| json!({ "webhook": message.to_json() }))
            }
            Self::Status(status) => {
                let fits = |order: Option<&str>, id: &str| {
                    filter.order.as_deref().is_none_or(|wanted| order == Some(wanted))
                        && filter.checkout.as_deref().is_none_or(|wanted| id == wanted)
                };
                let of_allscale = played.allscale.intents().into_iter().filter_map(|intent| {
                    let code = IntentStatus::from_value(intent.status).map(IntentStatus::code);
                    let is_so = code == Some(status) || intent.status.to_string() == *status;
                    (is_so && fits(intent.order_id.as_deref(), &intent.id)).then_some(("allscale", intent.id))
                });
                let of_azotte = played.azotte.checkouts().into_iter().filter_map(|checkout| {
                    let is_so = checkout.message_code == *status;
                    let order = checkout.correlation_id.as_deref();
                    (is_so && fits(order, &checkout.tracking_number))
                        .then_some(("azotte", checkout.tracking_number))
                });
                let of_peach = played.peach.checkouts().into_iter().filter_map(|checkout| {
                    let order = Some(&*checkout.merchant_transaction_id);
                    let is_so = checkout.code == *status && fits(order, &checkout.checkout_id);
                    is_so.then_some(("peach", checkout.checkout_id))
                });
                let (provider, id) = of_allscale.chain(of_azotte).chain(of_peach).next()?;
                Some(json!({ "provider": provider, "checkout": id, "status": status }))
            }
        }
    }
}

const NAMES: &str = "webhook.due, webhook.attempted, webhook.delivered, status";

/// The time of a wait without a `timeout`.
const USUAL: Duration = Duration::from_secs(5);
