//! A store in memory: for tests, and the model that other stores are compared with.

use crate::checkout::Checkout;
use crate::store::{
    Ask, Claimed, ClaimedNews, Decided, Decision, Due, Figures, Filter, Inserted, LIMIT_MARGIN, Lane, Lease,
    New, News, Next, Nudge, Nudged, Overview, ReadMade, SUSPECT, Store, StoreError, Target, UNMATCHED_KEPT,
    Unmatched, Write, Written,
};
use checkout_tables::{Moment, RateLimit};
use checkout_trust::replay::Key;
use core::fmt;
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// A store in memory, which forgets everything with the process. For tests; the clock can be a virtual one.
///
/// ```
/// # checkout_doctest::facade!(engine);
/// use checkout_kit::Moment;
/// use checkout_kit::engine::{Memory, Store};
///
/// let store = Memory::with_clock(|| Moment::from_unix_millis(1_716_501_000_000));
/// # pollster::block_on(async {
/// assert_eq!(store.now().await?, Moment::from_unix_millis(1_716_501_000_000));
/// assert_eq!(store.checkout("order-1").await?, None);
/// # Ok::<(), checkout_engine::StoreError>(())
/// # }).unwrap();
/// ```
pub struct Memory {
    clock: Box<dyn Fn() -> Moment + Send + Sync>,
    has_virtual_clock: bool,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    rows: BTreeMap<String, Row>,
    lanes: BTreeMap<String, LaneRow>,
    /// The work of each lane by its due.
    due: BTreeSet<(String, Moment, String)>,
    /// By lane and reference, and by lane and the provider's id.
    references: BTreeMap<(String, String), String>,
    checkout_ids: BTreeMap<(String, String), String>,
    events: BTreeMap<Key, Event>,
    news: BTreeMap<String, NewsRow>,
    decided: BTreeMap<String, Vec<Decided>>,
    /// The events that no checkout had when they came, by their numbers.
    strays: BTreeMap<i64, Unmatched>,
    stray: i64,
    fence: i64,
    served: u64,
}

struct Row {
    lane: String,
    checkout: Checkout,
    watch: String,
    work: Option<Work>,
    /// Counts for ever, with work and without.
    nudges: i64,
    answered: i64,
}

struct Work {
    due: Moment,
    fence: i64,
    leased: bool,
    tries: u32,
    named: Option<String>,
}

#[derive(Default)]
struct LaneRow {
    limit: Option<RateLimit>,
    /// The places under the limit that are taken: the claim, and the moment until which.
    taken: Vec<(i64, Moment)>,
    /// The provider asked the lane to wait until then.
    wait: Option<Moment>,
    served: u64,
}

struct Event {
    id: String,
    nudge: i64,
    done: bool,
    until: Moment,
}

struct NewsRow {
    news: News,
    due: Moment,
    fence: i64,
    tries: u32,
    failed: u32,
}

impl Memory {
    /// A store with the clock of the system.
    #[must_use]
    pub fn new() -> Self {
        Self { has_virtual_clock: false, ..Self::with_clock(Moment::now) }
    }

