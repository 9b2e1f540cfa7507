//! The example `shop` over HTTP, against the sandboxes over HTTP: the shop's tasks are dropped in the middle,
//! as by the end of a process, and started again, and each paid order has one parcel. The storm kills real
//! processes.
#![allow(clippy::duplicate_mod, reason = "the example has a module of its own")]

mod folder;
#[path = "../examples/shop.rs"]
#[allow(dead_code, reason = "its main is not called here")]
mod shop;

use checkout_kit::engine::{Filter, State, Subject};
use checkout_reqwest::reqwest::{Client, StatusCode, redirect};
use checkout_sandbox::{allscale, azotte, peach};
use checkout_sandbox_server::{Pace, RunningServer, Server};
use folder::Folder;
use shop::{Fault, Shop, serve};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

type Outcome<T = ()> = Result<T, Fault>;

/// The providers, the file of the shop, and a browser.
struct Street {
    server: RunningServer,
    settings: HashMap<String, String>,
    file: PathBuf,
    addr: SocketAddr,
    browser: Client,
    _folder: Folder,
}

/// A process of the shop.
struct Life {
    shop: Arc<Shop>,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Street {
    async fn new(name: &str) -> Outcome<Self> {
        let server = Server::builder().bind().await?;
        let settings = server.variables().into_iter().collect();
        let folder = Folder::new(name)?;
        // A free port, which stays the shop's over its lives.
        let addr = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
        server.default_world().add_endpoint("allscale", &format!("http://{addr}/hooks/allscale"))?;
        let browser =
            Client::builder().redirect(redirect::Policy::none()).pool_max_idle_per_host(0).build()?;
        Ok(Self { server, settings, file: folder.file("shop.db"), addr, browser, _folder: folder })
    }

    fn open(&self) -> Outcome<Arc<Shop>> {
        let setting = |name: &str| {
            let value = self.settings.get(&format!("CHECKOUT_SANDBOX_{name}"));
            value.cloned().ok_or_else(|| format!("{name} is not set").into())
        };
        let world = self.server.world("default").ok_or("no world")?;
        let (file, url) = (self.file.to_str().ok_or("a path")?, self.url(""));
        Ok(Arc::new(Shop::open(file, &url, setting, move || world.now())?))
    }

    async fn begin(&self) -> Outcome<Life> {
        let shop = self.open()?;
        let listener = TcpListener::bind(self.addr).await?;
        let router = Arc::clone(&shop).router();
        Ok(Life { shop, serving: tokio::spawn(async { axum::serve(listener, router).await }) })
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    async fn get(&self, path: &str) -> Outcome<(StatusCode, String)> {
        let answer = self.browser.get(self.url(path)).send().await?;
        Ok((answer.status(), answer.text().await?))
    }

    async fn post(&self, path: &str, body: String) -> Outcome<(StatusCode, String)> {
        let answer = self.browser.post(self.url(path)).body(body).send().await?;
        let place =
            answer.headers().get("location").and_then(|place| place.to_str().ok()).unwrap_or_default();
        Ok((answer.status(), place.to_owned()))
    }

    /// Orders by the form, as a payer does, and returns the order's id.
    async fn order(&self, provider: &str) -> Outcome<String> {
        let (status, form) = self.get("/").await?;
        assert_eq!(status, StatusCode::OK);
        let id = between(&form, "name=\"id\" value=\"", "\"").ok_or("a form without an id")?.to_owned();
        self.send_form(&id, provider).await?;
        Ok(id)
    }

    async fn send_form(&self, id: &str, provider: &str) -> Outcome {
        let sent = self.post("/orders", format!("id={id}&provider={provider}")).await?;
        assert_eq!(sent, (StatusCode::SEE_OTHER, format!("/orders/{id}")));
        Ok(())
    }

    /// The number of checkouts that the providers have.
    fn made(&self) -> [usize; 3] {
        let world = self.server.default_world();
        [world.allscale().intents().len(), world.azotte().checkouts().len(), world.peach().checkouts().len()]
    }
}

impl Life {
    /// One step of the engine, with a shop that dies before news is taken, after that, or not at all.
    async fn step(&self, dies: &Dies) -> Outcome<Duration> {
        let tell = |news| async {
            dies.before_the_commit()?;
            self.shop.take(news).await?;
            dies.after_the_commit()
        };
        Ok(self.shop.engine.step(tell).await?)
    }

    /// Works for a time of the providers, whose webhooks come meanwhile.
    async fn work(&self, street: &Street, span: Duration, dies: &Dies) -> Outcome {
        let world = street.server.default_world();
        let until = world.now().saturating_add(span);
        while world.now() < until {
            let wait = self.step(dies).await?;
            world.step(wait.max(Duration::from_secs(10))).await;
        }
        Ok(())
    }

    async fn end(self) {
        self.serving.abort();
        // Aborted, or ended before.
        let _ = self.serving.await;
    }
}

/// The moments at which the shop's process dies while it is told news: before the commit for each such number
/// of news, and after the commit for the rest. With 0 the process lives.
#[derive(Default)]
struct Dies {
    told: AtomicU32,
    every: u32,
}

impl Dies {
    fn before_the_commit(&self) -> Outcome {
        let told = self.told.fetch_add(1, Ordering::SeqCst);
        if self.every > 0 && told.is_multiple_of(self.every) {
            Err("died before the commit".into())
        } else {
            Ok(())
        }
    }

    fn after_the_commit(&self) -> Outcome {
        if self.every > 0 { Err("died after the commit".into()) } else { Ok(()) }
    }
}

fn between<'t>(text: &'t str, begin: &str, end: &str) -> Option<&'t str> {
    text.split_once(begin)?.1.split_once(end).map(|(found, _)| found)
}

