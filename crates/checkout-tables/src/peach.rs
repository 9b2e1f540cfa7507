//! Peach Payments Hosted Checkout: the names and numbers on its pages.
//!
//! - [`PaymentStatus`]: the status of a payment. No reply has a word for the status: it is derived from the
//!   [`ResultCode`], by an exact list and by nothing else.
//! - [`Outcome`]: the code, the payment type and the environment, which together show how a payment ended.
//! - [`ResultGroup`] and [`ResultCode::meaning`]: explain a code; they settle nothing.
//!
//! Sources, by the name each item's documentation calls them; of most, the pages carry neither version nor
//! date:
//! - *Payment status*;
//! - *Checkout webhooks*, 2026-07-23;
//! - *Response codes*, and the codes of Peach's own Python package `peachpayments-partner` 0.1.15;
//! - *Card-on-file*, and *Copy & Pay recurring payment flow*, of a standing instruction;
//! - *Hosted Checkout*: the pages on initiating a checkout, on V2 and on the hosts.

mod meaning;
mod outcome;
mod result_code;
mod standing_instruction;

use crate::code_table;
use crate::rate_limit::{RateLimit, RateScope};
use crate::repeat::Repeat;
use core::fmt;

pub use crate::Environment;
pub use outcome::Outcome;
pub use result_code::{ParseResultCodeError, ResultCode, ResultGroup};
pub use standing_instruction::{
    RecurringType, StandingInstructionMode, StandingInstructionSource, StandingInstructionType,
};

code_table! {
    /// The status of a payment.
    ///
    /// Not `non_exhaustive`: a status that joins this table must break every `match` that does not handle the
    /// status. A reply has no word for the status: see [`Outcome`].
    ///
    /// Source: *Payment status*, API endpoints, and its text above for `created`. *Checkout webhooks*,
    /// 2026-07-23, calls `expired` `uncertain`: that is read as the same. `authorized` is ours (Assumed: no
    /// page names it): a success of a payment of the type [`PA`](PaymentType::PA), which is no money.
    ///
    /// ```
    /// # checkout_doctest::facade!(tables);
    /// use checkout_kit::peach::PaymentStatus;
    ///
    /// assert_eq!(PaymentStatus::from_code("successful"), Some(PaymentStatus::Successful));
    /// assert_eq!(PaymentStatus::from_code("uncertain"), Some(PaymentStatus::Expired));
    /// assert_eq!(PaymentStatus::Expired.code(), "expired");
    /// assert!(PaymentStatus::Expired.is_final());
    /// ```
    pub enum PaymentStatus, row = (bool,) {
        /// Initiated; the first webhook says so.
        Created("created"), false;
        /// The payment is initiated and awaits the customer.
        Pending("pending"), false;
        /// The customer has paid.
        Successful("successful"), true;
        /// The amount is reserved but not captured: not money. Assumed, see above.
        Authorized("authorized"), true;
        /// The customer canceled.
        Cancelled("cancelled"), true;
        /// The customer did not pay in time, or closed the window.
        Expired("expired" | "uncertain"), true;
    }
}

impl PaymentStatus {
    /// True if the page calls the status final. The page means a payment *attempt*: a checkout that was
    /// canceled or has expired can still be paid (see `checkout-lifecycle`).
    ///
    /// ```
    /// # use checkout_tables::peach::PaymentStatus;
    /// let open: Vec<_> = PaymentStatus::ROWS.into_iter().filter(|status| !status.is_final()).collect();
    /// assert_eq!(open, [PaymentStatus::Created, PaymentStatus::Pending]);
    /// ```
    #[must_use]
    pub const fn is_final(self) -> bool {
        self.row().0
    }

    /// The meaning of the status, in a few words of ours: for a person, and never to be compared.
    ///
    /// Source: *Payment status*, API endpoints, the column Description; `created` by the text above that
    /// table; `authorized` Assumed, see [`PaymentStatus`].
    ///
    /// ```
    /// # use checkout_tables::peach::PaymentStatus;
    /// assert_eq!(PaymentStatus::Pending.meaning(), "initiated, and waits for the customer to complete it");
    /// ```
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Created => "initiated, as the first webhook says",
            Self::Pending => "initiated, and waits for the customer to complete it",
            Self::Successful => "the customer completed the payment",
            Self::Authorized => "the amount is reserved and not captured",
            Self::Cancelled => "the customer cancelled the payment",
            Self::Expired => "the customer did not complete the payment in time, or closed its window",
        }
    }
}

