//! Moments and ticks: the calendar counts in ticks, which are hundredths of a second since 1970, and so do
//! ranks.

use super::merchant::RANK_BITS;
use checkout_lifecycle::Moment;
use core::time::Duration;

/// The latest moment seen, and the tick from which ranks are counted.
#[derive(Clone, Copy)]
pub(super) struct Clock {
    /// Milliseconds since 1970, [`LATEST`] at most.
    now: i64,
    /// The tick at which the schedule was created, or to which its clock was last set back.
    origin: u64,
}

impl Clock {
    pub(super) fn new(now: Moment) -> Self {
        let now = now.unix_millis().min(LATEST);
        Self { now, origin: tick(now) }
    }

    /// Takes in a moment, and returns the latest moment seen: time never goes backwards.
    pub(super) fn advance(&mut self, now: Moment) -> Moment {
        self.now = self.now.max(now.unix_millis()).min(LATEST);
        self.moment()
    }

    /// Takes in that the clock was set back: time continues from this moment, and ranks are counted from
    /// here.
    pub(super) fn set_back(&mut self, now: Moment) {
        self.now = now.unix_millis();
        self.origin = tick(self.now);
    }

    pub(super) const fn moment(self) -> Moment {
        Moment::from_unix_millis(self.now)
    }

    pub(super) const fn millis(self) -> i64 {
        self.now
    }

    /// The tick that the present moment is in.
    pub(super) fn tick(self) -> u64 {
        tick(self.now)
    }

    /// A deadline as a rank, for comparing: this long after a moment. A deadline that is far from the origin
    /// counts as equally far.
    pub(super) fn rank(self, at: Moment, later: Duration) -> u64 {
        let from_origin = tick(at.unix_millis()).saturating_add(RANKS_BEFORE).saturating_sub(self.origin);
        let later = u64::try_from(later.as_millis() / u128::from(TICK_MILLIS)).unwrap_or(u64::MAX);
        from_origin.saturating_add(later).min(LAST_RANK)
    }
}

/// The tick that a moment is in. A moment before 1970 is in the first tick.
fn tick(millis: i64) -> u64 {
    u64::try_from(millis).unwrap_or(0) / TICK_MILLIS
}

/// The first tick that does not begin before a moment.
pub(super) fn tick_from(at: Moment) -> u64 {
    u64::try_from(at.unix_millis()).unwrap_or(0).div_ceil(TICK_MILLIS)
}

/// The millisecond at which a tick begins.
pub(super) fn millis_of(tick: u64) -> i64 {
    i64::try_from(tick.saturating_mul(TICK_MILLIS)).unwrap_or(i64::MAX)
}

const TICK_MILLIS: u64 = 10;
/// A later millisecond is never.
const LATEST: i64 = i64::MAX - 1;
/// Ranks reach from 5 years before the origin to 16 years after it.
const RANKS_BEFORE: u64 = 1 << 34;
const LAST_RANK: u64 = (1 << RANK_BITS) - 1;
