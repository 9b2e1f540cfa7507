//! Random histories, on a store and on the model at once.

use super::{Clock, ManualClock, Seen, Trial, Verdict, same};
use crate::checkout::{Checkout, Provider, State};
use crate::memory::Memory;
use crate::store::{
    Ask, Claimed, ClaimedNews, Decision, Due, Filter, Inserted, Lane, Lease, New, News, Next, Nudge,
    Overview, ReadMade, Store, Subject, Target, Unmatched, Write,
};
use checkout_tables::{Environment, Moment, RateLimit, RateScope};
use checkout_trust::replay::{Key, Scheme};
use core::fmt;
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

const MERCHANTS: [&str; 3] = ["m", "n", "o"];
const IDS: usize = 14;
/// The steps that a report shows.
const SHOWN: usize = 12;

pub(super) async fn short<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    run(20_240_523, 1_500, t).await
}

pub(super) async fn run<S: Store, C: Clock>(seed: u64, steps: usize, t: &Trial<S, C>) -> Verdict {
    let clock = ManualClock::at(t.now().await?);
    let model = Memory::with_clock(clock.reader());
    let mut history = History {
        t,
        model,
        clock,
        random: Random(seed),
        leases: Vec::new(),
        news: Vec::new(),
        fences: BTreeSet::new(),
        last: BTreeMap::new(),
        shown: VecDeque::new(),
    };
    history.lanes().await?;
    for step in 0..steps {
        if let Err(Seen(seen)) = history.step().await {
            let shown: Vec<String> = history.shown.into();
            let shown = shown.join("\n  ");
            return Err(Seen(format!("seed {seed}, step {step}: {seen}; the last steps:\n  {shown}")));
        }
    }
    Ok(())
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX);
        usize::try_from(self.next().checked_rem(end).unwrap_or(0)).unwrap_or(0)
    }

    fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    fn pick<T: Clone>(&mut self, of: &[T]) -> Result<T, Seen> {
        let at = self.below(of.len());
        of.get(at).cloned().ok_or_else(|| Seen("a choice of nothing".into()))
    }

    fn millis(&mut self, end: usize) -> Duration {
        Duration::from_millis(u64::try_from(self.below(end)).unwrap_or(0))
    }
}

struct History<'a, S, C> {
    t: &'a Trial<S, C>,
    model: Memory,
    clock: ManualClock,
    random: Random,
    /// The leases of the store, and the model's.
    leases: Vec<(Lease, Lease)>,
    /// The claims of news: the key, the store's fence, and the model's.
    news: Vec<(String, i64, i64)>,
    fences: BTreeSet<i64>,
    last: BTreeMap<String, i64>,
    shown: VecDeque<String>,
}

/// Work without its fence.
fn plain(due: &Due) -> (Checkout, String, bool, Option<String>, u32, Duration) {
    (due.checkout.clone(), due.watch.clone(), due.nudged, due.named.clone(), due.tries, due.late)
}

