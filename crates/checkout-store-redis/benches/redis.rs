//! The rate of reservations, and what limits in Redis cost a store. Runs where `CHECKOUT_TEST_REDIS` has a
//! URL: `cargo bench -p checkout-store-redis`.
#![allow(clippy::indexing_slicing, clippy::print_stdout, reason = "a program for the terminal")]

use std::env;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use checkout_engine::{
    Ask, Checkout, Lane, Limit, Limited, Limits, Memory, New, Next, Provider, ReadMade, Reserved, State,
    Store, Write,
};
use checkout_store_redis::{Options, Redis};
use checkout_tables::{Environment, Moment, RateLimit, RateScope};

type Done = Result<(), Box<dyn Error + Send + Sync>>;

const LEASE: Duration = Duration::from_secs(30);
const TIME: Duration = Duration::from_secs(2);
const LANES: i64 = 1_000;
/// The calls that are under way on one connection.
const PIPELINED: i64 = 32;

const fn rate(requests: u32) -> RateLimit {
    RateLimit { requests, per_seconds: 60, scope: RateScope::Merchant }
}

async fn redis(url: &str, prefix: &str) -> Result<Redis, Box<dyn Error + Send + Sync>> {
    let redis = Options::new().prefix(prefix).connect(url).await?;
    redis.nothing_was_lost().await?;
    Ok(redis)
}

async fn delete(url: &str, prefix: &str) -> Done {
    let mut connection = redis::Client::open(url)?.get_multiplexed_async_connection().await?;
    let keys: Vec<String> = redis::cmd("KEYS").arg(format!("{prefix}*")).query_async(&mut connection).await?;
    for keys in keys.chunks(1_000) {
        redis::cmd("UNLINK").arg(keys).exec_async(&mut connection).await?;
    }
    Ok(())
}

/// Reservations a second, of 1,000 lanes with so many places each.
async fn reservations(url: &str, connections: i64, callers: i64, requests: u32) -> Done {
    let prefix = format!("{{bench-{}-{connections}-{callers}-{requests}}}:", std::process::id());
    let count = Arc::new(AtomicI64::new(0));
    let granted = Arc::new(AtomicI64::new(0));
    let mut tasks = Vec::new();
    let mut shared = Vec::new();
    for _ in 0..connections {
        shared.push(redis(url, &prefix).await?);
    }
    let start = Instant::now();
    for caller in 0..callers {
        let redis = shared[usize::try_from(caller % connections)?].clone();
        let (count, granted) = (Arc::clone(&count), Arc::clone(&granted));
        tasks.push(tokio::spawn(async move {
            while start.elapsed() < TIME {
                let place = count.fetch_add(1, Ordering::Relaxed);
                let lane = format!("peach/{}", place % LANES);
                let limit = Limit { lane: &lane, rate: rate(requests) };
                if redis.reserve(limit, place, LEASE).await? == Reserved::Granted {
                    granted.fetch_add(1, Ordering::Relaxed);
                }
            }
            Done::Ok(())
        }));
    }
    for task in tasks {
        task.await??;
    }
    let a_second =
        |count: i64| i64::try_from(i128::from(count) * 1_000 / start.elapsed().as_millis().cast_signed());
    println!(
        "{connections:>2} connections, {callers:>3} callers, {requests:>9} places a lane: {:>6} reservations/s, {:>6} granted/s",
        a_second(count.load(Ordering::Relaxed))?,
        a_second(granted.load(Ordering::Relaxed))?,
    );
    delete(url, &prefix).await
}

fn row(merchant: usize, id: usize) -> Checkout {
    Checkout {
        id: format!("{merchant} {id}"),
        provider: Provider::Peach,
        merchant: merchant.to_string(),
        environment: Environment::Sandbox,
        state: State::Open,
        reference: format!("reference {id}"),
        checkout_id: None,
        page: None,
        hold: None,
        notes: "{}".into(),
        version: 0,
        created_at: Moment::from_unix_millis(0),
        changed_at: Moment::from_unix_millis(0),
    }
}

