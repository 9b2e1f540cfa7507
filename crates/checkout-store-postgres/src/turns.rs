//! The lanes in turn, as this process serves them.

use core::time::Duration;
use std::collections::HashMap;
use std::time::Instant;

use crate::rests::{Rests, Urgent, View};

/// How often a claim looks for work from the beginning of a lane: work whose transaction was so slow that the
/// claims have gone on.
const SWEEP: Duration = Duration::from_secs(60);

/// How far the due from which to look stays behind the clock.
const SLACK: i64 = 4_000;

/// The lanes of a claim that follows a full one: each lane costs the database some microseconds, and a full
/// claim needs no more lanes than pieces of work.
const FEW: usize = 256;

/// The lanes in turn, as this process has served them, and where the process found work in each.
///
/// Kept in the process and not in the database: a row that each claim updates grows without an end while
/// somebody holds an old snapshot.
#[derive(Default)]
pub(crate) struct Turns {
    served: u64,
    lanes: HashMap<String, Turn>,
    /// The last claim took as much as it was asked for, so there may be more.
    is_busy: bool,
    pub(crate) rests: Rests,
}

struct Turn {
    served: u64,
    from: i64,
    /// The last claim that looked from the beginning, and found work.
    swept: Instant,
}

/// The lanes of a claim in turn, and the due from which to look in each.
pub(crate) struct InTurn<'a> {
    pub(crate) lanes: Vec<&'a str>,
    pub(crate) from: Vec<i64>,
    /// There are lanes that this claim does not look at, and which may have work that is due.
    pub(crate) are_few: bool,
    /// The moment when the first of the lanes that rest, and which this claim leaves out, is to be looked at.
    pub(crate) rest_until: Option<i64>,
    /// How often all was forgotten before this claim.
    pub(crate) forgotten: u64,
}

impl InTurn<'_> {
    /// True if the claim looks from the beginning of this lane.
    fn sweeps(&self, lane: &str) -> bool {
        self.lanes.iter().zip(&self.from).any(|(name, from)| *name == lane && *from == i64::MIN)
    }
}

impl Turns {
    /// True if a claim can leave out lanes that rest, once it knows the lanes with urgent work.
    pub(crate) fn asks_for_urgent(&self, lanes: &[String], max: usize, at: Instant) -> bool {
        max > 0 && self.rests.are_worth_it(lanes, at)
    }

