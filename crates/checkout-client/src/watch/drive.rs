//! A watch over a transport.

use super::known::now;
use super::{Change, DueRead, End, Known, Outcome, Pass, Place, Watch, Watchable};
use checkout_poll::Step;
use checkout_transport::{BlockingTransport, LocalTransport, Transport};
use core::future::poll_fn;
use core::pin::pin;
use core::task::Poll;
use core::time::Duration;

impl<E: Watchable> Watch<E> {
    /// Reads, waits and reads again, until something has changed. After the last change, which is an
    /// [`End`](Change::End), the watch begins anew: reads once more, or is given up again.
    ///
    /// `sleep` waits, and the [`handle`](Watch::handle) ends the sleep early: `tokio_sleep` with the feature
    /// `tokio`, or your runtime's own. The same sleep limits the time of a read
    /// ([`PollPolicy::read_timeout`](crate::PollPolicy::read_timeout)). To drop the future loses nothing but
    /// the read that is under way.
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
    /// use checkout_kit::{Change, Phase};
    ///
    /// # let key = SigningKey::new("st_key", SecretString::from("st_secret"))?;
    /// # let sandbox = Sandbox::builder().store(Store::new(key.clone())).build();
    /// # let (clock, time) = (sandbox.clock().clone(), sandbox.clock().clone());
    /// # let client = Client::builder(key).clock(move || clock.now()).build()?;
    /// # let intent = Draft::fiat(Currency::EUR, Cents::new(100)).check()?;
    /// # let id = client.create(&intent).send_blocking(&sandbox)?.payload.intent_id;
    /// # let sleep = |wait| std::future::ready(time.advance(wait));
    /// # pollster::block_on(async {
    /// let mut watch = client.watch(&id)?;
    /// let first = watch.next_change(&sandbox, sleep).await;
    /// assert!(matches!(first, Change::Phase { phase: Phase::AwaitingPayer, before: None, .. }));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn next_change<Pause>(
        &mut self,
        transport: &impl Transport,
        sleep: impl Fn(Duration) -> Pause,
    ) -> Change<E>
    where
        Pause: Future<Output = ()>,
    {
        loop {
            match self.turn() {
                Turn::Tell(change) => return *change,
                Turn::Send(read) => {
                    let came = self.known.in_time(read.send(transport), &sleep).await;
                    self.finish(came.unwrap_or_else(|timeout| read.sent().late(timeout)));
                }
                Turn::Sleep(wait) => self.known.handle.or_message(sleep(wait)).await,
            }
        }
    }

    /// As [`next_change`](Self::next_change), over a transport whose futures stay on their thread.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// # use checkout_money::Cents;
    /// # use checkout_sandbox::allscale::{Sandbox, Store};
    /// # use checkout_tables::allscale::Currency;
    /// # use checkout_validate::allscale::Draft;
    /// # let key = SigningKey::new("st_key", SecretString::from("st_secret"))?;
    /// # let sandbox = Sandbox::builder().store(Store::new(key.clone())).build();
    /// # let (clock, time) = (sandbox.clock().clone(), sandbox.clock().clone());
    /// # let client = Client::builder(key).clock(move || clock.now()).build()?;
    /// # let intent = Draft::fiat(Currency::EUR, Cents::new(100)).check()?;
    /// # let id = client.create(&intent).send_blocking(&sandbox)?.payload.intent_id;
    /// # let sleep = |wait| std::future::ready(time.advance(wait));
    /// # pollster::block_on(async {
    /// let mut watch = client.watch(&id)?;
    /// assert!(!watch.next_change_local(&sandbox, sleep).await.is_end());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn next_change_local<Pause>(
        &mut self,
        transport: &impl LocalTransport,
        sleep: impl Fn(Duration) -> Pause,
    ) -> Change<E>
    where
        Pause: Future<Output = ()>,
    {
        loop {
            match self.turn() {
                Turn::Tell(change) => return *change,
                Turn::Send(read) => {
                    let came = self.known.in_time(read.send_local(transport), &sleep).await;
                    self.finish(came.unwrap_or_else(|timeout| read.sent().late(timeout)));
                }
                Turn::Sleep(wait) => self.known.handle.or_message(sleep(wait)).await,
            }
        }
    }

    /// As [`next_change`](Self::next_change), over a blocking transport. `sleep` is
    /// [`Handle::pause`](super::Handle::pause), which the handle ends early, or a wait of your own. Nothing
    /// interrupts a read that blocks: the transport needs a time-out of its own.
    ///
    /// ```
    /// # checkout_doctest::facade!(client);
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// # use checkout_sandbox::allscale::{Sandbox, Store};
    /// use checkout_kit::Change;
    ///
    /// # let key = SigningKey::new("st_key", SecretString::from("st_secret"))?;
    /// # let sandbox = Sandbox::builder().store(Store::new(key.clone())).build();
    /// # let clock = sandbox.clock().clone();
    /// # let client = Client::builder(key).clock(move || clock.now()).build()?;
    /// let mut watch = client.watch("65b2f3d0d2d9c0a1b2c3d4e5")?; // which there is none of
    /// let handle = watch.handle();
    /// let first = watch.next_change_blocking(&sandbox, |wait| handle.pause(wait));
    /// assert!(matches!(first, Change::NotRead { again: Some(_), .. }));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn next_change_blocking(
        &mut self,
        transport: &(impl BlockingTransport + ?Sized),
        mut sleep: impl FnMut(Duration),
    ) -> Change<E> {
        loop {
            match self.turn() {
                Turn::Tell(change) => return *change,
                Turn::Send(read) => self.finish(read.send_blocking(transport)),
                Turn::Sleep(wait) => sleep(wait),
            }
        }
    }

    /// Watches until the checkout ends, or the watch gives up. The changes in between are not reported; the
    /// changes that a person has to look at are in the [`End`].
    ///
    /// Where the policy has [late reads](checkout_poll::PollPolicy::late_payment_reads), a refusal ends with
    /// the last of these reads, which can be days later. [`next_change`](Self::next_change) reports the
    /// refusal as soon as the refusal is known ([`Change::Refused`]).
    ///
    /// To drop the future loses nothing but the read that is under way.
    ///
    /// ```
    /// # checkout_doctest::facade!(client);
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// # use checkout_money::Cents;
    /// # use checkout_sandbox::allscale::{Sandbox, Scenario, Store};
    /// # use checkout_tables::allscale::Currency;
    /// # use checkout_validate::allscale::Draft;
    /// use checkout_kit::{End, Failure, Phase};
    ///
    /// # let key = SigningKey::new("st_key", SecretString::from("st_secret"))?;
    /// # let sandbox = Sandbox::builder().store(Store::new(key.clone())).scenario(Scenario::underpaid()).build();
    /// # let (clock, time) = (sandbox.clock().clone(), sandbox.clock().clone());
    /// # let client = Client::builder(key).clock(move || clock.now()).build()?;
    /// # let intent = Draft::fiat(Currency::EUR, Cents::new(100)).check()?;
    /// # let id = client.create(&intent).send_blocking(&sandbox)?.payload.intent_id;
    /// # let sleep = |wait| std::future::ready(time.advance(wait));
    /// # pollster::block_on(async {
    /// let mut watch = client.watch(&id)?;
    /// let End::Ended { phase, .. } = watch.end(&sandbox, sleep).await else { panic!() };
    /// assert_eq!(phase, Phase::Failed(Failure::Underpaid));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn end<Pause>(
        &mut self,
        transport: &impl Transport,
        sleep: impl Fn(Duration) -> Pause,
    ) -> End<E>
    where
        Pause: Future<Output = ()>,
    {
        loop {
            if let Change::End(end) = self.next_change(transport, &sleep).await {
                return end;
            }
        }
    }

    /// As [`end`](Self::end), over a transport whose futures stay on their thread.
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
    /// # let key = SigningKey::new("st_key", SecretString::from("st_secret"))?;
    /// # let sandbox = Sandbox::builder().store(Store::new(key.clone())).build();
    /// # let (clock, time) = (sandbox.clock().clone(), sandbox.clock().clone());
    /// # let client = Client::builder(key).clock(move || clock.now()).build()?;
    /// # let intent = Draft::fiat(Currency::EUR, Cents::new(100)).check()?;
    /// # let id = client.create(&intent).send_blocking(&sandbox)?.payload.intent_id;
    /// # let sleep = |wait| std::future::ready(time.advance(wait));
    /// # pollster::block_on(async {
    /// let end = client.watch(&id)?.end_local(&sandbox, sleep).await;
    /// assert_eq!(end.tracker().phase(), Some(checkout_kit::Phase::Succeeded));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn end_local<Pause>(
        &mut self,
        transport: &impl LocalTransport,
        sleep: impl Fn(Duration) -> Pause,
    ) -> End<E>
    where
        Pause: Future<Output = ()>,
    {
        loop {
            if let Change::End(end) = self.next_change_local(transport, &sleep).await {
                return end;
            }
        }
    }

    /// As [`end`](Self::end), over a blocking transport. `sleep` is [`Handle::pause`](super::Handle::pause),
    /// which the handle ends early, or a wait of your own.
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
    /// # let key = SigningKey::new("st_key", SecretString::from("st_secret"))?;
    /// # let sandbox = Sandbox::builder().store(Store::new(key.clone())).build();
    /// # let (clock, time) = (sandbox.clock().clone(), sandbox.clock().clone());
    /// # let client = Client::builder(key).clock(move || clock.now()).build()?;
    /// # let intent = Draft::fiat(Currency::EUR, Cents::new(100)).check()?;
    /// # let id = client.create(&intent).send_blocking(&sandbox)?.payload.intent_id;
    /// let end = client.watch(&id)?.end_blocking(&sandbox, |wait| time.advance(wait));
    /// assert_eq!(end.tracker().phase(), Some(checkout_kit::Phase::Succeeded));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn end_blocking(
        &mut self,
        transport: &(impl BlockingTransport + ?Sized),
        mut sleep: impl FnMut(Duration),
    ) -> End<E> {
        loop {
            if let Change::End(end) = self.next_change_blocking(transport, &mut sleep) {
                return end;
            }
        }
    }

    /// All the changes up to the end, which is the last of them, over a blocking transport.
    ///
    /// ```
    /// # checkout_doctest::facade!(client);
    /// # #[cfg(feature = "system")] {
    /// use checkout_kit::Change;
    /// use checkout_kit::azotte::Client;
    /// use checkout_sandbox::azotte::{API_KEY, Sandbox, Scenario, X_TN};
    /// # use checkout_tables::{Environment, azotte::PaymentChannel};
    /// # use checkout_validate::azotte::Draft;
    ///
    /// let sandbox = Sandbox::builder().scenario(Scenario::three_ds_html()).build();
    /// # let (clock, time) = (sandbox.clock().clone(), sandbox.clock().clone());
    /// # let client = Client::builder("acme", X_TN, API_KEY.into()).environment(Environment::Sandbox);
    /// # let client = client.clock(move || clock.now()).build()?;
    /// # let submit = Draft::stored_method(PaymentChannel::CreditCard).offer_identifier("off_1").correlation_id("o_1");
    /// # let submit = submit.item("plan_gold").customer_urn("urn:customer:42").check()?;
    /// # let number = client.submit(&submit).send_blocking(&sandbox)?.payload.tracking_number;
    /// let mut watch = client.watch(&number)?;
    /// let mut challenges = 0;
    /// for change in watch.changes_blocking(&sandbox, |wait| time.advance(wait)) {
    ///     if let Change::AskPayer { payload } = change {
    ///         assert!(payload.challenge().is_some());
    ///         challenges += 1;
    ///     }
    /// }
    /// assert_eq!(challenges, 1);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn changes_blocking<'w, B: BlockingTransport + ?Sized>(
        &'w mut self,
        transport: &'w B,
        mut sleep: impl FnMut(Duration) + 'w,
    ) -> impl Iterator<Item = Change<E>> + 'w {
        let mut ended = false;
        core::iter::from_fn(move || {
            if ended {
                return None;
            }
            let change = self.next_change_blocking(transport, &mut sleep);
            ended = change.is_end();
            Some(change)
        })
    }

    /// The driver's next step.
    fn turn(&mut self) -> Turn<E> {
        if let Some(change) = self.take_change() {
            return Turn::Tell(Box::new(change));
        }
        let now = self.now();
        let kind = match self.next(now) {
            Step::Fetch(kind) => kind,
            Step::Wait(until) | Step::AskPayer { until } => return Turn::Sleep(until.saturating_since(now)),
            step @ (Step::Done(_) | Step::GaveUp(_)) => {
                return match self.known.next_change(Some(step)) {
                    Some(change) => Turn::Tell(Box::new(change)),
                    // The watch always has an end then.
                    None => Turn::Sleep(AUTHORIZATION_GAP),
                };
            }
        };
        let mut pass = self.gate.pass(self.known.client(), now);
        if let Pass::Asked(at) = pass {
            // The future that sent the authorization call was dropped. Even if that happens again and again,
            // the call is not sent at every turn.
            let next = at.saturating_add(AUTHORIZATION_GAP);
            if at <= now && now < next {
                return Turn::Sleep(next.saturating_since(now));
            }
            self.gate.forget();
            pass = self.gate.pass(self.known.client(), now);
        }
        if let Pass::Ask(call) = pass {
            return Turn::Send(DueRead::Authorization(call));
        }
        let (known, mut place) = self.parts(now);
        place.mark_sent(now);
        Turn::Send(known.begin(kind))
    }

    /// Takes in the outcome of a call.
    fn finish(&mut self, outcome: Outcome<E>) {
        let now = self.now();
        match outcome {
            Outcome::Status(outcome) => self.handle_status(now, outcome),
            Outcome::Full(outcome) => self.handle_read(now, outcome),
            Outcome::Authorization(outcome) => {
                if let Some(Err(came)) = self.gate.take_in(&self.known.policy, outcome) {
                    let (known, mut place) = self.parts(now);
                    known.take_in_authorization(&mut place, came, now);
                }
            }
        }
    }
}

