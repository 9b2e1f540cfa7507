//! The claim of due work.

use crate::db::Db;
use crate::rows::{COLUMNS, checkout, columns, count, field, from_now, get, id, signed};
use crate::shared::{next_fence, span_of};
use checkout_engine::{Ask, Claimed, Due, Lease, SUSPECT, StoreError};
use checkout_tables::Moment;
use rusqlite::{Row, params};
use std::collections::HashSet;

struct Lane {
    name: String,
    /// The requests of the limit, and its span in seconds.
    limit: Option<(u32, u32)>,
    wait: Option<i64>,
    /// The earliest due.
    first: Option<i64>,
}

/// The earliest due work of a lane.
struct Candidate {
    id: String,
    tries: u32,
    due: Result<Due, StoreError>,
}

const DUE: &str = "SELECT name, requests, per_seconds, wait_until, due FROM checkout_lane \
    WHERE due <= ?1 ORDER BY served, name";
const LATER: &str = "SELECT name, requests, per_seconds, wait_until, due FROM checkout_lane \
    WHERE (due, name) > (?1, ?2) ORDER BY due, name LIMIT ?3";
/// So many lanes are looked at in one question for the next due.
const LOOKS: usize = 64;
const FIRST: &str = "SELECT due FROM checkout_work WHERE lane = ?1 ORDER BY due, id LIMIT 1";
const TAKEN: &str = "SELECT until FROM checkout_place WHERE lane = ?1 ORDER BY until DESC LIMIT 1 OFFSET ?2";
const CANDIDATE: &str = concat!(
    "SELECT ",
    columns!(),
    ", c.watch, c.nudges, c.answered, w.tries, w.named, w.due \
     FROM checkout_work AS w CROSS JOIN checkout AS c ON c.id = w.id \
     WHERE w.lane = ?1 AND w.due <= ?2 ORDER BY w.due, w.id LIMIT 1"
);
const LEASE: &str =
    "UPDATE checkout_work SET due = ?2, fence = ?3, leased = 1, tries = tries + 1 WHERE id = ?1";

/// Leases due work. A row that cannot be read is put off for the span of a lease, so that the row does not
/// stand in the way of others, and is the inner error: the transaction is to be committed nevertheless.
pub(crate) fn claim(
    db: &Db<'_>,
    ask: &Ask<'_>,
    now: Moment,
) -> Result<Result<Claimed, StoreError>, StoreError> {
    let millis = now.unix_millis();
    let asked: HashSet<&str> = ask.lanes.iter().map(String::as_str).collect();
    let mut lanes = db.all(DUE, [millis], lane)?;
    lanes.retain(|lane| asked.contains(&*lane.name));
    let mut due: Vec<Due> = Vec::new();
    let mut alone = false;
    let mut any = true;
    while any && !alone && due.len() < ask.max {
        any = false;
        for lane in &mut lanes {
            if due.len() >= ask.max {
                break;
            }
            if lane.first.is_none_or(|at| at > millis) || free_at(db, lane, millis)? > millis {
                continue;
            }
            let Some(found) = candidate(db, &lane.name, millis)? else {
                // Somebody has changed the rows by hand.
                lane.first = db.first(FIRST, [&lane.name], |row| get(row, 0))?;
                continue;
            };
            if found.tries >= SUSPECT || found.due.is_err() {
                if !due.is_empty() {
                    continue;
                }
                alone = true;
            }
            let until = now.saturating_add(ask.lease);
            let fence = next_fence(db)?;
            db.change(LEASE, params![found.id, until.unix_millis(), fence])?;
            let mut leased = match found.due {
                Ok(leased) => leased,
                Err(error) => return Ok(Err(error)),
            };
            leased.lease.fence = fence;
            due.push(leased);
            db.change("UPDATE checkout_lane SET served = ?2 WHERE name = ?1", params![lane.name, fence])?;
            if let Some((_, span)) = lane.limit {
                let over = "DELETE FROM checkout_place WHERE lane = ?1 AND until <= ?2";
                db.change(over, params![lane.name, millis])?;
                let take = "INSERT INTO checkout_place (lane, fence, until) VALUES (?1, ?2, ?3)";
                db.change(take, params![lane.name, fence, from_now(until, span_of(span))])?;
            }
            lane.first = db.first(FIRST, [&lane.name], |row| get(row, 0))?;
            any = true;
            if alone {
                break;
            }
        }
    }
    let next = next(db, &lanes, &asked, millis)?;
    let news = "SELECT 1 FROM checkout_news WHERE due <= ?1 LIMIT 1";
    let news = db.first(news, [millis], |_| Ok(()))?.is_some();
    Ok(Ok(Claimed { now, next, due, news }))
}

