//! The faults: mishaps on the way, and the things that a provider should never do.

use std::time::Duration;

use checkout_tables::peach::Route;

use crate::mishap::Mishap;

/// A fault of one request.
///
/// Faults wait in the order in which the test injects them. A request takes the first fault that fits the
/// request, and no second fault. A fault about a checkout waits for a request whose reply can show the fault.
///
/// "Processed" means that the sandbox does the work of the request: an initiate makes a checkout, even if
/// nobody hears of the checkout. The signed fields are the fields of both versions' status. Where the signed
/// fields stand in `redirect_post_data`, the fault strikes there.
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
    /// Not processed: 429 and `Retry-After: 30`.
    RateLimited,
    /// Not processed: 500 and a message.
    InternalError,
    /// Processed; then something fails, and the answer is 500 and a message.
    LateInternalError,
    /// Not processed: 400 and this result code, any text.
    Refused(String),
    /// Processed; every object in the reply repeats its first member at its end, with another value.
    DuplicateKeys,
    /// Processed; white space after the reply makes the body this many bytes long. The transport refuses a
    /// body over [`BODY_CAP`](checkout_transport::BODY_CAP), as every transport must.
    HugeBody(usize),
    /// All but the two statuses. Processed; every object in the reply has members that nobody has documented.
    /// Harmless.
    ExtraFields,
    /// The two statuses, like all faults below. The reply is about the merchant's latest other checkout, or
    /// about a made-up checkout if there is no other, and rightly signed.
    SwappedCheckout,
    /// An amount that is not the request's, rightly signed.
    OtherAmount,
    /// An amount that is not the request's, put in after the signing.
    TamperedAmount,
    /// This result code, put in after the signing.
    TamperedCode(String),
    /// A signature with one wrong digit.
    TamperedSignature,
    /// No signature.
    Unsigned,
    /// A field that nobody has documented, signed with the other fields. Harmless.
    ExtraSignedKey,
    /// A field that nobody has documented, put in after the signing.
    ExtraUnsignedKey,
    /// A JSON number, digit for digit, in place of each text that reads as a JSON number and was signed as a
    /// text.
    NumbersForTexts,
    /// The code, the description and the signature of the two, and nothing else.
    BareResult,
}

crate::fault_name::fault_names! {
    "peach":
    lost_before => LostBefore,
    lost_request => LostRequest,
    lost_answer => LostAnswer,
    slow(ms) => Slow,
    garbage => Garbage,
    truncated => Truncated,
    html_bad_gateway => HtmlBadGateway,
    empty_unauthorized => EmptyUnauthorized,
    redirect => Redirect,
    rate_limited => RateLimited,
    internal_error => InternalError,
    late_internal_error => LateInternalError,
    refused(code) => Refused,
    duplicate_keys => DuplicateKeys,
    huge_body(bytes) => HugeBody,
    extra_fields => ExtraFields,
    swapped_checkout => SwappedCheckout,
    other_amount => OtherAmount,
    tampered_amount => TamperedAmount,
    tampered_code(code) => TamperedCode,
    tampered_signature => TamperedSignature,
    unsigned => Unsigned,
    extra_signed_key => ExtraSignedKey,
    extra_unsigned_key => ExtraUnsignedKey,
    numbers_for_texts => NumbersForTexts,
    bare_result => BareResult,
}

impl Fault {
    /// The mishap on the way, if the API has no part in the fault.
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

    /// True if a request for this route can show the fault. `None` is a request for no route at all.
    ///
    /// ```
    /// use checkout_sandbox::peach::Fault;
    /// use checkout_tables::peach::Route;
    ///
    /// assert!(Fault::Unsigned.fits(Some(Route::Status)));
    /// assert!(!Fault::Unsigned.fits(Some(Route::Initiate)));
    /// ```
    #[must_use]
    pub fn fits(&self, route: Option<Route>) -> bool {
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
