//! Many checkouts of one provider, watched to their ends under the limits that they share.

mod drive;
mod event;
mod inbox;
mod reads;

pub use event::{WatchEvent, WatchId};

use self::inbox::Inbox;
use self::reads::{Read, Whose};
use crate::watch::{Gate, Known, Outcome, Place};
use crate::{Handle, PollPolicy, Watch, Watchable};
use checkout_lifecycle::{Moment, Tracker};
use checkout_poll::{self as poll, MerchantId, Poller, ReadKind, ReadOutcome, Schedule, Step};
use checkout_tables::RateLimit;
use core::fmt;
use core::hash::{BuildHasher, Hash};
use core::time::Duration;
use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Watches many checkouts of one provider to their ends. The set reads each checkout as often as the
/// merchant's [`PollPolicy`] says, and all of a merchant's together never more often than the merchant's
/// limit allows. `K` is a key of yours, one for each checkout: the order's number.
///
/// - A [merchant](Self::merchant) stands for the checkouts that share a limit. [`add`](Self::add) takes in a
///   [`Watch`], as a client makes the watch or as the watch was resumed from its text.
/// - [`next_event`](Self::next_event) does all the rest: reads, up to [so many](Self::max_in_flight) at a
///   time, waits, and returns the change and the text to store. The reads under way are kept in the set and
///   not in the future. So to drop the future loses nothing at all, and the future can stand in a `select!`
///   beside the channel that brings new checkouts and webhooks. The reads go on while the future is polled.
///   [`next_event_blocking`](Self::next_event_blocking) is the same for threads, one read at a time.
/// - [`nudge`](Self::nudge) reports a webhook. The [handle](Watch::handle) of a watch does so too, from
///   anywhere.
/// - A checkout that has ended or was given up reports its [`Change::End`](crate::Change::End) and leaves,
///   with its watch.
///
/// Each checkout has the same reads, changes and ends as under a [`Watch`] of its own, where the merchant's
/// limit leaves room. Within a merchant the freshest checkout comes first and each checkout has its turn, and
/// merchants take turns: see [`Schedule`].
///
/// # What is shared, and what is not
/// No answer for one checkout ends or hides another. For a wait that a provider asks for, the other checkouts
/// of the merchant wait for the policy's [longest pause](PollPolicy::longest_pause) at most, and the
/// checkouts of other merchants not at all. The merchants with open checkouts share the places for reads
/// under way, so a merchant whose host hangs leaves places for the others. A read without an answer within
/// its policy's [`read_timeout`](PollPolicy::read_timeout) has failed, and the set tries the read again like
/// every failed read. The same holds for a token that does not come, with the reads that wait for the token.
/// The clients' clock and the sleep given to [`next_event`](Self::next_event) measure the time.
/// [`next_event_blocking`](Self::next_event_blocking) cannot interrupt its transport, so the transport needs
/// a time-out of its own.
///
/// The set uses the clock of the clients, and all clients must have the same clock. Where the clock is set
/// back by a minute or more, the waits under way are kept, as in a single watch. Where the clock runs ahead,
/// the set can give up all open checkouts.
///
/// # What is not here
/// - Limits that several processes share: give each process a part of the limit.
/// - A transport whose futures stay on one thread: the reads under way go where the set goes.
/// - Checkouts of several providers: use one set for each provider.
/// - More open checkouts than fit in memory with their requests: a bare [`Schedule`] takes a hundred bytes
///   for one.
///
/// A checkout that never has its turn never has an event: where a limit allows nothing, a merchant's
/// checkouts stay open until they are [removed](Self::remove).
///
/// ```
/// # checkout_doctest::facade!(client);
/// # #[cfg(feature = "system")] {
/// # use checkout_auth::{SecretString, allscale::SigningKey};
/// # use checkout_client::allscale::Client;
/// # use checkout_money::Cents;
/// # use checkout_sandbox::allscale::{Sandbox, Store};
/// # use checkout_tables::allscale::Currency;
/// # use checkout_validate::allscale::Draft;
/// use checkout_kit::{Change, End, Phase, WatchSet};
///
/// # let key = SigningKey::new("st_key", SecretString::from("st_secret"))?;
/// # let sandbox = Sandbox::builder().store(Store::new(key.clone())).build();
/// # let (clock, time) = (sandbox.clock().clone(), sandbox.clock().clone());
/// # let client = Client::builder(key).clock(move || clock.now()).build()?;
/// # let intent = Draft::fiat(Currency::EUR, Cents::new(100)).check()?;
/// # let create = || client.create(&intent).send_blocking(&sandbox);
/// # let mut ids = vec![create()?.payload.intent_id, create()?.payload.intent_id];
/// # let now = time.now();
/// # let sleep = |wait| std::future::ready(time.advance(wait));
/// let mut watches = WatchSet::new(now, 42);
/// let shop = watches.merchant();
/// for (order, id) in (1..).zip(&ids) {
///     watches.add(shop, client.watch(id)?, order);
/// }
/// # pollster::block_on(async {
/// let mut paid = Vec::new();
/// while let Some(event) = watches.next_event(&sandbox, sleep).await {
///     let _column = event.stored; // to be kept beside the id
///     match event.change {
///         Change::End(end) if end.wants_attention() => panic!("a person has to look first"),
///         Change::End(End::Ended { phase: Phase::Succeeded, .. }) => paid.push(event.key),
///         _ => {}
///     }
/// }
/// paid.sort_unstable();
/// assert_eq!(paid, [1, 2]);
/// # });
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # In a `select!`
/// As tokio's, which leaves the branch out while no checkout is open:
///
/// ```text
/// loop {
///     select! {
///         Some(event) = watches.next_event(&transport, tokio_sleep) => keep(event).await?,
///         told = inbox.recv() => match told {
///             Some(Told::New { id, order }) => { watches.add(shop, client.watch(&id)?, order); }
///             // Which was verified.
///             Some(Told::Webhook { order }) => { watches.find(&order).map(|watch_id| watches.nudge(watch_id)); }
///             None => break,
///         },
///     }
/// }
/// ```
pub struct WatchSet<E: Watchable, K> {
    schedule: Schedule<WatchId>,
    /// The latest moment that the schedule knows.
    seen: Moment,
    merchants: BTreeMap<MerchantId, Merchant<E>>,
    open: BTreeMap<WatchId, Open<E, K>>,
    /// The ids of the watches by the hashes of their keys.
    by_key: BTreeSet<(u64, WatchId)>,
    hasher: RandomState,
    added: u64,
    at_once: usize,
    /// The number of merchants with open checkouts; `busy` has the merchants without a place for another
    /// read.
    shops: usize,
    busy: BTreeSet<MerchantId>,
    inbox: Inbox,
    /// The checkouts with changes that the caller may not have seen yet.
    to_tell: VecDeque<WatchId>,
    reads: Vec<Read<E>>,
    /// The outcomes that came and were not taken in yet.
    came: VecDeque<(Whose, Outcome<E>)>,
    /// The reads from the schedule that wait for their authorization call.
    waiting: Vec<Given>,
    /// The reads whose authorization call was answered.
    ready: VecDeque<Given>,
}

