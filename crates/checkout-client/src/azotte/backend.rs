//! Azotte, as the calls see it.

use crate::call::JSON;
use crate::provider::sealed::{Answers, Ask, Backend, Moment, NoRequest, RefusalCode, Trouble};
use crate::{Clock, Observable, Operation, Provider, Readable};
use checkout_lifecycle::Observation;
use checkout_tables::Environment;
use checkout_tables::azotte::{DEFAULT_RETRY_AFTER_SECONDS, MEDIA_TYPE, MessageCode, Route};
use checkout_transport::Request;
use checkout_transport::http::{self, HeaderValue, header};
use checkout_validate::PathSegment;
use checkout_wire::azotte::{Challenge, CheckoutResult, NotShown, Refusal, Reply, read};
use checkout_wire::{Head, NotTheApi, ReadError};
use core::convert::Infallible;
use core::fmt;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

/// Azotte, as a [`Provider`].
///
/// ```
/// use checkout_client::{Readable, azotte::Azotte};
///
/// fn is_asked_of_azotte<T: Readable<Provider = Azotte>>() {}
/// is_asked_of_azotte::<checkout_wire::azotte::CheckoutResult<'static>>();
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Azotte {}

impl Provider for Azotte {}

impl Backend for Azotte {
    type Client = Arc<Tenant>;
    type Route = Route;
    type Asked = Asked;
    type Refusal = Refusal<'static>;
    type Difference = Infallible;
    type Ahead = CheckoutResult<'static>;

    fn environment(client: &Arc<Tenant>) -> Environment {
        client.environment
    }

    fn now_millis(client: &Arc<Tenant>) -> u64 {
        client.clock.now_millis()
    }

    /// Azotte asks for none.
    fn nonce(_: &Arc<Tenant>) -> String {
        String::new()
    }

    fn request(client: &Arc<Tenant>, ask: &Ask<'_, Self>, _: &Moment<'_>) -> Result<Request, NoRequest> {
        let mut request = http::Request::builder()
            .method(ask.route.method())
            .uri(format!("{}{}", client.base_url, ask.path))
            .header(header::ACCEPT, format!("{MEDIA_TYPE}, application/json"))
            .header("x-tn", client.tenant.clone())
            .header("x-api-key", client.api_key.clone());
        if !ask.body.is_empty() {
            request = request.header(header::CONTENT_TYPE, JSON);
        }
        request.body(ask.body.clone()).map_err(|_| NoRequest::Http)
    }

    fn code<'r>(refusal: &'r Refusal<'static>) -> Option<RefusalCode<'r>> {
        refusal.message_code.as_ref().map(|code| RefusalCode::Text(code.text()))
    }

    /// A 401 or 403 in a form of Azotte's proves that nothing was done: who is not let in starts no checkout (Assumed: no
    /// page says so). One that says at which stage a checkout is proves nothing. No page lists how a submit is refused
    /// otherwise, so no other refusal of it proves anything. A submit is safe to repeat.
    fn nothing_done(route: Route, refusal: &Refusal<'static>) -> bool {
        let stage =
            refusal.message_code.as_ref().is_some_and(|code| MessageCode::from_code(code.text()).is_some());
        let not_let_in = is_not_let_in(refusal.http_status) && !stage;
        not_let_in || (route == Route::CheckoutStatus && refusal.is_not_readable())
    }

    /// Azotte's 401 has no envelope (Public). So a 401 or 403 with an empty body is Azotte's own, unless it says that it is
    /// a page, and everything else that is no problem and has no message code is a gateway's (Assumed). A body of white
    /// space alone is empty.
    fn nothing_done_beside(_: Route, other: &NotTheApi<'_>) -> bool {
        let page = other.content_type.as_deref().is_some_and(|media_type| {
            media_type.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("text/"))
        });
        is_not_let_in(other.status)
            && other.excerpt.as_str().trim().is_empty()
            && other.location.is_none()
            && !page
    }

    /// A 404, or a 409 (Assumed: "state conflict (e.g. tracking belongs to another tenant)" can be one of a checkout that is
    /// being made).
    fn is_not_there(refusal: &Refusal<'static>) -> bool {
        refusal.is_not_readable()
    }

    fn can_be_the_clock(_: &Refusal<'static>) -> bool {
        false
    }

    fn trouble(_: &Refusal<'static>, http_status: u16) -> Trouble {
        Trouble::of_http(http_status)
    }
}

/// True if an HTTP status says that who asks is not let in.
const fn is_not_let_in(http_status: u16) -> bool {
    matches!(http_status, 401 | 403)
}

impl From<Route> for Operation {
    fn from(route: Route) -> Self {
        Self {
            method: route.method(),
            path: route.path(),
            repeat: route.repeat(),
            read_first: route.read_first(),
        }
    }
}

/// One tenant's access.
pub struct Tenant {
    /// Scheme and authority, with no slash at the end.
    pub(super) base_url: String,
    pub(super) environment: Environment,
    pub(super) tenant: HeaderValue,
    pub(super) api_key: HeaderValue,
    pub(super) clock: Box<dyn Clock>,
}

impl fmt::Debug for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tenant")
            .field("environment", &self.environment)
            .field("base_url", &self.base_url)
            .finish_non_exhaustive()
    }
}

/// What an answer must agree with.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// None for a submit.
    pub(super) tracking_number: Option<String>,
}

impl Answers<Azotte> for CheckoutResult<'_> {
    fn read(head: &Head<'_>, body: &[u8], _: &Asked) -> Result<Reply<'static>, ReadError> {
        read(head, body).map(|reply| reply.map_owned(CheckoutResult::into_owned))
    }

    /// A submit's answer must have a number that can be asked after. A status' answer must have the one that was asked for,
    /// if it has one at all (Assumed: every sample has one, and no page says that it must).
    fn answers(&self, _: &Arc<Tenant>, asked: &Asked) -> Result<(), &'static str> {
        let agrees = match (&asked.tracking_number, &self.tracking_number) {
            (Some(asked), Some(given)) => asked == given,
            (Some(_), None) => true,
            (None, given) => given.as_deref().is_some_and(|given| PathSegment::new(given).is_ok()),
        };
        if agrees { Ok(()) } else { Err("trackingNumber") }
    }
}

impl Readable for CheckoutResult<'_> {
    type Provider = Azotte;
}

impl Observable for CheckoutResult<'_> {
    type Status = MessageCode;
    type Raw = Cow<'static, str>;
    const POLL_EVERY: Duration = Duration::from_secs(DEFAULT_RETRY_AFTER_SECONDS);

    fn observed(&self, sent_at_millis: u64) -> Option<Observation<MessageCode, Cow<'static, str>>> {
        let moment = crate::received::moment(sent_at_millis);
        Some(Observation::read(self.status.message_code.clone().into_owned(), moment))
    }

    fn retry_after_seconds(&self) -> Option<u64> {
        self.retry_after_seconds()
    }

    fn asks_payer(&self) -> Option<&str> {
        self.challenge().map(|challenge| match challenge {
            Challenge::Html(text) | Challenge::Url(text) => text,
        })
    }

    fn not_shown(&self) -> Option<&'static str> {
        self.not_shown().map(NotShown::reason)
    }

    fn payer_returns(&self) -> bool {
        self.payer_returns()
    }
}
