//! Many checkouts of many merchants, under the limits that they share.

mod calendar;
#[cfg(test)]
mod calendar_tests;
mod limit;
mod merchant;
#[cfg(test)]
mod tests;

use self::calendar::{Calendar, SOME};
use self::limit::Limiter;
use self::merchant::{ID_BITS, Merchant, RANK_BITS};
use crate::{Fetch, GaveUp, Heard, Plan, Poller, Step, time};
use alloc::collections::{BinaryHeap, VecDeque};
use alloc::vec::Vec;
use checkout_lifecycle::{Moment, Phase};
use checkout_tables::RateLimit;
use core::cmp::Reverse;
use core::fmt;
use core::time::Duration;

/// Which checkout is read next, of many: a queue of [`Poller`]s without a clock, a timer or a task of its
/// own.
///
/// Each checkout belongs to a [merchant](Self::merchant): one account at a provider, with the [`Plan`] of its
/// checkouts and the limit that its requests share. `T` is yours, one for each checkout: its tracker, its id.
///
/// ```
/// use checkout_lifecycle::{Moment, Phase};
/// use checkout_poll::{Fetch, Heard, Next, Plan, Schedule};
/// use checkout_tables::peach::Route;
///
/// let at = |seconds: i64| Moment::from_unix_millis(1_700_000_000_000 + seconds * 1_000);
/// let mut schedule = Schedule::new(at(0), 42);
/// let shop = schedule.merchant(Plan::peach(), Route::Status.rate_limit());
/// for order in ["one", "two", "three"] {
///     schedule.add(shop, at(0), at(0), order);
/// }
///
/// // Two a minute: the third has to wait, and a second more for what the journeys of requests differ by.
/// let mut asked = Vec::new();
/// while let Next::Fetch { ticket, fetch, .. } = schedule.next(at(0)) {
///     asked.push(*schedule.data(ticket).unwrap());
///     let answer = Heard::Answer { fetch, phase: Some(Phase::Succeeded), wait: None };
///     schedule.heard(ticket, at(0), answer);
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
/// at a time as you like, and owes one [`heard`](Self::heard). Until then its checkout is *out*, and not
/// given again. If you gave the read up half-way, say [`release`](Self::release): else the checkout stays out
/// for good. A process that ended while some were out stores nothing of that: a [restored](Self::restore)
/// poller reads again.
///
/// Where a checkout is open at its deadline, one more read of it is given: see [`Poller`](Poller#the-last-read).
/// Under a limit that read waits for its turn as every other does, so the checkout is given up as much later. What
/// never has its turn, because the limit allows nothing or you told the merchant to [slow down](Self::slow_down) for
/// years, is never told of: [remove](Self::remove) it.
///
/// # Order
/// - Within a merchant the earliest deadline first. The deadline of a read is when it is due and one
///   [interval](Poller::interval) more, or a day if that is less. So where there are more reads than a limit
///   allows, the fresh checkouts, whose intervals are short, come first; and since a deadline stays where it
///   is, everybody's turn comes. A checkout whose last read met [too many requests](Heard::Limited) comes after those that
///   had to wait for that: its deadline is later by the plan's [longest pause](Plan::longest_pause).
/// - A read that a [webhook](Self::nudge) or a [returned payer](Self::payer_returned) asked for jumps the queue: the
///   read goes before those that nobody asked for. Two such reads in a row are given only while no other read waits, so
///   the ordinary reads keep every second turn. And each checkout jumps once, until a read shows it in another phase:
///   see [`nudge`](Self::nudge).
/// - Checkouts that were [restored](Self::restore) when their reads were due are read one after the other, the most
///   overdue first, and not all at once.
/// - Between merchants in turn, one read each. A merchant that has to wait for its limit, or that is
///   [busy](Self::set_busy), holds up no other merchant.
///
/// # What holds
/// - No read is given before it is due.
/// - In every window of a limit's length there are at most so many reads as it allows, wherever the window
///   begins; and up to that they may come at once. It counts what this schedule gave and what you say by
///   [`used`](Self::used): tell it what was sent before a restart. Send a read when it is given, or tell
///   [`asking`](Self::asking) when it is sent: by how much one is late is not known here, and only the
///   [margin](Self::limit_margin) is there for it.
/// - No answer for one checkout ends another. It delays the other checkouts of its merchant by the
///   [longest pause](Plan::longest_pause) of their plan at most, however long a wait the answer says, and those of other
///   merchants not at all.
/// - Time does not go back: a moment before one that was told counts as that one. Who goes by a clock that can be
///   set back tells [`set_back`](Self::set_back).
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
    /// The latest moment that was told, in milliseconds.
    now: i64,
    /// The tick it was made at.
    origin: u64,
    seed: u64,
    added: u64,
    margin: Duration,
    slots: Vec<Slot<T>>,
    /// The first free slot.
    free: u32,
    open: usize,
    calendar: Calendar,
    merchants: Vec<Merchant>,
    /// The places of merchants that were removed.
    gone: Vec<u32>,
    /// Merchants with something to read, in turn.
    turn: VecDeque<u32>,
    /// Merchants that may ask from a moment on, earliest first.
    asleep: BinaryHeap<Reverse<(i64, u32)>>,
    /// Checkouts with something to tell.
    to_tell: VecDeque<u32>,
    /// Checkouts that were restored when their reads were due, and that have no place in the order yet.
    restored: Vec<u32>,
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
        let now = now.unix_millis().min(LATEST);
        Self {
            now,
            origin: tick(now),
            seed,
            added: 0,
            margin: MARGIN,
            slots: Vec::new(),
            free: NONE,
            open: 0,
            calendar: Calendar::new(tick(now)),
            merchants: Vec::new(),
            gone: Vec::new(),
            turn: VecDeque::new(),
            asleep: BinaryHeap::new(),
            to_tell: VecDeque::new(),
            restored: Vec::new(),
        }
    }

    /// With another margin for the merchants that follow: by so much the window of a limit is taken longer
    /// than it is, for requests arrive as far apart as they were sent only if they travel for the same time.
    /// The default is a second. Assumed: no provider says how it counts.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{Next, Plan, Schedule};
    /// # use checkout_tables::peach::Route;
    /// # use core::time::Duration;
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// let mut schedule = Schedule::new(now, 42).limit_margin(Duration::from_secs(5));
    /// let shop = schedule.merchant(Plan::peach(), Route::Status.rate_limit());
    /// [0, 1, 2].map(|order| schedule.add(shop, now, now, order));
    /// while let Next::Fetch { .. } = schedule.next(now) {}
    /// assert_eq!(schedule.next(now), Next::Wait(now.saturating_add(Duration::from_secs(65))));
    /// ```
    #[must_use]
    pub fn limit_margin(mut self, margin: Duration) -> Self {
        self.margin = margin;
        self
    }

    /// A merchant: one account at a provider, the plan of its checkouts, and the limit that its requests
    /// share, as the tables say it of the route that is read.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{Plan, Schedule};
    /// # use checkout_tables::peach::Route;
    /// let mut schedule = Schedule::<()>::new(Moment::from_unix_millis(0), 42);
    /// let one = schedule.merchant(Plan::allscale(), None);
    /// let another = schedule.merchant(Plan::peach(), Route::Status.rate_limit());
    /// assert_ne!(one, another);
    /// ```
    ///
    /// # Panics
    /// If there are 2²³ merchants.
    pub fn merchant(&mut self, plan: Plan, limit: Option<RateLimit>) -> MerchantId {
        let limiter = limit.map(|limit| Limiter::new(limit, self.margin));
        let gone = self.gone.pop();
        if let Some((slot, merchant)) =
            gone.and_then(|slot| Some((slot, self.merchants.get_mut(index(slot))?)))
        {
            merchant.follow(plan, limiter);
            return MerchantId { slot, generation: merchant.generation };
        }
        assert!(self.merchants.len() < MERCHANTS, "too many merchants");
        let slot = small(self.merchants.len());
        self.merchants.push(Merchant::new(plan, limiter));
        MerchantId { slot, generation: 0 }
    }

    /// Takes a merchant out that has no checkouts, and gives its plan back. None, and nothing is done, if it has one
    /// that was not [removed](Self::remove), whether that has ended or not; and if it was taken out before.
    ///
    /// Its id never means another one. Its memory is the next merchant's. What it has used of its limit is
    /// forgotten: if the account comes back, tell [`used`](Self::used) what [`recent`](Self::recent) has said before.
    /// It takes as long as there are merchants that wait.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{Plan, Schedule};
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// let mut schedule = Schedule::new(now, 42);
    /// let shop = schedule.merchant(Plan::allscale(), None);
    /// let ticket = schedule.add(shop, now, now, "order 7");
    /// assert_eq!(schedule.remove_merchant(shop), None);
    /// schedule.remove(ticket);
    /// assert_eq!(schedule.remove_merchant(shop), Some(Plan::allscale()));
    /// assert_ne!(schedule.merchant(Plan::peach(), None), shop);
    /// ```
    pub fn remove_merchant(&mut self, merchant: MerchantId) -> Option<Plan> {
        let slot = merchant.slot;
        let merchant =
            merchant_of(&mut self.merchants, merchant).filter(|merchant| merchant.checkouts == 0)?;
        if merchant.in_turn {
            self.turn.retain(|other| *other != slot);
        }
        if merchant.asleep {
            self.asleep.retain(|Reverse((_, other))| *other != slot);
        }
        merchant.go();
        // A place whose generations are used up is not used again.
        if merchant.generation != 0 {
            self.gone.push(slot);
        }
        Some(merchant.plan)
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
        let free = self.slots.len() - self.open.min(self.slots.len());
        self.slots.reserve(checkouts.saturating_sub(free));
        self.calendar.make_room(self.slots.capacity().min(SLOTS));
    }

    /// A checkout that began at some moment, to be read at once; or [`Plan::initial_wait`] after it began, where the plan has
    /// one.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{Fetch, Next, Plan, Schedule};
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// let mut schedule = Schedule::new(now, 42);
    /// let merchant = schedule.merchant(Plan::allscale(), None);
    /// let ticket = schedule.add(merchant, now, now, "order 7");
    /// assert_eq!(schedule.next(now), Next::Fetch { ticket, merchant, fetch: Fetch::Status });
    /// assert_eq!(schedule.next(now), Next::Idle);
    /// ```
    ///
    /// # Panics
    /// If the merchant was removed, or is another schedule's and unknown here, or if there are 2²⁸ checkouts.
    pub fn add(&mut self, merchant: MerchantId, began: Moment, now: Moment, data: T) -> Ticket {
        let seed = time::mix(self.seed.wrapping_add(self.added));
        self.added = self.added.wrapping_add(1);
        let poller = Poller::new(self.plan(merchant), began, seed);
        self.add_with(merchant, poller, now, data)
    }

    /// A checkout with a poller of your own, to be read when that is due: a new poller at once, where its checkout has
    /// begun. It is [`add`](Self::add) for whoever chooses the poller's seed. Stored pollers are for
    /// [`restore`](Self::restore), which does not have all of them read at once.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{Next, Plan, Poller, Schedule};
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// let mut schedule = Schedule::new(now, 42);
    /// let merchant = schedule.merchant(Plan::allscale(), None);
    /// let poller = Poller::new(&Plan::allscale(), now, 7);
    /// schedule.add_with(merchant, poller, now, "order 7");
    /// assert!(matches!(schedule.next(now), Next::Fetch { .. }));
    /// ```
    ///
    /// # Panics
    /// As [`add`](Self::add).
    pub fn add_with(&mut self, merchant: MerchantId, poller: Poller, now: Moment, data: T) -> Ticket {
        let ticket = self.put(merchant, poller, now, data);
        self.arm(ticket.slot);
        ticket
    }

    /// A checkout whose poller was stored: it goes on as if nothing had happened in between. A challenge that
    /// was shown is told once more, and so is a refusal after which late reads go on; a checkout that was given up is given
    /// up once more. A moment of the poller's that has not come yet is of a clock that ran ahead: [`Poller::set_back`].
    ///
    /// One that had ended is read once more before its end is told: [`Poller::read_once_more`]. An end is worth the
    /// read that shows it, which is what is held to the order, and no poller stores that: whoever has dealt with the
    /// end has no need to restore it, and whoever has not has nothing else in hand.
    ///
    /// After a restart the reads of all open checkouts are due together. So the reads of those that are restored between
    /// two calls of [`next`](Self::next) are spread over one ordinary pause of theirs: the most overdue one is read at
    /// once, the others follow in the order in which they were due, and as many come in a second as in their ordinary
    /// course. Up to four are no crowd and are all read at once. A read is not put off past the checkout's [deadline](Poller::deadline); one that is not due yet stays where
    /// it is; and a [nudge](Self::nudge) has its checkout read at once.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{Heard, Next, Plan, Schedule};
    /// # use core::time::Duration;
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// let mut before = Schedule::new(now, 42);
    /// let merchant = before.merchant(Plan::allscale(), None);
    /// let ticket = before.add(merchant, now, now, ());
    /// before.next(now);
    /// before.heard(ticket, now, Heard::Limited { wait: Some(Duration::from_secs(20)) });
    /// let stored = before.poller(ticket).unwrap().to_string();
    ///
    /// let mut after = Schedule::new(now, 43);
    /// let merchant = after.merchant(Plan::allscale(), None);
    /// after.restore(merchant, stored.parse()?, now, ());
    /// assert_eq!(after.next(now), Next::Wait(now.saturating_add(Duration::from_secs(20))));
    /// # Ok::<(), checkout_poll::ParsePollerError>(())
    /// ```
    ///
    /// # Panics
    /// As [`add`](Self::add).
    pub fn restore(&mut self, merchant: MerchantId, mut poller: Poller, now: Moment, data: T) -> Ticket {
        self.hear(now);
        poller.set_back(self.moment());
        let (plan, now) = (self.plan(merchant), self.moment());
        poller.read_once_more(plan, now);
        let is_due = matches!(poller.next(plan, now), Step::Fetch(_));
        let ticket = self.put(merchant, poller, now, data);
        if is_due {
            self.stand(ticket.slot, RESTORED);
            self.restored.push(ticket.slot);
        } else {
            self.arm(ticket.slot);
        }
        ticket
    }

    /// A checkout that stands nowhere yet.
    fn put(&mut self, merchant: MerchantId, poller: Poller, now: Moment, data: T) -> Ticket {
        self.hear(now);
        // Which panics where the merchant is unknown.
        let _plan = self.plan(merchant);
        let at = self.free;
        let owner = merchant.slot << FLAG_BITS;
        let open = |generation| Slot::Open(Open { data, poller, generation, owner });
        let ticket = if let Some(slot) = self.slots.get_mut(index(at)) {
            let (generation, next) = match slot {
                Slot::Free { generation, next } => (*generation, *next),
                Slot::Open(open) => (open.generation, NONE),
            };
            *slot = open(generation);
            self.free = next;
            Ticket { slot: at, generation }
        } else {
            let slot = self.slots.len();
            assert!(slot < SLOTS, "too many checkouts");
            self.slots.push(open(0));
            self.calendar.make_room(self.slots.capacity().min(SLOTS));
            Ticket { slot: small(slot), generation: 0 }
        };
        self.open += 1;
        if let Some(merchant) = merchant_of(&mut self.merchants, merchant) {
            merchant.checkouts += 1;
        }
        ticket
    }

    /// What to do now. Call it until it says [`Next::Wait`] or [`Next::Idle`].
    ///
    /// The first call after a while looks at every checkout that has become due since, so it takes as long as
    /// those are many; the others take what one of them takes.
    ///
    /// ```
    /// # use checkout_lifecycle::{Moment, Phase};
    /// # use checkout_poll::{Heard, Next, Plan, Schedule};
    /// # use core::time::Duration;
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// let mut schedule = Schedule::new(now, 42);
    /// let merchant = schedule.merchant(Plan::allscale().jitter_permille(0), None);
    /// schedule.add(merchant, now, now, ());
    /// let Next::Fetch { ticket, fetch, .. } = schedule.next(now) else { unreachable!() };
    /// schedule.heard(ticket, now, Heard::Answer { fetch, phase: Some(Phase::Processing), wait: None });
    /// assert_eq!(schedule.next(now), Next::Wait(now.saturating_add(Duration::from_secs(5))));
    /// ```
    #[must_use = "a read that is given is owed"]
    pub fn next(&mut self, now: Moment) -> Next {
        self.hear(now);
        self.spread();
        self.look_at_the_due();
        loop {
            if let Some(next) = self.tell() {
                return next;
            }
            self.wake();
            match self.give() {
                Some(next) => return next,
                None if self.to_tell.is_empty() => return self.rest(),
                None => {}
            }
        }
    }

    /// A read that was given is sent only now, for something had to be fetched before it, such as a token: the shortest
    /// time between two reads begins here, and it is asked here where it is the last one. See [`Poller::asking`].
    ///
    /// The limit counts it when it was given. Where that is longer ago than the [margin](Self::limit_margin), tell
    /// [`used`](Self::used) too. Of a checkout that is not out it says nothing.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{Next, Plan, Schedule};
    /// let at = |seconds: i64| Moment::from_unix_millis(1_700_000_000_000 + seconds * 1_000);
    /// let mut schedule = Schedule::new(at(0), 42);
    /// let merchant = schedule.merchant(Plan::peach(), None);
    /// let ticket = schedule.add(merchant, at(0), at(0), ());
    /// assert!(matches!(schedule.next(at(0)), Next::Fetch { .. }));
    /// schedule.asking(ticket, at(20));
    /// schedule.release(ticket, at(21));
    /// assert_eq!(schedule.next(at(21)), Next::Wait(at(50)));
    /// ```
    pub fn asking(&mut self, ticket: Ticket, now: Moment) {
        self.hear(now);
        let now = self.moment();
        let Some(open) = open_of(&mut self.slots, ticket).filter(|open| open.state() == OUT) else { return };
        let Some(merchant) = self.merchants.get(open.merchant()) else { return };
        open.poller.asking(&merchant.plan, now);
        // What was told before is news that this read will have.
        open.set(NUDGED | RETURNED, false);
    }

    /// Takes in the outcome of a read. Where the provider said to slow down ([`Heard::Limited`]), the whole merchant
    /// waits: as long as was said, and else by the plan's backoff, longer each time until there is an answer again. But
    /// never for longer than the plan's [longest pause](Plan::longest_pause), whatever was said: nobody knows whether
    /// the answer means more than the one checkout, and a nudge of another one is heard after that. The checkout itself
    /// waits for as long as was said, and is given up at once where its time ends before that
    /// ([`Why::AskedToWait`](crate::Why::AskedToWait)).
    ///
    /// What you read on your own accord can be told too.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{Heard, Next, Plan, Schedule};
    /// # use core::time::Duration;
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// let mut schedule = Schedule::new(now, 42);
    /// let merchant = schedule.merchant(Plan::allscale(), None);
    /// [0, 1, 2].map(|order| schedule.add(merchant, now, now, order));
    /// let Next::Fetch { ticket, .. } = schedule.next(now) else { unreachable!() };
    /// schedule.heard(ticket, now, Heard::Limited { wait: Some(Duration::from_secs(20)) });
    /// // The others were to be read at once.
    /// assert_eq!(schedule.next(now), Next::Wait(now.saturating_add(Duration::from_secs(20))));
    /// ```
    pub fn heard(&mut self, ticket: Ticket, now: Moment, heard: Heard) {
        self.hear(now);
        let now = self.moment();
        let has_room = self.has_room(ticket);
        let Some(open) = open_of(&mut self.slots, ticket) else { return };
        let Some(merchant) = self.merchants.get_mut(open.merchant()) else { return };
        let before = (open.state() == ENDED).then(|| open.poller.next(&merchant.plan, now));
        let stood = open.poller.phase();
        open.poller.heard(&merchant.plan, now, heard);
        if open.poller.phase() != stood {
            open.set(TOLD, false);
        }
        if stood.is_some() && open.poller.phase() != stood {
            // That is something new: another nudge jumps the queue again. The first phase ever seen is not, because every
            // checkout has one.
            open.set(SPENT, false);
        }
        // What was told while the read was on its way is news that the read may have been too early for.
        let is_heard = has_room || !open.has(SPENT);
        let mut is_nudged = open.has(NUDGED) && open.state() == OUT;
        if open.has(RETURNED) {
            open.poller.challenge_is_over();
            open.set(RETURNED | TOLD, false);
            is_nudged = true;
        }
        if is_nudged && is_heard {
            open.poller.nudge(&merchant.plan, now);
        } else if is_nudged {
            open.poller.nudge_in_turn(&merchant.plan, now);
        }
        match heard {
            Heard::Limited { wait } => {
                open.set(LIMITED, true);
                let longest = merchant.plan.longest_pause();
                let wait = match wait {
                    Some(wait) => Some(wait),
                    // Reads that were on their way together are limited together, and count once.
                    None if self.now < merchant.until => None,
                    None => {
                        merchant.limited = merchant.limited.saturating_add(1);
                        Some(merchant.plan.backoff.wait(merchant.limited, self.seed))
                    }
                };
                if let Some(wait) = wait {
                    let until = now.saturating_add(wait.min(longest));
                    merchant.until = merchant.until.max(until.unix_millis());
                }
            }
            Heard::Answer { .. } | Heard::PayerActs { .. } => {
                merchant.limited = 0;
                open.set(LIMITED, false);
            }
            Heard::Failed { .. } | Heard::NotThere { .. } | Heard::Refused => {}
        }
        // What has ended tells so only once.
        if before.is_none_or(|before| open.poller.next(&merchant.plan, now) != before) {
            self.arm(ticket.slot);
        }
    }

    /// A read that was given is not made, or nothing will be heard of it: it is due again after the shortest
    /// time between two reads. It still counts for the limit, for it may have been sent. If it is heard of
    /// later after all, [`heard`](Self::heard) takes it.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{Next, Plan, Schedule};
    /// # use core::time::Duration;
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// let mut schedule = Schedule::new(now, 42);
    /// let merchant = schedule.merchant(Plan::allscale(), None);
    /// let ticket = schedule.add(merchant, now, now, ());
    /// assert!(matches!(schedule.next(now), Next::Fetch { .. }));
    /// schedule.release(ticket, now);
    /// assert_eq!(schedule.next(now), Next::Wait(now.saturating_add(Duration::from_secs(1))));
    /// ```
    pub fn release(&mut self, ticket: Ticket, now: Moment) {
        self.hear(now);
        if open_of(&mut self.slots, ticket).is_some_and(|open| open.state() == OUT) {
            self.arm(ticket.slot);
        }
    }

    /// A webhook that was *verified* came: the checkout is to be read now, before the ordinary reads. While a read of it is
    /// on its way, another one follows. See [`Poller::nudge`].
    ///
    /// A nudge jumps the queue once: after its read the next one jumps only once a read has shown the checkout in another
    /// phase than the one before. Until then, where the merchant has a limit, a nudge is heard if there is room to spare, which is if no read of
    /// the merchant waits and two more may be made; otherwise the read comes at its ordinary time. A checkout whose last read
    /// met [too many requests](Heard::Limited) does not jump. So whoever can cause
    /// nudges costs each other checkout one turn, and no more. Nudge for messages that were verified all the same: a read
    /// that shows nothing new costs the merchant a part of the limit.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{Heard, Next, Plan, Schedule};
    /// # use core::time::Duration;
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// let mut schedule = Schedule::new(now, 42);
    /// let merchant = schedule.merchant(Plan::allscale(), None);
    /// let ticket = schedule.add(merchant, now, now, ());
    /// let Next::Fetch { fetch, .. } = schedule.next(now) else { unreachable!() };
    /// schedule.heard(ticket, now, Heard::Answer { fetch, phase: None, wait: None });
    /// let soon = now.saturating_add(Duration::from_secs(2));
    /// assert!(matches!(schedule.next(soon), Next::Wait(_)));
    /// schedule.nudge(ticket, soon);
    /// assert!(matches!(schedule.next(soon), Next::Fetch { .. }));
    /// ```
    pub fn nudge(&mut self, ticket: Ticket, now: Moment) {
        self.press(ticket, now, Pressed::Nudge);
    }

    /// The payer came back: the checkout is to be read now, before the ordinary reads, as after a [`nudge`](Self::nudge).
    /// See [`Poller::payer_returned`].
    ///
    /// ```
    /// # use checkout_lifecycle::{Moment, Phase};
    /// # use checkout_poll::{Heard, Next, Plan, Schedule};
    /// # use core::time::Duration;
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// let mut schedule = Schedule::new(now, 42);
    /// let merchant = schedule.merchant(Plan::azotte(), None);
    /// let ticket = schedule.add(merchant, now, now, ());
    /// let now = now.saturating_add(Plan::azotte().initial_wait);
    /// let Next::Fetch { fetch, .. } = schedule.next(now) else { unreachable!() };
    /// let phase = Some(Phase::PayerAction);
    /// schedule.heard(ticket, now, Heard::Answer { fetch, phase, wait: None });
    /// assert!(matches!(schedule.next(now), Next::AskPayer { .. }));
    /// assert!(matches!(schedule.next(now), Next::Wait(_)));
    /// let soon = now.saturating_add(Duration::from_secs(9));
    /// schedule.payer_returned(ticket, soon);
    /// assert!(matches!(schedule.next(soon), Next::Fetch { .. }));
    /// ```
    pub fn payer_returned(&mut self, ticket: Ticket, now: Moment) {
        self.press(ticket, now, Pressed::Returned);
    }

    /// Goes on with a checkout that was given up and not removed, or gives it another deadline: from now, at
    /// most for so long. See [`Poller::resume`].
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{Heard, Next, Plan, Schedule};
    /// # use core::time::Duration;
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// let mut schedule = Schedule::new(now, 42);
    /// let merchant = schedule.merchant(Plan::allscale(), None);
    /// let ticket = schedule.add(merchant, now, now, ());
    /// let late = now.saturating_add(Duration::from_secs(600));
    /// let Next::Fetch { fetch, .. } = schedule.next(late) else { unreachable!() };
    /// schedule.heard(ticket, late, Heard::Answer { fetch, phase: None, wait: None });
    /// assert!(matches!(schedule.next(late), Next::GaveUp { .. }));
    /// let late = late.saturating_add(Duration::from_secs(60));
    /// schedule.resume(ticket, late, Duration::from_secs(60));
    /// assert!(matches!(schedule.next(late), Next::Fetch { .. }));
    /// ```
    pub fn resume(&mut self, ticket: Ticket, now: Moment, for_at_most: Duration) {
        self.press(ticket, now, Pressed::Resume(for_at_most));
    }

    /// No read of a merchant before a moment, whatever its limit allows. A moment before one that was said
    /// already changes nothing.
    ///
    /// The moment is your own word and holds as you say it, however far off it is. A wait that an answer said is not for
    /// here: tell it by [`heard`](Self::heard), which bounds what one answer does to the merchant's other checkouts.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{Next, Plan, Schedule};
    /// # use core::time::Duration;
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// let mut schedule = Schedule::new(now, 42);
    /// let merchant = schedule.merchant(Plan::allscale(), None);
    /// schedule.add(merchant, now, now, ());
    /// let later = now.saturating_add(Duration::from_secs(30));
    /// schedule.slow_down(merchant, later);
    /// assert_eq!(schedule.next(now), Next::Wait(later));
    /// ```
    pub fn slow_down(&mut self, merchant: MerchantId, until: Moment) {
        if let Some(merchant) = merchant_of(&mut self.merchants, merchant) {
            merchant.until = merchant.until.max(until.unix_millis());
        }
    }

    /// True if a merchant is busy: as many of its reads are under way as whoever sends them has room for. While it
    /// is, none of its reads is given, and those of the other merchants are. A new merchant is not busy.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{Next, Plan, Schedule};
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// let mut schedule = Schedule::new(now, 42);
    /// let (one, another) = (schedule.merchant(Plan::allscale(), None), schedule.merchant(Plan::allscale(), None));
    /// schedule.add(one, now, now, 1);
    /// let ticket = schedule.add(another, now, now, 2);
    /// schedule.set_busy(one, true);
    /// assert!(matches!(schedule.next(now), Next::Fetch { ticket: given, .. } if given == ticket));
    /// assert_eq!(schedule.next(now), Next::Idle);
    /// schedule.set_busy(one, false);
    /// assert!(matches!(schedule.next(now), Next::Fetch { .. }));
    /// ```
    pub fn set_busy(&mut self, merchant: MerchantId, busy: bool) {
        let slot = merchant.slot;
        let Some(merchant) = merchant_of(&mut self.merchants, merchant) else { return };
        merchant.busy = busy;
        if merchant.is_waiting() && !merchant.in_turn && !merchant.asleep {
            merchant.in_turn = true;
            self.turn.push_back(slot);
        }
    }

    /// A request of a merchant that this schedule did not give, and that counts for the same limit: one of
    /// your own, or one that was sent before a restart. Tell them in their order.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{Next, Plan, Schedule};
    /// # use checkout_tables::peach::Route;
    /// # use core::time::Duration;
    /// let at = |seconds: i64| Moment::from_unix_millis(1_700_000_000_000 + seconds * 1_000);
    /// let mut schedule = Schedule::new(at(0), 42);
    /// let shop = schedule.merchant(Plan::peach(), Route::Status.rate_limit());
    /// schedule.used(shop, at(-20));
    /// schedule.used(shop, at(-10));
    /// schedule.add(shop, at(0), at(0), ());
    /// assert_eq!(schedule.next(at(0)), Next::Wait(at(41)));
    /// ```
    pub fn used(&mut self, merchant: MerchantId, at: Moment) {
        let merchant = merchant_of(&mut self.merchants, merchant);
        if let Some(limiter) = merchant.and_then(|merchant| merchant.limiter.as_mut()) {
            limiter.take(at.unix_millis());
        }
    }

    /// When the requests of a merchant were made that still count for its limit: what to store for
    /// [`used`](Self::used).
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{Next, Plan, Schedule};
    /// # use checkout_tables::peach::Route;
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// let mut schedule = Schedule::new(now, 42);
    /// let shop = schedule.merchant(Plan::peach(), Route::Status.rate_limit());
    /// schedule.add(shop, now, now, ());
    /// assert!(matches!(schedule.next(now), Next::Fetch { .. }));
    /// assert_eq!(schedule.recent(shop).collect::<Vec<_>>(), [now]);
    /// ```
    pub fn recent(&self, merchant: MerchantId) -> impl Iterator<Item = Moment> {
        let known = self.merchants.get(index(merchant.slot)).filter(|known| known.is_called(merchant));
        let limiter = known.and_then(|merchant| merchant.limiter.as_ref());
        limiter.into_iter().flat_map(Limiter::times).map(Moment::from_unix_millis)
    }

    /// Takes a checkout out, wherever it stands: ended, given up, out, or none of these.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{Next, Plan, Schedule};
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// let mut schedule = Schedule::new(now, 42);
    /// let merchant = schedule.merchant(Plan::allscale(), None);
    /// let ticket = schedule.add(merchant, now, now, "order 7");
    /// assert_eq!(schedule.remove(ticket).map(|(_, data)| data), Some("order 7"));
    /// assert!(schedule.remove(ticket).is_none());
    /// assert_eq!(schedule.next(now), Next::Idle);
    /// ```
    pub fn remove(&mut self, ticket: Ticket) -> Option<(Poller, T)> {
        open_of(&mut self.slots, ticket)?;
        self.disarm(ticket.slot);
        let generation = ticket.generation.wrapping_add(1);
        let slot = self.slots.get_mut(index(ticket.slot))?;
        let Slot::Open(open) = core::mem::replace(slot, Slot::Free { generation, next: self.free }) else {
            return None;
        };
        // A slot whose generations are used up is not used again: no ticket ever means another checkout.
        if generation != 0 {
            self.free = ticket.slot;
        }
        self.open -= 1;
        if let Some(merchant) = self.merchants.get_mut(open.merchant()) {
            merchant.checkouts = merchant.checkouts.saturating_sub(1);
        }
        Some((open.poller, open.data))
    }

    /// The clock may have been set back: as [`Poller::set_back`] for every checkout, and for the merchants too. What
    /// was waited for still is, for as long as was left at the latest moment that was told; and requests that were
    /// made at what is now a later moment count for the limit as made now, so that it waits too long rather than too
    /// short. Tell it before [`next`](Self::next) and what comes after it.
    ///
    /// A moment that is less than a minute before the latest one changes nothing: it counts as that one. Otherwise it
    /// looks at every checkout there is. Who was given up only by the clock that ran ahead goes on.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{Heard, Next, Plan, Schedule};
    /// # use core::time::Duration;
    /// let at = |seconds: i64| Moment::from_unix_millis(1_700_000_000_000 + seconds * 1_000);
    /// let mut schedule = Schedule::new(at(86_400), 42); // by a clock that is wrong
    /// let merchant = schedule.merchant(Plan::allscale(), None);
    /// let ticket = schedule.add(merchant, at(86_400), at(86_400), ());
    /// assert!(matches!(schedule.next(at(86_400)), Next::Fetch { .. }));
    /// schedule.heard(ticket, at(86_400), Heard::Limited { wait: Some(Duration::from_secs(20)) });
    /// schedule.set_back(at(0));
    /// assert_eq!(schedule.next(at(0)), Next::Wait(at(20)));
    /// ```
    pub fn set_back(&mut self, now: Moment) {
        let was = self.moment();
        if was.saturating_since(now) < SET_BACK {
            return;
        }
        self.now = now.unix_millis();
        // Everybody is put in again: ranks and merchants' moments are others now.
        self.origin = tick(self.now);
        self.calendar.restart(self.origin);
        self.turn.clear();
        self.asleep.clear();
        for merchant in &mut self.merchants {
            merchant.set_back(was.unix_millis(), self.now);
        }
        for id in (0..).take(self.slots.len()) {
            let Some(Slot::Open(open)) = self.slots.get_mut(index(id)) else { continue };
            let Some(merchant) = self.merchants.get(open.merchant()) else { continue };
            open.poller.set_back(now);
            let step = open.poller.next(&merchant.plan, now);
            let has_ended = matches!(step, Step::Done(_) | Step::GaveUp(_));
            match open.state() {
                OUT | RESTORED => {}
                // It has told so, or will.
                ENDED if has_ended => {}
                _ => {
                    open.stand(NOWHERE);
                    self.arm(id);
                }
            }
        }
    }

    /// What is yours of a checkout.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{Plan, Schedule};
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// let mut schedule = Schedule::new(now, 42);
    /// let merchant = schedule.merchant(Plan::allscale(), None);
    /// let ticket = schedule.add(merchant, now, now, "order 7");
    /// assert_eq!(schedule.data(ticket), Some(&"order 7"));
    /// ```
    #[must_use]
    pub fn data(&self, ticket: Ticket) -> Option<&T> {
        self.open(ticket).map(|open| &open.data)
    }

    /// What is yours of a checkout, to be changed.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{Plan, Schedule};
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// let mut schedule = Schedule::new(now, 42);
    /// let merchant = schedule.merchant(Plan::allscale(), None);
    /// let ticket = schedule.add(merchant, now, now, 7);
    /// *schedule.data_mut(ticket).unwrap() += 1;
    /// assert_eq!(schedule.data(ticket), Some(&8));
    /// ```
    #[must_use]
    pub fn data_mut(&mut self, ticket: Ticket) -> Option<&mut T> {
        open_of(&mut self.slots, ticket).map(|open| &mut open.data)
    }

    /// A checkout's poller: what to store.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{Plan, Schedule};
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// let mut schedule = Schedule::new(now, 42);
    /// let merchant = schedule.merchant(Plan::allscale(), None);
    /// let ticket = schedule.add(merchant, now, now, ());
    /// assert_eq!(schedule.poller(ticket).unwrap().began(), now);
    /// ```
    #[must_use]
    pub fn poller(&self, ticket: Ticket) -> Option<&Poller> {
        self.open(ticket).map(|open| &open.poller)
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
        self.open
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
        self.open == 0
    }

    /// All checkouts, in no order that means something: to store them, or to look for one.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{Plan, Schedule};
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// let mut schedule = Schedule::new(now, 42);
    /// let merchant = schedule.merchant(Plan::allscale(), None);
    /// let ticket = schedule.add(merchant, now, now, "order 7");
    /// let found = schedule.iter().find(|(_, _, _, data)| **data == "order 7");
    /// assert_eq!(found.map(|(ticket, ..)| ticket), Some(ticket));
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = (Ticket, MerchantId, &Poller, &T)> {
        (0..).zip(&self.slots).filter_map(|(slot, open)| match open {
            Slot::Open(open) => {
                let ticket = Ticket { slot, generation: open.generation };
                let merchant = self.merchants.get(open.merchant())?;
                let slot = open.owner >> FLAG_BITS;
                let id = MerchantId { slot, generation: merchant.generation };
                Some((ticket, id, &open.poller, &open.data))
            }
            Slot::Free { .. } => None,
        })
    }
}

