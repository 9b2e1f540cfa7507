//! Messages that are signed in their headers: the one way in which all kinds of them are signed and verified.
//!
//! A kind of message defines the names of its headers, the text that is signed, and the usual cause of a
//! signature that does not match. The order of the checks, the time, the keys and the comparison are here.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use hmac::Mac;

use crate::blame::Blame;
use crate::fields::HeaderError;
use crate::mac::{MacKey, Sink};
use crate::ring::KeyRing;
use crate::sign_error::SignError;
use crate::time::{Judgement, NOW_IN_ANOTHER_UNIT, TIME_IN_ANOTHER_UNIT, Tolerance, is_another_unit};

/// Verifies messages that are signed in their headers, with the keys of a ring.
///
/// | messages | method |
/// |---|---|
/// | AllScale's [webhooks](crate::allscale::webhook) | `verify_webhook` of a verifier with [signing keys][allscale] |
/// | AllScale's [answers](crate::allscale::response) | `verify_response` of the same |
/// | Peach's [webhooks with a signed header](crate::peach::header) | `verify_webhook` of one with [secret tokens][peach] |
///
/// The verifier checks the form first, then the key, then the signature, and the time last. So a message
/// refused for its time was signed, and an old message is distinct from a forged message. The comparison with
/// a right signature is in constant time. The cost of a check grows with the lengths of the bodies, which
/// nothing here bounds.
///
/// `Debug` prints the ring's ids and the tolerance.
///
/// [allscale]: crate::allscale::SigningKey
/// [peach]: crate::peach::SecretToken
///
/// ```
/// # checkout_doctest::facade!(auth);
/// use checkout_kit::KeyRing;
/// use checkout_kit::allscale::SigningKey;
/// use checkout_kit::auth::{Tolerance, Verifier};
///
/// let key = SigningKey::new("test_key", "test_secret_abc".into())?;
/// let verifier = Verifier::new(KeyRing::new("2024-05", key)).tolerance(Tolerance::from_seconds(60));
/// assert!(format!("{verifier:?}").contains("2024-05"));
/// # Ok::<(), checkout_auth::allscale::KeyError>(())
/// ```
#[derive(Clone)]
pub struct Verifier<K> {
    keys: KeyRing<K>,
    tolerance: Tolerance,
}

impl<K> Verifier<K> {
    /// A verifier with these keys and the default [`Tolerance`].
    ///
    /// ```
    /// # use checkout_auth::{KeyRing, Verifier, peach::SecretToken};
    /// let token = SecretToken::new("3fcd7cf22f55119eadbe02d14de18c0c".into())?;
    /// let verifier = Verifier::new(KeyRing::new("shop", token));
    /// # Ok::<(), checkout_auth::peach::KeyError>(())
    /// ```
    #[must_use]
    pub fn new(keys: KeyRing<K>) -> Self {
        Self { keys, tolerance: Tolerance::default() }
    }

    /// This verifier with another tolerance.
    ///
    /// ```
    /// # use checkout_auth::{KeyRing, Tolerance, Verifier, peach::SecretToken};
    /// # let token = SecretToken::new("3fcd7cf22f55119eadbe02d14de18c0c".into())?;
    /// let minute = Tolerance::from_seconds(60);
    /// let verifier = Verifier::new(KeyRing::new("shop", token)).tolerance(minute);
    /// # Ok::<(), checkout_auth::peach::KeyError>(())
    /// ```
    #[must_use]
    pub fn tolerance(self, tolerance: Tolerance) -> Self {
        Self { tolerance, ..self }
    }

    /// Checks the signatures claimed for a message, each part of which has the right form, and then its time.
    /// The keys tried are the valid ones that `may_be` accepts as the sender's.
    pub(crate) fn check<'a, M: Message<Key = K>>(
        &'a self,
        message: M,
        claimed: &[[u8; 32]],
        may_be: impl Fn(&K) -> bool,
        now: i64,
    ) -> Result<Signed<'a, M>, MessageError> {
        let mut keys = self.keys.at(now).filter(|(_, key)| may_be(key)).peekable();
        keys.peek().ok_or(M::NO_KEY)?;
        let text = message.text();
        let (key_id, _) = keys
            .find(|(_, key)| M::mac_key(key).made_any_of(claimed, |mac| text.write_to(mac)))
            .ok_or(MessageError::Mismatch(M::KIND))?;
        let timestamp = message.timestamp();
        match self.tolerance.judge(timestamp, now) {
            Judgement::InTime => {}
            Judgement::Expired { by_seconds } => return Err(MessageError::Expired { by_seconds }),
            Judgement::Early { by_seconds } => return Err(MessageError::Early { by_seconds }),
        }
        Ok(Signed { message, accepted_until: self.tolerance.last_second(timestamp), key_id })
    }
}

