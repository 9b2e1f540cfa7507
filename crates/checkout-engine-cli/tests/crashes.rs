//! The crash matrix: a process kills itself by SIGKILL before and after every operation of the store and of
//! the limits, every request, every telling and every migration, and the next process goes on. The sandbox
//! judges each case.
//!
//! Most cases are of a shop that sells, while the time passes. The cases of webhooks, persons and limits are
//! on a stage where the time stands. Some processes die in the middle of a commit: where a file grows over a
//! size, or where the database waits for the test. Some do not die: they stand still for longer than a lease,
//! and go on when another process has their work.
//!
//! With `CHECKOUT_TEST_POSTGRES` the matrix is played over PostgreSQL too, and with `CHECKOUT_TEST_REDIS` the
//! cases of limits over Redis.

#![cfg(unix)]
#![allow(dead_code, reason = "the storm has more")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the matrix says how it went")]
#![allow(clippy::wildcard_in_or_patterns, reason = "a fifth provider would be played like the last")]

#[path = "storm/fast.rs"]
mod fast;
#[path = "storm/hooks.rs"]
mod hooks;
#[path = "storm/judge.rs"]
mod judge;
#[path = "crashes/limits.rs"]
mod limits;
#[path = "storm/log.rs"]
mod log;
#[path = "crashes/migrate.rs"]
mod migrate;
#[path = "storm/orders.rs"]
mod orders;
#[path = "crashes/points.rs"]
mod points;
#[path = "crashes/scenes.rs"]
mod scenes;
#[path = "storm/shop.rs"]
mod shop;
#[path = "crashes/stage.rs"]
mod stage;
#[path = "storm/weather.rs"]
mod weather;
#[path = "storm/worker.rs"]
mod worker;
#[path = "crashes/zombies.rs"]
mod zombies;

use checkout_engine::Subject;
use checkout_sandbox_server::{Attempt, RunningServer, Server, World};
use checkout_tables::Moment;
use fast::Fast;
use futures_util::{StreamExt as _, stream};
use judge::Seen;
use log::Log;
use points::{Case, Points};
use shop::{Database, SqliteShop, open_postgres, open_sqlite, take_postgres};
use std::error::Error;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, SemaphorePermit};
use weather::{BEGINNING, Folder, VARIABLE, Weather, prepare};
use worker::noted::Noted;

type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// So many cases of all tests are played at once. A provider that stands still for longer than a lease,
/// because the machine has too much to do, would see more requests than a limit allows.
const AT_ONCE: usize = 24;
static PLACES: Semaphore = Semaphore::const_new(AT_ONCE);
/// So many of them use a server: each has a schema of its own, and a server has so many connections.
static CONNECTIONS: Semaphore = Semaphore::const_new(12);

/// A place of a case among those that are played.
struct Turn {
    _place: SemaphorePermit<'static>,
    _connections: Option<SemaphorePermit<'static>>,
}

impl Turn {
    /// Waits until a case may be played.
    async fn wait(uses_server: bool) -> Outcome<Self> {
        // First the rarer one: nobody waits for connections and has a place.
        let connections = if uses_server { Some(CONNECTIONS.acquire().await?) } else { None };
        Ok(Self { _place: PLACES.acquire().await?, _connections: connections })
    }
}

/// The orders of a case: some of every provider.
const ORDERS: usize = 10;

/// The work of a process that the matrix has started. Without the variables it does nothing.
#[test]
fn worker_of_the_matrix() -> Outcome {
    let Some(weather) = Weather::of_this_process()? else { return Ok(()) };
    let case = Case::of_this_process()?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let transport =
            points::Dying { inner: worker::transport(Duration::from_secs(5))?, case: case.clone() };
        match weather.database.clone() {
            Database::Sqlite(path) => {
                let clock = weather.clone();
                let store = Points { inner: open_sqlite(&path, move || clock.now())?, case: case.clone() };
                let store = Noted::new(store, &weather);
                let shop = Arc::new(SqliteShop::open(&path)?);
                worker::sell_over(&weather, store, transport, move |news| {
                    let (shop, case) = (Arc::clone(&shop), case.clone());
                    async move {
                        case.point("tell", "before");
                        if news.subject == Subject::Settled {
                            shop.take(&news)?;
                        }
                        case.point("tell", "after");
                        Ok(())
                    }
                })
                .await
            }
            Database::Postgres { url, schema } => {
                let store = Arc::new(open_postgres(&url, &schema, false).await?);
                let shop = Arc::clone(&store);
                let store = Points { inner: Fast(store, weather.times), case: case.clone() };
                let store = Noted::new(store, &weather);
                worker::sell_over(&weather, store, transport, move |news| {
                    let (shop, case) = (Arc::clone(&shop), case.clone());
                    async move {
                        case.point("tell", "before");
                        if news.subject == Subject::Settled {
                            take_postgres(&shop, &news).await?;
                        }
                        case.point("tell", "after");
                        Ok(())
                    }
                })
                .await
            }
        }
    })
}