fn lane(row: &Row<'_>) -> Result<Lane, StoreError> {
    let requests: Option<i64> = get(row, 1)?;
    let limit = requests.zip(get(row, 2)?).map(|(of, span)| (count(of), count(span)));
    Ok(Lane { name: get(row, 0)?, limit, wait: get(row, 3)?, first: get(row, 4)? })
}

/// The moment from which a lane has a place; `now` if at once.
fn free_at(db: &Db<'_>, lane: &Lane, now: i64) -> Result<i64, StoreError> {
    let waits = lane.wait.map_or(now, |until| until.max(now));
    let Some((requests, _)) = lane.limit else { return Ok(waits) };
    let Some(before) = requests.checked_sub(1) else { return Ok(i64::MAX) };
    let taken = db.first(TAKEN, params![lane.name, before], |row| get(row, 0))?;
    Ok(waits.max(taken.unwrap_or(now)))
}

fn candidate(db: &Db<'_>, lane: &str, now: i64) -> Result<Option<Candidate>, StoreError> {
    db.first(CANDIDATE, params![lane, now], |row| {
        let of = id(row, 0)?;
        let tries = count(get(row, COLUMNS + 3)?);
        let due = checkout(row).and_then(|checkout| {
            let nudges: i64 = get(row, COLUMNS + 1)?;
            let answered: i64 = get(row, COLUMNS + 2)?;
            let since: i64 = get(row, COLUMNS + 5)?;
            Ok(Due {
                lease: Lease { id: of.clone(), fence: 0, nudges },
                checkout,
                watch: field(row, COLUMNS, &of, "watch")?,
                nudged: nudges > answered,
                named: field(row, COLUMNS + 4, &of, "named")?,
                tries: tries.saturating_add(1),
                late: Moment::from_unix_millis(now).saturating_since(Moment::from_unix_millis(since)),
            })
        });
        Ok(Candidate { id: of, tries, due })
    })
}

/// The moment when more may be due. `lanes` are those that were due at the claim. The others follow by their
/// dues, and none is looked at whose due is behind the best.
fn next(db: &Db<'_>, lanes: &[Lane], asked: &HashSet<&str>, now: i64) -> Result<Option<Moment>, StoreError> {
    let mut best: Option<i64> = None;
    for lane in lanes {
        better(db, lane, now, &mut best)?;
    }
    let (mut at, mut name) = (now.saturating_add(1), String::new());
    loop {
        let others = db.all(LATER, params![at, name, signed(LOOKS)], lane)?;
        for lane in others.iter().filter(|lane| asked.contains(&*lane.name)) {
            if !better(db, lane, now, &mut best)? {
                return Ok(best.map(Moment::from_unix_millis));
            }
        }
        match others.last() {
            Some(last) if others.len() >= LOOKS => {
                (at, name) = (last.first.unwrap_or(i64::MAX), last.name.clone());
            }
            Some(_) | None => return Ok(best.map(Moment::from_unix_millis)),
        }
    }
}

/// False for a lane that is due later than the best.
fn better(db: &Db<'_>, lane: &Lane, now: i64, best: &mut Option<i64>) -> Result<bool, StoreError> {
    let Some(at) = lane.first else { return Ok(true) };
    if best.is_some_and(|best| best <= at.max(now)) {
        return Ok(false);
    }
    let free = at.max(free_at(db, lane, now)?);
    *best = Some(best.map_or(free, |best| best.min(free)));
    Ok(true)
}
