//! Several processes share one file. A test starts its own program again as a child.

mod folder;

use checkout_engine::{
    Ask, Checkout, Inserted, Lane, New, Next, Provider, ReadMade, State, Store, Write, Written,
};
use checkout_store_sqlite::Sqlite;
use checkout_tables::{Environment, Moment, RateLimit, RateScope};
use folder::Folder;
use pollster::block_on;
use rusqlite::{Connection, params};
use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::error::Error;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

type Outcome = Result<(), Box<dyn Error>>;

/// The file of the parent, for a child.
const FILE: &str = "CHECKOUT_FILE";

/// Behind the file's name: the child looks before it takes.
const WRONG: &str = ".wrong";

/// The sign before what a child says.
const SAID: &str = "said ";

fn row(id: &str) -> Checkout {
    Checkout {
        id: id.to_owned(),
        provider: Provider::Azotte,
        merchant: "z".to_owned(),
        environment: Environment::Live,
        state: State::Open,
        reference: id.to_owned(),
        checkout_id: None,
        page: None,
        hold: None,
        notes: "{}".into(),
        version: 0,
        created_at: Moment::from_unix_millis(0),
        changed_at: Moment::from_unix_millis(0),
    }
}

fn child(test: &str, file: &Path) -> std::io::Result<Child> {
    let mut command = Command::new(env::current_exe()?);
    command.args(["--exact", test, "--nocapture"]).env(FILE, file).stdout(Stdio::piped());
    command.spawn()
}

/// What a child says until its end, and if the child ended well.
fn heard(child: Child) -> std::io::Result<(Vec<String>, bool)> {
    let output = child.wait_with_output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = text.lines().filter_map(|line| line.strip_prefix(SAID)).map(str::to_owned).collect();
    Ok((said, output.status.success()))
}

fn say(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    write!(out, "\n{SAID}{text}\n")?;
    out.flush()
}

#[test]
fn twenty_processes_open_an_empty_file_and_one_of_them_makes_the_tables() -> Outcome {
    if let Ok(file) = env::var(FILE) {
        let store = Sqlite::open(file)?;
        assert!(matches!(
            block_on(store.insert(&New {
                checkout: &row(&std::process::id().to_string()),
                watch: "",
                lease: Duration::ZERO
            }))?,
            Inserted::Fresh(..)
        ));
        return Ok(());
    }
    let folder = Folder::new("twenty")?;
    for round in 0..3 {
        let file = folder.file(&format!("{round}.db"));
        let test = "twenty_processes_open_an_empty_file_and_one_of_them_makes_the_tables";
        let children: Vec<Child> = (0..20).map(|_| child(test, &file)).collect::<Result<_, _>>()?;
        for child in children {
            assert!(heard(child)?.1);
        }
        let shop = Connection::open(&file)?;
        let count = |table: &str| {
            shop.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, i64>(0))
        };
        assert_eq!((count("checkout_schema")?, count("checkout")?), (1, 20));
    }
    Ok(())
}

#[test]
fn twenty_threads_with_a_store_each_open_an_empty_file() -> Outcome {
    let folder = Folder::new("threads")?;
    let file = folder.file("shop.db");
    std::thread::scope(|scope| {
        let opened: Vec<_> = (0..20).map(|_| scope.spawn(|| Sqlite::open(&file).map(drop))).collect();
        opened
            .into_iter()
            .try_for_each(|one| one.join().map_err(|_| "a panic")?.map_err(Box::<dyn Error>::from))
    })
}

