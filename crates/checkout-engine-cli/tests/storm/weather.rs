//! The storm: the sandbox, the processes, the kills, and the calm after.

use super::shop::{Database, SqliteShop, open_postgres, open_sqlite, parcels_postgres};
use super::{Outcome, judge};
use checkout_sandbox_server::{Pace, Server, World};
use checkout_tables::Moment;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The keys of a world: one merchant.
#[derive(Clone)]
pub(crate) struct Keys {
    pub(crate) allscale_api_key: String,
    pub(crate) allscale_api_secret: String,
    pub(crate) azotte_x_tn: String,
    pub(crate) azotte_api_key: String,
    pub(crate) peach_entity_id: String,
    pub(crate) peach_secret_token: String,
    pub(crate) peach_client_id: String,
    pub(crate) peach_client_secret: String,
    pub(crate) peach_merchant_id: String,
}

/// All that a process has to know.
#[derive(Clone)]
pub(crate) struct Weather {
    pub(crate) database: Database,
    pub(crate) url: String,
    pub(crate) orders: usize,
    pub(crate) keys: Vec<Keys>,
    /// The machine's time and the world's time at one moment, in Unix milliseconds.
    began: (i64, i64),
}

/// The world's time runs so much faster than the machine's.
const TIMES: u32 = 20;
const MERCHANTS: usize = 6;
pub(crate) const VARIABLE: &str = "CHECKOUT_STORM_WORKER";
/// The world begins here.
pub(crate) const BEGINNING: i64 = 1_750_000_000_000;

fn machine_now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or_default()
}

impl Keys {
    pub(crate) fn of(world: &World) -> Self {
        let of = world.keys();
        Self {
            allscale_api_key: of.allscale_api_key.clone(),
            allscale_api_secret: of.allscale_api_secret.clone(),
            azotte_x_tn: of.azotte_x_tn.clone(),
            azotte_api_key: of.azotte_api_key.clone(),
            peach_entity_id: of.peach_entity_id.clone(),
            peach_secret_token: of.peach_secret_token.clone(),
            peach_client_id: of.peach_client_id.clone(),
            peach_client_secret: of.peach_client_secret.clone(),
            peach_merchant_id: of.peach_merchant_id.clone(),
        }
    }
}

impl Weather {
    /// The settings over worlds whose time stands at [`BEGINNING`]; it runs from now on.
    pub(crate) fn begin(database: Database, url: &str, orders: usize, worlds: &[Arc<World>]) -> Self {
        let began = (machine_now(), BEGINNING);
        worlds.iter().for_each(|world| world.set_pace(Pace::Times(TIMES)));
        let keys = worlds.iter().map(|world| Keys::of(world)).collect();
        Self { database, url: url.to_owned(), orders, keys, began }
    }

    pub(crate) fn now(&self) -> Moment {
        let (machine, world) = self.began;
        let passed = machine_now().saturating_sub(machine).saturating_mul(TIMES.into());
        Moment::from_unix_millis(world.saturating_add(passed))
    }

    /// The settings that the storm has given to this process.
    pub(crate) fn of_this_process() -> Outcome<Option<Self>> {
        let Ok(text) = std::env::var(VARIABLE) else { return Ok(None) };
        let mut lines = text.lines();
        let mut line = || lines.next().map(str::to_owned).ok_or("a line is missing");
        let (database, url) = (Database::of_text(&line()?)?, line()?);
        let (orders, machine, world) = (line()?.parse()?, line()?.parse()?, line()?.parse()?);
        let mut keys = Vec::new();
        for line in lines {
            let parts: Vec<String> = line.split('\t').map(str::to_owned).collect();
            let Ok([a, b, c, d, e, f, g, h, i]) = <[String; 9]>::try_from(parts) else {
                return Err("keys".into());
            };
            keys.push(Keys {
                allscale_api_key: a,
                allscale_api_secret: b,
                azotte_x_tn: c,
                azotte_api_key: d,
                peach_entity_id: e,
                peach_secret_token: f,
                peach_client_id: g,
                peach_client_secret: h,
                peach_merchant_id: i,
            });
        }
        Ok(Some(Self { database, url, orders, keys, began: (machine, world) }))
    }

    pub(crate) fn text(&self) -> String {
        let mut text = format!(
            "{}\n{}\n{}\n{}\n{}",
            self.database.text(),
            self.url,
            self.orders,
            self.began.0,
            self.began.1
        );
        for keys in &self.keys {
            let Keys {
                allscale_api_key: a, allscale_api_secret: b, azotte_x_tn: c, azotte_api_key: d, ..
            } = keys;
            let Keys { peach_entity_id: e, peach_secret_token: f, peach_client_id: g, .. } = keys;
            let Keys { peach_client_secret: h, peach_merchant_id: i, .. } = keys;
            text += &format!("\n{a}\t{b}\t{c}\t{d}\t{e}\t{f}\t{g}\t{h}\t{i}");
        }
        text
    }

    /// Another process of this program.
    fn process(&self) -> Outcome<Child> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--exact", "worker_of_the_storm", "--nocapture"]).env(VARIABLE, self.text());
        let said =
            if std::env::var_os("CHECKOUT_STORM_TALK").is_some() { Stdio::inherit() } else { Stdio::null() };
        Ok(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said).spawn()?)
    }
}

