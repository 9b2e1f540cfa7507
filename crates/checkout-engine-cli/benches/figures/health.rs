//! The database stays well.

use crate::table::{self, RUNS, millis, of, percent, quantile, whole};
use crate::world::{
    Database, Fill, Kind, Place, Provider, Ring, Running, builder, claim, connect, engine, lanes, names,
    rate, ring, setting, url, write,
};
use checkout_engine::{Due, Filter, Lane, Next, Nudge, Nudged, ReadMade, Store, Target, Write, Written};
use checkout_store_postgres::Options;
use checkout_store_sqlite::{Sqlite, Synchronous};
use checkout_tables::{Moment, RateLimit, RateScope};
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::time::sleep;

const SPAN: Duration = Duration::from_secs(3);
const OPEN: u32 = 20_000;
const MERCHANTS: u32 = 10;
/// One writes while the other claims. A claim takes all the merchants, and more would claim in vain.
const CLAIMERS: usize = 2;

/// Rings of 20,000 checkouts by turns: one in a database in which somebody holds a snapshot, and one in
/// another database, which the snapshot does not touch. The ratios of the last half of the turns count.
pub(crate) async fn snapshot() {
    let turns = setting("CHECKOUT_BENCH_SNAPSHOT_SECONDS", 24).div_ceil(3);
    let (free, own) = (Place::postgres("free").await, Database::new("snapshot").await);
    Options::new().connections(1).connect(&own.url).await.unwrap();
    let held = Place::Postgres { url: own.url.clone(), schema: "checkout".to_owned() };
    for place in [&free, &held] {
        place.fill(&Fill::open(OPEN, MERCHANTS)).await;
    }
    let other = connect(&own.url).await;
    other.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT txid_current()").await.unwrap();
    let stores = [free.open_postgres(8).await, held.open_postgres(8).await];
    let mut all = Vec::new();
    for turn in 0..turns as usize {
        let mut rates = [0.0; 2];
        for which in [turn % 2, 1 - turn % 2] {
            rates[which] = rate(&stores[which], CLAIMERS, &lanes(MERCHANTS), 20, SPAN).await;
        }
        all.push(rates);
    }
    drop((other, stores));
    free.delete().await;
    own.delete().await;
    let (last, seconds) = (all.split_off(all.len() / 2), turns * 3);
    let (ratios, [free, held]) = table::by_turns(&last);
    let ours = format!("{}: {held}/s held, {free}/s free", of(&ratios, percent));
    let figure = format!(
        "claims with their writes after {seconds} s of them beside a snapshot, against free, PostgreSQL"
    );
    let peer = "of clean, with a transaction idle: pgque 100 %, Oban 96 %, awa 75 %, River and pg-boss hang";
    table::row(&figure, &ours, "≥ 80 %", peer);
}

/// A ring of 20,000 checkouts for a time: the size of the tables, and the time of a claim.
pub(crate) async fn churn() {
    let place = Place::postgres("churn").await;
    let seconds = u64::from(setting("CHECKOUT_BENCH_CHURN_SECONDS", 50));
    let figure = "polls of 20,000 checkouts, after against fresh, PostgreSQL";
    if place.number("SELECT (current_setting('autovacuum') = 'on')::int::bigint").await == 0 {
        place.delete().await;
        return table::row(figure, "not measured: the server's autovacuum is off", "", "");
    }
    place.fill(&Fill::open(OPEN, MERCHANTS)).await;
    let sizes = async || {
        let of = async |table| {
            place.number(&format!("SELECT pg_total_relation_size('checkout.{table}')")).await as f64
        };
        [of("work").await, of("checkout").await]
    };
    let store = place.open_postgres(8).await;
    let ring =
        async |seconds| ring(&store, CLAIMERS, &lanes(MERCHANTS), 20, Duration::from_secs(seconds)).await;
    let first = ring(5).await;
    // The first seconds lay the rows out as they stay: two versions each, since a claim and a write follow.
    let fresh = sizes().await;
    let between = ring(seconds).await;
    let last = ring(5).await;
    let after = sizes().await;
    place.delete().await;
    let p99 = |ring: &Ring| quantile(&ring.claims, 99);
    let ours = format!(
        "{:.1}× work, {:.1}× checkout after {} polls; p99 of a claim {:.2}×: {} against {}",
        after[0] / fresh[0],
        after[1] / fresh[1],
        whole((first.rows + between.rows + last.rows) as f64),
        p99(&last).as_secs_f64() / p99(&first).as_secs_f64(),
        millis(p99(&last)),
        millis(p99(&first)),
    );
    table::row(figure, &ours, "work ≤ 3×, p99 ≤ 2×", "pg-boss#876: an index of 136 kB grew to 130 MB");
}

