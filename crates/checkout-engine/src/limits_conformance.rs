//! The suite that tests limits of your own: the promises of [`Limits`], law by law.
//!
//! A test in your own crate is a few lines; the feature `conformance` is for its `[dev-dependencies]`:
//!
//! ```
//! # checkout_doctest::facade!(engine);
//! use checkout_kit::engine::MemoryLimits;
//! use checkout_kit::engine::conformance::ManualClock;
//! use checkout_kit::engine::limits_conformance as suite;
//!
//! let make = async || {
//!     let clock = ManualClock::new();
//!     (MemoryLimits::with_clock(clock.reader()), clock)
//! };
//! # pollster::block_on(async {
//! suite::check(&make).await?;
//! suite::histories(1, 500, &make).await?;
//! # Ok::<(), suite::Broken>(())
//! # }).unwrap();
//!
//! let (limits, _) = pollster::block_on(make());
//! suite::check_race(&limits, |task| pollster::block_on(task))?;
//! # Ok::<(), suite::Broken>(())
//! ```
//!
//! The suite never sleeps. The clock of the limits stands still until the suite moves the clock by
//! [`Clock::pass`]. Limits that grant nothing for a while after a start are past that while when the suite
//! gets them.

use crate::conformance::{Clock, ManualClock, Task};
use crate::limits::{Limit, Limits, MemoryLimits, Reserved, Room};
use crate::store::{ReadMade, StoreError};
use checkout_tables::{RateLimit, RateScope};
use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use futures_util::future::join_all;
use std::collections::VecDeque;
use std::error::Error;
use std::thread;

/// Checks every law of [`Law::ALL`], each on new limits. `make` makes limits that hold nothing, and their
/// clock.
///
/// # Errors
/// The first law that does not hold, and the observation.
pub async fn check<L: Limits, C: Clock>(make: &impl AsyncFn() -> (L, C)) -> Result<(), Broken> {
    for law in Law::ALL {
        check_law(*law, make).await?;
    }
    Ok(())
}

/// Checks one law of [`Law::ALL`] on new limits.
///
/// # Errors
/// That law, if the law does not hold, and the observation.
///
/// ```
/// # checkout_doctest::facade!(engine);
/// use checkout_kit::engine::MemoryLimits;
/// use checkout_kit::engine::conformance::ManualClock;
/// use checkout_kit::engine::limits_conformance::{Law, check_law};
///
/// /// Limits whose clock is not the clock that the suite moves.
/// let make = async || (MemoryLimits::with_clock(ManualClock::new().reader()), ManualClock::new());
///
/// let broken = pollster::block_on(check_law(Law::LimitIsExact, &make)).unwrap_err();
/// assert_eq!(broken.law(), Law::LimitIsExact);
/// ```
pub async fn check_law<L: Limits, C: Clock>(law: Law, make: &impl AsyncFn() -> (L, C)) -> Result<(), Broken> {
    let (limits, clock) = make().await;
    run(law, &Trial { limits, clock }).await.map_err(|seen| Broken { law, seen: seen.0 })
}

/// Checks [`Law::RacesAreSafe`] with threads on limits that hold nothing.
///
/// `block_on` runs a future to its end on the calling thread, and several threads call `block_on` at once.
/// The suite itself blocks: call the suite from outside a runtime.
///
/// # Errors
/// The law, if the law does not hold, and the observation.
pub fn check_race<L: Limits>(limits: &L, block_on: impl for<'f> Fn(Task<'f>) + Sync) -> Result<(), Broken> {
    let caller = |caller: i64| {
        let mut granted = Err(Seen("block_on has not run a future to its end".into()));
        let result = &mut granted;
        block_on(Box::pin(async move { *result = race(limits, caller).await }));
        granted
    };
    let all: Result<Vec<Grants>, Seen> = thread::scope(|scope| {
        let threads: Vec<_> = (0..CALLERS).map(|id| scope.spawn(move || caller(id))).collect();
        let panicked = || Err(Seen("an operation panicked".into()));
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| panicked())).collect()
    });
    all.and_then(judge).map_err(|seen| Broken { law: Law::RacesAreSafe, seen: seen.0 })
}

