//! The replies that Peach's API answers with.

use checkout_transport::http::StatusCode;

use super::checkout::description;
use super::fault::Fault;
use super::form::Pairs;
use crate::json::Json;

pub(super) type Answer = crate::answer::Answer<String>;

/// The API's reply: `Ok` if the request was done, `Err` if the API refused.
pub(super) type Outcome = Result<Reply, Reply>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    status: u16,
    body: Json,
    retry_after: Option<u64>,
}

impl Reply {
    pub(super) fn done(status: u16, body: Json) -> Self {
        Self { status, body, retry_after: None }
    }

    /// A refusal in words.
    pub(super) fn message(status: u16, message: &str) -> Self {
        Self::done(status, Json::object([("message", Json::text(message))]))
    }

    /// A refusal of fields: each field with the words for the fault.
    pub(super) fn fields(fields: Pairs) -> Self {
        let fields = fields.into_iter().map(|(field, text)| (field, Json::Text(text))).collect();
        Self::done(400, Json::object([("validation_errors", Json::Object(fields))]))
    }

    /// A refusal with a result code.
    pub(super) fn result(status: u16, code: &str) -> Self {
        let members =
            [("result.code", Json::text(code)), ("result.description", Json::text(description(code)))];
        Self::done(status, Json::object(members))
    }

    pub(super) fn too_many(retry_after: u64) -> Self {
        Self { retry_after: Some(retry_after), ..Self::message(429, "Too many requests.") }
    }

    pub(super) fn internal() -> Self {
        Self::message(500, "Internal server error.")
    }
}

/// The API's own answer.
pub(super) fn reply(outcome: Outcome, fault: Option<&Fault>) -> Answer {
    let reply = match (outcome, fault) {
        (Ok(_), Some(Fault::LateInternalError)) => Reply::internal(),
        (Ok(reply) | Err(reply), _) => reply,
    };
    let code = result_code(&reply.body).map(str::to_owned);
    let body = match fault {
        Some(Fault::ExtraFields) => reply.body.with_unknown_members(),
        Some(Fault::DuplicateKeys) => reply.body.with_doubled_members(),
        Some(_) | None => reply.body,
    };
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let page = Answer::page(status, Some("application/json"), body.to_string());
    Answer { code, retry_after: reply.retry_after, ..page }
}

/// The result code of a reply, flat or wrapped.
fn result_code(reply: &Json) -> Option<&str> {
    let Json::Object(members) = reply else { return None };
    members.iter().find_map(|(name, value)| match (name.as_str(), value) {
        ("result.code", Json::Text(code)) => Some(code.as_str()),
        ("redirect_post_data", flat) => result_code(flat),
        _ => None,
    })
}
