//! The schedule compared with a list that is searched, and the laws one by one.
#![allow(clippy::wildcard_enum_match_arm, clippy::type_complexity, reason = "tests")]

use super::calendar::HORIZON;
use super::slots::Slots;
use super::{MerchantId, Next, Schedule, ScheduleKey};
use crate::{GaveUp, GiveUpReason, PollPolicy, Poller, ReadKind, ReadOutcome, Step};
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;
use checkout_lifecycle::{Failure, Moment, Phase, Tracker};
use checkout_tables::allscale::IntentStatus;
use checkout_tables::{RateLimit, RateScope, peach};
use core::time::Duration;
use proptest::prelude::*;
use proptest::sample::Index;

#[derive(Clone, Debug)]
enum Act {
    Add {
        merchant: Index,
        ago: i64,
    },
    Time(i64),
    Drain,
    /// This many calls, and no more.
    Next(usize),
    ReadOutcome(Index, ReadOutcome),
    /// A checkout that is out is sent only now.
    Asking(Index),
    Release(Index),
    Nudge(Index),
    Returned(Index),
    Resume(Index, u64),
    Remove(Index),
    SlowDown(Index, i64),
    Used(Index),
    /// The clock is set back by this many milliseconds, and the schedule learns of it.
    SetBack(i64),
    /// A merchant leaves, and comes back with the used part of its limit.
    RemoveMerchant(Index),
    /// All pollers are stored, and read back into another schedule.
    Restart,
}

/// The behavior of a schedule, in plain form: the model checks every checkout, every time, and forgets
/// nothing.
struct Model {
    now: i64,
    /// The origin of the calendar.
    origin: i64,
    shops: Vec<Shop>,
    checkouts: Vec<Checkout>,
}

struct Shop {
    id: MerchantId,
    policy: PollPolicy,
    limit: Option<RateLimit>,
    margin: i64,
    until: i64,
    limited: u32,
    asked: Vec<i64>,
    /// The last read that was given went before others that waited.
    jumped: bool,
}

struct Checkout {
    key: ScheduleKey,
    shop: usize,
    poller: Poller,
    out: bool,
    ended: bool,
    told: bool,
    /// True if a reported end was over for a while, as late reads are: the schedule may report the end again.
    over: bool,
    nudged: bool,
    returned: bool,
    /// A read that somebody asked for was given, and nothing new was reported since.
    spent: bool,
    /// The last read met too many requests.
    limited: bool,
}

impl Checkout {
    fn jumps(&self) -> bool {
        self.nudged && !self.spent && !self.limited
    }
}

impl Model {
    fn moment(&self) -> Moment {
        Moment::from_unix_millis(self.now)
    }

    fn step(&self, checkout: &Checkout) -> Step {
        checkout.poller.next(&self.shops[checkout.shop].policy, self.moment())
    }

    fn refused(&self, checkout: &Checkout) -> Option<Phase> {
        checkout.poller.refused(&self.shops[checkout.shop].policy, self.moment())
    }

    /// In hundredths of a second, like every compared value.
    fn rank(&self, checkout: &Checkout) -> i128 {
        let due = checkout.poller.due();
        let interval = checkout.poller.interval(&self.shops[checkout.shop].policy, due);
        let policy = &self.shops[checkout.shop].policy;
        let most =
            if checkout.nudged { policy.max_interval.max(policy.initial_interval) } else { Duration::MAX };
        let interval = interval.min(most).min(Duration::from_secs(86_400));
        let kept =
            if checkout.limited { policy.max_interval.max(policy.initial_interval) } else { Duration::ZERO };
        let more = if checkout.jumps() { Duration::ZERO } else { interval + kept };
        i128::from(due.unix_millis() / 10) + i128::try_from(more.as_millis() / 10).unwrap()
    }

    /// True if a checkout of a shop waits for a turn.
    fn waits(&self, shop: usize) -> bool {
        let mut others = self.checkouts.iter().filter(|checkout| checkout.shop == shop);
        self.ready(shop).next().is_some()
            || others.any(|checkout| !checkout.out && !checkout.ended && self.is_too_old(checkout))
    }

    /// Drops the reports that no longer apply.
    fn sweep(&mut self) {
        for at in 0..self.checkouts.len() {
            let something =
                self.checkouts[at].poller.is_challenged() || self.refused(&self.checkouts[at]).is_some();
            self.checkouts[at].over |= self.checkouts[at].told && !something;
        }
    }

    /// True if a read of this shop is too old to be counted, and a nudge of this checkout takes effect only
    /// if no read of the shop waits: then the schedule may have looked at that read, or may not.
    fn is_at_the_end(&self, key: ScheduleKey) -> bool {
        let checkout = self.checkouts.iter().find(|checkout| checkout.key == key).unwrap();
        let its = |other: &&Checkout| other.shop == checkout.shop;
        let limited = self.shops[checkout.shop].limit.is_some();
        checkout.spent && limited && self.checkouts.iter().filter(its).any(|other| self.is_past(other))
    }

    /// True if a poller can count no further.
    fn is_past(&self, checkout: &Checkout) -> bool {
        self.now >= checkout.poller.started_at().unix_millis() + i64::from(u32::MAX) * 10
    }

    /// True if one more nudge of this checkout takes effect, although the last one brought nothing new.
    fn is_heard(&mut self, key: ScheduleKey) -> bool {
        let (spent, shop) = {
            let checkout = self.find(key);
            (checkout.spent, checkout.shop)
        };
        let Some(limit) = self.shops[shop].limit.filter(|_| spent) else { return true };
        let Shop { margin, until, asked, .. } = &self.shops[shop];
        let window = i64::from(limit.per_seconds) * 1_000 + (*margin).max(1);
        let used = asked.iter().filter(|asked| **asked > self.now.saturating_sub(window)).count();
        !self.waits(shop) && *until <= self.now && used + 2 <= limit.requests as usize
    }

    /// Spreads the checkouts of one shop that were due when they were restored, one after the other within
    /// one of their pauses.
    fn spread(&mut self, shop: usize) {
        let (now, policy) = (self.moment(), self.shops[shop].policy);
        let mut due: Vec<(i64, u32)> = Vec::new();
        let mut paces = 0u128;
        for checkout in self.checkouts.iter().filter(|checkout| checkout.shop == shop) {
            if let Step::Fetch(_) = self.step(checkout) {
                due.push((checkout.poller.due().unix_millis(), checkout.key.slot));
                let pause = checkout
                    .poller
                    .interval(&policy, now)
                    .min(policy.max_interval.max(policy.initial_interval));
                paces += 10u128.pow(15) / pause.as_millis();
            }
        }
        due.sort_unstable();
        let many = due.len() as u128;
        if many <= 4 {
            return;
        }
        for (place, (_, slot)) in (0u128..).zip(due) {
            let span = 10u128.pow(15) * many / paces;
            let after = Duration::from_millis(u64::try_from(span * place / many).unwrap());
            let checkout = self.checkouts.iter_mut().find(|checkout| checkout.key.slot == slot).unwrap();
            checkout.poller.put_off(now, now.saturating_add(after));
        }
    }

    fn may_ask(&self, shop: &Shop, at: i64) -> bool {
        let in_window = |limit: &RateLimit| {
            let window = i64::from(limit.per_seconds) * 1_000 + shop.margin.max(1);
            shop.asked.iter().filter(|asked| **asked > at.saturating_sub(window)).count()
                < limit.requests as usize
        };
        at >= shop.until && shop.limit.as_ref().is_none_or(in_window)
    }

    /// The moment when a shop may ask: one of the moments at which anything changes for the shop.
    fn free_at(&self, shop: &Shop) -> i64 {
        let window = shop.limit.map_or(0, |limit| i64::from(limit.per_seconds) * 1_000 + shop.margin.max(1));
        let leave = shop.asked.iter().map(|asked| asked.saturating_add(window));
        let moments = leave.chain([self.now, shop.until]).filter(|at| *at >= self.now);
        moments.filter(|at| self.may_ask(shop, *at)).min().unwrap_or(i64::MAX)
    }

