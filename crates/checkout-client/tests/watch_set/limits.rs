//! The shares of merchants: their limits, and the places for reads under way.

use crate::crowds::{Crowd, OfAllscale, OfPeach, Told, all, note, now, watches};
use crate::time::{ENDLESS, Slow, Time};
use checkout_client::WatchSet;
use checkout_sandbox::peach::ENTITY_ID;
use checkout_tables::{RateLimit, RateScope};
use proptest::prelude::*;
use std::num::NonZeroU32;
use std::time::Duration;

/// A dozen and more checkouts of one merchant, with journeys shorter than the margin of a second.
fn check(scenarios: &[&str], ways: &[u64]) -> Told {
    let crowd = OfPeach::of(scenarios);
    let (told, _) = all(&crowd, &mut watches(&crowd, true), ways);
    let counts = crowd.0.counts(ENTITY_ID);
    assert!(counts.busiest_minute <= 2, "{counts:?}");
    assert!(counts.reads > 0);
    told
}

#[test]
fn a_merchant_with_a_crowd_has_two_reads_a_minute_and_each_of_them_comes_to_its_end() {
    let told = check(&["happy"; 20], &[0]);
    for lines in told.values() {
        assert_eq!(lines.last().unwrap(), "ended: succeeded", "{lines:?}");
    }
    assert_eq!(told.len(), 20);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn no_minute_has_more_reads_than_the_limit(
        scenarios in proptest::collection::vec(proptest::sample::select(OfPeach::NAMES), 1..24),
        ways in proptest::collection::vec(0_u64..900, 1..9)
    ) {
        check(&scenarios, &ways);
    }
}

#[test]
fn a_set_without_the_limit_exceeds_the_limit() {
    let crowd = OfPeach::of(&["happy"; 20]);
    let _ = all(&crowd, &mut watches(&crowd, false), &[0]);
    assert!(crowd.0.counts(ENTITY_ID).busiest_minute >= 20);
}

#[test]
fn a_set_with_part_of_a_limit_uses_that_part_alone() {
    let crowd = OfPeach::of(&["happy"; 3]);
    let mut watches = WatchSet::new(now(&crowd.clock()), 42);
    let half = RateLimit { requests: 1, per_seconds: 60, scope: RateScope::Merchant };
    let merchant = watches.merchant_with(checkout_client::PollPolicy::peach(), Some(half));
    for number in 0..3 {
        watches.add(merchant, crowd.watch(number), number);
    }
    let (told, _) = all(&crowd, &mut watches, &[300]);
    assert!(told.values().all(|lines| lines.last().unwrap() == "ended: succeeded"), "{told:?}");
    assert_eq!(crowd.0.counts(ENTITY_ID).busiest_minute, 1);
}

#[test]
fn requests_of_others_count_too() {
    let crowd = OfPeach::of(&["happy"]);
    let (clock, mut watches) = (crowd.clock(), WatchSet::new(now(&crowd.clock()), 42));
    let merchant = watches.merchant();
    watches.record_request(merchant, now(&clock));
    watches.record_request(merchant, now(&clock));
    assert_eq!(watches.requests_in_window(merchant).collect::<Vec<_>>(), [now(&clock); 2]);
    watches.add(merchant, crowd.watch(0), 0);
    let begun = clock.now();
    let _ = all(&crowd, &mut watches, &[0]);
    assert!(crowd.reads(0)[0].1 >= begun.saturating_add(Duration::from_secs(60)));
}

#[test]
fn no_more_reads_are_under_way_than_allowed() {
    for (at_once, most) in [(0, 1), (1, 1), (3, 3), (16, 16), (99, 30)] {
        let crowd = OfAllscale::of(&["happy"; 30]);
        let mut watches = watches(&crowd, true).max_in_flight(at_once);
        assert_eq!(all(&crowd, &mut watches, &[250]).1, most, "{at_once}");
    }
}

