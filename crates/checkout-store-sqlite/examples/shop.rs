//! A shop that survives its process: three providers, webhooks, a page for the payer, parcels, one file.
//!
//!     cargo run --example shop
//!
//! Open <http://127.0.0.1:8080>, order, and pay or wait. Kill the program at any moment and start it again:
//! no order is lost, none is created twice, and each paid order has one parcel. Sandboxes play the providers,
//! here or where the environment says, as `checkout-sandbox run -- cargo run --example shop` does. For real
//! providers leave the base URLs out, say `Environment::Live`, and take the keys from a secret store.

mod played;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{OriginalUri, Path, State};
use axum::http::{Request, StatusCode, request::Parts};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{any, get, post};
use checkout_kit::engine::{Challenge, DEFAULT_MERCHANT, Draft, Engine, News, Store as _, Subject};
use checkout_kit::{Cents, Environment, KeyRing, Moment, allscale, azotte, peach, peach::Message};
use checkout_reqwest::Reqwest;
use checkout_store_sqlite::{Sqlite, TAKE_NEWS};
use maud::{PreEscaped, html};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::collections::HashMap;
use std::error::Error;
use std::fmt::Display;
use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::{net::TcpListener, select, signal::ctrl_c, signal::unix::SignalKind, signal::unix::signal};

pub(crate) type Fault = Box<dyn Error + Send + Sync>;

/// The shop's own tables, beside the engine's in one file. `parcel` is an outbox: a row is shipped until the
/// warehouse has said yes.
const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS shop_order (
        id TEXT PRIMARY KEY, provider TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'new') STRICT;
    CREATE TABLE IF NOT EXISTS parcel (
        id TEXT PRIMARY KEY REFERENCES shop_order, shipped INTEGER NOT NULL DEFAULT 0) STRICT;";

/// The shop of one process. Any number of processes of this machine can share the file.
pub(crate) struct Shop {
    pub(crate) engine: Engine<Sqlite, Reqwest>,
    database: Arc<Mutex<Connection>>,
    allscale: allscale::Receiver,
    peach: peach::Receiver,
    peach_entity: String,
    url: String, // the shop's own address
}

impl Shop {
    /// Opens the shop. `setting` gives the addresses and keys by their names.
    pub(crate) fn open(
        file: &str,
        url: &str,
        setting: impl Fn(&str) -> Result<String, Fault>,
        clock: impl Fn() -> Moment + Send + Sync + 'static,
    ) -> Result<Self, Fault> {
        let sandbox = Environment::Sandbox;
        let secret = setting("ALLSCALE_API_SECRET")?;
        let key = allscale::SigningKey::new(setting("ALLSCALE_API_KEY")?, secret.into())?;
        let of_allscale = allscale::Client::builder(key.clone()).environment(sandbox);
        let (x_tn, key_of_azotte) = (setting("AZOTTE_X_TN")?, setting("AZOTTE_API_KEY")?);
        let of_azotte = azotte::Client::builder("acme", x_tn, key_of_azotte.into()).environment(sandbox);
        let token = peach::SecretToken::new(setting("PEACH_SECRET_TOKEN")?.into())?;
        let peach_entity = setting("PEACH_ENTITY_ID")?;
        let of_peach = peach::Client::builder(&peach_entity, token.clone()).environment(sandbox);
        let of_peach = of_peach.referer(setting("PEACH_REFERER")?).base_url(setting("PEACH_URL")?);
        let store = Sqlite::builder(file).clock(clock).open()?;
        let engine = Engine::builder(store, Reqwest::new()?)
            .provider(of_allscale.base_url(setting("ALLSCALE_URL")?).build()?)
            .provider(of_azotte.base_url(setting("AZOTTE_URL")?).build()?)
            .provider(of_peach.build()?)
            .on_error(|error| log(format!("{error:?}")))
            .build()?;
        let database = Connection::open(file)?;
        database.busy_timeout(Duration::from_secs(30))?;
        database.execute_batch(TABLES)?;
        Ok(Self {
            engine,
            database: Arc::new(Mutex::new(database)),
            allscale: allscale::Receiver::new(DEFAULT_MERCHANT, KeyRing::new("2026", key)),
            peach: peach::Receiver::new(&peach_entity, KeyRing::new("2026", token), sandbox),
            peach_entity,
            url: url.to_owned(),
        })
    }

    /// One transaction of the shop's own, on a thread that may wait for the disk.
    pub(crate) async fn transaction<T: Send + 'static>(
        &self,
        run: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Fault> {
        let database = Arc::clone(&self.database);
        let done = tokio::task::spawn_blocking(move || {
            let mut database = database.lock().map_err(|poisoned| poisoned.to_string())?;
            let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = run(&transaction)?;
            transaction.commit()?;
            Ok(value)
        });
        done.await?
    }

