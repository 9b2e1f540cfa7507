//! Nudges, and the events behind them.

use crate::db::Db;
use crate::rows::{get, signed};
use crate::shared::next_fence;
use checkout_engine::{Nudge, Nudged, StoreError, Target, UNMATCHED_KEPT};
use checkout_tables::Moment;
use checkout_trust::replay::Key;
use rusqlite::params;

/// Makes a checkout's work due at once, unless the event is known.
pub(crate) fn nudge(db: &Db<'_>, nudge: &Nudge<'_>, now: Moment) -> Result<Nudged, StoreError> {
    let millis = now.unix_millis();
    let mut is_known = false;
    for key in nudge.event {
        let known = "SELECT done FROM checkout_event WHERE key = ?1 AND (NOT done OR until >= ?2)";
        match db.first(known, params![key.to_string(), millis], |row| get(row, 0))? {
            Some(true) => return Ok(Nudged::Done),
            Some(false) => is_known = true,
            None => {}
        }
    }
    if is_known {
        return Ok(Nudged::Pending);
    }
    let Some(id) = find(db, nudge.target)? else {
        if let Target::Named { lane, checkout_id, reference } = nudge.target {
            let note = "INSERT OR IGNORE INTO checkout_stray (lane, checkout_id, reference, at) \
                VALUES (?1, ?2, ?3, ?4)";
            db.change(note, params![lane, checkout_id, reference, millis])?;
        }
        return Ok(Nudged::Unmatched);
    };
    let count = "UPDATE checkout SET nudges = nudges + 1 WHERE id = ?1 RETURNING nudges, lane, checkout_id";
    let row = db.first(count, [&id], |row| {
        Ok((get::<i64>(row, 0)?, get::<String>(row, 1)?, get::<Option<String>>(row, 2)?))
    })?;
    let Some((nudges, lane, known_as)) = row else { return Ok(Nudged::Unmatched) };
    for key in nudge.event {
        let note = "INSERT OR REPLACE INTO checkout_event (key, id, nudge, done, until, retention) \
            VALUES (?1, ?2, ?3, 0, ?4, ?5)";
        db.change(note, params![key.to_string(), id, nudges, millis, retention(key)])?;
    }
    let named = match nudge.target {
        Target::Id(_) => None,
        Target::Named { checkout_id, .. } => checkout_id.filter(|named| known_as.as_deref() != Some(*named)),
    };
    let fence = next_fence(db)?;
    let work = "INSERT INTO checkout_work AS w (id, lane, due, fence, leased, tries, named, watch) \
        SELECT ?1, ?2, ?3, ?4, 0, 0, ?5, watch FROM checkout WHERE id = ?1 ON CONFLICT (id) DO UPDATE \
        SET due = iif(w.leased, w.due, min(w.due, excluded.due)), named = ifnull(excluded.named, w.named)";
    db.change(work, params![id, lane, millis, fence, named])?;
    Ok(Nudged::Queued { id })
}

/// The provider gives an id once. If two rows have one id nevertheless, the last that changed is meant.
const NAMED: &str =
    "SELECT id FROM checkout WHERE lane = ?1 AND checkout_id = ?2 ORDER BY changed_at DESC, id LIMIT 1";

fn find(db: &Db<'_>, target: Target<'_>) -> Result<Option<String>, StoreError> {
    match target {
        Target::Id(id) => db.first("SELECT id FROM checkout WHERE id = ?1", [id], |row| get(row, 0)),
        Target::Named { lane, checkout_id, reference } => {
            let by = |sql, named: Option<&str>| match named {
                Some(named) => db.first(sql, [lane, named], |row| get(row, 0)),
                None => Ok(None),
            };
            match by(NAMED, checkout_id)? {
                Some(id) => Ok(Some(id)),
                None => by("SELECT id FROM checkout WHERE lane = ?1 AND reference = ?2", reference),
            }
        }
    }
}

/// The retention of a key in whole milliseconds, rounded up.
fn retention(key: &Key) -> i64 {
    Moment::from_unix_millis(0).saturating_add(key.retention()).unix_millis()
}

/// Deletes the events that are done and kept no longer, the old events of no checkout, and the ended claims
/// of the replay guard.
pub(crate) fn sweep(db: &Db<'_>, max: usize, now: Moment) -> Result<usize, StoreError> {
    let millis = now.unix_millis();
    let kept = Moment::from_unix_millis(0).saturating_add(UNMATCHED_KEPT).unix_millis();
    let events = "DELETE FROM checkout_event WHERE key IN \
        (SELECT key FROM checkout_event WHERE done AND until < ?1 ORDER BY until LIMIT ?2)";
    let strays = "DELETE FROM checkout_stray WHERE number IN \
        (SELECT number FROM checkout_stray WHERE at < ?1 ORDER BY number LIMIT ?2)";
    let claims = "DELETE FROM webhook_claim WHERE key IN \
        (SELECT key FROM webhook_claim WHERE until < ?1 ORDER BY until LIMIT ?2)";
    let mut swept = 0_usize;
    for (sql, before) in [(events, millis), (strays, millis.saturating_sub(kept)), (claims, millis)] {
        let rest = signed(max.saturating_sub(swept));
        swept = swept.saturating_add(db.change(sql, params![before, rest])?);
    }
    Ok(swept)
}
