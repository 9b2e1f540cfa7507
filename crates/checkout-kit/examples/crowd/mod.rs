//! A day of many checkouts with three providers, followed by one schedule in virtual time.
//!
//! The things that happen lie in a queue of events, and the clock goes from one moment at which something
//! happens to the next. A request takes a while to arrive and the answer takes a while to come back, so many
//! are under way at a time. The judge is the other side: the books of the sandboxes say how a checkout has
//! ended, and how many requests a merchant has made.
#![expect(
    clippy::indexing_slicing,
    reason = "the numbers of checkouts and shops are places in lists that only grow"
)]

mod facts;
mod random;
mod shops;
mod table;

use checkout_kit::poll::{GaveUp, GiveUpReason, Next, Poller, ReadKind, ReadOutcome, Schedule, ScheduleKey};
use checkout_kit::{Moment, Phase};
use checkout_sandbox::VirtualClock;
use facts::Met;
use random::Random;
use shops::{Known, Provider, Providers, Shop, Watched, scenarios, webhooks};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::error::Error;
use std::rc::Rc;
use std::time::Duration;

pub(crate) use table::Report;

/// A number of checkouts, and the chance that makes their day.
#[derive(Clone, Copy)]
pub(crate) struct Crowd {
    pub(crate) checkouts: usize,
    pub(crate) seed: u64,
    /// True if the schedule knows the merchants' limits. Otherwise the limits are overstepped.
    pub(crate) heeds_limits: bool,
}

impl Crowd {
    /// Lives through the day, and through the hours after it until nothing is left to do.
    pub(crate) fn day(self) -> Result<Report, Box<dyn Error>> {
        let mut random = Random::new(self.seed);
        let clock = VirtualClock::new(MIDNIGHT);
        let many = u64::try_from(self.checkouts)?;
        let (providers, mut shops) = Providers::open(&clock, many, &mut random)?;
        let mut schedule = Schedule::new(MIDNIGHT, random.number());
        for shop in &mut shops {
            shop.account = Some(schedule.merchant(shop.policy, shop.limit.filter(|_| self.heeds_limits)));
        }
        let mut day = Day {
            clock,
            providers,
            shops,
            schedule,
            events: BinaryHeap::new(),
            told: 0,
            notes: Vec::new(),
            webhooks: Vec::new(),
            random,
            wrong: Vec::new(),
        };
        day.imagine(self.checkouts);
        day.live()?;
        Ok(table::report(&day))
    }
}

/// The whole state of the day.
struct Day {
    clock: VirtualClock,
    providers: Providers,
    shops: Vec<Shop>,
    schedule: Schedule<Watched>,
    /// The events by their times, and in the order of their creation.
    events: BinaryHeap<Reverse<(Moment, u64, Event)>>,
    told: u64,
    /// The notes by the number of the checkout.
    notes: Vec<Note>,
    /// The times of the webhooks of each scenario.
    webhooks: Vec<(Provider, &'static str, Rc<[u64]>)>,
    random: Random,
    /// The broken laws, in words.
    wrong: Vec<String>,
}

/// An event of the checkout with this number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// The payer goes to the checkout.
    Begin(usize),
    /// A read arrives at the provider.
    Read(usize),
    /// The read's answer is back, or no answer will come.
    Hear(usize),
    /// A webhook is delivered.
    Webhook(usize),
    /// The payer's browser is back from the challenge. True if the challenge was passed.
    Back(usize, bool),
    /// The shop has the checkout that was handed back watched again.
    Resume(usize),
}

/// The program's knowledge of a checkout, for the judgment.
struct Note {
    shop: usize,
    scenario: &'static str,
    began: Moment,
    state: State,
    /// The read under way, and then the outcome.
    fetch: Option<ReadKind>,
    heard: Option<ReadOutcome>,
    /// The time at which the policy wants the read.
    wanted: Moment,
    met: Met,
    /// The time since which the checkout is watched without a pause.
    watched_since: Moment,
    /// The time from the end to the answer that showed the end, if the checkout was watched when it ended.
    known_after: Option<Duration>,
    /// The longest time between the moment at which a read was due and the read.
    late: Duration,
    /// The number of reads, of reads that went wrong, and of reads that never arrived.
    reads: u64,
    spoiled: u64,
    lost: u64,
    /// True if the last read went wrong.
    last_was_spoiled: bool,
    first_watch: Option<Watch>,
    /// The number of times that the checkout was handed back.
    handed_back: u32,
    /// The time at which the checkout was last handed back or had ended.
    over: Moment,
    /// The number of things that were wrong with the checkout.
    wrong: u64,
}

