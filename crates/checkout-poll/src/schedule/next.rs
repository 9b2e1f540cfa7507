//! The choice of the next thing to do.

use super::Schedule;
use super::merchant::MerchantId;
use super::slots::ScheduleKey;
use super::state::{Flag, State};
use super::ticks::millis_of;
#[cfg(doc)]
use crate::PollPolicy;
use crate::{GaveUp, ReadKind, Step};
use checkout_lifecycle::{Moment, Phase};

/// The next thing to do.
///
/// ```
/// # checkout_doctest::facade!(poll);
/// use checkout_kit::Moment;
/// use checkout_kit::poll::{Next, Schedule};
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
    /// Read this checkout, and report the outcome: [`Schedule::handle_outcome`].
    Fetch {
        /// The checkout.
        key: ScheduleKey,
        /// The merchant of the checkout.
        merchant: MerchantId,
        /// The kind of the read.
        kind: ReadKind,
    },
    /// The payer has something to do, such as a challenge: show it. Returned once for each challenge.
    AskPayer {
        /// The checkout.
        key: ScheduleKey,
        /// The moment of the next read, if nobody reports that the payer
        /// [returned](Schedule::payer_returned).
        until: Moment,
    },
    /// The read that settles has shown a refusal, and the [late reads](PollPolicy::late_payment_reads) of the
    /// policy continue. Returned once for each refusal, and once more for a checkout that was
    /// [restored](Schedule::restore) meanwhile.
    Refused {
        /// The checkout.
        key: ScheduleKey,
        /// The phase of the refusal.
        phase: Phase,
    },
    /// The checkout has ended and is not read any more. The checkout stays until you
    /// [remove](Schedule::remove) it.
    Ended {
        /// The checkout.
        key: ScheduleKey,
        /// The phase of the end.
        phase: Phase,
    },
    /// The checkout is not read any more, and its end is not known. The checkout stays until you
    /// [remove](Schedule::remove) or [resume](Schedule::resume) it.
    GaveUp {
        /// The checkout.
        key: ScheduleKey,
        /// The known state of the checkout, and the reason for giving up.
        gave_up: GaveUp,
    },
    /// Do nothing until this moment, unless you report something before.
    Wait(Moment),
    /// Do nothing, unless you report something: perhaps a read is on its way.
    Idle,
}

impl<T> Schedule<T> {
    /// Returns the next thing to do. Call this until the result is [`Next::Wait`] or [`Next::Idle`].
    ///
    /// The first call after a while looks at every checkout that has become due since, so its time grows with
    /// their number; each further call takes the time of one checkout.
    ///
    /// ```
    /// # use checkout_lifecycle::{Moment, Phase};
    /// # use checkout_poll::{ReadOutcome, Next, PollPolicy, Schedule};
    /// # use core::time::Duration;
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// let mut schedule = Schedule::new(now, 42);
    /// let merchant = schedule.merchant(PollPolicy::allscale().jitter_permille(0), None);
    /// schedule.add(merchant, now, now, ());
    /// let Next::Fetch { key, kind, .. } = schedule.next(now) else { unreachable!() };
    /// schedule.handle_outcome(key, now, ReadOutcome::Answer { kind, phase: Some(Phase::Processing), wait: None });
    /// assert_eq!(schedule.next(now), Next::Wait(now.saturating_add(Duration::from_secs(5))));
    /// ```
    #[must_use = "a read that is given is owed"]
    pub fn next(&mut self, now: Moment) -> Next {
        self.places.clock.advance(now);
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

    /// The first report of a checkout.
    fn tell(&mut self) -> Option<Next> {
        let now = self.places.clock.moment();
        while let Some(id) = self.places.to_tell.pop_front() {
            // Removed checkouts report nothing.
            let open = self.slots.at_mut(id).filter(|open| open.standing.has(Flag::HasToTell));
            let Some(open) = open else { continue };
            open.standing.set(Flag::HasToTell, false);
            let policy = &self.places.merchants.of(open.standing.merchant()).policy;
            let (key, was_told) = (open.key(id), open.standing.has(Flag::Told));
            let end = match open.poller.next(policy, now) {
                Step::Done(phase) => Next::Ended { key, phase },
                Step::GaveUp(gave_up) => Next::GaveUp { key, gave_up },
                // The checkout's report may be over by now, or already given.
                Step::AskPayer { .. } | Step::Fetch(_) | Step::Wait(_) if was_told => continue,
                Step::AskPayer { until } => {
                    open.standing.set(Flag::Told, true);
                    return Some(Next::AskPayer { key, until });
                }
                Step::Fetch(_) | Step::Wait(_) => match open.poller.refused(policy, now) {
                    Some(phase) => {
                        open.standing.set(Flag::Told, true);
                        return Some(Next::Refused { key, phase });
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

    /// A read, if a merchant has a read and may send it. None if there is no read to give, or if a checkout
    /// has something to report before.
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
            let Some(open) = open.filter(|open| open.holds(number, &merchant.policy, clock, first)) else {
                continue;
            };
            let now = clock.moment();
            let Step::Fetch(kind) = open.poller.next(&merchant.policy, now) else {
                // The poller can count no further.
                self.put(first.id);
                if self.places.to_tell.is_empty() {
                    continue;
                }
                return None;
            };
            open.poller.mark_sent(&merchant.policy, now);
            open.standing.set_state(State::Out);
            open.standing.set(Flag::Nudged, false);
            open.standing.set(Flag::Returned, false);
            if first.jumps {
                open.standing.set(Flag::Jumped, true);
            }
            let key = open.key(first.id);
            merchant.gives(first.jumps, clock.millis());
            self.places.merchants.pass_the_turn();
            return Some(Next::Fetch { key, merchant: self.places.merchants.id_of(number), kind });
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
