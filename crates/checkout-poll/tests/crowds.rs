//! Many checkouts under shared limits: no answer, nudge or restart of one checkout costs the others anything.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "tests"
)]

mod play;

use checkout_lifecycle::{Moment, Phase};
use checkout_poll::{
    GaveUp, GiveUpReason, MerchantId, Next, PollPolicy, Poller, ReadKind, ReadOutcome, Schedule, ScheduleKey,
};
use checkout_tables::{RateLimit, RateScope, peach};
use core::time::Duration;
use play::secs;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A whole second after the beginning.
fn at(seconds: u64) -> Moment {
    play::at(play::EPOCH).saturating_add(secs(seconds))
}

fn since(moment: Moment) -> u64 {
    u64::try_from(moment.saturating_since(at(0)).as_millis()).unwrap()
}

fn limit(requests: u32, per_seconds: u32) -> RateLimit {
    RateLimit { requests, per_seconds, scope: RateScope::Merchant }
}

fn stands(kind: ReadKind, phase: Phase) -> ReadOutcome {
    ReadOutcome::Answer { kind, phase: Some(phase), wait: None }
}

/// Waits that nobody can mean, for a provider whose longest pause is a minute.
fn waits() -> impl Strategy<Value = Option<Duration>> {
    prop_oneof![
        1 => Just(None),
        3 => prop::sample::select(vec![61, 600, 86_400, 99_999_999_999, 253_402_300_799, u64::MAX])
            .prop_map(|seconds| Some(secs(seconds))),
        1 => (0..90_u64).prop_map(|seconds| Some(secs(seconds))),
        1 => Just(Some(Duration::MAX)),
    ]
}

fn hostile() -> impl Strategy<Value = ReadOutcome> {
    prop_oneof![
        4 => waits().prop_map(|wait| ReadOutcome::Limited { wait }),
        2 => waits().prop_map(|wait| ReadOutcome::Failed { wait }),
        1 => Just(ReadOutcome::Refused),
        2 => waits().prop_map(|wait| ReadOutcome::Answer { kind: ReadKind::Status, phase: None, wait }),
    ]
}

/// The times of each checkout's reads. Every checkout stands still, but for the checkouts with other answers;
/// reads are answered at once and one by one, and all checkouts are given up at the end at the latest.
fn play(
    schedule: &mut Schedule<usize>,
    until: u64,
    mut answer: impl FnMut(usize, ReadKind, Moment) -> ReadOutcome,
    mut each_second: impl FnMut(&mut Schedule<usize>, u64),
) -> BTreeMap<usize, Vec<Moment>> {
    let mut reads = BTreeMap::<usize, Vec<Moment>>::new();
    for second in 0..until {
        each_second(schedule, second);
        loop {
            match schedule.next(at(second)) {
                Next::Fetch { key, kind, .. } => {
                    let data = *schedule.data(key).unwrap();
                    reads.entry(data).or_default().push(at(second));
                    let outcome = answer(data, kind, at(second));
                    schedule.handle_outcome(key, at(second), outcome);
                }
                Next::Wait(_) | Next::Idle => break,
                Next::AskPayer { .. } | Next::Refused { .. } | Next::Ended { .. } | Next::GaveUp { .. } => {}
            }
        }
    }
    reads
}

#[test]
fn a_wait_of_a_day_binds_its_checkout_and_the_merchant_for_a_pause() {
    for wait in [86_400, 99_999_999_999, 253_402_300_799, u64::MAX] {
        let mut schedule = Schedule::new(at(0), 42);
        let shop = schedule.merchant(PollPolicy::allscale(), None);
        let keys = [0, 1, 2, 3].map(|data| schedule.add(shop, at(0), at(0), data));
        let Next::Fetch { key, .. } = schedule.next(at(0)) else { panic!("nothing to read") };
        assert_eq!(key, keys[0]);
        schedule.handle_outcome(key, at(0), ReadOutcome::Limited { wait: Some(secs(wait)) });
        // The wait is reported at once, since the checkout's time ends before the wait.
        let Next::GaveUp { key, gave_up: GaveUp { reason: GiveUpReason::AskedToWait { .. }, .. } } =
            schedule.next(at(0))
        else {
            panic!("the wait is not reported")
        };
        assert_eq!(key, keys[0]);
        // The other three wait for a minute, which is AllScale's longest pause; nudges do not bring their
        // reads forward.
        assert_eq!(schedule.next(at(0)), Next::Wait(at(60)));
        schedule.nudge(keys[2], at(30));
        assert_eq!(schedule.next(at(30)), Next::Wait(at(60)));
        let mut given = Vec::new();
        while let Next::Fetch { key, .. } = schedule.next(at(60)) {
            given.push(key);
        }
        assert_eq!(given, [keys[2], keys[1], keys[3]]);
    }
}

