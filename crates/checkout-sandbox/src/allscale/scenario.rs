//! The scenarios: the ways that a checkout intent can go.

use std::borrow::Cow;
use std::time::Duration;

use super::course::{CREATED, Course};

/// Writes the named scenarios: a constructor, a name and a row for each.
///
/// A row is `name = permille paid, [(seconds after the step before, status), …];`.
macro_rules! scenarios {
    ($($(#[doc = $doc:literal])* $name:ident = $permille:literal, [$(($seconds:expr, $status:literal)),*];)+) => {
        /// The scenarios that have a name.
        impl Scenario {
            /// The names that [`Scenario::by_name`] knows, which are the names of the constructors below.
            ///
            /// ```
            /// # use checkout_sandbox::allscale::Scenario;
            /// assert!(Scenario::NAMES.iter().all(|name| Scenario::by_name(name).is_some()));
            /// ```
            pub const NAMES: [&'static str; [$(stringify!($name)),+].len()] = [$(stringify!($name)),+];

            /// The scenario with this name, if the name is in [`Scenario::NAMES`].
            ///
            /// ```
            /// # use checkout_sandbox::allscale::Scenario;
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
            /// # use checkout_sandbox::allscale::Scenario;
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
                    let steps = vec![$((Duration::from_secs($seconds), $status)),*];
                    Self { name: Cow::Borrowed(stringify!($name)), steps, permille: $permille }
                }
            )+
        }
    };
}

/// The way that a checkout intent goes: the statuses, the time of each, and the share that the payer pays.
///
/// Every intent begins with status 1 (CREATED). The time of each step counts from the step before, and the
/// time of the first step from the intent's creation. The last status stays for ever. The scenario alone
/// chooses the order of statuses: the sandbox also plays orders that AllScale should never show.
///
/// The status of an intent follows from the scenario, the time of creation and the time now, and from nothing
/// else, unless an [`Act`](super::Act) takes the intent off the scenario.
///
/// Assumed: every duration, since no page tells a duration. A manual review and a late payment
/// take longer than the ten minutes after which AllScale advises to stop polling.
///
/// ```
/// use std::time::Duration;
///
/// use checkout_sandbox::allscale::Scenario;
///
/// let scenario = Scenario::happy();
/// assert_eq!(scenario.status_at(Duration::ZERO), 1);
/// assert_eq!(scenario.status_at(Duration::from_secs(3600)), 20);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    name: Cow<'static, str>,
    steps: Vec<(Duration, i64)>,
    permille: u32,
}

scenarios! {
    /// Opened, paid and confirmed.
    ///
    /// ```
    /// # use checkout_sandbox::allscale::Scenario;
    /// assert_eq!(Scenario::happy().statuses(), [1, 2, 10, 20]);
    /// ```
    happy = 1000, [(5, 2), (25, 10), (30, 20)];

    /// Paid into a temporary wallet, and passed by the checks of the transaction (KYT).
    ///
    /// ```
    /// # use checkout_sandbox::allscale::Scenario;
    /// assert_eq!(Scenario::kyt_passed().statuses(), [1, 2, 3, 10, 20]);
    /// ```
    kyt_passed = 1000, [(5, 2), (20, 3), (40, 10), (30, 20)];

    /// Paid into a temporary wallet, refused by the checks of the transaction, and sent back.
    ///
    /// ```
    /// # use checkout_sandbox::allscale::Scenario;
    /// assert_eq!(Scenario::kyt_refused().statuses(), [1, 2, 3, 5, -2]);
    /// ```
    kyt_refused = 1000, [(5, 2), (20, 3), (40, 5), (5 * MINUTE, -2)];

    /// Stuck in the temporary wallet, reviewed by hand for an hour, and passed.
    ///
    /// ```
    /// # use checkout_sandbox::allscale::Scenario;
    /// assert_eq!(Scenario::manual_operation().statuses(), [1, 2, 3, 4, 10, 20]);
    /// ```
    manual_operation = 1000, [(5, 2), (20, 3), (15 * MINUTE, 4), (60 * MINUTE, 10), (30, 20)];

    /// Paid by half, and sent back.
    ///
    /// ```
    /// # use checkout_sandbox::allscale::Scenario;
    /// assert_eq!(Scenario::underpaid().statuses(), [1, 2, 10, 5, -3]);
    /// ```
    underpaid = 500, [(5, 2), (25, 10), (30, 5), (5 * MINUTE, -3)];

    /// Paid by half as much again, and confirmed.
    ///
    /// ```
    /// # use checkout_sandbox::allscale::Scenario;
    /// assert_eq!(Scenario::overpaid().statuses(), [1, 2, 10, 20]);
    /// ```
    overpaid = 1500, [(5, 2), (25, 10), (30, 20)];

    /// Canceled by the user on the hosted page.
    ///
    /// ```
    /// # use checkout_sandbox::allscale::Scenario;
    /// assert_eq!(Scenario::canceled().statuses(), [1, 2, -4]);
    /// ```
    canceled = 0, [(5, 2), (60, -4)];

    /// Opened, and left until the intent expires, half an hour later.
    ///
    /// ```
    /// # use checkout_sandbox::allscale::Scenario;
    /// assert_eq!(Scenario::timeout().statuses(), [1, 2, -5]);
    /// ```
    timeout = 0, [(5, 2), (30 * MINUTE, -5)];

    /// Paid, and failed by a processing error.
    ///
    /// ```
    /// # use checkout_sandbox::allscale::Scenario;
    /// assert_eq!(Scenario::failed().statuses(), [1, 2, 10, -1]);
    /// ```
    failed = 1000, [(5, 2), (25, 10), (30, -1)];

    /// Expired, and paid twenty minutes later.
    ///
    /// ```
    /// # use checkout_sandbox::allscale::Scenario;
    /// assert_eq!(Scenario::late_success().statuses(), [1, 2, -5, 10, 20]);
    /// ```
    late_success = 1000, [(5, 2), (30 * MINUTE, -5), (20 * MINUTE, 10), (30, 20)];

    /// Through a status that no page names, to a confirmed payment.
    ///
    /// ```
    /// # use checkout_sandbox::allscale::Scenario;
    /// assert_eq!(Scenario::unknown_status().statuses(), [1, 2, 6, 10, 20]);
    /// ```
    unknown_status = 1000, [(5, 2), (20, 6), (20, 10), (30, 20)];

    /// Back from paid to opened for a while, as a replica that lags behind says.
    ///
    /// ```
    /// # use checkout_sandbox::allscale::Scenario;
    /// assert_eq!(Scenario::regression().statuses(), [1, 2, 10, 2, 10, 20]);
    /// ```
    regression = 1000, [(5, 2), (25, 10), (10, 2), (10, 10), (30, 20)];

    /// Confirmed, which is final, and then no longer confirmed.
    ///
    /// ```
    /// # use checkout_sandbox::allscale::Scenario;
    /// assert_eq!(Scenario::change_after_terminal().statuses(), [1, 2, 10, 20, 10]);
    /// ```
    change_after_terminal = 1000, [(5, 2), (25, 10), (30, 20), (60, 10)];

    /// Opened, and left open for ever.
    ///
    /// ```
    /// # use checkout_sandbox::allscale::Scenario;
    /// assert_eq!(Scenario::never_paid().statuses(), [1, 2]);
    /// ```
    never_paid = 0, [(5, 2)];
}

