//! The writes of rows: a new checkout, the outcome of work, a person's decision.

use crate::db::Db;
use crate::rows::{checkout, columns, from_now, get};
use crate::shared::{add_lane, add_news, next_fence, set_checkout, span_of};
use checkout_engine::{
    Checkout, Decided, Decision, Inserted, Lane, Lease, Next, ReadMade, StoreError, Write, Written,
};
use checkout_tables::{Moment, RateLimit};
use rusqlite::params;
use std::time::Duration;

/// Makes lanes known, with their limits.
pub(crate) fn lanes(db: &Db<'_>, lanes: &[Lane]) -> Result<(), StoreError> {
    let set = "INSERT INTO checkout_lane (name, requests, per_seconds) VALUES (?1, ?2, ?3) ON CONFLICT (name) \
        DO UPDATE SET requests = excluded.requests, per_seconds = excluded.per_seconds";
    for Lane { name, limit } in lanes {
        let (requests, span) =
            limit.map(|RateLimit { requests, per_seconds, .. }| (requests, per_seconds)).unzip();
        db.change(set, params![name, requests, span])?;
    }
    Ok(())
}

const BY_ID: &str = concat!("SELECT ", columns!(), " FROM checkout AS c WHERE c.id = ?1");
const BY_REFERENCE: &str =
    concat!("SELECT ", columns!(), " FROM checkout AS c WHERE c.lane = ?1 AND c.reference = ?2");
const INSERT: &str = "INSERT INTO checkout (id, lane, provider, merchant, environment, state, reference, \
    checkout_id, page, hold, notes, version, created_at, changed_at) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 1, ?12, ?12)";
const INSERT_WORK: &str = "INSERT INTO checkout_work (id, lane, due, fence, leased, tries, watch) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6)";

/// One checkout.
pub(crate) fn by_id(db: &Db<'_>, id: &str) -> Result<Option<Checkout>, StoreError> {
    db.first(BY_ID, [id], checkout)
}

/// Adds a checkout with its work.
pub(crate) fn insert(
    db: &Db<'_>,
    new: &Checkout,
    watch: &str,
    lease: Duration,
    now: Moment,
) -> Result<Inserted, StoreError> {
    if let Some(known) = by_id(db, &new.id)? {
        return Ok(Inserted::Exists(known));
    }
    let lane = Lane::name_of(new.provider, &new.merchant);
    if let Some(known) = db.first(BY_REFERENCE, [&lane, &new.reference], checkout)? {
        return Ok(Inserted::SameReference(known));
    }
    add_lane(db, &lane)?;
    let added = Checkout { version: 1, created_at: now, changed_at: now, ..new.clone() };
    let values = params![
        added.id,
        lane,
        added.provider.name(),
        added.merchant,
        added.environment.to_string(),
        added.state.name(),
        added.reference,
        added.checkout_id,
        added.page.as_ref().map(|page| page.as_str()),
        added.hold,
        added.notes.as_str(),
        now.unix_millis(),
    ];
    db.change(INSERT, values)?;
    let fence = next_fence(db)?;
    db.change(INSERT_WORK, params![added.id, lane, from_now(now, lease), fence, !lease.is_zero(), watch])?;
    Ok(Inserted::Fresh(Lease { id: added.id.clone(), fence, nudges: 0 }, added))
}

/// The work under a lease, with what a write needs to know.
struct Leased {
    lane: String,
    named: Option<String>,
    nudges: i64,
    tries: i64,
}

const LEASED: &str = "SELECT w.lane, w.named, c.nudges, w.tries FROM checkout_work AS w \
    JOIN checkout AS c ON c.id = w.id WHERE w.id = ?1 AND w.fence = ?2 AND w.leased \
    AND (w.due > ?3 OR NOT ?4)";
/// The fence was looked at in the same transaction.
const SET_WORK: &str = "UPDATE checkout_work SET due = ?2, leased = 0, tries = ?4, named = ?3, \
    watch = ifnull(?5, watch) WHERE id = ?1";
const END_WORK: &str = "DELETE FROM checkout_work WHERE id = ?1";

/// Writes the outcome of leased work.
pub(crate) fn write(db: &Db<'_>, lease: &Lease, write: &Write, now: Moment) -> Result<Written, StoreError> {
    let Lease { id, fence, nudges } = lease;
    let keeps = write.next == Next::Keep;
    let work = db.first(LEASED, params![id, fence, now.unix_millis(), keeps], |row| {
        Ok(Leased { lane: get(row, 0)?, named: get(row, 1)?, nudges: get(row, 2)?, tries: get(row, 3)? })
    })?;
    let Some(work) = work else { return Ok(Written::Lost) };
    if write.read == ReadMade::Answered {
        let answered = "UPDATE checkout SET answered = ?2 WHERE id = ?1 AND answered < ?2";
        db.change(answered, params![id, nudges])?;
        end_events(db, id, *nudges, now)?;
    }
    if let Some(checkout) = &write.checkout {
        set_checkout(db, id, checkout, now)?;
    }
    let nudged_since = work.nudges > *nudges;
    let is_back = matches!(write.next, Next::Back { .. });
    let named = work.named.filter(|_| nudged_since || is_back);
    let tries = if is_back { work.tries.saturating_sub(1).max(0) } else { 0 };
    let next = match &write.next {
        Next::Keep => None,
        Next::Due { after, watch } => Some((Some(*after), Some(watch))),
        Next::Back { after } => Some((Some(*after), None)),
        Next::Ended { watch } => Some((None, Some(watch))),
    };
    if let Some((after, watch)) = next {
        match if nudged_since { Some(Duration::ZERO) } else { after } {
            Some(after) => db.change(SET_WORK, params![id, from_now(now, after), named, tries, watch])?,
            None => {
                db.change("UPDATE checkout SET watch = ?2 WHERE id = ?1", params![id, watch])?;
                db.change(END_WORK, [id])?
            }
        };
        end_place(db, &work.lane, *fence, write.read, now)?;
    }
    if let Some(wait) = write.lane_wait {
        let wait_for =
            "UPDATE checkout_lane SET wait_until = max(ifnull(wait_until, ?2), ?2) WHERE name = ?1";
        db.change(wait_for, params![work.lane, from_now(now, wait)])?;
    }
    add_news(db, &write.news, now)?;
    Ok(Written::Done)
}