/// The cost of a claim beside ended checkouts and beside none, by turns; and the bytes of a row.
pub(crate) async fn ended(kind: Kind) {
    let (none, many) = (Place::new(kind, "none").await, Place::new(kind, "many").await);
    let ended = setting("CHECKOUT_BENCH_ENDED", 1_000_000);
    none.fill(&Fill::open(1_000, MERCHANTS)).await;
    let before = size(&none).await;
    many.fill(&Fill { ended, ..Fill::open(1_000, MERCHANTS) }).await;
    let bytes = (size(&many).await - before) / f64::from(ended);
    let medians = match kind {
        // Without the wait for the disk, which would hide what a claim costs.
        Kind::SQLite => by_turns([&none, &many].map(open_without_waits)).await,
        Kind::PostgreSQL => by_turns([none.open_postgres(1).await, many.open_postgres(1).await]).await,
    };
    none.delete().await;
    many.delete().await;
    let ratios: Vec<f64> = medians.iter().map(|[none, many]| many / none).collect();
    let [without, with] = medians[medians.len() / 2].map(|span| millis(Duration::from_secs_f64(span)));
    let ours = format!("{}: {with} against {without}", of(&ratios, percent));
    let figure = format!("a claim beside {} ended checkouts against none, {kind:?}", whole(f64::from(ended)));
    table::row(&figure, &ours, "90 to 110 % (of 10,000,000)", "–");
    let figure = format!("z: bytes of an ended row with its indices, {kind:?}");
    table::row(&figure, &whole(bytes), "–", "–");
}

/// A look of a process at its 10,000 merchants, and then the claim of a nudge: with all others at rest, and
/// at their limits.
pub(crate) async fn merchants(kind: Kind) {
    for (others, full) in [("at rest", false), ("at their limits", true)] {
        let place = Place::new(kind, "merchants").await;
        let all = [names(1), (0..MANY).map(|number| format!("p-{number}")).collect()].concat();
        place.fill(&Fill { due_in: 3_600_000, ..Fill::open(NUDGED, 1) }).await;
        let due_in = if full { 0 } else { 3_600_000 };
        place.fill(&Fill { provider: "peach", prefix: "p", due_in, ..Fill::open(MANY * 3, MANY) }).await;
        let lanes: Vec<String> = all
            .iter()
            .map(|name| format!("{}/{name}", if name.starts_with("p-") { "peach" } else { "allscale" }))
            .collect();
        let [looks, claims] = match kind {
            Kind::SQLite => of_many(&open_without_waits(&place), &lanes, full).await,
            Kind::PostgreSQL => of_many(&place.open_postgres(1).await, &lanes, full).await,
        };
        place.delete().await;
        for (figure, spans) in [("a look at", looks), ("the claim of a nudge beside", claims)] {
            let ours = format!("{}; p99 {}", millis(quantile(&spans, 50)), millis(quantile(&spans, 99)));
            table::row(&format!("{figure} 10,000 merchants {others}, {kind:?}, median"), &ours, "–", "–");
        }
    }
}

const MANY: u32 = 10_000;
const NUDGED: u32 = 100;
const TWO_A_MINUTE: RateLimit = RateLimit { requests: 2, per_seconds: 60, scope: RateScope::Merchant };

