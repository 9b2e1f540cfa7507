//! Checkouts that outlive the process: created, read, settled and told through a store that many processes
//! share.
//!
//! | type | is |
//! |---|---|
//! | [`Engine`] | the driver for programs with tokio: create, receive webhooks, run |
//! | [`Machine`] | the decisions: from leased work to a request or a write, without I/O and without a clock |
//! | [`Store`] | what the engine asks of a database; [`Memory`] is the model, for tests |
//! | [`Checkout`], [`State`] | a checkout as it stands |
//! | [`News`] | what the shop is told: settled, failed, held |
//! | [`person`] | a person's decisions about a held checkout |
//!
//! With the feature `metrics` the engine counts by the facade of that name too, and with `tracing` each piece
//! of work has a span.
//!
//! The stores that last are in crates of their own: `checkout-store-sqlite` and `checkout-store-postgres`.
//! The guide docs/engine.md has the whole picture.

mod caught;
mod checkout;
#[cfg(feature = "conformance")]
pub mod conformance;
mod draft;
mod engine;
mod forward;
mod limits;
#[cfg(feature = "conformance")]
pub mod limits_conformance;
mod machine;
mod measures;
mod memory;
mod notes;
mod store;

pub use checkout::{Challenge, Checkout, Provider, State};
pub use draft::Draft;
pub use engine::{
    BuildError, Builder, Counters, DEFAULT_MERCHANT, DecideError, Engine, EngineError, Webhook, person,
};
pub use limits::{Limit, Limited, Limits, MemoryLimits, Reserved, Room};
pub use machine::{Client, Exchange, Machine, PrepareError, Rules, Save, Task};
pub use memory::Memory;
pub use store::*;
