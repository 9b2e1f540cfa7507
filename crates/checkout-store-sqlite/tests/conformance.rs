//! The suite of the engine's stores.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod folder;

use checkout_engine::conformance::{self, Broken, Law, ManualClock};
use checkout_engine::{
    Ask, Checkout, Claimed, ClaimedNews, Decided, Decision, Figures, Filter, Inserted, Lane, Lease, New,
    Nudge, Nudged, Overview, Store, StoreError, Unmatched, Write, Written,
};
use checkout_store_sqlite::{Sqlite, Synchronous};
use checkout_tables::Moment;
use folder::Folder;
use pollster::block_on;
use rusqlite::Connection;
use std::error::Error;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Two stores of one file, as two processes have them, by turns.
struct Two {
    stores: [Sqlite; 2],
    turn: AtomicUsize,
}

impl Two {
    fn open(path: &Path, clock: &ManualClock) -> Result<Self, StoreError> {
        let open = || {
            let fast = Sqlite::builder(path).synchronous(Synchronous::NormalLosesCommitsAtPowerCut);
            fast.clock(clock.reader()).open()
        };
        Ok(Self { stores: [open()?, open()?], turn: AtomicUsize::new(0) })
    }

    fn next(&self) -> &Sqlite {
        &self.stores[self.turn.fetch_add(1, Ordering::Relaxed) % 2]
    }
}

impl Store for Two {
    async fn now(&self) -> Result<Moment, StoreError> {
        self.next().now().await
    }

    fn later(&self, at: Moment, since: Instant) -> Moment {
        self.next().later(at, since)
    }

    async fn lanes(&self, lanes: &[Lane]) -> Result<(), StoreError> {
        self.next().lanes(lanes).await
    }

    async fn insert(&self, new: &New<'_>) -> Result<Inserted, StoreError> {
        self.next().insert(new).await
    }

    async fn claim(&self, ask: &Ask<'_>) -> Result<Claimed, StoreError> {
        Store::claim(self.next(), ask).await
    }

    async fn write(&self, lease: &Lease, write: &Write) -> Result<Written, StoreError> {
        self.next().write(lease, write).await
    }

    async fn nudge(&self, nudge: &Nudge<'_>) -> Result<Nudged, StoreError> {
        self.next().nudge(nudge).await
    }

    async fn decide(&self, decision: &Decision<'_>) -> Result<Written, StoreError> {
        self.next().decide(decision).await
    }

    async fn claim_news(&self, max: usize, lease: Duration) -> Result<Vec<ClaimedNews>, StoreError> {
        self.next().claim_news(max, lease).await
    }

    async fn news_told(&self, key: &str, fence: i64, again: Option<Duration>) -> Result<Written, StoreError> {
        self.next().news_told(key, fence, again).await
    }

    async fn checkout(&self, id: &str) -> Result<Option<Checkout>, StoreError> {
        self.next().checkout(id).await
    }

    async fn overview(&self, filter: &Filter<'_>) -> Result<Vec<Overview>, StoreError> {
        self.next().overview(filter).await
    }

    async fn unmatched(&self, after: i64, most: usize) -> Result<Vec<Unmatched>, StoreError> {
        self.next().unmatched(after, most).await
    }

    async fn decisions(&self, id: &str) -> Result<Vec<Decided>, StoreError> {
        self.next().decisions(id).await
    }

    async fn figures(&self) -> Result<Figures, StoreError> {
        self.next().figures().await
    }

    async fn sweep(&self, max: usize) -> Result<usize, StoreError> {
        self.next().sweep(max).await
    }
}

async fn in_memory() -> (Sqlite, ManualClock) {
    let clock = ManualClock::new();
    (Sqlite::in_memory().clock(clock.reader()).open().unwrap(), clock)
}

/// The laws that do not hold, a line each.
fn broken<S: Store>(make: &impl AsyncFn() -> (S, ManualClock)) -> String {
    let broken = Law::ALL.iter().filter_map(|law| block_on(conformance::check_law(*law, make)).err());
    broken.map(|broken: Broken| broken.to_string()).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_store_in_memory_keeps_every_law() {
    assert_eq!(broken(&in_memory), "");
}

#[test]
fn two_stores_of_one_file_keep_every_law() -> Result<(), Box<dyn Error>> {
    let folder = Folder::new("laws")?;
    let number = AtomicUsize::new(0);
    let make = async || {
        let path = folder.file(&format!("{}.db", number.fetch_add(1, Ordering::Relaxed)));
        let clock = ManualClock::new();
        (Two::open(&path, &clock).unwrap(), clock)
    };
    assert_eq!(broken(&make), "");
    Ok(())
}

/// Does what a newer program's step may do under a program that is at work: adds to every table.
fn add_to_all(path: &Path) -> rusqlite::Result<()> {
    let file = Connection::open(path)?;
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'";
    let mut tables = file.prepare(tables)?;
    let mut step = "BEGIN IMMEDIATE; CREATE TABLE checkout_newer (id TEXT PRIMARY KEY) STRICT;".to_owned();
    for table in tables.query_map([], |row| row.get::<_, String>(0))? {
        let table = table?;
        step.push_str(&format!(
            "ALTER TABLE {table} ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm';
             ALTER TABLE {table} ADD COLUMN more INTEGER;"
        ));
    }
    step.push_str("INSERT INTO checkout_schema (version, oldest) VALUES (2, 1); COMMIT;");
    file.execute_batch(&step)
}

/// The stores are of the older program. One was open when the newer program added to the schema, and the
/// other is opened afterwards.
#[test]
fn a_schema_that_a_newer_program_has_added_to_is_used_with_every_law() -> Result<(), Box<dyn Error>> {
    let folder = Folder::new("added")?;
    let number = AtomicUsize::new(0);
    let make = async || {
        let path = folder.file(&format!("{}.db", number.fetch_add(1, Ordering::Relaxed)));
        let clock = ManualClock::new();
        let open = || {
            let fast = Sqlite::builder(&path).synchronous(Synchronous::NormalLosesCommitsAtPowerCut);
            fast.clock(clock.reader()).open().unwrap()
        };
        let before = open();
        before.figures().await.unwrap();
        add_to_all(&path).unwrap();
        let two = Two { stores: [before, open()], turn: AtomicUsize::new(0) };
        (two, clock)
    };
    assert_eq!(broken(&make), "");
    Ok(block_on(conformance::histories(7, 1_000, &make))?)
}

#[test]
fn threads_of_one_store_and_of_two_stores_are_safe() -> Result<(), Box<dyn Error>> {
    let folder = Folder::new("race")?;
    for round in 0..3 {
        let clock = ManualClock::new();
        let two = Two::open(&folder.file(&format!("{round}.db")), &clock)?;
        conformance::check_race(&two, &clock, |task| block_on(task))?;
        let clock = ManualClock::new();
        let one = Sqlite::builder(folder.file(&format!("{round}-one.db"))).clock(clock.reader()).open()?;
        conformance::check_race(&one, &clock, |task| block_on(task))?;
    }
    Ok(())
}

#[test]
fn random_histories_are_answered_as_the_model_answers() -> Result<(), Broken> {
    for seed in 0..5 {
        block_on(conformance::histories(seed, 2_000, &in_memory))?;
    }
    Ok(())
}
