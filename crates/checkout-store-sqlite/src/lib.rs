//! A store of the engine in one SQLite file.
//!
//! No server is needed. The processes of one machine share the file, each through a [`Sqlite`] of its own:
//!
//! ```
//! use checkout_engine::Store;
//! use checkout_store_sqlite::Sqlite;
//!
//! # let folder = std::env::temp_dir().join(format!("checkout-doc-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder)?;
//! # let path = folder.join("shop.db");
//! let store = Sqlite::open(&path)?;
//! # pollster::block_on(async {
//! assert_eq!(store.checkout("order-1").await?, None);
//! # Ok::<(), checkout_engine::StoreError>(())
//! # })?;
//! # drop(store);
//! # std::fs::remove_dir_all(folder)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **Durable.** Each operation is one transaction, and is answered after the commit. With
//! [`Synchronous::Full`], the default, an answered commit survives a loss of power.
//!
//! **Many processes.** A transaction that writes takes the lock at once (`BEGIN IMMEDIATE`) and waits for its
//! turn, [`Builder::patience`] long at most. One thread writes. The operations that wait share a transaction,
//! each in a savepoint of its own, so the disk is waited for once. A second thread reads.
//!
//! **The clock** is the machine's, which all processes share. Leases and dues count from the moment in which
//! the transaction runs. The engine notices a clock that is set forward, and reads nothing under a
//! limit for a while.
//!
//! **The file** holds the addresses of the payers' pages. A new file is readable to its owner alone. The file
//! belongs on a disk of the machine: the write-ahead log does not work over a network.
//!
//! # Your own transaction
//!
//! The shop's own tables can be in the same file, and share a transaction with the engine's:
//!
//! - [`TAKE_NEWS`] takes news in the transaction that ships the goods: told exactly once.
//! - [`WATCH`] adds a checkout that the shop itself created at the provider.
//!
//! Begin such a transaction with `BEGIN IMMEDIATE` and keep the transaction short: the engine waits
//! meanwhile.
//!
//! # For people
//!
//! The view `checkout_overview` lists the checkouts, `checkout_due` the work that is due, and
//! `checkout_unmatched` the events that no checkout has. None has a page's address or a note. A row of
//! `checkout` may be deleted once nobody needs the row: its work goes too.

mod claim;
mod db;
mod fault;
mod look;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod mutants;
mod news;
mod nudge;
mod open;
mod replay;
mod rows;
mod schema;
mod shared;
mod worker;
mod write;

pub use open::Synchronous;
pub use schema::{MIGRATIONS, Migration, print_migrations};

use checkout_engine::{
    Ask, Checkout, Claimed, ClaimedNews, Decided, Decision, Figures, Filter, Inserted, Lane, Lease, New,
    Nudge, Nudged, Overview, Store, StoreError, Target, Unmatched, Write, Written,
};
use checkout_tables::Moment;
use checkout_trust::replay::{AsyncStore, Commit, FencingToken, Key, Release, Slot};
use core::fmt;
use db::Db;
use open::Settings;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use worker::{Mode, Worker};

/// Takes news within a transaction of your own: `?1` is the news' key. **One changed row** means that the
/// news is yours, with the commit. No changed row means that the news was told before: do nothing.
///
/// ```
/// # use checkout_engine::{News, Subject};
/// # use checkout_store_sqlite::{MIGRATIONS, TAKE_NEWS};
/// # let mut shop = rusqlite::Connection::open_in_memory()?;
/// # shop.execute_batch(MIGRATIONS[0].sql)?;
/// # shop.execute_batch(
/// #     "CREATE TABLE parcel (news TEXT);
/// #      INSERT INTO checkout_news VALUES ('order-1:settled', 'order-1', 'settled', NULL, 0, 0, 0, 0)",
/// # )?;
/// # let key = "order-1:settled";
/// let transaction = shop.transaction()?;
/// if transaction.execute(TAKE_NEWS, [key])? == 1 {
///     transaction.execute("INSERT INTO parcel (news) VALUES (?1)", [key])?;
/// }
/// transaction.commit()?;
/// assert_eq!(shop.execute(TAKE_NEWS, [key])?, 0);
/// # Ok::<(), rusqlite::Error>(())
/// ```
pub const TAKE_NEWS: &str = "DELETE FROM checkout_news WHERE key = ?1";

