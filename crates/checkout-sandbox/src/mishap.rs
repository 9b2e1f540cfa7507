//! The mishaps between a client and a provider's API, the same for every provider, and the queue of faults.

use std::io;
use std::time::Duration;

use checkout_transport::TransportError;

/// A mishap on the way of a request or of its answer. The API itself has no part in a mishap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mishap {
    /// The connection is refused.
    LostBefore,
    /// The request is lost on the way.
    LostRequest,
    /// The answer is lost on the way.
    LostAnswer,
    /// The clock advances by this much before the answer arrives.
    Slow(Duration),
    /// The answer is 200 with these bytes.
    Garbage(&'static [u8]),
    /// The answer breaks off half way.
    Truncated,
    /// The answer loses its body.
    EmptyBody,
    /// The answer gets this `Content-Type`.
    ContentType(&'static str),
    /// A gateway loses the answer and puts an answer of its own in place.
    HtmlBadGateway,
    /// Something in front of the API answers with an empty 401.
    EmptyUnauthorized,
    /// Something in front of the API answers with a redirect to another host.
    Redirect,
    /// White space makes the answer's body this many bytes long.
    HugeBody(usize),
}

impl Mishap {
    /// The client's error for a request that never arrives.
    pub(crate) fn before_arrival(self) -> Option<TransportError> {
        match self {
            Self::LostBefore => {
                Some(TransportError::not_sent(io::Error::from(io::ErrorKind::ConnectionRefused)))
            }
            Self::LostRequest => Some(TransportError::unknown(io::Error::from(io::ErrorKind::TimedOut))),
            Self::LostAnswer
            | Self::Slow(_)
            | Self::Garbage(_)
            | Self::Truncated
            | Self::EmptyBody
            | Self::ContentType(_)
            | Self::HtmlBadGateway
            | Self::EmptyUnauthorized
            | Self::Redirect
            | Self::HugeBody(_) => None,
        }
    }
}

/// The fault of this one request if the fault fits a request for the route, or else the first fault in the
/// queue that is meant for the route and fits, which leaves the queue.
pub(crate) fn take_fault<Route: Copy + PartialEq, Fault>(
    of_this: Option<Fault>,
    queue: &mut Vec<(Option<Route>, Fault)>,
    route: Option<Route>,
    fits: impl Fn(&Fault, Option<Route>) -> bool,
) -> Option<Fault> {
    if let Some(fault) = of_this.filter(|fault| fits(fault, route)) {
        return Some(fault);
    }
    let at = queue.iter().position(|(on, fault)| (on.is_none() || *on == route) && fits(fault, route))?;
    Some(queue.remove(at).1)
}
