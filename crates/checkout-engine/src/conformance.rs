//! The suite that tests a store of your own: the promises of [`Store`], law by law.
//!
//! A test in your own crate is a few lines; the feature `conformance` is for its `[dev-dependencies]`:
//!
//! ```
//! # checkout_doctest::facade!(engine);
//! use checkout_kit::engine::Memory;
//! use checkout_kit::engine::conformance::{self, ManualClock};
//!
//! let make = async || {
//!     let clock = ManualClock::new();
//!     (Memory::with_clock(clock.reader()), clock)
//! };
//! # pollster::block_on(async {
//! conformance::check(&make).await?;
//! conformance::histories(1, 500, &make).await?;
//! # Ok::<(), conformance::Broken>(())
//! # }).unwrap();
//!
//! let (store, clock) = pollster::block_on(make());
//! conformance::check_race(&store, &clock, |task| pollster::block_on(task))?;
//! # Ok::<(), conformance::Broken>(())
//! ```
//!
//! The suite never sleeps. The store's clock stands still until the suite moves the clock by [`Clock::pass`].
//!
//! Three parts of the suite complete each other. [`check`] asks for one promise after another, and compares
//! with what the law says. [`check_race`] lets threads claim, write and nudge at once. [`histories`] runs a
//! random history on the store and on [`Memory`](crate::Memory), and compares every answer.
//!
//! No run proves that a store is right: a store is right because each operation is one transaction of the
//! store's own foundation.

mod events;
mod history;
mod limits;
mod news;
mod race;
mod rows;
mod work;

use crate::checkout::{Checkout, Provider, State};
use crate::store::{
    Ask, Claimed, Due, Inserted, Lane, Lease, New, News, Next, Nudge, Nudged, ReadMade, Store, StoreError,
    Subject, Target, Write, Written,
};
use checkout_tables::{Environment, Moment, RateLimit, RateScope};
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::time::Duration;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// The way to move a store's clock.
pub trait Clock: Send + Sync {
    /// Moves the clock forward by whole milliseconds.
    fn pass(&self, span: Duration) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// A clock that stands until somebody moves the clock. For stores that take a closure as their clock.
///
/// ```
/// # checkout_doctest::facade!(engine);
/// use checkout_kit::engine::conformance::{Clock, ManualClock};
/// use std::time::Duration;
///
/// let clock = ManualClock::new();
/// let read = clock.reader();
/// let start = read();
/// # pollster::block_on(async {
/// clock.pass(Duration::from_millis(5)).await?;
/// # Ok::<(), checkout_engine::StoreError>(())
/// # }).unwrap();
/// assert_eq!(read().unix_millis(), start.unix_millis() + 5);
/// ```
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    /// A clock that stands at a moment in 2024.
    #[must_use]
    pub fn new() -> Self {
        Self::at(Moment::from_unix_millis(1_716_501_000_000))
    }

    /// A clock that stands at a moment.
    #[must_use]
    pub fn at(moment: Moment) -> Self {
        Self(Arc::new(AtomicI64::new(moment.unix_millis())))
    }

