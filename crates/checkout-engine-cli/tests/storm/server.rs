//! A PostgreSQL server of the test's own, which dies and comes back.

use super::Outcome;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A server in a folder. The server stops with the value.
pub(crate) struct PgServer {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    connections: usize,
    is_root: bool,
}

impl PgServer {
    /// Starts a server, or `None` where there is no program for one.
    pub(crate) fn start(folder: &Path, connections: usize) -> Outcome<Option<Self>> {
        let Some(programs) = programs() else { return Ok(None) };
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let is_root = said(Command::new("id").arg("-u"))?.trim() == "0";
        let server = Self { programs, folder: folder.to_owned(), port, connections, is_root };
        std::fs::create_dir_all(folder)?;
        if is_root {
            // The server does not run as root.
            said(Command::new("chown").arg("postgres").arg(folder))?;
        }
        said(server.program("initdb").args(["--auth=trust", "--username=postgres"]))?;
        server.begin(true)?;
        Ok(Some(server))
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    fn program(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        let mut command = if self.is_root {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(&self.folder).arg(format!("--pgdata={}/data", self.folder.display()));
        command
    }

    fn begin(&self, wait: bool) -> Outcome {
        let (folder, port, connections) = (self.folder.display(), self.port, self.connections);
        let options = format!(
            "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} \
             -c max_connections={connections} -c max_wal_size=256MB"
        );
        let mut command = self.program("pg_ctl");
        command.arg(format!("--log={folder}/server.log")).args(["--silent", "--options", &options]);
        command.args([if wait { "--wait" } else { "--no-wait" }, "start"]);
        // A server that goes on holds what it inherits.
        let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
        if status.success() || !wait {
            Ok(())
        } else {
            Err(format!("the server does not start: {status}").into())
        }
    }

    fn end(&self) -> Outcome {
        said(self.program("pg_ctl").args(["--mode=immediate", "--silent", "stop"])).map(drop)
    }

    /// Dies as by a loss of power, and comes back.
    pub(crate) fn die(&self) -> Outcome {
        self.end()?;
        self.begin(true)
    }

    /// Dies, dies again while the server brings the data in order, and comes back.
    pub(crate) fn die_in_recovery(&self) -> Outcome {
        self.end()?;
        self.begin(false)?;
        while !self.folder.join("data/postmaster.pid").exists() {
            std::thread::yield_now();
        }
        self.end()?;
        self.begin(true)
    }
}

impl Drop for PgServer {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

/// The folder of the newest server's programs.
fn programs() -> Option<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(_, path)| path.join("initdb").exists())
        .collect();
    found.sort();
    found.pop().map(|(_, path)| path)
}

fn said(command: &mut Command) -> Outcome<String> {
    let output = command.stdin(Stdio::null()).output()?;
    if !output.status.success() {
        return Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
