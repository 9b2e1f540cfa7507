//! The two store traits, and their forwarding implementations.

use std::fmt::{self, Display, Formatter};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use checkout_lifecycle::Moment;

use super::Key;

/// A store of claims. For programs that block.
///
/// Every operation is **one atomic step** on one key: any number of callers, in any number of processes, see
/// the store either before the step or after. A store that first looks and then writes is racy unless a lock
/// or a transaction holds the two together: a release that looks and then deletes frees the claim of somebody
/// who has taken over in between, and the event is processed twice. The suite in `replay::conformance` (a
/// feature) fails such a store.
///
/// The time is the caller's, and callers' clocks may disagree. A moment named "until" belongs to the time
/// before the moment: at that very millisecond a claim still holds, at the next the claim has ended. The sum
/// of a moment and a span is [`Moment::saturating_add`], which never overflows: the last moment of the range
/// is for ever. A database holds a moment as [`Moment::unix_millis`].
///
/// `&T`, [`Box<T>`](Box) and [`Arc<T>`](Arc) of a store are stores, and the trait is object safe.
///
/// # In a database
///
/// **An example**, for PostgreSQL. Each statement is one atomic step. `$key` is the key's text form;
/// `$lease_end` and `$kept_until` come from [`Moment::saturating_add`].
///
/// ```sql
/// CREATE SEQUENCE webhook_claim_fence;
/// CREATE TABLE webhook_claim (
///     key   varchar(92) PRIMARY KEY,
///     fence bigint  NOT NULL,
///     done  boolean NOT NULL,
///     until bigint  NOT NULL          -- Unix milliseconds; bigint's greatest value: for ever
/// );
/// CREATE INDEX ON webhook_claim (until);
///
/// -- claim: a row comes back exactly if it is fresh, or was held and its time has ended.
/// INSERT INTO webhook_claim AS held (key, fence, done, until)
///     VALUES ($key, nextval('webhook_claim_fence'), false, $lease_end)
///     ON CONFLICT (key) DO UPDATE
///         SET fence = excluded.fence, done = false, until = excluded.until
///         WHERE held.until < $now
///     RETURNING fence;
/// -- No row? Then this says who holds it. No row again: it was released in between; say InFlight until $now.
/// SELECT done, until FROM webhook_claim WHERE key = $key;
///
/// -- commit: a row comes back if it is committed, none if it is lost.
/// INSERT INTO webhook_claim AS held (key, fence, done, until)
///     VALUES ($key, $fence, true, $kept_until)
///     ON CONFLICT (key) DO UPDATE
///         SET done = true, until = greatest(held.until, excluded.until)
///         WHERE held.fence = excluded.fence
///     RETURNING fence;
///
/// -- release: one row is released, none is lost.
/// DELETE FROM webhook_claim WHERE key = $key AND fence = $fence AND NOT done;
///
/// -- From time to time:
/// DELETE FROM webhook_claim WHERE until < $now;
/// ```
///
/// The number comes from a sequence and not from a column that counts up: a release deletes the row of a
/// claim, and a number must not come back.
///
/// # Room
///
/// A table grows with the deliveries: one row for a key, until the key's time ends. A store **must not refuse
/// a genuine event because somebody else has sent a lot**, so:
///
/// - A table needs no limit of its own. A stranger can add only so much to the table: a key is made of signed
///   material, and one signed text makes few keys ([`Key::peach_text`](super::Key::peach_text) gives the
///   number).
/// - A table with a limit keeps one limit for each merchant and not one limit for all: a table, or a count,
///   for each.
/// - At the limit a store refuses the new key with the store's error, which the provider receives as 503, and
///   forgets no committed key. Or the store behaves as [`MemoryStore`](super::MemoryStore), which documents
///   whose keys make room.
///
/// ```
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::Moment;
/// use checkout_kit::replay::{Commit, Key, MemoryStore, Slot, Store};
/// use std::time::Duration;
///
/// fn twice<S: Store>(store: &S, key: &Key, now: Moment) -> Result<(Slot, Slot), S::Error> {
///     let lease = Duration::from_secs(60);
///     Ok((store.claim(key, now, lease)?, store.claim(key, now, lease)?))
/// }
///
/// let key = Key::allscale_transaction("store-1", "tx_1", Duration::MAX);
/// let store = MemoryStore::new(1_000);
/// let at = Moment::from_unix_millis;
/// let (first, second) = twice(&store, &key, at(1_000))?;
/// assert_eq!(second, Slot::InFlight { until: at(61_000) });
/// let Slot::Fresh(fence) = first else { unreachable!() };
/// assert_eq!(store.commit(&key, fence, at(2_000))?, Commit::Committed);
/// assert_eq!(store.claim(&key, at(3_000), Duration::from_secs(60))?, Slot::Done);
/// # Ok::<(), checkout_trust::replay::Full>(())
/// ```
pub trait Store {
    /// The error of a failed operation. Only the store knows if the operation was done.
    type Error;

