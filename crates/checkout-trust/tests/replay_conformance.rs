//! The suite for stores passes the right stores and fails the wrong stores, each for its own reason.
#![cfg(feature = "conformance")]
#![allow(missing_docs, clippy::panic, clippy::unwrap_used, clippy::wildcard_enum_match_arm, reason = "tests")]

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::poll_fn;
use std::sync::{Barrier, Mutex};
use std::task::Poll;
use std::time::Duration;

use checkout_lifecycle::Moment;
use checkout_trust::replay::conformance::{
    CROWD, CROWD_SCHEME, Law, check_async_law, check_async_store, check_law, check_store,
};
use checkout_trust::replay::{
    AsyncStore, Commit, FencingToken, InPlace, Key, MemoryStore, Release, Slot, Store,
};

fn at(millis: i64) -> Moment {
    Moment::from_unix_millis(millis)
}

/// The end of a span, as a right store counts the end.
fn until(now: i64, span: Duration) -> i64 {
    at(now).saturating_add(span).unix_millis()
}

/// The first law that fails, and the report; or "holds".
fn check<S: Store<Error: std::fmt::Display> + Sync>(make: impl Fn() -> S) -> String {
    match check_store(make) {
        Ok(()) => "holds".into(),
        Err(broken) => format!("{:?}: {broken}", broken.law()),
    }
}

/// The laws that fail when each law is tried by itself.
fn failing<S: Store<Error: std::fmt::Display> + Sync>(make: impl Fn() -> S) -> Vec<Law> {
    Law::ALL.into_iter().filter(|&law| check_law(law, &make).is_err()).collect()
}

#[derive(Clone, Copy)]
struct Row {
    fence: FencingToken,
    done: bool,
    until: i64,
}

/// The fault of a [`Rows`] store.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    /// Nothing.
    None,
    /// The key is done as soon as it is claimed.
    CommitsAtClaim,
    /// A commit is taken from anybody.
    IgnoresTheNumberAtCommit,
    /// A release is taken from anybody.
    IgnoresTheNumberAtRelease,
    /// A late release deletes what was committed.
    ReleasesCommitted,
    /// Forgets a committed key one millisecond early.
    ForgetsEarly,
    /// Counts the retention from the claim.
    KeepsFromTheClaim,
    /// Keeps a committed key for no longer than its lease.
    ForgetsToKeep,
    /// Ends a lease one millisecond early.
    EndsTheLeaseEarly,
    /// Never ends a lease.
    NeverEndsTheLease,
    /// Throws the oldest row out when a hundred rows are in.
    EvictsAtABound,
    /// Does not know its own claim any more when the lease has ended.
    ForgetsTheClaim,
    /// Numbers the claims of a row from one, and deletes the row when it is released.
    CountsInTheRow,
    /// Looks at the key of the crowd, waits until all have looked, and then writes.
    LooksThenWrites,
    /// Looks and then writes only when the row is there and has ended.
    LooksThenTakesOver,
    /// Tells keys apart by the first sixteen bytes of their text.
    CutsTheKey,
    /// Adds times as they are.
    Overflows,
    /// Does not look at the caller's time.
    AsksItsOwnClock,
}

/// A store that a user could have written over a table: a reference of another make than the crate's own
/// store.
struct Rows {
    fault: Fault,
    rows: Mutex<HashMap<String, (u64, Row)>>,
    sequence: Mutex<i64>,
    inserted: Mutex<u64>,
    all_have_looked: Barrier,
}

impl Rows {
    fn new(fault: Fault) -> Self {
        Self {
            fault,
            rows: Mutex::default(),
            sequence: Mutex::default(),
            inserted: Mutex::default(),
            all_have_looked: Barrier::new(CROWD),
        }
    }

    fn text(&self, key: &Key) -> String {
        let mut text = key.to_string();
        if self.fault == Fault::CutsTheKey {
            text.truncate(16);
        }
        text
    }

    fn until(&self, now: i64, span: Duration) -> i64 {
        if self.fault == Fault::Overflows {
            return now.wrapping_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX));
        }
        until(now, span)
    }

    fn number(&self, before: Option<Row>) -> FencingToken {
        if self.fault == Fault::CountsInTheRow {
            return FencingToken::new(before.map_or(1, |row| row.fence.number() + 1));
        }
        let mut last = self.sequence.lock().unwrap();
        *last += 1;
        FencingToken::new(*last)
    }

    fn ended(&self, row: Row, now: i64) -> bool {
        match self.fault {
            Fault::EndsTheLeaseEarly if !row.done => row.until <= now,
            Fault::ForgetsEarly if row.done => row.until <= now,
            Fault::NeverEndsTheLease if !row.done => false,
            _ => row.until < now,
        }
    }

    fn slot(&self, row: Option<Row>, now: i64) -> Option<Slot> {
        let row = row.filter(|&row| !self.ended(row, now))?;
        let done = row.done || self.fault == Fault::CommitsAtClaim;
        Some(if done { Slot::Done } else { Slot::InFlight { until: at(row.until) } })
    }

    fn waits_between(&self, key: &Key, row: Option<Row>) -> bool {
        key.scheme() == CROWD_SCHEME
            && match self.fault {
                Fault::LooksThenWrites => true,
                Fault::LooksThenTakesOver => row.is_some(),
                _ => false,
            }
    }
}

