//! The storm: the sandbox, the processes, all that happens to the processes and the database, and the calm.

use super::Outcome;
use super::hooks;
use super::judge::{self, Judgement, Patience, Seen};
use super::log::{Done, Log};
use super::server::PgServer;
use super::shop::Database;
use super::shop::newer::{self, Newer};
use super::weather::{BEGINNING, Folder, NEWER, SLOT, VARIABLE, Weather, prepare};
use super::worker::quick::{InRedis, Quick};
use super::worker::sabotage::Sabotage;
use checkout_sandbox_server::Server;
use checkout_store_postgres::deadpool_postgres::tokio_postgres::{Client, NoTls, Row};
use checkout_tables::Moment;
use std::fmt::Write as _;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// How hard it blows, by the environment.
#[derive(Clone, Copy)]
struct Force {
    seconds: u64,
    orders: usize,
    processes: usize,
    sellers: usize,
    merchants: usize,
    times: u32,
    kills: u64,
    stops: u64,
    deaths: u64,
    latency: u64,
    seed: u64,
    /// The moment from which half of the processes are of a newer program.
    newer: Newer,
    /// The faults of the providers.
    faults: &'static [&'static str],
    /// A fault of the processes.
    sabotage: Option<Sabotage>,
    /// Laws by which the judge may find a fault of the processes.
    laws: Option<&'static [&'static str]>,
}

impl Force {
    fn of_environment() -> Outcome<Self> {
        let setting = |name: &str, otherwise: u64| -> Outcome<u64> {
            let name = format!("CHECKOUT_STORM_{name}");
            Ok(std::env::var(name).ok().map(|text| text.parse()).transpose()?.unwrap_or(otherwise))
        };
        let seconds = setting("SECONDS", 4)?;
        Ok(Self {
            seconds,
            orders: usize::try_from(setting("ORDERS", 120)?)?,
            processes: usize::try_from(setting("PROCESSES", 4)?)?.max(2),
            sellers: usize::try_from(setting("SELLERS", 2)?)?,
            merchants: usize::try_from(setting("MERCHANTS", 6)?)?.max(2),
            times: u32::try_from(setting("TIMES", 20)?)?,
            kills: setting("KILLS", seconds * 8)?,
            stops: setting("STOPS", seconds / 3)?,
            deaths: setting("DEATHS", seconds.div_ceil(6))?,
            latency: setting("LATENCY", 100)?,
            seed: setting("SEED", 1)?,
            newer: Newer::Later,
            faults: &FAULTS,
            sabotage: None,
            laws: None,
        })
    }
}

/// The processes, all of which end with the test.
struct Processes {
    weather: Weather,
    /// True if half of the processes that begin now are of the newer program.
    has_newer: Arc<AtomicBool>,
    slots: Vec<Slot>,
    /// The processes that have ended by themselves.
    ended: Vec<String>,
    /// The processes that went on after a stop, and the moments of the world.
    woken: Vec<(u32, Moment)>,
    /// The processes that were killed or stopped, and the moments of the world.
    silenced: Vec<(u32, Moment)>,
}

struct Slot {
    child: Child,
    /// The end of the process' stop.
    stopped: Option<Instant>,
    /// The process is not killed before: a process that wakes up gets to its late writes.
    spared: Option<Instant>,
}

impl Processes {
    fn begin(weather: &Weather, has_newer: Arc<AtomicBool>) -> Outcome<Self> {
        let mut this = Self {
            weather: weather.clone(),
            has_newer,
            slots: Vec::new(),
            ended: Vec::new(),
            woken: Vec::new(),
            silenced: Vec::new(),
        };
        for slot in 0..weather.processes {
            let child = this.process(slot)?;
            this.slots.push(Slot { child, stopped: None, spared: None });
        }
        Ok(this)
    }

