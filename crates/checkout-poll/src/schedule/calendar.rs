//! A calendar of buckets, in three levels: the ids of checkouts by the tick at which to look at each.
//!
//! A bucket is a list of chunks of ids, and the chunks come out of one pool: an emptied bucket keeps no
//! memory. An id is in the calendar at most once and knows its place, so an id is removed at once, wherever
//! it is, and nothing dead is left behind. The first level has a bucket for each of the next 8,192 ticks (82
//! seconds, more than most pauses), the second 512 buckets of 8,192 ticks each (12 hours), the third 1,024 of
//! 4,194,304 (492 days). An id that lies further off comes up early, and its owner inserts the id again. An
//! entry of a higher level moves down once for each level, when time reaches its bucket; nothing else ever
//! touches the entry.
#![expect(
    clippy::indexing_slicing,
    reason = "buckets, chunks and places are numbers that only this file makes"
)]

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

/// Ids with the tick that each waits for. A tick is a number; the owner gives the number a meaning.
#[derive(Clone)]
pub(crate) struct Calendar {
    /// Everything up to this tick has come up.
    now: u64,
    /// The first chunk of each bucket, with the number of ids in that chunk: the other chunks are full. Or
    /// [`NONE`].
    heads: Box<[u32]>,
    /// A bit for each bucket that is not empty.
    filled: [u64; BUCKETS / 64],
    /// A bit for each word of `filled` that is not zero, for the first level.
    filled_words: [u64; FIRST / 64 / 64],
    /// For each bucket above the first level: the lowest tick in the bucket, counted from the start of the
    /// bucket, or [`NOT_KNOWN`].
    lowest: Box<[u32]>,
    chunks: Vec<Chunk>,
    /// The first chunk that no bucket uses.
    spare: u32,
    entries: Vec<Entry>,
}

impl Calendar {
    pub(crate) fn new(now: u64) -> Self {
        Self {
            now,
            heads: vec![NONE; BUCKETS + 1].into_boxed_slice(),
            filled: [0; BUCKETS / 64],
            filled_words: [0; FIRST / 64 / 64],
            lowest: vec![NOT_KNOWN; BUCKETS - FIRST].into_boxed_slice(),
            chunks: Vec::new(),
            spare: NONE,
            entries: Vec::new(),
        }
    }

    /// Makes room for the ids below `ids`, in any place: nothing else allocates.
    pub(crate) fn make_room(&mut self, ids: usize) {
        if ids > self.entries.len() {
            self.entries.reserve_exact(ids - self.entries.len());
            // Filled up to the allocated capacity, and the chunks that so many ids need in the worst case.
            let ids = self.entries.capacity();
            self.entries.resize(ids, Entry { due: 0, place: NONE });
            let chunks = ids / index(IDS) + ids.min(BUCKETS + 1) + 1;
            self.chunks.reserve_exact(chunks - self.chunks.len());
        }
    }

    /// Inserts an id that is not in the calendar yet and has room. A tick that is not after the present tick
    /// counts as the next tick, and a tick that is too far off counts as the end of the buckets.
    pub(crate) fn insert(&mut self, id: u32, due: u64) {
        let due = due.clamp(self.now + 1, self.now + HORIZON);
        self.put(id, due);
    }

    /// Removes an id. Returns true if the id was in the calendar.
    pub(crate) fn remove(&mut self, id: u32) -> bool {
        let Entry { due, place } = self.entries[index(id)];
        if place == NONE {
            return false;
        }
        self.entries[index(id)].place = NONE;
        let level = LEVELS[index(place >> INSIDE_BITS) & 3];
        // An id that is due at the present tick was in the first level.
        let is_due = level.shift == 0 && due == low(self.now);
        let bucket = if is_due { DUE } else { level.bucket(u64::from(due)) };
        let last = self.take_last(bucket);
        if last != id {
            self.chunks[index(place >> PLACE_BITS)].ids[index(place & INSIDE)] = last;
            self.entries[index(last)].place = place;
        }
        if let Some(lowest) = bucket.checked_sub(FIRST).and_then(|above| self.lowest.get_mut(above)) {
            // Perhaps this was the lowest: the next caller of `earliest` looks through the bucket.
            if *lowest == offset(bucket, due) {
                *lowest = NOT_KNOWN;
            }
        }
        true
    }

