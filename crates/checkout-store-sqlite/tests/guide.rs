//! The functions that docs/engine.md shows, and README.md's lines about the engine. Each stands here word for
//! word, and runs against the sandboxes.
#![allow(clippy::print_stderr, reason = "code of the page")]

mod folder;

use checkout_kit::engine::{Engine, Machine, Memory, Rules, State};
use checkout_kit::{Cents, Environment, KeyRing, Moment, Request, Response, Transport, TransportError};
use checkout_kit::{allscale, azotte, peach};
use checkout_sandbox::VirtualClock;
use checkout_store_sqlite::{Sqlite, WATCH};
use folder::Folder;
use rusqlite::Connection;
use std::error::Error;
use std::sync::Mutex;
use std::time::Duration;

type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

mod begin {
    use checkout_kit::engine::{BuildError, Engine};
    use checkout_kit::{Transport, allscale, azotte, peach};
    use checkout_store_sqlite::Sqlite;

    /// Once for each process.
    pub(super) fn engine<T: Transport + 'static>(
        store: Sqlite, // Sqlite::open("shop.db")?
        transport: T,  // checkout_reqwest::Reqwest::new()?
        of_allscale: allscale::Client,
        of_azotte: azotte::Client,
        of_peach: peach::Client,
    ) -> Result<Engine<Sqlite, T>, BuildError> {
        Engine::builder(store, transport)
            .provider(of_allscale)
            .provider(of_azotte)
            .provider(of_peach)
            .on_error(|error| eprintln!("{error:?}")) // with the cause
            .build()
    }
}

mod order {
    use checkout_kit::allscale::{Currency, Draft};
    use checkout_kit::engine::{Engine, Store};
    use checkout_kit::{Cents, Transport};
    use std::error::Error;

    /// In a web handler: the address of the payer's page, and none while nobody knows if there is a checkout.
    pub(super) async fn order<S: Store + 'static, T: Transport + 'static>(
        engine: &Engine<S, T>,
        id: &str,
    ) -> Result<Option<String>, Box<dyn Error + Send + Sync>> {
        let draft = Draft::fiat(Currency::EUR, Cents::new(49_90)).order_id(id).check()?;
        let checkout = engine.create(id, draft).await?; // the same id again is the same checkout
        Ok(checkout.page.map(|page| page.as_str().to_owned()))
    }
}

mod work {
    use checkout_kit::Transport;
    use checkout_kit::engine::{Engine, News, Store, Subject};
    use checkout_store_sqlite::TAKE_NEWS;
    use rusqlite::{Connection, TransactionBehavior};
    use std::error::Error;
    use std::sync::Mutex;

    /// The loop of each process, until `stop`.
    pub(super) async fn work<S: Store + 'static, T: Transport + 'static>(
        engine: &Engine<S, T>,
        shop: &Mutex<Connection>, // the shop's own connection to the same file
        stop: impl Future<Output = ()>,
    ) {
        engine.run(|news| async move { take(shop, &news) }, stop).await;
    }

    /// Takes news, and adds the parcel, in one transaction of the shop's own: exactly once.
    pub(super) fn take(shop: &Mutex<Connection>, news: &News) -> Result<(), Box<dyn Error + Send + Sync>> {
        let mut shop = shop.lock().map_err(|poisoned| poisoned.to_string())?;
        let transaction = shop.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if transaction.execute(TAKE_NEWS, [&news.key])? == 1 && news.subject == Subject::Settled {
            transaction.execute("INSERT INTO parcel (id) VALUES (?1)", [&news.id])?;
        }
        Ok(transaction.commit()?)
    }
}

mod job {
    use checkout_kit::Transport;
    use checkout_kit::engine::{Engine, EngineError, News, Store};
    use std::error::Error;
    use std::time::Duration;

    /// A job of a runner of yours: does what is due, and returns the time until the job has to run again.
    pub(super) async fn job<S: Store + 'static, T: Transport + 'static>(
        engine: &Engine<S, T>,
        tell: impl Fn(&News) -> Result<(), Box<dyn Error + Send + Sync>> + Send + Sync,
    ) -> Result<Duration, EngineError> {
        engine.step(|news| std::future::ready(tell(&news))).await
    }
}

