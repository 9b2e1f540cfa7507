//! What the handles of many watches are told: in one place, so that nobody has to ask each of them.

use super::WatchId;
use crate::Handle;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Wake, Waker};

/// Which handles were told something, and a bell that rings for all of them.
pub(super) struct Inbox(Arc<Rung>);

impl Inbox {
    pub(super) fn new() -> Self {
        Self(Arc::new(Rung { tickets: Mutex::default(), bell: Handle::new() }))
    }

    /// From now on the handle's ticket comes in once when the handle is told something, or at once if it was
    /// already.
    pub(super) fn listen(&self, ticket: WatchId, handle: &Handle) {
        handle.wakes(Waker::from(Arc::new(Knock { ticket, rung: Arc::clone(&self.0) })));
    }

    /// Whose handles were told something. They have to be listened to again.
    pub(super) fn take(&self) -> Vec<WatchId> {
        self.0.bell.hear();
        core::mem::take(&mut *self.0.tickets.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What rings whenever something comes in.
    pub(super) fn bell(&self) -> Handle {
        self.0.bell.clone()
    }
}

struct Rung {
    tickets: Mutex<Vec<WatchId>>,
    bell: Handle,
}

struct Knock {
    ticket: WatchId,
    rung: Arc<Rung>,
}

impl Wake for Knock {
    fn wake(self: Arc<Self>) {
        self.rung.tickets.lock().unwrap_or_else(PoisonError::into_inner).push(self.ticket);
        self.rung.bell.nudge();
    }
}
