//! A small disk, which can be filled, and a server with one part of its files there. The test mounts the
//! disk, which root may do.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part")]

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A folder with a small disk in it, which goes with the value.
pub struct Disk {
    folder: PathBuf,
}

impl Disk {
    /// Why no disk can be mounted here, as an error within.
    pub fn mount(name: &str) -> io::Result<Result<Self, String>> {
        let folder = std::env::temp_dir().join(format!("checkout-{name}-{}", std::process::id()));
        let disk = folder.join("disk");
        fs::create_dir_all(&disk)?;
        let mounted =
            said(Command::new("mount").args(["-t", "tmpfs", "-o", "size=128m", "tmpfs"]).arg(&disk));
        if let Err(error) = mounted {
            fs::remove_dir_all(&folder)?;
            return Ok(Err(format!("no small disk can be mounted: {error}")));
        }
        Ok(Ok(Self { folder }))
    }

    /// The small disk.
    pub fn place(&self) -> PathBuf {
        self.folder.join("disk")
    }

    /// Takes all the room of the small disk.
    pub fn fill(&self) -> io::Result<()> {
        let mut ballast = File::create(self.place().join("ballast"))?;
        for size in [1 << 20, 1 << 12, 1] {
            let piece = vec![1; size];
            loop {
                match ballast.write_all(&piece) {
                    Ok(()) => {}
                    Err(error) if error.kind() == ErrorKind::StorageFull => break,
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    pub fn make_room(&self) -> io::Result<()> {
        fs::remove_file(self.place().join("ballast"))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let gone =
            said(Command::new("umount").arg(self.place())).and_then(|()| fs::remove_dir_all(&self.folder));
        if !std::thread::panicking() {
            gone.expect("the disk is taken away");
        }
    }
}

/// A server. The server stops with the value.
pub struct Server {
    programs: PathBuf,
    port: u16,
    pub small: Part,
    pub disk: Disk,
}

/// The part of the server's files that is on the small disk.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Data,
    Log,
}

impl Server {
    /// Why there is no such server here, as an error within.
    pub fn start(name: &str, small: Part) -> io::Result<Result<Self, String>> {
        let Some(programs) = programs() else { return Ok(Err("there is no program of a server".to_owned())) };
        let disk = match Disk::mount(name)? {
            Ok(disk) => disk,
            Err(why) => return Ok(Err(why)),
        };
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let server = Self { programs, port, small, disk };
        for folder in [server.disk.folder.clone(), server.place(Part::Data), server.place(Part::Log)] {
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
        let of = if part == self.small { self.disk.place() } else { self.disk.folder.clone() };
        of.join(if part == Part::Data { "data" } else { "log" })
    }

    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(self.programs.join(name)).current_dir(&self.disk.folder);
        command.arg(format!("--pgdata={}", self.place(Part::Data).display()));
        command
    }

    pub fn begin(&self) -> io::Result<()> {
        let (folder, port) = (self.disk.folder.display(), self.port);
        let options = format!(
            "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c max_wal_size=8MB \
             -c min_wal_size=2MB"
        );
        let mut command = self.program("pg_ctl");
        command.arg(format!("--log={folder}/server.log")).args(["--silent", "--options", &options]);
        // A server that goes on holds what it inherits.
        command.args(["--wait", "start"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let status = command.status()?;
        if status.success() {
            Ok(())
        } else {
            Err(io::Error::other(format!("the server does not start: {status}")))
        }
    }

    /// Ends the server as by a loss of power, if the server has not ended itself.
    pub fn end(&self) {
        let _ = said(self.program("pg_ctl").args(["--mode=immediate", "--silent", "stop"]));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
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

fn said(command: &mut Command) -> io::Result<()> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(io::Error::other(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
}
