//! The driver of the machine: claims, sends, writes and tells.

mod aside;
mod builder;
mod clock;
mod counters;
pub mod person;
mod run;
mod stop;
mod trace;
mod webhook;

pub use builder::{BuildError, Builder};
pub use counters::Counters;
pub use person::DecideError;
pub use webhook::Webhook;

use crate::caught::{caught, caught_call};
use crate::checkout::Checkout;
use crate::draft::Draft;
use crate::machine::{Machine, PrepareError, Task};
use crate::measures::error_kind;
use crate::notes::Notes;
use crate::store::{
    Decided, Due, Figures, Filter, Inserted, Lease, New, Next, Nudge, Nudged, Overview, Store, StoreError,
    Subject, Target, Unmatched, Write, Written,
};
use checkout_tables::Moment;
use checkout_transport::{Request, Response, Transport, TransportError};
use clock::Clock;
use core::fmt;
use core::time::Duration;
use std::error::Error;
use std::sync::Arc;
use std::time::Instant;
use stop::Stop;
use tokio::sync::{Notify, OnceCell};
use tokio::time::{sleep, timeout};
use trace::Trace;

/// Takes payments through hosted checkouts, over a store that outlives the process.
///
/// An engine creates checkouts, reads them to their ends, settles their orders, and tells the shop. Any
/// number of processes run an engine over one store, and any of them may die at any point: the next one goes
/// on. A clone is the same engine.
///
/// ```
/// # checkout_doctest::facade!(engine);
/// use checkout_kit::Cents;
/// use checkout_kit::allscale::{Client, Currency, Draft, SigningKey};
/// use checkout_kit::engine::{Engine, Memory, State};
/// # use checkout_kit::Environment;
/// # use checkout_sandbox::allscale::{API_KEY, API_SECRET, Sandbox};
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// # let sandbox = Sandbox::new(1);
/// # let transport = sandbox.clone();
/// # let client = Client::builder(SigningKey::new(API_KEY, API_SECRET.into())?);
/// # let client = client.environment(Environment::Sandbox).build()?;
/// # let store = { let clock = sandbox.clock().clone(); Memory::with_clock(move || clock.now()) };
/// let engine = Engine::builder(store, transport).provider(client).build()?;
/// let draft = Draft::fiat(Currency::EUR, Cents::new(49_90)).order_id("order_1").check()?;
/// let checkout = engine.create("order_1", draft).await?;
/// assert_eq!(checkout.state, State::Open);
/// let page = checkout.page.ok_or("no page")?; // send the payer there
/// # assert!(page.as_str().starts_with("https://"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Engine<S, T>(Arc<Inner<S, T>>);

struct Inner<S, T> {
    store: S,
    transport: T,
    machine: Machine,
    settings: Settings,
    ready: OnceCell<()>,
    wake: Notify,
    counters: Counters,
    clock: Clock,
    on_error: Box<dyn Fn(&EngineError) + Send + Sync>,
}

/// The settings of a driver.
#[derive(Clone, Copy, Debug)]
struct Settings {
    lease: Duration,
    poll_every: Duration,
    at_once: usize,
}

impl Settings {
    /// The longest time of one request: a lease covers a token's call, a read and the waits between.
    fn timeout(&self) -> Duration {
        self.lease / 3
    }
}

impl<S, T> Clone for Engine<S, T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S, T> fmt::Debug for Engine<S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("settings", &self.0.settings).finish_non_exhaustive()
    }
}

