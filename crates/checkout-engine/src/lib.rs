//! Checkouts that outlive the process.

mod checkout;
#[cfg(feature = "conformance")]
pub mod conformance;
mod draft;
mod memory;
mod store;

pub use checkout::{Checkout, Provider, State};
pub use draft::Draft;
pub use memory::Memory;
pub use store::*;
