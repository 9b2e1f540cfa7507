//! What people look at: lists and figures.

use crate::db::Db;
use crate::rows::{COLUMNS, checkout, columns, count, get, signed};
use checkout_engine::{Figures, Filter, Overview, State, StoreError, Unmatched};
use checkout_tables::Moment;
use rusqlite::types::Value;
use rusqlite::{Row, params};
use std::time::Duration;

macro_rules! overview {
    ($where:literal) => {
        concat!(
            "SELECT ",
            columns!(),
            ", c.nudges > c.answered, w.due, ifnull(w.leased AND w.due > ?3, 0), ifnull(w.tries, 0) \
             FROM checkout AS c LEFT JOIN checkout_work AS w ON w.id = c.id \
             WHERE c.id >= ?1 AND c.id <= ?2 AND ",
            $where,
            " ORDER BY c.id LIMIT ?4"
        )
    };
}

/// A choice of checkouts, which outlives the caller's.
pub(crate) struct Choice {
    from: String,
    /// Behind every text is an empty blob.
    to: Value,
    state: Option<State>,
    held: bool,
    most: i64,
}

impl Choice {
    pub(crate) fn of(filter: &Filter<'_>) -> Self {
        // The least text behind a text is the text with a zero byte.
        let after = filter.after.map_or_else(String::new, |after| format!("{after}\0"));
        Self {
            from: filter.id.map_or(after.clone(), |id| after.max(id.to_owned())),
            to: filter.id.map_or_else(|| Value::Blob(Vec::new()), |id| Value::Text(id.to_owned())),
            state: filter.state,
            held: filter.held,
            most: signed(filter.most()),
        }
    }
}

/// Checkouts in the order of their ids, each with its work: SQLite compares texts by their bytes, as Rust
/// does.
pub(crate) fn overview(db: &Db<'_>, choice: &Choice, now: Moment) -> Result<Vec<Overview>, StoreError> {
    let Choice { from, to, state, held, most } = choice;
    let now = now.unix_millis();
    match (state, held) {
        (None, false) => db.all(overview!("true"), params![from, to, now, most], seen),
        (None, true) => db.all(overview!("c.hold IS NOT NULL"), params![from, to, now, most], seen),
        (Some(state), false) => {
            db.all(overview!("c.state = ?5"), params![from, to, now, most, state.name()], seen)
        }
        (Some(state), true) => {
            let held = overview!("+c.state = ?5 AND c.hold IS NOT NULL");
            db.all(held, params![from, to, now, most, state.name()], seen)
        }
    }
}

fn seen(row: &Row<'_>) -> Result<Overview, StoreError> {
    Ok(Overview {
        checkout: checkout(row)?,
        nudged: get(row, COLUMNS)?,
        due: get::<Option<i64>>(row, COLUMNS + 1)?.map(Moment::from_unix_millis),
        leased: get(row, COLUMNS + 2)?,
        tries: count(get(row, COLUMNS + 3)?),
    })
}

/// The strays whose ids no checkout has.
pub(crate) fn unmatched(db: &Db<'_>, after: i64, most: usize) -> Result<Vec<Unmatched>, StoreError> {
    let unmatched = "SELECT s.number, s.lane, s.checkout_id, s.reference, s.at \
        FROM checkout_stray AS s JOIN checkout_unmatched AS u ON u.number = s.number \
        WHERE s.number > ?1 ORDER BY s.number LIMIT ?2";
    db.all(unmatched, params![after, signed(most)], |row| {
        Ok(Unmatched {
            number: get(row, 0)?,
            lane: get(row, 1)?,
            checkout_id: get(row, 2)?,
            reference: get(row, 3)?,
            seen_at: Moment::from_unix_millis(get(row, 4)?),
        })
    })
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
