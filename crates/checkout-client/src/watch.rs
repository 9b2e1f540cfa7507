//! One checkout, watched to its end.

mod change;
mod drive;
mod handle;
mod known;
mod stored;

pub use change::{Change, End, Nudged};
pub use handle::Handle;
pub use stored::ParseWatchError;

pub(crate) use known::{AheadOf, Came, Known, keep_ahead, read_timeout};

use crate::ahead::Ahead;
use crate::error::CallErrorOf;
use crate::{Answer, Call, Observable};
use checkout_lifecycle::{Moment, Phase, Tracker};
use checkout_poll::{PollPolicy, Poller, Step};
use checkout_tables::allscale::IntentStatus;
use checkout_tables::peach::Route;
use checkout_tables::{Open, RateLimit};
use checkout_trust::settlement;
use checkout_wire::allscale::Intent;
use checkout_wire::azotte::CheckoutResult;
use checkout_wire::peach::Payment;
use core::fmt;
use core::time::Duration;

/// An answer that can show how a checkout ended: what a [`Watch`] ends with.
///
/// ```
/// use checkout_client::{Watchable, Watch};
/// use checkout_transport::BlockingTransport;
///
/// /// Watches a checkout of any provider, on this thread.
/// fn phase<E: Watchable>(mut watch: Watch<E>, transport: &dyn BlockingTransport) -> Option<String> {
///     let handle = watch.handle();
///     let end = watch.end_blocking(transport, |wait| handle.pause(wait));
///     end.tracker().phase().map(|phase| phase.to_string())
/// }
/// ```
pub trait Watchable:
    Observable<Provider: Ahead> + settlement::Settles + Clone + fmt::Debug + Send + Sync
{
    /// What is read on the way there: a bare status, where the provider has one.
    type StatusRead: Observable<Provider = Self::Provider, Status = Self::Status, Raw = Self::Raw>
        + Clone
        + fmt::Debug
        + Send
        + Sync;

    /// How often to ask, and for how long, where nothing else is said.
    const POLL_POLICY: PollPolicy;

    /// How often a merchant may ask, for all of its checkouts together, where the provider says.
    const LIMIT: Option<RateLimit>;

    /// The status read as the full read, where the provider has one read for both.
    fn of_status_read(glance: Answer<Self::StatusRead>) -> Option<Answer<Self>>;
}

// For every lifetime, though what is read is `'static`: a future that is `Send` for every lifetime it could
// have asks for it.
impl Watchable for Intent<'_> {
    type StatusRead = Open<IntentStatus>;
    const POLL_POLICY: PollPolicy = PollPolicy::allscale();
    const LIMIT: Option<RateLimit> = None;

    /// None: a bare status has neither an id nor an amount.
    fn of_status_read(_: Answer<Open<IntentStatus>>) -> Option<Answer<Self>> {
        None
    }
}

impl Watchable for CheckoutResult<'_> {
    type StatusRead = Self;
    const POLL_POLICY: PollPolicy = PollPolicy::azotte();
    const LIMIT: Option<RateLimit> = None;

    fn of_status_read(glance: Answer<Self>) -> Option<Answer<Self>> {
        Some(glance)
    }
}

impl Watchable for Payment<'_> {
    type StatusRead = Self;
    const POLL_POLICY: PollPolicy = PollPolicy::peach();
    const LIMIT: Option<RateLimit> = Route::Status.rate_limit();

    fn of_status_read(glance: Answer<Self>) -> Option<Answer<Self>> {
        Some(glance)
    }
}

