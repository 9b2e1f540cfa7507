//! The checkouts themselves, each in a slot of its own, and the keys by which callers name them.

#[cfg(doc)]
use super::Schedule;
use super::merchant::ID_BITS;
use super::state::Standing;
use super::{index, small};
use crate::Poller;
use alloc::vec::Vec;

/// A checkout in a [`Schedule`]. The key of a removed checkout does nothing, ever.
///
/// ```
/// # checkout_doctest::facade!(poll);
/// use checkout_kit::poll::Schedule;
/// use checkout_kit::{Moment, PollPolicy};
///
/// let now = Moment::from_unix_millis(0);
/// let mut schedule = Schedule::new(now, 42);
/// let merchant = schedule.merchant(PollPolicy::allscale(), None);
/// let stale = schedule.add(merchant, now, now, 1);
/// schedule.remove(stale);
/// let key = schedule.add(merchant, now, now, 2);
/// assert_ne!(stale, key);
/// assert_eq!((schedule.data(stale), schedule.data(key)), (None, Some(&2)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScheduleKey {
    /// The checkout's id inside the schedule: a later checkout may have the same id.
    pub(super) slot: u32,
    /// The number of checkouts that had the slot before.
    pub(super) generation: u32,
}

/// Checkouts in slots. The next checkout reuses the slot of a removed one, in another generation.
#[derive(Clone)]
pub(super) struct Slots<T> {
    slots: Vec<Slot<T>>,
    /// The first slot of the list of free slots.
    free: Option<u32>,
    open: usize,
}

#[derive(Clone)]
enum Slot<T> {
    Open(Open<T>),
    /// The generation of the next checkout, and the next slot in the list of free slots.
    Free {
        generation: u32,
        next: Option<u32>,
    },
}

/// A checkout in the schedule.
#[derive(Clone)]
pub(super) struct Open<T> {
    pub(super) data: T,
    pub(super) poller: Poller,
    generation: u32,
    pub(super) standing: Standing,
}

impl<T> Open<T> {
    /// The key of this checkout, whose slot the caller knows.
    pub(super) const fn key(&self, slot: u32) -> ScheduleKey {
        ScheduleKey { slot, generation: self.generation }
    }
}

impl<T> Slots<T> {
    pub(super) const fn new() -> Self {
        Self { slots: Vec::new(), free: None, open: 0 }
    }

    /// The number of checkouts.
    pub(super) const fn len(&self) -> usize {
        self.open
    }

    /// The ids of all slots, in use or free.
    pub(super) fn ids(&self) -> core::ops::Range<u32> {
        0..small(self.slots.len())
    }

    /// Reserves room for this many more checkouts.
    pub(super) fn reserve(&mut self, checkouts: usize) {
        let free = self.slots.len() - self.open;
        self.slots.reserve(checkouts.saturating_sub(free));
    }

    /// An upper bound of the ids of all checkouts that there is room for.
    pub(super) fn room(&self) -> usize {
        self.slots.capacity().min(SLOTS)
    }

    /// Puts a checkout into a slot.
    pub(super) fn insert(&mut self, standing: Standing, poller: Poller, data: T) -> ScheduleKey {
        let free = self.free.and_then(|slot| match self.slots.get_mut(index(slot))? {
            Slot::Open(_) => None,
            Slot::Free { generation, next } => Some((slot, *generation, *next)),
        });
        debug_assert_eq!(free.is_some(), self.free.is_some(), "the list of free slots has free slots alone");
        let (slot, generation, next) = free.unwrap_or_else(|| {
            assert!(self.slots.len() < SLOTS, "too many checkouts");
            (small(self.slots.len()), 0, None)
        });
        self.free = next;
        self.open += 1;
        let open = Slot::Open(Open { data, poller, generation, standing });
        match self.slots.get_mut(index(slot)) {
            Some(free) => *free = open,
            None => self.slots.push(open),
        }
        ScheduleKey { slot, generation }
    }

    /// Removes a checkout.
    pub(super) fn remove(&mut self, key: ScheduleKey) -> Option<Open<T>> {
        let slot = self.slots.get_mut(index(key.slot))?;
        let generation = key.generation.wrapping_add(1);
        match core::mem::replace(slot, Slot::Free { generation, next: self.free }) {
            Slot::Open(open) if open.generation == key.generation => {
                // A slot whose generations are used up is not used again, so a key never means another
                // checkout.
                if generation != 0 {
                    self.free = Some(key.slot);
                }
                self.open -= 1;
                Some(open)
            }
            other @ (Slot::Open(_) | Slot::Free { .. }) => {
                *slot = other;
                None
            }
        }
    }

    /// The checkout of a key, if the checkout was not removed.
    pub(super) fn get(&self, key: ScheduleKey) -> Option<&Open<T>> {
        self.at(key.slot).filter(|open| open.generation == key.generation)
    }

    pub(super) fn get_mut(&mut self, key: ScheduleKey) -> Option<&mut Open<T>> {
        self.at_mut(key.slot).filter(|open| open.generation == key.generation)
    }

    /// The checkout that has a slot now, for ids in lists that keep removed checkouts: the slot may hold
    /// another checkout than the caller means, so the caller looks at its state.
    pub(super) fn at(&self, id: u32) -> Option<&Open<T>> {
        match self.slots.get(index(id))? {
            Slot::Open(open) => Some(open),
            Slot::Free { .. } => None,
        }
    }

    pub(super) fn at_mut(&mut self, id: u32) -> Option<&mut Open<T>> {
        match self.slots.get_mut(index(id))? {
            Slot::Open(open) => Some(open),
            Slot::Free { .. } => None,
        }
    }

    /// The checkout of an id that is in use: None is a bug.
    pub(super) fn in_use(&mut self, id: u32) -> Option<&mut Open<T>> {
        let open = self.at_mut(id);
        debug_assert!(open.is_some(), "slot {id} is in use");
        open
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (ScheduleKey, &Open<T>)> {
        (0..).zip(&self.slots).filter_map(|(id, slot)| match slot {
            Slot::Open(open) => Some((open.key(id), open)),
            Slot::Free { .. } => None,
        })
    }

    /// Makes a free slot's next checkout the last one that the slot can have, as after 2³² − 1 others.
    #[cfg(test)]
    pub(super) fn age(&mut self, id: usize) {
        if let Some(Slot::Free { generation, .. }) = self.slots.get_mut(id) {
            *generation = u32::MAX;
        }
    }

    /// The bytes of a slot.
    #[cfg(test)]
    pub(super) const SLOT_BYTES: usize = size_of::<Slot<T>>();
}

const SLOTS: usize = 1 << ID_BITS;

// As the documentation of the schedule says: 32 bytes plus the caller's data.
const _: () = assert!(size_of::<Slot<[u64; 2]>>() == 48);
