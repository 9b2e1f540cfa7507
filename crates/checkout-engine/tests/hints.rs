//! A store's hint makes the loop of a process ask at once, a stop ends the loop, and a panic does not.

mod world;

use checkout_engine::{
    Ask, Checkout, Claimed, ClaimedNews, Decided, Decision, Figures, Filter, Inserted, Lane, Lease, Memory,
    New, Next, Nudge, Nudged, Overview, State, Store, StoreError, Subject, Unmatched, Write, Written,
};
use checkout_tables::Moment;
use checkout_transport::{Request, Response, Transport, TransportError};
use std::future::{pending, ready};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::task::yield_now;
use world::{Outcome, Providers, World, block_on, drafts, engine_over};

/// A store in memory with hints, which counts its claims, and whose answers to claims come late.
struct Hinted {
    store: Memory,
    hints: Notify,
    claims: AtomicU32,
    claims_of_news: AtomicU32,
    writes: Mutex<Writes>,
    writes_begun: AtomicU32,
    /// A save has begun.
    saves: Notify,
}

/// The answer to a write.
#[derive(Clone, Copy, Debug)]
enum Writes {
    Right,
    /// The database is away.
    Refused,
    /// The database says nothing.
    Unanswered,
    /// A bug strikes the writes of this checkout, as long as it is not held.
    Panics(&'static str),
}

impl Hinted {
    fn over(store: Memory) -> Self {
        Self {
            store,
            hints: Notify::new(),
            claims: AtomicU32::new(0),
            claims_of_news: AtomicU32::new(0),
            writes: Mutex::new(Writes::Right),
            writes_begun: AtomicU32::new(0),
            saves: Notify::new(),
        }
    }