impl<E: Watchable> Known<E> {
    /// The outcome of a read, or the time that the read has taken in vain. The sleep begins only where the
    /// answer is not there at once. A sleep that ended early begins again, by the client's clock.
    async fn in_time<T, Pause>(
        &self,
        read: impl Future<Output = T>,
        sleep: impl Fn(Duration) -> Pause,
    ) -> Result<T, Duration>
    where
        Pause: Future<Output = ()>,
    {
        let (client, timeout) = (self.client(), self.read_timeout());
        let (mut read, mut rest) = (pin!(read), pin!(None::<Pause>));
        let mut at = now::<E>(client);
        let until = at.saturating_add(timeout);
        poll_fn(|context| {
            if let Poll::Ready(came) = read.as_mut().poll(context) {
                return Poll::Ready(Ok(came));
            }
            loop {
                if rest.is_none() {
                    rest.set(Some(sleep(until.saturating_since(at))));
                }
                let is_over = rest.as_mut().as_pin_mut().is_none_or(|rest| rest.poll(context).is_ready());
                if !is_over {
                    return Poll::Pending;
                }
                rest.set(None);
                let before = core::mem::replace(&mut at, now::<E>(client));
                // A clock that stands still, or was set back, measures nothing.
                if at >= until || at <= before {
                    return Poll::Ready(Err(timeout));
                }
            }
        })
        .await
    }
}

/// The driver's next step.
enum Turn<E: Watchable> {
    Tell(Box<Change<E>>),
    Send(DueRead<E>),
    Sleep(Duration),
}

/// Assumed: no provider says how often a token may be asked for.
const AUTHORIZATION_GAP: Duration = Duration::from_secs(1);
