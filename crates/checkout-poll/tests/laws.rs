//! The laws for every policy and every history: callers that come late, are canceled, are nudged, and whose
//! clocks jump.
#![allow(missing_docs, clippy::unwrap_used, clippy::wildcard_enum_match_arm, reason = "tests")]

mod play;

use checkout_lifecycle::{Moment, Phase};
use checkout_poll::{Backoff, GaveUp, GiveUpReason, PollPolicy, Poller, ReadKind, ReadOutcome, Step};
use core::time::Duration;
use play::{EPOCH, Event, at, events, fetches, phases, policies, secs, tell};
use proptest::prelude::*;

/// Any span, the short ones more often, and not in whole ticks.
fn spans() -> impl Strategy<Value = Duration> + Clone {
    prop_oneof![
        6 => (0..5_000_000_u64).prop_map(Duration::from_micros),
        6 => (0..600_000_u64).prop_map(Duration::from_millis),
        2 => (0..400_u64).prop_map(|hours| secs(hours * 3_600)),
        1 => any::<u64>().prop_map(secs),
        1 => Just(Duration::MAX),
    ]
}

/// Any moment there is.
fn moments() -> impl Strategy<Value = i64> {
    prop_oneof![
        6 => (0..10_000_000_i64).prop_map(|millis| EPOCH + millis),
        2 => any::<i64>(),
        2 => -10_000_000_000_000..10_000_000_000_000_i64,
        1 => prop::sample::select(vec![i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX]),
    ]
}

/// The next round of a caller: the time of the wake-up, and the outcome of the read that is due.
#[derive(Clone, Copy, Debug)]
struct Round {
    /// Milliseconds that the caller comes too late.
    late: i64,
    /// Milliseconds until the answer.
    journey: i64,
    /// No outcome of the read is reported.
    canceled: bool,
    outcome: ReadOutcome,
    /// The event in between.
    between: Option<Event>,
    /// Milliseconds that the clock is set back.
    back: i64,
}

fn rounds() -> impl Strategy<Value = Vec<Round>> {
    let small = || prop_oneof![3 => Just(0), 2 => 0..40_i64, 1 => 0..90_000_i64];
    let outcome = prop_oneof![
        6 => (fetches(), prop::option::weighted(0.8, phases()), prop::option::weighted(0.2, spans()))
            .prop_map(|(kind, phase, wait)| ReadOutcome::Answer { kind, phase, wait }),
        1 => prop::option::weighted(0.5, spans()).prop_map(|wait| ReadOutcome::Limited { wait }),
        1 => prop::option::weighted(0.5, spans()).prop_map(|wait| ReadOutcome::Failed { wait }),
        1 => prop::option::weighted(0.5, spans()).prop_map(|wait| ReadOutcome::NotThere { wait }),
        1 => (any::<bool>(), prop::option::weighted(0.2, spans()))
            .prop_map(|(shown, wait)| ReadOutcome::PayerActs { shown, wait }),
        1 => Just(ReadOutcome::Refused),
    ];
    let between = prop::option::weighted(
        0.3,
        prop_oneof![
            3 => Just(Event::Nudge),
            2 => Just(Event::PayerReturned),
            1 => spans().prop_map(Event::Resume),
        ],
    );
    let back = prop_oneof![5 => Just(0), 1 => 0..90_000_i64];
    let round = (small(), small(), prop::bool::weighted(0.1), outcome, between, back).prop_map(
        |(late, journey, canceled, outcome, between, back)| Round {
            late,
            journey,
            canceled,
            outcome,
            between,
            back,
        },
    );
    prop::collection::vec(round, 0..30)
}

const fn wait_of(outcome: ReadOutcome) -> Option<Duration> {
    match outcome {
        ReadOutcome::Answer { wait, .. } | ReadOutcome::PayerActs { wait, .. } => wait,
        ReadOutcome::Limited { wait } | ReadOutcome::Failed { wait } | ReadOutcome::NotThere { wait } => wait,
        ReadOutcome::Refused => None,
    }
}

/// A provider with one checkout, and a caller with bad luck.
#[derive(Clone, Copy, Debug)]
struct Luck {
    /// Milliseconds from the wake-up to the read, and to its answer.
    late: i64,
    journey: i64,
    /// No outcome is ever reported.
    canceled: bool,
    /// Otherwise the read is lost, unless that were one loss too many.
    lost: bool,
    /// The wait of the answer or of the refusal.
    wait: Option<Duration>,
    limited: bool,
    nudged: bool,
}

