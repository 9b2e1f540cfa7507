//! The program over a store in an SQLite file, and over a store in PostgreSQL where `CHECKOUT_TEST_POSTGRES`
//! names a server.
#![allow(clippy::indexing_slicing, reason = "tests")]

use checkout_engine::{
    Checkout, Inserted, New, Next, Nudge, Nudged, Provider, ReadMade, State, Store, StoreError, Target,
    Write, Written,
};
use checkout_store_postgres::Options;
use checkout_store_sqlite::Sqlite;
use checkout_tables::{Environment, Moment};
use rusqlite::types::Value as SqlValue;
use serde_json::{Value, json};
use std::error::Error;
use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const PAGE: &str = "https://pay.example/hidden";

/// One is held, and one is not.
const TWO: &[(&str, Option<&str>)] = &[("order-1", Some("underpaid by a cent")), ("order-2", None)];

const VARIABLE: &str = "CHECKOUT_TEST_POSTGRES";

/// A place for a store, which goes with the test.
enum Place {
    /// A folder with a file.
    Sqlite(PathBuf),
    /// The URL of a server, and a schema.
    Postgres(String, String),
}

impl Place {
    fn sqlite(name: &str) -> Outcome<Self> {
        let folder = std::env::temp_dir().join(format!("checkout-cli-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        Ok(Self::Sqlite(folder))
    }

    /// None where no server is named: the test then runs nothing, and says so where nobody captures the
    /// words.
    fn postgres(name: &str) -> Option<Self> {
        let Ok(url) = std::env::var(VARIABLE) else {
            let _ = writeln!(std::io::stderr(), "{VARIABLE} is not set: this test has run nothing");
            return None;
        };
        Some(Self::Postgres(url, format!("c_{name}_{}", std::process::id())))
    }

    /// Adds checkouts that have ended, each with its hold.
    fn add(&self, checkouts: &[(&str, Option<&str>)]) -> Outcome {
        match self {
            Self::Sqlite(folder) => block_on(add(&Sqlite::open(folder.join("shop.db"))?, checkouts))?,
            Self::Postgres(url, schema) => {
                block_on(async { add(&quiet(schema).connect(url).await?, checkouts).await })?
            }
        }
    }

    /// Adds a checkout under a lease, and webhooks that name no checkout.
    fn stir(&self) -> Outcome {
        match self {
            Self::Sqlite(folder) => block_on(stir(&Sqlite::open(folder.join("shop.db"))?))?,
            Self::Postgres(url, schema) => {
                block_on(async { stir(&quiet(schema).connect(url).await?).await })?
            }
        }
    }

    /// The rows of a view, in the order of a column: moments as ISO 8601 has them, and `bools` as such.
    fn view(&self, name: &str, moments: &[&str], bools: &[&str], order: &str) -> Outcome<Value> {
        match self {
            Self::Sqlite(folder) => {
                let shop = rusqlite::Connection::open(folder.join("shop.db"))?;
                let mut rows = shop.prepare(&format!("SELECT * FROM checkout_{name} ORDER BY {order}"))?;
                let columns: Vec<String> = rows.column_names().into_iter().map(str::to_owned).collect();
                let rows = rows.query_map([], |row| {
                    let mut object = serde_json::Map::new();
                    for (place, column) in columns.iter().enumerate() {
                        let value = match row.get::<_, SqlValue>(place)? {
                            SqlValue::Integer(number) if bools.contains(&&**column) => {
                                json!(number == 1)
                            }
                            SqlValue::Integer(number) => json!(number),
                            SqlValue::Text(text) => json!(text),
                            SqlValue::Null | SqlValue::Real(_) | SqlValue::Blob(_) => Value::Null,
                        };
                        object.insert(column.clone(), value);
                    }
                    Ok(Value::Object(object))
                })?;
                Ok(Value::Array(rows.collect::<Result<_, _>>()?))
            }
            Self::Postgres(url, schema) => block_on(async {
                let iso = moments.iter().map(|column| {
                    let utc = format!("v.{column} AT TIME ZONE 'UTC'");
                    format!("'{column}', to_char({utc}, 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')")
                });
                let iso = iso.collect::<Vec<_>>().join(", ");
                let of = format!(
                    "SELECT coalesce(jsonb_agg(to_jsonb(v) || jsonb_build_object({iso}) ORDER BY {order}), '[]')::text \
                     FROM {schema}.{name} v"
                );
                let text: String = client(url).await?.query_one(&of, &[]).await?.try_get(0)?;
                Ok(serde_json::from_str(&text)?)
            })?,
        }
    }

    /// A statement of the shop's own transaction.
    fn execute(&self, sqlite: &str, postgres: &str) -> Outcome {
        match self {
            Self::Sqlite(folder) => {
                Ok(rusqlite::Connection::open(folder.join("shop.db"))?.execute_batch(sqlite)?)
            }
            Self::Postgres(url, schema) => block_on(async {
                Ok(client(url)
                    .await?
                    .batch_execute(&postgres.replace("checkout.", &format!("{schema}.")))
                    .await?)
            })?,
        }
    }

    /// The output of a command, as JSON.
    fn json(&self, arguments: &[&str]) -> Outcome<Value> {
        let (code, out, err) = self.run(&[arguments, &["--json"]].concat());
        if code == 0 { Ok(serde_json::from_str(&out)?) } else { Err(err.into()) }
    }

    fn store(&self) -> Vec<OsString> {
        match self {
            Self::Sqlite(folder) => vec!["--store".into(), folder.join("shop.db").into()],
            Self::Postgres(url, schema) => {
                vec!["--store".into(), url.into(), "--schema".into(), schema.into()]
            }
        }
    }

    /// True if there is a store.
    fn is_there(&self) -> Outcome<bool> {
        match self {
            Self::Sqlite(folder) => Ok(folder.join("shop.db").exists()),
            Self::Postgres(url, schema) => block_on(async {
                let of = "SELECT count(*) FROM pg_namespace WHERE nspname = $1";
                let found: i64 = client(url).await?.query_one(of, &[schema]).await?.try_get(0)?;
                Ok(found == 1)
            })?,
        }
    }

    /// The exit code, the output and the errors.
    fn run(&self, arguments: &[&str]) -> (u8, String, String) {
        run(self.store(), arguments)
    }

    /// The version of a checkout, as `show` shows it.
    fn version(&self, id: &str) -> Outcome<String> {
        let (_, shown, err) = self.run(&["show", id]);
        let version = shown.lines().find_map(|line| line.strip_prefix("version"));
        Ok(version.ok_or(format!("no version: {err}"))?.trim().to_owned())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        match self {
            Self::Sqlite(folder) => {
                let _ = std::fs::remove_dir_all(folder);
            }
            Self::Postgres(url, schema) => {
                let drop = format!("DROP SCHEMA IF EXISTS {schema} CASCADE");
                let dropped = block_on(async { client(url).await?.batch_execute(&drop).await });
                if !std::thread::panicking() {
                    assert!(matches!(dropped, Ok(Ok(()))), "{dropped:?}");
                }
            }
        }
    }
}

fn quiet(schema: &str) -> Options {
    Options::new().schema(schema).connections(2).notify(false)
}

async fn client(url: &str) -> Result<tokio_postgres::Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

fn block_on<T>(future: impl Future<Output = T>) -> Outcome<T> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(future))
}

