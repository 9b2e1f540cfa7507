//! The replay guard: every event once, and none lost.
//!
//! A provider sends a webhook again until the answer is 200, several deliveries can be under way at once, and
//! anybody who has recorded a delivery can play it back. So a handler **claims** an event before processing,
//! and **commits** the event after. If the processing fails, the handler **releases** the event. If the
//! process dies in between, the claim ends by itself and the provider's next attempt is accepted.
//!
//! | [`Guard::claim`] returns | meaning | do |
//! |---|---|---|
//! | [`Claim::Fresh`] | yours, with a [`ClaimTicket`] | process the event, then [`Guard::commit`] and answer 200; or [`Guard::release`] and answer 503 |
//! | [`Claim::InFlight`] | somebody is processing the event | answer 503 |
//! | [`Claim::Done`] | the event was processed | answer 200 |
//! | an error | the store failed, or is full | answer 503 |
//!
//! **The one idea to know:** a claim is a promise for a time, and a commit is the truth. A guard that writes
//! a key down before the work is done loses the event when the work fails; a guard that writes the key down
//! after the work lets two deliveries in. Both steps are needed, each atomic, and a number that fences off a
//! late caller.
//!
//! The guard does not make the processing itself happen once. A handler that outlives its lease meets another
//! handler that has taken over; the commit of one of them returns [`Commit::Lost`]. To rule this out, write
//! the effects and the commit in one transaction of your database, with the keys and numbers of
//! [`ClaimTicket::claims`].
//!
//! # More than one key
//!
//! An event can have several [`Key`]s (see [`Identity`]), and a store steps one key at a time. Nevertheless
//! an event is claimed as a whole:
//!
//! - *Claim* takes the keys in one order that is the same for everybody. At the first key that is not fresh,
//!   the claim gives back the keys already taken and reports that key's answer. Of several claimers of one
//!   event, in any deliveries, at most one has all the keys, and the claimers do not block each other in a
//!   circle. If giving back fails, these keys are free when the lease ends.
//! - *Commit* begins with the first key of the identity, the event's own. If that key is lost, all is lost,
//!   and the other keys are given back. If that key holds, the event is done, whatever happens to the others:
//!   a crash in between leaves a delivery that ends with its lease, and whose next claim finds the event
//!   done.
//! - *Release* gives back all.

#[cfg(feature = "conformance")]
pub mod conformance;
mod key;
mod memory;
mod store;

use checkout_lifecycle::Moment;
use std::time::Duration;

pub use key::{Identity, Key, Scheme};
pub use memory::{Full, MemoryStore};
pub use store::{AsyncStore, Commit, FencingToken, InPlace, Release, Slot, Store};

/// Claims events in a store: see [the module](self).
///
/// The methods without suffix are for a [`Store`], which blocks; the methods that end in `_async` are for an
/// [`AsyncStore`]. A guard takes a [`Moment`], as the receivers do; a store takes, returns and keeps Unix
/// milliseconds.
///
/// ```
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::replay::{Claim, Commit, Guard, Identity, Key, MemoryStore};
/// use std::time::Duration;
///
/// let at = checkout_kit::Moment::from_unix_millis;
/// let guard = Guard::new(MemoryStore::new(100_000));
/// let identity = Identity::new(Key::allscale_transaction("store-1", "tx_1", Duration::MAX))
///     .and(Key::allscale_delivery("store-1", "wh_1", "5a0a4f4c", Duration::from_secs(300)));
///
/// let Claim::Fresh(ticket) = guard.claim(&identity, at(1_716_501_000_000))? else { unreachable!() };
/// let meanwhile = guard.claim(&identity, at(1_716_501_000_200))?;
/// assert_eq!(meanwhile.http_status(), Some(503));
/// // … read the payment, settle the order …
/// assert_eq!(guard.commit(ticket, at(1_716_501_000_900))?, Commit::Committed);
/// assert_eq!(guard.claim(&identity, at(1_716_501_002_000))?.http_status(), Some(200));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Guard<S> {
    store: S,
    lease: Duration,
}

