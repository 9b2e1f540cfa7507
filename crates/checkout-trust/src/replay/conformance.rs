//! The suite that tests a store of your own: the promises of [`Store`], law by law.
//!
//! A test in your own crate is one line; the feature `conformance` is for its `[dev-dependencies]`:
//!
//! ```
//! # checkout_doctest::facade!(trust);
//! use checkout_kit::replay::{MemoryStore, conformance};
//!
//! conformance::check_store(|| MemoryStore::new(500))?;
//! # Ok::<(), conformance::Broken>(())
//! ```
//!
//! The suite passes times of its own to a store, and starts at arbitrary values: a store that asks a clock in
//! place of the argument fails.
//!
//! Three kinds of laws follow each other. Some are of one caller. The laws of a crowd start [`CROWD`] threads
//! at once. The laws of two callers ([`Law::CommitOrTakeover`], [`Law::ReleaseSparesTakeover`],
//! [`Law::ReleaseSparesCommit`], [`Law::ClaimSparesCommit`]) hold one operation open: a slow caller begins,
//! and another steps in after a part of the time that the operation takes alone, which the suite measures. A
//! store that looks, waits for its network and then writes fails these laws however long the network takes.
//! The futures of an asynchronous store are also run on one thread, step by step, where nothing is luck.
//!
//! A gap of some nanoseconds can still escape. No run proves that a store is right: a store is right because
//! each operation is one atomic step of the store's own foundation.
//!
//! **Several processes.** A store whose numbers come from the memory of one process is wrong only beside
//! another process, and so is a store that keeps answers in a cache. Give the suite a store that passes its
//! calls to two handles of the same storage by turns, and the suite finds both.
//!
//! **How long.** The suite takes about two seconds for a store in memory, and about eight for a store whose
//! operations take five milliseconds each.

mod duel;

use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use checkout_lifecycle::Moment;

use super::{AsyncStore, Commit, FencingToken, Key, Release, Scheme, Slot, Store};

/// The number of threads, or futures, that claim at once.
///
/// ```
/// # checkout_doctest::facade!(trust);
/// assert_eq!(checkout_kit::replay::conformance::CROWD, 64);
/// ```
pub const CROWD: usize = 64;

/// The number of further keys that [`Law::NothingIsForgottenForRoom`] brings in. Give a bounded store a lower
/// bound than this number, and 100 or more for the other laws.
///
/// ```
/// # checkout_doctest::facade!(trust);
/// assert_eq!(checkout_kit::replay::conformance::OTHERS, 1_000);
/// ```
pub const OTHERS: usize = 1_000;

/// The scheme of the keys that a crowd claims, and of no others.
///
/// ```
/// # checkout_doctest::facade!(trust);
/// assert_eq!(checkout_kit::replay::conformance::CROWD_SCHEME.name(), "conformance-crowd");
/// ```
pub const CROWD_SCHEME: Scheme = Scheme("conformance-crowd");

/// Checks every law of [`Law::ALL`] on stores that `make` makes: each store new and empty, and several for
/// one law.
///
/// # Errors
/// The first law that does not hold, and the observation.
///
/// ```
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::Moment;
/// use checkout_kit::replay::conformance::{Law, check_store};
/// use checkout_kit::replay::{Commit, FencingToken, Key, Release, Slot, Store};
/// use std::sync::Mutex;
/// use std::time::Duration;
///
/// /// What is often written: the key is set before the event is processed.
/// struct SetBefore(Mutex<Vec<Key>>);
///
/// impl Store for SetBefore {
///     type Error = std::convert::Infallible;
///     fn claim(&self, key: &Key, _now: Moment, _lease: Duration) -> Result<Slot, Self::Error> {
///         let mut seen = self.0.lock().unwrap();
///         if seen.contains(key) {
///             return Ok(Slot::Done);
///         }
///         seen.push(*key);
///         Ok(Slot::Fresh(FencingToken::new(0)))
///     }
///     fn commit(&self, _key: &Key, _fence: FencingToken, _now: Moment) -> Result<Commit, Self::Error> {
///         Ok(Commit::Committed)
///     }
///     fn release(&self, _key: &Key, _fence: FencingToken) -> Result<Release, Self::Error> {
///         Ok(Release::Lost)
///     }
/// }
///
/// let broken = check_store(|| SetBefore(Mutex::default())).unwrap_err();
/// assert_eq!(broken.law(), Law::ClaimIsNoCommit);
/// assert_eq!(
///     broken.to_string(),
///     "a claim is no commit: of a key that is claimed and not committed, a claim said done, not in flight",
/// );
/// ```
pub fn check_store<S: Store<Error: Display> + Sync>(make: impl Fn() -> S) -> Result<(), Broken> {
    Law::ALL.into_iter().try_for_each(|law| check_law(law, &make))
}

/// Checks one law of [`Law::ALL`]. The laws of [`Law::OF_FUTURES`] do not apply to a blocking store, and
/// hold.
///
/// # Errors
/// That law, if the law does not hold, and the observation.
///
/// ```
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::replay::MemoryStore;
/// use checkout_kit::replay::conformance::{Law, check_law};
///
/// check_law(Law::LateCommitIsLost, || MemoryStore::new(500))?;
/// # Ok::<(), checkout_trust::replay::conformance::Broken>(())
/// ```
pub fn check_law<S: Store<Error: Display> + Sync>(law: Law, make: impl Fn() -> S) -> Result<(), Broken> {
    let trial = || Trial { law, store: make() };
    match law {
        Law::FirstClaimIsFresh => first_claim_is_fresh(&trial()),
        Law::ClaimIsNoCommit => claim_is_no_commit(&trial()),
        Law::ClaimHoldsForItsLease => claim_holds_for_its_lease(&trial()),
        Law::CommitIsRemembered => commit_is_remembered(&trial()),
        Law::CommitOutlivesTheLease => commit_outlives_the_lease(&trial()),
        Law::CommitCanBeRepeated => commit_can_be_repeated(&trial()),
        Law::ReleaseFrees => release_frees(&trial()),
        Law::LateCommitIsLost => late_commit_is_lost(&trial()),
        Law::LateReleaseIsLost => late_release_is_lost(&trial()),
        Law::NumbersNeverComeBack => numbers_never_come_back(&trial()),
        Law::KeysAreIndependent => keys_are_independent(&trial()),
        Law::ClocksMayDisagree => clocks_may_disagree(&trial()),
        Law::AnyTimeIsATime => [i64::MIN, -1, 0, i64::MAX - 1, i64::MAX]
            .into_iter()
            .try_for_each(|now| any_time_is_a_time(&trial(), now)),
        Law::NothingIsForgottenForRoom => nothing_is_forgotten_for_room(&trial()),
        Law::OneOfManyIsFresh => one_of_many_is_fresh(&trial()),
        Law::OneOfManyTakesOver => one_of_many_takes_over(&trial()),
        Law::ManyHearOfACommit => many_hear_of_a_commit(&trial()),
        Law::CommitOrTakeover => {
            duel::check(law, trial)?;
            commit_or_takeover(&trial())
        }
        Law::ReleaseSparesTakeover | Law::ReleaseSparesCommit | Law::ClaimSparesCommit => {
            duel::check(law, trial)
        }
        Law::OneAtATime => one_at_a_time(&trial()),
        Law::ManyKeysAtOnce => many_keys_at_once(&trial()),
        Law::OneOfManyFuturesIsFresh
        | Law::DroppedClaimEnds
        | Law::DroppedCommitCanBeRepeated
        | Law::DroppedReleaseCanBeRepeated => Ok(()),
    }
}

