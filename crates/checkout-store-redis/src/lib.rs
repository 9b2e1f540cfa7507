#![doc = include_str!("../README.md")]

mod connection;
mod error;
mod guard;
mod limits;
mod scripts;

pub use connection::{Options, Redis};
pub use error::RedisFault;
pub use redis;