/// The time from the beginning to an end or to the first time that the checkout was handed back.
#[derive(Clone, Copy)]
struct Watch {
    reads: u64,
    over: Moment,
    gave_up: bool,
    /// True if the checkout had ended by then, at the provider.
    had_ended: bool,
}

enum State {
    Imagined,
    Watched(ScheduleKey),
    /// Handed back, with the stored row.
    HandedBack(Row),
    Ended,
}

struct Row {
    shop: usize,
    id: Box<str>,
    poller: String,
    known: String,
}

impl Day {
    /// Makes up the checkouts of the day: the times, the scenarios and the shops.
    fn imagine(&mut self, checkouts: usize) {
        let shops_of = Provider::ALL.map(|provider| {
            let of_it = self.shops.iter().enumerate().filter(|(_, shop)| shop.provider == provider);
            of_it.map(|(number, shop)| (number, shop.weight)).collect::<Vec<_>>()
        });
        for provider in Provider::ALL {
            let sent = |scenario| webhooks(provider, scenario).into();
            let of_it = scenarios(provider).iter();
            self.webhooks.extend(of_it.map(|scenario| (provider, *scenario, sent(scenario))));
        }
        for number in 0..checkouts {
            let kind = number % Provider::ALL.len();
            let shop = weighted(&mut self.random, &shops_of[kind]);
            // Half of them go the usual way, and the others every way that has a name.
            let names = scenarios(Provider::ALL[kind]);
            let named = self.random.pick(names).unwrap_or(USUAL);
            let scenario = if self.random.percent(50) { USUAL } else { named };
            let hour = weighted(&mut self.random, &HOURS);
            let after = Duration::from_millis(hour * HOUR_MILLIS + self.random.below(HOUR_MILLIS));
            let began = MIDNIGHT.saturating_add(after);
            self.tell(began, Event::Begin(number));
            self.notes.push(Note {
                shop,
                scenario,
                began,
                state: State::Imagined,
                fetch: None,
                heard: None,
                wanted: began,
                met: Met::default(),
                watched_since: began,
                known_after: None,
                late: Duration::ZERO,
                reads: 0,
                spoiled: 0,
                lost: 0,
                last_was_spoiled: false,
                first_watch: None,
                handed_back: 0,
                over: began,
                wrong: 0,
            });
        }
    }

    fn live(&mut self) -> Result<(), Box<dyn Error>> {
        loop {
            let now = self.clock.now();
            while let Some(Reverse((_, _, event))) =
                self.events.peek().copied().filter(|next| next.0.0 <= now)
            {
                self.events.pop();
                self.happen(event, now)?;
            }
            let wanted = self.ask_whoever_is_due(now)?;
            let told = self.events.peek().map(|Reverse((at, _, _))| *at);
            let Some(next) = [wanted, told].into_iter().flatten().min() else { return Ok(()) };
            if next <= now {
                return Err("time stands still".into());
            }
            self.clock.advance(next.saturating_since(now));
        }
    }

    /// Sends the reads that are due, and returns the time of the next read.
    fn ask_whoever_is_due(&mut self, now: Moment) -> Result<Option<Moment>, Box<dyn Error>> {
        loop {
            match self.schedule.next(now) {
                Next::Fetch { key, kind, .. } => {
                    let number = self.number(key)?;
                    let note = &mut self.notes[number];
                    note.fetch = Some(kind);
                    note.late = note.late.max(now.saturating_since(note.wanted));
                    let arrives = now.saturating_add(Duration::from_millis(self.random.between(20, 400)));
                    self.tell(arrives, Event::Read(number));
                }
                Next::AskPayer { key, .. } => {
                    let number = self.number(key)?;
                    self.challenge(number, now);
                }
                // The late reads go on, and the end is reported after them.
                Next::Refused { .. } => {}
                Next::Ended { key, phase } => self.end(key, phase, now)?,
                Next::GaveUp { key, gave_up } => self.hand_back(key, gave_up, now)?,
                Next::Wait(until) => return Ok(Some(until)),
                Next::Idle => return Ok(None),
            }
        }
    }