    /// The checkouts of one shop whose read is to be given.
    fn ready(&self, shop: usize) -> impl Iterator<Item = &Checkout> {
        let of_shop = self.checkouts.iter().filter(move |checkout| checkout.shop == shop);
        of_shop.filter(|checkout| {
            !checkout.out && !checkout.ended && matches!(self.step(checkout), Step::Fetch(_))
        })
    }

    fn find(&mut self, key: ScheduleKey) -> &mut Checkout {
        self.checkouts.iter_mut().find(|checkout| checkout.key == key).unwrap()
    }

    /// Checks the schedule's answer against this model, and takes in the answer.
    fn expect(&mut self, next: Next) {
        let now = self.moment();
        match next {
            Next::Fetch { key, merchant, kind } => {
                let shop = self.shops.iter().position(|shop| shop.id == merchant).unwrap();
                // Checkouts that jump come first, unless one that jumped came before and another checkout
                // waits.
                let jumps = self.ready(shop).any(Checkout::jumps)
                    && !(self.shops[shop].jumped && self.ready(shop).any(|checkout| !checkout.jumps()));
                let ready = self.ready(shop).filter(|checkout| checkout.jumps() == jumps);
                let first = ready.min_by_key(|checkout| (self.rank(checkout), checkout.key.slot));
                let first = first.unwrap();
                assert_eq!((first.key, self.step(first)), (key, Step::Fetch(kind)));
                // If the clock was set back, a moment reported less than a minute too late still counts.
                assert!(first.poller.due().saturating_since(now) < Duration::from_secs(60));
                assert!(self.may_ask(&self.shops[shop], self.now));
                self.shops[shop].asked.push(self.now);
                let policy = self.shops[shop].policy;
                let checkout = self.find(key);
                checkout.poller.mark_sent(&policy, now);
                (checkout.out, checkout.nudged, checkout.returned) = (true, false, false);
                checkout.spent |= jumps;
                self.shops[shop].jumped = jumps && self.waits(shop);
            }
            Next::AskPayer { key, until } => {
                let checkout = self.find(key);
                assert!(!checkout.told && !checkout.out);
                checkout.told = true;
                let at = self.checkouts.iter().position(|checkout| checkout.key == key).unwrap();
                assert_eq!(self.step(&self.checkouts[at]), Step::AskPayer { until });
            }
            Next::Refused { key, phase } => {
                let at = self.checkouts.iter().position(|checkout| checkout.key == key).unwrap();
                assert_eq!(self.refused(&self.checkouts[at]), Some(phase));
                let checkout = self.find(key);
                assert!((!checkout.told || checkout.over) && !checkout.out);
                (checkout.told, checkout.over) = (true, false);
            }
            Next::Ended { key, phase } => self.expect_end(key, Step::Done(phase)),
            Next::GaveUp { key, gave_up } => self.expect_end(key, Step::GaveUp(gave_up)),
            Next::Wait(until) => {
                let (rest, until) = (self.rest().unwrap(), until.unix_millis());
                // The schedule checks a moment further off than the calendar reaches sooner.
                let reach = self.origin + i64::try_from(HORIZON).unwrap() * 10;
                assert!(until == rest || (reach..rest).contains(&until), "{until} for {rest}");
            }
            Next::Idle => assert_eq!(self.rest(), None),
        }
    }

    fn expect_end(&mut self, key: ScheduleKey, step: Step) {
        let at = self.checkouts.iter().position(|checkout| checkout.key == key).unwrap();
        assert_eq!(self.step(&self.checkouts[at]), step);
        assert!(!self.checkouts[at].out && !self.checkouts[at].ended);
        self.checkouts[at].ended = true;
        // If a clock that was set back opens the checkout again, a refusal may be reported again.
        let something =
            self.checkouts[at].poller.is_challenged() || self.refused(&self.checkouts[at]).is_some();
        self.checkouts[at].over |= !something;
    }

    /// The moment until which there is nothing to do; it is an error if there is something.
    fn rest(&self) -> Option<i64> {
        let mut moments = Vec::new();
        for checkout in self.checkouts.iter().filter(|checkout| !checkout.out && !checkout.ended) {
            assert!(checkout.told || self.refused(checkout).is_none(), "a refusal is not told");
            match self.step(checkout) {
                Step::Wait(until) => moments.push(until.unix_millis()),
                Step::AskPayer { until } => {
                    assert!(checkout.told, "a challenge is not told");
                    moments.push(until.unix_millis());
                }
                Step::Fetch(_) => {
                    let free = self.free_at(&self.shops[checkout.shop]);
                    assert!(free > self.now, "a read is not given");
                    moments.push(free);
                }
                // The poller reached the end of its count while the checkout waited for its turn; the turn
                // reports it.
                Step::Done(_) | Step::GaveUp(_) if self.is_too_old(checkout) => {
                    let free = self.free_at(&self.shops[checkout.shop]);
                    assert!(free > self.now, "an end is not told");
                    moments.push(free);
                }
                end @ (Step::Done(_) | Step::GaveUp(_)) => panic!("an end is not told: {end:?}"),
            }
        }
        moments.into_iter().filter(|at| *at < i64::MAX).min()
    }

    /// True if the checkout would be read, but for the end of a poller's count.
    fn is_too_old(&self, checkout: &Checkout) -> bool {
        let never = checkout.poller.started_at().unix_millis() + i64::from(u32::MAX) * 10;
        let before = Moment::from_unix_millis(never - 1);
        let step = checkout.poller.next(&self.shops[checkout.shop].policy, before);
        self.now >= never && matches!(step, Step::Fetch(_))
    }

    /// Sets back the clock, and every poller with it.
    fn set_back(&mut self, now: i64, schedule: &Schedule<usize>) {
        let was = self.now;
        if was - now < 60_000 {
            return;
        }
        (self.now, self.origin) = (now, now / 10 * 10);
        for at in 0..self.checkouts.len() {
            self.checkouts[at].poller.set_back(Moment::from_unix_millis(now));
            let still = matches!(self.step(&self.checkouts[at]), Step::Done(_) | Step::GaveUp(_));
            self.checkouts[at].ended &= still;
        }
        for shop in &mut self.shops {
            // Requests that still counted count on, as made now at the latest; requests that had left the
            // window may have been forgotten.
            if let Some(limit) = shop.limit {
                let window = i64::from(limit.per_seconds) * 1_000 + shop.margin.max(1);
                let still = shop.asked.iter().filter(|asked| **asked > was.saturating_sub(window)).count();
                shop.asked.iter_mut().for_each(|asked| *asked = now.min(*asked));
                let kept: Vec<i64> = schedule.requests_in_window(shop.id).map(Moment::unix_millis).collect();
                assert!(shop.asked.ends_with(&kept) && still <= kept.len(), "{kept:?} of {:?}", shop.asked);
                shop.asked = kept;
            }
            shop.until = match shop.until {
                i64::MAX => i64::MAX,
                until if until > was => now + (until - was),
                until => until.min(now),
            };
        }
    }

    /// Reports something about a checkout.
    fn tell(&mut self, key: ScheduleKey, tell: impl FnOnce(&mut Poller, &PollPolicy, Moment, &mut Checkout)) {
        let now = self.moment();
        let at = self.checkouts.iter().position(|checkout| checkout.key == key).unwrap();
        let before = self.step(&self.checkouts[at]);
        let policy = self.shops[self.checkouts[at].shop].policy;
        let mut poller = self.checkouts[at].poller;
        tell(&mut poller, &policy, now, &mut self.checkouts[at]);
        let stood = self.checkouts[at].poller.phase();
        self.checkouts[at].poller = poller;
        let has_something = poller.is_challenged() || self.refused(&self.checkouts[at]).is_some();
        if poller.phase() != stood || !has_something {
            self.checkouts[at].told = false;
        }
        if self.step(&self.checkouts[at]) != before {
            self.checkouts[at].ended = false;
        }
    }

