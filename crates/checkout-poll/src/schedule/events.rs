//! News of a checkout: the outcomes of its reads, and requests to read it.

use super::Schedule;
use super::slots::ScheduleKey;
use super::state::{Flag, State};
#[cfg(doc)]
use crate::Poller;
use crate::ReadOutcome;
use checkout_lifecycle::Moment;
use core::time::Duration;

impl<T> Schedule<T> {
    /// Records that a read that was given is sent only now, because something had to be fetched before, such
    /// as a token. The shortest time between two reads begins here, and a last read counts as sent here. See
    /// [`Poller::mark_sent`].
    ///
    /// The limit counts the read from when it was given. If that is longer ago than the
    /// [margin](Self::limit_margin), call [`record_request`](Self::record_request) too. For a checkout that
    /// is not out, this call does nothing.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{Next, PollPolicy, Schedule};
    /// let at = |seconds: i64| Moment::from_unix_millis(1_700_000_000_000 + seconds * 1_000);
    /// let mut schedule = Schedule::new(at(0), 42);
    /// let merchant = schedule.merchant(PollPolicy::peach(), None);
    /// let key = schedule.add(merchant, at(0), at(0), ());
    /// assert!(matches!(schedule.next(at(0)), Next::Fetch { .. }));
    /// schedule.mark_sent(key, at(20));
    /// schedule.release(key, at(21));
    /// assert_eq!(schedule.next(at(21)), Next::Wait(at(50)));
    /// ```
    pub fn mark_sent(&mut self, key: ScheduleKey, now: Moment) {
        let now = self.places.clock.advance(now);
        if let Some(open) = self.slots.get_mut(key).filter(|open| open.standing.is(State::Out)) {
            let policy = &self.places.merchants.of(open.standing.merchant()).policy;
            open.poller.mark_sent(policy, now);
            // This read will see earlier news.
            open.standing.set(Flag::Nudged, false);
            open.standing.set(Flag::Returned, false);
        }
    }

    /// Records the outcome of a read. If the provider said to slow down ([`ReadOutcome::Limited`]), the whole
    /// merchant waits: as long as the answer asked, or by the policy's backoff if the answer did not say,
    /// longer each time until there is an answer again. But the merchant never waits longer than the policy's
    /// [longest pause](crate::PollPolicy::longest_pause), whatever the answer asked: the answer may mean only
    /// the one checkout, and a nudge of another checkout takes effect after that pause. The checkout itself
    /// waits for as long as the answer asked, and is given up at once if its time ends before that
    /// ([`GiveUpReason::AskedToWait`](crate::GiveUpReason::AskedToWait)).
    ///
    /// You can report your own reads too.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{ReadOutcome, Next, PollPolicy, Schedule};
    /// # use core::time::Duration;
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// let mut schedule = Schedule::new(now, 42);
    /// let merchant = schedule.merchant(PollPolicy::allscale(), None);
    /// [0, 1, 2].map(|order| schedule.add(merchant, now, now, order));
    /// let Next::Fetch { key, .. } = schedule.next(now) else { unreachable!() };
    /// schedule.handle_outcome(key, now, ReadOutcome::Limited { wait: Some(Duration::from_secs(20)) });
    /// // The others were to be read at once.
    /// assert_eq!(schedule.next(now), Next::Wait(now.saturating_add(Duration::from_secs(20))));
    /// ```
    pub fn handle_outcome(&mut self, key: ScheduleKey, now: Moment, outcome: ReadOutcome) {
        let now = self.places.clock.advance(now);
        let has_room = self.has_room(key);
        let Some(open) = self.slots.get_mut(key) else { return };
        let merchant = self.places.merchants.of_mut(open.standing.merchant());
        let (poller, standing) = (&mut open.poller, &mut open.standing);
        let before = standing.is(State::Ended).then(|| poller.next(&merchant.policy, now));
        let stood = poller.phase();
        poller.handle_outcome(&merchant.policy, now, outcome);
        if poller.phase() != stood {
            standing.set(Flag::Told, false);
            if stood.is_some() {
                // This phase is new: another nudge jumps the queue again. The first phase ever seen does not
                // count as new, because every checkout has one.
                standing.set(Flag::Jumped, false);
            }
        }
        // The read may have been too early for news that came while it was on its way.
        let is_heard = has_room || !standing.has(Flag::Jumped);
        let has_returned = standing.has(Flag::Returned);
        if has_returned {
            poller.challenge_is_over();
            standing.set(Flag::Returned, false);
            standing.set(Flag::Told, false);
        }
        if has_returned || (standing.has(Flag::Nudged) && standing.is(State::Out)) {
            if is_heard {
                poller.nudge(&merchant.policy, now);
            } else {
                poller.nudge_in_turn(&merchant.policy, now);
            }
        }
        match outcome {
            ReadOutcome::Limited { wait } => {
                standing.set(Flag::Limited, true);
                merchant.meets_limit(now, wait, self.seed);
            }
            ReadOutcome::Answer { .. } | ReadOutcome::PayerActs { .. } => {
                standing.set(Flag::Limited, false);
                merchant.limited = 0;
            }
            ReadOutcome::Failed { .. } | ReadOutcome::NotThere { .. } | ReadOutcome::Refused => {}
        }
        // A checkout that has ended reports its end only once.
        if before.is_none_or(|before| poller.next(&merchant.policy, now) != before) {
            self.put(key.slot);
        }
    }

