//! An engine at work while the disk of its store is full: the loop goes on, and when there is room again,
//! each order comes to its end.
#![allow(clippy::expect_used, reason = "tests")]

#[path = "../../checkout-store-postgres/tests/common/disk.rs"]
mod disk;
mod seller;

use checkout_engine::{EngineError, Store, StoreError};
use checkout_store_postgres::Options;
use checkout_store_sqlite::Sqlite;
use disk::{Disk, Part, Server};
use seller::{Outcome, Seller, is_settled, standing};
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;
use tokio_postgres::NoTls;

const SECOND: Duration = Duration::from_secs(1);

/// The orders before the disk is full.
const ORDERS: usize = 20;

/// None, and a word about it, where no small disk can be mounted.
fn or_a_word<T>(found: Result<T, String>) -> Option<T> {
    match found {
        Ok(found) => Some(found),
        Err(why) => {
            let _ = writeln!(std::io::stderr(), "{why}: this test has run nothing");
            None
        }
    }
}

/// A disk that can be filled.
trait Fills {
    fn fill(&self) -> Outcome;
    /// Makes room, and starts what the full disk has ended.
    fn make_room(&self) -> Outcome;
    /// True if no claim is possible while the disk is full. Else the pages that are there have room for
    /// claims.
    fn ends_claims(&self) -> bool;
}

impl Fills for Disk {
    fn fill(&self) -> Outcome {
        Ok(Self::fill(self)?)
    }

    fn make_room(&self) -> Outcome {
        Ok(Self::make_room(self)?)
    }

    fn ends_claims(&self) -> bool {
        true
    }
}

impl Fills for Server {
    fn fill(&self) -> Outcome {
        Ok(self.disk.fill()?)
    }

    fn make_room(&self) -> Outcome {
        self.disk.make_room()?;
        self.end();
        Ok(self.begin()?)
    }

    fn ends_claims(&self) -> bool {
        self.small == Part::Log
    }
}

/// An engine's loop runs all the time, while the time passes. The disk is filled while orders come and are
/// read.
async fn play<S: Store + Clone + 'static>(
    seller: Seller,
    store: S,
    disk: &impl Fills,
    pass: impl AsyncFn(),
) -> Outcome {
    let (errors, all_errors) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let heard = [Arc::clone(&errors), Arc::clone(&all_errors)];
    let engine = seller.engine(store.clone(), move |_| {
        for heard in &heard {
            heard.fetch_add(1, Ordering::SeqCst);
        }
    })?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let run = engine.run(|news| seller.tell(news), async { drop(stopped.await) });
    // The world's time is twenty times as fast as the machine's.
    let time = async {
        loop {
            pass().await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let test = async {
        let mut ids: Vec<String> = (0..ORDERS).map(|number| format!("order-{number}")).collect();
        for id in &ids {
            engine.create(id, Seller::draft(id)?).await?;
        }
        disk.fill()?;
        let nudge = async || {
            for id in &ids {
                if let Err(error) = engine.nudge(id).await {
                    is_of_the_disk(&error.into())?;
                }
            }
            Outcome::Ok(())
        };
        // The loop alone has errors to tell.
        while disk.ends_claims() && errors.load(Ordering::SeqCst) == 0 {
            nudge().await?;
        }
        errors.store(0, Ordering::SeqCst);
        // Orders come until the disk has no place for one. An answer in hand waits for room.
        let (has_room, mut late) = (AtomicBool::new(false), Vec::new());
        let create = async {
            while !has_room.load(Ordering::SeqCst) {
                let id = format!("late-{}", late.len());
                let created = engine.create(&id, Seller::draft(&id)?).await;
                late.push(id);
                if let Err(error) = created {
                    is_of_the_disk(&error)?;
                    break;
                }
            }
            // A refused order is an error that the loop need not have heard.
            errors.fetch_add(1, Ordering::SeqCst);
            Outcome::Ok(())
        };
        let make_room = async {
            while errors.load(Ordering::SeqCst) == 0 {
                nudge().await?;
            }
            has_room.store(true, Ordering::SeqCst);
            disk.make_room()
        };
        tokio::try_join!(create, make_room)?;
        ids.extend(late);
        for id in &ids {
            // The same order is the same checkout.
            while let Err(error) = engine.create(id, Seller::draft(id)?).await {
                is_of_the_disk(&error)?;
            }
            while engine.nudge(id).await.is_err() {}
        }
        for id in &ids {
            while !store.checkout(id).await?.is_some_and(|row| is_settled(&row)) {
                tokio::task::yield_now().await;
            }
        }
        while store.figures().await?.news > 0 {
            tokio::task::yield_now().await;
        }
        drop(stop);
        Outcome::Ok(ids)
    };
    let ended = async {
        let ((), ids) = tokio::join!(run, test);
        ids
    };
    let ids = tokio::select! {
        ids = ended => ids?,
        () = time => Vec::new(),
    };
    // A full disk may not take the end of a telling, which is one of the errors of the loop then.
    seller.all_are_settled(&store, &ids, all_errors.load(Ordering::SeqCst)).await
}

/// The errors of a full disk, or of a server that the full disk has ended.
fn is_of_the_disk(error: &EngineError) -> Outcome {
    let is_of_the_disk =
        matches!(error, EngineError::Store(StoreError::ReadOnly(_) | StoreError::Unavailable(_)));
    if is_of_the_disk { Ok(()) } else { Err(format!("{error:?}").into()) }
}

fn block_on(test: impl Future<Output = Outcome>) -> Outcome {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(async {
        // A loop that hangs is told as what it is.
        tokio::time::timeout(Duration::from_secs(120), test).await?
    })
}

#[test]
fn an_engine_over_sqlite_goes_on_once_a_full_disk_has_room() -> Outcome {
    let Some(disk) = or_a_word(Disk::mount("full-sqlite")?) else { return Ok(()) };
    let seller = Seller::new();
    let clock = seller.sandbox.clock().clone();
    let store = Sqlite::builder(disk.place().join("shop.db")).clock(move || clock.now()).open()?;
    let clock = seller.sandbox.clock().clone();
    block_on(play(seller, store, &disk, async || clock.advance(SECOND)))
}

fn over_postgres(name: &str, small: Part) -> Outcome {
    let Some(server) = or_a_word(Server::start(name, small)?) else { return Ok(()) };
    let seller = Seller::new();
    block_on(async {
        let store = Options::new().connect(&server.url()).await?;
        let (client, connection) = tokio_postgres::connect(&server.url(), NoTls).await?;
        tokio::spawn(connection);
        let clock = seller.sandbox.clock().clone();
        client.batch_execute(&standing("checkout", clock.now())).await?;
        // Time stands while the server takes no writes.
        let pass = async || {
            let later = standing("checkout", clock.now().saturating_add(SECOND));
            if let Ok((client, connection)) = tokio_postgres::connect(&server.url(), NoTls).await {
                let connection = tokio::spawn(connection);
                if client.batch_execute(&later).await.is_ok() {
                    clock.advance(SECOND);
                }
                connection.abort();
            }
        };
        play(seller, store, &server, pass).await
    })
}

#[test]
fn an_engine_over_postgres_goes_on_once_a_full_disk_of_the_log_has_room() -> Outcome {
    over_postgres("engine-log", Part::Log)
}

#[test]
fn an_engine_over_postgres_goes_on_once_a_full_disk_of_the_data_has_room() -> Outcome {
    over_postgres("engine-data", Part::Data)
}
