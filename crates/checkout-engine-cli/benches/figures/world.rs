//! The stores, their rows, and a provider that answers at once.

use checkout_auth::allscale::SigningKey;
use checkout_auth::peach::SecretToken;
use checkout_client::{allscale, peach};
use checkout_engine::{Ask, Due, Engine, Lane, Next, ReadMade, State, Store, Write, Written};
use checkout_sandbox::allscale::{API_KEY, API_SECRET, Sandbox};
use checkout_store_postgres::{Options, Postgres};
use checkout_store_redis::Redis;
use checkout_store_sqlite::Sqlite;
use checkout_tables::{Environment, Moment, RateLimit, RateScope};
use checkout_transport::bytes::Bytes;
use checkout_transport::{Request, Response, Transport, TransportError};
use futures_util::future::join_all;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_postgres::NoTls;

/// What the price of an open checkout looks like in its row.
const NOTES: &str =
    r#"{"price":{"fiat":{"currency":"EUR","cents":4990,"owed":"54.1200","accepted":["USDT"]}}}"#;

/// The kind of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    SQLite,
    PostgreSQL,
}

/// The place of a store, deleted in the end.
pub(crate) enum Place {
    Sqlite(PathBuf),
    Postgres { url: String, schema: String },
}

/// Checkouts to put into a store: open ones, the earliest of which is due since or in so many milliseconds,
/// and ended ones.
pub(crate) struct Fill {
    pub(crate) provider: &'static str,
    pub(crate) prefix: &'static str,
    pub(crate) open: u32,
    pub(crate) merchants: u32,
    pub(crate) due_in: i64,
    pub(crate) ended: u32,
}

impl Fill {
    pub(crate) const fn open(open: u32, merchants: u32) -> Self {
        Self { provider: "allscale", prefix: "m", open, merchants, due_in: -3_600_000, ended: 0 }
    }
}

