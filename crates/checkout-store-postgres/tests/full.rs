//! A disk that is full, under a server of the test's own. The test mounts a small disk, which root may do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use checkout_engine::{Checkout, Inserted, New, Provider, Store, StoreError};
use checkout_store_postgres::{Options, Postgres};
use checkout_tables::{Environment, Moment};
use common::{OPEN, Tested, client_of, runtime};

/// A small disk in a folder, and a server with one part of its files there.
struct Server {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    small: Part,
}

/// The part of the server's files that is on the small disk.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Data,
    Log,
}

impl Server {
    /// Why there is no such server here, as an error within.
    fn start(name: &str, small: Part) -> Result<Result<Self, String>, Box<dyn std::error::Error>> {
        let Some(programs) = programs() else { return Ok(Err("there is no program of a server".to_owned())) };
        let folder = std::env::temp_dir().join(format!("checkout-{name}-{}", std::process::id()));
        let disk = folder.join("disk");
        fs::create_dir_all(&disk)?;
        let mounted =
            said(Command::new("mount").args(["-t", "tmpfs", "-o", "size=128m", "tmpfs"]).arg(&disk));
        if let Err(error) = mounted {
            fs::remove_dir_all(&folder)?;
            return Ok(Err(format!("no small disk can be mounted: {error}")));
        }
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let server = Self { programs, folder, port, small };
        for folder in [server.folder.clone(), server.place(Part::Data), server.place(Part::Log)] {
            fs::create_dir_all(&folder)?;
            // Whoever may mount is root, and the server does not run as root.
            said(Command::new("chown").arg("postgres").arg(folder))?;
        }
        let mut init = server.program("initdb");
        init.arg(format!("--waldir={}", server.place(Part::Log).display()));
        said(init.args(["--auth=trust", "--username=postgres", "--wal-segsize=1", "--no-sync"]))?;
        server.begin()?;
        Ok(Ok(server))
    }

    fn place(&self, part: Part) -> PathBuf {
        let of = if part == self.small { self.folder.join("disk") } else { self.folder.clone() };
        of.join(if part == Part::Data { "data" } else { "log" })
    }

    fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(self.programs.join(name)).current_dir(&self.folder);
        command.arg(format!("--pgdata={}", self.place(Part::Data).display()));
        command
    }

    fn begin(&self) -> Tested {
        let (folder, port) = (self.folder.display(), self.port);
        let options = format!(
            "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c max_wal_size=8MB \
             -c min_wal_size=2MB"
        );
        let mut command = self.program("pg_ctl");
        command.arg(format!("--log={folder}/server.log")).args(["--silent", "--options", &options]);
        // A server that goes on holds what it inherits.
        command.args(["--wait", "start"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let status = command.status()?;
        if status.success() { Ok(()) } else { Err(format!("the server does not start: {status}").into()) }
    }

    /// Ends the server as by a loss of power, if the server has not ended itself.
    fn end(&self) {
        let _ = said(self.program("pg_ctl").args(["--mode=immediate", "--silent", "stop"]));
    }

    /// Takes all the room of the small disk.
    fn fill(&self) -> Tested {
        let mut ballast = File::create(self.folder.join("disk/ballast"))?;
        for size in [1 << 20, 1 << 12, 1] {
            let piece = vec![1; size];
            loop {
                match ballast.write_all(&piece) {
                    Ok(()) => {}
                    Err(error) if error.kind() == ErrorKind::StorageFull => break,
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }

    fn make_room(&self) -> Tested {
        Ok(fs::remove_file(self.folder.join("disk/ballast"))?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
        let disk = self.folder.join("disk");
        let gone =
            said(Command::new("umount").arg(&disk)).and_then(|()| Ok(fs::remove_dir_all(&self.folder)?));
        if !std::thread::panicking() {
            gone.expect("the disk is taken away");
        }
    }
}

/// The folder of the newest server's programs.
fn programs() -> Option<PathBuf> {
    let entries = fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let numbered =
        entries.filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path())));
    let newest: Option<(u32, PathBuf)> = numbered.max();
    newest.map(|(_, path)| path.join("bin")).filter(|path| path.join("initdb").exists())
}

fn said(command: &mut Command) -> Result<(), Box<dyn std::error::Error>> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).trim().to_owned().into())
}

/// A checkout with notes of so many bytes, which no compression makes smaller.
fn checkout(id: &str, size: usize) -> Checkout {
    let mut seed =
        id.bytes().fold(0x9e37_79b9_7f4a_7c15_u64, |seed, byte| seed.rotate_left(9) ^ u64::from(byte));
    let mut notes = String::with_capacity(size + 16);
    while notes.len() < size {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        notes.push_str(&format!("{seed:016x}"));
    }
    Checkout {
        id: id.to_owned(),
        provider: Provider::Peach,
        merchant: "shop".to_owned(),
        environment: Environment::Sandbox,
        state: OPEN,
        reference: format!("reference {id}"),
        checkout_id: None,
        page: None,
        hold: None,
        notes: notes.into(),
        version: 0,
        created_at: Moment::from_unix_millis(0),
        changed_at: Moment::from_unix_millis(0),
    }
}

