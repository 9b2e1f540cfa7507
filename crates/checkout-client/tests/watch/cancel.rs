//! A dropped future loses nothing but the read under way.

use crate::world::{end_line, of_allscale, of_azotte, of_peach};
use checkout_client::{Change, Watch, Watchable};
use checkout_sandbox::{VirtualClock, allscale, azotte, peach};
use checkout_tables::Moment;
use checkout_transport::{Request, Response, Transport, TransportError};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// Is pending before the request goes on and before the answer comes back, and notes each request with the
/// time.
struct Slow<S> {
    sandbox: S,
    clock: VirtualClock,
    sent: Arc<Mutex<Vec<(String, Moment)>>>,
}

impl<S: Transport> Transport for Slow<S> {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        pending(2).await;
        self.sent.lock().unwrap().push((request.uri().path().to_owned(), self.clock.now()));
        let answer = self.sandbox.send(request).await;
        pending(1).await;
        answer
    }
}

async fn pending(mut times: usize) {
    poll_fn(|_| match times {
        0 => Poll::Ready(()),
        _ => {
            times -= 1;
            Poll::Pending
        }
    })
    .await;
}

/// Polls a future, at most so many times, and counts the polls down.
fn poll_at_most<T>(future: impl Future<Output = T>, polls: &mut usize) -> Option<T> {
    let mut future = pin!(future);
    while *polls > 0 {
        *polls -= 1;
        if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return Some(done);
        }
    }
    None
}

/// Watches to the end, and drops the future once, after so many polls. Returns true if a future was dropped,
/// the phases of the changes, the end, and the requests with their times.
fn walk<E: Watchable, S: Transport>(
    (sandbox, mut watch): (S, Watch<E>),
    clock: &VirtualClock,
    drop_after: usize,
    by_end: bool,
) -> (String, bool, Vec<(String, Moment)>) {
    let slow = Slow { sandbox, clock: clock.clone(), sent: Arc::default() };
    let sleep = |wait| {
        let clock = clock.clone();
        async move {
            // Longer than a read, which is pending three times: otherwise no read had an answer in time.
            pending(4).await;
            clock.advance(wait);
        }
    };
    let (mut polls, mut dropped) = (drop_after, false);
    loop {
        let change = match by_end {
            false => poll_at_most(watch.next_change(&slow, sleep), &mut polls),
            true => poll_at_most(watch.end(&slow, sleep), &mut polls).map(Change::End),
        };
        match change {
            Some(Change::End(end)) => {
                let sent = slow.sent.lock().unwrap().clone();
                return (end_line(&end), dropped, sent);
            }
            Some(_) => {}
            None => {
                assert!(!dropped, "the watch goes on for ever");
                (polls, dropped) = (1_000_000, true);
            }
        }
    }
}

fn check<E: Watchable, S: Transport>(
    world: impl Fn() -> (S, Watch<E>),
    clock: impl Fn(&S) -> VirtualClock,
    least_gap: Duration,
) {
    for by_end in [false, true] {
        let at = |drop_after| {
            let world = world();
            let clock = clock(&world.0);
            walk(world, &clock, drop_after, by_end)
        };
        let (expected, dropped, sent) = at(1_000_000);
        assert!(!dropped && expected.starts_with("ended: "), "{expected}");
        let mut points = 0;
        loop {
            let (end, dropped, sent) = at(points);
            assert_eq!(end, expected, "dropped after {points} polls");
            for path in ["/status", "/oauth/token", "/checkout_intents/"] {
                let of_one = sent.iter().filter(|(at, _)| at.contains(path)).map(|(_, at)| *at);
                let times: Vec<_> = of_one.collect();
                let gap = if path == "/oauth/token" { Duration::from_secs(1) } else { least_gap };
                assert!(
                    times.windows(2).all(|pair| pair[1].saturating_since(pair[0]) >= gap),
                    "{points}: {sent:?}"
                );
            }
            if !dropped {
                break;
            }
            points += 1;
        }
        // The future is pending three times in each read, and once or more in each sleep between reads.
        assert!(points >= 4 * sent.len() - 1, "{points} points, {} reads", sent.len());
    }
}