/// Checks every law of [`Law::ALL`] and of [`Law::OF_FUTURES`] on stores that `make` makes: each store new
/// and empty, and several for one law.
///
/// `block_on` runs a future to its end on the calling thread. [`CROWD`] threads call `block_on` at once. If
/// stores need a runtime, pass the `block_on` of a handle to the runtime. The suite itself blocks: call the
/// suite from outside the runtime.
///
/// # Errors
/// The first law that does not hold, and the observation.
///
/// ```
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::replay::{InPlace, MemoryStore, conformance};
///
/// conformance::check_async_store(|| InPlace(MemoryStore::new(500)), |future| pollster::block_on(future))?;
/// # Ok::<(), conformance::Broken>(())
/// ```
pub fn check_async_store<S: AsyncStore<Error: Display>>(
    make: impl Fn() -> S,
    block_on: impl for<'f> Fn(Task<'f>) + Sync,
) -> Result<(), Broken> {
    Law::ALL.into_iter().chain(Law::OF_FUTURES).try_for_each(|law| check_async_law(law, &make, &block_on))
}

/// Checks one law on an asynchronous store: see [`check_async_store`].
///
/// # Errors
/// That law, if the law does not hold, and the observation.
///
/// ```
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::replay::conformance::{Law, check_async_law};
/// use checkout_kit::replay::{InPlace, MemoryStore};
///
/// let make = || InPlace(MemoryStore::new(500));
/// check_async_law(Law::DroppedClaimEnds, make, |future| pollster::block_on(future))?;
/// # Ok::<(), checkout_trust::replay::conformance::Broken>(())
/// ```
pub fn check_async_law<S: AsyncStore<Error: Display>>(
    law: Law,
    make: impl Fn() -> S,
    block_on: impl for<'f> Fn(Task<'f>) + Sync,
) -> Result<(), Broken> {
    let waiting = || Waiting { store: make(), block_on: &block_on };
    let trial = || Trial { law, store: waiting() };
    match law {
        Law::OneOfManyFuturesIsFresh => one_of_many_futures_is_fresh(&trial()),
        Law::DroppedClaimEnds => dropped_claim_ends(&trial()),
        Law::DroppedCommitCanBeRepeated => dropped_commit_can_be_repeated(&trial()),
        Law::DroppedReleaseCanBeRepeated => dropped_release_can_be_repeated(&trial()),
        Law::CommitOrTakeover
        | Law::ReleaseSparesTakeover
        | Law::ReleaseSparesCommit
        | Law::ClaimSparesCommit => {
            duel::check_by_steps(law, trial)?;
            check_law(law, waiting)
        }
        Law::FirstClaimIsFresh
        | Law::ClaimIsNoCommit
        | Law::ClaimHoldsForItsLease
        | Law::CommitIsRemembered
        | Law::CommitOutlivesTheLease
        | Law::CommitCanBeRepeated
        | Law::ReleaseFrees
        | Law::LateCommitIsLost
        | Law::LateReleaseIsLost
        | Law::NumbersNeverComeBack
        | Law::KeysAreIndependent
        | Law::ClocksMayDisagree
        | Law::AnyTimeIsATime
        | Law::NothingIsForgottenForRoom
        | Law::OneOfManyIsFresh
        | Law::OneOfManyTakesOver
        | Law::ManyHearOfACommit
        | Law::OneAtATime
        | Law::ManyKeysAtOnce => check_law(law, waiting),
    }
}

/// A future of the suite, for `block_on` to run to its end.
///
/// ```
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::replay::conformance::Task;
///
/// fn block_on(task: Task<'_>) {
///     pollster::block_on(task);
/// }
///
/// block_on(Box::pin(async {}));
/// ```
pub type Task<'f> = Pin<Box<dyn Future<Output = ()> + Send + 'f>>;

