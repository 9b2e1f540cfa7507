//! The judge: the sandbox's books against the store's rows and the shop's parcels.

#[cfg(test)]
#[path = "judge/doctored.rs"]
mod doctored;
#[path = "judge/seen.rs"]
mod seen;
#[path = "judge/senders.rs"]
mod senders;

use super::Outcome;
use super::orders::{Course, Order};
use super::shop::{Database, open_postgres, open_sqlite};
use super::weather::Weather;
use checkout_engine::{Checkout, Filter, Provider, State, Store};
use checkout_sandbox_server::World;
pub(crate) use seen::Seen;
use seen::{LONGEST_STOP, Spans};
use senders::Senders;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The number of the findings that no engine can avoid, by code.
type Excused = BTreeMap<String, usize>;

pub(crate) struct Judgement {
    orders: usize,
    by_state: BTreeMap<&'static str, usize>,
    held: BTreeMap<String, usize>,
    parcels: usize,
    unlucky: usize,
    hooks: (u64, u64),
    excused: Excused,
    errors: String,
    faults: Vec<String>,
}

impl Judgement {
    pub(crate) fn faults(self) -> Outcome {
        if self.faults.is_empty() { Ok(()) } else { Err(self.faults.join("\n").into()) }
    }

    /// Adds what happened after the judge had looked.
    pub(crate) fn add(&mut self, faults: impl IntoIterator<Item = String>) {
        self.faults.extend(faults);
    }

    /// The first fault by this law.
    pub(crate) fn by(&self, law: &str) -> Option<&String> {
        self.faults.iter().find(|fault| fault.contains(law))
    }
}

impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { orders, by_state, held, parcels, unlucky, errors, faults, .. } = self;
        let (excused, (attempts, taken)) = (&self.excused, self.hooks);
        let of_hold: usize = held.values().sum();
        let count = faults.len();
        writeln!(f, "{orders} orders: {by_state:?}, {of_hold} held, {parcels} parcels, {count} faults")?;
        writeln!(f, "  something has befallen the creates of {unlucky} orders")?;
        writeln!(f, "  {attempts} deliveries of webhooks, {taken} webhooks taken")?;
        writeln!(f, "  findings that no engine can avoid: {excused:?}")?;
        writeln!(f, "  errors: {errors}")?;
        write!(f, "  held: {held:?}")
    }
}

/// A provider's books for a reference.
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
    /// Those that have ended, and nobody has paid anything.
    unpaid: u32,
    /// Those that were paid by less than the price, and are sent back.
    short: u32,
    /// The webhooks that a process has answered with 200.
    told: u32,
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
    /// The webhooks that were taken; none where there is no receiver.
    taken: Option<u64>,
    /// How often a hint has woken a process; none over a store without hints.
    heard: Option<usize>,
    seen: Seen,
}

/// Work that was claimed so often without a write is held.
const QUARANTINED_AFTER: u32 = 6;

/// A storm with more stops than these finds writes that come too late.
const FEW_STOPS: u64 = 20;