async fn parcels(shop: &Shop) -> Outcome<BTreeSet<String>> {
    let rows = shop.transaction(|own| {
        let mut rows = own.prepare("SELECT id FROM parcel")?;
        rows.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()
    });
    let rows = rows.await?;
    let parcels: BTreeSet<String> = rows.iter().cloned().collect();
    assert_eq!(parcels.len(), rows.len(), "two parcels of one order");
    Ok(parcels)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_paid_order_has_one_parcel_and_no_other_has_one_whenever_the_process_dies() -> Outcome {
    let street = Street::new("lives").await?;
    let world = street.server.default_world();
    world.set_pace(Pace::Frozen);

    // Orders in the first life, each with the course that it will take.
    let life = street.begin().await?;
    let (mut orders, mut pages) = (BTreeMap::new(), BTreeMap::new());
    for (provider, scenario, state) in [
        ("allscale", "never_paid", State::Settled), // paid by hand below
        ("allscale", "happy", State::Settled),
        ("allscale", "underpaid", State::Unsettled),
        ("allscale", "timeout", State::Failed),
        ("azotte", "three_ds_html", State::Settled),
        ("azotte", "failed", State::Failed),
        ("peach", "happy", State::Settled),
        ("peach", "cancelled", State::Failed),
    ] {
        match provider {
            "allscale" => world.allscale().next_intent(allscale::Scenario::by_name(scenario).ok_or("name")?),
            "azotte" => world.azotte().next_checkout(azotte::Scenario::by_name(scenario).ok_or("name")?),
            _ => world.peach().next_checkout(peach::Scenario::by_name(scenario).ok_or("name")?),
        }
        let id = street.order(provider).await?;
        pages.insert(id.clone(), street.get(&format!("/orders/{id}")).await?.1);
        orders.insert(id, (provider, scenario, state));
    }
    assert_eq!(street.made(), [4, 2, 2]);
    life.end().await;

    // The second life shows the same pages, and a form that is sent again makes no second checkout.
    let life = street.begin().await?;
    for (id, (provider, ..)) in &orders {
        street.send_form(id, provider).await?;
        let page = street.get(&format!("/orders/{id}")).await?.1;
        assert_eq!(Some(&page), pages.get(id));
        assert_eq!(page.contains("\">Pay</a>"), *provider != "azotte", "{page}");
    }
    assert_eq!(street.made(), [4, 2, 2]);
    assert_eq!(parcels(&life.shop).await?, BTreeSet::new());

    // The payer meets Azotte's challenge, and pays by hand. Then the process dies at one news after another.
    let with =
        |wanted: &str| orders.iter().find(|(_, (_, scenario, _))| *scenario == wanted).map(|(id, _)| id);
    let challenged = with("three_ds_html").ok_or("no such order")?;
    for second in 0.. {
        assert!(second < 60, "no challenge within a minute");
        if life.shop.engine.checkout(challenged).await?.is_some_and(|there| there.challenge().is_some()) {
            break;
        }
        life.step(&Dies::default()).await?;
        world.step(Duration::from_secs(1)).await;
    }
    let page = street.get(&format!("/orders/{challenged}")).await?.1;
    assert!(page.contains("<iframe sandbox=\"allow-forms allow-scripts\" srcdoc=\"&lt;"), "{page}");
    let number = life.shop.engine.checkout(challenged).await?.and_then(|checkout| checkout.checkout_id);
    world.azotte().complete_3ds(&number.ok_or("no number")?)?;
    let by_hand = with("never_paid").ok_or("no such order")?;
    let intent = life.shop.engine.checkout(by_hand).await?.and_then(|checkout| checkout.checkout_id);
    world.allscale().act(&intent.ok_or("no intent")?, allscale::Act::Pay)?;
    let dies = Dies { told: AtomicU32::new(0), every: 2 };
    life.work(&street, Duration::from_secs(300), &dies).await?;
    assert!(dies.told.load(Ordering::SeqCst) > 2, "nobody died");
    assert!(life.shop.engine.counters().webhooks() > 0, "no webhook came");
    life.end().await;

    // Without a process webhooks are lost, and time goes on.
    world.step(Duration::from_secs(600)).await;

    // The third life reads what is left to the end.
    let life = street.begin().await?;
    life.work(&street, Duration::from_secs(3 * 60 * 60), &Dies::default()).await?;
    for (id, (provider, scenario, state)) in &orders {
        let checkout = life.shop.engine.checkout(id).await?.ok_or("no checkout")?;
        assert_eq!(checkout.state, *state, "{provider} {scenario}: {:?}", checkout.hold);
        assert_eq!(checkout.hold.is_some(), *state == State::Unsettled, "{provider} {scenario}");
        let told = id.clone();
        let told: String = life
            .shop
            .transaction(move |own| {
                own.query_row("SELECT state FROM shop_order WHERE id = ?1", [told], |row| row.get(0))
            })
            .await?;
        let held = checkout.hold.as_ref().map(|_| Subject::Held.name());
        assert_eq!(told, held.unwrap_or(state.name()), "{provider} {scenario}");
        let page = street.get(&format!("/orders/{id}")).await?.1;
        assert!(page.contains(&format!("data-state=\"{state}\"")), "{page}");
        assert!(!page.contains(">Pay</a>") && !page.contains("<iframe"), "{page}");
    }
    let paid: BTreeSet<String> =
        orders.iter().filter(|(_, (.., state))| *state == State::Settled).map(|(id, _)| id.clone()).collect();
    assert_eq!(paid.len(), 4);
    assert_eq!(parcels(&life.shop).await?, paid);
    assert_eq!(street.made(), [4, 2, 2]);
    let figures = life.shop.engine.figures().await?;
    assert_eq!((figures.news, figures.unmatched, figures.held), (0, 0, 1));

    // A person lets the underpaid order go: one parcel more, with the name and the reason.
    let held = life.shop.engine.list(&Filter { held: true, ..Filter::default() }).await?;
    let [underpaid] = &held[..] else { return Err("one order is held".into()) };
    life.shop.engine.settle(underpaid, "Ada", "a cent is missing, and may be").await?;
    life.work(&street, Duration::from_secs(10), &Dies::default()).await?;
    assert_eq!(parcels(&life.shop).await?.len(), 5);
    let decided = life.shop.engine.decisions(&underpaid.id).await?;
    assert_eq!(decided.iter().map(|one| (&*one.act, &*one.by)).collect::<Vec<_>>(), [("settle", "Ada")]);

    // The judge of the sandbox has found nothing.
    life.end().await;
    let findings = world.verdict_at_end().findings;
    assert!(findings.is_empty(), "{findings:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_serves_reads_ships_and_ends_when_it_is_told_to() -> Outcome {
    let street = Street::new("program").await?;
    street.server.default_world().set_pace(Pace::Times(60));
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let shop = street.open()?;
    let listener = TcpListener::bind(street.addr).await?;
    let program = tokio::spawn(serve(Arc::clone(&shop), listener, async { drop(stopped.await) }));
    let id = street.order("peach").await?;

    // The scenario pays within minutes of the world's, which are seconds.
    let begin = Instant::now();
    let shipped = || async {
        let id = id.clone();
        let shipped = "SELECT count(*) FROM parcel WHERE id = ?1 AND shipped = 1";
        shop.transaction(move |own| own.query_row(shipped, [id], |row| row.get::<_, i64>(0))).await
    };
    while shipped().await? == 0 {
        assert!(begin.elapsed() < Duration::from_secs(60), "no parcel within a minute");
        // The payer looks at the page again and again.
        assert_eq!(street.get(&format!("/orders/{id}")).await?.0, StatusCode::OK);
    }
    assert!(street.get(&format!("/orders/{id}")).await?.1.contains("Paid. The parcel is on its way."));

    drop(stop);
    tokio::time::timeout(Duration::from_secs(60), program).await???;
    assert!(street.get("/").await.is_err(), "the shop has ended");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_forms_strangers_webhooks_and_unknown_orders_change_nothing() -> Outcome {
    let street = Street::new("bad").await?;
    let life = street.begin().await?;
    for form in [
        "",
        "id=abcdefgh",
        "provider=peach",
        "id=short&provider=peach",
        "id=abcdefghijklmnopq&provider=allscale",
        "id=abc%2F..%2Fdef&provider=allscale",
        "id=%3Cscript%3E1&provider=allscale",
        "id=abcdefgh&provider=paypal",
    ] {
        assert_eq!(street.post("/orders", form.into()).await?.0, StatusCode::BAD_REQUEST, "{form}");
    }
    assert_eq!(street.post("/hooks/allscale", "{}".into()).await?.0, StatusCode::UNAUTHORIZED);
    let forged = "result.code=000.000.000&merchantTransactionId=abcdefgh&signature=00".to_owned();
    assert_eq!(street.post("/hooks/peach", forged).await?.0, StatusCode::UNAUTHORIZED);
    assert_eq!(street.get("/orders/abcdefgh").await?.0, StatusCode::NOT_FOUND);
    assert_eq!(street.made(), [0, 0, 0]);
    assert_eq!(life.shop.engine.list(&Filter::default()).await?, []);
    life.end().await;
    Ok(())
}

#[test]
fn the_shop_that_a_merchant_copies_has_fewer_than_300_lines() {
    let lines = include_str!("../examples/shop.rs").lines().filter(|line| !line.trim().is_empty()).count();
    assert!(lines < 300, "{lines}");
}