    /// Another process of this program.
    fn process(&self, slot: usize) -> Outcome<Child> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--exact", "worker_of_the_storm", "--nocapture"]);
        command.env(VARIABLE, self.weather.text()).env(SLOT, slot.to_string());
        if self.has_newer.load(Ordering::SeqCst) && self.may_be_newer(slot) {
            command.env(NEWER, "1");
        }
        let said =
            if std::env::var_os("CHECKOUT_STORM_TALK").is_some() { Stdio::inherit() } else { Stdio::null() };
        Ok(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said).spawn()?)
    }

    /// True for half of the places.
    fn may_be_newer(&self, slot: usize) -> bool {
        slot >= self.weather.processes / 2
    }

    /// A process that neither stands still nor is spared, by a number.
    fn pick(&self, number: u64) -> Option<usize> {
        let (now, many) = (Instant::now(), self.slots.len());
        let first = usize::try_from(number).unwrap_or(0) % many;
        (0..many).map(|more| (first + more) % many).find(|place| {
            self.slots
                .get(*place)
                .is_some_and(|slot| slot.stopped.is_none() && slot.spared.is_none_or(|spared| spared <= now))
        })
    }

    fn kill(&mut self, place: usize) -> Outcome {
        let child = self.process(place)?;
        let Some(slot) = self.slots.get_mut(place) else { return Ok(()) };
        slot.stopped = None;
        let mut old = std::mem::replace(&mut slot.child, child);
        if let Some(status) = old.try_wait()? {
            self.ended.push(format!("a process has ended by itself: {status}"));
        }
        old.kill()?;
        old.wait()?;
        self.silenced.push((old.id(), self.weather.now()));
        Ok(())
    }

    fn stop(&mut self, place: usize, until: Instant) -> Outcome {
        let Some(slot) = self.slots.get_mut(place) else { return Ok(()) };
        slot.stopped = Some(until);
        signal(&slot.child, "-STOP")?;
        self.silenced.push((slot.child.id(), self.weather.now()));
        Ok(())
    }

    /// Notes the processes that have ended by themselves since the last kill.
    fn look(&mut self) -> Outcome {
        for slot in &mut self.slots {
            if let Some(status) = slot.child.try_wait()? {
                self.ended.push(format!("a process has ended by itself: {status}"));
            }
        }
        Ok(())
    }

    fn stopped(&self) -> usize {
        self.slots.iter().filter(|slot| slot.stopped.is_some()).count()
    }

    /// Wakes the processes that have stood still long enough.
    fn wake(&mut self, now: Instant) -> Outcome {
        for slot in self.slots.iter_mut().filter(|slot| slot.stopped.is_some_and(|until| until <= now)) {
            slot.stopped = None;
            slot.spared = now.checked_add(Duration::from_millis(600));
            self.woken.push((slot.child.id(), self.weather.now()));
            signal(&slot.child, "-CONT")?;
        }
        Ok(())
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        for slot in &mut self.slots {
            let _ = slot.child.kill();
            let _ = slot.child.wait();
        }
    }
}

fn signal(child: &Child, signal: &str) -> Outcome {
    let status = Command::new("kill").args([signal, &child.id().to_string()]).status()?;
    if status.success() { Ok(()) } else { Err(format!("kill {signal}: {status}").into()) }
}

/// The next number of a generator (SplitMix64: Steele, Lea, Flood), the same for a seed.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
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

/// The storm over a file.
pub(crate) fn over_sqlite() -> Outcome {
    let folder = Folder::new("storm-sqlite")?;
    storm(&Force::of_environment()?, &Database::Sqlite(folder.path("shop.db")), &folder, (None, None))
}

/// The storm over a server of its own, or false where there is no program for one. The limits may be in
/// Redis.
pub(crate) fn over_postgres(redis: Option<String>) -> Outcome<bool> {
    let name = if redis.is_some() { "storm-redis" } else { "storm-postgres" };
    let newer = if redis.is_some() { Newer::Later } else { Newer::First };
    let (folder, force) = (Folder::new(name)?, Force { newer, ..Force::of_environment()? });
    let prefix = format!("{{storm-{}}}:", std::process::id());
    let redis = redis.map(|url| InRedis { url, prefix });
    // Two for each process and one to listen, two for one that comes before the killed one is gone, and the
    // storm's own.
    let connections = 3 * force.processes + 16;
    let Some(server) = PgServer::start(&folder.path("server"), connections)? else { return Ok(false) };
    let database = Database::Postgres { url: server.url(), schema: SCHEMA.to_owned() };
    storm(&force, &database, &folder, (Some(Arc::new(server)), redis))?;
    Ok(true)
}