impl<E: Watchable, K> WatchSet<E, K> {
    /// Creates an empty set. `now` is by the clients' clock. `seed` decides by how much chance shortens a
    /// merchant's backoff: any number.
    ///
    /// ```
    /// # checkout_doctest::facade!(client);
    /// use checkout_kit::peach::Payment;
    /// use checkout_kit::{Moment, WatchSet};
    ///
    /// let watches = WatchSet::<Payment, u64>::new(Moment::from_unix_millis(1_716_501_000_000), 42);
    /// assert!(watches.is_empty());
    /// ```
    #[must_use]
    pub fn new(now: Moment, seed: u64) -> Self {
        Self {
            schedule: Schedule::new(now, seed),
            seen: now,
            merchants: BTreeMap::new(),
            open: BTreeMap::new(),
            by_key: BTreeSet::new(),
            hasher: RandomState::new(),
            added: 0,
            at_once: AT_ONCE,
            shops: 0,
            busy: BTreeSet::new(),
            inbox: Inbox::new(),
            to_tell: VecDeque::new(),
            reads: Vec::new(),
            came: VecDeque::new(),
            waiting: Vec::new(),
            ready: VecDeque::new(),
        }
    }

    /// Sets the maximum number of reads under way at a time (default 16, minimum 1). At the maximum the set
    /// reports only the results of these reads. A result comes after the policy's
    /// [`read_timeout`](PollPolicy::read_timeout) at the latest, as a failure.
    ///
    /// The merchants with open checkouts have an equal share of these places, and one place each at least.
    /// Half of the places are kept for merchants that have not taken up their share. Of the other half a
    /// merchant can have more than its share.
    ///
    /// ```
    /// # use checkout_client::WatchSet;
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_wire::allscale::Intent;
    /// let watches = WatchSet::<Intent, u64>::new(Moment::from_unix_millis(1_716_501_000_000), 42).max_in_flight(4);
    /// ```
    #[must_use]
    pub fn max_in_flight(mut self, reads: usize) -> Self {
        self.at_once = reads.max(1);
        self
    }