    fn handle_outcome(&mut self, key: ScheduleKey, outcome: ReadOutcome) {
        let is_heard = self.is_heard(key);
        self.tell(key, |poller, policy, now, checkout| {
            let stood = poller.phase();
            poller.handle_outcome(policy, now, outcome);
            checkout.spent &= stood.is_none() || poller.phase() == stood;
            let is_heard = is_heard || !checkout.spent;
            if checkout.returned {
                poller.challenge_is_over();
                checkout.told = false;
            }
            if checkout.returned || (checkout.nudged && checkout.out) {
                if is_heard { poller.nudge(policy, now) } else { poller.nudge_in_turn(policy, now) }
            }
            match outcome {
                ReadOutcome::Answer { .. } | ReadOutcome::PayerActs { .. } => checkout.limited = false,
                ReadOutcome::Limited { .. } => checkout.limited = true,
                ReadOutcome::Failed { .. } | ReadOutcome::NotThere { .. } | ReadOutcome::Refused => {}
            }
            (checkout.out, checkout.returned) = (false, false);
        });
        let (now, at) = (self.now, self.find(key).shop);
        let shop = &mut self.shops[at];
        let longest = shop.policy.max_interval.max(shop.policy.initial_interval);
        match outcome {
            ReadOutcome::Answer { .. } | ReadOutcome::PayerActs { .. } => shop.limited = 0,
            ReadOutcome::Limited { wait: None } if now >= shop.until => {
                shop.limited += 1;
                let wait = shop.policy.backoff.wait(shop.limited, SEED).min(longest);
                shop.until = Moment::from_unix_millis(now).saturating_add(wait).unix_millis();
            }
            ReadOutcome::Limited { wait: Some(wait) } => {
                let until = Moment::from_unix_millis(now).saturating_add(wait.min(longest)).unix_millis();
                shop.until = shop.until.max(until);
            }
            ReadOutcome::Limited { wait: None } | ReadOutcome::Failed { .. } => {}
            ReadOutcome::NotThere { .. } | ReadOutcome::Refused => {}
        }
    }
}

/// Plays a history on both, and returns all answers of the schedule, with their times.
fn check(shops: &[(PollPolicy, Option<RateLimit>)], margin: u64, acts: &[Act]) -> Vec<(i64, Next)> {
    let mut schedule = empty(shops, margin, at(0));
    let mut model = Model { now: START, origin: START, shops: Vec::new(), checkouts: Vec::new() };
    for (index, (policy, limit)) in shops.iter().enumerate() {
        let (id, policy, limit) = (first_id(index), *policy, *limit);
        let margin = i64::try_from(margin).unwrap();
        let (until, limited, jumped) = (i64::MIN, 0, false);
        model.shops.push(Shop { id, policy, limit, margin, until, limited, asked: Vec::new(), jumped });
    }
    let (mut said, mut clock) = (Vec::new(), START);
    // The point from which the times of the answers begin anew.
    let mut since = 0;
    for act in acts {
        let now = Moment::from_unix_millis(clock);
        let keys: Vec<ScheduleKey> = model.checkouts.iter().map(|checkout| checkout.key).collect();
        let which = |index: &Index| (!keys.is_empty()).then(|| *index.get(&keys));
        // An act that reports nothing to the schedule gives the schedule no time.
        model.now = match act {
            Act::Time(_) | Act::SlowDown(..) | Act::Used(_) | Act::Restart => model.now,
            Act::SetBack(_) | Act::RemoveMerchant(_) => model.now,
            Act::Add { .. } | Act::Drain | Act::Next(_) => model.now.max(clock),
            Act::ReadOutcome(..) | Act::Release(_) | Act::Nudge(_) if keys.is_empty() => continue,
            Act::Asking(_) if keys.is_empty() => continue,
            Act::Returned(_) | Act::Resume(..) | Act::Remove(_) if keys.is_empty() => continue,
            Act::ReadOutcome(..) | Act::Release(_) | Act::Nudge(_) | Act::Asking(_) => model.now.max(clock),
            Act::Returned(_) | Act::Resume(..) | Act::Remove(_) => model.now.max(clock),
        };
        model.sweep();
        match act {
            Act::Add { merchant, ago } => {
                let shop = merchant.index(shops.len());
                let started_at = Moment::from_unix_millis(clock - ago);
                let key = schedule.add(model.shops[shop].id, started_at, now, model.checkouts.len());
                let poller = *schedule.poller(key).unwrap();
                let (out, ended, told, nudged, returned) = (false, false, false, false, false);
                let (spent, limited) = (false, false);
                model.checkouts.push(Checkout {
                    key,
                    shop,
                    poller,
                    out,
                    ended,
                    told,
                    over: false,
                    nudged,
                    returned,
                    spent,
                    limited,
                });
            }
            Act::Time(span) => clock += span,
            Act::Drain | Act::Next(_) => {
                for _ in 0..if let Act::Next(calls) = act { *calls } else { usize::MAX } {
                    let next = schedule.next(now);
                    said.push((model.now, next));
                    model.expect(next);
                    if matches!(next, Next::Wait(_) | Next::Idle) {
                        break;
                    }
                }
            }
            Act::ReadOutcome(index, outcome) => {
                // Mostly a checkout that is out; now and then one that is not.
                let out = model.checkouts.iter().filter(|checkout| checkout.out).map(|checkout| checkout.key);
                let out: Vec<ScheduleKey> = out.collect();
                let key = if out.is_empty() { which(index) } else { Some(*index.get(&out)) };
                if let Some(key) = key {
                    schedule.handle_outcome(key, now, *outcome);
                    model.handle_outcome(key, *outcome);
                }
            }
            Act::Asking(index) => {
                if let Some(key) = which(index) {
                    schedule.mark_sent(key, now);
                    model.tell(key, |poller, policy, now, checkout| {
                        if checkout.out {
                            poller.mark_sent(policy, now);
                            (checkout.nudged, checkout.returned) = (false, false);
                        }
                    });
                }
            }
            Act::Release(index) => {
                if let Some(key) = which(index) {
                    schedule.release(key, now);
                    model.find(key).out = false;
                }
            }
            Act::Nudge(index) => {
                if let Some(key) = which(index) {
                    schedule.nudge(key, now);
                    let is_heard = model.is_heard(key);
                    model.tell(key, |poller, policy, now, checkout| {
                        if is_heard {
                            poller.nudge(policy, now)
                        } else {
                            poller.nudge_in_turn(policy, now)
                        }
                        checkout.nudged = true;
                        checkout.returned &= checkout.out;
                    });
                }
            }
            Act::Returned(index) => {
                if let Some(key) = which(index) {
                    schedule.payer_returned(key, now);
                    let is_heard = model.is_heard(key);
                    model.tell(key, |poller, policy, now, checkout| {
                        poller.challenge_is_over();
                        if is_heard {
                            poller.nudge(policy, now)
                        } else {
                            poller.nudge_in_turn(policy, now)
                        }
                        (checkout.nudged, checkout.told, checkout.returned) = (true, false, checkout.out);
                    });
                }
            }
            Act::Resume(index, seconds) => {
                if let Some(key) = which(index) {
                    let span = Duration::from_secs(*seconds);
                    schedule.resume(key, now, span);
                    model.tell(key, |poller, policy, now, checkout| {
                        poller.resume(policy, now, span);
                        checkout.returned &= checkout.out;
                    });
                }
            }
            Act::Remove(index) => {
                if let Some(key) = which(index) {
                    let (poller, _) = schedule.remove(key).unwrap();
                    assert_eq!(poller, model.find(key).poller);
                    model.checkouts.retain(|checkout| checkout.key != key);
                    assert!(schedule.remove(key).is_none() && schedule.poller(key).is_none());
                    schedule.nudge(key, now);
                    schedule.handle_outcome(key, now, ReadOutcome::Refused);
                }
            }
            Act::SlowDown(index, span) => {
                let shop = &mut model.shops[index.index(shops.len())];
                let until = clock.saturating_add(*span);
                schedule.pause_until(shop.id, Moment::from_unix_millis(until));
                shop.until = shop.until.max(until);
            }
            Act::Used(index) => {
                let shop = &mut model.shops[index.index(shops.len())];
                schedule.record_request(shop.id, Moment::from_unix_millis(model.now));
                shop.asked.push(model.now);
            }
            Act::SetBack(span) => {
                clock -= span;
                schedule.set_back(Moment::from_unix_millis(clock));
                model.set_back(clock, &schedule);
                since = said.len();
            }
            Act::RemoveMerchant(index) => {
                let at = index.index(shops.len());
                let has_some = model.checkouts.iter().any(|checkout| checkout.shop == at);
                let shop = &mut model.shops[at];
                let recent: Vec<Moment> = schedule.requests_in_window(shop.id).collect();
                let removed = schedule.remove_merchant(shop.id);
                assert_eq!(removed, (!has_some).then_some(shop.policy));
                if removed.is_some() {
                    let gone = core::mem::replace(&mut shop.id, schedule.merchant(shop.policy, shop.limit));
                    assert_ne!(gone, shop.id);
                    assert_eq!(schedule.remove_merchant(gone), None);
                    schedule.pause_until(gone, Moment::from_unix_millis(i64::MAX));
                    schedule.record_request(gone, Moment::from_unix_millis(i64::MAX));
                    assert_eq!(schedule.requests_in_window(gone).count(), 0);
                    recent.into_iter().for_each(|at| schedule.record_request(shop.id, at));
                    (shop.until, shop.limited, shop.jumped) = (i64::MIN, 0, false);
                }
            }
            Act::Restart => {
                let stored = model.checkouts.iter_mut().map(|checkout| {
                    let poller = schedule.poller(checkout.key).unwrap().to_string();
                    (poller.parse::<Poller>().unwrap(), checkout)
                });
                let stored: Vec<_> = stored.collect();
                // Time continues in the pollers, and in the new schedule from the reports that it takes.
                model.now = model.now.max(clock);
                let now = Moment::from_unix_millis(model.now);
                let mut again = empty(shops, margin, now);
                for (at, shop) in model.shops.iter_mut().enumerate() {
                    let before = core::mem::replace(&mut shop.id, first_id(at));
                    schedule.requests_in_window(before).for_each(|at| again.record_request(shop.id, at));
                    again.pause_until(shop.id, Moment::from_unix_millis(shop.until));
                    (shop.limited, shop.jumped) = (0, false);
                }
                for (data, (poller, checkout)) in stored.into_iter().enumerate() {
                    let shop = &model.shops[checkout.shop];
                    checkout.key = again.restore(shop.id, poller, now, data);
                    checkout.poller.read_once_more(&shop.policy, now);
                    (checkout.out, checkout.ended, checkout.told) = (false, false, false);
                    (checkout.nudged, checkout.returned) = (false, false);
                    (checkout.spent, checkout.limited) = (false, false);
                }
                again.spread();
                (0..shops.len()).for_each(|shop| model.spread(shop));
                schedule = again;
            }
        }
        assert_eq!(schedule.len(), model.checkouts.len());
        for (key, _, poller, _) in schedule.iter() {
            if model.is_at_the_end(key) {
                model.find(key).poller = *poller;
            }
            assert_eq!(*poller, model.find(key).poller, "{act:?}");
        }
    }
    for shop in &model.shops {
        if let Some(limit) = shop.limit {
            let given = said
                .iter()
                .skip(since)
                .filter(|(_, next)| matches!(next, Next::Fetch { merchant, .. } if *merchant == shop.id));
            let given: Vec<i64> = given.map(|(at, _)| *at).collect();
            let window = i64::from(limit.per_seconds) * 1_000;
            for at in &given {
                let inside = given.iter().filter(|other| (*at..=at + window).contains(other)).count();
                assert!(inside <= limit.requests as usize, "{inside} reads from {at} on");
            }
        }
    }
    said
}

