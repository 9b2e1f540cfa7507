//! The loop of a process.

use super::stop::Stop;
use super::{Engine, EngineError, Inner, Piece, clock, trace};
use crate::caught::caught;
use crate::store::{Ask, Claimed, ClaimedNews, Due, Lane, News, SUSPECT, Store, StoreError, Write};
use checkout_tables::Moment;
use checkout_transport::Transport;
use core::future::Future;
use core::pin::{Pin, pin};
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

/// The end of something that was under way. Nothing is left of what failed but its report.
enum Landed {
    Claimed(Instant, Option<Claimed>),
    News(Option<Vec<ClaimedNews>>),
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
    /// the store's crate has the statement. News whose tellings end their processes is put aside: after six
    /// of them the checkout is held, and a person's release brings the news back.
    ///
    /// Once a minute the loop deletes events that nobody can repeat any more ([`Store::sweep`]).
    ///
    /// After `stop` the loop claims nothing more and begins nothing: work and news whose claim was under way
    /// are given back, and no request begins. What is under way has a third of the lease. A request ends in
    /// that time; a telling that does not is dropped, and its news is given back to be told by another
    /// process, under the same key; and a write that the database does not take is tried for as long. Then
    /// the loop returns. A store that does not answer at all keeps the loop for another third at most, and
    /// its work is taken over at the end of the lease. A `tell` that blocks its thread cannot be dropped.
    ///
    /// No error and no panic of `tell`, of the transport or of [`on_error`](super::Builder::on_error) ends
    /// the loop: errors go to `on_error`, and the loop tries again. A request whose transport panicked counts
    /// as a request without an answer.
    pub async fn run<Told>(&self, tell: impl Fn(News) -> Told + Send + Sync, stop: impl Future<Output = ()>)
    where
        Told: Future<Output = Result<(), ShopError>> + Send,
    {
        let (inner, tell, stopped) = (&self.0, &tell, &Stop::default());
        let (mut stop, mut stopping) = (pin!(stop), false);
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
        let mut return_at = soon(FAR);
        while !stopping || !flights.is_empty() {
            let room = inner.settings.at_once.saturating_sub(state.working);
            let may_claim = !stopping && !state.claiming && state.alone == 0 && room > 0;
            if may_claim && claim_at <= Timer::now() {
                state.claiming = true;
                claim_at = soon(inner.settings.poll_every);
                flights.push(Box::pin(async move {
                    let since = Instant::now();
                    let claimed = inner.reported("a claim", async { Ok(inner.claim(room, stopped).await?) });
                    Landed::Claimed(since, claimed.await)
                }));
            }
            if !stopping && sweep_at <= Timer::now() {
                sweep_at = soon(SWEEP_EVERY);
                flights.push(Box::pin(async {
                    let sweep = async { Ok(inner.store.sweep(SWEPT_AT_ONCE).await?) };
                    inner.reported("a sweep", sweep).await;
                    Landed::Done
                }));
            }
            tokio::select! {
                biased;
                () = &mut stop, if !stopping => {
                    stopping = true;
                    stopped.comes(soon(inner.settings.timeout()));
                    return_at = soon(inner.settings.timeout().saturating_mul(2));
                },
                Some(landed) = flights.next(), if !flights.is_empty() => match landed {
                    Landed::Claimed(since, Some(claimed)) => {
                        state.claiming = false;
                        state.backoff = Duration::ZERO;
                        claim_at = soon(state.after_claim(inner, &claimed, room));
                        let at = claimed.now;
                        for due in claimed.due {
                            if stopping {
                                flights.push(Box::pin(async move {
                                    let back = inner.give_back(&due, at, since, stopped);
                                    inner.reported("a stop", back).await;
                                    Landed::Done
                                }));
                                continue;
                            }
                            let alone = due.tries > SUSPECT;
                            state.working = state.working.saturating_add(1);
                            state.alone = state.alone.saturating_add(alone.into());
                            flights.push(Box::pin(async move {
                                let work = inner.begin(due, at, since, stopped);
                                inner.reported("a piece of work", work).await;
                                Landed::Worked { alone }
                            }));
                        }
                        let may_tell = !stopping && !state.asking && state.alone == 0;
                        if claimed.news && may_tell && state.telling < NEWS_AT_ONCE {
                            state.asking = true;
                            let room = NEWS_AT_ONCE.saturating_sub(state.telling);
                            flights.push(Box::pin(async move {
                                let claimed = async { Ok(inner.claim_news(room).await?) };
                                Landed::News(inner.reported("a claim of news", claimed).await)
                            }));
                        }
                    }
                    Landed::Claimed(_, None) => {
                        state.claiming = false;
                        claim_at = soon(state.after_error());
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
                        for claimed in claimed.into_iter().flatten() {
                            if stopping {
                                flights.push(Box::pin(async move {
                                    inner.reported("a stop", inner.give_news_back(&claimed)).await;
                                    Landed::Done
                                }));
                                continue;
                            }
                            let alone = claimed.tries > SUSPECT;
                            state.telling = state.telling.saturating_add(1);
                            state.alone = state.alone.saturating_add(alone.into());
                            flights.push(Box::pin(async move {
                                inner.reported("a telling", inner.tell(claimed, tell, stopped)).await;
                                Landed::Told { alone }
                            }));
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
                () = sleep_until(return_at), if stopping => return,
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
    /// [`EngineError`], of the store or of a panic in the work. What was done is done.
    pub async fn step<Told>(&self, tell: impl Fn(News) -> Told + Send + Sync) -> Result<Duration, EngineError>
    where
        Told: Future<Output = Result<(), ShopError>> + Send,
    {
        let (inner, tell, never) = (&self.0, &tell, &Stop::default());
        self.ready().await?;
        let since = Instant::now();
        let claimed = inner.claim(inner.settings.at_once, never).await;
        let claimed = claimed.map_err(EngineError::Store).inspect_err(|error| inner.note(error))?;
        let at = claimed.now;
        let works = claimed.due.into_iter().map(|due| async move {
            let work = caught(inner.begin(due, at, since, never)).await;
            let work = work.unwrap_or(Err(EngineError::Panicked { part: "a piece of work" }));
            work.inspect_err(|error| inner.note(error))
        });
        let mut works: FuturesUnordered<_> = works.collect();
        let (mut any, mut result) = (false, Ok(()));
        while let Some(outcome) = works.next().await {
            any = true;
            result = result.and(outcome);
        }
        // News is told whatever became of the work, and at once: the time of each telling has begun.
        let told: FuturesUnordered<_> = inner
            .claim_news(NEWS_AT_ONCE)
            .await?
            .into_iter()
            .map(|claimed| inner.reported("a telling", inner.tell(claimed, tell, never)))
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
    /// Claims work, but none under a limit for a while after the store's clock was set forward.
    async fn claim(&self, max: usize, stop: &Stop) -> Result<Claimed, StoreError> {
        self.ready.get_or_try_init(|| async { self.store.lanes(&self.machine.lanes()).await }).await?;
        let (lanes, lease) = (self.machine.lanes(), self.settings.lease);
        let span = clock::span(lease, &lanes);
        let known = self.clock.known();
        let rests = !known.wait(&self.store, span).is_zero();
        let (limited, free): (Vec<_>, Vec<_>) = lanes.into_iter().partition(|lane| lane.limit.is_some());
        let asked = free.into_iter().chain(limited.iter().filter(|_| !rests).cloned());
        let lanes: Vec<String> = asked.map(|lane| lane.name).collect();
        let (before, since) = (Moment::now(), Instant::now());
        let mut claimed = self.store.claim(&Ask { lanes: &lanes, max, lease }).await?;
        // The store's clock was read in between.
        let (behind, ahead) =
            (claimed.now.saturating_since(Moment::now()), before.saturating_since(claimed.now));
        self.counters.clock_offset.set(behind.max(ahead));
        let by = self.clock.claimed(&self.store, &known, (claimed.now, since));
        if !by.is_zero() {
            self.failed(EngineError::ClockSet { by, wait: span });
            let is_limited = |due: &Due| {
                let name = Lane::name_of(due.checkout.provider, &due.checkout.merchant);
                limited.iter().any(|lane| lane.name == name)
            };
            let (resting, due) = claimed.due.into_iter().partition(is_limited);
            claimed.due = due;
            let resting: Vec<Due> = resting;
            join_all(resting.iter().map(|due| async {
                let back = self.give_back(due, claimed.now, since, stop);
                self.reported("a clock that was set", back).await
            }))
            .await;
        }
        let wait = self.clock.known().wait(&self.store, span);
        if !wait.is_zero() && !limited.is_empty() {
            let open = claimed.now.saturating_add(wait);
            claimed.next = Some(claimed.next.map_or(open, |next| next.min(open)));
        }
        Ok(claimed)
    }

    /// What is done of the engine's work. An error or a panic is reported, and ends nothing else.
    async fn reported<O>(
        &self,
        part: &'static str,
        work: impl Future<Output = Result<O, EngineError>>,
    ) -> Option<O> {
        let done = caught(work).await.unwrap_or(Err(EngineError::Panicked { part }));
        done.map_err(|error| self.failed(error)).ok()
    }

    /// Begins work that was just claimed, and does it.
    async fn begin(&self, due: Due, at: Moment, since: Instant, stop: &Stop) -> Result<(), EngineError> {
        let piece = Piece::of(&due, at, since);
        self.counters.claims.count(piece.provider);
        self.counters.lag.record(piece.provider, due.late);
        if due.tries > 1 {
            self.counters.taken_over.count(piece.provider);
            piece.trace.within(trace::taken_over);
        }
        let task = self.machine.next(due, self.store.later(at, since));
        self.work(&piece, task, stop).await.map(drop)
    }

    /// Gives work back that nobody has begun: another process has it at once.
    async fn give_back(&self, due: &Due, at: Moment, since: Instant, stop: &Stop) -> Result<(), EngineError> {
        let piece = Piece::of(due, at, since);
        self.write(&piece, &Write::back(Duration::ZERO), stop).await.map(drop)
    }

    /// The same for news.
    async fn give_news_back(&self, claimed: &ClaimedNews) -> Result<(), EngineError> {
        // News that is gone was taken by the shop's own transaction.
        let _ = self.store.news_told(&claimed.news.key, claimed.fence, Some(Duration::ZERO)).await?;
        Ok(())
    }

    async fn claim_news(&self, max: usize) -> Result<Vec<ClaimedNews>, StoreError> {
        self.store.claim_news(max, NEWS_LEASE).await
    }

    /// Tells news, and ends the telling.
    async fn tell<Told>(
        &self,
        claimed: ClaimedNews,
        tell: impl Fn(News) -> Told,
        stop: &Stop,
    ) -> Result<(), EngineError>
    where
        Told: Future<Output = Result<(), ShopError>>,
    {
        if claimed.is_quarantined() {
            return self.put_aside(&claimed).await;
        }
        let news = claimed.news.clone();
        // A function that does not come back must not keep this process from the other news.
        let told = caught(async { timeout(NEWS_LEASE, tell(news)).await });
        let told = tokio::select! {
            biased;
            told = told => told,
            () = stop.over() => return self.give_news_back(&claimed).await,
        };
        let told = match told {
            Ok(Ok(told)) => told,
            Ok(Err(_)) => Err("no word within the time of the news' lease".into()),
            Err(panicked) => {
                self.counters.panics.count("");
                Err(panicked.into())
            }
        };
        let again = match told {
            Ok(()) => {
                self.counters.told.count("");
                None
            }
            Err(source) => {
                self.counters.not_told.count("");
                self.failed(EngineError::NotTold { key: claimed.news.key.clone(), source });
                let pause = Duration::from_secs(2).saturating_mul(1 << claimed.failed.min(12));
                Some(pause.min(NEWS_AGAIN))
            }
        };
        // News that is gone was taken by the shop's own transaction.
        let _ = self.store.news_told(&claimed.news.key, claimed.fence, again).await?;
        Ok(())
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