    /// The checked draft of an order.
    fn draft(&self, id: &str, provider: &str) -> Result<Draft, Fault> {
        let (back, hook) = (format!("{}/orders/{id}/back", self.url), format!("{}/hooks/peach", self.url));
        Ok(match provider {
            "allscale" => {
                let draft = allscale::Draft::fiat(allscale::Currency::EUR, Cents::new(49_90));
                draft.order_id(id).redirect_url(back).check()?.into()
            }
            "azotte" => {
                let draft = azotte::Draft::stored_method(azotte::PaymentChannel::CreditCard);
                let draft = draft.offer_identifier("of_1").item("it_1").customer_urn("cu.00.482");
                draft.correlation_id(id).check()?.into()
            }
            "peach" => {
                let draft = peach::Draft::debit(peach::Currency::ZAR, Cents::new(89_900));
                let draft = draft.entity_id(&*self.peach_entity).notification_url(hook);
                draft.merchant_transaction_id(id).shopper_result_url(back).check()?.into()
            }
            _ => return Err("provider: allscale, azotte or peach".into()),
        })
    }

    /// Takes news, with all that follows, in one transaction: exactly once, whatever happens to this process.
    pub(crate) async fn take(&self, news: News) -> Result<(), Fault> {
        self.transaction(move |own| {
            if own.execute(TAKE_NEWS, [&news.key])? == 0 {
                return Ok(()); // taken before
            }
            let set = "UPDATE shop_order SET state = ?2 WHERE id = ?1";
            own.execute(set, [&*news.id, news.subject.name()])?;
            if news.subject == Subject::Settled {
                own.execute("INSERT INTO parcel (id) VALUES (?1)", [&news.id])?;
            }
            Ok(())
        })
        .await
    }

    /// Ships the parcels that wait. After a crash a parcel goes out again, and the warehouse knows its key.
    pub(crate) async fn ship(&self) -> Result<(), Fault> {
        let waiting = self.transaction(|own| {
            let mut rows = own.prepare("SELECT id FROM parcel WHERE shipped = 0")?;
            rows.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()
        });
        for id in waiting.await? {
            log(format_args!("the parcel {id} leaves")); // in production the warehouse's answer
            let shipped = "UPDATE parcel SET shipped = 1 WHERE id = ?1";
            self.transaction(move |own| own.execute(shipped, [id])).await?;
        }
        Ok(())
    }

    /// The routes.
    pub(crate) fn router(self: Arc<Self>) -> Router {
        Router::new()
            .route("/", get(start))
            .route("/orders", post(order))
            .route("/orders/{id}", get(show))
            .route("/orders/{id}/back", any(back))
            .route("/hooks/allscale", post(allscale_hook))
            .route("/hooks/peach", post(peach_hook))
            .with_state(self)
    }
}

/// Serves, reads, tells and ships until `stop`, and then ends what is under way.
pub(crate) async fn serve(
    shop: Arc<Shop>,
    listener: TcpListener,
    stop: impl Future<Output = ()>,
) -> Result<(), Fault> {
    let (running, stopped) = tokio::sync::watch::channel(());
    let ended = || {
        let mut stopped = stopped.clone();
        async move { while stopped.changed().await.is_ok() {} } // the sender is gone
    };
    let served = axum::serve(listener, Arc::clone(&shop).router()).with_graceful_shutdown(ended());
    let engine = shop.engine.run(|news| shop.take(news), ended());
    let ships = async {
        while tokio::time::timeout(Duration::from_secs(1), ended()).await.is_err() {
            shop.ship().await.unwrap_or_else(log);
        }
    };
    let stops = async { drop((stop.await, running)) };
    Ok(tokio::join!(served, engine, ships, stops).0?)
}

type Shared = State<Arc<Shop>>;

/// The error of a handler: the log has the reason, and the payer has not.
struct Failed(Fault);

impl<E: Into<Fault>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        log(self.0);
        (StatusCode::SERVICE_UNAVAILABLE, "Please try again later.").into_response()
    }
}

const HEAD: PreEscaped<&str> = PreEscaped("<!DOCTYPE html><html lang=\"en\"><title>Shop</title>");

/// The form. The order's id is in the form, so a form that is sent twice is one order.
async fn start(State(shop): Shared) -> Result<Html<String>, Failed> {
    let id = "SELECT lower(hex(randomblob(8)))";
    let id: String = shop.transaction(|own| own.query_row(id, [], |row| row.get(0))).await?;
    let page = html! {
        (HEAD) h1 { "A lamp" }
        form method="post" action="/orders" {
            input type="hidden" name="id" value=(id);
            @for provider in ["allscale", "azotte", "peach"] {
                button name="provider" value=(provider) { "Pay with " (provider) }
            }
        }
    };
    Ok(Html(page.into_string()))
}

