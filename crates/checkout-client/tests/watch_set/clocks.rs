//! A clock that is wrong for a while.

use crate::crowds::{Crowd, OfAzotte, OfPeach, Told, note, now};
use crate::time::{ENDLESS, Slow, Time};
use crate::world::shifted;
use crate::world::{line, of_azotte, of_peach};
use checkout_client::{WatchSet, azotte};
use checkout_sandbox::azotte::{API_KEY, Sandbox, Scenario, X_TN};
use checkout_tables::Environment;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

const MINUTE: i64 = 60_000;
const YEAR: i64 = 365 * 24 * 60 * MINUTE;

/// Watches two checkouts by a clock that is wrong by `off` for `looks` readings, from the reading `from` on.
/// Returns the ends, after a resume of checkouts that were given up; the longest sleep; and the number of
/// reads.
fn check(off: i64, from: u64, looks: u64) -> (Vec<String>, Duration, usize) {
    let sandbox = Sandbox::builder().seed(7).scenario(Scenario::three_ds_url()).build();
    let submitted = of_azotte::client(&sandbox).submit(&of_azotte::submit()).send_blocking(&sandbox).unwrap();
    let number = submitted.payload.tracking_number;
    let (clock, looked) = (sandbox.clock().clone(), AtomicU64::new(0));
    let wrong = move || match looked.fetch_add(1, Ordering::SeqCst) {
        look if (from..from + looks).contains(&look) => shifted(clock.now(), off),
        _ => clock.now(),
    };
    let client = azotte::Client::builder("acme", X_TN, API_KEY.into()).environment(Environment::Sandbox);
    let client = client.clock(wrong).build().unwrap();
    let mut watches = WatchSet::new(now(sandbox.clock()), 42);
    let merchant = watches.merchant();
    for key in 0..2 {
        watches.add(merchant, client.watch(&number).unwrap(), key);
    }
    let (clock, mut longest, mut sleeps, mut ends) = (sandbox.clock().clone(), Duration::ZERO, 0, Vec::new());
    let mut given_up = 0;
    while let Some(event) = watches.next_event_blocking(&sandbox, |wait| {
        longest = longest.max(wait);
        sleeps += 1;
        assert!(sleeps < 1_000, "the set never ends");
        clock.advance(wait);
        ControlFlow::Continue(())
    }) {
        let Some(mut watch) = event.watch else { continue };
        let end = line(&event.change);
        if end.starts_with("gave up") {
            // The watch goes on when the clock is right again, and gets more time if that is not enough.
            given_up += 1;
            assert!(given_up < 1_000, "the checkout is given up for good");
            if given_up > 2 * looks {
                watch.resume(Duration::from_secs(3_600));
            }
            watches.add(merchant, watch, event.key);
        } else {
            ends.push(end);
        }
    }
    (ends, longest, sandbox.requests().len() - 1)
}

#[test]
fn a_clock_that_jumps_and_comes_back_costs_neither_the_end_nor_a_year() {
    for off in [-YEAR, -MINUTE, -5_000, 5_000, MINUTE, 60 * MINUTE, YEAR, 3 * YEAR] {
        for from in 0..14 {
            for looks in [1, 2, 4] {
                let (ends, longest, reads) = check(off, from, looks);
                assert_eq!(ends, ["ended: succeeded"; 2], "{off} {from} {looks}");
                assert!(longest <= Duration::from_secs(90), "{longest:?} {off} {from} {looks}");
                assert!(reads <= 45, "{reads} {off} {from} {looks}");
            }
        }
    }
}

#[test]
fn a_clock_that_is_set_back_while_reads_are_under_way_sends_none_of_them_twice() {
    let crowd = OfAzotte::of(&["happy"; 4]);
    let (time, off) = (Time::of(&crowd.clock()), Arc::new(AtomicI64::new(120 * MINUTE)));
    let (clock, ahead) = (crowd.clock(), Arc::clone(&off));
    let client = azotte::Client::builder("acme", X_TN, API_KEY.into()).environment(Environment::Sandbox);
    let client = client.clock(move || shifted(clock.now(), ahead.load(Ordering::SeqCst)));
    let client = client.build().unwrap();
    let mut watches = WatchSet::new(now(&crowd.clock()), 42);
    let merchant =
        watches.merchant_with(checkout_client::PollPolicy::azotte().initial_wait(Duration::ZERO), None);
    for (number, checkout) in crowd.0.checkouts().iter().enumerate() {
        watches.add(merchant, client.watch(&checkout.tracking_number).unwrap(), number);
    }
    // So long that each checkout is due again before the answer is there.
    let slow = Slow::new(crowd.0.clone(), &time, &[1_500]);
    assert!(time.run(watches.next_event(&slow, |wait| time.sleep(wait)), &mut { 1 }).is_none());
    assert_eq!(slow.log().len(), 4);
    off.store(0, Ordering::SeqCst);
    let mut told = Told::new();
    while let Some(event) =
        time.run(watches.next_event(&slow, |wait| time.sleep(wait)), &mut { ENDLESS }).unwrap()
    {
        note(&mut told, &event);
    }
    assert!(told.values().all(|lines| lines.last().unwrap() == "ended: succeeded"), "{told:?}");
    for number in 0..4 {
        let reads = crowd.reads(number);
        assert!(
            reads.len() > 1
                && reads
                    .windows(2)
                    .all(|pair| pair[1].1.saturating_since(pair[0].1) >= Duration::from_secs(3)),
            "{reads:?}"
        );
    }
}

#[test]
fn a_limit_outlives_a_clock_that_is_set_back() {
    let crowd = OfPeach::of(&["happy"; 6]);
    let (time, off) = (Time::of(&crowd.clock()), Arc::new(AtomicI64::new(90 * MINUTE)));
    let (clock, ahead) = (crowd.clock(), Arc::clone(&off));
    let client = of_peach::by_clock(move || shifted(clock.now(), ahead.load(Ordering::SeqCst)));
    let mut watches = WatchSet::new(now(&crowd.clock()), 42);
    let merchant = watches.merchant();
    for number in 0..6 {
        let id = format!("order-{:04}", number + 1);
        watches.add(merchant, client.watch(crate::crowds::checkout(&id).lookup()), number);
    }
    let slow = Slow::new(crowd.0.clone(), &time, &[100]);
    assert!(time.run(watches.next_event(&slow, |wait| time.sleep(wait)), &mut { 1 }).is_none());
    off.store(0, Ordering::SeqCst);
    let mut told = Told::new();
    while let Some(event) =
        time.run(watches.next_event(&slow, |wait| time.sleep(wait)), &mut { ENDLESS }).unwrap()
    {
        note(&mut told, &event);
    }
    assert!(told.values().all(|lines| lines.last().unwrap() == "ended: succeeded"), "{told:?}");
    assert_eq!(crowd.0.counts(checkout_sandbox::peach::ENTITY_ID).busiest_minute, 2);
}