fn luck() -> impl Strategy<Value = Luck> {
    let millis = || prop_oneof![4 => 0..500_i64, 1 => 0..90_000_i64];
    let canceled = prop::bool::weighted(0.1);
    let wait = prop::option::weighted(0.3, (0..30_000_u64).prop_map(Duration::from_millis));
    let luck = (millis(), millis(), canceled, any::<bool>(), wait, any::<bool>(), prop::bool::weighted(0.1));
    luck.prop_map(|(late, journey, canceled, lost, wait, limited, nudged)| Luck {
        late,
        journey,
        canceled,
        lost,
        wait,
        limited,
        nudged,
    })
}

/// Watches a checkout until the poller is done or gives up. Returns the last step, and the number of answered
/// reads that were sent at the deadline or after it.
fn watch(
    policy: &PollPolicy,
    poller: &mut Poller,
    clock: &mut i64,
    stands: impl Fn(i64) -> Phase,
    mut luck: impl Iterator<Item = Luck>,
) -> (Step, u32) {
    let (mut row, mut last_reads) = (0, 0);
    loop {
        let kind = match poller.next(policy, at(*clock)) {
            Step::Wait(until) | Step::AskPayer { until } => {
                *clock = until.unix_millis();
                continue;
            }
            Step::Fetch(kind) => kind,
            end @ (Step::Done(_) | Step::GaveUp(_)) => return (end, last_reads),
        };
        let luck = luck.next().unwrap();
        *clock += luck.late;
        poller.mark_sent(policy, at(*clock));
        let is_last = at(*clock) >= poller.deadline();
        let phase = Some(stands(*clock + luck.journey / 2));
        if luck.nudged {
            poller.nudge(policy, at(*clock));
        }
        if luck.canceled {
            continue;
        }
        *clock += luck.journey;
        let wait = luck.wait;
        // One loss in a row fewer than the losses that end the watch.
        let outcome = if luck.lost && row + 1 < policy.final_attempts.max(1) {
            row += 1;
            if luck.limited { ReadOutcome::Limited { wait } } else { ReadOutcome::Failed { wait } }
        } else {
            row = 0;
            last_reads += u32::from(is_last);
            ReadOutcome::Answer { kind, phase, wait }
        };
        poller.handle_outcome(policy, at(*clock), outcome);
    }
}

/// The reads and the reports, with their moments.
#[derive(Debug, Default)]
struct Log {
    /// The latest moment of any report.
    told: Option<Moment>,
    sent: Vec<Moment>,
    outcome: Vec<(Moment, ReadOutcome)>,
    /// The phase that a whole read showed, while this is the last phase shown.
    evidence: Option<Phase>,
    shown: Option<Phase>,
    /// The sending of the read whose outcome is still open.
    asked: Option<Moment>,
    /// Reads in a row without an answer, since the last resume; and true if the last of them was sent at the
    /// deadline or after it.
    lost: (u32, bool),
    /// Answered reads that were sent at this deadline or after it.
    last_reads: u32,
}

impl Log {
    fn tell(&mut self, clock: Moment, event: Event) {
        self.told = self.told.max(Some(clock));
        if let Event::Resume(_) = event {
            (self.asked, self.lost, self.last_reads) = (None, (0, false), 0);
        }
    }

    /// An earlier report holds, in whole ticks of ten milliseconds.
    fn counts_as(&self, now: Moment) -> Moment {
        self.told.map_or(now, |told| now.max(at(told.unix_millis() / 10 * 10)))
    }
}

