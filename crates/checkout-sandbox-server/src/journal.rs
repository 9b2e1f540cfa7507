//! The file that keeps the state of a server: everything that has changed a world, in order.
//!
//! The file is an SQLite database with one table. A server that starts plays the entries back, and so has the
//! same ids and bytes again.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use checkout_tables::Moment;
use rusqlite::{Connection, ErrorCode, params};
use serde_json::Value;

/// The file.
pub(crate) struct Journal {
    path: PathBuf,
    store: Mutex<Store>,
}

struct Store {
    /// `None` once the file is closed.
    connection: Option<Connection>,
    /// The reason why an entry could not be written. The state in memory is ahead of the file from then on,
    /// so nothing else is changed.
    broken: Option<String>,
}

/// Something that has changed a world.
#[derive(Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) kind: String,
    pub(crate) data: Value,
    /// The body of a request.
    pub(crate) body: Vec<u8>,
}

/// An entry with its world and its time.
#[derive(Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) number: i64,
    pub(crate) world: String,
    pub(crate) machine: Moment,
    pub(crate) at: Moment,
    pub(crate) entry: Entry,
}

impl Entry {
    pub(crate) fn new(kind: &str, data: Value) -> Self {
        Self { kind: kind.to_owned(), data, body: Vec::new() }
    }
}

impl Journal {
    /// Opens the file, or makes the file, for this server alone.
    ///
    /// # Errors
    /// The reason, without the name of the file.
    pub(crate) fn open(path: &Path) -> Result<Self, String> {
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(|error| error.to_string())?;
        if !file.metadata().is_ok_and(|of| of.is_file()) {
            return Err("is no regular file".to_owned());
        }
        drop(file);
        let connection = Connection::open(path).map_err(|error| reason(&error))?;
        prepare(&connection)?;
        Ok(Self {
            path: path.to_owned(),
            store: Mutex::new(Store { connection: Some(connection), broken: None }),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes an entry. The entry is there after a kill of the program, and not surely after a loss of power.
    ///
    /// # Errors
    /// The reason, with the name of the file. No later entry is written either.
    pub(crate) fn append(
        &self,
        world: &str,
        (machine, at): (Moment, Moment),
        entry: &Entry,
    ) -> Result<(), String> {
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reason) = &store.broken {
            return Err(reason.clone());
        }
        let Some(connection) = &store.connection else { return Err(CLOSED.to_owned()) };
        let row = params![
            world,
            machine.unix_millis(),
            at.unix_millis(),
            entry.kind,
            entry.data.to_string(),
            entry.body
        ];
        let written = connection.execute(APPEND, row);
        written.map(drop).map_err(|error| {
            let path = self.path.display();
            let reason = format!("{path} takes nothing more: {}: start the server anew", reason(&error));
            store.broken = Some(reason.clone());
            reason
        })
    }

    /// Keeps the next entries together: all of them are in the file after [`keep_all`](Self::keep_all), and
    /// none of them if the file is closed before.
    ///
    /// # Errors
    /// The reason in words.
    pub(crate) fn keep_together(&self) -> Result<(), String> {
        self.execute("BEGIN IMMEDIATE")
    }

    /// Writes the entries that are kept together.
    ///
    /// # Errors
    /// The reason in words.
    pub(crate) fn keep_all(&self) -> Result<(), String> {
        self.execute("COMMIT")
    }

    fn execute(&self, sql: &str) -> Result<(), String> {
        let store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = store.connection.as_ref().ok_or(CLOSED)?;
        connection.execute_batch(sql).map_err(|error| reason(&error))
    }

    /// Closes the file, so that another server may open the file.
    pub(crate) fn close(&self) {
        self.store.lock().unwrap_or_else(PoisonError::into_inner).connection = None;
    }

    /// The reason why the file takes nothing more, if there is such a reason.
    pub(crate) fn broken(&self) -> Option<String> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner).broken.clone()
    }