impl Scenario {
    /// A scenario of your own. Each step is a time after the step before, and a status, which may be any
    /// integer. The payer pays the full amount.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use checkout_sandbox::allscale::Scenario;
    ///
    /// let at_once = Scenario::custom([(Duration::ZERO, 20)]);
    /// assert_eq!(at_once.name(), "custom");
    /// assert_eq!(at_once.status_at(Duration::ZERO), 20);
    /// ```
    #[must_use]
    pub fn custom(steps: impl IntoIterator<Item = (Duration, i64)>) -> Self {
        Self { name: Cow::Borrowed("custom"), steps: steps.into_iter().collect(), permille: 1000 }
    }

    /// The same scenario, with a payer who pays this many thousandths of the amount: 1000 is the full amount.
    /// The share shows in an intent that comes to be paid.
    ///
    /// ```
    /// # use checkout_sandbox::allscale::Scenario;
    /// let one_short_in_a_thousand = Scenario::happy().paying_permille(999);
    /// assert_ne!(one_short_in_a_thousand, Scenario::happy());
    /// ```
    #[must_use]
    pub fn paying_permille(mut self, permille: u32) -> Self {
        self.permille = permille;
        self
    }

    /// The scenario's name, `custom` for your own.
    ///
    /// ```
    /// # use checkout_sandbox::allscale::Scenario;
    /// assert_eq!(Scenario::late_success().name(), "late_success");
    /// ```
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// All statuses of the scenario in order, with the 1 at the beginning.
    ///
    /// ```
    /// # use checkout_sandbox::allscale::Scenario;
    /// assert_eq!(Scenario::canceled().statuses(), [1, 2, -4]);
    /// ```
    #[must_use]
    pub fn statuses(&self) -> Vec<i64> {
        self.reached(Duration::MAX)
    }

    /// The status this long after the intent's creation. The status of a step shows from the step's time on.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use checkout_sandbox::allscale::Scenario;
    ///
    /// let scenario = Scenario::custom([(Duration::from_secs(5), 2), (Duration::from_secs(5), 10)]);
    /// let millis = |millis| scenario.status_at(Duration::from_millis(millis));
    /// assert_eq!([4_999, 5_000, 9_999, 10_000].map(millis), [1, 2, 2, 10]);
    /// ```
    #[must_use]
    pub fn status_at(&self, elapsed: Duration) -> i64 {
        self.course().status_at(elapsed)
    }

    /// The course of an intent that goes through the scenario.
    pub(super) fn course(&self) -> Course {
        Course::new(&self.steps, self.permille)
    }

    fn reached(&self, elapsed: Duration) -> Vec<i64> {
        let course = self.course();
        [CREATED].into_iter().chain(course.reached(elapsed).iter().map(|(_, status)| *status)).collect()
    }
}

impl Default for Scenario {
    /// Returns [`Scenario::happy`].
    fn default() -> Self {
        Self::happy()
    }
}

/// A minute, in seconds.
const MINUTE: u64 = 60;