impl<T> Schedule<T> {
    fn hear(&mut self, now: Moment) {
        self.now = self.now.max(now.unix_millis()).min(LATEST);
    }

    const fn moment(&self) -> Moment {
        Moment::from_unix_millis(self.now)
    }

    fn open(&self, ticket: Ticket) -> Option<&Open<T>> {
        match self.slots.get(index(ticket.slot))? {
            Slot::Open(open) => (open.generation == ticket.generation).then_some(open),
            Slot::Free { .. } => None,
        }
    }

    #[expect(clippy::panic, reason = "as documented: a checkout that were not added would never be read")]
    fn plan(&self, merchant: MerchantId) -> &Plan {
        match self.merchants.get(index(merchant.slot)).filter(|known| known.is_called(merchant)) {
            Some(merchant) => &merchant.plan,
            None => panic!("this merchant was removed, or is another schedule's"),
        }
    }

    /// Something that moves a read to now, perhaps, and what is remembered of it.
    fn press(&mut self, ticket: Ticket, now: Moment, pressed: Pressed) {
        self.hear(now);
        let now = self.moment();
        let has_room = self.has_room(ticket);
        let Some(open) = open_of(&mut self.slots, ticket) else { return };
        let Some(merchant) = self.merchants.get_mut(open.merchant()) else { return };
        let before = (open.state() == ENDED).then(|| open.poller.next(&merchant.plan, now));
        // While a read is on its way, this waits for what is heard of it.
        let is_out = open.state() == OUT;
        let is_heard = has_room || !open.has(SPENT);
        open.set(RETURNED, is_out && (open.has(RETURNED) || matches!(pressed, Pressed::Returned)));
        match pressed {
            Pressed::Resume(for_at_most) => open.poller.resume(&merchant.plan, now, for_at_most),
            Pressed::Nudge | Pressed::Returned => {
                open.set(NUDGED, true);
                if matches!(pressed, Pressed::Returned) {
                    open.set(TOLD, false);
                    open.poller.challenge_is_over();
                }
                if is_heard {
                    open.poller.nudge(&merchant.plan, now);
                } else {
                    open.poller.nudge_in_turn(&merchant.plan, now);
                }
            }
        }
        if !is_out && before.is_none_or(|before| open.poller.next(&merchant.plan, now) != before) {
            self.arm(ticket.slot);
        }
    }

