//! The merchants of a schedule, and their turns.

use super::limit::Limiter;
use super::merchant::{Merchant, MerchantId, Turn};
use super::state::MERCHANTS;
use super::{Schedule, index, small};
use crate::PollPolicy;
use alloc::collections::{BinaryHeap, VecDeque};
use alloc::vec::Vec;
use checkout_lifecycle::Moment;
use checkout_tables::RateLimit;
use core::cmp::Reverse;

impl<T> Schedule<T> {
    /// Adds a merchant: one account at a provider, the policy of its checkouts, and the limit that its
    /// requests share, as the tables give the limit for the route of the reads.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{PollPolicy, Schedule};
    /// # use checkout_tables::peach::Route;
    /// let mut schedule = Schedule::<()>::new(Moment::from_unix_millis(0), 42);
    /// let one = schedule.merchant(PollPolicy::allscale(), None);
    /// let another = schedule.merchant(PollPolicy::peach(), Route::Status.rate_limit());
    /// assert_ne!(one, another);
    /// ```
    ///
    /// # Panics
    /// If there are 2²³ merchants.
    pub fn merchant(&mut self, policy: PollPolicy, limit: Option<RateLimit>) -> MerchantId {
        let limiter = limit.map(|limit| Limiter::new(limit, self.margin));
        self.places.merchants.add(policy, limiter)
    }

    /// Removes a merchant and returns its policy. Returns None and does nothing if the merchant has a
    /// checkout that was not [removed](Self::remove), ended or not, or if the merchant is already removed.
    ///
    /// The id of the merchant never means another merchant. The next merchant uses the memory. The used part
    /// of the limit is forgotten: if the account comes back, pass to [`record_request`](Self::record_request)
    /// the moments that [`requests_in_window`](Self::requests_in_window) returned before. The time of the
    /// call grows with the number of merchants that wait.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{PollPolicy, Schedule};
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// let mut schedule = Schedule::new(now, 42);
    /// let shop = schedule.merchant(PollPolicy::allscale(), None);
    /// let key = schedule.add(shop, now, now, "order 7");
    /// assert_eq!(schedule.remove_merchant(shop), None);
    /// schedule.remove(key);
    /// assert_eq!(schedule.remove_merchant(shop), Some(PollPolicy::allscale()));
    /// assert_ne!(schedule.merchant(PollPolicy::peach(), None), shop);
    /// ```
    pub fn remove_merchant(&mut self, merchant: MerchantId) -> Option<PollPolicy> {
        self.places.merchants.remove(merchant)
    }

    /// Allows no read of a merchant before a moment, whatever its limit allows. A moment before an earlier
    /// call's moment changes nothing.
    ///
    /// The moment holds exactly as you give it, however far off it is. For a wait that an answer asked for
    /// use [`handle_outcome`](Self::handle_outcome), which bounds the effect of one answer on the merchant's
    /// other checkouts.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{Next, PollPolicy, Schedule};
    /// # use core::time::Duration;
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// let mut schedule = Schedule::new(now, 42);
    /// let merchant = schedule.merchant(PollPolicy::allscale(), None);
    /// schedule.add(merchant, now, now, ());
    /// let later = now.saturating_add(Duration::from_secs(30));
    /// schedule.pause_until(merchant, later);
    /// assert_eq!(schedule.next(now), Next::Wait(later));
    /// ```
    pub fn pause_until(&mut self, merchant: MerchantId, until: Moment) {
        if let Some(merchant) = self.places.merchants.get_mut(merchant) {
            merchant.until = merchant.until.max(until.unix_millis());
        }
    }

    /// Marks a merchant as busy, or not: as many of its reads are under way as the sender has room for. The
    /// schedule gives no reads of a busy merchant, but continues to give those of other merchants. A new
    /// merchant is not busy.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{Next, PollPolicy, Schedule};
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// let mut schedule = Schedule::new(now, 42);
    /// let (one, another) = (schedule.merchant(PollPolicy::allscale(), None), schedule.merchant(PollPolicy::allscale(), None));
    /// schedule.add(one, now, now, 1);
    /// let key = schedule.add(another, now, now, 2);
    /// schedule.set_busy(one, true);
    /// assert!(matches!(schedule.next(now), Next::Fetch { key: given, .. } if given == key));
    /// assert_eq!(schedule.next(now), Next::Idle);
    /// schedule.set_busy(one, false);
    /// assert!(matches!(schedule.next(now), Next::Fetch { .. }));
    /// ```
    pub fn set_busy(&mut self, merchant: MerchantId, busy: bool) {
        if let Some(known) = self.places.merchants.get_mut(merchant) {
            known.busy = busy;
            self.places.merchants.take_a_turn(merchant.slot);
        }
    }

