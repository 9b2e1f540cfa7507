//! The effect of answers and failures on a poller.

use super::clock::{NEVER, after};
use super::{Mark, Poller, ReadKind};
use crate::PollPolicy;
use checkout_lifecycle::Phase;
use core::time::Duration;

/// The phase of the checkout, as an answer gives it.
pub(super) struct Answered {
    pub(super) kind: ReadKind,
    pub(super) phase: Option<Phase>,
    /// For an answer by which the payer has to act and for whose return nobody waits: true if there is a
    /// challenge to be shown.
    pub(super) shown: Option<bool>,
}

impl Poller {
    /// Takes in an answer.
    pub(super) fn answered(
        &mut self,
        policy: &PollPolicy,
        now: u64,
        answer: Answered,
        wait: Option<Duration>,
    ) {
        self.failures = 0;
        self.marks.set_refusals(0);
        let before = self.phase;
        if let Some(phase) = answer.phase {
            self.stands(policy, now, answer.kind, phase);
        }
        if let Some((shown, mut challenge)) = answer.shown.zip(self.challenge()) {
            challenge.is_shown = shown;
            // Nobody waits for the payer's return.
            challenge.has_returned |= shown;
            self.marks.set_challenge(challenge);
        }
        self.asked_to_wait(policy, now, wait);
        let has_ended = self.phase != before && self.unconfirmed_end();
        self.due = match self.pause(policy, now) {
            _ if has_ended => self.earliest,
            Some(_) if wait.is_some() && self.is_ordinary(policy) => {
                self.or_at_the_end(policy, self.earliest)
            }
            Some(pause) => self.or_at_the_end(policy, self.soon(policy, now, pause)),
            None => self.or_at_the_end(policy, NEVER),
        };
    }

    /// Takes in a missing answer, or a refusal. The next read never comes sooner than after an answer.
    pub(super) fn failed(&mut self, policy: &PollPolicy, now: u64, wait: Option<Duration>) {
        self.failures = self.failures.saturating_add(1);
        self.asked_to_wait(policy, now, wait);
        let pause = self.pause(policy, now).unwrap_or_else(|| self.ordinary(policy, now));
        let wait = policy.backoff.wait(self.failures.into(), self.chance());
        let due = self.soon(policy, now, pause).max(after(now, wait));
        self.due = due.max(self.or_at_the_end(policy, due));
    }

    /// Counts a refusal that no repeat mends.
    pub(super) fn count_refusal(&mut self) {
        self.marks.set_refusals(self.marks.refusals().saturating_add(1));
    }

    /// Takes in the phase of the checkout, with its effect on the deadline.
    fn stands(&mut self, policy: &PollPolicy, now: u64, kind: ReadKind, phase: Phase) {
        let was_confirmed = self.confirmed_end().is_some();
        let before = self.phase.replace(phase);
        let is_new = before != Some(phase);
        let confirms = kind == ReadKind::Full || !policy.confirm_with_full_read || (was_confirmed && !is_new);
        if is_new {
            self.marks.forget_phase();
        }
        if let Some(mut end) = self.end() {
            end.is_confirmed = confirms;
            self.marks.set_end(end);
        }
        if let Some(mut challenge) = self.challenge() {
            challenge.is_shown = true;
            self.marks.set_challenge(challenge);
        }
        let was_review = before == Some(Phase::InReview);
        let outlives = was_review || phase.is_final() || before.is_some_and(Phase::is_final);
        let time = match phase {
            Phase::InReview => Some(policy.review.at_most),
            Phase::AwaitingPayer
            | Phase::PayerAction
            | Phase::Processing
            | Phase::Refunding
            | Phase::Succeeded
            | Phase::Authorized
            | Phase::Failed(_)
            | Phase::Reversed => outlives.then_some(policy.deadline),
        };
        if let Some(time) = time.filter(|_| is_new) {
            let own = after(now, time);
            // The time of a review, or of late reads, is not the time of the phases after it.
            self.last_until(if was_review || was_confirmed { own } else { self.deadline.max(own) });
        }
        if let Some(late) = self.late_payment_reads(policy).filter(|_| is_new || !was_confirmed) {
            self.last_until(after(now, late.at_most));
        }
    }

    /// Sets another deadline: a read that was sent before is not the last one.
    pub(super) fn last_until(&mut self, deadline: u32) {
        self.deadline = deadline;
        self.forget_last_read();
    }

    /// Forgets the last read: no read sent so far is the last one.
    pub(super) fn forget_last_read(&mut self) {
        self.marks.set(Mark::LastAsked, false);
        self.marks.set(Mark::Over, false);
    }

    /// Takes in a wait that the provider asked for. A wait no longer than the policy's own pauses is like one
    /// of these pauses: it delays the last read, and does not end polling.
    fn asked_to_wait(&mut self, policy: &PollPolicy, now: u64, wait: Option<Duration>) {
        if let Some(wait) = wait {
            self.hold(after(now, wait), wait > policy.longest_pause());
        }
    }

    /// Allows no read before a tick.
    pub(super) fn hold(&mut self, until: u32, is_long_wait: bool) {
        if until > self.earliest || (is_long_wait && until == self.earliest) {
            self.earliest = until;
            self.marks.set(Mark::LongWait, is_long_wait);
        }
    }
}