#[test]
fn a_process_may_die_before_and_after_every_operation_over_sqlite() -> Outcome {
    let folder = Folder::new("crashes")?;
    play_all(|number| Database::Sqlite(folder.path(&format!("case-{number}.db"))))
}

#[test]
fn a_process_may_die_before_and_after_every_operation_over_postgres() -> Outcome {
    let Ok(url) = std::env::var("CHECKOUT_TEST_POSTGRES") else {
        println!("not run over PostgreSQL: CHECKOUT_TEST_POSTGRES is not set");
        return Ok(());
    };
    let process = std::process::id();
    play_all(|number| Database::Postgres {
        url: url.clone(),
        schema: format!("checkout_crash_{process}_{number}"),
    })
}

/// Plays the cases of a shop that sells, each with a database and merchants of its own.
fn play_all(database: impl Fn(usize) -> Database) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let builder = Server::builder().port(0).frozen_at(Moment::from_unix_millis(BEGINNING));
        let server = builder.bind().await?;
        let (server, database, taken) = (&server, &database, &AtomicUsize::new(0));
        let longest = Arc::new(AtomicU64::new(0));
        let pulse = tokio::spawn(feel(Arc::clone(&longest)));
        let faults: Vec<String> = stream::iter(Case::of_sellers().into_iter().enumerate())
            .map(async |(number, case)| {
                let database = database(number);
                let played = async {
                    let _turn = Turn::wait(matches!(database, Database::Postgres { .. })).await?;
                    let worlds = worlds(server, number)?;
                    let weather = Weather::begin(database, server.urls().root(), ORDERS, &worlds);
                    play(&case, weather, &worlds).await?;
                    taken.fetch_add(worlds.iter().map(|world| webhooks(world)).sum(), Ordering::SeqCst);
                    Outcome::Ok(())
                };
                played.await.err().map(|error| format!("{}: {error}", case.text()))
            })
            .buffer_unordered(AT_ONCE)
            .filter_map(std::future::ready)
            .collect()
            .await;
        let taken = taken.load(Ordering::SeqCst);
        pulse.abort();
        let longest = longest.load(Ordering::SeqCst);
        println!("{taken} webhooks were taken, and the provider stood still for {longest} ms at most");
        if faults.is_empty() && taken > 0 { Ok(()) } else { Err(faults.join("\n").into()) }
    })
}

/// Notes the longest time for which the machine has let nobody of this process work: the reader of a failure
/// wants to know.
async fn feel(longest: Arc<AtomicU64>) {
    let pause = Duration::from_millis(20);
    loop {
        let begin = Instant::now();
        tokio::time::sleep(pause).await;
        let late = begin.elapsed().saturating_sub(pause).as_millis();
        longest.fetch_max(u64::try_from(late).unwrap_or(u64::MAX), Ordering::SeqCst);
    }
}

/// The webhooks that a process has answered with 200.
fn webhooks(world: &World) -> usize {
    let is_taken = |attempt: &Attempt| attempt.status == Some(200);
    world.webhooks().iter().filter(|webhook| webhook.attempts.iter().any(is_taken)).count()
}

fn worlds(server: &RunningServer, number: usize) -> Outcome<Vec<Arc<World>>> {
    // Merchants are even and odd: Peach's V1 and V2.
    let names = (0..2).map(|merchant| format!("case-{number}-{merchant}"));
    Ok(names.map(|name| server.fork("default", &name)).collect::<Result<Vec<_>, _>>()?)
}

