//! Hints between processes, each played by a store of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::time::Instant;

use checkout_engine::{Nudge, Store, Target};
use checkout_store_postgres::Postgres;
use checkout_store_postgres::deadpool_postgres::{Manager, Pool};
use common::{Schema, Tested, runtime, url};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_postgres::{AsyncMessage, NoTls};

/// The connections that hold a place among those who listen for the schema.
async fn listeners(schema: &Schema) -> Result<Vec<i32>, tokio_postgres::Error> {
    let of = "SELECT l.pid FROM pg_locks l JOIN generate_series(0, 7) slot \
              ON (l.classid::bigint << 32) | l.objid::bigint = hashtextextended($1, slot) \
              WHERE l.locktype = 'advisory' AND l.granted";
    let key = format!("checkout-store-postgres listens {}", schema.name);
    schema.client.query(of, &[&key]).await?.iter().map(|row| row.try_get(0)).collect()
}

/// Hears what the store hears, and passes on the store's number.
fn hear(store: Postgres, number: usize, heard: &mpsc::UnboundedSender<usize>) -> JoinHandle<()> {
    let heard = heard.clone();
    tokio::spawn(async move {
        loop {
            store.woken().await;
            if heard.send(number).is_err() {
                return;
            }
        }
    })
}

/// Nudges nothing but a commit's hint: the checkout is there.
async fn nudge(store: &Postgres) -> Tested {
    store.nudge(&Nudge { target: Target::Id("a"), event: &[] }).await?;
    Ok(())
}

async fn with_a(schema: &Schema) -> Result<Postgres, Box<dyn std::error::Error>> {
    let store = schema.store().await?;
    schema.run("SELECT checkout.watch('a', 'peach', 'shop', 'live', 'reference', 'checkout-id')").await?;
    Ok(store)
}

/// Nudges until the store has heard; each hint may be lost.
async fn hears(store: &Postgres, other: &Postgres) -> Tested {
    let nudges = async {
        loop {
            nudge(other).await?;
        }
    };
    tokio::select! {
        () = store.woken() => Ok(()),
        failed = nudges => failed,
    }
}

#[test]
fn a_nudge_in_one_process_wakes_another_and_a_broken_connection_is_replaced() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    runtime().block_on(async {
        let schema = Schema::new().await?;
        let (nudges, store) = (with_a(&schema).await?, schema.store().await?);
        // The first word is that the store listens.
        store.woken().await;
        let first = listeners(&schema).await?;
        assert_eq!(first.len(), 1);
        hears(&store, &nudges).await?;
        schema.client.execute("SELECT pg_terminate_backend($1)", &[&first[0]]).await?;
        while listeners(&schema).await? == first {}
        // What came in between may be lost, so the new connection begins with a hint.
        store.woken().await;
        let second = listeners(&schema).await?;
        assert_eq!(second.len(), 1);
        assert_ne!(first, second);
        hears(&store, &nudges).await
    })
}

#[test]
fn of_many_processes_two_listen_and_another_takes_the_place_of_one_that_is_gone() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    runtime().block_on(async {
        let schema = Schema::new().await?;
        let nudges = with_a(&schema).await?;
        let (to, mut heard) = mpsc::unbounded_channel();
        let mut tasks = Vec::new();
        for number in 0..6 {
            let store = schema.options().connections(1).connect(&url()).await?;
            tasks.push(hear(store, number, &to));
        }
        let mut woken = BTreeSet::new();
        while woken.len() < 2 {
            nudge(&nudges).await?;
            woken.extend(heard.recv().await);
        }
        for _ in 0..20 {
            nudge(&nudges).await?;
            assert_eq!(listeners(&schema).await?.len(), 2);
            woken.extend(heard.try_recv());
        }
        assert_eq!(woken.len(), 2);
        // The store goes with its task, and so does its connection.
        let gone = *woken.first().expect("two have woken");
        tasks[gone].abort();
        loop {
            let number = heard.recv().await.expect("stores are left");
            if woken.insert(number) {
                break;
            }
        }
        assert_eq!(woken.len(), 3);
        assert!(listeners(&schema).await?.len() <= 2);
        Ok(())
    })
}

/// The hints come over a connection of the test's own, as the words of any program do.
#[test]
fn a_process_sends_one_hint_in_a_tenth_of_a_second_at_most() -> Tested {
    const NUDGES: u128 = 400;
    if common::has_no_server() {
        return Ok(());
    }
    runtime().block_on(async {
        let schema = Schema::new().await?;
        let nudges = with_a(&schema).await?;
        let (client, mut connection) = tokio_postgres::connect(&url(), NoTls).await?;
        let (to, mut heard) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(Ok(message)) = poll_fn(|cx| connection.poll_message(cx)).await {
                if let AsyncMessage::Notification(word) = message {
                    let _ = to.send(word.payload().to_owned());
                }
            }
        });
        client.batch_execute(&format!("LISTEN \"checkout_{}\"", schema.name)).await?;
        let begin = Instant::now();
        for _ in 0..NUDGES {
            nudge(&nudges).await?;
        }
        client.batch_execute(&format!("NOTIFY \"checkout_{}\", 'last'", schema.name)).await?;
        let mut hints = 0;
        while heard.recv().await.is_some_and(|word| word.is_empty()) {
            hints += 1;
        }
        // The first one goes out at once, and the last one may be late.
        let most = begin.elapsed().as_millis() / 100 + 2;
        assert!((1..=most).contains(&hints) && hints < NUDGES, "{hints} hints, {most} at most");
        Ok(())
    })
}

#[test]
fn a_store_over_a_pool_listens_where_it_is_told_to_and_one_without_notify_never() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    runtime().block_on(async {
        let schema = Schema::new().await?;
        let nudges = with_a(&schema).await?;
        let pool = || Pool::builder(Manager::new(url().parse().unwrap(), NoTls)).max_size(2).build().unwrap();
        let silent = schema.options().notify(false).connect(&url()).await?;
        let deaf = schema.options().open(pool()).await?;
        let told = schema.options().open(pool()).await?;
        told.listen(url().parse()?, NoTls);
        let (to, mut heard) = mpsc::unbounded_channel();
        for (number, store) in [silent, deaf, told].into_iter().enumerate() {
            hear(store, number, &to);
        }
        for _ in 0..3 {
            nudge(&nudges).await?;
            assert_eq!(heard.recv().await, Some(2));
        }
        assert_eq!(listeners(&schema).await?.len(), 1);
        Ok(())
    })
}
