//! The law of callers at once: on threads, and by steps on one thread.

use super::{
    Clock, HELD, LEASE, LIMIT, Seen, Task, Trial, Verdict, due, ended, holds, lane, news, row, row_of, same,
};
use crate::checkout::Checkout;
use crate::store::{Ask, Decision, Inserted, New, Nudge, Nudged, ReadMade, Store, Target, Write, Written};
use checkout_trust::replay::{Key, Scheme};
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use futures_util::future::join_all;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

const CALLERS: usize = 8;
const ROUNDS: usize = 25;
const ROWS: usize = 6;

/// What the callers saw, of all of them.
#[derive(Default)]
struct Saw {
    /// The work that is leased by the callers' own count.
    held: BTreeSet<String>,
    fences: BTreeSet<i64>,
    /// The writes of each row that were done.
    writes: BTreeMap<String, i64>,
    /// The events, by the checkout.
    events: Vec<(String, Key)>,
    limited: usize,
    fresh: usize,
    decided: usize,
    told: BTreeSet<String>,
    news: usize,
}

struct Shared<'a, S> {
    store: &'a S,
    saw: Mutex<Saw>,
}

impl<S> Shared<'_, S> {
    fn saw(&self) -> MutexGuard<'_, Saw> {
        self.saw.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

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

pub(super) async fn by_steps<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    prepare(&t.store).await?;
    let shared = Shared { store: &t.store, saw: Mutex::default() };
    for done in join_all((0..CALLERS).map(|caller| run(&shared, caller))).await {
        done?;
    }
    judge(&shared, &t.clock).await
}

pub(super) fn on_threads<S: Store, C: Clock>(
    store: &S,
    clock: &C,
    block_on: &(impl for<'f> Fn(Task<'f>) + Sync),
) -> Verdict {
    let shared = Shared { store, saw: Mutex::default() };
    to_end(block_on, Box::pin(prepare(store)))?;
    let ran: Vec<Verdict> = thread::scope(|scope| {
        let shared = &shared;
        let callers: Vec<_> = (0..CALLERS)
            .map(|caller| scope.spawn(move || to_end(block_on, Box::pin(run(shared, caller)))))
            .collect();
        let panicked = || Err(Seen("an operation panicked".into()));
        callers.into_iter().map(|caller| caller.join().unwrap_or_else(|_| panicked())).collect()
    });
    ran.into_iter().collect::<Verdict>()?;
    to_end(block_on, Box::pin(judge(&shared, clock)))
}

/// Runs a future to its end by the caller's way.
fn to_end(
    block_on: &impl for<'f> Fn(Task<'f>),
    future: Pin<Box<dyn Future<Output = Verdict> + Send + '_>>,
) -> Verdict {
    let mut verdict = Err(Seen("block_on has not run a future to its end".into()));
    let result = &mut verdict;
    block_on(Box::pin(async move { *result = future.await }));
    verdict
}

async fn prepare<S: Store>(store: &S) -> Verdict {
    store.lanes(&[crate::store::Lane { name: lane("limited"), limit: Some(LIMIT) }]).await?;
    for turn in 0..ROWS {
        for merchant in ["m", "n", "limited"] {
            let checkout = row_of(merchant, &format!("{merchant} {turn}"));
            store.insert(&New { checkout: &checkout, watch: "", lease: Duration::ZERO }).await?;
        }
    }
    let checkout = row("decided");
    store.insert(&New { checkout: &checkout, watch: "", lease: LEASE }).await?;
    Ok(())
}

async fn run<S: Store>(shared: &Shared<'_, S>, caller: usize) -> Verdict {
    let store = shared.store;
    // All begin at once.
    Step(false).await;
    let seen = store.checkout("decided").await?.ok_or_else(|| Seen("a row is not there".into()))?;
    let by = format!("caller {caller}");
    let decision =
        Decision { checkout: &seen, work: false, news: Vec::new(), act: "close", by: &by, reason: "" };
    if seen.version == 1 && store.decide(&decision).await? == Written::Done {
        shared.saw().decided += 1;
    }
    for round in 0..ROUNDS {
        let at_once = Checkout { reference: format!("{by} {round}"), ..row(&format!("at once {round}")) };
        let new = New { checkout: &at_once, watch: "", lease: LEASE };
        if matches!(store.insert(&new).await?, Inserted::Fresh(..)) {
            shared.saw().fresh += 1;
        }
        let merchant = if (caller + round).is_multiple_of(2) { "m" } else { "n" };
        let id = format!("{merchant} {}", (caller * 3 + round) % ROWS);
        let scheme = Scheme::named("conformance").ok_or_else(|| Seen("no scheme".into()))?;
        let key = Key::new(scheme, "m", [format!("{caller} {round}")], Duration::MAX);
        let nudged = store.nudge(&Nudge { target: Target::Id(&id), event: &[key] }).await?;
        same("a new event", &nudged, &Nudged::Queued { id: id.clone() })?;
        shared.saw().events.push((id, key));
        claim_and_write(shared, caller, round).await?;
        for one in store.claim_news(2, LEASE).await? {
            holds(shared.saw().told.insert(one.news.key.clone()), "news was leased twice at once")?;
            let told = store.news_told(&one.news.key, one.fence, None).await?;
            same("news that is told in its lease", &told, &Written::Done)?;
        }
    }
    Ok(())
}

