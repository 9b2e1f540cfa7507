//! Histories of a poller: the reports, and their moments.
#![allow(dead_code, reason = "tests, each of which takes what it needs")]

use checkout_lifecycle::{Failure, Moment, Phase};
use checkout_poll::{Backoff, PollPolicy, Poller, ReadKind, ReadOutcome};
use core::time::Duration;
use proptest::prelude::*;

/// 2023-11-14 22:13:20.
pub(crate) const EPOCH: i64 = 1_700_000_000_000;

pub(crate) const PHASES: [Phase; 14] = [
    Phase::AwaitingPayer,
    Phase::PayerAction,
    Phase::Processing,
    Phase::InReview,
    Phase::Refunding,
    Phase::Succeeded,
    Phase::Authorized,
    Phase::Failed(Failure::Declined),
    Phase::Failed(Failure::Rejected),
    Phase::Failed(Failure::Underpaid),
    Phase::Failed(Failure::Canceled),
    Phase::Failed(Failure::Expired),
    Phase::Failed(Failure::Error),
    Phase::Reversed,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Asking,
    ReadOutcome(ReadOutcome),
    Nudge,
    PayerReturned,
    Resume(Duration),
}

pub(crate) fn at(millis: i64) -> Moment {
    Moment::from_unix_millis(millis)
}

pub(crate) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn tell(poller: &mut Poller, policy: &PollPolicy, now: Moment, event: Event) {
    match event {
        Event::Asking => poller.mark_sent(policy, now),
        Event::ReadOutcome(outcome) => poller.handle_outcome(policy, now, outcome),
        Event::Nudge => poller.nudge(policy, now),
        Event::PayerReturned => poller.payer_returned(policy, now),
        Event::Resume(for_at_most) => poller.resume(policy, now, for_at_most),
    }
}

pub(crate) fn phases() -> impl Strategy<Value = Phase> {
    prop::sample::select(PHASES.to_vec())
}

pub(crate) fn fetches() -> impl Strategy<Value = ReadKind> {
    prop::sample::select(vec![ReadKind::Status, ReadKind::Full])
}

/// Events with spans that come from the given ones.
pub(crate) fn events<S: Strategy<Value = Duration> + Clone + 'static>(
    span: S,
) -> impl Strategy<Value = Event> {
    let wait = prop::option::weighted(0.3, span.clone()).boxed();
    let phase = prop::option::weighted(0.8, phases());
    prop_oneof![
        4 => Just(Event::Asking),
        6 => (fetches(), phase, wait.clone())
            .prop_map(|(kind, phase, wait)| Event::ReadOutcome(ReadOutcome::Answer { kind, phase, wait })),
        1 => wait.clone().prop_map(|wait| Event::ReadOutcome(ReadOutcome::Limited { wait })),
        1 => wait.clone().prop_map(|wait| Event::ReadOutcome(ReadOutcome::Failed { wait })),
        1 => wait.clone().prop_map(|wait| Event::ReadOutcome(ReadOutcome::NotThere { wait })),
        1 => (any::<bool>(), wait).prop_map(|(shown, wait)| Event::ReadOutcome(ReadOutcome::PayerActs { shown, wait })),
        1 => Just(Event::ReadOutcome(ReadOutcome::Refused)),
        1 => Just(Event::Nudge),
        1 => Just(Event::PayerReturned),
        1 => span.prop_map(Event::Resume),
    ]
}

/// Plans with spans that come from the given ones.
pub(crate) fn policies<S: Strategy<Value = Duration> + Clone + 'static>(
    span: S,
) -> impl Strategy<Value = PollPolicy> {
    let base = prop::sample::select(vec![PollPolicy::allscale(), PollPolicy::azotte(), PollPolicy::peach()]);
    let reads = (span.clone(), span.clone());
    let spans = (span.clone(), span.clone(), span.clone(), span.clone());
    let beginning = prop::option::of(reads.clone());
    (
        base,
        prop::option::of(spans),
        reads.clone(),
        prop::option::of(reads.clone()),
        prop::option::weighted(0.8, span),
        (reads, beginning),
        (0..12_u8, 0..8_u8, any::<bool>(), 0..1_200_u16),
    )
        .prop_map(
            |(base, spans, review, late, acts, (backoff, beginning), (refusals, tries, whole, jitter))| {
                let mut policy = base
                    .review(review.0, review.1)
                    .challenge_interval(acts)
                    .backoff(Backoff::new(backoff.0, backoff.1))
                    .max_refusals(refusals)
                    .final_attempts(tries)
                    .confirm_with_full_read(whole)
                    .jitter_permille(jitter);
                if let Some((first, max_interval, deadline, gap)) = spans {
                    policy = policy
                        .initial_interval(first)
                        .max_interval(max_interval)
                        .deadline(deadline)
                        .min_gap(gap);
                }
                if let Some((initial_wait, appears_within)) = beginning {
                    policy = policy.initial_wait(initial_wait).appears_within(appears_within);
                }
                match late {
                    Some((every, at_most)) => policy.late_payment_reads(every, at_most),
                    None => policy,
                }
            },
        )
}
