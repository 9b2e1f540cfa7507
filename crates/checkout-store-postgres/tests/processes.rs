//! Several processes share one schema. A test starts its own program again as a child.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use checkout_engine::{Ask, Checkout, Inserted, Lane, New, Next, Provider, ReadMade, Store, Write, Written};
use checkout_store_postgres::Options;
use checkout_tables::{Environment, Moment, RateLimit, RateScope};
use common::{OPEN, Schema, Tested, runtime, url};

/// The schema of the parent, for a child.
const SCHEMA: &str = "CHECKOUT_SCHEMA";

/// The sign before what a child says.
const SAID: &str = "said ";

fn checkout(id: &str) -> Checkout {
    Checkout {
        id: id.to_owned(),
        provider: Provider::Azotte,
        merchant: "z".to_owned(),
        environment: Environment::Live,
        state: OPEN,
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

fn child(test: &str, schema: &str) -> std::io::Result<Child> {
    let mut command = Command::new(env::current_exe()?);
    command.args(["--exact", test, "--nocapture"]).env(SCHEMA, schema).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
}

/// What a child says until its end.
fn heard(child: Child) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let output = child.wait_with_output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    Ok(text.lines().filter_map(|line| line.strip_prefix(SAID)).map(str::to_owned).collect())
}

fn say(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    write!(out, "\n{SAID}{text}\n")?;
    out.flush()
}

/// The options of a child, with few connections: a server has no hundred for each test.
fn options(schema: &str) -> Options {
    Options::new().schema(schema).connections(1).notify(false)
}

#[test]
fn twenty_processes_open_an_empty_database_and_one_of_them_makes_the_schema() -> Tested {
    if let Ok(schema) = env::var(SCHEMA) {
        return runtime().block_on(async {
            let store = options(&schema).connect(&url()).await?;
            let row = checkout(&std::process::id().to_string());
            let inserted = store.insert(&New { checkout: &row, watch: "", lease: Duration::ZERO }).await?;
            assert!(matches!(inserted, Inserted::Fresh(..)));
            Ok(())
        });
    }
    if common::has_no_server() {
        return Ok(());
    }
    let test = "twenty_processes_open_an_empty_database_and_one_of_them_makes_the_schema";
    runtime().block_on(async {
        for _ in 0..3 {
            let schema = Schema::new().await?;
            let children: Vec<Child> =
                (0..20).map(|_| child(test, &schema.name)).collect::<Result<_, _>>()?;
            for child in children {
                heard(child)?;
            }
            // A step that was made twice leaves two rows of versions.
            assert_eq!(schema.number("SELECT count(*) FROM checkout.schema_version").await?, 1);
            assert_eq!(schema.number("SELECT count(*) FROM checkout.checkout").await?, 20);
        }
        Ok(())
    })
}

#[test]
fn eight_processes_claim_all_the_work_and_none_of_it_twice() -> Tested {
    const ALL: usize = 1_000;
    let lanes = ["azotte/z".to_owned()];
    if let Ok(schema) = env::var(SCHEMA) {
        return runtime().block_on(async {
            let store = options(&schema).connect(&url()).await?;
            // A claim that finds the lane in other hands has nothing either.
            while store.figures().await?.work > 0 {
                let ask = Ask { lanes: &lanes, max: 3, lease: Duration::from_secs(600) };
                for due in store.claim(&ask).await?.due {
                    say(&due.lease.id)?;
                    let next = Next::Ended { watch: String::new() };
                    let read = ReadMade::None;
                    let write = Write { checkout: None, next, read, lane_wait: None, news: Vec::new() };
                    assert_eq!(store.write(&due.lease, &write).await?, Written::Done);
                }
            }
            Ok(())
        });
    }
    if common::has_no_server() {
        return Ok(());
    }
    let test = "eight_processes_claim_all_the_work_and_none_of_it_twice";
    runtime().block_on(async {
        let schema = Schema::new().await?;
        let store = schema.store().await?;
        store.lanes(&[Lane { name: lanes[0].clone(), limit: None }]).await?;
        for number in 0..ALL {
            let row = checkout(&number.to_string());
            let inserted = store.insert(&New { checkout: &row, watch: "", lease: Duration::ZERO }).await?;
            assert!(matches!(inserted, Inserted::Fresh(..)));
        }
        let children: Vec<Child> = (0..8).map(|_| child(test, &schema.name)).collect::<Result<_, _>>()?;
        let mut said = Vec::new();
        for child in children {
            said.extend(heard(child)?);
        }
        assert_eq!(said.len(), ALL);
        assert_eq!(said.into_iter().collect::<BTreeSet<_>>().len(), ALL);
        Ok(())
    })
}

/// The merchants of the race, and the work of each of them. A third of the work makes no request.
const MERCHANTS: [&str; 4] = ["a", "b", "c", "d"];
const OF_EACH: usize = 18;
const RATE: RateLimit = RateLimit { requests: 3, per_seconds: 1, scope: RateScope::Merchant };

fn raced_lanes() -> Vec<String> {
    MERCHANTS.iter().map(|merchant| Lane::name_of(Provider::Peach, merchant)).collect()
}

fn checkout_of(merchant: &str, number: usize) -> Checkout {
    let id = format!("{merchant}-{number}");
    Checkout { provider: Provider::Peach, merchant: merchant.to_owned(), ..checkout(&id) }
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
async fn race(store: impl Store) -> Tested {
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

#[test]
fn eight_processes_never_exceed_a_limit() -> Tested {
    if let Ok(schema) = env::var(SCHEMA) {
        return runtime().block_on(async { race(options(&schema).connect(&url()).await?).await });
    }
    if common::has_no_server() {
        return Ok(());
    }
    runtime().block_on(async {
        let schema = Schema::new().await?;
        let store = schema.store().await?;
        let lanes = raced_lanes().into_iter().map(|name| Lane { name, limit: Some(RATE) });
        store.lanes(&lanes.collect::<Vec<_>>()).await?;
        for (merchant, number) in
            MERCHANTS.iter().flat_map(|one| (0..OF_EACH).map(move |number| (one, number)))
        {
            let row = checkout_of(merchant, number);
            let inserted = store.insert(&New { checkout: &row, watch: "", lease: Duration::ZERO }).await?;
            assert!(matches!(inserted, Inserted::Fresh(..)));
        }
        let test = "eight_processes_never_exceed_a_limit";
        let children: Vec<Child> = (0..8).map(|_| child(test, &schema.name)).collect::<Result<_, _>>()?;
        let mut said = Vec::new();
        for child in children {
            said.extend(heard(child)?);
        }
        let requests = requests(&said);
        assert_eq!(over_the_limit(&requests), Vec::<String>::new());
        let counts: Vec<usize> = requests.values().map(Vec::len).collect();
        assert_eq!(counts, [OF_EACH / 3 * 2; MERCHANTS.len()]);
        Ok(())
    })
}