    /// Takes `key` until `now` + `lease`, if nobody has the key: the key was never claimed, or released, or
    /// its claim or its retention has ended. Otherwise changes nothing and returns who has the key.
    ///
    /// A claim is not a commit: if nobody commits, the key is free again when the lease has ended, and this
    /// saves the event of a process that crashed. Every granted claim has a number that no other claim of the
    /// key ever had.
    ///
    /// # Errors
    /// The store's own error. A full store refuses, or makes room as the [trait](Self#room) describes.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use checkout_trust::replay::{Key, MemoryStore, Slot, Store};
    /// # let at = checkout_lifecycle::Moment::from_unix_millis;
    /// # let store = MemoryStore::new(9);
    /// # let key = Key::allscale_transaction("store-1", "tx_1", Duration::MAX);
    /// let lease = Duration::from_millis(100);
    /// assert!(matches!(store.claim(&key, at(1_000), lease)?, Slot::Fresh(_)));
    /// assert_eq!(store.claim(&key, at(1_100), lease)?, Slot::InFlight { until: at(1_100) });
    /// assert!(matches!(store.claim(&key, at(1_101), lease)?, Slot::Fresh(_)));
    /// # Ok::<(), checkout_trust::replay::Full>(())
    /// ```
    fn claim(&self, key: &Key, now: Moment, lease: Duration) -> Result<Slot, Self::Error>;

    /// Makes the claim with the number `fence` done, and remembers the key until `now` +
    /// [`key.retention()`](Key::retention) at least.
    ///
    /// A commit holds also when the lease has ended, as long as nobody has taken the key over: then the store
    /// has either kept the claim, or has forgotten the claim and notes the key anew. A repeated commit
    /// changes nothing but the retention and returns [`Commit::Committed`] again. If another claim holds the
    /// key, or another claim was committed, nothing changes: [`Commit::Lost`].
    ///
    /// # Errors
    /// The store's own error.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use checkout_trust::replay::{Commit, Key, MemoryStore, Slot, Store};
    /// # let at = checkout_lifecycle::Moment::from_unix_millis;
    /// # let store = MemoryStore::new(9);
    /// # let key = Key::allscale_transaction("store-1", "tx_1", Duration::MAX);
    /// # let lease = Duration::from_millis(100);
    /// let Slot::Fresh(slow) = store.claim(&key, at(1_000), lease)? else { unreachable!() };
    /// let Slot::Fresh(quick) = store.claim(&key, at(2_000), lease)? else { unreachable!() };
    /// assert_eq!(store.commit(&key, slow, at(2_000))?, Commit::Lost);
    /// assert_eq!(store.commit(&key, quick, at(2_000))?, Commit::Committed);
    /// # Ok::<(), checkout_trust::replay::Full>(())
    /// ```
    fn commit(&self, key: &Key, fence: FencingToken, now: Moment) -> Result<Commit, Self::Error>;

