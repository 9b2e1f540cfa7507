//! Limits that outlive the process: those of the test itself, asked over a socket, and those of Redis where
//! `CHECKOUT_TEST_REDIS` has a URL.

use super::Outcome;
use super::orders::Order;
use super::points::{Case, Points};
use super::scenes::is_judged_well;
use super::stage::{LEASE, MERCHANT, Scene, Setting, Stage, Told};
use super::weather::BEGINNING;
use checkout_engine::{
    Lane, Limit, Limited, Limits, MemoryLimits, News, Provider, ReadMade, Reserved, Room, State, Store,
    StoreError,
};
use checkout_sandbox::peach::Fault;
use checkout_store_redis::{Options, Redis, redis};
use checkout_tables::peach::Route;
use checkout_tables::{Moment, RateLimit, RateScope};
use checkout_transport::Transport;
use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Two requests a minute, as Peach has it.
const RATE: RateLimit = RateLimit { requests: 2, per_seconds: 60, scope: RateScope::Merchant };
/// The time after which a place is free at the latest: the lease, the span and the margin.
const FREE: Duration = Duration::from_secs(30 + 60 + 1);
const ORDERS: usize = 3;

/// The place of the limits.
#[derive(Clone)]
pub(crate) enum Place {
    /// The store's own.
    Nowhere,
    /// In the process of the test, on this port of it.
    Here(u16),
    /// In Redis, under a prefix.
    Redis { prefix: String, url: String },
}

impl Place {
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Nowhere => "nowhere".to_owned(),
            Self::Here(port) => format!("here {port}"),
            Self::Redis { prefix, url } => format!("redis {prefix} {url}"),
        }
    }

    pub(crate) fn of_text(text: &str) -> Outcome<Self> {
        let words: Vec<&str> = text.split(' ').collect();
        match *words {
            ["nowhere"] => Ok(Self::Nowhere),
            ["here", port] => Ok(Self::Here(port.parse()?)),
            ["redis", prefix, url] => Ok(Self::Redis { prefix: prefix.to_owned(), url: url.to_owned() }),
            _ => Err("no limits".into()),
        }
    }

    /// A place of the same kind for another stage, with the time that a file has.
    pub(crate) async fn another(&self, name: &str, clock: PathBuf) -> Outcome<Self> {
        Ok(match self {
            Self::Nowhere => Self::Nowhere,
            Self::Here(_) => {
                let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
                let port = listener.local_addr()?.port();
                tokio::spawn(serve(listener, clock));
                Self::Here(port)
            }
            Self::Redis { url, .. } => Self::Redis { prefix: format!("{{{name}}}:"), url: url.clone() },
        })
    }

    pub(crate) async fn set_clock(&self, millis: i64) -> Outcome {
        let Self::Redis { prefix, url } = self else { return Ok(()) };
        let mut connection = redis::Client::open(url.as_str())?.get_multiplexed_async_connection().await?;
        let mut set = redis::cmd("SET");
        Ok(set.arg(format!("{prefix}clock")).arg(millis).exec_async(&mut connection).await?)
    }

    /// Redis has forgotten nothing that a new prefix could have had.
    pub(crate) async fn begin(&self) -> Outcome {
        if let Opened::Redis(redis) = self.open().await? {
            redis.nothing_was_lost().await?;
        }
        Ok(())
    }

    pub(crate) async fn clear(&self) -> Outcome {
        let Self::Redis { prefix, url } = self else { return Ok(()) };
        let mut connection = redis::Client::open(url.as_str())?.get_multiplexed_async_connection().await?;
        let keys: Vec<String> =
            redis::cmd("KEYS").arg(format!("{prefix}*")).query_async(&mut connection).await?;
        Ok(redis::cmd("UNLINK").arg(keys).exec_async(&mut connection).await?)
    }

    async fn open(&self) -> Outcome<Opened> {
        Ok(match self {
            Self::Nowhere => Opened::Far(Far(0)),
            Self::Here(port) => Opened::Far(Far(*port)),
            Self::Redis { prefix, url } => {
                let options = Options::new().prefix(prefix).clock_key(&format!("{prefix}clock"));
                Opened::Redis(options.connect(url).await?)
            }
        })
    }
}