mod watched {
    use checkout_kit::Transport;
    use checkout_kit::engine::{Engine, Store, StoreError};

    /// The page that Prometheus asks for.
    pub(super) async fn metrics<S: Store + 'static, T: Transport + 'static>(
        engine: &Engine<S, T>,
    ) -> Result<String, StoreError> {
        Ok(format!("{}{}", engine.counters().text(), engine.figures().await?.text()))
    }
}

mod draining {
    use checkout_kit::Transport;
    use checkout_kit::engine::{Checkout, Draft, Engine, EngineError, Store};

    /// Creates by the next engine, but for an order that the file has. Nobody else creates in the file.
    pub(super) async fn create_while_draining<T: Transport + 'static>(
        file: &Engine<impl Store + 'static, T>,
        next: &Engine<impl Store + 'static, T>,
        id: &str,
        draft: Draft,
    ) -> Result<Checkout, EngineError> {
        match file.checkout(id).await? {
            Some(_) => file.create(id, draft).await, // the same id is the same checkout
            None => next.create(id, draft).await,
        }
    }
}

mod by_hand {
    use checkout_kit::engine::{Ask, Machine, Store, StoreError, Task, Written};
    use checkout_kit::{Transport, TransportError};
    use std::time::{Duration, Instant};

    const LEASE: Duration = Duration::from_secs(30);

    /// Does the work that is due, and returns how much work that was. The transport's time-out is a third of
    /// the lease.
    pub(super) async fn by_hand(
        store: &impl Store,
        machine: &Machine,
        transport: &impl Transport,
    ) -> Result<usize, StoreError> {
        store.lanes(&machine.lanes()).await?;
        let lanes: Vec<String> = machine.lanes().into_iter().map(|lane| lane.name).collect();
        let since = Instant::now();
        let claimed = store.claim(&Ask { lanes: &lanes, max: 16, lease: LEASE }).await?;
        let (done, at) = (claimed.due.len(), claimed.now);
        for due in claimed.due {
            let lease = due.lease.clone();
            let mut task = machine.next(due, store.later(at, since));
            loop {
                task = match task {
                    Task::Send(exchange) => {
                        let (request, then) = exchange.into_parts();
                        // No request begins that could outlast the lease.
                        let outcome = if since.elapsed() < LEASE * 2 / 3 {
                            transport.send(request).await
                        } else {
                            Err(TransportError::not_sent("the lease is nearly over"))
                        };
                        then(outcome, store.later(at, since))
                    }
                    Task::Save(save) => {
                        let (write, then) = save.into_parts();
                        if store.write(&lease, &write).await? == Written::Lost {
                            break; // somebody else has the work, or the lease is over
                        }
                        then(store.later(at, since))
                    }
                    Task::Write(write) => {
                        let _ = store.write(&lease, &write).await?;
                        break;
                    }
                };
            }
        }
        Ok(done)
    }
}

mod readme {
    use checkout_kit::engine::{Draft, Engine, News, Webhook};
    use checkout_kit::{Transport, allscale, azotte, peach};
    use checkout_store_sqlite::Sqlite;
    use std::error::Error;
    use std::future::Ready;
    use std::path::Path;

    type Fault = Box<dyn Error + Send + Sync>;

    pub(super) async fn lines<T: Transport + 'static>(
        (file, transport): (&Path, T),
        (of_allscale, of_azotte, of_peach): (allscale::Client, azotte::Client, peach::Client),
        (draft, webhook): (Draft, impl Webhook),
        tell: impl Fn(News) -> Ready<Result<(), Fault>> + Send + Sync,
        stop: impl Future<Output = ()>,
    ) -> Result<Option<String>, Fault> {
        let engine = Engine::builder(Sqlite::open(file)?, transport)
            .provider(of_allscale)
            .provider(of_azotte)
            .provider(of_peach)
            .build()?;
        let checkout = engine.create("order_123", draft).await?; // saved, then sent; the same id is the same checkout
        engine.receive("default", &webhook).await?; // a verified webhook: a read follows
        engine.run(tell, stop).await; // in every process, until `stop`: reads, settles and tells
        Ok(checkout.page.map(|page| page.as_str().to_owned()))
    }
}

