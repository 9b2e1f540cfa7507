//! The connection, and what a server must be.

use core::fmt;
use core::time::Duration;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use checkout_engine::StoreError;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, FromRedisValue, Pipeline};

use crate::error;
use crate::place::{End, Reservation};
use crate::scripts::{Named, Scripts};
use crate::together::Together;

/// A moment from which no wait reaches the present.
const LONG_AGO: i64 = -1_000_000_000_000_000;

/// How long a connection or an answer may take: a claim of all lanes waits for the limits.
const PATIENCE: Duration = Duration::from_secs(2);

/// The choices for Redis.
///
/// ```no_run
/// use checkout_store_redis::Options;
///
/// # async fn open() -> Result<(), checkout_engine::StoreError> {
/// let redis = Options::new().prefix("{shop}:").connect("redis://127.0.0.1:6379").await?;
/// # let _ = redis; Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    prefix: String,
    guard_wait: Duration,
    clock: Option<String>,
}

impl Options {
    /// The prefix `{checkout}:`, and 11 minutes of waiting for the guard after a loss.
    #[must_use]
    pub fn new() -> Self {
        Self { prefix: "{checkout}:".to_owned(), guard_wait: Duration::from_secs(660), clock: None }
    }

    /// Sets the prefix of all keys: 1 to 64 of ASCII letters, digits and `{}:_-.`. A part in braces keeps the
    /// keys of a Redis Cluster on one node. All processes and databases that share limits share a prefix;
    /// whoever shares none has another.
    #[must_use]
    pub fn prefix(self, prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), ..self }
    }

    /// Sets how long the replay guard refuses claims after Redis has lost its memory: no longer than a key's
    /// retention, and no shorter than a lease. By default 11 minutes, after which an AllScale delivery is too
    /// old to be played back.
    #[must_use]
    pub const fn guard_wait(mut self, wait: Duration) -> Self {
        self.guard_wait = wait;
        self
    }

    /// Takes the time from a key, in Unix milliseconds, in place of the server's clock: for tests alone.
    #[doc(hidden)]
    #[must_use]
    pub fn clock_key(self, key: &str) -> Self {
        Self { clock: Some(key.to_owned()), ..self }
    }

    /// Connects to a server: `redis://user:password@host:port/database`. The connection comes back by itself
    /// when it breaks.
    ///
    /// # Errors
    /// [`StoreError::Settings`] for a URL or a prefix that does not do, and for a server that does not: see
    /// [`over`](Self::over). [`StoreError::Unavailable`] if the server does not answer, and
    /// [`StoreError::Rights`] if it refuses the password. No error holds the URL.
    pub async fn connect(self, url: &str) -> Result<Redis, StoreError> {
        let client = Client::open(url).map_err(|_| {
            StoreError::Settings(
                "the URL of Redis is not redis://user:password@host:port/database; for rediss:// build the crate \
                 `redis` with TLS"
                    .to_owned(),
            )
        })?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE))
            .set_number_of_retries(1);
        let connection = ConnectionManager::new_with_config(client, config).await;
        self.over(connection.map_err(|error| error::of(&error))?).await
    }

    /// Takes a connection of yours, such as one with TLS.
    ///
    /// # Errors
    /// [`StoreError::Settings`] for a server older than Redis 7, for a server that evicts keys, which would
    /// forget places that are taken, and for a prefix that does not do. Otherwise as
    /// [`connect`](Self::connect).
    pub async fn over(self, connection: ConnectionManager) -> Result<Redis, StoreError> {
        let fits = |one: char| one.is_ascii_alphanumeric() || "{}:_-.".contains(one);
        for name in [Some(&self.prefix), self.clock.as_ref()].into_iter().flatten() {
            if name.is_empty() || name.len() > 64 || !name.chars().all(fits) {
                return Err(StoreError::Settings(
                    "prefix: 1 to 64 of ASCII letters, digits and {}:_-.".to_owned(),
                ));
            }
        }
        let scripts = Arc::new(Scripts::new(&self.prefix, self.clock.as_deref()));
        let now = Instant::now();
        let known = Arc::new(Mutex::new(Known { term: String::new(), answered: now, told: now }));
        let redis = Redis {
            connection,
            prefix: self.prefix.into(),
            guard_wait: self.guard_wait,
            scripts,
            known,
            reservations: Together::new(),
            ends: Together::new(),
        };
        redis.begin().await?;
        Ok(redis)
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}

