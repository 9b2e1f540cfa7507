//! How processes end: a supervisor's SIGTERM ends what they do or gives it back, and work or news that aborts
//! them is put aside. A test starts its own program again as a child.
#![cfg(unix)]

mod folder;

use checkout_engine::{
    Ask, Checkout, Filter, Inserted, Lane, New, News, Next, Provider, ReadMade, State, Store, Subject, Write,
    Written, person,
};
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

/// For a child: the file of the parent, what the shop's function does, and the seconds by which the child is
/// later than the parent.
const FILE: &str = "CHECKOUT_FILE";
const SHOP: &str = "CHECKOUT_SHOP";
const LATER: &str = "CHECKOUT_LATER";
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

/// A provider whose answer about one checkout aborts the process, as an overflow of the stack does. Nobody
/// has paid yet.
struct Aborting {
    aborts: bool,
}

/// The provider's id of the checkout whose answer aborts the process.
const DEADLY: &str = "00000000000000000000dead";

impl Transport for Aborting {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let is_deadly = request.uri().path().contains(DEADLY);
        say(if is_deadly { "reads deadly" } else { "reads other" });
        if is_deadly && self.aborts {
            std::process::abort();
        }
        Ok(Response::new(br#"{"code":0,"payload":2}"#.as_slice().into()))
    }
}

type Opened<T> = Result<Engine<Sqlite, T>, Box<dyn Error + Send + Sync>>;

fn engine<T: Transport + 'static>(store: Sqlite, transport: T) -> Opened<T> {
    let client = Client::builder(SigningKey::new(API_KEY, API_SECRET.into())?);
    let client = client.environment(Environment::Sandbox).build()?;
    Ok(Engine::builder(store, transport).provider(client).lease(LEASE).build()?)
}

/// A store whose clock is so many seconds later than the parent's.
fn later(file: &str, seconds: u64) -> Result<Sqlite, Box<dyn Error + Send + Sync>> {
    let seconds = Duration::from_secs(seconds);
    Ok(Sqlite::builder(file).clock(move || Moment::now().saturating_add(seconds)).open()?)
}

/// Does what is due, until nothing is.
async fn aborting_provider(file: &str, seconds: u64, aborts: bool) -> Outcome {
    let engine = engine(later(file, seconds)?, Aborting { aborts })?;
    let tell = |news: News| {
        say(&format!("{} of {}", news.subject.name(), news.id));
        async { Ok(()) }
    };
    while engine.step(tell).await?.is_zero() {}
    Ok(())
}

/// The process of a shop whose function aborts the process at a settlement, as an overflow of the stack does.
/// Other news ends the process as a supervisor does.
async fn aborting_shop(file: &str, seconds: u64, aborts: bool) -> Outcome {
    let engine = engine(later(file, seconds)?, Silent)?;
    let told = Notify::new();
    let tell = |news: News| {
        say(&format!("{} of {}", news.subject.name(), news.id));
        if aborts && news.subject == Subject::Settled {
            std::process::abort();
        }
        told.notify_one();
        async { Ok(()) }
    };
    engine.run(tell, told.notified()).await;
    Ok(())
}

