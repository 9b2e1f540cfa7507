//! A point in time.

use core::time::Duration;

/// A point in time, in milliseconds since the Unix epoch: the one form in which the crates above this crate
/// take and give a time.
///
/// Moments by one clock put the observations of a checkout in order, and tell how long one moment is after
/// another. Moments by two clocks compare only as well as the two clocks agree. A database keeps a moment as
/// [`unix_millis`](Self::unix_millis).
///
/// ```
/// # checkout_doctest::facade!(tables);
/// use checkout_kit::tables::Moment;
///
/// assert!(Moment::from_unix_millis(1) < Moment::from_unix_millis(2));
/// // The ends of the range do no harm.
/// assert!(Moment::from_unix_millis(i64::MIN) < Moment::from_unix_millis(0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(i64);

impl Moment {
    /// The present moment, by the system's clock. A clock that stands before 1970 counts as the epoch, and a
    /// clock beyond the range of milliseconds counts as the end of the range.
    ///
    /// ```
    /// # use checkout_tables::Moment;
    /// assert!(Moment::now() > Moment::from_unix_seconds(1_700_000_000));
    /// ```
    #[cfg(feature = "system")]
    #[must_use]
    pub fn now() -> Self {
        Self::of_system_time(std::time::SystemTime::now())
    }

    #[cfg(feature = "system")]
    fn of_system_time(time: std::time::SystemTime) -> Self {
        let since = time.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Self(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    /// Converts milliseconds since the Unix epoch. `i64::MIN` counts as the millisecond after it.
    #[must_use]
    pub const fn from_unix_millis(millis: i64) -> Self {
        Self(if millis == i64::MIN { i64::MIN + 1 } else { millis })
    }

    /// Converts seconds since the Unix epoch, as signatures and tokens count them. A value outside the range
    /// of milliseconds counts as the end of the range.
    ///
    /// ```
    /// # use checkout_tables::Moment;
    /// assert_eq!(Moment::from_unix_seconds(1_716_501_000), Moment::from_unix_millis(1_716_501_000_000));
    /// assert_eq!(Moment::from_unix_seconds(i64::MAX).unix_millis(), i64::MAX);
    /// ```
    #[must_use]
    pub const fn from_unix_seconds(seconds: i64) -> Self {
        Self::from_unix_millis(seconds.saturating_mul(1_000))
    }

    /// Whole seconds since the Unix epoch, rounded down: half a second before the epoch is second -1.
    ///
    /// ```
    /// # use checkout_tables::Moment;
    /// assert_eq!(Moment::from_unix_millis(1_716_501_000_999).unix_seconds(), 1_716_501_000);
    /// assert_eq!(Moment::from_unix_millis(-500).unix_seconds(), -1);
    /// ```
    #[must_use]
    pub const fn unix_seconds(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn unix_millis(self) -> i64 {
        self.0
    }

    /// The moment this long after `self`, rounded up to a whole millisecond, so that no wait is cut short;
    /// the last moment of the range, if the result is out of range.
    ///
    /// ```
    /// # use checkout_tables::Moment;
    /// use core::time::Duration;
    ///
    /// let sent = Moment::from_unix_millis(1_000);
    /// assert_eq!(sent.saturating_add(Duration::from_secs(2)), Moment::from_unix_millis(3_000));
    /// assert_eq!(sent.saturating_add(Duration::from_nanos(1)), Moment::from_unix_millis(1_001));
    /// assert_eq!(sent.saturating_add(Duration::MAX), Moment::from_unix_millis(i64::MAX));
    /// ```
    #[must_use]
    pub const fn saturating_add(self, span: Duration) -> Self {
        let part = if span.subsec_nanos().is_multiple_of(1_000_000) { 0 } else { 1 };
        let millis = match span.as_secs().checked_mul(1_000) {
            Some(millis) => millis.saturating_add(span.subsec_millis() as u64).saturating_add(part),
            None => u64::MAX,
        };
        Self(self.0.saturating_add_unsigned(millis))
    }

    /// The time from an earlier moment to this one; zero if this moment is not later.
    ///
    /// ```
    /// # use checkout_tables::Moment;
    /// use core::time::Duration;
    ///
    /// let (sent, answered) = (Moment::from_unix_millis(-500), Moment::from_unix_millis(1_000));
    /// assert_eq!(answered.saturating_since(sent), Duration::from_millis(1_500));
    /// assert_eq!(sent.saturating_since(answered), Duration::ZERO);
    /// ```
    #[must_use]
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        if self.0 <= earlier.0 { Duration::ZERO } else { Duration::from_millis(self.0.abs_diff(earlier.0)) }
    }
}

#[cfg(all(test, feature = "system"))]
mod tests {
    use super::Moment;
    use core::time::Duration;
    use std::time::UNIX_EPOCH;

    #[test]
    fn a_system_clock_counts_whole_milliseconds_since_1970() {
        let time = UNIX_EPOCH + Duration::new(1_716_501_000, 999_999_999);
        assert_eq!(Moment::of_system_time(time).unix_millis(), 1_716_501_000_999);
        assert_eq!(Moment::of_system_time(UNIX_EPOCH).unix_millis(), 0);
    }

    #[test]
    fn a_system_clock_before_1970_counts_as_the_epoch() {
        for before in [Duration::from_nanos(1), Duration::from_secs(1), Duration::from_secs(86_400 * 365)] {
            assert_eq!(Moment::of_system_time(UNIX_EPOCH - before).unix_millis(), 0, "{before:?}");
        }
    }

    /// Where the system's times go that far: 64 bits of seconds, on Linux.
    #[test]
    fn a_system_clock_beyond_the_range_counts_as_the_end_of_the_range() {
        let millis = i64::MAX.unsigned_abs();
        for (since, expected) in [
            (Duration::from_millis(millis - 1), i64::MAX - 1),
            (Duration::from_millis(millis), i64::MAX),
            (Duration::from_millis(millis + 1), i64::MAX),
            (Duration::from_secs(millis), i64::MAX),
        ] {
            let Some(time) = UNIX_EPOCH.checked_add(since) else { continue };
            assert_eq!(Moment::of_system_time(time).unix_millis(), expected, "{since:?}");
        }
    }
}
