//! All interleavings of two workers on one checkout, over the real machine and the real store in memory: a
//! worker claims, sends, saves, writes and tells, stays behind while its lease ends, or dies, at every point.
//!
//! The bound: at most so many deaths, lost answers, nudges, tellings and ends of a lease in one run as
//! [`Bound`] says. Within the bound the search leaves nothing out but the names of two workers with empty
//! hands. News beyond the bound is told when nothing else is left to do.
//!
//! `INTERLEAVINGS=more` widens the bounds, and `all` once more, for minutes.

#![allow(clippy::wildcard_enum_match_arm, clippy::indexing_slicing, reason = "two workers, five kinds")]

mod world;

use checkout_engine::{
    Ask, ClaimedNews, Draft, Due, Engine, Filter, Inserted, Lease, Memory, New, News, Nudge, State,
    Store as _, Target, Task, Written,
};
use checkout_lifecycle::Moment;
use checkout_sandbox::{allscale, azotte, peach};
use checkout_transport::{BlockingTransport as _, Request, Response, TransportError};
use pollster::block_on;
use std::sync::Arc;
use std::time::Duration;
use world::judge::{Case, book, over_the_limit};
use world::{Outcome, Providers, drafts, engine_over};

const LEASE: Duration = Duration::from_secs(30);
const REFERENCE: &str = "order0001";

/// How often in one run.
#[derive(Clone, Copy, Debug)]
struct Bound {
    deaths: u32,
    lost_answers: u32,
    nudges: u32,
    /// A worker claims news, and tells it.
    tellings: u32,
    /// A lease ends while its worker has work or news in hand.
    ends_of_leases: u32,
}

const NONE: Bound = Bound { deaths: 0, lost_answers: 0, nudges: 0, tellings: 0, ends_of_leases: 0 };

/// A faulty driver, to show that the laws find the fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Driver {
    Right,
    /// Sends a create that is under way as if the create were new.
    CreatesAgain,
    /// Drops what there is to write.
    WritesNothing,
    /// Ends news before the shop has heard it.
    EndsNewsFirst,
}

#[derive(Clone, Copy, Debug)]
enum Choice {
    Claim(usize),
    Go(usize),
    LoseAnswer(usize),
    Die(usize),
    Nudge,
    ClaimNews(usize),
    Tell(usize),
    /// The clock goes on to the next moment when something is due.
    Time,
}

/// The choices of a run, each with the number of choices that there were.
#[derive(Default)]
struct Path {
    taken: Vec<(usize, usize)>,
    at: usize,
}

impl Path {
    fn choose(&mut self, options: usize) -> usize {
        let chosen = match self.taken.get(self.at) {
            Some((chosen, _)) => *chosen,
            None => {
                self.taken.push((0, options));
                0
            }
        };
        self.at += 1;
        chosen
    }

    /// The next run in the order of the search. False after the last.
    fn next(&mut self) -> bool {
        self.at = 0;
        while let Some((chosen, options)) = self.taken.pop() {
            if chosen + 1 < options {
                self.taken.push((chosen + 1, options));
                return true;
            }
        }
        false
    }
}

struct Hand {
    lease: Lease,
    task: Task,
    since: Moment,
}

/// News in the hand of a worker.
struct Telling {
    claimed: ClaimedNews,
    is_heard: bool,
}

struct Run<'a> {
    providers: &'a Providers,
    engines: [Engine<Memory, Providers>; 2],
    store: Arc<Memory>,
    lanes: Vec<String>,
    hands: [Option<Hand>; 2],
    tellings: [Option<Telling>; 2],
    /// The end of the lease of the news that was claimed last.
    news_until: Option<Moment>,
    /// The news that the shop has heard.
    heard: Vec<News>,
    left: Bound,
    driver: Driver,
}

fn send(providers: &Providers, request: Request) -> Result<Response, TransportError> {
    let host = request.uri().host().unwrap_or_default().to_owned();
    if host.contains("allscale") {
        providers.allscale.send_blocking(request)
    } else if host.contains("azotte") {
        providers.azotte.send_blocking(request)
    } else {
        providers.peach.send_blocking(request)
    }
}

