//! Processes of this very program.

use crate::world::{Place, Provider, Reads, engine, names, short_lease};
use checkout_engine::Store;
use std::io::{BufRead, BufReader, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// The argument of a process that does a part's work.
pub(crate) const CHILD: &str = "--child";

/// A process, killed in the end.
pub(crate) struct Process {
    child: Child,
    output: Option<BufReader<ChildStdout>>,
}

/// What a process does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Work {
    /// Polls for so long from a word on, and tells how often.
    Polls(Duration),
    /// Tells the path of each read, and never gets an answer if it is silent.
    Reads { silent: bool },
}

impl Process {
    /// A process that has opened its store.
    pub(crate) fn start(place: &Place, merchants: u32, work: Work) -> Self {
        let (kind, seconds) = match work {
            Work::Polls(span) => ("polls", span.as_secs()),
            Work::Reads { silent } => (if silent { "silent" } else { "reads" }, 0),
        };
        let (url, name) = match place {
            Place::Sqlite(path) => ("", path.to_str().unwrap()),
            Place::Postgres { url, schema } => (url.as_str(), schema.as_str()),
        };
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([CHILD, kind, url, name, &merchants.to_string(), &seconds.to_string()])
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
    let [kind, url, name, merchants, seconds] = arguments else { panic!("five arguments") };
    let (merchants, span) = (merchants.parse().unwrap(), Duration::from_secs(seconds.parse().unwrap()));
    if url.is_empty() {
        let store = Place::Sqlite(name.into()).open_sqlite();
        run(kind, store, merchants, span).await;
    } else {
        let place = Place::Postgres { url: url.clone(), schema: name.clone() };
        let store = place.open_postgres(8).await;
        run(kind, store, merchants, span).await;
    }
}

async fn run<S: Store + 'static>(kind: &str, store: S, merchants: u32, span: Duration) {
    let errors = Arc::new(AtomicU64::new(0));
    let (heard, mut reads) = mpsc::unbounded_channel();
    let polls = kind == "polls";
    let provider = Provider { heard: (!polls).then_some(heard), silent: kind == "silent" };
    let lease = if polls { Duration::from_secs(30) } else { short_lease() };
    let engine = engine(store, provider, &names(merchants), lease, &errors);
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