fn storm(force: &Force, database: &Database, folder: &Folder, servers: Servers) -> Outcome {
    runtime()?.block_on(async { weather(force, database, folder, servers).await?.faults() })
}

/// The server that dies, and the one that forgets.
type Servers = (Option<Arc<PgServer>>, Option<InRedis>);

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
}

/// A storm, and the calm after it.
async fn weather(
    force: &Force,
    database: &Database,
    folder: &Folder,
    (server, redis): Servers,
) -> Outcome<Judgement> {
    let Force { seconds, orders, .. } = *force;
    let builder = Server::builder().port(0).seed(force.seed).frozen_at(Moment::from_unix_millis(BEGINNING));
    let sandbox = force.faults.iter().fold(builder, |builder, fault| builder.fault(*fault)).bind().await?;
    let names = (0..force.merchants).map(|number| format!("m-{number}"));
    let worlds = names.map(|name| sandbox.fork("default", &name)).collect::<Result<Vec<_>, _>>()?;
    // The port belongs to nobody else as long as this place is there.
    let place = hooks::place(0)?;
    let port = place.local_addr()?.port();
    for (number, world) in worlds.iter().enumerate() {
        for provider in ["allscale", "peach"] {
            world.add_endpoint(provider, &format!("http://127.0.0.1:{port}/{number}/{provider}"))?;
        }
    }
    let notes = folder.path("notes");
    std::fs::create_dir_all(&notes)?;
    let weather = Weather::begin(database.clone(), sandbox.urls().root(), orders, &worlds);
    let mut weather = weather.set_times(force.times, &worlds);
    weather.is_newer = force.newer == Newer::First;
    prepare(&weather).await?;
    weather.is_newer = false;
    // The orders come over nine tenths of the storm.
    let pace = seconds * 900_000 / u64::try_from(orders.max(1))?;
    let (processes, sellers, log) = (force.processes, force.sellers, Log(Some(notes)));
    (weather.log, weather.processes, weather.sellers) = (log.clone(), processes, sellers);
    (weather.pace, weather.port, weather.latency) = (pace, port, force.latency);
    (weather.sabotage, weather.redis) = (force.sabotage, redis);
    if let Some(limits) = Quick::open(&weather).await? {
        limits.begin().await?;
    }

    let has_newer = Arc::new(AtomicBool::new(force.newer == Newer::First));
    let mut processes = Processes::begin(&weather, Arc::clone(&has_newer))?;
    let is_over = Arc::new(AtomicBool::new(false));
    let pulse = tokio::spawn(feel(log.clone(), Arc::clone(&is_over)));
    // The server outlives the watchers.
    let troubles = server.clone().map(|server| {
        let deaths = tokio::spawn(trouble(Arc::clone(&server), *force, weather.clone()));
        let watch = Arc::new(Watch::default());
        (deaths, Arc::clone(&watch), tokio::spawn(watch.watch(server, Arc::clone(&is_over))))
    });
    let step = (force.newer == Newer::Later).then(|| {
        // Before the middle, where a single trouble of the database is: an error has one cause.
        let step = newer::step(weather.clone(), Duration::from_secs(seconds) * 3 / 8);
        tokio::spawn(async move {
            let took = step.await;
            has_newer.store(true, Ordering::SeqCst);
            took
        })
    });
    let forgotten = tokio::spawn(forget(weather.redis.clone(), Duration::from_secs(seconds) / 3));
    let (kills, stops) = blow(force, &mut processes).await?;
    let step = match step {
        Some(step) => Some(step.await??),
        None => None,
    };
    let forgotten = forgotten.await??;
    let (deaths, watch) = match troubles {
        Some((deaths, watch, _)) => (deaths.await??, watch),
        None => (Vec::new(), Arc::default()),
    };
    // A step that changes every table holds all statements up, and the server keeps the connections of killed
    // processes meanwhile, until there is none left.
    let held_up = step
        .filter(|_| server.is_some())
        .map(|(_, (from, to))| (from, to.saturating_add(weather.in_the_world(NOTICED))));
    let seen = Seen {
        ended: std::mem::take(&mut processes.ended),
        woken: std::mem::take(&mut processes.woken),
        silenced: std::mem::take(&mut processes.silenced),
        idle: watch.idle.load(Ordering::SeqCst),
        doubled: watch.doubled.load(Ordering::SeqCst),
        looks_a_second: server.is_some().then(|| watch.looks.load(Ordering::SeqCst) / seconds.max(1)),
        troubles: deaths.iter().map(|trouble| trouble.in_the_world).chain(held_up).collect(),
        stops,
        ..Seen::default()
    };
    let mut judgement = match force.laws {
        Some(laws) => {
            let patience = Patience::until(Duration::from_secs(7), laws);
            judge::after_the_calm_with(&weather, &worlds, seen, &patience).await?
        }
        None => judge::after_the_calm(&weather, &worlds, seen).await?,
    };
    is_over.store(true, Ordering::SeqCst);
    processes.look()?;
    judgement.add(std::mem::take(&mut processes.ended));
    drop(processes);
    let pulse = pulse.await??;
    let done = log.done_from(0)?.0;
    let newer = if force.newer == Newer::Never { None } else { Some(newer::begun(&weather).await?) };
    if newer == Some(0) {
        judgement.add(["no process of the newer program has begun".to_owned()]);
    }
    if force.laws.is_none() {
        println!("{kills} kills, {judgement}");
        println!("{stops} stops, {} deaths of the database, {done:?}", deaths.len());
        println!(
            "{newer:?} processes of a newer program; its step under the storm took {:?}",
            step.map(|(took, _)| took)
        );
        if let Some(keys) = forgotten {
            println!("Redis has forgotten {keys} keys");
        }
        println!("hints have woken processes {} times", log.all_heard()?);
        println!("{}", calls("writes", &log.all_took()?));
        let mut looks = watch.took.lock().unwrap_or_else(PoisonError::into_inner).clone();
        looks.sort_unstable();
        println!("{}", calls("looks for an engine idle in a transaction", &looks));
        println!("{}", recoveries(&deaths, &pulse)?);
    }
    weather.clear().await?;
    if let Some(redis) = &weather.redis {
        redis.forget().await?;
    }
    Ok(judgement)
}

