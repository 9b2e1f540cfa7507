//! What goes back to the caller, and what a fault makes of it.

use std::time::{Duration, SystemTime};

use checkout_transport::bytes::Bytes;
use checkout_transport::http::header::{CONTENT_TYPE, DATE, LOCATION, RETRY_AFTER};
use checkout_transport::http::{HeaderValue, StatusCode};
use checkout_transport::{BODY_CAP, Response};

use super::fault::Fault;
use super::refusal::Refusal;
use crate::json::Json;

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
    /// The envelope's code, when the body is a whole envelope.
    pub(super) code: Option<i64>,
    content_type: Option<&'static str>,
    location: Option<&'static str>,
    retry_after: Option<u64>,
}

impl Answer {
    /// The API's own answer: the payload or the refusal, in its envelope.
    pub(super) fn reply(outcome: Result<Json, Refusal>, request_id: String, fault: Option<&Fault>) -> Self {
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
        let mut answer = Self::page(status, Some("application/json"), envelope.to_string());
        answer.code = Some(code);
        answer.retry_after = retry_after;
        answer
    }

    pub(super) fn not_found() -> Self {
        Self::page(StatusCode::NOT_FOUND, HTML, "<html><body><h1>404 Not Found</h1></body></html>\n")
    }

    pub(super) fn method_not_allowed() -> Self {
        Self::page(StatusCode::METHOD_NOT_ALLOWED, Some("text/plain"), "method not allowed\n")
    }

    /// What stands in front of the API and answers in its place, if the fault says so.
    pub(super) fn instead_of_the_api(fault: Option<&Fault>) -> Option<Self> {
        match fault {
            Some(Fault::EmptyUnauthorized) => Some(Self::page(StatusCode::UNAUTHORIZED, None, "")),
            Some(Fault::Redirect) => {
                let mut answer = Self::page(StatusCode::FOUND, HTML, "<html><body>moved</body></html>\n");
                answer.location = Some("https://elsewhere.example/login");
                Some(answer)
            }
            Some(_) | None => None,
        }
    }

    /// What becomes of the answer on its way, as far as its bytes go.
    pub(super) fn spoiled_by(self, fault: Option<&Fault>) -> Self {
        match fault {
            Some(Fault::Garbage) => Self {
                status: StatusCode::OK,
                body: Bytes::from_static(b"\x1f\x8b\x08\xff\xfe{\"code\":0,\xc3\x28}\x00"),
                code: None,
                ..self
            },
            Some(Fault::Truncated) => {
                let half = self.body.len() / 2;
                Self { body: self.body.slice(..half), code: None, ..self }
            }
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

const HTML: Option<&str> = Some("text/html");

/// The last moment of the year 9999, which is the last that a `Date` can tell.
const LAST_DATE_MILLIS: u64 = 253_402_300_799_999;
