//! Stores that are wrong on purpose.

use checkout_lifecycle::Moment;
use checkout_trust::replay::{Commit, FencingToken, Full, Key, MemoryStore, Release, Slot, Store};
use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

/// The fault of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The store loses what was committed.
    Forgets,
    /// A claimed key is done.
    CommitsAtClaim,
    /// The store takes every caller with a key for the holder of the claim.
    DoesNotFence,
    /// A claim is never free again.
    NeverEndsALease,
}

pub(crate) struct Broken {
    store: MemoryStore,
    fault: Fault,
    last: RefCell<HashMap<Key, FencingToken>>,
}

impl Broken {
    pub(crate) fn new(fault: Fault) -> Self {
        Self { store: MemoryStore::new(10_000), fault, last: RefCell::default() }
    }

    fn fence(&self, key: &Key, fence: FencingToken) -> FencingToken {
        match self.fault {
            Fault::DoesNotFence => self.last.borrow()[key],
            Fault::Forgets | Fault::CommitsAtClaim | Fault::NeverEndsALease => fence,
        }
    }
}

impl Store for Broken {
    type Error = Full;

    fn claim(&self, key: &Key, now: Moment, lease: Duration) -> Result<Slot, Full> {
        let lease = if self.fault == Fault::NeverEndsALease { Duration::MAX } else { lease };
        let slot = self.store.claim(key, now, lease)?;
        if let Slot::Fresh(fence) = slot {
            self.last.borrow_mut().insert(*key, fence);
            if self.fault == Fault::CommitsAtClaim {
                assert_eq!(self.store.commit(key, fence, now)?, Commit::Committed);
            }
        }
        Ok(slot)
    }

    fn commit(&self, key: &Key, fence: FencingToken, now: Moment) -> Result<Commit, Full> {
        let fence = self.fence(key, fence);
        if self.fault == Fault::Forgets {
            return self.store.release(key, fence).map(|released| match released {
                Release::Released => Commit::Committed,
                Release::Lost => Commit::Lost,
            });
        }
        self.store.commit(key, fence, now)
    }

    fn release(&self, key: &Key, fence: FencingToken) -> Result<Release, Full> {
        self.store.release(key, self.fence(key, fence))
    }
}
