//! Peach Payments Hosted Checkout's requests and answers, V1 and V2.

mod fields;
mod form;
mod payment;
mod read;
mod refusal;
mod request;
mod timestamp;

pub use fields::Fields;
pub use form::FormError;
pub use payment::{Payment, Wrapper};
pub use read::{
    AccessToken, Created, Initiated, Validated, read_created, read_initiated, read_payment, read_token,
    read_validated,
};
pub use refusal::{Refusal, ValidationError};
pub use request::{body, create_body, path, query, token_body};
pub use timestamp::moment;

/// A reply to a request to Peach.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::peach::{Initiated, Reply};
///
/// fn is_done(reply: &Reply<'_, Initiated<'_>>) -> bool {
///     matches!(reply, Reply::Done(_))
/// }
/// ```
pub type Reply<'a, T> = crate::Reply<'a, T, Refusal<'a>>;

/// A refusal or an unexpected response, instead of an answer of Peach.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::peach::NotDone;
///
/// fn was_refused(not_done: &NotDone<'_>) -> bool {
///     matches!(not_done, NotDone::Refused(_))
/// }
/// ```
pub type NotDone<'a> = crate::NotDone<'a, Refusal<'a>>;
