//! Nudges among many: each is answered once.

use crate::crowds::{Crowd, OfAllscale, OfAzotte, now, watches};
use crate::time::{Slow, Time};
use crate::world::line;
use checkout_client::{Change, Nudged, WatchSet};
use checkout_sandbox::allscale::Fault;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Duration;

#[test]
fn a_nudge_whose_read_brings_nothing_new_is_answered_by_ticket_and_by_handle() {
    let crowd = OfAllscale::of(&["never_paid", "never_paid"]);
    let (clock, mut watches) = (crowd.clock(), watches(&crowd, true));
    let end = clock.now().saturating_add(Duration::from_secs(60));
    let (first, second) = (watches.find(&0).unwrap(), watches.find(&1).unwrap());
    let handle = watches.handle(second).unwrap();
    let mut told = Vec::new();
    while clock.now() < end {
        let event = watches.next_event_blocking(crowd.sandbox(), |wait| {
            clock.advance(wait.min(Duration::from_secs(1)));
            ControlFlow::Break(())
        });
        if let Some(event) = event {
            told.push(format!("{}: {}", event.key, line(&event.change)));
            assert!(event.stored.starts_with("v1 ") && event.watch.is_none());
        }
        if clock.now().saturating_add(Duration::from_secs(31)) > end && told.len() == 2 {
            assert!(watches.nudge(first));
            assert!(watches.nudge(first));
            handle.nudge();
            told.push("nudged".to_owned());
        }
    }
    let (before, after) = told.split_at(3);
    assert_eq!(before, ["0: awaiting payer", "1: awaiting payer", "nudged"]);
    let mut after = after.to_vec();
    after.sort_unstable();
    assert_eq!(after, ["0: nudged: glance", "1: nudged: glance"]);
}

/// The nudge comes during the last read, and that read answers the nudge. No other read follows, so the
/// caller does as the answer says: resume the checkout.
#[test]
fn a_checkout_resumed_before_the_report_of_its_giving_up_goes_on() {
    let crowd = OfAllscale::of(&["never_paid"]);
    let (clock, mut watches) = (crowd.clock(), watches(&crowd, true));
    let watch_id = watches.find(&0).unwrap();
    let refuses = |count| (0..count).for_each(|_| crowd.sandbox().inject(Fault::UnknownErrorCode(30_001)));
    refuses(3);
    let mut told = Vec::new();
    for _ in 0..12 {
        let sandbox = crowd.sandbox().clone();
        let nudge = watches.handle(watch_id);
        let transport = checkout_transport::from_fn_blocking(|request| {
            // The nudge comes while the read is under way.
            nudge.iter().for_each(checkout_client::Handle::nudge);
            checkout_transport::BlockingTransport::send_blocking(&sandbox, request)
        });
        let event = watches.next_event_blocking(&transport, |wait| {
            clock.advance(wait);
            ControlFlow::Continue(())
        });
        let Some(event) = event else { break };
        told.push(line(&event.change));
        if let Change::Nudged(Nudged::NoRead) = event.change {
            assert!(watches.resume(watch_id, Duration::from_secs(3_600)));
            break;
        }
    }
    assert_eq!(told.last().map(String::as_str), Some("nudged: no read"), "{told:?}");
    // The checkout is open, and is read on.
    let reads = crowd.reads(0).len();
    let event = watches.next_event_blocking(crowd.sandbox(), |wait| {
        clock.advance(wait);
        ControlFlow::Continue(())
    });
    assert!(!event.unwrap().change.is_end());
    assert!(crowd.reads(0).len() > reads);
}

#[test]
fn a_nudge_that_comes_while_a_read_is_under_way_is_answered_by_the_next_read() {
    let crowd = OfAllscale::of(&["never_paid"]);
    let time = Time::of(&crowd.clock());
    // Each way takes two seconds.
    let slow = Slow::new(crowd.sandbox().clone(), &time, &[2_000]);
    let mut watches = watches(&crowd, true);
    let watch_id = watches.find(&0).unwrap();
    let begun = crowd.clock().now();
    assert!(time.run(watches.next_event(&slow, |wait| time.sleep(wait)), &mut { 1 }).is_none());
    assert!(watches.nudge(watch_id));
    let mut told = Vec::new();
    while told.last().is_none_or(|(line, _)| line != "nudged: glance") {
        let next = watches.next_event(&slow, |wait| time.sleep(wait));
        let event = time.run(next, &mut { 1_000 }).unwrap().unwrap();
        told.push((line(&event.change), crowd.clock().now().saturating_since(begun).as_secs()));
    }
    assert_eq!(told[0], ("awaiting payer".to_owned(), 4));
    // The next read, a second after the answer to the read before.
    assert_eq!(told[1], ("nudged: glance".to_owned(), 9));
}

