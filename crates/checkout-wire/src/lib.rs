//! Wire types of hosted checkout providers: requests to bytes, and any bytes to a reply or a clear error.
//!
//! - [`allscale`], [`azotte`], [`peach`]: the requests, the payloads, and their readers.
//! - [`Reply`]: an answer as read: [`Done`](Reply::Done), [`Refused`](Reply::Refused), or
//!   [`UnexpectedResponse`](Reply::UnexpectedResponse).
//! - [`ReadError`]: the reason that an answer of the API could not be read, with path and position.
//!
//! ```
//! # checkout_doctest::facade!(wire);
//! use checkout_kit::allscale::IntentStatus;
//! use checkout_kit::tables::Open;
//! use checkout_kit::wire::{Head, Reply, allscale};
//!
//! let body = br#"{"code":0,"payload":2,"error":null,"request_id":"req_xxxxx"}"#;
//! let reply = allscale::read::<Open<IntentStatus>>(&Head::new(200), body)?;
//! let Reply::Done(answer) = reply else { panic!("{reply:?}") };
//! assert_eq!(answer.payload.known(), Some(IntentStatus::Viewed));
//! assert_eq!(answer.request_id.as_deref(), Some("req_xxxxx"));
//!
//! let proxy = allscale::read::<Open<IntentStatus>>(&Head::new(502), b"<html>Bad Gateway</html>")?;
//! assert!(matches!(proxy, Reply::UnexpectedResponse(_)));
//! # Ok::<(), checkout_wire::ReadError>(())
//! ```
//!
//! # What is not here
//! Signatures (`checkout-auth`), HTTP itself (`checkout-transport`), and the meaning of a status
//! (`checkout-lifecycle`). `checkout-client` compares a reply with the request.
//!
//! # The one idea to know
//! Reading is total: for any bytes, the result is a value or an error with a position. Later additions of a
//! provider (statuses, codes, fields) are never an error. A value that cannot be meant is always an error,
//! except if the payload's own page says that no decision depends on the value.
//!
//! # Sources
//! *Create Checkout Intent*, v4, 2026-05-06; *Get Checkout Intent*, v3, 2026-03-06; *Get Status*, v3,
//! 2026-05-14; for the test routes and some nullable fields AllScale's newer pages. Azotte C2A, *Submit
//! Checkout* and *Get Checkout Status*. Peach Payments, the pages of Hosted Checkout, V1 and V2, and of its
//! webhooks.
//!
//! # Features
//! None. The crate is `no_std` with `alloc`, and `serde_json` is not part of the crate's interface.
#![no_std]

extern crate alloc;

pub mod allscale;
pub mod azotte;
mod error;
mod head;
mod json;
mod page;
mod path;
pub mod peach;
mod reply;

pub use error::{ReadError, ReadErrorKind};
pub use head::Head;
pub use json::{BODY_CAP, JsonText, NotJson, Verbatim};
pub use page::is_page_url;
pub use reply::{Answer, Excerpt, NotDone, Printable, ProviderRefusal, Reply, UnexpectedResponse};
