//! The webhooks of a world: receivers, deliveries, log.
//!
//! A provider's sandbox makes a webhook at a moment of the world. The log takes the webhook in, and has a
//! delivery for each receiver; the courier attempts the deliveries as their moments come.

pub(crate) mod content;
pub(crate) mod endpoint;
pub(crate) mod fault;
pub(crate) mod log;
pub(crate) mod post;
mod schedule;
pub(crate) mod target;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::{Notify, RwLock, watch};

use endpoint::Endpoints;
use log::Log;
use target::Targets;

/// The webhooks' part of a world that a reset leaves as it is.
pub(crate) struct Hooks {
    endpoints: Mutex<Endpoints>,
    targets: OnceLock<Arc<Targets>>,
    /// Wakes the courier.
    pub(crate) kick: Arc<Notify>,
    /// Tells those who wait that something may have changed.
    pub(crate) changed: watch::Sender<()>,
    /// Read by each delivery that is under way by itself, and written by the one who delivers alone.
    pub(crate) courier: Arc<RwLock<()>>,
}

impl Default for Hooks {
    fn default() -> Self {
        Self {
            endpoints: Mutex::default(),
            targets: OnceLock::new(),
            kick: Arc::default(),
            changed: watch::channel(()).0,
            courier: Arc::default(),
        }
    }
}

impl Hooks {
    pub(crate) fn endpoints(&self) -> MutexGuard<'_, Endpoints> {
        self.endpoints.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn allow(&self, targets: &Arc<Targets>) {
        // A world has one server.
        let _ = self.targets.set(Arc::clone(targets));
    }

    /// The hosts that webhooks may go to: this machine alone, unless the server says more.
    pub(crate) fn targets(&self) -> &Targets {
        self.targets.get_or_init(Arc::default)
    }

    /// Says that something may have changed.
    pub(crate) fn tell(&self) {
        self.changed.send_replace(());
    }
}

impl Drop for Hooks {
    /// Wakes the courier, who finds no world any more.
    fn drop(&mut self) {
        self.kick.notify_one();
    }
}

/// The log of a world.
#[derive(Default)]
pub(crate) struct Mail(Mutex<Log>);

impl Mail {
    pub(crate) fn log(&self) -> MutexGuard<'_, Log> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
