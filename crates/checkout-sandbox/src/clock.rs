//! A clock that a test advances.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use checkout_tables::Moment;

/// A clock that stands still until a test advances the clock. No sandbox reads the system's clock.
///
/// A clone shows the same time, and advances the time of all clones: the sandbox has a clone, and the test
/// and the code under test have others.
///
/// ```
/// use std::time::Duration;
///
/// use checkout_sandbox::VirtualClock;
/// use checkout_tables::Moment;
///
/// let clock = VirtualClock::new(Moment::from_unix_seconds(1_716_501_000));
/// let same = clock.clone();
/// clock.advance(Duration::from_secs(5));
/// assert_eq!(same.now(), Moment::from_unix_seconds(1_716_501_005));
/// ```
#[derive(Clone, Debug)]
pub struct VirtualClock(Arc<AtomicI64>);

impl VirtualClock {
    /// A clock that shows `now`.
    ///
    /// ```
    /// # use checkout_sandbox::VirtualClock;
    /// # use checkout_tables::Moment;
    /// let begin = Moment::from_unix_millis(12_345);
    /// assert_eq!(VirtualClock::new(begin).now(), begin);
    /// ```
    #[must_use]
    pub fn new(now: Moment) -> Self {
        Self(Arc::new(AtomicI64::new(now.unix_millis())))
    }

    /// The moment that the clock shows.
    ///
    /// ```
    /// # use checkout_sandbox::VirtualClock;
    /// # use checkout_tables::Moment;
    /// let clock = VirtualClock::new(Moment::from_unix_seconds(1_716_501_000));
    /// assert_eq!(clock.now().unix_seconds(), 1_716_501_000);
    /// ```
    #[must_use]
    pub fn now(&self) -> Moment {
        Moment::from_unix_millis(self.0.load(Ordering::SeqCst))
    }

    /// Moves the clock and all clones forward by whole milliseconds; a finer part is dropped. The clock stops
    /// at the end of its range.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use checkout_sandbox::VirtualClock;
    /// # use checkout_tables::Moment;
    /// let clock = VirtualClock::new(Moment::from_unix_millis(1));
    /// clock.advance(Duration::from_micros(2_999));
    /// assert_eq!(clock.now(), Moment::from_unix_millis(3));
    /// clock.advance(Duration::MAX);
    /// assert_eq!(clock.now(), Moment::from_unix_millis(i64::MAX));
    /// ```
    pub fn advance(&self, by: Duration) {
        let by = Duration::from_millis(u64::try_from(by.as_millis()).unwrap_or(u64::MAX));
        let mut now = self.now();
        while let Err(changed) = self.0.compare_exchange(
            now.unix_millis(),
            now.saturating_add(by).unix_millis(),
            Ordering::SeqCst,
            Ordering::SeqCst,
        ) {
            now = Moment::from_unix_millis(changed);
        }
    }

    /// Moves the clock and all clones forward to `moment`. A clock that shows `moment` already, or a later
    /// moment, stays as it is: no call moves a clock back but a sandbox's `reset`.
    ///
    /// ```
    /// # use checkout_sandbox::VirtualClock;
    /// # use checkout_tables::Moment;
    /// let clock = VirtualClock::new(Moment::from_unix_millis(5));
    /// clock.advance_to(Moment::from_unix_millis(9));
    /// clock.advance_to(Moment::from_unix_millis(7));
    /// assert_eq!(clock.now(), Moment::from_unix_millis(9));
    /// ```
    pub fn advance_to(&self, moment: Moment) {
        self.0.fetch_max(moment.unix_millis(), Ordering::SeqCst);
    }

    /// Moves the clock and all clones to `moment`, forward or back.
    pub(crate) fn set(&self, moment: Moment) {
        self.0.store(moment.unix_millis(), Ordering::SeqCst);
    }
}

/// The first moment at which this much time has passed since `start`. `None` if no clock comes so far.
pub(crate) fn first_moment(start: Moment, passed: Duration) -> Option<Moment> {
    const TICK: Duration = Duration::from_millis(1);
    let about = start.saturating_add(passed);
    [about, about.saturating_add(TICK)].into_iter().find(|moment| moment.saturating_since(start) >= passed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn no_advance_is_lost_between_threads() {
        let clock = VirtualClock::new(Moment::from_unix_millis(0));
        thread::scope(|scope| {
            for _ in 0..4 {
                let clock = clock.clone();
                scope.spawn(move || (0..1000).for_each(|_| clock.advance(Duration::from_millis(3))));
            }
        });
        assert_eq!(clock.now(), Moment::from_unix_millis(12_000));
    }

    #[test]
    fn no_thread_moves_a_clock_back() {
        let clock = VirtualClock::new(Moment::from_unix_millis(0));
        thread::scope(|scope| {
            for thread in 0..4 {
                let clock = clock.clone();
                scope.spawn(move || {
                    for at in (0..1000).rev() {
                        let before = clock.now();
                        clock.advance_to(Moment::from_unix_millis(4 * at + thread));
                        assert!(clock.now() >= before);
                    }
                });
            }
        });
        assert_eq!(clock.now(), Moment::from_unix_millis(3_999));
    }

    #[test]
    fn a_moment_is_the_first_millisecond_by_which_the_time_has_passed() {
        let nanos = Duration::from_nanos;
        let table = [
            (0, nanos(0), Some(0)),
            (5, nanos(1), Some(6)),
            (5, nanos(1_000_000), Some(6)),
            (-5, nanos(1_000_001), Some(-3)),
            (i64::MAX - 1, nanos(1_000_000), Some(i64::MAX)),
            (i64::MAX - 1, nanos(1_000_001), None),
            (0, Duration::MAX, None),
        ];
        for (start, passed, expected) in table {
            let first = first_moment(Moment::from_unix_millis(start), passed);
            assert_eq!(first, expected.map(Moment::from_unix_millis), "{start} {passed:?}");
        }
    }
}
