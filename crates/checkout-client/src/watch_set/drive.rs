//! Many watches over a transport.

use super::reads::{Read, Whose};
use super::{Given, WatchEvent, WatchSet};
use crate::watch::{Came, DueRead, Outcome, Pass, read_timeout};
use crate::{PollPolicy, Watch, Watchable};
use checkout_lifecycle::Moment;
use checkout_poll::{self as poll, MerchantId, Next, ReadKind, Step};
use checkout_transport::{BlockingTransport, Transport};
use core::future::poll_fn;
use core::hash::Hash;
use core::ops::ControlFlow;
use core::pin::pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

impl<E: Watchable, K> WatchSet<E, K>
where
    E: 'static,
    E::StatusRead: 'static,
    K: Clone + Hash + Eq,
{
    /// Reads, waits and reads again, until one of the checkouts has changed; None when no checkout is open.
    ///
    /// `sleep` waits, and any message to a [handle](crate::Watch::handle) ends the sleep early: `tokio_sleep`
    /// with the feature `tokio`, or your runtime's own. The same sleep limits the time of a read
    /// ([`PollPolicy::read_timeout`](crate::PollPolicy::read_timeout)). Each read has a clone of the
    /// transport: use a [`SharedTransport`](checkout_transport::SharedTransport), or a transport that is as
    /// cheap to clone. To drop the future loses nothing: the reads that are under way go on with the next
    /// call.
    ///
    /// ```
    /// # checkout_doctest::facade!(client);
    /// # #[cfg(feature = "system")] {
    /// # use checkout_sandbox::azotte::{API_KEY, Sandbox, Scenario, X_TN};
    /// # use checkout_tables::{Environment, azotte::PaymentChannel};
    /// # use checkout_validate::azotte::Draft;
    /// # use checkout_client::azotte::Client;
    /// use checkout_kit::{Change, WatchSet};
    ///
    /// # let sandbox = Sandbox::builder().scenario(Scenario::three_ds_at_once().browser_never_returns()).build();
    /// # let (clock, time) = (sandbox.clock().clone(), sandbox.clock().clone());
    /// # let client = Client::builder("acme", X_TN, API_KEY.into()).environment(Environment::Sandbox);
    /// # let client = client.clock(move || clock.now()).build()?;
    /// # let submit = Draft::stored_method(PaymentChannel::CreditCard).offer_identifier("off_1").correlation_id("o_1");
    /// # let submit = submit.item("plan_gold").customer_urn("urn:customer:42").check()?;
    /// # let number = client.submit(&submit).send_blocking(&sandbox)?.payload.tracking_number;
    /// # let sleep = |wait| std::future::ready(time.advance(wait));
    /// # pollster::block_on(async {
    /// let watch = client.watch(&number)?;
    /// let mut watches = WatchSet::new(watch.now(), 42);
    /// let shop = watches.merchant();
    /// watches.add(shop, watch, "order_1");
    /// while let Some(event) = watches.next_event(&sandbox, sleep).await {
    ///     if let Change::AskPayer { .. } = event.change {
    ///         // The payer passes the challenge, and comes back.
    /// #       sandbox.complete_3ds(&number)?;
    ///         watches.payer_returned(event.watch_id);
    ///     }
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn next_event<Pause>(
        &mut self,
        transport: &(impl Transport + Clone + 'static),
        sleep: impl Fn(Duration) -> Pause,
    ) -> Option<WatchEvent<E, K>>
    where
        Pause: Future<Output = ()>,
    {
        loop {
            self.give_up_late_reads().await;
            match self.turn() {
                Turn::Tell(event) => return Some(*event),
                Turn::Send(whose, asked) => {
                    let sent = asked.sent();
                    let timeout = read_timeout(&self.policy_of(whose));
                    let until = self.now().saturating_add(timeout);
                    let transport = transport.clone();
                    let future = Box::pin(async move { asked.send(&transport).await });
                    self.start(Read { whose, sent, timeout, until, future }).await;
                }
                Turn::Sleep(wait) => self.wait(Some(sleep(wait))).await,
                Turn::Wait => self.wait(None::<Pause>).await,
                Turn::Over => return None,
            }
        }
    }

    /// As [`next_event`](Self::next_event), over a blocking transport and one read at a time.
    ///
    /// `sleep` waits, or breaks off, and then this method returns None with checkouts that are still open:
    /// such as a channel's `recv_timeout`, which brings a new checkout. [`pause`](Self::pause) makes a sleep
    /// that the handles cut short.
    ///
    /// The set gives up the reads that `next_event` left under way. Nothing interrupts a read that blocks:
    /// the transport needs a time-out of its own.
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
    /// use checkout_kit::WatchSet;
    /// use std::ops::ControlFlow;
    /// use std::sync::mpsc::channel;
    ///
    /// # let key = SigningKey::new("st_key", SecretString::from("st_secret"))?;
    /// # let sandbox = Sandbox::builder().store(Store::new(key.clone())).build();
    /// # let clock = sandbox.clock().clone();
    /// # let client = Client::builder(key).clock(move || clock.now()).build()?;
    /// # let intent = Draft::fiat(Currency::EUR, Cents::new(100)).check()?;
    /// # let id = client.create(&intent).send_blocking(&sandbox)?.payload.intent_id;
    /// # let (tell, inbox) = channel();
    /// # tell.send("order_1")?;
    /// let watch = client.watch(&id)?;
    /// let mut watches = WatchSet::new(watch.now(), 42);
    /// let shop = watches.merchant();
    /// watches.add(shop, watch, "order_1");
    /// let mut webhook = None;
    /// while let Some(event) = watches.next_event_blocking(&sandbox, |wait| {
    ///     webhook = inbox.recv_timeout(wait).ok();
    ///     if webhook.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    /// }) {
    ///     println!("{}: {:?}", event.key, event.change);
    /// }
    /// if let Some(watch_id) = webhook.and_then(|order| watches.find(&order)) {
    ///     watches.nudge(watch_id);
    /// }
    /// assert_eq!(watches.len(), 1);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn next_event_blocking(
        &mut self,
        transport: &(impl BlockingTransport + ?Sized),
        mut sleep: impl FnMut(Duration) -> ControlFlow<()>,
    ) -> Option<WatchEvent<E, K>> {
        self.give_up_reads();
        loop {
            let wait = match self.turn() {
                Turn::Tell(event) => return Some(*event),
                Turn::Send(whose, asked) => {
                    self.came.push_back((whose, asked.send_blocking(transport)));
                    continue;
                }
                Turn::Sleep(wait) => wait,
                // No read is under way here to wait for.
                Turn::Wait => A_WHILE,
                Turn::Over => return None,
            };
            if sleep(wait).is_break() {
                return None;
            }
        }
    }

    /// A sleep for [`next_event_blocking`](Self::next_event_blocking), which never breaks off. Any message to
    /// a [handle](crate::Watch::handle) ends the sleep early.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::{WatchSet, allscale::Client};
    /// # use std::time::Duration;
    /// # let client = Client::builder(SigningKey::new("st_key", SecretString::from("st_secret"))?).build()?;
    /// # let watch = client.watch("65b2f3d0d2d9c0a1b2c3d4e5")?;
    /// let mut watches = WatchSet::new(watch.now(), 42);
    /// let (shop, handle) = (watches.merchant(), watch.handle());
    /// watches.add(shop, watch, "order_1");
    /// let pause = watches.pause();
    /// handle.nudge();
    /// assert!(pause(Duration::from_secs(3_600)).is_continue()); // is over at once
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn pause(&self) -> impl Fn(Duration) -> ControlFlow<()> + Send + Sync + use<E, K> {
        let bell = self.inbox.bell();
        move |at_most| {
            bell.pause(at_most);
            ControlFlow::Continue(())
        }
    }

    /// The driver's next step.
    fn turn(&mut self) -> Turn<E, K> {
        loop {
            if let Some(event) = self.tell() {
                return Turn::Tell(Box::new(event));
            }
            let now = self.now();
            if let Some((whose, outcome)) = self.came.pop_front() {
                self.take_in(whose, outcome, now);
                continue;
            }
            if self.open.is_empty() {
                return Turn::Over;
            }
            self.take_messages(now);
            if let Some(given) = self.ready.pop_front() {
                match self.begin(given, now) {
                    Some(turn) => return turn,
                    None => continue,
                }
            }
            if !self.share_out() {
                return self.rest(None, now);
            }
            match self.schedule.next(now) {
                Next::Fetch { key, kind, .. } => {
                    if let Some(turn) = self.fetch(key, kind, now) {
                        return turn;
                    }
                }
                // The answer reported this already.
                Next::AskPayer { .. } | Next::Refused { .. } => {}
                Next::Ended { key, phase } => self.over(key, Step::Done(phase), now),
                Next::GaveUp { key, gave_up } => self.over(key, Step::GaveUp(gave_up), now),
                Next::Wait(until) => return self.rest(Some(until), now),
                Next::Idle => return self.rest(None, now),
            }
        }
    }

    /// The next change that was not reported yet.
    fn tell(&mut self) -> Option<WatchEvent<E, K>> {
        while let Some(watch_id) = self.to_tell.front().copied() {
            let Some(open) = self.open.get_mut(&watch_id) else {
                self.to_tell.pop_front();
                continue;
            };
            let Some(change) = open.known.next_change(open.ended) else {
                self.to_tell.pop_front();
                continue;
            };
            let key = open.key.clone();
            if !change.is_end() {
                let stored = self.stored(watch_id).unwrap_or_default();
                return Some(WatchEvent { watch_id, key, change, stored, watch: None });
            }
            self.to_tell.pop_front();
            let watch = self.remove(watch_id).map(|(watch, _)| watch);
            let stored = watch.as_ref().map(Watch::stored).unwrap_or_default();
            return Some(WatchEvent { watch_id, key, change, stored, watch });
        }
        None
    }

    fn take_messages(&mut self, now: Moment) {
        for watch_id in self.inbox.take() {
            let Some(open) = self.open.get_mut(&watch_id) else { continue };
            let (known, mut place) = open.parts(&mut self.schedule);
            known.take_messages(&mut place, now);
            self.inbox.listen(watch_id, &known.handle);
        }
    }

    /// Rests until a moment, or until one of the reads under way has taken too long, if that comes first.
    fn rest(&self, until: Option<Moment>, now: Moment) -> Turn<E, K> {
        let late = self.reads.iter().map(|read| read.until);
        match late.chain(until).min() {
            Some(until) => Turn::Sleep(until.saturating_since(now)),
            None => Turn::Wait,
        }
    }

    /// Marks the merchants that have no place for another read in the schedule. True if there is a place at
    /// all.
    ///
    /// Each merchant with open checkouts has an equal share. Beyond its share a merchant has the places that
    /// others have not taken up, except half of all places, which are kept for the others.
    fn share_out(&mut self) -> bool {
        let mut taken = BTreeMap::<MerchantId, usize>::new();
        let reads = self.reads.iter().filter_map(|read| match read.whose {
            Whose::Checkout(watch_id) => Some(watch_id),
            Whose::Merchant(_) => None,
        });
        for watch_id in reads.chain(self.waiting.iter().map(|given| given.watch_id)) {
            if let Some(open) = self.open.get(&watch_id) {
                *taken.entry(open.merchant).or_default() += 1;
            }
        }
        let all: usize = taken.values().sum();
        if all >= self.at_once {
            return false;
        }
        let share = self.at_once.checked_div(self.shops).unwrap_or(self.at_once).max(1);
        let taken_up: usize = taken.values().map(|reads| share.min(*reads)).sum();
        let unused = share.saturating_mul(self.shops).saturating_sub(taken_up);
        let mut busy = BTreeSet::new();
        for (merchant, reads) in &taken {
            let of_others = unused.saturating_sub(share.saturating_sub(*reads));
            let kept = of_others.min(self.at_once / 2);
            if *reads >= share && all + 1 + kept > self.at_once {
                busy.insert(*merchant);
            }
        }
        for merchant in self.busy.difference(&busy) {
            self.schedule.set_busy(*merchant, false);
        }
        for merchant in busy.difference(&self.busy) {
            self.schedule.set_busy(*merchant, true);
        }
        self.busy = busy;
        true
    }

    fn policy_of(&self, whose: Whose) -> PollPolicy {
        let of_checkout = match whose {
            Whose::Checkout(watch_id) => self.open.get(&watch_id).map(|open| open.known.policy),
            Whose::Merchant(merchant) => self.merchants.get(&merchant).map(|merchant| merchant.policy),
        };
        of_checkout.unwrap_or(E::POLL_POLICY)
    }

    /// Fails the reads that have taken too long, unless the answer has come meanwhile.
    async fn give_up_late_reads(&mut self) {
        let now = self.now();
        if !self.reads.iter().any(|read| read.until <= now) {
            return;
        }
        poll_fn(|context| {
            self.poll_reads(context);
            Poll::Ready(())
        })
        .await;
        self.reads.retain(|read| {
            let is_late = read.until <= now;
            if is_late {
                self.came.push_back((read.whose, read.late()));
            }
            !is_late
        });
    }

    /// Begins a due read.
    fn fetch(&mut self, queued: poll::ScheduleKey, kind: ReadKind, now: Moment) -> Option<Turn<E, K>> {
        let watch_id = *self.schedule.data(queued)?;
        let open = self.open.get_mut(&watch_id)?;
        open.known.begun = true;
        let kind =
            self.schedule.poller(queued).map_or(kind, |poller| open.known.kind_of_read(kind, poller, now));
        self.begin(Given { watch_id, kind, at: now }, now)
    }

    /// Begins a read, or lets the read wait for the authorization call.
    fn begin(&mut self, given: Given, now: Moment) -> Option<Turn<E, K>> {
        let open = self.open.get_mut(&given.watch_id)?;
        let merchant = self.merchants.get_mut(&open.merchant)?;
        match merchant.gate.pass(open.known.client(), now) {
            Pass::Open => {}
            Pass::Asked(_) => {
                self.waiting.push(given);
                return None;
            }
            Pass::Ask(call) => {
                self.waiting.push(given);
                return Some(Turn::Send(Whose::Merchant(open.merchant), DueRead::Authorization(call)));
            }
        }
        let late = now.saturating_since(given.at);
        if let Some(limit) = merchant.limit.filter(|_| late >= MARGIN) {
            if late >= Duration::from_secs(limit.per_seconds.into()) {
                // The read counted for a window that is over.
                self.schedule.release(open.queued, now);
                return None;
            }
            self.schedule.record_request(open.merchant, now);
        }
        if !late.is_zero() {
            self.schedule.mark_sent(open.queued, now);
        }
        Some(Turn::Send(Whose::Checkout(given.watch_id), open.known.begin(given.kind)))
    }

    fn take_in(&mut self, whose: Whose, outcome: Outcome<E>, now: Moment) {
        match (whose, outcome) {
            (Whose::Merchant(id), Outcome::Authorization(outcome)) => {
                let policy = self.policy_of(whose);
                let Some(merchant) = self.merchants.get_mut(&id) else { return };
                let Some(kept) = merchant.gate.take_in(&policy, outcome) else { return };
                self.take_in_authorization(id, kept, now);
            }
            (Whose::Checkout(watch_id), outcome) => {
                let Some(open) = self.open.get_mut(&watch_id) else { return };
                let came = match outcome {
                    Outcome::Status(outcome) => open.known.handle_status(outcome, now),
                    Outcome::Full(outcome) => open.known.handle_read(outcome, now),
                    Outcome::Authorization(_) => return,
                };
                let (known, mut place) = open.parts(&mut self.schedule);
                known.take_in(&mut place, came, now);
                self.to_tell.push_back(watch_id);
            }
            (Whose::Merchant(_), Outcome::Status(_) | Outcome::Full(_)) => {}
        }
    }

    /// Begins the reads that wait for the authorization call, or fails all of them with that call.
    fn take_in_authorization(&mut self, merchant: MerchantId, kept: Result<(), Came<E>>, now: Moment) {
        let its = self.take_waiting(merchant);
        let Err(came) = kept else { return self.ready.extend(its) };
        for given in its {
            if let Some(open) = self.open.get_mut(&given.watch_id) {
                let (known, mut place) = open.parts(&mut self.schedule);
                known.take_in_authorization(&mut place, came.clone(), now);
                self.to_tell.push_back(given.watch_id);
            }
        }
    }

    /// Takes the merchant's reads that wait for the authorization call.
    fn take_waiting(&mut self, merchant: MerchantId) -> Vec<Given> {
        let is_its =
            |given: &Given| self.open.get(&given.watch_id).is_some_and(|open| open.merchant == merchant);
        let (its, others) = core::mem::take(&mut self.waiting).into_iter().partition(is_its);
        self.waiting = others;
        its
    }

    /// Takes in that a checkout has ended or is given up.
    fn over(&mut self, queued: poll::ScheduleKey, step: Step, now: Moment) {
        let Some(watch_id) = self.schedule.data(queued).copied() else { return };
        let Some(open) = self.open.get_mut(&watch_id) else { return };
        let (known, mut place) = open.parts(&mut self.schedule);
        if !known.reads_once_more(&mut place, step, now) {
            open.ended = Some(step);
            self.to_tell.push_back(watch_id);
        }
    }

    /// Sends a read at once, before the next report.
    async fn start(&mut self, mut read: Read<E>) {
        let came = poll_fn(|context| Poll::Ready(read.poll(context))).await;
        match came {
            Poll::Ready(outcome) => self.came.push_back((read.whose, outcome)),
            Poll::Pending => self.reads.push(read),
        }
    }

    /// Lets the reads under way go on, until an outcome or a message comes, or the sleep is over.
    async fn wait(&mut self, sleep: Option<impl Future<Output = ()>>) {
        let (bell, mut sleep) = (self.inbox.bell(), pin!(sleep));
        poll_fn(|context| {
            if self.poll_reads(context) || bell.poll_message(context).is_ready() {
                return Poll::Ready(());
            }
            match sleep.as_mut().as_pin_mut() {
                Some(sleep) => sleep.poll(context),
                None => Poll::Pending,
            }
        })
        .await;
    }

    /// True if an outcome came.
    fn poll_reads(&mut self, context: &mut Context<'_>) -> bool {
        self.reads.retain_mut(|read| match read.poll(context) {
            Poll::Ready(outcome) => {
                self.came.push_back((read.whose, outcome));
                false
            }
            Poll::Pending => true,
        });
        !self.came.is_empty()
    }

    /// Drops the reads under way, which are due again.
    fn give_up_reads(&mut self) {
        let now = self.now();
        for read in core::mem::take(&mut self.reads) {
            match read.whose {
                Whose::Checkout(watch_id) => {
                    if let Some(open) = self.open.get(&watch_id) {
                        self.schedule.release(open.queued, now);
                    }
                }
                Whose::Merchant(merchant) => {
                    // The reads that wait for the authorization call ask for the call anew.
                    let its = self.take_waiting(merchant);
                    self.ready.extend(its);
                    if let Some(merchant) = self.merchants.get_mut(&merchant) {
                        merchant.gate.forget();
                    }
                }
            }
        }
    }
}

/// The driver's next step.
enum Turn<E: Watchable, K> {
    Tell(Box<WatchEvent<E, K>>),
    Send(Whose, DueRead<E>),
    /// Sleeps so long, unless an outcome or a message comes.
    Sleep(Duration),
    /// Waits until an outcome or a message comes.
    Wait,
    Over,
}

/// The time that the schedule adds to a limit's window: the journey of a read may last so long, and a read
/// may be so late.
const MARGIN: Duration = Duration::from_secs(1);
const A_WHILE: Duration = Duration::from_secs(1);
