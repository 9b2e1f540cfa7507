//! How much a second.

use crate::process::{Limits as In, Process, Work};
use crate::table::{self, RUNS, a_second, of, percent};
use crate::world::{Fill, Place, WIDE, claim, lanes, limit, rate, redis, unique};
use checkout_engine::{Limit, Limited, Limits, Reserved, Store};
use checkout_store_redis::redis as client;
use checkout_tables::{Moment, RateLimit, RateScope};
use checkout_trust::replay::{AsyncStore, Key, Slot};
use futures_util::future::join_all;
use std::env;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const SPAN: Duration = Duration::from_secs(3);
const PEERS_OF_POLLS: &str = "awa 5,369/s, pg-boss 2,387/s, River 501/s (64 workers, jobs of 1 ms, 4 CPUs; \
    hardbyte/postgresql-job-queue-benchmarking, 2026-05-09)";

/// Polls a second of whole processes, each with an engine, and the errors that came out of the store.
async fn polls(place: &Place, processes: usize, span: Duration) -> (f64, u64) {
    let work = Work::Polls(span, In::None);
    let mut running: Vec<Process> = (0..processes).map(|_| Process::start(place, MERCHANTS, work)).collect();
    let begin = Instant::now();
    running.iter_mut().for_each(Process::go);
    let told: Vec<(u64, u64)> = running.iter_mut().map(Process::told).collect();
    let polls: u64 = told.iter().map(|(polls, _)| polls).sum();
    (polls as f64 / begin.elapsed().as_secs_f64(), told.iter().map(|(_, errors)| errors).sum())
}

const MERCHANTS: u32 = 100;
/// More than any run can poll.
const DUE: u32 = 60_000;

pub(crate) async fn polls_sqlite() {
    let mut rates = Vec::new();
    for _ in 0..RUNS {
        let place = Place::sqlite("polls");
        place.fill(&Fill::open(DUE, MERCHANTS)).await;
        rates.push(polls(&place, 1, SPAN).await.0);
        place.delete().await;
    }
    let ours = of(&rates, a_second);
    table::row("polls, end to end, SQLite FULL, 1 process", &ours, "≥ 1,200/s", PEERS_OF_POLLS);
}

pub(crate) async fn polls_postgres() {
    for (processes, wanted) in [(1, "≥ 2,000/s"), (4, "≥ 4,000/s")] {
        let mut rates = Vec::new();
        for _ in 0..RUNS {
            let place = Place::postgres("polls").await;
            place.fill(&Fill::open(DUE, MERCHANTS)).await;
            rates.push(polls(&place, processes, SPAN).await.0);
            place.delete().await;
        }
        let figure = format!("polls, end to end, PostgreSQL, {processes} process(es)");
        table::row(&figure, &of(&rates, a_second), wanted, PEERS_OF_POLLS);
    }
}

/// Claims with their writes, without an engine.
pub(crate) async fn pairs() {
    for (max, wanted) in [(1, "≥ 1,200/s"), (50, "≥ 8,000/s")] {
        let mut rates = Vec::new();
        for _ in 0..RUNS {
            let place = Place::sqlite("pairs");
            place.fill(&Fill::open(20_000, 1)).await;
            rates.push(rate(&place.open_sqlite(), 1, &lanes(1), max, SPAN).await);
            place.delete().await;
        }
        let figure = format!("claims with their writes, SQLite FULL, by {max}");
        table::row(&figure, &of(&rates, a_second), wanted, "–");
    }
}

/// Eight processes of one file.
pub(crate) async fn busy() {
    let place = Place::sqlite("busy");
    place.fill(&Fill::open(DUE, MERCHANTS)).await;
    let (rate, errors) = polls(&place, 8, SPAN * 3).await;
    place.delete().await;
    let ours = format!("{errors} errors, {}", a_second(rate));
    table::row(
        "errors out of 8 processes of one SQLite file, 9 s",
        &ours,
        "0",
        "16 % of the writes are SQLITE_BUSY (ovumcy-web#155)",
    );
}

const LIMITED: u32 = 1_000;
const PEER_OF_LIMIT: &str = "River: −48 % with a global limit (river#1145)";