    /// True if a read of this checkout that is not due takes nothing from others: there is no limit, or no read of the
    /// merchant waits and there is room for another one beside it. It is only asked where the checkout's nudges count no
    /// more; of others it says yes.
    fn has_room(&mut self, ticket: Ticket) -> bool {
        let Some(open) = self.open(ticket).filter(|open| open.has(SPENT)) else { return true };
        let number = open.merchant();
        if self.merchants.get(number).is_none_or(|merchant| merchant.limiter.is_none()) {
            return true;
        }
        self.spread();
        self.look_at_the_due();
        let now = self.now;
        self.merchants.get_mut(number).is_none_or(|merchant| merchant.has_room(now))
    }

    /// Finds places in the order for those that were restored when their reads were due. Those of one merchant come one
    /// after the other, by when they were due, within one ordinary pause of theirs: so that as many are read in a second as
    /// in their ordinary course.
    fn spread(&mut self) {
        if self.restored.is_empty() {
            return;
        }
        let restored = core::mem::take(&mut self.restored);
        let mut its: Vec<(usize, Moment, u32)> = Vec::new();
        for id in &restored {
            if let Some(Slot::Open(open)) = self.slots.get(index(*id))
                && open.state() == RESTORED
            {
                its.push((open.merchant(), open.poller.due(), *id));
            }
        }
        its.sort_unstable();
        its.dedup();
        for of_one in its.chunk_by(|one, other| one.0 == other.0) {
            self.spread_out(of_one);
        }
    }

