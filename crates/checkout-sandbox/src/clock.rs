//! A clock that a test advances.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A clock that stands still until a test advances the clock. No sandbox reads the system's clock.
///
/// A clone shows the same time, and advances the time of all clones: the sandbox has a clone, and the test
/// and the code under test have others.
///
/// ```
/// use std::time::Duration;
///
/// use checkout_sandbox::VirtualClock;
///
/// let clock = VirtualClock::new(1_716_501_000_000);
/// let same = clock.clone();
/// clock.advance(Duration::from_secs(5));
/// assert_eq!(same.now_millis(), 1_716_501_005_000);
/// ```
#[derive(Clone, Debug)]
pub struct VirtualClock(Arc<AtomicU64>);

impl VirtualClock {
    /// A clock that shows `millis`: milliseconds since 1970-01-01 UTC.
    ///
    /// ```
    /// # use checkout_sandbox::VirtualClock;
    /// assert_eq!(VirtualClock::new(0).now_millis(), 0);
    /// ```
    #[must_use]
    pub fn new(millis: u64) -> Self {
        Self(Arc::new(AtomicU64::new(millis)))
    }

    /// The time that the clock shows: milliseconds since 1970-01-01 UTC.
    ///
    /// ```
    /// # use checkout_sandbox::VirtualClock;
    /// assert_eq!(VirtualClock::new(12_345).now_millis(), 12_345);
    /// ```
    #[must_use]
    pub fn now_millis(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    /// Moves the clock and all clones forward by whole milliseconds; a finer part is dropped. The clock stops
    /// at the end of its range.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use checkout_sandbox::VirtualClock;
    /// let clock = VirtualClock::new(1);
    /// clock.advance(Duration::from_micros(2_999));
    /// assert_eq!(clock.now_millis(), 3);
    /// clock.advance(Duration::MAX);
    /// assert_eq!(clock.now_millis(), u64::MAX);
    /// ```
    pub fn advance(&self, by: Duration) {
        let by = millis(by);
        let mut now = self.now_millis();
        while let Err(changed) =
            self.0.compare_exchange(now, now.saturating_add(by), Ordering::SeqCst, Ordering::SeqCst)
        {
            now = changed;
        }
    }
}

/// The whole milliseconds of a duration, `u64::MAX` at most.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn no_advance_is_lost_between_threads() {
        let clock = VirtualClock::new(0);
        thread::scope(|scope| {
            for _ in 0..4 {
                let clock = clock.clone();
                scope.spawn(move || (0..1000).for_each(|_| clock.advance(Duration::from_millis(3))));
            }
        });
        assert_eq!(clock.now_millis(), 12_000);
    }
}
