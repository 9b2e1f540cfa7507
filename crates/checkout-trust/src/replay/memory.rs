//! The store that comes with the crate.

use std::collections::hash_map::Entry as Place;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Commit, Fence, Key, Release, Slot, Store, until};

/// A store in memory: exact, bounded, for threads of **one process**, and gone with it.
///
/// It is right where one process receives all webhooks and a replay after a restart does no harm; a business
/// key that is to outlive a restart needs a [`Store`] on a disk.
///
/// - **Exact**: a key is never forgotten before its time, and never mistaken for another.
/// - **Bounded**: at most as many keys as it was made for, claimed and done ones together. When all of them
///   are still needed, a new key is refused with [`Full`] (answer 503): the event comes again, and nothing
///   that was promised to be remembered is given up for it. Keys that are already in are served as ever.
/// - **Cost**: at most [`BYTES_PER_ENTRY`](Self::BYTES_PER_ENTRY) bytes of memory per key, taken as keys
///   come. Ten webhooks a minute, kept for 31 days, are 446,400 keys. The table does not shrink.
/// - **Time**: each operation looks up one key, and drops at most two whose time has ended. None walks
///   through all.
///
/// Its clock is the latest time that any caller has named, so that it never goes backwards: a caller whose
/// clock is behind is served as if it were not, and a caller whose clock is an hour ahead ends leases an hour
/// early, for all.
///
/// ```
/// use std::time::Duration;
/// use checkout_trust::replay::{Key, MemoryStore, Slot, Store};
///
/// let store = MemoryStore::new(1);
/// let key = |id| Key::allscale_transaction("store-1", id, Duration::MAX);
/// let lease = Duration::from_secs(60);
/// assert!(matches!(store.claim(&key("tx_1"), 1_000, lease), Ok(Slot::Fresh(_))));
/// assert!(store.claim(&key("tx_2"), 1_000, lease).is_err());
/// assert_eq!(store.claim(&key("tx_1"), 1_000, lease)?, Slot::InFlight { until: 61_000 });
/// # Ok::<(), checkout_trust::replay::Full>(())
/// ```
#[derive(Debug)]
pub struct MemoryStore {
    max_entries: usize,
    state: Mutex<State>,
}

impl MemoryStore {
    /// The most memory that a key costs, in bytes, while the table grows: the old table and the new one, and
    /// the list of what ends when. A store that does not grow costs about two thirds of it.
    ///
    /// ```
    /// # use checkout_trust::replay::MemoryStore;
    /// let for_a_million = 1_000_000 * MemoryStore::BYTES_PER_ENTRY;
    /// assert_eq!(for_a_million, 320_000_000);
    /// ```
    pub const BYTES_PER_ENTRY: usize = 320;

    /// An empty store for at most `max_entries` keys.
    ///
    /// ```
    /// use checkout_trust::replay::MemoryStore;
    ///
    /// let store = MemoryStore::new(100_000);
    /// assert_eq!((store.max_entries(), store.len()), (100_000, 0));
    /// ```
    #[must_use]
    pub fn new(max_entries: usize) -> Self {
        let state =
            State { entries: HashMap::new(), ends: BTreeSet::new(), latest_millis: i64::MIN, last_fence: 0 };
        Self { max_entries, state: Mutex::new(state) }
    }

    /// The most keys it holds.
    ///
    /// ```
    /// # use checkout_trust::replay::MemoryStore;
    /// assert_eq!(MemoryStore::new(9).max_entries(), 9);
    /// ```
    #[must_use]
    pub fn max_entries(&self) -> usize {
        self.max_entries
    }

