//! The result codes, the exact list that settles a payment, and the groups of the other codes.

use crate::code_table;
use crate::peach::PaymentStatus;
use crate::peach::meaning::MEANINGS;
use core::fmt;
use core::str::FromStr;

/// A `result.code`: three numbers of three digits, `000.100.110`.
///
/// An exact list of codes, [`status`](Self::status), decides how a payment ended. A [`group`](Self::group)
/// explains a code and settles nothing: the group of the successes also holds "risk check successful" and the
/// like.
///
/// Source: *Response codes*.
///
/// ```
/// # checkout_doctest::facade!(tables);
/// use checkout_kit::peach::{PaymentStatus, ResultCode, ResultGroup};
///
/// let paid = ResultCode::parse("000.000.000").unwrap();
/// assert_eq!(paid.status(), Some(PaymentStatus::Successful));
///
/// let risk_check = ResultCode::parse("000.300.100").unwrap();
/// assert_eq!(risk_check.group(), Some(ResultGroup::Success));
/// assert_eq!(risk_check.status(), None);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResultCode([u16; 3]);

impl ResultCode {
    /// Paid, in the live environment.
    pub const SUCCESS: Self = Self([0, 0, 0]);
    /// Paid, in the sandbox: without meaning in the live environment.
    pub const TEST_SUCCESS: [Self; 3] = [Self([0, 100, 110]), Self([0, 100, 111]), Self([0, 100, 112])];
    /// Pending.
    pub const PENDING: Self = Self([0, 200, 0]);
    /// Created.
    pub const CREATED: Self = Self([0, 200, 100]);
    /// Canceled by the customer.
    pub const CANCELLED: Self = Self([100, 396, 101]);
    /// Not paid in time.
    pub const EXPIRED: Self = Self([100, 396, 104]);
    /// The page was not opened yet: not a failure. A read gives this code for up to 30 minutes.
    pub const NOT_OPENED_YET: Self = Self([700, 400, 580]);
    /// The answer to a read of an unknown checkout, and to a read with wrong parameters.
    pub const NOT_FOUND: Self = Self([200, 300, 404]);