    /// Removes everything, and begins at another tick.
    pub(crate) fn restart(&mut self, now: u64) {
        self.now = now;
        self.heads.fill(NONE);
        self.filled.fill(0);
        self.filled_words.fill(0);
        self.lowest.fill(NOT_KNOWN);
        self.chunks.clear();
        self.spare = NONE;
        self.entries.fill(Entry { due: 0, place: NONE });
    }

    /// True if an id is in the calendar.
    #[cfg(test)]
    pub(crate) fn contains(&self, id: u32) -> bool {
        self.entries.get(index(id)).is_some_and(|entry| entry.place != NONE)
    }

    /// Takes out some of the ids whose tick has come by `now`, of the earliest tick. Returns their number;
    /// zero means that no such id is left.
    pub(crate) fn pop(&mut self, now: u64, ids: &mut [u32; SOME]) -> usize {
        while self.heads[DUE] == NONE {
            // Ids that were inserted since come after the present tick.
            if now <= self.now {
                return 0;
            }
            let next = self.next_start().filter(|next| *next <= now);
            let Some(next) = next else {
                self.now = now;
                return 0;
            };
            // Just before a bucket's time it is dealt out to the levels below.
            self.now = next - 1;
            for level in [THIRD_LEVEL, SECOND_LEVEL] {
                if next & ((1 << level.shift) - 1) == 0 {
                    self.deal_out(level.bucket(next));
                }
            }
            self.now = next;
            self.detach(FIRST_LEVEL.bucket(next));
        }
        let head = self.heads[DUE];
        let at = head >> INSIDE_BITS;
        let chunk = &mut self.chunks[index(at)];
        *ids = chunk.ids;
        self.heads[DUE] = full_chunk(core::mem::replace(&mut chunk.next, self.spare));
        self.spare = at;
        let some = index(head & INSIDE);
        for id in ids.iter().take(some) {
            self.entries[index(*id)].place = NONE;
        }
        some
    }

    /// The tick of the earliest id.
    pub(crate) fn earliest(&mut self) -> Option<u64> {
        if self.heads[DUE] != NONE {
            return Some(self.now);
        }
        let mut earliest = self.next_of(FIRST_LEVEL);
        for level in [SECOND_LEVEL, THIRD_LEVEL] {
            let Some(start) = self.next_of(level) else { continue };
            if earliest.is_none_or(|earliest| start < earliest) {
                let due = start + u64::from(self.lowest_of(level.bucket(start)));
                earliest = Some(earliest.map_or(due, |earliest| earliest.min(due)));
            }
        }
        earliest
    }

    /// The allocated bytes.
    #[cfg(test)]
    pub(crate) fn allocated(&self) -> usize {
        size_of_val(&*self.heads)
            + size_of_val(&*self.lowest)
            + self.chunks.capacity() * size_of::<Chunk>()
            + self.entries.capacity() * size_of::<Entry>()
    }

    fn put(&mut self, id: u32, due: u64) {
        let fits = |level: &Level| (due >> level.shift) - (self.now >> level.shift) <= level.buckets;
        let number = LEVELS.iter().position(fits).unwrap_or(LEVELS.len() - 1);
        let bucket = LEVELS[number].bucket(due);
        let head = self.heads[bucket];
        let is_first = head == NONE;
        let head = if is_first || head & INSIDE == IDS { self.new_chunk(bucket, head) } else { head };
        let (at, inside) = (head >> INSIDE_BITS, head & INSIDE);
        self.chunks[index(at)].ids[index(inside)] = id;
        self.heads[bucket] = head + 1;
        let place = at << PLACE_BITS | LEVEL_NUMBERS[number] | inside;
        self.entries[index(id)] = Entry { due: low(due), place };
        if let Some(above) = bucket.checked_sub(FIRST) {
            // A bucket's first id makes its lowest tick known; an unknown lowest tick stays unknown.
            let lowest = &mut self.lowest[above];
            let offset = offset(bucket, low(due));
            if is_first || (*lowest != NOT_KNOWN && offset < *lowest) {
                *lowest = offset;
            }
        }
    }