/// Plays the caller, and asserts the laws at every step.
fn run(policy: &PollPolicy, started_at: i64, seed: u64, rounds: &[Round]) -> Result<(), TestCaseError> {
    let mut poller = Poller::new(policy, at(started_at), seed);
    let (mut log, mut clock) = (Log { told: Some(at(started_at)), ..Log::default() }, at(started_at));
    for round in rounds {
        clock = at(clock.unix_millis().saturating_sub(round.back));
        // Time does not go back, for any jump of the clock.
        let now = log.counts_as(clock);
        let step = poller.next(policy, clock);
        if now.saturating_since(poller.started_at()) >= Duration::from_millis(u64::from(u32::MAX) * 10) {
            // Beyond the end of the count the poller only ends.
            prop_assert!(matches!(step, Step::Done(_) | Step::GaveUp(_)), "{step:?}");
            return Ok(());
        }
        prop_assert_eq!(step, poller.next(policy, clock));
        // A poller that is stored and read back is the same poller.
        let stored: Poller = poller.to_string().parse().unwrap();
        prop_assert_eq!(stored, poller);
        prop_assert_eq!(stored.to_string(), poller.to_string());
        match step {
            Step::Wait(until) | Step::AskPayer { until } => {
                prop_assert!(until > clock, "{until:?} is no moment to wait for at {clock:?}");
                prop_assert_eq!(until, poller.due());
                // Until then nothing changes, and then something does.
                prop_assert_eq!(poller.next(policy, at(until.unix_millis() - 1).max(clock)), step);
                prop_assert_ne!(poller.next(policy, until), step);
                let asks = matches!(step, Step::AskPayer { .. });
                prop_assert!(!asks || log.shown == Some(Phase::PayerAction));
                clock = until.saturating_add(Duration::from_millis(round.late.unsigned_abs()));
            }
            Step::Fetch(kind) => {
                prop_assert_eq!(log.last_reads, 0, "a read after the last one");
                let never = at(poller.started_at().unix_millis() + i64::from(u32::MAX) * 10);
                prop_assert!(poller.due() <= now && now < never);
                for before in log.sent.iter().chain(log.outcome.iter().map(|outcome| &outcome.0)) {
                    let apart = now.saturating_since(*before);
                    prop_assert!(apart >= policy.min_gap, "{apart:?} apart");
                }
                for (when, outcome) in &log.outcome {
                    if let Some(wait) = wait_of(*outcome) {
                        let over = when.saturating_add(wait);
                        prop_assert!(now >= over, "a wait until {over:?} is cut short at {now:?}");
                    }
                }
                let settles = log.shown.is_some_and(Phase::is_final) && log.evidence != log.shown;
                prop_assert_eq!(kind == ReadKind::Full, settles && policy.confirm_with_full_read);
                poller.mark_sent(policy, clock);
                log.sent.push(now);
                log.asked = Some(now);
                log.told = log.told.max(Some(clock));
                if !round.canceled {
                    clock = clock.saturating_add(Duration::from_millis(round.journey.unsigned_abs()));
                    hear(&mut poller, policy, clock, round.outcome, &mut log);
                }
            }
            Step::Done(end) => {
                prop_assert!(end.is_final());
                prop_assert_eq!(log.shown, Some(end));
                prop_assert!(
                    !policy.confirm_with_full_read || log.evidence == Some(end),
                    "an end without its evidence"
                );
                // A read that was on its way comes in.
                hear(&mut poller, policy, clock, round.outcome, &mut log);
            }
            Step::GaveUp(GaveUp { last_phase, reason }) => {
                prop_assert_eq!(last_phase, log.shown);
                match reason {
                    // The poller does not give up on old news.
                    GiveUpReason::Deadline => {
                        let in_vain = log.lost.1 && log.lost.0 >= u32::from(policy.final_attempts.max(1));
                        prop_assert!(poller.deadline() <= now && (log.last_reads == 1 || in_vain), "{log:?}");
                    }
                    GiveUpReason::AskedToWait { until } => {
                        let longest = policy.max_interval.max(policy.initial_interval);
                        let is_long = |outcome| wait_of(outcome).is_some_and(|wait| wait > longest);
                        prop_assert!(
                            until > poller.deadline() && log.outcome.iter().any(|outcome| is_long(outcome.1))
                        );
                    }
                    GiveUpReason::Refused => {
                        let refuses =
                            |outcome| matches!(outcome, ReadOutcome::Refused | ReadOutcome::NotThere { .. });
                        let refused = log.outcome.iter().filter(|outcome| refuses(outcome.1)).count();
                        prop_assert!(refused >= usize::from(policy.max_refusals.clamp(1, 7)));
                    }
                }
                // Only a resume brings the checkout back.
                poller.nudge(policy, clock);
                prop_assert_eq!(poller.next(policy, clock), step);
                let event = Event::Resume(secs(60));
                tell(&mut poller, policy, clock, event);
                log.tell(clock, event);
            }
        }
        if let Some(event) = round.between {
            tell(&mut poller, policy, clock, event);
            log.tell(clock, event);
        }
    }
    Ok(())
}