/// A law that the suite checks.
///
/// ```
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::replay::conformance::Law;
///
/// assert_eq!(Law::LateCommitIsLost.to_string(), "a commit after a takeover is lost");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, strum::Display, strum::VariantArray)]
#[non_exhaustive]
pub enum Law {
    /// The first claim of a key is fresh.
    #[strum(to_string = "the first claim is fresh")]
    FirstClaimIsFresh,
    /// A key that is claimed and not committed is in flight, then free again, and never done: the event of a
    /// process that died is not lost.
    #[strum(to_string = "a claim is no commit")]
    ClaimIsNoCommit,
    /// A claim holds for its lease, the last millisecond included, and not longer; a claim of a held key is
    /// answered with the end of the lease.
    #[strum(to_string = "a claim holds for its lease")]
    ClaimHoldsForItsLease,
    /// A committed key is done from the commit on for its retention, the last millisecond included, whatever
    /// else ends meanwhile.
    #[strum(to_string = "a commit is remembered")]
    CommitIsRemembered,
    /// A commit holds when the lease has ended and nobody has taken the key over.
    #[strum(to_string = "a commit holds after the lease if nobody took over")]
    CommitOutlivesTheLease,
    /// A second commit of the same claim is committed too, never shortens the time that the key is done, and
    /// a release after the second commit is lost.
    #[strum(to_string = "a commit can be repeated")]
    CommitCanBeRepeated,
    /// A released key is free at once.
    #[strum(to_string = "a release frees")]
    ReleaseFrees,
    /// A claim that another has taken over cannot commit, before the other's commit or after, and does not
    /// hide the other's commit.
    #[strum(to_string = "a commit after a takeover is lost")]
    LateCommitIsLost,
    /// A claim that another has taken over, or that was committed, cannot release.
    #[strum(to_string = "a release after a takeover is lost")]
    LateReleaseIsLost,
    /// No two claims of a key have the same number, also if the key was released, or its lease ended, in
    /// between.
    #[strum(to_string = "numbers never come back")]
    NumbersNeverComeBack,
    /// An operation on one key changes no other key: of another owner, another scheme, other parts, or with a
    /// digest of the same first six or last seven bytes. The retention is not part of a key.
    #[strum(to_string = "keys are independent")]
    KeysAreIndependent,
    /// A caller whose clock is behind finds the entries that a caller whose clock is ahead has written.
    #[strum(to_string = "clocks may disagree")]
    ClocksMayDisagree,
    /// Every time can be a time, and every span a span: sums do not overflow.
    #[strum(to_string = "any time is a time")]
    AnyTimeIsATime,
    /// When many keys come in, none of the others is dropped to make room. A store may refuse a new key with
    /// an error.
    #[strum(to_string = "nothing is forgotten for room")]
    NothingIsForgottenForRoom,
    /// In a crowd that claims a key, one claim is fresh, the others are in flight.
    #[strum(to_string = "one of many claims is fresh")]
    OneOfManyIsFresh,
    /// In a crowd that claims a key whose lease has ended, one claim is fresh, the others are in flight.
    #[strum(to_string = "one of many takes over")]
    OneOfManyTakesOver,
    /// After a commit every claim of a crowd is done, and nobody's late commit or release changes this.
    #[strum(to_string = "many hear of a commit")]
    ManyHearOfACommit,
    /// When the holder of an ended lease commits while others take over, either the commit holds and all
    /// claims are done, or the commit is lost and one claim is fresh. So also when the commit begins first
    /// and is slow, or the takeover is slow.
    #[strum(to_string = "a commit and a takeover exclude each other")]
    CommitOrTakeover,
    /// When the holder of an ended lease releases while another takes over, the takeover is fresh and holds,
    /// in whatever order the two begin, and with either slow. So also when a release is sent twice: the
    /// second release does not free the claim that the first release has made room for.
    #[strum(to_string = "a release spares a takeover")]
    ReleaseSparesTakeover,
    /// When a claim is committed and released at the same time, whichever is slow, a commit that returns
    /// committed is remembered.
    #[strum(to_string = "a release spares a commit")]
    ReleaseSparesCommit,
    /// When a key is committed while another claims the key, whichever is slow, the commit is remembered and
    /// the other's claim is not fresh: for a key in its lease, for a free key, and for a key whose lease has
    /// ended.
    #[strum(to_string = "a claim spares a commit")]
    ClaimSparesCommit,
    /// A crowd that claims and releases never has two claims at the same time.
    #[strum(to_string = "one claim at a time")]
    OneAtATime,
    /// Each of a crowd that claims, commits and releases a key of its own finds the key as left by the last
    /// act.
    #[strum(to_string = "many keys at once are all kept")]
    ManyKeysAtOnce,
    /// Among many futures that claim a key by turns on one thread, one claim is fresh.
    #[strum(to_string = "one of many futures is fresh")]
    OneOfManyFuturesIsFresh,
    /// A claim whose future was dropped half way ends with its lease.
    #[strum(to_string = "a dropped claim ends")]
    DroppedClaimEnds,
    /// A commit whose future was dropped half way leaves the key claimed or done, and can be repeated.
    #[strum(to_string = "a dropped commit can be repeated")]
    DroppedCommitCanBeRepeated,
    /// A release whose future was dropped half way can be repeated, and the key is free then.
    #[strum(to_string = "a dropped release can be repeated")]
    DroppedReleaseCanBeRepeated,
}

impl Law {
    /// The laws of every store, in the order of the checks.
    ///
    /// ```
    /// # use checkout_trust::replay::conformance::Law;
    /// assert_eq!(Law::ALL[0], Law::FirstClaimIsFresh);
    /// ```
    pub const ALL: [Self; 23] = [
        Self::FirstClaimIsFresh,
        Self::ClaimIsNoCommit,
        Self::ClaimHoldsForItsLease,
        Self::CommitIsRemembered,
        Self::CommitOutlivesTheLease,
        Self::CommitCanBeRepeated,
        Self::ReleaseFrees,
        Self::LateCommitIsLost,
        Self::LateReleaseIsLost,
        Self::NumbersNeverComeBack,
        Self::KeysAreIndependent,
        Self::ClocksMayDisagree,
        Self::AnyTimeIsATime,
        Self::NothingIsForgottenForRoom,
        Self::OneOfManyIsFresh,
        Self::OneOfManyTakesOver,
        Self::ManyHearOfACommit,
        Self::CommitOrTakeover,
        Self::ReleaseSparesTakeover,
        Self::ReleaseSparesCommit,
        Self::ClaimSparesCommit,
        Self::OneAtATime,
        Self::ManyKeysAtOnce,
    ];

    /// The further laws of an asynchronous store.
    ///
    /// ```
    /// # use checkout_trust::replay::conformance::Law;
    /// assert_eq!(Law::OF_FUTURES[1], Law::DroppedClaimEnds);
    /// ```
    pub const OF_FUTURES: [Self; 4] = [
        Self::OneOfManyFuturesIsFresh,
        Self::DroppedClaimEnds,
        Self::DroppedCommitCanBeRepeated,
        Self::DroppedReleaseCanBeRepeated,
    ];
}

/// A law that does not hold, and the observation.
///
/// ```
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::replay::MemoryStore;
/// use checkout_kit::replay::conformance::{Law, check_store};
///
/// let broken = check_store(|| MemoryStore::new(0)).unwrap_err();
/// assert_eq!(broken.law(), Law::FirstClaimIsFresh);
/// assert_eq!(
///     broken.to_string(),
///     "the first claim is fresh: the store failed: \
///      the replay store is full: all 0 of its entries are still needed",
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{law}: {seen}")]
pub struct Broken {
    law: Law,
    seen: String,
}

impl Broken {
    /// The law.
    ///
    /// ```
    /// # use checkout_trust::replay::MemoryStore;
    /// # use checkout_trust::replay::conformance::{Law, check_store};
    /// assert_eq!(check_store(|| MemoryStore::new(0)).unwrap_err().law(), Law::FirstClaimIsFresh);
    /// ```
    #[must_use]
    pub const fn law(&self) -> Law {
        self.law
    }
}

fn first_claim_is_fresh<S: Store<Error: Display>>(trial: &Trial<S>) -> Result<(), Broken> {
    trial.fresh("a new key", &key("a"), START).map(drop)
}

fn claim_is_no_commit<S: Store<Error: Display>>(trial: &Trial<S>) -> Result<(), Broken> {
    let key = key("a");
    trial.fresh("a new key", &key, START)?;
    trial.in_flight("a key that is claimed and not committed", &key, START, LEASE_END)?;
    trial.fresh("a key whose lease has ended, not committed", &key, LEASE_END + 1).map(drop)
}

