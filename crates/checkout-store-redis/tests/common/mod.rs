//! Servers, prefixes and clocks of the tests, and the tests that find faults in scripts.

pub(crate) mod failover;
pub(crate) mod loss;

use std::env;
use std::error::Error;
use std::fs;
use std::io::{self, BufRead, BufReader, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use checkout_engine::conformance::Clock;
use checkout_engine::{Limit, Limits, Reserved, StoreError};
use checkout_store_redis::{Options, Redis};
use checkout_tables::{RateLimit, RateScope};
use redis::AsyncConnectionConfig;
use redis::aio::MultiplexedConnection;
use tokio::runtime::Runtime;

pub(crate) type Tested = Result<(), Box<dyn Error>>;

pub(crate) const LEASE: Duration = Duration::from_secs(30);
pub(crate) const HELD: Duration = Duration::from_secs(61);
pub(crate) const RATE: RateLimit = RateLimit { requests: 2, per_seconds: 60, scope: RateScope::Merchant };
pub(crate) const LANE: Limit<'static> = Limit { lane: "peach/m", rate: RATE };

/// The server's URL, or a word that nothing was run.
pub(crate) fn url() -> Option<String> {
    let url = env::var("CHECKOUT_TEST_REDIS").ok();
    if url.is_none() {
        // Not captured, so that no run without a server looks like a run with one.
        let _ = writeln!(std::io::stderr(), "CHECKOUT_TEST_REDIS is not set: this test has run nothing");
    }
    url
}

pub(crate) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

pub(crate) async fn connection(url: &str) -> MultiplexedConnection {
    let patient = AsyncConnectionConfig::new().set_response_timeout(None).set_connection_timeout(None);
    let client = redis::Client::open(url).unwrap();
    client.get_multiplexed_async_connection_with_config(&patient).await.unwrap()
}

/// A prefix of a test. Its keys are deleted with the value.
#[derive(Clone)]
pub(crate) struct Prefix(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    url: String,
    pub(crate) name: String,
}

impl Prefix {
    pub(crate) fn new(url: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("{{test-{}-{number}}}:", std::process::id());
        Self(Arc::new(Inner { url: url.to_owned(), name }))
    }

    pub(crate) fn options(&self) -> Options {
        Options::new().prefix(&self.0.name)
    }

    pub(crate) fn key(&self, name: &str) -> String {
        format!("{}{name}", self.0.name)
    }

    /// Limits by the server's clock that grant at once.
    pub(crate) async fn open(&self) -> Redis {
        let redis = self.options().connect(&self.0.url).await.unwrap();
        redis.nothing_was_lost().await.unwrap();
        redis
    }

    /// Limits by a clock that stands.
    pub(crate) async fn standing(&self) -> (Redis, Standing) {
        let clock = Standing { prefix: self.clone(), connection: connection(&self.0.url).await };
        clock.set(1_716_501_000_000).await.unwrap();
        let options = self.options().clock_key(&self.key("clock"));
        (options.connect(&self.0.url).await.unwrap(), clock)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // A test can end within a runtime, where nothing else can block.
        let (url, pattern) = (self.url.clone(), format!("{}*", self.name));
        let delete = move || {
            let mut connection = redis::Client::open(url)?.get_connection()?;
            let keys: Vec<String> = redis::cmd("KEYS").arg(pattern).query(&mut connection)?;
            if keys.is_empty() { Ok(()) } else { redis::cmd("UNLINK").arg(keys).exec(&mut connection) }
        };
        let deleted = thread::spawn(delete).join();
        if !thread::panicking() {
            // A server of the test's own may be gone.
            let _: redis::RedisResult<()> = deleted.unwrap();
        }
    }
}

/// A clock that stands in a key.
pub(crate) struct Standing {
    pub(crate) prefix: Prefix,
    pub(crate) connection: MultiplexedConnection,
}

impl Standing {
    pub(crate) async fn set(&self, millis: i64) -> redis::RedisResult<()> {
        let mut connection = self.connection.clone();
        redis::cmd("SET").arg(self.prefix.key("clock")).arg(millis).exec_async(&mut connection).await
    }
}

impl Clock for Standing {
    async fn pass(&self, span: Duration) -> Result<(), StoreError> {
        let (mut connection, millis) = (self.connection.clone(), span.as_nanos().div_ceil(1_000_000));
        let millis = i64::try_from(millis).unwrap();
        let mut pass = redis::cmd("INCRBY");
        pass.arg(self.prefix.key("clock")).arg(millis);
        let passed = pass.exec_async(&mut connection);
        passed.await.map_err(|error| StoreError::Unavailable(Box::new(error)))
    }
}

pub(crate) async fn make(url: &str) -> (Redis, Standing) {
    let (redis, clock) = Prefix::new(url).standing().await;
    redis.nothing_was_lost().await.unwrap();
    (redis, clock)
}

/// The limits have lost their memory now: nothing for a lease and a span, and then all of the limit.
pub(crate) async fn waits_for_a_loss(redis: &Redis, clock: &Standing) -> Tested {
    let wait = LEASE + HELD;
    let room = redis.room(&[LANE], LEASE).await?;
    assert_eq!(room.first().map(|room| (room.places, room.wait)), Some((0, wait)));
    assert_eq!(redis.reserve(LANE, 1, LEASE).await?, Reserved::Wait(wait));
    clock.pass(wait - Duration::from_millis(1)).await?;
    assert_eq!(redis.reserve(LANE, 2, LEASE).await?, Reserved::Wait(Duration::from_millis(1)));
    clock.pass(Duration::from_millis(1)).await?;
    for place in [3, 4] {
        assert_eq!(redis.reserve(LANE, place, LEASE).await?, Reserved::Granted);
    }
    assert_eq!(redis.reserve(LANE, 5, LEASE).await?, Reserved::Wait(wait));
    Ok(())
}

/// A server of the test's own, which ends with the value.
pub(crate) struct Server {
    pub(crate) port: u16,
    folder: PathBuf,
    child: Option<Child>,
    has_run: bool,
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Server {
    pub(crate) fn new() -> Self {
        let port = free_port();
        let folder = env::temp_dir().join(format!("checkout-redis-{}-{port}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self { port, folder, child: None, has_run: false }
    }

    /// Starts the server, and returns when it takes connections.
    pub(crate) fn start(&mut self, more: &[&str]) {
        for _ in 0..10 {
            if self.is_ready(more) {
                self.has_run = true;
                return;
            }
            // Another program has taken the port meanwhile.
            assert!(!self.has_run, "the server is not ready");
            self.port = free_port();
        }
        panic!("the server is not ready");
    }

    fn is_ready(&mut self, more: &[&str]) -> bool {
        let port = self.port.to_string();
        let mut child = Command::new("redis-server")
            .args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--dir"])
            .arg(&self.folder)
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .expect("redis-server starts");
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut lines = lines.map_while(Result::ok);
        let is_ready = lines.any(|line| line.contains("Ready to accept connections"));
        self.child = Some(child);
        if is_ready {
            // The server's log goes on.
            thread::spawn(move || lines.for_each(drop));
        } else {
            self.kill();
        }
        is_ready
    }

    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The replication, as `INFO` tells.
pub(crate) async fn replication(server: &Server) -> String {
    let mut connection = connection(&server.url()).await;
    redis::cmd("INFO").arg("replication").query_async(&mut connection).await.unwrap()
}

/// Returns when nothing is left of what a server remembers for a moment.
pub(crate) async fn forgotten(server: &Server, prefix: &Prefix) {
    let mut connection = connection(&server.url()).await;
    let mut remembers = redis::cmd("EXISTS");
    remembers.arg(prefix.key("sure"));
    while remembers.query_async::<bool>(&mut connection).await.unwrap() {
        tokio::task::yield_now().await;
    }
}

/// Sets a setting of a server that runs.
pub(crate) async fn configure(server: &Server, setting: &str, value: &str) -> redis::RedisResult<()> {
    let mut connection = connection(&server.url()).await;
    redis::cmd("CONFIG").arg("SET").arg(setting).arg(value).exec_async(&mut connection).await
}

/// Returns when a replica has all that its main server had.
pub(crate) async fn synced(replica: &Server) {
    while !replication(replica).await.contains("master_link_status:up") {
        tokio::task::yield_now().await;
    }
}

/// Returns when the replica of a server has what the server has.
pub(crate) async fn replicated(server: &Server) {
    let mut connection = connection(&server.url()).await;
    // The connection waits for its own last write.
    redis::cmd("SET").arg("mark").arg(1).exec_async(&mut connection).await.unwrap();
    let copies: u32 = redis::cmd("WAIT").arg(1).arg(0).query_async(&mut connection).await.unwrap();
    assert_eq!(copies, 1);
}

/// An address that leads to one server after another.
pub(crate) struct Switch {
    port: u16,
    /// The server's port, and both ends of each connection.
    way: Arc<Mutex<(u16, Vec<TcpStream>)>>,
}

impl Switch {
    pub(crate) fn to(server: &Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let way = Arc::new(Mutex::new((server.port, Vec::new())));
        let shared = Arc::clone(&way);
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let mut way = shared.lock().unwrap();
                let Ok(far) = TcpStream::connect(("127.0.0.1", way.0)) else { continue };
                let pairs = [(&near, &far), (&far, &near)];
                for (from, to) in pairs.map(|(from, to)| (from.try_clone().unwrap(), to.try_clone().unwrap()))
                {
                    thread::spawn(move || copy(from, to));
                }
                way.1.extend([near, far]);
            }
        });
        Self { port, way }
    }

    /// Breaks the connections off. The next ones lead to another server.
    pub(crate) fn turn(&self, server: &Server) {
        let mut way = self.way.lock().unwrap();
        way.0 = server.port;
        for end in way.1.drain(..) {
            let _ = end.shutdown(Shutdown::Both);
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

fn copy(mut from: TcpStream, mut to: TcpStream) {
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Both);
}

/// An operation over a connection that comes back: the first answers are errors of the broken one.
pub(crate) async fn at_last<T>(
    mut operation: impl AsyncFnMut() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let mut last = operation().await;
    for _ in 0..200 {
        match last {
            Err(StoreError::Unavailable(_)) => last = operation().await,
            answer => return answer,
        }
    }
    last
}
