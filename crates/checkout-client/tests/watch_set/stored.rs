//! The stored text of each checkout, and a restart from the stored texts.

use crate::crowds::{Crowd, OfAllscale, OfAzotte, OfPeach, Told, all, is_end, note, now, watches};
use crate::time::{ENDLESS, Slow, Time};
use checkout_client::{Change, End, PollPolicy, WatchSet};
use checkout_sandbox::peach::ENTITY_ID;
use checkout_tables::Moment;
use std::collections::BTreeMap;
use std::time::Duration;

/// Lives until so many events were reported, then goes on in another set that knows the stored texts and the
/// times of the limit alone.
fn restarted<C: Crowd>(scenarios: &[&str], after: usize) -> (Told, C) {
    let (crowd, mut told) = (C::of(scenarios), Told::new());
    let (time, mut before) = (Time::of(&crowd.clock()), watches(&crowd, true));
    let slow = Slow::new(crowd.sandbox().clone(), &time, &[0]);
    let watch_ids: Vec<_> = before.iter().map(|(watch_id, key)| (watch_id, *key)).collect();
    let mut rows: BTreeMap<_, _> =
        watch_ids.iter().map(|(watch_id, key)| (*key, before.stored(*watch_id).unwrap())).collect();
    for _ in 0..after {
        let event = time.run(before.next_event(&slow, |wait| time.sleep(wait)), &mut { ENDLESS }).unwrap();
        let Some(event) = event else { break };
        note(&mut told, &event);
        rows.insert(event.key, event.stored);
        if event.watch.is_some() {
            rows.remove(&event.key);
        }
    }
    // A process that stops stores all checkouts; the texts include reads that changed nothing.
    for (watch_id, key) in before.iter() {
        rows.insert(*key, before.stored(watch_id).unwrap());
    }
    let mut watches = WatchSet::new(now(&crowd.clock()), 43);
    let merchant = watches.merchant();
    before.requests_in_window(merchant).for_each(|at| watches.record_request(merchant, at));
    drop(before);
    for (key, row) in &rows {
        let watch = crowd.watch(*key).restore_from(row).unwrap();
        assert_eq!(watch.stored(), *row);
        watches.add(merchant, watch, *key);
    }
    let (rest, _) = all(&crowd, &mut watches, &[0]);
    for (key, lines) in rest {
        told.entry(key).or_default().extend(lines);
    }
    (told, crowd)
}

#[test]
fn a_restart_at_any_event_goes_on_with_the_same_reads_to_the_same_ends() {
    fn check<C: Crowd>(scenarios: &[&str]) {
        let crowd = C::of(scenarios);
        let (expected, _) = all(&crowd, &mut watches(&crowd, true), &[0]);
        let events: usize = expected.values().map(Vec::len).sum();
        assert!(events >= 2 * scenarios.len());
        for after in 0..=events {
            let (told, again) = restarted::<C>(scenarios, after);
            for (key, lines) in &told {
                let ends: Vec<_> = lines.iter().filter(|line| is_end(line)).collect();
                assert_eq!(ends, [expected[key].last().unwrap()], "{after}");
                // A checkout that had ended without a report reads once more.
                let (reads, without) = (again.reads(*key), crowd.reads(*key));
                assert_eq!(reads[..without.len()], without, "{after}");
                assert!(reads.len() <= without.len() + 1, "{after}");
            }
            assert_eq!(told.len(), expected.len(), "{after}");
        }
    }
    check::<OfAllscale>(&["happy", "underpaid", "regression", "never_paid"]);
    check::<OfAzotte>(&["three_ds_twice", "unknown_code", "failed"]);
}

#[test]
fn a_restart_keeps_the_limit() {
    let scenarios = ["happy", "declined_then_paid", "cancelled", "happy", "in_review", "expired"];
    for after in 0..12 {
        let (told, crowd) = restarted::<OfPeach>(&scenarios, after);
        assert!(crowd.0.counts(ENTITY_ID).busiest_minute <= 2, "{after}");
        assert!(told.values().all(|lines| is_end(lines.last().unwrap())), "{told:?}");
    }
}

#[test]
fn a_checkout_that_gave_up_leaves_with_its_watch_and_is_added_after_a_resume() {
    let crowd = OfAllscale::of(&["timeout"]);
    let (clock, time) = (crowd.clock(), Time::of(&crowd.clock()));
    let slow = Slow::new(crowd.0.clone(), &time, &[0]);
    let mut watches = watches(&crowd, true);
    let next = |watches: &mut WatchSet<_, usize>| {
        time.run(watches.next_event(&slow, |wait| time.sleep(wait)), &mut { ENDLESS }).unwrap()
    };
    let mut left = None;
    while let Some(event) = next(&mut watches) {
        left = event.watch.or(left);
    }
    let (watch, asked) = (left.unwrap(), crowd.reads(0).len());
    clock.advance(Duration::from_secs(24 * 3_600));
    // The checkout is still given up, and sends nothing.
    let merchant = watches.merchant();
    watches.add(merchant, watch, 0);
    let event = next(&mut watches).unwrap();
    assert!(matches!(event.change, Change::End(End::GaveUp { .. })), "{event:?}");
    assert_eq!(crowd.reads(0).len(), asked);
    let mut watch = event.watch.unwrap();
    watch.resume(Duration::from_secs(3_600));
    watches.add(merchant, watch, 0);
    let (told, _) = all(&crowd, &mut watches, &[0]);
    assert_eq!(told[&0], ["failed: expired", "ended: failed: expired"]);
}

