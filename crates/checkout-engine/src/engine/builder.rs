//! The settings of an engine.

use super::{Clock, Counters, DEFAULT_MERCHANT, Engine, EngineError, Inner, Settings};
use crate::machine::{Client, Machine, Rules};
use crate::measures;
use core::fmt;
use core::time::Duration;
use std::sync::Arc;
use tokio::sync::{Notify, OnceCell};

/// Builds an [`Engine`].
#[must_use]
pub struct Builder<S, T> {
    store: S,
    transport: T,
    clients: Vec<(String, Client)>,
    rules: Rules,
    settings: Settings,
    on_error: Box<dyn Fn(&EngineError) + Send + Sync>,
}

/// The reason why an engine cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// There is no client.
    #[error("no provider: give the engine the client of a provider")]
    NoProvider,
    /// A merchant has two clients for one provider.
    #[error("merchant {merchant}: two clients for one provider")]
    Twice {
        /// The merchant.
        merchant: String,
    },
    /// A merchant has no name, or a name with a slash.
    #[error("merchant: a name is not empty and has no slash")]
    Merchant,
    /// The lease is too short.
    #[error("lease: at least 3 s, so that a request has a second")]
    Lease,
    /// Nothing could be done at once.
    #[error("at_once: at least 1")]
    AtOnce,
}

impl<S, T> Builder<S, T> {
    pub(super) fn new(store: S, transport: T) -> Self {
        Self {
            store,
            transport,
            clients: Vec::new(),
            rules: Rules::default(),
            settings: Settings {
                lease: Duration::from_secs(30),
                poll_every: Duration::from_secs(1),
                at_once: 64,
            },
            on_error: Box::new(|_| {}),
        }
    }

    /// Adds the client of a provider, for the merchant `default`.
    pub fn provider(self, client: impl Into<Client>) -> Self {
        self.merchant(DEFAULT_MERCHANT, client)
    }

    /// Adds the client of a merchant at a provider. The name is the shop's own, and outlives every key.
    pub fn merchant(mut self, name: impl Into<String>, client: impl Into<Client>) -> Self {
        self.clients.push((name.into(), client.into()));
        self
    }

    /// Sets the rules.
    pub fn rules(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }

    /// Sets the length of a lease, 30 s by default. A process that dies is taken over when its leases end.
    ///
    /// One request takes a third of the lease at most: the engine drops the transport's future then, so
    /// the transport needs no time-out of its own. A transport that blocks its thread cannot be dropped, and
    /// holds up all that shares the thread: give such a transport a time-out of a third of the lease or
    /// less. A read that outlasts its lease all the same is made by another process too, and its write
    /// changes nothing.
    pub const fn lease(mut self, lease: Duration) -> Self {
        self.settings.lease = lease;
        self
    }

    /// Sets the pause between two questions for due work, 1 s by default, where nothing of this process asks
    /// earlier.
    pub const fn poll_every(mut self, pause: Duration) -> Self {
        self.settings.poll_every = pause;
        self
    }

    /// Sets how much work this process does at once, 64 by default.
    pub const fn at_once(mut self, most: usize) -> Self {
        self.settings.at_once = most;
        self
    }

    /// Sets the function that hears of errors: a store that does not answer, news that was not taken, a
    /// panic. The engine goes on.
    pub fn on_error(mut self, hear: impl Fn(&EngineError) + Send + Sync + 'static) -> Self {
        self.on_error = Box::new(hear);
        self
    }

    /// Builds the engine.
    ///
    /// # Errors
    /// [`BuildError`], which names the setting.
    pub fn build(self) -> Result<Engine<S, T>, BuildError> {
        if self.clients.is_empty() {
            return Err(BuildError::NoProvider);
        }
        if self.settings.lease < Duration::from_secs(3) {
            return Err(BuildError::Lease);
        }
        if self.settings.at_once == 0 {
            return Err(BuildError::AtOnce);
        }
        let mut machine = Machine::new(self.rules);
        for (merchant, client) in self.clients {
            if merchant.is_empty() || merchant.contains('/') {
                return Err(BuildError::Merchant);
            }
            if machine.client(client.provider(), &merchant).is_some() {
                return Err(BuildError::Twice { merchant });
            }
            machine.add(merchant, client);
        }
        measures::describe();
        Ok(Engine(Arc::new(Inner {
            store: self.store,
            transport: self.transport,
            machine,
            settings: self.settings,
            ready: OnceCell::new(),
            wake: Notify::new(),
            counters: Counters::default(),
            clock: Clock::default(),
            on_error: self.on_error,
        })))
    }
}

impl<S, T> fmt::Debug for Builder<S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("settings", &self.settings).finish_non_exhaustive()
    }
}
