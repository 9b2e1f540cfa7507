//! The judge: the sandbox's books against the store's rows and the shop's parcels.

#[cfg(test)]
#[path = "judge/doctored.rs"]
mod doctored;

use super::Outcome;
use super::log::Asked;
use super::orders::Order;
use super::shop::{Database, open_postgres, open_sqlite};
use super::weather::Weather;
use checkout_engine::{Checkout, Filter, Provider, State, Store};
use checkout_sandbox_server::{Finding, World};
use checkout_tables::Moment;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) struct Judgement {
    orders: usize,
    by_state: BTreeMap<&'static str, usize>,
    held: BTreeMap<String, usize>,
    parcels: usize,
    hooks: (u64, u64),
    excused: usize,
    errors: String,
    faults: Vec<String>,
}

impl Judgement {
    pub(crate) fn faults(self) -> Outcome {
        if self.faults.is_empty() { Ok(()) } else { Err(self.faults.join("\n").into()) }
    }
}

impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { orders, by_state, held, parcels, hooks: (attempts, taken), excused, errors, faults } =
            self;
        let of_hold: usize = held.values().sum();
        let count = faults.len();
        writeln!(f, "{orders} orders: {by_state:?}, {of_hold} held, {parcels} parcels, {count} faults")?;
        writeln!(f, "  {attempts} deliveries of webhooks, {taken} webhooks taken")?;
        writeln!(f, "  {excused} findings that no engine can avoid")?;
        writeln!(f, "  errors: {errors}")?;
        write!(f, "  held: {held:?}")
    }
}

/// What a provider has in its books for a reference.
#[derive(Clone, Debug, Default)]
pub(crate) struct Made {
    /// The checkouts that the provider has made.
    made: u32,
    /// Those that were paid in full at some time.
    paid: u32,
    /// Those that the provider shows as paid now.
    shows_paid: u32,
    /// Those at another price than the order's.
    otherwise: u32,
}

/// What the storm itself has seen.
#[derive(Clone, Default)]
pub(crate) struct Seen {
    /// The errors of the processes by kind, with the number and the first text.
    pub(crate) errors: BTreeMap<String, (u64, String)>,
    /// The processes that ended by themselves.
    pub(crate) ended: Vec<String>,
    /// The moments at which processes went on after a stop.
    pub(crate) woken: Vec<Moment>,
    /// The processes that were killed or stopped, and the moments.
    pub(crate) silenced: Vec<(u32, Moment)>,
    /// The answers that have asked a process to wait.
    pub(crate) asked: Vec<Asked>,
    /// The looks that found an engine's connection idle in a transaction.
    pub(crate) idle: u64,
    /// True if the database was in trouble, so that its errors are no fault.
    pub(crate) has_troubles: bool,
}

/// All that the judge looks at.
#[derive(Clone, Default)]
struct Case {
    orders: Vec<Order>,
    rows: BTreeMap<String, Checkout>,
    parcels: BTreeMap<String, u32>,
    /// The books of each merchant, by the reference.
    books: Vec<BTreeMap<String, Made>>,
    /// The findings of the sandbox's own judge: the code, and a sentence.
    findings: Vec<(String, String)>,
    seen: Seen,
}

/// The findings of the sandbox that are faults of the engine. A checkout that is paid and was never read is
/// held, or is a fault by another law.
const TOLD: [&str; 5] =
    ["double-create", "blind-repeat", "over-limit", "retry-after-ignored", "webhook-without-read"];

/// The finding of a thing that an engine may still do.
const OPEN: &str = "webhook-without-read";

/// The errors of a database in trouble.
const OF_TROUBLE: [&str; 4] = ["Unavailable", "ReadOnly", "NotTold", "NotOpen"];

