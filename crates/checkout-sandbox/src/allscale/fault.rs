//! The faults: mishaps on the way, and the things that a provider should never do.

use std::time::Duration;

use checkout_tables::allscale::Route;

use crate::mishap::Mishap;

/// A fault of one request.
///
/// Faults wait in the order in which the test injects them. A request takes the first fault that fits the
/// request, and no second fault. A fault about an intent waits for a request whose reply can show the fault.
///
/// "Processed" means that the sandbox does the work of the request: a create makes an intent, even if nobody
/// hears of the intent.
///
/// ```
/// use checkout_sandbox::allscale::{Fault, Sandbox};
/// use checkout_tables::allscale::Route;
///
/// let sandbox = Sandbox::new(1);
/// sandbox.inject_on(Route::Create, Fault::LostAnswer);
/// sandbox.inject(Fault::HtmlBadGateway);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The connection is refused. The sandbox never sees the request, and the transport says
    /// [`Delivery::NotSent`](checkout_transport::Delivery::NotSent).
    LostBefore,
    /// The request is lost on the way. The sandbox never sees the request, but the transport can only say
    /// [`Delivery::Unknown`](checkout_transport::Delivery::Unknown).
    LostRequest,
    /// The request is processed and the answer is lost:
    /// [`Delivery::Unknown`](checkout_transport::Delivery::Unknown).
    LostAnswer,
    /// Processed at once; then the clock advances by this much before the answer arrives, with its old
    /// `Date`.
    Slow(Duration),
    /// Processed; the answer is 200 with bytes that are neither JSON nor UTF-8.
    Garbage,
    /// Processed; the answer breaks off half way.
    Truncated,
    /// Processed; a gateway loses the answer and puts an answer of its own in place: 502, `text/html`.
    HtmlBadGateway,
    /// Not processed: 401 with an empty body, from something in front of the API.
    EmptyUnauthorized,
    /// Not processed: 302, with a `Location` on another host.
    Redirect,
    /// Create, get and status. Processed; the reply is about the latest other intent, or about a made-up
    /// intent if there is no other.
    SwappedIntent,
    /// Create and get. Processed; every amount in the reply is a tenth of the right amount.
    TamperedAmount,
    /// Get and status. One reply says this status; nothing else in the reply changes.
    TamperedStatus(i64),
    /// Not processed: 429, code 40001 and `Retry-After: 2`.
    RateLimited,
    /// Not processed: 500 and code 90000.
    InternalError,
    /// Processed; then something fails, and the answer is 500 and code 90000.
    LateInternalError,
    /// Not processed: 400 and this code, a code that no page lists. (Any integer is taken.)
    UnknownErrorCode(i64),
    /// Processed; every object in the reply has members that nobody has documented. Harmless.
    ExtraFields,
    /// Create and get. Processed; the intent's id stands under the name that the other route gives the id.
    OtherIdSpelling,
    /// Create. Processed; `accepted_stable_coins` is null, as on intents from before there were several
    /// coins.
    OldIntent,
    /// Create. Processed; `accepted_stable_coins` is this bitmask, whatever the request asks for. The page
    /// names 1, USDT, 2, USDC, and 3, either. (Any integer is taken.)
    AcceptedCoins(i64),
    /// Create, get. Processed; the coin is the coin with this value in the page's Appendix B, whatever the
    /// request asks for: `stable_coin_type` in create's reply, and `coin_symbol` and `coin_contract` in
    /// get's. A value of no coin is no fault.
    SettledIn(i64),
    /// Processed; every object in the reply repeats its first member at its end, with another value.
    DuplicateKeys,
    /// Status. The payload is `{"status":n}`, although the page documents a bare integer.
    StatusAsObject,
    /// Processed; white space after the reply makes the body this many bytes long. The transport refuses a
    /// body over [`BODY_CAP`](checkout_transport::BODY_CAP), as every transport must.
    HugeBody(usize),
}

