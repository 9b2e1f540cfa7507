//! The loop of a process.

use super::{Engine, EngineError, Inner, Piece, clock, trace};
use crate::machine::Task;
use crate::store::{Ask, Claimed, ClaimedNews, Due, News, SUSPECT, Store, StoreError, Write};
use checkout_tables::Moment;
use checkout_transport::Transport;
use core::future::Future;
use core::pin::{Pin, pin};
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use std::error::Error;
use std::sync::Arc;
use std::time::Instant;
use tokio::time::{Instant as Timer, sleep_until, timeout};

/// The error of the shop's function: the news is told again.
type ShopError = Box<dyn Error + Send + Sync>;

/// The end of something that was under way.
enum Landed {
    Claimed(Instant, Result<Claimed, StoreError>),
    News(Result<Vec<ClaimedNews>, StoreError>),
    Worked { alone: bool },
    Told { alone: bool },
    Done,
}

type Flight<'f> = Pin<Box<dyn Future<Output = Landed> + Send + 'f>>;

/// What the loop knows.
struct Loop {
    /// The work under way.
    working: usize,
    /// The news that is being told.
    telling: usize,
    /// A question for news is under way.
    asking: bool,
    /// A claim is under way.
    claiming: bool,
    /// The work and tellings under way that may have killed processes: nothing else begins.
    alone: usize,
    /// The last claim left work behind, because there was no place in this process.
    more: bool,
    /// The pause after a store that failed.
    backoff: Duration,
}

impl<S: Store + 'static, T: Transport + 'static> Engine<S, T> {
    /// Works until `stop`: reads what is due, and tells the news by `tell`. Any number of processes run this.
    ///
    /// `tell` gets each news at least once, under a key that never changes, until it returns `Ok`. For
    /// exactly once, take the news in the transaction of your own database that does what follows from it:
    /// the store's crate has the statement.
    ///
    /// Once a minute the loop deletes events that nobody can repeat any more ([`Store::sweep`]).
    ///
    /// After `stop` the loop claims nothing more and begins nothing: work and news whose claim was under way
    /// are given back, and no create begins. A request under way ends within a third of the lease, a read
    /// that had to ask for a token first within two thirds, and a telling within its 60 seconds. Then the
    /// loop returns. No error ends the loop: errors go to [`on_error`](super::Builder::on_error), and the
    /// loop tries again.
    pub async fn run<Told>(&self, tell: impl Fn(News) -> Told + Send + Sync, stop: impl Future<Output = ()>)
    where
        Told: Future<Output = Result<(), ShopError>> + Send,
    {
        let inner = &self.0;
        let (mut stop, mut stopping, stopped) = (pin!(stop), false, &AtomicBool::new(false));
        let mut flights: FuturesUnordered<Flight<'_>> = FuturesUnordered::new();
        let mut state = Loop {
            working: 0,
            telling: 0,
            asking: false,
            claiming: false,
            alone: 0,
            more: false,
            backoff: Duration::ZERO,
        };
        let mut claim_at = Timer::now();
        let mut sweep_at = soon(SWEEP_EVERY);
        while !stopping || !flights.is_empty() {
            let room = inner.settings.at_once.saturating_sub(state.working);
            let may_claim = !stopping && !state.claiming && state.alone == 0 && room > 0;
            if may_claim && claim_at <= Timer::now() {
                state.claiming = true;
                claim_at = soon(inner.settings.poll_every);
                flights.push(Box::pin(async move {
                    let since = Instant::now();
                    Landed::Claimed(since, inner.claim(room).await)
                }));
            }
            if !stopping && sweep_at <= Timer::now() {
                sweep_at = soon(SWEEP_EVERY);
                flights.push(Box::pin(async {
                    if let Err(error) = inner.store.sweep(SWEPT_AT_ONCE).await {
                        inner.failed(error.into());
                    }
                    Landed::Done
                }));
            }
            tokio::select! {
                biased;
                () = &mut stop, if !stopping => {
                    stopping = true;
                    stopped.store(true, Ordering::Relaxed);
                },
                Some(landed) = flights.next(), if !flights.is_empty() => match landed {
                    Landed::Claimed(since, Ok(claimed)) => {
                        state.claiming = false;
                        state.backoff = Duration::ZERO;
                        claim_at = soon(state.after_claim(inner, &claimed, room));
                        let at = claimed.now;
                        for due in claimed.due {
                            if stopping {
                                flights.push(Box::pin(async move {
                                    inner.give_back(&due, at, since).await;
                                    Landed::Done
                                }));
                                continue;
                            }
                            let alone = due.tries > SUSPECT;
                            state.working = state.working.saturating_add(1);
                            state.alone = state.alone.saturating_add(alone.into());
                            let (piece, task) = inner.begin(due, at, since);
                            flights.push(Box::pin(async move {
                                if let Err(error) = inner.work(&piece, task, stopped).await {
                                    inner.failed(error);
                                }
                                Landed::Worked { alone }
                            }));
                        }
                        let may_tell = !stopping && !state.asking && state.alone == 0;
                        if claimed.news && may_tell && state.telling < NEWS_AT_ONCE {
                            state.asking = true;
                            let room = NEWS_AT_ONCE.saturating_sub(state.telling);
                            flights.push(Box::pin(async move { Landed::News(inner.claim_news(room).await) }));
                        }
                    }
                    Landed::Claimed(_, Err(error)) => {
                        state.claiming = false;
                        claim_at = soon(state.after_error());
                        inner.failed(error.into());
                    }
                    Landed::Worked { alone } => {
                        state.working = state.working.saturating_sub(1);
                        state.alone = state.alone.saturating_sub(alone.into());
                        if state.more && state.working <= inner.settings.at_once / 2 {
                            state.more = false;
                            claim_at = Timer::now();
                        }
                    }
                    Landed::News(claimed) => {
                        state.asking = false;
                        match claimed {
                            Ok(claimed) => for claimed in claimed {
                                if stopping {
                                    flights.push(Box::pin(async move {
                                        inner.give_news_back(&claimed).await;
                                        Landed::Done
                                    }));
                                    continue;
                                }
                                let alone = claimed.tries > SUSPECT;
                                state.telling = state.telling.saturating_add(1);
                                state.alone = state.alone.saturating_add(alone.into());
                                let told = tell(claimed.news.clone());
                                flights.push(Box::pin(async move {
                                    inner.tell(claimed, told).await;
                                    Landed::Told { alone }
                                }));
                            },
                            Err(error) => inner.failed(error.into()),
                        }
                    }
                    Landed::Done => {}
                    Landed::Told { alone } => {
                        state.telling = state.telling.saturating_sub(1);
                        state.alone = state.alone.saturating_sub(alone.into());
                        if state.telling == 0 {
                            claim_at = Timer::now();
                        }
                    }
                },
                () = inner.wake.notified(), if may_claim => claim_at = Timer::now(),
                () = inner.store.woken(), if may_claim => claim_at = Timer::now(),
                () = sleep_until(claim_at), if may_claim => {}
            }
        }
    }