/// So many looks a second are made at least: the server is dead at times, and the machine may be slow.
const LOOKS: u64 = 5;

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
        let (mut faults, unlucky) = (Vec::new(), self.seen.unlucky());
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
            let is_unlucky = unlucky.as_ref().is_none_or(|unlucky| unlucky.contains(&*order.reference));
            // The amount owed in a currency is in the answer to AllScale's create alone.
            let has_no_owed = order.provider == Provider::AllScale && is_unlucky;
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
                ("refused, and nothing has befallen the create", state != State::Refused || is_unlucky),
                ("failed, and the provider has no checkout", state != State::Failed || made.made == 1),
                (
                    "failed, and the provider has not ended the checkout unpaid",
                    state != State::Failed || made.unpaid == 1,
                ),
                (
                    "settled, and the provider does not show a payment",
                    state != State::Settled || made.shows_paid == 1,
                ),
                (
                    "unsettled, and the payment is as it has to be",
                    state != State::Unsettled || made.short == 1 || (has_no_owed && made.shows_paid == 1),
                ),
                ("unsettled, and not held", state != State::Unsettled || held),
                ("given up or closed, and nobody has asked for that", {
                    !matches!(state, State::GaveUp | State::Closed)
                }),
                (
                    "ended otherwise than the payment went",
                    (state != State::Settled || order.course == Course::Paid)
                        && (state != State::Failed || order.course == Course::Unpaid)
                        && (state != State::Unsettled || order.course == Course::Short || has_no_owed),
                ),
                (
                    "unknown, and an event that names it was taken",
                    state != State::Unknown || made.told == 0 || is_quarantined(row),
                ),
                ("held, and nothing explains the hold", !held || self.explains(order, row, made, is_unlucky)),
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
        let Seen { errors, in_trouble, ended, idle, doubled, .. } = &self.seen;
        let of_trouble = |kind: &str| OF_TROUBLE.contains(&kind);
        let in_trouble = in_trouble.iter().filter(|(kind, _)| !of_trouble(kind));
        for (kind, (count, text)) in errors.iter().chain(in_trouble) {
            faults.push(format!("{count} errors {kind}, the first: {text}"));
        }
        faults.extend(ended.iter().cloned());
        faults.extend(self.idlers());
        if *idle > 0 {
            faults.push(format!("{idle} times an engine was idle in a transaction"));
        }
        if *doubled > 0 {
            faults.push(format!("{doubled} times a checkout had two pieces of work"));
        }
        faults
    }
}

impl Case {
    /// True if the rules of the engine promise a hold: money came and is not the order's, a create that may
    /// have been made is not made again, or the work has ended too many processes.
    fn explains(&self, order: &Order, row: &Checkout, made: &Made, is_unlucky: bool) -> bool {
        let is_short = made.short > 0 && order.course == Course::Short && row.state == State::Unsettled;
        let is_lost = is_unlucky
            && match order.provider {
                // Never sent again: the hold stays when an event names the checkout later.
                Provider::AllScale | Provider::PeachV2 => true,
                // Sent again for five minutes, and then a person looks.
                Provider::Azotte | Provider::Peach | _ => {
                    matches!(row.state, State::Sending | State::Unknown)
                }
            };
        let is_aside = is_quarantined(row)
            && self.seen.interruptions(row.created_at, row.changed_at) >= QUARANTINED_AFTER;
        is_short || is_lost || is_aside
    }

    /// The things that every storm has: a storm without them proves nothing.
    fn idlers(&self) -> Vec<String> {
        let settled = self.rows.values().filter(|row| row.state == State::Settled).count();
        let Seen { stops, lost, looks_a_second: looks, .. } = self.seen;
        let laws = [
            ("no order was settled", settled > 0),
            ("no parcel has left", !self.parcels.is_empty()),
            ("no webhook was taken", self.taken != Some(0)),
            ("no hint was heard", self.heard != Some(0)),
            ("nobody looked for an engine idle in a transaction", looks.is_none_or(|looks| looks >= LOOKS)),
            ("no write came too late, and processes stood still", lost > 0 || stops <= FEW_STOPS),
        ];
        laws.into_iter().filter(|(_, kept)| !kept).map(|(law, _)| law.to_owned()).collect()
    }
}

/// Waits until every order has ended or is held, and judges.
pub(crate) async fn after_the_calm(
    weather: &Weather,
    worlds: &[Arc<World>],
    seen: Seen,
) -> Outcome<Judgement> {
    after_the_calm_with(weather, worlds, seen, &Patience::default()).await
}

/// How long the judge waits.
#[derive(Clone, Copy)]
pub(crate) struct Patience {
    /// The judge gives up if nothing has changed for so long.
    time: Duration,
    /// Laws that the processes may break on purpose. None for processes that break none.
    laws: Option<&'static [&'static str]>,
}

impl Default for Patience {
    fn default() -> Self {
        Self { time: Duration::from_secs(90), laws: None }
    }
}

