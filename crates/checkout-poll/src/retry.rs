//! Retry advice as data.

use crate::Backoff;
use checkout_tables::Repeat;
use core::time::Duration;

/// Advice on sending a request again.
///
/// ```
/// # checkout_doctest::facade!(poll);
/// use checkout_kit::RetryAdvice;
/// use checkout_kit::peach::Route;
/// use checkout_kit::poll::{AttemptOutcome, retry_advice};
///
/// let route = Route::Initiate;
/// let lost = AttemptOutcome::Unknown { wait: None };
/// let advice = retry_advice(route.repeat(), route.lookup_key(), lost);
/// assert_eq!(advice, RetryAdvice::ReadFirst("merchantTransactionId"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RetryAdvice {
    /// Never: a repeat does not help, or could process the request twice and nothing would show it.
    Never,
    /// Send the request again, after at least this wait.
    After(Duration),
    /// The request may have been processed. Read by this parameter first, and send the request again only if
    /// the read finds nothing.
    ReadFirst(&'static str),
}

/// The outcome of an attempt that did not bring the expected answer, independent of wire and transport.
///
/// ```
/// # checkout_doctest::facade!(poll);
/// use checkout_kit::RetryAdvice;
/// use checkout_kit::poll::{AttemptOutcome, retry_advice};
/// use checkout_kit::tables::Repeat;
///
/// assert_eq!(retry_advice(Repeat::Unsafe, None, AttemptOutcome::NotSent), RetryAdvice::After(core::time::Duration::ZERO));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AttemptOutcome {
    /// Nothing left this machine.
    NotSent,
    /// No answer, or an answer that proves nothing: a gateway's, an unexpected response, unreadable.
    Unknown {
        /// The wait that the answer asked for.
        wait: Option<Duration>,
    },
    /// Refused because of too many requests.
    Limited {
        /// The wait that the answer asked for.
        wait: Option<Duration>,
        /// True if the refusal proves that the request was not processed.
        proves_not_processed: bool,
    },
    /// Refused for a reason that passes: the provider's own trouble.
    Temporary {
        /// The wait that the answer asked for.
        wait: Option<Duration>,
        /// True if the refusal proves that the request was not processed.
        proves_not_processed: bool,
    },
    /// Refused for a reason that the same request meets again.
    Refused {
        /// True if the refusal proves that the request was not processed.
        proves_not_processed: bool,
    },
}

/// Returns the advice on sending a request again after an attempt with this outcome.
///
/// `repeat` and `lookup_key` are facts of the route: `Route::repeat` and `Route::lookup_key` of
/// `checkout-tables`.
///
/// ```
/// # checkout_doctest::facade!(poll);
/// use checkout_kit::RetryAdvice;
/// use checkout_kit::poll::{AttemptOutcome, retry_advice};
/// use checkout_kit::tables::{Repeat, allscale};
/// use core::time::Duration;
///
/// // AllScale's create has no key and nothing to read it by: a lost answer is not asked for again.
/// let route = allscale::Route::Create;
/// let lost = AttemptOutcome::Unknown { wait: None };
/// assert_eq!(retry_advice(route.repeat(), route.lookup_key(), lost), RetryAdvice::Never);
/// // A limit that proves that nothing was done is waited for.
/// let limited = AttemptOutcome::Limited { wait: Some(Duration::from_secs(9)), proves_not_processed: true };
/// assert_eq!(retry_advice(Repeat::Unsafe, None, limited), RetryAdvice::After(Duration::from_secs(9)));
/// ```
#[must_use]
pub fn retry_advice(
    repeat: Repeat,
    lookup_key: Option<&'static str>,
    attempted: AttemptOutcome,
) -> RetryAdvice {
    let again = |wait: Option<Duration>| RetryAdvice::After(wait.unwrap_or(Duration::ZERO));
    let look = || lookup_key.map_or(RetryAdvice::Never, RetryAdvice::ReadFirst);
    let harmless = matches!(repeat, Repeat::Safe | Repeat::Keyed);
    match attempted {
        AttemptOutcome::NotSent => again(None),
        AttemptOutcome::Limited { wait, proves_not_processed: true }
        | AttemptOutcome::Temporary { wait, proves_not_processed: true } => again(wait),
        AttemptOutcome::Unknown { wait }
        | AttemptOutcome::Limited { wait, proves_not_processed: false }
        | AttemptOutcome::Temporary { wait, proves_not_processed: false } => {
            if harmless {
                again(wait)
            } else {
                look()
            }
        }
        AttemptOutcome::Refused { proves_not_processed } => {
            if harmless || proves_not_processed {
                RetryAdvice::Never
            } else {
                look()
            }
        }
    }
}

/// The bounds of a loop of attempts: how often to try, and how long to wait.
///
/// ```
/// # checkout_doctest::facade!(poll);
/// use checkout_kit::RetryPolicy;
/// use core::time::Duration;
///
/// let retries = RetryPolicy::default().attempts(2).budget(Duration::from_secs(5)).seed(42);
/// assert_eq!(retries.attempts, 2);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// The maximum number of attempts, including the first. 0 counts as 1.
    pub attempts: u32,
    /// The maximum of all waits together. The attempts themselves do not count.
    pub budget: Duration,
    /// The wait before the next attempt, if the advice does not ask for a longer wait.
    pub backoff: Backoff,
    /// The seed of the chance that shortens the waits: see [`Backoff`].
    pub seed: u64,
}