async fn claim_and_write<S: Store>(shared: &Shared<'_, S>, caller: usize, round: usize) -> Verdict {
    let store = shared.store;
    let lanes = [lane("m"), lane("limited"), lane("n")];
    let claimed = store.claim(&Ask { lanes: &lanes, max: 3, lease: LEASE }).await?;
    // By its own count first: the clock stands, and no lease ends.
    for due in &claimed.due {
        let mut saw = shared.saw();
        if !saw.held.insert(due.lease.id.clone()) {
            return Err(Seen(format!("the work of {:?} was leased twice at once", due.lease.id)));
        }
        holds(saw.fences.insert(due.lease.fence), "a fence was given twice at once")?;
        saw.limited += usize::from(due.checkout.merchant == "limited");
    }
    Step(false).await;
    for due in claimed.due {
        let id = due.lease.id.clone();
        let next = if (caller + round).is_multiple_of(3) { self::due(LEASE * 100, "") } else { ended("") };
        let key = format!("{id} {}", due.lease.fence);
        let write = Write {
            checkout: Some(Checkout { notes: key.clone().into(), ..due.checkout }),
            next,
            read: ReadMade::Answered,
            lane_wait: None,
            news: vec![news(&key, &id)],
        };
        // Another may claim the work before the write's answer is here.
        shared.saw().held.remove(&id);
        same(
            "a write of leased work, at once with others",
            &store.write(&due.lease, &write).await?,
            &Written::Done,
        )?;
        let mut saw = shared.saw();
        saw.news += 1;
        *saw.writes.entry(id).or_default() += 1;
    }
    Ok(())
}

/// The judge, when all is quiet.
async fn judge<S: Store, C: Clock>(shared: &Shared<'_, S>, clock: &C) -> Verdict {
    let store = shared.store;
    let (limited, fresh, decided) = {
        let saw = shared.saw();
        (saw.limited, saw.fresh, saw.decided)
    };
    same("the places taken at once under a limit of 2", &limited, &2)?;
    same("the fresh inserts of ids that all insert", &fresh, &ROUNDS)?;
    same("the decisions about one version", &decided, &1)?;
    same("the decisions that are kept", &store.decisions("decided").await?.len(), &1)?;
    // Every event has its read done, or its work due.
    let events = core::mem::take(&mut shared.saw().events);
    same("the events", &events.len(), &(CALLERS * ROUNDS))?;
    for round in 0..ROWS * 4 {
        claim_and_write(shared, 1, round * 3).await?;
    }
    for (id, key) in &events {
        let nudged = store.nudge(&Nudge { target: Target::Id(id), event: &[*key] }).await?;
        same("an event after callers at once, and a read of all that was due", &nudged, &Nudged::Done)?;
    }
    let writes = shared.saw().writes.clone();
    for (id, writes) in &writes {
        let version = store.checkout(id).await?.map(|row| row.version);
        same(&format!("the version of {id:?} after {writes} writes"), &version, &Some(writes + 1))?;
    }
    let ran: i64 = writes.values().sum();
    holds(ran >= 18, "fewer writes than work")?;
    for one in store.claim_news(100_000, LEASE).await? {
        holds(shared.saw().told.insert(one.news.key.clone()), "news was leased twice at once")?;
        let told = store.news_told(&one.news.key, one.fence, None).await?;
        same("news that is told", &told, &Written::Done)?;
    }
    let (told, news) = {
        let saw = shared.saw();
        (saw.told.len(), saw.news)
    };
    same("the news that was told, of all writes", &told, &news)?;
    // Nothing is lost that waited for its place.
    let mut rest = 0;
    for _ in 0..ROWS {
        clock.pass(LEASE + HELD).await?;
        let ask = Ask { lanes: &[lane("limited")], max: 10, lease: LEASE };
        for due in store.claim(&ask).await?.due {
            let write = Write {
                checkout: None,
                next: ended(""),
                read: ReadMade::Answered,
                lane_wait: None,
                news: Vec::new(),
            };
            same("a write", &store.write(&due.lease, &write).await?, &Written::Done)?;
            rest += 1;
        }
    }
    same("the work that waited for its place", &rest, &(ROWS - 2))
}