#[test]
fn a_caller_s_own_wait_holds_unchanged() {
    let mut schedule = Schedule::new(at(0), 42);
    let (shop, other) =
        (schedule.merchant(PollPolicy::allscale(), None), schedule.merchant(PollPolicy::allscale(), None));
    schedule.add(shop, at(0), at(0), 0);
    let free = schedule.add(other, at(0), at(0), 1);
    schedule.pause_until(shop, at(86_400));
    assert!(matches!(schedule.next(at(0)), Next::Fetch { key, .. } if key == free));
    assert_eq!(schedule.next(at(0)), Next::Wait(at(86_400)));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    /// Any answer to one checkout, from the provider or from a party in front of the provider.
    #[test]
    fn no_answer_for_one_checkout_delays_hides_or_ends_another(
        policy in prop::sample::select(vec![PollPolicy::allscale(), PollPolicy::azotte()]),
        ages in prop::collection::vec(0..500_u64, 1..6), place in 0..6_usize, age in 0..500_u64,
        answers in prop::collection::vec(hostile(), 1..12),
        ends in 1..400_u64,
        nudges in prop::collection::vec(0..600_u64, 0..40),
    ) {
        let mut schedule = Schedule::new(at(600), 42);
        let shop = schedule.merchant(policy, None);
        let bad = place.min(ages.len());
        let mut keys = Vec::new();
        for data in 0..=ages.len() {
            let age = if data == bad { age } else { ages[data - usize::from(data > bad)] };
            keys.push(schedule.add(shop, at(600 - age), at(600), data));
        }
        let (mut answers, mut ended) = (answers.iter().copied().cycle(), BTreeMap::new());
        for second in 600..2_000 {
            // The sender of these answers can ring for the same checkout too.
            if nudges.contains(&(second - 600)) {
                schedule.nudge(keys[bad], at(second));
            }
            loop {
                match schedule.next(at(second)) {
                    Next::Fetch { key, kind, .. } => {
                        let data = *schedule.data(key).unwrap();
                        let phase = if second >= 600 + ends { Phase::Succeeded } else { Phase::AwaitingPayer };
                        let good = stands(kind, phase);
                        let outcome = if data == bad { answers.next().unwrap() } else { good };
                        schedule.handle_outcome(key, at(second), outcome);
                    }
                    Next::Ended { key, phase } => {
                        ended.insert(*schedule.data(key).unwrap(), (second, phase));
                    }
                    Next::GaveUp { key, .. } => {
                        let data = *schedule.data(key).unwrap();
                        let deadline = since(schedule.poller(key).unwrap().deadline()) / 1_000;
                        // A checkout whose time ends before the payment is given up, and no other checkout.
                        prop_assert!(data == bad || deadline < 600 + ends, "{data} is given up at {second}");
                        ended.insert(data, (second, Phase::Processing));
                    }
                    Next::Wait(_) | Next::Idle => break,
                    Next::AskPayer { .. } | Next::Refused { .. } => {}
                }
            }
            for (data, key) in keys.iter().enumerate().filter(|(data, _)| *data != bad && !ended.contains_key(data)) {
                let due = schedule.poller(*key).unwrap().due().max(at(600));
                let over = at(second).saturating_since(due);
                let most = policy.longest_pause() + secs(1);
                prop_assert!(over <= most, "{data} waits for {over:?} at {second}");
            }
        }
        // The age at which the pause is the longest, and one more wait before each of the last two reads.
        for data in (0..=ages.len()).filter(|data| *data != bad) {
            let (second, _) = ended[&data];
            let most = 600 + ends + 5 * policy.longest_pause().as_secs();
            let deadline = since(schedule.poller(keys[data]).unwrap().deadline()) / 1_000;
            prop_assert!(second <= most.max(deadline + 2 * policy.longest_pause().as_secs()), "{data}: {second}");
        }
    }
}

