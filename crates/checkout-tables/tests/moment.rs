//! Moments and the spans between them.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use checkout_tables::Moment;
use core::time::Duration;
use proptest::prelude::*;

fn at(millis: i64) -> Moment {
    Moment::from_unix_millis(millis)
}

/// The same in unlimited integers: nanoseconds, rounded up to milliseconds, within the range.
fn added(millis: i64, span: Duration) -> i64 {
    let nanos = i128::from(millis) * 1_000_000 + i128::try_from(span.as_nanos()).unwrap();
    let up = nanos.div_euclid(1_000_000) + i128::from(nanos.rem_euclid(1_000_000) != 0);
    i64::try_from(up).unwrap_or(i64::MAX).max(i64::MIN + 1)
}

/// Any length, the short ones as often as the long ones.
fn spans() -> impl Strategy<Value = Duration> {
    prop_oneof![
        (0..10_000_000_u64).prop_map(Duration::from_nanos),
        any::<u64>().prop_map(Duration::from_millis),
        (any::<u64>(), 0..1_000_000_000_u32).prop_map(|(seconds, nanos)| Duration::new(seconds, nanos)),
        Just(Duration::MAX),
    ]
}

fn moments() -> impl Strategy<Value = i64> {
    let ends = vec![i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 1, i64::MAX];
    prop_oneof![any::<i64>(), -2_000_000_000_000..4_000_000_000_000_i64, prop::sample::select(ends)]
}

proptest! {
    #[test]
    fn a_span_is_added_as_unlimited_integers_add_it_and_no_wait_is_cut_short(
        millis in moments(), span in spans(),
    ) {
        prop_assert_eq!(at(millis).saturating_add(span), at(added(at(millis).unix_millis(), span)));
    }

    #[test]
    fn the_span_since_an_earlier_moment_leads_from_there_to_the_moment(from in moments(), to in moments()) {
        let (from, to) = (at(from), at(to));
        let since = to.saturating_since(from);
        let apart = i128::from(to.unix_millis()) - i128::from(from.unix_millis());
        prop_assert_eq!(since.as_millis(), u128::try_from(apart).unwrap_or(0));
        prop_assert_eq!(from.saturating_add(since), from.max(to));
    }
}
