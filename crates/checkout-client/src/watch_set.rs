//! Many checkouts of one provider, watched to their ends under the limits that they share.

mod drive;
mod event;
mod inbox;
mod reads;

pub use event::{WatchEvent, WatchId};

use self::inbox::Inbox;
use self::reads::{Outcome, Read, Whose};
use crate::provider::ClientOf;
use crate::watch::Known;
use crate::{Handle, PollPolicy, Watch, Watchable};
use checkout_lifecycle::{Moment, Tracker};
use checkout_poll::{self as poll, MerchantId, Poller, ReadKind, Schedule, Step};
use checkout_tables::RateLimit;
use core::fmt;
use core::hash::{BuildHasher, Hash};
use core::time::Duration;
use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Watches many checkouts of one provider to their ends: reads each as often as its merchant's
/// [`PollPolicy`] says, and all of a merchant's together never more often than its limit allows. `K` is
/// yours, one for each checkout: the order's number.
///
/// - A [merchant](Self::merchant) is what shares a limit. [`add`](Self::add) takes a [`Watch`] in, as a
///   client makes it or as it was resumed from its text.
/// - [`next_event`](Self::next_event) is all the rest: it reads, up to [so many](Self::max_in_flight) at a
///   time, waits, and says what changed and what to store. The reads under way are in here and not in its
///   future, so to drop that loses nothing at all, and it can stand in a `select!` beside the channel that
///   brings new checkouts and webhooks. They go on while it is polled.
///   [`next_event_blocking`](Self::next_event_blocking) is the same for threads, one read at a time.
/// - [`nudge`](Self::nudge) tells of a webhook. The [handle](Watch::handle) of a watch does so too, from
///   anywhere.
/// - What has ended or was given up tells its [`Change::End`](crate::Change::End) and leaves, with its watch.
///
/// For each checkout it is what a [`Watch`] is: the same reads, changes and ends, where its merchant's limit
/// leaves room. Within a merchant the freshest comes first and everybody in turn, and merchants take turns:
/// see [`Schedule`].
///
/// # What is shared, and what is not
/// No answer for one checkout ends or hides another. Of what a provider says to wait, the other checkouts of
/// the merchant wait for the plan's [longest pause](PollPolicy::longest_pause) at most, and those of other
/// merchants not at all. The places for reads under way are shared out between the merchants with open
/// checkouts, so a merchant whose host hangs leaves places for the others. And a read that has no answer
/// within its plan's [`read_timeout`](PollPolicy::read_timeout) has failed, and is tried again as every
/// failed read is; so has a token that does not come, with the reads that wait for it. The time is measured
/// by the clients' clock and the sleep that [`next_event`](Self::next_event) is given.
/// [`next_event_blocking`](Self::next_event_blocking) cannot interrupt its transport, which needs a time-out
/// of its own.
///
/// It goes by the clock of the clients, which all have to have the same one. Where that is set back by a
/// minute or more, what was waited for is still waited for, as a watch does; where it runs ahead, all that is
/// open can be given up.
///
/// # What is not here
/// Limits that several processes share: each has to be given its part of one. A transport whose futures stay
/// on one thread: the reads under way go where this goes. Checkouts of several providers: one of these for
/// each. More open checkouts than fit in memory with their requests: a bare [`Schedule`] takes a hundred
/// bytes for one.
///
/// A checkout that never has its turn is never told of: where a limit allows nothing, a merchant's checkouts
/// stay open until they are [removed](Self::remove).
///
/// ```
/// # #[cfg(feature = "system")] {
/// # use checkout_auth::{SecretString, allscale::SigningKey};
/// # use checkout_client::allscale::Client;
/// # use checkout_money::Cents;
/// # use checkout_sandbox::allscale::{Sandbox, Store};
/// # use checkout_tables::allscale::Currency;
/// # use checkout_validate::allscale::Draft;
/// use checkout_client::{Change, End, WatchSet};
/// use checkout_lifecycle::{Moment, Phase};
///
/// # let key = SigningKey::new("st_key", SecretString::from("st_secret"))?;
/// # let sandbox = Sandbox::builder().store(Store::new(key.clone())).build();
/// # let (clock, time) = (sandbox.clock().clone(), sandbox.clock().clone());
/// # let client = Client::builder(key).clock(move || clock.now_millis()).build()?;
/// # let intent = Draft::fiat(Currency::EUR, Cents::new(100)).check()?;
/// # let create = || client.create(&intent).send_blocking(&sandbox);
/// # let mut ids = vec![create()?.payload.intent_id, create()?.payload.intent_id];
/// # let now = Moment::from_unix_millis(i64::try_from(time.now_millis())?);
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
/// As tokio's, which leaves the branch out while nothing is open:
///
/// ```text
/// loop {
///     select! {
///         Some(event) = watches.next_event(&transport, tokio_sleep) => keep(event).await?,
///         told = inbox.recv() => match told {
///             Some(Told::New { id, order }) => { watches.add(shop, client.watch(&id)?, order); }
///             // Which was verified.
///             Some(Told::Webhook { order }) => { watches.find(&order).map(|ticket| watches.nudge(ticket)); }
///             None => break,
///         },
///     }
/// }
/// ```
pub struct WatchSet<E: Watchable, K> {
    schedule: Schedule<WatchId>,
    /// The latest moment that the schedule was told.
    seen: Moment,
    merchants: BTreeMap<MerchantId, Merchant<E>>,
    open: BTreeMap<WatchId, Open<E, K>>,
    /// The tickets by what their keys' hashes are.
    by_key: BTreeSet<(u64, WatchId)>,
    hasher: RandomState,
    added: u64,
    at_once: usize,
    /// How many merchants have open checkouts, and those of them that have no place for another read.
    shops: usize,
    busy: BTreeSet<MerchantId>,
    inbox: Inbox,
    /// Whose changes were perhaps not told yet.
    to_tell: VecDeque<WatchId>,
    reads: Vec<Read<E>>,
    /// What came and was not taken in yet.
    came: VecDeque<(Whose, Outcome<E>)>,
    /// Reads that were given, and wait for what is asked for ahead of them.
    waiting: Vec<Given>,
    /// Those for which it came.
    ready: VecDeque<Given>,
}