impl Run<'_> {
    fn now(&self) -> Moment {
        self.providers.clock.now()
    }

    /// The moment when work is due, as far as the store knows, and true if there is news to claim.
    fn due(&self) -> Outcome<(Option<Moment>, bool)> {
        let ask = Ask { lanes: &self.lanes, max: 0, lease: LEASE };
        let claimed = block_on(self.store.claim(&ask))?;
        Ok((claimed.next, claimed.news))
    }

    /// The next moment at which something becomes due.
    fn later(&self) -> Outcome<Option<Moment>> {
        let now = self.now();
        let leases = self.news_until.filter(|_| self.left.tellings > 0);
        Ok(self.due()?.0.into_iter().chain(leases).filter(|at| *at > now).min())
    }

    fn is_empty(&self, worker: usize) -> bool {
        self.hands[worker].is_none() && self.tellings[worker].is_none()
    }

    fn choices(&self) -> Outcome<Vec<Choice>> {
        let ((due, has_news), now) = (self.due()?, self.now());
        let mut choices = Vec::new();
        let is_due = due.is_some_and(|due| due <= now);
        // Two workers with empty hands differ in their names alone.
        let may_begin = |worker: usize| worker == 0 || !self.is_empty(0);
        for (worker, hand) in self.hands.iter().enumerate() {
            match hand {
                Some(hand) => {
                    choices.push(Choice::Go(worker));
                    if matches!(hand.task, Task::Send(_)) && self.left.lost_answers > 0 {
                        choices.push(Choice::LoseAnswer(worker));
                    }
                }
                None if is_due && may_begin(worker) => choices.push(Choice::Claim(worker)),
                None => {}
            }
            match self.tellings[worker] {
                Some(_) => choices.push(Choice::Tell(worker)),
                None if has_news && self.left.tellings > 0 && may_begin(worker) => {
                    choices.push(Choice::ClaimNews(worker));
                }
                None => {}
            }
            if !self.is_empty(worker) && self.left.deaths > 0 {
                choices.push(Choice::Die(worker));
            }
        }
        let busy = !self.is_empty(0) || !self.is_empty(1);
        if self.later()?.is_some() && (!busy || self.left.ends_of_leases > 0) {
            choices.push(Choice::Time);
        }
        if self.left.nudges > 0 && (busy || due.is_some()) {
            choices.push(Choice::Nudge);
        }
        Ok(choices)
    }

    fn act(&mut self, choice: Choice) -> Outcome {
        match choice {
            Choice::Claim(worker) => {
                let ask = Ask { lanes: &self.lanes, max: 1, lease: LEASE };
                let claimed = block_on(self.store.claim(&ask))?;
                for due in claimed.due {
                    let (lease, since) = (due.lease.clone(), self.now());
                    let machine = self.engines[worker].machine();
                    let again = self.driver == Driver::CreatesAgain && due.checkout.state == State::Sending;
                    let task = if again { machine.first(due, since) } else { machine.next(due, since) };
                    self.hands[worker] = Some(Hand { lease, task, since });
                }
            }
            Choice::Go(worker) => self.go(worker, false)?,
            Choice::LoseAnswer(worker) => {
                self.left.lost_answers -= 1;
                self.go(worker, true)?;
            }
            Choice::Die(worker) => {
                self.left.deaths -= 1;
                (self.hands[worker], self.tellings[worker]) = (None, None);
            }
            Choice::ClaimNews(worker) => {
                self.left.tellings -= 1;
                self.news_until = Some(self.now().saturating_add(LEASE));
                let mut claimed = block_on(self.store.claim_news(1, LEASE))?;
                self.tellings[worker] = claimed.pop().map(|claimed| Telling { claimed, is_heard: false });
            }
            Choice::Tell(worker) => self.tell(worker)?,
            Choice::Nudge => {
                self.left.nudges -= 1;
                block_on(self.store.nudge(&Nudge { target: Target::Id("o"), event: &[] }))?;
            }
            Choice::Time => {
                if !self.is_empty(0) || !self.is_empty(1) {
                    self.left.ends_of_leases -= 1;
                }
                if let Some(due) = self.later()? {
                    self.providers.clock.advance_to(due);
                }
            }
        }
        Ok(())
    }

    /// The next step of a worker, as a driver does it.
    fn go(&mut self, worker: usize, lose: bool) -> Outcome {
        let now = self.now();
        let Some(Hand { lease, task, since }) = self.hands[worker].take() else { return Ok(()) };
        let task = match task {
            Task::Send(exchange) => {
                let (request, then) = exchange.into_parts();
                let in_time = LEASE.saturating_sub(now.saturating_since(since)) > LEASE / 3;
                let outcome = match in_time {
                    true => send(self.providers, request),
                    false => Err(TransportError::not_sent("the lease is nearly over")),
                };
                then(if lose { Err(TransportError::unknown("lost")) } else { outcome }, now)
            }
            Task::Save(save) => {
                let (write, then) = save.into_parts();
                let written = block_on(self.store.write(&lease, &write))?;
                if written == Written::Lost {
                    return Ok(());
                }
                then(now)
            }
            Task::Write(write) => {
                if self.driver != Driver::WritesNothing {
                    let _ = block_on(self.store.write(&lease, &write))?;
                }
                return Ok(());
            }
        };
        self.hands[worker] = Some(Hand { lease, task, since });
        Ok(())
    }

    /// The next step of a telling: the shop hears the news, and then the news ends.
    fn tell(&mut self, worker: usize) -> Outcome {
        let Some(Telling { claimed, is_heard }) = self.tellings[worker].take() else { return Ok(()) };
        if is_heard == (self.driver == Driver::EndsNewsFirst) {
            self.heard.push(claimed.news.clone());
        } else {
            let _ = block_on(self.store.news_told(&claimed.news.key, claimed.fence, None))?;
        }
        self.tellings[worker] = (!is_heard).then_some(Telling { claimed, is_heard: true });
        Ok(())
    }

    /// The news, each as a shop hears it, with what the shop has heard before.
    fn news(&mut self) -> Outcome<Vec<News>> {
        if let Some(until) = self.news_until {
            self.providers.clock.advance_to(until);
        }
        let mut told = std::mem::take(&mut self.heard);
        for claimed in block_on(self.store.claim_news(100, LEASE))? {
            let _ = block_on(self.store.news_told(&claimed.news.key, claimed.fence, None))?;
            told.push(claimed.news);
        }
        Ok(told)
    }
}

