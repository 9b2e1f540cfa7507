//! The distance allowed between a message's time and the receiver's.

/// The number of seconds that a message's time may be before or after the receiver's clock; both edges are
/// in. By default 300, which AllScale's pages name.
///
/// A wider tolerance gives a stolen message a longer life, and the memory of received messages must last
/// longer: twice the tolerance at the least.
///
/// ```
/// # checkout_doctest::facade!(auth);
/// use checkout_kit::auth::Tolerance;
///
/// assert_eq!(Tolerance::default().seconds(), 300);
/// assert_eq!(Tolerance::from_seconds(600).seconds(), 600);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tolerance(u32);

impl Tolerance {
    /// As many seconds in either direction; with 0 the two clocks must agree to the second.
    ///
    /// ```
    /// # use checkout_auth::Tolerance;
    /// assert!(Tolerance::from_seconds(60) < Tolerance::default());
    /// ```
    #[must_use]
    pub const fn from_seconds(seconds: u32) -> Self {
        Self(seconds)
    }

    /// The seconds in either direction.
    ///
    /// ```
    /// # use checkout_auth::Tolerance;
    /// assert_eq!(Tolerance::from_seconds(0).seconds(), 0);
    /// ```
    #[must_use]
    pub const fn seconds(self) -> u32 {
        self.0
    }

    /// Judges if a time is near enough; both in seconds since 1970-01-01 UTC.
    pub(crate) fn judge(self, timestamp: i64, now: i64) -> Judgement {
        let tolerated = u64::from(self.0);
        match now.abs_diff(timestamp).checked_sub(tolerated) {
            None | Some(0) => Judgement::InTime,
            Some(by_seconds) if timestamp < now => Judgement::Expired { by_seconds },
            Some(by_seconds) => Judgement::Early { by_seconds },
        }
    }

    /// The last second at which a message of this time is in time; the end of time, when there is no later
    /// second.
    pub(crate) fn last_second(self, timestamp: i64) -> i64 {
        timestamp.saturating_add(i64::from(self.0))
    }
}

impl Default for Tolerance {
    fn default() -> Self {
        Self(300)
    }
}

/// The judgement of a message's time at `now`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    InTime,
    /// So many seconds past the tolerance.
    Expired {
        by_seconds: u64,
    },
    /// So many seconds ahead of the tolerance.
    Early {
        by_seconds: u64,
    },
}

/// True if two times are so far apart that one of them must be in another unit than seconds: three thousand
/// years. A clock that is wrong stands in 1970 or was set wrong by years. Seconds and milliseconds of today
/// are fifty thousand years apart.
pub(crate) const fn is_another_unit(by_seconds: u64) -> bool {
    by_seconds >= 100_000_000_000
}

/// The hint for a message's time that is in another unit.
pub(crate) const TIME_IN_ANOTHER_UNIT: &str =
    "the message's time is in milliseconds or a smaller unit, and seconds are documented";

/// The hint for a receiver's time that is in another unit.
pub(crate) const NOW_IN_ANOTHER_UNIT: &str =
    "the receiver gave its own time in milliseconds or a smaller unit, and seconds are due";