impl<K> fmt::Debug for Verifier<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("keys", &self.keys).field("tolerance", &self.tolerance).finish()
    }
}

/// A message that was verified. Only a [`Verifier`] makes one.
///
/// ```
/// # checkout_doctest::facade!(auth);
/// use checkout_kit::allscale::webhook::Webhook;
/// use checkout_kit::auth::Signed;
///
/// fn log_line(webhook: &Signed<'_, Webhook<'_>>) -> String {
///     let Webhook { webhook_id, timestamp, .. } = webhook.message();
///     format!("webhook {webhook_id} of {timestamp} s, key {}", webhook.key_id())
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed<'a, M> {
    message: M,
    accepted_until: i64,
    key_id: &'a str,
}

impl<'a, M> Signed<'a, M> {
    /// The message, with the content of its headers: read the payload from this body and no other.
    ///
    /// ```
    /// # use checkout_auth::{Signed, peach::header::Webhook};
    /// fn is_json(webhook: &Signed<'_, Webhook<'_>>) -> bool {
    ///     webhook.message().body.starts_with(b"{")
    /// }
    /// ```
    #[must_use]
    pub const fn message(&self) -> &M {
        &self.message
    }

    /// The last second at which the same message would pass again, seconds since 1970-01-01 UTC: the
    /// timestamp and the tolerance, or `i64::MAX` when there is no such number. Remember the message until
    /// then, at the least.
    ///
    /// ```
    /// # use checkout_auth::Signed;
    /// fn may_be_forgotten<M>(message: &Signed<'_, M>, now: i64) -> bool {
    ///     now > message.accepted_until()
    /// }
    /// ```
    #[must_use]
    pub const fn accepted_until(&self) -> i64 {
        self.accepted_until
    }

    /// The ring's id of the key that made the signature.
    ///
    /// ```
    /// # use checkout_auth::Signed;
    /// fn is_under_the_old_key<M>(message: &Signed<'_, M>) -> bool {
    ///     message.key_id() == "2023-01"
    /// }
    /// ```
    #[must_use]
    pub const fn key_id(&self) -> &'a str {
        self.key_id
    }
}

/// The reason why a message is refused. Keep the reason for the receiver's own log, and give every sender the
/// same refusal: a sender that can tell the refusals apart learns which API keys are known, and which old
/// message was genuine. Holds no value of a header, no part of a body, and no key.
///
/// ```
/// # checkout_doctest::facade!(auth);
/// use checkout_kit::auth::MessageError;
///
/// let error = MessageError::Early { by_seconds: 12 };
/// assert_eq!(error.to_string(), "the message's time is 12 s further ahead than the tolerance allows");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// A part that the caller gave could not have been sent, or not have been signed.
    #[error(transparent)]
    Part(#[from] SignError),
    /// A header is missing, doubled or malformed.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The header `X-Request-Nonce` of an answer names another request.
    #[error("the header x-request-nonce names another request")]
    OtherRequest,
    /// No key of the ring that is valid now has the API key of the header.
    #[error("no key that is valid now has the api key of the header x-api-key")]
    UnknownKey,
    /// No key of the ring is valid now.
    #[error("no key is valid now")]
    NoValidKey,
    /// No signature is this message's, under any of the keys.
    #[error("{}", .0.mismatch().text)]
    Mismatch(MessageKind),
    /// The signature is right, and the message too old.
    #[error("the message's time is {by_seconds} s further back than the tolerance allows")]
    Expired {
        /// Seconds past the tolerance, at least 1.
        by_seconds: u64,
    },
    /// The signature is right, and the message from the future.
    #[error("the message's time is {by_seconds} s further ahead than the tolerance allows")]
    Early {
        /// Seconds ahead of the tolerance, at least 1.
        by_seconds: u64,
    },
}

impl MessageError {
    /// The place to look first, supposing that the provider sent the message.
    ///
    /// ```
    /// # use checkout_auth::{Blame, MessageError};
    /// assert_eq!(MessageError::UnknownKey.blame(), Blame::SetUp);
    /// assert_eq!(MessageError::OtherRequest.blame(), Blame::Caller);
    /// ```
    #[must_use]
    pub const fn blame(&self) -> Blame {
        match self {
            Self::Part(error) => error.blame(),
            Self::Header(error) => error.blame(),
            Self::OtherRequest => Blame::Caller,
            Self::UnknownKey | Self::NoValidKey | Self::Mismatch(_) | Self::Early { .. } => Blame::SetUp,
            Self::Expired { .. } => Blame::Sender,
        }
    }