/// A folder that goes with the test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Outcome<Self> {
        let path = std::env::temp_dir().join(format!("checkout-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The processes, all of which end with the test.
struct Processes(Vec<Child>);

impl Processes {
    fn kill(&mut self, place: usize, by: &Weather) -> Outcome {
        if let Some(child) = self.0.get_mut(place) {
            child.kill()?;
            child.wait()?;
            *child = by.process()?;
        }
        Ok(())
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The next number of a generator (SplitMix64: Steele, Lea, Flood), the same for a seed.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn setting(name: &str, otherwise: u64) -> Outcome<u64> {
    Ok(std::env::var(name).ok().map(|text| text.parse()).transpose()?.unwrap_or(otherwise))
}

/// The faults of the providers during the storm.
const FAULTS: [&str; 12] = [
    "allscale:lost_answer; route=status; permille=20; seed=1",
    "allscale:internal_error; route=status; permille=10; seed=2",
    "allscale:html_bad_gateway; route=get; permille=20; seed=3",
    "allscale:rate_limited; route=create; permille=30; seed=4",
    "allscale:lost_answer; route=create; permille=10; seed=5",
    "azotte:lost_answer; route=submit_checkout; permille=50; seed=6",
    "azotte:late_internal_error; route=submit_checkout; permille=30; seed=7",
    "azotte:truncated; route=checkout_status; permille=20; seed=8",
    "peach:lost_answer; route=initiate; permille=50; seed=9",
    "peach:lost_answer; route=status; permille=20; seed=10",
    "peach:rate_limited; route=status; permille=20; seed=11",
    "peach:internal_error; route=checkout_status; permille=20; seed=12",
];

pub(crate) fn storm(database: &Database) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let seconds = setting("CHECKOUT_STORM_SECONDS", 4)?;
    let orders = usize::try_from(setting("CHECKOUT_STORM_ORDERS", 120)?)?;
    let many = usize::try_from(setting("CHECKOUT_STORM_PROCESSES", 4)?)?;
    let mut state = setting("CHECKOUT_STORM_SEED", 1)?;
    runtime.block_on(async {
        let builder = Server::builder().port(0).seed(state).frozen_at(Moment::from_unix_millis(BEGINNING));
        let server = FAULTS.iter().fold(builder, |builder, fault| builder.fault(*fault)).bind().await?;
        let names = (0..MERCHANTS).map(|number| format!("m-{number}"));
        let worlds = names.map(|name| server.fork("default", &name)).collect::<Result<Vec<_>, _>>()?;
        let weather = Weather::begin(database.clone(), server.urls().root(), orders, &worlds);
        prepare(&weather).await?;

        let mut processes = Processes(Vec::new());
        for _ in 0..many {
            processes.0.push(weather.process()?);
        }
        let (begin, mut kills) = (Instant::now(), 0_u64);
        while begin.elapsed() < Duration::from_secs(seconds) {
            // The pauses are random, so that a kill falls everywhere.
            tokio::time::sleep(Duration::from_millis(20 + random(&mut state) % 120)).await;
            let place = usize::try_from(random(&mut state) % u64::try_from(many)?)?;
            processes.kill(place, &weather)?;
            kills += 1;
        }
        let judgement = judge::after_the_calm(&weather, &worlds).await?;
        drop(processes);
        println!("{kills} kills, {judgement}");
        weather.clear().await?;
        judgement.faults()
    })
}

/// The tables of the shop, and an empty schema with the world's clock.
pub(crate) async fn prepare(weather: &Weather) -> Outcome {
    match &weather.database {
        Database::Sqlite(path) => {
            let clock = weather.clone();
            drop(open_sqlite(path, move || clock.now())?);
            drop(SqliteShop::open(path)?);
        }
        Database::Postgres { url, schema } => {
            let store = open_postgres(url, schema).await?;
            let client = store.pool().get().await?;
            client.batch_execute(&format!("DROP SCHEMA {schema} CASCADE")).await?;
            let store = open_postgres(url, schema).await?;
            let client = store.pool().get().await?;
            let (machine, world) = weather.began;
            client
                .batch_execute(&format!(
                    "CREATE TABLE {schema}.parcel (id text NOT NULL, key text NOT NULL);
                     CREATE OR REPLACE FUNCTION {schema}.now_ms() RETURNS bigint LANGUAGE sql VOLATILE AS
                     $$ SELECT {world} + ((extract(epoch FROM clock_timestamp()) * 1000)::bigint - {machine}) * {TIMES} $$"
                ))
                .await?;
        }
    }
    Ok(())
}

impl Weather {
    /// Leaves nothing behind on a server.
    pub(crate) async fn clear(&self) -> Outcome {
        if let Database::Postgres { url, schema } = &self.database {
            let store = open_postgres(url, schema).await?;
            let client = store.pool().get().await?;
            client.batch_execute(&format!("DROP SCHEMA {schema} CASCADE")).await?;
        }
        Ok(())
    }

    pub(crate) async fn parcels(&self) -> Outcome<std::collections::BTreeMap<String, u32>> {
        match &self.database {
            Database::Sqlite(path) => SqliteShop::open(path)?.parcels(),
            Database::Postgres { url, schema } => parcels_postgres(&open_postgres(url, schema).await?).await,
        }
    }
}
