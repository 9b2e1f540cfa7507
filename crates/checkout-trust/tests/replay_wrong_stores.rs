//! The suite for stores against the stores that people write: wrong stores fail, each by the law that the
//! store breaks, and right stores of several makes pass.
#![cfg(feature = "conformance")]
#![allow(
    missing_docs,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "tests"
)]

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::Debug;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::task::Poll;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use checkout_lifecycle::Moment;
use checkout_trust::replay::conformance::{
    Law, Task, check_async_law, check_async_store, check_law, check_store,
};
use checkout_trust::replay::{AsyncStore, Commit, FencingToken, Key, MemoryStore, Release, Slot, Store};

fn at(millis: i64) -> Moment {
    Moment::from_unix_millis(millis)
}

/// The end of a span, as a right store counts the end.
fn until(now: i64, span: Duration) -> i64 {
    at(now).saturating_add(span).unix_millis()
}

#[derive(Clone, Copy, Debug)]
struct Row {
    fence: i64,
    done: bool,
    until: i64,
}

/// The fault of a [`Table`].
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    // Operations of more than one step: the store waits for its network between the steps.
    /// `SELECT`; then `INSERT … ON CONFLICT DO UPDATE`, whatever row is there by now.
    ClaimLooksThenWrites,
    /// The same, but only to take an ended claim over; a new key is one step.
    TakeoverLooksThenWrites,
    /// `SELECT`; then `DELETE WHERE key`; then `INSERT … ON CONFLICT DO NOTHING`.
    TakeoverDeletesThenInserts,
    /// Asks for `done:<key>`; then sets `lock:<key>` if it is not there.
    ClaimAsksForDoneThenLocks,
    /// `SELECT`; then `UPDATE SET done, fence WHERE key`.
    CommitLooksThenWrites,
    /// `SELECT`; then `UPDATE SET done WHERE key`, so that the other's claim is done.
    CommitLooksThenMarks,
    /// `SELECT`; then `UPDATE … WHERE key AND fence`, without a check of the number of rows.
    CommitLooksThenDoesNotCount,
    /// `DELETE` of the claim; then `INSERT` of the done key.
    CommitDeletesThenInserts,
    /// `SELECT`; then `DELETE WHERE key`.
    ReleaseLooksThenDeletes,
    /// `SELECT`; then `UPDATE SET until = 0 WHERE key`.
    ReleaseLooksThenEnds,
    /// `SELECT`; then `DELETE WHERE key AND fence`, committed or not.
    ReleaseLooksThenDeletesItsOwn,
    /// Reads the whole file, and writes the whole file.
    RewritesTheFile,

    // Numbers.
    NumberIsTheCallersTime,
    NumberIsTheSecond,
    NumberIsARandomByte,
    NumberIsRandomOf16Bits,
    NumberIsConstant,
    NumberIsCountedInTheRow,
    NumberIsCountedByProcess,
    NumberIsCountedAgainAfterRelease,
    CommitTakesSmallerNumbers,
    CommitTakesGreaterNumbers,
    CommitTakesAnyNumber,
    ReleaseTakesSmallerNumbers,
    ReleaseTakesAnyNumber,

    // Writes.
    ClaimIsDone,
    ClaimIsRolledBack,
    CommitIsRolledBack,
    CommitIsWrittenLater,
    CommitDeletes,
    CommitKeepsTheLease,
    CommitKeepsFromTheClaim,
    CommitNeedsTheLease,
    CommitShortensAtARepeat,
    CommitForgetsTheNumber,
    ReleaseIsRolledBack,
    ReleaseFreesCommitted,
    ReleaseKeepsTheLease,

    // Answers.
    CommitAlwaysSaysCommitted,
    ReleaseAlwaysSaysReleased,
    RepeatedClaimIsFreshAgain,
    ClaimSaysNoLease,
    LagsByACall,
    CachesWhatIsInFlight,

    // Times.
    LeaseEndsEarly,
    LeaseEndsLate,
    LeaseIsFixed,
    LeaseIsInSeconds,
    LeaseIsOfTheClock,
    LeaseNeverEnds,
    ClaimExtendsTheLease,
    RetentionEndsEarly,
    RetentionIsOneDay,
    RetentionIsInSeconds,
    RetentionIsOf32Bits,
    RetentionIsOfTheClock,
    ClaimOfDoneShortens,
    TimesWrap,
    TimesAreNotNegative,

    // Room.
    EvictsTheOldest,
    EvictsWhatIsInFlight,
    EvictsWhatIsDone,
    EvictsTheNewest,

    // Keys.
    KeyIsItsScheme,
    KeyIsItsDebug,
    KeyIsCutTo16Characters,
    KeyIsCutTo32Characters,
    KeyIsOf32Bits,
    KeyIsOfTheFirst48Bits,
    KeyIsOfTheLast56Bits,
}

/// A store that a user could have written over a table, with something wrong.
struct Table {
    /// `None` for a right store.
    fault: Option<Fault>,
    /// The time that a statement is under way.
    network: Duration,
    rows: Mutex<BTreeMap<Vec<u8>, (u64, Row)>>,
    /// The table before the last call.
    replica: Mutex<BTreeMap<Vec<u8>, (u64, Row)>>,
    cache: [Mutex<BTreeMap<Vec<u8>, i64>>; 2],
    /// The writes that come later: the key, the number of calls until the write, and the end of the done key.
    late: Mutex<Vec<(Vec<u8>, u8, i64)>>,
    turns: AtomicU64,
    ages: AtomicU64,
    numbers: [AtomicU64; 2],
}

