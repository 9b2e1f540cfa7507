//! Two workers of apalis drive the checkouts of three providers to their ends.

use checkout_apalis::{every, worker};
use checkout_kit::engine::{Draft, Engine, News, Subject};
use checkout_kit::{
    Cents, Environment, Request, Response, Transport, TransportError, allscale, azotte, peach,
};
use checkout_sandbox::VirtualClock;
use checkout_store_sqlite::{Sqlite, TAKE_NEWS};
use futures_util::stream::StreamExt as _;
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;

type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// The three providers, behind one clock.
#[derive(Clone)]
struct Providers {
    clock: VirtualClock,
    allscale: checkout_sandbox::allscale::Sandbox,
    azotte: checkout_sandbox::azotte::Sandbox,
    peach: checkout_sandbox::peach::Sandbox,
}

impl Providers {
    fn new() -> Self {
        let allscale = checkout_sandbox::allscale::Sandbox::new(1);
        let clock = allscale.clock().clone();
        Self {
            azotte: checkout_sandbox::azotte::Sandbox::builder().clock(clock.clone()).build(),
            peach: checkout_sandbox::peach::Sandbox::builder().clock(clock.clone()).build(),
            allscale,
            clock,
        }
    }

    /// What the providers' books say was paid and made, by reference.
    fn books(&self) -> BTreeMap<String, (bool, usize)> {
        let mut books: BTreeMap<String, (bool, usize)> = BTreeMap::new();
        let mut note = |reference: &str, paid| {
            let book = books.entry(reference.to_owned()).or_default();
            *book = (book.0 || paid, book.1 + 1);
        };
        for intent in self.allscale.intents() {
            note(intent.order_id.as_deref().unwrap_or("none"), intent.status == 20); // CONFIRMED
        }
        for checkout in self.azotte.checkouts() {
            let reference = checkout.correlation_id.as_deref().unwrap_or("none");
            note(reference, self.azotte.captures_of(reference) == 1);
        }
        for checkout in self.peach.checkouts() {
            // A payment, and the sandbox's usual payment.
            let paid = [checkout_sandbox::peach::SUCCESS, "000.100.110"].contains(&&*checkout.code);
            note(&checkout.merchant_transaction_id, paid);
        }
        books
    }
}

impl Transport for Providers {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        if host.contains("allscale") {
            self.allscale.send(request).await
        } else if host.contains("azotte") {
            self.azotte.send(request).await
        } else {
            self.peach.send(request).await
        }
    }
}

/// An engine as each process has one, on the one file.
fn engine(file: &Path, providers: &Providers) -> Outcome<Engine<Sqlite, Providers>> {
    use checkout_sandbox::{allscale as of_allscale, azotte as of_azotte, peach as of_peach};
    let clock = providers.clock.clone();
    // A job that finds the file locked fails soon.
    let store =
        Sqlite::builder(file).clock(move || clock.now()).patience(Duration::from_millis(20)).open()?;
    let key = allscale::SigningKey::new(of_allscale::API_KEY, of_allscale::API_SECRET.into())?;
    let azotte = azotte::Client::builder("acme", of_azotte::X_TN, of_azotte::API_KEY.into());
    let token = peach::SecretToken::new(of_peach::SECRET_TOKEN.into())?;
    let peach = peach::Client::builder(of_peach::ENTITY_ID, token).referer(of_peach::REFERER);
    let engine = Engine::builder(store, providers.clone())
        .provider(allscale::Client::builder(key).environment(Environment::Sandbox).build()?)
        .provider(azotte.environment(Environment::Sandbox).build()?)
        .provider(peach.environment(Environment::Sandbox).build()?);
    Ok(engine.build()?)
}

fn drafts(number: usize) -> Outcome<[(String, Draft); 3]> {
    let id = |provider: &str| format!("{provider}{number:04}");
    let [for_allscale, for_azotte, for_peach] = ["allscale", "azotte", "peach"].map(id);
    let of_allscale =
        allscale::Draft::fiat(allscale::Currency::EUR, Cents::new(49_90)).order_id(for_allscale.clone());
    let of_azotte = azotte::Draft::stored_method(azotte::PaymentChannel::CreditCard)
        .offer_identifier("of_1")
        .item("it_1")
        .customer_urn("cu.00.482")
        .correlation_id(for_azotte.clone());
    let of_peach = peach::Draft::debit(peach::Currency::ZAR, Cents::new(89_900))
        .entity_id(checkout_sandbox::peach::ENTITY_ID)
        .merchant_transaction_id(for_peach.clone())
        .shopper_result_url("https://shop.example/result");
    Ok([
        (for_allscale, of_allscale.check()?.into()),
        (for_azotte, of_azotte.check()?.into()),
        (for_peach, of_peach.check()?.into()),
    ])
}