    /// Adds a merchant: one account at the provider, with the provider's own policy, and the limit of the
    /// provider's pages.
    ///
    /// ```
    /// # use checkout_client::WatchSet;
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_wire::peach::Payment;
    /// let mut watches = WatchSet::<Payment, u64>::new(Moment::from_unix_millis(1_716_501_000_000), 42);
    /// let (one, another) = (watches.merchant(), watches.merchant()); // two reads a minute each
    /// assert_ne!(one, another);
    /// ```
    ///
    /// # Panics
    /// If there are 2²³ merchants.
    pub fn merchant(&mut self) -> MerchantId {
        self.merchant_with(E::POLL_POLICY, E::LIMIT)
    }

    /// Adds a merchant with another policy for its checkouts, or another limit: such as the part of the limit
    /// that this process has. The provider alone decides if there is a full read at the end.
    ///
    /// ```
    /// # checkout_doctest::facade!(client);
    /// # use checkout_client::WatchSet;
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_wire::peach::Payment;
    /// use checkout_kit::PollPolicy;
    /// use checkout_kit::tables::{RateLimit, RateScope};
    ///
    /// # let mut watches = WatchSet::<Payment, u64>::new(Moment::from_unix_millis(1_716_501_000_000), 42);
    /// // One of the two reads a minute, for there is another process.
    /// let half = RateLimit { requests: 1, per_seconds: 60, scope: RateScope::Merchant };
    /// let shop = watches.merchant_with(PollPolicy::peach(), Some(half));
    /// ```
    ///
    /// # Panics
    /// As [`merchant`](Self::merchant).
    pub fn merchant_with(&mut self, policy: PollPolicy, limit: Option<RateLimit>) -> MerchantId {
        let policy = policy.confirm_with_full_read(E::POLL_POLICY.confirm_with_full_read);
        let id = self.schedule.merchant(policy, limit);
        self.merchants.insert(id, Merchant { policy, limit, gate: Gate::new(), open: 0 });
        id
    }

    /// Removes a merchant that has no open checkouts, and returns the merchant's policy. Returns None and
    /// does nothing if the merchant has open checkouts or is unknown here. The merchant's id never means
    /// another merchant. The set forgets the merchant's used part of the limit: if the account comes back,
    /// give [`record_request`](Self::record_request) the moments that
    /// [`requests_in_window`](Self::requests_in_window) returned before.
    ///
    /// ```
    /// # use checkout_client::{PollPolicy, WatchSet};
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_wire::peach::Payment;
    /// let mut watches = WatchSet::<Payment, u64>::new(Moment::from_unix_millis(1_716_501_000_000), 42);
    /// let shop = watches.merchant();
    /// assert_eq!(watches.remove_merchant(shop), Some(PollPolicy::peach()));
    /// assert_eq!(watches.remove_merchant(shop), None);
    /// assert_ne!(watches.merchant(), shop);
    /// ```
    pub fn remove_merchant(&mut self, merchant: MerchantId) -> Option<PollPolicy> {
        let policy = self.schedule.remove_merchant(merchant)?;
        self.merchants.remove(&merchant);
        self.busy.remove(&merchant);
        Some(policy)
    }