    /// Calls `each` with the entries after the entry with this number, in order.
    ///
    /// # Errors
    /// The reason why the file cannot be read, or the first error of `each`.
    pub(crate) fn read(
        &self,
        after: i64,
        mut each: impl FnMut(Row) -> Result<(), String>,
    ) -> Result<(), String> {
        let mut after = after;
        loop {
            // Entries in parts: `each` may look at the file.
            let rows = self.part(after)?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.number;
            rows.into_iter().try_for_each(&mut each)?;
        }
    }

    fn part(&self, after: i64) -> Result<Vec<Row>, String> {
        let store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = store.connection.as_ref().ok_or(CLOSED)?;
        part(connection, after).map_err(|error| reason(&error))
    }

    #[cfg(test)]
    fn may_have_pages(&self, pages: u32) {
        let store = self.store.lock().unwrap();
        store.connection.as_ref().unwrap().pragma_update(None, "max_page_count", pages).unwrap();
    }
}

fn part(connection: &Connection, after: i64) -> rusqlite::Result<Vec<Row>> {
    let mut read = connection.prepare(READ)?;
    let moment = Moment::from_unix_millis;
    let rows = read.query_map(params![after], |row| {
        let data: String = row.get(5)?;
        let data = serde_json::from_str(&data).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(5, rusqlite::types::Type::Text, error.into())
        })?;
        let entry = Entry { kind: row.get(4)?, data, body: row.get(6)? };
        let (machine, at) = (moment(row.get(2)?), moment(row.get(3)?));
        Ok(Row { number: row.get(0)?, world: row.get(1)?, machine, at, entry })
    })?;
    rows.collect()
}

/// The words for a file that is closed.
const CLOSED: &str = "the server has ended";

/// Takes the file for this server, and makes the table in a file that is new.
fn prepare(connection: &Connection) -> Result<(), String> {
    let told = |error: rusqlite::Error| reason(&error);
    connection.busy_timeout(Duration::ZERO).map_err(told)?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE").map_err(told)?;
    // The lock is taken now, and stays.
    connection.execute_batch("BEGIN IMMEDIATE").map_err(told)?;
    let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let (program, version) = (number("application_id").map_err(told)?, number("user_version").map_err(told)?);
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(told)?;
    match (program, version) {
        (0, 0) if tables == 0 => {
            connection.execute_batch(CREATE).map_err(told)?;
            connection.pragma_update(None, "application_id", PROGRAM).map_err(told)?;
            connection.pragma_update(None, "user_version", VERSION).map_err(told)?;
        }
        (PROGRAM, VERSION) => {}
        (PROGRAM, newer) if newer > VERSION => {
            return Err(format!("is of a newer version of this program: {newer}, and not {VERSION}"));
        }
        (_, _) => return Err("is a database of another program".to_owned()),
    }
    connection.execute_batch("COMMIT").map_err(told)?;
    connection.pragma_update(None, "journal_mode", "WAL").map_err(told)?;
    connection.pragma_update(None, "synchronous", "NORMAL").map_err(told)
}

/// The reason in words. The words of SQLite name no value.
fn reason(error: &rusqlite::Error) -> String {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => "is no database of this program".to_owned(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => "is in use by another server".to_owned(),
        Some(ErrorCode::DiskFull) => "the disk is full".to_owned(),
        Some(ErrorCode::DatabaseCorrupt) => "the database is damaged".to_owned(),
        Some(_) | None => error.to_string(),
    }
}

/// The number that tells this program's files from other databases: `chsb`.
const PROGRAM: i64 = 0x6368_7362;

/// The version of the table.
const VERSION: i64 = 1;

const CREATE: &str = "CREATE TABLE entries (
    number INTEGER PRIMARY KEY,
    world TEXT NOT NULL,
    machine_ms INTEGER NOT NULL,
    world_ms INTEGER NOT NULL,
    kind TEXT NOT NULL,
    data TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT";

const APPEND: &str =
    "INSERT INTO entries (world, machine_ms, world_ms, kind, data, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

