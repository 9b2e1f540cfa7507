//! One run: a provider that reports the events, a network that loses and doubles, and a back end whose
//! workers die.

use crate::provider::{BEGIN, Course, Hint, MOST_ORDERS, Money, Provider, Telling};
use crate::rng::Numbers;
use checkout_lifecycle::{Moment, Observation, Phase, Status, Tracker, Verdict};
use checkout_trust::Verified;
use checkout_trust::replay::{Claim, ClaimTicket, Commit, Guard, Store};
use std::fmt::Debug;
use std::rc::Rc;

/// The violations of the laws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Violation {
    /// A checkout is paid, and its order was neither fulfilled nor shown to a person.
    PaymentLost,
    FulfilledTwice,
    FulfilledWithoutTheMoney,
    /// An order was given up, its goods sold elsewhere, and fulfilled.
    FulfilledAndGivenUp,
    /// Two workers were told that an event is done by them.
    ProcessedTwice,
    /// The provider was told that an event is done, and nobody has done it.
    AnsweredUndone,
    /// An event was delivered again and again, and never done.
    NeverProcessed,
    /// A person was called for nothing.
    FalseAlarm,
    /// The run does not end.
    NeverQuiet,
}

/// The habits of a back end, right or wrong on purpose.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Habits {
    /// Takes in by the tracker's rule; otherwise takes in every status that came last.
    pub(crate) tracks: bool,
    /// Writes an order only if it is as it was read.
    pub(crate) compares: bool,
    /// Looks at the money, and not at the status alone.
    pub(crate) counts: bool,
}

impl Habits {
    pub(crate) const RIGHT: Self = Self { tracks: true, compares: true, counts: true };
}

/// The number of times that something happened: a model in which nothing happens proves nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) runs: u64,
    pub(crate) steps: u64,
    pub(crate) deliveries: u64,
    pub(crate) refused: u64,
    pub(crate) in_flight: u64,
    pub(crate) done: u64,
    pub(crate) committed: u64,
    pub(crate) lost_commits: u64,
    pub(crate) crashes: u64,
    pub(crate) lost_reads: u64,
    pub(crate) lost_swaps: u64,
    pub(crate) stale: u64,
    pub(crate) late: u64,
    pub(crate) fulfilled: u64,
    pub(crate) given_up: u64,
    pub(crate) flagged: u64,
}

pub(crate) struct World<'a, P: Provider, S> {
    provider: &'a mut P,
    guard: Guard<S>,
    habits: Habits,
    numbers: Numbers,
    now: i64,
    /// Nothing is lost any more.
    calm: bool,
    /// Refused orders are read now and then, and so the provider may lose an event for good.
    fallback: bool,
    /// The provider answered a read with another status than the one at its sending.
    overtaken: bool,
    orders: Vec<Order<P::Status>>,
    events: Vec<Event<P::Status>>,
    on_the_way: Vec<Delivery<P::Message>>,
    workers: [Option<Job<P>>; WORKERS],
    tally: &'a mut Tally,
    violations: Vec<Violation>,
    story: Option<Vec<String>>,
}

/// An order: what happens at the provider, and what the shop has stored.
struct Order<S: 'static> {
    course: &'static Course<S>,
    /// The time of each status.
    times: Vec<i64>,
    /// The number of statuses that have come.
    reached: usize,
    next_poll: Option<i64>,
    row: Row,
    fulfilled: u32,
    given_up: u32,
    /// The number of times that each event was processed to its end, by the event's number.
    processed: [u32; MOST_EVENTS],
}

impl<S: Status> Order<S> {
    /// The time of the next status, if the status has come by now.
    fn due(&self, now: i64) -> Option<i64> {
        self.times.get(self.reached).copied().filter(|at| *at <= now)
    }

    fn new(courses: &'static [Course<S>], numbers: &mut Numbers) -> Self {
        let course = &courses[numbers.below(courses.len())];
        let mut at = BEGIN;
        let mut times = vec![at];
        for before in &course.statuses[..course.statuses.len() - 1] {
            at += numbers.pick(match matches!(before.phase(), Phase::Failed(_)) {
                true => &[1_000, 30_000, 600_000, 7_200_000, 86_400_000],
                false => &[1, 1_000, 20_000, 45_000, 100_000, 700_000, 3_600_000],
            });
            times.push(at);
        }
        let tracker = Tracker::<S>::new().to_string();
        Self {
            course,
            times,
            reached: 0,
            next_poll: Some(BEGIN + POLLS_OPEN_EVERY),
            row: Row { tracker, fulfilled: false, given_up: false, flagged: false },
            fulfilled: 0,
            given_up: 0,
            processed: [0; MOST_EVENTS],
        }
    }
}