/// Runs random operations on new limits and on [`MemoryLimits`], and compares every answer.
///
/// # Errors
/// [`Law::AnswersAsTheModel`] with the seed, the step and the last steps before the first difference.
pub async fn histories<L: Limits, C: Clock>(
    seed: u64,
    steps: usize,
    make: &impl AsyncFn() -> (L, C),
) -> Result<(), Broken> {
    let (limits, clock) = make().await;
    let ran = history(seed, steps, &Trial { limits, clock }).await;
    ran.map_err(|seen| Broken { law: Law::AnswersAsTheModel, seen: seen.0 })
}

/// A law that does not hold, and the observation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{law}: {seen}")]
pub struct Broken {
    law: Law,
    seen: String,
}

impl Broken {
    /// The law.
    #[must_use]
    pub const fn law(&self) -> Law {
        self.law
    }
}

macro_rules! laws {
    ($($(#[$doc:meta])* $law:ident = $text:literal => $check:path,)+) => {
        /// A law that the suite checks.
        ///
        /// ```
        /// # checkout_doctest::facade!(engine);
        /// use checkout_kit::engine::limits_conformance::Law;
        ///
        /// assert_eq!(Law::LimitIsExact.to_string(), "a limit is exact over any span");
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Law {
            $($(#[$doc])* $law,)+
        }

        impl Law {
            /// The laws, in the order of the checks.
            pub const ALL: &'static [Self] = &[$(Self::$law),+];
        }

        impl fmt::Display for Law {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $(Self::$law => $text,)+
                })
            }
        }

        async fn run<L: Limits, C: Clock>(law: Law, trial: &Trial<L, C>) -> Verdict {
            match law {
                $(Law::$law => Box::pin($check(trial)).await,)+
            }
        }
    };
}

laws! {
    /// Places are as many as the limit allows over any span, and no fewer.
    LimitIsExact = "a limit is exact over any span" => limit_is_exact,
    /// A wait is neither too short nor too long, to the millisecond.
    WaitIsExact = "a wait is exact" => wait_is_exact,
    /// A place is free at once when no request was made.
    UnusedPlaceIsFree = "an unused place is free at once" => unused_place_is_free,
    /// A place is held for the span after its read, whenever the read ends within its lease, and without an
    /// answer as that of a crash.
    ReadHoldsItsPlace = "a read holds its place" => read_holds_its_place,
    /// The place of a claim without an end is held until the lease's end and the span.
    CrashedPlaceIsHeld = "a crashed claim's place is held" => crashed_place_is_held,
    /// A place that is taken is not granted again, and only its own end ends the place.
    PlaceIsGrantedOnce = "a place is granted once" => place_is_granted_once,
    /// A read that was made holds a place, also if its place is over or unknown. No read holds none.
    LateReadCounts = "a late read counts" => late_read_counts,
    /// A wait that the provider asks for binds its whole lane, and is never shortened.
    WaitBindsTheLane = "a wait binds its whole lane" => wait_binds_the_lane,
    /// A look at the room takes no place, and tells the room of each lane in the order of the question.
    RoomIsRight = "the room is right, and a look takes nothing" => room_is_right,
    /// A limit is of its lane alone.
    LimitsAreOfTheirLane = "a limit is of its lane" => limits_are_of_their_lane,
    /// A lane whose limit is zero has no place.
    ZeroClosesALane = "a limit of zero closes a lane" => zero_closes_a_lane,
    /// A limit that is lowered or raised counts the places that are taken.
    LimitMayChange = "a limit may change" => limit_may_change,
    /// Callers at once never have more places than the limit allows.
    RacesAreSafe = "callers at once are safe" => by_steps,
    /// A short random history: see [`histories`].
    AnswersAsTheModel = "the limits answer as the model" => short_history,
}

/// An observation that breaks a law.
#[derive(Debug)]
struct Seen(String);

type Verdict = Result<(), Seen>;

impl From<StoreError> for Seen {
    fn from(error: StoreError) -> Self {
        let mut text = format!("the limits failed: {error}");
        let mut source = error.source();
        while let Some(cause) = source {
            text = format!("{text}: {cause}");
            source = cause.source();
        }
        Self(text)
    }
}

/// Holds if both are the same.
fn same<T: PartialEq + fmt::Debug>(what: &str, found: &T, expected: &T) -> Verdict {
    if found == expected {
        return Ok(());
    }
    Err(Seen(format!("{what}: found {found:?}, not {expected:?}")))
}

const LEASE: Duration = Duration::from_secs(30);
const MILLI: Duration = Duration::from_millis(1);
const RATE: RateLimit = RateLimit { requests: 2, per_seconds: 60, scope: RateScope::Merchant };
/// The time that a place is held after its read: the span, and the margin of a second.
const HELD: Duration = Duration::from_secs(61);

fn limit(lane: &str, requests: u32) -> Limit<'_> {
    Limit { lane, rate: RateLimit { requests, ..RATE } }
}

