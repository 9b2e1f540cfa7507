//! The messages to the handles of many watches, in one place, so that nobody has to ask each handle.

use super::WatchId;
use crate::Handle;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Wake, Waker};

/// The handles with a message, and a bell that rings for all of them.
pub(super) struct Inbox(Arc<Rung>);

impl Inbox {
    pub(super) fn new() -> Self {
        Self(Arc::new(Rung { tickets: Mutex::default(), bell: Handle::new() }))
    }

    /// From now on the handle's ticket comes in once when the handle has a message, or at once if the handle
    /// has one already.
    pub(super) fn listen(&self, ticket: WatchId, handle: &Handle) {
        handle.wakes(Waker::from(Arc::new(Knock { ticket, rung: Arc::clone(&self.0) })));
    }

    /// Takes the tickets of the handles with a message. Listen to these handles again.
    pub(super) fn take(&self) -> Vec<WatchId> {
        self.0.bell.take();
        core::mem::take(&mut *self.0.tickets.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The bell that rings whenever a ticket comes in.
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
