//! What PostgreSQL adds: migrations, roles, errors, transactions of the user, and others in between.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::time::Duration;

use checkout_engine::{
    Ask, Checkout, Claimed, Decision, Filter, Inserted, Lane, New, News, Next, Nudge, Nudged, Provider,
    ReadMade, Store, StoreError, Subject, Target, Write, Written,
};
use checkout_store_postgres::{Options, Postgres, grants, print};
use checkout_tables::{Environment, Moment, RateLimit, RateScope};
use checkout_trust::replay::Key;
use common::{OPEN, START, Schema, Tested, client_of, code, runtime, url};

const LEASE: Duration = Duration::from_secs(30);

fn checkout(id: &str) -> Checkout {
    Checkout {
        id: id.to_owned(),
        provider: Provider::Peach,
        merchant: "shop".to_owned(),
        environment: Environment::Sandbox,
        state: OPEN,
        reference: format!("reference {id}"),
        checkout_id: None,
        page: Some("https://pay.example/page-secret".into()),
        hold: None,
        notes: "{\"note\":\"note-secret\"}".into(),
        version: 0,
        created_at: Moment::from_unix_millis(0),
        changed_at: Moment::from_unix_millis(0),
    }
}

async fn add(store: &Postgres, id: &str) -> Result<(), StoreError> {
    let added = store.insert(&New { checkout: &checkout(id), watch: "", lease: Duration::ZERO }).await?;
    assert!(matches!(added, Inserted::Fresh(..)));
    Ok(())
}

async fn claim(store: &Postgres, max: usize) -> Result<Claimed, StoreError> {
    store.claim(&Ask { lanes: &["peach/shop".to_owned()], max, lease: LEASE }).await
}

fn ids(claimed: &Claimed) -> Vec<&str> {
    claimed.due.iter().map(|due| due.lease.id.as_str()).collect()
}

fn after(span: Duration) -> Write {
    Write {
        checkout: None,
        next: Next::Due { after: span, watch: "w".to_owned() },
        read: ReadMade::Sent,
        lane_wait: None,
        news: Vec::new(),
    }
}

#[test]
fn twenty_connections_to_an_empty_schema_migrate_once_and_none_fails() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    runtime().block_on(async {
        let schema = Schema::new().await?;
        let mut tasks = Vec::new();
        for _ in 0..20 {
            let options = schema.options().connections(1);
            tasks.push(tokio::spawn(async move { options.connect(&url()).await.map(drop) }));
        }
        for task in tasks {
            task.await??;
        }
        assert_eq!(schema.number("SELECT count(*) FROM checkout.schema_version").await?, 1);
        assert_eq!(schema.number("SELECT max(version) FROM checkout.schema_version").await?, 1);
        Ok(())
    })
}

#[test]
fn the_printed_sql_makes_the_schema_that_the_program_makes() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    runtime().block_on(async {
        let columns = "SELECT string_agg(format('%s.%s %s', table_name, column_name, data_type), ', ' \
                       ORDER BY table_name, column_name) FROM information_schema.columns WHERE table_schema = $1";
        let (by_hand, by_program) = (Schema::new().await?, Schema::new().await?);
        by_hand.client.batch_execute(&print(&by_hand.name, 0)?).await?;
        by_program.store().await?;
        let of = async |schema: &Schema| schema.client.query_one(columns, &[&schema.name]).await;
        let (hand, program) = (of(&by_hand).await?, of(&by_program).await?);
        assert_eq!(hand.get::<_, String>(0), program.get::<_, String>(0));
        by_hand.options().migrate(false).connect(&url()).await?;
        Ok(())
    })
}

#[test]
fn a_missing_schema_is_made_only_by_those_who_may_and_a_newer_one_is_refused() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    runtime().block_on(async {
        let schema = Schema::new().await?;
        let refused = schema.options().migrate(false).connect(&url()).await.map(drop);
        assert!(matches!(refused, Err(StoreError::OlderSchema { found: 0, known: 1 })), "{refused:?}");
        schema.store().await?;
        // A step that this program may live with, and one that it may not.
        schema.run("UPDATE checkout.schema_version SET version = 2, oldest = 1").await?;
        schema.store().await?;
        schema.run("UPDATE checkout.schema_version SET version = 3, oldest = 2").await?;
        let refused = schema.store().await.map(drop);
        assert!(matches!(refused, Err(StoreError::NewerSchema { found: 3, known: 1 })), "{refused:?}");
        Ok(())
    })
}

/// Statements are planned already, and a lease is out.
#[test]
fn a_program_at_work_goes_on_when_a_newer_program_adds_to_the_schema() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    runtime().block_on(async {
        for prepared in [false, true] {
            let schema = Schema::new().await?;
            let store = schema.options().connections(1).prepared(prepared).connect(&url()).await?;
            add(&store, "a").await?;
            let news =
                |key: &str| News { key: key.into(), id: "a".into(), subject: Subject::Held, reason: None };
            for round in 0..3 {
                let claimed = claim(&store, 5).await?;
                assert_eq!(claimed.due.len(), 1 + round, "{prepared}");
                assert_eq!(store.claim_news(5, LEASE).await?.len(), usize::from(round > 0));
                if round == 1 {
                    schema.add_to_all().await?;
                }
                for due in &claimed.due {
                    let news = if due.lease.id == "a" { vec![news(&round.to_string())] } else { Vec::new() };
                    let row = Some(checkout(&due.lease.id));
                    let write = Write { checkout: row, news, ..after(Duration::ZERO) };
                    assert_eq!(store.write(&due.lease, &write).await?, Written::Done, "{prepared} {round}");
                }
                add(&store, &format!("b{round}")).await?;
                assert_eq!(store.list(&Filter::default()).await?.len(), 2 + round);
            }
            assert_eq!(schema.number("SELECT count(*) FROM checkout.news").await?, 3);
        }
        Ok(())
    })
}

#[test]
fn a_statement_whose_result_another_program_has_changed_is_asked_again() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    runtime().block_on(async {
        let schema = Schema::new().await?;
        let store = schema.options().connections(1).prepared(true).connect(&url()).await?;
        add(&store, "a").await?;
        let before = store.list(&Filter::default()).await?;
        schema.run("ALTER TABLE checkout.checkout ALTER COLUMN page TYPE varchar").await?;
        assert_eq!(store.list(&Filter::default()).await?, before);
        assert_eq!(store.list(&Filter::default()).await?, before);
        Ok(())
    })
}

#[test]
fn a_role_without_ddl_is_enough_and_a_missing_right_is_told() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    runtime().block_on(async {
        let schema = Schema::new().await?;
        let role = format!("r_{}", schema.name);
        schema.run(&format!("CREATE ROLE {role} LOGIN")).await?;
        let ran = with_role(&schema, &role).await;
        schema.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await?;
        ran
    })
}