/// New limits, and their clock.
struct Trial<L, C> {
    limits: L,
    clock: C,
}

impl<L: Limits, C: Clock> Trial<L, C> {
    async fn pass(&self, span: Duration) -> Verdict {
        Ok(self.clock.pass(span).await?)
    }

    async fn reserve(&self, lane: Limit<'_>, place: i64) -> Result<Reserved, Seen> {
        Ok(self.limits.reserve(lane, place, LEASE).await?)
    }

    async fn granted(&self, when: &str, lane: Limit<'_>, place: i64) -> Verdict {
        same(&format!("{when}, a place"), &self.reserve(lane, place).await?, &Reserved::Granted)
    }

    async fn waits(&self, when: &str, lane: Limit<'_>, place: i64) -> Verdict {
        let found = self.reserve(lane, place).await?;
        if matches!(found, Reserved::Wait(span) if !span.is_zero()) {
            return Ok(());
        }
        Err(Seen(format!("{when}, a place: found {found:?}, not a wait")))
    }

    async fn end(&self, lane: Limit<'_>, place: i64, read: ReadMade) -> Verdict {
        Ok(self.limits.end(lane, place, read).await?)
    }

    async fn wait(&self, lane: Limit<'_>, span: Duration) -> Verdict {
        Ok(self.limits.wait(lane.lane, span).await?)
    }

    /// A lane has to wait for so long, as a look and a reservation tell.
    async fn has_to_wait(&self, when: &str, lane: Limit<'_>, span: Duration) -> Verdict {
        let room = vec![Room { places: 0, wait: span }];
        same(&format!("{when}, the room"), &self.limits.room(&[lane], LEASE).await?, &room)?;
        same(&format!("{when}, a place"), &self.reserve(lane, 99).await?, &Reserved::Wait(span))
    }
}

/// A place, as the law counts it.
struct Place {
    place: i64,
    ends_at: Option<Duration>,
    free: Duration,
}

async fn limit_is_exact<L: Limits, C: Clock>(t: &Trial<L, C>) -> Verdict {
    for (requests, round) in [(1, 0_u64), (2, 1), (5, 2)] {
        let (name, most) = (format!("lane {requests}"), usize::try_from(requests).unwrap_or(usize::MAX));
        let lane = limit(&name, requests);
        let (mut now, mut next_place) = (Duration::ZERO, 0_i64);
        let mut places: Vec<Place> = Vec::new();
        // Steps of uneven length: in them, leases end, windows end, and reads are slow.
        for step in 0..400_u64 {
            let turn = step.wrapping_mul(7).wrapping_add(round);
            for place in places.iter_mut().filter(|place| place.ends_at.is_some_and(|at| at <= now)) {
                place.ends_at = None;
                let read = if turn.is_multiple_of(3) { ReadMade::Sent } else { ReadMade::Answered };
                t.end(lane, place.place, read).await?;
                let held = now.saturating_add(HELD);
                // A request without an answer may be on its way still.
                place.free = if read == ReadMade::Sent { held.max(place.free) } else { held };
            }
            places.retain(|place| place.free > now);
            let expected = most.saturating_sub(places.len());
            for more in 0..=expected {
                next_place = next_place.saturating_add(1);
                let what = format!("with {} of {requests} places taken, a place", places.len());
                let got = t.reserve(lane, next_place).await?;
                same(&what, &(got == Reserved::Granted), &(more < expected))?;
                if got == Reserved::Granted {
                    let at = turn.wrapping_add(u64::try_from(more).unwrap_or(0));
                    // Some reads end late in their lease, and some never end.
                    let takes = Duration::from_millis(at.wrapping_mul(977) % 30_000);
                    let ends_at = (at % 5 != 0).then(|| now.saturating_add(takes));
                    let free = now.saturating_add(LEASE).saturating_add(HELD);
                    places.push(Place { place: next_place, ends_at, free });
                }
            }
            let next = places.iter().map(|place| place.free).min();
            let exact = next.map(|next| next.saturating_sub(now)).filter(|span| *span > MILLI);
            let span = match (turn % 4, exact) {
                // To the millisecond before the next place is free, and to the moment itself.
                (0, Some(span)) => span.saturating_sub(MILLI),
                (1, Some(span)) => span,
                _ => Duration::from_millis(turn.wrapping_mul(331) % 9_000 + 1),
            };
            t.pass(span).await?;
            now = now.saturating_add(span);
        }
    }
    Ok(())
}

