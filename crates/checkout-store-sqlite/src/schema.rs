//! The schema, and its migrations.

use crate::fault;
use checkout_engine::StoreError;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};

/// A step of the schema: forward only, and never changed once it is published.
///
/// ```
/// let [first, ..] = checkout_store_sqlite::MIGRATIONS else { unreachable!() };
/// assert_eq!((first.version, first.oldest, first.name), (1, 1, "tables"));
/// assert!(first.sql.contains("CREATE TABLE checkout_work"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migration {
    /// The version of the schema after the step.
    pub version: i64,
    /// The oldest program, by the newest version that the program knows, that may use the schema after the
    /// step. A step that only adds leaves this as it was.
    pub oldest: i64,
    /// The name.
    pub name: &'static str,
    /// The statements.
    pub sql: &'static str,
}

/// All steps, in their order.
pub const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    oldest: 1,
    name: "tables",
    sql: include_str!("../migrations/0001_tables.sql"),
}];

fn newest(steps: &[Migration]) -> i64 {
    steps.last().map_or(0, |last| last.version)
}

/// The table of the steps that were made, and the note of one.
const STEPS: &str = "CREATE TABLE IF NOT EXISTS checkout_schema (
    version    INTEGER NOT NULL PRIMARY KEY,
    oldest     INTEGER NOT NULL,                -- the oldest program that may use the schema
    applied_at TEXT    NOT NULL DEFAULT CURRENT_TIMESTAMP
) STRICT;
";

fn note(step: &Migration) -> String {
    let Migration { version, oldest, .. } = step;
    format!("INSERT INTO checkout_schema (version, oldest) VALUES ({version}, {oldest});\n")
}

/// The steps from version `from` (0: from nothing) to the version of this program, as a script for `sqlite3
/// -bail`, for those who apply migrations by hand: one transaction for each step.
///
/// The version of a file is the newest `version` of its table `checkout_schema`, and in
/// [`StoreError::OlderSchema`].
///
/// # Errors
/// - [`StoreError::Settings`] for a negative version.
/// - [`StoreError::NewerSchema`] for a version that this program does not know.
///
/// ```
/// use checkout_engine::StoreError;
///
/// let script = checkout_store_sqlite::print_migrations(0)?;
/// assert!(script.contains("BEGIN IMMEDIATE;") && script.ends_with("COMMIT;\n"));
/// let newer = checkout_store_sqlite::print_migrations(1_000);
/// assert!(matches!(newer, Err(StoreError::NewerSchema { found: 1_000, .. })));
/// # Ok::<(), StoreError>(())
/// ```
pub fn print_migrations(from: i64) -> Result<String, StoreError> {
    print_by(MIGRATIONS, from)
}

/// The same for a program that knows these steps.
fn print_by(steps: &[Migration], from: i64) -> Result<String, StoreError> {
    let known = newest(steps);
    if from < 0 {
        return Err(StoreError::Settings(format!(
            "a schema has no version {from}: the first is 0, for none"
        )));
    }
    if from > known {
        return Err(StoreError::NewerSchema { found: from, known });
    }
    let begins = match from {
        0 => String::new(),
        // A step that is left out may fail nowhere.
        _ => format!(
            "-- The file has to have version {from}.\n\
             CREATE TEMP TABLE checkout_from (version INTEGER NOT NULL CHECK (version = {from}));\n\
             INSERT INTO checkout_from SELECT ifnull(max(version), 0) FROM checkout_schema;\n\
             DROP TABLE checkout_from;\n"
        ),
    };
    let parts = steps.iter().filter(|step| step.version > from).map(|step| {
        let (Migration { version, name, sql, .. }, note) = (step, note(step));
        let before = version - 1;
        // The last word of the transaction, for a shell that goes on after errors.
        let check = format!(
            "CREATE TEMP TABLE checkout_before (version INTEGER NOT NULL CHECK (version = {before}));\n\
             INSERT OR ROLLBACK INTO checkout_before\n    \
             SELECT ifnull(max(version), 0) FROM checkout_schema WHERE version <> {version};\n\
             DROP TABLE checkout_before;\n"
        );
        format!("-- Version {version}: {name}\nBEGIN IMMEDIATE;\n{STEPS}{sql}{note}{check}COMMIT;\n")
    });
    let parts = (!begins.is_empty()).then_some(begins).into_iter().chain(parts);
    Ok(parts.collect::<Vec<_>>().join("\n"))
}