async fn with_role(schema: &Schema, role: &str) -> Tested {
    let database: String = schema.client.query_one("SELECT current_database()", &[]).await?.get(0);
    let url = url();
    let host = url.rsplit_once('@').and_then(|(_, host)| host.split_once('/')).expect("role@host/database").0;
    let url = format!("postgres://{role}@{host}/{database}");
    let open = || schema.options().connections(2).connect(&url);
    let refused = open().await.map(drop);
    assert!(matches!(refused, Err(StoreError::OlderSchema { found: 0, known: 1 })), "{refused:?}");
    schema.store().await?;
    let refused = open().await.map(drop);
    assert!(matches!(refused, Err(StoreError::Rights(_))), "{refused:?}");
    schema.client.batch_execute(&grants(&schema.name, role)?).await?;
    let store = open().await?;
    add(&store, "a").await?;
    let due = claim(&store, 5).await?.due;
    let news = News { key: "k".into(), id: "a".into(), subject: Subject::Held, reason: None };
    let write = Write { checkout: Some(checkout("a")), news: vec![news], ..after(Duration::ZERO) };
    assert_eq!(store.write(&due[0].lease, &write).await?, Written::Done);
    assert_eq!(store.claim_news(5, LEASE).await?.len(), 1);
    let seen = store.checkout("a").await?.expect("a row");
    let decision =
        Decision { checkout: &seen, work: false, news: Vec::new(), act: "close", by: "Ada", reason: "why" };
    assert_eq!(store.decide(&decision).await?, Written::Done);
    store.figures().await?;
    store.sweep(10).await?;
    // A later version adds a table, which the role may use too.
    schema.add_to_all().await?;
    client_of(&url).await?.batch_execute(&schema.sql("SELECT FROM checkout.newer")).await?;
    schema.run(&format!("REVOKE INSERT ON checkout.checkout FROM {role}")).await?;
    let refused = store.insert(&New { checkout: &checkout("b"), watch: "", lease: LEASE }).await;
    let Err(StoreError::Rights(_)) = &refused else { panic!("{refused:?}") };
    assert_eq!(refused.as_ref().err().and_then(code), Some("42501"));
    Ok(())
}

#[test]
fn bad_urls_names_and_servers_are_told_without_the_password() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    runtime().block_on(async {
        let url_of_tests = url();
        let (scheme, rest) = url_of_tests.split_once("://").unwrap();
        // The URL may leave out the role.
        let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
        let (server, _) = url_of_tests.rsplit_once('/').unwrap();
        let bad = [
            ("postgres://shop:hunter2@127.0.0.1:notaport/shop".to_owned(), "the URL"),
            ("postgres://shop:hunter2@127.0.0.1/shop?hunter2=1".to_owned(), "the URL"),
            ("password=hunter2 hunter2".to_owned(), "the URL"),
            ("postgres://shop:hunter2@127.0.0.1:1/shop".to_owned(), "the database does not answer"),
            (format!("{scheme}://no_such_role:hunter2@{host}"), "is its password right"),
            (format!("{server}/no_such_database"), "names no database of the server"),
        ];
        for (url, says) in &bad {
            let error = Postgres::connect(url).await.expect_err("a bad URL");
            let source = std::error::Error::source(&error).map(ToString::to_string);
            let shown = format!("{error} {error:?} {source:?}");
            assert!(!shown.contains("hunter2"), "{shown}");
            assert!(error.to_string().contains(says), "{url}: {error}");
        }
        for name in ["", "Shop", "1shop", "shop;drop", "a b", "é", "pg_shop"] {
            let refused = Options::new().schema(name).connect(&url()).await.map(drop);
            let Err(StoreError::Settings(text)) = refused else { panic!("{name:?}: {refused:?}") };
            assert!(text.contains("Options::schema"), "{text}");
        }
        Ok(())
    })
}

#[test]
fn a_read_only_database_and_a_statement_that_takes_too_long_are_told() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    runtime().block_on(async {
        let schema = Schema::new().await?;
        let writes = schema.store().await?;
        add(&writes, "a").await?;
        let url = url();
        let joint = if url.contains('?') { '&' } else { '?' };
        let reads = format!("{url}{joint}options=-cdefault_transaction_read_only%3Don");
        let store = schema.options().connect(&reads).await?;
        assert!(store.checkout("a").await?.is_some());
        let refused = store.nudge(&Nudge { target: Target::Id("a"), event: &[] }).await;
        assert!(matches!(refused, Err(StoreError::ReadOnly(_))), "{refused:?}");
        let empty = Schema::new().await?;
        let refused = empty.options().connect(&reads).await.map(drop);
        assert!(matches!(refused, Err(StoreError::ReadOnly(_))), "{refused:?}");

        let hasty = format!("{url}{joint}options=-cstatement_timeout%3D50");
        let store = schema.options().connect(&hasty).await?;
        let mut other = client_of(&url).await?;
        let held = other.transaction().await?;
        held.execute(&schema.sql("SELECT FROM checkout.checkout WHERE id = 'a' FOR UPDATE"), &[]).await?;
        let refused = store.nudge(&Nudge { target: Target::Id("a"), event: &[] }).await;
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
        assert_eq!(refused.as_ref().err().and_then(code), Some("57014"));
        Ok(())
    })
}

#[test]
fn values_that_a_database_cannot_hold_are_told_and_nothing_is_written() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    runtime().block_on(async {
        let schema = Schema::new().await?;
        let store = schema.store().await?;
        let refused = store.insert(&New { checkout: &checkout("a\0b"), watch: "", lease: LEASE }).await;
        let Err(StoreError::Settings(text)) = &refused else { panic!("{refused:?}") };
        assert!(!text.contains("secret"), "{text}");
        assert_eq!(store.list(&Filter::default()).await?, []);
        // A failing row's detail shows the whole row.
        schema.run("ALTER TABLE checkout.checkout ADD CHECK (id <> 'bad')").await?;
        let refused = store.insert(&New { checkout: &checkout("bad"), watch: "", lease: LEASE }).await;
        let error = refused.expect_err("a refused row");
        let source = std::error::Error::source(&error).map(ToString::to_string);
        assert!(!format!("{error} {error:?} {source:?}").contains("secret"), "{error:?}");
        Ok(())
    })
}

#[test]
fn a_store_outlives_the_end_of_all_its_connections() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    runtime().block_on(async {
        let schema = Schema::new().await?;
        let url = url();
        let joint = if url.contains('?') { '&' } else { '?' };
        let store =
            schema.options().connect(&format!("{url}{joint}application_name={}", schema.name)).await?;
        add(&store, "a").await?;
        let first: Vec<_> = (0..8)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move { store.now().await.map(drop) })
            })
            .collect();
        for task in first {
            task.await??;
        }
        let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = $1";
        let ended: i64 = schema.client.query_one(end, &[&schema.name]).await?.get(0);
        assert!(ended > 0);
        // A connection whose end has not arrived yet says so once.
        let mut failed = 0;
        while let Err(error) = claim(&store, 1).await.map(|claimed| assert_eq!(ids(&claimed), ["a"])) {
            assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
            failed += 1;
            assert!(failed <= ended);
        }
        for _ in 0..16 {
            store.now().await?;
        }
        Ok(())
    })
}

#[test]
fn a_nudge_that_commits_late_is_in_the_next_claim() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    runtime().block_on(async {
        let schema = Schema::new().await?;
        let store = schema.standing().await?;
        for id in ["a", "b", "c"] {
            add(&store, id).await?;
        }
        for due in claim(&store, 10).await?.due {
            assert_eq!(store.write(&due.lease, &after(Duration::from_secs(60))).await?, Written::Done);
        }
        // The nudge's moment is now, and its commit comes when the claims have gone on for an hour.
        let mut other = client_of(&url()).await?;
        let late = other.transaction().await?;
        let nudge = include_str!("../sql/nudge.sql").replace("checkout.", &format!("{}.", schema.name));
        let (none, keys, keep) = (None::<&str>, Vec::<&str>::new(), Vec::<i64>::new());
        late.query(&nudge, &[&Some("a"), &none, &none, &none, &keys, &keep]).await?;
        for _ in 0..60 {
            schema.pass(Duration::from_secs(60)).await?;
            let claimed = claim(&store, 10).await?;
            assert_eq!(ids(&claimed), ["b", "c"]);
            for due in claimed.due {
                assert_eq!(store.write(&due.lease, &after(Duration::from_secs(60))).await?, Written::Done);
            }
        }
        late.commit().await?;
        let claimed = claim(&store, 10).await?;
        assert_eq!(ids(&claimed), ["a"]);
        assert!(claimed.due[0].nudged);
        Ok(())
    })
}

