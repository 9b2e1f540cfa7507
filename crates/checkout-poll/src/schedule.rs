//! Many checkouts of many merchants, under the limits that they share.
//!
//! `slots` keeps the checkouts, each with its poller, and in four bytes its `state`. `places` knows by their
//! ids where they wait: in the `calendar` until a read is due, in their merchant's queue (`merchant`) until
//! it is the merchant's turn (`merchants`) and the `limit` has room. `told` takes in what is told of a
//! checkout, `next` chooses what is said, and `restored` spreads the reads after a restart. `ticks` counts
//! time for all of them.

mod calendar;
#[cfg(test)]
mod calendar_tests;
mod limit;
mod merchant;
mod merchants;
mod next;
mod places;
mod restored;
mod slots;
mod state;
#[cfg(test)]
mod tests;
mod ticks;
mod told;

pub use merchant::MerchantId;
pub use next::Next;
pub use slots::ScheduleKey;

use self::places::Places;
use self::slots::Slots;
use self::state::{Standing, State};
#[cfg(doc)]
use crate::ReadOutcome;
use crate::{PollPolicy, Poller, Step, time};
use checkout_lifecycle::Moment;
use core::fmt;
use core::time::Duration;

/// Which checkout is read next, of many: a queue of [`Poller`]s without a clock, a timer or a task of its
/// own.
///
/// Each checkout belongs to a [merchant](Self::merchant): one account at a provider, with the [`PollPolicy`]
/// of its checkouts and the limit that its requests share. `T` is yours, one for each checkout: its tracker,
/// its id.
///
/// ```
/// use checkout_lifecycle::{Moment, Phase};
/// use checkout_poll::{ReadKind, ReadOutcome, Next, PollPolicy, Schedule};
/// use checkout_tables::peach::Route;
///
/// let at = |seconds: i64| Moment::from_unix_millis(1_700_000_000_000 + seconds * 1_000);
/// let mut schedule = Schedule::new(at(0), 42);
/// let shop = schedule.merchant(PollPolicy::peach(), Route::Status.rate_limit());
/// for order in ["one", "two", "three"] {
///     schedule.add(shop, at(0), at(0), order);
/// }
///
/// // Two a minute: the third has to wait, and a second more for what the journeys of requests differ by.
/// let mut asked = Vec::new();
/// while let Next::Fetch { ticket, fetch, .. } = schedule.next(at(0)) {
///     asked.push(*schedule.data(ticket).unwrap());
///     let answer = ReadOutcome::Answer { fetch, phase: Some(Phase::Succeeded), wait: None };
///     schedule.handle_outcome(ticket, at(0), answer);
///     assert!(matches!(schedule.next(at(0)), Next::Ended { phase: Phase::Succeeded, .. }));
///     schedule.remove(ticket);
/// }
/// assert_eq!(asked, ["one", "two"]);
/// assert_eq!(schedule.next(at(0)), Next::Wait(at(61)));
/// ```
///
/// # How to drive it
/// Call [`next`](Self::next) until it says [`Next::Wait`] or [`Next::Idle`], then sleep until that moment or
/// until you have something to tell, then call it again. Each [`Next::Fetch`] is yours to carry out, as many
/// at a time as you like, and owes one [`handle_outcome`](Self::handle_outcome). Until then its checkout is *out*, and not
/// given again. If you gave the read up half-way, say [`release`](Self::release): else the checkout stays out
/// for good. A process that ended while some were out stores nothing of that: a [restored](Self::restore)
/// poller reads again.
///
/// Where a checkout is open at its deadline, one more read of it is given: see
/// [`Poller`](Poller#the-last-read). Under a limit that read waits for its turn as every other does, so the
/// checkout is given up as much later. What never has its turn, because the limit allows nothing or you told
/// the merchant to [slow down](Self::pause_until) for years, is never told of: [remove](Self::remove) it.
///
/// # Order
/// - Within a merchant the earliest deadline first. The deadline of a read is when it is due and one
///   [interval](Poller::interval) more, or a day if that is less. So where there are more reads than a limit
///   allows, the fresh checkouts, whose intervals are short, come first; and since a deadline stays where it
///   is, everybody's turn comes. A checkout whose last read met [too many requests](ReadOutcome::Limited)
///   comes after those that had to wait for that: its deadline is later by the plan's [longest
///   pause](PollPolicy::longest_pause).
/// - A read that a [webhook](Self::nudge) or a [returned payer](Self::payer_returned) asked for jumps the
///   queue: the read goes before those that nobody asked for. Two such reads in a row are given only while no
///   other read waits, so the ordinary reads keep every second turn. And each checkout jumps once, until a
///   read shows it in another phase: see [`nudge`](Self::nudge).
/// - Checkouts that were [restored](Self::restore) when their reads were due are read one after the other,
///   the most overdue first, and not all at once.
/// - Between merchants in turn, one read each. A merchant that has to wait for its limit, or that is
///   [busy](Self::set_busy), holds up no other merchant.
///
/// # What holds
/// - No read is given before it is due.
/// - In every window of a limit's length there are at most so many reads as it allows, wherever the window
///   begins; and up to that they may come at once. It counts what this schedule gave and what you say by
///   [`record_request`](Self::record_request): tell it what was sent before a restart. Send a read when it is
///   given, or tell [`mark_sent`](Self::mark_sent) when it is sent: by how much one is late is not known
///   here, and only the [margin](Self::limit_margin) is there for it.
/// - No answer for one checkout ends another. It delays the other checkouts of its merchant by the [longest
///   pause](PollPolicy::longest_pause) of their plan at most, however long a wait the answer says, and those
///   of other merchants not at all.
/// - Time does not go back: a moment before one that was told counts as that one. Who goes by a clock that
///   can be set back tells [`set_back`](Self::set_back).
/// - A ticket of a checkout that was removed does nothing and never means another one.
/// - The same calls give the same answers.
/// - Nothing is allocated unless there are more checkouts, or more of them to be read at once, than there
///   ever were; what one leaves is used for the next.
///
/// # What it costs
/// A checkout with a 16-byte `T` takes 48 bytes, and its place in the queue 13 beside that; one that is to be
/// read and cannot be, for a limit, 8 to 16 more. There are 46 kB that do not grow.
///
/// `cargo bench -p checkout-poll` prints bytes for each, and nanoseconds beside those of other queues. With a
/// million open checkouts, on a quiet machine, and what to take one out when it is due and to put it in again
/// cost on the same machine while others used its memory too:
///
/// | | bytes | insert | cancel | out and in again | with others |
/// |---|---|---|---|---|---|
/// | the queue of this schedule, alone | 12.9 | 6 | 20 | 11 | 31 |
/// | the same with lazy deletion, never swept | 9.1 | 5 | 2 | 17 | 40 |
/// | a wheel of 65,536 linked lists | 12.2 | 2 | 6 | 21 | 161 |
/// | `BinaryHeap` of packed `u64`, lazy deletion | 12.0 | 12 | 2 | 102 | 431 |
/// | tokio-util's `DelayQueue` | 56.0 | 58 | 470 | 463 | 662 |
/// | a tokio task that sleeps, for each | 264.3 | 704 | | 600 | 849 |
/// | this schedule: `next` and `heard`, one merchant | 69.3 | | | 160 | 181 |
/// | of 10,000 merchants | 75.8 | | | 198 | 405 |
/// | one merchant, and a million wait for its limit | 69.3 | | | 1,100 | 1,761 |
///
/// The queue is a calendar of buckets in three levels. Entries are taken out exactly: to mark them and to
/// sweep now and then would be faster where many are removed or nudged, and would stop everybody for the
/// sweep.
///
/// The limit is a list of the times of one window. A *generic cell rate algorithm* needs no list, but what it
/// allows after a burst adds up to twice the limit in some windows.
#[derive(Clone)]
pub struct Schedule<T> {
    seed: u64,
    /// The number of checkouts that were added, from which their pollers' seeds are made.
    added: u64,
    margin: Duration,
    slots: Slots<T>,
    places: Places,
}

