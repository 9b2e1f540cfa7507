//! Entries that end at a moment, and are dropped then.

use std::borrow::Borrow;
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

use checkout_tables::Moment;

/// Values by key, each until the end of the value.
#[derive(Clone, Debug)]
pub(crate) struct Lapsing<Key, Value> {
    values: HashMap<Key, (Moment, Value)>,
    /// The ends in the order of insertion, which is the order of time where all values last equally long.
    ends: VecDeque<(Moment, Key)>,
}

impl<Key: Clone + Eq + Hash, Value> Lapsing<Key, Value> {
    pub(crate) fn new() -> Self {
        Self { values: HashMap::new(), ends: VecDeque::new() }
    }

    /// Sets the value of the key until `ends`.
    pub(crate) fn insert(&mut self, key: Key, value: Value, ends: Moment) {
        self.ends.push_back((ends, key.clone()));
        self.values.insert(key, (ends, value));
    }

    /// The value of the key with its end, as long as nobody has dropped the value.
    pub(crate) fn get<Named>(&self, key: &Named) -> Option<&(Moment, Value)>
    where
        Key: Borrow<Named>,
        Named: Eq + Hash + ?Sized,
    {
        self.values.get(key)
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.values.len().max(self.ends.len())
    }

    /// Drops the values that have ended by now.
    pub(crate) fn drop_ended(&mut self, now: Moment) {
        while self.ends.front().is_some_and(|(ends, _)| *ends <= now) {
            let Some((ends, key)) = self.ends.pop_front() else { return };
            // A key that was set again ends later.
            if self.values.get(&key).is_some_and(|(of_value, _)| *of_value <= ends) {
                self.values.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: i64) -> Moment {
        Moment::from_unix_millis(millis)
    }

    #[test]
    fn a_value_is_there_until_its_end_and_its_memory_goes() {
        let mut lapsing = Lapsing::new();
        for at in 0..1_000 {
            lapsing.drop_ended(ms(at));
            lapsing.insert(at, "v", ms(at + 10));
        }
        assert_eq!((lapsing.values.len(), lapsing.ends.len()), (10, 10));
        assert_eq!(lapsing.get(&989), None);
        assert_eq!(lapsing.get(&990), Some(&(ms(1_000), "v")));
        lapsing.drop_ended(ms(i64::MAX));
        assert!(lapsing.values.is_empty() && lapsing.ends.is_empty());
    }

    #[test]
    fn a_key_that_is_set_again_has_the_later_end() {
        let mut lapsing = Lapsing::new();
        lapsing.insert("k", 1, ms(10));
        lapsing.insert("k", 2, ms(15));
        lapsing.drop_ended(ms(10));
        assert_eq!(lapsing.get("k"), Some(&(ms(15), 2)));
        lapsing.drop_ended(ms(15));
        assert_eq!(lapsing.get("k"), None);
    }
}