    /// The turn of a claim of at most so much. A claim of nothing is a look, and looks at all lanes. A claim
    /// that knows the lanes with urgent work leaves out the other ones that rest.
    pub(crate) fn in_turn<'a>(
        &self,
        lanes: &'a [String],
        max: usize,
        urgent: Option<&Urgent>,
        at: Instant,
    ) -> InTurn<'a> {
        let mut rows: Vec<(u64, i64, &str)> = Vec::with_capacity(lanes.len());
        let mut rest_until: Option<i64> = None;
        for lane in lanes {
            if let Some(until) = urgent.and_then(|urgent| self.rests.until(lane, urgent, at)) {
                rest_until = Some(rest_until.map_or(until, |sooner| sooner.min(until)));
                continue;
            }
            let (served, from) = match self.lanes.get(lane) {
                Some(turn) if at.saturating_duration_since(turn.swept) < SWEEP => (turn.served, turn.from),
                Some(turn) => (turn.served, i64::MIN),
                None => (0, i64::MIN),
            };
            rows.push((served, from, lane));
        }
        rows.sort_by_key(|(served, ..)| *served);
        let are_few = self.is_busy && max > 0 && rows.len() > FEW;
        if are_few {
            rows.truncate(FEW);
        }
        InTurn {
            are_few,
            rest_until,
            forgotten: self.rests.forgotten,
            lanes: rows.iter().map(|(.., lane)| *lane).collect(),
            from: rows.iter().map(|(_, from, _)| *from).collect(),
        }
    }

    /// Notes that a claim is over, but for a look, which took as much as it was asked for, or less. Of a
    /// claim with few lanes, each lane up to the last that gave something has had its turn, so that lanes
    /// without work do not come first again and again.
    pub(crate) fn over(&mut self, turn: &InTurn<'_>, is_full: bool, before: u64) {
        self.is_busy = is_full;
        if !turn.are_few {
            return;
        }
        let gave = |lane: &&str| self.lanes.get(*lane).is_some_and(|turn| turn.served > before);
        let last = turn.lanes.iter().rposition(gave).filter(|_| is_full);
        let looked = turn.lanes.iter().take(last.map_or(turn.lanes.len(), |last| last.saturating_add(1)));
        let idle: Vec<&str> = looked.filter(|lane| !gave(lane)).copied().collect();
        for lane in idle {
            self.served = self.served.saturating_add(1);
            match self.lanes.get_mut(lane) {
                Some(kept) => kept.served = self.served,
                // Such a lane is looked at from the beginning when its turn comes.
                None => {
                    let kept = Turn { served: self.served, from: i64::MIN, swept: Instant::now() };
                    self.lanes.insert(lane.to_owned(), kept);
                }
            }
        }
    }

    /// Notes what a claim saw of its lanes, unless all was forgotten meanwhile: their limits may be others
    /// now.
    pub(crate) fn saw(
        &mut self,
        turn: &InTurn<'_>,
        now: i64,
        sent: Instant,
        dues: Vec<Option<i64>>,
        shuts: Vec<Option<i64>>,
    ) {
        if turn.forgotten == self.rests.forgotten {
            let is_whole = turn.rest_until.is_none() && !turn.are_few;
            self.rests.saw(&turn.lanes, &View { now, sent, is_whole, dues, shuts });
        }
    }

    /// The number of turns so far.
    pub(crate) const fn count(&self) -> u64 {
        self.served
    }

    /// Notes that a claim has taken work of a lane at `now`; `first` is the earliest due of the lane's work
    /// that the claim saw. A claim that looked from the beginning and took nothing of a lane, as the lane was
    /// locked or had no place, is not noted: the next claim looks from the beginning again.
    pub(crate) fn served(
        &mut self,
        turn: &InTurn<'_>,
        lane: &str,
        now: i64,
        first: Option<i64>,
        at: Instant,
    ) {
        self.served = self.served.saturating_add(1);
        let served = self.served;
        let from = first.unwrap_or(i64::MAX).min(now.saturating_sub(SLACK));
        match self.lanes.get_mut(lane) {
            Some(kept) => {
                (kept.served, kept.from) = (served, from);
                if turn.sweeps(lane) {
                    kept.swept = at;
                }
            }
            None => {
                self.lanes.insert(lane.to_owned(), Turn { served, from, swept: at });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{FEW, SLACK, SWEEP, Turns};
    use crate::rests::Urgent;
    use core::time::Duration;
    use std::collections::BTreeSet;
    use std::time::Instant;

    const NOW: i64 = 1_000_000;

    #[test]
    fn a_lane_that_a_sweeping_claim_has_not_served_is_swept_by_the_next_claim() {
        let lanes = ["a".to_owned(), "b".to_owned()];
        let mut turns = Turns::default();
        let start = Instant::now();
        let turn = turns.in_turn(&lanes, 1, None, start);
        assert_eq!((&*turn.lanes, &*turn.from), (&["a", "b"][..], &[i64::MIN, i64::MIN][..]));
        turns.served(&turn, "a", NOW, None, start);
        turns.served(&turn, "b", NOW, Some(7), start);
        let usual = turns.in_turn(&lanes, 1, None, start);
        assert_eq!((&*usual.lanes, &*usual.from), (&["a", "b"][..], &[NOW - SLACK, 7][..]));

        // Both are to be swept. The first claim takes nothing, and the second takes work of b alone.
        let later = start + SWEEP;
        for _ in 0..2 {
            assert_eq!(turns.in_turn(&lanes, 1, None, later).from, [i64::MIN, i64::MIN]);
        }
        let turn = turns.in_turn(&lanes, 1, None, later);
        turns.served(&turn, "b", NOW, Some(3), later);
        let turn = turns.in_turn(&lanes, 1, None, later);
        assert_eq!((&*turn.lanes, &*turn.from), (&["a", "b"][..], &[i64::MIN, 3][..]));
        turns.served(&turn, "a", NOW, Some(1), later);
        assert_eq!(turns.in_turn(&lanes, 1, None, later).from, [3, 1]);

        // A claim that did not look from the beginning is no sweep.
        let usual = turns.in_turn(&lanes, 1, None, later);
        turns.served(&usual, "b", NOW, None, later + SWEEP);
        assert_eq!(turns.in_turn(&lanes, 1, None, later + SWEEP).from, [i64::MIN, i64::MIN]);
    }

    #[test]
    fn a_claim_leaves_out_the_lanes_that_rest_and_knows_when_to_look_at_them() {
        let lanes = ["a", "b", "c", "d"].map(str::to_owned);
        let (mut turns, start) = (Turns::default(), Instant::now());
        let look = turns.in_turn(&lanes[..3], 1, None, start);
        assert_eq!((look.lanes.len(), look.rest_until), (3, None));
        turns.saw(&look, NOW, start, vec![Some(NOW + 50), None, Some(NOW + 30)], vec![None; 3]);
        let urgent = |lanes: &[&str]| Urgent {
            now: NOW,
            lanes: lanes.iter().map(|lane| (*lane).to_owned()).collect(),
        };
        let turn = turns.in_turn(&lanes, 1, Some(&urgent(&["c"])), start);
        assert_eq!((turn.lanes, turn.rest_until), (vec!["c", "d"], Some(NOW + 50)));
        let turn = turns.in_turn(&lanes, 1, Some(&urgent(&["a", "c"])), start);
        let until = turn.rest_until.expect("b rests");
        assert_eq!(turn.lanes, ["a", "c", "d"]);
        assert!(until > NOW + 50 && until < NOW + 1_000, "b is looked at soon, whatever happens: {until}");
        // A view of limits that were set anew meanwhile counts for nothing.
        turns.rests.forget();
        turns.saw(&turn, NOW, start, vec![None; 3], vec![None; 3]);
        assert_eq!(turns.in_turn(&lanes, 1, Some(&urgent(&[])), start).lanes, ["a", "b", "c", "d"]);
    }

    /// A process as the engine's loop drives it: a claim at each nudge, at the moment that the last claim
    /// gave, and once a second.
    #[test]
    fn nudges_bring_one_claim_each_and_looks_at_all_lanes_come_once_a_second() {
        let lanes: Vec<String> = (0..1_000).map(|lane| format!("{lane:04}")).collect();
        let (mut turns, start) = (Turns::default(), Instant::now());
        let after = |ms: i64| start + Duration::from_millis(ms.unsigned_abs());
        // A nudge each 70 ms for ten seconds, and none for the next ten.
        let mut nudges = (0..143).map(|nudge| (nudge * 70, format!("{:04}", nudge * 6))).peekable();
        let (mut claim_at, mut looks, mut claims) = (0, [0, 0], [0, 0]);
        while claim_at < 20_000 {
            let nudge = nudges.next_if(|(at, _)| *at <= claim_at);
            let at = nudge.as_ref().map_or(claim_at, |(at, _)| *at);
            let urgent = turns.asks_for_urgent(&lanes, 64, after(at)).then(|| Urgent {
                now: NOW + at,
                lanes: nudge.iter().map(|(_, lane)| lane.clone()).collect(),
            });
            let turn = turns.in_turn(&lanes, 64, urgent.as_ref(), after(at));
            let late = usize::from(at >= 10_000);
            claims[late] += 1;
            looks[late] += usize::from(turn.lanes.len() == lanes.len());
            if let Some((_, lane)) = &nudge {
                assert!(turn.lanes.contains(&lane.as_str()), "{lane} at {at}");
            }
            claim_at = turn.rest_until.map_or(at + 1_000, |until| (until - NOW).min(at + 1_000));
            claim_at = nudges.peek().map_or(claim_at, |(next, _)| claim_at.min(*next).max(at));
            let count = turn.lanes.len();
            turns.saw(&turn, NOW + at, after(at), vec![Some(NOW + 3_600_000); count], vec![None; count]);
        }
        assert!((9..=12).contains(&looks[0]) && claims[0] <= 143 + 12, "{looks:?} of {claims:?}");
        assert!((9..=11).contains(&looks[1]) && claims[1] <= 12, "{looks:?} of {claims:?}");
    }

    #[test]
    fn a_claim_after_a_full_one_has_few_lanes_and_all_lanes_have_their_turn() {
        let lanes: Vec<String> = (0..2 * FEW + 1).map(|lane| format!("{lane:04}")).collect();
        let (mut turns, start) = (Turns::default(), Instant::now());
        let all = turns.in_turn(&lanes, 1, None, start);
        assert_eq!(all.lanes.len(), lanes.len());
        turns.over(&all, true, 0);
        assert!(!turns.in_turn(&lanes, 0, None, start).are_few, "a look looks at all lanes");
        let mut seen = BTreeSet::new();
        for claim in 1..=3 {
            let turn = turns.in_turn(&lanes, 1, None, start);
            assert_eq!((turn.lanes.len(), turn.are_few), (FEW, true));
            seen.extend(turn.lanes.iter().copied());
            // The last lane gives all, and the others nothing.
            let before = turns.count();
            turns.served(&turn, turn.lanes[FEW - 1], NOW, None, start);
            turns.over(&turn, true, before);
            assert_eq!(seen.len(), lanes.len().min(claim * FEW));
        }

        // The first lane gives all: nobody has looked at the lanes behind.
        let turn = turns.in_turn(&lanes, 1, None, start);
        let before = turns.count();
        turns.served(&turn, turn.lanes[0], NOW, None, start);
        turns.over(&turn, true, before);
        assert_eq!(turns.in_turn(&lanes, 1, None, start).lanes[0], turn.lanes[1]);

        // A claim that found less has looked at all of its lanes, and the next claim looks at all lanes.
        let turn = turns.in_turn(&lanes, 1, None, start);
        turns.over(&turn, false, turns.count());
        let next = turns.in_turn(&lanes, 1, None, start);
        assert_eq!((next.lanes.len(), next.are_few), (lanes.len(), false));
        assert!(!next.lanes[..FEW].contains(&turn.lanes[0]));
        turns.over(&next, true, turns.count());
        let few: Vec<String> = lanes[..FEW].to_vec();
        assert!(!turns.in_turn(&few, 1, None, start).are_few, "a claim of so few lanes looks at all of them");
    }
}
