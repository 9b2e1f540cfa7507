//! Which nonces have been spent.

use std::collections::HashSet;
use std::mem;

/// The nonces of every store: for good, or only for as long as a request can come again with its own time.
pub(super) struct Nonces {
    /// By the number of the store.
    spent: HashSet<(usize, String)>,
    /// Those of the span before, if they are forgotten.
    before: HashSet<(usize, String)>,
    /// In seconds. `None` if nothing is forgotten.
    span: Option<u64>,
    /// The number of the span that `spent` is of.
    current: u64,
}

impl Nonces {
    pub(super) fn for_good() -> Self {
        Self { spent: HashSet::new(), before: HashSet::new(), span: None, current: 0 }
    }

    /// A signed request is let in from one window before its time to one after it, so no copy of it that
    /// comes later than two windows is: each nonce is kept for at least these.
    pub(super) fn for_two_windows(window_seconds: u64) -> Self {
        Self { span: Some(window_seconds.saturating_mul(2).max(1)), ..Self::for_good() }
    }

    /// Whether this nonce of the store's is fresh; it no longer is after that.
    pub(super) fn spend(&mut self, store: usize, nonce: &str, now_seconds: u64) -> bool {
        let current = self.span.map_or(0, |span| now_seconds / span);
        if current != self.current {
            let last = mem::take(&mut self.spent);
            self.before = if current == self.current + 1 { last } else { HashSet::new() };
            self.current = current;
        }
        let key = (store, nonce.to_owned());
        !self.before.contains(&key) && self.spent.insert(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_kept_for_two_windows_at_least_and_not_for_ever() {
        for spent_at in [0, 1, 599, 600, 1_716_501_000] {
            let mut nonces = Nonces::for_two_windows(300);
            assert!(nonces.spend(1, "n", spent_at) && nonces.spend(2, "n", spent_at));
            for later in [0, 1, 300, 599, 600] {
                assert!(!nonces.spend(1, "n", spent_at + later), "{spent_at} {later}");
                nonces.spend(1, "another", spent_at + later);
            }
            assert!(nonces.spend(1, "n", spent_at + 1_200), "{spent_at}");
            assert!(nonces.spent.len() + nonces.before.len() <= 2);
        }
    }

    #[test]
    fn a_nonce_can_be_spent_for_good() {
        let mut nonces = Nonces::for_good();
        assert!(nonces.spend(1, "n", 0));
        assert!(!nonces.spend(1, "n", u64::MAX));
    }

    #[test]
    fn a_window_of_nothing_and_one_without_an_end_do_no_harm() {
        for window in [0, u64::MAX] {
            let mut nonces = Nonces::for_two_windows(window);
            assert!(nonces.spend(1, "n", 7));
            assert!(!nonces.spend(1, "n", 7));
        }
    }
}