/// Answers to one question after the other, each of a connection.
async fn serve(listener: TcpListener, clock: PathBuf) -> Outcome {
    let limits = MemoryLimits::with_clock(move || {
        let millis = fs::read_to_string(&clock).ok().and_then(|text| text.parse().ok());
        Moment::from_unix_millis(millis.unwrap_or(BEGINNING))
    });
    loop {
        let (mut stream, _) = listener.accept().await?;
        let mut question = String::new();
        // A process that dies asks nothing.
        if BufReader::new(&mut stream).read_line(&mut question).await.is_ok()
            && let Ok(answer) = answer(&limits, &question).await
        {
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    }
}

async fn answer(limits: &MemoryLimits, question: &str) -> Outcome<String> {
    let words: Vec<&str> = question.split_whitespace().collect();
    let limit = |lane| Limit { lane, rate: RATE };
    Ok(match *words {
        ["room", lane, lease] => {
            let rooms = limits.room(&[limit(lane)], millis(lease)?).await?;
            let Room { places, wait } = *rooms.first().ok_or("no room")?;
            format!("{places} {}", wait.as_millis())
        }
        ["reserve", lane, place, lease] => {
            match limits.reserve(limit(lane), place.parse()?, millis(lease)?).await? {
                Reserved::Granted => "0".to_owned(),
                Reserved::Wait(wait) => wait.as_millis().to_string(),
            }
        }
        ["end", lane, place, read] => {
            let read = if read == "made" { ReadMade::Answered } else { ReadMade::None };
            limits.end(limit(lane), place.parse()?, read).await?;
            "0".to_owned()
        }
        ["wait", lane, span] => {
            limits.wait(lane, millis(span)?).await?;
            "0".to_owned()
        }
        _ => return Err("no question".into()),
    })
}

fn millis(text: &str) -> Outcome<Duration> {
    Ok(Duration::from_millis(text.parse()?))
}

/// Limits in the process of the test.
struct Far(u16);

impl Far {
    async fn ask(&self, question: &str) -> Outcome<Vec<u64>> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.0)).await?;
        stream.write_all(format!("{question}\n").as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer.split(' ').map(str::parse).collect::<Result<_, _>>()?)
    }

    async fn number(&self, question: &str) -> Result<Vec<u64>, StoreError> {
        self.ask(question).await.map_err(|error: Box<dyn Error + Send + Sync>| StoreError::Unavailable(error))
    }
}

/// Limits that a process has opened.
enum Opened {
    Far(Far),
    Redis(Redis),
}

