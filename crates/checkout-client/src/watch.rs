//! One checkout, watched to its end.

mod change;
mod drive;
mod due_read;
mod engine;
mod handle;
mod known;
mod stored;

pub use change::{Change, End, Nudged};
pub use handle::Handle;
pub use stored::ParseWatchError;

pub(crate) use due_read::{AuthorizationOf, DueRead, Outcome, Sent};
pub(crate) use engine::{Gate, Pass, Place};
pub(crate) use known::{Came, Known, read_timeout};

use crate::authorize::Authorize;
use crate::error::CallErrorOf;
use crate::{Answer, Call, Observable};
use checkout_lifecycle::{Moment, Phase, Tracker};
use checkout_poll::{PollPolicy, Poller, ReadOutcome, Step};
use checkout_tables::allscale::IntentStatus;
use checkout_tables::peach::Route;
use checkout_tables::{Open, RateLimit};
use checkout_trust::settlement;
use checkout_wire::allscale::Intent;
use checkout_wire::azotte::CheckoutResult;
use checkout_wire::peach::Payment;
use core::fmt;
use core::time::Duration;

/// An answer that can show how a checkout ended: the payload that a [`Watch`] ends with.
///
/// ```
/// # checkout_doctest::facade!(client);
/// use checkout_kit::{BlockingTransport, Watch, Watchable};
///
/// /// Watches a checkout of any provider, on this thread.
/// fn phase<E: Watchable>(mut watch: Watch<E>, transport: &dyn BlockingTransport) -> Option<String> {
///     let handle = watch.handle();
///     let end = watch.end_blocking(transport, |wait| handle.pause(wait));
///     end.tracker().phase().map(|phase| phase.to_string())
/// }
/// ```
pub trait Watchable:
    Observable<Provider: Authorize> + settlement::Settles + Clone + fmt::Debug + Send + Sync
{
    /// The payload of the reads on the way there: a bare status, where the provider has one.
    type StatusRead: Observable<Provider = Self::Provider, Status = Self::Status, Raw = Self::Raw>
        + Clone
        + fmt::Debug
        + Send
        + Sync;

    /// The provider's default poll policy: how often to ask, and for how long.
    const POLL_POLICY: PollPolicy;

    /// The provider's limit for all checkouts of a merchant together, where the provider has one.
    const LIMIT: Option<RateLimit>;

    /// The status read as the full read, where the provider has one read for both.
    fn of_status_read(read: Answer<Self::StatusRead>) -> Option<Answer<Self>>;
}

// For every lifetime, though the payload of a read is `'static`: a future that is `Send` for every lifetime
// the future could have needs this.
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

    fn of_status_read(read: Answer<Self>) -> Option<Answer<Self>> {
        Some(read)
    }
}

impl Watchable for Payment<'_> {
    type StatusRead = Self;
    const POLL_POLICY: PollPolicy = PollPolicy::peach();
    const LIMIT: Option<RateLimit> = Route::Status.rate_limit();

    fn of_status_read(read: Answer<Self>) -> Option<Answer<Self>> {
        Some(read)
    }
}

