//! The engine's store on the dashboard of the sandbox, by the program.
#![allow(clippy::indexing_slicing, reason = "tests")]

use checkout_sandbox_server::{Builder, RunningServer, Server};
use checkout_store_sqlite::Sqlite;
use serde_json::{Value, json};
use std::error::Error;
use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const PROGRAM: &str = env!("CARGO_BIN_EXE_checkout-engine");

/// A folder with the file of an engine, which goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Outcome<Self> {
        let folder = std::env::temp_dir().join(format!("checkout-dashboard-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }

    fn file(&self) -> PathBuf {
        self.0.join("shop.db")
    }

    /// Adds checkouts as a shop's own transaction does: held, due, and an event of no checkout.
    fn fill(&self, checkouts: usize) -> Outcome {
        drop(Sqlite::open(self.file())?);
        let shop = rusqlite::Connection::open(self.file())?;
        for number in 0..checkouts {
            shop.execute(
                checkout_store_sqlite::WATCH,
                rusqlite::params![
                    format!("order-{number:03}"),
                    "peach",
                    "m",
                    "sandbox",
                    format!("reference-{number}"),
                    format!("checkout-{number}"),
                    "https://pay.example/of-the-payer",
                    r#"{"secret":"a note"}"#,
                    1_716_501_000_000_i64
                ],
            )?;
        }
        shop.execute_batch(
            "UPDATE checkout SET hold = 'a cent is <missing>' WHERE id = 'order-001';
             INSERT INTO checkout_stray (lane, checkout_id, reference, at)
                VALUES ('peach/m', 'checkout-x', 'reference-x', 1716501000000);",
        )?;
        Ok(())
    }

    /// The output of the program, as JSON.
    fn json(&self, arguments: &[&str]) -> Outcome<Value> {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let store: [OsString; 2] = ["--store".into(), self.file().into()];
        let given = store.into_iter().chain(arguments.iter().map(OsString::from)).chain(["--json".into()]);
        let code = checkout_engine_cli::run(given, &mut out, &mut err);
        if code == 0 { Ok(serde_json::from_slice(&out)?) } else { Err(String::from_utf8(err)?.into()) }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The status and the body of an answer.
fn get(server: &RunningServer, path: &str, accept: &str) -> Outcome<(u16, String)> {
    let mut stream = TcpStream::connect(server.addr())?;
    let host = server.addr();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {host}\r\naccept: {accept}\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("no answer")?;
    let status = head.split(' ').nth(1).ok_or("no status")?.parse()?;
    Ok((status, body.to_owned()))
}

fn with(server: Builder, test: impl FnOnce(&RunningServer) -> Outcome) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let server = runtime.block_on(server.bind())?;
    let tested = test(&server);
    runtime.block_on(server.shutdown());
    tested
}

#[test]
fn the_dashboard_shows_what_the_program_shows_and_changes_nothing() -> Outcome {
    let folder = Folder::new("shows")?;
    folder.fill(23)?;
    let before = folder.json(&["ls"])?;
    with(Server::builder().engine(PROGRAM, folder.file()), |server| {
        let (status, body) = get(server, "/_/engine", "*/*")?;
        let shown: Value = serde_json::from_str(&body)?;
        assert_eq!(status, 200, "{body}");
        let figures = folder.json(&["figures"])?;
        let expected = [("checkouts", before.clone()), ("unmatched", folder.json(&["unmatched"])?)];
        for (name, expected) in expected {
            assert_eq!(shown[name], expected, "{name}");
        }
        for name in ["work", "leased", "held", "news", "unmatched"] {
            assert_eq!(shown["figures"][name], figures[name], "{name}");
        }
        assert_eq!(
            [&figures["work"], &figures["held"], &figures["unmatched"]],
            [&json!(23), &json!(1), &json!(1)]
        );
        let (_, behind) = get(server, "/_/engine?after=order-020", "*/*")?;
        let behind: Value = serde_json::from_str(&behind)?;
        assert_eq!(behind["checkouts"], folder.json(&["ls", "--after", "order-020"])?);

        let (status, page) = get(server, "/_/board/default", "text/html")?;
        assert_eq!(status, 200);
        let rows = |page: &str| page.matches("data-testid=\"engine-checkout\"").count();
        assert_eq!(rows(&page), 20);
        for text in
            ["order-000", "order-019", "peach/m", "a cent is &lt;missing&gt;", "2024-05-23T21:50:00.000Z"]
        {
            assert!(page.contains(text), "{text}");
        }
        let unmatched = page.split("data-testid=\"engine-unmatched\"").nth(1).ok_or("no event")?;
        assert!(unmatched.contains("checkout-x") && unmatched.contains("reference-x"), "{unmatched}");
        assert!(
            page.contains("23 with work, 0 leased, 1 held, 0 news untold, 1 events of no checkout."),
            "{page}"
        );
        let (_, next) = page.split_once("/_/board/default?engine=").ok_or("no link to the rest")?;
        let next = next.split('"').next().unwrap_or_default();
        let (_, rest) = get(server, &format!("/_/board/default?engine={next}"), "text/html")?;
        assert_eq!(rows(&rest), 3);
        for text in [&body, &page] {
            assert!(!text.contains("of-the-payer") && !text.contains("a note"), "{text}");
        }
        Ok(())
    })?;
    assert_eq!(folder.json(&["ls"])?, before);
    Ok(())
}

/// A page renews itself by these events, also where nothing happens in the sandbox.
#[test]
fn an_open_page_hears_when_to_look_again() -> Outcome {
    let folder = Folder::new("hears")?;
    with(Server::builder().engine(PROGRAM, folder.file()), |server| {
        let mut stream = TcpStream::connect(server.addr())?;
        write!(stream, "GET /_/events HTTP/1.1\r\nhost: {}\r\n\r\n", server.addr())?;
        let events = BufReader::new(stream).lines();
        let mut heard = events.map_while(Result::ok).filter(|line| line.starts_with("data: "));
        assert_eq!(heard.next().as_deref(), Some("data: open"));
        assert_eq!(heard.next().as_deref(), Some("data: engine"));
        Ok(())
    })
}

#[test]
fn a_store_that_cannot_be_shown_is_a_sentence_on_the_page() -> Outcome {
    let folder = Folder::new("cannot")?;
    let nobody = folder.0.join("nobody");
    let nowhere = "/there/is/nothing/shop.db";
    for (server, said) in [
        (Server::builder().engine(PROGRAM, nowhere), "error:"),
        (Server::builder().engine(&nobody, folder.file()), "does not start"),
        (Server::builder().engine("/bin/true", folder.file()), "prints no JSON"),
    ] {
        with(server, |server| {
            let (status, body) = get(server, "/_/engine", "*/*")?;
            assert_eq!(status, 502, "{body}");
            assert!(body.contains(said), "{body}");
            let (status, page) = get(server, "/_/board/default", "text/html")?;
            assert!(status == 200 && page.contains("role=\"alert\"") && page.contains(said), "{page}");
            Ok(())
        })?;
    }
    with(Server::builder(), |server| {
        assert_eq!(get(server, "/_/engine", "*/*")?.0, 404);
        assert!(!get(server, "/_/board/default", "text/html")?.1.contains("Engine"));
        Ok(())
    })
}
