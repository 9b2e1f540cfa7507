//! A process of the storm: places orders, runs the engine, receives webhooks, ships, and is killed.

#[path = "noted.rs"]
pub(crate) mod noted;
#[path = "quick.rs"]
pub(crate) mod quick;
#[path = "sabotage.rs"]
pub(crate) mod sabotage;

use super::Outcome;
use super::fast::Fast;
use super::hooks;
use super::log::{Asked, Done, MARK, Making, Mark};
use super::orders::{Order, SELLERS_OF_ALL, reference_in};
use super::shop::{Database, SqliteShop, newer, open_postgres, open_sqlite, take_postgres};
use super::weather::{Keys, LEASE, Weather};
use checkout_engine::{Engine, Limited, News, Rules, Store, Subject};
use checkout_reqwest::{Reqwest, reqwest};
use checkout_store_postgres::Postgres;
use checkout_tables::{Environment, Moment};
use checkout_transport::http::HeaderValue;
use checkout_transport::{Request, Response, Transport, TransportError};
use noted::Noted;
use quick::Quick;
use sabotage::Spoilt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::sleep;

pub(crate) type Told = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// The pause before a thing is tried again: a shop's own pace, which decides nothing.
const AGAIN: Duration = Duration::from_millis(50);

pub(crate) fn work(weather: Weather) -> Outcome {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        match weather.database.clone() {
            Database::Sqlite(path) => {
                let clock = weather.clone();
                let clock = move || clock.now();
                let store = if weather.is_newer {
                    let store = newer::open_sqlite(&path, clock)?;
                    newer::begin_sqlite(&path)?;
                    store
                } else {
                    open_sqlite(&path, clock)?
                };
                let store = Spoilt { inner: store, weather: weather.clone() };
                let shop = Arc::new(SqliteShop::open(&path)?);
                sell(&weather, store, move |news: News| {
                    let shop = Arc::clone(&shop);
                    async move { if news.subject == Subject::Settled { shop.take(&news) } else { Ok(()) } }
                })
                .await
            }
            Database::Postgres { url, schema } => {
                // Every second process lets the database plan each statement once.
                let prepared = !weather.slot.is_multiple_of(2);
                let store = loop {
                    match open(&weather, &url, &schema, prepared).await {
                        Ok(store) => break Arc::new(store),
                        Err(error) => {
                            weather.log.error("NotOpen", &error.to_string());
                            sleep(AGAIN).await;
                        }
                    }
                };
                let shop = Arc::clone(&store);
                let tell = move |news: News| {
                    let shop = Arc::clone(&shop);
                    async move {
                        if news.subject == Subject::Settled {
                            take_postgres(&shop, &news).await
                        } else {
                            Ok(())
                        }
                    }
                };
                let store = Fast(store, weather.times);
                match Quick::open(&weather).await? {
                    Some(limits) => sell(&weather, Limited::new(store, limits), tell).await,
                    None => sell(&weather, store, tell).await,
                }
            }
        }
    })
}

async fn open(weather: &Weather, url: &str, schema: &str, prepared: bool) -> Outcome<Postgres> {
    if !weather.is_newer {
        return open_postgres(url, schema, prepared).await;
    }
    let store = newer::open_postgres(url, schema, prepared).await?;
    newer::begin_postgres(&store).await?;
    Ok(store)
}

pub(crate) fn transport(timeout: Duration) -> Outcome<Reqwest> {
    Ok(Reqwest::from_builder(reqwest::Client::builder().no_proxy().timeout(timeout))?)
}