impl<E: Watchable, K> WatchSet<E, K> {
    /// Nothing to watch yet. `now` is by the clients' clock. The seed is for what chance shortens a
    /// merchant's backoff by: any number.
    ///
    /// ```
    /// use checkout_client::WatchSet;
    /// use checkout_lifecycle::Moment;
    /// use checkout_wire::peach::Payment;
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

    /// With another number of reads than 16 that may be under way at a time; at least one. While there are so
    /// many, nothing is told but what comes of them, which is a failure after the plan's
    /// [`read_timeout`](PollPolicy::read_timeout) at the latest.
    ///
    /// The merchants with open checkouts have an equal share of these places, and one each at least. Half of
    /// the places are kept for those that have not taken up their share; a merchant can have more than its
    /// own of the others.
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

    /// A merchant: one account at the provider, with the provider's own plan, and the limit that its pages
    /// say.
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

    /// A merchant with another plan for its checkouts, or another limit: the part of it that this process
    /// has, say. Whether there is a whole read at the end stays the provider's.
    ///
    /// ```
    /// # use checkout_client::WatchSet;
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_wire::peach::Payment;
    /// use checkout_client::PollPolicy;
    /// use checkout_tables::{RateLimit, RateScope};
    ///
    /// # let mut watches = WatchSet::<Payment, u64>::new(Moment::from_unix_millis(1_716_501_000_000), 42);
    /// // One of the two reads a minute, for there is another process.
    /// let half = RateLimit { requests: 1, per_seconds: 60, scope: RateScope::Merchant };
    /// let shop = watches.merchant_with(PollPolicy::peach(), Some(half));
    /// ```
    ///
    /// # Panics
    /// As [`merchant`](Self::merchant).
    pub fn merchant_with(&mut self, plan: PollPolicy, limit: Option<RateLimit>) -> MerchantId {
        let plan = plan.confirm_with_full_read(E::POLL_POLICY.confirm_with_full_read);
        let id = self.schedule.merchant(plan, limit);
        self.merchants.insert(id, Merchant { plan, limit, asking: None, open: 0 });
        id
    }

