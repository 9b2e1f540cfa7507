//! The crash matrix: a process kills itself by SIGKILL before and after every operation of the store, every
//! request and every telling, and the next process goes on. The sandbox judges each case.
//!
//! With `CHECKOUT_TEST_POSTGRES` the matrix is played over PostgreSQL too.

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
#[path = "storm/log.rs"]
mod log;
#[path = "storm/orders.rs"]
mod orders;
#[path = "crashes/points.rs"]
mod points;
#[path = "storm/shop.rs"]
mod shop;
#[path = "storm/weather.rs"]
mod weather;
#[path = "storm/worker.rs"]
mod worker;

use checkout_engine::Subject;
use checkout_sandbox_server::{Server, World};
use checkout_tables::Moment;
use fast::Fast;
use points::{Case, Points};
use shop::{Database, SqliteShop, open_postgres, open_sqlite, take_postgres};
use std::error::Error;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use weather::{BEGINNING, Folder, VARIABLE, Weather, prepare};

type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// The orders of a case: some of every provider.
const ORDERS: usize = 10;
const SIGKILL: i32 = 9;

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
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let builder = Server::builder().port(0).frozen_at(Moment::from_unix_millis(BEGINNING));
        let server = builder.bind().await?;
        // All the cases at once: each has a file and merchants of its own.
        let mut playing = Vec::new();
        for (number, case) in Case::all().into_iter().enumerate() {
            let worlds = worlds(&server, number)?;
            let database = Database::Sqlite(folder.path(&format!("case-{number}.db")));
            let weather = Weather::begin(database, server.urls().root(), ORDERS, &worlds);
            playing.push((case.clone(), tokio::spawn(async move { play(case, weather, worlds).await })));
        }
        let mut faults = Vec::new();
        for (case, played) in playing {
            if let Err(error) = played.await? {
                faults.push(format!("{case:?}: {error}"));
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(faults.join("\n").into()) }
    })
}

#[test]
fn a_process_may_die_before_and_after_every_operation_over_postgres() -> Outcome {
    let Ok(url) = std::env::var("CHECKOUT_TEST_POSTGRES") else {
        println!("not run: CHECKOUT_TEST_POSTGRES is not set");
        return Ok(());
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let builder = Server::builder().port(0).frozen_at(Moment::from_unix_millis(BEGINNING));
        let server = builder.bind().await?;
        // A few at once: each case has a schema and merchants of its own, and a server has so many
        // connections.
        let cases: Vec<(usize, Case)> = Case::all().into_iter().enumerate().collect();
        for some in cases.chunks(12) {
            let mut playing = Vec::new();
            for (number, case) in some {
                let worlds = worlds(&server, *number)?;
                let database =
                    Database::Postgres { url: url.clone(), schema: format!("checkout_crash_{number}") };
                let weather = Weather::begin(database, server.urls().root(), ORDERS, &worlds);
                let (named, case) = (format!("{case:?}"), case.clone());
                playing.push((named, tokio::spawn(async move { play(case, weather, worlds).await })));
            }
            for (named, played) in playing {
                played.await?.map_err(|error| format!("{named}: {error}"))?;
            }
        }
        Ok(())
    })
}

fn worlds(server: &checkout_sandbox_server::RunningServer, number: usize) -> Outcome<Vec<Arc<World>>> {
    // Merchants are even and odd: Peach's V1 and V2.
    let names = (0..2).map(|merchant| format!("case-{number}-{merchant}"));
    Ok(names.map(|name| server.fork("default", &name)).collect::<Result<Vec<_>, _>>()?)
}

/// A process dies at the case's point, another goes on, and the books are compared.
async fn play(case: Case, weather: Weather, worlds: Vec<Arc<World>>) -> Outcome {
    prepare(&weather).await?;
    let mut first = process(&weather, Some(&case))?;
    let begin = Instant::now();
    let status = loop {
        if let Some(status) = first.0.try_wait()? {
            break status;
        }
        if begin.elapsed() > Duration::from_secs(120) {
            return Err("the point was not reached".into());
        }
        // The end of the process is what is waited for: the pause decides nothing.
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    if status.signal() != Some(SIGKILL) {
        return Err(format!("the process has ended otherwise: {status}").into());
    }
    let second = process(&weather, None)?;
    let judgement = judge::after_the_calm(&weather, &worlds, judge::Seen::default()).await?;
    drop(second);
    weather.clear().await?;
    judgement.faults()
}

/// A process that ends with the value.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn process(weather: &Weather, case: Option<&Case>) -> Outcome<Process> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["--exact", "worker_of_the_matrix", "--nocapture"]).env(VARIABLE, weather.text());
    if let Some(case) = case {
        command.env(points::VARIABLE, case.text());
    }
    let said =
        if std::env::var_os("CHECKOUT_STORM_TALK").is_some() { Stdio::inherit() } else { Stdio::null() };
    let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said);
    Ok(Process(command.spawn()?))
}