#[derive(Debug, Default)]
struct Found {
    runs: u64,
    steps: u64,
    broken: Vec<String>,
}

/// Runs every interleaving of one checkout.
fn explore((merchant, draft): (&str, &Draft), bound: Bound, driver: Driver, most: u64) -> Outcome<Found> {
    let (mut path, mut found) = (Path::default(), Found::default());
    let providers = Providers::new(1);
    let engine = || engine_over(Memory::new(), providers.clone());
    let mut engines = [engine()?, engine()?];
    loop {
        providers.allscale.reset();
        providers.azotte.reset();
        providers.peach.reset();
        let zero = Duration::ZERO;
        providers.allscale.set_scenario(Some(allscale::Scenario::custom([(zero, 10), (zero, 20)])));
        providers.azotte.set_scenario(Some(azotte::Scenario::done_at_once()));
        providers.peach.set_scenario(Some(peach::Scenario::custom([(zero, peach::SUCCESS)])));
        // A token of another run is no token.
        if merchant == "v2" {
            engines = [engine()?, engine()?];
        }
        let clock = providers.clock.clone();
        let store = Arc::new(Memory::with_clock(move || clock.now()));
        let lanes = engines[0].machine().lanes();
        block_on(store.lanes(&lanes))?;
        let lanes = lanes.into_iter().map(|lane| lane.name).collect();
        let mut run = Run {
            providers: &providers,
            engines: engines.clone(),
            store,
            lanes,
            hands: [None, None],
            tellings: [None, None],
            news_until: None,
            heard: Vec::new(),
            left: bound,
            driver,
        };
        let now = run.now();
        let machine = run.engines[0].machine();
        let checkout = machine.prepare(merchant, "o", draft, now)?;
        let new = New { checkout: &checkout, watch: "", lease: LEASE };
        let Inserted::Fresh(lease, checkout) = block_on(run.store.insert(&new))? else {
            return Err("there already".into());
        };
        let due = Due {
            lease: lease.clone(),
            checkout,
            watch: String::new(),
            nudged: false,
            named: None,
            tries: 1,
            late: Duration::ZERO,
        };
        let task = machine.first(due, now);
        run.hands[0] = Some(Hand { lease, task, since: now });
        let mut log = Vec::new();
        loop {
            let choices = run.choices()?;
            if choices.is_empty() {
                break;
            }
            let choice = choices[path.choose(choices.len())];
            log.push(choice);
            run.act(choice)?;
            // A create of Peach's V1 that stays unknown is looked for all the hour, if somebody has nudged.
            if log.len() > 1_000 {
                found.broken.push(format!("no end: {log:?}"));
                break;
            }
        }
        found.runs += 1;
        found.steps += u64::try_from(log.len())?;
        let told = run.news()?;
        let mut broken = Vec::new();
        for checkout in block_on(run.store.list(&Filter::default()))? {
            let told = told.iter().collect();
            let case =
                Case { checkout: &checkout, book: book(&providers, &checkout), told, acts: Vec::new() };
            broken.extend(case.broken());
        }
        broken.extend(over_the_limit(&providers.peach));
        let figures = block_on(run.store.figures())?;
        if figures.work != 0 || figures.news != 0 {
            broken.push(format!("something is left to do: {figures:?}"));
        }
        found.broken.extend(broken.into_iter().map(|law| format!("{law} by {log:?}")));
        if !found.broken.is_empty() || found.runs >= most || !path.next() {
            return Ok(found);
        }
    }
}