async fn wait_is_exact<L: Limits, C: Clock>(t: &Trial<L, C>) -> Verdict {
    let lane = limit("lane", 2);
    t.granted("at the start", lane, 1).await?;
    t.pass(Duration::from_millis(1_234)).await?;
    t.granted("at the start", lane, 2).await?;
    t.end(lane, 1, ReadMade::Answered).await?;
    t.pass(Duration::from_millis(500)).await?;
    let wait = Duration::from_millis(60_500);
    same("the wait for the place of a read", &t.reserve(lane, 3).await?, &Reserved::Wait(wait))?;
    t.pass(wait - MILLI).await?;
    same("the wait in its last millisecond", &t.reserve(lane, 3).await?, &Reserved::Wait(MILLI))?;
    t.pass(MILLI).await?;
    t.granted("when the wait is over", lane, 3).await?;
    let wait = LEASE + HELD - Duration::from_secs(61);
    same("the wait for a crashed claim's place", &t.reserve(lane, 4).await?, &Reserved::Wait(wait))
}

async fn unused_place_is_free<L: Limits, C: Clock>(t: &Trial<L, C>) -> Verdict {
    let lane = limit("lane", 2);
    for place in [1, 2] {
        t.granted("at the start", lane, place).await?;
    }
    t.waits("with both places taken", lane, 3).await?;
    t.end(lane, 1, ReadMade::None).await?;
    t.granted("after an end without a request", lane, 4).await?;
    t.waits("with both places taken again", lane, 5).await
}

async fn read_holds_its_place<L: Limits, C: Clock>(t: &Trial<L, C>) -> Verdict {
    let lane = limit("lane", 1);
    for (read, place) in [(ReadMade::Sent, 10), (ReadMade::Answered, 20)] {
        for (takes, place) in [(Duration::ZERO, place), (LEASE - MILLI, place + 1)] {
            t.granted("with no place taken", lane, place).await?;
            t.pass(takes).await?;
            t.end(lane, place, read).await?;
            // A request without an answer may be on its way still.
            let more = if read == ReadMade::Sent { LEASE - takes } else { Duration::ZERO };
            t.pass(HELD + more - MILLI).await?;
            t.waits("in the last millisecond of the span after a read", lane, -1).await?;
            t.pass(MILLI).await?;
        }
    }
    Ok(())
}

async fn crashed_place_is_held<L: Limits, C: Clock>(t: &Trial<L, C>) -> Verdict {
    let lane = limit("lane", 1);
    t.granted("at the start", lane, 1).await?;
    t.pass(LEASE).await?;
    t.waits("at the end of a crashed lease", lane, 2).await?;
    t.pass(HELD - MILLI).await?;
    t.waits("a millisecond before the span after the lease is over", lane, 3).await?;
    t.pass(MILLI).await?;
    t.granted("when the span after the lease is over", lane, 4).await?;
    // An end in the last millisecond of a crashed place holds the place anew.
    t.pass(LEASE + HELD - MILLI).await?;
    t.end(lane, 4, ReadMade::Sent).await?;
    t.pass(HELD - MILLI).await?;
    t.waits("in the last millisecond of the span after a late read", lane, 5).await?;
    t.pass(MILLI).await?;
    t.granted("when the span after a late read is over", lane, 6).await
}