/// The row in the shop's database.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    tracker: String,
    fulfilled: bool,
    given_up: bool,
    flagged: bool,
}

struct Event<S> {
    telling: Telling<S>,
    acknowledged: bool,
    lost: bool,
}

struct Delivery<M> {
    event: usize,
    at: i64,
    message: M,
    /// The number of the provider's attempt; none for a copy, which is not tried again.
    attempt: Option<u32>,
}

struct Job<P: Provider> {
    order: usize,
    /// None for a poll.
    delivery: Option<Received<P>>,
    ticket: Option<ClaimTicket>,
    stage: Stage<P>,
}

type Received<P> = (Delivery<<P as Provider>::Message>, Verified<<P as Provider>::Event>);

enum Stage<P: Provider> {
    Claim,
    Ask,
    Asked { sent: i64, status_then: usize },
    Load { read: Option<(i64, Rc<P::Read>)> },
    Write { read: Option<(i64, Rc<P::Read>)>, before: Row, after: Row, verdicts: [bool; 2] },
    Commit,
}

impl<'a, P: Provider, S: Store<Error: Debug>> World<'a, P, S> {
    pub(crate) fn new(
        seed: u64,
        provider: &'a mut P,
        store: S,
        habits: Habits,
        tally: &'a mut Tally,
        tells: bool,
    ) -> Self {
        let mut numbers = Numbers::of_seed(seed);
        let fallback = numbers.one_in(3);
        let count = 1 + usize::from(numbers.one_in(4)) * (MOST_ORDERS - 1);
        let orders = (0..count).map(|_| Order::new(P::COURSES, &mut numbers)).collect();
        Self {
            provider,
            guard: Guard::new(store),
            habits,
            numbers,
            now: BEGIN,
            calm: false,
            fallback,
            overtaken: false,
            orders,
            events: Vec::new(),
            on_the_way: Vec::new(),
            workers: [const { None }; WORKERS],
            tally,
            violations: Vec::new(),
            story: tells.then(Vec::new),
        }
    }

    /// Plays the run to its end: the violations, and the story if the story is wanted.
    pub(crate) fn play(mut self) -> (Vec<Violation>, Vec<String>) {
        self.tally.runs += 1;
        self.pass_until(BEGIN);
        for _ in 0..10 + self.numbers.below(150) {
            self.tally.steps += 1;
            match self.numbers.below(32) {
                0..17 => drop(self.work_on_one() || self.begin_one()),
                17..24 => drop(self.begin_one() || self.work_on_one()),
                24 => self.crash(),
                25..29 => {
                    let passes = self.numbers.pick(&[50, 900, 9_000, 61_000]);
                    self.pass_until(self.now + passes);
                }
                _ => match self.next_due() {
                    Some(due) => self.pass_until(due.max(self.now)),
                    None => break,
                },
            }
        }
        self.say(|| "from now on nothing is lost".into());
        self.calm = true;
        for _ in 0..MOST_STEPS {
            self.tally.steps += 1;
            if self.work_on_one() || self.begin_one() {
                continue;
            }
            match self.next_due() {
                Some(due) => self.pass_until(due.max(self.now)),
                None => {
                    self.judge();
                    return (self.violations, self.story.unwrap_or_default());
                }
            }
        }
        self.violate(Violation::NeverQuiet);
        (self.violations, self.story.unwrap_or_default())
    }

