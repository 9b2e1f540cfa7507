//! Azotte C2A checkout: the names on its pages.
//!
//! Sources, by the name each item's documentation calls them; the pages carry neither version nor date:
//! - *Get Checkout Status*;
//! - *Submit Checkout*.

use crate::code_table;
use crate::repeat::Repeat;
use core::fmt;

code_table! {
    /// The status of a checkout.
    ///
    /// Not `non_exhaustive`: a code that joins this table must break every `match` that does not handle the
    /// code. A code that Azotte adds before this table does arrives as [`Open::Unknown`](crate::Open):
    /// polling continues.
    ///
    /// Source: *Get Checkout Status*, Response Parameters (4 rows). The reply to a submit has the same codes.
    ///
    /// ```
    /// # checkout_doctest::facade!(tables);
    /// use checkout_kit::azotte::{Action, MessageCode};
    ///
    /// assert_eq!(MessageCode::from_code("CHECK_OUT_DONE"), Some(MessageCode::Done));
    /// assert!(MessageCode::Done.is_terminal());
    /// assert!(!MessageCode::ThreeDsRequired.is_terminal()); // a pause
    /// assert_eq!(MessageCode::ThreeDsRequired.action(), Action::PresentChallenge);
    /// ```
    pub enum MessageCode, row = (bool, Action, &'static str) {
        /// The worker still processes the checkout.
        Processing("CHECK_OUT_PROCESSING"), false, Action::PollOn, "the worker still processes the checkout";
        /// The payment service requires a 3DS challenge of the payer.
        ThreeDsRequired("CHECK_OUT_3DS_REQUIRED"), false, Action::PresentChallenge,
            "the payment service requires a 3DS challenge of the payer";
        /// The payment is captured and the entitlements are delivered.
        Done("CHECK_OUT_DONE"), true, Action::Stop, "the payment is captured, and the entitlements are delivered";
        /// The authorization, the capture or the fulfilment failed.
        Failed("CHECK_OUT_FAILED"), true, Action::InspectMessage,
            "the authorization, the capture or the fulfilment failed";
    }
}

impl MessageCode {
    /// True if the page calls the code terminal: polling stops.
    ///
    /// ```
    /// # use checkout_tables::azotte::MessageCode;
    /// let terminal: Vec<_> = MessageCode::ROWS.into_iter().filter(|code| code.is_terminal()).collect();
    /// assert_eq!(terminal, [MessageCode::Done, MessageCode::Failed]);
    /// ```
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        self.row().0
    }

    /// The action that the page asks for.
    ///
    /// ```
    /// # use checkout_tables::azotte::{Action, MessageCode};
    /// assert_eq!(MessageCode::Processing.action(), Action::PollOn);
    /// ```
    #[must_use]
    pub const fn action(self) -> Action {
        self.row().1
    }

    /// The meaning of the code, in a few words of ours: for a person, and never to be compared.
    ///
    /// Source: *Get Checkout Status*, Response Parameters, the column Stage.
    ///
    /// ```
    /// # use checkout_tables::azotte::MessageCode;
    /// assert_eq!(MessageCode::Processing.meaning(), "the worker still processes the checkout");
    /// ```
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        self.row().2
    }
}

/// The action for a [`MessageCode`].
///
/// Source: *Get Checkout Status*, Response Parameters, the column Action, and Polling Pattern. The names are
/// ours.
///
/// ```
/// # checkout_doctest::facade!(tables);
/// use checkout_kit::azotte::{Action, MessageCode};
///
/// assert_eq!(MessageCode::Failed.action(), Action::InspectMessage);
/// assert_eq!(Action::InspectMessage.to_string(), "inspect_message");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "strum",
    derive(strum::EnumCount, strum::EnumIter, strum::IntoStaticStr, strum::VariantArray),
    strum(serialize_all = "snake_case")
)]
pub enum Action {
    /// Keep polling, as often as the answer asks.
    PollOn,
    /// Show the payer `htmlContent` or `redirectUrl`, and poll on when the browser is back.
    PresentChallenge,
    /// Stop: the checkout succeeded.
    Stop,
    /// Stop: the checkout failed, and the message gives the reason.
    InspectMessage,
}

impl fmt::Display for Action {
    /// The action's name in lower case: `poll_on`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::PollOn => "poll_on",
            Self::PresentChallenge => "present_challenge",
            Self::Stop => "stop",
            Self::InspectMessage => "inspect_message",
        })
    }
}

code_table! {
    /// A code that replaces a [`MessageCode`] and is an error, not a stage.
    ///
    /// Source: *Get Checkout Status*, Not Found (1 row).
    ///
    /// ```
    /// # checkout_doctest::facade!(tables);
    /// use checkout_kit::azotte::{ErrorCode, MessageCode};
    ///
    /// assert_eq!(ErrorCode::from_code("ORDERED_ITEM_NOT_FOUND"), Some(ErrorCode::OrderedItemNotFound));
    /// assert_eq!(MessageCode::from_code("ORDERED_ITEM_NOT_FOUND"), None);
    /// ```
    #[non_exhaustive]
    pub enum ErrorCode, row = (&'static str,) {
        /// HTTP 404: the tracking number is not known for this tenant.
        OrderedItemNotFound("ORDERED_ITEM_NOT_FOUND"), "the tracking number is unknown for this tenant";
    }
}

impl ErrorCode {
    /// The meaning of the code, in a few words of ours: for a person, and never to be compared.
    ///
    /// Source: *Get Checkout Status*, Not Found.
    ///
    /// ```
    /// # use checkout_tables::azotte::ErrorCode;
    /// assert_eq!(ErrorCode::OrderedItemNotFound.meaning(), "the tracking number is unknown for this tenant");
    /// ```
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        self.row().0
    }
}

