//! Answers from bytes.

use super::{Fields, Payment, Refusal, Reply, Wrapper};
use crate::json::{BODY_CAP, carried_personal, from_json, from_json_or_why, object_text, text};
use crate::{Answer, Head, JsonText, Printable, ReadError, ReadErrorKind, UnexpectedResponse, Verbatim};
use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use checkout_tables::Open;
use checkout_tables::peach::{Environment, ResultCode, ResultGroup};
use checkout_validate::peach::{CheckoutId, InitiateCheckout, Lookup};
use checkout_validate::{Redacted, SecretString};
use core::fmt;
use core::marker::PhantomData;
use serde::de::{Deserialize, Deserializer, Error};

/// Reads the answer to a read of the status, V1's or V2's, in the environment of the read. Both published
/// shapes are read: flat fields, and the wrapped shape.
///
/// An answer is done if the answer has a result code or is wrapped, under a success status or with code
/// 700.400.580 under any status. Otherwise an answer is refused if the answer has a code, a message or
/// validation errors. An answer is also refused if the answer names no checkout and the code is about the
/// request (of the groups "format", "amount" and "mac"). This function does not verify the signature.
///
/// # Errors
/// [`ReadError`], if the answer says success and is not as documented.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::peach::{Environment, PaymentStatus};
/// use checkout_kit::wire::peach::read_payment;
/// use checkout_kit::wire::{Head, Reply};
///
/// let body = br#"{"amount":"2.00","checkoutId":"c01b","result.code":"000.200.100","signature":"5246"}"#;
/// let Reply::Done(answer) = read_payment(&Head::new(200), body, Environment::Sandbox)? else { panic!() };
/// assert_eq!(answer.payload.status().and_then(|status| status.known()), Some(PaymentStatus::Created));
/// assert_eq!(answer.payload.checkout_id(), Some("c01b"));
///
/// // The same inside of `redirect_post_data`.
/// let body = br#"{"status":"successful","timestamp":0,"redirect_url":"https://shop.example/",
///     "redirect_post_data":{"paymentType":"DB","result.code":"000.100.110","signature":"5246"}}"#;
/// let Reply::Done(answer) = read_payment(&Head::new(200), body, Environment::Sandbox)? else { panic!() };
/// assert_eq!(answer.payload.status().and_then(|status| status.known()), Some(PaymentStatus::Successful));
/// # Ok::<(), checkout_wire::ReadError>(())
/// ```
pub fn read_payment<'a>(
    head: &Head<'a>,
    body: &'a [u8],
    environment: Environment,
) -> Result<Reply<'a, Payment<'a>>, ReadError> {
    read(head, body, |json| {
        let fields: Fields<'a> = from_json_or_why(json)?;
        if fields.get(CODE).is_none() {
            let wrapped =
                fields.get("status").and(fields.get("redirect_url").or(fields.get("redirect_post_data")));
            return match (head.is_success(), wrapped) {
                (false, _) => Ok(None),
                (true, Some(_)) => {
                    from_json_or_why::<WrappedForm<'a>>(json).map(|form| Some(form.payment(environment)))
                }
                (true, None) if Refusal::of(head, json).is_some() => Ok(None),
                (true, None) => Err(ReadError::new(CODE.into(), json.len(), ReadErrorKind::Missing)),
            };
        }
        let payment = Payment::flat(fields, environment, true);
        let of_the_request =
            |group| matches!(group, ResultGroup::Format | ResultGroup::Amount | ResultGroup::Mac);
        let group = payment.result_code().and_then(ResultCode::group);
        let refused = group.is_some_and(of_the_request) && !payment.names_a_checkout();
        let done = payment.is_not_opened_yet() || (head.is_success() && !refused);
        Ok(done.then_some(payment))
    })
}

/// Reads the answer to V1's initiate: a page, and the checkout's id if the answer has an id, as `checkoutId`
/// or as `id`. An id of another type than a text or a number is none, and never hides the page.
///
/// # Errors
/// [`ReadError`], if the answer says success and is not as documented. There may be a checkout all the same.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::wire::peach::read_initiated;
/// use checkout_kit::wire::{Head, Reply};
///
/// let body = br#"{"redirectUrl":"https://secure.peachpayments.com/checkout/c01b"}"#;
/// let Reply::Done(answer) = read_initiated(&Head::new(201), body)? else { panic!() };
/// assert_eq!(answer.payload.redirect_url.as_str(), "https://secure.peachpayments.com/checkout/c01b");
/// assert_eq!(answer.payload.checkout_id, None);
///
/// let body = br#"{"redirectUrl":"https://secure.peachpayments.com/checkout/c01b","id":"c01b"}"#;
/// let Reply::Done(answer) = read_initiated(&Head::new(201), body)? else { panic!() };
/// assert_eq!(answer.payload.checkout_id.as_deref(), Some("c01b"));
/// # Ok::<(), checkout_wire::ReadError>(())
/// ```
pub fn read_initiated<'a>(head: &Head<'a>, body: &'a [u8]) -> Result<Reply<'a, Initiated<'a>>, ReadError> {
    read_form(head, body, |PageForm { redirect_url }, json| Initiated {
        redirect_url: redirect_url.into(),
        checkout_id: id_in(json),
    })
}

