//! The poller beside a naive poller, which keeps the whole history and derives everything from the history
//! anew each time, in milliseconds and integers that do not overflow.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "tests"
)]

mod play;

use checkout_lifecycle::{Moment, Phase};
use checkout_poll::{GaveUp, GiveUpReason, PollPolicy, Poller, ReadKind, ReadOutcome, Step};
use core::time::Duration;
use play::{EPOCH, Event, PHASES, at, events, policies, secs, tell};
use proptest::prelude::*;

/// The reports with their moments, without the clock's steps back; and the due time of the read after them.
struct Past<'a> {
    policy: &'a PollPolicy,
    /// The whole second of the beginning.
    age_from: i128,
    started_at: i128,
    told: Vec<(i128, Event, i128)>,
}

const FAR: i128 = i128::MAX / 4;

fn millis(span: Duration) -> i128 {
    i128::try_from(span.as_nanos().div_ceil(1_000_000)).unwrap()
}

fn time(moment: Moment) -> i128 {
    moment.unix_millis().into()
}

impl Past<'_> {
    fn gap(&self) -> i128 {
        millis(self.policy.min_gap).max(10)
    }

    /// The answers that showed a phase: the place, the kind of the read, and the phase.
    fn stands(&self, until: usize) -> Vec<(usize, ReadKind, Phase)> {
        let stand = |(place, told): (usize, &(i128, Event, i128))| match told.1 {
            Event::ReadOutcome(ReadOutcome::Answer { kind, phase: Some(phase), .. }) => {
                Some((place, kind, phase))
            }
            Event::ReadOutcome(ReadOutcome::PayerActs { .. }) => {
                Some((place, ReadKind::Status, Phase::PayerAction))
            }
            _ => None,
        };
        self.told[..until].iter().enumerate().filter_map(stand).collect()
    }

    fn phase(&self, until: usize) -> Option<Phase> {
        self.stands(until).last().map(|stand| stand.2)
    }

    /// True if a read of the kind that settles has shown the present phase.
    fn is_confirmed(&self, until: usize) -> bool {
        let stands = self.stands(until);
        let Some(last) = stands.last() else { return false };
        let run = stands.iter().rev().take_while(|stand| stand.2 == last.2);
        last.2.is_final()
            && (!self.policy.confirm_with_full_read || run.into_iter().any(|stand| stand.1 == ReadKind::Full))
    }

    /// True if the payer has returned since the first report of a challenge, or was shown a challenge from
    /// which nobody need return.
    fn has_returned(&self, until: usize) -> bool {
        let stands = self.stands(until);
        let run = stands.iter().rev().take_while(|stand| stand.2 == Phase::PayerAction);
        let returns = |event| {
            let need_not = matches!(event, Event::ReadOutcome(ReadOutcome::PayerActs { shown: true, .. }));
            need_not || event == Event::PayerReturned
        };
        run.last().is_some_and(|first| self.told[first.0..until].iter().any(|told| returns(told.1)))
    }

    /// True if the last answer had a challenge that can be shown, and came after the payer's return.
    fn is_challenged(&self, until: usize) -> bool {
        let last = self.stands(until).pop();
        last.is_some_and(|(place, _, phase)| {
            phase == Phase::PayerAction
                && !matches!(
                    self.told[place].1,
                    Event::ReadOutcome(ReadOutcome::PayerActs { shown: false, .. })
                )
                && self.told[place..until].iter().all(|told| told.1 != Event::PayerReturned)
        })
    }

    fn looks_late(&self, until: usize) -> bool {
        let refused = matches!(self.phase(until), Some(Phase::Failed(_)));
        refused && self.is_confirmed(until) && self.policy.late_payment_reads.is_some()
    }

    /// The reads without an answer since the last answer or resume: all of them, and the refused ones.
    fn without_answer(&self, until: usize) -> (usize, usize) {
        let answered = |event| {
            matches!(
                event,
                Event::ReadOutcome(ReadOutcome::Answer { .. } | ReadOutcome::PayerActs { .. })
                    | Event::Resume(_)
            )
        };
        let since = self.told[..until].iter().rev().take_while(|told| !answered(told.1));
        let row: Vec<_> = since.filter(|told| matches!(told.1, Event::ReadOutcome(_))).collect();
        // Counted from the second after the second of the beginning.
        let appears = self.age_from + 1_000 + millis(self.policy.appears_within);
        let refused = |(now, event, _): &(i128, Event, i128)| match event {
            Event::ReadOutcome(ReadOutcome::NotThere { .. }) => *now >= appears,
            event => *event == Event::ReadOutcome(ReadOutcome::Refused),
        };
        (row.len(), row.iter().filter(|told| refused(told)).count())
    }

    /// True if the outcome at this place is of a read that was sent at the deadline or after it.
    fn is_last(&self, place: usize) -> bool {
        let is_mark = |event| matches!(event, Event::Asking | Event::ReadOutcome(_) | Event::Resume(_));
        let asked = self.told[..place].iter().rposition(|told| is_mark(told.1));
        asked.is_some_and(|asked| {
            let (now, event, _) = self.told[asked];
            event == Event::Asking && now >= self.deadline(asked).0
        })
    }

    /// True if, since the deadline was given, a read that was sent at the deadline or later was answered, or
    /// was tried often enough.
    fn is_over(&self, until: usize) -> bool {
        (self.deadline(until).1..until).any(|place| {
            matches!(self.told[place].1, Event::ReadOutcome(_)) && self.is_last(place) && {
                let failures = self.without_answer(place + 1).0;
                failures == 0 || failures >= usize::from(self.policy.final_attempts.max(1))
            }
        })
    }

    /// The earliest moment of a read, and true if the provider set the moment.
    fn earliest(&self, until: usize) -> (i128, bool) {
        let mut bounds = vec![(self.started_at, false)];
        for (now, event, due) in &self.told[..until] {
            if matches!(event, Event::Asking | Event::ReadOutcome(_)) {
                bounds.push((now + self.gap(), false));
            }
            match event {
                Event::ReadOutcome(ReadOutcome::Limited { wait: None }) => bounds.push((*due, false)),
                Event::ReadOutcome(
                    ReadOutcome::Answer { wait: Some(wait), .. }
                    | ReadOutcome::PayerActs { wait: Some(wait), .. }
                    | ReadOutcome::NotThere { wait: Some(wait) }
                    | ReadOutcome::Limited { wait: Some(wait) }
                    | ReadOutcome::Failed { wait: Some(wait) },
                ) => bounds.push((
                    now + millis(*wait),
                    *wait > self.policy.max_interval.max(self.policy.initial_interval),
                )),
                _ => {}
            }
        }
        let most = bounds.iter().map(|bound| bound.0).max().unwrap();
        (most, bounds.contains(&(most, true)))
    }

    /// The deadline after all changes from the beginning on; and the place from which the deadline holds.
    fn deadline(&self, until: usize) -> (i128, usize) {
        let (mut deadline, mut given) = (self.started_at + millis(self.policy.deadline), 0);
        for place in 0..until {
            let (now, event, _) = self.told[place];
            if let Event::Resume(span) = event {
                (deadline, given) = (now + millis(span), place + 1);
            }
            let (before, after) = (self.phase(place), self.phase(place + 1));
            let (was, is) = (self.is_confirmed(place), self.is_confirmed(place + 1));
            if before != after {
                let after = after.unwrap();
                let ends = before.is_some_and(Phase::is_final) || after.is_final();
                let reviewed = before == Some(Phase::InReview);
                let own = match after {
                    Phase::InReview => Some(self.policy.review.at_most),
                    _ if ends || reviewed => Some(self.policy.deadline),
                    _ => None,
                };
                if let Some(own) = own {
                    let kept = if was || reviewed { i128::MIN } else { deadline };
                    (deadline, given) = (kept.max(now + millis(own)), place + 1);
                }
            }
            if self.looks_late(place + 1) && (before != after || (is && !was)) {
                deadline = now + millis(self.policy.late_payment_reads.unwrap().at_most);
                given = place + 1;
            }
        }
        (deadline, given)
    }

    /// The pause of the policy, true if an answer may shorten the pause, and true if there is a pause at all.
    fn pause(&self, now: i128, until: usize) -> (i128, bool) {
        let policy = self.policy;
        let ordinary =
            ((now - self.age_from) / 8).min(millis(policy.max_interval)).max(millis(policy.initial_interval));
        match self.phase(until) {
            Some(phase) if phase.is_final() && !self.is_confirmed(until) => {
                (millis(policy.initial_interval), true)
            }
            Some(_) if self.looks_late(until) => (millis(policy.late_payment_reads.unwrap().every), false),
            Some(Phase::InReview) => (millis(policy.review.every), false),
            Some(Phase::PayerAction) if self.is_challenged(until) && !self.has_returned(until) => {
                (policy.challenge_interval.map_or(FAR, millis), false)
            }
            _ => (ordinary, true),
        }
    }

    fn first_due(&self) -> i128 {
        self.started_at + millis(self.policy.initial_wait)
    }

    /// The bounds of the due time after the last event, which has no moment of its own yet.
    fn due(&self) -> (i128, i128) {
        let until = self.told.len();
        let (now, event, before) = self.told[until - 1];
        let (earliest, _) = self.earliest(until);
        let Event::ReadOutcome(outcome) = event else {
            let due = match event {
                Event::Asking => before.max(earliest),
                _ => before.min(now.max(earliest)),
            };
            return (due, due);
        };
        let (pause, ordinary) = self.pause(now, until);
        let jitter = i128::from(self.policy.jitter_permille.min(1_000));
        // The least of a pause in nanoseconds, up to milliseconds.
        let least = |pause: i128| pause - pause * jitter / 1_000;
        let last = self.deadline(until).0.max(earliest);
        let or_last = |due: i128| if due + self.gap() > self.deadline(until).0 { last } else { due };
        if let ReadOutcome::Answer { wait, .. } | ReadOutcome::PayerActs { wait, .. } = outcome {
            let ended = self.phase(until) != self.phase(until - 1)
                && self.phase(until).is_some_and(Phase::is_final)
                && !self.is_confirmed(until);
            if ended {
                return (earliest, earliest);
            }
            let (low, high) = match (wait, pause) {
                (Some(_), _) if ordinary => (earliest, earliest),
                (_, FAR) => (FAR, FAR),
                _ => ((now + least(pause)).max(earliest), (now + pause).max(earliest)),
            };
            return (or_last(low), or_last(high));
        }
        let plain = ((now - self.age_from) / 8)
            .min(millis(self.policy.max_interval))
            .max(millis(self.policy.initial_interval));
        let pause = if pause == FAR { plain } else { pause };
        let failures = u32::try_from(self.without_answer(until).0).unwrap();
        let longest = (0..64).map(|seed| millis(self.policy.backoff.wait(failures, seed))).max().unwrap();
        let shortest = (0..64).map(|seed| millis(self.policy.backoff.wait(failures, seed))).min().unwrap();
        // Sixty-four seeds come near to the bounds: half of a wait apart from each other, and a tenth beyond.
        let spread = (longest - shortest) / 10 + 10;
        let (low, high) = (shortest - spread, longest + spread);
        let (low, high) =
            ((now + least(pause).max(low)).max(earliest), (now + pause.max(high)).max(earliest));
        (low.max(or_last(low)), high.max(or_last(high)))
    }

    fn next(&self, now: i128) -> Step {
        let until = self.told.len();
        let now = self.told.iter().map(|told| told.0).chain([now, self.started_at]).max().unwrap();
        let (earliest, said) = self.earliest(until);
        let deadline = self.deadline(until).0;
        let due = self.told.last().map_or(self.first_due(), |told| told.2);
        let moment = |millis: i128| Moment::from_unix_millis(i64::try_from(millis).unwrap());
        let refused = self.without_answer(until).1 >= usize::from(self.policy.max_refusals.clamp(1, 7));
        let why = match () {
            () if refused => Some(GiveUpReason::Refused),
            () if said && earliest > deadline => Some(GiveUpReason::AskedToWait { until: moment(earliest) }),
            () if self.is_over(until) => Some(GiveUpReason::Deadline),
            () => None,
        };
        let phase = self.phase(until);
        match (phase, why) {
            (Some(end), _) if self.is_confirmed(until) && !self.looks_late(until) => Step::Done(end),
            (Some(end), Some(_)) if self.is_confirmed(until) => Step::Done(end),
            (last_phase, Some(reason)) => Step::GaveUp(GaveUp { last_phase, reason }),
            (Some(phase), None) if now >= due && phase.is_final() && !self.is_confirmed(until) => {
                Step::Fetch(ReadKind::Full)
            }
            (_, None) if now >= due => Step::Fetch(ReadKind::Status),
            (_, None) if self.is_challenged(until) => Step::AskPayer { until: moment(due) },
            (_, None) => Step::Wait(moment(due)),
        }
    }
}

