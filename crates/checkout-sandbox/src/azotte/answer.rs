//! The two forms that Azotte's API answers in: a `CheckoutResult` and a problem.

use checkout_transport::http::StatusCode;

use super::fault::Fault;
use super::refusal::Refusal;
use crate::json::Json;

pub(super) type Answer = crate::answer::Answer<String>;

/// A `CheckoutResult`, with the status and the header that go with the result.
pub(super) struct Reply {
    pub(super) http_status: StatusCode,
    pub(super) code: String,
    pub(super) body: Json,
    pub(super) retry_after: Option<u64>,
}

/// The API's own answer. `path` is the path of the request.
pub(super) fn reply(outcome: Result<Reply, Refusal>, path: &str, fault: Option<&Fault>) -> Answer {
    let outcome = match (outcome, fault) {
        (Ok(_), Some(Fault::LateInternalError)) => Err(Refusal::internal()),
        (outcome, _) => outcome,
    };
    let json = |body: Json| match fault {
        Some(Fault::ExtraFields) => body.with_unknown_members().to_string(),
        Some(Fault::DuplicateKeys) => body.with_doubled_members().to_string(),
        Some(_) | None => body.to_string(),
    };
    let status = |http_status| StatusCode::from_u16(http_status).unwrap_or(StatusCode::BAD_REQUEST);
    match outcome {
        Ok(reply) => Answer {
            code: Some(reply.code),
            retry_after: reply.retry_after.filter(|_| fault != Some(&Fault::NoPollingAdvice)),
            ..Answer::page(reply.http_status, RESULT, json(reply.body))
        },
        Err(Refusal::Unauthorized) => Answer::empty(StatusCode::UNAUTHORIZED),
        Err(Refusal::Code { http_status, code }) => {
            let of_status = Json::object([("messageCode", Json::text(&code))]);
            let body = Json::object([("status", of_status)]);
            Answer { code: Some(code), ..Answer::page(status(http_status), RESULT, json(body)) }
        }
        Err(Refusal::EmptyProblem) => Answer::page(StatusCode::BAD_REQUEST, PROBLEM, json(Json::object([]))),
        Err(Refusal::Problem(problem)) => Answer {
            retry_after: problem.retry_after,
            ..Answer::page(status(problem.http_status), PROBLEM, json(problem.body(path)))
        },
    }
}

const RESULT: Option<&str> = Some("application/clientOutput+Json");
const PROBLEM: Option<&str> = Some("application/problem+json");