impl<T> Schedule<T> {
    /// Nothing to read yet. The seed is for what chance shortens pauses by: any number.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{Next, Schedule};
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// assert_eq!(Schedule::<()>::new(now, 42).next(now), Next::Idle);
    /// ```
    #[must_use]
    pub fn new(now: Moment, seed: u64) -> Self {
        Self { seed, added: 0, margin: MARGIN, slots: Slots::new(), places: Places::new(now) }
    }

    /// With another margin for the merchants that follow: by so much the window of a limit is taken longer
    /// than it is, for requests arrive as far apart as they were sent only if they travel for the same time.
    /// The default is a second. Assumed: no provider says how it counts.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{Next, PollPolicy, Schedule};
    /// # use checkout_tables::peach::Route;
    /// # use core::time::Duration;
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// let mut schedule = Schedule::new(now, 42).limit_margin(Duration::from_secs(5));
    /// let shop = schedule.merchant(PollPolicy::peach(), Route::Status.rate_limit());
    /// [0, 1, 2].map(|order| schedule.add(shop, now, now, order));
    /// while let Next::Fetch { .. } = schedule.next(now) {}
    /// assert_eq!(schedule.next(now), Next::Wait(now.saturating_add(Duration::from_secs(65))));
    /// ```
    #[must_use]
    pub fn limit_margin(mut self, margin: Duration) -> Self {
        self.margin = margin;
        self
    }

