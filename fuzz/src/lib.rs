//! The common parts of the fuzz targets: the law of reading a reply, the second ways of reading and of
//! counting that the crates are held to, and the planted secrets.

mod amount;
mod caller;
mod crowd;
pub mod hostile;
mod json;
mod play;
mod reply;
mod secrets;
pub mod signed;

pub use amount::Digits;
pub use caller::Caller;
pub use crowd::Crowd;
pub use json::{carried, coins, depth, integer, one_id, optional, personal, rate, request_id, text, value};
pub use play::{EPOCH, Play};
pub use reply::{DEPTH, Room, assert_clear, assert_reads, status_and_body};
pub use secrets::{SECRETS, with_secrets};
