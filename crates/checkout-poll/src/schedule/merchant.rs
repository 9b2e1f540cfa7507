//! One account of a provider: its policy, the limit that its requests share, and its checkouts to read now.

use super::limit::Limiter;
use crate::PollPolicy;
use alloc::collections::BinaryHeap;
use checkout_lifecycle::Moment;
use core::cmp::Reverse;
use core::time::Duration;

/// A merchant in a [`Schedule`](crate::Schedule). The id means nothing in another schedule, and the id of a
/// removed merchant means no merchant.
///
/// ```
/// # checkout_doctest::facade!(poll);
/// use checkout_kit::poll::Schedule;
/// use checkout_kit::{Moment, PollPolicy};
///
/// let mut schedule = Schedule::<()>::new(Moment::from_unix_millis(0), 42);
/// assert_ne!(schedule.merchant(PollPolicy::peach(), None), schedule.merchant(PollPolicy::peach(), None));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MerchantId {
    /// The merchant's number inside the schedule: a later merchant may have the same number.
    pub(super) slot: u32,
    /// The number of merchants that had the number before.
    pub(super) generation: u32,
}

/// One account of a provider.
#[derive(Clone)]
pub(super) struct Merchant {
    pub(super) policy: PollPolicy,
    pub(super) limiter: Option<Limiter>,
    /// No request before this millisecond: a limit or the caller set it.
    pub(super) until: i64,
    /// The number of times in a row that the provider said to slow down without saying for how long.
    pub(super) limited: u32,
    /// The queue of checkouts to read now: rank and id of each, the lowest first. An entry is stale and
    /// passed over if its checkout has another rank meanwhile, or none.
    ready: BinaryHeap<Reverse<u64>>,
    /// The queue of the checkouts that go before them.
    jumping: BinaryHeap<Reverse<u64>>,
    /// True if the last read went before others.
    jumped: bool,
    /// The millisecond until which the restored checkouts have places.
    pub(super) spread_until: i64,
    /// True if the sender of the merchant's reads has no room for another read.
    pub(super) busy: bool,
    /// The number of checkouts to read now.
    pub(super) waiting: u32,
    /// The number of checkouts that the merchant has.
    pub(super) checkouts: u32,
    /// The number of merchants that had the same number before.
    pub(super) generation: u32,
    /// True if the merchant was removed, and its number is free.
    pub(super) is_gone: bool,
    pub(super) turn: Turn,
}

/// A merchant's turn among the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// The merchant has none, because there is nothing to read or no room for an answer.
    None,
    /// The merchant is in the round of merchants that can ask.
    Waits,
    /// The merchant is among the merchants that wait until they may ask.
    Asleep,
}

/// A checkout in a merchant's queue, by the rank that its read had when it was put there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Queued {
    /// True if the read goes before the reads that nobody asked for.
    pub(super) jumps: bool,
    pub(super) rank: u64,
    pub(super) id: u32,
}

impl Merchant {
    pub(super) fn new(policy: PollPolicy, limiter: Option<Limiter>) -> Self {
        Self {
            policy,
            limiter,
            until: i64::MIN,
            limited: 0,
            ready: BinaryHeap::new(),
            jumping: BinaryHeap::new(),
            jumped: false,
            spread_until: i64::MIN,
            busy: false,
            waiting: 0,
            checkouts: 0,
            generation: 0,
            is_gone: false,
            turn: Turn::None,
        }
    }

    /// Makes a removed merchant the next one. The memory stays.
    pub(super) fn follow(&mut self, policy: PollPolicy, limiter: Option<Limiter>) {
        let (ready, jumping) = (core::mem::take(&mut self.ready), core::mem::take(&mut self.jumping));
        *self = Self { ready, jumping, generation: self.generation, ..Self::new(policy, limiter) };
    }

    /// Removes the merchant: no checkout waits, and no id means the merchant any more.
    pub(super) fn go(&mut self) {
        self.clear();
        self.generation = self.generation.wrapping_add(1);
        (self.is_gone, self.turn) = (true, Turn::None);
    }

    /// Takes in that the clock was set back to here. No checkout is to be read until the checkouts are put in
    /// again.
    pub(super) fn set_back(&mut self, was: i64, now: i64) {
        if self.until <= was {
            self.until = self.until.min(now);
        } else if self.until < i64::MAX {
            self.until = now.saturating_add(self.until.saturating_sub(was));
        }
        if let Some(limiter) = &mut self.limiter {
            limiter.set_back(now);
        }
        self.spread_until = self.spread_until.min(now);
        self.clear();
        (self.waiting, self.turn) = (0, Turn::None);
    }

