//! The payload of every answer.

use crate::Verbatim;
use crate::json::{object, object_or_none, or_none, personal_or_none, text, write_personal};
use alloc::borrow::Cow;
use checkout_tables::Open;
use checkout_tables::azotte::MessageCode;
use checkout_validate::Redacted;
use serde::Serialize;
use serde::de::{Deserialize, Deserializer};

/// The state of a checkout, and the next step: the answer to a submit and to a read of the status alike.
///
/// `status.message_code` is the source of truth. A submit's answer does not confirm a payment, and can
/// already be final.
///
/// Source: Azotte C2A, *Get Checkout Status*, `CheckoutResult`. It does not show where a message stands: one
/// within `status` and one at the top are read.
///
/// Assumed: a member that cannot be understood is not worth the loss of the status. `status.messageCode` and
/// `trackingNumber` must be as documented, and no key may stand twice; any other member that does not have
/// its documented type is read as none.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::azotte::{Challenge, MessageCode};
/// use checkout_kit::tables::Open;
/// use checkout_kit::wire::azotte::read;
/// use checkout_kit::wire::{Head, Reply};
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
    /// The id for reads of the status, opaque.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracking_number: Option<Cow<'a, str>>,
    /// The status.
    pub status: ResultStatus<'a>,
    /// A message beside the status.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "write_personal")]
    pub message: Option<Redacted<'a>>,
    /// The redirect for the payer, with [`MessageCode::ThreeDsRequired`] or any other redirect-bound status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_instructions: Option<RedirectInstructions<'a>>,
    /// The advice to ask again, and when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follow_up_instructions: Option<FollowUpInstructions<'a>>,
}

