//! The store, how it connects, and its statements.

use core::fmt;
use core::time::Duration;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use checkout_engine::StoreError;
use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Config, NoTls, Row, Socket};

use crate::error::{self, Fault};
use crate::queue::Queue;
use crate::schema::{self, KNOWN};
use crate::turns::Turns;
use crate::vacuum::Vacuum;
use crate::wake::Wake;

/// The statement by which your own transaction takes news, with the news' key as `$1`: a row means that the
/// news is yours, and none that another transaction has told the news. Commit the statement together with
/// what you do about the news.
///
/// The statement is for the schema `checkout`. [`Postgres::take_news`] is the statement for another schema.
///
/// ```no_run
/// use checkout_store_postgres::TAKE_NEWS;
///
/// # async fn ship(client: &mut tokio_postgres::Client, key: &str) -> Result<(), tokio_postgres::Error> {
/// let transaction = client.transaction().await?;
/// if transaction.execute(TAKE_NEWS, &[&key]).await? == 1 {
///     transaction.execute("INSERT INTO parcels (order_id) VALUES ($1)", &[&key]).await?;
/// }
/// transaction.commit().await
/// # }
/// ```
pub const TAKE_NEWS: &str = "DELETE FROM checkout.news WHERE key = $1 RETURNING id, subject, reason";

/// Pairs of a parameter and its type.
macro_rules! parameters {
    ($($value:expr => $type:ident),* $(,)?) => {
        &[$((
            &$value as &(dyn ::tokio_postgres::types::ToSql + Sync),
            ::tokio_postgres::types::Type::$type,
        )),*]
    };
}
pub(crate) use parameters;

/// How often an operation is repeated that another one at the same time has undone.
const RACES: u32 = 20;

/// How long to wait for a connection, and for a silent network.
const PATIENCE: Duration = Duration::from_secs(10);

/// The choices for a store.
///
/// ```no_run
/// use checkout_store_postgres::Options;
///
/// # async fn open() -> Result<(), checkout_engine::StoreError> {
/// let options = Options::new().schema("shop_checkout").migrate(false).connections(16);
/// let store = options.connect("postgres://shop@127.0.0.1/shop").await?;
/// # let _ = store; Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    schema: String,
    migrate: bool,
    connections: usize,
    prepared: bool,
    notify: bool,
    next_step: Option<&'static str>,
}

impl Options {
    /// The schema `checkout`, which is migrated, and at most eight connections.
    #[must_use]
    pub fn new() -> Self {
        Self {
            schema: schema::DEFAULT.to_owned(),
            migrate: true,
            connections: 8,
            prepared: false,
            notify: true,
            next_step: None,
        }
    }

    /// Sets the name of the schema: 1 to 48 of `a` to `z`, `0` to `9` and `_`, with no digit and no `pg_`
    /// first.
    #[must_use]
    pub fn schema(self, name: &str) -> Self {
        Self { schema: name.to_owned(), ..self }
    }

    /// Sets if the schema is made, or brought to the version of this program, by a role that may do so.
    #[must_use]
    pub fn migrate(self, migrate: bool) -> Self {
        Self { migrate, ..self }
    }

    /// Sets the most connections that [`connect`](Self::connect) opens.
    #[must_use]
    pub fn connections(self, most: usize) -> Self {
        Self { connections: most.max(1), ..self }
    }

    /// Sets if the statements are prepared once for each connection: the database plans a statement once and
    /// not each time. Off by default. Not for a pooler in transaction mode, unless the pooler knows prepared
    /// statements, as pgbouncer does from 1.21 on.
    #[must_use]
    pub fn prepared(self, prepared: bool) -> Self {
        Self { prepared, ..self }
    }

    /// Sets if processes wake each other by `NOTIFY` when something is due, at most ten times a second each.
    /// On by default. Without, a process finds what others have made due by asking.
    #[must_use]
    pub fn notify(self, notify: bool) -> Self {
        Self { notify, ..self }
    }

    /// Makes this program the next version, which knows one more step: for tests of two versions side by
    /// side. The step adds alone, and names the schema `checkout`.
    #[doc(hidden)]
    #[must_use]
    pub fn next_step(self, sql: &'static str) -> Self {
        Self { next_step: Some(sql), ..self }
    }