impl Store for Rows {
    type Error = Infallible;

    fn claim(&self, key: &Key, now: Moment, lease: Duration) -> Result<Slot, Infallible> {
        let now = now.unix_millis();
        let text = self.text(key);
        let now = if self.fault == Fault::AsksItsOwnClock { 0 } else { now };
        let mut rows = self.rows.lock().unwrap();
        let row = rows.get(&text).map(|&(_, row)| row);
        if let Some(slot) = self.slot(row, now) {
            return Ok(slot);
        }
        if self.waits_between(key, row) {
            drop(rows);
            self.all_have_looked.wait();
            rows = self.rows.lock().unwrap();
        }
        let mut inserted = self.inserted.lock().unwrap();
        *inserted += 1;
        let row = Row { fence: self.number(row), done: false, until: self.until(now, lease) };
        rows.insert(text, (*inserted, row));
        if self.fault == Fault::EvictsAtABound && rows.len() > 100 {
            let oldest = rows.iter().min_by_key(|(_, (age, _))| age).map(|(text, _)| text.clone());
            rows.remove(&oldest.unwrap());
        }
        Ok(Slot::Fresh(row.fence))
    }

    fn commit(&self, key: &Key, fence: FencingToken, now: Moment) -> Result<Commit, Infallible> {
        let now = now.unix_millis();
        let mut rows = self.rows.lock().unwrap();
        let text = self.text(key);
        let kept = self.until(now, key.retention());
        let Some((_, row)) = rows.get_mut(&text) else {
            if self.fault == Fault::ForgetsTheClaim {
                return Ok(Commit::Lost);
            }
            rows.insert(text, (0, Row { fence, done: true, until: kept }));
            return Ok(Commit::Committed);
        };
        if row.fence != fence && self.fault != Fault::IgnoresTheNumberAtCommit {
            return Ok(Commit::Lost);
        }
        if self.fault == Fault::ForgetsTheClaim && row.until < now {
            return Ok(Commit::Lost);
        }
        row.done = true;
        row.until = match self.fault {
            Fault::KeepsFromTheClaim => {
                row.until - 100 + i64::try_from(key.retention().as_millis()).unwrap_or(0)
            }
            Fault::ForgetsToKeep => row.until,
            _ => row.until.max(kept),
        };
        Ok(Commit::Committed)
    }

    fn release(&self, key: &Key, fence: FencingToken) -> Result<Release, Infallible> {
        let mut rows = self.rows.lock().unwrap();
        let text = self.text(key);
        let held = rows.get(&text).is_some_and(|&(_, row)| {
            (row.fence == fence || self.fault == Fault::IgnoresTheNumberAtRelease)
                && (!row.done || self.fault == Fault::ReleasesCommitted)
        });
        if !held {
            return Ok(Release::Lost);
        }
        rows.remove(&text);
        Ok(Release::Released)
    }
}

#[test]
fn the_store_in_memory_holds_every_law() {
    assert_eq!(check(|| MemoryStore::new(100_000)), "holds");
}

#[test]
fn the_store_in_memory_holds_every_law_at_its_bound() {
    for bound in [110, 500, 1_001] {
        assert_eq!(check(|| MemoryStore::new(bound)), "holds", "{bound}");
    }
}

#[test]
fn a_store_of_another_make_holds_every_law() {
    assert_eq!(check(|| Rows::new(Fault::None)), "holds");
}

#[test]
fn pointers_to_a_store_hold_every_law() {
    assert_eq!(check(|| Box::new(MemoryStore::new(5_000))), "holds");
    assert_eq!(check(|| std::sync::Arc::new(MemoryStore::new(5_000))), "holds");
    let dynamic = || -> Box<dyn Store<Error = Infallible> + Sync> { Box::new(Rows::new(Fault::None)) };
    assert_eq!(check(dynamic), "holds");
}

#[test]
fn a_racy_store_fails() {
    assert_eq!(
        check(|| Rows::new(Fault::LooksThenWrites)),
        "OneOfManyIsFresh: one of many claims is fresh: of a new key, 64 of 64 claims at once were fresh and 0 \
         in flight until 1716501000100",
    );
}

