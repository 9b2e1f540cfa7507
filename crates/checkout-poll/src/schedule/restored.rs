//! Checkouts whose pollers were stored, and the spread of their reads after a restart.

use super::Schedule;
use super::merchant::MerchantId;
use super::slots::ScheduleKey;
use super::state::State;
use crate::{Poller, Step, time};
use alloc::vec::Vec;
use checkout_lifecycle::Moment;
use core::time::Duration;

impl<T> Schedule<T> {
    /// Adds a checkout with a stored poller: the poller continues as if nothing had happened in between. A
    /// challenge that was shown is reported once more, and so is a refusal with continuing late reads; a
    /// checkout that was given up is given up once more. A moment of the poller's that has not come yet is
    /// from a clock that ran ahead: [`Poller::set_back`].
    ///
    /// A checkout that had ended is read once more before its end is reported: [`Poller::read_once_more`]. An
    /// end needs the read that shows the end, because that read is compared with the order, and no poller
    /// stores the read. If you have dealt with the end, you need not restore the checkout; if you have not,
    /// you have nothing else to compare.
    ///
    /// After a restart the reads of all open checkouts are due together. So the schedule spreads the reads of
    /// the checkouts that are restored between two calls of [`next`](Self::next) over one of their ordinary
    /// pauses. The most overdue checkout is read at once, the others follow in the order in which they were
    /// due, and as many come in a second as in their ordinary course. Up to four checkouts are not a crowd
    /// and are all read at once. A read is not put off past the checkout's [deadline](Poller::deadline); a
    /// read that is not due yet stays in its place; and after a [nudge](Self::nudge) a checkout is read at
    /// once.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{ReadOutcome, Next, PollPolicy, Schedule};
    /// # use core::time::Duration;
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// let mut before = Schedule::new(now, 42);
    /// let merchant = before.merchant(PollPolicy::allscale(), None);
    /// let key = before.add(merchant, now, now, ());
    /// before.next(now);
    /// before.handle_outcome(key, now, ReadOutcome::Limited { wait: Some(Duration::from_secs(20)) });
    /// let stored = before.poller(key).unwrap().to_string();
    ///
    /// let mut after = Schedule::new(now, 43);
    /// let merchant = after.merchant(PollPolicy::allscale(), None);
    /// after.restore(merchant, stored.parse()?, now, ());
    /// assert_eq!(after.next(now), Next::Wait(now.saturating_add(Duration::from_secs(20))));
    /// # Ok::<(), checkout_poll::ParsePollerError>(())
    /// ```
    ///
    /// # Panics
    /// As [`add`](Self::add).
    pub fn restore(&mut self, merchant: MerchantId, mut poller: Poller, now: Moment, data: T) -> ScheduleKey {
        let now = self.places.clock.advance(now);
        poller.set_back(now);
        let policy = self.policy(merchant);
        poller.read_once_more(policy, now);
        if !matches!(poller.next(policy, now), Step::Fetch(_)) {
            return self.add_with(merchant, poller, now, data);
        }
        let key = self.insert(merchant, State::Restored, poller, now, data);
        self.places.restored.push(key.slot);
        key
    }

    /// Finds places in the order for the checkouts that were restored when their reads were due.
    pub(super) fn spread(&mut self) {
        if self.places.restored.is_empty() {
            return;
        }
        let now = self.places.clock.moment();
        let mut restored: Vec<Restored> = Vec::new();
        for id in core::mem::take(&mut self.places.restored) {
            // Checkouts that were removed or nudged meanwhile are not spread.
            if let Some(open) = self.slots.at(id).filter(|open| open.standing.is(State::Restored)) {
                let merchant = open.standing.merchant();
                let policy = &self.places.merchants.of(merchant).policy;
                let pause = open.poller.interval(policy, now).min(policy.longest_pause());
                let pace = PACE / u128::from(time::millis_up(pause).max(10));
                restored.push(Restored { merchant, due: open.poller.due(), id, pace });
            }
        }
        restored.sort_unstable();
        restored.dedup();
        let mut rest = restored.as_slice();
        while let [first, ..] = rest {
            let merchant = first.merchant;
            let (of_one, others) = rest.split_at(rest.partition_point(|other| other.merchant == merchant));
            self.spread_out(merchant, of_one);
            rest = others;
        }
    }