/// Limits and the replay guard on a Redis server, by the server's own time. A clone shares the connection.
///
/// The crate's page says what is kept, and what happens when Redis loses its memory.
#[derive(Clone)]
pub struct Redis {
    connection: ConnectionManager,
    prefix: Arc<str>,
    guard_wait: Duration,
    scripts: Arc<Scripts>,
    known: Arc<Mutex<Known>>,
    pub(crate) reservations: Arc<Together<Reservation, i64>>,
    pub(crate) ends: Arc<Together<End, ()>>,
}

/// The memory of the server, as far as this process knows.
#[derive(Clone)]
struct Known {
    /// The term of the last answer, empty before the first.
    term: String,
    /// The moment of the last answer under this term.
    answered: Instant,
    /// The moment of the last write that asks for nothing.
    told: Instant,
}

impl Known {
    /// The time since which this process has taken nothing and told nothing.
    fn age(&self) -> Duration {
        self.answered.elapsed().min(self.told.elapsed())
    }

    /// Learns the term of an answer to a question that was asked when `asked` was known. False if the answer
    /// is of another term than the one that is known by now: nothing is learned then, and nothing was
    /// granted.
    fn learn(&mut self, asked: &Self, term: &str) -> bool {
        if self.term != term {
            // A question that came with an older age has not told the server of the answers since.
            if self.term != asked.term || self.answered != asked.answered {
                return false;
            }
            term.clone_into(&mut self.term);
        }
        self.answered = Instant::now();
        true
    }
}

/// An answer of a script that looks for a loss.
pub(crate) struct Asked<T> {
    pub(crate) answer: T,
    /// The answer is of another term than the one that is known by now, and grants nothing.
    pub(crate) is_old: bool,
}

