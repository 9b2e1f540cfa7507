//! The table of retry advice, row by row, and a loop of attempts.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests")]

use checkout_poll::{AttemptOutcome, Backoff, RetryAdvice, RetryPolicy, RetryState, retry_advice};
use checkout_tables::{Repeat, allscale, azotte, peach};
use core::time::Duration;
use proptest::prelude::*;

/// An attempt as a row names it: `limited 7 done?` is a limit with a wait of 7 s that proves nothing, `none
/// done` proves that nothing was done.
fn attempted(text: &str) -> AttemptOutcome {
    let mut words = text.split(' ');
    let (kind, wait, proof) = (words.next(), words.next().unwrap_or("-"), words.next().unwrap_or("-"));
    let wait = wait.parse().ok().map(Duration::from_secs);
    let proves_not_processed = proof == "nothing-done";
    match kind.unwrap() {
        "not-sent" => AttemptOutcome::NotSent,
        "unknown" => AttemptOutcome::Unknown { wait },
        "limited" => AttemptOutcome::Limited { wait, proves_not_processed },
        "temporary" => AttemptOutcome::Temporary { wait, proves_not_processed },
        "refused" => AttemptOutcome::Refused { proves_not_processed },
        other => panic!("nothing ends as {other}"),
    }
}

fn check(attempt: &str, repeat: Repeat, lookup_key: Option<&'static str>) -> String {
    match retry_advice(repeat, lookup_key, attempted(attempt)) {
        RetryAdvice::Never => "never".into(),
        RetryAdvice::After(wait) => format!("after {}", wait.as_secs()),
        RetryAdvice::ReadFirst(what) => format!("read by {what}"),
    }
}

#[test]
fn the_advice_is_the_advice_of_the_table() {
    // The attempt; the advice for a safe request, for a keyed request, for an unsafe request, and for an
    // unsafe request with a lookup.
    let rows = [
        ("not-sent", ["after 0", "after 0", "after 0", "after 0"]),
        ("unknown -", ["after 0", "after 0", "never", "read by id"]),
        ("unknown 7", ["after 7", "after 7", "never", "read by id"]),
        ("limited - -", ["after 0", "after 0", "never", "read by id"]),
        ("limited 7 -", ["after 7", "after 7", "never", "read by id"]),
        ("limited - nothing-done", ["after 0", "after 0", "after 0", "after 0"]),
        ("limited 7 nothing-done", ["after 7", "after 7", "after 7", "after 7"]),
        ("temporary - -", ["after 0", "after 0", "never", "read by id"]),
        ("temporary 7 -", ["after 7", "after 7", "never", "read by id"]),
        ("temporary - nothing-done", ["after 0", "after 0", "after 0", "after 0"]),
        ("temporary 7 nothing-done", ["after 7", "after 7", "after 7", "after 7"]),
        ("refused - -", ["never", "never", "never", "read by id"]),
        ("refused - nothing-done", ["never", "never", "never", "never"]),
    ];
    for (attempt, expected) in rows {
        let told = [
            check(attempt, Repeat::Safe, None),
            check(attempt, Repeat::Keyed, None),
            check(attempt, Repeat::Unsafe, None),
            check(attempt, Repeat::Unsafe, Some("id")),
        ];
        assert_eq!(told, expected, "{attempt}");
        // A lookup makes no difference for a request that may be repeated.
        assert_eq!(check(attempt, Repeat::Safe, Some("id")), expected[0], "{attempt}");
        assert_eq!(check(attempt, Repeat::Keyed, Some("id")), expected[1], "{attempt}");
    }
}

#[test]
fn a_lost_answer_has_the_advice_of_each_provider_s_routes() {
    let lost = AttemptOutcome::Unknown { wait: None };
    let again = RetryAdvice::After(Duration::ZERO);
    let allscale = allscale::Route::ROWS.map(|route| retry_advice(route.repeat(), route.lookup_key(), lost));
    assert_eq!(allscale, [RetryAdvice::Never, again, again, again, again, again]);
    let azotte = azotte::Route::ROWS.map(|route| retry_advice(route.repeat(), route.lookup_key(), lost));
    assert_eq!(azotte, [again, again]);
    let peach = peach::Route::ROWS.map(|route| retry_advice(route.repeat(), route.lookup_key(), lost));
    let read = RetryAdvice::ReadFirst("merchantTransactionId");
    assert_eq!(peach, [read, again, again, again, RetryAdvice::Never, again]);
}

#[test]
fn a_loop_ends_with_its_attempts() {
    let mut retrying =
        RetryState::new(RetryPolicy::default().backoff(Backoff::new(Duration::ZERO, Duration::ZERO)));
    let waits: Vec<_> = (0..5).map(|_| retrying.next(RetryAdvice::After(Duration::ZERO)).is_some()).collect();
    assert_eq!(waits, [true, true, true, false, false]);
    let mut none = RetryState::new(RetryPolicy::default().attempts(0));
    assert_eq!(none.next(RetryAdvice::After(Duration::ZERO)), None);
}

#[test]
fn a_loop_does_not_go_on_blindly_but_can_after_the_read() {
    let mut retrying = RetryState::new(RetryPolicy::default());
    assert_eq!(retrying.next(RetryAdvice::ReadFirst("id")), None);
    assert_eq!(retrying.next(RetryAdvice::Never), None);
    // The caller has read that there is nothing, and tries again: the attempts before count.
    assert!(retrying.next(RetryAdvice::After(Duration::ZERO)).is_some());
    assert_eq!(retrying.next(RetryAdvice::After(Duration::ZERO)), None);
    assert_eq!(retrying.ended(), 4);
}

fn advices() -> impl Strategy<Value = RetryAdvice> {
    prop_oneof![
        8 => (0..40_000_u64).prop_map(|millis| RetryAdvice::After(Duration::from_millis(millis))),
        1 => Just(RetryAdvice::After(Duration::MAX)),
        1 => Just(RetryAdvice::Never),
        1 => Just(RetryAdvice::ReadFirst("id")),
    ]
}

proptest! {
    #[test]
    fn a_loop_never_cuts_a_wait_short_nor_exceeds_its_budget(
        advices in prop::collection::vec(advices(), 0..20),
        attempts in 0..10_u32, budget in 0..120_000_u64, first in 0..5_000_u64, seed: u64,
    ) {
        let budget = Duration::from_millis(budget);
        let backoff = Backoff::new(Duration::from_millis(first), Duration::from_secs(20));
        let retries = RetryPolicy::default().attempts(attempts).budget(budget).backoff(backoff).seed(seed);
        let mut retrying = RetryState::new(retries);
        let (mut waited, mut sent) = (0, 1_u32);
        for advice in advices {
            let wait = retrying.next(advice);
            let least = match advice {
                RetryAdvice::After(least) => Some(least.max(backoff.wait(retrying.ended(), seed))),
                RetryAdvice::Never | RetryAdvice::ReadFirst(_) => None,
            };
            if let Some(wait) = wait {
                sent += 1;
                waited += wait.as_nanos();
                prop_assert_eq!(Some(wait), least);
            } else {
                let stays = least.is_some_and(|least| waited + least.as_nanos() <= budget.as_nanos());
                prop_assert!(!stays || retrying.ended() >= attempts);
            }
        }
        prop_assert!(sent <= attempts.max(1));
        prop_assert!(waited <= budget.as_nanos());
        prop_assert_eq!(retrying.waited().as_nanos(), waited);
    }
}
