//! The judge: the sandbox's books against the store's rows and the shop's parcels.

use super::Outcome;
use super::orders::Order;
use super::shop::{Database, open_postgres, open_sqlite};
use super::weather::Weather;
use checkout_engine::{Checkout, Filter, Provider, State, Store};
use checkout_sandbox_server::World;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) struct Judgement {
    orders: usize,
    by_state: BTreeMap<&'static str, usize>,
    held: usize,
    parcels: usize,
    faults: Vec<String>,
}

impl Judgement {
    pub(crate) fn faults(self) -> Outcome {
        if self.faults.is_empty() { Ok(()) } else { Err(self.faults.join("\n").into()) }
    }
}

impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} orders: {:?}, {} held, {} parcels, {} faults",
            self.orders,
            self.by_state,
            self.held,
            self.parcels,
            self.faults.len()
        )
    }
}

/// The checkouts that a provider has made for a reference, and how many of them are paid in full.
#[derive(Default)]
struct Made {
    made: u32,
    paid: u32,
}

/// Waits until every order has ended or is held, and judges.
pub(crate) async fn after_the_calm(weather: &Weather, worlds: &[Arc<World>]) -> Outcome<Judgement> {
    match &weather.database {
        Database::Sqlite(path) => {
            let clock = weather.clone();
            let store = open_sqlite(path, move || clock.now())?;
            judge(weather, worlds, &store).await
        }
        Database::Postgres { url, schema } => {
            judge(weather, worlds, &open_postgres(url, schema).await?).await
        }
    }
}

async fn judge(weather: &Weather, worlds: &[Arc<World>], store: &impl Store) -> Outcome<Judgement> {
    let begin = Instant::now();
    let patience = Duration::from_secs(60)
        .saturating_add(Duration::from_millis(u64::try_from(weather.orders)?.saturating_mul(60)));
    let rows = loop {
        let rows = all(store).await?;
        let is_over = |checkout: &Checkout| checkout.state.is_end() || checkout.hold.is_some();
        let figures = store.figures().await?;
        if rows.len() == weather.orders && rows.values().all(is_over) && figures.news == 0 {
            break rows;
        }
        if begin.elapsed() > patience {
            let open = rows.values().filter(|checkout| !is_over(checkout)).take(5);
            return Err(format!(
                "{} rows of {}, {figures:?}, open: {:?}",
                rows.len(),
                weather.orders,
                open.collect::<Vec<_>>()
            )
            .into());
        }
        // The condition is what is waited for: a pause between two looks decides nothing.
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let parcels = weather.parcels().await?;
    let mut faults = Vec::new();
    let mut by_state = BTreeMap::new();
    let books: Vec<BTreeMap<String, Made>> = worlds.iter().map(|world| books(world)).collect();
    for number in 0..weather.orders {
        let order = Order::new(number, weather.keys.len());
        let Some(row) = rows.get(&order.id) else {
            faults.push(format!("{}: lost", order.id));
            continue;
        };
        *by_state.entry(row.state.name()).or_insert(0) += 1;
        let none = Made::default();
        let made = books.get(order.merchant).and_then(|books| books.get(&order.reference)).unwrap_or(&none);
        let sent = parcels.get(&order.id).copied().unwrap_or(0);
        let mut fault = |what: &str| {
            faults.push(format!(
                "{} ({}): {what}; {row:?}; made {}, paid {}, parcels {sent}",
                order.id, order.reference, made.made, made.paid
            ));
        };
        if made.made > 1 {
            fault("made twice");
        }
        if sent > 1 {
            fault("settled twice");
        }
        if sent > 0 && made.paid == 0 {
            fault("settled unpaid");
        }
        if sent == 0 && made.paid > 0 && row.hold.is_none() {
            fault("paid, and nothing was sent");
        }
        if (row.state == State::Settled && row.hold.is_none()) != (sent == 1) {
            fault("the row and the parcel disagree");
        }
        if row.provider != order.provider {
            fault("of another provider");
        }
    }
    for world in worlds {
        let verdict = world.verdict_at_end();
        let told = ["double-create", "blind-repeat", "over-limit", "retry-after-ignored"];
        for finding in verdict.findings.iter().filter(|finding| told.contains(&&*finding.code)) {
            faults.push(format!("{}: {} {:?}", finding.code, finding.sentence, finding.order));
        }
    }
    let held = rows.values().filter(|row| row.hold.is_some()).count();
    Ok(Judgement { orders: weather.orders, by_state, held, parcels: parcels.len(), faults })
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

/// The provider's books of one merchant.
fn books(world: &World) -> BTreeMap<String, Made> {
    let mut books: BTreeMap<String, Made> = BTreeMap::new();
    let mut add = |reference: String, paid: bool| {
        let made = books.entry(reference).or_default();
        made.made += 1;
        made.paid += u32::from(paid);
    };
    for intent in world.allscale().intents() {
        add(intent.order_id.unwrap_or_default(), intent.status == 20);
    }
    for checkout in world.azotte().checkouts() {
        add(checkout.correlation_id.unwrap_or_default(), checkout.captures > 0);
    }
    for checkout in world.peach().checkouts() {
        let paid = ["000.000.", "000.100.1", "000.3"].iter().any(|group| checkout.code.starts_with(group));
        add(checkout.merchant_transaction_id, paid);
    }
    books
}

/// No provider is left out of the storm.
#[test]
fn the_orders_are_of_every_provider() {
    let providers: std::collections::BTreeSet<Provider> =
        (0..40).map(|number| Order::new(number, 6).provider).collect();
    assert_eq!(providers.len(), Provider::ALL.len());
}
