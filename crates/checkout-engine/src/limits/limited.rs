//! A store whose limits are elsewhere.

use super::{Limit, Limits, Reserved};
use crate::checkout::Checkout;
use crate::store::{
    Ask, Claimed, ClaimedNews, Decided, Decision, Due, Figures, Filter, Inserted, Lane, Lease, New, Next,
    Nudge, Nudged, Overview, ReadMade, SUSPECT, Store, StoreError, Unmatched, Write, Written,
};
use checkout_tables::{Moment, RateLimit};
use core::fmt;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use core::time::Duration;
use futures_util::future::{join, join_all};
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

/// A store of checkouts whose limits are kept by [`Limits`], such as a Redis that several databases share.
///
/// The store itself knows the lanes without their limits. A claim looks which lanes have room, claims of
/// those lanes no more work than there is room for, and reserves a place for each piece of work. Work whose
/// place another process took in between is given back at once, so nobody holds work that must wait. Of very
/// many lanes a claim looks at a thousand, in turn. A lane without room is looked at again when a place is
/// free, and every five seconds at least: another process may have given a place back. All processes of a
/// database use the same limits: beside a `Limited` store, a process without one would read past them.
///
/// **In doubt nothing is read.** If the limits do not answer, lanes with a limit have no room, and the limits
/// are asked again after five seconds: other lanes go on, and need not wait each time for limits that are
/// silent. The error comes out of the first claim that finds no other work and no news. A write does not fail
/// with the limits: the place is then held as that of a crashed claim, too long and never too short.
///
/// A wait that a provider asks for binds the lane in all databases, if the lane has a limit. A lane without
/// one waits in its own database alone.
///
/// A lane that [`lanes`](Store::lanes) has not named has no limit. A write by another process than the one
/// that claimed ends no place: the place is held as that of a crashed claim.
///
/// Work that is given back is as it was: [`Next::Back`].
///
/// ```
/// # checkout_doctest::facade!(engine);
/// use checkout_kit::engine::{Lane, Limited, Memory, MemoryLimits, Store};
/// use checkout_kit::tables::{RateLimit, RateScope};
///
/// let store = Limited::new(Memory::new(), MemoryLimits::new());
/// let limit = RateLimit { requests: 2, per_seconds: 60, scope: RateScope::Merchant };
/// # pollster::block_on(async {
/// store.lanes(&[Lane { name: "peach/shop".to_owned(), limit: Some(limit) }]).await?;
/// # Ok::<(), checkout_engine::StoreError>(())
/// # }).unwrap();
/// ```
pub struct Limited<S, L> {
    store: S,
    limits: L,
    rates: Mutex<HashMap<String, RateLimit>>,
    /// The places of this process, by the fences of their claims.
    places: Mutex<BTreeMap<i64, Place>>,
    /// The lanes without room, and the moment of the next look, by the store's clock.
    full: Mutex<BTreeMap<String, Moment>>,
    /// The limits have not answered.
    doubt: Mutex<Option<Doubt>>,
    /// The number of the lane whose turn it is to be looked at.
    turn: AtomicUsize,
    /// Lanes with a limit come first in every other claim.
    limited_first: AtomicBool,
    /// There may be more work of lanes with a limit, since a claim found as much as was asked for, until so
    /// many claims find less than half of that. Claims that run beside each other take each other's work.
    busy: AtomicUsize,
    /// Each lane that was looked at last had room, and each reservation since was granted.
    is_open: AtomicBool,
    /// Names places: other databases count their fences from one as well.
    names: OnceLock<RandomState>,
}

struct Place {
    lane: String,
    rate: RateLimit,
    since: Instant,
    lease: Duration,
}

/// Nobody asks the limits before a moment, by the store's clock.
struct Doubt {
    until: Moment,
    /// The error, until a claim has told it.
    error: Option<StoreError>,
}

/// Lanes without room.
#[derive(Default)]
struct Full {
    names: Vec<String>,
    /// The time until one of the lanes has a place.
    wait: Option<Duration>,
}