/// A process dies at the case's point, another goes on, and the books are compared. Webhooks come to both.
async fn play(case: &Case, mut weather: Weather, worlds: &[Arc<World>]) -> Outcome {
    static CASES: AtomicUsize = AtomicUsize::new(0);
    let notes = Folder::new(&format!("case-{}", CASES.fetch_add(1, Ordering::SeqCst)))?;
    weather.log = Log(Some(notes.path("")));
    // The port belongs to nobody else as long as this place is there.
    let place = hooks::place(0)?;
    weather.port = place.local_addr()?.port();
    for (number, world) in worlds.iter().enumerate() {
        for provider in ["allscale", "peach"] {
            world
                .add_endpoint(provider, &format!("http://127.0.0.1:{}/{number}/{provider}", weather.port))?;
        }
    }
    prepare(&weather).await?;
    let judged = async {
        let first = process(&weather, Some(case))?;
        let id = first.0.id();
        death(first, Duration::from_secs(120)).await?;
        // A hold has to be of a create that was under way then, or of the payment.
        let seen = Seen { silenced: vec![(id, weather.now())], ..Seen::default() };
        // The shop places all orders again: it forgets how far it has come, where it has come so far.
        let _ = std::fs::remove_file(notes.path("seller-0"));
        let _second = process(&weather, None)?;
        judge::after_the_calm(&weather, worlds, seen).await
    };
    let judged = judged.await;
    weather.clear().await?;
    judged?.faults()
}

fn process(weather: &Weather, case: Option<&Case>) -> Outcome<Process> {
    let mut variables = vec![(VARIABLE, weather.text())];
    variables.extend(case.map(|case| (points::VARIABLE, case.text())));
    start("worker_of_the_matrix", &variables, None)
}

/// A process that ends with the value.
struct Process(Child);

impl Process {
    fn kill(&mut self) -> Outcome {
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }

    /// Waits until the process has said a line.
    fn hear(&mut self, line: &str) -> Outcome {
        let said = self.0.stdout.as_mut().ok_or("nothing is to hear")?;
        for heard in BufReader::new(said).lines() {
            if heard? == line {
                return Ok(());
            }
        }
        Err(format!("the process has ended without the word: {line}").into())
    }

    /// Waits until the process stands still.
    async fn stands_still(&mut self, patience: Duration) -> Outcome {
        let begin = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait()? {
                return Err(format!("the process has ended, and did not stand still: {status}").into());
            }
            let states = ["-o", "state=", "-p", &self.0.id().to_string()];
            if Command::new("ps").args(states).output()?.stdout.starts_with(b"T") {
                return Ok(());
            }
            if begin.elapsed() > patience {
                return Err("the point was not reached".into());
            }
            // The state of the process is what is waited for: the pause decides nothing.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Lets a process that stands still go on.
    fn go_on(&self) -> Outcome {
        let status = Command::new("kill").args(["-CONT", &self.0.id().to_string()]).status()?;
        if status.success() { Ok(()) } else { Err(format!("kill -CONT: {status}").into()) }
    }

    /// Waits until the process has ended.
    async fn ended(&mut self, patience: Duration) -> Outcome<ExitStatus> {
        let begin = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait()? {
                return Ok(status);
            }
            if begin.elapsed() > patience {
                return Err("the point was not reached".into());
            }
            // The end of the process is what is waited for: the pause decides nothing.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The signal of a point.
const SIGKILL: i32 = 9;
/// The signal of a file that is too large.
const SIGXFSZ: i32 = 25;

/// Waits until a process has died by the signal of its point.
async fn death(process: Process, patience: Duration) -> Outcome {
    if died(process, patience, SIGKILL).await? { Ok(()) } else { Err("the point was not reached".into()) }
}

/// Waits until a process has ended: true if it has died by the signal, and false if it has ended well.
async fn died(mut process: Process, patience: Duration, signal: i32) -> Outcome<bool> {
    let status = process.ended(patience).await?;
    if status.signal() == Some(signal) || status.success() {
        return Ok(!status.success());
    }
    let mut said = String::new();
    if let Some(stdout) = process.0.stdout.as_mut() {
        stdout.read_to_string(&mut said)?;
    }
    Err(format!("the process has ended otherwise: {status}: {said}").into())
}

/// Starts a test of this program as a process, which dies when one of its files grows over so many blocks.
fn start(test: &str, variables: &[(&str, String)], blocks: Option<u64>) -> Outcome<Process> {
    let program = std::env::current_exe()?;
    let mut command = match blocks {
        None => Command::new(program),
        Some(blocks) => {
            let mut shell = Command::new("sh");
            shell.args([
                "-c",
                "ulimit -c 0; ulimit -f \"$1\"; shift; exec \"$@\"",
                "sh",
                &blocks.to_string(),
            ]);
            shell.arg(program);
            shell
        }
    };
    command.args(["--exact", test, "--nocapture"]).envs(variables.iter().map(|(name, text)| (name, text)));
    let said =
        if std::env::var_os("CHECKOUT_STORM_TALK").is_some() { Stdio::inherit() } else { Stdio::null() };
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(said);
    Ok(Process(command.spawn()?))
}
