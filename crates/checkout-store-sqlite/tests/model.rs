//! Random histories: the store in a file answers as the model in memory.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use checkout_engine::{
    Ask, Checkout, Claimed, Decision, Filter, Inserted, Lane, Lease, Memory, New, News, Next, Nudge, Nudged,
    Provider, ReadMade, State, Store, StoreError, Subject, Target, Write, Written,
};
use checkout_store_sqlite::Sqlite;
use checkout_tables::{Environment, Moment, RateLimit, RateScope};
use checkout_trust::replay::Key;
use pollster::block_on;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

const MERCHANTS: [(Provider, &str); 4] =
    [(Provider::AllScale, "a"), (Provider::Azotte, "z"), (Provider::Peach, "p"), (Provider::PeachV2, "p")];

/// A generator of small numbers, the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len() as u64)).unwrap()]
    }

    fn maybe<T>(&mut self, some: T) -> Option<T> {
        (self.below(2) == 0).then_some(some)
    }

    fn span(&mut self) -> Duration {
        Duration::from_micros(self.one_of(&[0, 500, 1_000, 1_000_000, 30_000_000, 61_000_000, 300_000_000]))
    }
}

/// A lease of the model, and the lease of the file for the same work.
type Leases = Vec<(Lease, Lease)>;

struct Both {
    model: Memory,
    file: Sqlite,
    leases: Leases,
    news: Vec<(String, i64, i64)>,
}

fn same<T: PartialEq + std::fmt::Debug>(model: T, file: T, what: &str) -> Result<T, String> {
    if model == file { Ok(file) } else { Err(format!("{what}: the model {model:#?}, the file {file:#?}")) }
}

fn row(dice: &mut Dice) -> Checkout {
    let (provider, merchant) = dice.one_of(&MERCHANTS);
    let id = format!("o-{}", dice.below(8));
    let named = format!("c-{}-{id}", dice.below(2));
    let (page, hold) = (dice.maybe("https://pay.example/1".into()), dice.maybe("look".to_owned()));
    Checkout {
        reference: format!("r-{}", dice.below(8)),
        checkout_id: dice.maybe(named),
        id,
        provider,
        merchant: merchant.to_owned(),
        environment: dice.one_of(&[Environment::Live, Environment::Sandbox]),
        state: dice.one_of(State::ALL),
        page,
        hold,
        notes: format!("{{\"n\":{}}}", dice.below(100)).into(),
        version: 7,
        created_at: Moment::from_unix_millis(3),
        changed_at: Moment::from_unix_millis(4),
    }
}

fn news(dice: &mut Dice, id: &str) -> Vec<News> {
    let subject = dice.one_of(&[Subject::Settled, Subject::Failed, Subject::Held]);
    let reason = dice.maybe("why".to_owned());
    dice.maybe(News { key: format!("{id}:{}", subject.name()), id: id.to_owned(), subject, reason })
        .into_iter()
        .collect()
}

/// A change of the row: who sells, and the reference, are for ever.
fn changed(dice: &mut Dice, seen: Checkout) -> Checkout {
    let Checkout { state, page, hold, notes, .. } = row(dice);
    let named = format!("c-{}-{}", dice.below(2), seen.id);
    let checkout_id = dice.maybe(named);
    Checkout { state, checkout_id, page, hold, notes, ..seen }
}

fn key(number: u64) -> Key {
    let retention = [Duration::ZERO, Duration::from_secs(60), Duration::MAX];
    Key::allscale_transaction("a", &number.to_string(), retention[usize::try_from(number % 3).unwrap()])
}

