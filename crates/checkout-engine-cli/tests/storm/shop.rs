//! The shop's own side: the store, and the parcels that leave in the same transaction that takes the news.

#[path = "newer.rs"]
pub(crate) mod newer;

use super::Outcome;
use checkout_engine::News;
use checkout_store_postgres::{Options, Postgres};
use checkout_store_sqlite::{Builder, Sqlite, TAKE_NEWS};
use checkout_tables::Moment;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The place of everything that lasts.
#[derive(Clone)]
pub(crate) enum Database {
    Sqlite(PathBuf),
    Postgres { url: String, schema: String },
}

impl Database {
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite:{}", path.display()),
            Self::Postgres { url, schema } => format!("{schema}:{url}"),
        }
    }

    pub(crate) fn of_text(text: &str) -> Outcome<Self> {
        match text.split_once(':') {
            Some(("sqlite", path)) => Ok(Self::Sqlite(path.into())),
            Some((schema, url)) => Ok(Self::Postgres { url: url.to_owned(), schema: schema.to_owned() }),
            None => Err("no database".into()),
        }
    }
}

/// The parcels in an SQLite file.
pub(crate) struct SqliteShop(Mutex<rusqlite::Connection>);

impl SqliteShop {
    pub(crate) fn open(path: &PathBuf) -> Outcome<Self> {
        let connection = rusqlite::Connection::open(path)?;
        connection.busy_timeout(Duration::from_secs(30))?;
        connection.execute_batch(
            "PRAGMA synchronous = FULL; CREATE TABLE IF NOT EXISTS parcel (id TEXT NOT NULL, key TEXT NOT NULL) STRICT",
        )?;
        Ok(Self(Mutex::new(connection)))
    }

    /// Takes the news and puts the parcel in, in one transaction.
    pub(crate) fn take(&self, news: &News) -> Outcome {
        let mut connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        if transaction.execute(TAKE_NEWS, [&news.key])? == 1 {
            transaction.execute("INSERT INTO parcel (id, key) VALUES (?1, ?2)", [&news.id, &news.key])?;
        }
        Ok(transaction.commit()?)
    }

    pub(crate) fn parcels(&self) -> Outcome<BTreeMap<String, u32>> {
        let connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut statement = connection.prepare("SELECT id, count(*) FROM parcel GROUP BY id")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

pub(crate) fn open_sqlite(
    path: &PathBuf,
    clock: impl Fn() -> Moment + Send + Sync + 'static,
) -> Outcome<Sqlite> {
    Ok(sqlite(path, clock).open()?)
}

fn sqlite(path: &PathBuf, clock: impl Fn() -> Moment + Send + Sync + 'static) -> Builder {
    Sqlite::builder(path).clock(clock).patience(Duration::from_secs(30))
}

pub(crate) async fn open_postgres(url: &str, schema: &str, prepared: bool) -> Outcome<Postgres> {
    Ok(postgres(schema, prepared).connect(url).await?)
}

fn postgres(schema: &str, prepared: bool) -> Options {
    Options::new().schema(schema).connections(2).prepared(prepared)
}

/// Takes the news and puts the parcel in, in one statement, which is a transaction of its own.
pub(crate) async fn take_postgres(store: &Postgres, news: &News) -> Outcome {
    let client = store.pool().get().await?;
    let statement = format!(
        "WITH taken AS ({}) INSERT INTO {}.parcel (id, key) SELECT id, $1 FROM taken",
        store.take_news(),
        store.schema()
    );
    client.execute(&statement, &[&news.key]).await?;
    Ok(())
}

pub(crate) async fn parcels_postgres(store: &Postgres) -> Outcome<BTreeMap<String, u32>> {
    let client = store.pool().get().await?;
    let rows = client
        .query(&format!("SELECT id, count(*)::int FROM {}.parcel GROUP BY id", store.schema()), &[])
        .await?;
    let count = |row: &_| -> Outcome<(String, u32)> {
        let row: &checkout_store_postgres::deadpool_postgres::tokio_postgres::Row = row;
        Ok((row.try_get(0)?, u32::try_from(row.try_get::<_, i32>(1)?)?))
    };
    rows.iter().map(count).collect()
}