async fn place_is_granted_once<L: Limits, C: Clock>(t: &Trial<L, C>) -> Verdict {
    let (lane, other) = (limit("lane", 3), limit("other", 3));
    for place in [0, i64::MAX, i64::MIN] {
        t.granted("at the start", lane, place).await?;
        t.end(other, place, ReadMade::None).await?;
        t.end(lane, place.wrapping_add(1), ReadMade::None).await?;
        if place != i64::MIN {
            t.waits("for a place that is taken", lane, place).await?;
        }
    }
    t.waits("with all places taken", lane, 5).await?;
    // The greatest numbers are told apart to the last digit.
    t.end(lane, i64::MAX - 1, ReadMade::None).await?;
    t.waits("after the end of a place that is not there", lane, 6).await?;
    for _ in 0..2 {
        t.granted("for a place that is over, or never was", other, 7).await?;
        t.waits("for a place that is taken", other, 7).await?;
        t.pass(LEASE + HELD + MILLI).await?;
    }
    Ok(())
}

async fn late_read_counts<L: Limits, C: Clock>(t: &Trial<L, C>) -> Verdict {
    let lane = limit("lane", 1);
    t.end(lane, 1, ReadMade::None).await?;
    t.granted("after an end without a request", lane, 2).await?;
    for (read, place) in [(ReadMade::Sent, 2), (ReadMade::Answered, 3)] {
        t.pass(LEASE + HELD).await?;
        t.end(lane, place, read).await?;
        t.waits("after a read whose place was over", lane, 9).await?;
        t.pass(HELD - MILLI).await?;
        t.waits("in the last millisecond of the span after a late read", lane, 9).await?;
        t.pass(MILLI).await?;
        t.granted("when the span after a late read is over", lane, place + 1).await?;
    }
    Ok(())
}

async fn wait_binds_the_lane<L: Limits, C: Clock>(t: &Trial<L, C>) -> Verdict {
    let (minute, lane, other) = (Duration::from_secs(60), limit("lane", 2), limit("other", 2));
    t.granted("before a wait", lane, 1).await?;
    t.wait(lane, minute).await?;
    t.has_to_wait("in a wait", lane, minute).await?;
    t.has_to_wait("in a wait, under a limit that was raised", limit("lane", 100), minute).await?;
    t.has_to_wait("under a limit of zero", limit("lane", 0), Duration::MAX).await?;
    let room = vec![Room { places: 2, wait: Duration::ZERO }];
    same("the room of another lane", &t.limits.room(&[other], LEASE).await?, &room)?;
    t.granted("of another lane", other, 1).await?;
    t.end(lane, 1, ReadMade::None).await?;
    t.has_to_wait("after an end in a wait", lane, minute).await?;
    // A shorter wait does not shorten the wait, a longer one prolongs it.
    t.pass(minute / 6).await?;
    for span in [Duration::ZERO, MILLI, minute / 2] {
        t.wait(lane, span).await?;
        t.has_to_wait("after a shorter wait", lane, minute * 5 / 6).await?;
    }
    t.wait(lane, minute).await?;
    t.has_to_wait("after a longer wait", lane, minute).await?;
    t.pass(minute - MILLI).await?;
    t.has_to_wait("in the last millisecond of a wait", lane, MILLI).await?;
    t.pass(MILLI).await?;
    same("the room after a wait", &t.limits.room(&[lane], LEASE).await?, &room)?;
    for place in [2, 3] {
        t.granted("after a wait, which takes no place", lane, place).await?;
    }
    // With all places taken, the later end counts.
    let full = LEASE + HELD;
    t.wait(lane, full - MILLI).await?;
    t.has_to_wait("in a wait that is over before a place", lane, full).await?;
    t.wait(lane, full + MILLI).await?;
    t.has_to_wait("in a wait that is over after the places", lane, full + MILLI).await?;
    t.pass(full).await?;
    t.has_to_wait("when the places are over", lane, MILLI).await?;
    t.wait(lane, Duration::ZERO).await?;
    t.pass(MILLI).await?;
    t.granted("when all is over", lane, 4).await?;
    t.wait(lane, Duration::ZERO).await?;
    t.granted("after a wait of no time", lane, 5).await?;
    t.pass(full + MILLI).await?;
    same("the room long after a wait", &t.limits.room(&[lane], LEASE).await?, &room)?;
    t.granted("long after a wait", lane, 6).await
}