/// Watches one checkout to its end: reads the status by the provider's [`PollPolicy`], takes in the meaning
/// of the answers, and reports the changes. A client makes the watch:
/// [`allscale::Client::watch`](crate::allscale::Client::watch) and its like.
///
/// - [`end`](Self::end) is all of the watch in one call. [`next_change`](Self::next_change) is for code that
///   shows the progress. Each comes for any [`Transport`](checkout_transport::Transport), for a transport of
///   one thread, and for threads that block. Each waits by a sleep that you give.
/// - To drop a future of theirs loses nothing but the read that was under way: the next call goes on, and no
///   sooner than the policy allows. So the futures can stand in a `select!`.
/// - [`handle`](Self::handle) wakes the watch: a webhook came, or the payer is back.
/// - [`stored`](Self::stored) is the watch in one line of text, for a column of the order.
///   [`restore_from`](Self::restore_from) goes on from there, after a restart or in another process.
/// - [`next`](Self::next) and the methods beside it are the same without any input or output, for loops of
///   your own.
///
/// A watch ends with a full read. For AllScale that is the intent, which the watch reads when the bare status
/// has ended. The full read is the evidence of the end, and nobody has compared the paid amount with the
/// order yet. If the full read contradicts the status, the read is not evidence: the watch is
/// [in conflict](Self::has_conflict), reads again, and gives up after its deadline if no read shows the end.
///
/// A read without an answer within the policy's [`read_timeout`](PollPolicy::read_timeout) has failed, and
/// the watch tries the read again like every failed read. The sleep that you give measures the time. A
/// blocking transport cannot be interrupted, so the transport needs a time-out of its own.
///
/// A watch never gives up on old news: a checkout that is open at its deadline is read once more, and again
/// if that read fails ([`PollPolicy::final_attempts`]). So the watch gives up later than at the deadline, by
/// the journey of that read or by the repeats.
///
/// Many checkouts, under the limits that they share, are for [`WatchSet`](crate::WatchSet). The same code
/// decides for a lone watch and for many: a lone watch has a poller of its own instead of the shared
/// schedule. A new watch takes about one kilobyte with the ids that the providers give, and a
/// few bytes more for each further character of the id.
///
/// A clock that is set back by a minute or more costs a pause, and not the time that the clock ran ahead. A
/// clock that runs ahead can cost the deadline: the watch gives up, and goes on when the clock is right again
/// or the watch is resumed.
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
/// use checkout_kit::{Change, End, Phase};
///
/// # let key = SigningKey::new("st_key", SecretString::from("st_secret"))?;
/// # let sandbox = Sandbox::builder().store(Store::new(key.clone())).build();
/// # let (clock, time) = (sandbox.clock().clone(), sandbox.clock().clone());
/// # let client = Client::builder(key).clock(move || clock.now()).build()?;
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
/// let End::Ended { answer, conflict: false, .. } = end else { panic!() };
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
    gate: Gate<E>,
}