    /// Takes a merchant out that has no open checkouts, and gives its plan back; None, and nothing is done,
    /// if it has some or is unknown here. Its id never means another one. What it has used of its limit is
    /// forgotten: if the account comes back, tell [`record_request`](Self::record_request) what
    /// [`requests_in_window`](Self::requests_in_window) has said before.
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
        let plan = self.schedule.remove_merchant(merchant)?;
        self.merchants.remove(&merchant);
        self.busy.remove(&merchant);
        Some(plan)
    }

    /// Takes a checkout in, with a key of yours: to be read at once if it is a new one, or after the plan's
    /// [initial wait](checkout_poll::PollPolicy::initial_wait), and when it is due if it was resumed. Where
    /// the reads of several that were resumed are overdue, as after a restart, they come one after the other,
    /// the most overdue first, within an ordinary pause: see [`Schedule::restore`]. One that had ended is
    /// read once more, and one that had been given up is so still, unless the watch was
    /// [resumed](Watch::resume) before.
    ///
    /// The merchant's plan is its plan from here on.
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
        let plan = self.merchants.get(&merchant).map(|merchant| merchant.plan);
        let (known, mut poller) = watch.plan(plan.unwrap_or(E::POLL_POLICY)).into_parts();
        poller.set_back(now);
        let ended = Some(poller.next(&known.plan, now));
        let ended = ended.filter(|step| matches!(step, Step::Done(_)) && known.has_evidence());
        let over = ended.map(|_| poller);
        let ticket = WatchId(self.added);
        let queued = match known.begun {
            true => self.schedule.restore(merchant, poller, now, ticket),
            false => self.schedule.add_with(merchant, poller, now, ticket),
        };
        self.added = self.added.saturating_add(1);
        self.inbox.listen(ticket, &known.handle);
        self.to_tell.push_back(ticket);
        if let Some(merchant) = self.merchants.get_mut(&merchant) {
            self.shops += usize::from(merchant.open == 0);
            merchant.open += 1;
        }
        if known.nudged {
            self.schedule.nudge(queued, now);
        }
        self.by_key.insert((self.hasher.hash_one(&key), ticket));
        self.open.insert(ticket, Open { known, key, merchant, queued, ended, over });
        ticket
    }

    /// A webhook of this checkout came and was verified: reads it now, or as soon as it is allowed, before
    /// the others of its merchant. A nudge settles nothing, but under a limit the read that it asks for is
    /// one that others have to wait for: so nudge for nothing that was not verified. It goes before others
    /// once, until a read shows something new: see [`Schedule::nudge`]. True if the checkout is open here.
    ///
    /// [`Change::Nudged`](crate::Change::Nudged) tells when that read is done. Of a checkout that is not open
    /// here nothing follows: read it yourself.
    pub fn nudge(&mut self, ticket: WatchId) -> bool {
        let now = self.now();
        let Some(open) = self.open.get_mut(&ticket) else { return false };
        open.known.nudged = true;
        self.schedule.nudge(open.queued, now);
        true
    }

    /// The payer's browser came back from the challenge: reads now, or as soon as it is allowed. Whether the
    /// checkout is open here.
    pub fn payer_returned(&mut self, ticket: WatchId) -> bool {
        let now = self.now();
        let Some(open) = self.open.get(&ticket) else { return false };
        self.schedule.payer_returned(open.queued, now);
        true
    }

    /// Gives a checkout another deadline, from now on. Whether it is open here; one that was given up has
    /// left, and is resumed by [its watch](WatchEvent::watch).
    pub fn resume(&mut self, ticket: WatchId, for_at_most: Duration) -> bool {
        let now = self.now();
        let Some(open) = self.open.get_mut(&ticket) else { return false };
        // What has ended leaves as soon as that is told; what was given up, and has not told it yet, goes on.
        if matches!(open.ended, Some(Step::Done(_))) {
            return false;
        }
        open.ended = None;
        open.known.begun = true;
        self.schedule.resume(open.queued, now, for_at_most);
        true
    }

    /// Takes a checkout out, with what was not told of it yet. A read of it that is under way is dropped.
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
    /// let ticket = watches.add(shop, watch, "order_1");
    /// let (watch, order) = watches.remove(ticket).unwrap();
    /// assert_eq!((watch.stored(), order), (stored, "order_1"));
    /// assert!(watches.remove(ticket).is_none());
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn remove(&mut self, ticket: WatchId) -> Option<(Watch<E>, K)>
    where
        K: Hash + Eq,
    {
        let open = self.open.remove(&ticket)?;
        self.by_key.remove(&(self.hasher.hash_one(&open.key), ticket));
        if let Some(merchant) = self.merchants.get_mut(&open.merchant) {
            merchant.open = merchant.open.saturating_sub(1);
            self.shops -= usize::from(merchant.open == 0).min(self.shops);
        }
        let queued = self.schedule.remove(open.queued).map(|(poller, _)| poller);
        let poller = open.over.or(queued)?;
        self.drop_reads_of(ticket, open.merchant);
        Some((Watch::of(open.known, poller), open.key))
    }

    /// What is known of a checkout, in one line of text: see [`Watch::stored`]. Each [event](WatchEvent::stored)
    /// has it too.
    #[must_use]
    pub fn stored(&self, ticket: WatchId) -> Option<String> {
        let open = self.open.get(&ticket)?;
        let poller = open.over.as_ref().or_else(|| self.schedule.poller(open.queued))?;
        Some(open.known.stored(poller))
    }

    /// What is known of a checkout.
    #[must_use]
    pub fn tracker(&self, ticket: WatchId) -> Option<&Tracker<E::Status>> {
        self.open.get(&ticket).map(|open| &open.known.tracker)
    }

    /// What wakes a checkout from anywhere, as [`nudge`](Self::nudge) and
    /// [`payer_returned`](Self::payer_returned) do here.
    #[must_use]
    pub fn handle(&self, ticket: WatchId) -> Option<Handle> {
        self.open.get(&ticket).map(|open| open.known.handle.clone())
    }

    /// The open checkout with this key, the first of them if there are more. It looks the key up by its hash,
    /// and compares no others.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::{WatchSet, allscale::Client};
    /// # let client = Client::builder(SigningKey::new("st_key", SecretString::from("st_secret"))?).build()?;
    /// # let watch = client.watch("65b2")?;
    /// let mut watches = WatchSet::new(watch.now(), 42);
    /// let shop = watches.merchant();
    /// let ticket = watches.add(shop, watch, "order_1");
    /// assert_eq!((watches.find(&"order_1"), watches.find(&"order_2")), (Some(ticket), None));
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
        let is_its = |ticket: &WatchId| self.open.get(ticket).is_some_and(|open| open.key == *key);
        alike.map(|(_, ticket)| *ticket).find(is_its)
    }

    /// The open checkouts, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = (WatchId, &K)> {
        self.open.iter().map(|(ticket, open)| (*ticket, &open.key))
    }

    /// How many checkouts are open.
    #[must_use]
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether no checkout is open.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// A request of a merchant that was not sent from here and counts for the same limit: one of your own, or
    /// one that was sent before a restart. Tell them in their order.
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

    /// When the requests of a merchant were made that still count for its limit: what to store for
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

    /// Takes the time in, and whether it was set back.
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

    /// Nobody waits for what is asked of a checkout that leaves, nor for what was asked for ahead of its
    /// reads alone.
    fn drop_reads_of(&mut self, ticket: WatchId, merchant: MerchantId) {
        self.waiting.retain(|given| given.ticket != ticket);
        self.ready.retain(|given| given.ticket != ticket);
        let whose = |given: &Given| self.open.get(&given.ticket).map(|open| open.merchant);
        let is_needed = self.waiting.iter().any(|given| whose(given) == Some(merchant));
        let dropped = |whose| match whose {
            Whose::Checkout(other) => other == ticket,
            Whose::Merchant(other) => other == merchant && !is_needed,
        };
        self.reads.retain(|read| !dropped(read.whose));
        self.came.retain(|(whose, _)| !dropped(*whose));
        if let Some(merchant) = self.merchants.get_mut(&merchant).filter(|_| !is_needed) {
            merchant.asking = None;
        }
    }
}

