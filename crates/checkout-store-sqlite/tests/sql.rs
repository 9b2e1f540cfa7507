//! What a shop and its people do with SQL alone.

mod folder;

use checkout_engine::{
    Ask, Checkout, ClaimedNews, Filter, Inserted, Lane, New, News, Next, Nudge, Nudged, Provider, ReadMade,
    State, Store, StoreError, Subject, Target, Write, Written,
};
use checkout_store_sqlite::{MIGRATIONS, Sqlite, TAKE_NEWS, WATCH, print_migrations};
use checkout_tables::{Environment, Moment, RateLimit, RateScope};
use folder::Folder;
use pollster::block_on;
use rusqlite::{Connection, params};
use std::error::Error;
use std::time::Duration;

type Outcome = Result<(), Box<dyn Error>>;

const NOW: i64 = 1_716_501_000_000;

fn open(folder: &Folder) -> Result<(Sqlite, Connection), Box<dyn Error>> {
    let path = folder.file("shop.db");
    let store = Sqlite::builder(&path).clock(|| Moment::from_unix_millis(NOW)).open()?;
    Ok((store, Connection::open(&path)?))
}

fn claim(store: &Sqlite, lane: &str) -> Result<Vec<checkout_engine::Due>, Box<dyn Error>> {
    let lanes = [lane.to_owned()];
    Ok(block_on(store.claim(&Ask { lanes: &lanes, max: 9, lease: Duration::from_secs(30) }))?.due)
}

fn watch(shop: &Connection, id: &str, provider: &str, reference: &str) -> rusqlite::Result<usize> {
    let page = "https://pay.example/1";
    shop.execute(WATCH, params![id, provider, "m", "sandbox", reference, "ckt-1", page, "{\"n\":1}", NOW])
}

fn write(next: Next, news: Vec<News>) -> Write {
    Write { checkout: None, next, read: ReadMade::None, lane_wait: None, news }
}

#[test]
fn a_checkout_that_the_shop_adds_is_claimed_after_the_commit_and_not_after_a_rollback() -> Outcome {
    let folder = Folder::new("watch")?;
    let (store, mut shop) = open(&folder)?;
    shop.execute_batch("CREATE TABLE orders (id TEXT)")?;
    for (commits, expected) in [(false, 0), (true, 1)] {
        let transaction = shop.transaction()?;
        transaction.execute("INSERT INTO orders VALUES ('o-1')", [])?;
        watch(&transaction, "o-1", "peach_v2", "r-1")?;
        if commits {
            transaction.commit()?
        } else {
            transaction.rollback()?
        }
        assert_eq!(claim(&store, "peach/m")?.len(), expected);
    }
    let found = block_on(store.checkout("o-1"))?.ok_or("no row")?;
    let expected = Checkout {
        id: "o-1".to_owned(),
        provider: Provider::PeachV2,
        merchant: "m".to_owned(),
        environment: Environment::Sandbox,
        state: State::Open,
        reference: "r-1".to_owned(),
        checkout_id: Some("ckt-1".to_owned()),
        page: Some("https://pay.example/1".into()),
        hold: None,
        notes: "{\"n\":1}".into(),
        version: 1,
        created_at: Moment::from_unix_millis(NOW),
        changed_at: Moment::from_unix_millis(NOW),
    };
    assert!(found == expected);
    let target = Target::Named { lane: "peach/m", checkout_id: Some("ckt-1"), reference: None };
    let nudged = block_on(store.nudge(&Nudge { target, event: &[] }))?;
    assert_eq!(nudged, Nudged::Queued { id: "o-1".to_owned() });
    Ok(())
}

