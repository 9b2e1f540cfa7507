//! The replay guard against models: a store step by step, and workers that interleave, crash and come late.
#![allow(missing_docs, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "tests")]

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use checkout_lifecycle::Moment;
use checkout_trust::replay::{
    AsyncStore, Claim, Commit, FencingToken, Full, Guard, Identity, Key, MemoryStore, Release, Scheme, Slot,
    Store,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};

const LEASE: i64 = 100;
const RETENTION: i64 = 1_000;

fn seeded(cases: u32) -> TestRunner {
    TestRunner::new(ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(0x5e77_1ed0),
        failure_persistence: None,
        ..ProptestConfig::default()
    })
}

fn millis(millis: i64) -> Duration {
    Duration::from_millis(millis.unsigned_abs())
}

// A store, step by step.

#[derive(Clone, Copy, Debug)]
enum Step {
    Claim {
        key: usize,
    },
    /// With the number of the n-th grant, of any key and any age.
    Commit {
        grant: usize,
    },
    Release {
        grant: usize,
    },
    Clock {
        by: i64,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..3_usize).prop_map(|key| Step::Claim { key }),
        2 => (0..40_usize).prop_map(|grant| Step::Commit { grant }),
        1 => (0..40_usize).prop_map(|grant| Step::Release { grant }),
        3 => prop_oneof![Just(1), Just(LEASE), Just(LEASE + 1), Just(RETENTION), -50..200_i64]
            .prop_map(|by| Step::Clock { by }),
    ];
    vec(step, 0..60)
}

/// The note about a key: the grant, the end, and true if the key is done.
type Written = Option<(usize, i64, bool)>;

#[test]
fn the_store_in_memory_gives_the_same_as_a_page_of_notes() {
    seeded(5_000)
        .run(&steps(), |steps| {
            let keys = [0, 1, 2]
                .map(|key: u8| Key::new(Scheme::PEACH_CONTENT, "entity", [[key]], millis(RETENTION)));
            let store = MemoryStore::new(keys.len());
            let mut notes: [Written; 3] = [None; 3];
            let mut grants: Vec<(usize, FencingToken)> = Vec::new();
            // The store's clock is the latest of all times of the calls.
            let (mut clock, mut latest) = (1_000_000_i64, i64::MIN);
            for step in steps {
                match step {
                    Step::Clock { by } => clock += by,
                    Step::Claim { key } => {
                        latest = latest.max(clock);
                        let said =
                            Store::claim(&store, &keys[key], Moment::from_unix_millis(clock), millis(LEASE))
                                .unwrap();
                        match notes[key].filter(|&(_, until, _)| latest <= until) {
                            Some((_, _, true)) => prop_assert_eq!(said, Slot::Done),
                            Some((_, until, false)) => prop_assert_eq!(
                                said,
                                Slot::InFlight { until: Moment::from_unix_millis(until) }
                            ),
                            None => {
                                let Slot::Fresh(fence) = said else {
                                    return Err(TestCaseError::fail(format!("{said:?}")));
                                };
                                prop_assert!(grants.iter().all(|&(_, given)| given != fence));
                                notes[key] = Some((grants.len(), latest + LEASE, false));
                                grants.push((key, fence));
                            }
                        }
                    }
                    Step::Commit { grant } => {
                        let Some(&(key, fence)) = grants.get(grant) else { continue };
                        latest = latest.max(clock);
                        let said = Store::commit(&store, &keys[key], fence, Moment::from_unix_millis(clock))
                            .unwrap();
                        match notes[key] {
                            Some((holder, until, _)) if holder == grant => {
                                prop_assert_eq!(said, Commit::Committed);
                                notes[key] = Some((grant, until.max(latest + RETENTION), true));
                            }
                            // The note is nobody's any more: the store may have dropped the note, or not yet.
                            Some((_, until, _)) if until < latest => {
                                if said == Commit::Committed {
                                    notes[key] = Some((grant, latest + RETENTION, true));
                                }
                            }
                            Some(_) => prop_assert_eq!(said, Commit::Lost),
                            None => {
                                prop_assert_eq!(said, Commit::Committed);
                                notes[key] = Some((grant, latest + RETENTION, true));
                            }
                        }
                    }
                    Step::Release { grant } => {
                        let Some(&(key, fence)) = grants.get(grant) else { continue };
                        let said = Store::release(&store, &keys[key], fence).unwrap();
                        match notes[key] {
                            Some((holder, until, false)) if holder == grant => {
                                prop_assert!(said == Release::Released || until < latest);
                                notes[key] = None;
                            }
                            Some(_) | None => prop_assert_eq!(said, Release::Lost),
                        }
                    }
                }
            }
            Ok(())
        })
        .unwrap();
}

// Workers that interleave.