    /// Does what is due now, and returns the pause until more is due: for a worker of your own, such as a job
    /// runner or a cron. The news of this step and of earlier ones is told.
    ///
    /// # Errors
    /// [`EngineError`], of the store. What was done is done.
    pub async fn step<Told>(&self, tell: impl Fn(News) -> Told + Send + Sync) -> Result<Duration, EngineError>
    where
        Told: Future<Output = Result<(), ShopError>> + Send,
    {
        let inner = &self.0;
        self.ready().await?;
        let since = Instant::now();
        let claimed = inner.claim(inner.settings.at_once).await;
        let claimed = claimed.map_err(EngineError::Store).inspect_err(|error| inner.note(error))?;
        let at = claimed.now;
        let (mut works, never) = (FuturesUnordered::new(), &AtomicBool::new(false));
        for due in claimed.due {
            let (piece, task) = inner.begin(due, at, since);
            works.push(async move {
                inner.work(&piece, task, never).await.inspect_err(|error| inner.note(error))
            });
        }
        let (mut any, mut result) = (false, Ok(()));
        while let Some(outcome) = works.next().await {
            any = true;
            result = result.and(outcome.map(drop));
        }
        // News is told whatever became of the work, and at once: the time of each telling has begun.
        let told: FuturesUnordered<_> = inner
            .claim_news(NEWS_AT_ONCE)
            .await?
            .into_iter()
            .map(|claimed| {
                let told = tell(claimed.news.clone());
                inner.tell(claimed, told)
            })
            .collect();
        any |= told.count().await > 0;
        result?;
        let wait = claimed.next.map(|next| next.saturating_since(inner.store.later(at, since)));
        let wait = wait.unwrap_or(inner.settings.poll_every).min(inner.settings.poll_every);
        Ok(if any { Duration::ZERO } else { wait })
    }
}

impl Loop {
    /// The pause until the next claim.
    fn after_claim<S: Store, T>(
        &mut self,
        inner: &Arc<Inner<S, T>>,
        claimed: &Claimed,
        room: usize,
    ) -> Duration {
        self.more = claimed.due.len() >= room;
        let next = claimed.next.map(|next| next.saturating_since(claimed.now));
        let pause = next.unwrap_or(inner.settings.poll_every).min(inner.settings.poll_every);
        // What is due now and was not claimed is with somebody else, or waits for a place here.
        if self.more { inner.settings.poll_every } else { pause.max(SHORTEST) }
    }

