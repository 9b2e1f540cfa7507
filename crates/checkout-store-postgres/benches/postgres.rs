//! The figures of the store, on the server that `CHECKOUT_TEST_POSTGRES` names:
//!
//! ```sh
//! cargo bench -p checkout-store-postgres                   # all figures
//! cargo bench -p checkout-store-postgres -- rate snapshot  # these figures alone
//! ```
//!
//! The client and the server share the machine's cores. Each figure has a schema of its own.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::float_arithmetic,
    clippy::disallowed_types,
    reason = "a benchmark"
)]

use std::collections::BTreeSet;
use std::env;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use checkout_engine::{Ask, Lane, Next, Nudge, ReadMade, Store, Target, Write, Written};
use checkout_store_postgres::{Options, Postgres};
use checkout_tables::{RateLimit, RateScope};
use tokio_postgres::{Client, NoTls};

/// How long each rate is measured.
const SPAN: Duration = Duration::from_secs(3);

fn main() {
    let Ok(url) = env::var("CHECKOUT_TEST_POSTGRES") else {
        println!("not run: CHECKOUT_TEST_POSTGRES is not set");
        return;
    };
    let chosen: BTreeSet<String> = env::args().skip(1).filter(|name| !name.starts_with("--")).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        for name in ["rate", "wake", "limiter", "snapshot", "ended"] {
            if chosen.is_empty() || chosen.contains(name) {
                let bench = Bench::new(&url, name).await;
                match name {
                    "rate" => rate(&bench).await,
                    "wake" => wake(&bench).await,
                    "limiter" => limiter(&bench).await,
                    "snapshot" => snapshot(&bench).await,
                    _ => ended(&bench).await,
                }
                bench.run(&format!("DROP SCHEMA {} CASCADE", bench.schema)).await;
            }
        }
    });
}

struct Bench {
    url: String,
    schema: String,
    client: Client,
}

impl Bench {
    async fn new(url: &str, name: &str) -> Self {
        let schema = format!("bench_{name}_{}", std::process::id());
        let bench = Self { url: url.to_owned(), client: connect(url).await, schema };
        bench.store(1).await;
        bench
    }

    async fn store(&self, connections: usize) -> Postgres {
        self.store_with(connections, true).await
    }

    async fn store_with(&self, connections: usize, prepared: bool) -> Postgres {
        let options = Options::new().schema(&self.schema).connections(connections).prepared(prepared);
        options.connect(&self.url).await.unwrap()
    }

    async fn run(&self, sql: &str) {
        self.client.batch_execute(&sql.replace("checkout.", &format!("{}.", self.schema))).await.unwrap();
    }