    /// Connects to the database of a URL, without TLS: see [`Postgres::connect`].
    ///
    /// # Errors
    /// As [`Postgres::connect`].
    pub async fn connect(self, url: &str) -> Result<Postgres, StoreError> {
        let settings = |text: &str| StoreError::Settings(text.to_owned());
        let config = Config::from_str(url);
        // The driver knows these two by no name.
        let verifies = url.contains("sslmode=verify-");
        if verifies || config.as_ref().is_ok_and(|config| config.get_ssl_mode() == SslMode::Require) {
            return Err(settings(
                "the URL asks for TLS: connect by Options::connect_with and a TLS connector",
            ));
        }
        // The parser's own word about a URL can hold a part of the password.
        let config = config.map_err(|_| {
            settings(
                "the URL of the database cannot be read: postgres://user:password@host:5432/database is expected",
            )
        })?;
        self.connect_with(config, NoTls).await
    }

    /// Connects to the database of a configuration by a TLS connector of yours, such as that of
    /// `tokio-postgres-rustls`, and listens over connections of the same kind.
    ///
    /// ```no_run
    /// use checkout_store_postgres::Options;
    /// use tokio_postgres::NoTls;
    ///
    /// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
    /// let tls = NoTls; // such as MakeRustlsConnect::new(config) of tokio-postgres-rustls
    /// let config = "postgres://shop:secret@db.example.com/shop?sslmode=require".parse()?;
    /// let store = Options::new().connect_with(config, tls).await?;
    /// # let _ = store; Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Postgres::connect`]. A connection without the TLS that the configuration asks for is
    /// [`StoreError::Unavailable`].
    pub async fn connect_with<T>(self, mut config: Config, tls: T) -> Result<Postgres, StoreError>
    where
        T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
        T::Stream: Send + Sync,
        T::TlsConnect: Send + Sync,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(PATIENCE);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(PATIENCE);
        }
        if config.get_application_name().is_none() {
            config.application_name("checkout");
        }
        config.keepalives_idle(PATIENCE);
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let pool = Pool::builder(Manager::from_config(config.clone(), tls.clone(), recycling))
            .max_size(self.connections)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(PATIENCE))
            .create_timeout(Some(PATIENCE))
            .build()
            .map_err(|error| StoreError::Settings(error.to_string()))?;
        let store = self.open(pool).await?;
        store.0.wake.listen(config, tls);
        Ok(store)
    }

    /// Opens the store over a pool of yours, which can have TLS: see [`Postgres::new`].
    ///
    /// # Errors
    /// As [`Postgres::new`].
    pub async fn open(self, pool: Pool) -> Result<Postgres, StoreError> {
        schema::check_name(&self.schema)?;
        let mut client = pool.get().await.map_err(|error| error::of_pool(&error, KNOWN))?;
        let settings =
            "SELECT current_setting('fsync') = 'off' OR current_setting('synchronous_commit') = 'off'";
        let rows = client.query_typed(settings, &[]).await.map_err(|error| error::of(&error, KNOWN))?;
        if rows.first().and_then(|row| row.try_get::<_, bool>(0).ok()) != Some(false) {
            return Err(StoreError::Settings(
                "the database loses commits when its machine fails: set fsync and synchronous_commit to on"
                    .to_owned(),
            ));
        }
        schema::prepare(&mut client, &self.schema, self.migrate, self.next_step).await?;
        drop(client);
        Ok(Postgres(Arc::new(Inner {
            statements: Statements::of(&self.schema),
            take_news: schema::named(TAKE_NEWS, &self.schema),
            wake: Wake::new(pool.clone(), &self.schema, self.notify),
            pool,
            schema: self.schema,
            prepared: self.prepared,
            turns: Mutex::default(),
            writes: Arc::default(),
            vacuum: Vacuum::new(),
        })))
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}

/// A store in a PostgreSQL database, which any number of processes share. A clone is the same store.
///
/// ```no_run
/// use checkout_engine::Store;
/// use checkout_store_postgres::Postgres;
///
/// # async fn open() -> Result<(), checkout_engine::StoreError> {
/// let store = Postgres::connect("postgres://shop:secret@127.0.0.1/shop").await?;
/// assert_eq!(store.checkout("order-1").await?, None);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Postgres(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pool: Pool,
    schema: String,
    pub(crate) statements: Statements,
    take_news: String,
    prepared: bool,
    turns: Mutex<Turns>,
    writes: Arc<Queue>,
    vacuum: Vacuum,
    wake: Wake,
}

macro_rules! statements {
    ($($name:ident)+) => {
        /// The statements of the operations.
        pub(crate) struct Statements {
            $(pub(crate) $name: String,)+
        }

        impl Statements {
            fn of(schema: &str) -> Self {
                Self {
                    $($name: schema::named(include_str!(concat!("../sql/", stringify!($name), ".sql")), schema),)+
                }
            }
        }
    };
}