impl<S> Guard<S> {
    /// The default length of a claim: 60 seconds.
    ///
    /// Assumed: a handler that reads the payment once and writes to a database takes a fraction of this time,
    /// and a provider tries again after this time.
    ///
    /// ```
    /// # use checkout_trust::replay::{Guard, MemoryStore};
    /// assert_eq!(Guard::<MemoryStore>::DEFAULT_LEASE.as_secs(), 60);
    /// ```
    pub const DEFAULT_LEASE: Duration = Duration::from_secs(60);

    /// Creates a guard over `store`, with the [default lease](Self::DEFAULT_LEASE).
    ///
    /// ```
    /// # checkout_doctest::facade!(trust);
    /// use checkout_kit::replay::{Guard, MemoryStore};
    ///
    /// let guard = Guard::new(MemoryStore::new(100_000));
    /// assert!(guard.store().is_empty());
    /// ```
    #[must_use]
    pub const fn new(store: S) -> Self {
        Self { store, lease: Self::DEFAULT_LEASE }
    }

    /// Makes a claim last for `lease`, counted in whole milliseconds and rounded up.
    ///
    /// Choose a lease longer than the longest processing, its timeouts added up, and longer than the
    /// disagreement of the machines' clocks. Do not choose a lease longer than you want to wait for an event
    /// whose process died: until the lease ends the event is answered 503, and the lease must end while the
    /// provider still tries.
    ///
    /// ```
    /// # checkout_doctest::facade!(trust);
    /// use checkout_kit::replay::{Claim, Guard, Identity, Key, MemoryStore};
    /// use std::time::Duration;
    ///
    /// let at = checkout_kit::Moment::from_unix_millis;
    /// let guard = Guard::new(MemoryStore::new(100_000)).lease(Duration::from_secs(5));
    /// let identity = Identity::new(Key::allscale_transaction("store-1", "tx_1", Duration::MAX));
    /// let Claim::Fresh(ticket) = guard.claim(&identity, at(1_000))? else { unreachable!() };
    /// assert_eq!(ticket.until(), at(6_000));
    /// # Ok::<(), checkout_trust::replay::Full>(())
    /// ```
    #[must_use]
    pub fn lease(self, lease: Duration) -> Self {
        Self { lease, ..self }
    }

    /// The store.
    ///
    /// ```
    /// # use checkout_trust::replay::{Guard, MemoryStore};
    /// assert_eq!(Guard::new(MemoryStore::new(9)).store().max_entries(), 9);
    /// ```
    #[must_use]
    pub const fn store(&self) -> &S {
        &self.store
    }
}

impl<S: Store> Guard<S> {
    /// Claims an event: all its keys, or none.
    ///
    /// # Errors
    /// The store's own error. Nothing is claimed then, or only until the lease ends: answer 503.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use checkout_trust::replay::{Claim, Guard, Identity, Key, MemoryStore};
    /// # let at = checkout_lifecycle::Moment::from_unix_millis;
    /// # let guard = Guard::new(MemoryStore::new(100_000));
    /// let identity = Identity::new(Key::peach_content("8ac7a4c9", &[("amount", "14.99")]));
    /// assert!(matches!(guard.claim(&identity, at(1_000))?, Claim::Fresh(_)));
    /// assert_eq!(guard.claim(&identity, at(2_000))?.http_status(), Some(503));
    /// // Nobody has committed within the lease: the event is not lost.
    /// assert!(matches!(guard.claim(&identity, at(61_001))?, Claim::Fresh(_)));
    /// # Ok::<(), checkout_trust::replay::Full>(())
    /// ```
    pub fn claim(&self, identity: &Identity, now: Moment) -> Result<Claim, S::Error> {
        let mut taken = Vec::with_capacity(identity.keys().len());
        for key in identity.in_order_of_claim() {
            let answer = match self.store.claim(&key, now, self.lease) {
                Ok(Slot::Fresh(fence)) => {
                    taken.push(Hold { key, fence });
                    continue;
                }
                Ok(Slot::InFlight { until }) => Ok(Claim::InFlight { until }),
                Ok(Slot::Done) => Ok(Claim::Done),
                Err(error) => Err(error),
            };
            self.give_back(&taken);
            return answer;
        }
        Ok(Claim::Fresh(ClaimTicket::new(taken, identity, now.saturating_add(self.lease))))
    }