/// The process of a shop, until the SIGTERM.
async fn shop(file: &str, hangs: bool) -> Outcome {
    let engine = engine(Sqlite::open(file)?, Silent)?;
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

/// News that waits to be told.
async fn prepare_news(store: &Sqlite) -> Outcome {
    store.lanes(&[Lane { name: LANE.to_owned(), limit: None }]).await?;
    add(store, "told").await?;
    let lanes = [LANE.to_owned()];
    let claimed = store.claim(&Ask { lanes: &lanes, max: 1, lease: LEASE }).await?.due;
    let lease = &claimed.first().ok_or("no work")?.lease;
    let (key, id) = ("told/settled".to_owned(), "told".to_owned());
    let settled = Checkout { state: State::Settled, notes: r#"{"told": true}"#.into(), ..row("told") };
    let write = Write {
        checkout: Some(settled),
        next: Next::Ended { watch: String::new() },
        read: ReadMade::Answered,
        lane_wait: None,
        news: vec![News { key, id, subject: Subject::Settled, reason: None }],
    };
    assert_eq!(store.write(lease, &write).await?, Written::Done);
    Ok(())
}

async fn add(store: &Sqlite, id: &str) -> Outcome {
    let new = New { checkout: &row(id), watch: "", lease: Duration::ZERO };
    assert!(matches!(store.insert(&new).await?, Inserted::Fresh(..)));
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
        block_on(prepare_news(&store))?;
        block_on(add(&store, "read"))?;
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

/// The words of a child, and true if the child has ended well. Each child begins when the leases of the one
/// before are over.
fn child(
    test: &str,
    file: &str,
    does: &str,
    number: u32,
) -> Result<(Vec<String>, bool), Box<dyn Error + Send + Sync>> {
    let mut command = Command::new(env::current_exe()?);
    command.args(["--exact", test, "--nocapture"]).env(FILE, file).env(SHOP, does);
    let output = command.env(LATER, (number * 61).to_string()).stderr(Stdio::null()).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = text.lines().filter_map(|line| line.strip_prefix(SAID)).map(str::to_owned).collect();
    Ok((said, output.status.success()))
}

#[test]
fn work_that_aborts_its_processes_is_held_the_rest_goes_on_and_a_release_leads_to_a_read() -> Outcome {
    if let (Ok(file), Ok(does), Ok(later)) = (env::var(FILE), env::var(SHOP), env::var(LATER)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        return runtime.block_on(aborting_provider(&file, later.parse()?, does == "aborts"));
    }
    let folder = Folder::new("deadly")?;
    let file = folder.file("shop.db");
    let store = Sqlite::open(&file)?;
    block_on(store.lanes(&[Lane { name: LANE.to_owned(), limit: None }]))?;
    block_on(add(&store, "other"))?;
    let deadly = Checkout { checkout_id: Some(DEADLY.to_owned()), ..row("deadly") };
    let new = New { checkout: &deadly, watch: "", lease: Duration::ZERO };
    assert!(matches!(block_on(store.insert(&new))?, Inserted::Fresh(..)));
    let test = "work_that_aborts_its_processes_is_held_the_rest_goes_on_and_a_release_leads_to_a_read";
    let run = |does: &str, number: u32| child(test, file.to_str().unwrap_or_default(), does, number);
    let mut of_suspects = Vec::new();
    for number in 0..6 {
        let (said, lives) = run("aborts", number)?;
        assert_eq!((said.last().map(String::as_str), lives), (Some("reads deadly"), false), "{number}");
        if number > 3 {
            of_suspects.extend(said);
        }
    }
    // Both were claimed three times and not written. From then on they come alone, and the other one is read.
    assert!(of_suspects.iter().any(|said| said == "reads other"), "{of_suspects:?}");
    let sorted = |(mut said, lives): (Vec<String>, bool)| {
        said.sort();
        (said.join(", "), lives)
    };
    // The seventh process lives, and tells of the hold.
    assert_eq!(sorted(run("aborts", 6)?), ("held of deadly, reads other".to_owned(), true));
    let held = block_on(store.list(&Filter { held: true, ..Filter::default() }))?;
    let [held] = held.as_slice() else { return Err(format!("{held:?}").into()) };
    assert_eq!((held.id.as_str(), held.state), ("deadly", State::Open));
    block_on(person::release(&store, held, "ann", "the parser is mended"))?;
    assert_eq!(sorted(run("reads", 7)?), ("reads deadly, reads other".to_owned(), true));
    let held = block_on(store.list(&Filter { held: true, ..Filter::default() }))?;
    assert_eq!((held.len(), block_on(store.figures())?.work), (0, 2));
    Ok(())
}

#[test]
fn news_that_aborts_six_processes_is_held_and_is_told_after_the_release() -> Outcome {
    if let (Ok(file), Ok(does), Ok(later)) = (env::var(FILE), env::var(SHOP), env::var(LATER)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        return runtime.block_on(aborting_shop(&file, later.parse()?, does == "aborts"));
    }
    let folder = Folder::new("aborts")?;
    let file = folder.file("shop.db");
    let store = Sqlite::open(&file)?;
    block_on(prepare_news(&store))?;
    let test = "news_that_aborts_six_processes_is_held_and_is_told_after_the_release";
    let run = |does: &str, number: u32| child(test, file.to_str().unwrap_or_default(), does, number);
    for number in 0..6 {
        assert_eq!(run("aborts", number)?, (vec!["settled of told".to_owned()], false), "{number}");
    }
    // The seventh process lives, and tells of the hold.
    assert_eq!(run("aborts", 6)?, (vec!["held of told".to_owned()], true));
    let held = block_on(store.list(&Filter { held: true, ..Filter::default() }))?;
    let [held] = held.as_slice() else { return Err(format!("{held:?}").into()) };
    assert_eq!((held.id.as_str(), held.state), ("told", State::Settled));
    block_on(person::release(&store, held, "ann", "the function is mended"))?;
    assert_eq!(run("tells", 7)?, (vec!["settled of told".to_owned()], true));
    assert_eq!(block_on(store.figures())?.news, 0);
    Ok(())
}
