//! The store behind pgbouncer in transaction mode.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "tests")]

#[path = "common/bouncer.rs"]
mod bouncer;
mod common;

use bouncer::Bouncer;
use checkout_engine::{Store as _, conformance};
use checkout_store_postgres::Postgres;
use common::{Schema, Standing, Tested, runtime, url};

#[test]
fn a_pooler_in_transaction_mode_changes_no_answer() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    let Some(bouncer) = Bouncer::start(&url())? else {
        println!("not run: pgbouncer is not installed");
        return Ok(());
    };
    let make = async || {
        let schema = Schema::new().await.unwrap();
        let options = schema.options().connections(12);
        let store: Postgres = options.connect(&bouncer.url).await.unwrap();
        schema.stand().await.unwrap();
        (store, Standing(schema))
    };
    let runtime = runtime();
    runtime.block_on(conformance::histories(7, 600, &make))?;
    let (store, clock) = runtime.block_on(make());
    conformance::check_race(&store, &clock, |task| runtime.block_on(task))?;
    Ok(())
}

#[test]
fn behind_a_pooler_in_transaction_mode_a_store_does_not_listen() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    let Some(bouncer) = Bouncer::start(&url())? else {
        println!("not run: pgbouncer is not installed");
        return Ok(());
    };
    runtime().block_on(async {
        let schema = Schema::new().await?;
        let store: Postgres = schema.options().connect(&bouncer.url).await?;
        let listens = tokio::spawn({
            let store = store.clone();
            async move { store.woken().await }
        });
        // The store has asked to hear its own word, has not heard the word, and has given up.
        let given_up = "SELECT count(*) FROM pg_stat_activity WHERE query = $1";
        let unlisten = format!("UNLISTEN \"checkout_{}\"", schema.name);
        while schema.client.query_one(given_up, &[&unlisten]).await?.get::<_, i64>(0) == 0 {
            assert!(!listens.is_finished());
        }
        let key = format!("checkout-store-postgres listens {}", schema.name);
        let locks = "SELECT count(*) FROM pg_locks l JOIN generate_series(0, 1) slot \
                     ON (l.classid::bigint << 32) | l.objid::bigint = hashtextextended($1, slot) \
                     WHERE l.locktype = 'advisory'";
        assert_eq!(schema.client.query_one(locks, &[&key]).await?.get::<_, i64>(0), 0);
        assert!(!listens.is_finished());
        listens.abort();
        Ok(())
    })
}