/// The schema of a file.
struct Found {
    /// The version of the newest step that was made; 0 for none.
    version: i64,
    /// The oldest program that may use the schema.
    oldest: i64,
}

impl Found {
    fn of(connection: &Connection) -> Result<Self, StoreError> {
        let is_there = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'checkout_schema'";
        if connection.query_row(is_there, [], |_| Ok(())).optional().map_err(fault::of)?.is_none() {
            return Ok(Self { version: 0, oldest: 0 });
        }
        let newest = "SELECT ifnull(max(version), 0), ifnull(max(oldest), 0) FROM checkout_schema";
        let found =
            connection.query_row(newest, [], |row| Ok(Self { version: row.get(0)?, oldest: row.get(1)? }));
        found.map_err(fault::of)
    }

    /// True for a schema that a program of this version can use, and false for an older one.
    fn is_ready(&self, known: i64) -> Result<bool, StoreError> {
        if self.oldest > known {
            return Err(StoreError::NewerSchema { found: self.version, known });
        }
        Ok(self.version >= known)
    }
}

/// Brings the schema to the known version, if `migrate` says so. Of many processes one does so, and the
/// others wait. `next` is one more step, which adds alone.
pub(crate) fn prepare(
    connection: &mut Connection,
    migrate: bool,
    next: Option<&'static str>,
) -> Result<(), StoreError> {
    let known = newest(MIGRATIONS);
    let next = next.map(|sql| Migration { version: known + 1, oldest: known, name: "next", sql });
    let steps: Vec<Migration> = MIGRATIONS.iter().copied().chain(next).collect();
    prepare_by(&steps, connection, migrate)
}

