//! The errors of the driver, as the engine knows them.

use core::fmt;
use std::error::Error;

use checkout_engine::StoreError;
use deadpool_postgres::PoolError;
use tokio_postgres::error::{DbError, Severity, SqlState};

/// The database's word about an error: the code, and the message without the values of the row.
///
/// ```
/// use checkout_store_postgres::DatabaseError;
///
/// fn is_full(error: &DatabaseError) -> bool {
///     error.code() == Some("53100")
/// }
/// # let _ = is_full;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseError {
    code: Option<String>,
    message: String,
}

impl DatabaseError {
    /// The SQLSTATE, if the database answered at all.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    fn of(error: &tokio_postgres::Error) -> Self {
        // The driver's text shows the detail of an answer, and a detail can hold a whole row.
        match error.as_db_error() {
            Some(answer) => {
                Self { code: Some(answer.code().code().to_owned()), message: answer.message().to_owned() }
            }
            None => Self::new(&chain(error)),
        }
    }

    pub(crate) fn new(message: &str) -> Self {
        Self { code: None, message: message.to_owned() }
    }
}

impl fmt::Display for DatabaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.code {
            Some(code) => write!(f, " (SQLSTATE {code})"),
            None => Ok(()),
        }
    }
}

impl Error for DatabaseError {}

fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let next = error.to_string();
        if !text.contains(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        source = error.source();
    }
    text
}

/// A statement that failed.
pub(crate) enum Fault {
    Pool(PoolError),
    Driver(tokio_postgres::Error),
}

impl Fault {
    /// True if the database has refused the statement: nothing was done. The end of a connection is no such
    /// answer: a pooler says so of a statement that the database may have done. Nor are the last words of a
    /// server that breaks off.
    pub(crate) fn is_refusal(&self) -> bool {
        let Self::Driver(error) = self else { return false };
        !is_crash(error)
            && error.as_db_error().is_some_and(|error| {
                let code = error.code().code();
                !code.starts_with("08") && !code.starts_with("57P")
            })
    }

    /// `known` is the version of the schema that this program knows.
    pub(crate) fn error(&self, known: i64) -> StoreError {
        match self {
            Self::Pool(error) => of_pool(error, known),
            Self::Driver(error) => of(error, known),
        }
    }
}

/// True if the operation was undone because of another one at the same time, and can be repeated at once.
pub(crate) fn is_race(error: &tokio_postgres::Error) -> bool {
    matches!(error.code(), Some(code) if [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED].contains(code))
        || is_outdated(error)
}

/// True if another program has changed the schema between the plan of a statement and its run.
pub(crate) fn is_outdated(error: &tokio_postgres::Error) -> bool {
    error.as_db_error().and_then(DbError::routine) == Some("RevalidateCachedQuery")
}

/// True if the server has broken off with these words, such as one whose log has no room. The commit may be
/// in the log.
fn is_crash(error: &tokio_postgres::Error) -> bool {
    error.as_db_error().and_then(DbError::parsed_severity) == Some(Severity::Panic)
}

/// True if the schema or its tables are not there.
pub(crate) fn is_missing(error: &tokio_postgres::Error) -> bool {
    matches!(error.code(), Some(code) if [SqlState::UNDEFINED_TABLE, SqlState::INVALID_SCHEMA_NAME].contains(code))
}

/// True if the role lacks a right.
pub(crate) fn is_right(error: &tokio_postgres::Error) -> bool {
    error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE)
}

/// The driver's error; `known` is the version of the schema that this program knows.
pub(crate) fn of(error: &tokio_postgres::Error, known: i64) -> StoreError {
    let source = Box::new(DatabaseError::of(error));
    let Some(code) = error.code() else { return StoreError::Unavailable(source) };
    match code.code() {
        _ if is_crash(error) => StoreError::Unavailable(source),
        "42501" | "28000" | "28P01" => StoreError::Rights(source),
        "25006" | "53100" => StoreError::ReadOnly(source),
        "3D000" => StoreError::Settings(format!("the URL names no database of the server: {source}")),
        "42P01" | "3F000" | "42703" | "42883" => StoreError::OlderSchema { found: 0, known },
        // A zero byte in a text, or a number beyond the range.
        class if class.starts_with("22") => {
            StoreError::Settings(format!("the database cannot hold a value of the checkout: {source}"))
        }
        _ => StoreError::Unavailable(source),
    }
}

/// The pool's error.
pub(crate) fn of_pool(error: &PoolError, known: i64) -> StoreError {
    match error {
        PoolError::Backend(error) => of(error, known),
        PoolError::Timeout(_)
        | PoolError::Closed
        | PoolError::NoRuntimeSpecified
        | PoolError::PostCreateHook(_) => {
            StoreError::Unavailable(Box::new(DatabaseError::new(&error.to_string())))
        }
    }
}
