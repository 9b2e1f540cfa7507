//! The course of an intent: the statuses that have come and the statuses to come, and the part that the payer
//! pays.

use std::time::Duration;

use super::act::{Act, Plan};

/// Every time is since the intent's creation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Course {
    /// The statuses after the first, each with its time, in order.
    steps: Vec<(Duration, i64)>,
    permille: u32,
}

/// The status of an intent, and the state of the payment.
///
/// Assumed: a payment shows from the first status that speaks of a payment (4, 5, 10, 20), and the second
/// transfer from 20 on. An intent that goes back to 1, 2 or 3 shows neither, like the lagging replica that
/// the scenario plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stage {
    pub(super) status: i64,
    pub(super) paid: bool,
    pub(super) settled: bool,
}

impl Course {
    /// A course of steps that come so much after each other.
    pub(super) fn new(steps: &[(Duration, i64)], permille: u32) -> Self {
        let mut course = Self { steps: Vec::new(), permille };
        course.append(Duration::ZERO, steps.iter().copied());
        course
    }

    /// The statuses that have come, each with its time, but for the first.
    pub(super) fn reached(&self, elapsed: Duration) -> &[(Duration, i64)] {
        let reached = self.steps.partition_point(|(at, _)| *at <= elapsed);
        self.steps.get(..reached).unwrap_or_default()
    }

    pub(super) fn status_at(&self, elapsed: Duration) -> i64 {
        self.reached(elapsed).last().map_or(CREATED, |(_, status)| *status)
    }

    /// The time of the change to the status of this time.
    pub(super) fn changed_at(&self, elapsed: Duration) -> Duration {
        self.reached(elapsed).last().map_or(Duration::ZERO, |(at, _)| *at)
    }

    /// The time of the next step.
    pub(super) fn next_after(&self, elapsed: Duration) -> Option<Duration> {
        self.steps.get(self.reached(elapsed).len()).map(|(at, _)| *at)
    }

    /// The time of the first confirmation, past or to come.
    pub(super) fn confirmed_at(&self) -> Option<Duration> {
        self.steps.iter().find(|(_, status)| *status == CONFIRMED).map(|(at, _)| *at)
    }

    /// The status at this time, and the state of the payment then.
    pub(super) fn stage_at(&self, elapsed: Duration) -> Stage {
        let status = self.status_at(elapsed);
        let before_payment = [1, 2, 3].contains(&status);
        let reached = self.reached(elapsed);
        let was = |statuses: &[i64]| !before_payment && reached.iter().any(|step| statuses.contains(&step.1));
        Stage { status, paid: was(&[4, 5, 10, 20]), settled: was(&[CONFIRMED]) }
    }

    /// The part of an amount that the payer pays, rounded down.
    pub(super) fn paid_of(&self, amount: i128) -> i128 {
        amount.saturating_mul(i128::from(self.permille)) / 1000
    }

    /// True if the act is possible at this time.
    pub(super) fn may_act(&self, act: Act, elapsed: Duration) -> bool {
        self.plan(act, elapsed).is_some()
    }

    fn plan(&self, act: Act, elapsed: Duration) -> Option<Plan> {
        let was_confirmed = self.confirmed_at().is_some_and(|at| at <= elapsed);
        act.plan(self.status_at(elapsed), was_confirmed)
    }

    /// Takes the intent off its course, and goes on as the act says. False, and nothing happens, if the act
    /// is not possible at this time.
    pub(super) fn act(&mut self, act: Act, elapsed: Duration) -> bool {
        let Some(Plan { steps, permille }) = self.plan(act, elapsed) else { return false };
        self.steps.truncate(self.reached(elapsed).len());
        self.append(elapsed, steps.into_iter().map(|(wait, status)| (Duration::from_secs(wait), status)));
        match (permille, self.permille) {
            (Some(permille), _) => self.permille = permille,
            // Nobody was to pay, and somebody may have paid now.
            (None, 0) if act != Act::Open => self.permille = 1000,
            (None, _) => {}
        }
        true
    }

    /// Adds steps that come so much after each other, the first after `from`.
    fn append(&mut self, from: Duration, steps: impl Iterator<Item = (Duration, i64)>) {
        let timed = steps.scan(from, |at, (wait, status)| {
            *at = at.saturating_add(wait);
            Some((*at, status))
        });
        self.steps.extend(timed);
    }
}

/// The status of every new intent.
pub(super) const CREATED: i64 = 1;

const CONFIRMED: i64 = 20;
