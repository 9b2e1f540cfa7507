//! AllScale's requests and answers.

mod payload;
mod read;
mod request;

pub use payload::{CreatedIntent, Echo, Intent, Pong};
pub use read::{BODY_CAP, Payload, read, read_capped, write};
pub use request::{create_body, path};
