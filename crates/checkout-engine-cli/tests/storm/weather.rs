//! The weather: all that a process has to know, in words that another process can read.

use super::Outcome;
use super::log::Log;
use super::shop::{Database, SqliteShop, newer, open_postgres, open_sqlite, parcels_postgres};
use super::worker::quick::InRedis;
use super::worker::sabotage::Sabotage;
use checkout_sandbox_server::{Pace, World};
use checkout_tables::Moment;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

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
    pub(crate) log: Log,
    /// The processes that sell at once, and the orders that each of them places at once.
    pub(crate) processes: usize,
    pub(crate) sellers: usize,
    /// The machine's microseconds from one order to the next.
    pub(crate) pace: u64,
    /// The port of the receivers of webhooks; 0 for none.
    pub(crate) port: u16,
    /// The longest way of a provider's answer, in the machine's milliseconds.
    pub(crate) latency: u64,
    /// The place of this process among the processes.
    pub(crate) slot: usize,
    /// True for a process of the newer program.
    pub(crate) is_newer: bool,
    /// The place of the limits, unless the database has them.
    pub(crate) redis: Option<InRedis>,
    /// A fault of all processes, which the judge has to find.
    pub(crate) sabotage: Option<Sabotage>,
    /// The machine's time and the world's time at one moment, in Unix milliseconds.
    began: (i64, i64),
    /// The world's time runs so much faster than the machine's.
    pub(crate) times: u32,
}

/// The pace of the world's time, unless a storm says otherwise.
const TIMES: u32 = 20;
/// A dead process is taken over after this time of the machine.
pub(crate) const LEASE: Duration = Duration::from_secs(3);
pub(crate) const VARIABLE: &str = "CHECKOUT_STORM_WORKER";
/// The place of a process among the processes.
pub(crate) const SLOT: &str = "CHECKOUT_STORM_SLOT";
/// Any value for a process of the newer program.
pub(crate) const NEWER: &str = "CHECKOUT_STORM_NEWER";
/// The world begins here.
pub(crate) const BEGINNING: i64 = 1_750_000_000_000;