fn checkout(id: &str, hold: Option<&str>) -> Checkout {
    let at = Moment::from_unix_millis(0);
    Checkout {
        id: id.to_owned(),
        provider: Provider::AllScale,
        merchant: "default".to_owned(),
        environment: Environment::Sandbox,
        state: State::Unsettled,
        reference: format!("{id}-1"),
        checkout_id: Some(format!("intent-{id}")),
        page: Some(PAGE.into()),
        hold: hold.map(str::to_owned),
        notes: "{}".into(),
        version: 0,
        created_at: at,
        changed_at: at,
    }
}

async fn add(store: &impl Store, checkouts: &[(&str, Option<&str>)]) -> Outcome {
    for (id, hold) in checkouts {
        let new = New { checkout: &checkout(id, *hold), watch: "", lease: Duration::from_secs(60) };
        let Inserted::Fresh(lease, _) = store.insert(&new).await? else { return Err("it is there".into()) };
        let write = Write {
            checkout: None,
            next: Next::Ended { watch: String::new() },
            read: ReadMade::None,
            lane_wait: None,
            news: Vec::new(),
        };
        assert_eq!(store.write(&lease, &write).await?, Written::Done);
    }
    Ok(())
}

async fn stir(store: &impl Store) -> Outcome {
    let leased = Checkout { state: State::Open, ..checkout("order-3", None) };
    let new = New { checkout: &leased, watch: "", lease: Duration::from_secs(3_600) };
    assert!(matches!(store.insert(&new).await?, Inserted::Fresh(..)));
    for (checkout_id, reference) in
        [(Some("intent-9"), Some("order-9-1")), (None, Some("order-8-1")), (Some("\u{1b}[2J\nintent"), None)]
    {
        let target = Target::Named { lane: "allscale/default", checkout_id, reference };
        assert_eq!(store.nudge(&Nudge { target, event: &[] }).await?, Nudged::Unmatched);
    }
    Ok(())
}