fn claim_holds_for_its_lease<S: Store<Error: Display>>(trial: &Trial<S>) -> Result<(), Broken> {
    // Across the beginning of the time that Unix counts, and then in 2024.
    for (name, start) in [("a", -LEASE_MILLIS / 2), ("b", START)] {
        let (key, end) = (key(name), start + LEASE_MILLIS);
        trial.fresh("a new key", &key, start)?;
        trial.in_flight("a key in the middle of its lease", &key, start + 50, end)?;
        trial.in_flight("a key in the last millisecond of its lease", &key, end, end)?;
        trial.fresh("a key one millisecond after its lease", &key, end + 1)?;
        let second_end = end + 1 + LEASE_MILLIS;
        trial.in_flight("a key in the lease of its second claim", &key, second_end, second_end)?;
    }
    let mut now = START + 10 * LEASE_MILLIS;
    for lease in [Duration::ZERO, LONG_LEASE] {
        let (key, end) = (key(&format!("{lease:?}")), at(now).saturating_add(lease).unix_millis());
        let claim =
            trial.store.claim(&key, at(now), lease).or_else(|error| trial.failed(&error.to_string()))?;
        if !matches!(claim, Slot::Fresh(_)) {
            return trial.broken(format!("of a new key, a claim said {}, not fresh", Said(claim)));
        }
        trial.in_flight("a key at the beginning of its lease", &key, now, end)?;
        trial.in_flight("a key in the last millisecond of its lease", &key, end, end)?;
        trial.fresh("a key one millisecond after its lease", &key, end + 1)?;
        now = end + 1;
    }
    Ok(())
}

fn commit_is_remembered<S: Store<Error: Display>>(trial: &Trial<S>) -> Result<(), Broken> {
    let (long, short) = (key("a"), retained("b", 10));
    let (for_ever, shorter_than_lease) = (retained("c", i64::MAX), retained("d", 0));
    let committed_at = START + 90;
    for key in [&long, &short, &for_ever, &shorter_than_lease] {
        let fence = trial.fresh("a new key", key, START)?;
        trial.commits("a claim in its lease", key, fence, committed_at)?;
    }
    trial.done("a key at the time of its commit", &shorter_than_lease, committed_at)?;
    trial.done("a key in the last millisecond of its retention", &short, committed_at + 10)?;
    // Others come and end meanwhile; a store may drop them, and nothing else.
    for step in 0..OTHERS_THAT_END {
        let other = retained(&format!("other {step}"), 1);
        let now = committed_at + 11 + step;
        let fence = trial.fresh("a new key", &other, now)?;
        trial.commits("a claim in its lease", &other, fence, now)?;
        trial.done("a key that has retention left, while others end", &long, now)?;
    }
    trial.done("a key in the last millisecond of its retention", &long, committed_at + RETENTION_MILLIS)?;
    let mut now = committed_at + RETENTION_MILLIS + 1;
    for days in LONG_RETENTIONS_DAYS {
        let key = retained(&format!("{days} days"), days * DAY_MILLIS);
        let fence = trial.fresh("a new key", &key, now)?;
        trial.commits("a claim in its lease", &key, fence, now)?;
        now += days * DAY_MILLIS;
        trial.done(&format!("a key in the last millisecond of its {days} days"), &key, now)?;
        trial.done("a key that is kept for ever", &for_ever, now)?;
    }
    Ok(())
}

fn commit_outlives_the_lease<S: Store<Error: Display>>(trial: &Trial<S>) -> Result<(), Broken> {
    let key = key("a");
    let fence = trial.fresh("a new key", &key, START)?;
    // Other callers, in whose calls a store may drop ended entries.
    for other in 0..4 {
        trial.fresh("a new key", &self::key(&format!("other {other}")), LEASE_END + 50)?;
    }
    trial.commits("a claim whose lease has ended and that nobody took over", &key, fence, LEASE_END + 50)?;
    trial.done("a key that was committed after its lease", &key, LEASE_END + 60)
}

fn commit_can_be_repeated<S: Store<Error: Display>>(trial: &Trial<S>) -> Result<(), Broken> {
    let (key, shorter) = (key("a"), retained("a", 10));
    let fence = trial.fresh("a new key", &key, START)?;
    trial.commits("a claim in its lease", &key, fence, START + 50)?;
    trial.commits("a claim that is committed already", &key, fence, START + 60)?;
    trial.commits("a claim that is committed already, by a clock behind", &key, fence, START + 10)?;
    trial.commits("a claim that is committed already, for a shorter time", &shorter, fence, START + 60)?;
    trial.not_released("a claim that is committed already", &key, fence)?;
    trial.done("a committed key", &key, START + 60)?;
    let end = START + 60 + RETENTION_MILLIS;
    trial.done("a key in the last millisecond of its retention after the latest of its commits", &key, end)
}

fn release_frees<S: Store<Error: Display>>(trial: &Trial<S>) -> Result<(), Broken> {
    let key = key("a");
    let first = trial.fresh("a new key", &key, START)?;
    // Twice: a store of two handles receives the claim through both, and must not keep the answer in either.
    trial.in_flight("a claimed key", &key, START, LEASE_END)?;
    trial.in_flight("a claimed key", &key, START, LEASE_END)?;
    trial.releases("a claim in its lease", &key, first)?;
    let second = trial.fresh("a released key", &key, START)?;
    trial.not_committed("a claim that was released, while another holds the key", &key, first, START)?;
    trial.not_released("a claim that was released, while another holds the key", &key, first)?;
    trial.in_flight("a key that was claimed again after a release", &key, START, LEASE_END)?;
    trial.commits("a claim in its lease", &key, second, START)?;
    trial.done("a committed key", &key, START)
}

fn late_commit_is_lost<S: Store<Error: Display>>(trial: &Trial<S>) -> Result<(), Broken> {
    let (key, now) = (key("a"), LEASE_END + 1);
    let late = trial.fresh("a new key", &key, START)?;
    let holder = trial.fresh("a key whose lease has ended", &key, now)?;
    trial.not_committed("a claim that another has taken over", &key, late, now)?;
    trial.in_flight("a key after the late commit of another claim", &key, now, now + LEASE_MILLIS)?;
    trial.commits("a claim in its lease, after the late commit of another", &key, holder, now)?;
    trial.not_committed("a claim that another has taken over and committed", &key, late, now)?;
    trial.done("a committed key", &key, now)?;

    // The other gives the key back, and the late caller may have the key. Then the other is late.
    let (key, start) = (self::key("b"), now + LEASE_MILLIS + 1);
    let now = start + LEASE_MILLIS + 1;
    let late = trial.fresh("a new key", &key, start)?;
    let other = trial.fresh("a key whose lease has ended", &key, now)?;
    trial.releases("a claim in its lease", &key, other)?;
    trial.commits("a claim whose lease has ended and that nobody holds any more", &key, late, now)?;
    trial.not_committed("a claim that was released, an older one being committed", &key, other, now)?;
    trial.not_released("a claim that was released, an older one being committed", &key, other)?;
    trial.done("a committed key", &key, now)
}

fn late_release_is_lost<S: Store<Error: Display>>(trial: &Trial<S>) -> Result<(), Broken> {
    let (key, now) = (key("a"), LEASE_END + 1);
    let late = trial.fresh("a new key", &key, START)?;
    let holder = trial.fresh("a key whose lease has ended", &key, now)?;
    trial.not_released("a claim that another has taken over", &key, late)?;
    trial.in_flight("a key after the late release of another claim", &key, now, now + LEASE_MILLIS)?;
    trial.commits("a claim in its lease, after the late release of another", &key, holder, now)?;
    trial.not_released("a claim that another has taken over and committed", &key, late)?;
    trial.done("a committed key", &key, now)
}