#[test]
fn an_ended_checkout_reads_once_more_and_ends_without_late_reads() {
    let policy = PollPolicy::allscale()
        .late_payment_reads(Duration::from_secs(3_600), Duration::from_secs(24 * 3_600));
    let crowd = OfAllscale::of(&["canceled"]);
    let alone = |resumed_from: Option<&str>| {
        let clock = crowd.clock();
        let mut watch = crowd.watch(0).policy(policy);
        if let Some(text) = resumed_from {
            watch = watch.restore_from(text).unwrap();
        }
        let (began, reads) = (clock.now(), crowd.reads(0).len());
        let end = watch.end_blocking(crowd.sandbox(), |wait| clock.advance(wait));
        let took = clock.now().saturating_since(began);
        (crate::world::end_line(&end), watch.stored(), crowd.reads(0).len() - reads, took)
    };
    let (_, stored, ..) = alone(None);
    crowd.clock().advance(Duration::from_secs(60));
    let (end, _, reads, took) = alone(Some(&stored));
    assert_eq!(end, "ended: failed: canceled");

    let mut watches = WatchSet::new(now(&crowd.clock()), 42);
    let merchant = watches.merchant_with(policy, None);
    let (began, before) = (crowd.clock().now(), crowd.reads(0).len());
    watches.add(merchant, crowd.watch(0).restore_from(&stored).unwrap(), 0);
    let (told, _) = all(&crowd, &mut watches, &[0]);
    assert_eq!(told[&0], [end]);
    // The same reads as a watch alone; at once, and not in a day.
    assert_eq!(crowd.reads(0).len() - before, reads);
    assert_eq!((reads, took), (1, Duration::ZERO));
    assert_eq!(crowd.clock().now().saturating_since(began), took);
}

#[test]
fn late_reads_are_made_and_late_money_is_reported() {
    let policy = PollPolicy::allscale()
        .late_payment_reads(Duration::from_secs(3_600), Duration::from_secs(24 * 3_600));
    let crowd = OfAllscale::of(&["late_success"]);
    let mut watches = WatchSet::new(now(&crowd.clock()), 42);
    let merchant = watches.merchant_with(policy.deadline(Duration::from_secs(4 * 3_600)), None);
    watches.add(merchant, crowd.watch(0), 0);
    let (told, _) = all(&crowd, &mut watches, &[0]);
    assert!(told[&0].last().unwrap().starts_with("ended: succeeded after "), "{told:?}");
    assert!(told[&0].iter().any(|line| line.starts_with("! ")), "{told:?}");
}

#[test]
fn unreported_changes_leave_with_the_watch_of_a_removed_checkout() {
    let crowd = OfAzotte::of(&["three_ds_at_once", "happy"]);
    let time = Time::of(&crowd.clock());
    let slow = Slow::new(crowd.0.clone(), &time, &[0]);
    let mut watches = watches(&crowd, true);
    let event =
        time.run(watches.next_event(&slow, |wait| time.sleep(wait)), &mut { ENDLESS }).unwrap().unwrap();
    assert_eq!((event.key, crate::world::line(&event.change)), (0, "payer action".to_owned()));
    let (mut watch, _) = watches.remove(event.watch_id).unwrap();
    assert!(matches!(watch.take_change(), Some(Change::AskPayer { .. })));
    assert_eq!(all(&crowd, &mut watches, &[0]).0[&1].last().unwrap(), "ended: succeeded");
}

#[test]
fn a_checkout_added_with_the_read_of_its_end_reports_the_end_without_another_read() {
    let crowd = OfAzotte::of(&["happy"]);
    let (clock, mut watch) = (crowd.clock(), crowd.watch(0));
    while watch.phase() != Some(checkout_lifecycle::Phase::Succeeded) {
        let change = watch.next_change_blocking(crowd.sandbox(), |wait| clock.advance(wait));
        assert!(!change.is_end());
    }
    let (reads, stored) = (crowd.reads(0), watch.stored());
    let mut watches = WatchSet::new(now(&clock), 42);
    let merchant = watches.merchant();
    let watch_id = watches.add(merchant, watch, 0);
    assert_eq!(watches.stored(watch_id), Some(stored));
    assert_eq!(all(&crowd, &mut watches, &[0]).0[&0], ["ended: succeeded"]);
    assert_eq!(crowd.reads(0), reads);
}

#[test]
fn a_restart_during_the_further_read_of_an_end_begins_no_late_reads() {
    let policy = PollPolicy::allscale()
        .late_payment_reads(Duration::from_secs(3_600), Duration::from_secs(24 * 3_600));
    let crowd = OfAllscale::of(&["canceled"]);
    let clock = crowd.clock();
    let mut watch = crowd.watch(0).policy(policy);
    let _ = watch.end_blocking(crowd.sandbox(), |wait| clock.advance(wait));
    // Two restarts: at the end, and before the read that shows the end again.
    let mut again = crowd.watch(0).policy(policy).restore_from(&watch.stored()).unwrap();
    let _ = again.next(again.now());
    let stored = again.stored();

    let ends = |started_at: Moment, end: String| {
        assert_eq!(end, "ended: failed: canceled");
        assert!(clock.now().saturating_since(started_at) < Duration::from_secs(60), "{stored}");
    };
    let (began, mut alone) = (clock.now(), crowd.watch(0).policy(policy).restore_from(&stored).unwrap());
    let end = alone.end_blocking(crowd.sandbox(), |wait| clock.advance(wait));
    ends(began, crate::world::end_line(&end));

    let (began, mut watches) = (clock.now(), WatchSet::new(now(&clock), 42));
    let merchant = watches.merchant_with(policy, None);
    watches.add(merchant, crowd.watch(0).restore_from(&stored).unwrap(), 0);
    let (told, _) = all(&crowd, &mut watches, &[0]);
    ends(began, told[&0].last().unwrap().clone());
}
