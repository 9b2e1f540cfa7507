//! Facts derived from the steps, computed at compile time.

/// The statuses that can be reached from one status: a bit for each row of its table.
///
/// ```
/// # checkout_doctest::facade!(lifecycle);
/// use checkout_kit::allscale::IntentStatus::{Confirmed, OnChain};
/// use checkout_kit::lifecycle::Status;
///
/// assert!(OnChain.reach().by_ordinary(Confirmed.position()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    ordinary: u32,
    any: u32,
}

impl Reach {
    /// True if ordinary steps lead to the row at this place. A row reaches itself.
    #[must_use]
    pub const fn by_ordinary(self, position: usize) -> bool {
        position < MOST_ROWS && self.ordinary >> position & 1 == 1
    }

    /// True if steps of any kind lead to the row at this place.
    #[must_use]
    pub const fn by_any(self, position: usize) -> bool {
        position < MOST_ROWS && self.any >> position & 1 == 1
    }
}

/// The closure of the steps, given as places: from, to, and true if the step is ordinary.
#[expect(clippy::indexing_slicing, reason = "evaluated at compile time")]
pub(crate) const fn closure<const ROWS: usize>(steps: &[(usize, usize, bool)]) -> [Reach; ROWS] {
    assert!(ROWS <= MOST_ROWS, "a table has at most 32 statuses");
    let mut reach = [Reach { ordinary: 0, any: 0 }; ROWS];
    let mut row = 0;
    while row < ROWS {
        reach[row] = Reach { ordinary: 1 << row, any: 1 << row };
        row += 1;
    }
    // Every pass lengthens the chains by at least a step, and no chain needs more steps than there are rows.
    let mut pass = 0;
    while pass < ROWS {
        let mut step = 0;
        while step < steps.len() {
            let (from, to, ordinary) = steps[step];
            if ordinary {
                reach[from].ordinary |= reach[to].ordinary;
            }
            reach[from].any |= reach[to].any;
            step += 1;
        }
        pass += 1;
    }
    reach
}

/// True if the rows that no ordinary step leaves are exactly the rows whose phase is final.
#[expect(clippy::indexing_slicing, reason = "evaluated at compile time")]
pub(crate) const fn ends_agree<const ROWS: usize>(
    steps: &[(usize, usize, bool)],
    is_final: [bool; ROWS],
) -> bool {
    let mut row = 0;
    while row < ROWS {
        let mut left = false;
        let mut step = 0;
        while step < steps.len() {
            let (from, to, ordinary) = steps[step];
            left |= ordinary && from == row && to != row;
            step += 1;
        }
        if left == is_final[row] {
            return false;
        }
        row += 1;
    }
    true
}

pub(crate) const MOST_ROWS: usize = 32;

#[cfg(test)]
mod tests {
    use super::ends_agree;

    #[test]
    fn a_table_is_refused_if_a_final_phase_can_be_left_or_an_open_phase_cannot() {
        // 0 → 1 ordinarily, and 1 → 2 late.
        let steps = [(0, 1, true), (1, 2, false)];
        assert!(ends_agree(&steps, [false, true, true]));
        assert!(!ends_agree(&steps, [true, true, true]));
        assert!(!ends_agree(&steps, [false, false, true]));
        assert!(!ends_agree(&steps, [false, true, false]));
        assert!(!ends_agree(&[(0, 1, true), (1, 2, true)], [false, true, true]));
        // A status that follows itself is not left.
        assert!(ends_agree(&[(0, 0, true)], [true]));
    }
}