    /// Adds a checkout, with a key of yours. A new checkout is read at once, or after the policy's [initial
    /// wait](checkout_poll::PollPolicy::initial_wait). A resumed checkout is read when the next read is due.
    /// Where the reads of several resumed checkouts are overdue, as after a restart, the reads come one after
    /// the other, the most overdue first, within an ordinary pause: see [`Schedule::restore`]. A checkout
    /// that had ended is read once more. A checkout that had been given up stays so, unless the watch was
    /// [resumed](Watch::resume) before.
    ///
    /// The merchant's policy replaces the watch's own from here on.
    ///
    /// # Panics
    /// If the merchant is unknown here.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// # use checkout_client::WatchSet;
    /// # let client = Client::builder(SigningKey::new("st_key", SecretString::from("st_secret"))?).build()?;
    /// # let row = client.watch("65b2")?.stored();
    /// let watch = client.watch("65b2")?;
    /// let mut watches = WatchSet::new(watch.now(), 42);
    /// let shop = watches.merchant();
    /// watches.add(shop, watch, "order_1");
    /// // As it was stored before a restart:
    /// watches.add(shop, client.watch("65b3")?.restore_from(&row)?, "order_2");
    /// assert_eq!(watches.len(), 2);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn add(&mut self, merchant: MerchantId, watch: Watch<E>, key: K) -> WatchId
    where
        K: Hash + Eq,
    {
        let now = self.look(watch.now());
        let policy = self.merchants.get(&merchant).map(|merchant| merchant.policy);
        let (known, mut poller) = watch.policy(policy.unwrap_or(E::POLL_POLICY)).into_parts();
        poller.set_back(now);
        let ended = Some(poller.next(&known.policy, now));
        let ended = ended.filter(|step| matches!(step, Step::Done(_)) && known.has_evidence());
        let over = ended.map(|_| poller);
        let watch_id = WatchId(self.added);
        let queued = match known.begun {
            true => self.schedule.restore(merchant, poller, now, watch_id),
            false => self.schedule.add_with(merchant, poller, now, watch_id),
        };
        self.added = self.added.saturating_add(1);
        self.inbox.listen(watch_id, &known.handle);
        self.to_tell.push_back(watch_id);
        if let Some(merchant) = self.merchants.get_mut(&merchant) {
            self.shops += usize::from(merchant.open == 0);
            merchant.open += 1;
        }
        if known.nudged {
            self.schedule.nudge(queued, now);
        }
        self.by_key.insert((self.hasher.hash_one(&key), watch_id));
        self.open.insert(watch_id, Open { known, key, merchant, queued, ended, over });
        watch_id
    }

    /// Reports a verified webhook of this checkout: reads now, or as soon as the limit allows, before the
    /// other checkouts of the merchant. True if the checkout is open here.
    ///
    /// A nudge settles nothing, but under a limit other checkouts have to wait for the read: so nudge only
    /// for a verified webhook. A nudged checkout goes before others once, until a read shows something new:
    /// see [`Schedule::nudge`].
    ///
    /// [`Change::Nudged`](crate::Change::Nudged) reports the end of that read. For a checkout that is not
    /// open here nothing follows: read the checkout yourself.
    pub fn nudge(&mut self, watch_id: WatchId) -> bool {
        let now = self.now();
        let Some(open) = self.open.get_mut(&watch_id) else { return false };
        let (known, mut place) = open.parts(&mut self.schedule);
        known.nudge(&mut place, now);
        true
    }

    /// Reports that the payer's browser came back from the challenge: reads now, or as soon as the limit
    /// allows. True if the checkout is open here.
    pub fn payer_returned(&mut self, watch_id: WatchId) -> bool {
        let now = self.now();
        let Some(open) = self.open.get_mut(&watch_id) else { return false };
        let (_, mut place) = open.parts(&mut self.schedule);
        place.payer_returned(now);
        true
    }

    /// Gives a checkout another deadline, from now on. True if the checkout is open here. A checkout that was
    /// given up has left: resume [its watch](WatchEvent::watch) instead.
    pub fn resume(&mut self, watch_id: WatchId, for_at_most: Duration) -> bool {
        let now = self.now();
        let Some(open) = self.open.get_mut(&watch_id) else { return false };
        // An ended checkout leaves with its next event. A checkout that was given up, and has not reported
        // that yet, goes on.
        if matches!(open.ended, Some(Step::Done(_))) {
            return false;
        }
        open.ended = None;
        open.known.begun = true;
        self.schedule.resume(open.queued, now, for_at_most);
        true
    }

    /// Removes a checkout, and drops its changes that were not reported yet and its read under way.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::{WatchSet, allscale::Client};
    /// # let client = Client::builder(SigningKey::new("st_key", SecretString::from("st_secret"))?).build()?;
    /// # let watch = client.watch("65b2")?;
    /// let stored = watch.stored();
    /// let mut watches = WatchSet::new(watch.now(), 42);
    /// let shop = watches.merchant();
    /// let watch_id = watches.add(shop, watch, "order_1");
    /// let (watch, order) = watches.remove(watch_id).unwrap();
    /// assert_eq!((watch.stored(), order), (stored, "order_1"));
    /// assert!(watches.remove(watch_id).is_none());
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn remove(&mut self, watch_id: WatchId) -> Option<(Watch<E>, K)>
    where
        K: Hash + Eq,
    {
        let open = self.open.remove(&watch_id)?;
        self.by_key.remove(&(self.hasher.hash_one(&open.key), watch_id));
        if let Some(merchant) = self.merchants.get_mut(&open.merchant) {
            merchant.open = merchant.open.saturating_sub(1);
            self.shops -= usize::from(merchant.open == 0).min(self.shops);
        }
        let queued = self.schedule.remove(open.queued).map(|(poller, _)| poller);
        let poller = open.over.or(queued)?;
        self.drop_reads_of(watch_id, open.merchant);
        Some((Watch::of(open.known, poller), open.key))
    }