/// Reads the answer to V1's validate. A success status without validation errors means that there are none,
/// with a body or without (Assumed: the page shows the errors alone). A message, and a result code that is
/// not of the group "success", still mean that something is wrong; an empty message or code means nothing.
///
/// # Errors
/// [`ReadError`], for a body that is not JSON throughout, beyond the cap or not UTF-8.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::wire::peach::read_validated;
/// use checkout_kit::wire::{Head, Reply};
///
/// assert!(matches!(read_validated(&Head::new(200), b"{}")?, Reply::Done(_)));
/// let body = br#"{"validation_errors":{"amount":"Invalid amount."}}"#;
/// assert!(matches!(read_validated(&Head::new(200), body)?, Reply::Refused(_)));
/// let body = br#"{"message":"Duplicate signature."}"#;
/// assert!(matches!(read_validated(&Head::new(200), body)?, Reply::Refused(_)));
/// # Ok::<(), checkout_wire::ReadError>(())
/// ```
pub fn read_validated<'a>(head: &Head<'a>, body: &'a [u8]) -> Result<Reply<'a, Validated>, ReadError> {
    if head.is_success() && body.trim_ascii().is_empty() {
        return Ok(Reply::Done(Answer { payload: Validated, request_id: None }));
    }
    read(head, body, |json| {
        let fields: Fields<'a> = from_json_or_why(json)?;
        // Validation errors of an unreadable shape still count as errors.
        let errors = fields.get("validation_errors").unwrap_or_default();
        let errors: String = errors.split_ascii_whitespace().collect();
        let none = matches!(&*errors, "" | "{}" | "[]");
        let says = |key| fields.get(key).filter(|text| !text.is_empty());
        // Every success of the exact list belongs to the group.
        let success =
            |code| ResultCode::parse(code).and_then(ResultCode::group) == Some(ResultGroup::Success);
        let none = none && says("message").is_none() && says(CODE).is_none_or(success);
        Ok((head.is_success() && none).then_some(Validated))
    })
}

/// Reads the answer to V2's create: a page, and the checkout's id as `checkoutId`, or as `id` if `checkoutId`
/// is missing. An id of another type than a text or a number is none, and never hides the page.
///
/// # Errors
/// [`ReadError`], if the answer says success and is not as documented. There may be a checkout all the same.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::wire::peach::read_created;
/// use checkout_kit::wire::{Head, Reply};
///
/// let body = br#"{"checkoutId":"c01b","redirectUrl":"https://secure.peachpayments.com/checkout/c01b"}"#;
/// let Reply::Done(answer) = read_created(&Head::new(200), body)? else { panic!() };
/// assert_eq!(answer.payload.checkout_id.as_deref(), Some("c01b"));
/// # Ok::<(), checkout_wire::ReadError>(())
/// ```
pub fn read_created<'a>(head: &Head<'a>, body: &'a [u8]) -> Result<Reply<'a, Created<'a>>, ReadError> {
    read_form(head, body, |PageForm { redirect_url }, json| Created {
        checkout_id: id_in(json),
        redirect_url: redirect_url.into(),
    })
}

/// Reads the answer to V2's request for a token.
///
/// # Errors
/// [`ReadError`], if the answer says success and is not as documented.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::wire::peach::read_token;
/// use checkout_kit::wire::{Head, Reply};
///
/// // The seconds are seen as a text too.
/// let body = br#"{"access_token":"eyJh","expires_in":"3600","token_type":"Bearer"}"#;
/// let Reply::Done(answer) = read_token(&Head::new(200), body)? else { panic!() };
/// assert_eq!(answer.payload.expires_in_seconds, 3600);
/// assert!(!format!("{answer:?}").contains("eyJh"));
/// # Ok::<(), checkout_wire::ReadError>(())
/// ```
pub fn read_token<'a>(head: &Head<'a>, body: &'a [u8]) -> Result<Reply<'a, AccessToken>, ReadError> {
    read_form(head, body, |form: TokenForm<'a>, _| AccessToken {
        access_token: SecretString::from(form.access_token.into_owned()),
        expires_in_seconds: form.expires_in,
        token_type: form.token_type.map(Cow::into_owned),
    })
}

