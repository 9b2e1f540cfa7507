//! A process of the storm: creates orders, runs the engine, puts parcels out, and is killed.

use super::Outcome;
use super::orders::Order;
use super::shop::{Database, SqliteShop, open_postgres, open_sqlite, take_postgres};
use super::weather::{Keys, Weather};
use checkout_engine::{Engine, News, Rules, State, Store, Subject};
use checkout_reqwest::{Reqwest, reqwest};
use checkout_tables::Environment;
use checkout_transport::Transport;
use std::sync::Arc;
use std::time::Duration;

pub(crate) type Told = Result<(), Box<dyn std::error::Error + Send + Sync>>;

pub(crate) fn work(weather: Weather) -> Outcome {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        match weather.database.clone() {
            Database::Sqlite(path) => {
                let clock = weather.clone();
                let store = open_sqlite(&path, move || clock.now())?;
                let shop = Arc::new(SqliteShop::open(&path)?);
                sell(&weather, store, move |news: News| {
                    let shop = Arc::clone(&shop);
                    async move { if news.subject == Subject::Settled { shop.take(&news) } else { Ok(()) } }
                })
                .await
            }
            Database::Postgres { url, schema } => {
                let store = Arc::new(open_postgres(&url, &schema).await?);
                let shop = Arc::clone(&store);
                sell(&weather, store, move |news: News| {
                    let shop = Arc::clone(&shop);
                    async move {
                        if news.subject == Subject::Settled {
                            take_postgres(&shop, &news).await
                        } else {
                            Ok(())
                        }
                    }
                })
                .await
            }
        }
    })
}

pub(crate) fn transport() -> Outcome<Reqwest> {
    Ok(Reqwest::from_builder(reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)))?)
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
    let mut builder = Engine::builder(store, transport)
        .rules(rules)
        .poll_every(Duration::from_millis(50))
        .on_error(|error| eprintln!("{error}"));
    for (number, keys) in weather.keys.iter().enumerate() {
        for (merchant, client) in clients(&weather.url, keys, number)? {
            builder = builder.merchant(merchant, client);
        }
    }
    Ok(builder.build()?)
}

fn clients(url: &str, keys: &Keys, number: usize) -> Outcome<Vec<(String, checkout_engine::Client)>> {
    let sandbox = Environment::Sandbox;
    let key = checkout_auth::allscale::SigningKey::new(
        keys.allscale_api_key.clone(),
        keys.allscale_api_secret.as_str().into(),
    )?;
    let allscale = checkout_client::allscale::Client::builder(key).environment(sandbox).base_url(url);
    let azotte = checkout_client::azotte::Client::builder(
        "acme",
        keys.azotte_x_tn.clone(),
        keys.azotte_api_key.as_str().into(),
    );
    let azotte = azotte.environment(sandbox).base_url(url);
    let secret = checkout_auth::peach::SecretToken::new(keys.peach_secret_token.as_str().into())?;
    let peach = checkout_client::peach::Client::builder(keys.peach_entity_id.clone(), secret.clone());
    let peach = peach.environment(sandbox).referer("https://shop.example").base_url(url);
    let credentials = checkout_client::peach::v2::Credentials {
        client_id: keys.peach_client_id.clone(),
        client_secret: keys.peach_client_secret.as_str().into(),
        merchant_id: keys.peach_merchant_id.clone(),
    };
    let v2 = checkout_client::peach::v2::Client::builder(keys.peach_entity_id.clone(), credentials);
    let v2 = v2.environment(sandbox).referer("https://shop.example").base_url(url).auth_url(url);
    let name = format!("m-{number}");
    Ok(vec![
        (name.clone(), allscale.build()?.into()),
        (name.clone(), azotte.build()?.into()),
        // One entity has one limit, so each entity is sold by one version alone.
        if number.is_multiple_of(2) {
            (name, peach.build()?.into())
        } else {
            (format!("v2-{number}"), v2.secret_token(secret).build()?.into())
        },
    ])
}

async fn sell<S: Store + 'static, F>(
    weather: &Weather,
    store: S,
    tell: impl Fn(News) -> F + Send + Sync,
) -> Outcome
where
    F: Future<Output = Told> + Send,
{
    sell_over(weather, store, transport()?, tell).await
}

/// Orders, reads and ships, for ever.
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
    let orders = order_all(weather, &engine);
    let run = engine.run(tell, std::future::pending());
    tokio::join!(orders, run);
    Ok(())
}

/// Orders everything that is not ordered yet, from a place of its own on.
async fn order_all<S: Store + 'static, T: Transport + 'static>(weather: &Weather, engine: &Engine<S, T>) {
    let start = usize::try_from(std::process::id()).unwrap_or(0).wrapping_mul(7_919) % weather.orders.max(1);
    for number in (start..weather.orders).chain(0..start) {
        let order = Order::new(number, weather.keys.len());
        let known = engine.checkout(&order.id).await;
        if !matches!(known, Ok(None)) {
            continue;
        }
        let entity = weather.keys.get(order.merchant).map_or("", |keys| keys.peach_entity_id.as_str());
        match order.draft(entity) {
            Ok(draft) => match engine.create_for(&order.merchant_name(), &order.id, draft).await {
                Ok(checkout) => debug_assert!(checkout.state != State::Closed),
                Err(error) => eprintln!("{}: {error}", order.id),
            },
            Err(error) => eprintln!("{}: {error}", order.id),
        }
    }
}
