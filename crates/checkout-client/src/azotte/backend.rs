//! Azotte, as the calls see it.

use crate::authorize::Authorize;
use crate::call::JSON;
use crate::not_sent::NotSent;
use crate::observable::Observable;
use crate::provider::sealed::{Answers, Ask, Backend, RefusalCode, Stamp, Trouble};
use crate::provider::{Operation, Provider, Readable};
use crate::sources::Clock;
use checkout_lifecycle::{Moment, Observation};
use checkout_tables::Environment;
use checkout_tables::azotte::{DEFAULT_RETRY_AFTER_SECONDS, MEDIA_TYPE, MessageCode, Route};
use checkout_transport::Request;
use checkout_transport::http::{self, HeaderValue, header};
use checkout_validate::PathSegment;
use checkout_wire::azotte::{Challenge, CheckoutResult, NotShown, Refusal, Reply, read};
use checkout_wire::{Head, ReadError, UnexpectedResponse};
use core::convert::Infallible;
use core::fmt;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

/// Azotte, as a [`Provider`].
///
/// ```
/// # checkout_doctest::facade!(client);
/// use checkout_kit::azotte::Azotte;
/// use checkout_kit::client::Readable;
///
/// fn is_asked_of_azotte<T: Readable<Provider = Azotte>>() {}
/// is_asked_of_azotte::<checkout_kit::azotte::CheckoutResult<'static>>();
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Azotte {}

impl Provider for Azotte {}

impl Authorize for Azotte {
    type Payload = CheckoutResult<'static>;
}

impl Backend for Azotte {
    type Client = Arc<Tenant>;
    type Route = Route;
    type Asked = Asked;
    type Refusal = Refusal<'static>;
    type Difference = Infallible;

    fn environment(client: &Arc<Tenant>) -> Environment {
        client.environment
    }

    fn now(client: &Arc<Tenant>) -> Moment {
        client.clock.now()
    }

    /// Azotte asks for no nonce.
    fn nonce(_: &Arc<Tenant>) -> String {
        String::new()
    }

    fn request(client: &Arc<Tenant>, ask: &Ask<'_, Self>, _: &Stamp<'_>) -> Result<Request, NotSent> {
        let mut request = http::Request::builder()
            .method(ask.route.method())
            .uri(format!("{}{}", client.base_url, ask.path))
            .header(header::ACCEPT, format!("{MEDIA_TYPE}, application/json"))
            .header("x-tn", client.tenant.clone())
            .header("x-api-key", client.api_key.clone());
        if !ask.body.is_empty() {
            request = request.header(header::CONTENT_TYPE, JSON);
        }
        request.body(ask.body.clone()).map_err(|_| NotSent::Request)
    }

    fn code<'r>(refusal: &'r Refusal<'static>) -> Option<RefusalCode<'r>> {
        refusal.message_code.as_ref().map(|code| RefusalCode::Text(code.text()))
    }

    /// A 401 or 403 in a form of Azotte's proves that nothing was done: a sender who is not let in starts no
    /// checkout (Assumed: no page says so). A refusal with the stage of a checkout proves nothing. No page
    /// lists how Azotte refuses a submit otherwise, so no other refusal of a submit proves anything. A submit
    /// is safe to repeat.
    fn proves_not_processed(route: Route, refusal: &Refusal<'static>) -> bool {
        let stage =
            refusal.message_code.as_ref().is_some_and(|code| MessageCode::from_code(code.text()).is_some());
        let not_let_in = is_not_let_in(refusal.http_status) && !stage;
        not_let_in || (route == Route::CheckoutStatus && refusal.is_not_readable())
    }

    /// Azotte's 401 has no envelope (Public). So a 401 or 403 with an empty body is Azotte's own, unless the
    /// response says that the body is a page. Everything else that is not a problem and has no message code
    /// is a gateway's (Assumed). A body of white space alone is empty.
    fn response_proves_not_processed(_: Route, other: &UnexpectedResponse<'_>) -> bool {
        let page = other.content_type.as_deref().is_some_and(|media_type| {
            media_type.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("text/"))
        });
        is_not_let_in(other.status)
            && other.excerpt.as_str().trim().is_empty()
            && other.location.is_none()
            && !page
    }

    /// True for a 404, or a 409 (Assumed: "state conflict (e.g. tracking belongs to another tenant)" can be
    /// the conflict of a checkout that is being made).
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

/// True if an HTTP status says that the sender is not let in.
const fn is_not_let_in(http_status: u16) -> bool {
    matches!(http_status, 401 | 403)
}

