//! A disk that is full, under a server of the test's own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;
#[path = "common/disk.rs"]
mod disk;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::time::Duration;

use checkout_engine::{Checkout, Inserted, New, Provider, Store, StoreError};
use checkout_store_postgres::{Options, Postgres};
use checkout_tables::{Environment, Moment};
use common::{OPEN, Tested, client_of, runtime};
use disk::{Part, Server};

/// A checkout with notes of so many bytes, which no compression makes smaller.
fn checkout(id: &str, size: usize) -> Checkout {
    let mut seed =
        id.bytes().fold(0x9e37_79b9_7f4a_7c15_u64, |seed, byte| seed.rotate_left(9) ^ u64::from(byte));
    let mut notes = String::with_capacity(size + 16);
    while notes.len() < size {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        notes.push_str(&format!("{seed:016x}"));
    }
    Checkout {
        id: id.to_owned(),
        provider: Provider::Peach,
        merchant: "shop".to_owned(),
        environment: Environment::Sandbox,
        state: OPEN,
        reference: format!("reference {id}"),
        checkout_id: None,
        page: None,
        hold: None,
        notes: notes.into(),
        version: 0,
        created_at: Moment::from_unix_millis(0),
        changed_at: Moment::from_unix_millis(0),
    }
}

/// What became of the inserts.
#[derive(Default)]
struct Books {
    /// The answered ones, with their notes.
    answered: BTreeMap<String, Checkout>,
    /// Those of which the store said that nothing was written.
    refused: BTreeSet<String>,
    errors: usize,
}

impl Books {
    /// Inserts a checkout, and notes the answer: true if the store has answered.
    async fn insert(&mut self, store: &Postgres, id: &str, size: usize) -> bool {
        let row = checkout(id, size);
        match store.insert(&New { checkout: &row, watch: "", lease: Duration::ZERO }).await {
            // A repeat finds what an insert without an answer has left.
            Ok(Inserted::Fresh(..) | Inserted::Exists(_)) => {
                self.answered.insert(id.to_owned(), row);
                return true;
            }
            Ok(other @ Inserted::SameReference(_)) => panic!("{other:?}"),
            Err(StoreError::ReadOnly(_)) => drop(self.refused.insert(id.to_owned())),
            Err(StoreError::Unavailable(_)) => {}
            Err(error) => panic!("{error:?}"),
        }
        self.errors += 1;
        false
    }

    /// All that was answered is there with its work, and nothing that was refused.
    async fn hold(&self, server: &Server, store: &Postgres) -> Tested {
        for (id, row) in &self.answered {
            let there = store.checkout(id).await?;
            assert_eq!(there.as_ref().map(|there| &there.notes), Some(&row.notes), "{id}");
        }
        for id in self.refused.iter().filter(|id| !self.answered.contains_key(*id)) {
            assert_eq!(store.checkout(id).await?, None, "{id} was refused");
        }
        let mut work = BTreeSet::new();
        for row in client_of(&server.url()).await?.query("SELECT id FROM checkout.work", &[]).await? {
            work.insert(row.try_get::<_, String>(0)?);
        }
        let lost: Vec<&String> = self.answered.keys().filter(|id| !work.contains(*id)).collect();
        assert!(lost.is_empty(), "without work: {lost:?}");
        Ok(())
    }
}

/// None, and a word about it, where there can be no such server.
fn server(name: &str, small: Part) -> std::io::Result<Option<Server>> {
    if common::has_no_server() {
        return Ok(None);
    }
    match Server::start(name, small)? {
        Ok(server) => Ok(Some(server)),
        Err(why) => {
            let _ = writeln!(std::io::stderr(), "{why}: this test has run nothing");
            Ok(None)
        }
    }
}

#[test]
fn a_full_disk_of_the_data_refuses_writes_and_the_store_goes_on_once_there_is_room() -> Tested {
    let Some(server) = server("full-data", Part::Data)? else { return Ok(()) };
    runtime().block_on(async {
        let store = Options::new().connections(2).connect(&server.url()).await?;
        let mut books = Books::default();
        for number in 0..5 {
            assert!(books.insert(&store, &format!("before {number}"), 1_000).await);
        }
        server.disk.fill()?;
        // The pages that are there may have room yet.
        for size in [100_000, 1_000, 10] {
            for number in 0_u64.. {
                if !books.insert(&store, &format!("{size} {number}"), size).await {
                    break;
                }
            }
        }
        assert_eq!((books.errors, books.refused.len()), (3, 3), "a full disk is told as what it is");
        books.hold(&server, &store).await?;
        server.disk.make_room()?;
        assert!(books.insert(&store, "after", 100_000).await, "the first write that has room is done");
        books.hold(&server, &store).await?;
        // Nor does a loss of power lose anything.
        server.end();
        server.begin()?;
        while !books.insert(&store, "later", 10).await {}
        books.hold(&server, &store).await
    })
}

#[test]
fn a_full_disk_of_the_log_ends_the_server_and_the_store_goes_on_once_there_is_room() -> Tested {
    let Some(server) = server("full-log", Part::Log)? else { return Ok(()) };
    runtime().block_on(async {
        let store = Options::new().connections(2).connect(&server.url()).await?;
        let mut books = Books::default();
        for number in 0..5 {
            assert!(books.insert(&store, &format!("before {number}"), 1_000).await);
        }
        server.disk.fill()?;
        for number in 0_u64.. {
            if !books.insert(&store, &number.to_string(), 100_000).await {
                break;
            }
        }
        // The server broke off: nobody knows what became of the write.
        assert_eq!((books.errors, books.refused.len()), (1, 0));
        server.disk.make_room()?;
        server.end();
        server.begin()?;
        while !books.insert(&store, "after", 100_000).await {}
        books.hold(&server, &store).await
    })
}