/// The machine's time in Unix milliseconds.
pub(crate) fn machine_now() -> i64 {
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
        let keys = worlds.iter().map(|world| Keys::of(world)).collect();
        let weather = Self {
            database,
            url: url.to_owned(),
            orders,
            keys,
            log: Log(None),
            processes: 1,
            sellers: 1,
            pace: 0,
            port: 0,
            latency: 0,
            slot: 0,
            is_newer: false,
            redis: None,
            sabotage: None,
            began: (machine_now(), BEGINNING),
            times: TIMES,
        };
        weather.set_times(TIMES, worlds)
    }

    /// Lets the world's time run so much faster than the machine's. Right at the beginning.
    pub(crate) fn set_times(self, times: u32, worlds: &[Arc<World>]) -> Self {
        let began = (machine_now(), BEGINNING);
        worlds.iter().for_each(|world| world.set_pace(Pace::Times(times)));
        Self { began, times, ..self }
    }

    pub(crate) fn now(&self) -> Moment {
        self.at(machine_now())
    }

    /// The world's time at a time of the machine.
    pub(crate) fn at(&self, machine_now: i64) -> Moment {
        let (machine, world) = self.began;
        let passed = machine_now.saturating_sub(machine).saturating_mul(self.times.into());
        Moment::from_unix_millis(world.saturating_add(passed))
    }

    /// A time of the machine, as the world counts it.
    pub(crate) fn in_the_world(&self, time: Duration) -> Duration {
        time.saturating_mul(self.times)
    }

    /// The lease, in the world's time.
    pub(crate) fn lease(&self) -> Duration {
        self.in_the_world(LEASE)
    }

    /// The machine's time until an order is placed.
    pub(crate) fn until(&self, number: usize) -> Duration {
        let at = u64::try_from(number).unwrap_or(u64::MAX).saturating_mul(self.pace) / 1_000;
        let at = self.began.0.saturating_add(i64::try_from(at).unwrap_or(i64::MAX));
        Duration::from_millis(u64::try_from(at.saturating_sub(machine_now())).unwrap_or(0))
    }

    /// The settings that the storm has given to this process.
    pub(crate) fn of_this_process() -> Outcome<Option<Self>> {
        let Ok(text) = std::env::var(VARIABLE) else { return Ok(None) };
        let mut lines = text.lines();
        let mut line = || lines.next().map(str::to_owned).ok_or("a line is missing");
        let (database, url) = (Database::of_text(&line()?)?, line()?);
        let folder = line()?;
        let log = Log((!folder.is_empty()).then(|| folder.into()));
        let numbers: Vec<i64> = line()?.split(' ').map(str::parse).collect::<Result<_, _>>()?;
        let [orders, processes, sellers, pace, port, latency, machine, world, times] = *numbers else {
            return Err("numbers".into());
        };
        let sabotage = Sabotage::by_name(&line()?)?;
        let redis = line()?;
        let redis = redis
            .split_once(' ')
            .map(|(url, prefix)| InRedis { url: url.to_owned(), prefix: prefix.to_owned() });
        let slot = std::env::var(SLOT).ok().map(|slot| slot.parse()).transpose()?.unwrap_or(0);
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
        Ok(Some(Self {
            database,
            url,
            orders: usize::try_from(orders)?,
            keys,
            log,
            processes: usize::try_from(processes)?,
            sellers: usize::try_from(sellers)?,
            pace: u64::try_from(pace)?,
            port: u16::try_from(port)?,
            latency: u64::try_from(latency)?,
            slot,
            is_newer: std::env::var_os(NEWER).is_some(),
            redis,
            sabotage,
            began: (machine, world),
            times: u32::try_from(times)?,
        }))
    }

    pub(crate) fn text(&self) -> String {
        let Self { orders, processes, sellers, pace, port, latency, .. } = self;
        let ((machine, world), times) = (self.began, self.times);
        let folder = self.log.0.as_ref().map_or_else(String::new, |folder| folder.display().to_string());
        let redis = self.redis.as_ref().map(|InRedis { url, prefix }| format!("{url} {prefix}"));
        let redis = redis.unwrap_or_default();
        let sabotage = self.sabotage.map_or_else(String::new, Sabotage::name);
        let mut text = format!(
            "{}\n{}\n{folder}\n{orders} {processes} {sellers} {pace} {port} {latency} {machine} {world} {times}\n\
             {sabotage}\n{redis}",
            self.database.text(),
            self.url
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
}

/// A folder that goes with the test. In memory where there is a place: the tests end processes and not the
/// machine.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Outcome<Self> {
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let path = parent.join(format!("checkout-{name}-{}", std::process::id()));
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

/// The tables of the shop, and an empty schema with the world's clock.
pub(crate) async fn prepare(weather: &Weather) -> Outcome {
    match &weather.database {
        Database::Sqlite(path) => {
            let clock = weather.clone();
            let clock = move || clock.now();
            drop(if weather.is_newer { newer::open_sqlite(path, clock)? } else { open_sqlite(path, clock)? });
            drop(SqliteShop::open(path)?);
        }
        Database::Postgres { url, schema } => {
            let store = open_postgres(url, schema, false).await?;
            let client = store.pool().get().await?;
            client.batch_execute(&format!("DROP SCHEMA {schema} CASCADE")).await?;
            let store = if weather.is_newer {
                newer::open_postgres(url, schema, false).await?
            } else {
                open_postgres(url, schema, false).await?
            };
            let client = store.pool().get().await?;
            let ((machine, world), times) = (weather.began, weather.times);
            client
                .batch_execute(&format!(
                    "CREATE TABLE {schema}.parcel (id text NOT NULL, key text NOT NULL);
                     CREATE OR REPLACE FUNCTION {schema}.now_ms() RETURNS bigint LANGUAGE sql VOLATILE AS
                     $$ SELECT {world} + ((extract(epoch FROM clock_timestamp()) * 1000)::bigint - {machine}) * {times} $$"
                ))
                .await?;
        }
    }
    Ok(())
}

impl Weather {
    /// Leaves nothing behind on a server that goes on.
    pub(crate) async fn clear(&self) -> Outcome {
        if let Database::Postgres { url, schema } = &self.database {
            let store = open_postgres(url, schema, false).await?;
            let client = store.pool().get().await?;
            client.batch_execute(&format!("DROP SCHEMA {schema} CASCADE")).await?;
        }
        Ok(())
    }

    pub(crate) async fn parcels(&self) -> Outcome<std::collections::BTreeMap<String, u32>> {
        match &self.database {
            Database::Sqlite(path) => SqliteShop::open(path)?.parcels(),
            Database::Postgres { url, schema } => {
                parcels_postgres(&open_postgres(url, schema, false).await?).await
            }
        }
    }
}