/// Lets the limits be forgotten after a while, if they are in Redis.
async fn forget(redis: Option<InRedis>, after: Duration) -> Outcome<Option<usize>> {
    let Some(redis) = redis else { return Ok(None) };
    sleep(after).await;
    Ok(Some(redis.forget().await?))
}

/// The times of transactions, as the clients have seen them, the shortest first: figures and no law.
fn calls(name: &str, micros: &[u64]) -> String {
    let at = |permille: usize| micros.get(micros.len().saturating_sub(1) * permille / 1_000).copied();
    let time = |permille| Duration::from_micros(at(permille).unwrap_or(0));
    let many = micros.len();
    format!(
        "{many} {name}: half within {:?}, 99 % within {:?}, all within {:?}",
        time(500),
        time(990),
        time(1_000)
    )
}

/// A storm of broken processes: the faults of the providers that it takes, and the pace of its time.
struct Broken {
    /// The fault; none for sound processes.
    sabotage: Option<Sabotage>,
    /// The laws by which the judge finds the fault. Sound processes break none of them.
    laws: &'static [&'static str],
    faults: &'static [&'static str],
    times: u32,
}

const LOST_CREATES: &[&str] = &["allscale:lost_answer; route=create; permille=500; seed=1"];
const WAITS: &[&str] = &[
    "peach:rate_limited; route=status; permille=500; seed=1",
    "peach:rate_limited; route=checkout_status; permille=500; seed=2",
];

/// So many storms of broken processes blow at once. Those that have to wait for the end of all are the first.
const AT_ONCE: usize = 5;