    /// The usual cause, in a sentence for the receiver's log.
    ///
    /// ```
    /// # use checkout_auth::{MessageError, MessageKind};
    /// assert!(MessageError::Mismatch(MessageKind::PeachWebhook).hint().contains("written again"));
    /// ```
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Part(error) => error.hint(),
            Self::Header(error) => error.hint(),
            Self::OtherRequest => {
                "the nonce given is not of the attempt that this answers: every attempt has its own, a \
                 retry too"
            }
            Self::UnknownKey => {
                "the webhook is of another store, the key was changed and the new one is not in the ring, \
                 or the ring's key is no longer valid"
            }
            Self::NoValidKey => "the validity of the ring's keys has ended, or has not begun",
            Self::Mismatch(kind) => kind.mismatch().hint,
            Self::Expired { by_seconds } if is_another_unit(*by_seconds) => NOW_IN_ANOTHER_UNIT,
            Self::Early { by_seconds } if is_another_unit(*by_seconds) => TIME_IN_ANOTHER_UNIT,
            Self::Expired { .. } => {
                "a genuine message that was held up or sent again on the way; when it is so with all of \
                 them, this machine's clock is ahead"
            }
            Self::Early { .. } => "this machine's clock is behind",
        }
    }
}

/// The kinds of messages that are signed in their headers.
///
/// ```
/// # checkout_doctest::facade!(auth);
/// use checkout_kit::auth::{MessageError, MessageKind};
///
/// let error = MessageError::Mismatch(MessageKind::AllScaleResponse);
/// assert_eq!(error.to_string(), "no signature is this answer's to this request under the keys");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MessageKind {
    /// A [webhook](crate::allscale::webhook) of AllScale's.
    AllScaleWebhook,
    /// An [answer](crate::allscale::response) of AllScale's.
    AllScaleResponse,
    /// A webhook of Peach's with a signed [header](crate::peach::header).
    PeachWebhook,
}

impl MessageKind {
    const fn mismatch(self) -> &'static Told {
        match self {
            Self::AllScaleWebhook => &Told {
                text: "no signature is this webhook's under the keys of its api key",
                hint: "the body was parsed and written again before it came here, the secret is another or has white \
           space in it, or a proxy changed the path or the query; a message of somebody else's looks the same",
            },
            Self::AllScaleResponse => &Told {
                text: "no signature is this answer's to this request under the keys",
                hint: "a body was parsed and written again, or decompressed by the HTTP client, before it came here, the \
           path or nonce is another attempt's, the key is not the one the request was signed with, or its \
           secret has white space in it; an answer of somebody else's looks the same",
            },
            Self::PeachWebhook => &Told {
                text: "the signature is not this webhook's under the keys",
                hint: "the body was parsed and written again before it came here, the secret token is another or has \
           white space in it, or the URL is not letter for letter the one that Peach was given, as when a proxy \
           changed the path or the host; a message of somebody else's looks the same",
            },
        }
    }
}

/// An error's text and the usual cause.
pub(crate) struct Told {
    pub(crate) text: &'static str,
    pub(crate) hint: &'static str,
}

/// A kind of message that is signed in its headers, as the message is signed.
pub(crate) trait Message {
    /// The key that signs the message.
    type Key;

    const KIND: MessageKind;
    /// The error when no valid key may be the sender's.
    const NO_KEY: MessageError;

    fn mac_key(key: &Self::Key) -> &MacKey;

    /// Seconds since 1970-01-01 UTC.
    fn timestamp(&self) -> i64;

    /// Checks that each part is one that a message can carry.
    fn check(&self) -> Result<(), SignError>;

    /// The signed text of the message.
    fn text(&self) -> Text<'_>;
}

/// The MAC of a message.
pub(crate) fn mac<M: Message>(message: &M, key: &M::Key) -> Result<[u8; 32], SignError> {
    message.check()?;
    let mut mac = M::mac_key(key).start();
    message.text().write_to(&mut mac);
    Ok(mac.finalize().into_bytes().into())
}

/// The signed text of a message, to look at: every part of the text must be ASCII.
pub(crate) fn canonical<M: Message>(message: &M) -> Result<String, SignError> {
    message.check()?;
    let mut text = String::new();
    message.text().write_to(&mut text);
    Ok(text)
}

/// The signed text: parts, with the same text between every two of them.
pub(crate) struct Text<'a> {
    between: &'static [u8],
    parts: Vec<Cow<'a, [u8]>>,
}

impl<'a> Text<'a> {
    pub(crate) fn new<const PARTS: usize>(between: &'static [u8], parts: [Cow<'a, [u8]>; PARTS]) -> Self {
        Self { between, parts: parts.into() }
    }

    fn write_to(&self, out: &mut impl Sink) {
        for (before, part) in self.parts.iter().enumerate() {
            if before > 0 {
                out.push(self.between);
            }
            out.push(part);
        }
    }
}

/// A part of the signed text, unchanged.
pub(crate) const fn part(text: &str) -> Cow<'_, [u8]> {
    Cow::Borrowed(text.as_bytes())
}

#[cfg(test)]
pub(crate) mod suite;