    /// The knowledge of a checkout, in one line of text: see [`Watch::stored`]. Each
    /// [event](WatchEvent::stored) has the text too.
    #[must_use]
    pub fn stored(&self, watch_id: WatchId) -> Option<String> {
        let open = self.open.get(&watch_id)?;
        let poller = open.over.as_ref().or_else(|| self.schedule.poller(open.queued))?;
        Some(open.known.stored(poller))
    }

    /// The tracker of a checkout.
    #[must_use]
    pub fn tracker(&self, watch_id: WatchId) -> Option<&Tracker<E::Status>> {
        self.open.get(&watch_id).map(|open| &open.known.tracker)
    }

    /// The handle that wakes a checkout from anywhere, as [`nudge`](Self::nudge) and
    /// [`payer_returned`](Self::payer_returned) do here.
    #[must_use]
    pub fn handle(&self, watch_id: WatchId) -> Option<Handle> {
        self.open.get(&watch_id).map(|open| open.known.handle.clone())
    }

    /// The open checkout with this key, the first of them if there are more. The set looks the key up by its
    /// hash, and compares no others.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::{WatchSet, allscale::Client};
    /// # let client = Client::builder(SigningKey::new("st_key", SecretString::from("st_secret"))?).build()?;
    /// # let watch = client.watch("65b2")?;
    /// let mut watches = WatchSet::new(watch.now(), 42);
    /// let shop = watches.merchant();
    /// let watch_id = watches.add(shop, watch, "order_1");
    /// assert_eq!((watches.find(&"order_1"), watches.find(&"order_2")), (Some(watch_id), None));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn find(&self, key: &K) -> Option<WatchId>
    where
        K: Hash + Eq,
    {
        let hash = self.hasher.hash_one(key);
        let alike = self.by_key.range((hash, WatchId(0))..=(hash, WatchId(u64::MAX)));
        let is_its = |watch_id: &WatchId| self.open.get(watch_id).is_some_and(|open| open.key == *key);
        alike.map(|(_, watch_id)| *watch_id).find(is_its)
    }

    /// The open checkouts, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = (WatchId, &K)> {
        self.open.iter().map(|(watch_id, open)| (*watch_id, &open.key))
    }

    /// The number of open checkouts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// True if no checkout is open.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Records a request of a merchant that was not sent from here and counts for the same limit: a request
    /// of your own, or a request that was sent before a restart. Record the requests in their order.
    ///
    /// ```
    /// # use checkout_client::WatchSet;
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_wire::peach::Payment;
    /// let now = Moment::from_unix_millis(1_716_501_000_000);
    /// let mut watches = WatchSet::<Payment, u64>::new(now, 42);
    /// let shop = watches.merchant();
    /// watches.record_request(shop, now);
    /// assert_eq!(watches.requests_in_window(shop).collect::<Vec<_>>(), [now]);
    /// ```
    pub fn record_request(&mut self, merchant: MerchantId, at: Moment) {
        self.schedule.record_request(merchant, at);
    }

    /// The moments of a merchant's requests that still count for the limit: store the moments for
    /// [`record_request`](Self::record_request).
    pub fn requests_in_window(&self, merchant: MerchantId) -> impl Iterator<Item = Moment> {
        self.schedule.requests_in_window(merchant)
    }
}

impl<E: Watchable, K> WatchSet<E, K> {
    /// The time, by the clients' clock.
    fn now(&mut self) -> Moment {
        let clock = self.open.values().next().map_or(self.seen, |open| open.known.now());
        self.look(clock)
    }

    /// Takes the time in, and notices a clock that was set back.
    fn look(&mut self, clock: Moment) -> Moment {
        if self.seen.saturating_since(clock) >= SET_BACK {
            self.set_back(clock);
        }
        self.seen = self.seen.max(clock);
        clock
    }

