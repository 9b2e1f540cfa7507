//! A clock that sleeps move, and jumps.

use checkout_client::Clock;
use checkout_lifecycle::Moment;
use std::collections::BTreeSet;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// The time by the merchant's clock, and the moments that a future waits for.
///
/// Sleeps go by a clock that never jumps, as those of an operating system do.
#[derive(Clone)]
pub struct Time {
    wall: Arc<AtomicI64>,
    steady: Arc<AtomicU64>,
    awaited: Arc<Mutex<BTreeSet<u64>>>,
}

impl Time {
    pub(super) fn new() -> Self {
        Self {
            wall: Arc::new(AtomicI64::new(BEGAN.unix_millis())),
            steady: Arc::default(),
            awaited: Arc::default(),
        }
    }

    pub fn now(&self) -> Moment {
        Moment::from_unix_millis(self.wall.load(Ordering::SeqCst))
    }

    /// The provider's clock, which nobody sets.
    pub fn provider(&self) -> Moment {
        BEGAN.saturating_add(Duration::from_millis(self.steady.load(Ordering::SeqCst)))
    }

    pub fn clock(&self) -> impl Clock + 'static {
        let time = self.clone();
        move || time.now()
    }

    /// The wall's clock is set to another time.
    pub(super) fn jump(&self, span: Duration, ahead: bool) {
        let span = i64::try_from(span.as_millis()).unwrap_or(i64::MAX).min(40 * 365 * 86_400_000);
        let now = self.wall.load(Ordering::SeqCst);
        let then =
            if ahead { now.saturating_add(span).min(LATEST) } else { now.saturating_sub(span).max(EARLIEST) };
        self.wall.store(then, Ordering::SeqCst);
    }

    pub(super) fn sleep(&self, wait: Duration) -> impl Future<Output = ()> + Send + 'static + use<> {
        let wait = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        let (time, until) = (self.clone(), self.steady.load(Ordering::SeqCst).saturating_add(wait));
        poll_fn(move |_| {
            if time.steady.load(Ordering::SeqCst) >= until {
                return Poll::Ready(());
            }
            time.awaited.lock().expect("nobody panics with it").insert(until);
            Poll::Pending
        })
    }

    /// Polls a future until the future is ready, or until its time is over.
    pub(super) fn run<T>(&self, future: impl Future<Output = T>, until: Moment) -> Option<T> {
        let mut future = pin!(future);
        loop {
            self.awaited.lock().expect("nobody panics with it").clear();
            if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return Some(done);
            }
            let left =
                u64::try_from(until.saturating_since(self.now()).as_millis()).expect("a span of minutes");
            let steady = self.steady.load(Ordering::SeqCst);
            let next = self.awaited.lock().expect("nobody panics with it").first().copied();
            let step = next.map_or(left, |next| next.saturating_sub(steady)).min(left);
            self.steady.fetch_add(step, Ordering::SeqCst);
            self.wall.fetch_add(i64::try_from(step).expect("a span of minutes"), Ordering::SeqCst);
            if step == left {
                return None;
            }
        }
    }
}

const BEGAN: Moment = Moment::from_unix_seconds(1_700_000_000);
/// 2001 and 2096: a poller counts whole seconds from 1970 to 2106.
const EARLIEST: i64 = 1_000_000_000_000;
const LATEST: i64 = 4_000_000_000_000;
