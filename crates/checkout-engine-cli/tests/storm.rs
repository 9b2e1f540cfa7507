//! Processes are killed all the time while they take payments, and the sandbox judges the outcome.
//!
//! The test starts the sandbox as a server, and processes of this very program, each with an engine over one
//! store. A process is killed by SIGKILL at a random moment, and the next one is started. Some processes are
//! stopped by SIGSTOP for longer than a lease, and go on. Webhooks come to any of the processes. Over
//! PostgreSQL, the server is the test's own: it dies, dies in its recovery, ends all connections, has no
//! connection left, and takes no writes. Half of the processes are of a newer program, which adds to every
//! table: from the beginning, or in the middle of the storm, under older processes at work. In the end
//! nothing happens any more, until every order has ended. Then the sandbox's books, the store's rows and the
//! shop's parcels are compared.
//!
//! The judge itself is held to storms of processes with a fault: it has to find each of them.
//!
//! The clock of a process is in no decision over PostgreSQL: the engine takes the time of the database, and
//! here the clocks of all processes are years away from the world's time, ten minutes ahead of each other or
//! behind, and one in four jumps. The clock of SQLite is the machine's, which all processes of a file share.
//!
//! | environment variable | meaning | default |
//! |---|---|---|
//! | `CHECKOUT_STORM_SECONDS` | how long processes are killed, at least | 4 |
//! | `CHECKOUT_STORM_ORDERS` | how many orders there are | 120 |
//! | `CHECKOUT_STORM_PROCESSES` | how many processes run at once | 4 |
//! | `CHECKOUT_STORM_SELLERS` | how many orders a process places at once | 2 |
//! | `CHECKOUT_STORM_MERCHANTS` | how many merchants sell; Peach's limit is the merchant's | 6 |
//! | `CHECKOUT_STORM_TIMES` | how much faster the world's time is | 20 |
//! | `CHECKOUT_STORM_KILLS` | how many processes are killed, at least | 8 a second |
//! | `CHECKOUT_STORM_STOPS` | how many processes are stopped | 1 in 3 seconds |
//! | `CHECKOUT_STORM_DEATHS` | how many troubles PostgreSQL has | 1 in 6 seconds |
//! | `CHECKOUT_STORM_LATENCY` | the longest way of an answer, in milliseconds | 100 |
//! | `CHECKOUT_STORM_SEED` | the seed of the kills and the orders | 1 |
//! | `CHECKOUT_STORM_TALK` | any value: the processes print their errors | none |
//!
//! The storms over PostgreSQL are not run where there are no programs of a server. One of them has its limits
//! in Redis, on the server that `CHECKOUT_TEST_REDIS` names, and is not run without the variable. Redis
//! forgets all limits in the storm, and no process hears a hint.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the storm says how it went")]
#![allow(clippy::wildcard_in_or_patterns, reason = "a fifth provider would be played like the last")]

#[path = "storm/blow.rs"]
mod blow;
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

/// The processes are real, and broken on purpose, each in one way.
#[test]
fn the_judge_finds_every_fault_of_a_process_that_is_put_in_on_purpose() -> Outcome {
    blow::broken_processes()
}

#[test]
fn a_storm_of_kills_over_postgres_loses_and_doubles_nothing() -> Outcome {
    if !blow::over_postgres(None)? {
        println!("{NO_SERVER}");
    }
    Ok(())
}

/// Redis forgets all limits in the storm.
#[test]
fn a_storm_of_kills_over_postgres_with_limits_in_redis_loses_and_doubles_nothing() -> Outcome {
    let Ok(redis) = std::env::var("CHECKOUT_TEST_REDIS") else {
        println!("not run: CHECKOUT_TEST_REDIS is not set");
        return Ok(());
    };
    if !blow::over_postgres(Some(redis))? {
        println!("{NO_SERVER}");
    }
    Ok(())
}

const NO_SERVER: &str = "not run: there are no programs of a PostgreSQL server in /usr/lib/postgresql";