/// The exit code, the output and the errors.
fn run(store: Vec<OsString>, arguments: &[&str]) -> (u8, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let given = store.into_iter().chain(arguments.iter().map(OsString::from));
    let code = checkout_engine_cli::run(given, &mut out, &mut err);
    (code, String::from_utf8_lossy(&out).into_owned(), String::from_utf8_lossy(&err).into_owned())
}

/// Runs a test over a store of each kind.
macro_rules! over_each_store {
    ($($test:ident as $name:literal;)+) => {
        mod sqlite {
            $(#[test]
            fn $test() -> super::Outcome {
                super::$test(&super::Place::sqlite($name)?)
            })+
        }

        mod postgres {
            $(#[test]
            fn $test() -> super::Outcome {
                super::Place::postgres($name).map_or(Ok(()), |place| super::$test(&place))
            })+
        }
    };
}

over_each_store! {
    a_list_has_each_checkout_once_and_no_page as "ls";
    a_decision_stays_with_its_name_and_reason as "settle";
    quarantined_work_is_put_back_by_release_or_requeue as "requeue";
    a_nudge_makes_work as "nudge";
    ls_and_show_tell_what_the_view_tells as "overview";
    an_event_of_no_checkout_is_listed_until_a_checkout_has_its_ids as "unmatched";
    the_figures_are_those_that_the_store_knows as "figures";
    only_migrate_makes_a_schema as "migrate";
}

fn a_list_has_each_checkout_once_and_no_page(place: &Place) -> Outcome {
    place.add(TWO)?;
    let (code, out, err) = place.run(&["ls"]);
    assert_eq!((code, &*err), (0, ""));
    assert_eq!(
        out,
        "order-1  allscale/default  unsettled  intent-order-1  held: underpaid by a cent\n\
         order-2  allscale/default  unsettled  intent-order-2\n"
    );
    let (_, held, _) = place.run(&["ls", "--held"]);
    assert_eq!(held.lines().count(), 1);
    let (_, behind, _) = place.run(&["ls", "--after", "order-1"]);
    assert!(behind.starts_with("order-2"));
    let (_, none, _) = place.run(&["ls", "--state", "settled"]);
    assert_eq!(none, "");
    let (_, shown, _) = place.run(&["show", "order-1"]);
    assert!(shown.contains("has an address") && !shown.contains(PAGE), "{shown}");
    Ok(())
}