impl Patience {
    /// Waits for a fault: until one of the laws that nothing can mend is broken, or until nothing changes any
    /// more.
    pub(crate) const fn until(time: Duration, laws: &'static [&'static str]) -> Self {
        Self { time, laws: Some(laws) }
    }

    /// True if a law is broken that nothing can mend.
    fn is_over(&self, case: &Case) -> bool {
        let mut at_once = self.laws.unwrap_or_default().iter().filter(|law| !LATER.contains(law));
        let faults = case.faults();
        at_once.any(|law| faults.iter().any(|fault| fault.contains(law)))
    }
}

/// The laws that a process may still keep: nobody looks for them before all is over.
const LATER: [&str; 4] = [": lost", "neither an end nor a hold", "paid, and nothing was sent", OPEN];

/// Waits as long as the patience allows, and judges.
pub(crate) async fn after_the_calm_with(
    weather: &Weather,
    worlds: &[Arc<World>],
    seen: Seen,
    patience: &Patience,
) -> Outcome<Judgement> {
    match &weather.database {
        Database::Sqlite(path) => {
            let clock = weather.clone();
            let store = open_sqlite(path, move || clock.now())?;
            judge(weather, worlds, &store, seen, patience).await
        }
        Database::Postgres { url, schema } => {
            judge(weather, worlds, &open_postgres(url, schema, false).await?, seen, patience).await
        }
    }
}

async fn judge(
    weather: &Weather,
    worlds: &[Arc<World>],
    store: &impl Store,
    mut seen: Seen,
    patience: &Patience,
) -> Outcome<Judgement> {
    seen.lease = weather.lease();
    let is_over = |checkout: &&Checkout| checkout.state.is_end() || checkout.hold.is_some();
    let (mut changed, mut latest) = (Instant::now(), (0, u64::MAX, usize::MAX));
    let mut senders = Senders::of(&weather.url)?;
    let (case, excused, news) = loop {
        let begin = Instant::now();
        let (rows, figures) = (all(store).await?, store.figures().await?);
        seen.asked = weather.log.all_asked()?;
        senders.look(worlds).await?;
        let over = rows.values().filter(is_over).count();
        let open = if over == weather.orders { open(weather, worlds, &rows, (&seen, &senders)) } else { 0 };
        if (over, figures.news, open) != latest {
            (changed, latest) = (Instant::now(), (over, figures.news, open));
        }
        // In the end the judge says what is open.
        let is_quiet = changed.elapsed() > patience.time;
        let all_over = over == weather.orders && figures.news == 0 && open == 0;
        let is_sound = patience.laws.is_none();
        if is_quiet || all_over || !is_sound {
            let (case, excused) = case(weather, worlds, rows, (seen.clone(), &senders)).await?;
            // Broken processes may break a law after the last order has ended.
            if is_quiet || is_sound || patience.is_over(&case) {
                break (case, excused, figures.news);
            }
        }
        // The condition is what is waited for: a pause between two looks decides nothing.
        tokio::time::sleep(begin.elapsed().saturating_mul(3).max(Duration::from_millis(100))).await;
    };
    let mut by_state = BTreeMap::new();
    case.rows.values().for_each(|row| *by_state.entry(row.state.name()).or_insert(0) += 1);
    let mut held = BTreeMap::new();
    for reason in case.rows.values().filter_map(|row| row.hold.as_deref()) {
        let reason: String = reason.chars().take(60).filter(|letter| !letter.is_ascii_digit()).collect();
        *held.entry(reason).or_insert(0) += 1;
    }
    let verdicts = worlds.iter().map(|world| world.verdict_at_end().looked_at.webhooks);
    let hooks = (verdicts.sum(), u64::try_from(worlds.iter().map(|world| taken(world)).sum::<usize>())?);
    let errors = case.seen.errors.iter().chain(&case.seen.in_trouble).map(|(kind, (count, text))| {
        let text: String = text.chars().take(120).collect();
        format!("{count} {kind} ({text})")
    });
    let errors = errors.collect::<Vec<_>>().join(", ");
    let mut faults = case.faults();
    if news > 0 {
        faults.push(format!("{news} news that nobody was told"));
    }
    let (orders, parcels) = (weather.orders, case.parcels.len());
    let unlucky = case.seen.unlucky().map_or(orders, |unlucky| unlucky.len());
    Ok(Judgement { orders, by_state, held, parcels, unlucky, hooks, excused, errors, faults })
}

