//! What wakes a watch that waits.

use core::fmt;
use core::future::poll_fn;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Wakes a [`Watch`](super::Watch) that waits, alone or among [`WatchSet`](crate::WatchSet), from anywhere: a
/// webhook was verified, or the payer is back. A clone wakes the same watch.
///
/// It wakes the watch once for however often it was told, and what was told while a read was under way is not
/// lost. What a limit said to wait is waited for all the same.
///
/// ```
/// # #[cfg(feature = "system")] {
/// # use checkout_auth::{SecretString, allscale::SigningKey};
/// # use checkout_client::allscale::Client;
/// # let client = Client::builder(SigningKey::new("st_key", SecretString::from("st_secret"))?).build()?;
/// let watch = client.watch("65b2f3d0d2d9c0a1b2c3d4e5")?;
/// let handle = watch.handle();
/// std::thread::spawn(move || handle.nudge()).join().unwrap();
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Handle(Arc<Bell>);

impl Handle {
    /// Reads now, or as soon as it is allowed: a webhook of this checkout came and was verified. A nudge
    /// settles nothing, but each read that it asks for is one that others have to wait for where there is a
    /// limit: so nudge for nothing that was not verified.
    ///
    /// [`Change::Nudged`](super::Change::Nudged) tells when that read is done. Nobody is told where the watch
    /// was dropped, or has left [`WatchSet`](crate::WatchSet) with its end: a watch that is gone on with
    /// hears the nudge then.
    pub fn nudge(&self) {
        self.ring(|told| told.nudged = true);
    }

    /// The payer's browser came back from the challenge: reads now, or as soon as it is allowed.
    pub fn payer_returned(&self) {
        self.ring(|told| told.payer_returned = true);
    }

    /// Waits on this thread, until the time is over or somebody tells this handle or a clone of it something:
    /// the `sleep` of [`Watch::end_blocking`](super::Watch::end_blocking) and its like. It returns at once
    /// while something was told that the watch has not heard yet.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// # let client = Client::builder(SigningKey::new("st_key", SecretString::from("st_secret"))?).build()?;
    /// let handle = client.watch("65b2f3d0d2d9c0a1b2c3d4e5")?.handle();
    /// handle.nudge();
    /// handle.pause(std::time::Duration::from_secs(3_600)); // is over at once
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn pause(&self, at_most: Duration) {
        let told = self.told();
        let waited = self.0.rung.wait_timeout_while(told, at_most, |told| !told.anything());
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    /// Waits for a sleep to end, or for somebody to tell something.
    pub(super) async fn or_told(&self, sleep: impl Future<Output = ()>) {
        let mut sleep = pin!(sleep);
        poll_fn(|context| match self.poll_told(context) {
            Poll::Ready(()) => Poll::Ready(()),
            Poll::Pending => sleep.as_mut().poll(context),
        })
        .await;
    }

    /// Wakes this one when something is told, or at once if something was told and not heard yet.
    pub(crate) fn wakes(&self, waker: Waker) {
        let mut told = self.told();
        if told.anything() {
            drop(told);
            waker.wake();
        } else {
            told.waker = Some(waker);
        }
    }

    /// What was told, which is then heard.
    pub(crate) fn hear(&self) -> Told {
        let mut told = self.told();
        Told {
            nudged: core::mem::take(&mut told.nudged),
            payer_returned: core::mem::take(&mut told.payer_returned),
            waker: None,
        }
    }

    pub(crate) fn poll_told(&self, context: &Context<'_>) -> Poll<()> {
        let mut told = self.told();
        if told.anything() {
            return Poll::Ready(());
        }
        match &mut told.waker {
            Some(waker) => waker.clone_from(context.waker()),
            none => *none = Some(context.waker().clone()),
        }
        Poll::Pending
    }

    fn ring(&self, tell: impl FnOnce(&mut Told)) {
        let waker = {
            let mut told = self.told();
            tell(&mut told);
            told.waker.take()
        };
        self.0.rung.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        // Nobody can panic while holding it with half a change made.
        self.0.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Bell {
    told: Mutex<Told>,
    rung: Condvar,
}

/// What was told and not heard yet, and who waits for it.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) nudged: bool,
    pub(crate) payer_returned: bool,
    waker: Option<Waker>,
}

impl Told {
    const fn anything(&self) -> bool {
        self.nudged || self.payer_returned
    }
}