impl Table {
    fn new(fault: impl Into<Option<Fault>>, network: Duration) -> Self {
        Self {
            fault: fault.into(),
            network,
            rows: Mutex::default(),
            replica: Mutex::default(),
            cache: Default::default(),
            late: Mutex::default(),
            turns: AtomicU64::new(0),
            ages: AtomicU64::new(0),
            numbers: Default::default(),
        }
    }

    fn is(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    /// The next statement is on its way.
    fn wait(&self) {
        if !self.network.is_zero() {
            thread::sleep(self.network);
        }
    }

    fn rows(&self) -> MutexGuard<'_, BTreeMap<Vec<u8>, (u64, Row)>> {
        self.rows.lock().unwrap()
    }

    /// The process that serves this call: two processes take turns.
    fn process(&self) -> usize {
        usize::from(self.turns.load(Ordering::SeqCst) % 2 == 1)
    }

    fn key(&self, key: &Key) -> Vec<u8> {
        let (text, digest) = (key.to_string(), key.digest());
        match self.fault {
            Some(Fault::KeyIsItsScheme) => key.scheme().name().into(),
            Some(Fault::KeyIsItsDebug) => format!("{key:?}").into(),
            Some(Fault::KeyIsCutTo16Characters) => text.chars().take(16).collect::<String>().into(),
            Some(Fault::KeyIsCutTo32Characters) => text.chars().take(32).collect::<String>().into(),
            Some(Fault::KeyIsOf32Bits) => digest.first_chunk::<4>().unwrap().into(),
            Some(Fault::KeyIsOfTheFirst48Bits) => digest.first_chunk::<6>().unwrap().into(),
            Some(Fault::KeyIsOfTheLast56Bits) => digest.last_chunk::<7>().unwrap().into(),
            _ => text.into(),
        }
    }

    fn number(&self, before: Option<Row>, now: i64) -> i64 {
        let next = |process: usize| self.numbers[process].fetch_add(1, Ordering::SeqCst);
        let random = |bits: u32| {
            let mixed = (next(0) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            (mixed ^ (mixed >> 32)) >> (64 - bits)
        };
        let number = match self.fault {
            Some(Fault::NumberIsTheCallersTime) => return now,
            Some(Fault::NumberIsTheSecond) => return clock() / 1_000,
            Some(Fault::NumberIsConstant) => 7,
            Some(Fault::NumberIsARandomByte) => random(8),
            Some(Fault::NumberIsRandomOf16Bits) => random(16),
            Some(Fault::NumberIsCountedInTheRow) => return before.map_or(1, |row| row.fence + 1),
            Some(Fault::NumberIsCountedByProcess) => next(self.process()),
            _ => next(0),
        };
        i64::try_from(number).unwrap_or(i64::MAX)
    }

    fn until(&self, now: i64, span: Duration) -> i64 {
        match self.fault {
            Some(Fault::TimesWrap) => now.wrapping_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)),
            _ => until(now, span),
        }
    }

    fn lease_end(&self, now: i64, lease: Duration) -> i64 {
        match self.fault {
            Some(Fault::LeaseEndsEarly) => self.until(now, lease).saturating_sub(1),
            Some(Fault::LeaseEndsLate) => self.until(now, lease).saturating_add(1),
            Some(Fault::LeaseIsFixed) => self.until(now, Duration::from_secs(60)),
            Some(Fault::LeaseIsInSeconds) => {
                self.until(now, Duration::from_secs(lease.as_secs().saturating_add(1)))
            }
            Some(Fault::LeaseIsOfTheClock) => self.until(clock(), lease),
            Some(Fault::LeaseNeverEnds) => i64::MAX,
            _ => self.until(now, lease),
        }
    }

    fn kept_until(&self, now: i64, key: &Key) -> i64 {
        let retention = key.retention();
        match self.fault {
            Some(Fault::RetentionEndsEarly) => self.until(now, retention).saturating_sub(1),
            Some(Fault::RetentionIsOneDay) => self.until(now, Duration::from_secs(86_400)),
            Some(Fault::RetentionIsInSeconds) => self.until(now, Duration::from_millis(retention.as_secs())),
            Some(Fault::RetentionIsOf32Bits) => {
                let millis = u32::try_from(retention.as_millis() & 0xffff_ffff).unwrap_or(u32::MAX);
                self.until(now, Duration::from_millis(millis.into()))
            }
            Some(Fault::RetentionIsOfTheClock) => self.until(clock(), retention),
            _ => self.until(now, retention),
        }
    }

    fn now(&self, now: i64) -> i64 {
        if self.is(Fault::TimesAreNotNegative) { now.max(0) } else { now }
    }

    /// The answer to a claim, for this row.
    fn slot(&self, row: Option<Row>, now: i64) -> Option<Slot> {
        let row = row.filter(|row| row.until >= now)?;
        if row.done || self.is(Fault::ClaimIsDone) {
            return Some(Slot::Done);
        }
        Some(match self.fault {
            Some(Fault::RepeatedClaimIsFreshAgain) => Slot::Fresh(FencingToken::new(row.fence)),
            Some(Fault::ClaimSaysNoLease) => Slot::InFlight { until: at(now) },
            _ => Slot::InFlight { until: at(row.until) },
        })
    }

    fn evict(&self, rows: &mut BTreeMap<Vec<u8>, (u64, Row)>) {
        let spare = |row: &Row| match self.fault {
            Some(Fault::EvictsWhatIsInFlight) => row.done,
            Some(Fault::EvictsWhatIsDone) => !row.done,
            Some(Fault::EvictsTheOldest | Fault::EvictsTheNewest) => false,
            _ => true,
        };
        let mut ages: Vec<u64> = rows.values().filter(|(_, row)| !spare(row)).map(|&(age, _)| age).collect();
        ages.sort_unstable();
        let evicted = if self.is(Fault::EvictsTheNewest) { ages.pop() } else { ages.first().copied() };
        if rows.len() > 200 {
            rows.retain(|_, &mut (age, _)| Some(age) != evicted);
        }
    }

    /// Does the step that is due now, before anything else.
    fn begin(&self) {
        self.turns.fetch_add(1, Ordering::SeqCst);
        self.late.lock().unwrap().retain_mut(|(key, calls, until)| {
            if *calls == 0
                && let Some((_, row)) = self.rows().get_mut(key)
            {
                (row.done, row.until) = (true, *until);
            }
            *calls = calls.wrapping_sub(1);
            *calls < u8::MAX
        });
        if self.is(Fault::LagsByACall) {
            *self.replica.lock().unwrap() = self.rows().clone();
        }
    }
}

