//! Clocks that the test moves, over files and over the server that `CHECKOUT_TEST_POSTGRES` names: somebody
//! sets the clock while processes work, and a day of polling passes in seconds.

#[path = "../../checkout-engine/tests/world/mod.rs"]
mod world;

use checkout_engine::{Checkout, Engine, EngineError, News, State, Store};
use checkout_sandbox::{allscale, azotte, peach};
use checkout_store_postgres::{Options, Postgres};
use checkout_store_sqlite::{Sqlite, Synchronous};
use checkout_tables::Moment;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use std::{env, fs};
use tokio_postgres::{Client, NoTls};
use world::clocks::{BACK, BOTH, Disturbed, FORWARD, Settable, Steps};
use world::judge::over_the_limit;
use world::meant::{ALLSCALE, AZOTTE, PEACH};
use world::{Outcome, Providers, drafts};

/// A folder of the test's own.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Outcome<Self> {
        let path = env::temp_dir().join(format!("checkout-clocks-{}-{}", std::process::id(), number()));
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn number() -> u32 {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    NUMBER.fetch_add(1, Ordering::Relaxed)
}

/// A schema whose clock is a number that the test sets.
struct Schema {
    url: String,
    name: String,
    client: Client,
}

impl Schema {
    /// The schema, if there is a server.
    async fn new() -> Outcome<Option<Self>> {
        let Ok(url) = env::var("CHECKOUT_TEST_POSTGRES") else {
            // Not captured, so that no run without a server looks like a run with one.
            let _ =
                writeln!(std::io::stderr(), "CHECKOUT_TEST_POSTGRES is not set: this test has run nothing");
            return Ok(None);
        };
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
        tokio::spawn(connection);
        let name = format!("clocks_{}_{}", std::process::id(), number());
        let this = Self { url, name, client };
        this.store().await?;
        let Self { name, client, .. } = &this;
        let replace = format!(
            "SET synchronous_commit = off; CREATE SEQUENCE {name}.clock; CREATE OR REPLACE FUNCTION {name}.now_ms() RETURNS bigint \
             LANGUAGE sql VOLATILE AS $$ SELECT last_value FROM {name}.clock $$"
        );
        client.batch_execute(&replace).await?;
        Ok(Some(this))
    }

    async fn store(&self) -> Outcome<Postgres> {
        let options = Options::new().schema(&self.name).connections(2).notify(false).prepared(true);
        Ok(options.connect(&self.url).await?)
    }

    async fn set(&self, now: Moment) -> Outcome {
        let set = format!("SELECT setval('{}.clock', {})", self.name, now.unix_millis());
        Ok(self.client.batch_execute(&set).await?)
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        let (url, drop) = (self.url.clone(), format!("DROP SCHEMA {} CASCADE", self.name));
        // A test can end within a runtime, where no other runtime can block.
        let dropped = std::thread::spawn(move || {
            block_on(async {
                let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
                tokio::spawn(connection);
                Ok(client.batch_execute(&drop).await?)
            })
        });
        let dropped = dropped.join();
        assert!(std::thread::panicking() || matches!(dropped, Ok(Ok(()))), "{dropped:?}");
    }
}

fn block_on(test: impl Future<Output = Outcome>) -> Outcome {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?.block_on(test)
}

fn over_sqlite(steps: &Steps) -> Outcome {
    block_on(async {
        let folder = Folder::new()?;
        let providers = Providers::new(1);
        let clock = Settable::of(&providers.clock);
        let store = async || {
            let (path, clock) = (folder.0.join("shop.db"), clock.clone());
            let fast = Sqlite::builder(path).synchronous(Synchronous::NormalLosesCommitsAtPowerCut);
            Ok(fast.clock(move || clock.now()).open()?)
        };
        steps.play(store, &clock, &providers, async || Ok(())).await
    })
}

fn over_postgres(steps: &Steps) -> Outcome {
    block_on(async {
        let Some(schema) = Schema::new().await? else { return Ok(()) };
        let providers = Providers::new(1);
        let clock = Settable::of(&providers.clock);
        let tick = async || schema.set(clock.now()).await;
        steps.play(async || schema.store().await, &clock, &providers, tick).await
    })
}