impl From<Route> for Operation {
    fn from(route: Route) -> Self {
        Self {
            method: route.method(),
            path: route.path(),
            repeat: route.repeat(),
            lookup_key: route.lookup_key(),
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

/// The facts that an answer must agree with.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Empty for a submit.
    pub(super) tracking_number: String,
}

impl Answers<Azotte> for CheckoutResult<'_> {
    fn read(head: &Head<'_>, body: &[u8], _: &Asked) -> Result<Reply<'static>, ReadError> {
        read(head, body).map(|reply| reply.map_owned(CheckoutResult::into_owned))
    }

    /// The number must be that of the request, if the answer has a number at all (Assumed: every sample has a
    /// number, and no page says that an answer must).
    fn answers(&self, _: &Arc<Tenant>, asked: &Asked) -> Result<(), &'static str> {
        let given = self.tracking_number.as_deref();
        if given.is_none_or(|given| given == asked.tracking_number) { Ok(()) } else { Err("trackingNumber") }
    }
}

/// The answer to a submit: the number to read the checkout by, and the state at that moment.
///
/// The answer has the shape of a status and confirms no payment, whatever the state says: read the checkout,
/// and settle the order with that read.
///
/// Source: Azotte C2A, *Submit Checkout*.
///
/// ```
/// # #[cfg(feature = "system")] {
/// # use checkout_client::azotte::Client;
/// # use checkout_sandbox::azotte::{API_KEY, Sandbox, X_TN};
/// # use checkout_tables::{Environment, azotte::PaymentChannel};
/// # use checkout_validate::azotte::Draft;
/// # let sandbox = Sandbox::new(1);
/// # let clock = sandbox.clock().clone();
/// # let client = Client::builder("acme", X_TN, API_KEY.into()).environment(Environment::Sandbox);
/// # let client = client.clock(move || clock.now()).build()?;
/// # let submit = Draft::stored_method(PaymentChannel::CreditCard).offer_identifier("off_1").correlation_id("o_1");
/// # let submit = submit.item("plan_gold").customer_urn("urn:customer:42").check()?;
/// let submitted = client.submit(&submit).send_blocking(&sandbox)?.payload;
/// // Store the number with the order, then read the checkout by the number.
/// assert_eq!(client.status(&submitted.tracking_number)?.path().split('/').nth(6), Some(&*submitted.tracking_number));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submitted<'a> {
    /// `trackingNumber`: 1 or more characters that can stand in a path.
    pub tracking_number: String,
    /// The state of the checkout at that moment, and a challenge, if the answer has one.
    pub result: CheckoutResult<'a>,
}

impl Answers<Azotte> for Submitted<'_> {
    fn read(
        head: &Head<'_>,
        body: &[u8],
        _: &Asked,
    ) -> Result<checkout_wire::Reply<'static, Self, Refusal<'static>>, ReadError> {
        read(head, body).map(|reply| {
            reply.map_owned(|result| {
                let result = result.into_owned();
                Submitted {
                    tracking_number: result.tracking_number.clone().unwrap_or_default().into(),
                    result,
                }
            })
        })
    }

    /// The answer must have a number that can be read by.
    fn answers(&self, _: &Arc<Tenant>, _: &Asked) -> Result<(), &'static str> {
        PathSegment::new(&self.tracking_number).map(|_| ()).map_err(|_| "trackingNumber")
    }
}

impl Readable for Submitted<'_> {
    type Provider = Azotte;
}

impl Observable for Submitted<'_> {
    type Status = MessageCode;
    type Raw = Cow<'static, str>;
    const POLL_EVERY: Duration = CheckoutResult::POLL_EVERY;
    const IS_READ: bool = false;

    fn observed(&self, sent_at: Moment) -> Option<Observation<MessageCode, Cow<'static, str>>> {
        self.result.observed(sent_at)
    }

    fn retry_after_seconds(&self) -> Option<u64> {
        self.result.retry_after_seconds()
    }

    fn asks_payer(&self) -> Option<&str> {
        self.result.asks_payer()
    }

    fn not_shown(&self) -> Option<&'static str> {
        Observable::not_shown(&self.result)
    }

    fn payer_returns(&self) -> bool {
        self.result.payer_returns()
    }
}

impl<'a> From<Submitted<'a>> for CheckoutResult<'a> {
    fn from(submitted: Submitted<'a>) -> Self {
        submitted.result
    }
}

impl Readable for CheckoutResult<'_> {
    type Provider = Azotte;
}

impl Observable for CheckoutResult<'_> {
    type Status = MessageCode;
    type Raw = Cow<'static, str>;
    const POLL_EVERY: Duration = Duration::from_secs(DEFAULT_RETRY_AFTER_SECONDS);

    fn observed(&self, sent_at: Moment) -> Option<Observation<MessageCode, Cow<'static, str>>> {
        Some(Observation::read(self.status.message_code.clone().into_owned(), sent_at))
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
