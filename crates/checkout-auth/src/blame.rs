//! The party to blame for a refusal.

/// The party that has to change something before a message like this passes, supposing that the provider
/// itself sent the message.
///
/// The blame says where to look first, and is derived from the error alone. A forger can cause every refusal
/// but those of [`Caller`](Blame::Caller) and those of a time outside the tolerance, so one refusal proves no
/// fault of the set-up: many of one kind do.
///
/// ```
/// # checkout_doctest::facade!(auth);
/// use checkout_kit::auth::{Blame, MessageError};
///
/// assert_eq!(MessageError::UnknownKey.blame(), Blame::SetUp);
/// assert_eq!(MessageError::Expired { by_seconds: 1 }.blame(), Blame::Sender);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Blame {
    /// The code that calls this crate: the code gave something that no HTTP message could have carried, or
    /// the parts of two messages.
    Caller,
    /// The sender of the message: the message is not of the form that the provider documents, or is too old.
    Sender,
    /// The parts between: the keys configured, the clocks, a proxy on the way, the handling of the body
    /// before the body comes here.
    SetUp,
}
