//! The limits.

use core::time::Duration;

use checkout_engine::{Limit, Limits, ReadMade, Reserved, Room, StoreError};

use crate::connection::Redis;
use crate::error::{outdated, strange};
use crate::place::{End, Reservation};

/// The most lanes that one script looks at: a script holds up the whole server.
const LOOKS: usize = 256;

/// Whole milliseconds, up to some thousand years.
pub(crate) fn millis(span: Duration) -> String {
    const MOST: u128 = 100_000_000_000_000;
    span.as_nanos().div_ceil(1_000_000).min(MOST).to_string()
}

/// The wait of an answer: -1 is for ever.
fn wait(millis: i64) -> Duration {
    u64::try_from(millis).map_or(Duration::MAX, Duration::from_millis)
}

impl Redis {
    /// Takes places, each with the answer of its own: 0 for a place, -1 for never, or the wait.
    async fn reserve_all(&self, all: Vec<Reservation>) -> Result<Vec<i64>, StoreError> {
        let (mut lanes, mut waits, mut arguments) = (Vec::new(), Vec::new(), Vec::new());
        for Reservation { keys: [lane, wait], arguments: of_place } in all {
            lanes.push(lane);
            waits.push(wait);
            arguments.extend(of_place);
        }
        lanes.append(&mut waits);
        let asked = self.ask::<Vec<i64>>(&self.scripts().reserve, &lanes, &arguments).await?;
        if asked.is_old && asked.answer.contains(&0) {
            return Err(outdated());
        }
        Ok(asked.answer)
    }

    async fn end_all(&self, all: Vec<End>) -> Result<Vec<()>, StoreError> {
        let none = vec![(); all.len()];
        let (mut lanes, mut arguments) = (Vec::new(), Vec::new());
        for End { key, arguments: of_place } in all {
            lanes.push(key);
            arguments.extend(of_place);
        }
        self.tell::<i64>(&self.scripts().end, &lanes, &arguments).await?;
        Ok(none)
    }

    fn lane(&self, lane: Limit<'_>) -> String {
        self.key(&format!("lane:{}", lane.lane))
    }

    fn lanes_wait(&self, lane: &str) -> String {
        self.key(&format!("wait:{lane}"))
    }
}

impl Limits for Redis {
    async fn room(&self, lanes: &[Limit<'_>], lease: Duration) -> Result<Vec<Room>, StoreError> {
        let mut rooms = Vec::with_capacity(lanes.len());
        for lanes in lanes.chunks(LOOKS) {
            let (mut keys, mut arguments) = (Vec::new(), vec![millis(lease)]);
            for lane in lanes {
                keys.push(self.lane(*lane));
                arguments.extend([lane.rate.requests.to_string(), millis(lane.held())]);
            }
            keys.extend(lanes.iter().map(|lane| self.lanes_wait(lane.lane)));
            // A look grants nothing: an old answer does.
            let asked = self.ask(&self.scripts().room, &keys, &arguments).await?;
            let answer: Vec<(u32, i64)> = asked.answer;
            if answer.len() != lanes.len() {
                return Err(strange());
            }
            rooms.extend(answer.into_iter().map(|(places, span)| Room { places, wait: wait(span) }));
        }
        Ok(rooms)
    }

    async fn reserve(&self, lane: Limit<'_>, place: i64, lease: Duration) -> Result<Reserved, StoreError> {
        let reservation = Reservation {
            keys: [self.lane(lane), self.lanes_wait(lane.lane)],
            arguments: [
                place.to_string(),
                lane.rate.requests.to_string(),
                millis(lane.held()),
                millis(lease),
            ],
        };
        let redis = self.clone();
        let run = move |all| {
            let redis = redis.clone();
            async move { redis.reserve_all(all).await }
        };
        Ok(match self.reservations.call(reservation, run).await? {
            0 => Reserved::Granted,
            span => Reserved::Wait(wait(span)),
        })
    }

    async fn end(&self, lane: Limit<'_>, place: i64, read: ReadMade) -> Result<(), StoreError> {
        let (held, longer) = match read {
            ReadMade::None => (String::new(), ""),
            ReadMade::Sent => (millis(lane.held()), "GT"),
            ReadMade::Answered => (millis(lane.held()), ""),
        };
        let end = End { key: self.lane(lane), arguments: [place.to_string(), held, longer.to_owned()] };
        let redis = self.clone();
        let run = move |all| {
            let redis = redis.clone();
            async move { redis.end_all(all).await }
        };
        self.ends.call(end, run).await
    }

    async fn wait(&self, lane: &str, span: Duration) -> Result<(), StoreError> {
        self.tell::<i64>(&self.scripts().wait, &[self.lanes_wait(lane)], &[millis(span)]).await.map(drop)
    }
}