    /// Records a request of a merchant that this schedule did not give, and that counts for the same limit:
    /// your own request, or a request that was sent before a restart. Record requests in their order.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{Next, PollPolicy, Schedule};
    /// # use checkout_tables::peach::Route;
    /// # use core::time::Duration;
    /// let at = |seconds: i64| Moment::from_unix_millis(1_700_000_000_000 + seconds * 1_000);
    /// let mut schedule = Schedule::new(at(0), 42);
    /// let shop = schedule.merchant(PollPolicy::peach(), Route::Status.rate_limit());
    /// schedule.record_request(shop, at(-20));
    /// schedule.record_request(shop, at(-10));
    /// schedule.add(shop, at(0), at(0), ());
    /// assert_eq!(schedule.next(at(0)), Next::Wait(at(41)));
    /// ```
    pub fn record_request(&mut self, merchant: MerchantId, at: Moment) {
        let merchant = self.places.merchants.get_mut(merchant);
        if let Some(limiter) = merchant.and_then(|merchant| merchant.limiter.as_mut()) {
            limiter.take(at.unix_millis());
        }
    }

    /// The moments of a merchant's requests that still count for its limit: store them for
    /// [`record_request`](Self::record_request).
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{Next, PollPolicy, Schedule};
    /// # use checkout_tables::peach::Route;
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// let mut schedule = Schedule::new(now, 42);
    /// let shop = schedule.merchant(PollPolicy::peach(), Route::Status.rate_limit());
    /// schedule.add(shop, now, now, ());
    /// assert!(matches!(schedule.next(now), Next::Fetch { .. }));
    /// assert_eq!(schedule.requests_in_window(shop).collect::<Vec<_>>(), [now]);
    /// ```
    pub fn requests_in_window(&self, merchant: MerchantId) -> impl Iterator<Item = Moment> {
        let merchant = self.places.merchants.get(merchant);
        let limiter = merchant.and_then(|merchant| merchant.limiter.as_ref());
        limiter.into_iter().flat_map(Limiter::times).map(Moment::from_unix_millis)
    }
}

/// The merchants by their numbers, those that have a turn, and those that wait until they may ask.
#[derive(Clone)]
pub(super) struct Merchants {
    /// No merchant is ever taken out of this list.
    all: Vec<Merchant>,
    /// The numbers of merchants that were removed.
    gone: Vec<u32>,
    /// Merchants with something to read, in turn.
    turn: VecDeque<u32>,
    /// Merchants that may ask from a moment on, in milliseconds, earliest first.
    asleep: BinaryHeap<Reverse<(i64, u32)>>,
}

impl Merchants {
    pub(super) const fn new() -> Self {
        Self { all: Vec::new(), gone: Vec::new(), turn: VecDeque::new(), asleep: BinaryHeap::new() }
    }

    /// Adds a merchant, in the place of a removed merchant if there is one.
    fn add(&mut self, policy: PollPolicy, limiter: Option<Limiter>) -> MerchantId {
        if let Some(number) = self.gone.pop() {
            self.of_mut(number).follow(policy, limiter);
            return self.id_of(number);
        }
        assert!(self.all.len() < MERCHANTS, "too many merchants");
        let number = small(self.all.len());
        self.all.push(Merchant::new(policy, limiter));
        self.id_of(number)
    }

