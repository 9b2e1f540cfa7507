//! The replay guard.

use core::time::Duration;

use checkout_engine::StoreError;
use checkout_tables::Moment;
use checkout_trust::replay::{AsyncStore, Commit, FencingToken, Key, Release, Slot};

use crate::connection::Redis;
use crate::error::{RedisFault, outdated, strange};
use crate::limits::millis;

/// What an entry outlives its time by: callers' clocks may disagree, and a late commit finds its claim.
const SLACK: Duration = Duration::from_secs(24 * 60 * 60);

/// What is kept for longer is kept for ever.
const FOR_EVER: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// A moment in 20 digits, which compare as texts as the moments compare.
fn digits(moment: Moment) -> String {
    let offset = i128::from(moment.unix_millis()).saturating_sub(i128::from(i64::MIN));
    format!("{offset:020}")
}

fn moment(digits: &str) -> Option<Moment> {
    let offset: i128 = digits.parse().ok()?;
    i64::try_from(offset.saturating_add(i128::from(i64::MIN))).ok().map(Moment::from_unix_millis)
}

/// The life of an entry, empty for one that is kept for ever.
fn life(span: Duration) -> String {
    if span >= FOR_EVER { String::new() } else { millis(span.saturating_add(SLACK)) }
}

impl Redis {
    fn seen(&self, key: &Key) -> String {
        self.key(&format!("seen:{key}"))
    }
}

impl AsyncStore for Redis {
    type Error = StoreError;

    async fn claim(&self, key: &Key, now: Moment, lease: Duration) -> Result<Slot, StoreError> {
        let keys = [self.seen(key), self.key("fence")];
        let wait = self.guard_wait().min(key.retention()).max(lease);
        let arguments = [digits(now), digits(now.saturating_add(lease)), life(lease), millis(wait)];
        let asked = self.ask(&self.scripts().claim, &keys, &arguments).await?;
        let (what, number): (String, String) = asked.answer;
        match what.as_str() {
            "fresh" if asked.is_old => Err(outdated()),
            "fresh" => {
                number.parse().map(|number| Slot::Fresh(FencingToken::new(number))).map_err(|_| strange())
            }
            "held" => moment(&number).map(|until| Slot::InFlight { until }).ok_or_else(strange),
            "done" => Ok(Slot::Done),
            "closed" => Err(StoreError::Unavailable(Box::new(RedisFault::new(&format!(
                "Redis may have forgotten events: claims are refused for {number} ms more"
            ))))),
            _ => Err(strange()),
        }
    }

    async fn commit(&self, key: &Key, fence: FencingToken, now: Moment) -> Result<Commit, StoreError> {
        let until = digits(now.saturating_add(key.retention()));
        let arguments = [fence.to_string(), until, life(key.retention())];
        let done: i64 = self.tell(&self.scripts().commit, &[self.seen(key)], &arguments).await?;
        Ok(if done == 1 { Commit::Committed } else { Commit::Lost })
    }

    async fn release(&self, key: &Key, fence: FencingToken) -> Result<Release, StoreError> {
        let freed: i64 = self.tell(&self.scripts().release, &[self.seen(key)], &[fence.to_string()]).await?;
        Ok(if freed == 1 { Release::Released } else { Release::Lost })
    }
}
