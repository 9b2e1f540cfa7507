//! The engine's figures in one table, beside what is wanted and what others publish:
//!
//! ```sh
//! cargo bench -p checkout-engine-cli --bench figures                # all figures
//! cargo bench -p checkout-engine-cli --bench figures -- polls idle  # these parts alone
//! ```
//!
//! | environment variable | meaning |
//! |---|---|
//! | `CHECKOUT_TEST_POSTGRES` | a PostgreSQL for the parts on PostgreSQL; the role may create databases |
//! | `CHECKOUT_TEST_REDIS` | a Redis for the parts on Redis |
//! | `CHECKOUT_BENCH_CHURN_SECONDS` | how long the part `churn` polls; 50 by default |
//! | `CHECKOUT_BENCH_ENDED` | how many checkouts have ended in the parts `ended-…`; 1,000,000 by default |
//! | `CHECKOUT_BENCH_LEASE` | the lease of the parts `take-over-…`, in seconds; 3 by default |
//! | `CHECKOUT_BENCH_SNAPSHOT_SECONDS` | how long the part `snapshot` claims beside one; 24 by default |
//! | `CHECKOUT_BENCH_FOLDER` | the folder of the SQLite files: the disk decides. The temporary folder by default |
//!
//! The processes, the server and the client share the machine's cores. Each figure has a schema, a key prefix
//! or a file of its own. A figure is the median of its runs, with the least of them in brackets. The figures
//! of others are those that they publish, on their own hardware.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::float_arithmetic,
    clippy::disallowed_types,
    reason = "a benchmark"
)]

#[path = "figures/health.rs"]
mod health;
#[path = "figures/lags.rs"]
mod lags;
#[path = "figures/machine.rs"]
mod machine;
#[path = "figures/process.rs"]
mod process;
#[path = "figures/rates.rs"]
mod rates;
#[path = "figures/recovery.rs"]
mod recovery;
#[path = "figures/table.rs"]
mod table;
#[path = "figures/world.rs"]
mod world;

use std::collections::BTreeSet;
use std::env;
use world::Kind;

/// A part needs no server, or the one whose variable is named.
const PARTS: [(&str, &str); 24] = [
    ("machine", ""),
    ("polls-sqlite", ""),
    ("polls-postgres", POSTGRES),
    ("pairs", ""),
    ("busy", ""),
    ("shared-limit", REDIS),
    ("lane-limit", POSTGRES),
    ("limiter-postgres", POSTGRES),
    ("limiter-redis", REDIS),
    ("replay", POSTGRES),
    ("nudge-sqlite", ""),
    ("nudge-postgres", POSTGRES),
    ("take-over-sqlite", ""),
    ("take-over-postgres", POSTGRES),
    ("fair-sqlite", ""),
    ("fair-postgres", POSTGRES),
    ("snapshot", POSTGRES),
    ("recovery", ""),
    ("churn", POSTGRES),
    ("merchants-sqlite", ""),
    ("merchants-postgres", POSTGRES),
    ("ended-sqlite", ""),
    ("ended-postgres", POSTGRES),
    ("idle", POSTGRES),
];

const POSTGRES: &str = "CHECKOUT_TEST_POSTGRES";
const REDIS: &str = "CHECKOUT_TEST_REDIS";

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    if let Some(at) = arguments.iter().position(|argument| argument == process::CHILD) {
        return runtime.block_on(process::work(&arguments[at + 1..]));
    }
    // `cargo test` runs benches too, and without this word.
    if arguments.iter().all(|argument| argument != "--bench") {
        return;
    }
    let chosen: BTreeSet<&str> =
        arguments.iter().map(String::as_str).filter(|name| !name.starts_with("--")).collect();
    table::head();
    for (part, server) in PARTS {
        if !chosen.is_empty() && !chosen.contains(part) {
            continue;
        }
        table::begin(part);
        if !server.is_empty() && env::var(server).is_err() {
            table::row("not measured", &format!("{server} is not set"), "", "");
            continue;
        }
        runtime.block_on(run(part));
    }
}

async fn run(part: &str) {
    match part {
        "machine" => machine::machine().await,
        "polls-sqlite" => rates::polls_sqlite().await,
        "polls-postgres" => rates::polls_postgres().await,
        "pairs" => rates::pairs().await,
        "busy" => rates::busy().await,
        "shared-limit" => rates::shared_limit().await,
        "lane-limit" => rates::lane_limit().await,
        "limiter-postgres" => rates::limiter_postgres().await,
        "limiter-redis" => rates::limiter_redis().await,
        "replay" => rates::replay().await,
        "nudge-sqlite" => lags::nudge(Kind::SQLite).await,
        "nudge-postgres" => lags::nudge(Kind::PostgreSQL).await,
        "take-over-sqlite" => lags::take_over(Kind::SQLite).await,
        "take-over-postgres" => lags::take_over(Kind::PostgreSQL).await,
        "fair-sqlite" => lags::fair(Kind::SQLite).await,
        "fair-postgres" => lags::fair(Kind::PostgreSQL).await,
        "snapshot" => health::snapshot().await,
        "recovery" => recovery::recovery().await,
        "churn" => health::churn().await,
        "merchants-sqlite" => health::merchants(Kind::SQLite).await,
        "merchants-postgres" => health::merchants(Kind::PostgreSQL).await,
        "ended-sqlite" => health::ended(Kind::SQLite).await,
        "ended-postgres" => health::ended(Kind::PostgreSQL).await,
        _ => health::idle().await,
    }
}
