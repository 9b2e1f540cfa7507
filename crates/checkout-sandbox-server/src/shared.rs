//! The state that all connections of a server share.

use std::sync::Arc;

use crate::hosts::Hosts;
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
}