fn clock() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

impl Store for Table {
    type Error = Infallible;

    fn claim(&self, key: &Key, now: Moment, lease: Duration) -> Result<Slot, Infallible> {
        let now = now.unix_millis();
        let name = self.key(key);
        let now = self.now(now);
        let replica = self.replica.lock().unwrap().clone();
        self.begin();
        self.wait();
        let process = if self.is(Fault::CachesWhatIsInFlight) { self.process() } else { 0 };
        if let Some(&until) = self.cache[process].lock().unwrap().get(&name).filter(|&&until| until >= now) {
            return Ok(Slot::InFlight { until: at(until) });
        }
        let mut rows = self.rows();
        let seen = |rows: &BTreeMap<Vec<u8>, (u64, Row)>| rows.get(&name).map(|&(_, row)| row);
        let row = if self.is(Fault::LagsByACall) { seen(&replica) } else { seen(&rows) };
        let asked = |slot: &Slot| !self.is(Fault::ClaimAsksForDoneThenLocks) || *slot == Slot::Done;
        if let Some(slot) = self.slot(row, now).filter(asked) {
            if let (Slot::InFlight { until }, true) = (slot, self.is(Fault::CachesWhatIsInFlight)) {
                self.cache[process].lock().unwrap().insert(name, until.unix_millis());
            } else if let Some((_, row)) = rows.get_mut(&name) {
                match (slot, self.fault) {
                    (Slot::InFlight { .. }, Some(Fault::ClaimExtendsTheLease))
                    | (Slot::Done, Some(Fault::ClaimOfDoneShortens)) => row.until = self.until(now, lease),
                    _ => {}
                }
            }
            return Ok(slot);
        }
        match (self.fault, row) {
            (Some(Fault::ClaimLooksThenWrites), _) | (Some(Fault::TakeoverLooksThenWrites), Some(_)) => {
                drop(rows);
                self.wait();
                rows = self.rows();
            }
            (Some(Fault::TakeoverDeletesThenInserts), Some(_)) => {
                drop(rows);
                self.wait();
                self.rows().remove(&name);
                rows = self.rows();
                if let Some(slot) = self.slot(seen(&rows), now) {
                    return Ok(slot);
                }
            }
            (Some(Fault::ClaimAsksForDoneThenLocks), _) => {
                drop(rows);
                self.wait();
                rows = self.rows();
                if let Some(slot @ Slot::InFlight { .. }) = self.slot(seen(&rows), now) {
                    return Ok(slot);
                }
            }
            (Some(Fault::RewritesTheFile), _) => {
                let mut file = rows.clone();
                drop(rows);
                self.wait();
                let row =
                    Row { fence: self.number(row, now), done: false, until: self.lease_end(now, lease) };
                file.insert(name, (0, row));
                *self.rows() = file;
                return Ok(Slot::Fresh(FencingToken::new(row.fence)));
            }
            _ => {}
        }
        let row = Row { fence: self.number(row, now), done: false, until: self.lease_end(now, lease) };
        let age = self.ages.fetch_add(1, Ordering::SeqCst);
        if !self.is(Fault::ClaimIsRolledBack) {
            rows.insert(name, (age, row));
        }
        self.evict(&mut rows);
        Ok(Slot::Fresh(FencingToken::new(row.fence)))
    }

