//! Processes are killed all the time while they take payments, and the sandbox judges the outcome.
//!
//! The test starts the sandbox as a server, and processes of this very program, each with an engine over one
//! store. A process is killed by SIGKILL at a random moment, and the next one is started. In the end nobody
//! is killed any more, until every order has ended. Then the sandbox's books, the store's rows and the shop's
//! parcels are compared.
//!
//! | environment variable | meaning | default |
//! |---|---|---|
//! | `CHECKOUT_STORM_SECONDS` | how long processes are killed | 4 |
//! | `CHECKOUT_STORM_ORDERS` | how many orders there are | 120 |
//! | `CHECKOUT_STORM_PROCESSES` | how many processes run at once | 4 |
//! | `CHECKOUT_STORM_SEED` | the seed of the kills and the orders | 1 |
//! | `CHECKOUT_TEST_POSTGRES` | a database for the same storm over PostgreSQL | none: SQLite alone |

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the storm says how it went")]
#![allow(clippy::wildcard_in_or_patterns, reason = "a fifth provider would be played like the last")]

#[path = "storm/blow.rs"]
mod blow;
#[path = "storm/hooks.rs"]
mod hooks;
#[path = "storm/judge.rs"]
mod judge;
#[path = "storm/log.rs"]
mod log;
#[path = "storm/orders.rs"]
mod orders;
#[path = "storm/server.rs"]
mod server;
#[path = "storm/shop.rs"]
mod shop;
#[path = "storm/weather.rs"]
mod weather;
#[path = "storm/worker.rs"]
mod worker;

use std::error::Error;

type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// The work of a process that the storm has started. Without the storm's variables it does nothing.
#[test]
fn worker_of_the_storm() -> Outcome {
    match weather::Weather::of_this_process()? {
        Some(weather) => worker::work(weather),
        None => Ok(()),
    }
}

#[test]
fn a_storm_of_kills_over_sqlite_loses_and_doubles_nothing() -> Outcome {
    blow::over_sqlite()
}

#[test]
fn a_storm_of_kills_over_postgres_loses_and_doubles_nothing() -> Outcome {
    if !blow::over_postgres()? {
        println!("not run: there are no programs of a PostgreSQL server in /usr/lib/postgresql");
    }
    Ok(())
}