/// A checkout of V1: the page, and the checkout's id if the answer has an id. Without an id, read the status
/// by your `merchantTransactionId` until the first webhook brings the id.
///
/// Source: *Payment status* (Stated: PS-17): `checkoutId` comes as the field `id` of a
/// checkout's response.
#[derive(Clone, PartialEq, Eq)]
pub struct Initiated<'a> {
    /// The hosted page: send the payer there. Anybody with the page can load the page, once, so `Debug` does
    /// not show the page.
    pub redirect_url: Redacted<'a>,
    /// The checkout's id, unchanged: `checkoutId`, or else `id`.
    pub checkout_id: Option<Cow<'a, str>>,
}

impl Initiated<'_> {
    /// The id for reads of the checkout's status: the checkout's own id, if the answer has an id that can be
    /// asked by, or else the `merchantTransactionId` of the request.
    ///
    /// ```
    /// # checkout_doctest::facade!(wire);
    /// use checkout_kit::Cents;
    /// use checkout_kit::peach::{Currency, Draft, Initiated};
    ///
    /// let checkout = Draft::debit(Currency::ZAR, Cents::new(200))
    ///     .entity_id("8ac7a4ca68c22c4d0168c2caab2e0025")
    ///     .merchant_transaction_id("Test1234")
    ///     .shopper_result_url("https://shop.example/result")
    ///     .check()?;
    /// let page = "https://secure.peachpayments.com/checkout/c01b";
    /// let with = Initiated { redirect_url: page.into(), checkout_id: Some("c01b".into()) };
    /// assert_eq!(with.lookup(&checkout).pair(), ("checkoutId", "c01b"));
    /// let without = Initiated { redirect_url: page.into(), checkout_id: None };
    /// assert_eq!(without.lookup(&checkout).pair(), ("merchantTransactionId", "Test1234"));
    /// # Ok::<(), checkout_validate::peach::Violations>(())
    /// ```
    #[must_use]
    pub fn lookup<'s>(&'s self, checkout: &'s InitiateCheckout<'_>) -> Lookup<'s> {
        match self.checkout_id.as_deref().map(CheckoutId::new) {
            Some(Ok(id)) => id.into(),
            Some(Err(_)) | None => checkout.lookup(),
        }
    }

    /// Returns the same checkout, with nothing borrowed.
    #[must_use]
    pub fn into_owned(self) -> Initiated<'static> {
        Initiated { redirect_url: self.redirect_url.into_owned(), checkout_id: self.checkout_id.map(owned) }
    }
}

impl fmt::Debug for Initiated<'_> {
    /// Prints the id. Anybody with the page can pay there, so the page is not printed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.checkout_id.as_deref().map(|id| Printable(id).to_string());
        f.debug_struct("Initiated").field("checkout_id", &id).finish_non_exhaustive()
    }
}

/// A successful validation: V1 found no fault in a request, and made no checkout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validated;

/// A checkout of V2: the page, and the checkout's id.
///
/// The status of V2 is read by the id alone. An answer without an id, which no page shows, is still done and
/// has the hosted page: the payer can pay there, and V1's status by `merchantTransactionId` and the webhooks
/// show the end.
#[derive(Clone, PartialEq, Eq)]
pub struct Created<'a> {
    /// The id for reads of the status, unchanged: `checkoutId`, or else `id`.
    pub checkout_id: Option<Cow<'a, str>>,
    /// The hosted page: send the payer there. Anybody with the page can load the page, once, so `Debug` does
    /// not show the page.
    pub redirect_url: Redacted<'a>,
}

impl Created<'_> {
    /// Returns the same checkout, with nothing borrowed.
    #[must_use]
    pub fn into_owned(self) -> Created<'static> {
        Created { checkout_id: self.checkout_id.map(owned), redirect_url: self.redirect_url.into_owned() }
    }
}

impl fmt::Debug for Created<'_> {
    /// Prints the id. Anybody with the page can pay there, so the page is not printed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.checkout_id.as_deref().map(|id| Printable(id).to_string());
        f.debug_struct("Created").field("checkout_id", &id).finish_non_exhaustive()
    }
}

