//! The moments of a provider's further attempts, after an attempt that was not answered with 200.

use std::time::Duration;

use super::content::Provider;

/// The time from the attempt with this number, counted from zero, to the next attempt. `None` after the last
/// attempt.
///
/// Peach tries again after minutes, then after hours, for up to 30 days (Public). The steps are Assumed: 1,
/// 2, 5, 10, 15 and 30 minutes, then 1, 2, 4, 8 and 12 hours, then once a day, as long as 30 days have not
/// passed since the first attempt. AllScale's guide tells no schedule: 1, 5 and 30 minutes, 2 hours and 12
/// hours are Assumed.
pub(crate) fn pause(provider: Provider, attempt: usize) -> Option<Duration> {
    let minutes = match provider {
        Provider::AllScale => *[1, 5, 30, 120, 720].get(attempt)?,
        Provider::Peach => match PEACH.get(attempt) {
            Some(minutes) => *minutes,
            None if attempt < PEACH.len() + PEACH_DAYS => DAY,
            None => return None,
        },
    };
    Some(Duration::from_secs(60 * minutes))
}

/// The minutes between Peach's attempts of the first two days.
const PEACH: [u64; 11] = [1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 720];

/// The number of Peach's daily attempts, so that the last attempt lies within 30 days of the first.
const PEACH_DAYS: usize = 28;

const DAY: u64 = 24 * 60;

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(provider: Provider) -> Vec<Duration> {
        (0..).map_while(|attempt| pause(provider, attempt)).collect()
    }

    #[test]
    fn peach_tries_for_thirty_days_and_no_longer() {
        let pauses = whole(Provider::Peach);
        let (sum, month) = (pauses.iter().sum::<Duration>(), Duration::from_secs(30 * 24 * 3600));
        assert!(sum <= month && sum + Duration::from_secs(24 * 3600) > month, "{sum:?}");
        assert!(pauses.is_sorted());
        assert_eq!(pauses.first(), Some(&Duration::from_secs(60)));
    }

    #[test]
    fn allscale_tries_six_times() {
        assert_eq!(whole(Provider::AllScale).len(), 5);
    }
}
