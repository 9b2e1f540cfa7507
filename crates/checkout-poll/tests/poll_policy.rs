//! The policies of the providers, and the sources of their numbers.
#![allow(missing_docs, reason = "tests")]

use checkout_poll::{Backoff, PollPolicy};
use checkout_tables::peach::Route;
use core::time::Duration;

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn the_policies_are_the_published_advice() {
    let row = |policy: PollPolicy| {
        [policy.initial_interval, policy.max_interval, policy.deadline, policy.min_gap]
            .map(|span| span.as_secs())
    };
    // "Every 5 s, give up after 10 minutes."
    assert_eq!(row(PollPolicy::allscale()), [5, 60, 600, 1]);
    // "Retry-After: 2."
    assert_eq!(row(PollPolicy::azotte()), [2, 30, 600, 1]);
    // "POST /checkout -> 202, Retry-After: 2; wait; GET": no other provider says to wait before the first
    // read.
    let first_read = [PollPolicy::allscale(), PollPolicy::azotte(), PollPolicy::peach()]
        .map(|policy| policy.initial_wait.as_secs());
    assert_eq!(first_read, [0, 2, 0]);
    // "Two requests per minute"; "the end comes at 60 minutes", and five for the news of it.
    assert_eq!(row(PollPolicy::peach()), [30, 300, 3_900, 30]);
    // The bare status of AllScale settles nothing.
    assert_eq!(
        [PollPolicy::allscale(), PollPolicy::azotte(), PollPolicy::peach()]
            .map(|policy| policy.confirm_with_full_read),
        [true, false, false]
    );
}

#[test]
fn assumed_numbers_are_the_same_for_every_provider() {
    for policy in [PollPolicy::allscale(), PollPolicy::azotte(), PollPolicy::peach()] {
        assert_eq!((policy.review.every, policy.review.at_most), (secs(300), secs(259_200)));
        assert_eq!((policy.late_payment_reads, policy.challenge_interval), (None, Some(secs(30))));
        assert_eq!(
            (policy.backoff, policy.max_refusals, policy.jitter_permille),
            (Backoff::default(), 3, 100)
        );
        assert_eq!((policy.final_attempts, policy.appears_within), (5, secs(60)));
    }
}

#[test]
fn a_lone_poller_keeps_the_limit_of_peach() {
    let limit = Route::Status.rate_limit().unwrap();
    let policy = PollPolicy::peach();
    assert!(policy.min_gap * limit.requests >= secs(limit.per_seconds.into()));
    assert!(policy.initial_interval >= policy.min_gap);
}
