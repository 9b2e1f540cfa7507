//! The lanes that give nothing for a while, as this process has seen them.
//!
//! A claim that looks at a lane costs the database some microseconds, which become many milliseconds with
//! thousands of merchants, most of which have nothing to do or no place under their limit. So a claim shortly
//! after a look at all lanes leaves out those that rest, but for lanes with urgent work.
//!
//! A write makes work due that is urgent, or due no sooner than a second later ([`URGENT`]). So only what
//! commits more slowly than its clock says, and a place that becomes free before its time, wait for the next
//! look at all lanes.
//!
//! All lanes of a look grow old together: were each as old as the last look at it, each nudge would bring a
//! claim of its own, again and again.
//!
//! [`URGENT`]: crate::write::URGENT

use std::collections::{HashMap, HashSet};
use std::time::Instant;

/// How long a look is good, by the clocks of this process and of the database: shorter than the time after
/// which work is not urgent, and than the usual pause between two claims of an idle process.
const FRESH: i64 = 900;

/// So many lanes at rest are worth a statement that asks for the lanes with urgent work.
const WORTH: usize = 64;

/// The most lanes with urgent work, of all processes: with more, a claim looks at all of its lanes.
pub(crate) const MOST: usize = 1_024;

/// The lanes with urgent work, and the database's clock before that look.
pub(crate) struct Urgent {
    pub(crate) now: i64,
    pub(crate) lanes: HashSet<String>,
}

/// What a claim saw of its lanes.
pub(crate) struct View {
    /// The database's clock.
    pub(crate) now: i64,
    pub(crate) sent: Instant,
    /// The claim left no lane out.
    pub(crate) is_whole: bool,
    /// The due of the first work that is left of each lane. Nothing of a full claim.
    pub(crate) dues: Vec<Option<i64>>,
    /// The moment before which each lane is shut.
    pub(crate) shuts: Vec<Option<i64>>,
}

/// What the claims of this process saw of its lanes.
#[derive(Default)]
pub(crate) struct Rests {
    lanes: HashMap<String, Rest>,
    /// The database's clock at the last claim.
    now: i64,
    /// How often all was forgotten.
    pub(crate) forgotten: u64,
}

struct Rest {
    /// The due of the first work of the lane, if there is any.
    due: Option<i64>,
    /// The moment before which the lane gives nothing: it has no place under its limit, or waits.
    shut: Option<i64>,
    /// The last claim that looked at this lane.
    seen: Instant,
    /// The last claim that looked at this lane and all others, and the database's clock then.
    looked: (Instant, i64),
}

impl Rest {
    /// The moment of the next work that is known.
    fn at(&self) -> Option<i64> {
        self.due.map(|due| self.shut.map_or(due, |shut| due.max(shut)))
    }

    /// How long the look is still good, by the clock of this process alone.
    fn left(&self, at: Instant) -> i64 {
        let age = at.saturating_duration_since(self.looked.0).as_millis();
        FRESH.saturating_sub(i64::try_from(age).unwrap_or(i64::MAX))
    }

    /// The moment until which the look is good. None if the look is not good any more, or if the database's
    /// clock was put back since.
    fn good_until(&self, now: i64, at: Instant) -> Option<i64> {
        let (_, looked) = self.looked;
        let until = now.saturating_add(self.left(at)).min(looked.saturating_add(FRESH));
        (now >= looked && until > now).then_some(until)
    }

    /// The lane gives nothing but urgent work, and none of that while it is shut.
    fn rests(&self, now: i64) -> bool {
        self.at().is_none_or(|next| next > now)
    }
}

impl Rests {
    /// Makes all lanes unknown.
    pub(crate) fn forget(&mut self) {
        self.lanes.clear();
        self.forgotten = self.forgotten.saturating_add(1);
    }

    /// True if a claim of these lanes can leave some out: all were looked at a moment ago, and so many rest
    /// that it is worth to ask which have urgent work.
    pub(crate) fn are_worth_it(&self, lanes: &[String], at: Instant) -> bool {
        let mut rest = 0_usize;
        for lane in lanes {
            let Some(seen) = self.lanes.get(lane).filter(|seen| seen.left(at) > 0) else { return false };
            rest = rest.saturating_add(seen.rests(self.now).into());
        }
        rest >= WORTH
    }

    /// The moment when a lane is to be looked at again, if a claim can leave the lane out.
    pub(crate) fn until(&self, lane: &str, urgent: &Urgent, at: Instant) -> Option<i64> {
        let seen = self.lanes.get(lane).filter(|seen| seen.rests(urgent.now))?;
        let good_until = seen.good_until(urgent.now, at)?;
        let shut = seen.shut.filter(|shut| *shut > urgent.now);
        let next = match (urgent.lanes.contains(lane), shut) {
            (true, None) => return None,
            (true, shut) => shut,
            (false, _) => seen.at(),
        };
        // A moment sooner the look would still be good.
        let old = good_until.saturating_add(1);
        Some(next.map_or(old, |next| next.min(old)))
    }