/// The runs by turns, each so short that what else the machine does meets both.
const TURNS: usize = 9;
const TURN: Duration = Duration::from_secs(2);

/// The rate of a turn, once the lanes whose limits were just set are known.
async fn turn_of<S: Store + Clone + 'static>(store: &S) -> f64 {
    rate(store, 8, &lanes(LIMITED), 20, TURN / 4).await;
    rate(store, 8, &lanes(LIMITED), 20, TURN).await
}

/// The ratios of the turns, and the medians of the rates with limits and without.
fn of_both(rates: &[[f64; 2]]) -> String {
    let (ratios, [without, with]) = table::by_turns(rates);
    format!("{}: {with}/s with, {without}/s without", of(&ratios, percent))
}

/// Polls of a whole process, with limits and without, by turns.
async fn polls_with(limits: In<'_>) -> String {
    let mut all = Vec::new();
    for run in 0..TURNS {
        let place = Place::postgres("limits").await;
        place.fill(&Fill::open(DUE, LIMITED)).await;
        let mut rates = [0.0; 2];
        for turn in [run % 2, 1 - run % 2] {
            let work = Work::Polls(TURN, [In::None, limits][turn]);
            let mut process = Process::start(&place, LIMITED, work);
            let begin = Instant::now();
            process.go();
            rates[turn] = process.told().0 as f64 / begin.elapsed().as_secs_f64();
        }
        place.delete().await;
        all.push(rates);
    }
    of_both(&all)
}

/// The cost of limits in Redis beside a database without limits.
pub(crate) async fn shared_limit() {
    if env::var("CHECKOUT_TEST_POSTGRES").is_err() {
        return table::row("not measured", "CHECKOUT_TEST_POSTGRES is not set", "", "");
    }
    let prefix = format!("{{{}}}:", unique("shared"));
    let ours = polls_with(In::Redis(&prefix)).await;
    forget(&prefix).await;
    let figure = "polls, end to end, limits in Redis against none, 1,000 merchants";
    table::row(figure, &ours, "≥ 90 %", PEER_OF_LIMIT);
    let (place, prefix) = (Place::postgres("shared").await, format!("{{{}}}:", unique("shared")));
    place.fill(&Fill::open(DUE, LIMITED)).await;
    let alone = place.open_postgres(8).await;
    let limited = Arc::new(Limited::new(place.open_postgres(8).await, redis(&prefix).await));
    let mut all = Vec::new();
    for run in 0..TURNS {
        let mut rates = [0.0; 2];
        // Neither is always the first.
        for turn in [run % 2, 1 - run % 2] {
            rates[turn] = if turn == 0 {
                limit(&alone, LIMITED, None).await;
                turn_of(&alone).await
            } else {
                limit(&limited, LIMITED, Some(WIDE)).await;
                turn_of(&limited).await
            };
        }
        all.push(rates);
    }
    forget(&prefix).await;
    place.delete().await;
    let figure = "claims with their writes, limits in Redis against none, 1,000 merchants";
    table::row(figure, &of_both(&all), "–", "–");
}

/// The cost of the database's own limits.
pub(crate) async fn lane_limit() {
    let ours = polls_with(In::Database).await;
    let figure = "polls, end to end, the database's own limits against none, 1,000 merchants";
    table::row(figure, &ours, "≥ 90 %", PEER_OF_LIMIT);
    let place = Place::postgres("lane").await;
    place.fill(&Fill::open(DUE, LIMITED)).await;
    let store = place.open_postgres(8).await;
    let mut all = Vec::new();
    for run in 0..TURNS {
        let mut rates = [0.0; 2];
        // Neither is always the first.
        for turn in [run % 2, 1 - run % 2] {
            limit(&store, LIMITED, [None, Some(WIDE)][turn]).await;
            rates[turn] = turn_of(&store).await;
        }
        all.push(rates);
    }
    place.delete().await;
    let figure = "claims with their writes, the database's own limits against none, 1,000 merchants";
    table::row(figure, &of_both(&all), "–", "–");
}

