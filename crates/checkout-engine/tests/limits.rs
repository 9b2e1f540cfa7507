//! Limits keep the laws of limits, a limited store keeps the laws of stores, and wrong limits fail.
#![cfg(feature = "conformance")]
#![allow(clippy::wildcard_enum_match_arm, reason = "tests")]

use checkout_engine::conformance::{self, Clock, Law, ManualClock};
use checkout_engine::limits_conformance::{self as suite, Law as OfLimits};
use checkout_engine::{
    Ask, Checkout, Claimed, Decision, Inserted, Lane, Limit, Limited, Limits, Memory, MemoryLimits, New,
    Next, Nudge, Nudged, Provider, ReadMade, Reserved, Room, State, Store, StoreError, Target, Write,
    Written,
};
use checkout_tables::{Environment, Moment, RateLimit, RateScope};
use pollster::block_on;
use std::collections::BTreeMap;
use std::error::Error;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

type Tested = Result<(), Box<dyn Error>>;

async fn make() -> (MemoryLimits, ManualClock) {
    let clock = ManualClock::new();
    (MemoryLimits::with_clock(clock.reader()), clock)
}

async fn make_limited() -> (Limited<Memory, MemoryLimits>, ManualClock) {
    let clock = ManualClock::new();
    let store = Memory::with_clock(clock.reader());
    (Limited::new(store, MemoryLimits::with_clock(clock.reader())), clock)
}