fn a_decision_stays_with_its_name_and_reason(place: &Place) -> Outcome {
    place.add(TWO)?;
    let version = place.version("order-1")?;
    let said = ["--by", "nora", "--reason", "a cent is nothing", "--version"];
    let stale = place.run(&[&["settle", "order-1"], &said[..], &["0"]].concat());
    assert_eq!((stale.0, &*stale.2), (1, "error: the checkout order-1 has changed meanwhile: look again\n"));
    let decided = place.run(&[&["settle", "order-1"], &said[..], &[&*version]].concat());
    assert_eq!(decided.0, 0, "{}", decided.2);
    let (_, shown, _) = place.run(&["show", "order-1"]);
    assert!(shown.contains("settled") && shown.contains("settle by nora: a cent is nothing"), "{shown}");
    // The news waits for the shop.
    let (_, figures, _) = place.run(&["figures"]);
    assert!(figures.contains("\nnews 1\n"), "{figures}");
    let (code, _, err) = place.run(&[&["close", "order-1"], &said[..], &["9"]].concat());
    assert_eq!((code, &*err), (1, "error: the checkout order-1 is not held: nothing is to decide\n"));
    Ok(())
}

fn quarantined_work_is_put_back_by_release_or_requeue(place: &Place) -> Outcome {
    for (command, id) in [("release", "order-1"), ("requeue", "order-2")] {
        place.add(&[(id, Some("its claims ended without a write"))])?;
        let version = place.version(id)?;
        let said = ["--by", "nora", "--reason", "the machine is mended", "--version", &version];
        let (code, _, err) = place.run(&[&[command, id], &said[..]].concat());
        assert_eq!(code, 0, "{err}");
        assert_eq!(place.run(&["ls", "--held"]).1, "");
        let (_, shown, _) = place.run(&["show", id]);
        assert!(shown.contains("release by nora: the machine is mended"), "{shown}");
    }
    Ok(())
}

/// The schema is a name of PostgreSQL, which an SQL text shows without a server.
#[test]
fn the_schema_in_postgresql_can_be_named() -> Outcome {
    let store = || vec!["--store".into(), "postgres://nobody@127.0.0.1:1/none".into()];
    let (code, sql, err) = run(store(), &["migrate", "--print", "--schema", "shop_7"]);
    assert_eq!((code, &*err), (0, ""));
    assert!(sql.contains("CREATE SCHEMA \"shop_7\"") && !sql.contains(" checkout."), "{sql}");
    let (code, _, err) = run(store(), &["migrate", "--print", "--schema", "Shop"]);
    assert_eq!(code, 1);
    assert!(err.contains("Options::schema: the name is not"), "{err}");
    Ok(())
}

/// The SQL from a version.
type Text = dyn Fn(i64) -> Result<String, StoreError>;

/// Each store's texts are its library's: no server and no file is needed.
#[test]
fn sql_is_printed_from_a_version_and_the_version_is_checked() -> Outcome {
    let folder = std::env::temp_dir().join(format!("checkout-cli-none-{}.db", std::process::id()));
    let of_sqlite = checkout_store_sqlite::print_migrations;
    let of_postgres = |from| checkout_store_postgres::print("checkout", from);
    let texts: [(OsString, &Text); 2] =
        [(folder.clone().into(), &of_sqlite), ("postgres://nobody@127.0.0.1:1/none".into(), &of_postgres)];
    for (store, text) in texts {
        let print = |from: &[&str]| {
            run(vec!["--store".into(), store.clone()], &[&["migrate", "--print"], from].concat())
        };
        let Err(StoreError::NewerSchema { known, .. }) = text(i64::MAX) else { return Err("a text".into()) };
        for from in 0..=known {
            let (code, sql, err) = print(&["--from", &from.to_string()]);
            assert_eq!((code, &*err), (0, ""));
            assert!(sql == text(from)?, "from {from}");
            assert_eq!(sql.contains("CREATE TABLE checkout"), from == 0, "from {from}");
        }
        assert!(print(&[]) == (0, text(0)?, String::new()), "from nothing");
        let newer = known + 1;
        let (code, out, err) = print(&["--from", &newer.to_string()]);
        assert_eq!((code, &*out), (1, ""));
        let said = format!("the schema has version {newer}, and this program knows versions up to {known}");
        assert!(err.contains(&said), "{err}");
        for none in ["one", "-1", "1.0", "+1", "", " 1", "9223372036854775808"] {
            let (code, out, err) = print(&["--from", none]);
            assert_eq!((code, &*out), (2, ""), "{none:?}");
            let said = format!("error: --from: {none:?} is no version of a schema");
            assert!(err.starts_with(&said), "{err}");
        }
        for command in ["migrate", "figures"] {
            let (code, _, err) = run(vec!["--store".into(), store.clone()], &[command, "--from", "1"]);
            assert_eq!(code, 2);
            assert!(err.starts_with("error: --from: say so with `migrate --print`"), "{err}");
        }
    }
    assert!(!folder.exists());
    Ok(())
}