#[test]
fn a_nudge_of_work_that_waits_behind_the_places_where_claims_look_is_in_the_next_claim() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    runtime().block_on(async {
        let schema = Schema::new().await?;
        let store = schema.standing().await?;
        add(&store, "a").await?;
        add(&store, "b").await?;
        let due = claim(&store, 1).await?.due;
        assert_eq!(store.write(&due[0].lease, &after(Duration::from_secs(2))).await?, Written::Done);
        schema.pass(Duration::from_secs(3_600)).await?;
        // Both are due for an hour; the claims take b alone, while somebody holds a.
        let mut other = client_of(&url()).await?;
        let held = other.transaction().await?;
        held.execute(&schema.sql("SELECT FROM checkout.work WHERE id = 'a' FOR UPDATE"), &[]).await?;
        for _ in 0..5 {
            let claimed = claim(&store, 10).await?;
            assert_eq!(ids(&claimed), ["b"]);
            assert_eq!(store.write(&claimed.due[0].lease, &after(Duration::ZERO)).await?, Written::Done);
            schema.pass(Duration::from_secs(60)).await?;
        }
        held.rollback().await?;
        assert_eq!(
            store.nudge(&Nudge { target: Target::Id("a"), event: &[] }).await?,
            Nudged::Queued { id: "a".into() }
        );
        assert_eq!(ids(&claim(&store, 1).await?), ["a"]);
        Ok(())
    })
}

#[test]
fn claims_wait_for_nobody_and_ask_again_soon() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    runtime().block_on(async {
        let schema = Schema::new().await?;
        let store = schema.standing().await?;
        add(&store, "a").await?;
        let mut other = client_of(&url()).await?;
        for held in ["checkout.lane", "checkout.work"] {
            let locks = other.transaction().await?;
            locks.execute(&schema.sql(&format!("SELECT FROM {held} FOR UPDATE")), &[]).await?;
            let claimed = claim(&store, 1).await?;
            assert_eq!((ids(&claimed), claimed.next), (vec![], Some(Moment::from_unix_millis(START + 10))));
            locks.rollback().await?;
        }
        assert_eq!(ids(&claim(&store, 1).await?), ["a"]);
        Ok(())
    })
}

#[test]
fn many_claims_at_once_keep_a_limit_and_lease_nothing_twice() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    runtime().block_on(async {
        let schema = Schema::new().await?;
        let store = schema.standing().await?;
        let limit = RateLimit { requests: 7, per_seconds: 60, scope: RateScope::Merchant };
        store.lanes(&[Lane { name: "peach/shop".into(), limit: Some(limit) }]).await?;
        for number in 0..40 {
            add(&store, &format!("o{number:02}")).await?;
        }
        for round in 1..=3 {
            let mut tasks = Vec::new();
            for _ in 0..16 {
                // A store of its own each, as another process has.
                let options = schema.options().connections(1);
                tasks.push(tokio::spawn(async move {
                    let store = options.connect(&url()).await?;
                    let mut leased = Vec::new();
                    for _ in 0..12 {
                        leased.extend(claim(&store, 2).await?.due.into_iter().map(|due| due.lease));
                    }
                    Ok::<_, StoreError>(leased)
                }));
            }
            let mut leases = Vec::new();
            for task in tasks {
                leases.extend(task.await??);
            }
            let ids: BTreeSet<&str> = leases.iter().map(|lease| lease.id.as_str()).collect();
            assert_eq!((leases.len(), ids.len()), (7, 7), "round {round}");
            for lease in &leases {
                let write = Write { read: ReadMade::Answered, ..after(Duration::from_secs(3_600)) };
                assert_eq!(store.write(lease, &write).await?, Written::Done);
            }
            schema.pass(Duration::from_secs(61)).await?;
        }
        Ok(())
    })
}

#[test]
fn claims_of_very_many_lanes_find_all_work_and_a_look_tells_the_next_due() -> Tested {
    const LANES: usize = 600;
    if common::has_no_server() {
        return Ok(());
    }
    runtime().block_on(async {
        let schema = Schema::new().await?;
        let store = schema.standing().await?;
        // A process of its own looks, so that the other one knows nothing of the looks.
        let other = schema.store().await?;
        let names: Vec<String> = (0..LANES).map(|lane| format!("peach/{lane:03}")).collect();
        for lane in 0..LANES {
            let row = Checkout { merchant: format!("{lane:03}"), ..checkout(&lane.to_string()) };
            let _ = store.insert(&New { checkout: &row, watch: "", lease: Duration::ZERO }).await?;
        }
        let claim = async |max: usize| {
            let by = if max == 0 { &other } else { &store };
            by.claim(&Ask { lanes: &names, max, lease: LEASE }).await
        };
        let (start, ends) =
            (Moment::from_unix_millis(START), Moment::from_unix_millis(START).saturating_add(LEASE));
        let mut claimed = BTreeSet::new();
        for _ in 0..LANES / 50 {
            assert_eq!(claim(0).await?.next, Some(start), "{} are claimed", claimed.len());
            let due = claim(50).await?.due;
            assert_eq!(due.len(), 50);
            claimed.extend(due.into_iter().map(|due| due.lease.id));
        }
        assert_eq!(claimed.len(), LANES);
        // The last claim was full, and nothing is due before the leases end.
        let look = claim(0).await?;
        assert_eq!((look.due.len(), look.next), (0, Some(ends)));
        // A claim of few lanes says that the next one may find more, and that one knows.
        let mut nexts = Vec::new();
        for _ in 0..2 {
            let none = claim(50).await?;
            assert!(none.due.is_empty());
            nexts.push(none.next);
        }
        assert_eq!(nexts[0], Some(start));
        assert!(nexts[1] > Some(start) && nexts[1] <= Some(ends), "{:?}", nexts[1]);
        Ok(())
    })
}