impl Case {
    /// Everything that is wrong. The judge knows nothing of the engine.
    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for order in &self.orders {
            let Some(row) = self.rows.get(&order.id) else {
                faults.push(format!("{}: lost", order.id));
                continue;
            };
            let none = Made::default();
            let of_merchant = self.books.get(order.merchant);
            let made = of_merchant.and_then(|books| books.get(&order.reference)).unwrap_or(&none);
            let sent = self.parcels.get(&order.id).copied().unwrap_or(0);
            let (state, held) = (row.state, row.hold.is_some());
            // A webhook makes a settled checkout due again, and the processes with the work may be killed.
            let was_told = state == State::Settled && is_quarantined(row);
            let laws = [
                ("neither an end nor a hold", state.is_end() || held),
                ("made twice", made.made <= 1),
                ("at another price", made.otherwise == 0),
                ("settled twice", sent <= 1),
                ("settled unpaid", sent == 0 || made.paid > 0),
                ("paid, and nothing was sent", sent > 0 || made.shows_paid == 0 || held),
                (
                    "the row and the parcel disagree",
                    (state == State::Settled && !held) == (sent == 1) || was_told,
                ),
                ("refused, and the provider has a checkout", state != State::Refused || made.made == 0),
                ("failed, and the provider has no checkout", state != State::Failed || made.made == 1),
                ("of another provider", row.provider == order.provider),
                ("under another reference", row.reference == order.reference),
            ];
            for (law, _) in laws.into_iter().filter(|(_, kept)| !kept) {
                let (id, reference) = (&order.id, &order.reference);
                faults.push(format!("{id} ({reference}): {law}; {row:?}; {made:?}, parcels {sent}"));
            }
        }
        let ids: BTreeSet<&str> = self.orders.iter().map(|order| order.id.as_str()).collect();
        let strange = self.rows.keys().chain(self.parcels.keys()).filter(|id| !ids.contains(id.as_str()));
        faults.extend(strange.map(|id| format!("{id}: nobody has ordered it")));
        for (merchant, books) in self.books.iter().enumerate() {
            let ordered = self.orders.iter().filter(|order| order.merchant == merchant);
            let ordered: BTreeSet<&str> = ordered.map(|order| order.reference.as_str()).collect();
            let strange = books.keys().filter(|reference| !ordered.contains(reference.as_str()));
            faults.extend(strange.map(|reference| format!("{reference}: made, and nobody has ordered it")));
        }
        let told = self.findings.iter().filter(|(code, _)| TOLD.contains(&code.as_str()));
        faults.extend(told.map(|(code, sentence)| format!("{code}: {sentence}")));
        let Seen { errors, ended, idle, has_troubles, .. } = &self.seen;
        for (kind, (count, text)) in errors {
            if !(*has_troubles && OF_TROUBLE.contains(&kind.as_str())) {
                faults.push(format!("{count} errors {kind}, the first: {text}"));
            }
        }
        faults.extend(ended.iter().cloned());
        if *idle > 0 {
            faults.push(format!("{idle} times an engine was idle in a transaction"));
        }
        faults
    }
}

/// Waits until every order has ended or is held, and judges.
pub(crate) async fn after_the_calm(
    weather: &Weather,
    worlds: &[Arc<World>],
    seen: Seen,
) -> Outcome<Judgement> {
    match &weather.database {
        Database::Sqlite(path) => {
            let clock = weather.clone();
            let store = open_sqlite(path, move || clock.now())?;
            judge(weather, worlds, &store, seen).await
        }
        Database::Postgres { url, schema } => {
            judge(weather, worlds, &open_postgres(url, schema, false).await?, seen).await
        }
    }
}

/// The storm gives up if no order has ended for so long.
const PATIENCE: Duration = Duration::from_secs(90);

