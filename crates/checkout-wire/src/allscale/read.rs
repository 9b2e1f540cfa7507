//! Answers from bytes, and back.

use super::{CreatedIntent, Echo, Intent, Pong, Refusal, Reply};
use crate::json::{BODY_CAP, DEPTH, begins_an_object, explain, from_json, text, too_deep};
use crate::{Answer, Head, JsonText, ReadError, ReadErrorKind, UnexpectedResponse};
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use checkout_tables::Open;
use checkout_tables::allscale::{ErrorCode, IntentStatus, SUCCESS};
use core::fmt;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Reads an answer. For any bytes, the result is a reply or an error with a position.
///
/// - The `code` decides about an envelope: 0 is [`Reply::Done`], any other integer is [`Reply::Refused`]. The
///   HTTP status does not matter, because no page documents the status.
/// - A redirect, a body that is not a JSON object, and under an error status a JSON object without an integer
///   `code` are [`Reply::UnexpectedResponse`].
/// - Code 0 with an `error` is neither done nor refused: every page prints null there.
///
/// A body may have at most [`BODY_CAP`](crate::BODY_CAP) bytes; [`read_capped`] takes another cap.
///
/// # Errors
/// [`ReadError`], if the answer comes from the API and is not as documented. The request may have been done
/// all the same.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::wire::{Head, Reply, allscale};
///
/// let body = br#"{"code":0,"payload":{"pong":"ok"},"error":null,"request_id":"req_1"}"#;
/// assert!(matches!(allscale::read::<allscale::Pong>(&Head::new(200), body)?, Reply::Done(_)));
/// # Ok::<(), checkout_wire::ReadError>(())
/// ```
pub fn read<'a, T: Payload<'a>>(head: &Head<'a>, body: &'a [u8]) -> Result<Reply<'a, T>, ReadError> {
    read_capped(head, body, BODY_CAP)
}

/// Reads an answer of at most `cap` bytes; see [`read`].
///
/// # Errors
/// [`ReadError`], as from [`read`].
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::wire::{Head, ReadErrorKind, allscale};
///
/// let body = br#"{"code":0,"payload":{"pong":"ok"}}"#;
/// let error = allscale::read_capped::<allscale::Pong>(&Head::new(200), body, 16).unwrap_err();
/// assert_eq!(error.kind(), &ReadErrorKind::TooLarge { cap: 16 });
/// ```
pub fn read_capped<'a, T: Payload<'a>>(
    head: &Head<'a>,
    body: &'a [u8],
    cap: usize,
) -> Result<Reply<'a, T>, ReadError> {
    if head.is_redirect() || !begins_an_object(body) {
        return Ok(Reply::UnexpectedResponse(UnexpectedResponse::new(head, body)));
    }
    let whole = |at, kind| ReadError::new(String::new(), at, kind);
    if body.len() > cap {
        return Err(whole(cap, ReadErrorKind::TooLarge { cap }));
    }
    let json = match core::str::from_utf8(body) {
        Ok(json) => json,
        Err(error) => {
            return unreadable(head, body, |_| whole(error.valid_up_to(), ReadErrorKind::NotUtf8));
        }
    };
    if let Some(at) = too_deep(json) {
        return unreadable(head, body, |_| whole(at, ReadErrorKind::TooDeep { limit: DEPTH }));
    }
    let mut payload = None;
    let envelope = match from_json(json, EnvelopeAround(&mut payload)) {
        Ok(envelope) => envelope,
        // A refusal's payload may be anything, so the code decides before the type of the payload does.
        Err(_) => match from_json(json, EnvelopeAround(&mut None::<&RawValue>)) {
            Ok(envelope) => envelope,
            Err(_) => {
                return unreadable(head, body, |glimpse| {
                    let refused = glimpse.code.is_some_and(|code| code != SUCCESS);
                    let why = match refused {
                        true => explain(json, EnvelopeAround(&mut None::<&RawValue>)),
                        false => explain(json, EnvelopeAround(&mut None::<T>)),
                    };
                    why.unwrap_or_else(|| whole(0, ReadErrorKind::Syntax))
                });
            }
        },
    };
    if envelope.code != SUCCESS {
        return Ok(Reply::Refused(refusal(head, envelope)));
    }
    if let Some(error) = envelope.error {
        let at = error.get().as_ptr().addr().saturating_sub(json.as_ptr().addr());
        let kind = ReadErrorKind::Value(Cow::Borrowed("an error beside code 0"));
        return unreadable(head, body, |_| ReadError::new("error".into(), at, kind));
    }
    match payload {
        Some(payload) => Ok(Reply::Done(Answer { payload, request_id: envelope.request_id })),
        None => unreadable(head, body, |_| {
            let missing = || ReadError::new("payload".into(), body.len(), ReadErrorKind::Missing);
            explain(json, EnvelopeAround(&mut None::<T>)).unwrap_or_else(missing)
        }),
    }
}