/// The id of the first merchant in a place.
fn first_id(place: usize) -> MerchantId {
    MerchantId { slot: u32::try_from(place).unwrap(), generation: 0 }
}

fn empty(shops: &[(PollPolicy, Option<RateLimit>)], margin: u64, now: Moment) -> Schedule<usize> {
    let mut schedule = Schedule::new(now, SEED).limit_margin(Duration::from_millis(margin));
    for (policy, limit) in shops {
        schedule.merchant(*policy, *limit);
    }
    schedule
}

fn at(seconds: i64) -> Moment {
    Moment::from_unix_millis(START + seconds * 1_000)
}

fn limit(requests: u32, per_seconds: u32) -> RateLimit {
    RateLimit { requests, per_seconds, scope: RateScope::Merchant }
}

fn answer(kind: ReadKind, phase: Phase) -> ReadOutcome {
    ReadOutcome::Answer { kind, phase: Some(phase), wait: None }
}

/// All reads that can be given now.
fn reads(schedule: &mut Schedule<usize>, now: Moment) -> Vec<(ScheduleKey, ReadKind)> {
    let mut reads = Vec::new();
    loop {
        match schedule.next(now) {
            Next::Fetch { key, kind, .. } => reads.push((key, kind)),
            Next::Wait(_) | Next::Idle => return reads,
            Next::AskPayer { .. } | Next::Refused { .. } => {}
            Next::Ended { .. } | Next::GaveUp { .. } => {}
        }
    }
}

fn policy() -> impl Strategy<Value = PollPolicy> {
    let hour = Duration::from_secs(3_600);
    prop_oneof![
        Just(PollPolicy::allscale()),
        Just(PollPolicy::azotte()),
        Just(PollPolicy::peach()),
        Just(PollPolicy::allscale().late_payment_reads(hour, Duration::MAX).challenge_interval(None)),
        Just(PollPolicy::azotte().late_payment_reads(hour, hour * 50).deadline(hour * 400)),
    ]
}

fn rate_limit() -> impl Strategy<Value = Option<RateLimit>> {
    prop_oneof![
        2 => Just(None),
        2 => Just(peach::Route::Status.rate_limit()),
        2 => (0u32..5, 0u32..20).prop_map(|(requests, per_seconds)| Some(limit(requests, per_seconds))),
    ]
}

fn phase() -> impl Strategy<Value = Option<Phase>> {
    prop_oneof![
        2 => Just(None),
        6 => Just(Some(Phase::AwaitingPayer)),
        4 => Just(Some(Phase::PayerAction)),
        2 => Just(Some(Phase::Processing)),
        2 => Just(Some(Phase::InReview)),
        2 => Just(Some(Phase::Succeeded)),
        2 => Just(Some(Phase::Failed(Failure::Expired))),
    ]
}

fn outcome() -> impl Strategy<Value = ReadOutcome> {
    let wait = || {
        let span = prop_oneof![Just(0), 1u64..30, Just(500), Just(u64::MAX)].prop_map(Duration::from_secs);
        prop_oneof![3 => Just(None), 1 => span.prop_map(Some)]
    };
    prop_oneof![
        8 => (prop_oneof![Just(ReadKind::Status), Just(ReadKind::Full)], phase(), wait())
            .prop_map(|(kind, phase, wait)| ReadOutcome::Answer { kind, phase, wait }),
        1 => wait().prop_map(|wait| ReadOutcome::Limited { wait }),
        1 => wait().prop_map(|wait| ReadOutcome::Failed { wait }),
        1 => wait().prop_map(|wait| ReadOutcome::NotThere { wait }),
        2 => (any::<bool>(), wait()).prop_map(|(shown, wait)| ReadOutcome::PayerActs { shown, wait }),
        1 => Just(ReadOutcome::Refused),
    ]
}

