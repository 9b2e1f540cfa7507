//! What is wrong with a file is said clearly, and nothing is lost.
#![allow(clippy::wildcard_enum_match_arm, reason = "tests")]

mod folder;

use checkout_engine::{
    Ask, Checkout, Filter, Inserted, New, Next, Provider, ReadMade, State, Store, StoreError, Write, Written,
};
use checkout_store_sqlite::{Sqlite, print_migrations};
use checkout_tables::{Environment, Moment};
use folder::Folder;
use pollster::block_on;
use rusqlite::Connection;
use std::error::Error;
use std::future::Future;
use std::path::Path;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use std::{env, fs};

type Outcome = Result<(), Box<dyn Error>>;

fn row(id: &str) -> Checkout {
    Checkout {
        id: id.to_owned(),
        provider: Provider::Azotte,
        merchant: "z".to_owned(),
        environment: Environment::Live,
        state: State::Open,
        reference: format!("of {id}"),
        checkout_id: None,
        page: Some("https://pay.example/secret".into()),
        hold: None,
        notes: "{}".into(),
        version: 0,
        created_at: Moment::from_unix_millis(0),
        changed_at: Moment::from_unix_millis(0),
    }
}

async fn insert(store: &Sqlite, id: &str) -> Result<Inserted, StoreError> {
    store.insert(&New { checkout: &row(id), watch: "", lease: Duration::ZERO }).await
}

async fn claim(store: &Sqlite, max: usize) -> Result<Vec<String>, StoreError> {
    let lanes = ["azotte/z".to_owned()];
    let claimed = store.claim(&Ask { lanes: &lanes, max, lease: Duration::from_secs(30) }).await?;
    Ok(claimed.due.into_iter().map(|due| due.lease.id).collect())
}

fn ids(path: &Path) -> rusqlite::Result<Vec<String>> {
    let shop = Connection::open(path)?;
    let mut all = shop.prepare("SELECT id FROM checkout ORDER BY id")?;
    all.query_map([], |row| row.get(0))?.collect()
}

/// The text of settings that cannot be used.
fn settings(opened: Result<Sqlite, StoreError>) -> Result<String, String> {
    match opened {
        Err(StoreError::Settings(text)) => Ok(text),
        other => Err(format!("{other:?}")),
    }
}

#[test]
fn a_directory_is_named_and_is_no_database() -> Outcome {
    let folder = Folder::new("directory")?;
    let path = folder.file("shop");
    fs::create_dir(&path)?;
    assert_eq!(settings(Sqlite::open(&path))?, format!("{}: a directory, and no database", path.display()));
    Ok(())
}

#[test]
fn a_file_in_a_missing_folder_is_named() -> Outcome {
    let folder = Folder::new("missing")?;
    let path = folder.file("none/shop.db");
    let text = settings(Sqlite::open(&path))?;
    assert!(text.starts_with(&*path.to_string_lossy()) && text.contains("unable to open"), "{text}");
    Ok(())
}

#[test]
fn a_file_that_is_no_database_is_left_as_it_is() -> Outcome {
    let folder = Folder::new("text")?;
    let path = folder.file("orders.csv");
    let text = "id,amount\n".repeat(500);
    fs::write(&path, &text)?;
    let said = settings(Sqlite::open(&path))?;
    assert!(said.starts_with(&*path.to_string_lossy()) && said.contains("not a database"), "{said}");
    assert_eq!(fs::read_to_string(&path)?, text);
    Ok(())
}

#[test]
fn a_table_of_the_shop_with_an_engine_s_name_is_named_and_left_as_it_is() -> Outcome {
    let folder = Folder::new("clash")?;
    let path = folder.file("shop.db");
    let shop = Connection::open(&path)?;
    shop.execute_batch("CREATE TABLE checkout_news (mine TEXT); INSERT INTO checkout_news VALUES ('1')")?;
    let text = settings(Sqlite::open(&path))?;
    assert!(text.contains("table checkout_news already exists"), "{text}");
    let tables: i64 = shop.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let mine: String = shop.query_row("SELECT mine FROM checkout_news", [], |row| row.get(0))?;
    assert_eq!((tables, &*mine), (1, "1"));
    Ok(())
}