    fn happen(&mut self, event: Event, now: Moment) -> Result<(), Box<dyn Error>> {
        match event {
            Event::Begin(number) => self.begin(number, now),
            Event::Read(number) => self.read(number, now),
            Event::Hear(number) => {
                self.hear(number, now);
                Ok(())
            }
            Event::Webhook(number) => match self.notes[number].state {
                State::Watched(key) => {
                    self.shops[self.notes[number].shop].nudge();
                    self.schedule.nudge(key, now);
                    self.note_when_it_is_wanted(number, key);
                    Ok(())
                }
                State::HandedBack(_) => self.resume(number, now),
                State::Imagined | State::Ended => Ok(()),
            },
            Event::Back(number, has_passed) => {
                self.come_back(number, has_passed, now);
                Ok(())
            }
            Event::Resume(number) => self.resume(number, now),
        }
    }

    fn begin(&mut self, number: usize, now: Moment) -> Result<(), Box<dyn Error>> {
        let note = &self.notes[number];
        let shop = &self.shops[note.shop];
        let (id, known) = shop.begin(&self.providers, number, note.scenario)?;
        let account = shop.account.ok_or("a shop without an account")?;
        let watched = Watched { number, shop: note.shop, id, known };
        let webhooks = self.webhooks.iter().find(|(provider, scenario, _)| {
            shop.hears_webhooks && (*provider, *scenario) == (shop.provider, note.scenario)
        });
        let sent = webhooks.map(|(_, _, sent)| Rc::clone(sent));
        for after in sent.iter().flat_map(|sent| sent.iter()) {
            // Webhooks take some seconds, and a few never come.
            let arrives =
                now.saturating_add(Duration::from_millis(after * 1_000 + self.random.between(500, 8_000)));
            if self.random.percent(97) {
                self.tell(arrives, Event::Webhook(number));
            }
        }
        let key = self.schedule.add(account, now, now, watched);
        self.watch(number, key, now);
        Ok(())
    }

    fn read(&mut self, number: usize, now: Moment) -> Result<(), Box<dyn Error>> {
        let State::Watched(key) = self.notes[number].state else { return Err("a read of nothing".into()) };
        let fetch = self.notes[number].fetch.ok_or("a read of nothing")?;
        let watched = self.schedule.data_mut(key).ok_or("a key without a checkout")?;
        let shop = &self.shops[watched.shop];
        let spoiled = self.random.percent(2);
        let arrives = !spoiled || shop.spoil_next(&self.providers, fetch, &mut self.random);
        let heard = shop.read(&self.providers, watched, fetch)?;
        let note = &mut self.notes[number];
        note.reads += 1;
        note.spoiled += u64::from(spoiled);
        note.lost += u64::from(!arrives);
        note.last_was_spoiled = spoiled;
        if !spoiled {
            let fact = shop.fact(&self.providers, &watched.id)?;
            note.met.answered(fact);
        }
        note.heard = Some(heard);
        // Now and then an answer takes long, and a lost answer is waited for.
        let long = self.random.percent(1);
        let back = if long { self.random.between(3_000, 9_000) } else { self.random.between(20, 400) };
        self.tell(now.saturating_add(Duration::from_millis(back)), Event::Hear(number));
        Ok(())
    }

