//! A clock of ours that runs ahead for a while, and is set back.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests")]

use checkout_lifecycle::{Attestation, Moment, Observation, Status, Tracker, Verdict};
use checkout_tables::Open;
use checkout_tables::allscale::IntentStatus;
use checkout_tables::azotte::MessageCode;
use checkout_tables::peach::PaymentStatus;
use proptest::prelude::*;

/// 2024-05-23 21:50:00 UTC.
const EPOCH: i64 = 1_716_501_000_000;
const SECOND: i64 = 1_000;
const YEAR: i64 = 365 * 24 * 3_600 * SECOND;

fn at(seconds: i64) -> Moment {
    Moment::from_unix_millis(EPOCH + seconds * SECOND)
}

/// One read of a stored tracker: the verdict, and the stored text after it.
fn read<S: Status>(column: &str, status: &str, sent: Moment, now: Moment) -> (String, String) {
    let mut tracker: Tracker<S> = column.parse().unwrap();
    let status: Open<S, &str> = Open::from(status);
    let verdict = tracker.observe(Observation::read(status, sent), now);
    (verdict.to_string(), tracker.to_string())
}

/// The verdict, beside a stored tracker, on a read that was sent in the hundredth second and is taken in 300
/// ms later.
fn check<S: Status>(column: &str, status: &str) -> (String, String) {
    read::<S>(column, status, at(100), Moment::from_unix_millis(at(100).unix_millis() + 300))
}

/// The stored text of a status, at so many seconds.
fn stored(status: &str, seconds: i64) -> String {
    format!("v1 {status} - {}", at(seconds).unix_millis())
}

#[test]
fn a_read_after_the_clock_was_set_back_is_adopted() {
    let year = YEAR / SECOND;
    for ahead in [301 + 100, 3_600, year, i64::MAX / SECOND / 2] {
        for (known, observed, verdict) in [
            ("ON_CHAIN", "UNDERPAID", "advanced"),
            ("ON_CHAIN", "CONFIRMED", "advanced"),
            ("ON_CHAIN", "ON_CHAIN", "unchanged"),
            // The verdict of a right clock: nothing explains the status, and the provider knows.
            ("ON_CHAIN", "VIEWED", "unexpected"),
            ("FAILED", "ON_CHAIN", "reopened"),
            ("TIMEOUT", "CONFIRMED", "late success"),
            ("CONFIRMED", "ON_CHAIN", "conflict"),
        ] {
            let outcome = check::<IntentStatus>(&stored(known, ahead), observed);
            assert_eq!(outcome.0, verdict, "{known} {observed} {ahead}");
            if verdict != "conflict" {
                // The moment of the read took the place of the other moment.
                assert!(outcome.1.ends_with(&at(100).unix_millis().to_string()), "{outcome:?}");
            }
        }
        let done = check::<MessageCode>(&stored("CHECK_OUT_PROCESSING", ahead), "CHECK_OUT_DONE");
        assert_eq!(done, ("advanced".to_owned(), stored("CHECK_OUT_DONE", 100)));
    }
}

#[test]
fn an_answer_that_was_under_way_for_minutes_keeps_its_age() {
    // The read was sent at 100 s and taken in ten minutes later; the known status was read in between.
    for known in [101, 400, 699, 700] {
        let outcome = read::<IntentStatus>(&stored("CONFIRMED", known), "ON_CHAIN", at(100), at(700));
        assert_eq!(outcome, ("stale".to_owned(), stored("CONFIRMED", known)));
    }
    // Clocks of two machines that differ by less than five minutes are no clock that ran ahead.
    let outcome = read::<IntentStatus>(&stored("CONFIRMED", 399), "ON_CHAIN", at(99), at(100));
    assert_eq!(outcome.0, "stale");
    let outcome = read::<IntentStatus>(&stored("CONFIRMED", 400), "ON_CHAIN", at(99), at(100));
    assert_eq!(outcome.0, "stale");
    let outcome = read::<IntentStatus>(&stored("CONFIRMED", 401), "ON_CHAIN", at(99), at(100));
    assert_eq!(outcome.0, "conflict");
}

