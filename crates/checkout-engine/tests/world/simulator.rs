//! Several processes over one store, in virtual time, by a seed.

#![allow(clippy::large_enum_variant, clippy::wildcard_enum_match_arm, reason = "a test has few values")]

use crate::world::hooks::{Event, Hook};
use crate::world::judge::{Case, book, over_the_limit};
use crate::world::stage::{Flight, GatedStore, GatedTransport, Sabotage, Stage, Verdict};
use crate::world::{Outcome, Providers, drafts, engine_over};
use checkout_engine::{
    Checkout, DEFAULT_MERCHANT, Engine, Filter, Memory, News, Nudge, Nudged, State, Store as _, Target,
};
use checkout_lifecycle::Moment;
use checkout_sandbox::{allscale, azotte, peach};
use checkout_transport::{Request, Response, TransportError};
use std::collections::{BTreeMap, BTreeSet};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;
use tokio::time::{Instant as Timer, sleep_until};

/// Numbers by a seed.
#[derive(Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).unwrap_or(1);
        usize::try_from(self.number() % end).unwrap_or(0)
    }

    pub(crate) fn chance(&mut self, permille: u32) -> bool {
        self.below(1000) < permille as usize
    }

    fn millis(&mut self, end: u64) -> Duration {
        Duration::from_millis(self.number() % end.max(1))
    }
}

/// What goes wrong, in thousandths of the occasions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) processes: usize,
    pub(crate) checkouts: usize,
    /// Of gates: the process dies there.
    pub(crate) kills: u32,
    /// Of gates of the store and of the shop: an error.
    pub(crate) errors: u32,
    /// Of requests: a fault of the sandbox.
    pub(crate) faults: u32,
    /// Of requests: the network is slow.
    pub(crate) slow: u32,
    /// Of gates: the process stops there for up to two minutes, and goes on as if nothing had happened.
    pub(crate) stalls: u32,
    /// Of webhooks: lost for good.
    pub(crate) lost_hooks: u32,
    /// Of checkouts that are held: a person decides.
    pub(crate) persons: u32,
    /// A run that takes more steps has no end.
    pub(crate) most_steps: u64,
    pub(crate) sabotage: Option<Sabotage>,
    /// The network sends each request twice.
    pub(crate) doubles: bool,
    /// The provider says of each intent that it is paid.
    pub(crate) lies: bool,
    /// The scenario of every checkout of AllScale, where it is not by chance.
    pub(crate) scenario: Option<&'static str>,
    /// The providers of the checkouts, by the numbers of `drafts_of`.
    pub(crate) kinds: &'static [usize],
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            processes: 3,
            checkouts: 20,
            kills: 4,
            errors: 10,
            faults: 60,
            slow: 100,
            stalls: 5,
            lost_hooks: 200,
            persons: 200,
            most_steps: 200_000,
            sabotage: None,
            doubles: false,
            lies: false,
            scenario: None,
            kinds: &[0, 1, 2, 3, 4],
        }
    }
}

/// The result of a run.
#[derive(Debug, Default)]
pub(crate) struct Verdicts {
    pub(crate) steps: u64,
    pub(crate) kills: u64,
    pub(crate) broken: Vec<String>,
    pub(crate) states: BTreeMap<(State, bool), usize>,
}

type Node = Engine<GatedStore, GatedTransport>;
type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

struct Flag {
    awake: AtomicBool,
    outer: Arc<Mutex<Option<Waker>>>,
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.awake.store(true, Ordering::SeqCst);
        if let Some(waker) = lock(&self.outer).take() {
            waker.wake();
        }
    }
}

struct Running {
    work: Work,
    flag: Arc<Flag>,
}

#[derive(Default)]
struct Process {
    node: Option<Node>,
    stopped_until: Option<Duration>,
    running: Vec<Running>,
}

/// What happens at a moment of the script.
enum Happening {
    Create(usize),
    Start(usize),
    Nudge(usize),
    Deliver { hook: Hook, delivery: u32 },
    Person,
}

