//! The one payload.

use crate::Carried;
use crate::json::{object, object_or_none, or_none, personal_or_none, text, write_personal};
use alloc::borrow::Cow;
use checkout_tables::Open;
use checkout_tables::azotte::MessageCode;
use checkout_validate::Personal;
use serde::Serialize;
use serde::de::{Deserialize, Deserializer};

/// Where a checkout stands, and what is to be done: the answer to a submit and to a read of the status alike.
///
/// `status.message_code` is the source of truth. A submit's answer is no confirmation of a payment, and can already be
/// final.
///
/// Source: Azotte C2A, *Get Checkout Status*, `CheckoutResult`. It does not show where a message stands: one within
/// `status` and one at the top are read.
///
/// Assumed: what cannot be understood is not worth the status. `status.messageCode` and `trackingNumber` have to be as
/// documented, and no key may stand twice; any other member that is not of its documented type is read as none.
///
/// ```
/// use checkout_tables::{Open, azotte::MessageCode};
/// use checkout_wire::azotte::{Challenge, read};
/// use checkout_wire::{Head, Reply};
///
/// let body = br#"{"trackingNumber":"trk_01HZ9XPZ3K2A8E0VBVQH7N9XGB","status":{"messageCode":"CHECK_OUT_3DS_REQUIRED"},
///     "redirectInstructions":{"redirectUrl":"https://psp.example/3ds/abc","isRedirectRequired":true,
///     "hasNextSteps":true,"showHtmlContent":false},"followUpInstructions":{"retryAfterSeconds":3,"canFollowUp":true}}"#;
/// let Reply::Done(answer) = read(&Head::new(200), body)? else { panic!() };
/// let result = answer.payload;
/// assert_eq!(result.status.message_code, Open::Known(MessageCode::ThreeDsRequired));
/// assert_eq!(result.challenge(), Some(Challenge::Url("https://psp.example/3ds/abc")));
/// assert_eq!(result.retry_after_seconds(), Some(3));
/// # Ok::<(), checkout_wire::ReadError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckoutResult<'a> {
    /// The id to ask after, opaque.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracking_number: Option<Cow<'a, str>>,
    /// The status.
    pub status: ResultStatus<'a>,
    /// A message beside the status.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "write_personal")]
    pub message: Option<Personal<'a>>,
    /// Where the payer has to go, with [`MessageCode::ThreeDsRequired`] or any other redirect-bound status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_instructions: Option<RedirectInstructions<'a>>,
    /// Whether and when to ask again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follow_up_instructions: Option<FollowUpInstructions<'a>>,
}

impl CheckoutResult<'_> {
    /// The message, wherever it stands. It is the provider's text about a payment: for your eyes, not for a log.
    #[must_use]
    pub fn message(&self) -> Option<&Personal<'_>> {
        self.status.message.as_ref().or(self.message.as_ref())
    }

    /// What to show the payer, if anything is.
    ///
    /// ```
    /// # use checkout_wire::{Head, Reply, azotte::{Challenge, read}};
    /// let body = br#"{"status":{"messageCode":"CHECK_OUT_3DS_REQUIRED"},"redirectInstructions":
    ///     {"htmlContent":"<form></form>","redirectUrl":"https://psp.example/3ds/abc","showHtmlContent":true}}"#;
    /// let Reply::Done(answer) = read(&Head::new(200), body)? else { panic!() };
    /// assert_eq!(answer.payload.challenge(), Some(Challenge::Html("<form></form>")));
    /// # Ok::<(), checkout_wire::ReadError>(())
    /// ```
    #[must_use]
    pub fn challenge(&self) -> Option<Challenge<'_>> {
        self.redirect_instructions.as_ref().and_then(RedirectInstructions::challenge)
    }

    /// `retryAfterSeconds`, if it was given as a number of seconds. It comes before the `Retry-After` header, and that
    /// before [`DEFAULT_RETRY_AFTER_SECONDS`](checkout_tables::azotte::DEFAULT_RETRY_AFTER_SECONDS).
    #[must_use]
    pub fn retry_after_seconds(&self) -> Option<u64> {
        self.follow_up_instructions.as_ref()?.retry_after_seconds.as_ref()?.known()
    }

    /// The same, with nothing borrowed.
    #[must_use]
    pub fn into_owned(self) -> CheckoutResult<'static> {
        CheckoutResult {
            tracking_number: self.tracking_number.map(owned),
            status: ResultStatus {
                message_code: self.status.message_code.into_owned(),
                message: self.status.message.map(Personal::into_owned),
            },
            message: self.message.map(Personal::into_owned),
            redirect_instructions: self.redirect_instructions.map(RedirectInstructions::into_owned),
            follow_up_instructions: self.follow_up_instructions.map(|follow_up| FollowUpInstructions {
                can_follow_up: follow_up.can_follow_up,
                retry_after_seconds: follow_up.retry_after_seconds.map(Carried::into_owned),
            }),
        }
    }
}

/// The status of a [`CheckoutResult`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResultStatus<'a> {
    /// The source of truth.
    pub message_code: Open<MessageCode, Cow<'a, str>>,
    /// What the provider says about it: with [`MessageCode::Failed`], why.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "write_personal")]
    pub message: Option<Personal<'a>>,
}

