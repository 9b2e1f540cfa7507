//! Limits in Redis, whose clock is the machine's, for processes in a world whose time is faster.

use super::super::Outcome;
use super::super::weather::Weather;
use checkout_engine::{Limit, Limits, ReadMade, Reserved, Room, StoreError};
use checkout_store_redis::{Options, Redis, redis};
use checkout_tables::RateLimit;
use std::time::Duration;

/// Limits by the machine's clock, and how much faster the world's time is.
pub(crate) struct Quick<L> {
    limits: L,
    times: u32,
}

/// The server and the prefix of a storm's limits.
#[derive(Clone)]
pub(crate) struct InRedis {
    pub(crate) url: String,
    pub(crate) prefix: String,
}

impl Quick<Redis> {
    /// The limits of a storm, if they are in Redis.
    pub(crate) async fn open(weather: &Weather) -> Result<Option<Self>, StoreError> {
        let Some(InRedis { url, prefix }) = &weather.redis else { return Ok(None) };
        let limits = Options::new().prefix(prefix).connect(url).await?;
        Ok(Some(Self { limits, times: weather.times }))
    }

    /// Says that these limits have no memory to lose.
    pub(crate) async fn begin(&self) -> Result<(), StoreError> {
        self.limits.nothing_was_lost().await
    }
}

impl InRedis {
    /// The server forgets the limits of the storm, as after `FLUSHALL`. Returns how many keys there were.
    pub(crate) async fn forget(&self) -> Outcome<usize> {
        let client = redis::Client::open(self.url.as_str())?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        let of_storm = format!("{}*", self.prefix);
        let keys: Vec<String> = redis::cmd("KEYS").arg(of_storm).query_async(&mut connection).await?;
        if !keys.is_empty() {
            redis::cmd("UNLINK").arg(&keys).exec_async(&mut connection).await?;
        }
        Ok(keys.len())
    }
}

impl<L> Quick<L> {
    /// A limit of the world's, by the machine's clock: no wider than in the world.
    const fn limit<'a>(&self, limit: Limit<'a>) -> Limit<'a> {
        let per_seconds = limit.rate.per_seconds.div_ceil(self.times);
        Limit { rate: RateLimit { per_seconds, ..limit.rate }, ..limit }
    }

    fn in_the_world(&self, wait: Duration) -> Duration {
        wait.saturating_mul(self.times)
    }
}

impl<L: Limits> Limits for Quick<L> {
    async fn room(&self, lanes: &[Limit<'_>], lease: Duration) -> Result<Vec<Room>, StoreError> {
        let lanes: Vec<Limit<'_>> = lanes.iter().map(|lane| self.limit(*lane)).collect();
        let rooms = self.limits.room(&lanes, lease / self.times).await?.into_iter();
        Ok(rooms.map(|room| Room { wait: self.in_the_world(room.wait), ..room }).collect())
    }

    async fn reserve(&self, lane: Limit<'_>, place: i64, lease: Duration) -> Result<Reserved, StoreError> {
        Ok(match self.limits.reserve(self.limit(lane), place, lease / self.times).await? {
            Reserved::Granted => Reserved::Granted,
            Reserved::Wait(wait) => Reserved::Wait(self.in_the_world(wait)),
        })
    }

    async fn end(&self, lane: Limit<'_>, place: i64, read: ReadMade) -> Result<(), StoreError> {
        self.limits.end(self.limit(lane), place, read).await
    }

    async fn wait(&self, lane: &str, span: Duration) -> Result<(), StoreError> {
        self.limits.wait(lane, span / self.times).await
    }
}
