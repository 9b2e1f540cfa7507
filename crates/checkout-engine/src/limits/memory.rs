//! Limits in memory: for tests, and the model that other limits are compared with.

use super::{Limit, Limits, Reserved, Room};
use crate::store::{ReadMade, StoreError};
use checkout_tables::Moment;
use core::fmt;
use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

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
    /// The places of each lane: the claim, and the moment from which the place is free.
    taken: Mutex<BTreeMap<String, BTreeMap<i64, Moment>>>,
}

impl MemoryLimits {
    /// Limits with the clock of the system.
    #[must_use]
    pub fn new() -> Self {
        Self::with_clock(Moment::now)
    }

    /// Limits with a clock of yours, such as a sandbox's virtual clock.
    pub fn with_clock(clock: impl Fn() -> Moment + Send + Sync + 'static) -> Self {
        Self { clock: Box::new(clock), taken: Mutex::default() }
    }

    fn taken(&self) -> MutexGuard<'_, BTreeMap<String, BTreeMap<i64, Moment>>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryLimits {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryLimits").field("lanes", &self.taken().len()).finish_non_exhaustive()
    }
}

/// The room of a lane whose places are free from these moments.
fn room(requests: u32, taken: Option<&BTreeMap<i64, Moment>>, now: Moment) -> Room {
    let mut ends: Vec<Moment> =
        taken.into_iter().flat_map(BTreeMap::values).copied().filter(|end| *end > now).collect();
    let count = u32::try_from(ends.len()).unwrap_or(u32::MAX);
    if count < requests {
        return Room { places: requests.saturating_sub(count), wait: Duration::ZERO };
    }
    if requests == 0 {
        return Room { places: 0, wait: Duration::MAX };
    }
    ends.sort_unstable();
    // More are taken than the limit has where the limit was lowered.
    let surplus = usize::try_from(count.saturating_sub(requests)).unwrap_or(usize::MAX);
    let end = ends.get(surplus).copied().unwrap_or(now);
    Room { places: 0, wait: end.saturating_since(now) }
}

impl Limits for MemoryLimits {
    async fn room(&self, lanes: &[Limit<'_>], _: Duration) -> Result<Vec<Room>, StoreError> {
        let (now, taken) = ((self.clock)(), self.taken());
        Ok(lanes.iter().map(|limit| room(limit.rate.requests, taken.get(limit.lane), now)).collect())
    }

    async fn reserve(&self, lane: Limit<'_>, place: i64, lease: Duration) -> Result<Reserved, StoreError> {
        let now = (self.clock)();
        let mut lanes = self.taken();
        let taken = lanes.entry(lane.lane.to_owned()).or_default();
        taken.retain(|_, end| *end > now);
        let room = room(lane.rate.requests, Some(taken), now);
        if room.places == 0 {
            return Ok(Reserved::Wait(room.wait));
        }
        if let Some(end) = taken.get(&place) {
            return Ok(Reserved::Wait(end.saturating_since(now)));
        }
        taken.insert(place, now.saturating_add(lease).saturating_add(lane.held()));
        Ok(Reserved::Granted)
    }

    async fn end(&self, lane: Limit<'_>, place: i64, read: ReadMade) -> Result<(), StoreError> {
        let now = (self.clock)();
        let mut lanes = self.taken();
        let taken = lanes.entry(lane.lane.to_owned()).or_default();
        taken.retain(|_, end| *end > now);
        match read {
            ReadMade::None => taken.remove(&place),
            ReadMade::Sent | ReadMade::Answered => taken.insert(place, now.saturating_add(lane.held())),
        };
        Ok(())
    }
}