impl<E: Watchable> Watch<E> {
    /// Replaces the provider's policy. The provider alone decides if there is a full read at the end: without
    /// a full read there would be no evidence.
    ///
    /// ```
    /// # checkout_doctest::facade!(client);
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// use checkout_kit::PollPolicy;
    /// use std::time::Duration;
    ///
    /// # let client = Client::builder(SigningKey::new("st_key", SecretString::from("st_secret"))?).build()?;
    /// let patient = PollPolicy::allscale().deadline(Duration::from_secs(3_600));
    /// let watch = client.watch("65b2f3d0d2d9c0a1b2c3d4e5")?.policy(patient);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn policy(mut self, policy: PollPolicy) -> Self {
        self.known.policy = policy.confirm_with_full_read(E::POLL_POLICY.confirm_with_full_read);
        self.renewed()
    }

    /// Sets the moment when the checkout was created, if that is a while before the watch was made. The
    /// pauses grow with the checkout's age, and the deadline counts from that moment. Where the deadline has
    /// passed, the watch reads once, and [`resume`](Self::resume) gives the watch more time.
    ///
    /// ```
    /// # checkout_doctest::facade!(client);
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// use checkout_kit::Moment;
    ///
    /// # let client = Client::builder(SigningKey::new("st_key", SecretString::from("st_secret"))?).build()?;
    /// let watch = client.watch("65b2f3d0d2d9c0a1b2c3d4e5")?;
    /// let a_minute_ago = Moment::from_unix_millis(watch.now().unix_millis() - 60_000);
    /// let watch = watch.started_at(a_minute_ago);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn started_at(mut self, started_at: Moment) -> Self {
        self.known.started_at = started_at;
        self.renewed()
    }

    /// Replaces the seed, which is made of the checkout's id otherwise. The seed decides by how much chance
    /// shortens pauses.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.known.seed = seed;
        self.renewed()
    }

    /// The tracker of the checkout.
    #[must_use]
    pub const fn tracker(&self) -> &Tracker<E::Status> {
        &self.known.tracker
    }

    /// The phase of the checkout, if known.
    #[must_use]
    pub fn phase(&self) -> Option<Phase> {
        self.known.tracker.phase()
    }

    /// True if something contradicted an end ([`Verdict::Conflict`](checkout_lifecycle::Verdict::Conflict)),
    /// so that a person has to look. The watch stays in conflict, in [`stored`](Self::stored) too.
    #[must_use]
    pub const fn has_conflict(&self) -> bool {
        self.known.conflict
    }

    /// The handle that wakes the watch.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.known.handle.clone()
    }

    /// Goes on after the watch gave up, or for longer than planned: a new deadline from now on.
    ///
    /// A wait that the provider asked for is kept all the same. If that wait is absurdly long, make the watch
    /// anew: a new watch knows nothing of the wait.
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
        self.resume_at(self.now(), for_at_most);
    }

    /// As [`resume`](Self::resume), by the clock of the caller: for a driver of your own.
    pub fn resume_at(&mut self, now: Moment, for_at_most: Duration) {
        self.known.begun = true;
        self.poller.set_back(now);
        self.poller.resume(&self.known.policy, now, for_at_most);
    }

    /// The time, by the client's clock, which the watch uses throughout.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.known.now()
    }

    pub(crate) fn new(status_call: Call<E::StatusRead>, full_call: Call<E>, id: &str) -> Self {
        let known = Known::new(status_call, full_call, id);
        Self { poller: Poller::new(&known.policy, known.started_at, known.seed), known, gate: Gate::new() }
    }

    /// A watch of the knowledge so far, and of the poller that paced the reads meanwhile.
    pub(crate) const fn of(known: Known<E>, poller: Poller) -> Self {
        Self { known, poller, gate: Gate::new() }
    }

    pub(crate) fn into_parts(self) -> (Known<E>, Poller) {
        (self.known, self.poller)
    }

    /// Begins with the answer to the call that made the checkout; that answer is not a read.
    pub(crate) fn submitted<T>(self, answer: Answer<T>) -> Self
    where
        T: Observable<Provider = E::Provider, Status = E::Status, Raw = E::Raw> + Into<E::StatusRead>,
    {
        let now = self.now();
        let mut watch = self.started_at(answer.sent_at().min(now));
        let came = watch.known.submitted(answer, now);
        watch.known.submitted = Some((now, came.outcome));
        watch.known.report(came, &watch.poller, now);
        watch.renewed()
    }

    fn renewed(mut self) -> Self {
        if !self.known.begun {
            let Known { policy, started_at, seed, submitted, .. } = &self.known;
            self.poller = Poller::new(policy, *started_at, *seed);
            if let Some((now, outcome)) = submitted {
                self.poller.handle_outcome(policy, *now, *outcome);
            }
        }
        self
    }
}