fn hear(poller: &mut Poller, policy: &PollPolicy, now: Moment, outcome: ReadOutcome, log: &mut Log) {
    let (deadline, stood) = (poller.deadline(), poller.phase());
    poller.handle_outcome(policy, now, outcome);
    let is_last = log.asked.take().is_some_and(|asked| asked >= deadline);
    if let ReadOutcome::Answer { .. } | ReadOutcome::PayerActs { .. } = outcome {
        log.lost = (0, false);
        log.last_reads += u32::from(is_last);
    } else {
        log.lost = (log.lost.0 + 1, is_last || log.lost.1);
    }
    // A phase with a time of its own came, or an end was confirmed.
    let is_given =
        |phase: Option<Phase>| phase.is_some_and(|phase| phase.is_final() || phase == Phase::InReview);
    if poller.deadline() != deadline
        || (poller.phase() != stood && (is_given(stood) || is_given(poller.phase())))
    {
        log.last_reads = 0;
    }
    log.outcome.push((log.counts_as(now), outcome));
    log.told = log.told.max(Some(now));
    let stands = match outcome {
        ReadOutcome::Answer { kind, phase: Some(phase), .. } => Some((kind, phase)),
        ReadOutcome::PayerActs { .. } => Some((ReadKind::Status, Phase::PayerAction)),
        _ => None,
    };
    if let Some((kind, phase)) = stands {
        log.evidence = log
            .evidence
            .filter(|evidence| *evidence == phase)
            .or_else(|| (kind == ReadKind::Full || !policy.confirm_with_full_read).then_some(phase));
        log.shown = Some(phase);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) })]

    #[test]
    fn the_laws_hold_for_every_caller(
        policy in policies(spans()), started_at in 0..10_000_000_i64, seed: u64, rounds in rounds(),
    ) {
        run(&policy, EPOCH + started_at, seed, &rounds)?;
    }

    #[test]
    fn the_laws_hold_for_the_policies_as_they_are(
        policy in prop::sample::select(vec![
            PollPolicy::allscale(),
            PollPolicy::azotte(),
            PollPolicy::peach(),
            PollPolicy::allscale().late_payment_reads(secs(3_600), secs(86_400)),
            PollPolicy::azotte().challenge_interval(None),
            PollPolicy::peach().late_payment_reads(secs(21_600), Duration::MAX),
        ]),
        started_at in 0..10_000_000_i64, seed: u64, rounds in rounds(),
    ) {
        run(&policy, EPOCH + started_at, seed, &rounds)?;
    }

    /// No poller gives up on old news, for any losses on the way.
    #[test]
    fn a_checkout_that_ends_before_its_deadline_ends_as_the_provider_says(
        policy in prop::sample::select(vec![
            PollPolicy::allscale(),
            PollPolicy::azotte(),
            PollPolicy::peach(),
            PollPolicy::azotte().challenge_interval(None),
            PollPolicy::peach().late_payment_reads(secs(600), secs(7_200)),
        ]),
        tries in 0..6_u8, seed: u64,
        open in prop::sample::select(vec![Phase::AwaitingPayer, Phase::PayerAction, Phase::Processing]),
        end in phases().prop_filter("an end", |phase| phase.is_final()),
        before in prop_oneof![1..3_000_i64, 1..600_000_i64], after in 0..3_000_i64,
        lucks in prop::collection::vec(luck(), 1..40),
    ) {
        let policy = policy.final_attempts(tries).max_interval(policy.max_interval.max(secs(30)));
        let deadline = EPOCH + i64::try_from(policy.deadline.as_millis()).unwrap();
        let good = Luck { late: 0, journey: 0, canceled: false, lost: false, wait: None, limited: false, nudged: false };
        let lucks = || lucks.iter().copied().chain([good]).cycle();
        // The checkout ends in time.
        let (mut poller, mut clock) = (Poller::new(&policy, at(EPOCH), seed), EPOCH);
        let ends = deadline - before;
        let stands = |now| if now >= ends { end } else { open };
        let (came, _) = watch(&policy, &mut poller, &mut clock, stands, lucks());
        prop_assert_eq!(came, Step::Done(end));
        // The checkout ends too late, or just in time for the last read: no more than one read is answered
        // after the deadline.
        let (mut poller, mut clock) = (Poller::new(&policy, at(EPOCH), seed), EPOCH);
        let ends = deadline + after;
        let stands = |now| if now >= ends { end } else { open };
        let (came, last_reads) = watch(&policy, &mut poller, &mut clock, stands, lucks());
        if came == Step::Done(end) {
            return Ok(());
        }
        prop_assert_eq!(came, Step::GaveUp(GaveUp { last_phase: Some(open), reason: GiveUpReason::Deadline }));
        prop_assert_eq!(last_reads, 1);
        prop_assert!(clock >= deadline);
        // A checkout that was handed back can be resumed.
        clock += 3_000;
        let mut poller: Poller = poller.to_string().parse().unwrap();
        poller.resume(&policy, at(clock), Duration::ZERO);
        prop_assert_eq!(watch(&policy, &mut poller, &mut clock, stands, lucks()).0, Step::Done(end));
    }

    /// No report, at any moment, panics or makes a poller that cannot be stored; and a stored poller goes on
    /// as if it had not been stored.
    #[test]
    fn a_poller_stored_at_any_point_goes_on_unchanged(
        policy in policies(spans()), started_at in moments(), seed: u64,
        history in prop::collection::vec((moments(), events(spans())), 0..30),
        look in moments(),
    ) {
        let mut poller = Poller::new(&policy, at(started_at), seed);
        let mut stored = poller;
        for (now, event) in history {
            prop_assert_eq!(poller.next(&policy, at(look)), stored.next(&policy, at(look)));
            stored = stored.to_string().parse().unwrap();
            tell(&mut poller, &policy, at(now), event);
            tell(&mut stored, &policy, at(now), event);
            prop_assert_eq!(poller, stored);
            let _ = (poller.started_at(), poller.due(), poller.deadline(), poller.interval(&policy, at(look)));
            // No caller runs in circles without a read: the moment to wait for comes after now.
            match poller.next(&policy, at(look)) {
                Step::Wait(until) | Step::AskPayer { until } => prop_assert!(until > at(look)),
                Step::Fetch(_) | Step::Done(_) | Step::GaveUp(_) => {}
            }
        }
    }

    /// A moment before a reported moment counts as the reported moment.
    #[test]
    fn a_clock_that_jumps_back_changes_nothing(
        policy in policies(spans()), seed: u64,
        history in prop::collection::vec((0..900_000_i64, events(spans())), 1..20),
        back in prop_oneof![1..100_000_i64, Just(i64::MAX)],
    ) {
        let mut poller = Poller::new(&policy, at(EPOCH), seed);
        let mut clock = 0;
        for (further, event) in history {
            clock += further / 10 * 10;
            tell(&mut poller, &policy, at(EPOCH + clock), event);
        }
        let (now, before) = (at(EPOCH + clock), at(EPOCH.saturating_add(clock).saturating_sub(back)));
        prop_assert_eq!(poller.next(&policy, before), poller.next(&policy, now));
        let answer = ReadOutcome::Answer { kind: ReadKind::Status, phase: None, wait: None };
        let outcome = Event::ReadOutcome(answer);
        let events = [Event::Asking, Event::Nudge, Event::PayerReturned, outcome, Event::Resume(secs(9))];
        for event in events {
            let (mut early, mut right) = (poller, poller);
            tell(&mut early, &policy, before, event);
            tell(&mut right, &policy, now, event);
            prop_assert_eq!(early, right, "{:?}", event);
        }
    }

    /// After the clock is set back, the rest of each time is the same: the same steps come after the same
    /// time as without the jump.
    #[test]
    fn a_clock_that_was_set_back_leaves_the_rest_of_each_time(
        policy in policies(spans()), seed: u64,
        history in prop::collection::vec((0..900_000_i64, events(spans())), 1..20),
        ahead in prop_oneof![Just(0_i64), 0..400_000_000_000_i64],
        back in prop_oneof![0..60_000_i64, 60_000..90_000_000_i64, 0..800_000_000_000_i64],
        further in prop::collection::vec(0..100_000_000_i64, 1..9),
    ) {
        let mut poller = Poller::new(&policy, at(EPOCH), seed);
        let mut clock = EPOCH + ahead / 10 * 10;
        for (further, event) in history {
            clock += further / 10 * 10;
            tell(&mut poller, &policy, at(clock), event);
        }
        let back = back / 10 * 10;
        let right = clock - back;
        let mut set = poller;
        set.set_back(at(right));
        prop_assert_eq!(set.to_string().parse(), Ok(set));
        if back < 60_000 {
            prop_assert_eq!(set, poller);
            return Ok(());
        }
        let mut twice = set;
        twice.set_back(at(right));
        prop_assert_eq!(twice, set);
        // Where the whole is too long to be counted, less is left: this test leaves those cases out.
        prop_assume!((clock - poller.started_at().unix_millis()) / 10 < i64::from(u32::MAX) / 2);
        if poller.deadline() <= at(clock) && right >= poller.started_at().unix_millis() {
            // The deadline was set before the clock ran ahead, and holds by the right clock.
            prop_assert_eq!(set.deadline(), poller.deadline());
            return Ok(());
        }
        let never = |poller: &Poller, until: Moment| {
            until.saturating_since(poller.started_at()) >= Duration::from_millis(u64::from(u32::MAX) * 10)
        };
        // A wait that is over is over, for any time since.
        let over = |step, now: i64| match step {
            Step::GaveUp(GaveUp { last_phase, reason: GiveUpReason::AskedToWait { until } }) => {
                Step::GaveUp(GaveUp { last_phase, reason: GiveUpReason::AskedToWait { until: until.max(at(now)) } })
            }
            other => other,
        };
        let shifted = |step: Step| match step {
            Step::Wait(until) if !never(&poller, until) => Step::Wait(at(until.unix_millis() - back)),
            Step::AskPayer { until } if !never(&poller, until) => {
                Step::AskPayer { until: at(until.unix_millis() - back) }
            }
            Step::GaveUp(GaveUp { last_phase, reason: GiveUpReason::AskedToWait { until } }) if !never(&poller, until) => {
                Step::GaveUp(GaveUp { last_phase, reason: GiveUpReason::AskedToWait { until: at(until.unix_millis() - back) } })
            }
            other => other,
        };
        let mut later = 0;
        for further in further {
            let before = shifted(over(poller.next(&policy, at(clock + later)), clock + later));
            let after = over(set.next(&policy, at(right + later)), right + later);
            let never_ends = |step| matches!(
                step,
                Step::Wait(until) | Step::AskPayer { until }
                    | Step::GaveUp(GaveUp { reason: GiveUpReason::AskedToWait { until }, .. }) if never(&set, until)
            );
            if !never_ends(after) {
                prop_assert_eq!(after, before);
            }
            later += further / 10 * 10;
        }
    }

    /// No moment does harm.
    #[test]
    fn a_clock_can_be_set_back_to_anything(
        policy in policies(spans()), seed: u64, started_at: i64, told: i64, right: i64, outcome in events(spans()),
    ) {
        let mut poller = Poller::new(&policy, at(started_at), seed);
        for (now, event) in [(told, outcome), (right, Event::Resume(secs(60))), (right, Event::Asking)] {
            poller.set_back(at(now));
            tell(&mut poller, &policy, at(now), event);
            prop_assert_eq!(poller.to_string().parse(), Ok(poller));
        }
        // A read comes again, or the poller is done: no caller sleeps for a year because of the place where a
        // clock was.
        let right = at(right.max(0));
        if let Step::Wait(until) | Step::AskPayer { until } = poller.next(&policy, right) {
            let in_range = right.unix_millis() < i64::from(u32::MAX) * 1_000;
            let wait = until.saturating_since(right);
            let PollPolicy { initial_interval, max_interval, min_gap, review, late_payment_reads, challenge_interval, backoff, .. } = policy;
            let reads = [Some(review.every), late_payment_reads.map(|reads| reads.every), challenge_interval];
            let pauses = [initial_interval, max_interval, min_gap, backoff.wait(u32::MAX, 0).saturating_mul(2)];
            let longest = reads.into_iter().flatten().chain(pauses).max().unwrap();
            // A pause that would end less than the gap before the deadline ends at the deadline.
            let most = (secs(60) + secs(60)).saturating_add(longest).saturating_add(min_gap);
            prop_assert!(!in_range || wait <= most, "{wait:?}");
        }
    }

    /// After a failure the next read comes later than after an answer, and never sooner.
    #[test]
    fn the_next_read_after_a_failure_is_later_and_never_sooner(
        policy in policies(spans()), seed: u64, further in 0..900_000_i64,
        history in prop::collection::vec((0..90_000_i64, events(spans())), 0..12),
        wait in prop::option::of(spans()),
    ) {
        let policy = policy.challenge_interval(policy.challenge_interval.or(Some(secs(30))));
        let mut poller = Poller::new(&policy, at(EPOCH), seed);
        let mut clock = EPOCH;
        for (further, event) in history {
            clock += further;
            tell(&mut poller, &policy, at(clock), event);
        }
        let now = at(clock + further);
        let after = |outcome| {
            let mut poller = poller;
            poller.handle_outcome(&policy, now, outcome);
            poller.to_string().split(' ').nth(4).unwrap().parse::<u32>().unwrap()
        };
        let answered = after(ReadOutcome::Answer { kind: ReadKind::Status, phase: None, wait: None });
        for outcome in [ReadOutcome::Failed { wait }, ReadOutcome::Limited { wait }, ReadOutcome::NotThere { wait }, ReadOutcome::Refused] {
            prop_assert!(after(outcome) >= answered, "{:?}", outcome);
        }
    }

    /// Chance takes at most the tenth, or the policy's share, and nothing of a wait that the provider said.
    #[test]
    fn chance_shortens_a_pause_by_the_policy_s_share_at_most(
        permille in 0..1_001_u16, seed: u64, age in 0..5_000_000_u64, said in prop::option::of(0..400_u64),
    ) {
        let policy = PollPolicy::allscale().deadline(secs(1_000_000)).jitter_permille(permille);
        let mut poller = Poller::new(&policy, at(EPOCH), seed);
        let now = at(EPOCH).saturating_add(Duration::from_millis(age));
        let phase = Some(Phase::Processing);
        poller.handle_outcome(&policy, now, ReadOutcome::Answer { kind: ReadKind::Status, phase, wait: said.map(secs) });
        let pause = u64::try_from(poller.due().saturating_since(now).as_millis()).unwrap();
        if let Some(said) = said {
            prop_assert!((said.max(1) * 1_000..said.max(1) * 1_000 + 10).contains(&pause));
        } else {
            let whole = (age / 8).clamp(5_000, 60_000);
            let least = (whole * (1_000 - u64::from(permille)) / 1_000).max(1_000);
            prop_assert!((least..whole + 10).contains(&pause), "{} of {}", pause, whole);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(150) })]

    /// The poller reports a refusal as soon as a read that settles has shown the refusal, and for as long as
    /// late reads go on: over every restart, and over every failure in between.
    #[test]
    fn a_refusal_is_reported_when_it_is_confirmed(
        policy in prop::sample::select(vec![PollPolicy::allscale(), PollPolicy::azotte(), PollPolicy::peach()]),
        seed: u64, end in phases(), refused_at in 0..300_000_i64,
        lucks in prop::collection::vec(luck(), 1..40),
    ) {
        let policy = policy.late_payment_reads(secs(3_600), secs(3 * 86_400)).max_interval(policy.max_interval.max(secs(30)));
        let good = Luck { late: 0, journey: 0, canceled: false, lost: false, wait: None, limited: false, nudged: false };
        let mut lucks = lucks.into_iter().chain([good]).cycle();
        let (mut poller, mut clock, mut row) = (Poller::new(&policy, at(EPOCH), seed), EPOCH, 0);
        let is_refusal = matches!(end, Phase::Failed(_));
        // The moments at which a read that settles showed the phase.
        let mut shown = None;
        while clock < EPOCH + 80_000_000 {
            poller = poller.to_string().parse().unwrap();
            // The poller reports the refusal from that moment on, and not before, and for no other phase.
            let told = poller.refused(&policy, at(clock));
            prop_assert_eq!(told, shown.and(Some(end)).filter(|_| is_refusal), "{} at {}", poller, clock - EPOCH);
            let kind = match poller.next(&policy, at(clock)) {
                Step::Wait(until) | Step::AskPayer { until } => {
                    clock = until.unix_millis();
                    continue;
                }
                Step::Fetch(kind) => kind,
                Step::Done(phase) => {
                    prop_assert!(!is_refusal && phase == end);
                    return Ok(());
                }
                // An open checkout at its deadline.
                Step::GaveUp(_) => {
                    prop_assert!(!end.is_final());
                    return Ok(());
                }
            };
            let luck = lucks.next().unwrap();
            clock += luck.late;
            poller.mark_sent(&policy, at(clock));
            if luck.canceled {
                continue;
            }
            let ends = clock >= EPOCH + refused_at;
            clock += luck.journey;
            if luck.lost && row < 3 {
                row += 1;
                poller.handle_outcome(&policy, at(clock), ReadOutcome::Failed { wait: luck.wait });
                continue;
            }
            row = 0;
            let phase = Some(if ends { end } else { Phase::AwaitingPayer });
            poller.handle_outcome(&policy, at(clock), ReadOutcome::Answer { kind, phase, wait: luck.wait });
            if ends && end.is_final() && (kind == ReadKind::Full || !policy.confirm_with_full_read) {
                shown = Some(clock);
            }
        }
        prop_assert!(!end.is_final() || (is_refusal && shown.is_some()));
    }

    /// The caller reads a checkout that is not there yet as often as the policy says, until the checkout must
    /// be there.
    #[test]
    fn a_missing_checkout_is_not_given_up_before_it_must_be_there(
        policy in prop::sample::select(vec![PollPolicy::allscale(), PollPolicy::azotte(), PollPolicy::peach()]),
        started_at in 0..1_000_i64, seed: u64, within in 0..500_u64, refusals in 0..9_u8,
        lucks in prop::collection::vec(luck(), 1..40),
    ) {
        // The deadline is left out of this test.
        let policy = policy.appears_within(secs(within)).max_refusals(refusals).deadline(secs(86_400));
        let started_at = EPOCH + started_at;
        let appears = started_at + i64::try_from(within).unwrap() * 1_000;
        let (mut poller, mut clock) = (Poller::new(&policy, at(started_at), seed), started_at);
        let mut after = 0;
        for luck in lucks.into_iter().cycle() {
            poller = poller.to_string().parse().unwrap();
            match poller.next(&policy, at(clock)) {
                Step::Wait(until) => clock = until.unix_millis(),
                Step::Fetch(_) => {
                    clock += luck.late % 5_000;
                    poller.mark_sent(&policy, at(clock));
                    clock += luck.journey % 5_000;
                    poller.handle_outcome(&policy, at(clock), ReadOutcome::NotThere { wait: luck.wait });
                    // One second more, since the beginning is counted in whole seconds.
                    after += u32::from(clock >= appears + 1_000);
                    prop_assert!(after <= u32::from(refusals.clamp(1, 7)));
                }
                Step::GaveUp(GaveUp { reason: GiveUpReason::Refused, .. }) => {
                    prop_assert!(clock >= appears, "{} before", appears - clock);
                    return Ok(());
                }
                other => prop_assert!(false, "{:?}", other),
            }
        }
    }
}

