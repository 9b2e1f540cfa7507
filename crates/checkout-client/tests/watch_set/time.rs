//! Virtual time that moves on when every future waits, and a transport whose journeys take time.

use checkout_sandbox::VirtualClock;
use checkout_tables::Moment;
use checkout_transport::{Request, Response, Transport, TransportError};
use std::collections::BTreeSet;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// A clock, and the moments that a future waits for.
#[derive(Clone)]
pub(crate) struct Time {
    pub(crate) clock: VirtualClock,
    awaited: Arc<Mutex<BTreeSet<Moment>>>,
}

impl Time {
    pub(crate) fn of(clock: &VirtualClock) -> Self {
        Self { clock: clock.clone(), awaited: Arc::default() }
    }

    pub(crate) fn sleep(&self, wait: Duration) -> impl Future<Output = ()> + Send + 'static {
        let (time, until) = (self.clone(), self.clock.now().saturating_add(wait));
        poll_fn(move |_| {
            if time.clock.now() >= until {
                return Poll::Ready(());
            }
            time.awaited.lock().unwrap().insert(until);
            Poll::Pending
        })
    }

    /// Polls a future until the future is ready, or until so many polls are used up. If the future is
    /// pending, time moves to the next moment that the future waits for.
    pub(crate) fn run<T>(&self, future: impl Future<Output = T>, polls: &mut usize) -> Option<T> {
        let mut future = pin!(future);
        while *polls > 0 {
            *polls -= 1;
            self.awaited.lock().unwrap().clear();
            if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return Some(done);
            }
            let next = self.awaited.lock().unwrap().first().copied().expect("somebody waits for something");
            self.clock.advance(next.saturating_since(self.clock.now()));
        }
        None
    }
}

/// More polls than any future needs.
pub(crate) const ENDLESS: usize = 10_000_000;

/// Passes requests on after a while, and the answers back after a while; counts the requests under way.
pub(crate) struct Slow<S> {
    pub(crate) sandbox: S,
    time: Time,
    /// The length of each journey, one after the other and then again.
    ways: Arc<Vec<u64>>,
    /// The length of each journey of a token, if that is another length.
    pub(crate) token_way: Option<u64>,
    counts: Arc<Counts>,
}

#[derive(Default)]
pub(crate) struct Counts {
    sent: AtomicUsize,
    under_way: AtomicUsize,
    most: AtomicUsize,
    log: Mutex<Vec<(String, Moment)>>,
}

impl<S> Slow<S> {
    pub(crate) fn new(sandbox: S, time: &Time, ways: &[u64]) -> Self {
        Self {
            sandbox,
            time: time.clone(),
            ways: Arc::new(ways.to_vec()),
            token_way: None,
            counts: Arc::default(),
        }
    }

    /// The largest number of requests under way at a time.
    pub(crate) fn most(&self) -> usize {
        self.counts.most.load(Ordering::SeqCst)
    }

    /// The paths that were sent, each with the time.
    pub(crate) fn log(&self) -> Vec<(String, Moment)> {
        self.counts.log.lock().unwrap().clone()
    }
}

impl<S: Clone> Clone for Slow<S> {
    fn clone(&self) -> Self {
        Self {
            sandbox: self.sandbox.clone(),
            time: self.time.clone(),
            ways: Arc::clone(&self.ways),
            token_way: self.token_way,
            counts: Arc::clone(&self.counts),
        }
    }
}

impl<S: Transport> Transport for Slow<S> {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let under_way = UnderWay::of(&self.counts);
        let number = self.counts.sent.fetch_add(1, Ordering::SeqCst);
        let own = self.token_way.filter(|_| request.uri().path().ends_with("/oauth/token"));
        let way = |n: usize| Duration::from_millis(own.unwrap_or(self.ways[n % self.ways.len()]));
        self.counts.log.lock().unwrap().push((request.uri().to_string(), self.time.clock.now()));
        self.time.sleep(way(2 * number)).await;
        let answer = self.sandbox.send(request).await;
        self.time.sleep(way(2 * number + 1)).await;
        drop(under_way);
        answer
    }
}

struct UnderWay(Arc<Counts>);

impl UnderWay {
    fn of(counts: &Arc<Counts>) -> Self {
        let now = counts.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        counts.most.fetch_max(now, Ordering::SeqCst);
        Self(Arc::clone(counts))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::SeqCst);
    }
}