    /// A reader of the clock.
    pub fn reader(&self) -> impl Fn() -> Moment + Send + Sync + use<> {
        let millis = Arc::clone(&self.0);
        move || Moment::from_unix_millis(millis.load(Ordering::SeqCst))
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for ManualClock {
    async fn pass(&self, span: Duration) -> Result<(), StoreError> {
        self.0.store((self.reader())().saturating_add(span).unix_millis(), Ordering::SeqCst);
        Ok(())
    }
}

/// A future of the suite, for `block_on` to run to its end.
pub type Task<'f> = Pin<Box<dyn Future<Output = ()> + Send + 'f>>;

/// Checks every law of [`Law::ALL`], each on a new store. `make` makes a store that is empty, and its clock.
///
/// # Errors
/// The first law that does not hold, and the observation.
pub async fn check<S: Store, C: Clock>(make: &impl AsyncFn() -> (S, C)) -> Result<(), Broken> {
    for law in Law::ALL {
        check_law(*law, make).await?;
    }
    Ok(())
}

/// Checks one law of [`Law::ALL`] on a new store.
///
/// # Errors
/// That law, if the law does not hold, and the observation.
///
/// ```
/// # checkout_doctest::facade!(engine);
/// use checkout_kit::engine::Memory;
/// use checkout_kit::engine::conformance::{Law, ManualClock, check_law};
///
/// /// A store whose clock is not the clock that the suite moves.
/// let make = async || (Memory::with_clock(ManualClock::new().reader()), ManualClock::new());
///
/// let broken = pollster::block_on(check_law(Law::ClockIsTheStores, &make)).unwrap_err();
/// assert_eq!(broken.law(), Law::ClockIsTheStores);
/// assert!(broken.to_string().starts_with("the store's clock decides: "));
/// ```
pub async fn check_law<S: Store, C: Clock>(law: Law, make: &impl AsyncFn() -> (S, C)) -> Result<(), Broken> {
    let (store, clock) = make().await;
    run(law, &Trial { store, clock }).await.map_err(|seen| Broken { law, seen: seen.0 })
}

/// Checks [`Law::RacesAreSafe`] with threads on one store, which is empty before.
///
/// `block_on` runs a future to its end on the calling thread, and several threads call `block_on` at once.
/// If the store needs a runtime, pass the `block_on` of a handle to the runtime. The suite itself blocks:
/// call the suite from outside the runtime.
///
/// # Errors
/// The law, if the law does not hold, and the observation.
pub fn check_race<S: Store, C: Clock>(
    store: &S,
    clock: &C,
    block_on: impl for<'f> Fn(Task<'f>) + Sync,
) -> Result<(), Broken> {
    race::on_threads(store, clock, &block_on).map_err(|seen| Broken { law: Law::RacesAreSafe, seen: seen.0 })
}

/// Runs random operations on a new store and on [`Memory`](crate::Memory), and compares every answer. Where
/// the trait leaves a choice, as between lanes, the model follows the store's choice if the trait allows it.
///
/// # Errors
/// [`Law::AnswersAsTheModel`] with the seed, the step and the last steps before the first difference.
pub async fn histories<S: Store, C: Clock>(
    seed: u64,
    steps: usize,
    make: &impl AsyncFn() -> (S, C),
) -> Result<(), Broken> {
    let (store, clock) = make().await;
    let ran = history::run(seed, steps, &Trial { store, clock }).await;
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
        /// use checkout_kit::engine::conformance::Law;
        ///
        /// assert_eq!(Law::OldFenceIsLost.to_string(), "a write under an old fence changes nothing");
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

        async fn run<S: Store, C: Clock>(law: Law, trial: &Trial<S, C>) -> Verdict {
            match law {
                $(Law::$law => Box::pin($check(trial)).await,)+
            }
        }
    };
}