    /// The code with this text: three times three ASCII digits with a dot between, and nothing else.
    ///
    /// ```
    /// # use checkout_tables::peach::ResultCode;
    /// assert_eq!(ResultCode::parse("000.200.100"), Some(ResultCode::CREATED));
    /// assert_eq!(ResultCode::parse("0.200.100"), None);
    /// assert_eq!(ResultCode::parse("000.200.100 "), None);
    /// ```
    #[must_use]
    pub const fn parse(text: &str) -> Option<Self> {
        match *text.as_bytes() {
            [a, b, c, b'.', d, e, f, b'.', g, h, i] => {
                match (number(a, b, c), number(d, e, f), number(g, h, i)) {
                    (Some(first), Some(second), Some(third)) => Some(Self([first, second, third])),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The three numbers, each from 0 to 999.
    ///
    /// ```
    /// # use checkout_tables::peach::ResultCode;
    /// assert_eq!(ResultCode::CANCELLED.numbers(), [100, 396, 101]);
    /// ```
    #[must_use]
    pub const fn numbers(self) -> [u16; 3] {
        self.0
    }

    /// The status of the code, by the exact list and nothing else.
    ///
    /// None says nothing about the payment's end: keep the code and continue polling. A success is never
    /// [`Authorized`](PaymentStatus::Authorized) here, and a test's success counts as a success: the payment
    /// type and the environment decide, see [`Outcome`](crate::peach::Outcome).
    ///
    /// ```
    /// # use checkout_tables::peach::{PaymentStatus, ResultCode};
    /// assert_eq!(ResultCode::EXPIRED.status(), Some(PaymentStatus::Expired));
    /// assert_eq!(ResultCode::NOT_OPENED_YET.status(), None);
    /// ```
    #[must_use]
    pub const fn status(self) -> Option<PaymentStatus> {
        match self.0 {
            [0, 0, 0] | [0, 100, 110..=112] => Some(PaymentStatus::Successful),
            [0, 200, 100] => Some(PaymentStatus::Created),
            [0, 200, 0] | [0, 200, 101..=199] => Some(PaymentStatus::Pending),
            [100, 396, 101] => Some(PaymentStatus::Cancelled),
            [100, 396, 104] => Some(PaymentStatus::Expired),
            _ => None,
        }
    }

    /// True if the code is a success of the sandbox. Such a success must never settle a live order.
    ///
    /// ```
    /// # use checkout_tables::peach::ResultCode;
    /// assert!(ResultCode::TEST_SUCCESS.into_iter().all(ResultCode::is_test_success));
    /// assert!(!ResultCode::SUCCESS.is_test_success());
    /// ```
    #[must_use]
    pub const fn is_test_success(self) -> bool {
        matches!(self.0, [0, 100, 110..=112])
    }

    /// True if the code says that the page was not opened yet: this is not a failure.
    ///
    /// ```
    /// # use checkout_tables::peach::ResultCode;
    /// assert!(ResultCode::NOT_OPENED_YET.is_not_opened_yet());
    /// ```
    #[must_use]
    pub const fn is_not_opened_yet(self) -> bool {
        matches!(self.0, [700, 400, 580])
    }

    /// The first of the published groups that the code is in.
    ///
    /// ```
    /// # use checkout_tables::peach::{ResultCode, ResultGroup};
    /// let group = |code: &str| ResultCode::parse(code).and_then(ResultCode::group);
    /// assert_eq!(group("000.400.020"), Some(ResultGroup::SuccessReview));
    /// assert_eq!(group("000.400.030"), Some(ResultGroup::Communication)); // not a review
    /// assert_eq!(group("000.400.101"), Some(ResultGroup::RejectedThreeDs)); // not a success
    /// assert_eq!(group("700.400.580"), None);
    /// ```
    #[must_use]
    pub const fn group(self) -> Option<ResultGroup> {
        // The published rows in their order, with a prefix of two digits as a range of ten, and so on.
        Some(match self.0 {
            [0, 0, _] | [0, 100, 100..=199] | [0, 300..=399 | 600..=699, _] | [0, 400, 110 | 120] => {
                ResultGroup::Success
            }
            [0, 400, 0..=29 | 40..=99 | 100] => ResultGroup::SuccessReview,
            [0, 200, _] => ResultGroup::Pending,
            [800, 400, 500..=599] | [100, 400, 500] => ResultGroup::PendingDays,
            [0, 400, third @ 100..=199] if third % 10 != 0 => ResultGroup::RejectedThreeDs,
            [0, 400, 200..=299] => ResultGroup::RejectedThreeDs,
            [100, 390, 100..=199] => ResultGroup::RejectedThreeDsAuth,
            [800, 100 | 700, _] | [800, 800, 100..=399] => ResultGroup::RejectedBank,
            [900, 100 | 200 | 300 | 400, _] | [0, 400, 30] => ResultGroup::Communication,
            [800, 500..=699, _] | [999, _, _] | [600, 100..=199, _] => ResultGroup::System,
            [800, 800, 400..=499 | 800..=899] => ResultGroup::System,
            [100, 395..=397, _] => ResultGroup::AsyncWorkflow,
            [300, 100, 100] => ResultGroup::SoftDecline,
            [700, 600 | 601, _] => ResultGroup::Mac,
            [200, 100..=399, _] | [800, 900, _] | [100, 600 | 900, 500] => ResultGroup::Format,
            [100, 300..=309 | 370..=379 | 500..=509 | 570..=579, _] => ResultGroup::Format,
            [100, 550..=559, _] => ResultGroup::Amount,
            [0, 100, 200..=299] => ResultGroup::Chargeback,
            _ => return None,
        })
    }
}

impl ResultCode {
    /// The code's short meaning in English, for a person who looks at a payment or at a refusal. None for a
    /// code that is not published: print its digits.
    ///
    /// A meaning settles nothing: [`status`](Self::status) and [`Outcome`](crate::peach::Outcome) do.
    ///
    /// Source (Public): the result codes of Peach Payments' own Python package `peachpayments-partner`,
    /// version 0.1.15 (666 codes), and 000.400.091. The words are ours.
    ///
    /// ```
    /// # use checkout_tables::peach::ResultCode;
    /// let code = ResultCode::parse("800.100.153").unwrap();
    /// assert_eq!(code.meaning(), Some("declined: the CVV is not valid"));
    /// // Most codes are in no group.
    /// let code = ResultCode::parse("100.100.303").unwrap();
    /// assert_eq!((code.group(), code.meaning()), (None, Some("the card has expired")));
    /// let code = ResultCode::parse("123.456.789").unwrap();
    /// assert_eq!((code.meaning(), code.to_string()), (None, "123.456.789".to_owned()));
    /// ```
    #[must_use]
    pub fn meaning(self) -> Option<&'static str> {
        let place = MEANINGS.binary_search_by_key(&self.0, |row| row.0).ok()?;
        MEANINGS.get(place).map(|row| row.1)
    }
}

impl fmt::Display for ResultCode {
    /// Prints the code as sent: `000.100.110`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [[a, b, c], [d, e, g], [h, i, j]] = self.0.map(digits);
        let text = [a, b, c, b'.', d, e, g, b'.', h, i, j];
        f.pad(core::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for ResultCode {
    /// Prints the code as sent: `000.100.110`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ResultCode {
    type Err = ParseResultCodeError;

    /// Parses a code, like [`parse`](Self::parse).
    ///
    /// # Errors
    /// [`ParseResultCodeError`] if the text is not a result code.
    fn from_str(text: &str) -> Result<Self, ParseResultCodeError> {
        Self::parse(text).ok_or(ParseResultCodeError(()))
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for ResultCode {
    /// Serializes the code as its text.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for ResultCode {
    /// Deserializes the code from its text.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl serde::de::Visitor<'_> for Text {
            type Value = ResultCode;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a result code")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<ResultCode, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Text)
    }
}

/// The error for a text that is not a result code. The error does not hold the text.
///
/// ```
/// # checkout_doctest::facade!(tables);
/// use checkout_kit::peach::ResultCode;
///
/// let error = "000.000".parse::<ResultCode>().unwrap_err();
/// assert_eq!(error.to_string(), "a result code is three times three digits with a dot between");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseResultCodeError(());

impl fmt::Display for ParseResultCodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a result code is three times three digits with a dot between")
    }
}

impl core::error::Error for ParseResultCodeError {}

code_table! {
    /// A group of result codes. A code belongs to the first group of [`ROWS`](Self::ROWS) whose expression
    /// the code matches.
    ///
    /// A group explains a code and settles nothing. A code of a group may be a success of something other
    /// than the payment, or the refusal of a request and not of a payment.
    ///
    /// Source: *Response codes*, the regular expressions (15 rows). [`name`](Self::name) is the page's, in
    /// short; [`code`](Self::code) is ours.
    ///
    /// ```
    /// # checkout_doctest::facade!(tables);
    /// use checkout_kit::peach::{ResultCode, ResultGroup};
    ///
    /// let chargeback = ResultCode::parse("000.100.201").and_then(ResultCode::group);
    /// assert_eq!(chargeback, Some(ResultGroup::Chargeback));
    /// assert_eq!(ResultGroup::Chargeback.pattern(), r"^(000\.100\.2)");
    /// assert_eq!(ResultGroup::RejectedBank.to_string(), "rejected_bank");
    /// ```
    #[non_exhaustive]
    pub enum ResultGroup, row = (&'static str, &'static str) {
        /// Processed successfully, but perhaps not the payment itself.
        Success("success"), "success", r"^(000\.000\.|000\.100\.1|000\.[36]|000\.400\.[1][12]0)";
        /// Processed successfully, but a person has to review the payment.
        SuccessReview("success_review"), "success, review", r"^(000\.400\.0[^3]|000\.400\.100)";
        /// Pending.
        Pending("pending"), "pending", r"^(000\.200)";
        /// Pending, perhaps for days.
        PendingDays("pending_days"), "pending, days", r"^(800\.400\.5|100\.400\.500)";
        /// Rejected by 3DS or a risk check.
        RejectedThreeDs("rejected_three_ds"), "rejected 3DS", r"^(000\.400\.[1][0-9][1-9]|000\.400\.2)";
        /// Rejected because the 3DS authentication failed.
        RejectedThreeDsAuth("rejected_three_ds_auth"), "rejected 3DS auth", r"^(100\.390\.1)";
        /// Rejected by the bank.
        RejectedBank("rejected_bank"), "rejected bank", r"^(800\.[17]00|800\.800\.[123])";
        /// An error of communication: nothing is known of the payment.
        Communication("communication"), "communication", r"^(900\.[1234]00|000\.400\.030)";
        /// An error of the system: nothing is known of the payment.
        System("system"), "system", r"^(800\.[56]|999\.|600\.1|800\.800\.[84])";
        /// An error in an asynchronous workflow.
        AsyncWorkflow("async_workflow"), "async workflow", r"^(100\.39[765])";
        /// A soft decline: the payer has to authenticate, and may try again.
        SoftDecline("soft_decline"), "soft decline", r"^(300\.100\.100)";
        /// The message authentication is wrong.
        Mac("mac"), "mac", r"^(700\.600|700\.601)";
        /// A parameter of the request is missing or malformed.
        Format("format"), "format", r"^(200\.[123]|100\.[53][07]|800\.900|100\.[69]00\.500)";
        /// The amount is wrong.
        Amount("amount"), "amount", r"^(100\.55)";
        /// The money was taken back.
        Chargeback("chargeback"), "chargeback", r"^(000\.100\.2)";
    }
}

impl ResultGroup {
    /// The group's name, in a few words.
    ///
    /// ```
    /// # use checkout_tables::peach::ResultGroup;
    /// assert_eq!(ResultGroup::SuccessReview.name(), "success, review");
    /// ```
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().0
    }

    /// The published regular expression, with its dots as the literal dots that they mean. Nothing here
    /// evaluates the expression: [`ResultCode::group`] compares numbers.
    ///
    /// ```
    /// # use checkout_tables::peach::ResultGroup;
    /// assert_eq!(ResultGroup::Pending.pattern(), r"^(000\.200)");
    /// ```
    #[must_use]
    pub const fn pattern(self) -> &'static str {
        self.row().1
    }
}

/// Three ASCII digits as a number.
const fn number(a: u8, b: u8, c: u8) -> Option<u16> {
    if a.is_ascii_digit() && b.is_ascii_digit() && c.is_ascii_digit() {
        Some((a - b'0') as u16 * 100 + (b - b'0') as u16 * 10 + (c - b'0') as u16)
    } else {
        None
    }
}

/// A number below 1000 as three ASCII digits.
fn digits(number: u16) -> [u8; 3] {
    [number / 100 % 10, number / 10 % 10, number % 10].map(|digit| digit.to_le_bytes()[0] + b'0')
}
