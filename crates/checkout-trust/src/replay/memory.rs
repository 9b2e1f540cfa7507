//! The store that comes with the crate.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use checkout_lifecycle::Moment;

use super::{Commit, FencingToken, Key, Release, Slot, Store};

/// A store in memory: exact, bounded, for threads of **one process**, and lost with the process.
///
/// This store is right if one process receives all webhooks and a replay after a restart does no harm; a
/// business key that must outlive a restart needs a [`Store`] on a disk.
///
/// - **Exact**: a key is never mistaken for another, and never forgotten before its time except for the two
///   kinds that make room.
/// - **Bounded**: at most `max_entries` keys, claimed and done keys together. When all the keys are still
///   needed, a new key is refused with [`Full`] (answer 503): the event comes again. The other keys are
///   served as ever.
/// - **Fair**: no sender fills the store for the others. When the store is full, room for a new key is made
///   by
///   1. a second or later cut of one signed text ([`Key::peach_text`]), of any owner;
///   2. a key of the owner that holds the most, if that is more than an equal share for each owner, and the
///      new key's owner holds less than that share.
///
///   Of these a done key goes first, the key whose time ends soonest. The event of that key is processed once
///   more if the event comes again.
/// - **Cost**: at most [`BYTES_PER_ENTRY`](Self::BYTES_PER_ENTRY) bytes of memory per key, taken as keys
///   come. Ten webhooks a minute, kept for 31 days, are 446,400 keys. The table does not shrink.
/// - **Time**: each operation looks up one key, and drops at most two keys whose time has ended. No operation
///   walks through all keys; an operation on a full store walks through the owners.
///
/// The store's clock is the latest time that any caller has named, and so never goes backwards: a caller
/// whose clock is behind is served at the store's time, and a caller whose clock is an hour ahead ends leases
/// an hour early, for all.
///
/// ```
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::replay::{Key, MemoryStore, Slot, Store};
/// use std::time::Duration;
/// # let at = checkout_lifecycle::Moment::from_unix_millis;
///
/// let store = MemoryStore::new(1);
/// let key = |id| Key::allscale_transaction("store-1", id, Duration::MAX);
/// let lease = Duration::from_secs(60);
/// assert!(matches!(store.claim(&key("tx_1"), at(1_000), lease), Ok(Slot::Fresh(_))));
/// assert!(store.claim(&key("tx_2"), at(1_000), lease).is_err());
/// assert_eq!(store.claim(&key("tx_1"), at(1_000), lease)?, Slot::InFlight { until: at(61_000) });
/// # Ok::<(), checkout_trust::replay::Full>(())
/// ```
#[derive(Debug)]
pub struct MemoryStore {
    max_entries: usize,
    state: Mutex<State>,
}

impl MemoryStore {
    /// The most memory that a key costs, in bytes, while the tables grow: the old table and the new table,
    /// and the lists of ends and owners. A store that does not grow costs about two thirds of this number.
    ///
    /// ```
    /// # use checkout_trust::replay::MemoryStore;
    /// let for_a_million = 1_000_000 * MemoryStore::BYTES_PER_ENTRY;
    /// assert_eq!(for_a_million, 560_000_000);
    /// ```
    pub const BYTES_PER_ENTRY: usize = 560;

    /// Creates an empty store for at most `max_entries` keys.
    ///
    /// ```
    /// # checkout_doctest::facade!(trust);
    /// use checkout_kit::replay::MemoryStore;
    ///
    /// let store = MemoryStore::new(100_000);
    /// assert_eq!((store.max_entries(), store.len()), (100_000, 0));
    /// ```
    #[must_use]
    pub fn new(max_entries: usize) -> Self {
        let state = State {
            max_entries,
            entries: HashMap::new(),
            ends: BTreeSet::new(),
            owners: BTreeMap::new(),
            texts: HashMap::new(),
            cuts: BTreeSet::new(),
            latest: Moment::from_unix_millis(i64::MIN),
            last_fence: 0,
        };
        Self { max_entries, state: Mutex::new(state) }
    }

    /// The most keys that the store holds.
    ///
    /// ```
    /// # use checkout_trust::replay::MemoryStore;
    /// assert_eq!(MemoryStore::new(9).max_entries(), 9);
    /// ```
    #[must_use]
    pub fn max_entries(&self) -> usize {
        self.max_entries
    }