    /// The same for those of one merchant, in their order.
    fn spread_out(&mut self, its: &[(usize, Moment, u32)]) {
        let now = self.moment();
        let Some(first) = its.first() else { return };
        let Some(merchant) = self.merchants.get_mut(first.0) else { return };
        let plan = merchant.plan;
        let many = its.len() as u64;
        // As many as in a second of their ordinary course: the mean of their paces, not of their pauses.
        let paces = its.iter().map(|(_, _, id)| match self.slots.get(index(*id)) {
            Some(Slot::Open(open)) => {
                let pause = open.poller.interval(&plan, now).min(plan.longest_pause());
                FINE / u128::from(time::millis_up(pause).max(10))
            }
            Some(Slot::Free { .. }) | None => 0,
        });
        let pace: u128 = paces.sum();
        let span = u64::try_from(FINE.saturating_mul(many.into()) / pace.max(1)).unwrap_or(u64::MAX);
        let begins = now.max(Moment::from_unix_millis(merchant.spread_until));
        let last = now.saturating_add(Duration::from_millis(span));
        // A few are no crowd: they are read at once, unless many of such few come one after the other.
        let is_crowd = many > FEW;
        let at_once = !is_crowd && begins == now;
        let whole = match is_crowd {
            true => span,
            false => span.saturating_mul(many) / u64::from(merchant.checkouts.max(SOME_OPEN)),
        };
        let ends = begins.saturating_add(Duration::from_millis(whole)).min(last);
        merchant.spread_until = ends.unix_millis();
        for (place, (_, _, id)) in (0u128..).zip(its) {
            let after = u128::from(whole) * place / u128::from(many);
            let after = Duration::from_millis(u64::try_from(after).unwrap_or(u64::MAX));
            let mut until = if at_once { now } else { begins.saturating_add(after) };
            if until >= last {
                // Those before it have taken the whole pause.
                let chance = time::mix(self.seed ^ time::mix(u64::from(*id)));
                until = now.saturating_add(time::share(Duration::from_millis(span), 1_000, chance));
            }
            if let Some(Slot::Open(open)) = self.slots.get_mut(index(*id)) {
                open.poller.put_off(now, until);
            }
            self.arm(*id);
        }
    }