#[test]
fn a_checkout_that_is_there_or_of_no_provider_is_not_added() -> Outcome {
    let folder = Folder::new("watch-bad")?;
    let (store, shop) = open(&folder)?;
    watch(&shop, "o-1", "azotte", "r-1")?;
    for (id, provider, reference, says) in [
        ("o-1", "azotte", "r-2", "there is a checkout with this id or reference"),
        ("o-2", "azotte", "r-1", "there is a checkout with this id or reference"),
        ("o-2", "stripe", "r-2", "provider: allscale, azotte, peach or peach_v2"),
    ] {
        let error = watch(&shop, id, provider, reference).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
    }
    for missing in ["id", "provider", "merchant", "environment", "reference", "notes", "at"] {
        let with = |column: &str| if column == missing { "NULL" } else { "'azotte'" };
        let values = ["id", "provider", "merchant", "reference", "notes"].map(with).join(", ");
        let at = if missing == "at" { "NULL" } else { "1" };
        let environment = if missing == "environment" { "NULL" } else { "'live'" };
        let sql = format!(
            "INSERT INTO checkout_watch (id, provider, merchant, reference, notes, at, environment)
             VALUES ({values}, {at}, {environment})"
        );
        assert!(shop.execute(&sql, []).unwrap_err().to_string().contains("NOT NULL"), "{missing}");
    }
    shop.execute(
        &WATCH.replace("INSERT", "INSERT OR IGNORE"),
        params!["o-1", "azotte", "m", "live", "r-9", "ckt-9", "", "{}", NOW],
    )?;
    let all = block_on(store.list(&Filter::default()))?;
    assert_eq!(all.iter().map(|one| &*one.reference).collect::<Vec<_>>(), ["r-1"]);
    assert_eq!(claim(&store, "azotte/m")?.len(), 1);
    assert_eq!(claim(&store, "azotte/m")?.len(), 0);
    Ok(())
}

/// A store with news that is claimed.
fn with_news(folder: &Folder) -> Result<(Sqlite, Connection, ClaimedNews), Box<dyn Error>> {
    let (store, shop) = open(folder)?;
    watch(&shop, "o-1", "azotte", "r-1")?;
    let due = claim(&store, "azotte/m")?.pop().ok_or("no work")?;
    let news =
        News { key: "o-1:settled".to_owned(), id: "o-1".to_owned(), subject: Subject::Settled, reason: None };
    let ended = write(Next::Ended { watch: "w".to_owned() }, vec![news]);
    assert_eq!(block_on(store.write(&due.lease, &ended))?, Written::Done);
    let claimed = block_on(store.claim_news(9, Duration::from_secs(30)))?.pop().ok_or("no news")?;
    Ok((store, shop, claimed))
}

#[test]
fn news_that_the_shop_takes_in_its_transaction_is_told_once() -> Outcome {
    let folder = Folder::new("take")?;
    let (store, mut shop, claimed) = with_news(&folder)?;
    let key = &claimed.news.key;
    let transaction = shop.transaction()?;
    assert_eq!(transaction.execute(TAKE_NEWS, [key])?, 1);
    transaction.rollback()?;
    assert_eq!(block_on(store.figures())?.news, 1);
    let transaction = shop.transaction()?;
    assert_eq!(transaction.execute(TAKE_NEWS, [key])?, 1);
    transaction.commit()?;
    assert_eq!(block_on(store.news_told(key, claimed.fence, None))?, Written::Lost);
    assert_eq!(shop.execute(TAKE_NEWS, [key])?, 0);
    assert_eq!(block_on(store.figures())?.news, 0);
    Ok(())
}

#[test]
fn an_ended_checkout_that_the_shop_adds_again_and_ignores_has_no_work() -> Outcome {
    let folder = Folder::new("watch-ended")?;
    let (store, shop, _) = with_news(&folder)?;
    for (id, reference) in [("o-1", "r-1"), ("o-1", "r-2"), ("o-2", "r-1")] {
        let values = params![id, "azotte", "m", "sandbox", reference, "ckt-1", "", "{}", NOW];
        shop.execute(&WATCH.replace("INSERT", "INSERT OR IGNORE"), values)?;
        assert_eq!(block_on(store.figures())?.work, 0, "{id} {reference}");
    }
    // The same statement adds a checkout that is new, with its work.
    let values = params!["o-2", "azotte", "m", "sandbox", "r-2", "ckt-2", "", "{}", NOW];
    shop.execute(&WATCH.replace("INSERT", "INSERT OR IGNORE"), values)?;
    let claimed = claim(&store, "azotte/m")?;
    assert_eq!(claimed.iter().map(|due| &*due.lease.id).collect::<Vec<_>>(), ["o-2"]);
    Ok(())
}