    /// Records that the event has been processed. From now on claims of the event are [`Claim::Done`].
    ///
    /// # Errors
    /// [`Unfinished`], if the store failed: the error gives the ticket back, to try again with. If you give
    /// up, the event is claimed until the lease ends and then, if the commit has not reached the store, fresh
    /// again.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use checkout_trust::replay::{Claim, Commit, Guard, Identity, Key, MemoryStore};
    /// # let at = checkout_lifecycle::Moment::from_unix_millis;
    /// # let guard = Guard::new(MemoryStore::new(100_000));
    /// # let identity = Identity::new(Key::peach_content("8ac7a4c9", &[("amount", "14.99")]));
    /// let Claim::Fresh(slow) = guard.claim(&identity, at(1_000))? else { unreachable!() };
    /// let Claim::Fresh(quick) = guard.claim(&identity, at(70_000))? else { unreachable!() };
    /// assert_eq!(guard.commit(slow, at(70_001))?, Commit::Lost);
    /// assert_eq!(guard.commit(quick, at(70_002))?, Commit::Committed);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn commit(&self, mut ticket: ClaimTicket, now: Moment) -> Result<Commit, Unfinished<S::Error>> {
        while let Some(&Hold { key, fence }) = ticket.held.first() {
            match self.store.commit(&key, fence, now) {
                Ok(answer) => {
                    ticket.held.remove(0);
                    if ticket.lost_by(answer) {
                        self.give_back(&ticket.held);
                        return Ok(Commit::Lost);
                    }
                }
                Err(error) => return Err(Unfinished { error, ticket }),
            }
        }
        Ok(Commit::Committed)
    }

    /// Records that the event has not been processed. The next claim of the event is fresh.
    ///
    /// # Errors
    /// [`Unfinished`], if the store failed: the error gives the ticket back, to try again with. If you give
    /// up, the event is fresh when the lease ends.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use checkout_trust::replay::{Claim, Guard, Identity, Key, MemoryStore, Release};
    /// # let at = checkout_lifecycle::Moment::from_unix_millis;
    /// # let guard = Guard::new(MemoryStore::new(100_000));
    /// # let identity = Identity::new(Key::peach_content("8ac7a4c9", &[("amount", "14.99")]));
    /// let Claim::Fresh(ticket) = guard.claim(&identity, at(1_000))? else { unreachable!() };
    /// assert_eq!(guard.release(ticket)?, Release::Released);
    /// assert!(matches!(guard.claim(&identity, at(1_001))?, Claim::Fresh(_)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn release(&self, mut ticket: ClaimTicket) -> Result<Release, Unfinished<S::Error>> {
        while let Some(&Hold { key, fence }) = ticket.held.last() {
            match self.store.release(&key, fence) {
                Ok(answer) => ticket.gave_back_last(answer),
                Err(error) => return Err(Unfinished { error, ticket }),
            }
        }
        Ok(ticket.released())
    }

    /// Gives the keys back, without errors: a key that cannot be given back is free when the lease ends.
    fn give_back(&self, taken: &[Hold]) {
        for Hold { key, fence } in taken.iter().rev() {
            let _ = self.store.release(key, *fence);
        }
    }
}