#[test]
fn a_claim_of_many_lanes_at_rest_finds_all_work_that_comes() -> Tested {
    const LANES: usize = 100;
    if common::has_no_server() {
        return Ok(());
    }
    runtime().block_on(async {
        let schema = Schema::new().await?;
        let store = schema.standing().await?;
        let merchant = |lane: usize| format!("{lane:03}");
        let names: Vec<String> = (0..LANES).map(|lane| format!("peach/{}", merchant(lane))).collect();
        // Half of the lanes are at their limit, and the others have no work that is due.
        let limit = RateLimit { requests: 1, per_seconds: 60, scope: RateScope::Merchant };
        let lane =
            |lane: usize| Lane { name: names[lane].clone(), limit: lane.is_multiple_of(2).then_some(limit) };
        let lanes: Vec<Lane> = (0..LANES).map(lane).collect();
        store.lanes(&lanes).await?;
        let insert = async |id: String, lane: usize| {
            let row = Checkout { merchant: merchant(lane), ..checkout(&id) };
            store.insert(&New { checkout: &row, watch: "", lease: Duration::ZERO }).await
        };
        for lane in 0..LANES {
            let _ = insert(format!("a{lane}"), lane).await?;
            let _ = insert(format!("b{lane}"), lane).await?;
        }
        let claim = async || store.claim(&Ask { lanes: &names, max: 1_000, lease: LEASE }).await;
        let due = claim().await?.due;
        assert_eq!(due.len(), LANES / 2 + LANES);
        for due in &due {
            let write = Write { read: ReadMade::Answered, ..after(Duration::from_secs(3_600)) };
            assert_eq!(store.write(&due.lease, &write).await?, Written::Done);
        }
        for _ in 0..3 {
            let none = claim().await?;
            let opens = Moment::from_unix_millis(START + 61_000);
            assert!(none.due.is_empty());
            assert!(none.next.is_some_and(|next| next > none.now && next <= opens), "{:?}", none.next);
        }

        // A nudge, a new checkout and a row of the shop's own transaction, each in the next claim.
        let nudge = async |id: &str| store.nudge(&Nudge { target: Target::Id(id), event: &[] }).await;
        assert_eq!(nudge("a7").await?, Nudged::Queued { id: "a7".into() });
        assert_eq!(nudge("a8").await?, Nudged::Queued { id: "a8".into() });
        assert_eq!(ids(&claim().await?), ["a7"], "a8's merchant is at the limit");
        let _ = insert("c9".into(), 9).await?;
        assert_eq!(ids(&claim().await?), ["c9"]);
        schema.run("SELECT checkout.watch('d11', 'peach', '011', 'live', 'r', NULL)").await?;
        assert_eq!(ids(&claim().await?), ["d11"]);
        // Merchants who are new to the process.
        let _ = insert("e".into(), LANES).await?;
        let more: Vec<String> = names.iter().cloned().chain([format!("peach/{}", merchant(LANES))]).collect();
        let of_more = store.claim(&Ask { lanes: &more, max: 1_000, lease: LEASE }).await?;
        assert_eq!(ids(&of_more), ["e"]);

        // A limit that is lifted, and a clock that goes on.
        store.lanes(&[Lane { name: names[8].clone(), limit: None }]).await?;
        let lifted = claim().await?;
        assert_eq!(BTreeSet::from_iter(ids(&lifted)), BTreeSet::from(["a8", "b8"]));
        schema.pass(Duration::from_secs(61)).await?;
        let passed = claim().await?.due.len();
        // One of each limited merchant but 8, and a7, c9, d11, a8 and b8, whose leases have ended.
        assert_eq!(passed, LANES / 2 - 1 + 5);
        schema.pass(Duration::from_secs(3_600)).await?;
        assert!(claim().await?.due.len() > LANES / 2);
        Ok(())
    })
}

#[test]
fn the_shops_own_transaction_watches_a_checkout_or_leaves_nothing() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    runtime().block_on(async {
        let schema = Schema::new().await?;
        let store = schema.store().await?;
        let mut shop = client_of(&url()).await?;
        let watch = schema.sql("SELECT checkout.watch($1, 'peach', 'shop', 'live', $2, $3)");
        let undone = shop.transaction().await?;
        assert!(undone.query_one(&watch, &[&"a", &"r1", &Some("c1")]).await?.get::<_, bool>(0));
        undone.rollback().await?;
        for table in ["checkout.checkout", "checkout.work", "checkout.named", "checkout.lane"] {
            assert_eq!(schema.number(&format!("SELECT count(*) FROM {table}")).await?, 0, "{table}");
        }
        let done = shop.transaction().await?;
        assert!(done.query_one(&watch, &[&"a", &"r1", &Some("c1")]).await?.get::<_, bool>(0));
        // A process that starts meanwhile waits for nobody.
        store.lanes(&[Lane { name: "peach/shop".into(), limit: None }]).await?;
        assert_eq!(ids(&claim(&store, 5).await?), Vec::<&str>::new());
        done.commit().await?;
        // The same id, and the same reference, are left as they are.
        for (id, reference) in [("a", "r2"), ("b", "r1")] {
            assert!(!shop.query_one(&watch, &[&id, &reference, &None::<&str>]).await?.get::<_, bool>(0));
        }
        let due = claim(&store, 5).await?.due;
        assert_eq!(due.len(), 1);
        let row = &due[0].checkout;
        assert_eq!(
            (row.state, row.checkout_id.as_deref(), row.environment),
            (OPEN, Some("c1"), Environment::Live)
        );
        // An event finds the checkout by the provider's id.
        let named = Target::Named { lane: "peach/shop", checkout_id: Some("c1"), reference: None };
        assert_eq!(
            store.nudge(&Nudge { target: named, event: &[] }).await?,
            Nudged::Queued { id: "a".into() }
        );
        let unknown = schema.sql("SELECT checkout.watch('x', 'paech', 's', 'live', 'r', 'c')");
        assert!(shop.query_one(&unknown, &[]).await.is_err());
        Ok(())
    })
}

#[test]
fn psql_watches_a_checkout_and_shows_no_secret() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    let runtime = runtime();
    let (schema, store) = runtime.block_on(async {
        let schema = Schema::new().await?;
        let store = schema.store().await?;
        Ok::<_, Box<dyn std::error::Error>>((schema, store))
    })?;
    let psql = |sql: &str| {
        let sql = schema.sql(sql);
        let out = Command::new("psql").args([&url(), "-XAtqc", &sql]).stdin(Stdio::null()).output()?;
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        Ok::<_, std::io::Error>(String::from_utf8_lossy(&out.stdout).trim().to_owned())
    };
    let watch = "SELECT checkout.watch('a', 'allscale', 'shop', 'sandbox', 'r', 'c', \
                 page => 'https://page-secret', notes => '{\"note-secret\":1}')";
    assert_eq!(psql(&format!("BEGIN; {watch}; ROLLBACK"))?, "t");
    assert_eq!(psql("SELECT count(*) FROM checkout.overview")?, "0");
    assert_eq!(psql(watch)?, "t");
    let shown = psql("SELECT * FROM checkout.overview, checkout.due")?;
    assert!(shown.contains("allscale/shop") && !shown.contains("secret"), "{shown}");
    let lanes = ["allscale/shop".to_owned()];
    runtime.block_on(store.lanes(&[Lane { name: "allscale/shop".into(), limit: None }]))?;
    let claimed = runtime.block_on(store.claim(&Ask { lanes: &lanes, max: 5, lease: LEASE }))?;
    assert_eq!(ids(&claimed), ["a"]);
    Ok(())
}

#[test]
fn news_are_taken_once_by_the_shops_transaction() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    runtime().block_on(async {
        let schema = Schema::new().await?;
        let store = schema.store().await?;
        add(&store, "a").await?;
        let due = claim(&store, 1).await?.due;
        let news = News { key: "a settled".into(), id: "a".into(), subject: Subject::Settled, reason: None };
        let next = Next::Ended { watch: "w".into() };
        let write = Write { news: vec![news], next, ..after(Duration::ZERO) };
        assert_eq!(store.write(&due[0].lease, &write).await?, Written::Done);
        assert_eq!(schema.number("SELECT count(*) FROM checkout.work").await?, 0);
        let told = store.claim_news(5, LEASE).await?;
        let mut shop = client_of(&url()).await?;
        let take = store.take_news().to_owned();
        let undone = shop.transaction().await?;
        assert_eq!(undone.execute(&take, &[&told[0].news.key]).await?, 1);
        undone.rollback().await?;
        let done = shop.transaction().await?;
        assert_eq!(done.execute(&take, &[&told[0].news.key]).await?, 1);
        done.commit().await?;
        assert_eq!(shop.execute(&take, &[&told[0].news.key]).await?, 0);
        assert_eq!(store.news_told(&told[0].news.key, told[0].fence, None).await?, Written::Lost);
        let quoted = format!("\"{}\".", schema.name);
        assert_eq!(checkout_store_postgres::TAKE_NEWS.replace("checkout.", &quoted), take);
        Ok(())
    })
}