    fn hear(&mut self, number: usize, now: Moment) {
        let note = &mut self.notes[number];
        let (State::Watched(key), Some(heard)) = (&note.state, note.heard.take()) else { return };
        let key = *key;
        note.fetch = None;
        if let (None, Some((_, since))) = (note.known_after, note.met.first)
            && matches!(heard, ReadOutcome::Answer { .. })
            && since >= note.watched_since
        {
            note.known_after = Some(now.saturating_since(since));
        }
        if let ReadOutcome::Limited { wait } = heard {
            self.shops[note.shop].told_to_wait += wait.unwrap_or_default().max(Duration::from_secs(1));
        }
        self.schedule.handle_outcome(key, now, heard);
        self.note_when_it_is_wanted(number, key);
    }

    /// Shows the payer the challenge. The payer decides what to do then, and when.
    fn challenge(&mut self, number: usize, now: Moment) {
        if self.notes[number].scenario == AWAY && self.notes[number].handed_back == 0 {
            return;
        }
        let acts = now.saturating_add(Duration::from_millis(self.random.between(3_000, 28_000)));
        match self.random.below(10) {
            0 => self.tell(acts, Event::Back(number, false)),
            1..=7 => self.tell(acts, Event::Back(number, true)),
            // The browser comes back to the provider at the scenario's own time, and nobody reports that to
            // us.
            _ => {}
        }
    }

    fn come_back(&mut self, number: usize, has_passed: bool, now: Moment) {
        let State::Watched(key) = self.notes[number].state else { return };
        let Some(watched) = self.schedule.data(key) else { return };
        // An error says that the browser was back already.
        let _ = match has_passed {
            true => self.providers.azotte.complete_3ds(&watched.id),
            false => self.providers.azotte.fail_3ds(&watched.id),
        };
        self.shops[watched.shop].nudge();
        self.schedule.payer_returned(key, now);
        self.note_when_it_is_wanted(number, key);
    }

    fn end(&mut self, key: ScheduleKey, phase: Phase, now: Moment) -> Result<(), Box<dyn Error>> {
        let (_, watched) = self.schedule.remove(key).ok_or("a key without a checkout")?;
        let number = watched.number;
        self.leave(number, now, None);
        self.notes[number].state = State::Ended;
        let true_end = self.notes[number].met.end();
        if true_end != Some(phase) {
            self.note_wrong(
                number,
                &format!("ended as {phase}, and with the provider as {}", or_open(true_end)),
            );
        }
        Ok(())
    }

    fn hand_back(&mut self, key: ScheduleKey, gave_up: GaveUp, now: Moment) -> Result<(), Box<dyn Error>> {
        let (poller, watched) = self.schedule.remove(key).ok_or("a key without a checkout")?;
        let number = watched.number;
        let fact = self.shops[watched.shop].fact(&self.providers, &watched.id)?;
        let note = &self.notes[number];
        let deadline = poller.deadline();
        let met_end = note.met.end();
        let had_ended = fact.end.is_some() && fact.since < deadline;
        let law = match gave_up.reason {
            // An end without the confirmation of a full read is no end; and nobody may think that there was
            // no end.
            _ if met_end.is_some() && gave_up.last_phase != met_end => Some("though an answer told its end"),
            // A checkout that ends before the deadline is not handed back, whatever is lost and however
            // little room there is.
            _ if had_ended => Some("and had ended before its deadline"),
            GiveUpReason::Deadline if now < deadline => Some("before the deadline"),
            GiveUpReason::AskedToWait { until } if until < deadline => Some("though it could have waited"),
            GiveUpReason::Deadline | GiveUpReason::AskedToWait { .. } => None,
            GiveUpReason::Refused => (!note.last_was_spoiled).then_some("though nothing was refused"),
        };
        self.leave(number, now, Some(had_ended));
        if let Some(law) = law {
            self.note_wrong(number, &format!("given up {law}: {}", or_open(fact.end)));
        }
        let Watched { shop, id, known, .. } = watched;
        let row = Row { shop, id, poller: poller.to_string(), known: known.text() };
        let note = &mut self.notes[number];
        note.state = State::HandedBack(row);
        note.handed_back += 1;
        if note.handed_back <= RESUMED_AT_MOST {
            self.tell(now.saturating_add(PAUSE), Event::Resume(number));
        }
        Ok(())
    }