async fn step(both: &mut Both, dice: &mut Dice) -> Result<(), Box<dyn Error>> {
    let Both { model, file, leases, news: told } = both;
    match dice.below(12) {
        0 | 1 => {
            let checkout = row(dice);
            let new = New { checkout: &checkout, watch: "w", lease: dice.span() };
            match (model.insert(&new).await?, file.insert(&new).await?) {
                (Inserted::Fresh(one, left), Inserted::Fresh(other, right)) => {
                    same(left, right, "insert")?;
                    leases.push((one, other));
                }
                (Inserted::Exists(left), Inserted::Exists(right))
                | (Inserted::SameReference(left), Inserted::SameReference(right)) => {
                    same(left, right, "insert")?;
                }
                (left, right) => return Err(format!("insert: {left:?} and {right:?}").into()),
            }
        }
        2 | 3 => {
            let mut lanes: Vec<String> =
                ["allscale/a", "azotte/z", "peach/p", "peach/none"].map(String::from).into();
            lanes.truncate(1 + usize::try_from(dice.below(4))?);
            let ask = Ask { lanes: &lanes, max: usize::try_from(dice.below(5))?, lease: dice.span() };
            let (left, right) = (model.claim(&ask).await?, file.claim(&ask).await?);
            let shape = |claimed: &Claimed| {
                let due = claimed.due.iter().map(|due| {
                    let (id, nudges) = (due.lease.id.clone(), due.lease.nudges);
                    let rest = (due.watch.clone(), due.nudged, due.named.clone(), due.tries);
                    (id, nudges, due.checkout.clone(), rest)
                });
                (claimed.now, claimed.next, due.collect::<Vec<_>>(), claimed.news)
            };
            same(shape(&left), shape(&right), "claim")?;
            leases.extend(left.due.into_iter().zip(right.due).map(|(one, other)| (one.lease, other.lease)));
        }
        4..=6 if !leases.is_empty() => {
            let place = usize::try_from(dice.below(leases.len() as u64))?;
            let (one, other) = leases[place].clone();
            let seen = model.checkout(&one.id).await?.ok_or("no row")?;
            let (after, watch) = (dice.span(), format!("w{}", dice.below(3)));
            let next = match dice.below(5) {
                0 => Next::Keep,
                1 => Next::Ended { watch },
                _ => Next::Due { after, watch },
            };
            let write = Write {
                news: news(dice, &one.id),
                checkout: Some(changed(dice, seen)).filter(|_| dice.below(2) == 0),
                next,
                read: dice.one_of(&[ReadMade::None, ReadMade::Sent, ReadMade::Answered]),
                lane_wait: Some(dice.span()).filter(|_| dice.below(8) == 0),
            };
            let _ = same(model.write(&one, &write).await?, file.write(&other, &write).await?, "write")?;
        }
        7 | 8 => {
            let (id, named) =
                (format!("o-{}", dice.below(9)), format!("c-{}-o-{}", dice.below(2), dice.below(9)));
            let (lane, reference) =
                (dice.one_of(&["allscale/a", "azotte/z", "peach/p"]), format!("r-{}", dice.below(9)));
            let target = match dice.below(3) {
                0 => Target::Id(&id),
                _ => Target::Named {
                    lane,
                    checkout_id: dice.maybe(&*named),
                    reference: dice.maybe(&*reference),
                },
            };
            let event: Vec<Key> = (0..dice.below(3)).map(|_| key(dice.below(9))).collect();
            let nudge = Nudge { target, event: &event };
            same::<Nudged>(model.nudge(&nudge).await?, file.nudge(&nudge).await?, "nudge")?;
        }
        9 => {
            let id = format!("o-{}", dice.below(8));
            let Some(seen) = model.checkout(&id).await? else { return Ok(()) };
            let mut checkout = changed(dice, seen);
            checkout.version -= i64::from(dice.below(4) == 0);
            let (work, news) = (dice.below(2) == 0, news(dice, &id));
            let decision =
                Decision { checkout: &checkout, work, news, act: "release", by: "Ann", reason: "seen" };
            let _ = same(model.decide(&decision).await?, file.decide(&decision).await?, "decide")?;
        }
        10 => {
            let lease = dice.span();
            let (mut left, mut right) =
                (model.claim_news(99, lease).await?, file.claim_news(99, lease).await?);
            left.sort_by(|one, other| one.news.key.cmp(&other.news.key));
            right.sort_by(|one, other| one.news.key.cmp(&other.news.key));
            let shape = |(tries, news): (u32, &News)| (tries, news.clone());
            let of_model: Vec<_> = left.iter().map(|of| shape((of.tries, &of.news))).collect();
            let of_file: Vec<_> = right.iter().map(|of| shape((of.tries, &of.news))).collect();
            same(of_model, of_file, "claim of news")?;
            let fences = left.into_iter().zip(right);
            told.extend(fences.map(|(one, other)| (one.news.key, one.fence, other.fence)));
        }
        _ => {
            if let Some((key, one, other)) = told.pop() {
                let again = Some(dice.span()).filter(|_| dice.below(2) == 0);
                let (left, right) = (model.news_told(&key, one, again), file.news_told(&key, other, again));
                let _ = same::<Written>(left.await?, right.await?, "told")?;
            }
            same(model.sweep(99).await?, file.sweep(99).await?, "sweep")?;
        }
    }
    Ok(())
}

