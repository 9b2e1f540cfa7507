//! What goes back to the caller, and what a fault makes of it.

use std::time::{Duration, SystemTime};

use checkout_transport::bytes::Bytes;
use checkout_transport::http::header::{CONTENT_TYPE, DATE, LOCATION, RETRY_AFTER};
use checkout_transport::http::{HeaderValue, StatusCode};
use checkout_transport::{BODY_CAP, Response};

use super::fault::Fault;
use super::refusal::Refusal;
use crate::json::Json;

/// A `CheckoutResult`, and what goes with it.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) http_status: StatusCode,
    pub(super) code: String,
    pub(super) body: Json,
    pub(super) retry_after: Option<u64>,
}

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
    /// The message code, when the body is a whole `CheckoutResult`.
    pub(super) code: Option<String>,
    content_type: Option<&'static str>,
    location: Option<&'static str>,
    retry_after: Option<u64>,
}

impl Answer {
    /// The API's own answer.
    pub(super) fn reply(outcome: Result<Reply, Refusal>, path: &str, fault: Option<&Fault>) -> Self {
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
            Ok(reply) => Self {
                code: Some(reply.code),
                retry_after: reply.retry_after.filter(|_| fault != Some(&Fault::NoPollingAdvice)),
                ..Self::page(reply.http_status, RESULT, json(reply.body))
            },
            Err(Refusal::Unauthorized) => Self::page(StatusCode::UNAUTHORIZED, None, ""),
            Err(Refusal::Code { http_status, code }) => {
                let of_status = Json::object([("messageCode", Json::text(&code))]);
                let body = Json::object([("status", of_status)]);
                Self { code: Some(code), ..Self::page(status(http_status), RESULT, json(body)) }
            }
            Err(Refusal::EmptyProblem) => {
                Self::page(StatusCode::BAD_REQUEST, PROBLEM, json(Json::object([])))
            }
            Err(Refusal::Problem(problem)) => Self {
                retry_after: problem.retry_after,
                ..Self::page(status(problem.http_status), PROBLEM, json(problem.body(path)))
            },
        }
    }

    pub(super) fn not_found() -> Self {
        Self::page(StatusCode::NOT_FOUND, None, "")
    }

    pub(super) fn method_not_allowed() -> Self {
        Self::page(StatusCode::METHOD_NOT_ALLOWED, None, "")
    }

    /// What stands in front of the API and answers in its place, if the fault says so.
    pub(super) fn instead_of_the_api(fault: Option<&Fault>) -> Option<Self> {
        match fault {
            Some(Fault::EmptyUnauthorized) => Some(Self::page(StatusCode::UNAUTHORIZED, None, "")),
            Some(Fault::Redirect) => Some(Self {
                location: Some("https://elsewhere.example/login"),
                ..Self::page(StatusCode::FOUND, HTML, "<html><body>moved</body></html>\n")
            }),
            Some(_) | None => None,
        }
    }

    /// What becomes of the answer on its way.
    pub(super) fn spoiled_by(self, fault: Option<&Fault>) -> Self {
        match fault {
            Some(Fault::Garbage) => Self {
                status: StatusCode::OK,
                body: Bytes::from_static(b"\x1f\x8b\x08\xff\xfe{\"status\":{,\xc3\x28}\x00"),
                code: None,
                ..self
            },
            Some(Fault::Truncated) => {
                let half = self.body.len() / 2;
                Self { body: self.body.slice(..half), code: None, ..self }
            }
            Some(Fault::EmptyBody) => Self { body: Bytes::new(), code: None, ..self },
            Some(Fault::WrongContentType) => Self { content_type: HTML, ..self },
            Some(Fault::PlainContentType) => Self { content_type: Some("application/json"), ..self },
            Some(Fault::HtmlBadGateway) => Self::page(
                StatusCode::BAD_GATEWAY,
                HTML,
                "<html><body><h1>502 Bad Gateway</h1></body></html>\n",
            ),
            Some(Fault::HugeBody(bytes)) if *bytes <= BODY_CAP => {
                let mut padded = self.body.to_vec();
                padded.resize(padded.len().max(*bytes), b' ');
                Self { body: padded.into(), ..self }
            }
            Some(_) | None => self,
        }
    }

    pub(super) fn response(self, now_millis: u64) -> Response {
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        let date = SystemTime::UNIX_EPOCH + Duration::from_millis(now_millis.min(LAST_DATE_MILLIS));
        if let Ok(date) = HeaderValue::from_str(&httpdate::fmt_http_date(date)) {
            headers.insert(DATE, date);
        }
        if let Some(content_type) = self.content_type {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        if let Some(location) = self.location {
            headers.insert(LOCATION, HeaderValue::from_static(location));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }

    fn page(status: StatusCode, content_type: Option<&'static str>, body: impl Into<Bytes>) -> Self {
        Self { status, body: body.into(), code: None, content_type, location: None, retry_after: None }
    }
}

const RESULT: Option<&str> = Some("application/clientOutput+Json");
const PROBLEM: Option<&str> = Some("application/problem+json");
const HTML: Option<&str> = Some("text/html");

/// The last moment of the year 9999, which is the last that a `Date` can tell.
const LAST_DATE_MILLIS: u64 = 253_402_300_799_999;