#[test]
fn no_way_to_add_a_checkout_replaces_one_that_is_there_or_forgets_a_limit() -> Outcome {
    let folder = Folder::new("replace")?;
    let (store, shop) = open(&folder)?;
    let limit = Some(RateLimit { requests: 2, per_seconds: 60, scope: RateScope::Merchant });
    block_on(store.lanes(&[Lane { name: "peach/m".to_owned(), limit }]))?;
    watch(&shop, "o-1", "peach", "r-1")?;
    let dump = || -> Result<String, Box<dyn Error>> {
        let all = "SELECT (SELECT json_group_array(json_array(id, reference, page, version)) FROM checkout),
            (SELECT json_group_array(json_array(id, due, fence)) FROM checkout_work),
            (SELECT json_group_array(json_array(name, requests, per_seconds, due)) FROM checkout_lane)";
        Ok(shop
            .query_row(all, [], |row| Ok([row.get::<_, String>(0)?, row.get(1)?, row.get(2)?].join(" ")))?)
    };
    let before = dump()?;
    let page = "https://pay.example/2";
    for (id, provider, reference) in
        [("o-1", "peach", "r-2"), ("o-2", "peach_v2", "r-1"), ("o-1", "peach", "r-1")]
    {
        let values = params![id, provider, "m", "live", reference, "ckt-2", page, "{}", NOW];
        for (or, is_error) in [("", true), ("OR REPLACE ", true), ("OR ABORT ", true), ("OR IGNORE ", false)]
        {
            let added = shop.execute(&WATCH.replacen("INSERT ", &format!("INSERT {or}"), 1), values);
            assert_eq!(added.is_err(), is_error, "{or}{id} {reference}");
            if let Err(error) = added {
                let text = error.to_string();
                assert!(text.contains("there is a checkout with this id or reference"), "{or}: {text}");
            }
            assert_eq!(dump()?, before, "{or}{id} {reference}");
        }
    }
    for (or, id) in [("", "o-2"), ("OR REPLACE ", "o-3"), ("OR IGNORE ", "o-4")] {
        let values = params![id, "peach", "m", "live", id, id, page, "{}", NOW];
        shop.execute(&WATCH.replacen("INSERT ", &format!("INSERT {or}"), 1), values)?;
    }
    // The limit of the lane is as it was.
    let names = ["peach/m".to_owned()];
    let claimed = block_on(store.claim(&Ask { lanes: &names, max: 9, lease: Duration::from_secs(30) }))?;
    assert_eq!(claimed.due.len(), 2);
    Ok(())
}

#[test]
fn news_that_nobody_can_read_stands_in_no_other_news_way() -> Outcome {
    let folder = Folder::new("unreadable")?;
    let (store, shop) = open(&folder)?;
    shop.execute_batch(
        "INSERT INTO checkout_news (key, id, subject, reason, due, fence, tries) VALUES
            ('a', 'o-1', 'lost', NULL, 0, 0, 0), ('b', 'o-1', 'held', NULL, 1, 0, 0), ('c', 'o-1', 'lost', NULL, 2, 0, 0)",
    )?;
    let keys = |claimed: Vec<ClaimedNews>| -> Vec<String> {
        claimed.into_iter().map(|claimed| claimed.news.key).collect()
    };
    assert_eq!(keys(block_on(store.claim_news(9, Duration::from_secs(30)))?), ["b"]);
    shop.execute("UPDATE checkout_news SET due = 0 WHERE key <> 'b'", [])?;
    let named = block_on(store.claim_news(9, Duration::from_secs(30)));
    assert!(matches!(&named, Err(StoreError::Corrupt { id, field: "subject" }) if id == "a"), "{named:?}");
    // Put off for a lease.
    assert_eq!(keys(block_on(store.claim_news(9, Duration::from_secs(30)))?), Vec::<String>::new());
    Ok(())
}

