//! A supervisor ends a process by SIGTERM: what the process was doing ends, or is given back at once. A test
//! starts its own program again as a child.
#![cfg(unix)]

mod folder;

use checkout_engine::{Ask, Checkout, Inserted, Lane, New, News, Next, Provider, ReadMade, State};
use checkout_engine::{Store, Subject, Write, Written};
use checkout_kit::allscale::{Client, SigningKey};
use checkout_kit::engine::Engine;
use checkout_kit::{Environment, Moment, Request, Response, Transport, TransportError};
use checkout_sandbox::allscale::{API_KEY, API_SECRET};
use checkout_store_sqlite::Sqlite;
use folder::Folder;
use pollster::block_on;
use std::env;
use std::error::Error;
use std::future::pending;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

/// The file of the parent, for a child, and what the shop's function does.
const FILE: &str = "CHECKOUT_FILE";
const SHOP: &str = "CHECKOUT_SHOP";
/// The sign before what a child says.
const SAID: &str = "said ";
const LANE: &str = "allscale/default";
const LEASE: Duration = Duration::from_secs(3);

fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = write!(out, "\n{SAID}{text}\n").and_then(|()| out.flush());
}

fn row(id: &str) -> Checkout {
    Checkout {
        id: id.to_owned(),
        provider: Provider::AllScale,
        merchant: "default".to_owned(),
        environment: Environment::Sandbox,
        state: State::Open,
        reference: id.to_owned(),
        checkout_id: Some("65b2f3d0d2d9c0a1b2c3d4e5".to_owned()),
        page: None,
        hold: None,
        notes: "{}".into(),
        version: 0,
        created_at: Moment::from_unix_millis(0),
        changed_at: Moment::from_unix_millis(0),
    }
}

/// A provider that does not answer.
struct Silent;

impl Transport for Silent {
    async fn send(&self, _: Request) -> Result<Response, TransportError> {
        say("sends");
        pending().await
    }
}

/// The process of a shop, until the SIGTERM.
async fn shop(file: &str, hangs: bool) -> Outcome {
    let client = Client::builder(SigningKey::new(API_KEY, API_SECRET.into())?);
    let client = client.environment(Environment::Sandbox).build()?;
    let engine = Engine::builder(Sqlite::open(file)?, Silent).provider(client).lease(LEASE).build()?;
    let (mut end, stopping) = (signal(SignalKind::terminate())?, Notify::new());
    let tell = |_| async {
        say("tells");
        if hangs {
            pending::<()>().await;
        }
        stopping.notified().await;
        Ok(())
    };
    let stop = async {
        end.recv().await;
        say("stops");
        stopping.notify_one();
    };
    engine.run(tell, stop).await;
    let counters = engine.counters();
    say(&format!("told {}, not told {}", counters.told(), counters.not_told()));
    Ok(())
}

/// News that waits to be told, and a read that is due.
async fn prepare(store: &Sqlite) -> Outcome {
    store.lanes(&[Lane { name: LANE.to_owned(), limit: None }]).await?;
    let new = |id| (row(id), Duration::ZERO);
    let (first, lease) = new("told");
    let inserted = store.insert(&New { checkout: &first, watch: "", lease }).await?;
    assert!(matches!(inserted, Inserted::Fresh(..)));
    let lanes = [LANE.to_owned()];
    let claimed = store.claim(&Ask { lanes: &lanes, max: 1, lease: LEASE }).await?.due;
    let lease = &claimed.first().ok_or("no work")?.lease;
    let (key, id) = ("told/settled".to_owned(), "told".to_owned());
    let write = Write {
        checkout: None,
        next: Next::Ended { watch: String::new() },
        read: ReadMade::Answered,
        lane_wait: None,
        news: vec![News { key, id, subject: Subject::Settled, reason: None }],
    };
    assert_eq!(store.write(lease, &write).await?, Written::Done);
    let (second, lease) = new("read");
    let inserted = store.insert(&New { checkout: &second, watch: "", lease }).await?;
    assert!(matches!(inserted, Inserted::Fresh(..)));
    Ok(())
}

#[test]
fn a_process_that_is_told_to_end_leaves_neither_work_nor_news_behind_whatever_its_shop_does() -> Outcome {
    if let (Ok(file), Ok(does)) = (env::var(FILE), env::var(SHOP)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        return runtime.block_on(shop(&file, does == "hangs"));
    }
    let folder = Folder::new("stops")?;
    for does in ["hangs", "ends"] {
        let file = folder.file(&format!("{does}.db"));
        let store = Sqlite::open(&file)?;
        block_on(prepare(&store))?;
        let test = "a_process_that_is_told_to_end_leaves_neither_work_nor_news_behind_whatever_its_shop_does";
        let mut command = Command::new(env::current_exe()?);
        command.args(["--exact", test, "--nocapture"]).env(FILE, &file).env(SHOP, does);
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let lines = BufReader::new(child.stdout.take().ok_or("no output")?).lines();
        let mut said: Vec<String> = Vec::new();
        for line in lines {
            let Some(text) = line?.strip_prefix(SAID).map(str::to_owned) else { continue };
            said.push(text);
            if said.len() == 2 {
                // A request and a telling are under way.
                let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status()?;
                assert!(killed.success());
            }
        }
        assert!(child.wait()?.success(), "{does}: {said:?}");
        said.get_mut(..2).ok_or("the child said too little")?.sort_unstable();
        let hangs = does == "hangs";
        let last = format!("told {}, not told 0", u8::from(!hangs));
        assert_eq!(said, ["sends", "tells", "stops", &last], "{does}");
        // Nothing is left under a lease, and the news of the shop that hangs is there for another process.
        assert_eq!(block_on(store.figures())?.leased, 0, "{does}");
        let news = block_on(store.claim_news(9, LEASE))?;
        let keys: Vec<&str> = news.iter().map(|claimed| claimed.news.key.as_str()).collect();
        assert_eq!(keys, if hangs { vec!["told/settled"] } else { vec![] }, "{does}");
    }
    Ok(())
}
