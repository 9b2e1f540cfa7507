//! A store whose clock somebody sets while processes work, and what the provider sees of that.

use super::{Moment, Outcome, Providers, VirtualClock, drafts, engine_over, peach};
use checkout_engine::{
    Ask, Checkout, Claimed, ClaimedNews, Decided, Decision, Engine, Figures, Filter, Inserted, Lane, Lease,
    New, Nudge, Nudged, Overview, Store, StoreError, Unmatched, Write, Written,
};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

const MINUTE: Duration = Duration::from_secs(60);

/// The longest pause of a process.
const ASK_EVERY: Duration = Duration::from_secs(10);

/// A clock that runs as the world's does, and is set by the test.
#[derive(Clone)]
pub(crate) struct Settable {
    pub(crate) world: VirtualClock,
    ahead: Arc<AtomicI64>,
}

impl Settable {
    pub(crate) fn of(world: &VirtualClock) -> Self {
        Self { world: world.clone(), ahead: Arc::default() }
    }

    pub(crate) fn now(&self) -> Moment {
        let ahead = self.ahead.load(Ordering::SeqCst);
        Moment::from_unix_millis(self.world.now().unix_millis().saturating_add(ahead))
    }

    /// Sets the clock forward, or back.
    pub(crate) fn set(&self, by_seconds: i64) {
        self.ahead.fetch_add(by_seconds.saturating_mul(1_000), Ordering::SeqCst);
    }
}

/// The store of one process, which has a clock of its own that nobody sets: the world's.
pub(crate) struct Disturbed<S> {
    inner: S,
    world: VirtualClock,
    /// The world's time at each of the store's moments that the process has seen.
    seen: Mutex<BTreeMap<Moment, Moment>>,
}

impl<S> Disturbed<S> {
    pub(crate) fn over(inner: S, world: &VirtualClock) -> Self {
        Self { inner, world: world.clone(), seen: Mutex::default() }
    }

    fn seen(&self) -> MutexGuard<'_, BTreeMap<Moment, Moment>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

macro_rules! delegate {
    ($($operation:ident($($argument:ident: $type:ty),*) -> $answer:ty;)+) => {
        impl<S: Store> Store for Disturbed<S> {
            fn later(&self, at: Moment, since: Instant) -> Moment {
                self.inner.later(at, since)
            }

            fn steady(&self, at: Moment, _: Instant) -> Moment {
                let then = self.seen().get(&at).copied();
                then.map_or(at, |then| at.saturating_add(self.world.now().saturating_since(then)))
            }

            async fn claim(&self, ask: &Ask<'_>) -> Result<Claimed, StoreError> {
                let claimed = self.inner.claim(ask).await?;
                self.seen().insert(claimed.now, self.world.now());
                Ok(claimed)
            }

            $(async fn $operation(&self, $($argument: $type),*) -> Result<$answer, StoreError> {
                self.inner.$operation($($argument),*).await
            })+
        }
    };
}

delegate! {
    now() -> Moment;
    lanes(lanes: &[Lane]) -> ();
    insert(new: &New<'_>) -> Inserted;
    write(lease: &Lease, write: &Write) -> Written;
    nudge(nudge: &Nudge<'_>) -> Nudged;
    decide(decision: &Decision<'_>) -> Written;
    claim_news(max: usize, lease: Duration) -> Vec<ClaimedNews>;
    news_told(key: &str, fence: i64, again: Option<Duration>) -> Written;
    checkout(id: &str) -> Option<Checkout>;
    list(filter: &Filter<'_>) -> Vec<Checkout>;
    overview(filter: &Filter<'_>) -> Vec<Overview>;
    unmatched(after: i64, most: usize) -> Vec<Unmatched>;
    decisions(id: &str) -> Vec<Decided>;
    figures() -> Figures;
    sweep(max: usize) -> usize;
}

/// The steps of a clock: so many seconds forward or back, once in a quarter of an hour.
pub(crate) struct Steps {
    pub(crate) seconds: &'static [i64],
    pub(crate) processes: usize,
    /// The longest time in which no read comes, although work waits.
    pub(crate) longest_rest: Duration,
}

/// Ten minutes forward, within a minute of the last read: nothing is read for the longest lease and the span
/// of the limit.
pub(crate) const FORWARD: Steps =
    Steps { seconds: &[600, 600, 600], processes: 3, longest_rest: Duration::from_secs(61 + 91 + 10) };

/// Ten minutes back: the lane may be full until the clock has caught up.
pub(crate) const BACK: Steps =
    Steps { seconds: &[-600, -600], processes: 3, longest_rest: Duration::from_secs(600 + 61 + 10) };

/// Forward by mistake, and back again; and steps that are hardly any.
pub(crate) const BOTH: Steps = Steps {
    seconds: &[3, -3, 600, -600, 1, 60],
    processes: 2,
    longest_rest: Duration::from_secs(600 + 61 + 10),
};

impl Steps {
    /// Plays the steps with a merchant of Peach that always has work waiting. `store` makes the store of a
    /// process, and `tick` brings the store's clock to the settable one.
    pub(crate) async fn play<S: Store + 'static>(
        &self,
        store: impl AsyncFn() -> Outcome<S>,
        clock: &Settable,
        providers: &Providers,
        tick: impl AsyncFn() -> Outcome,
    ) -> Outcome {
        let pending = peach::Scenario::custom([(Duration::ZERO, "000.200.000")]);
        providers.peach.set_scenario(Some(pending));
        tick().await?;
        let mut engines: Vec<Engine<Disturbed<S>, Providers>> = Vec::new();
        for _ in 0..self.processes {
            engines.push(engine_over(Disturbed::over(store().await?, &clock.world), providers.clone())?);
        }
        let [first, ..] = engines.as_slice() else { return Err("no process".into()) };
        let ids: Vec<String> = (0..3).map(|number| format!("order{number:04}")).collect();
        for id in &ids {
            first.create(id, drafts::peach(id)?).await?;
        }
        let begin = clock.world.now();
        for by in self.seconds {
            let until = clock.world.now().saturating_add(MINUTE.saturating_mul(15));
            while clock.world.now() < until {
                for id in &ids {
                    first.nudge(id).await?;
                }
                let mut pause = ASK_EVERY;
                for engine in &engines {
                    pause = pause.min(engine.step(|_| std::future::ready(Ok(()))).await?);
                }
                clock.world.advance(pause.max(Duration::from_millis(1)));
                tick().await?;
            }
            clock.set(*by);
            tick().await?;
        }
        self.judge(&providers.peach, begin, clock.world.now())
    }

    /// The provider's own log: no minute has more than two reads, and the reads go on after each step.
    fn judge(&self, peach: &peach::Sandbox, begin: Moment, end: Moment) -> Outcome {
        let asked = peach.status_requests(peach::ENTITY_ID);
        let at: Vec<Moment> = asked.iter().map(|asked| asked.at).filter(|at| *at >= begin).collect();
        for (first, third) in at.iter().zip(at.iter().skip(2)) {
            let span = third.saturating_since(*first);
            assert!(
                span >= MINUTE,
                "three reads within {span:?}, {:?} after the begin",
                first.saturating_since(begin)
            );
        }
        for (one, next) in at.iter().zip(at.iter().skip(1).chain([&end])) {
            let rest = next.saturating_since(*one);
            assert!(rest <= self.longest_rest, "no read for {rest:?}");
        }
        assert!(at.len() > 20, "{} reads", at.len());
        Ok(())
    }
}
