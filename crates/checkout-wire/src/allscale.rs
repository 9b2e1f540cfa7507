//! AllScale's requests and answers.

mod payload;
mod read;
mod refusal;
mod request;
mod webhook;

pub use payload::{CreatedIntent, Echo, Intent, Pong};
pub use read::{Payload, read, read_capped, write};
pub use refusal::Refusal;
pub use request::{create_body, path};
pub use webhook::{WebhookBody, read_webhook};

/// A reply to a request to AllScale.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::allscale::{Pong, Reply};
///
/// fn is_done(reply: &Reply<'_, Pong<'_>>) -> bool {
///     matches!(reply, Reply::Done(_))
/// }
/// ```
pub type Reply<'a, T> = crate::Reply<'a, T, Refusal<'a>>;

/// A refusal or an unexpected response, instead of an answer of AllScale.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::allscale::NotDone;
///
/// fn was_refused(not_done: &NotDone<'_>) -> bool {
///     matches!(not_done, NotDone::Refused(_))
/// }
/// ```
pub type NotDone<'a> = crate::NotDone<'a, Refusal<'a>>;