impl<S: AsyncStore> Guard<S> {
    /// Claims an event: see [`claim`](Guard::claim). A future that is dropped leaves at most a claim that
    /// ends with its lease.
    ///
    /// # Errors
    /// The store's own error. Nothing is claimed then, or only until the lease ends: answer 503.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use checkout_trust::replay::{Claim, Guard, Identity, InPlace, Key, MemoryStore};
    /// # let at = checkout_lifecycle::Moment::from_unix_millis;
    /// # pollster::block_on(async {
    /// let guard = Guard::new(InPlace(MemoryStore::new(100_000)));
    /// let identity = Identity::new(Key::peach_content("8ac7a4c9", &[("amount", "14.99")]));
    /// assert!(matches!(guard.claim_async(&identity, at(1_000)).await?, Claim::Fresh(_)));
    /// # Ok::<(), checkout_trust::replay::Full>(())
    /// # }).unwrap();
    /// ```
    pub async fn claim_async(&self, identity: &Identity, now: Moment) -> Result<Claim, S::Error> {
        let mut taken = Vec::with_capacity(identity.keys().len());
        for key in identity.in_order_of_claim() {
            let answer = match self.store.claim(&key, now, self.lease).await {
                Ok(Slot::Fresh(fence)) => {
                    taken.push(Hold { key, fence });
                    continue;
                }
                Ok(Slot::InFlight { until }) => Ok(Claim::InFlight { until }),
                Ok(Slot::Done) => Ok(Claim::Done),
                Err(error) => Err(error),
            };
            self.give_back_async(&taken).await;
            return answer;
        }
        Ok(Claim::Fresh(ClaimTicket::new(taken, identity, now.saturating_add(self.lease))))
    }

    /// Records that the event has been processed: see [`commit`](Guard::commit).
    ///
    /// **Do not drop this future half-way**: dropped after the effects and before the commit, the future
    /// leaves an event that is fresh when the lease ends, and is processed again. Frameworks drop a handler
    /// whose sender hangs up, and so does a timeout: spawn the whole of claim, effects and commit as a task
    /// of its own, or write effects and commit in one transaction ([`ClaimTicket::claims`]).
    ///
    /// # Errors
    /// [`Unfinished`], if the store failed; the error gives the ticket back, to try again with.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use checkout_trust::replay::{Claim, Commit, Guard, Identity, InPlace, Key, MemoryStore};
    /// # let at = checkout_lifecycle::Moment::from_unix_millis;
    /// # pollster::block_on(async {
    /// # let guard = Guard::new(InPlace(MemoryStore::new(100_000)));
    /// # let identity = Identity::new(Key::peach_content("8ac7a4c9", &[("amount", "14.99")]));
    /// let Claim::Fresh(ticket) = guard.claim_async(&identity, at(1_000)).await? else { unreachable!() };
    /// assert_eq!(guard.commit_async(ticket, at(2_000)).await?, Commit::Committed);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    pub async fn commit_async(
        &self,
        mut ticket: ClaimTicket,
        now: Moment,
    ) -> Result<Commit, Unfinished<S::Error>> {
        while let Some(&Hold { key, fence }) = ticket.held.first() {
            match self.store.commit(&key, fence, now).await {
                Ok(answer) => {
                    ticket.held.remove(0);
                    if ticket.lost_by(answer) {
                        self.give_back_async(&ticket.held).await;
                        return Ok(Commit::Lost);
                    }
                }
                Err(error) => return Err(Unfinished { error, ticket }),
            }
        }
        Ok(Commit::Committed)
    }

    /// Records that the event has not been processed: see [`release`](Guard::release).
    ///
    /// # Errors
    /// [`Unfinished`], if the store failed; the error gives the ticket back, to try again with.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use checkout_trust::replay::{Claim, Guard, Identity, InPlace, Key, MemoryStore, Release};
    /// # let at = checkout_lifecycle::Moment::from_unix_millis;
    /// # pollster::block_on(async {
    /// # let guard = Guard::new(InPlace(MemoryStore::new(100_000)));
    /// # let identity = Identity::new(Key::peach_content("8ac7a4c9", &[("amount", "14.99")]));
    /// let Claim::Fresh(ticket) = guard.claim_async(&identity, at(1_000)).await? else { unreachable!() };
    /// assert_eq!(guard.release_async(ticket).await?, Release::Released);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    pub async fn release_async(&self, mut ticket: ClaimTicket) -> Result<Release, Unfinished<S::Error>> {
        while let Some(&Hold { key, fence }) = ticket.held.last() {
            match self.store.release(&key, fence).await {
                Ok(answer) => ticket.gave_back_last(answer),
                Err(error) => return Err(Unfinished { error, ticket }),
            }
        }
        Ok(ticket.released())
    }

    /// Gives the keys back, without errors: a key that cannot be given back is free when the lease ends.
    async fn give_back_async(&self, taken: &[Hold]) {
        for Hold { key, fence } in taken.iter().rev() {
            let _ = self.store.release(key, *fence).await;
        }
    }
}