/// The fault of the store, if there is one.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    CommitsAtClaim,
    IgnoresTheNumber,
    LooksThenWrites,
    Forgets,
}

/// A store that gives way before and after each step, so that workers come in between.
struct Giving {
    store: MemoryStore,
    fault: Fault,
    last: Mutex<HashMap<Key, FencingToken>>,
}

async fn give_way() {
    let mut given = false;
    poll_fn(|_| if std::mem::replace(&mut given, true) { Poll::Ready(()) } else { Poll::Pending }).await;
}

impl AsyncStore for Giving {
    type Error = Full;

    async fn claim(&self, key: &Key, now: Moment, lease: Duration) -> Result<Slot, Full> {
        give_way().await;
        let mut slot = Store::claim(&self.store, key, now, lease)?;
        if let Slot::Fresh(fence) = slot {
            match self.fault {
                Fault::CommitsAtClaim => drop(Store::commit(&self.store, key, fence, now)?),
                Fault::LooksThenWrites => {
                    Store::release(&self.store, key, fence)?;
                    give_way().await;
                    slot = match Store::claim(&self.store, key, now, lease)? {
                        Slot::Fresh(fence) => Slot::Fresh(fence),
                        Slot::InFlight { .. } | Slot::Done => Slot::Fresh(FencingToken::new(-1)),
                    };
                }
                Fault::None | Fault::IgnoresTheNumber | Fault::Forgets => {}
            }
            self.last.lock().unwrap().insert(*key, fence);
        }
        give_way().await;
        Ok(slot)
    }

    async fn commit(&self, key: &Key, fence: FencingToken, now: Moment) -> Result<Commit, Full> {
        give_way().await;
        let last = self.last.lock().unwrap().get(key).copied();
        let fence = if self.fault == Fault::IgnoresTheNumber { last.unwrap() } else { fence };
        let answer = if self.fault == Fault::Forgets {
            // The store answers "released", and keeps nothing.
            Store::release(&self.store, key, fence)?;
            Commit::Committed
        } else {
            Store::commit(&self.store, key, fence, now)?
        };
        give_way().await;
        Ok(answer)
    }

    async fn release(&self, key: &Key, fence: FencingToken) -> Result<Release, Full> {
        give_way().await;
        let answer = Store::release(&self.store, key, fence);
        give_way().await;
        answer
    }
}

#[derive(Clone, Copy, Debug)]
enum Move {
    /// A worker without a task gets a delivery; any other worker goes on by a step.
    Go {
        worker: usize,
        delivery: u8,
        fails: bool,
    },
    Crash {
        worker: usize,
    },
    Clock {
        by: i64,
    },
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        30 => (0..4_usize, 0..5_u8, prop::bool::weighted(0.2))
            .prop_map(|(worker, delivery, fails)| Move::Go { worker, delivery, fails }),
        1 => (0..4_usize).prop_map(|worker| Move::Crash { worker }),
        3 => prop_oneof![4 => 0..20_i64, 1 => Just(LEASE + 1), 1 => -20..0_i64]
            .prop_map(|by| Move::Clock { by }),
    ];
    vec(one, 0..200)
}

/// The events of the run, as an onlooker sees them.
#[derive(Default)]
struct World {
    clock: Cell<i64>,
    /// The furthest time of any clock.
    latest: Cell<i64>,
    /// The transactions that somebody is processing, and the end of the lease under which they do.
    at_work: RefCell<BTreeMap<usize, (u8, Moment)>>,
    /// The number of times that each transaction was processed to its end.
    processed: RefCell<BTreeMap<u8, u32>>,
    /// The number of times that a commit of each was said to hold.
    committed: RefCell<BTreeMap<u8, u32>>,
    wrong: RefCell<Vec<String>>,
}

impl World {
    fn set_clock(&self, clock: i64) {
        self.clock.set(clock);
        self.latest.set(self.latest.get().max(clock));
    }

    fn committed(&self, transaction: u8) -> u32 {
        self.committed.borrow().get(&transaction).copied().unwrap_or(0)
    }

    fn accuse(&self, what: String) {
        self.wrong.borrow_mut().push(what);
    }
}

fn identity(delivery: u8, transaction: u8) -> Identity {
    Identity::new(Key::allscale_transaction("store-1", &format!("tx_{transaction}"), Duration::MAX))
        .and(Key::allscale_delivery("store-1", &format!("wh_{delivery}"), "nonce", Duration::MAX))
}