#[test]
fn a_newer_schema_is_refused_and_an_older_one_without_migration() -> Outcome {
    let folder = Folder::new("schema")?;
    let path = folder.file("shop.db");
    let older = Sqlite::builder(&path).migrate(false).open();
    assert!(matches!(older, Err(StoreError::OlderSchema { found: 0, known: 1 })), "{older:?}");
    Connection::open(&path)?.execute_batch(&print_migrations(0)?)?;
    drop(Sqlite::builder(&path).migrate(false).open()?);
    Connection::open(&path)?.execute("INSERT INTO checkout_schema (version, oldest) VALUES (99, 2)", [])?;
    for migrate in [true, false] {
        let newer = Sqlite::builder(&path).migrate(migrate).open();
        assert!(matches!(newer, Err(StoreError::NewerSchema { found: 99, known: 1 })), "{newer:?}");
    }
    Ok(())
}

/// A lease is out, and each statement has run, when a newer program adds to the schema.
#[test]
fn a_program_at_work_goes_on_when_a_newer_program_adds_to_the_schema() -> Outcome {
    let folder = Folder::new("newer")?;
    let path = folder.file("shop.db");
    let store = Sqlite::open(&path)?;
    let lanes = ["azotte/z".to_owned()];
    let ask = Ask { lanes: &lanes, max: 9, lease: Duration::from_secs(30) };
    let newer = Connection::open(&path)?;
    block_on(async {
        insert(&store, "a").await?;
        for round in 0..3 {
            let claimed = store.claim(&ask).await?;
            assert_eq!(claimed.due.len(), 1 + round);
            if round == 1 {
                newer.execute_batch(
                    "BEGIN IMMEDIATE;
                     ALTER TABLE checkout ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm';
                     ALTER TABLE checkout_work ADD COLUMN more INTEGER;
                     INSERT INTO checkout_schema (version, oldest) VALUES (2, 1);
                     COMMIT;",
                )?;
            }
            for due in &claimed.due {
                let next = Next::Due { after: Duration::ZERO, watch: "w".to_owned() };
                let (checkout, read) = (Some(row(&due.lease.id)), ReadMade::Sent);
                let write = Write { checkout, next, read, lane_wait: None, news: Vec::new() };
                assert_eq!(store.write(&due.lease, &write).await?, Written::Done);
            }
            insert(&store, &format!("b{round}")).await?;
        }
        assert_eq!(store.list(&Filter { limit: 9, ..Filter::default() }).await?.len(), 4);
        Ok(())
    })
}

#[test]
fn a_full_disk_is_said_and_what_was_answered_is_there() -> Outcome {
    let folder = Folder::new("full")?;
    let path = folder.file("shop.db");
    drop(Sqlite::open(&path)?);
    let pages: u32 = Connection::open(&path)?.query_row("PRAGMA page_count", [], |row| row.get(0))?;
    let store = Sqlite::builder(&path).max_pages(pages + 20).open()?;
    let mut answered = Vec::new();
    let error = loop {
        let id = format!("{:05}", answered.len());
        match block_on(insert(&store, &id)) {
            Ok(_) => answered.push(id),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StoreError::ReadOnly(_)), "{error:?}");
    assert!(answered.len() > 20, "{}", answered.len());
    assert_eq!(
        block_on(store.list(&Filter { limit: usize::MAX, ..Filter::default() }))?.len(),
        answered.len()
    );
    drop(store);
    assert_eq!(ids(&path)?, answered);
    let whole: String = Connection::open(&path)?.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    assert_eq!(whole, "ok");
    let roomy = Sqlite::open(&path)?;
    block_on(insert(&roomy, "more"))?;
    assert_eq!(block_on(claim(&roomy, 9_999))?.len(), answered.len() + 1);
    Ok(())
}

#[test]
fn a_lock_that_another_holds_is_said_and_what_waited_is_done_later() -> Outcome {
    let folder = Folder::new("locked")?;
    let path = folder.file("shop.db");
    let store = Sqlite::builder(&path).patience(Duration::ZERO).open()?;
    let shop = Connection::open(&path)?;
    shop.execute_batch("BEGIN IMMEDIATE")?;
    let error = block_on(insert(&store, "one")).unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("database is locked"));
    // A read waits for nobody.
    assert_eq!(block_on(store.checkout("one"))?, None);
    shop.execute_batch("ROLLBACK")?;
    assert!(matches!(block_on(insert(&store, "one"))?, Inserted::Fresh(..)));
    Ok(())
}

