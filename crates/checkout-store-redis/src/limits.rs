//! The limits.

use core::time::Duration;

use checkout_engine::{Limit, Limits, ReadMade, Reserved, Room, StoreError};

use crate::connection::Redis;
use crate::error::{outdated, strange};

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
        let keys = [self.lane(lane), self.lanes_wait(lane.lane)];
        let arguments =
            [place.to_string(), lane.rate.requests.to_string(), millis(lane.held()), millis(lease)];
        let asked = self.ask::<i64>(&self.scripts().reserve, &keys, &arguments).await?;
        match asked.answer {
            0 if asked.is_old => Err(outdated()),
            0 => Ok(Reserved::Granted),
            span => Ok(Reserved::Wait(wait(span))),
        }
    }

    async fn end(&self, lane: Limit<'_>, place: i64, read: ReadMade) -> Result<(), StoreError> {
        let held = match read {
            ReadMade::None => String::new(),
            ReadMade::Sent | ReadMade::Answered => millis(lane.held()),
        };
        self.tell::<i64>(&self.scripts().end, &[self.lane(lane)], &[place.to_string(), held]).await.map(drop)
    }

    async fn wait(&self, lane: &str, span: Duration) -> Result<(), StoreError> {
        self.tell::<i64>(&self.scripts().wait, &[self.lanes_wait(lane)], &[millis(span)]).await.map(drop)
    }
}