fn news(key: &str) -> News {
    News { key: key.into(), id: "a".into(), subject: Subject::Held, reason: None }
}

#[test]
fn news_that_cannot_be_read_is_put_off_and_stops_no_other_news() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    runtime().block_on(async {
        let schema = Schema::new().await?;
        let store = schema.standing().await?;
        add(&store, "a").await?;
        let due = claim(&store, 1).await?.due.remove(0);
        let news = ["k1", "k2", "k3"].map(news).to_vec();
        let next = Next::Ended { watch: String::new() };
        assert_eq!(store.write(&due.lease, &Write { next, news, ..after(LEASE) }).await?, Written::Done);
        schema.run("UPDATE checkout.news SET subject = 'unheard of' WHERE key = 'k2'").await?;
        let told = store.claim_news(9, LEASE).await?;
        assert_eq!(told.iter().map(|told| &*told.news.key).collect::<Vec<_>>(), ["k1", "k3"]);
        assert_eq!(store.claim_news(9, LEASE).await?.len(), 0);
        for told in &told {
            assert_eq!(store.news_told(&told.news.key, told.fence, None).await?, Written::Done);
        }
        schema.pass(LEASE + Duration::from_millis(1)).await?;
        let alone = store.claim_news(9, LEASE).await.map(drop);
        let Err(StoreError::Corrupt { id, field: "subject" }) = &alone else { panic!("{alone:?}") };
        assert_eq!(id, "a");
        assert_eq!(store.claim_news(9, LEASE).await?.len(), 0);
        Ok(())
    })
}

#[test]
fn news_that_waits_longest_is_claimed_first() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    runtime().block_on(async {
        let schema = Schema::new().await?;
        let store = schema.standing().await?;
        add(&store, "a").await?;
        let due = claim(&store, 1).await?.due.remove(0);
        for key in ["k3", "k1", "k2"] {
            let keep = Write { next: Next::Keep, news: vec![news(key)], ..after(Duration::ZERO) };
            assert_eq!(store.write(&due.lease, &keep).await?, Written::Done);
            schema.pass(Duration::from_secs(1)).await?;
        }
        for most in [1, 2] {
            let told = store.claim_news(most, LEASE).await?;
            let keys: Vec<&str> = told.iter().map(|told| &*told.news.key).collect();
            assert_eq!(keys, if most == 1 { vec!["k3"] } else { vec!["k1", "k2"] });
        }
        Ok(())
    })
}

#[test]
fn work_that_cannot_be_read_is_put_off_and_stops_no_other_work() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    runtime().block_on(async {
        let schema = Schema::new().await?;
        let store = schema.standing().await?;
        for id in ["a", "b", "c"] {
            add(&store, id).await?;
        }
        schema.run("UPDATE checkout.checkout SET state = 'unheard of' WHERE id = 'b'").await?;
        let claimed = claim(&store, 9).await?;
        assert_eq!(ids(&claimed), ["a", "c"]);
        let next = || Next::Ended { watch: String::new() };
        for due in &claimed.due {
            let ended = Write { next: next(), ..after(Duration::ZERO) };
            assert_eq!(store.write(&due.lease, &ended).await?, Written::Done);
        }
        assert_eq!(ids(&claim(&store, 9).await?), Vec::<&str>::new());
        schema.pass(LEASE + Duration::from_millis(1)).await?;
        let alone = claim(&store, 9).await.map(drop);
        let Err(StoreError::Corrupt { id, field: "state" }) = &alone else { panic!("{alone:?}") };
        assert_eq!(id, "b");
        assert_eq!(ids(&claim(&store, 9).await?), Vec::<&str>::new());
        Ok(())
    })
}

#[test]
fn a_claim_counts_the_places_that_another_claim_took_since_its_snapshot() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    runtime().block_on(async {
        let schema = Schema::new().await?;
        let store = schema.standing().await?;
        let limit = RateLimit { requests: 2, per_seconds: 60, scope: RateScope::Merchant };
        store.lanes(&[Lane { name: "peach/shop".into(), limit: Some(limit) }]).await?;
        add(&store, "a").await?;
        // A claim asks for the time behind its snapshot, and before it locks the lane: there the claim waits.
        let gate = format!("hashtextextended('{}', 0)", schema.name);
        schema
            .run(&format!(
                "SELECT pg_advisory_lock({gate}); \
                 CREATE OR REPLACE FUNCTION checkout.now_ms() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$ BEGIN \
                 PERFORM pg_advisory_xact_lock_shared({gate}); RETURN (SELECT ms FROM checkout.clock); END $$"
            ))
            .await?;
        let waiting = tokio::spawn(async move { claim(&store, 1).await });
        let waits = "SELECT count(*) FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))";
        while schema.number(waits).await? == 0 {
            assert!(!waiting.is_finished());
        }
        let until = START + 60_000;
        let places = "ARRAY[checkout.place(until, 1), checkout.place(until, 2)]";
        schema.run(&format!("UPDATE checkout.lane SET taken = {places} FROM (VALUES ({until})) v (until)")).await?;
        schema.run(&format!("SELECT pg_advisory_unlock({gate})")).await?;
        assert_eq!(ids(&waiting.await??), Vec::<&str>::new());
        assert_eq!(schema.number("SELECT count(*) FROM checkout.lane, unnest(taken)").await?, 2);
        Ok(())
    })
}

#[test]
fn the_end_of_a_telling_waits_for_no_transaction_that_takes_the_news() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    runtime().block_on(async {
        let schema = Schema::new().await?;
        let url = url();
        let joint = if url.contains('?') { '&' } else { '?' };
        let store =
            schema.options().connect(&format!("{url}{joint}options=-cstatement_timeout%3D10000")).await?;
        add(&store, "a").await?;
        let due = claim(&store, 1).await?.due.remove(0);
        let write = Write { news: vec![news("k")], ..after(LEASE) };
        assert_eq!(store.write(&due.lease, &write).await?, Written::Done);
        let told = store.claim_news(1, LEASE).await?.remove(0);
        let mut shop = client_of(&url).await?;
        let open = shop.transaction().await?;
        assert_eq!(open.execute(store.take_news(), &[&"k"]).await?, 1);
        for again in [None, Some(LEASE)] {
            assert_eq!(store.news_told("k", told.fence, again).await?, Written::Lost);
        }
        open.rollback().await?;
        for fence in [0, told.fence - 1, told.fence + 1] {
            assert_eq!(store.news_told("k", fence, None).await?, Written::Lost);
        }
        for again in [Some(LEASE), None] {
            assert_eq!(store.news_told("k", told.fence, again).await?, Written::Done);
        }
        assert_eq!(schema.number("SELECT count(*) FROM checkout.news").await?, 0);
        Ok(())
    })
}

#[test]
fn news_that_nobody_has_claimed_is_not_told_under_a_fence_of_zero() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    runtime().block_on(async {
        let schema = Schema::new().await?;
        let store = schema.standing().await?;
        add(&store, "a").await?;
        let due = claim(&store, 1).await?.due.remove(0);
        let write = Write { news: vec![news("k")], ..after(LEASE) };
        assert_eq!(store.write(&due.lease, &write).await?, Written::Done);
        for again in [None, Some(LEASE)] {
            assert_eq!(store.news_told("k", 0, again).await?, Written::Lost);
        }
        assert_eq!(store.claim_news(1, LEASE).await?.len(), 1);
        Ok(())
    })
}