fn checkouts() -> Outcome<Vec<(&'static str, &'static str, Draft)>> {
    Ok(vec![
        ("allscale, fiat", "default", drafts::allscale(REFERENCE)?),
        ("allscale, coin", "default", drafts::coin(REFERENCE)?),
        ("azotte", "default", drafts::azotte(REFERENCE)?),
        ("peach v1", "default", drafts::peach(REFERENCE)?),
        ("peach v2", "v2", drafts::peach(REFERENCE)?),
    ])
}

#[test]
fn no_interleaving_of_two_workers_breaks_a_law() -> Outcome {
    let mut bounds = vec![
        Bound { deaths: 1, ends_of_leases: 1, ..NONE },
        Bound { lost_answers: 1, ends_of_leases: 1, ..NONE },
        Bound { tellings: 2, ends_of_leases: 1, ..NONE },
        Bound { nudges: 1, ends_of_leases: 1, ..NONE },
    ];
    let wish = std::env::var("INTERLEAVINGS").unwrap_or_default();
    if ["more", "all"].contains(&wish.as_str()) {
        bounds.extend([
            Bound { deaths: 1, tellings: 2, ends_of_leases: 1, ..NONE },
            Bound { deaths: 1, lost_answers: 1, ends_of_leases: 1, ..NONE },
            Bound { deaths: 1, nudges: 1, ends_of_leases: 1, ..NONE },
        ]);
    }
    if wish == "all" {
        bounds.push(Bound { deaths: 2, ends_of_leases: 2, ..NONE });
    }
    for (name, merchant, draft) in checkouts()? {
        for bound in bounds.iter().copied() {
            let found = explore((merchant, &draft), bound, Driver::Right, u64::MAX)?;
            println!("{name}: {} runs of {} steps, {bound:?}", found.runs, found.steps);
            assert!(found.broken.is_empty(), "{name}: {:#?}", found.broken);
            assert!(found.runs > 10, "{name}: {} runs", found.runs);
        }
    }
    Ok(())
}

#[test]
fn the_laws_find_every_faulty_driver() -> Outcome {
    let bound = Bound { deaths: 1, ends_of_leases: 1, ..NONE };
    for (driver, law, tellings) in [
        (Driver::CreatesAgain, "created twice", 0),
        (Driver::WritesNothing, "no end", 0),
        (Driver::EndsNewsFirst, "nobody was told", 1),
    ] {
        let bound = Bound { tellings, ..bound };
        let found = explore(("default", &drafts::coin(REFERENCE)?), bound, driver, 10_000)?;
        let broken = found.broken.first().ok_or("nothing is found")?;
        assert!(broken.contains(law), "{driver:?}: {broken}");
    }
    Ok(())
}
