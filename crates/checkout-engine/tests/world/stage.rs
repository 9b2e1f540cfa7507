//! A store and a transport with gates. The test opens a gate, lets the call fail there, or drops the future
//! that waits there: a process that dies at this point.

use super::{Outcome, Providers};
use checkout_engine::{
    Ask, Checkout, Claimed, ClaimedNews, Decided, Decision, Figures, Filter, Inserted, Lane, Lease, Memory,
    New, News, Next, Nudge, Nudged, Overview, Provider, State, Store, StoreError, Subject, Unmatched, Write,
    Written,
};
use checkout_lifecycle::Moment;
use checkout_transport::{Request, Response, Transport, TransportError};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// The word of the test at a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Go,
    Fail,
}

/// A call that waits at a gate.
#[derive(Debug)]
pub(crate) struct Gate {
    pub(crate) number: u64,
    pub(crate) process: usize,
    pub(crate) point: &'static str,
    verdict: Option<Verdict>,
    waker: Option<Waker>,
}

/// A request on its way, which goes on without its sender.
pub(crate) struct Flight {
    pub(crate) number: u64,
    pub(crate) process: usize,
    pub(crate) request: Option<Request>,
    pub(crate) answer: Option<Result<Response, TransportError>>,
    /// The test's own mark: when the request or the answer arrives.
    pub(crate) at: Option<Duration>,
    has_answer: bool,
    waker: Option<Waker>,
}

#[derive(Default)]
pub(crate) struct Waiting {
    pub(crate) gates: Vec<Gate>,
    pub(crate) flights: Vec<Flight>,
    next: u64,
}

/// All gates of a test.
#[derive(Clone, Default)]
pub(crate) struct Stage(Arc<Mutex<Waiting>>);

impl Stage {
    pub(crate) fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits at a gate.
    pub(crate) fn pass(&self, process: usize, point: &'static str) -> Pass {
        Pass { stage: self.clone(), process, point, number: None }
    }

    /// Gives the word at a gate.
    pub(crate) fn open(&self, number: u64, verdict: Verdict) {
        let mut waiting = self.waiting();
        let Some(gate) = waiting.gates.iter_mut().find(|gate| gate.number == number) else { return };
        gate.verdict = Some(verdict);
        if let Some(waker) = gate.waker.take() {
            drop(waiting);
            waker.wake();
        }
    }

    /// The gates at which calls wait for a word: number, process and point.
    pub(crate) fn closed(&self) -> Vec<(u64, usize, &'static str)> {
        let waiting = self.waiting();
        let closed = waiting.gates.iter().filter(|gate| gate.verdict.is_none());
        closed.map(|gate| (gate.number, gate.process, gate.point)).collect()
    }

    /// Hands the answer to the sender, if the sender lives.
    pub(crate) fn land(&self, number: u64) {
        let mut waiting = self.waiting();
        let Some(flight) = waiting.flights.iter_mut().find(|flight| flight.number == number) else { return };
        flight.has_answer = true;
        if let Some(waker) = flight.waker.take() {
            drop(waiting);
            waker.wake();
        }
    }
}

/// A call at a gate.
pub(crate) struct Pass {
    stage: Stage,
    process: usize,
    point: &'static str,
    number: Option<u64>,
}

impl Future for Pass {
    type Output = Verdict;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Verdict> {
        let stage = self.stage.clone();
        let mut waiting = stage.waiting();
        let Some(number) = self.number else {
            waiting.next += 1;
            let number = waiting.next;
            let (process, point, waker) = (self.process, self.point, Some(cx.waker().clone()));
            waiting.gates.push(Gate { number, process, point, verdict: None, waker });
            self.number = Some(number);
            return Poll::Pending;
        };
        let Some(gate) = waiting.gates.iter_mut().find(|gate| gate.number == number) else {
            return Poll::Pending;
        };
        match gate.verdict {
            Some(verdict) => Poll::Ready(verdict),
            None => {
                gate.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.stage.waiting().gates.retain(|gate| gate.number != number);
        }
    }
}

/// A fault of the store, to show that the judge finds the fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sabotage {
    /// A write under an old fence is written all the same.
    IgnoresTheFence,
    /// A nudge is answered, and not noted.
    ForgetsNudges,
    /// No lane has a limit.
    ForgetsTheLimit,
    /// The news of a write is not kept.
    LosesNews,
    /// News is kept under two keys.
    TellsTwice,
    /// News is done when it is claimed.
    TellsAtMostOnce,
    /// An attempt is not saved before the send.
    SkipsTheSave,
    /// The mark of an attempt under way is gone at the next claim.
    ForgetsTheAttempt,
    /// A write of an end is not written.
    LosesEnds,
    /// A hold is cleared in each write.
    ClearsHolds,
    /// Checkouts under way are claimed with no lease at all, so that all processes have them.
    LeasesNothing,
}

