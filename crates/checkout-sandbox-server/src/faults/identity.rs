//! The identity of a request: the same for the same request, whenever the request comes.

use checkout_transport::http::request::Parts;

use super::fault::Route;
use crate::keys::number_of;

/// The identity of a request.
///
/// A request about an order is known by the route and the order: the id of a checkout depends on the moment
/// at which the checkout came. Any other request is known by the method, the path, the query without the
/// parts that change each time, and the body.
pub(crate) fn identity(route: Route, order: Option<&str>, head: &Parts, body: &[u8]) -> String {
    let provider = route.provider().key();
    if let (Some(route), Some(order)) = (route.name(), order) {
        return format!("{provider} {route} {order}");
    }
    let query = form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes());
    let query = query.filter(|(name, _)| !CHANGING.contains(&&**name));
    let query: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    let body = number_of(&String::from_utf8_lossy(body));
    format!("{provider} {} {} {query} {body}", head.method, head.uri.path())
}

/// The parts of a query that change each time.
const CHANGING: [&str; 3] = ["nonce", "signature", "timestamp"];
