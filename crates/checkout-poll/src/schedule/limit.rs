//! The number of requests that a merchant may still make: a limit that holds in every window, wherever one
//! begins.

use alloc::collections::VecDeque;
use checkout_tables::RateLimit;
use core::time::Duration;

use crate::time;

/// The requests of one window, with their times. All times are milliseconds, and no time is before an earlier
/// one.
///
/// The limit is exact: a limit's requests may all be made at once, and the next request waits until the first
/// of them has left the window. Requests of one millisecond are one entry, so there are never more entries
/// than the window has milliseconds, however high the limit is.
/// than the window has milliseconds, however high the limit is.
#[derive(Clone)]
pub(crate) struct Limiter {
    most: u32,
    window: i64,
    made: u32,
    runs: VecDeque<Run>,
}

#[derive(Clone, Copy)]
struct Run {
    at: i64,
    requests: u32,
}

impl Limiter {
    /// Adds the margin to the window, because requests do not arrive as far apart as they were sent.
    pub(crate) fn new(limit: RateLimit, margin: Duration) -> Self {
        let seconds = i64::from(limit.per_seconds);
        let margin = i64::try_from(time::millis_up(margin)).unwrap_or(i64::MAX);
        // At least a millisecond more: a window of so many seconds has both its ends.
        let window = seconds.saturating_mul(1_000).saturating_add(margin.max(1));
        Self { most: limit.requests, window, made: 0, runs: VecDeque::new() }
    }

    /// The moment from which a request may be made. The moment is `now` or before if a request may be made
    /// now; `i64::MAX` is never.
    ///
    /// A request cannot be made in the future: a request that is a minute or more ahead was recorded by a
    /// clock that ran ahead, as in another process before a restart, and counts as made now.
    pub(crate) fn free_at(&mut self, now: i64) -> i64 {
        if self.runs.back().is_some_and(|run| run.at.saturating_sub(now) >= time::SET_BACK_MILLIS) {
            self.set_back(now);
        }
        while let Some(run) = self.runs.front().filter(|run| run.at.saturating_add(self.window) <= now) {
            self.made = self.made.saturating_sub(run.requests);
            self.runs.pop_front();
        }
        match self.runs.front() {
            _ if self.made < self.most => now,
            // More requests than allowed can be there, made by others: then all the surplus requests have to
            // leave.
            Some(first) if self.made == self.most => first.at.saturating_add(self.window),
            Some(_) => {
                let mut left = self.made;
                let enough = self.runs.iter().find(|run| {
                    left = left.saturating_sub(run.requests);
                    left < self.most
                });
                enough.map_or(i64::MAX, |run| run.at.saturating_add(self.window))
            }
            None => i64::MAX,
        }
    }

    /// The number of requests that may be made now.
    pub(crate) fn room(&mut self, now: i64) -> u32 {
        // This removes the requests that have left the window.
        if self.free_at(now) > now { 0 } else { self.most.saturating_sub(self.made) }
    }

    /// Records a request.
    pub(crate) fn take(&mut self, at: i64) {
        self.made = self.made.saturating_add(1);
        match self.runs.back_mut() {
            // A time before the last one counts as the last one: that is later, so the limit still holds.
            Some(run) if at <= run.at => run.requests = run.requests.saturating_add(1),
            _ => self.runs.push_back(Run { at, requests: 1 }),
        }
    }

    /// Takes in that the clock was set back to here. A request that was made later counts as made now: that
    /// is no earlier than the real time, so the limit holds.
    pub(crate) fn set_back(&mut self, now: i64) {
        let mut requests = 0u32;
        while let Some(run) = self.runs.back().filter(|run| run.at > now) {
            requests = requests.saturating_add(run.requests);
            self.runs.pop_back();
        }
        if requests > 0 {
            self.runs.push_back(Run { at: now, requests });
        }
    }

    /// The times of the requests that still count.
    pub(crate) fn times(&self) -> impl Iterator<Item = i64> {
        self.runs.iter().flat_map(|run| core::iter::repeat_n(run.at, run.requests as usize))
    }
}