/// The claims and writes of one worker, of `lanes` lanes with 100 pieces of work each.
async fn cycles(name: &str, store: &impl Store, lanes: usize, limit: u32) -> Done {
    let known: Vec<Lane> =
        (0..lanes).map(|lane| Lane { name: format!("peach/{lane}"), limit: Some(rate(limit)) }).collect();
    store.lanes(&known).await?;
    let lanes: Vec<String> = known.into_iter().map(|lane| lane.name).collect();
    for merchant in 0..lanes.len() {
        for id in 0..100 {
            let checkout = row(merchant, id);
            store.insert(&New { checkout: &checkout, watch: "", lease: Duration::ZERO }).await?;
        }
    }
    let (start, mut reads, mut claims) = (Instant::now(), 0_u32, 0_u32);
    while start.elapsed() < TIME {
        let claimed = store.claim(&Ask { lanes: &lanes, max: 64, lease: LEASE }).await?;
        claims += 1;
        if claimed.due.is_empty() {
            break;
        }
        for due in claimed.due {
            let next = Next::Due { after: Duration::ZERO, watch: String::new() };
            let read = ReadMade::Answered;
            let write = Write { checkout: None, next, read, lane_wait: None, news: Vec::new() };
            let _ = store.write(&due.lease, &write).await?;
            reads += 1;
        }
    }
    println!(
        "{name}, {:>5} lanes: {:>8?} a read with claim and write, {:>8?} a claim, {reads} reads",
        lanes.len(),
        start.elapsed() / reads.max(1),
        start.elapsed() / claims,
    );
    Ok(())
}

/// A claim that finds every lane at its limit.
async fn looks(url: &str, lanes: usize) -> Done {
    let prefix = format!("{{bench-{}-looks}}:", std::process::id());
    let redis = redis(url, &prefix).await?;
    let names: Vec<String> = (0..lanes).map(|lane| format!("peach/{lane}")).collect();
    let asked: Vec<Limit<'_>> = names.iter().map(|lane| Limit { lane, rate: rate(1) }).collect();
    for (limit, place) in asked.iter().zip(0..) {
        let _ = redis.reserve(*limit, place, LEASE).await?;
    }
    let (start, mut looks) = (Instant::now(), 0);
    while start.elapsed() < TIME / 2 {
        redis.room(&asked, LEASE).await?;
        looks += 1;
    }
    println!("a look at {lanes:>5} lanes at their limit: {:>8?}", start.elapsed() / looks);
    delete(url, &prefix).await
}

/// Claims by a process whose lanes are all at their limit, with work that waits.
async fn full(url: &str, lanes: usize) -> Done {
    let prefix = format!("{{bench-{}-full}}:", std::process::id());
    let store = Limited::new(Memory::new(), redis(url, &prefix).await?);
    let names: Vec<String> = (0..lanes).map(|lane| format!("peach/{lane}")).collect();
    let known: Vec<Lane> =
        names.iter().map(|name| Lane { name: name.clone(), limit: Some(rate(1)) }).collect();
    store.lanes(&known).await?;
    for (merchant, name) in names.iter().enumerate() {
        let (checkout, place) = (row(merchant, 0), i64::try_from(merchant)?);
        store.insert(&New { checkout: &checkout, watch: "", lease: Duration::ZERO }).await?;
        let _ = store.limits().reserve(Limit { lane: name, rate: rate(1) }, -1 - place, LEASE).await?;
    }
    let (start, mut claims, mut slowest) = (Instant::now(), 0, Duration::ZERO);
    while start.elapsed() < TIME * 2 {
        let began = Instant::now();
        store.claim(&Ask { lanes: &names, max: 64, lease: LEASE }).await?;
        slowest = slowest.max(began.elapsed());
        claims += 1;
    }
    let mean = start.elapsed() / claims;
    println!("a claim over {lanes:>5} lanes at their limit: {mean:>8?}, the slowest {slowest:?}");
    delete(url, &prefix).await
}

fn main() -> Done {
    // `cargo test` runs benches too, and asks for a word alone.
    let Ok(url) = env::var("CHECKOUT_TEST_REDIS") else {
        println!("CHECKOUT_TEST_REDIS is not set: nothing was measured");
        return Ok(());
    };
    if env::args().all(|argument| argument != "--bench") {
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        for requests in [2, 1_000_000_000] {
            reservations(&url, 1, 1, requests).await?;
            reservations(&url, 1, PIPELINED, requests).await?;
            reservations(&url, 32, 32, requests).await?;
            reservations(&url, 32, 32 * PIPELINED, requests).await?;
        }
        for lanes in [1, 100] {
            let many = 1_000_000_000;
            cycles("memory alone      ", &Memory::new(), lanes, many).await?;
            let prefix = format!("{{bench-{}-store}}:", std::process::id());
            let limited = Limited::new(Memory::new(), redis(&url, &prefix).await?);
            cycles("memory and Redis  ", &limited, lanes, many).await?;
            delete(&url, &prefix).await?;
        }
        for lanes in [1, 100, 10_000] {
            looks(&url, lanes).await?;
            full(&url, lanes).await?;
        }
        Ok(())
    })
}
