//! The vacuum of the table of work, in full work.
//!
//! PostgreSQL's own vacuum comes once a minute at most by default. Each poll leaves two dead rows, so a
//! minute of some thousand polls a second leaves many times as many dead rows as there are living ones, and
//! the table and its index by due grow as much.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The writes after which a process looks at the dead rows, and the time between two looks.
const WRITES: usize = 10_000;
const PAUSE: Duration = Duration::from_secs(5);

/// The dead rows that are worth a vacuum: so many, and half of the living ones.
pub(crate) const WORTH: i64 = 10_000;

/// The writes of this process since its last look.
pub(crate) struct Vacuum(Mutex<State>);

struct State {
    writes: usize,
    looked: Instant,
    /// The dead rows that the last vacuum had to leave: somebody may still see them.
    left: i64,
}

impl Vacuum {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(State { writes: 0, looked: Instant::now(), left: 0 }))
    }

    pub(crate) fn left(&self) -> i64 {
        self.state().left
    }

    /// Notes the dead rows that are left.
    pub(crate) fn leaves(&self, dead: i64) {
        self.state().left = dead;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts writes. True if it is time for a look.
    pub(crate) fn wrote(&self, writes: usize) -> bool {
        let mut state = self.state();
        state.writes = state.writes.saturating_add(writes);
        if state.writes < WRITES || state.looked.elapsed() < PAUSE {
            return false;
        }
        (state.writes, state.looked) = (0, Instant::now());
        true
    }
}

/// A vacuum is worth its while: dead rows that can be removed are many.
pub(crate) const fn is_worth(dead: i64, living: i64, left: i64) -> bool {
    dead.saturating_sub(left) > WORTH.saturating_add(living / 2)
}

#[cfg(test)]
mod tests {
    use super::{PAUSE, Vacuum, WORTH, WRITES, is_worth};
    use std::time::Instant;

    #[test]
    fn a_process_looks_after_so_many_writes_and_not_again_at_once() {
        let vacuum = Vacuum::new();
        let past = Instant::now().checked_sub(PAUSE).expect("the machine runs for longer than five seconds");
        vacuum.state().looked = past;
        assert!(!vacuum.wrote(WRITES - 1));
        assert!(vacuum.wrote(1));
        assert!(!vacuum.wrote(10 * WRITES), "the pause is not over");
        vacuum.state().looked = past;
        assert!(vacuum.wrote(0), "the writes of the pause count");
        assert!(!vacuum.wrote(0));
    }

    #[test]
    fn rows_that_the_last_vacuum_had_to_leave_are_no_reason_for_another_one() {
        assert!(!is_worth(WORTH, 0, 0));
        assert!(is_worth(WORTH + 1, 0, 0));
        assert!(!is_worth(WORTH + 50, 100, 0));
        assert!(is_worth(WORTH + 51, 100, 0));
        assert!(!is_worth(WORTH + 1, 0, 1));
        assert!(is_worth(2 * WORTH + 1, 0, WORTH));
    }
}