#[test]
fn a_clock_that_is_set_exceeds_no_limit_over_sqlite_and_the_reads_go_on() -> Outcome {
    [FORWARD, BACK, BOTH].iter().try_for_each(over_sqlite)
}

#[test]
fn a_clock_that_is_set_exceeds_no_limit_over_postgres_and_the_reads_go_on() -> Outcome {
    [FORWARD, BACK, BOTH].iter().try_for_each(over_postgres)
}

#[test]
fn a_store_on_the_machines_clock_does_not_ask_that_clock_for_the_steady_time() -> Outcome {
    let folder = Folder::new()?;
    let store = Sqlite::open(folder.0.join("shop.db"))?;
    let (at, since, an_hour) = (Moment::from_unix_millis(0), Instant::now(), Duration::from_secs(60 * 60));
    assert!(store.later(at, since).saturating_since(at) > an_hour);
    assert!(store.steady(at, since).saturating_since(at) < an_hour);
    Ok(())
}

/// By the server's clock and the process's own, as in a shop.
#[test]
fn a_step_of_the_clock_of_postgres_is_noticed_and_its_run_is_not() -> Outcome {
    block_on(async {
        let Some(schema) = Schema::new().await? else { return Ok(()) };
        let Schema { name, client, .. } = &schema;
        let runs = format!(
            "SELECT setval('{name}.clock', 1); CREATE OR REPLACE FUNCTION {name}.now_ms() RETURNS bigint LANGUAGE sql \
             VOLATILE AS $$ SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint + last_value \
             FROM {name}.clock $$"
        );
        client.batch_execute(&runs).await?;
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let hears = Arc::clone(&heard);
        let azotte = checkout_client::azotte::Client::builder("acme", azotte::X_TN, azotte::API_KEY.into());
        let engine = Engine::builder(schema.store().await?, Providers::new(1))
            .provider(azotte.build()?)
            .on_error(move |error| {
                if let (EngineError::ClockSet { .. }, Ok(mut heard)) = (error, hears.lock()) {
                    heard.push(error.to_string());
                }
            })
            .build()?;
        let step = async || engine.step(|_| std::future::ready(Ok(()))).await;
        for _ in 0..3 {
            step().await?;
        }
        assert_eq!(*heard.lock().map_err(|error| error.to_string())?, Vec::<String>::new());
        client.batch_execute(&format!("SELECT setval('{name}.clock', 660000)")).await?;
        for _ in 0..3 {
            step().await?;
        }
        let heard = heard.lock().map_err(|error| error.to_string())?;
        assert_eq!(heard.len(), 1, "{heard:?}");
        assert!(
            heard.iter().all(|heard| heard.ends_with("nothing is read under a limit for 30s")),
            "{heard:?}"
        );
        Ok(())
    })
}

/// The checkouts of each scenario, by each client.
const OF_EACH: usize = 3;
const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// An order of the day: its scenario, its state and its news as the scenario means them.
struct Meant {
    id: String,
    scenario: &'static str,
    state: State,
    told: Vec<&'static str>,
}

/// True if Peach took a success back before anybody asked.
fn was_missed(sandbox: &peach::Sandbox, checkout: &Checkout) -> bool {
    let id = checkout.checkout_id.clone();
    let is_success = |code: &str| code == peach::SUCCESS || code == "000.100.110";
    let history = id.as_deref().map(|id| sandbox.history(id)).unwrap_or_default();
    let mut shown = history.iter().zip(history.iter().skip(1));
    let Some(((from, _), (until, _))) = shown.find(|((_, code), _)| is_success(code)) else {
        return false;
    };
    let asked = sandbox.status_requests(peach::ENTITY_ID).into_iter();
    !asked.filter(|asked| asked.checkout_id == id).any(|asked| (*from..*until).contains(&asked.at))
}