const READ: &str = "SELECT number, world, machine_ms, world_ms, kind, data, body FROM entries
    WHERE number > ?1 ORDER BY number LIMIT 1000";

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::env;
    use std::fs;

    /// A path that no other test has, without a file.
    fn path(name: &str) -> PathBuf {
        let path = env::temp_dir().join(format!("checkout-sandbox-journal-{name}-{}", std::process::id()));
        for end in ["", "-wal", "-shm", "-journal"] {
            let _ = fs::remove_file(format!("{}{end}", path.display()));
        }
        path
    }

    fn append(journal: &Journal, number: i64) -> Result<(), String> {
        let entry = Entry { kind: "k".to_owned(), data: json!({ "n": number }), body: vec![0xff; 3_000] };
        journal.append("w", (Moment::from_unix_millis(number), Moment::from_unix_millis(-number)), &entry)
    }

    fn all(journal: &Journal) -> Vec<Row> {
        let mut rows = Vec::new();
        journal
            .read(0, |row| {
                rows.push(row);
                Ok(())
            })
            .unwrap();
        rows
    }

    #[test]
    fn entries_come_back_in_order_and_the_file_is_one_s_own() {
        let path = path("order");
        let journal = Journal::open(&path).unwrap();
        (1..=2_500).for_each(|number| append(&journal, number).unwrap());
        assert_eq!(Journal::open(&path).err().as_deref(), Some("is in use by another server"));
        // The file is free as soon as the file is closed, whoever still holds the value.
        journal.close();
        assert!(append(&journal, 0).is_err());
        let rows = all(&Journal::open(&path).unwrap());
        assert_eq!(rows.len(), 2_500);
        assert!(rows.iter().zip(1..).all(|(row, number)| row.number == number
            && row.machine.unix_millis() == number
            && row.at.unix_millis() == -number
            && row.entry.data == json!({ "n": number })));
        assert_eq!(rows[0].entry.body, vec![0xff; 3_000]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_file_that_is_none_of_the_program_s_is_refused_and_left_as_it_is() {
        let check = |name: &str, write: &dyn Fn(&Path), expected: &str| {
            let path = path(name);
            write(&path);
            let before = fs::read(&path).unwrap();
            let refused = Journal::open(&path).err().unwrap();
            assert!(refused.contains(expected), "{name}: {refused}");
            assert_eq!(fs::read(&path).unwrap(), before, "{name}");
            fs::remove_file(&path).unwrap();
        };
        let sql = |path: &Path, sql: &str| Connection::open(path).unwrap().execute_batch(sql).unwrap();
        check(
            "text",
            &|path| fs::write(path, "a text that is long enough ".repeat(99)).unwrap(),
            "is no database",
        );
        check("other", &|path| sql(path, "CREATE TABLE t (a)"), "of another program");
        let newer = format!("PRAGMA application_id = {PROGRAM}; PRAGMA user_version = 2");
        check("newer", &|path| sql(path, &newer), "of a newer version of this program: 2, and not 1");
        assert_eq!(Journal::open(&env::temp_dir()).err().unwrap(), "Is a directory (os error 21)");
        assert!(Journal::open(Path::new("/nowhere/at/all")).err().unwrap().contains("No such file"));
    }

    #[test]
    fn a_full_disk_is_told_and_ends_all_changes() {
        let path = path("full");
        let journal = Journal::open(&path).unwrap();
        append(&journal, 1).unwrap();
        journal.may_have_pages(10);
        let refused = (2..100).find_map(|number| append(&journal, number).err()).unwrap();
        assert!(refused.contains("the disk is full") && refused.contains("journal-full"), "{refused}");
        let kept = all(&journal).len();
        journal.may_have_pages(1_000);
        assert_eq!((append(&journal, 0), journal.broken()), (Err(refused.clone()), Some(refused)));
        drop(journal);
        assert_eq!(all(&Journal::open(&path).unwrap()).len(), kept);
        fs::remove_file(&path).unwrap();
    }
}