impl Limits for Opened {
    async fn room(&self, lanes: &[Limit<'_>], lease: Duration) -> Result<Vec<Room>, StoreError> {
        let far = match self {
            Self::Far(far) => far,
            Self::Redis(redis) => return redis.room(lanes, lease).await,
        };
        let mut rooms = Vec::new();
        for lane in lanes {
            let numbers = far.number(&format!("room {} {}", lane.lane, lease.as_millis())).await?;
            let [places, wait] = *numbers else { return Err(strange()) };
            let places = u32::try_from(places).map_err(|_| strange())?;
            rooms.push(Room { places, wait: Duration::from_millis(wait) });
        }
        Ok(rooms)
    }

    async fn reserve(&self, lane: Limit<'_>, place: i64, lease: Duration) -> Result<Reserved, StoreError> {
        let far = match self {
            Self::Far(far) => far,
            Self::Redis(redis) => return redis.reserve(lane, place, lease).await,
        };
        let numbers = far.number(&format!("reserve {} {place} {}", lane.lane, lease.as_millis())).await?;
        match *numbers {
            [0] => Ok(Reserved::Granted),
            [wait] => Ok(Reserved::Wait(Duration::from_millis(wait))),
            _ => Err(strange()),
        }
    }

    async fn end(&self, lane: Limit<'_>, place: i64, read: ReadMade) -> Result<(), StoreError> {
        let far = match self {
            Self::Far(far) => far,
            Self::Redis(redis) => return redis.end(lane, place, read).await,
        };
        let word = if read == ReadMade::None { "none" } else { "made" };
        far.number(&format!("end {} {place} {word}", lane.lane)).await.map(drop)
    }

    async fn wait(&self, lane: &str, span: Duration) -> Result<(), StoreError> {
        match self {
            Self::Far(far) => far.number(&format!("wait {lane} {}", span.as_millis())).await.map(drop),
            Self::Redis(redis) => redis.wait(lane, span).await,
        }
    }
}

fn strange() -> StoreError {
    StoreError::Settings("an answer that nobody gives".to_owned())
}

/// The first claim reserves, reads and ends, and then the second. A wait is of a provider that asks for it.
pub(crate) fn cases() -> Vec<Case> {
    Case::of(&[("room", &[1]), ("reserve", &[1, 2]), ("end", &[1, 2]), ("wait", &[1])])
}

/// The act of the process that dies: one read after the other.
pub(crate) async fn read<S: Store + 'static, T: Transport + 'static>(
    stage: &Stage,
    store: S,
    transport: T,
    case: &Case,
) -> Outcome {
    let limits = Points { inner: stage.limits.open().await?, case: case.clone() };
    let engine = stage.engine(Limited::new(store, limits), transport)?.at_once(1).build()?;
    // The shop hears of nothing from this process, so that the next one tells all.
    let nothing = |_: News| std::future::ready(Err::<(), Box<dyn Error + Send + Sync>>("no shop".into()));
    for _ in 0..20 {
        engine.step(nothing).await?;
    }
    Ok(())
}

#[test]
fn a_death_costs_one_place_of_a_limit_at_most_and_exceeds_nothing() -> Outcome {
    Setting::new("limits")?.limits(Place::Here(0)).play("limits", &cases(), Reads)
}

#[test]
fn a_death_costs_one_place_of_a_limit_in_redis_at_most_and_exceeds_nothing() -> Outcome {
    let Ok(url) = std::env::var("CHECKOUT_TEST_REDIS") else {
        println!("not run over Redis: CHECKOUT_TEST_REDIS is not set");
        return Ok(());
    };
    let place = Place::Redis { prefix: String::new(), url };
    Setting::new("redis")?.limits(place).play("redis", &cases(), Reads)
}

/// The processes that share a limit, the windows for which they do so, and a window: the limit's minute, and
/// the second more that a place is kept.
const PROCESSES: usize = 3;
const WINDOWS: u32 = 12;
const WINDOW: Duration = Duration::from_secs(61);

/// The act of a process that works as long as it lives.
pub(crate) async fn work<S: Store + 'static, T: Transport + 'static>(
    stage: &Stage,
    store: S,
    transport: T,
) -> Outcome {
    let engine = stage.engine(store, transport)?.poll_every(Duration::from_millis(50)).build()?;
    let tell = |_: News| std::future::ready(Ok::<(), Box<dyn Error + Send + Sync>>(()));
    engine.run(tell, std::future::pending()).await;
    Ok(())
}

#[test]
fn processes_with_work_that_waits_use_nearly_all_of_a_limit_and_never_more() -> Outcome {
    Setting::new("use")?.play("use", &[Case::new("none", "", 0)], |_| Uses)
}

/// Two reads a minute, and more work than that.
struct Uses;

impl Scene for Uses {
    async fn play<S: Store + 'static>(&self, stage: &Stage, store: S) -> Outcome {
        let engine = stage.survivor(store)?;
        for number in 0..usize::try_from(WINDOWS)? * 3 {
            let order = Order::new(8 + 10 * number, 1);
            stage.place(&engine, &order).await?;
            engine.nudge(&order.id).await?;
        }
        stage.pass(WINDOW).await?;
        let mut processes = (0..PROCESSES).map(|_| stage.start("work", None)).collect::<Outcome<Vec<_>>>()?;
        let begin = stage.world()?.now();
        for window in 1..=u64::from(WINDOWS) {
            let since = Instant::now();
            // The reads are what is waited for, with their writes: the pause decides nothing.
            while stage.reads()? < 2 * window || engine.figures().await?.leased > 0 {
                for process in &mut processes {
                    if let Some(status) = process.0.try_wait()? {
                        return Err(format!("a process has ended: {status}").into());
                    }
                }
                if since.elapsed() > Duration::from_secs(60) {
                    return Err(format!("{} reads within {window} windows", stage.reads()?).into());
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            stage.pass(WINDOW).await?;
        }
        let (reads, span) = (stage.reads()?, stage.world()?.now().saturating_since(begin));
        // The provider allows two reads a minute.
        if reads * 60 * 100 < span.as_secs() * 2 * 95 {
            return Err(format!("{reads} reads within {span:?}").into());
        }
        let over = stage.world()?.verdict().findings.into_iter().find(|found| found.code == "over-limit");
        over.map_or(Ok(()), |found| Err(found.sentence.into()))
    }
}

struct Reads(Case);

impl Reads {
    /// The places that are taken when the process is dead, and the reads that the provider has seen.
    fn taken(&self) -> (u32, u64) {
        match (self.0.operation.as_str(), self.0.nth, self.0.is_after()) {
            ("reserve", 1, true) => (1, 0),
            ("end", 1, _) | ("reserve", 2, false) => (1, 1),
            ("reserve", 2, true) => (2, 1),
            // While a lane waits, it has no place.
            ("end", 2, _) => (2, 2),
            ("wait", 1, true) => (2, 1),
            ("wait", 1, false) => (1, 1),
            _ => (0, 0),
        }
    }
}

impl Scene for Reads {
    async fn play<S: Store + 'static>(&self, stage: &Stage, store: S) -> Outcome {
        let limits = stage.limits.open().await?;
        let (engine, told) = (stage.survivor(Limited::new(store, limits))?, Told::default());
        let orders: Vec<Order> = (0..ORDERS).map(|number| Order::new(8 + 10 * number, 1)).collect();
        for order in &orders {
            stage.place(&engine, order).await?;
        }
        // All have paid, and the shop asks for all at once.
        stage.pass(Duration::from_secs(60)).await?;
        for order in &orders {
            engine.nudge(&order.id).await?;
        }
        let is_wait = self.0.operation == "wait";
        if is_wait {
            stage.world()?.peach().inject_on(Route::Status, Fault::RateLimited);
        }
        let process = stage.start("read", Some(&self.0))?;
        stage.death(process).await?;