#[test]
fn a_checkout_that_is_deleted_by_hand_leaves_no_work_no_name_and_no_open_event() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    runtime().block_on(async {
        let schema = Schema::new().await?;
        let store = schema.standing().await?;
        for (id, named) in [("a", "c1"), ("b", "c2")] {
            let row = Checkout { checkout_id: Some(named.into()), ..checkout(id) };
            store.insert(&New { checkout: &row, watch: "", lease: Duration::ZERO }).await?;
            let event = [Key::allscale_transaction("shop", id, LEASE)];
            let nudge = Nudge { target: Target::Id(id), event: &event };
            assert_eq!(store.nudge(&nudge).await?, Nudged::Queued { id: id.into() });
        }
        schema.run("DELETE FROM checkout.checkout WHERE id = 'a'").await?;
        for table in ["checkout.work", "checkout.named", "checkout.event"] {
            let of = async |id: &str| {
                schema.number(&format!("SELECT count(*) FROM {table} WHERE id = '{id}'")).await
            };
            assert_eq!((of("a").await?, of("b").await?), (0, 1), "{table}");
        }
        let claimed = claim(&store, 9).await?;
        assert_eq!(ids(&claimed), ["b"]);
        let named = Target::Named { lane: "peach/shop", checkout_id: Some("c1"), reference: None };
        assert_eq!(store.nudge(&Nudge { target: named, event: &[] }).await?, Nudged::Unmatched);
        Ok(())
    })
}

#[test]
fn an_id_of_the_provider_that_moved_to_another_checkout_stays_there() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    runtime().block_on(async {
        for decides in [false, true] {
            let schema = Schema::new().await?;
            let store = schema.standing().await?;
            let named = |id: &str, named: &str| Checkout { checkout_id: Some(named.into()), ..checkout(id) };
            for id in ["a", "b"] {
                let row = named(id, "c1");
                store.insert(&New { checkout: &row, watch: "", lease: Duration::ZERO }).await?;
            }
            // The event's id is b's by now, and a gets another one.
            if decides {
                let row = Checkout { version: 1, ..named("a", "c2") };
                let decision = Decision {
                    checkout: &row,
                    work: true,
                    news: vec![],
                    act: "adopt",
                    by: "Ada",
                    reason: "why",
                };
                assert_eq!(store.decide(&decision).await?, Written::Done);
            } else {
                let due = claim(&store, 1).await?.due.remove(0);
                assert_eq!(due.lease.id, "a");
                let write = Write { checkout: Some(named("a", "c2")), ..after(LEASE) };
                assert_eq!(store.write(&due.lease, &write).await?, Written::Done);
            }
            for (id, name) in [("b", "c1"), ("a", "c2")] {
                let target = Target::Named { lane: "peach/shop", checkout_id: Some(name), reference: None };
                let nudged = store.nudge(&Nudge { target, event: &[] }).await?;
                assert_eq!(nudged, Nudged::Queued { id: id.into() }, "decides: {decides}");
            }
        }
        Ok(())
    })
}

#[test]
fn a_taken_over_lease_sees_what_the_late_owner_wrote_or_the_late_owner_has_lost() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    runtime().block_on(async {
        let schema = Schema::new().await?;
        let store = schema.standing().await?;
        for number in 0..60 {
            let id = format!("o{number:02}");
            add(&store, &id).await?;
            let late = claim(&store, 1).await?.due.remove(0);
            // The lease ends; the late owner and a new claim come at once.
            schema.pass(LEASE + Duration::from_millis(1)).await?;
            let noted = Checkout { hold: Some("late".into()), ..late.checkout.clone() };
            let write = Write { checkout: Some(noted), ..after(Duration::ZERO) };
            let (written, claimed) = tokio::join!(store.write(&late.lease, &write), claim(&store, 1));
            let (written, mut claimed) = (written?, claimed?);
            if claimed.due.is_empty() {
                claimed = claim(&store, 1).await?;
            }
            let seen = claimed.due[0].checkout.hold.as_deref() == Some("late");
            assert_eq!(seen, written == Written::Done, "{id}");
            let ended = Write { next: Next::Ended { watch: String::new() }, ..after(Duration::ZERO) };
            assert_eq!(store.write(&claimed.due[0].lease, &ended).await?, Written::Done);
        }
        Ok(())
    })
}

#[test]
fn a_schema_may_have_a_word_of_sql_for_its_name() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    runtime().block_on(async {
        // Nothing but this test has the database, and with it the schema.
        let schema = Schema::new().await?;
        let database = format!("d_{}", schema.name);
        schema.run(&format!("CREATE DATABASE {database}")).await?;
        let ran = async {
            let (server, _) =
                url().rsplit_once('/').map(|(server, name)| (server.to_owned(), name.to_owned())).unwrap();
            let store =
                Options::new().schema("user").connections(1).connect(&format!("{server}/{database}")).await?;
            add(&store, "a").await?;
            let due = claim(&store, 1).await?.due.remove(0);
            let write = Write { news: vec![news("k")], ..after(LEASE) };
            assert_eq!(store.write(&due.lease, &write).await?, Written::Done);
            assert_eq!(store.claim_news(1, LEASE).await?.len(), 1);
            let client = client_of(&format!("{server}/{database}")).await?;
            client.batch_execute("DROP SCHEMA \"user\" CASCADE").await?;
            client.batch_execute(&print("user", 0)?).await?;
            Ok::<_, Box<dyn std::error::Error>>(())
        };
        let ran = ran.await;
        schema.run(&format!("DROP DATABASE {database} WITH (FORCE)")).await?;
        ran
    })
}

/// A database in which nobody else is, with a role of its name.
struct Database<'s> {
    schema: &'s Schema,
    name: String,
}

impl<'s> Database<'s> {
    async fn new(schema: &'s Schema) -> Result<Self, Box<dyn std::error::Error>> {
        let name = format!("d_{}", schema.name);
        schema.run(&format!("CREATE DATABASE {name}")).await?;
        schema.run(&format!("CREATE ROLE {name} LOGIN")).await?;
        Ok(Self { schema, name })
    }

    fn url(&self) -> String {
        let url = url();
        let (server, _) = url.rsplit_once('/').expect("a database");
        format!("{server}/{}", self.name)
    }

    /// The URL for the role, which may do nothing yet.
    fn url_of_role(&self) -> String {
        let url = self.url();
        let host = url.rsplit_once('@').expect("role@host/database").1;
        format!("postgres://{}@{host}", self.name)
    }

    async fn end(self) -> Result<(), tokio_postgres::Error> {
        self.schema.run(&format!("DROP DATABASE {} WITH (FORCE)", self.name)).await?;
        self.schema.run(&format!("DROP ROLE {}", self.name)).await
    }
}

/// Looks until the transaction of this process is older than nothing, and returns its age.
async fn age(look: &tokio_postgres::Client, pid: i32) -> Result<Duration, Box<dyn std::error::Error>> {
    let age = "SELECT floor(extract(epoch FROM clock_timestamp() - xact_start) * 1000)::bigint \
               FROM pg_stat_activity WHERE pid = $1";
    loop {
        let millis: i64 = look.query_one(age, &[&pid]).await?.try_get(0)?;
        if millis > 0 {
            return Ok(Duration::from_millis(millis.unsigned_abs()));
        }
    }
}

#[test]
fn dead_rows_and_the_oldest_transaction_that_keeps_them_are_among_the_figures() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    runtime().block_on(async {
        let schema = Schema::new().await?;
        let database = Database::new(&schema).await?;
        let ran = health(&database.url()).await;
        database.end().await?;
        ran
    })
}