fn a_nudge_makes_work(place: &Place) -> Outcome {
    place.add(TWO)?;
    let (code, out, _) = place.run(&["nudge", "order-2"]);
    assert_eq!((code, &*out), (0, "a read of order-2 follows\n"));
    let (_, figures, _) = place.run(&["figures"]);
    assert!(figures.contains("\nwork 1\n"), "{figures}");
    let (code, _, err) = place.run(&["nudge", "order-3"]);
    assert_eq!((code, &*err), (1, "error: there is no checkout order-3\n"));
    Ok(())
}

fn ls_and_show_tell_what_the_view_tells(place: &Place) -> Outcome {
    place.add(TWO)?;
    place.stir()?;
    // Work that is due, of a nudge.
    place.run(&["nudge", "order-2"]);
    let of_view =
        place.view("overview", &["created_at", "changed_at", "due"], &["nudged", "leased"], "id")?;
    let all = place.json(&["ls"])?;
    assert_eq!(all, of_view);
    let has = |id: usize, name: &str| all[id][name].clone();
    assert_eq!([has(0, "due"), has(0, "leased"), has(0, "tries")], [json!(null), json!(false), json!(0)]);
    assert_eq!([has(1, "nudged"), has(1, "leased"), has(1, "tries")], [json!(true), json!(false), json!(0)]);
    assert_eq!([has(2, "nudged"), has(2, "leased"), has(2, "tries")], [json!(false), json!(true), json!(1)]);
    let (_, lines, _) = place.run(&["ls"]);
    for (number, line) in lines.lines().enumerate() {
        let text = |name: &str| has(number, name).as_str().map(str::to_owned);
        let shown = |part: &str| line.split("  ").any(|shown| shown == part);
        assert!(text("due").is_none_or(|due| shown(&format!("due {due}"))), "{line}");
        assert!(text("hold").is_none_or(|hold| shown(&format!("held: {hold}"))), "{line}");
        for name in ["nudged", "leased"] {
            assert_eq!(json!(shown(name)), has(number, name), "{line}");
        }
        assert_eq!(shown("tries 1"), has(number, "tries") == json!(1), "{line}");
    }
    for number in 0..3 {
        let id = format!("order-{}", number + 1);
        let mut shown = place.json(&["show", &id])?;
        assert_eq!(shown.as_object_mut().and_then(|shown| shown.remove("decisions")), Some(json!([])));
        assert_eq!(shown, all[number]);
        let (_, lines, _) = place.run(&["show", &id]);
        for (name, value) in shown.as_object().into_iter().flatten() {
            let value = match value {
                Value::Null => "-".to_owned(),
                Value::Bool(is_so) => if *is_so { "yes" } else { "no" }.to_owned(),
                Value::String(text) => text.clone(),
                Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
            };
            let line = format!("{:12} {value}", name.replace('_', " "));
            assert!(lines.lines().any(|shown| shown == line), "{line:?} is not in {lines}");
        }
    }
    // What is due is the work that is not leased.
    let due = place.view("due", &["due"], &[], "id")?;
    assert_eq!(due.as_array().map(Vec::len), Some(1), "{due}");
    assert_eq!((&due[0]["id"], &due[0]["due"]), (&all[1]["id"], &all[1]["due"]));
    assert!(due[0]["late_ms"].as_i64() >= Some(0), "{due}");
    Ok(())
}