/// Adds a checkout that the provider already has, within a transaction of your own and with any driver. The
/// engine reads the checkout from the commit on.
///
/// | parameter | meaning |
/// |---|---|
/// | `?1` | the shop's id of the checkout |
/// | `?2` | the [provider](checkout_engine::Provider): `allscale`, `azotte`, `peach` or `peach_v2` |
/// | `?3` | the merchant's name |
/// | `?4` | `live` or `sandbox` |
/// | `?5` | the reference in the draft |
/// | `?6` | the provider's own id, or NULL |
/// | `?7` | the address of the page, or NULL |
/// | `?8` | the engine's notes, JSON |
/// | `?9` | the moment, in Unix milliseconds |
///
/// The statement fails if there is a checkout with the id, or one of the merchant's with the reference: as
/// `INSERT OR REPLACE` too. As `INSERT OR IGNORE` the statement leaves such a checkout as it is. The number
/// of changed rows means nothing.
///
/// ```
/// # use checkout_store_sqlite::{MIGRATIONS, WATCH};
/// # let mut shop = rusqlite::Connection::open_in_memory()?;
/// # shop.execute_batch(MIGRATIONS[0].sql)?;
/// # let now = 1_716_501_000_000_i64;
/// let transaction = shop.transaction()?;
/// let page = "https://secure.peachpayments.com/checkout?id=1";
/// let values = ("order-1", "peach", "cape", "live", "order-1", "ckt-1", page, "{}", now);
/// transaction.execute(WATCH, values)?;
/// transaction.commit()?;
/// # Ok::<(), rusqlite::Error>(())
/// ```
pub const WATCH: &str = "INSERT INTO checkout_watch \
    (id, provider, merchant, environment, reference, checkout_id, page, notes, at) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";

type Clock = Arc<dyn Fn() -> Moment + Send + Sync>;

/// The settings of a [`Sqlite`] that is not open yet.
pub struct Builder {
    settings: Settings,
    clock: Clock,
    has_virtual_clock: bool,
}

impl Builder {
    fn new(path: Option<&Path>) -> Self {
        let settings = Settings {
            path: path.map(Path::to_owned),
            synchronous: Synchronous::Full,
            patience: Duration::from_secs(30),
            migrate: true,
            max_pages: None,
            next_step: None,
        };
        Self { settings, clock: Arc::new(Moment::now), has_virtual_clock: false }
    }

    /// Sets what a commit waits for: [`Synchronous::Full`] by default.
    #[must_use]
    pub fn synchronous(mut self, synchronous: Synchronous) -> Self {
        self.settings.synchronous = synchronous;
        self
    }