async fn room_is_right<L: Limits, C: Clock>(t: &Trial<L, C>) -> Verdict {
    let (one, two, zero) = (limit("one", 1), limit("two", 2), limit("zero", 0));
    let lanes = [two, one, zero];
    let free = |places| Room { places, wait: Duration::ZERO };
    let full = |wait| Room { places: 0, wait };
    let closed = full(Duration::MAX);
    for _ in 0..3 {
        same("the room at the start", &t.limits.room(&lanes, LEASE).await?, &vec![free(2), free(1), closed])?;
    }
    t.granted("after looks", one, 1).await?;
    t.pass(MILLI).await?;
    t.granted("after looks", two, 2).await?;
    t.end(one, 1, ReadMade::Answered).await?;
    t.pass(MILLI).await?;
    let expected = vec![free(1), full(HELD - MILLI), closed];
    same("the room with a place taken", &t.limits.room(&lanes, LEASE).await?, &expected)?;
    same("the room of no lane", &t.limits.room(&[], LEASE).await?, &Vec::new())?;
    t.granted("after looks", two, 3).await?;
    let expected = vec![full(LEASE + HELD - MILLI)];
    same("the room with both places taken", &t.limits.room(&[two], LEASE).await?, &expected)?;
    t.pass(LEASE + HELD - MILLI).await?;
    same("the room when one place is over", &t.limits.room(&[two], LEASE).await?, &vec![free(1)])
}

async fn limits_are_of_their_lane<L: Limits, C: Clock>(t: &Trial<L, C>) -> Verdict {
    let names = ["peach/m", "peach/M", "peach/m ", "", "peach/ü\n\0*", "allscale/m"];
    for (name, place) in names.into_iter().zip(0..) {
        t.granted("of a lane of its own", limit(name, 1), place).await?;
    }
    for name in names {
        t.waits("of a lane that is full", limit(name, 1), 100).await?;
    }
    for (name, place) in names.into_iter().zip(0..) {
        t.end(limit(name, 1), place, ReadMade::None).await?;
        t.granted("of a lane whose place is free", limit(name, 1), 200).await?;
    }
    Ok(())
}

async fn zero_closes_a_lane<L: Limits, C: Clock>(t: &Trial<L, C>) -> Verdict {
    let zero = limit("lane", 0);
    same("a limit of zero", &t.reserve(zero, 1).await?, &Reserved::Wait(Duration::MAX))?;
    t.pass(HELD * 100).await?;
    same("a limit of zero", &t.reserve(zero, 2).await?, &Reserved::Wait(Duration::MAX))?;
    t.granted("under a limit that was raised", limit("lane", 1), 3).await
}

async fn limit_may_change<L: Limits, C: Clock>(t: &Trial<L, C>) -> Verdict {
    let (high, low) = (limit("lane", 3), limit("lane", 1));
    for place in 1..=3 {
        t.granted("at the start", high, place).await?;
        t.end(high, place, ReadMade::Answered).await?;
        t.pass(Duration::from_secs(10)).await?;
    }
    // Two of the three places must be over before the lowered limit has room.
    let third = Reserved::Wait(HELD - Duration::from_secs(10));
    same("the wait under a limit that was lowered", &t.reserve(low, 4).await?, &third)?;
    t.pass(HELD - Duration::from_secs(10) - MILLI).await?;
    t.waits("with the last place taken", low, 5).await?;
    t.granted("under a limit that was raised again", high, 6).await
}

const CALLERS: i64 = 8;
const ROUNDS: i64 = 40;
const RACED: u32 = 3;

/// The places that a caller was granted and has not given back, of each lane.
type Grants = [u32; 4];

/// Lets the other futures go on.
struct Step(bool);

