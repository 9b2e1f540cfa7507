//! AllScale: from a draft to a create request that its documents allow.

mod coins;
mod draft;
mod rules;
mod violation;

pub use coins::CoinSet;
pub use draft::{CreateIntent, Draft, Price, SettlementCoin};
pub use rules::{Limits, Rules};
pub use violation::{Field, Violation, Violations, Warning};