impl<S: Store + 'static, T: Transport + 'static> Engine<S, T> {
    /// Begins an engine over a store and a transport.
    pub fn builder(store: S, transport: T) -> Builder<S, T> {
        Builder::new(store, transport)
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &S {
        &self.0.store
    }

    /// The machine: the decisions of this engine, for a driver of your own.
    #[must_use]
    pub fn machine(&self) -> &Machine {
        &self.0.machine
    }

    /// Creates a checkout of the merchant `default`: see [`create_for`](Self::create_for).
    ///
    /// # Errors
    /// [`EngineError`], as of [`create_for`](Self::create_for).
    pub async fn create(&self, id: &str, draft: impl Into<Draft>) -> Result<Checkout, EngineError> {
        self.create_for(DEFAULT_MERCHANT, id, draft).await
    }

    /// Creates a checkout, once for an id.
    ///
    /// The row and the draft are saved before anything is sent. The same id again gives the checkout as it
    /// stands, so a web handler can be repeated. A row of [`State::Open`](crate::State::Open) has the payer's
    /// page. A row of [`State::Sending`](crate::State::Sending) or [`State::Unknown`](crate::State::Unknown)
    /// has no page yet: the engine finishes the create by the provider's rule, and the shop asks again by
    /// [`checkout`](Self::checkout), or makes another checkout under another id and another reference. A held
    /// checkout is returned without its page: a person looks before anybody pays.
    ///
    /// A future that is dropped half-way leaves the create to the engines that run. What was not sent is sent
    /// when the lease ends, and what was under way goes on by the provider's rule: AllScale's create is then
    /// never sent again. Where a framework drops the handler of a payer who went away, call this in a task of
    /// its own.
    ///
    /// # Errors
    /// [`EngineError`]. Nothing was sent if the draft does not fit. After an error of the store the row may
    /// be there, and the engine goes on with the row: call again under the same id, and under no other.
    pub async fn create_for(
        &self,
        merchant: &str,
        id: &str,
        draft: impl Into<Draft>,
    ) -> Result<Checkout, EngineError> {
        self.ready().await?;
        let (draft, since) = (draft.into(), Instant::now());
        let at = self.0.store.now().await?;
        let prepared = self.0.machine.prepare(merchant, id, &draft, at)?;
        let new = New { checkout: &prepared, watch: "", lease: self.0.settings.lease };
        let (lease, checkout) = match self.0.store.insert(&new).await? {
            Inserted::Fresh(lease, checkout) => (lease, checkout),
            Inserted::Exists(there)
                if (there.provider.company(), &*there.merchant, &*there.reference, there.environment)
                    == (
                        prepared.provider.company(),
                        merchant,
                        &*prepared.reference,
                        prepared.environment,
                    )
                    && Notes::read(&there)?.fits(&draft) =>
            {
                return Ok(for_the_payer(there));
            }
            Inserted::Exists(there) => return Err(EngineError::OtherCheckout { id: there.id }),
            Inserted::SameReference(there) => {
                return Err(EngineError::ReferenceTaken { reference: there.reference, id: there.id });
            }
        };
        let (watch, late) = (String::new(), Duration::ZERO);
        let due = Due { lease, checkout, watch, nudged: false, named: None, tries: 1, late };
        let piece = Piece::of(&due, at, since);
        let now = self.0.store.later(at, since);
        // Lost means that another process has gone on with the create, or that the lease is over: the row
        // says how far.
        let _ = self.0.work(&piece, self.0.machine.first(due, now), &Stop::default()).await?;
        self.0.wake.notify_one();
        Ok(for_the_payer(self.0.store.checkout(id).await?.unwrap_or(prepared)))
    }

    /// A checkout as it stands.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn checkout(&self, id: &str) -> Result<Option<Checkout>, StoreError> {
        self.0.store.checkout(id).await
    }

    /// Checkouts in the order of their ids.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list(&self, filter: &Filter<'_>) -> Result<Vec<Checkout>, StoreError> {
        self.0.store.list(filter).await
    }

    /// Checkouts in the order of their ids, each with its work: for a page of a person.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn overview(&self, filter: &Filter<'_>) -> Result<Vec<Overview>, StoreError> {
        self.0.store.overview(filter).await
    }

    /// Events that no checkout has, behind a number: see [`Store::unmatched`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn unmatched(&self, after: i64, most: usize) -> Result<Vec<Unmatched>, StoreError> {
        self.0.store.unmatched(after, most).await
    }

    /// The decisions of persons about a checkout.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn decisions(&self, id: &str) -> Result<Vec<Decided>, StoreError> {
        self.0.store.decisions(id).await
    }

    /// The figures of the store. With the feature `metrics` they are given to the recorder too: call this
    /// every quarter of a minute or so, in one process.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn figures(&self) -> Result<Figures, StoreError> {
        let figures = self.0.store.figures().await?;
        figures.show();
        Ok(figures)
    }

    /// The counters of this process.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.0.counters
    }

    /// Reads a checkout at once: the payer came back from the page, or somebody asks. The limit of the
    /// merchant and the policy's shortest gap hold all the same.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn nudge(&self, id: &str) -> Result<Nudged, StoreError> {
        let nudged = self.0.store.nudge(&Nudge { target: Target::Id(id), event: &[] }).await?;
        self.0.wake.notify_one();
        Ok(nudged)
    }

    async fn ready(&self) -> Result<(), StoreError> {
        let lanes = || async { self.0.store.lanes(&self.0.machine.lanes()).await };
        self.0.ready.get_or_try_init(lanes).await.copied()
    }
}