    /// Asserts the laws at the end.
    fn judge(&mut self) {
        for event in 0..self.events.len() {
            let Event { telling: Telling { order, number, .. }, lost, .. } = self.events[event];
            if !lost && self.orders[order].processed[usize::from(number)] == 0 {
                self.violate(Violation::NeverProcessed);
            }
        }
        for place in 0..self.orders.len() {
            let Order { course, row, fulfilled, .. } = &self.orders[place];
            let (end, before) = course.statuses.split_last().unwrap();
            let consented = matches!(end.phase(), Phase::Succeeded | Phase::Authorized);
            let late = consented && before.iter().any(|status| matches!(status.phase(), Phase::Failed(_)));
            let lost = match (consented, course.money) {
                (true, Money::All) if !late => *fulfilled == 0,
                (true, Money::All) => *fulfilled == 0 && !row.flagged,
                (true, Money::Nothing | Money::Less | Money::Unsaid) => !row.flagged,
                (false, _) => false,
            };
            let alarm = row.flagged && !late && (!consented || course.money == Money::All);
            self.tally.fulfilled += u64::from(*fulfilled);
            self.tally.given_up += u64::from(row.given_up);
            self.tally.flagged += u64::from(row.flagged);
            if lost {
                self.violate(Violation::PaymentLost);
            }
            if alarm && !self.overtaken {
                self.violate(Violation::FalseAlarm);
            }
        }
    }

    /// The time of the next incident that comes by itself.
    fn next_due(&self) -> Option<i64> {
        let deliveries = self.on_the_way.iter().map(|delivery| delivery.at);
        let statuses = self.orders.iter().filter_map(|order| order.times.get(order.reached).copied());
        let polls = self.orders.iter().filter_map(|order| order.next_poll);
        deliveries.chain(statuses).chain(polls).min()
    }

    fn pass_until(&mut self, now: i64) {
        self.now = now;
        for place in 0..self.orders.len() {
            while let Some(changed) = self.orders[place].due(now) {
                let order = &mut self.orders[place];
                let (course, at) = (order.course, order.reached);
                order.reached += 1;
                let (status, money) = (course.statuses[at], course.money);
                self.say(|| format!("order {place} is {status:?}"));
                if let Some(number) = course.told[at] {
                    self.happen(Telling { order: place, number, status, changed, money });
                }
            }
        }
    }

    /// Something has happened that the provider reports.
    fn happen(&mut self, telling: Telling<P::Status>) {
        let lost = self.fallback && self.numbers.one_in(3);
        self.events.push(Event { telling, acknowledged: false, lost });
        if !lost {
            for _ in 0..=usize::from(self.numbers.one_in(3)) {
                self.send(self.events.len() - 1, 0);
            }
        }
    }

    /// The provider sends an event. The event can take its time, and a copy can follow.
    fn send(&mut self, event: usize, attempt: u32) {
        let message = self.provider.send(self.events[event].telling, attempt, self.now);
        if !self.calm && self.numbers.one_in(6) {
            let at = self.now + self.numbers.pick(&[10, 5_000, 70_000, 250_000, 4_000_000]);
            self.on_the_way.push(Delivery { event, at, message: message.clone(), attempt: None });
        }
        let delays: &[i64] = if self.calm { &[100] } else { &[50, 50, 900, 20_000, 90_000, 400_000] };
        let at = self.now + self.numbers.pick(delays);
        self.on_the_way.push(Delivery { event, at, message, attempt: Some(attempt) });
    }

    /// The provider did not get a 200 for an attempt.
    fn send_again(&mut self, event: usize, attempt: u32) {
        if self.events[event].acknowledged || self.now - self.events[event].telling.changed > GIVES_UP_AFTER {
            return;
        }
        let wait = 5_000_i64.saturating_mul(4_i64.pow(attempt.min(7)));
        let before = self.now;
        // The provider makes the message when it sends the message, and a delivery is under way from then on.
        self.now = before + wait;
        self.send(event, attempt + 1);
        self.now = before;
    }

