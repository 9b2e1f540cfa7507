//! The figures of the store, each on a file of its own:
//!
//! ```sh
//! cargo bench -p checkout-store-sqlite             # all figures
//! cargo bench -p checkout-store-sqlite -- by_50    # these figures alone
//! ```
//!
//! The files are in the folder for temporary files, or in `CHECKOUT_BENCH_FOLDER`: the disk decides.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::float_arithmetic,
    clippy::disallowed_types,
    reason = "a benchmark"
)]

use checkout_engine::{
    Ask, Checkout, Due, Lane, New, Next, Provider, ReadMade, State, Store, Write, Written,
};
use checkout_store_sqlite::{Sqlite, Synchronous};
use checkout_tables::{Environment, Moment};
use pollster::block_on;
use rusqlite::Connection;
use std::collections::BTreeSet;
use std::future::Future;
use std::io::Write as _;
use std::path::PathBuf;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

const LANE: &str = "azotte/m";

fn main() {
    let chosen: BTreeSet<String> = env::args().skip(1).filter(|name| !name.starts_with("--")).collect();
    let figures: [(&str, fn()); 7] = [
        ("disk", disk),
        ("inserts", inserts),
        ("one_by_one", one_by_one),
        ("by_50", by_50),
        ("threads", threads),
        ("lanes", lanes),
        ("ended", ended),
    ];
    for (name, figure) in figures {
        if chosen.is_empty() || chosen.contains(name) {
            figure();
        }
    }
}

/// What the disk can do: 4 KiB written and synchronized. No store that survives a loss of power commits more
/// often, one after the other.
fn disk() {
    let folder = File::new("disk");
    let mut file = fs::File::create(folder.0.join("raw")).unwrap();
    let took = time(1_000, |_| {
        file.write_all(&[7; 4_096]).unwrap();
        file.sync_data().unwrap();
    });
    println!("disk: {took:.0} writes a second, each synchronized");
}

/// Creates, of one caller and of 50.
fn inserts() {
    let file = File::new("inserts");
    let store = file.open(Synchronous::Full);
    let took = time(2_000, |number| insert(&store, &format!("one-{number}")));
    println!("inserts: {took:.0}/s one by one");
    let took = time(200, |round| {
        let rows: Vec<Checkout> = (0..50).map(|number| row(&format!("{round}-{number}"))).collect();
        let news: Vec<New<'_>> =
            rows.iter().map(|checkout| New { checkout, watch: "", lease: Duration::ZERO }).collect();
        for done in together(news.iter().map(|new| store.insert(new))) {
            done.unwrap();
        }
    });
    println!("inserts: {:.0}/s of 50 callers", took * 50.0);
}

/// A claim, then its write, of one caller.
fn one_by_one() {
    for synchronous in [Synchronous::Full, Synchronous::NormalLosesCommitsAtPowerCut] {
        let file = File::new("one");
        let store = file.with(20_000, 0, synchronous);
        let took = time(4_000, |_| {
            for due in claim(&store, 1) {
                write(&store, &due);
            }
        });
        println!(
            "one_by_one: {took:.0} claims and as many writes a second, {:.0} operations ({synchronous:?})",
            2.0 * took
        );
    }
}

/// A claim of 50, and the 50 writes: together, and one after the other.
fn by_50() {
    for synchronous in [Synchronous::Full, Synchronous::NormalLosesCommitsAtPowerCut] {
        let file = File::new("by-50");
        let store = file.with(20_000, 0, synchronous);
        let took = time(200, |_| {
            let due = claim(&store, 50);
            let outcome = outcome();
            for done in together(due.iter().map(|due| store.write(&due.lease, &outcome))) {
                assert_eq!(done.unwrap(), Written::Done);
            }
        });
        println!("by_50: {:.0} rows a second claimed and written together ({synchronous:?})", took * 50.0);
        let took = time(40, |_| claim(&store, 50).iter().for_each(|due| write(&store, due)));
        println!("by_50: {:.0} rows a second, written one after the other ({synchronous:?})", took * 50.0);
        let took = time(200, |_| assert_eq!(claim(&store, 50).len(), 50));
        println!("by_50: {:.0} rows a second claimed alone ({synchronous:?})", took * 50.0);
    }
}

/// Eight threads of one store, and eight stores of one file, each with a claim and its write.
fn threads() {
    for shared in [true, false] {
        let file = File::new("threads");
        let store = file.with(20_000, 0, Synchronous::Full);
        let begin = Instant::now();
        let slowest = thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| {
                    let store = if shared { store.clone() } else { file.open(Synchronous::Full) };
                    scope.spawn(move || {
                        let mut slowest = Duration::ZERO;
                        for _ in 0..500 {
                            let begin = Instant::now();
                            claim(&store, 1).iter().for_each(|due| write(&store, due));
                            slowest = slowest.max(begin.elapsed());
                        }
                        slowest
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).max().unwrap()
        });
        let what = if shared { "8 threads of one store" } else { "8 stores of one file" };
        let per_second = 4_000.0 / begin.elapsed().as_secs_f64();
        println!(
            "threads: {per_second:.0} claims and as many writes a second, {what}, slowest pair {slowest:?}"
        );
    }
}

/// A claim for very many lanes, of which few have work.
fn lanes() {
    let file = File::new("lanes");
    let store = file.with(1_000, 0, Synchronous::Full);
    let names: Vec<String> =
        (0..10_000).map(|number| format!("azotte/m-{number}")).chain([LANE.to_owned()]).collect();
    let known: Vec<Lane> = names.iter().map(|name| Lane { name: name.clone(), limit: None }).collect();
    block_on(store.lanes(&known)).unwrap();
    let ask = Ask { lanes: &names, max: 1, lease: Duration::from_secs(600) };
    let took = time(100, |_| assert_eq!(block_on(store.claim(&ask)).unwrap().due.len(), 1));
    println!("lanes: a claim for 10,001 lanes takes {:.1} ms", 1_000.0 / took);
}