laws! {
    /// The store's now stands until the clock is moved, and moves by what the clock is moved.
    ClockIsTheStores = "the store's clock decides" => rows::clock_is_the_stores,
    /// A second insert of an id changes nothing, and answers with the row that is there.
    InsertIsDoneOnce = "an insert is done once" => rows::insert_is_done_once,
    /// A reference is of one checkout of a lane; other lanes have their own.
    ReferenceIsOfOneCheckout = "a reference is of one checkout of a lane"
        => rows::reference_is_of_one_checkout,
    /// Nobody claims what an insert leased until the lease ends. An insert without a lease leases nothing.
    InsertLeases = "an insert leases" => rows::insert_leases,
    /// Every text, provider, environment, state and subject comes back as it was written.
    TextsSurvive = "texts survive unchanged" => rows::texts_survive,
    /// A write of the row counts the version, and keeps the moment of the first write.
    WritesAreCounted = "writes of a row are counted" => rows::writes_are_counted,
    /// A list is in the order of ids, byte by byte, and of the filter's choice.
    ListIsChosen = "a list is in order and of the filter's choice" => rows::list_is_chosen,
    /// An overview has the due, the lease, the tries and the nudges of the work, as the claims have them.
    OverviewShowsTheWork = "an overview shows the work" => rows::overview_shows_the_work,
    /// A decision is written only if the row has the version that the person saw.
    DecisionNeedsTheVersion = "a decision needs the version" => rows::decision_needs_the_version,
    /// A decision takes the work from whoever holds the work, and makes work due or ends work.
    DecisionTakesTheLease = "a decision takes the lease" => rows::decision_takes_the_lease,
    /// Nudges that no read has answered are work after a decision, with the id that an event named.
    UnansweredNudgesOutliveDecisions = "unanswered nudges outlive a decision"
        => rows::unanswered_nudges_outlive_decisions,
    /// A decision's name, person, reason and moment are kept, the oldest first.
    DecisionsAreKept = "decisions are kept" => rows::decisions_are_kept,
    /// Each figure moves with what the figure counts.
    FiguresMove = "the figures move" => rows::figures_move,
    /// Spans round up to milliseconds, and may be endless.
    SpansMayBeEndless = "spans may be endless" => rows::spans_may_be_endless,

    /// Claimed work is not claimed again until the lease ends, to the millisecond.
    ClaimLeases = "a claim leases" => work::claim_leases,
    /// Fences grow, and never come back: also behind an end, a nudge and a decision.
    FencesNeverComeBack = "fences never come back" => work::fences_never_come_back,
    /// Of a lane, the earliest work comes first.
    EarliestComesFirst = "the earliest work of a lane comes first" => work::earliest_comes_first,
    /// A lane with much work does not keep other lanes waiting.
    LanesTakeTurns = "lanes take turns" => work::lanes_take_turns,
    /// Work of a lane that the claim does not name is left.
    OtherLanesAreLeft = "other lanes are left" => work::other_lanes_are_left,
    /// A claim leases at most what it is asked for.
    MaxIsKept = "a claim keeps to its maximum" => work::max_is_kept,
    /// The moment of the next due work is neither past nor too late.
    NextIsRight = "the next due is neither past nor too late" => work::next_is_right,
    /// A claim with a maximum of zero leases nothing and takes no place, and says what is due as others do.
    MaxZeroLooks = "a claim of at most nothing looks, and leases nothing" => work::max_zero_looks,
    /// A write under an old fence changes no field: the work was taken over, decided, ended or given up.
    OldFenceIsLost = "a write under an old fence changes nothing" => work::old_fence_is_lost,
    /// A write after the end of the lease holds if nobody has taken the work over.
    LateWriteHolds = "a late write holds if nobody took over" => work::late_write_holds,
    /// [`Next::Keep`] writes, and leaves the lease, its end, the watch and the place.
    KeepKeeps = "a kept lease goes on" => work::keep_keeps,
    /// [`Next::Keep`] after the end of the lease changes no field, also if nobody has taken the work over.
    KeepNeedsTheLease = "a lease that is over is not kept" => work::keep_needs_the_lease,
    /// [`Next::Due`] makes work due after the span, to the millisecond, with the watch.
    DueComesDue = "work comes due after its span" => work::due_comes_due,
    /// Ended work is not claimed, and a nudge brings the work back with the watch.
    EndedWorkRests = "ended work rests until a nudge" => work::ended_work_rests,
    /// A nudge makes waiting work due at once, and never later.
    NudgeMakesDue = "a nudge makes work due" => work::nudge_makes_due,
    /// A nudge within a lease leaves the lease, and makes the work due at once after the write.
    NudgeSparesTheLease = "a nudge spares the lease, and is not lost with the write"
        => work::nudge_spares_the_lease,
    /// Work says that a nudge waits until an answered read covers the nudge.
    NudgedUntilAnswered = "a nudge waits until it is answered" => work::nudged_until_answered,
    /// Work has the provider's id that an event named, where the row had another one or none.
    NamedIsHandedOver = "the named id is handed over" => work::named_is_handed_over,
    /// An event finds a checkout of its lane by the provider's id, or else by the reference.
    EventsFindTheirCheckout = "events find their checkout" => work::events_find_their_checkout,
    /// Tries count the claims, and begin again with a write that gives the lease up.
    TriesAreCounted = "tries are counted" => work::tries_are_counted,
    /// [`Next::Back`] leaves work as it was before the claim: its tries, its watch, the id that an event
    /// named.
    GivenBackIsAsBefore = "work that is given back is as before its claim" => work::given_back_is_as_before,
    /// Work that was claimed [`SUSPECT`](crate::SUSPECT) times without a write comes alone, and holds up
    /// nothing else.
    SuspectsComeAlone = "suspects come alone" => work::suspects_come_alone,

    /// An event is pending until the read that covers it, and done with the write of that read.
    EventIsDoneWithItsRead = "an event is done with its read" => events::event_is_done_with_its_read,
    /// The write of a claim does not make events done that came after the claim.
    LaterEventsStayPending = "later events stay pending" => events::later_events_stay_pending,
    /// An event of several keys is known by each of them.
    EveryKeyIsKnown = "an event is known by each of its keys" => events::every_key_is_known,
    /// A done event is known for its retention; a pending event is known for ever.
    EventsAreKept = "events are kept for their retention" => events::events_are_kept,
    /// A sweep deletes what is over, at most as much as asked.
    SweepDeletesWhatIsOver = "a sweep deletes what is over" => events::sweep_deletes_what_is_over,
    /// An event of no checkout is noted for a person, and is new when the checkout is there.
    UnmatchedEventsAreNoted = "unmatched events are noted" => events::unmatched_events_are_noted,
    /// The events of no checkout are listed, the first one first, until a checkout has their ids.
    UnmatchedEventsAreListed = "unmatched events are listed" => events::unmatched_events_are_listed,

    /// Places are as many as the limit allows over any span, and no fewer.
    LimitIsExact = "a limit is exact over any span" => limits::limit_is_exact,
    /// A place is free at once when no request was made.
    UnusedPlaceIsFree = "an unused place is free at once" => limits::unused_place_is_free,
    /// The place of a claim without a write is held until the lease's end and the span.
    CrashedPlaceIsHeld = "a crashed claim's place is held" => limits::crashed_place_is_held,
    /// A decision or a lost write frees no place.
    LostClaimsKeepTheirPlace = "a lost claim's place is held" => limits::lost_claims_keep_their_place,
    /// A limit is of its lane alone, and a merchant's interfaces share the lane.
    LimitsAreOfTheirLane = "a limit is of its lane" => limits::limits_are_of_their_lane,
    /// A process that makes its lanes known again frees no place.
    LanesStayKnown = "lanes made known again free nothing" => limits::lanes_stay_known,
    /// A lane whose limit is zero has no place.
    ZeroClosesALane = "a limit of zero closes a lane" => limits::zero_closes_a_lane,
    /// A wait binds the whole lane, no other lane, and is never shortened.
    WaitBindsTheLane = "a wait binds the lane" => limits::wait_binds_the_lane,

    /// News is told with the write, leased by its claim, and comes back with the lease's end.
    NewsIsLeased = "news is leased" => news::news_is_leased,
    /// Only the last claim of news ends its telling, and told news is gone.
    NewsNeedsItsFence = "news needs its fence" => news::news_needs_its_fence,
    /// News that is to be told again comes after the span, and its failures are counted.
    NewsComesAgain = "news comes again" => news::news_comes_again,
    /// News that was claimed [`SUSPECT`](crate::SUSPECT) times without an end of its telling comes alone, and
    /// holds up nothing else.
    SuspectNewsComesAlone = "suspect news comes alone" => news::suspect_news_comes_alone,
    /// The same key twice is one news.
    NewsOfAKeyIsOne = "news of a key is one" => news::news_of_a_key_is_one,
    /// A claim of news keeps to its maximum, and leaves the others.
    NewsMaxIsKept = "a claim of news keeps to its maximum" => news::news_max_is_kept,

    /// Callers at once lease nothing twice, exceed no limit, and lose no nudge, no write and no news.
    RacesAreSafe = "callers at once are safe" => race::by_steps,
    /// A short random history: see [`histories`].
    AnswersAsTheModel = "the store answers as the model" => history::short,
}