impl CheckoutResult<'_> {
    /// The message, in either place. The message is the provider's text about a payment: for your eyes, not
    /// for a log.
    #[must_use]
    pub fn message(&self) -> Option<&Redacted<'_>> {
        self.status.message.as_ref().or(self.message.as_ref())
    }

    /// The challenge to show the payer, if the payer has to act and there is a challenge that can be shown.
    ///
    /// `status.messageCode` is the source of truth, and beside it `isRedirectRequired` says whether the
    /// client must act:
    /// - `CHECK_OUT_3DS_REQUIRED`: the challenge is presented, whatever the flag says.
    /// - `CHECK_OUT_DONE`, `CHECK_OUT_FAILED`: nothing follows, so nobody has to act, whatever the flag says.
    /// - Any other code: the flag decides. If the flag is missing, `null` or not a boolean, instructions mean
    ///   that the client must act, for they come with "any redirect-bound state" (Assumed).
    ///
    /// [`not_shown`](Self::not_shown) gives the reason if a challenge came and is not shown.
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
        self.redirect().and_then(RedirectInstructions::challenge)
    }

    /// The reason that a challenge in this answer is not shown to the payer. `None` if the payer is shown a
    /// challenge, if the client need not act, and if no challenge came.
    ///
    /// ```
    /// # use checkout_wire::{Head, Reply, azotte::{NotShown, read}};
    /// let body = br#"{"status":{"messageCode":"CHECK_OUT_3DS_REQUIRED"},
    ///     "redirectInstructions":{"redirectUrl":"http://psp.example/3ds/abc","isRedirectRequired":true}}"#;
    /// let Reply::Done(answer) = read(&Head::new(200), body)? else { panic!() };
    /// assert_eq!(answer.payload.challenge(), None);
    /// assert_eq!(answer.payload.not_shown(), Some(NotShown::NotHttps));
    /// # Ok::<(), checkout_wire::ReadError>(())
    /// ```
    #[must_use]
    pub fn not_shown(&self) -> Option<NotShown> {
        let redirect = self.redirect().filter(|redirect| redirect.challenge().is_none())?;
        if redirect.redirect_url.as_ref().is_some_and(|url| !is_blank(url)) {
            return Some(NotShown::NotHttps);
        }
        let says = redirect.is_redirect_required == Some(true) || redirect.show_html_content == Some(true);
        let came = redirect.redirect_url.is_some() || redirect.html_content.is_some();
        (says || came).then_some(NotShown::Nothing)
    }

    /// True if the payer's browser is expected back from the challenge: `hasNextSteps`, which says that more
    /// steps follow and that polling goes on after the browser has returned.
    ///
    /// If `hasNextSteps` is `false`, nothing follows the redirect, so nobody waits for the browser: polling
    /// goes on while the payer is away (Assumed). If `hasNextSteps` is missing, `null` or not a boolean, the
    /// browser is expected (Assumed).
    #[must_use]
    pub fn payer_returns(&self) -> bool {
        self.redirect_instructions.as_ref().and_then(|redirect| redirect.has_next_steps) != Some(false)
    }

    /// The instructions, if the payer has to act.
    fn redirect(&self) -> Option<&RedirectInstructions<'_>> {
        let redirect = self.redirect_instructions.as_ref()?;
        let must_act = match &self.status.message_code {
            Open::Known(MessageCode::ThreeDsRequired) => true,
            Open::Known(MessageCode::Done | MessageCode::Failed) => false,
            Open::Known(MessageCode::Processing) | Open::Unknown(_) => {
                redirect.is_redirect_required.unwrap_or(true)
            }
        };
        must_act.then_some(redirect)
    }

    /// `retryAfterSeconds`, if given as a number of seconds. This value takes precedence over the
    /// `Retry-After` header, and the header over
    /// [`DEFAULT_RETRY_AFTER_SECONDS`](checkout_tables::azotte::DEFAULT_RETRY_AFTER_SECONDS).
    #[must_use]
    pub fn retry_after_seconds(&self) -> Option<u64> {
        self.follow_up_instructions.as_ref()?.retry_after_seconds.as_ref()?.known()
    }

    /// Returns the same result, with nothing borrowed.
    #[must_use]
    pub fn into_owned(self) -> CheckoutResult<'static> {
        CheckoutResult {
            tracking_number: self.tracking_number.map(owned),
            status: ResultStatus {
                message_code: self.status.message_code.into_owned(),
                message: self.status.message.map(Redacted::into_owned),
            },
            message: self.message.map(Redacted::into_owned),
            redirect_instructions: self.redirect_instructions.map(RedirectInstructions::into_owned),
            follow_up_instructions: self.follow_up_instructions.map(|follow_up| FollowUpInstructions {
                can_follow_up: follow_up.can_follow_up,
                retry_after_seconds: follow_up.retry_after_seconds.map(Verbatim::into_owned),
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
    /// The provider's text about the status: with [`MessageCode::Failed`], the reason.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "write_personal")]
    pub message: Option<Redacted<'a>>,
}

/// The redirect for the payer. The texts are the payer's way into their bank, and `Debug` shows none of them.
///
/// Source: Azotte C2A, *Get Checkout Status*, `RedirectInstructions`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RedirectInstructions<'a> {
    /// A hosted page to send the payer to.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "write_personal")]
    pub redirect_url: Option<Redacted<'a>>,
    /// An HTML form to show.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "write_personal")]
    pub html_content: Option<Redacted<'a>>,
    /// The payment service provider's reference of the challenge.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "write_personal")]
    pub three_d_identifier: Option<Redacted<'a>>,
    /// True if the client must act.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_redirect_required: Option<bool>,
    /// True if more steps follow this redirect: continue polling after the browser has returned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_next_steps: Option<bool>,
    /// True if `html_content` is to be shown instead of a redirect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub show_html_content: Option<bool>,
}

impl RedirectInstructions<'_> {
    /// The challenge that can be shown to a payer who has to act: the form if `showHtmlContent` says so,
    /// otherwise the page. If only one of the two is there, returns that one. A page is a text of
    /// [`is_page_url`](crate::is_page_url): no other text is a place to send a payer to (Assumed). A form of
    /// white space alone does not count.
    ///
    /// The whole answer decides if the payer has to act: [`CheckoutResult::challenge`].
    #[must_use]
    pub fn challenge(&self) -> Option<Challenge<'_>> {
        let html = self.html_content.as_ref().filter(|html| !is_blank(html)).map(Redacted::as_str);
        let page = self.redirect_url.as_ref().map(Redacted::as_str).filter(|url| is_page(url));
        let (html, page) = (html.map(Challenge::Html), page.map(Challenge::Url));
        if self.show_html_content == Some(true) { html.or(page) } else { page.or(html) }
    }

    /// Returns the same instructions, with nothing borrowed.
    fn into_owned(self) -> RedirectInstructions<'static> {
        RedirectInstructions {
            redirect_url: self.redirect_url.map(Redacted::into_owned),
            html_content: self.html_content.map(Redacted::into_owned),
            three_d_identifier: self.three_d_identifier.map(Redacted::into_owned),
            is_redirect_required: self.is_redirect_required,
            has_next_steps: self.has_next_steps,
            show_html_content: self.show_html_content,
        }
    }
}