/// The three providers, behind one clock.
#[derive(Clone)]
struct Providers {
    clock: VirtualClock,
    allscale: checkout_sandbox::allscale::Sandbox,
    azotte: checkout_sandbox::azotte::Sandbox,
    peach: checkout_sandbox::peach::Sandbox,
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

struct World {
    providers: Providers,
    engine: Engine<Sqlite, Providers>,
    shop: Mutex<Connection>,
    _folder: Folder,
}

impl World {
    fn new(name: &str) -> Outcome<Self> {
        let allscale = checkout_sandbox::allscale::Sandbox::new(1);
        let clock = allscale.clock().clone();
        let providers = Providers {
            azotte: checkout_sandbox::azotte::Sandbox::builder().clock(clock.clone()).build(),
            peach: checkout_sandbox::peach::Sandbox::builder().clock(clock.clone()).build(),
            allscale,
            clock,
        };
        let folder = Folder::new(name)?;
        let (file, clock) = (folder.file("shop.db"), providers.clock.clone());
        let store = Sqlite::builder(&file).clock(move || clock.now()).open()?;
        let shop = Connection::open(&file)?;
        shop.busy_timeout(Duration::from_secs(30))?;
        shop.execute_batch("CREATE TABLE parcel (id TEXT PRIMARY KEY) STRICT")?;
        let engine = begin::engine(
            store,
            providers.clone(),
            clients::allscale()?,
            clients::azotte()?,
            clients::peach()?,
        )?;
        Ok(Self { providers, engine, shop: Mutex::new(shop), _folder: folder })
    }

    fn parcels(&self) -> Outcome<i64> {
        let shop = self.shop.lock().map_err(|poisoned| poisoned.to_string())?;
        Ok(shop.query_row("SELECT count(*) FROM parcel", [], |row| row.get(0))?)
    }

    async fn state(&self, id: &str) -> Outcome<State> {
        Ok(self.engine.checkout(id).await?.ok_or("no checkout")?.state)
    }
}

mod clients {
    use super::{Environment, Outcome, allscale, azotte, peach};
    use checkout_sandbox::{allscale as keys, azotte as keys_of_azotte, peach as keys_of_peach};

    pub(super) fn allscale() -> Outcome<allscale::Client> {
        let key = allscale::SigningKey::new(keys::API_KEY, keys::API_SECRET.into())?;
        Ok(allscale::Client::builder(key).environment(Environment::Sandbox).build()?)
    }

    pub(super) fn azotte() -> Outcome<azotte::Client> {
        let key = keys_of_azotte::API_KEY.into();
        let builder = azotte::Client::builder("acme", keys_of_azotte::X_TN, key);
        Ok(builder.environment(Environment::Sandbox).build()?)
    }

