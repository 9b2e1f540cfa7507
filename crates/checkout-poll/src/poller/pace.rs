//! The wait of a poller between two reads.

use super::Poller;
use super::clock::{TICK_MILLIS, after};
use crate::{PollPolicy, time};
use checkout_lifecycle::{Moment, Phase};
use core::time::Duration;

impl Poller {
    /// Delays the read that is due to a moment, but not past a deadline that is to come.
    pub(crate) fn put_off(&mut self, now: Moment, until: Moment) {
        if until <= now {
            return;
        }
        let is_open = self.deadline > self.tick(now);
        let until = after(self.millis(until), Duration::ZERO);
        self.due = self.due.max(if is_open { until.min(self.deadline) } else { until });
    }

    /// The pause after an answer. None if no read is to be sent before the deadline.
    pub(super) fn pause(&self, policy: &PollPolicy, now: u64) -> Option<Duration> {
        if self.unconfirmed_end() {
            return Some(policy.initial_interval);
        }
        if let Some(late) = self.late_payment_reads(policy) {
            return Some(late.every);
        }
        match self.phase {
            Some(Phase::InReview) => Some(policy.review.every),
            Some(Phase::PayerAction) if self.is_waited_for() => policy.challenge_interval,
            _ => Some(self.ordinary(policy, now)),
        }
    }

    /// Returns true if the answer may shorten the pause.
    pub(super) fn is_ordinary(&self, policy: &PollPolicy) -> bool {
        self.phase != Some(Phase::InReview)
            && !self.is_waited_for()
            && self.late_payment_reads(policy).is_none()
    }

    /// The ordinary pause: an eighth of the checkout's age, within the policy's bounds.
    pub(super) fn ordinary(&self, policy: &PollPolicy, now: u64) -> Duration {
        Duration::from_millis(now / 8).min(policy.max_interval).max(policy.initial_interval)
    }

    /// The tick in which a pause ends, after chance has shortened the pause.
    pub(super) fn soon(&self, policy: &PollPolicy, now: u64, pause: Duration) -> u32 {
        let less = time::share(pause, policy.jitter_permille, self.chance());
        after(now, pause.saturating_sub(less)).max(self.earliest)
    }

    /// The deadline, if the deadline comes first or would come too soon after a read for another read.
    pub(super) fn or_at_the_end(&self, policy: &PollPolicy, due: u32) -> u32 {
        let last = self.deadline.max(self.earliest);
        if due.saturating_add(after(0, gap(policy))) > self.deadline { last } else { due }
    }

    /// A pseudorandom number, the same whenever the same reports come at the same time.
    pub(super) fn chance(&self) -> u64 {
        let now = (u64::from(self.started_at) << 32) | u64::from(self.seen);
        time::mix(now ^ time::mix(self.seed.into()))
    }
}

/// The shortest time between two reads.
pub(super) fn gap(policy: &PollPolicy) -> Duration {
    policy.min_gap.max(Duration::from_millis(TICK_MILLIS))
}