#[test]
fn seeds_make_pauses_differ_and_the_same_seed_does_not() {
    let policy = PollPolicy::allscale();
    let answer = ReadOutcome::Answer { kind: ReadKind::Status, phase: Some(Phase::Processing), wait: None };
    let dues: std::collections::BTreeSet<_> = (0..200)
        .map(|seed| {
            let due = |seed| {
                let mut poller = Poller::new(&policy, at(EPOCH), seed);
                poller.handle_outcome(&policy, at(EPOCH + 400_000), answer);
                poller.due()
            };
            assert_eq!(due(seed), due(seed));
            due(seed)
        })
        .collect();
    // A tenth of 50 s is 500 ticks, and 200 seeds are 256 numbers at most.
    assert!(dues.len() > 60, "{}", dues.len());
    assert!(*dues.first().unwrap() >= at(EPOCH + 445_000) && *dues.last().unwrap() <= at(EPOCH + 450_000));
}

#[test]
fn one_seed_does_not_take_the_same_part_of_every_pause() {
    let policy = PollPolicy::allscale().deadline(secs(100_000));
    let answer = ReadOutcome::Answer { kind: ReadKind::Status, phase: Some(Phase::Processing), wait: None };
    let pauses: std::collections::BTreeSet<_> = (0..200)
        .map(|second| {
            // The pause has grown to its minute.
            let now = at(EPOCH + 1_000_000 + second * 1_000);
            let mut poller = Poller::new(&policy, at(EPOCH), 1);
            poller.handle_outcome(&policy, now, answer);
            poller.due().saturating_since(now)
        })
        .collect();
    assert!(pauses.len() > 100, "{}", pauses.len());
}