    fn commit(&self, key: &Key, fence: FencingToken, now: Moment) -> Result<Commit, Infallible> {
        let now = now.unix_millis();
        let name = self.key(key);
        let now = self.now(now);
        self.begin();
        self.wait();
        let (number, kept) = (fence.number(), self.kept_until(now, key));
        let done = Row { fence: number, done: true, until: kept };
        let mut rows = self.rows();
        let Some(&(age, row)) = rows.get(&name) else {
            if self.is(Fault::CommitNeedsTheLease) {
                return Ok(Commit::Lost);
            }
            rows.insert(name, (0, done));
            return Ok(Commit::Committed);
        };
        let mine = match self.fault {
            Some(Fault::CommitTakesAnyNumber) => true,
            Some(Fault::CommitTakesSmallerNumbers) => number <= row.fence,
            Some(Fault::CommitTakesGreaterNumbers) => number >= row.fence,
            Some(Fault::CommitNeedsTheLease) => number == row.fence && (row.done || row.until >= now),
            _ => number == row.fence,
        };
        if !mine {
            let says_so = self.is(Fault::CommitAlwaysSaysCommitted);
            return Ok(if says_so { Commit::Committed } else { Commit::Lost });
        }
        let mut done = Row { until: row.until.max(kept), ..done };
        match self.fault {
            Some(Fault::CommitLooksThenWrites) => {
                drop(rows);
                self.wait();
                self.rows().insert(name, (age, done));
                return Ok(Commit::Committed);
            }
            Some(Fault::CommitLooksThenMarks) => {
                drop(rows);
                self.wait();
                if let Some((_, row)) = self.rows().get_mut(&name) {
                    (row.done, row.until) = (true, done.until);
                }
                return Ok(Commit::Committed);
            }
            Some(Fault::CommitLooksThenDoesNotCount) => {
                drop(rows);
                self.wait();
                if let Some((_, row)) = self.rows().get_mut(&name)
                    && row.fence == number
                {
                    *row = done;
                }
                return Ok(Commit::Committed);
            }
            Some(Fault::CommitDeletesThenInserts) => {
                rows.remove(&name);
                drop(rows);
                self.wait();
                self.rows().insert(name, (age, done));
                return Ok(Commit::Committed);
            }
            Some(Fault::RewritesTheFile) => {
                let mut file = rows.clone();
                drop(rows);
                self.wait();
                file.insert(name, (age, done));
                *self.rows() = file;
                return Ok(Commit::Committed);
            }
            Some(Fault::CommitIsRolledBack) => return Ok(Commit::Committed),
            Some(Fault::CommitIsWrittenLater) => {
                drop(rows);
                self.late.lock().unwrap().push((name, 1, done.until));
                return Ok(Commit::Committed);
            }
            Some(Fault::CommitDeletes) => {
                rows.remove(&name);
                return Ok(Commit::Committed);
            }
            Some(Fault::CommitKeepsTheLease) => done.until = row.until,
            Some(Fault::CommitKeepsFromTheClaim) => {
                done.until = row.until.saturating_sub(100).saturating_add(kept.saturating_sub(now));
            }
            Some(Fault::CommitShortensAtARepeat) => done.until = kept,
            Some(Fault::CommitForgetsTheNumber) => done.fence = -1,
            _ => {}
        }
        if let Some(place) = rows.get_mut(&name) {
            *place = (age, done);
        }
        Ok(Commit::Committed)
    }

    fn release(&self, key: &Key, fence: FencingToken) -> Result<Release, Infallible> {
        let name = self.key(key);
        self.begin();
        self.wait();
        let number = fence.number();
        let mut rows = self.rows();
        let row = rows.get(&name).map(|&(_, row)| row);
        let held = row.is_some_and(|row| {
            let mine = match self.fault {
                Some(Fault::ReleaseTakesAnyNumber) => true,
                Some(Fault::ReleaseTakesSmallerNumbers) => number <= row.fence,
                _ => number == row.fence,
            };
            mine && (!row.done || self.is(Fault::ReleaseFreesCommitted))
        });
        if !held {
            let says_so = self.is(Fault::ReleaseAlwaysSaysReleased);
            return Ok(if says_so { Release::Released } else { Release::Lost });
        }
        match self.fault {
            Some(Fault::ReleaseLooksThenDeletes) => {
                drop(rows);
                self.wait();
                self.rows().remove(&name);
            }
            Some(Fault::ReleaseLooksThenEnds) => {
                drop(rows);
                self.wait();
                if let Some((_, row)) = self.rows().get_mut(&name) {
                    row.until = i64::MIN;
                }
            }
            Some(Fault::ReleaseLooksThenDeletesItsOwn) => {
                drop(rows);
                self.wait();
                let mut rows = self.rows();
                if rows.get(&name).is_some_and(|(_, row)| row.fence == number) {
                    rows.remove(&name);
                }
            }
            Some(Fault::RewritesTheFile) => {
                let mut file = rows.clone();
                drop(rows);
                self.wait();
                file.remove(&name);
                *self.rows() = file;
            }
            Some(Fault::ReleaseIsRolledBack) => {}
            Some(Fault::ReleaseKeepsTheLease) => {
                if let Some((_, row)) = rows.get_mut(&name) {
                    row.fence = -1;
                }
            }
            Some(Fault::NumberIsCountedAgainAfterRelease) => {
                self.numbers[0].store(0, Ordering::SeqCst);
                rows.remove(&name);
            }
            _ => {
                rows.remove(&name);
            }
        }
        Ok(Release::Released)
    }
}