    /// Notes what a claim saw of its lanes.
    pub(crate) fn saw(&mut self, lanes: &[&str], view: &View) {
        let View { now, sent, is_whole, ref dues, ref shuts } = *view;
        self.now = now;
        for ((lane, due), shut) in lanes.iter().zip(dues).zip(shuts) {
            let seen = Rest { due: *due, shut: *shut, seen: sent, looked: (sent, now) };
            match self.lanes.get_mut(*lane) {
                // Another claim, sent later, has answered sooner.
                Some(kept) if kept.seen > sent => {}
                Some(kept) if !is_whole && kept.good_until(now, sent).is_some() => {
                    *kept = Rest { looked: kept.looked, ..seen }
                }
                Some(kept) => *kept = seen,
                None => drop(self.lanes.insert((*lane).to_owned(), seen)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{FRESH, Rests, Urgent, View, WORTH};
    use core::time::Duration;
    use std::time::Instant;

    const NOW: i64 = 1_000_000;

    fn urgent(now: i64, lanes: &[&str]) -> Urgent {
        Urgent { now, lanes: lanes.iter().map(|lane| (*lane).to_owned()).collect() }
    }

    fn view(sent: Instant, due: Option<i64>, shut: Option<i64>) -> View {
        View { now: NOW, sent, is_whole: true, dues: vec![due], shuts: vec![shut] }
    }

    /// One lane that was seen at the moment `NOW`.
    fn seen(due: Option<i64>, shut: Option<i64>) -> (Rests, Instant) {
        let (mut rests, start) = (Rests::default(), Instant::now());
        rests.saw(&["a"], &view(start, due, shut));
        (rests, start)
    }

    /// The moment at which a look at `NOW` is good no longer.
    const OLD: i64 = NOW + FRESH + 1;
    const SPAN: Duration = Duration::from_millis(FRESH.unsigned_abs());

    #[test]
    fn a_lane_rests_until_its_next_work_or_until_it_is_open() {
        for (due, shut, at) in [
            (Some(NOW + 7), None, NOW + 7),
            (Some(NOW - 7), Some(NOW + 5), NOW + 5),
            (Some(NOW + 7), Some(NOW + 5), NOW + 7),
        ] {
            let (rests, start) = seen(due, shut);
            assert_eq!(rests.until("a", &urgent(at - 1, &[]), start), Some(at));
            assert_eq!(rests.until("a", &urgent(at, &[]), start), None);
        }
        let (rests, start) = seen(Some(NOW), None);
        assert_eq!(rests.until("a", &urgent(NOW, &[]), start), None, "others hold what is due");
        for due in [None, Some(NOW + 3_600_000)] {
            let (rests, start) = seen(due, None);
            assert_eq!(rests.until("a", &urgent(NOW, &[]), start), Some(OLD));
            assert_eq!(rests.until("b", &urgent(NOW, &[]), start), None, "nobody has seen this lane");
        }
    }

    #[test]
    fn urgent_work_wakes_a_lane_that_is_open_and_waits_until_the_lane_is() {
        let of_a = urgent(NOW, &["a"]);
        for (due, shut, until) in [
            (Some(NOW + 7), None, None),
            (Some(NOW + 7), Some(NOW), None),
            (Some(NOW + 7), Some(NOW + 1), Some(NOW + 1)),
            (None, Some(NOW + 1), Some(NOW + 1)),
            (None, Some(NOW + 3_600_000), Some(OLD)),
        ] {
            let (rests, start) = seen(due, shut);
            assert_eq!(rests.until("a", &of_a, start), until, "{due:?} {shut:?}");
        }
    }

    #[test]
    fn a_look_is_good_for_a_while_and_an_older_one_changes_nothing() {
        let (mut rests, start) = seen(None, None);
        let last = start + SPAN - Duration::from_millis(1);
        assert_eq!(rests.until("a", &urgent(NOW, &[]), last), Some(NOW + 2));
        assert_eq!(rests.until("a", &urgent(NOW, &[]), start + SPAN), None);
        // A claim that left out other lanes makes this lane no younger.
        rests.saw(&["a"], &View { is_whole: false, ..view(last, None, Some(NOW + 7)) });
        assert_eq!(rests.until("a", &urgent(NOW, &["a"]), last), Some(NOW + 2));
        assert_eq!(rests.until("a", &urgent(NOW, &[]), start + SPAN), None);
        rests.saw(&["a"], &view(last, Some(NOW), None));
        rests.saw(&["a"], &view(start, None, None));
        assert_eq!(rests.until("a", &urgent(NOW, &[]), last), None, "work is due");
        rests.saw(&["a"], &view(last, None, None));
        assert_eq!(rests.until("a", &urgent(NOW, &[]), last), Some(OLD));
        rests.forget();
        assert_eq!(rests.until("a", &urgent(NOW, &[]), last), None);
    }

    #[test]
    fn a_clock_of_the_database_that_goes_faster_or_was_set_ends_a_look() {
        let (rests, start) = seen(None, None);
        assert_eq!(rests.until("a", &urgent(NOW + FRESH - 1, &[]), start), Some(OLD));
        assert_eq!(rests.until("a", &urgent(NOW + FRESH, &[]), start), None);
        assert_eq!(rests.until("a", &urgent(NOW - 1, &[]), start), None);
    }

    #[test]
    fn many_lanes_at_rest_are_worth_a_statement_if_all_lanes_are_known() {
        let (mut rests, start) = (Rests::default(), Instant::now());
        let lanes: Vec<String> = (0..=WORTH).map(|lane| lane.to_string()).collect();
        let names: Vec<&str> = lanes.iter().map(String::as_str).collect();
        let dues = vec![Some(NOW + 100); WORTH];
        let view = View { now: NOW, sent: start, is_whole: true, dues, shuts: vec![None; WORTH] };
        rests.saw(&names[..WORTH], &view);
        assert!(rests.are_worth_it(&lanes[..WORTH], start));
        assert!(!rests.are_worth_it(&lanes[1..WORTH], start));
        assert!(!rests.are_worth_it(&lanes, start), "one is unknown");
        assert!(!rests.are_worth_it(&lanes[..WORTH], start + SPAN), "all are old");
        rests.saw(&names[..1], &View { dues: vec![Some(NOW)], shuts: vec![None], ..view });
        assert!(!rests.are_worth_it(&lanes[..WORTH], start), "one of them has work that is due");
    }
}
