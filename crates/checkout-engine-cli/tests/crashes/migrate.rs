//! Migrations whose process dies: before and after, at every object of the schema, and within the commit.

use super::points::Case;
use super::shop::{Database, open_postgres, open_sqlite};
use super::weather::{BEGINNING, Folder};
use super::{Outcome, Process, SIGXFSZ, death, died, start};
use checkout_engine::Store;
use checkout_store_postgres::deadpool_postgres::tokio_postgres::{Client, NoTls, connect};
use checkout_tables::Moment;
use std::path::Path;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(30);
/// The header of a log has less.
const BLOCK: u64 = 512;

/// The act of a process: opens the database, and so migrates an empty one.
pub(crate) async fn open(database: &Database, case: &Case) -> Outcome {
    case.point("migrate", "before");
    match database {
        Database::Sqlite(path) => drop(open_at_the_beginning(path)?),
        Database::Postgres { url, schema } => drop(open_postgres(url, schema, false).await?),
    }
    case.point("migrate", "after");
    Ok(())
}

fn open_at_the_beginning(path: &Path) -> Outcome<checkout_store_sqlite::Sqlite> {
    open_sqlite(&path.to_owned(), || Moment::from_unix_millis(BEGINNING))
}

fn opener(database: &Database, case: Option<&Case>, blocks: Option<u64>) -> Outcome<Process> {
    let mut variables = vec![(super::stage::OPENED, database.text())];
    variables.extend(case.map(|case| (super::points::VARIABLE, case.text())));
    start(super::stage::PROCESS, &variables, blocks)
}

fn runtime() -> Outcome<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}

/// The schema of a file, in words.
fn described(path: &Path) -> Outcome<Vec<(String, String)>> {
    let file = rusqlite::Connection::open(path)?;
    let check: String = file.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    let version: i64 = file.query_row("SELECT max(version) FROM checkout_schema", [], |row| row.get(0))?;
    let mut objects =
        file.prepare("SELECT type || ' ' || name, ifnull(sql, '') FROM sqlite_schema ORDER BY 1")?;
    let objects = objects.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut objects: Vec<(String, String)> = objects.collect::<Result<_, _>>()?;
    objects.push((format!("version {version}"), check));
    Ok(objects)
}

#[test]
fn a_file_opens_wherever_the_process_dies_that_makes_its_tables() -> Outcome {
    let folder = Folder::new("crashes-migrate")?;
    let clean = folder.path("clean.db");
    drop(open_at_the_beginning(&clean)?);
    let clean = described(&clean)?;
    runtime()?.block_on(async {
        for case in Case::of(&[("migrate", &[1])]) {
            let path = folder.path(&format!("{}.db", case.side));
            death(opener(&Database::Sqlite(path.clone()), Some(&case), None)?, PATIENCE).await?;
            if case.is_after() && described(&path)? != clean {
                return Err("an answered migration is not there".into());
            }
            opens(&path, &clean).await?;
        }
        // The process dies where one of its files grows over a size. A part of the tables is in the log then.
        let (mut blocks, mut within) = (0, 0);
        loop {
            let path = folder.path(&format!("blocks-{blocks}.db"));
            let process = opener(&Database::Sqlite(path.clone()), None, Some(blocks))?;
            if !died(process, PATIENCE, SIGXFSZ).await? {
                break;
            }
            let log = std::fs::metadata(path.with_extension("db-wal")).map_or(0, |log| log.len());
            within += u32::from(log > BLOCK);
            opens(&path, &clean).await.map_err(|error| format!("{blocks} blocks: {error}"))?;
            blocks += 29;
        }
        println!("a file: {within} deaths within the commit");
        if within < 3 {
            return Err(format!("{within} deaths within the commit").into());
        }
        Ok(())
    })
}

/// The next process opens, and the tables are as a process makes them that does not die.
async fn opens(path: &Path, clean: &[(String, String)]) -> Outcome {
    let store = open_at_the_beginning(path)?;
    store.figures().await?;
    drop(store);
    let found = described(path)?;
    if found == clean { Ok(()) } else { Err(format!("{found:?}").into()) }
}

#[test]
fn a_schema_opens_wherever_the_process_dies_that_makes_its_tables() -> Outcome {
    let Ok(url) = std::env::var("CHECKOUT_TEST_POSTGRES") else {
        println!("not run over PostgreSQL: CHECKOUT_TEST_POSTGRES is not set");
        return Ok(());
    };
    let schema = format!("checkout_migrate_{}", std::process::id());
    runtime()?.block_on(async {
        let (holder, watcher) = (client(&url).await?, client(&url).await?);
        let played = wherever_it_dies(&url, &schema, &holder, &watcher).await;
        holder.batch_execute("ROLLBACK").await?;
        watcher.batch_execute(&format!("DROP SCHEMA IF EXISTS {schema} CASCADE")).await?;
        played
    })
}

