//! The state that all connections of a server share.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::sync::watch;

use crate::engine::Engine;
use crate::hosts::Hosts;
use crate::journal::Journal;
use crate::urls::Urls;
use crate::webhooks::target::Targets;
use crate::worlds::Worlds;

pub(crate) struct Shared {
    pub(crate) worlds: Worlds,
    pub(crate) urls: Urls,
    pub(crate) hosts: Hosts,
    /// The hosts that webhooks may go to.
    pub(crate) targets: Arc<Targets>,
    /// The path of the public URL, without a slash at the end.
    pub(crate) base_path: String,
    /// The place of the state, for a reader.
    pub(crate) state: String,
    /// The file that keeps the state.
    pub(crate) journal: Option<Arc<Journal>>,
    /// The engine whose store the dashboard shows.
    pub(crate) engine: Option<Engine>,
    /// True while the file is played back.
    pub(crate) playing: AtomicBool,
    /// The number of the requests that may have changed a world.
    pub(crate) changes: watch::Sender<u64>,
    /// Closed as soon as the server stops.
    pub(crate) stopped: watch::Receiver<()>,
}

impl Shared {
    /// Tells the pages that are open that a world may have changed.
    pub(crate) fn changed(&self) {
        self.changes.send_modify(|number| *number = number.wrapping_add(1));
    }
}