impl Full {
    fn add(&mut self, lane: String, wait: Duration) {
        self.names.push(lane);
        self.wait = Some(self.wait.map_or(wait, |least| least.min(wait)));
    }
}

/// The answers to the reservations of claimed work.
#[derive(Default)]
struct Answers {
    /// The lanes of the places, one for each place.
    granted: Vec<String>,
    /// The lanes in which another process took the place, and their waits.
    refused: Vec<(String, Duration)>,
}

/// What a claim has found so far.
#[derive(Default)]
struct Found {
    /// The store's clock before the first lease.
    now: Option<Moment>,
    due: Vec<Due>,
    news: bool,
    failed: Option<StoreError>,
    /// The limits' error, which a later claim can tell.
    doubt: Option<StoreError>,
    /// A suspect came, which comes alone.
    alone: bool,
}

impl<S, L> Limited<S, L> {
    /// A store with its limits elsewhere.
    #[must_use]
    pub fn new(store: S, limits: L) -> Self {
        Self {
            store,
            limits,
            rates: Mutex::default(),
            places: Mutex::default(),
            full: Mutex::default(),
            doubt: Mutex::default(),
            turn: AtomicUsize::new(0),
            limited_first: AtomicBool::new(true),
            busy: AtomicUsize::new(0),
            is_open: AtomicBool::new(false),
            names: OnceLock::new(),
        }
    }

    /// The store.
    #[must_use]
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// The limits.
    #[must_use]
    pub const fn limits(&self) -> &L {
        &self.limits
    }

    /// The name of the place of a claim, which no claim of another database has. This process alone knows it.
    fn name(&self, fence: i64) -> i64 {
        self.names.get_or_init(RandomState::new).hash_one(fence).cast_signed()
    }

    fn places(&self) -> MutexGuard<'_, BTreeMap<i64, Place>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn full(&self) -> MutexGuard<'_, BTreeMap<String, Moment>> {
        self.full.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn doubt(&self) -> MutexGuard<'_, Option<Doubt>> {
        self.doubt.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rates(&self) -> MutexGuard<'_, HashMap<String, RateLimit>> {
        self.rates.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lanes without a limit, and the lanes with one.
    fn split<'a>(&self, lanes: &'a [String]) -> (Vec<String>, Vec<Limit<'a>>) {
        let rates = self.rates();
        let (mut free, mut limited) = (Vec::new(), Vec::new());
        for lane in lanes {
            match rates.get(lane) {
                Some(rate) => limited.push(Limit { lane, rate: *rate }),
                None => free.push(lane.clone()),
            }
        }
        (free, limited)
    }
}

impl<S, L> fmt::Debug for Limited<S, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limited").field("places", &self.places().len()).finish_non_exhaustive()
    }
}

impl Found {
    const fn has_failed(&self) -> bool {
        self.failed.is_some() || self.doubt.is_some()
    }

    fn take(&mut self, claimed: &mut Claimed) -> Vec<Due> {
        self.now.get_or_insert(claimed.now);
        self.news |= claimed.news;
        core::mem::take(&mut claimed.due)
    }
}

impl<S: Store, L: Limits> Limited<S, L> {
    /// The places of the lanes that have room, and the lanes that have none.
    async fn look<'a>(
        &self,
        limited: &[Limit<'a>],
        lease: Duration,
        now: Moment,
    ) -> Result<(BTreeMap<&'a str, usize>, Full), StoreError> {
        let rooms = self.limits.room(limited, lease).await?;
        let (mut open, mut full) = (BTreeMap::new(), Full::default());
        for (Limit { lane, .. }, room) in limited.iter().zip(rooms) {
            if room.places == 0 {
                self.close(lane, now, room.wait);
                full.add((*lane).to_owned(), room.wait);
            } else {
                open.insert(*lane, usize::try_from(room.places).unwrap_or(usize::MAX));
            }
        }
        self.is_open.store(full.names.is_empty(), Ordering::Relaxed);
        Ok((open, full))
    }

    /// Notes that a lane has no room, so that nobody looks again at once.
    fn close(&self, lane: &str, now: Moment, wait: Duration) {
        self.is_open.store(false, Ordering::Relaxed);
        self.full().insert(lane.to_owned(), now.saturating_add(wait.min(LOOK_AGAIN)));
    }

