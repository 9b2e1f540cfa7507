#![doc = include_str!("../README.md")]

#[cfg(test)]
extern crate self as checkout_store_redis;

mod connection;
mod error;
mod guard;
mod limits;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, reason = "tests")]
mod mutants;
mod place;
mod scripts;
mod together;

pub use connection::{Options, Redis};
pub use error::RedisFault;
pub use redis;
