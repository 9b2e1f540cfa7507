//! [`Status`](crate::Status) for a table of statuses.

/// Implements [`Status`](crate::Status) for a table, from its list of steps. The table's values fit in eight
/// bits; or, after the word `text`, the table numbers nothing, and its variants are in the order of its rows.
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
