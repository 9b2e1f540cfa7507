//! Whether to try again: advice as data.

use crate::Backoff;
use checkout_tables::Repeat;
use core::time::Duration;

/// Whether to send a request again.
///
/// ```
/// use checkout_poll::{RetryAdvice, AttemptOutcome, retry_advice};
/// use checkout_tables::peach::Route;
///
/// let route = Route::Initiate;
/// let lost = AttemptOutcome::Unknown { wait: None };
/// let advice = retry_advice(route.repeat(), route.lookup_key(), lost);
/// assert_eq!(advice, RetryAdvice::ReadFirst("merchantTransactionId"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RetryAdvice {
    /// Never: it mends nothing, or it could be done twice and nothing tells whether it was.
    Never,
    /// Again, after this wait at least.
    After(Duration),
    /// It may have been done. Read by this parameter first, and send it again only if there is nothing.
    ReadFirst(&'static str),
}

/// How an attempt ended that did not bring what was asked for, without words of the wire or of the transport.
///
/// ```
/// use checkout_poll::{RetryAdvice, AttemptOutcome, retry_advice};
/// use checkout_tables::Repeat;
///
/// assert_eq!(retry_advice(Repeat::Unsafe, None, AttemptOutcome::NotSent), RetryAdvice::After(core::time::Duration::ZERO));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AttemptOutcome {
    /// Nothing left this machine.
    NotSent,
    /// No answer, or one that proves nothing: a gateway's, not the API's, unreadable.
    Unknown {
        /// What the answer said to wait.
        wait: Option<Duration>,
    },
    /// Refused because of too many requests.
    Limited {
        /// What the answer said to wait.
        wait: Option<Duration>,
        /// Whether the refusal proves that nothing was done.
        proves_not_processed: bool,
    },
    /// Refused for something that passes: the provider's own trouble.
    Temporary {
        /// What the answer said to wait.
        wait: Option<Duration>,
        /// Whether the refusal proves that nothing was done.
        proves_not_processed: bool,
    },
    /// Refused for something that the same request meets again.
    Refused {
        /// Whether the refusal proves that nothing was done.
        proves_not_processed: bool,
    },
}

/// Whether to send a request again after an attempt that ended like this.
///
/// `repeat` and `lookup_key` are facts of the route: `Route::repeat` and `Route::lookup_key` of
/// `checkout-tables`.
///
/// ```
/// use checkout_poll::{RetryAdvice, AttemptOutcome, retry_advice};
/// use checkout_tables::{Repeat, allscale};
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

/// How often to try, and how long to wait for it: what a loop of attempts is bounded by.
///
/// ```
/// use checkout_poll::RetryPolicy;
/// use core::time::Duration;
///
/// let retries = RetryPolicy::default().attempts(2).budget(Duration::from_secs(5)).seed(42);
/// assert_eq!(retries.attempts, 2);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// The most attempts, the first one counted. 0 counts as 1.
    pub attempts: u32,
    /// The most time for the waits together. The attempts themselves do not count.
    pub budget: Duration,
    /// How long to wait, where the advice says no more.
    pub backoff: Backoff,
    /// What chance shortens the waits by: see [`Backoff`].
    pub seed: u64,
}

impl RetryPolicy {
    /// With at most so many attempts, the first one counted.
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

    /// With at most so much time for the waits together.
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

    /// With these waits.
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

    /// With this seed: one of its own for each loop, so that loops that fail together do not come back
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
    /// Four attempts, half a minute of waits, [`Backoff::default`], seed 0. Assumed: no provider says.
    fn default() -> Self {
        Self { attempts: 4, budget: Duration::from_secs(30), backoff: Backoff::default(), seed: 0 }
    }
}

/// One loop of attempts: what of its [`RetryPolicy`] is used up.
///
/// ```
/// use checkout_poll::{RetryAdvice, RetryPolicy, RetryState};
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
    /// Nothing has been tried yet.
    ///
    /// ```
    /// # use checkout_poll::{RetryPolicy, RetryState};
    /// assert_eq!(RetryState::new(RetryPolicy::default()).ended(), 0);
    /// ```
    #[must_use]
    pub const fn new(retries: RetryPolicy) -> Self {
        Self { retries, ended: 0, waited: Duration::ZERO }
    }

    /// An attempt has ended, and this is the advice. How long to wait before the next attempt, or none: stop,
    /// and hand on what there is. It is none where the attempts are used up, where the advice is not
    /// [`After`](RetryAdvice::After), and where the wait is longer than what is left of the budget. No wait
    /// is cut short.
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

    /// How many attempts have ended.
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

    /// How long the waits were together.
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