    /// Frees `key` at once, if the claim with the number `fence` holds the key and is not committed.
    /// Otherwise changes nothing: [`Release::Lost`].
    ///
    /// # Errors
    /// The store's own error.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use checkout_trust::replay::{Key, MemoryStore, Release, Slot, Store};
    /// # let at = checkout_lifecycle::Moment::from_unix_millis;
    /// # let store = MemoryStore::new(9);
    /// # let key = Key::allscale_transaction("store-1", "tx_1", Duration::MAX);
    /// # let lease = Duration::from_millis(100);
    /// let Slot::Fresh(fence) = store.claim(&key, at(1_000), lease)? else { unreachable!() };
    /// assert_eq!(store.release(&key, fence)?, Release::Released);
    /// assert!(matches!(store.claim(&key, at(1_000), lease)?, Slot::Fresh(_)));
    /// assert_eq!(store.release(&key, fence)?, Release::Lost);
    /// # Ok::<(), checkout_trust::replay::Full>(())
    /// ```
    fn release(&self, key: &Key, fence: FencingToken) -> Result<Release, Self::Error>;
}

/// A store of claims. For asynchronous programs whose futures move between threads.
///
/// This trait is [`Store`] with futures, under the same contract. `async fn` implements the trait, as long as
/// the futures are [`Send`]. A dropped future leaves open if its step was done; a claim left so ends with its
/// lease.
///
/// `&T`, [`Box<T>`](Box) and [`Arc<T>`](Arc) of a store are stores. A [`Store`] that never waits becomes an
/// `AsyncStore` by [`InPlace`].
///
/// ```
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::Moment;
/// use checkout_kit::replay::{
///     AsyncStore, Commit, FencingToken, Full, Key, MemoryStore, Release, Slot, Store,
/// };
/// use std::time::Duration;
/// # let at = checkout_lifecycle::Moment::from_unix_millis;
///
/// /// A store behind a network, so to speak.
/// struct Remote(MemoryStore);
///
/// impl AsyncStore for Remote {
///     type Error = Full;
///
///     async fn claim(&self, key: &Key, now: Moment, lease: Duration) -> Result<Slot, Full> {
///         Store::claim(&self.0, key, now, lease)
///     }
///     async fn commit(&self, key: &Key, fence: FencingToken, now: Moment) -> Result<Commit, Full> {
///         Store::commit(&self.0, key, fence, now)
///     }
///     async fn release(&self, key: &Key, fence: FencingToken) -> Result<Release, Full> {
///         Store::release(&self.0, key, fence)
///     }
/// }
///
/// # pollster::block_on(async {
/// let store = Remote(MemoryStore::new(1_000));
/// let key = Key::allscale_transaction("store-1", "tx_1", Duration::MAX);
/// assert!(matches!(store.claim(&key, at(1_000), Duration::from_secs(60)).await?, Slot::Fresh(_)));
/// # Ok::<(), Full>(())
/// # }).unwrap();
/// ```
pub trait AsyncStore: Send + Sync {
    /// The error of a failed operation. Only the store knows if the operation was done.
    type Error: Send;

    /// Takes `key`: see [`Store::claim`].
    ///
    /// # Errors
    /// The store's own error.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use checkout_trust::replay::{AsyncStore, InPlace, Key, MemoryStore, Slot};
    /// # let at = checkout_lifecycle::Moment::from_unix_millis;
    /// # let key = Key::allscale_transaction("store-1", "tx_1", Duration::MAX);
    /// # pollster::block_on(async {
    /// let store = InPlace(MemoryStore::new(1_000));
    /// assert!(matches!(store.claim(&key, at(1_000), Duration::from_secs(60)).await?, Slot::Fresh(_)));
    /// # Ok::<(), checkout_trust::replay::Full>(())
    /// # }).unwrap();
    /// ```
    fn claim(
        &self,
        key: &Key,
        now: Moment,
        lease: Duration,
    ) -> impl Future<Output = Result<Slot, Self::Error>> + Send;

