//! A provider's request on its way to the sandbox of its world.

use checkout_transport::bytes::Bytes;
use checkout_transport::http::request::Parts;
use checkout_transport::http::uri::{Authority, PathAndQuery, Scheme};
use checkout_transport::http::{StatusCode, Uri, uri};
use checkout_transport::{Request, Response, TransportError};

use crate::exchange::exchange;
use crate::named;
use crate::place::Api;
use crate::worlds::Worlds;

/// Hands a request to the sandbox of the world whose key the request names, and returns the answer.
///
/// The sandbox gets the provider's host and the path that the provider knows, so a prefix of the server is no
/// part of what a client signs.
pub(crate) fn forward(
    worlds: &Worlds,
    api: Api,
    path: &str,
    mut head: Parts,
    body: Bytes,
) -> Result<Response, TransportError> {
    let world = worlds.of_keys(|| named::keys(api, path, &head, &body));
    let Some(uri) = provider_uri(api, path, head.uri.query()) else { return Ok(bad_request()) };
    head.uri = uri;
    exchange(worlds, &world, api, Request::from_parts(head, body))
}

fn provider_uri(api: Api, path: &str, query: Option<&str>) -> Option<Uri> {
    let target = query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    let mut parts = uri::Parts::default();
    parts.scheme = Some(Scheme::HTTPS);
    parts.authority = Some(Authority::from_static(api.host()));
    parts.path_and_query = Some(PathAndQuery::try_from(target).ok()?);
    Uri::from_parts(parts).ok()
}

fn bad_request() -> Response {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
}
