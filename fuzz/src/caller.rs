//! A caller that polls by a poller, and knows in another way when no read may be given.

use std::time::Duration;

use checkout_lifecycle::{Moment, Phase};
use checkout_poll::{GaveUp, GiveUpReason, PollPolicy, Poller, ReadOutcome, Step};

use crate::Play;

/// One checkout, and a clock that jumps.
pub struct Caller {
    policy: PollPolicy,
    poller: Poller,
    clock: Moment,
    /// The latest moment of any report.
    told: Moment,
    /// The end of the shortest time between two reads and of every wait that the provider said.
    not_before: Moment,
}

impl Caller {
    /// A caller that goes on with this poller.
    pub fn new(policy: PollPolicy, poller: Poller, clock: Moment) -> Self {
        let text = poller.to_string();
        let seen = text.split(' ').nth(2).and_then(|seen| seen.parse().ok()).expect("a number of ticks");
        let told = poller.started_at().saturating_add(TICK.saturating_mul(seen));
        Self { policy, poller, clock, told, not_before: poller.started_at() }
    }

    /// Asserts the laws, and reports or does the next thing.
    pub fn goes_on(&mut self, play: &mut Play<'_>) -> Option<()> {
        self.assert_law();
        // A poller that is stored and read goes on as if it had not been stored.
        self.poller = self.poller.to_string().parse().expect("what is stored can be read");
        let Self { policy, clock, .. } = *self;
        match play.one_of(10)? {
            0 => self.clock = clock.saturating_add(play.span()?),
            1 => self.clock = play.back(clock)?,
            2 | 3 => {
                self.poller.mark_sent(&policy, clock);
                self.tell(gap(&policy));
            }
            4 | 5 => {
                let outcome = play.outcome()?;
                self.poller.handle_outcome(&policy, clock, outcome);
                let said = match outcome {
                    ReadOutcome::Answer { wait, .. } | ReadOutcome::PayerActs { wait, .. } => wait,
                    ReadOutcome::Limited { wait }
                    | ReadOutcome::Failed { wait }
                    | ReadOutcome::NotThere { wait } => wait,
                    ReadOutcome::Refused => None,
                };
                self.tell(said.unwrap_or_default().max(gap(&policy)));
            }
            6 => {
                self.poller.nudge(&policy, clock);
                self.tell(Duration::ZERO);
            }
            7 => {
                self.poller.payer_returned(&policy, clock);
                self.tell(Duration::ZERO);
            }
            8 => {
                self.poller.resume(&policy, clock, play.span()?);
                self.tell(Duration::ZERO);
            }
            _ => self.set_back(),
        }
        Some(())
    }

    /// The end of the count.
    fn end(&self) -> Moment {
        self.poller.started_at().saturating_add(TICK.saturating_mul(u32::MAX))
    }

    /// The moment that the clock's time counts as: time does not go back.
    fn now(&self) -> Moment {
        self.clock.max(whole_ticks(self.told))
    }

    /// A span beyond the count is as long as the count.
    fn tell(&mut self, no_read_for: Duration) {
        let (now, end) = (self.now(), self.end());
        if no_read_for > Duration::ZERO {
            self.not_before = self.not_before.max(now.saturating_add(no_read_for));
        }
        self.not_before = self.not_before.min(end);
        self.told = self.told.max(now).min(end);
    }

    /// The rest of each time stays the same.
    fn set_back(&mut self) {
        let is_far = whole_ticks(self.told).saturating_since(self.clock) >= Duration::from_secs(60);
        self.poller.set_back(self.clock);
        if is_far {
            let left = self.not_before.saturating_since(self.told);
            self.told = whole_ticks(self.clock.saturating_add(Duration::from_millis(9)))
                .max(self.poller.started_at());
            self.not_before = self.told.saturating_add(left);
            self.tell(Duration::ZERO);
        }
    }

    fn assert_law(&self) {
        let Self { policy, poller, clock, .. } = self;
        let step = poller.next(policy, *clock);
        assert_eq!(poller.next(policy, *clock), step, "being asked changes it");
        match step {
            Step::Fetch(_) => {
                assert!(self.now() >= poller.due() && self.now() < self.end(), "a read at another time");
                assert!(self.now() >= self.not_before, "a read before {:?}", self.not_before);
            }
            Step::Wait(until) | Step::AskPayer { until } => {
                assert!(until > *clock && until == poller.due(), "no moment to wait for");
                assert_ne!(poller.next(policy, until), step, "nothing to wait for");
            }
            Step::Done(end) => assert!(end.is_final() && poller.phase() == Some(end)),
            Step::GaveUp(GaveUp { last_phase, reason }) => {
                assert_eq!(last_phase, poller.phase());
                let is_late = self.told >= poller.deadline() || self.now() >= self.end();
                assert!(reason != GiveUpReason::Deadline || is_late, "given up before the deadline");
            }
        }
        assert!(!matches!(step, Step::AskPayer { .. }) || poller.phase() == Some(Phase::PayerAction));
    }
}

fn gap(policy: &PollPolicy) -> Duration {
    policy.min_gap.max(TICK)
}

fn whole_ticks(at: Moment) -> Moment {
    Moment::from_unix_millis(at.unix_millis().div_euclid(10).saturating_mul(10))
}

const TICK: Duration = Duration::from_millis(10);