/// One handler, as the documentation has it. Returns true if the handler answered 503.
async fn handle(
    worker: usize,
    (delivery, transaction): (u8, u8),
    fails: bool,
    guard: &Guard<Giving>,
    world: &World,
) -> bool {
    let committed_before = world.committed(transaction);
    let claim = guard
        .claim_async(&identity(delivery, transaction), Moment::from_unix_millis(world.clock.get()))
        .await
        .unwrap();
    let ticket = match claim {
        Claim::Fresh(ticket) => ticket,
        Claim::InFlight { .. } => return true,
        Claim::Done => return false,
    };
    if committed_before > 0 {
        world.accuse(format!("transaction {transaction} was fresh after it was committed"));
    }
    // A lease that has ended while its claim was still under way is a late worker's like any other.
    let in_lease = |end: Moment| Moment::from_unix_millis(world.latest.get()) <= end;
    let another = world.at_work.borrow().values().any(|&(other, end)| other == transaction && in_lease(end));
    if another && in_lease(ticket.until()) {
        world.accuse(format!("transaction {transaction} was fresh while another had it"));
    }
    world.at_work.borrow_mut().insert(worker, (transaction, ticket.until()));
    give_way().await;
    give_way().await;
    world.at_work.borrow_mut().remove(&worker);
    if fails {
        guard.release_async(ticket).await.unwrap();
        return true;
    }
    *world.processed.borrow_mut().entry(transaction).or_default() += 1;
    let commit = guard.commit_async(ticket, Moment::from_unix_millis(world.clock.get())).await.unwrap();
    if commit == Commit::Committed {
        *world.committed.borrow_mut().entry(transaction).or_default() += 1;
    }
    commit == Commit::Lost
}

type Handler<'a> = Pin<Box<dyn Future<Output = bool> + 'a>>;

fn play(moves: &[Move], fault: Fault) -> Result<(), String> {
    let store = Giving { store: MemoryStore::new(100), fault, last: Mutex::default() };
    let guard = Guard::new(store).lease(millis(LEASE));
    let world = World::default();
    world.set_clock(1_000_000);
    let mut context = Context::from_waker(Waker::noop());
    let mut workers: [Option<Handler<'_>>; 4] = [const { None }; 4];
    let mut deliveries = Vec::new();
    for &one in moves {
        match one {
            Move::Clock { by } => world.set_clock(world.clock.get() + by),
            Move::Crash { worker } => {
                workers[worker] = None;
                world.at_work.borrow_mut().remove(&worker);
            }
            Move::Go { worker, delivery, fails } => {
                // A delivery is about one transaction, for the transaction is signed.
                let transaction = delivery % 2;
                let handler = workers[worker].get_or_insert_with(|| {
                    deliveries.push((delivery, transaction));
                    Box::pin(handle(worker, (delivery, transaction), fails, &guard, &world))
                });
                if handler.as_mut().poll(&mut context).is_ready() {
                    workers[worker] = None;
                }
            }
        }
    }
    // The process dies, the leases end, and the provider sends all deliveries once more.
    drop(workers);
    world.at_work.borrow_mut().clear();
    world.set_clock(world.latest.get() + LEASE + 1);
    for &(delivery, transaction) in &deliveries {
        let mut handler = Box::pin(handle(0, (delivery, transaction), false, &guard, &world));
        let unfinished = loop {
            if let Poll::Ready(unfinished) = handler.as_mut().poll(&mut context) {
                break unfinished;
            }
        };
        if unfinished {
            world.accuse(format!("delivery {delivery} of transaction {transaction} is still not accepted"));
        }
        if !world.processed.borrow().contains_key(&transaction) {
            world.accuse(format!("transaction {transaction} is lost"));
        }
        if world.committed(transaction) > 1 {
            world.accuse(format!("transaction {transaction} was committed twice"));
        }
    }
    let wrong = world.wrong.borrow().join("; ");
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

/// The fault of the first faulty run, made as small as possible.
fn check(fault: Fault) -> String {
    let run = seeded(10_000).run(&moves(), |moves| play(&moves, fault).map_err(TestCaseError::fail));
    match run {
        Ok(()) => "nothing".into(),
        Err(proptest::test_runner::TestError::Fail(reason, _)) => reason.message().into(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn no_event_is_lost_and_none_is_done_twice_by_any_workers() {
    assert_eq!(check(Fault::None), "nothing");
}

#[test]
fn the_model_notices_a_store_that_commits_at_the_claim() {
    assert!(check(Fault::CommitsAtClaim).contains("is lost"));
}

#[test]
fn the_model_notices_a_store_that_ignores_the_number() {
    let wrong = check(Fault::IgnoresTheNumber);
    assert!(wrong.contains("was committed twice"), "{wrong}");
}

#[test]
fn the_model_notices_a_store_that_looks_and_then_writes() {
    let wrong = check(Fault::LooksThenWrites);
    assert!(wrong.contains("was fresh"), "{wrong}");
}

#[test]
fn the_model_notices_a_store_that_forgets() {
    let wrong = check(Fault::Forgets);
    assert!(wrong.contains("was fresh after it was committed"), "{wrong}");
}