/// An observation that breaks a law.
#[derive(Debug)]
struct Seen(String);

type Verdict = Result<(), Seen>;

impl From<StoreError> for Seen {
    fn from(error: StoreError) -> Self {
        let mut text = format!("the store failed: {error}");
        let mut source = error.source();
        while let Some(cause) = source {
            text = format!("{text}: {cause}");
            source = cause.source();
        }
        Self(text)
    }
}

/// Holds, or says what was expected.
fn holds(holds: bool, otherwise: &str) -> Verdict {
    if holds { Ok(()) } else { Err(Seen(otherwise.to_owned())) }
}

/// Holds if both are the same.
fn same<T: PartialEq + fmt::Debug>(what: &str, found: &T, expected: &T) -> Verdict {
    if found == expected {
        return Ok(());
    }
    let (mut found, mut expected) = (format!("{found:?}"), format!("{expected:?}"));
    if found == expected {
        (found, expected) = ("a different value".into(), "the value that was written".into());
    }
    let short = |text: String| if text.len() > 600 { text.chars().take(600).collect() } else { text };
    Err(Seen(format!("{what}: found {}, not {}", short(found), short(expected))))
}

const LEASE: Duration = Duration::from_secs(30);
const MILLI: Duration = Duration::from_millis(1);
const HOUR: Duration = Duration::from_secs(3_600);
/// The limit of the lanes that have one.
const LIMIT: RateLimit = RateLimit { requests: 2, per_seconds: 60, scope: RateScope::Merchant };
/// The time that a place is held after its read.
const HELD: Duration = Duration::from_secs(61);