    /// Notes that the limits, asked at a moment, have not answered: that may have taken seconds, for which
    /// all lanes had to wait.
    fn fail(&self, found: &mut Found, (now, since): (Moment, Instant), error: StoreError) {
        let until = self.store.later(now, since).saturating_add(LOOK_AGAIN);
        *self.doubt() = Some(Doubt { until, error: None });
        found.doubt = Some(error);
    }

    /// The moment before which nobody asks the limits, if there is one.
    async fn in_doubt(&self, found: &mut Found, lease: Duration) -> Result<Option<Moment>, StoreError> {
        if self.doubt().is_none() {
            return Ok(None);
        }
        // News may be due.
        let (now, _) = self.first_due(found, &[], lease).await?;
        let mut doubt = self.doubt();
        let Some(Doubt { until, error }) = doubt.as_mut() else { return Ok(None) };
        // A clock that was put back must not keep the limits from their next question.
        if *until <= now || *until > now.saturating_add(LOOK_AGAIN.saturating_mul(2)) {
            *doubt = None;
            return Ok(None);
        }
        if found.doubt.is_none() {
            found.doubt = error.take();
        }
        Ok(Some(*until))
    }

    /// Claims work of lanes without a limit, at most until `upto` pieces are found.
    async fn claim_free(
        &self,
        found: &mut Found,
        lanes: &[String],
        upto: usize,
        lease: Duration,
    ) -> Result<Option<Moment>, StoreError> {
        let max = upto.saturating_sub(found.due.len());
        let mut claimed = self.store.claim(&Ask { lanes, max, lease }).await?;
        let due = found.take(&mut claimed);
        self.add(found, due).await;
        Ok(claimed.next)
    }

