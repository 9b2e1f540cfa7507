//! A caller that drives a schedule, and counts in another way.

use std::time::Duration;

use checkout_lifecycle::{Moment, Phase};
use checkout_poll::{MerchantId, Next, PollPolicy, Poller, ReadOutcome, Schedule, ScheduleKey, Step};
use checkout_tables::{RateLimit, RateScope};

use crate::{EPOCH, Play};

/// Some checkouts of three merchants, and a clock that jumps.
pub struct Crowd {
    schedule: Schedule<u32>,
    shops: [Shop; 3],
    checkouts: Vec<Checkout>,
    removed: Vec<(ScheduleKey, Poller)>,
    added: u32,
    clock: Moment,
    /// The latest moment of any report.
    told: Moment,
}

struct Shop {
    id: MerchantId,
    policy: PollPolicy,
    limit: Option<RateLimit>,
    /// True if the merchant may have to wait for something else than its limit.
    slowed: bool,
    /// The times of the merchant's requests.
    asked: Vec<Moment>,
}

struct Checkout {
    key: ScheduleKey,
    number: u32,
    shop: usize,
    out: bool,
    ended: bool,
    /// True if the challenge was shown, and nothing was reported since.
    shown: bool,
}

impl Crowd {
    /// Three merchants, without a checkout.
    pub fn new(play: &mut Play<'_>) -> Option<Self> {
        let mut schedule = Schedule::new(EPOCH, 7);
        let mut shop = || {
            let (policy, how) = (play.policy()?, play.byte()?);
            let limit = RateLimit {
                requests: (how & 7).into(),
                per_seconds: (how >> 3).into(),
                scope: RateScope::Merchant,
            };
            let limit = (limit.requests < 7).then_some(limit);
            Some(Shop {
                id: schedule.merchant(policy, limit),
                policy,
                limit,
                slowed: false,
                asked: Vec::new(),
            })
        };
        let shops = [shop()?, shop()?, shop()?];
        let (checkouts, removed) = (Vec::new(), Vec::new());
        Some(Self { schedule, shops, checkouts, removed, added: 0, clock: EPOCH, told: EPOCH })
    }

    /// Reports or does the next thing, and asserts the laws.
    pub fn goes_on(&mut self, play: &mut Play<'_>) -> Option<()> {
        let (how, which) = (play.one_of(16)?, usize::from(play.byte()?));
        let shop = which % self.shops.len();
        match how {
            0 => self.clock = self.clock.saturating_add(play.span()?),
            1 => {
                self.clock = play.back(self.clock)?;
                if which & 64 != 0 {
                    self.set_back();
                }
            }
            2 => {
                let until = self.clock.saturating_add(play.span()?);
                self.schedule.pause_until(self.shops[shop].id, until);
                self.shops[shop].slowed = true;
            }
            3 => {
                self.schedule.record_request(self.shops[shop].id, self.told);
                self.shops[shop].asked.push(self.told);
            }
            4..=6 if self.checkouts.len() < MOST => self.add(shop, how, play)?,
            4..=10 => self.ask_all(),
            11..=14 => self.tell(how, which, play)?,
            _ if which & 64 != 0 => self.remove_merchant(shop),
            _ => self.remove(which)?,
        }
        assert_eq!(self.schedule.len(), self.checkouts.len());
        assert_eq!(self.schedule.iter().count(), self.checkouts.len());
        for checkout in &self.checkouts {
            assert_eq!(self.schedule.data(checkout.key), Some(&checkout.number));
        }
        Some(())
    }

    fn advance(&mut self) -> Moment {
        self.told = self.told.max(self.clock).min(LATEST);
        self.clock
    }

    fn set_back(&mut self) {
        self.schedule.set_back(self.clock);
        if self.told.saturating_since(self.clock) < Duration::from_secs(60) {
            return;
        }
        self.told = self.clock;
        for shop in &mut self.shops {
            // Requests that had left the window before may be forgotten.
            let known = self.schedule.requests_in_window(shop.id);
            shop.asked = if shop.limit.is_some() { known.collect() } else { Vec::new() };
            assert!(shop.asked.iter().all(|asked| *asked <= self.clock), "a request to come");
        }
        for place in 0..self.checkouts.len() {
            let still = matches!(self.step(&self.checkouts[place]), Step::Done(_) | Step::GaveUp(_));
            self.checkouts[place].ended &= still;
            // Late reads that were over by the clock that ran ahead begin again with their refusal.
            let Checkout { key, shop, .. } = self.checkouts[place];
            let poller = self.schedule.poller(key).expect("it was not removed");
            if poller.refused(&self.shops[shop].policy, self.told).is_some() {
                self.checkouts[place].shown = false;
            }
        }
    }

