//! The envelope that AllScale's API answers with.

use checkout_transport::http::StatusCode;

use super::fault::Fault;
use super::refusal::Refusal;
use crate::json::Json;

pub(super) type Answer = crate::answer::Answer<i64>;

/// The API's own answer: the payload or the refusal, in an envelope.
pub(super) fn reply(outcome: Result<Json, Refusal>, request_id: String, fault: Option<&Fault>) -> Answer {
    let outcome = match (outcome, fault) {
        (Ok(_), Some(Fault::LateInternalError)) => Err(Refusal::internal()),
        (outcome, _) => outcome,
    };
    let (status, code, payload, error, retry_after) = match outcome {
        Ok(payload) => (200, 0, payload, Json::Null, None),
        Err(refusal) => {
            (refusal.http_status(), refusal.code, Json::Null, refusal.error(), refusal.retry_after)
        }
    };
    let envelope = Json::object([
        ("code", Json::Int(code)),
        ("payload", payload),
        ("error", error),
        ("request_id", Json::Text(request_id)),
    ]);
    let envelope = match fault {
        Some(Fault::ExtraFields) => envelope.with_unknown_members(),
        Some(Fault::DuplicateKeys) => envelope.with_doubled_members(),
        Some(_) | None => envelope,
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let page = Answer::page(status, Some("application/json"), envelope.to_string());
    Answer { code: Some(code), retry_after, ..page }
}
