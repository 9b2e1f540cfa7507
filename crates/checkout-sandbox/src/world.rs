//! The clock and the memory of a sandbox, which are copied together and begin anew together.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use checkout_tables::Moment;

use crate::VirtualClock;
use crate::skew::Skew;

/// The clock and the memory of a sandbox. A clone is a deep copy with a clock of its own at the same moment.
pub(crate) struct World<State> {
    clock: VirtualClock,
    /// The moment that the clock showed when the sandbox was made.
    begin: Moment,
    /// The memory when the sandbox was made.
    fresh: State,
    state: Mutex<State>,
    /// The milliseconds of the skew.
    skew: AtomicI64,
}

impl<State: Clone> World<State> {
    pub(crate) fn new(clock: VirtualClock, fresh: State) -> Self {
        let (begin, state) = (clock.now(), Mutex::new(fresh.clone()));
        Self { clock, begin, fresh, state, skew: AtomicI64::new(0) }
    }

    pub(crate) fn clock(&self) -> &VirtualClock {
        &self.clock
    }

    pub(crate) fn now(&self) -> Moment {
        self.clock.now()
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn skew(&self) -> Skew {
        Skew(self.skew.load(Ordering::SeqCst))
    }

    pub(crate) fn set_skew(&self, skew: Skew) {
        self.skew.store(skew.0, Ordering::SeqCst);
    }

    /// Goes back to the beginning, with the clock and all clones of the clock.
    pub(crate) fn reset(&self) {
        let mut state = self.state();
        *state = self.fresh.clone();
        self.clock.set(self.begin);
        self.set_skew(Skew::default());
    }

    /// Takes over the memory of another sandbox, as `adopt` makes it one's own, and the time of its clock.
    pub(crate) fn restore(&self, other: &Self, adopt: impl FnOnce(&mut State)) {
        // The two locks are never held together, so no two sandboxes wait for each other.
        let (mut restored, now) = {
            let state = other.state();
            (state.clone(), other.clock.now())
        };
        adopt(&mut restored);
        let mut state = self.state();
        *state = restored;
        self.clock.set(now);
        self.set_skew(other.skew());
    }
}

impl<State: Clone> Clone for World<State> {
    fn clone(&self) -> Self {
        let state = self.state();
        Self {
            clock: VirtualClock::new(self.clock.now()),
            begin: self.begin,
            fresh: self.fresh.clone(),
            state: Mutex::new(state.clone()),
            skew: AtomicI64::new(self.skew().0),
        }
    }
}