impl<S: Store, T: Transport> Inner<S, T> {
    /// Does the tasks of leased work, the last of which is a write. After a stop no request begins.
    async fn work(&self, piece: &Piece, task: Task, stop: &Stop) -> Result<Written, EngineError> {
        piece.trace.around(self.tasks(piece, task, stop)).await
    }

    async fn tasks(&self, piece: &Piece, mut task: Task, stop: &Stop) -> Result<Written, EngineError> {
        let Piece { provider, at, since, .. } = *piece;
        let (mut nudge_waits, mut saved) = (piece.nudged, false);
        loop {
            match task {
                // What no save has begun is as if nobody had claimed it.
                Task::Send(_) if stop.has_come() && !saved => {
                    return self.write(piece, &Write::back(Duration::ZERO), stop).await;
                }
                Task::Send(exchange) => {
                    let (request, then) = exchange.into_parts();
                    // A lease that is nearly over allows no request any more.
                    let outcome = if self.left(at, since) <= self.settings.timeout() {
                        Err(TransportError::not_sent("the lease is nearly over"))
                    } else if stop.has_come() {
                        Err(TransportError::not_sent("the process stops"))
                    } else {
                        self.counters.requests.count(provider);
                        if core::mem::take(&mut nudge_waits) {
                            let waited = self.store.later(at, since).saturating_since(at);
                            self.counters.nudge_lag.record(provider, piece.late.saturating_add(waited));
                        }
                        self.send(request).await
                    };
                    trace::answered(&outcome);
                    task = then(outcome, self.store.later(at, since));
                }
                Task::Save(save) => {
                    let (write, then) = save.into_parts();
                    // Nothing is marked as under way that could not be sent any more, or may be killed soon.
                    if self.left(at, since) <= self.settings.timeout() || stop.has_come() {
                        return self.write(piece, &Write::back(Duration::ZERO), stop).await;
                    }
                    if self.write(piece, &write, stop).await? == Written::Lost {
                        return Ok(Written::Lost);
                    }
                    saved = true;
                    task = then(self.store.later(at, since));
                }
                Task::Write(write) => return self.write(piece, &write, stop).await,
            }
        }
    }

