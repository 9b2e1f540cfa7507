//! What follows from the steps, computed at compile time.

/// What can be reached from one status: a bit for each row of its table.
///
/// ```
/// use checkout_lifecycle::Status;
/// use checkout_tables::allscale::IntentStatus::{Confirmed, OnChain};
///
/// assert!(OnChain.reach().by_ordinary(Confirmed.position()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    ordinary: u32,
    any: u32,
}

impl Reach {
    /// Whether ordinary steps lead to the row at this place. A row reaches itself.
    #[must_use]
    pub const fn by_ordinary(self, position: usize) -> bool {
        position < MOST_ROWS && self.ordinary >> position & 1 == 1
    }

    /// Whether steps of any kind lead to the row at this place.
    #[must_use]
    pub const fn by_any(self, position: usize) -> bool {
        position < MOST_ROWS && self.any >> position & 1 == 1
    }
}

/// The closure of the steps, given as places: from, to, and whether the step is ordinary.
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

/// Whether the rows that no ordinary step leaves are those whose phase is final.
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

/// Implements [`Status`](crate::Status) for a table, from its list of steps. The table's values fit in eight
/// bits; or, behind the word `text`, it numbers nothing, and its variants are in the order of its rows.
macro_rules! lifecycle {
    ($status:ident, steps = $steps:ident, phase = $phase:ident, moments = $clock:ident) => {
        lifecycle!(@status $status, $steps, $phase, $clock);

        /// The place of a status in its table, by its value.
        #[expect(clippy::indexing_slicing, reason = "256 entries and an index of eight bits")]
        const fn place(status: $status) -> usize {
            PLACES[status.value().cast_unsigned() as usize] as usize
        }

        static PLACES: [u8; 256] = {
            let mut places = [0; 256];
            let mut row = 0;
            while row < $status::ROWS.len() {
                #[expect(
                    clippy::indexing_slicing,
                    clippy::cast_possible_truncation,
                    reason = "at compile time"
                )]
                {
                    places[$status::ROWS[row].value().cast_unsigned() as usize] = row as u8;
                }
                row += 1;
            }
            places
        };
    };
    (text $status:ident, steps = $steps:ident, phase = $phase:ident, moments = $clock:ident) => {
        lifecycle!(@status $status, $steps, $phase, $clock);

        /// The place of a status in its table.
        const fn place(status: $status) -> usize {
            status as usize
        }

        const _: () = {
            let mut row = 0;
            while row < $status::ROWS.len() {
                #[expect(clippy::indexing_slicing, reason = "evaluated at compile time")]
                let status = $status::ROWS[row];
                assert!(place(status) == row, "the variants are in the order of the rows");
                row += 1;
            }
        };
    };
    (@status $status:ident, $steps:ident, $phase:ident, $clock:ident) => {
        impl $crate::Status for $status {
            const STEPS: &'static [$crate::Step<Self>] = &$steps;
            const MOMENTS: $crate::ClockOf = $crate::ClockOf::$clock;

            fn phase(self) -> $crate::Phase {
                $phase(self)
            }

            fn reach(self) -> $crate::Reach {
                static REACH: [$crate::Reach; $status::ROWS.len()] = {
                    let mut is_final = [false; $status::ROWS.len()];
                    let mut row = 0;
                    while row < is_final.len() {
                        #[expect(clippy::indexing_slicing, reason = "evaluated at compile time")]
                        let (slot, status) = (&mut is_final[row], $status::ROWS[row]);
                        *slot = $phase(status).is_final();
                        row += 1;
                    }
                    let mut steps = [(0, 0, false); $steps.len()];
                    let mut at = 0;
                    while at < steps.len() {
                        #[expect(clippy::indexing_slicing, reason = "evaluated at compile time")]
                        let (slot, step) = (&mut steps[at], &$steps[at]);
                        let ordinary = matches!(step.kind, $crate::Kind::Ordinary);
                        *slot = (place(step.from), place(step.to), ordinary);
                        at += 1;
                    }
                    assert!(
                        $crate::derive::ends_agree(&steps, is_final),
                        "a phase is final exactly where no ordinary step leaves"
                    );
                    $crate::derive::closure(&steps)
                };
                #[expect(clippy::indexing_slicing, reason = "a place is below the number of rows")]
                REACH[place(self)]
            }

            fn position(self) -> usize {
                place(self)
            }
        }
    };
}

pub(crate) use lifecycle;

pub(crate) const MOST_ROWS: usize = 32;

#[cfg(test)]
mod tests {
    use super::ends_agree;

    #[test]
    fn a_table_is_refused_if_a_final_phase_can_be_left_or_an_open_one_cannot() {
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