/// Writes a reply as the provider would: the envelope of an answer or a refusal. An unexpected response has
/// no envelope. For test doubles, and for the law that a reply, written and read again, is the same reply.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::allscale::IntentStatus;
/// use checkout_kit::tables::Open;
/// use checkout_kit::wire::{Answer, Reply, allscale};
///
/// let payload = Open::from(IntentStatus::Viewed);
/// let reply = Reply::Done(Answer { payload, request_id: Some("req_xxxxx".into()) });
/// let body = allscale::write(&reply).unwrap();
/// assert_eq!(body, br#"{"code":0,"payload":2,"error":null,"request_id":"req_xxxxx"}"#);
/// ```
#[must_use]
pub fn write<'a, T: Payload<'a>>(reply: &Reply<'a, T>) -> Option<Vec<u8>> {
    let envelope = match reply {
        Reply::Done(answer) => Written {
            code: SUCCESS,
            payload: Some(&answer.payload),
            error: None,
            request_id: answer.request_id.as_deref(),
        },
        Reply::Refused(refusal) => Written {
            code: refusal.code.value(),
            payload: None,
            error: refusal.error.as_ref(),
            request_id: refusal.request_id.as_deref(),
        },
        Reply::UnexpectedResponse(_) => return None,
    };
    serde_json::to_vec(&envelope).ok()
}

/// A payload that can be read: a bare status, [`CreatedIntent`], [`Intent`], [`Pong`], [`Echo`], or any
/// [`JsonText`].
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::allscale::IntentStatus;
/// use checkout_kit::tables::Open;
/// use checkout_kit::wire::allscale::Payload;
///
/// fn is_payload<'a, T: Payload<'a>>() {}
/// is_payload::<Open<IntentStatus>>();
/// ```
pub trait Payload<'a>: Deserialize<'a> + Serialize + sealed::Sealed {
    /// The same payload with nothing borrowed.
    type Owned: 'static;

    /// Makes the payload own its borrowed parts.
    fn into_owned(self) -> Self::Owned;
}

macro_rules! payloads {
    ($($payload:ident),+) => {
        $(
            impl<'a> Payload<'a> for $payload<'a> {
                type Owned = $payload<'static>;

                fn into_owned(self) -> Self::Owned {
                    self.into_owned()
                }
            }

            impl sealed::Sealed for $payload<'_> {}
        )+
    };
}

payloads!(CreatedIntent, Intent, Pong, Echo, JsonText);

impl Payload<'_> for Open<IntentStatus> {
    type Owned = Self;

    fn into_owned(self) -> Self {
        self
    }
}

impl sealed::Sealed for Open<IntentStatus> {}

mod sealed {
    pub trait Sealed {}
}

/// The result of an unreadable object: `why`, unless the HTTP status is an error and the object is not an
/// envelope.
#[cold]
fn unreadable<'a, T>(
    head: &Head<'a>,
    body: &'a [u8],
    why: impl FnOnce(&Glimpse) -> ReadError,
) -> Result<Reply<'a, T>, ReadError> {
    let glimpse = Glimpse::of(body);
    if !head.is_success() && !glimpse.is_envelope() {
        return Ok(Reply::UnexpectedResponse(UnexpectedResponse::new(head, body)));
    }
    Err(why(&glimpse).with_request_id(glimpse.request_id))
}

/// The facts that can be read from an unreadable object.
#[derive(Default)]
struct Glimpse {
    /// The first integer that stands as `code`.
    code: Option<i64>,
    /// The first text that stands as `request_id`.
    request_id: Option<String>,
    /// True if the object is JSON from the first byte to the last.
    whole: bool,
}

impl Glimpse {
    /// Skips every value: this takes no recursion for any depth, and no UTF-8 in the texts.
    fn of(body: &[u8]) -> Self {
        let mut glimpse = Self::default();
        let mut reader = serde_json::Deserializer::from_slice(body);
        let read = reader.deserialize_map(GlimpseInto(&mut glimpse));
        glimpse.whole = read.and_then(|()| reader.end()).is_ok();
        glimpse
    }

