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
    /// The same of those that go before them.
    jumping: BinaryHeap<Reverse<u64>>,
    /// True if the last one that was read went before others.
    jumped: bool,
    /// Until when there are places for those that were restored, in milliseconds.
    pub(super) spread_until: i64,
    /// True if whoever sends its reads has no room for another one.
    pub(super) busy: bool,
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
            jumping: BinaryHeap::new(),
            jumped: false,
            spread_until: i64::MIN,
            busy: false,
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
        let (ready, jumping) = (core::mem::take(&mut self.ready), core::mem::take(&mut self.jumping));
        *self = Self { ready, jumping, generation: self.generation, ..Self::new(plan, limiter) };
    }

    /// It is removed: nobody is waiting, and nothing means it any more.
    pub(super) fn go(&mut self) {
        self.clear();
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
        self.spread_until = self.spread_until.min(now);
        self.clear();
        (self.waiting, self.in_turn, self.asleep) = (0, false, false);
    }

    /// True if it has a read to give, as far as its checkouts and whoever sends it are concerned.
    pub(super) const fn is_waiting(&self) -> bool {
        self.waiting > 0 && !self.busy
    }

    /// True if nobody waits, and there is room for another read beside one.
    pub(super) fn has_room(&mut self, now: i64) -> bool {
        let has_room = self.limiter.as_mut().is_none_or(|limiter| limiter.room(now) >= 2);
        self.waiting == 0 && self.until <= now && has_room
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
    pub(super) fn push(&mut self, jumps: bool, rank: u64, id: u32) {
        let queue = if jumps { &mut self.jumping } else { &mut self.ready };
        queue.push(Reverse((rank << ID_BITS) | u64::from(id)));
    }

    /// Whether most ranks do not hold any more.
    pub(super) fn is_untidy(&self) -> bool {
        self.ready.len() + self.jumping.len() > 2 * self.waiting as usize + 32
    }

    /// Keeps the ranks that hold, each once.
    pub(super) fn tidy(&mut self, is_current: impl Fn(bool, u64, u32) -> bool) {
        for (jumps, queue) in [(false, &mut self.ready), (true, &mut self.jumping)] {
            let mut kept = core::mem::take(queue).into_vec();
            kept.retain(|Reverse(packed)| {
                let (rank, id) = unpack(*packed);
                is_current(jumps, rank, id)
            });
            kept.sort_unstable();
            kept.dedup();
            *queue = kept.into();
        }
    }

    /// Who comes first, perhaps by a rank that no longer holds, and whether it goes before others. After one that did
    /// comes one that does not, if there is one.
    pub(super) fn pop(&mut self) -> Option<(bool, u64, u32)> {
        let ordinary = if self.jumped { self.ready.pop() } else { None };
        let (jumps, packed) = match ordinary {
            Some(packed) => (false, packed),
            None => match self.jumping.pop() {
                Some(packed) => (true, packed),
                None => (false, self.ready.pop()?),
            },
        };
        let (rank, id) = unpack(packed.0);
        Some((jumps, rank, id))
    }

    /// One is read, which goes before others or does not.
    pub(super) fn is_given(&mut self, jumps: bool) {
        self.leaves();
        self.jumped = jumps && self.waiting > 0;
    }

    /// One less to be read now.
    pub(super) fn leaves(&mut self) {
        self.waiting = self.waiting.saturating_sub(1);
        if self.waiting == 0 {
            // All that is left does not hold.
            self.clear();
        }
    }

    /// How many ranks there are, with those that do not hold any more.
    #[cfg(test)]
    pub(super) fn ranks(&self) -> usize {
        self.ready.len() + self.jumping.len()
    }

    fn clear(&mut self) {
        self.ready.clear();
        self.jumping.clear();
    }
}

fn unpack(packed: u64) -> (u64, u32) {
    let id = (packed & (u64::MAX >> (64 - ID_BITS))) as u32;
    (packed >> ID_BITS, id)
}

/// An id has so many bits, a rank the others.
pub(super) const ID_BITS: u32 = 28;
pub(super) const RANK_BITS: u32 = 64 - ID_BITS;