/// A claim and its write with 1,000 open, beside none that ended and beside a million.
fn ended() {
    let files = [File::new("none"), File::new("million")];
    let stores = [
        files[0].with(1_000, 0, Synchronous::NormalLosesCommitsAtPowerCut),
        files[1].with(1_000, 1_000_000, Synchronous::NormalLosesCommitsAtPowerCut),
    ];
    let mut took = [Vec::new(), Vec::new()];
    // By turns, so that what else the machine does is in both.
    for _ in 0..20_000 {
        for (store, took) in stores.iter().zip(&mut took) {
            let begin = Instant::now();
            let due = claim(store, 1);
            took.push(begin.elapsed());
            due.iter().for_each(|due| write(store, due));
        }
    }
    let [none, million] = took.map(|mut all| {
        all.sort_unstable();
        [all[all.len() / 2], all[all.len() * 99 / 100]]
    });
    println!("ended: a claim of 1,000 open takes {:?} (p99 {:?}) with none ended", none[0], none[1]);
    println!(
        "ended: a claim of 1,000 open takes {:?} (p99 {:?}) with 1,000,000 ended",
        million[0], million[1]
    );
    println!("ended: {:.0} %", 100.0 * million[0].as_secs_f64() / none[0].as_secs_f64());
}

fn row(id: &str) -> Checkout {
    Checkout {
        id: id.to_owned(),
        provider: Provider::Azotte,
        merchant: "m".to_owned(),
        environment: Environment::Live,
        state: State::Open,
        reference: format!("r-{id}"),
        checkout_id: Some(format!("c-{id}")),
        page: Some("https://pay.example/checkout/0123456789".into()),
        hold: None,
        notes: format!("{{\"price\":\"{}\"}}", "1".repeat(100)).into(),
        version: 0,
        created_at: Moment::from_unix_millis(0),
        changed_at: Moment::from_unix_millis(0),
    }
}

fn insert(store: &Sqlite, id: &str) {
    let new = New { checkout: &row(id), watch: "", lease: Duration::ZERO };
    block_on(store.insert(&new)).unwrap();
}

fn claim(store: &Sqlite, max: usize) -> Vec<Due> {
    let lanes = [LANE.to_owned()];
    let ask = Ask { lanes: &lanes, max, lease: Duration::from_secs(600) };
    block_on(store.claim(&ask)).unwrap().due
}

/// The row is due again at once, behind all others, with another watch.
fn outcome() -> Write {
    let watch = format!("{{\"polls\":{},\"rest\":\"{}\"}}", Moment::now().unix_millis(), "1".repeat(100));
    let next = Next::Due { after: Duration::ZERO, watch };
    Write { checkout: None, next, read: ReadMade::Answered, lane_wait: None, news: Vec::new() }
}

fn write(store: &Sqlite, due: &Due) {
    assert_eq!(block_on(store.write(&due.lease, &outcome())).unwrap(), Written::Done);
}

/// Asks all at once, as the tasks of a program do, and waits for all.
fn together<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut futures: Vec<_> = futures.map(Box::pin).collect();
    let mut context = Context::from_waker(Waker::noop());
    let asked: Vec<_> = futures.iter_mut().map(|future| future.as_mut().poll(&mut context)).collect();
    let answered = futures.into_iter().zip(asked).map(|(future, asked)| match asked {
        Poll::Ready(done) => done,
        Poll::Pending => block_on(pin!(future)),
    });
    answered.collect()
}

/// How often a second, on average.
fn time(times: u32, mut once: impl FnMut(u32)) -> f64 {
    let begin = Instant::now();
    (0..times).for_each(&mut once);
    f64::from(times) / begin.elapsed().as_secs_f64()
}

struct File(PathBuf);

impl File {
    fn new(name: &str) -> Self {
        let folder = env::var_os("CHECKOUT_BENCH_FOLDER").map_or_else(env::temp_dir, PathBuf::from);
        let folder = folder.join(format!("checkout-bench-{}-{name}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn open(&self, synchronous: Synchronous) -> Sqlite {
        Sqlite::builder(self.0.join("shop.db")).synchronous(synchronous).open().unwrap()
    }

    /// A store with so many open, all due, and so many ended.
    fn with(&self, open: u32, ended: u32, synchronous: Synchronous) -> Sqlite {
        let store = self.open(synchronous);
        let fill = Connection::open(self.0.join("shop.db")).unwrap();
        fill.execute_batch(&format!(
            "BEGIN;
            WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT {all})
            INSERT INTO checkout (id, lane, provider, merchant, environment, state, reference, checkout_id, page,
                notes, watch, version, created_at, changed_at)
            SELECT printf('o-%09d', n * 7919 % 999999937), '{LANE}', 'azotte', 'm', 'live',
                iif(n > {ended}, 'open', 'settled'), printf('r-%09d', n), printf('c-%09d', n),
                'https://pay.example/checkout/0123456789', printf('%0100d', n), printf('%0100d', n), 3, n, n
            FROM n;
            INSERT INTO checkout_work (id, lane, due, fence, leased, tries)
                SELECT id, lane, created_at, 0, 0, 0 FROM checkout WHERE state = 'open';
            INSERT INTO checkout_lane (name) VALUES ('{LANE}');
            COMMIT;
            PRAGMA wal_checkpoint(TRUNCATE)",
            all = open + ended
        ))
        .unwrap();
        store
    }
}

impl Drop for File {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}
