//! Answers from bytes, and back.

use super::{CreatedIntent, Echo, Intent, Pong};
use crate::json::{DEPTH, explain, text, too_deep};
use crate::{Answer, Head, JsonText, NotTheApi, ReadError, ReadErrorKind, Refusal, Reply};
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use checkout_tables::Open;
use checkout_tables::allscale::{ErrorCode, IntentStatus, SUCCESS};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Reads an answer. Whatever the bytes are, the outcome is a reply or an error that says where.
///
/// - An envelope is told by its `code`: 0 is [`Reply::Done`], anything else [`Reply::Refused`], whatever the HTTP
///   status is, which no page documents.
/// - A redirect, a body that is no JSON object, and an error status without an envelope are [`Reply::NotTheApi`].
///
/// A body may have at most [`BODY_CAP`] bytes; [`read_capped`] takes another cap.
///
/// # Errors
/// [`ReadError`], if the answer is the API's and is not as documented. What was asked may have been done all the same.
///
/// ```
/// use checkout_wire::{Head, Reply, allscale};
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
/// [`ReadError`], as [`read`] gives it.
///
/// ```
/// use checkout_wire::{Head, ReadErrorKind, allscale};
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
    let not_the_api = || Ok(Reply::NotTheApi(NotTheApi::new(head, body)));
    if head.is_redirect() || !begins_an_object(body) {
        return not_the_api();
    }
    let whole = |at, kind| Err(ReadError::new(String::new(), at, kind));
    if body.len() > cap {
        return whole(cap, ReadErrorKind::TooLarge { cap });
    }
    let json = match core::str::from_utf8(body) {
        Ok(json) => json,
        Err(_) if !head.is_success() => return not_the_api(),
        Err(error) => return whole(error.valid_up_to(), ReadErrorKind::NotUtf8),
    };
    if let Some(at) = too_deep(json) {
        if !head.is_success() {
            return not_the_api();
        }
        return whole(at, ReadErrorKind::TooDeep { limit: DEPTH });
    }
    match serde_json::from_str::<Envelope<'a, T>>(json) {
        Ok(Envelope { code: SUCCESS, payload: Some(payload), request_id, .. }) => {
            Ok(Reply::Done(Answer { payload, request_id }))
        }
        Ok(Envelope { code: SUCCESS, payload: None, .. }) => {
            Err(ReadError::new("payload".into(), body.len(), ReadErrorKind::Missing))
        }
        Ok(Envelope { code, error, request_id, .. }) => Ok(Reply::Refused(refusal(code, error, request_id))),
        // A refusal's payload may be anything, so the code decides before the payload's type does.
        Err(_) => match serde_json::from_str::<Envelope<'a, &RawValue>>(json) {
            Ok(envelope) if envelope.code != SUCCESS => {
                Ok(Reply::Refused(refusal(envelope.code, envelope.error, envelope.request_id)))
            }
            Err(_) if !head.is_success() => not_the_api(),
            Ok(_) | Err(_) => Err(explain::<Envelope<'a, T>>(json)),
        },
    }
}

/// Writes a reply as the provider would: the envelope of an answer or a refusal. There is none for what is not the
/// API's. For test doubles, and for the law that what was read, written back, reads the same.
///
/// ```
/// use checkout_tables::{Open, allscale::IntentStatus};
/// use checkout_wire::{Answer, Reply, allscale};
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
        Reply::NotTheApi(_) => return None,
    };
    serde_json::to_vec(&envelope).ok()
}

/// A payload that can be read: a bare status, [`CreatedIntent`], [`Intent`], [`Pong`], [`Echo`], or any
/// [`JsonText`].
///
/// ```
/// use checkout_tables::{Open, allscale::IntentStatus};
/// use checkout_wire::allscale::Payload;
///
/// fn is_payload<'a, T: Payload<'a>>() {}
/// is_payload::<Open<IntentStatus>>();
/// ```
pub trait Payload<'a>: Deserialize<'a> + Serialize + sealed::Sealed {
    /// The same with nothing borrowed.
    type Owned: 'static;

    /// Makes it own what it borrows.
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

#[derive(Deserialize)]
struct Envelope<'a, T> {
    code: i64,
    #[serde(default = "none")]
    payload: Option<T>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "text")]
    request_id: Option<Cow<'a, str>>,
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

const fn none<T>() -> Option<T> {
    None
}

/// An error object that is not as expected still belongs to a refusal: what can be told apart is, the rest is kept.
fn refusal<'a>(code: i64, error: Option<&'a RawValue>, request_id: Option<Cow<'a, str>>) -> Refusal<'a> {
    let form = error.and_then(|error| serde_json::from_str::<ErrorForm<'_>>(error.get()).ok());
    let (message, details) = form.map_or((None, None), |form| (form.message, form.details));
    let bare = || error.and_then(|error| serde_json::from_str::<String>(error.get()).ok()).map(Cow::Owned);
    Refusal {
        code: Open::<ErrorCode>::from(code),
        message: message.or_else(bare),
        details: details.map(JsonText::raw),
        error: error.map(JsonText::raw),
        request_id,
    }
}

fn begins_an_object(body: &[u8]) -> bool {
    let first = body.iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
    first == Some(&b'{')
}

/// The most bytes that an answer may have: 1 MiB. The longest documented one has less than two thousand.
pub const BODY_CAP: usize = 1 << 20;