    /// Lets a worker begin with a job that is due.
    fn begin_one(&mut self) -> bool {
        let Some(idle) = self.workers.iter().position(Option::is_none) else {
            return false;
        };
        let now = self.now;
        let due = self.on_the_way.iter().filter(|delivery| delivery.at <= now).count();
        let polls = self.orders.iter().filter(|order| order.next_poll.is_some_and(|at| at <= now)).count();
        if due + polls == 0 {
            return false;
        }
        let which = self.numbers.below(due + polls);
        if which < due {
            let mut places = (0..self.on_the_way.len()).filter(|place| self.on_the_way[*place].at <= now);
            let delivery = places.nth(which).unwrap();
            let delivery = self.on_the_way.swap_remove(delivery);
            self.arrive(idle, delivery);
        } else {
            let waits = |place: &usize| self.orders[*place].next_poll.is_some_and(|at| at <= now);
            let mut places = (0..self.orders.len()).filter(waits);
            let order = places.nth(which - due).unwrap();
            self.orders[order].next_poll = Some(now + POLLS_OPEN_EVERY);
            self.say(|| format!("worker {idle} polls order {order}"));
            self.workers[idle] = Some(Job { order, delivery: None, ticket: None, stage: Stage::Ask });
        }
        true
    }

    fn arrive(&mut self, worker: usize, delivery: Delivery<P::Message>) {
        self.tally.deliveries += 1;
        if !self.calm && self.numbers.one_in(8) {
            self.say(|| format!("event {}, attempt {:?}: lost", delivery.event, delivery.attempt));
            return self.answered(&delivery, None);
        }
        self.say(|| format!("worker {worker} has event {}, attempt {:?}", delivery.event, delivery.attempt));
        match self.provider.receive(&delivery.message, self.now) {
            Ok(event) => {
                let order = P::order(&event);
                assert_eq!(order, self.events[delivery.event].telling.order);
                let delivery = Some((delivery, event));
                self.workers[worker] = Some(Job { order, delivery, ticket: None, stage: Stage::Claim });
            }
            Err(status) => {
                self.tally.refused += 1;
                self.answered(&delivery, Some(status));
            }
        }
    }

    /// The provider's reaction to an answer, if the answer arrives.
    fn answered(&mut self, delivery: &Delivery<P::Message>, status: Option<u16>) {
        let Telling { order, number, .. } = self.events[delivery.event].telling;
        self.say(|| format!("event {} is answered {status:?}", delivery.event));
        if status == Some(200) && self.orders[order].processed[usize::from(number)] == 0 {
            self.violate(Violation::AnsweredUndone);
        }
        let heard = self.calm || !self.numbers.one_in(10);
        if status == Some(200) && heard && delivery.attempt.is_some() {
            self.events[delivery.event].acknowledged = true;
        } else if let Some(attempt) = delivery.attempt {
            self.send_again(delivery.event, attempt);
        }
    }

    /// A worker dies, with everything in hand.
    fn crash(&mut self) {
        let Some(worker) = self.busy() else { return };
        if let Some(job) = self.workers[worker].take() {
            self.bury(worker, job);
        }
    }

    /// The provider gets no answer from a worker that has died.
    fn bury(&mut self, worker: usize, job: Job<P>) {
        self.tally.crashes += 1;
        self.say(|| format!("worker {worker} dies"));
        if let Some((delivery, _)) = job.delivery {
            self.answered(&delivery, None);
        }
    }

    fn dies(&mut self) -> bool {
        !self.calm && self.numbers.one_in(20)
    }

    fn busy(&mut self) -> Option<usize> {
        let count = self.workers.iter().flatten().count();
        if count == 0 {
            return None;
        }
        let which = self.numbers.below(count);
        (0..WORKERS).filter(|worker| self.workers[*worker].is_some()).nth(which)
    }

    /// Lets a worker that has something to do take its next step.
    fn work_on_one(&mut self) -> bool {
        let Some(worker) = self.busy() else { return false };
        let Some(mut job) = self.workers[worker].take() else { return false };
        match self.step(worker, &mut job) {
            Next::GoesOn => self.workers[worker] = Some(job),
            Next::Dies => self.bury(worker, job),
            Next::Answers(status) => {
                if let Some((delivery, _)) = &job.delivery {
                    self.answered(delivery, Some(status));
                }
            }
        }
        true
    }