async fn look(both: &Both, dice: &mut Dice) -> Result<(), Box<dyn Error>> {
    let Both { model, file, .. } = both;
    same(model.figures().await?, file.figures().await?, "figures")?;
    let after = format!("o-{}", dice.below(8));
    let filter = Filter {
        id: None,
        state: Some(dice.one_of(State::ALL)).filter(|_| dice.below(2) == 0),
        held: dice.below(2) == 0,
        after: dice.maybe(&*after),
        limit: usize::try_from(dice.below(4))?,
    };
    same(model.overview(&filter).await?, file.overview(&filter).await?, "list")?;
    let (all, id) = (Filter::default(), format!("o-{}", dice.below(8)));
    same(model.list(&all).await?, file.list(&all).await?, "list of all")?;
    same(model.checkout(&id).await?, file.checkout(&id).await?, "checkout")?;
    same(model.decisions(&id).await?, file.decisions(&id).await?, "decisions")?;
    Ok(())
}

#[test]
fn random_histories_are_answered_as_the_model_answers() -> Result<(), Box<dyn Error>> {
    for seed in 1..=40_u64 {
        let now = Arc::new(AtomicI64::new(1_716_501_000_000));
        let clock = |now: &Arc<AtomicI64>| {
            let now = Arc::clone(now);
            move || Moment::from_unix_millis(now.load(Ordering::SeqCst))
        };
        let (model, file) = (Memory::with_clock(clock(&now)), Sqlite::in_memory().clock(clock(&now)).open()?);
        let mut both = Both { model, file, leases: Vec::new(), news: Vec::new() };
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let limit = Some(RateLimit { requests: 2, per_seconds: 60, scope: RateScope::Merchant });
        let lanes =
            [Lane { name: "peach/p".to_owned(), limit }, Lane { name: "azotte/z".to_owned(), limit: None }];
        block_on(async {
            both.model.lanes(&lanes).await?;
            both.file.lanes(&lanes).await?;
            for number in 0..150 {
                let span = dice.span();
                now.fetch_add(i64::try_from(span.as_millis())?, Ordering::SeqCst);
                step(&mut both, &mut dice)
                    .await
                    .map_err(|error| format!("seed {seed}, step {number}: {error}"))?;
                look(&both, &mut dice)
                    .await
                    .map_err(|error| format!("seed {seed}, step {number}: {error}"))?;
            }
            Ok::<(), Box<dyn Error>>(())
        })?;
    }
    Ok(())
}

#[test]
fn a_closed_store_keeps_nothing_in_memory() -> Result<(), StoreError> {
    let (one, other) = (Sqlite::in_memory().open()?, Sqlite::in_memory().open()?);
    let checkout = row(&mut Dice(1));
    block_on(async {
        let _ = one.insert(&New { checkout: &checkout, watch: "", lease: Duration::ZERO }).await?;
        assert_eq!(one.list(&Filter::default()).await?.len(), 1);
        assert_eq!(other.list(&Filter::default()).await?.len(), 0);
        Ok(())
    })
}
