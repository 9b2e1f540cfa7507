//! The documented error codes, and the HTTP status of each.

use crate::json::Json;

/// The reason why the API refuses a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: i64,
    message: String,
    details: Option<(&'static str, String)>,
    pub(super) retry_after: Option<u64>,
}

impl Refusal {
    pub(super) fn new(code: i64, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: None, retry_after: None }
    }

    /// The refusal of a field of a request's body.
    pub(super) fn field(field: &str, message: &str) -> Self {
        let mut refusal = Self::new(VALIDATION, format!("{field}: {message}"));
        refusal.details = Some(("field", field.to_owned()));
        refusal
    }

    pub(super) fn missing_header(name: &str) -> Self {
        let mut refusal = Self::new(MISSING_AUTHENTICATION, "missing authentication headers");
        refusal.details = Some(("header", name.to_owned()));
        refusal
    }

    pub(super) fn rate_limited(retry_after: u64) -> Self {
        let mut refusal = Self::new(RATE_LIMIT, "rate limit exceeded");
        refusal.retry_after = Some(retry_after);
        refusal
    }

    pub(super) fn internal() -> Self {
        Self::new(INTERNAL, "internal server error")
    }

    /// The `error` in the envelope.
    pub(super) fn error(&self) -> Json {
        let details = match &self.details {
            Some((name, value)) => Json::object([(*name, Json::text(value))]),
            None => Json::object([]),
        };
        Json::object([("message", Json::text(&self.message)), ("details", details)])
    }

    /// The HTTP status of the refusal. Assumed: no page documents the HTTP status of a refusal.
    pub(super) fn http_status(&self) -> u16 {
        match self.code {
            MISSING_AUTHENTICATION | INVALID_SIGNATURE => 401,
            FORBIDDEN => 403,
            RATE_LIMIT => 429,
            NOT_FOUND => 404,
            90_000..=99_999 => 500,
            _ => 400,
        }
    }
}

// Typed from the lists of possible errors of the three pages, and not from the table that is under test.
pub(super) const VALIDATION: i64 = 10001;
pub(super) const MISSING_AUTHENTICATION: i64 = 20001;
pub(super) const INVALID_SIGNATURE: i64 = 20002;
pub(super) const FORBIDDEN: i64 = 30001;
pub(super) const RATE_LIMIT: i64 = 40001;
pub(super) const NOT_FOUND: i64 = 50001;
pub(super) const CREATE_ERROR: i64 = 50002;
const INTERNAL: i64 = 90000;