    /// Claims work of lanes with a limit, at most until `upto` pieces are found.
    async fn claim_limited(
        &self,
        found: &mut Found,
        limited: &[Limit<'_>],
        upto: usize,
        lease: Duration,
    ) -> Result<Option<Moment>, StoreError> {
        if let Some(until) = self.in_doubt(found, lease).await? {
            return Ok(Some(until));
        }
        // A question for all lanes costs the database as much as a claim, so nobody asks while there is work.
        let is_busy = self.busy.load(Ordering::Relaxed) > 0;
        let start = self.turn.load(Ordering::Relaxed).checked_rem(limited.len()).unwrap_or(0);
        if is_busy && self.is_open.load(Ordering::Relaxed) && self.full().is_empty() {
            return self.claim_first(found, limited, start, upto, lease).await;
        }
        // From the lane whose turn it is, those that may have room. Nobody asks the database for the others.
        let knows_full = !self.full().is_empty();
        let known = match found.now {
            None if is_busy || knows_full => Some(self.store.now().await?),
            now => now,
        };
        let lanes = limited.iter().enumerate();
        let (mut next, mut candidates) = (None, Vec::new());
        {
            let mut full = self.full();
            // A clock that was put back must not keep a lane from its next look.
            if let Some(now) = known {
                let latest = now.saturating_add(LOOK_AGAIN);
                full.retain(|_, until| *until > now && *until <= latest);
            }
            for (at, lane) in lanes.clone().skip(start).chain(lanes.take(start)) {
                match full.get(lane.lane) {
                    Some(until) => next = earlier(next, Some(*until)),
                    None => candidates.push((at, *lane)),
                }
            }
        }
        let now = match known {
            Some(now) if is_busy && !candidates.is_empty() => now,
            Some(_) | None => {
                let lanes: Vec<Limit<'_>> = candidates.iter().map(|(_, lane)| *lane).collect();
                let (now, first) = self.first_due(found, &names(&lanes), lease).await?;
                if first.is_none_or(|due| due > now) {
                    // Nothing is claimed, and news may be due.
                    self.busy.store(0, Ordering::Relaxed);
                    return Ok(earlier(next, first));
                }
                now
            }
        };
        let mut looked = 0_usize;
        for lanes in candidates.chunks(LOOKED) {
            if looked >= MOST_LOOKED {
                // The others are looked at by the next claim.
                return Ok(Some(now));
            }
            let lanes_of: Vec<Limit<'_>> = lanes.iter().map(|(_, lane)| *lane).collect();
            let (now, first) = if is_busy {
                (now, Some(now))
            } else {
                self.first_due(found, &names(&lanes_of), lease).await?
            };
            if first.is_some_and(|due| due <= now) {
                looked = looked.saturating_add(lanes.len());
                next = earlier(next, self.claim_with_room(found, &lanes_of, now, upto, lease).await?);
            } else {
                next = earlier(next, first);
            }
            if let Some((last, _)) = lanes.last().filter(|_| candidates.len() > LOOKED) {
                self.turn.store(last.saturating_add(1), Ordering::Relaxed);
            }
            let is_full = upto > 0 && found.due.len() >= upto;
            self.busy.store(if is_full { POOR_CLAIMS } else { 0 }, Ordering::Relaxed);
            if found.alone || found.has_failed() || is_full {
                break;
            }
        }
        Ok(next)
    }

    /// Claims work of the lanes whose turn it is, without a look: there was work, and room, a moment ago. A
    /// place that is refused is a lane without room, and the next claim looks.
    async fn claim_first(
        &self,
        found: &mut Found,
        limited: &[Limit<'_>],
        start: usize,
        upto: usize,
        lease: Duration,
    ) -> Result<Option<Moment>, StoreError> {
        let lanes = limited.iter().skip(start).chain(limited.iter().take(start)).take(LOOKED);
        let lanes: Vec<String> = lanes.map(|limit| limit.lane.to_owned()).collect();
        let before = found.due.len();
        let max = upto.saturating_sub(before);
        let mut claimed = self.store.claim(&Ask { lanes: &lanes, max, lease }).await?;
        let due = found.take(&mut claimed);
        for (lane, wait) in self.reserve(found, due, claimed.now, lease).await.refused {
            self.close(&lane, claimed.now, wait);
        }
        if limited.len() > LOOKED {
            self.turn.store(start.saturating_add(LOOKED), Ordering::Relaxed);
        }
        if max > 0 && found.due.len().saturating_sub(before) >= max.div_ceil(2) {
            self.busy.store(POOR_CLAIMS, Ordering::Relaxed);
        } else {
            let left = self.busy.load(Ordering::Relaxed).saturating_sub(1);
            self.busy.store(left, Ordering::Relaxed);
        }
        // The other lanes are looked at by the next claim.
        Ok(Some(claimed.now))
    }

    /// The store's clock, and the first due of lanes, whether they have room or not.
    async fn first_due(
        &self,
        found: &mut Found,
        lanes: &[String],
        lease: Duration,
    ) -> Result<(Moment, Option<Moment>), StoreError> {
        let mut claimed = self.store.claim(&Ask { lanes, max: 0, lease }).await?;
        found.take(&mut claimed);
        Ok((claimed.now, claimed.next))
    }

    /// Claims work of lanes that have room: first no more than each lane has room for, and then more at once
    /// as long as no work is claimed in vain.
    async fn claim_with_room(
        &self,
        found: &mut Found,
        limited: &[Limit<'_>],
        now: Moment,
        upto: usize,
        lease: Duration,
    ) -> Result<Option<Moment>, StoreError> {
        let since = Instant::now();
        let (mut open, mut full) = match self.look(limited, lease, now).await {
            Ok(looked) => looked,
            Err(error) => {
                self.fail(found, (now, since), error);
                return Ok(None);
            }
        };
        let (mut next, mut used_up) = (None, Vec::new());
        let mut most = open.values().copied().min().unwrap_or(0);
        while !open.is_empty() {
            let lanes: Vec<String> = open.keys().copied().map(str::to_owned).collect();
            let max = upto.saturating_sub(found.due.len()).min(most);
            let mut claimed = self.store.claim(&Ask { lanes: &lanes, max, lease }).await?;
            let due = found.take(&mut claimed);
            let any = !due.is_empty();
            let answers = self.reserve(found, due, claimed.now, lease).await;
            most = if answers.refused.is_empty() { most.saturating_mul(2) } else { 1 };
            for lane in answers.granted {
                if let Some(places) = open.get_mut(lane.as_str()) {
                    *places = places.saturating_sub(1);
                }
            }
            for (lane, wait) in answers.refused {
                if open.remove(lane.as_str()).is_some() {
                    self.close(&lane, claimed.now, wait);
                    full.add(lane, wait);
                }
            }
            used_up.extend(limited.iter().filter(|limit| open.get(limit.lane) == Some(&0)).copied());
            open.retain(|_, places| *places > 0);
            if !any || found.alone || found.has_failed() || found.due.len() >= upto {
                next = claimed.next;
                break;
            }
        }
        if found.alone || found.has_failed() || (upto > 0 && found.due.len() >= upto) {
            return Ok(next);
        }
        if !used_up.is_empty() {
            let since = Instant::now();
            match self.look(&used_up, lease, now).await {
                Ok((_, used_up)) => used_up
                    .names
                    .into_iter()
                    .for_each(|lane| full.add(lane, used_up.wait.unwrap_or_default())),
                Err(error) => self.fail(found, (now, since), error),
            }
        }
        if !full.names.is_empty() {
            // When is the work of these lanes due?
            let (now, first) = self.first_due(found, &full.names, lease).await?;
            let free = now.saturating_add(full.wait.unwrap_or_default());
            next = earlier(next, first.map(|first| first.max(free)));
        }
        Ok(next)
    }

    /// Reserves a place for each piece of work, and gives the others back.
    async fn reserve(&self, found: &mut Found, due: Vec<Due>, now: Moment, lease: Duration) -> Answers {
        let lanes: Vec<(String, Option<RateLimit>)> = due.iter().map(|due| self.lane_of(due)).collect();
        let asked = due.iter().zip(&lanes).map(|(due, (lane, rate))| async move {
            match rate {
                Some(rate) => {
                    self.limits.reserve(Limit { lane, rate: *rate }, self.name(due.lease.fence), lease).await
                }
                None => Ok(Reserved::Granted),
            }
        });
        let since = Instant::now();
        let answers = join_all(asked).await;
        let (mut granted, mut answered) = (Vec::new(), Answers::default());
        for ((due, (lane, rate)), answer) in due.into_iter().zip(lanes).zip(answers) {
            match answer {
                Ok(Reserved::Granted) => {
                    answered.granted.push(lane.clone());
                    if let Some(rate) = rate {
                        let place = Place { lane, rate, since: Instant::now(), lease };
                        self.places().insert(due.lease.fence, place);
                    }
                    granted.push(due);
                }
                Ok(Reserved::Wait(wait)) => {
                    // Due as before: the lane has no room, and nobody claims of a lane without room.
                    self.give_back(found, &due, Duration::ZERO).await;
                    answered.refused.push((lane, wait));
                }
                Err(error) => {
                    self.give_back(found, &due, IN_DOUBT).await;
                    self.fail(found, (now, since), error);
                }
            }
        }
        self.add(found, granted).await;
        answered
    }

    fn lane_of(&self, due: &Due) -> (String, Option<RateLimit>) {
        let lane = Lane::name_of(due.checkout.provider, &due.checkout.merchant);
        let rate = self.rates().get(&lane).copied();
        (lane, rate)
    }

    /// Adds work to what is found. A suspect comes alone: what was found before is given back.
    async fn add(&self, found: &mut Found, due: Vec<Due>) {
        if due.iter().any(|due| due.tries > SUSPECT) {
            found.alone = true;
            for other in core::mem::take(&mut found.due) {
                self.give_back(found, &other, Duration::ZERO).await;
            }
        }
        found.due.extend(due);
    }

    /// Ends the place of a claim, unless that is done. A place that is not ended is over by itself.
    async fn end(&self, lease: &Lease, read: ReadMade) {
        let Some(Place { lane, rate, .. }) = self.places().remove(&lease.fence) else { return };
        let _ = self.limits.end(Limit { lane: &lane, rate }, self.name(lease.fence), read).await;
        // Without a request the place is free at once.
        self.full().remove(&lane);
    }

    /// Tells the other databases for how long a lane has to wait, also after a write that is in doubt. A
    /// database that was not told asks the provider once, and hears of the wait itself.
    async fn tell_wait(&self, lease: &Lease, write: &Write, of_place: Option<String>) {
        let Some(span) = write.lane_wait else { return };
        let of_row = |row: &Checkout| Lane::name_of(row.provider, &row.merchant);
        let lane = match of_place.or_else(|| write.checkout.as_ref().map(of_row)) {
            Some(lane) => Some(lane),
            // A create has no place.
            None => self.store.checkout(&lease.id).await.ok().flatten().as_ref().map(of_row),
        };
        if let Some(lane) = lane.filter(|lane| self.rates().contains_key(lane)) {
            // The write is done whatever becomes of the wait, which binds this database in any case.
            let _ = self.limits.wait(&lane, span).await;
        }
    }

    /// Gives work back. Work that cannot be given back comes due when its lease ends.
    async fn give_back(&self, found: &mut Found, due: &Due, after: Duration) {
        if let Err(error) = self.write(&due.lease, &Write::back(after)).await {
            found.failed = Some(error);
        }
    }
}

fn names(limited: &[Limit<'_>]) -> Vec<String> {
    limited.iter().map(|limit| limit.lane.to_owned()).collect()
}

/// The earlier of two moments that may be missing.
fn earlier(one: Option<Moment>, other: Option<Moment>) -> Option<Moment> {
    one.into_iter().chain(other).min()
}

/// The lanes of one look, and those of a claim: a look costs the limits some time for each lane.
const LOOKED: usize = 256;
const MOST_LOOKED: usize = 1_024;

/// So many claims without a look that find little make a look worth its price.
const POOR_CLAIMS: usize = 2;

/// The longest time without a look at a lane, and the time without a question after one without an answer.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// The pause of work whose place is in doubt.
const IN_DOUBT: Duration = Duration::from_secs(1);

impl<S: Store, L: Limits> Store for Limited<S, L> {
    async fn now(&self) -> Result<Moment, StoreError> {
        self.store.now().await
    }

    fn later(&self, at: Moment, since: Instant) -> Moment {
        self.store.later(at, since)
    }

    fn steady(&self, at: Moment, since: Instant) -> Moment {
        self.store.steady(at, since)
    }

    async fn woken(&self) {
        self.store.woken().await;
    }

    async fn lanes(&self, lanes: &[Lane]) -> Result<(), StoreError> {
        {
            let mut rates = self.rates();
            for lane in lanes {
                match lane.limit {
                    Some(limit) => rates.insert(lane.name.clone(), limit),
                    None => rates.remove(&lane.name),
                };
            }
        }
        self.full().clear();
        let free: Vec<Lane> = lanes.iter().map(|lane| Lane { limit: None, ..lane.clone() }).collect();
        self.store.lanes(&free).await
    }

    async fn insert(&self, new: &New<'_>) -> Result<Inserted, StoreError> {
        self.store.insert(new).await
    }

    async fn claim(&self, ask: &Ask<'_>) -> Result<Claimed, StoreError> {
        let (free, limited) = self.split(ask.lanes);
        if limited.is_empty() {
            return self.store.claim(ask).await;
        }
        self.places().retain(|_, place| place.since.elapsed() < place.lease.saturating_mul(2));
        let mut found = Found::default();
        // Neither kind of lane keeps the other waiting: the first takes half, the second the rest, and the
        // first what is left then.
        let limited_first = self.limited_first.fetch_xor(true, Ordering::Relaxed);
        let half = if free.is_empty() { ask.max } else { ask.max.div_ceil(2) };
        let (mut of_free, mut of_limited, mut of_first) = (None, None, 0);
        let turns = [(limited_first, half), (!limited_first, ask.max), (limited_first, ask.max)];
        for (turn, (is_limited, upto)) in turns.into_iter().enumerate() {
            let is_full = ask.max > 0 && found.due.len() >= ask.max;
            let is_over = found.alone || (turn > 0 && is_full);
            if is_over || (turn == 2 && (of_first < half || half == 0)) || (free.is_empty() && !is_limited) {
                continue;
            }
            let claimed = if is_limited {
                self.claim_limited(&mut found, &limited, upto, ask.lease).await
            } else {
                self.claim_free(&mut found, &free, upto, ask.lease).await
            };
            match claimed {
                Ok(next) if is_limited => of_limited = next,
                Ok(next) => of_free = next,
                // The leases that were given count: the work of the first turn is worth more than the error.
                Err(error) if found.due.is_empty() => return Err(error),
                Err(error) => {
                    found.failed = Some(error);
                    break;
                }
            }
            of_first = if turn == 0 { found.due.len() } else { of_first };
        }
        // An error of the limits that is not told now is told by a claim that finds nothing else.
        let has_other = found.failed.is_some() || found.news || !found.due.is_empty();
        let mut doubt = found.doubt.take();
        if has_other
            && doubt.is_some()
            && let Some(kept) = self.doubt().as_mut()
        {
            kept.error = doubt.take();
        }
        match (found.now, found.failed.or(doubt)) {
            (Some(now), failed) if failed.is_none() || found.news || !found.due.is_empty() => {
                // What was not looked at in this claim may be due now.
                let is_full = ask.max > 0 && found.due.len() >= ask.max;
                let next = if is_full || found.alone { Some(now) } else { earlier(of_free, of_limited) };
                Ok(Claimed { now, due: found.due, next, news: found.news })
            }
            (_, Some(error)) => Err(error),
            (None, None) | (Some(_), None) => self.store.claim(&Ask { max: 0, ..*ask }).await,
        }
    }

    async fn write(&self, lease: &Lease, write: &Write) -> Result<Written, StoreError> {
        let of_place = write.lane_wait.and_then(|_| Some(self.places().get(&lease.fence)?.lane.clone()));
        let is_over = write.next != Next::Keep;
        // A read was made whatever becomes of the write, and the two wait for different servers.
        let (written, ()) = if is_over && write.read != ReadMade::None {
            join(self.store.write(lease, write), self.end(lease, write.read)).await
        } else {
            (self.store.write(lease, write).await, ())
        };
        if is_over && matches!(written, Ok(Written::Done)) {
            self.end(lease, write.read).await;
        }
        if !matches!(written, Ok(Written::Lost)) {
            self.tell_wait(lease, write, of_place).await;
        }
        written
    }

    async fn nudge(&self, nudge: &Nudge<'_>) -> Result<Nudged, StoreError> {
        self.store.nudge(nudge).await
    }

    async fn decide(&self, decision: &Decision<'_>) -> Result<Written, StoreError> {
        self.store.decide(decision).await
    }

    async fn claim_news(&self, max: usize, lease: Duration) -> Result<Vec<ClaimedNews>, StoreError> {
        self.store.claim_news(max, lease).await
    }

    async fn news_told(&self, key: &str, fence: i64, again: Option<Duration>) -> Result<Written, StoreError> {
        self.store.news_told(key, fence, again).await
    }

    async fn checkout(&self, id: &str) -> Result<Option<Checkout>, StoreError> {
        self.store.checkout(id).await
    }

    async fn overview(&self, filter: &Filter<'_>) -> Result<Vec<Overview>, StoreError> {
        self.store.overview(filter).await
    }

    async fn unmatched(&self, after: i64, most: usize) -> Result<Vec<Unmatched>, StoreError> {
        self.store.unmatched(after, most).await
    }

    async fn decisions(&self, id: &str) -> Result<Vec<Decided>, StoreError> {
        self.store.decisions(id).await
    }

    async fn figures(&self) -> Result<Figures, StoreError> {
        // The store knows no lane's limit.
        Ok(Figures { waiting: None, limit_used: None, ..self.store.figures().await? })
    }

    async fn sweep(&self, max: usize) -> Result<usize, StoreError> {
        self.store.sweep(max).await
    }
}