    /// Open checkouts that are all due, in lanes of the same size; and ended ones.
    async fn fill(&self, open: u32, lanes: u32, ended: u32) {
        self.run("TRUNCATE checkout.checkout, checkout.work, checkout.lane").await;
        let rows = format!(
            "INSERT INTO checkout.checkout (id, lane, provider, merchant, environment, reference, state, notes, \
                 watch, created_at, changed_at) \
             SELECT 'o' || n, 'peach/' || n % {lanes}, 'peach', n % {lanes}, 'live', 'r' || n, \
                 CASE WHEN n <= {open} THEN 'open' ELSE 'settled' END, repeat('n', 600), repeat('w', 200), 0, 0 \
             FROM generate_series(1, {open} + {ended}) n; \
             INSERT INTO checkout.work (id, lane, due, fence, tries, leased, urgent) \
             SELECT 'o' || n, 'peach/' || n % {lanes}, n, nextval('checkout.fence'), 0, false, false \
             FROM generate_series(1, {open}) n; \
             INSERT INTO checkout.lane (name) SELECT 'peach/' || n FROM generate_series(0, {lanes} - 1) n;"
        );
        self.run(&rows).await;
        self.run("VACUUM ANALYZE checkout.checkout").await;
        self.run("VACUUM ANALYZE checkout.work").await;
    }
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

fn names(lanes: u32) -> Vec<String> {
    (0..lanes).map(|lane| format!("peach/{lane}")).collect()
}

/// Claims, and a write for each row, by so many tasks at once: the claimed rows in a second. A task writes
/// the rows of a claim at once, as the engine does. The work is due again after a second.
async fn ring(store: &Postgres, tasks: usize, lanes: u32, max: usize, span: Duration) -> f64 {
    let rows = Arc::new(AtomicU64::new(0));
    let begin = Instant::now();
    let mut running = Vec::new();
    for _ in 0..tasks {
        let (store, rows, lanes) = (store.clone(), Arc::clone(&rows), names(lanes));
        running.push(tokio::spawn(async move {
            while begin.elapsed() < span {
                let ask = Ask { lanes: &lanes, max, lease: Duration::from_secs(30) };
                let mut writes = Vec::new();
                for due in store.claim(&ask).await.unwrap().due {
                    let (store, rows) = (store.clone(), Arc::clone(&rows));
                    writes.push(tokio::spawn(async move {
                        let next = Next::Due { after: Duration::from_secs(1), watch: "w".repeat(200) };
                        let write = Write {
                            checkout: None,
                            next,
                            read: ReadMade::None,
                            lane_wait: None,
                            news: Vec::new(),
                        };
                        assert_eq!(store.write(&due.lease, &write).await.unwrap(), Written::Done);
                        rows.fetch_add(1, Ordering::Relaxed);
                    }));
                }
                for write in writes {
                    write.await.unwrap();
                }
            }
        }));
    }
    for task in running {
        task.await.unwrap();
    }
    rows.load(Ordering::Relaxed) as f64 / begin.elapsed().as_secs_f64()
}

/// Claims and writes of 20,000 checkouts of 100 merchants, by tasks of one process, and by four stores that
/// share nothing, as four processes.
async fn rate(bench: &Bench) {
    let cases = [
        (1, 1, 1, 1),
        (1, 8, 20, 1),
        (1, 1, 1, 20),
        (1, 8, 20, 20),
        (1, 8, 20, 64),
        (4, 4, 5, 20),
        (4, 4, 5, 64),
    ];
    for (stores, connections, tasks, max) in cases {
        for prepared in [false, true] {
            bench.fill(20_000, 100, 0).await;
            let mut rings = Vec::new();
            for _ in 0..stores {
                let store = bench.store_with(connections, prepared).await;
                rings.push(tokio::spawn(async move { ring(&store, tasks, 100, max, SPAN).await }));
            }
            let mut rate = 0.0;
            for ring in rings {
                rate += ring.await.unwrap();
            }
            let how = if prepared { "prepared" } else { "unnamed" };
            println!(
                "rate: {stores} stores of {connections} connections and {tasks} tasks, {max} at a time, {how}: {rate:.0} \
                 claims and writes a second"
            );
        }
    }
}

/// The time from a nudge in one process to its claim in another one.
async fn wake(bench: &Bench) {
    bench.fill(0, 1, 0).await;
    bench.run("SELECT checkout.watch('a', 'peach', 'x', 'live', 'reference', 'id')").await;
    let (nudges, reads) = (bench.store(2).await, bench.store(2).await);
    let lanes = ["peach/x".to_owned()];
    let ask = Ask { lanes: &lanes, max: 1, lease: Duration::from_secs(30) };
    reads.woken().await;
    let mut took = Vec::new();
    for _ in 0..200 {
        let next = Next::Due { after: Duration::from_secs(60), watch: String::new() };
        let write =
            Write { checkout: None, next, read: ReadMade::Answered, lane_wait: None, news: Vec::new() };
        for due in reads.claim(&ask).await.unwrap().due {
            assert_eq!(reads.write(&due.lease, &write).await.unwrap(), Written::Done);
        }
        tokio::time::sleep(Duration::from_millis(120)).await;
        let nudge = Nudge { target: Target::Id("a"), event: &[] };
        nudges.nudge(&nudge).await.unwrap();
        let begin = Instant::now();
        loop {
            reads.woken().await;
            let claimed = reads.claim(&ask).await.unwrap().due;
            if let Some(due) = claimed.first() {
                took.push(begin.elapsed());
                assert_eq!(reads.write(&due.lease, &write).await.unwrap(), Written::Done);
                break;
            }
        }
    }
    took.sort_unstable();
    let [p50, p99] = [50, 99].map(|share| took.get(took.len() * share / 100).copied().unwrap_or_default());
    println!("wake: from the nudge's answer to the claim elsewhere p50 {p50:?}, p99 {p99:?}");
}

/// Places under a limit, taken and given back.
async fn limiter(bench: &Bench) {
    for (lanes, max) in [(1, 1), (1, 20), (1_000, 20), (1_000, 100)] {
        for limited in [false, true] {
            bench.fill(20_000, lanes, 0).await;
            let store = bench.store(8).await;
            let limit = RateLimit { requests: 50, per_seconds: 1, scope: RateScope::Merchant };
            let of = |name| Lane { name, limit: limited.then_some(limit) };
            store.lanes(&names(lanes).into_iter().map(of).collect::<Vec<_>>()).await.unwrap();
            let rate = ring(&store, 8, lanes, max, SPAN).await;
            let with = if limited { "with" } else { "without" };
            println!("limiter: {lanes} lanes, {max} at a time, {with} a limit: {rate:.0} a second");
        }
    }
}

/// A ring of 20,000 checkouts, while somebody holds a snapshot and while nobody does.
async fn snapshot(bench: &Bench) {
    for held in [false, true] {
        bench.fill(20_000, 10, 0).await;
        let mut other = connect(&bench.url).await;
        let transaction =
            other.build_transaction().isolation_level(tokio_postgres::IsolationLevel::RepeatableRead);
        let transaction = transaction.start().await.unwrap();
        if held {
            transaction.execute("SELECT txid_current()", &[]).await.unwrap();
        } else {
            transaction.rollback().await.unwrap();
        }
        let store = bench.store(8).await;
        let early = ring(&store, 8, 10, 20, SPAN).await;
        ring(&store, 8, 10, 20, SPAN * 3).await;
        let late = ring(&store, 8, 10, 20, SPAN).await;
        let what = if held { "held" } else { "free" };
        println!("snapshot {what}: {early:.0} a second at first, {late:.0} after {:?}", SPAN * 4);
    }
}

/// The cost of a claim beside 1,000,000 ended checkouts, and beside none.
async fn ended(bench: &Bench) {
    for ended in [0, 1_000_000] {
        bench.fill(1_000, 10, ended).await;
        let store = bench.store(1).await;
        let rate = ring(&store, 1, 10, 1, SPAN).await;
        println!("ended: 1,000 open and {ended} ended: {rate:.0} claims and writes a second");
    }
}
