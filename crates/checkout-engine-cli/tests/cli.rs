//! The program over a store in an SQLite file.

use checkout_engine::{Checkout, New, Next, Provider, ReadMade, State, Store, Write};
use checkout_store_sqlite::Sqlite;
use checkout_tables::{Environment, Moment};
use std::error::Error;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const PAGE: &str = "https://pay.example/hidden";

/// A file with one held checkout, which goes with the test.
struct File(PathBuf);

impl File {
    fn new(name: &str) -> Outcome<Self> {
        let folder = std::env::temp_dir().join(format!("checkout-cli-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }

    fn store(&self) -> PathBuf {
        self.0.join("shop.db")
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> Outcome<T> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(future))
}

async fn add(store: &Sqlite, id: &str, hold: Option<&str>) -> Outcome {
    let at = Moment::from_unix_millis(0);
    let row = Checkout {
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
    };
    let inserted = store.insert(&New { checkout: &row, watch: "", lease: Duration::from_secs(60) }).await?;
    let checkout_engine::Inserted::Fresh(lease, _) = inserted else { return Err("it is there".into()) };
    let write = Write {
        checkout: None,
        next: Next::Ended { watch: String::new() },
        read: ReadMade::None,
        lane_wait: None,
        news: Vec::new(),
    };
    let _ = store.write(&lease, &write).await?;
    Ok(())
}

fn with_two(name: &str) -> Outcome<File> {
    let file = File::new(name)?;
    let store = Sqlite::open(file.store())?;
    block_on(async {
        add(&store, "order-1", Some("underpaid by a cent")).await?;
        add(&store, "order-2", None).await
    })??;
    Ok(file)
}

/// The exit code, the output and the errors.
fn run(store: &Path, arguments: &[&str]) -> (u8, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let given = [OsString::from("--store"), store.as_os_str().to_owned()];
    let given = given.into_iter().chain(arguments.iter().map(OsString::from));
    let code = checkout_engine_cli::run(given, &mut out, &mut err);
    (code, String::from_utf8_lossy(&out).into_owned(), String::from_utf8_lossy(&err).into_owned())
}

#[test]
fn a_list_has_each_checkout_once_and_no_page() -> Outcome {
    let file = with_two("ls")?;
    let (code, out, err) = run(&file.store(), &["ls"]);
    assert_eq!((code, &*err), (0, ""));
    assert_eq!(
        out,
        "order-1  allscale/default  unsettled  intent-order-1  held: underpaid by a cent\n\
         order-2  allscale/default  unsettled  intent-order-2\n"
    );
    let (_, held, _) = run(&file.store(), &["ls", "--held"]);
    assert_eq!(held.lines().count(), 1);
    let (_, behind, _) = run(&file.store(), &["ls", "--after", "order-1"]);
    assert!(behind.starts_with("order-2"));
    let (_, none, _) = run(&file.store(), &["ls", "--state", "settled"]);
    assert_eq!(none, "");
    let (_, shown, _) = run(&file.store(), &["show", "order-1"]);
    assert!(shown.contains("has an address") && !shown.contains(PAGE), "{shown}");
    Ok(())
}

#[test]
fn a_decision_stays_with_its_name_and_reason() -> Outcome {
    let file = with_two("settle")?;
    let (_, shown, _) = run(&file.store(), &["show", "order-1"]);
    let version = shown.lines().find_map(|line| line.strip_prefix("version")).ok_or("no version")?.trim();
    let said = ["--by", "nora", "--reason", "a cent is nothing", "--version"];
    let stale = run(&file.store(), &[&["settle", "order-1"], &said[..], &["0"]].concat());
    assert_eq!((stale.0, &*stale.2), (1, "error: the checkout order-1 has changed meanwhile: look again\n"));
    let decided = run(&file.store(), &[&["settle", "order-1"], &said[..], &[version]].concat());
    assert_eq!(decided.0, 0, "{}", decided.2);
    let (_, shown, _) = run(&file.store(), &["show", "order-1"]);
    assert!(shown.contains("settled") && shown.contains("settle by nora: a cent is nothing"), "{shown}");
    // The news waits for the shop.
    let (_, figures, _) = run(&file.store(), &["figures"]);
    assert!(figures.contains("\nnews 1\n"), "{figures}");
    let (code, _, err) = run(&file.store(), &[&["close", "order-1"], &said[..], &["9"]].concat());
    assert_eq!((code, &*err), (1, "error: the checkout order-1 is not held: nothing is to decide\n"));
    Ok(())
}

#[test]
fn quarantined_work_is_put_back_by_release_or_requeue() -> Outcome {
    for command in ["release", "requeue"] {
        let file = with_two(command)?;
        let (_, shown, _) = run(&file.store(), &["show", "order-1"]);
        let version = shown.lines().find_map(|line| line.strip_prefix("version")).ok_or("no version")?.trim();
        let said = ["--by", "nora", "--reason", "the machine is mended", "--version", version];
        let (code, _, err) = run(&file.store(), &[&[command, "order-1"], &said[..]].concat());
        assert_eq!(code, 0, "{err}");
        assert_eq!(run(&file.store(), &["ls", "--held"]).1, "");
        let (_, shown, _) = run(&file.store(), &["show", "order-1"]);
        assert!(shown.contains("release by nora: the machine is mended"), "{shown}");
    }
    Ok(())
}

/// The schema is a name of PostgreSQL, which an SQL text shows without a server.
#[test]
fn the_schema_in_postgresql_can_be_named() -> Outcome {
    let store = Path::new("postgres://nobody@127.0.0.1:1/none");
    let (code, sql, err) = run(store, &["migrate", "--print", "--schema", "shop_7"]);
    assert_eq!((code, &*err), (0, ""));
    assert!(sql.contains("CREATE SCHEMA \"shop_7\"") && !sql.contains(" checkout."), "{sql}");
    let (code, _, err) = run(store, &["migrate", "--print", "--schema", "Shop"]);
    assert_eq!(code, 1);
    assert!(err.contains("Options::schema: the name is not"), "{err}");
    Ok(())
}

#[test]
fn a_nudge_makes_work() -> Outcome {
    let file = with_two("nudge")?;
    let (code, out, _) = run(&file.store(), &["nudge", "order-2"]);
    assert_eq!((code, &*out), (0, "a read of order-2 follows\n"));
    let (_, figures, _) = run(&file.store(), &["figures"]);
    assert!(figures.contains("\nwork 1\n"), "{figures}");
    let (code, _, err) = run(&file.store(), &["nudge", "order-3"]);
    assert_eq!((code, &*err), (1, "error: there is no checkout order-3\n"));
    Ok(())
}

#[test]
fn only_migrate_makes_a_schema() -> Outcome {
    let file = File::new("migrate")?;
    let (code, _, err) = run(&file.store(), &["ls"]);
    assert_eq!(code, 1);
    assert!(err.starts_with("error: "), "{err}");
    let (code, _, err) = run(&file.store(), &["migrate"]);
    assert_eq!((code, &*err), (0, ""));
    assert_eq!(run(&file.store(), &["ls"]).0, 0);
    let (code, sql, _) = run(&file.0.join("none.db"), &["migrate", "--print"]);
    assert_eq!(code, 0);
    assert!(sql.contains("CREATE TABLE") && !file.0.join("none.db").exists(), "{sql}");
    Ok(())
}

#[test]
fn arguments_that_are_none_are_named() -> Outcome {
    let file = File::new("arguments")?;
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
        (&["ls", "--state", "paid"], "--state: one of sending, unknown, open"),
        (&["ls", "order-1"], "order-1"),
        (&["show", "order-1", "order-2"], "order-2"),
        (&["ls", "--colour"], "--colour"),
        (&["ls", "--limit", "many"], "many"),
    ] {
        let (code, out, err) = run(&file.store(), arguments);
        assert_eq!((code, &*out), (2, ""), "{arguments:?}");
        assert!(err.contains(said), "{arguments:?}: {err}");
    }
    Ok(())
}