    fn writes(&self) -> MutexGuard<'_, Writes> {
        self.writes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for Hinted {
    async fn woken(&self) {
        self.hints.notified().await;
    }
    async fn claim(&self, ask: &Ask<'_>) -> Result<Claimed, StoreError> {
        self.claims.fetch_add(1, Ordering::Relaxed);
        let claimed = self.store.claim(ask).await;
        yield_now().await;
        claimed
    }
    async fn now(&self) -> Result<Moment, StoreError> {
        self.store.now().await
    }
    fn later(&self, at: Moment, since: Instant) -> Moment {
        self.store.later(at, since)
    }
    async fn lanes(&self, lanes: &[Lane]) -> Result<(), StoreError> {
        self.store.lanes(lanes).await
    }
    async fn insert(&self, new: &New<'_>) -> Result<Inserted, StoreError> {
        self.store.insert(new).await
    }
    async fn write(&self, lease: &Lease, write: &Write) -> Result<Written, StoreError> {
        let writes = *self.writes();
        self.writes_begun.fetch_add(1, Ordering::Relaxed);
        if write.next == Next::Keep {
            self.saves.notify_one();
            yield_now().await;
        }
        match writes {
            Writes::Refused => return Err(StoreError::Unavailable("away".into())),
            Writes::Unanswered => pending().await,
            Writes::Panics(id) if id == lease.id => {
                assert!(write.checkout.as_ref().is_some_and(|row| row.hold.is_some()), "a bug");
            }
            Writes::Right | Writes::Panics(_) => {}
        }
        self.store.write(lease, write).await
    }
    async fn nudge(&self, nudge: &Nudge<'_>) -> Result<Nudged, StoreError> {
        self.store.nudge(nudge).await
    }
    async fn decide(&self, decision: &Decision<'_>) -> Result<Written, StoreError> {
        self.store.decide(decision).await
    }
    async fn claim_news(&self, max: usize, lease: Duration) -> Result<Vec<ClaimedNews>, StoreError> {
        self.claims_of_news.fetch_add(1, Ordering::Relaxed);
        let claimed = self.store.claim_news(max, lease).await;
        yield_now().await;
        claimed
    }
    async fn news_told(&self, key: &str, fence: i64, again: Option<Duration>) -> Result<Written, StoreError> {
        self.store.news_told(key, fence, again).await
    }
    async fn checkout(&self, id: &str) -> Result<Option<Checkout>, StoreError> {
        self.store.checkout(id).await
    }
    async fn overview(&self, filter: &Filter<'_>) -> Result<Vec<Overview>, StoreError> {
        self.store.overview(filter).await
    }
    async fn unmatched(&self, after: i64, most: usize) -> Result<Vec<Unmatched>, StoreError> {
        self.store.unmatched(after, most).await
    }
    async fn decisions(&self, id: &str) -> Result<Vec<Decided>, StoreError> {
        self.store.decisions(id).await
    }
    async fn figures(&self) -> Result<Figures, StoreError> {
        self.store.figures().await
    }
    async fn sweep(&self, max: usize) -> Result<usize, StoreError> {
        self.store.sweep(max).await
    }
}

/// The engine of these tests asks once a day. A hint that comes during a claim, or while nobody waits,
/// counts.
#[test]
fn a_hint_makes_the_loop_ask_at_once() -> Outcome {
    block_on(async {
        let providers = Providers::new(1);
        let clock = providers.clock.clone();
        let store = Memory::with_clock(move || clock.now());
        let store = Arc::new(Hinted::over(store));
        // A store behind pointers has the hints too.
        let engine = engine_over(Arc::new(Arc::clone(&store)), providers)?;
        let hints = async {
            for claims in 1..=5 {
                while store.claims.load(Ordering::Relaxed) < claims {
                    yield_now().await;
                }
                assert_eq!(store.claims.load(Ordering::Relaxed), claims);
                store.hints.notify_one();
            }
        };
        let runs = engine.run(|_| async { Ok(()) }, pending());
        let both = async {
            tokio::select! {
                () = runs => Err("the loop has ended".into()),
                () = hints => Ok(()),
            }
        };
        tokio::time::timeout(Duration::from_secs(60), both).await?
    })
}

const HOUR: Duration = Duration::from_secs(60 * 60);
const LEASE: Duration = Duration::from_secs(30);

/// An open checkout whose read is due, and a store in which the checkout is.
async fn with_a_due_read() -> Outcome<(Providers, Arc<Hinted>)> {
    let providers = Providers::new(1);
    let clock = providers.clock.clone();
    let store = Memory::with_clock(move || clock.now());
    let store = Arc::new(Hinted::over(store));
    let engine = engine_over(Arc::clone(&store), providers.clone())?;
    let created = engine.create("o", drafts::allscale("order0001")?).await?;
    assert_eq!(created.state, State::Open);
    providers.clock.advance(HOUR);
    Ok((providers, store))
}

/// The work of AllScale that another process can claim now, with the number of claims that went before.
async fn claimable(store: &Hinted) -> Outcome<Vec<u32>> {
    let lanes = ["allscale/default".to_owned()];
    let claimed = store.store.claim(&Ask { lanes: &lanes, max: 9, lease: LEASE }).await?;
    Ok(claimed.due.iter().map(|due| due.tries).collect())
}

#[test]
fn work_whose_claim_was_under_way_at_the_stop_is_given_back_unbegun() -> Outcome {
    block_on(async {
        let (providers, store) = with_a_due_read().await?;
        let engine = engine_over(Arc::clone(&store), providers.clone())?;
        let sent = providers.allscale.requests().len();
        engine.run(|_| async { Ok(()) }, ready(())).await;
        assert_eq!(store.claims.load(Ordering::Relaxed), 1);
        assert_eq!(providers.allscale.requests().len(), sent);
        assert_eq!(claimable(&store).await?, [1]);
        Ok(())
    })
}

#[test]
fn news_whose_claim_was_under_way_at_the_stop_is_not_told_and_waits_for_another_process() -> Outcome {
    block_on(async {
        let (providers, store) = with_a_due_read().await?;
        let engine = engine_over(Arc::clone(&store), providers.clone())?;
        // The work ends, and nobody is told.
        while store.checkout("o").await?.is_some_and(|row| !row.state.is_end()) {
            let refuses = |_| async { Err("not now".into()) };
            providers.clock.advance(engine.step(refuses).await?);
        }
        providers.clock.advance(HOUR);
        let told = AtomicU32::new(0);
        let tell = |_| {
            told.fetch_add(1, Ordering::Relaxed);
            async { Ok(()) }
        };
        // The stop comes while the loop asks for news.
        store.claims_of_news.store(0, Ordering::Relaxed);
        let stop = async {
            while store.claims_of_news.load(Ordering::Relaxed) == 0 {
                yield_now().await;
            }
        };
        engine.run(tell, stop).await;
        let news = store.store.claim_news(9, LEASE).await?;
        let left: Vec<Subject> = news.iter().map(|claimed| claimed.news.subject).collect();
        assert_eq!((told.load(Ordering::Relaxed), left), (0, vec![Subject::Settled]));
        Ok(())
    })
}

/// A provider that never answers, and says when a request has come.
struct Silent(Notify);

impl Transport for Silent {
    async fn send(&self, _: Request) -> Result<Response, TransportError> {
        self.0.notify_one();
        pending().await
    }
}

/// In the time of a runtime that has nothing else to do.
#[test]
fn a_stop_waits_for_a_request_no_longer_than_a_third_of_the_lease_and_leaves_no_lease_behind() -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    runtime.block_on(async {
        let (_, store) = with_a_due_read().await?;
        let silent = Arc::new(Silent(Notify::new()));
        let engine = engine_over(Arc::clone(&store), Arc::clone(&silent))?;
        let since = tokio::time::Instant::now();
        engine.run(|_| async { Ok(()) }, silent.0.notified()).await;
        assert!(since.elapsed() <= LEASE / 3 + Duration::from_secs(1), "{:?}", since.elapsed());
        assert_eq!(store.figures().await?.leased, 0);
        assert_eq!(store.checkout("o").await?.map(|row| row.state), Some(State::Open));
        Ok(())
    })
}

/// The database is away or silent when a request ends, at the end of the time after the stop.
#[test]
fn a_stop_waits_for_no_database_that_is_away_or_says_nothing() -> Outcome {
    for (writes, thirds) in [(Writes::Refused, 1), (Writes::Unanswered, 2)] {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
        runtime.block_on(async {
            let (_, store) = with_a_due_read().await?;
            let silent = Arc::new(Silent(Notify::new()));
            let engine = engine_over(Arc::clone(&store), Arc::clone(&silent))?;
            *store.writes() = writes;
            store.writes_begun.store(0, Ordering::Relaxed);
            let since = tokio::time::Instant::now();
            engine.run(|_| async { Ok(()) }, silent.0.notified()).await;
            let most = LEASE / 3 * thirds + Duration::from_secs(1);
            assert!(since.elapsed() <= most, "{writes:?}: {:?}", since.elapsed());
            let begun = store.writes_begun.load(Ordering::Relaxed);
            assert!((1..=2).contains(&begun), "{writes:?}: {begun} writes");
            // The work is taken over when its lease ends.
            assert_eq!(store.figures().await?.leased, 1, "{writes:?}");
            Outcome::Ok(())
        })?;
    }
    Ok(())
}

/// The stop comes between two attempts at a write: the pauses between them are ever longer.
#[test]
fn a_stop_ends_the_attempts_at_a_write_after_a_third_of_the_lease() -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    runtime.block_on(async {
        let (providers, store) = with_a_due_read().await?;
        let engine = engine_over(Arc::clone(&store), providers)?;
        *store.writes() = Writes::Refused;
        store.writes_begun.store(0, Ordering::Relaxed);
        let stop = async {
            while store.writes_begun.load(Ordering::Relaxed) == 0 {
                yield_now().await;
            }
        };
        let since = tokio::time::Instant::now();
        engine.run(|_| async { Ok(()) }, stop).await;
        assert!(since.elapsed() <= LEASE / 3 + Duration::from_secs(1), "{:?}", since.elapsed());
        let begun = store.writes_begun.load(Ordering::Relaxed);
        assert!(begun > 2, "{begun} writes: the answer in hand may be the only one");
        Ok(())
    })
}