statements! {
    now lanes insert urgent claim write nudge decide claim_news news_told checkout overview unmatched decisions figures
    health sweep dead_work guard_claim guard_held guard_commit guard_release
}

impl Postgres {
    /// Connects to the database of a URL, without TLS, with the [usual options](Options::new): makes the
    /// schema `checkout`, or brings the schema to the version of this program.
    ///
    /// # Errors
    /// [`StoreError::Settings`] for a URL that cannot be read or asks for TLS, and for a server that loses
    /// commits; [`StoreError::Unavailable`] for a database that does not answer; [`StoreError::Rights`] for a
    /// role without rights; [`StoreError::OlderSchema`] and [`StoreError::NewerSchema`].
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Options::new().connect(url).await
    }

    /// Opens the store over a pool of yours, which can have TLS, with the [usual options](Options::new).
    ///
    /// # Errors
    /// As [`connect`](Self::connect), without those of the URL.
    pub async fn new(pool: Pool) -> Result<Self, StoreError> {
        Options::new().open(pool).await
    }

    /// The name of the schema.
    #[must_use]
    pub fn schema(&self) -> &str {
        &self.0.schema
    }

    /// [`TAKE_NEWS`] for the schema of this store.
    #[must_use]
    pub fn take_news(&self) -> &str {
        &self.0.take_news
    }

    /// The pool.
    #[must_use]
    pub fn pool(&self) -> &Pool {
        &self.0.pool
    }

    pub(crate) fn statements(&self) -> &Statements {
        &self.0.statements
    }

    /// One statement. Without a name it is one round trip, which passes a pooler in transaction mode.
    pub(crate) async fn ask(
        &self,
        statement: &str,
        parameters: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Vec<Row>, StoreError> {
        self.attempt(statement, parameters).await.map_err(|fault| fault.error(KNOWN))
    }

    /// As [`ask`](Self::ask). The fault says if the database has answered.
    pub(crate) async fn attempt(
        &self,
        statement: &str,
        parameters: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Vec<Row>, Fault> {
        let mut races = 0;
        loop {
            let client = self.0.pool.get().await.map_err(Fault::Pool)?;
            let rows = if self.0.prepared {
                let (values, types): (Vec<_>, Vec<_>) = parameters.iter().cloned().unzip();
                match client.prepare_typed_cached(statement, &types).await {
                    Ok(prepared) => client.query(&prepared, &values).await,
                    Err(error) => Err(error),
                }
            } else {
                client.query_typed(statement, parameters).await
            };
            match rows {
                Ok(rows) => return Ok(rows),
                Err(error) if error::is_race(&error) && races < RACES => {
                    if error::is_outdated(&error) {
                        client.statement_cache.clear();
                    }
                    races += 1;
                }
                Err(error) => return Err(Fault::Driver(error)),
            }
        }
    }

    /// Listens for other processes over connections of this configuration: for a store over a [pool of
    /// yours](Self::new), whose connections hear nothing. The connection must lead to the server itself, or
    /// to a pooler that keeps sessions. A store of [`connect`](Self::connect) listens already, and stays as
    /// it is.
    ///
    /// ```no_run
    /// use checkout_store_postgres::Postgres;
    /// use tokio_postgres::{Config, NoTls};
    ///
    /// # fn listen(store: &Postgres) -> Result<(), tokio_postgres::Error> {
    /// let config: Config = "postgres://shop:secret@127.0.0.1/shop".parse()?;
    /// store.listen(config, NoTls);
    /// # Ok(())
    /// # }
    /// ```
    pub fn listen<T>(&self, config: Config, tls: T)
    where
        T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
        T::Stream: Send,
        T::TlsConnect: Send,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        self.0.wake.listen(config, tls);
    }

    pub(crate) fn wake(&self) -> &Wake {
        &self.0.wake
    }

    /// Runs a statement without parameters that stands alone, in no transaction.
    pub(crate) async fn run(&self, statement: &str) -> Result<(), StoreError> {
        let client = self.0.pool.get().await.map_err(|error| error::of_pool(&error, KNOWN))?;
        client.batch_execute(statement).await.map_err(|error| error::of(&error, KNOWN))
    }

    pub(crate) fn vacuums(&self) -> &Vacuum {
        &self.0.vacuum
    }

    /// The writes that wait for their call.
    pub(crate) fn writes(&self) -> &Arc<Queue> {
        &self.0.writes
    }

    pub(crate) fn turns(&self) -> MutexGuard<'_, Turns> {
        self.0.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").field("schema", &self.0.schema).finish_non_exhaustive()
    }
}
