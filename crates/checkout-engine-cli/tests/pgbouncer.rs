//! An engine and the program behind pgbouncer in transaction mode.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

#[path = "../../checkout-store-postgres/tests/common/bouncer.rs"]
mod bouncer;
mod seller;

use bouncer::Bouncer;
use checkout_store_postgres::Options;
use checkout_trust::replay::{AsyncStore as _, Commit, Key, Scheme, Slot};
use seller::{Outcome, Seller, standing};
use std::ffi::OsString;
use std::io::Write as _;
use std::time::Duration;
use tokio_postgres::NoTls;

const VARIABLE: &str = "CHECKOUT_TEST_POSTGRES";
const ORDERS: usize = 12;

/// The words of the program about a store.
async fn program(store: &str, schema: &str, words: &[&str]) -> Outcome<String> {
    let of_store = ["--store", store, "--schema", schema];
    let arguments: Vec<OsString> = of_store.iter().chain(words).map(OsString::from).collect();
    let ran = tokio::task::spawn_blocking(move || {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        (checkout_engine_cli::run(arguments, &mut out, &mut err), out, err)
    });
    let (code, out, err) = ran.await?;
    if code == 0 { Ok(String::from_utf8(out)?) } else { Err(String::from_utf8(err)?.into()) }
}

#[test]
fn orders_are_made_nudged_read_and_told_behind_a_pooler_in_transaction_mode() -> Outcome {
    let Ok(server) = std::env::var(VARIABLE) else {
        let _ = writeln!(std::io::stderr(), "{VARIABLE} is not set: this test has run nothing");
        return Ok(());
    };
    let Some(bouncer) = Bouncer::start(&server)? else {
        println!("not run: pgbouncer is not installed");
        return Ok(());
    };
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(async {
        let (schema, seller) = (format!("b_{}", std::process::id()), Seller::new());
        let (client, connection) = tokio_postgres::connect(&server, NoTls).await?;
        tokio::spawn(connection);
        program(&bouncer.url, &schema, &["migrate"]).await?;
        client.batch_execute(&standing(&schema, seller.sandbox.clock().now())).await?;
        let store =
            Options::new().schema(&schema).migrate(false).connections(12).connect(&bouncer.url).await?;
        let engine = seller.engine(store.clone(), |error| println!("{error}"))?;

        // Many at once, so that the transactions of a connection come to other connections of the server.
        let ids: Vec<String> = (1..=ORDERS).map(|number| format!("order-{number:02}")).collect();
        let created = ids.iter().map(async |id| Outcome::Ok(engine.create(id, Seller::draft(id)?).await?));
        futures_util::future::try_join_all(created).await?;
        let created = seller.sandbox.requests().len();
        let step = async || engine.step(|news| seller.tell(news)).await;
        step().await?;
        assert_eq!(seller.sandbox.requests().len(), created, "no read is due yet");
        let said = program(&bouncer.url, &schema, &["ls", "--state", "open"]).await?;
        assert!(ids.iter().all(|id| said.contains(id)), "{said}");
        let (first, others) = ids.split_first().ok_or("no orders")?;
        program(&bouncer.url, &schema, &["nudge", first]).await?;
        futures_util::future::try_join_all(others.iter().map(|id| engine.nudge(id))).await?;
        // A status is confirmed by a whole read, a second later.
        for _ in 0..3 {
            while step().await?.is_zero() {}
            let clock = seller.sandbox.clock();
            clock.advance(Duration::from_secs(2));
            client.batch_execute(&standing(&schema, clock.now())).await?;
        }
        seller.all_are_settled(&store, &ids, 0).await?;
        let said = program(&bouncer.url, &schema, &["ls", "--state", "settled"]).await?;
        assert!(ids.iter().all(|id| said.contains(id)), "{said}");

        let (now, lease) = (seller.sandbox.clock().now(), Duration::from_secs(30));
        let key = Key::new(Scheme::named("pooler").unwrap(), "m", ["event"], lease * 2);
        let Slot::Fresh(fence) = store.claim(&key, now, lease).await? else { return Err("not fresh".into()) };
        assert!(matches!(store.claim(&key, now, lease).await?, Slot::InFlight { .. }));
        assert_eq!(store.commit(&key, fence, now).await?, Commit::Committed);
        assert!(matches!(store.claim(&key, now, lease).await?, Slot::Done));

        client.batch_execute(&format!("DROP SCHEMA {schema} CASCADE")).await?;
        Ok(())
    })
}
