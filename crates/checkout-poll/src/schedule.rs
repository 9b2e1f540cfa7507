//! Many checkouts of many merchants, under the limits that they share.
//!
//! `slots` keeps the checkouts, each with a poller, and with a `state` of four bytes. `places` knows by their
//! ids where the checkouts wait: in the `calendar` until a read is due, and then in the queue of their
//! merchant (`merchant`) until the merchant has its turn (`merchants`) and the `limit` has room. `told` takes
//! in news of a checkout, `next` chooses the next thing to do, and `restored` spreads the reads after a
//! restart. `ticks` counts time for all of them.

mod calendar;
#[cfg(test)]
mod calendar_tests;
mod events;
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

/// Chooses the next checkout to read among many: a queue of [`Poller`]s without a clock, a timer or a task.
///
/// Each checkout belongs to a [merchant](Self::merchant): one account at a provider, with the [`PollPolicy`]
/// of its checkouts and the limit that its requests share. `T` is your own data for each checkout, such as a
/// tracker or an id.
///
/// ```
/// # checkout_doctest::facade!(poll);
/// use checkout_kit::peach::Route;
/// use checkout_kit::poll::{Next, ReadKind, ReadOutcome, Schedule};
/// use checkout_kit::{Moment, Phase, PollPolicy};
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
/// while let Next::Fetch { key, kind, .. } = schedule.next(at(0)) {
///     asked.push(*schedule.data(key).unwrap());
///     let answer = ReadOutcome::Answer { kind, phase: Some(Phase::Succeeded), wait: None };
///     schedule.handle_outcome(key, at(0), answer);
///     assert!(matches!(schedule.next(at(0)), Next::Ended { phase: Phase::Succeeded, .. }));
///     schedule.remove(key);
/// }
/// assert_eq!(asked, ["one", "two"]);
/// assert_eq!(schedule.next(at(0)), Next::Wait(at(61)));
/// ```
///
/// # How to drive it
/// Call [`next`](Self::next) until it returns [`Next::Wait`] or [`Next::Idle`]. Then sleep until that moment,
/// or until you have news to report, and call `next` again. Carry out each [`Next::Fetch`], as many at a time
/// as you like, and report the result of each with one [`handle_outcome`](Self::handle_outcome). Until then
/// the checkout is *out*, and is not given again. If you give up a read half-way, call
/// [`release`](Self::release): otherwise the checkout stays out for good. A process that ends while some
/// checkouts are out stores nothing about these reads: a [restored](Self::restore) poller reads again.
///
/// If a checkout is open at its deadline, the schedule gives one more read: see
/// [`Poller`](Poller#the-last-read). Under a limit that read waits for its turn like every other read, so the
/// schedule gives up the checkout that much later. A checkout never has its turn if the limit allows nothing,
/// or if you told the merchant to [slow down](Self::pause_until) for years. The schedule never reports such a
/// checkout: [remove](Self::remove) it.
///
/// # Order
/// - Within a merchant the earliest deadline comes first. The deadline of a read is the moment when the read
///   is due plus one [interval](Poller::interval), or plus a day if that is less. So if there are more reads
///   than a limit allows, the fresh checkouts, whose intervals are short, come first; and since a deadline
///   stays where it is, every checkout has its turn. A checkout whose last read met [too many
///   requests](ReadOutcome::Limited) comes after the checkouts that this delayed: its deadline is later by
///   the [longest pause](PollPolicy::longest_pause) of the policy.
/// - A read that a [webhook](Self::nudge) or a [returned payer](Self::payer_returned) asked for jumps the
///   queue: the read goes before the reads that nobody asked for. The schedule gives two such reads in a row
///   only while no other read waits, so the ordinary reads keep every second turn. Each checkout jumps once,
///   until a read shows the checkout in another phase: see [`nudge`](Self::nudge).
/// - Checkouts that were [restored](Self::restore) when their reads were due are read one after the other,
///   the most overdue first, and not all at once.
/// - Merchants take turns, one read each. A merchant that has to wait for its limit, or that is
///   [busy](Self::set_busy), holds up no other merchant.
///
/// # What holds
/// - No read is given before it is due.
/// - In every window of a limit's length there are at most as many reads as the limit allows, wherever the
///   window begins; and up to that number the reads may come at once. The limit counts the reads that this
///   schedule gave and the requests that you report with [`record_request`](Self::record_request): report the
///   requests that were sent before a restart. Send a read when the schedule gives it, or call
///   [`mark_sent`](Self::mark_sent) when you send it. The schedule does not know the delay of a read, and
///   only the [margin](Self::limit_margin) covers that delay.
/// - No answer for one checkout ends another. An answer delays the other checkouts of the same merchant by at
///   most the [longest pause](PollPolicy::longest_pause) of their policy, however long a wait the answer asks
///   for, and does not delay the checkouts of other merchants at all.
/// - Time never goes backwards: an earlier `now` counts as the latest moment seen. If your clock can be set
///   back, call [`set_back`](Self::set_back).
/// - A key of a checkout that was removed does nothing, and never means another checkout.
/// - The same calls give the same answers.
/// - The schedule allocates only when there are more checkouts, or more checkouts to read at once, than ever
///   before; the next checkout uses the memory of a removed one.
///
/// # What it costs
/// A checkout with a 16-byte `T` takes 48 bytes, plus 13 for the place in the queue. A checkout that is due
/// but has to wait for a limit takes 8 to 16 more. A fixed 46 kB does not grow.
///
/// `cargo bench -p checkout-poll` prints bytes for each, and nanoseconds beside those of other queues. The
/// table is for a million open checkouts on a quiet machine. The last column is the cost of taking out a
/// checkout when it is due and of inserting it again, on the same machine while others used its memory too:
///
/// | | bytes | insert | cancel | out and in again | with others |
/// |---|---|---|---|---|---|
/// | the queue of this schedule, alone | 12.9 | 6 | 20 | 11 | 31 |
/// | the same with lazy deletion, never swept | 9.1 | 5 | 2 | 17 | 40 |
/// | a wheel of 65,536 linked lists | 12.2 | 2 | 6 | 21 | 161 |
/// | `BinaryHeap` of packed `u64`, lazy deletion | 12.0 | 12 | 2 | 102 | 431 |
/// | tokio-util's `DelayQueue` | 56.0 | 58 | 470 | 463 | 662 |
/// | a tokio task that sleeps, for each | 264.3 | 704 | | 600 | 849 |
/// | this schedule: `next` and `handle_outcome`, one merchant | 69.3 | | | 160 | 181 |
/// | of 10,000 merchants | 75.8 | | | 198 | 405 |
/// | one merchant, and a million wait for its limit | 69.3 | | | 1,100 | 1,761 |
///
/// The queue is a calendar of buckets in three levels. The queue removes entries exactly. To mark entries and
/// sweep now and then would be faster if many are removed or nudged, but every caller would wait for the
/// sweep.
///
/// The limit is a list of the times of one window. A *generic cell rate algorithm* needs no list, but after a
/// burst its requests add up to twice the limit in some windows.
#[derive(Clone)]
pub struct Schedule<T> {
    seed: u64,
    /// The number of checkouts that were added; seeds the pollers.
    added: u64,
    margin: Duration,
    slots: Slots<T>,
    places: Places,
}

