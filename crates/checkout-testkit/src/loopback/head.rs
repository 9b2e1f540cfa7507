//! A request's line and headers.

use checkout_transport::BODY_CAP;
use checkout_transport::http::header::{
    CONNECTION, CONTENT_LENGTH, EXPECT, HOST, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING,
};
use checkout_transport::http::request::Parts;
use checkout_transport::http::uri::{Authority, PathAndQuery, Scheme};
use checkout_transport::http::{Method, Request, StatusCode, Uri, Version};

use super::{Base, HEAD_CAP, HEADERS_CAP, Shared};

/// The facts about a request that are known before its body.
pub(super) struct Head {
    pub(super) head: Parts,
    pub(super) length: Length,
    pub(super) keep_alive: bool,
    /// True if the client waits for a go-ahead before it sends its body.
    pub(super) wants_go_ahead: bool,
}

/// How the end of a request's body is known.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    Bytes(usize),
    Chunked,
}

impl Head {
    /// The head that `bytes` begin with, and the head's length; nothing while the head is not whole.
    ///
    /// An error is the status to refuse with.
    pub(super) fn of(bytes: &[u8], shared: &Shared) -> Result<Option<(Self, usize)>, StatusCode> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_CAP];
        let mut parsed = httparse::Request::new(&mut headers);
        let len = match parsed.parse(bytes) {
            Ok(httparse::Status::Complete(len)) if len <= HEAD_CAP => len,
            Ok(httparse::Status::Partial) if bytes.len() <= HEAD_CAP => return Ok(None),
            Ok(_) | Err(httparse::Error::TooManyHeaders) => {
                return Err(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
            }
            Err(httparse::Error::Version) => return Err(StatusCode::HTTP_VERSION_NOT_SUPPORTED),
            Err(_) => return Err(StatusCode::BAD_REQUEST),
        };
        let version = if parsed.version == Some(0) { Version::HTTP_10 } else { Version::HTTP_11 };
        Self::of_parsed(&parsed, version, shared).map(|head| Some((head, len)))
    }

    fn of_parsed(
        parsed: &httparse::Request<'_, '_>,
        version: Version,
        shared: &Shared,
    ) -> Result<Self, StatusCode> {
        let headers = headers(parsed.headers).ok_or(StatusCode::BAD_REQUEST)?;
        let uri = uri(parsed.path.unwrap_or_default(), &headers, version, shared);
        let length = length(&headers, version)?;
        let mut request = Request::new(());
        *request.method_mut() = method(parsed.method).ok_or(StatusCode::BAD_REQUEST)?;
        *request.uri_mut() = uri.ok_or(StatusCode::BAD_REQUEST)?;
        *request.version_mut() = version;
        let keep_alive = version == Version::HTTP_11 && !says_close(&headers);
        let wants_go_ahead = expectation(&headers)? && version == Version::HTTP_11;
        *request.headers_mut() = headers;
        let wants_go_ahead = wants_go_ahead && length != Length::Bytes(0);
        Ok(Self { head: request.into_parts().0, length, keep_alive, wants_go_ahead })
    }
}

/// True if the connection ends with this message.
pub(super) fn says_close(headers: &HeaderMap) -> bool {
    let values = headers.get_all(CONNECTION).iter();
    values
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .any(|option| option.trim_ascii().eq_ignore_ascii_case(b"close"))
}

fn method(name: Option<&str>) -> Option<Method> {
    Method::from_bytes(name?.as_bytes()).ok()
}

fn headers(parsed: &[httparse::Header<'_>]) -> Option<HeaderMap> {
    let mut headers = HeaderMap::with_capacity(parsed.len());
    for header in parsed {
        let name = HeaderName::from_bytes(header.name.as_bytes()).ok()?;
        headers.append(name, HeaderValue::from_bytes(header.value).ok()?);
    }
    Some(headers)
}

/// The absolute URI of a request, with the path and the query of its target unchanged.
fn uri(target: &str, headers: &HeaderMap, version: Version, shared: &Shared) -> Option<Uri> {
    let mut hosts = headers.get_all(HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => Some(host.as_bytes()),
        (None, _) if version == Version::HTTP_10 => None,
        _ => return None,
    };
    let (named, path) = split(target)?;
    let Base { scheme, authority } = match (&shared.base, named, host) {
        (Some(base), ..) => base.clone(),
        (None, Some(named), _) => named,
        (None, None, Some(host)) => Base { scheme: Scheme::HTTP, authority: authority(host)? },
        (None, None, None) => {
            Base { scheme: Scheme::HTTP, authority: authority(shared.address.to_string().as_bytes())? }
        }
    };
    let path_and_query = PathAndQuery::try_from(path).ok()?;
    // A fragment, for one, would be dropped in silence.
    if path_and_query.as_str() != path {
        return None;
    }
    Uri::builder().scheme(scheme).authority(authority).path_and_query(path_and_query).build().ok()
}

/// The two parts of a request's target: the base that proxies receive, which is rare, and the path with the
/// query.
fn split(target: &str) -> Option<(Option<Base>, &str)> {
    if target.starts_with('/') {
        return Some((None, target));
    }
    let (scheme, rest) = target.split_once("://")?;
    let scheme = Scheme::try_from(scheme).ok()?;
    let (host, path) = rest.split_at(rest.find('/')?);
    Some((Some(Base { scheme, authority: authority(host.as_bytes())? }), path))
}

fn authority(host: &[u8]) -> Option<Authority> {
    Authority::try_from(host).ok().filter(|authority| !authority.as_str().contains('@'))
}

/// The way that the body's end is known. Two ways at once are refused, because two ways make request
/// smuggling possible.
fn length(headers: &HeaderMap, version: Version) -> Result<Length, StatusCode> {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    match (codings.next(), lengths.next()) {
        (None, None) => Ok(Length::Bytes(0)),
        (None, Some(length)) if lengths.next().is_none() => content_length(length).map(Length::Bytes),
        (Some(coding), None) if version == Version::HTTP_11 => {
            let chunked = coding.as_bytes().eq_ignore_ascii_case(b"chunked") && codings.next().is_none();
            if chunked { Ok(Length::Chunked) } else { Err(StatusCode::NOT_IMPLEMENTED) }
        }
        _ => Err(StatusCode::BAD_REQUEST),
    }
}

fn content_length(value: &HeaderValue) -> Result<usize, StatusCode> {
    let digits =
        value.to_str().ok().filter(|text| !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit()));
    let digits = digits.ok_or(StatusCode::BAD_REQUEST)?;
    // Only a number that is too large for the type cannot be read now.
    digits.parse().ok().filter(|length| *length <= BODY_CAP).ok_or(StatusCode::PAYLOAD_TOO_LARGE)
}

/// True if the client waits for a go-ahead.
fn expectation(headers: &HeaderMap) -> Result<bool, StatusCode> {
    match headers.get(EXPECT) {
        None => Ok(false),
        Some(value) if value.as_bytes().eq_ignore_ascii_case(b"100-continue") => Ok(true),
        Some(_) => Err(StatusCode::EXPECTATION_FAILED),
    }
}