    /// Returns true if there is a read to give, as far as the checkouts and the sender of the read are
    /// concerned.
    pub(super) const fn is_waiting(&self) -> bool {
        self.waiting > 0 && !self.busy
    }

    /// Returns true if no checkout waits, and there is room for two reads.
    pub(super) fn has_room(&mut self, now: i64) -> bool {
        let has_room = self.limiter.as_mut().is_none_or(|limiter| limiter.room(now) >= 2);
        self.waiting == 0 && self.until <= now && has_room
    }

    /// Returns true if an id means this merchant.
    pub(super) const fn is_called(&self, id: MerchantId) -> bool {
        !self.is_gone && self.generation == id.generation
    }

    /// The moment of the merchant's next read: `now` if the read may be given now, `i64::MAX` if never, and
    /// None if there is nothing to read.
    pub(super) fn next_read_at(&mut self, now: i64) -> Option<i64> {
        if !self.is_waiting() {
            return None;
        }
        let limit = self.limiter.as_mut().map_or(now, |limiter| limiter.free_at(now));
        Some(limit.max(self.until).max(now))
    }

    /// Takes in that a read was answered with too many requests. The merchant waits as long as the answer
    /// asked, or by the policy's backoff if the answer did not say; the policy's longest pause at most.
    pub(super) fn meets_limit(&mut self, now: Moment, said: Option<Duration>, seed: u64) {
        let wait = match said {
            Some(wait) => wait,
            // Reads that were on their way together are limited together, and count once.
            None if now.unix_millis() < self.until => return,
            None => {
                self.limited = self.limited.saturating_add(1);
                self.policy.backoff.wait(self.limited, seed)
            }
        };
        let until = now.saturating_add(wait.min(self.policy.longest_pause()));
        self.until = self.until.max(until.unix_millis());
    }

    /// Puts a checkout into the queue, by this rank from now on.
    pub(super) fn push(&mut self, Queued { jumps, rank, id }: Queued) {
        let queue = if jumps { &mut self.jumping } else { &mut self.ready };
        queue.push(Reverse((rank << ID_BITS) | u64::from(id)));
    }

    /// Returns true if most entries of the queue are stale.
    pub(super) fn is_untidy(&self) -> bool {
        self.ready.len() + self.jumping.len() > 2 * self.waiting as usize + 32
    }

    /// Keeps the entries that hold, each once.
    pub(super) fn tidy(&mut self, holds: impl Fn(Queued) -> bool) {
        for (jumps, queue) in [(false, &mut self.ready), (true, &mut self.jumping)] {
            let mut kept = core::mem::take(queue).into_vec();
            kept.retain(|Reverse(packed)| holds(unpack(jumps, *packed)));
            kept.sort_unstable();
            kept.dedup();
            *queue = kept.into();
        }
    }

    /// Takes out the first of the queue, whose entry may no longer hold. After a read that went before others
    /// comes one that does not, if there is one.
    pub(super) fn pop(&mut self) -> Option<Queued> {
        let ordinary = if self.jumped { self.ready.pop() } else { None };
        let (jumps, packed) = match ordinary {
            Some(packed) => (false, packed),
            None => match self.jumping.pop() {
                Some(packed) => (true, packed),
                None => (false, self.ready.pop()?),
            },
        };
        Some(unpack(jumps, packed.0))
    }

    /// A read of the merchant is given, which goes before others or does not.
    pub(super) fn gives(&mut self, jumps: bool, now: i64) {
        self.leaves();
        self.jumped = jumps && self.waiting > 0;
        if let Some(limiter) = &mut self.limiter {
            limiter.take(now);
        }
    }

    /// A checkout less is to be read now.
    pub(super) fn leaves(&mut self) {
        debug_assert!(self.waiting > 0, "those that are ready are counted");
        self.waiting = self.waiting.saturating_sub(1);
        if self.waiting == 0 {
            // All that is left does not hold.
            self.clear();
        }
    }

    /// The number of entries in the queue, with those that do not hold any more.
    #[cfg(test)]
    pub(super) fn ranks(&self) -> usize {
        self.ready.len() + self.jumping.len()
    }

    fn clear(&mut self) {
        self.ready.clear();
        self.jumping.clear();
    }
}

fn unpack(jumps: bool, packed: u64) -> Queued {
    let id = (packed & (u64::MAX >> (64 - ID_BITS))) as u32;
    Queued { jumps, rank: packed >> ID_BITS, id }
}

/// An id has so many bits, a rank the others.
pub(super) const ID_BITS: u32 = 28;
pub(super) const RANK_BITS: u32 = 64 - ID_BITS;