const BROKEN: [Broken; 13] = [
    Broken { sabotage: None, laws: ALL_LAWS, faults: &[], times: 60 },
    Broken { faults: LOST_CREATES, ..broken(Sabotage::DropsEvents, &["webhook-without-read"]) },
    broken(Sabotage::DropsNews, &["paid, and nothing was sent"]),
    broken(Sabotage::ForgetsRows, &[": lost"]),
    broken(Sabotage::NeverReads, &["neither an end nor a hold"]),
    broken(Sabotage::IgnoresFences, &["settled twice"]),
    Broken { faults: LOST_CREATES, ..broken(Sabotage::RepeatsCreates, &["made twice"]) },
    broken(Sabotage::SettlesUnread, &["settled unpaid"]),
    broken(Sabotage::TellsTwice, &["settled twice"]),
    broken(Sabotage::IgnoresLimits, &["over-limit"]),
    Broken { faults: WAITS, times: 20, ..broken(Sabotage::IgnoresWaits, &["retry-after-ignored"]) },
    broken(Sabotage::HoldsEverything, &["nothing explains the hold"]),
    broken(Sabotage::FailsWhatIsOpen, &["has not ended the checkout unpaid"]),
];

/// The laws of all of them.
const ALL_LAWS: &[&str] = &[
    "webhook-without-read",
    "paid, and nothing was sent",
    ": lost",
    "neither an end nor a hold",
    "settled twice",
    "made twice",
    "settled unpaid",
    "over-limit",
    "retry-after-ignored",
    "nothing explains the hold",
    "has not ended the checkout unpaid",
];

const fn broken(sabotage: Sabotage, laws: &'static [&'static str]) -> Broken {
    Broken { sabotage: Some(sabotage), laws, faults: &[], times: 60 }
}

impl Broken {
    /// Blows, and says how the judge has found the fault; or all that the judge has found in its place.
    async fn blow(&self) -> Outcome<Result<String, String>> {
        let Self { sabotage, laws, faults, times } = *self;
        let force = Force {
            seconds: 1,
            orders: 40,
            processes: 3,
            sellers: 2,
            merchants: 2,
            times,
            kills: 0,
            stops: 0,
            deaths: 0,
            latency: 20,
            seed: 1,
            newer: if sabotage.is_none() { Newer::First } else { Newer::Never },
            faults,
            sabotage,
            laws: Some(laws),
        };
        let name = sabotage.map_or_else(|| "Sound".to_owned(), Sabotage::name);
        let (folder, begin) = (Folder::new(&name)?, Instant::now());
        let judgement =
            weather(&force, &Database::Sqlite(folder.path("shop.db")), &folder, (None, None)).await?;
        let (after, text) = (begin.elapsed(), judgement.to_string());
        if sabotage.is_none() {
            let faults = judgement.faults();
            return Ok(faults.map(|()| format!("{name} after {after:?}")).map_err(|error| error.to_string()));
        }
        let fault = laws.iter().find_map(|law| judgement.by(law)).cloned();
        Ok(match fault {
            Some(fault) => {
                Ok(format!("{name} after {after:?}: {}", fault.chars().take(160).collect::<String>()))
            }
            None => Err(format!("{name} is not found by {laws:?}: {text}\n{:?}", judgement.faults())),
        })
    }
}

/// Real processes with a fault, some storms at once: the judge finds each fault by its law.
pub(crate) fn broken_processes() -> Outcome {
    for sabotage in Sabotage::ALL {
        if !BROKEN.iter().any(|broken| broken.sabotage == Some(*sabotage)) {
            return Err(format!("{sabotage:?} has no storm").into());
        }
    }
    for law in BROKEN.iter().flat_map(|broken| broken.laws) {
        if !ALL_LAWS.contains(law) {
            return Err(format!("nothing is known of sound processes and {law:?}").into());
        }
    }
    runtime()?.block_on(async {
        let mut missed = Vec::new();
        for some in BROKEN.chunks(AT_ONCE) {
            for found in futures_util::future::join_all(some.iter().map(Broken::blow)).await {
                match found? {
                    Ok(text) => println!("{text}"),
                    Err(text) => missed.push(text),
                }
            }
        }
        if missed.is_empty() { Ok(()) } else { Err(missed.join("\n").into()) }
    })
}

