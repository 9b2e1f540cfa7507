//! How the next thing to do is chosen.

use super::Schedule;
use super::merchant::MerchantId;
use super::slots::ScheduleKey;
use super::state::{Flag, State};
use super::ticks::millis_of;
#[cfg(doc)]
use crate::PollPolicy;
use crate::{GaveUp, ReadKind, Step};
use checkout_lifecycle::{Moment, Phase};

/// What to do now.
///
/// ```
/// use checkout_lifecycle::Moment;
/// use checkout_poll::{Next, Schedule};
///
/// let now = Moment::from_unix_millis(0);
/// match Schedule::<()>::new(now, 42).next(now) {
///     Next::Fetch { .. } => { /* read it, then tell what came of it */ }
///     Next::AskPayer { .. } => { /* show the challenge */ }
///     Next::Refused { .. } => { /* tell it; it is read on, for money that comes late */ }
///     Next::Ended { .. } | Next::GaveUp { .. } => { /* remove it */ }
///     Next::Wait(_) | Next::Idle => { /* sleep */ }
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Next {
    /// Read this checkout, and tell what came of it: [`Schedule::handle_outcome`].
    Fetch {
        /// Which checkout.
        ticket: ScheduleKey,
        /// Whose it is.
        merchant: MerchantId,
        /// Which read.
        fetch: ReadKind,
    },
    /// The payer has something to do, such as a challenge: show it. It is said once for each challenge.
    AskPayer {
        /// Which checkout.
        ticket: ScheduleKey,
        /// It is read then, if nobody has told that the payer [returned](Schedule::payer_returned).
        until: Moment,
    },
    /// It was refused, as the read that settles has shown, and its plan's [late
    /// reads](PollPolicy::late_payment_reads) go on. Told once for each refusal, and once more of a checkout
    /// that was [restored](Schedule::restore) meanwhile.
    Refused {
        /// Which checkout.
        ticket: ScheduleKey,
        /// How it was refused.
        phase: Phase,
    },
    /// It has ended and is not read any more. It stays until it is [removed](Schedule::remove).
    Ended {
        /// Which checkout.
        ticket: ScheduleKey,
        /// How it ended.
        phase: Phase,
    },
    /// It is not read any more, and how it ended is not known. It stays until it is
    /// [removed](Schedule::remove) or [resumed](Schedule::resume).
    GaveUp {
        /// Which checkout.
        ticket: ScheduleKey,
        /// What is known of it, and why it is given up.
        gave_up: GaveUp,
    },
    /// Nothing until this moment, unless something is told before.
    Wait(Moment),
    /// Nothing, unless something is told: perhaps a read is on its way.
    Idle,
}

impl<T> Schedule<T> {
    /// What to do now. Call it until it says [`Next::Wait`] or [`Next::Idle`].
    ///
    /// The first call after a while looks at every checkout that has become due since, so it takes as long as
    /// those are many; the others take what one of them takes.
    ///
    /// ```
    /// # use checkout_lifecycle::{Moment, Phase};
    /// # use checkout_poll::{ReadOutcome, Next, PollPolicy, Schedule};
    /// # use core::time::Duration;
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// let mut schedule = Schedule::new(now, 42);
    /// let merchant = schedule.merchant(PollPolicy::allscale().jitter_permille(0), None);
    /// schedule.add(merchant, now, now, ());
    /// let Next::Fetch { ticket, fetch, .. } = schedule.next(now) else { unreachable!() };
    /// schedule.handle_outcome(ticket, now, ReadOutcome::Answer { fetch, phase: Some(Phase::Processing), wait: None });
    /// assert_eq!(schedule.next(now), Next::Wait(now.saturating_add(Duration::from_secs(5))));
    /// ```
    #[must_use = "a read that is given is owed"]
    pub fn next(&mut self, now: Moment) -> Next {
        self.places.clock.hear(now);
        self.spread();
        self.put_the_due();
        loop {
            if let Some(next) = self.tell() {
                return next;
            }
            self.places.merchants.wake(self.places.clock.millis());
            match self.give() {
                Some(next) => return next,
                None if self.places.to_tell.is_empty() => return self.rest(),
                None => {}
            }
        }
    }

    /// The first thing that a checkout has to tell.
    fn tell(&mut self) -> Option<Next> {
        let now = self.places.clock.moment();
        while let Some(id) = self.places.to_tell.pop_front() {
            // Of those that were removed nothing is told.
            let open = self.slots.at_mut(id).filter(|open| open.standing.has(Flag::HasToTell));
            let Some(open) = open else { continue };
            open.standing.set(Flag::HasToTell, false);
            let plan = &self.places.merchants.of(open.standing.merchant()).plan;
            let (ticket, was_told) = (open.ticket(id), open.standing.has(Flag::Told));
            let end = match open.poller.next(plan, now) {
                Step::Done(phase) => Next::Ended { ticket, phase },
                Step::GaveUp(gave_up) => Next::GaveUp { ticket, gave_up },
                // What the checkout had to tell may be over by now, or told.
                Step::AskPayer { .. } | Step::Fetch(_) | Step::Wait(_) if was_told => continue,
                Step::AskPayer { until } => {
                    open.standing.set(Flag::Told, true);
                    return Some(Next::AskPayer { ticket, until });
                }
                Step::Fetch(_) | Step::Wait(_) => match open.poller.refused(plan, now) {
                    Some(phase) => {
                        open.standing.set(Flag::Told, true);
                        return Some(Next::Refused { ticket, phase });
                    }
                    None => continue,
                },
            };
            self.places.take(id, open);
            open.standing.set_state(State::Ended);
            return Some(end);
        }
        None
    }

    /// A read, if a merchant has one and may ask. None if there is no read to give, or if a checkout has
    /// something to tell before.
    fn give(&mut self) -> Option<Next> {
        let clock = self.places.clock;
        while let Some(number) = self.places.merchants.first_in_turn(clock.millis()) {
            let merchant = self.places.merchants.of_mut(number);
            let Some(first) = merchant.pop() else {
                debug_assert!(false, "those that are ready are in the queue");
                merchant.waiting = 0;
                continue;
            };
            // An entry that no longer holds is passed over.
            let open = self.slots.at_mut(first.id);
            let Some(open) = open.filter(|open| open.holds(number, &merchant.plan, clock, first)) else {
                continue;
            };
            let now = clock.moment();
            let Step::Fetch(fetch) = open.poller.next(&merchant.plan, now) else {
                // The poller can count no further.
                self.put(first.id);
                if self.places.to_tell.is_empty() {
                    continue;
                }
                return None;
            };
            open.poller.mark_sent(&merchant.plan, now);
            open.standing.set_state(State::Out);
            open.standing.set(Flag::Nudged, false);
            open.standing.set(Flag::Returned, false);
            if first.jumps {
                open.standing.set(Flag::Jumped, true);
            }
            let ticket = open.ticket(first.id);
            merchant.gives(first.jumps, clock.millis());
            self.places.merchants.pass_the_turn();
            return Some(Next::Fetch { ticket, merchant: self.places.merchants.id_of(number), fetch });
        }
        None
    }

    /// The moment until which there is nothing to do.
    fn rest(&mut self) -> Next {
        let due = self.places.calendar.earliest().map(millis_of);
        let free = self.places.merchants.next_to_wake(self.places.clock.millis());
        match [due, free].into_iter().flatten().min() {
            Some(at) => Next::Wait(Moment::from_unix_millis(at)),
            None => Next::Idle,
        }
    }
}