async fn of_many<S: Store>(store: &S, lanes: &[String], full: bool) -> [Vec<Duration>; 2] {
    let limit = |name: &String| name.starts_with("peach/").then_some(TWO_A_MINUTE);
    let known: Vec<Lane> = lanes.iter().map(|name| Lane { name: name.clone(), limit: limit(name) }).collect();
    store.lanes(&known).await.unwrap();
    if full {
        let limited: Vec<String> = lanes.iter().filter(|name| limit(name).is_some()).cloned().collect();
        // A claim of few lanes can find nothing where others have work.
        let mut empty = 0;
        while empty < 2 {
            empty = if claim(store, &limited, 1_000).await.is_empty() { empty + 1 } else { 0 };
        }
    }
    let (mut looks, mut claims) = (Vec::new(), Vec::new());
    let all = store.list(&Filter { limit: 1_000, ..Filter::default() }).await.unwrap();
    for checkout in all.into_iter().filter(|checkout| checkout.id.starts_with("m-")) {
        let since = Instant::now();
        assert!(claim(store, lanes, 0).await.is_empty());
        looks.push(since.elapsed());
        let nudge = Nudge { target: Target::Id(&checkout.id), event: &[] };
        assert!(matches!(store.nudge(&nudge).await.unwrap(), Nudged::Queued { .. }));
        let since = Instant::now();
        let claimed = claim(store, lanes, 64).await;
        claims.push(since.elapsed());
        assert_eq!(claimed.len(), 1);
        write_back(store, &claimed[0]).await;
    }
    assert_eq!(claims.len(), NUDGED as usize);
    [looks, claims]
}

/// Writes a read after which the work is due in an hour.
async fn write_back<S: Store>(store: &S, due: &Due) {
    let next = Next::Due { after: Duration::from_secs(3_600), watch: String::new() };
    let write = Write { checkout: None, next, read: ReadMade::Answered, lane_wait: None, news: Vec::new() };
    assert_eq!(store.write(&due.lease, &write).await.unwrap(), Written::Done);
}

fn open_without_waits(place: &Place) -> Sqlite {
    let Place::Sqlite(path) = place else { panic!("a file") };
    Sqlite::builder(path).synchronous(Synchronous::NormalLosesCommitsAtPowerCut).open().unwrap()
}

async fn size(place: &Place) -> f64 {
    match place {
        Place::Sqlite(path) => fs::metadata(path).unwrap().len() as f64,
        Place::Postgres { .. } => {
            let sizes = "SELECT pg_total_relation_size('checkout.checkout') + pg_total_relation_size('checkout.named')";
            place.number(&format!("SELECT ({sizes})::bigint")).await as f64
        }
    }
}

/// The median of the claims of each store, for some runs.
async fn by_turns<S: Store>(stores: [S; 2]) -> Vec<[f64; 2]> {
    let lanes = lanes(MERCHANTS);
    let mut medians = Vec::new();
    for _ in 0..RUNS {
        let mut spans = [Vec::new(), Vec::new()];
        let begin = Instant::now();
        while begin.elapsed() < SPAN {
            for (store, spans) in stores.iter().zip(&mut spans) {
                let since = Instant::now();
                let claimed = claim(store, &lanes, 1).await;
                spans.push(since.elapsed());
                for due in &claimed {
                    write(store, due).await;
                }
            }
        }
        medians.push(spans.map(|spans| quantile(&spans, 50).as_secs_f64()));
    }
    medians
}

const IDLE: Duration = Duration::from_secs(10);
const ENGINES: i64 = 50;

