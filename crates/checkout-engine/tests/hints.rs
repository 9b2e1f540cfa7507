//! A store's hint makes the loop of a process ask at once.

mod world;

use checkout_engine::{
    Ask, Checkout, Claimed, ClaimedNews, Decided, Decision, Figures, Filter, Inserted, Lane, Lease, Memory,
    New, Nudge, Nudged, Store, StoreError, Write, Written,
};
use checkout_tables::Moment;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::task::yield_now;
use world::{Outcome, Providers, block_on, engine_over};

/// A store in memory with hints, which counts its claims.
struct Hinted {
    store: Memory,
    hints: Notify,
    claims: AtomicU32,
}

impl Store for Hinted {
    async fn woken(&self) {
        self.hints.notified().await;
    }
    async fn claim(&self, ask: &Ask<'_>) -> Result<Claimed, StoreError> {
        self.claims.fetch_add(1, Ordering::Relaxed);
        self.store.claim(ask).await
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
        self.store.write(lease, write).await
    }
    async fn nudge(&self, nudge: &Nudge<'_>) -> Result<Nudged, StoreError> {
        self.store.nudge(nudge).await
    }
    async fn decide(&self, decision: &Decision<'_>) -> Result<Written, StoreError> {
        self.store.decide(decision).await
    }
    async fn claim_news(&self, max: usize, lease: Duration) -> Result<Vec<ClaimedNews>, StoreError> {
        self.store.claim_news(max, lease).await
    }
    async fn news_told(&self, key: &str, fence: i64, again: Option<Duration>) -> Result<Written, StoreError> {
        self.store.news_told(key, fence, again).await
    }
    async fn checkout(&self, id: &str) -> Result<Option<Checkout>, StoreError> {
        self.store.checkout(id).await
    }
    async fn list(&self, filter: &Filter<'_>) -> Result<Vec<Checkout>, StoreError> {
        self.store.list(filter).await
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
        let store = Arc::new(Hinted { store, hints: Notify::new(), claims: AtomicU32::new(0) });
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
