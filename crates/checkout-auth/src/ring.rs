//! Keys with ids and times of validity, so that a key can be changed without losing a message.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

/// The keys that a verifier accepts, each with an id and a time of validity.
///
/// To rotate a key: add the new key; have the provider change over; give the old key an end; take the old key
/// out once that end has passed. A message is tried with every key that is valid when the message is
/// received, whatever time the message itself gives.
///
/// An id is the caller's own name for a key, to log and to count by. The id is not secret, and `Debug` prints
/// it; of the key, `Debug` prints nothing. Nothing compares the ids: two keys of one id are two keys, and the
/// id cannot tell them apart. Every key costs the verifier another MAC, so keep the valid keys few.
///
/// ```
/// # checkout_doctest::facade!(auth);
/// use checkout_kit::KeyRing;
/// use checkout_kit::allscale::SigningKey;
///
/// let new = SigningKey::new("test_key", "test_secret_new".into())?;
/// let old = SigningKey::new("test_key", "test_secret_old".into())?;
/// let changed_over = 1_716_501_000;
/// let ring = KeyRing::new("2024-05", new).and_valid("2023-01", old, i64::MIN..changed_over + 86_400);
///
/// let ids = |now| ring.at(now).map(|(id, _)| id).collect::<Vec<_>>();
/// assert_eq!(ids(changed_over), ["2024-05", "2023-01"]);
/// assert_eq!(ids(changed_over + 86_400), ["2024-05"]);
/// # Ok::<(), checkout_auth::allscale::KeyError>(())
/// ```
#[derive(Clone)]
pub struct KeyRing<K> {
    keys: Vec<Entry<K>>,
}

#[derive(Clone)]
struct Entry<K> {
    id: String,
    key: K,
    /// `None`: always.
    valid: Option<Range<i64>>,
}

impl<K> KeyRing<K> {
    /// A ring of one key that is always valid.
    ///
    /// ```
    /// # checkout_doctest::facade!(auth);
    /// use checkout_kit::KeyRing;
    /// use checkout_kit::peach::SecretToken;
    ///
    /// let ring = KeyRing::new("shop", SecretToken::new("3fcd7cf22f55119eadbe02d14de18c0c".into())?);
    /// assert_eq!(ring.at(0).count(), 1);
    /// # Ok::<(), checkout_auth::peach::KeyError>(())
    /// ```
    #[must_use]
    pub fn new(id: impl Into<String>, key: K) -> Self {
        Self { keys: Vec::new() }.and(id, key)
    }

    /// A ring of one key that is valid for a time, as for [`KeyRing::and_valid`].
    ///
    /// ```
    /// # use checkout_auth::KeyRing;
    /// let ring = KeyRing::new_valid("one", 1, 100..200);
    /// assert_eq!([99, 100, 199, 200].map(|now| ring.at(now).count()), [0, 1, 1, 0]);
    /// ```
    #[must_use]
    pub fn new_valid(id: impl Into<String>, key: K, from_until: Range<i64>) -> Self {
        Self { keys: Vec::new() }.and_valid(id, key, from_until)
    }

    /// This ring and a key that is always valid.
    ///
    /// ```
    /// # use checkout_auth::KeyRing;
    /// let ring = KeyRing::new("one", 1).and("two", 2);
    /// assert_eq!(ring.at(i64::MAX).collect::<Vec<_>>(), [("one", &1), ("two", &2)]);
    /// ```
    #[must_use]
    pub fn and(self, id: impl Into<String>, key: K) -> Self {
        self.with(id.into(), key, None)
    }

    /// This ring and a key that is valid for a time: seconds since 1970-01-01 UTC, the start included and the
    /// end not. A range that is empty, or the wrong way round, is never.
    ///
    /// ```
    /// # use checkout_auth::KeyRing;
    /// let ring = KeyRing::new("one", 1).and_valid("two", 2, 100..200);
    /// assert_eq!([99, 100, 199, 200].map(|now| ring.at(now).count()), [1, 2, 2, 1]);
    /// ```
    #[must_use]
    pub fn and_valid(self, id: impl Into<String>, key: K, from_until: Range<i64>) -> Self {
        self.with(id.into(), key, Some(from_until))
    }

    /// The keys that are valid at `now`, seconds since 1970-01-01 UTC, in the order they were added, with
    /// their ids.
    ///
    /// ```
    /// # use checkout_auth::KeyRing;
    /// let ring = KeyRing::new("one", 1).and_valid("two", 2, 100..200);
    /// assert_eq!(ring.at(100).map(|(id, _)| id).collect::<Vec<_>>(), ["one", "two"]);
    /// ```
    pub fn at(&self, now: i64) -> impl Iterator<Item = (&str, &K)> {
        let valid =
            move |entry: &&Entry<K>| entry.valid.as_ref().is_none_or(|from_until| from_until.contains(&now));
        self.keys.iter().filter(valid).map(|entry| (&*entry.id, &entry.key))
    }

    fn with(mut self, id: String, key: K, valid: Option<Range<i64>>) -> Self {
        self.keys.push(Entry { id, key, valid });
        self
    }
}

impl<K> fmt::Debug for KeyRing<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = f.debug_map();
        for entry in &self.keys {
            match &entry.valid {
                None => list.entry(&entry.id, &"always valid"),
                Some(from_until) => list.entry(&entry.id, from_until),
            };
        }
        list.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use proptest::prelude::*;

    fn ids<K>(ring: &KeyRing<K>, now: i64) -> String {
        ring.at(now).map(|(id, _)| id).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_validity_includes_its_start_and_not_its_end() {
        let ring =
            KeyRing::new("always", ()).and_valid("old", (), i64::MIN..100).and_valid("new", (), 50..i64::MAX);
        let check = |now| ids(&ring, now);
        assert_eq!(check(i64::MIN), "always old");
        assert_eq!(check(49), "always old");
        assert_eq!(check(50), "always old new");
        assert_eq!(check(99), "always old new");
        assert_eq!(check(100), "always new");
        assert_eq!(check(i64::MAX - 1), "always new");
        assert_eq!(check(i64::MAX), "always");
    }

    #[test]
    fn a_validity_that_is_empty_or_turned_round_is_never() {
        #[expect(clippy::reversed_empty_ranges, reason = "what a caller can hand over")]
        let ring = KeyRing::new("always", ()).and_valid("empty", (), 5..5).and_valid("turned", (), 9..5);
        for now in [i64::MIN, 4, 5, 6, 9, i64::MAX] {
            assert_eq!(ids(&ring, now), "always");
        }
    }

    #[test]
    fn two_keys_of_one_id_are_both_there() {
        let ring = KeyRing::new("id", 1).and("id", 2);
        assert_eq!(ring.at(0).collect::<Vec<_>>(), [("id", &1), ("id", &2)]);
    }

    #[test]
    fn debug_shows_ids_and_times_and_no_key() {
        let ring = KeyRing::new("a", "test_secret_abc").and_valid("b", "test_secret_abd", 1..2);
        assert_eq!(format!("{ring:?}"), r#"{"a": "always valid", "b": 1..2}"#);
    }

    proptest! {
        #[test]
        fn a_key_is_there_from_its_start_until_before_its_end(from: i64, until: i64, now: i64) {
            let ring = KeyRing::new("always", ()).and_valid("some", (), from..until);
            prop_assert_eq!(ring.at(now).count(), if from <= now && now < until { 2 } else { 1 });
        }
    }
}