    /// Makes room for so many checkouts more, so that adding them allocates nothing.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::Schedule;
    /// let mut schedule = Schedule::<u64>::new(Moment::from_unix_millis(0), 42);
    /// schedule.reserve(10_000);
    /// ```
    pub fn reserve(&mut self, checkouts: usize) {
        self.slots.reserve(checkouts);
        self.places.calendar.make_room(self.slots.room());
    }

    /// A checkout that began at some moment, to be read at once; or [`PollPolicy::initial_wait`] after it
    /// began, where the plan has one.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{ReadKind, Next, PollPolicy, Schedule};
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// let mut schedule = Schedule::new(now, 42);
    /// let merchant = schedule.merchant(PollPolicy::allscale(), None);
    /// let ticket = schedule.add(merchant, now, now, "order 7");
    /// assert_eq!(schedule.next(now), Next::Fetch { ticket, merchant, fetch: ReadKind::Status });
    /// assert_eq!(schedule.next(now), Next::Idle);
    /// ```
    ///
    /// # Panics
    /// If the merchant was removed, or is another schedule's and unknown here, or if there are 2²⁸ checkouts.
    pub fn add(&mut self, merchant: MerchantId, began: Moment, now: Moment, data: T) -> ScheduleKey {
        let seed = time::mix(self.seed.wrapping_add(self.added));
        self.added = self.added.wrapping_add(1);
        let poller = Poller::new(self.plan(merchant), began, seed);
        self.add_with(merchant, poller, now, data)
    }

    /// A checkout with a poller of your own, to be read when that is due: a new poller at once, where its
    /// checkout has begun. It is [`add`](Self::add) for whoever chooses the poller's seed. Stored pollers are
    /// for [`restore`](Self::restore), which does not have all of them read at once.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{Next, PollPolicy, Poller, Schedule};
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// let mut schedule = Schedule::new(now, 42);
    /// let merchant = schedule.merchant(PollPolicy::allscale(), None);
    /// let poller = Poller::new(&PollPolicy::allscale(), now, 7);
    /// schedule.add_with(merchant, poller, now, "order 7");
    /// assert!(matches!(schedule.next(now), Next::Fetch { .. }));
    /// ```
    ///
    /// # Panics
    /// As [`add`](Self::add).
    pub fn add_with(&mut self, merchant: MerchantId, poller: Poller, now: Moment, data: T) -> ScheduleKey {
        let ticket = self.insert(merchant, State::Nowhere, poller, now, data);
        self.put(ticket.slot);
        ticket
    }

