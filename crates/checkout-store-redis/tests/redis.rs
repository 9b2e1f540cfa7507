//! The laws on a server, and a server that loses its memory. Runs where `CHECKOUT_TEST_REDIS` has a URL.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::io::{BufRead, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use checkout_engine::conformance::{self as store, Clock, ManualClock};
use checkout_engine::limits_conformance::{self as suite, Law};
use checkout_engine::{
    Ask, Checkout, Lane, Limit, Limited, Limits, Memory, New, Next, Provider, ReadMade, Reserved, State,
    Store, StoreError, Write, Written,
};
use checkout_store_redis::{Options, Redis};
use checkout_tables::{Environment, Moment, RateLimit, RateScope};
use checkout_trust::replay::conformance;
use common::{LANE, LEASE, Prefix, RATE, Server, Standing, Tested, configure, make, runtime, url};

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
fn a_wait_that_one_database_is_asked_for_binds_the_others() -> Tested {
    let Some(url) = url() else { return Ok(()) };
    runtime().block_on(async {
        let prefix = Prefix::new(&url);
        let (minute, millisecond) = (Duration::from_secs(60), Duration::from_millis(1));
        let lanes = ["peach/m".to_owned()];
        let ask = Ask { lanes: &lanes, max: 9, lease: LEASE };
        let (one, clock) = database(&prefix).await?;
        let (other, other_clock) = database(&prefix).await?;
        let due = one.claim(&ask).await?.due.pop().ok_or("no work")?;
        let next = Next::Ended { watch: String::new() };
        let lane_wait = Some(minute);
        let write = Write { checkout: None, next, read: ReadMade::Sent, lane_wait, news: Vec::new() };
        assert_eq!(one.write(&due.lease, &write).await?, Written::Done);
        assert_eq!(other.claim(&ask).await?.due.len(), 0);
        for span in [minute - millisecond, millisecond] {
            assert_eq!(other.claim(&ask).await?.due.len(), 0);
            clock.1.pass(span).await?;
            for clock in [&clock.0, &other_clock.0] {
                clock.pass(span).await?;
            }
        }
        assert_eq!(other.claim(&ask).await?.due.len(), 1);
        Ok(())
    })
}

/// A database of a merchant with one piece of work, whose limits are in Redis.
async fn database(prefix: &Prefix) -> Result<(Limited<Memory, Redis>, Both), Box<dyn Error>> {
    let (redis, standing) = prefix.standing().await;
    redis.nothing_was_lost().await?;
    let clock = ManualClock::new();
    let store = Limited::new(Memory::with_clock(clock.reader()), redis);
    store.lanes(&[Lane { name: "peach/m".to_owned(), limit: Some(RATE) }]).await?;
    let never = Moment::from_unix_millis(0);
    let checkout = Checkout {
        id: "o".to_owned(),
        provider: Provider::Peach,
        merchant: "m".to_owned(),
        environment: Environment::Sandbox,
        state: State::Open,
        reference: "reference".to_owned(),
        checkout_id: None,
        page: None,
        hold: None,
        notes: "{}".into(),
        version: 0,
        created_at: never,
        changed_at: never,
    };
    store.insert(&New { checkout: &checkout, watch: "", lease: Duration::ZERO }).await?;
    Ok((store, Both(clock, standing)))
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
        configure(&server, "maxmemory", "1").await?;
        let full = redis.reserve(LANE, 3, LEASE).await;
        assert!(matches!(full, Err(StoreError::ReadOnly(_))), "{full:?}");
        // What gives room is done.
        redis.end(LANE, 1, ReadMade::None).await?;
        configure(&server, "maxmemory", "0").await?;
        assert_eq!(redis.reserve(LANE, 4, LEASE).await?, Reserved::Granted);
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