    /// Another merchant takes its place, if it has no checkouts.
    fn remove_merchant(&mut self, shop: usize) {
        let has_some = self.checkouts.iter().any(|checkout| checkout.shop == shop);
        let Shop { id, policy, limit, .. } = self.shops[shop];
        let removed = self.schedule.remove_merchant(id);
        assert_eq!(removed, (!has_some).then_some(policy));
        if removed.is_some() {
            let next = self.schedule.merchant(policy, limit);
            assert!(self.shops.iter().all(|shop| shop.id != next), "an id means two");
            assert_eq!(self.schedule.remove_merchant(id), None);
            self.shops[shop] = Shop { id: next, policy, limit, slowed: false, asked: Vec::new() };
        }
    }

    fn add(&mut self, shop: usize, how: usize, play: &mut Play<'_>) -> Option<()> {
        let Shop { id, policy, .. } = self.shops[shop];
        let (number, at) = (self.added, EPOCH.saturating_add(play.span()?));
        let now = self.advance();
        let key = match (how, self.removed.last()) {
            (4, _) => self.schedule.add(id, at, now, number),
            (5, Some((_, poller))) => {
                let poller = poller.to_string().parse().expect("what is stored can be read");
                self.schedule.restore(id, poller, now, number)
            }
            _ => {
                // By another machine's clock.
                let mut poller = Poller::new(&policy, EPOCH, 7);
                poller.mark_sent(&policy, at);
                self.schedule.restore(id, poller, now, number)
            }
        };
        let mut known =
            self.checkouts.iter().map(|checkout| checkout.key).chain(self.removed.iter().map(|one| one.0));
        assert!(known.all(|known| known != key), "a key means two");
        self.added += 1;
        self.checkouts.push(Checkout { key, number, shop, out: false, ended: false, shown: false });
        Some(())
    }

    /// A checkout, or a checkout that was removed, and its place among the others.
    fn pick(&self, which: usize) -> Option<(ScheduleKey, Option<usize>)> {
        let known = self.checkouts.iter().map(|checkout| checkout.key);
        let keys: Vec<ScheduleKey> =
            known.chain(self.removed.iter().rev().map(|one| one.0).take(2)).collect();
        let place = which.checked_rem(keys.len())?;
        Some((keys[place], Some(place).filter(|place| *place < self.checkouts.len())))
    }

    fn tell(&mut self, how: usize, which: usize, play: &mut Play<'_>) -> Option<()> {
        let (key, place) = self.pick(which)?;
        let now = self.advance();
        let before = place.map(|place| self.step(&self.checkouts[place]));
        let (mut is_back, mut may_show) = (false, false);
        match how {
            11 | 12 => {
                let outcome = play.outcome()?;
                self.schedule.handle_outcome(key, now, outcome);
                (is_back, may_show) = (true, true);
                if let (ReadOutcome::Limited { .. }, Some(place)) = (outcome, place) {
                    self.shops[self.checkouts[place].shop].slowed = true;
                }
            }
            // The read is sent later than it was given.
            13 if which & 192 == 128 => self.schedule.mark_sent(key, now),
            13 if which & 64 == 0 => {
                self.schedule.release(key, now);
                is_back = true;
            }
            13 => self.schedule.resume(key, now, play.span()?),
            14 if which & 64 == 0 => self.schedule.nudge(key, now),
            _ => {
                self.schedule.payer_returned(key, now);
                may_show = true;
            }
        }
        if let Some(place) = place {
            let after = self.step(&self.checkouts[place]);
            // A clock that ran ahead ends late reads. Once it is set back, they begin again with their
            // refusal.
            may_show |= matches!(after, Step::Done(_) | Step::GaveUp(_));
            let checkout = &mut self.checkouts[place];
            checkout.ended &= before == Some(after);
            checkout.out &= !is_back;
            checkout.shown &= !may_show;
        }
        Some(())
    }

    fn remove(&mut self, which: usize) -> Option<()> {
        let (key, place) = self.pick(which)?;
        let removed = self.schedule.remove(key);
        let number = place.map(|place| self.checkouts.swap_remove(place).number);
        assert_eq!(removed.map(|(_, number)| number), number);
        self.removed.extend(removed.map(|(poller, _)| (key, poller)));
        assert!(self.schedule.remove(key).is_none() && self.schedule.data(key).is_none());
        Some(())
    }

    /// The step of the checkout's own poller.
    fn step(&self, checkout: &Checkout) -> Step {
        let poller = self.schedule.poller(checkout.key).expect("it was not removed");
        poller.next(&self.shops[checkout.shop].policy, self.told)
    }