#[test]
fn a_row_that_cannot_be_read_names_its_field_and_stands_in_nobody_s_way() -> Outcome {
    for (set, field) in [
        ("state = 'paid'", "state"),
        ("provider = 'stripe'", "provider"),
        ("environment = 'test'", "environment"),
        ("notes = CAST(x'ff' AS TEXT)", "notes"),
        ("page = CAST(x'c328' AS TEXT)", "page"),
        ("watch = CAST(x'ff' AS TEXT)", "watch"),
    ] {
        let folder = Folder::new("corrupt")?;
        let path = folder.file("shop.db");
        let now = || Moment::from_unix_millis(1_000_000);
        let store = Sqlite::builder(&path).clock(now).open()?;
        for id in ["a", "b", "c"] {
            block_on(insert(&store, id))?;
        }
        let table = if field == "watch" { "checkout_work" } else { "checkout" };
        Connection::open(&path)?.execute(&format!("UPDATE {table} SET {set} WHERE id = 'a'"), [])?;
        let named = |error: StoreError| match error {
            StoreError::Corrupt { id, field } => format!("{id}.{field}"),
            other => other.to_string(),
        };
        if field != "watch" {
            assert_eq!(block_on(store.checkout("a")).map_err(named).unwrap_err(), format!("a.{field}"));
        }
        assert_eq!(block_on(claim(&store, 9)).map_err(named).unwrap_err(), format!("a.{field}"));
        assert_eq!(block_on(claim(&store, 9))?, ["b", "c"], "{set}");
    }
    Ok(())
}

/// Lets every future ask its question, in this order, while the lock is held.
fn ask<F: Future>(futures: &mut [Pin<Box<F>>]) {
    let mut context = Context::from_waker(Waker::noop());
    for future in futures {
        assert!(matches!(future.as_mut().poll(&mut context), Poll::Pending));
    }
}

#[test]
fn an_operation_that_fails_among_others_undoes_itself_alone() -> Outcome {
    let folder = Folder::new("group")?;
    let path = folder.file("shop.db");
    let store = Sqlite::open(&path)?;
    let shop = Connection::open(&path)?;
    // The work is the last that an insert adds.
    shop.execute_batch(
        "CREATE TRIGGER refuses BEFORE INSERT ON checkout_work WHEN NEW.id LIKE '%3'
            BEGIN SELECT RAISE(ABORT, 'refused'); END;
        BEGIN IMMEDIATE",
    )?;
    let names: Vec<String> = (0..20).map(|number| format!("{number:02}")).collect();
    let mut futures: Vec<_> = names.iter().map(|id| Box::pin(insert(&store, id))).collect();
    ask(&mut futures);
    shop.execute_batch("ROLLBACK")?;
    for (id, future) in names.iter().zip(futures) {
        assert_eq!(block_on(future).is_err(), id.ends_with('3'), "{id}");
    }
    let kept: Vec<_> = names.into_iter().filter(|id| !id.ends_with('3')).collect();
    assert_eq!(ids(&path)?, kept);
    Ok(())
}

#[test]
fn an_operation_that_undoes_the_transaction_fails_those_that_were_undone() -> Outcome {
    let folder = Folder::new("undone")?;
    let path = folder.file("shop.db");
    let store = Sqlite::open(&path)?;
    let shop = Connection::open(&path)?;
    shop.execute_batch(
        "CREATE TRIGGER refuses BEFORE INSERT ON checkout_work WHEN NEW.id LIKE '%3'
            BEGIN SELECT RAISE(ROLLBACK, 'refused'); END;
        BEGIN IMMEDIATE",
    )?;
    let names: Vec<String> = (0..20).map(|number| format!("{number:02}")).collect();
    let mut futures: Vec<_> = names.iter().map(|id| Box::pin(insert(&store, id))).collect();
    ask(&mut futures);
    shop.execute_batch("ROLLBACK")?;
    let mut answered = Vec::new();
    for (id, future) in names.iter().zip(futures) {
        match block_on(future) {
            Ok(_) => answered.push(id.clone()),
            // Its own error, and of those before: again, as the fault is another's.
            Err(error) => match (id == "03" || id == "13", error) {
                (true, StoreError::Settings(text)) => assert!(text.contains("refused"), "{text}"),
                (false, StoreError::Unavailable(_)) => {}
                (_, error) => return Err(format!("{id}: {error:?}").into()),
            },
        }
    }
    assert_eq!(ids(&path)?, answered);
    assert!(!answered.contains(&"13".to_owned()) && answered.contains(&"19".to_owned()), "{answered:?}");
    Ok(())
}

