//! The events that wake a checkout among many.

use crate::crowds::{Crowd, OfAllscale, OfAzotte, now, watches};
use crate::world::line;
use checkout_client::{WatchSet, Watchable};
use checkout_sandbox::VirtualClock;
use checkout_transport::Transport;
use std::cell::RefCell;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// The events until the set sleeps, and the length of the sleep.
fn until_they_sleep<E: Watchable<StatusRead: 'static> + 'static>(
    watches: &mut WatchSet<E, usize>,
    transport: &(impl Transport + Clone + 'static),
) -> (Vec<String>, Duration) {
    let (waits, mut log) = (RefCell::new(Vec::new()), Vec::new());
    let sleep = |wait| {
        waits.borrow_mut().push(wait);
        std::future::pending()
    };
    loop {
        let mut future = pin!(watches.next_event(transport, sleep));
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Some(event)) => log.push(format!("{}: {}", event.key, line(&event.change))),
            Poll::Ready(None) => return (log, Duration::ZERO),
            Poll::Pending => break,
        }
    }
    let wait = waits.borrow().last().copied().expect("they sleep");
    (log, wait)
}

#[test]
fn a_webhook_s_nudge_reads_its_checkout_at_once_and_no_other() {
    let crowd = OfAllscale::of(&["never_paid", "happy", "never_paid"]);
    let (clock, mut watches) = (crowd.clock(), watches(&crowd, true));
    until_they_sleep(&mut watches, crowd.sandbox());
    clock.advance(Duration::from_millis(2_500));
    let watch_id = watches.find(&1).unwrap();
    assert!(watches.nudge(watch_id));
    until_they_sleep(&mut watches, crowd.sandbox());
    assert_eq!([0, 1, 2].map(|number| crowd.reads(number).len()), [1, 2, 1]);
    assert_eq!(crowd.reads(1)[1].1, clock.now());
}

#[test]
fn a_handle_wakes_the_set_from_another_thread_before_and_after_the_checkout_is_added() {
    let crowd = OfAllscale::of(&["never_paid", "never_paid"]);
    let (clock, mut watches) = (crowd.clock(), WatchSet::new(now(&crowd.clock()), 42));
    let merchant = watches.merchant();
    let (first, second) = (crowd.watch(0), crowd.watch(1));
    let handle = first.handle();
    watches.add(merchant, first, 0);
    let watch_id = watches.add(merchant, second, 1);
    let other = watches.handle(watch_id).unwrap();
    until_they_sleep(&mut watches, crowd.sandbox());
    for (told, reads) in [(handle.clone(), [2, 1]), (handle, [3, 1]), (other, [3, 2])] {
        let woken = Arc::<Woken>::default();
        let waker = Waker::from(Arc::clone(&woken));
        clock.advance(Duration::from_millis(1_500));
        let mut future = pin!(watches.next_event(crowd.sandbox(), |_| std::future::pending()));
        for _ in 0..3 {
            assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }
        assert_eq!(woken.0.load(Ordering::SeqCst), 0);
        std::thread::spawn(move || (0..3).for_each(|_| told.nudge())).join().unwrap();
        // One wake-up is enough, and more than one do no harm.
        assert_eq!(woken.0.load(Ordering::SeqCst), 1);
        let Poll::Ready(Some(event)) = future.as_mut().poll(&mut Context::from_waker(&waker)) else {
            panic!()
        };
        assert_eq!(line(&event.change), "nudged: glance");
        assert_eq!([0, 1].map(|number| crowd.reads(number).len()), reads);
    }
}

#[test]
fn a_nudge_of_a_handle_before_the_checkout_is_added_counts() {
    let crowd = OfAllscale::of(&["never_paid"]);
    let (clock, mut watches) = (crowd.clock(), watches(&crowd, true));
    until_they_sleep(&mut watches, crowd.sandbox());
    clock.advance(Duration::from_secs(2));
    let (watch, key) = watches.remove(watches.find(&0).unwrap()).unwrap();
    watch.handle().nudge();
    let merchant = watches.merchant();
    watches.add(merchant, watch, key);
    until_they_sleep(&mut watches, crowd.sandbox());
    assert_eq!(crowd.reads(0).len(), 2);
}