code_table! {
    /// The effect of a payment on the customer's money.
    ///
    /// Source: *Hosted Checkout*, `paymentType` (2 rows).
    ///
    /// ```
    /// # checkout_doctest::facade!(tables);
    /// use checkout_kit::peach::PaymentType;
    ///
    /// assert_eq!(PaymentType::from_code("PA"), Some(PaymentType::PA));
    /// assert_eq!(PaymentType::PA.name(), "Preauthorization");
    /// ```
    #[non_exhaustive]
    pub enum PaymentType, row = (&'static str,) {
        /// The money is taken.
        DB, "Debit";
        /// The money is reserved; a capture has to follow.
        PA, "Preauthorization";
    }
}

impl PaymentType {
    /// The type's English name.
    ///
    /// ```
    /// # use checkout_tables::peach::PaymentType;
    /// assert_eq!(PaymentType::DB.name(), "Debit");
    /// ```
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().0
    }
}

code_table! {
    /// A currency that a checkout can be priced in, by its ISO 4217 code.
    ///
    /// Source: *Hosted Checkout*, `currency` (6 rows). The names are those of ISO 4217.
    ///
    /// ```
    /// # checkout_doctest::facade!(tables);
    /// use checkout_kit::peach::Currency;
    ///
    /// assert_eq!(Currency::from_code("ZAR"), Some(Currency::ZAR));
    /// assert_eq!(Currency::ZAR.name(), "South African Rand");
    /// assert_eq!(Currency::from_code("zar"), None); // codes are upper case
    /// ```
    #[non_exhaustive]
    pub enum Currency, row = (&'static str,) {
        ZAR, "South African Rand";
        USD, "US Dollar";
        KES, "Kenyan Shilling";
        MUR, "Mauritian Rupee";
        GBP, "British Pound";
        EUR, "Euro";
    }
}

impl Currency {
    /// The currency's English name.
    ///
    /// ```
    /// # use checkout_tables::peach::Currency;
    /// assert_eq!(Currency::KES.name(), "Kenyan Shilling");
    /// ```
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().0
    }
}

/// A route of the API, with its known facts.
///
/// Source: *Hosted Checkout*: [`Initiate`](Self::Initiate), [`Validate`](Self::Validate) and
/// [`Status`](Self::Status) are V1, the others V2. The names are ours.
///
/// ```
/// # checkout_doctest::facade!(tables);
/// use checkout_kit::peach::{Environment, Route};
/// use checkout_kit::tables::Repeat;
///
/// let route = Route::CreateCheckout;
/// assert_eq!((route.method(), route.path()), ("POST", "/v2/checkout"));
/// assert_eq!(route.repeat(), Repeat::Unsafe);
/// assert_eq!(route.host(Environment::Sandbox), "https://testsecure.peachpayments.com");
/// assert_eq!(route.to_string(), "create_checkout");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "strum",
    derive(strum::EnumCount, strum::EnumIter, strum::IntoStaticStr, strum::VariantArray),
    strum(serialize_all = "snake_case")
)]
#[non_exhaustive]
pub enum Route {
    /// V1: initiate a checkout.
    Initiate,
    /// V1: check a checkout's parameters, and initiate nothing.
    Validate,
    /// V1: read a payment's status.
    Status,
    /// V2: a bearer token for the other two.
    Token,
    /// V2: create a checkout.
    CreateCheckout,
    /// V2: read a checkout's status.
    CheckoutStatus,
}

impl Route {
    /// Every route, in the order above.
    pub const ROWS: [Self; 6] = [
        Self::Initiate,
        Self::Validate,
        Self::Status,
        Self::Token,
        Self::CreateCheckout,
        Self::CheckoutStatus,
    ];

