//! What can go wrong on the way, and what a provider can do that it never should.

use std::time::Duration;

use checkout_tables::peach::Route;

use crate::mishap::Mishap;

/// Something that goes wrong with one request.
///
/// Faults wait in the order in which they were injected. A request takes the first one that fits it, and no
/// more than one; a fault about a checkout waits for a request whose reply could show it.
///
/// "Processed" means that the sandbox does what the request asks for: an initiate makes a checkout, even if
/// nobody hears of it. The signed fields are those of both versions' status; where they stand in
/// `redirect_post_data` the fault strikes there.
///
/// ```
/// use checkout_sandbox::peach::{Fault, Sandbox};
/// use checkout_tables::peach::Route;
///
/// let sandbox = Sandbox::new(1);
/// sandbox.inject_on(Route::Initiate, Fault::LostAnswer);
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
    /// Processed; a gateway loses the answer and puts its own in place: 502, `text/html`.
    HtmlBadGateway,
    /// Not processed: 401 with an empty body, from something in front of the API.
    EmptyUnauthorized,
    /// Not processed: 302, with a `Location` on another host.
    Redirect,
    /// Not processed: 429 and `Retry-After: 30`.
    RateLimited,
    /// Not processed: 500 and a message.
    InternalError,
    /// Processed; then something fails, and the answer is 500 and a message.
    LateInternalError,
    /// Not processed: 400 and this result code, any text.
    Refused(String),
    /// Processed; every object in the reply has its first member once more at its end, with another value.
    DuplicateKeys,
    /// Processed; white space after the reply makes its body this many bytes long. Over
    /// [`BODY_CAP`](checkout_transport::BODY_CAP) the transport refuses it, as each one must.
    HugeBody(usize),
    /// All but the two statuses. Processed; every object in the reply has members that nobody has documented.
    /// Harmless.
    ExtraFields,
    /// The two statuses, as all below. The reply is the merchant's latest other checkout's, or of one made up
    /// when there is none, and rightly signed.
    SwappedCheckout,
    /// Another amount than was asked for, rightly signed.
    OtherAmount,
    /// Another amount, put in after the fields were signed.
    TamperedAmount,
    /// This result code, put in after the fields were signed.
    TamperedCode(String),
    /// One digit of the signature is another.
    TamperedSignature,
    /// There is no signature.
    Unsigned,
    /// A field that nobody has documented, signed with the others. Harmless.
    ExtraSignedKey,
    /// A field that nobody has documented, added after the others were signed.
    ExtraUnsignedKey,
    /// What was signed as a text and reads as a JSON number stands as one, digit for digit.
    NumbersForTexts,
    /// The code, its description, their signature, and nothing else.
    BareResult,
}

impl Fault {
    /// The mishap on the way, if the fault is one in which the API has no part.
    pub(super) fn mishap(&self) -> Option<Mishap> {
        Some(match self {
            Self::LostBefore => Mishap::LostBefore,
            Self::LostRequest => Mishap::LostRequest,
            Self::LostAnswer => Mishap::LostAnswer,
            Self::Slow(by) => Mishap::Slow(*by),
            Self::Garbage => Mishap::Garbage(b"\x1f\x8b\x08\xff\xfe{\"result.code\":\xc3\x28}\x00"),
            Self::Truncated => Mishap::Truncated,
            Self::HtmlBadGateway => Mishap::HtmlBadGateway,
            Self::EmptyUnauthorized => Mishap::EmptyUnauthorized,
            Self::Redirect => Mishap::Redirect,
            Self::HugeBody(bytes) => Mishap::HugeBody(*bytes),
            Self::RateLimited
            | Self::InternalError
            | Self::LateInternalError
            | Self::Refused(_)
            | Self::DuplicateKeys
            | Self::ExtraFields
            | Self::SwappedCheckout
            | Self::OtherAmount
            | Self::TamperedAmount
            | Self::TamperedCode(_)
            | Self::TamperedSignature
            | Self::Unsigned
            | Self::ExtraSignedKey
            | Self::ExtraUnsignedKey
            | Self::NumbersForTexts
            | Self::BareResult => return None,
        })
    }

    /// Whether a request could show it; `None` is a request for no route at all.
    pub(super) fn fits(&self, route: Option<Route>) -> bool {
        let is_status = matches!(route, Some(Route::Status | Route::CheckoutStatus));
        match self {
            Self::ExtraFields => route.is_some() && !is_status,
            Self::SwappedCheckout
            | Self::OtherAmount
            | Self::TamperedAmount
            | Self::TamperedCode(_)
            | Self::TamperedSignature
            | Self::Unsigned
            | Self::ExtraSignedKey
            | Self::ExtraUnsignedKey
            | Self::NumbersForTexts
            | Self::BareResult => is_status,
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
            | Self::Refused(_)
            | Self::DuplicateKeys
            | Self::HugeBody(_) => true,
        }
    }
}