    /// Makes a claim done: see [`Store::commit`].
    ///
    /// # Errors
    /// The store's own error.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use checkout_trust::replay::{AsyncStore, Commit, InPlace, Key, MemoryStore, Slot};
    /// # let at = checkout_lifecycle::Moment::from_unix_millis;
    /// # let key = Key::allscale_transaction("store-1", "tx_1", Duration::MAX);
    /// # pollster::block_on(async {
    /// # let store = InPlace(MemoryStore::new(1_000));
    /// # let lease = Duration::from_secs(60);
    /// let Slot::Fresh(fence) = store.claim(&key, at(1_000), lease).await? else { unreachable!() };
    /// assert_eq!(store.commit(&key, fence, at(1_500)).await?, Commit::Committed);
    /// # Ok::<(), checkout_trust::replay::Full>(())
    /// # }).unwrap();
    /// ```
    fn commit(
        &self,
        key: &Key,
        fence: FencingToken,
        now: Moment,
    ) -> impl Future<Output = Result<Commit, Self::Error>> + Send;

    /// Frees a key: see [`Store::release`].
    ///
    /// # Errors
    /// The store's own error.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use checkout_trust::replay::{AsyncStore, InPlace, Key, MemoryStore, Release, Slot};
    /// # let at = checkout_lifecycle::Moment::from_unix_millis;
    /// # let key = Key::allscale_transaction("store-1", "tx_1", Duration::MAX);
    /// # pollster::block_on(async {
    /// # let store = InPlace(MemoryStore::new(1_000));
    /// # let lease = Duration::from_secs(60);
    /// let Slot::Fresh(fence) = store.claim(&key, at(1_000), lease).await? else { unreachable!() };
    /// assert_eq!(store.release(&key, fence).await?, Release::Released);
    /// # Ok::<(), checkout_trust::replay::Full>(())
    /// # }).unwrap();
    /// ```
    fn release(
        &self,
        key: &Key,
        fence: FencingToken,
    ) -> impl Future<Output = Result<Release, Self::Error>> + Send;
}

/// A store's answer to a claim of one key.
///
/// ```
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::replay::{FencingToken, Slot};
///
/// assert_ne!(Slot::Fresh(FencingToken::new(1)), Slot::Done);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// The key is yours, under this number, until the lease ends.
    Fresh(FencingToken),
    /// Somebody else has the key.
    InFlight {
        /// The last millisecond of their lease.
        until: Moment,
    },
    /// The key was committed, and its retention has not ended.
    Done,
}

/// The number of a claim, by which a store tells the claim that holds a key from a claim that has lost the
/// key.
///
/// ```
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::replay::FencingToken;
///
/// assert_eq!(FencingToken::new(7).number(), 7);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FencingToken(i64);

impl FencingToken {
    /// Wraps a number that a store has given. For authors of a store.
    ///
    /// ```
    /// # use checkout_trust::replay::FencingToken;
    /// assert!(FencingToken::new(1) < FencingToken::new(2));
    /// ```
    #[must_use]
    pub const fn new(number: i64) -> Self {
        Self(number)
    }

    /// Returns the number, which a database's `bigint` holds.
    ///
    /// ```
    /// # use checkout_trust::replay::FencingToken;
    /// assert_eq!(FencingToken::new(i64::MAX).number(), i64::MAX);
    /// ```
    #[must_use]
    pub const fn number(self) -> i64 {
        self.0
    }
}

impl Display for FencingToken {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Display::fmt(&self.0, f)
    }
}

/// The result of a commit.
///
/// ```
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::replay::Commit;
///
/// assert_eq!(Commit::Committed.http_status(), 200);
/// assert_eq!(Commit::Lost.http_status(), 503);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a commit that is lost has not been made"]
pub enum Commit {
    /// The event is done: every later claim returns so.
    Committed,
    /// The lease had ended and somebody else took the event over. The other claim counts, and nothing was
    /// changed.
    Lost,
}

