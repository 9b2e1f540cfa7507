//! Wrong stores fail the suite, each by the law that the store breaks.
#![cfg(feature = "conformance")]
#![allow(clippy::wildcard_enum_match_arm, reason = "tests")]

use checkout_engine::conformance::{self, Law, ManualClock};
use checkout_engine::{
    Ask, Checkout, Claimed, ClaimedNews, Decided, Decision, Figures, Filter, Inserted, Lane, Lease, Memory,
    New, Next, Nudge, Nudged, Overview, ReadMade, Store, StoreError, Target, Unmatched, Write, Written,
};
use checkout_tables::Moment;
use pollster::block_on;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    InsertHasNoLease,
    InsertIsAlwaysFresh,
    ClaimTakesEveryLane,
    ClaimTakesOneMore,
    ClaimReturnsFencesAgain,
    ClaimHidesNudges,
    ClaimHidesNames,
    ClaimCountsNoTries,
    ClaimIsNeverLate,
    ClaimIsGivenTwice,
    ClaimOfNothingKnowsNothing,
    WriteIgnoresTheFence,
    WriteForgetsTheWait,
    WriteForgetsNews,
    WriteForgetsTheWatchAtAnEnd,
    WriteKeepsNothing,
    WriteKeepsWhatIsOver,
    WriteHidesLaterNudges,
    BackCountsAsAWrite,
    WriteTellsNewsThoughLost,
    ReadThatWasSentFreesItsPlace,
    UnusedPlaceIsKept,
    SentCountsAsAnswered,
    NudgeForgetsEvents,
    NudgeFindsByReferenceAlone,
    DecisionIgnoresTheVersion,
    DecisionForgetsTheReason,
    DecisionEndsNudges,
    DecisionForgetsTheName,
    NewsHasNoLease,
    NewsIgnoresTheFence,
    NewsComesAtOnceAgain,
    NewsCountsNoFailures,
    SuspectNewsHasCompany,
    ListIgnoresAfter,
    ListIsOneShort,
    ListIgnoresTheId,
    OverviewCallsAllWorkLeased,
    OverviewHidesNudges,
    UnmatchedIgnoresAfter,
    UnmatchedIsOneShort,
    SweepDeletesNothing,
    EmptyTextIsNone,
    LimitIsOfTheProcess,
}

