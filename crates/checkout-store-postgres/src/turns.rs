//! The lanes in turn, as this process serves them.

use core::time::Duration;
use std::collections::{HashMap, HashSet};
use std::time::Instant;

use crate::rests::{Rests, Urgent, View};

/// How far a claim looks back in a lane. Every version of a row has an entry in the index by due, and each
/// poll leaves two dead ones behind the due that the claims have come to, so a claim begins there. Work may
/// have been put behind, by a transaction that was slow. It is looked for now and then: the slower, the more
/// rarely.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Back {
    /// To the first work that the last claim saw. Work is put a second ahead of its transaction's clock at
    /// least ([`URGENT`]), so a transaction of a second hides nothing.
    ///
    /// [`URGENT`]: crate::write::URGENT
    First,
    /// For transactions of five seconds: a write waits for a lock for three.
    Near,
    /// For transactions that a server in trouble took two minutes for.
    Far,
    /// To the beginning, whatever has happened.
    Whole,
}

impl Back {
    /// The due from which to look: `first` is the due of the first work that a claim saw at `now`.
    fn from(self, first: i64, now: i64) -> i64 {
        match self {
            Self::First => first.min(now),
            Self::Near => first.min(now.saturating_sub(4_000)),
            Self::Far => first.min(now.saturating_sub(120_000)),
            Self::Whole => i64::MIN,
        }
    }
}

/// How often a claim looks back near, far, and to the beginning.
const NEAR: Duration = Duration::from_secs(1);
const FAR: Duration = Duration::from_secs(60);
const WHOLE: Duration = Duration::from_secs(3_600);

/// Of so many lanes, one looks back far in a claim: together they would hold a claim up.
const ONE_OF: usize = 64;

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
    /// Counts the looks far back.
    tried: u64,
    pub(crate) rests: Rests,
}

#[derive(Clone, Copy)]
struct Turn {
    served: u64,
    /// The earliest due that the last claim saw which gave something, and the database's clock at that claim.
    first: i64,
    now: i64,
    /// The last claims that looked back so far at least, and found work.
    near: Instant,
    far: Instant,
    whole: Instant,
    /// The number of the last look far back, whether it found work or not.
    tried: u64,
}

impl Turn {
    /// How far to look back.
    fn back(&self, at: Instant) -> Back {
        let is_time = |since: Instant, every: Duration| at.saturating_duration_since(since) >= every;
        if is_time(self.whole, WHOLE) {
            Back::Whole
        } else if is_time(self.far, FAR) {
            Back::Far
        } else if is_time(self.near, NEAR) {
            Back::Near
        } else {
            Back::First
        }
    }
}

/// The lanes of a claim in turn, and the due from which to look in each.
pub(crate) struct InTurn<'a> {
    pub(crate) lanes: Vec<&'a str>,
    pub(crate) from: Vec<i64>,
    back: Vec<Back>,
    /// There are lanes that this claim does not look at, and which may have work that is due.
    pub(crate) are_few: bool,
    /// The moment when the first of the lanes that rest, and which this claim leaves out, is to be looked at.
    pub(crate) rest_until: Option<i64>,
    /// How often all was forgotten before this claim.
    pub(crate) forgotten: u64,
}

impl InTurn<'_> {
    /// How far the claim looks back in this lane.
    fn back(&self, lane: &str) -> Back {
        let lanes = self.lanes.iter().zip(&self.back);
        lanes.filter(|(name, _)| **name == lane).map(|(_, back)| *back).next().unwrap_or(Back::First)
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
        &mut self,
        lanes: &'a [String],
        max: usize,
        urgent: Option<&Urgent>,
        at: Instant,
    ) -> InTurn<'a> {
        let mut rows: Vec<(Option<&Turn>, &str)> = Vec::with_capacity(lanes.len());
        let mut rest_until: Option<i64> = None;
        for lane in lanes {
            if let Some(until) = urgent.and_then(|urgent| self.rests.until(lane, urgent, at)) {
                rest_until = Some(rest_until.map_or(until, |sooner| sooner.min(until)));
                continue;
            }
            rows.push((self.lanes.get(lane), lane));
        }
        rows.sort_by_key(|(turn, _)| turn.map_or(0, |turn| turn.served));
        let are_few = self.is_busy && max > 0 && rows.len() > FEW;
        if are_few {
            rows.truncate(FEW);
        }
        // The lanes that look far back: those that have not for longest, as a lane that gives nothing is
        // about to for ever.
        let about = |turn: &Turn| turn.back(at) >= Back::Far;
        let turns =
            rows.iter().filter_map(|(turn, lane)| Some((turn.filter(|turn| about(turn))?.tried, *lane)));
        let (mut far, most) = (turns.collect::<Vec<(u64, &str)>>(), rows.len().div_ceil(ONE_OF));
        if far.len() > most {
            far.select_nth_unstable(most);
            far.truncate(most);
        }
        let far: HashSet<&str> = far.into_iter().map(|(_, lane)| lane).collect();
        let back_in = |turn: Option<&Turn>, lane: &str| match turn {
            Some(turn) => {
                let back = turn.back(at).min(if far.contains(lane) { Back::Whole } else { Back::Near });
                (back, back.from(turn.first, turn.now))
            }
            // Nobody knows how far the others have come in a new lane.
            None => (Back::Whole, i64::MIN),
        };
        let (back, from) = rows.iter().map(|(turn, lane)| back_in(*turn, lane)).unzip();
        let lanes = rows.into_iter().map(|(_, lane)| lane).collect();
        for lane in far {
            self.tried = self.tried.saturating_add(1);
            if let Some(turn) = self.lanes.get_mut(lane) {
                turn.tried = self.tried;
            }
        }
        InTurn { are_few, rest_until, forgotten: self.rests.forgotten, lanes, from, back }
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
            let served = self.served;
            // A new lane is looked at from the beginning when its turn comes.
            let at = Instant::now();
            let new =
                || Turn { served, first: i64::MIN, now: i64::MIN, near: at, far: at, whole: at, tried: 0 };
            self.lanes.entry(lane.to_owned()).or_insert_with(new).served = served;
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
    /// that the claim saw. A claim that looked far back and took nothing of a lane, as the lane was locked or
    /// had no place, is not noted: the next claim looks back as far.
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
        let first = first.map_or(now, |first| first.min(now));
        let (back, kept) = (turn.back(lane), self.lanes.get(lane));
        let looked = |to: Back, kept: Option<Instant>| kept.filter(|_| back < to).unwrap_or(at);
        let near = looked(Back::Near, kept.map(|kept| kept.near));
        let far = looked(Back::Far, kept.map(|kept| kept.far));
        let whole = looked(Back::Whole, kept.map(|kept| kept.whole));
        let tried = kept.map_or(0, |kept| kept.tried);
        self.lanes.insert(lane.to_owned(), Turn { served, first, now, near, far, whole, tried });
    }
}