    /// A store with a clock of yours, such as a sandbox's virtual clock.
    pub fn with_clock(clock: impl Fn() -> Moment + Send + Sync + 'static) -> Self {
        Self { clock: Box::new(clock), has_virtual_clock: true, kept: Mutex::default() }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn time(&self) -> Moment {
        (self.clock)()
    }

    /// Claims what another store claimed, if the trait allows that choice between lanes.
    #[cfg(feature = "conformance")]
    pub(crate) fn follow(&self, ask: &Ask<'_>, ids: &[&str]) -> Result<Claimed, &'static str> {
        let now = self.time();
        let mut kept = self.kept();
        let due = kept.follow(ask, ids, now)?;
        let news = kept.news.values().any(|row| row.due <= now);
        Ok(Claimed { now, next: None, due, news })
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("checkouts", &self.kept().rows.len()).finish_non_exhaustive()
    }
}

impl LaneRow {
    /// The moment from which the lane has a place; `now` if at once.
    fn free_at(&self, now: Moment) -> Moment {
        let waits = self.wait.filter(|until| *until > now).unwrap_or(now);
        let Some(limit) = self.limit else { return waits };
        let mut taken: Vec<Moment> =
            self.taken.iter().map(|(_, until)| *until).filter(|until| *until > now).collect();
        taken.sort_unstable();
        let places = usize::try_from(limit.requests).unwrap_or(usize::MAX);
        if places == 0 {
            return Moment::from_unix_millis(i64::MAX);
        }
        // The place is free once fewer than all are taken.
        let free = match taken.len().checked_sub(places) {
            Some(surplus) => taken.get(surplus).copied().unwrap_or(now),
            None => now,
        };
        waits.max(free)
    }

    /// The places that are taken under the limit.
    fn taken(&self, now: Moment) -> usize {
        if self.limit.is_none() {
            return 0;
        }
        self.taken.iter().filter(|(_, until)| *until > now).count()
    }

    fn span(limit: RateLimit) -> Duration {
        Duration::from_secs(limit.per_seconds.into()).saturating_add(LIMIT_MARGIN)
    }
}

impl Kept {
    fn next_fence(&mut self) -> i64 {
        self.fence = self.fence.saturating_add(1);
        self.fence
    }

    /// Sets the work of a row, and keeps the index of dues in step.
    fn set_work(&mut self, id: &str, work: Option<Work>) {
        let Some(row) = self.rows.get_mut(id) else { return };
        if let Some(old) = &row.work {
            self.due.remove(&(row.lane.clone(), old.due, id.to_owned()));
        }
        if let Some(new) = &work {
            self.due.insert((row.lane.clone(), new.due, id.to_owned()));
        }
        row.work = work;
    }

    /// Replaces the lasting row, and keeps the index of the provider's ids in step.
    fn set_checkout(&mut self, id: &str, checkout: &Checkout, now: Moment) {
        let Some(row) = self.rows.get_mut(id) else { return };
        if let Some(old) = &row.checkout.checkout_id {
            self.checkout_ids.remove(&(row.lane.clone(), old.clone()));
        }
        if let Some(named) = &checkout.checkout_id {
            self.checkout_ids.insert((row.lane.clone(), named.clone()), id.to_owned());
        }
        let (version, created_at) = (row.checkout.version.saturating_add(1), row.checkout.created_at);
        row.checkout = Checkout { version, created_at, changed_at: now, ..checkout.clone() };
    }

    fn add_news(&mut self, news: &[News], now: Moment) {
        for news in news {
            let row = NewsRow { news: news.clone(), due: now, fence: 0, tries: 0, failed: 0 };
            self.news.entry(news.key.clone()).or_insert(row);
        }
    }

    fn first_due(&self, lane: &str) -> Option<(Moment, &str)> {
        let from = (lane.to_owned(), Moment::from_unix_millis(i64::MIN), String::new());
        let (of, due, id) = self.due.range(from..).next()?;
        (of == lane).then_some((*due, id.as_str()))
    }

    /// The place that a claim took, after the claim's outcome.
    fn end_place(&mut self, id: &str, fence: i64, read: ReadMade, now: Moment) {
        let Some(row) = self.rows.get(id) else { return };
        let Some(lane) = self.lanes.get_mut(&row.lane) else { return };
        let Some(limit) = lane.limit else { return };
        match read {
            ReadMade::None => lane.taken.retain(|(of, _)| *of != fence),
            ReadMade::Sent | ReadMade::Answered => {
                let held = now.saturating_add(LaneRow::span(limit));
                for (_, until) in lane.taken.iter_mut().filter(|(of, _)| *of == fence) {
                    *until = if read == ReadMade::Sent { held.max(*until) } else { held };
                }
            }
        }
    }

    fn find(&self, target: Target<'_>) -> Option<String> {
        match target {
            Target::Id(id) => self.rows.contains_key(id).then(|| id.to_owned()),
            Target::Named { lane, checkout_id, reference } => {
                let by = |map: &BTreeMap<(String, String), String>, id: Option<&str>| {
                    id.and_then(|id| map.get(&(lane.to_owned(), id.to_owned())).cloned())
                };
                by(&self.checkout_ids, checkout_id).or_else(|| by(&self.references, reference))
            }
        }
    }

    fn claim(&mut self, ask: &Ask<'_>, now: Moment) -> Claimed {
        let mut due: Vec<Due> = Vec::new();
        let mut lanes: Vec<&String> =
            ask.lanes.iter().filter(|lane| self.lanes.contains_key(*lane)).collect();
        lanes.sort_by_key(|lane| self.lanes.get(*lane).map_or(0, |row| row.served));
        let mut alone = false;
        while !alone && due.len() < ask.max {
            let mut any = false;
            for lane in &lanes {
                if due.len() >= ask.max {
                    break;
                }
                let is_free = self.lanes.get(*lane).is_some_and(|row| row.free_at(now) <= now);
                let Some((_, id)) = self.first_due(lane).filter(|(at, _)| is_free && *at <= now) else {
                    continue;
                };
                let id = id.to_owned();
                let tries = self.rows.get(&id).and_then(|row| row.work.as_ref()).map_or(0, |work| work.tries);
                if tries >= SUSPECT {
                    if !due.is_empty() {
                        continue;
                    }
                    alone = true;
                }
                due.extend(self.lease(&id, lane, ask.lease, now));
                any = true;
                if alone {
                    break;
                }
            }
            if !any {
                break;
            }
        }
        let next = lanes.iter().filter_map(|lane| {
            let (at, _) = self.first_due(lane)?;
            let free = self.lanes.get(*lane).map_or(now, |row| row.free_at(now));
            Some(at.max(free))
        });
        let news = self.news.values().any(|row| row.due <= now);
        Claimed { now, next: next.min(), due, news }
    }

    /// Leases what another store leased, if this store might have done so.
    #[cfg(feature = "conformance")]
    fn follow(&mut self, ask: &Ask<'_>, ids: &[&str], now: Moment) -> Result<Vec<Due>, &'static str> {
        let mut due: Vec<Due> = Vec::new();
        for id in ids {
            let row = self.rows.get(*id).ok_or("a claim found a row that is not there")?;
            let work = row.work.as_ref().ok_or("a claim found a row without work")?;
            let (lane, at) = (row.lane.clone(), work.due);
            if !ask.lanes.contains(&lane) {
                return Err("a claim found work of a lane that was not asked for");
            }
            if at > now {
                return Err("a claim found work that is not due");
            }
            if self.lanes.get(&lane).is_none_or(|lane| lane.free_at(now) > now) {
                return Err("a claim found work of a lane that has no place");
            }
            if work.tries >= SUSPECT && ids.len() > 1 {
                return Err("a claim found a suspect with other work");
            }
            if self.claimable(&lane, now).any(|(due, tries)| due < at && tries < SUSPECT) {
                return Err("a claim found work before earlier work of its lane");
            }
            due.extend(self.lease(id, &lane, ask.lease, now));
        }
        if due.len() > ask.max {
            return Err("a claim found more work than was asked for");
        }
        let alone = due.first().is_some_and(|due| due.tries > SUSPECT);
        // A suspect at the head of its lane may hold the lane up until the next claim.
        let left = ask.lanes.iter().any(|lane| {
            let first = self.claimable(lane, now).min_by_key(|(due, tries)| (*due, *tries < SUSPECT));
            first.is_some_and(|(_, tries)| due.is_empty() || tries < SUSPECT)
        });
        if due.len() < ask.max && !alone && left {
            return Err("a claim left work that was due and had a place");
        }
        Ok(due)
    }

    /// The work of a lane that can be claimed now: its due, and its tries.
    #[cfg(feature = "conformance")]
    fn claimable(&self, lane: &str, now: Moment) -> impl Iterator<Item = (Moment, u32)> {
        let is_free = self.lanes.get(lane).is_some_and(|lane| lane.free_at(now) <= now);
        let of_lane = self.due.iter().filter(move |(of, due, _)| is_free && of == lane && *due <= now);
        let tries = |id: &String| self.rows.get(id)?.work.as_ref().map(|work| work.tries);
        of_lane.map(move |(_, due, id)| (*due, tries(id).unwrap_or(0)))
    }

    fn lease(&mut self, id: &str, lane: &str, lease: Duration, now: Moment) -> Option<Due> {
        let fence = self.next_fence();
        self.served = self.served.saturating_add(1);
        let served = self.served;
        let until = now.saturating_add(lease);
        if let Some(row) = self.lanes.get_mut(lane) {
            row.served = served;
            if let Some(limit) = row.limit {
                row.taken.retain(|(_, until)| *until > now);
                row.taken.push((fence, until.saturating_add(LaneRow::span(limit))));
            }
        }
        let row = self.rows.get(id)?;
        let work = row.work.as_ref()?;
        let tries = work.tries.saturating_add(1);
        let due = Due {
            lease: Lease { id: id.to_owned(), fence, nudges: row.nudges },
            checkout: row.checkout.clone(),
            watch: row.watch.clone(),
            nudged: row.nudges > row.answered,
            named: work.named.clone(),
            tries,
            late: now.saturating_since(work.due),
        };
        let named = work.named.clone();
        self.set_work(id, Some(Work { due: until, fence, leased: true, tries, named }));
        Some(due)
    }

    fn write(&mut self, lease: &Lease, write: &Write, now: Moment) -> Written {
        let id = lease.id.as_str();
        let Some(row) = self.rows.get_mut(id) else { return Written::Lost };
        let nudges = row.nudges;
        match &row.work {
            Some(work) if work.fence == lease.fence && work.leased => {
                if write.next == Next::Keep && work.due <= now {
                    return Written::Lost;
                }
            }
            Some(_) | None => return Written::Lost,
        }
        let nudged_since = nudges > lease.nudges;
        if write.read == ReadMade::Answered {
            row.answered = row.answered.max(lease.nudges);
            let done = self.events.iter_mut().filter(|(_, event)| event.id == id);
            for (key, event) in done.filter(|(_, event)| !event.done && event.nudge <= lease.nudges) {
                (event.done, event.until) = (true, now.saturating_add(key.retention()));
            }
        }
        if let Some(checkout) = &write.checkout {
            self.set_checkout(id, checkout, now);
        }
        let Some(row) = self.rows.get_mut(id) else { return Written::Lost };
        let named = row.work.as_ref().and_then(|work| work.named.clone()).filter(|_| nudged_since);
        let claimed = row.work.as_ref().map_or((0, None), |work| (work.tries, work.named.clone()));
        let next = |due| Work { due, fence: lease.fence, leased: false, tries: 0, named };
        let work = match &write.next {
            Next::Keep => None,
            Next::Back { after } => {
                let after = if nudged_since { Duration::ZERO } else { *after };
                let (tries, named) = (claimed.0.saturating_sub(1), claimed.1);
                Some(Some(Work { tries, named, ..next(now.saturating_add(after)) }))
            }
            Next::Due { after, watch } => {
                row.watch.clone_from(watch);
                let after = if nudged_since { Duration::ZERO } else { *after };
                Some(Some(next(now.saturating_add(after))))
            }
            Next::Ended { watch } => {
                row.watch.clone_from(watch);
                Some(nudged_since.then(|| next(now)))
            }
        };
        if let Some(work) = work {
            self.set_work(id, work);
            self.end_place(id, lease.fence, write.read, now);
        }
        if let (Some(wait), Some(row)) = (write.lane_wait, self.rows.get(id))
            && let Some(lane) = self.lanes.get_mut(&row.lane)
        {
            lane.wait = lane.wait.max(Some(now.saturating_add(wait)));
        }
        self.add_news(&write.news, now);
        Written::Done
    }

    fn nudge(&mut self, nudge: &Nudge<'_>, now: Moment) -> Nudged {
        let known = nudge.event.iter().filter_map(|key| self.events.get(key));
        let known: Vec<bool> =
            known.filter(|event| !event.done || event.until >= now).map(|event| event.done).collect();
        if known.contains(&true) {
            return Nudged::Done;
        }
        if !known.is_empty() {
            return Nudged::Pending;
        }
        let Some(id) = self.find(nudge.target) else {
            if let Target::Named { lane, checkout_id, reference } = nudge.target {
                self.stray(lane, checkout_id, reference, now);
            }
            return Nudged::Unmatched;
        };
        let fence = self.next_fence();
        let Some(row) = self.rows.get_mut(&id) else { return Nudged::Unmatched };
        row.nudges = row.nudges.saturating_add(1);
        for key in nudge.event {
            let event = Event { id: id.clone(), nudge: row.nudges, done: false, until: now };
            self.events.insert(*key, event);
        }
        let named = match nudge.target {
            Target::Id(_) => None,
            Target::Named { checkout_id, .. } => {
                checkout_id.filter(|named| row.checkout.checkout_id.as_deref() != Some(*named))
            }
        };
        let named = named.map(str::to_owned);
        let work = match &row.work {
            Some(work) => {
                let due = if work.leased { work.due } else { work.due.min(now) };
                let named = named.or_else(|| work.named.clone());
                Work { due, fence: work.fence, leased: work.leased, tries: work.tries, named }
            }
            None => Work { due: now, fence, leased: false, tries: 0, named },
        };
        self.set_work(&id, Some(work));
        Nudged::Queued { id }
    }

    fn stray(&mut self, lane: &str, checkout_id: Option<&str>, reference: Option<&str>, now: Moment) {
        let is_same = |stray: &Unmatched| {
            (&*stray.lane, stray.checkout_id.as_deref(), stray.reference.as_deref())
                == (lane, checkout_id, reference)
        };
        if !self.strays.values().any(is_same) {
            self.stray = self.stray.saturating_add(1);
            let [checkout_id, reference] = [checkout_id, reference].map(|id| id.map(str::to_owned));
            let stray =
                Unmatched { number: self.stray, lane: lane.to_owned(), checkout_id, reference, seen_at: now };
            self.strays.insert(self.stray, stray);
        }
    }

    /// The strays whose ids no checkout has.
    fn unmatched(&self) -> impl Iterator<Item = &Unmatched> {
        self.strays.values().filter(|stray| {
            let (checkout_id, reference) = (stray.checkout_id.as_deref(), stray.reference.as_deref());
            self.find(Target::Named { lane: &stray.lane, checkout_id, reference }).is_none()
        })
    }

    fn decide(&mut self, decision: &Decision<'_>, now: Moment) -> Written {
        let id = decision.checkout.id.as_str();
        match self.rows.get(id) {
            Some(row) if row.checkout.version == decision.checkout.version => {}
            Some(_) | None => return Written::Lost,
        }
        self.set_checkout(id, decision.checkout, now);
        let fence = self.next_fence();
        let named = self.rows.get(id).and_then(|row| row.work.as_ref()?.named.clone());
        let work = Work { due: now, fence, leased: false, tries: 0, named };
        let is_nudged = self.rows.get(id).is_some_and(|row| row.nudges > row.answered);
        self.set_work(id, (decision.work || is_nudged).then_some(work));
        self.add_news(&decision.news, now);
        self.decided.entry(id.to_owned()).or_default().push(Decided {
            at: now,
            act: decision.act.to_owned(),
            by: decision.by.to_owned(),
            reason: decision.reason.to_owned(),
        });
        Written::Done
    }
}

impl Store for Memory {
    async fn now(&self) -> Result<Moment, StoreError> {
        Ok(self.time())
    }

    fn later(&self, _: Moment, _: Instant) -> Moment {
        self.time()
    }

    fn steady(&self, at: Moment, since: Instant) -> Moment {
        if self.has_virtual_clock { self.time() } else { at.saturating_add(since.elapsed()) }
    }

    async fn lanes(&self, lanes: &[Lane]) -> Result<(), StoreError> {
        let mut kept = self.kept();
        for lane in lanes {
            kept.lanes.entry(lane.name.clone()).or_default().limit = lane.limit;
        }
        Ok(())
    }

    async fn insert(&self, new: &New<'_>) -> Result<Inserted, StoreError> {
        let now = self.time();
        let mut kept = self.kept();
        let New { checkout, watch, lease } = *new;
        if let Some(row) = kept.rows.get(&checkout.id) {
            return Ok(Inserted::Exists(row.checkout.clone()));
        }
        let lane = Lane::name_of(checkout.provider, &checkout.merchant);
        let reference = (lane.clone(), checkout.reference.clone());
        if let Some(row) = kept.references.get(&reference).and_then(|id| kept.rows.get(id)) {
            return Ok(Inserted::SameReference(row.checkout.clone()));
        }
        kept.references.insert(reference, checkout.id.clone());
        kept.lanes.entry(lane.clone()).or_default();
        let added = Checkout { version: 1, created_at: now, changed_at: now, ..checkout.clone() };
        if let Some(named) = &added.checkout_id {
            kept.checkout_ids.insert((lane.clone(), named.clone()), added.id.clone());
        }
        let row = Row {
            lane,
            checkout: added.clone(),
            watch: watch.to_owned(),
            work: None,
            nudges: 0,
            answered: 0,
        };
        kept.rows.insert(added.id.clone(), row);
        let fence = kept.next_fence();
        let leased = !lease.is_zero();
        let due = now.saturating_add(lease);
        kept.set_work(&added.id, Some(Work { due, fence, leased, tries: u32::from(leased), named: None }));
        Ok(Inserted::Fresh(Lease { id: added.id.clone(), fence, nudges: 0 }, added))
    }

    async fn claim(&self, ask: &Ask<'_>) -> Result<Claimed, StoreError> {
        let now = self.time();
        Ok(self.kept().claim(ask, now))
    }

    async fn write(&self, lease: &Lease, write: &Write) -> Result<Written, StoreError> {
        let now = self.time();
        Ok(self.kept().write(lease, write, now))
    }

    async fn nudge(&self, nudge: &Nudge<'_>) -> Result<Nudged, StoreError> {
        let now = self.time();
        Ok(self.kept().nudge(nudge, now))
    }

    async fn decide(&self, decision: &Decision<'_>) -> Result<Written, StoreError> {
        let now = self.time();
        Ok(self.kept().decide(decision, now))
    }

    async fn claim_news(&self, max: usize, lease: Duration) -> Result<Vec<ClaimedNews>, StoreError> {
        let now = self.time();
        let mut kept = self.kept();
        let due = kept.news.values().filter(|row| row.due <= now);
        let mut due: Vec<_> = due.map(|row| (row.due, row.news.key.clone(), row.tries >= SUSPECT)).collect();
        due.sort_unstable();
        due.truncate(max);
        if due.first().is_some_and(|(.., suspect)| *suspect) {
            due.truncate(1);
        } else {
            due.retain(|(.., suspect)| !suspect);
        }
        let keys: Vec<String> = due.into_iter().map(|(_, key, _)| key).collect();
        let mut claimed = Vec::with_capacity(keys.len());
        for key in keys {
            let fence = kept.next_fence();
            if let Some(row) = kept.news.get_mut(&key) {
                (row.fence, row.due) = (fence, now.saturating_add(lease));
                row.tries = row.tries.saturating_add(1);
                let NewsRow { tries, failed, ref news, .. } = *row;
                claimed.push(ClaimedNews { fence, tries, failed, news: news.clone() });
            }
        }
        Ok(claimed)
    }

    async fn news_told(&self, key: &str, fence: i64, again: Option<Duration>) -> Result<Written, StoreError> {
        let now = self.time();
        let mut kept = self.kept();
        // A fence of zero is nobody's.
        match (kept.news.get_mut(key).filter(|row| row.fence == fence && fence != 0), again) {
            (None, _) => Ok(Written::Lost),
            (Some(row), Some(after)) => {
                (row.due, row.tries) = (now.saturating_add(after), 0);
                row.failed = row.failed.saturating_add(1);
                Ok(Written::Done)
            }
            (Some(_), None) => {
                kept.news.remove(key);
                Ok(Written::Done)
            }
        }
    }

    async fn checkout(&self, id: &str) -> Result<Option<Checkout>, StoreError> {
        Ok(self.kept().rows.get(id).map(|row| row.checkout.clone()))
    }

    async fn overview(&self, filter: &Filter<'_>) -> Result<Vec<Overview>, StoreError> {
        let now = self.time();
        let kept = self.kept();
        let chosen = kept.rows.values().filter(|Row { checkout, .. }| {
            filter.id.is_none_or(|id| checkout.id == id)
                && filter.state.is_none_or(|state| checkout.state == state)
                && (!filter.held || checkout.hold.is_some())
                && filter.after.is_none_or(|after| checkout.id.as_str() > after)
        });
        let seen = |row: &Row| {
            let work = row.work.as_ref();
            Overview {
                checkout: row.checkout.clone(),
                nudged: row.nudges > row.answered,
                due: work.map(|work| work.due),
                leased: work.is_some_and(|work| work.leased && work.due > now),
                tries: work.map_or(0, |work| work.tries),
            }
        };
        Ok(chosen.take(filter.most()).map(seen).collect())
    }

    async fn unmatched(&self, after: i64, most: usize) -> Result<Vec<Unmatched>, StoreError> {
        let kept = self.kept();
        Ok(kept.unmatched().filter(|event| event.number > after).take(most).cloned().collect())
    }

    async fn decisions(&self, id: &str) -> Result<Vec<Decided>, StoreError> {
        Ok(self.kept().decided.get(id).cloned().unwrap_or_default())
    }

    async fn figures(&self) -> Result<Figures, StoreError> {
        let now = self.time();
        let kept = self.kept();
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        let work = || kept.rows.values().filter_map(|row| row.work.as_ref());
        let first = work().map(|work| work.due).min();
        let has_to_wait = |lane: &String| kept.lanes.get(lane).is_some_and(|row| row.free_at(now) > now);
        let waiting = kept.due.iter().filter(|(lane, due, _)| *due <= now && has_to_wait(lane)).count();
        Ok(Figures {
            oldest_due: first.map_or(Duration::ZERO, |due| now.saturating_since(due)),
            work: count(work().count()),
            leased: count(work().filter(|work| work.leased && work.due > now).count()),
            waiting: Some(count(waiting)),
            limit_used: Some(count(kept.lanes.values().map(|lane| lane.taken(now)).sum())),
            held: count(kept.rows.values().filter(|row| row.checkout.hold.is_some()).count()),
            news: count(kept.news.len()),
            unmatched: count(kept.unmatched().count()),
            dead_rows: None,
            oldest_transaction: None,
        })
    }

    async fn sweep(&self, max: usize) -> Result<usize, StoreError> {
        let now = self.time();
        let mut kept = self.kept();
        let over = kept.events.iter().filter(|(_, event)| event.done && event.until < now);
        let over: Vec<Key> = over.map(|(key, _)| *key).take(max).collect();
        for key in &over {
            kept.events.remove(key);
        }
        let old = kept.strays.values().filter(|stray| stray.seen_at.saturating_add(UNMATCHED_KEPT) < now);
        let old: Vec<i64> = old.map(|stray| stray.number).take(max.saturating_sub(over.len())).collect();
        for number in &old {
            kept.strays.remove(number);
        }
        Ok(over.len().saturating_add(old.len()))
    }
}