/// A row of the merchant `m`.
fn row(id: &str) -> Checkout {
    row_of("m", id)
}

fn row_of(merchant: &str, id: &str) -> Checkout {
    let never = Moment::from_unix_millis(7);
    Checkout {
        id: id.to_owned(),
        provider: Provider::AllScale,
        merchant: merchant.to_owned(),
        environment: Environment::Sandbox,
        state: State::Open,
        reference: format!("reference of {id}"),
        checkout_id: None,
        page: None,
        hold: None,
        notes: "{}".into(),
        version: 77,
        created_at: never,
        changed_at: never,
    }
}

fn lane(merchant: &str) -> String {
    Lane::name_of(Provider::AllScale, merchant)
}

fn news(key: &str, id: &str) -> News {
    News { key: key.to_owned(), id: id.to_owned(), subject: Subject::Settled, reason: None }
}

/// A write that changes nothing but the work.
fn plain(next: Next, read: ReadMade) -> Write {
    Write { checkout: None, next, read, lane_wait: None, news: Vec::new() }
}

fn due(after: Duration, watch: &str) -> Next {
    Next::Due { after, watch: watch.to_owned() }
}

fn ended(watch: &str) -> Next {
    Next::Ended { watch: watch.to_owned() }
}

fn ids(due: &[Due]) -> Vec<&str> {
    due.iter().map(|due| due.lease.id.as_str()).collect()
}

/// A new store, and its clock.
struct Trial<S, C> {
    store: S,
    clock: C,
}

impl<S: Store, C: Clock> Trial<S, C> {
    async fn now(&self) -> Result<Moment, Seen> {
        Ok(self.store.now().await?)
    }

