//! Many checkouts at a time, against the sandboxes: each checkout gives the same changes as a watch alone.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "tests"
)]

mod anything;
mod blocking;
mod cancel;
mod clocks;
mod crowds;
mod hostile;
mod limits;
mod nudges;
mod same;
mod secrets;
mod stored;
mod time;
mod tokens;
mod wakes;
#[path = "../watch/world.rs"]
#[allow(dead_code, reason = "it has more than is needed here")]
mod world;