/// What the shop knows.
#[derive(Default)]
struct Shop {
    told: Vec<News>,
    /// The creates that gave a row.
    made: BTreeSet<usize>,
    /// The events that were answered with 200.
    taken: Vec<(Event, Moment)>,
    acts: BTreeMap<String, Vec<&'static str>>,
    /// The handlers that failed, for the next try.
    again: Vec<Happening>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) struct Simulator {
    plan: Plan,
    dice: Dice,
    providers: Providers,
    store: Arc<Memory>,
    stage: Stage,
    processes: Vec<Process>,
    shop: Arc<Mutex<Shop>>,
    script: BTreeMap<(Duration, u64), Happening>,
    sequence: u64,
    outer: Arc<Mutex<Option<Waker>>>,
    begin: Timer,
    base: Moment,
    hooks_until: Option<Moment>,
    result: Verdicts,
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Connections end after ten seconds, as the engine's requests do: what has not arrived by then never
/// arrives.
const CONNECTION: u64 = 9_000;

/// The id of a checkout, which is the reference as well.
fn id_of(number: usize) -> String {
    format!("order{number:04}")
}

impl Simulator {
    /// One run. The same seed and plan give the same run.
    pub(crate) fn run(seed: u64, plan: Plan) -> Outcome<Verdicts> {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
        runtime.block_on(tokio::task::unconstrained(async move { Self::new(seed, plan).play().await }))
    }

    fn new(seed: u64, plan: Plan) -> Self {
        let providers = Providers::with_two_merchants_of_peach(seed);
        let clock = providers.clock.clone();
        let base = clock.now();
        Self {
            plan,
            dice: Dice::new(seed),
            providers,
            store: Arc::new(Memory::with_clock(move || clock.now())),
            stage: Stage::default(),
            processes: (0..plan.processes).map(|_| Process::default()).collect(),
            shop: Arc::default(),
            script: BTreeMap::new(),
            sequence: 0,
            outer: Arc::default(),
            begin: Timer::now(),
            base,
            hooks_until: None,
            result: Verdicts::default(),
        }
    }

    fn passed(&self) -> Duration {
        Timer::now().duration_since(self.begin)
    }

    fn later(&mut self, after: Duration, happening: Happening) {
        self.sequence += 1;
        self.script.insert((self.passed() + after, self.sequence), happening);
    }

    async fn play(mut self) -> Outcome<Verdicts> {
        for process in 0..self.plan.processes {
            self.start(process)?;
        }
        for number in 0..self.plan.checkouts {
            let after = self.dice.millis(20 * 60 * 1000);
            self.later(after, Happening::Create(number));
        }
        let end = DAY * 80;
        while self.passed() < end {
            self.result.steps += 1;
            if self.result.steps > self.plan.most_steps {
                self.result.broken.push(format!("lost: no end after {} steps", self.plan.most_steps));
                return Ok(self.result);
            }
            self.providers.clock.advance_to(self.base.saturating_add(self.passed()));
            self.collect_hooks();
            self.poll_all();
            let again = std::mem::take(&mut lock(&self.shop).again);
            for happening in again {
                let after = self.dice.millis(60_000);
                self.later(after, happening);
            }
            if self.dice.chance(500) && self.happens_now()? {
                continue;
            }
            if self.acts() || self.happens_now()? {
                continue;
            }
            if self.is_over().await? {
                break;
            }
            self.wait(end).await;
        }
        let events = self.unanswered().await?;
        // What the providers say in the end.
        self.providers.clock.advance_to(self.base.saturating_add(end));
        self.judge(events).await
    }

    /// Nothing is left to do, now and later.
    async fn is_over(&self) -> Outcome<bool> {
        if !self.script.is_empty()
            || self.stage.waiting().flights.iter().any(|flight| flight.request.is_some())
        {
            return Ok(false);
        }
        let figures = self.store.figures().await?;
        Ok((figures.work, figures.news) == (0, 0)
            && self.hooks_until.is_none()
            && self.stage.closed().is_empty())
    }

    fn start(&mut self, process: usize) -> Outcome {
        let store = GatedStore {
            inner: Arc::clone(&self.store),
            stage: self.stage.clone(),
            process,
            sabotage: self.plan.sabotage,
        };
        let (providers, stage) = (self.providers.clone(), self.stage.clone());
        let node = engine_over(store, GatedTransport { providers, stage, process, network: true })?;
        let (engine, shop, stage) = (node.clone(), Arc::clone(&self.shop), self.stage.clone());
        let tell = move |news: News| {
            let (shop, stage) = (Arc::clone(&shop), stage.clone());
            async move {
                if stage.pass(process, "tell.before").await == Verdict::Fail {
                    return Err("the shop is busy".into());
                }
                lock(&shop).told.push(news);
                match stage.pass(process, "tell.after").await {
                    Verdict::Go => Ok(()),
                    Verdict::Fail => Err("the shop did it, and says no".into()),
                }
            }
        };
        if let Some(one) = self.processes.get_mut(process) {
            one.node = Some(node);
        }
        self.spawn(process, async move { engine.run(tell, std::future::pending()).await });
        Ok(())
    }

    fn spawn(&mut self, process: usize, work: impl Future<Output = ()> + Send + 'static) {
        let flag = Arc::new(Flag { awake: AtomicBool::new(true), outer: Arc::clone(&self.outer) });
        if let Some(process) = self.processes.get_mut(process) {
            process.running.push(Running { work: Box::pin(work), flag });
        }
    }

    fn kill(&mut self, process: usize) {
        let Some(one) = self.processes.get_mut(process) else { return };
        one.running.clear();
        (one.node, one.stopped_until) = (None, None);
        self.result.kills += 1;
        let after = self.dice.millis(90_000);
        self.later(after, Happening::Start(process));
    }

    fn poll_all(&mut self) {
        let now = self.passed();
        for process in &mut self.processes {
            process.stopped_until = process.stopped_until.filter(|until| *until > now);
        }
        loop {
            let mut any = false;
            for process in self.processes.iter_mut().filter(|process| process.stopped_until.is_none()) {
                process.running.retain_mut(|running| {
                    if !running.flag.awake.swap(false, Ordering::SeqCst) {
                        return true;
                    }
                    any = true;
                    let waker = Waker::from(Arc::clone(&running.flag));
                    running.work.as_mut().poll(&mut Context::from_waker(&waker)).is_pending()
                });
            }
            if !any {
                break;
            }
        }
    }

    /// Does one of the things that can happen now, by chance. False if there is none.
    fn acts(&mut self) -> bool {
        let now = self.passed();
        let mut closed = self.stage.closed();
        closed.retain(|(_, process, _)| {
            self.processes.get(*process).is_some_and(|process| process.stopped_until.is_none())
        });
        let mut flights: Vec<(u64, bool)> = Vec::new();
        {
            let mut waiting = self.stage.waiting();
            for flight in waiting.flights.iter_mut() {
                let on_the_way = flight.request.is_some();
                if on_the_way && flight.at.is_none() {
                    let slow = self.dice.chance(self.plan.slow);
                    let wait = self.dice.millis(if slow { CONNECTION } else { 50 });
                    flight.at = Some(now + wait);
                }
                if flight.at.is_some_and(|at| at <= now) {
                    flights.push((flight.number, on_the_way));
                }
            }
            // The sender may be gone: its answer is of no use to anybody.
            waiting.flights.retain(|flight| flight.request.is_some() || flight.at.is_some());
        }
        let all = closed.len() + flights.len();
        if all == 0 {
            return false;
        }
        let chosen = self.dice.below(all);
        match closed.get(chosen).copied() {
            Some((number, process, point)) => {
                let is_run = !point.starts_with("checkout");
                if self.dice.chance(self.plan.kills) {
                    self.kill(process);
                } else if self.dice.chance(self.plan.stalls) {
                    let until = now + self.dice.millis(120_000);
                    if let Some(process) = self.processes.get_mut(process) {
                        process.stopped_until = Some(until);
                    }
                } else if is_run && self.dice.chance(self.plan.errors) {
                    self.stage.open(number, Verdict::Fail);
                } else {
                    self.stage.open(number, Verdict::Go);
                }
            }
            None => {
                if let Some((number, on_the_way)) = flights.get(chosen - closed.len()).copied() {
                    if on_the_way { self.arrive(number) } else { self.answer(number) }
                }
            }
        }
        true
    }

    /// The request reaches the provider.
    fn arrive(&mut self, number: u64) {
        let (request, process) = {
            let mut waiting = self.stage.waiting();
            let Some(flight) = waiting.flights.iter_mut().find(|flight| flight.number == number) else {
                return;
            };
            (flight.request.take(), flight.process)
        };
        let Some(request) = request else { return };
        let again = self.plan.doubles.then(|| request.clone());
        let answer = self.exchange(request);
        if let Some(request) = again {
            drop(self.exchange(request));
        }
        // A kill between the deed and the answer is the costly one.
        if self.dice.chance(self.plan.kills * 4) {
            self.kill(process);
        }
        let slow = self.dice.chance(self.plan.slow);
        let wait = self.dice.millis(if slow { 2 * CONNECTION } else { 50 });
        let at = self.passed() + wait;
        let mut waiting = self.stage.waiting();
        if let Some(flight) = waiting.flights.iter_mut().find(|flight| flight.number == number) {
            (flight.answer, flight.at) = (Some(answer), Some(at));
        }
    }

    fn answer(&mut self, number: u64) {
        self.stage.land(number);
        // Nobody waits for the same answer twice.
        let mut waiting = self.stage.waiting();
        if let Some(Flight { at, .. }) = waiting.flights.iter_mut().find(|flight| flight.number == number) {
            *at = None;
        }
    }

    fn exchange(&mut self, request: Request) -> Result<Response, TransportError> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let strikes = self.dice.chance(self.plan.faults);
        let (fault, scenario) = (self.dice.below(64), self.dice.below(64));
        fn pick(list: &[&'static str], number: usize) -> &'static str {
            list.get(number % list.len().max(1)).copied().unwrap_or_default()
        }
        if host.contains("allscale") {
            let name = self.plan.scenario.unwrap_or(pick(&allscale::Scenario::NAMES, scenario));
            if self.plan.lies {
                let path = request.uri().path().to_owned();
                let reads = request.method() == "GET" && path.len() > "/v1/checkout_intents/".len();
                let lie = reads.then_some(allscale::Fault::TamperedStatus(20));
                return self
                    .providers
                    .allscale
                    .exchange_through(request, lie, allscale::Scenario::by_name(name))
                    .into_result();
            }
            let fault = strikes.then(|| pick(ALLSCALE_FAULTS, fault));
            let fault = fault.and_then(|name| allscale::Fault::by_name(name, value_of(name)).ok());
            let scenario = allscale::Scenario::by_name(name);
            self.providers.allscale.exchange_through(request, fault, scenario).into_result()
        } else if host.contains("azotte") {
            let fault = strikes.then(|| pick(AZOTTE_FAULTS, fault));
            let fault = fault.and_then(|name| azotte::Fault::by_name(name, value_of(name)).ok());
            let scenario = azotte::Scenario::by_name(pick(&azotte::Scenario::NAMES, scenario));
            self.providers.azotte.exchange_through(request, fault, scenario).into_result()
        } else {
            let fault = strikes.then(|| pick(PEACH_FAULTS, fault));
            let fault = fault.and_then(|name| peach::Fault::by_name(name, value_of(name)).ok());
            let scenario = peach::Scenario::by_name(pick(&peach::Scenario::NAMES, scenario));
            let sandbox = if Providers::is_v2(&request) { &self.providers.v2 } else { &self.providers.peach };
            sandbox.exchange_through(request, fault, scenario).into_result()
        }
    }

    /// Takes the webhooks that are due, and knows when the next ones are.
    fn collect_hooks(&mut self) {
        let now = self.providers.clock.now();
        if self.hooks_until.is_some_and(|at| at > now) {
            return;
        }
        let Providers { allscale, azotte, peach, v2, .. } = &self.providers;
        let mut hooks: Vec<Hook> = allscale.take_webhooks().into_iter().map(Hook::AllScale).collect();
        hooks.extend(peach.take_webhooks().into_iter().map(|hook| Hook::Peach(hook, DEFAULT_MERCHANT)));
        hooks.extend(v2.take_webhooks().into_iter().map(|hook| Hook::Peach(hook, "v2")));
        let next = [allscale.next_change(), azotte.next_change(), peach.next_change(), v2.next_change()];
        self.hooks_until = next.into_iter().flatten().min();
        for hook in hooks {
            if self.dice.chance(self.plan.lost_hooks) {
                continue;
            }
            for delivery in 0..=u32::from(self.dice.chance(300)) {
                let late = if self.dice.chance(100) { 5 * 24 * 3_600_000 } else { 30_000 };
                let after = self.dice.millis(late);
                self.later(after, Happening::Deliver { hook: hook.clone(), delivery });
            }
        }
    }

    fn happens_now(&mut self) -> Outcome<bool> {
        let now = self.passed();
        let Some(entry) = self.script.first_entry() else { return Ok(false) };
        if entry.key().0 > now {
            return Ok(false);
        }
        let happening = entry.remove();
        if let Happening::Start(process) = happening {
            self.start(process)?;
            return Ok(true);
        }
        // Any process that lives.
        let alive: Vec<usize> = self
            .processes
            .iter()
            .enumerate()
            .filter(|(_, process)| process.node.is_some() && process.stopped_until.is_none())
            .map(|(number, _)| number)
            .collect();
        let chosen = self.dice.below(alive.len());
        let node = alive.get(chosen).and_then(|process| {
            let node = self.processes.get(*process)?.node.clone()?;
            Some((*process, node))
        });
        let Some((process, node)) = node else {
            self.later(Duration::from_secs(5), happening);
            return Ok(true);
        };
        self.handle(process, node, happening)?;
        Ok(true)
    }

    /// Begins the handler of a request to the shop, in a process.
    fn handle(&mut self, process: usize, node: Node, happening: Happening) -> Outcome {
        let shop = Arc::clone(&self.shop);
        match happening {
            Happening::Create(number) => {
                let (id, kinds) = (id_of(number), self.plan.kinds);
                let kind = kinds.get(number % kinds.len().max(1)).copied().unwrap_or_default();
                let (merchant, draft) = match kind {
                    0 => (DEFAULT_MERCHANT, drafts::allscale(&id)?),
                    1 => (DEFAULT_MERCHANT, drafts::coin(&id)?),
                    2 => (DEFAULT_MERCHANT, drafts::azotte(&id)?),
                    3 => (DEFAULT_MERCHANT, drafts::peach(&id)?),
                    _ => ("v2", drafts::peach(&id)?),
                };
                // A shop whose process dies asks again.
                self.later(Duration::from_secs(120), Happening::Nudge(number));
                let retry = Retry { shop: Arc::clone(&shop), happening: Some(Happening::Create(number)) };
                self.spawn(process, async move {
                    if node.create_for(merchant, &id, draft).await.is_ok() {
                        retry.done();
                        lock(&shop).made.insert(number);
                    }
                });
            }
            Happening::Nudge(number) => {
                let id = id_of(number);
                self.spawn(process, async move { drop(node.nudge(&id).await) });
            }
            Happening::Deliver { hook, delivery } => {
                let now = self.providers.clock.now();
                let event = hook.verified(now, delivery)?;
                let happening = Some(Happening::Deliver { hook, delivery: delivery + 10 });
                let retry = Retry { shop: Arc::clone(&shop), happening };
                self.spawn(process, async move {
                    match event.receive(&node).await {
                        Ok(Nudged::Unmatched) => retry.done(),
                        Ok(_) => {
                            retry.done();
                            lock(&shop).taken.push((event, now));
                        }
                        Err(_) => {}
                    }
                });
            }
            Happening::Person => {
                let (persons, act) = (self.plan.persons, self.dice.below(3));
                let mut dice = Dice::new(self.dice.number());
                self.spawn(process, async move {
                    let filter = Filter { held: true, ..Filter::default() };
                    let Ok(held) = node.list(&filter).await else { return };
                    for checkout in held {
                        if !dice.chance(persons) {
                            continue;
                        }
                        let id = checkout.id.as_str();
                        // An act whose answer is lost may have been done.
                        let name = match act {
                            0 => "release",
                            1 => "settle",
                            _ => "close",
                        };
                        lock(&shop).acts.entry(id.to_owned()).or_default().push(name);
                        drop(match act {
                            0 => node.release(&checkout, "ann", "looked").await,
                            1 => node.settle(&checkout, "ann", "looked").await,
                            _ => node.close(&checkout, "ann", "looked").await,
                        });
                    }
                });
            }
            Happening::Start(_) => {}
        }
        Ok(())
    }

    /// Waits for the next timer, request or moment of the script.
    async fn wait(&mut self, end: Duration) {
        let mut next = self.passed() + DAY;
        if let Some((at, _)) = self.script.keys().next() {
            next = next.min(*at);
        }
        if let Some(at) = self.hooks_until {
            next = next.min(at.saturating_since(self.base));
        }
        let flights = self.stage.waiting().flights.iter().filter_map(|flight| flight.at).min();
        next = flights.map_or(next, |at| next.min(at)).min(end);
        let stopped = self.processes.iter().filter_map(|process| process.stopped_until).min();
        next = stopped.map_or(next, |at| next.min(at));
        // A millisecond at least passes: the clock of timers is as coarse.
        let timer = sleep_until(self.begin + next.max(self.passed() + Duration::from_millis(1)));
        let mut timer = pin!(timer);
        let (outer, processes) = (Arc::clone(&self.outer), &self.processes);
        poll_fn(|cx| {
            *lock(&outer) = Some(cx.waker().clone());
            let awake = processes
                .iter()
                .filter(|process| process.stopped_until.is_none())
                .flat_map(|process| &process.running)
                .any(|running| running.flag.awake.load(Ordering::SeqCst));
            if awake { Poll::Ready(()) } else { timer.as_mut().poll(cx) }
        })
        .await;
        if self.dice.chance(20) && self.plan.persons > 0 {
            self.later(Duration::ZERO, Happening::Person);
        }
    }

    /// The events that were taken, and that no read has answered.
    async fn unanswered(&self) -> Outcome<Vec<String>> {
        let taken = lock(&self.shop).taken.clone();
        let mut broken = Vec::new();
        for (event, at) in &taken {
            let nudge = Nudge { target: Target::Id("nobody"), event: event.keys() };
            let is_kept = self.providers.clock.now().saturating_since(*at) < DAY * 20;
            let reference = event.reference().unwrap_or_default();
            let row = self.store.checkout(reference).await?;
            // A key is kept for a month after the read, and a late copy comes after days. A person looks at
            // what nobody answers.
            let is_held = row.as_ref().is_some_and(|row| row.hold.is_some());
            match self.store.nudge(&nudge).await? {
                Nudged::Done => {}
                Nudged::Pending if is_held => {}
                Nudged::Unmatched if !is_kept => {}
                nudged => {
                    broken.push(format!("{reference}: lost: an event is {nudged:?} to the end: {row:?}"));
                }
            }
        }
        Ok(broken)
    }

    async fn judge(mut self, mut broken: Vec<String>) -> Outcome<Verdicts> {
        let filter = Filter { limit: 10_000, ..Filter::default() };
        let rows: Vec<Checkout> = self.store.list(&filter).await?;
        let figures = self.store.figures().await?;
        let shop = lock(&self.shop);
        let ids: BTreeSet<&str> = rows.iter().map(|row| row.id.as_str()).collect();
        let gone = shop.made.iter().map(|number| id_of(*number)).filter(|id| !ids.contains(id.as_str()));
        broken.extend(gone.map(|id| format!("{id}: lost: the shop was told of the checkout")));
        for checkout in &rows {
            let told = shop.told.iter().filter(|news| news.id == checkout.id).collect();
            let acts = shop.acts.get(&checkout.id).into_iter().flatten().copied().collect();
            let case = Case { checkout, book: book(&self.providers, checkout), told, acts };
            broken.extend(case.broken());
            *self.result.states.entry((checkout.state, checkout.hold.is_some())).or_default() += 1;
        }
        broken.extend(over_the_limit(&self.providers.peach));
        broken.extend(over_the_limit(&self.providers.v2));
        if (figures.work, figures.news) != (0, 0) {
            broken.push(format!("lost: something is left to do: {figures:?}"));
        }
        drop(shop);
        self.result.broken = broken;
        Ok(self.result)
    }
}

/// A handler that ends without its answer is tried again by who asked.
struct Retry {
    shop: Arc<Mutex<Shop>>,
    happening: Option<Happening>,
}

impl Retry {
    fn done(mut self) {
        self.happening = None;
    }
}

impl Drop for Retry {
    fn drop(&mut self) {
        lock(&self.shop).again.extend(self.happening.take());
    }
}

fn value_of(fault: &str) -> Option<&'static str> {
    match fault {
        "huge_body" => Some("3000000"),
        "refused" => Some("200.300.404"),
        "unknown_error_code" => Some("77777"),
        _ => None,
    }
}

/// The faults that tell no lie: mishaps on the way, and answers that prove nothing.
const ALLSCALE_FAULTS: &[&str] = &[
    "lost_before",
    "lost_request",
    "lost_answer",
    "garbage",
    "truncated",
    "html_bad_gateway",
    "empty_unauthorized",
    "redirect",
    "swapped_intent",
    "rate_limited",
    "internal_error",
    "late_internal_error",
    "unknown_error_code",
    "extra_fields",
    "other_id_spelling",
    "old_intent",
    "duplicate_keys",
    "status_as_object",
    "huge_body",
];
const AZOTTE_FAULTS: &[&str] = &[
    "lost_before",
    "lost_request",
    "lost_answer",
    "garbage",
    "truncated",
    "empty_body",
    "wrong_content_type",
    "plain_content_type",
    "html_bad_gateway",
    "redirect",
    "empty_unauthorized",
    "rate_limited",
    "internal_error",
    "late_internal_error",
    "empty_problem",
    "unknown_error_code",
    "missing_tracking",
    "no_follow_up",
    "no_polling_advice",
    "extra_fields",
    "duplicate_keys",
    "huge_body",
];
const PEACH_FAULTS: &[&str] = &[
    "lost_before",
    "lost_request",
    "lost_answer",
    "garbage",
    "truncated",
    "html_bad_gateway",
    "empty_unauthorized",
    "redirect",
    "rate_limited",
    "internal_error",
    "late_internal_error",
    "refused",
    "duplicate_keys",
    "huge_body",
    "extra_fields",
    "swapped_checkout",
    "tampered_amount",
    "tampered_code",
    "tampered_signature",
    "unsigned",
    "extra_signed_key",
    "extra_unsigned_key",
    "numbers_for_texts",
    "bare_result",
];
