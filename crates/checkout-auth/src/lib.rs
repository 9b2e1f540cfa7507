//! The signatures of hosted checkout providers, made and verified.
//!
//! The crate holds one module for each provider that signs, with the provider's key, the messages that the
//! key signs, and the check that the receiver makes. [`allscale`] signs the bytes of a request, of a
//! [webhook](allscale::webhook) and, if asked to, of an [answer](allscale::response); [`peach`] signs decoded
//! parameters, of requests and of Peach's messages, and a webhook's bytes in a [header](peach::header).
//! Azotte signs nothing: Azotte takes an API key in a header. The crate works on bytes and text, and so with
//! any HTTP stack: [`HeaderFields`] looks headers up. One [`Verifier`] checks the messages that are signed in
//! their headers, from any sender, and gives a [`Signed`] message or a [`MessageError`]. A [`KeyRing`] holds
//! the keys while one is changed for another, and a [`Tolerance`] says how old a message may be. The
//! [`Blame`] of every error names the party that has to change something, and a hint names the usual cause.
//!
//! ```
//! # checkout_doctest::facade!(auth);
//! use checkout_kit::allscale::{RequestToSign, SigningKey, headers};
//!
//! let key = SigningKey::new("test_key", "test_secret_abc".into())?;
//! let body = concat!(
//!     r#"{"amount_cents":1000,"currency":1,"order_id":"ord_1","#,
//!     r#""redirect_url":"https://example.com/r"}"#
//! );
//! let request = RequestToSign {
//!     method: "POST",
//!     path: "/v1/checkout_intents/",
//!     query: "",
//!     timestamp: 1_716_501_000,
//!     nonce: "b4d9a2a1-9c2b-4df4-8b8e-2a13a45fd321",
//!     body: body.as_bytes(),
//! };
//! let signature = key.sign(&request)?;
//! assert_eq!(headers::SIGNATURE, "x-signature");
//! assert_eq!(signature.as_str(), "v1=28HitHtE4rVV1nej7S5mIE8xZbc9afx8h+6cH/yaPiA=");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **What is not here:** a clock, a source of nonces, a memory of the nonces seen, a decoder of forms and
//! JSON, and anything that sends. Time, nonces and secrets are arguments. A verified message may have come
//! before: only a memory can detect the repeat. A request to a server that plays AllScale is checked for its
//! signature alone, and the server checks the request's time.
//!
//! **The one idea to know:** a signature covers exactly the bytes or parameters that are sent. AllScale's
//! covers bytes: sign the body as it will leave and send the body untouched; a body that is serialised a
//! second time is another body. Every attempt, a retry included, needs a fresh nonce and so a signature of
//! its own. Peach's covers parameters, and those less tightly than it seems: [its
//! worth](peach#what-a-signature-is-worth) is a hint, not a payment.
//!
//! Sources: the pages named in each module. The crate is `no_std` and needs `alloc`.
//!
//! # Features
//! - `http`: [`HeaderFields`] for the `HeaderMap` of the `http` crate, which needs `std`.
#![no_std]

extern crate alloc;

pub mod allscale;
pub mod peach;

mod blame;
mod fields;
mod mac;
mod message;
mod ring;
mod sign_error;
mod time;
mod unseen;

pub use blame::Blame;
pub use fields::{HeaderError, HeaderFields, HeaderProblem};
pub use message::{MessageError, MessageKind, Signed, Verifier};
pub use ring::KeyRing;
pub use secrecy::SecretString;
pub use sign_error::SignError;
pub use time::Tolerance;
pub use unseen::has_unseen;