#[test]
fn eight_processes_claim_all_the_work_and_none_of_it_twice() -> Outcome {
    let lanes: Vec<String> = ["azotte/z".to_owned()].into();
    if let Ok(file) = env::var(FILE) {
        let store = Sqlite::open(file)?;
        return block_on(async {
            loop {
                let ask = Ask { lanes: &lanes, max: 3, lease: Duration::from_secs(600) };
                let due = store.claim(&ask).await?.due;
                if due.is_empty() {
                    return Ok(());
                }
                for due in due {
                    say(&due.lease.id)?;
                    let next = Next::Ended { watch: String::new() };
                    let write = Write {
                        checkout: None,
                        next,
                        read: ReadMade::None,
                        lane_wait: None,
                        news: Vec::new(),
                    };
                    assert_eq!(store.write(&due.lease, &write).await?, Written::Done);
                }
            }
        });
    }
    let folder = Folder::new("eight")?;
    let file = folder.file("shop.db");
    let store = Sqlite::open(&file)?;
    block_on(store.lanes(&[Lane { name: "azotte/z".to_owned(), limit: None }]))?;
    for number in 0..2_000 {
        let checkout = row(&number.to_string());
        let _ = block_on(store.insert(&New { checkout: &checkout, watch: "", lease: Duration::ZERO }))?;
    }
    let test = "eight_processes_claim_all_the_work_and_none_of_it_twice";
    let children: Vec<Child> = (0..8).map(|_| child(test, &file)).collect::<Result<_, _>>()?;
    let mut all = Vec::new();
    for child in children {
        let (said, ended_well) = heard(child)?;
        assert!(ended_well);
        all.extend(said);
    }
    assert_eq!(all.len(), 2_000);
    assert_eq!(all.into_iter().collect::<BTreeSet<_>>().len(), 2_000);
    assert_eq!(block_on(store.figures())?.work, 0);
    Ok(())
}

/// The merchants of the race, and the work of each of them. A third of the work makes no request.
const MERCHANTS: [&str; 4] = ["a", "b", "c", "d"];
const OF_EACH: usize = 18;
const RATE: RateLimit = RateLimit { requests: 3, per_seconds: 1, scope: RateScope::Merchant };

fn raced_lanes() -> Vec<String> {
    MERCHANTS.iter().map(|merchant| Lane::name_of(Provider::Peach, merchant)).collect()
}

fn row_of(merchant: &str, number: usize) -> Checkout {
    let id = format!("{merchant}-{number}");
    Checkout { provider: Provider::Peach, merchant: merchant.to_owned(), ..row(&id) }
}

/// The requests that the processes have said, of each lane in their order: the milliseconds of the store's
/// clock.
fn requests(said: &[String]) -> BTreeMap<&str, Vec<i64>> {
    let mut requests: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for (lane, at) in said.iter().filter_map(|said| said.split_once(' ')) {
        requests.entry(lane).or_default().extend(at.parse::<i64>());
    }
    requests.values_mut().for_each(|of_lane| of_lane.sort_unstable());
    requests
}

/// The spans of the limit and its margin with more requests than the limit allows.
fn over_the_limit(requests: &BTreeMap<&str, Vec<i64>>) -> Vec<String> {
    let mut over = Vec::new();
    for (lane, at) in requests {
        let many = at.iter().zip(at.iter().skip(3)).filter(|(first, fourth)| *fourth - *first < 2_000);
        over.extend(many.map(|(first, fourth)| format!("{lane}: four requests from {first} to {fourth}")));
    }
    over
}

/// Does the work of all lanes, and says the moment of each request, which lies between claim and write.
async fn race(store: impl Store) -> Outcome {
    let lanes = raced_lanes();
    loop {
        let claimed = store.claim(&Ask { lanes: &lanes, max: 8, lease: Duration::from_secs(60) }).await?;
        if claimed.due.is_empty() {
            let Some(next) = claimed.next else { return Ok(()) };
            // All processes ask at the moment at which a place is free.
            std::thread::sleep(next.saturating_since(claimed.now).min(Duration::from_millis(20)));
        }
        for due in claimed.due {
            let (merchant, number) = due.lease.id.split_once('-').ok_or("no number")?;
            let mut read = ReadMade::None;
            if number.parse::<usize>()? % 3 > 0 {
                let lane = Lane::name_of(Provider::Peach, merchant);
                say(&format!("{lane} {}", store.now().await?.unix_millis()))?;
                read = ReadMade::Answered;
            }
            let next = Next::Ended { watch: String::new() };
            let write = Write { checkout: None, next, read, lane_wait: None, news: Vec::new() };
            assert_eq!(store.write(&due.lease, &write).await?, Written::Done);
        }
    }
}