    /// The HTTP method.
    ///
    /// ```
    /// # use checkout_tables::peach::Route;
    /// assert_eq!(Route::Status.method(), "GET");
    /// ```
    #[must_use]
    pub const fn method(self) -> &'static str {
        self.row().1
    }

    /// The path, with `{checkoutId}` in the place of the id.
    ///
    /// ```
    /// # use checkout_tables::peach::Route;
    /// assert_eq!(Route::CheckoutStatus.path(), "/v2/checkout/{checkoutId}/status");
    /// ```
    #[must_use]
    pub const fn path(self) -> &'static str {
        self.row().2
    }

    /// The repeatability of the request after an attempt with an unknown outcome. Neither way of creating a
    /// checkout has an idempotency key: the second request makes a second payable checkout.
    ///
    /// ```
    /// # use checkout_tables::{Repeat, peach::Route};
    /// assert_eq!(Route::Initiate.repeat(), Repeat::Unsafe);
    /// assert_eq!(Route::Token.repeat(), Repeat::Safe);
    /// ```
    #[must_use]
    pub const fn repeat(self) -> Repeat {
        self.row().3
    }

    /// The parameter to look an earlier attempt up by before repeating the request: the parameter of
    /// [`Status`](Self::Status) that finds the checkout that the request may have made, if there is one.
    ///
    /// For V1 this is the `merchantTransactionId` of the request. V2 has none: its status is read by the
    /// `checkoutId` alone, and the lost answer carried that id.
    ///
    /// Source: *Payment status*, GET status request parameters: `merchantTransactionId` returns the
    /// **latest** checkout with that value. So it must be unique, and what comes back is to be compared with
    /// what was sent.
    ///
    /// ```
    /// # use checkout_tables::peach::Route;
    /// assert_eq!(Route::Initiate.lookup_key(), Some("merchantTransactionId"));
    /// assert_eq!(Route::CreateCheckout.lookup_key(), None);
    /// ```
    #[must_use]
    pub const fn lookup_key(self) -> Option<&'static str> {
        match self {
            Self::Initiate => Some("merchantTransactionId"),
            Self::Validate | Self::Status | Self::Token | Self::CreateCheckout | Self::CheckoutStatus => None,
        }
    }

    /// The rate limit of the route, if a page documents one: a status may be read twice a minute **per
    /// merchant**, across all of the merchant's checkouts together.
    ///
    /// Source: *Payment status*, GET status request parameters. Assumed: the status of V2 shares that limit.
    ///
    /// ```
    /// # use checkout_tables::peach::Route;
    /// assert_eq!(Route::CheckoutStatus.rate_limit(), Route::Status.rate_limit());
    /// assert_eq!(Route::Initiate.rate_limit(), None);
    /// ```
    #[must_use]
    pub const fn rate_limit(self) -> Option<RateLimit> {
        match self {
            Self::Status | Self::CheckoutStatus => Some(STATUS_LIMIT),
            Self::Initiate | Self::Validate | Self::Token | Self::CreateCheckout => None,
        }
    }

    /// The host of the route: scheme and host, without a slash at the end. Tokens come from another host than
    /// the rest.
    ///
    /// ```
    /// # use checkout_tables::peach::{Environment, Route};
    /// assert_eq!(Route::Status.host(Environment::Live), "https://secure.peachpayments.com");
    /// assert_eq!(Route::Token.host(Environment::Live), "https://dashboard.peachpayments.com");
    /// ```
    #[must_use]
    pub const fn host(self, environment: Environment) -> &'static str {
        match (self, environment) {
            (Self::Token, Environment::Live) => "https://dashboard.peachpayments.com",
            (Self::Token, Environment::Sandbox) => "https://sandbox-dashboard.peachpayments.com",
            (_, Environment::Live) => "https://secure.peachpayments.com",
            (_, Environment::Sandbox) => "https://testsecure.peachpayments.com",
        }
    }

    const fn row(self) -> (&'static str, &'static str, &'static str, Repeat) {
        match self {
            Self::Initiate => ("initiate", "POST", "/checkout/initiate", Repeat::Unsafe),
            Self::Validate => ("validate", "POST", "/checkout/validate", Repeat::Safe),
            Self::Status => ("status", "GET", "/status", Repeat::Safe),
            Self::Token => ("token", "POST", "/api/oauth/token", Repeat::Safe),
            Self::CreateCheckout => ("create_checkout", "POST", "/v2/checkout", Repeat::Unsafe),
            Self::CheckoutStatus => {
                ("checkout_status", "GET", "/v2/checkout/{checkoutId}/status", Repeat::Safe)
            }
        }
    }
}

impl fmt::Display for Route {
    /// The route's name, in lower case: `create_checkout`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.row().0)
    }
}

/// The number of seconds after which a checkout expires: 30 minutes. An expired checkout can be paid late.
///
/// Source: *Payment status*, API endpoints, `expired` (the 30 minutes); *Checkout FAQ* (a page that nobody
/// opens ends at 60 minutes); *Checkout webhooks*, 2026-07-23 (a payment after the end). Assumed: the 30
/// minutes count from when the page was opened.
pub const EXPIRES_AFTER_SECONDS: u64 = 1800;

/// The time, in seconds, during which the provider refuses a repeated signature of a request to initiate: 24
/// hours.
///
/// Source: *Hosted Checkout*: "Duplicate signature."
pub const SIGNATURE_NEVER_AGAIN_SECONDS: u64 = 86_400;

const STATUS_LIMIT: RateLimit = RateLimit { requests: 2, per_seconds: 60, scope: RateScope::Merchant };