fn span() -> impl Strategy<Value = i64> {
    prop_oneof![
        2 => 0i64..15,
        6 => 0i64..10_000,
        3 => 0i64..100_000,
        1 => 0i64..10_000_000,
        1 => 0i64..40_000_000_000,
        1 => -20_000i64..0,
    ]
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (any::<Index>(), prop_oneof![Just(0i64), 0i64..700_000])
            .prop_map(|(merchant, ago)| Act::Add { merchant, ago }),
        10 => span().prop_map(Act::Time),
        8 => Just(Act::Drain),
        3 => (1usize..4).prop_map(Act::Next),
        12 => (any::<Index>(), outcome()).prop_map(|(index, outcome)| Act::ReadOutcome(index, outcome)),
        2 => any::<Index>().prop_map(Act::Asking),
        1 => any::<Index>().prop_map(Act::Release),
        2 => any::<Index>().prop_map(Act::Nudge),
        2 => any::<Index>().prop_map(Act::Returned),
        1 => (any::<Index>(), 0u64..4_000).prop_map(|(index, seconds)| Act::Resume(index, seconds)),
        1 => any::<Index>().prop_map(Act::Remove),
        1 => (any::<Index>(), span()).prop_map(|(index, span)| Act::SlowDown(index, span)),
        1 => any::<Index>().prop_map(Act::Used),
        1 => prop_oneof![50_000i64..200_000, 0i64..40_000_000_000].prop_map(Act::SetBack),
        1 => any::<Index>().prop_map(Act::RemoveMerchant),
        1 => Just(Act::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(600) })]
    #[test]
    fn the_schedule_gives_the_same_as_a_searched_list(
        shops in prop::collection::vec((policy(), rate_limit()), 1..4),
        margin in prop_oneof![Just(0u64), Just(1_000), 0u64..5_000],
        acts in prop::collection::vec(act(), 1..150),
    ) {
        let said = check(&shops, margin, &acts);
        // And the same history gives the same answers, in the same order.
        prop_assert_eq!(check(&shops, margin, &acts), said);
    }

    #[test]
    fn between_merchants_with_work_and_no_limits_the_counts_differ_by_at_most_one(
        work in prop::collection::vec(1usize..12, 2..5),
        order in any::<prop::sample::Selector>(),
        late in any::<Index>(),
    ) {
        let mut schedule = Schedule::new(at(0), SEED);
        let shops: Vec<MerchantId> = work.iter().map(|_| schedule.merchant(PollPolicy::allscale(), None)).collect();
        let all = work.iter().enumerate().flat_map(|(shop, work)| vec![shop; *work]);
        let mut all: Vec<usize> = all.collect();
        let mut mixed = Vec::new();
        while !all.is_empty() {
            let at = order.select(0..all.len());
            mixed.push(all.swap_remove(at));
        }
        let late = late.index(mixed.len());
        let mut given = vec![0usize; work.len()];
        mixed[..late].iter().for_each(|shop| _ = schedule.add(shops[*shop], at(0), at(0), *shop));
        // The first checkouts are served first; the counts are counted once all have work.
        while let Next::Fetch { .. } = schedule.next(at(0)) {}
        mixed[late..].iter().for_each(|shop| _ = schedule.add(shops[*shop], at(0), at(0), *shop));
        let mut left = vec![0usize; work.len()];
        mixed[late..].iter().for_each(|shop| left[*shop] += 1);
        while let Next::Fetch { key, .. } = schedule.next(at(0)) {
            let shop = *schedule.data(key).unwrap();
            given[shop] += 1;
            left[shop] -= 1;
            for pair in 0..work.len() * work.len() {
                let (one, other) = (pair / work.len(), pair % work.len());
                if left[one] > 0 && left[other] > 0 {
                    prop_assert!(given[one].abs_diff(given[other]) <= 1, "{:?} of {:?}", given, work);
                }
            }
        }
        prop_assert!(left.iter().all(|left| *left == 0));
    }

}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(16) })]
    #[test]
    fn no_checkout_waits_for_more_than_one_turn_of_each_other_after_its_deadline(
        checkouts in prop::collection::vec(0i64..3_000, 2..20),
        nudges in prop::collection::vec((any::<Index>(), 0i64..6_000), 0..200),
        // With short deadlines the last reads of all of them come together.
        deadline in prop_oneof![Just(1_000_000u64), 600u64..6_000],
    ) {
        // Two seconds for each read: a limit that is far too tight for so many.
        let policy = PollPolicy::allscale().deadline(Duration::from_secs(deadline));
        let mut schedule = Schedule::new(at(0), SEED);
        let shop = schedule.merchant(policy, Some(limit(1, 1)));
        let add = |ago: &i64| schedule.add(shop, at(-ago), at(0), 0);
        let keys: Vec<ScheduleKey> = checkouts.iter().map(add).collect();
        let nudges = nudges.iter().map(|(which, at)| (*at, *which.get(&keys)));
        let mut nudges: Vec<(i64, ScheduleKey)> = nudges.collect();
        nudges.sort_unstable();
        // Each of them jumps once, and nothing new is reported.
        let jumps = if nudges.is_empty() { 0 } else { checkouts.len() as u64 * 2 };
        let turns = checkouts.len() as u64 * 2;
        for second in 0..6_000 {
            while let Some((_, key)) = nudges.pop_if(|(at, _)| *at == 6_000 - second) {
                schedule.nudge(key, at(second));
            }
            // Before anything is given: no checkout is over time.
            for (_, _, poller, _) in schedule.iter() {
                let bound = poller.due().saturating_add(poller.interval(&policy, poller.due()));
                let bound = bound.max(at(0)).saturating_add(Duration::from_secs(jumps + turns));
                prop_assert!(at(second) <= bound, "{} is over {:?}", second, bound);
            }
            loop {
                match schedule.next(at(second)) {
                    Next::Fetch { key, kind, .. } => {
                        schedule.handle_outcome(key, at(second), answer(kind, Phase::AwaitingPayer));
                    }
                    Next::GaveUp { key, .. } => {
                        let (poller, _) = schedule.remove(key).unwrap();
                        prop_assert!(poller.deadline() <= at(second));
                    }
                    _ => break,
                }
            }
        }
    }

}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]
    #[test]
    fn a_schedule_of_stored_pollers_goes_on_as_a_schedule_that_was_never_stopped(
        checkouts in prop::collection::vec((policy(), 0i64..500_000), 1..12),
        answers in prop::collection::vec(outcome(), 1..60),
        pauses in prop::collection::vec(0i64..40_000, 2..40),
        stop in any::<Index>(),
    ) {
        let mut schedule = Schedule::new(at(0), SEED);
        let mut policies = Vec::new();
        for (index, (policy, ago)) in checkouts.iter().enumerate() {
            let shop = schedule.merchant(*policy, None);
            policies.push(*policy);
            schedule.add(shop, Moment::from_unix_millis(START - ago), at(0), index);
        }
        let mut again: Option<Schedule<usize>> = None;
        let stop = stop.index(pauses.len());
        let (mut now, mut count) = (START, 0);
        for (round, pause) in pauses.iter().enumerate() {
            now += pause;
            let moment = Moment::from_unix_millis(now);
            if round == stop {
                let mut other = Schedule::new(moment, SEED + 1);
                let shops: Vec<_> = policies.iter().map(|policy| other.merchant(*policy, None)).collect();
                // A checkout that has ended is read once more; this test leaves that read out.
                let ended = schedule.iter().filter(|(_, _, poller, data)| {
                    matches!(poller.next(&policies[**data], moment), Step::Done(_))
                });
                let ended: Vec<ScheduleKey> = ended.map(|(key, ..)| key).collect();
                ended.into_iter().for_each(|key| _ = schedule.remove(key));
                for (_, _, poller, data) in schedule.iter() {
                    other.restore(shops[*data], poller.to_string().parse().unwrap(), moment, *data);
                }
                again = Some(other);
            }
            let outcome = |data: usize| answers[(count + data) % answers.len()];
            let one = round_of(&mut schedule, moment, outcome);
            if let Some(again) = &mut again {
                prop_assert_eq!(round_of(again, moment, outcome), one);
            }
            count += 1;
        }
    }
}

/// Carries out every read that is due now and answers it by `outcome`, in the order of the caller's data.
fn round_of(
    schedule: &mut Schedule<usize>,
    now: Moment,
    outcome: impl Fn(usize) -> ReadOutcome,
) -> (Vec<(usize, ReadKind)>, Vec<(usize, Poller)>) {
    let mut said = Vec::new();
    for (key, kind) in reads(schedule, now) {
        let data = *schedule.data(key).unwrap();
        said.push((data, kind));
        // A limit of one poller is a limit of its merchant, and not part of the poller.
        match outcome(data) {
            ReadOutcome::Limited { wait } => schedule.handle_outcome(key, now, ReadOutcome::Failed { wait }),
            outcome => schedule.handle_outcome(key, now, outcome),
        }
    }
    said.sort_unstable_by_key(|(data, _)| *data);
    let mut stand: Vec<_> = schedule.iter().map(|(_, _, poller, data)| (*data, *poller)).collect();
    stand.sort_unstable_by_key(|(data, _)| *data);
    (said, stand)
}