/// Ten checkouts were paid, and two checkouts that nobody opens are nudged at each tick, from one moment on.
fn paid_beside_spam(
    limit: Option<RateLimit>,
    spammed: usize,
    press: fn(&mut Schedule<usize>, ScheduleKey, Moment),
) -> u64 {
    let mut schedule = Schedule::new(at(0), 42);
    let shop = schedule.merchant(PollPolicy::peach(), limit);
    let keys: Vec<ScheduleKey> =
        (0..10 + spammed).map(|data| schedule.add(shop, at(0), at(0), data)).collect();
    let reads = play(
        &mut schedule,
        3_900,
        |data, kind, _| stands(kind, if data < 10 { Phase::Succeeded } else { Phase::AwaitingPayer }),
        |schedule, second| {
            for key in &keys[10..] {
                press(schedule, *key, at(second));
            }
        },
    );
    (0..10).map(|data| since(reads[&data][0]) / 1_000).max().unwrap()
}

#[test]
fn nudges_without_end_for_two_checkouts_cost_ten_others_a_turn_each() {
    let presses: [fn(&mut Schedule<usize>, ScheduleKey, Moment); 2] = [
        |schedule, key, now| schedule.nudge(key, now),
        |schedule, key, now| schedule.payer_returned(key, now),
    ];
    for press in presses {
        // Two reads in 61 s: the ten checkouts in five windows, and the two jumps in a sixth.
        let told = paid_beside_spam(peach::Route::Status.rate_limit(), 2, press);
        assert!(told <= 366, "{told}");
        // One read in 61 s: ten checkouts and two jumps.
        let told = paid_beside_spam(Some(limit(1, 60)), 2, press);
        assert!(told <= 12 * 61, "{told}");
        // Every second read is for the others, for any number of nudged checkouts.
        let told = paid_beside_spam(peach::Route::Status.rate_limit(), 40, press);
        assert!(told <= 10 * 61, "{told}");
    }
}

#[test]
fn a_nudge_jumps_again_once_its_checkout_has_another_phase() {
    let mut schedule = Schedule::new(at(0), 42);
    let shop = schedule.merchant(PollPolicy::peach().min_gap(secs(1)), Some(limit(1, 60)));
    let keys = [0, 1, 2, 3, 4, 5].map(|data| schedule.add(shop, at(0), at(0), data));
    let mut given = Vec::new();
    let mut phases = [Phase::AwaitingPayer, Phase::Processing, Phase::Processing].into_iter();
    for window in 0..8 {
        let now = at(window * 61);
        schedule.nudge(keys[5], now);
        let Next::Fetch { key, kind, .. } = schedule.next(now) else { panic!("nothing to read") };
        let data = *schedule.data(key).unwrap();
        given.push(data);
        let phase = if data == 5 { phases.next().unwrap() } else { Phase::AwaitingPayer };
        schedule.handle_outcome(key, now, stands(kind, phase));
    }
    // The first phase is no news, and neither is the same phase again. After the first jump the checkout has
    // its ordinary turn, which shows something new: the checkout jumps once more, and then no more.
    assert_eq!(given, [5, 0, 1, 2, 3, 4, 5, 5]);
}

#[test]
fn a_nudge_that_jumps_no_more_is_read_at_once_where_there_is_room() {
    let mut schedule = Schedule::new(at(0), 42);
    let shop = schedule.merchant(PollPolicy::peach().min_gap(secs(1)), peach::Route::Status.rate_limit());
    let key = schedule.add(shop, at(0), at(0), 0);
    for now in [at(0), at(100)] {
        schedule.nudge(key, now);
        let Next::Fetch { kind, .. } = schedule.next(now) else { panic!("nothing to read") };
        schedule.handle_outcome(key, now, stands(kind, Phase::AwaitingPayer));
    }
    // The read at 100 s showed nothing new. Another read leaves one of two for other checkouts, so the read
    // is made.
    schedule.nudge(key, at(162));
    assert!(matches!(schedule.next(at(162)), Next::Fetch { .. }));
    schedule.handle_outcome(key, at(162), stands(ReadKind::Status, Phase::AwaitingPayer));
    // A second read would leave none.
    schedule.nudge(key, at(165));
    let Next::Wait(until) = schedule.next(at(165)) else { panic!("the checkout is read") };
    assert!(until > at(175), "{until:?}");
    // No nudge is lost: the ordinary read comes.
    assert!(matches!(schedule.next(until), Next::Fetch { .. }));
}

