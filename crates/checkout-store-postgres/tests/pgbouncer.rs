//! The store behind pgbouncer in transaction mode, where each transaction may have another connection.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "tests")]

mod common;

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::{env, fs, process};

use checkout_engine::conformance;
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
        let folder = env::temp_dir().join(format!("checkout-pgbouncer-{}", process::id()));
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
