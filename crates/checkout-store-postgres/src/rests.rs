//! The lanes that give nothing for a while, as this process has seen them.
//!
//! A claim that looks at a lane costs the database some microseconds, which become many milliseconds with
//! thousands of merchants, most of which have nothing to do or no place under their limit. So a claim shortly
//! after another one leaves out the lanes of which the other one saw that they rest. Only urgent work can wake
//! such a lane meanwhile: each other write makes work due no sooner than a second later ([`URGENT`]), and a
//! place that becomes free sooner waits until the lane is looked at again.
//!
//! [`URGENT`]: crate::write::URGENT

use core::time::Duration;
use std::collections::{HashMap, HashSet};
use std::time::Instant;

/// How long a claim's view of a lane is good: shorter than the time after which work is not urgent, and than
/// the usual pause between two claims of an idle process.
const FRESH: Duration = Duration::from_millis(900);

/// So many lanes at rest are worth a statement that asks for the lanes with urgent work.
const WORTH: usize = 64;

/// The most lanes with urgent work: with more, a claim looks at all lanes.
pub(crate) const MOST: usize = 256;

/// How far the database's clock may be from where it should be: a clock that was set tells nothing about rests.
const STEP: u64 = 500;

/// The lanes with urgent work, and the database's clock before that look.
pub(crate) struct Urgent {
    pub(crate) now: i64,
    pub(crate) lanes: HashSet<String>,
}

/// The lanes that rest.
#[derive(Default)]
pub(crate) struct Rests {
    lanes: HashMap<String, Rest>,
    /// The database's clock at the last claim.
    clock: Option<(i64, Instant)>,
}

struct Rest {
    /// The due of the first work of the lane, if there is any.
    due: Option<i64>,
    /// The moment before which the lane gives nothing: it has no place under its limit, or waits.
    shut: Option<i64>,
    seen: Instant,
}

/// What is next of a lane that rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sleeper {
    /// The moment of its next work, if there is any.
    pub(crate) at: Option<i64>,
    /// How long this view of the lane is still good.
    pub(crate) good_for: Duration,
}

impl Rest {
    /// The moment of the next work that is known.
    fn at(&self) -> Option<i64> {
        self.due.map(|due| self.shut.map_or(due, |shut| due.max(shut)))
    }

    /// The lane gives nothing but urgent work, and none of that while it is shut.
    fn rests(&self, now: i64, at: Instant) -> bool {
        let is_fresh = at.saturating_duration_since(self.seen) < FRESH;
        is_fresh && self.at().is_none_or(|next| next > now)
    }
}

impl Rests {
    /// Notes the database's clock. A clock that was set makes all lanes unknown.
    pub(crate) fn clock(&mut self, now: i64, at: Instant) {
        let is_set = self.clock.is_some_and(|(before, since)| {
            let passed = at.saturating_duration_since(since).as_millis();
            let expected = before.saturating_add(i64::try_from(passed).unwrap_or(i64::MAX));
            now.abs_diff(expected) > STEP
        });
        if is_set {
            self.lanes.clear();
        }
        self.clock = Some((now, at));
    }

    /// Makes all lanes unknown.
    pub(crate) fn forget(&mut self) {
        self.lanes.clear();
    }

    /// True if so many of these lanes rest that it is worth to ask which have urgent work.
    pub(crate) fn are_worth_it(&self, lanes: &[String], at: Instant) -> bool {
        let Some((clock, since)) = self.clock else { return false };
        let passed = i64::try_from(at.saturating_duration_since(since).as_millis()).unwrap_or(i64::MAX);
        let now = clock.saturating_add(passed);
        let rest = |lane: &&String| self.lanes.get(*lane).is_some_and(|rest| rest.rests(now, at));
        lanes.len() >= WORTH && lanes.iter().filter(rest).take(WORTH).count() >= WORTH
    }

    /// What is next of a lane, if a claim can leave the lane out.
    pub(crate) fn sleeper(&self, lane: &str, urgent: &Urgent, at: Instant) -> Option<Sleeper> {
        let rest = self.lanes.get(lane).filter(|rest| rest.rests(urgent.now, at))?;
        let is_shut = rest.shut.is_some_and(|shut| shut > urgent.now);
        if !is_shut && urgent.lanes.contains(lane) {
            return None;
        }
        let good_for = FRESH.saturating_sub(at.saturating_duration_since(rest.seen));
        Some(Sleeper { at: rest.at(), good_for })
    }

