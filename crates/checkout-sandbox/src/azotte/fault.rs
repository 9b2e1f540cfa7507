//! What can go wrong on the way, and what a provider can do that it never should.

use std::time::Duration;

use checkout_tables::azotte::Route;

use crate::mishap::Mishap;

/// Something that goes wrong with one request.
///
/// Faults wait in the order in which they were injected. A request takes the first one that fits it, and no
/// more than one; a fault about a checkout waits for a request whose reply could show it.
///
/// "Processed" means that the sandbox does what the request asks for: a submit makes a checkout, which may be
/// charged, even if nobody hears of it.
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
    /// The request is lost on the way: the sandbox never sees it, but the transport can only say
    /// [`Delivery::Unknown`](checkout_transport::Delivery::Unknown).
    LostRequest,
    /// The request is processed and its answer is lost:
    /// [`Delivery::Unknown`](checkout_transport::Delivery::Unknown).
    LostAnswer,
    /// Processed at once; the clock then advances by this much before the answer, with its old `Date`,
    /// arrives.
    Slow(Duration),
    /// Processed; the answer is 200 with bytes that are neither JSON nor UTF-8.
    Garbage,
    /// Processed; the answer breaks off half way.
    Truncated,
    /// Processed; the answer has its status and its headers, and no body.
    EmptyBody,
    /// Processed; the reply is right, but it says that it is `text/html`.
    WrongContentType,
    /// Processed; the reply says that it is `application/json`. Harmless.
    PlainContentType,
    /// Processed; a gateway loses the answer and puts its own in place: 502, `text/html`.
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
    /// Submit. A checkout of its own comes of it, although the correlation id has one already: the promise
    /// of being charged once is broken.
    KeyForgotten,
    /// Both routes. Processed; the reply is about another checkout, the latest other one, or one made up when
    /// there is none.
    SwappedCheckout,
    /// Both routes. Processed; the tracking number in the reply is nobody's, and all else is right.
    TamperedTracking,
    /// Both routes. Processed; the reply has no tracking number.
    MissingTracking,
    /// Both routes. Processed; the reply says this code, once; nothing else in it changes.
    TamperedCode(String),
    /// Both routes. Processed; the reply has no `followUpInstructions`, and its headers are as ever.
    NoFollowUp,
    /// Both routes. Processed; the reply has neither `followUpInstructions` nor a `Retry-After`.
    NoPollingAdvice,
    /// Processed; every object in the reply has members that nobody has documented. Harmless.
    ExtraFields,
    /// Processed; every object in the reply has its first member once more at its end, with another value.
    DuplicateKeys,
    /// Processed; white space after the reply makes its body this many bytes long. Over
    /// [`BODY_CAP`](checkout_transport::BODY_CAP) the transport refuses it, as each one must.
    HugeBody(usize),
}

impl Fault {
    /// The mishap on the way, if the fault is one in which the API has no part.
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

    /// Whether a request could show it; `None` is a request for no route at all.
    pub(super) fn fits(&self, route: Option<Route>) -> bool {
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