/// A shop's function that does not come back keeps no process from its end, and its news is told elsewhere.
#[test]
fn a_stop_drops_a_telling_after_a_third_of_the_lease_and_gives_its_news_back() -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    runtime.block_on(async {
        let (providers, store) = with_a_due_read().await?;
        let engine = engine_over(Arc::clone(&store), providers.clone())?;
        let refuses = |_| async { Err("not now".into()) };
        while store.checkout("o").await?.is_some_and(|row| !row.state.is_end()) {
            providers.clock.advance(engine.step(refuses).await?);
        }
        providers.clock.advance(HOUR);
        let (not_told, told) = (engine.counters().not_told(), Notify::new());
        let hangs = |_| async {
            told.notify_one();
            pending().await
        };
        let since = tokio::time::Instant::now();
        engine.run(hangs, told.notified()).await;
        assert!(since.elapsed() <= LEASE / 3 + Duration::from_secs(1), "{:?}", since.elapsed());
        assert_eq!(engine.counters().not_told(), not_told, "a stop is no failure of the shop");
        // Another process has the news at once.
        let news = store.store.claim_news(9, LEASE).await?;
        let keys: Vec<&str> = news.iter().map(|claimed| claimed.news.key.as_str()).collect();
        assert_eq!(keys, ["o/settled"]);
        Ok(())
    })
}