fn numbers_never_come_back<S: Store<Error: Display>>(trial: &Trial<S>) -> Result<(), Broken> {
    let (key, other, mut now) = (key("a"), self::key("other"), START);
    let (mut given, began) = (BTreeSet::new(), Instant::now());
    for round in 0..MOST_CLAIMS {
        if round >= LEAST_CLAIMS && began.elapsed() > PATIENCE {
            break;
        }
        let fence = trial.fresh("a key that is free", &key, now)?;
        if !given.insert(fence) {
            return trial.broken(format!("the number {fence} was given to a second claim of a key"));
        }
        match round % 4 {
            0 => trial.releases("a claim in its lease", &key, fence)?,
            1 => {
                trial.releases("a claim in its lease", &key, fence)?;
                // The next caller's clock is behind.
                now -= 1;
            }
            2 => now += LEASE_MILLIS + 2,
            _ => {
                now += LEASE_MILLIS + 2;
                // A store may drop ended entries now.
                let fence = trial.fresh("a new key", &other, now)?;
                trial.releases("a claim in its lease", &other, fence)?;
            }
        }
    }
    Ok(())
}

fn keys_are_independent<S: Store<Error: Display>>(trial: &Trial<S>) -> Result<(), Broken> {
    let retention = Duration::from_millis(RETENTION_MILLIS.unsigned_abs());
    let keys = [
        Key::new(SCHEME, "owner", ["ab", "c"], retention),
        Key::new(SCHEME, "owner", ["a", "bc"], retention),
        Key::new(SCHEME, "owner", ["abc"], retention),
        Key::new(SCHEME, "another", ["abc"], retention),
        Key::new(Scheme::PEACH_CONTENT, "owner", ["abc"], retention),
    ];
    let mut fences = Vec::new();
    for key in &keys {
        fences.push(trial.fresh("a new key, another being claimed", key, START)?);
    }
    let [committed, released, ..] = &keys;
    if let [first, second, ..] = fences[..] {
        trial.commits("a claim in its lease", committed, first, START)?;
        trial.releases("a claim in its lease", released, second)?;
    }
    trial.done("a committed key", committed, START)?;
    for key in keys.iter().skip(2) {
        trial.in_flight("a claimed key, when others are committed and released", key, START, LEASE_END)?;
    }
    trial.fresh("a released key", released, START)?;
    let again = Key::new(SCHEME, "owner", ["abc"], LONG_LEASE);
    trial.in_flight("a claimed key, with another retention", &again, START, LEASE_END)?;
    for (alike, names) in [("first six", SAME_FIRST_BYTES), ("last seven", SAME_LAST_BYTES)] {
        for name in names {
            let key = Key::new(LONGEST_SCHEME, LONGEST_OWNER, [name.to_be_bytes()], retention);
            let situation = format!("a new key, another with the same {alike} bytes being claimed");
            trial.fresh(&situation, &key, START)?;
        }
    }
    // So many that their first digits are not enough.
    (0..OTHERS_THAT_STAY).try_for_each(|other| {
        let key = key(&format!("other {other}"));
        trial.fresh("a new key, many others being claimed", &key, START).map(drop)
    })
}

fn clocks_may_disagree<S: Store<Error: Display>>(trial: &Trial<S>) -> Result<(), Broken> {
    let (key, behind) = (key("a"), START - 5_000);
    let late = trial.fresh("a new key", &key, START)?;
    trial.in_flight("a key that was claimed by a clock ahead", &key, behind, LEASE_END)?;
    trial.in_flight("a key that was claimed by a clock far ahead", &key, i64::MIN, LEASE_END)?;
    let now = LEASE_END + 1;
    let holder = trial.fresh("a key whose lease has ended", &key, now)?;
    trial.not_committed("a claim that another has taken over, by a clock behind", &key, late, behind)?;
    trial.commits("a claim in its lease, by a clock behind", &key, holder, behind)?;
    for at in [now, behind, i64::MIN, behind + RETENTION_MILLIS] {
        trial.done("a key that was committed by a clock behind", &key, at)?;
    }
    Ok(())
}

fn any_time_is_a_time<S: Store<Error: Display>>(trial: &Trial<S>, now: i64) -> Result<(), Broken> {
    for (name, span) in [("a", Duration::MAX), ("b", Duration::from_millis(u64::MAX)), ("c", LEASE)] {
        let key = Key::new(SCHEME, "owner", [name], span);
        let claim = |situation: &str| match trial.store.claim(&key, at(now), span) {
            Ok(slot) => Ok(slot),
            Err(error) => trial.broken(format!("of {situation} at {now}, the store failed: {error}")),
        };
        let Slot::Fresh(fence) = claim("a new key")? else {
            return trial.broken(format!("of a new key at {now}, a claim was not fresh"));
        };
        if !matches!(claim("a claimed key")?, Slot::InFlight { .. }) {
            return trial.broken(format!("of a claimed key at {now}, a claim was not in flight"));
        }
        trial.commits("a claim in its lease", &key, fence, now)?;
        if claim("a committed key")? != Slot::Done {
            return trial.broken(format!("of a committed key at {now}, a claim was not done"));
        }
    }
    Ok(())
}

fn nothing_is_forgotten_for_room<S: Store<Error: Display> + Sync>(trial: &Trial<S>) -> Result<(), Broken> {
    let (committed, claimed) = (key("committed"), key("claimed"));
    let fence = trial.fresh("a new key", &committed, START)?;
    trial.commits("a claim in its lease", &committed, fence, START)?;
    trial.fresh("a new key", &claimed, START)?;
    // Each of a crowd brings its part of the others in, and returns the keys it holds and the keys it has
    // committed.
    let accepted = trial.crowd(|member| {
        let mut accepted = Vec::new();
        for other in (member..OTHERS).step_by(CROWD) {
            let key = key(&format!("other {other}"));
            // An error is a refusal, which is right for a full store.
            let Ok(slot) = trial.store.claim(&key, at(START), LEASE) else { break };
            let Slot::Fresh(fence) = slot else {
                return Err(format!("of a new key, a claim said {}", Said(slot)));
            };
            let commit = (accepted.len() % 2 == 0).then(|| trial.store.commit(&key, fence, at(START)));
            match commit {
                Some(Ok(Commit::Committed)) => accepted.push((key, true)),
                None => accepted.push((key, false)),
                Some(Ok(Commit::Lost)) => return Err("of a claim in its lease, a commit was lost".into()),
                // The store may or may not have done the step.
                Some(Err(_)) => break,
            }
        }
        Ok(accepted)
    })?;
    trial.done("a committed key, after many others came", &committed, START)?;
    trial.in_flight("a claimed key, after many others came", &claimed, START, LEASE_END)?;
    let kept = trial.crowd(|member| {
        let mut kept = true;
        for (key, committed) in accepted.get(member).into_iter().flatten() {
            kept &= match trial.claim(key, START)? {
                Slot::Done => *committed,
                Slot::InFlight { .. } => !*committed,
                Slot::Fresh(_) => false,
            };
        }
        Ok(kept)
    })?;
    if kept.contains(&false) {
        return trial.broken("one of many keys was not as it had been left".into());
    }
    Ok(())
}