/// A store with one fault, around a right store.
struct Wrong {
    right: Memory,
    fault: Fault,
    /// The last lease of each checkout.
    leases: Mutex<BTreeMap<String, Lease>>,
    /// The last claim of each piece of news.
    news: Mutex<BTreeMap<String, i64>>,
    last: Mutex<Option<Claimed>>,
    lanes: Mutex<Vec<Lane>>,
    /// The checkouts that no nudge has come to since a decision, and whether the decision made work.
    decided: Mutex<BTreeMap<String, bool>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Wrong {
    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn seen(&self, mut row: Checkout) -> Checkout {
        if self.is(Fault::EmptyTextIsNone) {
            row.hold = row.hold.filter(|hold| !hold.is_empty());
        }
        row
    }

    fn leased(&self, lease: &Lease) {
        locked(&self.leases).insert(lease.id.clone(), lease.clone());
    }

    /// The last lease of the work.
    fn last_lease(&self, lease: &Lease) -> Lease {
        locked(&self.leases).get(&lease.id).cloned().unwrap_or_else(|| lease.clone())
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

impl Store for Wrong {
    async fn now(&self) -> Result<Moment, StoreError> {
        self.right.now().await
    }

    async fn lanes(&self, lanes: &[Lane]) -> Result<(), StoreError> {
        locked(&self.lanes).extend(lanes.iter().cloned());
        if self.is(Fault::LimitIsOfTheProcess) {
            let without: Vec<Lane> = lanes.iter().cloned().map(|lane| Lane { limit: None, ..lane }).collect();
            self.right.lanes(&without).await?;
        }
        self.right.lanes(lanes).await
    }

    async fn insert(&self, new: &New<'_>) -> Result<Inserted, StoreError> {
        let lease = if self.is(Fault::InsertHasNoLease) { Duration::ZERO } else { new.lease };
        let inserted = self.right.insert(&New { lease, ..*new }).await?;
        Ok(match inserted {
            Inserted::Fresh(lease, row) => {
                self.leased(&lease);
                Inserted::Fresh(lease, self.seen(row))
            }
            Inserted::Exists(row) if self.is(Fault::InsertIsAlwaysFresh) => {
                Inserted::Fresh(Lease { id: row.id.clone(), fence: 0, nudges: 0 }, row)
            }
            other @ (Inserted::Exists(_) | Inserted::SameReference(_)) => other,
        })
    }

    async fn claim(&self, ask: &Ask<'_>) -> Result<Claimed, StoreError> {
        let every: Vec<String> = ["m", "n", "M"].iter().map(|of| format!("allscale/{of}")).collect();
        let lanes = if self.is(Fault::ClaimTakesEveryLane) { &every } else { ask.lanes };
        let max = ask.max + usize::from(self.is(Fault::ClaimTakesOneMore));
        if self.is(Fault::LimitIsOfTheProcess) {
            // The process has begun again.
            let lanes: Vec<Lane> =
                locked(&self.lanes).iter().cloned().map(|l| Lane { limit: None, ..l }).collect();
            self.right.lanes(&lanes).await?;
        }
        let mut claimed = self.right.claim(&Ask { lanes, max, ..*ask }).await?;
        if self.is(Fault::ClaimOfNothingKnowsNothing) && ask.max == 0 {
            claimed.next = None;
        }
        let decided = locked(&self.decided).clone();
        if self.is(Fault::DecisionEndsNudges) {
            claimed.due.retain(|due| decided.get(&due.lease.id) != Some(&false));
        }
        for due in &mut claimed.due {
            self.leased(&due.lease);
            due.checkout = self.seen(due.checkout.clone());
            match self.fault {
                Fault::ClaimReturnsFencesAgain => due.lease.fence %= 4,
                Fault::ClaimHidesNudges => due.nudged = false,
                Fault::ClaimHidesNames => due.named = None,
                Fault::DecisionForgetsTheName if decided.contains_key(&due.lease.id) => due.named = None,
                Fault::ClaimCountsNoTries => due.tries = 1,
                Fault::ClaimIsNeverLate => due.late = Duration::ZERO,
                _ => {}
            }
        }
        if self.is(Fault::ClaimIsGivenTwice) {
            // A caller that waits for the database is given what another caller has.
            let other = locked(&self.last).replace(claimed.clone());
            step().await;
            let given = locked(&self.last).take();
            if let (Some(other), true) = (other, claimed.due.is_empty()) {
                return Ok(other);
            }
            drop(given);
        }
        Ok(claimed)
    }

    async fn write(&self, lease: &Lease, write: &Write) -> Result<Written, StoreError> {
        let mut lease = lease.clone();
        let mut write = write.clone();
        match (self.fault, &mut write.next) {
            (Fault::ClaimReturnsFencesAgain, _) => {
                let last = self.last_lease(&lease);
                if last.fence % 4 == lease.fence {
                    lease.fence = last.fence;
                }
            }
            (Fault::WriteIgnoresTheFence, _) => lease.fence = self.last_lease(&lease).fence,
            (Fault::WriteForgetsTheWait, _) => write.lane_wait = None,
            (Fault::WriteForgetsNews, _) => write.news.clear(),
            (Fault::WriteForgetsTheWatchAtAnEnd, Next::Ended { watch }) => watch.clear(),
            (Fault::WriteKeepsNothing, Next::Keep) => {
                write.next = Next::Due { after: Duration::ZERO, watch: String::new() };
            }
            (Fault::WriteKeepsWhatIsOver, Next::Keep) => {
                if self.right.write(&lease, &write).await? == Written::Done {
                    return Ok(Written::Done);
                }
                write.next = Next::Due { after: Duration::ZERO, watch: String::new() };
            }
            (Fault::BackCountsAsAWrite, Next::Back { after }) => {
                write.next = Next::Due { after: *after, watch: "watch".to_owned() };
            }
            (Fault::WriteHidesLaterNudges, _) => lease.nudges = i64::MAX,
            (Fault::ReadThatWasSentFreesItsPlace, _) if write.read == ReadMade::Sent => {
                write.read = ReadMade::None;
            }
            (Fault::UnusedPlaceIsKept, _) if write.read == ReadMade::None => write.read = ReadMade::Sent,
            (Fault::SentCountsAsAnswered, _) if write.read == ReadMade::Sent => {
                write.read = ReadMade::Answered
            }
            _ => {}
        }
        let written = self.right.write(&lease, &write).await?;
        if self.is(Fault::WriteTellsNewsThoughLost) && written == Written::Lost && !write.news.is_empty() {
            let last = self.last_lease(&lease);
            let news =
                Write { checkout: None, next: Next::Keep, lane_wait: None, read: ReadMade::None, ..write };
            let _ = self.right.write(&last, &news).await?;
        }
        Ok(written)
    }

    async fn nudge(&self, nudge: &Nudge<'_>) -> Result<Nudged, StoreError> {
        let mut nudge = *nudge;
        if self.is(Fault::NudgeForgetsEvents) {
            nudge.event = &[];
        }
        if let (Fault::NudgeFindsByReferenceAlone, Target::Named { checkout_id, reference, .. }) =
            (self.fault, &mut nudge.target)
            && reference.is_some()
        {
            *checkout_id = None;
        }
        let nudged = self.right.nudge(&nudge).await?;
        if let Nudged::Queued { id } = &nudged {
            locked(&self.decided).remove(id);
        }
        Ok(nudged)
    }

    async fn decide(&self, decision: &Decision<'_>) -> Result<Written, StoreError> {
        let mut checkout = decision.checkout.clone();
        if self.is(Fault::DecisionIgnoresTheVersion) {
            checkout.version = self.right.checkout(&checkout.id).await?.map_or(0, |row| row.version);
        }
        let reason = if self.is(Fault::DecisionForgetsTheReason) { "" } else { decision.reason };
        let decided = Decision { checkout: &checkout, reason, ..decision.clone() };
        let written = self.right.decide(&decided).await?;
        if written == Written::Done {
            locked(&self.decided).insert(checkout.id, decision.work);
        }
        Ok(written)
    }

    async fn claim_news(&self, max: usize, lease: Duration) -> Result<Vec<ClaimedNews>, StoreError> {
        let lease = if self.is(Fault::NewsHasNoLease) { Duration::ZERO } else { lease };
        let mut claimed = self.right.claim_news(max, lease).await?;
        if self.is(Fault::SuspectNewsHasCompany) && !claimed.is_empty() {
            claimed.extend(self.right.claim_news(max - claimed.len(), lease).await?);
        }
        for one in &mut claimed {
            if self.is(Fault::NewsCountsNoFailures) {
                one.failed = 0;
            }
            locked(&self.news).insert(one.news.key.clone(), one.fence);
        }
        Ok(claimed)
    }

    async fn news_told(&self, key: &str, fence: i64, again: Option<Duration>) -> Result<Written, StoreError> {
        let last = locked(&self.news).get(key).copied().unwrap_or(fence);
        let fence = if self.is(Fault::NewsIgnoresTheFence) { last } else { fence };
        let at_once = self.is(Fault::NewsComesAtOnceAgain);
        let again = again.map(|span| if at_once { Duration::ZERO } else { span });
        self.right.news_told(key, fence, again).await
    }

    async fn checkout(&self, id: &str) -> Result<Option<Checkout>, StoreError> {
        Ok(self.right.checkout(id).await?.map(|row| self.seen(row)))
    }

    async fn overview(&self, filter: &Filter<'_>) -> Result<Vec<Overview>, StoreError> {
        let after = filter.after.filter(|_| !self.is(Fault::ListIgnoresAfter));
        let id = filter.id.filter(|_| !self.is(Fault::ListIgnoresTheId));
        let mut rows = self.right.overview(&Filter { after, id, ..*filter }).await?;
        if self.is(Fault::ListIsOneShort) && rows.len() == filter.most() {
            rows.pop();
        }
        for row in &mut rows {
            row.leased |= self.is(Fault::OverviewCallsAllWorkLeased) && row.due.is_some();
            row.nudged &= !self.is(Fault::OverviewHidesNudges);
        }
        Ok(rows.into_iter().map(|row| Overview { checkout: self.seen(row.checkout), ..row }).collect())
    }

    async fn unmatched(&self, after: i64, most: usize) -> Result<Vec<Unmatched>, StoreError> {
        let after = if self.is(Fault::UnmatchedIgnoresAfter) { 0 } else { after };
        let most = if self.is(Fault::UnmatchedIsOneShort) { most.saturating_sub(1) } else { most };
        self.right.unmatched(after, most).await
    }

    async fn decisions(&self, id: &str) -> Result<Vec<Decided>, StoreError> {
        self.right.decisions(id).await
    }

    async fn figures(&self) -> Result<Figures, StoreError> {
        self.right.figures().await
    }

    async fn sweep(&self, max: usize) -> Result<usize, StoreError> {
        if self.is(Fault::SweepDeletesNothing) { Ok(0) } else { self.right.sweep(max).await }
    }
}

fn make(fault: Fault) -> impl AsyncFn() -> (Wrong, ManualClock) {
    async move || {
        let clock = ManualClock::new();
        let right = Memory::with_clock(clock.reader());
        let wrong = Wrong {
            right,
            fault,
            leases: Mutex::default(),
            news: Mutex::default(),
            last: Mutex::default(),
            lanes: Mutex::default(),
            decided: Mutex::default(),
        };
        (wrong, clock)
    }
}

/// The laws that fail, apart from the comparison with the model.
fn failing(fault: Fault) -> Vec<Law> {
    let laws = Law::ALL.iter().copied().filter(|law| *law != Law::AnswersAsTheModel);
    laws.filter(|law| block_on(conformance::check_law(*law, &make(fault))).is_err()).collect()
}

const FAULTS: [(Fault, Law); 44] = [
    (Fault::InsertHasNoLease, Law::InsertLeases),
    (Fault::InsertIsAlwaysFresh, Law::InsertIsDoneOnce),
    (Fault::ClaimTakesEveryLane, Law::OtherLanesAreLeft),
    (Fault::ClaimTakesOneMore, Law::MaxIsKept),
    (Fault::ClaimReturnsFencesAgain, Law::FencesNeverComeBack),
    (Fault::ClaimHidesNudges, Law::NudgedUntilAnswered),
    (Fault::ClaimHidesNames, Law::NamedIsHandedOver),
    (Fault::ClaimCountsNoTries, Law::TriesAreCounted),
    (Fault::ClaimIsNeverLate, Law::ClaimLeases),
    (Fault::ClaimIsGivenTwice, Law::RacesAreSafe),
    (Fault::ClaimOfNothingKnowsNothing, Law::MaxZeroLooks),
    (Fault::WriteIgnoresTheFence, Law::OldFenceIsLost),
    (Fault::WriteForgetsTheWait, Law::WaitBindsTheLane),
    (Fault::WriteForgetsNews, Law::NewsIsLeased),
    (Fault::WriteForgetsTheWatchAtAnEnd, Law::EndedWorkRests),
    (Fault::WriteKeepsNothing, Law::KeepKeeps),
    (Fault::WriteKeepsWhatIsOver, Law::KeepNeedsTheLease),
    (Fault::BackCountsAsAWrite, Law::GivenBackIsAsBefore),
    (Fault::WriteHidesLaterNudges, Law::NudgeSparesTheLease),
    (Fault::WriteTellsNewsThoughLost, Law::OldFenceIsLost),
    (Fault::ReadThatWasSentFreesItsPlace, Law::LimitIsExact),
    (Fault::UnusedPlaceIsKept, Law::UnusedPlaceIsFree),
    (Fault::SentCountsAsAnswered, Law::EventIsDoneWithItsRead),
    (Fault::NudgeForgetsEvents, Law::EventIsDoneWithItsRead),
    (Fault::NudgeFindsByReferenceAlone, Law::EventsFindTheirCheckout),
    (Fault::DecisionIgnoresTheVersion, Law::DecisionNeedsTheVersion),
    (Fault::DecisionForgetsTheReason, Law::DecisionsAreKept),
    (Fault::DecisionEndsNudges, Law::UnansweredNudgesOutliveDecisions),
    (Fault::DecisionForgetsTheName, Law::UnansweredNudgesOutliveDecisions),
    (Fault::NewsHasNoLease, Law::NewsIsLeased),
    (Fault::NewsIgnoresTheFence, Law::NewsNeedsItsFence),
    (Fault::NewsComesAtOnceAgain, Law::NewsComesAgain),
    (Fault::NewsCountsNoFailures, Law::NewsComesAgain),
    (Fault::SuspectNewsHasCompany, Law::SuspectNewsComesAlone),
    (Fault::ListIgnoresAfter, Law::ListIsChosen),
    (Fault::ListIsOneShort, Law::ListIsChosen),
    (Fault::ListIgnoresTheId, Law::ListIsChosen),
    (Fault::OverviewCallsAllWorkLeased, Law::OverviewShowsTheWork),
    (Fault::OverviewHidesNudges, Law::OverviewShowsTheWork),
    (Fault::UnmatchedIgnoresAfter, Law::UnmatchedEventsAreListed),
    (Fault::UnmatchedIsOneShort, Law::UnmatchedEventsAreListed),
    (Fault::SweepDeletesNothing, Law::SweepDeletesWhatIsOver),
    (Fault::EmptyTextIsNone, Law::TextsSurvive),
    (Fault::LimitIsOfTheProcess, Law::LimitIsExact),
];

#[test]
fn the_wrapper_without_a_fault_keeps_every_law() {
    assert_eq!(failing(Fault::None), []);
}

#[test]
fn each_wrong_store_fails_by_its_own_law() {
    let missed: Vec<_> = FAULTS
        .into_iter()
        .map(|(fault, law)| (fault, law, failing(fault)))
        .filter(|(_, law, failing)| !failing.contains(law))
        .collect();
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn random_histories_find_wrong_stores_that_answer_otherwise() {
    // A history has one caller, and asks for lanes that this fault does not know.
    let others = [Fault::ClaimIsGivenTwice, Fault::ClaimTakesEveryLane];
    let missed: Vec<Fault> = FAULTS
        .into_iter()
        .map(|(fault, _)| fault)
        .filter(|fault| !others.contains(fault))
        .filter(|fault| {
            (1..=3).all(|seed| block_on(conformance::histories(seed, 3_000, &make(*fault))).is_ok())
        })
        .collect();
    assert_eq!(missed, [], "no history of 3 found these faults");
}

#[test]
fn a_difference_is_told_with_its_seed_and_the_last_steps() {
    let broken = block_on(conformance::histories(7, 5_000, &make(Fault::ListIsOneShort)));
    let told = broken.err().map(|broken| broken.to_string()).unwrap_or_default();
    assert!(told.starts_with("the store answers as the model: seed 7, step "), "{told}");
    assert!(told.contains("the last steps:") && told.contains("list Filter"), "{told}");
}

#[test]
fn a_store_that_gives_work_twice_fails_with_threads_or_by_steps() {
    let broken = block_on(conformance::check_law(Law::RacesAreSafe, &make(Fault::ClaimIsGivenTwice)));
    let told = broken.err().map(|broken| broken.to_string()).unwrap_or_default();
    assert!(told.contains("was leased twice at once"), "{told}");
}