/// Places that claims take, without the writes.
pub(crate) async fn limiter_postgres() {
    let mut rates = Vec::new();
    for _ in 0..RUNS {
        let place = Place::postgres("limiter").await;
        place.fill(&Fill::open(DUE, LIMITED)).await;
        let store = place.open_postgres(8).await;
        limit(&store, LIMITED, Some(WIDE)).await;
        let (begin, span) = (Instant::now(), Duration::from_secs(2));
        let tasks = (0..8).map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut places = 0;
                while begin.elapsed() < span {
                    places += claim(&store, &lanes(LIMITED), 64).await.len();
                }
                places
            })
        });
        let places: usize = join_all(tasks).await.into_iter().map(Result::unwrap).sum();
        rates.push(places as f64 / begin.elapsed().as_secs_f64());
        place.delete().await;
    }
    table::row("places under limits, PostgreSQL, with their claims", &of(&rates, a_second), "≥ 5,000/s", "–");
}

/// Deletes the keys of a prefix.
async fn forget(prefix: &str) {
    let client = client::Client::open(env::var("CHECKOUT_TEST_REDIS").unwrap()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let keys: Vec<String> =
        client::cmd("KEYS").arg(format!("{prefix}*")).query_async(&mut connection).await.unwrap();
    for keys in keys.chunks(1_000) {
        client::cmd("UNLINK").arg(keys).exec_async(&mut connection).await.unwrap();
    }
}

/// So many tasks at once, each again and again: how often a second.
async fn again<F: Future<Output = ()> + Send>(
    tasks: usize,
    span: Duration,
    once: impl Fn(usize, u64) -> F + Send + Sync + 'static,
) -> f64 {
    let (begin, count, once) = (Instant::now(), Arc::new(AtomicU64::new(0)), Arc::new(once));
    let tasks = (0..tasks).map(|task| {
        let (count, once) = (Arc::clone(&count), Arc::clone(&once));
        tokio::spawn(async move {
            while begin.elapsed() < span {
                once(task, count.fetch_add(1, Ordering::Relaxed)).await;
            }
        })
    });
    join_all(tasks).await.into_iter().for_each(Result::unwrap);
    count.load(Ordering::Relaxed) as f64 / begin.elapsed().as_secs_f64()
}

pub(crate) async fn limiter_redis() {
    let mut rates = Vec::new();
    for _ in 0..RUNS {
        let prefix = format!("{{{}}}:", unique("limiter"));
        let redis = Arc::new(join_all((0..32).map(|_| redis(&prefix))).await);
        let of_all = Arc::clone(&redis);
        rates.push(
            again(1_024, Duration::from_secs(2), move |task, number| {
                let redis = of_all[task % of_all.len()].clone();
                async move {
                    let lane = format!("peach/{}", number % u64::from(LIMITED));
                    let rate =
                        RateLimit { requests: 1_000_000_000, per_seconds: 60, scope: RateScope::Merchant };
                    let limit = Limit { lane: &lane, rate };
                    let place = number.cast_signed();
                    let granted = redis.reserve(limit, place, Duration::from_secs(30)).await.unwrap();
                    assert_eq!(granted, Reserved::Granted);
                }
            })
            .await,
        );
        forget(&prefix).await;
    }
    table::row("places under limits, Redis", &of(&rates, a_second), "≥ 30,000/s", "–");
}

pub(crate) async fn replay() {
    let mut rates = Vec::new();
    for _ in 0..RUNS {
        let place = Place::postgres("replay").await;
        let store = place.open_postgres(32).await;
        rates.push(
            again(32, Duration::from_secs(2), move |_, number| {
                let store = store.clone();
                async move {
                    let key = Key::allscale_transaction("m", &number.to_string(), Duration::from_secs(3_600));
                    let claimed =
                        AsyncStore::claim(&store, &key, Moment::now(), Duration::from_secs(30)).await;
                    assert!(matches!(claimed.unwrap(), Slot::Fresh(_)));
                }
            })
            .await,
        );
        place.delete().await;
    }
    table::row("claims of the replay guard, PostgreSQL", &of(&rates, a_second), "≥ 6,000/s", "–");
}