    /// Puts a checkout where it belongs now.
    fn arm(&mut self, id: u32) {
        let now = self.moment();
        let Some(Slot::Open(open)) = self.slots.get(index(id)) else { return };
        let Some(merchant) = self.merchants.get(open.merchant()) else { return };
        let step = open.poller.next(&merchant.plan, now);
        let refused = open.poller.refused(&merchant.plan, now).is_some();
        let Some(Slot::Open(open)) = self.slots.get_mut(index(id)) else { return };
        if !refused && !open.poller.is_challenged() {
            open.set(TOLD, false);
        }
        if refused && !open.has(TOLD) {
            open.has_to_tell(id, &mut self.to_tell);
        }
        if let (Step::Fetch(_), READY) = (step, open.state()) {
            return self.rank_again(id);
        }
        self.disarm(id);
        let Some(Slot::Open(open)) = self.slots.get_mut(index(id)) else { return };
        match step {
            Step::Fetch(_) => self.make_ready(id),
            Step::Wait(until) => {
                open.stand(WAITING);
                self.calendar.insert(id, tick_up(until.unix_millis()));
            }
            Step::AskPayer { until } => {
                open.stand(WAITING);
                self.calendar.insert(id, tick_up(until.unix_millis()));
                if !open.has(TOLD) {
                    open.has_to_tell(id, &mut self.to_tell);
                }
            }
            Step::Done(_) | Step::GaveUp(_) => {
                open.stand(ENDED);
                open.has_to_tell(id, &mut self.to_tell);
            }
        }
    }

