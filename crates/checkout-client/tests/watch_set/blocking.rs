//! The form for threads.

use crate::crowds::{Crowd, OfAllscale, OfAzotte, OfPeach, OfV2, Told, all, note, watches};
use crate::time::{Slow, Time};
use std::ops::ControlFlow;
use std::time::Duration;

fn blocking<C: Crowd>(scenarios: &[&str], limited: bool) -> (Told, C) {
    let (crowd, mut told) = (C::of(scenarios), Told::new());
    let (clock, mut watches) = (crowd.clock(), watches(&crowd, limited));
    while let Some(event) = watches.next_event_blocking(crowd.sandbox(), |wait| {
        clock.advance(wait);
        ControlFlow::Continue(())
    }) {
        note(&mut told, &event);
    }
    assert!(watches.is_empty());
    (told, crowd)
}

#[test]
fn the_blocking_form_reports_the_same_by_the_same_reads() {
    fn check<C: Crowd>(scenarios: &[&str]) {
        for limited in [false, true] {
            let crowd = C::of(scenarios);
            let (expected, _) = all(&crowd, &mut watches(&crowd, limited), &[0]);
            let (told, again) = blocking::<C>(scenarios, limited);
            assert_eq!(told, expected);
            for number in 0..scenarios.len() {
                assert_eq!(again.reads(number), crowd.reads(number));
            }
        }
    }
    check::<OfAllscale>(OfAllscale::NAMES);
    check::<OfAzotte>(OfAzotte::NAMES);
    check::<OfPeach>(&["happy", "cancelled", "declined_then_paid", "in_review"]);
    check::<OfV2>(&["happy", "cancelled", "declined_then_paid", "in_review"]);
}

#[test]
fn a_sleep_that_breaks_off_gives_the_thread_back_with_all_that_is_open() {
    let crowd = OfAllscale::of(&["happy", "happy"]);
    let (clock, mut watches) = (crowd.clock(), watches(&crowd, true));
    let (mut ends, mut breaks) = (0, 0);
    loop {
        let event = watches.next_event_blocking(crowd.sandbox(), |wait| {
            // The thread sleeps two seconds at most, and then does something else.
            clock.advance(wait.min(Duration::from_secs(2)));
            ControlFlow::Break(())
        });
        match event {
            Some(event) => ends += usize::from(event.watch.is_some()),
            None if watches.is_empty() => break,
            None => breaks += 1,
        }
    }
    assert_eq!(ends, 2);
    assert!(breaks > 5);
}

#[test]
fn a_read_that_an_async_call_left_under_way_is_made_again() {
    fn check<C: Crowd>(scenarios: &[&str]) {
        let crowd = C::of(scenarios);
        let (clock, time) = (crowd.clock(), Time::of(&crowd.clock()));
        let slow = Slow::new(crowd.sandbox().clone(), &time, &[400]);
        let mut watches = watches(&crowd, false);
        assert!(time.run(watches.next_event(&slow, |wait| time.sleep(wait)), &mut { 1 }).is_none());
        let mut told = Told::new();
        while let Some(event) = watches.next_event_blocking(crowd.sandbox(), |wait| {
            clock.advance(wait);
            ControlFlow::Continue(())
        }) {
            note(&mut told, &event);
        }
        assert!(told.values().all(|lines| lines.last().unwrap() == "ended: succeeded"), "{told:?}");
        assert_eq!(told.len(), scenarios.len());
    }
    check::<OfAllscale>(&["happy"; 3]);
    check::<OfV2>(&["happy"; 3]);
}

#[test]
fn a_handle_ends_the_pause_of_a_thread() {
    let crowd = OfAzotte::of(&["three_ds_abandoned", "happy"]);
    let (clock, mut watches) = (crowd.clock(), watches(&crowd, true));
    let handles = [0, 1].map(|key| watches.handle(watches.find(&key).unwrap()).unwrap());
    let number = crowd.0.checkouts()[0].tracking_number.clone();
    let (here, (pausing, paused)) = (crowd.0.clone(), std::sync::mpsc::channel());
    let watching = std::thread::spawn(move || {
        let (mut told, pause) = (Told::new(), watches.pause());
        while let Some(event) = watches.next_event_blocking(&here, |wait| {
            pausing.send(()).unwrap();
            pause(wait)
        }) {
            note(&mut told, &event);
        }
        told
    });
    // As long as the thread pauses until the wake-up, and not as long as the thread would have paused.
    let (mut passed, mut pauses) = (false, 0);
    while paused.recv().is_ok() {
        clock.advance(Duration::from_millis(500));
        passed = passed || crowd.0.complete_3ds(&number).is_ok();
        handles.iter().for_each(checkout_client::Handle::payer_returned);
        pauses += 1;
    }
    let told = watching.join().unwrap();
    assert!(told.values().all(|lines| lines.last().unwrap() == "ended: succeeded"), "{told:?}");
    assert!(passed && pauses > 10, "{pauses}");
}
