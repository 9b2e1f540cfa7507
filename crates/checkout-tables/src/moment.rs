//! A point in time.

use core::fmt;
use core::time::Duration;

/// A point in time, in milliseconds since the Unix epoch: the one form in which the crates above this crate
/// take and give a time.
///
/// Moments by one clock put the observations of a checkout in order, and tell how long one moment is after
/// another. Moments by two clocks compare only as well as the two clocks agree. A database keeps a moment as
/// [`unix_millis`](Self::unix_millis). A person reads it in UTC, as ISO 8601 has it, by `Display`.
///
/// ```
/// # checkout_doctest::facade!(tables);
/// use checkout_kit::tables::Moment;
///
/// assert!(Moment::from_unix_millis(1) < Moment::from_unix_millis(2));
/// assert_eq!(Moment::from_unix_millis(1_716_501_000_123).to_string(), "2024-05-23T21:50:00.123Z");
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

impl fmt::Display for Moment {
    /// The days are counted by the rule of the Gregorian calendar, from March on.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, milli) = (self.unix_seconds(), self.0.rem_euclid(1_000));
        let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let from_march_0000 = days.saturating_add(719_468);
        let (era, day_of_era) = (from_march_0000.div_euclid(146_097), from_march_0000.rem_euclid(146_097));
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
    }
}

#[cfg(all(test, feature = "system"))]
mod tests {
    use super::Moment;
    use core::time::Duration;
    use std::string::ToString as _;
    use std::time::UNIX_EPOCH;

    #[test]
    fn a_moment_is_shown_in_utc() {
        // From `date -u`.
        for (millis, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (784_111_777_001, "1994-11-06T08:49:37.001Z"),
            (951_868_799_999, "2000-02-29T23:59:59.999Z"),
            (1_709_164_800_000, "2024-02-29T00:00:00.000Z"),
            (1_735_689_599_990, "2024-12-31T23:59:59.990Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (-2_203_891_200_000, "1900-03-01T00:00:00.000Z"),
            (253_402_300_799_000, "9999-12-31T23:59:59.000Z"),
        ] {
            assert_eq!(Moment::from_unix_millis(millis).to_string(), expected);
        }
    }

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
