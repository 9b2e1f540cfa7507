//! The names of the headers that a signed request carries.
//!
//! In lower case, as HTTP/2 sends them and as the `http` crate wants its static names. The documents write
//! `X-API-Key`, `X-Timestamp`, `X-Nonce` and `X-Signature`; to HTTP the case is all the same.
//!
//! Source: *Get Status*, v3, 2026-05-14, Authentication.

/// `X-API-Key`: the API key, [`SigningKey::api_key`](super::SigningKey::api_key).
///
/// ```
/// assert!(checkout_auth::allscale::headers::API_KEY.eq_ignore_ascii_case("X-API-Key"));
/// ```
pub const API_KEY: &str = "x-api-key";

/// `X-Timestamp`: the time of the attempt in Unix seconds, in decimal.
///
/// ```
/// assert!(checkout_auth::allscale::headers::TIMESTAMP.eq_ignore_ascii_case("X-Timestamp"));
/// ```
pub const TIMESTAMP: &str = "x-timestamp";

/// `X-Nonce`: an identifier that no other request has, a UUID.
///
/// ```
/// assert!(checkout_auth::allscale::headers::NONCE.eq_ignore_ascii_case("X-Nonce"));
/// ```
pub const NONCE: &str = "x-nonce";

/// `X-Signature`: the [`Signature`](super::Signature).
///
/// ```
/// assert!(checkout_auth::allscale::headers::SIGNATURE.eq_ignore_ascii_case("X-Signature"));
/// ```
pub const SIGNATURE: &str = "x-signature";
