//! The events that wake a waiting watch.

use crate::world::{Form, end_line, line, lines, of_allscale, of_azotte};
use checkout_client::{Change, Watch, Watchable};
use checkout_sandbox::VirtualClock;
use checkout_sandbox::allscale::{Fault, Scenario};
use checkout_sandbox::azotte;
use checkout_transport::Transport;
use std::cell::RefCell;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

/// Counts the wake-ups.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Watches until the watch sleeps, without a wake-up by itself. Returns the changes until then, and the
/// length of the sleep.
fn until_it_sleeps<E: Watchable>(
    watch: &mut Watch<E>,
    transport: &impl Transport,
) -> (Vec<String>, Duration) {
    let (waits, mut log) = (RefCell::new(Vec::new()), Vec::new());
    let sleep = |wait| {
        waits.borrow_mut().push(wait);
        std::future::pending()
    };
    loop {
        let mut future = pin!(watch.next_change(transport, sleep));
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(change) => log.push(line(&change)),
            Poll::Pending => break,
        }
    }
    let wait = waits.borrow().last().copied().expect("it sleeps");
    (log, wait)
}

#[test]
fn a_nudge_wakes_an_async_watch_which_reads_at_once() {
    let (sandbox, mut watch) = of_allscale::watched(Scenario::custom([(Duration::from_secs(2), 20)]));
    let clock = sandbox.clock().clone();
    let handle = watch.handle();
    assert_eq!(until_it_sleeps(&mut watch, &sandbox).0, ["awaiting payer"]);
    let asked = sandbox.requests().len();

    let woken = Arc::<Woken>::default();
    let waker = Waker::from(Arc::clone(&woken));
    let mut future = pin!(watch.next_change(&sandbox, |_| std::future::pending()));
    for _ in 0..3 {
        assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    assert_eq!((sandbox.requests().len(), woken.0.load(Ordering::SeqCst)), (asked, 0));
    clock.advance(Duration::from_secs(2));
    std::thread::spawn(move || handle.nudge()).join().unwrap();
    assert_eq!(woken.0.load(Ordering::SeqCst), 1);
    let Poll::Ready(change) = future.as_mut().poll(&mut Context::from_waker(&waker)) else { panic!() };
    assert_eq!(line(&change), "succeeded");
    assert_eq!(sandbox.requests().last().unwrap().at(), clock.now());
}

#[test]
fn the_latest_waker_is_woken() {
    let (sandbox, mut watch) = of_allscale::watched(Scenario::never_paid());
    let handle = watch.handle();
    until_it_sleeps(&mut watch, &sandbox);
    let (first, second) = (Arc::<Woken>::default(), Arc::<Woken>::default());
    let mut future = pin!(watch.next_change(&sandbox, |_| std::future::pending()));
    for woken in [&first, &second] {
        let waker = Waker::from(Arc::clone(woken));
        assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    handle.nudge();
    handle.nudge();
    assert_eq!([first, second].map(|woken| woken.0.load(Ordering::SeqCst)), [0, 1]);
}

#[test]
fn a_nudge_reads_neither_inside_the_gap_nor_before_the_limit_s_wait() {
    let (sandbox, mut watch) = of_allscale::watched(Scenario::never_paid());
    let (clock, handle) = (sandbox.clock().clone(), watch.handle());
    until_it_sleeps(&mut watch, &sandbox);
    clock.advance(Duration::from_millis(200));
    handle.nudge();
    assert_eq!(until_it_sleeps(&mut watch, &sandbox), (vec![], Duration::from_millis(800)));
    clock.advance(Duration::from_millis(800));
    sandbox.inject(Fault::RateLimited);
    let (log, wait) = until_it_sleeps(&mut watch, &sandbox);
    assert!(log[0].contains("refused with code 40001"), "{log:?}");
    assert!(wait >= Duration::from_secs(2), "{wait:?}");
    let asked = sandbox.requests().len();
    clock.advance(Duration::from_millis(1_500));
    handle.nudge();
    until_it_sleeps(&mut watch, &sandbox);
    assert_eq!(sandbox.requests().len(), asked);
    clock.advance(wait.saturating_sub(Duration::from_millis(1_500)));
    until_it_sleeps(&mut watch, &sandbox);
    assert_eq!(sandbox.requests().len(), asked + 1);
}

#[test]
fn a_nudge_that_comes_while_a_read_is_under_way_is_not_lost() {
    let (sandbox, mut watch) = of_allscale::watched(Scenario::never_paid());
    let handle = watch.handle();
    let nudging = checkout_transport::from_fn(|request| {
        handle.nudge();
        let sandbox = sandbox.clone();
        async move { Transport::send(&sandbox, request).await }
    });
    // Without the nudge the sleep would be five seconds, or half a second less by chance.
    let (_, wait) = until_it_sleeps(&mut watch, &nudging);
    assert_eq!(wait, Duration::from_secs(1));
}

#[test]
fn the_payer_s_return_reads_at_once() {
    let (sandbox, mut watch) =
        of_azotte::watched(azotte::Scenario::three_ds_at_once().browser_never_returns());
    let (clock, handle) = (sandbox.clock().clone(), watch.handle());
    clock.advance(Duration::from_secs(3));
    assert_eq!(until_it_sleeps(&mut watch, &sandbox).0, ["payer action", "? page"]);
    clock.advance(Duration::from_secs(7));
    sandbox.complete_3ds(&sandbox.checkouts()[0].tracking_number).unwrap();
    handle.payer_returned();
    assert_eq!(until_it_sleeps(&mut watch, &sandbox).0, ["processing"]);
    let end = watch.end_blocking(&sandbox, |wait| clock.advance(wait));
    assert_eq!(end_line(&end), "ended: succeeded");
}

#[test]
fn the_answer_to_a_submit_is_a_report_and_no_evidence() {
    use checkout_client::End;
    use checkout_sandbox::azotte::{Sandbox, Scenario};
    use checkout_tables::azotte::Route;
    for (scenario, told) in [
        (Scenario::done_at_once(), &["succeeded", "ended: succeeded"][..]),
        (Scenario::three_ds_at_once(), &["payer action", "? page", "succeeded", "ended: succeeded"]),
    ] {
        let sandbox = Sandbox::builder().seed(7).scenario(scenario).build();
        let (clock, client) = (sandbox.clock().clone(), of_azotte::client(&sandbox));
        let submitted = client.submit(&of_azotte::submit()).send_blocking(&sandbox).unwrap();
        let mut watch = client.watch_submitted(submitted).unwrap();
        let changes = Form::Blocking.changes(&mut watch, &sandbox, &clock);
        assert_eq!(lines(&changes), told);
        let Some(Change::End(End::Ended { answer, .. })) = changes.last() else { panic!() };
        assert_eq!(answer.route(), Route::CheckoutStatus);
        assert!(sandbox.requests().len() > 1);
    }
}

#[test]
fn a_watch_after_its_end_reads_anew_after_the_gap() {
    use crate::world::of_peach;
    let (sandbox, mut watch) = of_peach::watched(checkout_sandbox::peach::Scenario::happy());
    let clock = sandbox.clock().clone();
    for _ in 0..5 {
        let end = watch.end_blocking(&sandbox, |wait| clock.advance(wait));
        assert_eq!(end_line(&end), "ended: succeeded");
    }
    let asked = sandbox.status_requests(checkout_sandbox::peach::ENTITY_ID);
    assert!(asked.len() >= 6 && asked.iter().all(|request| !request.limited), "{asked:?}");
}

#[test]
fn a_challenge_that_follows_another_at_once_is_shown_too() {
    let (sandbox, mut watch) = of_azotte::watched(azotte::Scenario::custom([
        azotte::Step::after(Duration::ZERO, "CHECK_OUT_3DS_REQUIRED").by_url(),
        azotte::Step::after(Duration::ZERO, "CHECK_OUT_3DS_REQUIRED").by_html(),
        azotte::Step::after(Duration::ZERO, "CHECK_OUT_DONE"),
    ]));
    let clock = sandbox.clock().clone();
    let log = lines(&Form::Blocking.changes(&mut watch, &sandbox, &clock));
    assert_eq!(log, ["payer action", "? page", "? form", "succeeded", "ended: succeeded"]);
}

#[test]
fn a_watch_on_a_thread_is_woken_by_its_handle() {
    let (sandbox, mut watch) = of_azotte::watched(azotte::Scenario::three_ds_abandoned());
    let (clock, handle, pausing) = (sandbox.clock().clone(), watch.handle(), watch.handle());
    let number = sandbox.checkouts()[0].tracking_number.clone();
    let (here, (asleep, sleeps)) = (sandbox.clone(), mpsc::channel());
    let watching = std::thread::spawn(move || {
        watch.end_blocking(&here, |wait| {
            asleep.send(wait).unwrap();
            // The handle alone ends the pause, for any length.
            pausing.pause(Duration::from_secs(3_600));
        })
    });
    // The clock moves while the thread sleeps and not before, even if the thread gets its turn late.
    let mut passed = false;
    for wait in sleeps {
        clock.advance(wait);
        passed = passed || sandbox.complete_3ds(&number).is_ok();
        handle.payer_returned();
    }
    assert_eq!(end_line(&watching.join().unwrap()), "ended: succeeded");
}

#[test]
fn a_nudge_before_the_first_read_costs_no_second_read() {
    let (sandbox, mut watch) = of_allscale::watched(Scenario::custom([(Duration::ZERO, 20)]));
    let clock: VirtualClock = sandbox.clock().clone();
    let handle = watch.handle();
    handle.nudge();
    handle.payer_returned();
    let changes = Form::Async.changes(&mut watch, &sandbox, &clock);
    assert!(matches!(changes.last(), Some(Change::End(_))));
    assert_eq!(lines(&changes), ["succeeded", "nudged: glance", "ended: succeeded"]);
    // The create, the status, the whole intent.
    assert_eq!(sandbox.requests().len(), 3);
}