impl<S: Store, C: Clock> History<'_, S, C> {
    async fn lanes(&mut self) -> Verdict {
        let limit = |requests| Some(RateLimit { requests, per_seconds: 60, scope: RateScope::Merchant });
        let lanes: Vec<Lane> = all_lanes()
            .into_iter()
            .zip([None, limit(2), None, limit(1), limit(3), None])
            .map(|(name, limit)| Lane { name, limit })
            .collect();
        self.t.store.lanes(&lanes).await?;
        Ok(self.model.lanes(&lanes).await?)
    }

    fn show(&mut self, step: &dyn fmt::Debug) {
        if self.shown.len() >= SHOWN {
            self.shown.pop_front();
        }
        self.shown.push_back(format!("{step:?}"));
    }

    /// A fence of a store: new, and greater than the last of the same work.
    fn fence(&mut self, of: &str, fence: i64) -> Verdict {
        super::holds(self.fences.insert(fence), "a fence was given twice")?;
        let grows = self.last.insert(of.to_owned(), fence).is_none_or(|last| last < fence);
        super::holds(grows, "a later fence of the same work is not greater")
    }

    async fn step(&mut self) -> Verdict {
        match self.random.below(24) {
            0..=2 => self.pass().await?,
            3..=5 => self.insert().await?,
            6..=9 => self.claim().await?,
            10..=13 => self.write().await?,
            14..=17 => self.nudge().await?,
            18 => self.decide().await?,
            19 => self.claim_news().await?,
            20 => self.news_told().await?,
            21 => {
                let swept = self.t.store.sweep(1_000).await?;
                self.show(&format_args!("sweep: {swept}"));
                same("the number of swept events", &swept, &self.model.sweep(1_000).await?)?;
            }
            22 => self.lanes().await?,
            _ => self.list().await?,
        }
        same("the clock", &self.t.now().await?, &self.model.now().await?)?;
        super::rows::figures(self.t, "the figures", &self.model.figures().await?).await
    }

    async fn pass(&mut self) -> Verdict {
        let end = self.random.pick(&[2, 50, 5_000, 40_000, 40_000, 90_000, 4_000_000])?;
        let span = self.random.millis(end);
        self.show(&format_args!("pass {span:?}"));
        self.t.pass(span).await?;
        Ok(self.clock.pass(span).await?)
    }

    fn id(&mut self) -> String {
        format!("id {}", self.random.below(IDS))
    }

    fn span(&mut self) -> Result<Duration, Seen> {
        let end = self.random.pick(&[1, 3, 10_000, 100_000])?;
        if self.random.one_in(40) { Ok(Duration::MAX) } else { Ok(self.random.millis(end)) }
    }

    /// A change of a row, of all that a write may change.
    fn changed(&mut self, checkout: &Checkout) -> Result<Checkout, Seen> {
        let some = |text: &str, some: bool| some.then(|| text.to_owned());
        let which = self.random.below(2);
        let known = format!("{} p{which}", checkout.id);
        Ok(Checkout {
            state: self.random.pick(State::ALL)?,
            checkout_id: if self.random.one_in(3) { Some(known) } else { checkout.checkout_id.clone() },
            page: some("https://pay.example/", self.random.one_in(2)).map(Into::into),
            hold: some(if which == 0 { "look" } else { "" }, self.random.one_in(4)),
            notes: format!("note {}", self.random.below(1_000)).into(),
            version: 0,
            ..checkout.clone()
        })
    }

    async fn insert(&mut self) -> Verdict {
        let id = self.id();
        let checkout = Checkout {
            provider: self.random.pick(&[Provider::AllScale, Provider::Peach, Provider::PeachV2])?,
            merchant: self.random.pick(&MERCHANTS)?.to_owned(),
            environment: Environment::Sandbox,
            state: State::Sending,
            reference: format!("reference {}", self.random.below(IDS * 2)),
            checkout_id: None,
            page: None,
            hold: None,
            notes: "draft".into(),
            version: 0,
            created_at: Moment::from_unix_millis(0),
            changed_at: Moment::from_unix_millis(0),
            id,
        };
        let lease = if self.random.one_in(2) { Duration::ZERO } else { Duration::from_secs(30) };
        let new = New { checkout: &checkout, watch: "first", lease };
        self.show(&format_args!("insert {checkout:?} for {lease:?}"));
        match (self.t.store.insert(&new).await?, self.model.insert(&new).await?) {
            (Inserted::Fresh(ours, row), Inserted::Fresh(model, expected)) => {
                same("an inserted row", &row, &expected)?;
                self.fence(&checkout.id, ours.fence)?;
                self.leases.push((ours, model));
                Ok(())
            }
            (Inserted::Exists(row), Inserted::Exists(expected)) => {
                same("the row with an id that exists", &row, &expected)
            }
            (Inserted::SameReference(row), Inserted::SameReference(expected)) => {
                same("the row with a reference that exists", &row, &expected)
            }
            (found, expected) => Err(Seen(format!("an insert: found {found:?}, not {expected:?}"))),
        }
    }

    async fn claim(&mut self) -> Verdict {
        let mut lanes = all_lanes();
        if self.random.one_in(3) {
            let only = self.random.below(lanes.len());
            lanes = lanes.into_iter().skip(only).take(2).collect();
        }
        let max = self.random.pick(&[0, 1, 1, 2, 3, 5, 100])?;
        let lease = Duration::from_secs(if self.random.one_in(4) { 5 } else { 30 });
        let ask = Ask { lanes: &lanes, max, lease };
        let claimed = self.t.store.claim(&ask).await?;
        if max == 0 {
            self.next(&ask, &claimed).await?;
        }
        let ids = super::ids(&claimed.due);
        self.show(&format_args!("claim {max} of {lanes:?} for {lease:?}: {ids:?}"));
        same("the clock of a claim", &claimed.now, &self.model.now().await?)?;
        let followed = self.model.follow(&ask, &ids).map_err(|why| Seen(why.to_owned()))?;
        same("that there is news", &claimed.news, &followed.news)?;
        for (found, expected) in claimed.due.iter().zip(&followed.due) {
            same("claimed work", &plain(found), &plain(expected))?;
            self.fence(&found.lease.id, found.lease.fence)?;
            self.leases.push((found.lease.clone(), expected.lease.clone()));
        }
        Ok(())
    }

    /// The next due of a claim that leases nothing: no later than the model's, and past only if work is due.
    async fn next(&self, ask: &Ask<'_>, claimed: &Claimed) -> Verdict {
        let (found, expected) = (claimed.next, self.model.claim(ask).await?.next);
        let is_right = expected.is_none_or(|expected| {
            found.is_some_and(|next| next <= expected && (next > claimed.now || expected <= claimed.now))
        });
        super::holds(is_right, &format!("the next due: found {found:?}, and the model {expected:?}"))
    }

    fn subject(&mut self) -> Result<Subject, Seen> {
        self.random.pick(&[
            Subject::Settled,
            Subject::Failed,
            Subject::Refused,
            Subject::GaveUp,
            Subject::Held,
        ])
    }

    fn some_news(&mut self, id: &str) -> Result<Vec<News>, Seen> {
        let mut news = Vec::new();
        while self.random.one_in(3) {
            news.push(News {
                key: format!("{id} {}", self.random.below(3)),
                id: id.to_owned(),
                subject: self.subject()?,
                reason: self.random.one_in(2).then(|| "reason".to_owned()),
            });
        }
        Ok(news)
    }

    async fn write(&mut self) -> Verdict {
        if self.leases.is_empty() {
            return Ok(());
        }
        // Mostly one of the last leases.
        let back = if self.random.one_in(5) { self.leases.len() } else { self.leases.len().min(4) };
        let at = self.leases.len().saturating_sub(self.random.below(back).saturating_add(1));
        let Some((ours, model)) = self.leases.get(at).cloned() else { return Ok(()) };
        let checkout = match self.model.checkout(&ours.id).await? {
            Some(row) if self.random.one_in(2) => Some(self.changed(&row)?),
            _ => None,
        };
        let watch = format!("watch {}", self.random.below(1_000));
        let next = match self.random.below(8) {
            0 | 1 => Next::Keep,
            2 | 3 => Next::Ended { watch },
            4 => Next::Back { after: self.span()? },
            _ => Next::Due { after: self.span()?, watch },
        };
        let write = Write {
            checkout,
            next,
            read: self.random.pick(&[
                ReadMade::None,
                ReadMade::Sent,
                ReadMade::Answered,
                ReadMade::Answered,
            ])?,
            lane_wait: if self.random.one_in(15) { Some(self.random.millis(50_000)) } else { None },
            news: self.some_news(&ours.id)?,
        };
        let found = self.t.store.write(&ours, &write).await?;
        self.show(&format_args!("{write:?} under {ours:?}: {found:?}"));
        same("a write", &found, &self.model.write(&model, &write).await?)?;
        self.row(&ours.id).await
    }

    async fn nudge(&mut self) -> Verdict {
        let scheme = Scheme::named("conformance").ok_or_else(|| Seen("no scheme".into()))?;
        let mut event = Vec::new();
        while self.random.one_in(2) && event.len() < 3 {
            let number = self.random.below(40);
            // The retention belongs to the key: the same for the same event.
            let retention = Duration::from_secs(if number.is_multiple_of(2) { 60 } else { 3_600 });
            event.push(Key::new(scheme, "m", [format!("event {number}")], retention));
        }
        event.sort();
        event.dedup();
        let lane = self.random.pick(&all_lanes())?;
        let (id, of) = (self.id(), self.random.below(2));
        let named = format!("{id} p{of}");
        let reference = format!("reference {}", self.random.below(IDS * 2));
        let target = if self.random.one_in(2) {
            Target::Id(&id)
        } else {
            Target::Named {
                lane: &lane,
                checkout_id: (!self.random.one_in(3)).then_some(named.as_str()),
                reference: (!self.random.one_in(3)).then_some(reference.as_str()),
            }
        };
        self.nudge_with(&Nudge { target, event: &event }).await
    }

    async fn nudge_with(&mut self, nudge: &Nudge<'_>) -> Verdict {
        let found = self.t.store.nudge(nudge).await?;
        let keys: Vec<String> = nudge.event.iter().map(ToString::to_string).collect();
        self.show(&format_args!("nudge {:?} with {keys:?}: {found:?}", nudge.target));
        same("a nudge", &found, &self.model.nudge(nudge).await?)
    }

    async fn decide(&mut self) -> Verdict {
        let id = self.id();
        let Some(seen) = self.model.checkout(&id).await? else { return Ok(()) };
        // Often an event comes right before a decision, with an id or without.
        if self.random.one_in(2) {
            let (lane, of) = (Lane::name_of(seen.provider, &seen.merchant), self.random.below(2));
            let named = format!("{id} p{of}");
            let checkout_id = self.random.one_in(2).then_some(named.as_str());
            let target = Target::Named { lane: &lane, checkout_id, reference: Some(&seen.reference) };
            self.nudge_with(&Nudge { target, event: &[] }).await?;
        }
        let version = if self.random.one_in(4) { seen.version.saturating_sub(1) } else { seen.version };
        let checkout = Checkout { version, ..self.changed(&seen)? };
        let news = self.some_news(&id)?;
        let reason = format!("reason {}", self.random.below(10));
        let work = self.random.one_in(2);
        let decision =
            Decision { checkout: &checkout, work, news, act: "release", by: "Ada", reason: &reason };
        let found = self.t.store.decide(&decision).await?;
        self.show(&format_args!("{decision:?}: {found:?}"));
        same("a decision", &found, &self.model.decide(&decision).await?)?;
        same("the decisions", &self.t.store.decisions(&id).await?, &self.model.decisions(&id).await?)?;
        self.row(&id).await
    }

    async fn row(&mut self, id: &str) -> Verdict {
        same("a row", &self.t.store.checkout(id).await?, &self.model.checkout(id).await?)
    }

    async fn claim_news(&mut self) -> Verdict {
        let lease = Duration::from_secs(20);
        let mut found = self.t.store.claim_news(1_000, lease).await?;
        let mut expected = self.model.claim_news(1_000, lease).await?;
        self.show(&format_args!("claim_news: {found:?}"));
        same("the number of claimed news", &found.len(), &expected.len())?;
        found.sort_by(|one, other| one.news.key.cmp(&other.news.key));
        expected.sort_by(|one, other| one.news.key.cmp(&other.news.key));
        for (found, expected) in found.into_iter().zip(expected) {
            let all = |one: &ClaimedNews| (one.news.clone(), one.tries, one.failed);
            same("claimed news", &all(&found), &all(&expected))?;
            self.news.push((found.news.key, found.fence, expected.fence));
        }
        Ok(())
    }

    async fn news_told(&mut self) -> Verdict {
        if self.news.is_empty() {
            return Ok(());
        }
        let (key, ours, model) = self.random.pick(&self.news)?;
        let again = if self.random.one_in(2) { Some(self.span()?) } else { None };
        let found = self.t.store.news_told(&key, ours, again).await?;
        self.show(&format_args!("news_told {key} under {ours}, again {again:?}: {found:?}"));
        same("told news", &found, &self.model.news_told(&key, model, again).await?)
    }

    async fn list(&mut self) -> Verdict {
        let after = self.id();
        let filter = Filter {
            id: None,
            state: if self.random.one_in(2) { Some(self.random.pick(State::ALL)?) } else { None },
            held: self.random.one_in(3),
            after: self.random.one_in(2).then_some(after.as_str()),
            limit: self.random.below(6),
        };
        // The one behind which a longer list begins.
        let one = filter.after.filter(|_| filter.limit == 5);
        let filter = Filter { id: one, after: filter.after.filter(|_| one.is_none()), ..filter };
        self.show(&format_args!("list {filter:?}"));
        // An endless span ends somewhere behind the year 9999.
        let last = Moment::from_unix_seconds(253_402_300_799);
        let seen = |of: Vec<Overview>| {
            of.into_iter()
                .map(|seen| Overview { due: seen.due.map(|due| due.min(last)), ..seen })
                .collect::<Vec<_>>()
        };
        let (found, model) = (self.t.store.overview(&filter).await?, self.model.overview(&filter).await?);
        same("a list", &seen(found), &seen(model))?;
        // The numbers are the store's own.
        let ids = |of: &[Unmatched]| {
            of.iter().map(|event| Unmatched { number: 0, ..event.clone() }).collect::<Vec<_>>()
        };
        let (found, model) = (self.t.store.unmatched(0, 1_000).await?, self.model.unmatched(0, 1_000).await?);
        same("the events of no checkout", &ids(&found), &ids(&model))?;
        let (place, most) = (filter.limit, filter.limit.saturating_sub(2));
        let behind = |of: &[Unmatched]| of.iter().take(place).next_back().map_or(0, |event| event.number);
        let (found, model) = (
            self.t.store.unmatched(behind(&found), most).await?,
            self.model.unmatched(behind(&model), most).await?,
        );
        same("a page of the events of no checkout", &ids(&found), &ids(&model))
    }
}

/// The lanes of the merchants: of AllScale, and then of Peach.
fn all_lanes() -> Vec<String> {
    let of = |provider| MERCHANTS.map(|merchant| Lane::name_of(provider, merchant));
    [of(Provider::AllScale), of(Provider::Peach)].concat()
}