#[test]
fn a_store_whose_takeover_is_racy_fails() {
    assert_eq!(
        check(|| Rows::new(Fault::LooksThenTakesOver)),
        "OneOfManyTakesOver: one of many takes over: of a key whose lease has ended, 64 of 64 claims at once \
         were fresh and 0 in flight until 1716501000201",
    );
}

#[test]
fn a_store_that_commits_at_the_claim_fails() {
    assert_eq!(
        check(|| Rows::new(Fault::CommitsAtClaim)),
        "ClaimIsNoCommit: a claim is no commit: of a key that is claimed and not committed, a claim said \
         done, not in flight",
    );
}

#[test]
fn a_store_that_never_ends_a_lease_fails() {
    assert_eq!(
        check(|| Rows::new(Fault::NeverEndsTheLease)),
        "ClaimIsNoCommit: a claim is no commit: of a key whose lease has ended, not committed, a claim said \
         in flight until 1716501000100, not fresh",
    );
}

#[test]
fn a_store_that_ends_a_lease_early_fails() {
    assert_eq!(
        check(|| Rows::new(Fault::EndsTheLeaseEarly)),
        "ClaimHoldsForItsLease: a claim holds for its lease: of a key in the last millisecond of its lease, \
         a claim said fresh, not in flight",
    );
}

#[test]
fn a_forgetful_store_fails() {
    assert_eq!(
        check(|| Rows::new(Fault::ForgetsEarly)),
        "CommitIsRemembered: a commit is remembered: of a key in the last millisecond of its retention, a \
         claim said fresh, not done",
    );
    assert_eq!(
        check(|| Rows::new(Fault::KeepsFromTheClaim)),
        "CommitIsRemembered: a commit is remembered: of a key at the time of its commit, a claim said fresh, \
         not done",
    );
    assert_eq!(
        check(|| Rows::new(Fault::ForgetsToKeep)),
        "CommitIsRemembered: a commit is remembered: of a key that has retention left, while others end, a \
         claim said fresh, not done",
    );
}

#[test]
fn a_store_that_evicts_at_a_bound_fails() {
    assert_eq!(failing(|| Rows::new(Fault::EvictsAtABound)), [Law::NothingIsForgottenForRoom]);
}

#[test]
fn a_store_that_ignores_the_number_fails() {
    let mut laws = failing(|| Rows::new(Fault::IgnoresTheNumberAtCommit));
    // The threads' luck decides if the commit comes before the crowd or after it.
    laws.retain(|&law| law != Law::CommitOrTakeover);
    let wrong = [
        Law::ReleaseFrees,
        Law::LateCommitIsLost,
        Law::ClocksMayDisagree,
        Law::OneOfManyTakesOver,
        Law::ManyHearOfACommit,
    ];
    assert_eq!(laws, wrong);
    assert_eq!(
        failing(|| Rows::new(Fault::IgnoresTheNumberAtRelease)),
        [Law::ReleaseFrees, Law::LateReleaseIsLost, Law::ReleaseSparesTakeover]
    );
    let mut laws = failing(|| Rows::new(Fault::ReleasesCommitted));
    // The threads' luck decides if the release comes after the commit.
    laws.retain(|&law| law != Law::ReleaseSparesCommit);
    assert_eq!(laws, [Law::CommitCanBeRepeated]);
}

#[test]
fn a_store_that_forgets_the_holder_of_a_claim_fails() {
    assert_eq!(
        failing(|| Rows::new(Fault::ForgetsTheClaim)),
        [Law::CommitOutlivesTheLease, Law::LateCommitIsLost]
    );
}

#[test]
fn a_store_that_gives_a_number_again_fails() {
    let failing = failing(|| Rows::new(Fault::CountsInTheRow));
    assert!(failing.contains(&Law::NumbersNeverComeBack), "{failing:?}");
    assert!(failing.contains(&Law::ReleaseFrees), "{failing:?}");
}

#[test]
fn a_store_that_cuts_the_key_fails() {
    let failing = failing(|| Rows::new(Fault::CutsTheKey));
    assert!(failing.contains(&Law::KeysAreIndependent), "{failing:?}");
}

#[test]
fn a_store_whose_sums_overflow_fails() {
    assert_eq!(failing(|| Rows::new(Fault::Overflows)), [Law::CommitIsRemembered, Law::AnyTimeIsATime]);
}

#[test]
fn a_store_that_asks_a_clock_of_its_own_fails() {
    let failing = failing(|| Rows::new(Fault::AsksItsOwnClock));
    assert!(failing.contains(&Law::ClaimHoldsForItsLease), "{failing:?}");
}