/// A number of the environment.
pub(crate) fn setting(name: &str, otherwise: u32) -> u32 {
    env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

/// The lease of the part `take-over`.
pub(crate) fn short_lease() -> Duration {
    Duration::from_secs(setting("CHECKOUT_BENCH_LEASE", 3).into())
}

static PLACES: AtomicU64 = AtomicU64::new(0);

pub(crate) fn unique(name: &str) -> String {
    let number = PLACES.fetch_add(1, Ordering::Relaxed);
    format!("figures_{}_{number}_{name}", std::process::id())
}

pub(crate) fn url() -> String {
    env::var("CHECKOUT_TEST_POSTGRES").unwrap()
}

pub(crate) async fn connect(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

impl Place {
    pub(crate) async fn new(kind: Kind, name: &str) -> Self {
        match kind {
            Kind::SQLite => Self::sqlite(name),
            Kind::PostgreSQL => Self::postgres(name).await,
        }
    }

    pub(crate) fn sqlite(name: &str) -> Self {
        let folder = env::var_os("CHECKOUT_BENCH_FOLDER").map_or_else(env::temp_dir, PathBuf::from);
        let folder = folder.join(unique(name));
        fs::create_dir_all(&folder).unwrap();
        Self::Sqlite(folder.join("shop.db"))
    }

    pub(crate) async fn postgres(name: &str) -> Self {
        let schema = unique(name);
        Options::new().schema(&schema).connections(1).connect(&url()).await.unwrap();
        Self::Postgres { url: url(), schema }
    }

    pub(crate) fn open_sqlite(&self) -> Sqlite {
        let Self::Sqlite(path) = self else { panic!("a file") };
        Sqlite::open(path).unwrap()
    }

    pub(crate) async fn open_postgres(&self, connections: usize) -> Postgres {
        self.open_notifying(connections, true).await
    }

    pub(crate) async fn open_notifying(&self, connections: usize, notify: bool) -> Postgres {
        let Self::Postgres { url, schema } = self else { panic!("a schema") };
        let options = Options::new().schema(schema).connections(connections).notify(notify);
        options.connect(url).await.unwrap()
    }

    /// Runs statements of PostgreSQL.
    pub(crate) async fn run(&self, sql: &str) {
        let Self::Postgres { url, schema } = self else { panic!("a schema") };
        let sql = sql.replace("checkout.", &format!("{schema}."));
        connect(url).await.batch_execute(&sql).await.unwrap();
    }

    /// One number out of PostgreSQL.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let Self::Postgres { url, schema } = self else { panic!("a schema") };
        let sql = sql.replace("checkout.", &format!("{schema}."));
        connect(url).await.query_one(&sql, &[]).await.unwrap().get(0)
    }

    pub(crate) async fn fill(&self, fill: &Fill) {
        let Fill { provider, prefix, open, merchants, due_in, ended } = *fill;
        let (now, sample) = (Moment::now().unix_millis(), sample_if(ended).await);
        let quoted = |text: &str| text.replace('\'', "''");
        let [page, notes, watch] = [&sample.page, &sample.notes, &sample.watch].map(|text| quoted(text));
        let columns = "id, lane, provider, merchant, environment, reference, state, checkout_id, page, notes, \
            watch, version, created_at, changed_at";
        let merchant = format!("'{prefix}-' || (n % {merchants})");
        // The numbers are scattered, as the ids of a shop are.
        let scattered = "(n * 7919::bigint % 999999937)";
        let rows = format!(
            "SELECT '{prefix}-' || {scattered}, '{provider}/' || {merchant}, '{provider}', {merchant}, 'sandbox', \
                '{prefix}order' || {scattered}, CASE WHEN n <= {open} THEN 'open' ELSE 'settled' END, \
                '{prefix}c' || (10000000000000000 + {scattered}), '{page}', \
                CASE WHEN n <= {open} THEN '{NOTES}' ELSE '{notes}' END, \
                CASE WHEN n <= {open} THEN '' ELSE '{watch}' END, 1, {now}, {now}",
        );
        let lanes = format!("SELECT DISTINCT '{provider}/' || {merchant}");
        let work =
            format!("SELECT '{prefix}-' || {scattered}, '{provider}/' || {merchant}, {now} + {due_in} + n");
        let all = open + ended;
        match self {
            Self::Sqlite(path) => {
                drop(Sqlite::open(path).unwrap());
                let numbers =
                    format!("WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT {all})");
                let sql = format!(
                    "PRAGMA cache_size = -500000; BEGIN;
                    {numbers} INSERT INTO checkout ({columns}) {rows} FROM n;
                    {numbers} INSERT INTO checkout_work (id, lane, due, fence, leased, tries) {work}, 0, 0, 0
                        FROM n WHERE n <= {open};
                    {numbers} INSERT OR IGNORE INTO checkout_lane (name) {lanes} FROM n;
                    COMMIT; PRAGMA wal_checkpoint(TRUNCATE)"
                );
                let connection = rusqlite::Connection::open(path).unwrap();
                connection.execute_batch(&sql.replace("::bigint", "")).unwrap();
            }
            Self::Postgres { .. } => {
                self.run(&format!(
                    "INSERT INTO checkout.checkout ({columns}) {rows} FROM generate_series(1, {all}) n;
                    INSERT INTO checkout.named (lane, checkout_id, id)
                        SELECT lane, checkout_id, id FROM checkout.checkout ON CONFLICT DO NOTHING;
                    INSERT INTO checkout.work (id, lane, due, fence, tries, leased, urgent)
                        {work}, nextval('checkout.fence'), 0, false, false FROM generate_series(1, {open}) n;
                    INSERT INTO checkout.lane (name) {lanes} FROM generate_series(1, {all}) n
                        ON CONFLICT DO NOTHING"
                ))
                .await;
                for table in ["checkout", "named", "work", "lane"] {
                    self.run(&format!("VACUUM ANALYZE checkout.{table}")).await;
                }
            }
        }
    }

    pub(crate) async fn delete(self) {
        match &self {
            Self::Sqlite(path) => fs::remove_dir_all(path.parent().unwrap()).unwrap(),
            Self::Postgres { schema, .. } => self.run(&format!("DROP SCHEMA {schema} CASCADE")).await,
        }
    }
}

/// A database of its own on the server.
pub(crate) struct Database {
    pub(crate) name: String,
    pub(crate) url: String,
}

impl Database {
    pub(crate) async fn new(name: &str) -> Self {
        let name = unique(name);
        connect(&url()).await.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
        let url = url().rsplit_once('/').map(|(server, _)| format!("{server}/{name}")).unwrap();
        Self { name, url }
    }

    pub(crate) async fn delete(self) {
        let drop = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        connect(&url()).await.batch_execute(&drop).await.unwrap();
    }
}

/// The texts of a row that was settled.
#[derive(Default)]
struct Sample {
    page: String,
    notes: String,
    watch: String,
}

async fn sample_if(ended: u32) -> Sample {
    if ended == 0 {
        return Sample { page: "https://pay.example/checkout/0123456789".to_owned(), ..Sample::default() };
    }
    let place = Place::sqlite("sample");
    let Place::Sqlite(path) = &place else { panic!("a file") };
    let sandbox = Sandbox::new(1);
    let clock = sandbox.clock().clone();
    let of_store = clock.clone();
    let store = Sqlite::builder(path).clock(move || of_store.now()).open().unwrap();
    let engine = Engine::builder(store, sandbox).provider(client()).build().unwrap();
    let draft = checkout_validate::allscale::Draft::fiat(
        checkout_tables::allscale::Currency::EUR,
        checkout_money::Cents::new(49_90),
    );
    let draft = draft.order_id("sandbox.happy.1").check().unwrap();
    engine.create("order-1", draft).await.unwrap();
    while engine.checkout("order-1").await.unwrap().unwrap().state != State::Settled {
        let pause = engine.step(|_| async { Ok(()) }).await.unwrap();
        clock.advance(pause.max(Duration::from_millis(100)));
    }
    drop(engine);
    let connection = rusqlite::Connection::open(path).unwrap();
    let sample = connection
        .query_row("SELECT page, notes, watch FROM checkout", [], |row| {
            Ok(Sample { page: row.get(0)?, notes: row.get(1)?, watch: row.get(2)? })
        })
        .unwrap();
    drop(connection);
    place.delete().await;
    sample
}

/// A client of AllScale, which has no limit.
pub(crate) fn client() -> allscale::Client {
    let key = SigningKey::new(API_KEY, API_SECRET.into()).unwrap();
    allscale::Client::builder(key).environment(Environment::Sandbox).build().unwrap()
}

/// A client of Peach, which has a limit of two reads a minute.
pub(crate) fn limited_client() -> peach::Client {
    let secret = SecretToken::new("0123456789abcdef0123456789abcdef".into()).unwrap();
    let client = peach::Client::builder("8ac7a4ca759cd78501759dd759ad02df", secret);
    client.environment(Environment::Sandbox).referer("https://shop.example").build().unwrap()
}

/// A provider that answers each read at once: the payer has not paid yet.
#[derive(Clone, Default)]
pub(crate) struct Provider {
    /// Hears the path of each read.
    pub(crate) heard: Option<UnboundedSender<(String, Instant)>>,
    /// Never answers.
    pub(crate) silent: bool,
}

impl Transport for Provider {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        if let Some(heard) = &self.heard {
            let _ = heard.send((request.uri().path().to_owned(), Instant::now()));
        }
        if self.silent {
            std::future::pending::<()>().await;
        }
        if request.uri().path().contains("/checkout_intents/") {
            return Ok(Response::new(Bytes::from_static(br#"{"code":0,"payload":2}"#)));
        }
        // A read of Peach, which counts under the limit whatever its answer is.
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = checkout_transport::http::StatusCode::SERVICE_UNAVAILABLE;
        Ok(response)
    }
}

/// The reads that a provider hears: paths and moments.
pub(crate) type Reads = UnboundedReceiver<(String, Instant)>;

/// An engine for merchants without a limit.
pub(crate) fn engine<S: Store + 'static>(
    store: S,
    provider: Provider,
    merchants: &[String],
    lease: Duration,
    errors: &Arc<AtomicU64>,
) -> Engine<S, Provider> {
    builder(store, provider, merchants, lease, errors).build().unwrap()
}

pub(crate) fn builder<S: Store + 'static>(
    store: S,
    provider: Provider,
    merchants: &[String],
    lease: Duration,
    errors: &Arc<AtomicU64>,
) -> checkout_engine::Builder<S, Provider> {
    let errors = Arc::clone(errors);
    let builder = Engine::builder(store, provider).lease(lease).on_error(move |_| {
        errors.fetch_add(1, Ordering::Relaxed);
    });
    merchants.iter().fold(builder, |builder, merchant| builder.merchant(merchant, client()))
}

/// An engine that runs.
pub(crate) struct Running(oneshot::Sender<()>, JoinHandle<()>);

impl Running {
    pub(crate) fn start<S: Store + 'static>(engine: &Engine<S, Provider>) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let engine = engine.clone();
        let run = async move { engine.run(|_| async { Ok(()) }, async { drop(stopped.await) }).await };
        Self(stop, tokio::spawn(run))
    }

    pub(crate) async fn stop(self) {
        drop(self.0);
        self.1.await.unwrap();
    }
}