/// An engine with the clients of all merchants.
pub(crate) fn engine<S: Store + 'static, T: Transport + 'static>(
    weather: &Weather,
    store: S,
    transport: T,
) -> Outcome<Engine<S, T>> {
    let mut rules = Rules::default();
    rules.unknown_for = Duration::from_secs(10 * 60);
    // Late money is no part of the storm.
    for (provider, policy) in [
        (checkout_engine::Provider::AllScale, checkout_client::PollPolicy::allscale()),
        (checkout_engine::Provider::Azotte, checkout_client::PollPolicy::azotte()),
        (checkout_engine::Provider::Peach, checkout_client::PollPolicy::peach()),
        (checkout_engine::Provider::PeachV2, checkout_client::PollPolicy::peach()),
    ] {
        rules.poll.insert(provider, policy);
    }
    let log = weather.log.clone();
    let mut builder = Engine::builder(store, transport)
        .rules(rules)
        .lease(weather.lease())
        .poll_every(Duration::from_millis(50))
        .on_error(move |error| log.engine_error(error));
    for (number, keys) in weather.keys.iter().enumerate() {
        for (merchant, client) in clients(weather, keys, number)? {
            builder = builder.merchant(merchant, client);
        }
    }
    Ok(builder.build()?)
}

/// The clock of a process's own machine: ten minutes ahead of the other machines, or behind. The clock of
/// every fourth process jumps from one to the other each second.
fn own_clock(slot: usize) -> impl Fn() -> Moment + Copy + Send + Sync + 'static {
    move || {
        let now = Moment::now().unix_millis();
        let jumps = slot % 4 == 3 && now / 1_000 % 2 == 0;
        let off = if slot.is_multiple_of(2) == jumps { -600_000 } else { 600_000 };
        Moment::from_unix_millis(now + off)
    }
}

fn clients(weather: &Weather, keys: &Keys, number: usize) -> Outcome<Vec<(String, checkout_engine::Client)>> {
    let (url, clock) = (weather.url.as_str(), own_clock(weather.slot));
    let sandbox = Environment::Sandbox;
    let secret = checkout_auth::peach::SecretToken::new(keys.peach_secret_token.as_str().into())?;
    let name = format!("m-{number}");
    let mut clients: Vec<(String, checkout_engine::Client)> = Vec::new();
    if number < SELLERS_OF_ALL {
        let key = checkout_auth::allscale::SigningKey::new(
            keys.allscale_api_key.clone(),
            keys.allscale_api_secret.as_str().into(),
        )?;
        let allscale =
            checkout_client::allscale::Client::builder(key).environment(sandbox).base_url(url).clock(clock);
        let azotte = checkout_client::azotte::Client::builder(
            "acme",
            keys.azotte_x_tn.clone(),
            keys.azotte_api_key.as_str().into(),
        );
        let azotte = azotte.environment(sandbox).base_url(url).clock(clock);
        clients.push((name.clone(), allscale.build()?.into()));
        clients.push((name.clone(), azotte.build()?.into()));
    }
    // One entity has one limit, so each entity is sold by one version alone.
    if number.is_multiple_of(2) {
        let peach = checkout_client::peach::Client::builder(keys.peach_entity_id.clone(), secret);
        let peach = peach.environment(sandbox).referer("https://shop.example").base_url(url).clock(clock);
        clients.push((name, peach.build()?.into()));
    } else {
        let credentials = checkout_client::peach::v2::Credentials {
            client_id: keys.peach_client_id.clone(),
            client_secret: keys.peach_client_secret.as_str().into(),
            merchant_id: keys.peach_merchant_id.clone(),
        };
        let v2 = checkout_client::peach::v2::Client::builder(keys.peach_entity_id.clone(), credentials);
        let v2 =
            v2.environment(sandbox).referer("https://shop.example").base_url(url).auth_url(url).clock(clock);
        clients.push((format!("v2-{number}"), v2.secret_token(secret).build()?.into()));
    }
    Ok(clients)
}

async fn sell<S: Store + 'static, F>(
    weather: &Weather,
    store: S,
    tell: impl Fn(News) -> F + Send + Sync,
) -> Outcome
where
    F: Future<Output = Told> + Send,
{
    // A third of the lease, as the engine's own time-out would be if the world's time were the machine's.
    let inner = transport(LEASE / 3)?;
    let transport = Far { inner, weather: weather.clone(), number: AtomicU64::new(0) };
    let transport = Spoilt { inner: transport, weather: weather.clone() };
    sell_over(weather, Noted::new(store, weather), transport, tell).await
}