    /// Sends a request. A transport that panics may have sent it.
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let sent = caught(async { timeout(self.settings.timeout(), self.transport.send(request)).await });
        match sent.await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(TransportError::unknown("no answer in time")),
            Err(_) => {
                self.failed(EngineError::Panicked { part: "the transport" });
                Err(TransportError::unknown("the transport panicked"))
            }
        }
    }

    /// Writes, and tries again while the lease lasts, or the time of a stop: the answer in hand may be the
    /// only one.
    async fn write(&self, piece: &Piece, write: &Write, stop: &Stop) -> Result<Written, EngineError> {
        let mut pause = Duration::from_millis(50);
        loop {
            match self.store.write(&piece.lease, write).await {
                Ok(Written::Done) => {
                    self.wrote(piece, write);
                    return Ok(Written::Done);
                }
                Ok(Written::Lost) => {
                    self.counters.lost.count(piece.provider);
                    piece.trace.lost();
                    return Ok(Written::Lost);
                }
                Err(error @ (StoreError::Unavailable(_) | StoreError::ReadOnly(_)))
                    if !stop.is_over()
                        && self.left(piece.at, piece.since) > pause.saturating_add(self.spare(write)) =>
                {
                    self.failed(EngineError::Store(error));
                    tokio::select! {
                        () = sleep(pause) => {}
                        () = stop.over() => {}
                    }
                    pause = pause.saturating_mul(2);
                }
                Err(error) => {
                    piece.trace.failed();
                    return Err(EngineError::Store(error));
                }
            }
        }
    }

    /// The time that has to be left of the lease after a write.
    fn spare(&self, write: &Write) -> Duration {
        if matches!(write.next, Next::Keep) { self.settings.timeout() } else { Duration::ZERO }
    }

    fn wrote(&self, piece: &Piece, write: &Write) {
        let (counters, provider) = (&self.counters, piece.provider);
        counters.writes.count(provider);
        piece.trace.written(write);
        if write.lane_wait.is_some() {
            counters.limit_waits.count(provider);
        }
        if write.news.iter().any(|news| news.subject == Subject::Held) {
            counters.holds.count(provider);
            if piece.quarantined {
                counters.quarantined.count(provider);
            }
            trace::held(piece.quarantined);
        }
        if !write.news.is_empty() {
            self.wake.notify_one();
        }
    }

    /// The rest of a lease.
    fn left(&self, at: Moment, since: Instant) -> Duration {
        let by_store = self.store.later(at, since).saturating_since(at);
        self.settings.lease.saturating_sub(by_store.max(since.elapsed()))
    }

    fn failed(&self, error: EngineError) {
        self.note(&error);
        if caught_call(|| (self.on_error)(&error)).is_err() {
            self.counters.panics.count("");
        }
    }

    /// Counts an error.
    fn note(&self, error: &EngineError) {
        match error {
            EngineError::Store(error) => self.counters.errors.count(error_kind(error)),
            EngineError::Panicked { .. } => self.counters.panics.count(""),
            EngineError::Prepare(_)
            | EngineError::OtherCheckout { .. }
            | EngineError::ReferenceTaken { .. }
            | EngineError::ClockSet { .. }
            | EngineError::NotTold { .. } => {}
        }
        trace::error(error);
    }
}

/// Leased work, for the driver: `at` was the store's clock at the instant `since`, when the lease began or
/// before.
struct Piece {
    lease: Lease,
    at: Moment,
    since: Instant,
    provider: &'static str,
    late: Duration,
    nudged: bool,
    quarantined: bool,
    trace: Trace,
}

impl Piece {
    fn of(due: &Due, at: Moment, since: Instant) -> Self {
        Self {
            lease: due.lease.clone(),
            at,
            since,
            provider: due.checkout.provider.name(),
            late: due.late,
            nudged: due.nudged,
            quarantined: due.is_quarantined(),
            trace: Trace::work(due),
        }
    }
}

/// A held checkout shows no page.
fn for_the_payer(checkout: Checkout) -> Checkout {
    let page = checkout.page.clone().filter(|_| checkout.hold.is_none());
    Checkout { page, ..checkout }
}

/// The error of an engine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The draft does not fit.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// The store's clock was set forward, or the machine of this process slept. Leases and places end too
    /// early then. So nothing is read under a limit for as long as a read of before can count.
    #[error("the store's clock was set forward by {by:?}: nothing is read under a limit for {wait:?}")]
    ClockSet {
        /// The length of the step.
        by: Duration,
        /// The longest lease and the longest span of a limit.
        wait: Duration,
    },
    /// Another checkout has the id: another provider, merchant, reference, environment or price.
    #[error("id: {id} is the id of another checkout")]
    OtherCheckout {
        /// The id.
        id: String,
    },
    /// Another checkout of the merchant has the reference of the draft.
    #[error("{reference} is the reference of the checkout {id}")]
    ReferenceTaken {
        /// The reference.
        reference: String,
        /// The id of the checkout that has it.
        id: String,
    },
    /// The shop's function failed. The news is told again.
    #[error("the news {key} was not taken")]
    NotTold {
        /// The key of the news.
        key: String,
        /// The shop's error.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// Code of the program's own panicked, and the engine goes on. A request of a transport that panics may
    /// have been sent. Other work is done again when its lease ends.
    #[error("{part} panicked")]
    Panicked {
        /// The part of the engine's work.
        part: &'static str,
    },
}

/// The merchant of an engine that serves one.
pub const DEFAULT_MERCHANT: &str = "default";
