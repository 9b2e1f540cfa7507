//! A provider's request on its way to the sandbox of its world.

use std::sync::Arc;

use checkout_transport::Response;
use checkout_transport::bytes::Bytes;
use checkout_transport::http::request::Parts;
use checkout_transport::http::uri::{Authority, PathAndQuery, Scheme};
use checkout_transport::http::{StatusCode, Uri, uri};

use crate::ask::{Asked, Question};
use crate::exchange::exchange;
use crate::named;
use crate::place::Api;
use crate::problem::Problem;
use crate::world::World;
use crate::worlds::Worlds;

/// An answer on its way to the client, and the world that has answered.
pub(crate) struct Forwarded {
    pub(crate) asked: Asked,
    pub(crate) world: Arc<World>,
}

/// Hands a request to the sandbox of the world whose key the request names, and returns the answer.
///
/// The sandbox gets the provider's host and the path that the provider knows, so a prefix of the server is no
/// part of what a client signs.
///
/// # Errors
/// A header of the server's own is wrong.
pub(crate) fn forward(
    worlds: &Worlds,
    api: Api,
    path: &str,
    mut head: Parts,
    body: Bytes,
) -> Result<Forwarded, Problem> {
    let world = worlds.of_keys(|| named::keys(api, path, &head, &body));
    let Some(uri) = provider_uri(api, path, head.uri.query()) else {
        let asked = Asked { answer: Ok(bad_request()), wire: None, made: None };
        return Ok(Forwarded { asked, world });
    };
    let prefix = head.uri.path().strip_suffix(path).unwrap_or_default().to_owned();
    head.uri = uri;
    let question = Question { api, prefix, head, body, is_judged: true };
    Ok(Forwarded { asked: exchange(worlds, &world, question)?, world })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Start;
    use crate::traffic::Arrived;
    use checkout_transport::http::Request;

    /// The entry of a request of Azotte's with a fault in the header.
    fn entry(fault: &str) -> (Option<String>, Arrived, bool) {
        let world = World::new(World::DEFAULT.to_owned(), None, Start::default(), "http://a").unwrap();
        let worlds = Worlds::new(world);
        let path = "/api/v1/c2a/offer/checkout/trk_1/status";
        let request = Request::get(path).header("x-sandbox-fault", fault).body(()).unwrap();
        let (head, ()) = request.into_parts();
        let forwarded = forward(&worlds, Api::Azotte, path, head, Bytes::new()).unwrap();
        let answer = forwarded.asked.answer;
        let played = forwarded.world.quiet();
        let traffic = played.traffic();
        let entry = traffic.all().next_back().unwrap();
        assert!(!entry.headers.contains_key("x-sandbox-fault"));
        assert_eq!((entry.route.as_deref(), entry.query.as_deref()), (Some("checkout_status"), None));
        (entry.fault.clone(), entry.arrived, answer.is_ok())
    }

    #[test]
    fn the_log_tells_the_fault_and_the_part_that_arrives() {
        use Arrived::{Answer, Nothing, NothingForSure, RequestAlone};
        for (fault, arrived, goes_on) in [
            ("lost_before", NothingForSure, false),
            ("lost_request", Nothing, false),
            ("lost_answer", RequestAlone, false),
            ("html_bad_gateway", Answer, true),
            ("wire_delay; ms=1", Answer, true),
            ("wire_dribble; over_ms=1", Answer, true),
            ("wire_slow_close; ms=1", Answer, true),
            ("wire_cut; bytes=10", RequestAlone, true),
            ("wire_cut; bytes=10000", Answer, true),
            ("wire_reset; bytes=10000", RequestAlone, true),
            ("wire_empty", RequestAlone, true),
            ("wire_garbage", RequestAlone, true),
            ("wire_bad_chunk", RequestAlone, true),
            ("wire_stall", RequestAlone, true),
        ] {
            let name = fault.split(';').next().map(str::to_owned);
            assert_eq!(entry(fault), (name, arrived, goes_on), "{fault}");
        }
    }
}