#[test]
fn limits_in_memory_keep_every_law() {
    let broken = OfLimits::ALL.iter().filter_map(|law| block_on(suite::check_law(*law, &make)).err());
    assert_eq!(broken.map(|broken| broken.to_string()).collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn limits_in_memory_are_safe_with_threads_and_answer_as_themselves() -> Tested {
    for seed in 0..10 {
        let (limits, _) = block_on(make());
        suite::check_race(&limits, |task| block_on(task))?;
        block_on(suite::histories(seed, 2_000, &make))?;
    }
    Ok(())
}

#[test]
fn a_store_with_its_limits_elsewhere_keeps_every_law_of_stores() {
    // Where a suspect comes after other work, the other work is given back, and is due anew: otherwise than
    // in the model.
    let laws = Law::ALL.iter().filter(|law| **law != Law::AnswersAsTheModel);
    let broken = laws.filter_map(|law| block_on(conformance::check_law(*law, &make_limited)).err());
    assert_eq!(broken.map(|broken| broken.to_string()).collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn a_store_with_its_limits_elsewhere_is_safe_with_threads() -> Tested {
    for _ in 0..5 {
        let (store, clock) = block_on(make_limited());
        conformance::check_race(&store, &clock, |task| block_on(task))?;
    }
    Ok(())
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

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    /// Looks for room, and takes the place in a second step.
    SelectThenUpdate,
    /// Each process counts by its own clock.
    LocalClock,
    /// What does not answer in time is granted.
    FailsOpen,
    /// What was taken is forgotten, and places are granted at once.
    ForgetsAndGrants,
    /// A window that begins anew at whole minutes.
    FixedWindow,
    CrashedPlaceIsFreed,
    UnusedPlaceIsKept,
    LanesShareALimit,
    PlaceIsGrantedTwice,
    WaitIsForgotten,
    /// The last wait counts, also where it is shorter.
    WaitIsShortened,
    LookForgetsTheWait,
    ReservationForgetsTheWait,
}

/// Limits with one fault, around right limits.
struct Wrong {
    right: MemoryLimits,
    clock: ManualClock,
    fault: Fault,
    calls: AtomicU32,
    last: AtomicI64,
    /// The waits of limits whose fault is one of waits.
    waits: Mutex<BTreeMap<String, Moment>>,
}

fn make_wrong(fault: Fault) -> impl AsyncFn() -> (Wrong, ManualClock) {
    async move || {
        let clock = ManualClock::new();
        let (read, readings) = (clock.reader(), AtomicU32::new(0));
        let right = MemoryLimits::with_clock(move || {
            // Every other caller's clock is ahead.
            let ahead = fault == Fault::LocalClock && readings.fetch_add(1, Ordering::Relaxed) % 2 == 1;
            read().saturating_add(if ahead { Duration::from_secs(45) } else { Duration::ZERO })
        });
        let (calls, last, waits) = (AtomicU32::new(0), AtomicI64::new(-7), Mutex::default());
        let wrong = Wrong { right, clock: clock.clone(), fault, calls, last, waits };
        (wrong, clock)
    }
}

impl Wrong {
    fn name(&self, lane: Limit<'_>) -> String {
        let calls = self.calls.fetch_add(1, Ordering::Relaxed);
        match self.fault {
            Fault::LanesShareALimit => "all".to_owned(),
            Fault::ForgetsAndGrants => format!("{} {}", lane.lane, calls / 50),
            Fault::FixedWindow => format!("{} {}", lane.lane, (self.clock.reader())().unix_millis() / 61_000),
            _ => lane.lane.to_owned(),
        }
    }

    fn waits(&self) -> MutexGuard<'_, BTreeMap<String, Moment>> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The rest of a lane's wait, where the fault is one of waits.
    fn wait_of(&self, lane: Limit<'_>) -> Duration {
        let now = (self.clock.reader())();
        self.waits().get(lane.lane).map_or(Duration::ZERO, |until| until.saturating_since(now))
    }
}

impl Limits for Wrong {
    async fn room(&self, lanes: &[Limit<'_>], lease: Duration) -> Result<Vec<Room>, StoreError> {
        let names: Vec<String> = lanes.iter().map(|lane| self.name(*lane)).collect();
        let lanes: Vec<Limit<'_>> =
            names.iter().zip(lanes).map(|(lane, asked)| Limit { lane, rate: asked.rate }).collect();
        let mut rooms = self.right.room(&lanes, lease).await?;
        for (room, lane) in rooms.iter_mut().zip(lanes) {
            let wait = self.wait_of(lane);
            if !wait.is_zero() && self.fault != Fault::LookForgetsTheWait {
                *room = Room { places: 0, wait: room.wait.max(wait) };
            }
        }
        Ok(rooms)
    }

    async fn reserve(&self, lane: Limit<'_>, place: i64, lease: Duration) -> Result<Reserved, StoreError> {
        let name = self.name(lane);
        let mut lane = Limit { lane: &name, ..lane };
        let lease = if self.fault == Fault::CrashedPlaceIsFreed { Duration::ZERO } else { lease };
        if self.fault == Fault::FailsOpen && self.calls.load(Ordering::Relaxed).is_multiple_of(9) {
            return Ok(Reserved::Granted);
        }
        if self.fault == Fault::SelectThenUpdate {
            let room = self.right.room(&[lane], lease).await?;
            step().await;
            if room.first().is_some_and(|room| room.places > 0) {
                lane.rate.requests = u32::MAX;
            }
        }
        let wait = self.wait_of(lane);
        if !wait.is_zero() && self.fault != Fault::ReservationForgetsTheWait {
            let room = self.right.room(&[lane], lease).await?;
            return Ok(Reserved::Wait(room.first().map_or(wait, |room| room.wait.max(wait))));
        }
        let reserved = self.right.reserve(lane, place, lease).await?;
        let again = self.last.swap(place, Ordering::Relaxed) == place;
        Ok(if self.fault == Fault::PlaceIsGrantedTwice && again { Reserved::Granted } else { reserved })
    }

    async fn end(&self, lane: Limit<'_>, place: i64, read: ReadMade) -> Result<(), StoreError> {
        let name = self.name(lane);
        let kept = self.fault == Fault::UnusedPlaceIsKept && read == ReadMade::None;
        let read = if kept { ReadMade::Sent } else { read };
        self.right.end(Limit { lane: &name, ..lane }, place, read).await
    }

    async fn wait(&self, lane: &str, span: Duration) -> Result<(), StoreError> {
        let until = (self.clock.reader())().saturating_add(span);
        match self.fault {
            Fault::WaitIsForgotten => {}
            Fault::WaitIsShortened => {
                self.waits().insert(lane.to_owned(), until);
            }
            Fault::LookForgetsTheWait | Fault::ReservationForgetsTheWait => {
                let mut waits = self.waits();
                let kept = waits.entry(lane.to_owned()).or_insert(until);
                *kept = until.max(*kept);
            }
            _ => return self.right.wait(&self.name(Limit { lane, rate: RATE }), span).await,
        }
        Ok(())
    }
}

const FAULTS: [(Fault, OfLimits); 13] = [
    (Fault::SelectThenUpdate, OfLimits::RacesAreSafe),
    (Fault::LocalClock, OfLimits::LimitIsExact),
    (Fault::FailsOpen, OfLimits::LimitIsExact),
    (Fault::ForgetsAndGrants, OfLimits::LimitIsExact),
    (Fault::FixedWindow, OfLimits::LimitIsExact),
    (Fault::CrashedPlaceIsFreed, OfLimits::CrashedPlaceIsHeld),
    (Fault::UnusedPlaceIsKept, OfLimits::UnusedPlaceIsFree),
    (Fault::LanesShareALimit, OfLimits::LimitsAreOfTheirLane),
    (Fault::PlaceIsGrantedTwice, OfLimits::PlaceIsGrantedOnce),
    (Fault::WaitIsForgotten, OfLimits::WaitBindsTheLane),
    (Fault::WaitIsShortened, OfLimits::WaitBindsTheLane),
    (Fault::LookForgetsTheWait, OfLimits::WaitBindsTheLane),
    (Fault::ReservationForgetsTheWait, OfLimits::WaitBindsTheLane),
];

fn failing(fault: Fault) -> Vec<OfLimits> {
    let laws = OfLimits::ALL.iter().copied();
    laws.filter(|law| block_on(suite::check_law(*law, &make_wrong(fault))).is_err()).collect()
}

#[test]
fn wrong_limits_fail_each_by_their_own_law() {
    assert_eq!(failing(Fault::None), []);
    let missed: Vec<_> = FAULTS.into_iter().filter(|(fault, law)| !failing(*fault).contains(law)).collect();
    assert_eq!(missed, []);
}

const PEACH: &str = "peach/m";
const LEASE: Duration = Duration::from_secs(30);
const RATE: RateLimit = RateLimit { requests: 2, per_seconds: 60, scope: RateScope::Merchant };

fn row(provider: Provider, id: &str) -> Checkout {
    Checkout {
        id: id.to_owned(),
        provider,
        merchant: "m".to_owned(),
        environment: Environment::Sandbox,
        state: State::Open,
        reference: format!("reference of {id}"),
        checkout_id: None,
        page: None,
        hold: None,
        notes: "{}".into(),
        version: 0,
        created_at: Moment::from_unix_millis(0),
        changed_at: Moment::from_unix_millis(0),
    }
}

async fn add(store: &impl Store, provider: Provider, id: &str) -> Result<(), StoreError> {
    store.insert(&New { checkout: &row(provider, id), watch: "watch", lease: Duration::ZERO }).await.map(drop)
}

async fn know(store: &impl Store) -> Result<(), StoreError> {
    let free = Lane { name: "allscale/m".to_owned(), limit: None };
    store.lanes(&[Lane { name: PEACH.to_owned(), limit: Some(RATE) }, free]).await
}

async fn claim(store: &impl Store, lanes: &[&str]) -> Result<Claimed, StoreError> {
    let lanes: Vec<String> = lanes.iter().map(|lane| (*lane).to_owned()).collect();
    store.claim(&Ask { lanes: &lanes, max: 10, lease: LEASE }).await
}

fn ids(claimed: &Claimed) -> Vec<&str> {
    claimed.due.iter().map(|due| due.lease.id.as_str()).collect()
}

/// The time for which nobody asks limits that have not answered.
const SILENCE: Duration = Duration::from_secs(5);

fn away() -> StoreError {
    StoreError::Unavailable("the limits are away".into())
}

/// Limits that can be away, and that can hide that their places are taken.
struct Shaky<'a> {
    right: &'a MemoryLimits,
    room: AtomicBool,
    reserve: AtomicBool,
    end: AtomicBool,
    /// The looks.
    asked: AtomicU32,
    /// Another process takes all places after each look.
    overtaken: AtomicBool,
    /// The time that a look takes to fail.
    slow: Option<(&'a ManualClock, Duration)>,
}

impl<'a> Shaky<'a> {
    fn new(right: &'a MemoryLimits) -> Self {
        let new = AtomicBool::default;
        let asked = AtomicU32::new(0);
        Self { right, room: new(), reserve: new(), end: new(), asked, overtaken: new(), slow: None }
    }
}

fn is(flag: &AtomicBool) -> bool {
    flag.load(Ordering::Relaxed)
}

impl Limits for Shaky<'_> {
    async fn room(&self, lanes: &[Limit<'_>], lease: Duration) -> Result<Vec<Room>, StoreError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let rooms = self.right.room(lanes, lease).await?;
        if is(&self.overtaken) {
            for (lane, place) in lanes.iter().zip(1_000..) {
                while self.right.reserve(*lane, place, lease).await? == Reserved::Granted {
                    let _ = self.right.reserve(*lane, place + 1_000, lease).await?;
                }
            }
        }
        if !is(&self.room) {
            return Ok(rooms);
        }
        if let Some((clock, span)) = self.slow {
            clock.pass(span).await?;
        }
        Err(away())
    }

    async fn reserve(&self, lane: Limit<'_>, place: i64, lease: Duration) -> Result<Reserved, StoreError> {
        if is(&self.reserve) { Err(away()) } else { self.right.reserve(lane, place, lease).await }
    }

    async fn end(&self, lane: Limit<'_>, place: i64, read: ReadMade) -> Result<(), StoreError> {
        if is(&self.end) { Err(away()) } else { self.right.end(lane, place, read).await }
    }

    async fn wait(&self, lane: &str, span: Duration) -> Result<(), StoreError> {
        if is(&self.end) { Err(away()) } else { self.right.wait(lane, span).await }
    }
}

#[test]
fn while_the_limits_are_away_limited_lanes_rest_and_other_lanes_go_on() -> Tested {
    block_on(async {
        let clock = ManualClock::new();
        let limits = MemoryLimits::with_clock(clock.reader());
        let store = Limited::new(Memory::with_clock(clock.reader()), Shaky::new(&limits));
        know(&store).await?;
        add(&store, Provider::Peach, "limited").await?;
        add(&store, Provider::AllScale, "free").await?;
        store.limits().room.store(true, Ordering::Relaxed);
        let both = [PEACH, "allscale/m"];
        assert_eq!(ids(&claim(&store, &both).await?), ["free"]);
        for span in [Duration::ZERO, SILENCE] {
            clock.pass(span).await?;
            let refused = claim(&store, &both).await;
            assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
            // Silent limits could take seconds to fail: nobody asks them again at once, and nobody waits.
            for lanes in [&both[..], &[PEACH]] {
                let claimed = claim(&store, lanes).await?;
                assert_eq!(
                    (ids(&claimed).len(), claimed.next),
                    (0, Some(claimed.now.saturating_add(SILENCE)))
                );
            }
            add(&store, Provider::AllScale, &format!("free after {span:?}")).await?;
            assert_eq!(claim(&store, &both).await?.due.len(), 1);
        }
        assert_eq!(store.limits().asked.load(Ordering::Relaxed), 2);
        // Nothing of the limited lane was touched: the work has no lease and no try.
        store.limits().room.store(false, Ordering::Relaxed);
        clock.pass(SILENCE).await?;
        let claimed = claim(&store, &[PEACH]).await?;
        assert_eq!(claimed.due.iter().map(|due| due.tries).collect::<Vec<_>>(), [1]);
        Ok(())
    })
}

#[test]
fn the_silence_begins_when_the_question_has_failed() -> Tested {
    block_on(async {
        let clock = ManualClock::new();
        let limits = MemoryLimits::with_clock(clock.reader());
        let slow = Some((&clock, Duration::from_secs(3)));
        let store = Limited::new(Memory::with_clock(clock.reader()), Shaky { slow, ..Shaky::new(&limits) });
        know(&store).await?;
        add(&store, Provider::Peach, "limited").await?;
        store.limits().room.store(true, Ordering::Relaxed);
        let begin = store.now().await?;
        assert!(claim(&store, &[PEACH]).await.is_err());
        let claimed = claim(&store, &[PEACH]).await?;
        let end = begin.saturating_add(Duration::from_secs(3));
        assert_eq!((claimed.now, claimed.next), (end, Some(end.saturating_add(SILENCE))));
        Ok(())
    })
}

#[test]
fn a_clock_that_is_set_back_does_not_lengthen_the_silence() -> Tested {
    block_on(async {
        let begin = Moment::from_unix_millis(1_716_501_000_000);
        let now = Arc::new(AtomicI64::new(begin.unix_millis()));
        let reader = || {
            let now = Arc::clone(&now);
            move || Moment::from_unix_millis(now.load(Ordering::Relaxed))
        };
        let limits = MemoryLimits::with_clock(reader());
        let store = Limited::new(Memory::with_clock(reader()), Shaky::new(&limits));
        know(&store).await?;
        // Due an hour ago: after the step back the work is still due.
        now.fetch_sub(3_600_000, Ordering::Relaxed);
        add(&store, Provider::Peach, "limited").await?;
        now.store(begin.unix_millis(), Ordering::Relaxed);
        store.limits().room.store(true, Ordering::Relaxed);
        assert!(claim(&store, &[PEACH]).await.is_err());
        now.fetch_sub(60_000, Ordering::Relaxed);
        store.limits().room.store(false, Ordering::Relaxed);
        assert_eq!(ids(&claim(&store, &[PEACH]).await?), ["limited"]);
        Ok(())
    })
}

#[test]
fn work_whose_reservation_failed_is_given_back_with_its_watch_and_no_try() -> Tested {
    block_on(async {
        let clock = ManualClock::new();
        let limits = MemoryLimits::with_clock(clock.reader());
        let store = Limited::new(Memory::with_clock(clock.reader()), Shaky::new(&limits));
        know(&store).await?;
        add(&store, Provider::Peach, "limited").await?;
        store.limits().reserve.store(true, Ordering::Relaxed);
        for _ in 0..5 {
            let refused = claim(&store, &[PEACH]).await;
            assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
            assert_eq!(store.figures().await?.leased, 0);
            clock.pass(SILENCE).await?;
        }
        store.limits().reserve.store(false, Ordering::Relaxed);
        let claimed = claim(&store, &[PEACH]).await?;
        let seen: Vec<_> = claimed.due.iter().map(|due| (due.watch.as_str(), due.tries)).collect();
        assert_eq!(seen, [("watch", 1)]);
        Ok(())
    })
}

#[test]
fn work_whose_place_another_process_took_is_given_back_and_counts_no_try() -> Tested {
    block_on(async {
        let clock = ManualClock::new();
        let limits = MemoryLimits::with_clock(clock.reader());
        let store = Limited::new(Memory::with_clock(clock.reader()), Shaky::new(&limits));
        know(&store).await?;
        for id in ["a", "b", "c"] {
            add(&store, Provider::Peach, id).await?;
        }
        store.limits().overtaken.store(true, Ordering::Relaxed);
        for _ in 0..10 {
            let claimed = claim(&store, &[PEACH]).await?;
            assert_eq!(ids(&claimed), Vec::<&str>::new());
            assert_eq!(store.figures().await?.leased, 0);
            // The next place is free when the other process's crashed leases and the span are over.
            let wait = claimed.next.map(|next| next.saturating_since(claimed.now));
            assert_eq!(wait, Some(LEASE + Duration::from_secs(61)));
            clock.pass(LEASE + Duration::from_secs(61)).await?;
        }
        store.limits().overtaken.store(false, Ordering::Relaxed);
        let claimed = claim(&store, &[PEACH]).await?;
        let seen: Vec<_> = claimed.due.iter().map(|due| (due.watch.as_str(), due.tries)).collect();
        assert_eq!(seen, [("watch", 1), ("watch", 1)]);
        Ok(())
    })
}

#[test]
fn work_that_is_given_back_keeps_its_tries_and_the_id_that_an_event_named() -> Tested {
    block_on(async {
        let clock = ManualClock::new();
        let limits = MemoryLimits::with_clock(clock.reader());
        let store = Limited::new(Memory::with_clock(clock.reader()), Shaky::new(&limits));
        know(&store).await?;
        add(&store, Provider::Peach, "a").await?;
        // Two processes die with the work, and then other processes take the places.
        for tries in 1..=2 {
            let claimed = claim(&store, &[PEACH]).await?;
            assert_eq!(claimed.due.iter().map(|due| due.tries).collect::<Vec<_>>(), [tries]);
            clock.pass(Duration::from_secs(600)).await?;
        }
        let target =
            Target::Named { lane: PEACH, checkout_id: Some("named"), reference: Some("reference of a") };
        assert!(matches!(store.nudge(&Nudge { target, event: &[] }).await?, Nudged::Queued { .. }));
        store.limits().overtaken.store(true, Ordering::Relaxed);
        for _ in 0..3 {
            assert_eq!(ids(&claim(&store, &[PEACH]).await?), Vec::<&str>::new());
            clock.pass(Duration::from_secs(600)).await?;
        }
        store.limits().overtaken.store(false, Ordering::Relaxed);
        let claimed = claim(&store, &[PEACH]).await?;
        let seen: Vec<_> = claimed.due.iter().map(|due| (due.tries, due.named.as_deref())).collect();
        assert_eq!(seen, [(3, Some("named"))]);
        Ok(())
    })
}

#[test]
fn a_claim_of_at_most_nothing_says_when_a_place_is_free() -> Tested {
    block_on(async {
        let clock = ManualClock::new();
        let limits = MemoryLimits::with_clock(clock.reader());
        let store = Limited::new(Memory::with_clock(clock.reader()), &limits);
        know(&store).await?;
        let lanes = [PEACH.to_owned()];
        let look = Ask { lanes: &lanes, max: 0, lease: LEASE };
        assert_eq!(store.claim(&look).await?.next, None);
        for id in ["a", "b", "c"] {
            add(&store, Provider::Peach, id).await?;
        }
        let there = store.claim(&look).await?;
        assert_eq!((there.next, there.due.len()), (Some(there.now), 0));
        // The limit has two places, and a third piece of work waits.
        assert_eq!(claim(&store, &[PEACH]).await?.due.len(), 2);
        let there = store.claim(&look).await?;
        let wait = there.next.map(|next| next.saturating_since(there.now));
        assert!(
            wait.is_some_and(|wait| !wait.is_zero() && wait <= LEASE + Duration::from_secs(61)),
            "{wait:?}"
        );
        Ok(())
    })
}

/// Limits that count the lanes they were asked about.
struct Counted<'l> {
    limits: &'l MemoryLimits,
    looked: AtomicU32,
}

impl Limits for Counted<'_> {
    async fn room(&self, lanes: &[Limit<'_>], lease: Duration) -> Result<Vec<Room>, StoreError> {
        self.looked.fetch_add(u32::try_from(lanes.len()).unwrap_or(u32::MAX), Ordering::Relaxed);
        self.limits.room(lanes, lease).await
    }

    async fn reserve(&self, lane: Limit<'_>, place: i64, lease: Duration) -> Result<Reserved, StoreError> {
        self.limits.reserve(lane, place, lease).await
    }

    async fn end(&self, lane: Limit<'_>, place: i64, read: ReadMade) -> Result<(), StoreError> {
        self.limits.end(lane, place, read).await
    }

    async fn wait(&self, lane: &str, span: Duration) -> Result<(), StoreError> {
        self.limits.wait(lane, span).await
    }
}

#[test]
fn while_there_is_work_and_room_no_claim_looks_and_a_place_that_is_refused_is_given_back() -> Tested {
    const LANES: usize = 4;
    block_on(async {
        let clock = ManualClock::new();
        let limits = MemoryLimits::with_clock(clock.reader());
        let counted = Counted { limits: &limits, looked: AtomicU32::new(0) };
        let store = Limited::new(Memory::with_clock(clock.reader()), &counted);
        let names: Vec<String> = (0..LANES).map(|lane| format!("peach/{lane}")).collect();
        let rate = RateLimit { requests: 3, ..RATE };
        let lanes: Vec<Lane> =
            names.iter().map(|name| Lane { name: name.clone(), limit: Some(rate) }).collect();
        store.lanes(&lanes).await?;
        for number in 0..LANES * 5 {
            let merchant = (number % LANES).to_string();
            let checkout = Checkout { merchant, ..row(Provider::Peach, &number.to_string()) };
            store.insert(&New { checkout: &checkout, watch: "", lease: Duration::ZERO }).await?;
        }
        let looked = || counted.looked.swap(0, Ordering::Relaxed);
        let ask = Ask { lanes: &names, max: LANES, lease: LEASE };
        let mut looks = Vec::new();
        for _ in 0..3 {
            assert_eq!(store.claim(&ask).await?.due.len(), LANES);
            looks.push(looked());
        }
        assert_eq!(looks, [4, 0, 0]);
        // Each lane has three pieces of work under way, and no room.
        let refused = store.claim(&ask).await?;
        assert!(refused.due.is_empty());
        assert_eq!(refused.next, Some(refused.now), "the next claim looks for the other lanes");
        assert_eq!(store.figures().await?.leased, 12);
        let full = store.claim(&ask).await?;
        assert!(full.due.is_empty());
        assert!(full.next.is_some_and(|next| next > full.now && next <= full.now.saturating_add(LEASE)));
        clock.pass(LEASE + Duration::from_secs(61)).await?;
        let mut tries = Vec::new();
        for _ in 0..6 {
            tries.extend(store.claim(&ask).await?.due.iter().map(|due| due.tries));
        }
        tries.sort_unstable();
        // Three of each lane, of the twelve crashed pieces and the eight that were given back.
        assert_eq!(tries.len(), 12);
        assert!(tries.iter().all(|tries| [1, 2].contains(tries)), "{tries:?}");
        Ok(())
    })
}

/// Claims that run beside each other take each other's work, and find little where there is much.
#[test]
fn a_claim_that_finds_little_is_no_reason_to_look_and_the_second_is() -> Tested {
    block_on(async {
        let clock = ManualClock::new();
        let limits = MemoryLimits::with_clock(clock.reader());
        let counted = Counted { limits: &limits, looked: AtomicU32::new(0) };
        let store = Limited::new(Memory::with_clock(clock.reader()), &counted);
        let rate = RateLimit { requests: 1_000, ..RATE };
        store.lanes(&[Lane { name: PEACH.to_owned(), limit: Some(rate) }]).await?;
        let lanes = [PEACH.to_owned()];
        let ask = Ask { lanes: &lanes, max: 4, lease: LEASE };
        let mut number = 0;
        let mut seen = Vec::new();
        for added in [4, 1, 4, 1, 2, 1, 1, 1] {
            for _ in 0..added {
                number += 1;
                add(&store, Provider::Peach, &number.to_string()).await?;
            }
            let found = store.claim(&ask).await?.due.len();
            assert_eq!(found, added);
            seen.push((added, counted.looked.swap(0, Ordering::Relaxed) > 0));
        }
        // Two of four are enough. After two claims with less, each claim looks.
        let looks = [true, false, false, false, false, false, false, true];
        assert_eq!(seen.iter().map(|(_, looked)| *looked).collect::<Vec<_>>(), looks, "{seen:?}");
        Ok(())
    })
}

#[test]
fn a_read_that_was_made_holds_its_place_for_the_span_also_where_the_write_is_lost() -> Tested {
    block_on(async {
        for (read, wait) in [(ReadMade::Answered, 61), (ReadMade::Sent, 91), (ReadMade::None, 91)] {
            let clock = ManualClock::new();
            let limits = MemoryLimits::with_clock(clock.reader());
            let store = Limited::new(Memory::with_clock(clock.reader()), &limits);
            let rate = RateLimit { requests: 1, ..RATE };
            store.lanes(&[Lane { name: PEACH.to_owned(), limit: Some(rate) }]).await?;
            add(&store, Provider::Peach, "a").await?;
            let due = claim(&store, &[PEACH]).await?.due.remove(0);
            let (act, by, reason) = ("close", "ann", "paid in cash");
            let decision =
                Decision { checkout: &due.checkout, work: false, news: Vec::new(), act, by, reason };
            assert_eq!(store.decide(&decision).await?, Written::Done);
            let next = Next::Due { after: LEASE, watch: String::new() };
            let write = Write { checkout: None, next, read, lane_wait: None, news: Vec::new() };
            assert_eq!(store.write(&due.lease, &write).await?, Written::Lost);
            let room = limits.room(&[Limit { lane: PEACH, rate }], LEASE).await?;
            assert_eq!(room, [Room { places: 0, wait: Duration::from_secs(wait) }], "{read:?}");
        }
        Ok(())
    })
}

#[test]
fn of_very_many_lanes_a_claim_looks_at_some_and_all_of_them_have_their_turn() -> Tested {
    const LANES: usize = 1_500;
    block_on(async {
        let clock = ManualClock::new();
        let limits = MemoryLimits::with_clock(clock.reader());
        let counted = Counted { limits: &limits, looked: AtomicU32::new(0) };
        let store = Limited::new(Memory::with_clock(clock.reader()), &counted);
        let names: Vec<String> = (0..LANES).map(|lane| format!("peach/{lane:04}")).collect();
        let rate = RateLimit { requests: 1, ..RATE };
        let lanes: Vec<Lane> =
            names.iter().map(|name| Lane { name: name.clone(), limit: Some(rate) }).collect();
        store.lanes(&lanes).await?;
        let looked = || counted.looked.swap(0, Ordering::Relaxed);
        let ask = Ask { lanes: &names, max: 512, lease: LEASE };
        assert!(store.claim(&ask).await?.due.is_empty());
        assert_eq!(looked(), 0, "nothing is due");
        // Two pieces of work for each lane, of which one has a place.
        for lane in 0..LANES {
            for piece in 0..2 {
                let id = format!("{lane} {piece}");
                let checkout = Checkout { merchant: format!("{lane:04}"), ..row(Provider::Peach, &id) };
                store.insert(&New { checkout: &checkout, watch: "", lease: Duration::ZERO }).await?;
            }
        }
        let mut claimed = 0;
        for _ in 0..200 {
            let due = store.claim(&ask).await?.due.len();
            assert!(looked() <= 2_048, "a claim looks twice at most at each of its lanes");
            claimed += due;
            if claimed == LANES {
                break;
            }
        }
        assert_eq!(claimed, LANES);
        // Now no lane has room: each is looked at once, and no more for five seconds.
        for _ in 0..4 {
            assert_eq!(store.claim(&ask).await?.due.len(), 0);
        }
        assert!(looked() <= 1_500);
        let next = store.claim(&ask).await?;
        assert_eq!(looked(), 0, "each lane is known to be full");
        assert!(
            next.next.is_some_and(|next_at| next_at > next.now && next_at <= next.now.saturating_add(LEASE))
        );
        // And when places are free, the other pieces of work have their turn.
        clock.pass(LEASE + Duration::from_secs(61)).await?;
        let mut claimed = 0;
        for _ in 0..200 {
            claimed += store.claim(&ask).await?.due.len();
            if claimed == LANES {
                break;
            }
        }
        assert_eq!(claimed, LANES);
        Ok(())
    })
}

#[test]
fn a_crashing_piece_of_work_keeps_its_tries_through_waits_for_its_lane() -> Tested {
    block_on(async {
        let clock = ManualClock::new();
        let limits = MemoryLimits::with_clock(clock.reader());
        let store = Limited::new(Memory::with_clock(clock.reader()), &limits);
        let rate = RateLimit { requests: 1, ..RATE };
        store.lanes(&[Lane { name: PEACH.to_owned(), limit: Some(rate) }]).await?;
        add(&store, Provider::Peach, "bad").await?;
        for tries in 1..=8 {
            let claimed = claim(&store, &[PEACH]).await?;
            assert_eq!(claimed.due.iter().map(|due| due.tries).collect::<Vec<_>>(), [tries]);
            // In the lease, at its end, and in the span behind: the crashed claim has the only place.
            for _ in 0..91 {
                assert_eq!(ids(&claim(&store, &[PEACH]).await?), Vec::<&str>::new());
                clock.pass(Duration::from_secs(1)).await?;
            }
        }
        Ok(())
    })
}

#[test]
fn a_write_is_done_though_its_place_cannot_be_ended_and_the_place_is_held() -> Tested {
    block_on(async {
        let clock = ManualClock::new();
        let limits = MemoryLimits::with_clock(clock.reader());
        let store = Limited::new(Memory::with_clock(clock.reader()), Shaky::new(&limits));
        let rate = RateLimit { requests: 1, ..RATE };
        store.lanes(&[Lane { name: PEACH.to_owned(), limit: Some(rate) }]).await?;
        add(&store, Provider::Peach, "a").await?;
        let claimed = claim(&store, &[PEACH]).await?;
        store.limits().end.store(true, Ordering::Relaxed);
        let next = Next::Due { after: Duration::ZERO, watch: "later".to_owned() };
        let lane_wait = Some(Duration::from_secs(1));
        let write = Write { checkout: None, next, read: ReadMade::None, lane_wait, news: Vec::new() };
        let lease = claimed.due.first().map(|due| due.lease.clone()).ok_or("no work")?;
        assert_eq!(store.write(&lease, &write).await?, Written::Done);
        clock.pass(LEASE + Duration::from_secs(61) - Duration::from_millis(1)).await?;
        assert_eq!(ids(&claim(&store, &[PEACH]).await?), Vec::<&str>::new());
        clock.pass(Duration::from_millis(1)).await?;
        assert_eq!(ids(&claim(&store, &[PEACH]).await?), ["a"]);
        Ok(())
    })
}

#[test]
fn two_databases_that_share_limits_share_the_places() -> Tested {
    block_on(async {
        let clock = ManualClock::new();
        let limits = MemoryLimits::with_clock(clock.reader());
        let make = || Limited::new(Memory::with_clock(clock.reader()), &limits);
        let stores = [make(), make()];
        for store in &stores {
            know(store).await?;
            for id in ["a", "b", "c"] {
                add(store, Provider::Peach, id).await?;
            }
        }
        let mut places = 0;
        for _ in 0..3 {
            for store in &stores {
                places += claim(store, &[PEACH]).await?.due.len();
            }
        }
        assert_eq!(places, 2);
        Ok(())
    })
}

#[test]
fn claims_of_two_databases_have_two_places_though_their_fences_are_the_same() -> Tested {
    block_on(async {
        let clock = ManualClock::new();
        let limits = MemoryLimits::with_clock(clock.reader());
        let make = || Limited::new(Memory::with_clock(clock.reader()), &limits);
        let stores = [make(), make()];
        let mut leases = Vec::new();
        for store in &stores {
            know(store).await?;
            add(store, Provider::Peach, "a").await?;
            leases.extend(claim(store, &[PEACH]).await?.due.into_iter().map(|due| due.lease));
        }
        let [one, other] = leases.as_slice() else { return Err(format!("{leases:?}").into()) };
        assert_eq!(one.fence, other.fence);
        // The end of one place is not the end of the other.
        let [first, second] = &stores;
        assert_eq!(
            first.write(one, &waiting(Next::Ended { watch: String::new() }, None)).await?,
            Written::Done
        );
        add(second, Provider::Peach, "b").await?;
        add(second, Provider::Peach, "c").await?;
        // Until the lane, which was full, is looked at again.
        clock.pass(Duration::from_secs(5)).await?;
        assert_eq!(claim(second, &[PEACH]).await?.due.len(), 1);
        Ok(())
    })
}

/// The pause until work of a lane may be claimed, or none if there is some now.
async fn pause(store: &impl Store) -> Result<Option<Duration>, Box<dyn Error>> {
    let claimed = claim(store, &[PEACH]).await?;
    for due in &claimed.due {
        let back = waiting(Next::Back { after: Duration::ZERO }, None);
        assert_eq!(store.write(&due.lease, &back).await?, Written::Done);
    }
    let next = claimed.next.ok_or("there is no work")?;
    Ok(Some(next.saturating_since(claimed.now)).filter(|_| claimed.due.is_empty()))
}

const fn waiting(next: Next, lane_wait: Option<Duration>) -> Write {
    Write { checkout: None, next, read: ReadMade::None, lane_wait, news: Vec::new() }
}

#[test]
fn a_wait_that_one_database_is_asked_for_binds_the_others() -> Tested {
    let (minute, millisecond) = (Duration::from_secs(60), Duration::from_millis(1));
    block_on(async {
        let clock = ManualClock::new();
        let limits = MemoryLimits::with_clock(clock.reader());
        let make = || Limited::new(Memory::with_clock(clock.reader()), &limits);
        let (one, other) = (make(), make());
        for store in [&one, &other] {
            know(store).await?;
            add(store, Provider::Peach, "a").await?;
        }
        let read = claim(&one, &[PEACH]).await?.due.pop().ok_or("no work")?.lease;
        let created = row(Provider::Peach, "b");
        let new = New { checkout: &created, watch: "", lease: LEASE * 100 };
        let Inserted::Fresh(create, _) = one.insert(&new).await? else { return Err("not fresh".into()) };
        let next = Next::Due { after: Duration::ZERO, watch: String::new() };
        // A lease that is kept, a read, and a create, which has no place.
        for (lease, next) in [(&create, &Next::Keep), (&read, &next), (&create, &next)] {
            assert_eq!(pause(&other).await?, None, "before {next:?}");
            let write = waiting(next.clone(), Some(minute));
            assert_eq!(one.write(lease, &write).await?, Written::Done);
            for span in [minute - millisecond, millisecond] {
                assert_eq!(ids(&claim(&other, &[PEACH]).await?), Vec::<&str>::new(), "after {next:?}");
                clock.pass(span).await?;
            }
        }
        assert_eq!(pause(&other).await?, None);
        // A write that is lost changes nothing.
        assert_eq!(one.write(&read, &waiting(next, Some(minute))).await?, Written::Lost);
        assert_eq!(pause(&other).await?, None);
        Ok(())
    })
}

#[test]
fn a_busy_lane_of_one_kind_leaves_half_of_a_claim_to_the_other_kind() -> Tested {
    block_on(async {
        let clock = ManualClock::new();
        let limits = MemoryLimits::with_clock(clock.reader());
        let store = Limited::new(Memory::with_clock(clock.reader()), &limits);
        let rate = RateLimit { requests: 1_000, ..RATE };
        let free = Lane { name: "allscale/m".to_owned(), limit: None };
        store.lanes(&[Lane { name: PEACH.to_owned(), limit: Some(rate) }, free]).await?;
        for id in 0..100 {
            add(&store, Provider::Peach, &format!("limited {id:03}")).await?;
            add(&store, Provider::AllScale, &format!("free {id:03}")).await?;
        }
        for _ in 0..4 {
            let claimed = claim(&store, &[PEACH, "allscale/m"]).await?;
            let free = ids(&claimed).iter().filter(|id| id.starts_with("free")).count();
            assert_eq!((free, claimed.due.len()), (5, 10));
        }
        Ok(())
    })
}
