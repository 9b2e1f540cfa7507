//! The scenarios: the ways that a checkout can go.

use std::borrow::Cow;
use std::time::Duration;

/// Writes the named scenarios: a constructor, a name and a row for each.
///
/// A row is `name = [(seconds after the step before, code), …]` with the calls of further settings.
macro_rules! scenarios {
    ($(
        $(#[doc = $doc:literal])*
        $name:ident = [$(($seconds:expr, $code:expr)),*] $(. $setting:ident($($argument:expr),*))*;
    )+) => {
        /// The scenarios that have a name.
        impl Scenario {
            /// The names that [`Scenario::by_name`] knows, which are the names of the constructors below.
            ///
            /// ```
            /// # use checkout_sandbox::peach::Scenario;
            /// assert!(Scenario::NAMES.iter().all(|name| Scenario::by_name(name).is_some()));
            /// ```
            pub const NAMES: [&'static str; [$(stringify!($name)),+].len()] = [$(stringify!($name)),+];

            /// The scenario with this name, if the name is in [`Scenario::NAMES`].
            ///
            /// ```
            /// # use checkout_sandbox::peach::Scenario;
            /// assert_eq!(Scenario::by_name("happy"), Some(Scenario::happy()));
            /// assert_eq!(Scenario::by_name("unheard of"), None);
            /// ```
            #[must_use]
            pub fn by_name(name: &str) -> Option<Self> {
                $(
                    if name == stringify!($name) {
                        return Some(Self::$name());
                    }
                )+
                None
            }

            /// A sentence about the scenario with this name, if the name is in [`Scenario::NAMES`].
            ///
            /// ```
            /// # use checkout_sandbox::peach::Scenario;
            /// let sentence = Scenario::sentence("happy").unwrap_or_default();
            /// assert!(sentence.ends_with('.'));
            /// ```
            #[must_use]
            pub fn sentence(name: &str) -> Option<String> {
                $(
                    if name == stringify!($name) {
                        return Some(crate::summary::summary(concat!($($doc, "\n"),*)));
                    }
                )+
                None
            }

            $(
                $(#[doc = $doc])*
                #[must_use]
                pub fn $name() -> Self {
                    Self::of(stringify!($name), vec![$(Step::new($seconds, $code)),*])
                        $(.$setting($($argument),*))*
                }
            )+
        }
    };
}

/// The way that a checkout goes: the result codes, and the time of each.
///
/// Every checkout begins unopened, with 700.400.580. The time of each step counts from the step before, and
/// the time of the first step from the checkout's creation. The last code stays for ever. The scenario alone
/// chooses the order of codes: the sandbox also plays orders that Peach should never show.
///
/// Assumed: every duration but the half hours after which Peach's pages let a checkout expire.
///
/// ```
/// use std::time::Duration;
///
/// use checkout_sandbox::peach::{SUCCESS, Scenario};
///
/// let scenario = Scenario::happy();
/// assert_eq!(scenario.code_at(Duration::ZERO), "700.400.580");
/// assert_eq!(scenario.code_at(Duration::from_secs(3600)), SUCCESS);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    name: Cow<'static, str>,
    steps: Vec<Step>,
    payment_type: Option<Cow<'static, str>>,
    expired_word: Option<Cow<'static, str>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// The time after the step before.
    pub(super) after: Duration,
    pub(super) code: Cow<'static, str>,
    /// The age of the timestamp at the time of the step.
    pub(super) older: Duration,
}

scenarios! {
    /// Opened and paid.
    ///
    /// ```
    /// # use checkout_sandbox::peach::{SUCCESS, Scenario};
    /// assert_eq!(Scenario::happy().codes(), ["700.400.580", "000.200.100", SUCCESS]);
    /// ```
    happy = [(5, CREATED), (30, SUCCESS)];

    /// Opened, pending for a while, and paid.
    ///
    /// ```
    /// # use checkout_sandbox::peach::{SUCCESS, Scenario};
    /// assert_eq!(Scenario::pending_then_successful().codes()[1..], ["000.200.100", "000.200.000", SUCCESS]);
    /// ```
    pending_then_successful = [(5, CREATED), (25, PENDING), (5 * MINUTE, SUCCESS)];

    /// Opened, and cancelled by the payer.
    ///
    /// ```
    /// # use checkout_sandbox::peach::Scenario;
    /// assert_eq!(Scenario::cancelled().codes()[1..], ["000.200.100", "100.396.101"]);
    /// ```
    cancelled = [(5, CREATED), (60, CANCELLED)];

    /// Opened, and left until the checkout expires, half an hour later.
    ///
    /// ```
    /// # use checkout_sandbox::peach::Scenario;
    /// assert_eq!(Scenario::expired().codes()[1..], ["000.200.100", "100.396.104"]);
    /// ```
    expired = [(5, CREATED), (30 * MINUTE, EXPIRED)];

    /// Never opened: created after half an hour, by itself, and expired after another half hour.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use checkout_sandbox::peach::Scenario;
    /// let scenario = Scenario::never_opened();
    /// let after = |minutes: u64| scenario.code_at(Duration::from_secs(60 * minutes));
    /// assert_eq!([29, 30, 60].map(after), ["700.400.580", "000.200.100", "100.396.104"]);
    /// ```
    never_opened = [(30 * MINUTE, CREATED), (30 * MINUTE, EXPIRED)];

    /// Cancelled, and paid twenty minutes later.
    ///
    /// ```
    /// # use checkout_sandbox::peach::{SUCCESS, Scenario};
    /// let scenario = Scenario::late_success_after_cancelled();
    /// assert_eq!(scenario.codes()[1..], ["000.200.100", "100.396.101", SUCCESS]);
    /// ```
    late_success_after_cancelled = [(5, CREATED), (60, CANCELLED), (20 * MINUTE, SUCCESS)];

    /// Expired, and paid twenty minutes later.
    ///
    /// ```
    /// # use checkout_sandbox::peach::{SUCCESS, Scenario};
    /// let scenario = Scenario::late_success_after_expired();
    /// assert_eq!(scenario.codes()[1..], ["000.200.100", "100.396.104", SUCCESS]);
    /// ```
    late_success_after_expired = [(5, CREATED), (30 * MINUTE, EXPIRED), (20 * MINUTE, SUCCESS)];

    /// Declined once, and paid at the second attempt.
    ///
    /// ```
    /// # use checkout_sandbox::peach::{SUCCESS, Scenario};
    /// assert_eq!(Scenario::declined_then_paid().codes()[1..], ["000.200.100", "800.100.151", SUCCESS]);
    /// ```
    declined_then_paid = [(5, CREATED), (30, DECLINED), (60, SUCCESS)];

    /// Authorised only: a success whose replies say `paymentType` PA, whatever the request asked for.
    ///
    /// ```
    /// # use checkout_sandbox::peach::Scenario;
    /// assert_eq!(Scenario::authorized().codes(), Scenario::happy().codes());
    /// ```
    authorized = [(5, CREATED), (30, SUCCESS)].showing_payment_type("PA");

    /// Held for a manual review for an hour, and paid.
    ///
    /// ```
    /// # use checkout_sandbox::peach::{SUCCESS, Scenario};
    /// assert_eq!(Scenario::in_review().codes()[1..], ["000.200.100", "000.400.000", SUCCESS]);
    /// ```
    in_review = [(5, CREATED), (30, IN_REVIEW), (60 * MINUTE, SUCCESS)];

    /// Paid, and charged back a day later.
    ///
    /// ```
    /// # use checkout_sandbox::peach::{SUCCESS, Scenario};
    /// assert_eq!(Scenario::charged_back().codes()[1..], ["000.200.100", SUCCESS, "000.100.200"]);
    /// ```
    charged_back = [(5, CREATED), (30, SUCCESS), (24 * 60 * MINUTE, CHARGEBACK)];

    /// Through a code that no page lists, to a success.
    ///
    /// ```
    /// # use checkout_sandbox::peach::{SUCCESS, Scenario};
    /// assert_eq!(Scenario::unknown_code().codes()[1..], ["000.200.100", "123.456.789", SUCCESS]);
    /// ```
    unknown_code = [(5, CREATED), (30, "123.456.789"), (60, SUCCESS)];

    /// A code that begins like a success and is no success ("risk check successful"), and then nothing more
    /// until the checkout expires.
    ///
    /// ```
    /// # use checkout_sandbox::peach::Scenario;
    /// assert_eq!(Scenario::risk_check_only().codes()[1..], ["000.200.100", "000.300.100", "100.396.104"]);
    /// ```
    risk_check_only = [(5, CREATED), (30, RISK_CHECK), (30 * MINUTE - 30, EXPIRED)];

    /// Paid, and then cancelled as of a time before the payment: an old message that comes late.
    ///
    /// ```
    /// # use checkout_sandbox::peach::{SUCCESS, Scenario};
    /// let scenario = Scenario::older_cancelled_after_success();
    /// assert_eq!(scenario.codes()[1..], ["000.200.100", SUCCESS, "100.396.101"]);
    /// ```
    older_cancelled_after_success =
        [(5, CREATED), (30, SUCCESS), (60, CANCELLED)].stamping_the_last_older(Duration::from_secs(80));

    /// Paid, and then cancelled, as of a time after the payment.
    ///
    /// ```
    /// # use checkout_sandbox::peach::{SUCCESS, Scenario};
    /// let scenario = Scenario::newer_cancelled_after_success();
    /// assert_eq!(scenario.codes()[1..], ["000.200.100", SUCCESS, "100.396.101"]);
    /// ```
    newer_cancelled_after_success = [(5, CREATED), (30, SUCCESS), (60, CANCELLED)];

    /// Ended with the success of a test, 000.100.110, in whichever environment. In the live environment the
    /// success of a test is no money.
    ///
    /// ```
    /// # use checkout_sandbox::peach::Scenario;
    /// assert_eq!(Scenario::test_success().codes()[1..], ["000.200.100", "000.100.110"]);
    /// ```
    test_success = [(5, CREATED), (30, TEST_SUCCESS)];

    /// Expired, in the wrapped shape of V1's status, with the newer pages' word for an end by time:
    /// `uncertain`.
    ///
    /// ```
    /// # use checkout_sandbox::peach::Scenario;
    /// assert_eq!(Scenario::uncertain().codes(), Scenario::expired().codes());
    /// ```
    uncertain = [(5, CREATED), (30 * MINUTE, EXPIRED)].wrapped_with_expired_as("uncertain");
}

impl Scenario {
    /// A scenario of your own. Each step is a time after the step before, and a result code, which may be any
    /// text, or [`SUCCESS`].
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use checkout_sandbox::peach::{SUCCESS, Scenario};
    ///
    /// let at_once = Scenario::custom([(Duration::ZERO, SUCCESS)]);
    /// assert_eq!(at_once.name(), "custom");
    /// assert_eq!(at_once.code_at(Duration::ZERO), SUCCESS);
    /// ```
    #[must_use]
    pub fn custom<Code: Into<Cow<'static, str>>>(steps: impl IntoIterator<Item = (Duration, Code)>) -> Self {
        let step = |(after, code): (_, Code)| Step { after, code: code.into(), older: Duration::ZERO };
        Self::of("custom", steps.into_iter().map(step).collect())
    }

    /// The same scenario, with this `paymentType` in every reply, whatever the request asks for.
    ///
    /// ```
    /// # use checkout_sandbox::peach::Scenario;
    /// let pending_authorization = Scenario::pending_then_successful().showing_payment_type("PA");
    /// ```
    #[must_use]
    pub fn showing_payment_type(mut self, payment_type: impl Into<Cow<'static, str>>) -> Self {
        self.payment_type = Some(payment_type.into());
        self
    }

    /// The same scenario, with a timestamp of the last step that is this much older than the step.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use checkout_sandbox::peach::Scenario;
    /// let delayed = Scenario::cancelled().stamping_the_last_older(Duration::from_secs(30));
    /// assert_eq!(delayed.codes(), Scenario::cancelled().codes());
    /// ```
    #[must_use]
    pub fn stamping_the_last_older(mut self, by: Duration) -> Self {
        if let Some(last) = self.steps.last_mut() {
            last.older = by;
        }
        self
    }

    /// The same scenario, with replies to V1's status in the wrapped shape, and this word for `expired`.
    ///
    /// ```
    /// # use checkout_sandbox::peach::Scenario;
    /// let renamed = Scenario::expired().wrapped_with_expired_as("lapsed");
    /// ```
    #[must_use]
    pub fn wrapped_with_expired_as(mut self, word: impl Into<Cow<'static, str>>) -> Self {
        self.expired_word = Some(word.into());
        self
    }

    /// The scenario's name, `custom` for your own.
    ///
    /// ```
    /// # use checkout_sandbox::peach::Scenario;
    /// assert_eq!(Scenario::charged_back().name(), "charged_back");
    /// ```
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// All codes of the scenario in order, with the 700.400.580 at the beginning.
    ///
    /// ```
    /// # use checkout_sandbox::peach::Scenario;
    /// assert_eq!(Scenario::cancelled().codes(), ["700.400.580", "000.200.100", "100.396.101"]);
    /// ```
    #[must_use]
    pub fn codes(&self) -> Vec<&str> {
        self.reached(Duration::MAX)
    }

    /// The code this long after the checkout's creation. The code of a step shows from the step's time on.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use checkout_sandbox::peach::Scenario;
    ///
    /// let scenario = Scenario::custom([(Duration::from_secs(5), "000.200.100")]);
    /// assert_eq!(scenario.code_at(Duration::from_millis(4_999)), "700.400.580");
    /// assert_eq!(scenario.code_at(Duration::from_millis(5_000)), "000.200.100");
    /// ```
    #[must_use]
    pub fn code_at(&self, elapsed: Duration) -> &str {
        self.reached(elapsed).last().copied().unwrap_or(NOT_OPENED)
    }

    pub(super) fn steps(&self) -> &[Step] {
        &self.steps
    }

    pub(super) fn shown_payment_type(&self) -> Option<&str> {
        self.payment_type.as_deref()
    }

    /// The word for `expired`, if the scenario is wrapped.
    pub(super) fn expired_word(&self) -> Option<&str> {
        self.expired_word.as_deref()
    }

    fn of(name: &'static str, steps: Vec<Step>) -> Self {
        Self { name: Cow::Borrowed(name), steps, payment_type: None, expired_word: None }
    }

    fn reached(&self, elapsed: Duration) -> Vec<&str> {
        let mut at = Duration::ZERO;
        let mut codes = vec![NOT_OPENED];
        for step in &self.steps {
            at = at.saturating_add(step.after);
            if at > elapsed {
                break;
            }
            codes.push(&step.code);
        }
        codes
    }
}

impl Default for Scenario {
    /// Returns [`Scenario::happy`].
    fn default() -> Self {
        Self::happy()
    }
}

impl Step {
    fn new(seconds: u64, code: &'static str) -> Self {
        Self { after: Duration::from_secs(seconds), code: Cow::Borrowed(code), older: Duration::ZERO }
    }
}

/// The success of the sandbox's environment, in place of a step's code: 000.000.000 in the live environment,
/// and 000.100.110 in the other.
///
/// ```
/// use std::time::Duration;
///
/// use checkout_sandbox::peach::{SUCCESS, Scenario};
///
/// let paid_at_once = Scenario::custom([(Duration::ZERO, SUCCESS)]);
/// ```
pub const SUCCESS: &str = "success";

// Typed from the pages, and not from the table that is under test.
pub(super) const NOT_OPENED: &str = "700.400.580";
pub(super) const CREATED: &str = "000.200.100";
pub(super) const PENDING: &str = "000.200.000";
pub(super) const LIVE_SUCCESS: &str = "000.000.000";
pub(super) const TEST_SUCCESS: &str = "000.100.110";
pub(super) const CANCELLED: &str = "100.396.101";
pub(super) const EXPIRED: &str = "100.396.104";
pub(super) const NOT_FOUND: &str = "200.300.404";
pub(super) const DECLINED: &str = "800.100.151";
pub(super) const CHARGEBACK: &str = "000.100.200";
const IN_REVIEW: &str = "000.400.000";
const RISK_CHECK: &str = "000.300.100";

/// A minute, in seconds.
const MINUTE: u64 = 60;
