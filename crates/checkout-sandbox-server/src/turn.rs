//! The turn of a world: changes that are made of several steps happen one after the other.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::machine::{self, Pin};

/// The turn. Whoever has the turn may take the turn again.
pub(crate) struct Turn {
    number: u64,
    lock: Mutex<()>,
}

/// The turn, in the hands of a thread.
pub(crate) struct Held<'a> {
    number: u64,
    /// `None` if the thread has had the turn already.
    guard: Option<MutexGuard<'a, ()>>,
    /// The machine's time stands still in a turn.
    _pin: Pin,
}

thread_local! {
    /// The numbers of the turns that the thread has.
    static HELD: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

impl Default for Turn {
    fn default() -> Self {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        Self { number: NUMBERS.fetch_add(1, Ordering::Relaxed), lock: Mutex::new(()) }
    }
}

impl Turn {
    /// Waits for the turn.
    pub(crate) fn take(&self) -> Held<'_> {
        let number = self.number;
        let is_held = HELD.with_borrow(|held| held.contains(&number));
        let guard = (!is_held).then(|| self.lock.lock().unwrap_or_else(PoisonError::into_inner));
        if guard.is_some() {
            HELD.with_borrow_mut(|held| held.push(number));
        }
        Held { number, guard, _pin: machine::pin(machine::now()) }
    }
}

impl Held<'_> {
    /// True if the thread had no turn of the world before.
    pub(crate) fn is_outermost(&self) -> bool {
        self.guard.is_some()
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if self.guard.is_some() {
            HELD.with_borrow_mut(|held| held.retain(|number| *number != self.number));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;
    use std::thread;

    #[test]
    fn one_thread_has_the_turn_and_may_take_the_turn_again() {
        let (turn, other, inside) = (Turn::default(), Turn::default(), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..1_000 {
                        let _first = turn.take();
                        let _other = other.take();
                        let _again = turn.take();
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        inside.fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
        });
        drop(turn.take());
        assert!(HELD.with_borrow(Vec::is_empty));
    }
}