    /// The number of keys in the store, with the keys whose time has ended and that are not dropped yet.
    /// Watch this number: at [`max_entries`](Self::max_entries) new events are refused.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use checkout_trust::replay::{Key, MemoryStore, Store};
    /// # let at = checkout_lifecycle::Moment::from_unix_millis;
    /// let store = MemoryStore::new(9);
    /// store.claim(&Key::allscale_transaction("store-1", "tx_1", Duration::MAX), at(1_000), Duration::ZERO)?;
    /// assert_eq!(store.len(), 1);
    /// # Ok::<(), checkout_trust::replay::Full>(())
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().entries.len()
    }

    /// True if the store holds no key.
    ///
    /// ```
    /// # use checkout_trust::replay::MemoryStore;
    /// assert!(MemoryStore::new(9).is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Locks the state. Nothing panics under the lock, so the state behind a poisoned lock is whole.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    type Error = Full;

    fn claim(&self, key: &Key, now: Moment, lease: Duration) -> Result<Slot, Full> {
        let mut state = self.lock();
        let now = state.step(now);
        if let Some(entry) = state.entries.get(key.digest()).filter(|entry| !entry.ended(now)) {
            return Ok(entry.slot());
        }
        state.remove(key.digest());
        state.make_room(key)?;
        state.last_fence = state.last_fence.wrapping_add(1);
        let fence = FencingToken::new(state.last_fence);
        state.put(key, fence, now.saturating_add(lease), false);
        Ok(Slot::Fresh(fence))
    }

    fn commit(&self, key: &Key, fence: FencingToken, now: Moment) -> Result<Commit, Full> {
        let mut state = self.lock();
        let now = state.step(now);
        let mut end = now.saturating_add(key.retention());
        match state.entries.get(key.digest()) {
            Some(entry) if entry.fence != fence => return Ok(Commit::Lost),
            Some(entry) => end = end.max(entry.until),
            None => state.make_room(key)?,
        }
        state.put(key, fence, end, true);
        Ok(Commit::Committed)
    }

    fn release(&self, key: &Key, fence: FencingToken) -> Result<Release, Full> {
        let mut state = self.lock();
        match state.entries.get(key.digest()) {
            Some(entry) if entry.fence == fence && !entry.done => {
                state.remove(key.digest());
                Ok(Release::Released)
            }
            Some(_) | None => Ok(Release::Lost),
        }
    }
}

/// The error of a full [`MemoryStore`]: all the keys are still needed, no sender has more than its share, and
/// the new key was refused. Answer 503.
///
/// ```
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::replay::{Key, MemoryStore, Store};
/// use std::time::Duration;
/// # let at = checkout_lifecycle::Moment::from_unix_millis;
///
/// let key = Key::allscale_transaction("store-1", "tx_1", Duration::MAX);
/// let full = MemoryStore::new(0).claim(&key, at(1_000), Duration::ZERO).unwrap_err();
/// assert_eq!(full.to_string(), "the replay store is full: all 0 of its entries are still needed");
/// assert_eq!(full.http_status(), 503);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the replay store is full: all {max_entries} of its entries are still needed")]
pub struct Full {
    max_entries: usize,
}

impl Full {
    /// The HTTP status to answer the provider with, so that the event comes again: 503.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use checkout_trust::replay::{Key, MemoryStore, Store};
    /// # let at = checkout_lifecycle::Moment::from_unix_millis;
    /// # let key = Key::allscale_transaction("store-1", "tx_1", Duration::MAX);
    /// # let full = MemoryStore::new(0).claim(&key, at(1_000), Duration::ZERO).unwrap_err();
    /// assert_eq!(full.http_status(), 503);
    /// ```
    #[must_use]
    pub const fn http_status(&self) -> u16 {
        503
    }
}

type Digest = [u8; 32];

/// The order in which entries give way: true if in flight, the end, and the key.
type Rank = (bool, Moment, Digest);