    /// Takes a checkout from where it is. It is nowhere then.
    fn disarm(&mut self, id: u32) {
        let Some(Slot::Open(open)) = self.slots.get_mut(index(id)) else { return };
        let state = open.state();
        if state == READY {
            let Some(merchant) = self.merchants.get_mut(open.merchant()) else { return };
            merchant.leaves();
        } else if state == WAITING {
            self.calendar.remove(id);
        }
        open.stand(NOWHERE);
    }

    fn make_ready(&mut self, id: u32) {
        let Some(Slot::Open(open)) = self.slots.get_mut(index(id)) else { return };
        let number = open.merchant();
        let Some(merchant) = self.merchants.get_mut(number) else { return };
        open.stand(READY);
        merchant.waiting = merchant.waiting.saturating_add(1);
        merchant.push(open.jumps(), open.rank(&merchant.plan, self.origin), id);
        if merchant.is_waiting() && !merchant.in_turn && !merchant.asleep {
            merchant.in_turn = true;
            self.turn.push_back(small(number));
        }
        self.tidy(number);
    }

    /// A checkout that is to be read already may have moved up.
    fn rank_again(&mut self, id: u32) {
        let Some(Slot::Open(open)) = self.slots.get(index(id)) else { return };
        let number = open.merchant();
        let Some(merchant) = self.merchants.get_mut(number) else { return };
        merchant.push(open.jumps(), open.rank(&merchant.plan, self.origin), id);
        self.tidy(number);
    }

