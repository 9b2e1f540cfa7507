//! The suite of the replay guard's stores.
#![allow(clippy::indexing_slicing, reason = "tests")]

mod folder;

use checkout_engine::StoreError;
use checkout_store_sqlite::Sqlite;
use checkout_tables::Moment;
use checkout_trust::replay::conformance;
use checkout_trust::replay::{AsyncStore, Commit, FencingToken, Key, Release, Slot};
use folder::Folder;
use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Two stores of one file, as two processes have them, by turns.
struct Two {
    stores: [Sqlite; 2],
    turn: AtomicUsize,
}

impl Two {
    fn next(&self) -> &Sqlite {
        &self.stores[self.turn.fetch_add(1, Ordering::Relaxed) % 2]
    }
}

impl AsyncStore for Two {
    type Error = StoreError;

    async fn claim(&self, key: &Key, now: Moment, lease: Duration) -> Result<Slot, StoreError> {
        AsyncStore::claim(self.next(), key, now, lease).await
    }

    async fn commit(&self, key: &Key, fence: FencingToken, now: Moment) -> Result<Commit, StoreError> {
        AsyncStore::commit(self.next(), key, fence, now).await
    }

    async fn release(&self, key: &Key, fence: FencingToken) -> Result<Release, StoreError> {
        AsyncStore::release(self.next(), key, fence).await
    }
}

#[test]
fn a_store_in_memory_passes_the_suite_of_the_replay_guard() -> Result<(), Box<dyn Error>> {
    conformance::check_async_store(
        || Sqlite::in_memory().open().unwrap(),
        |future| pollster::block_on(future),
    )?;
    Ok(())
}

#[test]
fn two_stores_of_one_file_pass_the_suite_of_the_replay_guard() -> Result<(), Box<dyn Error>> {
    let folder = Folder::new("replay")?;
    let number = AtomicUsize::new(0);
    let make = || {
        let path = folder.file(&format!("{}.db", number.fetch_add(1, Ordering::Relaxed)));
        let open = || Sqlite::open(&path).unwrap();
        Two { stores: [open(), open()], turn: AtomicUsize::new(0) }
    };
    conformance::check_async_store(make, |future| pollster::block_on(future))?;
    Ok(())
}