/// The same for a program that knows these steps.
fn prepare_by(steps: &[Migration], connection: &mut Connection, migrate: bool) -> Result<(), StoreError> {
    let known = newest(steps);
    let found = Found::of(connection)?;
    if found.is_ready(known)? {
        return Ok(());
    }
    if !migrate {
        return Err(StoreError::OlderSchema { found: found.version, known });
    }
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fault::of)?;
    let found = Found::of(&transaction)?;
    if found.is_ready(known)? {
        return Ok(());
    }
    transaction.execute_batch(STEPS).map_err(fault::of)?;
    for step in steps.iter().filter(|step| step.version > found.version) {
        transaction.execute_batch(step.sql).map_err(fault::of)?;
        transaction.execute_batch(&note(step)).map_err(fault::of)?;
    }
    transaction.commit().map_err(fault::of)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Outcome = Result<(), StoreError>;

    const ONE: &[Migration] = MIGRATIONS;

    /// Programs that know more: a step that adds, a step that takes away, and one that adds again.
    const FOUR: [Migration; 4] = [
        MIGRATIONS[0],
        Migration {
            version: 2,
            oldest: 1,
            name: "add",
            sql: "ALTER TABLE checkout ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm';
                CREATE TABLE checkout_mood (mood TEXT NOT NULL PRIMARY KEY) STRICT;",
        },
        Migration { version: 3, oldest: 2, name: "take away", sql: "DROP VIEW checkout_due;" },
        Migration { version: 4, oldest: 2, name: "add again", sql: "CREATE TABLE checkout_more (more);" },
    ];

    fn file() -> Result<Connection, StoreError> {
        Connection::open_in_memory().map_err(fault::of)
    }

    fn version(connection: &Connection) -> Result<i64, StoreError> {
        Ok(Found::of(connection)?.version)
    }

    #[test]
    fn programs_of_two_versions_share_a_schema_that_was_only_added_to_whoever_comes_first() -> Outcome {
        let (one, two) = (ONE, &FOUR[..2]);
        for order in [[one, two, one], [two, one, two]] {
            let mut file = file()?;
            for steps in order {
                prepare_by(steps, &mut file, true)?;
                prepare_by(steps, &mut file, false)?;
            }
            assert_eq!(version(&file)?, 2);
        }
        Ok(())
    }

    #[test]
    fn a_program_that_may_not_migrate_waits_for_the_step_that_it_needs() -> Outcome {
        let (one, two) = (ONE, &FOUR[..2]);
        let mut file = file()?;
        prepare_by(one, &mut file, true)?;
        let refused = prepare_by(two, &mut file, false);
        assert!(matches!(refused, Err(StoreError::OlderSchema { found: 1, known: 2 })), "{refused:?}");
        Ok(())
    }

    #[test]
    fn a_program_is_refused_from_the_step_that_takes_away_what_it_uses_and_stays_refused() -> Outcome {
        let mut file = file()?;
        for last in 3..=4 {
            prepare_by(&FOUR[..last], &mut file, true)?;
            for migrate in [true, false] {
                let refused = prepare_by(ONE, &mut file, migrate);
                let Err(refused @ StoreError::NewerSchema { known: 1, .. }) = refused else {
                    panic!("{refused:?}");
                };
                let text = format!("version {last}, and this program knows versions up to 1: run the newer");
                assert!(refused.to_string().contains(&text), "{refused}");
                prepare_by(&FOUR[..2], &mut file, migrate)?;
            }
        }
        Ok(())
    }

    #[test]
    fn a_printed_script_brings_a_file_from_the_version_that_it_has_and_from_no_other() -> Outcome {
        let things = |file: &Connection| -> Result<Vec<(String, Option<String>)>, StoreError> {
            let all = "SELECT name, sql FROM sqlite_schema ORDER BY name";
            let mut all = file.prepare(all).map_err(fault::of)?;
            let rows = all.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).map_err(fault::of)?;
            rows.collect::<Result<_, _>>().map_err(fault::of)
        };
        let mut whole = file()?;
        prepare_by(&FOUR, &mut whole, true)?;
        let whole = things(&whole)?;
        for (from, steps) in [(0, 0), (1, 1), (2, 2), (3, 3), (4, 4)] {
            let of_version = || -> Result<Connection, StoreError> {
                let mut file = file()?;
                if steps > 0 {
                    prepare_by(&FOUR[..steps], &mut file, true)?;
                }
                Ok(file)
            };
            for other in (0..=4).filter(|other| *other != from) {
                let file = of_version()?;
                let before = things(&file)?;
                let refused = file.execute_batch(&print_by(&FOUR, other)?);
                assert!(refused.is_err(), "the script from {other} on a file of {from}");
                if !file.is_autocommit() {
                    file.execute_batch("ROLLBACK").map_err(fault::of)?;
                }
                assert_eq!(things(&file)?, before, "the script from {other} on a file of {from}");
            }
            // A shell that goes on after errors makes no step but the next of the file. The second and later
            // steps are one statement a line.
            for other in (1..=4).filter(|other| *other != from) {
                let file = of_version()?;
                let before = things(&file)?;
                for statement in print_by(&FOUR, other)?.split_inclusive(";\n") {
                    let _ = file.execute_batch(statement);
                }
                assert!(file.is_autocommit());
                let expected = if other > from { &before } else { &whole };
                assert!(things(&file)? == *expected, "the lines from {other} on a file of {from}");
            }
            let mut file = of_version()?;
            file.execute_batch(&print_by(&FOUR, from)?).map_err(fault::of)?;
            assert_eq!(things(&file)?, whole, "from {from}");
            prepare_by(&FOUR, &mut file, false)?;
        }
        assert!(matches!(print_by(&FOUR, 5), Err(StoreError::NewerSchema { found: 5, known: 4 })));
        assert!(
            matches!(print_by(&FOUR, -1), Err(StoreError::Settings(text)) if text.contains("no version -1"))
        );
        Ok(())
    }

    /// The rule for those who write a step.
    #[test]
    fn the_versions_count_up_and_no_step_refuses_the_version_before() {
        for (before, step) in MIGRATIONS.iter().zip(&MIGRATIONS[1..]) {
            assert_eq!(step.version, before.version + 1);
            assert!(before.oldest <= step.oldest && step.oldest <= before.version, "{step:?}");
        }
        assert_eq!((MIGRATIONS[0].version, MIGRATIONS[0].oldest), (1, 1));
    }
}
