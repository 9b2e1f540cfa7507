//! Answers from bytes, and back.

use super::{CheckoutResult, Refusal, Reply};
use crate::json::{BODY_CAP, from_json_or_why, object_text};
use crate::{Answer, Head, ReadError, UnexpectedResponse};
use alloc::borrow::Cow;
use alloc::vec::Vec;
use checkout_tables::Open;
use checkout_tables::azotte::ErrorCode;

/// Reads an answer to a submit or to a read of the status. For any bytes, the result is a reply or an error
/// with a position. The `Content-Type` decides nothing: answers come as `application/clientOutput+Json`.
///
/// - Under a success status a [`CheckoutResult`] is [`Reply::Done`], unless the message code is an error
///   code.
/// - Under an error status an object with a message code or with members of problem details is
///   [`Reply::Refused`].
/// - Everything else is [`Reply::UnexpectedResponse`]: a 401 has no body, a proxy's page is not JSON, a
///   redirect is not followed.
///
/// A body may have at most [`BODY_CAP`](crate::BODY_CAP) bytes; [`read_capped`] takes another cap.
///
/// # Errors
/// [`ReadError`], if the answer is longer than the cap, or says success and is not as documented. The request
/// may have been done all the same.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::wire::{Head, Reply, azotte};
///
/// let unauthorised = azotte::read(&Head::new(401), b"")?;
/// assert!(matches!(unauthorised, Reply::UnexpectedResponse(_)));
///
/// let error = azotte::read(&Head::new(200), br#"{"status":{"messageCode":7}}"#).unwrap_err();
/// assert_eq!(error.path(), "status.messageCode");
/// # Ok::<(), checkout_wire::ReadError>(())
/// ```
pub fn read<'a>(head: &Head<'a>, body: &'a [u8]) -> Result<Reply<'a>, ReadError> {
    read_capped(head, body, BODY_CAP)
}

/// Reads an answer of at most `cap` bytes; see [`read`].
///
/// # Errors
/// [`ReadError`], as from [`read`].
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::wire::{Head, ReadErrorKind, azotte};
///
/// let body = br#"{"status":{"messageCode":"CHECK_OUT_DONE"}}"#;
/// let error = azotte::read_capped(&Head::new(200), body, 16).unwrap_err();
/// assert_eq!(error.kind(), &ReadErrorKind::TooLarge { cap: 16 });
/// ```
pub fn read_capped<'a>(head: &Head<'a>, body: &'a [u8], cap: usize) -> Result<Reply<'a>, ReadError> {
    let Some(json) = object_text(head, body, cap)? else {
        return Ok(Reply::UnexpectedResponse(UnexpectedResponse::new(head, body)));
    };
    if !head.is_success() {
        let refusal = Refusal::of(head, json).map(Reply::Refused);
        return Ok(refusal.unwrap_or_else(|| Reply::UnexpectedResponse(UnexpectedResponse::new(head, body))));
    }
    let result: CheckoutResult<'a> = from_json_or_why(json)?;
    // "Not found" is an error and not a status, whatever the HTTP status.
    if let Open::Unknown(code) = &result.status.message_code {
        let code: Open<ErrorCode, Cow<'a, str>> = Open::from(code.raw().clone());
        if matches!(code, Open::Known(_)) {
            return Ok(Reply::Refused(Refusal::by_code(head, code, json)));
        }
    }
    Ok(Reply::Done(Answer { payload: result, request_id: None }))
}

/// Writes a reply's body as the provider would. An unexpected response has no body to write. For test
/// doubles, and for the law that a reply, written and read again, is the same reply.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::wire::{Head, azotte};
///
/// let body = br#"{"trackingNumber":"trk_1","status":{"messageCode":"CHECK_OUT_DONE"}}"#;
/// let reply = azotte::read(&Head::new(200), body)?;
/// assert_eq!(azotte::write(&reply).as_deref(), Some(&body[..]));
/// # Ok::<(), checkout_wire::ReadError>(())
/// ```
#[must_use]
pub fn write(reply: &Reply<'_>) -> Option<Vec<u8>> {
    match reply {
        Reply::Done(answer) => serde_json::to_vec(&answer.payload).ok(),
        Reply::Refused(refusal) => Some(refusal.body.as_str().as_bytes().to_vec()),
        Reply::UnexpectedResponse(_) => None,
    }
}