fn one_of_many_is_fresh<S: Store<Error: Display> + Sync>(trial: &Trial<S>) -> Result<(), Broken> {
    rounds().try_for_each(|round| {
        let key = contended(round);
        let slots = trial.crowd(|_| trial.claim(&key, START))?;
        trial.one_is_fresh("a new key", &slots, LEASE_END).map(drop)
    })
}

fn one_of_many_takes_over<S: Store<Error: Display> + Sync>(trial: &Trial<S>) -> Result<(), Broken> {
    for round in rounds() {
        let (key, late, now) = trial.contended_and_ended(round)?;
        let slots = trial.crowd(|_| trial.claim(&key, now))?;
        let holder = trial.one_is_fresh("a key whose lease has ended", &slots, now + LEASE_MILLIS)?;
        trial.not_committed("a claim that one of a crowd has taken over", &key, late, now)?;
        trial.commits("the claim of the one who took over", &key, holder, now)?;
        trial.done("a committed key", &key, now)?;
    }
    Ok(())
}

fn many_hear_of_a_commit<S: Store<Error: Display> + Sync>(trial: &Trial<S>) -> Result<(), Broken> {
    let (key, now) = (contended(0), LEASE_END + 1);
    let late = trial.fresh("a new key", &key, START)?;
    let holder = trial.fresh("a key whose lease has ended", &key, now)?;
    trial.commits("a claim in its lease", &key, holder, now)?;
    let answers = trial.crowd(|member| {
        Ok(match member % 4 {
            0 => trial.commit(&key, late, now)? == Commit::Lost,
            1 => trial.release(&key, late)? == Release::Lost,
            _ => trial.claim(&key, now)? == Slot::Done,
        })
    })?;
    if answers.contains(&false) {
        return trial.broken("of a committed key, one in a crowd did not hear that it is done".into());
    }
    trial.done("a committed key", &key, now)
}

fn commit_or_takeover<S: Store<Error: Display> + Sync>(trial: &Trial<S>) -> Result<(), Broken> {
    for round in rounds() {
        let (key, fence, now) = trial.contended_and_ended(round)?;
        let commit = Mutex::new(None);
        let slots = trial.crowd(|member| {
            if member == CROWD / 2 {
                *commit.lock().unwrap_or_else(PoisonError::into_inner) =
                    Some(trial.commit(&key, fence, now)?);
                return Ok(None);
            }
            trial.claim(&key, now).map(Some)
        })?;
        let slots: Vec<Slot> = slots.into_iter().flatten().collect();
        match commit.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(Commit::Committed) => {
                if let Some(&other) = slots.iter().find(|&&slot| slot != Slot::Done) {
                    let said = Said(other);
                    return trial.broken(format!("while a commit held, a claim of the key said {said}"));
                }
            }
            Some(Commit::Lost) | None => {
                trial.one_is_fresh("a key whose late commit was lost", &slots, now + LEASE_MILLIS)?;
            }
        }
    }
    Ok(())
}

fn one_at_a_time<S: Store<Error: Display> + Sync>(trial: &Trial<S>) -> Result<(), Broken> {
    let key = contended(0);
    let inside = AtomicUsize::new(0);
    let fences = trial.crowd(|_| {
        let mut fences = Vec::new();
        for _ in 0..ROUNDS {
            let fence = match trial.claim(&key, START)? {
                Slot::Fresh(fence) => fence,
                Slot::InFlight { .. } => continue,
                Slot::Done => return Err("of a key that nobody committed, a claim said done".into()),
            };
            let others = inside.fetch_add(1, Ordering::SeqCst);
            thread::yield_now();
            inside.fetch_sub(1, Ordering::SeqCst);
            if others > 0 {
                return Err("two claims of a key were held at the same time".into());
            }
            if trial.release(&key, fence)? == Release::Lost {
                return Err("a claim in its lease could not be released".into());
            }
            fences.push(fence);
        }
        Ok(fences)
    })?;
    let mut fences = fences.concat();
    let given = fences.len();
    fences.sort_unstable();
    fences.dedup();
    if fences.len() != given {
        return trial.broken("a number was given to a second claim of a key".into());
    }
    trial.fresh("a key that all have released", &key, START).map(drop)
}

fn many_keys_at_once<S: Store<Error: Display> + Sync>(trial: &Trial<S>) -> Result<(), Broken> {
    let answers = trial.crowd(|member| {
        let key = contended(member);
        let Slot::Fresh(fence) = trial.claim(&key, START)? else { return Ok(false) };
        let in_flight = trial.claim(&key, START)? == Slot::InFlight { until: at(LEASE_END) };
        let ended = if member % 2 == 0 {
            trial.commit(&key, fence, START)? == Commit::Committed
        } else {
            trial.release(&key, fence)? == Release::Released
        };
        Ok(in_flight && ended)
    })?;
    if answers.contains(&false) {
        return trial.broken("of a key of its own, one in a crowd heard what somebody else did".into());
    }
    let answers = trial.crowd(|member| {
        let slot = trial.claim(&contended(member), START)?;
        Ok(if member % 2 == 0 { slot == Slot::Done } else { matches!(slot, Slot::Fresh(_)) })
    })?;
    if answers.contains(&false) {
        return trial.broken("one of many keys was not as it had been left".into());
    }
    Ok(())
}

fn one_of_many_futures_is_fresh<S, B>(trial: &Trial<Waiting<S, B>>) -> Result<(), Broken>
where
    S: AsyncStore<Error: Display>,
    B: for<'f> Fn(Task<'f>) + Sync,
{
    let key = contended(0);
    let store = &trial.store.store;
    let slots = trial.store.wait(async {
        let mut futures: Vec<_> = (0..CROWD).map(|_| Box::pin(store.claim(&key, at(START), LEASE))).collect();
        let mut slots = Vec::new();
        poll_fn(|context| {
            // By turns: each future goes on by one step, and a future that has ended leaves.
            futures.retain_mut(|future| match future.as_mut().poll(context) {
                Poll::Ready(slot) => {
                    slots.push(slot.map_err(|error| error.to_string()));
                    false
                }
                Poll::Pending => true,
            });
            if futures.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        slots.into_iter().collect::<Result<Vec<_>, _>>()
    });
    let slots = slots.and_then(|slots| slots).or_else(|error| trial.failed(&error))?;
    trial.one_is_fresh("a new key, by turns", &slots, LEASE_END).map(drop)
}

fn dropped_claim_ends<S, B>(trial: &Trial<Waiting<S, B>>) -> Result<(), Broken>
where
    S: AsyncStore<Error: Display>,
    B: for<'f> Fn(Task<'f>) + Sync,
{
    let mut keys = Vec::new();
    for steps in 0..STEPS {
        let key = key(&steps.to_string());
        keys.push(key);
        if trial.ends_within(trial.store.store.claim(&key, at(START), LEASE), steps)? {
            break;
        }
    }
    let situation = "a key whose claim was dropped half way, after its lease";
    keys.iter().try_for_each(|key| trial.fresh(situation, key, LEASE_END + 1).map(drop))
}

fn dropped_commit_can_be_repeated<S, B>(trial: &Trial<Waiting<S, B>>) -> Result<(), Broken>
where
    S: AsyncStore<Error: Display>,
    B: for<'f> Fn(Task<'f>) + Sync,
{
    for steps in 0..STEPS {
        let key = key(&steps.to_string());
        let fence = trial.fresh("a new key", &key, START)?;
        let ended = trial.ends_within(trial.store.store.commit(&key, fence, at(START)), steps)?;
        if let Slot::Fresh(_) = trial.claim(&key, START).or_else(|error| trial.failed(&error))? {
            return trial.broken("of a key whose commit was dropped half way, a claim said fresh".into());
        }
        trial.commits("a claim whose commit was dropped half way", &key, fence, START)?;
        trial.done("a committed key", &key, START)?;
        if ended {
            break;
        }
    }
    Ok(())
}

