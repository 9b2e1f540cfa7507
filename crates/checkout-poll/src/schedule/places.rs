//! The places where checkouts wait, each for a different thing: the calendar, the merchants' queues, and the
//! lists of checkouts that have something to report or were restored.

use super::calendar::{Calendar, SOME};
use super::merchant::Queued;
use super::merchants::Merchants;
use super::slots::Open;
use super::state::{Flag, State};
use super::ticks::{Clock, tick_from};
use super::{LONGEST, Schedule};
use crate::{PollPolicy, Step};
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use checkout_lifecycle::Moment;
use core::time::Duration;

/// Everything that a schedule knows about checkouts by their ids alone.
#[derive(Clone)]
pub(super) struct Places {
    pub(super) clock: Clock,
    /// Checkouts that are not due yet.
    pub(super) calendar: Calendar,
    /// The merchants, each with a queue of checkouts to read now.
    pub(super) merchants: Merchants,
    /// Checkouts with something to report. A removed checkout stays in this list.
    pub(super) to_tell: VecDeque<u32>,
    /// Checkouts that were restored when their reads were due, and that have no place in the order yet. A
    /// removed checkout stays in this list.
    pub(super) restored: Vec<u32>,
}

impl Places {
    pub(super) fn new(now: Moment) -> Self {
        let clock = Clock::new(now);
        Self {
            clock,
            calendar: Calendar::new(clock.tick()),
            merchants: Merchants::new(),
            to_tell: VecDeque::new(),
            restored: Vec::new(),
        }
    }

    /// Takes in that the clock was set back. No checkout is in the calendar or in a queue until it is put
    /// there again: ranks and merchants' moments are different now.
    pub(super) fn set_back(&mut self, now: Moment) {
        let was = self.clock.millis();
        self.clock.set_back(now);
        self.calendar.restart(self.clock.tick());
        self.merchants.set_back(was, self.clock.millis());
    }

    /// Puts a checkout where it belongs now.
    fn put<T>(&mut self, id: u32, open: &mut Open<T>) {
        let now = self.clock.moment();
        let policy = &self.merchants.of(open.standing.merchant()).policy;
        let step = open.poller.next(policy, now);
        let is_refused = open.poller.refused(policy, now).is_some();
        if !is_refused && !open.poller.is_challenged() {
            open.standing.set(Flag::Told, false);
        }
        if is_refused && !open.standing.has(Flag::Told) {
            self.has_to_tell(id, open);
        }
        if let (Step::Fetch(_), State::Ready) = (step, open.standing.state()) {
            // The checkout may have moved up.
            return self.queue(id, open);
        }
        self.take(id, open);
        match step {
            Step::Fetch(_) => {
                let number = open.standing.merchant();
                open.standing.set_state(State::Ready);
                self.merchants.of_mut(number).waiting += 1;
                self.queue(id, open);
                self.merchants.take_a_turn(number);
            }
            Step::Wait(until) => {
                open.standing.set_state(State::Waiting);
                self.calendar.insert(id, tick_from(until));
            }
            Step::AskPayer { until } => {
                open.standing.set_state(State::Waiting);
                self.calendar.insert(id, tick_from(until));
                if !open.standing.has(Flag::Told) {
                    self.has_to_tell(id, open);
                }
            }
            Step::Done(_) | Step::GaveUp(_) => {
                open.standing.set_state(State::Ended);
                self.has_to_tell(id, open);
            }
        }
    }

    /// Takes a checkout from its place, so that it has none.
    pub(super) fn take<T>(&mut self, id: u32, open: &mut Open<T>) {
        match open.standing.state() {
            State::Ready => self.merchants.of_mut(open.standing.merchant()).leaves(),
            // The calendar has already let go of checkouts that became due.
            State::Waiting => _ = self.calendar.remove(id),
            State::Nowhere | State::Out | State::Ended | State::Restored => {}
        }
        open.standing.set_state(State::Nowhere);
    }

    /// Puts a checkout that is ready into its merchant's queue, by the rank that the checkout has now.
    fn queue<T>(&mut self, id: u32, open: &Open<T>) {
        let merchant = self.merchants.of_mut(open.standing.merchant());
        merchant.push(open.queued(id, &merchant.policy, self.clock));
    }

    /// Adds a checkout, once, to the list of those that have something to report.
    fn has_to_tell<T>(&mut self, id: u32, open: &mut Open<T>) {
        if !open.standing.has(Flag::HasToTell) {
            open.standing.set(Flag::HasToTell, true);
            self.to_tell.push_back(id);
        }
    }
}

impl<T> Open<T> {
    /// The place of the checkout's read in its merchant's queue, as of now.
    fn queued(&self, id: u32, policy: &PollPolicy, clock: Clock) -> Queued {
        let jumps = self.standing.jumps();
        let due = self.poller.due();
        if jumps {
            // In the order of the requests to read.
            return Queued { jumps, rank: clock.rank(due, Duration::ZERO), id };
        }
        let ordinary = policy.longest_pause().min(LONGEST);
        // A nudge that may not jump turns a rare read, such as a late read, into an ordinary one.
        let most = if self.standing.has(Flag::Nudged) { ordinary } else { LONGEST };
        let interval = self.poller.interval(policy, due).min(most);
        // A checkout that was told to slow down comes after all checkouts that this delayed.
        let kept = if self.standing.has(Flag::Limited) { ordinary } else { Duration::ZERO };
        Queued { jumps, rank: clock.rank(due, interval + kept), id }
    }

    /// Returns true if an entry of a merchant's queue is this checkout's and still holds.
    pub(super) fn holds(&self, merchant: u32, policy: &PollPolicy, clock: Clock, entry: Queued) -> bool {
        self.standing.is(State::Ready)
            && self.standing.merchant() == merchant
            && self.queued(entry.id, policy, clock) == entry
    }
}

impl<T> Schedule<T> {
    /// Puts a checkout where it belongs now, and removes the stale entries of its merchant's queue once they
    /// are the greater part.
    pub(super) fn put(&mut self, id: u32) {
        let Some(open) = self.slots.in_use(id) else { return };
        let number = open.standing.merchant();
        self.places.put(id, open);
        let (slots, clock, merchant) = (&self.slots, self.places.clock, self.places.merchants.of_mut(number));
        if merchant.is_untidy() {
            let policy = merchant.policy;
            merchant.tidy(|entry| {
                slots.at(entry.id).is_some_and(|open| open.holds(number, &policy, clock, entry))
            });
        }
    }

    /// Puts the checkouts whose time in the calendar has come where they belong.
    pub(super) fn put_the_due(&mut self) {
        let (now, mut ids) = (self.places.clock.tick(), [0; SOME]);
        loop {
            let some = self.places.calendar.pop(now, &mut ids);
            let ids = ids.get(..some).unwrap_or_default();
            if ids.is_empty() {
                return;
            }
            // The slots lie far from each other. Ask the memory for all of them first, so that it loads them
            // at the same time.
            let mut states = [State::Nowhere; SOME];
            for (state, id) in states.iter_mut().zip(ids) {
                *state = self.slots.at(*id).map_or(State::Nowhere, |open| open.standing.state());
            }
            for (id, state) in ids.iter().zip(states) {
                debug_assert_eq!(state, State::Waiting, "those in the calendar wait in it");
                if state == State::Waiting {
                    self.put(*id);
                }
            }
        }
    }
}
