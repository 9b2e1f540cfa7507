//! The wait after a failure.

use crate::time;
use core::time::Duration;

/// The wait after a request without an answer, or after a refusal that can pass. The wait doubles each time,
/// up to a cap, and chance shortens it somewhat, so that many callers that failed together do not come back
/// together.
///
/// The chance comes from the given seed: the same failures and the same seed give the same wait.
///
/// ```
/// # checkout_doctest::facade!(poll);
/// use checkout_kit::poll::Backoff;
/// use core::time::Duration;
///
/// let backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60));
/// let third = backoff.wait(3, 42);
/// assert!(third >= Duration::from_secs(2) && third <= Duration::from_secs(4));
/// assert_eq!(third, backoff.wait(3, 42));
/// assert!(backoff.wait(1_000, 42) <= Duration::from_secs(60));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Backoff {
    first: Duration,
    cap: Duration,
}

impl Backoff {
    /// Creates a backoff with a first wait and a longest wait, both before chance shortens them. A first wait
    /// above the cap counts as the cap.
    ///
    /// ```
    /// # use checkout_poll::Backoff;
    /// # use core::time::Duration;
    /// let none = Backoff::new(Duration::ZERO, Duration::ZERO);
    /// assert_eq!(none.wait(7, 1), Duration::ZERO);
    /// ```
    #[must_use]
    pub const fn new(first: Duration, cap: Duration) -> Self {
        Self { first, cap }
    }

    /// Returns the wait after this many failures in a row, the first one being 1 (0 counts as 1). The full
    /// wait is the first wait doubled for each failure after the first, or the cap if that is less; the
    /// result is between half of the full wait and all of it.
    ///
    /// ```
    /// # use checkout_poll::Backoff;
    /// # use core::time::Duration;
    /// let waits = (1..=4).map(|failures| Backoff::default().wait(failures, 7));
    /// let upper = [1, 2, 4, 8].map(Duration::from_secs);
    /// assert!(waits.zip(upper).all(|(wait, upper)| wait <= upper && wait >= upper / 2));
    /// ```
    #[must_use]
    pub fn wait(&self, failures: u32, seed: u64) -> Duration {
        let doublings = failures.saturating_sub(1);
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        let whole = self.first.saturating_mul(factor).min(self.cap);
        whole.saturating_sub(time::share(whole / 2, 1_000, time::mix(seed ^ u64::from(failures))))
    }
}

impl Default for Backoff {
    /// One second, up to a minute. Assumed: no provider documents these.
    fn default() -> Self {
        Self::new(Duration::from_secs(1), Duration::from_secs(60))
    }
}