/// Watches one checkout to its end: asks how it stands by the provider's [`PollPolicy`], takes in what the
/// answers mean, and tells what changed. A client makes it:
/// [`allscale::Client::watch`](crate::allscale::Client::watch) and its like.
///
/// - [`end`](Self::end) is all of it in one call; [`next_change`](Self::next_change) is for whoever shows
///   what goes on. Each is there for any [`Transport`](checkout_transport::Transport), for one of one thread,
///   and for threads that block, and a sleep that you give is what they wait by.
/// - To drop a future of theirs loses nothing but the read that was under way: the next call goes on, and no
///   sooner than the plan allows. So they can stand in a `select!`.
/// - [`handle`](Self::handle) wakes it: a webhook came, the payer is back.
/// - [`stored`](Self::stored) is all it knows in one line of text, for a column of the order; and
///   [`restore_from`](Self::restore_from) goes on from there, after a restart or in another process.
/// - [`next`](Self::next) and what stands beside it are the same without any input or output, for loops of
///   your own.
///
/// What it ends with is a read, the whole of it: of AllScale the intent, which is read when its bare status
/// has ended. It is the evidence that it ended so, and nobody has compared what was paid with the order yet.
/// A read that says otherwise is none: the watch is [`held`](Self::held), reads again, and gives up after its
/// deadline if no read shows the end.
///
/// A read that has no answer within the plan's [`read_timeout`](PollPolicy::read_timeout) has failed, and is
/// tried again as every failed read is: the sleep that you give measures that. A blocking transport cannot be
/// interrupted, so it needs a time-out of its own.
///
/// Nobody gives up on old news: what is open at its deadline is read once more, and that again if the read
/// fails ([`PollPolicy::final_attempts`]). So it gives up later than at its deadline, by the journey of that
/// read or by its repeats.
///
/// Many checkouts, under the limits that they share, are for [`WatchSet`](crate::WatchSet).
///
/// A clock that is set back by a minute or more costs a pause, and not the time that it ran ahead. One that
/// runs ahead can cost the deadline: the watch gives up, and goes on where the clock is right again or it is
/// resumed.
///
/// ```
/// # #[cfg(feature = "system")] {
/// # use checkout_auth::{SecretString, allscale::SigningKey};
/// # use checkout_client::allscale::Client;
/// # use checkout_money::Cents;
/// # use checkout_sandbox::allscale::{Sandbox, Store};
/// # use checkout_tables::allscale::Currency;
/// # use checkout_validate::allscale::Draft;
/// use checkout_client::{Change, End};
/// use checkout_lifecycle::Phase;
///
/// # let key = SigningKey::new("st_key", SecretString::from("st_secret"))?;
/// # let sandbox = Sandbox::builder().store(Store::new(key.clone())).build();
/// # let (clock, time) = (sandbox.clock().clone(), sandbox.clock().clone());
/// # let client = Client::builder(key).clock(move || clock.now_millis()).build()?;
/// # let intent = Draft::fiat(Currency::EUR, Cents::new(100)).check()?;
/// # let id = client.create(&intent).send_blocking(&sandbox)?.payload.intent_id;
/// # let sleep = |wait| std::future::ready(time.advance(wait));
/// let mut watch = client.watch(&id)?;
/// # pollster::block_on(async {
/// let mut phases = Vec::new();
/// let end = loop {
///     match watch.next_change(&sandbox, sleep).await {
///         Change::Phase { phase, .. } => phases.push(phase),
///         Change::End(end) => break end,
///         _ => {}
///     }
/// };
/// assert_eq!(phases, [Phase::AwaitingPayer, Phase::Processing, Phase::Succeeded]);
/// let End::Ended { answer, held: false, .. } = end else { panic!() };
/// assert_eq!(answer.payload.intent_id, id);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # As a stream
/// A stream of changes is `next_change` by any crate's `unfold`, as that of `futures_util`:
///
/// ```text
/// let transport = &transport;
/// let changes = stream::unfold(Some(watch), move |watch| async move {
///     let mut watch: Watch<_> = watch?;
///     let change = watch.next_change(transport, tokio_sleep).await;
///     let rest = (!change.is_end()).then_some(watch);
///     Some((change, rest))
/// });
/// ```
///
/// Without `async` it is [`changes_blocking`](Self::changes_blocking).
pub struct Watch<E: Watchable> {
    known: Known<E>,
    poller: Poller,
    /// When something was last asked for ahead.
    ahead: Option<Moment>,
}