    /// Finds places for the checkouts of one merchant, in the order in which they were due.
    fn spread_out(&mut self, merchant: u32, restored: &[Restored]) {
        let now = self.places.clock.moment();
        let merchant = self.places.merchants.of_mut(merchant);
        let begins = now.max(Moment::from_unix_millis(merchant.spread_until));
        let spread = Spread::new(restored, merchant.checkouts, now, begins);
        merchant.spread_until = spread.ends().unix_millis();
        for (place, checkout) in (0u64..).zip(restored) {
            let seed = self.seed ^ time::mix(u64::from(checkout.id));
            if let Some(open) = self.slots.in_use(checkout.id) {
                open.poller.put_off(now, spread.moment(place, seed));
            }
            self.put(checkout.id);
        }
    }
}

/// A checkout that was restored when its read was due. In their order the checkouts of one merchant come
/// together, the most overdue one first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Restored {
    merchant: u32,
    due: Moment,
    id: u32,
    /// The number of reads in [`PACE`] milliseconds of the checkout's ordinary course.
    pace: u128,
}

/// The time over which the reads of some restored checkouts of one merchant are spread.
struct Spread {
    now: Moment,
    begins: Moment,
    /// The milliseconds from the first place to the end of the last one.
    length: u64,
    /// The milliseconds of one ordinary pause of these checkouts, after which no place is given.
    pause: u64,
    many: u64,
    at_once: bool,
}

impl Spread {
    /// Creates a spread that begins when the earlier places are over. All checkouts of the merchant count.
    fn new(restored: &[Restored], checkouts: u32, now: Moment, begins: Moment) -> Self {
        let many = restored.len() as u64;
        // As many are read in a second as in their ordinary course: the sum of their paces, not of their
        // pauses.
        let pace: u128 = restored.iter().map(|checkout| checkout.pace).sum();
        let pause = u64::try_from(PACE.saturating_mul(many.into()) / pace.max(1)).unwrap_or(u64::MAX);
        // A few are no crowd: they are read at once, unless many of such few come one after the other.
        let is_crowd = many > FEW;
        let length = match is_crowd {
            true => pause,
            false => pause.saturating_mul(many) / u64::from(checkouts.max(SOME_CHECKOUTS)),
        };
        Self { now, begins, length, pause, many, at_once: !is_crowd && begins == now }
    }

    /// The end of the pause, which begins now, whenever the spread begins.
    fn last(&self) -> Moment {
        self.now.saturating_add(Duration::from_millis(self.pause))
    }

    fn ends(&self) -> Moment {
        self.begins.saturating_add(Duration::from_millis(self.length)).min(self.last())
    }

    /// The moment of a place. If the earlier restored checkouts have taken the whole pause, the seed picks a
    /// moment in the pause.
    fn moment(&self, place: u64, seed: u64) -> Moment {
        let after = u128::from(self.length) * u128::from(place) / u128::from(self.many);
        let after = Duration::from_millis(u64::try_from(after).unwrap_or(u64::MAX));
        let moment = if self.at_once { self.now } else { self.begins.saturating_add(after) };
        if moment < self.last() {
            return moment;
        }
        let pause = Duration::from_millis(self.pause);
        self.now.saturating_add(time::share(pause, 1_000, time::mix(seed)))
    }
}

/// Assumed: this many checkouts restored together are not a crowd.
const FEW: u64 = 4;
/// The pace of checkouts that are restored a few at a time is as if their merchant had at least this many
/// checkouts.
const SOME_CHECKOUTS: u32 = 16;
/// The time in which a pace counts reads, in milliseconds.
const PACE: u128 = 1_000_000_000_000_000;
