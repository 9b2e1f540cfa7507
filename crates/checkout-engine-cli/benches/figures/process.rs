//! Processes of this very program.

use crate::world::{Place, Provider, Reads, WIDE, engine, limit, names, redis, short_lease};
use checkout_engine::{Limited, Store};
use std::io::{BufRead, BufReader, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// The argument of a process that does a part's work.
pub(crate) const CHILD: &str = "--child";

/// The argument of a process whose limits are in the database.
const DATABASE: &str = "database";

/// A process, killed in the end.
pub(crate) struct Process {
    child: Child,
    output: Option<BufReader<ChildStdout>>,
}

/// Where the limits of the merchants are, each so wide that nobody waits.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Limits<'a> {
    None,
    Database,
    /// In Redis, under a prefix.
    Redis(&'a str),
}

/// What a process does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Work<'a> {
    /// Polls for so long from a word on, and tells how often.
    Polls(Duration, Limits<'a>),
    /// Tells the path of each read, and never gets an answer if it is silent.
    Reads { silent: bool },
}

impl Process {
    /// A process that has opened its store.
    pub(crate) fn start(place: &Place, merchants: u32, work: Work<'_>) -> Self {
        let (kind, seconds, limits) = match work {
            Work::Polls(span, Limits::None) => ("polls", span.as_secs(), ""),
            Work::Polls(span, Limits::Database) => ("polls", span.as_secs(), DATABASE),
            Work::Polls(span, Limits::Redis(prefix)) => ("polls", span.as_secs(), prefix),
            Work::Reads { silent } => (if silent { "silent" } else { "reads" }, 0, ""),
        };
        let (url, name) = match place {
            Place::Sqlite(path) => ("", path.to_str().unwrap()),
            Place::Postgres { url, schema } => (url.as_str(), schema.as_str()),
        };
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([CHILD, kind, url, name, &merchants.to_string(), &seconds.to_string(), limits])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = child.stdout.take().map(BufReader::new);
        let mut process = Self { child, output };
        assert_eq!(process.line(), "ready");
        process
    }

    pub(crate) fn go(&mut self) {
        self.child.stdin.as_mut().unwrap().write_all(b"go\n").unwrap();
    }

    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.as_mut().unwrap().read_line(&mut line).unwrap();
        line.trim().to_owned()
    }

    /// The paths of the reads, as they come.
    pub(crate) fn reads(&mut self) -> Reads {
        let (heard, reads) = mpsc::unbounded_channel();
        let output = self.output.take().unwrap();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if heard.send((line, Instant::now())).is_err() {
                    return;
                }
            }
        });
        reads
    }

    /// The polls and the errors that a process tells in the end.
    pub(crate) fn told(&mut self) -> (u64, u64) {
        let line = self.line();
        let (polls, errors) = line.split_once(' ').unwrap();
        (polls.parse().unwrap(), errors.parse().unwrap())
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The work of a process that a part has started.
pub(crate) async fn work(arguments: &[String]) {
    let [kind, url, name, merchants, seconds, limits] = arguments else { panic!("six arguments") };
    let (merchants, span) = (merchants.parse().unwrap(), Duration::from_secs(seconds.parse().unwrap()));
    if url.is_empty() {
        let store = Place::Sqlite(name.into()).open_sqlite();
        return run(kind, store, merchants, span, false).await;
    }
    let place = Place::Postgres { url: url.clone(), schema: name.clone() };
    let store = place.open_postgres(8).await;
    match limits.as_str() {
        "" => run(kind, store, merchants, span, false).await,
        DATABASE => run(kind, store, merchants, span, true).await,
        prefix => run(kind, Arc::new(Limited::new(store, redis(prefix).await)), merchants, span, true).await,
    }
}

async fn run<S: Store + Clone + 'static>(
    kind: &str,
    store: S,
    merchants: u32,
    span: Duration,
    is_limited: bool,
) {
    let errors = Arc::new(AtomicU64::new(0));
    let (heard, mut reads) = mpsc::unbounded_channel();
    let polls = kind == "polls";
    let provider = Provider { heard: (!polls).then_some(heard), silent: kind == "silent" };
    let lease = if polls { Duration::from_secs(30) } else { short_lease() };
    let engine = engine(store.clone(), provider, &names(merchants), lease, &errors);
    if polls {
        // The engine makes its merchants known before its first step, and their provider has no limit. Each
        // kind of process begins so, for neither to be the warmer one.
        engine.step(|_| async { Ok(()) }).await.unwrap();
        limit(&store, merchants, is_limited.then_some(WIDE)).await;
    }
    println!("ready");
    std::io::stdin().read_line(&mut String::new()).unwrap();
    thread::spawn(|| {
        // The part is gone: nobody kills this process any more.
        if std::io::stdin().read_line(&mut String::new()).is_ok_and(|bytes| bytes == 0) {
            std::process::exit(1);
        }
    });
    if polls {
        engine.run(|_| async { Ok(()) }, tokio::time::sleep(span)).await;
        println!("{} {}", engine.counters().writes(), errors.load(Ordering::Relaxed));
        return;
    }
    let tell = async {
        while let Some((path, _)) = reads.recv().await {
            println!("{path}");
        }
    };
    tokio::join!(engine.run(|_| async { Ok(()) }, std::future::pending()), tell);
}
