//! How long until.

use crate::process::{Process, Work};
use crate::table::{self, RUNS, millis, of, quantile};
use crate::world::{
    Fill, Kind, Place, Provider, Reads, Running, builder, engine, limited_client, names, short_lease,
};
use checkout_engine::{Engine, Filter, Nudge, Store, Target};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

/// The time of a wait that is no figure any more.
const LONG: Duration = Duration::from_secs(60);
const LEASE: Duration = Duration::from_secs(3);
const NUDGES: u32 = 200;
/// The pause between two nudges.
const PACE: Duration = Duration::from_millis(20);
/// The same to another process, which is told of no more than ten in a second.
const PACE_ACROSS: Duration = Duration::from_millis(130);

/// The provider's id of an AllScale checkout that a path names.
fn id_of(path: &str) -> Option<&str> {
    path.split_once("/checkout_intents/")?.1.split('/').next()
}

/// Nudges the checkouts of `m`, one after the other at a pace, and waits until all are read: how long each
/// took.
async fn nudged<S: Store>(
    store: &S,
    nudge: impl AsyncFn(&str),
    pace: Duration,
    reads: &mut Reads,
) -> Vec<Duration> {
    let mut since = BTreeMap::new();
    let all = store.list(&Filter { limit: 10_000, ..Filter::default() }).await.unwrap();
    for checkout in all.into_iter().filter(|checkout| checkout.id.starts_with("m-")) {
        since.insert(checkout.checkout_id.unwrap(), Instant::now());
        nudge(&checkout.id).await;
        sleep(pace).await;
    }
    let mut lags = Vec::new();
    let collect = async {
        while !since.is_empty() {
            let (path, at) = reads.recv().await.unwrap();
            if let Some(since) = id_of(&path).and_then(|id| since.remove(id)) {
                lags.push(at.saturating_duration_since(since));
            }
        }
    };
    timeout(LONG, collect).await.unwrap();
    lags
}

/// Nudges by the engine that reads.
async fn within<S: Store + Clone + 'static>(store: S) -> Vec<Duration> {
    let (heard, mut reads) = mpsc::unbounded_channel();
    let provider = Provider { heard: Some(heard), silent: false };
    let engine = engine(store.clone(), provider, &names(1), LEASE, &Arc::default());
    let running = Running::start(&engine);
    // The first claim is over.
    sleep(Duration::from_millis(500)).await;
    let lags = nudged(&store, by(&engine), PACE, &mut reads).await;
    running.stop().await;
    lags
}

fn by<S: Store + 'static>(engine: &Engine<S, Provider>) -> impl AsyncFn(&str) {
    async |id: &str| drop(engine.nudge(id).await.unwrap())
}

/// Nudges by the store, with hints or without, while another process reads.
async fn across(place: &Place, notify: bool) -> Vec<Duration> {
    let store = place.open_notifying(4, notify).await;
    let mut other = Process::start(place, 1, Work::Reads { silent: false });
    other.go();
    let mut reads = other.reads();
    sleep(Duration::from_millis(500)).await;
    let nudge =
        async |id: &str| drop(store.nudge(&Nudge { target: Target::Id(id), event: &[] }).await.unwrap());
    nudged(&store, nudge, PACE_ACROSS, &mut reads).await
}

const TO_NUDGE: Fill = Fill { due_in: 3_600_000, ..Fill::open(NUDGES, 1) };

const BY_A_HINT: &[(usize, &str)] = &[(50, "≤ 10 ms"), (99, "≤ 50 ms")];
/// The time of a poll, and as much as with a hint.
const BY_A_POLL: &[(usize, &str)] = &[(50, "–"), (99, "≤ 1,050 ms")];

fn show(figure: &str, runs: &[Vec<Duration>], wishes: &[(usize, &str)]) {
    for &(percent, wanted) in wishes {
        let spans: Vec<f64> = runs.iter().map(|lags| quantile(lags, percent).as_secs_f64()).collect();
        let ours = of(&spans, |span| millis(Duration::from_secs_f64(span)));
        let peer = "graphile-worker 4.16 ms on average (its own page); awa < 10 ms p50";
        table::row(&format!("nudge → read sent, {figure}, p{percent}"), &ours, wanted, peer);
    }
}

pub(crate) async fn nudge(kind: Kind) {
    let mut inside = Vec::new();
    for _ in 0..RUNS {
        let place = Place::new(kind, "nudge").await;
        place.fill(&TO_NUDGE).await;
        inside.push(match kind {
            Kind::SQLite => within(place.open_sqlite()).await,
            Kind::PostgreSQL => within(place.open_postgres(8).await).await,
        });
        place.delete().await;
    }
    show(&format!("{kind:?}, one process"), &inside, BY_A_HINT);
    if kind == Kind::SQLite {
        return;
    }
    for (notify, figure, wishes) in [
        (true, "PostgreSQL, another process, 8 a second", BY_A_HINT),
        (false, "PostgreSQL, another process, 8 a second, without NOTIFY", BY_A_POLL),
    ] {
        let mut outside = Vec::new();
        for _ in 0..RUNS {
            let place = Place::new(kind, "nudge").await;
            place.fill(&TO_NUDGE).await;
            outside.push(across(&place, notify).await);
            place.delete().await;
        }
        show(figure, &outside, wishes);
    }
}