/// Kills and stops processes, until the time is over and as many were killed and stopped as was asked for.
async fn blow(force: &Force, processes: &mut Processes) -> Outcome<(u64, u64)> {
    let (mut state, begin) = (force.seed, Instant::now());
    let (mut kills, mut stops) = (0, 0);
    let mean = force.seconds * 1_000 / force.kills.max(1);
    let lease = processes.weather.lease() / force.times;
    let mut are_replaced = force.newer != Newer::Later;
    while begin.elapsed() < Duration::from_secs(force.seconds) || kills < force.kills || stops < force.stops {
        // The pauses are random, so that a kill falls everywhere.
        sleep(Duration::from_millis(mean / 2 + random(&mut state) % mean.max(1))).await;
        let now = Instant::now();
        processes.wake(now)?;
        if !are_replaced && processes.has_newer.load(Ordering::SeqCst) {
            are_replaced = true;
            for place in 0..processes.slots.len() {
                if processes.may_be_newer(place) {
                    processes.kill(place)?;
                    kills += 1;
                }
            }
        }
        // As many stops as belong to the time that has passed, and half of the processes at most.
        let passed = u64::try_from(begin.elapsed().as_millis())?;
        let due = force.stops * passed / (force.seconds * 1_000).max(1);
        if stops < due.min(force.stops)
            && processes.stopped() < processes.slots.len() / 2
            && let Some(place) = processes.pick(random(&mut state))
        {
            let longer = Duration::from_millis(200 + random(&mut state) % 800);
            processes.stop(place, now + lease + longer)?;
            stops += 1;
        }
        let goes_on = kills < force.kills || begin.elapsed() < Duration::from_secs(force.seconds);
        if goes_on
            && force.kills > 0
            && let Some(place) = processes.pick(random(&mut state))
        {
            processes.kill(place)?;
            kills += 1;
        }
    }
    // Nobody stands still for ever.
    if processes.stopped() > 0 {
        sleep(lease + Duration::from_secs(1)).await;
    }
    processes.wake(Instant::now())?;
    Ok((kills, stops))
}

/// A trouble of the database.
struct Trouble {
    kind: &'static str,
    began: Instant,
    ended: Instant,
    /// The same in the world's time, until each process has noticed.
    in_the_world: (Moment, Moment),
}

/// The time within which a process uses each of its connections, and notices that the connection has ended.
const NOTICED: Duration = Duration::from_secs(1);

/// Brings every kind of trouble over the server, in turn, for the time of the storm.
async fn trouble(server: Arc<PgServer>, force: Force, weather: Weather) -> Outcome<Vec<Trouble>> {
    let kinds = ["death", "ended connections", "no connection left", "read-only", "death in recovery"];
    let mut troubles = Vec::new();
    let pause = Duration::from_millis(force.seconds * 1_000 / (force.deaths + 1));
    let begin = Instant::now();
    for (number, kind) in (0..force.deaths).zip(kinds.into_iter().cycle()) {
        // The troubles lie as far apart as the time allows.
        let at = pause.saturating_mul(u32::try_from(number + 1)?);
        sleep(at.saturating_sub(begin.elapsed())).await;
        let (began, from, of) = (Instant::now(), weather.now(), Arc::clone(&server));
        match kind {
            "death" => tokio::task::spawn_blocking(move || of.die()).await??,
            "death in recovery" => tokio::task::spawn_blocking(move || of.die_in_recovery()).await??,
            "ended connections" => {
                let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                           WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
                connect(&of, "storm").await?.batch_execute(end).await?;
            }
            "no connection left" => {
                let mut taken = Vec::new();
                while began.elapsed() < Duration::from_secs(1) {
                    match connect(&of, "storm").await {
                        Ok(client) => taken.push(client),
                        // The server is full: the storm keeps what it has.
                        Err(_) => sleep(Duration::from_millis(20)).await,
                    }
                }
            }
            _ => {
                let client = connect(&of, "storm").await?;
                let set = |to: &str| format!("ALTER SYSTEM SET default_transaction_read_only = {to}");
                client.batch_execute(&set("on")).await?;
                client.batch_execute("SELECT pg_reload_conf()").await?;
                sleep(Duration::from_secs(1)).await;
                client.batch_execute(&set("off")).await?;
                client.batch_execute("SELECT pg_reload_conf()").await?;
            }
        }
        let in_the_world = (from, weather.now().saturating_add(weather.in_the_world(NOTICED)));
        troubles.push(Trouble { kind, began, ended: Instant::now(), in_the_world });
    }
    Ok(troubles)
}

