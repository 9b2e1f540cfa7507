//! The lanes in turn, as this process serves them.

use core::time::Duration;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
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

/// How often a claim looks back near, far, and to the beginning, at most: each lane in its own time, from
/// half of that on, so that not all of them do so together.
const NEAR: Duration = Duration::from_secs(1);
const FAR: Duration = Duration::from_secs(60);
const WHOLE: Duration = Duration::from_secs(3_600);

/// How far a look goes back behind the last one of its kind, in milliseconds.
const NEAR_BACK: i64 = 4_000;
const FAR_BACK: i64 = 120_000;

/// A database's clock that goes back so far was set. Less is an answer that was overtaken by a later one.
const SET_BACK: i64 = 4_000;

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

#[derive(Clone, Copy)]
struct Turn {
    served: u64,
    /// The earliest due that the last claim saw which noted one, or its clock.
    first: i64,
    /// The database's clock at that claim.
    now: i64,
    /// The last claims that looked back so far at least, and noted what they saw.
    near: Looked,
    far: Looked,
    whole: Looked,
    /// The lane's own part of the time between two looks, in thousandths.
    part: u32,
}

/// A look, by the clock of this process and the database's.
#[derive(Clone, Copy)]
struct Looked {
    at: Instant,
    now: i64,
}

impl Turn {
    fn new(lane: &str, first: i64, looked: Looked) -> Self {
        let mut hasher = DefaultHasher::new();
        lane.hash(&mut hasher);
        let part = u32::try_from(hasher.finish() % 1_000).unwrap_or(0);
        Self { served: 0, first, now: looked.now, near: looked, far: looked, whole: looked, part }
    }

