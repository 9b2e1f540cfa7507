//! AllScale's client against the sandbox, and against transports that do worse than it.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod base_url;
mod bounds;
mod clocks;
mod faults;
mod forms;
mod nonces;
mod observations;
mod reading;
mod request_ids;
mod responses;
mod secrets;
mod signatures;
mod stores;
#[cfg(feature = "tracing")]
mod traces;
mod world;