impl<E: Watchable> Watch<E> {
    /// With another plan than the provider's. Whether there is a whole read at the end stays the provider's:
    /// without it there would be no evidence.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// use checkout_client::PollPolicy;
    /// use std::time::Duration;
    ///
    /// # let client = Client::builder(SigningKey::new("st_key", SecretString::from("st_secret"))?).build()?;
    /// let patient = PollPolicy::allscale().deadline(Duration::from_secs(3_600));
    /// let watch = client.watch("65b2f3d0d2d9c0a1b2c3d4e5")?.plan(patient);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn plan(mut self, plan: PollPolicy) -> Self {
        self.known.plan = plan.confirm_with_full_read(E::POLL_POLICY.confirm_with_full_read);
        self.renewed()
    }

    /// As of another moment than when the watch was made: when the checkout was created, if that is a while
    /// ago. The pauses grow with its age, and its deadline counts from there: where that has passed, it is
    /// read once, and [`resume`](Self::resume) gives it more time.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// use checkout_lifecycle::Moment;
    ///
    /// # let client = Client::builder(SigningKey::new("st_key", SecretString::from("st_secret"))?).build()?;
    /// let watch = client.watch("65b2f3d0d2d9c0a1b2c3d4e5")?;
    /// let a_minute_ago = Moment::from_unix_millis(watch.now().unix_millis() - 60_000);
    /// let watch = watch.began(a_minute_ago);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn began(mut self, began: Moment) -> Self {
        self.known.began = began;
        self.renewed()
    }

    /// With another seed than the one that is made of the checkout's id. It decides by how much chance
    /// shortens pauses.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.known.seed = seed;
        self.renewed()
    }

    /// What is known of the checkout.
    #[must_use]
    pub const fn tracker(&self) -> &Tracker<E::Status> {
        &self.known.tracker
    }

    /// Where the checkout stands.
    #[must_use]
    pub fn phase(&self) -> Option<Phase> {
        self.known.tracker.phase()
    }

    /// Whether something contradicted an end ([`Verdict::Conflict`](checkout_lifecycle::Verdict::Conflict)),
    /// so that a person has to look. It stays so, in [`stored`](Self::stored) too.
    #[must_use]
    pub const fn held(&self) -> bool {
        self.known.held
    }

    /// What wakes it.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.known.handle.clone()
    }

    /// Goes on after it gave up, or for longer than was planned: a new deadline from now on.
    ///
    /// What the provider said to wait is waited for all the same. A watch that is made anew knows nothing of
    /// that, should it have said what cannot be meant.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// # let client = Client::builder(SigningKey::new("st_key", SecretString::from("st_secret"))?).build()?;
    /// let mut watch = client.watch("65b2f3d0d2d9c0a1b2c3d4e5")?;
    /// watch.resume(std::time::Duration::from_secs(24 * 3_600));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn resume(&mut self, for_at_most: Duration) {
        let now = self.now();
        self.known.begun = true;
        self.poller.set_back(now);
        self.poller.resume(&self.known.plan, now, for_at_most);
    }

    /// The time, by the client's clock: the one that all of this goes by.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.known.now()
    }

    pub(crate) fn new(status_call: Call<E::StatusRead>, full_call: Call<E>, id: &str) -> Self {
        let known = Known::new(status_call, full_call, id);
        Self { poller: Poller::new(&known.plan, known.began, known.seed), known, ahead: None }
    }

    /// Of what is known, and of what paced it meanwhile.
    pub(crate) const fn of(known: Known<E>, poller: Poller) -> Self {
        Self { known, poller, ahead: None }
    }

    pub(crate) fn into_parts(self) -> (Known<E>, Poller) {
        (self.known, self.poller)
    }

    /// Begins with the answer to the call that made the checkout, which is no read of it.
    pub(crate) fn submitted<T>(self, answer: Answer<T>) -> Self
    where
        T: Observable<Provider = E::Provider, Status = E::Status, Raw = E::Raw> + Into<E::StatusRead>,
    {
        let now = self.now();
        let mut watch = self.began(answer.sent_at().min(now));
        let came = watch.known.submitted(answer, now);
        watch.known.submitted = Some((now, came.heard));
        watch.known.told(came, &watch.poller, now);
        watch.renewed()
    }

    fn renewed(mut self) -> Self {
        if !self.known.begun {
            let Known { plan, began, seed, submitted, .. } = &self.known;
            self.poller = Poller::new(plan, *began, *seed);
            if let Some((now, heard)) = submitted {
                self.poller.handle_outcome(plan, *now, *heard);
            }
        }
        self
    }
}