impl Redis {
    /// Connects to a server with the default [`Options`].
    ///
    /// ```no_run
    /// use checkout_engine::{Limited, Memory};
    /// use checkout_store_redis::Redis;
    ///
    /// # async fn open(database: Memory) -> Result<(), checkout_engine::StoreError> {
    /// let store = Limited::new(database, Redis::connect("redis://127.0.0.1:6379").await?);
    /// # let _ = store; Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Options::connect`].
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Options::new().connect(url).await
    }

    /// Takes a connection of yours with the default [`Options`].
    ///
    /// # Errors
    /// As [`Options::over`].
    pub async fn new(connection: ConnectionManager) -> Result<Self, StoreError> {
        Options::new().over(connection).await
    }

    /// Ends the waiting after a loss by a person's word: nothing of value was lost. For the first start of a
    /// shop, when nothing was read in the last minutes and no webhook was taken.
    ///
    /// # Errors
    /// [`StoreError`], as of every operation.
    pub async fn nothing_was_lost(&self) -> Result<(), StoreError> {
        self.ask::<i64>(&self.scripts.word, &[], &[LONG_AGO.to_string()]).await.map(drop)
    }

    pub(crate) fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    pub(crate) fn scripts(&self) -> &Scripts {
        &self.scripts
    }

    pub(crate) const fn guard_wait(&self) -> Duration {
        self.guard_wait
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a script that looks first if something was lost.
    pub(crate) async fn ask<T: FromRedisValue>(
        &self,
        script: &Named,
        keys: &[String],
        arguments: &[String],
    ) -> Result<Asked<T>, StoreError> {
        let asked = self.known().clone();
        let mut all_keys = vec![self.key("epoch"), self.key("sure"), self.key("history")];
        all_keys.extend_from_slice(keys);
        let mut all_arguments = vec![asked.term.clone(), asked.age().as_millis().to_string()];
        all_arguments.extend_from_slice(arguments);
        let (term, answer): (String, T) = self.run(script, &all_keys, &all_arguments).await?;
        if !term.is_empty() && !asked.term.is_empty() {
            // Another server, or the same after a loss.
            self.look().await?;
        }
        let term = if term.is_empty() { &asked.term } else { &term };
        let is_old = !self.known().learn(&asked, term);
        Ok(Asked { answer, is_old })
    }

    /// Runs a script that writes what has happened, whatever was lost.
    pub(crate) async fn tell<T: FromRedisValue>(
        &self,
        script: &Named,
        keys: &[String],
        arguments: &[String],
    ) -> Result<T, StoreError> {
        self.known().told = Instant::now();
        self.run(script, keys, arguments).await
    }

    async fn run<T: FromRedisValue>(
        &self,
        script: &Named,
        keys: &[String],
        arguments: &[String],
    ) -> Result<T, StoreError> {
        let mut command = redis::cmd("EVALSHA");
        command.arg(&script.hash).arg(keys.len()).arg(keys).arg(arguments);
        let mut connection = self.connection.clone();
        match command.query_async(&mut connection).await {
            Err(error) if error::is_unknown_script(&error) => {
                self.begin().await?;
                command.query_async(&mut connection).await.map_err(|error| error::of(&error))
            }
            Err(error) if error::is_eviction(&error) => {
                // The error says what to do.
                self.look().await?;
                Err(error::of(&error))
            }
            answer => answer.map_err(|error| error::of(&error)),
        }
    }

    /// Looks what the server is, and loads the scripts.
    async fn begin(&self) -> Result<(), StoreError> {
        self.look().await?;
        let mut load = Pipeline::new();
        // A look that a copy remembers was at the server that wrote the copy.
        load.cmd("DEL").arg(self.key("sure"));
        for script in self.scripts.all() {
            load.cmd("SCRIPT").arg("LOAD").arg(&script.text);
        }
        load.exec_async(&mut self.connection.clone()).await.map_err(|error| error::of(&error))
    }

    /// Looks what the server is.
    async fn look(&self) -> Result<(), StoreError> {
        let mut connection = self.connection.clone();
        let info: Result<String, _> = redis::cmd("INFO").query_async(&mut connection).await;
        fits(&info.map_err(|error| error::of(&error))?)
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

/// The answer to `INFO` is of a server that forgets nothing by itself.
fn fits(info: &str) -> Result<(), StoreError> {
    let field = |name: &str| {
        let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.map(str::trim).unwrap_or("unknown")
    };
    let version = field("redis_version");
    let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < 7) {
        return Err(StoreError::Settings(format!(
            "Redis is of version {version}: Redis 7 or Valkey is needed, which forget scripts when they start"
        )));
    }
    let policy = field("maxmemory_policy");
    if policy != "noeviction" {
        return Err(StoreError::Settings(format!(
            "Redis evicts keys by the policy {policy}, and would forget reads that count: \
             set `maxmemory-policy noeviction`"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Known;
    use std::time::{Duration, Instant};

    #[test]
    fn an_answer_of_a_term_that_is_over_is_not_believed() {
        let now = Instant::now();
        let mut known = Known { term: String::new(), answered: now, told: now };
        // The first answers, in any number.
        let asked = known.clone();
        assert!(known.learn(&asked, "a"));
        assert!(known.learn(&asked, "a"));
        // Two questions, of which one was answered by the old server, and one by the new.
        let asked = known.clone();
        assert!(known.learn(&asked, "b"));
        assert_eq!(known.term, "b");
        assert!(!known.learn(&asked, "a"));
        assert_eq!(known.term, "b");
    }

    #[test]
    fn a_new_term_is_not_learned_where_the_server_was_told_too_great_an_age() {
        let past = Instant::now().checked_sub(Duration::from_secs(1));
        let past = past.expect("the machine runs for longer than a second");
        let mut known = Known { term: "a".to_owned(), answered: past, told: past };
        let asked = known.clone();
        // The old server's answer comes while the question to the new one is under way.
        assert!(known.learn(&asked, "a"));
        assert!(!known.learn(&asked, "b"));
        // The next question tells the right age.
        let asked = known.clone();
        assert!(asked.age() < Duration::from_secs(1));
        assert!(known.learn(&asked, "b"));
    }
}