    const fn is_envelope(&self) -> bool {
        self.whole && self.code.is_some()
    }
}

/// A field that was found stays found when the rest cannot be read.
struct GlimpseInto<'g>(&'g mut Glimpse);

impl<'de> Visitor<'de> for GlimpseInto<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        while let Some(key) = fields.next_key()? {
            match key {
                Key::Code => {
                    let code = fields.next_value::<&RawValue>()?;
                    self.0.code = self.0.code.or_else(|| serde_json::from_str(code.get()).ok());
                }
                Key::RequestId => {
                    let id = fields.next_value::<&RawValue>()?;
                    if self.0.request_id.is_none() {
                        self.0.request_id = request_id_of(JsonText::raw(id)).map(Cow::into_owned);
                    }
                }
                Key::Payload | Key::Error | Key::Unknown => drop(fields.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// An envelope without its payload.
struct Envelope<'a> {
    code: i64,
    error: Option<&'a RawValue>,
    request_id: Option<Cow<'a, str>>,
}

/// Reads an envelope, and the payload directly into place: a whole intent is long to hand from reader to
/// reader.
struct EnvelopeAround<'p, T>(&'p mut Option<T>);

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for EnvelopeAround<'_, T> {
    type Value = Envelope<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for EnvelopeAround<'_, T> {
    type Value = Envelope<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        let (mut code, mut payload, mut error, mut request_id) = (None, None, None, None);
        while let Some(key) = fields.next_key()? {
            match key {
                Key::Code => code = once(&code, "code", || fields.next_value())?,
                Key::Payload => {
                    payload = once(&payload, "payload", || fields.next_value().map(|p| *self.0 = p))?
                }
                Key::Error => error = once(&error, "error", || fields.next_value())?,
                Key::RequestId => {
                    request_id = once(&request_id, "request_id", || fields.next_value().map(request_id_of))?;
                }
                Key::Unknown => drop(fields.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Envelope {
            code: code.ok_or_else(|| A::Error::missing_field("code"))?,
            error: error.flatten(),
            request_id: request_id.flatten(),
        })
    }
}

/// The loggable id of the request. No decision depends on the id, so a number is taken as written, and a
/// value that cannot be an id, such as an object, is none.
fn request_id_of(json: JsonText<'_>) -> Option<Cow<'_, str>> {
    json.read_text().or_else(|| json.read_digits().map(Cow::Borrowed))
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Key {
    Code,
    Payload,
    Error,
    RequestId,
    #[serde(other)]
    Unknown,
}

/// Reads a field that must not stand twice.
fn once<V, E: Error>(
    before: &Option<V>,
    name: &'static str,
    read: impl FnOnce() -> Result<V, E>,
) -> Result<Option<V>, E> {
    if before.is_some() {
        return Err(E::duplicate_field(name));
    }
    read().map(Some)
}

#[derive(Serialize)]
struct Written<'a, T> {
    code: i64,
    payload: Option<&'a T>,
    error: Option<&'a JsonText<'a>>,
    request_id: Option<&'a str>,
}

#[derive(Deserialize)]
struct ErrorForm<'a> {
    #[serde(borrow, default, deserialize_with = "text")]
    message: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    details: Option<&'a RawValue>,
}

/// Builds a refusal. An unexpected error object still belongs to a refusal: the known parts are read, the
/// rest is kept.
fn refusal<'a>(head: &Head<'a>, envelope: Envelope<'a>) -> Refusal<'a> {
    let Envelope { code, error, request_id } = envelope;
    // A list is not an error object, though a derived reader would take a list for an error object.
    let object = error.filter(|error| begins_an_object(error.get().as_bytes()));
    let form = object.and_then(|error| serde_json::from_str::<ErrorForm<'_>>(error.get()).ok());
    let (message, details) = form.map_or((None, None), |form| (form.message, form.details));
    let bare = || error.and_then(|error| serde_json::from_str::<String>(error.get()).ok()).map(Cow::Owned);
    Refusal {
        code: Open::<ErrorCode>::from(code),
        message: message.or_else(bare),
        details: details.map(JsonText::raw),
        error: error.map(JsonText::raw),
        request_id,
        retry_after: head.retry_after.map(Cow::Borrowed),
    }
}
