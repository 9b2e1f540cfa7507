//! A newer program: the program of the storm with one step of the schema more, which adds to every table.
//! Half of the processes are newer, and the older ones go on beside them.

use super::super::Outcome;
use super::super::weather::Weather;
use super::{Database, postgres, sqlite};
use checkout_store_postgres::Postgres;
use checkout_store_postgres::deadpool_postgres::tokio_postgres::{Client, NoTls, connect};
use checkout_store_sqlite::Sqlite;
use checkout_tables::Moment;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tokio::time::sleep;

const OF_SQLITE: &str = "
    ALTER TABLE checkout ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm';
    ALTER TABLE checkout_schema ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm';
    ALTER TABLE checkout_work ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm';
    ALTER TABLE checkout_lane ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm';
    ALTER TABLE checkout_place ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm';
    ALTER TABLE checkout_fence ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm';
    ALTER TABLE checkout_event ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm';
    ALTER TABLE checkout_news ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm';
    ALTER TABLE checkout_decision ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm';
    ALTER TABLE checkout_stray ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm';
    ALTER TABLE webhook_claim ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm';
    CREATE TABLE checkout_newer (process INTEGER PRIMARY KEY) STRICT;
";

const OF_POSTGRES: &str = "
    DO $$ DECLARE of regclass;
    BEGIN
        FOR of IN SELECT oid::regclass FROM pg_class WHERE relkind = 'r' AND relnamespace =
            (SELECT relnamespace FROM pg_class WHERE oid = 'checkout.schema_version'::regclass)
        LOOP
            EXECUTE format(
                'ALTER TABLE %s ADD COLUMN mood text NOT NULL DEFAULT ''calm'', ADD COLUMN more bigint', of);
        END LOOP;
    END $$;
    CREATE TABLE checkout.newer (process bigint PRIMARY KEY);
";

/// The moment from which processes are newer ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Newer {
    /// No process is.
    Never,
    /// A newer program makes the whole schema, and older ones start beside it.
    First,
    /// A newer program makes its step while older ones are at work.
    Later,
}

pub(crate) fn open_sqlite(
    path: &PathBuf,
    clock: impl Fn() -> Moment + Send + Sync + 'static,
) -> Outcome<Sqlite> {
    Ok(sqlite(path, clock).next_step(OF_SQLITE).open()?)
}

pub(crate) async fn open_postgres(url: &str, schema: &str, prepared: bool) -> Outcome<Postgres> {
    Ok(postgres(schema, prepared).next_step(OF_POSTGRES).connect(url).await?)
}

/// Makes the step after a while, as the program that migrates does. Returns the time that the step took, and
/// the moments of the world.
pub(crate) async fn step(weather: Weather, after: Duration) -> Outcome<(Duration, (Moment, Moment))> {
    sleep(after).await;
    let (begin, from) = (Instant::now(), weather.now());
    match &weather.database {
        Database::Sqlite(path) => {
            let (path, clock) = (path.clone(), weather.clone());
            let open = move || open_sqlite(&path, move || clock.now()).map(drop);
            tokio::task::spawn_blocking(open).await??;
        }
        // The server may be dead, or may take no writes: a person tries again.
        Database::Postgres { url, schema } => {
            // The name keeps this connection apart from those of the engines.
            let url = format!("{url}?application_name=newer");
            while let Err(error) = open_postgres(&url, schema, false).await {
                if begin.elapsed() > Duration::from_secs(60) {
                    return Err(error);
                }
                sleep(Duration::from_millis(50)).await;
            }
        }
    }
    Ok((begin.elapsed(), (from, weather.now())))
}

/// Notes in the newer program's own table that this process has begun.
pub(crate) fn begin_sqlite(path: &PathBuf) -> Outcome {
    let file = rusqlite::Connection::open(path)?;
    file.busy_timeout(Duration::from_secs(30))?;
    file.execute("INSERT OR IGNORE INTO checkout_newer (process) VALUES (?1)", [std::process::id()])?;
    Ok(())
}

/// The same over PostgreSQL.
pub(crate) async fn begin_postgres(store: &Postgres) -> Outcome {
    let note = format!(
        "INSERT INTO {}.newer (process) VALUES ({}) ON CONFLICT DO NOTHING",
        store.schema(),
        std::process::id()
    );
    Ok(store.pool().get().await?.batch_execute(&note).await?)
}

/// The number of processes of the newer program that have begun.
pub(crate) async fn begun(weather: &Weather) -> Outcome<i64> {
    match &weather.database {
        Database::Sqlite(path) => {
            let file = rusqlite::Connection::open(path)?;
            Ok(file.query_row("SELECT count(*) FROM checkout_newer", [], |row| row.get(0))?)
        }
        Database::Postgres { url, schema } => {
            let (client, connection): (Client, _) = connect(url, NoTls).await?;
            tokio::spawn(connection);
            let count = format!("SELECT count(*) FROM {schema}.newer");
            Ok(client.query_one(&count, &[]).await?.try_get(0)?)
        }
    }
}

#[test]
fn the_step_of_the_newer_program_adds_to_every_table_of_a_file() -> Outcome {
    let folder = super::super::weather::Folder::new("newer")?;
    let path = folder.path("shop.db");
    drop(open_sqlite(&path, Moment::now)?);
    let file = rusqlite::Connection::open(&path)?;
    let left = "SELECT group_concat(name) FROM sqlite_schema WHERE type = 'table' AND name <> 'checkout_newer' \
                AND NOT EXISTS (SELECT 1 FROM pragma_table_info(sqlite_schema.name) WHERE name = 'mood')";
    let left: Option<String> = file.query_row(left, [], |row| row.get(0))?;
    assert_eq!(left, None);
    let version: (i64, i64) =
        file.query_row("SELECT max(version), max(oldest) FROM checkout_schema", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    assert_eq!(version, (2, 1));
    Ok(())
}
