//! Peach's clients, V1 and V2, against the sandbox, and against transports that do worse than it.
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
mod initiate;
mod limits;
mod lookups;
mod secrets;
mod sent;
mod signatures;
#[path = "../support/mod.rs"]
mod support;
mod tokens;
mod v2;
mod walks;
mod world;