/// A token of V2. `Debug` does not show the token.
#[derive(Clone, Debug)]
pub struct AccessToken {
    /// The token.
    pub access_token: SecretString,
    /// The lifetime of the token, in seconds.
    pub expires_in_seconds: u64,
    /// The scheme that the token is sent with, such as `Bearer`.
    pub token_type: Option<String>,
}

/// Reads an answer: the result of `done` for an object of the API, or else a refusal. An error of `done`
/// under an error status does not count.
fn read<'a, T>(
    head: &Head<'a>,
    body: &'a [u8],
    done: impl FnOnce(&'a str) -> Result<Option<T>, ReadError>,
) -> Result<Reply<'a, T>, ReadError> {
    let other = || Ok(Reply::UnexpectedResponse(UnexpectedResponse::new(head, body)));
    let Some(json) = object_text(head, body, BODY_CAP)? else { return other() };
    match done(json) {
        Ok(Some(payload)) => return Ok(Reply::Done(Answer { payload, request_id: None })),
        Ok(None) => {}
        Err(error) if head.is_success() => return Err(error),
        Err(_) => {}
    }
    Refusal::of(head, json).map_or_else(other, |refusal| Ok(Reply::Refused(refusal)))
}

/// Reads an answer whose payload has a form of its own. Validation errors and a lone message under a success
/// status are still a refusal.
fn read_form<'a, F: Deserialize<'a>, T>(
    head: &Head<'a>,
    body: &'a [u8],
    payload: impl FnOnce(F, &'a str) -> T,
) -> Result<Reply<'a, T>, ReadError> {
    read(head, body, |json| {
        if !head.is_success() {
            return Ok(None);
        }
        match from_json_or_why::<F>(json) {
            Ok(form) => Ok(Some(payload(form, json))),
            Err(_) if Refusal::of(head, json).is_some() => Ok(None),
            Err(error) => Err(error),
        }
    })
}

/// The id of a checkout in the answer to a create. The id is read apart from the page, so that no fault in
/// the id hides the page.
fn id_in(json: &str) -> Option<Cow<'_, str>> {
    let checkout_id =
        from_json(json, PhantomData::<CheckoutIdForm<'_>>).ok().and_then(|form| form.checkout_id);
    let id = || from_json(json, PhantomData::<IdForm<'_>>).ok().and_then(|form| form.id);
    checkout_id.as_ref().and_then(id_of).or_else(|| id().as_ref().and_then(id_of))
}

/// A text that is not blank, or the digits of a number.
fn id_of<'a>(json: &JsonText<'a>) -> Option<Cow<'a, str>> {
    let number = || json.read::<u64>().map(|number| Cow::Owned(number.to_string()));
    json.read_text().or_else(number).filter(|id| !id.trim().is_empty())
}

fn owned(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageForm<'a> {
    #[serde(borrow)]
    redirect_url: Cow<'a, str>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct CheckoutIdForm<'a> {
    #[serde(borrow, default)]
    checkout_id: Option<JsonText<'a>>,
}

#[derive(serde::Deserialize)]
struct IdForm<'a> {
    #[serde(borrow, default)]
    id: Option<JsonText<'a>>,
}

#[derive(serde::Deserialize)]
struct TokenForm<'a> {
    #[serde(borrow)]
    access_token: Cow<'a, str>,
    #[serde(deserialize_with = "seconds")]
    expires_in: u64,
    #[serde(borrow, default, deserialize_with = "text")]
    token_type: Option<Cow<'a, str>>,
}

#[derive(serde::Deserialize)]
struct WrappedForm<'a> {
    #[serde(borrow)]
    status: Cow<'a, str>,
    #[serde(borrow, default)]
    timestamp: Option<Verbatim<'a, i64>>,
    #[serde(borrow, default, deserialize_with = "carried_personal")]
    redirect_url: Option<Verbatim<'a, Redacted<'a>>>,
    #[serde(borrow, default)]
    redirect_post_data: Option<Fields<'a>>,
}

impl<'a> WrappedForm<'a> {
    fn payment(self, environment: Environment) -> Payment<'a> {
        let wrapper = Wrapper {
            status: Open::from(self.status.clone()),
            remaining_seconds: self.timestamp.and_then(|seconds| seconds.known()),
            redirect_url: self.redirect_url,
        };
        Payment::wrapped(self.redirect_post_data.unwrap_or_default(), environment, wrapper, self.status)
    }
}

/// Reads seconds, as a number or as a text.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let json = JsonText::deserialize(deserializer)?;
    let seconds = json.read().or_else(|| json.read_text()?.parse().ok());
    seconds.ok_or_else(|| D::Error::custom("not a number of seconds"))
}

const CODE: &str = "result.code";
