//! The rate after the database's death, under a constant load.

use crate::table::{self, of, percent};
use crate::world::{Fill, Place, Provider, Running, builder, names, unique};
use checkout_client::PollPolicy;
use checkout_engine::{Provider as Of, Rules};
use checkout_store_postgres::Options;
use server::PgServer;
use std::env;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::time::sleep;

#[allow(dead_code, reason = "the storm needs more")]
#[path = "../../tests/storm/server.rs"]
mod server;

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

const RESTARTS: usize = 5;
const MERCHANTS: u32 = 10;
/// The checkouts, each of which is read every two seconds: half as many reads a second.
const OPEN: u32 = 2_000;
const EVERY: Duration = Duration::from_secs(2);
const SECOND: Duration = Duration::from_secs(1);

/// The server is the part's own, because the server dies as by a loss of power.
pub(crate) async fn recovery() {
    let folder = env::temp_dir().join(unique("recovery"));
    let Some(server) = PgServer::start(&folder, 40).unwrap() else {
        return table::row("not measured", "there are no programs of a PostgreSQL server", "", "");
    };
    let (url, server) = (server.url(), Arc::new(server));
    let store = Options::new().connect(&url).await.unwrap();
    let place = Place::Postgres { url, schema: "checkout".to_owned() };
    place.fill(&Fill::open(OPEN, MERCHANTS)).await;
    let mut rules = Rules::default();
    let policy = PollPolicy::allscale().initial_interval(EVERY).max_interval(EVERY);
    rules.poll.insert(Of::AllScale, policy.deadline(SECOND * 24 * 60 * 60));
    let errors = Arc::new(AtomicU64::new(0));
    let lease = Duration::from_secs(30);
    let builder = builder(store, Provider::default(), &names(MERCHANTS), lease, &errors).rules(rules);
    let engine = builder.build().unwrap();
    let running = Running::start(&engine);
    // All were due at once.
    sleep(SECOND * 10).await;
    let now = || (Instant::now(), engine.counters().writes() as f64);
    let (mut ratios, mut backs) = (Vec::new(), Vec::new());
    for _ in 0..RESTARTS {
        let before = now();
        sleep(EVERY * 2).await;
        let usual = rate(before, now());
        let dies = Arc::clone(&server);
        tokio::task::spawn_blocking(move || dies.die()).await.unwrap().unwrap();
        let (mut pulse, mut back) = (vec![now()], None);
        let begin = pulse[0].0;
        while begin.elapsed() < SECOND * 10 {
            sleep(SECOND / 20).await;
            pulse.push(now());
            if back.is_none() && since(&pulse, EVERY).is_some_and(|rate| rate >= usual * 0.99) {
                back = Some(begin.elapsed());
            }
        }
        ratios.push(since(&pulse, EVERY * 2).unwrap() / usual);
        backs.push(back.map_or(f64::INFINITY, |back| back.as_secs_f64()));
    }
    running.stop().await;
    let figure = format!("rate 6 to 10 s after the death of PostgreSQL against before, {RESTARTS} deaths");
    table::row(&figure, &of(&ratios, percent), "≥ 99 %", "River 101 %, awa 100 % (postgres_restart)");
    backs.sort_by(f64::total_cmp);
    let ours = format!("{:.1} s; the longest {:.1} s", backs[RESTARTS / 2], backs[RESTARTS - 1]);
    table::row("PostgreSQL is back → two seconds with 99 % of the rate", &ours, "≤ 10 s", "–");
    let heard = errors.load(Ordering::Relaxed);
    table::row("errors that the process heard meanwhile, and went on", &heard.to_string(), "–", "–");
    drop(server);
    std::fs::remove_dir_all(folder).unwrap();
}

/// The number of writes at a moment.
type Writes = (Instant, f64);

fn rate(from: Writes, to: Writes) -> f64 {
    (to.1 - from.1) / to.0.duration_since(from.0).as_secs_f64()
}

/// The rate of the last span: a whole number of rounds, because all reads that were late come together.
fn since(pulse: &[Writes], span: Duration) -> Option<f64> {
    let last = *pulse.last()?;
    let from = pulse.iter().rev().find(|(at, _)| last.0.duration_since(*at) >= span)?;
    Some(rate(*from, last))
}
