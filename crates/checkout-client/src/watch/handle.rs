//! The handle that wakes a waiting watch.

use core::fmt;
use core::future::poll_fn;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Wakes a [`Watch`](super::Watch) that waits, alone or in a [`WatchSet`](crate::WatchSet), from anywhere: a
/// webhook was verified, or the payer is back. A clone wakes the same watch.
///
/// Several messages wake the watch once, and a message during a read is not lost. A wait that a limit asks
/// for is kept all the same.
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
    /// Reports a verified webhook of this checkout: reads now, or as soon as the limit allows. A nudge
    /// settles nothing, but under a limit other checkouts have to wait for each read that a nudge asks for:
    /// so nudge only for a verified webhook.
    ///
    /// [`Change::Nudged`](super::Change::Nudged) reports the end of that read. There is no such report where
    /// the watch was dropped, or has left its [`WatchSet`](crate::WatchSet) with its end: a watch that goes
    /// on takes in the nudge then.
    pub fn nudge(&self) {
        self.ring(|messages| messages.nudged = true);
    }

    /// Reports that the payer's browser came back from the challenge: reads now, or as soon as the limit
    /// allows.
    pub fn payer_returned(&self) {
        self.ring(|messages| messages.payer_returned = true);
    }

    /// Waits on this thread, until the time is over or this handle or a clone has a message: the `sleep` of
    /// [`Watch::end_blocking`](super::Watch::end_blocking) and the methods like it. The method returns at
    /// once while the watch has not taken in an earlier message yet.
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
        let messages = self.messages();
        let waited = self.0.rung.wait_timeout_while(messages, at_most, |messages| !messages.any());
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    /// Waits for a sleep to end, or for a message.
    pub(super) async fn or_message(&self, sleep: impl Future<Output = ()>) {
        let mut sleep = pin!(sleep);
        poll_fn(|context| match self.poll_message(context) {
            Poll::Ready(()) => Poll::Ready(()),
            Poll::Pending => sleep.as_mut().poll(context),
        })
        .await;
    }

    /// Wakes the waker at the next message, or at once if the watch has not taken in an earlier message yet.
    pub(crate) fn wakes(&self, waker: Waker) {
        let mut messages = self.messages();
        if messages.any() {
            drop(messages);
            waker.wake();
        } else {
            messages.waker = Some(waker);
        }
    }

    /// Takes the messages so far.
    pub(crate) fn take(&self) -> Messages {
        let mut messages = self.messages();
        Messages {
            nudged: core::mem::take(&mut messages.nudged),
            payer_returned: core::mem::take(&mut messages.payer_returned),
            waker: None,
        }
    }

    pub(crate) fn poll_message(&self, context: &Context<'_>) -> Poll<()> {
        let mut messages = self.messages();
        if messages.any() {
            return Poll::Ready(());
        }
        match &mut messages.waker {
            Some(waker) => waker.clone_from(context.waker()),
            none => *none = Some(context.waker().clone()),
        }
        Poll::Pending
    }

    fn ring(&self, tell: impl FnOnce(&mut Messages)) {
        let waker = {
            let mut messages = self.messages();
            tell(&mut messages);
            messages.waker.take()
        };
        self.0.rung.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn messages(&self) -> MutexGuard<'_, Messages> {
        // Nobody can panic while holding the lock with half a change made.
        self.0.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Bell {
    messages: Mutex<Messages>,
    rung: Condvar,
}

/// The messages that the watch has not taken in yet, and the waker that waits for one.
#[derive(Default)]
pub(crate) struct Messages {
    pub(crate) nudged: bool,
    pub(crate) payer_returned: bool,
    waker: Option<Waker>,
}

impl Messages {
    const fn any(&self) -> bool {
        self.nudged || self.payer_returned
    }
}
