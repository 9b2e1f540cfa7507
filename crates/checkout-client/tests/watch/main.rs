//! Watches of every provider's checkouts, against the sandboxes: the clocks move when a watch sleeps.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "tests"
)]

mod cancel;
mod challenges;
mod clocks;
mod faults;
mod late;
mod memory;
mod nudges;
mod scenarios;
mod script;
mod secrets;
mod stored;
mod submits;
mod tokens;
mod wakes;
mod world;