/// The content to show the payer.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::azotte::Challenge;
///
/// // What leads into the payer's bank is not printed.
/// assert_eq!(format!("{:?}", Challenge::Html("<form></form>")), "Html([13 bytes])");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Challenge<'a> {
    /// An HTML form, to be put into a page of its own: the form posts itself.
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

/// The reason that a payer is not shown a challenge that came. Holds nothing of the challenge.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::azotte::NotShown;
///
/// assert_eq!(NotShown::NotHttps.to_string(), "redirectUrl is no https URL, and there is no htmlContent");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NotShown {
    /// `redirectUrl` is neither an `https` URL nor an `http` URL of this machine, and there is no form beside
    /// the URL.
    NotHttps,
    /// The client must act, and both `redirectUrl` and `htmlContent` are empty or missing.
    Nothing,
}

impl NotShown {
    /// The reason, in words.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::NotHttps => "redirectUrl is no https URL, and there is no htmlContent",
            Self::Nothing => "the client must act, and neither redirectUrl nor htmlContent has anything",
        }
    }
}

impl core::fmt::Display for NotShown {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.reason())
    }
}

/// The advice to ask again, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FollowUpInstructions<'a> {
    /// True if asking again makes sense; the samples have `false` with a final code and `true` with an open
    /// code. Assumed: beside a code that is not final, `false` changes nothing, for the code is the source of
    /// truth. A client that stopped there could lose a payment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_follow_up: Option<bool>,
    /// The delay, in seconds. A value that is not a number of seconds is carried unchanged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<Verbatim<'a, u64>>,
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
        message: Option<Redacted<'a>>,
        #[serde(borrow, default, deserialize_with = "object_or_none")]
        redirect_instructions: Option<RedirectInstructions<'a>>,
        #[serde(borrow, default, deserialize_with = "object_or_none")]
        follow_up_instructions: Option<FollowUpInstructions<'a>>,
    }
    ResultStatus from StatusForm {
        #[serde(borrow)]
        message_code: Open<MessageCode, Cow<'a, str>>,
        #[serde(borrow, default, deserialize_with = "personal_or_none")]
        message: Option<Redacted<'a>>,
    }
    RedirectInstructions from RedirectForm {
        #[serde(borrow, default, deserialize_with = "personal_or_none")]
        redirect_url: Option<Redacted<'a>>,
        #[serde(borrow, default, deserialize_with = "personal_or_none")]
        html_content: Option<Redacted<'a>>,
        #[serde(borrow, default, deserialize_with = "personal_or_none")]
        three_d_identifier: Option<Redacted<'a>>,
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
        retry_after_seconds: Option<Verbatim<'a, u64>>,
    }
}

fn owned(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}

fn is_blank(text: &Redacted<'_>) -> bool {
    text.as_str().trim().is_empty()
}

/// True if a text is a page that a payer can be sent to.
fn is_page(url: &str) -> bool {
    crate::is_page_url(url)
}