/// The events that a read has answered are done, and kept for their keys' time.
fn end_events(db: &Db<'_>, id: &str, nudges: i64, now: Moment) -> Result<(), StoreError> {
    let open = "SELECT key, retention FROM checkout_event WHERE id = ?1 AND nudge <= ?2 AND NOT done";
    let open: Vec<(String, i64)> =
        db.all(open, params![id, nudges], |row| Ok((get(row, 0)?, get(row, 1)?)))?;
    for (key, retention) in open {
        let done = "UPDATE checkout_event SET done = 1, until = ?2 WHERE key = ?1";
        db.change(done, params![key, now.unix_millis().saturating_add(retention)])?;
    }
    Ok(())
}

/// Frees the place that a claim took, or keeps the place for the limit's span.
fn end_place(db: &Db<'_>, lane: &str, fence: i64, read: ReadMade, now: Moment) -> Result<(), StoreError> {
    let span = "SELECT per_seconds FROM checkout_lane WHERE name = ?1 AND requests IS NOT NULL";
    let Some(span) = db.first(span, [lane], |row| get::<u32>(row, 0))? else { return Ok(()) };
    match read {
        ReadMade::None => {
            db.change("DELETE FROM checkout_place WHERE lane = ?1 AND fence = ?2", params![lane, fence])?
        }
        ReadMade::Sent => db.change(
            "UPDATE checkout_place SET until = max(until, ?3) WHERE lane = ?1 AND fence = ?2",
            params![lane, fence, from_now(now, span_of(span))],
        )?,
        ReadMade::Answered => db.change(
            "UPDATE checkout_place SET until = ?3 WHERE lane = ?1 AND fence = ?2",
            params![lane, fence, from_now(now, span_of(span))],
        )?,
    };
    Ok(())
}

/// A row without work keeps the work's watch.
const KEEP_WATCH: &str = "UPDATE checkout SET watch = w.watch FROM checkout_work AS w \
    WHERE checkout.id = ?1 AND w.id = ?1";
/// The lane, and whether a nudge waits for a read.
const AS_SEEN: &str = "SELECT lane, nudges > answered FROM checkout WHERE id = ?1 AND version = ?2";
/// The id that an event named stays.
const WORK_NOW: &str = "INSERT INTO checkout_work (id, lane, due, fence, leased, tries, watch) \
    SELECT ?1, ?2, ?3, ?4, 0, 0, watch FROM checkout WHERE id = ?1 ON CONFLICT (id) \
    DO UPDATE SET due = excluded.due, fence = excluded.fence, leased = 0, tries = 0";
const DECIDED: &str = "INSERT INTO checkout_decision (id, at, act, by, reason) VALUES (?1, ?2, ?3, ?4, ?5)";

/// Writes a person's decision.
pub(crate) fn decide(db: &Db<'_>, decision: &Decision<'_>, now: Moment) -> Result<Written, StoreError> {
    let Decision { checkout, work, news, act, by, reason } = decision;
    let id = &checkout.id;
    let seen = db.first(AS_SEEN, params![id, checkout.version], |row| {
        Ok((get::<String>(row, 0)?, get::<bool>(row, 1)?))
    })?;
    let Some((lane, is_nudged)) = seen else { return Ok(Written::Lost) };
    set_checkout(db, id, checkout, now)?;
    if *work || is_nudged {
        let fence = next_fence(db)?;
        db.change(WORK_NOW, params![id, lane, now.unix_millis(), fence])?;
    } else {
        db.change(KEEP_WATCH, [id])?;
        db.change(END_WORK, [id])?;
    }
    add_news(db, news, now)?;
    db.change(DECIDED, params![id, now.unix_millis(), act, by, reason])?;
    Ok(Written::Done)
}

/// The decisions of persons, the oldest first.
pub(crate) fn decisions(db: &Db<'_>, id: &str) -> Result<Vec<Decided>, StoreError> {
    let all = "SELECT at, act, by, reason FROM checkout_decision WHERE id = ?1 ORDER BY number";
    db.all(all, [id], |row| {
        let at = Moment::from_unix_millis(get(row, 0)?);
        Ok(Decided { at, act: get(row, 1)?, by: get(row, 2)?, reason: get(row, 3)? })
    })
}