async fn connect(server: &PgServer, name: &str) -> Outcome<Client> {
    let url = format!("{}?application_name={name}", server.url());
    let (client, connection) =
        checkout_store_postgres::deadpool_postgres::tokio_postgres::connect(&url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// The schema of a storm over a server.
const SCHEMA: &str = "checkout_storm";

/// Looks all the time for a connection of an engine that is idle in a transaction, and for a checkout with
/// two pieces of work.
#[derive(Default)]
struct Watch {
    /// The looks that saw connections of engines.
    looks: AtomicU64,
    idle: AtomicU64,
    doubled: AtomicU64,
    /// The microseconds of each look at the connections, which is a transaction under the same load.
    took: Mutex<Vec<u64>>,
}

impl Watch {
    async fn watch(self: Arc<Self>, server: Arc<PgServer>, is_over: Arc<AtomicBool>) {
        let idle = "SELECT count(*) FILTER (WHERE state LIKE 'idle in transaction%'), count(*) \
                    FROM pg_stat_activity WHERE application_name = 'checkout'";
        let doubled =
            format!("SELECT count(*) FROM (SELECT FROM {SCHEMA}.work GROUP BY id HAVING count(*) > 1) twice");
        let number = |row: &Row, column| u64::try_from(row.get::<_, i64>(column)).unwrap_or(0);
        while !is_over.load(Ordering::SeqCst) {
            if let Ok(client) = connect(&server, "sampler").await {
                let mut begin = Instant::now();
                while let Ok(row) = client.query_one(idle, &[]).await {
                    let took = u64::try_from(begin.elapsed().as_micros()).unwrap_or(u64::MAX);
                    self.took.lock().unwrap_or_else(PoisonError::into_inner).push(took);
                    self.idle.fetch_add(number(&row, 0), Ordering::SeqCst);
                    let Ok(twice) = client.query_one(&doubled, &[]).await else { break };
                    self.doubled.fetch_add(number(&twice, 0), Ordering::SeqCst);
                    self.looks.fetch_add(u64::from(number(&row, 1) > 0), Ordering::SeqCst);
                    sleep(Duration::from_millis(20)).await;
                    if is_over.load(Ordering::SeqCst) {
                        return;
                    }
                    begin = Instant::now();
                }
            }
            sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Notes the writes of all processes until each moment.
async fn feel(log: Log, is_over: Arc<AtomicBool>) -> Outcome<Vec<(Instant, u64)>> {
    let (mut from, mut done, mut pulse) = (0, Done::default(), Vec::new());
    while !is_over.load(Ordering::SeqCst) {
        let (more, next) = log.done_from(from)?;
        (from, done) = (next, done.plus(more));
        pulse.push((Instant::now(), done.writes));
        sleep(Duration::from_millis(100)).await;
    }
    Ok(pulse)
}

/// The time from the end of each trouble until a second had 99 % of the writes of a second before: a figure
/// and no law, since the last orders have fewer writes.
fn recoveries(troubles: &[Trouble], pulse: &[(Instant, u64)]) -> Outcome<String> {
    let until = |moment: Instant| {
        let place = pulse.partition_point(|(at, _)| *at <= moment);
        place.checked_sub(1).and_then(|place| pulse.get(place)).map_or(0, |(_, writes)| *writes)
    };
    let (mut text, mut in_time) = (String::new(), 0);
    let (second, before) = (Duration::from_secs(1), 3);
    for Trouble { kind, began, ended, .. } in troubles {
        let usual = (until(*began) - until(*began - second * before)) / u64::from(before);
        let mut later = pulse.iter().map(|(at, _)| *at).filter(|at| at >= ended);
        let back = later.find(|at| (until(*at) - until(*at - second)) * 100 >= usual * 99);
        let back = back.map(|back| back.saturating_duration_since(*ended));
        in_time += u32::from(back.is_some_and(|back| back <= Duration::from_secs(10)));
        write!(
            text,
            "\n  {kind} of {:?}: {usual} writes a second before, back after {back:?}",
            *ended - *began
        )?;
    }
    Ok(format!("the throughput was back within 10 s after {in_time} of {}{text}", troubles.len()))
}