/// Numbers that come back or are not compared, and the law that each fault breaks.
const NUMBERS: [(Fault, Law); 13] = [
    (Fault::NumberIsTheCallersTime, Law::NumbersNeverComeBack),
    (Fault::NumberIsTheSecond, Law::NumbersNeverComeBack),
    (Fault::NumberIsARandomByte, Law::NumbersNeverComeBack),
    (Fault::NumberIsRandomOf16Bits, Law::NumbersNeverComeBack),
    (Fault::NumberIsConstant, Law::NumbersNeverComeBack),
    (Fault::NumberIsCountedInTheRow, Law::NumbersNeverComeBack),
    (Fault::NumberIsCountedByProcess, Law::NumbersNeverComeBack),
    (Fault::NumberIsCountedAgainAfterRelease, Law::NumbersNeverComeBack),
    (Fault::CommitTakesSmallerNumbers, Law::LateCommitIsLost),
    (Fault::CommitTakesGreaterNumbers, Law::LateCommitIsLost),
    (Fault::CommitTakesAnyNumber, Law::LateCommitIsLost),
    (Fault::ReleaseTakesSmallerNumbers, Law::LateReleaseIsLost),
    (Fault::ReleaseTakesAnyNumber, Law::LateReleaseIsLost),
];

/// Answers and writes that do not belong together.
const WRITES: [(Fault, Law); 19] = [
    (Fault::CommitAlwaysSaysCommitted, Law::LateCommitIsLost),
    (Fault::ReleaseAlwaysSaysReleased, Law::LateReleaseIsLost),
    (Fault::ReleaseFreesCommitted, Law::CommitCanBeRepeated),
    (Fault::RepeatedClaimIsFreshAgain, Law::ClaimIsNoCommit),
    (Fault::ClaimIsRolledBack, Law::ClaimIsNoCommit),
    (Fault::LagsByACall, Law::ClaimIsNoCommit),
    (Fault::CommitIsRolledBack, Law::CommitIsRemembered),
    (Fault::CommitIsWrittenLater, Law::CommitIsRemembered),
    (Fault::CommitDeletes, Law::CommitIsRemembered),
    (Fault::CommitKeepsTheLease, Law::CommitIsRemembered),
    (Fault::CommitKeepsFromTheClaim, Law::CommitIsRemembered),
    (Fault::CommitShortensAtARepeat, Law::CommitCanBeRepeated),
    (Fault::CommitForgetsTheNumber, Law::CommitCanBeRepeated),
    (Fault::ClaimIsDone, Law::ClaimIsNoCommit),
    (Fault::ClaimSaysNoLease, Law::ClaimHoldsForItsLease),
    (Fault::CommitNeedsTheLease, Law::CommitOutlivesTheLease),
    (Fault::ReleaseIsRolledBack, Law::ReleaseFrees),
    (Fault::ReleaseKeepsTheLease, Law::ReleaseFrees),
    (Fault::CachesWhatIsInFlight, Law::ReleaseFrees),
];

/// Leases and retentions that end too early or too late.
const TIMES: [(Fault, Law); 15] = [
    (Fault::LeaseEndsEarly, Law::ClaimHoldsForItsLease),
    (Fault::LeaseIsOfTheClock, Law::ClaimHoldsForItsLease),
    (Fault::TimesWrap, Law::AnyTimeIsATime),
    (Fault::ClaimOfDoneShortens, Law::CommitIsRemembered),
    (Fault::RetentionEndsEarly, Law::CommitIsRemembered),
    (Fault::RetentionIsOneDay, Law::CommitIsRemembered),
    (Fault::RetentionIsInSeconds, Law::CommitIsRemembered),
    (Fault::RetentionIsOf32Bits, Law::CommitIsRemembered),
    (Fault::RetentionIsOfTheClock, Law::CommitIsRemembered),
    (Fault::LeaseNeverEnds, Law::ClaimIsNoCommit),
    (Fault::LeaseIsFixed, Law::ClaimHoldsForItsLease),
    (Fault::LeaseIsInSeconds, Law::ClaimHoldsForItsLease),
    (Fault::LeaseEndsLate, Law::ClaimHoldsForItsLease),
    (Fault::ClaimExtendsTheLease, Law::ClaimHoldsForItsLease),
    (Fault::TimesAreNotNegative, Law::ClaimHoldsForItsLease),
];

/// Entries thrown out for room, and keys taken for other keys.
const ROOM_AND_KEYS: [(Fault, Law); 11] = [
    (Fault::EvictsTheOldest, Law::NothingIsForgottenForRoom),
    (Fault::EvictsTheNewest, Law::NothingIsForgottenForRoom),
    (Fault::EvictsWhatIsInFlight, Law::NothingIsForgottenForRoom),
    (Fault::EvictsWhatIsDone, Law::NothingIsForgottenForRoom),
    (Fault::KeyIsItsDebug, Law::KeysAreIndependent),
    (Fault::KeyIsItsScheme, Law::KeysAreIndependent),
    (Fault::KeyIsCutTo16Characters, Law::KeysAreIndependent),
    (Fault::KeyIsCutTo32Characters, Law::KeysAreIndependent),
    (Fault::KeyIsOf32Bits, Law::KeysAreIndependent),
    (Fault::KeyIsOfTheFirst48Bits, Law::KeysAreIndependent),
    (Fault::KeyIsOfTheLast56Bits, Law::KeysAreIndependent),
];