    /// How far to look back.
    fn back(&self, at: Instant) -> Back {
        let is_time = |looked: Looked, most: Duration| {
            let half = most / 2;
            at.saturating_duration_since(looked.at)
                >= half.saturating_add(half.saturating_mul(self.part) / 1_000)
        };
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

    /// The due from which to look. What came since the last look of the same kind is behind that look's clock
    /// by no more than its transaction took.
    fn from(&self, back: Back) -> i64 {
        match back {
            Back::First => self.first,
            Back::Near => self.first.min(self.near.now.saturating_sub(NEAR_BACK)),
            Back::Far => self.first.min(self.far.now.saturating_sub(FAR_BACK)),
            Back::Whole => i64::MIN,
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
    /// How far the claim looks back in this lane, and from which due.
    fn look(&self, lane: &str) -> (Back, i64) {
        let mut looks = self.lanes.iter().zip(self.back.iter().zip(&self.from));
        let found = looks.find(|(name, _)| **name == lane);
        found.map_or((Back::First, i64::MAX), |(_, (back, from))| (*back, *from))
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
        // Nobody knows how far the others have come in a new lane.
        let look = |turn: Option<&Turn>| {
            let back = turn.map_or(Back::Whole, |turn| turn.back(at));
            (back, turn.map_or(i64::MIN, |turn| turn.from(back)))
        };
        let (back, from) = rows.iter().map(|(turn, _)| look(*turn)).unzip();
        let lanes = rows.into_iter().map(|(_, lane)| lane).collect();
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
            // A new lane is looked at from the beginning when its turn comes.
            let new = || Turn::new(lane, i64::MIN, Looked { at: Instant::now(), now: i64::MIN });
            self.lanes.entry(lane.to_owned()).or_insert_with(new).served = self.served;
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
        for lane in &turn.lanes {
            if let Some(kept) =
                self.lanes.get_mut(*lane).filter(|kept| kept.now > now.saturating_add(SET_BACK))
            {
                // What was written since has dues by the new clock.
                *kept = Turn { served: kept.served, ..Turn::new(lane, i64::MIN, Looked { at: sent, now }) };
            }
        }
        let looks = turn.lanes.iter().zip(turn.back.iter().zip(&turn.from));
        for ((lane, (back, from)), due) in looks.zip(&dues) {
            // A lane without a due may be a lane without a row.
            if due.is_some() {
                self.note(lane, (*back, *from), *due, Looked { at: sent, now });
            }
        }
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
    /// that the claim saw.
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
        self.note(lane, turn.look(lane), first, Looked { at, now }).served = served;
    }

    /// Notes the first due that a claim saw in a lane, from a due on.
    fn note(
        &mut self,
        lane: &str,
        (back, from): (Back, i64),
        first: Option<i64>,
        looked: Looked,
    ) -> &mut Turn {
        let now = looked.now;
        let first = first.map_or(now, |first| first.min(now));
        let new = || Turn::new(lane, first, looked);
        let kept = self.lanes.entry(lane.to_owned()).or_insert_with(new);
        // Claims at the same time can overtake each other, and another one may have found work further back.
        if from <= kept.first {
            kept.first = if now < kept.now { first.min(kept.first) } else { first };
        }
        kept.now = now;
        for (to, last) in
            [(Back::Near, &mut kept.near), (Back::Far, &mut kept.far), (Back::Whole, &mut kept.whole)]
        {
            if back >= to {
                *last = looked;
            }
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::{FAR, FEW, NEAR, SET_BACK, Turns, WHOLE};
    use crate::rests::Urgent;
    use core::time::Duration;
    use std::collections::BTreeSet;
    use std::time::Instant;

    const NOW: i64 = 1_000_000;

    const MOMENT: Duration = Duration::from_millis(1);

    /// A process that has served a lane at [`NOW`], when the lane's first work was due since a while.
    fn served(first: Option<i64>) -> (Turns, [String; 1], Instant) {
        let (mut turns, lanes, start) = (Turns::default(), ["a".to_owned()], Instant::now());
        let turn = turns.in_turn(&lanes, 1, None, start);
        assert_eq!(turn.from, [i64::MIN]);
        turns.served(&turn, "a", NOW, first, start);
        (turns, lanes, start)
    }

    fn from(turns: &Turns, lanes: &[String], at: Instant) -> i64 {
        turns.in_turn(lanes, 1, None, at).from[0]
    }

    #[test]
    fn a_claim_begins_where_the_last_one_found_work_and_looks_back_now_and_then() {
        let (turns, lanes, start) = served(None);
        let at = |span: Duration| from(&turns, &lanes, start + span);
        assert_eq!(at(NEAR / 2 - MOMENT), NOW);
        assert_eq!((at(NEAR), at(FAR / 2 - MOMENT)), (NOW - 4_000, NOW - 4_000));
        assert_eq!((at(FAR), at(WHOLE / 2 - MOMENT)), (NOW - 120_000, NOW - 120_000));
        assert_eq!(at(WHOLE), i64::MIN);
        let (turns, lanes, start) = served(Some(NOW - 50_000));
        let at = |span: Duration| from(&turns, &lanes, start + span);
        assert_eq!((at(MOMENT), at(NEAR), at(FAR)), (NOW - 50_000, NOW - 50_000, NOW - 120_000));
    }

    /// Work is due a second after the clock that its transaction has read.
    #[test]
    fn work_of_a_slow_transaction_is_found_in_time_however_often_the_lane_is_served() {
        for (every, took) in [(NEAR, 5_000), (FAR, 121_000)] {
            let (mut turns, lanes, start) = served(None);
            let (step, mut claims) = (every / 10, vec![(NOW, i64::MIN)]);
            for number in 1..=300 {
                let at = start + step * number;
                let now = NOW + i64::try_from((step * number).as_millis()).unwrap();
                let turn = turns.in_turn(&lanes, 1, None, at);
                claims.push((now, turn.from[0]));
                turns.served(&turn, "a", now, None, at);
            }
            let within = i64::try_from((every + step).as_millis()).unwrap();
            for (number, (seen, _)) in claims.iter().enumerate().take(280) {
                // The transaction commits right after a claim has looked.
                let due = seen + 1 - took + 1_000;
                let mut later = claims[number + 1..].iter().filter(|(now, _)| *now <= seen + within);
                assert!(later.any(|(_, from)| *from <= due), "{took} ms, after claim {number}");
            }
        }
    }

    #[test]
    fn the_lanes_look_back_at_different_times() {
        let lanes: Vec<String> = (0..1_000).map(|lane| format!("{lane:04}")).collect();
        let (mut turns, start) = (Turns::default(), Instant::now());
        let all = turns.in_turn(&lanes, 1, None, start);
        lanes.iter().for_each(|lane| turns.served(&all, lane, NOW, None, start));
        let mut seen = BTreeSet::new();
        for second in 30..=60 {
            let at = start + Duration::from_secs(second);
            let turn = turns.in_turn(&lanes, 1, None, at);
            let looks = turn.lanes.iter().zip(&turn.from).filter(|(_, from)| **from == NOW - 120_000);
            let far: Vec<&str> = looks.map(|(lane, _)| *lane).collect();
            assert!(far.len() < 100, "{} in second {second}", far.len());
            far.iter().for_each(|lane| turns.served(&turn, lane, NOW, None, at));
            seen.extend(far.into_iter().map(str::to_owned));
        }
        assert_eq!(seen.len(), lanes.len());
    }

    /// A full claim tells of the lanes alone that gave something.
    #[test]
    fn a_lane_of_which_a_claim_says_nothing_is_looked_through_again() {
        let (mut turns, lanes, start) = served(None);
        for (span, wanted) in [(NEAR, NOW - 4_000), (FAR, NOW - 120_000), (WHOLE, i64::MIN)] {
            let at = start + span;
            for _ in 0..3 {
                assert_eq!(from(&turns, &lanes, at), wanted, "{span:?}");
            }
            let turn = turns.in_turn(&lanes, 1, None, at);
            turns.served(&turn, "a", NOW, None, at);
            assert_eq!(from(&turns, &lanes, at), NOW, "{span:?}");
        }
    }

    /// The lane may have been locked, or without a place.
    #[test]
    fn work_that_a_look_back_has_found_is_where_the_next_claim_begins() {
        let (mut turns, lanes, start) = served(None);
        let at = start + FAR;
        let (usual, far) = (turns.in_turn(&lanes, 1, None, start), turns.in_turn(&lanes, 1, None, at));
        assert_eq!((&*usual.from, &*far.from), (&[NOW][..], &[NOW - 120_000][..]));
        turns.saw(&far, NOW + 60_000, at, vec![Some(NOW - 70_000)], vec![None]);
        assert_eq!(from(&turns, &lanes, at), NOW - 70_000);
        // A claim that began before, and further ahead, has not seen that work.
        turns.served(&usual, "a", NOW + 60_001, None, at);
        assert_eq!(from(&turns, &lanes, at), NOW - 70_000);
        // Work that is due later is no reason to begin later than the clock.
        let turn = turns.in_turn(&lanes, 1, None, at);
        turns.saw(&turn, NOW + 60_002, at, vec![Some(NOW + 3_600_000)], vec![None]);
        assert_eq!(from(&turns, &lanes, at), NOW + 60_002);
        // An answer that was overtaken, and one without a due.
        turns.saw(&turn, NOW + 60_000, at, vec![Some(NOW + 55_000)], vec![None]);
        turns.saw(&turn, NOW + 60_003, at, vec![None], vec![None]);
        assert_eq!(from(&turns, &lanes, at), NOW + 55_000);
        // One that was overtaken, and had not yet seen that work.
        turns.saw(&turn, NOW + 59_999, at, vec![Some(NOW + 58_000)], vec![None]);
        assert_eq!(from(&turns, &lanes, at), NOW + 55_000);
    }

    #[test]
    fn a_clock_that_was_set_back_brings_a_look_from_the_beginning() {
        let (mut turns, lanes, start) = served(None);
        let turn = turns.in_turn(&lanes, 1, None, start);
        // The lane is shut, and the claim has nothing to tell of it.
        turns.saw(&turn, NOW - SET_BACK, start, vec![None], vec![None]);
        assert_eq!(from(&turns, &lanes, start), NOW);
        turns.saw(&turn, NOW - SET_BACK - 1, start, Vec::new(), Vec::new());
        assert_eq!(from(&turns, &lanes, start), i64::MIN);
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