impl RetryPolicy {
    /// Sets the maximum number of attempts, including the first.
    ///
    /// ```
    /// # use checkout_poll::{RetryAdvice, RetryPolicy, RetryState};
    /// let mut once = RetryState::new(RetryPolicy::default().attempts(1));
    /// assert_eq!(once.next(RetryAdvice::After(core::time::Duration::ZERO)), None);
    /// ```
    #[must_use]
    pub const fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// Sets the maximum of all waits together.
    ///
    /// ```
    /// # use checkout_poll::RetryPolicy;
    /// # use core::time::Duration;
    /// assert_eq!(RetryPolicy::default().budget(Duration::ZERO).budget, Duration::ZERO);
    /// ```
    #[must_use]
    pub const fn budget(mut self, budget: Duration) -> Self {
        self.budget = budget;
        self
    }

    /// Sets the waits.
    ///
    /// ```
    /// # use checkout_poll::{Backoff, RetryPolicy};
    /// # use core::time::Duration;
    /// let backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2));
    /// assert_eq!(RetryPolicy::default().backoff(backoff).backoff, backoff);
    /// ```
    #[must_use]
    pub const fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Sets the seed. Give each loop its own seed, so that loops that fail together do not come back
    /// together.
    ///
    /// ```
    /// # use checkout_poll::RetryPolicy;
    /// assert_eq!(RetryPolicy::default().seed(7).seed, 7);
    /// ```
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }
}

impl Default for RetryPolicy {
    /// Four attempts, half a minute of waits, [`Backoff::default`], seed 0. Assumed: no provider documents
    /// these.
    fn default() -> Self {
        Self { attempts: 4, budget: Duration::from_secs(30), backoff: Backoff::default(), seed: 0 }
    }
}

/// One loop of attempts, with the used-up part of its [`RetryPolicy`].
///
/// ```
/// # checkout_doctest::facade!(poll);
/// use checkout_kit::poll::RetryState;
/// use checkout_kit::{RetryAdvice, RetryPolicy};
/// use core::time::Duration;
///
/// let mut retrying = RetryState::new(RetryPolicy::default());
/// // The first attempt failed, and the provider said to wait nine seconds.
/// assert_eq!(retrying.next(RetryAdvice::After(Duration::from_secs(9))), Some(Duration::from_secs(9)));
/// // Nobody waits for an hour inside a call: it is for the caller to know.
/// assert_eq!(retrying.next(RetryAdvice::After(Duration::from_secs(3600))), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RetryState {
    retries: RetryPolicy,
    ended: u32,
    waited: Duration,
}

impl RetryState {
    /// Creates the state of a loop before the first attempt.
    ///
    /// ```
    /// # use checkout_poll::{RetryPolicy, RetryState};
    /// assert_eq!(RetryState::new(RetryPolicy::default()).ended(), 0);
    /// ```
    #[must_use]
    pub const fn new(retries: RetryPolicy) -> Self {
        Self { retries, ended: 0, waited: Duration::ZERO }
    }

    /// Records that an attempt has ended with this advice. Returns the wait before the next attempt, or None
    /// to stop and return the last result. The result is None if the attempts are used up, if the advice is
    /// not [`After`](RetryAdvice::After), or if the wait is longer than the rest of the budget. No wait is
    /// cut short.
    ///
    /// ```
    /// # use checkout_poll::{RetryAdvice, RetryPolicy, RetryState};
    /// let mut retrying = RetryState::new(RetryPolicy::default());
    /// assert_eq!(retrying.next(RetryAdvice::Never), None);
    /// ```
    pub fn next(&mut self, advice: RetryAdvice) -> Option<Duration> {
        self.ended = self.ended.saturating_add(1);
        let RetryAdvice::After(least) = advice else { return None };
        if self.ended >= self.retries.attempts {
            return None;
        }
        let wait = least.max(self.retries.backoff.wait(self.ended, self.retries.seed));
        let waited = self.waited.checked_add(wait).filter(|waited| *waited <= self.retries.budget)?;
        self.waited = waited;
        Some(wait)
    }

    /// The number of attempts that have ended.
    ///
    /// ```
    /// # use checkout_poll::{RetryAdvice, RetryPolicy, RetryState};
    /// let mut retrying = RetryState::new(RetryPolicy::default());
    /// let _ = retrying.next(RetryAdvice::Never);
    /// assert_eq!(retrying.ended(), 1);
    /// ```
    #[must_use]
    pub const fn ended(&self) -> u32 {
        self.ended
    }

    /// The sum of the waits.
    ///
    /// ```
    /// # use checkout_poll::{RetryPolicy, RetryState};
    /// assert!(RetryState::new(RetryPolicy::default()).waited().is_zero());
    /// ```
    #[must_use]
    pub const fn waited(&self) -> core::time::Duration {
        self.waited
    }
}