/// What became of the inserts.
#[derive(Default)]
struct Books {
    /// The answered ones, with their notes.
    answered: BTreeMap<String, Checkout>,
    /// Those of which the store said that nothing was written.
    refused: BTreeSet<String>,
    errors: usize,
}

impl Books {
    /// Inserts a checkout, and notes the answer: true if the store has answered.
    async fn insert(&mut self, store: &Postgres, id: &str, size: usize) -> bool {
        let row = checkout(id, size);
        match store.insert(&New { checkout: &row, watch: "", lease: Duration::ZERO }).await {
            // A repeat finds what an insert without an answer has left.
            Ok(Inserted::Fresh(..) | Inserted::Exists(_)) => {
                self.answered.insert(id.to_owned(), row);
                return true;
            }
            Ok(other @ Inserted::SameReference(_)) => panic!("{other:?}"),
            Err(StoreError::ReadOnly(_)) => drop(self.refused.insert(id.to_owned())),
            Err(StoreError::Unavailable(_)) => {}
            Err(error) => panic!("{error:?}"),
        }
        self.errors += 1;
        false
    }

    /// All that was answered is there with its work, and nothing that was refused.
    async fn hold(&self, server: &Server, store: &Postgres) -> Tested {
        for (id, row) in &self.answered {
            let there = store.checkout(id).await?;
            assert_eq!(there.as_ref().map(|there| &there.notes), Some(&row.notes), "{id}");
        }
        for id in self.refused.iter().filter(|id| !self.answered.contains_key(*id)) {
            assert_eq!(store.checkout(id).await?, None, "{id} was refused");
        }
        let mut work = BTreeSet::new();
        for row in client_of(&server.url()).await?.query("SELECT id FROM checkout.work", &[]).await? {
            work.insert(row.try_get::<_, String>(0)?);
        }
        let lost: Vec<&String> = self.answered.keys().filter(|id| !work.contains(*id)).collect();
        assert!(lost.is_empty(), "without work: {lost:?}");
        Ok(())
    }
}

/// None, and a word about it, where there can be no such server.
fn server(name: &str, small: Part) -> Result<Option<Server>, Box<dyn std::error::Error>> {
    if common::has_no_server() {
        return Ok(None);
    }
    match Server::start(name, small)? {
        Ok(server) => Ok(Some(server)),
        Err(why) => {
            let _ = writeln!(std::io::stderr(), "{why}: this test has run nothing");
            Ok(None)
        }
    }
}

#[test]
fn a_full_disk_of_the_data_refuses_writes_and_the_store_goes_on_once_there_is_room() -> Tested {
    let Some(server) = server("full-data", Part::Data)? else { return Ok(()) };
    runtime().block_on(async {
        let store = Options::new().connections(2).connect(&server.url()).await?;
        let mut books = Books::default();
        for number in 0..5 {
            assert!(books.insert(&store, &format!("before {number}"), 1_000).await);
        }
        server.fill()?;
        // The pages that are there may have room yet.
        for size in [100_000, 1_000, 10] {
            for number in 0_u64.. {
                if !books.insert(&store, &format!("{size} {number}"), size).await {
                    break;
                }
            }
        }
        assert_eq!((books.errors, books.refused.len()), (3, 3), "a full disk is told as what it is");
        books.hold(&server, &store).await?;
        server.make_room()?;
        assert!(books.insert(&store, "after", 100_000).await, "the first write that has room is done");
        books.hold(&server, &store).await?;
        // Nor does a loss of power lose anything.
        server.end();
        server.begin()?;
        while !books.insert(&store, "later", 10).await {}
        books.hold(&server, &store).await
    })
}

#[test]
fn a_full_disk_of_the_log_ends_the_server_and_the_store_goes_on_once_there_is_room() -> Tested {
    let Some(server) = server("full-log", Part::Log)? else { return Ok(()) };
    runtime().block_on(async {
        let store = Options::new().connections(2).connect(&server.url()).await?;
        let mut books = Books::default();
        for number in 0..5 {
            assert!(books.insert(&store, &format!("before {number}"), 1_000).await);
        }
        server.fill()?;
        for number in 0_u64.. {
            if !books.insert(&store, &number.to_string(), 100_000).await {
                break;
            }
        }
        // The server broke off: nobody knows what became of the write.
        assert_eq!((books.errors, books.refused.len()), (1, 0));
        server.make_room()?;
        server.end();
        server.begin()?;
        while !books.insert(&store, "after", 100_000).await {}
        books.hold(&server, &store).await
    })
}