fn dropped_release_can_be_repeated<S, B>(trial: &Trial<Waiting<S, B>>) -> Result<(), Broken>
where
    S: AsyncStore<Error: Display>,
    B: for<'f> Fn(Task<'f>) + Sync,
{
    for steps in 0..STEPS {
        let key = key(&steps.to_string());
        let fence = trial.fresh("a new key", &key, START)?;
        let ended = trial.ends_within(trial.store.store.release(&key, fence), steps)?;
        // Lost, if the first has done the release.
        trial.release(&key, fence).or_else(|error| trial.failed(&error))?;
        let situation = "a key whose release was dropped half way and repeated";
        let fence = trial.fresh(situation, &key, START)?;
        trial.commits("a claim in its lease", &key, fence, START)?;
        if ended {
            break;
        }
    }
    Ok(())
}

/// A store on trial for a law.
struct Trial<S> {
    law: Law,
    store: S,
}

impl<S: AsyncStore<Error: Display>, B: for<'f> Fn(Task<'f>) + Sync> Trial<Waiting<S, B>> {
    /// Begins an operation, lets the operation have so many steps, and drops the operation. True if the
    /// operation had ended by then.
    fn ends_within<T>(&self, operation: impl Future<Output = T> + Send, steps: u32) -> Result<bool, Broken> {
        let ended = self.store.wait(async {
            let (mut operation, mut left) = (pin!(operation), steps);
            poll_fn(|context| {
                if left > 0 && operation.as_mut().poll(context).is_ready() {
                    return Poll::Ready(true);
                }
                left = left.saturating_sub(1);
                if left == 0 { Poll::Ready(false) } else { Poll::Pending }
            })
            .await
        });
        ended.or_else(|error| self.failed(&error))
    }
}

impl<S: Store<Error: Display>> Trial<S> {
    fn broken<T>(&self, seen: String) -> Result<T, Broken> {
        Err(Broken { law: self.law, seen })
    }

    fn failed<T>(&self, error: &str) -> Result<T, Broken> {
        self.broken(format!("the store failed: {error}"))
    }

    fn claim(&self, key: &Key, now: i64) -> Result<Slot, String> {
        self.store.claim(key, at(now), LEASE).map_err(|error| error.to_string())
    }

    fn commit(&self, key: &Key, fence: FencingToken, now: i64) -> Result<Commit, String> {
        self.store.commit(key, fence, at(now)).map_err(|error| error.to_string())
    }

    fn release(&self, key: &Key, fence: FencingToken) -> Result<Release, String> {
        self.store.release(key, fence).map_err(|error| error.to_string())
    }

    fn fresh(&self, situation: &str, key: &Key, now: i64) -> Result<FencingToken, Broken> {
        match self.claim(key, now).or_else(|error| self.failed(&error))? {
            Slot::Fresh(fence) => Ok(fence),
            other @ (Slot::InFlight { .. } | Slot::Done) => {
                self.broken(format!("of {situation}, a claim said {}, not fresh", Said(other)))
            }
        }
    }

    fn in_flight(&self, situation: &str, key: &Key, now: i64, end: i64) -> Result<(), Broken> {
        match self.claim(key, now).or_else(|error| self.failed(&error))? {
            Slot::InFlight { until } if until == at(end) => Ok(()),
            Slot::InFlight { until } => {
                let until = until.unix_millis();
                self.broken(format!("of {situation}, a claim said in flight until {until}, not {end}"))
            }
            other @ (Slot::Fresh(_) | Slot::Done) => {
                self.broken(format!("of {situation}, a claim said {}, not in flight", Said(other)))
            }
        }
    }

    fn done(&self, situation: &str, key: &Key, now: i64) -> Result<(), Broken> {
        match self.claim(key, now).or_else(|error| self.failed(&error))? {
            Slot::Done => Ok(()),
            other @ (Slot::Fresh(_) | Slot::InFlight { .. }) => {
                self.broken(format!("of {situation}, a claim said {}, not done", Said(other)))
            }
        }
    }

    fn commits(&self, situation: &str, key: &Key, fence: FencingToken, now: i64) -> Result<(), Broken> {
        match self.commit(key, fence, now).or_else(|error| self.failed(&error))? {
            Commit::Committed => Ok(()),
            Commit::Lost => self.broken(format!("of {situation}, a commit was lost")),
        }
    }

    fn not_committed(&self, situation: &str, key: &Key, fence: FencingToken, now: i64) -> Result<(), Broken> {
        match self.commit(key, fence, now).or_else(|error| self.failed(&error))? {
            Commit::Lost => Ok(()),
            Commit::Committed => self.broken(format!("of {situation}, a commit was not lost")),
        }
    }

    fn releases(&self, situation: &str, key: &Key, fence: FencingToken) -> Result<(), Broken> {
        match self.release(key, fence).or_else(|error| self.failed(&error))? {
            Release::Released => Ok(()),
            Release::Lost => self.broken(format!("of {situation}, a release was lost")),
        }
    }

    fn not_released(&self, situation: &str, key: &Key, fence: FencingToken) -> Result<(), Broken> {
        match self.release(key, fence).or_else(|error| self.failed(&error))? {
            Release::Lost => Ok(()),
            Release::Released => self.broken(format!("of {situation}, a release was not lost")),
        }
    }

    /// The key of a round, its claim, and a time after its lease.
    fn contended_and_ended(&self, round: usize) -> Result<(Key, FencingToken, i64), Broken> {
        let (key, start) = (contended(round), START + 10 * LEASE_MILLIS * i64::try_from(round).unwrap_or(0));
        let fence = self.fresh("a new key", &key, start)?;
        Ok((key, fence, start + LEASE_MILLIS + 1))
    }

