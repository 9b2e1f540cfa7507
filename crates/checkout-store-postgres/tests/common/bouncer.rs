//! A pgbouncer in transaction mode, where each transaction may have another connection.
#![allow(unreachable_pub, reason = "tests")]

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::{env, fs, io, process};

use tokio_postgres::Config;
use tokio_postgres::config::Host;

/// A pgbouncer, with four connections to the server.
pub struct Bouncer {
    child: Child,
    folder: PathBuf,
    pub url: String,
}

impl Bouncer {
    /// A pgbouncer before the server of this URL. None if pgbouncer is not installed.
    pub fn start(server: &str) -> io::Result<Option<Self>> {
        let path = env::var_os("PATH").unwrap_or_default();
        let folders = env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
        let Some(program) = folders.map(|folder| folder.join("pgbouncer")).find(|file| file.exists()) else {
            return Ok(None);
        };
        let config: Config = server.parse().map_err(io::Error::other)?;
        let host = match config.get_hosts().first() {
            Some(Host::Tcp(host)) => host.clone(),
            Some(Host::Unix(path)) => path.display().to_string(),
            None => "127.0.0.1".to_owned(),
        };
        let at = config.get_ports().first().copied().unwrap_or(5432);
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
                "[databases]\n{database} = host={host} port={at} user={user}{password}\n\
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
