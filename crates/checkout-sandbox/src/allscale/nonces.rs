//! The nonces that have been spent.

use std::collections::HashSet;
use std::mem;

use checkout_tables::Moment;

/// The spent nonces of every store, kept for good, or only for as long as a signed request can come again.
#[derive(Clone)]
pub(super) struct Nonces {
    /// By the number of the store.
    spent: HashSet<(usize, String)>,
    /// The nonces of the span before, if nonces are forgotten.
    before: HashSet<(usize, String)>,
    /// The span, in seconds. `None` if no nonce is forgotten.
    span: Option<i64>,
    /// The number of the span in which the nonces of `spent` were spent.
    current: i64,
}

impl Nonces {
    pub(super) fn for_good() -> Self {
        Self { spent: HashSet::new(), before: HashSet::new(), span: None, current: 0 }
    }

    /// Nonces that are kept for two windows at least. A signed request is let in from one window before
    /// its time to one window after, so a copy that comes more than two windows later is never let in.
    pub(super) fn for_two_windows(window_seconds: u64) -> Self {
        let span = i64::try_from(window_seconds).unwrap_or(i64::MAX).saturating_mul(2).max(1);
        Self { span: Some(span), ..Self::for_good() }
    }

    /// Spends the nonce. True if the nonce was fresh: the store had not spent the nonce before.
    pub(super) fn spend(&mut self, store: usize, nonce: &str, now: Moment) -> bool {
        let current = self.span.map_or(0, |span| now.unix_seconds().div_euclid(span));
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

    fn second(seconds: i64) -> Moment {
        Moment::from_unix_seconds(seconds)
    }

    #[test]
    fn a_nonce_is_kept_for_two_windows_at_least_and_not_for_ever() {
        for spent_at in [-1_716_501_000, -601, -1, 0, 1, 599, 600, 1_716_501_000] {
            let mut nonces = Nonces::for_two_windows(300);
            assert!(nonces.spend(1, "n", second(spent_at)) && nonces.spend(2, "n", second(spent_at)));
            for later in [0, 1, 300, 599, 600] {
                assert!(!nonces.spend(1, "n", second(spent_at + later)), "{spent_at} {later}");
                nonces.spend(1, "another", second(spent_at + later));
            }
            assert!(nonces.spend(1, "n", second(spent_at + 1_200)), "{spent_at}");
            assert!(nonces.spent.len() + nonces.before.len() <= 2);
        }
    }

    #[test]
    fn a_nonce_can_be_spent_for_good() {
        let mut nonces = Nonces::for_good();
        assert!(nonces.spend(1, "n", second(0)));
        assert!(!nonces.spend(1, "n", second(i64::MAX)));
    }

    #[test]
    fn an_empty_and_an_endless_window_do_no_harm() {
        for window in [0, u64::MAX] {
            let mut nonces = Nonces::for_two_windows(window);
            assert!(nonces.spend(1, "n", second(7)));
            assert!(!nonces.spend(1, "n", second(7)));
        }
    }
}