    /// Throws out the ranks that do not hold any more, each time they have become the greater part.
    fn tidy(&mut self, number: usize) {
        let Some(merchant) = self.merchants.get_mut(number) else { return };
        if merchant.is_untidy() {
            let (slots, plan, origin) = (&self.slots, merchant.plan, self.origin);
            merchant.tidy(|jumps, rank, id| is_current(slots, &plan, origin, number, jumps, rank, id));
        }
    }

    /// Arms everybody whose time in the calendar has come.
    fn look_at_the_due(&mut self) {
        let (now, mut ids) = (tick(self.now), [0; SOME]);
        loop {
            let some = self.calendar.pop(now, &mut ids);
            let ids = ids.get(..some).unwrap_or_default();
            if ids.is_empty() {
                return;
            }
            // The slots lie far from each other. All of them are asked of the memory first, so that it brings
            // them at the same time.
            let mut states = [NOWHERE; SOME];
            for (state, id) in states.iter_mut().zip(ids) {
                if let Some(Slot::Open(open)) = self.slots.get(index(*id)) {
                    *state = open.state();
                }
            }
            for (id, state) in ids.iter().zip(states) {
                if state == WAITING {
                    self.arm(*id);
                }
            }
        }
    }

    /// What a checkout has to tell, if one has.
    fn tell(&mut self) -> Option<Next> {
        let now = self.moment();
        while let Some(id) = self.to_tell.pop_front() {
            let Some(Slot::Open(open)) = self.slots.get_mut(index(id)) else { continue };
            let Some(merchant) = self.merchants.get(open.merchant()) else { continue };
            if !open.has(TELLS) {
                continue;
            }
            open.set(TELLS, false);
            let ticket = Ticket { slot: id, generation: open.generation };
            let next = match open.poller.next(&merchant.plan, now) {
                // What it had to tell may be over by now.
                Step::AskPayer { .. } if open.has(TOLD) => continue,
                Step::AskPayer { until } => {
                    open.set(TOLD, true);
                    return Some(Next::AskPayer { ticket, until });
                }
                Step::Done(phase) => Next::Ended { ticket, phase },
                Step::GaveUp(gave_up) => Next::GaveUp { ticket, gave_up },
                Step::Fetch(_) | Step::Wait(_) => match open.poller.refused(&merchant.plan, now) {
                    Some(phase) if !open.has(TOLD) => {
                        open.set(TOLD, true);
                        return Some(Next::Refused { ticket, phase });
                    }
                    Some(_) | None => continue,
                },
            };
            self.disarm(id);
            self.stand(id, ENDED);
            return Some(next);
        }
        None
    }

    fn stand(&mut self, id: u32, state: u32) {
        if let Some(Slot::Open(open)) = self.slots.get_mut(index(id)) {
            open.stand(state);
        }
    }

    /// Gets the merchants up that may ask again.
    fn wake(&mut self) {
        while let Some(Reverse((_, number))) =
            self.asleep.peek().filter(|first| first.0.0 <= self.now).copied()
        {
            self.asleep.pop();
            let Some(merchant) = self.merchants.get_mut(index(number)) else { continue };
            merchant.asleep = false;
            if merchant.is_waiting() {
                merchant.in_turn = true;
                self.turn.push_back(number);
            }
        }
    }

    /// A read, if a merchant has one and may ask. Who has ended meanwhile has to tell it, before the others.
    fn give(&mut self) -> Option<Next> {
        while let Some(number) = self.turn.front().copied() {
            let merchant = self.merchants.get_mut(index(number))?;
            let free_at = if merchant.is_waiting() { merchant.free_at(self.now) } else { i64::MAX };
            if free_at > self.now {
                self.turn.pop_front();
                merchant.in_turn = false;
                if merchant.is_waiting() {
                    self.sleep(number, free_at);
                }
                continue;
            }
            let Some((jumps, rank, id)) = merchant.pop() else {
                merchant.waiting = 0;
                continue;
            };
            let (slots, plan) = (&mut self.slots, &merchant.plan);
            if !is_current(slots, plan, self.origin, index(number), jumps, rank, id) {
                continue;
            }
            let now = Moment::from_unix_millis(self.now);
            let Some(Slot::Open(open)) = slots.get_mut(index(id)) else { continue };
            let Step::Fetch(fetch) = open.poller.next(plan, now) else {
                self.arm(id);
                if self.to_tell.is_empty() {
                    continue;
                }
                return None;
            };
            open.poller.asking(plan, now);
            open.stand(OUT);
            open.set(NUDGED | RETURNED, false);
            if jumps {
                open.set(SPENT, true);
            }
            let ticket = Ticket { slot: id, generation: open.generation };
            merchant.is_given(jumps);
            if let Some(limiter) = &mut merchant.limiter {
                limiter.take(self.now);
            }
            // The next one's turn.
            self.turn.rotate_left(1);
            let merchant = MerchantId { slot: number, generation: merchant.generation };
            return Some(Next::Fetch { ticket, merchant, fetch });
        }
        None
    }

    /// A merchant may not ask before a moment.
    fn sleep(&mut self, number: u32, until: i64) {
        let Some(merchant) = self.merchants.get_mut(index(number)) else { return };
        merchant.asleep = true;
        self.asleep.push(Reverse((until, number)));
    }

    /// Until when there is nothing to do.
    fn rest(&mut self) -> Next {
        let due = self.calendar.earliest().map(millis);
        while let Some(Reverse((at, number))) = self.asleep.peek().copied() {
            let Some(merchant) = self.merchants.get_mut(index(number)) else { break };
            let free_at = if merchant.is_waiting() { merchant.free_at(self.now) } else { i64::MAX };
            if merchant.is_waiting() && free_at == at {
                break;
            }
            // Nobody waits for it any more, or it has to wait for longer.
            self.asleep.pop();
            merchant.asleep = false;
            if merchant.is_waiting() {
                self.sleep(number, free_at);
            }
        }
        let free = self.asleep.peek().map(|first| first.0.0).filter(|at| *at < i64::MAX);
        match [due, free].into_iter().flatten().min() {
            Some(at) => Next::Wait(Moment::from_unix_millis(at)),
            None => Next::Idle,
        }
    }
}

impl<T> fmt::Debug for Schedule<T> {
    /// How many there are of what; nothing of the checkouts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Schedule")
            .field("now", &self.moment())
            .field("merchants", &self.merchants.iter().filter(|merchant| !merchant.is_gone).count())
            .field("checkouts", &self.open)
            .finish_non_exhaustive()
    }
}

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
    /// Read this checkout, and tell what came of it: [`Schedule::heard`].
    Fetch {
        /// Which checkout.
        ticket: Ticket,
        /// Whose it is.
        merchant: MerchantId,
        /// Which read.
        fetch: Fetch,
    },
    /// The payer has something to do, such as a challenge: show it. It is said once for each challenge.
    AskPayer {
        /// Which checkout.
        ticket: Ticket,
        /// It is read then, if nobody has told that the payer [returned](Schedule::payer_returned).
        until: Moment,
    },
    /// It was refused, as the read that settles has shown, and its plan's [late reads](Plan::late_reads) go on. Told once for
    /// each refusal, and once more of a checkout that was [restored](Schedule::restore) meanwhile.
    Refused {
        /// Which checkout.
        ticket: Ticket,
        /// How it was refused.
        phase: Phase,
    },
    /// It has ended and is not read any more. It stays until it is [removed](Schedule::remove).
    Ended {
        /// Which checkout.
        ticket: Ticket,
        /// How it ended.
        phase: Phase,
    },
    /// It is not read any more, and how it ended is not known. It stays until it is
    /// [removed](Schedule::remove) or [resumed](Schedule::resume).
    GaveUp {
        /// Which checkout.
        ticket: Ticket,
        /// What is known of it, and why it is given up.
        gave_up: GaveUp,
    },
    /// Nothing until this moment, unless something is told before.
    Wait(Moment),
    /// Nothing, unless something is told: perhaps a read is on its way.
    Idle,
}