#[test]
fn a_checkout_with_its_tracker_takes_48_bytes() {
    assert_eq!(Slots::<Tracker<IntentStatus>>::SLOT_BYTES, 48);
    assert_eq!(Slots::<u64>::SLOT_BYTES, 40);
    assert_eq!(Slots::<()>::SLOT_BYTES, 32);
}

#[test]
fn a_schedule_without_checkouts_takes_46_kilobytes() {
    let mut schedule = None;
    let counted = allocation_counter::measure(|| schedule = Some(Schedule::<()>::new(at(0), SEED)));
    let bytes = usize::try_from(counted.bytes_current).unwrap() + size_of::<Schedule<()>>();
    assert_eq!(bytes / 1_000, 46, "{bytes}");
}

#[test]
fn a_schedule_allocates_nothing_below_its_largest_size() {
    let mut schedule = Schedule::new(at(0), SEED);
    schedule.reserve(2_000);
    let shops = [
        schedule.merchant(PollPolicy::allscale().deadline(Duration::MAX), None),
        schedule.merchant(PollPolicy::azotte().deadline(Duration::MAX), Some(limit(300, 10))),
        schedule.merchant(PollPolicy::peach().deadline(Duration::MAX), peach::Route::Status.rate_limit()),
    ];
    let mut now = 0;
    let mut round = |schedule: &mut Schedule<usize>, rounds: i64| {
        let mut reads = 0u32;
        for _ in 0..rounds {
            now += 137;
            let moment = Moment::from_unix_millis(START + now);
            // A thousand each; in each round one leaves and one comes.
            let shop = shops[usize::try_from(now).unwrap() % 3];
            let key = schedule.add(shop, moment, moment, 0);
            if schedule.len() > 1_500 {
                let oldest = schedule.iter().nth(usize::try_from(now).unwrap() % 1_500).map(|(key, ..)| key);
                schedule.remove(oldest.unwrap());
            }
            schedule.nudge(key, moment);
            while let Next::Fetch { key, kind, .. } = schedule.next(moment) {
                reads += 1;
                schedule.handle_outcome(key, moment, answer(kind, Phase::AwaitingPayer));
            }
        }
        reads
    };
    assert!(round(&mut schedule, 10_000) > 10_000);
    let mut reads = 0;
    let counted = allocation_counter::measure(|| reads = round(&mut schedule, 5_000));
    assert!(reads > 5_000);
    assert_eq!((counted.count_total, counted.bytes_total), (0, 0));
}

#[test]
fn a_ticket_never_means_another_checkout_even_when_generations_are_used_up() {
    let mut schedule = Schedule::new(at(0), SEED);
    let shop = schedule.merchant(PollPolicy::allscale(), None);
    let first = schedule.add(shop, at(0), at(0), 0);
    schedule.remove(first);
    // As after 2³² − 1 checkouts in the same slot.
    schedule.slots.age(0);
    let last = schedule.add(shop, at(0), at(0), 1);
    assert_eq!((last.slot, last.generation), (0, u32::MAX));
    schedule.remove(last);
    let next = schedule.add(shop, at(0), at(0), 2);
    assert_eq!((next.slot, next.generation), (1, 0));
    assert_eq!([first, last, next].map(|key| schedule.data(key).copied()), [None, None, Some(2)]);
    assert_eq!(schedule.len(), 1);
    schedule.remove(next);
    assert_eq!(schedule.add(shop, at(0), at(0), 3), ScheduleKey { slot: 1, generation: 1 });
}

#[test]
fn a_stale_ticket_does_nothing() {
    let mut schedule = Schedule::new(at(0), SEED);
    let shop = schedule.merchant(PollPolicy::allscale(), None);
    let stale = schedule.add(shop, at(0), at(0), 0);
    schedule.remove(stale);
    let key = schedule.add(shop, at(0), at(0), 1);
    let before = *schedule.poller(key).unwrap();
    schedule.nudge(stale, at(1));
    schedule.payer_returned(stale, at(1));
    schedule.resume(stale, at(1), Duration::MAX);
    schedule.release(stale, at(1));
    schedule.handle_outcome(stale, at(1), ReadOutcome::Limited { wait: Some(Duration::MAX) });
    assert_eq!(schedule.poller(key), Some(&before));
    assert_eq!(reads(&mut schedule, at(1)), [(key, ReadKind::Status)]);
}

#[test]
fn a_read_that_is_out_is_not_given_again_until_its_outcome_or_release() {
    let mut schedule = Schedule::new(at(0), SEED);
    let shop = schedule.merchant(PollPolicy::allscale(), None);
    let key = schedule.add(shop, at(0), at(0), 0);
    assert_eq!(reads(&mut schedule, at(0)), [(key, ReadKind::Status)]);
    schedule.nudge(key, at(100));
    assert_eq!(schedule.next(at(100)), Next::Idle);
    schedule.release(key, at(100));
    assert_eq!(reads(&mut schedule, at(100)), [(key, ReadKind::Status)]);
}

#[test]
fn a_webhook_during_a_read_makes_another_read_follow() {
    let mut schedule = Schedule::new(at(0), SEED);
    let shop = schedule.merchant(PollPolicy::allscale(), None);
    let key = schedule.add(shop, at(0), at(0), 0);
    reads(&mut schedule, at(0));
    schedule.nudge(key, at(1));
    schedule.handle_outcome(key, at(2), answer(ReadKind::Status, Phase::AwaitingPayer));
    // A second is the shortest time between two reads; without the webhook it were five.
    assert_eq!(schedule.next(at(2)), Next::Wait(at(3)));
    assert_eq!(reads(&mut schedule, at(3)), [(key, ReadKind::Status)]);
}

#[test]
fn a_read_under_way_at_the_payer_s_return_shows_no_challenge() {
    let mut schedule = Schedule::new(at(0), SEED);
    let shop = schedule.merchant(PollPolicy::azotte(), None);
    let key = schedule.add(shop, at(0), at(0), 0);
    let challenged = answer(ReadKind::Status, Phase::PayerAction);
    reads(&mut schedule, at(0));
    schedule.handle_outcome(key, at(0), challenged);
    assert!(matches!(schedule.next(at(0)), Next::AskPayer { until, .. } if until > at(20)));
    assert_eq!(reads(&mut schedule, at(30)), [(key, ReadKind::Status)]);
    schedule.payer_returned(key, at(31));
    schedule.handle_outcome(key, at(32), challenged);
    assert_eq!(schedule.next(at(32)), Next::Wait(at(33)));
    // A challenge reported from here on is news: it may be another challenge.
    assert_eq!(reads(&mut schedule, at(33)), [(key, ReadKind::Status)]);
    schedule.handle_outcome(key, at(33), challenged);
    assert!(matches!(schedule.next(at(33)), Next::AskPayer { .. }));
}

#[test]
fn a_confirmed_refusal_is_reported_before_its_late_money() {
    let hour = Duration::from_secs(3_600);
    let policy = PollPolicy::allscale().late_payment_reads(hour, hour * 72).jitter_permille(0);
    let mut schedule = Schedule::new(at(0), SEED);
    let shop = schedule.merchant(policy, None);
    let key = schedule.add(shop, at(0), at(0), 0);
    let refused = Phase::Failed(Failure::Underpaid);
    let read = |schedule: &mut Schedule<usize>, key, second, kind, phase| {
        assert_eq!(schedule.next(at(second)), Next::Fetch { key, merchant: shop, kind });
        schedule.handle_outcome(key, at(second), answer(kind, phase));
    };
    read(&mut schedule, key, 0, ReadKind::Status, refused);
    // A bare status confirms nothing.
    assert_eq!(schedule.next(at(0)), Next::Wait(at(1)));
    read(&mut schedule, key, 1, ReadKind::Full, refused);
    assert_eq!(schedule.next(at(1)), Next::Refused { key, phase: refused });
    assert_eq!(schedule.next(at(1)), Next::Wait(at(3_601)));
    // Once for each refusal.
    read(&mut schedule, key, 3_601, ReadKind::Status, refused);
    assert_eq!(schedule.next(at(3_601)), Next::Wait(at(7_201)));
    // A restored checkout reports the refusal again rather than never.
    let poller = schedule.poller(key).unwrap().to_string().parse().unwrap();
    let key = schedule.restore(shop, poller, at(3_700), 1);
    assert_eq!(schedule.next(at(3_700)), Next::Refused { key, phase: refused });
    schedule.remove(ScheduleKey { slot: 0, generation: 0 });
    assert_eq!(schedule.next(at(3_700)), Next::Wait(at(7_201)));
    // The checkout is paid after all.
    read(&mut schedule, key, 7_201, ReadKind::Status, Phase::Succeeded);
    read(&mut schedule, key, 7_202, ReadKind::Full, Phase::Succeeded);
    assert_eq!(schedule.next(at(7_202)), Next::Ended { key, phase: Phase::Succeeded });
}

