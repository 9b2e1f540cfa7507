//! Azotte C2A's requests and answers.

mod read;
mod refusal;
mod request;
mod result;

pub use read::{read, read_capped, write};
pub use refusal::{ProblemDetails, Refusal};
pub use request::{path, submit_body};
pub use result::{
    Challenge, CheckoutResult, FollowUpInstructions, NotShown, RedirectInstructions, ResultStatus,
};

/// A reply to a request to Azotte. Submit and status have answers in the same shape.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::azotte::Reply;
///
/// fn is_done(reply: &Reply<'_>) -> bool {
///     matches!(reply, Reply::Done(_))
/// }
/// ```
pub type Reply<'a> = crate::Reply<'a, CheckoutResult<'a>, Refusal<'a>>;

/// A refusal or an unexpected response, instead of an answer of Azotte.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::azotte::NotDone;
///
/// fn was_refused(not_done: &NotDone<'_>) -> bool {
///     matches!(not_done, NotDone::Refused(_))
/// }
/// ```
pub type NotDone<'a> = crate::NotDone<'a, Refusal<'a>>;