    /// Watches a checkout again, from the stored text and nothing else.
    fn resume(&mut self, number: usize, now: Moment) -> Result<(), Box<dyn Error>> {
        let State::HandedBack(row) = &self.notes[number].state else { return Ok(()) };
        let shop = &self.shops[row.shop];
        let mut poller: Poller = row.poller.parse()?;
        let known = Known::stored(shop.provider, &row.known)?;
        poller.resume(&shop.policy, now, shop.policy.deadline);
        let account = shop.account.ok_or("a shop without an account")?;
        let watched = Watched { number, shop: row.shop, id: row.id.clone(), known };
        let key = self.schedule.restore(account, poller, now, watched);
        self.watch(number, key, now);
        Ok(())
    }

    fn watch(&mut self, number: usize, key: ScheduleKey, now: Moment) {
        let note = &mut self.notes[number];
        note.state = State::Watched(key);
        note.watched_since = now;
        self.shops[note.shop].watches(true);
        self.note_when_it_is_wanted(number, key);
    }

    /// Stops watching a checkout: the checkout has ended, or was given up and perhaps had ended all the same.
    fn leave(&mut self, number: usize, now: Moment, gave_up: Option<bool>) {
        let note = &mut self.notes[number];
        note.over = now;
        let had_ended = gave_up.unwrap_or(true);
        let watch = Watch { reads: note.reads, over: now, gave_up: gave_up.is_some(), had_ended };
        note.first_watch.get_or_insert(watch);
        self.shops[note.shop].watches(false);
    }

    fn note_when_it_is_wanted(&mut self, number: usize, key: ScheduleKey) {
        let note = &mut self.notes[number];
        if let Some(poller) = self.schedule.poller(key) {
            note.wanted = poller.due().max(note.watched_since);
        }
    }

    fn note_wrong(&mut self, number: usize, what: &str) {
        self.notes[number].wrong += 1;
        self.wrong.push(format!("checkout {number} ({}): {what}", self.notes[number].scenario));
    }

    fn number(&self, key: ScheduleKey) -> Result<usize, Box<dyn Error>> {
        Ok(self.schedule.data(key).ok_or("a key without a checkout")?.number)
    }

    fn tell(&mut self, at: Moment, event: Event) {
        self.told += 1;
        self.events.push(Reverse((at, self.told, event)));
    }
}

/// One of the choices, each as often as the weight says.
fn weighted<T: Copy + Default>(random: &mut Random, choices: &[(T, u64)]) -> T {
    let mut left = random.below(choices.iter().map(|(_, weight)| weight).sum());
    for (choice, weight) in choices {
        match left.checked_sub(*weight) {
            Some(less) => left = less,
            None => return *choice,
        }
    }
    T::default()
}

fn or_open(end: Option<Phase>) -> String {
    end.map_or_else(|| "open".to_owned(), |end| end.to_string())
}

/// The scenario with any of the providers when nothing special happens.
const USUAL: &str = "happy";

/// Azotte's scenario whose payer leaves: the payer comes back when the checkout is watched for the second
/// time.
const AWAY: &str = "three_ds_abandoned";

/// 2026-11-21 00:00:00 UTC.
const MIDNIGHT: Moment = Moment::from_unix_seconds(1_795_219_200);

const HOUR_MILLIS: u64 = 3_600_000;

/// The weight of each hour of the day.
const HOURS: [(u64, u64); 24] = [
    (0, 3),
    (1, 2),
    (2, 1),
    (3, 1),
    (4, 1),
    (5, 2),
    (6, 4),
    (7, 6),
    (8, 8),
    (9, 9),
    (10, 10),
    (11, 11),
    (12, 12),
    (13, 11),
    (14, 9),
    (15, 8),
    (16, 8),
    (17, 9),
    (18, 11),
    (19, 12),
    (20, 11),
    (21, 8),
    (22, 6),
    (23, 4),
];

/// The time until a checkout that was handed back is watched again, and the number of times.
const PAUSE: Duration = Duration::from_secs(20 * 60);
const RESUMED_AT_MOST: u32 = 2;
