//! The faults: mishaps on the way, and the things that a provider should never do.

use std::time::Duration;

use checkout_tables::azotte::Route;

use crate::mishap::Mishap;

/// A fault of one request.
///
/// Faults wait in the order in which the test injects them. A request takes the first fault that fits the
/// request, and no second fault. A fault about a checkout waits for a request whose reply can show the fault.
///
/// "Processed" means that the sandbox does the work of the request: a submit makes a checkout, which may be
/// charged, even if nobody hears of the checkout.
///
/// ```
/// use checkout_sandbox::azotte::{Fault, Sandbox};
/// use checkout_tables::azotte::Route;
///
/// let sandbox = Sandbox::new(1);
/// sandbox.inject_on(Route::SubmitCheckout, Fault::LostAnswer);
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
    /// Processed; the answer keeps the status and the headers, and loses the body.
    EmptyBody,
    /// Processed; the reply is right, but the `Content-Type` is `text/html`.
    WrongContentType,
    /// Processed; the `Content-Type` is `application/json`. Harmless.
    PlainContentType,
    /// Processed; a gateway loses the answer and puts an answer of its own in place: 502, `text/html`.
    HtmlBadGateway,
    /// Not processed: 302, with a `Location` on another host.
    Redirect,
    /// Not processed: 401 with an empty body, though the headers may be right.
    EmptyUnauthorized,
    /// Not processed: 429, a problem, and `Retry-After: 2`.
    RateLimited,
    /// Not processed: 500 and a problem.
    InternalError,
    /// Processed; then something fails, and the answer is 500 and a problem.
    LateInternalError,
    /// Not processed: 400 and a problem without any member.
    EmptyProblem,
    /// Not processed: 400 and a `CheckoutResult` with this code alone.
    UnknownErrorCode(String),
    /// Submit. The submit makes a new checkout, although the correlation id has a checkout already: Azotte
    /// breaks the promise to charge once.
    KeyForgotten,
    /// Both routes. Processed; the reply is about the latest other checkout, or about a made-up checkout if
    /// there is no other.
    SwappedCheckout,
    /// Both routes. Processed; the tracking number in the reply is nobody's, and everything else is right.
    TamperedTracking,
    /// Both routes. Processed; the reply has no tracking number.
    MissingTracking,
    /// Both routes. Processed; one reply says this code; nothing else in the reply changes.
    TamperedCode(String),
    /// Both routes. Processed; the reply has no `followUpInstructions`, and the usual headers.
    NoFollowUp,
    /// Both routes. Processed; the reply has neither `followUpInstructions` nor a `Retry-After`.
    NoPollingAdvice,
    /// Processed; every object in the reply has members that nobody has documented. Harmless.
    ExtraFields,
    /// Processed; every object in the reply repeats its first member at its end, with another value.
    DuplicateKeys,
    /// Processed; white space after the reply makes the body this many bytes long. The transport refuses a
    /// body over [`BODY_CAP`](checkout_transport::BODY_CAP), as every transport must.
    HugeBody(usize),
}

crate::fault_name::fault_names! {
    "azotte":
    lost_before => LostBefore,
    lost_request => LostRequest,
    lost_answer => LostAnswer,
    slow(ms) => Slow,
    garbage => Garbage,
    truncated => Truncated,
    empty_body => EmptyBody,
    wrong_content_type => WrongContentType,
    plain_content_type => PlainContentType,
    html_bad_gateway => HtmlBadGateway,
    redirect => Redirect,
    empty_unauthorized => EmptyUnauthorized,
    rate_limited => RateLimited,
    internal_error => InternalError,
    late_internal_error => LateInternalError,
    empty_problem => EmptyProblem,
    unknown_error_code(code) => UnknownErrorCode,
    key_forgotten => KeyForgotten,
    swapped_checkout => SwappedCheckout,
    tampered_tracking => TamperedTracking,
    missing_tracking => MissingTracking,
    tampered_code(code) => TamperedCode,
    no_follow_up => NoFollowUp,
    no_polling_advice => NoPollingAdvice,
    extra_fields => ExtraFields,
    duplicate_keys => DuplicateKeys,
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
            Self::Garbage => Mishap::Garbage(b"\x1f\x8b\x08\xff\xfe{\"status\":{,\xc3\x28}\x00"),
            Self::Truncated => Mishap::Truncated,
            Self::EmptyBody => Mishap::EmptyBody,
            Self::WrongContentType => Mishap::ContentType("text/html"),
            Self::PlainContentType => Mishap::ContentType("application/json"),
            Self::HtmlBadGateway => Mishap::HtmlBadGateway,
            Self::Redirect => Mishap::Redirect,
            Self::EmptyUnauthorized => Mishap::EmptyUnauthorized,
            Self::HugeBody(bytes) => Mishap::HugeBody(*bytes),
            Self::RateLimited
            | Self::InternalError
            | Self::LateInternalError
            | Self::EmptyProblem
            | Self::UnknownErrorCode(_)
            | Self::KeyForgotten
            | Self::SwappedCheckout
            | Self::TamperedTracking
            | Self::MissingTracking
            | Self::TamperedCode(_)
            | Self::NoFollowUp
            | Self::NoPollingAdvice
            | Self::ExtraFields
            | Self::DuplicateKeys => return None,
        })
    }

    /// True if a request for this route can show the fault. `None` is a request for no route at all.
    ///
    /// ```
    /// use checkout_sandbox::azotte::Fault;
    /// use checkout_tables::azotte::Route;
    ///
    /// assert!(Fault::KeyForgotten.fits(Some(Route::SubmitCheckout)));
    /// assert!(!Fault::KeyForgotten.fits(Some(Route::CheckoutStatus)));
    /// ```
    #[must_use]
    pub fn fits(&self, route: Option<Route>) -> bool {
        match self {
            Self::KeyForgotten => route == Some(Route::SubmitCheckout),
            Self::SwappedCheckout
            | Self::TamperedTracking
            | Self::MissingTracking
            | Self::TamperedCode(_)
            | Self::NoFollowUp
            | Self::NoPollingAdvice => route.is_some(),
            Self::LostBefore
            | Self::LostRequest
            | Self::LostAnswer
            | Self::Slow(_)
            | Self::Garbage
            | Self::Truncated
            | Self::EmptyBody
            | Self::WrongContentType
            | Self::PlainContentType
            | Self::HtmlBadGateway
            | Self::Redirect
            | Self::EmptyUnauthorized
            | Self::RateLimited
            | Self::InternalError
            | Self::LateInternalError
            | Self::EmptyProblem
            | Self::UnknownErrorCode(_)
            | Self::ExtraFields
            | Self::DuplicateKeys
            | Self::HugeBody(_) => true,
        }
    }
}