code_table! {
    /// The payer's way of paying.
    ///
    /// Source: *Submit Checkout*, `paymentMethod.paymentChannel` (5 rows).
    ///
    /// ```
    /// # checkout_doctest::facade!(tables);
    /// use checkout_kit::azotte::PaymentChannel;
    ///
    /// assert_eq!(PaymentChannel::CreditCard.code(), "CreditCard");
    /// assert_eq!(PaymentChannel::from_code("SEPA"), Some(PaymentChannel::SEPA));
    /// ```
    #[non_exhaustive]
    pub enum PaymentChannel, row = () {
        /// A card: its data, or a stored one.
        CreditCard;
        /// PayPal.
        PayPal;
        /// Klarna.
        Klarna;
        /// A direct debit in SEPA.
        SEPA;
        /// A bank transfer.
        Bank;
    }
}

/// A route of the API, with its known facts.
///
/// Sources: *Submit Checkout* and *Get Checkout Status*. The headings print `/api/c2a/…` and the samples call
/// `/api/v1/c2a/…`: the samples are followed.
///
/// ```
/// # checkout_doctest::facade!(tables);
/// use checkout_kit::azotte::Route;
/// use checkout_kit::tables::Repeat;
///
/// assert_eq!(Route::SubmitCheckout.method(), "POST");
/// assert_eq!(Route::SubmitCheckout.repeat(), Repeat::Keyed);
/// assert_eq!(Route::CheckoutStatus.path(), "/api/v1/c2a/offer/checkout/{trackingId}/status");
/// assert_eq!(Route::CheckoutStatus.to_string(), "checkout_status");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "strum",
    derive(strum::EnumCount, strum::EnumIter, strum::IntoStaticStr, strum::VariantArray),
    strum(serialize_all = "snake_case")
)]
#[non_exhaustive]
pub enum Route {
    /// Submit a checkout.
    SubmitCheckout,
    /// Read the status of a checkout.
    CheckoutStatus,
}

impl Route {
    /// Every route, in the order above.
    pub const ROWS: [Self; 2] = [Self::SubmitCheckout, Self::CheckoutStatus];

    /// The HTTP method.
    ///
    /// ```
    /// # use checkout_tables::azotte::Route;
    /// assert_eq!(Route::CheckoutStatus.method(), "GET");
    /// ```
    #[must_use]
    pub const fn method(self) -> &'static str {
        self.row().1
    }

    /// The path, with `{trackingId}` in the place of the tracking number.
    ///
    /// ```
    /// # use checkout_tables::azotte::Route;
    /// assert_eq!(Route::SubmitCheckout.path(), "/api/v1/c2a/offer/checkout");
    /// ```
    #[must_use]
    pub const fn path(self) -> &'static str {
        self.row().2
    }

    /// The repeatability of the request after an attempt with an unknown outcome. A submit carries its
    /// `correlationId`: the provider does not charge the same id twice.
    ///
    /// ```
    /// # use checkout_tables::{Repeat, azotte::Route};
    /// assert_eq!(Route::CheckoutStatus.repeat(), Repeat::Safe);
    /// ```
    #[must_use]
    pub const fn repeat(self) -> Repeat {
        self.row().3
    }

    /// The parameter to look an earlier attempt up by before repeating the request: None. Send a submit
    /// again, under the same `correlationId`.
    ///
    /// Source: *Submit Checkout*, `correlationId`; *Get Checkout Status* reads by the tracking number, which
    /// the lost answer carried.
    ///
    /// ```
    /// # use checkout_tables::azotte::Route;
    /// assert_eq!(Route::SubmitCheckout.lookup_key(), None);
    /// ```
    #[must_use]
    pub const fn lookup_key(self) -> Option<&'static str> {
        match self {
            Self::SubmitCheckout | Self::CheckoutStatus => None,
        }
    }

    const fn row(self) -> (&'static str, &'static str, &'static str, Repeat) {
        match self {
            Self::SubmitCheckout => ("submit_checkout", "POST", "/api/v1/c2a/offer/checkout", Repeat::Keyed),
            Self::CheckoutStatus => {
                ("checkout_status", "GET", "/api/v1/c2a/offer/checkout/{trackingId}/status", Repeat::Safe)
            }
        }
    }
}

impl fmt::Display for Route {
    /// The route's name in lower case: `submit_checkout`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.row().0)
    }
}

/// The wait before the next read, in seconds, if the answer gives none: neither by `retryAfterSeconds` nor by
/// `Retry-After`.
///
/// Source: *Get Checkout Status*, Polling Pattern, shows `Retry-After: 2`. Assumed: it is what an answer
/// without one means too.
pub const DEFAULT_RETRY_AFTER_SECONDS: u64 = 2;

/// The text after the project's name in the live host.
///
/// Source: *Submit Checkout*.
pub const HOST_SUFFIX_LIVE: &str = ".azotte.com";

/// The text after the project's name in the sandbox's host.
///
/// Source: *Get Checkout Status*, Sample Codes.
///
/// ```
/// # checkout_doctest::facade!(tables);
/// use checkout_kit::azotte::{HOST_SUFFIX_SANDBOX, Route};
///
/// let url = format!("https://acme{HOST_SUFFIX_SANDBOX}{}", Route::SubmitCheckout.path());
/// assert_eq!(url, "https://acme.sandbox.azotte.com/api/v1/c2a/offer/checkout");
/// ```
pub const HOST_SUFFIX_SANDBOX: &str = ".sandbox.azotte.com";

/// The media type of answers: JSON. Do not insist on the type.
///
/// Source: *Submit Checkout*.
pub const MEDIA_TYPE: &str = "application/clientOutput+Json";