/// The earliest due of each lane, as the triggers keep the due, against the work itself.
#[test]
fn a_lane_knows_its_earliest_due_whoever_writes_the_work() -> Outcome {
    let folder = Folder::new("lane-due")?;
    let (store, shop) = open(&folder)?;
    let same = |when: &str| -> Outcome {
        let wrong = "SELECT count(*) FROM checkout_lane AS l WHERE l.due IS NOT
                (SELECT min(w.due) FROM checkout_work AS w WHERE w.lane = l.name)
            OR EXISTS (SELECT 1 FROM checkout_work WHERE lane NOT IN (SELECT name FROM checkout_lane))";
        let wrong: i64 = shop.query_row(wrong, [], |row| row.get(0))?;
        assert_eq!(wrong, 0, "{when}");
        Ok(())
    };
    for number in 0..6 {
        watch(
            &shop,
            &format!("o-{number}"),
            if number % 2 == 0 { "peach" } else { "azotte" },
            &format!("r-{number}"),
        )?;
        same("added")?;
    }
    for lane in ["peach/m", "azotte/m"] {
        for (turn, due) in (0..).zip(claim(&store, lane)?) {
            same("claimed")?;
            let after = Duration::from_secs(60 - turn);
            let next = match turn {
                0 => Next::Ended { watch: String::new() },
                1 => Next::Back { after },
                _ => Next::Due { after, watch: String::new() },
            };
            assert_eq!(block_on(store.write(&due.lease, &write(next, Vec::new())))?, Written::Done);
            same("written")?;
        }
    }
    for change in [
        "UPDATE checkout_work SET due = due + 7 WHERE id = 'o-2'",
        "UPDATE checkout_work SET due = 5 WHERE id = 'o-4'",
        "UPDATE checkout_work SET due = 900 WHERE id = 'o-4'",
        "DELETE FROM checkout_lane",
        "INSERT INTO checkout_lane (name) VALUES ('peach/m'), ('azotte/m')",
        "DELETE FROM checkout WHERE id = 'o-4'",
        "DELETE FROM checkout_work",
    ] {
        shop.execute(change, [])?;
        if change != "DELETE FROM checkout_lane" {
            same(change)?;
        }
    }
    Ok(())
}

#[test]
fn news_that_nobody_has_claimed_is_not_told_under_a_fence_of_zero() -> Outcome {
    let folder = Folder::new("unclaimed")?;
    let (store, shop) = open(&folder)?;
    watch(&shop, "o-1", "azotte", "r-1")?;
    let due = claim(&store, "azotte/m")?.pop().ok_or("no work")?;
    let news =
        News { key: "o-1:settled".to_owned(), id: "o-1".to_owned(), subject: Subject::Settled, reason: None };
    let ended = write(Next::Ended { watch: "w".to_owned() }, vec![news]);
    assert_eq!(block_on(store.write(&due.lease, &ended))?, Written::Done);
    for again in [None, Some(Duration::from_secs(30))] {
        assert_eq!(block_on(store.news_told("o-1:settled", 0, again))?, Written::Lost);
    }
    assert_eq!(block_on(store.claim_news(9, Duration::from_secs(30)))?.len(), 1);
    Ok(())
}

#[test]
fn ended_work_leaves_its_table_in_the_commit_of_the_end() -> Outcome {
    let folder = Folder::new("ended")?;
    let (_store, shop, _) = with_news(&folder)?;
    let count = |table: &str| {
        shop.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, i64>(0))
    };
    assert_eq!((count("checkout_work")?, count("checkout_news")?, count("checkout")?), (0, 1, 1));
    Ok(())
}