fn an_event_of_no_checkout_is_listed_until_a_checkout_has_its_ids(place: &Place) -> Outcome {
    place.add(&[])?;
    assert_eq!(place.run(&["unmatched"]), (0, String::new(), String::new()));
    place.stir()?;
    let all = place.json(&["unmatched"])?;
    assert_eq!(all, place.view("unmatched", &["seen_at"], &[], "number")?);
    let ids = |of: &Value| -> Vec<(Value, Value)> {
        let all = of.as_array().into_iter().flatten();
        all.map(|event| (event["checkout_id"].clone(), event["reference"].clone())).collect()
    };
    let [known, by_reference, steering] = [
        (json!("intent-9"), json!("order-9-1")),
        (json!(null), json!("order-8-1")),
        (json!("\u{1b}[2J\nintent"), json!(null)),
    ];
    assert_eq!(ids(&all), [known.clone(), by_reference.clone(), steering.clone()]);
    let (_, lines, _) = place.run(&["unmatched"]);
    let expected = all.as_array().into_iter().flatten().map(|event| {
        let (number, seen_at) = (&event["number"], event["seen_at"].as_str().unwrap_or_default());
        let word = |name: &str| {
            event[name].as_str().unwrap_or("-").replace('\u{1b}', "\\u{1b}").replace('\n', "\\n")
        };
        format!("{number}  allscale/default  {}  {}  {seen_at}\n", word("checkout_id"), word("reference"))
    });
    assert_eq!(lines, expected.collect::<String>());
    let first = all[0]["number"].to_string();
    let behind = place.json(&["unmatched", "--after", &first, "--limit", "1"])?;
    assert_eq!(ids(&behind), std::slice::from_ref(&by_reference));
    // The shop adds the checkouts: by the provider's id, and by the reference.
    for (id, reference, checkout_id, left) in [
        ("order-9", "another", "intent-9", &[by_reference, steering.clone()][..]),
        ("order-8", "order-8-1", "intent-8", &[steering]),
    ] {
        let values = format!("'{id}', 'allscale', 'default', 'sandbox', '{reference}', '{checkout_id}'");
        place.execute(
            &format!(
                "INSERT INTO checkout_watch (id, provider, merchant, environment, reference, checkout_id, notes, at) \
                 VALUES ({values}, '{{}}', 1716501000000)"
            ),
            &format!("SELECT checkout.watch({values})"),
        )?;
        assert_eq!(ids(&place.json(&["unmatched"])?), left);
        let figures = place.json(&["figures"])?;
        assert_eq!(figures["unmatched"], json!(left.len()), "{figures}");
    }
    Ok(())
}