/// A store with gates before and after each operation.
#[derive(Clone)]
pub(crate) struct GatedStore {
    pub(crate) inner: Arc<Memory>,
    pub(crate) stage: Stage,
    pub(crate) process: usize,
    pub(crate) sabotage: Option<Sabotage>,
}

impl GatedStore {
    async fn around<T: Send>(
        &self,
        points: [&'static str; 2],
        operation: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let [before, after] = points;
        self.at(before).await?;
        let done = operation.await?;
        self.at(after).await?;
        Ok(done)
    }

    async fn at(&self, point: &'static str) -> Result<(), StoreError> {
        match self.stage.pass(self.process, point).await {
            Verdict::Go => Ok(()),
            Verdict::Fail => Err(StoreError::Unavailable(point.into())),
        }
    }

    /// False for a write that is not to be written.
    fn spoil(&self, write: &mut Write) -> bool {
        match self.sabotage {
            Some(Sabotage::LosesNews) => write.news.clear(),
            Some(Sabotage::TellsTwice) => {
                let again = |news: &News| News { key: format!("{}/again", news.key), ..news.clone() };
                let again: Vec<News> = write.news.iter().map(again).collect();
                write.news.extend(again);
            }
            Some(Sabotage::SkipsTheSave) => return write.next != Next::Keep,
            Some(Sabotage::LosesEnds) => return !matches!(write.next, Next::Ended { .. }),
            Some(Sabotage::ClearsHolds) => {
                if let Some(checkout) = &mut write.checkout {
                    checkout.hold = None;
                }
                write.news.retain(|news| news.subject != Subject::Held);
            }
            Some(
                Sabotage::IgnoresTheFence
                | Sabotage::ForgetsNudges
                | Sabotage::ForgetsTheLimit
                | Sabotage::TellsAtMostOnce
                | Sabotage::ForgetsTheAttempt
                | Sabotage::LeasesNothing,
            )
            | None => {}
        }
        true
    }
}

impl Store for GatedStore {
    async fn now(&self) -> Result<Moment, StoreError> {
        self.around(["now.before", "now.after"], self.inner.now()).await
    }

    fn later(&self, at: Moment, since: Instant) -> Moment {
        self.inner.later(at, since)
    }

    async fn lanes(&self, lanes: &[Lane]) -> Result<(), StoreError> {
        let mut lanes = lanes.to_vec();
        if self.sabotage == Some(Sabotage::ForgetsTheLimit) {
            lanes.iter_mut().for_each(|lane| lane.limit = None);
        }
        self.around(["lanes.before", "lanes.after"], self.inner.lanes(&lanes)).await
    }

    async fn insert(&self, new: &New<'_>) -> Result<Inserted, StoreError> {
        self.around(["insert.before", "insert.after"], self.inner.insert(new)).await
    }

    async fn claim(&self, ask: &Ask<'_>) -> Result<Claimed, StoreError> {
        let mut ask = *ask;
        if self.sabotage == Some(Sabotage::LeasesNothing) {
            ask.lease = Duration::ZERO;
        }
        self.around(["claim.before", "claim.after"], async {
            let mut claimed = self.inner.claim(&ask).await?;
            for due in &mut claimed.due {
                let checkout = &mut due.checkout;
                if self.sabotage == Some(Sabotage::ForgetsTheAttempt)
                    && (checkout.provider, checkout.state) == (Provider::AllScale, State::Sending)
                {
                    let notes = checkout.notes.as_str();
                    let notes = notes.replace("\"under_way\":true", "\"under_way\":false");
                    checkout.notes = notes.into();
                }
            }
            Ok(claimed)
        })
        .await
    }

    async fn write(&self, lease: &Lease, write: &Write) -> Result<Written, StoreError> {
        self.around(["write.before", "write.after"], async {
            let mut write = write.clone();
            if !self.spoil(&mut write) {
                return Ok(Written::Done);
            }
            let written = self.inner.write(lease, &write).await?;
            match (self.sabotage, &write.checkout, self.inner.checkout(&lease.id).await?) {
                (Some(Sabotage::IgnoresTheFence), Some(late), Some(there)) if written == Written::Lost => {
                    let mut checkout = late.clone();
                    checkout.version = there.version;
                    let (work, news) = (!matches!(write.next, Next::Ended { .. }), write.news);
                    let forced =
                        Decision { checkout: &checkout, work, news, act: "late", by: "a", reason: "a" };
                    self.inner.decide(&forced).await
                }
                _ => Ok(written),
            }
        })
        .await
    }

    async fn nudge(&self, nudge: &Nudge<'_>) -> Result<Nudged, StoreError> {
        if self.sabotage == Some(Sabotage::ForgetsNudges) {
            return Ok(Nudged::Queued { id: String::new() });
        }
        self.around(["nudge.before", "nudge.after"], self.inner.nudge(nudge)).await
    }

    async fn decide(&self, decision: &Decision<'_>) -> Result<Written, StoreError> {
        self.around(["decide.before", "decide.after"], self.inner.decide(decision)).await
    }