/// Without input and output, for a loop of your own. [`next`](Self::next) returns the next step,
/// [`mark_sent`](Self::mark_sent) comes before each read, [`handle_status`](Self::handle_status) or
/// [`handle_read`](Self::handle_read) after the read, and [`take_change`](Self::take_change) returns the
/// changes. The moments are yours, and should be by the client's clock, as [`now`](Self::now) is.
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
/// use checkout_kit::client::{ReadKind, Step};
///
/// # let key = SigningKey::new("st_key", SecretString::from("st_secret"))?;
/// # let sandbox = Sandbox::builder().store(Store::new(key.clone())).build();
/// # let (clock, time) = (sandbox.clock().clone(), sandbox.clock().clone());
/// # let client = Client::builder(key).clock(move || clock.now()).build()?;
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
/// assert_eq!(end.tracker().phase(), Some(checkout_kit::Phase::Succeeded));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl<E: Watchable> Watch<E> {
    /// The next step. The watch takes in the messages of the [`Handle`] here. Where no read follows, a
    /// nudge's [`Change::Nudged`] is among the changes after this.
    ///
    /// After an end that was taken, or that was stored, the watch begins anew: reads once more, and ends once
    /// more.
    pub fn next(&mut self, now: Moment) -> Step {
        let (known, mut place) = self.parts(now);
        known.take_messages(&mut place, now);
        let mut step = place.poller.next(&place.policy, now);
        if known.reads_once_more(&mut place, step, now) {
            step = place.poller.next(&place.policy, now);
        }
        match step {
            Step::Fetch(kind) => Step::Fetch(known.kind_of_read(kind, place.poller, now)),
            Step::Done(_) | Step::GaveUp(_) => {
                known.gives_up_nudges();
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

    /// Records that a read is about to be sent: whatever the outcome, the next read is not sooner than the
    /// policy allows.
    pub fn mark_sent(&mut self, now: Moment) {
        let (known, mut place) = self.parts(now);
        known.mark_sent(&mut place, now);
    }

    /// Takes in the outcome of a read by [`status_call`](Self::status_call).
    pub fn handle_status(&mut self, now: Moment, outcome: Result<Answer<E::StatusRead>, CallErrorOf<E>>) {
        let came = self.known.handle_status(outcome, now);
        self.take_in(now, came);
    }

    /// Takes in the outcome of a read by [`full_call`](Self::full_call).
    pub fn handle_read(&mut self, now: Moment, outcome: Result<Answer<E>, CallErrorOf<E>>) {
        let came = self.known.handle_read(outcome, now);
        self.take_in(now, came);
    }

    /// The next change that was not taken yet, other than the end.
    pub fn take_change(&mut self) -> Option<Change<E>> {
        self.known.untold.pop_front()
    }

    /// The end of the watch, once [`next`](Self::next) returns [`Step::Done`] or [`Step::GaveUp`]. Take the
    /// changes first.
    pub fn take_end(&mut self, now: Moment) -> Option<End<E>> {
        let step = self.poller.next(&self.known.policy, now);
        self.known.end(step)
    }

    /// Gives the poller the outcome of a read.
    fn take_in(&mut self, now: Moment, came: Came<E>) {
        let (known, mut place) = self.parts(now);
        known.take_in(&mut place, came, now);
    }

    /// The watch without its poller, and the place of the poller, whose clock does not run backwards.
    fn parts(&mut self, now: Moment) -> (&mut Known<E>, Own<'_>) {
        self.poller.set_back(now);
        let policy = self.known.policy;
        (&mut self.known, Own { poller: &mut self.poller, policy })
    }
}

/// The place of the poller in the watch.
struct Own<'w> {
    poller: &'w mut Poller,
    policy: PollPolicy,
}

impl Place for Own<'_> {
    fn poller(&self) -> Option<&Poller> {
        Some(self.poller)
    }

    fn nudge(&mut self, now: Moment) {
        self.poller.nudge(&self.policy, now);
    }

    fn payer_returned(&mut self, now: Moment) {
        self.poller.payer_returned(&self.policy, now);
    }

    fn mark_sent(&mut self, now: Moment) {
        self.poller.mark_sent(&self.policy, now);
    }

    fn handle_outcome(&mut self, now: Moment, outcome: ReadOutcome) {
        self.poller.handle_outcome(&self.policy, now, outcome);
    }

    fn read_once_more(&mut self, now: Moment) {
        self.poller.read_once_more(&self.policy, now);
    }
}

impl<E: Watchable> fmt::Debug for Watch<E> {
    /// The knowledge so far, and nothing of the answers' content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch")
            .field("call", &self.known.status_call)
            .field("tracker", &self.known.tracker)
            .field("conflict", &self.known.conflict)
            .field("poller", &self.poller)
            .finish_non_exhaustive()
    }
}