#[test]
fn an_allscale_watch_that_is_dropped_at_any_poll_comes_to_the_same_end() {
    check(
        || of_allscale::watched(allscale::Scenario::happy()),
        |sandbox| sandbox.clock().clone(),
        Duration::from_secs(1),
    );
}

#[test]
fn an_azotte_watch_that_is_dropped_at_any_poll_comes_to_the_same_end() {
    let scenario = azotte::Scenario::three_ds_url;
    check(|| of_azotte::watched(scenario()), |sandbox| sandbox.clock().clone(), Duration::from_secs(1));
}

#[test]
fn a_peach_watch_that_is_dropped_at_any_poll_keeps_the_limit() {
    let scenario = peach::Scenario::declined_then_paid;
    check(|| of_peach::watched(scenario()), |sandbox| sandbox.clock().clone(), Duration::from_secs(30));
    check(|| of_peach::watched_by_v2(scenario()), |sandbox| sandbox.clock().clone(), Duration::from_secs(30));
}

#[test]
fn futures_dropped_again_and_again_read_no_more_often_than_the_policy() {
    let (sandbox, mut watch) = of_allscale::watched(allscale::Scenario::never_paid());
    let clock = sandbox.clock().clone();
    let slow = Slow { sandbox, clock: clock.clone(), sent: Arc::default() };
    for _ in 0..2_000 {
        // Long enough for the request to leave, and too short for the answer.
        let mut polls = 3;
        let change = poll_at_most(watch.next_change(&slow, |_| std::future::pending()), &mut polls);
        assert!(change.is_none());
        clock.advance(Duration::from_millis(10));
    }
    let sent = slow.sent.lock().unwrap().len();
    assert!((15..=21).contains(&sent), "{sent} in 20 s");
}

/// The demand of a web framework or a runtime on a handler: a future that is `Send` for every lifetime.
#[test]
fn a_watch_can_be_awaited_in_a_handler_of_a_web_framework() {
    use checkout_client::RetryPolicy;
    fn handler<S, F: Future + Send + 'static>(_: impl Fn(S) -> F + Send + Sync + 'static) {}
    async fn sleep(_: Duration) {}
    async fn watches(
        (client, sandbox): (Arc<checkout_client::allscale::Client>, Arc<allscale::Sandbox>),
    ) -> bool {
        let mut watch = client.watch("65b2").unwrap();
        let first = watch.next_change(&*sandbox, sleep).await;
        let end = watch.end(&*sandbox, sleep).await;
        let ping = client.ping().send_with_retries(&*sandbox, RetryPolicy::default(), sleep).await;
        first.is_end() && end.has_conflict() && ping.is_ok()
    }
    handler(watches);
    async fn of_azotte((client, sandbox): (Arc<checkout_client::azotte::Client>, Arc<azotte::Sandbox>)) {
        let _ = client.watch("trk_1").unwrap().end(&*sandbox, sleep).await;
    }
    handler(of_azotte);
    async fn of_peach((client, sandbox): (Arc<checkout_client::peach::v2::Client>, Arc<peach::Sandbox>)) {
        let _ = client.watch("c01b").unwrap().end(&*sandbox, sleep).await;
    }
    handler(of_peach);
    fn of_any<E: Watchable + 'static>(watch: Watch<E>) {
        let end = async |mut watch: Watch<E>, sandbox: Arc<allscale::Sandbox>| {
            watch.end(&*sandbox, sleep).await.has_conflict()
        };
        fn sent(_: impl Future + Send + 'static) {}
        sent(end(watch, Arc::new(allscale::Sandbox::new(7))));
    }
    let _ = of_any::<checkout_wire::peach::Payment<'static>>;
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Watch<checkout_wire::allscale::Intent<'static>>>();
    shared::<Watch<checkout_wire::azotte::CheckoutResult<'static>>>();
    shared::<Watch<checkout_wire::peach::Payment<'static>>>();
    shared::<checkout_client::Handle>();
}