impl<E: Watchable, K> fmt::Debug for WatchSet<E, K> {
    /// How many there are of what; nothing of the checkouts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchSet")
            .field("merchants", &self.merchants.len())
            .field("checkouts", &self.open.len())
            .field("under_way", &self.reads.len())
            .finish_non_exhaustive()
    }
}

struct Merchant<E: Watchable> {
    plan: PollPolicy,
    limit: Option<RateLimit>,
    /// The client that something was asked for ahead by, while that is under way.
    asking: Option<ClientOf<E>>,
    /// How many open checkouts it has.
    open: usize,
}

/// An open checkout. Its poller is in the queue.
struct Open<E: Watchable, K> {
    known: Known<E>,
    key: K,
    merchant: MerchantId,
    queued: poll::ScheduleKey,
    /// That it has ended or was given up, and it leaves as soon as that is told.
    ended: Option<Step>,
    /// Its poller, where it had ended before it was added: that of the queue would read once more.
    over: Option<Poller>,
}

/// A read that the schedule gave.
#[derive(Clone, Copy)]
struct Given {
    ticket: WatchId,
    fetch: ReadKind,
    at: Moment,
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// Assumed: enough for a hundred checkouts, and no crowd to a provider.
const AT_ONCE: usize = 16;
/// From here on a moment that is too early is a clock that was set back, as for [`Poller::set_back`].
const SET_BACK: Duration = Duration::from_secs(60);