async fn health(url: &str) -> Tested {
    const DEAD: u64 = 60;
    let store = Options::new().connections(2).notify(false).connect(url).await?;
    for id in ["a", "b", "c"] {
        add(&store, id).await?;
    }
    let none = store.figures().await?;
    assert!(none.dead_rows < Some(DEAD), "{none:?}");

    let (holder, writer) = (client_of(url).await?, client_of(url).await?);
    let pid: i32 = holder.query_one("SELECT pg_backend_pid()", &[]).await?.try_get(0)?;
    // One has a snapshot and has written nothing, and the other has written and has no snapshot.
    for begin in [
        "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM checkout.work",
        "BEGIN; UPDATE checkout.lane SET wait_until = 0",
    ] {
        holder.batch_execute(begin).await?;
        for _ in 0..DEAD / 3 {
            writer.batch_execute("UPDATE checkout.work SET rev = rev + 1").await?;
        }
        writer.batch_execute("SELECT pg_stat_force_next_flush()").await?;
        let at_least = age(&writer, pid).await?;
        let held = store.figures().await?;
        assert!(held.oldest_transaction >= Some(at_least), "{begin}: {held:?}");
        assert!(held.dead_rows >= Some(DEAD), "{begin}: {held:?}");
        holder.batch_execute("ROLLBACK").await?;
        writer.batch_execute("VACUUM checkout.work").await?;
        let free = store.figures().await?;
        assert!(free.oldest_transaction < Some(at_least), "{begin}: {free:?}");
        assert!(free.oldest_transaction.is_some() && free.dead_rows < Some(DEAD), "{begin}: {free:?}");
    }
    Ok(())
}

#[test]
fn a_role_that_may_not_see_the_figures_of_the_database_gets_the_others() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    runtime().block_on(async {
        let schema = Schema::new().await?;
        let database = Database::new(&schema).await?;
        let ran = with_figures_hidden(&database).await;
        database.end().await?;
        ran
    })
}

async fn with_figures_hidden(database: &Database<'_>) -> Tested {
    let open = |url: String| async move {
        Options::new()
            .connections(1)
            .notify(false)
            .connect(&url)
            .await
            .map_err(Box::<dyn std::error::Error>::from)
    };
    let all = open(database.url()).await?;
    let client = client_of(&database.url()).await?;
    client.batch_execute(&grants("checkout", &database.name)?).await?;
    let few = open(database.url_of_role()).await?;
    add(&few, "a").await?;
    let known = |figures: checkout_engine::Figures| {
        (figures.work, figures.dead_rows.is_some(), figures.oldest_transaction.is_some())
    };
    // A transaction of its own is all that such a role sees.
    assert_eq!(known(few.figures().await?), (1, true, false));
    client.batch_execute(&format!("GRANT pg_read_all_stats TO {}", database.name)).await?;
    assert_eq!(known(few.figures().await?), (1, true, true));
    client.batch_execute(&format!("REVOKE pg_read_all_stats FROM {}", database.name)).await?;
    client.batch_execute("REVOKE SELECT ON pg_stat_activity FROM PUBLIC").await?;
    assert_eq!(known(few.figures().await?), (1, false, false));
    assert_eq!(known(all.figures().await?), (1, true, true));
    // A right that the store itself needs is an error as before.
    client.batch_execute(&format!("REVOKE SELECT ON checkout.news FROM {}", database.name)).await?;
    let refused = few.figures().await;
    assert!(matches!(refused, Err(StoreError::Rights(_))), "{refused:?}");
    Ok(())
}

/// Leased work of so many checkouts.
async fn leased(store: &Postgres, ids: &[&str]) -> Result<Vec<checkout_engine::Lease>, StoreError> {
    for id in ids {
        add(store, id).await?;
    }
    Ok(claim(store, ids.len()).await?.due.into_iter().map(|due| due.lease).collect())
}

fn held(reason: &str) -> Write {
    let row = Checkout { hold: Some(reason.to_owned()), ..checkout("a") };
    Write { checkout: Some(row), ..after(Duration::from_secs(60)) }
}

/// On one thread the writes of a `join!` have all come before the first call begins.
fn one_thread() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts")
}

#[test]
fn writes_that_come_at_once_share_a_commit_and_each_has_its_own_answer() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    one_thread().block_on(async {
        let schema = Schema::new().await?;
        let store = schema.standing().await?;
        let leases = leased(&store, &["a", "b", "c", "d"]).await?;
        let old = checkout_engine::Lease { fence: leases[3].fence - 1, ..leases[3].clone() };
        let gone = checkout_engine::Lease { id: "none".into(), ..old.clone() };
        let (written, told) = (after(LEASE), Write { news: vec![news("k1"), news("k2")], ..after(LEASE) });
        let refused = Write { news: vec![news("k3")], ..held("late") };
        let (a, b, c, d, none) = tokio::join!(
            store.write(&leases[0], &written),
            store.write(&leases[1], &told),
            store.write(&leases[2], &written),
            store.write(&old, &refused),
            store.write(&gone, &refused),
        );
        assert_eq!((a?, b?, c?), (Written::Done, Written::Done, Written::Done));
        assert_eq!((d?, none?), (Written::Lost, Written::Lost));
        let of = "SELECT count(DISTINCT xmin::text) FROM checkout.work WHERE id";
        assert_eq!(schema.number(&format!("{of} < 'd'")).await?, 1);
        assert_eq!(schema.number("SELECT count(*) FROM checkout.news").await?, 2);
        assert_eq!(schema.number("SELECT count(*) FROM checkout.checkout WHERE hold IS NOT NULL").await?, 0);
        assert_eq!(store.write(&leases[3], &written).await?, Written::Done);
        Ok(())
    })
}

#[test]
fn a_write_that_the_database_refuses_undoes_no_other_write() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    one_thread().block_on(async {
        let schema = Schema::new().await?;
        let store = schema.standing().await?;
        let leases = leased(&store, &["a", "b", "c"]).await?;
        schema.run("ALTER TABLE checkout.checkout ADD CHECK (hold <> 'bad')").await?;
        let (good, bad) = (held("good"), held("bad"));
        let (a, b, c) = tokio::join!(
            store.write(&leases[0], &good),
            store.write(&leases[1], &bad),
            store.write(&leases[2], &good),
        );
        assert_eq!((a?, c?), (Written::Done, Written::Done));
        assert_eq!(b.as_ref().err().and_then(code), Some("23514"), "{b:?}");
        let of = "SELECT count(*) FROM checkout.checkout WHERE hold";
        assert_eq!(schema.number(&format!("{of} = 'good'")).await?, 2);
        assert_eq!(schema.number(&format!("{of} IS NULL")).await?, 1);
        // The lease of the refused write goes on.
        assert_eq!(store.write(&leases[1], &good).await?, Written::Done);
        Ok(())
    })
}