#[test]
fn a_read_sent_by_a_clock_ahead_counts_as_sent_when_its_answer_is_taken_in() {
    let year = YEAR / SECOND;
    let outcome = read::<IntentStatus>("v1 CREATED - -", "ON_CHAIN", at(year), at(100));
    assert_eq!(outcome.1, stored("ON_CHAIN", 100));
    let outcome = read::<IntentStatus>(&outcome.1, "VIEWED", at(101), at(102));
    assert_eq!(outcome.0, "unexpected");
}

#[test]
fn a_webhook_with_a_future_moment_has_no_moment() {
    let observe = |column: &str| {
        let mut tracker: Tracker<IntentStatus> = column.parse().unwrap();
        let proof = Attestation::by_caller();
        let webhook =
            Observation::<_, i64>::verified_webhook(IntentStatus::Timeout, Some(at(100_000)), proof);
        format!("{}: {tracker}", tracker.observe(webhook, at(100)))
    };
    assert_eq!(observe(&stored("CONFIRMED", 50)), format!("stale: {}", stored("CONFIRMED", 50)));
}

#[test]
fn a_provider_s_own_times_are_compared_with_each_other_alone() {
    // Peach's clock is a day ahead of ours, or ours a day behind.
    let day = 24 * 3_600;
    for (observed, verdict) in [(day + 1, "conflict"), (day - 1, "stale")] {
        let mut tracker: Tracker<PaymentStatus> = stored("successful", day).parse().unwrap();
        let order = Some(at(observed));
        let read = Observation::<_, i64>::read_ordered(PaymentStatus::Pending, order);
        assert_eq!(tracker.observe(read, at(0)).to_string(), verdict);
        assert_eq!(tracker.to_string(), stored("successful", day));
    }
}

/// A read of ours: the time since the read before was sent, the time that the read took, and the clock's
/// error at the sending and at the answer.
#[derive(Clone, Copy, Debug)]
struct Play {
    status: IntentStatus,
    later: i64,
    journey: i64,
    off: [i64; 2],
}

fn plays() -> impl Strategy<Value = Vec<Play>> {
    let off = || {
        prop_oneof![
            3 => Just(0),
            1 => 301 * SECOND..YEAR,
            1 => (301 * SECOND..YEAR).prop_map(|off| -off),
            1 => prop::sample::select(vec![YEAR, 100 * YEAR, -YEAR, -100 * YEAR]),
        ]
    };
    let play =
        (prop::sample::select(IntentStatus::ROWS.to_vec()), 1..900 * SECOND, 0..900 * SECOND, off(), off());
    prop::collection::vec(
        play.prop_map(|(status, later, journey, sent, heard)| Play {
            status,
            later,
            journey,
            off: [sent, heard],
        }),
        1..12,
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4_000) })]

    /// One read after another, each stored. A read by a right clock is never called old, for any earlier
    /// error of the clock.
    #[test]
    fn no_read_by_a_right_clock_is_old_after_a_jump_of_the_clock(plays in plays()) {
        let (mut column, mut time) = (Tracker::<IntentStatus>::new().to_string(), EPOCH);
        for Play { status, later, journey, off: [sent_off, heard_off] } in plays {
            time += later;
            let sent = Moment::from_unix_millis(time + sent_off);
            time += journey;
            let mut tracker: Tracker<IntentStatus> = column.parse().unwrap();
            let verdict = tracker.observe(Observation::<_, i64>::read(status, sent), Moment::from_unix_millis(time + heard_off));
            if (sent_off, heard_off) == (0, 0) {
                let stale = matches!(verdict, Verdict::Stale { .. });
                prop_assert!(!stale, "{} after {}", status.code(), column);
            }
            column = tracker.to_string();
        }
    }
}
