//! What the fuzz targets share: the law of reading a reply, and second ways of reading that the crates are
//! held to.

mod amount;
mod json;
mod reply;
pub mod signed;

pub use amount::Digits;
pub use json::{coins, depth, integer, one_id, optional, rate, text, value};
pub use reply::{DEPTH, Room, assert_clear, assert_reads, status_and_body};