impl Future for Step {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if core::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Takes places as often as can be, and gives some back at once.
async fn race<L: Limits>(limits: &L, caller: i64) -> Result<Grants, Seen> {
    let mut grants = Grants::default();
    let names = ["a", "b", "c", "d"];
    for round in 0..ROUNDS {
        for (name, count) in names.into_iter().zip(grants.iter_mut()) {
            let (lane, place) = (limit(name, RACED), caller * ROUNDS + round);
            Step(false).await;
            if limits.reserve(lane, place, LEASE).await? == Reserved::Granted {
                // Half of the places come back, until the last rounds.
                if round % 2 == 0 && round < ROUNDS / 2 {
                    limits.end(lane, place, ReadMade::None).await?;
                } else {
                    limits.end(lane, place, ReadMade::Sent).await?;
                    *count = count.saturating_add(1);
                }
            }
        }
    }
    Ok(grants)
}

/// The clock stood: the places that were kept fill each lane, and no more.
fn judge(all: Vec<Grants>) -> Verdict {
    let sum = all.iter().fold(Grants::default(), |mut sum, grants| {
        for (sum, count) in sum.iter_mut().zip(grants) {
            *sum = sum.saturating_add(*count);
        }
        sum
    });
    same("the places that callers at once have of each lane", &sum, &[RACED; 4])
}

async fn by_steps<L: Limits, C: Clock>(t: &Trial<L, C>) -> Verdict {
    let callers = (0..CALLERS).map(|caller| race(&t.limits, caller));
    let all: Result<Vec<Grants>, Seen> = join_all(callers).await.into_iter().collect();
    judge(all?)
}

async fn short_history<L: Limits, C: Clock>(t: &Trial<L, C>) -> Verdict {
    history(20_240_523, 1_000, t).await
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)).checked_rem(end).unwrap_or(0)
    }
}

/// The steps that a report shows.
const SHOWN: usize = 12;

async fn history<L: Limits, C: Clock>(seed: u64, steps: usize, t: &Trial<L, C>) -> Verdict {
    let clock = ManualClock::new();
    let model = MemoryLimits::with_clock(clock.reader());
    let (mut random, mut shown) = (Random(seed), VecDeque::new());
    let mut place = 0_i64;
    for step in 0..steps {
        let names = ["a", "b", "c"];
        let (name, requests) = match random.below(3) {
            0 => (names[0], 1),
            1 => (names[1], 2),
            // A limit that changes now and then.
            _ => (names[2], u32::try_from(random.below(5)).unwrap_or(0)),
        };
        let lane = limit(name, requests);
        let (what, found, expected) = match random.below(11) {
            0..=2 => {
                let end = [2, 50, 5_000, 40_000, 90_000];
                let end = end.get(usize::try_from(random.below(5)).unwrap_or(0)).copied().unwrap_or(1);
                let span = Duration::from_millis(random.below(end));
                t.pass(span).await?;
                clock.pass(span).await?;
                (format!("pass {span:?}"), String::new(), String::new())
            }
            3..=5 => {
                // A place that was asked for before, now and then.
                place = place.saturating_add(i64::from(random.below(4) != 0));
                let lease = Duration::from_millis(random.below(40_000));
                let found = t.limits.reserve(lane, place, lease).await?;
                let expected = model.reserve(lane, place, lease).await?;
                let what = format!("reserve {place} of {name} ({requests}) for {lease:?}");
                (what, format!("{found:?}"), format!("{expected:?}"))
            }
            6..=7 => {
                let of = place.saturating_sub(i64::try_from(random.below(4)).unwrap_or(0));
                let read = match random.below(3) {
                    0 => ReadMade::None,
                    1 => ReadMade::Sent,
                    _ => ReadMade::Answered,
                };
                t.end(lane, of, read).await?;
                model.end(lane, of, read).await?;
                (format!("end {of} of {name}: {read:?}"), String::new(), String::new())
            }
            8 => {
                let span = Duration::from_millis(random.below(20_000));
                t.wait(lane, span).await?;
                model.wait(lane.lane, span).await?;
                (format!("{name} waits {span:?}"), String::new(), String::new())
            }
            _ => {
                let lanes = [lane, limit("a", 1), limit("b", 2)];
                let found = t.limits.room(&lanes, LEASE).await?;
                let expected = model.room(&lanes, LEASE).await?;
                ("look".to_owned(), format!("{found:?}"), format!("{expected:?}"))
            }
        };
        if shown.len() >= SHOWN {
            shown.pop_front();
        }
        shown.push_back(format!("{what}: {found}"));
        if found != expected {
            let shown: Vec<String> = shown.into();
            let shown = shown.join("\n  ");
            return Err(Seen(format!(
                "seed {seed}, step {step}: found {found}, not {expected}; the last steps:\n  {shown}"
            )));
        }
    }
    Ok(())
}