#[derive(Debug)]
struct State {
    max_entries: usize,
    entries: HashMap<Digest, Entry>,
    /// The end of each entry, except for entries that never end.
    ends: BTreeSet<(Moment, Digest)>,
    /// The entries of each owner.
    owners: BTreeMap<u64, BTreeSet<Rank>>,
    /// The number of entries of each signed text.
    texts: HashMap<u64, usize>,
    /// The entries that came when the store had an entry of the same text already.
    cuts: BTreeSet<Rank>,
    latest: Moment,
    last_fence: i64,
}

impl State {
    /// Moves the clock, never back, and drops a few entries that have ended: more than an operation adds, so
    /// that ended entries do not pile up.
    fn step(&mut self, now: Moment) -> Moment {
        self.latest = self.latest.max(now);
        for _ in 0..DROPPED_AT_ONCE {
            match self.ends.first() {
                Some(&(end, digest)) if end < self.latest => self.remove(&digest),
                Some(_) | None => break,
            }
        }
        self.latest
    }

    /// Makes sure that there is room for a key that is not in the store.
    fn make_room(&mut self, key: &Key) -> Result<(), Full> {
        if self.entries.len() < self.max_entries {
            return Ok(());
        }
        let gives_way = self.cuts.first().or_else(|| self.above_its_share(key));
        let &(_, _, digest) = gives_way.ok_or(Full { max_entries: self.max_entries })?;
        self.remove(&digest);
        Ok(())
    }

    /// The entry that gives way, of the owner with the most entries, if that owner has more than its share,
    /// and the key's owner has less.
    fn above_its_share(&self, key: &Key) -> Option<&Rank> {
        let own = self.owners.get(&key.owner());
        let owners = self.owners.len().saturating_add(usize::from(own.is_none()));
        let share = self.max_entries.checked_div(owners)?;
        let most = self.owners.values().max_by_key(|ranks| ranks.len())?;
        let fair = own.map_or(0, BTreeSet::len) < share && most.len() > share;
        if fair { most.first() } else { None }
    }

    /// Writes an entry, new or in the place of the present entry.
    fn put(&mut self, key: &Key, fence: FencingToken, until: Moment, done: bool) {
        let digest = *key.digest();
        let before = self.entries.get(&digest).map(|entry| entry.is_cut);
        self.remove(&digest);
        let of_its_text = key.text().map(|text| self.texts.entry(text).or_default());
        let is_cut = before.unwrap_or_else(|| of_its_text.as_ref().is_some_and(|count| **count > 0));
        if let Some(count) = of_its_text {
            *count = count.saturating_add(1);
        }
        let entry = Entry { fence, until, done, owner: key.owner(), text: key.text(), is_cut };
        let rank = entry.rank(digest);
        if until < FOR_EVER {
            self.ends.insert((until, digest));
        }
        self.owners.entry(entry.owner).or_default().insert(rank);
        if is_cut {
            self.cuts.insert(rank);
        }
        self.entries.insert(digest, entry);
    }

    /// Drops an entry, if the entry is there.
    fn remove(&mut self, digest: &Digest) {
        let Some(entry) = self.entries.remove(digest) else { return };
        let rank = entry.rank(*digest);
        self.ends.remove(&(entry.until, *digest));
        self.cuts.remove(&rank);
        if let Some(ranks) = self.owners.get_mut(&entry.owner) {
            ranks.remove(&rank);
            if ranks.is_empty() {
                self.owners.remove(&entry.owner);
            }
        }
        if let Some(text) = entry.text
            && let Some(count) = self.texts.get_mut(&text)
        {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.texts.remove(&text);
            }
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    fence: FencingToken,
    /// The last millisecond of the lease or the retention.
    until: Moment,
    done: bool,
    owner: u64,
    text: Option<u64>,
    /// True if there was an entry of the same text already when this entry came.
    is_cut: bool,
}

impl Entry {
    fn ended(&self, now: Moment) -> bool {
        self.until < now
    }

    const fn slot(&self) -> Slot {
        if self.done { Slot::Done } else { Slot::InFlight { until: self.until } }
    }

    const fn rank(&self, digest: Digest) -> Rank {
        (!self.done, self.until, digest)
    }
}

const DROPPED_AT_ONCE: usize = 2;
/// The end of an entry that never ends.
const FOR_EVER: Moment = Moment::from_unix_millis(i64::MAX);