#[test]
fn a_challenge_that_was_not_there_yet_is_reported_when_it_comes() {
    let mut schedule = Schedule::new(at(0), SEED);
    let shop = schedule.merchant(PollPolicy::azotte().jitter_permille(0), None);
    let key = schedule.add(shop, at(0), at(0), 0);
    // The page: wait the submit's two seconds first.
    assert_eq!(schedule.next(at(0)), Next::Wait(at(2)));
    for (second, shown) in [(2, false), (4, false)] {
        assert!(matches!(schedule.next(at(second)), Next::Fetch { .. }));
        schedule.handle_outcome(key, at(second), ReadOutcome::PayerActs { shown, wait: None });
        assert_eq!(schedule.next(at(second)), Next::Wait(at(second + 2)));
    }
    assert!(matches!(schedule.next(at(6)), Next::Fetch { .. }));
    schedule.handle_outcome(key, at(6), answer(ReadKind::Status, Phase::PayerAction));
    assert_eq!(schedule.next(at(6)), Next::AskPayer { key, until: at(36) });
}

#[test]
fn a_challenge_is_reported_once_over_any_number_of_reads() {
    let mut schedule = Schedule::new(at(0), SEED);
    let shop = schedule.merchant(PollPolicy::azotte(), None);
    schedule.add(shop, at(0), at(0), 0);
    let mut told = 0;
    for second in 0..200 {
        loop {
            match schedule.next(at(second)) {
                Next::Fetch { key, kind, .. } => {
                    schedule.handle_outcome(key, at(second), answer(kind, Phase::PayerAction));
                }
                Next::AskPayer { .. } => told += 1,
                _ => break,
            }
        }
    }
    assert_eq!(told, 1);
}

#[test]
fn a_tight_limit_serves_a_webhook_first_and_then_the_fresh() {
    let mut schedule = Schedule::new(at(0), SEED);
    let shop = schedule.merchant(PollPolicy::allscale(), Some(limit(1, 1)));
    // Their intervals are 60, 30 and 5 seconds.
    let [old, older_than_fresh, fresh] = [500, 240, 0].map(|ago| schedule.add(shop, at(-ago), at(0), 0));
    let webhook = schedule.add(shop, at(-590), at(0), 0);
    schedule.pause_until(shop, at(3));
    schedule.nudge(webhook, at(1));
    // Restored checkouts are due since they were stored; here all are due since they began, except for the
    // nudged checkout.
    let mut order = Vec::new();
    for second in 0..12 {
        order.extend(reads(&mut schedule, at(second)).into_iter().map(|(key, _)| (second, key)));
    }
    assert_eq!(order, [(3, webhook), (5, old), (7, older_than_fresh), (9, fresh)]);
}

#[test]
fn a_limit_of_one_merchant_holds_up_no_other() {
    let mut schedule = Schedule::new(at(0), SEED);
    let limited = schedule.merchant(PollPolicy::peach(), peach::Route::Status.rate_limit());
    let free = schedule.merchant(PollPolicy::allscale(), None);
    (0..5).for_each(|_| _ = schedule.add(limited, at(0), at(0), 0));
    (0..5).for_each(|_| _ = schedule.add(free, at(0), at(0), 1));
    let given = reads(&mut schedule, at(0));
    let given = given.iter().map(|(key, _)| *schedule.data(*key).unwrap()).collect::<Vec<_>>();
    assert_eq!(given, [0, 1, 0, 1, 1, 1, 1]);
}

#[test]
fn a_checkout_that_a_limit_holds_up_at_its_deadline_is_read_when_there_is_room() {
    let mut schedule = Schedule::new(at(0), SEED);
    let shop = schedule.merchant(PollPolicy::peach(), Some(limit(1, 60)));
    let (open, ended) = (schedule.add(shop, at(0), at(0), 0), schedule.add(shop, at(0), at(0), 0));
    let end = 65 * 60;
    schedule.pause_until(shop, at(end + 90));
    assert_eq!(schedule.next(at(0)), Next::Wait(at(end + 90)));
    assert_eq!(schedule.next(at(end)), Next::Wait(at(end + 90)));
    assert_eq!(reads(&mut schedule, at(end + 90)), [(open, ReadKind::Status)]);
    schedule.handle_outcome(open, at(end + 90), answer(ReadKind::Status, Phase::AwaitingPayer));
    let gave_up = GaveUp { last_phase: Some(Phase::AwaitingPayer), reason: GiveUpReason::Deadline };
    assert_eq!(schedule.next(at(end + 90)), Next::GaveUp { key: open, gave_up });
    assert_eq!(schedule.next(at(end + 90)), Next::Wait(at(end + 151)));
    assert_eq!(reads(&mut schedule, at(end + 151)), [(ended, ReadKind::Status)]);
    schedule.handle_outcome(ended, at(end + 151), answer(ReadKind::Status, Phase::Succeeded));
    assert_eq!(schedule.next(at(end + 151)), Next::Ended { key: ended, phase: Phase::Succeeded });
    // If a limit allows nothing, the schedule never reports anything.
    let shop = schedule.merchant(PollPolicy::peach(), Some(limit(0, 60)));
    schedule.add(shop, at(0), at(0), 0);
    assert_eq!(schedule.next(at(2 * end)), Next::Idle);
}

#[test]
fn a_restored_end_is_read_before_its_report() {
    for policy in [
        PollPolicy::allscale(),
        PollPolicy::azotte(),
        PollPolicy::allscale().late_payment_reads(Duration::ZERO, Duration::ZERO),
    ] {
        let mut before = Schedule::new(at(0), SEED);
        let shop = before.merchant(policy, None);
        let key = before.add(shop, at(0), at(0), 0);
        let phase = Phase::Failed(Failure::Expired);
        for second in 0..9 {
            for (key, kind) in reads(&mut before, at(second)) {
                before.handle_outcome(key, at(second), answer(kind, phase));
            }
        }
        let (poller, _) = before.remove(key).unwrap();
        assert_eq!(poller.next(&policy, at(9)), Step::Done(phase));
        let mut after = Schedule::new(at(100), SEED);
        let shop = after.merchant(policy, None);
        let key = after.restore(shop, poller, at(100), 0);
        let kind = if policy.confirm_with_full_read { ReadKind::Full } else { ReadKind::Status };
        assert_eq!(after.next(at(100)), Next::Fetch { key, merchant: shop, kind });
        after.handle_outcome(key, at(100), answer(kind, phase));
        assert_eq!(after.next(at(100)), Next::Ended { key, phase });
        assert_eq!(after.next(at(100)), Next::Idle);
    }
}

