//! What people look at: lists and figures.

use crate::db::Db;
use crate::rows::{checkout, columns, get, signed};
use checkout_engine::{Checkout, Figures, State, StoreError};
use checkout_tables::Moment;
use rusqlite::params;
use std::time::Duration;

macro_rules! list {
    ($where:literal) => {
        concat!("SELECT ", columns!(), " FROM checkout AS c WHERE ", $where, " ORDER BY c.id LIMIT ?2")
    };
}

/// Checkouts in the order of their ids: SQLite compares texts by their bytes, as Rust does.
pub(crate) fn list(
    db: &Db<'_>,
    state: Option<State>,
    held: bool,
    after: Option<&str>,
    most: usize,
) -> Result<Vec<Checkout>, StoreError> {
    // The least text behind a text is the text with a zero byte.
    let from = after.map_or_else(String::new, |after| format!("{after}\0"));
    let most = signed(most);
    match (state, held) {
        (None, false) => db.all(list!("c.id >= ?1"), params![from, most], checkout),
        (None, true) => db.all(list!("c.id >= ?1 AND c.hold IS NOT NULL"), params![from, most], checkout),
        (Some(state), false) => {
            db.all(list!("c.id >= ?1 AND c.state = ?3"), params![from, most, state.name()], checkout)
        }
        (Some(state), true) => {
            let held = list!("c.id >= ?1 AND +c.state = ?3 AND c.hold IS NOT NULL");
            db.all(held, params![from, most, state.name()], checkout)
        }
    }
}

/// The due work of lanes that have no place, or have to wait.
const WAITING: &str = "SELECT count(*) FROM checkout_lane AS l CROSS JOIN checkout_work AS w ON w.lane = l.name \
    WHERE w.due <= ?1 AND (l.wait_until > ?1 OR l.full_until > ?1)";

/// The places that are taken under the lanes' limits.
const USED: &str = "SELECT count(*) FROM checkout_lane AS l CROSS JOIN checkout_place AS p ON p.lane = l.name \
    WHERE l.requests IS NOT NULL AND p.until > ?1";

/// Figures to watch.
pub(crate) fn figures(db: &Db<'_>, now: Moment) -> Result<Figures, StoreError> {
    let of_work = "SELECT min(due), count(*), count(iif(leased AND due > ?1, 1, NULL)) \
        FROM checkout_work";
    let number = |sql| {
        let counted = db.first(sql, [], |row| get::<i64>(row, 0))?;
        Ok::<_, StoreError>(unsigned(counted.unwrap_or(0)))
    };
    let work = db.first(of_work, [now.unix_millis()], |row| {
        Ok((get::<Option<i64>>(row, 0)?, get::<i64>(row, 1)?, get::<i64>(row, 2)?))
    })?;
    let (first, all, leased) = work.unwrap_or_default();
    let waiting = db.first(WAITING, [now.unix_millis()], |row| get::<i64>(row, 0))?;
    let used = db.first(USED, [now.unix_millis()], |row| get::<i64>(row, 0))?;
    Ok(Figures {
        oldest_due: first.map_or(Duration::ZERO, |due| now.saturating_since(Moment::from_unix_millis(due))),
        work: unsigned(all),
        leased: unsigned(leased),
        waiting: waiting.map(unsigned),
        limit_used: used.map(unsigned),
        held: number("SELECT count(*) FROM checkout WHERE hold IS NOT NULL")?,
        news: number("SELECT count(*) FROM checkout_news")?,
        unmatched: number("SELECT count(*) FROM checkout_unmatched")?,
        dead_rows: None,
        oldest_transaction: None,
    })
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