    /// Notes what a claim, sent at `at`, saw of its lanes: the due of the first work that is left, and the
    /// moment before which nothing is claimed.
    pub(crate) fn saw(&mut self, lanes: &[&str], dues: &[Option<i64>], shuts: &[Option<i64>], at: Instant) {
        for ((lane, due), shut) in lanes.iter().zip(dues).zip(shuts) {
            let rest = Rest { due: *due, shut: *shut, seen: at };
            match self.lanes.get_mut(*lane) {
                // Another claim, sent later, has answered sooner.
                Some(kept) if kept.seen > at => {}
                Some(kept) => *kept = rest,
                None => drop(self.lanes.insert((*lane).to_owned(), rest)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{FRESH, Rests, STEP, Sleeper, Urgent, WORTH};
    use core::time::Duration;
    use std::time::Instant;

    const NOW: i64 = 1_000_000;

    fn urgent(now: i64, lanes: &[&str]) -> Urgent {
        Urgent { now, lanes: lanes.iter().map(|lane| (*lane).to_owned()).collect() }
    }

    /// One lane that was seen at the moment `NOW`.
    fn seen(due: Option<i64>, shut: Option<i64>) -> (Rests, Instant) {
        let (mut rests, start) = (Rests::default(), Instant::now());
        rests.clock(NOW, start);
        rests.saw(&["a"], &[due], &[shut], start);
        (rests, start)
    }

    #[test]
    fn a_lane_rests_until_its_next_work_or_until_it_is_open() {
        for (due, shut, at) in [
            (Some(NOW + 7), None, NOW + 7),
            (Some(NOW - 7), Some(NOW + 5), NOW + 5),
            (Some(NOW + 7), Some(NOW + 5), NOW + 7),
        ] {
            let (rests, start) = seen(due, shut);
            let sleeper = Sleeper { at: Some(at), good_for: FRESH };
            assert_eq!(rests.sleeper("a", &urgent(at - 1, &[]), start), Some(sleeper));
            assert_eq!(rests.sleeper("a", &urgent(at, &[]), start), None);
        }
        let (rests, start) = seen(Some(NOW), None);
        assert_eq!(rests.sleeper("a", &urgent(NOW, &[]), start), None, "others hold what is due");
        let (rests, start) = seen(None, None);
        assert_eq!(
            rests.sleeper("a", &urgent(i64::MAX, &[]), start),
            Some(Sleeper { at: None, good_for: FRESH })
        );
        assert_eq!(rests.sleeper("b", &urgent(NOW, &[]), start), None, "nobody has seen this lane");
    }

    #[test]
    fn urgent_work_wakes_a_lane_that_is_open() {
        let of_both = urgent(NOW, &["a"]);
        let (rests, start) = seen(Some(NOW + 7), None);
        assert_eq!(rests.sleeper("a", &of_both, start), None);
        let (rests, start) = seen(Some(NOW + 7), Some(NOW));
        assert_eq!(rests.sleeper("a", &of_both, start), None);
        let (rests, start) = seen(None, Some(NOW + 1));
        assert!(rests.sleeper("a", &of_both, start).is_some());
    }

    #[test]
    fn a_view_is_good_for_a_while_and_an_older_one_changes_nothing() {
        let (mut rests, start) = seen(None, None);
        let last = start + FRESH - Duration::from_millis(1);
        let good_for = Duration::from_millis(1);
        assert_eq!(rests.sleeper("a", &urgent(NOW, &[]), last), Some(Sleeper { at: None, good_for }));
        assert_eq!(rests.sleeper("a", &urgent(NOW, &[]), start + FRESH), None);
        rests.saw(&["a"], &[Some(NOW)], &[None], last);
        rests.saw(&["a"], &[None], &[None], start);
        assert_eq!(rests.sleeper("a", &urgent(NOW, &[]), last), None, "work is due");
        rests.saw(&["a"], &[None], &[None], last);
        rests.forget();
        assert_eq!(rests.sleeper("a", &urgent(NOW, &[]), last), None);
    }

    #[test]
    fn a_clock_that_was_set_makes_all_lanes_unknown() {
        let later = Duration::from_millis(100);
        for (off, is_set) in [(STEP, false), (STEP + 1, true)] {
            let off = off.cast_signed();
            for off in [off, -off] {
                let (mut rests, start) = seen(None, None);
                rests.clock(NOW + 100 + off, start + later);
                assert_eq!(rests.sleeper("a", &urgent(NOW, &[]), start + later).is_none(), is_set, "{off}");
            }
        }
    }

    #[test]
    fn many_lanes_at_rest_are_worth_a_statement() {
        let (mut rests, start) = (Rests::default(), Instant::now());
        let lanes: Vec<String> = (0..WORTH).map(|lane| lane.to_string()).collect();
        let names: Vec<&str> = lanes.iter().map(String::as_str).collect();
        let dues = vec![Some(NOW + 100); WORTH];
        rests.saw(&names, &dues, &vec![None; WORTH], start);
        assert!(!rests.are_worth_it(&lanes, start), "nobody knows the clock");
        rests.clock(NOW, start);
        assert!(rests.are_worth_it(&lanes, start + Duration::from_millis(99)));
        assert!(!rests.are_worth_it(&lanes, start + Duration::from_millis(100)));
        assert!(!rests.are_worth_it(&lanes[1..], start));
        rests.saw(&names[..1], &[Some(NOW)], &[None], start);
        assert!(!rests.are_worth_it(&lanes, start), "one of them has work that is due");
    }
}