    /// Sets how long a transaction waits for the lock of another process: 30 seconds by default. Then the
    /// operation fails with [`StoreError::Unavailable`], and nothing was written.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.settings.patience = patience;
        self
    }

    /// Sets if the opening brings the schema to this program's version: true by default. Without, an older
    /// schema is [`StoreError::OlderSchema`].
    #[must_use]
    pub fn migrate(mut self, migrate: bool) -> Self {
        self.settings.migrate = migrate;
        self
    }

    /// Sets the most pages, of 4 KiB as a rule, that the file may have by this store's writes. A write beyond
    /// fails as on a full disk. Unlimited by default.
    #[must_use]
    pub fn max_pages(mut self, pages: u32) -> Self {
        self.settings.max_pages = Some(pages);
        self
    }

    /// Sets the clock: the machine's by default, or a virtual one for tests. All processes of a file need the
    /// same clock.
    #[must_use]
    pub fn clock(mut self, clock: impl Fn() -> Moment + Send + Sync + 'static) -> Self {
        (self.clock, self.has_virtual_clock) = (Arc::new(clock), true);
        self
    }

    /// Makes this program the next version, which knows one more step: for tests of two versions side by
    /// side. The step adds alone.
    #[doc(hidden)]
    #[must_use]
    pub fn next_step(mut self, sql: &'static str) -> Self {
        self.settings.next_step = Some(sql);
        self
    }

    /// Opens the store, and blocks meanwhile.
    ///
    /// # Errors
    /// - [`StoreError::Settings`] names the file that cannot be opened: a directory, a missing folder, no
    ///   database, a place without a write-ahead log.
    /// - [`StoreError::ReadOnly`]: the file cannot be written, or the disk is full.
    /// - [`StoreError::NewerSchema`] and [`StoreError::OlderSchema`].
    /// - [`StoreError::Unavailable`]: another process holds the lock.
    pub fn open(self) -> Result<Sqlite, StoreError> {
        let Self { settings, clock, has_virtual_clock } = self;
        let of_writer = settings.clone();
        let writer = Worker::start(Mode::Write, true, move || of_writer.writer())?;
        let reader = match settings.path.clone() {
            Some(path) => Some(Worker::start(Mode::Read, false, move || settings.reader(&path))?),
            None => None,
        };
        Ok(Sqlite { threads: Arc::new(Threads { reader, writer }), clock, has_virtual_clock })
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// A store in an SQLite file. A clone shares the store's threads.
///
/// The last clone's drop waits for the operations that were begun, and closes the file.
///
/// A future that is dropped before its operation has begun leaves nothing; later the operation is done.
#[derive(Clone)]
pub struct Sqlite {
    threads: Arc<Threads>,
    clock: Clock,
    has_virtual_clock: bool,
}

struct Threads {
    /// `None` for a database in memory, which has one connection.
    reader: Option<Worker>,
    writer: Worker,
}

impl Sqlite {
    /// Opens the file, or makes the file, with the default settings. Blocks meanwhile.
    ///
    /// # Errors
    /// See [`Builder::open`].
    ///
    /// ```
    /// use checkout_engine::StoreError;
    /// use checkout_store_sqlite::Sqlite;
    ///
    /// let error = Sqlite::open(std::env::temp_dir()).unwrap_err();
    /// assert!(matches!(&error, StoreError::Settings(text) if text.ends_with("a directory, and no database")));
    /// ```
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::builder(path).open()
    }

    /// The settings for a file.
    ///
    /// ```
    /// use checkout_store_sqlite::Sqlite;
    ///
    /// # let path = std::env::temp_dir().join(format!("checkout-builder-{}.db", std::process::id()));
    /// let error = Sqlite::builder(&path).migrate(false).open().unwrap_err();
    /// assert!(error.to_string().starts_with("the schema has version 0 and this program needs"));
    /// # std::fs::remove_file(path)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn builder(path: impl AsRef<Path>) -> Builder {
        Builder::new(Some(path.as_ref()))
    }

    /// The settings for a database in memory, for tests: another store does not see the database, and the
    /// drop of the store forgets the database.
    ///
    /// ```
    /// use checkout_store_sqlite::Sqlite;
    ///
    /// # use checkout_engine::Store;
    /// let store = Sqlite::in_memory().open()?;
    /// # pollster::block_on(async {
    /// assert_eq!(store.figures().await?.work, 0);
    /// # Ok::<(), checkout_engine::StoreError>(())
    /// # })?;
    /// # Ok::<(), checkout_engine::StoreError>(())
    /// ```
    #[must_use]
    pub fn in_memory() -> Builder {
        Builder::new(None)
    }

    async fn write_with<T: Send + 'static>(
        &self,
        run: impl FnOnce(&Db<'_>, Moment) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let clock = Arc::clone(&self.clock);
        self.threads.writer.ask(move |db| run(db, clock())).await
    }

    async fn read_with<T: Send + 'static>(
        &self,
        run: impl FnOnce(&Db<'_>, Moment) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let clock = Arc::clone(&self.clock);
        let Threads { reader, writer } = &*self.threads;
        reader.as_ref().unwrap_or(writer).ask(move |db| run(db, clock())).await
    }
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite").finish_non_exhaustive()
    }
}

/// A text of a question, which goes to another thread.
fn owned(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}

impl Store for Sqlite {
    async fn now(&self) -> Result<Moment, StoreError> {
        Ok((self.clock)())
    }

    fn later(&self, _: Moment, _: Instant) -> Moment {
        (self.clock)()
    }

    fn steady(&self, at: Moment, since: Instant) -> Moment {
        if self.has_virtual_clock { (self.clock)() } else { at.saturating_add(since.elapsed()) }
    }

    async fn lanes(&self, lanes: &[Lane]) -> Result<(), StoreError> {
        let lanes = lanes.to_vec();
        self.write_with(move |db, _| write::lanes(db, &lanes)).await
    }

    async fn insert(&self, new: &New<'_>) -> Result<Inserted, StoreError> {
        let (checkout, watch, lease) = (new.checkout.clone(), new.watch.to_owned(), new.lease);
        self.write_with(move |db, now| write::insert(db, &checkout, &watch, lease, now)).await
    }

