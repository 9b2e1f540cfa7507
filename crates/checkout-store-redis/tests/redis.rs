//! The laws on a server, and a server that loses its memory. Runs where `CHECKOUT_TEST_REDIS` has a URL.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::fs;
use std::io::{BufRead, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use checkout_engine::conformance::{self as store, Clock, ManualClock};
use checkout_engine::limits_conformance::{self as suite, Law};
use checkout_engine::{Limit, Limited, Limits, Memory, ReadMade, Reserved, StoreError};
use checkout_store_redis::{Options, Redis};
use checkout_tables::{Moment, RateLimit, RateScope};
use checkout_trust::replay::{AsyncStore, Commit, Key, Scheme, Slot, conformance};
use redis::AsyncConnectionConfig;
use redis::aio::MultiplexedConnection;
use tokio::runtime::Runtime;

type Tested = Result<(), Box<dyn Error>>;

const LEASE: Duration = Duration::from_secs(30);
const HELD: Duration = Duration::from_secs(61);
const RATE: RateLimit = RateLimit { requests: 2, per_seconds: 60, scope: RateScope::Merchant };
const LANE: Limit<'static> = Limit { lane: "peach/m", rate: RATE };

/// The server's URL, or a word that nothing was run.
fn url() -> Option<String> {
    let url = env::var("CHECKOUT_TEST_REDIS").ok();
    if url.is_none() {
        // Not captured, so that no run without a server looks like a run with one.
        let _ = writeln!(std::io::stderr(), "CHECKOUT_TEST_REDIS is not set: this test has run nothing");
    }
    url
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

async fn connection(url: &str) -> MultiplexedConnection {
    let patient = AsyncConnectionConfig::new().set_response_timeout(None).set_connection_timeout(None);
    let client = redis::Client::open(url).unwrap();
    client.get_multiplexed_async_connection_with_config(&patient).await.unwrap()
}

/// A prefix of a test. Its keys are deleted with the value.
#[derive(Clone)]
struct Prefix(Arc<Inner>);

struct Inner {
    url: String,
    name: String,
}

impl Prefix {
    fn new(url: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("{{test-{}-{number}}}:", std::process::id());
        Self(Arc::new(Inner { url: url.to_owned(), name }))
    }

    fn options(&self) -> Options {
        Options::new().prefix(&self.0.name)
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.0.name)
    }

    /// Limits by the server's clock that grant at once.
    async fn open(&self) -> Redis {
        let redis = self.options().connect(&self.0.url).await.unwrap();
        redis.nothing_was_lost().await.unwrap();
        redis
    }

    /// Limits by a clock that stands.
    async fn standing(&self) -> (Redis, Standing) {
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
struct Standing {
    prefix: Prefix,
    connection: MultiplexedConnection,
}

impl Standing {
    async fn set(&self, millis: i64) -> redis::RedisResult<()> {
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

async fn make(url: &str) -> (Redis, Standing) {
    let (redis, clock) = Prefix::new(url).standing().await;
    redis.nothing_was_lost().await.unwrap();
    (redis, clock)
}

#[test]
fn the_limits_keep_every_law() {
    let Some(url) = url() else { return };
    let (runtime, make) = (runtime(), async || make(&url).await);
    let laws = Law::ALL.iter().filter_map(|law| runtime.block_on(suite::check_law(*law, &make)).err());
    assert_eq!(laws.map(|broken| broken.to_string()).collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn random_histories_are_answered_as_the_model_answers_them() -> Tested {
    let Some(url) = url() else { return Ok(()) };
    let (runtime, make) = (runtime(), async || make(&url).await);
    for seed in 1..=5 {
        runtime.block_on(suite::histories(seed, 2_000, &make))?;
    }
    Ok(())
}

#[test]
fn threads_on_one_connection_never_have_more_places_than_the_limit() -> Tested {
    let Some(url) = url() else { return Ok(()) };
    let runtime = runtime();
    let (redis, _clock) = runtime.block_on(make(&url));
    suite::check_race(&redis, |task| runtime.block_on(task))?;
    Ok(())
}

#[test]
fn the_replay_guard_keeps_every_law() -> Tested {
    let Some(url) = url() else { return Ok(()) };
    let (runtime, prefixes) = (runtime(), Mutex::new(Vec::new()));
    let make = || {
        let prefix = Prefix::new(&url);
        let redis = runtime.block_on(prefix.open());
        prefixes.lock().unwrap().push(prefix);
        redis
    };
    conformance::check_async_store(make, |task| runtime.block_on(task))?;
    Ok(())
}

/// The clock of a store, and the clock of its limits.
struct Both(ManualClock, Standing);

impl Clock for Both {
    async fn pass(&self, span: Duration) -> Result<(), StoreError> {
        self.0.pass(span).await?;
        self.1.pass(span).await
    }
}

#[test]
fn a_store_with_its_limits_in_redis_keeps_every_law_of_stores() {
    let Some(url) = url() else { return };
    let runtime = runtime();
    let make = async || {
        let (redis, standing) = make(&url).await;
        let clock = ManualClock::new();
        (Limited::new(Memory::with_clock(clock.reader()), redis), Both(clock, standing))
    };
    // Where a suspect comes after other work, the other work is given back, and is due anew: otherwise than
    // in the model.
    let laws = store::Law::ALL.iter().filter(|law| **law != store::Law::AnswersAsTheModel);
    let broken = laws.filter_map(|law| runtime.block_on(store::check_law(*law, &make)).err());
    assert_eq!(broken.map(|broken| broken.to_string()).collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn keys_expire_by_themselves_and_the_epoch_does_not() -> Tested {
    let Some(url) = url() else { return Ok(()) };
    runtime().block_on(async {
        let prefix = Prefix::new(&url);
        let redis = prefix.open().await;
        let mut connection = connection(&url).await;
        let mut life = async |key: &str| -> redis::RedisResult<i64> {
            redis::cmd("PTTL").arg(prefix.key(key)).query_async(&mut connection).await
        };
        assert_eq!(redis.reserve(LANE, 1, LEASE).await?, Reserved::Granted);
        let reserved = life("lane:peach/m").await?;
        assert!((85_000..=91_000).contains(&reserved), "{reserved}");
        redis.end(LANE, 1, ReadMade::Answered).await?;
        let read = life("lane:peach/m").await?;
        assert!((55_000..=61_000).contains(&read), "{read}");
        assert_eq!(redis.reserve(LANE, 2, LEASE).await?, Reserved::Granted);
        redis.end(LANE, 1, ReadMade::Answered).await?;
        assert!(life("lane:peach/m").await? > 80_000, "the last place decides");
        redis.end(LANE, 1, ReadMade::None).await?;
        redis.end(LANE, 2, ReadMade::None).await?;
        assert_eq!(life("lane:peach/m").await?, -2, "a lane without a place has no key");
        assert_eq!(life("epoch").await?, -1);

        let key = |retention| Key::new(Scheme::named("test").unwrap(), "m", ["event"], retention);
        let short = key(Duration::from_secs(600));
        let Slot::Fresh(fence) = redis.claim(&short, Moment::now(), LEASE).await? else {
            panic!("not fresh")
        };
        let (name, day) = (format!("seen:{short}"), 24 * 60 * 60 * 1_000);
        assert!(life(&name).await? <= day + 30_000);
        assert_eq!(redis.commit(&short, fence, Moment::now()).await?, Commit::Committed);
        assert!((day + 500_000..=day + 600_000).contains(&life(&name).await?));
        assert_eq!(redis.commit(&key(Duration::MAX), fence, Moment::now()).await?, Commit::Committed);
        assert_eq!(life(&name).await?, -1, "for ever");
        Ok(())
    })
}

#[test]
fn nothing_is_granted_after_a_first_start_until_any_lease_and_any_span_are_over() -> Tested {
    let Some(url) = url() else { return Ok(()) };
    runtime().block_on(async {
        let (redis, clock) = Prefix::new(&url).standing().await;
        waits_for_a_loss(&redis, &clock).await
    })
}

/// The limits have lost their memory now: nothing for a lease and a span, and then all of the limit.
async fn waits_for_a_loss(redis: &Redis, clock: &Standing) -> Tested {
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
struct Server {
    port: u16,
    folder: PathBuf,
    child: Option<Child>,
}

impl Server {
    fn new() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = env::temp_dir().join(format!("checkout-redis-{}-{port}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self { port, folder, child: None }
    }

    /// Starts the server, and returns when it takes connections.
    fn start(&mut self, more: &[&str]) {
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
        assert!(lines.any(|line| line.contains("Ready to accept connections")), "the server is not ready");
        // The server's log goes on.
        thread::spawn(move || lines.for_each(drop));
        self.child = Some(child);
    }

    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// An operation over a connection that comes back: the first answers are errors of the broken one.
async fn at_last<T>(mut operation: impl AsyncFnMut() -> Result<T, StoreError>) -> Result<T, StoreError> {
    let mut last = operation().await;
    for _ in 0..200 {
        match last {
            Err(StoreError::Unavailable(_)) => last = operation().await,
            answer => return answer,
        }
    }
    last
}

#[test]
fn flushall_is_noticed_and_nothing_is_granted_until_what_was_lost_is_over() -> Tested {
    let Some(_) = url() else { return Ok(()) };
    let mut server = Server::new();
    server.start(&[]);
    runtime().block_on(async {
        let (redis, clock) = make(&server.url()).await;
        assert_eq!(redis.reserve(LANE, 1, LEASE).await?, Reserved::Granted);
        let mut connection = connection(&server.url()).await;
        redis::cmd("FLUSHALL").exec_async(&mut connection).await?;
        clock.set(1_716_501_000_000).await?;
        waits_for_a_loss(&redis, &clock).await
    })
}

#[test]
fn a_restart_without_a_copy_is_noticed() -> Tested {
    let Some(_) = url() else { return Ok(()) };
    let mut server = Server::new();
    server.start(&[]);
    runtime().block_on(async {
        let (redis, clock) = make(&server.url()).await;
        assert_eq!(redis.reserve(LANE, 1, LEASE).await?, Reserved::Granted);
        server.kill();
        let away = redis.reserve(LANE, 2, LEASE).await;
        assert!(matches!(away, Err(StoreError::Unavailable(_))), "{away:?}");
        let away = redis.room(&[LANE], LEASE).await;
        assert!(matches!(away, Err(StoreError::Unavailable(_))), "{away:?}");
        server.start(&[]);
        let clock = Standing { prefix: clock.prefix.clone(), connection: connection(&server.url()).await };
        clock.set(1_716_501_000_000).await?;
        at_last(async || redis.room(&[LANE], LEASE).await).await?;
        waits_for_a_loss(&redis, &clock).await
    })
}

#[test]
fn a_restart_from_an_older_copy_is_noticed_though_the_epoch_is_in_the_copy() -> Tested {
    let Some(_) = url() else { return Ok(()) };
    let mut server = Server::new();
    server.start(&[]);
    runtime().block_on(async {
        let (redis, clock) = make(&server.url()).await;
        let mut connection_ = connection(&server.url()).await;
        redis::cmd("SAVE").exec_async(&mut connection_).await?;
        // Not in the copy.
        assert_eq!(redis.reserve(LANE, 1, LEASE).await?, Reserved::Granted);
        assert_eq!(redis.reserve(LANE, 2, LEASE).await?, Reserved::Granted);
        server.kill();
        server.start(&[]);
        let mut connection_ = connection(&server.url()).await;
        let epoch: Option<i64> =
            redis::cmd("GET").arg(clock.prefix.key("epoch")).query_async(&mut connection_).await?;
        assert!(epoch.is_some_and(|epoch| epoch < 0), "the copy has the epoch: {epoch:?}");
        let clock = Standing { prefix: clock.prefix.clone(), connection: connection_ };
        at_last(async || redis.room(&[LANE], LEASE).await).await?;
        waits_for_a_loss(&redis, &clock).await
    })
}

#[test]
fn a_loss_under_one_prefix_is_noticed_though_another_prefix_noticed_it_first() -> Tested {
    let Some(_) = url() else { return Ok(()) };
    let mut server = Server::new();
    server.start(&[]);
    runtime().block_on(async {
        let (one, _clock) = make(&server.url()).await;
        let (two, clock) = make(&server.url()).await;
        let mut first = connection(&server.url()).await;
        redis::cmd("SAVE").exec_async(&mut first).await?;
        server.kill();
        server.start(&[]);
        at_last(async || one.room(&[LANE], LEASE).await).await?;
        at_last(async || two.room(&[LANE], LEASE).await).await?;
        let clock = Standing { prefix: clock.prefix.clone(), connection: connection(&server.url()).await };
        waits_for_a_loss(&two, &clock).await
    })
}

#[test]
fn forgotten_scripts_alone_are_loaded_again_and_lose_nothing() -> Tested {
    let Some(_) = url() else { return Ok(()) };
    let mut server = Server::new();
    server.start(&[]);
    runtime().block_on(async {
        let (redis, _clock) = make(&server.url()).await;
        assert_eq!(redis.reserve(LANE, 1, LEASE).await?, Reserved::Granted);
        let mut connection = connection(&server.url()).await;
        redis::cmd("SCRIPT").arg("FLUSH").exec_async(&mut connection).await?;
        assert_eq!(redis.reserve(LANE, 2, LEASE).await?, Reserved::Granted);
        assert_eq!(redis.reserve(LANE, 3, LEASE).await?, Reserved::Wait(LEASE + HELD));
        Ok(())
    })
}

#[test]
fn a_replica_that_takes_over_is_noticed_though_it_has_the_epoch() -> Tested {
    let Some(_) = url() else { return Ok(()) };
    let (mut main, mut replica) = (Server::new(), Server::new());
    main.start(&["--repl-diskless-sync-delay", "0"]);
    replica.start(&["--replicaof", &format!("127.0.0.1 {}", main.port)]);
    runtime().block_on(async {
        let (redis, clock) = make(&main.url()).await;
        assert_eq!(redis.reserve(LANE, 1, LEASE).await?, Reserved::Granted);
        // Until the replica has what was written.
        let mut of_main = connection(&main.url()).await;
        let copies: u32 = redis::cmd("WAIT").arg(1).arg(0).query_async(&mut of_main).await?;
        assert_eq!(copies, 1);
        main.kill();
        let mut of_replica = connection(&replica.url()).await;
        redis::cmd("REPLICAOF").arg("NO").arg("ONE").exec_async(&mut of_replica).await?;
        let options = clock.prefix.options().clock_key(&clock.prefix.key("clock"));
        let redis = options.connect(&replica.url()).await?;
        let clock = Standing { prefix: clock.prefix.clone(), connection: of_replica };
        waits_for_a_loss(&redis, &clock).await
    })
}

#[test]
fn a_server_that_evicts_keys_is_refused_with_what_to_do() -> Tested {
    let Some(_) = url() else { return Ok(()) };
    for policy in ["allkeys-lru", "volatile-ttl"] {
        let mut server = Server::new();
        server.start(&["--maxmemory", "100mb", "--maxmemory-policy", policy]);
        let refused = runtime().block_on(Redis::connect(&server.url()));
        let Err(StoreError::Settings(text)) = refused else { panic!("{refused:?}") };
        assert!(text.contains(policy) && text.contains("maxmemory-policy noeviction"), "{text}");
    }
    Ok(())
}

#[test]
fn a_full_server_grants_nothing_and_says_so() -> Tested {
    let Some(_) = url() else { return Ok(()) };
    let mut server = Server::new();
    server.start(&[]);
    runtime().block_on(async {
        let (redis, _clock) = make(&server.url()).await;
        for place in [1, 2] {
            assert_eq!(redis.reserve(LANE, place, LEASE).await?, Reserved::Granted);
        }
        let mut connection = connection(&server.url()).await;
        redis::cmd("CONFIG").arg("SET").arg("maxmemory").arg("1").exec_async(&mut connection).await?;
        let full = redis.reserve(LANE, 3, LEASE).await;
        assert!(matches!(full, Err(StoreError::ReadOnly(_))), "{full:?}");
        // What gives room is done.
        redis.end(LANE, 1, ReadMade::None).await?;
        redis::cmd("CONFIG").arg("SET").arg("maxmemory").arg("0").exec_async(&mut connection).await?;
        assert_eq!(redis.reserve(LANE, 4, LEASE).await?, Reserved::Granted);
        Ok(())
    })
}

#[test]
fn a_clock_that_is_put_back_waits_and_does_not_wait_for_ever() -> Tested {
    let Some(url) = url() else { return Ok(()) };
    runtime().block_on(async {
        let (redis, clock) = Prefix::new(&url).standing().await;
        clock.set(1_600_000_000_000).await?;
        waits_for_a_loss(&redis, &clock).await
    })
}

#[test]
fn the_guard_refuses_claims_after_a_loss_for_as_long_as_a_key_can_be_played_back() -> Tested {
    let Some(_) = url() else { return Ok(()) };
    let mut server = Server::new();
    server.start(&[]);
    runtime().block_on(async {
        let (redis, clock) = make(&server.url()).await;
        let scheme = Scheme::named("test").unwrap();
        let key = |name: &str, seconds| Key::new(scheme, "m", [name], Duration::from_secs(seconds));
        let (short, long) = (key("short", 60), key("long", 1_000_000));
        let now = Moment::from_unix_millis(7);
        let Slot::Fresh(before) = redis.claim(&short, now, LEASE).await? else { panic!("not fresh") };
        assert_eq!(redis.commit(&short, before, now).await?, Commit::Committed);
        let mut connection = connection(&server.url()).await;
        redis::cmd("FLUSHALL").exec_async(&mut connection).await?;
        clock.set(1_716_501_000_000).await?;
        for (key, wait) in [(&short, 60), (&long, 600)] {
            let refused = redis.claim(key, now, LEASE).await;
            let Err(StoreError::Unavailable(source)) = refused else { panic!("{refused:?}") };
            let expected = if wait == 60 { "60000 ms" } else { "600000 ms" };
            assert!(source.to_string().contains(expected), "{source}");
            clock.pass(Duration::from_secs(60)).await?;
        }
        let Slot::Fresh(after) = redis.claim(&short, now, LEASE).await? else { panic!("not fresh") };
        assert!(after > before, "a number came back: {after} after {before}");
        clock.pass(Duration::from_secs(540)).await?;
        assert!(matches!(redis.claim(&long, now, LEASE).await?, Slot::Fresh(_)));
        Ok(())
    })
}

#[test]
fn a_url_or_a_prefix_that_does_not_do_is_told_without_the_password() -> Tested {
    runtime().block_on(async {
        let free = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let bad = [
            "redis://:hunter2@[::1".to_owned(),
            "http://u:hunter2@127.0.0.1/".to_owned(),
            "rediss://u:hunter2@127.0.0.1/".to_owned(),
            "redis://u:hunter2@127.0.0.1/zero".to_owned(),
            "hunter2".to_owned(),
            String::new(),
        ];
        for url in bad {
            let Err(error) = Redis::connect(&url).await else { panic!("{url} was taken") };
            assert!(matches!(error, StoreError::Settings(_)), "{url}: {error:?}");
            assert!(!format!("{error:?} {error}").contains("hunter2"), "{error:?}");
        }
        let Err(error) = Redis::connect(&format!("redis://u:hunter2@127.0.0.1:{free}/")).await else {
            panic!("nobody is there")
        };
        assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
        assert!(!format!("{error:?} {error}").contains("hunter2"), "{error:?}");
        Ok(())
    })
}

#[test]
fn a_wrong_password_and_a_bad_prefix_are_told() -> Tested {
    let Some(url) = url() else { return Ok(()) };
    let mut server = Server::new();
    server.start(&["--requirepass", "correct horse"]);
    runtime().block_on(async {
        for user in ["", ":hunter2@"] {
            let refused = Redis::connect(&format!("redis://{user}127.0.0.1:{}", server.port)).await;
            let Err(error) = refused else { panic!("{user} was taken") };
            assert!(matches!(error, StoreError::Rights(_)), "{error:?}");
            assert!(!format!("{error:?} {error}").contains("hunter2"), "{error:?}");
        }
        for prefix in ["", "a b", "a\nb", "a'b", "ä"] {
            let refused = Options::new().prefix(prefix).connect(&url).await;
            assert!(matches!(refused, Err(StoreError::Settings(_))), "{prefix:?}");
        }
        Ok(())
    })
}

const RACE: &str = "CHECKOUT_TEST_REDIS_RACE";
const LANES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
const RACED: RateLimit = RateLimit { requests: 3, per_seconds: 1, scope: RateScope::Merchant };

/// A process of the race: eight threads take places of all lanes as fast as they can.
#[test]
fn a_process_of_the_race() -> Tested {
    let Ok(race) = env::var(RACE) else { return Ok(()) };
    let (url, options) = race.split_once(' ').ok_or("no prefix")?;
    let (prefix, process) = options.split_once(' ').ok_or("no number")?;
    let (runtime, process) = (runtime(), process.parse::<i64>()?);
    let redis = runtime.block_on(Options::new().prefix(prefix).connect(url))?;
    let run = |thread: i64| -> Result<(), StoreError> {
        for round in 0..250 {
            for (number, lane) in (0..).zip(LANES) {
                let lane = Limit { lane, rate: RACED };
                let place = ((process * 8 + thread) * 1_000 + round) * 8 + number;
                // Of the granted places, some were not used, some are ended, and some are left to their end.
                if runtime.block_on(redis.reserve(lane, place, Duration::from_millis(300)))?
                    == Reserved::Granted
                {
                    match place % 3 {
                        0 => runtime.block_on(redis.end(lane, place, ReadMade::None))?,
                        1 => runtime.block_on(redis.end(lane, place, ReadMade::Sent))?,
                        _ => {}
                    }
                }
            }
        }
        Ok(())
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|thread| scope.spawn(move || run(thread))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().unwrap())
    })?;
    Ok(())
}

/// The server's own log of what the scripts did, by `MONITOR`: the moment in microseconds, and the words.
struct Log(BufReader<TcpStream>);

impl Log {
    fn of(server: &Server) -> Self {
        let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
        stream.write_all(b"MONITOR\r\n").unwrap();
        let mut log = Self(BufReader::new(stream));
        assert_eq!(log.line(), "+OK");
        log
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

#[test]
fn two_processes_of_eight_threads_never_exceed_a_limit_by_the_servers_own_log() -> Tested {
    let Some(_) = url() else { return Ok(()) };
    let mut server = Server::new();
    server.start(&[]);
    let (url, prefix) = (server.url(), Prefix::new(&server.url()));
    runtime().block_on(prefix.open());
    let mut log = Log::of(&server);
    let child = |process: i64| {
        Command::new(env::current_exe().unwrap())
            .args(["--exact", "a_process_of_the_race", "--nocapture"])
            .env(RACE, format!("{url} {} {process}", prefix.0.name))
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    };
    let children = [child(1), child(2)];
    // The log is read to a mark that is written when both processes have ended.
    let ended = thread::spawn(move || {
        let ended = children.map(|mut child| child.wait().unwrap().success());
        let mut connection = redis::Client::open(url).unwrap().get_connection().unwrap();
        redis::cmd("ECHO").arg("the race is over").exec(&mut connection).unwrap();
        ended
    });
    // Of each lane, the places, and the moment to which the provider may count each of them.
    let mut places: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
    let (mut granted, mut unused) = (0, 0);
    loop {
        let line = log.line();
        if line.contains("the race is over") {
            break;
        }
        let words: Vec<&str> = line.split('"').skip(1).step_by(2).collect();
        let at = line.trim_start_matches('+').split(' ').next().unwrap().replace('.', "");
        let (Some(lane), true) = (words.get(1), line.contains(" lua] ")) else { continue };
        let (at, lane) = (at.parse::<i64>()?, places.entry((*lane).to_owned()).or_default());
        match words.as_slice() {
            ["zadd" | "ZADD", _, .., place] => {
                // A read that was sent at the end of its lease counts for a span more; an ended read counts
                // for a span from its end.
                let counts = if lane.contains_key(*place) { 1_000_000 } else { 1_300_000 };
                granted += i64::from(counts == 1_300_000);
                lane.insert((*place).to_owned(), at + counts);
                lane.retain(|_, over| *over > at);
                assert!(lane.len() <= 3, "more places than the limit: {lane:?}");
            }
            ["zrem" | "ZREM", _, place] => {
                unused += i64::from(lane.remove(*place).is_some());
            }
            _ => {}
        }
    }
    assert_eq!(ended.join().unwrap(), [true, true]);
    assert!(granted >= 24 && unused > 0, "the race was none: {granted} granted, {unused} unused");
    Ok(())
}
