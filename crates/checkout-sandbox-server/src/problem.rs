//! The server's own refusals, as JSON.

use axum::body::Body;
use axum::response::IntoResponse;
use checkout_transport::http::header::CONTENT_TYPE;
use checkout_transport::http::{HeaderValue, Response, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};

/// A refusal of the server's own. No provider answers in this form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    /// The name of the field that is wrong, with the names of the objects around it.
    pub(crate) field: Option<String>,
    pub(crate) message: String,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, field: None, message: message.into() }
    }

    /// A field of a request that is not as it has to be.
    pub(crate) fn field(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: Some(name.into()), ..Self::new(StatusCode::BAD_REQUEST, message) }
    }

    /// The refusal as one line: the field, and the message.
    pub(crate) fn sentence(&self) -> String {
        let field = self.field.as_deref().map(|field| format!("{field} ")).unwrap_or_default();
        format!("{field}{}", self.message)
    }

    /// The same refusal, of a field in the object with this name.
    pub(crate) fn within(self, object: &str) -> Self {
        Self { field: self.field.map(|field| format!("{object}.{field}")), ..self }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response<Body> {
        let error = json!({ "field": self.field, "message": self.message });
        answer(self.status, &json!({ "error": error }))
    }
}

/// The answer, with a refusal of the router's own, which is plain text, as JSON.
pub(crate) async fn as_json(answer: Response<Body>) -> Response<Body> {
    let is_refusal = answer.status().is_client_error() || answer.status().is_server_error();
    let content_type = answer.headers().get(CONTENT_TYPE).and_then(|of| of.to_str().ok());
    if !is_refusal || !content_type.is_none_or(|of| of.starts_with("text/plain")) {
        return answer;
    }
    let status = answer.status();
    let text = answer.into_body().collect().await.map(|text| text.to_bytes()).unwrap_or_default();
    let text = String::from_utf8_lossy(&text).trim().to_owned();
    let message = if text.is_empty() { status.to_string() } else { text };
    Problem::new(status, message).into_response()
}

/// An answer of JSON, with a line end after the JSON.
pub(crate) fn answer(status: StatusCode, json: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(format!("{json}\n")));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