#[cfg(test)]
mod tests {
    use super::{FAR, FEW, NEAR, ONE_OF, Turns, WHOLE};
    use crate::rests::Urgent;
    use core::time::Duration;
    use std::collections::BTreeSet;
    use std::time::Instant;

    const NOW: i64 = 1_000_000;

    #[test]
    fn a_claim_begins_where_the_last_one_found_work_and_looks_back_now_and_then() {
        let lanes = ["a".to_owned(), "b".to_owned()];
        let mut turns = Turns::default();
        let start = Instant::now();
        let turn = turns.in_turn(&lanes, 1, None, start);
        assert_eq!((&*turn.lanes, &*turn.from), (&["a", "b"][..], &[i64::MIN, i64::MIN][..]));
        turns.served(&turn, "a", NOW, None, start);
        turns.served(&turn, "b", NOW, Some(NOW - 50_000), start);
        let from = |turns: &mut Turns, after: Duration| {
            let turn = turns.in_turn(&lanes, 1, None, start + after);
            assert_eq!(turn.lanes, ["a", "b"]);
            turn.from
        };
        let moment = Duration::from_millis(1);
        assert_eq!(from(&mut turns, NEAR - moment), [NOW, NOW - 50_000]);
        assert_eq!(from(&mut turns, NEAR), [NOW - 4_000, NOW - 50_000]);
        assert_eq!(from(&mut turns, FAR - moment), [NOW - 4_000, NOW - 50_000]);
        // One of few lanes looks far back in a claim.
        assert_eq!(from(&mut turns, FAR), [NOW - 120_000, NOW - 50_000]);
        assert_eq!(from(&mut turns, FAR), [NOW - 4_000, NOW - 120_000]);
        assert_eq!(from(&mut turns, WHOLE - moment), [NOW - 120_000, NOW - 50_000]);
        assert_eq!(from(&mut turns, WHOLE), [NOW - 4_000, i64::MIN]);
        assert_eq!(from(&mut turns, WHOLE), [i64::MIN, NOW - 50_000]);
    }

    /// The claim may have found the lane locked, or without a place.
    #[test]
    fn a_lane_that_gave_nothing_is_looked_through_again() {
        let lanes = ["a".to_owned()];
        let (mut turns, start) = (Turns::default(), Instant::now());
        let turn = turns.in_turn(&lanes, 1, None, start);
        turns.served(&turn, "a", NOW, None, start);
        for (span, from) in [(NEAR, NOW - 4_000), (FAR, NOW - 120_000), (WHOLE, i64::MIN)] {
            let at = start + span;
            for _ in 0..3 {
                assert_eq!(turns.in_turn(&lanes, 1, None, at).from, [from], "{span:?}");
            }
            let turn = turns.in_turn(&lanes, 1, None, at);
            turns.served(&turn, "a", NOW, None, at);
            assert_eq!(turns.in_turn(&lanes, 1, None, at).from, [NOW], "{span:?}");
        }
    }

    /// Half of the lanes never give anything, and look back all the same.
    #[test]
    fn few_lanes_look_far_back_in_a_claim_and_each_has_its_turn() {
        let lanes: Vec<String> = (0..2 * ONE_OF).map(|lane| format!("{lane:04}")).collect();
        let (mut turns, start) = (Turns::default(), Instant::now());
        let all = turns.in_turn(&lanes, 1, None, start);
        lanes.iter().for_each(|lane| turns.served(&all, lane, NOW, None, start));
        let mut seen = BTreeSet::new();
        for _ in 0..4 * ONE_OF {
            let turn = turns.in_turn(&lanes, 1, None, start + FAR);
            let looks = turn.lanes.iter().zip(&turn.from).filter(|(_, from)| **from == NOW - 120_000);
            let far: Vec<&str> = looks.map(|(lane, _)| *lane).collect();
            assert!(far.len() <= 2, "{far:?}");
            for lane in far.into_iter().filter(|lane| **lane >= *lanes[ONE_OF]) {
                turns.served(&turn, lane, NOW, None, start + FAR);
            }
            seen.extend(
                turn.lanes
                    .iter()
                    .zip(&turn.from)
                    .filter(|(_, from)| **from < NOW - 4_000)
                    .map(|(lane, _)| *lane),
            );
        }
        assert_eq!(seen.len(), lanes.len());
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