#[test]
fn merchants_take_turns_in_any_order_of_arrival() {
    let crowd = OfAllscale::of(&["happy"; 20]);
    let mut watches = WatchSet::new(now(&crowd.clock()), 42).max_in_flight(1);
    let (one, another) = (watches.merchant(), watches.merchant());
    for number in 0..20 {
        watches.add(if number < 10 { one } else { another }, crowd.watch(number), number);
    }
    let _ = all(&crowd, &mut watches, &[20]);
    // The first read of each checkout, in the order of the checkouts.
    let mut first: Vec<_> = (0..20).map(|number| (crowd.reads(number)[0].1, number < 10)).collect();
    first.sort_unstable();
    let turns: Vec<_> = first.iter().map(|(_, one)| *one).collect();
    assert!(turns.chunks(2).all(|pair| pair[0] != pair[1]), "{turns:?}");
}

#[test]
fn a_limited_merchant_slows_down_for_all_its_checkouts_and_holds_up_no_other() {
    use checkout_sandbox::allscale::Fault;
    let crowd = OfAllscale::of(&["happy"; 4]);
    let mut watches = WatchSet::new(now(&crowd.clock()), 42).max_in_flight(1);
    let (one, another) = (watches.merchant(), watches.merchant());
    for number in 0..4 {
        watches.add(if number < 2 { one } else { another }, crowd.watch(number), number);
    }
    let begun = crowd.clock().now();
    crowd.0.inject(Fault::RateLimited);
    let (told, _) = all(&crowd, &mut watches, &[0]);
    assert!(told.values().all(|lines| lines.last().unwrap() == "ended: succeeded"), "{told:?}");
    let firsts: Vec<_> = (0..4).map(|number| crowd.reads(number)[0].1.saturating_since(begun)).collect();
    assert_eq!([firsts[0], firsts[2], firsts[3]], [Duration::ZERO; 3]);
    assert!(firsts[1] >= Duration::from_secs(2), "{firsts:?}");
}

#[test]
fn a_set_never_meets_the_limit_of_a_sandbox() {
    use checkout_sandbox::peach::{Sandbox, Scenario};
    let most = NonZeroU32::new(2);
    let sandbox =
        Sandbox::builder().seed(7).status_limit(most).scenario(Scenario::declined_then_paid()).build();
    let client = crate::world::of_peach::client(&sandbox);
    let time = Time::of(sandbox.clock());
    let mut watches = WatchSet::new(now(sandbox.clock()), 42);
    let merchant = watches.merchant();
    for number in 0..8 {
        let id = format!("order-{number:04}");
        let checkout = crate::crowds::checkout(&id);
        client.initiate(&checkout).unwrap().send_blocking(&sandbox).unwrap();
        watches.add(merchant, client.watch(checkout.lookup()), number);
    }
    let (slow, mut told) = (Slow::new(sandbox.clone(), &time, &[120, 7, 480]), Told::new());
    while let Some(event) =
        time.run(watches.next_event(&slow, |wait| time.sleep(wait)), &mut { ENDLESS }).unwrap()
    {
        note(&mut told, &event);
    }
    assert!(told.values().flatten().all(|line| !line.starts_with('x')), "{told:?}");
    assert_eq!(sandbox.counts(ENTITY_ID).limited, 0);
}

#[test]
fn a_limit_of_no_time_allows_reads() {
    let crowd = OfPeach::of(&["happy"; 2]);
    let mut watches = WatchSet::new(now(&crowd.clock()), 42);
    let none = RateLimit { requests: 1, per_seconds: 0, scope: RateScope::Merchant };
    let merchant = watches.merchant_with(checkout_client::PollPolicy::peach(), Some(none));
    for number in 0..2 {
        watches.add(merchant, crowd.watch(number), number);
    }
    let time = Time::of(&crowd.clock());
    let slow = Slow::new(crowd.0.clone(), &time, &[0]);
    let first = time.run(watches.next_event(&slow, |wait| time.sleep(wait)), &mut { 1_000 });
    assert!(matches!(first, Some(Some(_))), "no checkout is read");
}
