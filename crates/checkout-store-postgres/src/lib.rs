#![doc = include_str!("../README.md")]

mod engine;
mod error;
mod guard;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod mutants;
mod postgres;
mod queue;
mod read;
mod rests;
mod schema;
mod turns;
mod vacuum;
mod wake;
mod write;

pub use deadpool_postgres;
pub use error::DatabaseError;
pub use postgres::{Options, Postgres, TAKE_NEWS};
pub use schema::{grants, print};