/// The seconds that a text of decimal digits stands for: the one spelling of each number, so no `+`, no
/// blank, no leading zero and no `-0`.
pub(crate) fn read_seconds(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) || (digits.starts_with('0') && text != "0") {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MessageError;
    use Judgement::{Early, Expired, InTime};
    use alloc::string::{String, ToString};
    use proptest::prelude::*;

    fn judge(timestamp: i64, now: i64) -> Judgement {
        Tolerance::default().judge(timestamp, now)
    }

    #[test]
    fn both_edges_are_in_time_and_a_second_more_is_not() {
        let now = 1_716_501_000;
        assert_eq!(judge(now, now), InTime);
        assert_eq!(judge(now - 300, now), InTime);
        assert_eq!(judge(now - 301, now), Expired { by_seconds: 1 });
        assert_eq!(judge(now + 300, now), InTime);
        assert_eq!(judge(now + 301, now), Early { by_seconds: 1 });
    }

    #[test]
    fn a_zero_and_the_longest_tolerance_have_edges_too() {
        assert_eq!(Tolerance::from_seconds(0).judge(5, 5), InTime);
        assert_eq!(Tolerance::from_seconds(0).judge(5, 6), Expired { by_seconds: 1 });
        let longest = Tolerance::from_seconds(u32::MAX);
        assert_eq!(longest.judge(0, 4_294_967_295), InTime);
        assert_eq!(longest.judge(0, 4_294_967_296), Expired { by_seconds: 1 });
    }

    #[test]
    fn the_ends_of_time_are_judged_exactly() {
        assert_eq!(judge(i64::MIN, i64::MIN), InTime);
        assert_eq!(judge(i64::MAX, i64::MAX), InTime);
        assert_eq!(judge(i64::MIN, i64::MAX), Expired { by_seconds: u64::MAX - 300 });
        assert_eq!(judge(i64::MAX, i64::MIN), Early { by_seconds: u64::MAX - 300 });
        assert_eq!(judge(i64::MIN, 0), Expired { by_seconds: (1 << 63) - 300 });
        assert_eq!(Tolerance::default().last_second(i64::MAX - 1), i64::MAX);
        assert_eq!(Tolerance::default().last_second(i64::MIN), i64::MIN + 300);
    }

    #[test]
    fn a_time_has_one_spelling() {
        for text in ["0", "1", "-1", "1716501000", "9223372036854775807", "-9223372036854775808"] {
            assert_eq!(read_seconds(text), text.parse().ok(), "{text}");
            assert!(read_seconds(text).is_some(), "{text}");
        }
        let others = [
            "",
            "-",
            "+",
            "+1",
            "-0",
            "00",
            "01",
            "-01",
            "--1",
            " 1",
            "1 ",
            "1\n",
            "1.0",
            "1e3",
            "0x1",
            "1_000",
            "9223372036854775808",
            "-9223372036854775809",
            "99999999999999999999999999",
            "١",
            "１",
            "NaN",
        ];
        for text in others {
            assert_eq!(read_seconds(text), None, "{text:?}");
        }
    }

    /// 2024-05-23 21:50:00 UTC, in seconds and in units that others use.
    #[test]
    fn a_time_in_another_unit_is_hinted_at() {
        const SECONDS: u64 = 1_716_501_000;
        let early = |by_seconds| MessageError::Early { by_seconds }.hint();
        let expired = |by_seconds| MessageError::Expired { by_seconds }.hint();
        for unit in [1_000, 1_000_000, 1_000_000_000] {
            let by_seconds = SECONDS * unit - SECONDS - 300;
            let hint = early(by_seconds);
            assert!(hint.contains("milliseconds") && hint.contains("message's time"), "{hint}");
            // The receiver gave its own time in that unit, and everything is long past.
            let hint = expired(by_seconds);
            assert!(hint.contains("milliseconds") && hint.contains("receiver"), "{hint}");
        }
        // A clock that stands in 1970, or in 2100, is a clock.
        for by_seconds in [1, 86_400, SECONDS, 4_102_444_800] {
            assert!(!early(by_seconds).contains("milliseconds"));
            assert!(!expired(by_seconds).contains("milliseconds"));
        }
    }

    proptest! {
        #[test]
        fn the_distance_is_the_distance_of_wider_integers(timestamp: i64, now: i64, tolerance: u32) {
            let age = i128::from(now) - i128::from(timestamp);
            let tolerated = i128::from(tolerance);
            let by_seconds = u64::try_from(age.abs() - tolerated).unwrap_or_default();
            let expected = if age.abs() <= tolerated {
                InTime
            } else if age > 0 {
                Expired { by_seconds }
            } else {
                Early { by_seconds }
            };
            prop_assert_eq!(Tolerance::from_seconds(tolerance).judge(timestamp, now), expected);
        }

        #[test]
        fn the_last_second_is_in_time_and_the_next_is_not(
            timestamp in i64::MIN..i64::MAX - (1 << 32), tolerance: u32,
        ) {
            let tolerance = Tolerance::from_seconds(tolerance);
            let last = tolerance.last_second(timestamp);
            prop_assert_eq!(tolerance.judge(timestamp, last), InTime);
            prop_assert_eq!(tolerance.judge(timestamp, last + 1), Expired { by_seconds: 1 });
        }

        #[test]
        fn a_text_is_read_when_its_number_is_written_so(text in "[-+0-9 ]{0,22}|\\PC{0,5}", number: i64) {
            let written_so: Option<i64> = text.parse().ok().filter(|number: &i64| number.to_string() == text);
            prop_assert_eq!(read_seconds(&text), written_so);
            let written: String = number.to_string();
            prop_assert_eq!(read_seconds(&written), Some(number));
        }
    }
}