    /// Records that a read that was given is not made, or that its outcome will never be reported. The read
    /// is due again after the shortest time between two reads. The read still counts for the limit, for it
    /// may have been sent. If an outcome comes later after all, [`handle_outcome`](Self::handle_outcome)
    /// takes it.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{Next, PollPolicy, Schedule};
    /// # use core::time::Duration;
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// let mut schedule = Schedule::new(now, 42);
    /// let merchant = schedule.merchant(PollPolicy::allscale(), None);
    /// let key = schedule.add(merchant, now, now, ());
    /// assert!(matches!(schedule.next(now), Next::Fetch { .. }));
    /// schedule.release(key, now);
    /// assert_eq!(schedule.next(now), Next::Wait(now.saturating_add(Duration::from_secs(1))));
    /// ```
    pub fn release(&mut self, key: ScheduleKey, now: Moment) {
        self.places.clock.advance(now);
        if self.slots.get(key).is_some_and(|open| open.standing.is(State::Out)) {
            self.put(key.slot);
        }
    }

    /// Reports a *verified* webhook: the checkout is read now, before the ordinary reads. If a read of the
    /// checkout is on its way, another one follows. See [`Poller::nudge`].
    ///
    /// A nudge jumps the queue once: after its read, the next nudge jumps only once a read has shown the
    /// checkout in a different phase. Until then, if the merchant has a limit, a nudge takes effect only if
    /// there is room to spare: no read of the merchant waits, and two more may be made. Otherwise the read
    /// comes at its ordinary time. A checkout whose last read met [too many requests](ReadOutcome::Limited)
    /// does not jump. So a sender of nudges costs each other checkout one turn, and no more. Nudge only for
    /// verified messages all the same: a read that shows nothing new costs the merchant a part of the limit.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{ReadOutcome, Next, PollPolicy, Schedule};
    /// # use core::time::Duration;
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// let mut schedule = Schedule::new(now, 42);
    /// let merchant = schedule.merchant(PollPolicy::allscale(), None);
    /// let key = schedule.add(merchant, now, now, ());
    /// let Next::Fetch { kind, .. } = schedule.next(now) else { unreachable!() };
    /// schedule.handle_outcome(key, now, ReadOutcome::Answer { kind, phase: None, wait: None });
    /// let soon = now.saturating_add(Duration::from_secs(2));
    /// assert!(matches!(schedule.next(soon), Next::Wait(_)));
    /// schedule.nudge(key, soon);
    /// assert!(matches!(schedule.next(soon), Next::Fetch { .. }));
    /// ```
    pub fn nudge(&mut self, key: ScheduleKey, now: Moment) {
        self.press(key, now, Pressed::Nudge);
    }