#[test]
fn the_views_for_people_show_neither_a_page_nor_a_note() -> Outcome {
    let folder = Folder::new("views")?;
    let (_store, shop) = open(&folder)?;
    watch(&shop, "o-1", "azotte", "r-1")?;
    for (view, columns) in [
        (
            "checkout_overview",
            "id provider merchant environment state hold reference checkout_id created_at changed_at version \
             nudged due leased tries",
        ),
        ("checkout_due", "id lane due late_ms tries"),
        ("checkout_unmatched", "number lane checkout_id reference seen_at"),
    ] {
        let select = shop.prepare(&format!("SELECT * FROM {view}"))?;
        assert_eq!(select.column_names().join(" "), columns);
    }
    let due = "SELECT id || ' ' || lane || ' ' || due FROM checkout_due";
    let due: String = shop.query_row(due, [], |row| row.get(0))?;
    assert_eq!(due, "o-1 azotte/m 2024-05-23T21:50:00.000Z");
    let created: String = shop.query_row("SELECT created_at FROM checkout_overview", [], |row| row.get(0))?;
    assert_eq!(created, "2024-05-23T21:50:00.000Z");
    Ok(())
}

#[test]
fn a_checkout_that_is_deleted_by_hand_leaves_no_work() -> Outcome {
    let folder = Folder::new("deleted")?;
    let (store, shop) = open(&folder)?;
    watch(&shop, "o-1", "azotte", "r-1")?;
    shop.execute("DELETE FROM checkout WHERE id = 'o-1'", [])?;
    let lanes = ["azotte/m".to_owned()];
    let claimed = block_on(store.claim(&Ask { lanes: &lanes, max: 9, lease: Duration::ZERO }))?;
    assert!(claimed.due.is_empty() && claimed.next.is_none());
    let target = Target::Named { lane: "azotte/m", checkout_id: Some("ckt-1"), reference: Some("r-1") };
    assert_eq!(block_on(store.nudge(&Nudge { target, event: &[] }))?, Nudged::Unmatched);
    Ok(())
}

#[test]
fn the_printed_script_makes_the_tables_that_the_opening_makes() -> Outcome {
    let folder = Folder::new("print")?;
    let (_store, opened) = open(&folder)?;
    let printed = Connection::open_in_memory()?;
    printed.execute_batch(&print_migrations(0)?)?;
    let schema = |of: &Connection| -> rusqlite::Result<Vec<(String, Option<String>)>> {
        let mut all = of.prepare("SELECT name, sql FROM sqlite_schema ORDER BY name")?;
        all.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
    };
    assert_eq!(schema(&printed)?, schema(&opened)?);
    assert!(MIGRATIONS.iter().map(|step| step.version).eq(1..=i64::try_from(MIGRATIONS.len())?));
    Ok(())
}

#[test]
fn the_file_is_written_ahead() -> Outcome {
    let folder = Folder::new("wal")?;
    let (_store, shop) = open(&folder)?;
    let mode: String = shop.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
    assert_eq!(mode, "wal");
    Ok(())
}

#[test]
fn a_number_of_a_claim_does_not_come_back_when_the_file_is_opened_again() -> Outcome {
    let folder = Folder::new("fence")?;
    let mut last = 0;
    for number in 0..3 {
        let (store, _) = open(&folder)?;
        let (_, shop) = open(&folder)?;
        watch(&shop, &format!("o-{number}"), "azotte", &format!("r-{number}"))?;
        for due in claim(&store, "azotte/m")? {
            assert!(due.lease.fence > last);
            last = due.lease.fence;
            let next = Next::Ended { watch: String::new() };
            assert_eq!(block_on(store.write(&due.lease, &write(next, Vec::new())))?, Written::Done);
        }
        let known = block_on(store.checkout(&format!("o-{number}")))?.ok_or("no row")?;
        let again = block_on(store.insert(&New { checkout: &known, watch: "", lease: Duration::ZERO }))?;
        assert!(matches!(again, Inserted::Exists(_)));
    }
    assert_eq!(last, 3);
    Ok(())
}