    /// Takes a checkout out, wherever it stands: ended, given up, out, or none of these.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{Next, PollPolicy, Schedule};
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// let mut schedule = Schedule::new(now, 42);
    /// let merchant = schedule.merchant(PollPolicy::allscale(), None);
    /// let ticket = schedule.add(merchant, now, now, "order 7");
    /// assert_eq!(schedule.remove(ticket).map(|(_, data)| data), Some("order 7"));
    /// assert!(schedule.remove(ticket).is_none());
    /// assert_eq!(schedule.next(now), Next::Idle);
    /// ```
    pub fn remove(&mut self, ticket: ScheduleKey) -> Option<(Poller, T)> {
        self.places.take(ticket.slot, self.slots.get_mut(ticket)?);
        let open = self.slots.remove(ticket)?;
        self.places.merchants.of_mut(open.standing.merchant()).checkouts -= 1;
        Some((open.poller, open.data))
    }

    /// The clock may have been set back: as [`Poller::set_back`] for every checkout, and for the merchants
    /// too. What was waited for still is, for as long as was left at the latest moment that was told; and
    /// requests that were made at what is now a later moment count for the limit as made now, so that it
    /// waits too long rather than too short. Tell it before [`next`](Self::next) and what comes after it.
    ///
    /// A moment that is less than a minute before the latest one changes nothing: it counts as that one.
    /// Otherwise it looks at every checkout there is. Who was given up only by the clock that ran ahead goes
    /// on.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{ReadOutcome, Next, PollPolicy, Schedule};
    /// # use core::time::Duration;
    /// let at = |seconds: i64| Moment::from_unix_millis(1_700_000_000_000 + seconds * 1_000);
    /// let mut schedule = Schedule::new(at(86_400), 42); // by a clock that is wrong
    /// let merchant = schedule.merchant(PollPolicy::allscale(), None);
    /// let ticket = schedule.add(merchant, at(86_400), at(86_400), ());
    /// assert!(matches!(schedule.next(at(86_400)), Next::Fetch { .. }));
    /// schedule.handle_outcome(ticket, at(86_400), ReadOutcome::Limited { wait: Some(Duration::from_secs(20)) });
    /// schedule.set_back(at(0));
    /// assert_eq!(schedule.next(at(0)), Next::Wait(at(20)));
    /// ```
    pub fn set_back(&mut self, now: Moment) {
        if self.places.clock.moment().saturating_since(now) < time::SET_BACK {
            return;
        }
        self.places.set_back(now);
        for id in self.slots.ids() {
            let Some(open) = self.slots.at_mut(id) else { continue };
            let plan = &self.places.merchants.of(open.standing.merchant()).plan;
            open.poller.set_back(now);
            let has_ended = matches!(open.poller.next(plan, now), Step::Done(_) | Step::GaveUp(_));
            match open.standing.state() {
                State::Out | State::Restored => {}
                // The end was told, or will be.
                State::Ended if has_ended => {}
                State::Nowhere | State::Waiting | State::Ready | State::Ended => {
                    open.standing.set_state(State::Nowhere);
                    self.put(id);
                }
            }
        }
    }

    /// What is yours of a checkout.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{PollPolicy, Schedule};
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// let mut schedule = Schedule::new(now, 42);
    /// let merchant = schedule.merchant(PollPolicy::allscale(), None);
    /// let ticket = schedule.add(merchant, now, now, "order 7");
    /// assert_eq!(schedule.data(ticket), Some(&"order 7"));
    /// ```
    #[must_use]
    pub fn data(&self, ticket: ScheduleKey) -> Option<&T> {
        self.slots.get(ticket).map(|open| &open.data)
    }