/// All that the judge looks at, and the findings that no engine can avoid.
async fn case(
    weather: &Weather,
    worlds: &[Arc<World>],
    rows: BTreeMap<String, Checkout>,
    (mut seen, senders): (Seen, &Senders),
) -> Outcome<(Case, Excused)> {
    for failure in weather.log.errors()? {
        let at = weather.at(failure.machine_at);
        let is_in_trouble = seen.is_in_trouble(failure.process, at, weather.in_the_world(LONGEST_STOP));
        let errors = if is_in_trouble { &mut seen.in_trouble } else { &mut seen.errors };
        errors.entry(failure.kind).or_insert((0, failure.text)).0 += 1;
    }
    seen.creates = weather.log.all_creates()?;
    seen.lost = weather.log.done_from(0)?.0.lost;
    let (findings, excused) = findings(weather, worlds, &rows, (&seen, senders));
    let has_hints = weather.log.0.is_some()
        && weather.redis.is_none()
        && matches!(weather.database, Database::Postgres { .. });
    let taken = worlds.iter().map(|world| taken(world)).sum::<usize>();
    let case = Case {
        orders: (0..weather.orders).map(|number| Order::new(number, weather.keys.len())).collect(),
        rows,
        parcels: weather.parcels().await?,
        books: worlds.iter().map(|world| books(world)).collect(),
        findings,
        taken: (weather.port != 0).then_some(u64::try_from(taken)?),
        heard: has_hints.then_some(weather.log.all_heard()?),
        seen,
    };
    Ok((case, excused))
}