/// A limit so wide that nobody waits.
pub(crate) const WIDE: RateLimit = RateLimit { requests: 50, per_seconds: 1, scope: RateScope::Merchant };

/// Gives so many lanes a limit.
pub(crate) async fn limit<S: Store>(store: &S, merchants: u32, limit: Option<RateLimit>) {
    let known: Vec<Lane> = lanes(merchants).into_iter().map(|name| Lane { name, limit }).collect();
    store.lanes(&known).await.unwrap();
}

pub(crate) async fn redis(prefix: &str) -> Redis {
    let url = env::var("CHECKOUT_TEST_REDIS").unwrap();
    let redis = checkout_store_redis::Options::new().prefix(prefix).connect(&url).await.unwrap();
    redis.nothing_was_lost().await.unwrap();
    redis
}

/// The names of so many merchants.
pub(crate) fn names(merchants: u32) -> Vec<String> {
    (0..merchants).map(|merchant| format!("m-{merchant}")).collect()
}

pub(crate) fn lanes(merchants: u32) -> Vec<String> {
    names(merchants).into_iter().map(|name| format!("allscale/{name}")).collect()
}

/// How claims and writes went.
#[derive(Default)]
pub(crate) struct Ring {
    pub(crate) rows: u64,
    pub(crate) claims: Vec<Duration>,
}