/// The stores whose operation is more than one step, and the law that each breaks.
const RACY: [(Fault, Law); 12] = [
    (Fault::ClaimLooksThenWrites, Law::OneOfManyIsFresh),
    (Fault::TakeoverLooksThenWrites, Law::OneOfManyTakesOver),
    (Fault::TakeoverDeletesThenInserts, Law::OneOfManyTakesOver),
    (Fault::ClaimAsksForDoneThenLocks, Law::ClaimSparesCommit),
    (Fault::CommitLooksThenWrites, Law::CommitOrTakeover),
    (Fault::CommitLooksThenMarks, Law::CommitOrTakeover),
    (Fault::CommitLooksThenDoesNotCount, Law::CommitOrTakeover),
    (Fault::CommitDeletesThenInserts, Law::ClaimSparesCommit),
    (Fault::ReleaseLooksThenDeletes, Law::ReleaseSparesTakeover),
    (Fault::ReleaseLooksThenEnds, Law::ReleaseSparesTakeover),
    (Fault::ReleaseLooksThenDeletesItsOwn, Law::ReleaseSparesCommit),
    (Fault::RewritesTheFile, Law::ManyKeysAtOnce),
];

/// Asserts that the suite fails the store, and that the named law alone fails the store too.
fn fails<S: Store<Error = Infallible> + Sync>(law: Law, what: impl Debug, make: impl Fn() -> S) {
    assert_eq!(check_law(law, &make).err().map(|broken| broken.law()), Some(law), "{what:?}");
    assert!(check_store(&make).is_err(), "{what:?}");
}

const AT_ONCE: Duration = Duration::ZERO;
/// From the next room to another continent.
const NETWORKS: [Duration; 3] =
    [Duration::from_micros(500), Duration::from_millis(5), Duration::from_millis(20)];

#[test]
fn wrong_numbers_fail() {
    for (fault, law) in NUMBERS {
        fails(law, fault, || Table::new(fault, AT_ONCE));
    }
}

#[test]
fn wrong_writes_and_answers_fail() {
    for (fault, law) in WRITES {
        fails(law, fault, || Table::new(fault, AT_ONCE));
    }
}

#[test]
fn wrong_times_fail() {
    for (fault, law) in TIMES {
        fails(law, fault, || Table::new(fault, AT_ONCE));
    }
}

#[test]
fn wrong_bounds_and_keys_fail() {
    for (fault, law) in ROOM_AND_KEYS {
        fails(law, fault, || Table::new(fault, AT_ONCE));
    }
}

#[test]
fn operations_of_two_steps_fail_on_every_network() {
    for (fault, law) in RACY {
        for network in NETWORKS {
            let broken = check_law(law, || Table::new(fault, network)).err();
            assert_eq!(broken.map(|broken| broken.law()), Some(law), "{fault:?} {network:?}");
        }
        assert!(check_store(|| Table::new(fault, NETWORKS[0])).is_err(), "{fault:?}");
    }
}

/// Two stores that were written in earnest: an event is processed twice, each time that another call comes in
/// between.
#[test]
fn a_late_release_that_deletes_and_a_late_commit_that_overwrites_fail_every_time() {
    for _ in 0..4 {
        let release = || Table::new(Fault::ReleaseLooksThenDeletes, Duration::from_millis(20));
        assert!(check_law(Law::ReleaseSparesTakeover, release).is_err());
        let commit = || Table::new(Fault::CommitLooksThenWrites, Duration::from_millis(20));
        assert!(check_law(Law::CommitOrTakeover, commit).is_err());
    }
}

#[test]
fn no_wrong_store_is_left_out() {
    let all = [&NUMBERS[..], &WRITES, &TIMES, &ROOM_AND_KEYS, &RACY].concat();
    for (place, (fault, _)) in all.iter().enumerate() {
        assert!(all[..place].iter().all(|(other, _)| other != fault), "{fault:?} twice");
    }
    assert!(all.len() >= 30);
}

// Right stores, of several makes.

/// The ways in which a store of another make differs from [`Table`], and is right.
#[derive(Clone, Copy, Debug)]
enum Make {
    /// Drops at every call every entry that has ended.
    Forgets,
    /// Never drops anything, and a committed key is done for ever.
    KeepsForEver,
    /// Numbers from a generator of 64 bits.
    RandomNumbers,
    /// Looks, computes, and writes if nothing has changed; otherwise again.
    Optimistic,
    /// One table of claims and one table of done keys, under one lock.
    TwoTables,
    /// Holds the lock while it waits.
    Serial,
}

struct Right {
    make: Make,
    rows: Mutex<BTreeMap<Key, Row>>,
    done: Mutex<BTreeMap<Key, Row>>,
    version: AtomicU64,
    number: AtomicU64,
}

impl Right {
    fn new(make: Make) -> Self {
        let (rows, done) = (Mutex::default(), Mutex::default());
        Self { make, rows, done, version: AtomicU64::new(0), number: AtomicU64::new(0) }
    }