impl<T> Schedule<T> {
    /// Creates an empty schedule. The seed, any number, drives the chance that shortens pauses.
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

    /// Sets another margin for the merchants that follow. The margin lengthens the window of a limit, because
    /// requests arrive as far apart as they were sent only if they travel for the same time. The default is a
    /// second. Assumed: no provider documents how the limit counts.
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

    /// Reserves room for this many more checkouts, so that adding them allocates nothing.
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

    /// Adds a checkout that began at this moment. The first read is due at once, or
    /// [`PollPolicy::initial_wait`] after the checkout began, if the policy has such a wait.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{ReadKind, Next, PollPolicy, Schedule};
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// let mut schedule = Schedule::new(now, 42);
    /// let merchant = schedule.merchant(PollPolicy::allscale(), None);
    /// let key = schedule.add(merchant, now, now, "order 7");
    /// assert_eq!(schedule.next(now), Next::Fetch { key, merchant, kind: ReadKind::Status });
    /// assert_eq!(schedule.next(now), Next::Idle);
    /// ```
    ///
    /// # Panics
    /// If the merchant was removed, or belongs to another schedule and is unknown here, or if there are 2²⁸
    /// checkouts.
    pub fn add(&mut self, merchant: MerchantId, started_at: Moment, now: Moment, data: T) -> ScheduleKey {
        let seed = time::mix(self.seed.wrapping_add(self.added));
        self.added = self.added.wrapping_add(1);
        let poller = Poller::new(self.policy(merchant), started_at, seed);
        self.add_with(merchant, poller, now, data)
    }