    async fn pass(&self, span: Duration) -> Verdict {
        Ok(self.clock.pass(span).await?)
    }

    /// Makes the lane of a merchant known.
    async fn lane(&self, merchant: &str, limit: Option<RateLimit>) -> Verdict {
        Ok(self.store.lanes(&[Lane { name: lane(merchant), limit }]).await?)
    }

    async fn insert(&self, checkout: &Checkout, watch: &str, lease: Duration) -> Result<Lease, Seen> {
        match self.store.insert(&New { checkout, watch, lease }).await? {
            Inserted::Fresh(lease, _) => Ok(lease),
            Inserted::Exists(_) => Err(Seen(format!("a new id {:?} exists", checkout.id))),
            Inserted::SameReference(_) => Err(Seen(format!("a new reference of {:?} exists", checkout.id))),
        }
    }

    /// Adds work of the merchant `m` that is due, with an empty watch.
    async fn add(&self, id: &str) -> Verdict {
        self.add_of("m", id).await
    }

    async fn add_of(&self, merchant: &str, id: &str) -> Verdict {
        self.insert(&row_of(merchant, id), "", Duration::ZERO).await.map(drop)
    }

    async fn ask(&self, lanes: &[String], max: usize, lease: Duration) -> Result<Claimed, Seen> {
        let claimed = self.store.claim(&Ask { lanes, max, lease }).await?;
        same("the clock of a claim", &claimed.now, &self.now().await?)?;
        Ok(claimed)
    }

    /// Claims work of the merchant `m`.
    async fn claim(&self, max: usize) -> Result<Vec<Due>, Seen> {
        Ok(self.ask(&[lane("m")], max, LEASE).await?.due)
    }

    /// Claims the one piece of work that is due.
    async fn claim_one(&self, when: &str) -> Result<Due, Seen> {
        self.claim_one_of("m", when).await
    }

    async fn claim_one_of(&self, merchant: &str, when: &str) -> Result<Due, Seen> {
        let mut claimed = self.ask(&[lane(merchant)], 10, LEASE).await?.due;
        match (claimed.pop(), claimed.len()) {
            (Some(due), 0) => Ok(due),
            (_, more) => Err(Seen(format!("{when}, a claim found {more} pieces of work, not 1"))),
        }
    }

    async fn claim_none(&self, when: &str) -> Verdict {
        self.claim_none_of("m", when).await
    }

    async fn claim_none_of(&self, merchant: &str, when: &str) -> Verdict {
        let claimed = self.ask(&[lane(merchant)], 10, LEASE).await?.due;
        holds(claimed.is_empty(), &format!("{when}, a claim found {:?}, not nothing", ids(&claimed)))
    }

    async fn written(&self, what: &str, lease: &Lease, write: &Write) -> Verdict {
        same(what, &self.store.write(lease, write).await?, &Written::Done)
    }

    async fn lost(&self, what: &str, lease: &Lease, write: &Write) -> Verdict {
        same(what, &self.store.write(lease, write).await?, &Written::Lost)
    }

    /// Gives leased work up, due again after a span.
    async fn give_up(&self, lease: &Lease, after: Duration, read: ReadMade) -> Verdict {
        self.written("a write of leased work", lease, &plain(due(after, ""), read)).await
    }

    async fn end(&self, lease: &Lease) -> Verdict {
        self.written("a write of leased work", lease, &plain(ended(""), ReadMade::Answered)).await
    }

    async fn nudge(&self, id: &str) -> Verdict {
        let nudged = self.store.nudge(&Nudge { target: Target::Id(id), event: &[] }).await?;
        same("a nudge of a checkout", &nudged, &Nudged::Queued { id: id.to_owned() })
    }

    async fn row(&self, id: &str) -> Result<Checkout, Seen> {
        self.store.checkout(id).await?.ok_or_else(|| Seen(format!("there is no checkout {id:?}")))
    }
}
