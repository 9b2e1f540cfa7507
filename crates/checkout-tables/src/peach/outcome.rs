//! What a reply says of a payment's end.

use crate::RawOf;
use crate::open::sealed;
use crate::peach::{Environment, PaymentStatus, PaymentType, ResultCode};
use core::fmt;

/// What a reply says of a payment's end: its `result.code`, read with the payment's type and the environment.
///
/// The one place where a code becomes a [`PaymentStatus`]. Of a success the other two decide, so that what is
/// no money never looks like money:
///
/// | success code | type | environment | status |
/// |---|---|---|---|
/// | the live one | `DB` | either | [`Successful`](PaymentStatus::Successful) |
/// | the live one | `PA` | either | [`Authorized`](PaymentStatus::Authorized) |
/// | a test's | `DB`, `PA` | sandbox | the same |
/// | a test's | any | live | none |
/// | any | another, or missing | either | none |
///
/// Any other status depends on the code alone. Where there is none, [`Open`](crate::Open) keeps the whole
/// outcome.
///
/// Sources: *Payment status*; *Response codes*; *Hosted Checkout*, `paymentType`.
///
/// ```
/// use checkout_tables::Open;
/// use checkout_tables::peach::{Environment, Outcome, PaymentStatus, PaymentType};
///
/// let outcome = |code| Outcome { code, payment_type: Some(PaymentType::DB), environment: Environment::Live };
/// let paid: Open<PaymentStatus, Outcome<&str>> = Open::from(outcome("000.000.000"));
/// assert_eq!(paid.known(), Some(PaymentStatus::Successful));
///
/// // The sandbox's success does not settle a live order, and is not lost either.
/// let test: Open<PaymentStatus, Outcome<&str>> = Open::from(outcome("000.100.110"));
/// assert_eq!(test.unknown().map(|outcome| outcome.code), Some("000.100.110"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Outcome<Raw> {
    /// The `result.code`, as it came.
    pub code: Raw,
    /// The payment's type; none if the reply has none, or one that the table does not name.
    pub payment_type: Option<PaymentType>,
    /// The environment that the payment was made in.
    pub environment: Environment,
}

impl<Raw: AsRef<str>> Outcome<Raw> {
    /// The code, if it is one.
    ///
    /// ```
    /// # use checkout_tables::peach::{Environment, Outcome, ResultCode};
    /// let outcome = Outcome { code: "100.396.101", payment_type: None, environment: Environment::Live };
    /// assert_eq!(outcome.result_code(), Some(ResultCode::CANCELLED));
    /// ```
    pub fn result_code(&self) -> Option<ResultCode> {
        ResultCode::parse(self.code.as_ref())
    }

    /// The status that it settles; none says nothing of the payment's end.
    ///
    /// ```
    /// # use checkout_tables::peach::{Environment, Outcome, PaymentStatus, PaymentType};
    /// let reserved = Some(PaymentType::PA);
    /// let outcome = Outcome { code: "000.000.000", payment_type: reserved, environment: Environment::Live };
    /// assert_eq!(outcome.status(), Some(PaymentStatus::Authorized)); // and no money has come
    /// ```
    pub fn status(&self) -> Option<PaymentStatus> {
        let code = self.result_code()?;
        match code.status()? {
            PaymentStatus::Successful | PaymentStatus::Authorized => {
                match (self.environment, self.payment_type?) {
                    (Environment::Live, _) if code.is_test_success() => None,
                    (Environment::Live | Environment::Sandbox, PaymentType::DB) => {
                        Some(PaymentStatus::Successful)
                    }
                    (Environment::Live | Environment::Sandbox, PaymentType::PA) => {
                        Some(PaymentStatus::Authorized)
                    }
                }
            }
            status @ (PaymentStatus::Created
            | PaymentStatus::Pending
            | PaymentStatus::Cancelled
            | PaymentStatus::Expired) => Some(status),
        }
    }
}

#[cfg(feature = "alloc")]
impl Outcome<alloc::borrow::Cow<'_, str>> {
    /// The same, with nothing borrowed.
    ///
    /// ```
    /// # use checkout_tables::peach::{Environment, Outcome};
    /// # use std::borrow::Cow;
    /// let code = Cow::Borrowed("000.200.100");
    /// let outcome = Outcome { code, payment_type: None, environment: Environment::Live };
    /// let owned: Outcome<Cow<'static, str>> = outcome.into_owned();
    /// assert_eq!(owned.code, "000.200.100");
    /// ```
    #[must_use]
    pub fn into_owned(self) -> Outcome<alloc::borrow::Cow<'static, str>> {
        let Self { code, payment_type, environment } = self;
        Outcome { code: alloc::borrow::Cow::Owned(code.into_owned()), payment_type, environment }
    }
}

impl<Raw: AsRef<str> + sealed::Raw> RawOf<PaymentStatus> for Outcome<Raw> {
    fn named(&self) -> Option<PaymentStatus> {
        self.status()
    }
}

impl<Raw: sealed::Raw> sealed::Raw for Outcome<Raw> {
    fn print(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.code.print(f)
    }
}

impl<Raw: sealed::Raw> fmt::Display for Outcome<Raw> {
    /// Its code, with what is no printable character escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        sealed::Raw::print(self, f)
    }
}