/// The statements of an engine that has nothing to do, and the engines that one nudge wakes.
pub(crate) async fn idle() {
    let calls = Arc::new(AtomicU64::new(0));
    let (place, count) = (Place::sqlite("idle"), Arc::clone(&calls));
    let Place::Sqlite(path) = &place else { panic!("a file") };
    // Each claim asks the clock twice: for itself, and to see if somebody has set the clock.
    let clock = move || {
        count.fetch_add(1, Ordering::Relaxed);
        Moment::now()
    };
    let store = Sqlite::builder(path).clock(clock).open().unwrap();
    let running = Running::start(&idle_engine(store));
    sleep(Duration::from_secs(1)).await;
    let before = calls.load(Ordering::Relaxed);
    sleep(IDLE).await;
    let rate = (calls.load(Ordering::Relaxed) - before) as f64 / 2.0 / IDLE.as_secs_f64();
    running.stop().await;
    place.delete().await;
    table::row("operations of an idle process, SQLite", &format!("{rate:.1}/s"), "≤ 1/s", "–");

    // A database of its own, whose transactions are counted from another one.
    let (main, own) = (connect(&url()).await, Database::new("idle").await);
    let counted = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = $1";
    let count = async || main.query_one(counted, &[&own.name]).await.unwrap().get::<_, i64>(0);
    let store = Options::new().connect(&own.url).await.unwrap();
    let in_a_while = async || {
        // A connection that rests tells the server of its last transactions ten seconds late.
        sleep(Duration::from_secs(15)).await;
        let before = count().await;
        sleep(IDLE).await;
        (count().await - before) as f64 / IDLE.as_secs_f64()
    };
    // The server itself has transactions too.
    let own_of_server = in_a_while().await;
    // Two of them have the places of those who listen, and the others ask for one now and then.
    let mut running = vec![Running::start(&idle_engine(store))];
    for _ in 1..IDLERS {
        running.push(Running::start(&idle_engine(Options::new().connect(&own.url).await.unwrap())));
    }
    let rate = (in_a_while().await - own_of_server) / IDLERS as f64;
    for engine in running {
        engine.stop().await;
    }
    let figure = format!("transactions of each of {IDLERS} idle processes, PostgreSQL");
    table::row(&figure, &format!("{rate:.2}/s"), "≤ 1/s", "–");

    let store = Options::new().connections(1).connect(&own.url).await.unwrap();
    let place = Place::Postgres { url: own.url.clone(), schema: "checkout".to_owned() };
    place.fill(&Fill { due_in: 3_600_000, ..Fill::open(1, 1) }).await;
    // An engine may hold a second connection for wake-ups.
    let free = "SELECT (current_setting('max_connections')::bigint - 10 - (SELECT count(*) FROM pg_stat_activity)) / 2";
    let engines = main.query_one(free, &[]).await.unwrap().get::<_, i64>(0).min(ENGINES);
    let mut running = Vec::new();
    for engine in 0..engines {
        let url = format!("{}?application_name=engine-{engine}", own.url);
        let store = Options::new().connections(1).connect(&url).await.unwrap();
        let builder = builder(store, Provider::default(), &names(1), LEASE, &Arc::default());
        running.push(Running::start(&builder.poll_every(Duration::from_secs(60)).build().unwrap()));
    }
    sleep(Duration::from_secs(3)).await;
    let since: std::time::SystemTime = main.query_one("SELECT clock_timestamp()", &[]).await.unwrap().get(0);
    let id = store.list(&checkout_engine::Filter::default()).await.unwrap().remove(0).id;
    store.nudge(&Nudge { target: Target::Id(&id), event: &[] }).await.unwrap();
    sleep(Duration::from_secs(2)).await;
    let woken = "SELECT count(DISTINCT application_name) FROM pg_stat_activity \
        WHERE application_name LIKE 'engine-%' AND query_start > $1 AND query ~ 'claim|write'";
    let woken: i64 = main.query_one(woken, &[&since]).await.unwrap().get(0);
    for engine in running {
        engine.stop().await;
    }
    drop(store);
    own.delete().await;
    let figure = format!("engines of {engines} idle ones that one nudge wakes, PostgreSQL");
    table::row(&figure, &woken.to_string(), "1 or 2", "–");
}

const LEASE: Duration = Duration::from_secs(30);
const IDLERS: usize = 6;

fn idle_engine<S: Store + 'static>(store: S) -> checkout_engine::Engine<S, Provider> {
    engine(store, Provider::default(), &names(1), LEASE, &Arc::default())
}