/// The shop: takes news and adds the parcel in one transaction.
fn take(shop: &Mutex<Connection>, news: &News) -> Outcome {
    let mut shop = shop.lock().map_err(|poisoned| poisoned.to_string())?;
    let transaction = shop.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    if transaction.execute(TAKE_NEWS, [&news.key])? == 1 {
        let table = if news.subject == Subject::Settled { "parcel" } else { "unpaid" };
        transaction.execute(&format!("INSERT INTO {table} (id) VALUES (?1)"), [&news.id])?;
    }
    Ok(transaction.commit()?)
}

fn file(name: &str) -> Outcome<(PathBuf, PathBuf)> {
    let folder = std::env::temp_dir().join(format!("checkout-apalis-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    Ok((folder.join("shop.db"), folder))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_workers_settle_each_paid_order_once_over_jobs_that_fail() -> Outcome {
    let (providers, (file, folder)) = (Providers::new(), file("workers")?);
    let engines = [engine(&file, &providers)?, engine(&file, &providers)?];
    let shop = Connection::open(&file)?;
    shop.busy_timeout(Duration::from_secs(30))?;
    // A row twice would be an error, and an order with both would be found below.
    shop.execute_batch(
        "CREATE TABLE parcel (id TEXT PRIMARY KEY) STRICT; CREATE TABLE unpaid (id TEXT PRIMARY KEY) STRICT",
    )?;
    let shop = Arc::new(Mutex::new(shop));

    // Every second order is not paid.
    let orders = 4;
    for number in 0..orders {
        if number % 2 == 1 {
            use checkout_sandbox::{allscale, azotte, peach};
            providers.allscale.next_intent(allscale::Scenario::canceled());
            providers.azotte.next_checkout(azotte::Scenario::failed());
            providers.peach.next_checkout(peach::Scenario::cancelled());
        }
        for (id, draft) in drafts(number)? {
            engines[0].create(&id, draft).await?;
        }
    }

    // Somebody holds the file until each worker has had three jobs, all of which fail.
    let holds = Connection::open(&file)?;
    holds.execute_batch("BEGIN IMMEDIATE")?;
    let (holds, failing) = (Arc::new(Mutex::new(Some(holds))), Arc::new(AtomicUsize::new(engines.len())));
    let (stop, stopped) = watch::channel(false);
    let stop = Arc::new(stop);
    let workers = engines.iter().enumerate().map(|(number, engine)| {
        let (mut jobs, holds, failing, engine_of) = (0, holds.clone(), failing.clone(), engine.clone());
        let clock = providers.clock.clone();
        // A tick means that the job before has ended. Time passes with the ticks alone.
        let ticks = every(Duration::from_millis(1)).inspect(move |_| {
            clock.advance(Duration::from_secs(2));
            jobs += 1;
            if jobs == 4 {
                assert_eq!(engine_of.counters().claims(), 0, "a job has found the file free");
            }
            if jobs == 4 && failing.fetch_sub(1, Ordering::SeqCst) == 1 {
                drop(holds.lock().map(|mut holds| holds.take()));
            }
            assert!(jobs < 20_000, "no end: {:?}", engine_of.counters());
        });
        let (shop, stop, mut stopped) = (shop.clone(), stop.clone(), stopped.clone());
        let tell = move |news: News| {
            let told = take(&shop, &news).and_then(|()| {
                let shop = shop.lock().map_err(|poisoned| poisoned.to_string())?;
                let told = "SELECT (SELECT count(*) FROM parcel) + (SELECT count(*) FROM unpaid)";
                if usize::try_from(shop.query_row(told, [], |row| row.get::<_, i64>(0))?)? == orders * 3 {
                    stop.send_replace(true);
                }
                Ok(())
            });
            std::future::ready(told)
        };
        let ends = async move { drop(stopped.wait_for(|stop| *stop).await) };
        worker(if number == 0 { "one" } else { "two" }, ticks.boxed(), engine.clone(), tell, ends)
    });
    let ended = futures_util::future::join_all(workers).await;
    ended.into_iter().collect::<Result<Vec<_>, _>>()?;

    let shop = shop.lock().map_err(|poisoned| poisoned.to_string())?;
    let mut rows = shop.prepare("SELECT id, 1 FROM parcel UNION ALL SELECT id, 0 FROM unpaid ORDER BY id")?;
    let told = rows.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?)))?;
    let told: Vec<_> = told.collect::<Result<_, _>>()?;
    let books: Vec<_> = providers.books().into_iter().collect();
    assert!(books.iter().all(|(_, (_, made))| *made == 1), "{books:?}");
    let paid: Vec<_> = books.into_iter().map(|(id, (paid, _))| (id, paid)).collect();
    assert_eq!(told, paid);
    assert_eq!(paid.iter().filter(|(_, paid)| *paid).count(), orders * 3 / 2);
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

#[test]
fn the_page_shows_the_worker_word_for_word() -> Outcome {
    let block = include_str!("../../engine.md").split("```rust,ignore\n").nth(1).ok_or("no block")?;
    let block = block.split("```").next().ok_or("no end")?;
    let (_, worker) = include_str!("../src/lib.rs").split_once("\n\n").ok_or("no code")?;
    assert_eq!(block, worker);
    Ok(())
}