    /// Removes a merchant without checkouts.
    fn remove(&mut self, id: MerchantId) -> Option<PollPolicy> {
        let merchant = self.get(id).filter(|merchant| merchant.checkouts == 0)?;
        let policy = merchant.policy;
        match merchant.turn {
            Turn::None => {}
            Turn::Waits => self.turn.retain(|other| *other != id.slot),
            Turn::Asleep => self.asleep.retain(|Reverse((_, other))| *other != id.slot),
        }
        let merchant = self.of_mut(id.slot);
        merchant.go();
        // A number whose generations are used up is not used again.
        if merchant.generation != 0 {
            self.gone.push(id.slot);
        }
        Some(policy)
    }

    /// The merchant of an id, if the merchant was not removed.
    pub(super) fn get(&self, id: MerchantId) -> Option<&Merchant> {
        self.all.get(index(id.slot)).filter(|merchant| merchant.is_called(id))
    }

    pub(super) fn get_mut(&mut self, id: MerchantId) -> Option<&mut Merchant> {
        self.all.get_mut(index(id.slot)).filter(|merchant| merchant.is_called(id))
    }

    /// The merchant of a number.
    #[expect(clippy::indexing_slicing, reason = "only this file makes numbers, and takes none out")]
    pub(super) fn of(&self, number: u32) -> &Merchant {
        &self.all[index(number)]
    }

    #[expect(clippy::indexing_slicing, reason = "only this file makes numbers, and takes none out")]
    pub(super) fn of_mut(&mut self, number: u32) -> &mut Merchant {
        &mut self.all[index(number)]
    }

    pub(super) fn id_of(&self, number: u32) -> MerchantId {
        MerchantId { slot: number, generation: self.of(number).generation }
    }

    /// The number of merchants that were not removed.
    pub(super) fn len(&self) -> usize {
        self.all.iter().filter(|merchant| !merchant.is_gone).count()
    }

    /// Lines a merchant up that has something to read, unless the merchant waits for its turn already or is
    /// asleep.
    pub(super) fn take_a_turn(&mut self, number: u32) {
        let merchant = self.of_mut(number);
        if merchant.is_waiting() && merchant.turn == Turn::None {
            merchant.turn = Turn::Waits;
            self.turn.push_back(number);
        }
    }

    /// The merchant who has the turn and may ask now. Merchants before it that may not ask yet go to sleep.
    pub(super) fn first_in_turn(&mut self, now: i64) -> Option<u32> {
        while let Some(number) = self.turn.front().copied() {
            let merchant = self.of_mut(number);
            let free_at = merchant.next_read_at(now);
            if free_at == Some(now) {
                return Some(number);
            }
            merchant.turn = Turn::None;
            self.turn.pop_front();
            if let Some(free_at) = free_at {
                self.sleep(number, free_at);
            }
        }
        None
    }

    /// Ends the turn of the merchant that had it; the next merchant's turn comes.
    pub(super) fn pass_the_turn(&mut self) {
        self.turn.rotate_left(1);
    }

    /// Lines up the merchants that may ask again.
    pub(super) fn wake(&mut self, now: i64) {
        while let Some(Reverse((at, number))) = self.asleep.peek().copied()
            && at <= now
        {
            self.asleep.pop();
            self.of_mut(number).turn = Turn::None;
            self.take_a_turn(number);
        }
    }

    /// The moment when the first sleeping merchant may ask.
    pub(super) fn next_to_wake(&mut self, now: i64) -> Option<i64> {
        while let Some(Reverse((at, number))) = self.asleep.peek().copied() {
            let merchant = self.of_mut(number);
            let free_at = merchant.next_read_at(now);
            if free_at == Some(at) {
                return Some(at).filter(|at| *at < i64::MAX);
            }
            // The merchant has nothing to read any more, or has to wait for longer.
            merchant.turn = Turn::None;
            self.asleep.pop();
            if let Some(free_at) = free_at {
                self.sleep(number, free_at);
            }
        }
        None
    }

    /// Takes in that the clock was set back to here. No merchant has a turn until the checkouts are put in
    /// again.
    pub(super) fn set_back(&mut self, was: i64, now: i64) {
        self.turn.clear();
        self.asleep.clear();
        for merchant in &mut self.all {
            merchant.set_back(was, now);
        }
    }

    /// Lets a merchant sleep until it may ask.
    fn sleep(&mut self, number: u32, until: i64) {
        self.of_mut(number).turn = Turn::Asleep;
        self.asleep.push(Reverse((until, number)));
    }
}
