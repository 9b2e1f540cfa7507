//! The store behind pgbouncer in transaction mode, where each transaction may have another connection.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "tests")]

mod common;

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::{env, fs, process};

use checkout_engine::{Store as _, conformance};
use checkout_store_postgres::Postgres;
use common::{Schema, Standing, Tested, runtime, url};
use tokio_postgres::Config;
use tokio_postgres::config::Host;

/// A pgbouncer, with four connections to the server.
struct Bouncer {
    child: Child,
    folder: PathBuf,
    url: String,
}

impl Bouncer {
    /// None if pgbouncer is not installed.
    fn start() -> Result<Option<Self>, Box<dyn std::error::Error>> {
        let path = env::var_os("PATH").unwrap_or_default();
        let folders = env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
        let Some(program) = folders.map(|folder| folder.join("pgbouncer")).find(|file| file.exists()) else {
            return Ok(None);
        };
        let config: Config = url().parse()?;
        let host = match config.get_hosts().first() {
            Some(Host::Tcp(host)) => host.clone(),
            Some(Host::Unix(path)) => path.display().to_string(),
            None => "127.0.0.1".to_owned(),
        };
        let server = config.get_ports().first().copied().unwrap_or(5432);
        let user = config.get_user().unwrap_or("postgres");
        let password = config.get_password().map(String::from_utf8_lossy);
        let password = password.map(|password| format!(" password='{password}'")).unwrap_or_default();
        let database = config.get_dbname().unwrap_or(user);
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let folder = env::temp_dir().join(format!("checkout-pgbouncer-{}-{port}", process::id()));
        fs::create_dir_all(&folder)?;
        let file = folder.join("pgbouncer.ini");
        fs::write(
            &file,
            format!(
                "[databases]\n{database} = host={host} port={server} user={user}{password}\n\
                 [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n\
                 pool_mode = transaction\ndefault_pool_size = 4\n"
            ),
        )?;
        let mut command = Command::new(program);
        // pgbouncer refuses to run as root.
        if Command::new("id").arg("-u").output()?.stdout == b"0\n" {
            command.args(["-u", "postgres"]);
        }
        let child = command.arg(&file).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let mut bouncer =
            Self { child, folder, url: format!("postgres://{user}@127.0.0.1:{port}/{database}") };
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert_eq!(bouncer.child.try_wait()?, None, "pgbouncer ended");
            std::thread::yield_now();
        }
        Ok(Some(bouncer))
    }
}

impl Drop for Bouncer {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        fs::remove_dir_all(&self.folder).unwrap();
    }
}

#[test]
fn a_pooler_in_transaction_mode_changes_no_answer() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    let Some(bouncer) = Bouncer::start()? else {
        println!("not run: pgbouncer is not installed");
        return Ok(());
    };
    let make = async || {
        let schema = Schema::new().await.unwrap();
        let options = schema.options().connections(12);
        let store: Postgres = options.connect(&bouncer.url).await.unwrap();
        schema.stand().await.unwrap();
        (store, Standing(schema))
    };
    let runtime = runtime();
    runtime.block_on(conformance::histories(7, 600, &make))?;
    let (store, clock) = runtime.block_on(make());
    conformance::check_race(&store, &clock, |task| runtime.block_on(task))?;
    Ok(())
}

#[test]
fn behind_a_pooler_in_transaction_mode_a_store_does_not_listen() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    let Some(bouncer) = Bouncer::start()? else {
        println!("not run: pgbouncer is not installed");
        return Ok(());
    };
    runtime().block_on(async {
        let schema = Schema::new().await?;
        let store: Postgres = schema.options().connect(&bouncer.url).await?;
        let listens = tokio::spawn({
            let store = store.clone();
            async move { store.woken().await }
        });
        // The store has asked to hear its own word, has not heard the word, and has given up.
        let given_up = "SELECT count(*) FROM pg_stat_activity WHERE query = $1";
        let unlisten = format!("UNLISTEN \"checkout_{}\"", schema.name);
        while schema.client.query_one(given_up, &[&unlisten]).await?.get::<_, i64>(0) == 0 {
            assert!(!listens.is_finished());
        }
        let key = format!("checkout-store-postgres listens {}", schema.name);
        let locks = "SELECT count(*) FROM pg_locks l JOIN generate_series(0, 1) slot \
                     ON (l.classid::bigint << 32) | l.objid::bigint = hashtextextended($1, slot) \
                     WHERE l.locktype = 'advisory'";
        assert_eq!(schema.client.query_one(locks, &[&key]).await?.get::<_, i64>(0), 0);
        assert!(!listens.is_finished());
        listens.abort();
        Ok(())
    })
}