    /// Reports that the payer came back: the checkout is read now, before the ordinary reads, as after a
    /// [`nudge`](Self::nudge). See [`Poller::payer_returned`].
    ///
    /// ```
    /// # use checkout_lifecycle::{Moment, Phase};
    /// # use checkout_poll::{ReadOutcome, Next, PollPolicy, Schedule};
    /// # use core::time::Duration;
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// let mut schedule = Schedule::new(now, 42);
    /// let merchant = schedule.merchant(PollPolicy::azotte(), None);
    /// let key = schedule.add(merchant, now, now, ());
    /// let now = now.saturating_add(PollPolicy::azotte().initial_wait);
    /// let Next::Fetch { kind, .. } = schedule.next(now) else { unreachable!() };
    /// let phase = Some(Phase::PayerAction);
    /// schedule.handle_outcome(key, now, ReadOutcome::Answer { kind, phase, wait: None });
    /// assert!(matches!(schedule.next(now), Next::AskPayer { .. }));
    /// assert!(matches!(schedule.next(now), Next::Wait(_)));
    /// let soon = now.saturating_add(Duration::from_secs(9));
    /// schedule.payer_returned(key, soon);
    /// assert!(matches!(schedule.next(soon), Next::Fetch { .. }));
    /// ```
    pub fn payer_returned(&mut self, key: ScheduleKey, now: Moment) {
        self.press(key, now, Pressed::Returned);
    }

    /// Continues with a checkout that was given up and not removed, or sets another deadline: from now, at
    /// most this long. See [`Poller::resume`].
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{ReadOutcome, Next, PollPolicy, Schedule};
    /// # use core::time::Duration;
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// let mut schedule = Schedule::new(now, 42);
    /// let merchant = schedule.merchant(PollPolicy::allscale(), None);
    /// let key = schedule.add(merchant, now, now, ());
    /// let late = now.saturating_add(Duration::from_secs(600));
    /// let Next::Fetch { kind, .. } = schedule.next(late) else { unreachable!() };
    /// schedule.handle_outcome(key, late, ReadOutcome::Answer { kind, phase: None, wait: None });
    /// assert!(matches!(schedule.next(late), Next::GaveUp { .. }));
    /// let late = late.saturating_add(Duration::from_secs(60));
    /// schedule.resume(key, late, Duration::from_secs(60));
    /// assert!(matches!(schedule.next(late), Next::Fetch { .. }));
    /// ```
    pub fn resume(&mut self, key: ScheduleKey, now: Moment, for_at_most: Duration) {
        self.press(key, now, Pressed::Resume(for_at_most));
    }

    /// Takes in a cause that may move a read to now.
    fn press(&mut self, key: ScheduleKey, now: Moment, pressed: Pressed) {
        let now = self.places.clock.advance(now);
        let has_room = self.has_room(key);
        let Some(open) = self.slots.get_mut(key) else { return };
        let policy = &self.places.merchants.of(open.standing.merchant()).policy;
        let (poller, standing) = (&mut open.poller, &mut open.standing);
        let before = standing.is(State::Ended).then(|| poller.next(policy, now));
        // While a read is on its way, the payer's return waits for the outcome of the read.
        let is_out = standing.is(State::Out);
        let is_heard = has_room || !standing.has(Flag::Jumped);
        let has_returned = matches!(pressed, Pressed::Returned);
        standing.set(Flag::Returned, is_out && (has_returned || standing.has(Flag::Returned)));
        match pressed {
            Pressed::Resume(for_at_most) => poller.resume(policy, now, for_at_most),
            Pressed::Nudge | Pressed::Returned => {
                standing.set(Flag::Nudged, true);
                if has_returned {
                    standing.set(Flag::Told, false);
                    poller.challenge_is_over();
                }
                if is_heard {
                    poller.nudge(policy, now);
                } else {
                    poller.nudge_in_turn(policy, now);
                }
            }
        }
        if !is_out && before.is_none_or(|before| poller.next(policy, now) != before) {
            self.put(key.slot);
        }
    }

    /// Returns true if a read of this checkout that is not due takes nothing from others: there is no limit,
    /// or no read of the merchant waits and there is room for another read. The answer is always true for a
    /// checkout that has not jumped the queue.
    fn has_room(&mut self, key: ScheduleKey) -> bool {
        let jumped = self.slots.get(key).filter(|open| open.standing.has(Flag::Jumped));
        let Some(number) = jumped.map(|open| open.standing.merchant()) else { return true };
        if self.places.merchants.of(number).limiter.is_none() {
            return true;
        }
        self.spread();
        self.put_the_due();
        let now = self.places.clock.millis();
        self.places.merchants.of_mut(number).has_room(now)
    }
}

/// The cause that moves a read to now.
#[derive(Clone, Copy)]
enum Pressed {
    Nudge,
    Returned,
    Resume(Duration),
}