    fn step(&mut self, worker: usize, job: &mut Job<P>) -> Next {
        let place = job.order;
        let stage = std::mem::replace(&mut job.stage, Stage::Commit);
        job.stage = match (stage, &job.delivery) {
            (Stage::Claim, Some((_, event))) => {
                if self.dies() {
                    // The worker dies in the middle: one of the keys is claimed.
                    let keys = event.identity().keys();
                    let key = &keys[self.numbers.below(keys.len())];
                    let _ = self
                        .guard
                        .store()
                        .claim(key, Moment::from_unix_millis(self.now), Guard::<S>::DEFAULT_LEASE)
                        .unwrap();
                    return Next::Dies;
                }
                match self.guard.claim(event.identity(), Moment::from_unix_millis(self.now)).unwrap() {
                    Claim::Fresh(ticket) => job.ticket = Some(ticket),
                    Claim::InFlight { .. } => {
                        self.tally.in_flight += 1;
                        return Next::Answers(503);
                    }
                    Claim::Done => {
                        self.tally.done += 1;
                        return Next::Answers(200);
                    }
                }
                match P::hint(event).wants_a_read {
                    true => Stage::Ask,
                    false => Stage::Load { read: None },
                }
            }
            (Stage::Ask, _) => Stage::Asked { sent: self.now, status_then: self.orders[place].reached - 1 },
            (Stage::Asked { sent, status_then }, _) => {
                if !self.calm && self.numbers.one_in(6) {
                    self.tally.lost_reads += 1;
                    self.say(|| format!("worker {worker}: the read is lost"));
                    if let Some(ticket) = job.ticket.take() {
                        let _ = self.guard.release(ticket).unwrap();
                    }
                    return Next::Answers(503);
                }
                let Order { course, times, reached, .. } = &self.orders[place];
                // The answer is as new as its arrival, or as old as the question.
                let seen = if self.numbers.one_in(2) { reached - 1 } else { status_then };
                self.overtaken |= seen != status_then;
                let (status, changed) = (course.statuses[seen], times[seen]);
                let read = self.provider.answer(place, status, changed, course.money);
                self.say(|| format!("worker {worker} reads {status:?}"));
                Stage::Load { read: Some((sent, read)) }
            }
            (Stage::Load { read }, delivery) => {
                let before = self.orders[place].row.clone();
                let event = delivery.as_ref().map(|(_, event)| event);
                let (after, verdicts) = self.decide(place, event, read.as_ref(), &before);
                Stage::Write { read, before, after, verdicts }
            }
            (Stage::Write { read, before, after, verdicts }, delivery) => {
                if self.habits.compares && self.orders[place].row != before {
                    self.tally.lost_swaps += 1;
                    self.say(|| format!("worker {worker}: somebody has written in between"));
                    job.stage = Stage::Load { read };
                    return Next::GoesOn;
                }
                self.say(|| format!("worker {worker} writes {after:?}"));
                self.tally.stale += u64::from(verdicts[0]);
                self.tally.late += u64::from(verdicts[1]);
                self.write(place, &before, after);
                match delivery {
                    Some(_) => Stage::Commit,
                    None => return Next::Answers(200),
                }
            }
            (Stage::Commit, Some((delivery, _))) => {
                let event = delivery.event;
                let Some(ticket) = job.ticket.take() else { unreachable!() };
                if self.dies() {
                    // The worker dies in the middle: the first of the keys is committed.
                    let (key, fence) = ticket.claims().next().unwrap();
                    if self.guard.store().commit(key, fence, Moment::from_unix_millis(self.now)).unwrap()
                        == Commit::Committed
                    {
                        self.processed(event);
                    }
                    return Next::Dies;
                }
                let commit = self.guard.commit(ticket, Moment::from_unix_millis(self.now)).unwrap();
                self.say(|| format!("worker {worker}: {commit:?}"));
                match commit {
                    Commit::Committed => self.processed(event),
                    Commit::Lost => self.tally.lost_commits += 1,
                }
                return Next::Answers(commit.http_status());
            }
            (Stage::Claim | Stage::Commit, None) => unreachable!("who polls claims nothing"),
        };
        Next::GoesOn
    }

    fn processed(&mut self, event: usize) {
        self.tally.committed += 1;
        let Telling { order, number, .. } = self.events[event].telling;
        let count = &mut self.orders[order].processed[usize::from(number)];
        *count += 1;
        if *count > 1 {
            self.violate(Violation::ProcessedTwice);
        }
    }