/// Where the payer has to go. The texts are the payer's way into their bank, and `Debug` shows none of them.
///
/// Source: Azotte C2A, *Get Checkout Status*, `RedirectInstructions`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RedirectInstructions<'a> {
    /// A hosted page to send the payer to.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "write_personal")]
    pub redirect_url: Option<Personal<'a>>,
    /// An HTML form to show.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "write_personal")]
    pub html_content: Option<Personal<'a>>,
    /// The payment service provider's reference of the challenge.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "write_personal")]
    pub three_d_identifier: Option<Personal<'a>>,
    /// Whether the client must act.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_redirect_required: Option<bool>,
    /// Whether more steps follow this redirect: go on polling after the browser has returned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_next_steps: Option<bool>,
    /// Whether to show `html_content` instead of redirecting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub show_html_content: Option<bool>,
}

impl RedirectInstructions<'_> {
    /// What to show the payer: the form where `showHtmlContent` says so, otherwise the page, and whichever there is if
    /// there is one alone. A page is an `https` URL; what is not, is no place to send a payer to.
    #[must_use]
    pub fn challenge(&self) -> Option<Challenge<'_>> {
        let html = self.html_content.as_ref().map(Personal::as_str).filter(|html| !html.is_empty());
        let page = self.redirect_url.as_ref().map(Personal::as_str).filter(|url| is_https(url));
        let (html, page) = (html.map(Challenge::Html), page.map(Challenge::Url));
        if self.show_html_content == Some(true) { html.or(page) } else { page.or(html) }
    }

    /// The same, with nothing borrowed.
    fn into_owned(self) -> RedirectInstructions<'static> {
        RedirectInstructions {
            redirect_url: self.redirect_url.map(Personal::into_owned),
            html_content: self.html_content.map(Personal::into_owned),
            three_d_identifier: self.three_d_identifier.map(Personal::into_owned),
            is_redirect_required: self.is_redirect_required,
            has_next_steps: self.has_next_steps,
            show_html_content: self.show_html_content,
        }
    }
}

/// What to show the payer.
///
/// ```
/// use checkout_wire::azotte::Challenge;
///
/// // What leads into the payer's bank is not printed.
/// assert_eq!(format!("{:?}", Challenge::Html("<form></form>")), "Html([13 bytes])");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Challenge<'a> {
    /// An HTML form, to be put into a page of its own: it posts itself.
    Html(&'a str),
    /// A page to send the browser to.
    Url(&'a str),
}

impl core::fmt::Debug for Challenge<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Html(html) => write!(f, "Html([{} bytes])", html.len()),
            Self::Url(url) => write!(f, "Url([{} bytes])", url.len()),
        }
    }
}

/// Whether and when to ask again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FollowUpInstructions<'a> {
    /// Whether asking again makes sense.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_follow_up: Option<bool>,
    /// When, in seconds. What is no number of seconds is carried as it came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<Carried<'a, u64>>,
}

macro_rules! objects {
    ($($(#[$meta:meta])* $payload:ident from $form:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)+ })+) => {
        $(
            #[derive(serde::Deserialize)]
            #[serde(rename_all = "camelCase")]
            struct $form<'a> {
                $($(#[$field_meta])* $field: $type,)+
            }

            impl<'de: 'a, 'a> Deserialize<'de> for $payload<'a> {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    let form: $form<'a> = object(deserializer)?;
                    Ok(Self { $($field: form.$field,)+ })
                }
            }
        )+
    };
}

objects! {
    CheckoutResult from ResultForm {
        #[serde(borrow, default, deserialize_with = "text")]
        tracking_number: Option<Cow<'a, str>>,
        #[serde(borrow)]
        status: ResultStatus<'a>,
        #[serde(borrow, default, deserialize_with = "personal_or_none")]
        message: Option<Personal<'a>>,
        #[serde(borrow, default, deserialize_with = "object_or_none")]
        redirect_instructions: Option<RedirectInstructions<'a>>,
        #[serde(borrow, default, deserialize_with = "object_or_none")]
        follow_up_instructions: Option<FollowUpInstructions<'a>>,
    }
    ResultStatus from StatusForm {
        #[serde(borrow)]
        message_code: Open<MessageCode, Cow<'a, str>>,
        #[serde(borrow, default, deserialize_with = "personal_or_none")]
        message: Option<Personal<'a>>,
    }
    RedirectInstructions from RedirectForm {
        #[serde(borrow, default, deserialize_with = "personal_or_none")]
        redirect_url: Option<Personal<'a>>,
        #[serde(borrow, default, deserialize_with = "personal_or_none")]
        html_content: Option<Personal<'a>>,
        #[serde(borrow, default, deserialize_with = "personal_or_none")]
        three_d_identifier: Option<Personal<'a>>,
        #[serde(default, deserialize_with = "or_none")]
        is_redirect_required: Option<bool>,
        #[serde(default, deserialize_with = "or_none")]
        has_next_steps: Option<bool>,
        #[serde(default, deserialize_with = "or_none")]
        show_html_content: Option<bool>,
    }
    FollowUpInstructions from FollowUpForm {
        #[serde(default, deserialize_with = "or_none")]
        can_follow_up: Option<bool>,
        #[serde(borrow, default)]
        retry_after_seconds: Option<Carried<'a, u64>>,
    }
}

fn owned(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}

/// Whether a text is a page that a payer can be sent to.
fn is_https(url: &str) -> bool {
    crate::is_page_url(url)
}
