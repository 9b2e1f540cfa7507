//! Adds checkouts by sqlx in transactions of its own, and lets an engine read what each driver has committed.
//!
//! The database of CHECKOUT_TEST_POSTGRES has the schema that CHECKOUT_SCHEMA names, or else `checkout`, and
//! no other program uses the schema meanwhile. The clock of the schema is replaced.

use checkout_kit::engine::{Engine, Rules};
use checkout_kit::{Environment, Request, Response, Transport, TransportError, allscale, peach};
use checkout_sandbox::{VirtualClock, allscale as of_allscale, peach as of_peach};
use checkout_store_postgres::Options;
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::{PgConnection, Row as _};
use std::error::Error;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// The checks that have passed, and those that have failed.
#[derive(Default)]
struct Checks {
    passed: u32,
    failed: u32,
}

impl Checks {
    fn check<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, found: T, wanted: T) {
        if found == wanted {
            self.passed += 1;
            println!("ok     {what}");
        } else {
            self.failed += 1;
            println!("FAILED {what}: {found:?}, and not {wanted:?}");
        }
    }
}

struct Schema(String);

impl Schema {
    /// SQL for the schema.
    fn of(&self, sql: &str) -> String {
        sql.replace("checkout.", &format!("\"{}\".", self.0))
    }

    async fn watch(&self, on: &mut PgConnection, id: &str, provider: &str) -> Result<bool, sqlx::Error> {
        let watch =
            self.of("SELECT checkout.watch($1, $2, 'sqlx', 'sandbox', $1 || '-reference', $1 || '-id')");
        sqlx::query_scalar(&watch).bind(id).bind(provider).fetch_one(on).await
    }

    /// How many rows and works of an order another connection sees.
    async fn seen(&self, pool: &PgPool, id: &str) -> Result<(i64, i64), sqlx::Error> {
        let seen = self.of("SELECT (SELECT count(*) FROM checkout.overview WHERE id = $1), \
                            (SELECT count(*) FROM checkout.due WHERE id = $1)");
        let row = sqlx::query(&seen).bind(id).fetch_one(pool).await?;
        Ok((row.try_get(0)?, row.try_get(1)?))
    }

    /// Sets the clock of the schema to the providers' clock.
    async fn set_clock(&self, pool: &PgPool, clock: &VirtualClock) -> Outcome {
        let set = self.of(&format!(
            "CREATE OR REPLACE FUNCTION checkout.now_ms() RETURNS bigint LANGUAGE sql VOLATILE AS \
             $$ SELECT {}::bigint $$",
            clock.now().unix_millis()
        ));
        sqlx::raw_sql(&set).execute(pool).await?;
        Ok(())
    }
}

/// The providers, who note the addresses of all requests. None of them knows a checkout of the drivers.
#[derive(Clone)]
struct Providers {
    allscale: of_allscale::Sandbox,
    peach: of_peach::Sandbox,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Providers {
    /// The reads of an order so far.
    fn reads(&self, id: &str) -> usize {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let names = |address: &&String| {
            ["-id", "-reference"].iter().any(|end| address.contains(&format!("{id}{end}")))
        };
        heard.iter().filter(names).count()
    }
}

impl Transport for Providers {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let address = format!("{} {}", request.uri(), String::from_utf8_lossy(request.body()));
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).push(address);
        let is_peach = request.uri().host().is_some_and(|host| host.contains("peach"));
        if is_peach { self.peach.send(request).await } else { self.allscale.send(request).await }
    }
}