#[test]
fn a_lone_poller_of_peach_sends_two_reads_a_minute_at_most() {
    let policy = PollPolicy::peach();
    for seed in 0..50_u64 {
        let mut poller = Poller::new(&policy, at(EPOCH), seed);
        let (mut clock, mut arrived) = (EPOCH, Vec::new());
        for round in 0..100_i64 {
            poller.nudge(&policy, at(clock));
            match poller.next(&policy, at(clock)) {
                Step::Fetch(kind) => {
                    poller.mark_sent(&policy, at(clock));
                    // The way there takes any part of the whole journey.
                    let journey = (round * 7_919 + i64::try_from(seed).unwrap() * 104_729) % 5_000;
                    arrived.push(clock + journey * (round % 3) / 2);
                    clock += journey;
                    let phase = Some(Phase::Processing);
                    poller.handle_outcome(
                        &policy,
                        at(clock),
                        ReadOutcome::Answer { kind, phase, wait: None },
                    );
                }
                Step::Wait(until) => clock = until.unix_millis(),
                other => panic!("{other:?}"),
            }
        }
        assert!(arrived.len() > 40);
        assert!(arrived.windows(3).all(|reads| reads[2] - reads[0] >= 60_000), "{seed}");
    }
}

#[test]
fn failures_without_end_are_counted_to_255_and_never_overflow() {
    let policy = PollPolicy::azotte().deadline(Duration::MAX).backoff(Backoff::default());
    let mut poller = Poller::new(&policy, at(EPOCH), 1);
    for _ in 0..300 {
        poller.handle_outcome(&policy, at(EPOCH), ReadOutcome::Failed { wait: None });
    }
    assert_eq!(poller.failures(), 255);
    assert!(poller.due() <= at(EPOCH + 60_000));
    poller.handle_outcome(
        &policy,
        at(EPOCH),
        ReadOutcome::Answer { kind: ReadKind::Status, phase: None, wait: None },
    );
    assert_eq!(poller.failures(), 0);
}
