//! Limits in memory: for tests, and the model that other limits are compared with.

use super::{Limit, Limits, Reserved, Room};
use crate::store::{ReadMade, StoreError};
use checkout_tables::Moment;
use core::fmt;
use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Limits in memory, which forget everything with the process. For tests; the clock can be a virtual one.
///
/// ```
/// # checkout_doctest::facade!(engine);
/// use checkout_kit::engine::{Limit, Limits, MemoryLimits, ReadMade, Reserved};
/// use checkout_kit::tables::{RateLimit, RateScope};
/// use std::time::Duration;
///
/// let limits = MemoryLimits::new();
/// let rate = RateLimit { requests: 1, per_seconds: 60, scope: RateScope::Merchant };
/// let (lane, lease) = (Limit { lane: "peach/shop", rate }, Duration::from_secs(30));
/// # pollster::block_on(async {
/// assert_eq!(limits.reserve(lane, 1, lease).await?, Reserved::Granted);
/// assert!(matches!(limits.reserve(lane, 2, lease).await?, Reserved::Wait(_)));
/// limits.end(lane, 1, ReadMade::None).await?;
/// assert_eq!(limits.reserve(lane, 3, lease).await?, Reserved::Granted);
/// # Ok::<(), checkout_engine::StoreError>(())
/// # }).unwrap();
/// ```
pub struct MemoryLimits {
    clock: Box<dyn Fn() -> Moment + Send + Sync>,
    lanes: Mutex<BTreeMap<String, Lane>>,
}

#[derive(Default)]
struct Lane {
    /// The places: the claim, and the moment from which the place is free.
    taken: BTreeMap<i64, Moment>,
    /// The provider asked the lane to wait until then.
    wait: Option<Moment>,
}

impl MemoryLimits {
    /// Limits with a clock of the process, which nobody sets.
    #[must_use]
    pub fn new() -> Self {
        let (began, since) = (Moment::now(), Instant::now());
        Self::with_clock(move || began.saturating_add(since.elapsed()))
    }

    /// Limits with a clock of yours, such as a sandbox's virtual clock.
    pub fn with_clock(clock: impl Fn() -> Moment + Send + Sync + 'static) -> Self {
        Self { clock: Box::new(clock), lanes: Mutex::default() }
    }

    fn lanes(&self) -> MutexGuard<'_, BTreeMap<String, Lane>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryLimits {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryLimits").field("lanes", &self.lanes().len()).finish_non_exhaustive()
    }
}

impl Lane {
    /// The room under a limit of so many requests.
    fn room(&self, requests: u32, now: Moment) -> Room {
        if requests == 0 {
            return Room { places: 0, wait: Duration::MAX };
        }
        let waits = self.wait.map_or(Duration::ZERO, |until| until.saturating_since(now));
        let mut ends: Vec<Moment> = self.taken.values().copied().filter(|end| *end > now).collect();
        let count = u32::try_from(ends.len()).unwrap_or(u32::MAX);
        if count < requests {
            let places = if waits.is_zero() { requests.saturating_sub(count) } else { 0 };
            return Room { places, wait: waits };
        }
        ends.sort_unstable();
        // More are taken than the limit has where the limit was lowered.
        let surplus = usize::try_from(count.saturating_sub(requests)).unwrap_or(usize::MAX);
        let end = ends.get(surplus).copied().unwrap_or(now);
        Room { places: 0, wait: end.saturating_since(now).max(waits) }
    }
}

impl Limits for MemoryLimits {
    async fn room(&self, lanes: &[Limit<'_>], _: Duration) -> Result<Vec<Room>, StoreError> {
        let (now, known, none) = ((self.clock)(), self.lanes(), Lane::default());
        let room = |limit: &Limit<'_>| known.get(limit.lane).unwrap_or(&none).room(limit.rate.requests, now);
        Ok(lanes.iter().map(room).collect())
    }

    async fn reserve(&self, lane: Limit<'_>, place: i64, lease: Duration) -> Result<Reserved, StoreError> {
        let now = (self.clock)();
        let mut lanes = self.lanes();
        let known = lanes.entry(lane.lane.to_owned()).or_default();
        known.taken.retain(|_, end| *end > now);
        let room = known.room(lane.rate.requests, now);
        if room.places == 0 {
            return Ok(Reserved::Wait(room.wait));
        }
        if let Some(end) = known.taken.get(&place) {
            return Ok(Reserved::Wait(end.saturating_since(now)));
        }
        known.taken.insert(place, now.saturating_add(lease).saturating_add(lane.held()));
        Ok(Reserved::Granted)
    }

    async fn end(&self, lane: Limit<'_>, place: i64, read: ReadMade) -> Result<(), StoreError> {
        let now = (self.clock)();
        let mut lanes = self.lanes();
        let taken = &mut lanes.entry(lane.lane.to_owned()).or_default().taken;
        taken.retain(|_, end| *end > now);
        match read {
            ReadMade::None => taken.remove(&place),
            ReadMade::Answered => taken.insert(place, now.saturating_add(lane.held())),
            ReadMade::Sent => {
                let held = now.saturating_add(lane.held());
                taken.insert(place, taken.get(&place).copied().map_or(held, |until| held.max(until)))
            }
        };
        Ok(())
    }

    async fn wait(&self, lane: &str, span: Duration) -> Result<(), StoreError> {
        let until = (self.clock)().saturating_add(span);
        let mut lanes = self.lanes();
        let known = lanes.entry(lane.to_owned()).or_default();
        known.wait = known.wait.max(Some(until));
        Ok(())
    }
}
