//! The operations of the engine's store: each calls one function of the schema, in `sql/functions.sql`.
//!
//! **Locks.** An operation that waits locks in this order: the checkout's row, the work's row, and then
//! names, events, news and the lane. A claim locks the lane before the work, and waits for neither. Writes of
//! several checkouts in one transaction wait for no row of a checkout or its work. So no two operations wait
//! for each other. Rows of one kind are locked in the order of their keys. A write that leaves the checkout's
//! row as it is does not lock the row: who changes the row locks the work too, or has deleted it.
//!
//! **Snapshots.** At READ COMMITTED a statement sees one snapshot, and under a lock the latest row. A
//! function locks first, and decides by what the next statement sees. The claim chooses by one snapshot, and
//! checks the count `rev` under the lock.

use core::time::Duration;
use std::collections::{BTreeMap, HashSet};
use std::time::Instant;

use checkout_engine::{
    Ask, Checkout, Claimed, ClaimedNews, Decided, Decision, Due, Figures, Filter, Inserted, LIMIT_MARGIN,
    Lane, Lease, New, News, Nudge, Nudged, Overview, SUSPECT, Store, StoreError, Subject, Target,
    UNMATCHED_KEPT, Unmatched, Write, Written,
};
use checkout_tables::Moment;
use tokio_postgres::Row;

use crate::error;
use crate::postgres::{Postgres, parameters};
use crate::read::{checkout, column, moment};
use crate::rests::{MOST, Urgent};
use crate::write::{Columns, URGENT, millis};

/// How soon to ask again where other claims hold the lanes.
const SOON: Duration = Duration::from_millis(10);

/// How far a clock of the callers of the replay guard may be behind the database's clock.
const BEHIND: i64 = 86_400_000;