/// A provider whose answers take their time: a kill or a stop finds requests under way. Each request has a
/// mark.
struct Far<T> {
    inner: T,
    weather: Weather,
    number: AtomicU64,
}

impl<T: Transport> Transport for Far<T> {
    async fn send(&self, mut request: Request) -> Result<Response, TransportError> {
        let sent = self.weather.now();
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let mark = Mark { process: std::process::id(), number };
        if let Ok(value) = HeaderValue::from_str(&mark.text()) {
            request.headers_mut().insert(MARK, value);
        }
        let made = reference_in(request.body());
        let answer = self.inner.send(request).await;
        if let Some(made) = made.filter(|_| !answer.as_ref().is_ok_and(|answer| answer.status().is_success()))
        {
            self.weather.log.making(Making::Fault, self.weather.now(), &made);
        }
        if answer.as_ref().map_or(true, |answer| answer.headers().contains_key("retry-after")) {
            self.weather.log.asked(Asked {
                mark,
                sent,
                came: self.weather.now(),
                has_answer: answer.is_ok(),
            });
        }
        // The ways differ, so that answers overtake each other.
        let way = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        sleep(Duration::from_millis(way % (self.weather.latency + 1))).await;
        answer
    }
}

/// Orders, reads, receives and ships, for ever.
pub(crate) async fn sell_over<S: Store + 'static, T: Transport + 'static, F>(
    weather: &Weather,
    store: S,
    transport: T,
    tell: impl Fn(News) -> F + Send + Sync,
) -> Outcome
where
    F: Future<Output = Told> + Send,
{
    let engine = engine(weather, store, transport)?;
    let run = engine.run(tell, std::future::pending());
    let sellers = async {
        let first = weather.slot * weather.sellers;
        let mut sellers = tokio::task::JoinSet::new();
        for seller in first..first + weather.sellers {
            let (weather, engine) = (weather.clone(), engine.clone());
            sellers.spawn(async move { place_all(&weather, &engine, seller).await });
        }
        while sellers.join_next().await.is_some() {}
    };
    let receive =
        async { if weather.port == 0 { Ok(()) } else { hooks::receive(weather, engine.clone()).await } };
    let ((), (), (), received) = tokio::join!(sellers, run, count(weather, &engine), receive);
    received
}

/// Places every order of a seller, one after the other. The same order again is the same checkout, so an
/// order that is in doubt is placed again.
async fn place_all<S: Store + 'static, T: Transport + 'static>(
    weather: &Weather,
    engine: &Engine<S, T>,
    seller: usize,
) {
    let mut number = weather.log.next_of(seller).unwrap_or(seller);
    while number < weather.orders {
        sleep(weather.until(number)).await;
        let order = Order::new(number, weather.keys.len());
        let entity = weather.keys.get(order.merchant).map_or("", |keys| keys.peach_entity_id.as_str());
        let placed = match order.draft(entity) {
            Ok(draft) => engine.create_for(&order.merchant_name(), &order.id, draft).await,
            Err(error) => {
                weather.log.error("Create", &format!("{}: {error}", order.id));
                return;
            }
        };
        match placed {
            Ok(_) => {
                number += weather.processes * weather.sellers;
                weather.log.placed(seller, number);
            }
            Err(error) => {
                weather.log.engine_error(&error);
                sleep(AGAIN).await;
            }
        }
    }
}

/// Notes what this process has done, as long as it lives.
async fn count<S: Store + 'static, T: Transport + 'static>(weather: &Weather, engine: &Engine<S, T>) {
    let mut before = Done::default();
    while weather.log.0.is_some() {
        sleep(AGAIN).await;
        let done = Done::of(engine.counters());
        if done != before {
            weather.log.done(done.since(before));
            before = done;
        }
    }
}
