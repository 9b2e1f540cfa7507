//! What goes back to the caller, and what a fault makes of it.

use std::time::{Duration, SystemTime};

use checkout_transport::bytes::Bytes;
use checkout_transport::http::header::{CONTENT_TYPE, DATE, LOCATION, RETRY_AFTER};
use checkout_transport::http::{HeaderValue, StatusCode};
use checkout_transport::{BODY_CAP, Response};

use super::checkout::description;
use super::fault::Fault;
use super::form::Pairs;
use crate::json::Json;

/// What the API says: done as `Ok`, refused as `Err`.
pub(super) type Outcome = Result<Reply, Reply>;

#[derive(Debug, Clone, PartialEq, Eq)]
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

    /// The refusal of fields: each with what is wrong with it.
    pub(super) fn fields(fields: Pairs) -> Self {
        let fields = fields.into_iter().map(|(field, text)| (field, Json::Text(text))).collect();
        Self::done(400, Json::object([("validation_errors", Json::Object(fields))]))
    }

    /// The refusal with a result code.
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

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
    /// The result code, when the body is a whole reply with one.
    pub(super) code: Option<String>,
    content_type: Option<&'static str>,
    location: Option<&'static str>,
    retry_after: Option<u64>,
}

impl Answer {
    /// The API's own answer.
    pub(super) fn reply(outcome: Outcome, fault: Option<&Fault>) -> Self {
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
        let answer = Self::page(status, Some("application/json"), body.to_string());
        Self { code, retry_after: reply.retry_after, ..answer }
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
                let answer = Self::page(StatusCode::FOUND, HTML, "<html><body>moved</body></html>\n");
                Some(Self { location: Some("https://elsewhere.example/login"), ..answer })
            }
            Some(_) | None => None,
        }
    }

    /// What becomes of the answer on its way, as far as its bytes go.
    pub(super) fn spoiled_by(self, fault: Option<&Fault>) -> Self {
        match fault {
            Some(Fault::Garbage) => Self {
                status: StatusCode::OK,
                body: Bytes::from_static(b"\x1f\x8b\x08\xff\xfe{\"result.code\":\xc3\x28}\x00"),
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

/// The result code of a reply, flat or wrapped.
fn result_code(reply: &Json) -> Option<&str> {
    let Json::Object(members) = reply else { return None };
    members.iter().find_map(|(name, value)| match (name.as_str(), value) {
        ("result.code", Json::Text(code)) => Some(code.as_str()),
        ("redirect_post_data", flat) => result_code(flat),
        _ => None,
    })
}

const HTML: Option<&str> = Some("text/html");

/// The last moment of the year 9999, which is the last that a `Date` can tell.
const LAST_DATE_MILLIS: u64 = 253_402_300_799_999;