pub(crate) async fn claim<S: Store>(store: &S, lanes: &[String], max: usize) -> Vec<Due> {
    store.claim(&Ask { lanes, max, lease: Duration::from_secs(30) }).await.unwrap().due
}

/// Writes a read that showed no end: due again after a second.
pub(crate) async fn write<S: Store>(store: &S, due: &Due) {
    let watch = format!("{:0200}", due.lease.fence);
    let next = Next::Due { after: Duration::from_secs(1), watch };
    let write = Write { checkout: None, next, read: ReadMade::Answered, lane_wait: None, news: Vec::new() };
    assert_eq!(store.write(&due.lease, &write).await.unwrap(), Written::Done);
}

/// Claims by so many tasks at once, and the writes of each claim together.
pub(crate) async fn ring<S: Store + Clone + 'static>(
    store: &S,
    tasks: usize,
    lanes: &[String],
    max: usize,
    span: Duration,
) -> Ring {
    let begin = Instant::now();
    let tasks: Vec<_> = (0..tasks)
        .map(|_| {
            let (store, lanes) = (store.clone(), lanes.to_vec());
            tokio::spawn(async move {
                let mut ring = Ring::default();
                while begin.elapsed() < span {
                    let since = Instant::now();
                    let claimed = claim(&store, &lanes, max).await;
                    ring.claims.push(since.elapsed());
                    ring.rows += claimed.len() as u64;
                    join_all(claimed.iter().map(|due| write(&store, due))).await;
                }
                ring
            })
        })
        .collect();
    let mut all = Ring::default();
    for task in tasks {
        let ring = task.await.unwrap();
        all.rows += ring.rows;
        all.claims.extend(ring.claims);
    }
    all
}

/// The rows of a ring in a second.
pub(crate) async fn rate<S: Store + Clone + 'static>(
    store: &S,
    tasks: usize,
    lanes: &[String],
    max: usize,
    span: Duration,
) -> f64 {
    let begin = Instant::now();
    ring(store, tasks, lanes, max, span).await.rows as f64 / begin.elapsed().as_secs_f64()
}