    async fn claim(&self, ask: &Ask<'_>) -> Result<Claimed, StoreError> {
        let (lanes, max, lease) = (ask.lanes.to_vec(), ask.max, ask.lease);
        self.write_with(move |db, now| claim::claim(db, &Ask { lanes: &lanes, max, lease }, now)).await?
    }

    async fn write(&self, lease: &Lease, write: &Write) -> Result<Written, StoreError> {
        let (lease, write) = (lease.clone(), write.clone());
        self.write_with(move |db, now| write::write(db, &lease, &write, now)).await
    }

    async fn nudge(&self, nudge: &Nudge<'_>) -> Result<Nudged, StoreError> {
        let event = nudge.event.to_vec();
        let (first, checkout_id, reference) = match nudge.target {
            Target::Id(id) => (Ok(id.to_owned()), None, None),
            Target::Named { lane, checkout_id, reference } => {
                (Err(lane.to_owned()), owned(checkout_id), owned(reference))
            }
        };
        let run = move |db: &Db<'_>, now| {
            let target = match &first {
                Ok(id) => Target::Id(id),
                Err(lane) => Target::Named {
                    lane,
                    checkout_id: checkout_id.as_deref(),
                    reference: reference.as_deref(),
                },
            };
            nudge::nudge(db, &Nudge { target, event: &event }, now)
        };
        self.write_with(run).await
    }

    async fn decide(&self, decision: &Decision<'_>) -> Result<Written, StoreError> {
        let (checkout, work, news) = (decision.checkout.clone(), decision.work, decision.news.clone());
        let [act, by, reason] = [decision.act, decision.by, decision.reason].map(str::to_owned);
        let run = move |db: &Db<'_>, now| {
            let decision = Decision { checkout: &checkout, work, news, act: &act, by: &by, reason: &reason };
            write::decide(db, &decision, now)
        };
        self.write_with(run).await
    }

    async fn claim_news(&self, max: usize, lease: Duration) -> Result<Vec<ClaimedNews>, StoreError> {
        self.write_with(move |db, now| news::claim(db, max, lease, now)).await?
    }

    async fn news_told(&self, key: &str, fence: i64, again: Option<Duration>) -> Result<Written, StoreError> {
        let key = key.to_owned();
        self.write_with(move |db, now| news::told(db, &key, fence, again, now)).await
    }

    async fn checkout(&self, id: &str) -> Result<Option<Checkout>, StoreError> {
        let id = id.to_owned();
        self.read_with(move |db, _| write::by_id(db, &id)).await
    }

    async fn overview(&self, filter: &Filter<'_>) -> Result<Vec<Overview>, StoreError> {
        let choice = look::Choice::of(filter);
        self.read_with(move |db, now| look::overview(db, &choice, now)).await
    }

    async fn unmatched(&self, after: i64, most: usize) -> Result<Vec<Unmatched>, StoreError> {
        self.read_with(move |db, _| look::unmatched(db, after, most)).await
    }

    async fn decisions(&self, id: &str) -> Result<Vec<Decided>, StoreError> {
        let id = id.to_owned();
        self.read_with(move |db, _| write::decisions(db, &id)).await
    }

    async fn figures(&self) -> Result<Figures, StoreError> {
        self.read_with(look::figures).await
    }

    async fn sweep(&self, max: usize) -> Result<usize, StoreError> {
        self.write_with(move |db, now| nudge::sweep(db, max, now)).await
    }
}

/// The replay guard's store. Its times are the caller's; [`Store::sweep`] forgets ended claims by the store's
/// clock, so both need the same clock.
impl AsyncStore for Sqlite {
    type Error = StoreError;

    async fn claim(&self, key: &Key, now: Moment, lease: Duration) -> Result<Slot, StoreError> {
        let (key, until) = (key.to_string(), now.saturating_add(lease));
        self.write_with(move |db, _| replay::claim(db, &key, now, until)).await
    }

    async fn commit(&self, key: &Key, fence: FencingToken, now: Moment) -> Result<Commit, StoreError> {
        let (until, key) = (now.saturating_add(key.retention()), key.to_string());
        self.write_with(move |db, _| replay::commit(db, &key, fence, until)).await
    }

    async fn release(&self, key: &Key, fence: FencingToken) -> Result<Release, StoreError> {
        let key = key.to_string();
        self.write_with(move |db, _| replay::release(db, &key, fence)).await
    }
}
