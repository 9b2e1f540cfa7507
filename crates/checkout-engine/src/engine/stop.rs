//! The stop of a loop, for what is under way.

use tokio::sync::watch;
use tokio::time::{Instant as Timer, sleep_until};

/// A stop that may come: then nothing begins, and what is under way has a time to end.
#[derive(Debug, Default)]
pub(super) struct Stop(watch::Sender<Option<Timer>>);

impl Stop {
    /// The stop comes now, and what is under way has its time until then.
    pub(super) fn comes(&self, until: Timer) {
        self.0.send_replace(Some(until));
    }

    pub(super) fn has_come(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// True if what is under way has had its time.
    pub(super) fn is_over(&self) -> bool {
        self.0.borrow().is_some_and(|until| until <= Timer::now())
    }

    /// Waits until what is under way has had its time.
    pub(super) async fn over(&self) {
        let mut stop = self.0.subscribe();
        // The sender is here: the wait has no error.
        let until = stop.wait_for(Option::is_some).await.ok().and_then(|until| *until);
        match until {
            Some(until) => sleep_until(until).await,
            None => core::future::pending().await,
        }
    }
}