#[test]
fn what_nobody_waits_for_any_longer_is_not_begun() -> Outcome {
    let folder = Folder::new("dropped")?;
    let path = folder.file("shop.db");
    let store = Sqlite::open(&path)?;
    let shop = Connection::open(&path)?;
    shop.execute_batch("BEGIN IMMEDIATE")?;
    let mut futures: Vec<_> = ["a", "b"].iter().map(|id| Box::pin(insert(&store, id))).collect();
    ask(&mut futures);
    drop(futures);
    shop.execute_batch("ROLLBACK")?;
    block_on(insert(&store, "c"))?;
    assert_eq!(ids(&path)?, ["c"]);
    Ok(())
}

#[test]
fn the_drop_of_a_store_waits_for_what_was_asked() -> Outcome {
    let folder = Folder::new("last")?;
    let path = folder.file("shop.db");
    let store = Sqlite::open(&path)?;
    let mut futures: Vec<_> = (0..50)
        .map(|number| {
            let store = store.clone();
            Box::pin(async move { insert(&store, &number.to_string()).await.map(drop) })
        })
        .collect();
    let mut context = Context::from_waker(Waker::noop());
    let pending = futures.iter_mut().filter_map(|future| match future.as_mut().poll(&mut context) {
        Poll::Pending => None,
        Poll::Ready(done) => Some(done),
    });
    pending.collect::<Result<Vec<()>, _>>()?;
    drop(store);
    for future in futures {
        block_on(pin!(future)).or_else(|_| Ok::<_, StoreError>(()))?;
    }
    assert_eq!(ids(&path)?.len(), 50);
    Ok(())
}

#[test]
fn a_clock_that_panics_is_an_error_and_no_endless_wait() -> Outcome {
    let folder = Folder::new("panic")?;
    let path = folder.file("shop.db");
    let store = Sqlite::builder(&path).clock(|| panic!("no clock")).open()?;
    for _ in 0..2 {
        let error = block_on(insert(&store, "a")).unwrap_err();
        assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    }
    drop(store);
    assert_eq!(ids(&path)?, [""; 0]);
    Ok(())
}

/// The rights of a file bind everybody but root, so the check runs as somebody else.
#[cfg(unix)]
#[test]
fn a_read_only_file_is_said_and_left_as_it_is() -> Outcome {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    use std::os::unix::process::CommandExt as _;

    if let Ok(path) = env::var("CHECKOUT_READ_ONLY") {
        let opened = Sqlite::open(&path);
        assert!(matches!(opened, Err(StoreError::ReadOnly(_))), "{opened:?}");
        return Ok(());
    }
    let folder = Folder::new("read-only")?;
    let path = folder.file("shop.db");
    let store = Sqlite::open(&path)?;
    assert_eq!(fs::metadata(&path)?.permissions().mode() & 0o777, 0o600);
    block_on(insert(&store, "a"))?;
    drop(store);
    let before = fs::read(&path)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o444))?;
    let parent = path.parent().ok_or("no folder")?;
    fs::set_permissions(parent, fs::Permissions::from_mode(0o777))?;
    let program = folder.file("test");
    fs::copy(env::current_exe()?, &program)?;
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
    let mut child = std::process::Command::new(&program);
    child.args(["--exact", "a_read_only_file_is_said_and_left_as_it_is"]);
    child.env("CHECKOUT_READ_ONLY", &path).current_dir(parent);
    if fs::metadata(parent)?.uid() == 0 {
        child.uid(65_534).gid(65_534);
    }
    let output = child.output()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
    assert_eq!(fs::read(&path)?, before);
    Ok(())
}