#[test]
fn a_write_whose_row_somebody_holds_keeps_no_other_write_waiting() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    one_thread().block_on(async {
        let schema = Schema::new().await?;
        let url = url();
        let joint = if url.contains('?') { '&' } else { '?' };
        let hasty = format!("{url}{joint}options=-cstatement_timeout%3D20000");
        let store = schema.options().connect(&hasty).await?;
        schema.stand().await?;
        for table in ["checkout", "work"] {
            let ids = ["a", "b", "c", "d", "e"].map(|id| format!("{table} {id}"));
            let leases = leased(&store, &ids.each_ref().map(String::as_str)).await?;
            let mut other = client_of(&url).await?;
            let held = other.transaction().await?;
            let hold = schema.sql(&format!("SELECT FROM checkout.{table} WHERE id < '{table} d' FOR UPDATE"));
            held.execute(&hold, &[]).await?;
            let pid: i32 = held.query_one("SELECT pg_backend_pid()", &[]).await?.try_get(0)?;
            let waiting =
                format!("SELECT count(*) FROM pg_stat_activity WHERE {pid} = ANY (pg_blocking_pids(pid))");
            // A write that leaves the checkout's row as it is does not wait for the row.
            let row = |id: &str| (table == "checkout").then(|| checkout(id));
            let write = |number: usize| {
                let (own, lease) = (store.clone(), leases[number].clone());
                let write = Write { checkout: row(&lease.id), ..after(LEASE) };
                tokio::spawn(async move { own.write(&lease, &write).await })
            };
            // One by one, then one together with others.
            let mut stuck = Vec::new();
            for number in [0, 1] {
                stuck.push(write(number));
                while schema.number(&waiting).await? < i64::try_from(stuck.len())? {}
            }
            stuck.push(write(2));
            let (fourth, fifth) = (write(3), write(4));
            assert_eq!((fourth.await??, fifth.await??), (Written::Done, Written::Done));
            assert!(stuck.iter().all(|write| !write.is_finished()));
            held.rollback().await?;
            for write in stuck {
                assert_eq!(write.await??, Written::Done);
            }
        }
        Ok(())
    })
}

/// A write that leaves the checkout's row as it is locks the work alone. So a nudge may have the row already.
#[test]
fn a_write_and_a_nudge_in_between_lose_nothing() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    runtime().block_on(async {
        let schema = Schema::new().await?;
        let store = schema.standing().await?;
        let nudge = schema.sql("SELECT checkout.nudge($1, NULL, NULL, NULL, '{}', '{}')");
        let row = schema.sql("SELECT FROM checkout.checkout WHERE id = $1 FOR NO KEY UPDATE");
        let due = || after(Duration::from_secs(60));
        let answered = || Write { read: ReadMade::Answered, ..due() };
        let ended = || Write { next: Next::Ended { watch: "w".to_owned() }, ..due() };
        // Has the checkout a nudge before, has the other one nudged before the write, does the write wait?
        for (id, is_nudged, is_first, write, waits) in [
            ("a", false, false, due(), false),
            ("b", false, true, due(), true),
            ("c", false, false, answered(), false),
            ("d", true, false, answered(), true),
            ("e", false, false, ended(), true),
            ("f", false, true, ended(), true),
        ] {
            add(&store, id).await?;
            if is_nudged {
                schema.client.execute(&nudge, &[&id]).await?;
            }
            let lease = claim(&store, 1).await?.due.remove(0).lease;
            let mut other = client_of(&url()).await?;
            let other = other.transaction().await?;
            let pid: i32 = other.query_one("SELECT pg_backend_pid()", &[]).await?.try_get(0)?;
            let waiting =
                format!("SELECT count(*) FROM pg_stat_activity WHERE {pid} = ANY (pg_blocking_pids(pid))");
            // Of two that wait for each other, the server ends this one.
            other.batch_execute("SET LOCAL deadlock_timeout = '10ms'").await?;
            other.execute(if is_first { &nudge } else { &row }, &[&id]).await?;
            let own = store.clone();
            let write = tokio::spawn(async move { own.write(&lease, &write).await });
            while if waits { schema.number(&waiting).await? == 0 } else { !write.is_finished() } {
                assert!(!waits || !write.is_finished(), "{id} has not waited");
                assert!(waits || schema.number(&waiting).await? == 0, "{id} waits");
            }
            if !is_first {
                other.execute(&nudge, &[&id]).await?;
            }
            other.commit().await?;
            assert_eq!(write.await??, Written::Done, "{id}");
            let claimed = claim(&store, 9).await?;
            let seen: Vec<_> =
                claimed.due.iter().map(|due| (&*due.lease.id, due.nudged, &*due.watch)).collect();
            assert_eq!(seen, [(id, true, "w")]);
        }
        Ok(())
    })
}

#[test]
fn a_decision_that_ends_the_work_keeps_the_watch_of_the_write_before() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    runtime().block_on(async {
        let schema = Schema::new().await?;
        let store = schema.standing().await?;
        let lease = leased(&store, &["a"]).await?.remove(0);
        let mut other = client_of(&url()).await?;
        let other = other.transaction().await?;
        let pid: i32 = other.query_one("SELECT pg_backend_pid()", &[]).await?.try_get(0)?;
        let waits = format!(
            "WITH RECURSIVE behind (pid) AS (SELECT {pid} UNION SELECT a.pid FROM pg_stat_activity a, behind b \
             WHERE b.pid = ANY (pg_blocking_pids(a.pid))) SELECT count(*) - 1 FROM behind"
        );
        let work = schema.sql("SELECT FROM checkout.work WHERE id = 'a' FOR UPDATE");
        other.execute(&work, &[]).await?;
        // The write waits for the work, and the decision behind the write.
        let own = store.clone();
        let write = tokio::spawn(async move { own.write(&lease, &after(Duration::from_secs(60))).await });
        while schema.number(&waits).await? < 1 {}
        let (own, seen) = (store.clone(), Store::checkout(&store, "a").await?.expect("a checkout"));
        let decision = tokio::spawn(async move {
            let (act, by, reason) = ("close", "ann", "paid in cash");
            let decision = Decision { checkout: &seen, work: false, news: Vec::new(), act, by, reason };
            own.decide(&decision).await
        });
        while schema.number(&waits).await? < 2 {}
        other.commit().await?;
        assert_eq!((write.await??, decision.await??), (Written::Done, Written::Done));
        assert_eq!(schema.number("SELECT count(*) FROM checkout.work").await?, 0);
        let nudge = Nudge { target: Target::Id("a"), event: &[] };
        assert!(matches!(store.nudge(&nudge).await?, Nudged::Queued { .. }));
        let claimed = claim(&store, 9).await?;
        assert_eq!(claimed.due.iter().map(|due| &*due.watch).collect::<Vec<_>>(), ["w"]);
        Ok(())
    })
}

#[test]
fn nudges_with_keys_in_common_wait_in_order_and_each_event_is_noted_once() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    runtime().block_on(async {
        const EVENTS: usize = 12;
        let schema = Schema::new().await?;
        let store = schema.options().connections(12).connect(&url()).await?;
        let ids = ["a", "b", "c", "d", "e", "f"];
        for id in ids {
            add(&store, id).await?;
        }
        let mut queued = 0;
        for event in 0..EVENTS {
            let mut tasks = Vec::new();
            for (turn, id) in ids.into_iter().enumerate() {
                let store = store.clone();
                tasks.push(tokio::spawn(async move {
                    // All have the third key, and each has others in another order.
                    let key = |n: usize| Key::allscale_transaction("shop", &format!("{event} {n}"), LEASE);
                    let keys = [key((turn * 2) % 5), key(2), key((turn + 4) % 5)];
                    store.nudge(&Nudge { target: Target::Id(id), event: &keys }).await
                }));
            }
            for task in tasks {
                match task.await?? {
                    Nudged::Queued { .. } => queued += 1,
                    Nudged::Pending => {}
                    other @ (Nudged::Done | Nudged::Unmatched) => panic!("{other:?}"),
                }
            }
        }
        assert_eq!(queued, EVENTS);
        assert_eq!(schema.number("SELECT sum(nudges)::bigint FROM checkout.checkout").await?, 12);
        Ok(())
    })
}