async fn judge(
    weather: &Weather,
    worlds: &[Arc<World>],
    store: &impl Store,
    seen: Seen,
) -> Outcome<Judgement> {
    let is_over = |checkout: &&Checkout| checkout.state.is_end() || checkout.hold.is_some();
    let (mut changed, mut latest) = (Instant::now(), (0, u64::MAX, usize::MAX));
    let (rows, figures) = loop {
        let begin = Instant::now();
        let (rows, figures) = (all(store).await?, store.figures().await?);
        let over = rows.values().filter(is_over).count();
        let open =
            if over == weather.orders { findings(weather, worlds, &rows, &seen).0 } else { Vec::new() };
        let open = open.iter().filter(|(code, _)| code == OPEN).count();
        if over == weather.orders && figures.news == 0 && open == 0 {
            break (rows, figures);
        }
        if (over, figures.news, open) != latest {
            (changed, latest) = (Instant::now(), (over, figures.news, open));
        }
        if changed.elapsed() > PATIENCE {
            // The judge says what is open.
            break (rows, figures);
        }
        // The condition is what is waited for: a pause between two looks decides nothing.
        tokio::time::sleep(begin.elapsed().saturating_mul(3).max(Duration::from_millis(100))).await;
    };
    let mut by_state = BTreeMap::new();
    rows.values().for_each(|row| *by_state.entry(row.state.name()).or_insert(0) += 1);
    let mut held = BTreeMap::new();
    for reason in rows.values().filter_map(|row| row.hold.as_deref()) {
        let reason: String = reason.chars().take(60).filter(|letter| !letter.is_ascii_digit()).collect();
        *held.entry(reason).or_insert(0) += 1;
    }
    let verdicts = worlds.iter().map(|world| world.verdict_at_end().looked_at.webhooks);
    let hooks = (verdicts.sum(), u64::try_from(worlds.iter().map(|world| taken(world)).sum::<usize>())?);
    let errors = seen.errors.iter().map(|(kind, (count, text))| {
        let text: String = text.chars().take(120).collect();
        format!("{count} {kind} ({text})")
    });
    let errors = errors.collect::<Vec<_>>().join(", ");
    let (findings, excused) = findings(weather, worlds, &rows, &seen);
    let case = Case {
        orders: (0..weather.orders).map(|number| Order::new(number, weather.keys.len())).collect(),
        rows,
        parcels: weather.parcels().await?,
        books: worlds.iter().map(|world| books(world)).collect(),
        findings,
        seen,
    };
    let mut faults = case.faults();
    if figures.news > 0 {
        faults.push(format!("{} news that nobody was told", figures.news));
    }
    let (orders, parcels) = (weather.orders, case.parcels.len());
    Ok(Judgement { orders, by_state, held, parcels, hooks, excused, errors, faults })
}

async fn all(store: &impl Store) -> Outcome<BTreeMap<String, Checkout>> {
    let mut rows: BTreeMap<String, Checkout> = BTreeMap::new();
    loop {
        let after = rows.keys().next_back().cloned();
        let filter = Filter { after: after.as_deref(), limit: 1_000, ..Filter::default() };
        let page = store.list(&filter).await?;
        if page.is_empty() {
            return Ok(rows);
        }
        rows.extend(page.into_iter().map(|checkout| (checkout.id.clone(), checkout)));
    }
}

/// The findings of the sandbox's own judge, and the number of those that no engine can avoid.
fn findings(
    weather: &Weather,
    worlds: &[Arc<World>],
    rows: &BTreeMap<String, Checkout>,
    seen: &Seen,
) -> (Vec<(String, String)>, usize) {
    let put_aside = rows.values().filter(|row| is_quarantined(row)).map(|row| row.reference.as_str());
    let put_aside: BTreeSet<&str> = put_aside.collect();
    let spans = Spans::of(weather);
    let verdicts = worlds.iter().flat_map(|world| world.verdict_at_end().findings);
    let (excused, found): (Vec<_>, Vec<_>) = verdicts.partition(|found: &Finding| {
        let events: Vec<Moment> = found.events.iter().map(|event| event.at).collect();
        let is_aside = found.order.as_deref().is_some_and(|order| put_aside.contains(order));
        seen.excuses(&spans, &found.code, &events, is_aside)
    });
    let told = found.into_iter().map(|found| (found.code, format!("{} {:?}", found.sentence, found.order)));
    (told.collect(), excused.len())
}

/// Times of the machine, as the world counts them.
struct Spans {
    /// A request that comes so soon after another one was under way already.
    under_way: Duration,
    /// The first thing that a process does after a stop.
    first_thing: Duration,
    /// The time of an answer's way, and of the write that follows from the answer.
    to_tell: Duration,
    /// The clocks of two processes differ by less.
    clocks: Duration,
}

impl Spans {
    fn of(weather: &Weather) -> Self {
        let of = |millis| weather.in_the_world(Duration::from_millis(millis));
        Self {
            under_way: of(500),
            first_thing: of(250),
            to_tell: of(weather.latency.saturating_add(250)),
            clocks: of(20),
        }
    }
}