/// The result of a claim of an event.
///
/// ```
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::replay::Claim;
/// # let at = checkout_lifecycle::Moment::from_unix_millis;
///
/// assert_eq!(Claim::Done.http_status(), Some(200));
/// assert_eq!(Claim::InFlight { until: at(61_000) }.http_status(), Some(503));
/// ```
#[derive(Debug)]
#[must_use = "an event that is not claimed fresh is not to be processed"]
pub enum Claim {
    /// The event is yours: process it, and commit or release the ticket.
    Fresh(ClaimTicket),
    /// Somebody else is processing the event. If they fail, or die, the provider's next attempt is accepted.
    InFlight {
        /// The last millisecond of their lease.
        until: Moment,
    },
    /// The event has been processed.
    Done,
}

impl Claim {
    /// The HTTP status to answer the provider with at once: 503 when in flight, so that the provider tries
    /// again; 200 when done. `None` when fresh: then the answer depends on the processing
    /// ([`Commit::http_status`]).
    ///
    /// ```
    /// # use checkout_trust::replay::Claim;
    /// assert_eq!(Claim::Done.http_status(), Some(200));
    /// ```
    #[must_use]
    pub const fn http_status(&self) -> Option<u16> {
        match self {
            Self::Fresh(_) => None,
            Self::InFlight { .. } => Some(503),
            Self::Done => Some(200),
        }
    }
}

/// A claim that is held, to be committed or released, once: a ticket can be neither copied nor made.
///
/// A dropped ticket leaves the event claimed until the lease ends.
///
/// ```
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::replay::{Claim, Guard, Identity, Key, MemoryStore};
/// use std::time::Duration;
///
/// let at = checkout_kit::Moment::from_unix_millis;
/// let guard = Guard::new(MemoryStore::new(100_000));
/// let identity = Identity::new(Key::allscale_transaction("store-1", "tx_1", Duration::MAX));
/// let Claim::Fresh(ticket) = guard.claim(&identity, at(1_000))? else { unreachable!() };
/// assert_eq!(ticket.until(), at(61_000));
/// # Ok::<(), checkout_trust::replay::Full>(())
/// ```
#[derive(Debug)]
#[must_use = "a ticket is to be committed or released; dropped, it blocks its event until the lease ends"]
pub struct ClaimTicket {
    /// The keys still to be committed or released; the event's own key first.
    held: Vec<Hold>,
    until: Moment,
    /// A commit of the first key has held: the event is done.
    committed: bool,
    /// A release of some key was lost.
    lost: bool,
}

impl ClaimTicket {
    /// The last millisecond of the lease, by the claimer's own clock. A handler still at work after this
    /// moment must reckon with another that takes the event over.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use checkout_trust::replay::{Claim, Guard, Identity, Key, MemoryStore};
    /// # let at = checkout_lifecycle::Moment::from_unix_millis;
    /// # let guard = Guard::new(MemoryStore::new(100_000));
    /// # let identity = Identity::new(Key::allscale_transaction("store-1", "tx_1", Duration::MAX));
    /// let Claim::Fresh(ticket) = guard.claim(&identity, at(1_000))? else { unreachable!() };
    /// assert_eq!(ticket.until(), at(61_000));
    /// # Ok::<(), checkout_trust::replay::Full>(())
    /// ```
    #[must_use]
    pub const fn until(&self) -> Moment {
        self.until
    }