impl Commit {
    /// The HTTP status to answer the provider with: 200 when committed, 503 when lost. The lost event then
    /// comes once more, and gets the result of the other claim.
    ///
    /// ```
    /// # use checkout_trust::replay::Commit;
    /// assert_eq!(Commit::Committed.http_status(), 200);
    /// ```
    #[must_use]
    pub const fn http_status(self) -> u16 {
        match self {
            Self::Committed => 200,
            Self::Lost => 503,
        }
    }
}

/// The result of a release.
///
/// ```
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::replay::Release;
///
/// assert_ne!(Release::Released, Release::Lost);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// The event is free: the next claim of the event is fresh.
    Released,
    /// There was nothing to release: the lease had ended and the claim is forgotten or somebody else's, or
    /// the claim was committed. Nothing was changed.
    Lost,
}

/// A blocking store as an [`AsyncStore`]: every operation is done at once, on the thread that polls.
///
/// **Sound only for a store that never waits**: [`MemoryStore`](super::MemoryStore), which holds a lock for
/// the time of a look-up. A store that waits for a disk or a network stops the thread, and all other tasks on
/// the thread; hand such a store's operations to your runtime's threads for blocking work, and implement
/// [`AsyncStore`] yourself. This is why the type must be written out, and a [`Store`] is not an
/// [`AsyncStore`] by itself.
///
/// ```
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::replay::{Claim, Guard, Identity, InPlace, Key, MemoryStore};
/// use std::time::Duration;
///
/// let at = checkout_kit::Moment::from_unix_millis;
/// # pollster::block_on(async {
/// let guard = Guard::new(InPlace(MemoryStore::new(1_000)));
/// let identity = Identity::new(Key::allscale_transaction("store-1", "tx_1", Duration::MAX));
/// assert!(matches!(guard.claim_async(&identity, at(1_000)).await?, Claim::Fresh(_)));
/// # Ok::<(), checkout_trust::replay::Full>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct InPlace<S>(
    /// The store.
    pub S,
);

impl<S: Store<Error: Send> + Send + Sync> AsyncStore for InPlace<S> {
    type Error = S::Error;

    async fn claim(&self, key: &Key, now: Moment, lease: Duration) -> Result<Slot, S::Error> {
        self.0.claim(key, now, lease)
    }

    async fn commit(&self, key: &Key, fence: FencingToken, now: Moment) -> Result<Commit, S::Error> {
        self.0.commit(key, fence, now)
    }

    async fn release(&self, key: &Key, fence: FencingToken) -> Result<Release, S::Error> {
        self.0.release(key, fence)
    }
}

macro_rules! forward {
    ($($pointer:ty),+) => {$(
        impl<T: Store + ?Sized> Store for $pointer {
            type Error = T::Error;

            fn claim(&self, key: &Key, now: Moment, lease: Duration) -> Result<Slot, T::Error> {
                T::claim(self, key, now, lease)
            }

            fn commit(&self, key: &Key, fence: FencingToken, now: Moment) -> Result<Commit, T::Error> {
                T::commit(self, key, fence, now)
            }

            fn release(&self, key: &Key, fence: FencingToken) -> Result<Release, T::Error> {
                T::release(self, key, fence)
            }
        }

        impl<T: AsyncStore + ?Sized> AsyncStore for $pointer
        where
            Self: Send + Sync,
        {
            type Error = T::Error;

            fn claim(
                &self,
                key: &Key,
                now: Moment,
                lease: Duration,
            ) -> impl Future<Output = Result<Slot, T::Error>> + Send {
                T::claim(self, key, now, lease)
            }

            fn commit(
                &self,
                key: &Key,
                fence: FencingToken,
                now: Moment,
            ) -> impl Future<Output = Result<Commit, T::Error>> + Send {
                T::commit(self, key, fence, now)
            }

            fn release(
                &self,
                key: &Key,
                fence: FencingToken,
            ) -> impl Future<Output = Result<Release, T::Error>> + Send {
                T::release(self, key, fence)
            }
        }
    )+};
}

forward!(&T, Box<T>, Arc<T>);