/// A shop whose limit others use up, and a refused checkout that is read once a day.
#[test]
fn a_nudge_that_jumps_no_more_is_read_within_the_longest_pause_and_not_a_day_later() {
    let mut schedule = Schedule::new(at(0), 42);
    let policy =
        PollPolicy::peach().deadline(secs(1_000_000)).late_payment_reads(secs(86_400), secs(1_000_000));
    let shop = schedule.merchant(policy, peach::Route::Status.rate_limit());
    let keys: Vec<_> = (0..12).map(|data| schedule.add(shop, at(0), at(0), data)).collect();
    let refused = keys[0];
    // The webhook of the refusal, a webhook that brings nothing new, and late money.
    let reads = play(
        &mut schedule,
        6_000,
        |data, kind, _| match data {
            0 => stands(kind, Phase::Failed(checkout_lifecycle::Failure::Expired)),
            _ => stands(kind, Phase::AwaitingPayer),
        },
        |schedule, second| {
            if [1_000, 2_000, 3_000].contains(&second) {
                schedule.nudge(refused, at(second));
            }
        },
    );
    let next = |after: u64| reads[&0].iter().map(|read| since(*read) / 1_000).find(|read| *read >= after);
    let longest = policy.longest_pause().as_secs();
    // The checkout then waits for its turn among twelve: six windows of the limit, and six more that are the
    // others' by right.
    for nudged in [1_000, 2_000, 3_000] {
        let read = next(nudged).unwrap_or_else(|| panic!("{nudged}: {:?}", reads[&0]));
        assert!(read <= nudged + longest + 12 * 61, "nudged at {nudged}, read at {read}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(150) })]

    /// While a read without a nudge waits, no nudged checkout goes before that read twice.
    #[test]
    fn a_nudge_never_costs_another_checkout_its_turn_twice(
        requests in 1..4_u32, per_seconds in 1..30_u32,
        ages in prop::collection::vec(0..3_000_u64, 2..12),
        spammed in 1..4_usize, every in 1..7_u64,
        is_return in any::<bool>(),
    ) {
        let mut schedule = Schedule::new(at(3_000), 42);
        let policy = PollPolicy::peach().deadline(secs(100_000)).min_gap(secs(1)).initial_interval(secs(5));
        let shop = schedule.merchant(policy, Some(limit(requests, per_seconds)));
        let spammed = spammed.min(ages.len() - 1);
        let mut keys = Vec::new();
        for (data, age) in ages.iter().enumerate() {
            keys.push(schedule.add(shop, at(3_000 - age), at(3_000), data));
        }
        // The number of reads of each nudged checkout while each of the others waited.
        let mut before = BTreeMap::<(usize, usize), u32>::new();
        let mut in_a_row = 0;
        for second in 3_000..5_000 {
            if second % every == 0 {
                for key in &keys[..spammed] {
                    match is_return {
                        true => schedule.payer_returned(*key, at(second)),
                        false => schedule.nudge(*key, at(second)),
                    }
                }
            }
            loop {
                // The pollers say when each checkout wants to be read, before any read is given.
                let state: Vec<(Moment, Moment)> = keys.iter().map(|key| {
                    let poller = schedule.poller(*key).unwrap();
                    let due = poller.due();
                    (due, due.saturating_add(poller.interval(&policy, due)))
                }).collect();
                let Next::Fetch { key, kind, .. } = schedule.next(at(second)) else { break };
                let given = *schedule.data(key).unwrap();
                let waiting = (spammed..ages.len()).filter(|data| *data != given && state[*data].0 <= at(second));
                let waiting: Vec<usize> = waiting.collect();
                if given >= spammed {
                    before.retain(|(_, kept), _| *kept != given);
                    in_a_row = 0;
                } else if waiting.iter().any(|kept| state[*kept].1 < state[given].1) {
                    // The checkout jumped: by the ordinary order another checkout has the turn.
                    in_a_row += 1;
                    prop_assert!(in_a_row < 2, "two in a row at {second}");
                    for kept in waiting.into_iter().filter(|kept| state[*kept].1 < state[given].1) {
                        let times = before.entry((given, kept)).or_default();
                        *times += 1;
                        prop_assert!(*times < 2, "{given} goes before {kept} twice at {second}");
                    }
                } else {
                    in_a_row = 0;
                }
                schedule.handle_outcome(key, at(second), stands(kind, Phase::AwaitingPayer));
            }
        }
    }
}

/// A schedule of stored pollers with their last answers at the stop of the process, and the due time of each
/// poller.
fn stopped(policy: &PollPolicy, ages: &[u64], stop: u64) -> Vec<Poller> {
    let poller = |(seed, age): (u64, &u64)| {
        let mut poller = Poller::new(policy, at(stop - age), seed);
        poller.mark_sent(policy, at(stop - age));
        poller.handle_outcome(
            policy,
            at(stop).max(at(stop - age)),
            stands(ReadKind::Status, Phase::AwaitingPayer),
        );
        poller.to_string().parse().unwrap()
    };
    (0..).zip(ages).map(poller).collect()
}

/// The time of each checkout's first read, in milliseconds, driven from one named moment to the next.
fn first_reads(schedule: &mut Schedule<usize>, from: Moment) -> Vec<(u64, usize)> {
    let (mut now, mut first) = (from, Vec::<(u64, usize)>::new());
    while first.len() < schedule.len() {
        match schedule.next(now) {
            Next::Fetch { key, .. } => first.push((since(now), *schedule.data(key).unwrap())),
            Next::Wait(until) => now = until,
            other => panic!("{other:?}"),
        }
    }
    first
}

#[test]
fn a_thousand_checkouts_that_are_restored_are_read_one_after_the_other_the_most_overdue_first() {
    let policy = PollPolicy::allscale().deadline(secs(100_000));
    let ages: Vec<u64> = (0..1_000).map(|number| 1_000 + number).collect();
    let pollers = stopped(&policy, &ages, 5_000);
    let now = at(5_400);
    let run = |seed: u64| {
        let mut schedule = Schedule::new(now, seed);
        let shop = schedule.merchant(policy, None);
        for (data, poller) in pollers.iter().enumerate() {
            schedule.restore(shop, *poller, now, data);
        }
        // A new checkout, and a checkout with a webhook, are read at once.
        let fresh = schedule.add(shop, now, now, 9_999);
        let key = schedule.iter().find(|(_, _, _, data)| **data == 500).unwrap().0;
        assert!(matches!(schedule.next(now), Next::Fetch { .. }));
        schedule.nudge(key, now);
        let mut at_once = Vec::new();
        while let Next::Fetch { key, .. } = schedule.next(now) {
            at_once.push(*schedule.data(key).unwrap());
        }
        assert_eq!(at_once, [500, 9_999]);
        assert!(schedule.remove(fresh).is_some());
        let mut first = Vec::new();
        let mut moment = now;
        while first.len() < 998 {
            match schedule.next(moment) {
                Next::Fetch { key, .. } => first.push((since(moment), *schedule.data(key).unwrap())),
                Next::Wait(until) => moment = until,
                other => panic!("{other:?}"),
            }
        }
        first
    };
    let first = run(42);
    assert_eq!(first, run(42));
    // AllScale's pause is a minute at that age: 16.7 a second.
    let begin = since(now);
    for second in 0..60 {
        let inside = (begin + second * 1_000)..(begin + (second + 1) * 1_000);
        let reads = first.iter().filter(|(at, _)| inside.contains(at)).count();
        assert!((15..=18).contains(&reads), "{reads} reads in second {second}");
    }
    assert!(first.iter().all(|(at, _)| *at < begin + 60_000));
    let mut by_due: Vec<(Moment, usize)> =
        pollers.iter().enumerate().map(|(data, poller)| (poller.due(), data)).collect();
    by_due.sort_unstable();
    let order: Vec<usize> = by_due.into_iter().map(|(_, data)| data).filter(|data| *data != 500).collect();
    assert_eq!(first.iter().map(|(_, data)| *data).collect::<Vec<_>>(), order[1..]);
}

#[test]
fn checkouts_restored_one_by_one_between_reads_are_read_one_after_the_other() {
    let policy = PollPolicy::allscale().deadline(secs(100_000));
    let pollers = stopped(&policy, &[1_000; 1_000], 5_000);
    let now = at(5_400);
    let mut schedule = Schedule::new(now, 42);
    let shop = schedule.merchant(policy, None);
    let mut at_once = 0;
    for (data, poller) in pollers.iter().enumerate() {
        schedule.restore(shop, *poller, now, data);
        while let Next::Fetch { .. } = schedule.next(now) {
            at_once += 1;
        }
    }
    let mut moment = now;
    let mut counts = BTreeMap::<u64, u32>::new();
    *counts.entry(0).or_default() += at_once;
    loop {
        match schedule.next(moment) {
            Next::Fetch { .. } => *counts.entry((since(moment) - since(now)) / 1_000).or_default() += 1,
            Next::Wait(until) => moment = until,
            _ => break,
        }
    }
    assert_eq!(counts.values().sum::<u32>(), 1_000);
    assert!(
        counts.values().all(|reads| *reads <= 40) && counts.keys().all(|second| *second <= 60),
        "{counts:?}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(100) })]

    #[test]
    fn no_restored_checkout_is_read_too_early_or_put_off_past_its_deadline(
        policy in prop::sample::select(vec![PollPolicy::allscale(), PollPolicy::azotte(), PollPolicy::peach()]),
        ages in prop::collection::vec(1..900_u64, 1..60), down in 0..900_u64,
    ) {
        let pollers = stopped(&policy, &ages, 1_000);
        let now = at(1_000 + down);
        let mut schedule = Schedule::new(now, 42);
        let shop: MerchantId = schedule.merchant(policy, None);
        for (data, poller) in pollers.iter().enumerate() {
            schedule.restore(shop, *poller, now, data);
        }
        let first = first_reads(&mut schedule, now);
        let last_overdue = pollers.iter().filter(|poller| poller.due() <= now).count();
        for (read, data) in &first {
            let (due, deadline) = (pollers[*data].due(), pollers[*data].deadline());
            prop_assert!(*read >= since(due));
            if due > now {
                // A checkout that is not due yet is read when it is due.
                prop_assert!(*read <= since(due) + 10);
            } else {
                prop_assert!(*read <= since(now) + u64::try_from(policy.longest_pause().as_millis()).unwrap());
                prop_assert!(deadline <= now || *read <= since(deadline), "{data} is put off past its deadline");
            }
        }
        // The most overdue checkout is read at once.
        prop_assert!(last_overdue == 0 || first[0].0 == since(now));
    }
}

#[test]
fn a_busy_merchant_waits_and_holds_up_no_other() {
    let mut schedule = Schedule::new(at(0), 42);
    let shops = [Some(limit(2, 60)), None].map(|limit| schedule.merchant(PollPolicy::allscale(), limit));
    let keys = [0, 0, 0, 1, 1].map(|shop| schedule.add(shops[shop], at(0), at(0), shop));
    schedule.set_busy(shops[0], true);
    let mut given = Vec::new();
    while let Next::Fetch { key, .. } = schedule.next(at(0)) {
        given.push(key);
    }
    assert_eq!(given, keys[3..]);
    assert_eq!(schedule.next(at(0)), Next::Idle);
    schedule.set_busy(shops[0], false);
    let mut given = Vec::new();
    while let Next::Fetch { key, .. } = schedule.next(at(1)) {
        given.push(key);
    }
    // The limit holds as before.
    assert_eq!(given, keys[..2]);
    assert_eq!(schedule.next(at(1)), Next::Wait(at(62)));
    schedule.set_busy(shops[0], true);
    assert_eq!(schedule.next(at(62)), Next::Idle);
    schedule.set_busy(shops[0], false);
    assert_eq!(
        schedule.next(at(62)),
        Next::Fetch { key: keys[2], merchant: shops[0], kind: ReadKind::Status }
    );
    // A merchant that left is unknown, busy or not.
    let gone = schedule.merchant(PollPolicy::allscale(), None);
    schedule.remove_merchant(gone);
    schedule.set_busy(gone, true);
    let next = schedule.merchant(PollPolicy::allscale(), None);
    schedule.add(next, at(62), at(62), 7);
    assert!(matches!(schedule.next(at(62)), Next::Fetch { merchant, .. } if merchant == next));
}