    /// The keys of the ticket and the number of each claim, in the order of the commit.
    ///
    /// Use this method to commit yourself, in the same transaction as the effects of the event: roll the
    /// transaction back when the first commit is [`Commit::Lost`].
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use checkout_trust::replay::{Claim, Commit, Guard, Identity, Key, MemoryStore, Store};
    /// # let at = checkout_lifecycle::Moment::from_unix_millis;
    /// # let guard = Guard::new(MemoryStore::new(100_000));
    /// # let identity = Identity::new(Key::allscale_transaction("store-1", "tx_1", Duration::MAX));
    /// let Claim::Fresh(ticket) = guard.claim(&identity, at(1_000))? else { unreachable!() };
    /// for (key, fence) in ticket.claims() {
    ///     assert_eq!(guard.store().commit(key, fence, at(2_000))?, Commit::Committed);
    /// }
    /// assert!(matches!(guard.claim(&identity, at(3_000))?, Claim::Done));
    /// # Ok::<(), checkout_trust::replay::Full>(())
    /// ```
    #[must_use]
    pub fn claims(&self) -> impl ExactSizeIterator<Item = (&Key, FencingToken)> {
        self.held.iter().map(|hold| (&hold.key, hold.fence))
    }

    fn new(mut held: Vec<Hold>, identity: &Identity, until: Moment) -> Self {
        held.sort_by_key(|hold| identity.keys().iter().position(|key| *key == hold.key));
        Self { held, until, committed: false, lost: false }
    }

    /// Records the result of the next key's commit; true if the event is lost by this result. Once the first
    /// key is committed nobody else can have the event, and the results of the other keys are not important.
    fn lost_by(&mut self, answer: Commit) -> bool {
        self.committed |= answer == Commit::Committed;
        !self.committed
    }

    fn gave_back_last(&mut self, answer: Release) {
        self.held.pop();
        self.lost |= answer == Release::Lost;
    }

    const fn released(&self) -> Release {
        if self.lost || self.committed { Release::Lost } else { Release::Released }
    }
}

/// The error of a store that failed in the middle of a commit or a release. The store may or may not have
/// done the step; to try again does no harm.
///
/// ```
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::Moment;
/// use checkout_kit::replay::{
///     Claim, Commit, FencingToken, Guard, Identity, Key, MemoryStore, Release, Slot, Store,
/// };
/// use std::time::Duration;
///
/// let at = checkout_kit::Moment::from_unix_millis;
/// /// Is down for the first commit.
/// struct Flaky(MemoryStore, std::cell::Cell<bool>);
///
/// impl Store for Flaky {
///     type Error = std::io::Error;
///     fn claim(&self, key: &Key, now: Moment, lease: Duration) -> Result<Slot, Self::Error> {
///         self.0.claim(key, now, lease).map_err(Self::Error::other)
///     }
///     fn commit(&self, key: &Key, fence: FencingToken, now: Moment) -> Result<Commit, Self::Error> {
///         if self.1.replace(false) {
///             return Err(std::io::ErrorKind::TimedOut.into());
///         }
///         self.0.commit(key, fence, now).map_err(Self::Error::other)
///     }
///     fn release(&self, key: &Key, fence: FencingToken) -> Result<Release, Self::Error> {
///         self.0.release(key, fence).map_err(Self::Error::other)
///     }
/// }
///
/// let guard = Guard::new(Flaky(MemoryStore::new(9), true.into()));
/// let identity = Identity::new(Key::allscale_transaction("store-1", "tx_1", Duration::MAX));
/// let Claim::Fresh(ticket) = guard.claim(&identity, at(1_000))? else { unreachable!() };
/// let unfinished = guard.commit(ticket, at(2_000)).unwrap_err();
/// assert_eq!(unfinished.error.kind(), std::io::ErrorKind::TimedOut);
/// assert_eq!(guard.commit(unfinished.ticket, at(2_500))?, Commit::Committed);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[error("the replay store failed")]
pub struct Unfinished<E> {
    /// The store's own error.
    #[source]
    pub error: E,
    /// The steps still to be done.
    pub ticket: ClaimTicket,
}

/// A key and the number of the key's claim.
#[derive(Clone, Copy, Debug)]
struct Hold {
    key: Key,
    fence: FencingToken,
}
