//! A schema for each test, on the server that `CHECKOUT_TEST_POSTGRES` names.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part")]

use std::env;
use std::error::Error;
use std::io::Write as _;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use checkout_engine::conformance::Clock;
use checkout_engine::{State, StoreError};
use checkout_store_postgres::{DatabaseError, Options, Postgres};
use tokio::runtime::Runtime;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, NoTls};

pub type Tested = Result<(), Box<dyn Error>>;

/// The moment at which a schema's standing clock begins.
pub const START: i64 = 1_716_501_000_000;

const VARIABLE: &str = "CHECKOUT_TEST_POSTGRES";

/// True where no server is named: the test then runs nothing, and says so where nobody captures the words, so
/// that no run without a server looks like a run with a server.
pub fn has_no_server() -> bool {
    let none = env::var_os(VARIABLE).is_none();
    if none {
        let _ = writeln!(std::io::stderr(), "{VARIABLE} is not set: this test has run nothing");
    }
    none
}

/// The server's URL.
pub fn url() -> String {
    env::var(VARIABLE).expect("the variable is set to the URL of a PostgreSQL server")
}

pub fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime starts")
}

/// A connection of the test's own.
pub async fn client() -> Result<Client, tokio_postgres::Error> {
    client_of(&url()).await
}

pub async fn client_of(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// A schema of a test, and the test's connection. The schema is dropped with the value.
pub struct Schema {
    pub name: String,
    pub client: Client,
}

impl Schema {
    pub async fn new() -> Result<Self, Box<dyn Error>> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("t_{}_{number}", std::process::id());
        Ok(Self { name, client: client().await? })
    }

    pub fn options(&self) -> Options {
        Options::new().schema(&self.name)
    }

    /// A store on the schema, with the database's clock.
    pub async fn store(&self) -> Result<Postgres, StoreError> {
        self.options().connect(&url()).await
    }

    /// A store on the schema with a clock that stands at [`START`].
    pub async fn standing(&self) -> Result<Postgres, Box<dyn Error>> {
        let store = self.store().await?;
        self.stand().await?;
        Ok(store)
    }

    /// Replaces the clock of the schema by a clock that stands.
    pub async fn stand(&self) -> Result<(), tokio_postgres::Error> {
        self.run(&format!(
            "CREATE TABLE checkout.clock (ms bigint NOT NULL); INSERT INTO checkout.clock VALUES ({START}); \
             CREATE OR REPLACE FUNCTION checkout.now_ms() RETURNS bigint LANGUAGE sql VOLATILE \
             AS $$ SELECT ms FROM checkout.clock $$"
        ))
        .await
    }

    /// Does what a newer program's step may do under a program that is at work: adds to every table.
    pub async fn add_to_all(&self) -> Result<(), tokio_postgres::Error> {
        let tables = "SELECT tablename FROM pg_tables WHERE schemaname = $1 AND tablename <> 'clock'";
        let mut step = "BEGIN; CREATE TABLE checkout.newer (id text PRIMARY KEY);".to_owned();
        for row in self.client.query(tables, &[&self.name]).await? {
            let table: String = row.try_get(0)?;
            step.push_str(&format!(
                "ALTER TABLE checkout.{table} ADD COLUMN mood text NOT NULL DEFAULT 'calm', ADD COLUMN more bigint;"
            ));
        }
        step.push_str("UPDATE checkout.schema_version SET version = 2, oldest = 1; COMMIT;");
        self.run(&step).await
    }

    pub async fn pass(&self, span: Duration) -> Result<(), tokio_postgres::Error> {
        self.run(&format!("UPDATE checkout.clock SET ms = ms + {}", span.as_millis())).await
    }

    /// SQL in which `checkout.` is the schema.
    pub fn sql(&self, sql: &str) -> String {
        sql.replace("checkout.", &format!("{}.", self.name))
    }

    pub async fn run(&self, sql: &str) -> Result<(), tokio_postgres::Error> {
        self.client.batch_execute(&self.sql(sql)).await
    }

    /// The number that a query answers with.
    pub async fn number(&self, sql: &str) -> Result<i64, tokio_postgres::Error> {
        self.client.query_one(&self.sql(sql), &[]).await?.try_get(0)
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        let name = self.name.clone();
        let drop = move || {
            runtime().block_on(async {
                let client = client().await?;
                let drop = format!("DROP SCHEMA IF EXISTS {name} CASCADE");
                // What a test has left under way may have one of the tables, and wait for another one.
                loop {
                    match client.batch_execute(&drop).await {
                        Err(error) if error.code() == Some(&SqlState::T_R_DEADLOCK_DETECTED) => {}
                        dropped => return dropped,
                    }
                }
            })
        };
        // A test can end within a runtime, where no other runtime can block.
        let dropped = std::thread::spawn(drop).join();
        if !std::thread::panicking() {
            dropped.expect("the thread ends").expect("the schema is dropped");
        }
    }
}

/// The standing clock of a schema. Each reading goes to the database.
pub struct Standing(pub Schema);

impl Clock for Standing {
    async fn pass(&self, span: Duration) -> Result<(), StoreError> {
        let millis = span.as_nanos().div_ceil(1_000_000);
        let advance = format!("UPDATE checkout.clock SET ms = ms + {millis}");
        let unavailable = |error: tokio_postgres::Error| StoreError::Unavailable(Box::new(error));
        self.0.run(&advance).await.map_err(unavailable)
    }
}

/// The SQLSTATE of the database's word about an error.
pub fn code(error: &StoreError) -> Option<&str> {
    let source = std::error::Error::source(error)?;
    source.downcast_ref::<DatabaseError>()?.code()
}

pub const OPEN: State = State::Open;