/// The number of things that an engine may still do after the last order has ended: reads that events ask
/// for.
fn open(
    weather: &Weather,
    worlds: &[Arc<World>],
    rows: &BTreeMap<String, Checkout>,
    seen: (&Seen, &Senders),
) -> usize {
    let (found, _) = findings(weather, worlds, rows, seen);
    let named = worlds.iter().flat_map(|world| books(world)).filter(|(_, made)| made.told > 0);
    let named: BTreeSet<String> = named.map(|(reference, _)| reference).collect();
    let is_named = |row: &&Checkout| {
        row.state == State::Unknown && !is_quarantined(row) && named.contains(&row.reference)
    };
    found.iter().filter(|(code, _)| code == OPEN).count() + rows.values().filter(is_named).count()
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

/// The findings of the sandbox's own judge, and the number of those that no engine can avoid, by code.
fn findings(
    weather: &Weather,
    worlds: &[Arc<World>],
    rows: &BTreeMap<String, Checkout>,
    (seen, senders): (&Seen, &Senders),
) -> (Vec<(String, String)>, Excused) {
    let put_aside = rows.values().filter(|row| is_quarantined(row)).map(|row| row.reference.as_str());
    let put_aside: BTreeSet<&str> = put_aside.collect();
    let (spans, mut told, mut excused) = (Spans::of(weather), Vec::new(), Excused::new());
    for world in worlds {
        let verdict = world.verdict_at_end();
        let mut unlisted = verdict.counts;
        for found in verdict.findings {
            unlisted.entry(found.code.clone()).and_modify(|count| *count = count.saturating_sub(1));
            let requests = senders.requests(world.name(), &found);
            let is_aside = found.order.as_deref().is_some_and(|order| put_aside.contains(order));
            if seen.excuses(&spans, &found.code, &requests, is_aside) {
                *excused.entry(found.code).or_default() += 1;
            } else {
                told.push((found.code, format!("{} {:?} {requests:?}", found.sentence, found.order)));
            }
        }
        // The sandbox lists the first of many alone, and nobody can excuse the others.
        let unlisted = unlisted.into_iter().filter(|(code, count)| TOLD.contains(&&**code) && *count > 0);
        told.extend(unlisted.map(|(code, count)| (code, format!("{count} more, in {}", world.name()))));
    }
    (told, excused)
}

fn is_quarantined(row: &Checkout) -> bool {
    // A further reason stands behind the first.
    row.hold.as_deref().is_some_and(|hold| hold.split("; ").any(|reason| reason.starts_with("quarantined")))
}

/// The webhooks that a process has answered with 200.
fn taken(world: &World) -> usize {
    let is_taken = |webhook: &&checkout_sandbox_server::Webhook| {
        webhook.attempts.iter().any(|attempt| attempt.status == Some(200))
    };
    world.webhooks().iter().filter(is_taken).count()
}

/// The provider's books of one merchant. The numbers and codes are typed from the providers' pages.
fn books(world: &World) -> BTreeMap<String, Made> {
    let mut books: BTreeMap<String, Made> = BTreeMap::new();
    let mut add = |reference: String, one: Made| {
        let made = books.entry(reference).or_default();
        made.made += 1;
        made.paid += one.paid;
        made.shows_paid += one.shows_paid;
        made.otherwise += one.otherwise;
        made.unpaid += one.unpaid;
        made.short += one.short;
    };
    let (allscale, azotte, peach) = (world.allscale(), world.azotte(), world.peach());
    for intent in allscale.intents() {
        // 20 is CONFIRMED; -4 and -5 are CANCELED and TIMEOUT; 5 and -3 are SEND_BACK and UNDERPAID.
        let paid = allscale.history(&intent.id).iter().any(|(_, code)| *code == 20);
        let otherwise = intent.amount_cents != 49_90 || intent.currency.as_deref() != Some("EUR");
        let is = |codes: &[i64]| u32::from(codes.contains(&intent.status));
        let one = Made {
            paid: paid.into(),
            shows_paid: is(&[20]),
            otherwise: otherwise.into(),
            unpaid: is(&[-4, -5]),
            short: is(&[5, -3]),
            ..Made::default()
        };
        add(intent.order_id.unwrap_or_default(), one);
    }
    for checkout in azotte.checkouts() {
        let paid = u32::from(checkout.captures > 0);
        let unpaid = u32::from(checkout.message_code == "CHECK_OUT_FAILED" && paid == 0);
        let one = Made { paid, shows_paid: paid, unpaid, ..Made::default() };
        add(checkout.correlation_id.unwrap_or_default(), one);
    }
    for checkout in peach.checkouts() {
        let is_paid =
            |code: &str| ["000.000.", "000.100.1", "000.3"].iter().any(|group| code.starts_with(group));
        let paid = peach.history(&checkout.checkout_id).iter().any(|(_, code)| is_paid(code));
        let otherwise = checkout.amount != "14.99" || checkout.currency != "ZAR";
        let one = Made {
            paid: paid.into(),
            shows_paid: is_paid(&checkout.code).into(),
            otherwise: otherwise.into(),
            // Cancelled and expired.
            unpaid: ["100.396.101", "100.396.104"].contains(&checkout.code.as_str()).into(),
            ..Made::default()
        };
        add(checkout.merchant_transaction_id, one);
    }
    for webhook in world.webhooks() {
        let is_taken = webhook.attempts.iter().any(|attempt| attempt.status == Some(200));
        if let Some(made) = webhook.order.and_then(|order| books.get_mut(&order)) {
            made.told += u32::from(is_taken);
        }
    }
    books
}

/// No provider is left out of the storm.
#[test]
fn the_orders_are_of_every_provider() {
    let providers: BTreeSet<Provider> = (0..40).map(|number| Order::new(number, 6).provider).collect();
    assert_eq!(providers.len(), Provider::ALL.len());
}