/// Without input and output, for a loop of your own: [`next`](Self::next) says what to do,
/// [`mark_sent`](Self::mark_sent) comes before each read, [`handle_status`](Self::handle_status) or
/// [`handle_read`](Self::handle_read) after it, and what that changed is in
/// [`take_change`](Self::take_change). The moments are yours, and should be by the client's clock, as
/// [`now`](Self::now) is.
///
/// ```
/// # #[cfg(feature = "system")] {
/// # use checkout_auth::{SecretString, allscale::SigningKey};
/// # use checkout_client::allscale::Client;
/// # use checkout_money::Cents;
/// # use checkout_sandbox::allscale::{Sandbox, Store};
/// # use checkout_tables::allscale::Currency;
/// # use checkout_validate::allscale::Draft;
/// use checkout_client::{ReadKind, Step};
///
/// # let key = SigningKey::new("st_key", SecretString::from("st_secret"))?;
/// # let sandbox = Sandbox::builder().store(Store::new(key.clone())).build();
/// # let (clock, time) = (sandbox.clock().clone(), sandbox.clock().clone());
/// # let client = Client::builder(key).clock(move || clock.now_millis()).build()?;
/// # let intent = Draft::fiat(Currency::EUR, Cents::new(100)).check()?;
/// # let id = client.create(&intent).send_blocking(&sandbox)?.payload.intent_id;
/// let mut watch = client.watch(&id)?;
/// let end = loop {
///     let now = watch.now();
///     let step = watch.next(now);
///     // What is told before the end is told here too, such as that no read follows a nudge.
///     while let Some(change) = watch.take_change() {
///         println!("{change:?}");
///     }
///     match step {
///         Step::Fetch(ReadKind::Status) => {
///             watch.mark_sent(now);
///             let outcome = watch.status_call().send_blocking(&sandbox);
///             watch.handle_status(watch.now(), outcome);
///         }
///         Step::Fetch(ReadKind::Full) => {
///             watch.mark_sent(now);
///             let outcome = watch.full_call().send_blocking(&sandbox);
///             watch.handle_read(watch.now(), outcome);
///         }
///         Step::Wait(until) | Step::AskPayer { until } => time.advance(until.saturating_since(now)),
///         Step::Done(_) | Step::GaveUp(_) => break watch.take_end(now).unwrap(),
///     }
/// };
/// assert_eq!(end.tracker().phase(), Some(checkout_lifecycle::Phase::Succeeded));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl<E: Watchable> Watch<E> {
    /// The next thing to do. A message to the [`Handle`] is heard here; where no read follows, a nudge's
    /// [`Change::Nudged`] is among the changes after this.
    ///
    /// After an end that was taken, or that was stored, it begins anew: it reads once more, and ends once
    /// more.
    pub fn next(&mut self, now: Moment) -> Step {
        self.poller.set_back(now);
        let told = self.known.handle.hear();
        if told.nudged {
            self.known.nudged = true;
            self.poller.nudge(&self.known.plan, now);
        }
        if told.payer_returned {
            self.poller.payer_returned(&self.known.plan, now);
        }
        let step = match self.poller.next(&self.known.plan, now) {
            Step::Done(_) if !self.known.has_evidence() => {
                self.poller.read_once_more(&self.known.plan, now);
                self.poller.next(&self.known.plan, now)
            }
            step @ (Step::Fetch(_)
            | Step::Wait(_)
            | Step::AskPayer { .. }
            | Step::Done(_)
            | Step::GaveUp(_)) => step,
        };
        match step {
            Step::Fetch(fetch) => Step::Fetch(self.known.fetch(fetch, &self.poller, now)),
            Step::Done(_) | Step::GaveUp(_) => {
                self.known.gives_up_nudges();
                step
            }
            Step::Wait(_) | Step::AskPayer { .. } => step,
        }
    }

    /// The read for [`ReadKind::Status`](crate::ReadKind::Status).
    #[must_use]
    pub const fn status_call(&self) -> &Call<E::StatusRead> {
        &self.known.status_call
    }

    /// The read for [`ReadKind::Full`](crate::ReadKind::Full).
    #[must_use]
    pub const fn full_call(&self) -> &Call<E> {
        &self.known.full_call
    }

    /// A read is about to be sent: whatever comes of it, the next one is not sooner than the plan allows.
    pub fn mark_sent(&mut self, now: Moment) {
        self.known.mark_sent();
        self.poller.set_back(now);
        self.poller.mark_sent(&self.known.plan, now);
    }

    /// Takes in the outcome of a read by [`status_call`](Self::status_call).
    pub fn handle_status(&mut self, now: Moment, outcome: Result<Answer<E::StatusRead>, CallErrorOf<E>>) {
        let came = self.known.handle_status(outcome, now);
        self.hear(now, came);
    }

    /// Takes in the outcome of a read by [`full_call`](Self::full_call).
    pub fn handle_read(&mut self, now: Moment, outcome: Result<Answer<E>, CallErrorOf<E>>) {
        let came = self.known.handle_read(outcome, now);
        self.hear(now, came);
    }

    /// The next of what has changed and was not told yet, without the end.
    pub fn take_change(&mut self) -> Option<Change<E>> {
        self.known.untold.pop_front()
    }

    /// How it ended, if it has: once [`next`](Self::next) says [`Step::Done`] or [`Step::GaveUp`]. Take the
    /// changes first.
    pub fn take_end(&mut self, now: Moment) -> Option<End<E>> {
        let step = self.poller.next(&self.known.plan, now);
        self.known.end(step)
    }

    /// Tells the poller what a read came to.
    fn hear(&mut self, now: Moment, came: Came<E>) {
        self.known.begun = true;
        self.poller.set_back(now);
        self.poller.handle_outcome(&self.known.plan, now, came.heard);
        self.known.told(came, &self.poller, now);
    }
}

impl<E: Watchable> fmt::Debug for Watch<E> {
    /// What is known, and nothing of what the answers hold.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch")
            .field("call", &self.known.status_call)
            .field("tracker", &self.known.tracker)
            .field("held", &self.known.held)
            .field("poller", &self.poller)
            .finish_non_exhaustive()
    }
}