#[test]
fn a_day_of_polling_over_postgres_ends_each_checkout_as_its_provider_does_and_exceeds_no_limit() -> Outcome {
    block_on(async {
        let Some(schema) = Schema::new().await? else { return Ok(()) };
        let providers = Providers::with_two_merchants_of_peach(1);
        let world = providers.clock.clone();
        schema.set(world.now()).await?;
        let mut engines: Vec<Engine<Disturbed<Postgres>, Providers>> = Vec::new();
        for _ in 0..2 {
            let store = Disturbed::over(schema.store().await?, &world);
            engines.push(world::engine_over(store, providers.clone())?);
        }
        let told: Arc<Mutex<Vec<News>>> = Arc::default();
        let rows = [("allscale", ALLSCALE), ("azotte", AZOTTE), ("peach", PEACH), ("v2", PEACH)];
        let mut to_place: Vec<(&str, &world::meant::Row)> = Vec::new();
        for _ in 0..OF_EACH {
            to_place.extend(rows.iter().flat_map(|(client, rows)| rows.iter().map(|row| (*client, row))));
        }
        let mut meant = Vec::new();
        let (mut until, mut place_at, mut turns) = (world.now(), world.now(), 0_usize);
        while world.now() < until.saturating_add(DAY) {
            if world.now() >= place_at
                && let Some((client, (scenario, state, subjects))) = to_place.pop()
            {
                let id = format!("order{:06}", to_place.len());
                match client {
                    "allscale" => {
                        let scenario = allscale::Scenario::by_name(scenario).ok_or("name")?;
                        providers.allscale.next_intent(scenario);
                        engines[0].create(&id, drafts::allscale(&id)?).await?;
                    }
                    "azotte" => {
                        let scenario = azotte::Scenario::by_name(scenario).ok_or("name")?;
                        providers.azotte.next_checkout(scenario);
                        engines[0].create(&id, drafts::azotte(&id)?).await?;
                    }
                    merchant => {
                        let of_v2 = merchant == "v2";
                        let sandbox = if of_v2 { &providers.v2 } else { &providers.peach };
                        sandbox.next_checkout(peach::Scenario::by_name(scenario).ok_or("name")?);
                        let merchant = if of_v2 { "v2" } else { checkout_engine::DEFAULT_MERCHANT };
                        engines[0].create_for(merchant, &id, drafts::peach(&id)?).await?;
                    }
                }
                let told = subjects.iter().map(|subject| subject.name()).filter(|name| *name != "gave_up");
                // A month is not over.
                let state = if *state == State::GaveUp { State::Open } else { *state };
                meant.push(Meant { id, scenario, state, told: told.collect() });
                (until, place_at) = (world.now(), world.now().saturating_add(SECOND.saturating_mul(20)));
            }
            turns += 1;
            let tell = |news: News| {
                let told = Arc::clone(&told);
                async move {
                    told.lock().map_err(|error| error.to_string())?.push(news);
                    Ok(())
                }
            };
            let mut pause = engines[turns % 2].step(tell).await?;
            if !to_place.is_empty() {
                pause = pause.min(place_at.saturating_since(world.now()));
            }
            world.advance(pause.max(SECOND));
            schema.set(world.now()).await?;
        }
        let told = told.lock().map_err(|error| error.to_string())?.clone();
        let mut faults = [over_the_limit(&providers.peach), over_the_limit(&providers.v2)].concat();
        for Meant { id, scenario, state, told: expected } in &meant {
            let checkout = engines[0].checkout(id).await?.ok_or("no such checkout")?;
            let told = told.iter().filter(|news| news.id == *id).map(|news| news.subject.name());
            let told: Vec<&str> = told.collect();
            let sandbox = if checkout.merchant == "v2" { &providers.v2 } else { &providers.peach };
            let is_as_meant = checkout.state == *state && told == *expected;
            let is_as_seen = (checkout.state, told.as_slice()) == (State::Failed, &["failed"]);
            if !(is_as_meant || is_as_seen && was_missed(sandbox, &checkout)) {
                faults.push(format!("{id} of {scenario}: {:?}, told {told:?}", checkout.state));
            }
        }
        assert_eq!(faults, Vec::<String>::new());
        assert_eq!(meant.len(), OF_EACH * rows.iter().map(|(_, rows)| rows.len()).sum::<usize>());
        Ok(())
    })
}
