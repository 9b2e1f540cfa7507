//! What several operations do.

use crate::db::Db;
use crate::rows::get;
use checkout_engine::{Checkout, LIMIT_MARGIN, News, StoreError};
use checkout_tables::Moment;
use rusqlite::params;
use std::time::Duration;

/// The next number of a claim. The row counts on in the transaction, so no number is given twice.
pub(crate) fn next_fence(db: &Db<'_>) -> Result<i64, StoreError> {
    let next = "UPDATE checkout_fence SET last = last + 1 WHERE one = 1 RETURNING last";
    let fence = db.first(next, [], |row| get(row, 0))?;
    fence.ok_or_else(|| StoreError::Settings("the row of checkout_fence is gone".to_owned()))
}

/// Makes a lane known, without a limit.
pub(crate) fn add_lane(db: &Db<'_>, lane: &str) -> Result<(), StoreError> {
    db.change("INSERT INTO checkout_lane (name) VALUES (?1) ON CONFLICT (name) DO NOTHING", [lane]).map(drop)
}

/// Replaces what can change in a checkout's lasting row: the rest is as it was inserted.
pub(crate) fn set_checkout(
    db: &Db<'_>,
    id: &str,
    checkout: &Checkout,
    now: Moment,
) -> Result<(), StoreError> {
    let set = "UPDATE checkout SET state = ?2, checkout_id = ?3, page = ?4, hold = ?5, notes = ?6, \
        version = version + 1, changed_at = ?7 WHERE id = ?1";
    let Checkout { state, checkout_id, page, hold, notes, .. } = checkout;
    let page = page.as_ref().map(|page| page.as_str());
    let values = params![id, state.name(), checkout_id, page, hold, notes.as_str(), now.unix_millis()];
    db.change(set, values).map(drop)
}

/// Adds news to tell, but for news whose key is there.
pub(crate) fn add_news(db: &Db<'_>, news: &[News], now: Moment) -> Result<(), StoreError> {
    let add = "INSERT INTO checkout_news (key, id, subject, reason, due, fence, tries) \
        VALUES (?1, ?2, ?3, ?4, ?5, 0, 0) ON CONFLICT (key) DO NOTHING";
    for News { key, id, subject, reason } in news {
        db.change(add, params![key, id, subject.name(), reason, now.unix_millis()])?;
    }
    Ok(())
}

/// The span that a place under a limit stays taken after the read.
pub(crate) fn span_of(per_seconds: u32) -> Duration {
    Duration::from_secs(per_seconds.into()).saturating_add(LIMIT_MARGIN)
}