    /// A bucket's new first chunk, with nothing in it.
    fn new_chunk(&mut self, bucket: usize, head: u32) -> u32 {
        let next = if head == NONE { NONE } else { head >> INSIDE_BITS };
        let at = self.spare;
        let at = if at == NONE {
            self.chunks.push(Chunk { next, ids: [0; SOME] });
            low(self.chunks.len() as u64) - 1
        } else {
            self.spare = core::mem::replace(&mut self.chunks[index(at)].next, next);
            at
        };
        self.filled[bucket / 64] |= 1 << (bucket % 64);
        if bucket < FIRST {
            self.filled_words[bucket / 4096] |= 1 << (bucket / 64 % 64);
        }
        at << INSIDE_BITS
    }

    /// Takes the last id out of a bucket's first chunk. The id's own entry is left as it is.
    fn take_last(&mut self, bucket: usize) -> u32 {
        let head = self.heads[bucket] - 1;
        let (at, inside) = (head >> INSIDE_BITS, head & INSIDE);
        let chunk = &mut self.chunks[index(at)];
        let id = chunk.ids[index(inside)];
        self.heads[bucket] = head;
        if inside == 0 {
            let next = core::mem::replace(&mut chunk.next, self.spare);
            self.spare = at;
            self.heads[bucket] = full_chunk(next);
            if next == NONE {
                self.is_empty_now(bucket);
            }
        }
        id
    }

    fn is_empty_now(&mut self, bucket: usize) {
        if bucket < BUCKETS {
            self.filled[bucket / 64] &= !(1 << (bucket % 64));
            if bucket < FIRST && self.filled[bucket / 64] == 0 {
                self.filled_words[bucket / 4096] &= !(1 << (bucket / 64 % 64));
            }
        }
    }

    /// Moves a bucket's ids to the due bucket, which is empty.
    fn detach(&mut self, bucket: usize) {
        self.heads[DUE] = core::mem::replace(&mut self.heads[bucket], NONE);
        self.is_empty_now(bucket);
    }

    /// Moves a bucket's ids down to the levels below.
    fn deal_out(&mut self, bucket: usize) {
        let mut head = core::mem::replace(&mut self.heads[bucket], NONE);
        self.is_empty_now(bucket);
        while head != NONE {
            let at = head >> INSIDE_BITS;
            let Chunk { next, ids } = self.chunks[index(at)].clone();
            self.chunks[index(at)].next = self.spare;
            self.spare = at;
            for id in ids.into_iter().take(index(head & INSIDE)) {
                self.put(id, self.full(self.entries[index(id)].due));
            }
            head = full_chunk(next);
        }
    }

    /// The start of the next bucket that is not empty, in any level.
    fn next_start(&self) -> Option<u64> {
        LEVELS.into_iter().filter_map(|level| self.next_of(level)).min()
    }

    /// The start of a level's next bucket that is not empty.
    fn next_of(&self, level: Level) -> Option<u64> {
        let present = self.now >> level.shift;
        let from = index(low((present + 1) & (level.buckets - 1)));
        let (base, buckets) = (level.base, index(low(level.buckets)));
        let found =
            self.filled_from(base + from, base + buckets).or_else(|| self.filled_from(base, base + from))?;
        let ahead = (found - base + buckets - from) % buckets;
        Some((present + 1 + ahead as u64) << level.shift)
    }

    /// The first bucket that is not empty in a range of buckets.
    fn filled_from(&self, from: usize, to: usize) -> Option<usize> {
        let mut word = from / 64;
        let mut bits = self.filled.get(word)? & (u64::MAX << (from % 64));
        while bits == 0 {
            word += 1;
            // This passes over zero words of the first level 64 at a time.
            while let Some(words) = self.filled_words.get(word / 64) {
                let words = words & (u64::MAX << (word % 64));
                if words != 0 {
                    word = word / 64 * 64 + words.trailing_zeros() as usize;
                    break;
                }
                word = (word / 64 + 1) * 64;
            }
            if word * 64 >= to {
                return None;
            }
            bits = *self.filled.get(word)?;
        }
        let bucket = word * 64 + bits.trailing_zeros() as usize;
        (bucket < to).then_some(bucket)
    }

    fn lowest_of(&mut self, bucket: usize) -> u32 {
        let above = bucket - FIRST;
        if self.lowest[above] == NOT_KNOWN {
            let mut head = self.heads[bucket];
            while head != NONE {
                let chunk = &self.chunks[index(head >> INSIDE_BITS)];
                for id in chunk.ids.iter().take(index(head & INSIDE)) {
                    let offset = offset(bucket, self.entries[index(*id)].due);
                    self.lowest[above] = self.lowest[above].min(offset);
                }
                head = full_chunk(chunk.next);
            }
        }
        self.lowest[above]
    }

