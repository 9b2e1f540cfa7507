//! The end of a payment, as a reply reports it.

use crate::RawOf;
use crate::open::sealed;
use crate::peach::{Environment, PaymentStatus, PaymentType, ResultCode};
use core::fmt;

/// The end of a payment, as a reply reports it: the `result.code`, read with the payment's type and the
/// environment.
///
/// The one place where a code becomes a [`PaymentStatus`]. For a success the type and the environment decide,
/// so that only money looks like money:
///
/// | success code | type | environment | status |
/// |---|---|---|---|
/// | the live one | `DB` | either | [`Successful`](PaymentStatus::Successful) |
/// | the live one | `PA` | either | [`Authorized`](PaymentStatus::Authorized) |
/// | a test's | `DB`, `PA` | sandbox | the same |
/// | a test's | any | live | none |
/// | any | another, or missing | either | none |
///
/// Any other status depends on the code alone. If there is no status, [`Open`](crate::Open) keeps the whole
/// outcome.
///
/// Sources: *Payment status*; *Response codes*; *Hosted Checkout*, `paymentType`.
///
/// ```
/// # checkout_doctest::facade!(tables);
/// use checkout_kit::peach::{Environment, Outcome, PaymentStatus, PaymentType};
/// use checkout_kit::tables::Open;
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
    /// The `result.code`, as received.
    pub code: Raw,
    /// The payment's type; None if the reply has no type, or a type that the table does not name.
    pub payment_type: Option<PaymentType>,
    /// The environment of the payment.
    pub environment: Environment,
}

impl<Raw: AsRef<str>> Outcome<Raw> {
    /// The code, if the text is a result code.
    ///
    /// ```
    /// # use checkout_tables::peach::{Environment, Outcome, ResultCode};
    /// let outcome = Outcome { code: "100.396.101", payment_type: None, environment: Environment::Live };
    /// assert_eq!(outcome.result_code(), Some(ResultCode::CANCELLED));
    /// ```
    pub fn result_code(&self) -> Option<ResultCode> {
        ResultCode::parse(self.code.as_ref())
    }

    /// The status that the outcome settles; None says nothing about the payment's end.
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
    /// Converts to an outcome that borrows nothing.
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
    /// Prints the code, with characters that are not printable escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        sealed::Raw::print(self, f)
    }
}