/// Orders. The same id again is the same order, also where the process died in between.
async fn order(State(shop): Shared, body: Bytes) -> Result<Response, Failed> {
    let form: HashMap<_, _> = form_urlencoded::parse(&body).into_owned().collect();
    let [id, provider] = ["id", "provider"].map(|name| form.get(name).cloned().unwrap_or_default());
    // Peach takes 8 to 16 letters and digits, and the id is a part of addresses.
    let fits = (8..=16).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let Some(draft) = shop.draft(&id, &provider).ok().filter(|_| fits) else {
        return Ok(StatusCode::BAD_REQUEST.into_response());
    };
    // The order first: news can come before the answer to the create.
    let row = "INSERT INTO shop_order (id, provider) VALUES (?1, ?2) ON CONFLICT (id) DO NOTHING";
    let values = [id.clone(), provider];
    shop.transaction(move |own| own.execute(row, values)).await?;
    shop.engine.create(&id, draft).await?;
    Ok(Redirect::to(&format!("/orders/{id}")).into_response())
}

/// The order's page. All that the page shows is in the rows: a payer can come back after a crash.
async fn show(State(shop): Shared, Path(id): Path<String>) -> Result<Response, Failed> {
    let there = shop.engine.checkout(&id).await?;
    let Some(checkout) = there else { return Ok(StatusCode::NOT_FOUND.into_response()) };
    let waits = checkout.hold.is_none() && !checkout.state.is_end();
    let words = match checkout.state.name() {
        _ if checkout.hold.is_some() => "A person is checking the payment. Please do not pay twice.",
        "sending" | "unknown" => "We are checking if your payment has started. Please do not pay twice.",
        "settled" => "Paid. The parcel is on its way.",
        "refused" => "The payment could not be started. Please try again later.",
        "failed" => "No payment is confirmed. If you see one in your account, please tell us.",
        _ => "We have no confirmation of a payment yet. Please do not pay twice.",
    };
    let page = html! {
        (HEAD) h1 { "Order " (id) }
        p data-state=(checkout.state) { (words) }
        @if waits {
            meta http-equiv="refresh" content="3";
            @if let Some(address) = &checkout.page { a href=(address.as_str()) { "Pay" } }
            @match checkout.challenge() {
                Some(Challenge::Url(url)) => a href=(url) { "Confirm at your bank" },
                Some(Challenge::Html(form)) => iframe sandbox="allow-forms allow-scripts" srcdoc=(form) {},
                _ => {}
            }
        }
    };
    Ok(Html(page.into_string()).into_response())
}

/// The payer is back. Anybody can come this way: the engine reads, and the read decides.
async fn back(State(shop): Shared, Path(id): Path<String>) -> Result<Redirect, Failed> {
    shop.engine.nudge(&id).await?;
    Ok(Redirect::to(&format!("/orders/{id}")))
}

/// 200 once the store has the event: the read follows, whatever happens to this process.
async fn allscale_hook(
    State(shop): Shared,
    OriginalUri(uri): OriginalUri, // AllScale signs the path that came
    mut parts: Parts,
    body: Bytes,
) -> Result<StatusCode, Failed> {
    parts.uri = uri;
    let now = shop.engine.store().now().await?;
    Ok(match shop.allscale.receive_http(&Request::from_parts(parts, body), now) {
        Ok(event) => shop.engine.receive(DEFAULT_MERCHANT, &event).await.map(|_| StatusCode::OK)?,
        Err(error) => refused(&error, error.http_status()),
    })
}

async fn peach_hook(State(shop): Shared, parts: Parts, body: Bytes) -> Result<StatusCode, Failed> {
    let now = shop.engine.store().now().await?;
    Ok(match shop.peach.webhook_http(&Request::from_parts(parts, body), now) {
        Ok(Message::Event(event)) => {
            shop.engine.receive(DEFAULT_MERCHANT, &event).await.map(|_| StatusCode::OK)?
        }
        // Show the code to the person who saves the URL.
        Ok(Message::Probe(probe)) => refused(format_args!("a probe, {:?}", probe.code()), 200),
        Err(error) => refused(&error, error.http_status()),
    })
}

fn refused(why: impl Display, status: u16) -> StatusCode {
    log(format_args!("a webhook: {why}"));
    StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST)
}

fn log(line: impl Display) {
    let _ = writeln!(std::io::stdout(), "{line}"); // in production `tracing`
}

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let (listener, url) = (TcpListener::bind("127.0.0.1:8080").await?, "http://127.0.0.1:8080");
    let providers = played::providers("shop-sandbox.db", url).await?;
    let shop = Shop::open("shop.db", url, |name| providers.setting(name), providers.clock())?;
    log(format_args!("the shop: {url}; the providers: {}", providers.setting("ADMIN_URL")?));
    let mut end = signal(SignalKind::terminate())?; // what a supervisor sends, beside Ctrl-C
    serve(Arc::new(shop), listener, async { select!(_ = end.recv() => (), _ = ctrl_c() => ()) }).await
}