/// The stop comes while the process saves that a create is under way.
#[test]
fn a_create_that_a_stop_finds_saved_and_unsent_is_not_sent_and_needs_no_person() -> Outcome {
    block_on(async {
        let providers = Providers::new(1);
        let clock = providers.clock.clone();
        let store = Arc::new(Hinted::over(Memory::with_clock(move || clock.now())));
        let engine = engine_over(Arc::clone(&store), providers.clone())?;
        // A process has died behind its insert.
        let draft = drafts::allscale("order0001")?;
        let row = engine.machine().prepare("default", "o", &draft, providers.clock.now())?;
        drop(store.insert(&New { checkout: &row, watch: "", lease: Duration::ZERO }).await?);
        engine.run(|_| async { Ok(()) }, store.saves.notified()).await;
        assert_eq!((providers.allscale.requests().len(), store.figures().await?.leased), (0, 0));
        // The next process makes the checkout.
        providers.clock.advance(Duration::from_secs(60));
        engine.step(|_| async { Ok(()) }).await?;
        assert_eq!(providers.allscale.intents().len(), 1);
        assert_eq!(store.checkout("o").await?.map(|row| (row.state, row.hold)), Some((State::Open, None)));
        Ok(())
    })
}

/// The stop comes while the process asks for the token that a read of Peach V2 needs.
#[test]
fn no_read_begins_after_a_stop() -> Outcome {
    block_on(async {
        let providers = Providers::new(1);
        let clock = providers.clock.clone();
        let store = Arc::new(Hinted::over(Memory::with_clock(move || clock.now())));
        let engine = engine_over(Arc::clone(&store), providers.clone())?;
        engine.create_for("v2", "o", drafts::peach("order0001")?).await?;
        providers.clock.advance(HOUR);
        // Another process has no token yet.
        let heard = Arc::new(Heard(providers.clone(), Notify::new()));
        let another = engine_over(Arc::clone(&store), Arc::clone(&heard))?;
        another.run(|_| async { Ok(()) }, heard.1.notified()).await;
        assert_eq!(another.counters().requests(), 1, "the token alone");
        let figures = store.figures().await?;
        assert_eq!((figures.leased, figures.limit_used), (0, Some(0)));
        Ok(())
    })
}

