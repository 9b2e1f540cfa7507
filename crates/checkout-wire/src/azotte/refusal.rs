//! Refusals by Azotte.

use crate::json::{begins_an_object, from_json};
use crate::{Head, JsonText, Printable, ProviderRefusal, Verbatim};
use alloc::borrow::Cow;
use checkout_tables::Open;
use checkout_tables::azotte::ErrorCode;
use checkout_validate::Redacted;
use core::fmt;
use core::marker::PhantomData;

/// A refusal by Azotte: an error status with a message code (404) or with problem details (409).
///
/// `Display` prints the HTTP status, the message code and the problem's title. The detail can quote the
/// request, even a card number, and is never printed.
///
/// Source: Azotte C2A, *Get Checkout Status*: 409 is a conflict of state, and another tenant's checkout is
/// its example. *Checkout* says 404 for another tenant's. Assumed: both mean "not readable by this tenant",
/// as [`is_not_readable`](Self::is_not_readable) says.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::azotte::ErrorCode;
/// use checkout_kit::tables::Open;
/// use checkout_kit::wire::{Head, Reply, azotte};
///
/// let body = br#"{"status":{"messageCode":"ORDERED_ITEM_NOT_FOUND"}}"#;
/// let Reply::Refused(refusal) = azotte::read(&Head::new(404), body)? else { panic!() };
/// assert_eq!(refusal.message_code, Some(Open::Known(ErrorCode::OrderedItemNotFound)));
/// assert!(refusal.is_not_readable());
/// assert_eq!(refusal.to_string(), "refused with HTTP status 404, ORDERED_ITEM_NOT_FOUND");
///
/// let body = br#"{"title":"Conflict","status":409,"detail":"it belongs to another tenant"}"#;
/// let Reply::Refused(refusal) = azotte::read(&Head::new(409), body)? else { panic!() };
/// assert_eq!(refusal.to_string(), "refused with HTTP status 409: Conflict");
/// # Ok::<(), checkout_wire::ReadError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal<'a> {
    /// The HTTP status.
    pub http_status: u16,
    /// `status.messageCode`, if there is one.
    pub message_code: Option<Open<ErrorCode, Cow<'a, str>>>,
    /// The members of problem details, each of which can be missing.
    pub problem: ProblemDetails<'a>,
    /// The whole body, as exact JSON text, so that no other member is lost.
    pub body: JsonText<'a>,
    /// `Retry-After`, unchanged.
    pub retry_after: Option<Cow<'a, str>>,
}

impl<'a> Refusal<'a> {
    /// True if this tenant cannot read the checkout: unknown, or another tenant's.
    #[must_use]
    pub fn is_not_readable(&self) -> bool {
        matches!(self.http_status, 404 | 409)
            || self.message_code == Some(Open::Known(ErrorCode::OrderedItemNotFound))
    }

    /// Returns the same refusal, with nothing borrowed.
    #[must_use]
    pub fn into_owned(self) -> Refusal<'static> {
        Refusal {
            http_status: self.http_status,
            message_code: self.message_code.map(|code| code.into_owned()),
            problem: self.problem.into_owned(),
            body: self.body.into_owned(),
            retry_after: self.retry_after.map(owned),
        }
    }

    /// The refusal in a JSON object, if the refusal comes from the API: the object has a message code, is
    /// declared as problem details, has a member of problem details, or comes with the documented 409.
    pub(super) fn of(head: &Head<'a>, json: &'a str) -> Option<Self> {
        let form: RefusalForm<'a> = from_json(json, PhantomData).ok()?;
        let object = form.status.as_ref().filter(|status| begins_an_object(status.as_str().as_bytes()));
        let message_code = object.and_then(JsonText::read).map(|CodeForm { message_code }| message_code);
        let text = |json: Option<JsonText<'a>>| json.as_ref().and_then(JsonText::read_text);
        let problem = ProblemDetails {
            type_: text(form.type_),
            title: text(form.title),
            status: form.status.filter(|_| message_code.is_none()).map(Verbatim::of),
            detail: text(form.detail).map(Redacted::from),
            instance: text(form.instance).map(Redacted::from),
        };
        let named = message_code.is_some() || problem.has_text();
        let said = head.content_type.is_some_and(|media_type| {
            let essence = media_type.split(';').next().unwrap_or_default().trim();
            essence.eq_ignore_ascii_case(PROBLEM_JSON)
        });
        (named || said || head.status == 409).then(|| Self {
            http_status: head.status,
            message_code,
            problem,
            body: JsonText::whole(json),
            retry_after: head.retry_after.map(Cow::Borrowed),
        })
    }

    /// The refusal that a code means under a success status.
    pub(super) fn by_code(head: &Head<'a>, code: Open<ErrorCode, Cow<'a, str>>, json: &'a str) -> Self {
        Self {
            http_status: head.status,
            message_code: Some(code),
            problem: ProblemDetails::default(),
            body: JsonText::whole(json),
            retry_after: head.retry_after.map(Cow::Borrowed),
        }
    }
}

impl fmt::Display for Refusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refused with HTTP status {}", self.http_status)?;
        if let Some(code) = &self.message_code {
            write!(f, ", {}", Printable(code.text()))?;
        }
        match &self.problem.title {
            Some(title) => write!(f, ": {}", Printable(title)),
            None => Ok(()),
        }
    }
}

impl ProviderRefusal for Refusal<'_> {
    type Owned = Refusal<'static>;

    /// Returns `None`: Azotte documents no id of a request.
    fn request_id(&self) -> Option<&str> {
        None
    }

    fn into_owned(self) -> Refusal<'static> {
        self.into_owned()
    }
}

/// The members of problem details (RFC 9457). Each can be missing; other members stand in [`Refusal::body`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProblemDetails<'a> {
    /// `type`: a URI of the kind of problem.
    pub type_: Option<Cow<'a, str>>,
    /// A short text that is the same for every problem of the kind.
    pub title: Option<Cow<'a, str>>,
    /// The HTTP status, once more.
    pub status: Option<Verbatim<'a, u16>>,
    /// The fault of this occurrence. The text can quote the request.
    pub detail: Option<Redacted<'a>>,
    /// A URI of this occurrence.
    pub instance: Option<Redacted<'a>>,
}

impl ProblemDetails<'_> {
    const fn has_text(&self) -> bool {
        self.type_.is_some() || self.title.is_some() || self.detail.is_some() || self.instance.is_some()
    }

    fn into_owned(self) -> ProblemDetails<'static> {
        ProblemDetails {
            type_: self.type_.map(owned),
            title: self.title.map(owned),
            status: self.status.map(Verbatim::into_owned),
            detail: self.detail.map(Redacted::into_owned),
            instance: self.instance.map(Redacted::into_owned),
        }
    }
}

/// The members as raw JSON: a member of another type than documented is ignored, as the RFC asks.
#[derive(serde::Deserialize)]
struct RefusalForm<'a> {
    #[serde(borrow, default)]
    status: Option<JsonText<'a>>,
    #[serde(borrow, default, rename = "type")]
    type_: Option<JsonText<'a>>,
    #[serde(borrow, default)]
    title: Option<JsonText<'a>>,
    #[serde(borrow, default)]
    detail: Option<JsonText<'a>>,
    #[serde(borrow, default)]
    instance: Option<JsonText<'a>>,
}

#[derive(serde::Deserialize)]
struct CodeForm<'a> {
    #[serde(borrow, rename = "messageCode")]
    message_code: Open<ErrorCode, Cow<'a, str>>,
}

fn owned(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}

const PROBLEM_JSON: &str = "application/problem+json";
