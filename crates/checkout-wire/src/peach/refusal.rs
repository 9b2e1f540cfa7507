//! Refusals by Peach.

use super::Fields;
use crate::json::from_json;
use crate::{Head, JsonText, Printable, ProviderRefusal};
use alloc::borrow::Cow;
use alloc::vec::Vec;
use checkout_tables::peach::ResultCode;
use checkout_validate::Redacted;
use core::fmt;
use core::marker::PhantomData;

/// A refusal by Peach: a result code, a message, or the fault of each field.
///
/// `Display` prints the HTTP status, the code with its description or the message, and the names of the
/// fields. A code that came without either is printed with its [meaning](ResultCode::meaning), if the code is
/// published. The text of a field's fault can quote the field, and is not printed.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::wire::peach::read_initiated;
/// use checkout_kit::wire::{Head, Reply};
///
/// let body = br#"{"validation_errors":{"amount":"Invalid amount.","currency":"Unknown currency."}}"#;
/// let Reply::Refused(refusal) = read_initiated(&Head::new(400), body)? else { panic!() };
/// assert_eq!(refusal.validation_errors[0].field, "amount");
/// assert_eq!(refusal.validation_errors[0].text.as_str(), "Invalid amount.");
/// assert_eq!(refusal.to_string(), "refused with HTTP status 400: amount, currency");
///
/// let body = br#"{"message":"Duplicate signature."}"#;
/// let Reply::Refused(refusal) = read_initiated(&Head::new(400), body)? else { panic!() };
/// assert_eq!(refusal.to_string(), "refused with HTTP status 400: Duplicate signature.");
///
/// let body = br#"{"result.code":"100.150.200"}"#;
/// let Reply::Refused(refusal) = read_initiated(&Head::new(400), body)? else { panic!() };
/// let said = "refused with HTTP status 400, result code 100.150.200 (there is no such registration)";
/// assert_eq!(refusal.to_string(), said);
/// # Ok::<(), checkout_wire::ReadError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal<'a> {
    /// The HTTP status.
    pub http_status: u16,
    /// `result.code`, unchanged.
    pub code: Option<Cow<'a, str>>,
    /// `result.description`.
    pub description: Option<Cow<'a, str>>,
    /// `message`.
    pub message: Option<Cow<'a, str>>,
    /// `validation_errors`: the fields and their faults, in the order of the fields.
    pub validation_errors: Vec<ValidationError<'a>>,
    /// The whole body, as exact JSON text, so that no other member is lost.
    pub body: JsonText<'a>,
    /// `Retry-After`, unchanged.
    pub retry_after: Option<Cow<'a, str>>,
}

impl<'a> Refusal<'a> {
    /// `result.code`, if the code is three times three digits.
    #[must_use]
    pub fn result_code(&self) -> Option<ResultCode> {
        self.code.as_deref().and_then(ResultCode::parse)
    }

    /// True if the code is 200.300.404: the asking client has no such checkout, or parameters are wrong.
    /// After a create whose answer was lost, this code is a hint that there is no checkout, and not a proof.
    ///
    /// ```
    /// # use checkout_tables::peach::Environment;
    /// # use checkout_wire::{Head, Reply, peach::read_payment};
    /// let body = br#"{"result.code":"200.300.404"}"#;
    /// let Reply::Refused(refusal) = read_payment(&Head::new(404), body, Environment::Live)? else { panic!() };
    /// assert!(refusal.is_not_found());
    /// # Ok::<(), checkout_wire::ReadError>(())
    /// ```
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.result_code() == Some(ResultCode::NOT_FOUND)
    }

    /// Returns the same refusal, with nothing borrowed.
    #[must_use]
    pub fn into_owned(self) -> Refusal<'static> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        Refusal {
            http_status: self.http_status,
            code: self.code.map(owned),
            description: self.description.map(owned),
            message: self.message.map(owned),
            validation_errors: self.validation_errors.into_iter().map(ValidationError::into_owned).collect(),
            body: self.body.into_owned(),
            retry_after: self.retry_after.map(owned),
        }
    }

    /// The refusal in a JSON object, if the object has any part of a refusal.
    pub(super) fn of(head: &Head<'a>, json: &'a str) -> Option<Self> {
        let form: RefusalForm<'a> = from_json(json, PhantomData).ok()?;
        let text = |json: &Option<JsonText<'a>>| json.as_ref().and_then(JsonText::read_text);
        let errors =
            form.validation_errors.as_ref().and_then(JsonText::read::<Fields<'a>>).unwrap_or_default();
        let refusal = Self {
            http_status: head.status,
            code: text(&form.code),
            description: text(&form.description),
            message: text(&form.message),
            validation_errors: errors
                .into_pairs()
                .map(|(field, text)| ValidationError { field, text: text.into() })
                .collect(),
            body: JsonText::whole(json),
            retry_after: head.retry_after.map(Cow::Borrowed),
        };
        let says = refusal.code.is_some() || refusal.message.is_some() || form.validation_errors.is_some();
        says.then_some(refusal)
    }
}

impl fmt::Display for Refusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refused with HTTP status {}", self.http_status)?;
        if let Some(code) = &self.code {
            write!(f, ", result code {}", Printable(code))?;
        }
        if let Some(said) = self.description.as_ref().or(self.message.as_ref()) {
            write!(f, ": {}", Printable(said))?;
        } else if let Some(meaning) = self.result_code().and_then(ResultCode::meaning) {
            write!(f, " ({meaning})")?;
        }
        for (place, error) in self.validation_errors.iter().enumerate() {
            write!(f, "{} {}", if place == 0 { ":" } else { "," }, Printable(&error.field))?;
        }
        Ok(())
    }
}

impl ProviderRefusal for Refusal<'_> {
    type Owned = Refusal<'static>;

    /// Returns `None`: Peach documents no id of a request.
    fn request_id(&self) -> Option<&str> {
        None
    }

    fn into_owned(self) -> Refusal<'static> {
        self.into_owned()
    }
}

/// The fault of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidationError<'a> {
    /// The field.
    pub field: Cow<'a, str>,
    /// The fault. The text can quote the request.
    pub text: Redacted<'a>,
}

impl ValidationError<'_> {
    fn into_owned(self) -> ValidationError<'static> {
        ValidationError { field: Cow::Owned(self.field.into_owned()), text: self.text.into_owned() }
    }
}

/// Each member as raw JSON: a member of another type than documented says nothing.
#[derive(serde::Deserialize)]
struct RefusalForm<'a> {
    #[serde(borrow, default, rename = "result.code")]
    code: Option<JsonText<'a>>,
    #[serde(borrow, default, rename = "result.description")]
    description: Option<JsonText<'a>>,
    #[serde(borrow, default)]
    message: Option<JsonText<'a>>,
    #[serde(borrow, default)]
    validation_errors: Option<JsonText<'a>>,
}
