//! The rate after the database's death, under a constant load.

use crate::table::{self, of, percent};
use crate::world::{Fill, Place, Provider, Reads, Running, builder, names, unique};
use checkout_client::PollPolicy;
use checkout_engine::{Provider as Of, Rules};
use checkout_store_postgres::Options;
use server::PgServer;
use std::collections::HashMap;
use std::env;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
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
    let (errors, (heard, reads)) = (Arc::new(AtomicU64::new(0)), mpsc::unbounded_channel());
    let provider = Provider { heard: Some(heard), silent: false };
    let lease = Duration::from_secs(30);
    let builder = builder(store, provider, &names(MERCHANTS), lease, &errors).rules(rules);
    let running = Running::start(&builder.build().unwrap());
    let mut pulse = Pulse { reads, last: HashMap::new() };
    // All were due at once.
    sleep(SECOND * 10).await;
    let (mut ratios, mut backs) = (Vec::new(), Vec::new());
    for _ in 0..RESTARTS {
        let usual = pulse.rate();
        let dies = Arc::clone(&server);
        tokio::task::spawn_blocking(move || dies.die()).await.unwrap().unwrap();
        let (begin, mut back, mut rate) = (Instant::now(), 0.0, usual);
        while begin.elapsed() < SECOND * 10 {
            sleep(SECOND / 20).await;
            rate = pulse.rate();
            if rate < usual * 0.99 {
                back = begin.elapsed().as_secs_f64();
            }
        }
        ratios.push(rate / usual);
        backs.push(back);
    }
    running.stop().await;
    let figure = format!("rate 10 s after the death of PostgreSQL against before, {RESTARTS} deaths");
    table::row(&figure, &of(&ratios, percent), "≥ 99 %", "River 101 %, awa 100 % (postgres_restart)");
    backs.sort_by(f64::total_cmp);
    let ours = format!("{:.1} s; the longest {:.1} s", backs[RESTARTS / 2], backs[RESTARTS - 1]);
    table::row("PostgreSQL is back → 99 % of the rate, from then on", &ours, "≤ 10 s", "–");
    let heard = errors.load(Ordering::Relaxed);
    table::row("errors that the process heard meanwhile, and went on", &heard.to_string(), "–", "–");
    drop(server);
    std::fs::remove_dir_all(folder).unwrap();
}

/// The reads of each checkout.
struct Pulse {
    reads: Reads,
    /// The last read, and the time between the two last reads.
    last: HashMap<String, (Instant, Duration)>,
}

impl Pulse {
    /// The reads a second of all checkouts, each by the time between the two last reads, or since the last
    /// one where that is longer. The reads of a span would not do: late reads come together, and some of them
    /// would be beyond the span's ends.
    fn rate(&mut self) -> f64 {
        while let Ok((path, at)) = self.reads.try_recv() {
            let between = self.last.get(&path).map_or(Duration::ZERO, |(last, _)| at.duration_since(*last));
            self.last.insert(path, (at, between));
        }
        assert_eq!(self.last.len(), OPEN as usize, "each checkout was read");
        let spans = self.last.values().map(|(last, between)| last.elapsed().max(*between));
        f64::from(OPEN) / (spans.sum::<Duration>() / OPEN).as_secs_f64()
    }
}
