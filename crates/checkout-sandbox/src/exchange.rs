//! A request and its answer, with everything that a sandbox knows about the two.

use std::fmt;

use checkout_tables::Moment;
use checkout_transport::bytes::Bytes;
use checkout_transport::http::request::Parts;
use checkout_transport::{Response, TransportError};

/// A request that a client has sent to a sandbox, with the answer, and with the things that the sandbox knows
/// and that no answer tells.
///
/// `Route` and `Fault` are the provider's own types. Each provider's module has an alias with the two types
/// filled in.
///
/// `Debug` prints neither keys nor signatures nor bodies.
///
/// ```
/// use checkout_sandbox::allscale::{Fault, Sandbox};
/// use checkout_tables::allscale::Route;
/// use checkout_transport::{bytes::Bytes, http};
///
/// let sandbox = Sandbox::new(1);
/// let ping = http::Request::get("https://openapi.allscale.io/v1/test/ping").body(Bytes::new())?;
/// let exchange = sandbox.exchange(ping, Some(Fault::LostAnswer));
/// assert_eq!((exchange.route, exchange.fault.as_ref()), (Some(Route::Ping), Some(&Fault::LostAnswer)));
/// // The answer was on its way, and the client never sees the answer.
/// assert_eq!(exchange.answer.as_ref().map(|answer| answer.status().as_u16()), Some(401));
/// assert!(exchange.into_result().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[non_exhaustive]
pub struct Exchange<Route, Fault> {
    /// The time of arrival, by the sandbox's clock.
    pub at: Moment,
    /// The route that the request is for. `None` if the provider has no such route.
    pub route: Option<Route>,
    /// The id of the checkout that the request has made or read: AllScale's intent, Azotte's tracking number,
    /// Peach's checkout.
    pub checkout: Option<String>,
    /// The merchant's own name for the order: AllScale's `order_id`, Azotte's `correlationId`, Peach's
    /// `merchantTransactionId`. A create that was refused or lost has an order too, if the order can be read.
    pub order: Option<String>,
    /// The fault that struck.
    pub fault: Option<Fault>,
    /// The request's head.
    pub head: Parts,
    /// The part of the request's body that may be kept: all but the data of a card.
    pub body: Bytes,
    /// The answer that the sandbox sent, even if the answer did not arrive. `None` if the request did not
    /// arrive.
    pub answer: Option<Response>,
    /// The client's error, if no answer arrived.
    pub error: Option<TransportError>,
}

impl<Route, Fault> Exchange<Route, Fault> {
    /// The answer as the client gets the answer.
    ///
    /// # Errors
    /// The client's error, if no answer arrived.
    ///
    /// ```
    /// # let sandbox = checkout_sandbox::peach::Sandbox::new(1);
    /// # use checkout_transport::{Request, bytes::Bytes};
    /// let exchange = sandbox.exchange(Request::new(Bytes::new()), None);
    /// assert_eq!(exchange.into_result()?.status(), 404);
    /// # Ok::<(), checkout_transport::TransportError>(())
    /// ```
    pub fn into_result(self) -> Result<Response, TransportError> {
        match (self.error, self.answer) {
            (None, Some(answer)) => Ok(answer),
            (Some(error), _) => Err(error),
            (None, None) => Err(TransportError::unknown("there is no answer")),
        }
    }
}

impl<Route: fmt::Debug, Fault> fmt::Debug for Exchange<Route, Fault> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("at", &self.at)
            .field("route", &self.route)
            .field("has_fault", &self.fault.is_some())
            .field("method", &self.head.method)
            .field("path", &self.head.uri.path())
            .field("body_len", &self.body.len())
            .field("answered_status", &self.answer.as_ref().map(Response::status))
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}