    /// The full tick of a stored low half. The tick is after the present one, by less than [`HORIZON`].
    fn full(&self, due: u32) -> u64 {
        self.now + u64::from(due.wrapping_sub(low(self.now)))
    }
}

#[derive(Clone, Copy)]
struct Entry {
    /// The low half of the id's tick.
    due: u32,
    /// The id's chunk, level and position in the chunk, or [`NONE`].
    place: u32,
}

/// One cache line of a processor.
#[derive(Clone)]
struct Chunk {
    next: u32,
    ids: [u32; SOME],
}

#[derive(Clone, Copy)]
struct Level {
    /// The level's first bucket.
    base: usize,
    buckets: u64,
    /// The number of tick bits of a bucket.
    shift: u32,
}

impl Level {
    const fn bucket(self, tick: u64) -> usize {
        self.base + index(low((tick >> self.shift) & (self.buckets - 1)))
    }
}

/// The head of a bucket whose first chunk is a full chunk, or none.
const fn full_chunk(at: u32) -> u32 {
    if at == NONE { NONE } else { at << INSIDE_BITS | IDS }
}

/// The distance of a tick from a bucket's start, by the low half of the tick.
const fn offset(bucket: usize, due: u32) -> u32 {
    let shift = if bucket < THIRD_LEVEL.base { SECOND_LEVEL.shift } else { THIRD_LEVEL.shift };
    due & ((1 << shift) - 1)
}

const fn index(number: u32) -> usize {
    number as usize
}

#[expect(clippy::cast_possible_truncation, reason = "the low half is what is asked for")]
const fn low(tick: u64) -> u32 {
    tick as u32
}

const FIRST: usize = 8192;
const FIRST_LEVEL: Level = Level { base: 0, buckets: 8192, shift: 0 };
const SECOND_LEVEL: Level = Level { base: FIRST, buckets: 512, shift: 13 };
const THIRD_LEVEL: Level = Level { base: FIRST + 512, buckets: 1024, shift: 22 };
const LEVELS: [Level; 3] = [FIRST_LEVEL, SECOND_LEVEL, THIRD_LEVEL];
const BUCKETS: usize = FIRST + 512 + 1024;
/// One more bucket: the ids that are due.
const DUE: usize = BUCKETS;
/// The horizon: less than the low half of a tick can represent.
pub(crate) const HORIZON: u64 = 1023 << 22;
const IDS: u32 = 15;
/// The maximum number of ids that come up together.
pub(crate) const SOME: usize = IDS as usize;
/// The lowest 4 bits of a place are the position of an id in its chunk; the 2 above are its level; the bits
/// above those are the chunk. 2²⁶ chunks hold more ids than there can be.
const INSIDE_BITS: u32 = 4;
const INSIDE: u32 = (1 << INSIDE_BITS) - 1;
const PLACE_BITS: u32 = INSIDE_BITS + 2;
const LEVEL_NUMBERS: [u32; 3] = [0, 1 << INSIDE_BITS, 2 << INSIDE_BITS];
const NONE: u32 = u32::MAX;
const NOT_KNOWN: u32 = u32::MAX;

const _: () = {
    // Levels lie side by side, and a bucket has all ticks of the level below.
    assert!(SECOND_LEVEL.base == FIRST_LEVEL.base + index(low(FIRST_LEVEL.buckets)));
    assert!(THIRD_LEVEL.base == SECOND_LEVEL.base + index(low(SECOND_LEVEL.buckets)));
    assert!(BUCKETS == THIRD_LEVEL.base + index(low(THIRD_LEVEL.buckets)) && BUCKETS.is_multiple_of(64));
    assert!(1 << SECOND_LEVEL.shift == FIRST_LEVEL.buckets << FIRST_LEVEL.shift);
    assert!(1 << THIRD_LEVEL.shift == SECOND_LEVEL.buckets << SECOND_LEVEL.shift);
    assert!(HORIZON < THIRD_LEVEL.buckets << THIRD_LEVEL.shift && HORIZON <= u32::MAX as u64);
};
