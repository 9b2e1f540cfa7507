//! News, and their telling.

use crate::db::Db;
use crate::rows::{corrupt, count, from_now, get, signed};
use crate::shared::next_fence;
use checkout_engine::{ClaimedNews, News, StoreError, Subject, Written};
use checkout_tables::Moment;
use rusqlite::params;
use std::time::Duration;

/// Leases news that is due. As with work, news that cannot be read is put off. The
/// first such row is the inner error where nothing can be read.
pub(crate) fn claim(
    db: &Db<'_>,
    max: usize,
    lease: Duration,
    now: Moment,
) -> Result<Result<Vec<ClaimedNews>, StoreError>, StoreError> {
    let due = "SELECT key FROM checkout_news WHERE due <= ?1 ORDER BY due, key LIMIT ?2";
    let keys: Vec<String> = db.all(due, params![now.unix_millis(), signed(max)], |row| get(row, 0))?;
    let (mut claimed, mut unreadable) = (Vec::with_capacity(keys.len()), None);
    for key in keys {
        let fence = next_fence(db)?;
        let take = "UPDATE checkout_news SET fence = ?2, due = ?3, tries = tries + 1 WHERE key = ?1 \
            RETURNING id, subject, reason, tries";
        let row = db.first(take, params![key, fence, from_now(now, lease)], |row| {
            let subject = Subject::by_name(&get::<String>(row, 1)?);
            Ok((get(row, 0)?, subject, get(row, 2)?, count(get(row, 3)?)))
        })?;
        match row {
            Some((id, Some(subject), reason, tries)) => {
                claimed.push(ClaimedNews { fence, tries, news: News { key, id, subject, reason } });
            }
            Some((_, None, ..)) => drop(unreadable.get_or_insert_with(|| corrupt(&key, "subject"))),
            None => {}
        }
    }
    Ok(match unreadable {
        Some(error) if claimed.is_empty() => Err(error),
        Some(_) | None => Ok(claimed),
    })
}

/// Ends the telling of news.
pub(crate) fn told(
    db: &Db<'_>,
    key: &str,
    fence: i64,
    again: Option<Duration>,
    now: Moment,
) -> Result<Written, StoreError> {
    // The fence of news that nobody has claimed.
    if fence == 0 {
        return Ok(Written::Lost);
    }
    let changed = match again {
        Some(after) => db.change(
            "UPDATE checkout_news SET due = ?3 WHERE key = ?1 AND fence = ?2",
            params![key, fence, from_now(now, after)],
        )?,
        None => db.change("DELETE FROM checkout_news WHERE key = ?1 AND fence = ?2", params![key, fence])?,
    };
    Ok(if changed == 0 { Written::Lost } else { Written::Done })
}
