//! Checkouts that outlive the process.

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
mod memory;
mod notes;
mod store;

pub use checkout::{Checkout, Provider, State};
pub use draft::Draft;
pub use engine::{
    BuildError, Builder, Counters, DEFAULT_MERCHANT, DecideError, Engine, EngineError, Webhook,
};
pub use limits::{Limit, Limited, Limits, MemoryLimits, Reserved, Room};
pub use machine::{Client, Exchange, Machine, PrepareError, Rules, Save, Task};
pub use memory::Memory;
pub use store::*;
