//! A change of a world, which the server's file keeps if there is a file.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use checkout_tables::Moment;

use super::World;
use crate::journal::{Entry, Journal};
use crate::machine;
use crate::turn::Held;
use crate::webhooks::endpoint::Endpoints;

/// A change of a world. Nothing else changes in the meantime, and the time stands still.
pub(crate) struct Change<'a> {
    world: &'a World,
    held: Held<'a>,
    /// The machine's time, and the world's time before the change.
    times: (Moment, Moment),
}

impl World {
    /// Begins a change.
    pub(crate) fn change(&self) -> Change<'_> {
        let held = self.turn.take();
        let machine = machine::now();
        let at = self.played.clock.catch_up(machine);
        Change { world: self, held, times: (machine, at) }
    }

    /// Keeps the changes of the world in a file from now on.
    pub(crate) fn keep_in(&self, journal: &Arc<Journal>) {
        // A world has one server, and a server one file.
        let _ = self.journal.set(Arc::clone(journal));
    }

    /// True if a file keeps the changes of the world.
    pub(crate) fn is_kept(&self) -> bool {
        self.journal.get().is_some()
    }

    /// The reason why no change is possible, if there is such a reason.
    pub(crate) fn stuck(&self) -> Option<String> {
        self.journal.get().and_then(|journal| journal.broken())
    }

    /// Writes nothing down from now on: the world is taken away.
    pub(crate) fn end(&self) {
        self.gone.store(true, Ordering::SeqCst);
    }

    /// Changes the endpoints.
    pub(crate) fn change_endpoints<T>(&self, act: impl FnOnce(&mut Endpoints) -> T) -> T {
        let change = self.change();
        let mut endpoints = self.hooks.endpoints();
        let done = act(&mut endpoints);
        // Without room in the file, the next change is refused.
        let _ = change.note(|| Entry::new("endpoints", endpoints.to_json()));
        done
    }
}

impl Change<'_> {
    /// Writes the change into the file, unless the change is a part of another change.
    ///
    /// # Errors
    /// The reason why the file takes nothing more.
    pub(crate) fn note(&self, entry: impl FnOnce() -> Entry) -> Result<(), String> {
        match self.world.journal.get() {
            // An entry of a world that is gone would be an entry of the next world of the name.
            Some(journal) if self.held.is_outermost() && !self.world.gone.load(Ordering::SeqCst) => {
                journal.append(&self.world.name, self.times, &entry())
            }
            Some(_) | None => Ok(()),
        }
    }
}