    fn set_back(&mut self, now: Moment) {
        let back = self.seen.saturating_since(now);
        for given in self.waiting.iter_mut().chain(&mut self.ready) {
            given.at = Moment::from_unix_millis(given.at.unix_millis().saturating_sub(millis(back)));
        }
        for read in &mut self.reads {
            read.until = Moment::from_unix_millis(read.until.unix_millis().saturating_sub(millis(back)));
        }
        self.schedule.set_back(now);
        self.seen = now;
    }

    /// Drops the reads of a removed checkout, and its merchant's authorization call if no other read needs
    /// the call.
    fn drop_reads_of(&mut self, watch_id: WatchId, merchant: MerchantId) {
        self.waiting.retain(|given| given.watch_id != watch_id);
        self.ready.retain(|given| given.watch_id != watch_id);
        let whose = |given: &Given| self.open.get(&given.watch_id).map(|open| open.merchant);
        let is_needed = self.waiting.iter().any(|given| whose(given) == Some(merchant));
        let dropped = |whose| match whose {
            Whose::Checkout(other) => other == watch_id,
            Whose::Merchant(other) => other == merchant && !is_needed,
        };
        self.reads.retain(|read| !dropped(read.whose));
        self.came.retain(|(whose, _)| !dropped(*whose));
        if let Some(merchant) = self.merchants.get_mut(&merchant).filter(|_| !is_needed) {
            merchant.gate.forget();
        }
    }
}

impl<E: Watchable, K> fmt::Debug for WatchSet<E, K> {
    /// Counts alone; nothing of the checkouts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchSet")
            .field("merchants", &self.merchants.len())
            .field("checkouts", &self.open.len())
            .field("under_way", &self.reads.len())
            .finish_non_exhaustive()
    }
}

struct Merchant<E: Watchable> {
    policy: PollPolicy,
    limit: Option<RateLimit>,
    gate: Gate<E>,
    /// The number of open checkouts of the merchant.
    open: usize,
}

/// An open checkout. The checkout's poller is in the schedule.
struct Open<E: Watchable, K> {
    known: Known<E>,
    key: K,
    merchant: MerchantId,
    queued: poll::ScheduleKey,
    /// The last step of a checkout that has ended or was given up, and leaves with its next event.
    ended: Option<Step>,
    /// The checkout's poller, if the checkout had ended before `add`: the schedule's poller would read once
    /// more.
    over: Option<Poller>,
}

impl<E: Watchable, K> Open<E, K> {
    /// The watch without its poller, and the place of the poller in the schedule.
    fn parts<'s>(&'s mut self, schedule: &'s mut Schedule<WatchId>) -> (&'s mut Known<E>, Queued<'s>) {
        let Self { known, merchant, queued, .. } = self;
        let policy = known.policy;
        (known, Queued { schedule, merchant: *merchant, policy, key: queued })
    }
}

/// The place of a checkout's poller in the schedule.
struct Queued<'s> {
    schedule: &'s mut Schedule<WatchId>,
    merchant: MerchantId,
    policy: PollPolicy,
    key: &'s mut poll::ScheduleKey,
}

impl Place for Queued<'_> {
    fn poller(&self) -> Option<&Poller> {
        self.schedule.poller(*self.key)
    }

    fn nudge(&mut self, now: Moment) {
        self.schedule.nudge(*self.key, now);
    }

    fn payer_returned(&mut self, now: Moment) {
        self.schedule.payer_returned(*self.key, now);
    }

    fn mark_sent(&mut self, now: Moment) {
        self.schedule.mark_sent(*self.key, now);
    }

    fn handle_outcome(&mut self, now: Moment, outcome: ReadOutcome) {
        self.schedule.handle_outcome(*self.key, now, outcome);
    }

    fn read_once_more(&mut self, now: Moment) {
        if let Some((mut poller, watch_id)) = self.schedule.remove(*self.key) {
            poller.read_once_more(&self.policy, now);
            *self.key = self.schedule.add_with(self.merchant, poller, now, watch_id);
        }
    }
}

/// A read that the schedule gave.
#[derive(Clone, Copy)]
struct Given {
    watch_id: WatchId,
    kind: ReadKind,
    at: Moment,
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// Assumed: enough for a hundred checkouts, and no burden to a provider.
const AT_ONCE: usize = 16;
/// A moment that is earlier by this much or more is a clock that was set back, as for [`Poller::set_back`].
const SET_BACK: Duration = Duration::from_secs(60);
