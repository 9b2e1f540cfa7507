//! A provider's request on its way to the sandbox of its world.

use std::fmt::{Debug, Display};
use std::sync::Arc;

use checkout_sandbox::Exchange;
use checkout_transport::bytes::Bytes;
use checkout_transport::http::request::Parts;
use checkout_transport::http::uri::{Authority, PathAndQuery, Scheme};
use checkout_transport::http::{StatusCode, Uri, uri};
use checkout_transport::{Request, Response, TransportError};

use crate::machine;
use crate::named;
use crate::place::Api;
use crate::traffic::{Arrived, Entry};
use crate::world::Visit;
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
    let world = worlds.of_keys(|| named::keys(api, &head, &body));
    let Some(uri) = provider_uri(api, path, head.uri.query()) else { return Ok(bad_request()) };
    let prefix = head.uri.path().strip_suffix(path).unwrap_or_default().to_owned();
    head.uri = uri;
    let request = Request::from_parts(head, body);
    let played = world.played();
    let came = Came { api, prefix, played: &played };
    match api {
        Api::AllScale => came.to(|request| played.allscale.exchange(request, None), request),
        Api::Azotte => came.to(|request| played.azotte.exchange(request, None), request),
        Api::Peach => came.to(|request| played.peach.exchange(request, None), request),
        Api::PeachAuth => {
            let answer = came.to(|request| played.peach.exchange(request, None), request)?;
            if let Some(token) = named::access_token(answer.body()) {
                worlds.lead_token(token, &world);
            }
            Ok(answer)
        }
    }
}

/// A request that has come to a world.
struct Came<'a> {
    api: Api,
    prefix: String,
    played: &'a Visit,
}

impl Came<'_> {
    /// The checkout that a path names.
    fn in_path(&self, path: &str) -> Option<Arc<str>> {
        let mut segments = path.split('/');
        let found = segments.find(|segment| segment.len() >= LEAST_ID && self.statuses(segment) > 0);
        found.map(Into::into)
    }

    /// The number of statuses that a checkout has had.
    fn statuses(&self, id: &str) -> usize {
        match self.api {
            Api::AllScale => self.played.allscale.history(id).len(),
            Api::Azotte => self.played.azotte.history(id).len(),
            Api::Peach | Api::PeachAuth => self.played.peach.history(id).len(),
        }
    }

    /// Takes the request to a sandbox, and keeps the request and the answer in the world's log.
    fn to<Route: Display, Fault: Debug>(
        self,
        sandbox: impl FnOnce(Request) -> Exchange<Route, Fault>,
        request: Request,
    ) -> Result<Response, TransportError> {
        let begin = machine::now();
        let exchange = sandbox(request);
        let took = machine::now().saturating_since(begin);
        let Exchange { at, route, checkout, order, fault, head, body, answer, error, .. } = exchange;
        let arrived = Arrived::of(answer.is_some(), error.as_ref().map(TransportError::delivery));
        let kept = answer.clone();
        let checkout: Option<Arc<str>> = checkout.map(Into::into);
        let named = if checkout.is_none() { self.in_path(head.uri.path()) } else { None };
        let statuses = checkout.as_ref().or(named.as_ref()).map_or(0, |id| self.statuses(id));
        self.played.traffic().add(|number| {
            let entry = Entry {
                number,
                at,
                took,
                api: self.api,
                method: head.method,
                path: head.uri.path().to_owned(),
                prefix: self.prefix,
                query: head.uri.query().map(str::to_owned),
                headers: head.headers,
                body,
                route: route.map(|route| route.to_string()),
                checkout,
                named,
                order,
                statuses,
                fault: fault.map(|fault| format!("{fault:?}")),
                answer: kept,
                arrived,
            };
            self.played.judge(|judge, witness| judge.see(&entry, witness));
            entry
        });
        match (error, answer) {
            (None, Some(answer)) => Ok(answer),
            (Some(error), _) => Err(error),
            (None, None) => Err(TransportError::unknown("there is no answer")),
        }
    }
}

fn provider_uri(api: Api, path: &str, query: Option<&str>) -> Option<Uri> {
    let target = query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    let mut parts = uri::Parts::default();
    parts.scheme = Some(Scheme::HTTPS);
    parts.authority = Some(Authority::from_static(api.host()));
    parts.path_and_query = Some(PathAndQuery::try_from(target).ok()?);
    Uri::from_parts(parts).ok()
}

/// The least length of a checkout's id: no word of a path is longer.
const LEAST_ID: usize = 20;

fn bad_request() -> Response {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
}
