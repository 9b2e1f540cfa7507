//! Checkouts that outlive the process.

mod checkout;
#[cfg(feature = "conformance")]
pub mod conformance;
mod draft;
mod engine;
mod forward;
mod machine;
mod memory;
mod notes;
mod store;

pub use checkout::{Challenge, Checkout, Provider, State};
pub use draft::Draft;
pub use engine::{
    BuildError, Builder, Counters, DEFAULT_MERCHANT, DecideError, Engine, EngineError, Webhook,
};
pub use machine::{Client, Exchange, Machine, PrepareError, Rules, Save, Task};
pub use memory::Memory;
pub use store::*;