/// Whole ticks, so that both count the same.
fn spans() -> impl Strategy<Value = Duration> + Clone {
    prop_oneof![
        4 => (0..500_u64).prop_map(|ticks| Duration::from_millis(ticks * 10)),
        4 => (0..900_u64).prop_map(secs),
        1 => (0..90_u64).prop_map(|hours| secs(hours * 3_600)),
    ]
}

/// Forwards as a rule, and back now and then.
fn moves() -> impl Strategy<Value = i64> {
    prop_oneof![
        3 => Just(0),
        6 => (0..500_i64).prop_map(|ticks| ticks * 10),
        4 => (0..120_i64).prop_map(|seconds| seconds * 1_000),
        1 => (0..100_i64).prop_map(|hours| hours * 3_600_000),
        1 => (-100..0_i64).prop_map(|seconds| seconds * 1_000),
    ]
}

/// To the moment that the poller waits for, as callers do, or by so many milliseconds.
#[derive(Clone, Copy, Debug)]
enum Go {
    There,
    By(i64),
}

fn goes() -> impl Strategy<Value = Go> {
    prop_oneof![1 => Just(Go::There), 1 => moves().prop_map(Go::By)]
}

fn check(
    policy: &PollPolicy,
    started_at: i64,
    seed: u64,
    history: &[(Go, Event)],
) -> Result<(), TestCaseError> {
    let started_at = EPOCH + started_at * 10;
    let mut poller = Poller::new(policy, at(started_at), seed);
    let age_from = i128::from(started_at).div_euclid(1_000) * 1_000;
    let mut past = Past { policy, age_from, started_at: started_at.into(), told: Vec::new() };
    let mut clock = started_at;
    for (go, event) in history {
        clock = match go {
            Go::There => poller.due().unix_millis().max(clock).min(clock + 400_000_000),
            Go::By(millis) => clock + millis,
        };
        let (now, event) = (i128::from(clock), *event);
        prop_assert_eq!(poller.next(policy, at(clock)), past.next(now));
        let seen = past.told.last().map_or(past.started_at, |told| told.0).max(now);
        let before = past.told.last().map_or(past.first_due(), |told| told.2);
        tell(&mut poller, policy, at(clock), event);
        past.told.push((seen, event, if matches!(event, Event::ReadOutcome(_)) { 0 } else { before }));
        let until = past.told.len();
        let deadline = past.deadline(until).0;
        prop_assert_eq!(time(poller.deadline()), deadline, "deadline after {:?}", event);
        prop_assert_eq!(poller.phase(), past.phase(until));
        prop_assert_eq!(usize::from(poller.failures()), past.without_answer(until).0);
        // In whole ticks, up from where it falls.
        let (low, high) = past.due();
        let due = time(poller.due());
        prop_assert!(low <= due && due <= high + 9, "{low} {due} {high}");
        past.told.last_mut().unwrap().2 = due;
        prop_assert_eq!(poller.next(policy, at(clock)), past.next(now), "after {:?}", event);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn a_poller_gives_the_same_steps_as_a_naive_poller_with_a_history(
        policy in policies(spans()), started_at in 0..200_i64, seed: u64,
        history in prop::collection::vec((goes(), events(spans())), 0..24),
    ) {
        check(&policy, started_at, seed, &history)?;
    }
}

#[test]
fn every_phase_follows_every_phase_as_in_a_naive_poller() {
    let policy = PollPolicy::allscale().late_payment_reads(secs(600), secs(7_200)).jitter_permille(0);
    let answer =
        |kind, phase| Event::ReadOutcome(ReadOutcome::Answer { kind, phase: Some(phase), wait: None });
    for (first, second) in PHASES.into_iter().flat_map(|first| PHASES.map(|second| (first, second))) {
        for kinds in [
            [ReadKind::Status, ReadKind::Status],
            [ReadKind::Status, ReadKind::Full],
            [ReadKind::Full, ReadKind::Status],
        ] {
            let there = |event| (Go::There, event);
            let history = [
                there(Event::Asking),
                (Go::By(200), answer(kinds[0], first)),
                there(Event::Asking),
                (Go::By(200), answer(kinds[1], second)),
                there(Event::Nudge),
                there(Event::Asking),
                (Go::By(200), answer(ReadKind::Full, second)),
                (Go::By(8_000_000), Event::Resume(secs(60))),
                there(Event::Asking),
            ];
            check(&policy, 0, 1, &history).unwrap();
        }
    }
}