#[test]
fn a_nudge_of_a_given_up_checkout_is_answered_without_a_read_before_the_checkout_leaves() {
    let crowd = OfAllscale::of(&["never_paid"]);
    let (clock, mut watches) = (crowd.clock(), watches(&crowd, true));
    let mut told = Vec::new();
    let mut watch_id = watches.find(&0).unwrap();
    while let Some(event) = watches.next_event_blocking(crowd.sandbox(), |wait| {
        clock.advance(wait);
        ControlFlow::Continue(())
    }) {
        told.push(line(&event.change));
        watch_id = event.watch_id;
    }
    assert_eq!(told.last().unwrap(), "gave up at awaiting payer: Deadline");
    // A nudge of a checkout that has left does nothing, and the caller learns so.
    assert!(!watches.nudge(watch_id));

    // The checkout has ended, and the end is not reported yet.
    let crowd = OfAzotte::of(&["done_at_once"]);
    let (clock, mut watches) = (crowd.clock(), WatchSet::new(now(&crowd.clock()), 42));
    let merchant = watches.merchant();
    let watch_id = watches.add(merchant, crowd.watch(0), 0);
    let mut told = Vec::new();
    while let Some(event) = watches.next_event_blocking(crowd.sandbox(), |wait| {
        clock.advance(wait);
        ControlFlow::Continue(())
    }) {
        if told.is_empty() {
            assert!(watches.nudge(watch_id));
        }
        told.push(line(&event.change));
    }
    assert!(
        told == ["succeeded", "nudged: no read", "ended: succeeded"] || told[1] == "nudged: glance",
        "{told:?}"
    );
    assert_eq!(told.len(), 3);
}

#[test]
fn a_removed_checkout_takes_its_nudge_along() {
    let crowd = OfAllscale::of(&["never_paid"]);
    let (clock, mut watches) = (crowd.clock(), watches(&crowd, true));
    let watch_id = watches.find(&0).unwrap();
    assert!(watches.nudge(watch_id));
    let (mut watch, _) = watches.remove(watch_id).unwrap();
    let told: Vec<_> = (0..2)
        .map(|_| line(&watch.next_change_blocking(crowd.sandbox(), |wait| clock.advance(wait))))
        .collect();
    assert_eq!(told, ["awaiting payer", "nudged: glance"]);
}

/// A nudge: the checkout, the seconds until the nudge, and true for a nudge by the handle.
fn nudges() -> impl Strategy<Value = Vec<(usize, u64, bool)>> {
    prop::collection::vec((0..3_usize, 0..900_u64, any::<bool>()), 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(60) })]

    /// Each nudge is answered: after the nudge, by one answer, before the checkout leaves. No answer comes
    /// without a nudge.
    #[test]
    fn every_nudge_is_answered_exactly_once(mut nudges in nudges(), faults in prop::collection::vec(0..900_u64, 0..10)) {
        nudges.sort_by_key(|nudge| nudge.1);
        let crowd = OfAllscale::of(&["happy", "never_paid", "underpaid"]);
        let (clock, mut watches) = (crowd.clock(), watches(&crowd, false));
        let (begun, mut nudges, mut faults) = (clock.now(), nudges.into_iter().peekable(), faults);
        let watch_ids: BTreeMap<_, _> = watches.iter().map(|(watch_id, key)| (*key, watch_id)).collect();
        let handles: BTreeMap<_, _> = watch_ids.iter().map(|(key, watch_id)| (*key, watches.handle(*watch_id).unwrap())).collect();
        // The checkouts that wait for an answer, and the checkouts that have left.
        let (mut waiting, mut left) = ([false; 3], [false; 3]);
        loop {
            let second = clock.now().saturating_since(begun).as_secs();
            while let Some((key, _, by_handle)) = nudges.next_if(|nudge| nudge.1 <= second) {
                if left[key] {
                    prop_assert!(!watches.nudge(watch_ids[&key]));
                } else if by_handle {
                    handles[&key].nudge();
                    waiting[key] = true;
                } else {
                    prop_assert!(watches.nudge(watch_ids[&key]));
                    waiting[key] = true;
                }
            }
            if faults.contains(&second) {
                faults.retain(|fault| *fault != second);
                crowd.sandbox().inject(Fault::InternalError);
            }
            let event = watches.next_event_blocking(crowd.sandbox(), |wait| {
                clock.advance(wait.min(Duration::from_secs(1)));
                ControlFlow::Break(())
            });
            let Some(event) = event else {
                if watches.is_empty() {
                    break;
                }
                continue;
            };
            match event.change {
                Change::Nudged(nudged) => {
                    prop_assert!(waiting[event.key], "an answer that nobody waits for: {nudged:?}");
                    waiting[event.key] = false;
                    prop_assert!(!left[event.key] && (nudged.is_read() || !matches!(nudged, Nudged::Status(_))));
                }
                Change::End(_) => {
                    prop_assert!(!waiting[event.key], "the checkout leaves, and owes an answer");
                    left[event.key] = true;
                }
                _ => {}
            }
        }
        prop_assert_eq!(waiting, [false; 3]);
    }
}