    fn after_error(&mut self) -> Duration {
        self.backoff = self.backoff.saturating_mul(2).clamp(Duration::from_millis(100), LONGEST);
        self.backoff
    }
}

impl<S: Store, T: Transport> Inner<S, T> {
    /// Claims work, but none for a while after the store's clock was set forward.
    async fn claim(&self, max: usize) -> Result<Claimed, StoreError> {
        self.ready.get_or_try_init(|| async { self.store.lanes(&self.machine.lanes()).await }).await?;
        let (lanes, lease) = (self.machine.lanes(), self.settings.lease);
        let span = clock::span(lease, &lanes);
        let lanes: Vec<String> = lanes.into_iter().map(|lane| lane.name).collect();
        let known = self.clock.known();
        let max = if known.wait(&self.store, span).is_zero() { max } else { 0 };
        let (before, since) = (Moment::now(), Instant::now());
        let mut claimed = self.store.claim(&Ask { lanes: &lanes, max, lease }).await?;
        // The store's clock was read in between.
        let (behind, ahead) =
            (claimed.now.saturating_since(Moment::now()), before.saturating_since(claimed.now));
        self.counters.clock_offset.set(behind.max(ahead));
        let by = self.clock.claimed(&self.store, &known, (claimed.now, since));
        if !by.is_zero() {
            self.failed(EngineError::ClockSet { by, wait: span });
            let due = core::mem::take(&mut claimed.due);
            join_all(due.iter().map(|due| self.give_back(due, claimed.now, since))).await;
        }
        let wait = self.clock.known().wait(&self.store, span);
        if !wait.is_zero() {
            claimed.next = Some(claimed.now.saturating_add(wait));
        }
        Ok(claimed)
    }

    /// Begins work that was just claimed.
    fn begin(&self, due: Due, at: Moment, since: Instant) -> (Piece, Task) {
        let piece = Piece::of(&due, at, since);
        self.counters.claims.count(piece.provider);
        self.counters.lag.record(piece.provider, due.late);
        if due.tries > 1 {
            self.counters.taken_over.count(piece.provider);
            piece.trace.within(trace::taken_over);
        }
        (piece, self.machine.next(due, self.store.later(at, since)))
    }

    /// Gives work back that nobody has begun: another process has it at once.
    async fn give_back(&self, due: &Due, at: Moment, since: Instant) {
        let piece = Piece::of(due, at, since);
        if let Err(error) = self.write(&piece, &Write::back(Duration::ZERO)).await {
            self.failed(error);
        }
    }

    /// The same for news that nobody was told.
    async fn give_news_back(&self, claimed: &ClaimedNews) {
        let again = Some(Duration::ZERO);
        if let Err(error) = self.store.news_told(&claimed.news.key, claimed.fence, again).await {
            self.failed(error.into());
        }
    }

    async fn claim_news(&self, max: usize) -> Result<Vec<ClaimedNews>, StoreError> {
        self.store.claim_news(max, NEWS_LEASE).await
    }

    /// Tells news, and ends the telling.
    async fn tell(&self, claimed: ClaimedNews, told: impl Future<Output = Result<(), ShopError>>) {
        let ClaimedNews { fence, failed, news, .. } = claimed;
        // A function that does not come back must not keep this process from the other news.
        let told = timeout(NEWS_LEASE, told).await;
        let again = match told.unwrap_or_else(|_| Err("no word within the time of the news' lease".into())) {
            Ok(()) => {
                self.counters.told.count("");
                None
            }
            Err(source) => {
                self.counters.not_told.count("");
                self.failed(EngineError::NotTold { key: news.key.clone(), source });
                Some(Duration::from_secs(2).saturating_mul(1 << failed.min(12)).min(NEWS_AGAIN))
            }
        };
        // News that is gone was taken by the shop's own transaction.
        if let Err(error) = self.store.news_told(&news.key, fence, again).await {
            self.failed(error.into());
        }
    }
}

fn soon(pause: Duration) -> Timer {
    let now = Timer::now();
    now.checked_add(pause.min(FAR)).unwrap_or(now)
}

/// A pause that no process waits out.
const FAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// The shortest pause between two claims of one process that has room.
const SHORTEST: Duration = Duration::from_millis(5);
const LONGEST: Duration = Duration::from_secs(5);
/// Each process deletes what time has made useless.
const SWEEP_EVERY: Duration = Duration::from_secs(60);
const SWEPT_AT_ONCE: usize = 1_000;
const NEWS_AT_ONCE: usize = 32;
/// The time that the shop's function has before the news is told by another process as well.
const NEWS_LEASE: Duration = Duration::from_secs(60);
const NEWS_AGAIN: Duration = Duration::from_secs(60 * 60);