#[test]
fn work_that_panics_again_and_again_is_held_and_the_rest_goes_on() -> Outcome {
    block_on(async {
        let providers = Providers::new(1);
        let clock = providers.clock.clone();
        let store = Arc::new(Hinted::over(Memory::with_clock(move || clock.now())));
        let engine = engine_over(Arc::clone(&store), providers.clone())?;
        for id in ["bad", "good"] {
            engine.create(id, drafts::allscale(id)?).await?;
        }
        *store.writes() = Writes::Panics("bad");
        let stays = async |id: &str| Outcome::Ok(store.checkout(id).await?.ok_or("no such checkout")?);
        for _ in 0..200 {
            // One loop after another, each until its work is done.
            providers.clock.advance(Duration::from_secs(60));
            let claims = store.claims.load(Ordering::Relaxed);
            let stop = async {
                while store.claims.load(Ordering::Relaxed) == claims {
                    yield_now().await;
                }
                for _ in 0..20 {
                    yield_now().await;
                }
            };
            engine.run(|_| async { Ok(()) }, stop).await;
        }
        let (bad, good) = (stays("bad").await?, stays("good").await?);
        assert_eq!(bad.hold.as_deref(), Some("quarantined: 6 claims in turn ended without a write"));
        assert_eq!((good.state, good.hold), (State::Settled, None));
        assert_eq!((engine.counters().panics(), engine.counters().quarantined()), (6, 1));
        Ok(())
    })
}

/// The providers, whose answers come a moment after somebody has heard of the request.
struct Heard(Providers, Notify);

impl Transport for Heard {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        self.1.notify_one();
        yield_now().await;
        self.0.send(request).await
    }
}

/// The stop comes while the process asks for the token that a create of Peach V2 needs.
#[test]
fn no_create_begins_after_a_stop() -> Outcome {
    block_on(async {
        let providers = Providers::new(1);
        let clock = providers.clock.clone();
        let store = Arc::new(Hinted::over(Memory::with_clock(move || clock.now())));
        // A process saves the row, and dies with its first request.
        let silent = Arc::new(Silent(Notify::new()));
        let dies = engine_over(Arc::clone(&store), Arc::clone(&silent))?;
        tokio::select! {
            created = dies.create_for("v2", "o", drafts::peach("order0001")?) => drop(created?),
            () = silent.0.notified() => {}
        }
        providers.clock.advance(HOUR);
        let heard = Arc::new(Heard(providers.clone(), Notify::new()));
        let engine = engine_over(Arc::clone(&store), Arc::clone(&heard))?;
        engine.run(|_| async { Ok(()) }, heard.1.notified()).await;
        assert_eq!(providers.v2.checkouts().len(), 0);
        assert_eq!(store.figures().await?.leased, 0);
        // The next process makes the checkout without a person.
        let next = engine_over(Arc::clone(&store), providers.clone())?;
        next.step(|_| async { Ok(()) }).await?;
        assert_eq!(providers.v2.checkouts().len(), 1);
        assert_eq!(store.checkout("o").await?.map(|row| (row.state, row.hold)), Some((State::Open, None)));
        Ok(())
    })
}

/// The telling of one news takes a minute at most, and no longer beside others.
#[test]
fn a_step_tells_all_its_news_at_once() -> Outcome {
    block_on(async {
        let world = World::new(1)?;
        for number in 0..5 {
            world
                .engine
                .create(&format!("o{number}"), drafts::allscale(&format!("order000{number}"))?)
                .await?;
        }
        let refuses = |_| async { Err("not now".into()) };
        while world.store.list(&Filter::default()).await?.iter().any(|row| !row.state.is_end()) {
            world.providers.clock.advance(world.engine.step(refuses).await?);
        }
        world.providers.clock.advance(HOUR * 2);
        // Each telling waits for the others.
        let all = Arc::new(tokio::sync::Barrier::new(5));
        let told = world.engine.step(|_| {
            let all = Arc::clone(&all);
            async move {
                all.wait().await;
                Ok(())
            }
        });
        tokio::time::timeout(Duration::from_secs(60), told).await??;
        assert_eq!(world.store.figures().await?.news, 0);
        Ok(())
    })
}
