//! The messages to the handles of many watches, in one place, so that nobody has to ask each handle.

use super::WatchId;
use crate::Handle;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Wake, Waker};

/// The handles with a message, and a bell that rings for all of them.
pub(super) struct Inbox(Arc<Rung>);

impl Inbox {
    pub(super) fn new() -> Self {
        Self(Arc::new(Rung { watch_ids: Mutex::default(), bell: Handle::new() }))
    }

    /// From now on the id of the handle's watch comes in once when the handle has a message, or at once if
    /// the handle has one already.
    pub(super) fn listen(&self, watch_id: WatchId, handle: &Handle) {
        handle.wakes(Waker::from(Arc::new(Knock { watch_id, rung: Arc::clone(&self.0) })));
    }

    /// Takes the ids of the watches whose handles have a message. Listen to these handles again.
    pub(super) fn take(&self) -> Vec<WatchId> {
        self.0.bell.take();
        core::mem::take(&mut *self.0.watch_ids.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The bell that rings whenever an id comes in.
    pub(super) fn bell(&self) -> Handle {
        self.0.bell.clone()
    }
}

struct Rung {
    watch_ids: Mutex<Vec<WatchId>>,
    bell: Handle,
}

struct Knock {
    watch_id: WatchId,
    rung: Arc<Rung>,
}

impl Wake for Knock {
    fn wake(self: Arc<Self>) {
        self.rung.watch_ids.lock().unwrap_or_else(PoisonError::into_inner).push(self.watch_id);
        self.rung.bell.nudge();
    }
}
