//! The way to the newest checkout.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use checkout_transport::http::{Response, StatusCode};

use super::desk;
use super::look::see_other;
use super::parts::pay_path;
use super::view::Provider;
use crate::problem::Problem;
use crate::query::Query;
use crate::shared::Shared;
use crate::world::World;

/// Leads to the payer's page of the newest checkout of a world, and of a provider if the query names one.
pub(super) async fn latest(
    State(server): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
) -> Result<Response<Body>, Problem> {
    let mut query = Query::read(query.as_deref());
    let name = query.text("world").unwrap_or_else(|| World::DEFAULT.to_owned());
    let provider = query.text("provider").map(|key| {
        Provider::of_key(&key)
            .ok_or_else(|| Problem::field("provider", "has to be allscale, azotte or peach"))
    });
    let provider = provider.transpose()?;
    query.end()?;
    let refused = |message: &str| Problem::new(StatusCode::NOT_FOUND, message);
    let world = server.worlds.named(&name).ok_or_else(|| refused("no world has this name"))?;
    let rows = desk::rows(&world.quiet());
    let newest = rows.into_iter().find(|row| provider.is_none_or(|provider| row.provider == provider));
    let newest = newest.ok_or_else(|| refused("the world has no such checkout yet"))?;
    Ok(see_other(&pay_path(&server.base_path, world.name(), newest.provider, &newest.id)))
}