/// How often a statement is repeated that met a row which its snapshot does not show.
const UNSEEN: u32 = 20;

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn unsigned(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

fn unseen() -> StoreError {
    StoreError::Unavailable(Box::new(error::DatabaseError::new(
        "other transactions were in between each time",
    )))
}

fn done(rows: &[Row]) -> Result<Written, StoreError> {
    Ok(match rows.first().map(|row| column(row, "done")).transpose()? {
        Some(true) => Written::Done,
        Some(false) | None => Written::Lost,
    })
}

/// The rows that can be read. A row that cannot be read is under its lease too, and waits for the lease's
/// end.
///
/// # Errors
/// The first row's that cannot be read, if none can be read.
fn readable<T>(rows: impl Iterator<Item = Result<T, StoreError>>) -> Result<Vec<T>, StoreError> {
    let (mut read, mut unreadable) = (Vec::new(), None);
    for row in rows {
        match row {
            Ok(row) => read.push(row),
            Err(error) => drop(unreadable.get_or_insert(error)),
        }
    }
    match unreadable {
        Some(error) if read.is_empty() => Err(error),
        Some(_) | None => Ok(read),
    }
}

fn due(row: &Row) -> Result<Due, StoreError> {
    let tries: i32 = column(row, "tries")?;
    let checkout = checkout(row)?;
    Ok(Due {
        lease: Lease {
            id: checkout.id.clone(),
            fence: column(row, "fence")?,
            nudges: column(row, "nudges")?,
        },
        watch: column(row, "watch")?,
        nudged: column(row, "nudged")?,
        named: column(row, "named")?,
        tries: u32::try_from(tries).unwrap_or(0),
        late: Duration::from_millis(unsigned(column(row, "late")?)),
        checkout,
    })
}

impl Postgres {
    /// The lanes with urgent work. None where these are too many to look at each on its own.
    async fn urgent(&self) -> Result<Option<Urgent>, StoreError> {
        let rows = self.ask(&self.statements().urgent, parameters![count(MOST) => INT8]).await?;
        let row = rows.first().ok_or_else(unseen)?;
        let (now, lanes): (i64, Option<Vec<String>>) = (column(row, "now")?, column(row, "lanes")?);
        let lanes: HashSet<String> = lanes.into_iter().flatten().collect();
        Ok((lanes.len() < MOST).then_some(Urgent { now, lanes }))
    }
}

impl Store for Postgres {
    async fn now(&self) -> Result<Moment, StoreError> {
        let rows = self.ask(&self.statements().now, &[]).await?;
        rows.first().map_or_else(|| Err(unseen()), |row| moment(row, "now_ms"))
    }

    async fn lanes(&self, lanes: &[Lane]) -> Result<(), StoreError> {
        // The last one of a name counts.
        let lanes: BTreeMap<&str, &Lane> = lanes.iter().map(|lane| (lane.name.as_str(), lane)).collect();
        let names: Vec<&str> = lanes.keys().copied().collect();
        let limits = || lanes.values().map(|lane| lane.limit);
        let requests: Vec<Option<i64>> =
            limits().map(|limit| limit.map(|limit| i64::from(limit.requests))).collect();
        let span = |seconds: u32| millis(Duration::from_secs(seconds.into()).saturating_add(LIMIT_MARGIN));
        let spans: Vec<Option<i64>> =
            limits().map(|limit| limit.map(|limit| span(limit.per_seconds))).collect();
        let parameters = parameters![names => TEXT_ARRAY, requests => INT8_ARRAY, spans => INT8_ARRAY];
        self.ask(&self.statements().lanes, parameters).await?;
        // Their limits may be others now.
        self.turns().rests.forget();
        Ok(())
    }

    async fn insert(&self, new: &New<'_>) -> Result<Inserted, StoreError> {
        let New { checkout: row, watch, lease } = *new;
        let lane = Lane::name_of(row.provider, &row.merchant);
        let page = row.page.as_ref().map(|page| page.as_str());
        let parameters = parameters![
            row.id => TEXT, lane => TEXT, row.provider.name() => TEXT, row.merchant => TEXT,
            row.environment.to_string() => TEXT, row.reference => TEXT, row.state.name() => TEXT,
            row.checkout_id => TEXT, page => TEXT, row.hold => TEXT, row.notes.as_str() => TEXT, watch => TEXT,
            millis(lease) => INT8, URGENT => INT8,
        ];
        for _ in 0..UNSEEN {
            let rows = self.ask(&self.statements().insert, parameters).await?;
            let found = rows.first().ok_or_else(unseen)?;
            // Deleted by hand in between.
            if column::<Option<&str>>(found, "id")?.is_none() {
                continue;
            }
            let kept = checkout(found)?;
            return Ok(match column(found, "fence")? {
                Some(fence) => {
                    if lease.is_zero() {
                        self.wake().hint();
                    }
                    Inserted::Fresh(Lease { id: kept.id.clone(), fence, nudges: 0 }, kept)
                }
                None if kept.id == row.id => Inserted::Exists(kept),
                None => Inserted::SameReference(kept),
            });
        }
        Err(unseen())
    }

    async fn claim(&self, ask: &Ask<'_>) -> Result<Claimed, StoreError> {
        let at = Instant::now();
        let asks = self.turns().asks_for_urgent(ask.lanes, ask.max, at);
        let urgent = if asks { self.urgent().await? } else { None };
        let at = Instant::now();
        let turn = self.turns().in_turn(ask.lanes, ask.max, urgent.as_ref(), at);
        let suspect = i32::try_from(SUSPECT).unwrap_or(i32::MAX);
        let parameters = parameters![
            turn.lanes => TEXT_ARRAY, turn.from => INT8_ARRAY, count(ask.max) => INT8, millis(ask.lease) => INT8,
            suspect => INT4,
        ];
        let rows = self.ask(&self.statements().claim, parameters).await?;
        let head = rows.first().ok_or_else(unseen)?;
        let now = moment(head, "now")?;
        let (mut leased, before) = (Vec::with_capacity(rows.len()), self.turns().count());
        for row in &rows {
            let Some(lane) = column::<Option<&str>>(row, "lane")? else { continue };
            let first = column(row, "regular")?;
            self.turns().served(&turn, lane, now.unix_millis(), first, Instant::now());
            leased.push(due(row));
        }
        if ask.max > 0 {
            self.turns().over(&turn, leased.len() >= ask.max, before);
        }
        let of_lanes = |name| column::<Option<Vec<Option<i64>>>>(head, name).map(Option::unwrap_or_default);
        let (dues, shuts) = (of_lanes("dues")?, of_lanes("shuts")?);
        self.turns().saw(&turn, now.unix_millis(), at, dues, shuts);
        let leased = readable(leased.into_iter())?;
        if turn.are_few {
            // The other lanes are looked at by the next claim.
            return Ok(Claimed { now, due: leased, next: Some(now), news: column(head, "news")? });
        }
        let next = column::<Option<i64>>(head, "next")?;
        let next = next.into_iter().chain(turn.rest_until).min().map(Moment::from_unix_millis);
        // Work that is due and was not claimed is in the hands of other transactions.
        let soonest = if leased.is_empty() && ask.max > 0 { now.saturating_add(SOON) } else { now };
        let next = next.map(|next| if next <= now { soonest } else { next });
        Ok(Claimed { now, due: leased, next, news: column(head, "news")? })
    }

    async fn write(&self, lease: &Lease, write: &Write) -> Result<Written, StoreError> {
        let written = self.write_with_others(lease, write).await?;
        if written == Written::Done && !write.news.is_empty() {
            self.wake().hint();
        }
        Ok(written)
    }

    async fn nudge(&self, nudge: &Nudge<'_>) -> Result<Nudged, StoreError> {
        let (id, lane, checkout_id, reference) = match nudge.target {
            Target::Id(id) => (Some(id), None, None, None),
            Target::Named { lane, checkout_id, reference } => (None, Some(lane), checkout_id, reference),
        };
        let keys: BTreeMap<String, i64> =
            nudge.event.iter().map(|key| (key.to_string(), millis(key.retention()))).collect();
        let (keys, keep): (Vec<&str>, Vec<i64>) =
            keys.iter().map(|(key, keep)| (key.as_str(), *keep)).unzip();
        let parameters = parameters![
            id => TEXT, lane => TEXT, checkout_id => TEXT, reference => TEXT, keys => TEXT_ARRAY,
            keep => INT8_ARRAY,
        ];
        let rows = self.ask(&self.statements().nudge, parameters).await?;
        let row = rows.first().ok_or_else(unseen)?;
        Ok(match column(row, "answer")? {
            "done" => Nudged::Done,
            "pending" => Nudged::Pending,
            "queued" => {
                self.wake().hint_now().await;
                Nudged::Queued { id: column(row, "queued")? }
            }
            _ => Nudged::Unmatched,
        })
    }

    async fn decide(&self, decision: &Decision<'_>) -> Result<Written, StoreError> {
        let row: &Checkout = decision.checkout;
        let news = Columns::of(decision.news.iter());
        let parameters = parameters![
            row.id => TEXT, row.version => INT8, row.state.name() => TEXT, row.checkout_id => TEXT,
            row.page.as_ref().map(|page| page.as_str()) => TEXT, row.hold => TEXT, row.notes.as_str() => TEXT,
            decision.work => BOOL, news.keys => TEXT_ARRAY, news.ids => TEXT_ARRAY, news.subjects => TEXT_ARRAY,
            news.reasons => TEXT_ARRAY, decision.act => TEXT, decision.by => TEXT, decision.reason => TEXT,
        ];
        let written = done(&self.ask(&self.statements().decide, parameters).await?)?;
        if written == Written::Done {
            self.wake().hint_now().await;
        }
        Ok(written)
    }

    async fn claim_news(&self, max: usize, lease: Duration) -> Result<Vec<ClaimedNews>, StoreError> {
        let suspect = i32::try_from(SUSPECT).unwrap_or(i32::MAX);
        let parameters = parameters![count(max) => INT8, millis(lease) => INT8, suspect => INT4];
        let rows = self.ask(&self.statements().claim_news, parameters).await?;
        readable(rows.iter().map(|row| {
            let id: String = column(row, "id")?;
            let times = |name| Ok::<_, StoreError>(u32::try_from(column::<i32>(row, name)?).unwrap_or(0));
            let subject = Subject::by_name(column(row, "subject")?);
            let corrupt = || StoreError::Corrupt { id: id.clone(), field: "subject" };
            let subject = subject.ok_or_else(corrupt)?;
            let news = News { key: column(row, "key")?, id, subject, reason: column(row, "reason")? };
            Ok(ClaimedNews {
                fence: column(row, "fence")?,
                tries: times("tries")?,
                failed: times("failed")?,
                news,
            })
        }))
    }

    async fn news_told(&self, key: &str, fence: i64, again: Option<Duration>) -> Result<Written, StoreError> {
        let again = again.map(millis);
        let parameters = parameters![key => TEXT, fence => INT8, again => INT8];
        done(&self.ask(&self.statements().news_told, parameters).await?)
    }

    async fn checkout(&self, id: &str) -> Result<Option<Checkout>, StoreError> {
        let rows = self.ask(&self.statements().checkout, parameters![id => TEXT]).await?;
        rows.first().map(checkout).transpose()
    }

    async fn overview(&self, filter: &Filter<'_>) -> Result<Vec<Overview>, StoreError> {
        let state = filter.state.map(|state| state.name());
        let parameters = parameters![
            state => TEXT, filter.held => BOOL, filter.after => TEXT, count(filter.most()) => INT8,
            filter.id => TEXT,
        ];
        let rows = self.ask(&self.statements().overview, parameters).await?;
        let seen = |row: &Row| {
            Ok(Overview {
                checkout: checkout(row)?,
                nudged: column(row, "nudged")?,
                due: column::<Option<i64>>(row, "due")?.map(Moment::from_unix_millis),
                leased: column(row, "leased")?,
                tries: u32::try_from(column::<i32>(row, "tries")?).unwrap_or(0),
            })
        };
        rows.iter().map(seen).collect()
    }

    async fn unmatched(&self, after: i64, most: usize) -> Result<Vec<Unmatched>, StoreError> {
        let parameters = parameters![after => INT8, count(most) => INT8];
        let rows = self.ask(&self.statements().unmatched, parameters).await?;
        let event = |row: &Row| {
            Ok(Unmatched {
                number: column(row, "number")?,
                lane: column(row, "lane")?,
                checkout_id: column(row, "checkout_id")?,
                reference: column(row, "reference")?,
                seen_at: moment(row, "seen_at")?,
            })
        };
        rows.iter().map(event).collect()
    }

    async fn decisions(&self, id: &str) -> Result<Vec<Decided>, StoreError> {
        let rows = self.ask(&self.statements().decisions, parameters![id => TEXT]).await?;
        rows.iter()
            .map(|row| {
                Ok(Decided {
                    at: moment(row, "at")?,
                    act: column(row, "act")?,
                    by: column(row, "by")?,
                    reason: column(row, "reason")?,
                })
            })
            .collect()
    }

    async fn woken(&self) {
        self.wake().woken().await;
    }

    async fn figures(&self) -> Result<Figures, StoreError> {
        let rows = self.ask(&self.statements().figures, &[]).await?;
        let row = rows.first().ok_or_else(unseen)?;
        let figure = |name| column(row, name).map(unsigned);
        // A database can keep its own figures from the role altogether.
        let health = match self.ask(&self.statements().health, &[]).await {
            Err(StoreError::Rights(_)) => Vec::new(),
            health => health?,
        };
        let of_health = |name| match health.first() {
            Some(row) => Ok(column::<Option<i64>>(row, name)?.map(unsigned)),
            None => Ok::<_, StoreError>(None),
        };
        let oldest = column::<Option<i64>>(row, "oldest_due")?.map_or(0, unsigned);
        Ok(Figures {
            oldest_due: Duration::from_millis(oldest),
            work: figure("work")?,
            leased: figure("leased")?,
            waiting: Some(figure("waiting")?),
            limit_used: Some(figure("limit_used")?),
            held: figure("held")?,
            news: figure("news")?,
            unmatched: figure("unmatched")?,
            dead_rows: of_health("dead_rows")?,
            oldest_transaction: of_health("oldest_transaction")?.map(Duration::from_millis),
        })
    }

    async fn sweep(&self, max: usize) -> Result<usize, StoreError> {
        let parameters = parameters![count(max) => INT8, BEHIND => INT8, millis(UNMATCHED_KEPT) => INT8];
        let rows = self.ask(&self.statements().sweep, parameters).await?;
        let swept: i64 = column(rows.first().ok_or_else(unseen)?, "swept")?;
        Ok(usize::try_from(swept).unwrap_or(usize::MAX))
    }
}