    pub(super) fn peach() -> Outcome<peach::Client> {
        let token = peach::SecretToken::new(keys_of_peach::SECRET_TOKEN.into())?;
        let builder = peach::Client::builder(keys_of_peach::ENTITY_ID, token).referer(keys_of_peach::REFERER);
        Ok(builder.environment(Environment::Sandbox).build()?)
    }
}

fn block_on(test: impl Future<Output = Outcome>) -> Outcome {
    tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(test)
}

#[test]
fn the_quick_start_settles_an_order_and_adds_its_parcel() -> Outcome {
    block_on(async {
        let world = World::new("quick-start")?;
        let page = order::order(&world.engine, "order_1").await?.ok_or("no page")?;
        assert!(page.starts_with("https://"), "{page}");
        assert_eq!(order::order(&world.engine, "order_1").await?, Some(page));
        assert_eq!(world.providers.allscale.intents().len(), 1);

        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let pays = async {
            for _ in 0..1_000 {
                world.providers.clock.advance(Duration::from_secs(5));
                world.engine.nudge("order_1").await?;
                if world.parcels()? > 0 {
                    break;
                }
                tokio::task::yield_now().await;
            }
            drop(stop);
            Ok::<_, Box<dyn Error + Send + Sync>>(())
        };
        let works = work::work(&world.engine, &world.shop, async { drop(stopped.await) });
        tokio::join!(works, pays).1?;
        assert_eq!((world.parcels()?, world.state("order_1").await?), (1, State::Settled));
        Ok(())
    })
}

/// The store has the machine's clock, and the sandboxes' stand at its moment.
#[test]
fn the_lines_of_the_readme_make_a_checkout_take_a_webhook_and_end() -> Outcome {
    block_on(async {
        let world = World::new("readme")?;
        let now = Moment::now();
        world.providers.clock.advance_to(now);
        let folder = Folder::new("readme-file")?;
        let draft = allscale::Draft::fiat(allscale::Currency::EUR, Cents::new(49_90)).order_id("order_123");
        // Somebody else has paid.
        let key = allscale::SigningKey::new(
            checkout_sandbox::allscale::API_KEY,
            checkout_sandbox::allscale::API_SECRET.into(),
        )?;
        let receiver = allscale::Receiver::new("default", KeyRing::new("2026", key.clone()));
        let body = br#"{"all_scale_transaction_id":"txn_1","all_scale_checkout_intent_id":"65b2","webhook_id":"wh_1","order_id":"order_123"}"#;
        let signed = allscale::webhook::Webhook {
            method: "POST",
            path: "/hooks",
            query: "",
            webhook_id: "wh_1",
            timestamp: now.unix_seconds(),
            nonce: "n1",
            body,
        };
        let (time, signature) = (now.unix_seconds().to_string(), signed.sign(&key)?);
        let headers = [
            ("X-API-Key", checkout_sandbox::allscale::API_KEY),
            ("X-Webhook-Id", "wh_1"),
            ("X-Webhook-Timestamp", &time),
            ("X-Webhook-Nonce", "n1"),
            ("X-Webhook-Signature", signature.as_str()),
        ];
        let request = allscale::webhook::WebhookRequest {
            method: "POST",
            path: "/hooks",
            query: "",
            headers: &headers,
            body,
        };
        let event = receiver.receive(&request, now)?;
        let file = folder.file("shop.db");
        let page = readme::lines(
            (&file, world.providers.clone()),
            (clients::allscale()?, clients::azotte()?, clients::peach()?),
            (draft.check()?.into(), event),
            |_| std::future::ready(Ok(())),
            std::future::ready(()),
        );
        assert!(page.await?.ok_or("no page")?.starts_with("https://"));
        assert_eq!(world.providers.allscale.intents().len(), 1);
        Ok(())
    })
}

#[test]
fn a_job_of_a_runner_and_the_machine_by_hand_settle_orders_as_the_loop_does() -> Outcome {
    block_on(async {
        let world = World::new("by-hand")?;
        let mut machine = Machine::new(Rules::default());
        machine.add("default", clients::allscale()?);
        let store = world.engine.store();
        for (id, by_hand) in [("order_1", false), ("order_2", true)] {
            order::order(&world.engine, id).await?;
            for round in 0.. {
                assert!(round < 1_000, "{id} is not settled");
                if world.state(id).await? == State::Settled {
                    break;
                }
                if by_hand {
                    by_hand::by_hand(store, &machine, &world.providers).await?;
                } else {
                    job::job(&world.engine, |news| work::take(&world.shop, news)).await?;
                }
                world.providers.clock.advance(Duration::from_secs(5));
            }
        }
        // The news of the second order waits for somebody who tells.
        assert_eq!((world.engine.figures().await?.news, world.parcels()?), (1, 1));
        job::job(&world.engine, |news| work::take(&world.shop, news)).await?;
        assert_eq!((world.engine.figures().await?.news, world.parcels()?), (0, 2));
        let page = watched::metrics(&world.engine).await?;
        assert!(page.contains("checkout_engine_news 0\n") && page.contains("_requests_total{"), "{page}");
        Ok(())
    })
}

/// An order of the file stays in the file, and a new one is in the next store; neither is made twice.
#[test]
fn an_order_is_created_once_while_a_file_drains() -> Outcome {
    block_on(async {
        let world = World::new("draining")?;
        let clock = world.providers.clock.clone();
        let memory = Memory::with_clock(move || clock.now());
        let next = Engine::builder(memory, world.providers.clone()).provider(clients::allscale()?).build()?;
        let draft = |id: &'static str| {
            allscale::Draft::fiat(allscale::Currency::EUR, Cents::new(49_90)).order_id(id).check()
        };
        world.engine.create("old", draft("old")?).await?;
        for _ in 0..2 {
            for id in ["old", "new"] {
                let (file, draft) = (&world.engine, draft(id)?.into());
                let checkout = draining::create_while_draining(file, &next, id, draft).await?;
                assert_eq!((&*checkout.id, checkout.state), (id, State::Open));
            }
        }
        assert_eq!(world.providers.allscale.intents().len(), 2);
        assert!(world.engine.checkout("new").await?.is_none() && next.checkout("old").await?.is_none());
        Ok(())
    })
}