    /// One atomic step on the row of a key.
    fn step<T>(&self, key: &Key, now: i64, step: impl Fn(Option<Row>) -> (Option<Row>, T)) -> T {
        loop {
            let mut rows = self.rows.lock().unwrap();
            match self.make {
                Make::Forgets => rows.retain(|_, row| row.until >= now),
                Make::Serial => thread::sleep(Duration::from_micros(50)),
                _ => {}
            }
            let mut done = self.done.lock().unwrap();
            let row = done.get(key).or_else(|| rows.get(key)).copied();
            if let Make::Optimistic = self.make {
                let version = self.version.load(Ordering::SeqCst);
                drop((rows, done));
                let (row, said) = step(row);
                rows = self.rows.lock().unwrap();
                if self.version.load(Ordering::SeqCst) != version {
                    continue;
                }
                self.version.fetch_add(1, Ordering::SeqCst);
                match row {
                    Some(row) => rows.insert(*key, row),
                    None => rows.remove(key),
                };
                return said;
            }
            let (row, said) = step(row);
            rows.remove(key);
            done.remove(key);
            let two_tables = matches!(self.make, Make::TwoTables);
            match row {
                Some(row) if row.done && two_tables => done.insert(*key, row),
                Some(row) => rows.insert(*key, row),
                None => None,
            };
            return said;
        }
    }

    fn number(&self) -> i64 {
        let number = self.number.fetch_add(1, Ordering::SeqCst) + 1;
        if let Make::RandomNumbers = self.make {
            // The mixing of `splitmix64`, a permutation.
            let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            return i64::from_ne_bytes((mixed ^ (mixed >> 31)).to_ne_bytes());
        }
        i64::try_from(number).unwrap()
    }
}

impl Store for Right {
    type Error = Infallible;

    fn claim(&self, key: &Key, now: Moment, lease: Duration) -> Result<Slot, Infallible> {
        let now = now.unix_millis();
        Ok(self.step(key, now, |row| match row.filter(|row| row.until >= now) {
            Some(row) if row.done => (Some(row), Slot::Done),
            Some(row) => (Some(row), Slot::InFlight { until: at(row.until) }),
            None => {
                let fence = self.number();
                (
                    Some(Row { fence, done: false, until: until(now, lease) }),
                    Slot::Fresh(FencingToken::new(fence)),
                )
            }
        }))
    }

    fn commit(&self, key: &Key, fence: FencingToken, now: Moment) -> Result<Commit, Infallible> {
        let now = now.unix_millis();
        let kept = match self.make {
            Make::KeepsForEver => i64::MAX,
            _ => until(now, key.retention()),
        };
        Ok(self.step(key, now, |row| {
            if row.is_some_and(|row| row.fence != fence.number()) {
                return (row, Commit::Lost);
            }
            let until = row.map_or(kept, |row| row.until.max(kept));
            (Some(Row { fence: fence.number(), done: true, until }), Commit::Committed)
        }))
    }

    fn release(&self, key: &Key, fence: FencingToken) -> Result<Release, Infallible> {
        Ok(self.step(key, i64::MIN, |row| match row {
            Some(row) if row.fence == fence.number() && !row.done => (None, Release::Released),
            row => (row, Release::Lost),
        }))
    }
}

#[test]
fn right_stores_of_several_makes_pass() {
    let makes = [
        Make::Forgets,
        Make::KeepsForEver,
        Make::RandomNumbers,
        Make::Optimistic,
        Make::TwoTables,
        Make::Serial,
    ];
    for make in makes {
        assert_eq!(check_store(|| Right::new(make)), Ok(()), "{make:?}");
    }
}

#[test]
fn right_stores_behind_a_network_pass() {
    assert_eq!(check_store(|| Table::new(None, AT_ONCE)), Ok(()));
    assert_eq!(check_store(|| Table::new(None, Duration::from_millis(1))), Ok(()));
    assert_eq!(check_store(|| MemoryStore::new(2_000)), Ok(()));
}

// Asynchronous stores: between two polls, everything else can happen.

/// The fault of a [`Steps`] store.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Wrong {
    ClaimAsksForDoneThenLocks,
    CommitLooksThenWrites,
    CommitDeletesThenInserts,
    ReleaseLooksThenDeletes,
    ReleaseLooksThenDeletesItsOwn,
    /// Marks the row as being released, waits, and takes the mark back.
    ReleaseMarksThenDeletes,
}

/// A store that waits for its network between any two statements, and for a lock if the store is right.
struct Steps {
    wrong: Option<Wrong>,
    rows: Mutex<BTreeMap<Key, Row>>,
    locked: AtomicBool,
    number: AtomicI64,
}

/// Held across the waiting; a dropped future gives the lock back.
struct Lock<'s>(&'s AtomicBool);

impl Drop for Lock<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
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

impl Steps {
    fn new(wrong: Option<Wrong>) -> Self {
        Self { wrong, rows: Mutex::default(), locked: AtomicBool::new(false), number: AtomicI64::new(0) }
    }

    fn get(&self, key: &Key) -> Option<Row> {
        self.rows.lock().unwrap().get(key).copied()
    }

    fn put(&self, key: &Key, row: Row) {
        self.rows.lock().unwrap().insert(*key, row);
    }

    fn remove(&self, key: &Key) {
        self.rows.lock().unwrap().remove(key);
    }

    async fn lock(&self) -> Option<Lock<'_>> {
        step().await;
        if self.wrong.is_some() {
            return None;
        }
        while self.locked.swap(true, Ordering::SeqCst) {
            step().await;
        }
        let lock = Lock(&self.locked);
        step().await;
        Some(lock)
    }
}

