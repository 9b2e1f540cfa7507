//! The wait of a backoff.
#![allow(missing_docs, reason = "tests")]

use checkout_poll::Backoff;
use core::time::Duration;
use proptest::prelude::*;

/// Doubled one by one, in nanoseconds that do not overflow.
fn doubled(first: Duration, cap: Duration, failures: u32) -> u128 {
    (1..failures).fold(first.as_nanos().min(cap.as_nanos()), |wait, _| (wait * 2).min(cap.as_nanos()))
}

fn spans() -> impl Strategy<Value = Duration> {
    prop_oneof![
        (0..100_000_u64).prop_map(Duration::from_millis),
        (any::<u64>(), 0..1_000_000_000_u32).prop_map(|(seconds, nanos)| Duration::new(seconds, nanos)),
        prop::sample::select(vec![Duration::ZERO, Duration::from_nanos(1), Duration::MAX]),
    ]
}

proptest! {
    #[test]
    fn a_wait_is_between_half_and_all_of_the_doubled_wait_and_never_above_the_cap(
        first in spans(), cap in spans(), failures in prop_oneof![1..80_u32, Just(u32::MAX)], seed: u64,
    ) {
        let backoff = Backoff::new(first, cap);
        let (wait, whole) = (backoff.wait(failures, seed).as_nanos(), doubled(first, cap, failures.min(200)));
        // A factor beyond 32 bits counts as the largest factor of 32 bits: 136 years for a first second.
        prop_assert!(wait <= cap.as_nanos());
        if failures <= 32 || cap.as_nanos() <= first.as_nanos() << 31 {
            prop_assert!(wait <= whole && wait >= whole / 2, "{wait} of {whole}");
        }
        prop_assert_eq!(backoff.wait(failures, seed), backoff.wait(failures, seed));
        prop_assert_eq!(backoff.wait(0, seed) <= first.min(cap), true);
    }
}

#[test]
fn seeds_spread_over_the_upper_half() {
    let backoff = Backoff::new(Duration::from_secs(8), Duration::from_secs(60));
    let mut quarters = [0_u32; 4];
    for seed in 0..4_000 {
        let above = backoff.wait(1, seed) - Duration::from_secs(4);
        quarters[usize::try_from(above.as_millis() / 1_000).unwrap().min(3)] += 1;
    }
    assert!(quarters.iter().all(|count| (800..1_200).contains(count)), "{quarters:?}");
}
