//! What SQLite says, as errors of a store.

use checkout_engine::StoreError;
use core::fmt;
use rusqlite::ErrorCode;
use std::error::Error;

/// A failure of the database. The text is SQLite's, which names tables and columns and never a value.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    kind: Kind,
    text: String,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Away,
    Refused,
    Unwritable,
    Unusable,
}

impl Fault {
    /// The thread of the database is gone.
    pub(crate) fn ended() -> Self {
        Self { kind: Kind::Away, text: "the thread of the database has ended".to_owned() }
    }

    /// The failure of another operation has undone the transaction of all.
    pub(crate) fn undone() -> Self {
        Self { kind: Kind::Away, text: "another operation's failure undid the transaction".to_owned() }
    }

    /// The file is opened, and cannot be written.
    pub(crate) fn read_only() -> Self {
        Self { kind: Kind::Unwritable, text: "the file is read-only for this process".to_owned() }
    }

    pub(crate) fn into_error(self) -> StoreError {
        match self.kind {
            Kind::Away => StoreError::Unavailable(Box::new(self)),
            Kind::Refused => StoreError::Rights(Box::new(self)),
            Kind::Unwritable => StoreError::ReadOnly(Box::new(self)),
            Kind::Unusable => StoreError::Settings(format!("the database cannot be used: {self}")),
        }
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        let kind = match error.sqlite_error_code() {
            Some(ErrorCode::ReadOnly | ErrorCode::DiskFull) => Kind::Unwritable,
            Some(ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied) => Kind::Refused,
            Some(
                ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::OperationInterrupted
                | ErrorCode::OutOfMemory
                | ErrorCode::SystemIoFailure,
            ) => Kind::Away,
            // No file, no database, a table that is not as the migrations made it.
            Some(_) | None => Kind::Unusable,
        };
        Self { kind, text: error.to_string() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for Fault {}

/// An error of SQLite as the store's.
pub(crate) fn of(error: rusqlite::Error) -> StoreError {
    Fault::from(error).into_error()
}
