//! A connection with its prepared statements.

use crate::fault::{self, Fault};
use checkout_engine::StoreError;
use rusqlite::{Connection, Params, Row, Statement};
use std::borrow::Cow;
#[cfg(test)]
use std::cell::Cell;
use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// The text of a statement. A test has another text prepared in its place.
#[cfg(not(test))]
const fn text_of(sql: &'static str) -> Cow<'static, str> {
    Cow::Borrowed(sql)
}

#[cfg(test)]
fn text_of(sql: &'static str) -> Cow<'static, str> {
    SEEN.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(sql);
    let mutant = MUTANT.take();
    let text = mutant.as_ref().filter(|(of, _)| *of == sql).map(|(_, text)| text.clone());
    MUTANT.set(mutant);
    text.map_or(Cow::Borrowed(sql), Cow::Owned)
}

#[cfg(test)]
pub(crate) static SEEN: std::sync::Mutex<std::collections::BTreeSet<&'static str>> =
    std::sync::Mutex::new(std::collections::BTreeSet::new());

#[cfg(test)]
thread_local! {
    /// A statement, and the text that this thread prepares in its place.
    pub(crate) static MUTANT: Cell<Option<(&'static str, String)>> = const { Cell::new(None) };
}

/// A connection, which prepares each statement once.
pub(crate) struct Db<'c> {
    connection: &'c Connection,
    statements: RefCell<HashMap<&'static str, Statement<'c>>>,
}

impl<'c> Db<'c> {
    pub(crate) fn new(connection: &'c Connection) -> Self {
        Self { connection, statements: RefCell::default() }
    }

    /// True between transactions.
    pub(crate) fn is_between(&self) -> bool {
        self.connection.is_autocommit()
    }

    fn with<T>(
        &self,
        sql: &'static str,
        run: impl FnOnce(&mut Statement<'c>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        match self.statements.borrow_mut().entry(sql) {
            Entry::Occupied(mut known) => run(known.get_mut()),
            Entry::Vacant(new) => {
                let prepared = self.connection.prepare(&text_of(sql)).map_err(fault::of)?;
                run(new.insert(prepared))
            }
        }
    }

    /// Runs a statement of a transaction's life.
    pub(crate) fn step(&self, sql: &str) -> Result<(), Fault> {
        self.connection
            .prepare(sql)
            .and_then(|mut statement| statement.execute([]))
            .map(drop)
            .map_err(Fault::from)
    }

    /// Runs a statement, and returns how many rows it changed.
    pub(crate) fn change(&self, sql: &'static str, params: impl Params) -> Result<usize, StoreError> {
        self.with(sql, |statement| statement.execute(params).map_err(fault::of))
    }

    /// The first row of a query.
    pub(crate) fn first<T>(
        &self,
        sql: &'static str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        self.with(sql, |statement| {
            let mut rows = statement.query(params).map_err(fault::of)?;
            rows.next().map_err(fault::of)?.map(read).transpose()
        })
    }

    /// All rows of a query.
    pub(crate) fn all<T>(
        &self,
        sql: &'static str,
        params: impl Params,
        mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        self.with(sql, |statement| {
            let mut rows = statement.query(params).map_err(fault::of)?;
            let mut all = Vec::new();
            while let Some(row) = rows.next().map_err(fault::of)? {
                all.push(read(row)?);
            }
            Ok(all)
        })
    }
}