crate::fault_name::fault_names! {
    "allscale":
    lost_before => LostBefore,
    lost_request => LostRequest,
    lost_answer => LostAnswer,
    slow(ms) => Slow,
    garbage => Garbage,
    truncated => Truncated,
    html_bad_gateway => HtmlBadGateway,
    empty_unauthorized => EmptyUnauthorized,
    redirect => Redirect,
    swapped_intent => SwappedIntent,
    tampered_amount => TamperedAmount,
    tampered_status(status) => TamperedStatus,
    rate_limited => RateLimited,
    internal_error => InternalError,
    late_internal_error => LateInternalError,
    unknown_error_code(code) => UnknownErrorCode,
    extra_fields => ExtraFields,
    other_id_spelling => OtherIdSpelling,
    old_intent => OldIntent,
    accepted_coins(coins) => AcceptedCoins,
    settled_in(coin) => SettledIn,
    duplicate_keys => DuplicateKeys,
    status_as_object => StatusAsObject,
    huge_body(bytes) => HugeBody,
}

impl Fault {
    /// The mishap on the way, if the API has no part in the fault.
    pub(super) fn mishap(&self) -> Option<Mishap> {
        Some(match self {
            Self::LostBefore => Mishap::LostBefore,
            Self::LostRequest => Mishap::LostRequest,
            Self::LostAnswer => Mishap::LostAnswer,
            Self::Slow(by) => Mishap::Slow(*by),
            Self::Garbage => Mishap::Garbage(b"\x1f\x8b\x08\xff\xfe{\"code\":0,\xc3\x28}\x00"),
            Self::Truncated => Mishap::Truncated,
            Self::HtmlBadGateway => Mishap::HtmlBadGateway,
            Self::EmptyUnauthorized => Mishap::EmptyUnauthorized,
            Self::Redirect => Mishap::Redirect,
            Self::HugeBody(bytes) => Mishap::HugeBody(*bytes),
            Self::SwappedIntent
            | Self::TamperedAmount
            | Self::TamperedStatus(_)
            | Self::RateLimited
            | Self::InternalError
            | Self::LateInternalError
            | Self::UnknownErrorCode(_)
            | Self::ExtraFields
            | Self::OtherIdSpelling
            | Self::OldIntent
            | Self::AcceptedCoins(_)
            | Self::SettledIn(_)
            | Self::DuplicateKeys
            | Self::StatusAsObject => return None,
        })
    }

    /// True if a request for this route can show the fault. `None` is a request for no route at all.
    ///
    /// ```
    /// use checkout_sandbox::allscale::Fault;
    /// use checkout_tables::allscale::Route;
    ///
    /// assert!(Fault::TamperedStatus(20).fits(Some(Route::Status)));
    /// assert!(!Fault::TamperedStatus(20).fits(Some(Route::Create)));
    /// ```
    #[must_use]
    pub fn fits(&self, route: Option<Route>) -> bool {
        let routes: &[Route] = match self {
            Self::SwappedIntent => &[Route::Create, Route::Get, Route::Status],
            Self::TamperedAmount | Self::OtherIdSpelling | Self::SettledIn(_) => &[Route::Create, Route::Get],
            Self::TamperedStatus(_) => &[Route::Get, Route::Status],
            Self::OldIntent | Self::AcceptedCoins(_) => &[Route::Create],
            Self::StatusAsObject => &[Route::Status],
            Self::LostBefore
            | Self::LostRequest
            | Self::LostAnswer
            | Self::Slow(_)
            | Self::Garbage
            | Self::Truncated
            | Self::HtmlBadGateway
            | Self::EmptyUnauthorized
            | Self::Redirect
            | Self::RateLimited
            | Self::InternalError
            | Self::LateInternalError
            | Self::UnknownErrorCode(_)
            | Self::ExtraFields
            | Self::DuplicateKeys
            | Self::HugeBody(_) => return true,
        };
        route.is_some_and(|route| routes.contains(&route))
    }
}
