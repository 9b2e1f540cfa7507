//! The settings of a store, and the opening of its file.

use crate::fault::{self, Fault};
use crate::schema;
use crate::worker::be_patient;
use checkout_engine::StoreError;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// The pages that a connection keeps, in KiB, which SQLite counts down from 0: room for the hot tables of a
/// day, where SQLite's own 2 MiB would read the file again for each claim.
const CACHE: i64 = -32_768;

/// The pages of the write-ahead log at which the log is taken into the file: 16 MiB. The hot pages change in
/// each commit, and are then taken over once for many commits.
const CHECKPOINT: i64 = 4_000;

/// What a commit waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Synchronous {
    /// The disk. A commit that was answered survives a loss of power.
    #[default]
    Full,
    /// The system alone, which is faster. A commit survives the death of the process, and a loss of power can
    /// undo the last commits: a checkout that the provider made is then unknown here.
    NormalLosesCommitsAtPowerCut,
}

/// Where, and how, a connection is opened.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// `None` for a database in memory.
    pub(crate) path: Option<PathBuf>,
    pub(crate) synchronous: Synchronous,
    pub(crate) patience: Duration,
    pub(crate) migrate: bool,
    pub(crate) max_pages: Option<u32>,
    pub(crate) next_step: Option<&'static str>,
}

impl Settings {
    /// The connection that writes: the file is there afterwards, with the schema.
    pub(crate) fn writer(&self) -> Result<Connection, StoreError> {
        let Some(path) = &self.path else {
            let mut connection = Connection::open_in_memory().map_err(fault::of)?;
            schema::prepare(&mut connection, self.migrate, self.next_step)?;
            return Ok(connection);
        };
        self.write_to(path).map_err(|error| with_path(path, error))
    }

    fn write_to(&self, path: &Path) -> Result<Connection, StoreError> {
        if path.is_dir() {
            return Err(StoreError::Settings("a directory, and no database".to_owned()));
        }
        let is_new = !path.exists();
        let mut connection = self.connect(path)?;
        if is_new {
            for_the_owner_alone(path).map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        }
        if connection.is_readonly("main").map_err(fault::of)? {
            return Err(Fault::read_only().into_error());
        }
        self.write_ahead(&connection)?;
        let synchronous = match self.synchronous {
            Synchronous::Full => "FULL",
            Synchronous::NormalLosesCommitsAtPowerCut => "NORMAL",
        };
        connection.pragma_update(None, "synchronous", synchronous).map_err(fault::of)?;
        // What a savepoint may have to undo would go through a file for each group.
        connection.pragma_update(None, "temp_store", "MEMORY").map_err(fault::of)?;
        connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT).map_err(fault::of)?;
        if let Some(pages) = self.max_pages {
            let set = format!("PRAGMA max_page_count = {pages}");
            connection.query_row(&set, [], |_| Ok(())).map_err(fault::of)?;
        }
        schema::prepare(&mut connection, self.migrate, self.next_step)?;
        Ok(connection)
    }

    /// The connection that reads, beside the one that writes.
    pub(crate) fn reader(&self, path: &Path) -> Result<Connection, StoreError> {
        let connection = self.connect(path).map_err(|error| with_path(path, error))?;
        connection.pragma_update(None, "query_only", true).map_err(fault::of)?;
        Ok(connection)
    }

    fn connect(&self, path: &Path) -> Result<Connection, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(fault::of)?;
        be_patient(&connection, self.patience).map_err(fault::of)?;
        connection.pragma_update(None, "cache_size", CACHE).map_err(fault::of)?;
        Ok(connection)
    }

    /// Turns the write-ahead log on. Two that do so at once do not wait for each other: SQLite says "busy" at
    /// once where waiting could be for ever.
    fn write_ahead(&self, connection: &Connection) -> Result<(), StoreError> {
        let since = Instant::now();
        loop {
            let set = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0));
            match set {
                Ok(mode) if mode == "wal" => return Ok(()),
                Ok(mode) => {
                    let text = format!("no write-ahead log is possible here, but `{mode}` alone");
                    return Err(StoreError::Settings(text));
                }
                Err(error) if is_busy(&error) && since.elapsed() < self.patience => {
                    thread::sleep(Duration::from_millis(1));
                }
                Err(error) => return Err(fault::of(error)),
            }
        }
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// The file's path beside what is wrong with the file.
fn with_path(path: &Path, error: StoreError) -> StoreError {
    if let StoreError::Settings(text) = error {
        StoreError::Settings(format!("{}: {text}", path.display()))
    } else {
        error
    }
}

/// The pages for the payers are in the file. SQLite gives its other files the same rights.
#[cfg(unix)]
fn for_the_owner_alone(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn for_the_owner_alone(_: &Path) -> std::io::Result<()> {
    Ok(())
}