async fn wherever_it_dies(url: &str, schema: &str, holder: &Client, watcher: &Client) -> Outcome {
    let database = Database::Postgres { url: url.to_owned(), schema: schema.to_owned() };
    let drop_schema = format!("DROP SCHEMA IF EXISTS {schema} CASCADE");
    watcher.batch_execute(&drop_schema).await?;
    drop(open_postgres(url, schema, false).await?);
    let clean = described_by(watcher, schema).await?;
    for case in Case::of(&[("migrate", &[1])]) {
        watcher.batch_execute(&drop_schema).await?;
        death(opener(&database, Some(&case), None)?, PATIENCE).await?;
        if case.is_after() && described_by(watcher, schema).await? != clean {
            return Err("an answered migration is not there".into());
        }
        drop(open_postgres(url, schema, false).await?);
        is_clean(watcher, schema, &clean, &case.text()).await?;
    }
    // The test makes an object of the same name, and does not commit. The migration waits there.
    let text = checkout_store_postgres::print(schema, 0)?;
    let mut objects = Vec::new();
    for kind in ["TABLE", "SEQUENCE", "VIEW"] {
        for made in text.split(&format!("\nCREATE {kind} ")).skip(1) {
            objects.push((kind, made.split([' ', ';', '(']).next().unwrap_or_default().to_owned()));
        }
    }
    for (kind, name) in &objects {
        watcher.batch_execute(&format!("{drop_schema}; CREATE SCHEMA {schema}")).await?;
        let body = match *kind {
            "TABLE" => " ()",
            "VIEW" => " AS SELECT 1 AS one",
            _ => "",
        };
        holder.batch_execute(&format!("BEGIN; CREATE {kind} {name}{body}")).await?;
        let mut process = opener(&database, None, None)?;
        let waits = waiter(holder, watcher).await?;
        // Another process has come meanwhile, and waits for the first.
        let (other_url, other_schema) = (url.to_owned(), schema.to_owned());
        let other =
            tokio::spawn(async move { open_postgres(&other_url, &other_schema, false).await.map(drop) });
        process.kill()?;
        // The statements go on in the database, and nobody commits them.
        holder.batch_execute("ROLLBACK").await?;
        gone(watcher, waits).await?;
        other.await??;
        is_clean(watcher, schema, &clean, name).await?;
    }
    println!("a schema: {} deaths within the migration", objects.len());
    if objects.len() < 5 { Err("no objects were found".into()) } else { Ok(()) }
}

async fn is_clean(watcher: &Client, schema: &str, clean: &[String], when: &str) -> Outcome {
    let found = described_by(watcher, schema).await?;
    if found == clean { Ok(()) } else { Err(format!("{when}: {found:?}").into()) }
}

async fn client(url: &str) -> Outcome<Client> {
    let (client, connection) = connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// The schema, in words. Without one: nothing.
async fn described_by(watcher: &Client, schema: &str) -> Outcome<Vec<String>> {
    let select = "SELECT format('column %s.%s %s', table_name, column_name, data_type)
             FROM information_schema.columns WHERE table_schema = $1
         UNION ALL SELECT format('index %s %s', indexname, indexdef) FROM pg_indexes WHERE schemaname = $1
         UNION ALL SELECT format('view %s %s', viewname, definition) FROM pg_views WHERE schemaname = $1
         UNION ALL SELECT format('function %s %s', p.oid::regprocedure, p.prosrc)
             FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE nspname = $1
         UNION ALL SELECT format('relation %s %s', c.relname, c.relkind)
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE nspname = $1
         UNION ALL SELECT format('trigger %s', t.tgname)
             FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
             JOIN pg_namespace n ON n.oid = c.relnamespace WHERE nspname = $1
         ORDER BY 1";
    let rows = watcher.query(select, &[&schema]).await?;
    let mut lines: Vec<String> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    if !lines.is_empty() {
        let version = format!("SELECT version, oldest FROM {schema}.schema_version");
        for row in watcher.query(&version, &[]).await? {
            lines.push(format!("version {} {}", row.try_get::<_, i64>(0)?, row.try_get::<_, i64>(1)?));
        }
    }
    Ok(lines)
}

/// Waits until a process of the database waits for what `holder` has, and returns its number.
pub(crate) async fn waiter(holder: &Client, watcher: &Client) -> Outcome<i32> {
    let pid: i32 = holder.query_one("SELECT pg_backend_pid()", &[]).await?.try_get(0)?;
    let waits = "SELECT pid FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))";
    let begin = Instant::now();
    loop {
        if let Some(row) = watcher.query(waits, &[&pid]).await?.first() {
            return Ok(row.try_get(0)?);
        }
        if begin.elapsed() > PATIENCE {
            return Err("nobody waits".into());
        }
    }
}

/// Waits until a process of the database has ended.
pub(crate) async fn gone(watcher: &Client, pid: i32) -> Outcome {
    let begin = Instant::now();
    while watcher.query_opt("SELECT pid FROM pg_stat_activity WHERE pid = $1", &[&pid]).await?.is_some() {
        if begin.elapsed() > PATIENCE {
            return Err("the database's process does not end".into());
        }
    }
    Ok(())
}
