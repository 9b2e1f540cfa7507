//! The plans of the providers, and the sources of their numbers.
#![allow(missing_docs, reason = "tests")]

use checkout_poll::{Backoff, PollPolicy};
use checkout_tables::peach::Route;
use core::time::Duration;

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn the_plans_are_the_published_advice() {
    let row = |plan: PollPolicy| {
        [plan.first, plan.max_interval, plan.deadline, plan.min_gap].map(|span| span.as_secs())
    };
    // "Every 5 s, give up after 10 minutes."
    assert_eq!(row(PollPolicy::allscale()), [5, 60, 600, 1]);
    // "Retry-After: 2."
    assert_eq!(row(PollPolicy::azotte()), [2, 30, 600, 1]);
    // "POST /checkout -> 202, Retry-After: 2; wait; GET": no other provider says to wait before the first
    // read.
    let first_read = [PollPolicy::allscale(), PollPolicy::azotte(), PollPolicy::peach()]
        .map(|plan| plan.initial_wait.as_secs());
    assert_eq!(first_read, [0, 2, 0]);
    // "Two requests per minute"; "the end comes at 60 minutes", and five for the news of it.
    assert_eq!(row(PollPolicy::peach()), [30, 300, 3_900, 30]);
    // The bare status of AllScale settles nothing.
    assert_eq!(
        [PollPolicy::allscale(), PollPolicy::azotte(), PollPolicy::peach()]
            .map(|plan| plan.confirm_with_full_read),
        [true, false, false]
    );
}

#[test]
fn assumed_numbers_are_the_same_for_every_provider() {
    for plan in [PollPolicy::allscale(), PollPolicy::azotte(), PollPolicy::peach()] {
        assert_eq!((plan.review.every, plan.review.at_most), (secs(300), secs(259_200)));
        assert_eq!((plan.late_payment_reads, plan.challenge_interval), (None, Some(secs(30))));
        assert_eq!((plan.backoff, plan.refusals, plan.jitter_permille), (Backoff::default(), 3, 100));
        assert_eq!((plan.final_attempts, plan.appears_within), (5, secs(60)));
    }
}

#[test]
fn a_lone_poller_keeps_the_limit_of_peach() {
    let limit = Route::Status.rate_limit().unwrap();
    let plan = PollPolicy::peach();
    assert!(plan.min_gap * limit.requests >= secs(limit.per_seconds.into()));
    assert!(plan.first >= plan.min_gap);
}
