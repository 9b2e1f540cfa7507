//! Azotte's client against the sandbox, and against transports that do worse than it.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod builds;
mod faults;
mod polling;
mod secrets;
mod sent;
#[path = "../support/mod.rs"]
mod support;
mod tenants;
mod walks;
mod world;