#[test]
fn a_store_that_panics_in_a_crowd_is_reported() {
    struct Panics(MemoryStore);
    impl Store for Panics {
        type Error = checkout_trust::replay::Full;
        fn claim(&self, key: &Key, now: Moment, lease: Duration) -> Result<Slot, Self::Error> {
            let slot = self.0.claim(key, now, lease)?;
            assert!(key.scheme() != CROWD_SCHEME || slot != Slot::Done, "out of order");
            Ok(slot)
        }
        fn commit(&self, key: &Key, fence: FencingToken, now: Moment) -> Result<Commit, Self::Error> {
            self.0.commit(key, fence, now)
        }
        fn release(&self, key: &Key, fence: FencingToken) -> Result<Release, Self::Error> {
            self.0.release(key, fence)
        }
    }
    let broken = check_law(Law::ManyHearOfACommit, || Panics(MemoryStore::new(500))).unwrap_err();
    assert_eq!(broken.to_string(), "many hear of a commit: an operation panicked");
}

/// A store that waits before and after each step, as a store behind a network does. A racy store looks before
/// the wait and writes after it.
struct Remote {
    rows: Rows,
    racy: bool,
}

async fn step() {
    let mut polled = false;
    poll_fn(|context| {
        if std::mem::replace(&mut polled, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl AsyncStore for Remote {
    type Error = Infallible;

    async fn claim(&self, key: &Key, now: Moment, lease: Duration) -> Result<Slot, Infallible> {
        let now = now.unix_millis();
        step().await;
        if self.racy {
            let row = self.rows.rows.lock().unwrap().get(&key.to_string()).map(|&(_, row)| row);
            if let Some(slot) = self.rows.slot(row, now) {
                return Ok(slot);
            }
            step().await;
            self.rows.rows.lock().unwrap().remove(&key.to_string());
        }
        let slot = Store::claim(&self.rows, key, at(now), lease);
        step().await;
        slot
    }

    async fn commit(&self, key: &Key, fence: FencingToken, now: Moment) -> Result<Commit, Infallible> {
        let now = now.unix_millis();
        step().await;
        let answer = Store::commit(&self.rows, key, fence, at(now));
        step().await;
        answer
    }

    async fn release(&self, key: &Key, fence: FencingToken) -> Result<Release, Infallible> {
        step().await;
        let answer = Store::release(&self.rows, key, fence);
        step().await;
        answer
    }
}

#[test]
fn an_asynchronous_store_holds_every_law() {
    let remote = || Remote { rows: Rows::new(Fault::None), racy: false };
    assert_eq!(check_async_store(remote, |future| pollster::block_on(future)), Ok(()));
    let in_place = || InPlace(MemoryStore::new(500));
    assert_eq!(check_async_store(in_place, |future| pollster::block_on(future)), Ok(()));
}

#[test]
fn a_racy_asynchronous_store_fails_even_on_one_thread() {
    let remote = || Remote { rows: Rows::new(Fault::None), racy: true };
    let block_on = |future: checkout_trust::replay::conformance::Task<'_>| pollster::block_on(future);
    let broken = check_async_law(Law::OneOfManyFuturesIsFresh, remote, block_on).unwrap_err();
    assert_eq!(
        broken.to_string(),
        "one of many futures is fresh: of a new key, by turns, 64 of 64 claims at once were fresh and 0 in \
         flight until 1716501000100",
    );
    assert!(check_async_store(remote, block_on).is_err());
}

#[test]
fn an_asynchronous_store_that_commits_at_the_claim_fails() {
    let remote = || Remote { rows: Rows::new(Fault::CommitsAtClaim), racy: false };
    let broken = check_async_store(remote, |future| pollster::block_on(future)).unwrap_err();
    assert_eq!(broken.law(), Law::ClaimIsNoCommit);
}

#[test]
fn an_asynchronous_store_whose_dropped_claim_never_ends_fails() {
    let remote = || Remote { rows: Rows::new(Fault::NeverEndsTheLease), racy: false };
    let block_on = |future: checkout_trust::replay::conformance::Task<'_>| pollster::block_on(future);
    let broken = check_async_law(Law::DroppedClaimEnds, remote, block_on).unwrap_err();
    assert_eq!(
        broken.to_string(),
        "a dropped claim ends: of a key whose claim was dropped half way, after its lease, a claim said in \
         flight until 1716501000100, not fresh",
    );
}

#[test]
fn a_block_on_that_does_not_run_its_future_is_reported() {
    let broken =
        check_async_store(|| InPlace(MemoryStore::new(500)), |future| std::mem::drop(future)).unwrap_err();
    assert_eq!(
        broken.to_string(),
        "the first claim is fresh: the store failed: block_on has not run a future to its end",
    );
}

#[test]
fn every_law_is_checked_in_its_order() {
    use strum::VariantArray;

    // The laws of futures come last.
    assert_eq!([&Law::ALL[..], &Law::OF_FUTURES].concat(), Law::VARIANTS);
}