    /// The keys it holds now, with those whose time has ended and that are not dropped yet. To be watched: at
    /// [`max_entries`](Self::max_entries) new events are refused.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use checkout_trust::replay::{Key, MemoryStore, Store};
    /// let store = MemoryStore::new(9);
    /// store.claim(&Key::allscale_transaction("store-1", "tx_1", Duration::MAX), 1_000, Duration::ZERO)?;
    /// assert_eq!(store.len(), 1);
    /// # Ok::<(), checkout_trust::replay::Full>(())
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().entries.len()
    }

    /// Whether it holds no key.
    ///
    /// ```
    /// # use checkout_trust::replay::MemoryStore;
    /// assert!(MemoryStore::new(9).is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Nothing panics while it holds the lock, so the state behind a poisoned one is whole.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    type Error = Full;

    fn claim(&self, key: &Key, now_millis: i64, lease: Duration) -> Result<Slot, Full> {
        let mut state = self.lock();
        let state = &mut *state;
        let now = state.step(now_millis);
        let held = state.entries.len();
        match state.entries.entry(*key.digest()) {
            Place::Occupied(place) if !place.get().ended(now) => Ok(place.get().slot()),
            Place::Vacant(_) if held >= self.max_entries => Err(Full { max_entries: self.max_entries }),
            place @ (Place::Occupied(_) | Place::Vacant(_)) => {
                state.last_fence = state.last_fence.wrapping_add(1);
                let entry =
                    Entry { fence: Fence::new(state.last_fence), until: until(now, lease), done: false };
                put(place, entry, &mut state.ends);
                Ok(Slot::Fresh(entry.fence))
            }
        }
    }

    fn commit(&self, key: &Key, fence: Fence, now_millis: i64) -> Result<Commit, Full> {
        let mut state = self.lock();
        let state = &mut *state;
        let now = state.step(now_millis);
        let held = state.entries.len();
        let mut done = Entry { fence, until: until(now, key.retention()), done: true };
        match state.entries.entry(*key.digest()) {
            Place::Occupied(place) if place.get().fence != fence => Ok(Commit::Lost),
            Place::Vacant(_) if held >= self.max_entries => Err(Full { max_entries: self.max_entries }),
            place @ (Place::Occupied(_) | Place::Vacant(_)) => {
                if let Place::Occupied(place) = &place {
                    done.until = done.until.max(place.get().until);
                }
                put(place, done, &mut state.ends);
                Ok(Commit::Committed)
            }
        }
    }

    fn release(&self, key: &Key, fence: Fence) -> Result<Release, Full> {
        let mut state = self.lock();
        let state = &mut *state;
        match state.entries.entry(*key.digest()) {
            Place::Occupied(place) if place.get().fence == fence && !place.get().done => {
                let entry = place.remove();
                state.ends.remove(&(entry.until, *key.digest()));
                Ok(Release::Released)
            }
            Place::Occupied(_) | Place::Vacant(_) => Ok(Release::Lost),
        }
    }
}

/// A [`MemoryStore`] is full: all its keys are still needed, and the new one was refused. Answer 503.
///
/// ```
/// use std::time::Duration;
/// use checkout_trust::replay::{Key, MemoryStore, Store};
///
/// let key = Key::allscale_transaction("store-1", "tx_1", Duration::MAX);
/// let full = MemoryStore::new(0).claim(&key, 1_000, Duration::ZERO).unwrap_err();
/// assert_eq!(full.to_string(), "the replay store is full: all 0 of its entries are still needed");
/// assert_eq!(full.http_status(), 503);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the replay store is full: all {max_entries} of its entries are still needed")]
pub struct Full {
    max_entries: usize,
}

impl Full {
    /// What to answer the provider, so that the event comes again: 503.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use checkout_trust::replay::{Key, MemoryStore, Store};
    /// # let key = Key::allscale_transaction("store-1", "tx_1", Duration::MAX);
    /// # let full = MemoryStore::new(0).claim(&key, 1_000, Duration::ZERO).unwrap_err();
    /// assert_eq!(full.http_status(), 503);
    /// ```
    #[must_use]
    pub const fn http_status(&self) -> u16 {
        503
    }
}

type Digest = [u8; 32];

#[derive(Debug)]
struct State {
    entries: HashMap<Digest, Entry>,
    /// When each entry ends, but for those that never do.
    ends: BTreeSet<(i64, Digest)>,
    latest_millis: i64,
    last_fence: i64,
}

impl State {
    /// Moves the clock, never back, and drops a few entries that have ended: more than an operation adds, so
    /// that they do not pile up.
    fn step(&mut self, now_millis: i64) -> i64 {
        self.latest_millis = self.latest_millis.max(now_millis);
        for _ in 0..DROPPED_AT_ONCE {
            match self.ends.first() {
                Some(&(end, _)) if end < self.latest_millis => {
                    if let Some((_, digest)) = self.ends.pop_first() {
                        self.entries.remove(&digest);
                    }
                }
                Some(_) | None => break,
            }
        }
        self.latest_millis
    }
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    fence: Fence,
    /// The last millisecond of the lease or the retention.
    until: i64,
    done: bool,
}

impl Entry {
    const fn ended(&self, now: i64) -> bool {
        self.until < now
    }

    const fn slot(&self) -> Slot {
        if self.done { Slot::Done } else { Slot::InFlight { until: self.until } }
    }
}

/// Writes an entry in its place, and its end in the list.
fn put(place: Place<'_, Digest, Entry>, entry: Entry, ends: &mut BTreeSet<(i64, Digest)>) {
    let digest = *place.key();
    if let Place::Occupied(place) = &place {
        ends.remove(&(place.get().until, digest));
    }
    if entry.until < i64::MAX {
        ends.insert((entry.until, digest));
    }
    place.insert_entry(entry);
}

const DROPPED_AT_ONCE: usize = 2;
