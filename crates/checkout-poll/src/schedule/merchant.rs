//! One account of a provider: its plan, what its requests share, and who of its checkouts is to be read now.

use super::MerchantId;
use super::limit::Limiter;
use crate::Plan;
use alloc::collections::BinaryHeap;
use core::cmp::Reverse;

/// One account of a provider.
#[derive(Clone)]
pub(super) struct Merchant {
    pub(super) plan: Plan,
    pub(super) limiter: Option<Limiter>,
    /// No request before this, in milliseconds: what a limit said, or the caller.
    pub(super) until: i64,
    /// How many times in a row the provider said to slow down without saying for how long.
    pub(super) limited: u32,
    /// The rank and the id of who is to be read now, lowest first. An id that has another rank meanwhile, or
    /// none, is passed over.
    ready: BinaryHeap<Reverse<u64>>,
    /// How many checkouts are to be read now.
    pub(super) waiting: u32,
    /// How many checkouts it has.
    pub(super) checkouts: u32,
    /// Which of the merchants it is that had this place one after the other.
    pub(super) generation: u32,
    /// Whether it was removed, and the place is free.
    pub(super) is_gone: bool,
    /// Whether it is in the round of those that can ask.
    pub(super) in_turn: bool,
    /// Whether it is among those that wait until they may ask.
    pub(super) asleep: bool,
}

impl Merchant {
    pub(super) fn new(plan: Plan, limiter: Option<Limiter>) -> Self {
        Self {
            plan,
            limiter,
            until: i64::MIN,
            limited: 0,
            ready: BinaryHeap::new(),
            waiting: 0,
            checkouts: 0,
            generation: 0,
            is_gone: false,
            in_turn: false,
            asleep: false,
        }
    }

    /// The next merchant in the place of one that was removed. The memory stays.
    pub(super) fn follow(&mut self, plan: Plan, limiter: Option<Limiter>) {
        let (ready, generation) = (core::mem::take(&mut self.ready), self.generation);
        *self = Self { ready, generation, ..Self::new(plan, limiter) };
    }

    /// It is removed: nobody is waiting, and nothing means it any more.
    pub(super) fn go(&mut self) {
        self.ready.clear();
        self.generation = self.generation.wrapping_add(1);
        (self.is_gone, self.in_turn, self.asleep) = (true, false, false);
    }

    /// The clock was set back to here. Nobody is to be read by it until they are put in again.
    pub(super) fn set_back(&mut self, was: i64, now: i64) {
        if self.until <= was {
            self.until = self.until.min(now);
        } else if self.until < i64::MAX {
            self.until = now.saturating_add(self.until.saturating_sub(was));
        }
        if let Some(limiter) = &mut self.limiter {
            limiter.set_back(now);
        }
        self.ready.clear();
        (self.waiting, self.in_turn, self.asleep) = (0, false, false);
    }

    /// Whether an id means it.
    pub(super) const fn is_called(&self, id: MerchantId) -> bool {
        !self.is_gone && self.generation == id.generation
    }

    /// From when on it may ask: `now` if it may ask now, `i64::MAX` for never.
    pub(super) fn free_at(&mut self, now: i64) -> i64 {
        let limit = self.limiter.as_mut().map_or(now, |limiter| limiter.free_at(now));
        limit.max(self.until).max(now)
    }

    /// One that is to be read now, by this rank from here on.
    pub(super) fn push(&mut self, rank: u64, id: u32) {
        self.ready.push(Reverse((rank << ID_BITS) | u64::from(id)));
    }

    /// Whether most ranks do not hold any more.
    pub(super) fn is_untidy(&self) -> bool {
        self.ready.len() > 2 * self.waiting as usize + 32
    }

    /// Keeps the ranks that hold, each once.
    pub(super) fn tidy(&mut self, is_current: impl Fn(u64, u32) -> bool) {
        let mut kept = core::mem::take(&mut self.ready).into_vec();
        kept.retain(|Reverse(packed)| {
            let (rank, id) = unpack(*packed);
            is_current(rank, id)
        });
        kept.sort_unstable();
        kept.dedup();
        self.ready = kept.into();
    }

    /// Who comes first, perhaps by a rank that no longer holds.
    pub(super) fn pop(&mut self) -> Option<(u64, u32)> {
        let Reverse(packed) = self.ready.pop()?;
        Some(unpack(packed))
    }

    /// One less to be read now.
    pub(super) fn leaves(&mut self) {
        self.waiting = self.waiting.saturating_sub(1);
        if self.waiting == 0 {
            // All that is left does not hold.
            self.ready.clear();
        }
    }

    /// How many ranks there are, with those that do not hold any more.
    #[cfg(test)]
    pub(super) fn ranks(&self) -> usize {
        self.ready.len()
    }
}

fn unpack(packed: u64) -> (u64, u32) {
    let id = (packed & (u64::MAX >> (64 - ID_BITS))) as u32;
    (packed >> ID_BITS, id)
}

/// An id has so many bits, a rank the others.
pub(super) const ID_BITS: u32 = 28;
pub(super) const RANK_BITS: u32 = 64 - ID_BITS;
