//! The machine's clock. No other file of the crate reads the clock.

use std::cell::Cell;

use checkout_tables::Moment;

thread_local! {
    static PINNED: Cell<Option<Moment>> = const { Cell::new(None) };
}

/// The present moment by the machine's clock, or the moment that the thread has pinned.
pub(crate) fn now() -> Moment {
    PINNED.get().unwrap_or_else(passing)
}

/// The present moment by the machine's clock, whatever the thread has pinned, to measure a time that passes.
pub(crate) fn passing() -> Moment {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    Moment::now()
}

/// Lets the moment be the present for this thread, until the value goes. A moment that is pinned already
/// stays.
pub(crate) fn pin(moment: Moment) -> Pin {
    let before = PINNED.get();
    PINNED.set(before.or(Some(moment)));
    Pin { before, here: std::marker::PhantomData }
}

/// A moment that is the present.
pub(crate) struct Pin {
    before: Option<Moment>,
    /// The value stays on its thread.
    here: std::marker::PhantomData<*const ()>,
}

impl Drop for Pin {
    fn drop(&mut self) {
        PINNED.set(self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pinned_moment_is_the_present_until_the_first_pin_goes() {
        let [first, second] = [1, 2].map(Moment::from_unix_millis);
        let outer = pin(first);
        let inner = pin(second);
        assert_eq!(now(), first);
        drop(inner);
        assert_eq!(now(), first);
        drop(outer);
        assert!(now() > second);
    }
}