/// A checkout in a [`Schedule`]. That of one that was removed means none: it does nothing, ever.
///
/// ```
/// use checkout_lifecycle::Moment;
/// use checkout_poll::{Plan, Schedule};
///
/// let now = Moment::from_unix_millis(0);
/// let mut schedule = Schedule::new(now, 42);
/// let merchant = schedule.merchant(Plan::allscale(), None);
/// let stale = schedule.add(merchant, now, now, 1);
/// schedule.remove(stale);
/// let ticket = schedule.add(merchant, now, now, 2);
/// assert_ne!(stale, ticket);
/// assert_eq!((schedule.data(stale), schedule.data(ticket)), (None, Some(&2)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket {
    slot: u32,
    generation: u32,
}

/// A merchant in a [`Schedule`]. It means nothing in another one, and that of one that was removed means none.
///
/// ```
/// use checkout_lifecycle::Moment;
/// use checkout_poll::{Plan, Schedule};
///
/// let mut schedule = Schedule::<()>::new(Moment::from_unix_millis(0), 42);
/// assert_ne!(schedule.merchant(Plan::peach(), None), schedule.merchant(Plan::peach(), None));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MerchantId {
    slot: u32,
    generation: u32,
}

#[derive(Clone)]
enum Slot<T> {
    Open(Open<T>),
    Free { generation: u32, next: u32 },
}

#[derive(Clone)]
struct Open<T> {
    data: T,
    poller: Poller,
    generation: u32,
    /// The merchant, and in the lower bits where it stands and what is remembered.
    owner: u32,
}

impl<T> Open<T> {
    const fn merchant(&self) -> usize {
        index(self.owner >> FLAG_BITS)
    }

    const fn state(&self) -> u32 {
        self.owner & STATE
    }

    fn stand(&mut self, state: u32) {
        self.owner = (self.owner & !STATE) | state;
    }

    const fn has(&self, flag: u32) -> bool {
        self.owner & flag != 0
    }

    fn set(&mut self, flags: u32, on: bool) {
        if on { self.owner |= flags } else { self.owner &= !flags }
    }

    /// It comes into the list of those that have something to tell, once.
    fn has_to_tell(&mut self, id: u32, to_tell: &mut VecDeque<u32>) {
        if !self.has(TELLS) {
            self.set(TELLS, true);
            to_tell.push_back(id);
        }
    }

    /// True if its read goes before those that nobody asked for.
    const fn jumps(&self) -> bool {
        self.owner & (NUDGED | SPENT | LIMITED) == NUDGED
    }

    /// The deadline of its read, for comparing; of one that jumps, when it was asked for. A deadline that is far from
    /// where the schedule began counts as equally far.
    fn rank(&self, plan: &Plan, origin: u64) -> u64 {
        let due = self.poller.due();
        let tick = tick(due.unix_millis()).saturating_add(RANKS_BEFORE).saturating_sub(origin);
        let tick = if self.jumps() {
            tick
        } else {
            // A nudge that may not jump makes of a rare read, as one of late reads, an ordinary one.
            let most = if self.has(NUDGED) { plan.longest_pause().min(LONGEST) } else { LONGEST };
            let interval = self.poller.interval(plan, due).min(most);
            // Who was told to slow down comes after all those who were kept waiting by that.
            let kept = if self.has(LIMITED) { plan.longest_pause().min(LONGEST) } else { Duration::ZERO };
            let hundredths = (interval + kept).as_millis() / 10;
            tick.saturating_add(u64::try_from(hundredths).unwrap_or(u64::MAX))
        };
        tick.min(LAST_RANK)
    }
}

/// The cause that moves a read to now.
#[derive(Clone, Copy)]
enum Pressed {
    Nudge,
    Returned,
    Resume(Duration),
}

fn merchant_of(merchants: &mut [Merchant], id: MerchantId) -> Option<&mut Merchant> {
    merchants.get_mut(index(id.slot)).filter(|merchant| merchant.is_called(id))
}

fn open_of<T>(slots: &mut [Slot<T>], ticket: Ticket) -> Option<&mut Open<T>> {
    match slots.get_mut(index(ticket.slot))? {
        Slot::Open(open) => (open.generation == ticket.generation).then_some(open),
        Slot::Free { .. } => None,
    }
}

/// True if an id is to be read now, for this merchant, in this queue and by this rank.
fn is_current<T>(
    slots: &[Slot<T>],
    plan: &Plan,
    origin: u64,
    merchant: usize,
    jumps: bool,
    rank: u64,
    id: u32,
) -> bool {
    match slots.get(index(id)) {
        Some(Slot::Open(open)) => {
            open.state() == READY
                && open.merchant() == merchant
                && open.jumps() == jumps
                && open.rank(plan, origin) == rank
        }
        Some(Slot::Free { .. }) | None => false,
    }
}

/// The tick that a moment is in: hundredths of a second since 1970, and nothing before that.
fn tick(millis: i64) -> u64 {
    u64::try_from(millis).unwrap_or(0) / 10
}

/// The first tick that does not begin before a moment.
fn tick_up(millis: i64) -> u64 {
    u64::try_from(millis).unwrap_or(0).div_ceil(10)
}

/// The moment at which a tick begins.
fn millis(tick: u64) -> i64 {
    i64::try_from(tick.saturating_mul(10)).unwrap_or(i64::MAX)
}

const fn index(number: u32) -> usize {
    number as usize
}

#[expect(clippy::cast_possible_truncation, reason = "lengths are asserted to be below 2²⁸")]
const fn small(length: usize) -> u32 {
    length as u32
}

/// Later than this is never.
const LATEST: i64 = i64::MAX - 1;
const MARGIN: Duration = Duration::from_secs(1);
/// As of a poller.
const SET_BACK: Duration = Duration::from_secs(60);
const NONE: u32 = u32::MAX;
const SLOTS: usize = 1 << ID_BITS;

const FLAG_BITS: u32 = 9;
const MERCHANTS: usize = 1 << (32 - FLAG_BITS);
const STATE: u32 = 7;
const NOWHERE: u32 = 0;
/// It is in the calendar.
const WAITING: u32 = 1;
/// It is among the merchant's, to be read now.
const READY: u32 = 2;
/// A read was given.
const OUT: u32 = 3;
const ENDED: u32 = 4;
/// It was restored when its read was due, and has no place in the order yet.
const RESTORED: u32 = 5;
/// It is in the list of those that have something to tell.
const TELLS: u32 = 8;
/// The challenge, or the refusal after which late reads go on, was told.
const TOLD: u32 = 16;
/// Somebody asked for a read, and none was given since.
const NUDGED: u32 = 32;
/// The payer returned while a read was on its way.
const RETURNED: u32 = 64;
/// A read that somebody asked for went before others, and nothing new was heard since.
const SPENT: u32 = 128;
/// Its last read was answered with too many requests.
const LIMITED: u32 = 256;

/// Assumed: so many that are restored together are no crowd.
const FEW: u64 = 4;
/// Those that are restored a few at a time are paced as if their merchant had so many checkouts at least.
const SOME_OPEN: u32 = 16;
/// The unit of paces, in milliseconds.
const FINE: u128 = 1_000_000_000_000_000;
const LONGEST: Duration = Duration::from_secs(24 * 3_600);
/// Ranks are hundredths of a second: 5 years before the schedule was made, and 16 after that.
const RANKS_BEFORE: u64 = 1 << 34;
const LAST_RANK: u64 = (1 << RANK_BITS) - 1;
