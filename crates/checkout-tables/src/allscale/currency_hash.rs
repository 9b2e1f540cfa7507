//! A perfect hash from the currencies' codes to their rows, built and proved at compile time.
//!
//! A new row needs no change here: the build searches for the multiplier anew. If a build stops with "no
//! multiplier found", the rows have outgrown the slots: raise `SLOT_BITS` by one.

use super::Currency;

/// Slots that hold a row's number plus one; 0 is an empty slot.
pub(super) struct CodeIndex {
    slots: [u8; SLOTS],
}

impl CodeIndex {
    /// Fills the slots. Two codes in one slot stop the build.
    #[expect(clippy::indexing_slicing, reason = "evaluated at compile time")]
    pub(super) const fn new(rows: &[Currency]) -> Self {
        let mut slots = [0; SLOTS];
        let mut row = 0;
        while row < rows.len() {
            let slot = slot(KEYS[row], MULTIPLIER);
            assert!(slots[slot] == 0, "two codes share a slot");
            assert!(row < 255, "more rows than a slot can number");
            #[expect(clippy::cast_possible_truncation, reason = "below 255, as asserted")]
            let number = (row + 1) as u8;
            slots[slot] = number;
            row += 1;
        }
        Self { slots }
    }

    #[expect(clippy::indexing_slicing, reason = "a slot is SLOT_BITS wide, a filled one numbers a row")]
    pub(super) const fn find(&self, code: &str) -> Option<Currency> {
        let Some(wanted) = key(code) else { return None };
        let number = self.slots[slot(wanted, MULTIPLIER)] as usize;
        if number == 0 || KEYS[number - 1] != wanted {
            return None;
        }
        Some(Currency::ROWS[number - 1])
    }
}

/// The three bytes of a code as one number; none for any other length.
const fn key(code: &str) -> Option<u32> {
    match *code.as_bytes() {
        [a, b, c] => Some((a as u32) << 16 | (b as u32) << 8 | c as u32),
        _ => None,
    }
}

/// The top bits of the product.
const fn slot(key: u32, multiplier: u32) -> usize {
    (key.wrapping_mul(multiplier) >> (u32::BITS - SLOT_BITS)) as usize
}

/// The first multiplier of a fixed sequence with which no two keys share a slot. About one in 660 fits for
/// 163 keys in 2048 slots, and 4096 are tried.
#[expect(clippy::indexing_slicing, reason = "below the length; a slot is SLOT_BITS wide")]
const fn multiplier(keys: &[u32]) -> Option<u32> {
    let mut candidate = FIRST;
    let mut tried = 0;
    while tried < 4_096 {
        let mut taken = [false; SLOTS];
        let mut at = 0;
        while at < keys.len() {
            let slot = slot(keys[at], candidate);
            if taken[slot] {
                break;
            }
            taken[slot] = true;
            at += 1;
        }
        if at == keys.len() {
            return Some(candidate);
        }
        candidate = candidate.wrapping_mul(STEP);
        tried += 1;
    }
    None
}

const SLOT_BITS: u32 = 11;
const SLOTS: usize = 1 << SLOT_BITS;

/// The prime next to 2^32 divided by the golden ratio, a usual multiplier to hash with. The prime is odd, and
/// so are all multipliers that follow.
const FIRST: u32 = 0x9e37_79b1;

/// The difference between two multipliers: 3 modulo 8, so that the sequence does not come back to its first
/// for 2^30 steps.
const STEP: u32 = 0x2c1b_3c6b;

const MULTIPLIER: u32 = match multiplier(&KEYS) {
    Some(found) => found,
    None => panic!("no multiplier found: raise SLOT_BITS by one"),
};

static KEYS: [u32; Currency::ROWS.len()] = {
    let mut keys = [0; Currency::ROWS.len()];
    let mut row = 0;
    while row < keys.len() {
        #[expect(clippy::indexing_slicing, reason = "evaluated at compile time")]
        match key(Currency::ROWS[row].code()) {
            Some(key) => keys[row] = key,
            None => panic!("a code that is not of three letters"),
        }
        row += 1;
    }
    keys
};

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    extern crate std;

    use super::{FIRST, KEYS, MULTIPLIER, STEP, key, multiplier};
    use std::collections::BTreeSet;
    use std::vec::Vec;

    /// The number of slots that the keys fill, with the product taken in 64 bits and its bits cut out by
    /// division.
    fn filled(keys: &[u32], multiplier: u32) -> usize {
        let product = |key: &u32| u64::from(*key) * u64::from(multiplier) % (1 << 32);
        keys.iter().map(|key| product(key) / (1 << 21)).collect::<BTreeSet<_>>().len()
    }

    #[test]
    fn the_multiplier_is_the_first_of_its_sequence_that_parts_all_the_codes() {
        let sequence = std::iter::successors(Some(FIRST), |last| Some(last.wrapping_mul(STEP)));
        let first = sequence.take(4_096).find(|candidate| filled(&KEYS, *candidate) == KEYS.len());
        assert_eq!(first, Some(MULTIPLIER));
    }

    #[test]
    fn a_further_row_finds_a_multiplier_by_itself() {
        let invented = ('A'..='Z').map(|letter| key(&std::format!("X{letter}Q")).unwrap());
        let invented: Vec<u32> = invented.filter(|key| !KEYS.contains(key)).collect();
        for further in &invented {
            let grown: Vec<u32> = KEYS.iter().chain([further]).copied().collect();
            assert_eq!(filled(&grown, multiplier(&grown).unwrap()), 164);
        }
        let grown: Vec<u32> = KEYS.iter().chain(&invented[..8]).copied().collect();
        assert_eq!(filled(&grown, multiplier(&grown).unwrap()), 171);
    }

    #[test]
    fn codes_that_no_multiplier_parts_are_given_up() {
        assert_eq!(multiplier(&[KEYS[0], KEYS[0]]), None);
    }
}