/// A process dies with a lease, and another one is there.
pub(crate) async fn take_over(kind: Kind) {
    let mut spans = Vec::new();
    for _ in 0..RUNS {
        let place = Place::new(kind, "take").await;
        place.fill(&Fill::open(1, 1)).await;
        let mut first = Process::start(&place, 1, Work::Reads { silent: true });
        first.go();
        // The read is sent, so the lease is held.
        assert!(id_of(&first.line()).is_some());
        first.kill();
        let since = Instant::now();
        let read = match kind {
            Kind::SQLite => first_read(place.open_sqlite()).await,
            Kind::PostgreSQL => first_read(place.open_postgres(8).await).await,
        };
        spans.push(read.saturating_duration_since(since).as_secs_f64());
        place.delete().await;
    }
    let ours = of(&spans, |span| format!("{span:.2} s"));
    let peer = "awa seconds; apalis 5 min; solid_queue 5–6 min; Faktory 30 min; graphile-worker 4 h";
    let lease = short_lease().as_secs();
    let figure = format!("take-over after kill -9, {kind:?}, a lease of {lease} s");
    table::row(&figure, &ours, &format!("≤ lease + poll = {} s", lease + 1), peer);
}

async fn first_read<S: Store + 'static>(store: S) -> Instant {
    let (heard, mut reads) = mpsc::unbounded_channel();
    let provider = Provider { heard: Some(heard), silent: false };
    let running = Running::start(&engine(store, provider, &names(1), short_lease(), &Arc::default()));
    let (_, at) = timeout(LONG, reads.recv()).await.unwrap().unwrap();
    running.stop().await;
    at
}

/// Merchants with much work, and merchants at their limit, beside others.
pub(crate) async fn fair(kind: Kind) {
    let p99 = |lags: &[Duration]| quantile(lags, 99).as_secs_f64();
    let (mut beside_large, mut beside_limited) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let mut of = Vec::new();
        for large in [false, true] {
            let place = Place::new(kind, "fair").await;
            place.fill(&Fill::open(999, 999)).await;
            if large {
                place.fill(&Fill { prefix: "large", ..Fill::open(100_000, 1) }).await;
            }
            of.push(p99(&match kind {
                Kind::SQLite => of_the_small(place.open_sqlite()).await,
                Kind::PostgreSQL => of_the_small(place.open_postgres(8).await).await,
            }));
            place.delete().await;
        }
        beside_large.push((of[1], of[0]));
        let mut of = Vec::new();
        for limited in [false, true] {
            let place = Place::new(kind, "limited").await;
            place.fill(&TO_NUDGE).await;
            if limited {
                place
                    .fill(&Fill { provider: "peach", prefix: "p", ..Fill::open(LIMITED * 3, LIMITED) })
                    .await;
            }
            of.push(p99(&match kind {
                Kind::SQLite => beside_the_limited(place.open_sqlite(), limited).await,
                Kind::PostgreSQL => beside_the_limited(place.open_postgres(8).await, limited).await,
            }));
            place.delete().await;
        }
        beside_limited.push((of[1], of[0]));
    }
    for (figure, pairs) in [
        ("p99 of the lag of 999 merchants beside one with 100,000 due, and without", beside_large),
        ("p99 of nudge → read sent beside 1,000 merchants at their limit, and without", beside_limited),
    ] {
        let ratios: Vec<f64> = pairs.iter().map(|(with, without)| with / without).collect();
        let each = pairs.iter().map(|(with, without)| format!("{:.0}/{:.0}", with * 1e3, without * 1e3));
        let each: Vec<String> = each.collect();
        let ours = format!("{}: {} ms", of(&ratios, |ratio| format!("{ratio:.2}×")), each.join(", "));
        table::row(&format!("{figure}, {kind:?}"), &ours, "≤ 2×", "–");
    }
}

const LIMITED: u32 = 1_000;

/// The lags of the merchants `m`, from the start of the engine on.
async fn of_the_small<S: Store + 'static>(store: S) -> Vec<Duration> {
    let (heard, mut reads) = mpsc::unbounded_channel();
    let merchants = [names(999), vec!["large-0".to_owned()]].concat();
    let provider = Provider { heard: Some(heard), silent: false };
    let engine = engine(store, provider, &merchants, LEASE * 10, &Arc::default());
    let since = Instant::now();
    let running = Running::start(&engine);
    let mut lags = Vec::new();
    while lags.len() < 999 {
        let (path, at) = timeout(LONG, reads.recv()).await.unwrap().unwrap();
        if id_of(&path).is_some_and(|id| id.starts_with("mc")) {
            lags.push(at.saturating_duration_since(since));
        }
    }
    running.stop().await;
    lags
}

/// Nudges a merchant that has room, once all merchants of Peach are at their limit.
async fn beside_the_limited<S: Store + Clone + 'static>(store: S, limited: bool) -> Vec<Duration> {
    let (heard, mut reads) = mpsc::unbounded_channel();
    let provider = Provider { heard: Some(heard), silent: false };
    let mut builder = builder(store.clone(), provider, &names(1), LEASE * 10, &Arc::default());
    for merchant in 0..LIMITED {
        builder = builder.merchant(format!("p-{merchant}"), limited_client());
    }
    let engine = builder.build().unwrap();
    let running = Running::start(&engine);
    if limited {
        for _ in 0..LIMITED * 2 {
            timeout(LONG, reads.recv()).await.unwrap().unwrap();
        }
    }
    sleep(Duration::from_millis(500)).await;
    let lags = nudged(&store, by(&engine), PACE, &mut reads).await;
    running.stop().await;
    lags
}
