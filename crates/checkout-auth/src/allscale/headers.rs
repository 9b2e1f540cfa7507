//! The names of the headers that signed requests, webhooks and answers carry.
//!
//! The names are in lower case, as HTTP/2 sends them and as the `http` crate wants its static names. The
//! documents write `X-API-Key`, `X-Timestamp`, `X-Nonce` and `X-Signature`; HTTP does not distinguish case.
//!
//! | message | headers |
//! |---|---|
//! | request | [`API_KEY`], [`TIMESTAMP`], [`NONCE`], [`SIGNATURE`] |
//! | webhook | [`API_KEY`], [`WEBHOOK_ID`], [`WEBHOOK_TIMESTAMP`], [`WEBHOOK_NONCE`], [`WEBHOOK_SIGNATURE`] |
//! | answer | [`RESPONSE_TIMESTAMP`], [`RESPONSE_NONCE`], [`RESPONSE_SIGNATURE`], [`REQUEST_NONCE`] |
//!
//! Sources: *Get Status*, v3, 2026-05-14, Authentication; for webhooks, *Webhook Signing & Payload Guide*,
//! v5, 2026-04-30; for answers, *Auth*, v1, 2026-01.

/// `X-API-Key`: the API key, [`SigningKey::api_key`](super::SigningKey::api_key).
///
/// ```
/// # checkout_doctest::facade!(auth);
/// assert!(checkout_kit::allscale::headers::API_KEY.eq_ignore_ascii_case("X-API-Key"));
/// ```
pub const API_KEY: &str = "x-api-key";

/// `X-Timestamp`: the time of the attempt in Unix seconds, in decimal.
///
/// ```
/// # checkout_doctest::facade!(auth);
/// assert!(checkout_kit::allscale::headers::TIMESTAMP.eq_ignore_ascii_case("X-Timestamp"));
/// ```
pub const TIMESTAMP: &str = "x-timestamp";

/// `X-Nonce`: an identifier that no other request has, a UUID.
///
/// ```
/// # checkout_doctest::facade!(auth);
/// assert!(checkout_kit::allscale::headers::NONCE.eq_ignore_ascii_case("X-Nonce"));
/// ```
pub const NONCE: &str = "x-nonce";

/// `X-Signature`: the [`Signature`](super::Signature).
///
/// ```
/// # checkout_doctest::facade!(auth);
/// assert!(checkout_kit::allscale::headers::SIGNATURE.eq_ignore_ascii_case("X-Signature"));
/// ```
pub const SIGNATURE: &str = "x-signature";

/// `X-Webhook-Id`: the id of a webhook, which its body has as `webhook_id` too.
///
/// ```
/// # checkout_doctest::facade!(auth);
/// assert!(checkout_kit::allscale::headers::WEBHOOK_ID.eq_ignore_ascii_case("X-Webhook-Id"));
/// ```
pub const WEBHOOK_ID: &str = "x-webhook-id";

/// `X-Webhook-Timestamp`: when a webhook was signed, in Unix seconds, in decimal.
///
/// ```
/// # checkout_doctest::facade!(auth);
/// assert!(checkout_kit::allscale::headers::WEBHOOK_TIMESTAMP.eq_ignore_ascii_case("X-Webhook-Timestamp"));
/// ```
pub const WEBHOOK_TIMESTAMP: &str = "x-webhook-timestamp";

/// `X-Webhook-Nonce`: unlike any other webhook's.
///
/// ```
/// # checkout_doctest::facade!(auth);
/// assert!(checkout_kit::allscale::headers::WEBHOOK_NONCE.eq_ignore_ascii_case("X-Webhook-Nonce"));
/// ```
pub const WEBHOOK_NONCE: &str = "x-webhook-nonce";

/// `X-Webhook-Signature`: `v1=` and the signature of a webhook in Base64.
///
/// ```
/// # checkout_doctest::facade!(auth);
/// assert!(checkout_kit::allscale::headers::WEBHOOK_SIGNATURE.eq_ignore_ascii_case("X-Webhook-Signature"));
/// ```
pub const WEBHOOK_SIGNATURE: &str = "x-webhook-signature";

/// `X-Response-Timestamp`: when an answer was signed, in Unix seconds, in decimal.
///
/// ```
/// # checkout_doctest::facade!(auth);
/// use checkout_kit::allscale::headers::RESPONSE_TIMESTAMP;
/// assert!(RESPONSE_TIMESTAMP.eq_ignore_ascii_case("X-Response-Timestamp"));
/// ```
pub const RESPONSE_TIMESTAMP: &str = "x-response-timestamp";

/// `X-Response-Nonce`: unlike any other answer's.
///
/// ```
/// # checkout_doctest::facade!(auth);
/// assert!(checkout_kit::allscale::headers::RESPONSE_NONCE.eq_ignore_ascii_case("X-Response-Nonce"));
/// ```
pub const RESPONSE_NONCE: &str = "x-response-nonce";

/// `X-Response-Signature`: `v1=` and the signature of an answer in Base64.
///
/// ```
/// # checkout_doctest::facade!(auth);
/// use checkout_kit::allscale::headers::RESPONSE_SIGNATURE;
/// assert!(RESPONSE_SIGNATURE.eq_ignore_ascii_case("X-Response-Signature"));
/// ```
pub const RESPONSE_SIGNATURE: &str = "x-response-signature";

/// `X-Request-Nonce`: the [`NONCE`] of the request that an answer is to.
///
/// ```
/// # checkout_doctest::facade!(auth);
/// assert!(checkout_kit::allscale::headers::REQUEST_NONCE.eq_ignore_ascii_case("X-Request-Nonce"));
/// ```
pub const REQUEST_NONCE: &str = "x-request-nonce";
