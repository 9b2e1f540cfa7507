//! What the machine itself does, without a line of the engine: the measure of the other figures.

use crate::table::{self, RUNS, a_second, of};
use crate::world::{Place, connect, url};
use std::env;
use std::time::{Duration, Instant};

const SPAN: Duration = Duration::from_secs(1);

/// Commits of one row in a file of SQLite, and questions and commits of one connection of PostgreSQL.
pub(crate) async fn machine() {
    let place = Place::sqlite("machine");
    let Place::Sqlite(path) = &place else { panic!("a file") };
    let connection = rusqlite::Connection::open(path).unwrap();
    let begin = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE one AS SELECT 1 AS n";
    connection.execute_batch(begin).unwrap();
    let rates =
        again(async || assert_eq!(connection.execute("UPDATE one SET n = n + 1", []).unwrap(), 1)).await;
    drop(connection);
    place.delete().await;
    table::row("commits of one row, one after the other, SQLite FULL", &of(&rates, a_second), "–", "–");
    if env::var("CHECKOUT_TEST_POSTGRES").is_err() {
        return table::row("not measured", "CHECKOUT_TEST_POSTGRES is not set", "", "");
    }
    let place = Place::postgres("machine").await;
    let Place::Postgres { schema, .. } = &place else { panic!("a schema") };
    place.run("CREATE TABLE checkout.one AS SELECT 1 AS n").await;
    let client = connect(&url()).await;
    for (figure, statement) in [
        ("questions, one after the other, PostgreSQL: SELECT 1", "SELECT 1".to_owned()),
        ("commits of one row, one after the other, PostgreSQL", format!("UPDATE {schema}.one SET n = n + 1")),
    ] {
        let statement = client.prepare(&statement).await.unwrap();
        let rates = again(async || drop(client.query(&statement, &[]).await.unwrap())).await;
        table::row(figure, &of(&rates, a_second), "–", "–");
    }
    place.delete().await;
}

/// How often a second.
async fn again(once: impl AsyncFn()) -> Vec<f64> {
    let mut rates = Vec::new();
    for _ in 0..RUNS {
        let (begin, mut count) = (Instant::now(), 0_u32);
        while begin.elapsed() < SPAN {
            once().await;
            count += 1;
        }
        rates.push(f64::from(count) / begin.elapsed().as_secs_f64());
    }
    rates
}
