//! A perfect hash from the currencies' codes to their rows, built and proved at compile time.

use crate::allscale::Currency;

/// Slots that hold a row's number plus one; 0 is an empty slot.
pub(crate) struct CodeIndex {
    slots: [u8; SLOTS],
}

impl CodeIndex {
    /// Fills the slots. Two codes in one slot stop the build.
    #[expect(clippy::indexing_slicing, clippy::panic, reason = "evaluated at compile time")]
    pub(crate) const fn new(rows: &[Currency]) -> Self {
        let mut slots = [0; SLOTS];
        let mut row = 0;
        while row < rows.len() {
            let Some(key) = key(rows[row].code()) else { panic!("a code that is not of three letters") };
            let slot = slot(key);
            assert!(slots[slot] == 0, "two codes share a slot: look for another multiplier");
            assert!(row < 255, "more rows than a slot can number");
            #[expect(clippy::cast_possible_truncation, reason = "below 255, as asserted")]
            let number = (row + 1) as u8;
            slots[slot] = number;
            row += 1;
        }
        Self { slots }
    }

    #[expect(clippy::indexing_slicing, reason = "a slot is 11 bits wide, a filled one numbers a row")]
    pub(crate) const fn find(&self, code: &str) -> Option<Currency> {
        let Some(wanted) = key(code) else { return None };
        let number = self.slots[slot(wanted)] as usize;
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

/// The top 11 bits of the product.
const fn slot(key: u32) -> usize {
    (key.wrapping_mul(MULTIPLIER) >> 21) as usize
}

const SLOTS: usize = 1 << 11;

/// Found by search: with it no two of the 163 codes share a slot (the build proves it).
const MULTIPLIER: u32 = 4_190_206_589;

static KEYS: [u32; Currency::ROWS.len()] = {
    let mut keys = [0; Currency::ROWS.len()];
    let mut row = 0;
    while row < keys.len() {
        #[expect(clippy::indexing_slicing, reason = "evaluated at compile time")]
        if let Some(key) = key(Currency::ROWS[row].code()) {
            keys[row] = key;
        }
        row += 1;
    }
    keys
};
