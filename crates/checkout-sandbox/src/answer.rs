//! An answer on its way back to the client, and the effects of a mishap on the answer.

use std::io;
use std::time::SystemTime;

use checkout_tables::Moment;
use checkout_transport::bytes::Bytes;
use checkout_transport::http::header::{CONTENT_TYPE, DATE, LOCATION, RETRY_AFTER};
use checkout_transport::http::{HeaderValue, StatusCode};
use checkout_transport::{BODY_CAP, Response, TransportError};

use crate::VirtualClock;
use crate::mishap::Mishap;

/// An answer to a request. `Code` is the type of the provider's own code.
pub(crate) struct Answer<Code> {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
    /// The provider's code, if the body is a whole reply with a code.
    pub(crate) code: Option<Code>,
    pub(crate) retry_after: Option<u64>,
    pub(crate) content_type: Option<&'static str>,
    pub(crate) location: Option<&'static str>,
}

impl<Code> Answer<Code> {
    pub(crate) fn page(
        status: StatusCode,
        content_type: Option<&'static str>,
        body: impl Into<Bytes>,
    ) -> Self {
        Self { status, body: body.into(), code: None, content_type, location: None, retry_after: None }
    }

    pub(crate) fn empty(status: StatusCode) -> Self {
        Self::page(status, None, "")
    }

    /// The 404 of a web server, a page of HTML.
    pub(crate) fn not_found() -> Self {
        Self::page(StatusCode::NOT_FOUND, HTML, "<html><body><h1>404 Not Found</h1></body></html>\n")
    }

    /// The 405 of a web server, plain text.
    pub(crate) fn method_not_allowed() -> Self {
        Self::page(StatusCode::METHOD_NOT_ALLOWED, Some("text/plain"), "method not allowed\n")
    }

    /// The answer of something in front of the API, if the mishap is such an answer.
    pub(crate) fn instead_of_the_api(mishap: Option<Mishap>) -> Option<Self> {
        match mishap? {
            Mishap::EmptyUnauthorized => Some(Self::empty(StatusCode::UNAUTHORIZED)),
            Mishap::Redirect => Some(Self {
                location: Some("https://elsewhere.example/login"),
                ..Self::page(StatusCode::FOUND, HTML, "<html><body>moved</body></html>\n")
            }),
            Mishap::LostBefore
            | Mishap::LostRequest
            | Mishap::LostAnswer
            | Mishap::Slow(_)
            | Mishap::Garbage(_)
            | Mishap::Truncated
            | Mishap::EmptyBody
            | Mishap::ContentType(_)
            | Mishap::HtmlBadGateway
            | Mishap::HugeBody(_) => None,
        }
    }

    /// The answer with the bytes and headers that the mishap leaves of the answer.
    pub(crate) fn spoiled_by(self, mishap: Option<Mishap>) -> Self {
        match mishap {
            Some(Mishap::Garbage(bytes)) => {
                Self { status: StatusCode::OK, body: Bytes::from_static(bytes), code: None, ..self }
            }
            Some(Mishap::Truncated) => {
                let half = self.body.len() / 2;
                Self { body: self.body.slice(..half), code: None, ..self }
            }
            Some(Mishap::EmptyBody) => Self { body: Bytes::new(), code: None, ..self },
            Some(Mishap::ContentType(content_type)) => Self { content_type: Some(content_type), ..self },
            Some(Mishap::HtmlBadGateway) => Self::page(
                StatusCode::BAD_GATEWAY,
                HTML,
                "<html><body><h1>502 Bad Gateway</h1></body></html>\n",
            ),
            Some(Mishap::HugeBody(bytes)) if bytes <= BODY_CAP => {
                let mut padded = self.body.to_vec();
                padded.resize(padded.len().max(bytes), b' ');
                Self { body: padded.into(), ..self }
            }
            Some(
                Mishap::LostBefore
                | Mishap::LostRequest
                | Mishap::LostAnswer
                | Mishap::Slow(_)
                | Mishap::EmptyUnauthorized
                | Mishap::Redirect
                | Mishap::HugeBody(_),
            )
            | None => self,
        }
    }

    /// The client's error in place of the answer, if the answer does not arrive whole.
    pub(crate) fn loss(&self, mishap: Option<Mishap>) -> Option<TransportError> {
        if mishap == Some(Mishap::LostAnswer) {
            return Some(TransportError::unknown(io::Error::from(io::ErrorKind::ConnectionReset)));
        }
        let said = if let Some(Mishap::HugeBody(bytes)) = mishap { bytes } else { 0 };
        (said.max(self.body.len()) > BODY_CAP).then(|| TransportError::too_large(BODY_CAP))
    }

    /// Brings the answer, with the `Date` of `told`, on the way to the client. Returns the answer that was
    /// sent, and the [loss](Answer::loss) of the answer.
    pub(crate) fn deliver(
        self,
        mishap: Option<Mishap>,
        clock: &VirtualClock,
        told: Moment,
    ) -> (Response, Option<TransportError>) {
        if let Some(Mishap::Slow(by)) = mishap {
            clock.advance(by);
        }
        let loss = self.loss(mishap);
        (self.response(told), loss)
    }

    fn response(self, now: Moment) -> Response {
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        if let Ok(date) = HeaderValue::from_str(&httpdate::fmt_http_date(date_of(now))) {
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
}

const HTML: Option<&str> = Some("text/html");

/// The moment as a `Date` can tell the moment: from the first moment of 1970 to the last of 9999.
pub(crate) fn date_of(moment: Moment) -> SystemTime {
    let since = moment.min(LAST_DATE).saturating_since(Moment::from_unix_millis(0));
    SystemTime::UNIX_EPOCH + since
}

/// The last moment of the year 9999.
const LAST_DATE: Moment = Moment::from_unix_millis(253_402_300_799_999);
