//! The other queues that were tried: each keeps ids with the ticks at which the ids are due.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A queue of ids below the number that the queue was made for.
pub(crate) trait Queue {
    fn with_room_for(ids: u32) -> Self;
    /// The id is in the queue nowhere, and the tick is not over.
    fn insert(&mut self, id: u32, due: u64);
    fn cancel(&mut self, id: u32);
    fn pop(&mut self, now: u64) -> Option<u32>;
}

/// A binary heap of packed numbers. A canceled id stays until its time comes.
pub(crate) struct Heap {
    heap: BinaryHeap<Reverse<u64>>,
    due: Vec<u32>,
}

impl Queue for Heap {
    fn with_room_for(ids: u32) -> Self {
        Self { heap: BinaryHeap::with_capacity(ids as usize), due: vec![NONE; ids as usize] }
    }

    fn insert(&mut self, id: u32, due: u64) {
        self.due[id as usize] = due as u32;
        self.heap.push(Reverse((due << 32) | u64::from(id)));
    }

    fn cancel(&mut self, id: u32) {
        self.due[id as usize] = NONE;
    }

    fn pop(&mut self, now: u64) -> Option<u32> {
        loop {
            let Reverse(packed) = *self.heap.peek()?;
            if packed >> 32 > now {
                return None;
            }
            self.heap.pop();
            let due = &mut self.due[packed as u32 as usize];
            if u64::from(*due) == packed >> 32 {
                *due = NONE;
                return Some(packed as u32);
            }
        }
    }
}

/// A wheel of doubly linked lists through the entries themselves, one list for each of 65,536 ticks; an entry
/// further off stays in its list for a lap more.
pub(crate) struct LinkedWheel {
    now: u64,
    heads: Vec<u32>,
    links: Vec<Link>,
    at: u32,
}

#[derive(Clone, Copy)]
struct Link {
    next: u32,
    before: u32,
    due: u32,
}

impl LinkedWheel {
    const LISTS: u32 = 1 << 16;

    fn unlink(&mut self, id: u32) {
        let Link { next, before, due } = self.links[id as usize];
        match before {
            NONE => self.heads[(due % Self::LISTS) as usize] = next,
            before => self.links[before as usize].next = next,
        }
        if next != NONE {
            self.links[next as usize].before = before;
        }
        self.links[id as usize].due = NONE;
    }
}

impl Queue for LinkedWheel {
    fn with_room_for(ids: u32) -> Self {
        let link = Link { next: NONE, before: NONE, due: NONE };
        Self { now: 0, heads: vec![NONE; Self::LISTS as usize], links: vec![link; ids as usize], at: NONE }
    }

    fn insert(&mut self, id: u32, due: u64) {
        let due = due as u32;
        let head = &mut self.heads[(due % Self::LISTS) as usize];
        let next = std::mem::replace(head, id);
        self.links[id as usize] = Link { next, before: NONE, due };
        if next != NONE {
            self.links[next as usize].before = id;
        }
    }

    fn cancel(&mut self, id: u32) {
        let Link { next, due, .. } = self.links[id as usize];
        if due != NONE {
            if self.at == id {
                self.at = next;
            }
            self.unlink(id);
        }
    }

    fn pop(&mut self, now: u64) -> Option<u32> {
        loop {
            while self.at == NONE {
                if self.now >= now {
                    return None;
                }
                self.now += 1;
                self.at = self.heads[(self.now as u32 % Self::LISTS) as usize];
            }
            let id = self.at;
            let Link { next, due, .. } = self.links[id as usize];
            self.at = next;
            if due == self.now as u32 {
                self.unlink(id);
                return Some(id);
            }
        }
    }
}

/// A calendar of buckets as the crate's, in two levels, but ids do not know their places: a canceled id stays
/// until its time comes. Nothing sweeps here.
pub(crate) struct LazyCalendar {
    now: u64,
    heads: Vec<u32>,
    chunks: Vec<Chunk>,
    spare: u32,
    due: Vec<u32>,
    at: u32,
}

#[derive(Clone, Copy)]
struct Chunk {
    ids: [u32; 14],
    len: u32,
    next: u32,
}

impl LazyCalendar {
    const TICKS: u64 = 8192;
    const FAR: u64 = 512;

    fn put(&mut self, id: u32, due: u64) {
        let bucket = match due - self.now {
            0..=Self::TICKS => due % Self::TICKS,
            _ => Self::TICKS + due / Self::TICKS % Self::FAR,
        };
        let mut head = self.heads[bucket as usize];
        if head == NONE || self.chunks[head as usize].len == 14 {
            let chunk = Chunk { ids: [0; 14], len: 0, next: head };
            head = self.spare;
            if head == NONE {
                head = self.chunks.len() as u32;
                self.chunks.push(chunk);
            } else {
                self.spare = self.chunks[head as usize].next;
                self.chunks[head as usize] = chunk;
            }
            self.heads[bucket as usize] = head;
        }
        let chunk = &mut self.chunks[head as usize];
        chunk.ids[chunk.len as usize] = id;
        chunk.len += 1;
    }

    fn deal_out(&mut self, block: u64) {
        let bucket = Self::TICKS + block % Self::FAR;
        let mut at = std::mem::replace(&mut self.heads[bucket as usize], NONE);
        while at != NONE {
            let Chunk { ids, len, next } = self.chunks[at as usize];
            self.chunks[at as usize].next = self.spare;
            self.spare = at;
            for id in &ids[..len as usize] {
                let due = u64::from(self.due[*id as usize]);
                if due / Self::TICKS == block {
                    self.put(*id, due);
                }
            }
            at = next;
        }
    }
}

impl Queue for LazyCalendar {
    fn with_room_for(ids: u32) -> Self {
        let buckets = (Self::TICKS + Self::FAR) as usize;
        let chunks = Vec::with_capacity(ids as usize / 14 + buckets);
        Self {
            now: 0,
            heads: vec![NONE; buckets],
            chunks,
            spare: NONE,
            due: vec![NONE; ids as usize],
            at: NONE,
        }
    }

    fn insert(&mut self, id: u32, due: u64) {
        self.due[id as usize] = due as u32;
        self.put(id, due);
    }

    fn cancel(&mut self, id: u32) {
        self.due[id as usize] = NONE;
    }

    fn pop(&mut self, now: u64) -> Option<u32> {
        loop {
            while self.at == NONE {
                if self.now >= now {
                    return None;
                }
                let next = self.now + 1;
                if next.is_multiple_of(Self::TICKS) {
                    self.deal_out(next / Self::TICKS);
                }
                self.now = next;
                self.at = std::mem::replace(&mut self.heads[(next % Self::TICKS) as usize], NONE);
            }
            let chunk = &mut self.chunks[self.at as usize];
            chunk.len -= 1;
            let id = chunk.ids[chunk.len as usize];
            if chunk.len == 0 {
                let next = std::mem::replace(&mut chunk.next, self.spare);
                self.spare = std::mem::replace(&mut self.at, next);
            }
            if self.due[id as usize] == self.now as u32 {
                self.due[id as usize] = NONE;
                return Some(id);
            }
        }
    }
}

const NONE: u32 = u32::MAX;