        let lane = Lane::name_of(Provider::Peach, MERCHANT);
        let room = async || -> Outcome<u32> {
            let rooms = engine.store().limits().room(&[Limit { lane: &lane, rate: RATE }], LEASE).await?;
            Ok(rooms.first().ok_or("no room")?.places)
        };
        let (taken, reads) = (RATE.requests - room().await?, stage.reads()?);
        if (taken, reads) != self.taken() {
            return Err(format!("{taken} places are taken after {reads} reads").into());
        }
        // Within the same minute another process uses all that is left: nothing, while the lane waits.
        told.work(&engine).await?;
        let (reads, lost) = (stage.reads()?, if is_wait { 1 } else { u64::from(taken) - reads });
        if lost > 1 || reads + lost != u64::from(RATE.requests) {
            return Err(format!("{reads} reads within a minute, and {lost} places are lost").into());
        }
        // The place of the dead process comes back.
        stage.pass(FREE).await?;
        if room().await? != RATE.requests {
            return Err(format!("{} places after the lease and the span", room().await?).into());
        }
        for _ in 0..ORDERS {
            told.work(&engine).await?;
            stage.pass(FREE).await?;
        }
        for order in &orders {
            let row = engine.checkout(&order.id).await?.ok_or("lost")?;
            let count = told.get().get(&format!("{}/settled", order.id)).copied();
            if (row.state, count) != (State::Settled, Some(1)) {
                return Err(format!("{row:?} was told {count:?} times").into());
            }
        }
        is_judged_well(stage)
    }
}