impl Seen {
    /// True for a finding that no engine can avoid:
    ///
    /// - A request that was under way cannot know of a wait yet: the storm's processes are slow, and the world's
    ///   time is fast.
    /// - A process that stands still in the middle of a send goes on sending, after others have taken its work
    ///   over. Two requests are in such a finding, and one of them is the first thing that a process did.
    /// - The very process that was asked to wait was killed or stopped before it could tell the others.
    /// - Work that was quarantined after a webhook is read when a person has released the checkout.
    fn excuses(&self, spans: &Spans, code: &str, events: &[Moment], is_put_aside: bool) -> bool {
        let is_late = |event: Moment| {
            let woken = &self.woken;
            let woke = woken.get(..woken.partition_point(|woke| *woke <= event)).and_then(<[Moment]>::last);
            woke.is_some_and(|woke| event.saturating_since(*woke) < spans.first_thing)
        };
        match (code, events) {
            ("retry-after-ignored", [first, second]) => {
                second.saturating_since(*first) < spans.under_way
                    || is_late(*second)
                    || self.is_untold(spans, *first)
            }
            ("over-limit", events) => events.iter().any(|event| is_late(*event)),
            ("webhook-without-read", _) => is_put_aside,
            _ => false,
        }
    }

    /// True if the process that the answer to a request has asked to wait, could tell nobody.
    fn is_untold(&self, spans: &Spans, request: Moment) -> bool {
        let is_silent = |asked: &Asked| {
            let mut ends = self.silenced.iter().filter(|(process, _)| *process == asked.process);
            ends.any(|(_, at)| *at >= asked.sent && at.saturating_since(asked.came) < spans.to_tell)
        };
        let is_answer = |asked: &&Asked| {
            asked.sent <= request.saturating_add(spans.clocks)
                && request <= asked.came.saturating_add(spans.clocks)
        };
        let mut answers = self.asked.iter().filter(is_answer).peekable();
        // Without a note, the process has ended before the answer came.
        answers.peek().is_none() || answers.any(is_silent)
    }
}

fn is_quarantined(row: &Checkout) -> bool {
    row.hold.as_deref().is_some_and(|hold| hold.starts_with("quarantined"))
}

/// The webhooks that a process has answered with 200.
fn taken(world: &World) -> usize {
    let is_taken = |webhook: &&checkout_sandbox_server::Webhook| {
        webhook.attempts.iter().any(|attempt| attempt.status == Some(200))
    };
    world.webhooks().iter().filter(is_taken).count()
}

/// The provider's books of one merchant.
fn books(world: &World) -> BTreeMap<String, Made> {
    let mut books: BTreeMap<String, Made> = BTreeMap::new();
    let mut add = |reference: String, paid: bool, shows_paid: bool, otherwise: bool| {
        let made = books.entry(reference).or_default();
        made.made += 1;
        made.paid += u32::from(paid);
        made.shows_paid += u32::from(shows_paid);
        made.otherwise += u32::from(otherwise);
    };
    let (allscale, azotte, peach) = (world.allscale(), world.azotte(), world.peach());
    for intent in allscale.intents() {
        // 20 is CONFIRMED.
        let paid = allscale.history(&intent.id).iter().any(|(_, code)| *code == 20);
        let otherwise = intent.amount_cents != 49_90 || intent.currency.as_deref() != Some("EUR");
        add(intent.order_id.unwrap_or_default(), paid, intent.status == 20, otherwise);
    }
    for checkout in azotte.checkouts() {
        let paid = checkout.captures > 0;
        add(checkout.correlation_id.unwrap_or_default(), paid, paid, false);
    }
    for checkout in peach.checkouts() {
        let is_paid =
            |code: &str| ["000.000.", "000.100.1", "000.3"].iter().any(|group| code.starts_with(group));
        let paid = peach.history(&checkout.checkout_id).iter().any(|(_, code)| is_paid(code));
        let otherwise = checkout.amount != "14.99" || checkout.currency != "ZAR";
        add(checkout.merchant_transaction_id, paid, is_paid(&checkout.code), otherwise);
    }
    books
}

/// No provider is left out of the storm.
#[test]
fn the_orders_are_of_every_provider() {
    let providers: BTreeSet<Provider> = (0..40).map(|number| Order::new(number, 6).provider).collect();
    assert_eq!(providers.len(), Provider::ALL.len());
}