async fn run() -> Outcome<Checks> {
    let url =
        std::env::var("CHECKOUT_TEST_POSTGRES").map_err(|_| "CHECKOUT_TEST_POSTGRES names no server")?;
    let schema = Schema(std::env::var("CHECKOUT_SCHEMA").unwrap_or_else(|_| "checkout".to_owned()));
    let (pool, mut checks) =
        (PgPoolOptions::new().max_connections(2).connect(&url).await?, Checks::default());
    let name = |number: u32| format!("sqlx-{}-{number}", std::process::id());

    let one = name(1);
    let mut shop = pool.begin().await?;
    checks.check("the function adds a checkout", schema.watch(&mut shop, &one, "allscale").await?, true);
    checks.check("nobody sees it before the commit", schema.seen(&pool, &one).await?, (0, 0));
    shop.rollback().await?;
    checks.check("a rollback leaves nothing", schema.seen(&pool, &one).await?, (0, 0));

    let mut shop = pool.begin().await?;
    schema.watch(&mut shop, &one, "allscale").await?;
    drop(shop);
    checks.check("a transaction that is dropped leaves nothing", schema.seen(&pool, &one).await?, (0, 0));

    let mut shop = pool.begin().await?;
    schema.watch(&mut shop, &one, "allscale").await?;
    let refused = schema.watch(&mut shop, &name(2), "nobody").await;
    let refused = refused.err().and_then(|error| error.as_database_error()?.code().map(String::from));
    checks.check("a provider that is none is refused", refused.as_deref(), Some("23514"));
    drop(shop);
    checks.check("the refusal undoes the transaction", schema.seen(&pool, &one).await?, (0, 0));

    // An engine, which reads what the other drivers have committed.
    let allscale = of_allscale::Sandbox::new(1);
    let clock = allscale.clock().clone();
    let providers = Providers {
        allscale,
        peach: of_peach::Sandbox::builder().clock(clock.clone()).build(),
        heard: Arc::default(),
    };
    // The rows are of the database's time so far.
    let now: i64 = sqlx::query_scalar(&schema.of("SELECT checkout.now_ms()")).fetch_one(&pool).await?;
    clock.advance(Duration::from_millis(u64::try_from(now - clock.now().unix_millis())?));
    schema.set_clock(&pool, &clock).await?;
    let store = Options::new().schema(&schema.0).connect(&url).await?;
    let mut rules = Rules::default();
    for policy in rules.poll.values_mut() {
        *policy = policy.initial_wait(Duration::ZERO);
    }
    // A new process for each step: one that stays takes the pauses of this clock for steps of the database's.
    let step = async || -> Outcome<Duration> {
        let key = allscale::SigningKey::new(of_allscale::API_KEY, of_allscale::API_SECRET.into())?;
        let of_sqlx = allscale::Client::builder(key).environment(Environment::Sandbox);
        let token = peach::SecretToken::new(of_peach::SECRET_TOKEN.into())?;
        let of_others = peach::Client::builder(of_peach::ENTITY_ID, token).referer(of_peach::REFERER);
        let engine = Engine::builder(store.clone(), providers.clone())
            .rules(rules.clone())
            .merchant("sqlx", of_sqlx.build()?)
            .merchant("shop", of_others.environment(Environment::Sandbox).build()?)
            .build()?;
        Ok(engine.step(|_| async { Ok(()) }).await?)
    };
    let pass = async |span: Duration| {
        clock.advance(span);
        schema.set_clock(&pool, &clock).await
    };

    let others = schema.of("SELECT id FROM checkout.overview WHERE merchant = 'shop' ORDER BY id");
    let others: Vec<String> = sqlx::query_scalar(&others).fetch_all(&pool).await?;
    // The limit is two reads a minute. A read that shows no checkout holds its place for a lease more.
    for _ in 0..=others.len() * 3 {
        step().await?;
        pass(Duration::from_secs(92)).await?;
    }
    let unread: Vec<&String> = others.iter().filter(|id| providers.reads(id) == 0).collect();
    checks.check("an engine reads what psycopg and node-postgres have committed", unread, Vec::new());
    let heard_of = ["psycopg", "node-postgres"].map(|driver| others.iter().any(|id| id.contains(driver)));
    checks.check("there was something of each driver to read", heard_of, [true, true]);

    let mut shop = pool.begin().await?;
    schema.watch(&mut shop, &one, "allscale").await?;
    step().await?;
    checks.check("an engine does not read what is not committed", providers.reads(&one), 0);
    shop.commit().await?;
    checks.check("a commit is seen, with its work", schema.seen(&pool, &one).await?, (1, 1));
    step().await?;
    checks.check("the engine's next question finds the commit", providers.reads(&one), 1);
    let again = schema.watch(&mut *pool.acquire().await?, &one, "allscale").await?;
    checks.check("the same again adds nothing", again, false);
    let undone = providers.reads("psycopg-bad") + providers.reads(&name(2));
    checks.check("nobody reads what was undone", undone, 0);
    Ok(checks)
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    match run().await {
        Ok(Checks { passed, failed }) => {
            println!("\n{passed} passed, {failed} failed");
            if passed > 0 && failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            println!("FAILED {error}");
            ExitCode::FAILURE
        }
    }
}