#[cfg(test)]
mod tests {
    use super::Limiter;
    use alloc::vec::Vec;
    use checkout_tables::{RateLimit, RateScope};
    use core::time::Duration;
    use proptest::prelude::*;

    fn limiter(requests: u32, per_seconds: u32, margin: u64) -> Limiter {
        let limit = RateLimit { requests, per_seconds, scope: RateScope::Merchant };
        Limiter::new(limit, Duration::from_millis(margin))
    }

    /// The times of requests that callers would like to make at each of these times, as early as allowed.
    fn made(limiter: &mut Limiter, wished: impl IntoIterator<Item = i64>) -> Vec<i64> {
        let mut last = 0;
        let one = |wished: i64| {
            let at = limiter.free_at(wished.max(last));
            limiter.take(at);
            last = at;
            at
        };
        wished.into_iter().map(one).collect()
    }

    #[test]
    fn a_burst_up_to_the_limit_goes_out_at_once_and_the_rest_a_window_and_the_margin_later() {
        let all = made(&mut limiter(2, 60, 1_000), [0, 0, 0, 0, 0]);
        assert_eq!(all, [0, 0, 61_000, 61_000, 122_000]);
    }

    #[test]
    fn a_limit_of_nothing_allows_nothing_ever() {
        assert_eq!(limiter(0, 60, 0).free_at(5), i64::MAX);
    }

    #[test]
    fn a_request_by_others_counts_even_above_the_limit() {
        let mut limiter = limiter(2, 60, 1_000);
        [0, 10, 20, 30].into_iter().for_each(|at| limiter.take(at));
        assert_eq!(limiter.times().collect::<Vec<_>>(), [0, 10, 20, 30]);
        // Two, three, four of them: one may follow once only one is left.
        assert_eq!(limiter.free_at(40), 61_020);
        assert_eq!(limiter.free_at(61_020), 61_020);
    }

    #[test]
    fn a_request_of_a_clock_that_ran_ahead_counts_as_made_now() {
        let year = 365 * 86_400_000;
        for ahead in [60_000, year, i64::MAX] {
            let mut limiter = limiter(2, 60, 1_000);
            [ahead, ahead].into_iter().for_each(|at| limiter.take(at));
            assert_eq!(limiter.free_at(0), 61_000, "{ahead}");
            assert_eq!(limiter.free_at(61_000), 61_000, "{ahead}");
        }
        // Two clocks can be less than a minute apart.
        let mut limiter = limiter(1, 60, 1_000);
        limiter.take(59_999);
        assert_eq!(limiter.free_at(0), 59_999 + 61_000);
    }

    #[test]
    fn a_hundred_thousand_requests_in_one_millisecond_are_one_entry() {
        let mut limiter = limiter(100_000, 1, 0);
        (0..100_000).for_each(|_| limiter.take(7));
        assert_eq!((limiter.runs.len(), limiter.free_at(8)), (1, 7 + 1_001));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]
        #[test]
        fn no_window_holds_more_than_the_limit_and_no_request_is_later_than_necessary(
            requests in 1u32..5,
            per_seconds in 0u32..4,
            margin in 0u64..2_000,
            pauses in prop::collection::vec(prop_oneof![Just(0i64), 0i64..50, 0i64..3_000], 1..60),
        ) {
            let wished = pauses.iter().scan(0i64, |at, pause| { *at += pause; Some(*at) });
            let wished: Vec<i64> = wished.collect();
            let made = made(&mut limiter(requests, per_seconds, margin), wished.iter().copied());
            let window = i64::from(per_seconds) * 1_000 + i64::try_from(margin).unwrap().max(1);
            let most = usize::try_from(requests).unwrap();
            for (index, at) in made.iter().enumerate() {
                // Both ends of a window of the documented length count.
                let window_from_here = *at..=at + i64::from(per_seconds) * 1_000;
                let inside = made.iter().filter(|other| window_from_here.contains(other));
                prop_assert!(inside.count() <= most);
                // By hand: the wished time, the request before, and the request that has to leave.
                let before = if index == 0 { 0 } else { made[index - 1] };
                let leaves = index.checked_sub(most).map_or(0, |first| made[first] + window);
                prop_assert_eq!(*at, wished[index].max(before).max(leaves));
            }
        }
    }
}