#[test]
fn a_clock_that_ran_ahead_and_was_set_back_costs_a_window_of_the_limit_and_no_more() {
    let mut schedule = Schedule::new(at(0), SEED);
    let shop = schedule.merchant(PollPolicy::peach(), peach::Route::Status.rate_limit());
    let keys = [0, 1, 2].map(|data| schedule.add(shop, at(0), at(0), data));
    // A year ahead.
    let wrong = at(365 * 86_400);
    let given = reads(&mut schedule, wrong);
    assert_eq!(given.iter().map(|(key, _)| *key).collect::<Vec<_>>(), keys[..2]);
    for (key, kind) in given {
        schedule.handle_outcome(key, wrong, answer(kind, Phase::AwaitingPayer));
    }
    // The wrong clock made the schedule give them up; by the right one they go on.
    assert!(matches!(schedule.next(wrong), Next::GaveUp { .. }));
    schedule.set_back(at(10));
    // The two checkouts that were read are due by their own time then.
    assert_eq!(schedule.next(at(10)), Next::Wait(at(40)));
    assert_eq!(schedule.next(at(40)), Next::Wait(at(71)));
    let mut again: Vec<ScheduleKey> = reads(&mut schedule, at(71)).iter().map(|(key, _)| *key).collect();
    again.extend(reads(&mut schedule, at(132)).iter().map(|(key, _)| *key));
    again.sort_unstable();
    assert_eq!(again, keys);
    // Less than a minute counts as no time at all.
    schedule.set_back(at(80));
    assert_eq!(schedule.next(at(80)), Next::Idle);
}

#[test]
fn a_merchant_without_checkouts_leaves_its_memory_to_the_next() {
    let mut schedule = Schedule::new(at(0), SEED);
    let (one, other) =
        (schedule.merchant(PollPolicy::peach(), None), schedule.merchant(PollPolicy::peach(), None));
    let [first, second] = [one, one].map(|shop| schedule.add(shop, at(0), at(0), 0));
    schedule.pause_until(one, at(1_000));
    assert_eq!(schedule.next(at(0)), Next::Wait(at(1_000)));
    assert_eq!(schedule.remove_merchant(one), None);
    schedule.remove(first);
    assert_eq!(schedule.remove_merchant(one), None);
    schedule.remove(second);
    assert_eq!(schedule.remove_merchant(one), Some(PollPolicy::peach()));
    assert_eq!(schedule.remove_merchant(one), None);
    assert_eq!(schedule.next(at(0)), Next::Idle);
    // The next merchant takes over none of the old merchant's waits.
    let next = schedule.merchant(PollPolicy::allscale(), None);
    assert!(next != one && next != other && next.slot == one.slot);
    let key = schedule.add(next, at(0), at(0), 0);
    assert_eq!(schedule.next(at(0)), Next::Fetch { key, merchant: next, kind: ReadKind::Status });
    assert_eq!(schedule.iter().map(|(_, merchant, ..)| merchant).collect::<Vec<_>>(), [next]);
    // As after 2³² − 1 merchants in the same place.
    schedule.remove(key);
    schedule.places.merchants.of_mut(0).generation = u32::MAX;
    assert!(schedule.remove_merchant(MerchantId { slot: 0, generation: u32::MAX }).is_some());
    let last = schedule.merchant(PollPolicy::allscale(), None);
    assert_eq!((last.slot, schedule.remove_merchant(one)), (2, None));
}

#[test]
#[should_panic(expected = "was removed")]
fn a_merchant_that_was_removed_has_no_new_checkouts() {
    let mut schedule = Schedule::new(at(0), SEED);
    let shop = schedule.merchant(PollPolicy::allscale(), None);
    schedule.remove_merchant(shop);
    schedule.merchant(PollPolicy::allscale(), None);
    schedule.add(shop, at(0), at(0), 0);
}

#[test]
fn the_wait_for_a_limit_without_a_time_grows_until_an_answer() {
    let policy = PollPolicy::allscale().deadline(Duration::MAX);
    let mut schedule = Schedule::new(at(0), SEED);
    let shop = schedule.merchant(policy, None);
    (0..50).for_each(|_| _ = schedule.add(shop, at(0), at(0), 0));
    let mut now = at(0);
    for times in 1..9 {
        // Three reads are on their way when the first is limited; the limit counts once.
        let given = [(); 3].map(|()| match schedule.next(now) {
            Next::Fetch { key, .. } => key,
            other => panic!("{other:?}"),
        });
        for key in given {
            schedule.handle_outcome(key, now, ReadOutcome::Limited { wait: None });
        }
        let until = now.saturating_add(policy.backoff.wait(times, SEED));
        // Checkouts that become due meanwhile come up, and are not given.
        while now < until {
            let Next::Wait(wait) = schedule.next(now) else { panic!("there is nothing to do") };
            assert!(wait > now && wait <= until);
            now = wait;
        }
    }
    let Next::Fetch { key, kind, .. } = schedule.next(now) else { panic!("a read is due") };
    schedule.handle_outcome(key, now, answer(kind, Phase::AwaitingPayer));
    let Next::Fetch { key, .. } = schedule.next(now) else { panic!("there are others") };
    schedule.handle_outcome(key, now, ReadOutcome::Limited { wait: None });
    assert_eq!(schedule.next(now), Next::Wait(now.saturating_add(policy.backoff.wait(1, SEED))));
}

#[test]
fn time_that_goes_back_gives_nothing_twice() {
    let mut schedule = Schedule::new(at(0), SEED);
    let shop = schedule.merchant(PollPolicy::allscale(), Some(limit(2, 10)));
    (0..4).for_each(|_| _ = schedule.add(shop, at(0), at(0), 0));
    assert_eq!(reads(&mut schedule, at(0)).len(), 2);
    for second in (0..11).rev() {
        assert_eq!(reads(&mut schedule, at(second)).len(), 0, "{second}");
        assert_eq!(schedule.next(at(-1_000)), Next::Wait(at(11)));
    }
    assert_eq!(reads(&mut schedule, at(11)).len(), 2);
}

#[test]
fn the_ends_of_time_do_no_harm() {
    let ends = [i64::MIN, -1, 0, START, 1 << 62, i64::MAX].map(Moment::from_unix_millis);
    for (first, last) in ends.iter().flat_map(|first| ends.iter().map(move |last| (*first, *last))) {
        let mut schedule = Schedule::new(first, SEED);
        let shop = schedule.merchant(PollPolicy::peach(), Some(limit(1, u32::MAX)));
        ends.iter().for_each(|started_at| _ = schedule.add(shop, *started_at, first, 0));
        schedule.record_request(shop, last);
        schedule.pause_until(shop, first);
        let mut said = 0;
        for now in [first, last, first] {
            while !matches!(schedule.next(now), Next::Wait(_) | Next::Idle) {
                said += 1;
            }
        }
        // Each checkout reports at most that it is to be read, and that it is given up.
        assert!(said <= 2 * ends.len(), "{first:?} {last:?}");
        assert_eq!(schedule.len(), ends.len());
    }
}

#[test]
fn a_merchant_without_work_holds_up_no_other_at_the_last_moment() {
    let last = Moment::from_unix_millis(i64::MAX);
    for started_at in [Moment::from_unix_millis(0), last] {
        let mut schedule = Schedule::new(started_at, 42);
        let shop = schedule.merchant(PollPolicy::allscale(), None);
        let key = schedule.add(shop, started_at, started_at, ());
        schedule.remove(key);
        assert_eq!(schedule.next(last), Next::Idle);
    }
}

#[test]
fn outdated_ranks_are_thrown_out() {
    let mut schedule = Schedule::new(at(0), SEED);
    let shop = schedule.merchant(PollPolicy::allscale().deadline(Duration::MAX), None);
    schedule.pause_until(shop, at(1_000_000));
    let key = schedule.add(shop, at(0), at(0), 0);
    for second in 0..10_000 {
        schedule.nudge(key, at(second));
        let other = schedule.add(shop, at(second), at(second), 0);
        schedule.remove(other);
        assert!(schedule.places.merchants.of(0).ranks() <= 2 * 2 + 33);
        assert_eq!(schedule.places.merchants.of(0).waiting, 1);
    }
}

#[test]
#[should_panic(expected = "another schedule's")]
fn an_unknown_merchant_of_another_schedule_is_refused() {
    let mut other = Schedule::<usize>::new(at(0), SEED);
    let shop = other.merchant(PollPolicy::allscale(), None);
    empty(&[], 0, at(0)).add(shop, at(0), at(0), 0);
}

const START: i64 = 1_700_000_000_000;
const SEED: u64 = 42;