/// Takes places in two steps, as no store may: a look, and then the taking.
fn race_by_select_then_update(file: &str) -> Outcome {
    let connection = Connection::open(file)?;
    connection.busy_timeout(Duration::from_secs(30))?;
    let begin = Moment::now();
    let mut fence = i64::from(std::process::id()) << 32;
    loop {
        for lane in raced_lanes() {
            let now = Moment::now();
            if now.saturating_since(begin) > Duration::from_secs(5) {
                return Ok(());
            }
            let taken = "SELECT count(*) FROM checkout_place WHERE lane = ?1 AND until > ?2";
            let taken: i64 =
                connection.query_row(taken, params![lane, now.unix_millis()], |row| row.get(0))?;
            if taken < 3 {
                fence += 1;
                let take = "INSERT INTO checkout_place (lane, fence, until) VALUES (?1, ?2, ?3)";
                connection.execute(take, params![lane, fence, now.unix_millis() + 2_000])?;
                say(&format!("{lane} {}", now.unix_millis()))?;
            }
        }
    }
}

#[test]
fn eight_processes_never_exceed_a_limit_and_do_where_they_look_before_they_take() -> Outcome {
    if let Ok(file) = env::var(FILE) {
        return match file.strip_suffix(WRONG) {
            Some(file) => race_by_select_then_update(file),
            None => block_on(race(Sqlite::open(file)?)),
        };
    }
    let test = "eight_processes_never_exceed_a_limit_and_do_where_they_look_before_they_take";
    let folder = Folder::new("limit")?;
    for suffix in ["", WRONG] {
        let file = folder.file(&format!("shop{suffix}.db"));
        let store = Sqlite::open(&file)?;
        let lanes = raced_lanes().into_iter().map(|name| Lane { name, limit: Some(RATE) });
        block_on(store.lanes(&lanes.collect::<Vec<_>>()))?;
        for (merchant, number) in
            MERCHANTS.iter().flat_map(|one| (0..OF_EACH).map(move |number| (one, number)))
        {
            let checkout = row_of(merchant, number);
            let new = New { checkout: &checkout, watch: "", lease: Duration::ZERO };
            assert!(matches!(block_on(store.insert(&new))?, Inserted::Fresh(..)));
        }
        let of_child = file.display().to_string() + suffix;
        let children = (0..8).map(|_| child(test, of_child.as_ref()));
        let children: Vec<Child> = children.collect::<Result<_, _>>()?;
        let mut said = Vec::new();
        for child in children {
            let (of_child, ended_well) = heard(child)?;
            assert!(ended_well);
            said.extend(of_child);
        }
        let (requests, is_wrong) = (requests(&said), suffix == WRONG);
        let over = over_the_limit(&requests);
        assert_eq!(!over.is_empty(), is_wrong, "{over:?}");
        if !is_wrong {
            let counts: Vec<usize> = requests.values().map(Vec::len).collect();
            assert_eq!(counts, [OF_EACH / 3 * 2; MERCHANTS.len()]);
        }
    }
    Ok(())
}

#[test]
fn what_a_killed_process_had_answered_is_there() -> Outcome {
    if let Ok(file) = env::var(FILE) {
        let store = Sqlite::open(file)?;
        for number in 0_u64.. {
            let checkout = row(&number.to_string());
            let _ = block_on(store.insert(&New { checkout: &checkout, watch: "", lease: Duration::ZERO }))?;
            say(&checkout.id)?;
        }
    }
    let folder = Folder::new("killed")?;
    for round in 0..5 {
        let file = folder.file(&format!("{round}.db"));
        let mut child = child("what_a_killed_process_had_answered_is_there", &file)?;
        let mut out = BufReader::new(child.stdout.take().ok_or("no output")?).lines();
        let mut said = 0_usize;
        while said <= 40 + round {
            said += usize::from(out.next().ok_or("the child ended")??.starts_with(SAID));
        }
        child.kill()?;
        for line in out {
            said += usize::from(line?.starts_with(SAID));
        }
        child.wait()?;
        let store = Sqlite::open(&file)?;
        let work = usize::try_from(block_on(store.figures())?.work)?;
        // One insert may have been done and not been said.
        assert!(work == said || work == said + 1, "{said} were said and {work} are there");
        for number in 0..said {
            assert!(block_on(store.checkout(&number.to_string()))?.is_some(), "{number}");
        }
        let whole: String =
            Connection::open(&file)?.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
        assert_eq!(whole, "ok");
    }
    Ok(())
}
