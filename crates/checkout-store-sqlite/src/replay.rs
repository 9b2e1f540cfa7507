//! The claims of the replay guard. Their times are the caller's.

use crate::db::Db;
use crate::rows::get;
use crate::shared::next_fence;
use checkout_engine::StoreError;
use checkout_tables::Moment;
use checkout_trust::replay::{Commit, FencingToken, Release, Slot};
use rusqlite::params;

pub(crate) fn claim(db: &Db<'_>, key: &str, now: Moment, until: Moment) -> Result<Slot, StoreError> {
    let held = "SELECT done, until FROM webhook_claim WHERE key = ?1 AND until >= ?2";
    let held = db.first(held, params![key, now.unix_millis()], |row| {
        Ok((get::<bool>(row, 0)?, Moment::from_unix_millis(get(row, 1)?)))
    })?;
    match held {
        Some((true, _)) => Ok(Slot::Done),
        Some((false, until)) => Ok(Slot::InFlight { until }),
        None => {
            let fence = next_fence(db)?;
            let take =
                "INSERT OR REPLACE INTO webhook_claim (key, fence, done, until) VALUES (?1, ?2, 0, ?3)";
            db.change(take, params![key, fence, until.unix_millis()])?;
            Ok(Slot::Fresh(FencingToken::new(fence)))
        }
    }
}

pub(crate) fn commit(
    db: &Db<'_>,
    key: &str,
    fence: FencingToken,
    until: Moment,
) -> Result<Commit, StoreError> {
    let commit = "INSERT INTO webhook_claim AS held (key, fence, done, until) VALUES (?1, ?2, 1, ?3) \
        ON CONFLICT (key) DO UPDATE SET done = 1, until = max(held.until, excluded.until) \
        WHERE held.fence = excluded.fence";
    let changed = db.change(commit, params![key, fence.number(), until.unix_millis()])?;
    Ok(if changed == 0 { Commit::Lost } else { Commit::Committed })
}

pub(crate) fn release(db: &Db<'_>, key: &str, fence: FencingToken) -> Result<Release, StoreError> {
    let free = "DELETE FROM webhook_claim WHERE key = ?1 AND fence = ?2 AND NOT done";
    let changed = db.change(free, params![key, fence.number()])?;
    Ok(if changed == 0 { Release::Lost } else { Release::Released })
}
