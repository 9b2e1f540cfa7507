//! The numbers of requests that a merchant has made, and the busiest minute.

use std::collections::VecDeque;
use std::time::Duration;

use checkout_tables::Moment;

/// The numbers of requests that a merchant has made, by the sandbox's own count. The numbers tell whether a
/// caller has kept to a limit.
///
/// A request counts for the store, the tenant or the merchant that the request names, whatever the answer is:
/// a request that was refused or that a fault spoiled counts too. A request that names nobody whom the
/// sandbox knows counts for nobody, and a request that never arrived does not count.
///
/// ```
/// use std::time::Duration;
///
/// use checkout_sandbox::azotte::{API_KEY, Sandbox, X_TN};
/// use checkout_transport::{BlockingTransport, bytes::Bytes, http};
///
/// let sandbox = Sandbox::builder().forget_requests().build();
/// for wait in [40, 20, 20] {
///     sandbox.clock().advance(Duration::from_secs(wait));
///     let read = http::Request::get("https://acme.azotte.com/api/v1/c2a/offer/checkout/trk_1/status")
///         .header("x-tn", X_TN)
///         .header("x-api-key", API_KEY)
///         .body(Bytes::new())?;
///     assert_eq!(sandbox.send_blocking(read)?.status(), 404);
/// }
/// let counts = sandbox.counts(X_TN);
/// assert_eq!((counts.requests, counts.reads, counts.busiest_minute), (3, 3, 3));
/// assert!(sandbox.requests().is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// The number of all requests, for any route and for no route.
    pub requests: u64,
    /// The number of requests that read the state of a checkout: AllScale's get and status, Azotte's status,
    /// and the status of both versions of Peach.
    pub reads: u64,
    /// The number of requests that the sandbox's own limit refused, without the requests that a fault
    /// refused.
    pub limited: u64,
    /// The greatest number of reads in any 60 seconds. Two reads that are 60 seconds apart are in no minute
    /// together.
    pub busiest_minute: u64,
}

/// The running counts of one merchant.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    counts: Counts,
    /// The arrivals of the reads of the last minute.
    recent: VecDeque<Moment>,
}

impl Tally {
    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    /// Counts a request. The clock never goes back.
    pub(crate) fn count(&mut self, now: Moment, is_read: bool) {
        self.counts.requests += 1;
        if !is_read {
            return;
        }
        self.counts.reads += 1;
        drop_old(&mut self.recent, now);
        self.recent.push_back(now);
        self.counts.busiest_minute = self.counts.busiest_minute.max(held(&self.recent));
    }

    /// Counts a request over the sandbox's limit.
    pub(crate) fn refuse(&mut self) {
        self.counts.limited += 1;
    }
}

/// Drops the times that are a minute old.
pub(crate) fn drop_old(times: &mut VecDeque<Moment>, now: Moment) {
    while times.front().is_some_and(|at| now.saturating_since(*at) >= MINUTE) {
        times.pop_front();
    }
}

fn held(times: &VecDeque<Moment>) -> u64 {
    u64::try_from(times.len()).unwrap_or(u64::MAX)
}

pub(crate) const MINUTE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_busiest_minute_is_the_busiest_of_a_full_search(
            waits in prop::collection::vec((0_i64..40_000, any::<bool>()), 0..60),
        ) {
            let (mut tally, mut now, mut reads) = (Tally::default(), 5, Vec::new());
            for (wait, is_read) in &waits {
                now += wait;
                tally.count(Moment::from_unix_millis(now), *is_read);
                reads.extend(is_read.then_some(now));
            }
            let minute_from = |from: i64| reads.iter().filter(|at| (from..from + 60_000).contains(at)).count();
            let busiest = reads.iter().map(|from| minute_from(*from)).max().unwrap_or(0);
            let counts = tally.counts();
            prop_assert_eq!(counts.busiest_minute, busiest as u64);
            prop_assert_eq!((counts.requests, counts.reads), (waits.len() as u64, reads.len() as u64));
        }
    }

    #[test]
    fn two_reads_a_minute_apart_are_in_no_minute_together() {
        for (apart, busiest) in [(0, 2), (59_999, 2), (60_000, 1)] {
            let mut tally = Tally::default();
            tally.count(Moment::from_unix_millis(7), true);
            tally.count(Moment::from_unix_millis(7 + apart), true);
            assert_eq!(tally.counts().busiest_minute, busiest, "{apart}");
        }
    }
}
