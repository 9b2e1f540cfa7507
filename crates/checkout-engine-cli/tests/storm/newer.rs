//! A newer program's step in the middle of the storm: the processes of the storm are the older program, and
//! go on.

use super::super::Outcome;
use super::super::shop::Database;
use super::super::weather::Weather;
use checkout_store_postgres::deadpool_postgres::tokio_postgres::{Error, NoTls};
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Adds to every table after a while, as a step may do under programs that are at work. Returns the time that
/// the step took.
pub(super) async fn step(weather: Weather, after: Duration) -> Outcome<Duration> {
    sleep(after).await;
    let begin = Instant::now();
    match weather.database {
        Database::Sqlite(path) => tokio::task::spawn_blocking(move || of_sqlite(&path)).await??,
        // The server may be dead, or may take no writes: a person tries again.
        Database::Postgres { url, schema } => {
            while of_postgres(&url, &schema).await.is_err() {
                sleep(Duration::from_millis(50)).await;
            }
        }
    }
    Ok(begin.elapsed())
}

fn of_sqlite(path: &Path) -> rusqlite::Result<()> {
    let mut file = rusqlite::Connection::open(path)?;
    file.busy_timeout(Duration::from_secs(30))?;
    let step = file.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'";
    let tables: Vec<String> =
        step.prepare(tables)?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for table in tables {
        step.execute_batch(&format!(
            "ALTER TABLE {table} ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm';
             ALTER TABLE {table} ADD COLUMN more INTEGER;"
        ))?;
    }
    step.execute_batch(
        "CREATE TABLE checkout_newer (id TEXT PRIMARY KEY) STRICT;
         INSERT INTO checkout_schema (version, oldest) VALUES (2, 1);",
    )?;
    step.commit()
}

async fn of_postgres(url: &str, schema: &str) -> Result<(), Error> {
    let (client, connection) =
        checkout_store_postgres::deadpool_postgres::tokio_postgres::connect(url, NoTls).await?;
    let connection = tokio::spawn(connection);
    let version = format!("SELECT version FROM {schema}.schema_version");
    let done = async {
        if client.query_one(&version, &[]).await?.get::<_, i64>(0) == 2 {
            // The answer to the commit was lost.
            return Ok(());
        }
        let tables = "SELECT tablename FROM pg_tables WHERE schemaname = $1";
        let mut step = format!("BEGIN; CREATE TABLE {schema}.newer (id text PRIMARY KEY);");
        for row in client.query(tables, &[&schema]).await? {
            let table: String = row.try_get(0)?;
            step += &format!(
                "ALTER TABLE {schema}.{table} ADD COLUMN mood text NOT NULL DEFAULT 'calm', \
                 ADD COLUMN more bigint;"
            );
        }
        step += &format!("UPDATE {schema}.schema_version SET version = 2, oldest = 1; COMMIT;");
        client.batch_execute(&step).await
    };
    let done = done.await;
    connection.abort();
    done
}