    /// Asks until there is nothing more to do now.
    fn ask_all(&mut self) {
        for _ in 0..=4 * MOST {
            let now = self.advance();
            let steps: Vec<Step> = self.checkouts.iter().map(|checkout| self.step(checkout)).collect();
            let next = self.schedule.next(now);
            let (key, step) = match next {
                Next::Fetch { key, kind, .. } => (key, Step::Fetch(kind)),
                Next::AskPayer { key, until } => (key, Step::AskPayer { until }),
                Next::Refused { key, phase } => {
                    self.refused(key, phase);
                    continue;
                }
                Next::Ended { key, phase } => (key, Step::Done(phase)),
                Next::GaveUp { key, gave_up } => (key, Step::GaveUp(gave_up)),
                Next::Wait(until) => return self.assert_rest(Some(until)),
                Next::Idle => return self.assert_rest(None),
            };
            let place = self.checkouts.iter().position(|checkout| checkout.key == key);
            let place = place.expect("a key of somebody");
            // A read changes its poller; and restored checkouts are put off when they get their places.
            let said =
                if let Step::Fetch(_) = step { steps[place] } else { self.step(&self.checkouts[place]) };
            assert_eq!(said, step, "its own poller says something else");
            let Checkout { shop, ref mut out, ref mut ended, ref mut shown, .. } = self.checkouts[place];
            assert!(!*out && !*ended, "the checkout is out, or has ended");
            match next {
                Next::Fetch { merchant, .. } => {
                    *out = true;
                    assert_eq!(merchant, self.shops[shop].id);
                    self.shops[shop].asked.push(self.told);
                    let limit = self.shops[shop].limit;
                    assert!(limit.is_none_or(|limit| self.used(shop, 0) <= limit.requests), "over the limit");
                }
                Next::AskPayer { .. } => {
                    assert!(!std::mem::replace(shown, true), "one challenge, shown twice")
                }
                _ => (*ended, *shown) = (true, false),
            }
        }
        panic!("the schedule comes to no rest");
    }

    /// The schedule reports a refusal whose late reads go on.
    fn refused(&mut self, key: ScheduleKey, phase: Phase) {
        let place = self.checkouts.iter().position(|checkout| checkout.key == key);
        let checkout = &mut self.checkouts[place.expect("a key of somebody")];
        let poller = self.schedule.poller(key).expect("it was not removed");
        let refused = poller.refused(&self.shops[checkout.shop].policy, self.told);
        assert_eq!(refused, Some(phase), "its own poller says something else");
        assert!(!checkout.out && !checkout.ended, "the checkout is out, or has ended");
        assert!(!std::mem::replace(&mut checkout.shown, true), "one refusal, told twice");
    }

    /// The number of a shop's requests in the window that ends now.
    fn used(&self, shop: usize, margin: u64) -> u32 {
        let Shop { limit, asked, .. } = &self.shops[shop];
        let window = Duration::from_secs(margin + limit.map_or(0, |limit| limit.per_seconds.into()));
        // A window with a margin is without its beginning.
        let is_in = |at: &&Moment| {
            let ago = self.told.saturating_since(**at);
            if margin == 0 { ago <= window } else { ago < window }
        };
        u32::try_from(asked.iter().filter(is_in).count()).expect("few")
    }

    /// Asserts that no checkout is forgotten, and that none waits for nothing.
    fn assert_rest(&self, until: Option<Moment>) {
        assert!(until.is_none_or(|until| until > self.told), "a rest until now");
        for checkout in &self.checkouts {
            if checkout.out || checkout.ended {
                continue;
            }
            let poller = self.schedule.poller(checkout.key).expect("it was not removed");
            let Shop { limit, slowed, .. } = self.shops[checkout.shop];
            // A checkout that waits for a turn when the poller can count no further is reported in that turn.
            let end = poller.started_at().saturating_add(Duration::from_millis(10).saturating_mul(u32::MAX));
            // Checkouts that were restored when their reads were due have places one after the other by now.
            match self.step(checkout) {
                Step::Wait(due) | Step::AskPayer { until: due } => {
                    assert!(until.is_some_and(|until| until <= due), "a rest beyond {due:?}");
                }
                Step::GaveUp(_) | Step::Done(_) if self.told < end => panic!("an end is not told"),
                Step::Fetch(_) | Step::Done(_) | Step::GaveUp(_) => {
                    let used = limit.map(|limit| self.used(checkout.shop, 1) >= limit.requests);
                    assert!(slowed || used == Some(true), "a read that may be made is not given");
                    let is_never = slowed
                        || limit.is_some_and(|limit| limit.requests == 0)
                        || self.told.saturating_add(YEAR) >= Moment::from_unix_millis(i64::MAX);
                    assert!(until.is_some() || is_never, "a read is never given");
                }
            }
        }
    }
}

const MOST: usize = 20;
/// A schedule takes the end of time for a millisecond before that.
const LATEST: Moment = Moment::from_unix_millis(i64::MAX - 1);
/// Longer than a limit's window, which does not end at the end of time.
const YEAR: Duration = Duration::from_secs(365 * 86_400);