    /// Adds a checkout with a poller of your own. The first read is due when the poller says: for a new
    /// poller at once, if its checkout has begun. Use this method in place of [`add`](Self::add) to choose
    /// the poller's seed. For stored pollers use [`restore`](Self::restore), which does not read all of them
    /// at once.
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
        let key = self.insert(merchant, State::Nowhere, poller, now, data);
        self.put(key.slot);
        key
    }

    /// Removes a checkout in any state: ended, given up, out, or none of these.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{Next, PollPolicy, Schedule};
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// let mut schedule = Schedule::new(now, 42);
    /// let merchant = schedule.merchant(PollPolicy::allscale(), None);
    /// let key = schedule.add(merchant, now, now, "order 7");
    /// assert_eq!(schedule.remove(key).map(|(_, data)| data), Some("order 7"));
    /// assert!(schedule.remove(key).is_none());
    /// assert_eq!(schedule.next(now), Next::Idle);
    /// ```
    pub fn remove(&mut self, key: ScheduleKey) -> Option<(Poller, T)> {
        self.places.take(key.slot, self.slots.get_mut(key)?);
        let open = self.slots.remove(key)?;
        self.places.merchants.of_mut(open.standing.merchant()).checkouts -= 1;
        Some((open.poller, open.data))
    }

    /// Reports that the clock may have been set back: like [`Poller::set_back`] for every checkout, and for
    /// the merchants too. Waits continue, for as long as was left at the latest moment seen. Requests that
    /// were made at a moment that is now in the future count for the limit as made now, so that a merchant
    /// waits too long rather than too short. Call this before [`next`](Self::next) and before the calls that
    /// follow.
    ///
    /// A moment that is less than a minute before the latest one changes nothing: it counts as the latest
    /// moment. Otherwise the call looks at every checkout. A checkout that was given up only because the
    /// clock ran ahead goes on.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{ReadOutcome, Next, PollPolicy, Schedule};
    /// # use core::time::Duration;
    /// let at = |seconds: i64| Moment::from_unix_millis(1_700_000_000_000 + seconds * 1_000);
    /// let mut schedule = Schedule::new(at(86_400), 42); // by a clock that is wrong
    /// let merchant = schedule.merchant(PollPolicy::allscale(), None);
    /// let key = schedule.add(merchant, at(86_400), at(86_400), ());
    /// assert!(matches!(schedule.next(at(86_400)), Next::Fetch { .. }));
    /// schedule.handle_outcome(key, at(86_400), ReadOutcome::Limited { wait: Some(Duration::from_secs(20)) });
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
            let policy = &self.places.merchants.of(open.standing.merchant()).policy;
            open.poller.set_back(now);
            let has_ended = matches!(open.poller.next(policy, now), Step::Done(_) | Step::GaveUp(_));
            match open.standing.state() {
                State::Out | State::Restored => {}
                // The end was reported, or will be.
                State::Ended if has_ended => {}
                State::Nowhere | State::Waiting | State::Ready | State::Ended => {
                    open.standing.set_state(State::Nowhere);
                    self.put(id);
                }
            }
        }
    }

    /// Your data of a checkout.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{PollPolicy, Schedule};
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// let mut schedule = Schedule::new(now, 42);
    /// let merchant = schedule.merchant(PollPolicy::allscale(), None);
    /// let key = schedule.add(merchant, now, now, "order 7");
    /// assert_eq!(schedule.data(key), Some(&"order 7"));
    /// ```
    #[must_use]
    pub fn data(&self, key: ScheduleKey) -> Option<&T> {
        self.slots.get(key).map(|open| &open.data)
    }

    /// Your data of a checkout, mutably.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{PollPolicy, Schedule};
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// let mut schedule = Schedule::new(now, 42);
    /// let merchant = schedule.merchant(PollPolicy::allscale(), None);
    /// let key = schedule.add(merchant, now, now, 7);
    /// *schedule.data_mut(key).unwrap() += 1;
    /// assert_eq!(schedule.data(key), Some(&8));
    /// ```
    #[must_use]
    pub fn data_mut(&mut self, key: ScheduleKey) -> Option<&mut T> {
        self.slots.get_mut(key).map(|open| &mut open.data)
    }

    /// A checkout's poller, to be stored.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{PollPolicy, Schedule};
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// let mut schedule = Schedule::new(now, 42);
    /// let merchant = schedule.merchant(PollPolicy::allscale(), None);
    /// let key = schedule.add(merchant, now, now, ());
    /// assert_eq!(schedule.poller(key).unwrap().started_at(), now);
    /// ```
    #[must_use]
    pub fn poller(&self, key: ScheduleKey) -> Option<&Poller> {
        self.slots.get(key).map(|open| &open.poller)
    }

    /// The number of checkouts, including those that are out and those that have ended and were not removed.
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

    /// True if there are no checkouts.
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

    /// All checkouts, in no particular order: to store them, or to look for one.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{PollPolicy, Schedule};
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// let mut schedule = Schedule::new(now, 42);
    /// let merchant = schedule.merchant(PollPolicy::allscale(), None);
    /// let key = schedule.add(merchant, now, now, "order 7");
    /// let found = schedule.iter().find(|(_, _, _, data)| **data == "order 7");
    /// assert_eq!(found.map(|(key, ..)| key), Some(key));
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = (ScheduleKey, MerchantId, &Poller, &T)> {
        self.slots.iter().map(|(key, open)| {
            let merchant = self.places.merchants.id_of(open.standing.merchant());
            (key, merchant, &open.poller, &open.data)
        })
    }

    /// The policy of a merchant that was not removed.
    #[expect(clippy::panic, reason = "as documented: a checkout that were not added would never be read")]
    fn policy(&self, merchant: MerchantId) -> &PollPolicy {
        match self.places.merchants.get(merchant) {
            Some(merchant) => &merchant.policy,
            None => panic!("this merchant was removed, or is another schedule's"),
        }
    }

    /// Inserts a checkout that is not in any place yet, or was restored.
    fn insert(
        &mut self,
        merchant: MerchantId,
        state: State,
        poller: Poller,
        now: Moment,
        data: T,
    ) -> ScheduleKey {
        self.places.clock.advance(now);
        // This panics if the merchant is unknown.
        let _policy = self.policy(merchant);
        let mut standing = Standing::of_merchant(merchant.slot);
        standing.set_state(state);
        let key = self.slots.insert(standing, poller, data);
        self.places.calendar.make_room(self.slots.room());
        self.places.merchants.of_mut(merchant.slot).checkouts += 1;
        key
    }
}

impl<T> fmt::Debug for Schedule<T> {
    /// Writes the numbers of merchants and checkouts, and nothing about the checkouts themselves.
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
/// A longer interval counts as this one when reads are put in order.
const LONGEST: Duration = Duration::from_secs(24 * 3_600);