    /// Exactly one is fresh, and the others are in flight until `end`.
    fn one_is_fresh(&self, situation: &str, slots: &[Slot], end: i64) -> Result<FencingToken, Broken> {
        let fresh: Vec<FencingToken> = slots
            .iter()
            .filter_map(|slot| match slot {
                Slot::Fresh(fence) => Some(*fence),
                Slot::InFlight { .. } | Slot::Done => None,
            })
            .collect();
        let in_flight = slots.iter().filter(|&&slot| slot == Slot::InFlight { until: at(end) }).count();
        match fresh[..] {
            [fence] if in_flight + 1 == slots.len() => Ok(fence),
            _ => self.broken(format!(
                "of {situation}, {} of {} claims at once were fresh and {in_flight} in flight until {end}",
                fresh.len(),
                slots.len(),
            )),
        }
    }

    /// Runs an act in [`CROWD`] threads at once, and returns each thread's result.
    fn crowd<T: Send>(&self, act: impl Fn(usize) -> Result<T, String> + Sync) -> Result<Vec<T>, Broken> {
        self.crowd_of(CROWD, act)
    }

    fn crowd_of<T: Send>(
        &self,
        size: usize,
        act: impl Fn(usize) -> Result<T, String> + Sync,
    ) -> Result<Vec<T>, Broken> {
        let gate = RwLock::new(());
        let answers = thread::scope(|scope| {
            let closed = gate.write().unwrap_or_else(PoisonError::into_inner);
            let (gate, act) = (&gate, &act);
            let mut threads = Vec::with_capacity(size);
            for member in 0..size {
                let member = move || {
                    drop(gate.read().unwrap_or_else(PoisonError::into_inner));
                    act(member)
                };
                threads.push(thread::Builder::new().spawn_scoped(scope, member));
            }
            drop(closed);
            let join = |thread: Result<thread::ScopedJoinHandle<'_, Result<T, String>>, _>| match thread {
                Ok(thread) => thread.join().unwrap_or_else(|_| Err("an operation panicked".into())),
                Err(error) => Err(format!("a thread could not be started: {error}")),
            };
            threads.into_iter().map(join).collect::<Vec<_>>()
        });
        answers.into_iter().collect::<Result<_, _>>().or_else(|error| self.broken(error))
    }
}

/// An asynchronous store as a blocking one.
struct Waiting<S, B> {
    store: S,
    block_on: B,
}

impl<S: AsyncStore, B: for<'f> Fn(Task<'f>)> Waiting<S, B> {
    fn wait<T: Send>(&self, future: impl Future<Output = T> + Send) -> Result<T, String> {
        let mut output = None;
        (self.block_on)(Box::pin(async { output = Some(future.await) }));
        output.ok_or_else(|| "block_on has not run a future to its end".to_owned())
    }
}

impl<S: AsyncStore<Error: Display>, B: for<'f> Fn(Task<'f>)> Store for Waiting<S, B> {
    type Error = String;

    fn claim(&self, key: &Key, now: Moment, lease: Duration) -> Result<Slot, String> {
        self.wait(self.store.claim(key, now, lease))?.map_err(|error| error.to_string())
    }

    fn commit(&self, key: &Key, fence: FencingToken, now: Moment) -> Result<Commit, String> {
        self.wait(self.store.commit(key, fence, now))?.map_err(|error| error.to_string())
    }

    fn release(&self, key: &Key, fence: FencingToken) -> Result<Release, String> {
        self.wait(self.store.release(key, fence))?.map_err(|error| error.to_string())
    }
}

/// A slot in words.
struct Said(Slot);

impl Display for Said {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Slot::Fresh(_) => f.write_str("fresh"),
            Slot::InFlight { until } => write!(f, "in flight until {}", until.unix_millis()),
            Slot::Done => f.write_str("done"),
        }
    }
}

/// The moment of so many Unix milliseconds, in which the laws count.
fn at(millis: i64) -> Moment {
    Moment::from_unix_millis(millis)
}

fn key(name: &str) -> Key {
    retained(name, RETENTION_MILLIS)
}

/// A key that is kept for so many milliseconds; [`i64::MAX`]: for ever.
fn retained(name: &str, millis: i64) -> Key {
    let retention =
        if millis == i64::MAX { Duration::MAX } else { Duration::from_millis(millis.unsigned_abs()) };
    Key::new(SCHEME, "owner", [name], retention)
}

/// The rounds of a crowd: fewer, if the store is slow.
fn rounds() -> impl Iterator<Item = usize> {
    let began = Instant::now();
    (0..ROUNDS).take_while(move |&round| round < LEAST_ROUNDS || began.elapsed() < PATIENCE)
}

/// The key that a crowd claims in a round.
fn contended(round: usize) -> Key {
    let retention = Duration::from_millis(RETENTION_MILLIS.unsigned_abs());
    Key::new(CROWD_SCHEME, "owner", [round.to_string()], retention)
}

const SCHEME: Scheme = Scheme("conformance");
/// Some time in 2024.
const START: i64 = 1_716_501_000_000;
const LEASE: Duration = Duration::from_millis(LEASE_MILLIS.unsigned_abs());
const LEASE_MILLIS: i64 = 100;
const LEASE_END: i64 = START + LEASE_MILLIS;
const RETENTION_MILLIS: i64 = 1_000_000;
/// Longer than a 32-bit number of milliseconds can be, signed or not.
const LONG_LEASE: Duration = Duration::from_secs(60 * 24 * 60 * 60);
const DAY_MILLIS: i64 = 24 * 60 * 60 * 1_000;
/// Common retentions, retentions that need more than 31 or 32 bits of milliseconds, and retentions that need
/// more than 31 or 32 bits of seconds.
const LONG_RETENTIONS_DAYS: [i64; 5] = [1, 31, 60, 36_525, 73_050];
const OTHERS_THAT_END: i64 = 12;
const OTHERS_THAT_STAY: usize = 30;
/// The longest name that a scheme can have, and an owner of the same length.
const LONGEST_SCHEME: Scheme = Scheme("conformance-of-key-names");
const LONGEST_OWNER: &str = "an-owner-of-24-character";
/// Two parts of a key whose digests begin with the same six bytes: found by trying ten million.
const SAME_FIRST_BYTES: [u64; 2] = [0x4872_71b7_61f0_0000, 0xb548_cc11_5974_0000];
/// Two parts of a key whose digests end with the same seven bytes: found by trying six hundred million.
const SAME_LAST_BYTES: [u64; 2] = [0x0083_5de5_4953_7f7e, 0x00d8_b811_f01e_67b0];
/// The number of claims that must have numbers of their own, if the store is not slow; and the number in any
/// case.
const MOST_CLAIMS: usize = 1_500;
const LEAST_CLAIMS: usize = 12;
/// The time that a law is tried again on a slow store.
const PATIENCE: Duration = Duration::from_millis(150);
const ROUNDS: usize = 8;
const LEAST_ROUNDS: usize = 3;
const STEPS: u32 = 8;