    async fn claim_news(&self, max: usize, lease: Duration) -> Result<Vec<ClaimedNews>, StoreError> {
        self.around(["claim_news.before", "claim_news.after"], async {
            let claimed = self.inner.claim_news(max, lease).await?;
            if self.sabotage == Some(Sabotage::TellsAtMostOnce) {
                for claimed in &claimed {
                    let _ = self.inner.news_told(&claimed.news.key, claimed.fence, None).await?;
                }
            }
            Ok(claimed)
        })
        .await
    }

    async fn news_told(&self, key: &str, fence: i64, again: Option<Duration>) -> Result<Written, StoreError> {
        self.around(["news_told.before", "news_told.after"], self.inner.news_told(key, fence, again)).await
    }

    async fn checkout(&self, id: &str) -> Result<Option<Checkout>, StoreError> {
        self.around(["checkout.before", "checkout.after"], self.inner.checkout(id)).await
    }

    async fn overview(&self, filter: &Filter<'_>) -> Result<Vec<Overview>, StoreError> {
        self.around(["overview.before", "overview.after"], self.inner.overview(filter)).await
    }

    async fn unmatched(&self, after: i64, most: usize) -> Result<Vec<Unmatched>, StoreError> {
        self.around(["unmatched.before", "unmatched.after"], self.inner.unmatched(after, most)).await
    }

    async fn decisions(&self, id: &str) -> Result<Vec<Decided>, StoreError> {
        self.around(["decisions.before", "decisions.after"], self.inner.decisions(id)).await
    }

    async fn figures(&self) -> Result<Figures, StoreError> {
        self.around(["figures.before", "figures.after"], self.inner.figures()).await
    }

    async fn sweep(&self, max: usize) -> Result<usize, StoreError> {
        self.around(["sweep.before", "sweep.after"], self.inner.sweep(max)).await
    }
}

/// A transport whose requests the test delivers, or, without a network, a gate before and after each send.
#[derive(Clone)]
pub(crate) struct GatedTransport {
    pub(crate) providers: Providers,
    pub(crate) stage: Stage,
    pub(crate) process: usize,
    /// True if requests travel on their own.
    pub(crate) network: bool,
}

impl Transport for GatedTransport {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        if self.network {
            let number = {
                let mut waiting = self.stage.waiting();
                waiting.next += 1;
                let (number, process) = (waiting.next, self.process);
                let request = Some(request);
                let flight = Flight {
                    number,
                    process,
                    request,
                    answer: None,
                    at: None,
                    has_answer: false,
                    waker: None,
                };
                waiting.flights.push(flight);
                number
            };
            return Landing { stage: self.stage.clone(), number }.await;
        }
        if self.stage.pass(self.process, "send.before").await == Verdict::Fail {
            return Err(TransportError::not_sent("the gate is closed"));
        }
        let answer = self.providers.send(request).await;
        if self.stage.pass(self.process, "send.after").await == Verdict::Fail {
            return Err(TransportError::unknown("the answer is lost"));
        }
        answer
    }
}

struct Landing {
    stage: Stage,
    number: u64,
}

impl Future for Landing {
    type Output = Result<Response, TransportError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut waiting = self.stage.waiting();
        let Some(at) = waiting.flights.iter().position(|flight| flight.number == self.number) else {
            return Poll::Ready(Err(TransportError::unknown("the connection broke")));
        };
        match waiting.flights.get_mut(at) {
            Some(flight) if !flight.has_answer => {
                flight.waker = Some(cx.waker().clone());
                Poll::Pending
            }
            _ => {
                let flight = waiting.flights.remove(at);
                Poll::Ready(flight.answer.unwrap_or_else(|| Err(TransportError::unknown("no answer"))))
            }
        }
    }
}

/// Polls a future by hand, and opens its gates but for the first at this point, where the call fails.
pub(crate) async fn fails_at<T>(stage: &Stage, future: impl Future<Output = T>, point: &str) -> Outcome<T> {
    let mut future = Box::pin(tokio::task::unconstrained(future));
    let mut verdict = Verdict::Fail;
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return Ok(done);
        }
        let Some((number, _, at)) = stage.closed().first().copied() else {
            return Err("the future waits for something else than a gate".into());
        };
        stage.open(
            number,
            if at == point { std::mem::replace(&mut verdict, Verdict::Go) } else { Verdict::Go },
        );
    }
}

/// Polls a future by hand, and opens its gates one after another until the gate with this number in their
/// order, where the future is dropped. True if the future came to its end before.
pub(crate) async fn dies_at<T>(
    stage: &Stage,
    future: impl Future<Output = T>,
    gate: usize,
) -> Outcome<Option<T>> {
    let mut future = Box::pin(tokio::task::unconstrained(future));
    for passed in 0..10_000 {
        if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return Ok(Some(done));
        }
        let Some((number, ..)) = stage.closed().first().copied() else {
            return Err("the future waits for something else than a gate".into());
        };
        if passed == gate {
            return Ok(None);
        }
        stage.open(number, Verdict::Go);
    }
    Err("the future has no end".into())
}
