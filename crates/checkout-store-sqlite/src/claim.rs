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
    /// The span of the limit, in seconds.
    span: Option<u32>,
    /// True while the lane has due work and a place.
    is_open: bool,
}

/// The earliest due work of a lane.
struct Candidate {
    id: String,
    tries: u32,
    due: Result<Due, StoreError>,
}

const OPEN: &str = "SELECT name, iif(requests IS NULL, NULL, per_seconds) FROM checkout_lane \
    WHERE opens <= ?1 ORDER BY served, name";
const IS_OPEN: &str = "SELECT 1 FROM checkout_lane WHERE name = ?1 AND opens <= ?2";
/// SQLite takes the index only where the statement has the condition of the index.
const IN_TURN: &str = "SELECT name, opens FROM checkout_lane \
    WHERE opens IS NOT NULL AND (opens, name) > (?1, ?2) ORDER BY opens, name LIMIT ?3";
/// Somebody has changed the rows by hand.
const DUE_ANEW: &str = "UPDATE checkout_lane \
    SET due = (SELECT min(due) FROM checkout_work WHERE lane = ?1) WHERE name = ?1";
/// So many lanes are looked at in one question for the next that opens.
const LOOKS: usize = 64;
const CANDIDATE: &str = concat!(
    "SELECT ",
    columns!(),
    ", w.watch, c.nudges, c.answered, w.tries, w.named, w.due \
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
    let mut lanes = db.all(OPEN, [millis], lane)?;
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
            if !lane.is_open {
                continue;
            }
            let Some(found) = candidate(db, &lane.name, millis)? else {
                db.change(DUE_ANEW, [&lane.name])?;
                lane.is_open = false;
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
            if let Some(span) = lane.span {
                let over = "DELETE FROM checkout_place WHERE lane = ?1 AND until <= ?2";
                db.change(over, params![lane.name, millis])?;
                let take = "INSERT INTO checkout_place (lane, fence, until) VALUES (?1, ?2, ?3)";
                db.change(take, params![lane.name, fence, from_now(until, span_of(span))])?;
            }
            lane.is_open = db.first(IS_OPEN, params![lane.name, millis], |_| Ok(()))?.is_some();
            any = true;
            if alone {
                break;
            }
        }
    }
    let next = match lanes.iter().any(|lane| lane.is_open) {
        true => Some(now),
        false => next(db, &asked, millis)?.map(Moment::from_unix_millis),
    };
    let news = "SELECT 1 FROM checkout_news WHERE due <= ?1 LIMIT 1";
    let news = db.first(news, [millis], |_| Ok(()))?.is_some();
    Ok(Ok(Claimed { now, next, due, news }))
}

fn lane(row: &Row<'_>) -> Result<Lane, StoreError> {
    Ok(Lane { name: get(row, 0)?, span: get::<Option<i64>>(row, 1)?.map(count), is_open: true })
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

/// The moment at which the first of the asked lanes opens that are not open now.
fn next(db: &Db<'_>, asked: &HashSet<&str>, now: i64) -> Result<Option<i64>, StoreError> {
    let (mut at, mut name) = (now.saturating_add(1), String::new());
    loop {
        let lanes: Vec<(String, i64)> =
            db.all(IN_TURN, params![at, name, signed(LOOKS)], |row| Ok((get(row, 0)?, get(row, 1)?)))?;
        if let Some((_, opens)) = lanes.iter().find(|(name, _)| asked.contains(name.as_str())) {
            return Ok(Some(*opens));
        }
        match lanes.into_iter().next_back() {
            Some((last, opens)) => (at, name) = (opens, last),
            None => return Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{IN_TURN, IS_OPEN, OPEN};
    use crate::schema::MIGRATIONS;
    use rusqlite::Connection;

    /// A claim is one transaction, so a look at all lanes would hold up every other writer.
    #[test]
    fn a_claim_looks_at_lanes_by_their_indices_alone() {
        let file = Connection::open_in_memory().unwrap();
        MIGRATIONS.iter().for_each(|step| file.execute_batch(step.sql).unwrap());
        for sql in [OPEN, IS_OPEN, IN_TURN] {
            let mut plan = file.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            // A parameter that is not bound is NULL.
            let steps = plan.raw_query().mapped(|row| row.get::<_, String>(3));
            let steps: Vec<String> = steps.collect::<Result<_, _>>().unwrap();
            assert!(steps.iter().any(|step| step.starts_with("SEARCH")), "{sql}: {steps:?}");
            assert!(!steps.iter().any(|step| step.starts_with("SCAN")), "{sql}: {steps:?}");
        }
    }
}