impl AsyncStore for Steps {
    type Error = Infallible;

    async fn claim(&self, key: &Key, now: Moment, lease: Duration) -> Result<Slot, Infallible> {
        let now = now.unix_millis();
        let lock = self.lock().await;
        let row = self.get(key).filter(|row| row.until >= now);
        if row.is_some_and(|row| row.done) {
            return Ok(Slot::Done);
        }
        if self.wrong == Some(Wrong::ClaimAsksForDoneThenLocks) {
            step().await;
        }
        let row = self.get(key).filter(|row| row.until >= now && !row.done);
        if let Some(Row { until, .. }) = row {
            return Ok(Slot::InFlight { until: at(until) });
        }
        let fence = self.number.fetch_add(1, Ordering::SeqCst);
        self.put(key, Row { fence, done: false, until: until(now, lease) });
        drop(lock);
        step().await;
        Ok(Slot::Fresh(FencingToken::new(fence)))
    }

    async fn commit(&self, key: &Key, fence: FencingToken, now: Moment) -> Result<Commit, Infallible> {
        let now = now.unix_millis();
        let lock = self.lock().await;
        let row = self.get(key);
        if row.is_some_and(|row| row.fence != fence.number()) {
            return Ok(Commit::Lost);
        }
        if self.wrong == Some(Wrong::CommitDeletesThenInserts) {
            self.remove(key);
        }
        if lock.is_some()
            || matches!(self.wrong, Some(Wrong::CommitDeletesThenInserts | Wrong::CommitLooksThenWrites))
        {
            step().await;
        }
        let kept = until(now, key.retention());
        let until = row.map_or(kept, |row| row.until.max(kept));
        self.put(key, Row { fence: fence.number(), done: true, until });
        drop(lock);
        step().await;
        Ok(Commit::Committed)
    }

    async fn release(&self, key: &Key, fence: FencingToken) -> Result<Release, Infallible> {
        let lock = self.lock().await;
        let mine = |row: &Row| row.fence == fence.number() && !row.done;
        let Some(row) = self.get(key).filter(mine) else { return Ok(Release::Lost) };
        if self.wrong == Some(Wrong::ReleaseMarksThenDeletes) {
            self.put(key, Row { fence: -1, ..row });
        }
        if lock.is_some()
            || !matches!(
                self.wrong,
                None | Some(
                    Wrong::ClaimAsksForDoneThenLocks
                        | Wrong::CommitLooksThenWrites
                        | Wrong::CommitDeletesThenInserts
                )
            )
        {
            step().await;
        }
        let spared = self.wrong == Some(Wrong::ReleaseLooksThenDeletesItsOwn)
            && self.get(key).is_some_and(|row| row.fence != fence.number());
        if !spared {
            self.remove(key);
        }
        drop(lock);
        step().await;
        Ok(Release::Released)
    }
}

#[test]
fn asynchronous_operations_of_two_steps_fail_by_steps() {
    let wrong = [
        (Wrong::ClaimAsksForDoneThenLocks, Law::ClaimSparesCommit),
        (Wrong::CommitLooksThenWrites, Law::CommitOrTakeover),
        (Wrong::CommitDeletesThenInserts, Law::ClaimSparesCommit),
        (Wrong::CommitDeletesThenInserts, Law::DroppedCommitCanBeRepeated),
        (Wrong::ReleaseLooksThenDeletes, Law::ReleaseSparesTakeover),
        (Wrong::ReleaseLooksThenDeletesItsOwn, Law::ReleaseSparesCommit),
        (Wrong::ReleaseMarksThenDeletes, Law::DroppedReleaseCanBeRepeated),
    ];
    let block_on = |future: Task<'_>| pollster::block_on(future);
    for (wrong, law) in wrong {
        let make = || Steps::new(Some(wrong));
        let broken = check_async_law(law, make, block_on).err();
        assert_eq!(broken.map(|broken| broken.law()), Some(law), "{wrong:?}");
        assert!(check_async_store(make, block_on).is_err(), "{wrong:?}");
    }
}

#[test]
fn a_late_release_that_deletes_is_reported_in_words() {
    let make = || Steps::new(Some(Wrong::ReleaseLooksThenDeletes));
    let block_on = |future: Task<'_>| pollster::block_on(future);
    let broken = check_async_law(Law::ReleaseSparesTakeover, make, block_on).unwrap_err();
    assert_eq!(
        broken.to_string(),
        "a release spares a takeover: of a key that was claimed fresh while a release ran after a lease and a \
         claim came in between, a claim said fresh, not in flight",
    );
    let make = || Steps::new(Some(Wrong::CommitLooksThenWrites));
    let broken = check_async_law(Law::CommitOrTakeover, make, block_on).unwrap_err();
    assert_eq!(
        broken.to_string(),
        "a commit and a takeover exclude each other: while a commit ran after a lease and a claim came in \
         between, the first heard committed and the other fresh, which no order explains",
    );
}

#[test]
fn an_asynchronous_store_that_waits_for_a_lock_passes() {
    assert_eq!(check_async_store(|| Steps::new(None), |future| pollster::block_on(future)), Ok(()));
}