#[test]
fn a_nudge_that_comes_while_a_read_is_under_way_is_followed_by_another_read() {
    let crowd = OfAllscale::of(&["never_paid"]);
    let (clock, mut watches) = (crowd.clock(), watches(&crowd, true));
    let handle = watches.handle(watches.find(&0).unwrap()).unwrap();
    let sandbox = crowd.0.clone();
    let nudging = checkout_transport::SharedTransport::new(checkout_transport::from_fn(move |request| {
        handle.nudge();
        let sandbox = sandbox.clone();
        async move { Transport::send(&sandbox, request).await }
    }));
    // Without the nudge the sleep would be five seconds, or half a second less by chance.
    assert_eq!(until_they_sleep(&mut watches, &nudging).1, Duration::from_secs(1));
    clock.advance(Duration::from_secs(1));
    until_they_sleep(&mut watches, crowd.sandbox());
    assert_eq!(crowd.reads(0).len(), 2);
}

#[test]
fn the_payer_s_return_reads_at_once() {
    for by_handle in [false, true] {
        let crowd = OfAzotte::of(&["three_ds_abandoned"]);
        let (clock, mut watches): (VirtualClock, _) = (crowd.clock(), watches(&crowd, true));
        let mut log = Vec::new();
        while !log.contains(&"0: ? page".to_owned()) {
            let (told, wait) = until_they_sleep(&mut watches, crowd.sandbox());
            log.extend(told);
            clock.advance(wait.min(Duration::from_secs(1)));
        }
        let (reads, watch_id) = (crowd.reads(0).len(), watches.find(&0).unwrap());
        clock.advance(Duration::from_secs(2));
        crowd.0.complete_3ds(&crowd.0.checkouts()[0].tracking_number).unwrap();
        match by_handle {
            true => watches.handle(watch_id).unwrap().payer_returned(),
            false => assert!(watches.payer_returned(watch_id)),
        }
        until_they_sleep(&mut watches, crowd.sandbox());
        assert_eq!(crowd.reads(0).len(), reads + 1);
        assert_eq!(crowd.reads(0)[reads].1, clock.now());
    }
}

#[test]
fn a_ticket_of_a_checkout_that_has_left_does_nothing() {
    let crowd = OfAllscale::of(&["happy", "happy"]);
    let mut watches = watches(&crowd, true);
    let (watch_id, other) = (watches.find(&0).unwrap(), watches.find(&1).unwrap());
    let (watch, key) = watches.remove(watch_id).unwrap();
    assert_eq!((key, watches.len(), watches.stored(watch_id)), (0, 1, None));
    assert!(!watches.nudge(watch_id) && !watches.payer_returned(watch_id));
    assert!(!watches.resume(watch_id, Duration::from_secs(60)) && watches.remove(watch_id).is_none());
    assert!(watches.tracker(watch_id).is_none() && watches.handle(watch_id).is_none());
    let merchant = watches.merchant();
    let again = watches.add(merchant, watch, 0);
    assert!(again != watch_id && !watches.nudge(watch_id) && watches.nudge(other));
    assert_eq!(watches.iter().map(|(_, key)| *key).collect::<Vec<_>>(), [1, 0]);
}

#[test]
fn the_deadline_of_one_checkout_can_be_put_off() {
    let crowd = OfAllscale::of(&["never_paid", "never_paid"]);
    let (clock, mut watches) = (crowd.clock(), watches(&crowd, true));
    let begun = clock.now();
    assert!(watches.resume(watches.find(&0).unwrap(), Duration::from_secs(3_600)));
    let mut ends = Vec::new();
    while !watches.is_empty() {
        let (told, wait) = until_they_sleep(&mut watches, crowd.sandbox());
        let ended = told.into_iter().filter(|line| line.contains("gave up"));
        ends.extend(ended.map(|line| (line, clock.now().saturating_since(begun).as_secs())));
        clock.advance(wait);
    }
    let expected =
        [("1: gave up at awaiting payer: Deadline", 600), ("0: gave up at awaiting payer: Deadline", 3_600)];
    assert_eq!(ends, expected.map(|(line, after)| (line.to_owned(), after)));
}
