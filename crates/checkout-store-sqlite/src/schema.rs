//! The schema, and its migrations.

use crate::fault;
use checkout_engine::StoreError;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};

/// A step of the schema: forward only, and never changed once it is published.
///
/// ```
/// let [first, ..] = checkout_store_sqlite::MIGRATIONS else { unreachable!() };
/// assert_eq!((first.version, first.name), (1, "tables"));
/// assert!(first.sql.contains("CREATE TABLE checkout_work"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migration {
    /// The version of the schema after the step.
    pub version: i64,
    /// The name.
    pub name: &'static str,
    /// The statements.
    pub sql: &'static str,
}

/// All steps, in their order.
pub const MIGRATIONS: &[Migration] =
    &[Migration { version: 1, name: "tables", sql: include_str!("../migrations/0001_tables.sql") }];

/// The table of the steps that were made, and the note of one.
const STEPS: &str = "CREATE TABLE IF NOT EXISTS checkout_schema (
    version    INTEGER NOT NULL PRIMARY KEY,
    applied_at TEXT    NOT NULL DEFAULT CURRENT_TIMESTAMP
) STRICT;
";

fn note(version: i64) -> String {
    format!("INSERT INTO checkout_schema (version) VALUES ({version});\n")
}

/// The whole schema as a script for `sqlite3`, for those who apply migrations by hand: one transaction for
/// each step.
///
/// ```
/// let script = checkout_store_sqlite::print_migrations();
/// assert!(script.contains("BEGIN IMMEDIATE;") && script.ends_with("COMMIT;\n"));
/// ```
#[must_use]
pub fn print_migrations() -> String {
    let steps = MIGRATIONS.iter().map(|Migration { version, name, sql }| {
        let note = note(*version);
        format!("-- Version {version}: {name}\nBEGIN IMMEDIATE;\n{STEPS}{sql}{note}COMMIT;\n")
    });
    steps.collect::<Vec<_>>().join("\n")
}

/// The version of the newest step that this program knows.
fn known() -> i64 {
    MIGRATIONS.last().map_or(0, |last| last.version)
}

/// The version of the newest step that was made; 0 for none.
fn found(connection: &Connection) -> rusqlite::Result<i64> {
    let is_there = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'checkout_schema'";
    match connection.query_row(is_there, [], |_| Ok(())).optional()? {
        Some(()) => {
            connection.query_row("SELECT ifnull(max(version), 0) FROM checkout_schema", [], |row| row.get(0))
        }
        None => Ok(0),
    }
}

/// Brings the schema to the known version, if `migrate` says so. Of many processes one does so, and the
/// others wait.
pub(crate) fn prepare(connection: &mut Connection, migrate: bool) -> Result<(), StoreError> {
    let known = known();
    if is_ready(found(connection).map_err(fault::of)?, known)? {
        return Ok(());
    }
    if !migrate {
        return Err(StoreError::OlderSchema { found: found(connection).map_err(fault::of)?, known });
    }
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fault::of)?;
    let from = found(&transaction).map_err(fault::of)?;
    if is_ready(from, known)? {
        return Ok(());
    }
    transaction.execute_batch(STEPS).map_err(fault::of)?;
    for step in MIGRATIONS.iter().filter(|step| step.version > from) {
        transaction.execute_batch(step.sql).map_err(fault::of)?;
        transaction.execute_batch(&note(step.version)).map_err(fault::of)?;
    }
    transaction.commit().map_err(fault::of)
}

fn is_ready(found: i64, known: i64) -> Result<bool, StoreError> {
    if found > known { Err(StoreError::NewerSchema { found, known }) } else { Ok(found == known) }
}