    /// What is yours of a checkout, to be changed.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{PollPolicy, Schedule};
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// let mut schedule = Schedule::new(now, 42);
    /// let merchant = schedule.merchant(PollPolicy::allscale(), None);
    /// let ticket = schedule.add(merchant, now, now, 7);
    /// *schedule.data_mut(ticket).unwrap() += 1;
    /// assert_eq!(schedule.data(ticket), Some(&8));
    /// ```
    #[must_use]
    pub fn data_mut(&mut self, ticket: ScheduleKey) -> Option<&mut T> {
        self.slots.get_mut(ticket).map(|open| &mut open.data)
    }

    /// A checkout's poller: what to store.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{PollPolicy, Schedule};
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// let mut schedule = Schedule::new(now, 42);
    /// let merchant = schedule.merchant(PollPolicy::allscale(), None);
    /// let ticket = schedule.add(merchant, now, now, ());
    /// assert_eq!(schedule.poller(ticket).unwrap().began(), now);
    /// ```
    #[must_use]
    pub fn poller(&self, ticket: ScheduleKey) -> Option<&Poller> {
        self.slots.get(ticket).map(|open| &open.poller)
    }

    /// How many checkouts there are, with those that are out and those that have ended and were not removed.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::Schedule;
    /// assert_eq!(Schedule::<()>::new(Moment::from_unix_millis(0), 42).len(), 0);
    /// ```
    #[must_use]
    pub const fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there is no checkout.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::Schedule;
    /// assert!(Schedule::<()>::new(Moment::from_unix_millis(0), 42).is_empty());
    /// ```
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All checkouts, in no order that means something: to store them, or to look for one.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{PollPolicy, Schedule};
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// let mut schedule = Schedule::new(now, 42);
    /// let merchant = schedule.merchant(PollPolicy::allscale(), None);
    /// let ticket = schedule.add(merchant, now, now, "order 7");
    /// let found = schedule.iter().find(|(_, _, _, data)| **data == "order 7");
    /// assert_eq!(found.map(|(ticket, ..)| ticket), Some(ticket));
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = (ScheduleKey, MerchantId, &Poller, &T)> {
        self.slots.iter().map(|(ticket, open)| {
            let merchant = self.places.merchants.id_of(open.standing.merchant());
            (ticket, merchant, &open.poller, &open.data)
        })
    }

    /// The plan of a merchant that has not been removed.
    #[expect(clippy::panic, reason = "as documented: a checkout that were not added would never be read")]
    fn plan(&self, merchant: MerchantId) -> &PollPolicy {
        match self.places.merchants.get(merchant) {
            Some(merchant) => &merchant.plan,
            None => panic!("this merchant was removed, or is another schedule's"),
        }
    }

    /// A checkout that stands nowhere yet, or was restored.
    fn insert(
        &mut self,
        merchant: MerchantId,
        state: State,
        poller: Poller,
        now: Moment,
        data: T,
    ) -> ScheduleKey {
        self.places.clock.hear(now);
        // Which panics where the merchant is unknown.
        let _plan = self.plan(merchant);
        let mut standing = Standing::of_merchant(merchant.slot);
        standing.set_state(state);
        let ticket = self.slots.insert(standing, poller, data);
        self.places.calendar.make_room(self.slots.room());
        self.places.merchants.of_mut(merchant.slot).checkouts += 1;
        ticket
    }
}

impl<T> fmt::Debug for Schedule<T> {
    /// The numbers of merchants and checkouts; nothing of the checkouts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Schedule")
            .field("now", &self.places.clock.moment())
            .field("merchants", &self.places.merchants.len())
            .field("checkouts", &self.len())
            .finish_non_exhaustive()
    }
}

const fn index(number: u32) -> usize {
    number as usize
}

#[expect(clippy::cast_possible_truncation, reason = "lengths are asserted to be below 2²⁸")]
const fn small(length: usize) -> u32 {
    length as u32
}

const MARGIN: Duration = Duration::from_secs(1);
/// A longer interval counts as this one where reads are put in order.
const LONGEST: Duration = Duration::from_secs(24 * 3_600);