    /// The decision on an order by the word of an event and by the read. And true if something was stale, or
    /// late.
    fn decide(
        &self,
        place: usize,
        event: Option<&Verified<P::Event>>,
        read: Option<&(i64, Rc<P::Read>)>,
        before: &Row,
    ) -> (Row, [bool; 2]) {
        let mut tracker: Tracker<P::Status> = before.tracker.parse().unwrap();
        let mut after = before.clone();
        let mut verdicts = [false; 2];
        let mut observe = |observation: Observation<P::Status, P::Raw>| {
            if !self.habits.tracks {
                tracker = Tracker::new();
            }
            // After every moment here.
            let verdict = tracker.observe(observation, Moment::from_unix_millis(i64::MAX));
            verdicts[0] |= matches!(verdict, Verdict::Stale { .. });
            verdicts[1] |= matches!(verdict, Verdict::LateSuccess { .. } | Verdict::Reopened { .. });
            after.flagged |= verdict.wants_attention();
        };
        if let Some(Hint { observation: Some(observation), .. }) = event.map(P::hint) {
            observe(observation);
        }
        if let Some((sent, read)) = read {
            observe(P::observed(read, *sent));
        }
        after.tracker = tracker.to_string();
        let succeeded = tracker.phase() == Some(Phase::Succeeded);
        if let Some((sent, read)) = read {
            let settled = match self.habits.counts {
                true => self.provider.settles(place, read),
                false => succeeded,
            };
            let said = P::observed(read, *sent).status().known().map(Status::phase);
            let consented = matches!(said, Some(Phase::Succeeded | Phase::Authorized));
            if settled && !before.fulfilled {
                // An order that was refused before may have been given up: a person looks. The tracker alone
                // remembers that.
                after.fulfilled = succeeded && tracker.superseded().is_none();
                after.flagged |= !after.fulfilled;
            }
            after.flagged |= consented && !settled;
        }
        after.given_up |= matches!(tracker.phase(), Some(Phase::Failed(_)));
        (after, verdicts)
    }

    /// One transaction of the shop's database: the tracker's text, and the decision.
    fn write(&mut self, place: usize, before: &Row, after: Row) {
        let (now, fallback) = (self.now, self.fallback);
        let order = &mut self.orders[place];
        order.fulfilled += u32::from(after.fulfilled && !before.fulfilled);
        order.given_up += u32::from(after.given_up && !before.given_up);
        let unpaid = order.course.money != Money::All || order.reached < order.times.len();
        let phase = after.tracker.parse::<Tracker<P::Status>>().unwrap().phase();
        let watched = order.times[0] + WATCHES_REFUSED_FOR;
        order.next_poll = match phase {
            Some(Phase::Failed(_)) => Some(now + POLLS_REFUSED_EVERY).filter(|at| fallback && *at < watched),
            Some(phase) if phase.is_final() => None,
            Some(_) | None => Some(now + POLLS_OPEN_EVERY),
        };
        let fulfils = after.fulfilled && !before.fulfilled;
        order.row = after;
        let (twice, both) = (order.fulfilled > 1, order.fulfilled > 0 && order.given_up > 0);
        if twice {
            self.violate(Violation::FulfilledTwice);
        }
        if fulfils && unpaid {
            self.violate(Violation::FulfilledWithoutTheMoney);
        }
        if both {
            self.violate(Violation::FulfilledAndGivenUp);
        }
    }

    fn violate(&mut self, violation: Violation) {
        self.say(|| format!("VIOLATION: {violation:?}"));
        if !self.violations.contains(&violation) {
            self.violations.push(violation);
        }
    }

    fn say(&mut self, line: impl FnOnce() -> String) {
        if self.story.is_some() {
            let line = format!("{:>11} ms  {}", self.now - BEGIN, line());
            self.story.get_or_insert_default().push(line);
        }
    }
}

enum Next {
    GoesOn,
    Dies,
    Answers(u16),
}

const WORKERS: usize = 3;
const MOST_EVENTS: usize = 4;
const MOST_STEPS: usize = 5_000;
const POLLS_OPEN_EVERY: i64 = 15 * 60 * 1_000;
const POLLS_REFUSED_EVERY: i64 = 24 * 60 * 60 * 1_000;
/// Longer than money comes late.
const WATCHES_REFUSED_FOR: i64 = 8 * 24 * 60 * 60 * 1_000;
/// Peach's thirty days.
const GIVES_UP_AFTER: i64 = 30 * 24 * 60 * 60 * 1_000;