/// The program ends with its nudge, and the word goes out all the same. The test's own word comes behind.
#[test]
fn a_nudge_of_the_program_wakes_those_who_listen() -> Outcome {
    let Some(place) = Place::postgres("wakes") else { return Ok(()) };
    place.add(TWO)?;
    let Place::Postgres(url, schema) = &place else { return Err("no server".into()) };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let (heard, mut hears) = tokio::sync::mpsc::unbounded_channel();
    let channel = format!("checkout_{schema}");
    let listener = runtime.block_on(async {
        let (listener, mut connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
        tokio::spawn(async move {
            while let Some(Ok(message)) = std::future::poll_fn(|cx| connection.poll_message(cx)).await {
                if let tokio_postgres::AsyncMessage::Notification(word) = message {
                    let _ = heard.send(word.payload().to_owned());
                }
            }
        });
        listener.batch_execute(&format!("LISTEN {channel}")).await?;
        Ok::<_, tokio_postgres::Error>(listener)
    })?;
    let version = place.version("order-1")?;
    let release = ["release", "order-1", "--version", &version, "--by", "nora", "--reason", "it is mended"];
    for arguments in [&["nudge", "order-2"][..], &release] {
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_checkout-engine"));
        let output = program.args(place.store()).args(arguments).output()?;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        runtime.block_on(listener.execute("SELECT pg_notify($1, 'behind')", &[&channel]))?;
        let words: Vec<String> =
            std::iter::from_fn(|| hears.blocking_recv().filter(|word| word != "behind")).collect();
        assert_eq!(words, [""], "{arguments:?}");
    }
    Ok(())
}

fn the_figures_are_those_that_the_store_knows(place: &Place) -> Outcome {
    place.add(TWO)?;
    let (code, figures, err) = place.run(&["figures"]);
    assert_eq!((code, &*err), (0, ""));
    let names: Vec<&str> = figures.lines().filter_map(|line| Some(line.split_once(' ')?.0)).collect();
    let mut known =
        vec!["oldest_due_ms", "work", "leased", "held", "news", "unmatched", "waiting", "limit_used"];
    if let Place::Postgres(url, _) = place {
        let sees = "SELECT pg_has_role('pg_read_all_stats', 'USAGE')";
        let sees: bool = block_on(async { client(url).await?.query_one(sees, &[]).await?.try_get(0) })??;
        known.extend(["dead_rows"].into_iter().chain(sees.then_some("oldest_transaction_ms")));
    }
    assert_eq!(names, known);
    assert!(figures.contains("\nheld 1\n") && figures.contains("\nlimit_used 0\n"), "{figures}");
    let json = place.json(&["figures"])?;
    assert!(
        json.as_object().is_some_and(|json| json.len() == known.len()) && json["held"] == json!(1),
        "{json}"
    );
    Ok(())
}

fn only_migrate_makes_a_schema(place: &Place) -> Outcome {
    let (code, sql, _) = place.run(&["migrate", "--print"]);
    assert_eq!(code, 0);
    assert!(sql.contains("CREATE TABLE"), "{sql}");
    assert!(!place.is_there()?);
    let (code, _, err) = place.run(&["ls"]);
    assert_eq!(code, 1);
    assert!(err.starts_with("error: the schema has version 0 and this program needs"), "{err}");
    let (code, _, err) = place.run(&["migrate"]);
    assert_eq!((code, &*err), (0, ""));
    assert!(place.is_there()?);
    assert_eq!(place.run(&["ls"]), (0, String::new(), String::new()));
    Ok(())
}

#[test]
fn arguments_that_are_none_are_named() -> Outcome {
    let place = Place::sqlite("arguments")?;
    for (arguments, said) in [
        (&["fly"][..], "fly: there is no such command"),
        (&[], "there is no command"),
        (&["show"], "show: say the checkout's id"),
        (
            &["release", "order-1"],
            "release: say who decides by --by, why by --reason, and what you saw by --version",
        ),
        (&["requeue", "order-1", "--by", "nora"], "requeue: say who decides by --by"),
        (&["requeue"], "requeue: say the checkout's id"),
        (&["ls", "--schema"], "--schema"),
        (&["ls", "--schema", "shop"], "--schema: an SQLite file has no schema of another name"),
        (
            &["migrate", "--print", "--schema", "shop"],
            "--schema: an SQLite file has no schema of another name",
        ),
        (&["ls", "--state", "paid"], "--state: one of sending, unknown, open"),
        (&["ls", "order-1"], "order-1"),
        (&["show", "order-1", "order-2"], "order-2"),
        (&["ls", "--colour"], "--colour"),
        (&["ls", "--limit", "many"], "many"),
        (&["unmatched", "--after", "order-1"], "--after: \"order-1\" is no number of an event"),
        (&["unmatched", "order-1"], "order-1"),
        (&["nudge", "order-1", "--json"], "--json: ls, show, unmatched and figures print JSON"),
        (&["migrate", "--json"], "--json: ls, show, unmatched and figures print JSON"),
    ] {
        let (code, out, err) = place.run(arguments);
        assert_eq!((code, &*out), (2, ""), "{arguments:?}");
        assert!(err.contains(said), "{arguments:?}: {err}");
    }
    Ok(())
}
