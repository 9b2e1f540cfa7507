//! News, and their telling.

use crate::db::Db;
use crate::rows::{corrupt, count, from_now, get, signed};
use crate::shared::next_fence;
use checkout_engine::{ClaimedNews, News, SUSPECT, StoreError, Subject, Written};
use checkout_tables::Moment;
use rusqlite::params;
use std::time::Duration;

/// Leases news that is due; suspect news alone. As with work, news that cannot be read is put off. The
/// first such row is the inner error where nothing can be read.
pub(crate) fn claim(
    db: &Db<'_>,
    max: usize,
    lease: Duration,
    now: Moment,
) -> Result<Result<Vec<ClaimedNews>, StoreError>, StoreError> {
    let due = "SELECT key, tries >= ?3 FROM checkout_news WHERE due <= ?1 ORDER BY due, key LIMIT ?2";
    let mut due: Vec<(String, bool)> =
        db.all(due, params![now.unix_millis(), signed(max), SUSPECT], |row| {
            Ok((get(row, 0)?, get(row, 1)?))
        })?;
    if due.first().is_some_and(|(_, suspect)| *suspect) {
        due.truncate(1);
    } else {
        due.retain(|(_, suspect)| !suspect);
    }
    let (mut claimed, mut unreadable) = (Vec::with_capacity(due.len()), None);
    for (key, _) in due {
        let fence = next_fence(db)?;
        let take = "UPDATE checkout_news SET fence = ?2, due = ?3, tries = tries + 1 WHERE key = ?1 \
            RETURNING id, subject, reason, tries, failed";
        let row = db.first(take, params![key, fence, from_now(now, lease)], |row| {
            let subject = Subject::by_name(&get::<String>(row, 1)?);
            Ok((get(row, 0)?, subject, get(row, 2)?, count(get(row, 3)?), count(get(row, 4)?)))
        })?;
        match row {
            Some((id, Some(subject), reason, tries, failed)) => {
                claimed.push(ClaimedNews { fence, tries, failed, news: News { key, id, subject, reason } });
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
            "UPDATE checkout_news SET due = ?3, tries = 0, failed = failed + 1 WHERE key = ?1 AND fence = ?2",
            params![key, fence, from_now(now, after)],
        )?,
        None => db.change("DELETE FROM checkout_news WHERE key = ?1 AND fence = ?2", params![key, fence])?,
    };
    Ok(if changed == 0 { Written::Lost } else { Written::Done })
}
