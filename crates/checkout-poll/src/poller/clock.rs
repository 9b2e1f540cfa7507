//! The time of a poller: ticks of 10 ms since the checkout began, and a clock that is set back.

use super::Poller;
use crate::time;
use checkout_lifecycle::Moment;
use core::time::Duration;

impl Poller {
    /// Reports that the clock may have been set back. Waits continue, for as long as was left at the latest
    /// moment seen, and so does the time to the deadline, if the deadline had not passed by then. Call this
    /// before [`next`](Self::next) and the calls that follow; otherwise, if a clock ran a year ahead and the
    /// poller saw that time, the poller would wait for that year.
    ///
    /// A moment that is less than a minute before the latest moment changes nothing: it counts as the latest
    /// moment. Assumed: the clocks of two machines, or a moment and its use, are less far apart.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{ReadKind, PollPolicy, Poller, Step};
    /// # use core::time::Duration;
    /// let (policy, began) = (PollPolicy::allscale(), Moment::from_unix_millis(1_700_000_000_000));
    /// let mut poller = Poller::new(&policy, began, 42);
    /// poller.mark_sent(&policy, began.saturating_add(Duration::from_secs(86_400))); // by a clock that is wrong
    /// poller.set_back(began);
    /// let again = began.saturating_add(Duration::from_secs(1));
    /// assert_eq!(poller.next(&policy, began), Step::Wait(again));
    /// assert_eq!(poller.next(&policy, again), Step::Fetch(ReadKind::Status));
    /// ```
    pub fn set_back(&mut self, now: Moment) {
        if self.moment(self.seen).saturating_since(now) < time::SET_BACK {
            return;
        }
        let seconds = whole_seconds(now);
        let is_before_it_began = seconds < self.started_at;
        if is_before_it_began {
            // A second of room, for events just before this moment.
            self.started_at = seconds.saturating_sub(1);
        }
        let asked_past_it = self.earliest > self.deadline;
        let was = core::mem::take(&mut self.seen);
        // The moment is rounded up, so that nothing is early.
        self.seen = after(self.millis(now), Duration::ZERO);
        let seen = self.seen;
        // A time that is too long to be counted stays so, unless all of it was seen by the clock that ran
        // ahead.
        let left = |tick: u32| match tick {
            NEVER if was <= u32::MAX / 2 => NEVER,
            _ if tick < was => seen.saturating_sub(was - tick),
            _ => seen.saturating_add(tick - was),
        };
        self.earliest = left(self.earliest);
        self.due = left(self.due);
        // A deadline that had passed was set before the clock ran ahead, and stands.
        if is_before_it_began || self.deadline > was {
            self.deadline = left(self.deadline);
            // If both passed too long ago to be told apart, the earliest read stays later than the deadline.
            if asked_past_it {
                self.earliest = self.earliest.max(1);
                self.due = self.due.max(1);
                self.deadline = self.deadline.min(self.earliest - 1);
            }
        }
        if self.deadline > self.seen {
            // A read sent by the clock that ran ahead was sent before the deadline.
            self.forget_last_read();
        }
    }

    /// Counts from this moment on.
    pub(super) fn begin_anew(&mut self, now: Moment) {
        let started_at = whole_seconds(now).max(self.started_at);
        let shift = u64::from(started_at.abs_diff(self.started_at)).saturating_mul(TICKS_A_SECOND);
        let shift = u32::try_from(shift).unwrap_or(u32::MAX);
        self.started_at = started_at;
        self.seen = self.seen.saturating_sub(shift);
        for tick in [&mut self.earliest, &mut self.due] {
            // A time that was too long to be counted stays so.
            if *tick != NEVER {
                *tick = tick.saturating_sub(shift);
            }
        }
    }

    /// The milliseconds from the beginning to a moment, or to the latest moment seen if that is later.
    pub(super) fn millis(&self, at: Moment) -> u64 {
        let since = at.unix_millis().saturating_sub(i64::from(self.started_at).saturating_mul(1_000));
        u64::try_from(since).unwrap_or(0).max(u64::from(self.seen).saturating_mul(TICK_MILLIS))
    }

    /// The tick that a moment is in.
    pub(super) fn tick(&self, at: Moment) -> u32 {
        u32::try_from(self.millis(at) / TICK_MILLIS).unwrap_or(u32::MAX)
    }

    /// Takes in a new moment, and returns its milliseconds.
    pub(super) fn advance(&mut self, now: Moment) -> u64 {
        let millis = self.millis(now);
        self.seen = self.tick(now);
        millis
    }

    /// The moment at which a tick begins.
    pub(super) fn moment(&self, tick: u32) -> Moment {
        let since = Duration::from_millis(u64::from(tick).saturating_mul(TICK_MILLIS));
        Moment::from_unix_millis(i64::from(self.started_at).saturating_mul(1_000)).saturating_add(since)
    }
}

/// The tick in which a span ends that begins this many milliseconds after the beginning, rounded up.
pub(super) fn after(now: u64, span: Duration) -> u32 {
    let millis = now.saturating_add(time::millis_up(span));
    u32::try_from(millis.div_ceil(TICK_MILLIS)).unwrap_or(u32::MAX)
}

/// Whole seconds since the Unix epoch, from 1970 to 2106.
pub(super) fn whole_seconds(at: Moment) -> u32 {
    u32::try_from(at.unix_millis().max(0) / 1_000).unwrap_or(u32::MAX)
}

pub(super) const TICK_MILLIS: u64 = 10;
const TICKS_A_SECOND: u64 = 100;
/// The end of the counted range.
pub(super) const NEVER: u32 = u32::MAX;