/// The statement of the page. The shop created the checkout by the client, and the engine does the rest.
#[test]
fn a_checkout_that_the_shop_adds_by_sql_alone_is_read_and_settled() -> Outcome {
    block_on(async {
        let world = World::new("sql")?;
        let draft = peach::Draft::debit(peach::Currency::ZAR, Cents::new(14_99))
            .entity_id(checkout_sandbox::peach::ENTITY_ID)
            .merchant_transaction_id("order0001")
            .shopper_result_url("https://shop.example/result")
            .check()?;
        let (time, client) = (world.providers.clock.clone(), clients::peach()?);
        let created = client.initiate(&draft)?.send(&world.providers).await?.payload;
        let begin = time.now();
        let notes = r#"{"price": {"peach": {"currency": "ZAR", "cents": 1499}}}"#;
        assert!(include_str!("../../../docs/engine.md").contains(notes));
        {
            let shop = world.shop.lock().map_err(|poisoned| poisoned.to_string())?;
            let id = created.checkout_id.as_deref();
            let page = created.redirect_url.as_str();
            let at = time.now().unix_millis();
            let values = ("order-1", "peach", "default", "sandbox", "order0001", id, page, notes, at);
            shop.execute(WATCH, values)?;
        }
        for round in 0.. {
            assert!(round < 1_000, "not settled: {:?}", world.engine.checkout("order-1").await?);
            if world.state("order-1").await? == State::Settled {
                break;
            }
            let wait = job::job(&world.engine, |news| work::take(&world.shop, news)).await?;
            time.advance(wait.max(Duration::from_secs(5)));
        }
        job::job(&world.engine, |news| work::take(&world.shop, news)).await?;
        let took = time.now().saturating_since(begin);
        // Read at the pace of a new checkout, whose page the payer has just seen.
        assert!(took < Duration::from_secs(120), "{took:?}");
        assert_eq!(world.parcels()?, 1);
        assert_eq!(world.engine.checkout("order-1").await?.ok_or("gone")?.hold, None);
        Ok(())
    })
}

#[test]
fn the_page_shows_these_functions_word_for_word() -> Outcome {
    const PAGE: &str = include_str!("../../../docs/engine.md");
    const HERE: &str = include_str!("guide.rs");
    let blocks: Vec<&str> =
        PAGE.split("```rust\n").skip(1).filter_map(|from| from.split("```").next()).collect();
    for block in &blocks {
        let lines = block.lines().map(|line| format!("{}{line}", if line.is_empty() { "" } else { "    " }));
        let block = lines.collect::<Vec<_>>().join("\n");
        assert!(HERE.replace("pub(super) ", "").contains(&block), "not word for word here:\n{block}");
    }
    assert_eq!(blocks.len(), 7);
    let readme = include_str!("../../../README.md").split("```rust,ignore\n").nth(1).ok_or("no block")?;
    let lines: Vec<String> =
        readme.split("```").next().ok_or("no end")?.lines().map(|line| format!("        {line}")).collect();
    assert!(HERE.contains(&lines.join("\n")), "not word for word here:\n{}", lines.join("\n"));
    Ok(())
}
